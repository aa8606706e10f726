"""Trains a row of settings, or a control, on each fold, keeps its scores, and measures them."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from experiments.controls import tuned_control, word_scores
from experiments.harness import kept_arrays
from experiments.tasks.notes import NotesTask
from icd_relevancy.files.disk import cache_folder
from icd_relevancy.metrics import multilabel, relevancy_report
from icd_relevancy.training import TrainingConfig
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


def fold_runs(task: NotesTask, row: dict, shared: dict) -> list[Run]:
    """The runs of one row of a table, a fold after the other, each with a seed of its own; finished ones are read back.

    Args:
        task: The task.
        row: `control`, one of `word_scores`, or `training`: settings of `TrainingConfig`.
        shared: Settings of `TrainingConfig` for all rows.
    """
    return [_kept(task, row, shared, fold) for fold in range(task.config.folds)]


def _kept(task: NotesTask, row: dict, shared: dict, fold: int) -> Run:
    def compute() -> dict:
        return vars(
            _control(task, row["control"], fold) if "control" in row else _trained(task, config, fold)
        )

    def build(arrays: dict) -> Run:
        return Run(**{name: array[()] for name, array in arrays.items()})

    config = None if "control" in row else training_config(task, row, shared, fold)
    name = row["control"] if config is None else f"{config.model}-{config.attention}"
    described = {"control": name} if config is None else config.to_dict()
    path = task.path(f"{name}-fold{fold}", described, "npz")
    return kept_arrays(path, Run.__dataclass_fields__, compute, build)


def training_config(task: NotesTask, row: dict, shared: dict, fold: int = 0) -> TrainingConfig:
    """The settings of a row; the seed is that of the task plus the fold."""
    names = ("code_system", "encoder", "lowercase", "max_length", "min_count", "validation")
    of_task = {name: getattr(task.config, name) for name in names} | {"seed": task.config.seed + fold}
    return TrainingConfig.from_mapping({**of_task, **shared, **row.get("training", {})}, row["name"])


def _trained(task: NotesTask, config: TrainingConfig, fold: int) -> Run:
    import keras

    from icd_relevancy.training import NoteCoder

    keras.utils.clear_session()  # the model of the fold before
    test, rest = np.flatnonzero(task.fold == fold), np.flatnonzero(task.fold != fold)
    cache = None if config.fine_tune else cache_folder() / "embeddings"
    started = time.monotonic()
    coder = NoteCoder.train(task.notes.select(rest), config, cache)
    seconds = time.monotonic() - started
    scores = np.zeros((len(test), len(task.labels)), np.float32)
    place = {label: column for column, label in enumerate(task.labels)}
    scores[:, [place[label] for label in coder.labels]] = coder.scores(task.notes.select(test), cache)
    names = ("losses", "validation_losses", "validation_scores")
    history = (np.array(coder.history[name], np.float32) for name in names)
    return Run(test, scores, coder.decision_threshold, seconds, *history)


def _control(task: NotesTask, name: str, fold: int) -> Run:
    seed = task.config.seed + fold
    test, rest = np.flatnonzero(task.fold == fold), np.flatnonzero(task.fold != fold)
    scores, threshold, seconds = tuned_control(
        lambda train, y, test: word_scores(name, train.text, y, test.text, seed),
        task.notes.select(rest),
        task.y[rest],
        task.notes.select(test),
        task.config.validation,
        seed,
    )
    none = np.empty(0, np.float32)
    return Run(test, scores, threshold, seconds, none, none, none)


def measures(task: NotesTask, runs: list[Run]) -> pd.DataFrame:
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
