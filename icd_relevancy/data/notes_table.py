"""Reads notes from CSV, TSV, Parquet or JSON lines by the schema `data_schemas/notes.schema.json`."""

import csv
import functools
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from icd_relevancy.data.mentions import mention_pairs
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.table_files import StandardInput, table_format
from icd_relevancy.errors import InputError, shown_code, shown_note

_SEPARATORS = re.compile(r"[;,|\s]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
LONE_SURROGATE = "half of a surrogate pair (\\ud800 to \\udfff); write it whole"
_OF_CODES = ("codes", "mentions")
SEX_NAMES = {"F": "female", "M": "male"}


@functools.cache
def notes_schema() -> dict:
    """The JSON Schema (draft 2020-12) of one note, as installed with the package.

    Example:

    >>> from icd_relevancy.data.notes_table import notes_schema
    >>> notes_schema()["required"]
    ['note_id', 'text', 'codes']
    """
    file = resources.files("icd_relevancy.schemas") / "notes.schema.json"
    return json.loads(file.read_text("utf-8"))


def read_notes(path, require_codes: bool = True) -> Notes:
    """Reads notes by the notes schema.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl` or `.json` file (JSON lines), each also with `.gz`, or a `.parquet`
            file, with the columns `note_id`, `text`, `codes` and, where known, `patient_id`, `specialty`,
            `age` (years), `sex` and, but for CSV and TSV, `mentions`. Other columns are ignored. `codes` is a
            list, or a string with codes separated by `;`, `,`, `|` or white space; a code that a note repeats
            counts once. `sex` F and M are read as female and male.
        require_codes: Whether the column `codes` must be there; False reads notes to be coded, and leaves the
            columns `codes` and `mentions` unread. Defaults to True.

    Returns:
        The notes in the order of the file, codes as written there.

    Raises:
        InputError: If the file or a column is missing, or a row breaks the schema; names the row (1 for the
            first note; for JSON lines also the line) and the column.

    Example:

    >>> from icd_relevancy.data import Notes, read_notes
    >>> Notes(("1",), ("Cough.",), (("R05", "R50.9"),)).write("results/notes.jsonl")
    >>> read_notes("results/notes.jsonl").codes
    (('R05', 'R50.9'),)
    """
    wanted = [name for name in notes_schema()["properties"] if require_codes or name not in _OF_CODES]
    required = [name for name in notes_schema()["required"] if name in wanted]
    records = read_records(path, wanted, required, notes_schema()["properties"])
    note_id = _note_ids(records)
    text = tuple(records.column("text", _is_filled, "the note has no text; fill it in or remove the row"))
    codes = _codes(records) if require_codes else ((),) * len(records.frame)
    return Notes(note_id, text, codes, **optional_columns(records), source=Path(path).name)


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


def optional_columns(records: Records) -> dict[str, tuple]:
    """What a table says of its notes beside text and codes, by the name of the column, checked."""
    readers = {
        "patient_id": _patient_ids,
        "specialty": _specialties,
        "age": _ages,
        "sex": _sexes,
        "mentions": _mentions,
    }
    return {name: read(records) for name, read in readers.items() if name in records.frame}


def _note_ids(records: Records) -> tuple[str, ...]:
    problem = "each note needs an identifier, text or a whole number"
    values = records.column("note_id", lambda value: _is_identifier(value) and str(value).strip(), problem)
    note_id = tuple(map(_identifier, values))
    repeated = pd.Series(note_id, dtype=object).duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        first = records.place(note_id.index(note_id[row]))
        told = f"the note_id of {shown_note(note_id[row], row + 1)} is also that of {first}; make it unique"
        raise records.error(row, "note_id", told)
    return note_id


def _patient_ids(records: Records) -> tuple[str | None, ...]:
    problem = "a patient's identifier must be text or a whole number, or empty"
    values = records.column("patient_id", lambda value: value is None or _is_identifier(value), problem)
    return tuple([None if value is None else _identifier(value) or None for value in values])


def _specialties(records: Records) -> tuple[str | None, ...]:
    values = records.column("specialty", _is_text_or_none, "the specialty must be text, or empty")
    return tuple([value or None for value in values])


def _ages(records: Records) -> tuple[float | None, ...]:
    lowest, highest = (notes_schema()["properties"]["age"][bound] for bound in ("minimum", "maximum"))
    problem = f"the age must be a number of years from {lowest} to {highest}, or empty"
    values = records.column(
        "age", lambda value: value is None or (_is_number(value) and lowest <= value <= highest), problem
    )
    return tuple([None if value is None else float(value) for value in values])


def _sexes(records: Records) -> tuple[str | None, ...]:
    allowed = [value for value in notes_schema()["properties"]["sex"]["enum"] if value is not None]
    problem = f"the sex must be one of {', '.join(allowed)}, or empty"
    values = records.column("sex", lambda value: value is None or value in allowed, problem)
    return tuple([SEX_NAMES.get(value, value) for value in values])


def _mentions(records: Records) -> tuple[tuple[tuple[str, str], ...] | None, ...]:
    rows = []
    for row, value in enumerate(records.frame["mentions"].tolist()):
        try:
            rows.append(mention_pairs(value))
        except ValueError as error:
            raise records.error(row, "mentions", str(error)) from None
    return tuple(rows)


def _codes(records: Records) -> tuple[tuple[str, ...], ...]:
    """Each row's codes without repeats; equal codes share one string, which a million notes need."""
    rows = []
    for row, value in enumerate(records.frame["codes"].tolist()):
        if isinstance(value, str):
            value = [code for code in _SEPARATORS.split(value) if code]
        elif value is None:
            value = ()
        elif not isinstance(value, list) or not all(isinstance(code, str) for code in value):
            told = "codes must be text or a list of text; numbers lose their leading zeros"
            raise records.error(row, "codes", told)
        rows.append(tuple(dict.fromkeys(map(sys.intern, value))))
    pattern = re.compile(notes_schema()["$defs"]["code"]["pattern"])
    malformed = {code for code in set(chain.from_iterable(rows)) if not pattern.fullmatch(code)}
    if malformed:
        row, codes = next((row, codes) for row, codes in enumerate(rows) if not malformed.isdisjoint(codes))
        code = next(code for code in codes if code in malformed)
        told = f"malformed: {shown_code(code)}; a code has letters, digits, '.' and '-' only"
        raise records.error(row, "codes", told)
    return tuple(rows)


def _is_filled(value) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_text_or_none(value) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_identifier(value) -> bool:
    # Parquet files written from pandas hold whole numbers as floats where some are missing.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _identifier(value) -> str:
    return value.strip() if isinstance(value, str) else str(int(value))


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


@contextmanager
def readable(path) -> Iterator[None]:
    """Turns what pandas, Arrow, gzip and the decoder raise for a broken file into an `InputError`.

    Args:
        path: The file that the block reads; named in the message.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: {_first_undecodable(path)} is not UTF-8; save the file as UTF-8"
        ) from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: the file is empty") from error
    except (pd.errors.ParserError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be parsed: {str(error).splitlines()[0].strip()}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file; fetch or compress it again") from error


def _open(path):
    if isinstance(path, StandardInput):
        return io.BytesIO(path.content)
    return gzip.open(path) if str(path).lower().endswith(".gz") else open(path, "rb")


def _first_undecodable(path) -> str:
    start = 0
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number} (byte {start + error.start})"
            start += len(line)
    return "the text"


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
            raise InputError(f"{path}: column {column!r} looks like {meant!r}; rename it")


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
    frame = frame[[name for name in wanted if name in columns]]
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
    """The first of the columns whose text JSON escapes leave with half of a surrogate pair, or None.

    No file can be written with it, nor can it be tokenised.

    Args:
        record: A note as JSON gives it.
        names: The columns to look at.

    Example:

    >>> from icd_relevancy.data.notes_table import column_with_lone_surrogate
    >>> column_with_lone_surrogate({"note_id": "1", "text": chr(0xD800)}, ["note_id", "text"])
    'text'
    """
    texts = {name: record[name] for name in names if isinstance(record.get(name), str)}
    return next((name for name, text in texts.items() if _SURROGATE.search(text)), None)


def _not_json(constant: str):
    raise ValueError(f"{constant} is not JSON")


def _parse_json_lines(path, wanted: list[str], required: list[str], names) -> tuple[pd.DataFrame, list[int]]:
    decode = json.JSONDecoder(parse_constant=_not_json).decode
    values = {name: [] for name in wanted}
    columns, lines, incomplete = {}, [], None
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if not line:
                continue
            try:
                record = decode(line)
            except (ValueError, RecursionError) as error:
                column = getattr(error, "colno", 1)
                told = f"malformed JSON at character {column}; each line must hold one JSON object"
                raise InputError(f"{path}, line {number}: {told}") from error
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
