import json

import pandas as pd
import pytest

from icd_relevancy.codes import CodeSystem, knowledge_from_table
from icd_relevancy.errors import InputError

TABLE = """code,title,parent,surgical,age,ward,units,note,flag:categorical
01,Teeth,,,,,,,0
01.1,Caries,01,no,5,A,A;B,first words,1
01.2,Extraction,01,yes,7.5,B,B,second words,0
01.3,Implant,01,yes,,A,,third words,1
01.4,Crown,01,yes,,A,,fourth words,1
"""


def written(tmp_path, text, name="mine.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_kinds_are_inferred_or_declared(tmp_path):
    known = knowledge_from_table(written(tmp_path, TABLE))
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


def test_json_lines_and_parquet(tmp_path):
    rows = [
        {"code": "A", "title": "a", "wards": ["x", "y"], "old": True, "n": 1},
        {"code": "B", "title": "b", "wards": [], "old": False, "n": None},
    ]
    jsonl = knowledge_from_table(written(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl"))
    pd.DataFrame(rows).to_parquet(tmp_path / "mine.parquet")
    parquet = knowledge_from_table(tmp_path / "mine.parquet")
    assert jsonl.table["wards"].tolist() == [("x", "y"), ()]
    assert jsonl.table["old"].tolist() == [True, False]
    assert jsonl.table.equals(parquet.table)
    assert jsonl.features[:3] == tuple(
        type(feature)(feature.name, "usage", feature.kind, f"Column {feature.name} of mine.jsonl.")
        for feature in parquet.features[:3]
    )


def test_joins_a_code_system(tmp_path):
    system = CodeSystem(
        "toy",
        ("J", "J18", "J18.0", "J18.9", "K"),
        {"J": "Respiratory", "J18": "Pneumonia", "J18.0": "x", "J18.9": "y", "K": "Digestive"},
        {"J": None, "J18": "J", "J18.0": "J18", "J18.9": "J18", "K": None},
    )
    path = written(tmp_path, "code,title,acs\nJ18,Pneumonia,yes\nJ18.0,x,no\n")
    assert knowledge_from_table(path, system).table["acs"].to_dict() == {
        "J": False,  # one of its two codes
        "J18": True,
        "J18.0": False,
        "J18.9": True,
        "K": False,
    }
    joined = knowledge_from_table(
        written(tmp_path, "code,title,male_only\n428.0,x,1\n250.01,y,0\n"), "icd9cm"
    )
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
        ("code,title,f\n", "the table has no rows"),
        (
            "code,title,f,f:boolean\nA1,a,1,yes\nA2,b,2,no\n",
            "columns 'f' and 'f:boolean' have one name; give one of them another",
        ),
        ("code,title,title:text\nA1,a,x\nA2,b,y\n", "column 'title:text': title is no feature"),
        ("code,title,parent:categorical\nA1,a,x\nA2,b,y\n", "column 'parent:categorical': parent is no"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=message) as raised:
        knowledge_from_table(path)
    assert str(raised.value).startswith(str(path))
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["icd10cm", "icd9cm"])
def test_a_table_of_a_packaged_name_is_refused_as_a_code_system_alone(tmp_path, name):
    path = written(tmp_path, "code,title,f\n428.0,a,1\n462,b,0\n", f"{name}.csv")
    with pytest.raises(InputError, match=f"{name} names the packaged code system; give the file another"):
        knowledge_from_table(path)
    assert "f" in knowledge_from_table(path, "icd9cm").table


def test_codes_of_another_system(tmp_path):
    path = written(tmp_path, "code,title,f\n428.0,a,1\n999.999,b,0\n")
    with pytest.raises(InputError, match=r"row 2: '999\.999' is not a code of icd9cm"):
        knowledge_from_table(path, "icd9cm")
    with pytest.raises(InputError, match="no such file"):
        knowledge_from_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"cannot read \.xlsx"):
        knowledge_from_table(tmp_path / "mine.xlsx")
