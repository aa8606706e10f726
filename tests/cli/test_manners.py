"""The command line and what people, consoles and pipes give it: several notes, empty ones, no standard input."""

import io
import json
import sys

import pandas as pd
import pytest
from command_line import SECRET, standard_input, write

from icd_relevancy.cli.main import main

LINES = (
    '{"note_id": "\u60a3\u80051", "text": "patient with pneumonia"}',
    '{"note_id": "b", "text": " "}',
    '{"note_id": "c", "text": "patient with asthma"}',
)
LEFT_OUT = "row 2 (line 2), column 'text': the note has no text; fill it in or remove the row (note 'b')"


@pytest.fixture
def console(monkeypatch):
    """Replaces standard output by a console of an encoding; returns what it was given."""

    def use(encoding: str) -> io.BytesIO:
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        return written

    return use


def test_the_notes_of_a_table_on_standard_input_are_coded_apart(place, trained, capsys, monkeypatch):
    standard_input(monkeypatch, "note_id,text\nx,patient with pneumonia\ny,patient with asthma\n")
    assert main(["predict", str(trained / "model"), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["note_id"] for one in told] == ["x", "y"]
    assert [one["codes"][0]["code"] for one in told] == ["J18.9", "J45.909"]


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_an_empty_note_is_named_and_the_others_are_coded(place, trained, capsys, command):
    notes = write(place / "n.jsonl", *LINES)
    options = ["--json", "--top-k", "1"]
    if command == "explain":
        options += ["--out", "page.html", "--samples", "100", "--method", "lime"]
        pytest.importorskip("lime")
    assert main([command, str(trained / "model"), str(notes), *options]) == 2
    told = capsys.readouterr()
    assert [json.loads(line)["note_id"] for line in told.out.splitlines()] == ["\u60a3\u80051", "c"]
    assert [line for line in told.err.splitlines() if line.startswith("icd-relevancy: ")] == [
        f"icd-relevancy: {notes}, {LEFT_OUT}",
        "icd-relevancy: left out 1 note",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_that_lacks_characters(place, trained, console, encoding):
    notes = write(place / "n.jsonl", LINES[0])
    written = console(encoding)
    assert main(["predict", str(trained / "model"), str(notes), "--top-k", "1"]) == 0
    assert written.getvalue().decode(encoding).splitlines()[0] == r"\u60a3\u80051"
    written = console(encoding)
    assert main(["predict", str(trained / "model"), str(notes), "--json"]) == 0
    assert json.loads(written.getvalue())["note_id"] == "\u60a3\u80051"


def test_standard_streams_that_are_closed(place, trained, check_refused, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    check_refused("predict", trained / "model", names="standard input is closed; name a file")
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["data", "check", str(trained / "notes.csv")]) == 2
    assert "icd-relevancy: standard output is closed" in capsys.readouterr().err


def test_a_full_disk_behind_standard_output(trained, monkeypatch, capsys):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert main(["data", "check", str(trained / "notes.csv")]) == 2
    assert capsys.readouterr().err == "icd-relevancy: No space left on device\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/dev/zero", "/dev/zero: binary data, which is not read"),
        (".", ".: a folder; name a file"),
        ("letter.docx", "letter.docx: a Word document, which is not read; save it as plain text"),
        ("broken.txt", "broken.txt, line 2: malformed JSON"),
        ("table.txt", "table.txt: holds a table with a header, not one note; name it .csv"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "explain"])
def test_what_is_no_note(place, trained, check_refused, command, name, told):
    write(place / "letter.docx", b"PK\x03\x04")
    write(place / "broken.txt", LINES[0], '{"text": "' + SECRET)
    write(place / "table.txt", "note_id,text", f"1,{SECRET}")
    check_refused(
        command, trained / "model", name, *(["--out", "p.html"] if command == "explain" else []), names=told
    )


def test_all_problems_are_told_each_on_a_line(place, trained, settings, capsys):
    notes = write(place / "n.csv", "note_id,text,codes,age", "7,,R05,131", f"8,{SECRET},R05/R06,1")
    for command in (["train", str(notes), "--out", "new", *settings], ["data", "check", str(notes)]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert [line.split(": ")[1] for line in told.splitlines()] == [
            f"{notes}, row 1, column 'text'",
            f"{notes}, row 1, column 'age'",
            f"{notes}, row 2, column 'codes'",
        ]
        assert all(line.startswith("icd-relevancy: ") for line in told.splitlines())
        assert SECRET not in told
    assert not (place / "new").exists()


def test_check_counts_each_code_once(place, capsys):
    write(
        place / "n.csv",
        "note_id,text,codes",
        "1,A,R05.9;r059;ICD10:R05.9",
        "2,B,R059;r509;R50.9+;R05.99;R0599",
    )
    assert main(["data", "check", "n.csv"]) == 0
    told = capsys.readouterr().out
    assert "2 notes, 8 codes, 3 distinct" in told
    assert "icd10cm: 1 exact, 1 respelled, 1 by an ancestor" in told
    assert {"  ICD10:R05.9 -> R05.9", "  R50.9+ -> R50.9"} < set(told.splitlines())


@pytest.mark.parametrize("spelt", ["ICD-9-CM", "9", "icd9", "ICD9CM", "icd-9"])
def test_check_takes_a_code_system_as_people_spell_it(place, capsys, spelt):
    write(place / "n.csv", "note_id,text,codes", "1,A,4280")
    assert main(["data", "check", "n.csv", "--code-system", spelt]) == 0
    assert "icd9cm: 0 exact, 1 respelled" in capsys.readouterr().out


def test_check_reads_both_code_systems(place, capsys):
    write(
        place / "told.csv",
        "note_id,text,codes,code_system",
        "1,A,V10.4,ICD-9-CM",
        "2,B,V10.4XXA,10",
        "3,C,R05,",
    )
    write(place / "untold.csv", "note_id,text,codes", "1,A,428.0", "2,B,J18.9")
    for name, first in (("told", "icd10cm (2 notes, 2 groups"), ("untold", "icd10cm (1 notes, 1 groups")):
        assert main(["data", "check", f"{name}.csv"]) == 0
        told = capsys.readouterr().out.splitlines()
        assert told[2].startswith(first)
        assert told[3].startswith("icd9cm (1 notes, 1 groups by patient or repeated text): 1 exact")
    write(place / "n.csv", "note_id,text,codes,code_system", "1,A,R05,icd10gm")
    assert main(["data", "check", "n.csv"]) == 2
    assert "note '1' has the code_system 'icd10gm'; write icd10cm or icd9cm" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_check_reads_stays(place, capsys, suffix):
    frame = pd.DataFrame({"stay_id": ["1", "2"], "drugs": ["heparin", ""], "codes": ["I10;r059", ""]})
    {"csv": lambda: frame.to_csv("s.csv", index=False), "parquet": lambda: frame.to_parquet("s.parquet"),
     "jsonl": lambda: frame.to_json("s.jsonl", orient="records", lines=True)}[suffix]()  # fmt: skip
    assert main(["data", "check", f"s.{suffix}"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "2 stays, 2 codes, 2 distinct",
        "1 stays without codes, 1 without drugs, 2 groups by patient",
        "icd10cm: 1 exact, 1 respelled, 0 by an ancestor",
    ]
    write(place / "bad.csv", "stay_id,drugs,codes", "7,heparin,QQ9")
    assert main(["data", "check", "bad.csv"]) == 2
    assert "1 codes are not icd10cm: 'QQ9' of stay '7'; correct" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "counts"),
    [("mimic4", {"icd10cm", "icd9cm"}), ("mimic3", {"icd9cm"}), ("mimic4-notes", {"icd10cm", "icd9cm"})],
)
def test_check_reads_the_sources_that_its_help_lists(place, capsys, source, counts):
    write(place / "admissions.csv", "subject_id,hadm_id,admittime", "1,100,2150-03-01", "2,101,2150-03-01")
    write(place / "patients.csv", "subject_id,gender,anchor_age,anchor_year,dob", "1,F,50,2150,2100-01-01")
    rows = ["1,100,1,4280,9,4280", "2,101,1,I10,10,4019"]
    write(place / "diagnoses_icd.csv", "subject_id,hadm_id,seq_num,icd_code,icd_version,icd9_code", *rows)
    write(place / "prescriptions.csv", "subject_id,hadm_id,drug_type,drug", "1,100,MAIN,Heparin")
    write(
        place / "discharge.csv",
        "note_id,subject_id,hadm_id,charttime,text",
        "a,1,100,,Cough.",
        "b,2,101,,Pain.",
    )
    assert main(["data", "check", f"{source}:{place}"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("2 ")
    assert {line.split()[0].rstrip(":") for line in told[2:]} == counts
    assert main(["data", "check", f"{source}:{place}", "--code-system", "9"]) == 0
    assert "icd9cm: " in capsys.readouterr().out


def test_check_reads_the_demos(real_data, capsys):
    for data, told in (
        (f"eicu:{real_data / 'eicu_demo'}", "icd10cm (1323 stays, "),
        (f"mimic4:{real_data / 'mimic4_demo'}", "icd10cm (123 stays, "),
    ):
        assert main(["data", "check", data]) == 0
        assert told in capsys.readouterr().out


def test_synthetic_names_the_option_that_is_too_small(place, check_refused):
    refuse = ["data", "synthetic", "--out", "s.csv"]
    check_refused(*refuse, "--codes", "60", names="--codes must be at least 100. Received: 60")
    check_refused(*refuse, "--notes", "0", names="--notes must be at least 1")
