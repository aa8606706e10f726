"""Classifiers by attention for each code over any body, of one code system or two."""

from collections.abc import Callable, Sequence

import keras

from icd_relevancy._arguments import check_counts
from icd_relevancy.encoding.encoder import TransformerEncoder
from icd_relevancy.errors import InputError
from icd_relevancy.layers.joint_label_attention import JointLabelAttention
from icd_relevancy.layers.label_attention import LabelAttention
from icd_relevancy.layers.lexical import LexicalLogits

_TOKENS = ("input_ids", "attention_mask")


def label_attention_classifier(
    body: keras.Model,
    labels: int,
    attention_dim: int | None = None,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    dropout: float = 0.0,
    name: str = "label_attention_classifier",
):
    """A Keras model of label-wise attention: `p_j = sigmoid(w_jᵀ c_j + b_j)` of a code's own context `c_j`.

    `caml`, `multirescnn`, `laat` and `plm_icd` are this over their bodies.

    Args:
        body: A `keras.Model` from a dict of inputs, with `attention_mask` among them, to token states
            `(batch, length, d)`, such as `caml_body` makes.
        labels: m, the number of codes.
        attention_dim: Size of the projection in which tokens are weighed, or None to weigh them as they are;
            see `LabelAttention`. Defaults to None.
        initial_queries: `(m, d)` or `(m, attention_dim)`, such as embeddings of the codes' titles, for the
            queries to start from; see `LabelAttention`. Defaults to None.
        bag_of_words_size: Number of features of an input `bag_of_words`, `(batch, bag_of_words_size)`, such as
            TF-IDF, whose linear map, which starts at zero, is added to the logits. Defaults to None: no such
            input.
        lexical_channels: Number of channels of an input `lexical`, `(batch, lexical_channels · m)`, which
            `LexicalLogits` adds to the logits. Defaults to None: no such input.
        dropout: Share of the token states' numbers dropped before the attention while training. Defaults to
            0.0.
        name: Name of the model. Defaults to `"label_attention_classifier"`.

    Returns:
        A functional `keras.Model` from a dict of the body's and the further inputs to probabilities
        `(batch, m)`, float32 under mixed precision too, by its last layer `codes`. The layers behind the body
        are in a model of their own; see `head_of`. `attention_model` gives the weights of the tokens too.

    Raises:
        InputError: If the body has other inputs or outputs, a number is out of range, or the initial queries
            are not m of a size that fits.

    Example:

    >>> from icd_relevancy.models import caml_body, label_attention_classifier
    >>> body = caml_body(vocabulary_size=100, embedding_size=8)
    >>> model = label_attention_classifier(body, labels=45, attention_dim=16, lexical_channels=2)
    >>> sorted(model.input), model.output_shape
    (['attention_mask', 'input_ids', 'lexical'], (None, 45))

    Reference: JAMS §2, figure 1 (a); CAML (Mullenbach et al. 2018) Eq. 2-3.
    """
    _check_body(body)
    check_counts(labels=labels, bag_of_words_size=bag_of_words_size, lexical_channels=lexical_channels)
    check_dropout(dropout)
    inputs = head_inputs(
        body.output_shape[-1], bag_of_words=bag_of_words_size, lexical=labels * (lexical_channels or 0)
    )
    states = keras.layers.Dropout(dropout, name="dropout")(inputs["states"])
    attention = LabelAttention(labels, attention_dim, initial_queries=initial_queries, name="attention")
    contexts = attention(states, inputs["attention_mask"])
    return classifier(name, body, inputs, [context_logits(labels)(contexts)], lexical_channels)


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
    _check_body(body)
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
    sizes = dict(zip(names, attention.sizes, strict=True))
    widths = {f"lexical_{system}": size * (lexical_channels or 0) for system, size in sizes.items()}
    inputs = _front_inputs(body) | _inputs_beside(bag_of_words=bag_of_words_size, **widths)
    states = body({key: inputs[key] for key in body.input})
    states = keras.layers.Dropout(dropout, name="dropout")(states)
    outputs = {}
    for system, contexts in zip(names, attention(states, inputs["attention_mask"]), strict=True):
        logits = [context_logits(sizes[system], f"{system}_own_logits")(contexts)]
        outputs[system] = probabilities(logits, inputs, lexical_channels, system, system)
    return keras.Model(inputs, outputs, name=name)


def classifier(name: str, front, inputs: dict, logits: list, lexical_channels: int | None = None):
    """A classifier from the inputs of its head, by `head_inputs`, and the logits from them that are to be added up.

    `front` gives the head its states: a `TransformerEncoder`, a body, or None where they are given.
    """
    outputs = probabilities(logits, inputs, lexical_channels, "codes")
    if front is None:
        return keras.Model(inputs, outputs, name=name)
    head = keras.Model(inputs, outputs, name="head")
    whole = _front_inputs(front)
    for input_name, tensor in inputs.items():
        if input_name not in ("states", *whole):
            whole[input_name] = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=input_name)
    outputs = keras.layers.Identity(dtype="float32", name="codes")(head(head_states(front, whole)))
    return keras.Model(whole, outputs, name=name)


def head_inputs(size: int, **widths: int | None) -> dict:
    """Inputs of a head: `states` of a size, `attention_mask`, and features of these widths, unless 0 or None."""
    inputs = {
        "states": keras.Input((None, size), name="states"),
        "attention_mask": keras.Input((None,), dtype="int32", name="attention_mask"),
    }
    return inputs | _inputs_beside(**widths)


def context_logits(labels: int, name: str = "own_logits"):
    """A layer of logits `(batch, m)` from contexts `(batch, m, d)`: a weight vector and a bias for each code."""
    return keras.layers.EinsumDense("bmd,md->bm", (labels,), bias_axes="m", dtype="float32", name=name)


def check_system_names(names) -> None:
    """Refuses what are not the names of two code systems."""
    if len(names) != 2 or len(set(names)) < 2 or not all(names):
        raise InputError(f"names must be two different names of systems. Received: names={tuple(names)}")


def check_dropout(dropout: float) -> None:
    """Refuses a share outside [0, 1)."""
    if not 0 <= dropout < 1:
        raise InputError(f"dropout must be in [0, 1). Received: dropout={dropout}")


def probabilities(logits: list, inputs, lexical_channels, name: str, system: str | None = None, model=None):
    """The probabilities of the codes of a system, from logits and those of the words and the lexicon beside them.

    `name` is that of the last layer; the others are those of `model`, if there is one, else new.
    """
    prefix, lexical = ("", "lexical") if system is None else (f"{system}_", f"lexical_{system}")

    def layer(name: str, make: Callable):
        return make(f"{prefix}{name}") if model is None else model.get_layer(f"{prefix}{name}")

    if "bag_of_words" in inputs:
        size = logits[0].shape[-1]
        logits = [
            *logits,
            layer("bag_of_words_logits", lambda name: _word_logits(size, name))(inputs["bag_of_words"]),
        ]
    if lexical in inputs:
        channels = layer(
            "lexical_logits", lambda name: LexicalLogits(lexical_channels, dtype="float32", name=name)
        )
        logits = [*logits, channels(inputs[lexical])]
    total = logits[0]
    if len(logits) > 1:
        total = keras.layers.Add(dtype="float32", name=f"{prefix}logits")(logits)
    return keras.layers.Activation("sigmoid", dtype="float32", name=name)(total)


def _word_logits(labels: int, name: str):
    # From zero, so that it learns what the words add to what the other layers have.
    return keras.layers.Dense(labels, use_bias=False, kernel_initializer="zeros", dtype="float32", name=name)


def _inputs_beside(**widths: int | None) -> dict:
    return {name: keras.Input((width,), name=name) for name, width in widths.items() if width}


def _front_inputs(front):
    if isinstance(front, TransformerEncoder):
        return {name: keras.Input((None,), dtype="int32", name=name) for name in _TOKENS}
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in front.input.items()
    }


def head_states(front, inputs):
    """The inputs of the head, from those of the whole model."""
    read = _TOKENS if isinstance(front, TransformerEncoder) else tuple(front.input)
    others = {name: tensor for name, tensor in inputs.items() if name == "attention_mask" or name not in read}
    return {"states": front({name: inputs[name] for name in read}), **others}


def _check_body(body: keras.Model) -> None:
    """Refuses a model that does not map a dict of inputs with a mask to the states of tokens."""
    if not isinstance(body.input, dict) or "attention_mask" not in body.input or len(body.output_shape) != 3:
        raise InputError(
            f"{body.name} is no body: it must map a dict of inputs, attention_mask among them, to token states"
        )
