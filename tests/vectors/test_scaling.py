import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import normalize

from icd_relevancy.vectors.reduction import scale_cosines


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
    monkeypatch.setattr("icd_relevancy.vectors.reduction.BATCH_ROWS", 64)
    monkeypatch.setattr("icd_relevancy.vectors.reduction.RUN", 8)
    start = np.random.default_rng(1).normal(size=(160, 10))
    first, second, other = (scale_cosines(features, start, epochs=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert np.abs(first - other).max() > 1e-3


def test_no_epochs_leave_the_directions(features):
    start = np.random.default_rng(1).normal(size=(160, 10))
    np.testing.assert_allclose(scale_cosines(features, start, epochs=0), normalize(start), atol=1e-6)
