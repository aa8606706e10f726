"""A code system by its name or from a table of one's own, and what such a table knows of codes."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np

from icd_relevancy.codes.features import ATC_CODE, KINDS, Feature
from icd_relevancy.codes.icd import PACKAGED
from icd_relevancy.codes.knowledge import CodeKnowledge, code_knowledge, from_columns
from icd_relevancy.codes.leaf_values import values_of_all_codes
from icd_relevancy.codes.system import CodeSystem, children, circle, code_system_name, depth_first
from icd_relevancy.errors import InputError, shown_code, shown_path, shown_word
from icd_relevancy.files.records import read_rows

_ATC_LENGTHS = (1, 3, 4, 5)
_REQUIRED = ("code", "title")
_KEYS = (*_REQUIRED, "parent")
_TRUTHS = dict.fromkeys(("true", "yes", "y", "1"), True) | dict.fromkeys(("false", "no", "n", "0"), False)


def code_system(name_or_path: str | Path) -> CodeSystem:
    """The code system of that name, or the one read from that table.

    Args:
        name_or_path: `"icd10cm"` or `"icd9cm"`, as `code_system_name` reads them, or the path of a table as in
            `code_system_from_table`.

    Returns:
        A `CodeSystem`.

    Raises:
        InputError: neither a known name nor a readable table.

    Example:
        >>> from icd_relevancy.codes import code_system
        >>> code_system("icd9cm").title("428.9")
        'Heart failure, unspecified'
    """
    name = code_system_name(name_or_path)
    if name in PACKAGED:
        return PACKAGED[name]()
    if not Path(name).suffix and not Path(name).exists():
        raise InputError(
            f"{shown_path(name)}: no such code system; give {', '.join(PACKAGED)} or the file of a table"
        )
    return code_system_from_table(name_or_path)


def code_system_from_table(path: str | Path) -> CodeSystem:
    """Reads a code system from a table with one row a code, such as a national edition of ICD-10.

    The columns are those of `data_schemas/code_system.schema.json`: `code`, `title` and, optionally, `parent`
    (the code above; empty at the top). Codes are read as text, so leading zeros survive. Without `parent`
    every code is at the top.

    Args:
        path: a `.csv` or `.tsv` (UTF-8), `.parquet` or JSON lines file, by its suffix. Its name without ending
            names the system.

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
    return _system(path, _rows_of_a_system(path))


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
    rows = _rows_of_a_system(path)
    for number, row in enumerate(rows, start=1):
        if not ATC_CODE.fullmatch(row["code"]):
            code = shown_code(row["code"])
            raise InputError(f"{path}: row {number}: {code} is not an ATC code, such as A10BA02")
    titles = _titles(path, rows)
    for code in list(titles):
        for length in _ATC_LENGTHS:
            titles.setdefault(code[:length], code[:length])
    codes = tuple(sorted(titles))
    parents = {
        code: next((code[:n] for n in reversed(_ATC_LENGTHS) if n < len(code)), None) for code in codes
    }
    return CodeSystem("atc", codes, titles, parents)


def knowledge_from_table(path: str | Path, code_system: str | CodeSystem | None = None) -> CodeKnowledge:
    """Knowledge from a table with one row a code and one column a feature (NNBSVR §3.1.1, §5.4).

    The columns are those of `data_schemas/code_features.schema.json`: `code`, `title`, optionally `parent`, and
    any others, which are features. A column named `name:kind` declares its kind; otherwise true/false, yes/no
    and 0/1 make a boolean, numbers an ordinal, lists and texts with semicolons a multiple, texts that repeat a
    categorical, and other texts a text. A missing boolean is False.

    Args:
        path: a `.csv` or `.tsv` (UTF-8), `.parquet` or JSON lines file, by its suffix.
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
    rows = _rows_with_features(path)
    codes = list(_titles(path, rows))
    known = code_knowledge(_system(path, rows) if code_system is None else code_system)
    system = known.code_system
    for number, code in enumerate(codes, start=1):
        if code not in system:
            raise InputError(
                f"{path}: row {number}: {shown_code(code)} is not a code of {system.name}; correct it or pass it "
                "through normalise()"
            )
    headers = list(dict.fromkeys(name for row in rows for name in row if name not in _KEYS))
    _check_headers(path, headers)
    columns = []
    for header in headers:
        feature, values = _column(path, header, [row.get(header) for row in rows])
        by_code = dict(zip(codes, values, strict=True))
        columns.append((feature, values_of_all_codes(system, feature.kind, by_code)))
    own = {feature.name for feature, _ in columns}
    packaged = [(feature, known.table[feature.name]) for feature in known.features if feature.name not in own]
    return from_columns(system, [*columns, *packaged])


def _system(path: Path, rows: list[dict]) -> CodeSystem:
    """The code system that rows with codes, titles and parents are, named after their file."""
    titles = _titles(path, rows)
    parents = {row["code"]: (row.get("parent") or "").strip() or None for row in rows}
    for number, (code, parent) in enumerate(parents.items(), start=1):
        if parent is not None and parent not in titles:
            problem = f"parent {shown_code(parent)} of code {shown_code(code)} has no row; add one"
            raise InputError(f"{path}: row {number}: {problem}")
    name = Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    # By its name the features and vectors of a packaged system are found.
    if name in PACKAGED:
        raise InputError(f"{path}: {name} names the packaged code system; give the file another name")
    if ring := circle(parents, parents):
        code, shown = ring
        raise InputError(
            f"{path}: row {list(parents).index(code) + 1}: following the parents of code {shown_code(code)} leads "
            f"round in a circle, {shown}; correct one of their parents"
        )
    below = children(parents)
    return CodeSystem(name, depth_first(below, below[None]), titles, parents)


def _titles(path: Path, rows: list[dict]) -> dict[str, str]:
    titles: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        if row["code"] in titles:
            code = shown_code(row["code"])
            raise InputError(f"{path}: row {number}: code {code} is listed twice; keep one row for each code")
        titles[row["code"]] = row["title"].strip()
    return titles


def _rows_of_a_system(path: Path) -> list[dict]:
    rows = [
        {name: "" if value is None and name in _REQUIRED else value for name, value in row.items()}
        for row in read_rows(path)
    ]
    for number, row in enumerate(rows, start=1):
        if error := _schema_error("code_system", row):
            code = shown_code(row.get("code"))
            raise InputError(f"{path}: row {number}, code {code}: {_schema_problem(error)}")
    return rows


def _rows_with_features(path: Path) -> list[dict]:
    rows = read_rows(path)
    for number, row in enumerate(rows, start=1):
        for column in _REQUIRED:
            if not isinstance(row.get(column), str) or not row[column].strip():
                where = f", code {shown_code(row['code'])}" if isinstance(row.get("code"), str) else ""
                raise InputError(
                    f"{path}: row {number}{where}: no {column}; every code needs a {column} as text"
                )
        if error := _schema_error("code_features", row):
            column = shown_word(error.path[0]) if error.path else "'the row'"
            raise InputError(f"{path}: row {number}: column {column} holds what its schema does not allow")
    return rows


def _check_headers(path: Path, headers: list[str]) -> None:
    seen: dict[str, str] = {}
    for header in headers:
        name = header.partition(":")[0]
        if name in _KEYS:
            raise InputError(
                f"{path}: column {shown_word(header)}: {name} is no feature; give it another name"
            )
        if name in seen:
            problem = f"columns {shown_word(seen[name])} and {shown_word(header)} have one name"
            raise InputError(f"{path}: {problem}; give one of them another")
        seen[name] = header


def _column(path: Path, header: str, values: list[object]) -> tuple[Feature, list[object]]:
    name, _, declared = header.partition(":")
    place = f"column {shown_word(header)}"
    if ":" in header and declared not in KINDS:
        problem = f"unknown kind {shown_word(declared)}; expected {', '.join(KINDS)}"
        raise InputError(f"{path}: {place}: {problem}")
    values = [None if value is None or value == [] or str(value).strip() == "" else value for value in values]
    kind = declared or _inferred(values)
    converted = []
    for number, value in enumerate(values, start=1):
        try:
            converted.append(None if value is None else _CONVERTERS[kind](value))
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}: row {number}: {place} does not hold a {kind} value") from None
    present = [value for value in converted if value is not None]
    if not present:
        raise InputError(f"{path}: {place} is empty; fill it or leave it out")
    distinct = set(present)
    if len(present) < len(converted):
        distinct.add(False if kind == "boolean" else None)
    if len(distinct) == 1 and len(converted) > 1:
        raise InputError(f"{path}: {place} is the same for every code; leave it out")
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
    return _TRUTHS[str(value).strip().lower()]


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


_CONVERTERS = dict(zip(KINDS, (_boolean, _ordinal, _single, _multiple, _single), strict=True))


def _schema_error(name: str, row: dict) -> jsonschema.ValidationError | None:
    """The first thing about a row that a schema does not allow."""
    return jsonschema.exceptions.best_match(_validator(name).iter_errors(row))


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = (files("icd_relevancy.schemas") / f"{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(schema))


def _schema_problem(error: jsonschema.ValidationError) -> str:
    """What a row has that its schema does not allow, without the text of a cell."""
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
        kinds = ", ".join(map(repr, [allowed] if isinstance(allowed, str) else allowed))
        return f"{column}: {shown_word(error.instance)} is not of type {kinds}"
    if error.validator == "maxLength":
        return f"{column}: must have at most {error.validator_value} characters"
    return f"{column}: must be text that is not empty, without white space around it"
