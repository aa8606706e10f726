"""Who the patient of a note is, and what is wrong with them."""

import random
from bisect import bisect
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, chain, repeat

from icd_relevancy.data.synthetic.universe import Label, Specialty, Universe, clinical, specialties

# Patient group -> youngest and oldest age in years, share of women.
GROUPS = {
    "infant": (0, 0, 0.49),
    "child": (1, 17, 0.47),
    "woman": (16, 45, 1.0),
    "adult_woman": (40, 68, 1.0),
    "adult": (18, 64, 0.48),
    "elder": (65, 92, 0.53),
}
WINDOW = 1000  # notes over which the visits of a patient are spread
VISIT_SKEW = 1.6  # > 1: a few patients come often
CODE_COUNTS = (0.03, 0.12, 0.23, 0.27, 0.18, 0.10, 0.05, 0.02)  # notes with 1, 2, … codes
FOLLOW_UP = 0.15  # primary problem is one of the patient's chronic conditions
VAGUE = 0.10  # a specific condition is documented so vaguely that its unspecified sibling is right
TRIES = 40

_COUNTS = tuple(accumulate(CODE_COUNTS))


@dataclass(frozen=True)
class Patient:
    """A patient: identifier, age in years, sex ("F" or "M") and chronic conditions."""

    patient_id: str
    age: int
    sex: str
    chronic: tuple[str, ...]


def draw_specialty(rng: random.Random) -> Specialty:
    """One of the 24 specialties by its share of the notes."""
    shares = _shares()
    return specialties()[bisect(shares, rng.random() * shares[-1])]


@cache
def _shares() -> tuple[float, ...]:
    return tuple(accumulate(specialty.share for specialty in specialties()))


@cache
def _share_of_notes(group: str) -> float:
    """The share of a group of patients in the notes of all specialties."""
    own = (each.share * each.patients.get(group, 0) / sum(each.patients.values()) for each in specialties())
    return sum(own) / _shares()[-1]


def draw_patient(
    index: int, seed: int, specialty: Specialty, universe: Universe, rng: random.Random
) -> Patient:
    """The patient of note `index`, from those whom the specialty sees in the same window of notes."""
    group = rng.choices(tuple(specialty.patients), tuple(specialty.patients.values()))[0]
    size = max(2, round(WINDOW * _share_of_notes(group)))
    number = int(size * rng.random() ** VISIT_SKEW)
    return _patient(seed, index // WINDOW, group, number, universe)


@lru_cache(maxsize=1024)
def _patient(seed: int, window: int, group: str, number: int, universe: Universe) -> Patient:
    patient_id = f"P{seed}-{window}-{group}-{number}"
    rng = random.Random(patient_id)
    youngest, oldest, women = GROUPS[group]
    age = rng.randint(youngest, oldest)
    sex = "F" if rng.random() < women else "M"
    chronic: list[str] = []
    for code, prevalence in clinical()["chronic"].items():
        if rng.random() < _at_age(prevalence, age):
            for each in _progressed(code, age, rng):
                if _fits(each, chronic, age, sex, universe):
                    chronic.append(each)
    return Patient(patient_id, age, sex, tuple(chronic[:5]))


def _at_age(prevalence: list[str], age: int) -> float:
    young, middle, old = map(float, prevalence)
    if age <= 50:
        return young + (middle - young) * max(0, age - 20) / 30
    return middle + (old - middle) * min(1.0, (age - 50) / 30)


def _progressed(code: str, age: int, rng: random.Random) -> list[str]:
    """The condition, or from middle age on a complicated form of it with the code it needs beside it."""
    progression = clinical()["progression"]
    if code in progression and rng.random() < 0.006 * max(0, age - 30):
        return rng.choice(progression[code])
    return [code]


def _fits(code: str, chosen: list[str], age: int, sex: str, universe: Universe) -> bool:
    """Whether the code suits the patient and can stand beside the codes chosen so far."""
    label = universe.labels.get(code)
    if label is None or not label.restriction.allows(age, sex):
        return False
    return all(_compatible(label, universe.labels[other]) for other in chosen)


def _compatible(label: Label, other: Label) -> bool:
    if label.trimester and other.trimester and label.trimester != other.trimester:
        return False
    return label.exclusions.isdisjoint(other.exclusions)


def draw_codes(
    specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random
) -> tuple[str, ...]:
    """The codes of one note, primary problem first.

    The primary problem follows the specialty's Zipf frequencies, or is a chronic condition of the patient.
    The others are its companions, the chronic conditions, symptoms of its chapter and further problems of the
    specialty, preferably of the same chapter. No two codes are of one category.
    """
    wanted = 1 + bisect(_COUNTS, rng.random() * _COUNTS[-1])
    codes = [_primary(specialty, patient, universe, rng)]
    for _ in range(TRIES):
        if len(codes) >= wanted:
            break
        code = _next_code(codes, specialty, patient, universe, rng)
        if code is not None and _fits(code, codes, patient.age, patient.sex, universe):
            codes.append(code)
    return tuple(_vague(code, codes, patient, universe, rng) for code in codes)


def _primary(specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random) -> str:
    own = [code for code in patient.chronic if code.startswith(specialty.prefixes)]
    if own and rng.random() < FOLLOW_UP:
        return rng.choice(own)
    # A small universe may hold nothing for this patient in this specialty: then the general clinic's code.
    general = "Neonatology" if patient.age == 0 else "Pediatrics" if patient.age < 18 else "Internal Medicine"
    for name in chain(repeat(specialty.name, TRIES), repeat(general)):
        code = universe.draw(name, rng)
        if _fits(code, [], patient.age, patient.sex, universe):
            return code


def _next_code(
    codes: list[str], specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random
) -> str | None:
    kind = rng.random()
    if kind < 0.45:
        companions, cumulative = universe.companions(rng.choice(codes))
        return companions[bisect(cumulative, rng.random() * cumulative[-1])] if companions else None
    if kind < 0.65:
        return rng.choice(patient.chronic) if patient.chronic else None
    if kind < 0.76:
        symptoms = clinical()["symptoms"].get(codes[0][0])
        return rng.choice(symptoms) if symptoms else None
    first, second = universe.draw(specialty.name, rng), universe.draw(specialty.name, rng)
    return second if second[0] == codes[0][0] else first


def _vague(code: str, codes: list[str], patient: Patient, universe: Universe, rng: random.Random) -> str:
    """Now and then the unspecified sibling in place of a code."""
    sibling = universe.unspecified_sibling.get(code)
    if sibling is None or rng.random() >= VAGUE:
        return code
    others = [other for other in codes if other != code]
    return sibling if _fits(sibling, others, patient.age, patient.sex, universe) else code
