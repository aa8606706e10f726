"""What the command line refuses: one line that names the place, exit code 2, nothing half-written."""

import json
import os
import shutil
from pathlib import Path

import miniature
import numpy as np
import pytest
from command_line import SECRET, standard_input, write

from icd_relevancy.vectors import CodeVectors

BAD_NOTES = {
    "unknown code": (["note_id,text,codes", f"1,{SECRET},QQ9"], "'QQ9' of note '1'"),
    "malformed code": (
        ["note_id,text,codes", f"1,{SECRET},R05", f"2,{SECRET},R0/5"],
        "row 2, column 'codes'",
    ),
    "empty file": ([b""], "n.csv"),
    "no rows": (["note_id,text,codes"], "n.csv: the file has no rows"),
    "no text": (["note_id,text,codes", "1,,R05"], "row 1, column 'text'"),
    "no column": (["note_id,text", f"1,{SECRET}"], "no column 'codes'"),
    "not UTF-8": (["note_id,text,codes", SECRET.encode() + b"\xff,A,R05"], "line 2"),
    "duplicate id": (["note_id,text,codes", f"1,{SECRET},R05", f"1,{SECRET},R05"], "row 2, column 'note_id'"),
}


@pytest.mark.parametrize("case", BAD_NOTES)
@pytest.mark.parametrize("command", ["train", "evaluate", "check"])
def test_bad_notes(place, trained, settings, check_refused, case, command):
    lines, names = BAD_NOTES[case]
    notes = write(place / "n.csv", *lines)
    if command == "train":
        check_refused("train", notes, "--out", "new", *settings, names=names)
    elif command == "evaluate":
        told = check_refused("evaluate", trained / "model", notes, "--json", names=names)
        assert "--code-system" not in told
    elif case != "unknown code":
        check_refused("data", "check", notes, names=names)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--threshold", "1.5"], "threshold"),
        (["--threshold", "nan"], "threshold"),
        (["--alpha", "-0.1"], "alpha"),
        (["--alpha", "2"], "alpha"),
        (["--epochs", "0"], "epochs"),
        (["--seed", "-1"], "seed"),
        (["--encoder", "/nowhere/encoder"], "/nowhere/encoder"),
        (["--encoder", "./nowhere"], "nowhere"),
        (["--vectors", "nowhere"], "nowhere"),
        (["--code-system", "nowhere.csv"], "nowhere.csv"),
        (["--code-system", "icd11"], "icd11"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--out", "/dev/null/new"], "/dev/null is no folder"),
    ],
)
def test_bad_options_of_train(trained, settings, check_refused, options, names):
    check_refused("train", trained / "notes.csv", "--out", "new", *settings, *options, names=names)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("los: bce", "unknown key 'los'"),
        ("alpha: 1.5", "alpha"),
        ("epochs: many", "epochs"),
        ("epochs: [1", "s.yaml"),
        ("max_length: 1000", "max_length"),
    ],
)
def test_bad_settings(place, trained, miniature_encoder, check_refused, line, names):
    config = write(place / "s.yaml", line)
    arguments = ["--out", "new", "--config", config, "--encoder", miniature_encoder]
    check_refused("train", trained / "notes.csv", *arguments, names=names)


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_bad_vectors(place, trained, settings, check_refused, bad):
    good = miniature.vectors(miniature.WORDS)
    good.save(place / "vectors")
    table = np.array(good.vectors)
    table[good.codes.index("J18.9")] = bad
    np.save(place / "vectors" / "vectors.npy", table)
    check_refused(
        "train", trained / "notes.csv", "--out", "new", *settings, "--vectors", "vectors", names="'J18.9'"
    )


def test_labels_without_vectors(place, trained, settings, check_refused):
    CodeVectors(["R05.9"], [[1.0]]).save(place / "vectors")
    told = check_refused("train", trained / "notes.csv", "--out", "new", *settings, "--vectors", "vectors")
    assert "labels have no vector, nor has any ancestor in icd10cm: 'E11.9', 'I10'" in told
    notes = write(place / "n.csv", "note_id,text,codes", f"1,{SECRET},A00.0")
    check_refused("evaluate", trained / "model", notes, names="label 'A00.0' has no vector")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("nosuch:folder", "nosuch"),
        ("cmc2007:nowhere", "nowhere"),
        ("codiesp:nowhere", "nowhere"),
        ("mimic4-notes:nowhere", "nowhere"),
        ("nowhere.csv", "nowhere.csv"),
        ("notes.doc", "notes.doc"),
        (".", "."),
    ],
)
def test_unknown_sources_and_missing_data(trained, settings, check_refused, data, names):
    check_refused("train", data, "--out", "new", *settings, names=names)
    check_refused("evaluate", trained / "model", data, names=names)
    check_refused("data", "check", data, names=names)


def test_an_output_that_is_in_the_way(place, trained, settings, check_refused):
    write(place / "file", "mine")
    assert "choose another --out" in check_refused("train", trained / "notes.csv", "--out", "file", *settings)
    check_refused("train", trained / "notes.csv", "--out", "file/new", *settings, names="file")
    (place / "folder").mkdir()
    write(place / "folder" / "mine.txt", "mine")
    told = check_refused("train", trained / "notes.csv", "--out", "folder", *settings)
    assert "holds no trained model" in told
    assert (place / "folder" / "mine.txt").read_text() == "mine\n"


def test_a_folder_without_permission(trained, settings, check_refused, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    check_refused("train", trained / "notes.csv", "--out", "new", *settings, names="no permission")


def test_what_the_system_refuses_is_told_in_one_line(trained, settings, check_refused, monkeypatch):
    from icd_relevancy.files import disk

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", "new")

    monkeypatch.setattr(disk.tempfile, "mkdtemp", refuse)
    monkeypatch.setattr("icd_relevancy.files.disk.cache_folder", lambda: Path("/nowhere"))
    check_refused(
        "data", "synthetic", "--out", "a.csv", "--notes", 1, "--codes", 100, names="new: Permission denied"
    )


def test_a_full_disk(trained, settings, check_refused, monkeypatch):
    import keras

    def full(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    check_refused("train", trained / "notes.csv", "--out", "new", *settings, names="new: the disk is full")


def test_a_truncated_cache_shard(place, trained, settings, check_refused, miniature_cache, monkeypatch):
    shutil.copytree(miniature_cache, "cache")
    shards = list(Path("cache/embeddings").rglob("*.npz"))
    assert shards
    for shard in shards:
        shard.write_bytes(shard.read_bytes()[:100])
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(place / "cache"))
    told = check_refused("train", trained / "notes.csv", "--out", "new", *settings)
    assert ".npz: not a shard of embeddings, or damaged (" in told
    assert "delete the file and run again" in told


@pytest.mark.parametrize("name", ["coder.json", "model.keras", "relevance.npz"])
def test_a_truncated_model(place, trained, check_refused, name):
    shutil.copytree(trained / "model", "model")
    path = place / "model" / name
    path.write_bytes(path.read_bytes()[:200])
    note = write(place / "note.txt", SECRET)
    check_refused("predict", "model", note, names=name)
    check_refused("evaluate", "model", trained / "notes.csv", names=name)


def test_bad_predictions(place, trained, check_refused, monkeypatch):
    note = write(place / "note.txt", SECRET)
    check_refused("predict", place / "none", note, names="none")
    check_refused("predict", trained / "model", place / "none.txt", names="none.txt")
    check_refused("predict", trained / "model", note, "--top-k", 0, names="--top-k")
    check_refused("predict", trained / "model", write(place / "a.txt", ""), names="a.txt")
    check_refused("predict", trained / "model", write(place / "a.json", '{"note": "x"}'), names="a.json")
    check_refused(
        "predict", trained / "model", write(place / "b.txt", SECRET.encode() + b"\xff"), names="b.txt"
    )
    standard_input(monkeypatch, "")
    check_refused("predict", trained / "model", names="standard input")


def test_an_encoder_that_is_gone(place, trained, check_refused):
    shutil.copytree(trained / "model", "model")
    told = json.loads(Path("model/coder.json").read_text())
    told["training"]["encoder"] = "/nowhere/encoder"
    Path("model/coder.json").write_text(json.dumps(told))
    check_refused("predict", "model", write(place / "note.txt", SECRET), names="/nowhere/encoder")
