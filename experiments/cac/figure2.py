"""CAC figure 2: what the models are selected by."""

from pathlib import Path

from experiments.cac.relative import compare
from experiments.cac.task import CacTask, run


def make(task: CacTask, settings: dict, stem: Path) -> None:
    """CAC figure 2.

    The metric that the best epoch is best at on the development stays is varied; less RE@R is better.
    """
    compare(task, settings, stem, "CAC figure 2: what the models are selected by")


if __name__ == "__main__":
    run("figure2", make)
