"""A WHML training step against a BCE step (batch 32, 768-d embeddings, 60 neighbours a code, 4 codes a note)."""

from collections.abc import Iterator

import keras
import numpy as np

from experiments.benchmarks.data import random_graph, random_labels
from experiments.benchmarks.steps import compared, step_seconds
from icd_relevancy.losses import WHML
from icd_relevancy.models import note_classifier

TARGETS = {9278: 1.15, 74000: 1.5}


def measure() -> Iterator[dict]:
    """One row a number of labels: the median step of each loss, steps taken in turns."""
    for labels, target in TARGETS.items():
        graph = random_graph(labels)
        seconds = _seconds(labels, {"bce": "binary_crossentropy", "whml": WHML(alpha=0.75, relevance=graph)})
        what = f"WHML / BCE training step, {labels} labels"
        yield compared(what, 1e3 * seconds["whml"], 1e3 * seconds["bce"], target)


def _seconds(labels: int, losses: dict) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 768)).astype("float32")
    y = random_labels(32, labels, 4, rng).toarray().astype("float32")
    models = {}
    for name, loss in losses.items():
        models[name] = note_classifier(labels, embedding_size=768)
        models[name].compile(keras.optimizers.Adam(1e-3), loss=loss)
    return step_seconds(models, x, y, min(40, 400_000 // labels))
