"""Unified terms: one way of writing for what notes write in many."""

import csv
import io
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from icd_relevancy.text.abbreviations import Abbreviations, read_abbreviations
from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.limits import AIM, BOUND, BOUND_AFTER, is_limit, side
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
_AMOUNT = rf"(?:{NUMBER}|\b(?:{_SPELT})\b)"
_TIME_UNITS = "years?|yrs?|months?|mos?|mths?|weeks?|wks?|days?|hours?|hrs?|minutes?|mins?"
# "T 101, RR 20 HR 90" tells a heart rate.
_TIME_UNIT = rf"(?P<unit>(?!(?-i:HR)\b\W{{0,3}}\d)(?:{_TIME_UNITS}))"
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
    rf"(?:(?<!gestational\s)\bage[ds]?(?:\s+of|:)?\s+(?P<aged>{_AMOUNT})(?![\w/%])(?:\s+(?P<aged_in>{_TIME_UNITS})\b)?"
    rf"|{START}(?P<years>{_AMOUNT}){_HALF}[\s-]*(?:y/o|y\.?o\.?)(?:\s*(?P<sex>[mf])\b|(?![a-z]))"
    rf"|{START}(?P<number>{_AMOUNT}){_HALF}[\s-]*{_TIME_UNIT}"
    rf"(?:[\s,-]*(?:and[\s-]+)?{_AMOUNT}{_HALF}[\s-]*(?:months?|mos?|weeks?|wks?|days?))?[\s-]*(?:old\b|of age\b))",
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
    rf"{START}(?:{_AMOUNT}\s*(?:-|–|to|or)\s*)?(?P<number>{_AMOUNT}){_HALF}[\s-]*{_TIME_UNIT}\b(?!\s+{_COLLECTED}){_OF_GESTATION}",
    re.IGNORECASE,
)

NEUTRAL = "value"
# Of a step, for what the division of decimal numbers leaves.
_TOLERANCE = 1e-6

_UNIT_SPELLINGS = {
    "degrees celsius": r"(?:[°º˚]|degrees?)\s*c(?:elsius)?|o?c(?:elsius)?|(?-i:o C)",
    "degrees fahrenheit": r"(?:[°º˚]|degrees?)\s*f(?:ahrenheit)?|f(?:ahrenheit)?",
    "beats per minute": r"bpm|beats(?:\s*/\s*min|\s+per\s+minute)|/\s*min",
    "breaths per minute": r"breaths(?:\s*/\s*min|\s+per\s+minute)",
    "mmhg": r"mm\s*hg|millimeters\s+(?:of\s+mercury|hg)",
    "%": r"%|percent|per cent",
    "thousand": r"k\b(?:/\s*[uµμ]l)?|thousand|x\s*10\s*\^?\s*[39](?:/\s*(?:[uµμ]l|l\b))?",
    "per microliter": r"/\s*[uµμ]l|/\s*mm3|cells/\s*[uµμ]l",
    "grams per deciliter": r"g(?:r|rams)?/dl|g%",
    "grams per liter": r"g(?:r|rams)?/l\b",
    "milligrams per deciliter": r"(?:mg|milligrams)/dl",
    "milligrams per liter": r"(?:mg|milligrams)/l\b",
    "millimoles per liter": r"mmol/l|meq/l",
    "micromoles per liter": r"[uµμ]mol/l",
    "millimeters per hour": r"(?:mm|millimeters)/h(?:r|our)?",
    "units per liter": r"(?:units|iu|u)/l\b",
    "milliunits per liter": r"m?[uµμ]?iu/m?l|mu/l",
    "picograms per milliliter": r"pg/ml",
    "millimeters": r"mm|millimeters?|millimetres?",
    "centimeters": r"cm|centimeters?|centimetres?",
}
_UNIT = "|".join(f"(?:{spelling})" for spelling in _UNIT_SPELLINGS.values())
# White space is bounded wherever two runs of it could meet, or a run of thousands would take its square of steps.
_BETWEEN = (
    r"(?P<between>(?:\s{0,2}[:=,(\[~≈]|(?:\s{1,2}|(?<=[:=,(\[]))"
    r"(?:(?:is|was|were|has|been|be|of|at|to|up|now|today|currently|level|measured|recorded|about|around|range)\b"
    rf"|(?P<aim>{AIM})\b)){{0,5}})"
)
_BOUND = rf"(?:(?P<bound>{BOUND})\s{{0,2}})?"
# Of a measure in several directions the greatest tells the category, as of a range.
_SIZE = re.compile(
    rf"{_BOUND}{START}(?P<numbers>{NUMBER}"
    rf"(?:\s{{0,2}}(?:mm|cm|millimeters|centimeters)?\s{{0,2}}(?:x|×|by|-|–|to)\s{{0,2}}{NUMBER}){{0,3}})[\s-]{{0,3}}"
    r"(?P<unit>mm|cm|millimeters?|centimeters?|millimetres?|centimetres?)\b(?!\s*(?:hg|h2o|of\s+(?:mercury|water)|/))",
    re.IGNORECASE,
)
# Without a sign for degrees only what can be a temperature: "stage 3C", "54F" and "a 98 F" are none.
_TEMPERATURE = re.compile(
    rf"{_BOUND}{START}(?:(?P<number>{NUMBER})\s{{0,2}}(?:(?:[°º˚]|degrees?)\s{{0,2}}(?:[fc]|fahrenheit|celsius)|(?-i:o\s?C))"
    r"|(?P<likely>(?:9[5-9]|10\d)(?:[.,]\d{1,2}(?=\s?f)|(?=f)))\s?f"
    r"|(?P<probable>(?:3[5-9]|4[0-2])(?:[.,]\d{1,2}(?=\s?c)|(?=c)))\s?c)(?![\w/-])",
    re.IGNORECASE,
)
_OTHER_UNIT = (
    r"mg|milligrams?|mcg|micrograms?|[µμ]g|kg|kilograms?|grams?|gm|g|pounds?|lbs?|ml|milliliters?|cc|liters?|l|dl"
    r"|units?|iu|u|meq|mmol|mol|mm\s*hg|bpm|ng|pg|hz|kcal|beats|breaths|percent|thousand|million|minutes?"
)
_OTHER_UNITS = (
    rf"(?:{_OTHER_UNIT})\b(?:\s*/\s*(?:{_OTHER_UNIT}|hr?|hour|min|minute|day|d|[µμu]l|mm3|m2)\b)*"
    r"(?:\s+per\s+(?:minute|hour|day|liter|deciliter|microliter))?"
)
_OTHER = re.compile(
    rf"{START}(?:{NUMBER}\s{{0,2}}(?:-|–|to)\s{{0,2}})?{NUMBER}\s{{0,2}}(?:%|{_OTHER_UNITS})", re.IGNORECASE
)
_JOINED = re.compile(r"[\s,;/()-]*(?:(?:and/or|and|or|&)\s+)?[\s-]*")


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
    """The table of abbreviations that comes with the package, read once."""
    return read_abbreviations()


def unify_periods(text: AlignedText) -> AlignedText:
    """Dates, times of day, ages and durations as words (UTP: dates to periods).

    Dates become `date` and times `time`; ages `newborn` (to a month), `infant` (to 23 months), `child` (to 12
    years), `adolescent` (to 18), `adult` (to 64) or `elderly`; durations `hours`, `days` (to 13), `weeks` (to
    59 days), `months` or `years`. Numbers may be spelt out. Weeks of gestation stay."""
    text = text.edit((*match.span(), "date") for match in _DATE.finditer(text.text))
    text = text.edit((*match.span(), "time") for match in _TIME.finditer(text.text))
    text = text.edit((*match.span(), _age(match)) for match in _AGE.finditer(text.text))
    return text.edit(
        (*match.span(), _duration(match))
        for match in _DURATION.finditer(text.text)
        if not (
            match["unit"].lower().startswith("w")
            and _GESTATION.search(text.text, max(match.start() - 40, 0), match.start())
        )
    )


def _age(match: re.Match) -> str:
    years = match["aged"] or match["years"]
    days = _days(years, match["aged_in"] or "y") if years else _days(match["number"], match["unit"])
    limits, names = _AGES
    return names[bisect_right(limits, days)] + _SEXES.get((match["sex"] or "").lower(), "")


def _duration(match: re.Match) -> str:
    limits, names = _DURATIONS
    return names[bisect_right(limits, _days(match["number"], match["unit"]))]


def _days(number: str, unit: str) -> float:
    unit = unit.lower()
    length = 2 if unit.startswith("m") else 1
    return _number(number) * _DAYS[unit[:length].replace("mt", "mo")]


def _number(written: str) -> float:
    if written[0].isdigit():
        return read_number(written)
    return sum(_WORDS[word] for word in re.split(r"[\s-]", written.lower()))


@dataclass(frozen=True)
class Band:
    """A range of an investigation's values and its name; in steps of 1, what is "> 100" is 101 or more."""

    unit: str
    start: float
    stop: float
    step: float
    category: str


def categorise_values(text: AlignedText) -> AlignedText:
    """Values of investigations as categories (UTP), by the ranges of `investigation_ranges.csv` in the package.

    What follows a known investigation becomes `low`, `normal`, `high` or another category of its range, a value
    in a unit of temperature or length `temperature high`, `size small` or alike. A value without a unit is taken
    in the first unit in which it is possible; one without a known range becomes `value`. Numbers without a
    unit or an investigation stay.

    A bound ("< 135", "at least 5") or a range tells a category only where all that it allows lies in it, and a limit,
    a goal, an order or a reference ("call if temperature > 101") none: both become `value`. A comma before three
    digits parts thousands (250,000), any other is a decimal sign (5,6), as is one after a single zero."""
    text = text.edit(_named(text.text))
    text = text.edit((*match.span(), _temperature(match)) for match in _TEMPERATURE.finditer(text.text))
    text = text.edit((*match.span(), _size(match)) for match in _SIZE.finditer(text.text))
    return text.edit((*match.span(), NEUTRAL) for match in _OTHER.finditer(text.text))


def _named(text: str) -> Iterator[tuple[int, int, str]]:
    """The values after the names of investigations, as edits."""
    after_limit = -1
    for match in _investigation().finditer(text):
        bounded = bool(match["bound"] or match["bound_after"])
        several = bool(match["until"] or match["second_until"])
        # "Call if temperature > 101, heart rate > 120": an order goes on through a list.
        listed = (
            after_limit >= 0 and (bounded or several) and _JOINED.fullmatch(text, after_limit, match.start())
        )
        limit = match["aim"] or listed or is_limit(text, *match.span(), bounded, several)
        after_limit = match.end() if limit else -1
        closes = text[match.end() : match.end() + 1] in (")", "]")
        bracketed = closes and match["between"].endswith(("(", "["))
        # "Hemoglobin (12-16)" is a reference. A dose is no result either, as in "potassium 20 mEq".
        category = NEUTRAL if limit or match["other"] or (bracketed and several) else _result(match)
        yield match.end("name"), match.end() + bracketed, f" {category}"


def _result(match: re.Match) -> str:
    """The category of a value that is a result."""
    name, bound = match["name"].lower(), match["bound"] or match["bound_after"]
    if name != "blood pressure":
        return _category(name, (match["value"], match["until"]), _unit(match["unit"]), bound)
    categories = {_category("systolic blood pressure", (match["value"], match["until"]), "mmhg", bound)}
    if match["second"]:
        second = (match["second"], match["second_until"])
        categories.add(_category("diastolic blood pressure", second, "mmhg", bound))
    return next(word for word in ("high", "low", NEUTRAL, "normal") if word in categories)


def _temperature(match: re.Match) -> str:
    written = match["number"] or match["likely"] or match["probable"]
    limit = is_limit(match.string, *match.span(), bool(match["bound"]))
    return f"temperature {NEUTRAL if limit else _category('temperature', (written,), None, match['bound'])}"


def _size(match: re.Match) -> str:
    greatest = max(re.findall(NUMBER, match["numbers"]), key=read_number)
    limit = match["bound"] and is_limit(match.string, *match.span(), bounded=True)
    category = NEUTRAL if limit else _category("size", (greatest,), _unit(match["unit"]), match["bound"])
    return f"size {category}"


def _category(name: str, written: tuple[str | None, ...], unit: str | None, bound: str | None) -> str:
    """The one category of all values in question; without a unit in the first in which they are possible."""
    values = [read_number(value) for value in written if value]
    by_unit: dict[str, list[Band]] = {}
    for band in _ranges()[name]:
        by_unit.setdefault(band.unit, []).append(band)
    for bands in by_unit.values() if unit is None else [by_unit.get(unit, [])]:
        if bands and all(bands[0].start <= value < bands[-1].stop for value in values):
            least, greatest = _allowed(min(values), max(values), bands[0].step, bound)
            categories = {band.category for band in bands if band.start <= greatest and least < band.stop}
            return categories.pop() if len(categories) == 1 else NEUTRAL
    return NEUTRAL


def _allowed(least: float, greatest: float, step: float, bound: str | None) -> tuple[float, float]:
    """The least and the greatest value, as finely as it is measured, that a bound allows."""
    if not bound:
        return least, greatest
    below, inclusive = side(bound)
    steps = (greatest if below else least) / step
    if below:
        number = math.floor(steps + _TOLERANCE) if inclusive else math.ceil(steps - _TOLERANCE) - 1
        return -math.inf, round(number * step, 6)
    number = math.ceil(steps - _TOLERANCE) if inclusive else math.floor(steps + _TOLERANCE) + 1
    return round(number * step, 6), math.inf


def _unit(written: str | None) -> str | None:
    if not written:
        return None
    return next(name for name, known in _units().items() if known.fullmatch(written.strip()))


@cache
def _units() -> dict[str, re.Pattern]:
    return {name: re.compile(spelling, re.IGNORECASE) for name, spelling in _UNIT_SPELLINGS.items()}


@cache
def _ranges() -> dict[str, tuple[Band, ...]]:
    """The bands of each investigation, in the order of the file."""
    content = (files(__package__) / "investigation_ranges.csv").read_text(encoding="utf-8")
    ranges: dict[str, list[Band]] = {}
    for row in csv.DictReader(io.StringIO(content, newline="")):
        limits = (float(row[column]) for column in ("from", "below", "step"))
        band = Band(row["unit"], *limits, row["category"])
        for name in row["investigation"].split("|"):
            ranges.setdefault(name, []).append(band)
    return {name: tuple(bands) for name, bands in ranges.items()}


@cache
def _investigation() -> re.Pattern:
    names = sorted({*_ranges(), "blood pressure"} - {"size"}, key=len, reverse=True)
    return re.compile(
        rf"\b(?P<name>{'|'.join(map(re.escape, names))})\b{_BETWEEN}\s{{0,2}}{_BOUND}"
        rf"(?P<value>{NUMBER})(?:['’]?s\b|\s?[°º˚o](?!\w))?"
        rf"(?:\s{{0,2}}(?:-|–|to)\s{{0,2}}(?P<until>{NUMBER})(?:['’]?s\b)?)?"
        r"(?:(?:\s{0,2}/\s{0,2}|\s{1,2}over\s{1,2})(?P<second>\d+)(?:['’]?s\b)?"
        r"(?:\s{0,2}[-–]\s{0,2}(?P<second_until>\d+)(?:['’]?s\b)?)?)?"
        rf"(?:\s{{0,2}}(?:(?P<unit>{_UNIT})(?![\w/])|(?P<other>(?!l\b(?!\s?/)){_OTHER_UNITS})))?"
        rf"(?P<bound_after>{BOUND_AFTER})?(?!\w)",
        re.IGNORECASE,
    )
