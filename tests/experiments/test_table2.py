import pandas as pd
import pytest

import experiments.runs
from experiments import table2

COLUMNS = [
    f"{part} {terms} {average} {threshold}"
    for part in ("test", "train")
    for terms in ("equality", "relevancy")
    for threshold in ("@0.5", "tuned")
    for average in ("micro", "weighted")
]


def read(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "synthetic.csv", index_col="experiment", dtype=str)


def test_end_to_end_and_read_back(experiment, in_miniature, no_training, monkeypatch, capsys):
    experiment("table2", table2.make)
    folder = in_miniature / "results" / "table2"
    assert {path.name for path in folder.iterdir()} == {
        "synthetic.csv", "synthetic.md", "synthetic.png", "synthetic.run.json",
    }  # fmt: skip
    assert (folder / "synthetic.png").read_bytes().startswith(b"\x89PNG")
    table = read(folder)
    assert list(table.index) == [
        "EM (BCE)", "TLCL", "PLCL", "BHML", "WHML α=0.25", "WHML α=0.75", "BHML as printed",
        "WHML α=0.25 as printed", "WHML α=0.75 as printed", "TF-IDF + logistic regression", "BCE, tuned threshold",
    ]  # fmt: skip
    assert set(COLUMNS) <= set(table.columns)
    assert table.loc["WHML α=0.75", "printed test micro"] == "88.54"
    rows = table.drop(index="BCE, tuned threshold")[COLUMNS]
    assert rows.map(lambda cell: " ± " in cell).all(axis=None)
    means = rows.map(lambda cell: float(cell.split(" ± ")[0]))
    assert means.map(lambda mean: 0 <= mean <= 100).all(axis=None)
    for column in COLUMNS:
        if "equality" in column and "micro @0.5" in column:
            # What is right to the code is right to the neighbourhood.
            assert (means[column] <= means[column.replace("equality", "relevancy")] + 0.05).all()
    tuned = table.loc["BCE, tuned threshold"]
    assert tuned["test equality micro tuned"] == table.loc["EM (BCE)", "test equality micro tuned"]
    assert tuned["test equality micro @0.5"] == "–"
    assert (folder / "synthetic.md").read_text().count("\n|") >= 11
    printed = capsys.readouterr().out
    assert "WHML α=0.75 as printed" in printed

    no_training()
    experiment("table2", table2.make)
    assert read(folder).equals(table)


def test_a_killed_table_goes_on(miniature_task, in_miniature, monkeypatch):
    rows = [
        {"name": "EM (BCE)", "model": "neural", "loss": "bce"},
        {"name": "WHML", "model": "neural", "loss": "whml"},
        {"name": "TF-IDF", "model": "tfidf", "c": 100},
    ]
    stem, train, trained = in_miniature / "results" / "table2" / "ward", experiments.runs._train, []
    table2.make(miniature_task(), {"rows": rows}, stem)
    expected = pd.read_csv(stem.with_suffix(".csv"), dtype=str)

    def killed(task, row, relevance, fold):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append((row["name"], fold))
        return train(task, row, relevance, fold)

    monkeypatch.setattr(experiments.runs, "RESULTS", in_miniature / "again")
    stem = in_miniature / "again" / "table2" / "ward"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(experiments.runs, "_train", killed)
        table2.make(miniature_task(), {"rows": rows}, stem)
    assert trained == [("EM (BCE)", 0), ("EM (BCE)", 1), ("WHML", 0)]
    assert not stem.parent.exists()
    table2.make(miniature_task(), {"rows": rows}, stem)
    found = pd.read_csv(stem.with_suffix(".csv"), dtype=str)
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), expected.drop(columns="seconds"))
