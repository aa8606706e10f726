from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from experiments.losses import figure1, figure2, table3, table4
from experiments.rows.heads import fold_runs
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import plots

BCE = {"name": "EM (BCE)", "model": "neural", "loss": "bce"}
WHML = {"name": "WHML α=0.75", "model": "neural", "loss": "whml", "alpha": 0.75}


def stem(name) -> Path:
    return Path("results") / name / "ward"


def written(name) -> pd.DataFrame:
    assert {path.suffix for path in stem(name).parent.iterdir()} == {".csv", ".md", ".png"}
    assert stem(name).with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    return pd.read_csv(stem(name).with_suffix(".csv"), dtype=str)


def test_table3(miniature_task, quick_heads):
    settings = {"rows": [BCE, WHML], "printed": {"Cardiology": {"WHML α=0.75": 92.14}}}
    table3.make(miniature_task(), settings, stem("table3"))
    table = written("table3")
    specialties = ["Cardiology", "ENT", "Pediatrics", "Surgery"]
    assert table["specialty"].tolist() == [name for name in specialties for _ in range(2)]
    assert table["experiment"].tolist() == ["EM (BCE)", "WHML α=0.75"] * 4
    assert (table["notes"] == "10").all()
    assert table["printed"].tolist() == ["–", "92.14", *["–"] * 6]


def test_folds_without_notes_of_a_specialty_do_not_count(miniature_task, quick_heads):
    task = miniature_task()
    own = ["ENT" if fold else "Surgery" for fold in task.fold]
    task.notes = replace(task.notes, specialty=tuple(own))
    table3.make(task, {"rows": [BCE], "printed": {}}, stem("table3"))
    first, second = (run.best_report(task, "test", None).micro_f1 for run in fold_runs(task, BCE))
    table = written("table3").set_index("specialty")["equality tuned"]
    assert table.to_dict() == {"Surgery": f"{100 * first:.2f}", "ENT": f"{100 * second:.2f}"}


def test_table4(miniature_task, quick_heads):
    entry = {"icd10cm": ["J18.9"], "icd9cm": ["486"], "printed": {"WHML α=0.75": 76.18}}
    absent = {"icd10cm": ["G93.9"], "icd9cm": ["348.9"], "printed": {}}
    task = miniature_task()
    table4.make(task, {"rows": [BCE, WHML], "codes": [entry, absent]}, stem("table4"))
    table = written("table4")
    assert table["code"].tolist() == ["J18.9"] * 2
    assert table["title"][0] == "Pneumonia, unspecified organism"
    assert table["notes"][0] == str(sum("J18.9" in codes for codes in task.notes.codes))
    assert table["printed"].tolist() == ["–", "76.18"]
    with pytest.raises(InputError, match="none of the hard codes"):
        table4.make(task, {"rows": [BCE], "codes": [absent]}, stem("table4"))


def test_figure1(miniature_task, monkeypatch):
    drawn, save = [], plots._save

    def spying(figure, axes, *arguments, **settings):
        drawn.append((axes.get_xlabel(), axes.get_ylabel()))
        return save(figure, axes, *arguments, **settings)

    monkeypatch.setattr(plots, "_save", spying)
    figure1.make(miniature_task(), {"printed": {"ENT": 12.5}}, stem("figure1"))
    assert drawn == [("share of notes (%)", "specialty")]
    table = written("figure1").set_index("specialty")
    assert table["notes"].tolist() == ["10"] * 4
    assert table["share (%)"].astype(float).tolist() == [25.0] * 4
    assert float(table.loc["ENT", "printed (%)"]) == 12.5
    assert table.loc["Surgery", "printed (%)"] == "–"


def test_figure2(miniature_task, quick_heads, monkeypatch):
    drawn = {}

    def line_plot(path, *values, **settings):
        drawn.update(settings, values=values[0])
        return plots.line_plot(path, *values, **settings)

    monkeypatch.setattr(figure2, "line_plot", line_plot)
    settings = {"row": WHML, "control": BCE, "thresholds": [0.76, 0.96], "printed": {0.76: 84.26}}
    figure2.make(miniature_task(), settings, stem("figure2"))
    table = written("figure2").set_index("τ")
    assert table.index.tolist() == ["0.76", "0.96"]
    # Two pairs of neighbours among eight codes at 0.76, none at 0.96.
    assert table["neighbours a code"].astype(float).tolist() == [0.5, 0.0]
    assert table["printed"].tolist() == ["84.26", "–"]
    assert table.loc["0.96", "EM (BCE), relevancy @0.5"] == table.loc["0.96", "EM (BCE), equality @0.5"]
    # The picture says what the table says, the deviation of the folds included.
    for name in drawn["values"]:
        shown = zip(drawn["values"][name], drawn["errors"][name], strict=True)
        assert [f"{mean:.2f} ± {sd:.2f}" for mean, sd in shown] == table[f"{name} tuned"].tolist()
    assert drawn["mark"] == 0.76
    figure2.make(miniature_task(), {**settings, "printed": {}}, stem("figure2"))
    assert drawn["mark"] is None
    assert (written("figure2")["printed"] == "–").all()


@pytest.mark.parametrize("experiment", [table3, figure1])
def test_notes_without_specialties_are_named(miniature_task, experiment):
    task = miniature_task()
    task.notes = replace(task.notes, specialty=None)
    with pytest.raises(InputError, match=r"ward\.csv: the notes carry no specialty"):
        experiment.make(task, {"rows": [BCE], "printed": {}}, stem("none"))
    assert not stem("none").parent.exists()
