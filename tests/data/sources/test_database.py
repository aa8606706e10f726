"""Reading the tables of hospital databases."""

import pandas as pd
import pytest

from icd_relevancy.data.sources import database as source_tables
from icd_relevancy.data.sources.database import (
    CSV_OR_PARQUET,
    dotted_codes,
    drug_name,
    find_table,
    first_of_each,
    gathered,
    read_parts,
    read_table,
    whole_years,
)
from icd_relevancy.errors import InputError


def test_a_table_is_found_in_any_case_and_depth(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    file = tmp_path / "a" / "b" / "Patients.CSV.gz"
    file.write_text("")
    (tmp_path / "patients_old.csv").write_text("")
    assert find_table(tmp_path, "patients") == file
    assert find_table(tmp_path, "admissions") is None
    with pytest.raises(
        InputError, match=r"no admissions.csv or admissions.csv.gz in it .* part of MIMIC-III"
    ):
        find_table(tmp_path, "admissions", "MIMIC-III")
    (tmp_path / "patients.parquet").write_text("")
    assert find_table(tmp_path, "patients") == file
    with pytest.raises(InputError, match="are both there"):
        find_table(tmp_path, "patients", suffixes=CSV_OR_PARQUET)


def test_cells_are_text_and_empty_ones_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(source_tables, "ROWS_A_PART", 2)
    file = tmp_path / "t.csv"
    file.write_text('\ufeffHADM_ID,Drug,more\n007,NA,x\n8, a b ,x\n"9",,x\n')
    parts = list(read_parts(file, ["drug", "hadm_id"], optional=["more", "absent"]))
    assert [len(part) for part in parts] == [2, 1]
    whole = pd.concat(parts)
    assert whole.columns.tolist() == ["drug", "hadm_id", "more"]
    assert whole["hadm_id"].tolist() == ["007", "8", "9"]
    assert whole["drug"].isna().tolist() == [False, False, True]
    assert whole["drug"].tolist()[:2] == ["NA", "a b"]
    assert whole.index.tolist() == [0, 1, 2]


def test_numbers_with_gaps_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(source_tables, "ROWS_A_PART", 2)
    frame = pd.DataFrame(
        {"visit_id": [20_000_001.0, None, 3.0], "rate": [0.5, 1.0, 2.0], "code": ["1.0", "", None]}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        table = read_table(tmp_path / name, ["visit_id", "code"])
        assert table["visit_id"].fillna("?").tolist() == ["20000001", "?", "3"]
        assert table["code"].fillna("?").tolist() == ["1.0", "?", "?"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_without_rows(tmp_path, name):
    frame = pd.DataFrame({"hadm_id": pd.Series([], dtype="int64"), "drug": pd.Series([], dtype=str)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / name, ["hadm_id", "drug"])
    assert (len(table), table.columns.tolist()) == (0, ["hadm_id", "drug"])
    assert gathered(pd.Index(["7"]), table["hadm_id"], drug_name(table["drug"])) == ((),)


def test_tabs_and_quotes_of_the_vocabularies(tmp_path):
    (tmp_path / "CONCEPT.csv").write_text('concept_id\tconcept_name\n1\t5" catheter, sterile\n2\tplain\n')
    table = read_table(tmp_path / "CONCEPT.csv", ["concept_id", "concept_name"])
    assert table["concept_name"].tolist() == ['5" catheter, sterile', "plain"]


def test_bad_tables(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        InputError, match=r"t.csv: no column 'c', 'd'; expected the table as its source has it"
    ):
        read_table(tmp_path / "t.csv", ["a", "c", "d"])
    (tmp_path / "t.parquet").write_text("no")
    with pytest.raises(InputError, match=r"t.parquet: cannot be parsed"):
        read_table(tmp_path / "t.parquet", ["a"])
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match=r"empty.csv: the file is empty"):
        read_table(tmp_path / "empty.csv", ["a"])
    (tmp_path / "latin.csv").write_bytes("a\nMénière\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin.csv: line 2 .* is not UTF-8"):
        read_table(tmp_path / "latin.csv", ["a"])


def test_gathered():
    keys = pd.Series(["b", "a", "b", None, "b", "x", "a"])
    values = pd.Series(["2", "1", "3", "4", "2", "5", None])
    assert gathered(pd.Index(["a", "b", "c"]), keys, values) == (("1",), ("2", "3"), ())
    assert gathered(pd.Index(["a"]), keys[:0], values[:0]) == ((),)


def test_dotted_codes():
    codes = pd.Series(["4280", None, "V270", "042", "428.0"])
    assert dotted_codes(codes, "icd9cm").fillna("?").tolist() == ["428.0", "?", "V27.0", "042", "428.0"]
    assert dotted_codes(pd.Series([None, None], dtype=object), "icd10cm").isna().all()


def test_whole_years():
    start = pd.Series(["2000-02-29", "2000-02-29", "1800-01-01", "2000-06-01", None])
    end = pd.Series(["2001-02-28", "2001-03-01", "2100-01-01", "2000-05-31 23:00:00", "2000-01-01"])
    years = whole_years(start, end)
    assert years[:4].tolist() == [0, 1, 300, 0]
    assert pd.isna(years[4])


def test_first_of_each():
    parts = [pd.DataFrame({"a": [1, 1, 2]}), pd.DataFrame({"a": [2, 3]}, index=[3, 4])]
    assert first_of_each(iter(parts)).index.tolist() == [0, 2, 4]
