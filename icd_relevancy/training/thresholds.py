"""The decision threshold: from which probability on a code is assigned."""

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.metrics.positive_ranks import label_matrix
from icd_relevancy.relevance.graph import RelevanceGraph

_CELLS_AT_ONCE = 2_000_000


def predicted_labels(y_score, threshold: float) -> sparse.csr_matrix:
    """The labels whose score reaches the threshold, as a CSR matrix of 0 and 1."""
    predicted = sparse.csr_matrix(np.asarray(y_score) >= threshold)
    return predicted.astype(np.int64)


def tune_threshold(
    y_true, y_score, relevance: RelevanceGraph | None = None, candidates: int | None = None
) -> tuple[float, float]:
    """The threshold with the best micro-F1, to be chosen on validation notes.

    It is the best of all. A true label counts as found from the highest score of the labels that match it down,
    and a label that matches no true one counts as wrong from its own score down, so one sort of both gives the F1
    of every threshold. Another than one of the former can only add wrong labels.

    Args:
        y_true: True labels `(n, m)` of 0 and 1, sparse or dense.
        y_score: Scores `(n, m)`.
        relevance: The graph for the relevancy F1. Defaults to None: the equality F1.
        candidates: How many of the thresholds to compare, evenly spread from the highest to the lowest. Defaults
            to None: all.

    Returns:
        The threshold, one of the scores, and its micro-F1, as `relevancy_report` of `predicted_labels` gives it; of
        equally good ones 0.5, else the highest. Without labels or notes 0.5 and 0.

    Raises:
        InputError: If the shapes disagree, a label is neither 0 nor 1, or `candidates` is below 1.

    Example:

    >>> tune_threshold([[1, 0], [0, 1]], [[0.3, 0.1], [0.2, 0.4]])
    (0.3, 1.0)
    """
    y_score = np.asarray(y_score)
    if candidates is not None and candidates < 1:
        raise InputError(f"candidates must be at least 1. Received: candidates={candidates}")
    if not y_score.size:
        return 0.5, 0.0
    y_true = label_matrix(y_true, "y_true")
    matches = _matches(y_true, y_score, relevance)
    reached = np.sort(_best_matching_scores(y_true, y_score, matches))
    reached = reached[~np.isnan(reached)]
    thresholds = np.unique(reached)[::-1]
    if candidates is not None and candidates < len(thresholds):
        thresholds = thresholds[np.linspace(0, len(thresholds) - 1, candidates).astype(int)]
    thresholds = np.concatenate([np.array([0.5], reached.dtype), thresholds])
    wrong = np.sort(_wrong_scores(y_true, y_score, matches, thresholds.min()))
    # What reaches a threshold stands behind the first place where it fits.
    true_positives = len(reached) - np.searchsorted(reached, thresholds)
    false_positives = len(wrong) - np.searchsorted(wrong, thresholds)
    f1 = 2 * true_positives / np.maximum(true_positives + false_positives + y_true.nnz, 1)
    best = int(f1.argmax())  # the first of equally good ones
    return float(thresholds[best]), float(f1[best])


def _matches(y_true, y_score: np.ndarray, relevance: RelevanceGraph | None) -> sparse.csr_array:
    """Which labels match which, `(m, m)`."""
    if y_true.shape != y_score.shape:
        raise InputError(f"y_true has the shape {y_true.shape} and y_score {y_score.shape}; they must agree")
    labels = y_true.shape[1]
    if relevance is None:
        return sparse.eye_array(labels, dtype=bool, format="csr")
    if len(relevance) != labels:
        raise InputError(f"{labels} labels do not fit a relevance graph of {len(relevance)} codes")
    return sparse.csr_array(relevance.matrix).astype(bool)


def _best_matching_scores(y_true, y_score: np.ndarray, matches: sparse.csr_array) -> np.ndarray:
    """The highest score of the labels that match each true one."""
    rows = np.repeat(np.arange(y_true.shape[0]), np.diff(y_true.indptr))
    widths = np.diff(matches.indptr)[y_true.indices]  # at least 1: each label matches itself
    starts = np.cumsum(widths) - widths
    best = np.empty(y_true.nnz, y_score.dtype)
    first = 0
    while first < len(best):
        stop = max(int(np.searchsorted(starts, starts[first] + _CELLS_AT_ONCE)), first + 1)
        part = matches[y_true.indices[first:stop]]
        cells = y_score[np.repeat(rows[first:stop], widths[first:stop]), part.indices]
        best[first:stop] = np.fmax.reduceat(cells, part.indptr[:-1])
        first = stop
    return best


def _wrong_scores(y_true, y_score: np.ndarray, matches: sparse.csr_array, lowest) -> np.ndarray:
    """The scores, from `lowest` on, of the labels that match no true one."""
    wrong, rows_at_once = [], max(_CELLS_AT_ONCE // y_score.shape[1], 1)
    for start in range(0, len(y_score), rows_at_once):
        block = slice(start, start + rows_at_once)
        counted = y_score[block] >= lowest
        counted[(y_true[block].astype(bool) @ matches).nonzero()] = False
        wrong.append(y_score[block][counted])
    return np.concatenate(wrong)
