import gzip
import io
import json
import sys

import pandas as pd
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
        ("a.json", json.dumps([[SECRET]]).encode(), "a.json, entry 1 of the array: expected a JSON object"),
        ("a.jsonl", b'{"text": "A"}\n{"text": "' + SECRET.encode(), "a.jsonl, line 2: malformed JSON"),
        ("a.jsonl", b'{"text": "A"}\n' + SECRET.encode(), "a.jsonl, line 2: malformed JSON"),
        (
            "a.jsonl",
            b'{"text": "A"}\n\n{"note": "B"}',
            r"a.jsonl, row 2 \(line 3\), column 'text': there is none",
        ),
        ("a.jsonl", b'{"text": " "}', r"a.jsonl, row 1 \(line 1\), column 'text': the note has no text"),
        ("a.jsonl", b'{"text": 3}', "'text': the note has no text"),
        ("a.jsonl", b'{"note_id": null, "text": "A"}', "'note_id': each note needs an identifier, text or a"),
        (
            "a.jsonl",
            b'{"note_id": ["x"], "text": "A"}',
            "'note_id': each note needs an identifier, text or a",
        ),
        ("a.jsonl", b'{"note_id": " ", "text": "A"}', "'note_id': each note needs an identifier, text or a"),
        (
            "a.jsonl",
            b'{"note_id": 1, "text": "A"}\n{"note_id": "1", "text": "B"}',
            r"row 2 \(line 2\), column 'note_id': the note_id of note '1' is also that of row 1",
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
    for path, told in ((tmp_path / "none.txt", "no such file"), (tmp_path, "a folder; name a file")):
        with pytest.raises(InputError, match=told):
            read_new_notes(path)


TWO = [("a", "Cough."), ("b", "Fever.")]
RECORDS = [{"note_id": note_id, "text": text} for note_id, text in TWO]
LINES = "\n".join(map(json.dumps, RECORDS))
TABLE = "note_id,text\na,Cough.\nb,Fever.\n"
PARQUET = pd.DataFrame(RECORDS).to_parquet()


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        LINES.replace("\n", "\r\n\r\n").encode("utf-8-sig"),
        json.dumps(RECORDS).encode(),
        json.dumps(RECORDS, indent=2).encode(),
        TABLE.encode(),
        TABLE.replace(",", "\t").encode("utf-8-sig"),
        PARQUET,
        gzip.compress(LINES.encode()),
        gzip.compress(TABLE.encode()),
        gzip.compress(PARQUET),
    ],
)
def test_several_notes_on_standard_input_are_several(standard_input, content):
    assert pairs(standard_input(content)) == TWO


@pytest.mark.parametrize(
    "name", ["a.ndjson", "a.jl", "a.txt", "a", "a.json", "a.jsonl", "a.ndjson.gz", "a.txt.gz", "a.jl.gz"]
)
@pytest.mark.parametrize("text", [LINES, json.dumps(RECORDS), json.dumps(RECORDS, indent=1)])
def test_json_is_read_whatever_its_name(tmp_path, name, text):
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert pairs(read_new_notes(tmp_path / name)) == TWO


@pytest.mark.parametrize(
    "text",
    [
        "{Diagnosis:21197}: pneumonia",
        "[x] pneumonia",
        "[** De-identified **] pneumonia",
        "[1] pneumonia [2]",
        "{braces} do not make JSON",
        "pneumonia, fever\nnausea, text",
        "Patient: A; note: pneumonia",
        "Labs: {K: 4.1, Na: 140}",
        "{} patient with cough",
        "Patient | Report\nMrs X coughs.",
        "Age, sex\n58, male",
        "Report\nCough, fever.",
        "Note, findings: none\nCough, fever.",
    ],
)
def test_a_text_is_text_whatever_it_begins_with(standard_input, tmp_path, text):
    assert pairs(standard_input(text.encode())) == [("1", text)]
    (tmp_path / "a.txt").write_text(text)
    assert pairs(read_new_notes(tmp_path / "a.txt")) == [("a", text)]


@pytest.mark.parametrize(
    "text",
    [
        LINES[:-5],
        LINES[3:],
        LINES.replace("}", "", 1),
        LINES.replace("\n", ",\n"),
        json.dumps(RECORDS)[:-8],
        json.dumps(RECORDS) + LINES,
        str(RECORDS),
        "\n".join(map(str, RECORDS)),
        "Notes of today:\n" + LINES,
        json.dumps({"notes": RECORDS}),
        json.dumps([text for _, text in TWO]),
        json.dumps({"note": "Cough."}),
        '{"text": "Cough.", "text": "Fever."}',
        '{"text": "Cough.", "age": NaN}',
        "{}",
        "[]",
        TABLE.replace(",", ";"),
        TABLE.replace(",", "|"),
        "row_id,subject_id,text\n1,2,Cough.\n",
        " note_id,text\n1,Cough.\n",
        "note_id,text\n",
        "text\nCough.\nFever.\n",
        "text,age,sex\nCough.,58,male\n",
        "hadm_id,impression\n1,Cough.\n2,Fever.\n",
        "accession,report\n1,Cough.\n",
        "note_id,discharge_summary\n1,Cough.\n",
        "id;findings\n1;Cough.\n",
        "hadm_id|impression\n1|Cough.\n",
        "# exported\nnote_id,text\n1,Cough.\n2,Fever.\n",
    ],
)
@pytest.mark.parametrize("is_piped", [True, False])
def test_what_may_be_several_notes_is_not_read_as_one(standard_input, tmp_path, text, is_piped):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError) as caught:
        standard_input(text.encode()) if is_piped else read_new_notes(tmp_path / "a.txt")
    assert str(caught.value).startswith("standard input" if is_piped else str(tmp_path / "a.txt"))
    assert "Cough" not in str(caught.value)


def test_a_table_that_is_called_a_text(tmp_path):
    for name, text in (("a.txt", TABLE), ("a.dat", TABLE.replace(",", "\t"))):
        (tmp_path / name).write_text(text)
        with pytest.raises(
            InputError, match=f"{name}: holds a table with a header, not one note; name it .csv"
        ):
            read_new_notes(tmp_path / name)


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [{"note_id": f"n{number}", "text": ""} for number in range(25)]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InputError) as caught:
        read_new_notes(path)
    told = str(caught.value).splitlines()
    assert len(told) == 21
    assert (
        told[19]
        == f"{path}, row 20 (line 20), column 'text': the note has no text; fill it in or remove the row (note 'n19')"
    )
    assert told[20] == f"{path}: and 5 more problems"
    path.write_text('{"text": "Mrs Miller"\n{"text": "B"}\n{"text": NaN}')
    with pytest.raises(InputError) as caught:
        read_new_notes(path)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{path}, line {n}" for n in (2, 3)
    ]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_an_empty_note_among_others_is_left_out_and_named(tmp_path, suffix):
    frame = pd.DataFrame({"note_id": ["a", "b", "c"], "text": ["Cough.", " ", "Fever."]})
    path = tmp_path / f"n.{suffix}"
    {"jsonl": lambda: frame.to_json(path, orient="records", lines=True), "csv": lambda: frame.to_csv(path, index=False),
     "parquet": lambda: frame.to_parquet(path)}[suffix]()  # fmt: skip
    left_out = []
    assert read_new_notes(path, left_out).note_id == ("a", "c")
    place = "row 2 (line 2)" if suffix == "jsonl" else "row 2"
    assert left_out == [
        f"{path}, {place}, column 'text': the note has no text; fill it in or remove the row (note 'b')"
    ]
    with pytest.raises(InputError, match="row 2"):
        read_new_notes(path)


def test_later_rows_keep_their_numbers_and_all_empty_is_an_error(tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("note_id,text,age\na,,1\nb,Cough.,old\n")
    with pytest.raises(InputError, match="row 2, column 'age'"):
        read_new_notes(path, [])
    path.write_text("note_id,text\na,\nb,\n")
    with pytest.raises(InputError, match=r"(?s)row 1, .*row 2, "):
        read_new_notes(path, [])
