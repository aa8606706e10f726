"""`read_mimic4_hosp` and `read_mimic3` on small files in the layout of PhysioNet, and on the demo."""

import gzip

import pandas as pd
import pytest

from icd_relevancy.codes import code_system as named_code_system
from icd_relevancy.data import load_stays, read_mimic3, read_mimic4_hosp, roll_up
from icd_relevancy.data.sources import database as source_tables
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
    monkeypatch.setattr(source_tables, "ROWS_A_PART", 2)
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


def test_numbers_that_pandas_wrote_as_floats(mimic4):
    whole = {system: read_mimic4_hosp(mimic4, system) for system in ("icd9cm", "icd10cm")}
    file = next(mimic4.rglob("diagnoses_icd.csv*"))
    table = pd.read_csv(file, dtype={"icd_code": str})
    table.astype(dict.fromkeys(("subject_id", "hadm_id", "icd_version"), float)).to_csv(file, index=False)
    for system, stays in whole.items():
        assert read_mimic4_hosp(mimic4, system) == stays
