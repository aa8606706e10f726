"""One model of two code systems, trained, kept and loaded by `JointCoder`."""

import json

import miniature
import numpy as np
import pytest

from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.joint_coder import JointCoder, load_coder
from icd_relevancy.vectors import CodeVectors

# What ICD-9-CM has for the codes of the miniature notes.
NINE = {
    "J18.9": "486", "J15.9": "482.9", "J45.909": "493.90", "J45.901": "493.92", "I10": "401.9", "E11.9": "250.00",
    "R05.9": "786.2", "R50.9": "780.60",
}  # fmt: skip


def two_systems(count: int = 80) -> Notes:
    """The miniature notes, every other one coded in ICD-9-CM."""
    notes = miniature.notes(count)
    codes = [
        tuple(NINE[code] for code in row) if number % 2 else row for number, row in enumerate(notes.codes)
    ]
    return Notes(notes.note_id, notes.text, codes)


@pytest.fixture
def cache(in_miniature, miniature_cache):
    folder = miniature_cache / "vectors" / "icd9cm"
    if not folder.exists():
        CodeVectors(tuple(NINE.values()), np.eye(len(NINE), dtype=np.float32)).save(folder)
    return in_miniature


def config(**settings):
    settings = {
        "model": "caml", "joint": True, "units": 16, "learning_rate": 0.02, "epochs": 12, "batch_size": 8, **settings,
    }  # fmt: skip
    return TrainingConfig(**settings)


def test_one_folder_codes_notes_in_both_systems(cache, tmp_path):
    notes = two_systems()
    coder = JointCoder.train(notes, config())
    assert list(coder.coders) == ["icd10cm", "icd9cm"]
    coder.save(tmp_path / "model")
    loaded = load_coder(tmp_path / "model")
    for system, labels in (("icd10cm", NINE.keys()), ("icd9", NINE.values())):
        one = load_coder(tmp_path / "model", system=system)
        assert set(one.labels) == set(labels)
        np.testing.assert_allclose(one.scores(notes), coder.coder(system).scores(notes), rtol=1e-4, atol=1e-6)
    (both,) = loaded.predict(notes.select([0]), top_k=2)
    assert [len(codes) for codes in both.values()] == [2, 2]
    measured = loaded.evaluate(notes)
    assert all(of_system["ranking"]["micro_auroc"] > 0.75 for of_system in measured.values())
    assert [of_system["notes"] for of_system in measured.values()] == [40, 40]


def test_what_one_system_teaches_reaches_the_other(cache):
    """A code that one system's notes never have is found through its equivalent in the other."""
    notes = two_systems()
    codes = [
        row if number % 2 or "I10" not in row else tuple(code for code in row if code != "I10")
        for number, row in enumerate(notes.codes)
    ]
    # One note keeps the code, so that it is a label.
    first = next(row for row, given in enumerate(notes.codes) if "I10" in given)
    codes[first] = notes.codes[first]
    rare = Notes(notes.note_id, notes.text, codes)
    kept = [row for row, given in enumerate(codes) if given]
    coder = JointCoder.train(rare.select(kept), config(epochs=25)).coder("icd10cm")
    column = coder.labels.index("I10")
    scores = coder.scores(
        ["patient 901 presents with hypertension .", "patient 901 presents with diabetes ."]
    )
    assert scores[0, column] > scores[1, column]


@pytest.mark.parametrize("graph", ["unweighted", "one_table", "none"])
def test_the_parts_of_the_graph_can_be_left_out(cache, graph):
    coder = JointCoder.train(two_systems(40), config(graph=graph, epochs=1))
    assert {len(one.labels) for one in coder.coders.values()} == {8}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: ("QQQ.1",)}, "neither"),
        ({0: ("J18.9", "486")}, "both"),
    ],
)
def test_codes_of_no_system_or_of_two_are_refused(cache, change, message):
    notes = two_systems(20)
    codes = [change.get(row, given) for row, given in enumerate(notes.codes)]
    with pytest.raises(InputError, match=message) as caught:
        JointCoder.train(Notes(notes.note_id, notes.text, codes), config())
    assert "\n" not in str(caught.value)


def test_notes_of_one_system_are_refused(cache):
    with pytest.raises(InputError, match="icd9cm"):
        JointCoder.train(miniature.notes(20), config())


def test_a_folder_whose_labels_changed_is_refused(cache, tmp_path):
    JointCoder.train(two_systems(40), config(epochs=1)).save(tmp_path / "model")
    path = tmp_path / "model" / "coder.json"
    told = json.loads(path.read_text())
    told["systems"]["icd9cm"]["labels"].pop()
    path.write_text(json.dumps(told))
    with pytest.raises(InputError, match="its files are of different models"):
        load_coder(tmp_path / "model")


def test_a_system_that_the_model_does_not_have_is_named(cache, tmp_path):
    coder = JointCoder.train(two_systems(40), config(epochs=1))
    with pytest.raises(InputError, match=r"codes in icd10cm and icd9cm\. Received: system='icd11'"):
        coder.coder("icd11")
    with pytest.raises(InputError, match="Received: system='icd'"):
        coder.coder("icd")
    alone = NoteCoder.train(miniature.notes(30), config(joint=False, epochs=1))
    alone.save(tmp_path / "alone")
    with pytest.raises(InputError, match=r"codes in icd10cm\. Received: system='icd9'"):
        load_coder(tmp_path / "alone", system="icd9")
