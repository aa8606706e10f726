"""Folds and parts of notes, and splits of stays."""

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.data import (
    Stays,
    encode_labels,
    monte_carlo_splits,
    read_codiesp,
    stratified_group_folds,
    train_validation_split,
)
from icd_relevancy.errors import InputError


def long_tailed(n, m, per_note, seed=0):
    """Labels by Zipf's law, a tenth of the notes without any, and groups of one to a few notes."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, m + 1)
    columns = random.choice(m, (n, per_note), p=share / share.sum()).ravel()
    rows = np.repeat(np.arange(n), per_note)
    kept = random.random(n)[rows] > 0.1
    labels = sparse.csr_matrix((np.ones(kept.sum(), np.int64), (rows[kept], columns[kept])), shape=(n, m))
    return labels.sign(), random.integers(0, n // 2, n)


def label_counts(labels, fold, n_folds):
    return np.stack([np.asarray(labels[fold == part].sum(axis=0)).ravel() for part in range(n_folds)])


def test_hand_worked_example():
    # Label 0 is carried by two notes, label 1 by four: two folds get one and two of them.
    labels = np.array([[1, 1], [1, 0], [0, 1], [0, 1], [0, 1], [0, 0], [0, 0]])
    fold = stratified_group_folds(labels, range(7), n_folds=2)
    assert label_counts(labels, fold, 2).tolist() == [[1, 2], [1, 2]]
    assert sorted(np.bincount(fold)) == [3, 4]
    assert fold[5] != fold[6]


def test_groups_stay_whole():
    labels, groups = long_tailed(2000, 100, 4)
    fold = stratified_group_folds(labels, groups)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    train, validation = train_validation_split(labels, groups, 0.2)
    assert not set(groups[train]) & set(groups[validation])
    assert sorted([*train, *validation]) == list(range(2000))


def test_better_balanced_than_random_folds():
    labels, groups = long_tailed(6000, 500, 6)
    fold = stratified_group_folds(labels, groups)
    drawn = np.random.default_rng(0).integers(0, 5, groups.max() + 1)[groups]
    total = np.asarray(labels.sum(axis=0)).ravel()
    ours, random = (
        np.abs(label_counts(labels, part, 5) / np.maximum(total, 1) - 0.2) for part in (fold, drawn)
    )
    for least, most in ((5, 20), (20, 100), (100, 6000)):
        band = (total >= least) & (total < most)
        assert ours[:, band].mean() < 0.6 * random[:, band].mean()
    assert np.ptp(np.bincount(fold)) < 0.02 * len(fold)
    without = np.diff(labels.indptr) == 0
    assert np.ptp(np.bincount(fold[without])) <= 3


def test_labels_with_enough_groups_are_in_every_fold():
    labels, groups = long_tailed(6000, 500, 6)
    fold = stratified_group_folds(labels, groups)
    member = sparse.csr_matrix((np.ones(6000), (groups, np.arange(6000))))
    holders = np.asarray((member @ labels).sign().sum(axis=0)).ravel()
    absent = (label_counts(labels, fold, 5) == 0).any(axis=0)
    assert (holders >= 5).sum() > 300
    assert absent[holders >= 10].sum() == 0
    assert absent[holders >= 5].mean() < 0.02


def test_the_seed_decides():
    labels, groups = long_tailed(1000, 80, 4)
    fold = stratified_group_folds(labels, groups, seed=3)
    np.testing.assert_array_equal(fold, stratified_group_folds(labels, groups, seed=3))
    assert (fold != stratified_group_folds(labels, groups, seed=4)).any()


def test_the_order_of_the_labels_and_the_numbers_of_the_groups_do_not_matter_to_the_balance():
    labels, groups = long_tailed(3000, 200, 5)
    order = np.random.default_rng(1).permutation(200)
    total = np.asarray(labels.sum(axis=0)).ravel()
    often = total >= 30
    for fold in (
        stratified_group_folds(labels, groups),
        stratified_group_folds(labels[:, order], groups),
        stratified_group_folds(labels, 10**6 - 7 * groups),
    ):
        deviation = np.abs(label_counts(labels, fold, 5) / np.maximum(total, 1) - 0.2)[:, often]
        assert deviation.mean() < 0.03
        assert np.ptp(np.bincount(fold)) < 60


def test_a_group_that_exceeds_a_fold():
    labels, _ = long_tailed(200, 20, 3)
    groups = np.r_[np.zeros(120, int), np.arange(1, 81)]
    fold = stratified_group_folds(labels, groups, n_folds=4)
    assert np.bincount(fold).max() == 120
    train, validation = train_validation_split(labels, groups, 0.1)
    assert 0 < len(validation) < 60
    assert len(train) + len(validation) == 200


@pytest.mark.parametrize("share", [0.01, 0.07, 0.1, 0.15, 1 / 3, 0.5, 0.9])
def test_the_validation_part_has_its_share(share):
    labels, groups = long_tailed(5000, 2000, 6)
    _, validation = train_validation_split(labels, groups, share)
    assert len(validation) == pytest.approx(5000 * share, rel=0.06)
    count = np.asarray(labels.sum(axis=0)).ravel()
    held_out = np.asarray(labels[validation].sum(axis=0)).ravel()
    # Rare labels too: not all of them are kept for training.
    for band in ((count >= 1) & (count <= 3), count > 100):
        assert held_out[band].sum() / count[band].sum() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_neither_part_is_empty(n, share):
    train, validation = train_validation_split(np.ones((n, 1)), range(n), share)
    assert len(train) > 0
    assert len(validation) > 0
    assert sorted([*train, *validation]) == list(range(n))


def test_no_labels_at_all():
    assert np.bincount(stratified_group_folds(sparse.csr_matrix((10, 0)), range(10))).tolist() == [2] * 5


def test_bad_arguments():
    labels = np.ones((4, 1))
    with pytest.raises(InputError, match="at least 2; received 1"):
        stratified_group_folds(labels, range(4), n_folds=1)
    with pytest.raises(InputError, match="5 folds need as many groups of notes, but there are 2"):
        stratified_group_folds(labels, [0, 0, 1, 1])
    with pytest.raises(InputError, match="received 3 for 4 notes"):
        stratified_group_folds(labels, range(3))
    with pytest.raises(InputError, match="between 0 and 1; received 1"):
        train_validation_split(labels, range(4), validation=1)
    with pytest.raises(InputError, match="none can be held out"):
        train_validation_split(labels, [5] * 4)


def test_thousands_of_labels():
    labels, groups = long_tailed(20_000, 8000, 10)
    folds = stratified_group_folds(labels, groups)
    assert np.bincount(folds).min() > 0.9 * 20_000 / 5


def test_real_cases(real_data):
    notes = read_codiesp(real_data / "codiesp")
    labels = encode_labels(notes.codes, notes.label_names())
    fold = stratified_group_folds(labels, notes.groups())
    assert np.ptp(np.bincount(fold)) <= 8
    total = np.asarray(labels.sum(axis=0)).ravel()
    assert np.abs(label_counts(labels, fold, 5) / total - 0.2)[:, total >= 50].mean() < 0.025


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
