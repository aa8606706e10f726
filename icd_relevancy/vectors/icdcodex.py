"""Code vectors from random walks over the hierarchy, as ICD-Codex makes them."""

from collections.abc import Sequence

import numpy as np

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.progress import doing, tell_if_long
from icd_relevancy.vectors.baselines import chosen_codes
from icd_relevancy.vectors.code_vectors import CodeVectors

RECIPE = "icdcodex-1"
NEGATIVES = 5


def icdcodex_vectors(
    code_system: CodeSystem,
    codes: Sequence[str] | None = None,
    dimensions: int = 64,
    walk_length: int = 40,
    walks: int = 2,
    window: int = 20,
    p: float = 4.0,
    q: float = 1.0,
    epochs: int = 1,
    learning_rate: float = 0.1,
    seed: int = 0,
) -> CodeVectors:
    """Vectors of codes by node2vec over the hierarchy (ICD-Codex; NNBSVR §2, §4.7).

    `walks` random walks start at every node of the hierarchy; a root joins the top nodes. The nodes of a walk
    are read as the words of a sentence by Word2Vec (skip-gram with negative sampling), so that codes near each
    other in the tree get near vectors. The titles play no part. The whole hierarchy is walked, whichever codes
    are wanted. Equal arguments give equal vectors: one thread trains.

    The defaults give this rival what it needs on a tree of a hundred thousand nodes in one pass: long walks
    that seldom turn back and a wide window, so that siblings in their dozens do not hold every walk; nodes
    that occur more often than the average one thinned out (Word2Vec's subsampling); and a larger learning rate
    than the 0.025 of Word2Vec, at which one pass leaves the vectors near their random start.

    Args:
        code_system: the code system.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system.
        dimensions: number of dimensions. Defaults to 64.
        walk_length: number of nodes of a walk. Defaults to 40.
        walks: number of walks from each node. Defaults to 2.
        window: number of steps up to which two nodes of a walk count as neighbours. Defaults to 20.
        p: return parameter of node2vec: the larger, the rarer a walk steps back. Defaults to 4.
        q: in-out parameter: the larger, the rarer a walk steps on. Defaults to 1. In a tree only `p / q`
            matters.
        epochs: number of passes over the walks. Defaults to 1.
        learning_rate: learning rate at the start; it falls evenly to the end. Defaults to 0.1.
        seed: seed of the walks and of Word2Vec. Defaults to 0.

    Returns:
        `CodeVectors` of `dimensions` dimensions.

    Raises:
        InputError: gensim is not installed, a code is not in the system or wanted twice, or a setting is out
            of its range.

    Example:
        >>> from icd_relevancy.codes import CodeSystem
        >>> parents = {"J": None, "J18": "J", "J45": "J", "J18.1": "J18", "J18.9": "J18"}
        >>> system = CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents)
        >>> icdcodex_vectors(system, codes=["J18.9"], dimensions=8).vectors.shape
        (1, 8)
    """
    counts = {
        "dimensions": dimensions,
        "walk_length": walk_length,
        "walks": walks,
        "window": window,
        "epochs": epochs,
    }
    for name, value in counts.items():
        least = 2 if name == "walk_length" else 1
        if value < least:
            raise InputError(f"{name} must be at least {least}. Received: {value}")
    if not learning_rate > 0:
        raise InputError(f"learning_rate must be above 0. Received: {learning_rate}")
    wanted = chosen_codes(code_system, codes)
    word2vec = _word2vec()
    tell_if_long(f"building vectors of the {len(code_system)} codes of {code_system.name}", len(code_system))
    with doing("walking through the hierarchy"):
        paths = random_walks(code_system, walk_length, walks, p, q, seed)
    # gensim takes words, and looks an int up as a row.
    names = np.array([str(node) for node in range(len(code_system) + 1)], dtype=object)
    with doing("learning from the walks"):
        model = word2vec(
            _Sentences(paths, names),
            vector_size=dimensions,
            window=window,
            sg=1,
            hs=0,
            negative=NEGATIVES,
            alpha=learning_rate,
            sample=1 / len(names),
            min_count=0,
            epochs=epochs,
            seed=seed,
            workers=1,
        )
    vectors = np.empty((len(names), dimensions), np.float32)
    vectors[[int(name) for name in model.wv.index_to_key]] = model.wv.vectors
    settings = {**counts, "p": p, "q": q, "learning_rate": learning_rate, "seed": seed}
    meta = {"recipe": RECIPE, "code_system": code_system.name, **settings}
    return CodeVectors(code_system.codes, vectors[:-1], meta).select(wanted)


def random_walks(
    code_system: CodeSystem, walk_length: int, walks: int, p: float = 1.0, q: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Second-order random walks of node2vec over the hierarchy, from every node.

    A step from a node goes back to the node before with weight `1 / p` and on to each other neighbour with
    weight `1 / q`: two neighbours of a node of a tree are never neighbours of each other, so node2vec's third
    weight has no place. The first step is uniform. A node with one neighbour sends a walk back, even where
    `p` is infinite.

    Args:
        code_system: the code system; m nodes.
        walk_length: number of nodes of a walk.
        walks: number of walks from each node.
        p: return parameter, above 0; may be infinite. Defaults to 1.
        q: in-out parameter, above 0 and finite. Defaults to 1.
        seed: seed of the walks. Defaults to 0.

    Returns:
        int32 array `((m + 1) * walks, walk_length)`, in random order; the number of a node is its place in
        `code_system.codes`, m is the root above the top nodes.

    Raises:
        InputError: `p` or `q` is out of its range.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> random_walks(icd9cm(), walk_length=10, walks=1).shape == (len(icd9cm()) + 1, 10)
        True
    """
    if not p > 0 or not 0 < q < np.inf:
        raise InputError(f"p must be above 0, and q above 0 and finite. Received: p={p}, q={q}")
    first, degrees, targets, backwards = _edges(code_system)
    generator = np.random.default_rng(seed)
    node = generator.permutation(np.repeat(np.arange(len(degrees), dtype=np.int32), walks))
    paths = np.empty((len(node), walk_length), np.int32)
    paths[:, 0] = node
    edge = None
    for step in range(1, walk_length):
        if edge is None:
            edge = first[node] + generator.integers(degrees[node])
        else:
            back, others = backwards[edge], degrees[node] - 1
            # The way back is left out of the draw by stepping over its place.
            on = first[node] + generator.integers(np.maximum(others, 1))
            on += on >= back
            returns = generator.random(len(node)) * (1 / p + others / q) < 1 / p
            edge = np.where(returns | (others == 0), back, on)
        node = targets[edge]
        paths[:, step] = node
    return paths


def _edges(code_system: CodeSystem) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The tree as directed edges sorted by their start, each edge both ways.

    Returns, for each node, its first edge and its number of edges, and, for each edge, its end and the edge
    of the opposite direction.
    """
    root = len(code_system)
    rows = {code: row for row, code in enumerate(code_system.codes)}
    parents = np.array([rows.get(code_system.parent(code), root) for code in code_system.codes], np.int32)
    children = np.arange(root, dtype=np.int32)
    starts = np.concatenate([children, parents])
    ends = np.concatenate([parents, children])
    order = np.lexsort((ends, starts))
    starts, ends = starts[order], ends[order]
    degrees = np.bincount(starts, minlength=root + 1)
    # Sorted by end and then start, the k-th edge is the k-th edge the other way round.
    return np.cumsum(degrees) - degrees, degrees, ends, np.lexsort((starts, ends))


class _Sentences:
    """Walks as gensim reads them, once for the vocabulary and once an epoch."""

    def __init__(self, paths: np.ndarray, names: np.ndarray):
        self.paths, self.names = paths, names

    def __iter__(self):
        for path in self.paths:
            yield self.names[path].tolist()


def _word2vec():
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise InputError('ICD-Codex vectors need gensim; run: pip install "icd_relevancy[text]"') from error
    return Word2Vec
