"""LOSSES table 2: the losses compared, in equality and in relevancy terms, at 0.5 and at a tuned threshold."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.runs import fold_runs
from experiments.task import Task, run
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_BCE = "EM (BCE)"


def make(task: Task, settings: dict, stem: Path) -> None:
    """LOSSES table 2."""
    relevance = task.relevance()
    scores = {}
    for row in tqdm(settings["rows"], desc="table 2", unit="row"):
        folds = [_fold_scores(task, fold, relevance) for fold in fold_runs(task, row)]
        scores[row["name"]] = pd.DataFrame(folds)
    bce = scores[_BCE]
    tuned = bce[[column for column in bce if not column.endswith("@0.5")]]
    scores["BCE, tuned threshold"] = tuned
    printed = {row["name"]: row.get("printed", {}) for row in settings["rows"]}
    table = _table(scores, printed)
    write_table(table, stem.parent, stem.name)
    _plot(scores, printed, stem.with_suffix(".png"))
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, {relevance!r}")
    shown = [
        name for name in table if not name.startswith(("train", "printed train")) and "weighted" not in name
    ]
    print(markdown_table(table[shown]))


def _fold_scores(task: Task, fold, relevance) -> dict[str, float]:
    scores = {}
    for part in ("train", "test"):
        for terms, graph in (("equality", None), ("relevancy", relevance)):
            for suffix, report in (
                ("@0.5", fold.report(task, part, "0.5", graph)),
                ("tuned", fold.best_report(task, part, graph)),
            ):
                scores[f"{part} {terms} micro {suffix}"] = report.micro_f1
                scores[f"{part} {terms} weighted {suffix}"] = report.weighted_f1
    predicted = fold.predicted["test", "0.5"]
    scores["labels a note @0.5"] = predicted.nnz / predicted.shape[0]
    scores["epochs"] = fold.epochs
    scores["seconds"] = fold.seconds
    return scores


def _table(scores: dict[str, pd.DataFrame], printed: dict[str, dict]) -> pd.DataFrame:
    """Mean ± sd over the folds in per cent, test before train, the printed figures last."""
    rows = []
    for name, folds in scores.items():
        cells = {"experiment": name}
        for part in ("test", "train"):
            for column in scores[_BCE]:
                if column.startswith(part):
                    cells[column] = mean_sd(folds[column]) if column in folds else "–"
        for column, digits in (("labels a note @0.5", 2), ("epochs", 1), ("seconds", 1)):
            cells[column] = mean_sd(folds[column], digits, percent=False) if column in folds else "–"
        for column in ("test micro", "test weighted", "train micro", "train weighted", "epochs"):
            cells[f"printed {column}"] = printed.get(name, {}).get(column, "–")
        rows.append(cells)
    return pd.DataFrame(rows).set_index("experiment")


def _plot(scores, printed, path: Path) -> None:
    columns = {
        "equality, at 0.5": "test equality micro @0.5",
        "relevancy, at 0.5": "test relevancy micro @0.5",
        "equality, tuned": "test equality micro tuned",
        "relevancy, tuned": "test relevancy micro tuned",
    }
    names = [name for name in scores if name != "BCE, tuned threshold"]
    values, errors = (
        pd.DataFrame(
            {key: [100 * f(scores[n][column]) for n in names] for key, column in columns.items()}, names
        )
        for f in (np.mean, lambda folds: np.std(folds, ddof=1))
    )
    marks = pd.DataFrame(np.nan, index=values.index, columns=values.columns)
    for name in names:
        key = "equality, at 0.5" if name == _BCE else "relevancy, at 0.5"
        marks.loc[name, key] = printed[name].get("test micro", np.nan)
    bar_plot(path, values, "F1-micro on test (%)", errors=errors, printed=marks, title="LOSSES table 2")


if __name__ == "__main__":
    run("table2", make)
