"""What the notes of two code systems say of the labels of one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.codes import CodeMapping, icd9cm, icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.label_set import LabelSet, with_links
from icd_relevancy.vectors import CodeVectors

# V10.4 is a history of cancer in ICD-9-CM and an accident in ICD-10-CM; 401.9 and I10 are linked.
NINE, TEN = [("401.9", "V10.4"), ("V10.4",)], [("I10",), ("V10.4", "R05.9")]


@pytest.fixture
def label_sets(in_miniature, tmp_path):
    coded = np.array([True, True, False, False])
    sets = []
    for system, codes, rows in ((icd9cm(), [*NINE, (), ()], coded), (icd10cm(), [(), (), *TEN], ~coded)):
        known = sorted({code for row in codes for code in row})
        folder = tmp_path / system.name
        CodeVectors(tuple(known), np.eye(len(known), dtype=np.float32)).save(folder)
        config = TrainingConfig(code_system=system.name, vectors=str(folder))
        sets.append(
            LabelSet.from_codes(codes, rows, system, config.min_count, config.vectors, config.threshold)
        )
    return sets


def notes(mentions=None) -> Notes:
    return Notes(("1", "2", "3", "4"), ("a", "b", "c", "d"), [*NINE, *TEN], mentions=mentions)


def linked(label_sets):
    links = CodeMapping.gems().links(label_sets[0].labels, label_sets[1].labels, icd9cm(), icd10cm())
    return with_links(label_sets, links)


def test_links_lead_both_ways(label_sets):
    nine, ten = linked(label_sets)
    assert nine.linked["I10"] == {"401.9": 1.0}
    assert ten.linked["401.9"] == {"I10": 1.0}
    assert "R05.9" not in nine.linked


def test_without_links_each_system_has_its_own_notes(label_sets):
    found, carried, rows = label_sets[1].notes_to_learn(notes(), np.array([1, 3]))
    assert rows.tolist() == [3]
    assert found.text == ("d",)
    assert carried.shares.toarray().tolist() == [[0, 1, 1]]  # I10, R05.9, V10.4
    assert not carried.partial.any()


def test_with_links_the_notes_of_the_other_system_have_the_linked_labels(label_sets):
    nine, ten = linked(label_sets)
    _, carried, rows = ten.notes_to_learn(notes(), np.arange(4))
    assert rows.tolist() == [0, 1, 2, 3]
    # The V10.4 of the first two notes is another code than that of the last.
    assert carried.shares.toarray().tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert carried.partial.tolist() == [True, True, False, False]
    assert carried.told.tolist() == [True, False, False]
    _, carried, rows = nine.notes_to_learn(notes(), np.array([2, 0]))
    assert rows.tolist() == [2, 0]
    assert carried.shares.toarray().tolist() == [[1, 0], [1, 1]]  # 401.9, V10.4


def test_mentions_go_the_same_way(label_sets):
    mentions = [(("401.9", "high pressure"), ("V10.4", "a cancer")), None, (("I10", "hypertension"),), ()]
    _, ten = linked(label_sets)
    found, _, _ = ten.notes_to_learn(notes(mentions), np.arange(4))
    assert found.mentions == ((("I10", "high pressure"),), None, (("I10", "hypertension"),), ())


def test_a_code_of_several_labels_is_each_of_them_as_often_as_their_notes_say(label_sets):
    _, ten = label_sets
    y = np.array([[1, 0, 1], [1, 1, 0], [1, 1, 0], [0, 1, 1]])  # 3, 3 and 2 notes
    links = SimpleNamespace(
        edges=np.array([[0, 0], [0, 1], [1, 2]]), weights=np.array([1.0, 0.5, 0.5], np.float32)
    )
    _, found = with_links((label_sets[0], replace(ten, y=sparse.csr_matrix(y))), links)
    assert found.linked["401.9"] == pytest.approx({"I10": 3 / 4.5, "R05.9": 1.5 / 4.5})
    assert found.linked["V10.4"] == {"V10.4": 1}
    mentions = [(("401.9", "high pressure"),), None, (), ()]
    taught, carried, _ = found.notes_to_learn(notes(mentions), np.array([0]))
    # What the code is most likely is called so.
    assert taught.mentions == ((("I10", "high pressure"),),)
    np.testing.assert_allclose(carried.shares.toarray(), [[2 / 3, 1 / 3, 1]], rtol=1e-6)
