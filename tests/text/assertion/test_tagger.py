"""Negated terms marked, their spans, and what is needed for it."""

import subprocess
import sys

import pytest
from growth import grows_with_length

from icd_relevancy.errors import InputError
from icd_relevancy.text import AlignedText, NegationTagger

TERMS = ("pneumonia", "effusion", "pleural effusion", "air-space disease", "fever", "renal mass", "stenosis")


@pytest.fixture(scope="module")
def tagger():
    return NegationTagger(TERMS)


def tag(tagger, text: str) -> str:
    return tagger.tag([AlignedText.of(text)])[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No pneumonia but effusion.", "No NOT_pneumonia but effusion."),
        ("NO PNEUMONIA", "NO NOT_PNEUMONIA"),
        # The longest term, in the plural, each word.
        ("no pleural effusions or renal masses", "no NOT_pleural NOT_effusions or NOT_renal NOT_masses"),
        ("No (pneumonia/effusion)", "No (NOT_pneumonia/NOT_effusion)"),
        ("No air-space disease", "No NOT_air-space NOT_disease"),
        ("No coronary stenoses", "No coronary NOT_stenoses"),
        ("no consolidation", "no consolidation"),
        # Pseudo-negations and what overlaps them.
        ("No change in effusion, no fever", "No change in effusion, no NOT_fever"),
        ("No change. No effusion", "No change. No NOT_effusion"),
        ("Effusion no longer seen with a fever", "NOT_Effusion no longer seen with a fever"),
        ("Fever-free, not free of effusion", "NOT_Fever-free, not free of effusion"),
        ("Effusion and free air", "Effusion and free air"),
        # Answers without a separator, cells of a table, a zero.
        ("Fever no, pneumonia yes", "NOT_Fever no, pneumonia yes"),
        ("Fever yes; pneumonia no", "Fever yes; NOT_pneumonia no"),
        ("Fever no\nPneumonia yes", "NOT_Fever no\nPneumonia yes"),
        ("Fever|no|Pneumonia|yes", "NOT_Fever|no|Pneumonia|yes"),
        ("Fever: no, pneumonia yes and effusion no", "NOT_Fever: no, pneumonia yes and NOT_effusion no"),
        ("0 effusion, fever present; grade 0 stenosis", "0 NOT_effusion, fever present; grade 0 stenosis"),
        ("No fever source", "No fever source"),
        ("Resolved pneumonia. Fever resolved.", "Resolved NOT_pneumonia. NOT_Fever resolved."),
        ("CT excluded pneumonia", "CT excluded NOT_pneumonia"),
        ("Denied fever. Fever denied.", "Denied NOT_fever. NOT_Fever denied."),
        ("Pneumonia was considered but ruled out", "NOT_Pneumonia was considered but ruled out"),
        ("Pneumonia excluded by CT", "NOT_Pneumonia excluded by CT"),
        # Line breaks wrap a sentence, or end it.
        ("No evidence of\npneumonia", "No evidence of\nNOT_pneumonia"),
        ("No evidence of\nPneumonia", "No evidence of\nNOT_Pneumonia"),
        ("No pneumonia\nEffusion", "No NOT_pneumonia\nEffusion"),
        ("no pneumonia\n\neffusion", "no NOT_pneumonia\n\neffusion"),
        ("Fever: no, effusion: yes", "NOT_Fever: no, effusion: yes"),
        ("Fever: No\nEffusion: Yes\nStenosis: No", "NOT_Fever: No\nEffusion: Yes\nNOT_Stenosis: No"),
        ("Fever:\nNo", "NOT_Fever:\nNo"),
        ("Fever\tNo\nEffusion\tYes", "NOT_Fever\tNo\nEffusion\tYes"),
        # Lists under a cue; a bullet is no minus.
        ("Denies:\n- fever\n- stenosis\n\nPneumonia", "Denies:\n- NOT_fever\n- NOT_stenosis\n\nPneumonia"),
        ("NEGATIVE FOR:\n* fever\nPneumonia", "NEGATIVE FOR:\n* NOT_fever\nPneumonia"),
        ("Findings:\n- effusion\n- fever", "Findings:\n- effusion\n- fever"),
        ("- Fever\n- Resolved pneumonia", "- Fever\n- Resolved NOT_pneumonia"),
        ("No pneumonia - effusion", "No NOT_pneumonia - effusion"),
        # Uncertain is not negated.
        ("Rule out pneumonia", "Rule out pneumonia"),
        ("History of pneumonia, cannot exclude effusion", "History of pneumonia, cannot exclude effusion"),
        ("", ""),
        ("\n \n", "\n \n"),
        ("no", "no"),
        ("Sin neumonía; no ﬁebre", "Sin neumonía; no ﬁebre"),
    ],
)
def test_tagging(tagger, text, expected):
    assert tag(tagger, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rule out pneumonia", "Rule out NOT_pneumonia"),
        ("History of pneumonia, with a fever", "History of NOT_pneumonia, with a fever"),
        ("Effusion cannot be excluded", "NOT_Effusion cannot be excluded"),
        ("Cannot exclude effusion", "Cannot exclude NOT_effusion"),
        ("Possible pneumonia but fever", "Possible NOT_pneumonia but fever"),
        ("Pneumonia should be ruled out", "NOT_Pneumonia should be ruled out"),
        ("No pneumonia but effusion.", "No NOT_pneumonia but effusion."),
    ],
)
def test_uncertain_as_negated(text, expected):
    assert tag(NegationTagger(TERMS, uncertain=True), text) == expected


def test_spans(tagger):
    earlier = AlignedText.of("No PNA, eff.").edit([(3, 6, "pneumonia"), (8, 12, "effusion.")])
    text = tagger.tag([earlier])[0]
    assert text.text == "No NOT_pneumonia, NOT_effusion."
    assert text.original_span(3, 16) == (3, 6)
    assert text.original_span(18, 30) == (8, 12)


def test_each_text_by_itself(tagger):
    texts = ["No pneumonia", "effusion", "", "no fever"]
    together = [text.text for text in tagger.tag([AlignedText.of(text) for text in texts])]
    assert together == ["No NOT_pneumonia", "effusion", "", "no NOT_fever"]
    assert together == [tag(tagger, text) for text in texts]


LINE = "No pneumonia, effusion or fever, stable renal mass and the heart is normal. "


def test_long_notes(tagger):
    assert tag(tagger, LINE * 520).count("NOT_") == 3 * 520


@pytest.mark.parametrize(
    "piece",
    [
        LINE, "fever: no ", "(-) fever ", "fever - no, ", "denies: ", "denies:\n- ", "fever? ", "; ", "+ ", ": - ",
        "fever no, ", "fever|no|", "0 fever ",
    ],
)  # fmt: skip
def test_notes_take_their_length_in_time(tagger, piece):
    assert grows_with_length(lambda text: tag(tagger, text), piece, 10_000 if piece == LINE else 2_500)


def test_no_terms():
    with pytest.raises(InputError, match=r"collect them with fit\(\)"):
        NegationTagger([])


def test_spacy_missing(monkeypatch):
    for name in ("spacy", "negspacy", "icd_relevancy.text.assertion.negex"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "spacy", None)
    tagger = NegationTagger(TERMS)
    with pytest.raises(InputError, match=r'^negation needs spaCy.*pip install "icd_relevancy\[text\]"$'):
        tagger.tag([AlignedText.of("No pneumonia")])


def test_spacy_is_not_imported_before_it_is_needed():
    code = (
        "import sys; from icd_relevancy.text import AlignedText, TextPreparation, unify_terms\n"
        "unify_terms(AlignedText.of('pt'))\n"
        "TextPreparation(negation=False).prepare(['No PNA'])\n"
        "print([name for name in ('spacy', 'negspacy', 'keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
