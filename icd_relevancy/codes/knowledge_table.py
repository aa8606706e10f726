"""Knowledge of codes from a user's own table."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np

from icd_relevancy.codes.feature import KINDS, Feature
from icd_relevancy.codes.knowledge import CodeKnowledge, code_knowledge, from_columns
from icd_relevancy.codes.leaf_values import values_of_all_codes
from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.codes.table_rows import depth_first, own_name, read_rows
from icd_relevancy.errors import InputError, shown_code, shown_word

KEYS = ("code", "title", "parent")
TRUTHS = {
    "true": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "no": False,
    "n": False,
    "0": False,
}


def knowledge_from_table(path: str | Path, code_system: str | CodeSystem | None = None) -> CodeKnowledge:
    """Knowledge from a table with one row a code and one column a feature (NNBSVR §3.1.1, §5.4).

    The columns are those of `data_schemas/code_features.schema.json`: `code`, `title`, optionally `parent`, and
    any others, which are features. A column named `name:kind` declares its kind; otherwise true/false, yes/no
    and 0/1 make a boolean, numbers an ordinal, lists and texts with semicolons a multiple, texts that repeat a
    categorical, and other texts a text. A missing boolean is False.

    Args:
        path: a `.csv` (UTF-8), `.parquet`, `.jsonl` or `.ndjson` file.
        code_system: `"icd10cm"`, `"icd9cm"` or a `CodeSystem` whose knowledge the table's features join; a
            feature of the same name is replaced. A code without a row has the values of the nearest code above
            that has one; a group without, those of most codes below. Defaults to None: the table is the code
            system, named after the file.

    Returns:
        A `CodeKnowledge`.

    Raises:
        InputError: the file cannot be read; a code is listed twice, has no title, or is not of `code_system`; a
            parent has no row; two columns have one name, or a feature that of `code`, `title` or `parent`; a
            column's kind is unknown, its values do not fit the kind, or it says nothing because it is constant
            or empty. The message names the row (the first data row is 1) or the column. A table that is the
            code system may not be named `icd10cm` or `icd9cm`.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from icd_relevancy.codes import knowledge_from_table
        >>> path = Path(mkdtemp()) / "dental.csv"
        >>> _ = path.write_text("code,title,surgical\\nD0120,Periodic examination,no\\nD7140,Extraction,yes\\n")
        >>> known = knowledge_from_table(path)
        >>> known.table["surgical"].tolist()
        [False, True]
    """
    path = Path(path)
    rows = _checked_rows(path)
    if code_system is None:
        system = _system(path, rows)
        known = code_knowledge(system)
    else:
        known = code_knowledge(code_system)
        system = known.code_system
        for number, row in enumerate(rows, start=1):
            if row["code"] not in system:
                raise InputError(
                    f"{path}: row {number}: {shown_code(row['code'])} is not a code of {system.name}; correct it "
                    "or pass it through normalise()"
                )
    headers = list(dict.fromkeys(name for row in rows for name in row if name not in KEYS))
    _check_names(path, headers)
    columns = []
    for header in headers:
        feature, values = _column(path, header, [row.get(header) for row in rows])
        by_code = dict(zip((row["code"] for row in rows), values, strict=True))
        columns.append((feature, values_of_all_codes(system, feature.kind, by_code)))
    own = {feature.name for feature, _ in columns}
    packaged = [(feature, known.table[feature.name]) for feature in known.features if feature.name not in own]
    return from_columns(system, [*columns, *packaged])


def _checked_rows(path: Path) -> list[dict]:
    rows = read_rows(path)
    rows = [{name: _plain(value) for name, value in row.items()} for row in rows]
    schema = json.loads((files("icd_relevancy.schemas") / "code_features.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        for column in ("code", "title"):
            if not isinstance(row.get(column), str) or not row[column].strip():
                where = f", code {shown_code(row['code'])}" if isinstance(row.get("code"), str) else ""
                raise InputError(
                    f"{path}: row {number}{where}: no {column}; every code needs a {column} as text"
                )
        if error := jsonschema.exceptions.best_match(validator.iter_errors(row)):
            column = shown_word(error.path[0]) if error.path else "'the row'"
            raise InputError(f"{path}: row {number}: column {column} holds what its schema does not allow")
        if row["code"] in seen:
            raise InputError(
                f"{path}: row {number}: code {shown_code(row['code'])} is listed twice; keep one row for each code"
            )
        seen.add(row["code"])
    return rows


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _system(path: Path, rows: list[dict]) -> CodeSystem:
    titles = {row["code"]: row["title"].strip() for row in rows}
    parents = {row["code"]: (row.get("parent") or "").strip() or None for row in rows}
    for number, (code, parent) in enumerate(parents.items(), start=1):
        if parent is not None and parent not in titles:
            raise InputError(
                f"{path}: row {number}: parent {shown_code(parent)} of code {shown_code(code)} has no row; add one"
            )
    return CodeSystem(own_name(path), depth_first(parents, path), titles, parents)


def _check_names(path: Path, headers: list[str]) -> None:
    seen: dict[str, str] = {}
    for header in headers:
        name = header.partition(":")[0]
        if name in KEYS:
            raise InputError(
                f"{path}: column {shown_word(header)}: {name} is no feature; give it another name"
            )
        if name in seen:
            told = f"columns {shown_word(seen[name])} and {shown_word(header)} have one name"
            raise InputError(f"{path}: {told}; give one of them another")
        seen[name] = header


def _column(path: Path, header: str, values: list[object]) -> tuple[Feature, list[object]]:
    name, _, declared = header.partition(":")
    if ":" in header and declared not in KINDS:
        told = f"unknown kind {shown_word(declared)}; expected {', '.join(KINDS)}"
        raise InputError(f"{path}: column {shown_word(header)}: {told}")
    values = [None if value is None or value == [] or str(value).strip() == "" else value for value in values]
    kind = declared or _inferred(values)
    converted = []
    for number, value in enumerate(values, start=1):
        try:
            converted.append(None if value is None else _CONVERTERS[kind](value))
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: row {number}: column {shown_word(header)} does not hold a {kind} value"
            ) from None
    present = [value for value in converted if value is not None]
    if not present:
        raise InputError(f"{path}: column {shown_word(header)} is empty; fill it or leave it out")
    distinct = set(present) | ({None} if len(present) < len(converted) and kind != "boolean" else set())
    if kind == "boolean" and len(present) < len(converted):
        distinct.add(False)
    if len(distinct) == 1 and len(converted) > 1:
        raise InputError(f"{path}: column {shown_word(header)} is the same for every code; leave it out")
    return Feature(name, "usage", kind, f"Column {name} of {path.name}."), converted


def _inferred(values: list[object]) -> str:
    present = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in present):
        return "multiple"
    for kind in ("boolean", "ordinal"):
        try:
            for value in present:
                _CONVERTERS[kind](value)
        except (ValueError, KeyError, TypeError):
            continue
        return kind
    texts = [str(value) for value in present]
    if any(";" in text for text in texts):
        return "multiple"
    return "categorical" if 2 * len(set(texts)) <= len(texts) else "text"


def _boolean(value: object) -> bool:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return TRUTHS[str(value).strip().lower()]


def _ordinal(value: object) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(value)
    return number


def _multiple(value: object) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else str(value).split(";")
    return tuple(sorted({entry.strip() for entry in entries if entry.strip()}))


def _single(value: object) -> str:
    return str(value).strip()


_CONVERTERS = {
    "boolean": _boolean,
    "ordinal": _ordinal,
    "categorical": _single,
    "multiple": _multiple,
    "text": _single,
}
