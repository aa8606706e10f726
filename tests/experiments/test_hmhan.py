from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.metrics import f1_score

from experiments import compare, controls
from experiments.hmhan import figure1, figure7
from experiments.rows import notes
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import plots
from icd_relevancy.settings import read_yaml

FOLDER = Path(figure1.__file__).parent
SHARED = {"model": "hmhan", "epochs": 2, "learning_rate": 0.001, "monitor": "micro_f1"}
ROWS = [
    {"name": "HMHAN", "training": {"attention": "hierarchical"}, "printed": "0.95"},
    {"name": "NB-SVM", "control": "nb_svm"},
]


def test_the_table_and_what_is_read_back(miniature_task, in_miniature, monkeypatch):
    stem = in_miniature / "results" / "hmhan-table4" / "ward"
    settings = {**read_yaml(FOLDER / "table4.yaml"), "training": SHARED, "rows": ROWS}
    compare.make(miniature_task(), settings, stem)
    table = pd.read_csv(stem.with_suffix(".csv"), index_col="experiment", dtype=str)
    assert list(table.index) == ["HMHAN", "NB-SVM"]
    assert table.loc["HMHAN", "p"] == "–"
    assert table.loc["HMHAN", "printed P / R / F1 / AUC / Hamming"] == "0.95"
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    # The words of these notes name their codes: the linear control finds them.
    assert float(table.loc["NB-SVM", "micro-F1 pooled"].split()[0]) > 70
    monkeypatch.setattr(notes, "_trained", lambda *_: 1 / 0)
    monkeypatch.setattr(notes, "_control", lambda *_: 1 / 0)
    compare.make(miniature_task(), settings, stem)
    assert pd.read_csv(stem.with_suffix(".csv"), index_col="experiment", dtype=str).equals(table)
    figure7.make(miniature_task(), {"training": SHARED, "rows": ROWS}, stem.with_name("curves"))
    curves = pd.read_csv(stem.with_name("curves.csv"))
    assert curves["epoch"].tolist() == [1, 2]
    losses = [run.losses for run in notes.fold_runs(miniature_task(), ROWS[0], SHARED)]
    assert curves["validation micro-F1"].between(0, 1).all()
    assert curves["training loss"].tolist() == pytest.approx(np.mean(losses, axis=0).tolist())
    with pytest.raises(ZeroDivisionError):
        notes.fold_runs(miniature_task(), {"name": "x", "training": {"attention": "single"}}, SHARED)


def test_every_note_is_a_test_note_once_and_scores_are_measured_as_scikit_learn_does(miniature_task):
    task = miniature_task()
    found = notes.fold_runs(task, ROWS[1], {})
    rows = np.concatenate([run.rows for run in found])
    assert sorted(rows) == list(range(len(task.notes)))
    for run, row in zip(found, notes.measures(task, found).to_dict("records"), strict=True):
        y, predicted = task.y[run.rows].toarray(), run.scores >= run.threshold
        assert row["micro-F1 tuned"] == pytest.approx(
            f1_score(y, predicted, average="micro", zero_division=0)
        )
        assert row["Hamming loss"] == pytest.approx((y != predicted).mean())
        assert row["accuracy"] == pytest.approx((y == predicted).all(axis=1).mean())


def test_the_gain_is_a_paired_t_test():
    differences = np.array([1.0, 2.0, 4.0])
    told, p = compare.paired_gain(differences)
    expected = stats.ttest_rel(differences + 5, np.full(3, 5.0))
    assert p == f"{expected.pvalue:.3f}"
    low, high = stats.t.interval(0.95, 2, differences.mean(), stats.sem(differences))
    assert told == f"+2.33 ({low:+.2f} to {high:+.2f})"
    assert compare.paired_gain(np.zeros(3)) == ("–", "–")


@pytest.mark.parametrize("name", ["nb_svm", "logistic", "svc"])
def test_controls_learn_words_and_leave_out_what_has_no_example(name):
    texts = ["mild cough", "severe cough", "high fever", "fever again"] * 3
    y = sparse.csr_matrix([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]] * 3)
    scores = controls.word_scores(name, texts, y, ["new cough", "new fever"])
    assert scores[0, 0] > 0 > scores[0, 1]
    assert scores[1, 1] > 0 > scores[1, 0]
    assert (scores[:, 2] < scores[:, :2].min()).all()


def test_figure1_counts_the_codes(miniature_task, in_miniature, monkeypatch):
    task, drawn = miniature_task(), []
    monkeypatch.setattr(plots, "_save", lambda figure, axes, *_, **__: drawn.append(axes))
    stem = in_miniature / "results" / "hmhan-figure1" / "ward"
    figure1.make(task, {"codes": 3}, stem)
    table = pd.read_csv(stem.with_suffix(".csv"), dtype={"code": str})
    counts = np.sort(np.asarray(task.y.sum(axis=0)).ravel())[::-1][:3]
    assert table["notes"].tolist() == counts.tolist()
    assert table["share of the notes (%)"].tolist() == pytest.approx(
        (100 * counts / len(task.notes)).tolist()
    )
    (axes,) = drawn
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("share of notes (%)", "code")
    # The bars are as long as the table says: shares of the notes, not of the codes shown.
    shares = [bar.get_width() for bar in axes.patches]
    assert shares == pytest.approx(table["share of the notes (%)"].tolist())


def test_a_damaged_result_is_named(miniature_task):
    task = miniature_task()
    notes.fold_runs(task, ROWS[1], {})
    path = next(task.runs.glob("nb_svm-fold0-*.npz"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="the result of a run, or damaged"):
        notes.fold_runs(task, ROWS[1], {})
