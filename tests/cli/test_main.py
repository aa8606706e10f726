import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import miniature
import pandas as pd
import pytest
from command_line import SECRET, predicted, printed_json, standard_input, write

from icd_relevancy.cli.main import main
from icd_relevancy.data import read_notes

AVERAGES = {"micro_precision", "micro_recall", "micro_f1", "macro_f1", "weighted_f1"}
RANKING = {
    "map", "ndcg", "r_precision", "recall@5", "recall@10", "recall@15", "recall@20", "recall@25", "recall@30",
    "precision@8", "rank_errors@50", "rank_errors@100", "micro_auroc", "micro_auprc",
}  # fmt: skip


@pytest.mark.parametrize(
    "command", ["", "train", "evaluate", "predict", "rank", "data", "data check", "data synthetic"]
)
def test_help_of_every_command(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([*command.split(), "--help"])
    assert left.value.code == 0
    assert "usage: icd-relevancy" in capsys.readouterr().out


def test_train_says_what_it_made(place, trained, settings, capsys):
    assert main(["train", str(trained / "notes.csv"), "--out", "new", *settings, "--loss", "tlcl"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("new: 8 codes from 80 notes, 1 epochs, micro-F1 0.")
    config = json.loads(Path("new/coder.json").read_text())["training"]
    # The option wins over the file, the file over the default.
    assert (config["loss"], config["epochs"], config["learning_rate"]) == ("tlcl", 1, 0.1)
    assert sorted(path.name for path in place.iterdir()) == ["new"]


def test_training_again_replaces_the_folder_and_the_same_seed_gives_the_same_model(
    place, trained, settings, capsys
):
    reports = []
    for out, seed in (("one", 0), ("one", 5), ("two", 5)):
        arguments = ["train", str(trained / "notes.csv"), "--out", out, *settings, "--seed", str(seed)]
        assert main(arguments) == 0
        assert json.loads(Path(out, "coder.json").read_text())["training"]["seed"] == seed
        if seed:
            reports.append(printed_json(capsys, "evaluate", out, trained / "notes.csv"))
    assert reports[0] == reports[1]
    assert sorted(path.name for path in place.iterdir()) == ["one", "two"]


def test_relative_paths_of_the_training_hold_elsewhere(
    place, trained, miniature_encoder, capsys, monkeypatch
):
    shutil.copytree(miniature_encoder, "encoder")
    config = write(place / "short.yaml", "max_length: 32", "epochs: 1")
    arguments = ["train", str(trained / "notes.csv"), "--out", "new", "--config", str(config)]
    assert main([*arguments, "--encoder", "encoder"]) == 0
    (place / "deep").mkdir()
    monkeypatch.chdir(place / "deep")
    note = write(place / "note.txt", "cough")
    capsys.readouterr()
    assert predicted(capsys, "../new", note)


def test_evaluate_json_has_the_keys_of_the_contract(place, trained, capsys):
    assert main(["evaluate", str(trained / "model"), str(trained / "notes.csv"), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found.keys() == {
        "notes", "labels", "decision_threshold", "unseen_codes", "equality", "relevancy", "ranking",
    }  # fmt: skip
    assert (found["notes"], found["labels"], found["unseen_codes"]) == (80, 8, 0.0)
    assert found["equality"].keys() == found["relevancy"].keys() == AVERAGES
    assert found["ranking"].keys() == RANKING
    assert found["equality"]["micro_f1"] > 0.6


def test_evaluate_needs_a_code(place, trained, check_refused):
    notes = write(place / "n.csv", "note_id,text,codes", f"1,{SECRET},")
    check_refused("evaluate", trained / "model", notes, "--json", names="n.csv: no note has a code")


def test_evaluate_in_words(place, trained, capsys):
    assert main(["evaluate", str(trained / "model"), str(trained / "notes.csv")]) == 0
    told = capsys.readouterr().out
    assert "notes                80" in told
    assert "  micro_f1" in told


def test_evaluate_counts_unseen_codes(place, trained, capsys):
    notes = write(place / "n.csv", "note_id,text,codes", "1,patient with cough,R05.9;N39.0")
    assert main(["evaluate", str(trained / "model"), str(notes), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unseen_codes"] == 0.5
    assert found["equality"]["micro_recall"] <= 0.5


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("note.txt", "patient with cough", ["note"]),
        ("note.json", '{"note_id": 17, "text": "patient with cough"}', ["17"]),
        ("note.jsonl", '{"note_id": "a", "text": "cough"}\n{"text": "fever"}', ["a", "2"]),
        ("note.csv", "note_id,text\n01,cough\n02,fever", ["01", "02"]),
    ],
)
def test_predict_from_files(place, trained, capsys, name, content, ids):
    found = predicted(capsys, trained / "model", write(place / name, content), "--top-k", 3)
    assert [note["note_id"] for note in found] == ids
    for note in found:
        assert note.keys() == {"note_id", "codes"}
        assert [code.keys() for code in note["codes"]] == [{"code", "title", "probability", "assigned"}] * 3
        probabilities = [code["probability"] for code in note["codes"]]
        assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("file", [[], ["-"]])
def test_predict_from_standard_input(place, trained, capsys, monkeypatch, file):
    standard_input(monkeypatch, "patient with cough")
    (as_text,) = predicted(capsys, trained / "model", *file)
    standard_input(monkeypatch, '{"note_id": "x", "text": "patient with cough"}\n{"text": "fever"}')
    as_json = predicted(capsys, trained / "model", *file)
    assert [note["note_id"] for note in as_json] == ["x", "2"]
    assert [code["code"] for code in as_json[0]["codes"]] == [code["code"] for code in as_text["codes"]]
    assert len(as_text["codes"]) == 8  # all there are, fewer than ten


def test_a_file_may_stand_behind_the_options(place, trained, capsys):
    write(place / "n.jsonl", '{"note_id": "n7", "text": "Cough."}')
    assert main(["predict", str(trained / "model"), "--top-k", "1", "n.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("n7\n")
    with pytest.raises(SystemExit, match="2"):
        main(["predict", str(trained / "model"), "n.jsonl", "other.jsonl"])


def test_predict_in_words(place, trained, capsys):
    assert (
        main(["predict", str(trained / "model"), str(write(place / "a.txt", "cough")), "--top-k", "2"]) == 0
    )
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "a"
    assert len(told) == 3


def test_another_process_and_a_moved_folder(place, trained, capsys):
    shutil.copytree(trained / "model", "moved")
    note = write(place / "note.txt", "patient with cough and fever")
    here = predicted(capsys, trained / "model", note)
    command = [
        sys.executable,
        "-m",
        "icd_relevancy.cli",
        "predict",
        str(place / "moved"),
        str(note),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True)
    (there,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert [code["code"] for code in there["codes"]] == [code["code"] for code in here[0]["codes"]]
    for one, other in zip(there["codes"], here[0]["codes"], strict=True):
        assert one["probability"] == pytest.approx(other["probability"], rel=1e-5)


def test_another_process_says_one_line(place, trained):
    notes = write(place / "n.csv", "note_id,text,codes", f"1,{SECRET},QQ9")
    command = [sys.executable, "-m", "icd_relevancy.cli", "evaluate", str(trained / "model"), str(notes)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("icd-relevancy: n.csv: 1 codes are not icd10cm, first 'QQ9' of note '1'")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_leaves_is_no_error(place):
    script = "import sys; from icd_relevancy.cli.main import main; sys.exit(main(sys.argv[1:]))"
    notes = place / "n.csv"
    miniature.notes(5).write(notes)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-u", "-c", script, "data", "check", str(notes)],
            stdout=closed,
            stderr=subprocess.PIPE,
        )
    assert done.stderr == b""
    assert done.returncode == 0


# data


def test_data_check(place, capsys):
    notes = write(place / "n.csv", "note_id,text,codes", "1,A,R05.9;r509", "2,B,R05.9", "3,a,", "4,D,R05.99")
    assert main(["data", "check", str(notes)]) == 0
    told = capsys.readouterr().out
    assert "4 notes, 4 codes, 3 distinct" in told
    assert "1 notes without codes, 3 groups" in told
    assert "icd10cm: 1 exact, 1 respelled, 1 by an ancestor" in told
    assert "R05.99 -> R05.9" in told


def test_data_check_names_what_is_no_code(place, capsys):
    notes = write(place / "n.csv", "note_id,text,codes", f"1,{SECRET},QQ9 R05.9 ZZ9")
    assert main(["data", "check", str(notes)]) == 2
    told = capsys.readouterr().err
    assert told.splitlines() == [
        f"icd-relevancy: {notes}: 2 codes are not icd10cm: 'QQ9' of note '1', 'ZZ9' of note '1'; "
        "correct them or choose another --code-system"
    ]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_data_synthetic(place, capsys, suffix):
    arguments = ["data", "synthetic", "--notes", "30", "--codes", "100", "--seed", "3", "--out"]
    assert main([*arguments, f"one.{suffix}"]) == 0
    assert main([*arguments, f"made/two.{suffix}"]) == 0
    notes = read_notes(f"one.{suffix}")
    assert len(notes) == 30
    assert len(notes.label_names()) <= 100
    assert notes.text == read_notes(f"made/two.{suffix}").text
    assert sorted(path.name for path in place.iterdir()) == ["made", f"one.{suffix}"]
    assert main(["data", "check", f"one.{suffix}"]) == 0


def test_data_synthetic_streams(place, monkeypatch):
    from icd_relevancy.data.synthetic import notes

    monkeypatch.setattr(notes, "_NOTES_AT_ONCE", 4)
    written, original = [], pd.DataFrame.to_csv

    def to_csv(self, *arguments, **options):
        written.append(len(self))
        return original(self, *arguments, **options)

    monkeypatch.setattr(pd.DataFrame, "to_csv", to_csv)
    assert main(["data", "synthetic", "--notes", "10", "--codes", "100", "--out", "a.csv"]) == 0
    assert written == [4, 4, 2]
    assert read_notes("a.csv").note_id == tuple(f"S0-{number}" for number in range(10))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_data_synthetic_is_whole_or_not_at_all(place, check_refused, monkeypatch, suffix):
    from icd_relevancy.data.synthetic import notes

    frames = notes._frames

    def full(*arguments):
        yield from frames(2, 0, 100)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notes, "_frames", full)
    write(place / f"a.{suffix}", "older")
    check_refused(
        "data", "synthetic", "--notes", 5, "--codes", 100, "--out", f"a.{suffix}", names="the disk is full"
    )
    assert (place / f"a.{suffix}").read_text() == "older\n"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--out", "a.doc"], "a.doc"),
        (["--out", "a.csv", "--notes", "0"], "--notes"),
        (["--out", "a.csv", "--codes", "5"], "5"),
        (["--out", "a.csv", "--codes", "90000"], "90000"),
    ],
)
def test_data_synthetic_bad_options(check_refused, options, names):
    check_refused("data", "synthetic", *options, names=names)
