"""Code vectors from what a code system alone knows: the hierarchy and the titles."""

import re
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.reduction import reduce

RECIPE = "hierarchy-title-1"
INHERITED = 0.7  # share of a parent's words that a code takes over; a grandparent's is its square
TERMS = 0.5  # weight of the inclusion terms against the title
FITTED_LEVELS = 4
# Words that say how specific a code is, on which side or at which visit, not which disease it is: codes that
# only differ in them should be neighbours.
SPECIFICITY = frozenset(
    """a an and as at by due for from in into of on or the to with without other unspecified specified certain
    mention not elsewhere classified nec nos type part parts site sites multiple side right left bilateral
    unilateral initial subsequent sequela encounter""".split()
)
CODE_RANGE = re.compile(r"\([A-Z]\d\w[^)]*\)")
WORD = re.compile(r"[^\W\d_]{2,}|\d+")
OPPOSITES = re.compile(r"\b(hyper|hypo)-?([a-z]{3,})")


def hierarchy_title_vectors(
    code_system: CodeSystem,
    codes: Sequence[str] | None = None,
    dimensions: int | None = None,
    seed: int = 0,
    residual_dimensions: int = 192,
) -> CodeVectors:
    """Vectors of codes from their place in the hierarchy and their titles (NNBSVR §3.1.2-3.1.3).

    The hierarchy features of a code are its ancestors and itself, one-hot; nodes without children are left
    out, as they would only say that each code differs from all others. The title features are the TF-IDF
    weights of the words in its title and inclusion terms, without words of specificity, side or visit, joined
    by those of its ancestors with falling weight; `hyper-` and `hypo-` words of one stem count against each
    other. Both groups have unit length in every row, hence one scale (the min-max step of the paper) and
    equal say.

    `TruncatedSVD` reduces the features to the elbow of their explained variance. So few directions hold what
    whole blocks share but not what tells one disease from the next, so the rest of every row is kept by a
    Gaussian random projection: the cosine of two vectors is close to the cosine of their features (standard
    error about `1 / sqrt(residual_dimensions)`, less for near pairs).

    Args:
        code_system: the code system. Its upper four levels fit the directions, as the codes below repeat them
            in many variants.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system.
        dimensions: number of dimensions of the decomposition. Defaults to None, the elbow.
        seed: seed of the decomposition and the projection. Defaults to 0.
        residual_dimensions: number of dimensions of the random projection. 0 leaves the paper's plain
            reduction. Defaults to 192.

    Returns:
        `CodeVectors` of `dimensions + residual_dimensions` dimensions.

    Raises:
        InputError: a code is not in the system, or the system has neither a hierarchy nor words.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> vectors = hierarchy_title_vectors(icd9cm(), codes=["428.0", "428.9", "462"])
        >>> vectors.similarity("428.0", "428.9") > vectors.similarity("428.0", "462")
        True
    """
    features, levels = hierarchy_title_features(code_system)
    fit_rows = np.flatnonzero(levels < FITTED_LEVELS)
    vectors, reduction = reduce(features, dimensions, seed, fit_rows=fit_rows)
    if residual_dimensions:
        normal = np.random.default_rng(seed).standard_normal(
            (features.shape[1], residual_dimensions), np.float32
        )
        normal /= np.sqrt(residual_dimensions)
        residual = features @ normal - vectors @ (reduction.components @ normal)
        vectors = np.hstack([vectors, residual])
    meta = {
        "recipe": RECIPE,
        "code_system": code_system.name,
        "svd_dimensions": reduction.dimensions,
        "residual_dimensions": residual_dimensions,
        "explained_variance": round(float(reduction.explained_variance[reduction.dimensions - 1]), 4),
        "seed": seed,
    }
    every = CodeVectors(code_system.codes, vectors, meta)
    return every if codes is None else every.select(codes)


def hierarchy_title_features(code_system: CodeSystem) -> tuple[sparse.csr_matrix, np.ndarray]:
    """The features behind `hierarchy_title_vectors`.

    Args:
        code_system: the code system; m nodes.

    Returns:
        Sparse float32 matrix `(m, features)` and the level of each node, int array `(m,)`.

    Raises:
        InputError: the system has neither a hierarchy nor words in its titles.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> features, levels = hierarchy_title_features(icd9cm())
        >>> features.shape[0] == len(icd9cm()), int(levels.max())
        (True, 3)
    """
    rows = {code: row for row, code in enumerate(code_system.codes)}
    parents = np.array([rows.get(code_system.parent(code), -1) for code in code_system.codes])
    levels = np.zeros(len(parents), dtype=int)
    for row, parent in enumerate(parents):
        levels[row] = 0 if parent < 0 else levels[parent] + 1
    below = np.flatnonzero(parents >= 0)
    to_parent = sparse.csr_matrix(
        (np.ones(len(below), np.float32), (below, parents[below])), shape=(len(parents), len(parents))
    )
    inner = np.unique(parents[below])
    own_node = sparse.identity(len(parents), dtype=np.float32, format="csc")[:, inner].tocsr()
    hierarchy = _with_ancestors(own_node, to_parent, levels.max(), 1.0)
    titles = _with_ancestors(_own_words(code_system), to_parent, levels.max(), INHERITED)
    # A table without parents has no hierarchy features, one of bare stop words no title features.
    groups = [normalize(group) for group in (hierarchy, titles) if group.shape[1]]
    if not groups:
        raise InputError(
            f"{code_system.name} has neither a hierarchy nor words in its titles to make vectors of"
        )
    return sparse.hstack(groups, format="csr", dtype=np.float32), levels


def _with_ancestors(own, to_parent, depth: int, share: float):
    total = inherited = own
    for _ in range(depth):
        inherited = share * (to_parent @ inherited)
        total = total + inherited
    return total


def _own_words(code_system: CodeSystem) -> sparse.csr_matrix:
    titles = [CODE_RANGE.sub("", code_system.title(code)).lower() for code in code_system.codes]
    terms = [" ".join(code_system.inclusion_terms(code)).lower() for code in code_system.codes]
    groups = []
    if any(map(_words, titles)):
        tfidf = TfidfVectorizer(analyzer=_words, sublinear_tf=True, dtype=np.float32)
        groups.append(tfidf.fit_transform(titles) + TERMS * tfidf.transform(terms))
    if any(map(_opposites, titles)):
        signed = TfidfVectorizer(analyzer=_opposites, dtype=np.float32)
        weights = signed.fit_transform(titles)
        groups.append(weights @ _fold(signed.get_feature_names_out()))
    if not groups:
        return sparse.csr_matrix((len(titles), 0), dtype=np.float32)
    return normalize(sparse.hstack(groups, format="csr"))


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if word not in SPECIFICITY]


def _opposites(text: str) -> list[str]:
    return [prefix + " " + stem for prefix, stem in OPPOSITES.findall(text)]


def _fold(names: Sequence[str]) -> sparse.csr_matrix:
    """Maps the columns `hyper x` and `hypo x` onto one column `x`, with opposite signs."""
    prefixes, stems = zip(*(name.split() for name in names), strict=True)
    columns = {stem: column for column, stem in enumerate(sorted(set(stems)))}
    signs = np.array([1 if prefix == "hyper" else -1 for prefix in prefixes], dtype=np.float32)
    return sparse.csr_matrix(
        (signs, (np.arange(len(names)), [columns[stem] for stem in stems])), shape=(len(names), len(columns))
    )
