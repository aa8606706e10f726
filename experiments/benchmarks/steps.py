"""The time of a training step."""

import time

import numpy as np


def step_seconds(models: dict, x: np.ndarray, y: np.ndarray, steps: int = 40) -> dict[str, float]:
    """Median seconds of a step of each compiled model on one batch, steps taken in turns."""
    for model in models.values():
        model.train_on_batch(x, y)
    seconds = {name: [] for name in models}
    for _ in range(steps):
        for name, model in models.items():
            started = time.perf_counter()
            model.train_on_batch(x, y)
            seconds[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in seconds.items()}
