"""HMHAN table 3: with and without over-sampling of the rare codes."""

from pathlib import Path

from experiments.hmhan.comparison import compare
from experiments.task import Task, run


def make(task: Task, settings: dict, stem: Path) -> None:
    """HMHAN table 3."""
    compare(task, settings, stem)


if __name__ == "__main__":
    run("hmhan.table3", make)
