"""Code systems by name and from tables of one's own, and the features that such a table has."""

import json

import pandas as pd
import pytest

from icd_relevancy.codes import (
    CodeSystem,
    atc,
    code_system,
    code_system_from_table,
    icd9cm,
    knowledge_from_table,
)
from icd_relevancy.errors import InputError

ROWS = [("00", "All", None), ("00.1", "First", "00"), ("01", "Other", None), ("00.2", "Second", "00")]
READERS = [code_system_from_table, knowledge_from_table]


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def write_rows(folder, ending, rows=ROWS):
    path = folder / f"mine.{ending}"
    table = pd.DataFrame(rows, columns=["code", "title", "parent"])
    if ending in ("csv", "csv.gz", "tsv"):
        table.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        path.write_text("\n".join(json.dumps(dict(zip(table, row, strict=True))) for row in rows))
    return path


def test_a_packaged_code_system():
    assert code_system("icd9cm") is icd9cm()
    assert code_system("ICD-9") is icd9cm()
    message = "icd11: no such code system; give icd10cm, icd9cm or the file of a table"
    with pytest.raises(InputError, match=message):
        code_system("icd11")


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "parquet", "jsonl"])
def test_text_codes_depth_first(tmp_path, ending):
    system = code_system_from_table(write_rows(tmp_path, ending))
    assert system.name == "mine"
    assert system.codes == ("00", "00.1", "00.2", "01")
    assert system.parent("00.1") == "00"
    assert system.parent("01") is None
    assert system.leaves == ("00.1", "00.2", "01")


def test_parent_is_optional(tmp_path):
    path = write(tmp_path, "flat.csv", "code,title\n007,Agent\nNA,Not missing\n")
    assert code_system_from_table(path).codes == ("007", "NA")


@pytest.mark.parametrize("name", ["icd10cm", "icd9cm"])
@pytest.mark.parametrize("read", READERS)
def test_a_packaged_name_is_refused(tmp_path, read, name):
    columns = ",f" if read is knowledge_from_table else ""
    rows = ["428.0,a,1", "462,b,0"] if columns else ["A,a"]
    path = write(tmp_path, f"{name}.csv", f"code,title{columns}\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=f"{name} names the packaged code system; give the file another"):
        read(path)
    if columns:
        assert "f" in knowledge_from_table(path, "icd9cm").table


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("A", "a", None), ("A", "b", None)], "row 2: code 'A' is listed twice"),
        ([("A", "a", "B")], "row 1: parent 'B' of code 'A' has no row"),
        ([("R", "r", None), ("A", "a", "B"), ("B", "b", "A")], "row 2: following the parents of code 'A'"),
        ([("A", "a", "A")], "row 1: following the parents of code 'A'"),
        (
            [("A", "a", None), ("B", "", None)],
            "row 2, code 'B': title: must be text that is not empty",
        ),
        ([("A", "a", None), (" B", "b", None)], "row 2, code ' B': code"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_bad_rows_are_named(tmp_path, ending, rows, message):
    with pytest.raises(InputError, match=message):
        code_system_from_table(write_rows(tmp_path, ending, rows))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "code,titel\nA,a\n", "row 1, code 'A'"),
        ("x.csv", "code,title,parrent\nA,a,\n", "parrent"),
        ("x.csv", "", "cannot be read"),
        ("x.csv", "code,title\n", "no rows"),
        ("x.jsonl", "[1]", "entry 1 of the array: expected a JSON object"),
        ("x.jsonl", "{", "line 1: malformed JSON"),
        (
            "x.jsonl",
            '{"code": 38.9, "title": "a"}',
            r"row 1, code 38\.9: code: 38\.9 is not of type 'string'",
        ),
        ("x.xlsx", "", "an Excel workbook, which is not read; save it as CSV"),
    ],
)
def test_unreadable_tables(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message):
        code_system_from_table(write(tmp_path, name, text))


@pytest.mark.parametrize("read", READERS)
def test_files_that_are_no_tables(tmp_path, read):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="an Excel workbook, which is not read; save it as CSV"):
        read(tmp_path / "mine.xlsx")


def test_atc_levels_come_from_the_code(tmp_path):
    text = "code,title\nA10BA02,metformin\nA10,Drugs used in diabetes\nB01AC06,aspirin\n"
    system = atc(write(tmp_path, "atc.csv", text))
    assert system.ancestors("A10BA02") == ("A10BA", "A10B", "A10", "A")
    assert system.level("A10BA02") == 4
    assert system.title("A10") == "Drugs used in diabetes"
    assert system.title("A10B") == "A10B"
    assert system.codes[:5] == ("A", "A10", "A10B", "A10BA", "A10BA02")
    assert system.normalise("a10ba99") == "A10BA"


def test_atc_refuses_other_codes(tmp_path):
    path = write(tmp_path, "atc.csv", "code,title\nA10BA02,metformin\nA1,broken\n")
    with pytest.raises(InputError, match="row 2: 'A1' is not an ATC code"):
        atc(path)


FEATURES = """code,title,parent,surgical,age,ward,units,note,flag:categorical
01,Teeth,,,,,,,0
01.1,Caries,01,no,5,A,A;B,first words,1
01.2,Extraction,01,yes,7.5,B,B,second words,0
01.3,Implant,01,yes,,A,,third words,1
01.4,Crown,01,yes,,A,,fourth words,1
"""


def test_kinds_are_inferred_or_declared(tmp_path):
    known = knowledge_from_table(write(tmp_path, "mine.csv", FEATURES))
    kinds = {feature.name: feature.kind for feature in known.features}
    assert {name: kinds[name] for name in ("surgical", "age", "ward", "units", "note", "flag")} == {
        "surgical": "boolean",
        "age": "ordinal",
        "ward": "categorical",
        "units": "multiple",
        "note": "text",
        "flag": "categorical",
    }
    assert known.code_system.parent("01.1") == "01"
    assert known.table.loc[["01", "01.1", "01.2"], "surgical"].tolist() == [False, False, True]
    assert known.table["age"].tolist()[1:3] == [5.0, 7.5]
    assert pd.isna(known.table.loc["01.3", "age"])
    assert known.table["units"].tolist() == [(), ("A", "B"), ("B",), (), ()]
    assert known.table["flag"].tolist() == ["0", "1", "0", "1", "1"]
    assert known.table.loc["01.1", ["position_1", "position_2"]].tolist() == ["01", "1"]
    assert known.words("01.2").startswith("Extraction. Surgical. Age: 7.5.")


def test_features_of_json_lines_and_parquet(tmp_path):
    rows = [
        {"code": "A", "title": "a", "wards": ["x", "y"], "old": True, "n": 1},
        {"code": "B", "title": "b", "wards": [], "old": False, "n": None},
    ]
    jsonl = knowledge_from_table(write(tmp_path, "mine.jsonl", "\n".join(map(json.dumps, rows))))
    pd.DataFrame(rows).to_parquet(tmp_path / "mine.parquet")
    parquet = knowledge_from_table(tmp_path / "mine.parquet")
    assert jsonl.table["wards"].tolist() == [("x", "y"), ()]
    assert jsonl.table["old"].tolist() == [True, False]
    assert jsonl.table.equals(parquet.table)
    assert jsonl.features[:3] == tuple(
        type(feature)(feature.name, "usage", feature.kind, f"Column {feature.name} of mine.jsonl.")
        for feature in parquet.features[:3]
    )


def test_features_join_a_code_system(tmp_path):
    titles = {"J": "Respiratory", "J18": "Pneumonia", "J18.0": "x", "J18.9": "y", "K": "Digestive"}
    parents = {"J": None, "J18": "J", "J18.0": "J18", "J18.9": "J18", "K": None}
    path = write(tmp_path, "mine.csv", "code,title,acs\nJ18,Pneumonia,yes\nJ18.0,x,no\n")
    known = knowledge_from_table(path, CodeSystem("toy", tuple(titles), titles, parents))
    assert known.table["acs"].to_dict() == {
        "J": False,  # one of its two codes
        "J18": True,
        "J18.0": False,
        "J18.9": True,
        "K": False,
    }
    path = write(tmp_path, "mine.csv", "code,title,male_only\n428.0,x,1\n250.01,y,0\n")
    joined = knowledge_from_table(path, "icd9cm")
    assert joined.table.loc[["428.0", "250.01", "600.00"], "male_only"].tolist() == [True, False, False]
    assert joined.table.loc["600.00", "adult_only"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,title,f\nA1,a,1\nA1,b,0\n", r"row 2: code 'A1' is listed twice"),
        ("code,title,f\nA1,,1\nA2,b,0\n", r"row 1, code 'A1': no title"),
        ("code,f\nA1,1\nA2,0\n", r"row 1, code 'A1': no title"),
        ("title,f\na,1\nb,0\n", r"row 1: no code"),
        ("code,title,f\nA1,a,1\nA2,b,1\n", r"column 'f' is the same for every code"),
        ("code,title,f\nA1,a,\nA2,b,\n", r"column 'f' is empty"),
        ("code,title,f:number\nA1,a,1\nA2,b,2\n", r"column 'f:number': unknown kind 'number'"),
        (
            "code,title,f:boolean\nA1,a,yes\nA2,b,perhaps\n",
            r"row 2: column 'f:boolean' does not hold a boolean",
        ),
        ("code,title,f:ordinal\nA1,a,1\nA2,b,inf\n", r"row 2: column 'f:ordinal' does not hold a ordinal"),
        ("code,title,parent,f\nA1,a,A9,1\nA2,b,,0\n", r"row 1: parent 'A9' of code 'A1' has no row"),
        ("code,title,f\n", "the file has no rows"),
        (
            "code,title,f,f:boolean\nA1,a,1,yes\nA2,b,2,no\n",
            "columns 'f' and 'f:boolean' have one name; give one of them another",
        ),
        ("code,title,title:text\nA1,a,x\nA2,b,y\n", "column 'title:text': title is no feature"),
        ("code,title,parent:categorical\nA1,a,x\nA2,b,y\n", "column 'parent:categorical': parent is no"),
    ],
)
def test_bad_tables_of_features(tmp_path, text, message):
    path = write(tmp_path, "mine.csv", text)
    with pytest.raises(InputError, match=message) as raised:
        knowledge_from_table(path)
    assert str(raised.value).startswith(str(path))
    assert len(str(raised.value).splitlines()) == 1


def test_features_of_another_system(tmp_path):
    path = write(tmp_path, "mine.csv", "code,title,f\n428.0,a,1\n999.999,b,0\n")
    with pytest.raises(InputError, match=r"row 2: '999\.999' is not a code of icd9cm"):
        knowledge_from_table(path, "icd9cm")
