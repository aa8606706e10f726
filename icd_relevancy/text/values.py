"""Values of investigations, with their units, as categories."""

import csv
import io
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from icd_relevancy.text.aligned import AlignedText

NEUTRAL = "value"

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_UNIT_SPELLINGS = {
    "degrees celsius": r"(?:°|º|degrees?)\s*c(?:elsius)?|c(?:elsius)?",
    "degrees fahrenheit": r"(?:°|º|degrees?)\s*f(?:ahrenheit)?|f(?:ahrenheit)?",
    "beats per minute": r"bpm|beats(?:\s*/\s*min|\s+per\s+minute)|/\s*min",
    "breaths per minute": r"breaths(?:\s*/\s*min|\s+per\s+minute)",
    "mmhg": r"mm\s*hg|millimeters\s+(?:of\s+mercury|hg)",
    "%": r"%|percent|per cent",
    "thousand": r"k\b(?:/\s*[uµμ]l)?|thousand|x\s*10\s*\^?\s*3(?:/\s*[uµμ]l)?",
    "per microliter": r"/\s*[uµμ]l|/\s*mm3|cells/\s*[uµμ]l",
    "grams per deciliter": r"g(?:rams)?/dl|g%",
    "grams per liter": r"g(?:rams)?/l\b",
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
    r"(?:\s{0,2}[:=,(]|\s{1,2}(?:is|was|were|of|at|to|up|now|level|measured|about|around)\b){0,3}"
    r"\s{0,2}[<>~≤≥]?=?\s{0,2}"
)
# Of a measure in several directions the greatest tells the category, as of a range.
_SIZE = re.compile(
    rf"(?<![\w./-])(?P<numbers>{_NUMBER}(?:\s*(?:mm|cm|millimeters|centimeters)?\s*(?:x|×|by|-|–|to)\s*{_NUMBER}){{0,3}})[\s-]*"
    r"(?P<unit>mm|cm|millimeters?|centimeters?|millimetres?|centimetres?)\b(?!\s*(?:hg|h2o|of\s+(?:mercury|water)|/))",
    re.IGNORECASE,
)
# Without a sign for degrees only what can be a temperature: "stage 3C" and "54F" are none.
_TEMPERATURE = re.compile(
    rf"(?<![\w./-])(?:(?P<number>{_NUMBER})\s*(?:°|º|degrees?)\s*(?:[fc]|fahrenheit|celsius)"
    r"|(?P<likely>(?:9[5-9]|10\d)(?:\.\d+)?)f|(?P<probable>(?:3[5-9]|4[0-2])(?:\.\d+)?)c)\b",
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
    rf"(?<![\w./-])(?:{_NUMBER}\s*(?:-|–|to)\s*)?{_NUMBER}\s*(?:%|{_OTHER_UNITS})", re.IGNORECASE
)


@dataclass(frozen=True)
class Band:
    """A range of the values of an investigation.

    Attributes:
        unit: The unit, as named in `investigation_ranges.csv`.
        start: The least value.
        stop: The value above it.
        category: What the values are called.
    """

    unit: str
    start: float
    stop: float
    category: str


def categorise_values(text: AlignedText) -> AlignedText:
    """Values of investigations as categories (UTP), by the ranges of `investigation_ranges.csv` in the package.

    What follows a known investigation becomes `low`, `normal`, `high` or another category of its range, a value
    in a unit of temperature or length `temperature high`, `size small` or alike. A value without a unit is taken
    in the first unit in which it is possible; one without a known range becomes `value`. Numbers without a
    unit or an investigation stay.

    Args:
        text: The text, abbreviations expanded.

    Example:

    >>> from icd_relevancy.text import AlignedText
    >>> from icd_relevancy.text.values import categorise_values
    >>> categorise_values(AlignedText.of("temperature 102 F, 5 mm stone, sodium of 128, aspirin 81 mg")).text
    'temperature high, size tiny stone, sodium low, aspirin value'
    """
    text = text.edit(_named(found) for found in _investigation().finditer(text.text))
    text = text.edit(
        (*found.span(), f"temperature {_category('temperature', _float(found[found.lastgroup]))}")
        for found in _TEMPERATURE.finditer(text.text)
    )
    text = text.edit((*found.span(), _size(found)) for found in _SIZE.finditer(text.text))
    return text.edit((*found.span(), NEUTRAL) for found in _OTHER.finditer(text.text))


def _named(found: re.Match) -> tuple[int, int, str]:
    name, value = found["name"].lower(), _float(found["value"])
    if found["other"]:  # a dose, as in "potassium 20 mEq"
        category = NEUTRAL
    elif name == "blood pressure":
        told = {_category("systolic blood pressure", value, "mmhg")}
        if found["second"]:
            told.add(_category("diastolic blood pressure", _float(found["second"]), "mmhg"))
        category = next(word for word in ("high", "low", NEUTRAL, "normal") if word in told)
    else:
        category = _category(name, value, _unit(found["unit"]))
    return found.end("name"), found.end(), f" {category}"


def _size(found: re.Match) -> str:
    greatest = max(map(_float, re.findall(_NUMBER, found["numbers"])))
    return f"size {_category('size', greatest, _unit(found['unit']))}"


def _category(name: str, value: float, unit: str | None = None) -> str:
    """The category of a value; None as a unit for the first in which the value is possible."""
    bands = (band for band in _ranges()[name] if unit is None or band.unit == unit)
    return next((band.category for band in bands if band.start <= value < band.stop), NEUTRAL)


def _unit(written: str | None) -> str | None:
    if not written:
        return None
    return next(name for name, known in _units().items() if known.fullmatch(written.strip()))


def _float(written: str) -> float:
    return float(written.replace(",", ""))


@cache
def _units() -> dict[str, re.Pattern]:
    return {name: re.compile(spelling, re.IGNORECASE) for name, spelling in _UNIT_SPELLINGS.items()}


@cache
def _ranges() -> dict[str, tuple[Band, ...]]:
    """The bands of each investigation, in the order of the file."""
    content = (files(__package__) / "investigation_ranges.csv").read_text(encoding="utf-8")
    found: dict[str, list[Band]] = {}
    for row in csv.DictReader(io.StringIO(content, newline="")):
        band = Band(row["unit"], float(row["from"]), float(row["below"]), row["category"])
        for name in row["investigation"].split("|"):
            found.setdefault(name, []).append(band)
    return {name: tuple(bands) for name, bands in found.items()}


@cache
def _investigation() -> re.Pattern:
    names = sorted({*_ranges(), "blood pressure"} - {"size"}, key=len, reverse=True)
    return re.compile(
        rf"\b(?P<name>{'|'.join(map(re.escape, names))})\b{_BETWEEN}(?P<value>{_NUMBER})"
        rf"(?:\s*/\s*(?P<second>\d+)|\s*(?:-|–|to)\s*{_NUMBER})?"
        rf"(?:\s*(?P<unit>{_UNIT})(?![\w/])|\s*(?P<other>{_OTHER_UNITS}))?",
        re.IGNORECASE,
    )
