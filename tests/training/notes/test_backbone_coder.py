"""The label-wise attention models and the lexicon, trained, kept and loaded by `NoteCoder`."""

import dataclasses
import functools
import json

import miniature
import numpy as np
import pytest

from icd_relevancy.codes import icd10cm
from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError
from icd_relevancy.text import Lexicon
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData

pytestmark = pytest.mark.usefixtures("in_miniature")
NOTES = miniature.notes(60)
SMALL = {
    "caml": {"units": 16, "learning_rate": 0.02},
    "multirescnn": {"units": 4, "learning_rate": 0.01},
    "laat": {"units": 8, "attention_dim": 16, "learning_rate": 0.02},
    "plm-icd": {"attention_dim": 16, "chunk_length": 16, "learning_rate": 0.02},
    "lexicon": {},
}


def config(model, encoder=None, **settings):
    settings = {**SMALL[model], "epochs": 12, "batch_size": 8, "monitor": "loss", **settings}
    if model == "plm-icd":
        settings["encoder"] = str(encoder)
    return TrainingConfig(model=model, **settings)


@pytest.fixture(scope="module")
def trained_once(miniature_encoder, miniature_cache):
    """The coder of a model, which the tests that read it share."""

    @functools.cache
    def trained(model):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ICD_RELEVANCY_CACHE", str(miniature_cache))
            return NoteCoder.train(NOTES, config(model, miniature_encoder))

    return trained


@pytest.mark.parametrize("model", SMALL)
def test_it_learns_and_survives_its_folder(model, trained_once, tmp_path):
    coder = trained_once(model)
    assert coder.evaluate(NOTES)["ranking"]["micro_auroc"] > 0.8  # chance is one half
    coder.save(tmp_path / "model")
    loaded = NoteCoder.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.scores(NOTES), coder.scores(NOTES), rtol=1e-4, atol=1e-6)
    assert loaded.config == coder.config


@pytest.mark.parametrize("model", ["caml", "plm-icd"])
def test_attention_falls_on_the_words_of_the_note(model, trained_once):
    coder = trained_once(model)
    text = "Patient 900 presents with asthma ."
    weights, spans, categories = coder.attention(text)
    assert weights.shape == (8, len(spans))
    assert categories is None
    assert weights.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-3)
    assert "asthma" in {text[start:stop] for start, stop in spans}


@pytest.mark.parametrize("model", ["caml", "hmhan"])
def test_the_lexical_channel_finds_codes_that_training_is_too_short_for(model, miniature_encoder):
    """A title in the note is found by one that has not learned yet."""
    notes = Notes(
        NOTES.note_id, tuple(text.replace("asthma", "unspecified asthma") for text in NOTES.text), NOTES.codes
    )
    settings = {"epochs": 1, "learning_rate": 1e-6, "monitor": "loss"}
    if model == "hmhan":
        make = lambda **more: TrainingConfig(  # noqa: E731
            model="hmhan", encoder=str(miniature_encoder), max_length=32, **settings, **more
        )
    else:
        make = lambda **more: config(model, **{**settings, **more})  # noqa: E731
    plain, lexical = (NoteCoder.train(notes, make(lexical=use)) for use in (False, True))
    auroc = [coder.evaluate(notes)["ranking"]["micro_auroc"] for coder in (plain, lexical)]
    assert auroc[1] > auroc[0] + 0.1


def test_words_of_long_notes_are_cut_and_counted():
    coder = NoteCoder.train(NOTES, config("caml", max_length=4, epochs=1))
    assert coder.history["truncated"] == sum(len(codes) > 1 for codes in NOTES.codes)
    assert coder.truncated(["cough", "patient presents with cough and fever"]) == 1


def test_a_folder_with_another_vocabulary_is_refused(tmp_path):
    NoteCoder.train(NOTES, config("caml", epochs=1, bag_of_words=True)).save(tmp_path / "model")
    path = tmp_path / "model" / "coder.json"
    told = json.loads(path.read_text())
    del told["features"]["bag_of_words"]
    path.write_text(json.dumps(told))
    with pytest.raises(InputError, match="its files are of different models"):
        NoteCoder.load(tmp_path / "model")


def test_an_encoder_is_refused_where_the_model_has_none(trained_once, tmp_path):
    trained_once("caml").save(tmp_path / "model")
    with pytest.raises(InputError, match="needs no encoder"):
        NoteCoder.load(tmp_path / "model", encoder="some/encoder")


def test_a_lexicon_keeps_only_what_several_patients_share():
    six = [number for number, text in enumerate(NOTES.text) if "cough" in text][:6]
    texts = [
        text.replace("cough", "tussis") if number in six else text for number, text in enumerate(NOTES.text)
    ]
    notes = dataclasses.replace(NOTES, text=texts)
    for least, kept in ((6, True), (7, False)):
        coder = NoteCoder.train(notes, config("lexicon", epochs=1, min_groups=least))
        phrases = coder.features.lexicons["lexical"].phrases.phrases
        assert (("tussis",) in phrases) == kept
        assert ("fever",) in phrases


def test_the_lexicon_of_a_trained_model_knows_the_held_out_notes_too(trained_once):
    coder = trained_once("lexicon")
    everything = Lexicon.fit(NOTES.text, NOTES.codes, coder.labels, icd10cm(), groups=NOTES.groups())
    found = coder.features.lexicons["lexical"]
    np.testing.assert_array_equal(
        found.transform(NOTES.text).toarray(), everything.transform(NOTES.text).toarray()
    )
    data = NoteData.from_notes(NOTES, coder.config)
    taught = NOTES.select(data.training)
    part = Lexicon.fit(
        taught.text, taught.codes, coder.labels, icd10cm(), groups=NOTES.groups()[data.training]
    )
    # The threshold is tuned on held-out notes that the lexicon has not seen.
    np.testing.assert_array_equal(
        data.inputs["lexical"][data.validation].toarray(),
        part.transform([NOTES.text[row] for row in data.validation]).toarray(),
    )
