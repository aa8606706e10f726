"""One spelling for each code, and notes of two code systems: told apart and joined."""

from dataclasses import replace

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.data import Notes, join_notes, split_by_code_system
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError

SYSTEM = CodeSystem(
    "toy",
    ("R05", "R05.9", "R50", "R50.9", "R50.91"),
    {code: code for code in ("R05", "R05.9", "R50", "R50.9", "R50.91")},
    {"R05": None, "R05.9": "R05", "R50": None, "R50.9": "R50", "R50.91": "R50.9"},
)


NINE, TEN = ("428.0",), ("I50.9",)


def notes(*codes, code_system=None):
    names = tuple(f"n{row}" for row in range(len(codes)))
    texts = ("Mrs Miller coughs.",) * len(codes)
    return Notes(names, texts, codes, patient_id=names, source="w.csv", code_system=code_system)


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


def split(*codes, code_system=None):
    return split_by_code_system(notes(*codes, code_system=code_system), icd9cm(), icd10cm())


def refused(*codes, code_system=None) -> str:
    with pytest.raises(InputError) as caught:
        split(*codes, code_system=code_system)
    message = str(caught.value)
    assert message.startswith("w.csv: ")
    assert "\n" not in message
    assert "Miller" not in message
    return message.removeprefix("w.csv: ")


def test_the_codes_tell_the_system():
    parts = split(("4280", "V10.4"), ("i509", "V10.4"), ("E849.7",), ("E84.9",), ("786.2", "780.6"))
    assert list(parts) == ["icd9cm", "icd10cm"]
    assert parts["icd9cm"].note_id == ("n0", "n2", "n4")
    assert parts["icd9cm"].codes == (("428.0", "V10.4"), ("E849.7",), ("786.2", "780.6"))
    assert parts["icd9cm"].code_system == ("icd9cm",) * 3
    assert parts["icd10cm"].note_id == ("n1", "n3")
    assert parts["icd10cm"].codes == (("I50.9", "V10.4"), ("E84.9",))
    assert parts["icd10cm"].code_system == ("icd10cm",) * 2


def test_a_code_that_only_another_edition_of_one_system_has_is_of_the_other():
    # Without its dot E849.0 could be E84.90 of another edition of ICD-10.
    assert split(("E8490",), TEN)["icd9cm"].codes == (("E849.0",),)
    # The other code of the note is of ICD-10 only, and tells more.
    assert split(("E8490", "I50.9"), NINE)["icd10cm"].codes == (("E84.90", "I50.9"),)


def test_the_column_tells_before_the_codes():
    parts = split(("V10.4",), ("V10.4",), (), ("I10",), code_system=("icd10cm", "icd9cm", "icd9cm", None))
    assert parts["icd9cm"].note_id == ("n1", "n2")
    assert parts["icd9cm"].codes == (("V10.4",), ())
    assert parts["icd10cm"].note_id == ("n0", "n3")


def test_what_cannot_be_told():
    told = "note 'n1' has only codes that icd9cm and icd10cm both know; fill in its code_system"
    assert refused(NINE, ("V10.4",), TEN) == told
    assert refused(NINE, ("V10.4",), TEN, code_system=("icd9cm", None, "icd10cm")) == told
    assert refused(NINE, TEN, ()) == "note 'n2' has no codes to tell its system; fill in its code_system"


def test_a_code_of_neither():
    assert refused(NINE, TEN, ("I50.9", "QQQ")) == (
        "note 'n2' has the code (not shown: it is no code), which is neither of icd9cm and icd10cm; correct it"
    )
    assert "'XX9', which is neither of" in refused(NINE, ("XX9",))


def test_codes_of_both():
    told = "note 'n2' has codes of both icd9cm and icd10cm; leave those of one, or make two notes of it"
    assert refused(NINE, TEN, ("428.0", "I50.9")) == told


def test_the_column_names_another_system():
    message = refused(NINE, TEN, code_system=("icd9cm", "Mrs Miller"))
    assert message == "note 'n1' has a code_system that is neither icd9cm nor icd10cm; correct it"


def test_codes_that_are_not_of_the_system_told():
    assert "1 codes are not icd9cm, first 'I50.9' of note 'n0'" in refused(TEN, code_system=("icd9cm",))


def test_a_system_without_notes():
    assert refused(NINE, NINE) == "no note is coded in icd10cm; add some, or train on icd9cm alone"
    assert refused(TEN) == "no note is coded in icd9cm; add some, or train on icd10cm alone"
    with pytest.raises(InputError, match="two code systems need two names"):
        split_by_code_system(notes(NINE), icd9cm(), icd9cm())


def test_many_notes_are_split():
    n = 20_000
    first, second = icd9cm().leaves[:2000], icd10cm().leaves[:2000]
    random = np.random.default_rng(0).integers(0, 2000, (n, 8)).tolist()
    codes = tuple(tuple((first if row % 2 else second)[i] for i in drawn) for row, drawn in enumerate(random))
    many = Notes(tuple(map(str, range(n))), ("text",) * n, codes)
    parts = split_by_code_system(many, icd9cm(), icd10cm())
    assert [len(part) for part in parts.values()] == [n // 2, n // 2]


def test_parts_joined_are_the_notes_taken_apart():
    whole = notes(NINE, TEN, ("401.9",), code_system=("icd9cm", "icd10cm", "icd9cm"))
    joined = join_notes(split_by_code_system(whole, icd9cm(), icd10cm()))
    assert joined == whole.select([0, 2, 1])


def test_join_makes_identifiers_unique_by_source():
    first = Notes(("1", "2"), ("a", "b"), (NINE, NINE), patient_id=("7", None), source="x")
    second = Notes(("1",), ("c",), (TEN,), sex=("female",), patient_id=("7",))
    joined = join_notes({"icd9cm": first, "icd10cm": second})
    assert joined.note_id == ("x:1", "x:2", "icd10cm:1")
    assert joined.patient_id == ("x:7", None, "icd10cm:7")
    assert joined.groups().tolist() == [0, 1, 2]
    assert joined.sex == (None, None, "female")
    assert joined.specialty is None
    assert joined.code_system == ("icd9cm", "icd9cm", "icd10cm")
    assert (joined.text, joined.codes, joined.source) == (("a", "b", "c"), (NINE, NINE, TEN), "x")


def test_join_of_one_source_keeps_patients_together():
    first = Notes(("1",), ("a",), (NINE,), patient_id=("7",), source="x", code_system=("own",))
    joined = join_notes({"icd9cm": first, "icd10cm": replace(first, note_id=("2",), code_system=None)})
    assert joined.note_id == ("1", "2")
    assert joined.groups().tolist() == [0, 0]
    assert joined.code_system == ("own", "icd10cm")
    with pytest.raises(InputError, match="note_id of note '1' occurs more than once"):
        join_notes({"icd9cm": first, "icd10cm": first})
    with pytest.raises(InputError, match="at least one part"):
        join_notes({})


def test_a_system_may_have_no_notes_where_that_is_allowed():
    notes = Notes(("1",), ("Pneumonia.",), (("J18.9",),))
    parts = split_by_code_system(notes, icd9cm(), icd10cm(), both=False)
    assert [len(part) for part in parts.values()] == [0, 1]
    assert parts["icd10cm"].code_system == ("icd10cm",)


def test_the_systems_that_notes_name_may_be_spelt_otherwise():
    given = Notes("12", ("Cough.", "Follow-up."), (("R05",), ("V10.4",)), code_system=("ICD-10-CM", "9"))
    parts = split_by_code_system(given, icd9cm(), icd10cm())
    assert {name: part.note_id for name, part in parts.items()} == {"icd9cm": ("2",), "icd10cm": ("1",)}
    assert parts["icd9cm"].code_system == ("icd9cm",)
