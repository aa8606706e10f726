"""The features of a code as a short text."""

import re

from icd_relevancy.codes.feature import Feature
from icd_relevancy.codes.system import CodeSystem

MOST_WORDS = 80
MOST_TITLE_WORDS = 30
RANGE = re.compile(r"\s*\([A-Z0-9]{3,4}(-[A-Z0-9]{3,4})?\)$")
ORDINAL_WORDS = {
    "polarity": {-1.0: "too little", 1.0: "too much"},
    "degree": {1.0: "mild", 2.0: "moderate", 3.0: "severe"},
    "trimester": {1.0: "first", 2.0: "second", 3.0: "third"},
}


def feature_words(
    system: CodeSystem, code: str, features: tuple[Feature, ...], values: tuple[object, ...]
) -> str:
    """A code in words: title, features that are set, category, block and chapter.

    Args:
        system: the code system.
        code: one of its codes.
        features: the features.
        values: the code's value of each feature.

    Returns:
        Sentences of at most 80 words together; where there is more to say, the last features are left out.
    """
    title = " ".join(RANGE.sub("", system.title(code)).split()[:MOST_TITLE_WORDS])
    place = _place(system, code, title)
    room = MOST_WORDS - len(f"{title} {place}".split())
    said = []
    for feature, value in zip(features, values, strict=True):
        phrase = _phrase(feature, value)
        if phrase and len(phrase.split()) <= room:
            said.append(phrase)
            room -= len(phrase.split())
    return ". ".join(part for part in (title, *said, place) if part)


def _phrase(feature: Feature, value: object) -> str:
    # Positions, counts and category numbers mean nothing to a language model; texts are the title again.
    if feature.group in ("descriptor", "hierarchy") or feature.name == "clinical_category":
        return ""
    name = feature.name.replace("_", " ").capitalize()
    if feature.kind == "boolean":
        return name if value else ""
    if feature.kind == "multiple":
        return f"{name}: {', '.join(value)}" if value else ""
    if feature.kind == "ordinal":
        words = ORDINAL_WORDS.get(feature.name)
        if words is not None:
            return f"{name}: {words[value]}" if value in words else ""
        return f"{name}: {value:g}" if value == value else ""
    return f"{name}: {value}" if isinstance(value, str) and value else ""


def _place(system: CodeSystem, code: str, title: str) -> str:
    """The groups that a code lies in, outermost first, without the titles that repeat themselves."""
    said, known = [], {title.lower()}
    room = MOST_WORDS // 2
    for above in reversed(system.ancestors(code)):
        if system.category_level and system.level(above) > system.category_level:
            continue
        words = RANGE.sub("", system.title(above))
        if words.lower() not in known and len(words.split()) <= room:
            known.add(words.lower())
            said.append(words)
            room -= len(words.split())
    return "; ".join(said)
