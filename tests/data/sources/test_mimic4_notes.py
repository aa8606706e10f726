"""`read_mimic4_notes` on small files in the layout of PhysioNet."""

import gzip

import pandas as pd
import pytest

from icd_relevancy.data.sources import database, mimic
from icd_relevancy.data.sources.mimic import read_mimic4_notes
from icd_relevancy.errors import InputError

DISCHARGE = """note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text
10-DS-1,10,100,DS,1,2152-03-01 00:00:00,2152-03-02 00:00:00,"Name: ___
Cough, fever."
10-DS-2,10,101,DS,2,2160-01-01 00:00:00,,"He said ""NA""."
11-DS-1,11,110,DS,1,,,Fall.
12-DS-1,12,120,DS,1,2130-01-01 00:00:00,,Not coded.
13-DS-1,13,130,DS,1,2131-01-01 00:00:00,,Burn.
"""
DIAGNOSES = """subject_id,hadm_id,seq_num,icd_code,icd_version
10,100,2,0010,9
10,100,10,V270,9
10,100,1,41401,9
10,100,3,E8497,9
10,101,1,J189,10
10,101,3,I10,10
10,101,2,W19XXXA,10
10,101,4,J189,10
11,110,1,E119,10
13,130,1,042,9
"""
PATIENTS = """subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod
10,F,50,2150,2011 - 2013,
11,M,91,2100,2011 - 2013,
"""


@pytest.fixture
def folder(tmp_path):
    note, hosp = tmp_path / "note" / "2.2", tmp_path / "hosp"
    note.mkdir(parents=True)
    hosp.mkdir()
    (note / "discharge.csv.gz").write_bytes(gzip.compress(DISCHARGE.encode()))
    (note / "discharge_detail.csv").write_text("note_id\n")
    (hosp / "diagnoses_icd.csv").write_text(DIAGNOSES)
    (hosp / "patients.csv").write_text(PATIENTS)
    return tmp_path


def test_numbers_that_pandas_wrote_as_floats(folder):
    whole = read_mimic4_notes(folder)
    numbers = pd.read_csv(folder / "hosp" / "diagnoses_icd.csv", dtype={"icd_code": str})
    numbers.astype(dict.fromkeys(("subject_id", "hadm_id", "icd_version"), float)).to_csv(
        folder / "hosp" / "diagnoses_icd.csv", index=False
    )
    assert ",100.0,2,0010,9.0\n" in (folder / "hosp" / "diagnoses_icd.csv").read_text()
    assert read_mimic4_notes(folder) == whole


def test_admissions_coded_in_icd10(folder):
    notes = read_mimic4_notes(folder)
    assert notes.note_id == ("10-DS-2", "11-DS-1")
    assert notes.text == ('He said "NA".', "Fall.")
    assert notes.codes == (("J18.9", "W19.XXXA", "I10"), ("E11.9",))
    assert notes.patient_id == ("10", "11")
    # Ten years after the anchor year, and an undated note with the anchor age.
    assert notes.age == (60.0, 91.0)
    assert notes.sex == ("female", "male")
    assert notes.source == "mimic4-notes"


def test_admissions_coded_in_icd9(folder):
    notes = read_mimic4_notes(folder, code_system="icd9cm")
    assert notes.text[0] == "Name: ___\nCough, fever."
    assert notes.codes == (("414.01", "001.0", "E849.7", "V27.0"), ("042",))
    assert notes.age == (52.0, None)
    assert notes.sex == ("female", None)


def test_admissions_coded_in_either(folder):
    notes = read_mimic4_notes(folder, code_system=None)
    assert notes.note_id == ("10-DS-1", "10-DS-2", "11-DS-1", "13-DS-1")
    assert notes.code_system == ("icd9cm", "icd10cm", "icd10cm", "icd9cm")
    assert notes.codes[:2] == (("414.01", "001.0", "E849.7", "V27.0"), ("J18.9", "W19.XXXA", "I10"))
    assert notes.patient_id == ("10", "10", "11", "13")
    one, other = read_mimic4_notes(folder), read_mimic4_notes(folder, code_system="icd9cm")
    assert notes.select([1, 2]) == one
    assert notes.select([0, 3]) == other


def test_an_admission_with_codes_of_both(folder):
    diagnoses = folder / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("10,101,3,I10,10", "10,101,3,4019,9"))
    with pytest.raises(
        InputError, match=r"diagnoses_icd\.csv, row 6, column 'icd_version': the admission has"
    ):
        read_mimic4_notes(folder, code_system=None)
    assert read_mimic4_notes(folder).codes[0] == ("J18.9", "W19.XXXA")


def test_chunks_do_not_matter(folder, monkeypatch):
    whole = read_mimic4_notes(folder)
    monkeypatch.setattr(mimic, "_NOTES_A_PART", 2)
    monkeypatch.setattr(database, "ROWS_A_PART", 3)
    assert read_mimic4_notes(folder) == whole
    assert len(read_mimic4_notes(folder, code_system=None)) == 4


def test_without_patients(folder):
    (folder / "hosp" / "patients.csv").unlink()
    notes = read_mimic4_notes(folder)
    assert (notes.age, notes.sex) == (None, None)


def test_missing_files_and_columns(folder):
    diagnoses = folder / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("icd_version", "version"))
    with pytest.raises(InputError, match=r"diagnoses_icd\.csv: no column 'icd_version'"):
        read_mimic4_notes(folder)
    diagnoses.unlink()
    with pytest.raises(
        InputError, match=r"no diagnoses_icd\.csv or diagnoses_icd\.csv\.gz .* MIMIC-IV, module hosp"
    ):
        read_mimic4_notes(folder)
    with pytest.raises(InputError, match=r"no discharge\.csv or discharge\.csv\.gz .* MIMIC-IV-Note"):
        read_mimic4_notes(folder / "hosp")
    with pytest.raises(InputError, match="code_system must be one of icd10cm, icd9cm"):
        read_mimic4_notes(folder, code_system="atc")


def test_two_copies_of_a_table(folder):
    (folder / "old").mkdir()
    (folder / "old" / "diagnoses_icd.csv").write_text(DIAGNOSES)
    with pytest.raises(InputError, match="are both there"):
        read_mimic4_notes(folder)


def test_a_note_without_text(folder):
    (folder / "note" / "2.2" / "discharge.csv.gz").write_bytes(
        gzip.compress(DISCHARGE.replace("Fall.", " ").encode())
    )
    with pytest.raises(InputError, match="note '11-DS-1' has no text"):
        read_mimic4_notes(folder)


def test_no_admission_of_that_system(folder):
    (folder / "hosp" / "diagnoses_icd.csv").write_text(DIAGNOSES.splitlines()[0] + "\n10,100,1,41401,9\n")
    with pytest.raises(InputError, match="no note of an admission with icd10cm codes"):
        read_mimic4_notes(folder)


def test_an_empty_code_and_a_repeated_note(folder):
    diagnoses = folder / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("W19XXXA", " "))
    with pytest.raises(InputError, match=r"diagnoses_icd\.csv, row 7, column 'icd_code': no code"):
        read_mimic4_notes(folder)
    diagnoses.write_text(DIAGNOSES)
    (folder / "note" / "2.2" / "discharge.csv.gz").write_bytes(
        gzip.compress(DISCHARGE.replace("11-DS-1", "10-DS-2").encode())
    )
    with pytest.raises(InputError, match=r"discharge\.csv\.gz: the note_id of note '10-DS-2' occurs more"):
        read_mimic4_notes(folder)


def test_patients_are_found_in_any_case(folder):
    whole = read_mimic4_notes(folder)
    patients = folder / "hosp" / "patients.csv"
    (folder / "hosp" / "PATIENTS.CSV").write_text(PATIENTS.replace("subject_id,gender", "SUBJECT_ID,Gender"))
    if not patients.samefile(folder / "hosp" / "PATIENTS.CSV"):
        patients.unlink()
    notes = read_mimic4_notes(folder)
    assert (notes.age, notes.sex) == (whole.age, whole.sex)


@pytest.mark.parametrize("other", ["patients.csv.gz", "Patients.csv"])
def test_two_tables_of_patients_are_refused(folder, other):
    (folder / "hosp" / other).write_bytes(b"")
    with pytest.raises(InputError, match=r"atients\.csv.* and .*patients\.csv.* are both there"):
        read_mimic4_notes(folder)


def test_whole_numbers_written_as_floats_join(folder):
    diagnoses = [line.split(",") for line in DIAGNOSES.splitlines()]
    rows = [",".join([a, f"{b}.0", c, d, f"{e}.0"]) for a, b, c, d, e in diagnoses[1:]]
    (folder / "hosp" / "diagnoses_icd.csv").write_text("\n".join([",".join(diagnoses[0]), *rows]))
    assert read_mimic4_notes(folder).codes == (("J18.9", "W19.XXXA", "I10"), ("E11.9",))
