"""Features in few dimensions: how many they need, and points whose cosines are those of the features."""

import warnings
from dataclasses import dataclass

import numpy as np
from kneed import KneeLocator
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize
from tqdm import tqdm

from icd_relevancy._arguments import check_at_least, warn_caller
from icd_relevancy.errors import InputError

_BATCH_ROWS = 1024
_RUN = 64
_LEARNING_RATE = 0.02
_MOMENTUM, _SQUARES = 0.9, 0.99
# Pairs near enough to be neighbours count more, pairs that are far in both spaces need not agree exactly.
_NEAR, _NEAR_WEIGHT = 0.5, 100.0
_FAR, _FAR_WEIGHT = 0.3, 0.1


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
        knee = KneeLocator(counts, explained_variance, curve="concave", direction="increasing").knee
    return None if knee is None else int(knee)


def reduce(
    features, dimensions: int | None = None, seed: int = 0, max_dimensions: int = 128
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
    check_at_least("dimensions", dimensions, 1)
    check_at_least("max_dimensions", max_dimensions, 1)
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
    knee = elbow(curve)
    if dimensions is None and knee is None:
        warn_caller(f"the explained variance has no elbow: all {computed} dimensions are kept")
    if dimensions is not None and dimensions > computed:
        warn_caller(
            f"{computed} dimensions are kept instead of {dimensions}: {features.shape[0]} codes with "
            f"{features.shape[1]} features have no more"
        )
    kept = dimensions or knee or computed
    components = decomposition.components_[order[:kept]].astype(np.float32)
    reduced = np.asarray(features @ components.T, dtype=np.float32)
    return reduced, Reduction(len(components), curve, knee, components)


def scale_cosines(
    features: sparse.csr_matrix, start: np.ndarray, epochs: int = 20, seed: int = 0, progress: bool = True
) -> np.ndarray:
    """Moves points until their cosines agree with the cosines of their features.

    A few singular directions hold what large groups of codes share, but not what tells one disease from the
    next. Here the stress `Σ w_ij (cos(z_i, z_j) - cos(x_i, x_j))²` is lowered by stochastic gradient descent
    (Adam) over batches of pairs: half of a batch are runs of neighbouring rows, as near pairs are rare among
    random ones. Pairs near in either space weigh 100, as they are one in a hundred and decide who is a
    neighbour of whom; pairs far in both 0.1. Rows of features have unit length, related ones side by side, as in
    hierarchy order; so have the points that are returned.

    Reference: NNBSVR §3.1.3 reduces by truncated SVD alone; this step goes past it.
    """
    random = np.random.default_rng(seed)
    points = normalize(np.asarray(start, np.float32))
    moment, square = np.zeros_like(points), np.zeros_like(points)
    for epoch in tqdm(
        range(epochs), desc="scaling cosines", unit="epoch", disable=None if progress else True
    ):
        rate = np.float32(_LEARNING_RATE * (1 - epoch / epochs))
        for rows in _batches(len(points), random):
            gradient = _gradient(features[rows], points[rows])
            moment[rows] = _MOMENTUM * moment[rows] + (1 - _MOMENTUM) * gradient
            square[rows] = _SQUARES * square[rows] + (1 - _SQUARES) * gradient**2
            step = moment[rows] / (np.sqrt(square[rows]) + np.float32(1e-6))
            points[rows] = normalize(points[rows] - rate * step)
    return points


def _batches(count: int, random: np.random.Generator):
    """Index arrays that hold every row once in a run of neighbours, and as many rows at random."""
    starts = random.permutation(np.arange(-random.integers(_RUN), count, _RUN))
    runs_a_batch = _BATCH_ROWS // 2 // _RUN
    for first in range(0, len(starts), runs_a_batch):
        runs = (starts[first : first + runs_a_batch, None] + np.arange(_RUN)).ravel()
        anywhere = random.integers(count, size=min(_BATCH_ROWS // 2, count))
        yield np.unique(np.concatenate([runs[(runs >= 0) & (runs < count)], anywhere]))


def _gradient(features: sparse.csr_matrix, points: np.ndarray) -> np.ndarray:
    """Of the stress of all pairs of a batch, along the sphere."""
    wanted = (features @ features.T).toarray()
    cosines = points @ points.T
    nearer = np.maximum(wanted, cosines)
    weight = np.where(nearer > _NEAR, _NEAR_WEIGHT, np.where(nearer < _FAR, _FAR_WEIGHT, 1)).astype(
        np.float32
    )
    pull = weight * (cosines - wanted) @ points / np.float32(len(points))
    return pull - (pull * points).sum(axis=1, keepdims=True) * points
