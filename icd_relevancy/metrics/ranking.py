"""Ranking metrics: how high a note's true labels stand among all labels.

Tied scores follow one rule in every function of this module: the value is the exact mean over all orders of
the tied labels, each order equally likely. So no value depends on the order of the labels, and a model that
gives every label the same score gets what shuffling the labels would get on average.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError

# Scores sorted at a time: 16 MB of float32, whatever the number of notes.
CHUNK_SCORES = 4_000_000


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Where the true labels of each row stand; one entry a true label, the best ranked of a row first.

    Attributes:
        rows: Row of each true label, ascending.
        above: Number of labels of the row with a higher score.
        tied: Number of labels of the row with the same score, the label itself included.
        positives_above: The true labels among `above`.
        positives_tied: The true labels among `tied`.
        offsets: Entries `offsets[i]:offsets[i + 1]` belong to row `i`.
        n_labels: Number of labels, true or not, of every row.
    """

    rows: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    positives_above: np.ndarray
    positives_tied: np.ndarray
    offsets: np.ndarray
    n_labels: int

    @property
    def counts(self) -> np.ndarray:
        """Number of true labels of each row."""
        return np.diff(self.offsets)

    @property
    def expected_rank(self) -> np.ndarray:
        """Mean rank (from 1) over all tie orders of the 1st, 2nd, … true label of each row."""
        place = np.arange(len(self.rows)) - self.offsets[self.rows] - self.positives_above + 1
        return self.above + place * (self.tied + 1) / (self.positives_tied + 1)

    def mean_by_row(self, values: np.ndarray) -> np.ndarray:
        """Mean of `values` over the true labels of each row, nan for a row without any."""
        return _divide(np.bincount(self.rows, weights=values, minlength=len(self.counts)), self.counts)


def label_matrix(labels, name: str) -> sparse.csr_array:
    """Labels as a CSR array of ones.

    Args:
        labels: 0/1 or boolean array `(notes, labels)`, dense or scipy sparse.
        name: What an error message calls it.

    Raises:
        InputError: If it is not a table of zeros and ones.

    Example:

    >>> label_matrix([[0, 1], [1, 0]], "y_true").indices
    array([1, 0], dtype=int32)
    """
    if not sparse.issparse(labels):
        labels = np.asarray(labels)
    if labels.ndim != 2:
        raise InputError(f"{name} must have the shape (notes, labels). Received: {labels.shape}")
    # A copy of what is sparse already, as tidying works in place.
    matrix = sparse.csr_array(labels, copy=sparse.issparse(labels))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not (matrix.data == 1).all():
        wrong = matrix.data[matrix.data != 1][0]
        raise InputError(f"{name} must hold only 0 and 1. Received: {wrong}")
    return matrix


def positive_ranks(labels: sparse.csr_array, scores: np.ndarray) -> PositiveRanks:
    """Ranks the true labels of every row by exact counting, without a threshold grid.

    Args:
        labels: CSR array `(rows, columns)` of ones, as `label_matrix` gives it.
        scores: Dense array of the same shape; higher is ranked first.

    Raises:
        InputError: If a score is NaN. Infinite scores are ranked like any other.

    Example:

    >>> ranks = positive_ranks(label_matrix([[1, 0, 1]], "y_true"), np.array([[0.2, 0.9, 0.9]]))
    >>> ranks.above, ranks.tied
    (array([0, 2]), array([2, 1]))
    """
    n_rows, n_columns = scores.shape
    offsets = labels.indptr.astype(np.int64)
    rows = np.repeat(np.arange(n_rows), np.diff(offsets))
    above, tied = np.zeros((2, len(rows)), dtype=np.int64)
    step = max(1, CHUNK_SCORES // max(1, n_columns))
    for start in range(0, n_rows, step):
        chunk = slice(offsets[start], offsets[min(start + step, n_rows)])
        values = scores[rows[chunk], labels.indices[chunk]]
        for left in range(0, n_columns, CHUNK_SCORES):
            ordered = np.array(scores[start : start + step, left : left + CHUNK_SCORES], order="C")
            ordered.sort(axis=1)
            if np.isnan(ordered[:, -1]).any():
                raise InputError("y_score holds NaN, which has no rank; check the model that gave it")
            lower = _count_below(ordered, rows[chunk] - start, values, or_equal=False)
            not_above = _count_below(ordered, rows[chunk] - start, values, or_equal=True)
            above[chunk] += ordered.shape[1] - not_above
            tied[chunk] += not_above - lower

    order = np.lexsort((above, rows))
    above, tied = above[order], tied[order]
    starts_group = np.ones(len(rows), dtype=bool)
    starts_group[1:] = (np.diff(rows) > 0) | (np.diff(above) > 0)
    first, group = np.flatnonzero(starts_group), np.cumsum(starts_group) - 1
    positives_tied = np.bincount(group, minlength=len(first))[group]
    positives_above = first[group] - offsets[rows]
    return PositiveRanks(rows, above, tied, positives_above, positives_tied, offsets, n_columns)


def _count_below(ordered, rows, values, or_equal: bool) -> np.ndarray:
    """Number of entries of `ordered[rows]` (sorted) below each value, by one binary search for all."""
    n_columns = ordered.shape[1]
    low = np.zeros(len(values), dtype=np.int64)
    high = np.full(len(values), n_columns, dtype=np.int64)
    for _ in range(n_columns.bit_length()):
        middle = (low + high) // 2
        found = ordered[rows, np.minimum(middle, n_columns - 1)]
        smaller = (found <= values) if or_equal else (found < values)
        smaller &= low < high
        low, high = np.where(smaller, middle + 1, low), np.where(smaller, high, middle)
    return low


def scored_labels(y_true, y_score) -> tuple[sparse.csr_array, np.ndarray]:
    """Labels as `label_matrix` gives them, and their scores as a dense array.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape.

    Raises:
        InputError: If the labels are not 0 and 1, or the scores are sparse or have another shape.
    """
    labels = label_matrix(y_true, "y_true")
    if sparse.issparse(y_score):
        raise InputError("y_score must be a dense array; call .toarray() on a block of notes at a time")
    scores = np.asarray(y_score)
    if scores.shape != labels.shape:
        raise InputError(f"y_score must have the shape of y_true, {labels.shape}. Received: {scores.shape}")
    return labels, scores


def _divide(numerator, denominator) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return numerator / denominator


def _average(values: np.ndarray, average):
    if average is None:
        return values
    if average != "mean":
        raise InputError(f"average must be 'mean' or None. Received: {average!r}")
    defined = values[~np.isnan(values)]
    if not len(defined):
        raise InputError("y_true has no note with a label, so a ranking metric has no value")
    return float(defined.mean())


def _checked_k(k) -> int:
    if k < 1 or k != int(k):
        raise InputError(f"k must be a whole number of at least 1. Received: {k}")
    return int(k)


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


def _found(ranks: PositiveRanks, k) -> np.ndarray:
    """Mean number of true labels among the first `k` of each row; `k` one number, or one a row."""
    limit = np.broadcast_to(k, ranks.counts.shape)[ranks.rows]
    inside = np.clip((limit - ranks.above) / ranks.tied, 0, 1)
    return np.bincount(ranks.rows, weights=inside, minlength=len(ranks.counts))


def rank_errors_at_recall(y_true, y_score, recall: float, interpolation: str = "step", average="mean"):
    """RE@R: wrong labels that a coder reads before a fraction R of the true labels is found.

    With `k_R` the first rank whose recall reaches R, RE@R is the number of negatives among the ranks up to
    `k_R`; RE@100 is `coverage` minus the number of true labels. `"linear"` takes the R-percentile of the true
    labels' ranks (linear between ranks) minus the R-percentile of 1..number of true labels.
    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        recall: R, a fraction in (0, 1]: 0.5 for RE@50.
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
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    return _average(_rank_errors(ranks, recall, interpolation), average)


def ndcg(y_true, y_score, k: int | None = None, average="mean"):
    """Normalised discounted cumulative gain: `Σ 1/log2(1 + rank)` over true labels, divided by the best sum.

    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        k: Count only the first k ranks. Defaults to None, all of them.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If k is below 1, the shapes differ, or no note has a label.

    Example:

    >>> round(ndcg([[0, 1, 0]], [[0.9, 0.8, 0.1]]), 4)
    0.6309
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    k = ranks.n_labels if k is None else min(_checked_k(k), ranks.n_labels)
    gain = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    end = ranks.above + ranks.tied
    discount = (gain[np.minimum(end, k)] - gain[np.minimum(ranks.above, k)]) / ranks.tied
    ideal = _divide(gain[np.minimum(ranks.counts, k)], ranks.counts)
    return _average(ranks.mean_by_row(discount) / ideal, average)


def recall_at_k(y_true, y_score, k: int, average="mean"):
    """Recall@K: share of a note's true labels among its first k labels.

    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        k: Number of labels read, at least 1; beyond the number of labels everything is found.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If k is below 1, the shapes differ, or no note has a label.

    Example:

    >>> recall_at_k([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], k=2)
    0.5
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    return _average(_divide(_found(ranks, _checked_k(k)), ranks.counts), average)


def precision_at_k(y_true, y_score, k: int, average="mean"):
    """Precision@K: share of true labels among a note's first k labels, always divided by k.

    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        k: Number of labels read, at least 1.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If k is below 1, the shapes differ, or no note has a label.

    Example:

    >>> precision_at_k([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]], k=4)
    0.5
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    found = _found(ranks, _checked_k(k))
    return _average(np.where(ranks.counts, found / k, np.nan), average)


def r_precision(y_true, y_score, average="mean"):
    """R-precision: precision among the first k labels, k being the note's number of true labels.

    Tied scores: the mean over all tie orders.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> r_precision([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    0.5
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    return _average(_divide(_found(ranks, ranks.counts), ranks.counts), average)


def mean_average_precision(y_true, y_score, average="mean"):
    """MAP: mean over the true labels of a note of the precision at their rank, then over the notes.

    Tied scores: the mean over all tie orders (scikit-learn reads a tied group as a whole).

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> mean_average_precision([[1, 0, 0, 1]], [[0.9, 0.8, 0.7, 0.6]])
    0.75
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    above, tied = ranks.above, ranks.tied
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, ranks.n_labels + 1))])
    # Over the places i = 1..tied of a tied group below `above` labels: Σ 1/(above+i) and Σ (i−1)/(above+i).
    reciprocal = np.where(tied == 1, 1 / (above + 1), harmonic[above + tied] - harmonic[above])
    weighted = tied - (above + 1) * reciprocal
    others = (ranks.positives_tied - 1) / np.maximum(tied - 1, 1)
    precision = ((ranks.positives_above + 1) * reciprocal + others * weighted) / tied
    return _average(ranks.mean_by_row(precision), average)


def coverage(y_true, y_score, average="mean"):
    """Coverage: rank of a note's last true label, that is, the labels to read until all true ones are found.

    Tied scores: the mean over all tie orders (scikit-learn's `coverage_error` takes the worst order).

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.
        average: `"mean"` over the notes with labels, or None for one value a note, nan for a note without
            labels. Defaults to `"mean"`.

    Raises:
        InputError: If the shapes differ or no note has a label.

    Example:

    >>> coverage([[1, 0, 1, 0]], [[0.9, 0.8, 0.7, 0.6]])
    3.0

    Reference: CAC §2.3.
    """
    ranks = positive_ranks(*scored_labels(y_true, y_score))
    return _average(_rank_errors(ranks, 1.0, "step") + ranks.counts, average)
