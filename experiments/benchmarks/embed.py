"""Time of `embed`, beside sentence-transformers in PyTorch where `PEER_PYTHON` names a Python that has it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from icd_relevancy.encoding.pretrained import default_encoder
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.training import embed

PEER = Path(__file__).with_name("sentence_transformers_embed.py")
MAX_LENGTH, REPEATS, TARGET = 256, 3, 1.0
# Words a text, for about 36 and 247 tokens, and the number of texts.
SIZES = {"short": (23, 400), "long": (182, 100)}
WORDS = """patient acute chest pain shortness of breath history hypertension no fever chronic kidney disease
ceftriaxone discharged renal ultrasound hydronephrosis vesicoureteral reflux pneumonia atelectasis effusion normal
cardiac silhouette""".split()


def measure() -> Iterator[dict]:
    """One row a length of text: the best of several passes, taken in turns with the peer's."""
    python = os.environ.get("PEER_PYTHON")
    folder = default_encoder()
    encoder = TransformerEncoder(folder, max_length=MAX_LENGTH)
    for size, (words, count) in SIZES.items():
        texts = make_texts(words, count)
        vectors = embed(texts, encoder, progress=False)
        ours, peers = [], []
        for _ in range(REPEATS):
            started = time.perf_counter()
            embed(texts, encoder, progress=False)
            ours.append(time.perf_counter() - started)
            if python:
                seconds, peer_vectors = peer_pass(python, folder, texts)
                peers.append(seconds)
                check_equal(vectors, peer_vectors)
        row = {"what": f"embed / sentence-transformers, {count} {size} texts", "ours (ms)": 1e3 * min(ours)}
        if peers:
            row |= {"peer (ms)": 1e3 * min(peers), "ratio": min(ours) / min(peers)}
        yield {**row, "target": TARGET}


def make_texts(words: int, count: int, seed: int = 0) -> list[str]:
    """`count` texts of about `words` random clinical words."""
    random = np.random.default_rng(seed)
    lengths = np.maximum(random.normal(words, 0.15 * words, count).astype(int), 5)
    return [" ".join(random.choice(WORDS, length)) for length in lengths]


def peer_pass(python: str, folder: Path, texts: list[str]) -> tuple[float, np.ndarray]:
    """Seconds of a warm pass of sentence-transformers in a process of its own, and its vectors."""
    given = json.dumps({"encoder": str(folder), "max_length": MAX_LENGTH, "texts": texts})
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(PEER)], input=given, stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    answer = json.loads(done.stdout)
    return answer["seconds"], np.asarray(answer["vectors"], np.float32)


def check_equal(vectors: np.ndarray, peer_vectors: np.ndarray) -> None:
    """Raises where the two encoders do not agree: their speeds could not be compared."""
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(peer_vectors, axis=1)
    least = ((vectors * peer_vectors).sum(axis=1) / norms).min()
    if least < 0.9999:
        raise AssertionError(f"the embeddings differ: least cosine {least}")
