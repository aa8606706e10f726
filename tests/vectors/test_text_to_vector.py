import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.vectors import TextToVector, TextToVectorConfig

TEXTS = ["cough", "fever", "pneumonia", "cough fever"] * 8
TARGETS = np.tile(np.array([[1, 0], [0, 1], [-1, 0], [0.7, 0.7]], np.float32), (8, 1))


@pytest.fixture(scope="module")
def frozen(miniature_encoder):
    config = TextToVectorConfig(
        str(miniature_encoder), max_length=16, hidden=64, learning_rate=0.03, epochs=100
    )
    return TextToVector.train(TEXTS, TARGETS, config)


def test_defaults_are_the_papers_where_the_encoder_is_trained():
    tuned, frozen = TextToVectorConfig(fine_tune=True).filled(), TextToVectorConfig().filled()
    assert (tuned.learning_rate, tuned.batch_size, tuned.epochs, tuned.max_length) == (5e-5, 32, 5, 150)
    assert (tuned.hidden, frozen.hidden) == (0, 1024)
    assert TextToVectorConfig(hidden=0, epochs=3).filled().hidden == 0


def test_it_learns_the_vectors_of_the_texts(frozen):
    errors = frozen.predict(TEXTS[:4]) - TARGETS[:4]
    assert np.abs(errors).max() < 0.1


def test_saved_and_loaded_it_says_the_same(frozen, tmp_path):
    frozen.save(tmp_path / "network")
    loaded = TextToVector.load(tmp_path / "network")
    np.testing.assert_allclose(loaded.predict(["cough"]), frozen.predict(["cough"]), atol=1e-6)
    frozen.save(tmp_path / "network")  # replaces the older one


def test_fine_tuning_moves_the_encoder_and_saves_it(miniature_encoder, tmp_path):
    config = TextToVectorConfig(
        str(miniature_encoder), fine_tune=True, max_length=16, learning_rate=0.01, epochs=30, batch_size=8
    )
    network = TextToVector.train(TEXTS, TARGETS, config, checkpoint=tmp_path / "state")
    assert np.mean((network.predict(TEXTS[:4]) - TARGETS[:4]) ** 2) < 0.5 * np.mean(TARGETS**2)
    assert not (tmp_path / "state").exists()
    network.save(tmp_path / "network")
    loaded = TextToVector.load(tmp_path / "network")
    np.testing.assert_allclose(loaded.predict(TEXTS[:2]), network.predict(TEXTS[:2]), atol=1e-5)


@pytest.fixture
def moved(miniature_encoder, tmp_path):
    """A copy of the encoder that may be moved."""
    return Path(shutil.copytree(miniature_encoder, tmp_path / "there"))


def test_on_another_machine_the_frozen_encoder_is_named_anew(moved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TextToVectorConfig("./there", max_length=16, hidden=4, epochs=1)
    network = TextToVector.train(TEXTS, TARGETS, config)
    assert network.config.encoder == str(moved)  # found from any working directory
    network.save(tmp_path / "network")
    expected = network.predict(["cough"])
    here = moved.rename(tmp_path / "here")
    with pytest.raises(InputError, match="no such encoder folder"):
        TextToVector.load(tmp_path / "network")
    loaded = TextToVector.load(tmp_path / "network", encoder="./here")
    np.testing.assert_allclose(loaded.predict(["cough"]), expected, atol=1e-6)
    loaded.save(tmp_path / "again")
    assert TextToVector.load(tmp_path / "again").config.encoder == str(here)
    (here / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncough\n")
    with pytest.raises(InputError, match="has changed since the network was trained"):
        TextToVector.load(tmp_path / "network", encoder=here)


def test_a_fine_tuned_network_needs_its_encoder_no_more_and_leaves_states_of_other_trainings(moved, tmp_path):
    (tmp_path / "states" / "another").mkdir(parents=True)
    config = TextToVectorConfig(str(moved), fine_tune=True, max_length=16, epochs=1)
    network = TextToVector.train(TEXTS, TARGETS, config, checkpoint=tmp_path / "states")
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["another"]
    network.save(tmp_path / "network")
    shutil.rmtree(moved)
    loaded = TextToVector.load(tmp_path / "network")
    assert loaded.encoder_hash == network.encoder_hash
    loaded.save(tmp_path / "again")
    again = TextToVector.load(tmp_path / "again")
    np.testing.assert_allclose(again.predict(TEXTS[:2]), network.predict(TEXTS[:2]), atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"epochs": 0}, "epochs must be at least 1. Received: epochs=0"),
        ({"epochs": -1}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"hidden": -1}, "hidden must be at least 0"),
        ({"max_length": 2}, "max_length must be at least 3"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0 and finite"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0 and finite"),
        ({"seed": -1}, "seed must be from 0 to 4294967295"),
        ({"seed": 2**32}, "seed must be from 0 to 4294967295"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, names):
    with pytest.raises(InputError, match=names):
        TextToVectorConfig(**settings)


def test_an_encoder_that_has_changed_is_refused(frozen, tmp_path):
    frozen.save(tmp_path / "network")
    told = json.loads((tmp_path / "network" / "text_to_vector.json").read_text())
    told["encoder_hash"] = "0" * 64
    (tmp_path / "network" / "text_to_vector.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="has changed since the network was trained"):
        TextToVector.load(tmp_path / "network")


@pytest.mark.parametrize(
    ("texts", "targets", "message"),
    [
        (["cough"], np.zeros((2, 3)), "1 texts need one target vector each"),
        (["cough", " "], np.zeros((2, 3)), "text 1 is blank"),
        (["cough", "fever"], [[0.0], [np.nan]], "target vector 1 holds NaN"),
    ],
)
def test_refusals(texts, targets, message):
    with pytest.raises(InputError, match=message):
        TextToVector.train(texts, targets)


def test_a_folder_without_a_network_is_refused(frozen, tmp_path):
    with pytest.raises(InputError, match="no trained text-to-vector network"):
        TextToVector.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="exists and holds no text_to_vector"):
        frozen.save(tmp_path)
