import dataclasses
import json
import shutil

import keras
import miniature
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.data import Notes, encode_labels, train_validation_split
from icd_relevancy.errors import InputError
from icd_relevancy.fitting import fit as fit_module
from icd_relevancy.losses.by_name import NOTE_LOSSES, LossLabels
from icd_relevancy.metrics import relevancy_report
from icd_relevancy.training.notes.coder import NoteCoder
from icd_relevancy.training.notes.config import TrainingConfig

pytestmark = pytest.mark.usefixtures("in_miniature")
FEW = miniature.notes(30)


@pytest.fixture
def config(miniature_encoder):
    return TrainingConfig(encoder=str(miniature_encoder), max_length=32, learning_rate=0.03, epochs=2)


@pytest.fixture(scope="module")
def coder(trained):
    return NoteCoder.load(trained / "model")


def test_the_folder_holds_all_that_a_coder_needs(trained, coder):
    told = json.loads((trained / "model" / "coder.json").read_text())
    assert {path.name for path in (trained / "model").iterdir()} == {
        "coder.json",
        "model.keras",
        "relevance.npz",
    }
    assert tuple(told["labels"]) == tuple(sorted(miniature.WORDS)) == coder.labels == coder.relevance.codes
    assert told["titles"][coder.labels.index("I10")] == "Essential (primary) hypertension"
    assert {"icd_relevancy", "keras", "tensorflow", "transformers", "numpy"} <= told["versions"].keys()
    assert len(told["encoder_sha256"]) == 64
    assert told["training"] == coder.config.to_dict()
    assert 0 <= told["decision_threshold"] <= 1
    assert list(coder.relevance.neighbours("J18.9")) == ["J15.9"]


def test_it_has_learnt_and_ranks_by_probability(coder):
    note = "patient 900 presents with asthma and fever ."
    (codes,) = coder.predict([note])
    assert [set(code) for code in codes] == [{"code", "title", "probability", "assigned"}] * 8
    notes = miniature.notes()
    best = [codes[0]["code"] for codes in coder.predict(notes.text, top_k=1)]
    assert np.mean([code in codes for code, codes in zip(best, notes.codes, strict=True)]) > 0.6
    probabilities = [code["probability"] for code in codes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(code["assigned"] == (code["probability"] >= coder.decision_threshold) for code in codes)
    assert [len(codes) for codes in coder.predict([note, note], top_k=3)] == [3, 3]


def test_the_threshold_is_tuned_on_the_notes_held_out(coder):
    notes = miniature.notes()
    y = encode_labels(notes.codes, coder.labels)
    _, held_out = train_validation_split(y, notes.groups(), coder.config.validation, coder.config.seed)
    scores = coder.scores([notes.text[row] for row in held_out])
    f1 = relevancy_report(y[held_out], sparse.csr_matrix((scores >= coder.decision_threshold).astype(int)))
    assert coder.history["validation_micro_f1"] == pytest.approx(f1.micro_f1)


def test_evaluate_on_seen_codes(coder):
    notes = miniature.notes(40, seed=9)
    found = coder.evaluate(notes)
    predicted = (coder.scores(notes.text) >= coder.decision_threshold).astype(int)
    y = encode_labels(notes.codes, coder.labels)
    assert (found["notes"], found["labels"], found["unseen_codes"]) == (40, 8, 0.0)
    assert found["equality"] == pytest.approx(relevancy_report(y, predicted).scores())
    assert found["relevancy"] == pytest.approx(relevancy_report(y, predicted, coder.relevance).scores())
    assert found["relevancy"]["micro_f1"] >= found["equality"]["micro_f1"]


def test_unseen_codes_count_as_missed(coder):
    notes = miniature.notes(40, seed=9)
    seen = coder.evaluate(notes)
    with_more = dataclasses.replace(notes, codes=tuple((*codes, miniature.UNSEEN) for codes in notes.codes))
    found = coder.evaluate(with_more)
    codes = sum(map(len, notes.codes))
    assert found["unseen_codes"] == pytest.approx(40 / (codes + 40))
    assert found["labels"] == 8
    assert found["equality"]["micro_precision"] == pytest.approx(seen["equality"]["micro_precision"])
    hits = seen["equality"]["micro_recall"] * codes
    assert found["equality"]["micro_recall"] == pytest.approx(hits / (codes + 40))
    # The code that the model never saw stands behind all eight that it knows.
    assert found["ranking"]["rank_errors@100"] == pytest.approx(np.mean([8 - len(c) for c in notes.codes]))


def test_unseen_codes_are_missed_even_where_the_threshold_is_zero(coder):
    always = dataclasses.replace(coder, decision_threshold=0.0)
    found = always.evaluate(Notes(("a",), ("patient with cough",), (("R05.9", miniature.UNSEEN),)))
    assert found["equality"]["micro_recall"] == 0.5
    assert found["equality"]["micro_precision"] == pytest.approx(1 / 8)


def test_a_moved_folder_codes_alike(trained, coder, tmp_path):
    shutil.copytree(trained / "model", tmp_path / "elsewhere")
    moved = NoteCoder.load(tmp_path / "elsewhere")
    np.testing.assert_array_equal(moved.scores(FEW.text), coder.scores(FEW.text))


def test_fine_tuning_needs_no_encoder_afterwards(config, miniature_encoder, tmp_path):
    shutil.copytree(miniature_encoder, tmp_path / "encoder")
    tuned = NoteCoder.train(
        FEW,
        dataclasses.replace(config, fine_tune=True, encoder=str(tmp_path / "encoder")),
    )
    expected = tuned.scores(FEW.text)
    tuned.save(tmp_path / "tuned")
    shutil.rmtree(tmp_path / "encoder")
    np.testing.assert_allclose(NoteCoder.load(tmp_path / "tuned").scores(FEW.text), expected, atol=1e-6)


class KilledError(Exception):
    pass


def test_a_checkpoint_of_other_settings_is_refused(config, tmp_path):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):  # noqa: PT012
        patch.setattr(
            fit_module._ResumableEarlyStopping,
            "restore_best",
            lambda self: (_ for _ in ()).throw(KilledError),
        )
        NoteCoder.train(FEW, config, checkpoint=tmp_path / "c.npz")
    with pytest.raises(InputError, match="settings or the notes have changed"):
        NoteCoder.train(FEW, dataclasses.replace(config, loss="bhml"), checkpoint=tmp_path / "c.npz")
    longer = NoteCoder.train(FEW, dataclasses.replace(config, epochs=3), checkpoint=tmp_path / "c.npz")
    assert longer.history["epochs"] == 3


def test_another_encoder_is_refused(trained, coder, tmp_path, miniature_encoder):
    shutil.copytree(miniature_encoder, tmp_path / "other")
    described = json.loads((tmp_path / "other" / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps({**described, "layer_norm_eps": 1e-6}))
    other = dataclasses.replace(
        coder, config=dataclasses.replace(coder.config, encoder=str(tmp_path / "other"))
    )
    with pytest.raises(InputError, match="other: not the one this model was trained on"):
        other.scores(["cough"])


@pytest.mark.parametrize("length", [0, 10, 500, -20])
@pytest.mark.parametrize("name", ["coder.json", "model.keras", "relevance.npz"])
def test_a_truncated_folder_is_named(trained, tmp_path, name, length):
    shutil.copytree(trained / "model", tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=name) as caught:
        NoteCoder.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["coder.json", "model.keras", "relevance.npz"])
def test_an_incomplete_folder_is_named(trained, tmp_path, name):
    shutil.copytree(trained / "model", tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(InputError, match=f"model: not a trained model \\({name} is missing"):
        NoteCoder.load(tmp_path / "model")


def test_a_damaged_middle_is_named(trained, tmp_path):
    shutil.copytree(trained / "model", tmp_path / "model")
    path = tmp_path / "model" / "model.keras"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = (byte ^ 0xFF for byte in content[middle : middle + 400])
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.keras"):
        NoteCoder.load(tmp_path / "model")


def test_a_full_disk_leaves_the_old_folder(trained, coder, tmp_path, monkeypatch):
    shutil.copytree(trained / "model", tmp_path / "model")
    before = (tmp_path / "model" / "coder.json").read_bytes()

    def full(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.raises(InputError, match="model: the disk is full"):
        dataclasses.replace(coder, decision_threshold=0.1).save(tmp_path / "model")
    assert (tmp_path / "model" / "coder.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("codes", "settings", "message"),
    [
        ((), {}, "there are no labels"),
        (("R05.9",), {"min_count": 99}, "there are no labels"),
        (("QQ9",), {}, "first 'QQ9' of note 'n0'"),
        (("A00.0",), {}, "label 'A00.0' has no vector"),
        (("R05.9",), {"vectors": "nowhere"}, "nowhere"),
        (("R05.9",), {"encoder": "/nowhere/encoder"}, "/nowhere/encoder"),
        (("R05.9",), {"max_length": 1000}, "max_length"),
    ],
)
def test_bad_input_is_named(config, codes, settings, message):
    notes = dataclasses.replace(FEW, codes=(codes,) * len(FEW))
    with pytest.raises(InputError, match=message):
        NoteCoder.train(notes, dataclasses.replace(config, **settings))


def test_one_patient_cannot_be_held_out(config):
    notes = dataclasses.replace(FEW, patient_id=("p",) * len(FEW))
    with pytest.raises(InputError, match="none can be held out"):
        NoteCoder.train(notes, config)


def test_losses_by_name(coder):
    def loss_of(config, graph):
        return NOTE_LOSSES.find(config.loss)(config.loss_own, LossLabels(relevance=graph))

    graph = coder.relevance
    names = {"bce": "BinaryCrossentropy", "tlcl": "TLCL", "plcl": "PLCL", "bhml": "BHML", "whml": "WHML"}
    for name, expected in names.items():
        assert type(loss_of(TrainingConfig(loss=name), graph)).__name__ == expected
    loss = loss_of(TrainingConfig(loss="whml", alpha=0.25, matching="binary", harmonic_of="losses"), graph)
    assert (loss.alpha, loss.matching, loss.harmonic_of) == (0.25, "binary", "losses")
