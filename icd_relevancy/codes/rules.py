"""Rules that give codes a yes-or-no feature, by where a code stands and what its title says."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from icd_relevancy.codes.leaf_values import code_paths
from icd_relevancy.codes.negation import affirmed
from icd_relevancy.codes.system import CodeSystem


@dataclass(frozen=True)
class Rule:
    """A yes-or-no feature of ICD codes.

    A code has the feature where it lies in one of the places of its edition, or its title matches `title` and
    not `unless`. A code in one of the `not` places never has it.

    Args:
        name: name of the feature.
        group: group of the feature, as in `Feature`.
        description: what the feature says and why the rule is right.
        icd10: places in ICD-10-CM, separated by spaces: a category, a longer code that stands for all codes
            below it, or a range of categories (`"N40-N53"`). Defaults to none.
        icd9: the same in ICD-9-CM.
        title: regular expression searched in what the title affirms (`negation.affirmed`), in any case.
            Defaults to none.
        within10: places in ICD-10-CM outside which `title` says nothing. Defaults to everywhere.
        within9: the same in ICD-9-CM.
        unless: regular expression that the title must not match for `title` to count.
        not10: places in ICD-10-CM that never have the feature.
        not9: the same in ICD-9-CM.
        inherited: whether `title` is searched in the titles of the code's category and subcategories as well.
            Defaults to False.
        as_written: whether `title` and `unless` are searched in the whole title, for features that are about
            what is ruled out or left open. Defaults to False.
    """

    name: str
    group: str
    description: str
    icd10: str = ""
    icd9: str = ""
    title: str = ""
    within10: str = ""
    within9: str = ""
    unless: str = ""
    not10: str = ""
    not9: str = ""
    inherited: bool = False
    as_written: bool = False


class CodeMatcher:
    """Finds the codes of a list that lie in a place or whose title matches.

    Args:
        codes: codes of one ICD system.
        titles: their titles.
        above: what the titles of the categories and subcategories that each code lies in affirm, one text a
            code.
        edition: 9 or 10.
    """

    def __init__(self, codes: tuple[str, ...], titles: tuple[str, ...], above: tuple[str, ...], edition: int):
        self.codes = codes
        self.titles = pa.array(titles)
        self.affirmed = pa.array([affirmed(title) for title in titles])
        self.titles_above = pa.array(above)
        self.edition = edition

    @classmethod
    def of_leaves(cls, system: CodeSystem, edition: int) -> "CodeMatcher":
        """A matcher of the codes of a system that have no codes below them."""
        leaves = system.leaves
        titles = tuple(system.titles[code] for code in leaves)
        paths = code_paths(system)
        above = tuple(
            " / ".join(affirmed(system.titles[code]) for code in paths[leaf][system.category_level :])
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
        """Which codes have a title that matches a regular expression, in any case, as in `Rule`."""
        titles = self.titles if as_written else self.titles_above if inherited else self.affirmed
        return pc.match_substring_regex(titles, pattern, ignore_case=True).to_numpy(zero_copy_only=False)

    def within(self, places: str) -> np.ndarray:
        """Which codes lie in one of the places, written as in `Rule`."""
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
        found = np.isin(self._categories, list(categories))
        if starts:
            prefixes = tuple(starts)
            found |= np.fromiter((code.startswith(prefixes) for code in self.codes), bool)
        return found

    def matching(self, rule: Rule) -> np.ndarray:
        """Which codes have the feature of a rule."""
        ten = self.edition == 10
        found = self.within(rule.icd10 if ten else rule.icd9)
        if rule.title:
            titled = self.titled(rule.title, rule.inherited, rule.as_written)
            if scope := (rule.within10 if ten else rule.within9):
                titled = titled & self.within(scope)
            if rule.unless:
                titled = titled & ~self.titled(rule.unless, as_written=rule.as_written)
            found = found | titled
        if excluded := (rule.not10 if ten else rule.not9):
            found = found & ~self.within(excluded)
        return found
