"""Trains one loss on one fold, and keeps its predictions: the tables are made from them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from experiments.controls import training_shares, word_probabilities
from experiments.harness import kept_arrays
from experiments.tasks.notes import HeadsTask
from experiments.vector_sets import vectors_fingerprint
from icd_relevancy.data import train_validation_split
from icd_relevancy.files.safe_reading import checked_csr
from icd_relevancy.metrics import RelevancyReport, relevancy_report
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.settings import from_mapping
from icd_relevancy.training import TrainingConfig

THRESHOLDS = ("0.5", "tuned for equality", "tuned for relevancy")
PARTS = ("train", "test")
_NOT_OF_LOSSES = ("name", "printed", "model", "vectors", "threshold", "scored_with", "schedule")


@dataclass(frozen=True)
class FoldRun:
    """One model's predictions on one fold.

    Attributes:
        rows: For `"train"` and `"test"` the notes of the part.
        predicted: For each part and each of `THRESHOLDS` the predicted labels, CSR; and for each further graph
            of the row's `scored_with`, under `tuned_for` its name and τ.
        epochs: Epochs trained (iterations for the linear control).
        seconds: Time to train.
    """

    rows: dict[str, np.ndarray]
    predicted: dict[tuple[str, str], sparse.csr_matrix]
    epochs: int
    seconds: float

    def report(
        self, task: HeadsTask, part: str, threshold: str, relevance: RelevanceGraph | None
    ) -> RelevancyReport:
        """Scores in equality terms (`relevance=None`) or relevancy terms."""
        return relevancy_report(task.y[self.rows[part]], self.predicted[part, threshold], relevance)

    def best_report(self, task: HeadsTask, part: str, relevance: RelevanceGraph | None) -> RelevancyReport:
        """Scores at the threshold that was tuned, on validation notes, for the same terms."""
        terms = "equality" if relevance is None else "relevancy"
        return self.report(task, part, f"tuned for {terms}", relevance)

    def labels_per_note(self, part: str = "test", threshold: str = "0.5") -> float:
        """The mean number of predicted labels."""
        predicted = self.predicted[part, threshold]
        return predicted.nnz / predicted.shape[0]


def fold_runs(task: HeadsTask, row: dict, threshold: float | None = None) -> Iterator[FoldRun]:
    """The runs of one row of a table, a fold after the other; finished ones are read back.

    Args:
        task: The task.
        row: `model` (`neural`, `tfidf` or `frequency`) and, for neural ones, `loss` and its options. `vectors`
            (a name of `vector_sets`) and `threshold` (τ) choose another relevance graph than the task's;
            `scored_with` lists further graphs, each `[vectors, τ]`, that a decision threshold is tuned for, and
            `schedule` names what of a `Schedule` is not as the task's.
        threshold: τ of the loss and the tuned threshold. Defaults to the row's, else the task's.
    """
    tau = row.get("threshold") if threshold is None else threshold
    relevance = task.relevance(tau, row.get("vectors"))
    thresholds = (*THRESHOLDS, *(tuned_for(*graph) for graph in row.get("scored_with", ())))
    for fold in range(task.config.folds):
        yield kept_arrays(
            _path(task, row, relevance.threshold, fold),
            ("epochs", "seconds", "labels", *(f"rows {part}" for part in PARTS), *_matrices(thresholds)),
            lambda fold=fold: _arrays(_train(task, row, relevance, fold)),
            lambda arrays: _from_arrays(arrays, thresholds),
        )


def tuned_for(vectors: str, threshold: float) -> str:
    """The name of the decision threshold that is tuned for a further graph."""
    return f"tuned for {vectors} {threshold:g}"


def _further_graphs(task: HeadsTask, row: dict) -> dict[str, RelevanceGraph]:
    return {tuned_for(name, tau): task.relevance(tau, name) for name, tau in row.get("scored_with", ())}


def _path(task: HeadsTask, row: dict, threshold: float, fold: int):
    settings = {key: value for key, value in row.items() if key not in ("name", "printed")}
    described = {**settings, "threshold": threshold, "fold": fold}
    named = {row["vectors"]} if "vectors" in row else set()
    named |= {name for name, _ in row.get("scored_with", ())}
    if named:
        described["fingerprints"] = {
            name: vectors_fingerprint(task.vectors_of(name)) for name in sorted(named)
        }
    return task.path(f"{row.get('loss', row['model'])}-fold{fold}", described, "npz")


def _train(task: HeadsTask, row: dict, relevance: RelevanceGraph, fold: int) -> FoldRun:
    from icd_relevancy.training.thresholds import predicted_labels, tune_threshold

    test, rest = np.flatnonzero(task.fold == fold), np.flatnonzero(task.fold != fold)
    groups = task.notes.groups()[rest]
    inner, held_out = train_validation_split(task.y[rest], groups, task.config.validation, task.config.seed)
    train, validation = rest[inner], rest[held_out]
    if row["model"] == "neural":
        _ = task.features  # embedded once for all runs, so not in the time of the first
    started = time.monotonic()
    score, epochs = _MODELS[row["model"]](task, row, relevance, train, validation, fold)
    seconds = time.monotonic() - started
    held_out_scores = score(validation)
    graphs = {THRESHOLDS[1]: None, THRESHOLDS[2]: relevance, **_further_graphs(task, row)}
    thresholds = {THRESHOLDS[0]: 0.5}
    for name, graph in graphs.items():
        thresholds[name] = tune_threshold(task.y[validation], held_out_scores, graph)[0]
    rows, predicted = {"train": train, "test": test}, {}
    for part in PARTS:
        scores = score(rows[part])
        for name, threshold in thresholds.items():
            predicted[part, name] = predicted_labels(scores, threshold)
    return FoldRun(rows, predicted, epochs, seconds)


def _neural(task: HeadsTask, row: dict, relevance, train, validation, fold: int):
    """The papers' model: a dense sigmoid layer on the frozen encoder's embeddings (LOSSES §4.2)."""
    from experiments.rows.head import Schedule

    of_task = {name: getattr(task.config, name) for name in Schedule.__dataclass_fields__}
    schedule = from_mapping(Schedule, of_task | row.get("schedule", {}), "schedule")
    settings = TrainingConfig(**{name: value for name, value in row.items() if name not in _NOT_OF_LOSSES})
    head = _head(task, settings, relevance.threshold, row.get("vectors"))
    epochs = head.train(train, validation, schedule, task.config.seed + fold)
    return head.scores, epochs


@lru_cache(maxsize=1)
def _head(task: HeadsTask, settings: TrainingConfig, threshold: float, vectors: str | None):
    """The head of a row, compiled once for all its folds and schedules."""
    from experiments.rows.head import Head
    from icd_relevancy.losses.by_name import NOTE_LOSSES, LossLabels

    labels = LossLabels(relevance=task.relevance(threshold, vectors))
    return Head(task.features, task.y, NOTE_LOSSES.find(settings.loss)(settings.loss_own, labels))


def _tfidf(task: HeadsTask, row: dict, relevance, train, validation, fold: int):
    texts = np.array(task.notes.text, dtype=object)
    score, iterations = word_probabilities(texts[train], task.y[train], row["c"], task.config.seed)
    return (lambda rows: score(texts[rows])), iterations


def _frequency(task: HeadsTask, row: dict, relevance, train, validation, fold: int):
    shares = training_shares(task.y[train])
    return (lambda rows: np.tile(shares, (len(rows), 1))), 0


_MODELS = {"neural": _neural, "tfidf": _tfidf, "frequency": _frequency}


def _matrices(thresholds) -> list[str]:
    return [
        f"{kind} {part} {name}" for part in PARTS for name in thresholds for kind in ("indices", "indptr")
    ]


def _arrays(run: FoldRun) -> dict:
    arrays = {f"rows {part}": rows for part, rows in run.rows.items()}
    for (part, threshold), labels in run.predicted.items():
        arrays[f"indices {part} {threshold}"] = labels.indices
        arrays[f"indptr {part} {threshold}"] = labels.indptr
    labels = run.predicted["test", "0.5"].shape[1]
    return {"epochs": run.epochs, "seconds": run.seconds, "labels": labels, **arrays}


def _from_arrays(arrays: dict, thresholds) -> FoldRun:
    rows = {part: arrays[f"rows {part}"] for part in PARTS}
    predicted = {}
    for part in PARTS:
        shape = len(rows[part]), int(arrays["labels"])
        for name in thresholds:
            indices, starts = (arrays[f"{kind} {part} {name}"] for kind in ("indices", "indptr"))
            predicted[part, name] = checked_csr(np.ones(len(indices), np.int64), indices, starts, shape)
    return FoldRun(rows, predicted, int(arrays["epochs"]), float(arrays["seconds"]))
