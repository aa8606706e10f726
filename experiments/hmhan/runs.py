"""Trains one row of a table on one fold, keeps its scores, and measures them."""

import json
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from experiments.fingerprints import digest_of
from experiments.hmhan.controls import control_scores, tuned_control
from experiments.task import RESULTS, Task
from icd_relevancy.files.disk import cache_folder, replacing
from icd_relevancy.files.safe_reading import read_arrays, reading
from icd_relevancy.metrics import multilabel, relevancy_report
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.thresholds import predicted_labels, tune_threshold


@dataclass(frozen=True, eq=False)
class Run:
    """One model's scores on the test notes of one fold.

    Attributes:
        rows: The test notes.
        scores: float32 `(n, m)` over the labels of the task.
        threshold: The decision threshold that was tuned on the held-out part of the training notes.
        seconds: Time to train, preparing and encoding the notes included.
        losses, validation_losses, validation_scores: Of each epoch; empty for a control.
    """

    rows: np.ndarray
    scores: np.ndarray
    threshold: float
    seconds: float
    losses: np.ndarray
    validation_losses: np.ndarray
    validation_scores: np.ndarray


def fold_runs(task: Task, row: dict, shared: dict) -> list[Run]:
    """The runs of one row of a table, a fold after the other, each with a seed of its own; finished ones are read back.

    Args:
        task: The task.
        row: `control`, one of `control_scores`, or `training`: settings of `TrainingConfig`.
        shared: Settings of `TrainingConfig` for all rows.
    """
    runs = []
    for fold in range(task.config.folds):
        path = _path(task, row, shared, fold)
        if not path.exists():
            _save(
                _control(task, row["control"], fold)
                if "control" in row
                else _trained(task, row, shared, fold),
                path,
            )
        runs.append(_load(path))
    return runs


def training_config(task: Task, row: dict, shared: dict, fold: int = 0) -> TrainingConfig:
    """The settings of a row; the seed is that of the task plus the fold."""
    of_task = {
        "code_system": task.config.code_system,
        "encoder": task.config.encoder,
        "lowercase": task.config.lowercase,
        "max_length": task.config.max_length,
        "min_count": task.config.min_count,
        "validation": task.config.validation,
        "seed": task.config.seed + fold,
    }
    return TrainingConfig.from_mapping({**of_task, **shared, **row.get("training", {})}, row["name"])


def _trained(task: Task, row: dict, shared: dict, fold: int) -> Run:
    import keras

    from icd_relevancy.training import NoteCoder

    keras.utils.clear_session()  # the model of the fold before
    test, rest = np.flatnonzero(task.fold == fold), np.flatnonzero(task.fold != fold)
    config = training_config(task, row, shared, fold)
    cache = None if config.fine_tune else cache_folder() / "embeddings"
    started = time.monotonic()
    coder = NoteCoder.train(task.notes.select(rest), config, cache)
    seconds = time.monotonic() - started
    scores = np.zeros((len(test), len(task.labels)), np.float32)
    place = {label: column for column, label in enumerate(task.labels)}
    scores[:, [place[label] for label in coder.labels]] = coder.scores(task.notes.select(test), cache)
    told = coder.history
    return Run(
        test,
        scores,
        coder.decision_threshold,
        seconds,
        *(np.array(told[name], np.float32) for name in ("losses", "validation_losses", "validation_scores")),
    )


def _control(task: Task, name: str, fold: int) -> Run:
    seed = task.config.seed + fold
    test, rest = np.flatnonzero(task.fold == fold), np.flatnonzero(task.fold != fold)
    found, threshold, seconds = tuned_control(
        lambda train, y, test: control_scores(name, train.text, y, test.text, seed),
        task.notes.select(rest),
        task.y[rest],
        task.notes.select(test),
        task.config.validation,
        seed,
    )
    none = np.empty(0, np.float32)
    return Run(test, found, threshold, seconds, none, none, none)


def measures(task: Task, runs: list[Run]) -> pd.DataFrame:
    """What is measured of each run on its test notes, a row each, as fractions.

    `… tuned` are at the threshold from the run's own held-out notes; `… pooled` at one threshold for the whole
    row, the best over the test notes of all folds together, as the linear controls of the field are reported.
    """
    every = np.concatenate([run.rows for run in runs])
    pooled, _ = tune_threshold(task.y[every], np.concatenate([run.scores for run in runs]))
    return pd.DataFrame([_measures(task.y[run.rows], run, pooled) for run in runs])


def _measures(y: sparse.csr_matrix, run: Run, pooled: float) -> dict[str, float]:
    predicted = predicted_labels(run.scores, run.threshold)
    report = relevancy_report(y, predicted)
    at_pooled = relevancy_report(y, predicted_labels(run.scores, pooled))
    return {
        "precision": report.micro_precision,
        "recall": report.micro_recall,
        "micro-F1 tuned": report.micro_f1,
        "macro-F1 tuned": report.macro_f1,
        "micro-F1 pooled": at_pooled.micro_f1,
        "macro-F1 pooled": at_pooled.macro_f1,
        "ROC-AUC": multilabel.auroc(y, run.scores, "micro"),
        "accuracy": multilabel.exact_match_rate(y, predicted),
        "Hamming loss": multilabel.hamming_loss(y, predicted),
        "seconds": run.seconds,
    }


def _path(task: Task, row: dict, shared: dict, fold: int):
    if "control" in row:
        described, name = {"control": row["control"]}, row["control"]
    else:
        described = training_config(task, row, shared, fold).to_dict()
        name = f"{described['model']}-{described['attention']}"
    digest = digest_of(json.dumps(described, sort_keys=True))
    return (
        RESULTS
        / "runs"
        / f"hmhan-{task.config.name}-{task.fingerprint}"
        / f"{name}-{digest[:8]}-fold{fold}.npz"
    )


def _save(run: Run, path) -> None:
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **vars(run))


def _load(path) -> Run:
    with reading(path, "the result of a run", "delete it and run again"):
        saved = read_arrays(path, Run.__dataclass_fields__)
        return Run(**{name: array[()] for name, array in saved.items()})
