"""The hierarchy of the labels: what it refuses, and the maxima, minima and means along it."""

import json

import numpy as np
import pytest
from keras import ops
from scipy import sparse

from icd_relevancy import InputError
from icd_relevancy.codes import icd9cm
from icd_relevancy.hierarchy import (
    Hierarchy,
    max_over_descendants,
    mean_of_children,
    min_over_ancestors,
)
from tests.losses import hierarchy_oracles as oracles

ALONG = {
    max_over_descendants: oracles.roll_up,
    min_over_ancestors: oracles.roll_down,
    mean_of_children: oracles.mean_of_children,
}


@pytest.fixture(params=oracles.FORESTS)
def parents(request):
    return oracles.FORESTS[request.param]


def test_levels_count_from_the_roots():
    assert Hierarchy([2, 0, -1, 2, -1]).levels.tolist() == [1, 2, 0, 1, 0]


def test_parents_may_be_any_integer_array():
    assert Hierarchy(np.array([-1, 0], np.int64)) == Hierarchy((-1, 0))


@pytest.mark.parametrize(
    ("parents", "names", "message"),
    [
        ([1, 2, 0, -1], "ABCD", "label '[ABC]' is its own ancestor"),
        ([-1, 1], None, "label 1 is its own ancestor"),
        ([3, 2, 1, -1], None, "label [12] is its own ancestor"),
        ([2, 2, 3, 2], "ABCD", "label '[CD]' is its own ancestor"),
        ([-1, 2], None, "label 1 has parent 2; use -1 for a root, else 0 to 1"),
        ([-1, -2], "AB", "label 'B' has parent -2"),
        ([-1.0, 0.0], None, "list of m integers"),
        ([[-1, 0]], None, "list of m integers"),
        ([], None, "list of m integers"),
        ([True, False], None, "list of m integers"),
        ([-1, 0], "A", "2 different labels"),
        ([-1, 0], "AA", "2 different labels"),
    ],
)
def test_what_is_no_hierarchy_is_refused(parents, names, message):
    with pytest.raises(InputError, match=message) as refusal:
        Hierarchy(parents, names)
    assert "\n" not in str(refusal.value)


def test_a_label_below_a_cycle_is_not_blamed():
    with pytest.raises(InputError, match="label 'B'"):
        Hierarchy([1, 1], "AB")


def test_from_a_code_system_the_nearest_kept_ancestor_is_the_parent():
    hierarchy = Hierarchy.from_code_system(icd9cm(), ["428.0", "390-459", "250.00", "428"])
    assert hierarchy.parents.tolist() == [3, -1, -1, 1]
    assert hierarchy.names[0] == "428.0"


def test_all_of_icd9cm_is_a_hierarchy_of_its_levels():
    system = icd9cm()
    hierarchy = Hierarchy.from_code_system(system, system.codes)
    assert len(hierarchy) == len(system.codes)
    assert hierarchy.levels.tolist() == [system.level(code) for code in system.codes]


def test_it_survives_json(parents):
    names = [f"C{label}" for label in range(len(parents))]
    for hierarchy in (Hierarchy(parents), Hierarchy(parents, names)):
        again = Hierarchy.from_config(json.loads(json.dumps(hierarchy.get_config())))
        assert again == hierarchy
        assert hash(again) == hash(hierarchy)
        assert again.names == hierarchy.names


def test_hierarchies_differ_by_parents_or_names():
    assert Hierarchy([-1, 0]) != Hierarchy([-1, -1])
    assert Hierarchy([-1, 0]) != Hierarchy([-1, 0], "AB")


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.coo_matrix, sparse.csc_array])
def test_labels_are_rolled_up_to_all_their_ancestors(parents, kind):
    labels = (np.random.default_rng(0).random((9, len(parents))) < 0.2).astype(int)
    labels[0] = 0
    rolled = Hierarchy(parents).roll_up_labels(kind(labels))
    np.testing.assert_array_equal(rolled.toarray(), oracles.roll_up(parents, labels))
    assert rolled.dtype == np.int64
    again = Hierarchy(parents).roll_up_labels(rolled)
    assert (again != rolled).nnz == 0


def test_labels_of_another_width_are_refused():
    with pytest.raises(InputError, match="has 3 columns; expected 2"):
        Hierarchy([-1, 0]).roll_up_labels(np.zeros((1, 3)))


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("shape", [(), (7,), (2, 3), (0,)])
def test_values_equal_the_loops(parents, along, shape):
    values = np.random.default_rng(1).normal(size=(*shape, len(parents))).astype("float32")
    got = ops.convert_to_numpy(along(values, Hierarchy(parents)))
    assert got.shape == values.shape
    np.testing.assert_allclose(got, ALONG[along](parents, values), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("kind", ["random", "uneven", "roots alone"])
def test_gradients_equal_finite_differences(kind, along):
    parents = oracles.FORESTS[kind]
    weights = np.random.default_rng(2).normal(size=(3, len(parents)))
    values = oracles.distinct((3, len(parents)))
    hierarchy = Hierarchy(parents)
    got = oracles.gradient(lambda x: ops.sum(along(x, hierarchy) * weights.astype("float32")), values)
    expected = oracles.finite_differences(lambda x: (ALONG[along](parents, x) * weights).sum(), values)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("along", [max_over_descendants, min_over_ancestors])
def test_ties_share_the_gradient(along):
    parents = oracles.FORESTS["uneven"]
    hierarchy = Hierarchy(parents)
    for tied in (0.0, 0.5, 1.0):
        values = np.full((2, len(parents)), tied)
        slopes = oracles.gradient(lambda x: ops.sum(along(x, hierarchy)), values)
        assert np.isfinite(slopes).all()
        assert (slopes >= 0).all()
        np.testing.assert_allclose(slopes.sum(axis=1), len(parents), rtol=1e-5)


@pytest.mark.parametrize("along", [max_over_descendants, min_over_ancestors])
def test_what_is_rolled_is_consistent_and_stays(parents, along):
    values = np.random.default_rng(3).random((5, len(parents))).astype("float32")
    hierarchy = Hierarchy(parents)
    rolled = ops.convert_to_numpy(along(values, hierarchy))
    for child, parent in enumerate(parents):
        assert parent < 0 or (rolled[:, child] <= rolled[:, parent]).all()
    np.testing.assert_array_equal(ops.convert_to_numpy(along(rolled, hierarchy)), rolled)


def test_rolling_up_is_rolling_down_of_the_negative_on_a_chain_turned_over():
    values = np.random.default_rng(4).random((5, 6)).astype("float32")
    up = max_over_descendants(values, Hierarchy([-1, 0, 1, 2, 3, 4]))
    down = min_over_ancestors(-values, Hierarchy([1, 2, 3, 4, 5, -1]))
    np.testing.assert_array_equal(ops.convert_to_numpy(up), -ops.convert_to_numpy(down))


def test_the_order_of_the_labels_does_not_matter():
    parents = np.array(oracles.FORESTS["another"])
    order = np.random.default_rng(5).permutation(len(parents))
    place = np.argsort(order)
    moved = np.where(parents[order] < 0, -1, place[parents[order]])
    values = np.random.default_rng(6).random((4, len(parents))).astype("float32")
    for along in ALONG:
        straight = ops.convert_to_numpy(along(values, Hierarchy(parents)))
        got = ops.convert_to_numpy(along(values[:, order], Hierarchy(moved)))
        np.testing.assert_allclose(got, straight[:, order], rtol=1e-6)
