"""Why a model gives a note its codes: the words that count, by LIME, attention or a lexicon, and a page to read."""

from icd_relevancy.explain.explanation import CategoryExplanation, CodeExplanation, Explanation
from icd_relevancy.explain.lime import lime_explanation
from icd_relevancy.explain.page import write_page
from icd_relevancy.explain.words import attention_explanation, lexicon_explanation

__all__ = [
    "CategoryExplanation",
    "CodeExplanation",
    "Explanation",
    "attention_explanation",
    "lexicon_explanation",
    "lime_explanation",
    "write_page",
]
