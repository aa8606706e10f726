"""Relevancy-aware losses: a predicted code counts as right when it is close enough to a true one (LOSSES §3.3)."""

import keras
from keras import ops

from icd_relevancy.matching import Edges, GraphInUse, check_shapes, edges_of, matching_coefficients
from icd_relevancy.relevance import RelevanceGraph

_EPSILON = 1e-7


def tlcl(y_true, y_pred, relevance, matching="graded"):
    """True Label Cardinality Loss: the share of a note's true labels that no prediction matches.

    Formula, for scores `p` in place of the predicted set and the graph's weights δ:

    `TLCL_i = 1/|y_i| Σ_{j ∈ y_i} (1 − max_k p_k δ_jk)`

    For 0/1 predictions and binary matching this is the printed loss. A note without labels contributes 0.

    Args:
        y_true: Multi-hot true labels, `(batch, m)`.
        y_pred: Probabilities in [0, 1], `(batch, m)`.
        relevance: A `RelevanceGraph` of the m codes, or None for exact matching.
        matching: `"graded"` weighs a match by its similarity, `"binary"` by 1. Defaults to `"graded"`.

    Returns:
        One value in [0, 1] a note, `(batch,)`.

    Example:

    >>> from icd_relevancy import RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> float(tlcl([[1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]], graph, matching="binary")[0])
    0.5

    Reference: LOSSES §3.3.1.
    """
    return _parts_of_arrays(y_true, y_pred, relevance, matching)[0]


def plcl(y_true, y_pred, relevance, matching="graded"):
    """Predicted Label Cardinality Loss: the share of a note's predictions that match no true label.

    Formula, for scores `p` in place of the predicted set and the graph's weights δ:

    `PLCL_i = Σ_k p_k (1 − max_{j ∈ y_i} δ_jk) / Σ_k p_k`

    For 0/1 predictions and binary matching this is the printed loss. A note without predictions
    contributes 0.

    Args:
        y_true: Multi-hot true labels, `(batch, m)`.
        y_pred: Probabilities in [0, 1], `(batch, m)`.
        relevance: A `RelevanceGraph` of the m codes, or None for exact matching.
        matching: `"graded"` weighs a match by its similarity, `"binary"` by 1. Defaults to `"graded"`.

    Returns:
        One value in [0, 1] a note, `(batch,)`.

    Example:

    >>> from icd_relevancy import RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> float(plcl([[1.0, 0.0, 0.0]], [[0.0, 1.0, 1.0]], graph, matching="binary")[0])
    0.5

    Reference: LOSSES §3.3.2.
    """
    return _parts_of_arrays(y_true, y_pred, relevance, matching)[1]


def weighted_harmonic_mean(a, b, alpha):
    """`1 / (alpha / a + (1 − alpha) / b)`, with its limits: 0 where a part is 0, `a` at alpha 1, `b` at 0."""
    if alpha in (0, 1):
        return a if alpha == 1 else b
    return a * b / ops.maximum(alpha * b + (1 - alpha) * a, _EPSILON)


class _RelevancyLoss(keras.losses.Loss):
    """What the four losses share: the graph, how a match is weighed, and both among the saved settings."""

    def __init__(self, relevance, matching, reduction, name, dtype):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        _check_option("matching", matching, ("graded", "binary"))
        self.relevance = relevance
        self.matching = matching
        self._graph = GraphInUse(relevance, matching)

    def _parts(self, y_true, y_pred):
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        return _parts(y_true, y_pred, self._graph.edges(y_true, y_pred))

    def get_config(self):
        return {**super().get_config(), "relevance": self._graph.get_config(), "matching": self.matching}

    @classmethod
    def from_config(cls, config):
        graph = config.get("relevance")
        if isinstance(graph, dict):
            config = {**config, "relevance": RelevanceGraph.from_config(graph)}
        return cls(**config)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class TLCL(_RelevancyLoss):
    """True Label Cardinality Loss, for recall: the share of a note's true labels that no prediction matches.

    Formula: `1/n Σ_i 1/|y_i| Σ_{j ∈ y_i} (1 − max_k p_k δ_jk)`, see `icd_relevancy.losses.tlcl`.

    Relations: `WHML(alpha=1)`. Predicting every code makes it 0, so alone it does not train a usable
    model; it is the recall part of `BHML` and `WHML`. Its counterpart for precision is `PLCL`.

    Args:
        relevance: A `RelevanceGraph` of the model's m labels. Defaults to None: the graph of
            `icd_relevancy.set_relevance` at its first use, else exact matching with one warning.
        matching: `"graded"` weighs a match by its similarity, `"binary"` (as printed) by 1. Defaults to
            `"graded"`, which keeps a reason to prefer the exact code to its neighbour.
        reduction: As in every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: Defaults to `"tlcl"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy import RelevanceGraph, TLCL
    >>> loss = TLCL(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> float(loss([[1.0, 1.0]], [[1.0, 0.5]]))
    0.25

    Reference: LOSSES §3.3.1.
    """

    def __init__(
        self, relevance=None, matching="graded", reduction="sum_over_batch_size", name="tlcl", dtype=None
    ):
        super().__init__(relevance, matching, reduction, name, dtype)

    def call(self, y_true, y_pred):
        return self._parts(y_true, y_pred)[0]


@keras.saving.register_keras_serializable(package="icd_relevancy")
class PLCL(_RelevancyLoss):
    """Predicted Label Cardinality Loss, for precision: the share of a note's predictions that match no true label.

    Formula: `1/n Σ_i Σ_k p_k (1 − max_{j ∈ y_i} δ_jk) / Σ_k p_k`, see `icd_relevancy.losses.plcl`.

    Relations: `WHML(alpha=0)`. Predicting next to nothing makes it small, so alone it does not train a
    usable model; it is the precision part of `BHML` and `WHML`. Its counterpart for recall is `TLCL`.

    Args:
        relevance: A `RelevanceGraph` of the model's m labels. Defaults to None: the graph of
            `icd_relevancy.set_relevance` at its first use, else exact matching with one warning.
        matching: `"graded"` weighs a match by its similarity, `"binary"` (as printed) by 1. Defaults to
            `"graded"`.
        reduction: As in every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: Defaults to `"plcl"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy import PLCL, RelevanceGraph
    >>> loss = PLCL(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> float(loss([[1.0, 0.0]], [[0.75, 0.25]]))
    0.25

    Reference: LOSSES §3.3.2.
    """

    def __init__(
        self, relevance=None, matching="graded", reduction="sum_over_batch_size", name="plcl", dtype=None
    ):
        super().__init__(relevance, matching, reduction, name, dtype)

    def call(self, y_true, y_pred):
        return self._parts(y_true, y_pred)[1]


@keras.saving.register_keras_serializable(package="icd_relevancy")
class WHML(_RelevancyLoss):
    """Weighted Harmonic Mean Loss: `TLCL` (recall) and `PLCL` (precision) in one, weighed by alpha.

    Formula, on the batch means of the two parts (as the paper averages over the notes first):

    - `harmonic_of="scores"`: `1 − 1 / (α / (1 − TLCL) + (1 − α) / (1 − PLCL))`
    - `harmonic_of="losses"` (as printed): `1 / (α / TLCL + (1 − α) / PLCL)`

    Relations: α = 1 is `TLCL`, α = 0 is `PLCL`, α = 0.5 is `BHML`, in both forms. The printed form is 0 as
    soon as either part is, and predicting every code makes TLCL 0, so it tends to collapse; choose it to
    reproduce the paper, and the default to train. `keras.losses.BinaryCrossentropy` with a tuned decision
    threshold is the control to beat.

    Args:
        alpha: Weight of TLCL, in [0, 1]. Defaults to 0.5; LOSSES table 2 is best at 0.75.
        relevance: A `RelevanceGraph` of the model's m labels. Defaults to None: the graph of
            `icd_relevancy.set_relevance` at its first use, else exact matching with one warning.
        matching: `"graded"` weighs a match by its similarity, `"binary"` (as printed) by 1. Defaults to
            `"graded"`.
        harmonic_of: `"scores"` or `"losses"`. Defaults to `"scores"`.
        reduction: With a mean (the default, `"sum_over_batch_size"`) or `"sum"` (the mean times the sum of
            the weights) the parts are averaged first, weighed by `sample_weight`; `None` gives each note's own
            harmonic mean, times its weight. The mean is over the weights, as the harmonic mean needs parts in
            [0, 1]; Keras' own, in `TLCL` and `PLCL`, is over the notes, so with sample weights α = 1 equals
            `TLCL(reduction="mean_with_sample_weight")`.
        name: Defaults to `"whml"`.
        dtype: Of the computation. Defaults to Keras' float type.

    Raises:
        ValueError: If alpha lies outside [0, 1] or an option is unknown.

    Example:

    >>> from icd_relevancy import RelevanceGraph, WHML
    >>> loss = WHML(alpha=0.75, relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> round(float(loss([[1.0, 1.0]], [[1.0, 0.5]])), 4)  # TLCL 0.25, PLCL 0
    0.2

    Reference: LOSSES §3.3.4.
    """

    def __init__(
        self,
        alpha=0.5,
        relevance=None,
        matching="graded",
        harmonic_of="scores",
        reduction="sum_over_batch_size",
        name="whml",
        dtype=None,
    ):
        super().__init__(relevance, matching, reduction, name, dtype)
        if not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must lie in [0, 1]. Received: alpha={alpha}")
        _check_option("harmonic_of", harmonic_of, ("scores", "losses"))
        self.alpha = alpha
        self.harmonic_of = harmonic_of

    def __call__(self, y_true, y_pred, sample_weight=None):
        with keras.name_scope(self.name):
            y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
            y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
            parts = self._parts(y_true, y_pred)
            weight = _note_weights(sample_weight, parts)
            if self.reduction in (None, "none"):
                return ops.cast(self._combine(*parts) * weight, self.dtype)
            total = ops.maximum(ops.sum(weight), _EPSILON)
            loss = self._combine(*(ops.sum(part * weight) / total for part in parts))
            return ops.cast(loss * total if self.reduction == "sum" else loss, self.dtype)

    def call(self, y_true, y_pred):
        return self._combine(*self._parts(y_true, y_pred))

    def _combine(self, recall_loss, precision_loss):
        if self.harmonic_of == "losses":
            return weighted_harmonic_mean(recall_loss, precision_loss, self.alpha)
        return 1 - weighted_harmonic_mean(1 - recall_loss, 1 - precision_loss, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "harmonic_of": self.harmonic_of}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class BHML(WHML):
    """Balanced Harmonic Mean Loss: `TLCL` (recall) and `PLCL` (precision) in one, equally weighed.

    Formula, on the batch means of the two parts:

    - `harmonic_of="scores"`: `1 − 2 / (1 / (1 − TLCL) + 1 / (1 − PLCL))`
    - `harmonic_of="losses"` (as printed): `2 / (1 / TLCL + 1 / PLCL)`

    Relations: `WHML(alpha=0.5)`; see there for the two forms.

    Args:
        relevance, matching, harmonic_of, reduction, dtype: As in `WHML`.
        name: Defaults to `"bhml"`.

    Example:

    >>> from icd_relevancy import BHML, RelevanceGraph
    >>> loss = BHML(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> round(float(loss([[1.0, 1.0]], [[1.0, 0.0]])), 4)  # TLCL 0.5, PLCL 0
    0.3333

    Reference: LOSSES §3.3.3.
    """

    def __init__(
        self,
        relevance=None,
        matching="graded",
        harmonic_of="scores",
        reduction="sum_over_batch_size",
        name="bhml",
        dtype=None,
    ):
        super().__init__(0.5, relevance, matching, harmonic_of, reduction, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["alpha"]
        return config


def _parts(y_true, y_pred, edges: Edges | None):
    """TLCL and PLCL of each note, both `(batch,)`; half precision is too coarse for the sums over the labels."""
    if keras.backend.standardize_dtype(y_pred.dtype) != "float64":
        y_pred = ops.cast(y_pred, "float32")
    y_true = ops.cast(y_true, y_pred.dtype)
    found, justified = matching_coefficients(y_true, y_pred, edges)
    true_labels = ops.sum(y_true, axis=-1)
    predicted_labels = ops.sum(y_pred, axis=-1)
    missed = true_labels - ops.sum(found * y_pred, axis=-1)
    unjustified = predicted_labels - ops.sum(justified * y_pred, axis=-1)
    return missed / ops.maximum(true_labels, 1), unjustified / ops.maximum(predicted_labels, _EPSILON)


def _parts_of_arrays(y_true, y_pred, relevance: RelevanceGraph | None, matching: str):
    _check_option("matching", matching, ("graded", "binary"))
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_shapes(y_true, y_pred, relevance)
    return _parts(y_true, y_pred, edges_of(relevance, matching))


def _check_option(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={value!r}")


def _note_weights(sample_weight, parts):
    ones = ops.ones_like(parts[0])
    if sample_weight is None:
        return ones
    return ops.reshape(ops.cast(ops.convert_to_tensor(sample_weight), ones.dtype), (-1,)) * ones
