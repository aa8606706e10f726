"""Streaming Keras metrics of ranking and of the precision-recall curve, for `compile`.

`RankErrorsAtRecall`, `NDCG` and `RecallAtK` are means over the notes with labels and equal the functions of
`icd_relevancy.metrics.ranking` on all notes at once, exact over ties, up to float32 rounding. `MicroAUPRC` needs
the scores of all notes together and counts them in bins; it can say how far from exact it may be.
"""

from typing import Literal

import keras
import numpy as np
from keras import ops
from scipy.special import digamma

from icd_relevancy._arguments import is_number, received

# The log-odds of the probabilities that are told apart: beyond them lies less than 1 in 400 million.
_WIDEST = 20.0


class _RankingMetric(keras.metrics.Metric):
    """Weighted mean over the notes with labels of what `_values` gives for each."""

    # As in Keras' own metrics.
    _direction = "up"

    def __init__(self, name, dtype):
        super().__init__(name=name, dtype=dtype)
        self.total, self.weight = (
            self.add_variable((), initializer="zeros", dtype="float32", name=name)
            for name in ("total", "weight")
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Multi-hot true labels, `(batch, m)`.
            y_pred: Scores, `(batch, m)`; higher is ranked first.
            sample_weight: Weight of each note, `(batch,)`. Defaults to 1.
        """
        y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        labels = ops.sum(y_true, axis=1)
        weight = ops.cast(labels > 0, "float32")
        if sample_weight is not None:
            weight = weight * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        values = self._values(_TieGroups(y_true, y_pred), ops.maximum(labels, 1.0))
        values = ops.where(ops.any(ops.isnan(y_pred), axis=1), float("nan"), values)
        self.total.assign_add(ops.sum(values * weight))
        self.weight.assign_add(ops.sum(weight))

    def result(self):
        """The mean so far, 0 before any note with labels, nan once a score was NaN."""
        total, weight = ops.convert_to_tensor(self.total), ops.convert_to_tensor(self.weight)
        return total / ops.where(weight > 0, weight, 1.0)


class _TieGroups:
    """The places of each note's ranking, and its groups of labels with equal scores, best group first."""

    # All are float32 `(batch, m)`; the groups that a note has fewer than m of are empty.
    def __init__(self, y_true, y_pred):
        order = ops.argsort(-y_pred, axis=1)
        ordered = ops.take_along_axis(y_pred, order, axis=1)
        changes = ops.cast(ordered[:, 1:] != ordered[:, :-1], "int32")
        self._group = ops.pad(ops.cumsum(changes, axis=1), ((0, 0), (1, 0)))
        self.place = ops.cumsum(ops.ones_like(ordered), axis=1)
        self.tied = self.sum_by_group(ops.ones_like(ordered))
        self.positives = self.sum_by_group(ops.take_along_axis(y_true, order, axis=1))
        self.above = ops.cumsum(self.tied, axis=1) - self.tied
        self.positives_above = ops.cumsum(self.positives, axis=1) - self.positives

    def sum_by_group(self, values):
        """Sums of values of the places over the places of each group."""
        batch, labels = ops.shape(values)
        first = ops.expand_dims(ops.arange(batch, dtype="int32") * labels, 1)
        sums = ops.segment_sum(
            ops.reshape(values, (-1,)), ops.reshape(self._group + first, (-1,)), num_segments=batch * labels
        )
        return ops.reshape(sums, (batch, labels))

    def positives_within(self, values):
        """Expected sum over the true labels of `values` of the places that they take."""
        shares = self.positives / ops.maximum(self.tied, 1.0)
        return ops.sum(shares * self.sum_by_group(values), axis=1)

    def rank_of_positive(self, count):
        """Expected rank of each note's `count`-th true label, counted from 1."""
        count = ops.expand_dims(count, 1)
        in_group = (self.positives_above < count) & (count <= self.positives_above + self.positives)
        rank = self.above + (count - self.positives_above) * (self.tied + 1) / (self.positives + 1)
        return ops.sum(ops.where(in_group, rank, 0.0), axis=1)


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RankErrorsAtRecall(_RankingMetric):
    """RE@R: wrong labels that a coder reads before a fraction R of a note's true labels is found.

    Equal to `icd_relevancy.metrics.ranking.rank_errors_at_recall`, ties included. Notes without labels do not
    count.

    Args:
        recall: R, a fraction in (0, 1]. Defaults to 0.5, RE@50.
        interpolation: `"step"` or `"linear"`, as in the function. Defaults to `"step"`.
        name: Defaults to `"rank_errors_at_50"`, with the R in per cent.
        dtype: Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy.metrics import RankErrorsAtRecall
    >>> metric = RankErrorsAtRecall(recall=1.0)
    >>> metric.update_state([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    >>> float(metric.result())
    2.0

    Reference: CAC §2.3.
    """

    _direction = "down"

    def __init__(
        self,
        recall: float = 0.5,
        interpolation: Literal["step", "linear"] = "step",
        name: str | None = None,
        dtype=None,
    ):
        if not is_number(recall, 0, 1) or recall == 0:
            raise ValueError(f"`recall` must be a fraction in (0, 1]. {received('recall', recall)}")
        if interpolation not in ("step", "linear"):
            raise ValueError(
                f"`interpolation` must be 'step' or 'linear'. {received('interpolation', interpolation)}"
            )
        super().__init__(name or f"rank_errors_at_{100 * recall:g}", dtype)
        self.recall = recall
        self.interpolation = interpolation

    def _values(self, groups, labels):
        if self.interpolation == "step":
            # 0.07 * 100 is a little above 7 in floating point, and must still ask for 7 labels.
            count = ops.maximum(ops.ceil(self.recall * labels - 1e-4), 1.0)
            return groups.rank_of_positive(count) - count
        place = self.recall * (labels - 1) + 1
        lower = ops.floor(place)
        rank, upper = groups.rank_of_positive(lower), groups.rank_of_positive(ops.minimum(lower + 1, labels))
        return rank + (place - lower) * (upper - rank) - place

    def get_config(self):
        return {**super().get_config(), "recall": self.recall, "interpolation": self.interpolation}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class NDCG(_RankingMetric):
    """Normalised discounted cumulative gain, `Σ 1/log2(1 + rank)` over true labels, over the best such sum.

    Equal to `icd_relevancy.metrics.ranking.ndcg`, ties included. Notes without labels do not count. The CAC
    paper finds it the best metric to select a model by.

    Args:
        k: Count only the first k ranks. Defaults to None, all of them.
        name: Defaults to `"ndcg"`, or `"ndcg_at_10"` with the k.
        dtype: Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy.metrics import NDCG
    >>> metric = NDCG()
    >>> metric.update_state([[0, 1, 0]], [[0.9, 0.8, 0.1]])
    >>> round(float(metric.result()), 4)
    0.6309

    Reference: CAC §3.2.
    """

    def __init__(self, k: int | None = None, name: str | None = None, dtype=None):
        if k is not None:
            _check_k(k)
        super().__init__(name or ("ndcg" if k is None else f"ndcg_at_{k}"), dtype)
        self.k = k

    def _values(self, groups, labels):
        discount = 1 / ops.log2(1 + groups.place)
        if self.k is not None:
            discount = ops.where(groups.place <= self.k, discount, 0.0)
        best = ops.where(groups.place <= ops.expand_dims(labels, 1), discount, 0.0)
        return groups.positives_within(discount) / ops.sum(best, axis=1)

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class RecallAtK(_RankingMetric):
    """Recall@K: share of a note's true labels among its first k labels.

    Equal to `icd_relevancy.metrics.ranking.recall_at_k`, ties included. Notes without labels do not count.
    Unlike `keras.metrics.RecallAtPrecision` and the like, it ranks the labels of a note against each other.

    Args:
        k: Number of labels read, at least 1. Defaults to 10.
        name: Defaults to `"recall_at_10"`, with the k.
        dtype: Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy.metrics import RecallAtK
    >>> metric = RecallAtK(k=2)
    >>> metric.update_state([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    >>> float(metric.result())
    0.5

    Reference: CAC §2.3.
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype=None):
        _check_k(k)
        super().__init__(name or f"recall_at_{k}", dtype)
        self.k = k

    def _values(self, groups, labels):
        return groups.positives_within(ops.cast(groups.place <= self.k, "float32")) / labels

    def get_config(self):
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable(package="icd_relevancy")
class MicroAUPRC(keras.metrics.Metric):
    """Micro-averaged area under the precision-recall curve, of all (note, label) pairs, counted in bins.

    Average precision `Σ (R_t − R_{t−1}) P_t`, as in `icd_relevancy.metrics.multilabel.auprc`, with one threshold
    t a bin. The bins divide the log-odds of the probability from −20 to 20 evenly, the outer two being open: with
    the default 8,192 two probabilities that share a bin differ by at most half a per cent of `p` and of `1 − p`.
    Counts are float32, exact up to 16.7 million pairs a bin.
    The exact value lies within `bounds()`, up to float32 rounding; with one pair a bin, or with all scores of a
    bin equal, the result is exact.

    Args:
        bins: Number of bins, at least 2. Defaults to 8192.
        name: Defaults to `"micro_auprc"`.
        dtype: Defaults to Keras' float type.

    Example:

    >>> from icd_relevancy.metrics import MicroAUPRC
    >>> metric = MicroAUPRC()
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.3]])
    >>> round(float(metric.result()), 4)
    0.8333

    Reference: CAC §3.2.
    """

    _direction = "up"

    def __init__(self, bins: int = 8192, name: str = "micro_auprc", dtype=None):
        if not is_number(bins, 2) or bins % 1:
            raise ValueError(f"`bins` must be a whole number of at least 2. {received('bins', bins)}")
        super().__init__(name=name, dtype=dtype)
        self.bins = int(bins)
        self.positives, self.negatives = (
            self.add_variable((self.bins,), initializer="zeros", dtype="float32", name=name)
            for name in ("positives", "negatives")
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Multi-hot true labels, `(batch, m)`.
            y_pred: Probabilities, `(batch, m)`.
            sample_weight: Weight of each note, `(batch,)`. Defaults to 1.
        """
        y_true = ops.cast(ops.convert_to_tensor(y_true), "float32")
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), "float32")
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            weight = weight * ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        odds = ops.clip(ops.log(y_pred) - ops.log1p(-y_pred), -_WIDEST, _WIDEST)
        is_wrong = ops.isnan(odds)
        place = ops.floor((odds + _WIDEST) * (self.bins / (2 * _WIDEST)))
        place = ops.cast(ops.where(is_wrong, 0.0, ops.clip(place, 0, self.bins - 1)), "int32")
        for counts, shares in ((self.positives, y_true), (self.negatives, 1 - y_true)):
            pairs = ops.where(is_wrong, float("nan"), shares * weight)
            counts.assign_add(
                ops.segment_sum(ops.reshape(pairs, (-1,)), ops.reshape(place, (-1,)), num_segments=self.bins)
            )

    def result(self):
        """The area so far, 0 before any true label, nan once a probability was NaN or outside [0, 1]."""
        true = ops.flip(ops.convert_to_tensor(self.positives))
        hits = ops.cumsum(true)
        read = hits + ops.cumsum(ops.flip(ops.convert_to_tensor(self.negatives)))
        area = ops.sum(true * hits / ops.where(read > 0, read, 1.0))
        return area / ops.where(hits[-1] > 0, hits[-1], 1.0)

    def bounds(self) -> tuple[float, float]:
        """Smallest and largest exact area that the counts so far allow, whatever the order within the bins.

        With sample weights other than 1 they are those of as many pairs of weight 1 as the weights add up to.
        """
        true, wrong = (
            ops.convert_to_numpy(counts)[::-1].astype(np.float64)
            for counts in (self.positives, self.negatives)
        )
        if not true.sum():
            return 0.0, 0.0
        hits, read = np.cumsum(true) - true, np.cumsum(true + wrong) - true - wrong
        # Worst: a bin's wrong labels come first. Σ (hits + i) / (read + wrong + i) over its true ones i.
        last = read + wrong
        worst = true - (last - hits) * (digamma(last + true + 1) - digamma(last + 1))
        best = true * (hits + true) / np.maximum(read + true, 1e-30)
        return float(worst.sum() / true.sum()), float(best.sum() / true.sum())

    def get_config(self):
        return {**super().get_config(), "bins": self.bins}


def _check_k(k):
    if not is_number(k, 1) or k % 1:
        raise ValueError(f"`k` must be a whole number of at least 1. {received('k', k)}")
