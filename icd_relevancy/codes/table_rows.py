"""The rows of a user's table of codes, and the order of its hierarchy."""

import json
from pathlib import Path

import jsonschema
import pandas as pd

from icd_relevancy.codes.system import PACKAGED_SYSTEMS, circle
from icd_relevancy.errors import InputError, shown_code, shown_word
from icd_relevancy.files.safe_reading import has_lone_surrogate, readable


def read_rows(path: Path) -> list[dict]:
    """The rows of a table, each a dict by column; texts stay texts.

    Args:
        path: a `.csv` (UTF-8), `.parquet`, `.jsonl` or `.ndjson` file.

    Raises:
        InputError: the file is missing, of another kind, damaged or without rows.
    """
    readers = {".csv": _csv_rows, ".parquet": _parquet_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    if path.suffix.lower() not in readers:
        raise InputError(
            f"{path}: cannot read {path.suffix or 'this file'}; give a .csv, .parquet or .jsonl file"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with readable(path):
        rows = readers[path.suffix.lower()](path)
    if not rows:
        raise InputError(f"{path}: the table has no rows")
    return rows


def own_name(path: Path) -> str:
    """The name of the code system that a table makes: that of its file without ending.

    Args:
        path: the table's file.

    Raises:
        InputError: a packaged code system has that name, by which its features and vectors are found.
    """
    if path.stem in PACKAGED_SYSTEMS:
        raise InputError(f"{path}: {path.stem} names the packaged code system; give the file another name")
    return path.stem


def depth_first(parents: dict[str, str | None], path: Path) -> tuple[str, ...]:
    """The codes with every parent before its children, in the order of the table.

    Args:
        parents: the parent of each code, None at the top.
        path: the table's file, to be named in an error.

    Raises:
        InputError: a code is its own ancestor.
    """
    below: dict[str | None, list[str]] = {}
    for code, parent in parents.items():
        below.setdefault(parent, []).append(code)
    ordered: list[str] = []
    pending = below.get(None, [])[::-1]
    while pending:
        ordered.append(pending.pop())
        pending.extend(below.get(ordered[-1], [])[::-1])
    if len(ordered) < len(parents):
        reached = set(ordered)
        number, code = next((n, c) for n, c in enumerate(parents, start=1) if c not in reached)
        raise InputError(
            f"{path}: row {number}: following the parents of code {shown_code(code)} leads round in a circle, "
            f"{circle(code, parents)}; correct one of their parents"
        )
    return tuple(ordered)


def _csv_rows(path: Path) -> list[dict]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return table.to_dict("records")


def _parquet_rows(path: Path) -> list[dict]:
    table = pd.read_parquet(path)
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _json_rows(path: Path) -> list[dict]:
    rows = []
    # Not by splitlines: JSON may hold other line breaks than this one inside its texts.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            told = getattr(error, "msg", "nested too deeply, or a number too long")
            raise InputError(f"{path}: line {number} is not JSON: {told}") from None
        if not isinstance(rows[-1], dict):
            raise InputError(f"{path}: line {number} is not a JSON object with code, title and parent")
        if "\\u" in line and has_lone_surrogate(rows[-1]):
            raise InputError(f"{path}: line {number} holds half of a surrogate pair; write it whole")
    return rows


def schema_problem(error: jsonschema.ValidationError) -> str:
    """What a row has that its schema does not allow, without the text of a cell.

    Args:
        error: What a validator said.
    """
    if error.validator == "required":
        lacking = next(name for name in error.validator_value if name not in error.instance)
        return f"no {lacking!r}; every row needs one"
    if error.validator == "additionalProperties" and not error.path:
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        return f"unknown column {shown_word(unknown)}; the columns are {', '.join(known)}"
    column = shown_word(error.path[0], quoted=False) if error.path else "the row"
    if error.validator == "type":
        allowed = error.validator_value
        told = ", ".join(map(repr, [allowed] if isinstance(allowed, str) else allowed))
        return f"{column}: {shown_word(error.instance)} is not of type {told}"
    if error.validator == "maxLength":
        return f"{column}: must have at most {error.validator_value} characters"
    return f"{column}: must be text that is not empty, without white space around it"
