"""The control that reads a note through the lexicon alone."""

import keras

from icd_relevancy.layers.lexical_logits import LexicalLogits

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
    >>> from icd_relevancy.models.lexicon import LabelOdds
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


def lexicon_classifier(labels: int, channels: int, initial_weight: float = 5.0):
    """A Keras model from the lexical scores of a note to the probability of each code.

    It learns one weight a channel and two numbers more, all shared by all labels: the control that every network
    which reads the text must beat, and of which every code can be explained by the words that stand in the note.

    Args:
        labels: m, the number of codes.
        channels: Number of channels of the scores; see `icd_relevancy.text.Lexicon`.
        initial_weight: The weight from which each channel starts. Defaults to 5.0.

    Returns:
        A functional `keras.Model` from `{"lexical": (batch, channels · m)}` to probabilities `(batch, m)`, float32
        under mixed precision too, by its last layer `codes`. Its layer `label_odds` takes the frequencies of the
        labels by `start_from_frequencies`.

    Raises:
        InputError: If a number is out of range.

    Example:

    >>> from icd_relevancy.models.lexicon import lexicon_classifier
    >>> lexicon_classifier(labels=50, channels=3).output_shape
    (None, 50)
    """
    scores = keras.Input((channels * labels,), name="lexical")
    logits = LexicalLogits(channels, initial_weight, dtype="float32", name="lexical_logits")(scores)
    logits = LabelOdds(dtype="float32", name="label_odds")(logits)
    outputs = keras.layers.Activation("sigmoid", dtype="float32", name="codes")(logits)
    return keras.Model({"lexical": scores}, outputs, name="lexicon_classifier")
