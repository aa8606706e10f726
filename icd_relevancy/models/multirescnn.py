"""MultiResCNN: residual convolutions of several widths side by side, and attention for each code."""

from collections.abc import Sequence

import keras

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.layers import MaskedConv1D
from icd_relevancy.models.by_name import Given, note_body
from icd_relevancy.models.classifier import label_attention_classifier
from icd_relevancy.models.settings import MultiResCnnSettings
from icd_relevancy.models.word_inputs import embedded_words

# As published; Keras's own 0.99 is still half at its start after 69 steps, when a small data set may be learned.
_MOMENTUM = 0.9


def multirescnn_body(
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    filters: int = 50,
    widths: Sequence[int] = (3, 5, 9, 15, 19, 25),
    inner_filters: int | None = None,
    dropout: float = 0.2,
    batch_normalization: bool = True,
):
    """The body of MultiResCNN: for each width a convolution with tanh and a residual block, side by side.

    Formula, for each width, with the embedded words X: `H = tanh(conv(X))`, then
    `tanh(BN(conv(tanh(BN(conv(H))))) + BN(conv_1(H)))`, whose `conv_1` sees one word, with no bias before the
    batch normalisation (BN). Every convolution sees zeros wherever the mask is, and BN takes its mean and
    variance from words alone, so that padding changes neither a note's states nor what is learned.

    Args:
        embeddings, vocabulary_size, embedding_size: As in `caml_body`.
        filters: Filters of a residual block. Defaults to 50.
        widths: Words that the filters see, one block for each. Defaults to (3, 5, 9, 15, 19, 25).
        inner_filters: Filters of each first convolution. Defaults to None: the size of the embeddings.
        dropout: Share of the embeddings' numbers, and of each block's, dropped while training. Defaults to
            0.2.
        batch_normalization: Whether the blocks normalise; the statistics of the words of a batch need some
            notes in it. Defaults to True, as published.

    Returns:
        As `caml_body`, with token states `(batch, length, filters · widths)`.

    Raises:
        InputError: As `caml_body`, or if there is no width.

    Example:

    >>> from icd_relevancy.models import multirescnn_body
    >>> multirescnn_body(vocabulary_size=30_000, embedding_size=100).output_shape
    (None, None, 300)

    Reference: MultiResCNN (Li and Yu 2020) §3.2-3.3.
    """
    if not len(widths) or min(widths) < 1:
        raise InputError(f"widths must be one or more numbers from 1. Received: widths={tuple(widths)}")
    check_counts(filters=filters, inner_filters=inner_filters)
    inputs, words = embedded_words(embeddings, vocabulary_size, embedding_size, dropout)
    mask = inputs["attention_mask"]
    channels = []
    for number, width in enumerate(widths, start=1):
        first = MaskedConv1D(
            inner_filters or words.shape[-1], width, activation="tanh", name=f"convolution_{number}"
        )
        block = _residual_block(first(words, mask), mask, filters, width, batch_normalization, number)
        channels.append(keras.layers.Dropout(dropout, name=f"dropout_{number}")(block))
    states = keras.layers.Concatenate(name="channels")(channels) if len(channels) > 1 else channels[0]
    return keras.Model(inputs, states, name="multirescnn_body")


def multirescnn(
    labels: int,
    embeddings=None,
    vocabulary_size: int | None = None,
    embedding_size: int | None = None,
    filters: int = 50,
    widths: Sequence[int] = (3, 5, 9, 15, 19, 25),
    inner_filters: int | None = None,
    dropout: float = 0.2,
    batch_normalization: bool = True,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
):
    """The multi-filter residual convolutional network (MultiResCNN).

    Args:
        labels: m, the number of codes.
        embeddings, vocabulary_size, embedding_size, filters, widths, inner_filters, dropout,
            batch_normalization: As in `multirescnn_body`.
        initial_queries, bag_of_words_size, lexical_channels: As in `label_attention_classifier`.

    Returns:
        As `label_attention_classifier`.

    Raises:
        InputError: As `multirescnn_body` and `label_attention_classifier`.

    Example:

    >>> from icd_relevancy.models import multirescnn
    >>> multirescnn(labels=45, vocabulary_size=30_000, embedding_size=100).output_shape
    (None, 45)

    Reference: MultiResCNN (Li and Yu 2020) §3; sizes as JAMS and Edin et al. (2023) set them.
    """
    body = multirescnn_body(
        embeddings,
        vocabulary_size,
        embedding_size,
        filters,
        widths,
        inner_filters,
        dropout,
        batch_normalization,
    )
    return label_attention_classifier(
        body,
        labels,
        initial_queries=initial_queries,
        bag_of_words_size=bag_of_words_size,
        lexical_channels=lexical_channels,
        name="multirescnn",
    )


def _residual_block(states, mask, filters, width, batch_normalization, number):
    def convolved(inputs, kernel_size, name):
        layer = MaskedConv1D(filters, kernel_size, use_bias=not batch_normalization, name=f"{name}_{number}")
        outputs = layer(inputs, mask)
        if not batch_normalization:
            return outputs
        normalization = keras.layers.BatchNormalization(
            momentum=_MOMENTUM, epsilon=1e-5, name=f"{name}_normalization_{number}"
        )
        return normalization(outputs, mask=mask)

    inner = keras.layers.Activation("tanh", name=f"inner_tanh_{number}")(convolved(states, width, "inner"))
    outer = [convolved(inner, width, "outer"), convolved(states, 1, "shortcut")]
    total = keras.layers.Add(name=f"residual_{number}")(outer)
    return keras.layers.Activation("tanh", name=f"residual_tanh_{number}")(total)


@note_body(MultiResCnnSettings)
def build_multirescnn(settings: MultiResCnnSettings, given: Given) -> keras.Model:
    """The body of `multirescnn` by name."""
    return multirescnn_body(given.word_vectors, filters=settings.units, dropout=settings.dropout)
