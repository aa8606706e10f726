"""Preparation of the text of notes, aligned with the original, their words, and a lexicon of what names a code."""

from icd_relevancy.text.abbreviations import Abbreviation, Abbreviations, read_abbreviations
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.assertion.tagger import NegationTagger
from icd_relevancy.text.cleaning import Cleaning, clean
from icd_relevancy.text.lexicon.carried_labels import CarriedLabels
from icd_relevancy.text.lexicon.lexicon import Lexicon
from icd_relevancy.text.preparation import TextPreparation
from icd_relevancy.text.unify import unify_terms
from icd_relevancy.text.words import WordTokenizer

__all__ = [
    "Abbreviation",
    "Abbreviations",
    "AlignedText",
    "CarriedLabels",
    "Cleaning",
    "Lexicon",
    "NegationTagger",
    "TextPreparation",
    "WordTokenizer",
    "clean",
    "read_abbreviations",
    "unify_terms",
]
