"""What the tables that we write hold, and that our readers read it back."""

import csv

import pytest

from icd_relevancy.data import Notes, Stays, read_notes, read_stays

RUN = ("=HYPERLINK(1)", "+ve culture", "-cough", "@x", "\tcough", "\rcough", "'=1", "''-x", "\n=1", "＝1")
PLAIN = ("'quoted'", "-0.5", "+5", "1e-3", "Cough = 1", "' ")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "parquet"])
def test_notes_come_back_as_they_were(tmp_path, suffix):
    texts = RUN + PLAIN
    note_id = tuple(f"-{text.strip()}{number}" for number, text in enumerate(texts))
    notes = Notes(note_id, texts, (("R05",),) * len(texts), specialty=tuple(text.strip() for text in texts))
    notes.write(tmp_path / f"notes.{suffix}")
    read = read_notes(tmp_path / f"notes.{suffix}")
    assert (read.note_id, read.text, read.specialty) == (notes.note_id, notes.text, notes.specialty)


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    Notes(tuple(map(str, range(len(RUN)))), RUN, (("R05",),) * len(RUN)).write(tmp_path / "notes.csv")
    Stays(("1",), (("=insulin", "@b"),), (("I10",),), ward=("-a",)).write(tmp_path / "stays.csv")
    for name in ("notes.csv", "stays.csv"):
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            assert not [
                cell for row in csv.reader(file) for cell in row if cell[:1] in "=+-@\t\r\n＝" and cell
            ]
    stays = read_stays(tmp_path / "stays.csv")
    assert (stays.drugs, stays.ward) == ((("=insulin", "@b"),), ("-a",))
