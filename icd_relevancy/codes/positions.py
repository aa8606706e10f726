"""The parts that a code is made of, by position."""

import re
from itertools import pairwise

from icd_relevancy.codes.leaf_values import code_paths
from icd_relevancy.codes.system import CodeSystem

ATC_CODE = re.compile(r"([A-Z])(?:(\d{2})(?:([A-Z])(?:([A-Z])(\d{2})?)?)?)?")
ICD_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?|\d{3}(\.\d{1,2})?|V\d\d(\.\d{1,2})?|E\d{3}(\.\d)?")
SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


def code_positions(system: CodeSystem) -> dict[str, tuple[str, ...]]:
    """The parts of each code of a system, first to last.

    Codes of ICD fall into their characters (B37.81 → B, 3, 7, 8, 1; NNBSVR §3.1.2), those of ATC into their
    levels (A10BA02 → A, 10, B, A, 02; NNBSVR §5.4). In any other system a code that begins with the code above
    it falls into what each level adds, else into the parts between its separators, or into its characters
    where it has none. A group of codes (a chapter or block) has the parts that all codes below it begin with.

    Args:
        system: any code system.

    Returns:
        The parts of every code; empty for a group whose codes begin differently.

    Example:
        >>> from icd_relevancy.codes import icd10cm
        >>> from icd_relevancy.codes.positions import code_positions
        >>> code_positions(icd10cm())["B37.81"]
        ('B', '3', '7', '8', '1')
    """
    kind = _kind(system)
    found = {
        code: _parts(code, kind, system)
        for code in system.codes
        if kind not in ("icd", "atc") or _is_code(code, kind, system)
    }
    for code in reversed(system.codes):
        if code not in found:
            found[code] = _common([found[below] for below in system.children(code)])
    return {code: found[code] for code in system.codes}


def _kind(system: CodeSystem) -> str:
    """Which way the codes are built; all of the leaves must fit, as a national edition may add groups only."""
    leaves = system.leaves
    if all(map(ATC_CODE.fullmatch, leaves)) and max(map(len, leaves)) > 3:
        return "atc"
    return "icd" if all(map(ICD_CODE.fullmatch, leaves)) else "other"


def _is_code(code: str, kind: str, system: CodeSystem) -> bool:
    pattern = ICD_CODE if kind == "icd" else ATC_CODE
    return pattern.fullmatch(code) is not None and (
        kind == "atc" or len(code_paths(system)[code]) > system.category_level
    )


def _parts(code: str, kind: str, system: CodeSystem) -> tuple[str, ...]:
    if kind == "atc":
        return tuple(part for part in ATC_CODE.fullmatch(code).groups() if part)
    if kind == "icd":
        return tuple(code.replace(".", ""))
    path = code_paths(system)[code]
    if len(path) > 1 and all(below.startswith(above) for above, below in pairwise(path)):
        added = (below[len(above) :] for above, below in pairwise(("", *path)))
        return tuple(SEPARATOR.sub("", part) for part in added)
    separated = tuple(part for part in SEPARATOR.split(code) if part)
    return separated if len(separated) > 1 else tuple(code)


def _common(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    agreed = 0
    while parts and all(len(p) > agreed for p in parts) and len({p[agreed] for p in parts}) == 1:
        agreed += 1
    return parts[0][:agreed] if parts else ()
