"""CAML: one convolution over the words, and attention for each code."""

import keras

from icd_relevancy._arguments import check_counts
from icd_relevancy.layers import MaskedConv1D
from icd_relevancy.models.by_name import Given, note_body
from icd_relevancy.models.classifier import label_attention_classifier
from icd_relevancy.models.settings import CamlSettings
from icd_relevancy.models.word_inputs import embedded_words


def caml_body(
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    filters: int = 50,
    width: int = 10,
    dropout: float = 0.2,
):
    """The body of CAML: embedded words, dropout, one convolution of the same length, tanh.

    The convolution sees zeros wherever the mask is, so a note's states are those it has without padding.

    Args:
        embeddings: Array `(v, d)` of word vectors to start from, such as Word2Vec's: row 0 is padding, row 1
            stands for a word not in the vocabulary. They are trained. Defaults to None.
        vocabulary_size: v, where there are no embeddings to start from. Defaults to None.
        embedding_size: d, likewise. Defaults to None.
        filters: Number of filters, the size of a token's state. Defaults to 50.
        width: Words that a filter sees. Defaults to 10.
        dropout: Share of the embeddings' numbers dropped while training. Defaults to 0.2.

    Returns:
        A functional `keras.Model` from a dict of `input_ids`, 0 for padding, and `attention_mask`, both int32
        `(batch, length)`, to token states `(batch, length, filters)`. States of padding mean nothing.

    Raises:
        InputError: If not either `embeddings` or both sizes are given, or a number is out of range.

    Example:

    >>> from icd_relevancy.models import caml_body
    >>> caml_body(vocabulary_size=30_000, embedding_size=100).output_shape
    (None, None, 50)

    Reference: CAML (Mullenbach et al. 2018) §2.1.
    """
    check_counts(filters=filters, width=width)
    inputs, words = embedded_words(embeddings, vocabulary_size, embedding_size, dropout)
    convolution = MaskedConv1D(filters, width, activation="tanh", name="convolution")
    return keras.Model(inputs, convolution(words, inputs["attention_mask"]), name="caml_body")


def caml(
    labels: int,
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    filters: int = 50,
    width: int = 10,
    dropout: float = 0.2,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
):
    """Convolutional Attention for Multi-Label classification (CAML).

    Args:
        labels: m, the number of codes.
        embeddings, vocabulary_size, embedding_size, filters, width, dropout: As in `caml_body`.
        initial_queries, bag_of_words_size, lexical_channels: As in `label_attention_classifier`.

    Returns:
        As `label_attention_classifier`.

    Raises:
        InputError: As `caml_body` and `label_attention_classifier`.

    Example:

    >>> from icd_relevancy.models import caml
    >>> caml(labels=45, vocabulary_size=30_000, embedding_size=100).output_shape
    (None, 45)

    Reference: CAML (Mullenbach et al. 2018) §2; sizes as JAMS and Edin et al. (2023) set them.
    """
    body = caml_body(embeddings, vocabulary_size, embedding_size, filters, width, dropout)
    return label_attention_classifier(
        body,
        labels,
        initial_queries=initial_queries,
        bag_of_words_size=bag_of_words_size,
        lexical_channels=lexical_channels,
        name="caml",
    )


@note_body(CamlSettings)
def build_caml(settings: CamlSettings, given: Given) -> keras.Model:
    """The body of `caml` by name."""
    return caml_body(given.word_vectors, filters=settings.units, dropout=settings.dropout)
