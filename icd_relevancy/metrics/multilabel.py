"""Multilabel metrics on exact codes: areas under curves from scores, F1 and match rates from decisions.

Areas come from ranks, each distinct score being a threshold, so nothing depends on a grid. Labels are read as
sparse ones, which also keeps them clear of scikit-learn's column order on int8 indicators of many labels.
"""

import numpy as np

from icd_relevancy.errors import InputError
from icd_relevancy.metrics.positive_ranks import divide, label_matrix, positive_ranks, scored_labels


def auroc(y_true, y_score, average: str | None = "micro") -> float | np.ndarray:
    """Area under the ROC curve: chance that a true label scores above a wrong one, ties counting one half.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_score: Dense array of the same shape.
        average: `"micro"` compares all (note, label) pairs at once; `"macro"` is the unweighted mean over the
            labels that have both a positive and a negative note; None gives one value a label, nan for the
            others. Defaults to `"micro"`.

    Raises:
        InputError: If the shapes differ, a score is NaN, or nothing has both positives and negatives.

    Example:

    >>> auroc([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.3]])
    0.75

    Reference: JAMS §3.1, CAC §2.3.
    """
    ranks = _score_ranks(y_true, y_score, average)
    negatives = ranks.n_labels - ranks.counts
    above = ranks.above - ranks.positives_above
    tied = ranks.tied - ranks.positives_tied
    area = 1 - ranks.mean_by_row(above + tied / 2) / np.where(negatives, negatives, np.nan)
    return area if average is None else _mean_of_defined(area, "a positive and a negative")


def auprc(y_true, y_score, average: str | None = "micro") -> float | np.ndarray:
    """Area under the precision-recall curve as average precision: `Σ (R_t − R_{t−1}) P_t` over the scores t.

    Equal scores make one threshold, as in scikit-learn's `average_precision_score`; nothing is interpolated.

    Args:
        y_true, y_score: As in `auroc`.
        average: `"micro"` ranks all (note, label) pairs at once; `"macro"` is the unweighted mean over the
            labels that have a positive note; None gives one value a label, nan for the others. Defaults to
            `"micro"`.

    Raises:
        InputError: If the shapes differ, a score is NaN, or there is no positive.

    Example:

    >>> round(auprc([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.3]]), 4)
    0.8333

    Reference: CAC §2.3.
    """
    ranks = _score_ranks(y_true, y_score, average)
    precision = (ranks.positives_above + ranks.positives_tied) / (ranks.above + ranks.tied)
    area = ranks.mean_by_row(precision)
    return area if average is None else _mean_of_defined(area, "a positive")


def f1(y_true, y_pred, average: str | None = "micro") -> float | np.ndarray:
    """F1, `2 TP / (2 TP + FP + FN)`, on exact codes.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_pred: Decisions, 0/1 array of the same shape, dense or scipy sparse.
        average: `"micro"` sums the counts over labels first, and is 0 where there is neither a true nor a
            predicted label; `"macro"` is the unweighted mean over the labels with support (at least one note
            in `y_true`); None gives one value a label, nan for those without. Defaults to `"micro"`.

    Raises:
        InputError: If the shapes differ, a value is not 0 or 1, or no label has support for `"macro"`.

    Example:

    >>> f1([[1, 1, 0]], [[1, 0, 1]])
    0.5

    Reference: JAMS §3.1.
    """
    _check_average(average)
    truth, predicted = _label_pair(y_true, y_pred)
    hits = truth.multiply(predicted).sum(axis=0, dtype=np.int64)
    support = truth.sum(axis=0, dtype=np.int64)
    total = support + predicted.sum(axis=0, dtype=np.int64)
    if average == "micro":
        return float(2 * hits.sum() / total.sum()) if total.sum() else 0.0
    scores = divide(2 * hits, np.where(support, total, np.nan))
    return scores if average is None else _mean_of_defined(scores, "a positive", "macro F1")


def exact_match_rate(y_true, y_pred) -> float:
    """Share of notes whose predicted set of codes is exactly the true set.

    Args:
        y_true, y_pred: As in `f1`.

    Raises:
        InputError: If the shapes differ, a value is not 0 or 1, or there is no note.

    Example:

    >>> exact_match_rate([[1, 0], [0, 1]], [[1, 0], [1, 1]])
    0.5

    Reference: JAMS §3.1.
    """
    return float(np.mean(_differences(y_true, y_pred) == 0))


def hamming_loss(y_true, y_pred) -> float:
    """Share of wrong decisions among all (note, label) pairs.

    Args:
        y_true, y_pred: As in `f1`.

    Raises:
        InputError: If the shapes differ, a value is not 0 or 1, or there is no note.

    Example:

    >>> hamming_loss([[1, 0], [0, 1]], [[1, 0], [1, 1]])
    0.25

    Reference: HMHAN Eq. 2.
    """
    return float(np.mean(_differences(y_true, y_pred)) / np.shape(y_true)[1])


def _score_ranks(y_true, y_score, average):
    """Ranks of the positives over all pairs as one row (micro), or over the notes of each label (macro)."""
    _check_average(average)
    truth, scores = scored_labels(y_true, y_score)
    if average == "micro":
        return positive_ranks(truth.reshape((1, -1)), scores.reshape(1, -1))
    return positive_ranks(truth.T, scores.T)


def _label_pair(y_true, y_pred):
    truth, predicted = label_matrix(y_true, "y_true"), label_matrix(y_pred, "y_pred")
    if truth.shape != predicted.shape:
        raise InputError(f"y_pred must have the shape of y_true, {truth.shape}. Received: {predicted.shape}")
    return truth, predicted


def _differences(y_true, y_pred) -> np.ndarray:
    """Number of wrong decisions of each note."""
    truth, predicted = _label_pair(y_true, y_pred)
    if not truth.shape[0] or not truth.shape[1]:
        raise InputError(f"y_true must have at least one note and one label. Received: {truth.shape}")
    common = truth.multiply(predicted).sum(axis=1, dtype=np.int64)
    return truth.sum(axis=1, dtype=np.int64) + predicted.sum(axis=1, dtype=np.int64) - 2 * common


def _mean_of_defined(values: np.ndarray, needed: str, metric: str = "the area") -> float:
    defined = values[~np.isnan(values)]
    if not len(defined):
        raise InputError(f"y_true has nothing with {needed}, so {metric} has no value")
    return float(defined.mean())


def _check_average(average):
    if average not in ("micro", "macro", None):
        raise InputError(f"average must be 'micro' or 'macro', or None for each label. Received: {average!r}")
