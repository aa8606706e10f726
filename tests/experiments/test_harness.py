"""Settings, kept results and provenance of any experiment."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from experiments import harness
from experiments.controls import WORD_CONTROLS
from experiments.harness import Task, comparable, configured, library_versions, table_names, task_named
from experiments.rows.notes import training_config
from experiments.tasks.notes import PUBLIC_NOTES, HeadsConfig, HeadsTask, NotesTask
from experiments.tasks.stays import StaysTask
from experiments.tasks.two_systems import TwoSystemsTask
from icd_relevancy.errors import InputError
from icd_relevancy.settings import read_yaml

FOLDER = Path(harness.__file__).parent


def nothing(task, settings, stem):
    """Nothing."""
    stem.parent.mkdir(parents=True)


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
    with pytest.raises(InputError, match="n_folds must be at least 2"):
        _ = miniature_task(folds=1).fold


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
    data = Path("ward.csv")
    data.write_text(data.read_text().replace("presents", "comes", 1))
    assert miniature_task().fingerprint != first


def test_provenance(experiment):
    state = experiment("table2", "seed=3", "threshold=0.8", make=nothing)
    assert state["task"]["notes"] == state["notes"] == 60
    assert (state["task"]["seed"], state["task"]["threshold"]) == (3, 0.8)
    assert state["versions"] == library_versions()
    assert len(state["fingerprint"]) == 16
    assert set(state["task"]) == set(HeadsConfig.__dataclass_fields__)
    json.dumps(state, allow_nan=False)


def test_provenance_tells_no_setting_of_other_data(miniature_task):
    task = miniature_task(data="ward.csv", notes=3000)
    assert task.sizes()["notes"] == 40
    assert set(task.in_use()) == set(HeadsConfig.__dataclass_fields__) - {"notes", "codes"}


def test_provenance_tells_no_setting_of_another_training(experiment):
    task = experiment("figure1", make=nothing)["task"]
    assert not set(task) & {"epochs", "learning_rate", "batch_size", "patience", "threshold", "pooling"}


@pytest.mark.parametrize(("given", "threads"), [("", "1"), ("4", "4")])
def test_heads_are_trained_on_one_thread_unless_told_otherwise(experiment, monkeypatch, given, threads):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", given)
    if not given:
        monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    experiment("table2", make=nothing)
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


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: path.stem)
def test_no_experiment_keeps_a_figure_of_the_paper_for_data_of_ones_own(path):
    def printed(settings):
        if isinstance(settings, list):
            return [figure for value in settings for figure in printed(value)]
        if not isinstance(settings, dict):
            return []
        own = [settings["printed"]] if settings.get("printed") else []
        return own + [figure for value in settings.values() for figure in printed(value)]

    assert not printed(comparable(read_yaml(path), "ward.csv", PUBLIC_NOTES))


def test_every_table_has_a_maker_and_a_target_of_make():
    makefile = (FOLDER.parent / "Makefile").read_text()
    for name in table_names():
        paper, _, table = name.rpartition(".")
        settings = read_yaml(FOLDER / (paper or "losses") / f"{table}.yaml")
        maker = settings.get("make", f"{paper or 'losses'}.{table}")
        assert callable(harness.importlib.import_module(f"experiments.{maker}").make), name
        assert issubclass(task_named(settings["task"]), Task)
        assert table in makefile


@pytest.mark.parametrize("name", table_names())
def test_the_settings_of_every_row_are_known(miniature_task, in_miniature, name):
    paper, _, table = name.rpartition(".")
    settings = read_yaml(FOLDER / (paper or "losses") / f"{table}.yaml")
    task_type = task_named(settings.pop("task"))
    if task_type not in (NotesTask, StaysTask, TwoSystemsTask):
        return
    config, _ = configured(task_type, settings, {})
    task = task_type.__new__(task_type)
    Task.__init__(task, config)
    for row in settings.get("rows", ()):
        if "control" in row:
            assert row["control"] in {*WORD_CONTROLS, "frequency", "titles", "mentions"}
        elif task_type is NotesTask:
            assert training_config(task, row, settings["training"]).model == "hmhan"
        elif task_type is StaysTask:
            assert task.network(**row.get("network") or {}).code_system == "icd9cm"
        else:
            trained = task.training_config(row, 0, None if row.get("joint") else config.systems[0])
            assert trained.model == row["model"]
            assert trained.to_dict().get("joint", False) == row.get("joint", False)
    if settings.get("make") == "cac.relative" or name == "cac.figure6":
        assert settings["rows"][0]["ranker"] == "network"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["table9"], "no table named 'table9'; there are figure1, figure2, table2"),
        (["figure1", "--set", "sed=3"], "--set sed: this experiment has no such setting; there are data, notes"),
        (["figure1", "--set", "epochs=3"], "--set epochs: this experiment has no such setting"),
        (["figure1", "--set", "seed=many"], "seed must be int"),
        (["figure1", "--set", "seed"], "seed must be int"),
        (["figure1", "--set", "notes=["], "notes"),
        (["figure1", "--set", "codes=5"], "5"),
        (["figure1", "--data", "nowhere.csv"], "nowhere.csv"),
        (["figure1", "--data", "nosuch:folder"], "nosuch"),
        (["figure1", "--data", "codiesp"], "no codiesp data here"),
        (["nnbsvr.figure1", "--data", "codiesp"], "--data: this experiment has no such option"),
        (["cac.figure6", "--set", "stay=60"], "no such setting"),
        (["cac.figure6", "--set", "stays=many"], "stays must be int"),
        (["cac.figure6", "--data", "eicu"], "no eicu_demo data here"),
        (["cac.figure6", "--data", "nowhere.csv"], "nowhere.csv"),
        (["cac.figure6", "--set", "network={unit: 3}"], "unknown key 'unit'"),
        (["cac.tune", "--set", "stays=60", "max_epochs=many"], "max_epochs must be int"),
        (["cac.tune", "--set", "stays=60", "max_epochs=0"], "max_epochs must be at least 1"),
        (["cac.tune", "--set", "stays=60", "space={unit: [8, 16]}"], "unit is not searched here"),
        (["cac.tune", "--set", "stays=60", "rows=3"], "no such setting; there are data, "),
        (["hmhan.negation", "--set", "reports=many"], "reports"),
        (["hmhan.negation", "--set", "colour=red"], "colour"),
        (["jams.figure2", "--set", "note=60"], "--set note: this experiment has no such setting"),
        (["jams.figure2", "--set", "seeds=0"], "seeds must be at least 1"),
        (["jams.figure2", "--set", "language=fr"], "language must be en or es"),
        (["jams.figure2", "--data", "codiesp"], "no codiesp data here"),
        (["jams.figure2", "--data", "nowhere.csv"], "nowhere.csv"),
    ],
)  # fmt: skip
def test_bad_options_are_told_in_one_line(in_miniature, refused, monkeypatch, arguments, names):
    monkeypatch.setenv("ICD_RELEVANCY_DATA", str(in_miniature))
    refused(arguments, names)


def test_the_settings_of_the_data_set_win_over_the_common_ones(monkeypatch):
    files = {path.name: read_yaml(path) for path in (FOLDER / "tasks").glob("*.yaml")}
    files["notes.yaml"]["all"] |= {"seed": 1, "notes": 2}
    files["notes.yaml"]["mine.csv"] = {"notes": 3}
    monkeypatch.setattr(harness, "read_yaml", lambda path: files[path.name])
    changes = ["epochs=9", "k=2"]
    config, own = configured(HeadsTask, {"data": {"folds": 4}, "k": 1}, {"data": "mine.csv"}, changes)
    assert (config.seed, config.notes, config.folds, config.epochs, config.data) == (1, 3, 4, 9, "mine.csv")
    assert own == {"k": 2}
