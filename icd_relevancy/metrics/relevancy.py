"""Streaming Keras metrics in relevancy terms (NNBSVR §3.2)."""

from typing import Literal

import keras
from keras import ops

from icd_relevancy._arguments import is_number, received
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.relevance.matching import GraphInUse, matched

Average = Literal["micro", "macro", "weighted"]


class _RelevancyMetric(keras.metrics.Metric):
    """Counts per label over the batches; the subclasses say what becomes of the counts."""

    # As Keras' own metrics say whether more of them is better, to `EarlyStopping` and `ModelCheckpoint`.
    _direction = "up"
    _averages = (None, "micro", "macro", "weighted")

    def __init__(self, relevance, average, decision_threshold, name, dtype):
        super().__init__(name=name, dtype=dtype)
        if average not in self._averages:
            raise ValueError(f"`average` must be one of {self._averages}. {received('average', average)}")
        if not is_number(decision_threshold, 0, 1):
            raise ValueError(
                "`decision_threshold` must lie in [0, 1]. "
                f"{received('decision_threshold', decision_threshold)}"
            )
        self.relevance = relevance
        self.average = average
        self.decision_threshold = decision_threshold
        self._graph = GraphInUse(relevance, "binary")
        if relevance is not None:
            self._build(len(relevance))

    def _build(self, labels: int):
        # float32 counts are exact up to 16.7 million uses of a label.
        self.true_positives, self.false_positives, self.false_negatives = (
            self.add_variable((labels,), initializer="zeros", dtype="float32", name=name)
            for name in ("true_positives", "false_positives", "false_negatives")
        )
        self._built_for = labels

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch; a note with a NaN among its predictions makes the result NaN.

        Args:
            y_true: Multi-hot true labels, `(batch, m)`.
            y_pred: Probabilities, `(batch, m)`.
            sample_weight: Weight of each note, `(batch,)`. Defaults to 1.
        """
        y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        edges = self._graph.edges(y_true, y_pred)
        predicted = ops.cast(y_pred >= self.decision_threshold, "float32")
        if not hasattr(self, "true_positives"):
            self._build(predicted.shape[-1])
        if predicted.shape[-1] != self._built_for:
            raise ValueError(
                f"`y_pred` must have {self._built_for} columns, one a label. "
                f"Received: y_pred.shape={tuple(predicted.shape)}"
            )
        hits, justified = matched(y_true, predicted, edges)
        weight = 1.0 if sample_weight is None else ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        weight = ops.where(ops.any(ops.isnan(y_pred), axis=1, keepdims=True), float("nan"), weight)
        self.true_positives.assign_add(ops.sum(hits * weight, axis=0))
        self.false_positives.assign_add(ops.sum(predicted * (1 - justified) * weight, axis=0))
        self.false_negatives.assign_add(ops.sum((y_true - hits) * weight, axis=0))

    def reset_state(self):
        """Forgets all batches."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def result(self):
        """The score so far: a scalar, or one value a label, `(m,)`, with `average=None`; NaN once a score was."""
        if not hasattr(self, "true_positives"):
            return ops.convert_to_tensor(0.0)
        hits, wrong, missed = self.true_positives, self.false_positives, self.false_negatives
        if self.average == "micro":
            return self._score(ops.sum(hits), ops.sum(wrong), ops.sum(missed))
        scores, support = self._score(hits, wrong, missed), hits + missed
        if self.average is None:
            return scores
        weight = support if self.average == "weighted" else ops.cast(support > 0, "float32")
        return _ratio(ops.sum(scores * weight), ops.sum(weight))

    def get_config(self):
        return {
            **super().get_config(),
            "relevance": self._graph.get_config(),
            "average": self.average,
            "decision_threshold": self.decision_threshold,
        }

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("relevance"), dict):
            config = {**config, "relevance": RelevanceGraph.from_config(config["relevance"])}
        return cls(**config)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyPrecision(_RelevancyMetric):
    """Share of the predicted codes that match a true code of their note.

    Formula: `TP / (TP + FP)` with `TP_i = Σ_{j∈y_i} max_{k∈ŷ_i} δ_jk` counted on the true labels and
    `FP_i = Σ_{k∈ŷ_i} (1 − max_{j∈y_i} δ_jk)` on the predicted ones.

    Args:
        relevance: A `RelevanceGraph` of the model's m labels. Defaults to None: the graph of
            `icd_relevancy.set_relevance` at its first use, else exact matching with one warning.
        average: `"micro"`, `"macro"` (over the labels with support), `"weighted"` (by support), or None for
            one value a label. Defaults to `"micro"`.
        decision_threshold: A code is predicted when its probability reaches it. Defaults to 0.5; of logits give 0.
        name: Defaults to `"relevancy_precision"`.
        dtype: Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy import RelevanceGraph, RelevancyPrecision
    >>> metric = RelevancyPrecision(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> metric.update_state([[1, 0]], [[0.9, 0.8]])
    >>> float(metric.result())
    0.5

    Reference: NNBSVR §3.2.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Average | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_precision",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return _ratio(hits, hits + wrong)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyRecall(_RelevancyMetric):
    """Share of the true codes that a predicted code of their note matches.

    Formula: `TP / (TP + FN)` with `TP_i = Σ_{j∈y_i} max_{k∈ŷ_i} δ_jk` and `FN_i = |y_i| − TP_i`.

    Args:
        relevance, average, decision_threshold, dtype: As in `RelevancyPrecision`.
        name: Defaults to `"relevancy_recall"`.

    Example:

    >>> from icd_relevancy import RelevanceGraph, RelevancyRecall
    >>> metric = RelevancyRecall(relevance=RelevanceGraph.identity(["J18.9", "I10"]))
    >>> metric.update_state([[1, 1]], [[0.9, 0.1]])
    >>> float(metric.result())
    0.5

    Reference: NNBSVR §3.2.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Average | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_recall",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return _ratio(hits, hits + missed)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyF1Score(_RelevancyMetric):
    """F1 where a predicted code counts as right when it matches a true one.

    Formula: `2 TP / (2 TP + FP + FN)`, the counts as in `RelevancyPrecision` and `RelevancyRecall`. With exact
    matching it is the ordinary F1.

    Args:
        relevance, average, decision_threshold, dtype: As in `RelevancyPrecision`.
        name: Defaults to `"relevancy_f1"`.

    Example:

    >>> from icd_relevancy import RelevanceGraph, RelevancyF1Score
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> metric = RelevancyF1Score(relevance=graph)
    >>> metric.update_state([[1, 0, 1]], [[0.1, 0.9, 0.2]])  # B matches A, C is missed
    >>> round(float(metric.result()), 4)
    0.6667

    Reference: NNBSVR §3.2.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Average | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_f1",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return _ratio(2 * hits, 2 * hits + wrong + missed)


class _RelevancyCount(_RelevancyMetric):
    """One of the counts, in total or a label."""

    _averages = (None, "micro")


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyTruePositives(_RelevancyCount):
    """Number of true codes that a predicted code of their note matches.

    Formula: `Σ_i Σ_{j∈y_i} max_{k∈ŷ_i} δ_jk`, counted on the true labels.

    Relations: with exact matching the total is that of `keras.metrics.TruePositives`. Exact up to 16.7 million
    uses of a label.

    Args:
        relevance, decision_threshold, dtype: As in `RelevancyPrecision`.
        average: `"micro"` for the total, or None for one count a label. Defaults to `"micro"`.
        name: Defaults to `"relevancy_true_positives"`.

    Example:

    >>> from icd_relevancy import RelevancyTruePositives, RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> metric = RelevancyTruePositives(relevance=graph)
    >>> metric.update_state([[1, 0, 1]], [[0.1, 0.9, 0.2]])  # B matches A, C is missed
    >>> float(metric.result())
    1.0

    Reference: NNBSVR §3.2.
    """

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Literal["micro"] | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_true_positives",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return hits


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyFalsePositives(_RelevancyCount):
    """Number of predicted codes that match no true code of their note.

    Formula: `Σ_i Σ_{k∈ŷ_i} (1 − max_{j∈y_i} δ_jk)`, counted on the predicted labels.

    Relations: see `RelevancyTruePositives`.

    Args:
        relevance, average, decision_threshold, dtype: As in `RelevancyTruePositives`.
        name: Defaults to `"relevancy_false_positives"`.

    Example:

    >>> from icd_relevancy import RelevancyFalsePositives, RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> metric = RelevancyFalsePositives(relevance=graph)
    >>> metric.update_state([[1, 0, 0]], [[0.1, 0.9, 0.8]])  # B matches A, C nothing
    >>> float(metric.result())
    1.0

    Reference: NNBSVR §3.2.
    """

    _direction = "down"

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Literal["micro"] | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_false_positives",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return wrong


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RelevancyFalseNegatives(_RelevancyCount):
    """Number of true codes that no predicted code of their note matches.

    Formula: `Σ_i (|y_i| − Σ_{j∈y_i} max_{k∈ŷ_i} δ_jk)`, counted on the true labels.

    Relations: see `RelevancyTruePositives`.

    Args:
        relevance, average, decision_threshold, dtype: As in `RelevancyTruePositives`.
        name: Defaults to `"relevancy_false_negatives"`.

    Example:

    >>> from icd_relevancy import RelevancyFalseNegatives, RelevanceGraph
    >>> graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    >>> metric = RelevancyFalseNegatives(relevance=graph)
    >>> metric.update_state([[1, 0, 1]], [[0.1, 0.9, 0.2]])  # B matches A, C is missed
    >>> float(metric.result())
    1.0

    Reference: NNBSVR §3.2.
    """

    _direction = "down"

    def __init__(
        self,
        relevance: RelevanceGraph | None = None,
        average: Literal["micro"] | None = "micro",
        decision_threshold: float = 0.5,
        name: str = "relevancy_false_negatives",
        dtype=None,
    ):
        super().__init__(relevance, average, decision_threshold, name, dtype)

    def _score(self, hits, wrong, missed):
        return missed


def _ratio(numerator, denominator):
    return numerator / ops.where(denominator > 0, denominator, 1.0)
