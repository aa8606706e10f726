"""Peak memory of one training epoch over a million notes with 9,278 codes, from embeddings on disk."""

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from experiments.benchmarks.data import random_graph, random_labels
from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.losses import WHML
from icd_relevancy.models import note_classifier

NOTES, LABELS, DIMENSIONS, TARGET_GB = 1_000_000, 9278, 384, 6.0


def measure() -> Iterator[dict]:
    """One row, in gigabytes of the process's largest resident size; takes about a quarter of an hour."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        features = np.lib.format.open_memmap(
            Path(folder) / "embeddings.npy", "w+", np.float32, (NOTES, DIMENSIONS)
        )
        for begin in range(0, NOTES, 10_000):
            features[begin : begin + 10_000] = rng.normal(size=(10_000, DIMENSIONS))
        model = note_classifier(LABELS, embedding_size=DIMENSIONS)
        model.compile(keras.optimizers.Adam(1e-3), loss=WHML(alpha=0.75, relevance=random_graph(LABELS)))
        started = time.perf_counter()
        model.fit(
            note_batches(features, random_labels(NOTES, LABELS, 4, rng), 32, shuffle_seed=0),
            epochs=1,
            verbose=0,
        )
        seconds = time.perf_counter() - started
    yield {
        "what": f"memory of an epoch over {NOTES:,} notes x {LABELS:,} codes in GB ({seconds:.0f} s)",
        "ours": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "target": TARGET_GB,
    }
