"""Roll-up of codes to all their ancestors."""

from itertools import pairwise

import numpy as np
import pytest

from icd_relevancy.codes import CodeSystem, icd9cm, icd10cm
from icd_relevancy.data import roll_up, synthetic_stays
from icd_relevancy.errors import InputError

PARENTS = {"1": None, "A": "1", "A1": "A", "A11": "A1", "B": "1", "2": None, "C": "2", "C1": "C"}


def system(parents=PARENTS, category_level=1) -> CodeSystem:
    return CodeSystem(
        "toy", tuple(parents), {code: code for code in parents}, parents, category_level=category_level
    )


def test_every_ancestor_is_carried():
    rolled = roll_up([("A11",), ("B", "A"), (), ("C",)], system())
    # C1 does not occur, so it is no node.
    assert rolled.names == ("1", "A", "A1", "A11", "B", "2", "C")
    assert rolled.level.tolist() == [0, 1, 2, 3, 1, 0, 1]
    assert rolled.parent.tolist() == [-1, 0, 1, 2, 0, -1, 5]
    assert rolled.labels.toarray().tolist() == [
        [1, 1, 1, 1, 0, 0, 0],
        [1, 1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1],
    ]
    assert rolled.labels.dtype == np.int64
    assert repr(rolled) == "RolledUp(4 stays, 7 nodes)"


def test_ancestor_lists():
    starts, positions = roll_up([("A11", "C")], system()).ancestors()
    lists = [positions[start:end].tolist() for start, end in pairwise(starts)]
    assert lists == [[], [0], [1, 0], [2, 1, 0], [], [4]]


def test_some_levels_only():
    rolled = roll_up([("A11", "B"), ("C",)], system(), levels=(0, 2))
    assert rolled.names == ("1", "A1", "2")
    assert rolled.parent.tolist() == [-1, 0, -1]
    assert rolled.level.tolist() == [0, 2, 0]
    assert rolled.labels.toarray().tolist() == [[1, 1, 0], [0, 0, 1]]
    assert roll_up([("A11",)], system(), levels=[3]).parent.tolist() == [-1]
    with pytest.raises(InputError, match="no code of a level to keep is left"):
        roll_up([("B",)], system(), levels=[2])


def test_codes_as_assigned():
    rolled = roll_up([("A11", "A"), ("C",), ("XYZ9",), ()], system(), unknown="drop")
    assert rolled.names == ("1", "A", "A1", "A11", "2", "C")
    expected = [[0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1], [0] * 6, [0] * 6]
    assert rolled.assigned.toarray().tolist() == expected
    # C1 is known but has no node.
    assert rolled.encode([("C1",)]).assigned.nnz == 0


def test_select_nodes():
    rolled = roll_up([("A11",), ("C",)], system())
    assert rolled.names == ("1", "A", "A1", "A11", "2", "C")
    kept = rolled.select([5, 3, 0])
    assert kept.names == ("C", "A11", "1")
    assert kept.parent.tolist() == [-1, 2, -1]
    assert kept.level.tolist() == [1, 3, 0]
    assert kept.labels.toarray().tolist() == [[0, 1, 1], [1, 0, 0]]
    assert rolled.select(rolled.level == 0).names == ("1", "2")


def test_names_of_levels():
    assert [roll_up([("J18.9",)], icd10cm()).depth(name) for name in ("chapter", "block", "category")] == [
        0,
        1,
        2,
    ]
    nine = roll_up([("428.0",)], icd9cm())
    assert (nine.depth("chapter"), nine.depth("category")) == (0, 1)
    with pytest.raises(InputError, match="icd9cm has the levels chapter, category; received 'block'"):
        nine.depth("block")
    with pytest.raises(InputError, match="toy has the levels category; received 'chapter'"):
        roll_up([("A",)], system(category_level=0)).depth("chapter")


def test_nodes_from_their_names():
    rolled = roll_up([("A11",), ("C",)], system())
    again = roll_up([rolled.names], system(), groups=True)
    assert again.names == rolled.names
    assert again.parent.tolist() == rolled.parent.tolist()


def test_codes_outside_the_system():
    codes = [("A1", "XYZ9"), ("XYZ9", "Q1", "XYZ9")]
    with pytest.raises(
        InputError, match=r"^stays, stay 1: code 'XYZ9' is not toy, nor is 1 other; correct them"
    ):
        roll_up(codes, system())
    with pytest.raises(
        InputError, match=r"^w.csv, stay 3: code \(not shown: it is no code\) is not toy; correct"
    ):
        roll_up([(), ("A1",), ("Miller",)], system(), source="w.csv")
    with pytest.raises(InputError, match="nor are 2 others") as caught:
        roll_up([("Miller", "X1", "X2")], system())
    assert "Miller" not in str(caught.value)
    rolled = roll_up(codes, system(), unknown="drop")
    assert rolled.unknown_codes == (("XYZ9", 2), ("Q1", 1))
    assert rolled.labels.toarray().tolist() == [[1, 1, 1], [0, 0, 0]]
    with pytest.raises(InputError, match='unknown must be "error" or "drop"; received \'ignore\''):
        roll_up(codes, system(), unknown="ignore")
    # A chapter is no code of a stay.
    with pytest.raises(InputError, match="code '1' is not toy"):
        roll_up([("1",)], system())


def test_spellings_and_other_editions():
    rolled = roll_up([("4280",), ("428.09",), ("e8497",)], icd9cm())
    assert rolled.names == ("390-459", "428", "428.0", "E000-E999", "E849", "E849.7")
    assert rolled.labels.toarray().tolist() == [[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]


def test_other_stays_on_the_same_nodes():
    rolled = roll_up([("A11",), ("C",)], system())
    other = rolled.encode([("A1", "B"), ("C1", "C"), ()])
    assert other.names == rolled.names
    # B has no node of its own and counts for its chapter.
    assert other.labels.toarray().tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1], [0] * 6]
    assert (rolled.encode([("A11",), ("C",)]).labels != rolled.labels).nnz == 0
    with pytest.raises(InputError, match=r"w.csv, stay 1: code 'Q1'"):
        rolled.encode([("Q1",)], source="w.csv")
    assert rolled.encode([("Q1",)], unknown="drop").unknown_codes == (("Q1", 1),)


@pytest.mark.parametrize("code_system", [icd9cm, icd10cm])
def test_against_the_system_walked_code_by_code(code_system):
    codes = synthetic_stays(60, code_system=code_system().name).codes
    rolled = roll_up(codes, code_system())
    for row, carried in enumerate(codes):
        expected = {node for code in carried for node in (code, *code_system().ancestors(code))}
        assert {rolled.names[column] for column in rolled.labels[row].indices} == expected
    assert rolled.level.tolist() == [code_system().level(name) for name in rolled.names]
    assert all(parent < column for column, parent in enumerate(rolled.parent))
