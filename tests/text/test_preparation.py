"""The whole preparation: its switches, what it learns, and its way through JSON."""

import json
from dataclasses import replace

import pytest
from growth import grows_with_length

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError
from icd_relevancy.text import Abbreviation, Abbreviations, Cleaning, TextPreparation

REPORT = "<b>Pt</b> is a 3 y/o w/ temp 102.4. No PNA or 5 mm stones; R/o edema of the L5 level."
TERMS = ("pneumonia", "stones", "edema")
SYSTEM = CodeSystem(
    "toy",
    ("J", "J18.9"),
    {"J": "Diseases of the chest", "J18.9": "Pneumonia, unspecified"},
    {"J": None, "J18.9": "J"},
)


def prepared(text: str = REPORT, **switches) -> str:
    return TextPreparation(**{"terms": TERMS, **switches}).prepare([text])[0].text


def test_all_steps():
    assert prepared() == (
        "patient child temperature high no NOT_pneumonia size tiny NOT_stones rule out edema l5 level"
    )


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"unify": False, "negation": False, "clean": False}, REPORT),
        ({"unify": False, "negation": False}, "pt y o w temp no pna mm stones r o edema l5 level"),
        (
            {"negation": False, "clean": False},
            "<b>patient</b> is a child with temperature high. No pneumonia or size tiny stones; rule out edema of the"
            " L5 level.",
        ),
        (
            {"clean": False},
            "<b>patient</b> is a child with temperature high. No NOT_pneumonia or size tiny NOT_stones; rule out edema"
            " of the L5 level.",
        ),
        (
            {"uncertain": True, "cleaning": Cleaning(stop_words=False, lower_case=False)},
            "patient is a child with temperature high No NOT_pneumonia or size tiny NOT_stones rule out NOT_edema of"
            " the L5 level",
        ),
        (
            {"abbreviations": Abbreviations((Abbreviation("Pt", "person"),)), "negation": False},
            "person child w temp no pna size tiny stones r o edema l5 level",
        ),
    ],
)  # fmt: skip
def test_switches(switches, expected):
    assert prepared(**switches) == expected


def test_marks_on_prepared_words_are_marks_on_the_report():
    text = TextPreparation(terms=TERMS).prepare([REPORT])[0]
    assert text.original == REPORT
    marked = {text.text[slice(*span)]: REPORT[slice(*text.original_span(*span))] for span in text.word_spans}
    assert marked == {
        "patient": "Pt", "child": "3 y/o", "temperature": "temp", "high": " 102.4", "no": "No", "NOT_pneumonia": "PNA",
        "size": "5 mm", "tiny": "5 mm", "NOT_stones": "stones", "rule": "R/o", "out": "R/o", "edema": "edema",
        "l5": "L5", "level": "level",
    }  # fmt: skip


def test_fit_takes_terms_of_codes_and_of_these_notes():
    notes = ["No PTX.", "Pneumothorax and granuloma", "granuloma"]
    fitted = TextPreparation().fit(notes, SYSTEM, min_notes=2)
    # PTX counts as what it stands for.
    assert fitted.terms == ("diseases", "diseases of the chest", "granuloma", "pneumonia", "pneumothorax")
    assert TextPreparation().fit(notes, min_notes=2).terms == ("granuloma", "pneumothorax")
    assert fitted.prepare(["No PTX, effusion or PNA"])[0].text == "no NOT_pneumothorax effusion NOT_pneumonia"
    assert TextPreparation().terms == ()
    without = TextPreparation(negation=False)
    assert without.fit(notes, SYSTEM) is without


def test_not_fitted():
    with pytest.raises(InputError, match="needs terms to look for"):
        TextPreparation().prepare(["No pneumonia"])


@pytest.mark.parametrize(
    "preparation",
    [
        TextPreparation(terms=TERMS),
        TextPreparation(unify=False, negation=False, uncertain=True, clean=False, cleaning=Cleaning(numbers=False)),
        TextPreparation(abbreviations=Abbreviations((Abbreviation("MS", "morphine", ("mg", "dose*"), "ours"),))),
    ],
)  # fmt: skip
def test_round_trip(preparation):
    again = TextPreparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    assert again == preparation
    assert again.to_dict() == preparation.to_dict()


def test_round_trip_prepares_alike():
    texts = [REPORT, "", "No edema,\nPt. denies stones but has PNA; MS 2 mg", "<ul><li>No PNA</ul>"]
    fitted = replace(TextPreparation().fit(texts, SYSTEM, min_notes=1), uncertain=True)
    again = TextPreparation.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.prepare(texts) == fitted.prepare(texts)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unifies": True}, "model: unknown key 'unifies'; the keys are unify, negation"),
        ({"unify": 1}, "model: unify must be true or false"),
        ({"cleaning": {"html": True}}, "model: cleaning: unknown key 'html'; the keys are markup"),
        ({"cleaning": {"markup": "yes"}}, "model: cleaning: markup must be true or false"),
        ({"cleaning": True}, "model: cleaning must be names and values"),
        ({"terms": "pneumonia"}, "model: terms must be a list of texts"),
        ({"terms": [1]}, "model: terms must be a list of texts"),
        ({"abbreviations": "pt"}, "model: abbreviations must be a list of rows"),
        ({"abbreviations": [{"abbreviation": "pt"}]}, "model: abbreviations: row 1: no expansion"),
        ({"abbreviations": [{"name": "pt"}]}, "model: abbreviations: row 1 must be texts named abbreviation,"),
        ({"abbreviations": [{"abbreviation": "pt", "expansion": 1}]}, "model: abbreviations: row 1 must be texts"),
    ],
)  # fmt: skip
def test_bad_settings(settings, message):
    with pytest.raises(InputError) as error:
        TextPreparation.from_dict(settings, "model")
    assert message in str(error.value)


def test_what_is_left_out_has_its_default():
    assert TextPreparation.from_dict({}) == TextPreparation()


def test_no_text_in_repr():
    assert "pneumonia" not in repr(TextPreparation(terms=TERMS))


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "<br>", "½ °F"])
def test_hardly_a_note(text):
    aligned = TextPreparation(terms=TERMS).prepare([text])[0]
    assert aligned.original == text
    assert set(aligned.text) <= set("½ f")


@pytest.mark.parametrize(
    "piece",
    [
        REPORT + " ", "sodium" + " " * 50, "1 - ", "PE ", "T 1/1/1 ", "<b", "&amp", "no a , b and c ", "three ", "-- ",
        "no edema, ", "a, ", "a" * 40 + "-",
    ],
)  # fmt: skip
def test_long_notes_take_their_length_in_time(piece):
    """Ten thousand characters, and four times as many, of what patterns might stumble over."""
    preparation = TextPreparation(terms=TERMS)
    preparation.prepare([piece])
    assert grows_with_length(lambda text: preparation.prepare([text]), piece, 10_000)
