import json

import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.vectors import TextToVector, TextToVectorConfig

TEXTS = ["cough", "fever", "pneumonia", "cough fever"] * 8
TARGETS = np.tile(np.array([[1, 0], [0, 1], [-1, 0], [0.7, 0.7]], np.float32), (8, 1))


@pytest.fixture(scope="module")
def frozen(miniature_encoder):
    config = TextToVectorConfig(
        str(miniature_encoder), max_length=16, hidden=32, learning_rate=0.01, epochs=60
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
    assert not list((tmp_path / "state").rglob("*.h5"))
    network.save(tmp_path / "network")
    loaded = TextToVector.load(tmp_path / "network")
    np.testing.assert_allclose(loaded.predict(TEXTS[:2]), network.predict(TEXTS[:2]), atol=1e-5)


def test_an_interrupted_fine_tuning_goes_on(miniature_encoder, tmp_path, monkeypatch):
    import keras

    config = TextToVectorConfig(
        str(miniature_encoder), fine_tune=True, max_length=16, learning_rate=1e-3, epochs=4, batch_size=8
    )
    began = []
    original = keras.callbacks.BackupAndRestore.on_epoch_begin

    def killed_in_the_third(self, epoch, logs=None):
        began.append(epoch)
        if began == [0, 1, 2]:
            raise KeyboardInterrupt
        return original(self, epoch, logs)

    monkeypatch.setattr(keras.callbacks.BackupAndRestore, "on_epoch_begin", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        TextToVector.train(TEXTS, TARGETS, config, checkpoint=tmp_path)
    TextToVector.train(TEXTS, TARGETS, config, checkpoint=tmp_path)
    assert began == [0, 1, 2, 2, 3]


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
