"""Scores of all nodes for the test stays of a split, by the network or a control, and what is measured of them."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier

from experiments.tasks.stays import StaysTask
from icd_relevancy.data import StaySplit
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import multilabel
from icd_relevancy.metrics.ranking import ranking_report
from icd_relevancy.models import FrequencyDummy
from icd_relevancy.training import MedicationCoder, MedicationConfig
from icd_relevancy.training.stays.dataset import MedicationData, MedicationPart

RECALLS = (0.25, 0.5, 0.75, 1.0)
KS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 75, 100)
# Inverse strengths C of the logistic regression and epochs of scikit-learn's network, chosen on the development part.
_STRENGTHS, _EPOCHS = (0.03, 0.3, 3.0), (5, 10, 20, 40)


def measure(task: StaysTask, row: dict) -> list[dict]:
    """For each split the metrics on test stays, by level; what was measured before is read back.

    Args:
        task: The task.
        row: `ranker` (`network`, `per_level`: a network for each level, `frequency`, `logistic` or `mlp`), and
            `network` with settings that differ from the task's.

    Raises:
        InputError: If there is no such ranker.
    """
    row = {name: row[name] for name in ("ranker", "network") if name in row}
    return task.of_splits("measures", {"row": row}, lambda split: _measures(task, row, split))


def _measures(task: StaysTask, row: dict, split: StaySplit) -> dict:
    if row["ranker"] == "per_level":
        return {
            level: _measures(task, {"ranker": "network", "network": {"level": level}}, split)[level]
            for level in task.level_names()
        }
    return by_level(task, split, test_scores(task, row, split))


def by_level(task: StaysTask, split: StaySplit, scores: np.ndarray) -> dict[str, dict[str, float]]:
    """The metrics of scores of every node for the test stays of a split, over all nodes and those of each level."""
    return {
        level: _of_level(labels[split.test], scores[:, columns])
        for level, (columns, labels) in level_labels(task).items()
    }


def level_labels(task: StaysTask) -> dict:
    """For `all` and each level the columns of its nodes, and the labels of all stays there, CSR.

    A stay has the codes of `billing` as it was given them, and of the others all that stand above those too.
    """
    nodes = task.nodes
    of_level = {"all": np.arange(len(nodes.names))}
    for level in task.level_names()[:-1]:
        of_level[level] = np.flatnonzero(nodes.level == nodes.depth(level))
    levels = {level: (columns, nodes.labels[:, columns]) for level, columns in of_level.items()}
    billing = np.flatnonzero(np.asarray(nodes.assigned.sum(axis=0)).ravel())
    return {**levels, "billing": (billing, nodes.assigned[:, billing])}


def _of_level(y, scores: np.ndarray) -> dict[str, float]:
    report = ranking_report(y, scores, RECALLS, [k for k in KS if k <= y.shape[1]])
    return {
        **report,
        "codes a stay": y.sum() / max(np.count_nonzero(np.diff(y.tocsr().indptr)), 1),
        "micro_auprc": multilabel.auprc(y, scores, "micro"),
        "macro_auroc": multilabel.auroc(y, scores, "macro"),
    }


def trained(
    task: StaysTask, split: StaySplit, config: MedicationConfig, picked: np.ndarray | None = None
) -> MedicationCoder:
    """A network trained on a split, of all nodes or of the picked ones alone (bool, a value a node)."""
    nodes = task.nodes if picked is None else task.nodes.select(picked)
    return MedicationCoder.train(task.stays.select(split.train), config, task.stays.select(split.dev), nodes)


def node_scores(task: StaysTask, coder: MedicationCoder, rows: np.ndarray) -> np.ndarray:
    """A network's scores of every node for some stays, `(n, m)`; 0 for a node that it has no output for."""
    scores = np.zeros((len(rows), len(task.nodes.names)), np.float32)
    place = {name: column for column, name in enumerate(task.nodes.names)}
    scores[:, [place[name] for name in coder.nodes.names]] = coder.scores(task.stays.select(rows))
    return scores


def test_scores(task: StaysTask, row: dict, split: StaySplit) -> np.ndarray:
    """Scores of every node for the test stays of a split, `(n, m)`; 0 for a node that the ranker leaves out."""
    config = task.network(**row.get("network", {}))
    if row["ranker"] == "network":
        return node_scores(task, trained(task, split, config), split.test)
    if row["ranker"] not in _CONTROLS:
        raise InputError(
            f"no ranker named {row['ranker']!r}; there are network, per_level, {', '.join(_CONTROLS)}"
        )
    train, dev, test = task.parts(split)
    # The control learns from the training part and, where it has something to choose, chooses on the other.
    tuning = MedicationData.from_stays(train, config, dev, task.nodes)
    testing = MedicationData.from_stays(train, config, test, task.nodes)
    return _CONTROLS[row["ranker"]](tuning.training, tuning.validation, testing.validation.inputs)


def _frequency(training: MedicationPart, dev: MedicationPart, inputs) -> np.ndarray:
    return FrequencyDummy().fit(training.targets).predict(inputs.shape[0])


def _logistic(training: MedicationPart, dev: MedicationPart, inputs) -> np.ndarray:
    """One-vs-rest logistic regression, its C by the NDCG on the development part."""
    learnable = np.flatnonzero(np.asarray(training.targets.sum(axis=0)).ravel() > 0)
    fitted = []
    for strength in _STRENGTHS:
        model = OneVsRestClassifier(LogisticRegression(C=strength, solver="liblinear"))
        model.fit(training.inputs, training.targets[:, learnable])
        scores = _spread(model, dev.inputs, learnable, dev.targets.shape[1])
        fitted.append((ranking_report(dev.targets, scores)["ndcg"], model))
    best = max(fitted, key=lambda pair: pair[0])[1]
    return _spread(best, inputs, learnable, training.targets.shape[1])


def _mlp(training: MedicationPart, dev: MedicationPart, inputs) -> np.ndarray:
    """A network as scikit-learn has it, one hidden layer of 1,024; its epochs by the NDCG on the development part.

    Its own early stopping asks for every code of a stay to be right, which none ever is, and ends at once.
    """
    fitted = []
    for epochs in _EPOCHS:
        model = MLPClassifier((1024,), max_iter=epochs, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped on purpose
            model.fit(training.inputs, training.targets.toarray())
        fitted.append((ranking_report(dev.targets, model.predict_proba(dev.inputs))["ndcg"], model))
    return max(fitted, key=lambda pair: pair[0])[1].predict_proba(inputs)


def _spread(model, inputs, columns: np.ndarray, count: int) -> np.ndarray:
    scores = np.zeros((inputs.shape[0], count), np.float32)
    scores[:, columns] = model.predict_proba(inputs)
    return scores


_CONTROLS = {"frequency": _frequency, "logistic": _logistic, "mlp": _mlp}
