"""The way to the parts of a classifier: its head, its encoder, where it looks, and what codes notes in one system."""

from dataclasses import dataclass

import keras

from icd_relevancy.encoding.encoder import TransformerEncoder
from icd_relevancy.errors import InputError
from icd_relevancy.layers.hierarchical_attention import HierarchicalAttention
from icd_relevancy.layers.joint_label_attention import JointLabelAttention
from icd_relevancy.models.classifier import head_states, probabilities

# What gives a head the states of tokens.
_FRONTS = (TransformerEncoder, keras.Model)


@dataclass(frozen=True)
class Parts:
    """The layers of a classifier that others ask for; None where it has no such one.

    Attributes:
        head: What reads token states; the model itself where nothing stands before it.
        attention: What weighs the tokens, for all code systems.
        own_logits: The logits of a code by its own context.
        dense_logits: Those by dense layers.
        lexical_logits: Those by the lexicon.
        label_odds: What is known of the labels before a note is read.
    """

    head: keras.Model
    attention: keras.layers.Layer | None
    own_logits: keras.layers.Layer | None
    dense_logits: keras.layers.Layer | None
    lexical_logits: keras.layers.Layer | None
    label_odds: keras.layers.Layer | None

    @property
    def bias(self) -> keras.layers.Layer | None:
        """The layer that says how frequent each label is: it has a bias."""
        return self.dense_logits or self.label_odds or self.own_logits


def parts_of(model: keras.Model, system: str | None = None) -> Parts:
    """The parts of a classifier, of two code systems those of one: the one place that knows the names of layers."""
    layers = {layer.name: layer for layer in model.layers}
    head = layers.get("head", model)
    layers = {layer.name: layer for layer in head.layers}
    names = ("own_logits", "dense_logits", "lexical_logits", "label_odds")
    logits = [layers.get(name if system is None else f"{system}_{name}") for name in names]
    return Parts(head, layers.get("attention"), *logits)


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
    names = {layer.name for layer in model.layers}
    if not names & {"head", "states"}:
        raise InputError(f"{model.name} has no head; give a classifier over token states")
    return parts_of(model).head


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
        if isinstance(layer, keras.Model) and (encoder := encoder_of(layer)) is not None:
            return encoder
    return None


def attention_model(model: keras.Model) -> keras.Model:
    """A classifier that also says where it looked, for explanations.

    Args:
        model: A classifier with attention, the head of one, or a model of `system_model`.

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
    parts = parts_of(model)
    layer = parts.attention
    if isinstance(layer, _OneSystem):
        outputs = {"probabilities": model.output, "code_attention": layer.output[1]}
        return keras.Model(model.input, outputs, name=f"{model.name}_attention")
    head = head_of(model)
    if layer is None:
        raise InputError(f"{model.name} has no attention layer; give a classifier with attention")
    if isinstance(layer, HierarchicalAttention):
        kept = ("code_attention", "category_attention")
    else:
        # Without logits of its own a context is the note's, not a code's.
        kept = ("token_attention",) if parts.own_logits is None else ("code_attention",)
    weights = _Weights(layer, len(kept), name="attention_weights")(*layer.input)
    outputs = {"probabilities": head.output, **dict(zip(kept, weights, strict=True))}
    explained = keras.Model(head.input, outputs, name=f"{model.name}_attention")
    if head is model:
        return explained
    front = next(one for one in model.layers if isinstance(one, _FRONTS) and one is not head)
    inputs = model.input
    return keras.Model(inputs, explained(head_states(front, inputs)), name=explained.name)


def system_model(model: keras.Model, name: str) -> keras.Model:
    """The part of a joint model that codes notes in one system, without the work for the other.

    Args:
        model: A model of `jams` or `joint_lexicon_classifier`, as it was made or loaded.
        name: Name of the system.

    Returns:
        A `keras.Model` of the same layers, from a dict of the body's inputs, if any, and those for this system to
        probabilities `(batch, n or m)`. Save the joint model rather than this.

    Raises:
        InputError: If the model is no joint model, or has no system of this name.

    Example:

    >>> import keras
    >>> from icd_relevancy.models import jams, system_model
    >>> inputs = {n: keras.Input((None,), dtype="int32", name=n) for n in ("input_ids", "attention_mask")}
    >>> body = keras.Model(inputs, keras.layers.Embedding(100, 8)(inputs["input_ids"]))
    >>> system_model(jams(body, sizes=(3, 2), edges=[[0, 1]]), "icd10cm").output_shape
    (None, 2)

    Reference: JAMS §2.
    """
    attention = next((layer for layer in model.layers if isinstance(layer, JointLabelAttention)), None)
    systems = list(model.output) if isinstance(model.output, dict) else []
    apart = attention is None and systems and set(model.input) == {f"lexical_{system}" for system in systems}
    if name not in systems or (attention is None and not apart):
        known = f"; its systems are {', '.join(systems)}" if systems else ""
        raise InputError(f"{model.name} has no system {name!r} to code notes in{known}")
    others = {f"lexical_{system}" for system in systems if system != name}
    inputs = {key: tensor for key, tensor in model.input.items() if key not in others}
    if apart:
        return keras.Model(inputs, model.output[name], name=f"{model.name}_{name}")
    own_logits = parts_of(model, name).own_logits
    number = next(at for at, contexts in enumerate(attention.output) if contexts is own_logits.input)
    contexts, _ = _OneSystem(attention, number, name="attention")(*attention.input)
    codes = probabilities([own_logits(contexts)], inputs, None, "codes", name, model)
    return keras.Model(inputs, codes, name=f"{model.name}_{name}")


def system_attention_model(model: keras.Model) -> keras.Model:
    """The model of one system that also says where it looked, for explanations.

    Args:
        model: A model of `system_model`.

    Returns:
        A `keras.Model` of the same inputs and layers with a dict of outputs: `probabilities`, and
        `code_attention`, the weights of the tokens `(batch, n or m, length)`, float32.

    Raises:
        InputError: If the model is another.

    Example:

    >>> import keras
    >>> from icd_relevancy.models import jams, system_attention_model, system_model
    >>> inputs = {n: keras.Input((None,), dtype="int32", name=n) for n in ("input_ids", "attention_mask")}
    >>> body = keras.Model(inputs, keras.layers.Embedding(100, 8)(inputs["input_ids"]))
    >>> model = system_attention_model(system_model(jams(body, sizes=(3, 2), edges=[[0, 1]]), "icd10cm"))
    >>> model.output["code_attention"].shape
    (None, 2, None)

    Reference: CAML (Mullenbach et al. 2018) §2.5.
    """
    if not isinstance(parts_of(model).attention, _OneSystem):
        raise InputError(f"{model.name} is no model of one of two systems; make it by system_model")
    return attention_model(model)


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


class _OneSystem(keras.layers.Layer):
    """What a joint attention reads for one system: Keras keeps one way of calling a layer."""

    def __init__(self, attention, system, **kwargs):
        super().__init__(**kwargs)
        self.attention, self.system = attention, system
        self.supports_masking = True

    def call(self, states, attention_mask):
        return self.attention.read(self.system, states, attention_mask)

    def compute_mask(self, inputs, previous_mask=None):
        return None
