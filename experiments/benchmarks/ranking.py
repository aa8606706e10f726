"""Ranking metrics of 5,000 stays x 9,336 codes, about 40 codes a stay; macro-AUROC beside scikit-learn's."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.metrics import roc_auc_score

from experiments.benchmarks.data import long_tailed_labels
from experiments.benchmarks.steps import compared, seconds_of
from icd_relevancy.metrics.multilabel import auroc
from icd_relevancy.metrics.ranking import rank_errors_at_recall

STAYS, NODES, EACH = 5000, 9336, 40
RECALLS = (0.25, 0.5, 0.75, 1.0)
TARGET_SECONDS, TARGET_PER_CENT, TARGET_MEMORY = 1.5, 1.0, 3.0


def measure() -> Iterator[dict]:
    """Three rows: RE@R in seconds, macro-AUROC over all codes in per cent, and memory with that of the scores."""
    rng = np.random.default_rng(0)
    truth = long_tailed_labels(STAYS, NODES, EACH, rng)
    scores = rng.random(truth.shape, np.float32)
    scores += 0.3 * truth.toarray().astype(np.float32)

    def errors():
        return rank_errors_at_recall(truth, scores, recall=RECALLS)

    def area():
        return auroc(truth, scores, "macro")

    size = f"{STAYS:,} stays x {NODES:,} codes"
    yield {
        "what": f"RE@25, 50, 75 and 100 of {size}, in seconds",
        "ours": min(seconds_of(errors) for _ in range(5)),
        "target": TARGET_SECONDS,
    }
    dense, ours, peer = truth.toarray(), [], []
    for _ in range(2):
        ours += [seconds_of(area) for _ in range(5)]
        peer.append(seconds_of(lambda: roc_auc_score(dense, scores, average="macro")))
    if abs(area() - roc_auc_score(dense, scores, average="macro")) > 1e-12:
        raise AssertionError("the two areas differ")
    row = compared(
        f"macro-AUROC of {size} / scikit-learn's, in per cent",
        1e3 * min(ours),
        1e3 * min(peer),
        TARGET_PER_CENT,
    )
    yield {**row, "ratio": 100 * row["ratio"]}
    yield {
        "what": f"memory of RE@R and macro-AUROC with the scores / the scores, {size}",
        "ratio": 1 + max(_peak(errors), _peak(area)) / scores.nbytes,
        "target": TARGET_MEMORY,
    }


def _peak(call: Callable) -> int:
    """Most bytes that a call holds at a time; NumPy tells its arrays to `tracemalloc`."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
