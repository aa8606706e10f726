"""The plainest code vectors, which every other recipe has to beat."""

from collections.abc import Sequence

import numpy as np

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.vectors.code_vectors import CodeVectors

HIERARCHY_ONLY_RECIPE = "hierarchy-only-1"
LONGEST_CODE = 7
NUDGE = 1e-3


def chosen_codes(code_system: CodeSystem, codes: Sequence[str] | None) -> tuple[str, ...]:
    """The codes that vectors are wanted for, checked before a long computation starts.

    Args:
        code_system: the code system.
        codes: codes, or None for all nodes of the system.

    Raises:
        InputError: a code is not in the system or listed twice.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> chosen_codes(icd9cm(), ["428.0", "462"])
        ('428.0', '462')
    """
    if codes is None:
        return code_system.codes
    for code in codes:
        code_system.title(code)
    return _distinct(codes)


def hierarchy_only_vectors(
    code_system: CodeSystem, codes: Sequence[str] | None = None, positions: int | None = None
) -> CodeVectors:
    """Vectors of codes from the characters of the code alone, the control of NNBSVR (§4.5, figure 2, table 5).

    B37.81 is read as B, 3, 7, 8, 1. At each position the characters of the system, an absent one first, are
    numbered in their order and min-max scaled. All numbers are then at least 0 and so would be all cosines;
    the mean of the codes is therefore taken off each position, so that codes on either side of it stand
    apart. A code that falls on the mean itself is moved off it by a thousandth at its first position, as a
    vector of zeros has no direction.

    A node above the categories (a chapter, a block) is the mean of the codes below it; one without codes
    below it has the characters of the first code of its range.

    Args:
        code_system: the code system; the numbering and the mean are those of all its codes.
        codes: the codes wanted, in order. Defaults to None, all nodes of the system.
        positions: number of characters read, and of dimensions; the paper has 5. Defaults to None, the length
            of the system's longest code, at most 7.

    Returns:
        `CodeVectors` of `positions` dimensions.

    Raises:
        InputError: a code is not in the system or wanted twice, or `positions` is below 1.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> vectors = hierarchy_only_vectors(icd9cm())
        >>> vectors.similarity("428.0", "428.1") > vectors.similarity("428.0", "V58.1")
        True
    """
    wanted = chosen_codes(code_system, codes)
    if positions is not None and positions < 1:
        raise InputError(f"positions must be at least 1. Received: {positions}")
    groups = np.array([_is_group(code_system, code) for code in code_system.codes])
    read = [
        code.partition("-")[0].replace(".", "")
        for code, is_group in zip(code_system.codes, groups, strict=True)
        if not is_group
    ]
    if positions is None:
        positions = min(max(map(len, read)), LONGEST_CODE)
    vectors = np.zeros((len(groups), positions))
    for at in range(positions):
        vectors[~groups, at] = _scaled([text[at : at + 1] for text in read])
    _average_groups(vectors, groups, code_system)
    vectors -= vectors[~groups].mean(axis=0)
    vectors[np.abs(vectors).max(axis=1) < NUDGE, 0] = NUDGE
    meta = {"recipe": HIERARCHY_ONLY_RECIPE, "code_system": code_system.name, "positions": positions}
    return CodeVectors(code_system.codes, vectors, meta).select(wanted)


def _distinct(codes: Sequence[str]) -> tuple[str, ...]:
    # The constructor checks the codes without any dimensions, hence before the vectors take memory.
    return CodeVectors(tuple(codes), np.empty((len(codes), 0), np.float32)).codes


def _is_group(code_system: CodeSystem, code: str) -> bool:
    above_categories = code_system.level(code) < code_system.category_level
    return above_categories and bool(code_system.children(code))


def _scaled(characters: Sequence[str]) -> np.ndarray:
    """The characters of one position, an absent one being "", numbered and scaled to 0..1."""
    distinct, numbers = np.unique(characters, return_inverse=True)
    return numbers / max(len(distinct) - 1, 1)


def _average_groups(vectors: np.ndarray, groups: np.ndarray, code_system: CodeSystem) -> None:
    """Puts the mean of the codes below it in the row of each group."""
    rows = {code: row for row, code in enumerate(code_system.codes)}
    for row in np.flatnonzero(groups):
        below = np.array([rows[code] for code in code_system.descendants(code_system.codes[row])])
        vectors[row] = vectors[below[~groups[below]]].mean(axis=0)
