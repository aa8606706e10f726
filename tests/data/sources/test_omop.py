"""`read_omop` on small tables of the common data model."""

import pandas as pd
import pytest

from icd_relevancy.data import load_stays, read_omop
from icd_relevancy.errors import InputError

TABLES = {
    "person": {
        "person_id": [1, 2],
        "gender_concept_id": [8532, 8507],
        "year_of_birth": [1950, 1700],
        "race_concept_id": [0, 0],
    },
    "visit_occurrence": {
        "visit_occurrence_id": [10, 11, 12, 13],
        "person_id": [1, 2, 1, 1],
        "visit_start_date": ["2020-05-01", "2001-01-01", "2021-01-01", "2021-02-01"],
        "care_site_id": [5, None, 6, 5],
    },
    "condition_occurrence": {
        "condition_occurrence_id": [1, 2, 3, 4, 5, 6],
        "visit_occurrence_id": [10, 10, 11, 12, 13, None],
        "condition_source_value": ["4280", "ICD9CM:401.9", "E8497", "J18.9", "heart failure", "4280"],
    },
    "drug_exposure": {
        "drug_exposure_id": [1, 2, 3, 4],
        "visit_occurrence_id": [10, 10, 11, None],
        "drug_source_value": ["Furosemide  40 MG", "Lasix", None, "Aspirin"],
        "drug_concept_id": [100, 0, 101, 100],
    },
}
CONCEPTS = {
    "concept": {
        "concept_id": [0, 100, 101, 200, 201, 202, 203, 900],
        "concept_name": ["No matching concept", "furosemide", "warfarin", "a", "b", "c", "d", "e"],
        "vocabulary_id": ["None", "RxNorm", "RxNorm", "ICD9CM", "ICD9CM", "ICD10CM", "ICD9CM", "SNOMED"],
        "concept_code": ["", "4603", "11289", "428.0", "428.1", "I50.9", "584.9", "x"],
    },
    "concept_relationship": {
        "concept_id_1": [200, 201, 202, 203, 200],
        "concept_id_2": [900, 900, 900, 901, 901],
        "relationship_id": ["Maps to", "Maps to", "Maps to", "Maps to", "Mapped from"],
    },
}


def write(folder, tables, suffix="csv"):
    for name, columns in tables.items():
        # As pandas writes them: numbers with gaps become floats.
        frame = pd.DataFrame(columns)
        if suffix == "parquet":
            frame.to_parquet(folder / f"{name}.parquet")
        else:
            frame.to_csv(folder / f"{name.upper()}.{suffix}", index=False)
    return folder


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_source_values(tmp_path, suffix):
    stays = read_omop(write(tmp_path, TABLES, suffix), "icd9cm")
    assert stays.stay_id == ("10", "11")
    assert stays.codes == (("428.0", "401.9"), ("E849.7",))
    assert stays.drugs == (("Furosemide 40 MG", "Lasix"), ())
    assert stays.age == (70.0, 90.0)
    assert stays.sex == ("female", "male")
    assert stays.patient_id == ("1", "2")
    assert stays.ward == ("5", None)
    assert stays.source == "omop"


def test_icd10_source_values(tmp_path):
    stays = read_omop(write(tmp_path, TABLES))
    # Without table concept E8497 has the form of E84.97.
    assert (stays.stay_id, stays.codes) == (("11", "12"), (("E84.97",), ("J18.9",)))


def test_visits_that_are_yet_to_be_coded(tmp_path):
    stays = load_stays(f"omop:{write(tmp_path, TABLES)}", "icd9cm", require_codes=False)
    assert stays.stay_id == ("10", "11", "12", "13")
    assert stays.codes == (("428.0", "401.9"), ("E849.7",), (), ())
    assert stays.age == (70.0, 90.0, 71.0, 71.0)


def test_concepts_name_drugs_and_decide_on_codes(tmp_path):
    conditions = TABLES["condition_occurrence"] | {
        "condition_source_concept_id": [201, 0, 202, 202, 0, 200],
        "condition_concept_id": [0, 0, 0, 0, 900, 0],
    }
    folder = write(tmp_path, TABLES | CONCEPTS | {"condition_occurrence": conditions})
    stays = read_omop(folder, "icd9cm")
    # The concept comes before the value; E8497 and J18.9 are said to be ICD-10; 900 stands for 428.0 and 428.1.
    assert dict(zip(stays.stay_id, stays.codes, strict=True)) == {"10": ("428.1", "401.9"), "13": ("428",)}
    assert stays.drugs == (("furosemide", "Lasix"), ())
    stays = read_omop(folder)
    assert dict(zip(stays.stay_id, stays.codes, strict=True)) == {
        "11": ("I50.9",),
        "12": ("I50.9",),
        "13": ("I50.9",),
    }


def test_no_standard_concept_of_the_system(tmp_path):
    relationships = {name: values[2:3] for name, values in CONCEPTS["concept_relationship"].items()}
    conditions = TABLES["condition_occurrence"] | {"condition_concept_id": [900] * 6}
    folder = write(tmp_path, TABLES | CONCEPTS | {"condition_occurrence": conditions})
    write(folder, {"concept_relationship": relationships})
    assert read_omop(folder, "icd9cm").stay_id == ("10", "11")


def test_wards_by_name(tmp_path):
    sites = {"care_site": {"care_site_id": [5], "care_site_name": ["Cardiology"]}}
    assert read_omop(write(tmp_path, TABLES | sites)).ward == (None, "6")
    assert read_omop(tmp_path, "icd9cm").ward == ("Cardiology", None)


def test_by_name(tmp_path):
    assert len(load_stays(f"omop:{write(tmp_path, TABLES)}", "icd9cm")) == 2


def test_bad_folders(tmp_path):
    write(tmp_path, TABLES)
    with pytest.raises(InputError, match="code_system must be one of"):
        read_omop(tmp_path, "atc")
    visits = TABLES["visit_occurrence"] | {"visit_occurrence_id": [10, 10, 12, 13]}
    write(tmp_path, {"visit_occurrence": visits})
    told = r"VISIT_OCCURRENCE.csv, row 2, column 'visit_occurrence_id': visit '10' occurs more than once"
    with pytest.raises(InputError, match=told):
        read_omop(tmp_path)
    write(tmp_path, {"person": {"person_id": [1]}})
    with pytest.raises(InputError, match=r"no column 'gender_concept_id', 'year_of_birth'|more than once"):
        read_omop(tmp_path)
    (tmp_path / "DRUG_EXPOSURE.csv").unlink()
    write(tmp_path, {name: TABLES[name] for name in ("visit_occurrence", "person")})
    told = r"no drug_exposure.csv, drug_exposure.csv.gz or drug_exposure.parquet in it .* OMOP common data"
    with pytest.raises(InputError, match=told):
        read_omop(tmp_path)
    conditions = {
        "condition_occurrence": TABLES["condition_occurrence"] | {"condition_source_value": ["x"] * 6}
    }
    write(tmp_path, conditions)
    with pytest.raises(InputError, match="no visit has icd9cm codes"):
        read_omop(tmp_path, "icd9cm")
