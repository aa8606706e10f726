"""Code systems from a user's own table, and ATC."""

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema

from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.codes.table_rows import depth_first, own_name, read_rows, schema_problem
from icd_relevancy.errors import InputError, shown_code

ATC_CODE = re.compile(r"[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?")
ATC_LENGTHS = (1, 3, 4, 5)


def code_system_from_table(path: str | Path) -> CodeSystem:
    """Reads a code system from a table with one row a code, such as a national edition of ICD-10.

    The columns are those of `data_schemas/code_system.schema.json`: `code`, `title` and, optionally, `parent`
    (the code above; empty at the top). Codes are read as text, so leading zeros survive. Without `parent`
    every code is at the top.

    Args:
        path: a `.csv` (UTF-8), `.parquet`, `.jsonl` or `.ndjson` file. Its name without ending names the
            system.

    Returns:
        A `CodeSystem`, depth first, in the order of the table.

    Raises:
        InputError: the file cannot be read, a row breaks the schema, or a code is listed twice, has an
            unknown parent or is its own ancestor. The message names the row (the first data row is 1) and the
            code. The file may not be named `icd10cm` or `icd9cm`.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "toy.csv"
        >>> _ = path.write_text("code,title,parent\\n01,Infections,\\n01.1,Cholera,01\\n")
        >>> code_system_from_table(path).parent("01.1")
        '01'
    """
    path = Path(path)
    rows = _rows(path)
    titles: dict[str, str] = {}
    parents: dict[str, str | None] = {}
    for number, row in enumerate(rows, start=1):
        code = row["code"]
        if code in titles:
            raise InputError(
                f"{path}: row {number}: code {shown_code(code)} is listed twice; keep one row for each code"
            )
        titles[code] = row["title"].strip()
        parents[code] = (row.get("parent") or "").strip() or None
    for number, (code, parent) in enumerate(parents.items(), start=1):
        if parent is not None and parent not in titles:
            told = f"parent {shown_code(parent)} of code {shown_code(code)} has no row; add one"
            raise InputError(f"{path}: row {number}: {told}")
    return CodeSystem(own_name(path), depth_first(parents, path), titles, parents)


def atc(path: str | Path) -> CodeSystem:
    """Reads the Anatomical Therapeutic Chemical classification, with its hierarchy taken from the codes.

    `A10BA02` lies below `A10BA`, `A10B`, `A10` and `A` (NNBSVR §5.4). A group that the table lacks is added
    with its code as title, so that every level is complete. A `parent` column is ignored.

    Args:
        path: a table as in `code_system_from_table`, with the columns `code` and `title`.

    Returns:
        A `CodeSystem` named `"atc"`, in alphabetical order, which is depth first.

    Raises:
        InputError: as `code_system_from_table`, or a code is not an ATC code.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "atc.csv"
        >>> _ = path.write_text("code,title\\nA10BA02,metformin\\n")
        >>> atc(path).ancestors("A10BA02")
        ('A10BA', 'A10B', 'A10', 'A')
    """
    path = Path(path)
    titles: dict[str, str] = {}
    for number, row in enumerate(_rows(path), start=1):
        code = row["code"]
        if not ATC_CODE.fullmatch(code):
            raise InputError(f"{path}: row {number}: {shown_code(code)} is not an ATC code, such as A10BA02")
        if code in titles:
            raise InputError(
                f"{path}: row {number}: code {shown_code(code)} is listed twice; keep one row for each code"
            )
        titles[code] = row["title"].strip()
    for code in list(titles):
        for length in ATC_LENGTHS:
            titles.setdefault(code[:length], code[:length])
    codes = tuple(sorted(titles))
    parents = {code: next((code[:n] for n in reversed(ATC_LENGTHS) if n < len(code)), None) for code in codes}
    return CodeSystem("atc", codes, titles, parents)


def _rows(path: Path) -> list[dict]:
    rows = read_rows(path)
    schema = json.loads(
        (files("icd_relevancy.schemas") / "code_system.schema.json").read_text(encoding="utf-8")
    )
    validator = jsonschema.Draft202012Validator(schema)
    for number, row in enumerate(rows, start=1):
        if not validator.is_valid(row):
            error = jsonschema.exceptions.best_match(validator.iter_errors(row))
            code = shown_code(row.get("code"))
            raise InputError(f"{path}: row {number}, code {code}: {schema_problem(error)}")
    return rows
