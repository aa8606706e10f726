"""CAC figure 4: the hierarchy."""

from pathlib import Path

from experiments.cac.relative import compare
from experiments.cac.task import CacTask, run


def make(task: CacTask, settings: dict, stem: Path) -> None:
    """CAC figure 4.

    Constraints, losses and a penalty that know the hierarchy, against the network that does not.
    """
    compare(task, settings, stem, "CAC figure 4: the hierarchy")


if __name__ == "__main__":
    run("figure4", make)
