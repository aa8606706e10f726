"""What reads a note's words without its padding: their convolution, and their mean."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="icd_relevancy")
class MaskedConv1D(keras.layers.Conv1D):
    """A convolution of the same length whose input is zero wherever the mask is.

    A note's end then looks alike in every batch: zeros, as `padding="same"` puts them there, however much
    padding stands behind it and whatever the layers below made of that.

    Args:
        filters: Number of filters.
        kernel_size: Width, in words.
        **kwargs: Other arguments of `keras.layers.Conv1D`, but for `padding`, which is `"same"`.

    Call arguments:
        inputs: `(batch, length, d)`.
        attention_mask: `(batch, length)`, 1 for a word and 0 for padding.

    Returns:
        `(batch, length, filters)`; the states of padding are not zero again.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import MaskedConv1D
    >>> layer = MaskedConv1D(1, 3, kernel_initializer="ones")
    >>> np.asarray(layer(np.array([[[1.0], [2.0], [9.0]]]), np.array([[1, 1, 0]])))[0, :2, 0].tolist()
    [3.0, 3.0]

    Reference: CAML (Mullenbach et al. 2018) Eq. 1.
    """

    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, **{**kwargs, "padding": "same"})
        self.supports_masking = True

    def call(self, inputs, attention_mask):
        return super().call(inputs * ops.expand_dims(ops.cast(attention_mask, inputs.dtype), -1))

    def compute_mask(self, inputs, previous_mask=None):
        # The states of padding are no longer padding; who reads them is given the mask.
        return None


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
