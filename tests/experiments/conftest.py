"""Experiments on miniature tasks, with stand-ins for what takes long to train."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import miniature
import numpy as np
import pytest
import small_jams

from experiments import harness
from experiments.rows import heads
from experiments.rows import stays as network_rows
from experiments.rows import two_systems as two_system_rows
from experiments.tasks.notes import HeadsConfig, HeadsTask
from experiments.tasks.stays import StaysConfig, StaysTask

NETWORK = {"hidden_layers": 1, "units": 16, "dropout": 0.0, "epochs": 1, "learning_rate": 0.01}


@pytest.fixture
def miniature_task(in_miniature, miniature_encoder):
    """Makes a task of 40 miniature notes; arguments change its configuration."""
    specialties = ("Cardiology", "ENT", "Pediatrics", "Surgery")
    replace(miniature.notes(40), specialty=specialties * 10).write("ward.csv")

    def make(**changes) -> HeadsTask:
        settings = {
            "data": "ward.csv", "notes": 40, "codes": 100, "min_count": 1, "folds": 2, "seed": 0, "threshold": 0.76,
            "encoder": str(miniature_encoder), "pooling": "mean", "lowercase": None,
            "max_length": 32, "learning_rate": 0.1, "batch_size": 16, "epochs": 2, "patience": 5, "validation": 0.2,
        }  # fmt: skip
        return HeadsTask(HeadsConfig(**{**settings, **changes}))

    return make


class _QuickHead:
    """In place of a head: a ridge regression that the rate of the schedule regularises."""

    def __init__(self, task: HeadsTask, loss: str):
        self.x, self.y, self.shift = task.features, task.y.toarray(), 0.1 * (loss == "bce")

    def train(self, train, validation, schedule, seed) -> int:
        x, y = self.x[train], self.y[train]
        ridge = x.T @ x + np.eye(x.shape[1]) / (1000 * schedule.learning_rate)
        self.weights = np.linalg.solve(ridge, x.T @ y)
        return schedule.epochs

    def scores(self, rows) -> np.ndarray:
        return np.clip(self.x[rows] @ self.weights - self.shift, 0, 1).astype(np.float32)


@pytest.fixture
def quick_heads(monkeypatch):
    """Lets a regression stand in for the training of heads, which `test_heads` is about."""
    monkeypatch.setattr(heads, "_head", lambda task, loss, *_: _QuickHead(task, loss))


@pytest.fixture
def no_training(monkeypatch):
    """Lets any training fail."""

    def forbid():
        def refuse(*arguments):
            raise AssertionError("trained again")

        monkeypatch.setattr(heads, "_train", refuse)

    return forbid


@pytest.fixture
def experiment(in_miniature, miniature_encoder, monkeypatch):
    """Runs a table as from the command line, on a few synthetic notes; another `make` may stand in for its own."""

    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")  # as heads are trained, and not beyond this test

    def run(name, *options, make=None):
        settings = ["notes=60", "codes=100", "folds=2", "max_length=32", *options]
        if make is not None:
            monkeypatch.setitem(sys.modules, f"experiments.losses.{name}", SimpleNamespace(make=make))
        encoder = ["--encoder", str(miniature_encoder)]
        harness.main([name, "--data", "synthetic", *encoder, "--set", *settings])
        return json.loads((in_miniature / "results" / name / "synthetic.run.json").read_text())

    return run


@pytest.fixture
def refused(in_miniature, capsys):
    """Runs a table that must end with one line on what is wrong, exit code 2 and nothing written."""

    def call(arguments, names: str):
        with pytest.raises(SystemExit) as left:
            harness.main(arguments) if isinstance(arguments, list) else arguments()
        assert left.value.code == 2
        message = capsys.readouterr().err
        assert message.startswith("experiments: ")
        assert len(message.splitlines()) == 1
        assert names in message
        assert not list(in_miniature.iterdir())

    return call


@pytest.fixture
def stays_task(in_miniature) -> StaysTask:
    """160 synthetic stays in two splits."""
    return StaysTask(StaysConfig("synthetic", "icd9cm", 160, 2, 0.2, 0.2, 0, NETWORK))


class _QuickCoder:
    """In place of a network: the mean over a stay's drugs of how often each node goes with them."""

    def __init__(self, drugs: dict[str, np.ndarray], frequencies: np.ndarray, nodes, config):
        self.drugs, self.frequencies, self.nodes = drugs, frequencies, nodes
        # What a network is selected by makes it another one.
        self.power = 1 + len(json.dumps(config.to_dict())) % 7 / 10
        self.history = {"epochs": config.epochs, "seconds": 1.0, "validation_score": self.power}

    @classmethod
    def train(cls, stays, config, validation, nodes):
        row = {stay: number for number, stay in enumerate(cls.task.stays.stay_id)}
        labels = nodes.labels[[row[stay] for stay in stays.stay_id]].toarray()
        frequencies = (labels.sum(axis=0) + 0.1) / (len(labels) + 1)
        drugs = {}
        for drug in sorted({drug for given in stays.drugs for drug in given}):
            given = np.array([drug in row for row in stays.drugs])
            drugs[drug] = (labels[given].sum(axis=0) + frequencies) / (given.sum() + 1)
        return cls(drugs, frequencies, nodes, config)

    def scores(self, stays) -> np.ndarray:
        rows = [[self.drugs.get(drug, self.frequencies) for drug in given] for given in stays.drugs]
        return np.array([np.mean(row, axis=0) for row in rows]) ** self.power


@pytest.fixture
def quick_networks(stays_task, monkeypatch):
    """Lets the drugs' own frequencies stand in for networks, of which `test_cac` trains one."""
    monkeypatch.setattr(_QuickCoder, "task", stays_task, raising=False)
    monkeypatch.setattr(network_rows, "MedicationCoder", _QuickCoder)


@pytest.fixture(scope="session")
def cache_of_both(tmp_path_factory) -> Path:
    """A cache folder with code vectors of both systems, which no test of one system writes to."""
    return small_jams.write_vectors(tmp_path_factory.mktemp("both"))


@pytest.fixture
def two_systems(in_miniature, cache_of_both, monkeypatch):
    """The working directory, with code vectors of both systems in the cache."""
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(cache_of_both))
    return in_miniature


@pytest.fixture
def quick_coders(monkeypatch):
    """Lets scores at random stand in for those of trained models; `test_jams_tables` trains two."""

    def train(task, config, checkpoint) -> dict[str, dict]:
        measured = {}
        for system in task.systems if config.joint else [config.code_system]:
            labels, size = task.train[system].label_names(), len(task.test[system])
            scores = np.random.default_rng(config.seed).random((size, len(labels)))
            measured[system] = two_system_rows._measures(task, system, labels, scores, 0.9)
            measured[system] |= {"epochs": 1, "seconds": 1.0}
        return measured

    monkeypatch.setattr(two_system_rows, "_train", train)


@pytest.fixture(scope="session")
def chunk_encoder(tmp_path_factory) -> Path:
    """A miniature encoder that reads the chunks of PLM-ICD."""
    return miniature.write_encoder(tmp_path_factory.mktemp("encoders") / "long", positions=128)


@pytest.fixture
def make_task(two_systems, chunk_encoder):
    """Makes a `small_jams` task; arguments change its configuration."""
    return partial(small_jams.small_task, chunk_encoder)


@pytest.fixture
def small_file(two_systems) -> str:
    """A file of notes in both systems."""
    return small_jams.write_notes("two.csv")
