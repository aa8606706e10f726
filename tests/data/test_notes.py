"""`Notes`: construction, selection, groups, writing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.data.notes import Notes, read_notes
from icd_relevancy.errors import InputError
from icd_relevancy.files.tables import table_format


@pytest.fixture
def notes() -> Notes:
    return Notes(
        note_id=("n1", "n2", "n3", "n4"),
        text=('Cough, 38 °C.\nNo "wheeze".', "Fever;\tchills", "NA", 'Cough, 38 °C.\r\nno "WHEEZE". '),
        codes=(("R05", "R50.9"), (), ("001.0",), ("R05",)),
        patient_id=("0012", None, "7", "8"),
        specialty=("Paediatrics", None, "Radiology", "Radiology"),
        age=(0.5, None, 61.0, 130.0),
        sex=("female", "male", None, "unknown"),
        source="here",
        code_system=("icd10cm", None, "icd9cm", "icd10cm"),
    )


def test_len_and_repr_keep_the_text_private(notes):
    assert len(notes) == 4
    assert repr(notes) == "Notes(4 notes, source='here')"


def test_sequences_become_tuples():
    notes = Notes(["1"], ["Cough."], [["R05"]], age=[3.0])
    assert (notes.note_id, notes.text, notes.codes, notes.age) == (("1",), ("Cough.",), (("R05",),), (3.0,))


def test_unequal_lengths():
    with pytest.raises(InputError, match="note_id 2, text 1, codes 2, age 2"):
        Notes(("1", "2"), ("Cough.",), ((), ()), age=(1.0, 2.0))


def test_repeated_note_id():
    with pytest.raises(InputError, match="note_id of note 'b' occurs more than once"):
        Notes(("a", "b", "b"), ("x", "y", "z"), ((), (), ()))


def test_codes_of_a_note_as_one_string():
    with pytest.raises(InputError, match="tuple of codes"):
        Notes(("a",), ("x",), ("R05",))


def test_select_by_position_and_by_mask(notes):
    picked = notes.select([2, 0])
    assert picked.note_id == ("n3", "n1")
    assert picked.codes == (("001.0",), ("R05", "R50.9"))
    assert picked.patient_id == ("7", "0012")
    assert picked.source == "here"
    assert picked.code_system == ("icd9cm", "icd10cm")
    assert notes.select(np.array([True, False, False, True])).age == (0.5, 130.0)
    assert len(notes.select([])) == 0


def test_select_keeps_unknown_columns_unknown():
    assert Notes(("1",), ("x",), ((),)).select([0]).sex is None


def test_label_names_count_notes_not_mentions():
    notes = Notes("abc", "xyz", (("R05", "R05"), ("A01.0", "R05"), ()))
    assert notes.label_names() == ("A01.0", "R05")
    assert notes.label_names(min_count=2) == ("R05",)
    assert notes.label_names(min_count=3) == ()


def test_groups_join_patients_and_repeated_texts():
    # a-b share a text, b-c a patient, e-f a text; d has a patient nobody shares, g and h have none.
    texts = ("Cough", " cough\n", "two", "three", "four", "FOUR", "five", "six")
    notes = Notes("abcdefgh", texts, ((),) * 8, patient_id=("p", "q", "q", "r", None, "s", None, None))
    assert notes.groups().tolist() == [0, 0, 0, 1, 2, 2, 3, 4]


def test_groups_without_patients(notes):
    assert Notes(notes.note_id, notes.text, notes.codes).groups().tolist() == [0, 1, 2, 0]


def test_groups_of_no_notes():
    assert Notes((), (), ()).groups().tolist() == []


def test_groups_agree_with_a_naive_union():
    random = np.random.default_rng(0)
    texts = tuple(f"text {i}" for i in random.integers(0, 150, 200))
    patients = tuple(str(i) for i in random.integers(0, 150, 200))
    notes = Notes(tuple(map(str, range(200))), texts, ((),) * 200, patient_id=patients)
    naive = list(range(200))
    for a in range(200):
        for b in range(a):
            if texts[a] == texts[b] or patients[a] == patients[b]:
                old, new = naive[a], naive[b]
                naive = [new if group == old else group for group in naive]
    assert notes.groups().tolist() == pd.factorize(np.array(naive))[0].tolist()


def test_to_frame(notes):
    frame = notes.to_frame()
    assert frame.columns.tolist() == [
        *("note_id", "text", "codes", "patient_id", "specialty", "age", "sex", "code_system")
    ]
    assert frame["codes"].tolist() == list(notes.codes)
    assert frame["age"].isna().tolist() == [False, True, False, False]
    assert Notes(("1",), ("x",), ((),)).to_frame().columns.tolist() == ["note_id", "text", "codes"]


@pytest.mark.parametrize(
    "name", ["n.csv", "n.csv.gz", "n.tsv", "n.parquet", "n.jsonl", "n.JSON", "n.jsonl.gz"]
)
def test_written_notes_read_back_equal(notes, tmp_path, name):
    notes.write(tmp_path / name)
    read = read_notes(tmp_path / name)
    for column in ("note_id", "text", "codes", "patient_id", "specialty", "age", "sex", "code_system"):
        assert getattr(read, column) == getattr(notes, column), column
    assert read.source == name
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["n.parquet", "n.jsonl", "n.json.gz"])
def test_mentions_read_back_equal(notes, tmp_path, name):
    mentions = ((("R05", "Cough"), ("R50.9", "38 °C")), (), None, (("R05", "cough"),))
    replace(notes, mentions=mentions).write(tmp_path / name)
    assert read_notes(tmp_path / name).mentions == mentions
    assert read_notes(tmp_path / name, require_codes=False).mentions is None
    assert notes.select([1]).mentions is None
    assert replace(notes, mentions=mentions).select([2, 0]).mentions == (None, mentions[0])


def test_csv_leaves_the_mentions_out(notes, tmp_path):
    replace(notes, mentions=((("R05", "Cough"),), None, None, None)).write(tmp_path / "n.csv")
    assert read_notes(tmp_path / "n.csv").mentions is None
    assert read_notes(tmp_path / "n.csv").codes == notes.codes


@pytest.mark.parametrize("name", ["n.csv", "n.parquet", "n.jsonl"])
def test_columns_that_are_not_known_stay_away(tmp_path, name):
    Notes(("1",), ("x",), ((),)).write(tmp_path / name)
    read = read_notes(tmp_path / name)
    assert (read.patient_id, read.specialty, read.age, read.sex) == (None, None, None, None)
    assert read.code_system is None


def test_write_to_an_unknown_suffix(notes, tmp_path):
    with pytest.raises(InputError, match=r"must end in one of \.csv"):
        notes.write(tmp_path / "notes.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_table_format():
    assert [table_format(f"a.{end}") for end in ("CSV", "tsv.gz", "parquet", "json")] == [
        "csv",
        "tsv",
        "parquet",
        "jsonl",
    ]
    with pytest.raises(InputError, match=r"notes\.parquet\.gz"):
        table_format("notes.parquet.gz")
