"""Few dimensions whose cosines are those of many features: multidimensional scaling of cosines."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize
from tqdm import tqdm

BATCH_ROWS = 1024
RUN = 64
LEARNING_RATE = 0.02
MOMENTUM, SQUARES = 0.9, 0.99
# Pairs near enough to be neighbours count more, pairs that are far in both spaces need not agree exactly.
NEAR, NEAR_WEIGHT = 0.5, 100.0
FAR, FAR_WEIGHT = 0.3, 0.1


def scale_cosines(
    features: sparse.csr_matrix,
    start: np.ndarray,
    epochs: int = 20,
    seed: int = 0,
    progress: bool = True,
) -> np.ndarray:
    """Moves points until their cosines agree with the cosines of their features.

    A few singular directions hold what large groups of codes share, but not what tells one disease from the
    next. Here the stress `Σ w_ij (cos(z_i, z_j) - cos(x_i, x_j))²` is lowered by stochastic gradient descent
    (Adam) over batches of pairs: half of a batch are runs of neighbouring rows, as near pairs are rare among
    random ones. Pairs near in either space weigh 100, as they are one in a
    hundred and decide who is a neighbour of whom; pairs far in both 0.1.

    Args:
        features: `(m, f)` with rows of unit length, in an order that puts related rows side by side, such as
            hierarchy order.
        start: `(m, d)` points to begin with, such as a truncated singular value decomposition.
        epochs: passes over the rows. Defaults to 20.
        seed: seed of the batches. Defaults to 0.
        progress: whether to show a progress bar on a terminal. Defaults to True.

    Returns:
        float32 `(m, d)` with rows of unit length.

    Example:
        >>> import numpy as np
        >>> features = sparse.csr_matrix(np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32))
        >>> points = scale_cosines(features, np.random.default_rng(0).normal(size=(3, 2)), epochs=300)
        >>> bool(abs(points[0] @ points[1] - 0.8) < 0.1)
        True

    Reference: NNBSVR §3.1.3 reduces by truncated SVD alone; this step goes past it.
    """
    random = np.random.default_rng(seed)
    points = normalize(np.asarray(start, np.float32))
    moment, square = np.zeros_like(points), np.zeros_like(points)
    for epoch in tqdm(
        range(epochs), desc="scaling cosines", unit="epoch", disable=None if progress else True
    ):
        rate = np.float32(LEARNING_RATE * (1 - epoch / epochs))
        for rows in _batches(len(points), random):
            gradient = _gradient(features[rows], points[rows])
            moment[rows] = MOMENTUM * moment[rows] + (1 - MOMENTUM) * gradient
            square[rows] = SQUARES * square[rows] + (1 - SQUARES) * gradient**2
            step = moment[rows] / (np.sqrt(square[rows]) + np.float32(1e-6))
            points[rows] = normalize(points[rows] - rate * step)
    return points


def _batches(count: int, random: np.random.Generator):
    """Index arrays that hold every row once in a run of neighbours, and as many rows at random."""
    starts = random.permutation(np.arange(-random.integers(RUN), count, RUN))
    runs_a_batch = BATCH_ROWS // 2 // RUN
    for first in range(0, len(starts), runs_a_batch):
        runs = (starts[first : first + runs_a_batch, None] + np.arange(RUN)).ravel()
        anywhere = random.integers(count, size=min(BATCH_ROWS // 2, count))
        yield np.unique(np.concatenate([runs[(runs >= 0) & (runs < count)], anywhere]))


def _gradient(features: sparse.csr_matrix, points: np.ndarray) -> np.ndarray:
    """Of the stress of all pairs of a batch, along the sphere."""
    wanted = (features @ features.T).toarray()
    cosines = points @ points.T
    nearer = np.maximum(wanted, cosines)
    weight = np.where(nearer > NEAR, NEAR_WEIGHT, np.where(nearer < FAR, FAR_WEIGHT, 1)).astype(np.float32)
    pull = weight * (cosines - wanted) @ points / np.float32(len(points))
    return pull - (pull * points).sum(axis=1, keepdims=True) * points
