"""A code system: its nodes, and what stands for a code that is written otherwise."""

import pytest

from icd_relevancy.codes import CodeSystem, code_system_name, icd9cm, icd10cm
from icd_relevancy.errors import InputError


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("J18.9", "J18.9"),
        ("j189", "J18.9"),
        ("A41.9 ", "A41.9"),
        (" A 41.9", "A41.9"),
        ("A.41.9", "A41.9"),
        ("E11.65.", "E11.65"),
        ("n44.8x", "N44.8"),
        ("i10.x", "I10"),
        ("s52501a", "S52.501A"),
        ("T36.0X", "T36.0X"),  # here the x is part of the code
        ("R10.4", "R10"),  # ICD-10, subdivided otherwise in ICD-10-CM
        ("Z48.9", "Z48"),
        ("E11.659", "E11.65"),
        ("J1.89", None),
        ("4280", None),  # must not fall back to chapter 4
        ("zzz", None),
        ("...", None),
        ("", None),
        # What another edition adds is dropped, and nothing else.
        ("J18.99", "J18.9"),
        ("M17.129", "M17.12"),
        ("R10.4XXA", "R10"),
        ("S03.0XXA", "S03.0"),  # as ICD-10-CM had it until 2016
        ("J18garbage", None),
        ("J18am", None),
        ("J18.9;I10", None),
        ("J18.9-", None),
        ("R69999", None),
        ("M17.1299Q", None),
        ("S52.501A9", None),  # longer than any code
        ("J18.\u0669", None),
        # Codes as others write them.
        ("J44.-", "J44"),
        ("j44.\u2013", "J44"),
        ("J44-", "J44"),
        ("E11.2-", "E11.2"),
        ("J18.9-J20", None),
        ("G63*", "G63"),
        ("E11.4+", "E11.4"),
        ("E11.4 \u2020", "E11.4"),
        ("E11.65 !", "E11.65"),
        ("ICD10:E11.9", "E11.9"),
        ("ICD-10-CM: e11.9", "E11.9"),
        ("icd 10 : E119", "E11.9"),
        ("ICD9:V10.4", None),  # a code of both systems, with different meanings
        ("ICD-9-CM\uff1aV10.4", None),
        ("ICD-10-GM:E11.9", None),
        ("E11\u00a0.9", "E11.9"),
        ("\u200bE11.9\ufeff", "E11.9"),
        ("\uff25\uff11\uff11\uff0e\uff19", "E11.9"),
        ("-", None),
        ("*+", None),
    ],
)
def test_normalise_icd10cm(text, code):
    assert icd10cm().normalise(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4280", "428.0"),
        ("428.0", "428.0"),
        ("E8497", "E849.7"),
        ("e849.7", "E849.7"),
        ("V1046", "V10.46"),
        ("042", "042"),
        ("0010", "001.0"),
        ("780.6", "780.6"),  # valid in 2007, later subdivided
        ("599.7", "599.7"),
        ("795.5", "795.5"),
        ("5968", "596.8"),
        ("428.99", "428.9"),
        ("38.9", None),  # a procedure, or 038.9 read as a number: not 389
        ("E84.9", None),  # ICD-10: not E849
        ("42", None),
    ],
)
def test_normalise_icd9cm(text, code):
    assert icd9cm().normalise(text) == code


def test_normalise_all_reports():
    codes, report = icd10cm().normalise_all(["J18.9", "j189", "j189", "Z48.9", "garbage", "J18.9"])
    assert codes == ["J18.9", "J18.9", "J18.9", "Z48", None, "J18.9"]
    assert (report.exact, report.reformatted, report.to_ancestor, report.unknown) == (2, 2, 1, 1)
    assert report.changed == (("j189", "J18.9"), ("Z48.9", "Z48"))
    assert report.ancestor_codes == (("Z48.9", "Z48"),)
    assert report.unknown_codes == ("garbage",)


def test_normalise_all_refuses_numbers():
    with pytest.raises(InputError, match=r"code 2 is 38\.9 \(float\)"):
        icd9cm().normalise_all(["428.0", 38.9])


def test_unknown_code_is_named():
    with pytest.raises(InputError, match=r"'428\.0' is not a code of icd10cm"):
        icd10cm().title("428.0")


def test_undotted_system_takes_dotted_text():
    system = CodeSystem("plain", ("J18", "J189"), {"J18": "a", "J189": "b"}, {"J18": None, "J189": "J18"})
    assert system.normalise("j18.9") == "J189"


def test_real_labels_are_found(real_data):
    texts = set()
    for split in ("train", "dev"):
        lines = (real_data / "codiesp" / split / f"{split}D.tsv").read_text(encoding="utf-8").splitlines()
        texts.update(line.split("\t")[1] for line in lines)
    _, report = icd10cm().normalise_all(sorted(texts))
    assert report.unknown / len(texts) < 0.01


@pytest.mark.parametrize("value", [None, 4280, float("nan"), ["Miller"]])
def test_normalise_refuses_what_is_not_text(value):
    with pytest.raises(InputError, match="not text: read the codes as text") as caught:
        icd9cm().normalise(value)
    assert "Miller" not in str(caught.value)


def test_chapters_and_blocks_unless_refused():
    texts = ["4", "J09-J18", "J18", "J18.9"]
    assert icd10cm().normalise_all(texts)[0] == texts
    codes, report = icd10cm().normalise_all(texts, groups=False)
    assert codes == [None, None, "J18", "J18.9"]
    assert report.unknown_codes == ("4", "J09-J18")


def test_a_table_without_levels_has_codes_only():
    system = CodeSystem("flat", ("1", "2"), {"1": "a", "2": "b"}, {"1": None, "2": None})
    assert system.normalise_all(["1", "2"], groups=False)[0] == ["1", "2"]


def test_parents_in_a_circle_are_refused():
    parents = {"J18": "J18.9", "J18.9": "J18", "R05": None}
    with pytest.raises(
        InputError, match=r"toy: the parents lead .* circle, 'J18' -> 'J18.9' -> 'J18'; correct"
    ):
        CodeSystem("toy", ("R05", "J18", "J18.9"), dict.fromkeys(parents, "a"), parents)
    with pytest.raises(InputError, match=r"'R05' -> 'R05'"):
        CodeSystem("toy", ("R05",), {"R05": "Cough"}, {"R05": "R05"})
    with pytest.raises(InputError, match="toy: 'J' is no code of it, but the parent of one"):
        CodeSystem("toy", ("R05",), {"R05": "Cough"}, {"R05": "J"})


def test_a_deep_chain_is_no_circle():
    codes = tuple(f"A{number}" for number in range(5000))
    system = CodeSystem(
        "deep", codes, dict.fromkeys(codes, "a"), dict(zip(codes, (None, *codes), strict=False))
    )
    assert system.level("A4999") == 4999


def test_what_stands_around_a_code_is_reported():
    codes, report = icd10cm().normalise_all(["E11.4+", "ICD10:E11.9", "G63.2*"])
    assert codes == ["E11.4", "E11.9", "G63"]
    assert report.reformatted_codes == (("E11.4+", "E11.4"), ("ICD10:E11.9", "E11.9"))
    assert report.ancestor_codes == (("G63.2*", "G63"),)


def test_a_table_of_ones_own_takes_codes_of_any_edition():
    system = CodeSystem("mine", ("E11",), {"E11": "a"}, {"E11": None})
    assert system.normalise("ICD-10-AM: E11") == "E11"


def test_a_long_text_is_no_code_and_takes_no_time():
    assert icd10cm().normalise("J18.9" + " " * 200_000 + "-" * 200_000 + "x") is None


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        *[
            (name, "icd10cm")
            for name in ("icd10cm", "ICD-10-CM", "icd 10 cm", "ICD_10", "icd10", " 10 ", 10, 10.0)
        ],
        *[(name, "icd9cm") for name in ("ICD9CM", "icd-9", "9", "09", "9.0", 9)],
        *[(name, name) for name in ("icd10gm", "ICD-10-PCS", "icd11", "100", "90", "a/icd10.csv", "")],
    ],
)
def test_the_name_of_a_code_system_however_it_is_spelt(spelt, name):
    assert code_system_name(spelt) == name
