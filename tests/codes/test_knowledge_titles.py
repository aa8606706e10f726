"""What a title rules out or leaves open, and words that mean something else where they stand."""

import numpy as np
import pytest

from icd_relevancy.codes import code_knowledge
from icd_relevancy.codes.features import RULE_GROUPS, specialty_table
from icd_relevancy.codes.rules import CodeMatcher, affirmed, boolean_rules


def told(name, codes, feature):
    value = code_knowledge(name).table.loc[codes.split(), feature]
    return value.astype(object).where(value.notna(), None).tolist()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Hernia without obstruction or gangrene, not specified as recurrent", "Hernia"),
        ("Laceration without foreign body of penis, sequela", "Laceration of penis, sequela"),
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
    ("feature", "codes", "expected"),
    [
        ("male_only", "E31.20 E31.23 Z15.81 Z83.41 Z80.42 A54.03", False),
        ("male_only", "B37.42 L29.1 F52.4 Z85.46", True),
        ("female_only", "Z80.41 Z80.3 Z30.02", False),
        ("female_only", "A54.02 A54.03 A60.03 A59.01 S31.41XA Z03.72", True),
        ("in_remission", "C91.00 C90.30 C95.90", False),
        ("in_remission", "C91.01 F10.21", True),
        ("recurrent", "K40.90 K41.40 A04.72", False),
        ("recurrent", "K40.91 A04.71", True),
        ("gangrene", "K46.9 K35.30 K40.90 L97.426", False),
        ("gangrene", "K46.1 K35.31", True),
        ("perforation", "K25.3 K25.7 K26.3", False),
        ("perforation", "K25.1", True),
        ("abscess", "K57.52 K57.31", False),
        ("hemorrhage", "K57.52 K25.3", False),
        ("hemorrhage", "K57.31 K25.0", True),
        ("acute", "I26.99 I26.92 K25.9 K28.9 J40", False),
        ("acute", "I26.09 K25.3", True),
        ("chronic", "K25.9 J40", False),
        ("hypertension", "R03.0", False),
        ("hypertension", "I10 I1A.0", True),
        ("diabetes", "H35.23", False),
        ("infectious", "Z05.1 J85.2", False),
        ("infectious", "A37.00 A37.01 J18.9", True),
        ("organ_failure", "K72.00 K70.40", True),
        ("without_condition", "K40.90 A37.00", True),
        ("without_complication", "E11.9 K51.90", True),
        ("observation", "Z05.1 Z03.6", True),
        ("unspecified", "J96.00 K25.9", True),
        ("fracture", "M84.80 M81.0", False),
        ("burn", "Z73.0", False),
        ("burn", "T20.20XA L55.9", True),
        ("adverse_effect", "K85.30 G24.01", True),
        ("fracture_type", "G73.1 G13.1 M81.0 F63.0 D63.0", None),
        ("fracture_type", "M80.08XA M84.40XD M84.750D M48.50XD", "pathological"),
        ("fracture_type", "S62.001D S62.001G S62.001K S62.001P S52.501D", "closed"),
        ("fracture_type", "S62.001B S52.501E S52.501M", "open"),
        ("laterality", "I50.814", None),
        ("laterality", "H54.0X33 H54.1141", "bilateral"),
        ("laterality", "H54.512A", "right"),
        ("laterality", "S31.114S", "left"),
        ("degree", "S52.501C S72.001R", 0),
        ("degree", "F32.2", 3),
    ],
)
def test_titles(feature, codes, expected):
    assert told("icd10cm", codes, feature) == [expected] * len(codes.split())


@pytest.mark.parametrize(
    ("feature", "codes", "expected"),
    [
        ("male_only", "258.01 V18.11 V84.81 V16.43 172.5", False),
        ("female_only", "V16.41 V25.04", False),
        ("recurrent", "553.00 551.00", False),
        ("in_remission", "204.20", False),
        ("acute", "490 534.91", False),
        ("chronic", "490 534.91 614.2", False),
        ("fracture_type", "803.00 804.00 813.41", "closed"),
        ("fracture_type", "803.50 804.50", "open"),
        ("complication", "250.00 872.00", False),
        ("alcohol_related", "571.5", False),
        ("malignant", "402.00 402.01", False),
        ("fracture_type", "733.16", "pathological"),
    ],
)
def test_titles_icd9(feature, codes, expected):
    assert told("icd9cm", codes, feature) == [expected] * len(codes.split())


@pytest.mark.parametrize(
    ("name", "codes", "expected"),
    [
        (
            "icd10cm",
            "D70.1 D70.3 D70.8 D70.9 D55.0 D75.A D50.9 E86.0 E23.2 E03.9 J96.01 K86.81 N91.5 D73.0 R20.1 E89.1",
            -1,
        ),
        ("icd10cm", "R20.3 D73.1 E22.0 E22.2 E87.70 D72.820 D72.829 D75.0 D75.839 I10 J96.02 E66.9", 1),
        ("icd10cm", "D58.0 D58.1 D58.9 D76.3 D64.9 E66.2 F90.0 I27.23 J96.00 P71.3 Y36.A1XA Y36.A2XA", 0),
        (
            "icd10cm",
            "G37.81 I34.0 I35.1 I36.2 I37.1 I87.2 Q23.1 N25.1 T38.3X6A T38.3X1A T46.5X5A T46.6X1A",
            0,
        ),
        ("icd9cm", "276.8 276.1 253.2 253.5 276.51 251.3 288.03 768.72", -1),
        ("icd9cm", "276.7 276.0 253.0 276.69 288.61", 1),
        ("icd9cm", "588.1 396.3 459.81 282.0 285.9 278.03 962.3", 0),
    ],
)
def test_polarity(name, codes, expected):
    assert told(name, codes, "polarity") == [expected] * len(codes.split())


@pytest.mark.parametrize("name", ["icd10cm", "icd9cm"])
def test_every_code_has_a_specialty(name):
    known = code_knowledge(name)
    leaves = known.table.loc[list(known.code_system.leaves), "specialty"]
    assert leaves[leaves.map(len) == 0].index.tolist() == []


@pytest.mark.parametrize(
    ("name", "code", "expected"),
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
def test_specialties_of_a_code(name, code, expected):
    assert set(code_knowledge(name).table.loc[code, "specialty"]) == expected


@pytest.mark.parametrize(("name", "edition"), [("icd10cm", 10), ("icd9cm", 9)])
def test_every_place_exists(name, edition):
    """A range must begin and end with categories that exist, or a later letter category falls outside it."""
    matcher = CodeMatcher.from_leaves(code_knowledge(name).code_system, edition)
    fields = {10: ("icd10", "within10", "not10"), 9: ("icd9", "within9", "not9")}[edition]
    rules = [rule for group in RULE_GROUPS for rule in boolean_rules(group).values()]
    texts = [getattr(rule, field) for rule in rules for field in fields]
    texts += [places[f"icd{edition}"] for places in specialty_table()["specialties"].values()]
    places = {place for text in texts for place in text.split()}
    ends = {end for place in places for end in (place.split("-") if edition == 10 else [place])}
    assert sorted(place for place in places | ends if not np.any(matcher.within(place))) == []
