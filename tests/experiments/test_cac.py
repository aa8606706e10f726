import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cac import figure6, relative
from experiments.harness import main
from experiments.rows import stays as rankers
from experiments.rows.stays import measure
from icd_relevancy.errors import InputError
from icd_relevancy.settings import read_yaml

FOLDER = Path(relative.__file__).parent


@pytest.fixture
def task(stays_task):
    return stays_task


def read(stem: Path) -> pd.DataFrame:
    return pd.read_csv(stem.with_suffix(".csv"))


def test_the_stays_and_nodes_of_a_task(task):
    assert all(task.stays.drugs)
    assert all(task.stays.codes)
    assert task.level_names() == ("chapter", "category", "billing")
    assert task.config.name == "synthetic-icd9cm"
    patients = np.array(task.stays.patient_id)
    for split in task.splits:
        assert not set(patients[split.train]) & set(patients[split.test])


def test_figure6(task, monkeypatch):
    monkeypatch.setattr(rankers, "_EPOCHS", (1, 2))  # of the MLP
    stem = Path("results/cac-figure6/synthetic-icd9cm")
    settings = {
        "level": "billing",
        "rows": [
            {"name": "Network", "ranker": "network", "printed": 57.05},
            {"name": "Logistic regression", "ranker": "logistic"},
            {"name": "MLP", "ranker": "mlp"},
            {"name": "Frequencies", "ranker": "frequency"},
        ],
    }
    figure6.make(task, settings, stem)
    table = read(stem).set_index(["level", "experiment"])
    assert list(dict.fromkeys(table.index.get_level_values("level"))) == [
        "all",
        "chapter",
        "category",
        "billing",
    ]
    # Every code has the same score in every stay: the area of each is one half.
    assert table.loc[("billing", "Frequencies"), "macro-AUROC (%)"] == "50.00 ± 0.00"
    assert table.loc[("billing", "Network"), "printed Recall@30"] == "57.05"
    assert table.loc[("all", "Network"), "printed Recall@30"] == "–"
    logistic, dummy = (
        float(table.loc[("billing", name), "Recall@30 (%)"].split()[0])
        for name in ("Logistic regression", "Frequencies")
    )
    assert logistic > dummy
    assert stem.with_suffix(".png").exists()


def test_what_was_measured_is_read_back(task, monkeypatch):
    row = {"ranker": "frequency"}
    first = measure(task, row)
    assert len(first) == 2
    monkeypatch.setattr(rankers, "test_scores", lambda *_: 1 / 0)
    assert measure(task, row) == first
    with pytest.raises(ZeroDivisionError):
        measure(task, {"ranker": "mlp"})


def test_one_network_for_each_level(task, quick_networks):
    stem = Path("results/cac-figure3/synthetic-icd9cm")
    settings = read_yaml(FOLDER / "figure3.yaml")
    relative.make(task, settings, stem)
    table = read(stem)
    assert set(table["compared"]) == set(settings["compared"])
    baseline = table[table["experiment"] == "Naive multitask"]
    assert (baseline["improvement (%)"] == 0).all()
    assert (baseline["here"] == "baseline").all()
    assert table["here"].isin(["baseline", "better", "worse", "no difference"]).all()


@pytest.mark.parametrize(
    ("gains", "errors", "verdict", "improvement"),
    [
        ((2.0, 4.4), False, "better", 110.0),
        ((2.0, 4.4), True, "worse", -110.0),
        ((0.5, 4.0), False, "no difference", 25.0),
    ],
)
def test_improvements_are_split_by_split(task, monkeypatch, gains, errors, verdict, improvement):
    figures = {"base": [1.0, 2.0], "other": gains}
    monkeypatch.setattr(
        relative, "measure", lambda task, row: [{"all": {"ndcg": value}} for value in figures[row["ranker"]]]
    )
    rows = [{"name": "A", "ranker": "base"}, {"name": "B", "ranker": "other", "printed": "better"}]
    stem = Path("results/x/y")
    settings = {"rows": rows, "compared": {"all": ["all", "ndcg"]}, "errors": errors, "title": "x"}
    relative.make(task, settings, stem)
    row = read(stem).set_index("experiment").loc["B"]
    assert row["improvement (%)"] == pytest.approx(improvement)
    assert row["here"] == verdict
    assert row["printed"] == "better"


def test_provenance_from_the_command_line(in_miniature, monkeypatch):
    monkeypatch.setattr(figure6, "make", lambda task, settings, stem: stem.parent.mkdir(parents=True))
    main(["cac.figure6", "--set", "stays=60", "splits=1", "code_system=icd10cm"])
    told = json.loads((in_miniature / "results/cac-figure6/synthetic-icd10cm.run.json").read_text())
    assert told["task"]["code_system"] == "icd10cm"
    assert 0 < told["stays"] <= 60
    assert told["dropped_codes"] == 0


def test_an_unknown_ranker(task):
    with pytest.raises(InputError, match="no ranker named 'svm'"):
        measure(task, {"ranker": "svm"})
