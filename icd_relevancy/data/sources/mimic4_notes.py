"""Discharge notes of MIMIC-IV-Note with the diagnoses of MIMIC-IV."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from icd_relevancy.codes.dots import dotted_icd9, dotted_icd10
from icd_relevancy.data.columns import SEX_NAMES
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.database import find_table, of_folder
from icd_relevancy.errors import InputError, shown_note, shown_word
from icd_relevancy.files.safe_reading import readable

_VERSIONS = {"icd10cm": "10", "icd9cm": "9"}
_DOTTED = {"icd10cm": dotted_icd10, "icd9cm": dotted_icd9}
_NOTES_A_CHUNK = 20_000
_DIAGNOSES_A_CHUNK = 1_000_000


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
    if code_system not in (None, *_VERSIONS):
        raise InputError(
            f"code_system must be one of {', '.join(_VERSIONS)}; received {shown_word(code_system)}"
        )
    systems = tuple(_VERSIONS) if code_system is None else (code_system,)
    discharge = find_table(path, "discharge", "MIMIC-IV-Note")
    coded = _codes(find_table(path, "diagnoses_icd", "MIMIC-IV, module hosp"), systems)
    notes = _discharge_notes(discharge, set(coded))
    if notes.empty:
        raise InputError(f"{discharge}: no note of an admission with {' or '.join(systems)} codes")
    patients = find_table(path, "patients")
    with of_folder(path):
        return Notes(
            note_id=tuple(notes["note_id"]),
            text=tuple(notes["text"]),
            codes=tuple(coded[admission][1] for admission in notes["hadm_id"]),
            patient_id=tuple(notes["subject_id"]),
            **(_demographics(patients, notes) if patients else {}),
            source="mimic4-notes",
            code_system=tuple(coded[admission][0] for admission in notes["hadm_id"]),
        )


def _read(file: Path, columns: list[str], optional: tuple[str, ...] = (), **options):
    """The columns of a CSV file as text, in one frame or, with `chunksize`, an iterator of them."""
    with readable(file):
        header = pd.read_csv(file, nrows=0).columns
    spelled = {name.strip().lower(): name for name in header}
    missing = [name for name in columns if name not in spelled]
    if missing:
        raise InputError(
            f"{file}: no column {', '.join(map(repr, missing))}; expected the table as PhysioNet has it"
        )
    kept = {spelled[name]: name for name in (*columns, *optional) if name in spelled}
    found = pd.read_csv(file, usecols=list(kept), dtype=object, keep_default_na=False, **options)
    return _named(found, kept) if isinstance(found, pd.DataFrame) else (_named(part, kept) for part in found)


def _named(part: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The columns by their names, and whole numbers without the ".0" that pandas writes where some are missing."""
    part = part.rename(columns=names)
    joined = [name for name in part if name in ("subject_id", "hadm_id", "icd_version")]
    return part.assign(**{name: part[name].str.strip().str.removesuffix(".0") for name in joined})


def _codes(file: Path, systems: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each admission coded in one of the systems its name, and the dotted codes by sequence number."""
    columns = ["hadm_id", "seq_num", "icd_code", "icd_version"]
    named = {_VERSIONS[system]: system for system in systems}
    with readable(file):
        chunks = _read(file, columns, chunksize=_DIAGNOSES_A_CHUNK)
        rows = pd.concat([chunk[chunk["icd_version"].isin(named)] for chunk in chunks])
    blank = rows["icd_code"].fillna("").str.strip() == ""
    if blank.any():
        raise InputError(f"{file}, row {blank.idxmax() + 1}, column 'icd_code': no code; remove the row")
    mixed = rows["icd_version"] != rows.groupby("hadm_id")["icd_version"].transform("first")
    if mixed.any():
        told = "the admission has codes of the other version too; remove those of one"
        raise InputError(f"{file}, row {mixed.idxmax() + 1}, column 'icd_version': {told}")
    rows["seq_num"] = pd.to_numeric(rows["seq_num"], errors="coerce")
    coded = {}
    for version, system in named.items():
        part = rows[rows["icd_version"] == version]
        number, codes = pd.factorize(part["icd_code"])
        dotted = pd.Index([_DOTTED[system](code.strip().upper()) for code in codes], dtype=object)
        part = part.assign(icd_code=dotted[number]).sort_values(["hadm_id", "seq_num"], kind="stable")
        part = part.drop_duplicates(["hadm_id", "icd_code"])
        for admission, codes in part.groupby("hadm_id", sort=False)["icd_code"]:
            coded[admission] = system, tuple(codes)
    return coded


def _discharge_notes(file: Path, admissions: set[str]) -> pd.DataFrame:
    """The notes of the admissions; read in chunks, since most of 330,000 long notes may be dropped."""
    columns = ["note_id", "subject_id", "hadm_id", "text"]
    kept = []
    with readable(file), tqdm(desc=file.name, unit=" notes", disable=None) as progress:
        for chunk in _read(file, columns, optional=("charttime",), chunksize=_NOTES_A_CHUNK):
            kept.append(chunk[chunk["hadm_id"].isin(admissions)])
            progress.update(len(chunk))
    notes = pd.concat(kept, ignore_index=True)
    blank = notes["text"].fillna("").str.strip() == ""
    if blank.any():
        row = blank.idxmax()
        told = shown_note(notes["note_id"][row], row + 1)
        raise InputError(f"{file}, column 'text': {told} has no text; remove the row or fill it in")
    repeated = notes["note_id"].duplicated()
    if repeated.any():
        told = shown_note(notes["note_id"][repeated.idxmax()], repeated.idxmax() + 1)
        raise InputError(f"{file}: the note_id of {told} occurs more than once; make it unique")
    return notes


def _demographics(file: Path, notes: pd.DataFrame) -> dict[str, tuple]:
    """Sex and age of each note's patient, None where not known."""
    with readable(file):
        patients = _read(file, ["subject_id", "gender", "anchor_age"], optional=("anchor_year",))
    patients = patients.drop_duplicates("subject_id").set_index("subject_id").reindex(notes["subject_id"])
    age = pd.to_numeric(patients["anchor_age"], errors="coerce").to_numpy(float)
    if "anchor_year" in patients and "charttime" in notes:
        year = pd.to_numeric(notes["charttime"].str[:4], errors="coerce").to_numpy(float)
        passed = year - pd.to_numeric(patients["anchor_year"], errors="coerce").to_numpy(float)
        age = age + pd.Series(passed).fillna(0).to_numpy()
    return {
        "age": tuple(None if pd.isna(value) else value for value in age.tolist()),
        "sex": tuple(SEX_NAMES.get(gender) for gender in patients["gender"]),
    }
