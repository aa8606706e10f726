import io
import json
import sys

import pytest

from icd_relevancy.data.new_notes import read_new_notes
from icd_relevancy.errors import InputError

SECRET = "Mrs Miller coughs"


@pytest.fixture
def standard_input(monkeypatch):
    def give(content: bytes):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return read_new_notes("-")

    return give


def pairs(notes):
    assert notes.codes == ((),) * len(notes)
    return list(zip(notes.note_id, notes.text, strict=True))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "Cough.\nFever.", [("a", "Cough.\nFever.")]),
        ("note", "{braces} do not make JSON", [("note", "{braces} do not make JSON")]),
        ("a.txt", "\ufeffCough.", [("a", "Cough.")]),
        ("a.json", '{"text": "Cough."}', [("1", "Cough.")]),
        ("a.json", '{\n "note_id": 7,\n "text": "Cough."\n}\n', [("7", "Cough.")]),
        (
            "a.jsonl",
            '{"note_id": "x", "text": "A"}\n\n{"note_id": "y", "text": "B"}',
            [("x", "A"), ("y", "B")],
        ),
        ("a.jsonl", '{"text": "A"} {"text": "B"}', [("1", "A"), ("2", "B")]),
        ("a.csv", "note_id,text\n007,Cough.\n8,Fever.\n", [("007", "Cough."), ("8", "Fever.")]),
        ("a.csv", 'note_id,text,codes\n1,Cough.,"not read, at all!"\n', [("1", "Cough.")]),
    ],
)
def test_files(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert pairs(read_new_notes(path)) == expected


def test_what_json_says_beside_the_text(standard_input):
    notes = standard_input(b'{"text": "A", "age": 7, "sex": "F"} {"text": "B", "specialty": "ENT"}')
    assert (notes.age, notes.sex, notes.specialty) == ((7.0, None), ("female", None), (None, "ENT"))
    assert standard_input(b'{"text": "A"}').age is None
    for wrong, names in ((b'"age": -1', "column 'age'"), (b'"sex": "?"', "column 'sex'")):
        with pytest.raises(InputError, match=names) as caught:
            standard_input(b'{"text": "Mrs Miller coughs", ' + wrong + b"}")
        assert "Miller" not in str(caught.value)


def test_standard_input(standard_input):
    assert pairs(standard_input(b"Cough.")) == [("1", "Cough.")]
    assert pairs(standard_input(b"[redacted] coughs.")) == [("1", "[redacted] coughs.")]
    assert pairs(standard_input(b' \n{"text": "A", "other": 1}\n{"note_id": "b", "text": "B"}')) == [
        ("1", "A"),
        ("b", "B"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "a.txt: the note has no text"),
        ("a.txt", b" \n\t", "a.txt: the note has no text"),
        ("a.txt", SECRET.encode() + b"\xff", "a.txt: not UTF-8 at byte 17"),
        ("a.json", b"", "a.json: the file is empty"),
        ("a.json", SECRET.encode(), "a.json, line 1: malformed JSON"),
        ("a.json", json.dumps([{"text": SECRET}]).encode(), "a.json, line 1: expected a JSON object"),
        ("a.jsonl", b'{"text": "A"}\n{"text": "' + SECRET.encode(), "a.jsonl, line 2: malformed JSON"),
        ("a.jsonl", b'{"text": "A"}\n' + SECRET.encode(), "a.jsonl, line 2: malformed JSON"),
        ("a.jsonl", b'{"text": "A"}\n\n{"note": "B"}', r"a.jsonl, note 2 \(line 3\), 'text'"),
        ("a.jsonl", b'{"text": " "}', r"a.jsonl, note 1 \(line 1\), 'text': the note has no text"),
        ("a.jsonl", b'{"text": 3}', "'text': the note has no text"),
        ("a.jsonl", b'{"note_id": null, "text": "A"}', "'note_id': must be text or a whole number"),
        ("a.jsonl", b'{"note_id": ["x"], "text": "A"}', "'note_id': must be text or a whole number"),
        ("a.jsonl", b'{"note_id": " ", "text": "A"}', "'note_id': must be text or a whole number"),
        (
            "a.jsonl",
            b'{"note_id": 1, "text": "A"}\n{"note_id": "1", "text": "B"}',
            r"note 2 \(line 2\), 'note_id': that of note '1' occurs",
        ),
        ("a.jsonl", b'{"text": "\\ud800"}', "half of a surrogate pair"),
        ("a.jsonl", b'{"note_id": "\\ud800", "text": "A"}', "'note_id': half of a surrogate pair"),
        ("a.jsonl", b'{"text": "A"}\n{"text": ' + b"[" * 100_000, "a.jsonl, line 2: malformed JSON"),
        ("a.jsonl", b'{"text": "A"}\n{"age": ' + b"9" * 5000 + b"}", "a.jsonl, line 2: malformed JSON"),
        ("a.csv", b"note_id,text,codes\n1,Mrs Miller\n", "row 1 has fewer fields"),
        ("a.csv", b"", "a.csv"),
        ("a.csv", b"note_id,text\n", "a.csv: the file has no rows"),
        ("a.csv", b"note_id,text\n1,\n", "row 1, column 'text'"),
        ("a.csv", b"note_id,text\n1,A\n1,B\n", "row 2, column 'note_id'"),
        ("a.csv", b"id,note\n1,A\n", "a.csv: no column 'note_id', 'text'"),
        ("a.csv", b"note_id,text\n1,Mrs Miller \xff\n", "a.csv: line 2"),
        ("a.parquet", b"nothing", "a.parquet"),
    ],
)
def test_bad_files_are_named_and_not_quoted(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_new_notes(path)
    assert "Miller" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"text": ""}', b'{"text": "A"} and more'])
def test_bad_standard_input(standard_input, content):
    with pytest.raises(InputError, match=r"^standard input"):
        standard_input(content)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            read_new_notes(path)
