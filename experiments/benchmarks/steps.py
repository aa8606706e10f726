"""The time of a step, and a row that compares two."""

import time
from collections.abc import Callable

import numpy as np


def compared(what: str, ours: float, peer: float, target: float, unit: str = "ms") -> dict:
    """The row of a measurement beside its peer's, both in the unit."""
    return {
        "what": what,
        f"ours ({unit})": ours,
        f"peer ({unit})": peer,
        "ratio": ours / peer,
        "target": target,
    }


def step_seconds(models: dict, x, y, steps: int = 40) -> dict[str, float]:
    """Median seconds of a step of each compiled model on one batch, steps taken in turns."""
    for model in models.values():
        model.train_on_batch(x, y)
    seconds = {name: [] for name in models}
    for _ in range(steps):
        for name, model in models.items():
            seconds[name].append(seconds_of(lambda model=model: model.train_on_batch(x, y)))
    return {name: float(np.median(values)) for name, values in seconds.items()}


def median_seconds(step: Callable[[], object], steps: int) -> float:
    """Median seconds of a step, after one to warm up."""
    step()
    return float(np.median([seconds_of(step) for _ in range(steps)]))


def seconds_of(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
