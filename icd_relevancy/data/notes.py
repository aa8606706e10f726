"""Clinical notes with their codes, read and written by the schema `data_schemas/notes.schema.json`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from icd_relevancy.codes import code_system_name
from icd_relevancy.data.columns import (
    Columns,
    ages,
    checked_columns,
    code_lists,
    identifiers,
    patients,
    read_columns,
    schema,
    sexes,
    short_texts,
    source_name,
)
from icd_relevancy.files.records import Records
from icd_relevancy.files.safe_reading import has_lone_surrogate
from icd_relevancy.files.tables import LISTS, Encoder

EMPTY_NOTE = "the note has no text; fill it in or remove the row"
_NO_MENTIONS = 'mentions must be a list of {"code": …, "text": …}, which CSV and TSV cannot hold'


def _mention_records(pairs) -> list[dict[str, str]] | None:
    return None if pairs is None else [{"code": code, "text": text} for code, text in pairs]


_MENTIONS = pa.list_(pa.struct([("code", pa.string()), ("text", pa.string())]))
NOTE_ENCODERS = {"codes": LISTS, "mentions": Encoder(_mention_records, _MENTIONS, None)}


@dataclass(frozen=True, repr=False)
class Notes(Columns):
    """Clinical notes and their codes: one tuple for each column of the notes schema.

    Args:
        note_id: Identifiers, unique.
        text: The notes.
        codes: For each note a tuple of its codes; empty for a note without codes.
        patient_id: For each note its patient, None where not known. Defaults to None: not known for any.
        specialty: For each note its specialty, None where not known. Defaults to None.
        age: For each note the patient's age in years, None where not known. Defaults to None.
        sex: For each note `"female"`, `"male"`, `"other"`, `"unknown"` or None. Defaults to None.
        source: Where the notes come from, for reports. Defaults to `""`.
        code_system: For each note the name of the code system of its codes, None where not told. Defaults to
            None.
        mentions: For each note the pairs `(code, text)` of its annotated mentions, the words that the code was
            given for; None where not annotated. Defaults to None.

    Raises:
        InputError: If the columns differ in length, a note_id repeats, or a note's codes are one string.

    Example:

    >>> from icd_relevancy.data import Notes
    >>> notes = Notes(("1", "2"), ("Cough.", "Fever, cough."), codes=(("786.2",), ("780.6", "786.2")))
    >>> len(notes), notes.label_names(min_count=2)
    (2, ('786.2',))
    """

    _row: ClassVar = "note"
    _encoders: ClassVar = NOTE_ENCODERS

    note_id: tuple[str, ...]
    text: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    patient_id: tuple[str | None, ...] | None = None
    specialty: tuple[str | None, ...] | None = None
    age: tuple[float | None, ...] | None = None
    sex: tuple[str | None, ...] | None = None
    source: str = ""
    code_system: tuple[str | None, ...] | None = None
    mentions: tuple[tuple[tuple[str, str], ...] | None, ...] | None = None

    def blocks(self, size: int = 1024) -> Iterator["Notes"]:
        """The notes in their order, in parts whose features and scores fit into memory.

        Args:
            size: Most notes of a part. Defaults to 1024.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> notes = Notes(("1", "2", "3"), ("Cough.", "Fever.", "Pain."), ((), (), ()))
        >>> [part.note_id for part in notes.blocks(2)]
        [('1', '2'), ('3',)]
        """
        for begin in range(0, len(self), size):
            yield self.select(range(begin, min(begin + size, len(self))))

    def groups(self) -> np.ndarray:
        """Groups of notes that must stay in one fold, since they would leak into each other.

        Two notes are in one group when they share a patient or the verbatim text (case and white space
        apart), directly or through other notes.

        Returns:
            int array `(n,)` of group numbers 0, 1, …, in the order of each group's first note.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> notes = Notes("abcd", ("Cough.", "cough. ", "Fever.", "Pain."), ((),) * 4, patient_id="1223")
        >>> notes.groups().tolist()
        [0, 0, 0, 1]
        """
        # A hash stands for the text, so that a million texts are not held twice.
        hashes = (hash(" ".join(text.split()).casefold()) for text in self.text)
        return self._groups(np.fromiter(hashes, np.int64, len(self)))

    def write(self, path) -> None:
        """Writes the notes by the notes schema, for `read_notes`.

        Args:
            path: File whose suffix gives the format: `.csv` and `.tsv` (codes joined by `;`), `.jsonl` or
                `.json` (JSON lines), each also with `.gz`, or `.parquet`. An older file is replaced. CSV and TSV
                leave out the mentions, which they cannot hold, and write an apostrophe before a text that a
                spreadsheet would run (one that begins with `=`, `+`, `-`, `@`), which `read_notes` takes away.

        Raises:
            InputError: If the suffix is none of these.

        Example:

        >>> from icd_relevancy.data import Notes, read_notes
        >>> Notes(("1",), ("Cough.",), (("R05",),)).write("results/notes.csv")
        >>> read_notes("results/notes.csv").codes
        (('R05',),)
        """
        self._write(path)


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
    records = read_columns(path, "notes", () if require_codes else NOTE_ENCODERS)
    return checked_notes(records, source_name(path), left_out)


def checked_notes(records: Records, source: str, left_out: list[str] | None) -> Notes:
    """The notes of a table; without codes where it has no such column."""
    if left_out is not None:
        records = records.without("text", _is_empty, EMPTY_NOTE, left_out)
    rules = schema("notes")["properties"]
    note_id = identifiers(records, "note")
    text = records.column("text", lambda value: isinstance(value, str) and value.strip(), EMPTY_NOTE)
    readers = {
        "codes": lambda records: code_lists(records, schema("notes")["$defs"]["code"]["pattern"]),
        "patient_id": patients,
        "specialty": lambda records: short_texts(records, "specialty"),
        "age": lambda records: ages(records, rules["age"]),
        "sex": lambda records: sexes(records, rules["sex"]),
        "code_system": _code_systems,
        "mentions": _mentions,
    }
    columns = {"codes": ((),) * len(note_id)} | checked_columns(records, readers)
    records.check()
    return Notes(note_id, tuple(text), **columns, source=source)


def _is_empty(value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _code_systems(records: Records) -> tuple[str | None, ...]:
    def is_name(value) -> bool:
        return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))

    values = records.column("code_system", is_name, "must be the name of a code system, or empty")
    name_of = {value: code_system_name(value) or None for value in set(values) - {None}}
    return tuple([name_of.get(value) for value in values])


def _mentions(records: Records) -> tuple[tuple[tuple[str, str], ...] | None, ...]:
    rows = []
    for row, value in enumerate(records.frame["mentions"].tolist()):
        try:
            rows.append(_mention_pairs(value))
        except ValueError as error:
            records.report(row, "mentions", str(error))
    return tuple(rows)


def _mention_pairs(value) -> tuple[tuple[str, str], ...] | None:
    """The mentions of a note, None where not annotated; `ValueError` quotes no word of what is none."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(mention, dict) for mention in value):
        raise ValueError(_NO_MENTIONS)
    pairs = []
    for number, mention in enumerate(value, 1):
        for name in ("code", "text"):
            text = mention.get(name)
            if not isinstance(text, str) or not text.strip() or has_lone_surrogate(text):
                raise ValueError(f"mention {number} needs {name!r}, a text that is not empty")
        pairs.append((mention["code"].strip(), " ".join(mention["text"].split())))
    return tuple(pairs)
