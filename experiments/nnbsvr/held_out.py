"""NNBSVR table 7, the harder test: vectors of codes that the model never saw, predicted from their titles."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from tqdm import tqdm

from experiments.harness import show
from experiments.tasks.codes import CodesTask
from experiments.vector_sets import TITLE_DIMENSIONS
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import cache_folder
from icd_relevancy.reporting import bar_plot
from icd_relevancy.vectors import CodeVectors, reduce
from icd_relevancy.vectors.validation import groups_at, hierarchy_reconstruction, levels

_BLOCK = 256
_TRAINED = "NNBSVR from titles"


@dataclass(frozen=True)
class _Split:
    by: str
    trained: tuple[str, ...]
    held_out: tuple[str, ...]


def make(task: CodesTask, settings: dict, stem: Path) -> None:
    """Codes held out of NNBSVR's training: what their titles alone say about their place.

    Table 7 clusters codes whose place in the hierarchy went into their vectors. Here a network learns to
    predict the vectors of nine codes in ten from their titles, without a word of the hierarchy, and the rest
    is judged: by k-means (TF-IDF in the 64 dimensions of its SVD), and by whether the nearest of the trained
    codes is of the same chapter, block and category, beside the share of codes for which some trained code is
    ("at best"). The rivals read the same codes: ICD2Vec embeds title and inclusion terms, TF-IDF compares
    titles. Neither learns from the hierarchy, as this network does by its targets.
    """
    rows = []
    for by in tqdm(settings["held_out"], desc="held out", unit="split"):
        split = _split(task, by, settings["share"])
        for name, predicted, known in _methods(task, split, settings["fine_tune"]):
            rows += [
                {"held out": by, "vectors": name, **cells} for cells in _scores(task, split, predicted, known)
            ]
    table = pd.DataFrame(rows)
    show(table, stem, digits=2)
    shown = table[table["held out"] == settings["held_out"][0]]
    values = shown.pivot_table(index="level", columns="vectors", values="nearest in the same (%)")
    values = values.loc[list(levels(task.system)), list(dict.fromkeys(shown["vectors"]))]
    ylabel = "nearest trained code in the same group (%)"
    title = f"Held-out codes, by {settings['held_out'][0]}"
    bar_plot(stem.parent / f"{stem.name}.png", values, ylabel, title=title)


def _split(task: CodesTask, by: str, share: float) -> _Split:
    depth = {"category": task.system.category_level, "code": len(task.system.codes)}
    if by not in depth:
        raise InputError(f"held_out: expected {' or '.join(depth)}. Received: {by!r}")
    groups = np.array(groups_at(task.system, task.codes, depth[by]))
    distinct = np.unique(groups)
    count = round(share * len(distinct))
    if not 1 < count < len(distinct):
        raise InputError(f"share: {share} of {len(distinct)} groups leaves too few codes on one side")
    drawn = np.random.default_rng(task.config.seed).choice(distinct, count, replace=False)
    held = np.isin(groups, drawn)
    codes = np.array(task.codes, dtype=object)
    return _Split(by, tuple(codes[~held]), tuple(codes[held]))


def _methods(task: CodesTask, split: _Split, fine_tune: bool):
    """Yields a name, points of the held-out codes and points of the trained ones, rows of unit length."""
    from icd_relevancy.vectors.text_to_vector import TextToVector, TextToVectorConfig

    titles = [[task.system.title(code) for code in codes] for codes in (split.trained, split.held_out)]
    vectors = task.vectors("NNBSVR")
    known, true = (vectors.select(codes).vectors for codes in (split.trained, split.held_out))
    encoder, length, seed = task.config.encoder, task.config.max_length, task.config.seed
    config = TextToVectorConfig(encoder=encoder, fine_tune=fine_tune, max_length=length, seed=seed)
    cache = cache_folder() / "embeddings"
    model = TextToVector.train(titles[0], known, config, cache)
    yield _TRAINED, normalize(model.predict(titles[1], cache)), normalize(known)
    icd2vec = task.vectors("ICD2Vec")
    yield "ICD2Vec", *(normalize(icd2vec.select(codes).vectors) for codes in (split.held_out, split.trained))
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit(titles[0])
    yield "TF-IDF titles", words.transform(titles[1]), words.transform(titles[0])
    yield "NNBSVR, not held out", normalize(true), normalize(known)


def _scores(task: CodesTask, split: _Split, predicted, known) -> list[dict]:
    nearest = _nearest(predicted, known)
    # k-means takes no sparse points of thousands of words.
    points = predicted if isinstance(predicted, np.ndarray) else _few_dimensions(predicted)
    vectors = CodeVectors(split.held_out, points)
    clusters = hierarchy_reconstruction(vectors, task.system, split.held_out, task.config.seed)
    rows = []
    for level, depth in levels(task.system).items():
        own = np.array(groups_at(task.system, split.held_out, depth))
        found = np.array(groups_at(task.system, split.trained, depth))
        at_best = np.isin(own, found).mean()
        cells = {"level": level, "codes": len(own)}
        cells["nearest in the same (%)"] = 100 * np.mean(own == found[nearest]) if at_best else np.nan
        cells["at best (%)"] = 100 * at_best
        scores = clusters[clusters["level"] == level].to_dict("records")
        for key in ("purity", "purity_shuffled", "nmi", "nmi_shuffled"):
            cells[f"{key.replace('_', ' ')} (%)"] = 100 * scores[0][key] if scores else np.nan
        rows.append(cells)
    return rows


def _few_dimensions(words: sparse.csr_matrix) -> np.ndarray:
    return reduce(words, min(TITLE_DIMENSIONS, *(size - 1 for size in words.shape)))[0]


def _nearest(points, known) -> np.ndarray:
    """The row of `known` with the greatest cosine, for each of `points`; blockwise, as all pairs are many."""
    found = []
    for start in range(0, points.shape[0], _BLOCK):
        cosines = points[start : start + _BLOCK] @ known.T
        found.append(np.asarray(cosines.argmax(axis=1)).ravel())
    return np.concatenate(found)
