"""A model and a loss of the user's own, by the paths of their functions: from settings to a folder and back."""

import json
import shutil
import sys

import keras
import miniature
import numpy as np
import pytest

from icd_relevancy.cli.main import main
from icd_relevancy.errors import InputError
from icd_relevancy.training import NoteCoder, TrainingConfig
from icd_relevancy.training.model_file import read_model

MODELS = """
from dataclasses import dataclass

import keras

from icd_relevancy.models import caml_body, lexicon_classifier
from icd_relevancy.models.by_name import note_body, note_model
from icd_relevancy.models.settings import LONG_NOTES, Attends, LexiconSettings, ReadsWords
from icd_relevancy.settings import setting


@keras.saving.register_keras_serializable(package="own")
class Halved(keras.layers.Layer):
    def call(self, states):
        return states / 2


@dataclass(frozen=True)
class MySettings(ReadsWords, Attends):
    width: int = setting(3, least=1)

    training = LONG_NOTES | {"learning_rate": 0.02, "weight_decay": 0.0, "batch_size": 8, "epochs": 3}


@note_body(MySettings, layers=[Halved, keras.layers.GaussianNoise])
def my_body(settings, given):
    body = caml_body(given.word_vectors, filters=8, width=settings.width)
    states = keras.layers.GaussianNoise(0.1)(Halved()(body.output))
    return keras.Model(body.input, states)


@note_body(MySettings)
def my_unnamed_body(settings, given):
    return my_body(settings, given)


@note_model(LexiconSettings)
def my_lexicon(settings, given):
    return lexicon_classifier(given.labels, given.beside["lexical_channels"])
"""
LOSSES = """
from dataclasses import dataclass

import keras

from icd_relevancy.losses.by_name import loss
from icd_relevancy.settings import Settings, setting


@dataclass(frozen=True)
class MyLossSettings(Settings):
    smoothing: float = setting(0.0, least=0, below=1)


@loss(MyLossSettings)
def my_loss(settings, labels):
    assert labels.y.shape[1] == len(labels.relevance.codes)
    return keras.losses.BinaryCrossentropy(label_smoothing=settings.smoothing)
"""
SETTINGS = "model: own_models:my_body\nloss: own_losses:my_loss\nwidth: 2\nsmoothing: 0.1\nepochs: 2\nmax_length: 32\n"

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture
def own(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_models.py").write_text(MODELS)
    (folder / "own_losses.py").write_text(LOSSES)
    monkeypatch.syspath_prepend(folder)
    yield folder
    forget()


def forget():
    for name in ("own_models", "own_losses"):
        sys.modules.pop(name, None)


def test_settings_of_ones_own_are_among_the_others():
    config = TrainingConfig(model="own_models:my_body", loss="own_losses:my_loss", width=7, smoothing=0.2)
    assert (config.width, config.smoothing, config.epochs, config.max_length) == (7, 0.2, 3, 4000)
    assert TrainingConfig.from_mapping(config.to_dict()) == config
    with pytest.raises(InputError, match=r"mine\.yaml: width must be at least 1"):
        TrainingConfig.from_mapping({"model": "own_models:my_body", "width": 0}, "mine.yaml")
    with pytest.raises(InputError, match=r"mine\.yaml: unknown key 'width'"):
        TrainingConfig.from_mapping({"model": "caml", "width": 3}, "mine.yaml")
    with pytest.raises(InputError, match="units is of the models caml"):
        TrainingConfig(model="own_models:my_body", units=3)


def test_a_folder_of_ones_own_model_codes_again(in_miniature, own, capsys):
    miniature.notes(40).write(in_miniature / "notes.csv")
    (in_miniature / "s.yaml").write_text(SETTINGS)
    assert main(["train", "notes.csv", "--config", "s.yaml", "--out", "model"]) == 0
    training = json.loads((in_miniature / "model" / "coder.json").read_text())["training"]
    assert (training["model"], training["loss"]) == ("own_models:my_body", "own_losses:my_loss")
    assert (training["width"], training["smoothing"]) == (2, 0.1)
    notes = miniature.notes(5, seed=1)
    scores = NoteCoder.load("model").scores(notes)
    forget()
    coder = NoteCoder.load("model")
    np.testing.assert_array_equal(coder.scores(notes), scores)
    assert coder.has_attention
    (in_miniature / "note.txt").write_text(notes.text[0])
    assert main(["predict", "model", "note.txt", "--json"]) == 0

    # Without the module the folder is refused in one line.
    forget()
    shutil.move(own / "own_models.py", own / "elsewhere.py")
    capsys.readouterr()
    assert main(["predict", "model", "note.txt"]) == 2
    message = capsys.readouterr().err
    assert "model 'own_models:my_body': there is no module own_models here; install it" in message
    assert len(message.splitlines()) == 1


def test_the_command_line_names_ones_own(in_miniature):
    miniature.notes(40).write(in_miniature / "notes.csv")
    options = ["--model", "own_models:my_lexicon", "--loss", "own_losses:my_loss", "--epochs", "1"]
    assert main(["train", "notes.csv", "--out", "model", *options]) == 0
    assert NoteCoder.load("model").has_lexicon


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "no_such:body"], "model 'no_such:body': there is no module no_such here"),
        (["--model", "own_models:your_body"], "your_body is not there in the module own_models"),
        (["--model", "own_models:caml_body"], "caml_body is not marked as a model in the module own_models"),
        (["--loss", "own_models:my_body"], "my_body is not marked as a loss in the module own_models"),
        (["--model", "medication", "--loss", "no_such:loss"], "there is no module no_such here"),
    ],
)
def test_what_is_not_there_is_one_line(in_miniature, check_refused, options, message):
    miniature.notes(10).write(in_miniature / "notes.csv")
    check_refused("train", "notes.csv", "--out", "model", *options, names=message)


def test_a_layer_that_nobody_registered_is_read_by_its_class(tmp_path):
    class Doubled(keras.layers.Layer):
        def call(self, states):
            return states * 2

    tokens = keras.Input((3,))
    model = keras.Model(tokens, keras.layers.Dense(2)(Doubled()(tokens)))
    model.save(tmp_path / "model.keras")
    read = read_model(tmp_path / "model.keras", (Doubled,))
    states = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(read.predict(states, verbose=0), model.predict(states, verbose=0))
    with pytest.raises(InputError, match="not a model of this package"):
        read_model(tmp_path / "model.keras")


def test_a_layer_that_could_not_be_read_again_is_named_before_the_training(in_miniature):
    with pytest.raises(InputError, match=r"the model has '(GaussianNoise|Halved)'") as caught:
        NoteCoder.train(
            miniature.notes(40), TrainingConfig(model="own_models:my_unnamed_body", epochs=1, max_length=32)
        )
    assert "name the class in layers=" in str(caught.value)
