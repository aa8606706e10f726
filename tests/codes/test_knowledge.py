import numpy as np
import pandas as pd
import pytest

from icd_relevancy.codes import CodeSystem, code_knowledge
from icd_relevancy.codes.features import GROUPS, KINDS, code_positions, specialty_table
from icd_relevancy.errors import InputError


@pytest.fixture(scope="module")
def known():
    return code_knowledge("icd10cm")


def test_one_row_a_code_and_one_column_a_feature(known):
    assert known.table.index.tolist() == list(known.code_system.codes)
    assert known.table.columns.tolist() == [feature.name for feature in known.features]
    assert len(known.features) >= 68
    assert {feature.group for feature in known.features} == set(GROUPS)
    assert {feature.kind for feature in known.features} == set(KINDS)
    assert all(feature.description for feature in known.features)
    assert code_knowledge("icd10cm") is known


def test_columns_are_of_their_kind(known):
    for feature in known.features:
        column = known.table[feature.name]
        if feature.kind == "categorical":
            assert isinstance(column.dtype, pd.CategoricalDtype)
        elif feature.kind == "multiple":
            assert all(isinstance(entries, tuple) for entries in column)
            assert all(type(entry) is str for entries in column for entry in entries)
        else:
            assert column.dtype == {"boolean": bool, "ordinal": float, "text": object}[feature.kind]


def test_no_feature_is_constant(known):
    constant = [feature.name for feature in known.features if known.table[feature.name].nunique() < 2]
    assert constant == []


# The examples of NNBSVR table 1 that ICD-10-CM has, and others whose answer is in the title or the chapter.
@pytest.mark.parametrize(
    ("feature", "codes", "others"),
    [
        ("female_only", "C52 O80 N80.9 C53.9 F53.0 Z34.90 A34 C51-C58", "C61 J18.9 Z38.00 C50.921"),
        ("male_only", "N40.1 C61 N52.9 Q53.9 B26.0 C60-C63", "C52 J18.9 N39.0"),
        ("newborn_only", "P05.00 P74.31 Z38.00 A33 16", "J18.9 O80 Q90.9"),
        ("child_only", "Z00.129 F64.2 H26.001 R62.0", "J18.9 Z00.00 P74.31 M08.00 F90.9"),
        ("adult_only", "H25.9 I70.0 F03.90 K70.30 N40.1", "H26.001 J18.9"),
        ("maternity_only", "O80 O00.80 Z33.1 Z3A.39 15", "C52 N80.9 Z38.00"),
        ("pregnancy", "O80 Z34.90", "C52 N80.9"),
        ("manifestation_only", "F02.80 G01 E08.9 M36.0", "J18.9 F03.90 G03.9"),
        ("unacceptable_principal", "Z79.4 B95.0 T36.0X6A T36.0X5A Z23", "J18.9 T36.0X1A Z51.11 Z38.00"),
        ("present_on_admission_exempt", "Z79.4 Q90.9 S52.501D O80 W19.XXXA", "S52.501A J18.9"),
        ("surgical_only", "J95.03 T81.40XA Z48.00", "J18.9 K35.80"),
        ("external_cause", "W19.XXXA 20", "S52.501A"),
        ("benign", "D10.4", "D01.2 C00.8 C78.00"),
        ("in_situ", "D01.2", "D10.4 C20"),
        ("malignant", "C00.8 C78.00 C52", "D10.4 D01.2 N40.1 Z85.3"),
        ("metastatic", "C78.00 C77.9 C79.51", "C34.90 D10.4"),
        ("uncertain_behaviour", "D37.01 D49.2", "D10.4 C52"),
        ("congenital", "A50.6 Q90.9 17", "A51.9 J18.9"),
        ("psychiatric", "F01.50 F41.9", "G30.9"),
        ("vaccination", "Z23", "Z00.00"),
        ("work_related", "J60 Z57.1 Y99.0", "J18.9"),
        ("dental", "K02.9 S02.5XXA", "K21.9"),
        ("acute", "I21.4 K35.80", "I25.2"),
        ("chronic", "N18.30 J44.1", "J18.9"),
        ("sequela", "I69.351 S52.501S", "S52.501A I63.9"),
        ("infectious", "A41.9 J18.9 N39.0", "I10 Z11.3"),
        ("viral", "B20 J10.1", "A41.9"),
        ("fungal", "B37.81", "A41.9"),
        ("fracture", "S52.501A M80.08XA", "S53.401A Z87.310"),
        ("transport_accident", "V43.52XA", "W19.XXXA"),
        ("drug_related", "T36.0X1A F11.20 Z79.4", "J18.9"),
        ("aftercare", "Z47.1 Z48.00", "Z12.11"),
        ("screening", "Z12.11", "Z47.1"),
        ("follow_up", "Z08 Z09", "Z12.11"),
        ("personal_history", "Z85.3 Z87.310", "Z80.3"),
        ("family_history", "Z80.3", "Z85.3"),
    ],
)
def test_rules(known, feature, codes, others):
    column = known.table[feature]
    assert [code for code in codes.split() if not column[code]] == []
    assert [code for code in others.split() if column[code]] == []


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("polarity", {"P74.31": 1, "P74.32": -1, "E87.6": -1, "E05.90": 1, "E03.9": -1, "J18.9": 0}),
        ("trimester", {"Z34.91": 1, "Z34.93": 3, "J18.9": 0}),
        ("degree", {"F32.0": 1, "F32.1": 2, "F32.2": 3, "J18.9": 0}),
        ("depth", {"2": 0, "C51-C58": 1, "C52": 2}),
        ("encounter", {"S52.501A": "initial", "S52.501D": "subsequent", "S52.501S": "sequela"}),
        ("laterality", {"S52.501A": "right", "S52.502A": "left", "H25.13": "bilateral", "S52.50": None}),
        ("fracture_type", {"S52.501A": "closed", "S52.501B": "open", "J18.9": None}),
        ("fracture_healing", {"S52.501G": "delayed", "S52.501K": "nonunion", "S52.501A": None}),
        ("intent", {"X78.0XXA": "self-harm", "T36.0X2A": "self-harm", "T36.0X5A": "adverse effect"}),
        ("intent", {"X99.0XXA": "assault", "W19.XXXA": "accident", "T36.0X6A": "underdosing", "I10": None}),
        ("body_system", {"C52": "neoplasms", "J18.9": "respiratory"}),
        ("chronic_condition", {"E11.9": "chronic", "J18.9": "not chronic", "4": "chronic"}),
        ("clinical_category", {"A00.0": ("DIG001",), "J18.9": ("RSP002",)}),
        ("complex_condition", {"C52": ("malignancy",), "J18.9": ()}),
        ("chapter", {"C52": "2", "2": "2"}),
        ("block", {"C52": "C51-C58", "2": None}),
        ("category", {"B37.81": "B37"}),
    ],
)
def test_values(known, feature, expected):
    found = known.table.loc[list(expected), feature]
    found = found.astype(object).where(found.notna(), None)
    assert found.to_dict() == expected


@pytest.mark.parametrize(
    ("code", "specialty"),
    [
        ("K02.9", "Dental"),
        ("I21.4", "Cardiology"),
        ("O80", "Obstetrics and Gynaecology"),
        ("H25.13", "Ophthalmology"),
        ("M54.50", "Orthopedics"),
        ("L20.9", "Dermatology"),
        ("P74.31", "Neonatology"),
        ("F41.9", "Psychiatry"),
        ("N40.1", "Urology"),
        ("C52", "Oncology"),
    ],
)
def test_specialties(known, code, specialty):
    assert specialty in known.table.loc[code, "specialty"]


def test_every_specialty_treats_something(known):
    specialties = specialty_table()["specialties"]
    assert len(specialties) == 24
    counts = known.table["specialty"].explode().value_counts()
    assert set(counts.index) == set(specialties)


def test_positions(known):
    row = known.table.loc["B37.81", [f"position_{n}" for n in range(1, 8)]]
    assert row.tolist()[:5] == ["B", "3", "7", "8", "1"]
    assert row.isna().tolist()[5:] == [True, True]
    assert known.table.loc["C51-C58", ["position_1", "position_2"]].tolist() == ["C", "5"]
    assert pd.isna(known.table.loc["1", "position_1"])


def system(name, parents):
    return CodeSystem(name, tuple(parents), {code: f"Title {code}" for code in parents}, parents)


@pytest.mark.parametrize(
    ("parents", "code", "parts"),
    [
        (
            {"A": None, "A10": "A", "A10B": "A10", "A10BA": "A10B", "A10BA02": "A10BA"},
            "A10BA02",
            ("A", "10", "B", "A", "02"),
        ),
        ({"A10BA02": None, "B01AC06": None}, "B01AC06", ("B", "01", "A", "C", "06")),
        ({"08": None, "08.1": "08", "08.12": "08.1"}, "08.12", ("08", "1", "2")),
        ({"12-34-5": None, "12-35-1": None}, "12-35-1", ("12", "35", "1")),
        ({"D0120": None, "D7140": None}, "D7140", ("D", "7", "1", "4", "0")),
        ({"I": None, "J18": "I", "J18.9": "J18"}, "J18.9", ("J", "1", "8", "9")),
        ({"I": None, "J18": "I", "J18.9": "J18"}, "I", ("J", "1", "8")),
    ],
)
def test_positions_of_other_systems(parents, code, parts):
    assert code_positions(system("mine", parents))[code] == parts


def test_any_other_system_has_descriptor_and_hierarchy():
    mine = code_knowledge(system("mine", {"A": None, "A10": "A", "A10BA02": "A10"}))
    assert {feature.group for feature in mine.features} == {"descriptor", "hierarchy"}
    assert mine.table.loc["A10BA02", "level_2"] == "A10"
    assert mine.words("A10BA02") == "Title A10BA02. Title A; Title A10"


def test_a_group_has_what_its_codes_share(known):
    leaves = known.table.loc[list(known.code_system.leaves)]
    below = leaves[leaves.category == "C50"]
    assert below.female_only.any()
    assert not below.female_only.all()
    assert not known.table.loc["C50", "female_only"]
    assert known.table.loc["C50", "malignant"]


def test_words(known):
    said = known.words("C52")
    assert said.startswith("Malignant neoplasm of vagina. Female only. Malignant.")
    assert "Specialty: Obstetrics and Gynaecology, Oncology" in said
    assert said.endswith("Neoplasms; Malignant neoplasms of female genital organs")
    assert "Polarity: too much" in known.words("P74.31")
    assert "Polarity: too little" in known.words("P74.32")
    lengths = np.array([len(known.words(code).split()) for code in known.code_system.codes[::20]])
    assert lengths.max() <= 80
    assert 40 <= lengths.mean() <= 80
    with pytest.raises(InputError, match=r"'Z00\.999' is not a code"):
        known.words("Z00.999")


def test_icd9():
    known = code_knowledge("icd9cm")
    table = known.table
    assert len(known.features) >= 68
    assert "trimester" not in table  # it tells the episode of care instead
    assert table.loc[["184.0", "650", "600.00"], "female_only"].tolist() == [True, True, False]
    assert table.loc[["184.0", "650", "600.00"], "male_only"].tolist() == [False, False, True]
    assert table.loc["770.0", "newborn_only"]
    assert table.loc["197.0", "metastatic"]
    assert table.loc["E950.0", "intent"] == "self-harm"
    assert table.loc["250.01", "chronic_condition"] == "chronic"
    assert table.loc["250.01", "body_system"] == "endocrine, nutritional and metabolic"
    assert table.loc["010.00", "clinical_category"] == ("1 Tuberculosis",)
    assert table.loc["428.21", ["position_1", "position_5"]].tolist() == ["4", "1"]
    assert table.loc["428.21", "category"] == "428"


def test_unknown_system():
    with pytest.raises(InputError, match="no knowledge of 'icd11'"):
        code_knowledge("icd11")
