"""The decision threshold: from which probability on a code is assigned."""

import numpy as np
from scipy import sparse

from icd_relevancy.metrics import relevancy_report
from icd_relevancy.relevance import RelevanceGraph


def predicted_labels(y_score, threshold: float) -> sparse.csr_matrix:
    """The labels whose score reaches the threshold, as a CSR matrix of 0 and 1.

    Args:
        y_score: Scores `(n, m)`.
        threshold: The decision threshold.
    """
    predicted = sparse.csr_matrix(np.asarray(y_score) >= threshold)
    return predicted.astype(np.int64)


def tune_threshold(
    y_true, y_score, relevance: RelevanceGraph | None = None, candidates: int = 100
) -> tuple[float, float]:
    """The threshold with the best micro-F1, to be chosen on validation notes.

    The candidates are the scores that assign from a tenth to five times as many labels as are true, evenly on
    a logarithmic scale, so any calibration of the scores is covered; and 0.5.

    Args:
        y_true: True labels `(n, m)` of 0 and 1, sparse or dense.
        y_score: Scores `(n, m)`.
        relevance: The graph for the relevancy F1. Defaults to None: the equality F1.
        candidates: Number of candidates. Defaults to 100.

    Returns:
        The threshold and its micro-F1; of equally good ones 0.5, else the highest. Without labels or notes 0.5
        and 0.

    Example:

    >>> tune_threshold([[1, 0], [0, 1]], [[0.3, 0.1], [0.2, 0.4]])
    (0.3, 1.0)
    """
    y_true, y_score = sparse.csr_matrix(y_true), np.asarray(y_score)
    if not y_score.size:
        return 0.5, 0.0
    best = (0.5, relevancy_report(y_true, predicted_labels(y_score, 0.5), relevance).micro_f1)
    for threshold in _candidates(y_score, int(y_true.sum()), candidates):
        score = relevancy_report(y_true, predicted_labels(y_score, threshold), relevance).micro_f1
        if score > best[1]:
            best = (float(threshold), score)
    return best


def _candidates(y_score: np.ndarray, true_labels: int, candidates: int) -> np.ndarray:
    most = min(max(5 * true_labels, 1), y_score.size)
    highest = -np.sort(-np.partition(y_score.reshape(-1), y_score.size - most)[y_score.size - most :])
    assigned = np.geomspace(max(true_labels // 10, 1), most, candidates).astype(int)
    return np.unique(highest[np.minimum(assigned, most) - 1])[::-1]
