import json
from collections import Counter
from dataclasses import replace

import pytest
from command_line import SECRET, standard_input, write

from icd_relevancy.cli import main
from icd_relevancy.data import synthetic_stays

SETTINGS = "model: medication", "units: 32", "hidden_layers: 1", "epochs: 3"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with stays and a small model of them."""
    folder = tmp_path_factory.mktemp("medication")
    synthetic_stays(150).write(folder / "stays.csv")
    settings = write(folder / "settings.yaml", *SETTINGS)
    options = ["--config", str(settings), "--out", str(folder / "model")]
    assert main(["train", str(folder / "stays.csv"), *options]) == 0
    return folder


def test_training_tells_what_a_coder_reads(trained, place, capsys):
    settings = write(place / "settings.yaml", *SETTINGS)
    assert (
        main(
            ["train", str(trained / "stays.csv"), "--config", str(settings), "--out", "again", "--seed", "2"]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "codes of the hierarchy and " in told
    assert "half of a stay's codes are found after " in told
    assert json.loads((place / "again" / "coder.json").read_text())["training"]["seed"] == 2


def test_rank_from_standard_input(trained, monkeypatch, capsys):
    stay = {"stay_id": 7, "drugs": ["Metformin 500 mg tablet", "xyzzy"], "age": 64, "sex": "F"}
    standard_input(monkeypatch, json.dumps(stay))
    assert main(["rank", str(trained / "model"), "--json", "--top-k", "4"]) == 0
    printed = capsys.readouterr()
    ranked = json.loads(printed.out)
    assert (ranked["stay_id"], len(ranked["codes"])) == ("7", 4)
    assert ranked["rank_errors@50"] < ranked["rank_errors@100"]
    assert set(ranked["codes"][0]) == {"code", "title", "level", "probability", "assigned"}
    assert printed.err == "1 drug is unknown to the model and left out: xyzzy (1)\n"


def test_rank_a_file_at_all_levels(trained, place, capsys):
    synthetic_stays(3, seed=9).write(place / "new.jsonl")
    assert main(["rank", str(trained / "model"), "new.jsonl", "--all-levels", "--top-k", "6"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("half of a stay's codes are found after ")
    assert len([line for line in lines if not line.startswith(" ")]) == 3
    assert len(lines) == 3 * 7


def test_evaluate(trained, capsys):
    assert main(["evaluate", str(trained / "model"), str(trained / "stays.csv"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["notes"] == 150
    assert result["unseen_codes"] == 0
    assert set(result) >= {"labels", "decision_threshold", "equality", "relevancy", "ranking"}


def test_evaluate_by_ward(trained, tmp_path, capsys):
    stays = synthetic_stays(150)
    young = replace(stays, age=(0.0,) * 12 + stays.age[12:])
    young.write(tmp_path / "young.jsonl")
    model = str(trained / "model")
    assert main(["evaluate", model, str(tmp_path / "young.jsonl"), "--by", "ward", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    groups = Counter(["newborn"] * 12 + list(stays.ward[12:]))
    measured = {name: count for name, count in groups.items() if count >= 10}
    assert {name: found["stays"] for name, found in result["wards"].items()} == measured
    assert result["wards_left_out"] == {name: count for name, count in groups.items() if count < 10}
    assert set(result["wards"]["newborn"]) == {"stays", "standard_error", *result["ranking"]}
    assert main(["evaluate", model, str(tmp_path / "young.jsonl"), "--by", "ward"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("notes ")
    heading, *lines = printed[printed.index("ward ") :].splitlines()
    assert heading.split() == ["ward", "stays", "NDCG", "Recall@10", "Recall@30", "RE@50", "RE@100"]
    newborn = next(line for line in lines if line.startswith("newborn")).split()
    assert newborn[1] == "12"
    assert newborn[2] == f"{result['wards']['newborn']['ndcg']:.3f}"
    assert any(line.startswith("too few stays to measure: ") for line in lines)


def test_a_ward_alone_is_the_part_of_all(trained, tmp_path, capsys):
    stays = replace(synthetic_stays(40, seed=4), ward=("Medicine",) * 40, age=None)
    stays.write(tmp_path / "one.jsonl")
    assert (
        main(["evaluate", str(trained / "model"), str(tmp_path / "one.jsonl"), "--by", "ward", "--json"]) == 0
    )
    result = json.loads(capsys.readouterr().out)
    found = result["wards"]["Medicine"]
    assert found["stays"] == 40
    assert {metric: found[metric] for metric in result["ranking"]} == result["ranking"]
    assert result["unseen_codes"] > 0


def test_refusals(trained, place, check_refused):
    model, stays = trained / "model", trained / "stays.csv"
    medication = ["train", stays, "--model", "medication", "--out", "new"]
    check_refused(*medication, "--alpha", "0.3", names="--alpha is of models of notes")
    check_refused(*medication, "--loss", "whml", names="loss must be one of bce")
    check_refused("predict", model, names="holds a model 'medication'")
    check_refused("rank", place, names="not a trained model")
    check_refused("rank", model, stays, "--top-k", "0", names="--top-k must be at least 1")
    check_refused("rank", model, "nowhere.csv", names="nowhere.csv")
    check_refused("rank", model, "nosuch:folder", names="nosuch")
    wrong = write(place / "wrong.csv", "stay_id,drugs,age", f"1,{SECRET},-4")
    check_refused("rank", model, wrong, names="row 1, column 'age'")
    uncoded = write(place / "uncoded.csv", "stay_id,drugs,codes", "1,heparin,")
    check_refused("train", uncoded, "--model", "medication", "--out", "new", names="no stay has a code")
    check_refused("evaluate", model, uncoded, names="no stay has a code")
    no_ward = write(place / "no_ward.csv", "stay_id,drugs,codes", "1,heparin,I10")
    check_refused("evaluate", model, no_ward, "--by", "ward", names="no_ward.csv: no stay has a ward")
    notes = place / "notes"
    notes.mkdir()
    write(notes / "coder.json", json.dumps({"training": {"model": "linear"}}))
    check_refused("evaluate", notes, no_ward, "--by", "ward", names="--by ward is of medication models")
