"""Terms from titles and from notes."""

import pytest

from icd_relevancy.codes import CodeSystem, icd9cm
from icd_relevancy.text.assertion.terms import finding_words, frequent_terms, title_terms
from icd_relevancy.text.words import singular


def terms(*titles: str, inclusion: tuple[str, ...] = ()) -> tuple[str, ...]:
    codes = tuple(f"A{number}" for number in range(len(titles)))
    named = dict(zip(codes, titles, strict=True))
    return title_terms(
        CodeSystem("toy", codes, named, dict.fromkeys(codes), terms={"A0": inclusion} if inclusion else {})
    )


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Pneumonia, unspecified organism", "pneumonia"),
        ("Other and unspecified hydronephrosis", "hydronephrosis"),
        ("Pleural effusion, not elsewhere classified", "effusion|pleural effusion"),
        ("Acute otitis due to virus (any)", "acute otitis|acute otitis due to virus|otitis"),
        ("Nausea and vomiting", "nausea|nausea and vomiting|vomiting"),
        ("Chest pain", "chest pain|pain"),
        # What is ruled out, places alone and words for no finding make no term.
        ("Sepsis without septic shock", "sepsis"),
        ("Disorder of left kidney", "disorder|disorder of left kidney"),
        ("Personal history of other diseases", "history of other diseases"),
        ("Encounter for screening", ""),
        ("No diagnosis", ""),
        ("Displaced fracture of proximal end of left radius", "displaced fracture|fracture"),
    ],
)  # fmt: skip
def test_titles(title, expected):
    assert "|".join(terms(title)) == expected


def test_inclusion_terms_and_repeats():
    assert terms("Fever", "Fever, unspecified", inclusion=("Chills with fever",)) == (
        "chills",
        "chills with fever",
        "fever",
    )


def test_terms_of_icd9cm():
    icd9 = title_terms(icd9cm())
    assert icd9 == tuple(sorted(set(icd9)))
    for term in ("pneumonia", "vesicoureteral reflux", "hydronephrosis", "cough", "fever", "wheezing"):
        assert term in icd9
    for word in ("kidney", "left", "other", "unspecified", "history", "without", "no"):
        assert word not in icd9


def test_frequent_runs():
    notes = [
        "No focal infiltrate is seen. Mild cardiac enlargement.",
        "Focal infiltrate, cardiac enlargement; 2 films of the chest",
        "FOCAL infiltrate and cardiac size",
    ]
    assert frequent_terms(notes, min_notes=3) == ("focal infiltrate", "infiltrate")
    assert frequent_terms(notes, min_notes=2) == (
        "cardiac enlargement", "enlargement", "focal infiltrate", "infiltrate",
    )  # fmt: skip


def test_runs_count_once_a_note_and_end_at_marks():
    assert frequent_terms(["edema edema edema", "no edema"], min_notes=2) == ("edema",)
    assert frequent_terms(["lung, edema", "lung. edema"], min_notes=2) == ("edema",)
    assert frequent_terms([], min_notes=1) == ()
    assert frequent_terms(["", "12 3", "no of the"], min_notes=1) == ()


def test_singular():
    words = (
        "effusions abscesses boxes branches opacities metastases diagnoses sinus pus gas mass pelvis".split()
    )
    expected = "effusion abscess box branch opacity metastasis diagnosis sinus pus gas mass pelvis".split()
    assert [singular(word) for word in words] == expected
    assert all(singular(singular(word)) == singular(word) for word in words)


def test_words_of_a_title():
    assert finding_words("Other specified disorders of the right Kidney and ureters, calculi") == {
        "disorder",
        "calculi",
    }
