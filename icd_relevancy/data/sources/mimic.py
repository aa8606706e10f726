"""Admissions of MIMIC-III and MIMIC-IV with their prescriptions and diagnoses, and the notes of MIMIC-IV-Note."""

from pathlib import Path

import numpy as np
import pandas as pd

from icd_relevancy.data.columns import SEX_NAMES
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.by_name import source
from icd_relevancy.data.sources.database import (
    check_code_system,
    dotted_codes,
    drug_name,
    find_table,
    first_of_each,
    gathered,
    naming,
    optional_values,
    read_parts,
    read_table,
    whole_years,
)
from icd_relevancy.data.stays import Stays
from icd_relevancy.errors import InputError, shown_note, shown_word

_VERSIONS = {"icd10cm": "10", "icd9cm": "9"}
_MIMIC3, _MIMIC4 = "MIMIC-III", "MIMIC-IV, module hosp"
_ABOVE_89 = 90.0
_SHIFTED = 150.0
_NOTES_A_PART = 20_000


@source(of="stays", systems=("icd10cm", "icd9cm"))
def read_mimic4_hosp(path, code_system: str = "icd10cm", require_codes: bool = True) -> Stays:
    """Reads the admissions of MIMIC-IV (module hosp) with their prescriptions and diagnosis codes.

    Args:
        path: A folder with, at any depth, `diagnoses_icd`, `prescriptions`, `patients`, `admissions` and, for
            the ward, `services`, each `.csv` or `.csv.gz`.
        code_system: `"icd10cm"` or `"icd9cm"`: an admission is coded in one of them, and only the admissions
            coded in this one are read. Defaults to `"icd10cm"`.
        require_codes: Whether to leave out admissions without such codes; False reads those to be coded too.
            Defaults to True.

    Returns:
        The admissions with codes, or all, in the order of `admissions`; some have no drug. Drugs are those of
        `drug_type` MAIN (no diluents); codes are dotted, in the order of their sequence numbers; the age is
        that in the year of admission; `ward` is the first service, where known.

    Raises:
        InputError: If a file or a column is missing, an admission repeats, or none has codes of the system.

    Example:

    >>> from icd_relevancy.data import read_mimic4_hosp
    >>> stays = read_mimic4_hosp("mimiciv/2.2/hosp", code_system="icd9cm")  # doctest: +SKIP
    """
    check_code_system(code_system)
    diagnoses = find_table(path, "diagnoses_icd", _MIMIC4)
    rows = read_table(diagnoses, ["hadm_id", "seq_num", "icd_code", "icd_version"])
    rows = rows[rows["icd_version"] == _VERSIONS[code_system]]
    columns = ["subject_id", "gender", "anchor_age", "anchor_year"]
    admissions = _admissions(path, _MIMIC4, columns, rows["hadm_id"] if require_codes else None)
    if admissions.empty:
        raise InputError(f"{diagnoses}: no admission has {code_system} codes")
    year = pd.to_numeric(admissions["admittime"].str[:4], errors="coerce")
    passed = year - pd.to_numeric(admissions["anchor_year"], errors="coerce")
    age = pd.to_numeric(admissions["anchor_age"], errors="coerce") + passed.fillna(0)
    return _stays(path, _MIMIC4, admissions, rows, age, code_system, "mimic4")


def read_mimic3(path, require_codes: bool = True) -> Stays:
    """Reads the admissions of MIMIC-III with their prescriptions and ICD-9-CM codes (CAC §2.1).

    Args:
        path: A folder with, at any depth, `DIAGNOSES_ICD`, `PRESCRIPTIONS`, `PATIENTS`, `ADMISSIONS` and, for
            the ward, `SERVICES`, each `.csv` or `.csv.gz`; names of files and columns in any case.
        require_codes: Whether to leave out admissions without codes; False reads those to be coded too.
            Defaults to True.

    Returns:
        The admissions with codes, or all, in the order of `ADMISSIONS`; some have no drug. Drugs are those of
        `DRUG_TYPE` MAIN; codes are dotted, in the order of their sequence numbers, rows without a code left
        out; the age is that at admission, 90 for the births moved to 300 years before; `ward` is the first
        service, where known.

    Raises:
        InputError: If a file or a column is missing, an admission repeats, or none has codes.

    Example:

    >>> from icd_relevancy.data import read_mimic3
    >>> stays = read_mimic3("mimiciii/1.4")  # doctest: +SKIP
    """
    diagnoses = find_table(path, "diagnoses_icd", _MIMIC3)
    rows = read_table(diagnoses, ["hadm_id", "seq_num", "icd9_code"])
    rows = rows.rename(columns={"icd9_code": "icd_code"}).dropna(subset=["icd_code"])
    coded = rows["hadm_id"] if require_codes else None
    admissions = _admissions(path, _MIMIC3, ["subject_id", "gender", "dob"], coded)
    if admissions.empty:
        raise InputError(f"{diagnoses}: no admission has codes")
    age = whole_years(admissions["dob"], admissions["admittime"])
    age = np.where(age > _SHIFTED, _ABOVE_89, age)
    return _stays(path, _MIMIC3, admissions, rows, age, "icd9cm", "mimic3")


@source(of="stays", systems=("icd9cm",))
def _mimic3(path, code_system, require_codes) -> Stays:
    return read_mimic3(path, require_codes)


@source(of="notes", systems=("icd10cm", "icd9cm"))
def read_mimic4_notes(path, code_system: str | None = "icd10cm") -> Notes:
    """Reads the discharge notes of MIMIC-IV-Note with the diagnosis codes of their admissions.

    Args:
        path: A folder with, at any depth, `discharge` (MIMIC-IV-Note), `diagnoses_icd` and, for sex and age,
            `patients` (MIMIC-IV, module hosp), each `.csv` or `.csv.gz`; names of files and columns in any case.
        code_system: `"icd10cm"` or `"icd9cm"`: an admission is coded in one of them, and only the admissions
            coded in this one are read. None reads both. Defaults to `"icd10cm"`.

    Returns:
        The notes in the order of their file; codes dotted, in the order of their sequence numbers. The age is
        that in the year of the note, where that is known, else the anchor age. `code_system` is filled in.

    Raises:
        InputError: If a file or a column is missing, a file is there twice, a note has no text, a diagnosis no
            code, two notes have the same note_id, no note has codes of the system, or an admission
            has codes of both that are read.

    Example:

    >>> from icd_relevancy.data import read_mimic4_notes
    >>> notes = read_mimic4_notes("physionet.org/files", code_system="icd9cm")  # doctest: +SKIP
    """
    if code_system is not None:
        check_code_system(code_system)
    systems = tuple(_VERSIONS) if code_system is None else (code_system,)
    discharge = find_table(path, "discharge", "MIMIC-IV-Note")
    coded = _note_codes(find_table(path, "diagnoses_icd", _MIMIC4), systems)
    notes = _discharge_notes(discharge, set(coded))
    if notes.empty:
        raise InputError(f"{discharge}: no note of an admission with {' or '.join(systems)} codes")
    patients = find_table(path, "patients")
    with naming(path):
        return Notes(
            note_id=tuple(notes["note_id"]),
            text=tuple(notes["text"]),
            codes=tuple(coded[admission][1] for admission in notes["hadm_id"]),
            patient_id=optional_values(notes["subject_id"]),
            **(_demographics(patients, notes) if patients else {}),
            source="mimic4-notes",
            code_system=tuple(coded[admission][0] for admission in notes["hadm_id"]),
        )


def _admissions(path, origin: str, columns: list[str], coded: pd.Series | None) -> pd.DataFrame:
    """The coded admissions, or all, with the columns of their patients."""
    file = find_table(path, "admissions", origin)
    admissions = read_table(file, ["subject_id", "hadm_id", "admittime"])
    repeated = admissions["hadm_id"].duplicated()
    if repeated.any():
        row = repeated.idxmax()
        problem = f"admission {shown_word(admissions['hadm_id'][row])} occurs more than once; keep one row"
        raise InputError(f"{file}, row {row + 1}, column 'hadm_id': {problem}")
    if coded is not None:
        admissions = admissions[admissions["hadm_id"].isin(coded.unique())]
    patients = read_table(find_table(path, "patients", origin), columns).drop_duplicates("subject_id")
    return admissions.merge(patients, on="subject_id", how="left")


def _stays(
    path, origin: str, admissions: pd.DataFrame, codes: pd.DataFrame, age, code_system: str, source: str
) -> Stays:
    stay_id = pd.Index(admissions["hadm_id"])
    codes = codes.assign(
        icd_code=dotted_codes(codes["icd_code"], code_system),
        seq_num=pd.to_numeric(codes["seq_num"], errors="coerce"),
    ).sort_values("seq_num", kind="stable")
    drugs = _main_drugs(find_table(path, "prescriptions", origin))
    with naming(path):
        return Stays(
            stay_id=tuple(stay_id),
            drugs=gathered(stay_id, drugs["hadm_id"], drug_name(drugs["drug"])),
            codes=gathered(stay_id, codes["hadm_id"], codes["icd_code"]),
            age=optional_values(age),
            sex=optional_values(admissions["gender"].map(SEX_NAMES)),
            patient_id=tuple(admissions["subject_id"]),
            ward=_first_services(path, stay_id),
            source=source,
        )


def _main_drugs(file: Path) -> pd.DataFrame:
    parts = read_parts(file, ["hadm_id", "drug_type", "drug"])
    rows = first_of_each(part[part["drug_type"] == "MAIN"] for part in parts)
    return rows.dropna(subset=["hadm_id", "drug"])


def _first_services(path, stay_id: pd.Index) -> tuple[str | None, ...] | None:
    file = find_table(path, "services")
    if file is None:
        return None
    rows = read_table(file, ["hadm_id", "transfertime", "curr_service"])
    rows = rows.dropna(subset=["hadm_id"]).sort_values("transfertime", kind="stable")
    first = rows.drop_duplicates("hadm_id").set_index("hadm_id")["curr_service"]
    return optional_values(first.reindex(stay_id))


def _note_codes(file: Path, systems: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each admission coded in one of the systems its name, and the dotted codes by sequence number."""
    named = {_VERSIONS[system]: system for system in systems}
    parts = read_parts(file, ["hadm_id", "seq_num", "icd_code", "icd_version"])
    rows = pd.concat([part[part["icd_version"].isin(named)] for part in parts]).dropna(subset=["hadm_id"])
    blank = rows["icd_code"].isna()
    if blank.any():
        raise InputError(f"{file}, row {blank.idxmax() + 1}, column 'icd_code': no code; remove the row")
    mixed = rows["icd_version"] != rows.groupby("hadm_id")["icd_version"].transform("first")
    if mixed.any():
        problem = "the admission has codes of the other version too; remove those of one"
        raise InputError(f"{file}, row {mixed.idxmax() + 1}, column 'icd_version': {problem}")
    rows["seq_num"] = pd.to_numeric(rows["seq_num"], errors="coerce")
    rows = rows.sort_values("seq_num", kind="stable")
    coded = {}
    for version, system in named.items():
        part = rows[rows["icd_version"] == version]
        admissions = pd.Index(part["hadm_id"].unique())
        codes = gathered(admissions, part["hadm_id"], dotted_codes(part["icd_code"], system))
        coded |= {admission: (system, row) for admission, row in zip(admissions, codes, strict=True)}
    return coded


def _discharge_notes(file: Path, admissions: set[str]) -> pd.DataFrame:
    """The notes of the admissions; read in parts, since most of 330,000 long notes may be dropped."""
    columns = ["note_id", "subject_id", "hadm_id", "text"]
    parts = read_parts(file, columns, ["charttime"], _NOTES_A_PART)
    notes = pd.concat([part[part["hadm_id"].isin(admissions)] for part in parts], ignore_index=True)
    notes["note_id"] = notes["note_id"].fillna("")
    blank = notes["text"].fillna("").str.strip() == ""
    if blank.any():
        note = shown_note(notes["note_id"][blank.idxmax()], blank.idxmax() + 1)
        raise InputError(f"{file}, column 'text': {note} has no text; remove the row or fill it in")
    repeated = notes["note_id"].duplicated()
    if repeated.any():
        note = shown_note(notes["note_id"][repeated.idxmax()], repeated.idxmax() + 1)
        raise InputError(f"{file}: the note_id of {note} occurs more than once; make it unique")
    return notes


def _demographics(file: Path, notes: pd.DataFrame) -> dict[str, tuple]:
    """Sex and age of each note's patient, None where not known."""
    patients = read_table(file, ["subject_id", "gender", "anchor_age"], ["anchor_year"])
    patients = patients.dropna(subset=["subject_id"]).drop_duplicates("subject_id").set_index("subject_id")
    patients = patients.reindex(notes["subject_id"])
    age = pd.to_numeric(patients["anchor_age"], errors="coerce").to_numpy(float)
    if "anchor_year" in patients and "charttime" in notes:
        year = pd.to_numeric(notes["charttime"].str[:4], errors="coerce").to_numpy(float)
        passed = year - pd.to_numeric(patients["anchor_year"], errors="coerce").to_numpy(float)
        age = age + pd.Series(passed).fillna(0).to_numpy()
    return {"age": optional_values(age), "sex": optional_values(patients["gender"].map(SEX_NAMES))}
