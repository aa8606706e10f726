"""CAC §3.3 and §3.6.2: the time to train and to rank, with one network for all levels and with one for each."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from experiments.cac.claims import confirmed, mean_se, standard_error, write_claims
from experiments.harness import show
from experiments.rows.stays import trained
from experiments.tasks.stays import StaysTask
from icd_relevancy.data import StaySplit
from icd_relevancy.models import medication_network, predict_blocks
from icd_relevancy.reporting import bar_plot
from icd_relevancy.training.stays.dataset import MedicationData

_NAIVE, _EACH, _PRINTED = "naive multitask", "one for each level", "of the printed size, untrained"
_DRUGS_A_STAY = 30
_TRAINING = {"epochs": "epochs", "training": "training (s)", "epoch": "an epoch (s)"}
_RATIOS = {"training": "training", "epoch": "an epoch of training", "ranking": "ranking"}


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """CAC §3.3 and §3.6.2.

    The times of the networks for each level are summed; each network stops by its own development figures, and
    what is compiled counts as training. Ranking is the fastest of some runs over the stays, repeated to the
    printed number and streamed. Ratios are of times within a split. Mean and standard error over the splits.
    """
    runs = task.of_splits("runtime", settings, lambda split: _measures(task, settings, split))
    printed_size = task.kept("runtime-printed-size", settings, lambda: _of_printed_size(settings))
    print(f"{task}; {settings['stays']} ranked")
    show(_table(runs, printed_size, settings, task), stem)
    levels = len(task.level_names())
    write_claims([_claim(runs, key, levels) for key in _RATIOS], stem)
    _draw(runs, levels, stem)


def _measures(task: StaysTask, settings: dict, split: StaySplit) -> dict:
    stays, dev = task.stays.select(split.train), task.stays.select(split.dev)
    inputs = MedicationData.from_stays(stays, task.network(), dev, task.nodes).training.inputs
    inputs = inputs[np.arange(settings["stays"]) % inputs.shape[0]]
    levels = {_NAIVE: (None,), _EACH: task.level_names()}
    return {
        name: _summed([_times(task, settings, split, level, inputs) for level in of_name])
        for name, of_name in levels.items()
    }


def _times(task: StaysTask, settings: dict, split: StaySplit, level: str | None, inputs) -> dict[str, float]:
    coder = trained(task, split, task.network(level=level))
    seconds, epochs = coder.history["seconds"], coder.history["epochs"]
    return {
        "nodes": len(coder.nodes.names),
        "epochs": epochs,
        "training": seconds,
        "epoch": seconds / epochs,
        "ranking": _ranking_seconds(coder.model, inputs, settings),
    }


def _summed(networks: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(times[name] for times in networks) for name in networks[0]}


def _ranking_seconds(model, inputs: sparse.csr_matrix, settings: dict) -> float:
    """The fastest of the runs, after a batch that compiles the model."""
    fastest = np.inf
    next(predict_blocks(model, inputs, settings["batch_size"]))
    for _ in range(settings["repeats"]):
        started = time.perf_counter()
        for _ in predict_blocks(model, inputs, settings["batch_size"]):
            pass
        fastest = min(fastest, time.perf_counter() - started)
    return fastest


def _of_printed_size(settings: dict) -> dict[str, float]:
    """The time to rank with a network as large as the printed one, over random drugs."""
    size, stays = settings["printed_size"], settings["stays"]
    model = medication_network(size["inputs"], size["nodes"], size["hidden_layers"], size["units"])
    random = np.random.default_rng(0)
    drugs = min(_DRUGS_A_STAY, size["inputs"])
    columns = random.integers(size["inputs"], size=stays * drugs)
    starts = np.arange(0, len(columns) + 1, drugs)
    shape = (stays, size["inputs"])
    inputs = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=shape)
    return {"nodes": size["nodes"], "ranking": _ranking_seconds(model, inputs, settings)}


def _ratios(runs: list[dict], key: str) -> np.ndarray:
    return np.array([run[_EACH][key] / run[_NAIVE][key] for run in runs])


def _table(runs: list[dict], printed_size: dict, settings: dict, task: StaysTask) -> pd.DataFrame:
    ranking = f"{settings['stays']:,} stays ranked (s)"
    rows = []
    for name, networks in ((_NAIVE, 1), (_EACH, len(task.level_names())), (_PRINTED, 1)):
        measured = [printed_size] if name == _PRINTED else [run[name] for run in runs]
        row = {"network": name, "networks": networks, "nodes": measured[0]["nodes"]}
        for key, column in _TRAINING.items():
            row[column] = mean_se([times.get(key, np.nan) for times in measured])
        seconds = np.array([times["ranking"] for times in measured])
        row |= {ranking: mean_se(seconds), "stays a second": mean_se(settings["stays"] / seconds, digits=0)}
        rows.append(row | {"printed": "–"})
    rows[-1]["printed"] = f"{settings['printed_size']['seconds']} s on a T4"
    return pd.DataFrame(rows)


def _claim(runs: list[dict], key: str, levels: int) -> dict:
    ratios = _ratios(runs, key)
    return {
        "claim": f"{_RATIOS[key]}: networks for {levels} levels, times that of the naive one",
        "printed": "more, linear in the levels" if key == "training" else "–",
        "here": mean_se(ratios),
        "confirmed here": confirmed(ratios - 1),
    }


def _draw(runs: list[dict], levels: int, stem: Path) -> None:
    ratios = {name: _ratios(runs, key) for key, name in _RATIOS.items()}
    series = f"one network for each of {levels} levels"
    values = pd.DataFrame({series: {name: found.mean() for name, found in ratios.items()}})
    errors = pd.DataFrame({series: {name: standard_error(found) for name, found in ratios.items()}})
    ylabel = "time, naive multitask = 1"
    bar_plot(stem.with_suffix(".png"), values, ylabel, errors=errors, title="CAC §3.3: runtime")
