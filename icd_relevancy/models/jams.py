"""One classifier for two code systems, whose labels learn from each other through the mappings between them."""

from collections.abc import Sequence

import keras

from icd_relevancy.errors import InputError
from icd_relevancy.layers.joint_label_attention import JointLabelAttention
from icd_relevancy.layers.label_attention import check_counts
from icd_relevancy.layers.lexical_logits import LexicalLogits
from icd_relevancy.models.heads import check_dropout, check_system_names, context_logits, word_logits
from icd_relevancy.models.label_attention_classifier import check_body


def jams(
    body: keras.Model,
    sizes: Sequence[int],
    edges=(),
    weights=None,
    names: Sequence[str] = ("icd9cm", "icd10cm"),
    attention_dim: int | None = None,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    graph: bool = True,
    use_weights: bool = True,
    share_table: bool = False,
    dropout: float = 0.0,
    name: str = "jams",
):
    """A Keras model of two code systems over one body: JAMS, for any body and any two systems with a mapping.

    `p_j = sigmoid(w_jᵀ c_j + b_j)` of a code's own context `c_j`, whichever system it is of. The contexts are
    those of `JointLabelAttention`: label attention whose queries medical code attention computes from the
    labels of both systems and the links between them.

    Train it with a `JointSystemLoss` on each output, the `sample_weight` of an output being 1 for the notes that
    are coded in its system and 0 for the others. Then code notes in one system with `system_model`.

    Args:
        body: A `keras.Model` from a dict of inputs, with `attention_mask` among them, to token states
            `(batch, length, d)`, such as `caml_body` makes.
        sizes: `(n, m)`, the numbers of codes of the two systems.
        edges: Links between the codes, integers `(k, 2)`: the position of a code among those of the first
            system, and of one of the second. Defaults to none.
        weights: A weight for each link, `(k,)`: 1 for equivalent codes, 0.5 for approximately equivalent ones.
            Defaults to None: 1 each.
        names: Names of the systems, and of the outputs. Defaults to ("icd9cm", "icd10cm").
        attention_dim: Size of the projection in which tokens are weighed, or None to weigh them as they are; a
            label's vector is of this size. Defaults to None.
        initial_queries: Two arrays for the labels' vectors to start from, such as embeddings of the codes'
            titles; see `JointLabelAttention`. Defaults to None.
        bag_of_words_size: Number of features of an input `bag_of_words`, `(batch, bag_of_words_size)`, such as
            TF-IDF, whose linear maps, one a system, start at zero and are added to the logits. Defaults to
            None: no such input.
        lexical_channels: Number of channels of an input `lexical_NAME` for each system's name,
            `(batch, lexical_channels · n or m)`, which `LexicalLogits` adds to its logits. Defaults to None: no
            such inputs.
        graph: Whether the links join the labels' vectors; if not, the systems share the body alone. Defaults to
            True.
        use_weights: Whether the links' weights count. Defaults to True.
        share_table: Whether equivalent codes have one vector between them. Defaults to False.
        dropout: Share of the token states' numbers dropped before the attention while training. Defaults to
            0.0.
        name: Name of the model. Defaults to `"jams"`.

    Returns:
        A functional `keras.Model` from a dict of the body's and the further inputs to a dict of probabilities,
        `(batch, n)` and `(batch, m)` by the systems' names, float32 under mixed precision too. Its layer
        `attention` is the `JointLabelAttention`, `NAME_own_logits` holds the weights `w` and `b` of a system.

    Raises:
        InputError: If the body has other inputs or outputs, the names are not two different ones, a number is
            out of range, or as `JointLabelAttention`.

    Example:

    >>> import keras
    >>> from icd_relevancy.models import jams
    >>> inputs = {n: keras.Input((None,), dtype="int32", name=n) for n in ("input_ids", "attention_mask")}
    >>> body = keras.Model(inputs, keras.layers.Embedding(100, 8)(inputs["input_ids"]))
    >>> model = jams(body, sizes=(3, 2), edges=[[0, 1], [2, 1]], weights=[1.0, 0.5], attention_dim=4)
    >>> model.output["icd9cm"].shape, model.output["icd10cm"].shape
    ((None, 3), (None, 2))

    Reference: JAMS §2, figure 1 (b).
    """
    check_body(body)
    check_system_names(names)
    check_dropout(dropout)
    check_counts(bag_of_words_size=bag_of_words_size, lexical_channels=lexical_channels)
    attention = JointLabelAttention(
        sizes,
        edges,
        weights,
        attention_dim,
        initial_queries,
        graph,
        use_weights,
        share_table,
        name="attention",
    )
    inputs = _inputs(body, names, attention.sizes, bag_of_words_size, lexical_channels or 0)
    states = body({key: inputs[key] for key in body.input})
    states = keras.layers.Dropout(dropout, name="dropout")(states)
    outputs = {}
    for system, size, contexts in zip(
        names, attention.sizes, attention(states, inputs["attention_mask"]), strict=True
    ):
        layers = {layer.name: layer for layer in _logit_layers(system, size, lexical_channels)}
        total = _logits(system, contexts, inputs, layers.get)
        outputs[system] = keras.layers.Activation("sigmoid", dtype="float32", name=system)(total)
    return keras.Model(inputs, outputs, name=name)


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
    if apart:
        key = f"lexical_{name}"
        return keras.Model({key: model.input[key]}, model.output[name], name=f"{model.name}_{name}")
    contexts = model.get_layer(f"{name}_own_logits").input
    system = next(number for number, output in enumerate(attention.output) if output is contexts)
    contexts, _ = _OneSystem(attention, system, name="attention")(*attention.input)
    others = {f"lexical_{other}" for other in model.output if other != name}
    inputs = {key: tensor for key, tensor in model.input.items() if key not in others}
    total = _logits(name, contexts, inputs, model.get_layer)
    codes = keras.layers.Activation("sigmoid", dtype="float32", name="codes")(total)
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
    layer = next((layer for layer in model.layers if isinstance(layer, _OneSystem)), None)
    if layer is None:
        raise InputError(f"{model.name} is no model of one of two systems; make it by system_model")
    _, weights = layer.output
    outputs = {"probabilities": model.output, "code_attention": weights}
    return keras.Model(model.input, outputs, name=f"{model.name}_attention")


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


def _inputs(body, names, sizes, bag_of_words_size, lexical_channels):
    inputs = {
        key: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=key) for key, tensor in body.input.items()
    }
    widths = {"bag_of_words": bag_of_words_size}
    widths |= {f"lexical_{name}": size * lexical_channels for name, size in zip(names, sizes, strict=True)}
    return inputs | {key: keras.Input((width,), name=key) for key, width in widths.items() if width}


def _logit_layers(name, size, lexical_channels):
    """The layers behind the attention that have weights, those for inputs that are not there included."""
    yield context_logits(size, f"{name}_own_logits")
    yield word_logits(size, f"{name}_bag_of_words_logits")
    yield LexicalLogits(lexical_channels or 1, dtype="float32", name=f"{name}_lexical_logits")


def _logits(name, contexts, inputs, layer):
    """The sum of a system's logits, by layers that `layer` finds by their names."""
    logits = [layer(f"{name}_own_logits")(contexts)]
    if "bag_of_words" in inputs:
        logits.append(layer(f"{name}_bag_of_words_logits")(inputs["bag_of_words"]))
    if f"lexical_{name}" in inputs:
        logits.append(layer(f"{name}_lexical_logits")(inputs[f"lexical_{name}"]))
    return keras.layers.Add(dtype="float32", name=f"{name}_logits")(logits) if len(logits) > 1 else logits[0]
