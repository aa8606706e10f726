"""Which code system the codes of notes are in, and each code in the one spelling of its system."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from itertools import chain

import numpy as np

from icd_relevancy.codes import CodeSystem, code_system_name
from icd_relevancy.codes.system import NormalisationReport, code_key
from icd_relevancy.data.notes import Notes
from icd_relevancy.errors import InputError, shown_code, shown_note
from icd_relevancy.files.records import MOST_PROBLEMS

_FIRST, _SECOND = 1, 2
_BOTH = _FIRST | _SECOND


def with_canonical_codes(
    notes: Notes, code_system: CodeSystem, advice: str = "correct them or choose another --code-system"
) -> tuple[Notes, NormalisationReport]:
    """Writes the codes of notes, and of their mentions, as the code system does: equal codes are equal labels.

    A code that the system knows only by an ancestor (one of another edition) stays a label of its own, in
    capitals and with its dot: the ancestor lends it its vector, not its name. `InputError` names the first twenty codes
    that are not even of a known category, or name a chapter or block, each with a note, or the first note that names
    another system.

    The report is over the distinct codes.
    """
    _check_systems(notes, code_system)
    mentions = notes.mentions or ()
    mentioned = {code for row in mentions for code, _ in row or ()}
    distinct = sorted(mentioned.union(chain.from_iterable(notes.codes)))
    name_of, report = canonical_names(distinct, code_system)
    if report.unknown_codes:
        rows = ((notes.note_id[row], _codes_of(notes, row)) for row in range(len(notes)))
        problem = f"{len(report.unknown_codes)} codes are not {code_system.name}"
        raise InputError(
            f"{_place(notes)}: {problem}, first {shown_unknown(report.unknown_codes, rows)}; {advice}"
        )
    codes = tuple(tuple(dict.fromkeys(name_of[code] for code in row)) for row in notes.codes)
    if notes.mentions is not None:
        mentions = tuple(
            None if row is None else tuple((name_of[code], text) for code, text in row) for row in mentions
        )
        notes = replace(notes, mentions=mentions)
    return replace(notes, codes=codes), report


def canonical_names(
    codes: Iterable[str], code_system: CodeSystem
) -> tuple[dict[str, str | None], NormalisationReport]:
    """The name of each distinct code as the code system writes it, None if unknown, and what was changed."""
    codes = list(codes)
    canonical, report = code_system.normalise_all(codes, groups=False)
    name_of = dict(zip(codes, canonical, strict=True))
    dotted = any("." in code for code in code_system.codes)
    name_of.update((code, _spelling(code, ancestor, dotted)) for code, ancestor in report.ancestor_codes)
    return name_of, report


def shown_unknown(
    unknown: Collection[str], rows: Iterable[tuple[str, Iterable[str]]], what: str = "note"
) -> str:
    """The first twenty codes as a message may name them, each with the first note (identifier, codes) that has it."""
    wanted = dict.fromkeys(list(unknown)[:MOST_PROBLEMS])
    place_of: dict[str, str] = {}
    for number, (identifier, codes) in enumerate(rows, 1):
        for code in codes:
            if code in wanted and code not in place_of:
                place_of[code] = shown_note(identifier, number, what)
        if len(place_of) == len(wanted):
            break
    shown = [f"{shown_code(code)} of {place_of[code]}" for code in wanted]
    more = len(unknown) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


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
    named = _named_systems(notes, names)
    system_of = np.where(named > 0, named, _systems_by_codes(notes, named, systems))
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
    named = [_with_system(name, part, len(sources) > 1) for name, part in parts.items()]
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


def _check_systems(notes: Notes, code_system: CodeSystem) -> None:
    """Refuses notes that name another system: some codes are of both, with different meanings."""
    name_of = {name: code_system_name(name) for name in set(notes.code_system or ()) - {None}}
    names = [name_of.get(name, code_system.name) for name in notes.code_system or ()]
    foreign = [row for row, name in enumerate(names) if name != code_system.name]
    if foreign:
        others = f", as have {len(foreign) - 1} others" if len(foreign) > 1 else ""
        raise _error(
            notes,
            foreign[0],
            f"has another code_system than {code_system.name}{others}; leave such notes out, or train --joint on both "
            "systems",
        )


def _codes_of(notes: Notes, row: int) -> tuple[str, ...]:
    mentions = notes.mentions[row] if notes.mentions is not None else None
    return notes.codes[row] + tuple(code for code, _ in mentions or ())


def _spelling(code: str, ancestor: str, dotted: bool) -> str:
    key, stem = code_key(code), ancestor.partition(".")[0]
    return f"{stem}.{key[len(stem) :]}" if dotted else key


def _place(notes: Notes) -> str:
    return notes.source or "notes"


def _error(notes: Notes, row: int, problem: str) -> InputError:
    return InputError(f"{_place(notes)}: {shown_note(notes.note_id[row], row + 1)} {problem}")


def _named_systems(notes: Notes, names: tuple[str, str]) -> np.ndarray:
    """For each note the number of the system that it names, 0 where it names none."""
    if notes.code_system is None:
        return np.zeros(len(notes), np.int8)
    number_of = {names[0]: _FIRST, names[1]: _SECOND}
    number = {name: number_of.get(code_system_name(name)) for name in set(notes.code_system)} | {None: 0}
    if None in number.values():
        row = next(row for row, name in enumerate(notes.code_system) if number[name] is None)
        raise _error(notes, row, f"has a code_system that is neither {names[0]} nor {names[1]}; correct it")
    return np.fromiter(map(number.get, notes.code_system), np.int8, len(notes))


def _systems_by_codes(notes: Notes, named: np.ndarray, systems: tuple[CodeSystem, CodeSystem]) -> np.ndarray:
    """For each note the number of the only system that knows all its codes; 0 where the note names one."""
    system_of = np.zeros(len(notes), np.int8)
    rows = np.flatnonzero(named == 0)
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
    system_of[rows] = system
    return system_of


def _knowing(codes, systems: tuple[CodeSystem, CodeSystem]) -> tuple[dict[str, int], dict[str, int]]:
    """For each distinct code the systems that know it, and those that know it without another edition."""
    distinct = list(dict.fromkeys(chain.from_iterable(codes)))
    known, well_known = dict.fromkeys(distinct, 0), dict.fromkeys(distinct, 0)
    for number, system in zip((_FIRST, _SECOND), systems, strict=True):
        canonical, report = system.normalise_all(distinct, groups=False)
        shortened = {code for code, _ in report.ancestor_codes}
        for code, name in zip(distinct, canonical, strict=True):
            if name is not None:
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


def _with_system(name: str, part: Notes, prefixed: bool) -> Notes:
    """The notes with their code system and, where wanted, the source before their identifiers."""
    systems = part.code_system or (None,) * len(part)
    part = replace(part, code_system=tuple(name if system is None else system for system in systems))
    if not prefixed:
        return part
    prefix = f"{part.source or name}:"
    patients = part.patient_id and tuple(id if id is None else prefix + id for id in part.patient_id)
    return replace(part, note_id=tuple(prefix + id for id in part.note_id), patient_id=patients)
