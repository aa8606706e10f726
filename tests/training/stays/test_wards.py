"""Ranking performance by ward and patient group."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.data import Stays, synthetic_stays
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import ranking
from icd_relevancy.training import patient_groups, ranking_by_group
from icd_relevancy.training.evaluation import PER_NOTE, ranking_scores


def test_newborns_count_for_no_ward():
    ages, wards = (0.0, 0.05, 0.5, 70.0, None), ("NB", "SURG", "NB", None, "MED")
    stays = Stays("12345", ((),) * 5, ((),) * 5, age=ages, ward=wards)
    assert patient_groups(stays) == ("newborn", "newborn", "NB", None, "MED")
    assert patient_groups(replace(stays, age=None)) == wards


@pytest.mark.parametrize("ward", [None, (None,) * 5])
def test_stays_without_wards(ward):
    with pytest.raises(InputError, match="synthetic: no stay has a ward; fill the column ward"):
        patient_groups(replace(synthetic_stays(5), ward=ward))


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(5)
    y = (random.random((60, 35)) < 0.15).astype(np.int64)
    y[y.sum(axis=1) == 0, 2] = 1
    y[7] = 0
    groups = np.array(["A"] * 30 + ["B"] * 20 + ["C"] * 9 + [None], dtype=object)[random.permutation(60)]
    groups[7] = "A"
    return y, 0.3 * y + random.random(y.shape), groups


def test_each_group_is_measured_as_if_it_were_alone(case):
    y, score, groups = case
    measured, left_out = ranking_by_group(sparse.csr_matrix(y), score, groups, min_stays=12)
    assert list(measured) == sorted(measured, key=lambda name: -measured[name]["stays"]) == ["A", "B"]
    labelled = y.any(axis=1)
    assert left_out == {"C": ((groups == "C") & labelled).sum()}
    for name, found in measured.items():
        rows = (groups == name) & labelled
        assert found["stays"] == rows.sum()
        expected = ranking_scores(y[rows], score[rows])
        assert {metric: found[metric] for metric in expected} == expected
    # The stays of a group without labels change nothing.
    assert measured["A"]["stays"] == (groups == "A").sum() - 1


def test_standard_errors_are_those_of_the_means_over_stays(case):
    y, score, groups = case
    found = ranking_by_group(y, score, groups, 12)[0]["B"]
    rows = groups == "B"
    assert found["standard_error"].keys() == PER_NOTE.keys()
    top = np.argsort(-score[rows], axis=1)[:, :10]
    recalls = np.take_along_axis(y[rows], top, axis=1).sum(axis=1) / y[rows].sum(axis=1)
    assert found["recall@10"] == pytest.approx(recalls.mean())
    expected = recalls.std(ddof=1) / np.sqrt(len(recalls))
    assert found["standard_error"]["recall@10"] == pytest.approx(expected)
    errors = ranking.rank_errors_at_recall(y[rows], score[rows], recall=0.5, average=None)
    assert found["standard_error"]["rank_errors@50"] == pytest.approx(
        errors.std(ddof=1) / np.sqrt(rows.sum())
    )


def test_a_single_stay_has_no_standard_error():
    measured, _ = ranking_by_group([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.7]], ("A", "B"), min_stays=1)
    assert set(measured["A"]["standard_error"].values()) == {None}
    assert (measured["A"]["ndcg"], measured["B"]["rank_errors@100"]) == (1.0, 1.0)


def test_wrong_arguments(case):
    y, score, groups = case
    with pytest.raises(InputError, match="one name a stay, 60"):
        ranking_by_group(y, score, groups[1:])
    with pytest.raises(InputError, match="min_stays must be at least 1"):
        ranking_by_group(y, score, groups, 0)
