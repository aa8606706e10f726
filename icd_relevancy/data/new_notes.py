"""Notes still to be coded: plain text, JSON or a table, from a file or standard input."""

from pathlib import Path

from icd_relevancy.data.notes import Notes, checked_notes, read_notes
from icd_relevancy.errors import InputError
from icd_relevancy.files.content import Content, read_content
from icd_relevancy.files.json_records import (
    LONE_SURROGATE,
    column_with_lone_surrogate,
    is_json,
    json_objects,
    looks_like_records,
)
from icd_relevancy.files.records import Records, object_frame, refuse
from icd_relevancy.files.tables import table_format

_KNOWN = ("specialty", "age", "sex")


def read_new_notes(file, left_out: list[str] | None = None) -> Notes:
    """Reads notes without codes.

    What a file holds is told by its suffix, else, as of standard input (`"-"`), by its content: JSON objects (one after
    the other, a line each, or in an array) with `text` and optionally `note_id`, `specialty`, `age` and `sex`; a CSV or
    TSV table with a header, or Parquet, with those columns; anything else is **one** note as text. Several notes in
    one text cannot be told apart: give each a file, a JSON object or a row. What looks like JSON or a table, but is
    broken or is named otherwise, is refused, so that it is not coded as one note. All may be packed by gzip.

    A JSON object without `note_id` gets its number; a text the name of its file. `left_out` is as of `read_notes`.
    """
    is_piped, path = str(file) == "-", Path(file)
    if not is_piped and (path.is_dir() or not path.exists()):
        raise InputError(f"{path}: {'a folder; name a file' if path.is_dir() else 'no such file'}")
    table = None if is_piped else _table_of(path)
    if table not in (None, "jsonl"):
        return read_notes(path, require_codes=False, left_out=left_out)
    content = read_content(file)
    if table == "jsonl" or content.kind == "json":
        return _json_notes(content, table is None, left_out)
    if content.kind == "text":
        return _text_note(content)
    if path.is_file() and content.kind != "parquet":
        raise InputError(f"{path}: holds a table with a header, not one note; name it .csv or .tsv")
    return read_notes(content, require_codes=False, left_out=left_out)


def _table_of(path: Path) -> str | None:
    """The format of a file by its suffix; None where its content tells it, as for a text."""
    try:
        return table_format(path)
    except InputError:
        return None


def _json_notes(content: Content, may_be_text: bool, left_out: list[str] | None) -> Notes:
    text, problems = content.text(), []
    objects = list(json_objects(text, content, problems))
    if problems and may_be_text and not (looks_like_records(text) or is_json(text)):
        return _text_note(content)
    refuse(problems, content)
    if not objects:
        raise InputError(f"{content}: {'holds no note' if text.strip() else 'the file is empty'}")
    return checked_notes(_records(objects, content), str(content), left_out)


def _records(objects: list[tuple[int | None, dict]], content: Content) -> Records:
    """The columns of notes that JSON gives, which need no identifier of their own."""
    lines = [line for line, _ in objects]
    named = ["note_id", "text", *(name for name in _KNOWN if any(name in record for _, record in objects))]
    columns = {name: [record.get(name) for _, record in objects] for name in named}
    columns["note_id"] = [record.get("note_id", number) for number, (_, record) in enumerate(objects, 1)]
    records = Records(content, object_frame(columns), lines if all(lines) else None, "note_id")
    for row, (_, record) in enumerate(objects):
        if "text" not in record:
            records.report(row, "text", "there is none; every object needs it")
        if name := column_with_lone_surrogate(record, named):
            records.report(row, name, LONE_SURROGATE)
    records.check()
    return records


def _text_note(content: Content) -> Notes:
    text = content.text()
    if not text.strip():
        raise InputError(f"{content}: the note has no text")
    if looks_like_records(text):
        problem = "lines of it are like those of JSON, but it is none"
        raise InputError(f"{content}: {problem}; correct it, or name it .jsonl to see what is wrong")
    path = Path(content.place)
    name = Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    return Notes(("1" if content.place == "standard input" else name,), (text,), ((),), source=content.place)
