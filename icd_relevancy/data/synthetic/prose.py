"""From codes to the text of a note: sections by specialty, mentions, distractors, noise, misspellings."""

import random
from dataclasses import dataclass
from functools import cache

from icd_relevancy.data.synthetic.sampling import Patient
from icd_relevancy.data.synthetic.universe import Specialty, Universe, clinical
from icd_relevancy.data.synthetic.wording import vocabulary
from icd_relevancy.files.packaged import packaged_yaml

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


@cache
def _sentences() -> dict:
    sentences = packaged_yaml(__package__, "prose.yaml")
    return sentences | {stage: sentences["anyone"] + sentences[stage] for stage in ("adult", "child")}


@dataclass(frozen=True)
class Prose:
    """The text of a note, and the starts of the codes that it names without meaning them."""

    text: str
    distractors: tuple[str, ...]


class _Writer:
    """Collects the sentences of one note, section by section."""

    def __init__(self, specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random):
        self.specialty, self.patient, self.universe, self.rng = specialty, patient, universe, rng
        self.sections: dict[str, list[str]] = {name: [] for name in _sentences()["styles"][specialty.style]}
        self.distractors: list[str] = []

    def add(self, text: str, *sections: str) -> None:
        """Puts a sentence into the first of these sections that the style has."""
        name = next(name for name in (*sections, "history") if name in self.sections)
        self.sections[name].append(text)

    def any(self, name: str) -> str:
        """One of the sentences of a kind."""
        return self.rng.choice(_sentences()[name])

    def some(self, name: str, most: int) -> list[str]:
        """From one to `most` of the sentences of a kind."""
        return self.rng.sample(_sentences()[name], self.rng.randint(1, most))

    def mention(self, code: str) -> str:
        wordings = self.universe.wordings(code)
        if wordings.split and self.rng.random() < SPLIT:
            condition, place = wordings.split
            self.add(self.any("site").format(place), "examination")
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
                self.add(self.any("further").format(what=self.mention(code)), "history")
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
        is_encounter = code[0] == "Z" or code.startswith(("O80", "O82"))
        opening = self.any("openings of encounters" if is_encounter else "openings")
        self.add(opening.format(who=who, what=self.mention(code), days=days), "reason", "history")
        for text in self.some("newborn" if age == 0 else "child" if age < 18 else "adult", 4):
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
            denial = self.any("denials of small children" if self.patient.age < 4 else "denials")
            self.add(denial.format(joined), "review")
            self.distractors += [start for start, _ in denied]
        for chance in RULED_OUT_CHANCES:
            if rng.random() < chance:
                self.ruled_out(codes)

    def ruled_out(self, codes: tuple[str, ...]) -> None:
        """A condition of the specialty that was thought of and is not there."""
        code = self.universe.draw(self.specialty.name, self.rng)
        label = self.universe.labels[code]
        excluded = frozenset().union(*(self.universe.labels[each].exclusions for each in codes))
        allowed = label.restriction.allows(self.patient.age, self.patient.sex) and not label.trimester
        if allowed and code[0] not in "ZO" and label.exclusions.isdisjoint(excluded):
            text = self.any("ruled out").format(self.rng.choice(self.universe.wordings(code).variants))
            self.add(text[0].upper() + text[1:], "results", "examination", "impression")
            self.distractors.append(code)

    def family(self, codes: tuple[str, ...]) -> None:
        if self.rng.random() < FAMILY_CHANCE:
            start, condition = self.rng.choice(_pairs("of the family"))
            if self.free(start, codes):
                relative = self.rng.choice(vocabulary()["relatives"])
                self.add(self.any("family").format(relative, condition).capitalize(), "family", "past")
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
        for text in self.some("examination", 4):
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
        for text in self.some("plans", 3):
            self.add(text.format(n=rng.randint(1, 12)), "course", "plan", "impression")

    def text(self) -> str:
        parts: list[str] = []
        for name, sentences in self.sections.items():
            if sentences:
                heading = self.rng.choice(_sentences()["headings"][name])
                parts.append(f"{heading} {' '.join(sentences)}".strip())
        return self.rng.choice(("\n", " ")).join(parts)


def write(
    codes: tuple[str, ...], specialty: Specialty, patient: Patient, universe: Universe, rng: random.Random
) -> Prose:
    """The text of one note: every code is mentioned, and what is denied or of relatives shares no category with one."""
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
