"""A threshold for each level, and calibration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from experiments.cac import thresholds
from icd_relevancy.settings import read_yaml

STEM = Path("results/cac-thresholds/synthetic-icd9cm")
LEVELS = ["all", "chapter", "category", "billing"]


@pytest.fixture
def task(stays_task):
    return stays_task


@pytest.fixture
def settings():
    return read_yaml(Path(thresholds.__file__).with_suffix(".yaml"))


def read(name: str = "") -> pd.DataFrame:
    return pd.read_csv(STEM.with_name(f"{STEM.name}{name}.csv"))


def test_thresholds(task, settings, quick_networks):
    chapters, nodes = int((task.nodes.level == 0).sum()), len(task.nodes.names)
    stays = min(len(split.test) for split in task.splits)
    # One pair more than the chapters have.
    settings |= {"bins": stays * chapters + 1, "pairs": 1}
    assert stays * nodes > settings["bins"]
    thresholds.make(task, settings, STEM)
    table = read().set_index(["level", "selected by"])
    assert list(dict.fromkeys(table.index.get_level_values("level"))) == LEVELS
    names = [row["name"] for row in settings["rows"]]
    assert list(dict.fromkeys(table.index.get_level_values("selected by"))) == names
    assert table.loc[("billing", "micro-AUPRC"), "printed"] == "38.04"
    assert (table["printed"].drop(("billing", "micro-AUPRC")) == "–").all()
    calibration = read("-calibration").set_index(["level", "selected by"])
    assert set(calibration.loc["chapter", "ECE (%)"]) == {"–"}
    calibration = calibration.drop("chapter", level="level")
    expected, largest = (
        calibration[column].str.split().str[0].astype(float) for column in ("ECE (%)", "MCE (%)")
    )
    assert (expected <= largest).all()
    assert STEM.with_suffix(".png").exists()
    monitors = [task.network(**row["network"]).monitor for row in settings["rows"] if "network" in row]
    assert monitors == ["micro_auprc", "micro_f1", "ndcg"]


def best_threshold(y, scores: np.ndarray) -> float:
    """Of all that the scores allow."""
    return max(np.unique(scores), key=lambda threshold: f1_score(y, scores >= threshold, average="micro"))


def test_the_thresholds_are_those_of_the_development_stays(task):
    split = task.splits[0]
    found = thresholds._measures(task, {"network": None, "bins": 50}, split)
    frequencies = task.nodes.labels[split.train].toarray().mean(axis=0)
    for level, columns, labels in (
        ("chapter", task.nodes.level == 0, task.nodes.labels),
        ("category", task.nodes.level == 1, task.nodes.labels),
        ("billing", task.nodes.assigned.sum(axis=0).A1 > 0, task.nodes.assigned),
    ):
        y = {part: labels[getattr(split, part)][:, columns].toarray() for part in ("dev", "test")}
        scores = {part: np.tile(frequencies[columns], (len(y[part]), 1)) for part in y}
        at_half = f1_score(y["test"], scores["test"] >= 0.5, average="micro", zero_division=0)
        assert found[level]["at 0.5 (%)"] == pytest.approx(100 * at_half)
        threshold = best_threshold(y["dev"], scores["dev"])
        best = f1_score(y["test"], scores["test"] >= threshold, average="micro")
        assert found[level]["one a level (%)"] == pytest.approx(100 * best)
    one = best_threshold(task.nodes.labels[split.dev].toarray(), np.tile(frequencies, (len(split.dev), 1)))
    y = task.nodes.labels[split.test].toarray()
    expected = f1_score(y, np.tile(frequencies >= one, (len(y), 1)), average="micro")
    assert found["all"]["one threshold (%)"] == pytest.approx(100 * expected)


def test_claims_compare_split_by_split():
    def runs(one, each, ece, mce):
        figures = zip(one, each, ece, mce, strict=True)
        names = ("one threshold (%)", "one a level (%)", "ECE (%)", "MCE (%)")
        return [
            {level: dict(zip(names, row, strict=True)) for level in ("all", "chapter")} for row in figures
        ]

    measured = {
        "micro-AUPRC": runs((30, 31, 35), (32, 34, 36), (1, 1, 1), (9, 9, 9)),
        "micro-F1": runs((33, 33, 33), (0, 0, 0), (1, 1, 1), (9, 9, 9)),
        "NDCG": runs((0, 0, 0), (0, 0, 0), (2, 3, 4), (8, 7, 6)),
    }
    found = {
        row["claim"]: (row["here"], row["confirmed here"]) for row in thresholds._claims(measured, ["all"])
    }
    assert found == {
        "micro-F1 of chapter: selected by micro-AUPRC, a threshold a level over one for all (points)": (
            "+2.00 ± 0.58",
            "yes",
        ),
        "micro-F1 of chapter: selected by micro-AUPRC, a threshold a level, over micro-F1 and one (points)": (
            "+1.00 ± 1.15",
            "no, no difference",
        ),
        "all nodes: ECE, selected by NDCG over micro-AUPRC (points)": ("+2.00 ± 0.58", "yes"),
        "all nodes: MCE, selected by NDCG over micro-AUPRC (points)": ("-2.00 ± 0.58", "no, worse"),
    }
    without = thresholds._claims(measured, ["chapter"])[-2:]
    assert [(row["here"], row["confirmed here"]) for row in without] == [("–", "too few pairs")] * 2
