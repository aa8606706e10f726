"""The controls of the medication network."""

import numpy as np
import pytest
from keras import ops
from scipy import sparse

from icd_relevancy import InputError, hierarchy
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.models import medication
from icd_relevancy.models.medication import FrequencyDummy, mean_of_children
from tests.losses import hierarchy_oracles as oracles


def test_the_dummy_predicts_the_frequencies_for_everyone():
    labels = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0]])
    for kind in (np.asarray, sparse.csr_matrix):
        scores = FrequencyDummy().fit(kind(labels)).predict(2)
        assert scores.tolist() == [[0.75, 0, 0.25]] * 2


def test_the_dummy_takes_no_memory_for_its_rows():
    scores = FrequencyDummy().fit(np.eye(3)).predict(10**9)
    assert scores.shape == (10**9, 3)
    assert not scores.flags.writeable


def test_an_unfitted_dummy_says_so():
    with pytest.raises(InputError, match="call fit"):
        FrequencyDummy().predict(1)


@pytest.mark.parametrize("kind", oracles.FORESTS)
def test_parents_are_the_mean_of_their_children(kind, monkeypatch):
    monkeypatch.setattr(medication, "_ROWS_AT_ONCE", 3)
    parents = oracles.FORESTS[kind]
    p = np.random.default_rng(0).random((8, len(parents)))
    expected = oracles.mean_of_children(parents, p)
    np.testing.assert_allclose(mean_of_children(p, Hierarchy(parents)), expected, rtol=1e-12)
    layer = ops.convert_to_numpy(hierarchy.mean_of_children(p.astype("float32"), Hierarchy(parents)))
    np.testing.assert_allclose(layer, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_it_keeps_the_precision_and_may_write_in_place(dtype):
    parents = oracles.FORESTS["random"]
    p = np.random.default_rng(0).random((8, len(parents))).astype(dtype)
    expected = oracles.mean_of_children(parents, p)
    got = mean_of_children(p, Hierarchy(parents))
    assert got.dtype == dtype
    assert mean_of_children(p, Hierarchy(parents), out=p) is p
    np.testing.assert_array_equal(p, got)
    np.testing.assert_allclose(p, expected, atol=1e-3)


def test_probabilities_of_another_width_are_refused():
    with pytest.raises(InputError, match=r"shape \(2, 3\); the hierarchy 2 codes"):
        mean_of_children(np.zeros((2, 3)), Hierarchy([-1, 0]))
