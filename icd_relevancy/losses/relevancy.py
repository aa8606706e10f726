"""Relevancy-aware losses: a predicted code counts as right when it is close enough to a true one (LOSSES §3.3)."""

from typing import Literal

import keras
from keras import ops

from icd_relevancy._arguments import is_number, received
from icd_relevancy.losses.base import CheckedLoss, GivenValues, check_scores
from icd_relevancy.losses.by_name import BhmlSettings, LossLabels, MatchSettings, WhmlSettings, loss
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.relevance.matching import Edges, GraphInUse, check_shapes, edges_of, matching_coefficients

Matching = Literal["graded", "binary"]
HarmonicOf = Literal["scores", "losses"]

_EPSILON = 1e-7


def tlcl(
    y_true, y_pred, relevance: RelevanceGraph | None, matching: Matching = "graded", from_logits: bool = False
):
    """True Label Cardinality Loss: the share of a note's true labels that no prediction matches.

    Formula, for scores `p` in place of the predicted set and the graph's weights δ:

    `TLCL_i = 1/|y_i| Σ_{j ∈ y_i} (1 − max_k p_k δ_jk)`

    For 0/1 predictions and binary matching this is the printed loss. A note without labels contributes 0.

    Args:
        y_true: Multi-hot true labels, `(batch, m)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, `(batch, m)`.
        relevance: A `RelevanceGraph` of the m codes, or None for exact matching.
        matching: `"graded"` weighs a match by its similarity, `"binary"` by 1. Defaults to `"graded"`.
        from_logits: Whether `y_pred` are logits. Defaults to False.

    Returns:
        One value in [0, 1] a note, `(batch,)`.

    Raises:
        ValueError: If the shapes disagree, or, outside compiled code, a label or probability lies outside [0, 1]
            or a value is not finite.

    Example:

    >>> from icd_relevancy import RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> float(tlcl([[1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]], graph, matching="binary")[0])
    0.5

    Reference: LOSSES §3.3.1.
    """
    return _parts_of_arrays(y_true, y_pred, relevance, matching, from_logits)[0]


def plcl(
    y_true, y_pred, relevance: RelevanceGraph | None, matching: Matching = "graded", from_logits: bool = False
):
    """Predicted Label Cardinality Loss: the share of a note's predictions that match no true label.

    Formula, for scores `p` in place of the predicted set and the graph's weights δ:

    `PLCL_i = Σ_k p_k (1 − max_{j ∈ y_i} δ_jk) / Σ_k p_k`

    For 0/1 predictions and binary matching this is the printed loss. A note without predictions
    contributes 0.

    Args:
        y_true, y_pred, relevance, matching, from_logits: As in `tlcl`.

    Returns:
        One value in [0, 1] a note, `(batch,)`.

    Raises:
        ValueError: As `tlcl`.

    Example:

    >>> from icd_relevancy import RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> float(plcl([[1.0, 0.0, 0.0]], [[0.0, 1.0, 1.0]], graph, matching="binary")[0])
    0.5

    Reference: LOSSES §3.3.2.
    """
    return _parts_of_arrays(y_true, y_pred, relevance, matching, from_logits)[1]


def weighted_harmonic_mean(a, b, alpha):
    """`1 / (alpha / a + (1 − alpha) / b)`, with its limits: 0 where a part is 0, `a` at alpha 1, `b` at 0."""
    if alpha in (0, 1):
        return a if alpha == 1 else b
    return a * b / ops.maximum(alpha * b + (1 - alpha) * a, _EPSILON)


class _RelevancyLoss(CheckedLoss):
    """What the four losses share: the graph, how a match is weighed, and both among the saved settings."""

    def __init__(self, relevance, matching, from_logits, reduction, name, dtype):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        _check_option("matching", matching, ("graded", "binary"))
        self.relevance = relevance
        self.matching = matching
        self.from_logits = from_logits
        self._graph = GraphInUse(relevance, matching)

    def _parts(self, y_true, y_pred):
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        return _parts(y_true, y_pred, self._graph.edges(y_true, y_pred), self.from_logits)

    def get_config(self):
        return {
            **super().get_config(),
            "relevance": self._graph.get_config(),
            "matching": self.matching,
            "from_logits": self.from_logits,
        }

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
        from_logits: Whether the predictions are logits. Defaults to False.

    Raises:
        ValueError: On the call, as `icd_relevancy.losses.tlcl`.

    Example:

    >>> from icd_relevancy import RelevanceGraph, TLCL
    >>> loss = TLCL(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> float(loss([[1.0, 1.0]], [[1.0, 0.5]]))
    0.25

    Reference: LOSSES §3.3.1.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        matching: Matching = "graded",
        reduction: str | None = "sum_over_batch_size",
        name: str = "tlcl",
        dtype=None,
        from_logits: bool = False,
    ):
        super().__init__(relevance, matching, from_logits, reduction, name, dtype)

    def call(self, y_true, y_pred):
        return self._parts(y_true, y_pred)[0]


@keras.saving.register_keras_serializable(package="icd_relevancy")
class PLCL(_RelevancyLoss):
    """Predicted Label Cardinality Loss, for precision: the share of a note's predictions that match no true label.

    Formula: `1/n Σ_i Σ_k p_k (1 − max_{j ∈ y_i} δ_jk) / Σ_k p_k`, see `icd_relevancy.losses.plcl`.

    Relations: `WHML(alpha=0)`. Predicting next to nothing makes it small, so alone it does not train a
    usable model; it is the precision part of `BHML` and `WHML`. Its counterpart for recall is `TLCL`.

    Args:
        relevance, matching, reduction, dtype, from_logits: As in `TLCL`.
        name: Defaults to `"plcl"`.

    Raises:
        ValueError: On the call, as `icd_relevancy.losses.tlcl`.

    Example:

    >>> from icd_relevancy import PLCL, RelevanceGraph
    >>> loss = PLCL(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> float(loss([[1.0, 0.0]], [[0.75, 0.25]]))
    0.25

    Reference: LOSSES §3.3.2.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        matching: Matching = "graded",
        reduction: str | None = "sum_over_batch_size",
        name: str = "plcl",
        dtype=None,
        from_logits: bool = False,
    ):
        super().__init__(relevance, matching, from_logits, reduction, name, dtype)

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
        relevance, matching, dtype, from_logits: As in `TLCL`.
        harmonic_of: `"scores"` or `"losses"`. Defaults to `"scores"`.
        reduction: With a mean (the default, `"sum_over_batch_size"`) or `"sum"` (the mean times the sum of
            the weights) the parts are averaged first, weighed by `sample_weight`; `None` gives each note's own
            harmonic mean, times its weight. The mean is over the weights, as the harmonic mean needs parts in
            [0, 1]; Keras' own, in `TLCL` and `PLCL`, is over the notes, so with sample weights α = 1 equals
            `TLCL(reduction="mean_with_sample_weight")`.
        name: Defaults to `"whml"`.

    Raises:
        ValueError: If alpha lies outside [0, 1] or an option is unknown; on the call, as
            `icd_relevancy.losses.tlcl`.

    Example:

    >>> from icd_relevancy import RelevanceGraph, WHML
    >>> loss = WHML(alpha=0.75, relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> round(float(loss([[1.0, 1.0]], [[1.0, 0.5]])), 4)  # TLCL 0.25, PLCL 0
    0.2

    Reference: LOSSES §3.3.4.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        relevance: RelevanceGraph | None = None,
        matching: Matching = "graded",
        harmonic_of: HarmonicOf = "scores",
        reduction: str | None = "sum_over_batch_size",
        name: str = "whml",
        dtype=None,
        from_logits: bool = False,
    ):
        super().__init__(relevance, matching, from_logits, reduction, name, dtype)
        if not is_number(alpha, 0, 1):
            raise ValueError(f"`alpha` must lie in [0, 1]. {received('alpha', alpha)}")
        _check_option("harmonic_of", harmonic_of, ("scores", "losses"))
        self.alpha = alpha
        self.harmonic_of = harmonic_of

    def __call__(self, y_true, y_pred, sample_weight=None):
        if self.reduction in (None, "none"):
            return super().__call__(y_true, y_pred, sample_weight)
        mask = getattr(y_pred, "_keras_mask", None)
        with keras.name_scope(self.name):
            y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
            y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
            parts = self._parts(y_true, y_pred)
            weight = _note_weights(sample_weight, parts) * _note_weights(mask, parts)
            total = ops.maximum(ops.sum(weight), _EPSILON)
            loss = self._combine(*(ops.sum(part * weight) / total for part in parts))
            loss = loss * total if self.reduction == "sum" else loss
            return GivenValues(reduction=self.reduction, dtype=self.dtype)([0.0], ops.reshape(loss, (1,)))

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
        relevance, matching, harmonic_of, reduction, dtype, from_logits: As in `WHML`.
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
        relevance: RelevanceGraph | None = None,
        matching: Matching = "graded",
        harmonic_of: HarmonicOf = "scores",
        reduction: str | None = "sum_over_batch_size",
        name: str = "bhml",
        dtype=None,
        from_logits: bool = False,
    ):
        super().__init__(0.5, relevance, matching, harmonic_of, reduction, name, dtype, from_logits)

    def get_config(self):
        config = super().get_config()
        del config["alpha"]
        return config


def _parts(y_true, y_pred, edges: Edges | None, from_logits: bool):
    """TLCL and PLCL of each note, both `(batch,)`; half precision is too coarse for the sums over the labels."""
    check_scores(y_true, y_pred, from_logits)
    if keras.backend.standardize_dtype(y_pred.dtype) != "float64":
        y_pred = ops.cast(y_pred, "float32")
    y_pred = ops.sigmoid(y_pred) if from_logits else y_pred
    y_true = ops.cast(y_true, y_pred.dtype)
    matches, justified = matching_coefficients(y_true, y_pred, edges)
    true_labels = ops.sum(y_true, axis=-1)
    predicted_labels = ops.sum(y_pred, axis=-1)
    missed = true_labels - ops.sum(matches * y_pred, axis=-1)
    unjustified = predicted_labels - ops.sum(justified * y_pred, axis=-1)
    return missed / ops.maximum(true_labels, 1), unjustified / ops.maximum(predicted_labels, _EPSILON)


def _parts_of_arrays(y_true, y_pred, relevance: RelevanceGraph | None, matching: str, from_logits: bool):
    _check_option("matching", matching, ("graded", "binary"))
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_shapes(y_true, y_pred, relevance)
    return _parts(y_true, y_pred, edges_of(relevance, matching), from_logits)


def _check_option(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {allowed}. {received(name, value)}")


def _note_weights(sample_weight, parts):
    ones = ops.ones_like(parts[0])
    if sample_weight is None:
        return ones
    return ops.reshape(ops.cast(ops.convert_to_tensor(sample_weight), ones.dtype), (-1,)) * ones


@loss(MatchSettings)
def build_tlcl(settings: MatchSettings, labels: LossLabels) -> TLCL:
    """`tlcl` by name."""
    return TLCL(labels.relevance, settings.matching)


@loss(MatchSettings)
def build_plcl(settings: MatchSettings, labels: LossLabels) -> PLCL:
    """`plcl` by name."""
    return PLCL(labels.relevance, settings.matching)


@loss(BhmlSettings)
def build_bhml(settings: BhmlSettings, labels: LossLabels) -> BHML:
    """`bhml` by name."""
    return BHML(labels.relevance, settings.matching, settings.harmonic_of)


@loss(WhmlSettings)
def build_whml(settings: WhmlSettings, labels: LossLabels) -> WHML:
    """`whml` by name."""
    return WHML(settings.alpha, labels.relevance, settings.matching, settings.harmonic_of)
