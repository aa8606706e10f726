"""Ranking metrics: how high a note's true labels stand among all labels.

Tied scores follow one rule in every function of this module: the value is the exact mean over all orders of
the tied labels, each order equally likely. So no value depends on the order of the labels, and a model that
gives every label the same score gets what shuffling the labels would get on average.

Ranking is the costly part. `ranking_report` gives all metrics from one ranking; every function here also takes
the result of `positive_ranks(y_true, y_score)` in place of `y_true` and `y_score`.
"""

import numpy as np

from icd_relevancy._arguments import check_whole
from icd_relevancy.errors import InputError
from icd_relevancy.metrics.positive_ranks import (
    PositiveRanks,
    divide,
    label_matrix,
    positive_ranks,
    scored_labels,
)

__all__ = [
    "PositiveRanks",
    "coverage",
    "label_matrix",
    "mean_average_precision",
    "ndcg",
    "positive_ranks",
    "precision_at_k",
    "r_precision",
    "rank_errors_at_recall",
    "ranking_report",
    "recall_at_k",
    "scored_labels",
]


def _ranks(y_true, y_score) -> PositiveRanks:
    if not isinstance(y_true, PositiveRanks):
        return positive_ranks(y_true, y_score)
    if y_score is not None:
        raise InputError("y_score must be left out where y_true is the result of positive_ranks")
    return y_true


def _average(values: np.ndarray, average):
    if average is None:
        return values
    if average != "mean":
        raise InputError(f"average must be 'mean' or None. Received: {average!r}")
    defined = values[~np.isnan(values)]
    if not len(defined):
        raise InputError("y_true has no note with a label, so a ranking metric has no value")
    return float(defined.mean())


def _at_levels(values_at, levels, average):
    """`values_at(level)` averaged, for one level or along a last axis for several."""
    if np.ndim(levels) == 0:
        return _average(values_at(levels), average)
    if not len(levels):
        raise InputError("the levels of recall or k must not be empty")
    return np.stack([_average(values_at(level), average) for level in levels], axis=-1)


def _rank_errors(ranks: PositiveRanks, recall: float, interpolation: str) -> np.ndarray:
    if not 0 < recall <= 1:
        raise InputError(f"recall must be a fraction in (0, 1], 0.5 for RE@50. Received: {recall}")
    if interpolation not in ("step", "linear"):
        raise InputError(f"interpolation must be 'step' or 'linear'. Received: {interpolation!r}")
    labelled = np.flatnonzero(ranks.counts)
    counts, first, expected = ranks.counts[labelled], ranks.offsets[labelled], ranks.expected_rank
    if interpolation == "step":
        # 0.07 * 100 is a little above 7 in floating point, and must still ask for 7 labels.
        place = np.maximum(np.ceil(recall * counts - 1e-9), 1) - 1
    else:
        place = recall * (counts - 1)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, counts - 1)
    rank = expected[first + lower] + (place - lower) * (expected[first + upper] - expected[first + lower])
    errors = np.full(len(ranks.counts), np.nan)
    errors[labelled] = rank - (place + 1)
    return errors


def _true_within(ranks: PositiveRanks, k) -> np.ndarray:
    """Mean number of true labels among the first `k` of each row; `k` one number, or one a row."""
    limit = np.broadcast_to(k, ranks.counts.shape)[ranks.rows]
    inside = np.clip((limit - ranks.above) / ranks.tied, 0, 1)
    return np.bincount(ranks.rows, weights=inside, minlength=len(ranks.counts))


def rank_errors_at_recall(y_true, y_score=None, recall=0.5, interpolation: str = "step", average="mean"):
    """RE@R: wrong labels that a coder reads before a fraction R of the true labels is found.

    With `k_R` the first rank whose recall reaches R, RE@R is the number of negatives among the ranks up to
    `k_R`; RE@100 is `coverage` minus the number of true labels. `"linear"` takes the R-percentile of the true
    labels' ranks (linear between ranks) minus the R-percentile of 1..number of true labels.
    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse; or the `positive_ranks` made of it.
        y_score: Dense array of the same shape; higher is ranked first. Left out with `positive_ranks`.
        recall: R, a fraction in (0, 1]: 0.5 for RE@50; or several, which gives an array with one value a
            level along its last axis. Defaults to 0.5.
        interpolation: `"step"` or `"linear"`. Defaults to `"step"`.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If an argument is out of range, the shapes differ, or no note has a label.

    Example:

    >>> rank_errors_at_recall([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], recall=1.0)
    2.0

    Reference: CAC §2.3.
    """
    ranks = _ranks(y_true, y_score)
    return _at_levels(lambda level: _rank_errors(ranks, level, interpolation), recall, average)


def ndcg(y_true, y_score=None, k: int | None = None, average="mean", gains="binary", discount="log2"):
    """Normalised discounted cumulative gain: `Σ gain · discount(rank)` over true labels, over the best such sum.

    Tied scores: the mean over all tie orders.

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.
        k: Count only the first k ranks. Defaults to None, all of them.
        gains: Gain of a true label, finite and at least 0: `"binary"`, 1 each; an array `(labels,)`, such as
            one that favours rare codes; or an array `(notes, labels)`, such as one that puts the principal
            diagnosis first. Wrong labels gain nothing. A note whose true labels all gain 0 counts as one
            without labels. Defaults to `"binary"`.
        discount: `"log2"`, `1 / log2(1 + rank)`, or a function that gives the discounts of an array of ranks
            from 1, none above that of a better rank. Defaults to `"log2"`.

    Raises:
        InputError: If an argument is out of range, the shapes differ, or no note has a label.

    Example:

    >>> round(ndcg([[0, 1, 0]], [[0.9, 0.8, 0.1]]), 4)
    0.6309
    >>> round(ndcg([[1, 1, 0]], [[0.9, 0.8, 0.1]], gains=[1, 3, 0]), 4)
    0.7967

    Reference: CAC §2.3.
    """
    ranks = _ranks(y_true, y_score)
    k = ranks.n_labels if k is None else min(check_whole("k", k), ranks.n_labels)
    discounts = _discounts(k, discount)
    total = np.concatenate([[0.0], np.cumsum(discounts)])
    end = ranks.above + ranks.tied
    expected = (total[np.minimum(end, k)] - total[np.minimum(ranks.above, k)]) / ranks.tied
    gained = _gains(ranks, gains)
    best = gained[np.lexsort((-gained, ranks.rows))]
    place = np.arange(len(best)) - ranks.offsets[ranks.rows]
    ideal = ranks.sum_by_row(best * np.append(discounts, 0.0)[np.minimum(place, k)])
    return _average(divide(ranks.sum_by_row(gained * expected), ideal), average)


def _discounts(k: int, discount) -> np.ndarray:
    places = np.arange(1, k + 1)
    if callable(discount):
        discounts = np.asarray(discount(places), dtype=np.float64)
        is_finite = discounts.shape == places.shape and np.isfinite(discounts).all()
        if not is_finite or (np.diff(discounts, append=0) > 0).any():
            raise InputError(
                f"discount must give a number for each rank from 1 to {k}, falling and never below 0"
            )
        return discounts
    if discount != "log2":
        raise InputError(f"discount must be 'log2' or a function of the ranks. Received: {discount!r}")
    return 1 / np.log2(1 + places)


def _gains(ranks: PositiveRanks, gains) -> np.ndarray:
    """The gain of every true label."""
    if isinstance(gains, str) and gains == "binary":
        return np.ones(len(ranks.rows))
    table = np.asarray(gains)
    shapes = (ranks.n_labels,), (len(ranks.counts), ranks.n_labels)
    if table.shape not in shapes or table.dtype.kind not in "biuf":
        raise InputError(f"gains must be 'binary' or numbers of the shape {shapes[0]} or {shapes[1]}")
    gained = table[ranks.columns] if table.ndim == 1 else table[ranks.rows, ranks.columns]
    if not (np.isfinite(gained) & (gained >= 0)).all():
        raise InputError("gains must be finite and at least 0 for every true label")
    return gained.astype(np.float64)


def recall_at_k(y_true, y_score=None, k=10, average="mean"):
    """Recall@K: share of a note's true labels among its first k labels.

    Tied scores: the mean over all tie orders.

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.
        k: Number of labels read, at least 1; beyond the number of labels everything is found. Several give
            an array with one value a k along its last axis. Defaults to 10.

    Raises:
        InputError: If k is below 1, the shapes differ, or no note has a label.

    Example:

    >>> recall_at_k([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], k=2)
    0.5
    """
    ranks = _ranks(y_true, y_score)
    return _at_levels(
        lambda level: divide(_true_within(ranks, check_whole("k", level)), ranks.counts), k, average
    )


def precision_at_k(y_true, y_score=None, k=10, average="mean"):
    """Precision@K: share of true labels among a note's first k labels, always divided by k.

    Tied scores: the mean over all tie orders.

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.
        k: Number of labels read, at least 1. Several give an array with one value a k along its last axis.
            Defaults to 10.

    Raises:
        InputError: If k is below 1, the shapes differ, or no note has a label.

    Example:

    >>> precision_at_k([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], k=4)
    0.5
    """
    ranks = _ranks(y_true, y_score)
    labelled = np.where(ranks.counts, 1.0, np.nan)
    return _at_levels(
        lambda level: labelled * _true_within(ranks, check_whole("k", level)) / level, k, average
    )


def r_precision(y_true, y_score=None, average="mean"):
    """R-precision: precision among the first k labels, k being the note's number of true labels.

    Tied scores: the mean over all tie orders.

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> r_precision([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    0.5
    """
    ranks = _ranks(y_true, y_score)
    return _average(divide(_true_within(ranks, ranks.counts), ranks.counts), average)


def mean_average_precision(y_true, y_score=None, average="mean"):
    """MAP: mean over the true labels of a note of the precision at their rank, then over the notes.

    Tied scores: the mean over all tie orders (scikit-learn reads a tied group as a whole).

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> mean_average_precision([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    0.75
    """
    ranks = _ranks(y_true, y_score)
    above, tied = ranks.above, ranks.tied
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, ranks.n_labels + 1))])
    # Over the places i = 1..tied of a tied group below `above` labels: Σ 1/(above+i) and Σ (i−1)/(above+i).
    reciprocal = np.where(tied == 1, 1 / (above + 1), harmonic[above + tied] - harmonic[above])
    weighted = tied - (above + 1) * reciprocal
    others = (ranks.positives_tied - 1) / np.maximum(tied - 1, 1)
    precision = ((ranks.positives_above + 1) * reciprocal + others * weighted) / tied
    return _average(ranks.mean_by_row(precision), average)


def coverage(y_true, y_score=None, average="mean"):
    """Coverage: rank of a note's last true label, that is, the labels to read until all true ones are found.

    Tied scores: the mean over all tie orders (scikit-learn's `coverage_error` takes the worst order).

    Args:
        y_true, y_score, average: As in `rank_errors_at_recall`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> coverage([[1, 0, 1, 0]], [[0.9, 0.8, 0.7, 0.6]])
    3.0

    Reference: CAC §2.3.
    """
    ranks = _ranks(y_true, y_score)
    return _average(_rank_errors(ranks, 1.0, "step") + ranks.counts, average)


def ranking_report(
    y_true, y_score=None, recalls=(0.25, 0.5, 0.75, 1.0), ks=(5, 10, 15, 20, 30)
) -> dict[str, float]:
    """All ranking metrics, as means over the notes with labels, from one ranking.

    Args:
        y_true, y_score: As in `rank_errors_at_recall`.
        recalls: Levels of recall as fractions in (0, 1]. Defaults to those of RE@25, 50, 75 and 100.
        ks: Numbers of labels read. Defaults to 5, 10, 15, 20 and 30.

    Returns:
        `rank_errors@R` (R in per cent), `recall@K` and `precision@K` for every level, then `ndcg`, `map`,
        `r_precision` and `coverage`.

    Raises:
        InputError: If a level is out of range, the shapes differ, or no note has a label.

    Example:

    >>> report = ranking_report([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], recalls=(1.0,), ks=(2,))
    >>> report["rank_errors@100"], report["recall@2"], report["coverage"]
    (2.0, 0.5, 4.0)

    Reference: CAC §2.3.
    """
    ranks = _ranks(y_true, y_score)
    return {
        **{
            f"rank_errors@{100 * recall:g}": rank_errors_at_recall(ranks, recall=recall) for recall in recalls
        },
        **{f"recall@{k}": recall_at_k(ranks, k=k) for k in ks},
        **{f"precision@{k}": precision_at_k(ranks, k=k) for k in ks},
        "ndcg": ndcg(ranks),
        "map": mean_average_precision(ranks),
        "r_precision": r_precision(ranks),
        "coverage": coverage(ranks),
    }
