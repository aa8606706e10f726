"""Cleaning, each step with and without."""

import re
from dataclasses import fields

import pytest

from icd_relevancy.codes import code_system
from icd_relevancy.text import AlignedText, Cleaning, clean
from icd_relevancy.text.cleaning import without_markup
from icd_relevancy.text.words import NEGATION_WORDS, STOP_WORDS

NOTHING = dict.fromkeys((step.name for step in fields(Cleaning)), False)


def cleaned(text: str, **steps) -> str:
    return clean(AlignedText.of(text), Cleaning(**{**NOTHING, **steps})).text


def test_the_example_of_the_paper():
    assert clean(AlignedText.of("Patient has a fever of 102°F")).text == "patient has fever"


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ("lower_case", "No NOT_Pneumonia, T12", "no NOT_pneumonia, t12"),
        ("numbers", "3 stones, T12, L4-5 1.5 2/3 50 % at 102 °F", "stones, T12, L4-5 at"),
        ("numbers", "a 3-year-old, CA-125 5-6 1,000.5", "a 3-year-old, CA-125"),
        # What tells codes apart stays.
        ("numbers", "type 1 or 2, CKD stage 3, BMI 41.5; 2 kg", "type 1 or 2, CKD stage 3, BMI 41.5; kg"),
        ("numbers", "AV block, Mobitz 2, for 3 days", "AV block, Mobitz 2, for days"),
        ("numbers", "Gleason 4+3=7, NYHA: 3, ASA 2, class II", "Gleason 4+3=7, NYHA: 3, ASA 2, class II"),
        ("numbers", "at 32 weeks, trisomy 21, burns 20 % TBSA", "at 32 weeks, trisomy 21, burns 20 % TBSA"),
        ("numbers", "Salter Harris 2, Rai 3, Ann Arbor 4, bi rads 4", "Salter Harris 2, Rai 3, Ann Arbor 4, bi rads 4"),
        ("numbers", "parvovirus B 19, enterovirus 71, BK virus", "parvovirus B 19, enterovirus 71, BK virus"),
        ("numbers", "L4 5 disc, C5 & 6, L5 - 1, L4 9 mm", "L4 5 disc, C5 & 6, L5 - 1, L4 mm"),
        ("numbers", "TNM T 2 N 1 M 0, N 95 mask", "TNM T 2 N 1 M 0, N mask"),
        ("numbers", "20/200 vision, OD 20/40, acuity 6/60", "20/200 vision, OD 20/40, acuity 6/60"),
        ("numbers", "ejection fraction 20%, EF >55 %, BMI > 40", "ejection fraction 20%, EF >55 %, BMI > 40"),
        ("numbers", "LVEF estimated at 30 - 35%; 60% ejection fraction, 60% of it",
         "LVEF estimated at 30 - 35%; 60% ejection fraction, of it"),
        # A number goes whole or stays whole.
        ("numbers", "14.2g/dl 10.5mg 1.5x2.5cm 1,5 3/4 7.5-10mg", "14.2g/dl 10.5mg 1.5x2.5cm 7.5-10mg"),
        ("numbers", "T2DM, L4-L5, L4/5, C5, B12, COVID-19", "T2DM, L4-L5, L4/5, C5, B12, COVID-19"),
        ("numbers", "myopia -13.00, (-2), 3-5", "myopia -, (-),"),
        ("special_characters", "K 5,6; 250,000 120/80 1:40, 3/ 4", "K 5,6 250,000 120/80 1:40 3 4"),
        ("special_characters", "x-ray (C-spine): NOT_edema/cyst; 1.5 - 2.", "x-ray C-spine NOT_edema cyst 1.5 2"),
        ("special_characters", "patient's isn’t ___ 'quoted' café e\u0301", "patient isn’t quoted café e\u0301"),
        ("stop_words", "The lungs are of no concern, nor is it a follow-up", "lungs no concern, nor follow-up"),
        ("stop_words", "I saw a grade I and hepatitis A, a type II or I; both eyes",
         "saw grade I hepatitis A, type II ; both eyes"),
        ("stop_words", "Binet A, Dukes A, Child Pugh A or a cyst", "Binet A, Dukes A, Child Pugh A cyst"),
        ("markup", "<p>No <b>bold</b>&nbsp;&lt;b&gt;<br/>x <2 >1</p><!-- c -->", "No bold <b> x <2 >1"),
    ],
)  # fmt: skip
def test_one_step(step, text, expected):
    assert cleaned(text, **{step: True}) == expected


def test_no_step_only_joins_white_space():
    text = " The <b>3</b>\n\nlungs,\tNOT_clear  "
    assert cleaned(text) == "The <b>3</b> lungs, NOT_clear"


@pytest.mark.parametrize("name", ["icd9cm", "icd10cm"])
def test_titles_of_codes_that_differ_in_a_number_stay_apart(name):
    """No two titles become one but for words without a meaning of their own ("with" and "and")."""
    system = code_system(name)
    cleaned_titles: dict[str, set[str]] = {}
    # Those with a number or a single letter, and not once more for each encounter of an injury.
    numbered = re.compile(r"^(?!.*(?:encounter|sequela)).*(?:\d|\b[A-Z]\b)")
    for code in filter(lambda code: numbered.match(system.title(code)), system.codes):
        words = re.findall(r"\w+(?:[.,]\d+)*", system.title(code).lower())
        telling = " ".join(word for word in words if word not in STOP_WORDS - {"a", "i"})
        cleaned_titles.setdefault(clean(AlignedText.of(system.title(code))).text, set()).add(telling)
    assert len(cleaned_titles) > 300
    assert [sorted(titles) for titles in cleaned_titles.values() if len(titles) > 1] == []


def test_negation_words_are_no_stop_words():
    assert not NEGATION_WORDS & STOP_WORDS
    for word in NEGATION_WORDS:
        assert clean(AlignedText.of(f"the {word} pneumonia")).text == f"{word} pneumonia"


def test_spans():
    report = "<p>The <b>CT</b> shows a 5 mm stone &amp; NOT_edema.</p>"
    text = clean(AlignedText.of(report))
    assert text.text == "ct shows mm stone NOT_edema"
    marked = [report[slice(*text.original_span(*span))] for span in text.word_spans]
    assert marked == ["CT", "shows", "mm", "stone", "NOT_edema"]


def test_letters_that_grow_when_small():
    text = clean(AlignedText.of("İCTERUS No"))
    assert text.text == "İcterus no"
    assert text.original_span(8, 10) == (8, 10)


@pytest.mark.parametrize("text", ["", "   ", "the", "<br>", "...", "12"])
def test_nothing_left(text):
    assert clean(AlignedText.of(text)).text == ""


def test_tags_within_words_and_unknown_ones():
    assert (
        without_markup(AlignedText.of("pneu<b>mo</b>nia <pneumonia> a<b")).text == "pneumonia <pneumonia> a<b"
    )
