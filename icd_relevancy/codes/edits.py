"""The lists of the Medicare Code Editor: which diagnoses it allows for whom and where."""

import re
from pathlib import Path

import pandas as pd

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import readable

# Edit of the Medicare Code Editor -> usage feature.
_FEATURES = {
    "Newborn_Only": "newborn_only",
    "Pediatric_Only": "child_only",
    "Maternity_Only": "maternity_only",
    "Adult_Only": "adult_only",
    "Female_Only": "female_only",
    "Male_Only": "male_only",
    "Principal_Manifestation": "manifestation_only",
    "Principal_Unacceptable": "unacceptable_principal",
}
_COLUMNS = {"MCE_Version", "ICD_Version", "MCE_Edit_Type", "ICD_Code_Type", "ICD_Code"}
_EXEMPT_COLUMN = "POAexemptCode"
_EXEMPT_FEATURE = "present_on_admission_exempt"


def read_code_edits(path: str | Path, edition: int) -> dict[str, frozenset[str]]:
    """The usage features that the lists of an edition (9 or 10) cover, each with its codes without dot.

    `path` is a tab-separated file, or a folder of such files (`*.txt`), as published by the Centers for Medicare &
    Medicaid Services: a list of edits, or one of codes exempt from present-on-admission flags (ICD-10-CM only). Of
    several versions for the same edition the newest counts.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give the lists of the Medicare Code Editor")
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    tables = [(file, table) for file in files if (table := _read(file)) is not None]
    if not tables:
        raise InputError(
            f"{path}: no list of the Medicare Code Editor: expected tab-separated columns "
            f"{', '.join(sorted(_COLUMNS))}, or {_EXEMPT_COLUMN}"
        )
    newest, features = -1, {}
    exempt: set[str] = set()
    for file, table in tables:
        if _EXEMPT_COLUMN in table:
            exempt.update(_keys(table[_EXEMPT_COLUMN]))
            continue
        table = table[(table.ICD_Version == str(edition)) & (table.ICD_Code_Type == "D")]
        if len(table) and (version := _version(file, table)) > newest:
            newest, features = version, _by_feature(table)
    if exempt and edition == 10:
        features[_EXEMPT_FEATURE] = frozenset(exempt)
    if not features:
        raise InputError(
            f"{path}: no diagnoses of ICD-{edition}; give the lists of that edition (ICD_Version)"
        )
    return features


def _by_feature(table: pd.DataFrame) -> dict[str, frozenset[str]]:
    codes = _keys(table.ICD_Code)
    listed = {feature: frozenset(codes[table.MCE_Edit_Type == edit]) for edit, feature in _FEATURES.items()}
    return {feature: codes for feature, codes in listed.items() if codes}


def _keys(codes: pd.Series) -> pd.Series:
    return codes.str.replace(".", "").str.strip()


def _version(file: Path, table: pd.DataFrame) -> int:
    version = table.MCE_Version.iloc[0]
    if not re.fullmatch("[0-9]{1,9}", version):
        raise InputError(f"{file}: MCE_Version is {shown_word(version)}, expected a number such as 37")
    return int(version)


def _read(file: Path) -> pd.DataFrame | None:
    """The table of a file; None where its columns are of another layout."""
    with readable(file):
        with file.open(encoding="latin-1") as lines:
            head = lines.readline().rstrip("\r\n").split("\t")
        if not (set(head) >= _COLUMNS or _EXEMPT_COLUMN in head):
            return None
        columns = [_EXEMPT_COLUMN] if _EXEMPT_COLUMN in head else sorted(_COLUMNS)
        # Quotation marks are part of the descriptions, not of the layout.
        return pd.read_csv(
            file, sep="\t", dtype=str, encoding="latin-1", quoting=3, usecols=columns, keep_default_na=False
        )
