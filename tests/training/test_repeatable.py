"""Same notes, same settings, same seed, same weights: to the last digit, with a cold or warm cache or after a kill."""

import random
import shutil
from dataclasses import replace

import miniature
import numpy as np
import pytest

from icd_relevancy.data import synthetic_stays
from icd_relevancy.fitting import fit as fit_module
from icd_relevancy.training import JointCoder, MedicationCoder, MedicationConfig, NoteCoder, TrainingConfig
from icd_relevancy.training.stays.dataset import MedicationData
from icd_relevancy.training.stays.trainer import train_network
from icd_relevancy.vectors import TextToVector, TextToVectorConfig
from icd_relevancy.vectors.text_to_vector import _identity

pytestmark = pytest.mark.usefixtures("in_two_systems")
NOTES = miniature.notes(40)
EPOCHS = 2
WITH_ENCODER = ("linear", "hmhan", "plm-icd")
SETTINGS = {
    "linear": {"model": "linear", "learning_rate": 0.01},
    "linear fine-tuned": {"model": "linear", "fine_tune": True},
    "hmhan": {"model": "hmhan", "bag_of_words": True},
    "hmhan over-sampled": {"model": "hmhan", "smote": True},
    "hmhan fine-tuned and over-sampled": {"model": "hmhan", "fine_tune": True, "smote": True},
    "caml": {"model": "caml", "units": 8, "lexical": True},
    "multirescnn": {"model": "multirescnn", "units": 4},
    "laat": {"model": "laat", "units": 4, "attention_dim": 8},
    "plm-icd": {"model": "plm-icd", "attention_dim": 8, "chunk_length": 16, "dropout": 0.3},
    "plm-icd fine-tuned": {"model": "plm-icd", "fine_tune": True, "attention_dim": 8, "chunk_length": 16},
    "lexicon": {"model": "lexicon"},
    "joint": {"model": "caml", "joint": True, "units": 8},
}


@pytest.fixture
def kill(monkeypatch):
    """Undoes what a training did after its first epoch: leaves its checkpoint as a kill at that time would."""
    original = fit_module._ResumableEarlyStopping.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        original(self, epoch, logs)
        if epoch == 0 and self._checkpoint is not None:
            shutil.copy(self._checkpoint, "after the first epoch")

    monkeypatch.setattr(fit_module._ResumableEarlyStopping, "on_epoch_end", on_epoch_end)

    def undo(checkpoint):
        checkpoint.parent.mkdir(exist_ok=True)
        shutil.move("after the first epoch", checkpoint)
        # As in another process, where anything may have drawn random numbers before.
        random.seed()
        np.random.seed()

    return undo


def trained(config: TrainingConfig, **options) -> tuple:
    """The losses and the weights of a training."""
    notes, kind = (miniature.two_systems(), JointCoder) if config.joint else (NOTES, NoteCoder)
    coder = kind.train(notes, config, **options)
    one = next(iter(coder.coders.values())) if config.joint else coder
    return one.history["losses"], one.decision_threshold, coder.model.get_weights()


def check_same(one: tuple, other: tuple) -> None:
    assert one[:-1] == other[:-1]
    for left, right in zip(one[-1], other[-1], strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.fixture
def config(request, miniature_encoder) -> TrainingConfig:
    settings = {"epochs": EPOCHS, "batch_size": 8, **SETTINGS[request.param]}
    if settings["model"] != "lexicon":
        settings["max_length"] = 32
    if settings["model"] in WITH_ENCODER:
        settings["encoder"] = str(miniature_encoder)
    return TrainingConfig(**settings)


@pytest.mark.parametrize("config", SETTINGS, indirect=True)
def test_cold_and_killed_runs_of_notes(config, kill, tmp_path):
    cache, checkpoint = tmp_path / "cache", tmp_path / "state.npz"
    cold = trained(config, cache=cache, checkpoint=checkpoint)
    kill(checkpoint)
    check_same(trained(config, cache=cache, checkpoint=checkpoint), cold)  # the cache is warm now


@pytest.mark.parametrize("config", ["linear"], indirect=True)
def test_a_warm_cache_trains_the_same_from_the_start(config, tmp_path):
    cold, warm, without = (trained(config, cache=cache) for cache in (tmp_path, tmp_path, None))
    check_same(warm, cold)
    check_same(without, cold)
    assert trained(replace(config, seed=1))[0] != cold[0]


def test_medication(kill, tmp_path):
    stays = synthetic_stays(80, seed=4)
    config = MedicationConfig(hidden_layers=1, units=16, dropout=0.3, epochs=EPOCHS, batch_size=16)
    data = MedicationData.from_stays(stays, config)

    def run(checkpoint=None):
        model, history = train_network(data, config, checkpoint=checkpoint)
        return history.losses, history.validation_scores, model.get_weights()

    whole = run(tmp_path / "state.npz")
    kill(tmp_path / "state.npz")
    check_same(run(tmp_path / "state.npz"), whole)
    again = MedicationCoder.train(stays, config)
    check_same((whole[0], again.model.get_weights()), (whole[0], whole[-1]))


def test_a_mean_of_members_holds_the_networks_of_their_seeds():
    """The network of a seed does not depend on those that were trained before it."""
    stays = synthetic_stays(80, seed=4)
    config = MedicationConfig(hidden_layers=1, units=8, epochs=1, members=2)
    both = MedicationCoder.train(stays, config)
    data = MedicationData.from_stays(stays, config)
    alone = [train_network(data, replace(config, seed=seed))[0].get_weights() for seed in (1, 0)]
    check_same((both.model.get_weights(),), (alone[1] + alone[0],))


@pytest.mark.parametrize("fine_tune", [False, True])
def test_vectors_of_texts(fine_tune, kill, miniature_encoder, tmp_path):
    texts = ["cough", "fever", "pneumonia", "cough fever", "asthma and cough"] * 6
    targets = np.random.default_rng(0).normal(size=(len(texts), 3))
    config = TextToVectorConfig(
        str(miniature_encoder), fine_tune, max_length=16, epochs=EPOCHS, batch_size=8, hidden=4
    )
    state = tmp_path / "state"

    def run():
        network = TextToVector.train(texts, targets, config, tmp_path / "cache", state)
        return (network.model.get_weights(),)

    cold = run()
    assert not state.exists()
    if fine_tune:
        kill(state / f"{_identity(texts, np.float32(targets), config.filled())}.npz")
    check_same(run(), cold)
    assert not state.exists()
