"""JAMS figure 3: macro-F1 of the rarest codes, with and without a link to a code of the other system."""

from pathlib import Path

from experiments.jams.groups import compare_groups
from experiments.jams.task import JamsTask, run


def make(task: JamsTask, settings: dict, stem: Path) -> None:
    """JAMS figure 3."""
    groups = {}
    for system, strata in task.strata.items():
        name, rare = next(iter(strata.items()))
        linked = rare & set(task.link_weights[system])
        groups[system] = {f"{name}, linked": linked, f"{name}, not linked": rare - linked}
    compare_groups(task, settings["rows"], groups, stem, "JAMS figure 3")


if __name__ == "__main__":
    run("figure3", make)
