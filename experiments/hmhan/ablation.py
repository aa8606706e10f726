"""What each part of HMHAN gives: negation, unified terms, over-sampling, the loss, the levels of attention."""

from pathlib import Path

from experiments.hmhan.comparison import compare
from experiments.task import Task, run


def make(task: Task, settings: dict, stem: Path) -> None:
    """HMHAN ablation."""
    compare(task, settings, stem)


if __name__ == "__main__":
    run("hmhan.ablation", make)
