"""HMHAN table 4 and figure 6: three models on one encoder, and the linear controls."""

from pathlib import Path

from experiments.hmhan.comparison import compare
from experiments.task import Task, run


def make(task: Task, settings: dict, stem: Path) -> None:
    """HMHAN table 4."""
    compare(task, settings, stem)


if __name__ == "__main__":
    run("hmhan.table4", make)
