import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import f1_score

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import relevancy_report
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training import thresholds
from icd_relevancy.training.thresholds import predicted_labels, tune_threshold


def brute_force(y_true, y_score, relevance=None):
    """The best of 0.5 and all scores, in this order of equally good ones: 0.5, then the highest."""
    thresholds = [0.5, *np.unique(y_score)[::-1].tolist()]
    f1 = [
        relevancy_report(y_true, predicted_labels(y_score, threshold), relevance).micro_f1
        for threshold in thresholds
    ]
    best = int(np.argmax(f1))
    return thresholds[best], f1[best]


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


def pairs(labels=25):
    """A graph in which labels match in pairs, and some in threes."""
    similarity = np.eye(labels)
    for first in range(0, labels - 2, 3):
        similarity[first, first + 1] = similarity[first + 1, first] = 0.9
    for first in range(0, labels - 2, 6):
        similarity[first, first + 2] = similarity[first + 2, first] = 0.8
    return RelevanceGraph.from_similarity(similarity, [str(i) for i in range(labels)], 0.76)


@pytest.mark.parametrize("graph", [None, pairs()], ids=["equality", "relevancy"])
@pytest.mark.parametrize("rounded", [None, 1], ids=["distinct", "tied"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("signal", [0.0, 1.5, 4.0])
def test_no_threshold_is_better(graph, rounded, dtype, signal):
    for seed in range(3):
        y, score = noisy(seed, notes=20, signal=signal)
        score = (score if rounded is None else score.round(rounded)).astype(dtype)
        found = tune_threshold(y, score, graph)
        assert found == brute_force(y, score, graph)
        # What it says of its threshold holds for the scores that it was given.
        predicted = predicted_labels(score, found[0])
        assert relevancy_report(y, predicted, graph).micro_f1 == found[1]
        assert tune_threshold(sparse.csr_matrix(y), score, graph) == found


def test_equality_is_scikit_learns_f1():
    y, score = noisy(0)
    threshold, f1 = tune_threshold(y, score)
    assert f1 == pytest.approx(f1_score(y, score >= threshold, average="micro"))


@pytest.mark.parametrize("cells", [1, 7, 100])
def test_parts_change_nothing(cells, monkeypatch):
    y, score = noisy(2)
    expected = tune_threshold(y, score, pairs())
    monkeypatch.setattr(thresholds, "_CELLS_AT_ONCE", cells)
    assert tune_threshold(y, score, pairs()) == expected


def test_fewer_candidates_are_among_all():
    y, score = noisy(4)
    best = tune_threshold(y, score)[1]
    found = [tune_threshold(y, score, candidates=count)[1] for count in (1, 5, 10**6)]
    assert found[0] < found[1] < found[2] == best
    with pytest.raises(InputError, match="candidates must be at least 1"):
        tune_threshold(y, score, candidates=0)


@pytest.mark.parametrize(
    ("y_true", "graph", "message"),
    [
        ([[2, 0]], None, "must hold only 0 and 1"),
        ([[1, 0, 0]], None, r"the shape \(1, 3\) and y_score \(1, 2\)"),
        ([[1, 0]], pairs(), "2 labels do not fit a relevance graph of 25 codes"),
    ],
)
def test_what_does_not_fit_is_refused(y_true, graph, message):
    with pytest.raises(InputError, match=message):
        tune_threshold(y_true, [[0.1, 0.2]], graph)


def test_a_score_that_is_not_a_number_is_never_assigned():
    assert tune_threshold([[1, 0, 1]], [[np.nan, np.nan, 0.2]]) == (pytest.approx(0.2), 2 / 3)


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
