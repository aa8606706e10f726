"""Times to train and to rank."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from experiments.cac import runtime
from icd_relevancy.settings import read_yaml

STEM = Path("results/cac-runtime/synthetic-icd9cm")


@pytest.fixture
def task(stays_task):
    return stays_task


@pytest.fixture
def settings():
    found = read_yaml(Path(runtime.__file__).with_suffix(".yaml"))
    small = {"inputs": 20, "nodes": 30, "hidden_layers": 1, "units": 8, "seconds": 1.92}
    return {**found, "stays": 400, "batch_size": 64, "printed_size": small}


def read(name: str = "") -> pd.DataFrame:
    return pd.read_csv(STEM.with_name(f"{STEM.name}{name}.csv"))


def test_times_of_the_levels_are_summed(task, settings, monkeypatch):
    times = {
        None: {"nodes": 9, "epochs": 4, "training": 2.0, "epoch": 0.5, "ranking": 1.0},
        "chapter": {"nodes": 2, "epochs": 2, "training": 1.0, "epoch": 0.5, "ranking": 0.5},
        "category": {"nodes": 3, "epochs": 4, "training": 2.0, "epoch": 0.5, "ranking": 1.0},
        "billing": {"nodes": 4, "epochs": 8, "training": 4.0, "epoch": 0.5, "ranking": 1.0},
    }
    monkeypatch.setattr(runtime, "_times", lambda task, settings, split, level, inputs: times[level])
    runtime.make(task, settings, STEM)
    table = read().set_index("network")
    summed = table.loc["one for each level"]
    assert list(summed[["networks", "nodes"]]) == [3, 9]
    assert summed["epochs"] == "14.00 ± 0.00"
    assert summed["training (s)"] == "7.00 ± 0.00"
    assert summed["an epoch (s)"] == "1.50 ± 0.00"
    assert summed["400 stays ranked (s)"] == "2.50 ± 0.00"
    assert summed["stays a second"] == "160 ± 0"
    printed = table.loc["of the printed size, untrained"]
    assert list(printed[["nodes", "epochs", "printed"]]) == [30, "–", "1.92 s on a T4"]
    assert float(printed["400 stays ranked (s)"]) < 10
    claims = read("-claims")
    assert list(claims["here"]) == ["3.50 ± 0.00", "3.00 ± 0.00", "2.50 ± 0.00"]
    assert set(claims["confirmed here"]) == {"yes"}
    assert STEM.with_suffix(".png").exists()


def test_networks_are_timed(task, settings, monkeypatch):
    found = runtime._measures(task, settings, task.splits[0])
    naive, each = found["naive multitask"], found["one for each level"]
    assert naive["nodes"] == len(task.nodes.names)
    chapters, categories = (np.count_nonzero(task.nodes.level == level) for level in (0, 1))
    # What stays are given is counted where the training or the development stays have it.
    assert 0 < each["nodes"] - chapters - categories <= np.count_nonzero(task.nodes.assigned.sum(axis=0).A1)
    assert (naive["epochs"], each["epochs"]) == (1, 3)
    assert min(*naive.values(), *each.values()) > 0


def test_every_stay_is_ranked_in_every_run():
    class Model:
        input_shape, calls = (None, 4), []

        def predict_on_batch(self, batch):
            self.calls.append(batch.shape)
            return batch

    inputs = sparse.csr_matrix(np.ones((10, 4), np.float32))
    seconds = runtime._ranking_seconds(Model(), inputs, {"batch_size": 4, "repeats": 2})
    # One batch to compile, then two runs of three batches.
    assert Model.calls == [(4, 4)] * 7
    assert 0 < seconds < 1


def test_the_printed_sizes():
    settings = read_yaml(Path(runtime.__file__).with_suffix(".yaml"))
    size = settings["printed_size"]
    assert (settings["stays"], settings["batch_size"], size["inputs"], size["nodes"]) == (
        58976,
        1024,
        1166,
        9336,
    )
