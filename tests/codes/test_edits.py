import pytest

from icd_relevancy.codes import CodeSystem, code_knowledge, general_equivalence_mappings
from icd_relevancy.codes.edits import read_code_edits
from icd_relevancy.errors import InputError

HEAD = "MCE_Version\tICD_Version\tMCE_Section\tMCE_Subsection\tMCE_Edit_Type\tICD_Code_Type\tICD_Code\tICD_Desc\n"


def edits(path, version, edition, rows):
    lines = (f'{version}\t{edition}\t4\tA\t{edit}\t{kind}\t{code}\tsome "text\n' for edit, kind, code in rows)
    path.write_text(HEAD + "".join(lines), encoding="latin-1")
    return path


@pytest.fixture
def folder(tmp_path):
    edits(
        tmp_path / "a.txt",
        37,
        10,
        [("Male_Only", "D", "J189"), ("Male_Only", "P", "I10"), ("New_Edit", "D", "I10")],
    )
    edits(tmp_path / "b.txt", 33, 10, [("Male_Only", "D", "C52"), ("Female_Only", "D", "J189")])
    edits(tmp_path / "c.txt", 32, 9, [("Adult_Only", "D", "4280")])
    (tmp_path / "exempt.txt").write_text("Order2018\tPOAexemptCode\tDescription\n1\tJ18.9\tx\n")
    (tmp_path / "readme.txt").write_text("nothing of the kind\n")
    return tmp_path


def test_newest_list_of_the_edition(folder):
    assert read_code_edits(folder, 10) == {
        "male_only": {"J189"},
        "present_on_admission_exempt": {"J189"},
    }
    assert read_code_edits(folder, 9) == {"adult_only": {"4280"}}


def test_lists_override_rules(folder):
    known = code_knowledge("icd10cm")
    edited = known.with_code_edits(folder)
    assert edited.table.loc["J18.9", ["male_only", "present_on_admission_exempt"]].all()
    assert not edited.table.loc["C61", "male_only"]
    assert edited.table["female_only"].equals(known.table["female_only"])
    assert not known.table.loc["J18.9", "male_only"]
    # N40 is listed nowhere; a code newer than the mappings keeps what the rule says.
    newer = set(known.code_system.leaves) - set(general_equivalence_mappings().source)
    male = [code for code in newer if known.table.loc[code, "male_only"]]
    assert male
    assert edited.table.loc[male, "male_only"].all()


def test_a_listed_code_stands_for_its_subdivisions(tmp_path):
    path = edits(tmp_path / "a.txt", 37, 10, [("Male_Only", "D", "J45")])
    edited = code_knowledge("icd10cm").with_code_edits(path)
    assert edited.table.loc[["J45", "J45.909"], "male_only"].all()
    assert not edited.table.loc["J40-J4A", "male_only"]


def test_bad_lists(folder, tmp_path):
    known = code_knowledge("icd9cm")
    with pytest.raises(InputError, match="absent: no such file or folder"):
        known.with_code_edits(tmp_path / "absent")
    with pytest.raises(
        InputError, match=r"readme\.txt: no list of the Medicare Code Editor: expected .*MCE_Version"
    ):
        known.with_code_edits(folder / "readme.txt")
    with pytest.raises(InputError, match=r"a\.txt: no diagnoses of ICD-9"):
        known.with_code_edits(folder / "a.txt")
    bad = edits(tmp_path / "bad.txt", "new", 9, [("Male_Only", "D", "4280")])
    with pytest.raises(InputError, match=r"bad\.txt: MCE_Version is 'new'"):
        known.with_code_edits(bad)
    other = CodeSystem("mine", ("A",), {"A": "a"}, {"A": None})
    with pytest.raises(InputError, match="fit icd10cm and icd9cm, not mine"):
        code_knowledge(other).with_code_edits(folder)


def agreement(known, feature, listed, codes):
    """Precision and recall of a rule over the codes that the list's edition and ours share."""
    by_key = {code.replace(".", ""): code for code in known.code_system.leaves}
    shared = [key for key in by_key if key in codes or key in listed]
    ruled = {key for key in shared if known.table.at[by_key[key], feature]}
    right = len(ruled & listed)
    return right / len(ruled), right / len(listed & set(shared))


# The broad list of newborn codes was narrowed after version 33; the others are judged by version 37.
ICD10 = {
    "newborn_only": 33,
    "child_only": 37,
    "maternity_only": 37,
    "adult_only": 37,
    "female_only": 37,
    "male_only": 37,
    "manifestation_only": 37,
    "unacceptable_principal": 37,
    "present_on_admission_exempt": "exempt",
}
# Of the 32 child and 135 adult codes of ICD-9-CM many follow no rule that a title or chapter tells.
ICD9 = {
    "newborn_only": 0.9,
    "child_only": 0.7,
    "maternity_only": 0.9,
    "adult_only": 0.8,
    "female_only": 0.9,
    "male_only": 0.9,
    "manifestation_only": 0.9,
    "unacceptable_principal": 0.9,
}


def check(known, feature, listed, codes, least):
    precision, recall = agreement(known, feature, listed, codes)
    print(f"{known.code_system.name} {feature}: precision {precision:.3f}, recall {recall:.3f}")
    assert 2 * precision * recall / (precision + recall) >= least


@pytest.fixture(scope="module")
def lists(real_data):
    """The lists of each version, and the codes that each version's edition of ICD certainly had."""
    mappings = general_equivalence_mappings(real_data / "gems")
    codes = frozenset(mappings.source[mappings.direction == "10to9"].str.replace(".", ""))
    folder = real_data / "mce"
    found = {"exempt": (read_code_edits(folder / "POAexemptCodes2018.txt", 10), codes)}
    for version in (33, 37):
        listed = read_code_edits(folder / f"MCE_Simple_Code_Edits_v{version}.txt", 10)
        found[version] = listed, codes.union(*listed.values())
    return found


@pytest.mark.parametrize("feature", ICD10)
def test_rules_agree_with_medicare_icd10(lists, feature):
    listed, codes = lists[ICD10[feature]]
    check(code_knowledge("icd10cm"), feature, listed[feature], codes, 0.9)


@pytest.mark.parametrize("feature", ICD9)
def test_rules_agree_with_medicare_icd9(real_data, feature):
    listed = read_code_edits(real_data / "mce" / "MCE_Simple_Code_Edits_v32.txt", 9)[feature]
    known = code_knowledge("icd9cm")
    codes = {code.replace(".", "") for code in known.code_system.leaves}
    check(known, feature, listed, codes, ICD9[feature])
