"""One pass of sentence-transformers over the texts on standard input; for a Python that has PyTorch."""

import json
import sys
import time

from sentence_transformers import SentenceTransformer


def main() -> None:
    """Reads `encoder`, `max_length` and `texts` as JSON; writes a warm pass's `rates` and `vectors`."""
    given = json.load(sys.stdin)
    full = SentenceTransformer(given["encoder"], device="cpu")
    # The third module normalises, which `embed` does not.
    model = SentenceTransformer(modules=[full[0], full[1]], device="cpu")
    model.max_seq_length = given["max_length"]
    texts = given["texts"]
    model.encode(texts[:32], show_progress_bar=False)
    clock, processor = time.perf_counter(), time.process_time()
    vectors = model.encode(texts, batch_size=32, show_progress_bar=False)
    rates = {
        "second": len(texts) / (time.perf_counter() - clock),
        "processor second": len(texts) / (time.process_time() - processor),
    }
    json.dump({"rates": rates, "vectors": vectors.tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
