import json

import pandas as pd
import pytest

from icd_relevancy.codes import atc, code_system_from_table
from icd_relevancy.errors import InputError

ROWS = [("00", "All", None), ("00.1", "First", "00"), ("01", "Other", None), ("00.2", "Second", "00")]


def written(tmp_path, ending, rows=ROWS):
    path = tmp_path / f"mine.{ending}"
    table = pd.DataFrame(rows, columns=["code", "title", "parent"])
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        path.write_text("\n".join(json.dumps(dict(zip(table, row, strict=True))) for row in rows))
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_reads_text_codes_depth_first(tmp_path, ending):
    system = code_system_from_table(written(tmp_path, ending))
    assert system.name == "mine"
    assert system.codes == ("00", "00.1", "00.2", "01")
    assert system.parent("00.1") == "00"
    assert system.parent("01") is None
    assert system.leaves == ("00.1", "00.2", "01")


def test_parent_is_optional(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("code,title\n007,Agent\nNA,Not missing\n")
    assert code_system_from_table(path).codes == ("007", "NA")


@pytest.mark.parametrize("name", ["icd10cm", "icd9cm"])
def test_a_packaged_name_is_refused(tmp_path, name):
    path = tmp_path / f"{name}.csv"
    path.write_text("code,title\nA,a\n")
    with pytest.raises(InputError, match=f"{name} names the packaged code system; give the file another"):
        code_system_from_table(path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("A", "a", None), ("A", "b", None)], "row 2: code 'A' is listed twice"),
        ([("A", "a", "B")], "row 1: parent 'B' of code 'A' has no row"),
        ([("R", "r", None), ("A", "a", "B"), ("B", "b", "A")], "row 2: following the parents of code 'A'"),
        ([("A", "a", "A")], "row 1: following the parents of code 'A'"),
        ([("A", "a", None), ("B", "", None)], "row 2, code 'B': title"),
        ([("A", "a", None), (" B", "b", None)], "row 2, code ' B': code"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_bad_rows_are_named(tmp_path, ending, rows, message):
    with pytest.raises(InputError, match=message):
        code_system_from_table(written(tmp_path, ending, rows))


def test_numbers_are_refused(tmp_path):
    path = tmp_path / "numbers.jsonl"
    path.write_text('{"code": 38.9, "title": "Septicemia"}')
    with pytest.raises(InputError, match=r"row 1, code 38\.9: code: 38\.9 is not of type 'string'"):
        code_system_from_table(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "code,titel\nA,a\n", "row 1, code 'A'"),
        ("x.csv", "code,title,parrent\nA,a,\n", "parrent"),
        ("x.csv", "", "cannot be read"),
        ("x.csv", "code,title\n", "no rows"),
        ("x.jsonl", "[1]", "line 1 is not a JSON object"),
        ("x.jsonl", "{", "line 1 is not JSON"),
        ("x.xlsx", "", "cannot read .xlsx"),
    ],
)
def test_unreadable_tables(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        code_system_from_table(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        code_system_from_table(tmp_path / "absent.csv")


def test_atc_levels_come_from_the_code(tmp_path):
    path = tmp_path / "atc.csv"
    path.write_text("code,title\nA10BA02,metformin\nA10,Drugs used in diabetes\nB01AC06,aspirin\n")
    system = atc(path)
    assert system.ancestors("A10BA02") == ("A10BA", "A10B", "A10", "A")
    assert system.level("A10BA02") == 4
    assert system.title("A10") == "Drugs used in diabetes"
    assert system.title("A10B") == "A10B"
    assert system.codes[:5] == ("A", "A10", "A10B", "A10BA", "A10BA02")
    assert system.normalise("a10ba99") == "A10BA"


def test_atc_refuses_other_codes(tmp_path):
    path = tmp_path / "atc.csv"
    path.write_text("code,title\nA10BA02,metformin\nA1,broken\n")
    with pytest.raises(InputError, match="row 2: 'A1' is not an ATC code"):
        atc(path)
