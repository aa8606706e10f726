"""Synthetic hospital stays whose drugs follow their diagnoses: any number, seeded, of nobody."""

import random
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

import numpy as np

from icd_relevancy.codes import code_system
from icd_relevancy.codes.rules import CodeMatcher, boolean_rules
from icd_relevancy.data.stays import Stays
from icd_relevancy.errors import InputError
from icd_relevancy.files.packaged import packaged_yaml

WINDOW = 1000  # stays over which those of a patient are spread
PATIENTS = 750  # patients in a window
VISIT_SKEW = 1.5  # > 1: a few patients come often
AGES = (20, 50, 80)  # of Condition.frequency
ADULT, OLDEST = 18, 95
CODE_SHARE = 0.4  # how often each further code of a condition is used, of the one before
NOT_CODED = 0.08  # share of conditions that the coder misses
STRAY_DRUGS = 0.6  # drugs a stay has for no reason that its codes tell, on average


@dataclass(frozen=True)
class Condition:
    """One condition of a synthetic hospital; `conditions.yaml` says what the fields mean."""

    name: str
    ward: str
    icd10cm: tuple[str, ...]
    icd9cm: tuple[str, ...]
    frequency: tuple[float, float, float]
    sex: str
    drugs: tuple[tuple[str, float], ...]
    leads_to: tuple[tuple[str, float], ...]
    chronic: bool


@cache
def conditions() -> dict[str, Condition]:
    """The conditions by name."""
    return {
        name: Condition(
            name=name,
            ward=row["ward"],
            icd10cm=tuple(row["icd10cm"]),
            icd9cm=tuple(row["icd9cm"]),
            frequency=tuple(map(float, row["frequency"])),
            sex=row.get("sex", ""),
            drugs=_shares(row.get("drugs", {})),
            leads_to=_shares(row.get("leads to", {})),
            chronic=row.get("chronic") == "true",
        )
        for name, row in _table()["conditions"].items()
    }


@cache
def background() -> tuple[tuple[str, float], ...]:
    """The drugs given for no condition in particular, each with the share of the stays that have it."""
    return _shares(_table()["background"])


@cache
def _table() -> dict:
    return packaged_yaml(__package__, "conditions.yaml")


def _shares(row: dict[str, str]) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(share)) for name, share in row.items())


@cache
def _all_drugs() -> tuple[str, ...]:
    return tuple(dict.fromkeys(drug for condition in conditions().values() for drug, _ in condition.drugs))


def synthetic_stays(n: int, seed: int = 0, code_system: str = "icd10cm") -> Stays:
    """Synthetic hospital stays with drugs, codes, age, sex, patient and ward.

    More than a hundred conditions (`conditions.yaml`) occur by age and sex. A patient keeps the chronic
    ones over all stays; a stay adds one or two acute ones and what these lead to. Each condition has the
    drugs usual for it and one of its codes, frequent ones first; a few conditions are not coded and a few
    drugs have no reason. Codes and drugs are long-tailed. A stay depends on `seed` and its number alone, so a
    shorter run is the beginning of a longer one, and it is the same in both code systems.

    Args:
        n: Number of stays.
        seed: Any integer. Defaults to 0.
        code_system: `"icd10cm"` or `"icd9cm"`. Defaults to `"icd10cm"`.

    Returns:
        `Stays` with all columns filled, drugs as ingredients, the reason for the stay first among its codes,
        and `source` `"synthetic"`.

    Raises:
        InputError: If `n` is negative or the code system is another.

    Example:

    >>> from icd_relevancy.data import synthetic_stays
    >>> stays = synthetic_stays(5, seed=1)
    >>> len(stays), stays.source, stays.select([0, 1]) == synthetic_stays(2, seed=1)
    (5, 'synthetic', True)
    """
    if n < 0:
        raise InputError(f"n is {n}: it may not be negative")
    if code_system not in ("icd10cm", "icd9cm"):
        raise InputError(f"code_system must be one of icd10cm, icd9cm; received {code_system!r}")
    rows = [_stay(index, seed, code_system) for index in range(n)]
    names = ("stay_id", "drugs", "codes", "age", "sex", "patient_id", "ward")
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return Stays(**dict(zip(names, columns, strict=True)), source="synthetic")


def _stay(index: int, seed: int, code_system: str) -> tuple:
    rng = random.Random(f"stay/{seed}/{index}")
    window = index // WINDOW
    number = int(PATIENTS * rng.random() ** VISIT_SKEW)
    age, sex, chronic = _patient(seed, window, number)
    reason, *others = _conditions(age, sex, chronic, rng)
    codes, drugs = {}, {}
    for condition in (reason, *others):
        # Drawn before the code system matters, so that both have the same stays.
        draw, is_coded = rng.random(), rng.random() >= NOT_CODED
        if is_coded or condition is reason:
            codes[_code(_codes(condition, sex, code_system), draw)] = None
        drugs.update((drug, None) for drug, share in condition.drugs if rng.random() < share)
    drugs.update((drug, None) for drug, share in background() if rng.random() < share)
    while rng.random() < STRAY_DRUGS / (1 + STRAY_DRUGS):
        drugs[rng.choice(_all_drugs())] = None
    patient_id = f"P{seed}-{window}-{number}"
    shuffled = rng.sample(sorted(drugs), len(drugs))
    return f"H{seed}-{index}", tuple(shuffled), tuple(codes), float(age), sex, patient_id, reason.ward


@lru_cache(maxsize=10 * PATIENTS)
def _patient(seed: int, window: int, number: int) -> tuple[int, str, tuple[Condition, ...]]:
    """Age in years, sex and chronic conditions."""
    rng = random.Random(f"patient/{seed}/{window}/{number}")
    age = min(max(round(rng.gauss(62, 18)), ADULT), OLDEST)
    sex = rng.choice(("female", "male"))
    chronic = [
        condition
        for condition in conditions().values()
        if condition.chronic and rng.random() < _frequency(condition, age, sex) / 1000
    ]
    if conditions()["type 1 diabetes"] in chronic and conditions()["type 2 diabetes"] in chronic:
        chronic.remove(conditions()["type 2 diabetes"])
    return age, sex, tuple(chronic)


def _frequency(condition: Condition, age: int, sex: str) -> float:
    if condition.sex not in ("", sex):
        return 0.0
    return float(np.interp(age, AGES, condition.frequency))


@cache
def _acute(age: int, sex: str) -> tuple[tuple[Condition, ...], tuple[float, ...]]:
    """The acute conditions and their cumulative frequencies."""
    acute = tuple(condition for condition in conditions().values() if not condition.chronic)
    return acute, tuple(accumulate(_frequency(condition, age, sex) for condition in acute))


def _conditions(age: int, sex: str, chronic: tuple[Condition, ...], rng: random.Random) -> list[Condition]:
    """The conditions of a stay, the reason for it first."""
    acute, cumulative = _acute(age, sex)
    chosen = dict.fromkeys(rng.choices(acute, cum_weights=cumulative, k=1 if rng.random() < 0.6 else 2))
    for condition in [*chosen, *chronic]:
        chosen[condition] = None
        for name, share in condition.leads_to:
            following = conditions()[name]
            # Zero at this age or in this sex: a woman past 50 has no delivery.
            if rng.random() < share and _frequency(following, age, sex) > 0:
                chosen[following] = None
    return list(chosen)


@cache
def _codes(condition: Condition, sex: str, system: str) -> tuple[str, ...]:
    """The codes of a condition that a patient of this sex can have."""
    codes = getattr(condition, system)
    titles = tuple(code_system(system).title(code) for code in codes)
    matcher = CodeMatcher(codes, titles, ("",) * len(codes), edition=9 if system == "icd9cm" else 10)
    wrong = matcher.matching(boolean_rules("usage")["male_only" if sex == "female" else "female_only"])
    return tuple(code for code, is_wrong in zip(codes, wrong, strict=True) if not is_wrong)


def _code(codes: tuple[str, ...], draw: float) -> str:
    weights = list(accumulate(CODE_SHARE**rank for rank in range(len(codes))))
    return codes[np.searchsorted(weights, draw * weights[-1], side="right")]
