"""Rules that give codes features, by where a code stands and what its title affirms; `rules.yaml` holds them."""

import re
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from icd_relevancy.codes.system import CodeSystem
from icd_relevancy.files.packaged import packaged_yaml

# A negation reaches over "or" and "and", up to a mark, to what the title affirms, or to what the whole title
# is about ("without foreign body of penis", "without perforation in pregnancy").
_END = (
    r"(?=\s*(?:[,;()\[\]]|$)|\s(?:and |but )?(?:with|without)\b"
    r"|\s(?:of|in|due|following|during|for|by|at|affecting|complicating)\b)"
)
_RULED_OUT = re.compile(
    "|".join(
        (
            r"\b(?:with or )?without\b(?: (?:mention|evidence|diagnosis|lesion|loss|signs?|specification) of)?"
            rf".*?{_END}",
            r"\b(?:not |un)specified (?:as|whether|if)\b(?! the\b)(?: to)?(?: with)?\b(?:(?: \w+,)+ or)?"
            rf".*?{_END}",
            rf"\bnot (?:having achieved|stated as|due to|from|resulting in|including|intractable)\b.*?{_END}",
            rf"\b(?:except(?: for)?|excluding|other than)\b.*?{_END}",
            r"\bsuspected\b[^,;]*?\b(?:ruled out|not found)\b",
            r"\bnon-\w+",
        )
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rule:
    """Which codes have a feature, or one value of it; `rules.yaml` says what the fields mean."""

    description: str = ""
    value: str = ""
    icd10: str = ""
    icd9: str = ""
    title: str = ""
    unless: str = ""
    within10: str = ""
    within9: str = ""
    not10: str = ""
    not9: str = ""
    inherited: bool = False
    as_written: bool = False


@dataclass(frozen=True)
class ValueRules:
    """A feature that takes one of several values: that of the first rule that holds."""

    description: str
    kind: str
    words: dict[float, str]
    rules: tuple[Rule, ...]


@cache
def boolean_rules(group: str) -> dict[str, Rule]:
    """The rules of a group of yes-or-no features: `"usage"`, `"severity"` or `"procedure"`."""
    return {name: _rule(fields) for name, fields in _table()[group].items()}


@cache
def value_rules() -> dict[str, ValueRules]:
    """The features that take one of several values."""
    return {name: _value_rules(**fields) for name, fields in _table()["values"].items()}


def _table() -> dict:
    return packaged_yaml(__package__, "rules.yaml")


def _value_rules(
    description: str, kind: str, rules: list[dict], words: dict | None = None, **common
) -> ValueRules:
    named = {float(value): word for value, word in (words or {}).items()}
    return ValueRules(description, kind, named, tuple(_rule({**common, **fields}) for fields in rules))


def _rule(fields: dict[str, str]) -> Rule:
    flags = {name: fields.get(name) == "true" for name in ("inherited", "as_written")}
    return Rule(**{name: text.replace("\n", "") for name, text in fields.items()} | flags)


def affirmed(title: str) -> str:
    """A title without what it rules out or leaves open ("without …", "not specified as …", "non-…")."""
    return " ".join(_RULED_OUT.sub(" ", title).split()).rstrip(" ,")


class CodeMatcher:
    """Finds codes of one edition of ICD by place or title; `above` is what the titles above each code affirm."""

    def __init__(self, codes: tuple[str, ...], titles: tuple[str, ...], above: tuple[str, ...], edition: int):
        self.codes = codes
        self.titles = pa.array(titles)
        self.affirmed = pa.array([affirmed(title) for title in titles])
        self.titles_above = pa.array(above)
        self.edition = edition

    @classmethod
    def from_leaves(cls, system: CodeSystem, edition: int) -> "CodeMatcher":
        """A matcher of the codes of a system that have no codes below them."""
        leaves = system.leaves
        titles = tuple(system.titles[code] for code in leaves)
        above = tuple(
            " / ".join(affirmed(system.titles[code]) for code in system.paths[leaf][system.category_level :])
            for leaf in leaves
        )
        return cls(leaves, titles, above, edition)

    @cached_property
    def _categories(self) -> np.ndarray:
        return np.array([code.partition(".")[0] for code in self.codes], dtype=str)

    @cached_property
    def _distinct_categories(self) -> np.ndarray:
        return np.unique(self._categories)

    def titled(self, pattern: str, inherited: bool = False, as_written: bool = False) -> np.ndarray:
        """Which codes have a title that matches a regular expression, in any case."""
        titles = self.titles if as_written else self.titles_above if inherited else self.affirmed
        return pc.match_substring_regex(titles, pattern, ignore_case=True).to_numpy(zero_copy_only=False)

    def within(self, places: str) -> np.ndarray:
        """Which codes lie in one of the places, which blanks separate."""
        categories: set[str] = set()
        starts: list[str] = []
        for place in places.split():
            first, _, last = place.partition("-")
            if last:
                names = self._distinct_categories
                categories.update(name for name in names if len(name) == len(first) and first <= name <= last)
            elif re.fullmatch(r"E\d{3}|[^.]{3}", place):
                categories.add(place)
            else:
                starts.append(place)
        inside = np.isin(self._categories, list(categories))
        if starts:
            prefixes = tuple(starts)
            inside |= np.fromiter((code.startswith(prefixes) for code in self.codes), bool)
        return inside

    def matching(self, rule: Rule) -> np.ndarray:
        """Which codes a rule holds for."""
        places, scope, excluded = (
            getattr(rule, f"{name}{self.edition}") for name in ("icd", "within", "not")
        )
        holds = self.within(places)
        if rule.title:
            titled = self.titled(rule.title, rule.inherited, rule.as_written)
            if scope:
                titled = titled & self.within(scope)
            if rule.unless:
                titled = titled & ~self.titled(rule.unless, as_written=rule.as_written)
            holds = holds | titled
        return holds & ~self.within(excluded) if excluded else holds
