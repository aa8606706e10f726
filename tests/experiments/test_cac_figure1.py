"""What is known of each code, and what cherry-picking costs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cac import figure1
from experiments.cac.cherry_picking import cherry_pick
from experiments.rows.stays import level_labels
from experiments.tasks.stays import StaysConfig, StaysTask
from icd_relevancy.settings import read_yaml

NETWORK = {"hidden_layers": 1, "units": 16, "dropout": 0.0, "epochs": 1, "learning_rate": 0.01}
LEAST = 15
STEM = Path("results/cac-figure1/synthetic-icd9cm")
SUBSETS = ["all codes", "low-frequency", "cherry-picked", "filtered out", "cherry-picked or filtered out"]


@pytest.fixture
def stays_task(in_miniature):
    return StaysTask(StaysConfig("synthetic", "icd9cm", 240, 2, 0.2, 0.2, 0, NETWORK))


@pytest.fixture
def task(stays_task):
    return stays_task


@pytest.fixture
def settings():
    found = read_yaml(Path(figure1.__file__).with_suffix(".yaml"))
    return {**found, "min_count": {"other": LEAST}, "network": {}, "ks": [1, 5, 9, 20, 1000]}


@pytest.fixture
def untrained(monkeypatch):
    """Random probabilities in place of a trained network's; 0 for the codes that were not picked."""
    random = np.random.default_rng(0)

    def scores(task, picked, rows):
        drawn = random.random((len(rows), len(task.nodes.names)))
        return drawn if picked is None else drawn * picked

    monkeypatch.setattr(figure1, "trained", lambda task, split, config, picked=None: picked)
    monkeypatch.setattr(figure1, "node_scores", scores)


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(STEM.with_name(f"{STEM.name}{name}.csv"))


def mean(cell: str) -> float:
    return float(cell.split()[0])


def test_figure1(task, settings, quick_networks, monkeypatch):
    figure1.make(task, settings, STEM)
    codes = cherry_pick(task.nodes, LEAST)
    table = read("").set_index("codes")
    assert list(table.index) == [*SUBSETS, "all codes, stays shuffled"]
    rare, picked, filtered = (mask.sum() for mask in (codes.rare, codes.picked, codes.filtered_out))
    everything = len(task.nodes.names)
    assert list(table["number"]) == [everything, rare, picked, filtered, picked + filtered, everything]
    # The drugs tell something, which shuffled stays do not.
    for column in ("known (%)", "better (%)", "halved (%)"):
        assert mean(table.loc["all codes", column]) > mean(table.loc["all codes, stays shuffled", column])
    assert (table["a tenth (%)"].map(mean) <= table["halved (%)"].map(mean)).all()
    claims = read("-claims").set_index("claim")
    for column, claim in (
        ("known (%)", "something is known of low-frequency codes (%)"),
        ("known by a tenth (%)", "the entropy of low-frequency codes falls by a tenth (%)"),
    ):
        assert claims.loc[claim, "here"] == table.loc["low-frequency", column]
    assert set(claims["confirmed here"]) <= {"yes", "no", "no, better", "no, worse", "no, no difference"}
    for letter in "abcd":
        assert STEM.with_name(f"{STEM.name}-{letter}.png").exists()

    # What was measured is read back.
    monkeypatch.setattr(figure1, "trained", lambda *_: 1 / 0)
    STEM.with_suffix(".csv").unlink()
    figure1.make(task, settings, STEM)
    pd.testing.assert_frame_equal(read("").set_index("codes"), table)
    with pytest.raises(ZeroDivisionError):
        figure1.make(task, {**settings, "estimator": "binned"}, STEM)


def test_recall_by_hand(task, settings, untrained):
    columns, labels = level_labels(task)["billing"]
    picked = cherry_pick(task.nodes, LEAST).picked[columns]
    count = int(picked.sum())
    figure1.make(task, {**settings, "ks": [5, count, 1000]}, STEM)
    table = read("-recall").set_index(["recall of", "model"])
    assert list(table) == ["Recall@5 (%)", f"Recall@{count} (%)"]
    all_of, expected = {}, {}
    for subset, mask in (("cherry-picked", picked), ("all codes", np.ones_like(picked))):
        recalls, kept = [], []
        for split in task.splits:
            frequency = labels[split.train][:, mask].sum(axis=0).A1
            # Ties share the places that are left.
            places = [np.clip((5 - (frequency > f).sum()) / (frequency == f).sum(), 0, 1) for f in frequency]
            y = labels[split.test][:, mask].toarray()
            y = y[y.any(axis=1)]
            recalls.append(100 * (y @ np.array(places) / y.sum(axis=1)).mean())
            kept.append(100 * (y @ picked[mask] / y.sum(axis=1)).mean())
        expected[subset], all_of[subset] = np.mean(recalls), np.mean(kept)
    for subset, recall in expected.items():
        found = mean(table.loc[(subset, "training frequencies"), "Recall@5 (%)"])
        assert found == pytest.approx(recall, abs=0.006)
        # Reading as many codes as were picked finds all that were, and no other.
        found = mean(table.loc[(subset, "trained on cherry-picked codes"), f"Recall@{count} (%)"])
        assert found == pytest.approx(all_of[subset], abs=0.006)
    assert all_of["cherry-picked"] == 100 > all_of["all codes"]


def test_codes_left_out_have_probability_0(task, quick_networks):
    picked = cherry_pick(task.nodes, LEAST).picked
    split = task.splits[0]
    coder = figure1.trained(task, split, task.network(), picked)
    scores = figure1.node_scores(task, coder, split.test)
    assert (scores[:, ~picked] == 0).all()
    assert (scores[:, picked] > 0).all()


@pytest.mark.parametrize(
    ("filtered", "p", "found"),
    [
        # Three against three, none between: of the 20 orders 2 are as extreme.
        ([[0.1, 0.2, 0.3], [0.1, np.nan, 0.3]], "0.100; medians 0.200 and 0.700", "yes"),
        # Four against three: 2 of 35.
        ([[0.1, 0.2, 0.3, 0.4]] * 2, "0.057; medians 0.250 and 0.700", "yes"),
    ],
)
def test_each_code_counts_once_in_the_test(filtered, p, found):
    picked = np.array([[0.5, 0.7, 0.9, np.nan], [0.5, np.nan, 0.9, np.nan]])
    of_codes = {"cherry-picked": {"information": picked}, "filtered out": {"information": np.array(filtered)}}
    row = figure1._as_well_known(of_codes, 0.155)
    assert (row["here"], row["confirmed here"], row["printed"]) == (p, found, 0.155)


@pytest.mark.parametrize(("shift", "found"), [(-1.0, "no"), (1.0, "yes")])
def test_filtered_out_codes_may_be_known_better(shift, found):
    picked = np.array([[0.5, 0.7, 0.9, 0.6]])
    of_codes = {"cherry-picked": {"information": picked}, "filtered out": {"information": picked + shift}}
    # Four against four, none between: 2 of the 70 orders.
    row = figure1._as_well_known(of_codes, 0.155)
    assert row["here"].startswith("0.029; ")
    assert row["confirmed here"] == found


def test_without_filtered_out_codes(task, settings, untrained):
    figure1.make(task, {**settings, "excluded": []}, STEM)
    table = read("").set_index("codes")
    assert table.loc["filtered out", "number"] == 0
    assert table.loc["filtered out", "known (%)"] == "–"
    assert read("-claims")["confirmed here"][0] == "no such codes with a test stay"


def test_the_settings_of_the_figure(task):
    settings = read_yaml(Path(figure1.__file__).with_suffix(".yaml"))
    assert task.network(**settings["network"]).monitor == "micro_f1"
    assert settings["min_count"]["other"] == 100
    assert {9, 30} <= set(settings["ks"])
