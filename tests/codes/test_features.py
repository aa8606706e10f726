"""The features of codes: of ICD on codes whose answer is known, and the parts that codes of any system are made of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.codes import CodeSystem, code_knowledge
from icd_relevancy.codes.features import RULE_GROUPS, code_positions, specialty_table
from icd_relevancy.codes.rules import CodeMatcher, affirmed, boolean_rules

# The examples of NNBSVR table 1 that ICD-10-CM has, others whose answer is in the title or the chapter, and words that
# mean something else where they stand.
KNOWN = pd.read_csv(Path(__file__).with_name("known_features.csv"), dtype=str, keep_default_na=False)


def written(value):
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, float) and not np.isnan(value):
        return f"{value:g}"
    return "" if pd.isna(value) else value


@pytest.mark.parametrize(
    ("system", "feature", "value", "codes"), list(KNOWN.itertuples(index=False, name=None))
)
def test_codes_whose_feature_is_known(system, feature, value, codes):
    column = code_knowledge(system).table[feature]
    codes = codes.split()
    assert {code: written(column[code]) for code in codes} == dict.fromkeys(codes, value)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Hernia without obstruction or gangrene, not specified as recurrent", "Hernia"),
        ("Laceration without foreign body of penis, sequela", "Laceration of penis, sequela"),
        (
            "Acute appendicitis with localized peritonitis, without perforation or gangrene",
            "Acute appendicitis with localized peritonitis",
        ),
        ("Ulcer without perforation or abscess with bleeding", "Ulcer with bleeding"),
        ("Wound with or without foreign body, left eye", "Wound , left eye"),
        ("Failure, unspecified whether with hypoxia or hypercapnia", "Failure"),
        ("Leukemia not having achieved remission", "Leukemia"),
        ("Skin of trunk, except scrotum", "Skin of trunk"),
        ("Other non-diabetic retinopathy", "Other retinopathy"),
        ("Newborn for suspected infectious condition ruled out", "Newborn for"),
        ("Varices, not elsewhere classified", "Varices, not elsewhere classified"),
    ],
)
def test_affirmed(title, expected):
    assert affirmed(title) == expected


@pytest.mark.parametrize(
    ("name", "code", "specialties"),
    [
        ("icd10cm", "D16.9", {"Oncology", "Orthopedics"}),
        ("icd10cm", "D10.0", {"Oncology", "ENT", "Dental"}),
        ("icd10cm", "D11.0", {"Oncology", "ENT", "Dental"}),
        ("icd10cm", "D15.2", {"Oncology", "Pulmonology"}),
        ("icd10cm", "U09.9", {"Infectious Diseases", "Internal Medicine", "Pulmonology"}),
        ("icd10cm", "I1A.0", {"Cardiology", "Internal Medicine"}),
        ("icd9cm", "213.4", {"Oncology", "Orthopedics"}),
        ("icd9cm", "209.00", {"Oncology", "Gastroenterology", "General Surgery"}),
    ],
)
def test_specialties_of_a_code(name, code, specialties):
    assert set(code_knowledge(name).table.loc[code, "specialty"]) == specialties


def test_specialties_with_others():
    column = code_knowledge("icd10cm").table["specialty"]
    expected = {
        "K02.9": "Dental", "I21.4": "Cardiology", "O80": "Obstetrics and Gynaecology", "H25.13": "Ophthalmology",
        "M54.50": "Orthopedics", "L20.9": "Dermatology", "P74.31": "Neonatology", "F41.9": "Psychiatry",
        "N40.1": "Urology", "C52": "Oncology",
    }  # fmt: skip
    assert {code: name for code, name in expected.items() if name not in column[code]} == {}


@pytest.mark.parametrize("name", ["icd10cm", "icd9cm"])
def test_every_code_has_a_specialty(name):
    known = code_knowledge(name)
    leaves = known.table.loc[list(known.code_system.leaves), "specialty"]
    assert leaves[leaves.map(len) == 0].index.tolist() == []


def test_every_specialty_treats_something():
    specialties = specialty_table()["specialties"]
    assert len(specialties) == 24
    counts = code_knowledge("icd10cm").table["specialty"].explode().value_counts()
    assert set(counts.index) == set(specialties)


@pytest.mark.parametrize(("name", "edition"), [("icd10cm", 10), ("icd9cm", 9)])
def test_every_place_exists(name, edition):
    """A range must begin and end with categories that exist, or a later letter category falls outside it."""
    matcher = CodeMatcher.from_leaves(code_knowledge(name).code_system, edition)
    rules = [rule for group in RULE_GROUPS for rule in boolean_rules(group).values()]
    texts = [getattr(rule, f"{field}{edition}") for rule in rules for field in ("icd", "within", "not")]
    texts += [places[f"icd{edition}"] for places in specialty_table()["specialties"].values()]
    places = {place for text in texts for place in text.split()}
    ends = {end for place in places for end in (place.split("-") if edition == 10 else [place])}
    assert sorted(place for place in places | ends if not np.any(matcher.within(place))) == []


def system(name, parents):
    return CodeSystem(name, tuple(parents), {code: f"Title {code}" for code in parents}, parents)


ICD = {"I": None, "J18": "I", "J18.9": "J18"}
ATC = {"A": None, "A10": "A", "A10B": "A10", "A10BA": "A10B", "A10BA02": "A10BA"}


@pytest.mark.parametrize(
    ("parents", "code", "parts"),
    [
        (ATC, "A10BA02", ("A", "10", "B", "A", "02")),
        ({"A10BA02": None, "B01AC06": None}, "B01AC06", ("B", "01", "A", "C", "06")),
        ({"08": None, "08.1": "08", "08.12": "08.1"}, "08.12", ("08", "1", "2")),
        ({"12-34-5": None, "12-35-1": None}, "12-35-1", ("12", "35", "1")),
        ({"D0120": None, "D7140": None}, "D7140", ("D", "7", "1", "4", "0")),
        (ICD, "J18.9", ("J", "1", "8", "9")),
        (ICD, "I", ("J", "1", "8")),
    ],
)
def test_positions_of_other_systems(parents, code, parts):
    assert code_positions(system("mine", parents))[code] == parts


def test_any_other_system_has_descriptor_and_hierarchy():
    mine = code_knowledge(system("mine", {"A": None, "A10": "A", "A10BA02": "A10"}))
    assert {feature.group for feature in mine.features} == {"descriptor", "hierarchy"}
    assert mine.table.loc["A10BA02", "level_2"] == "A10"
    assert mine.words("A10BA02") == "Title A10BA02. Title A; Title A10"


def test_a_group_has_what_its_codes_share():
    known = code_knowledge("icd10cm")
    leaves = known.table.loc[list(known.code_system.leaves)]
    below = leaves[leaves.category == "C50"]
    assert below.female_only.any()
    assert not below.female_only.all()
    assert not known.table.loc["C50", "female_only"]
    assert known.table.loc["C50", "malignant"]
