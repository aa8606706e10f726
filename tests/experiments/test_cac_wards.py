"""Ranking by ward and patient group."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cac import wards
from icd_relevancy.data import synthetic_stays
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import ranking
from icd_relevancy.settings import read_yaml

STEM = Path("results/cac-wards/synthetic-icd9cm")


@pytest.fixture
def task(stays_task):
    """A third of the stays are newborns'."""
    task = stays_task
    ages = tuple(0.0 if row % 3 == 0 else age for row, age in enumerate(task.stays.age))
    task.__dict__["stays"] = replace(task.stays, age=ages)
    return task


@pytest.fixture
def settings():
    return read_yaml(Path(wards.__file__).with_suffix(".yaml")) | {"min_stays": 8}


def test_wards(task, settings, quick_networks):
    wards.make(task, settings, STEM)
    table = pd.read_csv(STEM.with_suffix(".csv"))
    tests = np.concatenate([split.test for split in task.splits])
    young = np.array(task.stays.age)[tests] == 0
    named = np.array(task.stays.ward)[tests]
    medical = np.isin(named, settings["groups"]["medical"])
    counts = dict(zip(table["group"], table["test stays"], strict=True))
    assert list(counts)[:3] == ["all stays", "newborn", "medical"]
    assert counts["all stays"] == len(tests)
    assert counts["newborn"] == young.sum()
    assert counts["medical"] == (medical & ~young).sum()
    for ward in set(named[~young]):
        assert counts[ward] == ((named == ward) & ~young).sum()
    few = table.set_index("group")["ranked by"] == "too few stays"
    assert {group for group, count in counts.items() if count < 8} == set(few.index[few])
    assert few.any()
    assert (table.loc[table["ranked by"] == "too few stays", "NDCG (%)"] == "–").all()
    assert STEM.with_suffix(".png").exists()


def test_a_group_is_measured_over_all_codes(task, settings, quick_networks):
    wards.make(task, settings, STEM)
    table = pd.read_csv(STEM.with_suffix(".csv")).set_index(["group", "ranked by"])
    given = task.nodes.assigned[:, task.nodes.assigned.sum(axis=0).A1 > 0]
    values = []
    for split in task.splits:
        rows = [row for row in split.test if task.stays.age[row] == 0]
        scores = np.tile(given[split.train].toarray().mean(axis=0), (len(rows), 1))
        values.append(100 * ranking.ndcg(given[rows], scores))
    found = table.loc[("newborn", "training frequencies"), "NDCG (%)"]
    error = abs(values[0] - values[1]) / 2
    assert found == f"{np.mean(values):.2f} ± {error:.2f}"


def test_claims_need_both_groups():
    runs = [
        {
            name: {"ndcg": ndcg + step, "rank_errors@50": errors - step}
            for name, ndcg, errors in (("newborn", 0.8, 2), ("medical", 0.5, 9))
        }
        for step in (0.0, 0.01)
    ]
    found = {row["claim"]: row for row in wards._claims(runs, ["newborn", "medical"])}
    assert found["newborn over medical stays: NDCG (%)"]["here"] == "+30.00 ± 0.00"
    assert found["newborn over medical stays: RE@50"]["here"] == "-7.00 ± 0.00"
    assert found["newborn over medical stays: RE@50"]["confirmed here"] == "yes"
    assert found["medical over surgical stays: RE@50"]["confirmed here"] == "too few such stays"


def test_stays_that_cannot_be_grouped(task, settings, quick_networks):
    with pytest.raises(InputError, match="no group has 999 test stays"):
        wards.make(task, {**settings, "min_stays": 999}, STEM)
    with pytest.raises(InputError, match="level: expected one of all, chapter, category, billing"):
        wards.make(task, {**settings, "level": "block"}, STEM)
    task.__dict__["stays"] = replace(task.stays, ward=None)
    with pytest.raises(InputError, match="synthetic: no stay has a ward"):
        wards.make(task, settings, STEM)


def test_data_without_wards_are_told_in_one_line(refused, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "stays.jsonl"
    replace(synthetic_stays(30), ward=None).write(path)
    options = ["cac.wards", "--data", str(path), "--set", "code_system=icd10cm"]
    refused(options, "stays.jsonl: no stay has a ward")
