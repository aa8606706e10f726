"""Dates, ages, durations and values; all unified terms together."""

import re
from itertools import pairwise

import pytest

from icd_relevancy.text import Abbreviation, Abbreviations, AlignedText, unify, unify_terms
from icd_relevancy.text.unify import categorise_values, unify_periods


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3-year-old", "child"),
        ("Two-year-old girl", "child girl"),
        ("a 23 month old and a 1-year-old", "a infant and a infant"),
        ("2-week-old", "newborn"),
        ("9 days of age", "newborn"),
        ("31 days old", "infant"),
        ("6 1/2-year-old", "child"),
        ("Twenty-one-month-old", "infant"),
        ("4 year, 2-month-old", "child"),
        ("13 y/o, 18 yo", "adolescent, adolescent"),
        ("19 y.o. F", "adult female"),
        ("58yoM", "adult male"),
        ("age 64, aged 65 years, age 3 weeks", "adult, elderly, newborn"),
        ("58 yolk", "58 yolk"),
        ("10/12/2006, 2006-10-12, 12.10.06", "date, date, date"),
        ("March 5, 2004 and 5 Mar 2004", "date and date"),
        ("in October 2004; since 2003", "in date; since date"),
        ("[**2101-10-20**]", "date"),
        ("on 10/12, strength 5/5", "on date, strength 5/5"),
        ("may march on", "may march on"),
        ("10:45 AM, 3 pm, 23:15", "time, time, time"),
        ("titre 1:40", "titre 1:40"),
        ("30 minutes ago", "hours ago"),
        ("cough for 3 days", "cough for days"),
        ("13 days, 14 days, 59 days, 2 months", "days, weeks, weeks, months"),
        ("a 2-day history", "a days history"),
        ("for 1 to 2 weeks", "for weeks"),
        ("12 months, one year", "years, years"),
        ("24-hour urine", "24-hour urine"),
        ("L4-5 days", "L4-5 days"),
        ("2,5 years ago, 1,5 year old", "years ago, infant"),
        ("RR 20 HR 90, for 24 HR", "RR 20 HR 90, for days"),
        ("born at 32 weeks, 38 weeks pregnant", "born at 32 weeks, 38 weeks pregnant"),
        ("32 weeks' gestation, cough for 3 weeks", "32 weeks' gestation, cough for weeks"),
        ("gestational age 32 weeks, EGA: 28 weeks", "gestational age 32 weeks, EGA: 28 weeks"),
    ],
)
def test_periods(text, expected):
    assert unify_periods(AlignedText.of(text)).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temperature 102 F", "temperature high"),
        ("temperature of 98.6", "temperature normal"),
        ("temperature: 35.2 °C", "temperature low"),
        ("fever of 102°F, 38.5 °C", "fever of temperature high, temperature high"),
        ("blood pressure 160/95", "blood pressure high"),
        ("blood pressure 118/95 mmHg", "blood pressure high"),
        ("blood pressure was 85/55", "blood pressure low"),
        ("blood pressure 118/76", "blood pressure normal"),
        ("systolic blood pressure 85", "systolic blood pressure low"),
        ("oxygen saturation 93% and 94 %", "oxygen saturation low and value"),
        ("oxygen saturation 94-96%", "oxygen saturation normal"),
        ("white blood cell count 15.2K", "white blood cell count high"),
        ("white blood cell count of 3,900", "white blood cell count low"),
        ("hemoglobin 7.1 g/dl, hemoglobin 140 g/L", "hemoglobin low, hemoglobin normal"),
        ("glucose 6.1 mmol/L, glucose 61 mg/dL", "glucose normal, glucose low"),
        ("heart rate 100.4, pulse 101", "heart rate normal, pulse high"),
        ("ejection fraction 35%", "ejection fraction low"),
        ("102F, stage 3C, 54F, 38.5C", "temperature high, stage 3C, 54F, temperature high"),
        # A dose is no result.
        ("potassium 20 mEq daily, potassium 2.9 mEq/L", "potassium value daily, potassium low"),
        # Impossible, so of no known range.
        ("sodium 999, temperature 60", "sodium value, temperature value"),
        ("5 mm stone", "size tiny stone"),
        ("6-mm and 0.9 cm", "size small and size small"),
        ("2.3 x 1.4 cm, 2 to 3 cm, 30 mm x 12 mm", "size medium, size large, size large"),
        ("15 mmHg, 5 cm H2O", "value, 5 cm H2O"),
        ("81 mg, 5 mg/kg, 2 L/min, 20-30 ml, 50%", "value, value, value, value, value"),
        ("grade 2, T12, L5, 3 stones", "grade 2, T12, L5, 3 stones"),
        ("90 degrees of flexion", "90 degrees of flexion"),
    ],
)
def test_values(text, expected):
    assert categorise_values(AlignedText.of(text)).text == expected


def test_ranges_are_in_order_and_their_units_can_be_read():
    assert len(unify._ranges()) >= 40
    for name, bands in unify._ranges().items():
        for one, other in pairwise(bands):
            assert one.start < one.stop, name
            assert one.unit != other.unit or one.stop == other.start, name
        assert {band.unit for band in bands} <= {"", *unify._UNIT_SPELLINGS}, name


def test_all_together_and_the_spans():
    report = "3 y/o w/ cough x 3 days, T 102.4, BP 95/60. R/o PNA; C-spine x-ray, T12."
    text = unify_terms(AlignedText.of(report))
    assert text.text == (
        "child with cough x days, temperature high, blood pressure normal. rule out pneumonia; C-spine x-ray, T12."
    )
    spans = {}
    for start, stop in text.word_spans:
        spans[text.text[start:stop]] = report[slice(*text.original_span(start, stop))]
    assert spans["child"] == "3 y/o"
    assert spans["cough"] == "cough"
    assert spans["days,"] == "3 days,"
    assert spans["temperature"] == "T"
    assert spans["high,"] == " 102.4,"
    assert spans["pneumonia;"] == "PNA;"
    assert spans["T12."] == "T12."


def test_another_table():
    table = Abbreviations((Abbreviation("Pn", "pneumonia"),))
    assert unify_terms(AlignedText.of("Pn, no PTX"), table).text == "pneumonia, no PTX"


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "½", "日本語のレポート"])
def test_nothing_to_unify(text):
    assert unify_terms(AlignedText.of(text)) == AlignedText.of(text)


def test_the_table_in_the_examples_holds_no_patterns():
    """Expansions are words, which the values after them can be read by."""
    for name in unify._ranges():
        assert re.fullmatch(r"[a-z0-9 -]+", name)
