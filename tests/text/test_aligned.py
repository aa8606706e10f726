"""`AlignedText`: every character of a changed text back to the original."""

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.text import AlignedText, clean, unify_terms

# For each text, its steps, of which every one changes something.
STEPS = (unify_terms, clean, lambda text: text.edit([(0, 0, "NOT_")]))
REPORTS = (
    "Pt is a 3 y/o w/ fever of 102°F, R/o PNA; C-spine x-ray.",
    "<p>No <b>hydro&shy;nephrosis</b></p>\n\nKidney: 5 mm stone &amp; reflux",
    "Fièvre à 39,5 °C — ﬁbrose “ancienne”, e\u0301pisode de İctère",
    "BP 160/95, SpO2 88 % on RA.  Follow-up on 10/12/2006.",
)


def test_replacing_removing_and_inserting():
    text = AlignedText.of("No PE in pt today")
    changed = text.edit([(0, 0, ">"), (3, 5, "pulmonary embolism"), (6, 9, ""), (9, 11, "patient")])
    assert changed.text == ">No pulmonary embolism patient today"
    assert changed.original == "No PE in pt today"
    assert changed.original_span(0, 3) == (0, 2)
    assert changed.original_span(4, 22) == (3, 5)
    # A part of a replacement stands for all that was replaced.
    assert changed.original_span(5, 6) == (3, 5)
    assert changed.original_span(23, 30) == (9, 11)
    assert changed.original_span(4, 30) == (3, 11)
    assert changed.original[slice(*changed.original_span(31, 36))] == "today"


def test_an_insertion_stands_for_what_it_precedes():
    text = AlignedText.of("ab").edit([(1, 1, "NOT_"), (2, 2, "!")])
    assert text.text == "aNOT_b!"
    assert [text.original_span(place, place + 1) for place in range(7)] == [(0, 1), *[(1, 2)] * 6]
    assert AlignedText.of("").edit([(0, 0, "x")]).original_span(0, 1) == (0, 0)


def test_empty_spans():
    text = AlignedText.of("abc").edit([(0, 1, "")])
    assert text.original_span(0, 0) == (1, 1)
    assert text.original_span(2, 2) == (3, 3)
    empty = text.edit([(0, 2, "")])
    assert (empty.text, empty.original_span(0, 0)) == ("", (3, 3))
    assert empty.word_spans == ()


@pytest.mark.parametrize("report", REPORTS)
def test_steps_compose(report):
    """Alignments of the steps made apart and joined are those of the steps one after the other."""
    chained = joined = AlignedText.of(report)
    for step in STEPS:
        chained = step(chained)
        joined = joined.then(step(AlignedText.of(joined.text)))
    assert joined == chained
    assert chained.original == report


def test_then_at_the_end_of_a_text():
    first = AlignedText.of("ab cd").edit([(2, 5, "")])
    later = AlignedText.of("ab").edit([(0, 2, ""), (2, 2, "")])
    assert first.then(later).original_span(0, 0) == (5, 5)
    emptied = AlignedText.of("ab").edit([(0, 2, "")])
    filled = emptied.then(AlignedText.of("").edit([(0, 0, "xy")]))
    assert filled.text == "xy"
    assert filled.original_span(0, 2) == (2, 2)
    with pytest.raises(InputError, match="another text"):
        first.then(AlignedText.of("cd"))


@pytest.mark.parametrize("report", REPORTS)
def test_unchanged_words_come_back_and_spans_never_go_backwards(report):
    text = AlignedText.of(report)
    for step in STEPS[:2]:
        text = step(text)
        assert (np.diff(text.starts) >= 0).all()
        assert (np.diff(text.stops) >= 0).all()
        assert (text.starts <= text.stops).all()
    words = report.lower().split()
    checked = 0
    for start, stop in text.word_spans:
        word = text.text[start:stop]
        if word in words:
            assert report[slice(*text.original_span(start, stop))].lower() == word
            checked += 1
    assert checked


def test_no_text_in_repr():
    assert repr(AlignedText.of("secret").edit([(0, 1, "xx")])) == "AlignedText(7 characters from 6)"


def test_equality():
    one, other = AlignedText.of("aa").edit([(0, 1, "")]), AlignedText.of("aa").edit([(1, 2, "")])
    assert one.text == other.text
    assert one != other
    assert one == AlignedText.of("aa").edit([(0, 1, "")])
    assert hash(one) == hash(other)
    assert one != "a"


def test_recast_keeps_places():
    text = AlignedText.of("A pt").edit([(2, 4, "Patient")])
    assert text.recast(text.text.lower()).original_span(2, 9) == (2, 4)
    with pytest.raises(InputError, match=r"expected 9 characters\. Received: 1"):
        text.recast("a")


@pytest.mark.parametrize("edits", [[(2, 1, "")], [(0, 2, ""), (1, 3, "")], [(3, 9, "")]])
def test_bad_edits(edits):
    with pytest.raises(InputError, match="out of order or not within"):
        AlignedText.of("abcd").edit(edits)


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 5)])
def test_bad_spans(span):
    with pytest.raises(InputError, match="in a text of 4 characters"):
        AlignedText.of("abcd").original_span(*span)
