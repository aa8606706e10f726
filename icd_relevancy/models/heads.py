"""What the classifiers over token states share: inputs, what adds to the logits, and the way to their parts."""

import keras

from icd_relevancy.errors import InputError
from icd_relevancy.layers import HierarchicalAttention, LexicalLogits, TransformerEncoder

_TOKENS = ("input_ids", "attention_mask")


def head_of(model: keras.Model) -> keras.Model:
    """The part of a classifier behind its encoder or body: what reads token states.

    Args:
        model: A classifier over token states, as it was made or loaded.

    Returns:
        A `keras.Model` from `states`, `attention_mask` and the model's other inputs to the same probabilities.
        It is part of the model, so training it trains the model; it is the model where there is no encoder.

    Raises:
        InputError: If the model does not read token states.

    Example:

    >>> from icd_relevancy.models import head_of, hmhan_classifier
    >>> head = head_of(hmhan_classifier(labels=3, membership=[0, 0, 1], embedding_size=384))
    >>> sorted(head.input)
    ['attention_mask', 'states']

    Reference: HMHAN §III.D, which resamples the embeddings.
    """
    names = [layer.name for layer in model.layers]
    if "head" in names:
        return model.get_layer("head")
    if "states" not in names:
        raise InputError(f"{model.name} has no head; give a classifier over token states")
    return model


def encoder_of(model: keras.Model) -> TransformerEncoder | None:
    """The transformer in a model, in its body too; None where it has none.

    Args:
        model: A model.

    Example:

    >>> from icd_relevancy.models import encoder_of, note_classifier
    >>> encoder_of(note_classifier(labels=3, embedding_size=384)) is None
    True
    """
    for layer in model.layers:
        if isinstance(layer, TransformerEncoder):
            return layer
        if isinstance(layer, keras.Model) and (found := encoder_of(layer)) is not None:
            return found
    return None


def attention_model(model: keras.Model) -> keras.Model:
    """A classifier that also says where it looked, for explanations.

    Args:
        model: A classifier with attention, or the head of one.

    Returns:
        A `keras.Model` of the same inputs and layers with a dict of outputs: `probabilities`, `(batch, m)`,
        and the attention weights of the tokens: `code_attention`, `(batch, m, length)`, of label attention
        and of `hmhan_classifier`, whose `category_attention` is `(batch, categories, length)`; or
        `token_attention`, `(batch, 1, length)`, of `attention_classifier`. Save the classifier rather than
        this.

    Raises:
        InputError: If the model does not read token states, or has no attention layer.

    Example:

    >>> from icd_relevancy.models import attention_model, hmhan_classifier
    >>> model = hmhan_classifier(labels=3, membership=[0, 0, 1], embedding_size=384)
    >>> attention_model(model).output["category_attention"].shape
    (None, 2, None)

    Reference: HMHAN §IV.A; CAML (Mullenbach et al. 2018) §2.5.
    """
    head = head_of(model)
    names = [layer.name for layer in head.layers]
    if "attention" not in names:
        raise InputError(f"{model.name} has no attention layer; give a classifier with attention")
    layer = head.get_layer("attention")
    if isinstance(layer, HierarchicalAttention):
        kept = ("code_attention", "category_attention")
    else:
        # Without logits of its own a context is the note's, not a code's.
        kept = ("code_attention",) if "own_logits" in names else ("token_attention",)
    weights = _Weights(layer, len(kept), name="attention_weights")(*layer.input)
    outputs = {"probabilities": head.output, **dict(zip(kept, weights, strict=True))}
    explained = keras.Model(head.input, outputs, name=f"{model.name}_attention")
    if head is model:
        return explained
    front = next(
        layer
        for layer in model.layers
        if isinstance(layer, (TransformerEncoder, keras.Model)) and layer is not head
    )
    inputs = model.input
    return keras.Model(inputs, explained(_states(front, inputs)), name=explained.name)


class _Weights(keras.layers.Layer):
    """The weights alone: Keras takes every call of one layer to return what its first one did."""

    def __init__(self, attention, count, **kwargs):
        super().__init__(**kwargs)
        self.attention, self.count = attention, count
        self.supports_masking = True

    def call(self, states, attention_mask):
        return self.attention(states, attention_mask, return_attention_scores=True)[-self.count :]

    def compute_mask(self, inputs, previous_mask=None):
        return None


def head_inputs(size: int, **widths: int | None) -> dict:
    """Inputs of a head: `states` of a size, `attention_mask`, and features of these widths, unless 0 or None."""
    inputs = {
        "states": keras.Input((None, size), name="states"),
        "attention_mask": keras.Input((None,), dtype="int32", name="attention_mask"),
    }
    return inputs | {name: keras.Input((width,), name=name) for name, width in widths.items() if width}


def context_logits(labels: int, name: str = "own_logits"):
    """A layer of logits `(batch, m)` from contexts `(batch, m, d)`: a weight vector and a bias for each code."""
    return keras.layers.EinsumDense("bmd,md->bm", (labels,), bias_axes="m", dtype="float32", name=name)


def word_logits(labels: int, name: str = "bag_of_words_logits"):
    """A layer of logits from words: from zero, so that it learns what they add to what the other layers have."""
    return keras.layers.Dense(labels, use_bias=False, kernel_initializer="zeros", dtype="float32", name=name)


def classifier(name: str, front, inputs: dict, logits: list, lexical_channels: int | None = None):
    """A classifier from the inputs of its head, and the logits from them that are to be added up.

    Args:
        name: The model's name.
        front: What gives the head its states: a `TransformerEncoder`, a body, or None where they are given.
        inputs: The head's inputs, by `head_inputs`: `bag_of_words` and `lexical` get logits here.
        logits: Tensors `(batch, m)`.
        lexical_channels: Number of channels of `lexical`. Defaults to None.
    """
    if "bag_of_words" in inputs:
        words = word_logits(logits[0].shape[-1])
        logits = [*logits, words(inputs["bag_of_words"])]
    if "lexical" in inputs:
        lexical = LexicalLogits(lexical_channels, dtype="float32", name="lexical_logits")
        logits = [*logits, lexical(inputs["lexical"])]
    total = keras.layers.Add(dtype="float32", name="logits")(logits) if len(logits) > 1 else logits[0]
    outputs = keras.layers.Activation("sigmoid", dtype="float32", name="codes")(total)
    if front is None:
        return keras.Model(inputs, outputs, name=name)
    head = keras.Model(inputs, outputs, name="head")
    whole = _front_inputs(front)
    for input_name, tensor in inputs.items():
        if input_name not in ("states", *whole):
            whole[input_name] = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=input_name)
    outputs = keras.layers.Identity(dtype="float32", name="codes")(head(_states(front, whole)))
    return keras.Model(whole, outputs, name=name)


def _front_inputs(front):
    if isinstance(front, TransformerEncoder):
        return {name: keras.Input((None,), dtype="int32", name=name) for name in _TOKENS}
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in front.input.items()
    }


def _states(front, inputs):
    """The inputs of the head, from those of the whole model."""
    read = _TOKENS if isinstance(front, TransformerEncoder) else tuple(front.input)
    others = {name: tensor for name, tensor in inputs.items() if name == "attention_mask" or name not in read}
    return {"states": front({name: inputs[name] for name in read}), **others}


def check_system_names(names) -> None:
    """Refuses what are not the names of two code systems."""
    if len(names) != 2 or len(set(names)) < 2 or not all(names):
        raise InputError(f"names must be two different names of systems. Received: names={tuple(names)}")


def check_dropout(dropout: float) -> None:
    """Refuses a share outside [0, 1)."""
    if not 0 <= dropout < 1:
        raise InputError(f"dropout must be in [0, 1). Received: dropout={dropout}")
