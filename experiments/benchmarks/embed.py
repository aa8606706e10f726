"""Texts a second of `embed`, beside sentence-transformers where `PEER_PYTHON` names a Python that has it."""

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np

from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.pretrained import default_encoder
from icd_relevancy.training import embed

PEER = Path(__file__).with_name("sentence_transformers_embed.py")
MAX_LENGTH = 256
REPEATS = 3
# Words a text, for about 36 and 247 tokens, and the number of texts.
SIZES = {"short": (23, 400), "long": (182, 100)}
WORDS = [
    "patient",
    "acute",
    "chest",
    "pain",
    "shortness",
    "of",
    "breath",
    "history",
    "hypertension",
    "no",
    "fever",
]
WORDS += [
    "chronic",
    "kidney",
    "disease",
    "ceftriaxone",
    "discharged",
    "renal",
    "ultrasound",
    "hydronephrosis",
]
WORDS += [
    "vesicoureteral",
    "reflux",
    "pneumonia",
    "atelectasis",
    "effusion",
    "normal",
    "cardiac",
    "silhouette",
]


def make_texts(words: int, count: int, seed: int = 0) -> list[str]:
    """`count` texts of about `words` random clinical words."""
    random = np.random.default_rng(seed)
    lengths = np.maximum(random.normal(words, 0.15 * words, count).astype(int), 5)
    return [" ".join(random.choice(WORDS, length)) for length in lengths]


def texts_a_second(encoder: TransformerEncoder, texts: list[str]) -> dict[str, float]:
    """The rate of one pass: by the clock, and by the processor time of all threads."""
    clock, processor = time.perf_counter(), time.process_time()
    embed(texts, encoder, progress=False)
    return {
        "second": len(texts) / (time.perf_counter() - clock),
        "processor second": len(texts) / (time.process_time() - processor),
    }


def peer_texts_a_second(python: str, folder: Path, texts: list[str]) -> tuple[dict[str, float], np.ndarray]:
    """The same for sentence-transformers, one warm pass in a process of its own, and its vectors."""
    given = json.dumps({"encoder": str(folder), "max_length": MAX_LENGTH, "texts": texts})
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(PEER)], input=given, stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    answer = json.loads(done.stdout)
    return answer["rates"], np.asarray(answer["vectors"], np.float32)


def main() -> None:
    """Prints the rates, best of several passes taken in turn with the peer's, and their ratio."""
    python = os.environ.get("PEER_PYTHON")
    folder = default_encoder()
    encoder = TransformerEncoder(folder, max_length=MAX_LENGTH)
    for size, (words, count) in SIZES.items():
        texts = make_texts(words, count)
        vectors = embed(texts, encoder, progress=False)
        ours, peers = [], []
        for _ in range(REPEATS):
            ours.append(texts_a_second(encoder, texts))
            if python:
                rates, peer_vectors = peer_texts_a_second(python, folder, texts)
                peers.append(rates)
        for unit in ours[0]:
            best = max(rates[unit] for rates in ours)
            line = f"{size}: embed {best:.1f} texts/{unit}"
            if peers:
                peer = max(rates[unit] for rates in peers)
                line += f", sentence-transformers {peer:.1f}, ratio {best / peer:.2f}"
            print(line, flush=True)
        if peers:
            norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(peer_vectors, axis=1)
            print(
                f"{size}: least cosine {((vectors * peer_vectors).sum(axis=1) / norms).min():.6f}", flush=True
            )


if __name__ == "__main__":
    main()
