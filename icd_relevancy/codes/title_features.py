"""Features of ICD codes that take one of several values, read from where a code stands and what its title says."""

from collections.abc import Callable
from functools import partial

import numpy as np

from icd_relevancy.codes.polarity import polarity
from icd_relevancy.codes.rules import CodeMatcher

# Each list is tried in order; the first that holds gives the value, so the narrow ones come first.
TITLE_VALUES: dict[str, tuple[tuple[str | None, str], ...]] = {
    "encounter": (
        ("sequela", r", sequela$"),
        ("subsequent", r"\bsubsequent (encounter|care)\b|subsequent episode"),
        ("initial", r"\binitial (encounter|care)\b|initial episode"),
    ),
    "laterality": (
        ("right", r"\bright\b.*\bnormal vision left\b"),
        ("left", r"\bnormal vision right\b|\bleft\b.*\bnormal vision right\b"),
        (
            "bilateral",
            r"\bbilateral\b|\bright eye\b.*\bleft eye\b|\bleft eye\b.*\bright eye\b|"
            r"\bboth (eyes|ears|lungs|kidneys|ovaries|breasts)\b",
        ),
        (None, r"\bright\b.*\bleft\b|\bleft\b.*\bright\b"),
        ("right", r"\bright\b"),
        ("left", r"\bleft\b"),
        (
            "unspecified",
            r"\bunspecified (side|eye|ear|lung|kidney|ovary|breast|limb|arm|leg|hand|foot|knee|hip|shoulder|"
            r"elbow|wrist|ankle|finger|thumb|toe|thigh|forearm|upper arm|lower leg|humerus|radius|ulna|femur|"
            r"tibia|fibula|lower limb|upper limb|lower extremity|upper extremity|female breast|joint|site)\b",
        ),
    ),
    "fracture_type": (
        ("open", r"\bopen ([a-z']+ )?fractures?\b|\bfracture.*\bopen\b|\bopen$"),
        (
            "pathological",
            r"\b(pathologic(al)?|osteoporosis|stress|fatigue|atypical)\b.*\bfracture|\bcollapsed vertebra\b",
        ),
        ("closed", r"\bclosed ([a-z']+ )?fractures?\b|\bfracture.*\bclosed\b|\bclosed$"),
        # A fracture that is told neither open nor closed is coded as closed (guideline I.C.19.c).
        ("closed", r"\bfracture\b.*\b(routine healing|delayed healing|nonunion|malunion)\b"),
    ),
    "fracture_healing": (
        ("routine", r"routine healing"),
        ("delayed", r"delayed healing"),
        ("nonunion", r"\bnonunion\b"),
        ("malunion", r"\bmalunion\b"),
    ),
    "displacement": (
        ("nondisplaced", r"\bnondisplaced\b"),
        ("displaced", r"\bdisplaced\b"),
    ),
}
# Sides and encounters hold for the whole title, also where they are told within what it rules out.
AS_WRITTEN = frozenset({"encounter", "laterality", "fracture_healing", "displacement"})
TITLE_ORDERS: dict[str, tuple[tuple[float, str], ...]] = {
    "degree": (
        (3.0, r"\b(severe|third degree|stage (3|4|5|iii|iv)|grade (3|4|iii|iv)|profound)\b"),
        (2.0, r"\b(moderate|second degree|stage (2|ii)|grade (2|ii))\b"),
        (1.0, r"\b(mild|minor|first degree|stage (1|i)|grade (1|i)|slight)\b"),
    ),
    "trimester": (
        (1.0, r"\bfirst trimester\b|before 14 weeks"),
        (2.0, r"\bsecond trimester\b"),
        (3.0, r"\bthird trimester\b"),
    ),
}
DESCRIPTIONS = {
    "encounter": "Initial or subsequent encounter for an injury, or its sequela.",
    "laterality": "Side of the body; unspecified where the group asks for a side.",
    "fracture_type": "Open or closed, or through diseased bone.",
    "fracture_healing": "How a fracture heals at a later encounter.",
    "displacement": "Whether the fragments moved.",
    "polarity": "Direction of a deviation: 1 too much (hyper-, over-), -1 too little (hypo-, -penia, deficiency), "
    "0 neither or both. It parts codes whose titles differ by two letters and that must not match (P74.31, P74.32).",
    "degree": "Degree of a condition: 1 mild, 2 moderate, 3 severe, 0 not told.",
    "trimester": "Trimester of pregnancy, 0 where none is told.",
    "intent": "How an injury or poisoning came about: accident, self-harm, assault, undetermined, legal or war, "
    "adverse effect, underdosing, medical care.",
}
INTENT_PLACES = (
    ("self-harm", "X71-X83 T14.91", "E950-E959"),
    ("assault", "X92-Y09", "E960-E969"),
    ("undetermined", "Y21-Y33", "E980-E989"),
    ("legal or war", "Y35-Y38", "E970-E979 E990-E999"),
    ("medical care", "Y62-Y84", "E870-E879"),
    ("adverse effect", "", "E930-E949"),
    ("accident", "V00-X58", "E800-E869 E880-E929"),
)
INTENT_TITLES = (
    ("self-harm", r"intentional self-harm|suicide"),
    ("assault", r", assault\b"),
    ("undetermined", r"\bundetermined\b"),
    ("adverse effect", r"\badverse effect\b"),
    ("underdosing", r"\bunderdosing\b"),
    ("accident", r"\baccidental\b"),
)


def title_values(matcher: CodeMatcher) -> dict[str, np.ndarray]:
    """The features with one of several words as value; None where no value fits."""
    found = {
        name: _first(len(matcher.codes), values, partial(matcher.titled, as_written=name in AS_WRITTEN), None)
        for name, values in TITLE_VALUES.items()
    }
    found["intent"] = _intent(matcher)
    return found


def title_orders(matcher: CodeMatcher) -> dict[str, np.ndarray]:
    """The features with a number as value; 0 where the title says nothing."""
    return {"polarity": polarity(matcher)} | {
        name: _first(len(matcher.codes), values, matcher.titled, 0.0) for name, values in TITLE_ORDERS.items()
    }


def _first(size: int, values: tuple, holds: Callable[[str], np.ndarray], missing: float | None) -> np.ndarray:
    found = np.full(size, missing, dtype=object if missing is None else float)
    for value, pattern in reversed(values):
        found[holds(pattern)] = value
    return found


def _intent(matcher: CodeMatcher) -> np.ndarray:
    injuries = matcher.within("S00-Y99 Z91.5" if matcher.edition == 10 else "800-999 E800-E999")
    found = _first(
        len(matcher.codes), INTENT_TITLES, lambda pattern: matcher.titled(pattern) & injuries, None
    )
    for value, places10, places9 in reversed(INTENT_PLACES):
        found[matcher.within(places10 if matcher.edition == 10 else places9)] = value
    return found
