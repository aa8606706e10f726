import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import f1_score

from icd_relevancy.metrics import relevancy_report
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.training.thresholds import predicted_labels, tune_threshold


def brute_force(y_true, y_score, relevance=None):
    return max(
        relevancy_report(y_true, predicted_labels(y_score, threshold), relevance).micro_f1
        for threshold in np.unique(y_score)
    )


def noisy(seed, notes=60, labels=25, signal=1.5, dtype=np.float64):
    random = np.random.default_rng(seed)
    y = (random.random((notes, labels)) < 0.08).astype(np.int64)
    y[0, 0] = 1
    score = 1 / (1 + np.exp(-(signal * y + random.standard_normal(y.shape) - 3)))
    return y, score.astype(dtype)


@pytest.mark.parametrize(
    ("y_true", "y_score", "threshold", "f1"),
    [
        ([[1, 0], [0, 1]], [[0.3, 0.1], [0.2, 0.4]], 0.3, 1.0),
        ([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]], 0.5, 1.0),  # of equally good ones 0.5
        ([[1, 1]], [[0.2, 0.2]], 0.2, 1.0),  # ties are assigned together
        ([[1, 0, 0]], [[0.2, 0.2, 0.1]], 0.2, 2 / 3),
        ([[0, 0]], [[0.2, 0.1]], 0.5, 0.0),  # nothing is true
        ([[1, 0]], [[0.0, 0.4]], 0.0, 2 / 3),  # only assigning all finds anything
        ([[0, 1, 0], [0, 1, 0]], [[0.99, 0.98, 0.1], [0.97, 0.96, 0.1]], 0.5, 2 * 2 / (2 + 4)),
    ],
)
def test_by_hand(y_true, y_score, threshold, f1):
    found = tune_threshold(y_true, y_score)
    assert found == (pytest.approx(threshold), pytest.approx(f1))
    assert isinstance(found[0], float)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("signal", [0.0, 1.5, 4.0])
def test_no_threshold_is_much_better(seed, signal):
    y, score = noisy(seed, signal=signal)
    threshold, f1 = tune_threshold(y, score)
    assert f1 == pytest.approx(f1_score(y, score >= threshold, average="micro", zero_division=0))
    # Without a signal the best is noise, or to assign more labels than any candidate does.
    assert brute_force(y, score) - f1 < (0.01 if signal else 0.05)


@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_is_much_better_in_relevancy_terms(seed):
    y, score = noisy(seed)
    similarity = np.eye(25)
    for first in range(0, 24, 3):
        similarity[first, first + 1] = similarity[first + 1, first] = 0.9
    graph = RelevanceGraph.from_similarity(similarity, [str(i) for i in range(25)], 0.76)
    threshold, f1 = tune_threshold(y, score, graph)
    assert f1 == relevancy_report(y, predicted_labels(score, threshold), graph).micro_f1
    assert brute_force(y, score, graph) - f1 < 0.01


def test_any_calibration():
    y, score = noisy(3)
    _, f1 = tune_threshold(y, score)
    for squeezed in (score * 1e-6, 1 - (1 - score) * 1e-6):
        threshold, again = tune_threshold(y, squeezed)
        assert again == pytest.approx(f1)
        assert squeezed.min() <= threshold <= squeezed.max()


def test_float32_scores_reach_their_own_threshold():
    y, score = noisy(1, dtype=np.float32)
    threshold, f1 = tune_threshold(sparse.csr_matrix(y), score)
    assert f1 == pytest.approx(f1_score(y, predicted_labels(score, threshold).toarray(), average="micro"))
    assert predicted_labels(score, threshold).nnz == (score >= np.float32(threshold)).sum()


def test_predicted_labels_include_the_threshold_itself():
    predicted = predicted_labels([[0.5, 0.49], [0.51, 0.0]], 0.5)
    assert predicted.toarray().tolist() == [[1, 0], [1, 0]]
    assert predicted.dtype == np.int64


def test_nothing_to_choose_by():
    assert tune_threshold(np.zeros((3, 0)), np.zeros((3, 0))) == (0.5, 0.0)
