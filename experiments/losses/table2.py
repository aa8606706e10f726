"""LOSSES table 2: the losses compared, in equality and in relevancy terms, at 0.5 and at a tuned threshold."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import progress, show
from experiments.rows.heads import fold_runs
from experiments.tasks.notes import HeadsTask
from icd_relevancy.reporting import bar_plot, mean_sd

_BCE, _NONE = "EM (BCE)", "–"
_PRINTED = ("test micro", "test weighted", "train micro", "train weighted", "epochs")


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """LOSSES table 2.

    Every neural row is trained by each schedule, as the paper prints it and to convergence. What is no network has
    no schedule, and stands once.
    """
    relevance = task.relevance()
    scores = {}
    for row in progress(settings["rows"], "table 2"):
        for schedule, scheduled in _scheduled(row, settings["schedules"]).items():
            folds = [_fold_scores(task, fold, relevance) for fold in fold_runs(task, scheduled)]
            scores[schedule, row["name"]] = pd.DataFrame(folds)
    printed = {row["name"]: row.get("printed", {}) for row in settings["rows"]}
    schedules = [*settings["schedules"], _NONE]
    table = _table(scores, printed, schedules)
    for number, schedule in enumerate(settings["schedules"]):
        # The paper has one schedule, the first.
        path = stem.with_name(f"{stem.name}{'-' + schedule.replace(' ', '-') if number else ''}.png")
        _plot(scores, {} if number else printed, schedule, path)
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, {relevance!r}")
    of_test = [name for name in table if not name.startswith(("train", "printed train"))]
    show(table, stem, columns=[name for name in of_test if "weighted" not in name])


def _scheduled(row: dict, schedules: dict[str, dict]) -> dict[str, dict]:
    """The row by each schedule that it is trained by. One without settings is the task's, as of the other tables."""
    if row["model"] != "neural":
        return {_NONE: row}
    return {name: row | ({"schedule": changes} if changes else {}) for name, changes in schedules.items()}


def _fold_scores(task: HeadsTask, fold, relevance) -> dict[str, float]:
    scores = {}
    for part in ("train", "test"):
        for terms, graph in (("equality", None), ("relevancy", relevance)):
            for suffix, report in (
                ("@0.5", fold.report(task, part, "0.5", graph)),
                ("tuned", fold.best_report(task, part, graph)),
            ):
                scores[f"{part} {terms} micro {suffix}"] = report.micro_f1
                scores[f"{part} {terms} weighted {suffix}"] = report.weighted_f1
    scores["labels a note @0.5"] = fold.labels_per_note()
    scores["epochs"] = fold.epochs
    scores["seconds"] = fold.seconds
    return scores


def _table(scores: dict, printed: dict[str, dict], schedules: list[str]) -> pd.DataFrame:
    """Mean ± sd over the folds in per cent, test before train, the printed figures last; schedule by schedule."""
    rows = []
    for schedule, name in sorted(scores, key=lambda place: schedules.index(place[0])):
        folds = scores[schedule, name]
        cells = {"schedule": schedule, "experiment": name}
        for part in ("test", "train"):
            cells |= {column: mean_sd(folds[column]) for column in folds if column.startswith(part)}
        for column, digits in (("labels a note @0.5", 2), ("epochs", 1), ("seconds", 1)):
            cells[column] = mean_sd(folds[column], digits, percent=False)
        of_row = printed[name] if schedule == schedules[0] else {}
        cells |= {f"printed {column}": of_row.get(column, "–") for column in _PRINTED}
        rows.append(cells)
    return pd.DataFrame(rows).set_index(["schedule", "experiment"])


def _plot(scores: dict, printed: dict[str, dict], schedule: str, path: Path) -> None:
    columns = {
        "equality, at 0.5": "test equality micro @0.5",
        "relevancy, at 0.5": "test relevancy micro @0.5",
        "equality, tuned": "test equality micro tuned",
        "relevancy, tuned": "test relevancy micro tuned",
    }
    shown = {name: folds for (of, name), folds in scores.items() if of in (schedule, _NONE)}
    values, errors = (
        pd.DataFrame(
            {
                key: {n: 100 * f(folds[column]) for n, folds in shown.items()}
                for key, column in columns.items()
            }
        )
        for f in (pd.Series.mean, pd.Series.std)
    )
    marks = pd.DataFrame(np.nan, index=values.index, columns=values.columns)
    for name in shown:
        key = "equality, at 0.5" if name == _BCE else "relevancy, at 0.5"
        marks.loc[name, key] = printed.get(name, {}).get("test micro", np.nan)
    title = f"LOSSES table 2, trained {schedule}"
    bar_plot(path, values, "F1-micro on test (%)", errors=errors, printed=marks, title=title)
