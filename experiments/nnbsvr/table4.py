"""NNBSVR table 4: accuracy on six hard codes."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.harness import show
from experiments.rows.heads import FoldRun, fold_runs, tuned_for
from experiments.tasks.notes import HeadsTask
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.reporting import bar_plot

_SHOWN = "relevancy tuned (%)"


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """NNBSVR table 4.

    The paper does not define the accuracy of a code. Read here as its recall: the share of the notes with the
    code in which it, or (in relevancy terms) a code that matches it, is predicted. The share of right answers
    among all notes would be near 100 % for a rare code. Recall rewards assigning many codes, so their number
    stands beside it. The test notes of all folds count together.
    """
    hard = task.hard_codes(settings["codes"])
    graphs = [[name, settings["threshold"]] for name in settings["vectors"]]
    control = {**settings["control"], "scored_with": graphs}
    experiments = [("EM (BCE)", control, None, "tuned for equality")]
    for name, tau in graphs:
        trained = {**settings["trained"], "vectors": name, "threshold": tau}
        experiments.append((name, trained, task.relevance(tau, name), "tuned for relevancy"))
        scored = f"EM (BCE), scored by {name}"
        experiments.append((scored, control, task.relevance(tau, name), tuned_for(name, tau)))
    rows = []
    for name, row, relevance, tuned in tqdm(experiments, desc="table 4", unit="row"):
        runs = list(fold_runs(task, row))
        accuracies = {
            "equality @0.5 (%)": _recall(task, runs, "0.5", None),
            "equality tuned (%)": _recall(task, runs, "tuned for equality", None),
            "relevancy @0.5 (%)": _recall(task, runs, "0.5", relevance),
            _SHOWN: _recall(task, runs, tuned, relevance),
        }
        labels = {
            f"labels a note {column}": _labels(runs, at) for column, at in (("@0.5", "0.5"), ("tuned", tuned))
        }
        for code, entry in hard.items():
            label = task.labels.index(code)
            cells = {"code": code, "title": task.title(code)}
            cells |= {"notes": int(task.y[:, label].sum()), "experiment": name}
            cells |= {column: recall[label] for column, recall in accuracies.items()}
            rows.append({**cells, **labels, "printed": entry["printed"].get(name, "–")})
    table = pd.DataFrame(rows).sort_values("code", kind="stable").reset_index(drop=True)
    show(table, stem, digits=2)
    _plot(table, list(hard), [name for name, *_ in experiments], stem.with_suffix(".png"))


def _recall(
    task: HeadsTask, runs: list[FoldRun], threshold: str, relevance: RelevanceGraph | None
) -> np.ndarray:
    """Recall of each label over the test notes of all folds, in per cent."""
    reports = [fold.report(task, "test", threshold, relevance) for fold in runs]
    found = sum(report.true_positives for report in reports)
    support = sum(report.support for report in reports)
    return 100 * found / np.maximum(support, 1)


def _labels(runs: list[FoldRun], threshold: str) -> float:
    predicted = [fold.predicted["test", threshold] for fold in runs]
    return sum(part.nnz for part in predicted) / sum(part.shape[0] for part in predicted)


def _plot(table: pd.DataFrame, codes: list[str], names: list[str], path: Path) -> None:
    numbers = table.assign(printed=pd.to_numeric(table["printed"], errors="coerce").astype(np.float64))
    values, printed = (
        numbers.pivot_table(column, "code", "experiment", dropna=False).loc[codes, names]
        for column in (_SHOWN, "printed")
    )
    bar_plot(
        path,
        values,
        "accuracy (recall) on test (%)",
        printed=printed,
        title="NNBSVR table 4, tuned threshold",
    )
