"""The control that reads a note through the lexicon alone, for one code system or two."""

from collections.abc import Sequence

import keras

from icd_relevancy.layers import LabelOdds, LexicalLogits
from icd_relevancy.layers.code_graph_attention import checked_sizes
from icd_relevancy.models.by_name import Given, note_model
from icd_relevancy.models.classifier import check_system_names
from icd_relevancy.models.settings import LexiconSettings


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
    return keras.Model(
        {"lexical": scores}, _codes(scores, channels, initial_weight), name="lexicon_classifier"
    )


def joint_lexicon_classifier(
    sizes: Sequence[int],
    channels: int,
    names: Sequence[str] = ("icd9cm", "icd10cm"),
    initial_weight: float = 5.0,
):
    """A `lexicon_classifier` for each of two code systems in one model, to be trained and kept as one of `jams`.

    The systems have no weight in common; what they can learn from each other is in their scores, where each
    lexicon has also read the notes of the other system, with the codes that are linked to theirs.

    Args:
        sizes: `(n, m)`, the numbers of codes of the two systems.
        channels: As in `lexicon_classifier`.
        names: Names of the systems, and of the outputs. Defaults to ("icd9cm", "icd10cm").
        initial_weight: As in `lexicon_classifier`. Defaults to 5.0.

    Returns:
        A functional `keras.Model` from a dict of `lexical_NAME`, `(batch, channels · n or m)`, to a dict of
        probabilities, `(batch, n)` and `(batch, m)` by the systems' names, float32 under mixed precision too;
        `system_model` gives the part of one system. The layer `NAME_label_odds` takes the frequencies of its
        labels by `start_from_frequencies`.

    Raises:
        InputError: If a number is out of range, or the names are not two different ones.

    Example:

    >>> from icd_relevancy.models import joint_lexicon_classifier, system_model
    >>> model = joint_lexicon_classifier(sizes=(50, 60), channels=3)
    >>> system_model(model, "icd10cm").output_shape
    (None, 60)
    """
    check_system_names(names)
    inputs, outputs = {}, {}
    for name, size in zip(names, checked_sizes(sizes), strict=True):
        scores = inputs[f"lexical_{name}"] = keras.Input((channels * size,), name=f"lexical_{name}")
        outputs[name] = _codes(scores, channels, initial_weight, f"{name}_", name)
    return keras.Model(inputs, outputs, name="joint_lexicon_classifier")


def _codes(scores, channels: int, initial_weight: float, prefix: str = "", name: str = "codes"):
    """The probabilities of the codes of one system; `prefix` begins the names of the layers before the last."""
    lexical = LexicalLogits(channels, initial_weight, dtype="float32", name=f"{prefix}lexical_logits")
    odds = LabelOdds(dtype="float32", name=f"{prefix}label_odds")
    return keras.layers.Activation("sigmoid", dtype="float32", name=name)(odds(lexical(scores)))


@note_model(LexiconSettings)
def build_lexicon(settings: LexiconSettings, given: Given) -> keras.Model:
    """`lexicon` by name."""
    channels = given.beside["lexical_channels"]
    if settings.joint:
        return joint_lexicon_classifier(given.sizes, channels, given.names)
    return lexicon_classifier(given.labels, channels)
