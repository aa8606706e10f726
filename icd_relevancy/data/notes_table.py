"""Reads notes from CSV, TSV, Parquet or JSON lines by the schema `data_schemas/notes.schema.json`."""

import functools
import json
import re
import sys
from importlib import resources
from itertools import chain
from pathlib import Path

import pandas as pd

from icd_relevancy.data.mentions import mention_pairs
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.records import Records, read_records
from icd_relevancy.errors import shown_code, shown_note

_SEPARATORS = re.compile(r"[;,|\s]+")
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
            `age` (years), `sex`, `code_system` and, but for CSV and TSV, `mentions`. Other columns are ignored.
            `codes` is a list, or a string with codes separated by `;`, `,`, `|` or white space; a code that a
            note repeats counts once. `sex` F and M are read as female and male.
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


def optional_columns(records: Records) -> dict[str, tuple]:
    """What a table says of its notes beside text and codes, by the name of the column, checked."""
    readers = {
        "patient_id": _patient_ids,
        "specialty": _specialties,
        "age": _ages,
        "sex": _sexes,
        "code_system": _code_systems,
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


def _code_systems(records: Records) -> tuple[str | None, ...]:
    values = records.column("code_system", _is_text_or_none, "must be the name of a code system, or empty")
    return tuple([(value or "").strip() or None for value in values])


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
