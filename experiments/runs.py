"""Trains one loss on one fold, and keeps its predictions: the tables are made from them."""

import json
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from experiments.fingerprints import digest_of
from experiments.task import RESULTS, Task
from experiments.vector_sets import vectors_fingerprint
from icd_relevancy.data import train_validation_split
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.safe_reading import checked_csr, read_arrays, reading
from icd_relevancy.metrics import RelevancyReport, relevancy_report
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.settings import from_mapping
from icd_relevancy.training.notes.config import TrainingConfig

THRESHOLDS = ("0.5", "tuned for equality", "tuned for relevancy")
PARTS = ("train", "test")


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
        self, task: Task, part: str, threshold: str, relevance: RelevanceGraph | None
    ) -> RelevancyReport:
        """Scores in equality terms (`relevance=None`) or relevancy terms."""
        return relevancy_report(task.y[self.rows[part]], self.predicted[part, threshold], relevance)

    def best_report(self, task: Task, part: str, relevance: RelevanceGraph | None) -> RelevancyReport:
        """Scores at the threshold that was tuned, on validation notes, for the same terms."""
        terms = "equality" if relevance is None else "relevancy"
        return self.report(task, part, f"tuned for {terms}", relevance)


def fold_runs(task: Task, row: dict, threshold: float | None = None):
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
    for fold in range(task.config.folds):
        path = _path(task, row, relevance.threshold, fold)
        if not path.exists():
            _save(_train(task, row, relevance, fold), path)
        yield _load(path, (*THRESHOLDS, *(tuned_for(*graph) for graph in row.get("scored_with", ()))))


def tuned_for(vectors: str, threshold: float) -> str:
    """The name of the decision threshold that is tuned for a further graph."""
    return f"tuned for {vectors} {threshold:g}"


def _further_graphs(task: Task, row: dict) -> dict[str, RelevanceGraph]:
    return {tuned_for(name, tau): task.relevance(tau, name) for name, tau in row.get("scored_with", ())}


def _path(task: Task, row: dict, threshold: float, fold: int):
    described = {**_settings(row), "threshold": threshold}
    named = {row["vectors"]} if "vectors" in row else set()
    named |= {name for name, _ in row.get("scored_with", ())}
    if named:
        described["fingerprints"] = {name: vectors_fingerprint(task.vectors_of(name)) for name in named}
    digest = digest_of(json.dumps(described, sort_keys=True))
    name = f"{row.get('loss', row['model'])}-{digest[:8]}-fold{fold}.npz"
    return RESULTS / "runs" / f"{task.config.name}-{task.fingerprint}" / name


def _settings(row: dict) -> dict:
    return {key: value for key, value in row.items() if key not in ("name", "printed")}


def _train(task: Task, row: dict, relevance: RelevanceGraph, fold: int) -> FoldRun:
    from icd_relevancy.training.thresholds import predicted_labels, tune_threshold

    test = np.flatnonzero(task.fold == fold)
    rest = np.flatnonzero(task.fold != fold)
    groups = task.notes.groups()[rest]
    inner, held_out = train_validation_split(task.y[rest], groups, task.config.validation, task.config.seed)
    train, validation = rest[inner], rest[held_out]
    make = {"neural": _neural, "tfidf": _tfidf, "frequency": _frequency}[row["model"]]
    if make is _neural:
        _ = task.features  # embedded once for all runs, so not in the time of the first
    started = time.monotonic()
    score, epochs = make(task, row, relevance, train, validation, fold)
    seconds = time.monotonic() - started
    held_out_scores = score(validation)
    graphs = {THRESHOLDS[1]: None, THRESHOLDS[2]: relevance, **_further_graphs(task, row)}
    thresholds = {THRESHOLDS[0]: 0.5}
    for name, graph in graphs.items():
        thresholds[name] = tune_threshold(task.y[validation], held_out_scores, graph)[0]
    rows = {"train": train, "test": test}
    predicted = {}
    for part in PARTS:
        scores = score(rows[part])
        for name, threshold in thresholds.items():
            predicted[part, name] = predicted_labels(scores, threshold)
    return FoldRun(rows, predicted, epochs, seconds)


def _neural(task: Task, row: dict, relevance, train, validation, fold: int):
    """The papers' model: a dense sigmoid layer on the frozen encoder's embeddings (LOSSES §4.2)."""
    from experiments.head import Schedule

    of_others = ("model", "vectors", "threshold", "scored_with", "schedule")
    settings = TrainingConfig(**{key: value for key, value in _settings(row).items() if key not in of_others})
    of_task = {name: getattr(task.config, name) for name in Schedule.__dataclass_fields__}
    schedule = from_mapping(Schedule, of_task | row.get("schedule", {}), "schedule")
    head = _head(task, settings, relevance.threshold, row.get("vectors"))
    epochs = head.train(train, validation, schedule, task.config.seed + fold)
    return head.scores, epochs


@lru_cache(maxsize=1)
def _head(task: Task, settings: TrainingConfig, threshold: float, vectors: str | None):
    """The head of a row, compiled once for all its folds and schedules."""
    from experiments.head import Head
    from icd_relevancy.losses.by_name import NOTE_LOSSES, LossLabels

    labels = LossLabels(relevance=task.relevance(threshold, vectors))
    return Head(task.features, task.y, NOTE_LOSSES.find(settings.loss)(settings.loss_own, labels))


def _tfidf(task: Task, row: dict, relevance, train, validation, fold: int):
    """The control: TF-IDF of words and word pairs, and a logistic regression for each code."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    texts = np.array(task.notes.text, dtype=object)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    x = words.fit_transform(texts[train])
    y = task.y[train]
    used = np.flatnonzero(np.asarray(y.sum(axis=0)).ravel())
    # With more words than notes the dual problem is solved many times faster.
    settings = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": task.config.seed}
    model = OneVsRestClassifier(LogisticRegression(C=row["c"], class_weight="balanced", **settings))
    model.fit(x, y[:, used])

    def score(rows):
        scores = np.zeros((len(rows), len(task.labels)), np.float32)
        scores[:, used] = model.predict_proba(words.transform(texts[rows]))
        return scores

    return score, int(max(np.max(e.n_iter_) for e in model.estimators_ if hasattr(e, "n_iter_")))


def _frequency(task: Task, row: dict, relevance, train, validation, fold: int):
    """The control that reads no note: every code has the share of the training notes that carry it."""
    shares = np.asarray(task.y[train].mean(axis=0), np.float32).ravel()
    return (lambda rows: np.tile(shares, (len(rows), 1))), 0


def _save(run: FoldRun, path) -> None:
    arrays = {f"rows {part}": rows for part, rows in run.rows.items()}
    for (part, threshold), labels in run.predicted.items():
        arrays[f"indices {part} {threshold}"] = labels.indices
        arrays[f"indptr {part} {threshold}"] = labels.indptr
    labels = run.predicted["test", "0.5"].shape[1]
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, epochs=run.epochs, seconds=run.seconds, labels=labels, **arrays)


def _load(path, thresholds) -> FoldRun:
    names = [(part, threshold) for part in PARTS for threshold in thresholds]
    arrays = [f"{kind} {part} {threshold}" for part, threshold in names for kind in ("indices", "indptr")]
    with reading(path, "the result of a run", "delete it and run again"):
        saved = read_arrays(
            path, ("epochs", "seconds", "labels", *(f"rows {part}" for part in PARTS), *arrays)
        )
        rows = {part: saved[f"rows {part}"] for part in PARTS}
        predicted = {}
        for part, threshold in names:
            indices, shape = saved[f"indices {part} {threshold}"], (len(rows[part]), int(saved["labels"]))
            ones = np.ones(len(indices), np.int64)
            predicted[part, threshold] = checked_csr(
                ones, indices, saved[f"indptr {part} {threshold}"], shape
            )
        return FoldRun(rows, predicted, int(saved["epochs"]), float(saved["seconds"]))
