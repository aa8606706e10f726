"""`read_notes`: formats, codes, and one clear line for bad input."""

import gzip
import json

import jsonschema
import pandas as pd
import pytest

from icd_relevancy.data.columns import schema
from icd_relevancy.data.notes import read_notes
from icd_relevancy.errors import InputError

GOOD = {"note_id": "1", "text": "Cough.", "codes": ["R05"]}


def write_lines(folder, *records):
    path = folder / "notes.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding)
    return path


def error_of(path, **options) -> str:
    with pytest.raises(InputError) as caught:
        read_notes(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    "codes", ["001.0;V27", "001.0,V27", "001.0|V27", "001.0 V27", " 001.0 ; V27;", "001.0;V27;001.0"]
)
def test_separators_and_leading_zeros(tmp_path, codes):
    path = write(tmp_path, "n.csv", f'note_id,text,codes\n007,Cough,"{codes}"\n')
    notes = read_notes(path)
    assert notes.note_id == ("007",)
    assert notes.codes == (("001.0", "V27"),)
    assert read_notes(write_lines(tmp_path, GOOD | {"codes": codes})).codes == (("001.0", "V27"),)


def test_csv_values_are_text_even_where_they_look_like_something_else(tmp_path):
    text = "note_id,text,codes,patient_id,extra,age,sex\n01,NA,,1.0,9,1e1,F\n02,None,428,nan,,,\n"
    notes = read_notes(write(tmp_path, "n.csv", text, "utf-8-sig"))
    assert notes.note_id == ("01", "02")
    assert notes.text == ("NA", "None")
    assert notes.codes == ((), ("428",))
    assert notes.patient_id == ("1.0", "nan")
    assert notes.age == (10.0, None)
    assert notes.sex == ("female", None)


def test_identifiers_as_whole_numbers(tmp_path):
    path = tmp_path / "n.parquet"
    frame = pd.DataFrame(
        {"note_id": [2**60 + 1, 2], "text": ["a", "b"], "codes": [["R05"], None], "patient_id": [3.0, None]}
    )
    frame.to_parquet(path)
    notes = read_notes(path)
    assert notes.note_id == (str(2**60 + 1), "2")
    assert notes.patient_id == ("3", None)
    assert notes.codes == (("R05",), ())


def test_notes_to_be_coded_need_no_codes(tmp_path):
    path = write(tmp_path, "n.csv", "note_id,text\n1,Cough\n")
    assert read_notes(path, require_codes=False).codes == ((),)
    assert "no column 'codes'; the columns are note_id, text" in error_of(path)
    path = write_lines(tmp_path, {"note_id": 1, "text": "Cough", "codes": [5]})
    assert read_notes(path, require_codes=False).codes == ((),)


def test_blank_lines_between_json_lines(tmp_path):
    path = write(
        tmp_path, "n.jsonl", f"\n{json.dumps(GOOD)}\n\n{json.dumps(GOOD | {'note_id': '2', 'text': ' '})}\n"
    )
    assert (
        error_of(path)
        == ", row 2 (line 4), column 'text': the note has no text; fill it in or remove the row (note '2')"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("note_id,text,codes\n1,Cough,R05\n2,,R05\n", ", row 2, column 'text': the note has no text"),
        ("note_id,text,codes\n1,Cough\n", ": row 1 has fewer fields than the header"),
        ("note_id,text,codes\n1,Cough,\n2,Cough\n", ": row 2 has fewer fields than the header"),
        ('note_id,text,codes\n1,"a\nb",\n2,Cough,,,\n', ": row 2 has more fields than the header"),
        (
            "note_id,text,codes\n1,x,\n2,x,(Cough)\n",
            ", row 2, column 'codes': malformed: (not shown: it is no code)",
        ),
        ("note_id,text,codes\n,Cough,R05\n", ", row 1, column 'note_id': each note needs an identifier"),
        (
            "note_id,text,codes\na,x,\nb,x,\na,x,\n",
            ", row 3, column 'note_id': the note_id of note 'a' is also that of row 1",
        ),
        ("id,Text,codes\n1,Cough,R05\n", ": no column 'note_id', 'text'; the columns are id, Text, codes"),
        ("He came with cough,and fever.\n", ": no column 'note_id', 'text', 'codes'; the columns are none"),
        ("", ": the file is empty"),
        ("note_id,text,codes\n", ": the file has no rows"),
        (
            "note_id,text,codes\n1,Cough,R05;J18/9\n",
            ", row 1, column 'codes': malformed: (not shown: it is no code); a code has letters, digits, '.' and '-' "
            "only, codes are separated by ';'",
        ),
        (
            "note_id,text,codes\n1,Cough,-R05\n",
            ", row 1, column 'codes': malformed: (not shown: it is no code); a code has letters",
        ),
        (
            "note_id,text,codes,age\n1,Cough,R05,old\n",
            ", row 1, column 'age': the age must be a number of years from 0 to 130",
        ),
        ("note_id,text,codes,age\n1,Cough,R05,131\n", ", row 1, column 'age'"),
        ("note_id,text,codes,age\n1,Cough,R05,-1\n", ", row 1, column 'age'"),
        ("note_id,text,codes,age\n1,Cough,R05,nan\n", ", row 1, column 'age'"),
        (
            "note_id,text,codes,sex\n1,Cough,R05,X\n",
            ", row 1, column 'sex': the sex must be one of female, male, other",
        ),
        (
            "note_id,text,codes,mentions\n1,Cough,R05,cough\n",
            ", row 1, column 'mentions': mentions must be a",
        ),
        ("note_id,text,codes\n1,Cough,R05\n2,a,b,c,d\n", ": row 2 has more fields than the header"),
        ("note_id,text,codes\n1,Cough,R05,\n2,Cough,R05,\n", ": row 1 has more fields than the header"),
        ('note_id,text,codes\n1,"Cough,R05\n', ": cannot be parsed: "),
        ("note_id;text;codes\n1;Cough;R05\n", ": the columns are separated by ';'; save it as CSV, with ','"),
        ("note_id\ttext\tcodes\n1\tCough\tR05\n", ": the columns are separated by '\\t'"),
        (
            " note_id,text, codes\n1,Cough,R05\n",
            ": blanks in the header around ' note_id', ' codes'; remove them",
        ),
        (
            "note_id,text,text,codes\n1,Cough,Fever,R05\n",
            ": the column 'text' is there more than once; keep one",
        ),
        (
            "note_id,text,codes\n1,a\n2,a,\n3,a,,\n",
            ": row 1 has fewer fields than the header, nor do these rows fit it: 3",
        ),
    ],
)
def test_bad_csv(tmp_path, text, told):
    path = write(tmp_path, "n.csv", text)
    message = error_of(path)
    assert message.startswith(told)
    assert "Cough" not in message
    assert "cough" not in message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"note_id": 1, "text": "Cough"', ", line 2: malformed JSON at character"),
        ('{"note_id": 1, "text": "\\ud800", "codes": []}', ", row 2 (line 2), column 'text': half of a surr"),
        ('{"note_id": "\\uDFFF", "text": "Cough", "codes": []}', ", row 2 (line 2), column 'note_id': half"),
        ('{"note_id": 1, "text": ' + "[" * 100_000, ", line 2: malformed JSON"),
        ('{"note_id": 1, "text": "Cough", "age": ' + "9" * 5000 + "}", ", line 2: malformed JSON"),
        ("[1, 2]", ", line 2: each line must hold one JSON object"),
        (
            '{"note_id": 1, "text": "Cough", "codes": [], "age": NaN}',
            ", line 2: malformed JSON (NaN is not JSON; write null)",
        ),
        ('{"note_id": 1, "text": "Cough"}', ", row 2 (line 2): no 'codes'; every record needs it"),
        ('{"note_id": 1, "text": 5, "codes": []}', ", row 2 (line 2), column 'text': the note has no text"),
        (
            '{"note_id": 1, "text": "Cough", "codes": [428]}',
            ", row 2 (line 2), column 'codes': codes must be text",
        ),
        (
            '{"note_id": 1, "text": "Cough", "codes": 428}',
            ", row 2 (line 2), column 'codes': codes must be text",
        ),
        (
            '{"note_id": 1, "text": "Cough", "codes": [], "mentions": [{"code": "R05", "text": "\\ud800"}]}',
            ", row 2 (line 2), column 'mentions': mention 1 needs 'text', a text that",
        ),
        (
            '{"note_id": 1, "text": "Cough", "codes": [], "mentions": "Cough"}',
            ", row 2 (line 2), column 'mentions': mentions must be a list of",
        ),
    ],
)
def test_bad_json_lines(tmp_path, line, told):
    message = error_of(write(tmp_path, "n.jsonl", json.dumps(GOOD | {"note_id": "0"}) + f"\n{line}\n"))
    assert message.startswith(told)
    assert "Cough" not in message


@pytest.mark.parametrize("name", ["n.csv", "n.csv.gz", "n.jsonl"])
def test_undecodable_bytes_are_located(tmp_path, name):
    head = b"note_id,text,codes\n" if "csv" in name else json.dumps(GOOD).encode() + b"\n"
    body = b"1,fi\xe8vre,R05\n" if "csv" in name else b'{"note_id": 1, "text": "fi\xe8vre", "codes": []}\n'
    path = tmp_path / name
    path.write_bytes(gzip.compress(head + body) if name.endswith("gz") else head + body)
    byte = len(head) + body.index(b"\xe8")
    assert error_of(path) == f": line 2 (byte {byte}) is not UTF-8; save the file as UTF-8"


def test_files_that_are_not_what_they_are_called(tmp_path):
    assert error_of(tmp_path / "absent.csv") == ": no such file"
    assert "must end in one of" in error_of(write(tmp_path, "n.xlsx", "x"))
    assert "not a whole gzip file" in error_of(write(tmp_path, "n.csv.gz", "note_id,text,codes\n"))
    assert "cannot be parsed" in error_of(write(tmp_path, "n.parquet", "note_id"))
    whole = gzip.compress(b"note_id,text,codes\n1,Cough,R05\n" * 1000)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "not a whole gzip file" in error_of(tmp_path / "cut.csv.gz")
    pd.DataFrame({"note_id": [1], "text": ["Cough"], "codes": [428]}).to_parquet(tmp_path / "n.parquet")
    assert "row 1, column 'codes': codes must be text" in error_of(tmp_path / "n.parquet")
    pd.DataFrame({"note_id": [1], "text": ["Cough"]}).to_parquet(tmp_path / "n.parquet")
    assert "no column 'codes'" in error_of(tmp_path / "n.parquet")


def test_identifiers_are_stripped(tmp_path):
    notes = read_notes(write(tmp_path, "n.csv", "note_id,text,codes,patient_id\n 1 ,Cough,,p \n2,Cough,, \n"))
    assert notes.note_id == ("1", "2")
    assert notes.patient_id == ("p", None)
    message = error_of(write(tmp_path, "n.csv", "note_id,text,codes\n1,Cough,\n1 ,Cough,\n"))
    assert message.startswith(", row 2, column 'note_id': the note_id of note '1' is also that of row 1")


@pytest.mark.parametrize("note_id", ["Mrs Miller", "Miller" * 7])
def test_an_identifier_that_could_be_text_is_not_quoted(tmp_path, note_id):
    message = error_of(write_lines(tmp_path, *[GOOD | {"note_id": note_id}] * 2))
    assert "the note_id of note 2 is also that of row 1 (line 1)" in message
    assert "Miller" not in message


def test_a_first_note_without_header_is_not_quoted(tmp_path):
    message = error_of(write(tmp_path, "n.csv", "1,Cough,R05\n2,Cough,R05\n"))
    assert "has the file a header?" in message
    assert "Cough" not in message


def test_blank_lines_and_long_fields_do_not_hide_a_short_row(tmp_path):
    long = "x" * 200_000
    path = write(tmp_path, "n.csv", f"note_id,text,codes\n\n1,{long},\n\n2,{long},\n")
    assert len(read_notes(path)) == 2
    path = write(tmp_path, "n.csv", f'note_id,text,codes\n\n1,{long},\n\n2,"a\n\nb",\n3,Cough\n')
    assert error_of(path).startswith(": row 3 has fewer fields than the header")


def test_whole_surrogate_pairs_and_huge_numbers(tmp_path):
    path = write(tmp_path, "n.jsonl", '{"note_id": 1%s, "text": "\\ud83d\\ude00", "codes": []}' % ("0" * 400))
    assert read_notes(path).text == ("\U0001f600",)


RECORDS = [
    GOOD,
    GOOD | {"codes": []},
    GOOD | {"codes": None},
    GOOD | {"codes": ""},
    GOOD | {"codes": " R05 ;001.0|V27,"},
    GOOD | {"codes": "R05;J18/9"},
    GOOD | {"codes": ";.5"},
    GOOD | {"codes": ["R05", ""]},
    GOOD | {"codes": ["R 05"]},
    GOOD | {"codes": [5]},
    GOOD | {"codes": [None]},
    GOOD | {"codes": 5},
    GOOD | {"codes": {"R05": 1}},
    {"note_id": "1", "text": "Cough."},
    GOOD | {"note_id": 1},
    GOOD | {"note_id": 1.0},
    GOOD | {"note_id": 1.5},
    GOOD | {"note_id": True},
    GOOD | {"note_id": None},
    GOOD | {"note_id": " "},
    GOOD | {"text": ""},
    GOOD | {"text": "\n\u00a0 "},
    GOOD | {"text": None},
    GOOD | {"text": 5},
    GOOD | {"text": ["Cough."]},
    GOOD | {"patient_id": None, "specialty": None, "age": None, "sex": None, "extra": [1]},
    GOOD | {"patient_id": 5, "specialty": "Radiology", "age": 0, "sex": "F"},
    GOOD | {"patient_id": ""},
    GOOD | {"patient_id": 1.5},
    GOOD | {"patient_id": ["a"]},
    GOOD | {"specialty": ""},
    GOOD | {"specialty": 5},
    GOOD | {"age": 130},
    GOOD | {"age": 130.5},
    GOOD | {"age": -0.1},
    GOOD | {"age": "61"},
    GOOD | {"age": True},
    GOOD | {"sex": "other"},
    GOOD | {"sex": "Female"},
    GOOD | {"sex": ""},
    GOOD | {"sex": 1},
    GOOD | {"sex": ["F"]},
    GOOD | {"mentions": None},
    GOOD | {"mentions": [{"code": "R05", "text": "dry\ncough", "start": 3}]},
    GOOD | {"mentions": {"R05": "cough"}},
    GOOD | {"mentions": [["R05", "cough"]]},
    GOOD | {"mentions": [{"code": "R05"}]},
    GOOD | {"mentions": [{"code": "R05", "text": " "}]},
    GOOD | {"mentions": [{"code": 5, "text": "cough"}]},
    GOOD | {"code_system": "icd9cm"},
    GOOD | {"code_system": 9},
]


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema("notes"))


@pytest.mark.parametrize(
    "record", RECORDS, ids=lambda record: json.dumps({k: v for k, v in record.items() if v != GOOD.get(k)})
)
def test_reader_and_jsonschema_agree(tmp_path, record):
    path = write_lines(tmp_path, record)
    if jsonschema.Draft202012Validator(schema("notes")).is_valid(record):
        assert len(read_notes(path)) == 1
    else:
        error_of(path)


def test_the_records_above_are_of_both_kinds():
    validator = jsonschema.Draft202012Validator(schema("notes"))
    good = sum(validator.is_valid(record) for record in RECORDS)
    assert (good, len(RECORDS) - good) == (19, 32)


@pytest.mark.parametrize("column", ["patientid", "Patient ID", "PATIENT_ID"])
def test_a_misspelt_optional_column_is_not_ignored(tmp_path, column):
    path = tmp_path / "n.csv"
    path.write_text(f"note_id,text,codes,{column},ward\n1,Cough.,R05,7,A\n")
    with pytest.raises(InputError, match=f"column '{column}' looks like 'patient_id'; rename it"):
        read_notes(path)


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("['E11.9', 'I10']", ("E11.9", "I10")),
        ('["E11.9", "I10"]', ("E11.9", "I10")),
        ("['E11.9' 'I10']", ("E11.9", "I10")),
        ("['E11.9', None, nan]", ("E11.9",)),
        ("('E11.9', 'I10')", ("E11.9", "I10")),
        ("{'E11.9', 'I10'}", ("E11.9", "I10")),
        ("[E11.9, I10]", ("E11.9", "I10")),
        ("[]", ()),
        ("'E11.9','I10'", ("E11.9", "I10")),
        ("ICD-10-CM: E11.9; ICD 10 : I10", ("ICD10CM:E11.9", "ICD10:I10")),
        ("E11.4+ G63.2* J44.-", ("E11.4+", "G63.2*", "J44.-")),
        ("E11.4 \u2020; E11 .9", ("E11.4\u2020", "E11.9")),
        ("E11.9\u00a0;\u00a0I10", ("E11.9", "I10")),
    ],
)
def test_codes_as_others_write_them(tmp_path, cell, codes):
    path = tmp_path / "n.csv"
    pd.DataFrame({"note_id": [1], "text": ["Cough"], "codes": [cell]}).to_csv(path, index=False)
    assert read_notes(path).codes == (codes,)
    record = GOOD | {"codes": cell}
    assert jsonschema.Draft202012Validator(schema("notes")).is_valid(record)
    assert read_notes(write_lines(tmp_path, record)).codes == (codes,)


def test_items_of_a_list_with_white_space(tmp_path):
    path = write_lines(tmp_path, GOOD | {"codes": [" E11.9 ", "", "R 05", "ICD-10-CM: I10", "E11.4 +"]})
    assert read_notes(path).codes == (("E11.9", "R 05", "ICD-10-CM: I10", "E11.4 +"),)


@pytest.mark.parametrize("cell", ["[428, 250.0]", "[42]", "[E11.9, 042]"])
def test_a_printed_list_of_numbers_has_lost_its_zeros(tmp_path, cell):
    path = write(tmp_path, "n.csv", f'note_id,text,codes\n1,Cough,"{cell}"\n')
    assert "numbers lose their leading zeros" in error_of(path)


@pytest.mark.parametrize("suffix", ["ndjson", "jl", "ndjson.gz", "json"])
def test_other_names_of_json_lines_and_arrays(tmp_path, suffix):
    for text in (json.dumps(GOOD), json.dumps([GOOD]), json.dumps([GOOD], indent=2)):
        content = text.encode()
        path = tmp_path / f"n.{suffix}"
        path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
        assert read_notes(path).codes == (("R05",),)


def problems_of(path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_notes(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)) for line in lines]


def test_all_problems_are_told_at_once_by_row_and_note(tmp_path):
    rows = ["7,,R05/R06,131,F", "7,Cough,R05,2,X", ",Cough,R05,2,F"]
    told = problems_of(write(tmp_path, "n.csv", "\n".join(["note_id,text,codes,age,sex", *rows, ""])))
    assert [line.split(":")[0] for line in told] == [
        ", row 1, column 'text'",
        ", row 1, column 'codes'",
        ", row 1, column 'age'",
        ", row 2, column 'note_id'",
        ", row 2, column 'sex'",
        ", row 3, column 'note_id'",
    ]
    assert [line.endswith("(note '7')") for line in told] == [True, True, True, False, True, False]
    assert "Cough" not in "".join(told)


def test_twenty_problems_are_told_and_the_others_counted(tmp_path):
    lines = "".join(f"n{number},,R05\n" for number in range(23))
    told = problems_of(write(tmp_path, "n.csv", "note_id,text,codes\n" + lines))
    assert len(told) == 21
    assert told[-1] == ": and 3 more problems"
    lines = '{"note_id": 1\n' * 21
    assert problems_of(write(tmp_path, "n.jsonl", lines))[-1] == ": and 1 more problems"


def test_code_systems_as_people_spell_them(tmp_path):
    path = write(
        tmp_path, "n.csv", "note_id,text,codes,code_system\n1,a,,ICD-10-CM\n2,a,,9\n3,a,,\n4,a,,mine\n"
    )
    assert read_notes(path).code_system == ("icd10cm", "icd9cm", None, "mine")
    frame = pd.DataFrame(
        {"note_id": [1, 2], "text": ["a", "b"], "codes": ["", ""], "code_system": [10.0, None]}
    )
    frame.to_parquet(tmp_path / "n.parquet")
    assert read_notes(tmp_path / "n.parquet").code_system == ("icd10cm", None)
