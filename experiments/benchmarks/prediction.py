"""Peak memory of a process that predicts all nodes for all stays of MIMIC-III's size, streamed."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from experiments.benchmarks.data import random_stays
from icd_relevancy._keras import start_tensorflow

STAYS, NODES, INPUTS, TARGET_GB = 58_976, 9336, 1166, 4.0


def measure() -> Iterator[dict]:
    """One row, in gigabytes of the process's largest resident size, its outputs (2.2 GB) included."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name], stdout=subprocess.PIPE, text=True, check=True
    )
    told = json.loads(done.stdout)
    rate = f"{STAYS / told['seconds']:,.0f} stays a second"
    yield {
        "what": f"memory of predicting {STAYS:,} stays x {NODES:,} nodes in GB ({rate})",
        "ours": told["gigabytes"],
        "target": TARGET_GB,
    }


def main() -> None:
    """What runs in the process of its own."""
    start_tensorflow()
    from icd_relevancy.models import medication_network, predict_streamed

    model = medication_network(INPUTS, NODES)
    stays = random_stays(STAYS, INPUTS, 30, np.random.default_rng(0))
    started = time.perf_counter()
    probabilities = predict_streamed(model, stays)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    if probabilities.shape != (STAYS, NODES) or not probabilities.min() > 0:
        raise AssertionError("a stay has no probabilities")
    print(json.dumps({"seconds": seconds, "gigabytes": peak}))


if __name__ == "__main__":
    main()
