"""Notes still to be coded: plain text, JSON or a table, from a file or standard input."""

import json
import re
import sys
from pathlib import Path

import pandas as pd

from icd_relevancy.data.notes import Notes
from icd_relevancy.data.notes_table import optional_columns, read_notes
from icd_relevancy.data.records import LONE_SURROGATE, Records, column_with_lone_surrogate
from icd_relevancy.data.table_files import table_format
from icd_relevancy.errors import InputError, shown_note

_KNOWN = ("specialty", "age", "sex")
_SPACE = re.compile(r"\s*")


def read_new_notes(file) -> Notes:
    """Reads notes without codes.

    Args:
        file: `"-"` for standard input, which holds one note as text, or a JSON object or JSON lines with `text` and
            optionally `note_id`, `specialty`, `age` and `sex`; a `.csv`, `.tsv`, `.parquet`, `.jsonl` or `.json`
            file with those fields; any other file is one note as text.

    Returns:
        The notes, each without codes. A note without an id gets its number; a text file gives its name.

    Raises:
        InputError: If the file is missing or empty, not UTF-8 or not of its format, a note has no text, or
            two have the same id.

    Example:

    >>> import pathlib
    >>> _ = pathlib.Path("results/note.txt").write_text("Six year old with cough for one week.")
    >>> read_new_notes("results/note.txt").note_id
    ('note',)
    """
    if str(file) == "-":
        content = _decoded(sys.stdin.buffer.read(), "standard input")
        if content.lstrip().startswith("{"):
            return _json_notes(content, "standard input")
        return _text_note(content, "standard input", "1")
    path = Path(file)
    if path.is_dir() or not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        kind = table_format(path)
    except InputError:
        return _text_note(_decoded(path.read_bytes(), path), path, path.stem)
    if kind != "jsonl" or path.suffix == ".gz":
        return read_notes(path, require_codes=False)
    return _json_notes(_decoded(path.read_bytes(), path), path)


def _decoded(content: bytes, place) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{place}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _json_notes(content: str, place) -> Notes:
    records = _json_objects(content, place)
    if not records:
        raise InputError(f"{place}: the file is empty")
    text_of = {}
    for number, (line, record) in enumerate(records, 1):
        where = f"{place}, note {number} (line {line})"
        text, note_id = record.get("text"), record.get("note_id", number)
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{where}, 'text': the note has no text; fill it in")
        if name := column_with_lone_surrogate(record, ["text", "note_id", *_KNOWN]):
            raise InputError(f"{where}, {name!r}: {LONE_SURROGATE}")
        if isinstance(note_id, bool) or not isinstance(note_id, (str, int)) or not str(note_id).strip():
            raise InputError(f"{where}, 'note_id': must be text or a whole number")
        note_id = str(note_id).strip()
        if note_id in text_of:
            told = shown_note(note_id, number)
            raise InputError(f"{where}, 'note_id': that of {told} occurs more than once; make it unique")
        text_of[note_id] = text
    named = [name for name in _KNOWN if any(name in record for _, record in records)]
    columns = {name: [record.get(name) for _, record in records] for name in named}
    frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()})
    known = optional_columns(Records(place, frame, [line for line, _ in records]))
    return Notes(tuple(text_of), tuple(text_of.values()), ((),) * len(text_of), **known, source=str(place))


def _json_objects(content: str, place) -> list[tuple[int, dict]]:
    """The JSON objects of a text and the lines they begin in; one object may span several lines."""
    decoder, found = json.JSONDecoder(), []
    line, position = 1, 0
    while (start := _SPACE.match(content, position).end()) < len(content):
        line += content.count("\n", position, start)
        try:
            record, position = decoder.raw_decode(content, start)
        except json.JSONDecodeError as error:
            raise InputError(f"{place}, line {error.lineno}: malformed JSON ({error.msg})") from None
        except (ValueError, RecursionError):
            told = "malformed JSON (nested too deeply, or a number too long)"
            raise InputError(f"{place}, line {line}: {told}") from None
        if not isinstance(record, dict):
            raise InputError(f"{place}, line {line}: expected a JSON object with 'text'")
        found.append((line, record))
        line += content.count("\n", start, position)
    return found


def _text_note(content: str, place, note_id: str) -> Notes:
    if not content.strip():
        raise InputError(f"{place}: the note has no text")
    return Notes((note_id,), (content,), ((),), source=str(place))
