from dataclasses import replace

import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError

SYSTEM = CodeSystem(
    "toy",
    ("R05", "R05.9", "R50", "R50.9", "R50.91"),
    {code: code for code in ("R05", "R05.9", "R50", "R50.9", "R50.91")},
    {"R05": None, "R05.9": "R05", "R50": None, "R50.9": "R50", "R50.91": "R50.9"},
)


def notes(*codes):
    names = tuple(f"n{row}" for row in range(len(codes)))
    return Notes(names, ("Mrs Miller coughs.",) * len(codes), codes, patient_id=names, source="ward.csv")


def test_one_spelling_each_and_order_kept():
    fixed, report = with_canonical_codes(notes(("r059", "R50.9"), ("R05.9",), ()), SYSTEM)
    assert fixed.codes == (("R05.9", "R50.9"), ("R05.9",), ())
    assert fixed.label_names() == ("R05.9", "R50.9")
    assert fixed.patient_id == ("n0", "n1", "n2")
    assert (report.exact, report.reformatted) == (2, 1)


def test_spellings_of_one_code_in_a_note_become_one():
    fixed, _ = with_canonical_codes(notes(("r059", "R05.9", "R059")), SYSTEM)
    assert fixed.codes == (("R05.9",),)


def test_the_codes_of_mentions_are_spelled_alike():
    given = replace(notes(("r059",), ()), mentions=((("r059", "cough"), ("r50.91", "fever")), None))
    fixed, _ = with_canonical_codes(given, SYSTEM)
    assert fixed.mentions == ((("R05.9", "cough"), ("R50.91", "fever")), None)
    with pytest.raises(InputError, match="1 codes are not toy, first 'Z99' of note 'n1'"):
        with_canonical_codes(replace(given, mentions=(None, (("Z99", "cough"),))), SYSTEM)


def test_a_code_of_another_edition_stays_a_label_of_its_own():
    fixed, report = with_canonical_codes(
        notes(
            ("r05.12", "R05"),
        ),
        SYSTEM,
    )
    assert fixed.codes == (("R05.12", "R05"),)
    assert report.ancestor_codes == (("r05.12", "R05"),)


def test_spellings_of_a_code_of_another_edition_become_one():
    fixed, _ = with_canonical_codes(notes(("r05.12",), ("R0512",), ("R05.12",)), SYSTEM)
    assert fixed.label_names() == ("R05.12",)


def test_unknown_codes_are_named_without_the_text():
    with pytest.raises(
        InputError,
        match=r"2 codes are not toy, first 'Q99' of note 'n1', \(not shown: it is no code\) of note 'n2'",
    ) as caught:
        with_canonical_codes(notes(("R05",), ("R50", "Q99"), ("XX",)), SYSTEM)
    assert "Miller" not in str(caught.value)


def test_words_in_place_of_codes_are_not_quoted():
    with pytest.raises(InputError, match=r"first \(not shown: it is no code\) of note 'n1'") as caught:
        with_canonical_codes(notes(("R05",), ("Miller",)), SYSTEM)
    assert "Miller" not in str(caught.value)


@pytest.mark.parametrize("code", ["4", "22", "J09-J18", "j09-j18"])
def test_chapters_and_blocks_are_no_codes_of_notes(code):
    with pytest.raises(InputError, match="1 codes are not icd10cm"):
        with_canonical_codes(notes(("J18", code)), icd10cm())


def test_categories_are_codes_of_notes():
    assert with_canonical_codes(notes(("J18", "c7a")), icd10cm())[0].codes == (("J18", "C7A"),)
    assert with_canonical_codes(notes(("428", "e849")), icd9cm())[0].codes == (("428", "E849"),)
    with pytest.raises(InputError, match="1 codes are not icd9cm"):
        with_canonical_codes(notes(("390-459",)), icd9cm())


def test_a_note_that_names_another_system_is_refused():
    """V10.4 is a history of cancer in ICD-9-CM, and a cyclist's accident in ICD-10-CM."""
    notes = Notes(("1", "2"), ("Cough.", "Follow-up."), (("R05",), ("V10.4",)), code_system=(None, "icd9cm"))
    with pytest.raises(InputError, match="note '2' has another code_system than icd10cm"):
        with_canonical_codes(notes, icd10cm())
    assert with_canonical_codes(notes.select([1]), icd9cm())[0].codes == (("V10.4",),)


def test_twenty_unknown_codes_are_named_and_the_others_counted():
    with pytest.raises(
        InputError, match=r"25 codes are not toy, .*'Q19' of note 'n19' and 5 more; correct"
    ) as caught:
        with_canonical_codes(notes(*((f"Q{number:02}",) for number in range(25))), SYSTEM)
    assert "Q20" not in str(caught.value)


def test_a_code_of_another_edition_is_a_label_without_what_stands_around_it():
    fixed, report = with_canonical_codes(notes(("ICD-10-CM: r05.12+",), ("R05.12",)), SYSTEM)
    assert fixed.label_names() == ("R05.12",)
    assert report.to_ancestor == 2


@pytest.mark.parametrize("spelt", ["ICD-10-CM", "icd10", "10"])
def test_the_system_that_a_note_names_may_be_spelt_otherwise(spelt):
    given = Notes(("1",), ("Cough.",), (("R05",),), code_system=(spelt,))
    assert with_canonical_codes(given, icd10cm())[0].codes == (("R05",),)
    with pytest.raises(InputError, match="note '1' has another code_system than icd9cm"):
        with_canonical_codes(given, icd9cm())
