"""Multilabel metrics: against scikit-learn, hand-worked tables and the conventions for absent labels."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import metrics as sk

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import multilabel, positive_ranks

AREAS = [(multilabel.auroc, sk.roc_auc_score), (multilabel.auprc, sk.average_precision_score)]


@pytest.fixture(params=[3, 1000], ids=["tied", "nearly untied"])
def scored(request):
    """600 notes x 12 labels, every label with positives and negatives; few or many distinct scores."""
    rng = np.random.default_rng(3)
    y_true = (rng.random((600, 12)) < rng.uniform(0.05, 0.5, 12)).astype(np.int64)
    y_score = (rng.integers(0, request.param, (600, 12)) + 0.4 * request.param * y_true) / request.param
    return y_true, y_score


@pytest.fixture
def decided():
    """300 notes x 200 labels as int64, with labels of no support and notes of no label."""
    rng = np.random.default_rng(4)
    y_true = (rng.random((300, 200)) < rng.uniform(0, 0.1, 200)).astype(np.int64)
    y_true[:, [0, 50]] = 0
    y_true[10:20] = 0
    flips = rng.random((300, 200)) < 0.02
    flips[:60] = False
    return y_true, np.where(flips, 1 - y_true, y_true)


@pytest.mark.parametrize(("area", "reference"), AREAS)
@pytest.mark.parametrize("average", ["micro", "macro"])
def test_areas_equal_scikit_learn(area, reference, average, scored):
    y_true, y_score = scored
    value = area(y_true, y_score, average=average)
    assert value == pytest.approx(reference(y_true, y_score, average=average), abs=1e-12)
    assert area(sparse.csr_array(y_true), y_score, average=average) == value
    assert type(value) is float


@pytest.mark.parametrize(("area", "reference"), AREAS)
@pytest.mark.parametrize("average", ["micro", "macro"])
def test_areas_do_not_depend_on_chunks_or_label_order(area, reference, average, scored, monkeypatch):
    y_true, y_score = scored
    value = area(y_true, y_score, average=average)
    order = np.random.default_rng(5).permutation(12)
    assert area(y_true[:, order], y_score[:, order], average=average) == pytest.approx(value, abs=1e-14)
    for chunk in (7, 500):
        monkeypatch.setattr(positive_ranks, "CHUNK_SCORES", chunk)
        assert area(y_true, y_score, average=average) == pytest.approx(value, abs=1e-14)


def test_macro_areas_leave_out_labels_without_what_they_need():
    # Label 0: positives 0.9 and 0.2, negative 0.5; label 1 never true; label 2 always true.
    y_true = [[1, 0, 1], [0, 0, 1], [1, 0, 1]]
    y_score = [[0.9, 0.3, 0.1], [0.5, 0.8, 0.2], [0.2, 0.1, 0.3]]
    assert multilabel.auroc(y_true, y_score, average="macro") == 0.5
    assert multilabel.auprc(y_true, y_score, average="macro") == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)


def test_one_value_a_label(scored, decided):
    y_true, y_score = scored
    y_true[:, 2], y_true[:, 5] = 0, 1
    both = [j for j in range(12) if j not in (2, 5)]
    roc = multilabel.auroc(y_true, y_score, average=None)
    assert np.isnan(roc[[2, 5]]).all()
    np.testing.assert_allclose(roc[both], sk.roc_auc_score(y_true[:, both], y_score[:, both], average=None))
    precision = multilabel.auprc(y_true, y_score, average=None)
    assert np.isnan(precision[2])
    assert precision[5] == 1
    for j in both:
        assert precision[j] == pytest.approx(sk.average_precision_score(y_true[:, j], y_score[:, j]))
    for area, values in ((multilabel.auroc, roc), (multilabel.auprc, precision)):
        assert area(y_true, y_score, average="macro") == pytest.approx(np.nanmean(values))
    truth, predicted = decided
    scores = multilabel.f1(truth, predicted, average=None)
    assert np.isnan(scores[[0, 50]]).all()
    assert multilabel.f1(truth, predicted, average="macro") == pytest.approx(np.nanmean(scores))
    assert np.isnan(multilabel.auroc(np.zeros((3, 2)), np.zeros((3, 2)), average=None)).all()


def test_a_constant_score_gives_half_and_the_prevalence():
    y_true = np.eye(4, dtype=int)
    assert multilabel.auroc(y_true, np.full((4, 4), 0.3)) == 0.5
    assert multilabel.auprc(y_true, np.full((4, 4), 0.3)) == 0.25


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool, np.float32])
def test_decisions_equal_scikit_learn_for_every_dtype(dtype, decided):
    y_true, y_pred = decided
    supported = np.flatnonzero(y_true.any(0))
    truth, predicted = sparse.csr_matrix(y_true), sparse.csr_matrix(y_pred)
    expected = {
        "micro": sk.f1_score(truth, predicted, average="micro"),
        "macro": sk.f1_score(truth, predicted, average="macro", labels=supported),
        "exact": sk.accuracy_score(truth, predicted),
        "hamming": sk.hamming_loss(truth, predicted),
    }
    assert expected["exact"] >= 0.2
    for store in (np.asarray, sparse.csr_array, sparse.coo_matrix):
        pair = store(y_true.astype(dtype)), store(y_pred.astype(dtype))
        assert multilabel.f1(*pair) == pytest.approx(expected["micro"], abs=1e-14)
        assert multilabel.f1(*pair, average="macro") == pytest.approx(expected["macro"], abs=1e-14)
        assert multilabel.exact_match_rate(*pair) == pytest.approx(expected["exact"], abs=1e-14)
        assert multilabel.hamming_loss(*pair) == pytest.approx(expected["hamming"], abs=1e-14)


def test_hand_worked_decisions():
    # TP 2, FP 2, FN 1. Per label F1: 1, 0 (support 1), 2/3; label 3 has no support but one false positive.
    y_true = [[1, 1, 0, 0], [0, 0, 1, 0]]
    y_pred = [[1, 0, 1, 0], [0, 0, 1, 1]]
    assert multilabel.f1(y_true, y_pred) == pytest.approx(4 / 7)
    assert multilabel.f1(y_true, y_pred, average="macro") == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert multilabel.exact_match_rate(y_true, y_pred) == 0
    assert multilabel.hamming_loss(y_true, y_pred) == 3 / 8
    assert multilabel.f1([[0, 0]], [[0, 0]]) == 0
    assert multilabel.exact_match_rate([[0, 0]], [[0, 0]]) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: multilabel.auroc([[1, 1]], [[0.1, 0.2]]), "a positive and a negative"),
        (lambda: multilabel.auroc([[1, 0]], [[0.1, 0.2]], average="macro"), "a positive and a negative"),
        (lambda: multilabel.auroc([[0, 0]], [[0.1, 0.2]]), "a positive and a negative"),
        (lambda: multilabel.auroc([[1], [1]], [[0.1], [0.2]], average="macro"), "a positive and a negative"),
        (lambda: multilabel.auroc(np.zeros((0, 2)), np.zeros((0, 2))), "a positive and a negative"),
        (lambda: multilabel.auprc([[0, 0]], [[0.1, 0.2]]), "a positive"),
        (lambda: multilabel.auprc([[0, 0]], [[0.1, 0.2]], average="macro"), "a positive"),
        (lambda: multilabel.auprc(np.zeros((0, 2)), np.zeros((0, 2)), average="macro"), "a positive"),
        (lambda: multilabel.auprc([[1, 0]], [[0.1, np.nan]]), "NaN"),
        (lambda: multilabel.auprc([[1, 0]], [[0.1, 0.2]], average="samples"), "'micro' or 'macro'"),
        (lambda: multilabel.f1([[1, 0]], [[0.9, 0.2]]), "y_pred must hold only 0 and 1"),
        (lambda: multilabel.f1([[1, 0]], [[1, 0, 0]]), r"shape of y_true, \(1, 2\)"),
        (lambda: multilabel.f1([[0, 0]], [[1, 0]], average="macro"), "a positive, so macro F1"),
        (lambda: multilabel.exact_match_rate(np.zeros((0, 2)), np.zeros((0, 2))), "at least one note"),
    ],
)
def test_refuses_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
