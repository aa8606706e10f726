"""`load_notes` and `load_stays`: files, `SOURCE:PATH`, and `module:name:PATH` of a reader of one's own."""

import sys

import miniature
import pytest

from icd_relevancy.cli.main import main
from icd_relevancy.data import load_notes, load_stays, read_cmc2007
from icd_relevancy.data.notes import Notes
from icd_relevancy.data.sources.by_name import SOURCES
from icd_relevancy.errors import InputError

XML = (
    '<docs><doc id="7"><codes><code origin="CMC_MAJORITY">786.2</code></codes>'
    '<texts><text type="IMPRESSION">Cough.</text></texts></doc></docs>'
)
STAYS = "stay_id,drugs,codes\n1,heparin,I10\n"
OWN = """
from icd_relevancy.data import Notes, Stays, read_notes
from icd_relevancy.data.sources.by_name import source

@source(of="notes", systems=("icd9cm",))
def read_ward(path, code_system):
    return read_notes(f"{path}/ward.csv")

@source(of="stays")
def read_icu(path, code_system, require_codes):
    return Stays(("1",), (("heparin",),), ((code_system,),), source=str(require_codes))

@source(of="notes")
def read_nothing(path, code_system):
    return ["Mrs Miller coughs."]

def read_unmarked(path, code_system):
    return None
"""


@pytest.fixture
def notes() -> Notes:
    return Notes(("1",), ("Cough.",), (("R05",),))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of notes that a reader of one's own reads."""
    (tmp_path / "my_ward").mkdir()
    (tmp_path / "my_ward" / "readers.py").write_text(OWN)
    (tmp_path / "needy_ward.py").write_text("import no_such_library_at_all\n")
    (tmp_path / "ward.csv").write_text("note_id,text,codes\n7,Cough.,786.2\n8,Fever.,780.6\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("my_ward", "my_ward.readers", "needy_ward"):
        sys.modules.pop(name, None)


def test_a_file_of_notes(notes, tmp_path):
    notes.write(tmp_path / "notes.csv")
    assert load_notes(tmp_path / "notes.csv").codes == notes.codes
    assert load_notes(str(tmp_path / "notes.csv")).text == notes.text


def test_a_file_of_stays(tmp_path):
    (tmp_path / "stays.csv").write_text(STAYS)
    assert load_stays(tmp_path / "stays.csv").codes == (("I10",),)
    assert load_stays(tmp_path / "stays.csv", require_codes=False).codes == ((),)


def test_a_file_whose_name_holds_a_colon(notes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cmc2007:notes.csv", "run 12:30.csv", "my:own:notes.csv"):
        notes.write(name)
        assert load_notes(name).codes == notes.codes
    (tmp_path / "eicu:stays.csv").write_text(STAYS)
    assert len(load_stays(tmp_path / "eicu:stays.csv")) == 1


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
    ("load", "data", "told"),
    [
        (
            load_notes,
            "mimic5:folder",
            "unknown source 'mimic5'; the sources of notes are cmc2007, codiesp, codiesp-es, mimic4-notes",
        ),
        (
            load_stays,
            "cmc2007:folder",
            "unknown source 'cmc2007'; the sources of stays are eicu, mimic3, mimic4, omop",
        ),
        (load_notes, "cmc2007:absent", "no such file or folder: absent"),
        (load_stays, "eicu:absent", "no such file or folder: absent"),
        (load_notes, "a/b:absent.csv", "no such file"),
        *(
            (load, name, "no such file")
            for load in (load_notes, load_stays)
            for name in ("C:\\a.csv", "a.csv")
        ),
    ],
)
def test_what_is_not_there(load, data, told):
    with pytest.raises(InputError) as caught:
        load(data)
    assert told in str(caught.value)


def test_every_source_of_stays_looks_for_its_tables(tmp_path):
    for source, table in {
        "eicu": "diagnosis",
        "mimic3": "diagnoses_icd",
        "mimic4": "diagnoses_icd",
        "omop": "condition_occurrence",
    }.items():
        with pytest.raises(InputError, match=f"no {table}.csv"):
            load_stays(f"{source}:{tmp_path}")


@pytest.mark.parametrize(("source", "count"), [("codiesp", 750), ("codiesp-es", 750), ("codiesp:train", 500)])
def test_real_sources(real_data, source, count):
    name, _, split = source.partition(":")
    assert len(load_notes(f"{name}:{real_data / 'codiesp' / split}")) == count


@pytest.mark.parametrize("name", SOURCES.names)
def test_every_path_of_the_index_is_there(name):
    about = SOURCES.about(name)
    assert about["of"] in ("notes", "stays")
    assert set(about["systems"]) <= {"icd10cm", "icd9cm"}
    assert callable(SOURCES.find(name))


def test_a_source_of_ones_own(own):
    assert load_notes(f"my_ward.readers:read_ward:{own}").codes == (("786.2",), ("780.6",))
    stays = load_stays(f"my_ward.readers:read_icu:{own}", "icd9cm", require_codes=False)
    assert (stays.codes, stays.source) == ((("icd9cm",),), "False")


def test_a_source_of_ones_own_on_the_command_line(own, capsys):
    assert main(["data", "check", f"my_ward.readers:read_ward:{own}"]) == 0
    assert "icd9cm: 2 exact, 0 respelled, 0 by an ancestor" in capsys.readouterr().out


def test_a_model_learns_from_a_source_of_ones_own(own, place):
    miniature.notes().write(own / "ward.csv")
    readers = own / "my_ward" / "readers.py"
    readers.write_text(OWN.replace('systems=("icd9cm",)', 'systems=("icd10cm",)'))
    data = f"my_ward.readers:read_ward:{own}"
    assert main(["train", data, "--out", "model", "--model", "lexicon", "--epochs", "1"]) == 0
    assert main(["evaluate", "model", data, "--json"]) == 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "no_such_ward:read",
            "there is no module no_such_ward here; install it, or name its folder in PYTHONPATH",
        ),
        ("my_ward.writers:read", "there is no module my_ward.writers here"),
        ("needy_ward:read", "its module needy_ward needs no_such_library_at_all, which is not installed"),
        ("my_ward.readers:absent", "absent is not there in the module my_ward.readers"),
        ("my_ward.readers:read_unmarked", "read_unmarked is not marked as a source"),
        ("my_ward.readers:read_icu", "is of stays, not of notes"),
        ("my_ward.readers:read_nothing", "the reader must return Notes; it gave a list"),
    ],
)
def test_what_is_no_source_of_ones_own_is_told_in_one_line(own, check_refused, name, told):
    check_refused("train", f"{name}:{own}", "--out", "model", names=told)
