"""An HMHAN training step against the same encoder with one dense layer (MiniLM, 256 tokens, batch 8)."""

from collections.abc import Iterator

import keras
import numpy as np

from experiments.benchmarks.data import random_labels
from experiments.benchmarks.steps import compared, step_seconds
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import hmhan_classifier, note_classifier

BATCH, LENGTH, CODES_A_CATEGORY, STEPS = 8, 256, 3, 15
TARGETS = {45: 1.15, 3100: 1.5}


def measure() -> Iterator[dict]:
    """One row a number of codes: the median step of each model, steps taken in turns."""
    for labels, target in TARGETS.items():
        seconds = fine_tuning_seconds(labels)
        what = f"HMHAN head / encoder step, {labels} codes"
        yield compared(what, 1e3 * seconds["hmhan"], 1e3 * seconds["encoder"], target)


def fine_tuning_seconds(labels: int) -> dict[str, float]:
    """Median seconds of a fine-tuning step with each model."""
    rng = np.random.default_rng(0)
    tokens = {
        "input_ids": rng.integers(1000, 30_000, (BATCH, LENGTH)).astype("int32"),
        "attention_mask": np.ones((BATCH, LENGTH), "int32"),
    }
    y = random_labels(BATCH, labels, 4, rng).toarray().astype("float32")
    membership = np.arange(labels) // CODES_A_CATEGORY
    models = {
        "encoder": note_classifier(labels, encoder=TransformerEncoder(trainable=True)),
        "hmhan": hmhan_classifier(
            labels, membership, encoder=TransformerEncoder(trainable=True, return_sequence=True)
        ),
    }
    for model in models.values():
        # XLA compiles for every length of the notes, and is slower on a processor.
        model.compile(keras.optimizers.AdamW(5e-5), loss="binary_crossentropy", jit_compile=False)
    return step_seconds(models, tokens, y, STEPS)
