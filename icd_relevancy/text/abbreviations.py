"""Abbreviations of clinical notes, and the table that says what they stand for."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from itertools import chain
from pathlib import Path

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import reading
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.limits import BOUND

COLUMNS = ("abbreviation", "expansion", "context", "source")
UNAMBIGUOUS = "unambiguous"
# How far from an abbreviation, in characters, the words of its context are looked for.
REACH = 80

_WORD = re.compile(r"[^\W_](?:[\w'/-]*\w)?|%")
_SENTENCE_END = re.compile(r"[.!?;]\s|\n\s*\n")
# A hyphen makes one term of what it joins: "C-spine", "post-op" and "T-cell" are left alone.
_BEFORE = re.compile(r"(?<![\w-])")
_AFTER = re.compile(r"(?!\w|-\w)")
# The full stop of an abbreviation rather than of a sentence.
_OWN_STOP = re.compile(r"\.(?=\s+[a-z])")
_PLACES = {
    "number before": lambda before, after: re.search(r"\d\s*$", before),
    "number after": lambda before, after: re.match(
        rf"\s*(?:of|is|was|at|to|should\s+be|goals?|target)?\s*(?:[:=~]?\s*{BOUND}|[:=~])?\s*\d", after
    ),
    "colon after": lambda before, after: re.match(r"\s*:", after),
}


@dataclass(frozen=True)
class Abbreviation:
    """What an abbreviation stands for, and where.

    Attributes:
        abbreviation: As written in notes. One in small letters stands for any case, unless that very spelling
            has a row of its own; one with capitals only for itself.
        expansion: What it stands for.
        context: What must stand near it, in the same sentence and within 80 characters: one of these words
            (`*` at the end for any ending), or `number before`, `number after` or `colon after`. Empty where it
            always stands for its expansion.
        source: A remark on where the row comes from.
    """

    abbreviation: str
    expansion: str
    context: tuple[str, ...] = ()
    source: str = ""

    def fits(self, before: str, after: str) -> bool:
        """Whether the context is met between these two parts of a sentence."""
        if not self.context:
            return True
        words = {word.group().lower() for part in (before, after) for word in _WORD.finditer(part)}
        return any(_is_met(wanted, words, before, after) for wanted in self.context)


def _is_met(wanted: str, words: set[str], before: str, after: str) -> bool:
    if wanted in _PLACES:
        return bool(_PLACES[wanted](before, after))
    if wanted.endswith("*"):
        return any(word.startswith(wanted[:-1]) for word in words)
    return wanted in words


@dataclass(frozen=True)
class Abbreviations:
    """A table of abbreviations; read one with `read_abbreviations`.

    Args:
        rows: What each stands for. Of several rows of one abbreviation the first whose context is met holds;
            where none is, it is left alone.

    Example:

    >>> from icd_relevancy.text import Abbreviation, Abbreviations, AlignedText
    >>> table = Abbreviations((Abbreviation("pt", "patient"),
    ...     Abbreviation("PE", "pulmonary embolism", ("chest", "lung*"))))
    >>> table.expand(AlignedText.of("Pt with PE on chest CT; PE unremarkable")).text
    'patient with pulmonary embolism on chest CT; PE unremarkable'
    """

    rows: tuple[Abbreviation, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def expand(self, text: AlignedText) -> AlignedText:
        """The text with each abbreviation expanded whose meaning is certain.

        Terms joined by a hyphen or with a digit in them (C-spine, T12) stay as they are. The full stop of an
        abbreviation goes with it, that of a sentence stays.
        """
        return text.edit(self._edits(text.text))

    def _edits(self, text: str) -> Iterator[tuple[int, int, str]]:
        done = 0
        for place in (match.start() for match in self._starts.finditer(text)):
            if place < done:
                continue
            for length in self._lengths.get(text[place].lower(), ()):
                stop = place + length
                if (row := self._row(text, place, stop)) is None:
                    continue
                dot = _OWN_STOP.match(text, stop)
                done = dot.end() if dot else stop
                glued = row.abbreviation.endswith("/") and not text[done : done + 1].isspace()
                yield place, done, row.expansion + " " * glued
                break

    def _row(self, text: str, start: int, stop: int) -> Abbreviation | None:
        written = text[start:stop]
        if stop > len(text) or (written[-1].isalnum() and not _AFTER.match(text, stop)):
            return None
        rows = self._by_spelling.get(written) or self._by_spelling.get(written.lower(), ())
        if not rows:
            return None
        before = _SENTENCE_END.split(text[max(start - REACH, 0) : start])[-1]
        after = _SENTENCE_END.split(text[stop : stop + REACH], maxsplit=1)[0]
        return next((row for row in rows if row.fits(before, after)), None)

    @cached_property
    def _by_spelling(self) -> dict[str, list[Abbreviation]]:
        rows: dict[str, list[Abbreviation]] = {}
        for row in self.rows:
            rows.setdefault(row.abbreviation, []).append(row)
        return rows

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """The lengths of the abbreviations by their first letter, longest first."""
        by_letter: dict[str, set[int]] = {}
        for row in self.rows:
            by_letter.setdefault(row.abbreviation[0].lower(), set()).add(len(row.abbreviation))
        return {letter: sorted(lengths, reverse=True) for letter, lengths in by_letter.items()}

    @cached_property
    def _starts(self) -> re.Pattern:
        letters = "".join(re.escape(letter) for letter in sorted(self._lengths))
        return re.compile(rf"{_BEFORE.pattern}(?=[{letters}])" if letters else r"(?!)", re.IGNORECASE)


def read_abbreviations(path: str | Path | None = None, extend: bool = True) -> Abbreviations:
    """Reads a table of abbreviations from a CSV file with the columns `abbreviation,expansion,context,source`.

    `context` is `unambiguous`, or what decides, separated by `|`: words one of which must stand near the
    abbreviation, each whole or with `*` at its end, `number before`, `number after`, `colon after`. `source`, a
    remark, may be left out or empty.

    Args:
        path: The file, UTF-8. Defaults to None: the table that comes with the package, some 450 rows of
            radiology, clinic and laboratory, units and British spellings.
        extend: Whether the packaged rows stay for the abbreviations that the file does not have; False for the
            file alone. Defaults to True.

    Returns:
        `Abbreviations`.

    Raises:
        InputError: If the file is missing or is no such table; names the row (1 for the first).

    Example:

    >>> from pathlib import Path
    >>> from icd_relevancy.text import AlignedText, read_abbreviations
    >>> _ = Path("results/ours.csv").write_text(
    ...     "abbreviation,expansion,context\\nWVH,West Valley Hospital,unambiguous\\nMS,morphine,mg|dose*\\n")
    >>> read_abbreviations("results/ours.csv").expand(AlignedText.of("Pt from WVH, MS 2 mg")).text
    'patient from West Valley Hospital, morphine 2 milligrams'
    """
    packaged = _read(files(__package__) / "abbreviations.csv", "abbreviations.csv")
    if path is None:
        return packaged
    own = _read(Path(path), str(path))
    if not extend:
        return own
    named = {row.abbreviation for row in own.rows}
    return Abbreviations(own.rows + tuple(row for row in packaged.rows if row.abbreviation not in named))


def _read(file, name: str) -> Abbreviations:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except OSError:
        raise InputError(f"{name}: no such file; expected a CSV file of abbreviations") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    with reading(name, "a CSV file of abbreviations"):
        # An empty file has a reader too.
        reader = csv.DictReader(io.StringIO(content, newline=""))
        names, rows = reader.fieldnames or (), list(reader)
    missing = [column for column in COLUMNS[:3] if column not in names]
    unknown = [column for column in names if column not in COLUMNS]
    if missing or unknown:
        problem = f"no column {missing[0]!r}" if missing else f"unknown column {shown_word(unknown[0])}"
        raise InputError(f"{name}: {problem}; the columns are {','.join(COLUMNS)}")
    return abbreviations_from_rows(rows, name)


def abbreviations_from_rows(rows: Iterable[dict], name: str) -> Abbreviations:
    """A table from rows of cells by column; raises `InputError` that names `name` and the row at fault."""
    by_spelling: dict[str, list[tuple[int, Abbreviation]]] = {}
    for number, cells in enumerate(rows, 1):
        row = _checked(cells, f"{name}: row {number}")
        others = by_spelling.setdefault(row.abbreviation, [])
        others.append((number, row))
        if len(others) > 1 and not all(other.context for _, other in others):
            raise InputError(
                f"{name}: row {number}: {shown_word(row.abbreviation)} has another meaning in row {others[0][0]}; "
                "give both a context"
            )
    return Abbreviations(tuple(row for _, row in sorted(chain.from_iterable(by_spelling.values()))))


def _checked(cells: dict, place: str) -> Abbreviation:
    if None in cells or None in cells.values():
        raise InputError(f"{place}: not as many cells as columns; quote a cell that holds a comma")
    cells = {column: " ".join(cells.get(column, "").split()) for column in COLUMNS}
    for column in COLUMNS[:3]:
        if not cells[column]:
            raise InputError(f"{place}: no {column}; {_ADVICE[column]}")
    context = tuple(word.strip() for word in cells["context"].lower().split("|"))
    if "" in context or (UNAMBIGUOUS in context and len(context) > 1):
        raise InputError(f"{place}: the context is {UNAMBIGUOUS!r} alone or words separated by '|'")
    if unreadable := [word for word in context if word not in _PLACES and not _CONTEXT_WORD.fullmatch(word)]:
        raise InputError(
            f"{place}: the context {shown_word(unreadable[0])} is not one word, with or without '*' at its end, "
            f"nor one of {', '.join(_PLACES)}"
        )
    return Abbreviation(
        cells["abbreviation"],
        cells["expansion"],
        () if context == (UNAMBIGUOUS,) else context,
        cells["source"],
    )


_ADVICE = {
    "abbreviation": "fill it in or remove the row",
    "expansion": "write what it stands for, or remove the row",
    "context": f"write {UNAMBIGUOUS!r}, or words one of which must stand near it",
}
_CONTEXT_WORD = re.compile(r"%|[^\W_](?:[\w'/-]*\w)?\*?")
