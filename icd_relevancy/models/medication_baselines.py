"""Controls for the medication network: what the frequency of the codes alone predicts, and averaged parents."""

import numpy as np
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.hierarchy import Hierarchy

_ROWS_AT_ONCE = 1024


class FrequencyDummy:
    """Predicts for every stay the share of the training stays with each code.

    Attributes:
        frequencies_: float64 `(m,)` in [0, 1], after `fit`.

    Example:

    >>> FrequencyDummy().fit([[1, 0], [1, 1]]).predict(3).tolist()
    [[1.0, 0.5], [1.0, 0.5], [1.0, 0.5]]

    Reference: CAC §2.2.2.
    """

    def fit(self, labels):
        """Takes the frequencies of the codes.

        Args:
            labels: 0/1 matrix `(n, m)` of the training stays, dense or scipy sparse.

        Returns:
            Itself.

        Raises:
            InputError: If there are no stays.
        """
        labels = sparse.csr_matrix(labels)
        if not labels.shape[0]:
            raise InputError("the label matrix has no rows; frequencies come from the training part")
        self.frequencies_ = np.asarray(labels.mean(axis=0)).ravel()
        return self

    def predict(self, n: int) -> np.ndarray:
        """The same scores for each of n stays.

        Args:
            n: Number of stays.

        Returns:
            float64 `(n, m)`, a read-only view of one row: it takes no memory, whatever n.

        Raises:
            InputError: If it was not fitted.
        """
        if not hasattr(self, "frequencies_"):
            raise InputError("FrequencyDummy has no frequencies yet; call fit(labels) first")
        return np.broadcast_to(self.frequencies_, (n, len(self.frequencies_)))


def mean_of_children(probabilities, hierarchy: Hierarchy, out: np.ndarray | None = None) -> np.ndarray:
    """Replaces each parent's probability by the mean of its children's, from the leaves upwards.

    The strategy of Hansen et al., with which CAC compares: apply it to a network of the leaves' codes. To
    train through it, give `medication_network` the constraint `"mean_of_children"`.

    Args:
        probabilities: `(n, m)`; those of inner codes do not matter.
        hierarchy: The `Hierarchy` of the m codes.
        out: Where to write; may be `probabilities` itself. Defaults to None: a new array.

    Returns:
        `(n, m)`: `out` where it was given.

    Raises:
        InputError: If there are not m columns.

    Example:

    >>> from icd_relevancy.hierarchy import Hierarchy
    >>> mean_of_children([[0.9, 0.75, 0.25]], Hierarchy([-1, 0, 0])).tolist()
    [[0.5, 0.75, 0.25]]

    Reference: CAC §4.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(hierarchy):
        raise InputError(
            f"probabilities have shape {probabilities.shape}; the hierarchy {len(hierarchy)} codes"
        )
    if out is None:
        out = np.empty_like(probabilities)
    weights = _leaf_weights(hierarchy)
    for start in range(0, len(probabilities), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        out[rows] = (weights @ probabilities[rows].T).T
    return out


def _leaf_weights(hierarchy: Hierarchy) -> sparse.csr_matrix:
    """`(m, m)`: how much each leaf counts in the mean of each code."""
    children = np.flatnonzero(hierarchy.parents >= 0)
    parents = hierarchy.parents[children]
    counts = np.bincount(parents, minlength=len(hierarchy))
    leaves = np.flatnonzero(counts == 0)
    one_step = sparse.csr_matrix(
        (
            np.concatenate([1 / counts[parents], np.ones(len(leaves))]),
            (np.concatenate([parents, leaves]), np.concatenate([children, leaves])),
        ),
        shape=(len(hierarchy),) * 2,
    )
    weights = one_step
    for _ in range(hierarchy.levels.max() - 1):
        weights = weights @ one_step
    return weights
