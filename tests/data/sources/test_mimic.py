"""Readers of MIMIC on small files in the layout of PhysioNet, and on the demo."""

import gzip

import pandas as pd
import pytest

from icd_relevancy.codes import code_system as named_code_system
from icd_relevancy.data import load_stays, read_mimic3, read_mimic4_hosp, read_mimic4_notes, roll_up
from icd_relevancy.data.sources import database, mimic
from icd_relevancy.errors import InputError

MIMIC4 = {
    "admissions": """subject_id,hadm_id,admittime
1,100,2150-03-01 10:00:00
1,101,2155-01-01 00:00:00
2,102,2120-12-31 23:00:00
3,103,
""",
    "patients": """subject_id,gender,anchor_age,anchor_year
1,F,50,2150
2,M,91,2120
""",
    "diagnoses_icd": """subject_id,hadm_id,seq_num,icd_code,icd_version
1,100,2,4280,9
1,100,1,E8497,9
1,100,10,V270,9
1,100,3,4280,9
1,101,2,I10,10
1,101,1,W19XXXA,10
2,102,1,e119,10
3,103,1,0389,9
""",
    "prescriptions": """subject_id,hadm_id,drug_type,drug
1,100,MAIN,Heparin
1,100,BASE,Dextrose
1,100,MAIN,Furosemide
1,100,MAIN,Heparin
2,102,MAIN,NA
2,102,MAIN,
2,,MAIN,Aspirin
""",
    "services": """subject_id,hadm_id,transfertime,prev_service,curr_service
1,100,2150-03-02 10:00:00,CMED,SURG
1,100,2150-03-01 10:00:00,,CMED
""",
}
MIMIC3 = {
    "ADMISSIONS": """ROW_ID,SUBJECT_ID,HADM_ID,ADMITTIME
1,1,100,2150-03-01 10:00:00
2,2,101,2120-01-01 00:00:00
3,3,102,2101-06-01 00:00:00
4,4,103,2101-06-01 00:00:00
""",
    "PATIENTS": """ROW_ID,SUBJECT_ID,GENDER,DOB
1,1,F,2100-03-02 00:00:00
2,2,M,1820-01-01 00:00:00
3,3,M,2101-06-01 00:00:00
""",
    "DIAGNOSES_ICD": """ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE
1,1,100,2,4280
2,1,100,1,0389
3,1,100,,
4,2,101,1,V3001
5,3,102,1,40301
6,4,103,,
""",
    "PRESCRIPTIONS": """ROW_ID,SUBJECT_ID,HADM_ID,DRUG_TYPE,DRUG
1,1,100,MAIN,Insulin
2,1,100,ADDITIVE,KCl
3,2,101,MAIN,Vitamin K;  1 mg
""",
}
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
def mimic4(tmp_path):
    return written(tmp_path, MIMIC4)


@pytest.fixture
def mimic3(tmp_path):
    return written(tmp_path, MIMIC3)


def written(folder, tables):
    for number, (table, text) in enumerate(tables.items()):
        if number % 2:
            (folder / f"{table}.csv").write_text(text)
        else:
            (folder / "gz").mkdir(exist_ok=True)
            (folder / "gz" / f"{table}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_admissions_coded_in_icd9(mimic4):
    stays = read_mimic4_hosp(mimic4, code_system="icd9cm")
    assert stays.stay_id == ("100", "103")
    assert stays.codes == (("E849.7", "428.0", "V27.0"), ("038.9",))
    assert stays.drugs == (("Heparin", "Furosemide"), ())
    assert stays.age == (50.0, None)
    assert stays.sex == ("female", None)
    assert stays.patient_id == ("1", "3")
    assert stays.ward == ("CMED", None)
    assert stays.source == "mimic4"


def test_admissions_coded_in_icd10(mimic4):
    stays = read_mimic4_hosp(mimic4)
    assert stays.stay_id == ("101", "102")
    assert stays.codes == (("W19.XXXA", "I10"), ("E11.9",))
    # "NA" is sodium; the age is that in the year of admission.
    assert stays.drugs == ((), ("NA",))
    assert stays.age == (55.0, 91.0)


def test_admissions_that_are_yet_to_be_coded(mimic4):
    stays = load_stays(f"mimic4:{mimic4}", require_codes=False)
    assert stays.stay_id == ("100", "101", "102", "103")
    assert stays.codes == ((), ("W19.XXXA", "I10"), ("E11.9",), ())
    assert stays.drugs[0] == ("Heparin", "Furosemide")


def test_parts_do_not_matter(mimic4, monkeypatch):
    whole = read_mimic4_hosp(mimic4, "icd9cm")
    monkeypatch.setattr(database, "ROWS_A_PART", 2)
    assert read_mimic4_hosp(mimic4, "icd9cm") == whole


def test_without_services(mimic4):
    (mimic4 / "gz" / "services.csv.gz").unlink()
    assert read_mimic4_hosp(mimic4).ward is None


def test_mimic3(mimic3):
    stays = read_mimic3(mimic3)
    assert stays.stay_id == ("100", "101", "102")
    # Rows without a code are left out, and so are admissions without any.
    assert stays.codes == (("038.9", "428.0"), ("V30.01",), ("403.01",))
    # The day before the birthday; a birth moved 300 years back; a newborn.
    assert stays.age == (49.0, 90.0, 0.0)
    assert stays.sex == ("female", "male", "male")
    assert stays.drugs == (("Insulin",), ("Vitamin K, 1 mg",), ())
    assert (stays.ward, stays.source) == (None, "mimic3")


def test_mimic3_admissions_that_are_yet_to_be_coded(mimic3):
    stays = load_stays(f"mimic3:{mimic3}", "icd9cm", require_codes=False)
    assert stays.stay_id == ("100", "101", "102", "103")
    assert stays.codes[3] == ()


def test_mimic3_in_lower_case(tmp_path):
    for table, text in MIMIC3.items():
        (tmp_path / f"{table.lower()}.csv").write_text(text.lower().replace("main", "MAIN"))
    stays = read_mimic3(tmp_path)
    assert stays.codes[1] == ("V30.01",)
    assert stays.drugs[0] == ("insulin",)


def test_bad_folders(mimic4):
    with pytest.raises(InputError, match="code_system must be one of"):
        read_mimic4_hosp(mimic4, "icd10")
    (mimic4 / "gz" / "other").mkdir()
    (mimic4 / "gz" / "other" / "diagnoses_icd.csv").write_text("hadm_id,seq_num,icd9_code\n1,1,4280\n")
    with pytest.raises(InputError, match=r"no admissions.csv or .* it is part of MIMIC-III"):
        read_mimic3(mimic4 / "gz" / "other")
    with pytest.raises(InputError, match=r"diagnoses_icd.csv.* are both there; give a folder that holds one"):
        read_mimic4_hosp(mimic4)
    (mimic4 / "gz" / "other" / "diagnoses_icd.csv").unlink()
    (mimic4 / "prescriptions.csv").write_text("hadm_id,drug\n")
    with pytest.raises(InputError, match=r"prescriptions.csv: no column 'drug_type'"):
        read_mimic4_hosp(mimic4)


def test_a_repeated_admission(mimic4):
    text = MIMIC4["admissions"].replace("1,101,", "1,100,")
    (mimic4 / "gz" / "admissions.csv.gz").write_bytes(gzip.compress(text.encode()))
    with pytest.raises(
        InputError, match=r"admissions.csv.gz, row 2, column 'hadm_id': admission '100' occurs more than once"
    ):
        read_mimic4_hosp(mimic4)


def test_no_admission_of_that_system(mimic4):
    rows = "hadm_id,seq_num,icd_code,icd_version\n100,1,4280,9\n"
    (mimic4 / "gz" / "diagnoses_icd.csv.gz").write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(InputError, match="no admission has icd10cm codes"):
        read_mimic4_hosp(mimic4)


@pytest.mark.parametrize(("code_system", "stays", "codes"), [("icd9cm", 152, 740), ("icd10cm", 123, 734)])
def test_the_demo(real_data, code_system, stays, codes):
    demo = load_stays(f"mimic4:{real_data / 'mimic4_demo'}", code_system)
    assert (len(demo), len(demo.label_names())) == (stays, codes)
    assert all(demo.codes)
    assert None not in demo.age
    assert set(demo.sex) == {"female", "male"}
    rolled = roll_up(demo.codes, named_code_system(code_system))
    assert rolled.labels.shape[0] == stays
    # A parent is carried wherever its child is.
    child, parent = (rolled.parent >= 0).nonzero()[0], rolled.parent[rolled.parent >= 0]
    assert (rolled.labels[:, parent] < rolled.labels[:, child]).nnz == 0


@pytest.mark.parametrize(("read", "kind"), [(read_mimic4_hosp, "mimic4"), (read_mimic4_notes, "discharge")])
def test_numbers_that_pandas_wrote_as_floats(read, kind, request):
    folder = request.getfixturevalue(kind)
    whole = {system: read(folder, system) for system in ("icd9cm", "icd10cm")}
    file = next(folder.rglob("diagnoses_icd.csv*"))
    table = pd.read_csv(file, dtype={"icd_code": str})
    table.astype(dict.fromkeys(("subject_id", "hadm_id", "icd_version"), float)).to_csv(file, index=False)
    assert ",9.0" in pd.read_csv(file, dtype=str).to_csv()
    for system, rows in whole.items():
        assert read(folder, system) == rows


@pytest.fixture
def discharge(tmp_path):
    note, hosp = tmp_path / "note" / "2.2", tmp_path / "hosp"
    note.mkdir(parents=True)
    hosp.mkdir()
    (note / "discharge.csv.gz").write_bytes(gzip.compress(DISCHARGE.encode()))
    (note / "discharge_detail.csv").write_text("note_id\n")
    (hosp / "diagnoses_icd.csv").write_text(DIAGNOSES)
    (hosp / "patients.csv").write_text(PATIENTS)
    return tmp_path


def test_notes_of_admissions_coded_in_icd10(discharge):
    notes = read_mimic4_notes(discharge)
    assert notes.note_id == ("10-DS-2", "11-DS-1")
    assert notes.text == ('He said "NA".', "Fall.")
    assert notes.codes == (("J18.9", "W19.XXXA", "I10"), ("E11.9",))
    assert notes.patient_id == ("10", "11")
    # Ten years after the anchor year, and an undated note with the anchor age.
    assert notes.age == (60.0, 91.0)
    assert notes.sex == ("female", "male")
    assert notes.source == "mimic4-notes"


def test_notes_of_admissions_coded_in_icd9(discharge):
    notes = read_mimic4_notes(discharge, code_system="icd9cm")
    assert notes.text[0] == "Name: ___\nCough, fever."
    assert notes.codes == (("414.01", "001.0", "E849.7", "V27.0"), ("042",))
    assert notes.age == (52.0, None)
    assert notes.sex == ("female", None)


def test_notes_of_admissions_coded_in_either(discharge):
    notes = read_mimic4_notes(discharge, code_system=None)
    assert notes.note_id == ("10-DS-1", "10-DS-2", "11-DS-1", "13-DS-1")
    assert notes.code_system == ("icd9cm", "icd10cm", "icd10cm", "icd9cm")
    assert notes.codes[:2] == (("414.01", "001.0", "E849.7", "V27.0"), ("J18.9", "W19.XXXA", "I10"))
    assert notes.patient_id == ("10", "10", "11", "13")
    one, other = read_mimic4_notes(discharge), read_mimic4_notes(discharge, code_system="icd9cm")
    assert notes.select([1, 2]) == one
    assert notes.select([0, 3]) == other


def test_a_note_of_an_admission_with_codes_of_both(discharge):
    diagnoses = discharge / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("10,101,3,I10,10", "10,101,3,4019,9"))
    with pytest.raises(
        InputError, match=r"diagnoses_icd\.csv, row 6, column 'icd_version': the admission has"
    ):
        read_mimic4_notes(discharge, code_system=None)
    assert read_mimic4_notes(discharge).codes[0] == ("J18.9", "W19.XXXA")


def test_parts_of_notes_do_not_matter(discharge, monkeypatch):
    whole = read_mimic4_notes(discharge)
    monkeypatch.setattr(mimic, "_NOTES_A_PART", 2)
    monkeypatch.setattr(database, "ROWS_A_PART", 3)
    assert read_mimic4_notes(discharge) == whole
    assert len(read_mimic4_notes(discharge, code_system=None)) == 4


def test_without_patients(discharge):
    (discharge / "hosp" / "patients.csv").unlink()
    notes = read_mimic4_notes(discharge)
    assert (notes.age, notes.sex) == (None, None)


def test_missing_files_and_columns(discharge):
    diagnoses = discharge / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("icd_version", "version"))
    with pytest.raises(InputError, match=r"diagnoses_icd\.csv: no column 'icd_version'"):
        read_mimic4_notes(discharge)
    diagnoses.unlink()
    with pytest.raises(
        InputError, match=r"no diagnoses_icd\.csv or diagnoses_icd\.csv\.gz .* MIMIC-IV, module hosp"
    ):
        read_mimic4_notes(discharge)
    with pytest.raises(InputError, match=r"no discharge\.csv or discharge\.csv\.gz .* MIMIC-IV-Note"):
        read_mimic4_notes(discharge / "hosp")
    with pytest.raises(InputError, match="code_system must be one of icd10cm, icd9cm"):
        read_mimic4_notes(discharge, code_system="atc")


def test_two_copies_of_a_table(discharge):
    (discharge / "old").mkdir()
    (discharge / "old" / "diagnoses_icd.csv").write_text(DIAGNOSES)
    with pytest.raises(InputError, match="are both there"):
        read_mimic4_notes(discharge)


def test_a_note_without_text(discharge):
    (discharge / "note" / "2.2" / "discharge.csv.gz").write_bytes(
        gzip.compress(DISCHARGE.replace("Fall.", " ").encode())
    )
    with pytest.raises(InputError, match="note '11-DS-1' has no text"):
        read_mimic4_notes(discharge)


def test_no_note_of_that_system(discharge):
    (discharge / "hosp" / "diagnoses_icd.csv").write_text(DIAGNOSES.splitlines()[0] + "\n10,100,1,41401,9\n")
    with pytest.raises(InputError, match="no note of an admission with icd10cm codes"):
        read_mimic4_notes(discharge)


def test_an_empty_code_and_a_repeated_note(discharge):
    diagnoses = discharge / "hosp" / "diagnoses_icd.csv"
    diagnoses.write_text(DIAGNOSES.replace("W19XXXA", " "))
    with pytest.raises(InputError, match=r"diagnoses_icd\.csv, row 7, column 'icd_code': no code"):
        read_mimic4_notes(discharge)
    diagnoses.write_text(DIAGNOSES)
    (discharge / "note" / "2.2" / "discharge.csv.gz").write_bytes(
        gzip.compress(DISCHARGE.replace("11-DS-1", "10-DS-2").encode())
    )
    with pytest.raises(InputError, match=r"discharge\.csv\.gz: the note_id of note '10-DS-2' occurs more"):
        read_mimic4_notes(discharge)


def test_patients_are_found_in_any_case(discharge):
    whole = read_mimic4_notes(discharge)
    patients = discharge / "hosp" / "patients.csv"
    (discharge / "hosp" / "PATIENTS.CSV").write_text(
        PATIENTS.replace("subject_id,gender", "SUBJECT_ID,Gender")
    )
    if not patients.samefile(discharge / "hosp" / "PATIENTS.CSV"):
        patients.unlink()
    notes = read_mimic4_notes(discharge)
    assert (notes.age, notes.sex) == (whole.age, whole.sex)


@pytest.mark.parametrize("other", ["patients.csv.gz", "Patients.csv"])
def test_two_tables_of_patients_are_refused(discharge, other):
    (discharge / "hosp" / other).write_bytes(b"")
    with pytest.raises(InputError, match=r"atients\.csv.* and .*patients\.csv.* are both there"):
        read_mimic4_notes(discharge)


def test_whole_numbers_written_as_floats_join(discharge):
    diagnoses = [line.split(",") for line in DIAGNOSES.splitlines()]
    rows = [",".join([a, f"{b}.0", c, d, f"{e}.0"]) for a, b, c, d, e in diagnoses[1:]]
    (discharge / "hosp" / "diagnoses_icd.csv").write_text("\n".join([",".join(diagnoses[0]), *rows]))
    assert read_mimic4_notes(discharge).codes == (("J18.9", "W19.XXXA", "I10"), ("E11.9",))
