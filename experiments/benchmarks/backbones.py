"""Words a second of the label-wise attention backbones at their printed sizes, notes of 1,000 words, 2,000 codes.

CAML and LAAT stand beside the same layers in PyTorch where `PEER_PYTHON` names a Python that has it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from experiments.benchmarks.data import random_labels
from experiments.benchmarks.steps import median_seconds
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import caml, laat, multirescnn, plm_icd

PEER = Path(__file__).with_name("pytorch_backbones.py")
LENGTH, LABELS, VOCABULARY, EMBEDDING, EACH = 1000, 2000, 30_000, 100, 10
PASSES, STEPS, TARGET = 2, 5, 1.0
# As JAMS trains them.
BATCH = {"caml": 8, "laat": 8, "multirescnn": 16, "plm_icd": 1}
WITH_PEER = ("caml", "laat")


def measure() -> Iterator[dict]:
    """Two rows a backbone, training and inference; a pass's median step, the best pass, in turns with the peer's."""
    python = os.environ.get("PEER_PYTHON")
    if not python:
        print("no PyTorch beside CAML and LAAT: PEER_PYTHON names no Python that has it", file=sys.stderr)
    for name, batch in BATCH.items():
        model, x, y = made(name, batch)
        peers = bool(python) and name in WITH_PEER
        passes = [
            (own_pass(model, x, y), peer_pass(python, name, model, x, y) if peers else None)
            for _ in range(PASSES)
        ]
        for kind in ("training", "inference"):
            ours = min(own[kind] for own, _ in passes)
            row = {"what": f"{name} {kind}, words/s, batch {batch}", "ours": batch * LENGTH / ours}
            if peers:
                theirs = min(peer[kind] for _, peer in passes)
                row |= {"peer": batch * LENGTH / theirs, "ratio": ours / theirs}
            yield {**row, "target": TARGET if name in WITH_PEER else np.nan}


def made(name: str, batch: int):
    """A compiled backbone, and a batch for it: its inputs, as many words a note as there are, and labels."""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    words = {"vocabulary_size": VOCABULARY, "embedding_size": EMBEDDING}
    if name == "plm_icd":
        encoder = TransformerEncoder(trainable=True, return_sequence=True, chunk_length=128)
        model = plm_icd(LABELS, encoder)
    else:
        model = {"caml": caml, "laat": laat, "multirescnn": multirescnn}[name](LABELS, **words)
    # XLA compiles for every length of the notes, and is slower on a processor.
    model.compile(keras.optimizers.AdamW(1e-4), loss="binary_crossentropy", jit_compile=False)
    x = {
        "input_ids": rng.integers(2, VOCABULARY, (batch, LENGTH)).astype("int32"),
        "attention_mask": np.ones((batch, LENGTH), "int32"),
    }
    return model, x, random_labels(batch, LABELS, EACH, rng).toarray().astype("float32")


def own_pass(model: keras.Model, x: dict, y: np.ndarray) -> dict[str, float]:
    """Median seconds of a step of training and of inference."""
    return {
        "training": median_seconds(lambda: model.train_on_batch(x, y), STEPS),
        "inference": median_seconds(lambda: model.predict_on_batch(x), STEPS),
    }


def peer_pass(python: str, name: str, model: keras.Model, x: dict, y: np.ndarray) -> dict[str, float]:
    """The same in PyTorch, in a process of its own, on the same batch and from the same weights."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        weights = {f"weight_{number}": weight for number, weight in enumerate(model.get_weights())}
        np.savez(Path(folder) / "given.npz", ids=x["input_ids"], y=y, **weights)
        given = {"name": name, "steps": STEPS, "folder": folder}
        done = subprocess.run(
            [python, str(PEER)],
            input=json.dumps(given),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        )
        peer_probabilities = np.load(Path(folder) / "probabilities.npy")
    check_equal(model.predict_on_batch(x), peer_probabilities)
    return json.loads(done.stdout)


def check_equal(probabilities: np.ndarray, peer_probabilities: np.ndarray) -> None:
    """Raises where the two models do not agree: their speeds could not be compared."""
    most = np.abs(probabilities - peer_probabilities).max()
    if most > 1e-4:
        raise AssertionError(f"the probabilities differ by up to {most}")
