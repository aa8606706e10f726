"""What a model's output tells about each single code: the two curves of CAC's figure 1a and 1b.

Both give one value a code, nan for a code that all of the notes have, or none.
"""

import numpy as np

from icd_relevancy._arguments import check_whole
from icd_relevancy.errors import InputError
from icd_relevancy.metrics.calibration import labels_and_probabilities
from icd_relevancy.metrics.positive_ranks import count_below, divide, row_chunks, scored_labels

# Keras clips the probabilities of its cross-entropy here too, so a saturated sigmoid costs no infinity.
_EPSILON = 1e-7


def entropy_reduction(
    y_true, y_prob, method: str = "cross_entropy", bins: int = 10, relative: bool = True
) -> np.ndarray:
    """Reduction of a code's entropy once the model's output is known, `(H(y) − H(y | ŷ)) / H(y)`.

    `H(y)` is the entropy of the code's frequency in `y_true`. The paper prints no estimator of `H(y | ŷ)`; two
    are offered. `"cross_entropy"` takes the mean log loss of the probabilities, so the result never exceeds the
    mutual information that it estimates, wrong confidence is punished, and a model that knows less than the
    code's frequency gets a negative value. `"binned"` takes the entropy of the code within bins of equal mass
    of its probabilities: it forgives bad calibration, is never negative, and overstates rare codes by about
    `(bins − 1) / (2 ln 2 · notes)` bits.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_prob: Probabilities, dense array of the same shape, clipped to `[1e-7, 1 − 1e-7]`.
        method: `"cross_entropy"` or `"binned"`. Defaults to `"cross_entropy"`.
        bins: Bins a code with `"binned"`; equal probabilities share one. Defaults to 10.
        relative: Whether to divide by `H(y)`; else the reduction is in bits. Defaults to True.

    Returns:
        Array `(labels,)`; nan where `H(y)` is 0.

    Raises:
        InputError: If a probability is NaN or outside [0, 1], the shapes differ, an option is unknown, or no
            code has both notes with it and without.

    Example:

    >>> entropy_reduction([[1, 0], [0, 1]], [[1.0, 0.5], [0.0, 0.5]]).round(4)
    array([1., 0.])

    Reference: CAC §3.1, fig. 1a.
    """
    labels, probabilities = labels_and_probabilities(y_true, y_prob)
    notes, positives = len(probabilities), _checked_positives(labels)
    if method == "cross_entropy":
        left = _mean_log_loss(labels, probabilities)
    elif method == "binned":
        left = _entropy_in_bins(labels, probabilities, min(check_whole("bins", bins), notes))
    else:
        raise InputError(f"method must be 'cross_entropy' or 'binned'. Received: {method!r}")
    entropy = _binary_entropy(positives / notes)
    entropy[entropy == 0] = np.nan
    return (entropy - left) / (entropy if relative else np.where(np.isnan(entropy), np.nan, 1))


def rank_ratio(y_true, y_score, center: str = "median") -> np.ndarray:
    """Rank of a code among all codes on the notes with it, over its rank on the notes without it.

    Below 1 the code ranks better where it belongs, at 0.5 twice as well; minus 1 it is the relative difference
    of figure 1b. A code tied with others has the mean of their ranks. One float32 table of ranks is made.

    Args:
        y_true: As in `entropy_reduction`.
        y_score: Dense array of the same shape; higher is ranked first.
        center: `"median"`, as in the paper's figure, or `"mean"` of the ranks. Defaults to `"median"`.

    Returns:
        Array `(labels,)`; nan for a code that all of the notes have, or none.

    Raises:
        InputError: If a score is NaN, the shapes differ, an option is unknown, or no code has both notes with
            it and without.

    Example:

    >>> rank_ratio([[1, 0, 0], [0, 1, 0]], [[0.9, 0.5, 0.1], [0.3, 0.8, 0.6]])
    array([0.33333333, 0.5       ,        nan])

    Reference: CAC §3.1, fig. 1b.
    """
    if center not in ("median", "mean"):
        raise InputError(f"center must be 'median' or 'mean'. Received: {center!r}")
    labels, scores = scored_labels(y_true, y_score)
    positives = _checked_positives(labels)
    ranks = _rank_table(scores)
    by_code = labels.T.tocsr()
    codes, notes = by_code.nonzero()
    with_code = ranks[codes, notes].astype(np.float64)
    if center == "mean":
        total = np.bincount(codes, weights=with_code, minlength=len(ranks))
        without = divide(ranks.sum(axis=1, dtype=np.float64) - total, len(scores) - positives)
        return divide(divide(total, positives), without)
    with_code = with_code[np.lexsort((with_code, codes))]
    start = by_code.indptr[:-1]
    ranks[codes, notes] = np.inf
    ranks.sort(axis=1)
    middle = [
        (with_code[np.minimum(start + first, len(with_code) - 1)], ranks[np.arange(len(ranks)), second])
        for first, second in (
            (np.maximum(positives - 1, 0) // 2, np.maximum(len(scores) - positives - 1, 0) // 2),
            (positives // 2, np.minimum((len(scores) - positives) // 2, len(scores) - 1)),
        )
    ]
    ratio = (middle[0][0] + middle[1][0]) / (middle[0][1].astype(np.float64) + middle[1][1])
    return np.where((positives > 0) & (positives < len(scores)), ratio, np.nan)


def _checked_positives(labels) -> np.ndarray:
    """Number of notes of each code, where at least one code has some but not all."""
    positives = labels.sum(axis=0, dtype=np.int64)
    if not ((positives > 0) & (positives < labels.shape[0])).any():
        raise InputError("y_true has no label with a positive and a negative, so no code has a value")
    return positives


def _binary_entropy(share: np.ndarray) -> np.ndarray:
    """Entropy in bits of a yes with probability `share`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    return np.where((share > 0) & (share < 1), bits, 0.0)


def _mean_log_loss(labels, probabilities) -> np.ndarray:
    """The mean binary cross-entropy of each column, in bits."""
    total = np.zeros(probabilities.shape[1])
    for rows in row_chunks(probabilities):
        wrong = np.clip(probabilities[rows].astype(np.float64), _EPSILON, 1 - _EPSILON)
        true = labels[rows].nonzero()
        np.subtract(1, wrong, out=wrong)
        wrong[true] = 1 - wrong[true]
        total -= np.log2(wrong, out=wrong).sum(axis=0)
    return total / len(probabilities)


def _entropy_in_bins(labels, probabilities, bins: int) -> np.ndarray:
    """Mean over the notes of the entropy of each column within its note's bin, in bits."""
    notes, columns = probabilities.shape
    by_code, left = labels.T.tocsr(), np.zeros(columns)
    for part in row_chunks(probabilities.T):
        values = np.array(probabilities.T[part], order="C")
        codes, rows = by_code[part].nonzero()
        true_probabilities = values[codes, rows]
        values.sort(axis=1)
        lower = values[:, np.arange(bins) * notes // bins]
        # Equal borders leave all but the last of their bins empty.
        code, width = np.repeat(np.arange(len(values)), bins), (len(values), bins)
        below = count_below(values, code, lower.ravel(), or_equal=False).reshape(width)
        counts = np.diff(below, append=notes, axis=1)
        place = count_below(lower, codes, true_probabilities, or_equal=True) - 1
        true = np.bincount(codes * bins + place, minlength=len(code)).reshape(width)
        share = np.divide(true, counts, out=np.zeros(width), where=counts > 0)
        left[part] = (counts * _binary_entropy(share)).sum(axis=1) / notes
    return left


def _rank_table(scores: np.ndarray) -> np.ndarray:
    """Rank from 1 of every code on every note, ties sharing their mean, as float32 `(labels, notes)`."""
    ranks = np.empty(scores.shape[::-1], dtype=np.float32)
    width = scores.shape[1]
    for rows in row_chunks(scores, copies=8):
        part = np.array(scores[rows], order="C")
        order = part.argsort(axis=1)
        ordered = np.take_along_axis(part, order, axis=1)
        if np.isnan(ordered[:, -1:]).any():
            raise InputError("y_score holds NaN, which has no rank; check the model that gave it")
        first = np.ones(ordered.shape, dtype=bool)
        first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        starts = np.flatnonzero(first)
        sizes = np.diff(starts, append=ordered.size)
        mean_place = np.repeat((starts % max(1, width) + (sizes - 1) / 2).astype(np.float32), sizes)
        np.put_along_axis(ranks.T[rows], order, width - mean_place.reshape(order.shape), axis=1)
    return ranks
