"""Code graph attention by its formula, with a dense n x m adjacency and a code at a time."""

import keras
import numpy as np


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def leaky(x):
    return x if x > 0 else 0.2 * x


def dense_weights(edges, weights, sizes):
    """ω as `(n, m)`, NaN where codes are not linked, since 0 is a weight too."""
    dense = np.full(sizes, np.nan)
    for (i, j), weight in zip(edges, weights, strict=True):
        dense[i, j] = weight
    return dense


def one_side(own, other, attention, dense):
    """U' from U, V and `(n, m)` weights; V' with the tables and the weights turned round."""
    mixed = np.zeros_like(own)
    for i, vector in enumerate(own):
        linked = np.flatnonzero(~np.isnan(dense[i]))
        scores = [leaky(attention @ np.concatenate([vector, vector]))]
        scores += [leaky(attention @ np.concatenate([vector, other[j]])) for j in linked]
        powers = np.exp(np.array(scores) - max(scores))
        shares = powers / powers.sum()
        mixed[i] = shares[0] * vector
        for share, j in zip(shares[1:], linked, strict=True):
            mixed[i] += share * dense[i, j] * other[j]
    return elu(mixed)


def code_graph_attention(first, second, attention, edges, weights):
    dense = dense_weights(edges, weights, (len(first), len(second)))
    return one_side(first, second, attention, dense), one_side(second, first, attention, dense.T)


def gradients(layer, loss, *inputs):
    """Derivatives of a scalar function of a layer's outputs by its trainable variables, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        fixed = [variable.value for variable in layer.non_trainable_variables]

        def of_variables(values):
            return loss(layer.stateless_call(values, fixed, *inputs)[0])

        found = jax.grad(of_variables)([variable.value for variable in layer.trainable_variables])
        return [np.asarray(gradient) for gradient in found]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss(layer(*inputs))
    found = tape.gradient(value, [variable.value for variable in layer.trainable_variables])
    return [tf.convert_to_tensor(gradient).numpy() for gradient in found]
