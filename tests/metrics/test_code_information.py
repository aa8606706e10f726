"""Information per code: against loops, hand-worked codes and what is known of entropy."""

import itertools

import numpy as np
import oracles
import pytest
from scipy import sparse
from scipy.stats import entropy

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import code_information, positive_ranks

METHODS = ["cross_entropy", "binned"]


@pytest.fixture(params=[4, 100_000], ids=["tied", "untied"])
def notes(request):
    """41 notes x 9 codes, the first on none and the last on all; few or many distinct probabilities."""
    rng = np.random.default_rng(0)
    y_prob = (rng.integers(0, request.param + 1, (41, 9)) / request.param).astype(np.float32)
    y_true = (rng.random((41, 9)) < 0.2 + 0.5 * y_prob).astype(np.int64)
    y_true[:, 0], y_true[:, 8] = 0, 1
    return y_true, y_prob


@pytest.fixture(params=[None, 1, 100])
def chunk(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(positive_ranks, "CHUNK_SCORES", request.param)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bins", [1, 3, 10, 100])
def test_entropy_reduction_equals_the_loop(method, bins, notes, chunk):
    y_true, y_prob = notes
    expected = [
        oracles.entropy_reduction(
            list(zip(y_prob[:, j].tolist(), y_true[:, j].tolist(), strict=True)), method, bins
        )
        for j in range(9)
    ]
    for labels in (y_true, sparse.csr_array(y_true)):
        got = code_information.entropy_reduction(labels, y_prob, method, bins)
        np.testing.assert_allclose(got, expected, atol=1e-9)
    assert np.isnan(got[[0, 8]]).all()
    bits = code_information.entropy_reduction(y_true, y_prob, method, bins, relative=False)
    share = y_true.mean(axis=0)[1:8]
    np.testing.assert_allclose(bits[1:8], got[1:8] * entropy([share, 1 - share], base=2), atol=1e-12)
    assert np.isnan(bits[[0, 8]]).all()


def test_what_the_model_knows_of_hand_worked_codes():
    # Code 0 known, code 1 as frequent as predicted, code 2 confidently wrong.
    y_true = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]])
    y_prob = np.array([[1, 0.5, 0.0], [1, 0.5, 0.0], [0, 0.5, 1.0], [0, 0.5, 1.0]])
    loss = code_information.entropy_reduction(y_true, y_prob)
    assert loss[:2] == pytest.approx([1, 0], abs=1e-5)
    assert loss[2] == pytest.approx(1 + np.log2(1e-7))
    # Bins forgive that the probabilities point the wrong way.
    assert code_information.entropy_reduction(y_true, y_prob, "binned", 2) == pytest.approx([1, 0, 1])


def test_one_bin_tells_nothing_and_more_bins_never_less(notes):
    y_true, y_prob = notes
    reductions = [
        code_information.entropy_reduction(y_true, y_prob, "binned", bins)[1:8] for bins in (1, 2, 4, 8)
    ]
    np.testing.assert_allclose(reductions[0], 0, atol=1e-12)
    for fewer, more in itertools.pairwise(reductions):
        assert (more >= fewer - 1e-12).all()


def test_the_two_methods_agree_on_calibrated_probabilities():
    rng = np.random.default_rng(1)
    y_prob = rng.choice([0.02, 0.1, 0.4, 0.9], (60_000, 3))
    y_true = rng.random(y_prob.shape) < y_prob
    loss = code_information.entropy_reduction(y_true, y_prob)
    np.testing.assert_allclose(
        loss, code_information.entropy_reduction(y_true, y_prob, "binned", 50), atol=2e-3
    )
    assert (loss > 0.3).all()


@pytest.mark.parametrize(("center", "loop"), [("median", np.median), ("mean", np.mean)])
def test_rank_ratio_equals_the_loop(center, loop, notes, chunk):
    y_true, y_score = notes
    expected = [oracles.rank_ratio(y_true, y_score, j, loop) for j in range(9)]
    for labels in (y_true, sparse.coo_array(y_true)):
        np.testing.assert_allclose(code_information.rank_ratio(labels, y_score, center), expected, rtol=1e-6)
    assert np.isnan(expected[0])
    assert np.isnan(expected[8])


def test_rank_ratio_of_few_notes():
    # Every number of notes with and without the code: medians of even and odd counts.
    rng = np.random.default_rng(2)
    for notes in range(2, 8):
        scores = rng.random((notes, 5))
        for count in range(1, notes):
            y_true = np.zeros((notes, 5), dtype=int)
            y_true[:count, 1:4] = 1
            got = code_information.rank_ratio(y_true, scores)
            np.testing.assert_allclose(
                got, [oracles.rank_ratio(y_true, scores, j, np.median) for j in range(5)]
            )


def test_chance_and_a_good_model():
    rng = np.random.default_rng(3)
    y_true = rng.random((4000, 30)) < 0.1
    chance = code_information.rank_ratio(y_true, rng.random(y_true.shape), "mean")
    np.testing.assert_allclose(chance, 1, atol=0.15)
    np.testing.assert_array_equal(code_information.rank_ratio(y_true, np.zeros(y_true.shape)), 1)
    assert (code_information.rank_ratio(y_true, y_true + rng.random(y_true.shape)) < 0.25).all()


def test_leaves_its_input_alone(notes):
    y_true, y_prob = notes
    before = y_true.copy(), y_prob.copy()
    code_information.rank_ratio(y_true, y_prob)
    for method in METHODS:
        code_information.entropy_reduction(y_true, y_prob, method)
    np.testing.assert_array_equal(y_true, before[0])
    np.testing.assert_array_equal(y_prob, before[1])


TRUE, PROB = [[1, 0], [0, 0]], [[0.1, 0.2], [0.3, 0.4]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: code_information.entropy_reduction(TRUE, [[0.1, 1.2], [0.3, 0.4]]), "row 0, column 1"),
        (lambda: code_information.entropy_reduction(TRUE, [[0.1, np.nan], [0.3, 0.4]]), "row 0, column 1"),
        (lambda: code_information.entropy_reduction(TRUE, PROB, "knn"), "'cross_entropy' or 'binned'"),
        (lambda: code_information.entropy_reduction(TRUE, PROB, "binned", 0), "whole number"),
        (lambda: code_information.entropy_reduction([[0, 1], [0, 1]], PROB), "a positive and a negative"),
        (lambda: code_information.entropy_reduction(TRUE, [[0.1, 0.2]]), r"shape of y_true, \(2, 2\)"),
        (lambda: code_information.rank_ratio(TRUE, [[0.1, np.nan], [0.3, 0.4]]), "NaN"),
        (lambda: code_information.rank_ratio(TRUE, PROB, "mode"), "'median' or 'mean'"),
        (lambda: code_information.rank_ratio([[0, 1], [0, 1]], PROB), "a positive and a negative"),
        (
            lambda: code_information.rank_ratio(np.zeros((0, 2)), np.zeros((0, 2))),
            "a positive and a negative",
        ),
    ],
)
def test_refuses_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
