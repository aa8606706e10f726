"""CAC figure 3: multitask learning."""

from pathlib import Path

from experiments.cac.relative import compare
from experiments.cac.task import CacTask, run


def make(task: CacTask, settings: dict, stem: Path) -> None:
    """CAC figure 3.

    One network for every level, against one network for all (naive), and against all with equal weight a level.
    """
    compare(task, settings, stem, "CAC figure 3: multitask learning")


if __name__ == "__main__":
    run("figure3", make)
