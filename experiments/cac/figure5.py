"""CAC figure 5: the imbalance of codes."""

from pathlib import Path

from experiments.cac.relative import compare
from experiments.cac.task import CacTask, run


def make(task: CacTask, settings: dict, stem: Path) -> None:
    """CAC figure 5.

    Losses and a penalty against the imbalance of the codes, against the plain network.
    """
    compare(task, settings, stem, "CAC figure 5: the imbalance of codes")


if __name__ == "__main__":
    run("figure5", make)
