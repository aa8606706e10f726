"""Values of investigations, with their units, as categories."""

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.limits import AIM, BOUND, BOUND_AFTER, is_limit, side
from icd_relevancy.text.words import NUMBER, START, read_number

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


@dataclass(frozen=True)
class Band:
    """A range of the values of an investigation.

    Attributes:
        unit: The unit, as named in `investigation_ranges.csv`.
        start: The least value.
        stop: The value above it.
        step: How finely the investigation is measured: what is "> 100" in steps of 1 is 101 or more.
        category: What the values are called.
    """

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
    digits parts thousands (250,000), any other is a decimal sign (5,6), as is one after a single zero.

    Args:
        text: The text, abbreviations expanded.

    Example:

    >>> from icd_relevancy.text import AlignedText
    >>> from icd_relevancy.text.values import categorise_values
    >>> categorise_values(AlignedText.of("temperature 102 F, 5 mm stone, sodium of 128, aspirin 81 mg")).text
    'temperature high, size tiny stone, sodium low, aspirin value'
    """
    text = text.edit(_named(text.text))
    text = text.edit((*found.span(), _temperature(found)) for found in _TEMPERATURE.finditer(text.text))
    text = text.edit((*found.span(), _size(found)) for found in _SIZE.finditer(text.text))
    return text.edit((*found.span(), NEUTRAL) for found in _OTHER.finditer(text.text))


def _named(text: str) -> Iterator[tuple[int, int, str]]:
    """The values after the names of investigations, as edits."""
    after_limit = -1
    for found in _investigation().finditer(text):
        bounded = bool(found["bound"] or found["bound_after"])
        several = bool(found["until"] or found["second_until"])
        # "Call if temperature > 101, heart rate > 120": an order goes on through a list.
        listed = (
            after_limit >= 0 and (bounded or several) and _JOINED.fullmatch(text, after_limit, found.start())
        )
        limit = found["aim"] or listed or is_limit(text, *found.span(), bounded, several)
        after_limit = found.end() if limit else -1
        closes = text[found.end() : found.end() + 1] in (")", "]")
        bracketed = closes and found["between"].endswith(("(", "["))
        # "Hemoglobin (12-16)" is a reference. A dose is no result either, as in "potassium 20 mEq".
        category = NEUTRAL if limit or found["other"] or (bracketed and several) else _result(found)
        yield found.end("name"), found.end() + bracketed, f" {category}"


def _result(found: re.Match) -> str:
    """The category of a value that is a result."""
    name, bound = found["name"].lower(), found["bound"] or found["bound_after"]
    if name != "blood pressure":
        return _category(name, (found["value"], found["until"]), _unit(found["unit"]), bound)
    told = {_category("systolic blood pressure", (found["value"], found["until"]), "mmhg", bound)}
    if found["second"]:
        second = (found["second"], found["second_until"])
        told.add(_category("diastolic blood pressure", second, "mmhg", bound))
    return next(word for word in ("high", "low", NEUTRAL, "normal") if word in told)


def _temperature(found: re.Match) -> str:
    written = found["number"] or found["likely"] or found["probable"]
    limit = is_limit(found.string, *found.span(), bool(found["bound"]))
    return f"temperature {NEUTRAL if limit else _category('temperature', (written,), None, found['bound'])}"


def _size(found: re.Match) -> str:
    greatest = max(re.findall(NUMBER, found["numbers"]), key=read_number)
    limit = found["bound"] and is_limit(found.string, *found.span(), bounded=True)
    category = NEUTRAL if limit else _category("size", (greatest,), _unit(found["unit"]), found["bound"])
    return f"size {category}"


def _category(name: str, written: tuple[str | None, ...], unit: str | None, bound: str | None) -> str:
    """The one category of all values that are told of; without a unit in the first in which they are possible."""
    values = [read_number(value) for value in written if value]
    of_unit: dict[str, list[Band]] = {}
    for band in _ranges()[name]:
        of_unit.setdefault(band.unit, []).append(band)
    for bands in of_unit.values() if unit is None else [of_unit.get(unit, [])]:
        if bands and all(bands[0].start <= value < bands[-1].stop for value in values):
            least, greatest = _allowed(min(values), max(values), bands[0].step, bound)
            told = {band.category for band in bands if band.start <= greatest and least < band.stop}
            return told.pop() if len(told) == 1 else NEUTRAL
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
    found: dict[str, list[Band]] = {}
    for row in csv.DictReader(io.StringIO(content, newline="")):
        limits = (float(row[column]) for column in ("from", "below", "step"))
        band = Band(row["unit"], *limits, row["category"])
        for name in row["investigation"].split("|"):
            found.setdefault(name, []).append(band)
    return {name: tuple(bands) for name, bands in found.items()}


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
