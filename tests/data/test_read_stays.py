"""`read_stays` and its schema."""

import gzip
import io
import json
import sys

import jsonschema
import pandas as pd
import pytest

from icd_relevancy.data.columns import schema
from icd_relevancy.data.stays import read_stays
from icd_relevancy.errors import InputError

HEADER = "stay_id,drugs,codes,age,sex,patient_id,ward,other\n"


def write(path, text):
    path.write_text(text)
    return path


def test_csv(tmp_path):
    file = write(
        tmp_path / "stays.csv",
        HEADER
        + '001,"Sodium chloride 0.9%, 1 L; heparin|heparin",I10; 042 I10,61.5,F,7,MICU,x\n'
        + "2,,,,,,,\n"
        + "3, ; ,R05,0,unknown,8, ,\n",
    )
    stays = read_stays(file)
    assert stays.stay_id == ("001", "2", "3")
    assert stays.drugs == (("Sodium chloride 0.9%, 1 L", "heparin"), (), ())
    assert stays.codes == (("I10", "042"), (), ("R05",))
    assert stays.age == (61.5, None, 0.0)
    assert stays.sex == ("female", None, "unknown")
    assert stays.patient_id == ("7", None, "8")
    assert stays.ward == ("MICU", None, None)
    assert stays.source == "stays.csv"


def test_lists_in_json_lines_and_parquet(tmp_path):
    record = {
        "stay_id": 1,
        "drugs": ["insulin lispro; mix", "heparin", "heparin "],
        "codes": ["I10"],
        "age": 3,
    }
    file = tmp_path / "stays.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(record).encode()))
    stays = read_stays(file)
    assert stays.drugs == (("insulin lispro; mix", "heparin"),)
    assert (stays.stay_id, stays.age, stays.ward) == (("1",), (3.0,), None)
    pd.DataFrame([record, record | {"stay_id": 2, "drugs": None, "age": None}]).to_parquet(
        tmp_path / "s.parquet"
    )
    stays = read_stays(tmp_path / "s.parquet")
    assert stays.drugs == (("insulin lispro; mix", "heparin"), ())
    assert stays.age == (3.0, None)


def test_stays_to_be_coded(tmp_path):
    file = write(tmp_path / "stays.csv", "stay_id,drugs\n1,heparin\n")
    assert read_stays(file, require_codes=False).codes == ((),)
    with pytest.raises(InputError, match=r"stays.csv: no column 'codes'"):
        read_stays(file)
    wrong = write(tmp_path / "wrong.csv", "stay_id,drugs,codes\n1,heparin,???\n")
    assert read_stays(wrong, require_codes=False).codes == ((),)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (" ,heparin,I10,5,F,1,W,", "row 2, column 'stay_id': each stay needs an identifier"),
        ("1,heparin,I10,5,F,1,W,", "row 2, column 'stay_id': the stay_id of stay '1' is also that of row 1"),
        ("2,heparin,I10,-1,F,1,W,", "row 2, column 'age': the age must be a number of years from 0 to 130"),
        ("2,heparin,I10,> 89,F,1,W,", "row 2, column 'age'"),
        ("2,heparin,I10,5,woman,1,W,", "row 2, column 'sex': the sex must be one of female, male"),
        ("2,heparin,Miller_x,5,F,1,W,", "row 2, column 'codes': malformed: "),
        ("2,heparin,J18.9#,5,F,1,W,", "row 2, column 'codes': malformed"),
    ],
)
def test_bad_rows(tmp_path, row, told):
    file = write(tmp_path / "stays.csv", HEADER + "1,heparin,I10,5,F,1,W,\n" + row + "\n")
    with pytest.raises(InputError, match=told) as caught:
        read_stays(file)
    message = str(caught.value).replace(str(tmp_path), "")
    assert "heparin" not in message
    assert "Miller" not in message


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"drugs": [1, 2]}, r"row 1 \(line 1\), column 'drugs': drugs must be text or a list of text"),
        ({"drugs": {"a": "b"}}, "column 'drugs'"),
        ({"codes": [401.9]}, "column 'codes': codes must be text or a list of text; numbers lose"),
        ({"patient_id": 1.5}, "column 'patient_id': a patient's identifier must be text or a whole number"),
        ({"ward": 3}, "column 'ward': the ward must be text, or empty"),
        ({"stay_id": True}, "column 'stay_id'"),
        ({"age": True}, "column 'age'"),
    ],
)
def test_bad_json_values(tmp_path, changed, told):
    record = {"stay_id": "1", "drugs": ["heparin"], "codes": ["I10"]} | changed
    file = write(tmp_path / "stays.jsonl", json.dumps(record) + "\n")
    with pytest.raises(InputError, match=told):
        read_stays(file)
    # The schema refuses the same.
    assert not jsonschema.Draft202012Validator(schema("stays")).is_valid(record)


def test_missing_columns_and_files(tmp_path):
    file = write(tmp_path / "stays.csv", "stay_id,codes,age\n1,I10,5\n")
    with pytest.raises(InputError, match="no column 'drugs'"):
        read_stays(file)
    with pytest.raises(InputError, match="no such file"):
        read_stays(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="the file has no rows"):
        read_stays(write(tmp_path / "empty.csv", HEADER))


def test_the_schema_is_one_and_takes_a_written_row(tmp_path):
    jsonschema.Draft202012Validator.check_schema(schema("stays"))
    validator = jsonschema.Draft202012Validator(schema("stays"))
    assert validator.is_valid(
        {"stay_id": "1", "drugs": "a; b", "codes": "I10;J18.9", "age": None, "sex": "F"}
    )
    assert not validator.is_valid({"stay_id": "1", "codes": []})


STAYS = [{"stay_id": "1", "drugs": ["heparin"]}, {"stay_id": "2", "drugs": ["insulin lispro"]}]


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(map(json.dumps, STAYS)).encode(),
        json.dumps(STAYS, indent=1).encode(),
        b"stay_id,drugs\n1,heparin\n2,insulin lispro\n",
        b"stay_id\tdrugs\n1\theparin\n2\tinsulin lispro\n",
        pd.DataFrame(STAYS).to_parquet(),
        gzip.compress(json.dumps(STAYS).encode()),
    ],
)
def test_standard_input(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    stays = read_stays("-", require_codes=False)
    assert stays.drugs == (("heparin",), ("insulin lispro",))
    assert stays.source == "standard input"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"Mrs Miller coughs.",
            "expected JSON, Parquet, or a CSV or TSV table whose header names its columns",
        ),
        (b"stay_id;drugs\n1;heparin\n", "the columns are separated by ';'; separate them by ','"),
        (b"note_id,text\n1,Mrs Miller\n", "no column 'stay_id', 'drugs'"),
        (b'["Mrs Miller"]', "entry 1 of the array: expected a JSON object"),
    ],
)
def test_standard_input_without_stays(monkeypatch, content, told):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(InputError, match=rf"^standard input.*{told}") as caught:
        read_stays("-", require_codes=False)
    assert "Miller" not in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path):
    file = write(tmp_path / "stays.csv", HEADER + "a,heparin,I10,old,X,1,W,\na,heparin,I1/0,5,F,1,W,\n")
    with pytest.raises(InputError) as caught:
        read_stays(file)
    told = [line.removeprefix(str(file)) for line in str(caught.value).splitlines()]
    assert [line.split(":")[0] for line in told] == [
        ", row 1, column 'age'",
        ", row 1, column 'sex'",
        ", row 2, column 'stay_id'",
        ", row 2, column 'codes'",
    ]
    assert told[0].endswith("(stay 'a')")
