"""Notes of two code systems, made by translation."""

from dataclasses import replace

import pytest

from experiments.jams.translation import with_half_translated
from icd_relevancy.codes import CodeMapping, icd9cm, icd10cm
from icd_relevancy.data import Notes, read_notes, split_by_code_system, synthetic_notes
from icd_relevancy.errors import InputError


def test_half_of_the_groups_are_translated():
    patients = ("a", "a", "b", "c", "d", "d")
    texts = tuple("uvwxyz")
    codes = (("K83.1",), ("Z67.10",), ("R65.21", "I10"), ("Q36.9",), ("I10",), ())
    whole = Notes(texts, texts, codes, patient_id=patients)
    halves, report = with_half_translated(whole, CodeMapping.gems(), seed=0)
    expected = (("576.2",), (), ("785.52", "995.92", "401.9"), ("749.10",), ("401.9",), ())
    translated = [name == "icd9cm" for name in halves.code_system]
    for row, done in enumerate(translated):
        assert halves.codes[row] == (expected if done else codes)[row]
    # Two of the four patients, whole.
    assert len({patient for patient, done in zip(patients, translated, strict=True) if done}) == 2
    assert (translated[0], translated[4]) == (translated[1], translated[5])
    assert report.notes == sum(done and bool(row) for done, row in zip(translated, codes, strict=True))
    assert report.emptied == translated[1]
    assert (halves.text, halves.patient_id) == (texts, patients)
    annotated = replace(whole, mentions=tuple((("I50.9", "failing heart"),) for _ in whole.note_id))
    kept, _ = with_half_translated(annotated, CodeMapping.gems(), seed=0)
    assert {
        (system, known is None) for system, known in zip(kept.code_system, kept.mentions, strict=True)
    } == {
        ("icd9cm", True),
        ("icd10cm", False),
    }
    assert with_half_translated(whole, CodeMapping.gems(), seed=0)[0] == halves
    draws = {with_half_translated(whole, CodeMapping.gems(), seed=seed)[0].code_system for seed in range(9)}
    assert len(draws) > 1


def test_a_half_translated_forward():
    whole = Notes(("1", "2"), ("x", "y"), (("576.2",), ("576.2",)))
    halves, _ = with_half_translated(whole, CodeMapping.gems(), to="icd10cm")
    found = sorted(zip(halves.code_system, halves.codes, strict=True))
    assert found == [("icd10cm", ("K83.1",)), ("icd9cm", ("576.2",))]


def test_a_single_group_has_no_halves():
    with pytest.raises(InputError, match="there are no two halves"):
        with_half_translated(Notes(("1", "2"), ("Cough.", "Cough."), (("I50.9",),) * 2), CodeMapping.gems())


def test_synthetic_notes_in_two_systems(tmp_path):
    halves, _ = with_half_translated(synthetic_notes(60, n_codes=200), CodeMapping.gems())
    halves.write(tmp_path / "n.csv")
    parts = split_by_code_system(read_notes(tmp_path / "n.csv"), icd9cm(), icd10cm())
    assert sum(map(len, parts.values())) == 60
    assert min(map(len, parts.values())) > 15
    labels = {name: part.label_names() for name, part in parts.items()}
    links = CodeMapping.gems().links(*labels.values(), icd9cm(), icd10cm())
    # Nearly all codes of the translated half come from a code that some note of the other half may have.
    assert links.report.first.linked > 0.5 * len(labels["icd9cm"])
