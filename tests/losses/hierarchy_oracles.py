"""Slow, obvious versions of what goes along a hierarchy, and hierarchies and gradients to try them on."""

import keras
import numpy as np


def ancestors(parents, label):
    """The label and all above it."""
    found = [label]
    while parents[found[-1]] >= 0:
        found.append(parents[found[-1]])
    return found


def descendants(parents, label):
    """The label and all below it."""
    return [other for other in range(len(parents)) if label in ancestors(parents, other)]


def roll_up(parents, values):
    rolled = [values[..., descendants(parents, j)].max(axis=-1) for j in range(len(parents))]
    return np.stack(rolled, axis=-1)


def roll_down(parents, values):
    rolled = [values[..., ancestors(parents, j)].min(axis=-1) for j in range(len(parents))]
    return np.stack(rolled, axis=-1)


def mean_of_children(parents, values):
    values = np.array(values, float)
    for label in sorted(range(len(parents)), key=lambda j: -len(ancestors(parents, j))):
        children = [other for other in range(len(parents)) if parents[other] == label]
        if children:
            values[..., label] = values[..., children].mean(axis=-1)
    return values


def mc_loss(parents, y_true, p):
    """One value a note."""
    losses = np.zeros(y_true.shape)
    for note, j in np.ndindex(y_true.shape):
        below = descendants(parents, j)
        if y_true[note, j]:
            losses[note, j] = -np.log(max(y_true[note, k] * p[note, k] for k in below))
        else:
            losses[note, j] = -np.log(1 - max(p[note, k] for k in below))
    return losses.mean(axis=1)


def tree_min(parents, y_true, p):
    """One value a note."""
    losses = np.zeros(y_true.shape)
    for note, j in np.ndindex(y_true.shape):
        if y_true[note, j]:
            losses[note, j] = -np.log(min(p[note, k] for k in ancestors(parents, j)))
        else:
            losses[note, j] = -np.log(1 - max(p[note, k] for k in descendants(parents, j)))
    return losses.mean(axis=1)


def hier_l2(parents, weights, strength):
    edges = [(child, parent) for child, parent in enumerate(parents) if parent >= 0]
    return strength * sum(((weights[..., c] - weights[..., p]) ** 2).sum() for c, p in edges)


def forest(labels, seed=0, roots=2):
    """Random parents whose labels stand in no order."""
    rng = np.random.default_rng(seed)
    parents = [-1] * roots + [int(rng.integers(0, label)) for label in range(roots, labels)]
    place = rng.permutation(labels)
    shuffled = np.full(labels, -1)
    for label, parent in enumerate(parents):
        shuffled[place[label]] = -1 if parent < 0 else place[parent]
    return shuffled.tolist()


FORESTS = {
    "random": forest(14),
    "another": forest(30, seed=3, roots=4),
    "chain from the end": [1, 2, 3, 4, -1],
    "star": [-1, 0, 0, 0, 0, 0],
    "roots alone": [-1, -1, -1],
    "one label": [-1],
    "uneven": [-1, 0, 1, 2, -1, 0],
}


def distinct(shape, seed=0, low=0.05, high=0.95):
    """Values without ties, so that maxima have a derivative."""
    values = np.linspace(low, high, int(np.prod(shape)))
    return np.random.default_rng(seed).permutation(values).reshape(shape)


def gradient(function, at):
    """The derivative of a scalar function, on either backend."""
    at = np.asarray(at, "float32")
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.jit(jax.grad(function))(at))
    import tensorflow as tf

    at = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        result = function(at)
    return tape.gradient(result, at).numpy()


def finite_differences(function, at, step=1e-6):
    """The derivative of a scalar NumPy function."""
    at = np.asarray(at, float)
    slopes = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        slopes[place] = (function(up) - function(down)) / (2 * step)
    return slopes
