"""PLM-ICD: a pretrained transformer over chunks of a note, and attention for each code in a projection."""

import keras

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models.by_name import Given, note_body
from icd_relevancy.models.classifier import label_attention_classifier
from icd_relevancy.models.settings import PlmIcdSettings


def plm_icd_body(
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
):
    """The body of PLM-ICD: the states of a pretrained transformer, which reads a note chunk by chunk.

    To fine-tune, give the encoder. With a frozen one, keep the token states of every note and give
    `embedding_size`: the body then passes them on.

    Args:
        encoder: A `TransformerEncoder` with `return_sequence=True` and, for notes longer than its positions, a
            `chunk_length`, trainable or frozen, for the inputs `input_ids` and `attention_mask`, both int32
            `(batch, length)`. Defaults to None.
        embedding_size: d, for the inputs `states`, `(batch, length, d)`, and `attention_mask`. Defaults to
            None.

    Returns:
        A functional `keras.Model` from a dict of the inputs to token states `(batch, length, d)`.

    Raises:
        InputError: If not exactly one of `encoder` and `embedding_size` is given, the encoder pools, or a
            number is out of range.

    Example:

    >>> from icd_relevancy.models import plm_icd_body
    >>> plm_icd_body(embedding_size=384).output_shape
    (None, None, 384)

    Reference: PLM-ICD (Huang et al. 2022) §3.2.
    """
    if (encoder is None) == (embedding_size is None):
        raise InputError("give exactly one of encoder and embedding_size")
    check_counts(embedding_size=embedding_size)
    if encoder is not None and not encoder.return_sequence:
        raise InputError("the encoder pools its tokens; make it with return_sequence=True")
    inputs = {"attention_mask": keras.Input((None,), dtype="int32", name="attention_mask")}
    if encoder is None:
        inputs["states"] = keras.Input((None, embedding_size), name="states")
        states = keras.layers.Identity(name="token_states")(inputs["states"])
    else:
        inputs["input_ids"] = keras.Input((None,), dtype="int32", name="input_ids")
        states = encoder(inputs)
    return keras.Model(inputs, states, name="plm_icd_body")


def plm_icd(
    labels: int,
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    attention_dim: int = 768,
    dropout: float = 0.0,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
):
    """Automatic ICD coding with a pretrained language model (PLM-ICD).

    Args:
        labels: m, the number of codes.
        encoder, embedding_size: As in `plm_icd_body`.
        attention_dim: Size of the projection in which tokens are weighed. Defaults to 768.
        dropout: Share of the token states' numbers dropped before the attention while training, beside the
            encoder's own dropout. Defaults to 0.0, as published.
        initial_queries, bag_of_words_size, lexical_channels: As in `label_attention_classifier`.

    Returns:
        As `label_attention_classifier`.

    Raises:
        InputError: As `plm_icd_body` and `label_attention_classifier`.

    Example:

    >>> from icd_relevancy.models import plm_icd
    >>> plm_icd(labels=45, embedding_size=384).output_shape
    (None, 45)

    Reference: PLM-ICD (Huang et al. 2022) §3; sizes as JAMS and Edin et al. (2023) set them.
    """
    return label_attention_classifier(
        plm_icd_body(encoder, embedding_size),
        labels,
        attention_dim,
        initial_queries=initial_queries,
        bag_of_words_size=bag_of_words_size,
        lexical_channels=lexical_channels,
        dropout=dropout,
        name="plm_icd",
    )


@note_body(PlmIcdSettings)
def build_plm_icd(settings: PlmIcdSettings, given: Given) -> keras.Model:
    """The body of `plm-icd` by name."""
    return plm_icd_body(given.encoder, given.embedding_size)
