"""A training step with MCLoss or TreeMin against a BCE step: CAC's network, 9,336 nodes, batch 128."""

from collections.abc import Iterator

import keras
import numpy as np

from experiments.benchmarks.data import drawn_hierarchy, long_tailed_labels, random_stays
from experiments.benchmarks.steps import compared, step_seconds
from icd_relevancy.losses import MCLoss, TreeMin
from icd_relevancy.models import medication_network

NODES, INPUTS, BATCH, TARGET = 9336, 1166, 128, 1.5


def measure() -> Iterator[dict]:
    """Two rows for each code system, on nodes drawn from it with all above them."""
    rng = np.random.default_rng(0)
    x = random_stays(BATCH, INPUTS, 30, rng).toarray()
    for system in ("icd9cm", "icd10cm"):
        hierarchy = drawn_hierarchy(system, NODES, rng)
        y = hierarchy.roll_up_labels(long_tailed_labels(BATCH, len(hierarchy), 10, rng)).toarray()
        losses = {"BCE": "binary_crossentropy", "MCLoss": MCLoss(hierarchy), "TreeMin": TreeMin(hierarchy)}
        models = {name: medication_network(INPUTS, len(hierarchy)) for name in losses}
        for name, model in models.items():
            model.compile(keras.optimizers.Adam(2e-4), loss=losses[name])
        seconds = step_seconds(models, x, y.astype(np.float32))
        for name in ("MCLoss", "TreeMin"):
            what = f"{name} / BCE training step, {len(hierarchy):,} nodes of {system}"
            yield compared(what, 1e3 * seconds[name], 1e3 * seconds["BCE"], TARGET)
