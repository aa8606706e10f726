import pandas as pd
import pytest

from experiments import harness
from experiments.harness import comparable
from experiments.losses import table2
from experiments.rows import heads
from experiments.rows.head import Head, Schedule
from experiments.rows.heads import fold_runs
from experiments.tasks.notes import PUBLIC_NOTES
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import plots

COLUMNS = [
    f"{part} {terms} {average} {threshold}"
    for part in ("test", "train")
    for terms in ("equality", "relevancy")
    for threshold in ("@0.5", "tuned")
    for average in ("micro", "weighted")
]


def read(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "synthetic.csv", index_col=["schedule", "experiment"], dtype=str)


def test_end_to_end_and_read_back(experiment, in_miniature, quick_heads, no_training, capsys):
    experiment("table2", "epochs=2")
    folder = in_miniature / "results" / "table2"
    assert {path.name for path in folder.iterdir()} == {
        "synthetic.csv", "synthetic.md", "synthetic.png", "synthetic-to-convergence.png", "synthetic.run.json",
    }  # fmt: skip
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
    table = read(folder)
    neural = [
        "EM (BCE)", "TLCL", "PLCL", "BHML", "WHML α=0.25", "WHML α=0.75", "BHML as printed",
        "WHML α=0.25 as printed", "WHML α=0.75 as printed",
    ]  # fmt: skip
    schedules = [(schedule, name) for schedule in ("as printed", "to convergence") for name in neural]
    controls = [("–", "TF-IDF + logistic regression"), ("–", "Training frequencies")]
    assert list(table.index) == [*schedules, *controls]
    assert set(COLUMNS) <= set(table.columns)
    assert table.loc[("as printed", "WHML α=0.75"), "printed test micro"] == "88.54"
    # The paper has one schedule, and no control.
    assert (table.loc[["to convergence", "–"], "printed test micro"] == "–").all()
    rows = table[COLUMNS]
    assert rows.map(lambda cell: " ± " in cell).all(axis=None)
    means = rows.map(lambda cell: float(cell.split(" ± ")[0]))
    assert means.map(lambda mean: 0 <= mean <= 100).all(axis=None)
    for column in COLUMNS:
        if "equality" in column and "micro @0.5" in column:
            # What is right to the code is right to the neighbourhood.
            assert (means[column] <= means[column.replace("equality", "relevancy")] + 0.05).all()
    # At a rate three times as high two epochs learn something else.
    assert not table.loc["as printed", COLUMNS].equals(table.loc["to convergence", COLUMNS])
    assert (folder / "synthetic.md").read_text().count("\n|") >= 20
    printed = capsys.readouterr().out
    assert "WHML α=0.75 as printed" in printed

    no_training()
    experiment("table2", "epochs=2")
    assert read(folder).equals(table)


def test_a_killed_table_goes_on(miniature_task, in_miniature, quick_heads, monkeypatch):
    rows = [
        {"name": "EM (BCE)", "model": "neural", "loss": "bce"},
        {"name": "WHML", "model": "neural", "loss": "whml"},
        {"name": "TF-IDF", "model": "tfidf", "c": 100},
    ]
    stem, train, trained = in_miniature / "results" / "table2" / "ward", heads._train, []
    settings = {"rows": rows, "schedules": {"as printed": {}}}
    table2.make(miniature_task(), settings, stem)
    expected = pd.read_csv(stem.with_suffix(".csv"), dtype=str)

    def killed(task, row, relevance, fold):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append((row["name"], fold))
        return train(task, row, relevance, fold)

    monkeypatch.setattr(harness, "RESULTS", in_miniature / "again")
    stem = in_miniature / "again" / "table2" / "ward"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(heads, "_train", killed)
        table2.make(miniature_task(), settings, stem)
    assert trained == [("EM (BCE)", 0), ("EM (BCE)", 1), ("WHML", 0)]
    assert not stem.parent.exists()
    table2.make(miniature_task(), settings, stem)
    found = pd.read_csv(stem.with_suffix(".csv"), dtype=str)
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), expected.drop(columns="seconds"))


def test_a_schedule_is_how_a_row_is_trained(miniature_task, monkeypatch):
    row = {"name": "BCE", "model": "neural", "loss": "bce"}
    seen = []
    monkeypatch.setattr(
        Head, "train", lambda self, train, validation, schedule, seed: seen.append(schedule) or 1
    )
    task = miniature_task()
    for changes in ({}, {"learning_rate": 0.003, "epochs": 200}):
        list(fold_runs(task, table2._scheduled(row, {"x": changes})["x"]))
    assert seen == [Schedule(0.1, 16, 2, 5)] * 2 + [Schedule(0.003, 16, 200, 5)] * 2
    # What is trained as the task says is the run of every other table.
    assert table2._scheduled(row, {"as printed": {}}) == {"as printed": row}
    with pytest.raises(InputError, match="unknown key 'folds'"):
        list(fold_runs(task, row | {"schedule": {"folds": 3}}))


@pytest.mark.parametrize(("own", "marked"), [("ward.csv", False), ("synthetic", True)])
def test_no_mark_of_the_paper_over_data_of_ones_own(
    miniature_task, in_miniature, quick_heads, monkeypatch, own, marked
):
    rows = [{"name": "EM (BCE)", "model": "neural", "loss": "bce", "printed": {"test micro": 74.64}}]
    settings = comparable({"rows": rows, "schedules": {"as printed": {}}}, own, PUBLIC_NOTES)
    seen = []
    monkeypatch.setattr(plots, "_draw_bars", lambda axes, values, errors, printed: seen.append(printed))
    stem = in_miniature / "results" / "table2" / "ward"
    table2.make(miniature_task(), settings, stem)
    assert [printed is not None for printed in seen] == [marked]
    assert ("74.64" in stem.with_suffix(".csv").read_text()) == marked
