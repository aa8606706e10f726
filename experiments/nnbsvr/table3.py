"""NNBSVR table 3: notes coded with the relevancy of NNBSVR and of ICD2Vec, at τ from 0.6 to 0.9."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.harness import progress
from experiments.rows.heads import PARTS, FoldRun, fold_runs, tuned_for
from experiments.tasks.notes import HeadsTask
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.reporting import line_plot, markdown_table, mean_sd, write_table

_MEASURES = {
    "recall": "micro_recall",
    "precision": "micro_precision",
    "F1-micro": "micro_f1",
    "F1-weighted": "weighted_f1",
}
_SHOWN = "relevancy F1-micro tuned"


def make(task: HeadsTask, settings: dict, stem: Path) -> None:
    """NNBSVR table 3.

    The paper scores EM in equality terms and the other rows in relevancy terms, so its gain mixes the metric
    with the training. Here every row has both terms, and the predictions of BCE and of the other controls are
    scored with every graph: the distance from them to the trained row of the same graph is the training's.
    """
    graphs = [(name, tau) for name in settings["vectors"] for tau in settings["thresholds"]]
    trained = [
        (graph, {**settings["trained"], "vectors": graph[0], "threshold": graph[1]}) for graph in graphs
    ]
    controls = [{**row, "scored_with": [list(graph) for graph in graphs]} for row in settings["controls"]]
    rows, means = [], {}
    for graph, row in tqdm(trained, desc="table 3, trained", unit="row"):
        runs = list(fold_runs(task, row))
        _add(task, settings, row["name"], runs, graph, "tuned for relevancy", rows, means)
    for row in progress(controls, "table 3, controls"):
        runs = list(fold_runs(task, row))
        for graph in graphs:
            _add(task, settings, row["name"], runs, graph, tuned_for(*graph), rows, means)
    table = pd.DataFrame(rows).sort_values(["part", "vectors", "τ"], key=_places(settings), kind="stable")
    table = table.reset_index(drop=True)
    shown = [f"{terms} F1-micro {at}" for terms in ("equality", "relevancy") for at in ("@0.5", "tuned")]
    columns = ["vectors", "τ", "neighbours a label", "experiment", *shown, "epochs", "printed F1-micro"]
    print(f"{task.config.data}: {len(task.notes)} notes, {len(task.labels)} codes, test notes")
    write_table(table, stem.parent, stem.name, digits=2)
    print(markdown_table(table.loc[table["part"] == "test", columns], digits=2))
    _plot(settings, means, stem.with_suffix(".png"))


def _places(settings: dict):
    """Sorts test before train, and vectors as the settings have them."""
    order = {name: place for place, name in enumerate(("test", "train", *settings["vectors"]))}
    return lambda column: column if column.name == "τ" else column.map(order)


def _add(
    task: HeadsTask, settings: dict, name: str, runs, graph, tuned: str, rows: list, means: dict
) -> None:
    """Adds the rows of one experiment scored with one graph, for the test and the training notes."""
    vectors, tau = graph
    relevance = task.relevance(tau, vectors)
    printed = {settings["trained"]["name"]: f"{vectors} {tau:g}", "EM (BCE)": "EM"}.get(name)
    for part in PARTS:
        folds = pd.DataFrame([_scores(task, fold, part, relevance, tuned) for fold in runs])
        cells = {"part": part, "vectors": vectors, "τ": tau}
        cells |= {"neighbours a label": relevance.matrix.nnz / len(relevance) - 1, "experiment": name}
        cells |= {column: mean_sd(folds[column]) for column in folds}
        cells["labels a note @0.5"] = mean_sd([fold.labels_per_note(part) for fold in runs], percent=False)
        cells["epochs"] = mean_sd([fold.epochs for fold in runs], 1, percent=False)
        figures = settings["printed"].get(part, {}).get(printed, ["–"] * (len(_MEASURES) + 1))
        columns = [f"printed {measure}" for measure in (*_MEASURES, "epochs")]
        rows.append({**cells, **dict(zip(columns, figures, strict=True))})
        if part == "test":
            means[vectors, tau, name] = 100 * folds[_SHOWN].mean(), 100 * folds[_SHOWN].std()


def _scores(
    task: HeadsTask, fold: FoldRun, part: str, relevance: RelevanceGraph, tuned: str
) -> dict[str, float]:
    reports = {
        "equality {} @0.5": fold.report(task, part, "0.5", None),
        "equality {} tuned": fold.report(task, part, "tuned for equality", None),
        "relevancy {} @0.5": fold.report(task, part, "0.5", relevance),
        "relevancy {} tuned": fold.report(task, part, tuned, relevance),
    }
    return {
        column.format(name): getattr(report, attribute)
        for column, report in reports.items()
        for name, attribute in _MEASURES.items()
    }


def _plot(settings: dict, means: dict, path: Path) -> None:
    experiments = {"trained": settings["trained"]["name"], "BCE": "EM (BCE)"}
    lines = [(vectors, short) for vectors in settings["vectors"] for short in experiments]
    values, errors = (
        pd.DataFrame(
            {
                f"{v}: {short}": [means[v, tau, experiments[short]][at] for tau in settings["thresholds"]]
                for v, short in lines
            },
            settings["thresholds"],
        ).astype(np.float64)
        for at in (0, 1)
    )
    ylabel = "relevancy F1-micro on test (%), tuned threshold"
    line_plot(path, values, "similarity threshold τ", ylabel, errors=errors, title="NNBSVR table 3")
