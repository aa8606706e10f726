"""Tables of results: the exact text, and files that are whole or not there."""

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.reporting import markdown_table, mean_sd, write_table


def test_mean_and_sample_deviation():
    # Mean 0.7464; deviations −2, 0 and 2 in thousandths: sample SD 0.002.
    assert mean_sd([0.7444, 0.7464, 0.7484]) == "74.64 ± 0.20"
    assert mean_sd(np.array([0.7444, 0.7464, 0.7484]), digits=4, percent=False) == "0.7464 ± 0.0020"
    assert mean_sd([10, 13], digits=1, percent=False) == "11.5 ± 2.1"
    assert mean_sd([0.5], digits=1) == "50.0"
    with pytest.raises(InputError, match="at least one value"):
        mean_sd([])


def test_markdown_keeps_codes_and_aligns_numbers():
    frame = pd.DataFrame(
        {
            "code": ["038.9", "A|B\nC"],
            "support": [1, 1200],
            "F1": [0.51239, np.nan],
            "spread": ["74.64 ± 0.23", None],
            "seen": [True, False],
        }
    )
    assert markdown_table(frame, digits=2).split("\n") == [
        "| code   | support |   F1 | spread       | seen  |",
        "|:-------|--------:|-----:|:-------------|:------|",
        "| 038.9  |       1 | 0.51 | 74.64 ± 0.23 | True  |",
        "| A\\|B C |    1200 |      |              | False |",
    ]


def test_markdown_writes_an_index_that_says_something():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["BCE", "TLCL"], name="loss"))
    assert markdown_table(frame).split("\n")[2:] == ["| BCE  |   1 |", "| TLCL |   2 |"]
    assert markdown_table(frame).startswith("| loss |   n |")
    assert markdown_table(frame.reset_index()) == markdown_table(frame)
    # A filtered frame's row numbers are kept, as they point into the whole.
    assert markdown_table(frame.reset_index().iloc[1:]).startswith("| index | loss |")


def test_markdown_of_no_rows_is_a_header():
    assert markdown_table(pd.DataFrame({"loss": pd.Series(dtype=str)})) == "| loss |\n|:-----|"


def test_write_table_writes_both_files(tmp_path):
    frame = pd.DataFrame({"code": ["038.9"], "F1": [0.123456789]})
    csv, markdown = write_table(frame, tmp_path / "results", "tau_0.76", digits=3)
    assert csv.read_bytes() == b"code,F1\n038.9,0.123456789\n"
    assert markdown.read_text(encoding="utf-8") == markdown_table(frame, digits=3) + "\n"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["tau_0.76.csv", "tau_0.76.md"]


def test_an_interrupted_write_leaves_the_old_table(tmp_path, monkeypatch):
    frame = pd.DataFrame({"F1": [0.5]})
    csv, _ = write_table(frame, tmp_path, "table")

    def interrupted(self, path, **_):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_table(frame * 2, tmp_path, "table")
    assert csv.read_text() == "F1\n0.5\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_texts_are_no_formulas_in_a_spreadsheet(tmp_path):
    frame = pd.DataFrame({"=a": ["=1+1", "-0.5", "TLCL"], "F1": [-0.5, 0.25, 1.0], "@": ["+x", "\tx", "-"]})
    csv, _ = write_table(frame, tmp_path, "table")
    assert csv.read_text() == "'=a,F1,'@\n'=1+1,-0.5,'+x\n-0.5,0.25,'\tx\nTLCL,1.0,'-\n"


def test_a_gain_with_its_interval_is_a_number(tmp_path):
    cells = ["+1.00 ± 0.10", "-0.5 (-1.0 to +0.2)", "+1 (=2)"]
    csv, _ = write_table(pd.DataFrame({"gain": cells}), tmp_path, "table")
    assert csv.read_text().splitlines()[1:] == [*cells[:2], "'+1 (=2)"]


def test_a_carriage_return_in_a_cell_or_a_name_ends_no_row(tmp_path):
    csv, _ = write_table(pd.DataFrame({"\r=1+1": ["a\r=2+2"]}), tmp_path, "table")
    assert csv.read_bytes() == b'"\'\r=1+1"\n"a\r=2+2"\n'
