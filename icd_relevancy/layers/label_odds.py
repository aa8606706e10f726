"""What is known of labels before a note is read, in two numbers."""

import keras

# The log-odds of a label of which the note has no word, about those of the mean label of a long tail.
_INITIAL_OFFSET = -7.0


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LabelOdds(keras.layers.Layer):
    """Adds to the logits of labels what is known of them before a note is read.

    Formula: `z_j + scale · b_j + offset`, with fixed `b_j`, the label's log-odds in the training notes, and two
    learned numbers that all labels share. So a label of one note is not learned by heart, as a bias of its own
    would do.

    Args:
        initial_offset: Where the offset starts. Defaults to -7.0. The scale starts at 0.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        logits: `(batch, m)`.

    Returns:
        Logits `(batch, m)`.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.layers import LabelOdds
    >>> np.asarray(LabelOdds(initial_offset=-1.0)(np.array([[0.0, 3.0]]))).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(self, initial_offset=_INITIAL_OFFSET, **kwargs):
        super().__init__(**kwargs)
        self.initial_offset = initial_offset

    def build(self, logits_shape):
        # Named as in a dense layer, for `start_from_frequencies`.
        self.bias = self.add_weight((logits_shape[-1],), "zeros", trainable=False, name="bias")
        self.scale = self.add_weight((), "zeros", name="scale")
        offset = keras.initializers.Constant(self.initial_offset)
        self.offset = self.add_weight((), offset, name="offset")
        self.built = True

    def call(self, logits):
        return logits + self.scale * self.bias + self.offset

    def get_config(self):
        return {**super().get_config(), "initial_offset": self.initial_offset}
