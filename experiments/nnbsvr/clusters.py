"""Codes on a plane by t-SNE and in clusters by HDBSCAN, with the numbers behind the pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.validation import groups_at


@dataclass(frozen=True, eq=False)
class TSNEMap:
    """Codes on a plane, and how far their chapters keep apart there.

    Attributes:
        codes: the codes.
        points: float32 array `(n, 2)`.
        chapters: the chapter of each code.
        silhouette: mean silhouette of the chapters in the space of the vectors, from -1 to 1.
        silhouette_2d: the same on the plane.
    """

    codes: tuple[str, ...]
    points: np.ndarray
    chapters: tuple[str, ...]
    silhouette: float
    silhouette_2d: float


def tsne(
    vectors: CodeVectors,
    codes: Sequence[str],
    code_system: CodeSystem,
    seed: int = 0,
    perplexity: float = 30.0,
) -> TSNEMap:
    """Lays codes on a plane by t-SNE (NNBSVR §4.5.1, figure 2), with the numbers behind the picture.

    The vectors are brought to unit length. The silhouette of a code compares its mean distance to its own
    chapter with that to the nearest other chapter.
    Time and memory grow with the square of the codes: take a sample.
    """
    codes = tuple(codes)
    chapters = tuple(groups_at(code_system, codes, 0))
    if not 2 <= len(set(chapters)) < len(codes):
        raise InputError(
            f"the silhouette of chapters needs at least two of them and more codes than chapters. Received: "
            f"{len(codes)} codes of {len(set(chapters))} chapters"
        )
    units = normalize(vectors.select(codes).vectors)
    method = TSNE(2, perplexity=min(perplexity, (len(codes) - 1) / 3), init="pca", random_state=seed)
    # Several threads add up in an order of their own, so that a seed would not give the same map twice.
    with threadpool_limits(1):
        points = method.fit_transform(units)
    return TSNEMap(
        codes=codes,
        points=points,
        chapters=chapters,
        silhouette=float(silhouette_score(units, chapters)),
        silhouette_2d=float(silhouette_score(points, chapters)),
    )


@dataclass(frozen=True, eq=False)
class HDBSCANClusters:
    """What `hdbscan` found.

    Attributes:
        labels: int array `(n,)`: the cluster of each point, -1 for noise.
        clusters: number of clusters.
        noise: number of points in none.
    """

    labels: np.ndarray
    clusters: int
    noise: int


def hdbscan(x: np.ndarray, min_cluster_size: int = 10) -> HDBSCANClusters:
    """Clusters points by HDBSCAN, the usual density-based method, as a control beside `denmune`.

    Distances are Euclidean: pass unit vectors to compare by cosine. Time grows with the square of the points.
    """
    labels = HDBSCAN(min_cluster_size=min_cluster_size, copy=True).fit_predict(x)
    return HDBSCANClusters(labels, int(labels.max()) + 1, int((labels < 0).sum()))
