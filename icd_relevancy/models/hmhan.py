"""The three classifiers of radiology reports that HMHAN compares, on one signature."""

from collections.abc import Sequence

import keras

from icd_relevancy.errors import InputError
from icd_relevancy.layers import HierarchicalAttention, LabelAttention, TokenMean, TransformerEncoder

_DENSE_FROM = ("mean", "flat", None)


def no_attention_classifier(
    labels: int,
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
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
    inputs = _head_inputs(encoder, embedding_size, structured_size, bag_of_words_size)
    pooled = TokenMean(name="tokens")(inputs["states"], inputs["attention_mask"])
    logits = [_dense_logits(labels, pooled, inputs, units, dropout)]
    return _classifier("no_attention_classifier", encoder, inputs, logits)


def attention_classifier(
    labels: int,
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
    units: Sequence[int] = (256, 128),
    dropout: float = 0.1,
    attention_dim: int = 128,
):
    """A Keras model that weighs a note's tokens once, by additive attention: HMHAN's second control.

    Args:
        labels, encoder, embedding_size, structured_size, bag_of_words_size, units, dropout: As in
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
    inputs = _head_inputs(encoder, embedding_size, structured_size, bag_of_words_size)
    context = LabelAttention(1, attention_dim, name="attention")(inputs["states"], inputs["attention_mask"])
    pooled = keras.layers.Flatten(name="tokens")(context)
    logits = [_dense_logits(labels, pooled, inputs, units, dropout)]
    return _classifier("attention_classifier", encoder, inputs, logits)


def hmhan_classifier(
    labels: int,
    membership: Sequence[int],
    encoder: TransformerEncoder | None = None,
    embedding_size: int | None = None,
    structured_size: int | None = None,
    bag_of_words_size: int | None = None,
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
        labels, encoder, embedding_size, structured_size, bag_of_words_size, units, dropout: As in
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
    inputs = _head_inputs(encoder, embedding_size, structured_size, bag_of_words_size)
    codes, categories = attention(inputs["states"], inputs["attention_mask"])
    logits = []
    if own_logits:
        own = keras.layers.EinsumDense(
            "bmd,md->bm", (labels,), bias_axes="m", dtype="float32", name="own_logits"
        )
        logits.append(own(codes))
    if dense_from is not None:
        pool = {"mean": keras.layers.GlobalAveragePooling1D, "flat": keras.layers.Flatten}[dense_from]
        pooled = [pool(name="codes_pooled")(codes), pool(name="categories_pooled")(categories)]
        pooled = keras.layers.Concatenate(name="contexts")(pooled)
        logits.append(_dense_logits(labels, pooled, inputs, units, dropout))
    return _classifier("hmhan_classifier", encoder, inputs, logits)


def head_of(model: keras.Model) -> keras.Model:
    """The part of a classifier behind its encoder: what is trained on resampled token states.

    Args:
        model: A classifier of this module, as it was made or loaded.

    Returns:
        A `keras.Model` from `states`, `attention_mask` and the model's other inputs to the same probabilities.
        It is part of the model, so training it trains the model; it is the model where there is no encoder.

    Raises:
        InputError: If the model is no classifier of this module.

    Example:

    >>> from icd_relevancy.models import head_of, hmhan_classifier
    >>> head = head_of(hmhan_classifier(labels=3, membership=[0, 0, 1], embedding_size=384))
    >>> sorted(head.input)
    ['attention_mask', 'states']

    Reference: HMHAN §III.D, which resamples the embeddings.
    """
    names = [layer.name for layer in model.layers]
    if "states" in names:
        return model
    if "head" not in names:
        raise InputError(f"{model.name} has no head; give a classifier of icd_relevancy.models.hmhan")
    return model.get_layer("head")


def attention_model(model: keras.Model) -> keras.Model:
    """A classifier that also says where it looked, for explanations.

    Args:
        model: An `attention_classifier` or `hmhan_classifier`, or the head of one.

    Returns:
        A `keras.Model` of the same inputs and layers with a dict of outputs: `probabilities`, `(batch, m)`,
        and the attention weights of the tokens: `code_attention`, `(batch, m, length)`, and
        `category_attention`, `(batch, categories, length)`, of `hmhan_classifier`; `token_attention`,
        `(batch, 1, length)`, of `attention_classifier`. Save the classifier rather than this.

    Raises:
        InputError: If the model is no classifier of this module, or has no attention layer.

    Example:

    >>> from icd_relevancy.models import attention_model, hmhan_classifier
    >>> model = hmhan_classifier(labels=3, membership=[0, 0, 1], embedding_size=384)
    >>> attention_model(model).output["category_attention"].shape
    (None, 2, None)

    Reference: HMHAN §IV.A.
    """
    head = head_of(model)
    if "attention" not in [layer.name for layer in head.layers]:
        raise InputError(f"{model.name} has no attention layer; give an attention_ or hmhan_classifier")
    layer = head.get_layer("attention")
    kept = ("code_attention", "category_attention")
    kept = kept if isinstance(layer, HierarchicalAttention) else ("token_attention",)
    weights = _Weights(layer, len(kept), name="attention_weights")(*layer.input)
    outputs = {"probabilities": head.output, **dict(zip(kept, weights, strict=True))}
    explained = keras.Model(head.input, outputs, name=f"{model.name}_attention")
    if head is model:
        return explained
    encoder = next(layer for layer in model.layers if isinstance(layer, TransformerEncoder))
    inputs = model.input
    return keras.Model(inputs, explained(_states(encoder, inputs)), name=explained.name)


class _Weights(keras.layers.Layer):
    """The weights alone: Keras takes every call of one layer to return what its first one did."""

    def __init__(self, attention, count, **kwargs):
        super().__init__(**kwargs)
        self.attention, self.count = attention, count

    def call(self, states, attention_mask):
        return self.attention(states, attention_mask, return_attention_scores=True)[-self.count :]


def _head_inputs(encoder, embedding_size, structured_size, bag_of_words_size):
    if (encoder is None) == (embedding_size is None):
        raise InputError("give exactly one of encoder and embedding_size")
    if encoder is not None and not encoder.return_sequence:
        raise InputError("the encoder pools its tokens; make it with return_sequence=True")
    size = embedding_size if encoder is None else encoder.dimension
    inputs = {
        "states": keras.Input((None, size), name="states"),
        "attention_mask": keras.Input((None,), dtype="int32", name="attention_mask"),
    }
    for name, width in (("structured", structured_size), ("bag_of_words", bag_of_words_size)):
        if width:
            inputs[name] = keras.Input((width,), name=name)
    return inputs


def _dense_logits(labels, features, inputs, units, dropout):
    """Dense layers of decreasing width, joined by the structured features, and a linear one of m outputs."""
    if list(units) != sorted(units, reverse=True) or min(units, default=0) < 1:
        raise InputError(f"units must be widths from 1 that do not increase. Received: units={tuple(units)}")
    if not 0 <= dropout < 1:
        raise InputError(f"dropout must be in [0, 1). Received: dropout={dropout}")
    if "structured" in inputs:
        features = keras.layers.Concatenate(name="joined")([features, inputs["structured"]])
    for number, width in enumerate(units, start=1):
        features = keras.layers.Dense(width, name=f"dense_{number}")(features)
        features = keras.layers.LayerNormalization(name=f"normalization_{number}")(features)
        features = keras.layers.ReLU(name=f"relu_{number}")(features)
        features = keras.layers.Dropout(dropout, name=f"dropout_{number}")(features)
    return keras.layers.Dense(labels, dtype="float32", name="dense_logits")(features)


def _classifier(name, encoder, inputs, logits):
    if "bag_of_words" in inputs:
        # From zero, so that it learns what the words add to what the dense layers have.
        words = keras.layers.Dense(
            logits[0].shape[-1],
            use_bias=False,
            kernel_initializer="zeros",
            dtype="float32",
            name="bag_of_words_logits",
        )
        logits = [*logits, words(inputs["bag_of_words"])]
    total = keras.layers.Add(dtype="float32", name="logits")(logits) if len(logits) > 1 else logits[0]
    outputs = keras.layers.Activation("sigmoid", dtype="float32", name="codes")(total)
    if encoder is None:
        return keras.Model(inputs, outputs, name=name)
    head = keras.Model(inputs, outputs, name="head")
    whole = {"input_ids": keras.Input((None,), dtype="int32", name="input_ids")}
    for input_name, tensor in inputs.items():
        if input_name != "states":
            whole[input_name] = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=input_name)
    outputs = keras.layers.Identity(dtype="float32", name="codes")(head(_states(encoder, whole)))
    return keras.Model(whole, outputs, name=name)


def _states(encoder, inputs):
    """The inputs of the head, from those of the whole model."""
    others = {name: tensor for name, tensor in inputs.items() if name != "input_ids"}
    tokens = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    return {"states": encoder(tokens), **others}
