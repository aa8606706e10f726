"""The three classifiers of radiology reports that HMHAN compares, on one signature."""

from collections.abc import Sequence

import keras
import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.layers import HierarchicalAttention, LabelAttention, TokenMean, TransformerEncoder
from icd_relevancy.models.by_name import Given, note_model
from icd_relevancy.models.classifier import check_dropout, classifier, context_logits, head_inputs
from icd_relevancy.models.settings import HmhanSettings

_DENSE_FROM = ("mean", "flat", None)


def no_attention_classifier(
    labels: int,
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    units: Sequence[int] = (256, 128),
    dropout: float = 0.1,
):
    """A Keras model from the mean of a note's token states through dense layers: HMHAN's first control.

    Every dense layer is followed by layer normalisation, ReLU and dropout. With a frozen encoder, keep the
    token states of every note and give `embedding_size`; to fine-tune, give the encoder.

    Args:
        labels: m, the number of codes.
        encoder: A `TransformerEncoder` with `return_sequence=True`, trainable or frozen, for the inputs
            `input_ids` and `attention_mask`, both int32 `(batch, length)`. Defaults to None.
        embedding_size: d, for the inputs `states`, `(batch, length, d)`, and `attention_mask`. Defaults to
            None.
        structured_size: Number of z-scored and one-hot features of an input `structured`,
            `(batch, structured_size)`, joined before the dense layers; see `StructuredFeatures`. Defaults to
            None: no such input.
        bag_of_words_size: Number of features of an input `bag_of_words`, `(batch, bag_of_words_size)`, such as
            TF-IDF, whose linear map, which starts at zero, is added to the logits. Defaults to None: no such
            input.
        lexical_channels: Number of channels of an input `lexical`, `(batch, lexical_channels · m)`, which
            `LexicalLogits` adds to the logits; see `icd_relevancy.text.Lexicon`. Defaults to None: no such
            input.
        units: Widths of the dense layers, not increasing. Defaults to (256, 128).
        dropout: Share of each dense layer's outputs dropped while training. Defaults to 0.1.

    Returns:
        A functional `keras.Model` from a dict of the inputs to probabilities `(batch, m)`, float32 under mixed
        precision too, by its last layer `codes`. Behind an encoder the other layers are in a model of their
        own; see `head_of`.

    Raises:
        InputError: If not exactly one of `encoder` and `embedding_size` is given, the encoder pools, or a
            number is out of range.

    Example:

    >>> from icd_relevancy.models import no_attention_classifier
    >>> no_attention_classifier(labels=45, embedding_size=384, structured_size=12).output_shape
    (None, 45)

    Reference: HMHAN §III.E.1.
    """
    inputs = _head_inputs(
        encoder, embedding_size, structured_size, bag_of_words_size, labels * (lexical_channels or 0)
    )
    pooled = TokenMean(name="tokens")(inputs["states"], inputs["attention_mask"])
    logits = [_dense_logits(labels, pooled, inputs, units, dropout)]
    return classifier("no_attention_classifier", encoder, inputs, logits, lexical_channels)


def attention_classifier(
    labels: int,
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    units: Sequence[int] = (256, 128),
    dropout: float = 0.1,
    attention_dim: int = 128,
):
    """A Keras model that weighs a note's tokens once, by additive attention: HMHAN's second control.

    Args:
        labels, encoder, embedding_size, structured_size, bag_of_words_size, lexical_channels, units, dropout: As in
            `no_attention_classifier`.
        attention_dim: Size of the projection in which tokens are weighed. Defaults to 128.

    Returns:
        As `no_attention_classifier`; its layer `attention` is a `LabelAttention` with one query.

    Raises:
        InputError: As `no_attention_classifier`.

    Example:

    >>> from icd_relevancy.models import attention_classifier
    >>> attention_classifier(labels=45, embedding_size=384).output_shape
    (None, 45)

    Reference: HMHAN §III.E.2.
    """
    inputs = _head_inputs(
        encoder, embedding_size, structured_size, bag_of_words_size, labels * (lexical_channels or 0)
    )
    context = LabelAttention(1, attention_dim, name="attention")(inputs["states"], inputs["attention_mask"])
    pooled = keras.layers.Flatten(name="tokens")(context)
    logits = [_dense_logits(labels, pooled, inputs, units, dropout)]
    return classifier("attention_classifier", encoder, inputs, logits, lexical_channels)


def hmhan_classifier(
    labels: int,
    membership: Sequence[int],
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    units: Sequence[int] = (256, 128),
    dropout: float = 0.1,
    heads: int = 4,
    head_dim: int = 64,
    initial_queries=None,
    dense_from: str | None = "mean",
    own_logits: bool = True,
):
    """The Hierarchical Multi-Head Attention Network: attention over categories, then over their codes.

    The paper gives the attention's output to dense layers and is silent on how. Here a code has two logits,
    which are added: its own context times its own weight vector, and its output of the dense layers, which
    read all contexts together with the structured features. Either can be left out.

    Args:
        labels, encoder, embedding_size, structured_size, bag_of_words_size, lexical_channels, units, dropout: As in
            `no_attention_classifier`.
        membership: For each of the m codes its category, from 0; see `category_membership`.
        heads: Number of heads on each level. Defaults to 4.
        head_dim: Size of a head. Defaults to 64.
        initial_queries: `(m, d)`, such as embeddings of the codes' titles, for the queries to start from; see
            `HierarchicalAttention`. Defaults to None.
        dense_from: What the dense layers read: `"mean"`, the mean of the codes' contexts beside the mean of
            the categories'; `"flat"`, all of them side by side, for few codes; None, no dense layers (and no
            structured features). Defaults to `"mean"`.
        own_logits: Whether each code's context gives it a logit. Defaults to True.

    Returns:
        As `no_attention_classifier`; its layer `attention` is a `HierarchicalAttention`.

    Raises:
        InputError: As `no_attention_classifier` and `HierarchicalAttention`, or if neither the dense layers
            nor the codes' own logits are asked for.

    Example:

    >>> from icd_relevancy.models import hmhan_classifier
    >>> hmhan_classifier(labels=3, membership=[0, 0, 1], embedding_size=384).output_shape
    (None, 3)

    Reference: HMHAN §III.F.
    """
    if dense_from not in _DENSE_FROM:
        raise InputError(f"dense_from must be one of {_DENSE_FROM}. Received: dense_from={dense_from!r}")
    if dense_from is None and (not own_logits or structured_size):
        raise InputError("without dense layers give own_logits=True and no structured_size")
    attention = HierarchicalAttention(membership, heads, head_dim, initial_queries, name="attention")
    if len(attention.membership) != labels:
        raise InputError(f"the membership has {len(attention.membership)} codes. Received: labels={labels}")
    inputs = _head_inputs(
        encoder, embedding_size, structured_size, bag_of_words_size, labels * (lexical_channels or 0)
    )
    codes, categories = attention(inputs["states"], inputs["attention_mask"])
    logits = []
    if own_logits:
        logits.append(context_logits(labels)(codes))
    if dense_from is not None:
        pool = {"mean": keras.layers.GlobalAveragePooling1D, "flat": keras.layers.Flatten}[dense_from]
        pooled = [pool(name="codes_pooled")(codes), pool(name="categories_pooled")(categories)]
        pooled = keras.layers.Concatenate(name="contexts")(pooled)
        logits.append(_dense_logits(labels, pooled, inputs, units, dropout))
    return classifier("hmhan_classifier", encoder, inputs, logits, lexical_channels)


def _head_inputs(encoder, embedding_size, structured_size, bag_of_words_size, lexical_size):
    if (encoder is None) == (embedding_size is None):
        raise InputError("give exactly one of encoder and embedding_size")
    if encoder is not None and not encoder.return_sequence:
        raise InputError("the encoder pools its tokens; make it with return_sequence=True")
    size = embedding_size if encoder is None else encoder.dimension
    return head_inputs(size, structured=structured_size, bag_of_words=bag_of_words_size, lexical=lexical_size)


def _dense_logits(labels, features, inputs, units, dropout):
    """Dense layers of decreasing width, joined by the structured features, and a linear one of m outputs."""
    if list(units) != sorted(units, reverse=True) or min(units, default=0) < 1:
        raise InputError(f"units must be widths from 1 that do not increase. Received: units={tuple(units)}")
    check_dropout(dropout)
    if "structured" in inputs:
        features = keras.layers.Concatenate(name="joined")([features, inputs["structured"]])
    for number, width in enumerate(units, start=1):
        features = keras.layers.Dense(width, name=f"dense_{number}")(features)
        features = keras.layers.LayerNormalization(name=f"normalization_{number}")(features)
        features = keras.layers.ReLU(name=f"relu_{number}")(features)
        features = keras.layers.Dropout(dropout, name=f"dropout_{number}")(features)
    return keras.layers.Dense(labels, dtype="float32", name="dense_logits")(features)


@note_model(HmhanSettings)
def build_hmhan(settings: HmhanSettings, given: Given) -> keras.Model:
    """`hmhan` by name, or one of its controls."""
    inputs = {"encoder": given.encoder, "embedding_size": given.embedding_size, **given.beside}
    if settings.attention == "none":
        return no_attention_classifier(given.labels, **inputs)
    if settings.attention == "single":
        return attention_classifier(given.labels, **inputs)
    membership = given.membership if settings.attention == "hierarchical" else np.zeros_like(given.membership)
    titles = given.titles()
    queries = None if titles is None else titles[0]
    return hmhan_classifier(given.labels, membership, initial_queries=queries, **inputs)
