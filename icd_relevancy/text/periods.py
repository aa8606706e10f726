"""Dates, times, ages and durations as the periods that they stand for."""

import re
from bisect import bisect_right

from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.words import NUMBER, START, read_number

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: number for number, word in enumerate([*_ONES, *_TEENS], 1)}
_WORDS |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
_DAYS = {"mi": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "mo": 30.44, "y": 365.25}

# Limits in days, as the age groups of the Medical Subject Headings.
_AGES = ((30.44, 730.5, 13 * 365.25, 19 * 365.25, 65 * 365.25),
         ("newborn", "infant", "child", "adolescent", "adult", "elderly"))  # fmt: skip
_DURATIONS = ((1, 14, 60, 365), ("hours", "days", "weeks", "months", "years"))
_SEXES = {"m": " male", "f": " female"}

_HALF = r"(?:[\s-]*(?:and[\s-]+)?(?:1/2|½|(?:a|one)[\s-]half))?"
_SPELT = rf"(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_ONES)})|{'|'.join(sorted(_WORDS, key=len, reverse=True))}"
_NUMBER = rf"(?:{NUMBER}|\b(?:{_SPELT})\b)"
_UNITS = "years?|yrs?|months?|mos?|mths?|weeks?|wks?|days?|hours?|hrs?|minutes?|mins?"
# "T 101, RR 20 HR 90" tells a heart rate.
_UNIT = rf"(?P<unit>(?!(?-i:HR)\b\W{{0,3}}\d)(?:{_UNITS}))"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20|21)\d\d"

_DATE = re.compile(
    "|".join(
        (
            r"\[\*\*\d{4}-\d{1,2}(?:-\d{1,2})?\*\*\]",
            rf"{START}(?:\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2(?:\d{{4}}|\d\d))(?![\w/-])",
            rf"{START}{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR}\b)?",
            rf"\b{_MONTH}(?:\s+{_DAY}\b(?:,?\s+{_YEAR}\b)?|,?\s+{_YEAR}\b)",
            rf"(?<=\bin ){_YEAR}\b|(?<=\bsince ){_YEAR}\b|(?<=\bfrom ){_YEAR}\b|(?<=\buntil ){_YEAR}\b",
            r"(?<=\bon )\d{1,2}/\d{1,2}(?![\w/])|(?<=\bdated )\d{1,2}/\d{1,2}(?![\w/])",
        )
    ),
    re.IGNORECASE,
)
# One digit before the colon may be a titre ("1:40"), unless noon is named.
_TIME = re.compile(
    rf"{START}(?:\d{{1,2}}(?::[0-5]\d)?\s*[ap]\.?m\b\.?|(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?![\w:])",
    re.IGNORECASE,
)
_AGE = re.compile(
    rf"(?:(?<!gestational\s)\bage[ds]?(?:\s+of|:)?\s+(?P<aged>{_NUMBER})(?![\w/%])(?:\s+(?P<aged_in>{_UNITS})\b)?"
    rf"|{START}(?P<years>{_NUMBER}){_HALF}[\s-]*(?:y/o|y\.?o\.?)(?:\s*(?P<sex>[mf])\b|(?![a-z]))"
    rf"|{START}(?P<number>{_NUMBER}){_HALF}[\s-]*{_UNIT}"
    rf"(?:[\s,-]*(?:and[\s-]+)?{_NUMBER}{_HALF}[\s-]*(?:months?|mos?|weeks?|wks?|days?))?[\s-]*(?:old\b|of age\b))",
    re.IGNORECASE,
)
# A 24-hour urine is an investigation.
_COLLECTED = r"(?:urin|uric|holter|protein|creatinine|ambulatory|collection)"
# Weeks of gestation are codes of their own.
_OF_GESTATION = r"(?!['’]?[\s-]+(?:of[\s-]+)?(?:gestation|pregnan|amenorr))"
_GESTATION = re.compile(
    r"(?:\b(?:gestation(?:al)?(?:\s+age)?|pregnan\w+|E?GA)|\b(?:born|delivered|delivery|birth|premature)\s+at)"
    r"(?:\s+(?:of|at|is|was|about))?[\s:,(=-]{0,3}$",
    re.IGNORECASE,
)
_DURATION = re.compile(
    rf"{START}(?:{_NUMBER}\s*(?:-|–|to|or)\s*)?(?P<number>{_NUMBER}){_HALF}[\s-]*{_UNIT}\b(?!\s+{_COLLECTED}){_OF_GESTATION}",
    re.IGNORECASE,
)


def unify_periods(text: AlignedText) -> AlignedText:
    """Dates, times of day, ages and durations as words (UTP: dates to periods).

    Dates become `date` and times `time`; ages `newborn` (to a month), `infant` (to 23 months), `child` (to 12
    years), `adolescent` (to 18), `adult` (to 64) or `elderly`; durations `hours`, `days` (to 13), `weeks` (to
    59 days), `months` or `years`. Numbers may be spelt out. Weeks of gestation stay.

    Args:
        text: The text.

    Example:

    >>> from icd_relevancy.text.periods import unify_periods
    >>> from icd_relevancy.text import AlignedText
    >>> unify_periods(AlignedText.of("3-year-old, cough for 10 days, seen 10/12/2006")).text
    'child, cough for days, seen date'
    """
    text = text.edit((*found.span(), "date") for found in _DATE.finditer(text.text))
    text = text.edit((*found.span(), "time") for found in _TIME.finditer(text.text))
    text = text.edit((*found.span(), _age(found)) for found in _AGE.finditer(text.text))
    return text.edit(
        (*found.span(), _duration(found))
        for found in _DURATION.finditer(text.text)
        if not (
            found["unit"].lower().startswith("w")
            and _GESTATION.search(text.text, max(found.start() - 40, 0), found.start())
        )
    )


def _age(found: re.Match) -> str:
    years = found["aged"] or found["years"]
    days = _days(years, found["aged_in"] or "y") if years else _days(found["number"], found["unit"])
    limits, names = _AGES
    return names[bisect_right(limits, days)] + _SEXES.get((found["sex"] or "").lower(), "")


def _duration(found: re.Match) -> str:
    limits, names = _DURATIONS
    return names[bisect_right(limits, _days(found["number"], found["unit"]))]


def _days(number: str, unit: str) -> float:
    unit = unit.lower()
    length = 2 if unit.startswith("m") else 1
    return _number(number) * _DAYS[unit[:length].replace("mt", "mo")]


def _number(written: str) -> float:
    if written[0].isdigit():
        return read_number(written)
    return sum(_WORDS[word] for word in re.split(r"[\s-]", written.lower()))
