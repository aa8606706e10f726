"""Ages and sexes a code is used for, and the trimester it names, by rules on its chapter and title."""

import re
from dataclasses import dataclass

FEMALE_STARTS = (
    *("O", "A34", "C51", "C52", "C53", "C54", "C55", "C56", "C57", "C58", "D06", "D07.0", "D07.1", "D07.2"),
    *("D25", "D26", "D27", "D28", "D39", "E28", "N7", "N8", "N90", "N91", "N92", "N93", "N94", "N95", "N96"),
    *("N97", "Q50", "Q51", "Q52", "R87", "Z32", "Z33", "Z34", "Z36", "Z37", "Z39", "Z3A", "Z01.41"),
)
MALE_STARTS = ("C60", "C61", "C62", "C63", "D07.4", "D07.5", "D29", "D40", "E29", "N4", "Q53", "Q54", "Q55")
MATERNITY_STARTS = ("O", "A34", "Z32", "Z33", "Z34", "Z36", "Z37", "Z39", "Z3A")
NEWBORN_STARTS = ("P", "Z38", "Z00.11")
FEMALE_TITLE = re.compile(
    r"\b(ovar\w+|uter(us|ine|i)|vagin\w+|vulv\w+|fallopian|menstru\w+|menopaus\w+|postmenopausal|pregnan\w+|"
    r"endometri\w+|puerper\w+|obstetric\w*|female|lactation)\b"
)
MALE_TITLE = re.compile(r"\b(prostat\w+|testi\w+|penis|penile|scrot\w+|sperm\w*|epididym\w+|male|erectile)\b")
# Titles of conditions in either sex that only mention an organ or a sex.
EITHER_SEX_TITLE = re.compile(r"male and female|nonvenereal|without pregnancy|\bof male or female\b")
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


def restriction(code: str, title: str) -> Restriction:
    """The age and sex restriction of an ICD-10-CM code.

    Maternity codes are for women of 12 to 55 years, newborn codes for age 0, codes of one sex's organs for
    that sex; further limits follow the wording ("senile", "juvenile", "postmenopausal") and the category.

    Args:
        code: ICD-10-CM code with its dot.
        title: Its title.

    Example:
        >>> restriction("O80", "Encounter for full-term uncomplicated delivery")
        Restriction(least_age=12, greatest_age=55, sex='F')
    """
    lower = title.lower()
    sex = ""
    if not EITHER_SEX_TITLE.search(lower):
        if code.startswith(FEMALE_STARTS) or FEMALE_TITLE.search(lower):
            sex = "F"
        elif code.startswith(MALE_STARTS) or MALE_TITLE.search(lower):
            sex = "M"
    if code.startswith(NEWBORN_STARTS) or (NEWBORN_TITLE.search(lower) and not code.startswith("O")):
        return Restriction(0, 0, "")
    if code.startswith(MATERNITY_STARTS):
        return Restriction(*PREGNANCY_AGES, "F")
    least, greatest = _longest(code, LEAST_AGE, 0), _longest(code, GREATEST_AGE, 120)
    if OLD_TITLE.search(lower):
        least = max(least, 50)
    if MENOPAUSE_TITLE.search(lower) and "premature" not in lower:
        least = max(least, 43)
    if CHILD_TITLE.search(lower):
        greatest = min(greatest, 17)
        least = min(least, 1)
    return Restriction(least, greatest, sex)


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
