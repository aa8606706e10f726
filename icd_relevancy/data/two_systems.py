"""Notes of two code systems: taken apart, put together, and made from notes of one."""

from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import chain

import numpy as np

from icd_relevancy.codes import CodeMapping, CodeSystem, code_system_name
from icd_relevancy.codes.translation import TranslationReport
from icd_relevancy.data.canonical import with_canonical_codes
from icd_relevancy.data.notes import Notes
from icd_relevancy.errors import InputError, shown_code, shown_note

_FIRST, _SECOND = 1, 2
_BOTH = _FIRST | _SECOND


def split_by_code_system(
    notes: Notes, first: CodeSystem, second: CodeSystem, both: bool = True
) -> dict[str, Notes]:
    """The notes of each of two code systems, in canonical codes.

    A note is of the system that its `code_system` names or, where that is not told, of the only system that
    knows all its codes. Some codes are of both (V10.4 is a history of cancer in ICD-9-CM and a cyclist's
    accident in ICD-10-CM); the other codes of the note then tell, or the spelling, if it needs an older or newer
    edition of one system but not of the other.

    Args:
        notes: Notes with codes.
        first: The first code system.
        second: The second.
        both: Whether each system must have notes. Defaults to True.

    Returns:
        For the name of each system, the first first, its notes in the order given, with `code_system` filled in
        and their codes as `with_canonical_codes` writes them.

    Raises:
        InputError: If a note names another system, has a code of neither or codes of both, or nothing tells its
            system (then fill in `code_system`), or a system that must have notes has none. The first note is named.

    Example:

    >>> from icd_relevancy.codes import icd9cm, icd10cm
    >>> from icd_relevancy.data import Notes, split_by_code_system
    >>> notes = Notes(("1", "2"), ("Cough.", "Pneumonia."), (("7862",), ("J18.9",)))
    >>> parts = split_by_code_system(notes, icd9cm(), icd10cm())
    >>> parts["icd9cm"].codes, parts["icd10cm"].codes
    ((('786.2',),), (('J18.9',),))
    """
    systems = first, second
    names = tuple(system.name for system in systems)
    if first.name == second.name:
        raise InputError(f"two code systems need two names; both are {first.name}")
    told = _told(notes, names)
    system_of = np.where(told > 0, told, _by_codes(notes, told, systems))
    parts = {}
    for number, system in zip((_FIRST, _SECOND), systems, strict=True):
        positions = np.flatnonzero(system_of == number)
        if both and not len(positions):
            other = names[1] if number == _FIRST else names[0]
            raise InputError(
                f"{_place(notes)}: no note is coded in {system.name}; add some, or train on {other} alone"
            )
        part, _ = with_canonical_codes(notes.select(positions), system)
        parts[system.name] = replace(part, code_system=(system.name,) * len(part))
    return parts


def join_notes(parts: Mapping[str, Notes]) -> Notes:
    """Puts notes of several code systems together, as `split_by_code_system` takes them apart.

    Args:
        parts: Notes by the name of their code system, which fills `code_system` where a note does not tell it.

    Returns:
        The notes, one part after the other; a column that a part lacks is None for its notes. Parts from
        different sources have the source before each note_id and patient_id (`"cmc2007:97634811"`), since the
        same number means another note or patient there.

    Raises:
        InputError: If a note_id repeats, or there is no part.

    Example:

    >>> from icd_relevancy.data import Notes, join_notes
    >>> old = Notes(("1",), ("Cough.",), (("786.2",),), source="a")
    >>> new = Notes(("1",), ("Pneumonia.",), (("J18.9",),), age=(61.0,), source="b")
    >>> notes = join_notes({"icd9cm": old, "icd10cm": new})
    >>> notes.note_id, notes.age, notes.code_system, notes.source
    (('a:1', 'b:1'), (None, 61.0), ('icd9cm', 'icd10cm'), 'a + b')
    """
    if not parts:
        raise InputError("join_notes needs at least one part")
    sources = tuple(dict.fromkeys(part.source for part in parts.values()))
    named = [_named(name, part, len(sources) > 1) for name, part in parts.items()]
    joined = {}
    for column in (field.name for field in fields(Notes) if field.name != "source"):
        values = [getattr(part, column) for part in named]
        if any(value is not None for value in values):
            filled = (
                (None,) * len(part) if value is None else value
                for part, value in zip(named, values, strict=True)
            )
            joined[column] = tuple(chain.from_iterable(filled))
    return Notes(**joined, source=" + ".join(filter(None, sources)))


def with_half_translated(
    notes: Notes,
    mapping: CodeMapping,
    seed: int = 0,
    to: str | None = None,
    source_system: CodeSystem | None = None,
    target_system: CodeSystem | None = None,
) -> tuple[Notes, TranslationReport]:
    """Notes of two code systems from notes of one: half of them are coded anew through a mapping.

    Half of the groups of `Notes.groups` are drawn, so no patient and no repeated text is in both halves.

    Args:
        notes: Notes coded in one system of the mapping.
        mapping: The mapping.
        seed: Seed of the draw. Defaults to 0.
        to: The system to translate to. Defaults to None, the mapping's first (ICD-9-CM in the GEMs).
        source_system, target_system: As in `CodeMapping.translate`. Default to None.

    Returns:
        The notes in the order given, with `code_system` filled in, and what the translation did, over the
        notes translated. A note that loses all its codes is counted there and stays, without codes; a note that
        is translated loses its mentions.

    Raises:
        InputError: As `CodeMapping.translate`, or if the notes are of a single group.

    Example:

    >>> from icd_relevancy.codes import CodeMapping
    >>> from icd_relevancy.data import Notes, with_half_translated
    >>> notes = Notes(("1", "2"), ("Biliary stricture.", "Jaundice."), (("K83.1",), ("K83.1",)))
    >>> halves, report = with_half_translated(notes, CodeMapping.gems(), seed=1)
    >>> sorted(zip(halves.code_system, halves.codes)), report.emptied
    ([('icd10cm', ('K83.1',)), ('icd9cm', ('576.2',))], 0)
    """
    to = mapping.first if to is None else to
    groups = notes.groups()
    count = groups.max(initial=-1) + 1
    if count < 2:
        raise InputError(f"{_place(notes)}: all notes share a patient or a text, so there are no two halves")
    drawn = np.random.default_rng(seed).permutation(count)[: count // 2]
    chosen = np.flatnonzero(np.isin(groups, drawn)).tolist()
    codes = list(notes.codes)
    translated, report = mapping.translate([codes[i] for i in chosen], to, source_system, target_system)
    system = [mapping.second if to == mapping.first else mapping.first] * len(notes)
    mentions = None if notes.mentions is None else list(notes.mentions)
    for position, row in zip(chosen, translated, strict=True):
        codes[position], system[position] = row, to
        if mentions is not None:
            mentions[position] = None  # they name codes of the other system
    return replace(notes, codes=tuple(codes), code_system=tuple(system), mentions=mentions), report


def _place(notes: Notes) -> str:
    return notes.source or "notes"


def _error(notes: Notes, row: int, told: str) -> InputError:
    return InputError(f"{_place(notes)}: {shown_note(notes.note_id[row], row + 1)} {told}")


def _told(notes: Notes, names: tuple[str, str]) -> np.ndarray:
    """For each note the number of the system that it names, 0 where it names none."""
    if notes.code_system is None:
        return np.zeros(len(notes), np.int8)
    number_of = {names[0]: _FIRST, names[1]: _SECOND}
    number = {name: number_of.get(code_system_name(name)) for name in set(notes.code_system)} | {None: 0}
    if None in number.values():
        row = next(row for row, name in enumerate(notes.code_system) if number[name] is None)
        raise _error(notes, row, f"has a code_system that is neither {names[0]} nor {names[1]}; correct it")
    return np.fromiter(map(number.get, notes.code_system), np.int8, len(notes))


def _by_codes(notes: Notes, told: np.ndarray, systems: tuple[CodeSystem, CodeSystem]) -> np.ndarray:
    """For each note the number of the only system that knows all its codes; 0 where the note names one."""
    found = np.zeros(len(notes), np.int8)
    rows = np.flatnonzero(told == 0)
    codes = [notes.codes[row] for row in rows.tolist()]
    known, well_known = _knowing(codes, systems)
    names = " and ".join(system.name for system in systems)
    if 0 in known.values():
        index, code = next((i, code) for i, row in enumerate(codes) for code in row if not known[code])
        raise _error(
            notes, rows[index], f"has the code {shown_code(code)}, which is neither of {names}; correct it"
        )
    system = _in_all(codes, known)
    # A code that one system has as it is, and the other in another edition at most, is more likely of the first.
    strict = _in_all(codes, well_known)
    system = np.where((system == _BOTH) & (strict > 0), strict, system)
    if (system == 0).any():
        row = rows[int((system == 0).argmax())]
        raise _error(notes, row, f"has codes of both {names}; leave those of one, or make two notes of it")
    if (system == _BOTH).any():
        index = int((system == _BOTH).argmax())
        what = f"has only codes that {names} both know" if codes[index] else "has no codes to tell its system"
        raise _error(notes, rows[index], f"{what}; fill in its code_system")
    found[rows] = system
    return found


def _knowing(codes, systems: tuple[CodeSystem, CodeSystem]) -> tuple[dict[str, int], dict[str, int]]:
    """For each distinct code the systems that know it, and those that know it without another edition."""
    distinct = list(dict.fromkeys(chain.from_iterable(codes)))
    known, well_known = dict.fromkeys(distinct, 0), dict.fromkeys(distinct, 0)
    for number, system in zip((_FIRST, _SECOND), systems, strict=True):
        canonical, report = system.normalise_all(distinct, groups=False)
        shortened = {code for code, _ in report.ancestor_codes}
        for code, found in zip(distinct, canonical, strict=True):
            if found is not None:
                known[code] |= number
                well_known[code] |= 0 if code in shortened else number
    return known, {code: well_known[code] or known[code] for code in distinct}


def _in_all(codes, mask_of: dict[str, int]) -> np.ndarray:
    """The systems that all codes of a note have in common; both for a note without codes."""
    lengths = np.fromiter(map(len, codes), np.int64, len(codes))
    masks = np.fromiter(map(mask_of.get, chain.from_iterable(codes)), np.int8, lengths.sum())
    common = np.full(len(codes), _BOTH, np.int8)
    filled = np.flatnonzero(lengths)
    if len(filled):
        starts = np.cumsum(lengths)[filled] - lengths[filled]
        common[filled] = np.bitwise_and.reduceat(masks, starts)
    return common


def _named(name: str, part: Notes, prefixed: bool) -> Notes:
    """The notes with their code system and, where wanted, the source before their identifiers."""
    told = part.code_system or (None,) * len(part)
    part = replace(part, code_system=tuple(name if known is None else known for known in told))
    if not prefixed:
        return part
    prefix = f"{part.source or name}:"
    patients = part.patient_id and tuple(id if id is None else prefix + id for id in part.patient_id)
    return replace(part, note_id=tuple(prefix + id for id in part.note_id), patient_id=patients)
