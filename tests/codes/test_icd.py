"""ICD-10-CM, ICD-9-CM, their dots, and the General Equivalence Mappings between them."""

import pytest

from icd_relevancy.codes import general_equivalence_mappings, icd9cm, icd10cm
from icd_relevancy.codes.icd import dotted_icd9, dotted_icd10
from icd_relevancy.errors import InputError


def test_icd10cm_counts():
    system = icd10cm()
    assert len(system) == len(set(system.codes)) == 98_505
    assert len(system.leaves) == 74_719
    assert sum(system.parent(code) is None for code in system.codes) == 22
    assert sum(system.level(code) == 1 for code in system.codes) == 297


def test_icd10cm_hierarchy():
    system = icd10cm()
    assert system.ancestors("E11.65") == ("E11.6", "E11", "E08-E13", "4")
    assert system.ancestors("S52.501A") == ("S52.501", "S52.50", "S52.5", "S52", "S50-S59", "19")
    assert system.level("4") == 0
    assert system.level("E11.65") == 4
    assert system.parent("4") is None
    assert system.children("A00") == ("A00.0", "A00.1", "A00.9")
    assert system.descendants("A00") == ("A00.0", "A00.1", "A00.9")
    assert system.title("I25.9") == "Chronic ischemic heart disease, unspecified"
    assert "Ischemic heart disease (chronic) NOS" in system.inclusion_terms("I25.9")
    assert system.inclusion_terms("E11.65") == ()
    assert "S52.501A" in system.leaves
    assert "S52.501" not in system.leaves


def test_block_of_one_category_is_a_node_of_its_own():
    assert icd10cm().ancestors("C7A.0") == ("C7A", "C7A-C7A", "2")
    assert icd10cm().children("C7A-C7A") == ("C7A",)


@pytest.mark.parametrize("system", [icd10cm, icd9cm])
def test_parents_stand_before_children(system):
    system, seen = system(), set()
    for code in system.codes:
        parent = system.parent(code)
        assert parent is None or parent in seen
        seen.add(code)


def test_icd9cm_hierarchy_and_derived_titles():
    system = icd9cm()
    assert len(system.leaves) == 14_567
    assert system.ancestors("250.01") == ("250.0", "250", "240-279")
    assert system.ancestors("E849.7") == ("E849", "E000-E999")
    assert system.ancestors("V10.46") == ("V10.4", "V10", "V01-V91")
    assert system.title("428") == "Heart failure"
    assert system.title("780.6") == "Fever"
    assert system.title("596.8") == "Disorders of bladder"
    assert system.title("250.0") == "Diabetes mellitus without mention of complication"
    assert system.title("787.0") == "Nausea with vomiting; Nausea alone; Vomiting alone"
    assert all(system.title(code) for code in system.codes)


@pytest.mark.parametrize(("system", "dotted"), [(icd9cm, dotted_icd9), (icd10cm, dotted_icd10)])
def test_every_code_of_a_system_gets_its_dot_back(system, dotted):
    system = system()
    codes = [code for code in system.codes if system.level(code) >= system.category_level]
    assert [dotted(code.replace(".", "")) for code in codes] == codes
    assert [dotted(code) for code in codes] == codes


def test_packaged_mappings():
    table = general_equivalence_mappings()
    assert table.direction.value_counts().to_dict() == {"10to9": 78_838, "9to10": 23_912}
    flags = ["approximate", "no_map", "combination", "scenario", "choice_list"]
    assert list(table) == ["source", "target", "direction", *flags]
    forth = table[table.direction == "9to10"].set_index("source")
    assert forth.loc["001.0", "target"] == "A00.0"
    assert not forth.loc["001.0", "approximate"]
    assert forth.loc["E849.7", "target"] == "Y92.199"
    assert forth.loc["V10.46", "target"] == "Z85.46"
    assert forth.loc["780.60", "target"].tolist() == ["R50.2", "R50.9"]
    assert table.target.isna().equals(table.no_map)
    assert not table.target.str.contains("NoDx", na=False).any()


def test_released_mappings(tmp_path):
    (tmp_path / "2018_I9gem.txt").write_text(
        "0010  A000    00000\nE8497 Y92199  10000\n36570 NoDx    11000\n"
    )
    (tmp_path / "2018_I10gem.txt").write_text("T360X1A 9600 10112\n")
    table = general_equivalence_mappings(tmp_path)
    assert table.source.tolist() == ["001.0", "E849.7", "365.70", "T36.0X1A"]
    assert table.target.tolist()[:2] == ["A00.0", "Y92.199"]
    assert table.target.isna().tolist() == [False, False, True, False]
    columns = ["target", "approximate", "combination", "scenario", "choice_list"]
    assert table.loc[3, columns].tolist() == ["960.0", True, True, 1, 2]


def test_folders_that_hold_no_mappings(tmp_path):
    with pytest.raises(InputError, match="I9gem"):
        general_equivalence_mappings(tmp_path)
    (tmp_path / "a_I9gem.txt").write_text("0010  A000\n")
    with pytest.raises(InputError, match="row 1"):
        general_equivalence_mappings(tmp_path)


def test_mappings_of_2018(real_data):
    table = general_equivalence_mappings(real_data / "gems")
    assert table.direction.value_counts().to_dict() == {"10to9": 81_593, "9to10": 24_860}
