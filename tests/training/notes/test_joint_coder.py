"""One model of two code systems, trained, kept and loaded by `JointCoder`."""

import json
import shutil
from dataclasses import replace

import keras
import miniature
import numpy as np
import pytest
from miniature import NINE, two_systems

from icd_relevancy.data import Notes, join_notes
from icd_relevancy.errors import InputError
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.coder import load_coder
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.notes.joint_coder import JointCoder
from icd_relevancy.training.notes.models import make_model
from icd_relevancy.training.start import LexicalStart


@pytest.fixture
def cache(in_two_systems):
    return in_two_systems


def config(**settings):
    settings = {
        "model": "caml", "joint": True, "units": 16, "learning_rate": 0.02, "epochs": 12, "batch_size": 8, **settings,
    }  # fmt: skip
    return TrainingConfig(**settings)


@pytest.fixture(scope="module")
def short(two_systems_cache) -> JointCoder:
    """A coder of both systems, trained for an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICD_RELEVANCY_CACHE", str(two_systems_cache))
        return JointCoder.train(two_systems(40), config(epochs=1))


@pytest.fixture(scope="module")
def alone(two_systems_cache) -> NoteCoder:
    """A coder of one system, trained for an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICD_RELEVANCY_CACHE", str(two_systems_cache))
        return NoteCoder.train(miniature.notes(30), config(joint=False, epochs=1))


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
    for system, scores in loaded.scores(notes).items():
        np.testing.assert_allclose(scores, loaded.coder(system).scores(notes), rtol=1e-4, atol=1e-6)
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


def test_a_lexicon_learns_the_words_of_linked_codes(cache, tmp_path):
    """Notes of one system call a disease by a word that those of the other never have."""
    notes = two_systems()
    texts = [
        text.replace("hypertension", "pressure") if number % 2 else text
        for number, text in enumerate(notes.text)
    ]
    notes, asked = replace(notes, text=texts), ["Presents with pressure .", "Presents with cough ."]
    settings = {"units": None, "learning_rate": None, "epochs": 30, "model": "lexicon"}
    scores = {}
    for graph in ("weighted", "none"):
        coder = JointCoder.train(notes, config(graph=graph, **settings))
        one = coder.coder("icd10cm")
        scores[graph] = one.scores(asked)[:, one.labels.index("I10")]
    # The title of I10 does not have the word either.
    assert scores["none"][0] == scores["none"][1]
    assert scores["weighted"][0] > 2 * scores["weighted"][1]
    coder = JointCoder.train(notes, config(**settings))
    coder.save(tmp_path / "model")
    loaded = load_coder(tmp_path / "model", system="icd10")
    np.testing.assert_allclose(loaded.scores(asked), coder.coder("icd10cm").scores(asked), rtol=1e-5)
    assert loaded.evidence(asked[0], "I10")[0][:2] == (14, 22)
    (first, _) = coder.predict(asked, top_k=1)
    assert [codes[0]["code"] for codes in first.values()] == ["I10", "401.9"]


@pytest.mark.parametrize("settings", [{"graph": "none"}, {}, {"model": "caml", "lexical": True}])
def test_mentions_in_one_system_alone(cache, settings):
    notes = two_systems(40)
    mentions = [
        None if number % 2 else tuple((code, miniature.WORDS[code]) for code in codes)
        for number, codes in enumerate(notes.codes)
    ]
    config = TrainingConfig(**{"model": "lexicon", "joint": True, "epochs": 1, **settings})
    coder = JointCoder.train(replace(notes, mentions=mentions), config)
    for one in coder.coders.values():
        (lexicon,) = one.features.lexicons.values()
        assert lexicon.channels == ("titles", "synonyms", "phrases", "mention_words", "mentions")


@pytest.mark.parametrize("settings", [{"model": "lexicon", "units": None}, {"lexical": True}])
def test_each_system_starts_from_its_lexicon(cache, settings):
    data = NoteData.from_notes(two_systems(40), config(**settings))
    model = make_model(config(**settings), data)
    for labels in data.label_sets:
        rows = labels.rows(data.training)
        scores, y = data.inputs[f"lexical_{labels.name}"][rows], labels.y[rows]
        share = np.clip(np.asarray(y.mean(axis=0)).ravel(), 0.5 / len(rows), 1 - 0.5 / len(rows))
        start = LexicalStart.fit(scores, y, np.log(share / (1 - share)))
        weights = model.get_layer(f"{labels.name}_lexical_logits").channel_weights
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(weights), start.channel_weights, rtol=1e-3, atol=1e-3
        )


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


def test_a_folder_whose_labels_changed_is_refused(short, tmp_path):
    short.save(tmp_path / "model")
    path = tmp_path / "model" / "coder.json"
    whole = path.read_text()

    def check_refused(change, message):
        told = json.loads(whole)
        change(told)
        path.write_text(json.dumps(told))
        with pytest.raises(InputError, match=message):
            load_coder(tmp_path / "model")

    check_refused(lambda told: told["systems"]["icd9cm"]["labels"].pop(), "its files are of different models")
    check_refused(
        lambda told: told["systems"]["icd9cm"]["labels"].reverse(), "its files are of different models"
    )
    check_refused(lambda told: told["systems"]["icd9cm"].pop("labels"), r"systems\.icd9cm\.labels is missing")
    check_refused(lambda told: told.update(systems=["icd10cm", "icd9cm"]), 'systems must be of type "object"')
    check_refused(lambda told: told["systems"].pop("icd9cm"), "its files are of different models")


def test_a_model_of_one_system_in_a_folder_of_two_is_refused(short, alone, tmp_path):
    short.save(tmp_path / "both")
    alone.save(tmp_path / "alone")
    for one, other in (("both", "alone"), ("alone", "both")):
        shutil.copytree(tmp_path / one, tmp_path / "mixed", dirs_exist_ok=True)
        shutil.copy(tmp_path / other / "model.keras", tmp_path / "mixed")
        with pytest.raises(InputError, match="its files are of different models"):
            load_coder(tmp_path / "mixed")


def test_notes_of_one_system_are_measured_in_it(cache, short):
    notes = two_systems(20)
    (measured,) = short.evaluate(notes.select(range(1, 20, 2))).items()
    assert measured[0] == "icd9cm"
    assert measured[1]["notes"] == 10
    # One system's coder leaves out what is coded in the other.
    assert short.coder("icd9").evaluate(notes) == measured[1]
    with pytest.raises(InputError, match="no note has a code of icd10cm to compare with"):
        short.coder("icd10").evaluate(notes.select(range(1, 20, 2)))


def test_a_model_of_one_system_refuses_notes_that_name_another(cache):
    notes = of_systems(miniature.notes(20), [row == 3 for row in range(20)])
    with pytest.raises(InputError, match=r"note 'n3' has another code_system than icd10cm"):
        NoteCoder.train(notes, config(joint=False))


def test_each_system_reads_its_own_inputs(cache, recwarn):
    """Keras warns of inputs that a model does not have."""
    coder, notes = JointCoder.train(two_systems(40), config(epochs=1, lexical=True)), two_systems(10)
    for system, scores in coder.scores(notes).items():
        np.testing.assert_allclose(scores, coder.coder(system).scores(notes), rtol=1e-4, atol=1e-6)
    assert not [one for one in recwarn if "structure of `inputs`" in str(one.message)]


def test_the_whole_name_of_a_system_comes_first(short):
    coder = replace(short, coders={"icd10": short.coders["icd10cm"], "icd10am": short.coders["icd9cm"]})
    assert coder.coder("icd10") is coder.coders["icd10"]
    assert coder.coder("icd10a") is coder.coders["icd10am"]
    assert coder.coder("ICD-10-AM") is coder.coders["icd10am"]
    with pytest.raises(InputError, match="codes in icd10 and icd10am; choose one of them"):
        coder.coder("icd1")


def test_a_system_that_the_model_does_not_have_is_named(short, alone, tmp_path):
    with pytest.raises(
        InputError, match=r"codes in icd10cm and icd9cm; choose one of them\. Received: system='icd11'"
    ):
        short.coder("icd11")
    with pytest.raises(InputError, match="Received: system='icd'"):
        short.coder("icd")
    alone.save(tmp_path / "alone")
    with pytest.raises(InputError, match=r"codes in icd10cm\. Received: system='icd9'"):
        load_coder(tmp_path / "alone", system="icd9")


def of_systems(notes: Notes, nine) -> Notes:
    return replace(notes, code_system=["icd9cm" if here else "icd10cm" for here in nine])


def test_each_part_needs_notes_of_both_systems(cache):
    """All notes of one system are of one patient, hence in one part: told before anything is learned."""
    notes = two_systems(40).select([*range(0, 40, 2), 1, 3])
    notes = replace(notes, patient_id=[*map(str, range(20)), "x", "x"])
    with pytest.raises(InputError, match="no held-out note is coded in icd9cm"):
        NoteData.from_notes(notes, config(monitor="loss"))
    few = two_systems(40).select([*range(1, 40, 2), 0, 2])
    few = replace(few, patient_id=[*map(str, range(20)), "x", "x"])
    assert {refusal(few, seed) for seed in range(6)} == {"no training note", "no held-out note"}


def refusal(notes: Notes, seed: int) -> str:
    with pytest.raises(InputError) as caught:
        NoteData.from_notes(notes, config(seed=seed, validation=0.5))
    return str(caught.value).partition(" is coded in icd10cm")[0]


def test_a_system_without_labels_is_named(cache):
    notes = two_systems(40)
    empty = replace(notes, codes=[() if row % 2 else codes for row, codes in enumerate(notes.codes)])
    empty = of_systems(empty, [row % 2 for row in range(40)])
    with pytest.raises(InputError, match="no code of icd9cm is in min_count=1 notes"):
        NoteData.from_notes(empty, config())


def write_mapping(path, pairs):
    path.write_text("first,second\n" + "\n".join(map(",".join, pairs)) + "\n")
    return str(path)


def test_a_checkpoint_is_of_the_links_the_systems_and_the_mentions(cache):
    notes, pairs = two_systems(40), list(NINE.items())
    settings = {"mapping": write_mapping(cache / "pairs.csv", pairs), "lexical": True}
    one = NoteData.from_notes(notes, config(**settings)).identity
    assert NoteData.from_notes(notes, config(**settings)).identity == one
    write_mapping(cache / "pairs.csv", pairs[1:])
    assert NoteData.from_notes(notes, config(**settings)).identity != one
    write_mapping(cache / "pairs.csv", pairs)
    mentions = [((codes[0], "words"),) for codes in notes.codes]
    assert NoteData.from_notes(replace(notes, mentions=mentions), config(**settings)).identity != one
    patients = [str(row // 2) for row in range(40)]
    assert NoteData.from_notes(replace(notes, patient_id=patients), config(**settings)).identity != one
    # Which notes without codes are of which system.
    bare = replace(notes.select([0, 2]), codes=[(), ()], note_id=["a", "b"], text=["Rest.", "Sleep."])
    told = [row % 2 for row in range(40)]
    found = [
        NoteData.from_notes(
            join_notes({"": of_systems(notes, told), "-": of_systems(bare, systems)}), config(**settings)
        ).identity
        for systems in ((0, 1), (1, 0))
    ]
    assert len(set(found)) == 2


def test_the_mapping_is_told_of_each_system(cache):
    mapping = write_mapping(cache / "pairs.csv", [("I10", "401.9"), ("I10", "402.90"), ("E11.9", "250.00")])
    coders = JointCoder.train(two_systems(40), config(mapping=mapping, epochs=1)).coders
    assert coders["icd10cm"].history["links"].startswith("icd10cm: 2 of 8 labels linked")
    assert coders["icd10cm"].history["links"].endswith("1 pairs to other codes")
    assert coders["icd9cm"].history["links"].startswith("icd9cm: 2 of 8 labels linked")


def test_without_a_graph_no_mapping_is_asked_for(cache):
    data = NoteData.from_notes(two_systems(40), config(graph="none"))
    assert data.links is None
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        NoteData.from_notes(two_systems(40), config(mapping="nowhere.csv"))
