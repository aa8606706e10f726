"""A code system: the codes, their titles and their place in the hierarchy."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from icd_relevancy.errors import InputError, shown_code, shown_word

PACKAGED_SYSTEMS = ("icd10cm", "icd9cm")
_SHORTEST_FALLBACK = 3
_SHOWN_IN_CIRCLE = 5
# In any edition of ICD; a table may end at the category, so its own longest code is no bound.
_LONGEST_CODE = 7
# What another edition adds to a code: at most two characters, such as a finer digit and an encounter letter.
_EDITION_EXTENSION = re.compile(r"[0-9]{0,2}|[0-9]?[A-Z]")
_SYSTEM = re.compile(r"(?:icd)?[\s_-]{0,3}0?(9|10)[\s_-]{0,3}(?:cm|\.0)?", re.IGNORECASE)
# What stands before a code (`ICD-10-CM: E11.9`) and after it: dagger and asterisk, and the dash of `J44.-`.
_PREFIX = re.compile(r"\s*(ICD[\s_-]{0,3}(?:9|10)(?:[\s_-]{0,3}[A-Z]{2})?)\s{0,3}:", re.IGNORECASE)
_MARKS, _DASHES = "*+!\u2020\u2021", "-\u2010\u2011\u2012\u2013\u2014\u2015"
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


def code_system_name(name: object) -> str:
    """The name of a packaged code system, however it is spelt; any other name as it is.

    Args:
        name: Such as `"ICD-10-CM"`, `"icd 10"`, `"10"`, `10` or `10.0`; a name or the path of a table.

    Returns:
        `"icd10cm"`, `"icd9cm"`, or the text of `name` without white space around it.

    Example:
        >>> from icd_relevancy.codes import code_system_name
        >>> code_system_name("ICD-10-CM"), code_system_name("9"), code_system_name("icd10gm")
        ('icd10cm', 'icd9cm', 'icd10gm')
    """
    text = str(name).strip()
    spelling = _SYSTEM.fullmatch(text)
    return f"icd{spelling[1]}cm" if spelling else text


@dataclass(frozen=True)
class NormalisationReport:
    """What `CodeSystem.normalise_all` did to a column of codes.

    Attributes:
        exact: number of texts that were canonical codes already.
        reformatted: number of texts that only differed in case, white space, dots or a trailing `x`
            placeholder.
        to_ancestor: number of texts replaced by their nearest known ancestor.
        unknown: number of texts without even a known category.
        reformatted_codes: distinct `(text, code)` pairs behind `reformatted`, in order of appearance.
        ancestor_codes: distinct `(text, code)` pairs behind `to_ancestor`, in order of appearance.
        unknown_codes: distinct texts behind `unknown`, in order of appearance.
    """

    exact: int
    reformatted: int
    to_ancestor: int
    unknown: int
    reformatted_codes: tuple[tuple[str, str], ...]
    ancestor_codes: tuple[tuple[str, str], ...]
    unknown_codes: tuple[str, ...]

    @property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """Distinct `(text, code)` pairs whose text was not the canonical code."""
        return self.reformatted_codes + self.ancestor_codes


@dataclass(frozen=True, eq=False)
class CodeSystem:
    """A frozen hierarchy of codes with titles: every chapter, block, category and code is a node.

    Non-leaf nodes are valid codes: notes are often labelled with a category, or with a code that a later
    edition subdivided.

    Args:
        name: name of the system, such as `"icd10cm"`.
        codes: every node, parents before their children (hierarchy order).
        titles: title of each node.
        parents: parent of each node; None for a top node.
        terms: inclusion terms of the nodes that have some. Defaults to none.
        notes: "includes" notes of the nodes that have some. Defaults to none.
        category_level: level of the categories; the nodes above it (chapters, blocks) only group codes and
            are no codes of notes. Defaults to 0: every node is a code.

    Raises:
        InputError: a parent is no code of the system, or the parents lead round in a circle.

    Example:
        >>> from icd_relevancy.codes import CodeSystem
        >>> system = CodeSystem("toy", ("J", "J18", "J18.9"), {"J": "Respiratory", "J18": "Pneumonia",
        ...     "J18.9": "Pneumonia, unspecified"}, {"J": None, "J18": "J", "J18.9": "J18"})
        >>> system.ancestors("J18.9")
        ('J18', 'J')
        >>> system.normalise("j189")
        'J18.9'
    """

    name: str
    codes: tuple[str, ...]
    titles: Mapping[str, str] = field(repr=False)
    parents: Mapping[str, str | None] = field(repr=False)
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    category_level: int = 0

    def __post_init__(self):
        needed = dict.fromkeys((*self.codes, *self.parents.values()))
        lacking = next((code for code in needed if code is not None and code not in self.parents), None)
        if lacking is not None:
            raise InputError(
                f"code system {self.name}: {shown_code(lacking)} is no code of it, but the parent of one; add it"
            )
        if ring := circle(self.parents, self.codes):
            raise InputError(
                f"code system {self.name}: the parents lead round in a circle, {ring[1]}; correct one of them"
            )

    def __repr__(self) -> str:
        return f"CodeSystem({self.name!r}, {len(self.codes)} codes)"

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, code: object) -> bool:
        return code in self.parents

    @cached_property
    def paths(self) -> dict[str, tuple[str, ...]]:
        """The codes from the top of the system down to each code, itself included."""
        paths: dict[str, tuple[str, ...]] = {}
        for code in self.codes:
            paths[code] = (*(paths.get(self.parents[code]) or self.ancestors(code)[::-1]), code)
        return paths

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The codes without children, in hierarchy order; a block without categories is none."""
        return tuple(
            code
            for code in self.codes
            if not self._children.get(code) and self.level(code) >= self.category_level
        )

    def title(self, code: str) -> str:
        """Title of a code. Raises `InputError` where the code is unknown."""
        return self.titles[self._known(code)]

    def parent(self, code: str) -> str | None:
        """Parent of a code, None at the top. Raises `InputError` where the code is unknown."""
        return self.parents[self._known(code)]

    def children(self, code: str) -> tuple[str, ...]:
        """Direct children of a code, in hierarchy order. Raises `InputError` where the code is unknown."""
        return self._children.get(self._known(code), ())

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Ancestors of a code, nearest first. Raises `InputError` where the code is unknown."""
        above = []
        parent = self.parent(code)
        while parent is not None:
            above.append(parent)
            parent = self.parents[parent]
        return tuple(above)

    def descendants(self, code: str) -> tuple[str, ...]:
        """All nodes below a code, in hierarchy order. Raises `InputError` where the code is unknown."""
        return depth_first(self._children, self.children(code))

    def level(self, code: str) -> int:
        """Depth of a code: 0 at the top (a chapter), 1 below it. Raises `InputError` where unknown."""
        return len(self.ancestors(code))

    def inclusion_terms(self, code: str) -> tuple[str, ...]:
        """Inclusion terms listed under a code; empty where the source has none. Raises `InputError`."""
        return self.terms.get(self._known(code), ())

    def includes(self, code: str) -> tuple[str, ...]:
        """ "Includes" notes of a code; empty where the source has none. Raises `InputError` where unknown."""
        return self.notes.get(self._known(code), ())

    def normalise(self, text: str) -> str | None:
        """The canonical code that a text stands for.

        White space, case, missing or surplus dots, the trailing `x` placeholder of the Spanish edition, the name of
        this system before the code (`ICD-10-CM: E11.9`) and, after it, a dagger (`E11.4+`), an asterisk (`G63.2*`)
        or the dash of a category (`J44.-`) do not matter. A single dot in the wrong place makes another code, so it
        is not moved (`38.9` is not 389). An unknown code falls back to its nearest ancestor: characters are dropped
        from its end, down to three, until a node is found. Editions differ by little, so what is dropped must be
        one or two digits, a letter, or a digit and a letter, not counting `x` placeholders, and the code, without
        them, no longer than seven characters (or the longest of the system): `J18.99` stands for J18.9, but
        `J18.9;I10`, `J18garbage` and `R69999` stand for nothing.

        Args:
            text: a code as written in a data set.

        Returns:
            A code of this system, or None where not even a category is found.

        Raises:
            InputError: `text` is not text; codes read as numbers have lost their leading zeros.

        Example:
            >>> from icd_relevancy.codes import icd9cm
            >>> icd9cm().normalise("4280")
            '428.0'
        """
        if not isinstance(text, str):
            raise _not_text("the code", text)
        return self._resolve(text)[0]

    def normalise_all(
        self, texts: Iterable[str], groups: bool = True
    ) -> tuple[list[str | None], NormalisationReport]:
        """Normalises a column of codes and says what was changed.

        Args:
            texts: codes as written in a data set.
            groups: whether the nodes above the categories (chapters, blocks) are known; False for the codes
                of notes, where a bare `4` is an error rather than chapter 4. Defaults to True.

        Returns:
            The canonical codes (None where unknown) in the order given, and a `NormalisationReport`.

        Raises:
            InputError: an entry is not text; codes read as numbers have lost their leading zeros.

        Example:
            >>> from icd_relevancy.codes import icd9cm
            >>> codes, report = icd9cm().normalise_all(["428.0", "4280", "nothing"])
            >>> codes, report.exact, report.reformatted, report.unknown_codes
            (['428.0', '428.0', None], 1, 1, ('nothing',))
        """
        resolved: list[str | None] = []
        counts = dict.fromkeys(("exact", "reformatted", "to_ancestor", "unknown"), 0)
        distinct: dict[str, dict[str, str | None]] = {status: {} for status in counts}
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise _not_text(f"code {row + 1}", text)
            code, status = self._resolve(text)
            if code is not None and not groups and self.level(code) < self.category_level:
                code, status = None, "unknown"
            resolved.append(code)
            counts[status] += 1
            distinct[status][text] = code
        return resolved, NormalisationReport(
            **counts,
            reformatted_codes=tuple(distinct["reformatted"].items()),
            ancestor_codes=tuple(distinct["to_ancestor"].items()),
            unknown_codes=tuple(distinct["unknown"]),
        )

    def _resolve(self, text: str) -> tuple[str | None, str]:
        if text in self.parents:
            return text, "exact"
        if self._names_another(text):
            return None, "unknown"
        text, has_dash = _bare(text)
        key = _key(text)
        # A dash stands for the codes below this one; after a whole code it is half of a range.
        if has_dash and not (text.endswith(".") or self._children.get(self._by_key.get(key))):
            return None, "unknown"
        stem = self._stem(text)
        for length in range(min(len(key), self._longest_key), min(len(key), _SHORTEST_FALLBACK) - 1, -1):
            code = self._by_key.get(key[:length])
            if code is None or stem not in (None, len(code.partition(".")[0])):
                continue
            dropped = key[length:].replace("X", "")
            if not dropped:
                return code, "reformatted"
            fits = len(key.replace("X", "")) <= self._longest
            return (
                (code, "to_ancestor") if fits and _EDITION_EXTENSION.fullmatch(dropped) else (None, "unknown")
            )
        return None, "unknown"

    def _names_another(self, text: str) -> bool:
        """Whether another system stands before the code; a table of one's own may be of any edition."""
        prefix = _PREFIX.match(unicodedata.normalize("NFKC", text))
        return bool(prefix) and self.name in PACKAGED_SYSTEMS and code_system_name(prefix[1]) != self.name

    def _stem(self, text: str) -> int | None:
        """Number of characters before the one dot of a text, where this system's codes have dots.

        The place of the dot tells `38.9` (a procedure, or 038.9 read as a number) from 389, and the ICD-10
        code `E84.9` from the ICD-9 code E849.
        """
        stem, *rest = "".join(text.split()).strip(".").split(".")
        return len(stem) if self._dotted and len(rest) == 1 else None

    def _known(self, code: str) -> str:
        if code not in self.parents:
            raise InputError(
                f"{shown_code(code)} is not a code of {self.name}: pass it through normalise() first"
            )
        return code

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        below = children(self.parents, self.codes)
        return {parent: tuple(codes) for parent, codes in below.items() if parent is not None}

    @cached_property
    def _dotted(self) -> bool:
        return any("." in code for code in self.codes)

    @cached_property
    def _longest(self) -> int:
        return max(_LONGEST_CODE, *(len(key) for key in map(_key, self.codes) if key.isalnum()), 0)

    @cached_property
    def _longest_key(self) -> int:
        return max(map(len, self._by_key), default=0)

    @cached_property
    def _by_key(self) -> dict[str, str]:
        keys = list(map(_key, self.codes))
        shared = {key for key, count in Counter(keys).items() if count > 1}
        return {key: code for key, code in zip(keys, self.codes, strict=True) if key not in shared}


def children(
    parents: Mapping[str, str | None], codes: Iterable[str] | None = None
) -> dict[str | None, list[str]]:
    """The codes directly below each code, and the top codes below None, in the order of the codes."""
    below: dict[str | None, list[str]] = {}
    for code in parents if codes is None else codes:
        below.setdefault(parents[code], []).append(code)
    return below


def depth_first(below: Mapping[str | None, Sequence[str]], first: Iterable[str] = ()) -> tuple[str, ...]:
    """Some codes and all that lie below them, every parent before its children."""
    ordered: list[str] = []
    pending = list(first)[::-1]
    while pending:
        ordered.append(pending.pop())
        pending.extend(below.get(ordered[-1], ())[::-1])
    return tuple(ordered)


def circle(parents: Mapping[str, str | None], codes: Iterable[str]) -> tuple[str, str] | None:
    """The first of some codes whose parents lead round in a circle, and the circle as a message may show it."""
    checked: set[str | None] = {None}
    for code in codes:
        way: dict[str, None] = {}
        above = code
        while above not in checked:
            if above in way:
                ring = list(way)[list(way).index(above) :]
                shown = [*map(shown_code, ring[:_SHOWN_IN_CIRCLE]), *["..."] * (len(ring) > _SHOWN_IN_CIRCLE)]
                return code, " -> ".join([*shown, shown_code(above)])
            way[above], above = None, parents[above]
        checked.update(way)
    return None


def _not_text(what: str, value: object) -> InputError:
    # A number helps to find it; anything else could hold words of a note.
    is_number = isinstance(value, (int, float))
    shown = f"{shown_word(value)} ({type(value).__name__})" if is_number else type(value).__name__
    return InputError(f"{what} is {shown}, not text: read the codes as text")


def _bare(text: str) -> tuple[str, bool]:
    """A code without what is written around it, and whether a dash stood after it."""
    text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    prefix = _PREFIX.match(text)
    text = text[prefix.end() if prefix else 0 :].rstrip().rstrip(_MARKS).rstrip()
    bare = text.rstrip(_DASHES)
    return bare, bare != text


def code_key(text: str) -> str:
    """A code in capitals without dots, white space and what is written around it (`ICD-10-CM: e11.4+` is E114)."""
    return _key(_bare(text)[0])


def _key(text: str) -> str:
    return "".join(text.upper().replace(".", "").split())
