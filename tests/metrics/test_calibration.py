"""Calibration: against loops, scikit-learn and hand-worked bins."""

import numpy as np
import oracles
import pytest
from scipy import sparse
from sklearn.metrics import brier_score_loss

from icd_relevancy.errors import InputError
from icd_relevancy.metrics import calibration, positive_ranks

STRATEGIES = ["equal_mass", "equal_width"]


@pytest.fixture(params=[5, 100_000], ids=["tied", "untied"])
def notes(request):
    """60 notes x 9 labels; few or many distinct probabilities, 0 and 1 among them."""
    rng = np.random.default_rng(0)
    y_prob = rng.integers(0, request.param + 1, (60, 9)) / request.param
    y_prob[0, :2] = 0, 1
    return (rng.random((60, 9)) < y_prob**1.3).astype(np.int64), y_prob


def pairs(y_true, y_prob):
    return list(zip(y_prob.ravel().tolist(), y_true.ravel().tolist(), strict=True))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("bins", [1, 4, 10, 500, 10_000])
def test_errors_equal_the_loop(bins, strategy, notes):
    gaps = oracles.calibration_gaps(pairs(*notes), bins, strategy)
    expected, worst = sum(share * gap for share, gap in gaps), max(gap for _, gap in gaps)
    assert calibration.expected_calibration_error(*notes, bins, strategy) == pytest.approx(expected)
    assert calibration.maximum_calibration_error(*notes, bins, strategy) == pytest.approx(worst)
    curve = calibration.reliability_curve(*notes, bins, strategy)
    assert curve.counts.sum() == notes[0].size
    assert curve.counts.min() > 0
    np.testing.assert_allclose(curve.counts / notes[0].size, [share for share, _ in gaps])
    np.testing.assert_allclose(curve.gaps, [gap for _, gap in gaps], atol=1e-12)
    assert curve.observed @ curve.counts == pytest.approx(notes[0].sum())
    assert curve.predicted @ curve.counts == pytest.approx(notes[1].sum())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_order_and_storage_do_not_matter(strategy, notes):
    y_true, y_prob = notes
    value = calibration.expected_calibration_error(y_true, y_prob, 20, strategy)
    order = np.random.default_rng(1).permutation(60)
    for labels, probabilities in (
        (y_true[order], y_prob[order]),
        (sparse.coo_matrix(y_true.astype(bool)), np.asfortranarray(y_prob)),
    ):
        again = calibration.expected_calibration_error(labels, probabilities, 20, strategy)
        assert again == pytest.approx(value)
    assert type(value) is float


def test_bins_of_equal_mass_hold_as_many_pairs():
    y_prob = np.random.default_rng(2).permutation(1000).reshape(100, 10) / 1000
    curve = calibration.reliability_curve(np.zeros((100, 10)), y_prob, bins=8)
    assert curve.counts.tolist() == [125] * 8
    np.testing.assert_allclose(curve.lower, np.arange(8) / 8)
    assert len(calibration.reliability_curve(np.zeros((100, 10)), y_prob).counts) == 500


def test_equal_probabilities_share_a_bin():
    y_true, y_prob = [[1, 0, 1, 0, 0, 0]], [[0.2, 0.2, 0.2, 0.2, 0.8, 0.9]]
    curve = calibration.reliability_curve(y_true, y_prob, bins=3)
    assert curve.counts.tolist() == [4, 2]
    assert curve.observed.tolist() == [0.5, 0]
    assert calibration.expected_calibration_error(y_true, y_prob, bins=3) == pytest.approx(
        (4 * 0.3 + 2 * 0.85) / 6
    )
    assert calibration.maximum_calibration_error(y_true, y_prob, bins=3) == pytest.approx(0.85)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_border_belongs_to_the_upper_bin(dtype):
    for bins in (10, 49, 100):
        y_prob = (np.arange(bins) / bins).astype(dtype)[None]
        curve = calibration.reliability_curve(np.zeros((1, bins)), y_prob, bins, "equal_width")
        assert curve.counts.tolist() == [1] * bins
    ends = calibration.reliability_curve([[0, 1]], np.array([[0, 1]], dtype), 4, "equal_width")
    assert ends.counts.tolist() == [1, 1]
    assert ends.gaps.tolist() == [0, 0]


def test_whole_numbers_are_probabilities_of_zero_and_one():
    assert calibration.expected_calibration_error(
        [[1, 0, 1]], [[1, 0, 0]], 10, "equal_width"
    ) == pytest.approx(1 / 3)
    assert calibration.brier_score([[True, False, True]], [[1, 0, 0]]) == pytest.approx(1 / 3)


def test_brier_score_equals_scikit_learn(notes, monkeypatch):
    y_true, y_prob = notes
    expected = brier_score_loss(y_true.ravel(), y_prob.ravel())
    for chunk in (positive_ranks.CHUNK_SCORES, 1, 40):
        monkeypatch.setattr(positive_ranks, "CHUNK_SCORES", chunk)
        assert calibration.brier_score(y_true, y_prob) == pytest.approx(expected, rel=1e-12)
        assert calibration.brier_score(sparse.csr_array(y_true), y_prob.astype(np.float32)) == pytest.approx(
            expected, rel=1e-5
        )


def test_leaves_its_input_alone(notes):
    y_true, y_prob = notes
    before = y_true.copy(), y_prob.copy()
    calibration.expected_calibration_error(y_true, y_prob)
    calibration.brier_score(y_true, y_prob)
    np.testing.assert_array_equal(y_true, before[0])
    np.testing.assert_array_equal(y_prob, before[1])


@pytest.mark.parametrize("metric", [calibration.brier_score, calibration.expected_calibration_error])
@pytest.mark.parametrize("wrong", [np.nan, -1e-9, 1.001, np.inf])
def test_names_the_place_of_what_is_no_probability(metric, wrong):
    y_prob = np.full((30, 4), 0.5)
    y_prob[17, 2] = wrong
    y_prob[20, 1] = wrong
    with pytest.raises(InputError, match=r"\[0, 1\]; row 17, column 2 holds"):
        metric(np.zeros((30, 4)), y_prob)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration.reliability_curve([[1, 0]], [[0.1]]), r"shape of y_true, \(1, 2\)"),
        (lambda: calibration.reliability_curve([[0.5, 0]], [[0.1, 0.2]]), "only 0 and 1"),
        (lambda: calibration.reliability_curve([[1, 0]], sparse.csr_array([[0.1, 0.2]])), "dense"),
        (lambda: calibration.reliability_curve([[1, 0]], [[0.1, 0.2]], 0), "whole number of at least 1"),
        (
            lambda: calibration.reliability_curve([[1, 0]], [[0.1, 0.2]], 5, "kmeans"),
            "'equal_mass' or 'equal_width'",
        ),
        (lambda: calibration.brier_score(np.zeros((0, 2)), np.zeros((0, 2))), "at least one note"),
        (
            lambda: calibration.maximum_calibration_error(np.zeros((2, 0)), np.zeros((2, 0))),
            "at least one note",
        ),
    ],
)
def test_refuses_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
