"""LOSSES figure 1: how the notes are distributed over the medical specialties."""

from pathlib import Path

import pandas as pd

from experiments.task import Task, run
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import markdown_table, share_plot, write_table


def make(task: Task, settings: dict, stem: Path) -> None:
    """LOSSES figure 1."""
    if task.notes.specialty is None:
        raise InputError(f"{task.config.data}: the notes carry no specialty, which this figure shows")
    counts = pd.Series(task.notes.specialty).value_counts().rename_axis("specialty")
    table = pd.DataFrame(
        {
            "notes": counts,
            "share (%)": 100 * counts / counts.sum(),
            "printed (%)": [settings["printed"].get(name, "–") for name in counts.index],
        }
    )
    write_table(table, stem.parent, stem.name, digits=2)
    share_plot(stem.with_suffix(".png"), counts, "notes", title="LOSSES figure 1")
    print(markdown_table(table, digits=2))


if __name__ == "__main__":
    run("figure1", make)
