"""The mean of a note's tokens, without its padding."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="icd_relevancy")
class TokenMean(keras.layers.Layer):
    """The mean of the token states under the mask, summed in float32.

    Relations: `TransformerEncoder` pools so by itself unless it returns the sequence; `LabelAttention` weighs
    the tokens.

    Args:
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        states: Token states, `(batch, length, d)`.
        attention_mask: `(batch, length)`, 1 for a token and 0 for padding.

    Returns:
        `(batch, d)`, zero for a note without tokens.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import TokenMean
    >>> np.asarray(TokenMean()(np.array([[[1.0], [3.0], [9.0]]]), np.array([[1, 1, 0]]))).tolist()
    [[2.0]]

    Reference: HMHAN §III.E.1.
    """

    def call(self, states, attention_mask):
        weights = ops.expand_dims(ops.cast(attention_mask, "float32"), -1)
        total = ops.sum(ops.cast(states, "float32") * weights, axis=1)
        return ops.cast(total / ops.maximum(ops.sum(weights, axis=1), 1.0), self.compute_dtype)

    def compute_output_shape(self, states_shape, attention_mask_shape=None):
        return (states_shape[0], states_shape[2])
