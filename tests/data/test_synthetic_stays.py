"""Synthetic stays and the conditions behind them."""

from collections import Counter

import numpy as np
import pytest

from icd_relevancy.codes import icd9cm, icd10cm
from icd_relevancy.codes.rules import CodeMatcher, boolean_rules
from icd_relevancy.data import DrugMapping, encode_drugs, encode_labels, synthetic_stays
from icd_relevancy.data.synthetic.stays import background, conditions
from icd_relevancy.errors import InputError


@pytest.fixture(scope="module")
def stays():
    return synthetic_stays(3000, seed=3)


def test_every_condition_can_be_coded_and_treated():
    assert len(conditions()) > 100
    for condition in conditions().values():
        for system, codes in ((icd9cm(), condition.icd9cm), (icd10cm(), condition.icd10cm)):
            assert codes, condition.name
            assert all(code in system and not system.children(code) for code in codes), condition.name
            assert len(set(codes)) == len(codes), condition.name
        assert condition.drugs or condition.leads_to, condition.name
        assert len(condition.frequency) == 3
        assert all(0 < share <= 1 for _, share in condition.drugs + condition.leads_to + background())
        assert all(name in conditions() and name != condition.name for name, _ in condition.leads_to)


def test_drugs_are_ingredients(stays):
    mapped, report = stays.map_drugs(DrugMapping())
    assert mapped.drugs == stays.drugs
    assert report.unknown == 0


def test_the_same_again_and_a_shorter_run_is_the_beginning(stays):
    assert synthetic_stays(40, seed=3) == stays.select(range(40))
    assert synthetic_stays(40, seed=4).codes != stays.codes[:40]
    assert len(synthetic_stays(0)) == 0


def test_both_code_systems_have_the_same_stays(stays):
    other = synthetic_stays(200, seed=3, code_system="icd9cm")
    assert other.drugs == stays.drugs[:200]
    assert other.age == stays.age[:200]
    assert [bool(codes) for codes in other.codes] == [True] * 200
    assert all(code in icd9cm() for code in other.label_names())


def test_shape(stays):
    assert all(stays.codes)
    assert 3 < np.mean([len(codes) for codes in stays.codes]) < 7
    assert 8 < np.mean([len(drugs) for drugs in stays.drugs]) < 16
    assert len(stays.label_names()) > 200
    assert len(stays.drug_names()) > 200
    counts = sorted(Counter(code for codes in stays.codes for code in codes).values(), reverse=True)
    # A long tail: the first tenth of the codes has about half of all, the last half under a tenth.
    assert sum(counts[: len(counts) // 10]) > 0.4 * sum(counts)
    assert sum(counts[len(counts) // 2 :]) < 0.1 * sum(counts)
    per_patient = Counter(stays.patient_id)
    assert len(per_patient) < 0.8 * len(stays)
    assert max(per_patient.values()) >= 5
    assert len(set(stays.ward)) > 10


def test_a_patient_is_one_person(stays):
    of_patient = {}
    for patient, age, sex in zip(stays.patient_id, stays.age, stays.sex, strict=True):
        assert of_patient.setdefault(patient, (age, sex)) == (age, sex)
    assert {18 <= age <= 95 for age in stays.age} == {True}


def test_drugs_age_and_sex_tell_the_codes(stays):
    names = stays.label_names()
    labels = encode_labels(stays.codes, names).toarray()
    features = encode_drugs(stays)
    inputs = features.matrix.toarray()

    def lift(code, column):
        has, given = labels[:, names.index(code)], inputs[:, features.names.index(column)]
        return given[has == 1].mean() / given[has == 0].mean()

    assert lift("E11.9", "insulin glargine") > 5
    assert lift("I48.91", "apixaban") > 5
    assert lift("E03.9", "levothyroxine") > 20
    assert lift("N40.0", "age") > 1.1
    for row, codes in enumerate(stays.codes):
        if "Z37.0" in codes or "O80" in codes:
            assert stays.sex[row] == "female"
            assert stays.age[row] < 50
        if "N40.0" in codes:
            assert stays.sex[row] == "male"


def test_bad_arguments():
    with pytest.raises(InputError, match="n is -1"):
        synthetic_stays(-1)
    with pytest.raises(InputError, match="code_system must be one of icd10cm, icd9cm; received 'atc'"):
        synthetic_stays(1, code_system="atc")


@pytest.mark.parametrize(("system", "edition"), [(icd10cm(), 10), (icd9cm(), 9)], ids=["icd10cm", "icd9cm"])
def test_nobody_has_a_condition_of_the_other_sex(system, edition):
    stays = synthetic_stays(2000, seed=5, code_system=system.name)
    codes = stays.label_names()
    titles = tuple(system.title(code) for code in codes)
    matcher = CodeMatcher(codes, titles, ("",) * len(codes), edition)
    for sex, rule in (("male", "female_only"), ("female", "male_only")):
        has = matcher.matching(boolean_rules("usage")[rule])
        others = {code for code, wrong in zip(codes, has, strict=True) if wrong}
        assert others
        assert not others & {
            code for row, of in zip(stays.codes, stays.sex, strict=True) if of == sex for code in row
        }
