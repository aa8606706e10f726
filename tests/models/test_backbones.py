"""What all label-wise attention backbones must do: learn, ignore padding, be saved, run in half precision."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import WHML, InputError, RelevanceGraph
from icd_relevancy.metrics.multilabel import f1
from icd_relevancy.models import attention_model, head_of
from tests.layers import attention_oracles
from tests.models import backbone_oracles as oracles


@pytest.fixture(params=oracles.SIZES)
def name(request):
    return request.param


@pytest.fixture
def model(name, miniature_encoder):
    return oracles.made(name, miniature_encoder)


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")


def trained(model, loss, epochs, rate=0.02, run_eagerly=True):
    """The losses of the epochs; a graph of a training pays from some dozen steps on."""
    x, y = oracles.notes()
    model.compile(keras.optimizers.AdamW(rate), loss=loss, jit_compile=False, run_eagerly=run_eagerly)
    return model.fit(x, y, batch_size=25, epochs=epochs, verbose=0).history["loss"]


def test_it_learns_fifty_notes(name, model):
    rate = 0.005 if name == "plm_icd" else 0.02
    trained(model, "binary_crossentropy", epochs=40, rate=rate, run_eagerly=False)
    x, y = oracles.notes()
    assert f1(y.astype(int), (model.predict(x, verbose=0) > 0.5).astype(int), average="micro") > 0.95


def test_it_learns_by_a_relevancy_loss(name, miniature_encoder):
    """By the graph either of the first two codes stands for the other, so the loss falls far."""
    similarity = np.eye(oracles.LABELS)
    similarity[0, 1] = similarity[1, 0] = 0.9
    graph = RelevanceGraph.from_similarity(similarity, ["A", "B", "C", "D"], threshold=0.8)
    model = oracles.made(name, miniature_encoder)
    history = trained(model, WHML(alpha=0.5, relevance=graph), 10, 0.005 if name == "plm_icd" else 0.02)
    assert history[-1] < 0.8 * history[0]


def test_padding_changes_nothing(model):
    x, _ = oracles.notes()
    before = oracles.probabilities(model, x)
    np.testing.assert_allclose(oracles.probabilities(model, oracles.padded(x)), before, atol=1e-6)
    alone = {part: array[:1, : x["attention_mask"][0].sum()] for part, array in x.items()}
    np.testing.assert_allclose(oracles.probabilities(model, alone), before[:1], atol=1e-6)
    # What is compared depends on the words.
    x["input_ids"][0, 0] += 1
    assert np.abs(oracles.probabilities(model, x)[0] - before[0]).max() > 1e-4


def test_a_note_without_words_has_the_biases(model):
    x, _ = oracles.notes()
    layer = head_of(model).get_layer("own_logits")
    layer.bias.assign(np.log([1, 3, 1 / 3, 9]))
    np.testing.assert_allclose(oracles.probabilities(model, x)[-1], [0.5, 0.75, 0.25, 0.9], rtol=1e-6)


def test_save_and_load(model, tmp_path):
    x, _ = oracles.notes()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(oracles.probabilities(loaded, x), oracles.probabilities(model, x))
    assert sorted(loaded.input) == ["attention_mask", "input_ids"]
    found = attention_model(loaded)(x)
    weights = ops.convert_to_numpy(found["code_attention"])
    *projection, queries = head_of(model).get_layer("attention").get_weights()
    states = oracles.states_of(model, x)
    _, expected = attention_oracles.label_attention(states, x["attention_mask"], queries, *projection)
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found["probabilities"]), oracles.probabilities(model, x)
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(name, policy, miniature_encoder):
    x, _ = oracles.notes()
    exact = oracles.probabilities(oracles.made(name, miniature_encoder), x)
    keras.config.set_dtype_policy(policy)
    model = oracles.made(name, miniature_encoder)
    half = oracles.probabilities(model, x)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, exact, atol=0.02 if policy == "mixed_float16" else 0.08)
    history = trained(model, "binary_crossentropy", epochs=6, rate=0.005)
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


@pytest.mark.parametrize("word_level", oracles.WORD_LEVEL)
def test_it_starts_from_word_vectors_and_trains_them(word_level):
    vectors = np.random.default_rng(1).normal(size=(oracles.WORDS, 5)).astype("float32")
    options = {"vocabulary_size": None, "embedding_size": None, "embeddings": vectors}
    model = oracles.WORD_LEVEL[word_level](
        oracles.LABELS, dropout=0.0, **options, **oracles.SIZES[word_level]
    )
    layer = model.get_layer(f"{word_level}_body").get_layer("embedding")
    np.testing.assert_array_equal(layer.get_weights()[0], vectors)
    trained(model, "binary_crossentropy", epochs=1)
    moved = np.abs(layer.get_weights()[0] - vectors).max(axis=1)
    assert moved[1:].min() > 1e-3


@pytest.mark.parametrize("word_level", oracles.WORD_LEVEL)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either embeddings, or vocabulary_size and embedding_size"),
        ({"vocabulary_size": 9}, "either embeddings, or vocabulary_size and embedding_size"),
        ({"embeddings": [[0.0], [1.0]], "embedding_size": 1}, "either embeddings, or vocabulary_size"),
        ({"embeddings": [0.0, 1.0]}, r"finite rows \(v, d\). Received: shape \(2,\)"),
        ({"embeddings": [[0.0], [np.nan]]}, "embeddings must be finite rows"),
        ({"embeddings": [[0.0]]}, "padding, the unknown word and words. Received: 1 rows"),
        ({"vocabulary_size": 9, "embedding_size": 0}, "embedding_size must be at least 1"),
        ({"vocabulary_size": 9, "embedding_size": 4, "dropout": 1.0}, r"dropout must be in \[0, 1\)"),
    ],
)
def test_words_that_do_not_fit_are_refused(word_level, options, message):
    with pytest.raises(InputError, match=message) as refusal:
        oracles.WORD_LEVEL[word_level](3, **options)
    assert "\n" not in str(refusal.value)
