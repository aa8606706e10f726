import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from experiments import task as task_module
from experiments.task import PUBLIC_NOTES, TaskConfig, comparable, library_versions, run
from icd_relevancy.errors import InputError
from icd_relevancy.settings import read_yaml


def test_the_task_of_a_file(miniature_task):
    task = miniature_task()
    assert (len(task.notes), len(task.labels), task.y.shape) == (40, 8, (40, 8))
    assert task.config.name == "ward"
    assert task.config.code_system == "icd10cm"
    assert task.features.shape == (40, 32)
    assert np.bincount(task.fold).min() >= 15
    assert task.relevance().threshold == 0.76
    assert list(task.relevance().neighbours("J18.9")) == ["J15.9"]
    assert not task.relevance(0.9).neighbours("J18.9")


def test_the_fingerprint_is_of_all_that_runs_depend_on(miniature_task):
    first = miniature_task().fingerprint
    assert miniature_task().fingerprint == first
    for changes in (
        {"seed": 1},
        {"epochs": 3},
        {"threshold": 0.7},
        {"max_length": 16},
        {"learning_rate": 0.2},
    ):
        assert miniature_task(**changes).fingerprint != first
    task = miniature_task()
    data = Path("ward.csv")
    data.write_text(data.read_text().replace("presents", "comes", 1))
    assert miniature_task().fingerprint != task.fingerprint


def test_provenance(experiment):
    def make(task, settings, stem):
        """Nothing."""
        stem.parent.mkdir(parents=True)

    told = experiment("table2", make, "seed=3", "threshold=0.8", heads=True)
    assert told["task"]["notes"] == told["notes"] == 60
    assert (told["task"]["seed"], told["task"]["threshold"]) == (3, 0.8)
    assert told["versions"] == library_versions()
    assert len(told["fingerprint"]) == 16
    assert set(told["task"]) == set(TaskConfig.__dataclass_fields__)
    json.dumps(told, allow_nan=False)


def test_provenance_tells_no_setting_of_other_data(miniature_task):
    task = miniature_task(data="ward.csv", notes=3000)
    told = task_module._provenance(task, {}, unused=())
    assert told["notes"] == 40
    assert set(told["task"]) == set(TaskConfig.__dataclass_fields__) - {"notes", "codes"}


def test_provenance_tells_no_setting_of_another_training(experiment):
    def make(task, settings, stem):
        """Nothing."""
        stem.parent.mkdir(parents=True)

    told = experiment("figure1", make)["task"]
    assert not set(told) & {"epochs", "learning_rate", "batch_size", "patience", "threshold", "pooling"}


@pytest.mark.parametrize(("told", "threads"), [("", "1"), ("4", "4")])
def test_heads_are_trained_on_one_thread_unless_told_otherwise(experiment, monkeypatch, told, threads):
    def make(task, settings, stem):
        """Nothing."""
        stem.parent.mkdir(parents=True)

    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", told)
    if not told:
        monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    experiment("table2", make, heads=True)
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == threads


def test_the_papers_figures_stand_beside_public_data_alone():
    rows = [{"name": "WHML", "printed": {"test micro": 88.54}}, {"name": "HMHAN", "printed": "0.95"}]
    settings = {"rows": rows, "printed": {"Cardiology": {"WHML": 92.14}}, "codes": [{"printed": {}}]}
    for data in ("synthetic", "codiesp", "mimic4-notes:folder"):
        assert comparable(settings, data, PUBLIC_NOTES) is settings
    assert comparable(settings, "ward.csv", PUBLIC_NOTES) == {
        "rows": [{"name": "WHML", "printed": {}}, {"name": "HMHAN"}],
        "printed": {},
        "codes": [{"printed": {}}],
    }


@pytest.mark.parametrize(
    "path", sorted(Path(task_module.__file__).parent.rglob("*.yaml")), ids=lambda path: path.stem
)
def test_no_experiment_keeps_a_figure_of_the_paper_for_data_of_ones_own(path):
    def printed(settings):
        if isinstance(settings, list):
            return [found for value in settings for found in printed(value)]
        if not isinstance(settings, dict):
            return []
        own = [settings["printed"]] if settings.get("printed") else []
        return own + [found for value in settings.values() for found in printed(value)]

    assert not printed(comparable(read_yaml(path), "ward.csv", PUBLIC_NOTES))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--set", "sed=3"], "unknown key 'sed'"),
        (["--set", "epochs=3"], "--set epochs: this experiment has no such setting"),
        (["--set", "seed=many"], "seed must be int"),
        (["--set", "seed"], "seed must be int"),
        (["--set", "notes=["], "notes"),
        (["--set", "codes=5"], "5"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--data", "nosuch:folder"], "nosuch"),
        (["--data", "codiesp"], "no codiesp data here"),
    ],
)
def test_bad_options_are_told_in_one_line(in_miniature, refused, monkeypatch, arguments, names):
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(in_miniature))
    monkeypatch.setattr("sys.argv", ["experiments.figure1", *arguments])
    refused(lambda: run("figure1", lambda task, settings, stem: task.relevance()), names)


def test_the_settings_of_the_data_set_win_over_the_common_ones(monkeypatch, in_miniature):
    common = {"all": {**asdict(_config()), "seed": 1, "notes": 2}, "mine.csv": {"notes": 3}}
    monkeypatch.setattr(task_module, "read_yaml", lambda path: common)
    options = type("Options", (), {"data": "mine.csv", "encoder": None, "set": ["epochs=9"]})
    config = task_module._task_config(options, {"folds": 4})
    assert (config.seed, config.notes, config.folds, config.epochs, config.data) == (1, 3, 4, 9, "mine.csv")


def _config():
    return TaskConfig("synthetic", 10, 100, 1, 2, 0, 0.76, None, "mean", None, 32, 0.1, 16, 2, 5, 0.1)


def test_no_folds_for_one_patient(miniature_task):
    with pytest.raises(InputError, match="n_folds must be at least 2"):
        _ = miniature_task(folds=1).fold
