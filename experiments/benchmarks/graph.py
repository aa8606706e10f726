"""`RelevanceGraph.from_vectors` against a plain blocked NumPy product with a threshold (74,000 codes, 29-d)."""

import time
from collections.abc import Iterator

import numpy as np

from experiments.benchmarks.steps import compared
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.vectors import CodeVectors

CODES, DIMENSIONS, THRESHOLD, TARGET = 74_000, 29, 0.76, 0.75


def measure() -> Iterator[dict]:
    """One row."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CODES // 40, DIMENSIONS))
    vectors = centres[rng.integers(0, len(centres), CODES)] + 0.35 * rng.normal(size=(CODES, DIMENSIONS))
    vectors = CodeVectors([f"C{code:05d}" for code in range(CODES)], vectors)
    started = time.perf_counter()
    pairs = plain_product(vectors.vectors)
    between = time.perf_counter()
    graph = RelevanceGraph.from_vectors(vectors, threshold=THRESHOLD)
    ended = time.perf_counter()
    what = f"relevance graph of 74,000 codes ({pairs / CODES:.0f} matches a code) / blocked product"
    yield compared(what, 1e3 * (ended - between), 1e3 * (between - started), TARGET)
    if abs(graph.matrix.nnz - pairs) > 1e-5 * pairs:  # float32 rounding at the threshold
        raise AssertionError(f"the two disagree: {graph.matrix.nnz} and {pairs} matches")


def plain_product(vectors: np.ndarray, block: int = 1024) -> int:
    """Every block of unit rows times all rows, thresholded; the number of matches."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    matches = 0
    for start in range(0, len(unit), block):
        cosines = unit[start : start + block] @ unit.T
        rows, columns = np.nonzero(cosines >= THRESHOLD)
        matches += len(cosines[rows, columns])
    return matches
