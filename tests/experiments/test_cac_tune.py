import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.cac import tune
from experiments.cac.figure6 import mean_se
from experiments.tasks.stays import StaysConfig, StaysTask
from icd_relevancy.cli.main import main
from icd_relevancy.data import synthetic_stays
from icd_relevancy.settings import read_yaml
from icd_relevancy.training import MedicationConfig

pytest.importorskip("keras_tuner")

NETWORK = {"hidden_layers": 1, "units": 16, "dropout": 0.0, "epochs": 2, "learning_rate": 0.01}
SEARCH = {"max_epochs": 1, "factor": 3, "iterations": 2, "space": {"hidden_layers": [1, 1], "units": [8, 32]}}
STEM = Path("results/cac-tune/synthetic-icd9cm")


@pytest.fixture
def stays_task(in_miniature):
    return StaysTask(StaysConfig("synthetic", "icd9cm", 160, 2, 0.2, 0.2, 0, NETWORK))


def test_tuned_against_default(stays_task, quick_networks, monkeypatch):
    task = stays_task
    searched = []

    def search(stays, folder, config, validation, *rest, **options):
        found = original(stays, folder, config, validation, *rest, **options)
        searched.append((stays, validation, found[0]))
        return found

    original = tune.tune_medication
    monkeypatch.setattr(tune, "tune_medication", search)
    tune.make(task, SEARCH, STEM)

    trials = pd.read_csv(f"{STEM}-trials.csv")
    assert trials.groupby("split").size().tolist() == [2, 2]
    assert set(trials["epochs"]) == {1}
    for split, (train, dev, config) in zip(task.splits, searched, strict=True):
        tested = {task.stays.stay_id[row] for row in split.test}
        assert not tested & {*train.stay_id, *dev.stay_id}, "the search never sees the test stays"
        assert config.epochs == NETWORK["epochs"]

    table = pd.read_csv(STEM.with_suffix(".csv")).set_index(["level", "experiment"])
    rows = ["Default", "As in figures 2 to 6", "Tuned", "Tuned minus default"]
    assert list(table.loc["billing"].index) == rows
    candidates = [MedicationConfig(code_system="icd9cm", unknown_codes="drop"), task.network()]
    candidates += [config for _, _, config in searched]
    runs = [[tune._measured(task, config, number) for number in (0, 1)] for config in candidates]
    default, plain, *tuned = [[run["test"]["billing"]["ndcg"] for run in of_split] for of_split in runs]
    tuned = [tuned[0][0], tuned[1][1]]
    ndcg = table.loc["billing", "NDCG (%)"]
    assert ndcg.tolist()[:3] == [mean_se(values, 100) for values in (default, plain, tuned)]
    assert ndcg["Tuned minus default"] == mean_se(np.subtract(tuned, default), 100)

    development = [np.mean([run["development"] for run in of_split]) for of_split in runs]
    written = MedicationConfig.from_mapping(read_yaml(f"{STEM}.yaml"))
    assert written == candidates[int(np.argmax(development))]


def test_the_written_configuration_trains_from_the_command_line(stays_task):
    task = stays_task
    tune._write_config(task.network(hier_l2=3.3e-9, dropout=0.123456789), STEM.with_suffix(".yaml"), task)
    synthetic_stays(80, code_system="icd9cm").write("stays.csv")
    settings = ["--model", "medication", "--config", str(STEM.with_suffix(".yaml"))]
    assert main(["train", "stays.csv", "--out", "model", *settings]) == 0
    trained = json.loads(Path("model/coder.json").read_text())["training"]
    assert trained == task.network(hier_l2=3.3e-9, dropout=0.123456789).to_dict()


def test_the_settings_written_down_are_those_of_a_search():
    settings = read_yaml(Path(tune.__file__).with_name("tune.yaml"))
    assert set(settings) == {"task", *SEARCH}
    assert settings["max_epochs"] > 1
