"""Attention by one query a label: against loops, by hand, over padding, and in half precision."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import InputError
from icd_relevancy.layers.label_attention import LabelAttention
from tests.layers import attention_oracles as oracles

LABELS, SIZE = 5, 4
KINDS = {
    "caml": {},
    "caml, two heads": {"heads": 2},
    "laat": {"attention_dim": 6},
    "laat, two heads": {"attention_dim": 6, "heads": 2},
}


def notes():
    return oracles.notes(SIZE)


def made(kind, **options):
    keras.utils.set_random_seed(1)
    layer = LabelAttention(LABELS, **KINDS[kind], **options)
    layer.build((None, None, SIZE))
    # Normal with deviation 0.03 would weigh all tokens alike.
    layer.queries.assign(np.random.default_rng(2).normal(size=layer.queries.shape))
    return layer


def numbers(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_the_loops(kind):
    layer = made(kind)
    projection = ops.convert_to_numpy(layer.projection) if layer.attention_dim else None
    queries = ops.convert_to_numpy(layer.queries)
    expected = oracles.label_attention(*notes(), queries, projection, layer.heads)
    got = numbers(layer(*notes(), return_attention_scores=True))
    for found, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(*notes())), got[0])


def test_the_softmax_by_hand():
    """Scores log 2 and 0 weigh two thirds and one third; a query of zeros weighs alike."""
    layer = LabelAttention(2, initial_queries=[[np.log(2), 0], [0, 0]])
    states = np.array([[[1.0, 3.0], [0.0, 6.0], [50.0, 50.0]]])
    contexts, weights = numbers(layer(states, np.array([[1, 1, 0]]), return_attention_scores=True))
    np.testing.assert_allclose(weights, [[[2 / 3, 1 / 3, 0], [1 / 2, 1 / 2, 0]]], rtol=1e-6)
    np.testing.assert_allclose(contexts, [[[2 / 3, 4], [1 / 2, 4.5]]], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind):
    layer = made(kind)
    before = numbers(layer(*notes(), return_attention_scores=True))
    after = numbers(layer(*oracles.longer(*notes()), return_attention_scores=True))
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    np.testing.assert_allclose(after[1][..., :7], before[1], atol=1e-6)
    assert not after[1][..., 7:].any()


def test_labels_may_stand_in_any_order():
    layer, order = made("laat"), [3, 0, 4, 1, 2]
    before = numbers(layer(*notes(), return_attention_scores=True))
    layer.queries.assign(ops.take(layer.queries, order, axis=0))
    for found, wanted in zip(numbers(layer(*notes(), return_attention_scores=True)), before, strict=True):
        np.testing.assert_allclose(found, wanted[:, order], atol=1e-6)


def test_products_beyond_half_precision_keep_their_order():
    """The largest score is 4 · 200 · 200 = 160,000, beyond the 65,504 where float16 ends."""
    layer = LabelAttention(1, initial_queries=[[200.0] * SIZE], dtype="mixed_float16")
    states = np.stack([np.full(SIZE, 190.0), np.full(SIZE, 200.0), np.full(SIZE, -200.0)])[None]
    contexts, weights = numbers(layer(states, np.ones((1, 3)), return_attention_scores=True))
    np.testing.assert_array_equal(weights, [[[0, 1, 0]]])
    np.testing.assert_array_equal(contexts, [[[200] * SIZE]])
    assert contexts.dtype == np.float16


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_close(kind):
    exact, half = made(kind), made(kind, dtype="mixed_float16")
    np.testing.assert_allclose(
        ops.convert_to_numpy(half(*notes())), ops.convert_to_numpy(exact(*notes())), atol=2e-2
    )


def test_queries_start_from_titles():
    titles = np.random.default_rng(3).normal(size=(LABELS, SIZE))
    plain = LabelAttention(LABELS, initial_queries=titles)
    projected = LabelAttention(LABELS, attention_dim=6, initial_queries=titles)
    given = LabelAttention(LABELS, attention_dim=6, initial_queries=np.ones((LABELS, 6)))
    for layer in (plain, projected, given):
        layer.build((None, None, SIZE))
    np.testing.assert_allclose(ops.convert_to_numpy(plain.queries), titles, rtol=1e-6)
    expected = np.tanh(titles @ ops.convert_to_numpy(projected.projection))
    np.testing.assert_allclose(ops.convert_to_numpy(projected.queries), expected, rtol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(given.queries), np.ones((LABELS, 6)))


def network(kind, **options):
    keras.utils.set_random_seed(0)
    states = keras.Input((None, SIZE))
    mask = keras.Input((None,), dtype="int32")
    contexts = LabelAttention(LABELS, **KINDS[kind], **options)(states, mask)
    outputs = keras.layers.EinsumDense("bmd,md->bm", (LABELS,), activation="sigmoid", dtype="float32")
    return keras.Model([states, mask], outputs(contexts))


def labelled():
    return oracles.labelled(SIZE, LABELS)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("kind", ["caml", "laat, two heads"])
def test_it_learns_where_to_look(kind, policy):
    keras.config.set_dtype_policy(policy)
    model = network(kind)
    # XLA, which takes seconds, of the kind that has all there is; JAX needs it for any speed.
    jit = (policy == "mixed_float16" and kind == "laat, two heads") or keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy", jit_compile=jit)
    history = oracles.losses_of_learning(model, *labelled())
    assert np.isfinite(history).all()
    assert history[-1] < 0.1 < 0.6 < history[0]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_with_its_queries(kind, tmp_path):
    width = KINDS[kind].get("attention_dim", SIZE)
    model = network(kind, initial_queries=np.random.default_rng(5).normal(size=(LABELS, width)))
    x, _ = labelled()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelAttention(0), "labels must be at least 1"),
        (lambda: LabelAttention(2, attention_dim=0), "attention_dim must be at least 1"),
        (lambda: LabelAttention(2, heads=0), "heads must be at least 1"),
        (lambda: LabelAttention(2, initial_queries=np.ones((3, 4))), r"must be 2 .* shape \(3, 4\)"),
        (lambda: LabelAttention(1, initial_queries=[[np.nan]]), "must be 1 finite rows"),
        (lambda: LabelAttention(2, heads=3).build((None, None, 4)), "3 heads do not divide the 4"),
        (
            lambda: LabelAttention(2, attention_dim=9, heads=2).build((None, None, 4)),
            "2 heads do not divide the 9 dimensions of attention_dim",
        ),
        (
            lambda: LabelAttention(2, initial_queries=np.ones((2, 3))).build((None, None, 4)),
            "initial_queries have 3 dimensions, the token states 4",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message) as refusal:
        make()
    assert "\n" not in str(refusal.value)
