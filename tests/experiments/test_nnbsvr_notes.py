from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.nnbsvr import table3, table4
from experiments.rows.heads import fold_runs
from icd_relevancy.errors import InputError

BCE = {"name": "EM (BCE)", "model": "neural", "loss": "bce"}
BHML = {"name": "BHML", "model": "neural", "loss": "whml", "alpha": 0.5, "matching": "graded"}
FREQUENCY = {"name": "Training frequencies", "model": "frequency"}


def stem(name) -> Path:
    return Path("results") / f"nnbsvr-{name}" / "ward"


def read(name) -> pd.DataFrame:
    assert {path.suffix for path in stem(name).parent.iterdir()} == {".csv", ".md", ".png"}
    return pd.read_csv(stem(name).with_suffix(".csv"), dtype=str)


def mean(cell: str) -> float:
    return float(cell.split(" ± ")[0])


def test_table3(miniature_task, quick_heads):
    figures = [1.5, 2.5, 3.5, 4.5, 6]
    settings = {
        "trained": BHML, "vectors": ["ICD2Vec", "NNBSVR"], "thresholds": [0.76, 0.96],
        "controls": [BCE, FREQUENCY],
        "printed": {"train": {}, "test": {"EM": figures, "NNBSVR 0.76": figures}},
    }  # fmt: skip
    table3.make(miniature_task(epochs=5), settings, stem("table3"))
    table = read("table3")
    assert table["part"].tolist() == ["test"] * 12 + ["train"] * 12
    assert table["experiment"].tolist() == ["BHML", "EM (BCE)", "Training frequencies"] * 8
    test = table[table["part"] == "test"].set_index(["vectors", "τ", "experiment"]).sort_index()
    assert list(dict.fromkeys(table["vectors"])) == ["ICD2Vec", "NNBSVR"]
    nnbsvr = test.loc["NNBSVR"]
    # Two pairs of neighbours among eight codes at 0.76, none at 0.96.
    assert nnbsvr.loc["0.76", "neighbours a label"].tolist() == ["0.5"] * 3
    assert nnbsvr.loc["0.96", "neighbours a label"].tolist() == ["0.0"] * 3
    for measure in ("recall", "precision", "F1-micro", "F1-weighted"):
        for at in ("@0.5", "tuned"):
            without = nnbsvr.loc["0.96", f"relevancy {measure} {at}"]
            assert without.tolist() == nnbsvr.loc["0.96", f"equality {measure} {at}"].tolist()
    # One set of predictions, so the equality scores of a control are the same beside every graph.
    assert len(set(test.xs("EM (BCE)", level="experiment")["equality F1-micro tuned"])) == 1
    at_half = [[mean(cell) for cell in test[f"{terms} recall @0.5"]] for terms in ("equality", "relevancy")]
    assert (np.array(at_half[0]) <= np.array(at_half[1]) + 0.01).all()
    assert test.loc[("NNBSVR", "0.76", "BHML"), "printed F1-micro"] == "3.5"
    assert test.loc[("ICD2Vec", "0.96", "EM (BCE)"), "printed epochs"] == "6"
    assert test.loc[("ICD2Vec", "0.76", "BHML"), "printed recall"] == "–"


def test_table4(miniature_task, quick_heads):
    entry = {"icd10cm": ["J18.9"], "icd9cm": ["486"], "printed": {"EM (BCE)": 63.59, "NNBSVR": 73.15}}
    absent = {"icd10cm": ["G93.9"], "icd9cm": ["348.9"], "printed": {}}
    settings = {
        "threshold": 0.76, "vectors": ["ICD2Vec", "NNBSVR"], "trained": BHML, "control": BCE,
        "codes": [entry, absent],
    }  # fmt: skip
    task = miniature_task(epochs=5)
    table4.make(task, settings, stem("table4"))
    table = read("table4").set_index("experiment")
    assert list(table.index) == [
        "EM (BCE)", "ICD2Vec", "EM (BCE), scored by ICD2Vec", "NNBSVR", "EM (BCE), scored by NNBSVR",
    ]  # fmt: skip
    assert table["printed"].tolist() == ["63.59", "–", "–", "73.15", "–"]
    assert (table["code"] == "J18.9").all()
    label = task.labels.index("J18.9")
    hits = support = 0
    for run in fold_runs(task, {**BCE, "scored_with": [["ICD2Vec", 0.76], ["NNBSVR", 0.76]]}):
        truth = task.y[run.rows["test"]].toarray()[:, label]
        hits += (truth * run.predicted["test", "tuned for equality"].toarray()[:, label]).sum()
        support += truth.sum()
    assert int(table["notes"].iloc[0]) == support
    assert float(table.loc["EM (BCE)", "equality tuned (%)"]) == pytest.approx(100 * hits / support)
    assert table.loc["EM (BCE)", "relevancy tuned (%)"] == table.loc["EM (BCE)", "equality tuned (%)"]
    with pytest.raises(InputError, match="none of the hard codes"):
        table4.make(task, {**settings, "codes": [absent]}, stem("table4"))
