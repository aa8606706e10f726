"""One spelling for each code."""

from dataclasses import replace
from itertools import chain

from icd_relevancy.codes import CodeSystem
from icd_relevancy.codes.system import NormalisationReport
from icd_relevancy.data.notes import Notes
from icd_relevancy.errors import InputError, shown_code, shown_note


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
            note is another; names the first.

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
    canonical, report = code_system.normalise_all(distinct, groups=False)
    if report.unknown_codes:
        first = report.unknown_codes[0]
        row = next(row for row in range(len(notes)) if first in _codes_of(notes, row))
        raise InputError(
            f"{notes.source or 'notes'}: {len(report.unknown_codes)} codes are not {code_system.name}, first "
            f"{shown_code(first)} of {shown_note(notes.note_id[row], row + 1)}; correct them or choose another "
            "--code-system"
        )
    name_of = dict(zip(distinct, canonical, strict=True))
    dotted = any("." in code for code in code_system.codes)
    name_of.update((code, _spelling(code, ancestor, dotted)) for code, ancestor in report.ancestor_codes)
    codes = tuple(tuple(dict.fromkeys(name_of[code] for code in row)) for row in notes.codes)
    if notes.mentions is not None:
        mentions = tuple(
            None if row is None else tuple((name_of[code], text) for code, text in row) for row in mentions
        )
        notes = replace(notes, mentions=mentions)
    return replace(notes, codes=codes), report


def _check_systems(notes: Notes, code_system: CodeSystem) -> None:
    """Refuses notes that name another system: some codes are of both, with different meanings."""
    for row, name in enumerate(notes.code_system or ()):
        if name not in (None, code_system.name):
            raise InputError(
                f"{notes.source or 'notes'}: {shown_note(notes.note_id[row], row + 1)} has another code_system than "
                f"{code_system.name}; leave such notes out, or train --joint on both systems"
            )


def _codes_of(notes: Notes, row: int) -> tuple[str, ...]:
    mentions = notes.mentions[row] if notes.mentions is not None else None
    return notes.codes[row] + tuple(code for code, _ in mentions or ())


def _spelling(code: str, ancestor: str, dotted: bool) -> str:
    key, stem = "".join(code.upper().replace(".", "").split()), ancestor.partition(".")[0]
    return f"{stem}.{key[len(stem) :]}" if dotted else key
