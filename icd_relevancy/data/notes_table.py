"""Reads notes from CSV, TSV, Parquet or JSON lines by the schema `data_schemas/notes.schema.json`."""

import functools
import json
from importlib import resources
from pathlib import Path

from icd_relevancy.data.columns import (
    SEX_NAMES,
    ages,
    code_lists,
    identifiers,
    optional_identifiers,
    optional_texts,
    sexes,
)
from icd_relevancy.data.mentions import mention_pairs
from icd_relevancy.data.notes import Notes
from icd_relevancy.files.content import Content
from icd_relevancy.files.records import Records, read_records

__all__ = ["SEX_NAMES", "notes_schema", "optional_columns", "read_notes"]
_OF_CODES = ("codes", "mentions")
EMPTY_NOTE = "the note has no text; fill it in or remove the row"


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


def read_notes(path, require_codes: bool = True, left_out: list[str] | None = None) -> Notes:
    """Reads notes by the notes schema.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.jl` or `.json` file (JSON lines, or an array), each also with
            `.gz`, or a `.parquet` file, with the columns `note_id`, `text`, `codes` and, where known, `patient_id`,
            `specialty`, `age` (years), `sex`, `code_system` (as `code_system_name` reads it) and, but for CSV and
            TSV, `mentions`. Other columns are ignored.
            `codes` is a list, or a string with codes separated by `;`, `,`, `|` or white space; a code that a
            note repeats counts once. `sex` F and M are read as female and male. In CSV and TSV an apostrophe before
            a text that begins with `=`, `+`, `-` or `@` is taken away, as we write them so.
        require_codes: Whether the column `codes` must be there; False reads notes to be coded, and leaves the
            columns `codes` and `mentions` unread. Defaults to True.
        left_out: A list that gets a line for each note without text, which is then left out, as long as others have
            text. Defaults to None: such a note is an error.

    Returns:
        The notes in the order of the file, codes as written there.

    Raises:
        InputError: If the file or a column is missing, or rows break the schema; names for each of the first twenty
            the row (1 for the first note; for JSON lines also the line), the column and the note.

    Example:

    >>> from icd_relevancy.data import Notes, read_notes
    >>> Notes(("1",), ("Cough.",), (("R05", "R50.9"),)).write("results/notes.jsonl")
    >>> read_notes("results/notes.jsonl").codes
    (('R05', 'R50.9'),)
    """
    wanted = [name for name in notes_schema()["properties"] if require_codes or name not in _OF_CODES]
    required = [name for name in notes_schema()["required"] if name in wanted]
    records = read_records(path, wanted, required, notes_schema()["properties"], "note_id")
    if left_out is not None:
        records = records.without("text", is_empty, EMPTY_NOTE, left_out)
    note_id = identifiers(records, "note")
    text = records.column("text", is_filled, EMPTY_NOTE)
    codes = code_lists(records, notes_schema()) if require_codes else ((),) * len(records.frame)
    optional = optional_columns(records)
    records.check()
    source = str(path) if isinstance(path, Content) else Path(path).name
    return Notes(note_id, tuple(text), codes, **optional, source=source)


def optional_columns(records: Records) -> dict[str, tuple]:
    """What a table says of its notes beside text and codes, by the name of the column; the caller must `check`."""
    properties = notes_schema()["properties"]
    readers = {
        "patient_id": optional_identifiers,
        "specialty": lambda records: optional_texts(
            records, "specialty", "the specialty must be text, or empty"
        ),
        "age": lambda records: ages(records, properties["age"]),
        "sex": lambda records: sexes(records, properties["sex"]["enum"]),
        "code_system": _code_systems,
        "mentions": _mentions,
    }
    return {name: read(records) for name, read in readers.items() if name in records.frame}


def _code_systems(records: Records) -> tuple[str | None, ...]:
    from icd_relevancy.codes import code_system_name

    def is_name(value) -> bool:
        return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))

    values = records.column("code_system", is_name, "must be the name of a code system, or empty")
    name_of = {value: code_system_name(value) or None for value in set(values) - {None}}
    return tuple([name_of.get(value) for value in values])


def _mentions(records: Records) -> tuple[tuple[tuple[str, str], ...] | None, ...]:
    rows = []
    for row, value in enumerate(records.frame["mentions"].tolist()):
        try:
            rows.append(mention_pairs(value))
        except ValueError as error:
            records.report(row, "mentions", str(error))
    return tuple(rows)


def is_filled(value) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def is_empty(value) -> bool:
    """Whether a value is a text that says nothing, or none."""
    return value is None or (isinstance(value, str) and not value.strip())
