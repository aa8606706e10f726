"""The best threshold of 9 million scores against whole reports of so many thresholds as were once compared."""

import time
from collections.abc import Iterator

import numpy as np

from experiments.benchmarks.steps import compared
from icd_relevancy.metrics import relevancy_report
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.thresholds import predicted_labels, tune_threshold
from icd_relevancy.vectors import CodeVectors

NOTES, LABELS, LABELS_A_NOTE, CANDIDATES = 3000, 3000, 12, 100
TARGET_RATIO = 0.2


def measure() -> Iterator[dict]:
    """One row in equality and one in relevancy terms: our seconds as a share of those of the reports."""
    random = np.random.default_rng(0)
    y = random.random((NOTES, LABELS)) < LABELS_A_NOTE / LABELS
    scores = (1 / (1 + np.exp(3 - 2.5 * y - random.standard_normal(y.shape)))).astype(np.float32)
    y = y.astype(np.int64)
    vectors = CodeVectors([str(label) for label in range(LABELS)], random.standard_normal((LABELS, 8)))
    highest = np.sort(scores, axis=None)[::-1]
    thresholds = highest[np.geomspace(y.sum() // 10, 5 * y.sum(), CANDIDATES).astype(int)]
    for graph in (None, RelevanceGraph.from_vectors(vectors, threshold=0.9)):
        started = time.perf_counter()
        _, ours = tune_threshold(y, scores, graph)
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        theirs = max(relevancy_report(y, predicted_labels(scores, one), graph).micro_f1 for one in thresholds)
        reports = time.perf_counter() - started
        if ours < theirs:
            raise AssertionError("a threshold compared is better than the best")
        kind = "equality" if graph is None else "relevancy"
        what = f"best threshold of {scores.size:,} scores, {kind}, against {CANDIDATES} reports"
        yield compared(what, 1e3 * seconds, 1e3 * reports, TARGET_RATIO)
