"""Experiments on a miniature task."""

import json
from functools import partial
from pathlib import Path

import miniature
import pytest
import small_jams

import experiments.runs
from experiments import task as task_module
from experiments.task import Task, TaskConfig


@pytest.fixture
def miniature_task(in_miniature, miniature_encoder):
    """Makes a task of 40 miniature notes; arguments change its configuration."""
    notes = miniature.notes(40)
    specialties = ("Cardiology", "ENT", "Pediatrics", "Surgery")
    from dataclasses import replace

    replace(notes, specialty=specialties * 10).write("ward.csv")

    def make(**changes) -> Task:
        settings = {
            "data": "ward.csv", "notes": 40, "codes": 100, "min_count": 1, "folds": 2, "seed": 0, "threshold": 0.76,
            "encoder": str(miniature_encoder), "pooling": "mean", "lowercase": None,
            "max_length": 32, "learning_rate": 0.1, "batch_size": 16, "epochs": 2, "patience": 5, "validation": 0.2,
        }  # fmt: skip
        return Task(TaskConfig(**{**settings, **changes}))

    return make


@pytest.fixture
def no_training(monkeypatch):
    """Lets any training fail."""

    def forbid():
        def refuse(*arguments):
            raise AssertionError("trained again")

        monkeypatch.setattr(experiments.runs, "_train", refuse)

    return forbid


@pytest.fixture
def experiment(in_miniature, miniature_encoder, monkeypatch):
    """Runs an experiment as its module does from the command line, on a few synthetic notes."""

    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")  # as heads are trained, and not beyond this test

    def run(name, make, *options, heads=False):
        settings = ["notes=60", "codes=100", "folds=2", "max_length=32", *(["epochs=2"] if heads else [])]
        arguments = ["--data", "synthetic", "--encoder", str(miniature_encoder), "--set", *settings, *options]
        monkeypatch.setattr("sys.argv", [f"experiments.{name}", *arguments])
        task_module.run(name, make, heads)
        return json.loads((in_miniature / "results" / name / "synthetic.run.json").read_text())

    return run


@pytest.fixture
def refused(in_miniature, capsys):
    """Calls an experiment that must end with one line on what is wrong, exit code 2 and nothing written."""

    def call(run, names: str):
        with pytest.raises(SystemExit) as left:
            run()
        assert left.value.code == 2
        told = capsys.readouterr().err
        assert told.startswith("experiments: ")
        assert len(told.splitlines()) == 1
        assert names in told
        assert not list(in_miniature.iterdir())

    return call


@pytest.fixture(scope="session")
def cache_of_both(tmp_path_factory) -> Path:
    """A cache folder with code vectors of both systems, which no test of one system writes to."""
    return small_jams.write_vectors(tmp_path_factory.mktemp("both"))


@pytest.fixture
def two_systems(in_miniature, cache_of_both, monkeypatch):
    """The working directory, with code vectors of both systems in the cache."""
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(cache_of_both))
    return in_miniature


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
