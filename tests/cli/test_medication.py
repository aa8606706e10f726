import json
import shutil
from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest
from command_line import SECRET, printed_json, standard_input, write

from icd_relevancy.cli.main import main
from icd_relevancy.data import synthetic_stays
from icd_relevancy.losses.by_name import NOTE_LOSSES, STAY_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS

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
    options = ["--config", str(trained / "settings.yaml"), "--out", "again", "--seed", "2"]
    assert main(["train", str(trained / "stays.csv"), *options]) == 0
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
    assert ranked["known_drugs"] == 1
    assert printed.err == "icd-relevancy: 1 drug is unknown to the model and left out: xyzzy (1)\n"


def test_a_stay_of_which_nothing_is_known_is_named_and_the_others_are_ranked(trained, monkeypatch, capsys):
    rows = "stay_id\tdrugs\tage\tsex\n7\tmetformin\t64\tF\n8\t\t\tunknown\n9\t\t64\t\n"
    standard_input(monkeypatch, rows)
    assert main(["rank", str(trained / "model"), "--json"]) == 2
    told = capsys.readouterr()
    assert [json.loads(line)["stay_id"] for line in told.out.splitlines()] == ["7", "9"]
    assert told.err.splitlines()[1:] == [
        "icd-relevancy: standard input: stay '8' has no drug, no age and no sex to rank codes by",
        "icd-relevancy: left out 1 stay",
    ]
    standard_input(monkeypatch, '[{"stay_id": 8, "drugs": []}]')
    assert main(["rank", str(trained / "model"), "--json"]) == 2
    assert "no stay has a drug, an age or a sex" in capsys.readouterr().err


def test_rank_a_file_at_all_levels(trained, place, capsys):
    synthetic_stays(3, seed=9).write(place / "new.jsonl")
    assert main(["rank", str(trained / "model"), "new.jsonl", "--all-levels", "--top-k", "6"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("half of a stay's codes are found after ")
    assert len([line for line in lines if not line.startswith(" ")]) == 3
    assert len(lines) == 3 * 7


def test_stays_without_known_drugs_are_ranked_by_age_and_sex_and_named(trained, place, capsys):
    lines = (
        "stay_id,drugs,age,sex",
        "7,,64,F",
        "8,xyzzy,64,F",
        "9,metformin,64,F",
        "ward B,,64,F",
        "10,,70,F",
    )
    write(place / "new.csv", *lines)
    assert main(["rank", str(trained / "model"), "new.csv", "--json", "--top-k", "3"]) == 0
    told = capsys.readouterr()
    first, second, third, *_, last = map(json.loads, told.out.splitlines())
    assert [first["known_drugs"], second["known_drugs"], third["known_drugs"]] == [0, 0, 1]
    assert first["codes"] == second["codes"] != third["codes"]
    assert first["codes"][0]["probability"] != last["codes"][0]["probability"], "the age counts"
    without, unknown = told.err.splitlines()
    assert without == (
        "icd-relevancy: 4 stays have no drug that the model knows, only age and sex to go by: "
        "stay '7', stay '8', stay 4, stay '10'"
    )
    assert unknown == "icd-relevancy: 1 drug is unknown to the model and left out: xyzzy (1)"


def test_stays_without_codes_teach_nothing(trained, place, capsys):
    stays = synthetic_stays(40, seed=5)
    some = replace(stays, codes=tuple(codes if row % 4 else () for row, codes in enumerate(stays.codes)))
    some.write(place / "some.csv")
    some.select([row for row in range(40) if row % 4]).write(place / "coded.csv")
    settings = write(place / "settings.yaml", *SETTINGS)
    for name in ("some", "coded"):
        assert main(["train", f"{name}.csv", "--config", str(settings), "--out", name]) == 0
    assert "icd-relevancy: 10 stays have no code to learn from: left out\n" in capsys.readouterr().err
    ranks = [
        printed_json(capsys, "rank", name, trained / "stays.csv", "--top-k", 2) for name in ("some", "coded")
    ]
    assert ranks[0] == ranks[1]


def test_codes_that_are_dropped_are_counted(place, capsys):
    stays = synthetic_stays(40, seed=5)
    replace(stays, codes=(("XYZ9",), ("XYZ9", "I10"), *stays.codes[2:])).write(place / "stays.csv")
    settings = write(place / "settings.yaml", *SETTINGS, "unknown_codes: drop")
    assert main(["train", "stays.csv", "--config", str(settings), "--out", "model"]) == 0
    told = capsys.readouterr().err
    assert "icd-relevancy: 2 codes are not of icd10cm: left out\n" in told
    assert "icd-relevancy: 1 stay has no code to learn from: left out\n" in told


def test_codes_of_ones_own(place, capsys):
    write(place / "own.csv", "code,title,parent", "A1,a,", "B1,b,A1", "C1,c,A1")
    rows = [
        f"{number},{('heparin', 'aspirin')[number % 2]},{('B1', 'C1')[number % 2]}" for number in range(40)
    ]
    write(place / "stays.csv", "stay_id,drugs,codes", *rows)
    settings = write(place / "settings.yaml", "model: medication", "units: 16", "learning_rate: 0.05")
    options = ["--config", str(settings), "--code-system", "own.csv", "--out", "model"]
    assert main(["train", "stays.csv", *options]) == 0
    capsys.readouterr()
    assert main(["evaluate", "model", "stays.csv", "--json"]) == 0
    told = capsys.readouterr()
    result = json.loads(told.out)
    assert result["ranking"]["map"] == 1
    assert result["relevancy"] == result["equality"]
    assert told.err.startswith("icd-relevancy: there are no code vectors of own")


def test_a_damaged_model_ranks_nothing(trained, place, check_refused):
    shutil.copytree(trained / "model", place / "model")
    network = keras.saving.load_model(place / "model" / "model.keras", compile=False)
    layer = network.get_layer("codes")
    layer.bias.assign(np.full(layer.bias.shape, np.nan))
    network.save(place / "model" / "model.keras")
    for command in ("rank", "evaluate"):
        check_refused(
            command, "model", trained / "stays.csv", names="the model gives NaN: its weights are damaged"
        )


def test_evaluate(trained, capsys):
    (result,) = printed_json(capsys, "evaluate", trained / "model", trained / "stays.csv")
    assert result["notes"] == 150
    assert result["unseen_codes"] == 0
    assert set(result) >= {"labels", "decision_threshold", "equality", "relevancy", "ranking"}
    stays = synthetic_stays(150)
    half = replace(stays, codes=tuple(codes if row % 2 else () for row, codes in enumerate(stays.codes)))
    half.write(trained / "half.csv")
    assert main(["evaluate", str(trained / "model"), str(trained / "half.csv"), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["equality"]["micro_precision"] < result["equality"]["micro_precision"]
    assert "icd-relevancy: 75 stays have no code: what is assigned to them is wrong" in told.err


def test_evaluate_by_ward(trained, tmp_path, capsys):
    stays = synthetic_stays(150)
    young = replace(stays, age=(0.0,) * 12 + stays.age[12:])
    young.write(tmp_path / "young.jsonl")
    model = str(trained / "model")
    (result,) = printed_json(capsys, "evaluate", model, tmp_path / "young.jsonl", "--by", "ward")
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
    (result,) = printed_json(capsys, "evaluate", trained / "model", tmp_path / "one.jsonl", "--by", "ward")
    found = result["wards"]["Medicine"]
    assert found["stays"] == 40
    assert {metric: found[metric] for metric in result["ranking"]} == result["ranking"]
    assert result["unseen_codes"] > 0


def test_refusals(trained, place, check_refused):
    model, stays = trained / "model", trained / "stays.csv"
    medication = ["train", stays, "--model", "medication", "--out", "new"]
    check_refused(*medication, "--alpha", "0.3", names="--alpha is of models of notes")
    check_refused(*medication, "--joint", names="--joint is of models of notes")
    check_refused(*medication, "--loss", "whml", names="loss must be one of bce")
    check_refused(*medication, "--vectors", "nowhere", names="no code vectors at nowhere")
    foreign = write(place / "foreign.csv", "stay_id,drugs,codes", "1,heparin,I10", "2,heparin,XYZ9;Q1X")
    told = "foreign.csv, stay 2: code 'XYZ9' is not icd10cm, nor is 1 other; correct them, or drop them"
    check_refused("train", foreign, "--model", "medication", "--out", "new", names=told)
    check_refused("evaluate", model, foreign, names=told)
    check_refused("evaluate", model, stays, "--system", "icd9", names="--system is of joint models")
    one = write(place / "one.csv", "stay_id,drugs,codes", "1,heparin,I10")
    check_refused(
        "train", one, "--model", "medication", "--out", "new", names="notes or stays share one patient"
    )
    check_refused("predict", model, names="holds a model 'medication'")
    check_refused("rank", place, names="not a trained model")
    check_refused("rank", model, stays, "--top-k", "0", names="--top-k must be at least 1")
    check_refused("rank", model, "nowhere.csv", names="nowhere.csv")
    check_refused("rank", model, "nosuch:folder", names="nosuch")
    wrong = write(place / "wrong.csv", "stay_id,drugs,age", f"1,{SECRET},-4")
    check_refused("rank", model, wrong, names="row 1, column 'age': the age must be a number of years from 0")
    above = write(place / "above.csv", "stay_id,drugs,age", "1,heparin,> 89")
    check_refused("rank", model, above, names="90 for '> 89'")
    uncoded = write(place / "uncoded.csv", "stay_id,drugs,codes", "1,heparin,")
    check_refused("train", uncoded, "--model", "medication", "--out", "new", names="no stay has a code")
    check_refused("evaluate", model, uncoded, names="no stay has a code")
    no_ward = write(place / "no_ward.csv", "stay_id,drugs,codes", "1,heparin,I10")
    check_refused("evaluate", model, no_ward, "--by", "ward", names="no_ward.csv: no stay has a ward")
    notes = place / "notes"
    notes.mkdir()
    of_system = {"labels": ["I10"], "titles": ["Hypertension"], "decision_threshold": 0.5, "history": {}}
    told = {"training": {"model": "linear"}, "features": {}, "encoder_sha256": None, **of_system}
    write(notes / "coder.json", json.dumps(told))
    check_refused("evaluate", notes, no_ward, "--by", "ward", names="--by ward is of medication models")


def test_every_loss_and_model_can_be_named(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    told = "".join(capsys.readouterr().out.split())
    assert f"--loss{{{','.join(dict.fromkeys(NOTE_LOSSES.names + STAY_LOSSES.names))}}}" in told
    assert f"--model{{{','.join((*NOTE_MODELS.names, 'medication'))}}}" in told
