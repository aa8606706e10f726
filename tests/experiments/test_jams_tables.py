"""What the experiments on two code systems measure and write."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import f1_score, roc_auc_score
from small_jams import CAML

from experiments import compare
from experiments.controls import control_scores
from experiments.jams import groups, table1, table2
from experiments.rows import two_systems as runs
from icd_relevancy.codes import icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError
from icd_relevancy.settings import read_yaml

FOLDER = Path(groups.__file__).parent
JOINT = {"name": "CAML with JAMS", "model": "caml", "joint": True}
FREQUENCY = {"name": "Training frequencies", "control": "frequency"}


def settings(name: str) -> dict:
    return read_yaml(FOLDER / f"{name}.yaml")


def read(stem: Path, index) -> pd.DataFrame:
    assert stem.with_suffix(".md").exists()
    return pd.read_csv(stem.with_suffix(".csv"), dtype=str).set_index(index)


def test_table1(make_task, small_file):
    stem = Path("results/jams-table1/two")
    table1.make(make_task(small_file, test=0.5), {"printed": {"ICD-9": {"codes": "6,150"}}}, stem)
    table = read(stem, "statistic")
    assert table["ICD-9"].to_dict() == {
        "documents": "16",
        "patients": "–",
        "codes": "3",
        "codes a document": "1.2",
        "words a document": "4",
        "train / validation / test (%)": table.loc["train / validation / test (%)", "ICD-9"],
        "codes linked as equivalent": "1",
        "codes linked as approximate only": "1",
        "codes without a link": "1",
        "test codes without a training note (%)": "0.0",
    }
    shares = [float(share) for share in table.loc["train / validation / test (%)", "ICD-9"].split(" / ")]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert shares[2] == 50
    assert table.loc["codes", "ICD-9, printed"] == "6,150"
    assert table.loc["codes", "ICD-10, printed"] == "–"


def of(f1: dict[str, float], **more) -> dict:
    return {"f1": f1, "macro-F1": 0.5, "micro-F1": 0.5, "MAP": 0.5, "epochs": 1, "seconds": 1.0, **more}


ALONE = {
    "icd9cm": [
        of({"428.0": 0.2, "401.9": 0.4, "576.2": 0.9}),
        of({"428.0": 0.4, "401.9": 0.4, "576.2": 0.9}),
    ],
    "icd10cm": [of({"I10": 0.5, "K83.1": 0.8})] * 2,
}
TOGETHER = {
    "icd9cm": [
        of({"428.0": 0.3, "401.9": 0.8, "576.2": 0.9}),
        of({"428.0": 0.7, "401.9": 0.8, "576.2": 0.9}),
    ],
    "icd10cm": [of({"I10": 0.6, "K83.1": 0.8})] * 2,
}


@pytest.fixture
def measured_before(monkeypatch):
    for module in (groups, runs):
        monkeypatch.setattr(module, "measured", lambda task, row: TOGETHER if row.get("joint") else ALONE)


def test_figure2(make_task, small_file, measured_before):
    stem = Path("results/jams-figure2/two")
    rows = [
        {"name": "LAAT", "model": "laat", "printed": {"ICD-9": [3.2]}},
        {"name": "Lexicon", "model": "lexicon"},
    ]
    groups.make(make_task(small_file, test=0.5, strata=(2, 3)), {**settings("figure2"), "rows": rows}, stem)
    table = read(stem, ["model", "system", "codes"])
    # R05.9 alone has so few training notes in ICD-10, and no test note here.
    assert list(table.index) == [
        (row["name"], *place)
        for row in rows
        for place in (("ICD-9", "1-2"), ("ICD-9", ">3"), ("ICD-10", "3-3"), ("ICD-10", ">3"))
    ]
    assert set(table.xs("Lexicon", level="model")["printed gain"]) == {"–"}
    table = table.loc["LAAT"]
    rare = table.loc[("ICD-9", "1-2")]
    assert rare["tested codes"] == "2"
    # Means over 428.0 and 401.9: 30 and 40 alone, 55 and 75 together.
    assert (rare["alone"], rare["with JAMS"]) == ("35.00 ± 7.07", "65.00 ± 14.14")
    assert rare["gain (95 % interval)"].startswith("+30.00 (")
    assert (rare["printed gain"], table.loc[("ICD-9", ">3"), "printed gain"]) == ("+3.2", "–")
    assert table.loc[("ICD-9", ">3"), "gain (95 % interval)"] == "–"
    assert stem.with_suffix(".png").exists()


def test_figure3(make_task, small_file, measured_before):
    stem = Path("results/jams-figure3/two")
    rows = [{"name": "LAAT", "model": "laat", "printed": {"ICD-9": [4.2, 1.9]}}]
    groups.make(make_task(small_file, test=0.5, strata=(2, 3)), {**settings("figure3"), "rows": rows}, stem)
    table = read(stem, ["model", "system", "codes"]).loc["LAAT"]
    assert list(table.index) == [("ICD-9", "1-2, linked"), ("ICD-9", "1-2, not linked")]
    assert table["with JAMS"].tolist() == ["80.00 ± 0.00", "50.00 ± 28.28"]
    assert table["printed gain"].tolist() == ["+4.2", "+1.9"]


def test_the_ablation_compares_rare_codes(make_task, small_file, measured_before):
    stem = Path("results/jams-ablation/two")
    rows = [
        {"name": "Alone", "model": "laat"},
        {"name": "JAMS", "model": "laat", "joint": True},
        {"name": "Common encoder", "model": "laat", "joint": True, "training": {"graph": "none"}},
        {"name": "Another", "model": "caml", "joint": True},
    ]
    compare.make(make_task(small_file, test=0.5), {**settings("ablation"), "rows": rows}, stem)
    table = read(stem, ["system", "experiment"])
    assert table.loc[("ICD-9", "JAMS"), "macro-F1 1-2"] == "65.00 ± 14.14"
    assert table.loc[("ICD-9", "JAMS"), "gain on 1-2 (95 % interval)"].startswith("+30.00 (")
    gains = table.loc["ICD-9", "gain on 1-2 (95 % interval)"]
    assert gains["Common encoder"] == gains["JAMS"]
    # Neither is joint and of a model that is here alone.
    assert gains[["Alone", "Another"]].tolist() == ["–", "–"]


def test_the_backbone_of_a_joint_model_has_its_settings():
    rows = [
        {"name": "a", "model": "caml"},
        {"name": "b", "model": "caml", "training": {"lexical": True}},
        {"name": "c", "model": "caml", "training": {"lexical": True, "graph": "none"}, "joint": True},
        {"name": "d", "control": "frequency"},
    ]
    assert [runs.backbone_of(row, rows) for row in rows] == [None, None, rows[1], None]


def test_measures_are_those_of_scikit_learn(make_task, small_file):
    task = make_task(small_file, test=0.5)
    notes = task.test["icd9cm"]
    task.test["icd9cm"] = replace(notes, codes=[*notes.codes[:-1], ("401.9", "786.2")])
    labels, scores = ("401.9", "428.0", "576.2"), np.random.default_rng(0).normal(size=(8, 3))
    found = runs._measures(task, "icd9cm", labels, scores, -0.2)
    y = np.array([[code in row for code in (*labels, "786.2")] for row in task.test["icd9cm"].codes], int)
    predicted = np.hstack([scores >= -0.2, np.zeros((8, 1))]).astype(int)
    assert found["micro-F1"] == pytest.approx(f1_score(y, predicted, average="micro"))
    # Only the codes of the test notes; 786.2 was never seen and is missed.
    tested = y.any(axis=0)
    assert found["macro-F1"] == pytest.approx(f1_score(y[:, tested], predicted[:, tested], average="macro"))
    assert found["f1"]["786.2"] == 0
    assert found["AUC micro"] == pytest.approx(roc_auc_score(y[:, :3].ravel(), scores.ravel()))
    assert found["EMR"] == (y == predicted).all(axis=1).mean()
    assert found["P@8"] == pytest.approx(y.sum() / 8 / 8)
    assert found["relevancy micro-F1"] >= found["micro-F1"]


def test_controls():
    texts = ["Dry cough for a week", "Dry cough, fever", "Essential hypertension", "Hypertension, fever"] * 2
    codes = [("R05.9",), ("R05.9", "R50.9"), ("I10",), ("I10", "R50.9")] * 2
    mentions = [
        (("R05.9", "dry cough"),),
        (("R05.9", "dry cough"), ("R50.9", "fever")),
        (),
        (("R50.9", "fever"),),
    ] * 2
    labels = ("I10", "R05.9", "R50.9")
    notes = Notes(tuple(map(str, range(8))), texts, codes, mentions=mentions)
    test = Notes(("a", "b"), ("He has a dry cough", "Primary hypertension, essential"), ((), ()))
    y = sparse.csr_matrix([[label in row for label in labels] for row in codes]).astype(int)

    def scores(name):
        return np.asarray(control_scores(name, notes, y, labels, icd10cm(), test, 0))

    assert scores("frequency").tolist() == [[0.5] * 3] * 2
    mentioned = scores("mentions")
    # Of the four training notes with this mention all have the code, but the estimate is careful.
    assert mentioned[0, 1] > 0.5
    assert np.count_nonzero(mentioned) == 1
    titles, linear = scores("titles"), scores("logistic")
    # "Essential (primary) hypertension" is there as a whole: ten points more.
    assert titles[1, 0] - linear[1, 0] == pytest.approx(10, abs=1e-4)
    assert titles[0, 0] == pytest.approx(linear[0, 0])
    with pytest.raises(InputError, match="no annotated mentions"):
        control_scores("mentions", replace(notes, mentions=None), y, labels, icd10cm(), test, 0)


def test_models_of_one_system_and_of_two_are_trained(make_task):
    task = make_task(seeds=1)
    alone = runs._trained(task, task.training_config(CAML, 0, "icd10cm"))
    joint = runs._trained(task, task.training_config(JOINT, 0))
    assert (list(alone), list(joint)) == (["icd10cm"], ["icd9cm", "icd10cm"])
    for system, run in (*alone.items(), *joint.items()):
        assert set(run["f1"]) == {code for row in task.test[system].codes for code in row}
        assert run["epochs"] == 2
        assert 0.3 < run["AUC micro"] <= 1
    assert not list(task.runs.glob(".*"))


def test_table2_end_to_end_and_read_back(make_task, two_systems, quick_coders, monkeypatch):
    task, stem = make_task(), two_systems / "results" / "jams-table2" / "synthetic"
    printed = {"ICD-9": [99.3, 96.0, 61.7, 26.4, 0.9, 68.9, 52.7, 61.7, 66.3]}
    rows = [{**CAML, "printed": printed}, JOINT, FREQUENCY]
    table2.make(task, {**settings("table2"), "rows": rows}, stem)
    table = read(stem, ["system", "experiment"])
    assert list(table.index) == [(system, row["name"]) for system in ("ICD-9", "ICD-10") for row in rows]
    # Every note has the same scores.
    assert table.loc[("ICD-9", "Training frequencies"), "AUC macro"] == "50.00"
    assert (
        table.loc[("ICD-9", "CAML"), settings("table2")["printed_as"]]
        == "99.3 / 96.0 / 61.7 / 26.4 / 0.9 / 68.9 / 52.7 / 61.7 / 66.3"
    )
    assert table.loc[("ICD-10", "CAML"), "gain in macro-F1 (95 % interval)"] == "–"
    assert len(list(task.runs.glob("caml-joint-seed*.json"))) == 2
    assert len(list(task.runs.glob("caml-icd*-seed*.json"))) == 4
    assert not list(task.runs.glob(".*"))

    monkeypatch.setattr(runs, "_train", lambda *_: 1 / 0)
    table2.make(make_task(), {**settings("table2"), "rows": rows}, stem)
    assert read(stem, ["system", "experiment"]).equals(table)
    groups.make(make_task(), {**settings("figure2"), "rows": [CAML]}, stem.with_name("figure2"))
    figure = read(stem.with_name("figure2"), ["model", "system", "codes"]).loc["CAML"]
    joint = runs.measured(task, JOINT)
    for name, system in (("ICD-9", "icd9cm"), ("ICD-10", "icd10cm")):
        of_strata = figure.loc[name]
        total = of_strata["tested codes"].astype(int) @ of_strata["with JAMS"].str.split().str[0].astype(
            float
        )
        # Codes without a training note are in no stratum, and are never found.
        expected = 100 * np.mean([sum(one["f1"].values()) for one in joint[system]])
        assert total == pytest.approx(expected, abs=0.01 * len(joint[system][0]["f1"]))
    with pytest.raises(ZeroDivisionError):
        runs.measured(make_task(), {"name": "LAAT", "model": "laat"})


def test_a_killed_training_leaves_the_finished_ones(make_task, quick_coders):
    task, train, trained = make_task(), runs._train, []

    def killed(task, config, checkpoint):
        if len(trained) == 2:
            checkpoint.write_bytes(b"")
            raise KeyboardInterrupt
        trained.append((config.code_system, config.seed))
        return train(task, config, checkpoint)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(runs, "_train", killed)
        runs.measured(task, {"name": "CAML", "model": "caml"})
    assert trained == [("icd9cm", 0), ("icd9cm", 1)]
    assert len(list(task.runs.glob("caml-icd9cm-seed*.json"))) == 2


def test_lexical_end_to_end(make_task, two_systems, quick_coders):
    task = make_task(systems=("icd10cm",), seeds=1)
    stem = two_systems / "results" / "jams-lexical" / "synthetic"
    rows = read_yaml(FOLDER / "lexical.yaml")["rows"]
    # Every control, and every model with the channel.
    rows = [row for row in rows if row.get("model") in (None, "lexicon", "caml") or "training" in row]
    compare.make(task, {**settings("lexical"), "rows": rows}, stem)
    table = read(stem, "experiment")
    assert list(table.index) == [row["name"] for row in rows if row.get("languages") != ["es"]]
    assert len(table) == 11
    micro = table["micro-F1"].astype(float)
    # Synthetic notes name their codes by the words of the titles.
    assert micro["Logistic regression + titles"] > micro["Training frequencies"]
    assert (table["relevancy micro-F1"].astype(float) >= micro).all()
