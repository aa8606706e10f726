"""Cherry-picked codes: what is left once rare codes, and those believed to be unpredictable, are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icd_relevancy.data.roll_up import RolledUp
from icd_relevancy.errors import InputError, shown_code

# Injuries, external causes, factors influencing health status, and disorders of short gestation.
EXCLUDED = {
    "icd9cm": ("800-999", "E000-E999", "V01-V91", "765"),
    "icd10cm": ("19", "20", "21", "P07"),
}


@dataclass(frozen=True, eq=False)
class CherryPick:
    """The subset of the nodes that was picked, and why the others were not; each node is in one of the three.

    Attributes:
        picked: Frequent and not excluded, bool `(m,)`. What stands above a picked node is picked too.
        filtered_out: Frequent, but excluded by belief, bool `(m,)`.
        rare: Carried by too few stays, excluded or not, bool `(m,)`.
    """

    picked: np.ndarray
    filtered_out: np.ndarray
    rare: np.ndarray

    def __repr__(self) -> str:
        counts = (f"{mask.sum()} {name}" for name, mask in vars(self).items())
        return f"CherryPick({', '.join(counts)})"


def cherry_pick(nodes: RolledUp, min_count: int = 100, excluded: Sequence[str] | None = None) -> CherryPick:
    """Picks codes as studies of automatic coding do, to show what that costs (CAC §2.1.4).

    `nodes.select(cherry_pick(nodes).picked)` is a label space for `MedicationCoder.train`.

    Args:
        nodes: The m nodes of the complete data set, as `roll_up` gives them.
        min_count: Least number of stays that must carry a node. Defaults to 100, which is 0.17 % of the stays
            of MIMIC-III; a smaller data set needs a smaller number.
        excluded: Nodes of the code system that are left out with all below them. Defaults to None: for
            ICD-9-CM injury and poisoning, external causes, the V codes and category 765, for ICD-10-CM their
            counterparts S00-T88, V00-Y99, Z00-Z99 and P07; no node of another system.

    Raises:
        InputError: If an excluded node is not of the code system, or no node is picked.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.data import cherry_pick, roll_up
    >>> nodes = roll_up([("428.0", "V45.81"), ("428.0", "401.9"), ("V45.81",)], icd9cm())
    >>> cherry_pick(nodes, min_count=2)
    CherryPick(3 picked, 4 filtered_out, 2 rare)

    Reference: CAC §2.1.4, table 1.
    """
    system = nodes.code_system
    if excluded is None:
        excluded = EXCLUDED.get(system.name, ())
    for code in excluded:
        if code not in system:
            raise InputError(f"excluded: {shown_code(code)} is not a node of {system.name}; correct it")
    frequent = np.asarray(nodes.labels.sum(axis=0)).ravel() >= min_count
    believed = np.array(
        [not {name, *system.ancestors(name)}.isdisjoint(excluded) for name in nodes.names], bool
    )
    picked = frequent & ~believed
    if not picked.any():
        raise InputError(f"no code has {min_count} stays and is not excluded; choose a smaller min_count")
    return CherryPick(picked, frequent & believed, ~frequent)
