"""Random graphs and label sets of the papers' sizes."""

import numpy as np
from scipy import sparse

from icd_relevancy.relevance import RelevanceGraph


def random_graph(labels: int, neighbours: int = 60, seed: int = 0) -> RelevanceGraph:
    """A graph whose codes have about so many neighbours, anywhere among the labels."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(labels), neighbours // 2)
    columns = rng.integers(0, labels, len(rows))
    off = rows != columns
    half = sparse.csr_matrix(
        (np.ones(off.sum(), np.float32), (rows[off], columns[off])), shape=(labels, labels)
    )
    matrix = ((half + half.T) > 0).astype(np.float32) * 0.8 + sparse.identity(labels, np.float32)
    return RelevanceGraph([f"C{label:05d}" for label in range(labels)], matrix, 0.76)


def random_labels(notes: int, labels: int, each: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """So many labels a note, fewer where one is drawn twice; 0/1, int64."""
    drawn = np.sort(rng.integers(0, labels, (notes, each)), axis=1)
    matrix = sparse.csr_matrix(
        (np.ones(drawn.size, np.int64), drawn.reshape(-1), np.arange(0, drawn.size + 1, each)),
        shape=(notes, labels),
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
