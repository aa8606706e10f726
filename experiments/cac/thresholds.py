"""CAC tables S4 and S5: a decision threshold for each level, and the calibration of the probabilities."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.cac.claims import confirmed, mean_se, standard_error, write_claims
from experiments.harness import progress, show
from experiments.rows.stays import level_labels, node_scores, trained
from experiments.tasks.stays import StaysTask
from icd_relevancy.data import StaySplit
from icd_relevancy.metrics import multilabel
from icd_relevancy.metrics.calibration import expected_calibration_error, maximum_calibration_error
from icd_relevancy.models import FrequencyDummy
from icd_relevancy.reporting import bar_plot
from icd_relevancy.training.thresholds import tune_threshold

_HALF, _ONE, _EACH = "at 0.5 (%)", "one threshold (%)", "one a level (%)"
_ECE, _MCE = "ECE (%)", "MCE (%)"
_AUPRC, _F1, _NDCG = "micro-AUPRC", "micro-F1", "NDCG"
# What is printed to be more, and than what.
_MORE_F1 = (
    ("selected by micro-AUPRC, a threshold a level over one for all", (_AUPRC, _EACH), (_AUPRC, _ONE)),
    ("selected by micro-AUPRC, a threshold a level, over micro-F1 and one", (_AUPRC, _EACH), (_F1, _ONE)),
)
_MORE_ERROR = (
    ("ECE, selected by NDCG over micro-AUPRC", (_NDCG, _ECE), (_AUPRC, _ECE)),
    ("MCE, selected by NDCG over micro-AUPRC", (_NDCG, _MCE), (_AUPRC, _MCE)),
)


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """CAC tables S4 and S5.

    Micro-F1 on test stays at 0.5, at the threshold with the best micro-F1 over all nodes of the development
    stays, and at one such threshold a level; expected and maximum calibration error in bins of equal mass, for
    the levels with enough (stay, node) pairs for that many bins. Mean and standard error over the splits.
    """
    measured, printed = {}, {row["name"]: row.get("printed", {}) for row in settings["rows"]}
    for row in progress(settings["rows"], "thresholds"):
        described = {"network": row.get("network"), "bins": settings["bins"]}
        measured[row["name"]] = task.of_splits(
            "thresholds", described, lambda split, row=described: _measures(task, row, split)
        )
    print(task)
    table = _table(measured, (_HALF, _ONE, _EACH), measured[_AUPRC][0])
    table["printed"] = [
        printed[name].get(level, "–")
        for level, name in zip(table["level"], table["selected by"], strict=True)
    ]
    show(table, stem)
    binned = _binned_levels(task, settings)
    show(_table(measured, (_ECE, _MCE), binned), stem.with_name(f"{stem.name}-calibration"))
    write_claims(_claims(measured, binned), stem)
    _draw(measured, stem)


def _binned_levels(task: StaysTask, settings: dict) -> list[str]:
    """The levels with enough pairs in each bin: with a handful, a bin's observed share is noise."""
    stays = min(len(split.test) for split in task.splits)
    least = settings["bins"] * settings["pairs"]
    return [level for level, (columns, _) in level_labels(task).items() if stays * len(columns) >= least]


def _measures(task: StaysTask, row: dict, split: StaySplit) -> dict:
    dev, test = _scores(task, row["network"], split)
    of_level = level_labels(task)
    one = tune_threshold(task.nodes.labels[split.dev], dev)[0]
    # Of a level the nodes of that depth; what stays are given is of several, and has a threshold of its own.
    depths = np.zeros(len(task.nodes.names))
    for depth in np.unique(task.nodes.level):
        at = task.nodes.level == depth
        depths[at] = tune_threshold(task.nodes.labels[split.dev][:, at], dev[:, at])[0]
    measured = {}
    for level, (columns, labels) in of_level.items():
        y, scores = labels[split.test], test[:, columns]
        each = depths[columns]
        if level == "billing":
            each = tune_threshold(labels[split.dev], dev[:, columns])[0]
        measured[level] = {
            column: 100 * multilabel.f1(y, (scores >= threshold).astype(np.int64))
            for column, threshold in ((_HALF, 0.5), (_ONE, one), (_EACH, each))
        } | {
            _ECE: 100 * expected_calibration_error(y, scores, row["bins"]),
            _MCE: 100 * maximum_calibration_error(y, scores, row["bins"]),
        }
    return measured


def _scores(task: StaysTask, network: dict | None, split: StaySplit) -> list[np.ndarray]:
    """Scores of all nodes for the development and the test stays; without a network the training frequencies."""
    parts = (split.dev, split.test)
    if network is None:
        dummy = FrequencyDummy().fit(task.nodes.labels[split.train])
        return [dummy.predict(len(rows)) for rows in parts]
    coder = trained(task, split, task.network(**network))
    return [node_scores(task, coder, rows) for rows in parts]


def _table(measured: dict, columns: tuple[str, ...], levels) -> pd.DataFrame:
    """The columns of each level and model; of a level that is not among `levels` nothing is told."""
    rows = []
    for level in measured[_AUPRC][0]:
        for name in measured:
            row = {"level": level, "selected by": name}
            for column in columns:
                values = _values(measured, name, column, level)
                row[column] = mean_se(values if level in levels else [])
            rows.append(row)
    return pd.DataFrame(rows)


def _values(measured: dict, name: str, column: str, level: str) -> np.ndarray:
    return np.array([run[level][column] for run in measured[name]])


def _claims(measured: dict, binned: list[str]) -> list[dict]:
    # The pooled micro-F1 of all nodes is best at one threshold, so that a threshold a level is a matter of levels.
    levels = [level for level in measured[_AUPRC][0] if level != "all"]
    compared = [(f"micro-F1 of {level}", level, row) for level in levels for row in _MORE_F1]
    compared += [("all nodes", "all", row) for row in _MORE_ERROR]
    claims = []
    for of, level, (claim, more, less) in compared:
        gains = _values(measured, *more, level) - _values(measured, *less, level)
        row = {"claim": f"{of}: {claim} (points)", "printed": "more"}
        if more[1] in (_ECE, _MCE) and level not in binned:
            row |= {"here": "–", "confirmed here": "too few pairs"}
        else:
            row |= {"here": mean_se(gains, sign=True), "confirmed here": confirmed(gains)}
        claims.append(row)
    return claims


def _draw(measured: dict, stem: Path) -> None:
    values, errors = {}, {}
    for name in measured:
        for column in (_ONE, _EACH):
            of_level = {level: _values(measured, name, column, level) for level in measured[name][0]}
            series = f"{name}, {column.removesuffix(' (%)')}"
            values[series] = {level: figures.mean() for level, figures in of_level.items()}
            errors[series] = {level: standard_error(figures) for level, figures in of_level.items()}
    values, errors = pd.DataFrame(values), pd.DataFrame(errors)
    title = "CAC table S4: thresholds and the metric selected by"
    bar_plot(stem.with_suffix(".png"), values, "micro-F1, test stays (%)", errors=errors, title=title)
