"""Calibration of probabilities over all (note, label) pairs: does a code scored 0.3 belong three times in ten?

The pairs of all labels are pooled, as in CAC's table S5; for one hierarchy level or one label, pass its columns.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from icd_relevancy._arguments import check_whole
from icd_relevancy.errors import InputError
from icd_relevancy.metrics.positive_ranks import row_chunks, scored_labels


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Predicted against observed frequency, one entry a bin that holds a pair, by rising probability.

    Attributes:
        predicted: Mean probability of the bin's pairs.
        observed: Share of true labels among them.
        counts: Number of pairs.
        lower: Smallest probability that belongs to the bin.
    """

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray
    lower: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Distance of the observed from the predicted frequency of each bin."""
        return np.abs(self.observed - self.predicted)


def reliability_curve(y_true, y_prob, bins: int = 500, strategy: str = "equal_mass") -> ReliabilityCurve:
    """Predicted and observed frequency in bins of probability.

    Equal probabilities share a bin, so the curve does not depend on the order of the pairs; where more of them
    are equal than a bin of equal mass should hold, there are fewer bins. One sorted copy of the probabilities
    is made.

    Args:
        y_true: 0/1 array `(notes, labels)`, dense or scipy sparse.
        y_prob: Probabilities, dense array of the same shape.
        bins: Number of bins. Defaults to 500.
        strategy: `"equal_mass"` gives every bin as many pairs; `"equal_width"` divides [0, 1] evenly, a
            probability on a border belonging to the upper bin. Defaults to `"equal_mass"`.

    Raises:
        InputError: If a probability is NaN or outside [0, 1], an option is unknown, the shapes differ, or there
            is no pair.

    Example:

    >>> curve = reliability_curve([[1, 0, 0, 1]], [[0.75, 0.25, 0.0, 1.0]], bins=2)
    >>> curve.predicted, curve.observed, curve.counts
    (array([0.125, 0.875]), array([0., 1.]), array([2, 2]))

    Reference: CAC §3.2 (Expected and Maximum Calibration Error; 500 bins of equal mass).
    """
    if strategy not in ("equal_mass", "equal_width"):
        raise InputError(f"strategy must be 'equal_mass' or 'equal_width'. Received: {strategy!r}")
    check_whole("bins", bins)
    labels, probabilities = labels_and_probabilities(y_true, y_prob)
    if not probabilities.size:
        raise InputError(f"y_true must have at least one note and one label. Received: {labels.shape}")
    ordered = np.sort(probabilities, axis=None)
    if strategy == "equal_mass":
        lower = np.unique(ordered[np.arange(bins) * len(ordered) // bins])
    else:
        lower = (np.arange(bins) / bins).astype(ordered.dtype)
    starts = np.searchsorted(ordered, lower)
    counts = np.diff(starts, append=len(ordered))
    filled = counts > 0
    lower, starts, counts = lower[filled], starts[filled], counts[filled]
    true_probabilities = probabilities[labels.nonzero()]
    true = np.bincount(np.searchsorted(lower, true_probabilities, side="right") - 1, minlength=len(lower))
    # Bin by bin: reduceat would first make a float64 copy of everything.
    predicted = [part.mean(dtype=np.float64) for part in np.split(ordered, starts[1:])]
    return ReliabilityCurve(np.array(predicted), true / counts, counts, lower)


def expected_calibration_error(y_true, y_prob, bins: int = 500, strategy: str = "equal_mass") -> float:
    """ECE: mean distance between predicted and observed frequency over all pairs, bin by bin.

    Args:
        y_true, y_prob, bins, strategy: As in `reliability_curve`.

    Raises:
        InputError: As in `reliability_curve`.

    Example:

    >>> expected_calibration_error([[1, 0, 0, 1]], [[0.75, 0.25, 0.0, 1.0]], bins=2)
    0.125

    Reference: CAC §3.2.
    """
    curve = reliability_curve(y_true, y_prob, bins, strategy)
    return float(np.average(curve.gaps, weights=curve.counts))


def maximum_calibration_error(y_true, y_prob, bins: int = 500, strategy: str = "equal_mass") -> float:
    """MCE: largest distance between predicted and observed frequency of a bin.

    With bins of equal width it may come from a handful of pairs; bins of equal mass make it comparable.

    Args:
        y_true, y_prob, bins, strategy: As in `reliability_curve`.

    Raises:
        InputError: As in `reliability_curve`.

    Example:

    >>> maximum_calibration_error([[1, 0, 0, 1]], [[0.5, 0.25, 0.0, 1.0]], bins=2)
    0.25

    Reference: CAC §3.2.
    """
    return float(reliability_curve(y_true, y_prob, bins, strategy).gaps.max())


def brier_score(y_true, y_prob) -> float:
    """Brier score: mean squared distance of the probability from 0 or 1 over all (note, label) pairs.

    Args:
        y_true, y_prob: As in `reliability_curve`.

    Raises:
        InputError: If a probability is NaN or outside [0, 1], the shapes differ, or there is no pair.

    Example:

    >>> brier_score([[1, 0]], [[0.5, 0.0]])
    0.125
    """
    labels, probabilities = labels_and_probabilities(y_true, y_prob)
    if not probabilities.size:
        raise InputError(f"y_true must have at least one note and one label. Received: {labels.shape}")
    total = 0.0
    for rows in row_chunks(probabilities):
        distance = probabilities[rows].astype(np.float64)
        distance[labels[rows].nonzero()] -= 1
        total += np.vdot(distance, distance)
    return float(total / probabilities.size)


def labels_and_probabilities(y_true, y_prob) -> tuple[sparse.csr_array, np.ndarray]:
    """Labels as a CSR array of ones and their probabilities as a dense array of floats; refuses what is neither."""
    labels, probabilities = scored_labels(y_true, y_prob)
    if probabilities.dtype.kind != "f":
        probabilities = probabilities.astype(np.float64)
    if probabilities.size and not (probabilities.min() >= 0 and probabilities.max() <= 1):
        wrong = next(
            (rows.start + row, column)
            for rows in row_chunks(probabilities)
            for row, column in np.argwhere(~((probabilities[rows] >= 0) & (probabilities[rows] <= 1)))[:1]
        )
        raise InputError(
            f"y_prob must hold probabilities in [0, 1]; row {wrong[0]}, column {wrong[1]} holds "
            f"{probabilities[wrong]}. Apply the sigmoid to logits, and check the model where it is NaN"
        )
    return labels, probabilities
