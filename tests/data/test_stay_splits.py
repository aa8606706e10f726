"""Monte Carlo splits by patient."""

import numpy as np
import pytest

from icd_relevancy.data import Stays, monte_carlo_splits
from icd_relevancy.errors import InputError


def stays(patients) -> Stays:
    patients = tuple(patients)
    names = tuple(f"s{row}" for row in range(len(patients)))
    return Stays(names, ((),) * len(names), ((),) * len(names), patient_id=patients)


def test_parts_have_their_size_and_share_no_patient():
    table = stays([f"p{number}" for number in np.random.default_rng(0).integers(0, 150, 300)])
    splits = monte_carlo_splits(table, dev_size=50, test_size=0.2)
    assert len(splits) == 3
    for split in splits:
        assert [len(split.train), len(split.dev), len(split.test)] == [190, 50, 60]
        assert sorted(np.concatenate([split.train, split.dev, split.test])) == list(range(300))
        parts = [{table.patient_id[row] for row in part} for part in (split.train, split.dev, split.test)]
        assert parts[0].isdisjoint(parts[1] | parts[2])
        assert parts[1].isdisjoint(parts[2])
        assert (np.diff(split.test) > 0).all()


def test_splits_differ_and_depend_on_the_seed_and_their_number():
    table = stays(map(str, range(100)))
    first, second = monte_carlo_splits(table, 2, 10, 10, seed=5)
    assert first.test.tolist() != second.test.tolist()
    assert monte_carlo_splits(table, 1, 10, 10, seed=5)[0].test.tolist() == first.test.tolist()
    assert monte_carlo_splits(table, 1, 10, 10, seed=6)[0].test.tolist() != first.test.tolist()


def test_every_patient_is_as_likely_to_be_tested():
    table = stays([str(row // 2) for row in range(40)])
    tested = np.zeros(40)
    for split in monte_carlo_splits(table, 400, dev_size=4, test_size=10, seed=1):
        tested[split.test] += 1
    assert abs(tested / 400 - 0.25).max() < 0.1


def test_a_patient_with_too_many_stays_is_trained_on():
    table = stays(["a"] * 20 + [f"p{row}" for row in range(30)])
    for split in monte_carlo_splits(table, 5, 10, 10):
        assert set(range(20)) <= set(split.train.tolist())


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"n_splits": 0}, "n_splits must be at least 1; received 0"),
        ({"dev_size": 0}, "dev_size must give at least one stay; received 0"),
        ({"test_size": -3}, "test_size must give at least one stay; received -3"),
        ({"dev_size": 6, "test_size": 4}, "10 stays are too few for 6 for development and 4 for test"),
        ({}, "10 stays are too few for 5000 for development and 5000 for test"),
    ],
)
def test_bad_sizes(sizes, told):
    defaults = {"dev_size": 2, "test_size": 2} if sizes else {}
    with pytest.raises(InputError, match=told):
        monte_carlo_splits(stays(map(str, range(10))), **(defaults | sizes))


def test_a_part_without_any_patient():
    with pytest.raises(InputError, match="a part would be empty: one patient has too many of the stays"):
        monte_carlo_splits(stays(["a"] * 9 + ["b"]), 1, 3, 3)
