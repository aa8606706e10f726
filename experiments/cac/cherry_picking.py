"""Cherry-picked codes: what is left once rare codes, and those believed to be unpredictable, are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icd_relevancy.data import RolledUp
from icd_relevancy.errors import InputError, shown_code

# Injuries, external causes, factors influencing health status, and disorders of short gestation.
EXCLUDED = {
    "icd9cm": ("800-999", "E000-E999", "V01-V91", "765"),
    "icd10cm": ("19", "20", "21", "P07"),
}


@dataclass(frozen=True, eq=False)
class CherryPick:
    """The nodes that were picked, and why the others were not: each node is in one of three masks `(m,)`."""

    picked: np.ndarray  # frequent and not excluded; what stands above a picked node is picked too
    filtered_out: np.ndarray  # frequent, but excluded by belief
    rare: np.ndarray  # carried by too few stays, excluded or not

    def __repr__(self) -> str:
        counts = (f"{mask.sum()} {name}" for name, mask in vars(self).items())
        return f"CherryPick({', '.join(counts)})"


def cherry_pick(nodes: RolledUp, min_count: int = 100, excluded: Sequence[str] | None = None) -> CherryPick:
    """Picks codes as studies of automatic coding do, to show what that costs (CAC §2.1.4).

    `nodes.select(cherry_pick(nodes).picked)` is a label space for `MedicationCoder.train`.

    `excluded` nodes are left out with all below them; None are those of the paper for ICD-9-CM (injury and poisoning,
    external causes, the V codes, category 765), their counterparts for ICD-10-CM, none of another system. The paper's
    least number of stays, 100, is 0.17 % of MIMIC-III; a smaller data set needs a smaller one.
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
