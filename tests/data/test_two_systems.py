"""Notes of two code systems: told apart, joined, and made by translation."""

from dataclasses import replace

import numpy as np
import pytest

from icd_relevancy.codes import icd9cm, icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.data.code_systems import join_notes, split_by_code_system
from icd_relevancy.errors import InputError

NINE, TEN = ("428.0",), ("I50.9",)


def notes(*codes, code_system=None):
    names = tuple(f"n{row}" for row in range(len(codes)))
    return Notes(names, ("Mrs Miller coughs.",) * len(codes), codes, source="w.csv", code_system=code_system)


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
