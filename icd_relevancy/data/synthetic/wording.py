"""The ways a clinician writes one code: title, inclusion terms, abbreviations, paraphrases."""

import re
from dataclasses import dataclass
from functools import cache

from icd_relevancy.codes import CodeSystem
from icd_relevancy.files.packaged import packaged_yaml

VARIANTS = 14
_ENCOUNTER = re.compile(r",? (initial|subsequent) encounter.*$|,? sequela$")
_ASIDE = re.compile(r" ?\[[^]]*\]| ?\([^)]*\)|,? ?not elsewhere classified|,? ?so stated|,? ?not applicable")
_UNSPECIFIED_TAIL = re.compile(
    r",? unspecified( (as to|organism|site|type|cause|nature|eye|ear|side|degree|severity|trimester|"
    r"stage|whether)"
    r"[^,]*)?(?=,|$)|,? not specified as [^,]*|,? type unspecified|\bNOS\b|,? of unspecified [^,]*$",
    re.IGNORECASE,
)
_UNSPECIFIED_WORD = re.compile(r"\b(unspecified|undetermined) ", re.IGNORECASE)
_OTHER = re.compile(r"^(other specified|other) ", re.IGNORECASE)
_OTHER_TAIL = re.compile(r", other( specified)?$", re.IGNORECASE)
_REORDER = (
    (re.compile(r"^malignant neoplasm of (?:the )?(.+)$"), ("{0} cancer", "ca {0}", "malignancy of {0}")),
    (re.compile(r"^benign neoplasm of (.+)$"), ("benign {0} tumour", "benign growth of {0}")),
    (re.compile(r"^pain in (.+)$"), ("{0} pain", "painful {0}")),
    (re.compile(r"^(?:presence|history) of (.+)$"), ("s/p {0}", "{0} in situ")),
    (re.compile(r"^laceration without foreign body of (.+)$"), ("{0} laceration, no FB", "cut to {0}")),
    (
        re.compile(r"^(contusion|sprain|fracture|abscess|cellulitis|stiffness|effusion) of (?:the )?(.+)$"),
        ("{1} {0}",),
    ),
    (re.compile(r"^disorder of (.+)$"), ("{0} disorder", "{0} problem")),
    (re.compile(r"^encounter for (.+)$"), ("here for {0}", "attends for {0}")),
    (re.compile(r"^([^,]+), ([^,]{3,28})$"), ("{1} {0}", "{0} - {1}")),
    (re.compile(r"^(.+) with (.+)$"), ("{0} w/ {1}", "{0} c/b {1}")),
    (re.compile(r"^(.+), (right|left|bilateral)(.*)$"), ("{1}{2} {0}", "{0} ({1}{2})")),
)
_LATERALITY = re.compile(r"^(.{8,}?),? (?:of )?(?:the )?((?:right|left|bilateral)\b.*)$")


@cache
def vocabulary() -> dict:
    """The words of the notes."""
    return packaged_yaml(__package__, "vocabulary.yaml")


@dataclass(frozen=True)
class Wordings:
    """What a note may say for one code: its wordings, the plainest first, and condition and side or site apart."""

    variants: tuple[str, ...]
    split: tuple[str, ...]


def generic(title: str) -> str:
    """A title without encounter, asides and "unspecified": all that a vague note gives away."""
    text = _ASIDE.sub("", _ENCOUNTER.sub("", title))
    text = _UNSPECIFIED_WORD.sub("", _UNSPECIFIED_TAIL.sub("", text))
    return re.sub(r"\s+", " ", text).strip(" ,.").lower()


def _phrasings(phrase: str) -> list[str]:
    """One phrase, its re-ordered forms, and both with synonyms and abbreviations."""
    plain = [phrase]
    for pattern, forms in _REORDER:
        if match := pattern.match(phrase):
            plain += [form.format(*match.groups()) for form in forms]
    reworded = [_exchanged(text, "synonyms") for text in plain]
    return plain + reworded + [_exchanged(text, "abbreviations") for text in plain + reworded]


def _exchanged(text: str, table: str) -> str:
    """A phrase with each word that has an entry in a table of the vocabulary exchanged for it."""
    return _entries(table).sub(lambda match: vocabulary()[table][match[1]], text)


@cache
def _entries(table: str) -> re.Pattern:
    """The entries of a table of the vocabulary, longest first."""
    longest_first = sorted(map(re.escape, vocabulary()[table]), key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(longest_first)})\b")


def wordings(code: str, system: CodeSystem) -> Wordings:
    """All wordings of a code; "other" forms without inclusion terms may read like their parent, as in real notes."""
    phrase = generic(system.title(code))
    terms = [term for term in map(generic, system.inclusion_terms(code)) if 3 < len(term) < 70]
    split: tuple[str, ...] = ()
    if _OTHER.match(phrase) or _OTHER_TAIL.search(phrase):
        bare = _OTHER_TAIL.sub("", _OTHER.sub("", phrase))
        phrases = [*terms[:4], f"{bare}, other type", f"other {bare}", bare]
    else:
        phrases = [phrase, *terms[:4]]
        if match := _LATERALITY.match(phrase):
            split = match.groups()
    paraphrases = vocabulary()["paraphrases"].get(code, ())
    variants = [*paraphrases, *(text for each in phrases for text in _phrasings(each))]
    unique = list(dict.fromkeys(text for text in variants if len(text) > 1))
    return Wordings(tuple(unique[:VARIANTS]), split)
