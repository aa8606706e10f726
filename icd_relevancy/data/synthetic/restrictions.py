"""Ages and sexes a code is used for, by the rules of its features, and the trimester it names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from icd_relevancy.codes.rules import CodeMatcher
from icd_relevancy.codes.usage_rules import USAGE_RULES

MATERNITY_STARTS = ("O", "A34", "Z32", "Z33", "Z34", "Z36", "Z37", "Z39", "Z3A")
NEWBORN_STARTS = ("P", "Z38", "Z00.11")
NEWBORN_TITLE = re.compile(r"\b(newborn|neonatal|perinatal)\b")
CHILD_TITLE = re.compile(r"\b(infantile|infants?|childhood|juvenile|child|adolescent|pediatric)\b")
OLD_TITLE = re.compile(r"\b(senile|age-related|presbyopia|alzheimer's|geriatric|involutional)\b")
MENOPAUSE_TITLE = re.compile(r"\b(menopaus\w+|postmenopausal|climacteric)\b")

# Start of a code -> least age in years; the longest start that fits wins.
LEAST_AGE = {
    **{
        "C": 20,
        "C81": 12,
        "C83": 12,
        "C91": 1,
        "C92": 5,
        "C71": 2,
        "D0": 20,
        "D12": 30,
        "D25": 18,
        "D39": 18,
    },
    **{"E0": 3, "E03": 15, "E04": 12, "E05": 12, "E11": 18, "E13": 18, "E66": 6, "E78": 18, "E28": 14},
    **{"F": 4, "F0": 55, "F1": 14, "F2": 16, "F3": 12, "F43": 6, "F52": 18, "F6": 16, "G20": 45, "G30": 58},
    **{"G2": 18, "G43": 8, "G44": 8, "G45": 35, "G5": 16, "G47.33": 18, "H25": 50, "H26": 40, "H35": 25},
    **{"H40": 35, "H43": 40, "H52.4": 42, "I": 18, "I10": 18, "I11": 35, "I12": 35, "I13": 40, "I2": 35},
    **{"I4": 20, "I48": 35, "I50": 35, "I6": 35, "I7": 40, "J4": 3, "J43": 40, "J44": 38, "J84": 35},
    **{"K08": 18, "K05": 6, "K2": 10, "K57": 35, "K64": 18, "K7": 18, "K80": 18, "K85": 16, "M": 5, "M1": 30},
    **{"M10": 25, "M12": 18, "M47": 35, "M48": 35, "M5": 14, "M75": 20, "M80": 50, "M81": 50, "M0": 16},
    **{
        "N18": 18,
        "N20": 15,
        "N4": 15,
        "N40": 45,
        "N52": 20,
        "N6": 16,
        "N7": 13,
        "N8": 13,
        "N9": 12,
        "N95": 43,
    },
    **{"R97": 40, "T86": 18, "Z00.0": 18, "Z30": 14, "Z31": 18, "Z79": 12, "Z85": 25, "Z89": 18, "Z95": 30},
    **{"L64": 18, "L70": 11, "L57": 40, "L82": 40, "L4": 5, "H0": 1, "H1": 1, "H8": 15, "H91.1": 60},
    **{"R26": 2, "R45": 10, "Z51": 5, "N5": 15, "H90": 1, "H52": 4, "C61": 45, "Z99.2": 15},
}
GREATEST_AGE = {"Z00.1": 17, "F90": 65, "H65": 90, "L22": 3, "R62.5": 10, "E30.1": 17, "J05": 10, "B08": 17}

PREGNANCY_AGES = (12, 55)
ADULT = 18
_OF_PATIENTS = ("female_only", "male_only", "newborn_only", "child_only", "adult_only", "maternity_only")
TRIMESTERS = {
    "first trimester": 1,
    "second trimester": 2,
    "third trimester": 3,
    "childbirth": 3,
    "delivery": 3,
}


@dataclass(frozen=True)
class Restriction:
    """Who may carry a code: `least_age` to `greatest_age` years, `sex` "F", "M" or "" for either."""

    least_age: int
    greatest_age: int
    sex: str

    def allows(self, age: int, sex: str) -> bool:
        """Whether a patient of this age (years) and sex may carry the code."""
        return self.least_age <= age <= self.greatest_age and self.sex in ("", sex)


def _longest(code: str, table: dict[str, int], default: int) -> int:
    for length in range(len(code), 0, -1):
        if code[:length] in table:
            return table[code[:length]]
    return default


def restrictions(codes: Sequence[str], titles: Sequence[str]) -> list[Restriction]:
    """The age and sex restrictions of ICD-10-CM codes.

    The sex is what `usage_rules` say, which give the codes their features; so are newborns, children, adults and
    mothers-to-be. Further limits of age follow the wording ("senile", "juvenile", "postmenopausal") and the
    category, because notes are to have the patients that one meets and not all that could be.

    Args:
        codes: ICD-10-CM codes with their dots.
        titles: Their titles.

    Example:
        >>> restrictions(["O80"], ["Encounter for full-term uncomplicated delivery"])
        [Restriction(least_age=12, greatest_age=55, sex='F')]
    """
    matcher = CodeMatcher(tuple(codes), tuple(titles), ("",) * len(codes), edition=10)
    rules = {rule.name: matcher.matching(rule).tolist() for rule in USAGE_RULES if rule.name in _OF_PATIENTS}
    found = []
    for at, (code, title) in enumerate(zip(codes, titles, strict=True)):
        named = {name for name, has in rules.items() if has[at]}
        sex = "F" if "female_only" in named else "M" if "male_only" in named else ""
        found.append(Restriction(*_ages(code, title.lower(), named), sex))
    return found


def _ages(code: str, title: str, rules: set[str]) -> tuple[int, int]:
    """The least and the greatest age in years."""
    newborn = code.startswith(NEWBORN_STARTS) or (NEWBORN_TITLE.search(title) and not code.startswith("O"))
    if newborn or "newborn_only" in rules:
        return 0, 0
    if code.startswith(MATERNITY_STARTS) or "maternity_only" in rules:
        return PREGNANCY_AGES
    least, greatest = _longest(code, LEAST_AGE, 0), _longest(code, GREATEST_AGE, 120)
    if OLD_TITLE.search(title):
        least = max(least, 50)
    if MENOPAUSE_TITLE.search(title) and "premature" not in title:
        least = max(least, 43)
    if CHILD_TITLE.search(title):
        greatest, least = min(greatest, ADULT - 1), min(least, 1)
    if "child_only" in rules:
        greatest, least = min(greatest, ADULT - 1), min(least, ADULT - 1)
    if "adult_only" in rules:
        least = max(least, ADULT)
    return least, greatest


def trimester(code: str, title: str) -> int:
    """The trimester (1-3) that a pregnancy code belongs to, 0 where it names none.

    Example:
        >>> trimester("Z3A.32", "32 weeks gestation of pregnancy")
        3
    """
    if code.startswith("Z3A"):
        weeks = code[4:]
        return 0 if weeks == "00" else 1 if int(weeks) < 14 else 2 if int(weeks) < 28 else 3
    if code.startswith(("O80", "O82", "Z37", "O70", "O6", "O7", "O48")):
        return 3
    if code.startswith(("O0", "O20", "O21.0")):
        return 1
    if code[0] == "O" or code.startswith("Z34"):
        return next((number for phrase, number in TRIMESTERS.items() if phrase in title.lower()), 0)
    return 0
