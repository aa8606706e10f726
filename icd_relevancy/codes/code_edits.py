"""The lists of the Medicare Code Editor: which diagnoses it allows for whom and where."""

import re
from pathlib import Path

import pandas as pd

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import readable

# Edit of the Medicare Code Editor -> usage feature.
EDIT_FEATURES = {
    "Newborn_Only": "newborn_only",
    "Pediatric_Only": "child_only",
    "Maternity_Only": "maternity_only",
    "Adult_Only": "adult_only",
    "Female_Only": "female_only",
    "Male_Only": "male_only",
    "Principal_Manifestation": "manifestation_only",
    "Principal_Unacceptable": "unacceptable_principal",
}
EDIT_COLUMNS = {"MCE_Version", "ICD_Version", "MCE_Edit_Type", "ICD_Code_Type", "ICD_Code"}
EXEMPT_COLUMN = "POAexemptCode"
EXEMPT_FEATURE = "present_on_admission_exempt"


def read_code_edits(path: str | Path, edition: int) -> dict[str, frozenset[str]]:
    """Reads the lists of the Medicare Code Editor and of the codes exempt from present-on-admission flags.

    Of several versions for the same edition of ICD the newest counts.

    Args:
        path: a tab-separated file, or a folder of such files (`*.txt`), as published by the Centers for Medicare
            & Medicaid Services. A file of edits has the columns `MCE_Version`, `ICD_Version`, `MCE_Edit_Type`,
            `ICD_Code_Type` and `ICD_Code`, one of exempt codes the column `POAexemptCode` (ICD-10-CM only).
        edition: 9 or 10, the edition of ICD whose lists are wanted.

    Returns:
        Usage feature -> codes without dot, for the features whose list was found.

    Raises:
        InputError: there is no such file, no file has one of these layouts, or none is of that edition.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "edits.txt"
        >>> columns = "MCE_Version ICD_Version MCE_Edit_Type ICD_Code_Type ICD_Code".split()
        >>> _ = path.write_text("\\t".join(columns) + "\\n" + "\\t".join("37 10 Male_Only D N401".split()))
        >>> read_code_edits(path, 10)
        {'male_only': frozenset({'N401'})}
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give the lists of the Medicare Code Editor")
    newest, found = -1, {}
    exempt: frozenset[str] = frozenset()
    recognised = False
    for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
        table = _read(file)
        if table is None:
            continue
        recognised = True
        if EXEMPT_COLUMN in table:
            exempt = exempt | frozenset(table[EXEMPT_COLUMN].str.replace(".", "").str.strip())
            continue
        table = table[(table.ICD_Version == str(edition)) & (table.ICD_Code_Type == "D")]
        if len(table) and (version := _version(file, table)) > newest:
            newest, found = version, _by_feature(table)
    if exempt and edition == 10:
        found[EXEMPT_FEATURE] = exempt
    if not recognised:
        raise InputError(
            f"{path}: no list of the Medicare Code Editor: expected tab-separated columns "
            f"{', '.join(sorted(EDIT_COLUMNS))}, or {EXEMPT_COLUMN}"
        )
    if not found:
        raise InputError(
            f"{path}: no diagnoses of ICD-{edition}; give the lists of that edition (ICD_Version)"
        )
    return found


def _by_feature(table: pd.DataFrame) -> dict[str, frozenset[str]]:
    codes = table.ICD_Code.str.replace(".", "").str.strip()
    return {
        feature: frozenset(codes[table.MCE_Edit_Type == edit])
        for edit, feature in EDIT_FEATURES.items()
        if (table.MCE_Edit_Type == edit).any()
    }


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
        if not (set(head) >= EDIT_COLUMNS or EXEMPT_COLUMN in head):
            return None
        columns = [EXEMPT_COLUMN] if EXEMPT_COLUMN in head else sorted(EDIT_COLUMNS)
        # Quotation marks are part of the descriptions, not of the layout.
        return pd.read_csv(
            file, sep="\t", dtype=str, encoding="latin-1", quoting=3, usecols=columns, keep_default_na=False
        )
