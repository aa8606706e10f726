"""The command line with models of words, lexicons and two code systems."""

import json
from dataclasses import replace
from pathlib import Path

import miniature
import numpy as np
import pytest
from command_line import SECRET, predicted, write

from icd_relevancy.cli.main import main
from icd_relevancy.data import Notes
from icd_relevancy.vectors import CodeVectors


@pytest.fixture(scope="module")
def both(two_systems_cache, tmp_path_factory) -> Path:
    """A folder with `notes.jsonl` in two code systems and the joint `model` that was trained on them."""
    folder = tmp_path_factory.mktemp("both")
    of = ("icd10cm", "icd9cm") * 40
    replace(miniature.two_systems(), code_system=of).write(folder / "notes.jsonl")
    write(folder / "small.yaml", "units: 16", "learning_rate: 0.02", "monitor: loss")
    options = ["--config", str(folder / "small.yaml"), "--epochs", "10", "--out", str(folder / "model")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICD_RELEVANCY_CACHE", str(two_systems_cache))
        assert main(["train", str(folder / "notes.jsonl"), "--model", "caml", "--joint", *options]) == 0
    return folder


def test_a_new_note_is_coded_in_both_systems(place, both, capsys):
    note = write(place / "note.txt", "Patient presents with asthma and fever .")
    found = predicted(capsys, both / "model", note, "--top-k", 2)
    assert [(one["note_id"], one["code_system"]) for one in found] == [
        ("note", "icd10cm"),
        ("note", "icd9cm"),
    ]
    assert [len(one["codes"]) for one in found] == [2, 2]
    (nine,) = predicted(capsys, both / "model", note, "--system", "icd9", "--top-k", 2)
    assert nine == {"note_id": "note", "codes": found[1]["codes"]}
    assert {code["code"] for code in nine["codes"]} <= set(miniature.NINE.values())


def test_it_is_measured_in_each_system(place, both, capsys):
    assert main(["evaluate", str(both / "model"), str(both / "notes.jsonl"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(name, of["notes"], of["labels"]) for name, of in told.items()] == [
        ("icd10cm", 40, 8),
        ("icd9cm", 40, 8),
    ]
    assert main(["evaluate", str(both / "model"), str(both / "notes.jsonl")]) == 0
    assert "--- icd9cm" in capsys.readouterr().out


def test_a_code_is_explained_in_one_system(place, both, capsys):
    note = write(place / "note.txt", "Patient presents with asthma and fever .")
    arguments = ["explain", str(both / "model"), str(note), "--out", "page.html"]
    assert main(arguments) == 2
    assert "choose one with --system" in capsys.readouterr().err
    assert main([*arguments, "--system", "icd10"]) == 0
    assert "codes explained by attention" in capsys.readouterr().out
    assert "asthma" in Path("page.html").read_text()


def test_bad_input_of_two_systems(place, both, check_refused):
    model, notes = both / "model", write(
        place / "bad.jsonl",
        json.dumps({"note_id": SECRET, "text": "Cough.", "codes": ["J18.9", "486"]}),
        json.dumps({"note_id": "2", "text": "Fever.", "codes": ["486"]}),
    )  # fmt: skip
    train = ["train", notes, "--model", "caml", "--joint", "--out", "new"]
    check_refused(*train, names="codes of both icd10cm and icd9cm")
    check_refused("train", notes, "--joint", "--out", "new", names="joint is of the models caml")
    explain = ["explain", model, notes, "--out", "page.html", "--system", "icd9", "--method", "lexicon"]
    check_refused(*explain, names="its model has no lexicon")
    check_refused("predict", model, notes, "--system", "icd11", names="codes in icd10cm and icd9cm")


def test_one_system_is_measured_on_its_notes_in_a_file_of_both(place, both, capsys):
    told = []
    for options in ([], ["--system", "icd9"]):
        assert main(["evaluate", str(both / "model"), str(both / "notes.jsonl"), "--json", *options]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[1] == told[0]["icd9cm"]


def test_a_system_of_ones_own_beside_a_packaged_one(place, capsys):
    """Its table, mapping and vectors are needed for the training, and no longer for coding a note."""
    own = {code: f"A{number:02}.{number}" for number, code in enumerate(miniature.WORDS)}
    titles = [f"{code},{miniature.WORDS[old]}" for old, code in own.items()]
    table = write(place / "national.csv", "code,title", *titles)
    pairs = write(place / "pairs.csv", "first,second", *(f"{old},{code}" for old, code in own.items()))
    CodeVectors(tuple(own.values()), np.eye(len(own), dtype=np.float32)).save(place / "national")
    notes = miniature.notes(40)
    codes = [[own[code] for code in row] if at % 2 else row for at, row in enumerate(notes.codes)]
    of = ["national" if at % 2 else "icd10cm" for at in range(40)]
    Notes(notes.note_id, notes.text, codes, code_system=of).write(place / "notes.jsonl")
    settings = write(
        place / "own.yaml", f"joint_system: {table}", f"mapping: {pairs}", "units: 4", "monitor: loss"
    )
    options = ["--model", "caml", "--joint", "--lexical", "--config", str(settings), "--epochs", "1"]
    assert main(["train", str(place / "notes.jsonl"), *options, "--out", "model"]) == 0
    assert "national: 8 of 8 labels linked" in capsys.readouterr().out
    assert main(["evaluate", "model", str(place / "notes.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["national"]["notes"] == 20
    for path in (table, pairs):
        path.unlink()
    (found,) = predicted(
        capsys, "model", write(place / "note.txt", "Fever."), "--system", "nat", "--top-k", 8
    )
    assert {code["code"] for code in found["codes"]} == set(own.values())


def test_lexicon_and_lexical(place, trained, capsys):
    notes = trained / "notes.csv"
    assert main(["train", str(notes), "--model", "lexicon", "--out", "words"]) == 0
    assert capsys.readouterr().out.startswith("words: 8 codes from 80 notes")
    (found,) = predicted(capsys, "words", write(place / "note.txt", "Has had a cough."), "--top-k", 1)
    assert found["codes"][0]["code"] == "R05.9"
    assert main(["explain", "words", str(place / "note.txt"), "--out", "page.html", "--top-k", "1"]) == 0
    assert "1 codes explained by lexicon" in capsys.readouterr().out
    page = Path("page.html").read_text()
    assert "names the code" in page
    assert ">cough</mark>" in page
    settings = write(place / "small.yaml", "units: 4", "monitor: loss", "max_length: 3")
    options = ["--model", "caml", "--lexical", "--config", str(settings), "--epochs", "1", "--out", "both"]
    assert main(["train", str(notes), *options]) == 0
    assert json.loads(Path("both/coder.json").read_text())["training"]["lexical"] is True
    assert "80 notes are longer than 3 words and read only so far" in capsys.readouterr().err
    assert main(["predict", "both", "note.txt"]) == 0
    assert "1 note is longer than 3 words" in capsys.readouterr().err


def test_a_lexicon_of_two_systems(place, both, capsys):
    assert main(["train", str(both / "notes.jsonl"), "--model", "lexicon", "--joint", "--out", "words"]) == 0
    capsys.readouterr()
    note = write(place / "note.txt", "Has had a cough.")
    found = predicted(capsys, "words", note, "--top-k", 1)
    assert [one["codes"][0]["code"] for one in found] == ["R05.9", "786.2"]
    options = ["--system", "icd9", "--method", "lexicon", "--out", "page.html", "--top-k", "1"]
    assert main(["explain", "words", str(note), *options]) == 0
    assert ">cough</mark>" in Path("page.html").read_text()
