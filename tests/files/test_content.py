"""`read_content`: what bytes are that no name tells, and how many of them are read."""

import gzip
import io
import os
import sys
import threading

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.files import content
from icd_relevancy.files.content import read_content


@pytest.fixture
def kind_of(monkeypatch):
    def kind(content: bytes) -> str:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return read_content("-").kind

    return kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Cough.\nFever.", "text"),
        (b"", "text"),
        (b"Patient, text and more\nCough.", "text"),
        (b"1,Cough.\n2,Fever.", "text"),
        (b' \n{"text": "A"}', "json"),
        (b"\xef\xbb\xbf[1]", "json"),
        (b"note_id,text\n1,Cough.", "csv"),
        (b'\xef\xbb\xbf"Note ID","TEXT"\n1,Cough.', "csv"),
        (b"stay_id\tdrugs\n1\theparin", "tsv"),
        (b"note_id;text\n1;Cough.", "semicolons"),
        (b"subject_id|hadm_id|text\n1|2|Cough.", "bars"),
        (b"PAR1 and more", "parquet"),
        (gzip.compress(b"note_id,text\n1,Cough."), "csv"),
    ],
)
def test_kinds(kind_of, content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7", "a PDF document, which is not read; save it as plain text"),
        (b"{\\rtf1 Cough.}", r"rich text \(RTF\)"),
        (b"PK\x03\x04", "Office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
        (b"<!DOCTYPE html><p>Cough.", "a web page or XML"),
        (b"<?xml version='1.0'?>", "a web page or XML"),
        ("Cough.".encode("utf-16"), "UTF-16, which is not read; save it as UTF-8"),
        (b"\0" * 50, "binary data"),
        (b"BZh91AY", "compressed by bzip2, which is not read; unpack it first"),
        (gzip.compress(b"%PDF-1.7"), "a PDF document"),
        (gzip.compress(b"Cough." * 100)[:-9], "not a whole gzip file"),
    ],
)
def test_formats_that_are_not_read(kind_of, content, told):
    with pytest.raises(InputError, match=f"^standard input: .*{told}") as caught:
        kind_of(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("letter.DOCX", "a Word document, which is not read; save it as plain text"),
        ("letter.pdf", "a PDF document"),
        ("notes.xlsx", "an Excel workbook, which is not read; save it as CSV"),
        ("notes.zip", "a ZIP archive, which is not read; unpack it first"),
    ],
)
def test_suffixes_that_are_not_read(tmp_path, name, told):
    (tmp_path / name).write_text("Cough.")
    with pytest.raises(InputError, match=f"{name}: {told}"):
        read_content(tmp_path / name)


def test_devices_and_endless_input_are_bounded(monkeypatch, kind_of):
    with pytest.raises(InputError, match="/dev/zero: binary data"):
        read_content("/dev/zero")
    monkeypatch.setattr(content, "MOST_TEXT", 2**20)
    monkeypatch.setattr(content, "MOST_CONTENT", 2**21)
    for endless, most in ((b"cough ", 1), (b'{"text": "A"}', 2), (gzip.compress(b"cough " * 2**19), 1)):
        with pytest.raises(InputError, match=f"^standard input: more than {most} MiB"):
            kind_of(endless * (1 if endless[0] == 0x1F else 2**18))


def test_a_pipe_with_a_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("note_id,text\n1,Cough.",))
    writer.start()
    found = read_content(tmp_path / "pipe")
    writer.join()
    assert (found.kind, found.text()) == ("csv", "note_id,text\n1,Cough.")


def test_standard_input_that_is_closed_or_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed; name a file"):
        read_content("-")
    terminal, written = os.openpty()
    os.write(terminal, b"Cough.\n\x04")
    with open(written) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert read_content("-").text() == "Cough.\n"
    assert "reading from the terminal; Ctrl-D" in capsys.readouterr().err
    os.close(terminal)
