"""LOSSES table 3: F1-micro on test by medical specialty."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.harness import progress, show
from experiments.rows.heads import FoldRun, fold_runs
from experiments.tasks.notes import HeadsTask
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import relevancy_report
from icd_relevancy.reporting import bar_plot, mean_sd


@dataclass(frozen=True)
class _Terms:
    name: str
    threshold: str
    relevant: bool


_TERMS = (
    _Terms("relevancy @0.5", "0.5", True),
    _Terms("equality @0.5", "0.5", False),
    _Terms("relevancy tuned", "tuned for relevancy", True),
    _Terms("equality tuned", "tuned for equality", False),
)


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """LOSSES table 3.

    Mean ± sd over the folds that have test notes of a specialty.
    """
    if task.notes.specialty is None:
        raise InputError(f"{task.config.data}: the notes carry no specialty, which this table goes by")
    specialty = np.array(task.notes.specialty, dtype=object)
    names = sorted(set(specialty) - {None})
    rows, means = [], {}
    for row in progress(settings["rows"], "table 3"):
        runs = list(fold_runs(task, row))
        for name in names:
            cells = {"specialty": name, "notes": int((specialty == name).sum()), "experiment": row["name"]}
            for terms in _TERMS:
                tested = [fold for fold in runs if name in specialty[fold.rows["test"]]]
                folds = [_micro_f1(task, fold, specialty == name, terms) for fold in tested]
                cells[terms.name] = mean_sd(folds)
                means[name, row["name"], terms.name] = 100 * np.mean(folds)
            cells["printed"] = settings["printed"].get(name, {}).get(row["name"], "–")
            rows.append(cells)
    table = pd.DataFrame(rows).sort_values("specialty", kind="stable").reset_index(drop=True)
    show(table, stem)
    shown = [name for name in names if settings["printed"].get(name)] or names
    experiments = [row["name"] for row in settings["rows"]]
    values = pd.DataFrame(
        {e: [means[name, e, "relevancy @0.5"] for name in shown] for e in experiments}, index=shown
    )
    title = "LOSSES table 3, relevancy terms at 0.5"
    bar_plot(stem.with_suffix(".png"), values, "F1-micro on test (%)", title=title)


def _micro_f1(task: HeadsTask, fold: FoldRun, chosen: np.ndarray, terms: _Terms) -> float:
    among_test = chosen[fold.rows["test"]]
    truth = task.y[fold.rows["test"][among_test]]
    predicted = fold.predicted["test", terms.threshold][among_test]
    return relevancy_report(truth, predicted, task.relevance() if terms.relevant else None).micro_f1
