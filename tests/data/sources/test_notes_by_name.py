"""`load_notes`: paths and `SOURCE:PATH`."""

import pytest

from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.by_name import load_notes
from icd_relevancy.data.sources.cmc2007 import read_cmc2007
from icd_relevancy.errors import InputError

XML = (
    '<docs><doc id="7"><codes><code origin="CMC_MAJORITY">786.2</code></codes>'
    '<texts><text type="IMPRESSION">Cough.</text></texts></doc></docs>'
)


@pytest.fixture
def notes() -> Notes:
    return Notes(("1",), ("Cough.",), (("R05",),))


def test_a_file(notes, tmp_path):
    notes.write(tmp_path / "notes.csv")
    assert load_notes(tmp_path / "notes.csv").codes == notes.codes
    assert load_notes(str(tmp_path / "notes.csv")).text == notes.text


def test_a_file_whose_name_holds_a_colon(notes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notes.write("cmc2007:notes.csv")
    assert load_notes("cmc2007:notes.csv").codes == notes.codes
    notes.write("run 12:30.csv")
    assert load_notes("run 12:30.csv").codes == notes.codes


def test_a_source(tmp_path):
    (tmp_path / "radiology.xml").write_text(XML)
    assert load_notes(f"cmc2007:{tmp_path}") == read_cmc2007(tmp_path)


def test_the_code_system_reaches_a_source_that_has_both(tmp_path):
    (tmp_path / "discharge.csv").write_text("note_id,subject_id,hadm_id,text\na,1,1,Cough\nb,1,2,Fall\n")
    (tmp_path / "diagnoses_icd.csv").write_text(
        "subject_id,hadm_id,seq_num,icd_code,icd_version\n1,1,1,J189,10\n1,2,1,0010,9\n"
    )
    assert load_notes(f"mimic4-notes:{tmp_path}").codes == (("J18.9",),)
    assert load_notes(f"mimic4-notes:{tmp_path}", code_system="icd9cm").codes == (("001.0",),)


def test_notes_to_be_coded(tmp_path):
    (tmp_path / "notes.csv").write_text("note_id,text\n1,Cough\n")
    assert load_notes(tmp_path / "notes.csv", require_codes=False).codes == ((),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            "mimic5:folder",
            "unknown source 'mimic5'; the sources of notes are cmc2007, codiesp, codiesp-es, mimic4-notes",
        ),
        ("cmc2007:absent", "no such file or folder: absent"),
        ("C:\\absent.csv", "no such file"),
        ("a/b:absent.csv", "no such file"),
        ("absent.csv", "no such file"),
    ],
)
def test_what_is_not_there(data, told):
    with pytest.raises(InputError) as caught:
        load_notes(data)
    assert told in str(caught.value)


@pytest.mark.parametrize(("source", "count"), [("codiesp", 750), ("codiesp-es", 750), ("codiesp:train", 500)])
def test_real_sources(real_data, source, count):
    name, _, split = source.partition(":")
    assert len(load_notes(f"{name}:{real_data / 'codiesp' / split}")) == count
