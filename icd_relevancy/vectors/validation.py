"""How well code vectors keep the structure of their code system, without a note being coded."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.preprocessing import normalize

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.relevance.graph import ROUNDING, check_threshold
from icd_relevancy.vectors.code_vectors import CodeVectors

_SHUFFLES = 10
_KMEANS_ITERATIONS = 100
_BLOCK_ROWS = 1024


def sample_codes(codes: Sequence[str], count: int | None, seed: int = 0) -> tuple[str, ...]:
    """Codes drawn at random without replacement, in their order; all for None or where there are no more."""
    if count is not None and count < 1:
        raise InputError(f"at least one code must be drawn. Received: {count}")
    if count is None or count >= len(codes):
        return tuple(codes)
    drawn = np.random.default_rng(seed).choice(len(codes), count, replace=False)
    return tuple(codes[row] for row in np.sort(drawn))


def hierarchy_reconstruction(
    vectors: CodeVectors,
    code_system: CodeSystem,
    codes: Sequence[str] | None = None,
    seed: int = 0,
    levels: Sequence[str] | None = None,
    normalise: bool = True,
) -> pd.DataFrame:
    """Compares k-means clusters of the codes with their chapters, blocks and categories (NNBSVR §4.7, table 7).

    k is the number of groups that occur among the codes. Every set of vectors gets the same k-means:
    scikit-learn's, one start by k-means++, at most 100 iterations. As large groups make the purity of any
    clusters high, that of shuffled clusters stands beside it: the same sizes, the codes dealt out at random
    (mean of ten deals).

    Args:
        vectors: code vectors.
        code_system: the code system.
        codes: the codes to cluster; the same ones for every set of vectors that is compared. Defaults to None,
            all codes of the system without children.
        seed: seed of k-means and of the shuffling. Defaults to 0.
        levels: names of levels, of `"chapter"`, `"block"` and `"category"`. The group of a code is its ancestor
            at that level, or itself where it has none. Defaults to None, all that the system has (ICD-9-CM has
            no blocks).
        normalise: whether the vectors are brought to unit length, so that k-means sees what the cosine sees.
            Defaults to True.

    Returns:
        One row a level with the columns `level`, `codes`, `clusters` (k), `purity` (share of codes in the
        largest group of their cluster, the paper's accuracy), `nmi` (normalised mutual information),
        `purity_shuffled` and `nmi_shuffled`.

    Raises:
        InputError: the system lacks a level or a code, or a code has no vector.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> from icd_relevancy.vectors import CodeVectors, hierarchy_reconstruction
        >>> vectors = CodeVectors(["428.0", "428.9", "786.2"], [[1, 0], [1, 0.1], [0, 1]])
        >>> table = hierarchy_reconstruction(vectors, icd9cm(), vectors.codes)
        >>> table[["level", "clusters", "purity"]].values.tolist()
        [['chapter', 2, 1.0], ['category', 2, 1.0]]
    """
    depths = _depths(code_system, levels)
    codes = code_system.leaves if codes is None else tuple(codes)
    points = vectors.select(codes).vectors
    if normalise:
        points = normalize(points)
    rows = []
    for level, depth in depths.items():
        groups = groups_at(code_system, codes, depth)
        clusters = _k_means(points, len(set(groups)), seed)
        rows.append({"level": level, "codes": len(codes), **_agreement(groups, clusters, seed)})
    return pd.DataFrame(rows)


def groups_at(code_system: CodeSystem, codes: Sequence[str], depth: int) -> list[str]:
    """The ancestor of each code at a depth of the hierarchy, 0 being the chapters; itself where it has none."""
    groups = []
    for code in codes:
        path = (code, *code_system.ancestors(code))[::-1]
        groups.append(path[min(depth, len(path) - 1)])
    return groups


def levels(code_system: CodeSystem) -> dict[str, int]:
    """The depth of the chapters, of the blocks where the system has some, and of the categories."""
    depths = {"chapter": 0}
    if code_system.category_level > 1:
        depths["block"] = 1
    if code_system.category_level > 0:
        depths["category"] = code_system.category_level
    return depths


def _depths(code_system: CodeSystem, names: Sequence[str] | None) -> dict[str, int]:
    known = levels(code_system)
    for name in names or ():
        if name not in known:
            raise InputError(f"{code_system.name} has no level {name!r}; it has {', '.join(known)}")
    return {name: known[name] for name in names or known}


def _k_means(points: np.ndarray, k: int, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        # Equal vectors cannot be told apart; the purity says what that costs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(
            k, init="k-means++", n_init=1, max_iter=_KMEANS_ITERATIONS, random_state=seed
        ).fit_predict(points)


def _agreement(groups: Sequence[str], clusters: np.ndarray, seed: int) -> dict:
    _, groups = np.unique(groups, return_inverse=True)
    random = np.random.default_rng(seed)
    shuffled = [random.permutation(clusters) for _ in range(_SHUFFLES)]
    return {
        "clusters": int(groups.max()) + 1,
        "purity": purity(groups, clusters),
        "nmi": float(normalized_mutual_info_score(groups, clusters)),
        "purity_shuffled": float(np.mean([purity(groups, deal) for deal in shuffled])),
        "nmi_shuffled": float(np.mean([normalized_mutual_info_score(groups, deal) for deal in shuffled])),
    }


def purity(groups: Sequence, clusters: Sequence) -> float:
    """Share of items that belong to the most frequent true group of their cluster, from 0 to 1 (NNBSVR §4.7)."""
    table = contingency_matrix(groups, clusters, sparse=True)
    return float(table.max(axis=0).toarray().sum() / len(groups))


@dataclass(frozen=True)
class NeighbourCounts:
    """How many other codes a code matches at a threshold; `alone` is the share of codes without a neighbour."""

    threshold: float
    codes: int
    mean: float
    median: float
    maximum: int
    alone: float


def neighbour_counts(
    vectors: CodeVectors, threshold: float = 0.76, codes: Sequence[str] | None = None
) -> NeighbourCounts:
    """Counts the neighbours of the codes at a threshold.

    Vectors that match everything reach every pair that should match; this says at what price.

    Args:
        vectors: code vectors. The more codes of a system, the more neighbours: compare the same codes.
        threshold: τ in [0, 1]. Defaults to 0.76.
        codes: the codes whose neighbours among all of `vectors` are counted, such as a sample. Defaults to
            None, every code.

    Returns:
        `NeighbourCounts`.

    Raises:
        InputError: τ lies outside [0, 1], a code has no vector, or there is no code.

    Example:
        >>> from icd_relevancy.vectors import CodeVectors, neighbour_counts
        >>> vectors = CodeVectors(["J18.9", "J18.8", "I10"], [[1, 0], [1, 0.1], [0, 1]])
        >>> round(neighbour_counts(vectors).mean, 2)
        0.67
        >>> neighbour_counts(vectors, codes=["J18.9"]).mean
        1.0
    """
    threshold = check_threshold(threshold)
    units = normalize(vectors.vectors)
    rows = np.arange(len(units))
    if codes is not None:
        row_of = dict(zip(vectors.codes, rows, strict=True))
        rows = np.array([row_of[code] for code in vectors.select(codes).codes])
    if not len(rows):
        raise InputError("there is no code whose neighbours could be counted")
    counts = []
    # Without its edges: those of tens of thousands of codes would not fit into memory at a low threshold.
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS]
        cosines = units[block] @ units.T
        cosines[np.arange(len(block)), block] = -np.inf  # a code is no neighbour of itself
        counts.append(np.count_nonzero(cosines >= threshold - ROUNDING, axis=1))
    counts = np.concatenate(counts)
    return NeighbourCounts(
        threshold=threshold,
        codes=len(counts),
        mean=float(counts.mean()),
        median=float(np.median(counts)),
        maximum=int(counts.max()),
        alone=float((counts == 0).mean()),
    )
