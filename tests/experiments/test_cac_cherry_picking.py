"""Cherry-picked subsets of codes."""

import numpy as np
import pytest

from experiments.cac.cherry_picking import EXCLUDED, cherry_pick
from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.data import roll_up, synthetic_stays
from icd_relevancy.errors import InputError


def subsets(nodes, found) -> dict[str, set[str]]:
    return {name: set(np.array(nodes.names)[mask]) for name, mask in vars(found).items()}


@pytest.mark.parametrize(
    ("system", "codes", "picked", "filtered_out", "rare"),
    [
        (
            icd9cm,
            [("428.0", "V45.81"), ("428.0", "765.11"), ("V45.81", "765.11"), ("E849.0", "401.9")],
            # The chapter of 401.9 is that of 428.0, and so as frequent.
            {"390-459", "428", "428.0", "760-779"},
            {"V01-V91", "V45", "V45.8", "V45.81", "765", "765.1", "765.11"},
            {"401", "401.9", "E000-E999", "E849", "E849.0"},
        ),
        (
            icd10cm,
            [("I50.9", "Z95.1"), ("I50.9", "P07.14"), ("Z95.1", "P07.14"), ("W19.XXXA", "S72.001A")],
            {"9", "I30-I5A", "I50", "I50.9", "16", "P05-P08"},
            {"21", "Z77-Z99", "Z95", "Z95.1", "P07", "P07.1", "P07.14"},
            None,
        ),
    ],
)
def test_picked_by_frequency_and_belief(system, codes, picked, filtered_out, rare):
    nodes = roll_up(codes, system())
    found = subsets(nodes, cherry_pick(nodes, min_count=2))
    assert found["picked"] == picked
    assert found["filtered_out"] == filtered_out
    assert found["rare"] == (set(nodes.names) - picked - filtered_out if rare is None else rare)


@pytest.mark.parametrize(("name", "system"), [("icd9cm", icd9cm), ("icd10cm", icd10cm)])
def test_what_is_excluded(name, system):
    titles = " ".join(system().title(node) for node in EXCLUDED[name]).lower()
    for word in ("injury", "external causes", "health status", "gestation"):
        assert word in titles


def test_every_node_is_in_one_subset_and_picked_ones_have_picked_parents():
    nodes = roll_up(synthetic_stays(300).codes, icd10cm())
    found = cherry_pick(nodes, min_count=10)
    counts = nodes.labels.sum(axis=0).A1
    assert (found.picked.astype(int) + found.filtered_out + found.rare == 1).all()
    assert (found.rare == (counts < 10)).all()
    kept = nodes.select(found.picked)
    assert set(np.array(nodes.level)[found.picked][kept.parent < 0]) == {0}
    assert repr(found) == (
        f"CherryPick({found.picked.sum()} picked, {found.filtered_out.sum()} filtered_out, "
        f"{found.rare.sum()} rare)"
    )


def test_a_system_of_ones_own_excludes_what_is_asked_for():
    parents = {"1": None, "A": "1", "A1": "A", "B": "1"}
    system = CodeSystem("toy", tuple(parents), {code: code for code in parents}, parents)
    nodes = roll_up([("A1", "B")], system)
    assert cherry_pick(nodes, 1).picked.all()
    assert subsets(nodes, cherry_pick(nodes, 1, excluded=("A",)))["picked"] == {"1", "B"}
    with pytest.raises(InputError, match="'Z9' is not a node of toy"):
        cherry_pick(nodes, 1, excluded=("Z9",))
    with pytest.raises(InputError, match="no code has 2 stays"):
        cherry_pick(nodes, 2)
