"""DenMune: density peaks found by mutual nearest neighbours."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from icd_relevancy.errors import InputError

NOISE_TYPE_1 = -1
NOISE_TYPE_2 = -2


@dataclass(frozen=True, eq=False)
class DenMune:
    """What `denmune` found; the counts are the rows of NNBSVR table 5.

    Every point is strong, weak or noise of type 1, and every weak point succeeded or failed to merge.

    Attributes:
        labels: int array `(n,)`: the cluster of each point, 0 being that of the densest point; -1 for noise of
            type 1, -2 for noise of type 2.
        clusters: number of clusters.
        dimensions: number of dimensions of the points.
        strong_points: number of points that start a cluster.
        weak_points: number of points that may join a cluster.
        noise_type_1: number of points that are no point's neighbour.
        succeeded_to_merge: number of weak points that joined a cluster.
        failed_to_merge: number of weak points that joined none.
    """

    labels: np.ndarray
    clusters: int
    dimensions: int
    strong_points: int
    weak_points: int
    noise_type_1: int
    succeeded_to_merge: int
    failed_to_merge: int

    @property
    def noise_type_2(self) -> int:
        """Number of weak points that joined no cluster: another name of `failed_to_merge`."""
        return self.failed_to_merge


def denmune(x: np.ndarray, k: int = 10) -> DenMune:
    """Clusters points by their mutual nearest neighbours (NNBSVR §4.5.2).

    Our reading of the algorithm:

    1. `q` refers to `p` where `p` is one of the k nearest neighbours of `q`. The density of `p` is the number
       of points that refer to it. Two points that refer to each other are mutual neighbours.
    2. Points that no point refers to are noise of type 1 and are removed. Points of density k or more are
       strong, the others weak.
    3. Strong points are visited in descending density; each makes a cluster with its mutual neighbours, strong
       or weak, and clusters that meet are merged. So two strong points share a cluster where they are mutual
       neighbours or have one in common, or a chain of such pairs joins them; a strong point without mutual
       neighbours is a cluster of its own. (To merge over strong neighbours alone splits shapes that the paper
       recovers.)
    4. The other weak points are visited in descending density, again and again until none joins any more. Each
       joins the cluster that holds most of its mutual neighbours; of equals, the cluster of the nearest one.
       Those left over are noise of type 2.

    Equal points would have arbitrary neighbours, so ties at distance 0 count as one: a point has all its equals
    for neighbours, then further points until there are k. Equal points are always in one cluster. Of points of
    equal density the one with the smaller coordinates comes first, so their order in `x` does not matter.

    The paper of the algorithm projects points of more than two dimensions to a plane by t-SNE first. Here the
    points are taken as they are; pass the `points` of `tsne` to do as it does. Distances are Euclidean: pass unit
    vectors to compare by cosine.

    Reference: Abbas, El-Zoghabi, Shoukry: DenMune: density peak based clustering using mutual nearest neighbors.
        Pattern Recognition 109, 2021.
    """
    x = np.asarray(x)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise InputError(f"the points to cluster must be a finite matrix (n, d). Received shape: {x.shape}")
    if not 1 <= k < len(x):
        raise InputError(f"k must lie between 1 and {len(x) - 1}, one less than the points. Received: k={k}")
    distinct, member, copies = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    refers = _nearest_neighbours(distinct, copies, k)
    density = copies - 1 + np.asarray(refers.T.astype(bool) @ copies)
    mutual = refers.minimum(refers.T).tocsr()

    labels = _strong_clusters(mutual, density, k)
    labels[density == 0] = NOISE_TYPE_1
    _merge_weak(labels, mutual, density, copies)

    labels, strong = labels[member], (density >= k)[member]
    noise_type_1 = int((labels == NOISE_TYPE_1).sum())
    failed = int((labels == NOISE_TYPE_2).sum())
    weak = len(x) - int(strong.sum()) - noise_type_1
    return DenMune(
        labels=labels,
        clusters=int(labels.max(initial=-1)) + 1,
        dimensions=x.shape[1],
        strong_points=int(strong.sum()),
        weak_points=weak,
        noise_type_1=noise_type_1,
        succeeded_to_merge=weak - failed,
        failed_to_merge=failed,
    )


def _nearest_neighbours(points: np.ndarray, copies: np.ndarray, k: int) -> sparse.csr_matrix:
    """Who refers to whom among distinct points; the value falls from 1 as the distance grows."""
    n = len(points)
    columns = min(k, n - 1)
    if columns == 0:
        return sparse.csr_matrix((n, n), dtype=np.float64)
    distances, nearest = NearestNeighbors(n_neighbors=columns).fit(points).kneighbors()
    # A neighbour is needed only while a point's equals and the nearer neighbours are fewer than k.
    nearer = np.cumsum(copies[nearest], axis=1) - copies[nearest]
    needed = nearer + (copies - 1)[:, None] < k
    rows, ranks = np.nonzero(needed)
    closeness = 1 / (1 + distances[rows, ranks].astype(np.float64))
    return sparse.csr_matrix((closeness, (rows, nearest[rows, ranks])), shape=(n, n))


def _strong_clusters(mutual: sparse.csr_matrix, density: np.ndarray, k: int) -> np.ndarray:
    """The label of the strong points and of their mutual neighbours; all others are noise of type 2 so far."""
    strong = density >= k
    links = mutual.tocoo()
    kept = strong[links.row]
    links = sparse.coo_matrix((links.data[kept], (links.row[kept], links.col[kept])), shape=mutual.shape)
    _, component = connected_components(links, directed=False)
    by_density = np.argsort(-density, kind="stable")[: strong.sum()]
    components, first = np.unique(component[by_density], return_index=True)
    number = np.full(component.max() + 1, NOISE_TYPE_2, dtype=np.int64)
    number[components[np.argsort(first)]] = np.arange(len(components))
    return number[component]


def _merge_weak(labels: np.ndarray, mutual: sparse.csr_matrix, density: np.ndarray, copies: np.ndarray):
    """Lets the weak points join clusters, in place."""
    pending = np.flatnonzero(labels == NOISE_TYPE_2)
    pending = pending[np.argsort(-density[pending], kind="stable")]
    joined = True
    while joined:
        waiting = []
        for point in pending:
            span = slice(mutual.indptr[point], mutual.indptr[point + 1])
            neighbours, closeness = mutual.indices[span], mutual.data[span]
            inside = labels[neighbours] >= 0
            if inside.any():
                labels[point] = _most_shared(
                    labels[neighbours[inside]], copies[neighbours[inside]], closeness[inside]
                )
            else:
                waiting.append(point)
        joined = len(waiting) < len(pending)
        pending = waiting


def _most_shared(clusters: np.ndarray, copies: np.ndarray, closeness: np.ndarray) -> int:
    found, which = np.unique(clusters, return_inverse=True)
    shared = np.bincount(which, weights=copies)
    nearest = np.zeros(len(found))
    np.maximum.at(nearest, which, closeness)
    return int(found[np.lexsort((nearest, shared))[-1]])
