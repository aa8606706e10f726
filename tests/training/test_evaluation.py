import keras
import miniature
import numpy as np
import pytest
from scipy import sparse
from sklearn import metrics

from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.evaluation import evaluate_scores, predict_scores
from icd_relevancy.training.notes import trainer as note_training

AVERAGES = {"micro_precision", "micro_recall", "micro_f1", "macro_f1", "weighted_f1"}
RANKING = {
    "map", "ndcg", "r_precision", "recall@5", "recall@10", "recall@15", "recall@20", "recall@25", "recall@30",
    "precision@8", "rank_errors@50", "rank_errors@100", "micro_auroc", "micro_auprc",
}  # fmt: skip


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(2)
    y = (random.random((50, 40)) < 0.1).astype(np.int64)
    y[y.sum(axis=1) == 0, 3] = 1
    score = 0.4 * y + 0.6 * random.random(y.shape)
    graph = RelevanceGraph.identity([str(label) for label in range(40)])
    return y, score, graph


def test_equal_to_scikit_learn(case):
    y, score, graph = case
    found = evaluate_scores(sparse.csr_matrix(y), score, 0.5, graph)
    predicted = score >= 0.5
    supported = np.flatnonzero(y.sum(axis=0))
    expected = {
        "micro_precision": metrics.precision_score(y, predicted, average="micro"),
        "micro_recall": metrics.recall_score(y, predicted, average="micro"),
        "micro_f1": metrics.f1_score(y, predicted, average="micro"),
        "macro_f1": metrics.f1_score(y, predicted, average="macro", labels=supported, zero_division=0),
        "weighted_f1": metrics.f1_score(y, predicted, average="weighted", zero_division=0),
    }
    assert found["equality"] == pytest.approx(expected)
    assert found["relevancy"] == found["equality"]
    ranking = found["ranking"]
    assert ranking["map"] == pytest.approx(metrics.label_ranking_average_precision_score(y, score))
    assert ranking["ndcg"] == pytest.approx(metrics.ndcg_score(y, score))
    assert ranking["micro_auroc"] == pytest.approx(metrics.roc_auc_score(y, score, average="micro"))
    assert ranking["micro_auprc"] == pytest.approx(metrics.average_precision_score(y, score, average="micro"))
    coverage = metrics.coverage_error(y, score) - y.sum(axis=1).mean()
    assert ranking["rank_errors@100"] == pytest.approx(coverage)
    top = np.argsort(-score, axis=1)
    hits = np.take_along_axis(y, top, axis=1)
    assert ranking["recall@10"] == pytest.approx((hits[:, :10].sum(axis=1) / y.sum(axis=1)).mean())
    assert ranking["precision@8"] == pytest.approx(hits[:, :8].mean())
    r_precision = [row[: row.sum()].mean() for row in hits]
    assert ranking["r_precision"] == pytest.approx(np.mean(r_precision))


def test_the_keys_are_those_of_the_contract(case):
    found = evaluate_scores(*case[:2], 0.5, case[2])
    assert found.keys() == {"equality", "relevancy", "ranking"}
    assert found["equality"].keys() == found["relevancy"].keys() == AVERAGES
    assert found["ranking"].keys() == RANKING


def test_neighbours_count_in_relevancy_terms_only():
    graph = RelevanceGraph.from_similarity([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    found = evaluate_scores([[1, 0, 0], [0, 0, 1]], [[0.1, 0.9, 0.2], [0.3, 0.1, 0.9]], 0.5, graph)
    assert found["equality"]["micro_f1"] == 0.5
    assert found["relevancy"]["micro_f1"] == 1.0


def test_predict_scores_in_batches_keeps_the_order():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "sigmoid")])
    x = np.random.default_rng(0).standard_normal((11, 3)).astype(np.float32)
    scores = predict_scores(model, x, batch_size=4)
    weights, bias = model.get_weights()
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-(x @ weights + bias))), rtol=1e-5)
    assert scores.dtype == np.float32


@pytest.mark.parametrize("monitor", ["loss", "map"])
def test_no_batch_is_larger_than_in_training(monitor, in_miniature, monkeypatch):
    """A model that was trained with batches of 8 may need 33 GB for one of 256."""
    sizes = []

    def note(self, x, *told, **options):
        sizes.append(len(next(iter(x.values())) if isinstance(x, dict) else x))
        return predict(self, x, *told, **options)

    def made(features, labels, batch_size, *told, **options):
        sizes.append(batch_size)
        return batches(features, labels, batch_size, *told, **options)

    predict, batches = keras.Model.predict_on_batch, note_training.note_batches
    monkeypatch.setattr(keras.Model, "predict_on_batch", note)
    monkeypatch.setattr(note_training, "note_batches", made)
    config = TrainingConfig(model="caml", units=4, batch_size=3, epochs=1, monitor=monitor, validation=0.5)
    notes = miniature.notes(30)
    coder = NoteCoder.train(notes, config)
    coder.evaluate(notes)
    list(coder.predict(notes))
    assert max(sizes) == 3
