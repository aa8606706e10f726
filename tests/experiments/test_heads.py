import numpy as np
import pytest

from experiments import harness
from experiments.rows import heads
from experiments.rows.heads import PARTS, THRESHOLDS, fold_runs, tuned_for
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import relevancy_report

BCE = {"name": "EM (BCE)", "model": "neural", "loss": "bce"}
BHML = {"name": "BHML", "model": "neural", "loss": "whml", "alpha": 0.5, "matching": "graded"}
FREQUENCY = {"name": "Training frequencies", "model": "frequency"}
TFIDF = {"name": "TF-IDF", "model": "tfidf", "c": 100}


def same(one, other):
    assert one.epochs == other.epochs
    for part in PARTS:
        np.testing.assert_array_equal(one.rows[part], other.rows[part])
        for threshold in THRESHOLDS:
            assert (one.predicted[part, threshold] != other.predicted[part, threshold]).nnz == 0


@pytest.mark.parametrize("row", [BCE, TFIDF])
def test_runs_are_kept_and_read_back(miniature_task, no_training, row):
    task = miniature_task(epochs=12)
    first = list(fold_runs(task, row))
    assert np.array_equal(np.sort(np.concatenate([run.rows["test"] for run in first])), np.arange(40))
    for run in first:
        assert not set(run.rows["train"]) & set(run.rows["test"])
        assert run.predicted["test", "0.5"].shape == (len(run.rows["test"]), 8)
        tuned = run.report(task, "train", "tuned for equality", None).micro_f1
        assert run.best_report(task, "train", None).micro_f1 == tuned > 0.2
    no_training()
    for one, other in zip(
        first, fold_runs(miniature_task(epochs=12), {**row, "printed": {"epochs": 3}}), strict=True
    ):
        same(one, other)


def test_a_report_is_that_of_the_predictions(miniature_task, quick_heads):
    task = miniature_task()
    run = next(fold_runs(task, BCE))
    y = task.y[run.rows["test"]]
    predicted = run.predicted["test", "tuned for relevancy"]
    expected = relevancy_report(y, predicted, task.relevance())
    assert run.best_report(task, "test", task.relevance()).scores() == expected.scores()


def test_other_settings_are_other_runs(miniature_task, quick_heads, no_training):
    task = miniature_task()
    list(fold_runs(task, BCE))
    no_training()
    for row, tau in (({**BCE, "loss": "tlcl"}, None), (BCE, 0.9)):
        with pytest.raises(AssertionError, match="trained again"):
            list(fold_runs(task, row, tau))
    list(fold_runs(task, {**BCE, "name": "another name"}, 0.76))


def test_a_killed_row_goes_on_with_the_missing_fold(miniature_task, quick_heads, monkeypatch):
    expected = list(fold_runs(miniature_task(), BCE))
    other = miniature_task()
    monkeypatch.setattr(harness, "RESULTS", harness.RESULTS / "second")
    trained, train = [], heads._train

    def killed(task, row, relevance, fold):
        if fold == 1:
            raise KeyboardInterrupt
        return counted(task, row, relevance, fold)

    def counted(task, row, relevance, fold):
        trained.append(fold)
        return train(task, row, relevance, fold)

    monkeypatch.setattr(heads, "_train", killed)
    with pytest.raises(KeyboardInterrupt):
        list(fold_runs(other, BCE))
    monkeypatch.setattr(heads, "_train", counted)
    for one, again in zip(expected, fold_runs(other, BCE), strict=True):
        same(one, again)
    assert trained == [0, 1]


@pytest.mark.parametrize("length", [0, 40, -30])
def test_a_damaged_run_is_named(miniature_task, in_miniature, length):
    task = miniature_task()
    list(fold_runs(task, TFIDF))
    path = next((in_miniature / "results" / "runs").rglob("*fold1-*.npz"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        InputError, match=r"fold1-.*\.npz: not the result of a run, .*; delete it and run again"
    ):
        list(fold_runs(task, TFIDF))


def test_a_full_disk_keeps_what_is_done(miniature_task, in_miniature, monkeypatch):
    task = miniature_task()

    def full(file, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match="the disk is full"):
        list(fold_runs(task, TFIDF))
    assert not [path for path in (in_miniature / "results").rglob("*") if path.is_file()]


def test_a_row_may_name_its_graph(miniature_task, quick_heads):
    task = miniature_task(epochs=5)
    named = list(fold_runs(task, {**BHML, "vectors": "NNBSVR", "threshold": 0.9}))
    for one, other in zip(named, fold_runs(task, BHML, 0.9), strict=True):
        for threshold in THRESHOLDS:
            assert (one.predicted["test", threshold] != other.predicted["test", threshold]).nnz == 0
    assert task.relevance(0.6, "ICD2Vec").codes == task.relevance().codes
    assert set(task.vector_fingerprints()) == {"NNBSVR", "ICD2Vec"}


def test_one_training_is_scored_with_several_graphs(miniature_task, quick_heads, no_training):
    task = miniature_task(epochs=5)
    row = {**BCE, "scored_with": [["NNBSVR", 0.76], ["ICD2Vec", 0.6]]}
    for run in list(fold_runs(task, row)):
        assert len(run.predicted) == 2 * (len(THRESHOLDS) + 2)
        # The packaged vectors at 0.76 are the task's own graph.
        own, named = (run.predicted["test", t] for t in ("tuned for relevancy", tuned_for("NNBSVR", 0.76)))
        assert (own != named).nnz == 0
    no_training()
    list(fold_runs(task, row))
    with pytest.raises(AssertionError, match="trained again"):
        list(fold_runs(task, {**row, "scored_with": [["NNBSVR", 0.8]]}))


def test_the_frequencies_of_the_training_notes(miniature_task):
    task = miniature_task()
    for run in fold_runs(task, FREQUENCY):
        assert run.epochs == 0
        predicted = run.predicted["test", "tuned for equality"].toarray()
        assert (predicted == predicted[0]).all()
        shares = np.asarray(task.y[run.rows["train"]].mean(axis=0)).ravel()
        assert shares[predicted[0] == 1].min() > shares[predicted[0] == 0].max(initial=-1)
