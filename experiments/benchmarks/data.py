"""Random graphs, hierarchies, stays and label sets of the papers' sizes."""

import numpy as np
from scipy import sparse

from icd_relevancy.codes import code_system
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.relevance.graph import RelevanceGraph


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


def long_tailed_labels(stays: int, labels: int, each: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """About so many labels a stay, the r-th most frequent in proportion to 1 / r, and each in one stay at least."""
    shares = 1 / np.arange(1, labels + 1)
    drawn = rng.choice(labels, stays * each, p=shares / shares.sum())
    rows = np.concatenate([np.repeat(np.arange(stays), each), rng.integers(0, stays, labels)])
    columns = np.concatenate([drawn, np.arange(labels)])
    matrix = sparse.csr_matrix((np.ones(len(rows), np.int64), (rows, columns)), shape=(stays, labels))
    matrix.data[:] = 1
    return matrix[:, rng.permutation(labels)]


def random_stays(stays: int, inputs: int, each: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """A scaled age and so many drugs a stay, float32."""
    drugs = random_labels(stays, inputs - 1, each, rng).astype(np.float32)
    return sparse.hstack([rng.random((stays, 1), np.float32), drugs], format="csr")


def drawn_hierarchy(system: str, nodes: int, rng: np.random.Generator) -> Hierarchy:
    """So many nodes of a code system: codes without children at random, with all above them."""
    system, drawn = code_system(system), {}
    for leaf in rng.permutation(system.leaves):
        path = dict.fromkeys([str(leaf), *system.ancestors(str(leaf))])
        if len(drawn | path) <= nodes:
            drawn |= path
        if len(drawn) == nodes:
            break
    return Hierarchy.from_code_system(system, sorted(drawn))
