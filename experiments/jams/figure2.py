"""JAMS figure 2: macro-F1 by how many training notes a code has."""

from pathlib import Path

from experiments.jams.groups import compare_groups
from experiments.jams.task import JamsTask, run


def make(task: JamsTask, settings: dict, stem: Path) -> None:
    """JAMS figure 2."""
    compare_groups(task, settings["rows"], task.strata, stem, "JAMS figure 2")


if __name__ == "__main__":
    run("figure2", make)
