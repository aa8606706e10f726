"""LAAT: a bidirectional LSTM over the words, and attention for each code in a projection."""

import keras

from icd_relevancy._arguments import check_counts
from icd_relevancy.models.by_name import Given, note_body
from icd_relevancy.models.classifier import label_attention_classifier
from icd_relevancy.models.settings import LaatSettings
from icd_relevancy.models.word_inputs import embedded_words


def laat_body(
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    units: int = 512,
    dropout: float = 0.3,
):
    """The body of LAAT: embedded words, dropout, one LSTM in each direction.

    Padding leaves the state of either LSTM as it is, so the backward one starts at a note's last word.

    Args:
        embeddings, vocabulary_size, embedding_size: As in `caml_body`.
        units: Size of the state of each LSTM. Defaults to 512.
        dropout: Share of the embeddings' numbers dropped while training. Defaults to 0.3.

    Returns:
        As `caml_body`, with token states `(batch, length, 2 · units)`, the forward ones first, zero for
        padding.

    Raises:
        InputError: As `caml_body`.

    Example:

    >>> from icd_relevancy.models import laat_body
    >>> laat_body(vocabulary_size=30_000, embedding_size=100).output_shape
    (None, None, 1024)

    Reference: LAAT (Vu et al. 2020) §3.1-3.2.
    """
    check_counts(units=units)
    inputs, words = embedded_words(embeddings, vocabulary_size, embedding_size, dropout)
    both = keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=True), name="lstm")
    return keras.Model(inputs, both(words, mask=inputs["attention_mask"]), name="laat_body")


def laat(
    labels: int,
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    units: int = 512,
    attention_dim: int = 512,
    dropout: float = 0.3,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
):
    """The Label Attention model (LAAT).

    Args:
        labels: m, the number of codes.
        embeddings, vocabulary_size, embedding_size, units, dropout: As in `laat_body`.
        attention_dim: d_a, the size of the projection in which tokens are weighed. Defaults to 512.
        initial_queries, bag_of_words_size, lexical_channels: As in `label_attention_classifier`.

    Returns:
        As `label_attention_classifier`.

    Raises:
        InputError: As `laat_body` and `label_attention_classifier`.

    Example:

    >>> from icd_relevancy.models import laat
    >>> laat(labels=45, vocabulary_size=30_000, embedding_size=100).output_shape
    (None, 45)

    Reference: LAAT (Vu et al. 2020) §3; sizes as JAMS and Edin et al. (2023) set them.
    """
    body = laat_body(embeddings, vocabulary_size, embedding_size, units, dropout)
    return label_attention_classifier(
        body,
        labels,
        attention_dim,
        initial_queries=initial_queries,
        bag_of_words_size=bag_of_words_size,
        lexical_channels=lexical_channels,
        name="laat",
    )


@note_body(LaatSettings)
def build_laat(settings: LaatSettings, given: Given) -> keras.Model:
    """The body of `laat` by name."""
    return laat_body(given.word_vectors, units=settings.units, dropout=settings.dropout)
