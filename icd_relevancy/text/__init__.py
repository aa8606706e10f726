"""Preparation of the text of notes: unified terms, marked negation, cleaning, each aligned with the original; words."""

from icd_relevancy.text.abbreviations import Abbreviation, Abbreviations, read_abbreviations
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.cleaning import Cleaning, clean
from icd_relevancy.text.negation import NegationTagger
from icd_relevancy.text.preparation import TextPreparation
from icd_relevancy.text.terms import unify_terms
from icd_relevancy.text.words import WordTokenizer

__all__ = [
    "Abbreviation",
    "Abbreviations",
    "AlignedText",
    "Cleaning",
    "NegationTagger",
    "TextPreparation",
    "WordTokenizer",
    "clean",
    "read_abbreviations",
    "unify_terms",
]
