import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import normalize

from icd_relevancy.errors import InputError
from icd_relevancy.vectors.reduction import elbow, reduce, scale_cosines


def test_elbow_of_a_bent_line():
    curve = np.concatenate([np.linspace(0.15, 0.9, 6), 0.9 + 0.005 * np.arange(1, 15)])
    assert elbow(curve) == 6


def test_no_elbow_on_a_straight_line_or_a_short_one():
    assert elbow(np.linspace(0.1, 1, 10)) is None
    assert elbow(np.array([0.5, 1.0])) is None


def test_reduce_finds_the_rank():
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 4)) @ random.normal(size=(4, 60)) + 0.01 * random.normal(
        size=(200, 60)
    )
    reduced, reduction = reduce(features)
    assert reduction.elbow == reduction.dimensions == 4
    assert reduced.shape == (200, 4)
    assert reduced.dtype == np.float32
    assert reduction.explained_variance[3] > 0.999
    np.testing.assert_allclose(reduced @ reduced.T, features @ features.T, atol=0.5)


def test_fixed_dimensions_keep_the_largest_directions():
    features = sparse.csr_matrix(np.diag([3.0, 2, 1, 5]))
    reduced, reduction = reduce(features, dimensions=2)
    assert reduction.dimensions == 2
    assert len(reduction.explained_variance) == 4
    assert np.abs(reduced).max(axis=0) == pytest.approx([5, 3], abs=1e-5)


def test_a_missing_elbow_is_told_with_what_is_kept_instead():
    with pytest.warns(UserWarning, match="no elbow: all 3 dimensions are kept"):
        reduced, reduction = reduce(np.eye(3))
    assert reduced.shape == (3, 3)
    assert reduction.elbow is None


def test_equal_rows_explain_nothing():
    with pytest.warns(UserWarning, match="no elbow"):
        reduced, reduction = reduce(np.array([[1.0, 2.0], [1.0, 2.0]]))
    assert np.isfinite(reduced).all()
    assert not reduction.explained_variance.any()


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_row_or_one_column_cannot_be_reduced(shape):
    with pytest.raises(InputError, match=f"Received: {shape[0]} and {shape[1]}"):
        reduce(np.ones(shape))


@pytest.mark.parametrize("number", [0, -1, -5])
@pytest.mark.parametrize("name", ["dimensions", "max_dimensions"])
def test_a_number_of_dimensions_below_one_is_refused(name, number):
    with pytest.raises(InputError, match=f"^{name} must be at least 1. Received: {number}$"):
        reduce(np.eye(3), **{name: number})


def test_fewer_dimensions_than_asked_are_told_once():
    with pytest.warns(UserWarning, match="are kept") as told:
        reduced, reduction = reduce(np.eye(4, 3), dimensions=100)
    assert [str(warning.message) for warning in told] == [
        "3 dimensions are kept instead of 100: 4 codes with 3 features have no more"
    ]
    assert reduced.shape == (4, 3)
    assert reduction.dimensions == 3


@pytest.fixture(scope="module")
def features():
    """Eight groups of twenty rows in 40 dimensions; cosines of about 0.8 within and 0 between groups."""
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(8, 40), 20, axis=0)
    return normalize(sparse.csr_matrix(centres + 0.08 * random.normal(size=centres.shape)).astype(np.float32))


def test_the_cosines_of_the_points_become_those_of_the_features(features):
    wanted = (features @ features.T).toarray()
    start = np.random.default_rng(1).normal(size=(160, 10))
    before = normalize(start) @ normalize(start).T
    points = scale_cosines(features, start, epochs=150)
    after = points @ points.T
    near = wanted > 0.5
    assert np.abs(before - wanted)[near].mean() > 0.5
    assert np.abs(after - wanted)[near].mean() < 0.08
    assert after[~near].max() < 0.5


def test_points_lie_on_the_sphere_and_seeds_reproduce_them(features, monkeypatch):
    monkeypatch.setattr("icd_relevancy.vectors.reduction._BATCH_ROWS", 64)
    monkeypatch.setattr("icd_relevancy.vectors.reduction._RUN", 8)
    start = np.random.default_rng(1).normal(size=(160, 10))
    first, second, other = (scale_cosines(features, start, epochs=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert np.abs(first - other).max() > 1e-3


def test_no_epochs_leave_the_directions(features):
    start = np.random.default_rng(1).normal(size=(160, 10))
    np.testing.assert_allclose(scale_cosines(features, start, epochs=0), normalize(start), atol=1e-6)
