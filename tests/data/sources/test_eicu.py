"""`read_eicu` on small files in the layout of eICU, and on its demo."""

import gzip

import pytest

from icd_relevancy.data import DrugMapping, load_stays, read_eicu
from icd_relevancy.errors import InputError

TABLES = {
    "patient": """patientunitstayid,gender,age,unittype,uniquepid
10,Female,87,MICU,002-1
11,Male,> 89,SICU,002-1
12,,,MICU,003-1
13,Unknown,0,MICU,004-1
""",
    "diagnosis": """diagnosisid,patientunitstayid,icd9code
1,10,"038.9, A41.9"
2,10,"428.0, I50.9"
3,10,"038.9, A41.9"
4,10,
5,11,E870.0
6,11,"V45.1,V45.11 "
7,12,"491.21, j44.1"
8,12,31.1
9,99,"401.9, I10"
""",
    "medication": """medicationid,patientunitstayid,drugordercancelled,drugname,drughiclseqno
1,10,No,WARFARIN  SODIUM 5 MG PO TABS,2812
2,10,No,,2812
3,11,No,,2812
4,11,No,COUMADIN; 5 MG,2812
5,12,No,WARFARIN  SODIUM 5 MG PO TABS,2812
6,12,No,,999
7,12,No,,
8,12,Yes,ASPIRIN,1820
9,12,No,NA,5
""",
    "admissiondrug": "patientunitstayid,drugname\n10,LASIX                \n10,LASIX\n",
    "infusiondrug": "patientunitstayid,drugname\n10,Norepinephrine (mcg/min)\n11,\n",
}


@pytest.fixture
def folder(tmp_path):
    for table, text in TABLES.items():
        (tmp_path / f"{table}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def rewrite(folder, table, old, new):
    (folder / f"{table}.csv.gz").write_bytes(gzip.compress(TABLES[table].replace(old, new).encode()))


def test_icd10(folder):
    stays = read_eicu(folder)
    assert stays.stay_id == ("10", "12")
    # 31.1 is a procedure, and E870.0 has the form of ICD-9.
    assert stays.codes == (("A41.9", "I50.9"), ("J44.1",))
    assert stays.sex == ("female", None)
    assert stays.age == (87.0, None)
    assert stays.patient_id == ("002-1", "003-1")
    assert stays.ward == ("MICU", "MICU")
    assert stays.source == "eicu"


def test_icd9_and_an_age_above_89(folder):
    stays = read_eicu(folder, code_system="icd9cm")
    assert stays.stay_id == ("10", "11", "12")
    assert stays.codes == (("038.9", "428.0"), ("E870.0", "V45.1", "V45.11"), ("491.21",))
    assert stays.age == (87.0, 90.0, None)
    assert stays.ward == ("MICU", "SICU", "MICU")


def test_stays_that_are_yet_to_be_coded(folder):
    assert read_eicu(folder).stay_id == ("10", "12")
    stays = load_stays(f"eicu:{folder}", require_codes=False)
    assert stays.stay_id == ("10", "11", "12", "13")
    assert stays.codes == (("A41.9", "I50.9"), (), ("J44.1",), ())
    assert stays.drugs[1] == ("WARFARIN SODIUM 5 MG PO TABS", "COUMADIN, 5 MG")


def test_drugs_of_three_tables(folder):
    first, second, third = read_eicu(folder, "icd9cm").drugs
    assert first == ("WARFARIN SODIUM 5 MG PO TABS", "LASIX", "Norepinephrine (mcg/min)")
    # A blank name takes the usual one of its number; a separator of the stays schema becomes a comma.
    assert second == ("WARFARIN SODIUM 5 MG PO TABS", "COUMADIN, 5 MG")
    # Without any name the number stays; a cancelled order does not count.
    assert third == ("WARFARIN SODIUM 5 MG PO TABS", "HICL 999", "NA")


def test_without_the_optional_tables_and_columns(folder):
    for table in ("admissiondrug", "infusiondrug"):
        (folder / f"{table}.csv.gz").unlink()
    (folder / "medication.csv.gz").write_bytes(gzip.compress(b"patientunitstayid,drugname\n10,LASIX\n"))
    assert read_eicu(folder).drugs == (("LASIX",), ())


def test_bad_folders(folder):
    with pytest.raises(InputError, match="code_system must be one of icd10cm, icd9cm; received 'atc'"):
        read_eicu(folder, "atc")
    rewrite(folder, "patient", "11,Male", "10,Male")
    with pytest.raises(InputError, match="table patient has stay '10' more than once"):
        read_eicu(folder)
    rewrite(folder, "patient", "uniquepid", "pid")
    with pytest.raises(InputError, match=r"patient.csv.gz: no column 'uniquepid'"):
        read_eicu(folder)
    rewrite(folder, "patient", "87", "-3")
    with pytest.raises(InputError, match="eicu: the age of stay '10' is not a number of years from 0 up"):
        read_eicu(folder)
    (folder / "patient.csv.gz").unlink()
    with pytest.raises(InputError, match=r"no patient.csv or patient.csv.gz in it .* the eICU database"):
        read_eicu(folder)
    rewrite(folder, "diagnosis", "A41.9", "A41.9")
    (folder / "diagnosis.csv.gz").write_bytes(b"broken")
    with pytest.raises(InputError, match="not a whole gzip file"):
        read_eicu(folder)


def test_no_stay_of_that_system(folder):
    (folder / "diagnosis.csv.gz").write_bytes(gzip.compress(b"patientunitstayid,icd9code\n10,428.0\n"))
    with pytest.raises(InputError, match="no stay of table patient has icd10cm codes"):
        read_eicu(folder)


@pytest.mark.parametrize(("code_system", "stays", "codes"), [("icd9cm", 1334, 381), ("icd10cm", 1323, 360)])
def test_the_demo(real_data, code_system, stays, codes):
    demo = load_stays(f"eicu:{real_data / 'eicu_demo'}", code_system)
    assert len(demo) == stays
    assert len(demo.label_names()) == codes
    assert sum(map(bool, demo.drugs)) > 1100
    assert len(set(demo.patient_id)) < stays
    assert max(age for age in demo.age if age is not None) == 90
    mapped, report = demo.map_drugs(DrugMapping())
    assert report.unknown_share < 0.01
    assert len(mapped.drug_names()) < len(demo.drug_names()) / 1.9
    assert "furosemide" in mapped.drug_names(min_count=100)
