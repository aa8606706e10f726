"""The label universe: which billable codes each specialty uses, how often, and which patients may have them."""

import random
import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import accumulate

from icd_relevancy.codes import CodeSystem, icd10cm
from icd_relevancy.codes.rules import CodeMatcher, boolean_rules
from icd_relevancy.data.synthetic.wording import Wordings, wordings
from icd_relevancy.errors import InputError
from icd_relevancy.files.packaged import packaged_yaml

FEWEST_CODES = 100
ZIPF_EXPONENT = 1.15
ZIPF_SHIFT = 2.0
FAMILY_SIZE = 4
# Family history (Z80-Z84) appears in the notes as a distractor without a code; external causes and resolved
# disease need a story of their own.
NOT_USED = re.compile(r"^(V|W|X|Y|Z8[0-4]|Z86|Z87|Z31\.44|Z68|Z28|Z56|U09)|^[A-Z].{6}[B-Z]$|^O.{6}[1-9]$")
NEWBORN_TITLE = re.compile(r"\b(newborn|neonatal|perinatal)\b")
CHILD_TITLE = re.compile(r"\b(infantile|infants?|childhood|juvenile|child|adolescent|pediatric)\b")
OLD_TITLE = re.compile(r"\b(senile|age-related|presbyopia|alzheimer's|geriatric|involutional)\b")
MENOPAUSE_TITLE = re.compile(r"\b(menopaus\w+|postmenopausal|climacteric)\b")
PREGNANCY_AGES = (12, 55)
ADULT, OLDEST = 18, 120
_OF_PATIENTS = ("female_only", "male_only", "newborn_only", "child_only", "adult_only", "maternity_only")


@dataclass(frozen=True)
class Specialty:
    """One medical specialty of the synthetic hospital; `specialties.yaml` says what the fields mean."""

    name: str
    share: float
    patients: dict[str, float]
    prefixes: tuple[str, ...]
    head: tuple[str, ...]
    style: str


@cache
def specialties() -> tuple[Specialty, ...]:
    """The 24 specialties."""
    return tuple(
        Specialty(
            row["name"],
            float(row["share"]),
            {group: float(weight) for group, weight in row["patients"].items()},
            tuple(row["prefixes"]),
            tuple(row["head"]),
            row["style"],
        )
        for row in packaged_yaml(__package__, "specialties.yaml")
    )


@cache
def clinical() -> dict:
    """What goes with what: companions, chronic conditions and their progression, symptoms, exclusions."""
    return packaged_yaml(__package__, "clinical.yaml")


@dataclass(frozen=True)
class Restriction:
    """Who may have a code: `least_age` to `greatest_age` years, `sex` "F", "M" or "" for either."""

    least_age: int
    greatest_age: int
    sex: str

    def allows(self, age: int, sex: str) -> bool:
        """Whether a patient of this age (years) and sex may have the code."""
        return self.least_age <= age <= self.greatest_age and self.sex in ("", sex)


def restrictions(codes: Sequence[str], titles: Sequence[str]) -> list[Restriction]:
    """The restrictions of ICD-10-CM codes by their features, the wording of their titles and `restrictions.yaml`."""
    matcher = CodeMatcher(tuple(codes), tuple(titles), ("",) * len(codes), edition=10)
    rules = {name: matcher.matching(boolean_rules("usage")[name]).tolist() for name in _OF_PATIENTS}
    result = []
    for at, (code, title) in enumerate(zip(codes, titles, strict=True)):
        features = {name for name, has in rules.items() if has[at]}
        sex = "F" if "female_only" in features else "M" if "male_only" in features else ""
        result.append(Restriction(*_ages(code, title.lower(), features), sex))
    return result


def _ages(code: str, title: str, features: set[str]) -> tuple[int, int]:
    """The least and the greatest age in years."""
    starts = _restricted_starts()
    newborn = code.startswith(tuple(starts["newborn"]))
    newborn = newborn or (NEWBORN_TITLE.search(title) and not code.startswith("O"))
    if newborn or "newborn_only" in features:
        return 0, 0
    if code.startswith(tuple(starts["maternity"])) or "maternity_only" in features:
        return PREGNANCY_AGES
    least, greatest = _longest(code, starts["least age"], 0), _longest(code, starts["greatest age"], OLDEST)
    if OLD_TITLE.search(title):
        least = max(least, 50)
    if MENOPAUSE_TITLE.search(title) and "premature" not in title:
        least = max(least, 43)
    if CHILD_TITLE.search(title):
        greatest, least = min(greatest, ADULT - 1), min(least, 1)
    if "child_only" in features:
        greatest, least = min(greatest, ADULT - 1), min(least, ADULT - 1)
    if "adult_only" in features:
        least = max(least, ADULT)
    return least, greatest


def _longest(code: str, table: dict[str, str], default: int) -> int:
    for length in range(len(code), 0, -1):
        if code[:length] in table:
            return int(table[code[:length]])
    return default


@cache
def _restricted_starts() -> dict:
    return packaged_yaml(__package__, "restrictions.yaml")


def trimester(code: str, title: str) -> int:
    """The trimester (1-3) that a pregnancy code belongs to, 0 where it names none."""
    if code.startswith("Z3A"):
        weeks = code[4:]
        return 0 if weeks == "00" else 1 if int(weeks) < 14 else 2 if int(weeks) < 28 else 3
    if code.startswith(("O80", "O82", "Z37", "O70", "O6", "O7", "O48")):
        return 3
    if code.startswith(("O0", "O20", "O21.0")):
        return 1
    if code[0] == "O" or code.startswith("Z34"):
        phrases = _restricted_starts()["trimesters"].items()
        return next((int(number) for phrase, number in phrases if phrase in title.lower()), 0)
    return 0


@dataclass(frozen=True)
class Label:
    """One code with all that sampling and writing need to know of it."""

    code: str
    restriction: Restriction
    trimester: int
    exclusions: frozenset[str]


class Universe:
    """The codes of all specialties with their frequencies."""

    def __init__(self, n_codes: int):
        self.system: CodeSystem = icd10cm()
        self.by_specialty = _fill(n_codes, self.system)
        self.codes = tuple(sorted({code for codes in self.by_specialty.values() for code in codes}))
        self.labels = self._labels()
        self.cumulative = {
            name: tuple(
                accumulate((rank + ZIPF_SHIFT) ** -ZIPF_EXPONENT for rank in range(1, len(codes) + 1))
            )
            for name, codes in self.by_specialty.items()
        }
        self._wordings: dict[str, Wordings] = {}
        self._companions: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {}

    def _labels(self) -> dict[str, Label]:
        labels, titles = {}, [self.system.title(code) for code in self.codes]
        allowed = restrictions(self.codes, titles)
        exclusive = [tuple(starts) for starts in clinical()["exclusive"]]
        for code, title, restriction in zip(self.codes, titles, allowed, strict=True):
            groups = {code.split(".")[0]}
            groups.update(f"group {i}" for i, starts in enumerate(exclusive) if code.startswith(starts))
            labels[code] = Label(code, restriction, trimester(code, title), frozenset(groups))
        return labels

    def draw(self, specialty: str, rng: random.Random) -> str:
        """One code of a specialty by its Zipf frequency."""
        cumulative = self.cumulative[specialty]
        return self.by_specialty[specialty][bisect(cumulative, rng.random() * cumulative[-1])]

    def wordings(self, code: str) -> Wordings:
        """The wordings of a code, worked out on first use."""
        if code not in self._wordings:
            self._wordings[code] = wordings(code, self.system)
        return self._wordings[code]

    def companions(self, code: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The codes of the universe that go with a code, and their cumulative weights; may be empty."""
        if code not in self._companions:
            table = clinical()["companions"]
            start = next((code[:n] for n in range(len(code), 0, -1) if code[:n] in table), None)
            weights = {c: float(w) for c, w in table.get(start, {}).items() if c in self.labels and c != code}
            self._companions[code] = tuple(weights), tuple(accumulate(weights.values()))
        return self._companions[code]

    @cached_property
    def unspecified_sibling(self) -> dict[str, str]:
        """Specific code -> the code of its family that stays when a note is vague; both in the universe."""
        families: dict[str, list[str]] = {}
        for code in self.codes:
            if "-" not in (parent := self.system.parent(code)):  # a block's categories are different diseases
                families.setdefault(parent, []).append(code)
        siblings = {}
        for family in families.values():
            vague = [code for code in family if _is_unspecified(code, self.system.title(code))]
            if len(vague) == 1:
                siblings.update({code: vague[0] for code in family if code != vague[0]})
        return siblings


def _is_unspecified(code: str, title: str) -> bool:
    return "unspecified" in title.lower() and code.rstrip("A").rstrip("X")[-1] in "09A"


@lru_cache(maxsize=4)
def label_universe(n_codes: int = 3100) -> Universe:
    """The label universe of a size; it does not depend on the seed, and a larger one holds every smaller one."""
    return Universe(n_codes)


def _fill(n_codes: int, system: CodeSystem) -> dict[str, tuple[str, ...]]:
    """Specialty -> codes, most frequent first: specialties take turns by the root of their share."""
    if n_codes < FEWEST_CODES:
        raise InputError(f"n_codes is {n_codes}: the 24 specialties need at least {FEWEST_CODES} codes")
    usable = [code for code in system.leaves if not NOT_USED.match(code)]
    turns = sorted(
        ((rank + 1) / specialty.share**0.5, order, code)
        for order, specialty in enumerate(specialties())
        for rank, code in enumerate(_ranking(specialty, usable, system))
    )
    chosen: set[str] = set()
    by_specialty: dict[str, list[str]] = {specialty.name: [] for specialty in specialties()}
    for _, order, code in turns:
        if code not in chosen and len(chosen) == n_codes:
            break
        chosen.add(code)
        by_specialty[specialties()[order].name].append(code)
    if len(chosen) < n_codes:
        raise InputError(f"n_codes is {n_codes}: the specialties use {len(chosen)} codes at most")
    return {name: tuple(codes) for name, codes in by_specialty.items()}


def _ranking(specialty: Specialty, usable: list[str], system: CodeSystem) -> list[str]:
    """Its head, then families of siblings in a random order that favours short titles, at last their rest."""
    rng = random.Random(f"universe/{specialty.name}")
    families: dict[str, list[str]] = {}
    for code in usable:
        if code.startswith(specialty.prefixes):
            families.setdefault(system.parent(code), []).append(code)
    shortest = {parent: min(len(system.title(code)) for code in codes) for parent, codes in families.items()}
    order = sorted(families, key=lambda parent: shortest[parent] * rng.expovariate(1.0))
    first, rest = [], []
    for parent in order:
        family = families[parent]
        rng.shuffle(family)
        family.sort(key=lambda code: not _is_unspecified(code, system.title(code)))
        first += family[:FAMILY_SIZE]
        rest += family[FAMILY_SIZE:]
    return list(dict.fromkeys([*specialty.head, *first, *rest]))
