"""Where the true labels of each row stand among all labels: what every ranking metric is counted from."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError

# Scores sorted at a time by each thread: 8 MB of float32, whatever the number of notes.
CHUNK_SCORES = 2_000_000
# Columns of a transposed table copied at a time: so few that the processor's cache holds what they stand in.
_TILE = 256


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Where the true labels of each row stand; one entry a true label, the best ranked of a row first.

    Attributes:
        rows: Row of each true label, ascending.
        columns: Column of each true label.
        above: Number of labels of the row with a higher score.
        tied: Number of labels of the row with the same score, the label itself included.
        positives_above: The true labels among `above`.
        positives_tied: The true labels among `tied`.
        offsets: Entries `offsets[i]:offsets[i + 1]` belong to row `i`.
        n_labels: Number of labels, true or not, of every row.
    """

    rows: np.ndarray
    columns: np.ndarray
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
        return divide(self.sum_by_row(values), self.counts)

    def sum_by_row(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values` over the true labels of each row, 0 for a row without any."""
        return np.bincount(self.rows, weights=values, minlength=len(self.counts))


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


def positive_ranks(y_true, y_score) -> PositiveRanks:
    """Ranks the true labels of every row by exact counting, without a threshold grid.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape; higher is ranked first.

    Raises:
        InputError: If a score is NaN, the labels are not 0 and 1, or the shapes differ. Infinite scores are
            ranked like any other.

    Example:

    >>> ranks = positive_ranks([[1, 0, 1]], [[0.2, 0.9, 0.9]])
    >>> ranks.above, ranks.tied
    (array([0, 2]), array([2, 1]))
    """
    labels, scores = scored_labels(y_true, y_score)
    n_rows, n_columns = scores.shape
    offsets = labels.indptr.astype(np.int64)
    rows = np.repeat(np.arange(n_rows), np.diff(offsets))
    above, tied = np.zeros((2, len(rows)), dtype=np.int64)

    def rank(block: slice) -> None:
        chunk = slice(offsets[block.start], offsets[block.stop])
        values = scores[rows[chunk], labels.indices[chunk]]
        for left in range(0, n_columns, CHUNK_SCORES):
            ordered = _sorted_rows(scores[block, left : left + CHUNK_SCORES])
            if np.isnan(ordered[:, -1]).any():
                raise InputError("y_score holds NaN, which has no rank; check the model that gave it")
            lower, equal = _count_below_and_equal(ordered, rows[chunk] - block.start, values)
            above[chunk] += ordered.shape[1] - lower - equal
            tied[chunk] += equal

    # NumPy lets other threads run while it copies and sorts; no two write to the same places.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(rank, row_chunks(scores)))

    # One key for both, as NumPy sorts whole numbers several times as fast as it sorts by two keys.
    order = np.argsort(rows * (n_columns + 1) + above, kind="stable")
    above, tied, columns = above[order], tied[order], labels.indices[order]
    starts_group = np.ones(len(rows), dtype=bool)
    starts_group[1:] = (np.diff(rows) > 0) | (np.diff(above) > 0)
    first, group = np.flatnonzero(starts_group), np.cumsum(starts_group) - 1
    positives_tied = np.bincount(group, minlength=len(first))[group]
    positives_above = first[group] - offsets[rows]
    return PositiveRanks(rows, columns, above, tied, positives_above, positives_tied, offsets, n_columns)


def count_below(ordered, rows, values, or_equal: bool) -> np.ndarray:
    """Number of entries of `ordered[rows]` (each sorted) below each value, by one binary search for all."""
    if len(ordered) == 1:
        # Sorted values make the searches of one long row find their path in the processor's cache.
        distinct, places = np.unique(values, return_inverse=True)
        return np.searchsorted(ordered[0], distinct, side="right" if or_equal else "left")[places]
    below = np.less_equal if or_equal else np.less
    flat, first = ordered.reshape(-1), rows.astype(np.int64) * ordered.shape[1]
    # The count lies between 0 and `left` beyond `place`; half of that is ruled out at a time, for all rows alike.
    place, left = first.copy(), ordered.shape[1]
    while left > 1:
        half = left // 2
        place += half * below(flat[place + (half - 1)], values)
        left -= half
    return place - first + below(flat[place], values)


def _count_below_and_equal(ordered, rows, values) -> tuple[np.ndarray, np.ndarray]:
    """Number of entries of `ordered[rows]` (each sorted) below each value, and of those equal to it."""
    last = ordered.shape[1] - 1
    lower = count_below(ordered, rows, values, or_equal=False)
    equal = ((lower <= last) & (ordered[rows, np.minimum(lower, last)] == values)).astype(np.int64)
    # Most scores are there once; only for the others is a second search worth its time.
    several = np.flatnonzero((lower < last) & (ordered[rows, np.minimum(lower + 1, last)] == values))
    not_above = count_below(ordered, rows[several], values[several], or_equal=True)
    equal[several] = not_above - lower[several]
    return lower, equal


def _sorted_rows(table: np.ndarray) -> np.ndarray:
    ordered = np.empty(table.shape, table.dtype)
    is_transposed = table.strides[0] < table.strides[1]
    step = _TILE if is_transposed else max(table.shape[1], 1)
    for left in range(0, table.shape[1], step):
        ordered[:, left : left + step] = table[:, left : left + step]
    ordered.sort(axis=1)
    return ordered


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


def divide(numerator, denominator) -> np.ndarray:
    """Quotient, nan where 0 is divided by 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return numerator / denominator


def row_chunks(table: np.ndarray, copies: int = 1):
    """Slices of a table's rows, so that `copies` of one part at a time stay small."""
    step = max(1, CHUNK_SCORES // max(1, copies * table.shape[1]))
    return (slice(start, min(start + step, len(table))) for start in range(0, len(table), step))
