"""One spelling for each code."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import chain

from icd_relevancy.codes import CodeSystem, code_system_name
from icd_relevancy.codes.system import NormalisationReport, code_key
from icd_relevancy.data.notes import Notes
from icd_relevancy.errors import InputError, shown_code, shown_note
from icd_relevancy.files.records import MOST_PROBLEMS


def with_canonical_codes(notes: Notes, code_system: CodeSystem) -> tuple[Notes, NormalisationReport]:
    """Writes the codes of notes, and of their mentions, as the code system does: equal codes are equal labels.

    A code that the system knows only by an ancestor (one of another edition) stays a label of its own, in
    capitals and with its dot: the ancestor lends it its vector, not its name.

    Args:
        notes: Notes with codes.
        code_system: The system that the codes are of.

    Returns:
        The notes with canonical codes, and what was changed, over the distinct codes.

    Raises:
        InputError: If codes are not even of a known category, or name a chapter or block, or the `code_system` of a
            note is another; names the first twenty, each with a note.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.data import Notes
    >>> notes, report = with_canonical_codes(Notes(("1",), ("Cough.",), (("7862",),)), icd9cm())
    >>> notes.codes
    (('786.2',),)
    """
    _check_systems(notes, code_system)
    mentions = notes.mentions or ()
    mentioned = {code for row in mentions for code, _ in row or ()}
    distinct = sorted(mentioned.union(chain.from_iterable(notes.codes)))
    name_of, report = canonical_names(distinct, code_system)
    if report.unknown_codes:
        rows = ((notes.note_id[row], _codes_of(notes, row)) for row in range(len(notes)))
        told = shown_unknown(report.unknown_codes, rows)
        raise InputError(
            f"{notes.source or 'notes'}: {len(report.unknown_codes)} codes are not {code_system.name}, first {told}; "
            "correct them or choose another --code-system"
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
    """The name of each code as the code system writes it, None for those that it does not know.

    Args:
        codes: Distinct codes as notes write them.
        code_system: The system that they are of.

    Returns:
        The names, and what was changed. A code that is known by an ancestor keeps a name of its own.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> canonical_names(["7862", "none"], icd9cm())[0]
    {'7862': '786.2', 'none': None}
    """
    codes = list(codes)
    canonical, report = code_system.normalise_all(codes, groups=False)
    name_of = dict(zip(codes, canonical, strict=True))
    dotted = any("." in code for code in code_system.codes)
    name_of.update((code, _spelling(code, ancestor, dotted)) for code, ancestor in report.ancestor_codes)
    return name_of, report


def shown_unknown(
    unknown: Collection[str], rows: Iterable[tuple[str, Iterable[str]]], what: str = "note"
) -> str:
    """Codes as a message may name them, the first twenty, each with the first note that has it.

    Args:
        unknown: The codes.
        rows: The identifier and the codes of each note.
        what: What a row is. Defaults to `"note"`.

    Example:

    >>> shown_unknown(["QQ9", "ZZ9"], [("n1", ["QQ9"]), ("n2", ["QQ9", "ZZ9"])])
    "'QQ9' of note 'n1', 'ZZ9' of note 'n2'"
    """
    wanted = dict.fromkeys(list(unknown)[:MOST_PROBLEMS])
    found: dict[str, str] = {}
    for number, (identifier, codes) in enumerate(rows, 1):
        for code in codes:
            if code in wanted and code not in found:
                found[code] = shown_note(identifier, number, what)
        if len(found) == len(wanted):
            break
    shown = [f"{shown_code(code)} of {found[code]}" for code in wanted]
    more = len(unknown) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _check_systems(notes: Notes, code_system: CodeSystem) -> None:
    """Refuses notes that name another system: some codes are of both, with different meanings."""
    name_of = {name: code_system_name(name) for name in set(notes.code_system or ()) - {None}}
    foreign = [
        row
        for row, name in enumerate(notes.code_system or ())
        if name_of.get(name, code_system.name) != code_system.name
    ]
    if foreign:
        others = f", as have {len(foreign) - 1} others" if len(foreign) > 1 else ""
        raise InputError(
            f"{notes.source or 'notes'}: {shown_note(notes.note_id[foreign[0]], foreign[0] + 1)} has another "
            f"code_system than {code_system.name}{others}; leave such notes out, or train --joint on both systems"
        )


def _codes_of(notes: Notes, row: int) -> tuple[str, ...]:
    mentions = notes.mentions[row] if notes.mentions is not None else None
    return notes.codes[row] + tuple(code for code, _ in mentions or ())


def _spelling(code: str, ancestor: str, dotted: bool) -> str:
    key, stem = code_key(code), ancestor.partition(".")[0]
    return f"{stem}.{key[len(stem) :]}" if dotted else key
