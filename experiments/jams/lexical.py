"""What the words of a note say of a code by themselves: every model with and without the lexical channel."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from experiments.jams.runs import frame, measured
from experiments.jams.task import JamsTask, run
from icd_relevancy.reporting import bar_plot, markdown_table, mean_sd, write_table

_COLUMNS = ("micro-F1", "macro-F1", "MAP", "relevancy micro-F1")


def make(task: JamsTask, settings: dict, stem: Path) -> None:
    """Codes of one system from the words of notes.

    Mean ± sd over the seeds, in per cent; F1 at the threshold that is best on the held-out part of the training
    notes. Codes without a training note count as missed.
    """
    (system,) = task.systems
    rows = [row for row in settings["rows"] if task.config.language in row.get("languages", ("en", "es"))]
    found = {}
    for row in (bar := tqdm(rows, desc="lexical", unit="row")):
        bar.set_postfix_str(row["name"])
        found[row["name"]] = frame(measured(task, row)[system])
    table = pd.DataFrame(
        [
            {"experiment": name, **{column: mean_sd(runs[column]) for column in _COLUMNS}}
            | {"seeds": len(runs), "seconds": mean_sd(runs["seconds"], 0, percent=False)}
            for name, runs in found.items()
        ]
    ).set_index("experiment")
    write_table(table, stem.parent, stem.name)
    print(task.told())
    print(markdown_table(table))
    columns = ["micro-F1", "relevancy micro-F1", "MAP"]
    values, errors = (
        pd.DataFrame({name: 100 * statistic(runs[columns]) for name, runs in found.items()}).T
        for statistic in (pd.DataFrame.mean, pd.DataFrame.std)
    )
    title = f"{task.config.name}: codes from words"
    bar_plot(stem.with_suffix(".png"), values, "test (%)", errors=errors, title=title)


if __name__ == "__main__":
    run("lexical", make)
