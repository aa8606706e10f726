"""Unified terms: one way of writing for what notes write in many."""

from functools import cache

from icd_relevancy.text.abbreviations import Abbreviations, read_abbreviations
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.periods import unify_periods
from icd_relevancy.text.values import categorise_values


def unify_terms(text: AlignedText, abbreviations: Abbreviations | None = None) -> AlignedText:
    """Abbreviations expanded, dates and ages as periods, values as categories, in the spirit of UTP (LOSSES §4.1).

    The case of letters, terms with digits (T12, B12, L5-S1) and terms joined by hyphens (C-spine, x-ray) are kept.

    Args:
        text: The text.
        abbreviations: The table. Defaults to None: the one that comes with the package.

    Returns:
        The unified text, aligned with the same original.

    Example:

    >>> from icd_relevancy.text import AlignedText, unify_terms
    >>> unify_terms(AlignedText.of("3 y/o w/ cough x 3 days, T 102.4, BP 95/60. R/o PNA; C-spine x-ray.")).text
    'child with cough x days, temperature high, blood pressure normal. rule out pneumonia; C-spine x-ray.'
    """
    # Values come last, as they are known by the expanded names of investigations.
    table = packaged_abbreviations() if abbreviations is None else abbreviations
    return categorise_values(table.expand(unify_periods(text)))


@cache
def packaged_abbreviations() -> Abbreviations:
    """The table that comes with the package, read once."""
    return read_abbreviations()
