"""LOSSES figure 1: how the notes are distributed over the medical specialties."""

from pathlib import Path

import pandas as pd

from experiments.harness import show
from experiments.tasks.notes import NotesTask
from icd_relevancy.errors import InputError
from icd_relevancy.reporting import share_plot


def make(task: NotesTask, settings: dict, stem: Path) -> None:
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
    show(table, stem, digits=2)
    share_plot(stem.with_suffix(".png"), counts, "notes", title="LOSSES figure 1")
