"""The control that reads a note through the lexicon alone."""

import keras

from icd_relevancy.layers import LabelOdds, LexicalLogits


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
