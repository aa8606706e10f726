"""HMHAN's three classifiers: against their layers by hand, from tokens as from states, and explained."""

import keras
import numpy as np
import pytest

from icd_relevancy import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import (
    attention_classifier,
    attention_model,
    head_of,
    hmhan_classifier,
    no_attention_classifier,
    note_classifier,
)
from tests.layers import attention_oracles as oracles

LABELS, SIZE, MEMBERSHIP = 3, 8, [0, 0, 1]
OPTIONS = {"units": (6, 4), "structured_size": 2, "bag_of_words_size": 5}


def small_hmhan(labels, **options):
    return hmhan_classifier(labels, MEMBERSHIP, heads=2, head_dim=3, **options)


def flat_hmhan(labels, **options):
    return small_hmhan(labels, dense_from="flat", own_logits=False, **options)


MODELS = {
    "no attention": no_attention_classifier,
    "attention": attention_classifier,
    "hmhan": small_hmhan,
    "hmhan, flat": flat_hmhan,
}


@pytest.fixture(params=MODELS)
def make(request):
    keras.utils.set_random_seed(0)
    return MODELS[request.param]


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")


def notes(count=6, length=5):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, length + 1, (count, 1))
    return {
        "states": rng.normal(size=(count, length, SIZE)).astype("float32"),
        "attention_mask": (np.arange(length) < lengths).astype("int32"),
        "structured": rng.normal(size=(count, 2)).astype("float32"),
        "bag_of_words": rng.random((count, 5)).astype("float32"),
    }


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def dense_logits(model, features):
    """Dense, layer normalisation and ReLU as often as there are units, then the linear layer."""
    number = 1
    while f"dense_{number}" in [layer.name for layer in model.layers]:
        kernel, bias = model.get_layer(f"dense_{number}").get_weights()
        features = features @ kernel + bias
        gamma, beta = model.get_layer(f"normalization_{number}").get_weights()
        spread = np.sqrt(features.var(axis=1, keepdims=True) + 1e-3)
        features = np.maximum((features - features.mean(axis=1, keepdims=True)) / spread * gamma + beta, 0)
        number += 1
    kernel, bias = model.get_layer("dense_logits").get_weights()
    return features @ kernel + bias


def contexts(model, x):
    layer = model.get_layer("attention")
    names = ("key_kernel", "value_kernel", "condition_kernel", "category_queries", "code_queries")
    weights = {name: np.asarray(getattr(layer, name)) for name in names}
    return oracles.hierarchical_attention(x["states"], x["attention_mask"], MEMBERSHIP, weights, layer.heads)


def pooled(model, x):
    """What the dense layers read, without the structured features."""
    tokens = x["attention_mask"][..., None]
    if model.name == "no_attention_classifier":
        return (x["states"] * tokens).sum(axis=1) / tokens.sum(axis=1)
    if model.name == "attention_classifier":
        projection, queries = model.get_layer("attention").get_weights()
        return oracles.label_attention(x["states"], x["attention_mask"], queries, projection)[0][:, 0]
    codes, categories, *_ = contexts(model, x)
    if "own_logits" in [layer.name for layer in model.layers]:
        return np.hstack([codes.mean(axis=1), categories.mean(axis=1)])
    return np.hstack([codes.reshape(len(codes), -1), categories.reshape(len(codes), -1)])


def test_each_model_is_what_its_layers_give(make):
    model, x = make(LABELS, embedding_size=SIZE, **OPTIONS), notes()
    lexical = np.random.default_rng(1).normal(size=(5, LABELS))
    model.get_layer("bag_of_words_logits").set_weights([lexical])
    logits = dense_logits(model, np.hstack([pooled(model, x), x["structured"]])) + x["bag_of_words"] @ lexical
    if make is small_hmhan:
        kernel, bias = model.get_layer("own_logits").get_weights()
        logits += (
            np.array([[c @ w for c, w in zip(note, kernel, strict=True)] for note in contexts(model, x)[0]])
            + bias
        )
    np.testing.assert_allclose(model.predict(x, verbose=0), sigmoid(logits), rtol=1e-4, atol=1e-6)


def test_the_words_start_without_a_say(make):
    x = notes()
    model = make(LABELS, embedding_size=SIZE, **OPTIONS)
    without = model.predict({**x, "bag_of_words": 0 * x["bag_of_words"]}, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), without)
    assert np.abs(model.predict({**x, "structured": 3 + x["structured"]}, verbose=0) - without).max() > 1e-3


def test_the_codes_own_logits_alone():
    x = {name: notes()[name] for name in ("states", "attention_mask")}
    model = small_hmhan(LABELS, embedding_size=SIZE, dense_from=None)
    kernel, bias = model.get_layer("own_logits").get_weights()
    expected = sigmoid(np.einsum("bmd,md->bm", contexts(model, x)[0], kernel) + bias)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)


@pytest.fixture
def encoder(miniature_encoder):
    return TransformerEncoder(miniature_encoder, max_length=16, return_sequence=True)


TEXTS = [
    "cough fever, chest pain.",
    "no acute renal pain",
    "fever",
    "left chest pain, cough",
    "acute",
    "right",
]


def tokens_of(encoder):
    x = notes(len(TEXTS))
    return {**encoder.tokenize(TEXTS), "structured": x["structured"], "bag_of_words": x["bag_of_words"]}


def test_the_head_on_the_encoders_states_is_the_model(make, encoder):
    model, tokens = make(LABELS, encoder=encoder, **OPTIONS), tokens_of(encoder)
    head = head_of(model)
    states = {**tokens, "states": np.asarray(encoder(tokens))}
    del states["input_ids"]
    np.testing.assert_allclose(
        head.predict(states, verbose=0), model.predict(tokens, verbose=0), rtol=1e-4, atol=1e-6
    )
    assert sorted(head.input) == ["attention_mask", "bag_of_words", "states", "structured"]
    assert sorted(model.input) == ["attention_mask", "bag_of_words", "input_ids", "structured"]
    assert model.output_names == head.output_names == ["codes"]
    # Training the head trains the model, and a model of states is its own head.
    before = model.predict(tokens, verbose=0)
    head.compile(keras.optimizers.SGD(1.0), loss="binary_crossentropy")
    head.fit(states, np.ones((len(TEXTS), LABELS)), verbose=0)
    after = model.predict(tokens, verbose=0)
    np.testing.assert_allclose(head.predict(states, verbose=0), after, rtol=1e-4, atol=1e-6)
    assert np.abs(after - before).max() > 1e-3
    assert head_of(head) is head


def test_padding_changes_nothing(make, encoder):
    model, tokens = make(LABELS, encoder=encoder, **OPTIONS), tokens_of(encoder)
    padded = {name: np.pad(tokens[name], ((0, 0), (0, 7))) for name in ("input_ids", "attention_mask")}
    np.testing.assert_allclose(
        model.predict({**tokens, **padded}, verbose=0), model.predict(tokens, verbose=0), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("fine_tuned", [False, True])
def test_the_encoder_learns_where_it_is_to(make, encoder, fine_tuned):
    encoder.trainable = fine_tuned
    model = make(LABELS, encoder=encoder, **OPTIONS | {"units": (32, 16)})
    before, tokens = encoder.fingerprint(), tokens_of(encoder)
    model.compile(keras.optimizers.AdamW(0.02), loss="binary_crossentropy")
    labels = np.eye(LABELS)[[0, 1, 2, 0, 1, 2]]
    model.fit(tokens, labels, epochs=60, verbose=0)
    assert model.evaluate(tokens, labels, verbose=0) < 0.1
    assert (encoder.fingerprint() != before) == fine_tuned


def test_save_and_load(make, encoder, tmp_path):
    model, tokens = make(LABELS, encoder=encoder, **OPTIONS), tokens_of(encoder)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0))
    for old, new in zip(head_of(model).get_weights(), head_of(loaded).get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("kind", ["attention", "hmhan", "hmhan, flat"])
def test_a_model_says_where_it_looked(kind, encoder, tmp_path):
    make = MODELS[kind]
    tokens = tokens_of(encoder)
    make(LABELS, encoder=encoder, **OPTIONS).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    states = {**tokens, "states": np.asarray(encoder(tokens))}
    ids = states.pop("input_ids")
    head = head_of(model)
    from_tokens = attention_model(model).predict(tokens, verbose=0)
    from_states = attention_model(head).predict(states, verbose=0)
    if kind == "attention":
        projection, queries = head.get_layer("attention").get_weights()
        seen = oracles.label_attention(states["states"], states["attention_mask"], queries, projection)[1]
        expected = {"token_attention": seen}
    else:
        expected = dict(
            zip(("code_attention", "category_attention"), contexts(head, states)[2:], strict=True)
        )
    for found in (from_tokens, from_states):
        assert set(found) == {"probabilities", *expected}
        np.testing.assert_allclose(found["probabilities"], model.predict(tokens, verbose=0), rtol=1e-4)
        for name, wanted in expected.items():
            assert wanted.shape[2] == ids.shape[1]
            np.testing.assert_allclose(found[name], wanted, atol=1e-5)


def test_half_precision_gives_float32_probabilities(make):
    keras.config.set_dtype_policy("mixed_float16")
    model = make(LABELS, embedding_size=SIZE, **OPTIONS)
    model.compile(keras.optimizers.AdamW(0.01), loss="binary_crossentropy")
    x = notes()
    history = model.fit(x, np.eye(LABELS)[[0, 1, 2, 0, 1, 2]], epochs=30, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]
    x["attention_mask"][0] = 0
    probabilities = model.predict(x, verbose=0)
    assert probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one of encoder and embedding_size"),
        ({"embedding_size": 4, "encoder": object()}, "exactly one of encoder and embedding_size"),
        ({"embedding_size": 4, "units": (4, 8)}, r"do not increase. Received: units=\(4, 8\)"),
        ({"embedding_size": 4, "units": (0,)}, "widths from 1"),
        ({"embedding_size": 4, "dropout": 1.0}, r"dropout must be in \[0, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(make, options, message):
    with pytest.raises(InputError, match=message) as refusal:
        make(LABELS, **options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("make_one", "message"),
    [
        (lambda: hmhan_classifier(4, MEMBERSHIP, embedding_size=4), "has 3 codes. Received: labels=4"),
        (lambda: small_hmhan(3, embedding_size=4, dense_from="max"), "dense_from must be one of"),
        (lambda: small_hmhan(3, embedding_size=4, dense_from=None, own_logits=False), "own_logits=True"),
        (lambda: small_hmhan(3, embedding_size=4, dense_from=None, structured_size=2), "no structured_size"),
        (lambda: head_of(note_classifier(3, embedding_size=4)), "note_classifier has no head"),
        (lambda: attention_model(no_attention_classifier(3, embedding_size=4)), "has no attention layer"),
    ],
)
def test_what_hmhan_cannot_be_is_refused(make_one, message):
    with pytest.raises(InputError, match=message):
        make_one()


def test_an_encoder_that_pools_is_refused(make, miniature_encoder):
    with pytest.raises(InputError, match="return_sequence=True"):
        make(LABELS, encoder=TransformerEncoder(miniature_encoder, max_length=16))
