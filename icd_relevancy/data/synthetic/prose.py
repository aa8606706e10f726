"""From codes to the text of a note: sections by specialty, mentions, distractors, noise, misspellings."""

import random
from dataclasses import dataclass
from functools import cache

from icd_relevancy.data.synthetic.sampling import Patient
from icd_relevancy.data.synthetic.universe import Specialty, Universe, clinical
from icd_relevancy.data.synthetic.wording import vocabulary

# Style -> section order.
STYLES = {
    "soap": (
        "history",
        "past",
        "review",
        "family",
        "medications",
        "vitals",
        "examination",
        "results",
        "plan",
    ),
    "consult": (
        "reason",
        "past",
        "medications",
        "history",
        "review",
        "examination",
        "results",
        "family",
        "impression",
    ),
    "emergency": (
        "vitals",
        "history",
        "review",
        "past",
        "medications",
        "examination",
        "results",
        "course",
        "impression",
    ),
    "obstetric": (
        "history",
        "obstetric",
        "past",
        "vitals",
        "review",
        "examination",
        "medications",
        "family",
        "plan",
    ),
    "brief": ("history", "past", "review", "examination", "impression", "medications"),
    "letter": ("reason", "history", "past", "family", "medications", "review", "impression", "course"),
}
HEADINGS = {
    "reason": ("Reason for consultation:", "Reason for referral:", "Thank you for referring this patient."),
    "history": ("HPI:", "History:", "S:", "Presenting complaint:", ""),
    "past": ("PMH:", "Past medical history:", "Background:", "h/o"),
    "review": ("ROS:", "Review of systems:", "", "Systems review:"),
    "family": ("FH:", "Family history:", "FHx:"),
    "medications": ("Meds:", "Medications:", "Current Rx:", "Rx:"),
    "vitals": ("Vitals:", "Obs:", "VS:"),
    "examination": ("O/E:", "Exam:", "Physical examination:", ""),
    "results": ("Labs:", "Investigations:", "Results:"),
    "obstetric": ("Obs history:", "OB hx:"),
    "course": ("Course:", "Progress:", ""),
    "plan": ("A/P:", "Assessment and plan:", "Plan:", "Dx:"),
    "impression": ("Impression:", "Assessment:", "Imp:", "Diagnosis:"),
}
OPENINGS = (
    "{who} presents with {what}.",
    "{who} c/o {what} for {days}.",
    "{who}, seen for {what}.",
    "{who} came in because of {what}, {days} now.",
    "Pt is a {who} with {what}.",
    "{who} known to this clinic, reviewed today re {what}.",
)
ENCOUNTERS = ("{who}, attending: {what}.", "{who}. Visit today: {what}.", "{who}, {what}.")
ALSO = (
    "Also {what}.",
    "Noted as well: {what}.",
    "Associated with {what}.",
    "In addition {what}.",
    "Reports {what} too.",
)
CONTEXT = (
    "Symptoms gradually worsening.",
    "Onset gradual, no clear trigger.",
    "Already seen elsewhere last week, no improvement.",
    "Tolerating oral diet, sleeping fairly well.",
    "No recent travel, no sick contacts.",
    "Compliance with treatment is partial.",
    "Symptoms come and go.",
    "No known drug allergies.",
    "Onset sudden, now settling.",
)
ADULT_CONTEXT = (
    *CONTEXT,
    "Works full time, lives with family.",
    "Lives alone, independent in ADL.",
    "s/p minor surgery, uneventful.",
)
CHILD_CONTEXT = (
    *CONTEXT,
    "Vaccinations up to date.",
    "Growth on centile.",
    "Brought by parents, good historian.",
)
NEWBORN_CONTEXT = (
    "Apgar 8 and 9.",
    "Feeding established.",
    "Passed urine and meconium.",
    "Vitamin K given.",
    "Mother well.",
)
DENIALS = ("Denies {}.", "No {}.", "Negative for {}.", "No c/o {}.", "Pt denies any {}.")
RULED_OUT = (
    "No evidence of {}.",
    "{} ruled out.",
    "Findings not consistent with {}.",
    "No signs of {}.",
    "Work-up negative for {}.",
    "Considered {}, excluded.",
)
FAMILY = ("{} had {}.", "{} with {}.", "{}: {}.", "{} treated for {}.")
EXAMINATION = (
    "Alert, oriented, comfortable.",
    "Chest clear b/l, S1 S2 normal.",
    "Abdomen soft.",
    "No focal deficit.",
    "Looks well, not in distress.",
    "ROM preserved elsewhere.",
    "Skin warm and dry.",
    "Conscious, GCS 15.",
    "Local examination as documented.",
)
PLANS = (
    "Follow up in {n} weeks.",
    "RTC {n}/52.",
    "Continue current tx.",
    "Labs ordered, review with results.",
    "Advice given, safety net explained.",
    "Diet and exercise counselled.",
    "Discussed with the patient, agrees with plan.",
    "Refer if no improvement.",
)
# Oldest age -> ranges of systolic and diastolic pressure, pulse and respiratory rate.
VITALS = (
    (5, ((84, 108), (48, 68), (95, 145), (24, 44))),
    (12, ((84, 108), (48, 68), (70, 110), (16, 26))),
    (120, ((104, 148), (62, 92), (62, 98), (12, 20))),
)
MISSPELLINGS = 0.35  # mean misspelt words a note, at most two
SPLIT = 0.3  # side or site of a condition is written in the examination
RULED_OUT_CHANCES = (0.75, 0.35)  # a first and a second condition is ruled out
FAMILY_CHANCE = 0.45
REPEATED = 0.25  # a condition is written a second time, in other words


@dataclass(frozen=True)
class Prose:
    """The text of a note and the starts of the codes it mentions without meaning them."""

    text: str
    distractors: tuple[str, ...]


class _Writer:
    """Collects the sentences of one note, section by section."""

    def __init__(self, specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random):
        self.specialty, self.patient, self.universe, self.rng = specialty, patient, universe, rng
        self.sections: dict[str, list[str]] = {name: [] for name in STYLES[specialty.style]}
        self.distractors: list[str] = []

    def add(self, text: str, *sections: str) -> None:
        """Puts a sentence into the first of these sections that the style has."""
        name = next(name for name in (*sections, "history") if name in self.sections)
        self.sections[name].append(text)

    def mention(self, code: str) -> str:
        wordings = self.universe.wordings(code)
        if wordings.split and self.rng.random() < SPLIT:
            condition, place = wordings.split
            self.add(
                self.rng.choice(("Affected: {}.", "Findings over {}.", "Site: {}.")).format(place),
                "examination",
            )
            return condition
        return self.rng.choice(wordings.variants)

    def codes(self, codes: tuple[str, ...]) -> None:
        rng = self.rng
        assessment: list[str] = []
        past: list[str] = []
        chronic = {*clinical()["chronic"], *self.patient.chronic}
        self.opening(codes[0])
        if rng.random() < 0.6:
            assessment.append(self.mention(codes[0]))
        for code in codes[1:]:
            if code in chronic or code.startswith("Z"):
                place = past if rng.random() < 0.7 else assessment
                place.append(self.mention(code))
            elif code[0] == "R" or rng.random() < 0.25:
                self.add(rng.choice(ALSO).format(what=self.mention(code)), "history")
            else:
                assessment.append(self.mention(code))
            if rng.random() < REPEATED:
                assessment.append(self.mention(code))
        if past:
            self.add(", ".join(past) + ".", "past")
        rng.shuffle(assessment)
        if rng.random() < 0.5:
            assessment = [f"{i}. {text}." for i, text in enumerate(assessment, 1)]
            self.add(" ".join(assessment), "plan", "impression")
        elif assessment:
            self.add("; ".join(assessment) + ".", "plan", "impression")

    def opening(self, code: str) -> None:
        age, female, rng = self.patient.age, self.patient.sex == "F", self.rng
        if age == 0:
            who = rng.choice(
                ("newborn girl", "female neonate") if female else ("newborn boy", "male neonate")
            )
        elif age < 13:
            who = f"{age} y/o " + rng.choice(("girl", "female child") if female else ("boy", "male child"))
        else:
            noun = rng.choice(
                ("female", "woman", "lady", "F") if female else ("male", "man", "gentleman", "M")
            )
            who = rng.choice((f"{age} y/o {noun}", f"{age}-year-old {noun}", f"{age}yo {noun}"))
        days = rng.choice(("2 days", "3/7", "1 week", "2/52", "several months", "a month", "10 days"))
        openings = ENCOUNTERS if code[0] == "Z" or code.startswith(("O80", "O82")) else OPENINGS
        self.add(
            rng.choice(openings).format(who=who, what=self.mention(code), days=days), "reason", "history"
        )
        context = NEWBORN_CONTEXT if age == 0 else CHILD_CONTEXT if age < 18 else ADULT_CONTEXT
        for text in rng.sample(context, rng.randint(1, 4)):
            self.add(text, "history")

    def free(self, start: str, codes: tuple[str, ...]) -> bool:
        """Whether nothing that is coded could be meant by a wording for the codes of this start."""
        return not any(code.startswith(start) or start.startswith(code.split(".")[0]) for code in codes)

    def denials(self, codes: tuple[str, ...]) -> None:
        rng = self.rng
        denied = [
            item for item in rng.sample(_pairs("denied"), rng.randint(1, 4)) if self.free(item[0], codes)
        ]
        if denied:
            words = [text for _, text in denied]
            joined = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
            self.add(rng.choice(DENIALS[1:3] if self.patient.age < 4 else DENIALS).format(joined), "review")
            self.distractors += [start for start, _ in denied]
        for chance in RULED_OUT_CHANCES:
            if rng.random() < chance:
                self.ruled_out(codes)

    def ruled_out(self, codes: tuple[str, ...]) -> None:
        """A condition of the specialty that was thought of and is not there."""
        code = self.universe.draw(self.specialty.name, self.rng)
        label = self.universe.labels[code]
        taken = frozenset().union(*(self.universe.labels[each].exclusions for each in codes))
        allowed = label.restriction.allows(self.patient.age, self.patient.sex) and not label.trimester
        if allowed and code[0] not in "ZO" and label.exclusions.isdisjoint(taken):
            text = self.rng.choice(RULED_OUT).format(self.rng.choice(self.universe.wordings(code).variants))
            self.add(text[0].upper() + text[1:], "results", "examination", "impression")
            self.distractors.append(code)

    def family(self, codes: tuple[str, ...]) -> None:
        if self.rng.random() < FAMILY_CHANCE:
            start, condition = self.rng.choice(_pairs("of the family"))
            if self.free(start, codes):
                relative = self.rng.choice(vocabulary()["relatives"])
                self.add(self.rng.choice(FAMILY).format(relative, condition).capitalize(), "family", "past")
                self.distractors.append(start)

    def noise(self, codes: tuple[str, ...]) -> None:
        rng, age = self.rng, self.patient.age
        drugs = [rng.choice(vocabulary()["other medications"])]
        medications = vocabulary()["medications"]
        for code in codes:
            start = next((code[:n] for n in (5, 4, 3, 2, 1) if code[:n] in medications), None)
            if start and age > 0 and rng.random() < 0.35:
                drugs.append(rng.choice(medications[start]))
        self.add(", ".join(dict.fromkeys(drugs)) + ".", "medications", "plan")
        ranges = next(ranges for oldest, ranges in VITALS if age <= oldest)
        systolic, diastolic, pulse, breaths = (rng.randint(*limits) for limits in ranges)
        temperature, saturation = rng.randint(362, 375) / 10, rng.randint(95, 100)
        line = f"BP {systolic}/{diastolic}, HR {pulse}, RR {breaths}, T {temperature}, SpO2 {saturation}% RA."
        self.add(line, "vitals", "examination")
        for text in rng.sample(EXAMINATION, rng.randint(1, 4)):
            self.add(text, "examination", "course")
        if rng.random() < 0.6:
            hb, wbc = rng.randint(112, 158) / 10, rng.randint(42, 105) / 10
            self.add(
                f"Hb {hb}, WBC {wbc}, Plt {rng.randint(160, 390)}, Cr {rng.randint(52, 98)}.",
                "results",
                "examination",
            )
        if self.specialty.style == "obstetric":
            gravida = rng.randint(1, 6)
            self.add(f"G{gravida}P{rng.randint(0, gravida - 1)}.", "obstetric")
        for text in rng.sample(PLANS, rng.randint(1, 3)):
            self.add(text.format(n=rng.randint(1, 12)), "course", "plan", "impression")

    def text(self) -> str:
        parts: list[str] = []
        for name, sentences in self.sections.items():
            if sentences:
                heading = self.rng.choice(HEADINGS[name])
                parts.append(f"{heading} {' '.join(sentences)}".strip())
        return self.rng.choice(("\n", " ")).join(parts)


def write(
    codes: tuple[str, ...], specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random
) -> Prose:
    """The text of one note.

    Every code has at least one mention. Denied symptoms, conditions ruled out and diseases of relatives
    appear beside them and share no category with a code of the note.

    Args:
        codes: The codes, primary problem first.
        specialty: Decides the sections and their order.
        patient: The patient seen.
        universe: The label universe, for the wordings.
        rng: The random numbers of this note.
    """
    writer = _Writer(specialty, patient, universe, rng)
    writer.codes(codes)
    writer.denials(codes)
    writer.family(codes)
    writer.noise(codes)
    return Prose(_misspelt(writer.text(), rng), tuple(writer.distractors))


@cache
def _pairs(table: str) -> tuple[tuple[str, str], ...]:
    """A table of the vocabulary as pairs of the start of a code and what a note says for it."""
    return tuple(vocabulary()[table].items())


def _misspelt(text: str, rng: random.Random) -> str:
    for _ in range(2):
        if rng.random() < MISSPELLINGS / 2:
            position = rng.randrange(len(text) - 3)
            if text[position : position + 3].isalpha():
                first, second = text[position + 1], text[position + 2]
                slip = rng.choice((second + first, first, first + first + second))
                text = text[: position + 1] + slip + text[position + 3 :]
    return text
