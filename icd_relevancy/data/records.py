"""Tables of CSV, TSV, Parquet or JSON lines as Python values, and one clear line for what is wrong in them."""

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from icd_relevancy.data.table_files import StandardInput, as_written, table_format
from icd_relevancy.errors import InputError
from icd_relevancy.safe_reading import has_lone_surrogate, opened, readable

LONE_SURROGATE = "half of a surrogate pair (\\ud800 to \\udfff); write it whole"


@dataclass(frozen=True)
class Records:
    """The columns of a table as it was read, before they are checked.

    Args:
        path: The file, for messages.
        frame: Its columns as Python values, None where a cell is empty.
        lines: For JSON lines the line of each row, else None. Defaults to None.
    """

    path: str | Path
    frame: pd.DataFrame
    lines: list[int] | None = None

    def place(self, row: int) -> str:
        """Where a user finds row `row` (counted from 0)."""
        return f"row {row + 1}" if self.lines is None else f"row {row + 1} (line {self.lines[row]})"

    def error(self, row: int, name: str, problem: str) -> InputError:
        """The error for the cell of column `name` in row `row` (counted from 0)."""
        return InputError(f"{self.path}, {self.place(row)}, column {name!r}: {problem}")

    def column(self, name: str, is_good: Callable[[object], bool], problem: str) -> list:
        """The values of column `name`.

        Raises:
            InputError: With `problem`, for the first value that is not good.
        """
        values = self.frame[name].tolist()
        for row, value in enumerate(values):
            if not is_good(value):
                raise self.error(row, name, problem)
        return values


def read_records(path, wanted: list[str], required: list[str], names: Iterable[str] = ()) -> Records:
    """Reads the wanted columns of a table as Python values, None where a cell is empty.

    Args:
        path: A `.csv`, `.tsv`, `.parquet` or JSON lines file, by its suffix; or `StandardInput()`.
        wanted: Columns to read where they are there. From CSV and TSV all are text, except `age`.
        required: Those that must be there, in JSON lines in every record.
        names: All columns that a schema knows, to recognise misspelled ones. Defaults to those wanted.

    Raises:
        InputError: If the file cannot be read, a required column is missing or there is no row.
    """
    piped = isinstance(path, StandardInput)
    table, names = "jsonl" if piped else table_format(path), tuple(names) or tuple(wanted)
    if not piped and not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    lines = None
    with readable(path):
        if table == "parquet":
            frame = _parse_parquet(path, wanted, required, names)
        elif table == "jsonl":
            frame, lines = _parse_json_lines(path, wanted, required, names)
        else:
            frame = _parse_csv(path, "\t" if table == "tsv" else ",", wanted, required, names)
    if frame.empty:
        raise InputError(f"{path}: the file has no rows")
    return Records(path, frame, lines)


def _check_columns(path, columns, required: list[str], names: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        # In a file without a header the "columns" would be the first note.
        known = {str(name).strip().lower() for name in columns} & set(names)
        found = [name for name in map(str, columns) if known and re.fullmatch(r"\w{1,40}", name)]
        told = ", ".join(found) or "none of the known ones (has the file a header?)"
        wanted = ", ".join(map(repr, missing))
        raise InputError(f"{path}: no column {wanted}; the columns are {told}. Rename or add the missing one")
    spelled = {name.replace("_", ""): name for name in names}
    for column in map(str, columns):
        meant = spelled.get(re.sub(r"[\W_]", "", column).lower())
        if meant and meant not in columns:
            raise InputError(f"{path}: column {column[:60]!r} looks like {meant!r}; rename it")


def _parse_csv(path, separator: str, wanted: list[str], required: list[str], names) -> pd.DataFrame:
    # Everything is text, and "NA" or "None" are texts too.
    options = {"sep": separator, "dtype": object, "keep_default_na": False, "encoding": "utf-8-sig"}
    columns = pd.read_csv(path, nrows=0, **options).columns
    _check_columns(path, columns, required, names)
    try:
        frame = pd.read_csv(path, **options)
    except pd.errors.ParserError:
        _check_widths(path, separator)
        raise
    # pandas takes surplus fields of the first row for an index, and missing ones for empty ones.
    if not isinstance(frame.index, pd.RangeIndex) or (frame.iloc[:, -1] == "").any():
        _check_widths(path, separator)
    frame = as_written(frame[[name for name in wanted if name in columns]])
    frame = frame.where(frame != "", None)
    if "age" in frame:
        numbers = pd.to_numeric(frame["age"], errors="coerce").astype(object)
        frame["age"] = numbers.where(numbers.notna(), frame["age"])
    return frame


def _check_widths(path, separator: str) -> None:
    """Raises `InputError` for the first row that has not as many fields as the header."""
    opened = gzip.open if str(path).lower().endswith(".gz") else open
    limit = csv.field_size_limit(2**31 - 1)
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = filter(None, csv.reader(file, delimiter=separator))
            width = len(next(rows))
            for number, row in enumerate(rows, 1):
                if len(row) != width:
                    told = (
                        f"row {number} has {'more' if len(row) > width else 'fewer'} fields than the header"
                    )
                    raise InputError(
                        f"{path}: {told}; quote fields that hold a {separator!r} or a line break"
                    )
    finally:
        csv.field_size_limit(limit)


def _parse_parquet(path, wanted: list[str], required: list[str], names) -> pd.DataFrame:
    file = pq.ParquetFile(path)
    columns = file.schema_arrow.names
    _check_columns(path, columns, required, names)
    table = file.read(columns=[name for name in wanted if name in columns])
    # Through Python values: pandas would turn whole numbers with gaps into floats.
    values = {name: table.column(name).to_pylist() for name in table.column_names}
    return _object_frame({name: _without_nan(column) for name, column in values.items()})


def _object_frame(columns: dict[str, list]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})


def _without_nan(values: list) -> list:
    return [None if isinstance(value, float) and value != value else value for value in values]


def column_with_lone_surrogate(record: dict, names: list[str]) -> str | None:
    """The first of the columns in which JSON escapes leave half of a surrogate pair, or None.

    No file can be written with it, nor can it be tokenised.

    Args:
        record: A note as JSON gives it.
        names: The columns to look at.

    Example:

    >>> from icd_relevancy.data.records import column_with_lone_surrogate
    >>> column_with_lone_surrogate({"note_id": "1", "text": chr(0xD800)}, ["note_id", "text"])
    'text'
    """
    # What is wrong inside a mention is told by its reader.
    return next((name for name in names if name != "mentions" and has_lone_surrogate(record.get(name))), None)


def _not_json(constant: str):
    raise ValueError(f"{constant} is not JSON")


def _parse_json_lines(path, wanted: list[str], required: list[str], names) -> tuple[pd.DataFrame, list[int]]:
    decode = json.JSONDecoder(parse_constant=_not_json).decode
    values = {name: [] for name in wanted}
    columns, lines, incomplete = {}, [], None
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            line = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if not line:
                continue
            try:
                record = decode(line)
            except (ValueError, RecursionError) as error:
                column = getattr(error, "colno", 1)
                told = f"malformed JSON at character {column}; each line must hold one JSON object"
                raise InputError(f"{path}, line {number}: {told}") from None
            if not isinstance(record, dict):
                raise InputError(f"{path}, line {number}: each line must hold one JSON object")
            columns.update(dict.fromkeys(record))
            lines.append(number)
            # Only an escape gives half of a pair: the decoder refuses it as bytes.
            name = column_with_lone_surrogate(record, wanted) if "\\u" in line else None
            if name:
                place = f"{path}, row {len(lines)} (line {number})"
                raise InputError(f"{place}, column {name!r}: {LONE_SURROGATE}")
            if incomplete is None and not record.keys() >= set(required):
                incomplete = len(lines), number, next(name for name in required if name not in record)
            for name, column in values.items():
                column.append(record.get(name))
    if incomplete:
        _check_columns(path, columns, required, names)
        row, number, name = incomplete
        raise InputError(f"{path}, row {row} (line {number}): no {name!r}; every record needs it")
    return _object_frame({name: column for name, column in values.items() if name in columns}), lines
