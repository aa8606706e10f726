"""How many dimensions a feature table needs, and the table in that many."""

import warnings
from dataclasses import dataclass

import numpy as np
from kneed import KneeLocator
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from icd_relevancy._arguments import warn_caller
from icd_relevancy.errors import InputError


@dataclass(frozen=True, eq=False)
class Reduction:
    """What a reduction kept (NNBSVR §3.1.3, figure 1).

    Attributes:
        dimensions: number of dimensions kept.
        explained_variance: cumulative explained variance ratio after 1, 2, … dimensions.
        elbow: number of dimensions at the elbow of that curve; None where it has none.
        components: array `(dimensions, features)`; `features @ components.T` reduces further rows alike.
    """

    dimensions: int
    explained_variance: np.ndarray
    elbow: int | None
    components: np.ndarray


def elbow(explained_variance: np.ndarray) -> int | None:
    """Number of dimensions at the elbow of a cumulative explained variance curve (NNBSVR §3.1.3).

    Args:
        explained_variance: rising curve; its first value belongs to one dimension.

    Returns:
        The number of dimensions, or None where the curve has no elbow.

    Example:
        >>> elbow(np.minimum(np.arange(1, 21) / 5, 1.0))
        5
    """
    if len(explained_variance) < 3:
        return None
    with warnings.catch_warnings():
        # A straight curve has no elbow; we say so by None.
        warnings.simplefilter("ignore")
        counts = np.arange(1, len(explained_variance) + 1)
        found = KneeLocator(counts, explained_variance, curve="concave", direction="increasing").knee
    return None if found is None else int(found)


def reduce(
    features,
    dimensions: int | None = None,
    seed: int = 0,
    max_dimensions: int = 128,
) -> tuple[np.ndarray, Reduction]:
    """Reduces features by truncated singular value decomposition (NNBSVR §3.1.3).

    Args:
        features: array or sparse matrix `(rows, features)`, on a common scale such as min-max; at least two
            of either.
        dimensions: number of dimensions, with a warning where there are fewer rows or features. Defaults to
            None, the elbow of the cumulative explained variance; where there is none, all that were computed,
            with a warning.
        seed: seed of the decomposition. Defaults to 0.
        max_dimensions: number of dimensions computed to look for the elbow, at least `dimensions`. Defaults
            to 128.

    Returns:
        float32 array `(rows, dimensions)` and the `Reduction`.

    Raises:
        InputError: there are fewer than two rows or features, or a number of dimensions is below 1.

    Example:
        >>> reduced, reduction = reduce(np.eye(5), dimensions=2)
        >>> reduced.shape, reduction.dimensions
        ((5, 2), 2)
    """
    features = features.tocsr() if sparse.issparse(features) else np.asarray(features)
    for name, number in (("dimensions", dimensions), ("max_dimensions", max_dimensions)):
        if number is not None and number < 1:
            raise InputError(f"{name} must be at least 1. Received: {number}")
    if min(features.shape) < 2:
        raise InputError(
            f"a reduction needs at least 2 codes and 2 features. Received: {features.shape[0]} and "
            f"{features.shape[1]}"
        )
    computed = min(max(dimensions or 0, max_dimensions), *features.shape)
    with np.errstate(invalid="ignore"):
        # Rows that are all equal have no variance to explain.
        decomposition = TruncatedSVD(computed, random_state=seed).fit(features)
    explained = np.nan_to_num(decomposition.explained_variance_ratio_)
    # Not sorted by itself: the first direction carries the mean, which explains little variance.
    order = np.argsort(-explained, kind="stable")
    curve = np.cumsum(explained[order])
    found = elbow(curve)
    if dimensions is None and found is None:
        warn_caller(f"the explained variance has no elbow: all {computed} dimensions are kept")
    if dimensions is not None and dimensions > computed:
        warn_caller(
            f"{computed} dimensions are kept instead of {dimensions}: {features.shape[0]} codes with "
            f"{features.shape[1]} features have no more"
        )
    kept = dimensions or found or computed
    components = decomposition.components_[order[:kept]].astype(np.float32)
    reduced = np.asarray(features @ components.T, dtype=np.float32)
    return reduced, Reduction(len(components), curve, found, components)
