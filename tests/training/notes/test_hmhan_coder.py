"""The attention models of HMHAN, trained, kept and loaded by `NoteCoder`."""

import dataclasses
import functools
import json

import miniature
import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import head_of
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.notes.trainer import NoteData

pytestmark = pytest.mark.usefixtures("in_miniature")
NOTES = miniature.notes(60)


@pytest.fixture(scope="module")
def config(miniature_encoder):
    return TrainingConfig(
        model="hmhan",
        encoder=str(miniature_encoder),
        max_length=32,
        learning_rate=0.01,
        batch_size=16,
        epochs=3,
    )


@pytest.fixture(scope="module")
def trained_once(config, miniature_cache):
    """The coder of such settings, which the tests that read it share."""

    @functools.cache
    def trained(**settings):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ICD_RELEVANCY_CACHE", str(miniature_cache))
            return NoteCoder.train(NOTES, dataclasses.replace(config, **settings))

    return trained


@pytest.mark.parametrize("attention", ["hierarchical", "flat", "single", "none"])
def test_every_attention_learns_and_survives_its_folder(trained_once, attention, tmp_path):
    coder = trained_once(attention=attention, epochs=15)
    losses = coder.history["losses"]
    assert losses[-1] < 0.8 * losses[0]
    assert coder.evaluate(NOTES)["ranking"]["micro_auroc"] > 0.6  # chance is one half
    coder.save(tmp_path / "model")
    loaded = NoteCoder.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.scores(NOTES), coder.scores(NOTES), rtol=1e-4, atol=1e-6)
    assert loaded.config == coder.config


def test_fine_tuning_trains_the_encoder_and_carries_it(config, tmp_path):
    config = dataclasses.replace(config, fine_tune=True, warm_up=0.2, weight_decay=0.01, clip_norm=1.0)
    coder = NoteCoder.train(NOTES, config)
    before = TransformerEncoder(config.encoder, max_length=32)
    assert coder._encoder.fingerprint() != before.fingerprint()
    coder.save(tmp_path / "model")
    np.testing.assert_allclose(
        NoteCoder.load(tmp_path / "model").scores(NOTES), coder.scores(NOTES), rtol=1e-4, atol=1e-6
    )


def test_bfloat16_learns_and_ranks_alike(config, tmp_path):
    """How bfloat16 rounds depends on the processor, so the losses are not compared number by number."""
    config = dataclasses.replace(config, fine_tune=True, epochs=10)
    half = NoteCoder.train(NOTES, dataclasses.replace(config, mixed_precision=True))
    whole = NoteCoder.train(NOTES, config)
    assert half._encoder.compute_dtype == "bfloat16"
    for coder in (half, whole):
        assert coder.history["losses"][-1] < 0.5 * coder.history["losses"][0]
        assert coder.evaluate(NOTES)["ranking"]["micro_auroc"] > 0.85
    half.save(tmp_path / "model")
    loaded = NoteCoder.load(tmp_path / "model")
    assert loaded._encoder.compute_dtype == "bfloat16"
    np.testing.assert_allclose(loaded.scores(NOTES), half.scores(NOTES), atol=0.05)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_over_sampling_trains_the_head(config, fine_tune, tmp_path):
    config = dataclasses.replace(config, fine_tune=fine_tune, smote=True)
    plain = NoteCoder.train(NOTES, dataclasses.replace(config, smote=False))
    coder = NoteCoder.train(NOTES, config)
    assert not np.allclose(coder.scores(NOTES), plain.scores(NOTES))
    before, after = coder.history["imbalance"]["mean"]
    assert before > after >= 1
    assert set(coder.history["imbalance"]["labels"]) <= set(coder.labels)
    coder.save(tmp_path / "model")
    np.testing.assert_allclose(
        NoteCoder.load(tmp_path / "model").scores(NOTES), coder.scores(NOTES), rtol=1e-4, atol=1e-6
    )


def test_words_and_structured_features_are_read_and_kept(config, tmp_path):
    """What the words of the note do not say, the age does: code and age belong together."""
    ages = tuple(80.0 if "I10" in codes else 5.0 for codes in NOTES.codes)
    notes = dataclasses.replace(NOTES, age=ages, sex=("female",) * len(NOTES))
    config = dataclasses.replace(config, bag_of_words=True, structured=True, epochs=10)
    coder = NoteCoder.train(notes, config)
    words = head_of(coder.model).get_layer("bag_of_words_logits").get_weights()[0]
    strongest = {label: coder.features.bag_of_words.vocabulary[words[:, at].argmax()]
                 for at, label in enumerate(coder.labels)}  # fmt: skip
    assert strongest["R50.9"].split()[-1] == "fever"
    older = coder.scores(dataclasses.replace(notes, age=(80.0,) * len(notes)))
    younger = coder.scores(dataclasses.replace(notes, age=(5.0,) * len(notes)))
    label = coder.labels.index("I10")
    assert (older[:, label] > younger[:, label]).mean() > 0.9
    coder.save(tmp_path / "model")
    np.testing.assert_allclose(
        NoteCoder.load(tmp_path / "model").scores(notes), coder.scores(notes), rtol=1e-4, atol=1e-6
    )


def test_prepared_text_is_part_of_the_model(config, tmp_path):
    config = dataclasses.replace(config, clean=True)
    coder = NoteCoder.train(NOTES, config)
    shouted = [text.upper() for text in NOTES.text]
    np.testing.assert_allclose(coder.scores(shouted), coder.scores(NOTES), rtol=1e-5)
    coder.save(tmp_path / "model")
    np.testing.assert_allclose(
        NoteCoder.load(tmp_path / "model").scores(shouted), coder.scores(shouted), rtol=1e-4, atol=1e-6
    )


def test_cut_notes_are_counted(config):
    long = dataclasses.replace(NOTES, text=(NOTES.text[0] + " with cough" * 40, *NOTES.text[1:]))
    assert NoteCoder.train(long, dataclasses.replace(config, epochs=1)).history["truncated"] == 1


@pytest.mark.parametrize("fine_tune", [False, True])
def test_attention_is_told_in_the_words_of_the_note(config, fine_tune):
    read = {"clean": True, "bag_of_words": True, "structured": True}
    coder = NoteCoder.train(NOTES, dataclasses.replace(config, fine_tune=fine_tune, epochs=1, **read))
    note = "PATIENT 12 presents with Asthma, and cough."
    weights, spans, category_weights = coder.attention(note)
    assert weights.shape == category_weights.shape == (len(coder.labels), len(spans))
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)
    words = {note[start:stop] for start, stop in spans if start < stop}
    assert {"PATIENT", "presents", "Asthma", "cough"} <= words
    assert "with" not in words  # a stop word, which the model does not read
    # Both asthmas are of one category.
    same = [coder.labels.index(code) for code in ("J45.901", "J45.909")]
    np.testing.assert_array_equal(*category_weights[same])
    assert coder.categories[same[0]] == coder.categories[same[1]] == "J45 Asthma"


def test_one_level_of_attention_and_none(trained_once):
    single = trained_once(attention="single", epochs=15)
    weights, _, category_weights = single.attention(NOTES.text[0])
    assert category_weights is None
    assert (weights == weights[0]).all()
    none = trained_once(attention="none", epochs=15)
    assert not none.has_attention
    with pytest.raises(InputError, match="no attention over tokens"):
        none.attention(NOTES.text[0])


def test_a_folder_with_other_features_is_refused(trained_once, tmp_path):
    trained_once(bag_of_words=True, epochs=1).save(tmp_path / "model")
    path = tmp_path / "model" / "coder.json"
    told = json.loads(path.read_text())
    words = told["features"]["bag_of_words"]
    fewer = {"vocabulary": words["vocabulary"][1:], "idf": words["idf"][1:]}
    for features, names in (
        ({"bag_of_words": fewer}, "different models"),
        ({}, "different models"),
        ({"bag_of_words": {}}, "features.bag_of_words.vocabulary is missing"),
        ({"nope": {}}, "features: has a name that is not known"),
        ([], "features must be of type"),
    ):
        path.write_text(json.dumps({**told, "features": features}))
        with pytest.raises(InputError, match=names):
            NoteCoder.load(tmp_path / "model")


def test_a_checkpoint_of_other_ages_or_patients_is_refused(config, tmp_path):
    one = NoteData.from_notes(NOTES, config)
    older = dataclasses.replace(NOTES, age=(80.0,) * len(NOTES))
    joined = dataclasses.replace(NOTES, patient_id=tuple(str(row // 6) for row in range(len(NOTES))))
    assert (
        len({one.identity, *(NoteData.from_notes(notes, config).identity for notes in (older, joined))}) == 3
    )
    assert NoteData.from_notes(NOTES, config).identity == one.identity


def test_one_label_and_one_note(config):
    notes = dataclasses.replace(NOTES, codes=tuple(("I10",) if "I10" in c else () for c in NOTES.codes))
    coder = NoteCoder.train(notes, dataclasses.replace(config, epochs=1))
    assert coder.scores(["patient with hypertension"]).shape == (1, 1)
    assert coder.scores([]).shape == (0, 1)
    weights, spans, _ = coder.attention("patient with hypertension")
    assert weights.shape == (1, len(spans))


def test_no_word_of_a_note_is_shown(trained_once):
    coder = trained_once(bag_of_words=True, epochs=1)
    assert "fever" in coder.features.bag_of_words.vocabulary
    assert "presents" not in repr(coder) + repr(coder.features)
