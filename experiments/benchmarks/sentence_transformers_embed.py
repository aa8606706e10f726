"""One pass of sentence-transformers over the texts on standard input; for a Python that has PyTorch."""

import json
import sys
import time

from sentence_transformers import SentenceTransformer


def main() -> None:
    """Reads `encoder`, `max_length` and `texts` as JSON; writes a warm pass's `seconds` and `vectors`."""
    given = json.load(sys.stdin)
    full = SentenceTransformer(given["encoder"], device="cpu")
    # The third module normalises, which `embed` does not.
    model = SentenceTransformer(modules=[full[0], full[1]], device="cpu")
    model.max_seq_length = given["max_length"]
    texts = given["texts"]
    model.encode(texts[:32], show_progress_bar=False)
    started = time.perf_counter()
    vectors = model.encode(texts, batch_size=32, show_progress_bar=False)
    seconds = time.perf_counter() - started
    json.dump({"seconds": seconds, "vectors": vectors.tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
