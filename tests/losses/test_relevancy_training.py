"""The relevancy losses inside `compile`, `fit` and saved models."""

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

import icd_relevancy
from icd_relevancy import BHML, TLCL, WHML, RelevanceGraph, RelevancyF1Score, losses
from icd_relevancy.relevance.matching import GraphInUse

NOTES, FEATURES, LABELS = 48, 6, 8
# Keras compiles by XLA where it can; only the tests about XLA pay for that (JAX needs it for any speed).
PLAIN = keras.backend.backend() == "jax"


@pytest.fixture(scope="module")
def graph():
    """Labels 0-1 and 2-3 match each other, the rest match themselves alone."""
    weights = np.eye(LABELS)
    weights[0, 1] = weights[1, 0] = 0.9
    weights[2, 3] = weights[3, 2] = 0.8
    return RelevanceGraph.from_similarity(weights, [f"C{label}" for label in range(LABELS)], 0.76)


@pytest.fixture(scope="module")
def data():
    """Labels that a linear model can learn; some notes have none."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(NOTES, FEATURES)).astype("float32")
    y = (x @ rng.normal(size=(FEATURES, LABELS)) > 2).astype("float32")
    assert not y.any(axis=1).all()
    return x, y


@pytest.fixture(autouse=True)
def fresh_defaults():
    yield
    icd_relevancy.set_relevance(None)


def dense_model(seed=1, bias="zeros"):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(LABELS, activation="sigmoid", bias_initializer=bias),
        ]
    )


@pytest.mark.parametrize("loss", [BHML, lambda graph: WHML(0.75, graph, matching="binary")])
def test_training_lowers_the_loss(graph, data, loss):
    model = dense_model()
    model.compile(keras.optimizers.Adam(0.05), loss=loss(graph), jit_compile=PLAIN)
    history = model.fit(*data, batch_size=16, epochs=12, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.7 * history[0]


def test_compiled_by_xla_or_not_the_training_is_the_same(graph, data):
    if keras.backend.backend() == "jax":
        pytest.skip("JAX compiles by XLA in any case")
    weights = []
    for jit in (False, True):
        model = dense_model()
        model.compile(keras.optimizers.SGD(0.5), loss=WHML(0.25, graph), jit_compile=jit)
        model.fit(*data, batch_size=20, epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for plain, xla in zip(*weights, strict=True):
        assert np.isfinite(plain).all()
        np.testing.assert_allclose(plain, xla, rtol=0, atol=1e-5)


def test_eager_training_is_the_same(graph, data):
    if keras.backend.backend() == "jax":
        pytest.skip("each eager loop is compiled anew by JAX, which takes minutes")
    weights = []
    for eager in (False, True):
        model = dense_model()
        model.compile(keras.optimizers.SGD(0.5), loss=BHML(graph), run_eagerly=eager)
        model.fit(*data, batch_size=24, epochs=1, shuffle=False, verbose=0)
        weights.append(model.get_weights()[0])
    np.testing.assert_allclose(*weights, rtol=0, atol=1e-5)


def test_batches_of_a_tf_data_pipeline(graph, data):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.data belongs to TensorFlow")
    import tensorflow as tf

    model = dense_model()
    model.compile("sgd", loss=BHML(graph), jit_compile=PLAIN)
    whole = model.evaluate(*data, batch_size=NOTES, verbose=0)
    batches = tf.data.Dataset.from_tensor_slices(data).batch(NOTES)
    assert model.evaluate(batches, verbose=0) == pytest.approx(whole, rel=1e-5)
    history = model.fit(tf.data.Dataset.from_tensor_slices(data).batch(20), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_evaluate_reports_the_value_of_the_loss(graph, data):
    x, y = data
    model = dense_model()
    loss = WHML(0.75, graph)
    model.compile("sgd", loss=loss, jit_compile=PLAIN)
    expected = float(loss(y, model.predict(x, verbose=0)))
    assert model.evaluate(x, y, batch_size=NOTES, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_sample_weights_reach_the_loss(graph, data):
    x, y = data
    model = dense_model()
    model.compile("sgd", loss=BHML(graph), jit_compile=PLAIN)
    weights = np.ones(NOTES, "float32")
    weights[20:] = 0
    weighed = model.evaluate(x, y, sample_weight=weights, batch_size=NOTES, verbose=0)
    assert weighed == pytest.approx(model.evaluate(x[:20], y[:20], batch_size=20, verbose=0), rel=1e-4)


@pytest.mark.parametrize(("jit", "last"), [(PLAIN, "float32"), (True, None)])
def test_mixed_float16_trains(graph, data, jit, last):
    x, y = data
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(1)
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    outputs = keras.layers.Dense(LABELS, activation="sigmoid", dtype=last)(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.05),
        loss=WHML(0.75, graph),
        metrics=[RelevancyF1Score(relevance=graph)],
        jit_compile=jit,
    )
    history = model.fit(x, y, batch_size=16, epochs=10, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert history["loss"][-1] < history["loss"][0]


def test_half_precision_recovers_from_predicting_nothing(graph, data):
    """Scores that underflow to 0 in float16 must not leave the weights at NaN."""
    keras.config.set_dtype_policy("mixed_float16")
    model = dense_model(bias=keras.initializers.Constant(-20.0))
    model.compile(keras.optimizers.Adam(0.05), loss=BHML(graph), jit_compile=PLAIN)
    model.fit(*data, batch_size=16, epochs=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_model_of_two_inputs_and_two_outputs(graph, data):
    x, y = data
    keras.utils.set_random_seed(1)
    left, right = keras.Input((2,), name="left"), keras.Input((FEATURES - 2,), name="right")
    joined = keras.layers.Concatenate()([left, right])
    model = keras.Model(
        [left, right],
        {name: keras.layers.Dense(LABELS, "sigmoid", name=name)(joined) for name in ("first", "second")},
    )
    model.compile(
        keras.optimizers.Adam(0.05),
        loss={"first": WHML(0.75, graph), "second": TLCL(graph)},
        metrics={"first": [RelevancyF1Score(relevance=graph)]},
        jit_compile=PLAIN,
    )
    history = model.fit(
        {"left": x[:, :2], "right": x[:, 2:]}, {"first": y, "second": y}, epochs=3, verbose=0
    ).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    "loss",
    [
        lambda graph: WHML(0.75, graph, "binary", "losses"),
        TLCL,
    ],
)
def test_a_saved_model_has_the_same_loss(graph, data, tmp_path, loss):
    model = dense_model()
    model.compile(
        "adam",
        loss=loss(graph),
        metrics=[RelevancyF1Score(relevance=graph, average="macro")],
        jit_compile=PLAIN,
    )
    model.fit(*data, epochs=1, verbose=0)
    before = model.evaluate(*data, batch_size=NOTES, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*data, batch_size=NOTES, verbose=0) == pytest.approx(before, rel=1e-6)
    assert type(loaded.loss) is type(model.loss)
    assert loaded.loss.relevance.codes == graph.codes
    assert (loaded.loss.relevance.matrix != graph.matrix).nnz == 0
    loaded.fit(*data, epochs=1, verbose=0)


def test_a_model_saved_with_the_default_graph_keeps_it(graph, data, tmp_path):
    icd_relevancy.set_relevance(graph)
    model = dense_model()
    model.compile("adam", loss=BHML(), metrics=[RelevancyF1Score()], jit_compile=PLAIN)
    before = model.evaluate(*data, batch_size=NOTES, verbose=0)
    model.save(tmp_path / "model.keras")
    icd_relevancy.set_relevance(None)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*data, batch_size=NOTES, verbose=0) == pytest.approx(before, rel=1e-6)
    assert (loaded.loss.relevance.matrix != graph.matrix).nnz == 0


def test_losses_are_registered_under_the_package(graph, tmp_path):
    model = dense_model()
    model.compile("adam", loss=WHML(0.75, graph), jit_compile=PLAIN)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    assert config["compile_config"]["loss"]["registered_name"] == "icd_relevancy>WHML"


def test_one_warning_for_a_whole_training(data, monkeypatch, recwarn):
    monkeypatch.setattr(GraphInUse, "_warned", False)
    model = dense_model()
    model.compile("sgd", loss=BHML(), jit_compile=PLAIN)
    model.fit(*data, epochs=2, verbose=0)
    assert [one.filename for one in recwarn if "no relevance graph" in str(one.message)] == [__file__]


def test_a_model_of_another_width_is_refused(graph, data):
    x, y = data
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(LABELS + 1, "sigmoid")])
    model.compile("sgd", loss=BHML(graph), jit_compile=PLAIN)
    with pytest.raises(ValueError, match=r"8 codes.*Received"):
        model.fit(x, np.hstack([y, y[:, :1]]), verbose=0)


def test_the_last_batch_may_be_smaller(graph, data):
    x, y = data
    model = dense_model()
    model.compile("sgd", loss=BHML(graph), jit_compile=PLAIN)
    model.fit(x[:33], y[:33], batch_size=16, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


def test_functions_serve_as_a_loss(graph, data):
    """`tlcl` and `plcl` mix with Keras' own functions, as a custom loss does."""

    def mixed(y_true, y_pred):
        return losses.tlcl(y_true, y_pred, graph) + losses.plcl(y_true, y_pred, graph, "binary")

    model = dense_model()
    model.compile("sgd", loss=mixed, jit_compile=PLAIN)
    x, y = data
    got = model.evaluate(x, y, batch_size=NOTES, verbose=0)
    y_pred = model.predict(x, verbose=0)
    expected = ops.mean(losses.tlcl(y, y_pred, graph)) + ops.mean(losses.plcl(y, y_pred, graph, "binary"))
    assert got == pytest.approx(float(expected), rel=1e-5)
