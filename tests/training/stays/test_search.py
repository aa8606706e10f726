import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.data import monte_carlo_splits, synthetic_stays
from icd_relevancy.errors import InputError
from icd_relevancy.fitting.fit import NotFiniteError
from icd_relevancy.training import MedicationCoder, MedicationConfig, tune_medication
from icd_relevancy.training.stays import search as medication_search
from icd_relevancy.training.stays.search import SEARCH_SPACE

pytest.importorskip("keras_tuner")

CONFIG = MedicationConfig(learning_rate=0.01, batch_size=32, epochs=7)
SPACE = {"hidden_layers": (1, 2), "units": (8, 24)}
# Brackets of 3 + 1 and of 2 networks.
BUDGET = {"max_epochs": 3, "progress": False, "space": SPACE}
TRIALS = 6


@pytest.fixture(scope="module")
def stays():
    return synthetic_stays(120, seed=4)


@pytest.fixture(scope="module")
def searched(stays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    return folder, *tune_medication(stays, folder, CONFIG, **BUDGET)


def told(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def test_the_best_trial_gives_the_configuration(searched):
    _, best, table = searched
    assert len(table) == TRIALS
    assert table["ndcg"].is_monotonic_decreasing
    for name in ("hidden_layers", "units", "dropout", "batch_norm"):
        assert getattr(best, name) == table[name][0]
        assert table[name].between(*SPACE.get(name, SEARCH_SPACE[name])).all()
    assert len(table.drop_duplicates(["units", "dropout"])) == TRIALS - 1, "one network is given more epochs"
    assert sorted(table["epochs"]) == [1, 1, 1, 3, 3, 3]
    assert replace(best, **{name: getattr(CONFIG, name) for name in best.to_dict()}) == CONFIG
    assert (best.epochs, best.monitor) == (7, "ndcg")
    assert MedicationConfig.from_mapping(json.loads(json.dumps(best.to_dict()))) == best


def test_the_figure_is_that_of_the_validation_part(searched, stays):
    _, best, table = searched
    coder = MedicationCoder.train(stays, replace(best, epochs=int(table["epochs"][0])))
    assert coder.history["validation_score"] == pytest.approx(table["ndcg"][0], abs=1e-5)
    assert coder.history["best_epoch"] == table["best_epoch"][0]
    assert coder.model.count_params() == table["weights"][0]


def test_a_network_with_more_epochs_is_the_best_of_its_round(searched):
    _, _, table = searched
    first, again = (table[table["trial"] == number].iloc[0] for number in (0, 3))
    short = table[table["epochs"] == 1]
    winner = short.loc[short["ndcg"].idxmax()]
    assert (again["units"], again["dropout"], again["epochs"]) == (winner["units"], winner["dropout"], 3)
    assert again["ndcg"] >= winner["ndcg"]
    assert first["epochs"] == 1


@pytest.mark.parametrize("at", ["between trials", "within a trial"])
def test_an_interrupted_search_goes_on(searched, stays, tmp_path, monkeypatch, at):
    trainings, epochs = [], []
    train, score = medication_search.train_network, medication_search.monitored("ndcg")

    def counted(*arguments, **options):
        trainings.append(options)
        if at == "between trials" and len(trainings) == 4:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    def scored(*arguments):
        epochs.append(arguments)
        if at == "within a trial" and len(epochs) == 5:  # the second epoch of the fourth trial
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(medication_search, "train_network", counted)
    monkeypatch.setattr("icd_relevancy.training.stays.trainer.monitored", lambda name: scored)
    with pytest.raises(KeyboardInterrupt):
        tune_medication(stays, tmp_path, CONFIG, **BUDGET)
    assert len(trainings) == 4
    best, table = tune_medication(stays, tmp_path, CONFIG, **BUDGET)
    assert len(trainings) == TRIALS + 1, "three trials are read back"
    assert len(epochs) == 3 * 1 + 3 * 3 + (at == "within a trial"), (
        "no epoch is trained again but the one lost"
    )
    _, expected, whole = searched
    assert best == expected
    pd.testing.assert_frame_equal(told(table), told(whole))
    assert not list(tmp_path.glob("*.checkpoint.npz"))


def test_what_was_trained_is_read_back(searched, stays, monkeypatch):
    folder, expected, whole = searched
    monkeypatch.setattr(medication_search, "train_network", lambda *_, **__: 1 / 0)
    best, table = tune_medication(stays, folder, CONFIG, **BUDGET)
    assert best == expected
    pd.testing.assert_frame_equal(table, whole)
    with pytest.raises(ZeroDivisionError):
        tune_medication(stays, folder, replace(CONFIG, seed=5), **BUDGET)
    with pytest.raises(ZeroDivisionError):
        tune_medication(stays.select(range(100)), folder, CONFIG, **BUDGET)
    next(folder.glob("*.json")).write_text("{")
    with pytest.raises(InputError, match="damaged or truncated; delete it"):
        tune_medication(stays, folder, CONFIG, **BUDGET)


def test_what_is_searched_depends_on_the_loss(stays, tmp_path):
    config = replace(CONFIG, loss="focal", hier_l2=1e-7, monitor="micro_auprc")
    split = monte_carlo_splits(stays, 1, 20, 20)[0]
    train, dev = (stays.select(rows) for rows in (split.train, split.dev))
    best, table = tune_medication(
        train, tmp_path, config, dev, **{**BUDGET, "max_epochs": 1, "iterations": 3, "space": None}
        | {"space": {"units": (8, 9), "hidden_layers": (1, 1), "dropout": (0, 0)}}
    )  # fmt: skip
    assert len(table) == 3
    assert table["gamma"].between(1, 4).all()
    assert table["hier_l2"].between(1e-15, 5e-6).all()
    assert np.log10(table["hier_l2"]).std() > 1, "drawn by its power"
    assert "cap" not in table
    assert (best.hidden_layers, best.dropout, best.output_l2) == (1, 0.0, 0.0)
    assert best.gamma == table["gamma"][0] != config.gamma


def test_a_network_that_cannot_be_trained_is_no_candidate(stays, tmp_path, monkeypatch):
    train = medication_search.train_network

    def failing(data, config, **options):
        if config.batch_norm:
            raise NotFiniteError("the loss is not finite in epoch 1")
        return train(data, config, **options)

    monkeypatch.setattr(medication_search, "train_network", failing)
    best, table = tune_medication(stays, tmp_path, CONFIG, **BUDGET)
    assert 0 < table["ndcg"].isna().sum() == table["batch_norm"].sum() < TRIALS
    assert not best.batch_norm
    assert table["ndcg"].notna()[0]
    with pytest.raises(InputError, match="lower the learning rate"):
        tune_medication(stays, tmp_path, CONFIG, **{**BUDGET, "space": {**SPACE, "batch_norm": (True, True)}})


def test_a_search_of_many_rounds_counts_its_trials():
    # As KerasTuner's own oracle makes them; 27 epochs are 4 brackets.
    counted = medication_search._trials_of_hyperband
    assert counted(1, 3) == 1
    assert counted(3, 3) == TRIALS
    assert counted(9, 3) == (9 + 3 + 1) + (5 + 2) + 3
    assert counted(27, 3) == (27 + 9 + 3 + 1) + (12 + 4 + 2) + (6 + 2) + 4


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"config": replace(CONFIG, monitor="loss")}, "no metric 'loss' to improve"),
        ({"max_epochs": 0}, "max_epochs must be at least 1"),
        ({"factor": 1}, "factor must be at least 2"),
        ({"space": {"gamma": (1.0, 2.0)}}, "gamma is not searched here"),
        ({"space": {"units": 32}}, r"units must be \[least, largest\]"),
        ({"space": {"units": (32, 16)}}, r"units must be \[least, largest\]"),
        ({"space": {"units": (16, 32.5)}}, "units must be int"),
        ({"space": {"dropout": (0.0, 1.0)}}, "dropout must be in"),
        (
            {"config": replace(CONFIG, hier_l2=1e-7), "space": {"hier_l2": (0.0, 1e-6)}},
            "hier_l2 must be above 0",
        ),
    ],
)
def test_refusals(stays, tmp_path, changes, names):
    with pytest.raises(InputError, match=names):
        tune_medication(stays, tmp_path, **{"config": CONFIG, **BUDGET, **changes})
    assert not list(tmp_path.iterdir())


def test_says_how_to_get_keras_tuner(stays, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_tuner", None)
    with pytest.raises(InputError, match=r'pip install "icd_relevancy\[tune\]"'):
        tune_medication(stays, tmp_path, CONFIG, **BUDGET)


def test_nothing_is_sent_and_nothing_is_written_elsewhere(tmp_path):
    """In a Python of its own, whose home, temporary and working folder are one."""
    code = """
import sys
from pathlib import Path
import keras  # it writes settings, and Matplotlib its list of fonts
from icd_relevancy.data import synthetic_stays
from icd_relevancy.training import tune_medication
sent, before = [], set(Path().rglob("*"))
sys.addaudithook(lambda event, _: sent.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
assert "keras_tuner" not in sys.modules
tune_medication(synthetic_stays(60), "search", max_epochs=1, space={"units": (8, 16), "hidden_layers": (1, 1)})
assert "keras_tuner" in sys.modules
print(sent, sorted({path.parts[0] for path in set(Path().rglob("*")) - before}))
"""
    places = {"HOME": tmp_path, "TMPDIR": tmp_path, "PYTHONPATH": Path.cwd()}
    environment = {name: str(place) for name, place in places.items()}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout == "[] ['search']\n", done.stderr[-500:]
