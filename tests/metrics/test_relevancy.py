"""The streaming relevancy metrics: against loops and `relevancy_report`, batch by batch and in `fit`."""

import json

import keras
import numpy as np
import oracles
import pytest
from keras import ops

import icd_relevancy
from icd_relevancy import (
    RelevanceGraph,
    RelevancyF1Score,
    RelevancyFalseNegatives,
    RelevancyFalsePositives,
    RelevancyPrecision,
    RelevancyRecall,
    RelevancyTruePositives,
    relevancy_report,
)

LABELS = 10
METRICS = {"precision": RelevancyPrecision, "recall": RelevancyRecall, "f1": RelevancyF1Score}
COUNTS = {
    "true_positives": RelevancyTruePositives,
    "false_positives": RelevancyFalsePositives,
    "false_negatives": RelevancyFalseNegatives,
}
EVERY = {**METRICS, **COUNTS}
AVERAGES = ["micro", "macro", "weighted", None]


def names(labels=LABELS):
    return [f"C{label}" for label in range(labels)]


def some_graph(seed=1):
    vectors = np.random.default_rng(seed).normal(size=(LABELS, 3)) + 0.6
    return RelevanceGraph.from_similarity(oracles.cosine_matches(vectors, -1), names(), 0.7)


GRAPHS = {"some": some_graph(), "identity": RelevanceGraph.identity(names()), "none": None}


@pytest.fixture(autouse=True)
def no_default_graph():
    yield
    icd_relevancy.set_relevance(None)


def notes(count=30, labels=LABELS, seed=0):
    """Label sets and probabilities; the last label is never true, the first never predicted."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random((count, labels)) < 0.2).astype("float32")
    y_pred = rng.beta(0.4, 1, (count, labels)).astype("float32")
    y_true[:, -1] = 0
    y_pred[:, 0] = 0
    y_true[1] = 0
    y_pred[2] = 0
    y_true[3] = y_pred[3] = 0
    return y_true, y_pred


def dense(graph):
    return np.eye(LABELS) if graph is None else graph.matrix.toarray()


def in_batches(metric, y_true, y_pred, weights=None, sizes=(7, 1, 12, 10)):
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        metric.update_state(y_true[part], y_pred[part], None if weights is None else weights[part])
        start += size
    return ops.convert_to_numpy(metric.result())


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("kind", GRAPHS)
@pytest.mark.parametrize("name", EVERY)
def test_batches_add_up_to_the_formula(name, kind, average):
    graph = GRAPHS[kind]
    if name in COUNTS and average not in ("micro", None):
        with pytest.raises(ValueError, match=f"`average` must be one of .*Received: average='{average}'"):
            EVERY[name](relevance=graph, average=average)
        return
    y_true, y_pred = notes()
    counts = oracles.relevancy_counts(y_true, y_pred >= 0.3, dense(graph))
    metric = EVERY[name](relevance=graph, average=average, decision_threshold=0.3)
    got = in_batches(metric, y_true, y_pred)
    np.testing.assert_allclose(got, oracles.relevancy_score(counts, name, average), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", GRAPHS)
def test_streaming_equals_the_report(kind):
    graph = GRAPHS[kind]
    y_true, y_pred = notes()
    report = relevancy_report(y_true, y_pred >= 0.5, graph)
    for name, average, expected in (
        ("precision", "micro", report.micro_precision),
        ("recall", "micro", report.micro_recall),
        ("f1", "micro", report.micro_f1),
        ("f1", "macro", report.macro_f1),
        ("f1", "weighted", report.weighted_f1),
        ("f1", None, report.f1),
    ):
        got = in_batches(METRICS[name](relevance=graph, average=average), y_true, y_pred)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    metric = RelevancyF1Score(relevance=graph)
    in_batches(metric, y_true, y_pred)
    for counts, of_labels in COUNTS.items():
        one = of_labels(relevance=graph, average=None)
        np.testing.assert_array_equal(in_batches(one, y_true, y_pred), getattr(report, counts))
        np.testing.assert_array_equal(ops.convert_to_numpy(getattr(metric, counts)), getattr(report, counts))


def test_hand_worked_notes():
    """A and B match. Note 1: B finds A, C is missed; note 2: A and B are both justified by A."""
    graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    y_true = [[1, 0, 1], [1, 0, 0], [0, 1, 0]]
    y_pred = [[0, 1, 0], [1, 1, 0], [0, 0, 1]]
    # TP: A, A; FN: C, B; FP: C.
    expected = {
        RelevancyPrecision: {"micro": 2 / 3, "macro": 1 / 3, "weighted": 2 / 4, None: [1, 0, 0]},
        RelevancyRecall: {"micro": 2 / 4, "macro": 1 / 3, "weighted": 2 / 4, None: [1, 0, 0]},
        RelevancyF1Score: {"micro": 4 / 7, "macro": 1 / 3, "weighted": 2 / 4, None: [1, 0, 0]},
    }
    for metric, values in expected.items():
        for average, score in values.items():
            one = metric(relevance=graph, average=average)
            one.update_state(y_true, y_pred)
            np.testing.assert_allclose(ops.convert_to_numpy(one.result()), score, rtol=1e-6)


@pytest.mark.parametrize("kind", ["some", "none"])
def test_weights_count_notes_more_than_once(kind):
    y_true, y_pred = notes()
    weights = np.random.default_rng(3).integers(0, 4, 30)
    repeated = np.repeat(np.arange(30), weights)
    for metric, average in ((RelevancyF1Score, None), (RelevancyPrecision, "macro")):
        weighed = in_batches(metric(GRAPHS[kind], average), y_true, y_pred, weights.astype("float32"))
        again = metric(GRAPHS[kind], average)
        again.update_state(y_true[repeated], y_pred[repeated])
        np.testing.assert_allclose(weighed, ops.convert_to_numpy(again.result()), rtol=1e-5)
    fractions = np.random.default_rng(4).random(30).astype("float32")
    counts = oracles.relevancy_counts(y_true, y_pred >= 0.5, dense(GRAPHS[kind]), fractions)
    for name, metric in METRICS.items():
        got = in_batches(metric(GRAPHS[kind]), y_true, y_pred, fractions[:, None])
        assert got == pytest.approx(oracles.relevancy_score(counts, name, "micro"), rel=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_a_nan_is_told(name):
    """It was counted as a code that is not predicted."""
    y_true, y_pred = notes()
    y_pred[8, 3] = np.nan
    for average in ("micro", None):
        metric = EVERY[name](GRAPHS["some"], average)
        assert np.isnan(in_batches(metric, y_true, y_pred)).all()
        metric.reset_state()
        assert not np.isnan(in_batches(metric, y_true[10:], y_pred[10:])).any()


def test_counts_are_those_of_keras_for_exact_matching():
    y_true, y_pred = notes()
    for name, metric in COUNTS.items():
        keras_metric = getattr(keras.metrics, metric.__name__.removeprefix("Relevancy"))(thresholds=0.5)
        keras_metric.update_state(y_true, y_pred)
        assert in_batches(metric(GRAPHS["identity"]), y_true, y_pred) == float(keras_metric.result()), name


def test_one_weight_for_all_notes():
    y_true, y_pred = notes()
    metric = RelevancyF1Score(GRAPHS["some"])
    metric.update_state(y_true, y_pred, sample_weight=2.0)
    report = relevancy_report(y_true, y_pred >= 0.5, GRAPHS["some"])
    np.testing.assert_allclose(ops.convert_to_numpy(metric.true_positives), 2 * report.true_positives)


@pytest.mark.parametrize("kind", ["some", "none"])
def test_reset_forgets_all_batches(kind):
    y_true, y_pred = notes()
    metric = RelevancyF1Score(GRAPHS[kind])
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    first = float(metric.result())
    assert first > 0
    metric.reset_state()
    assert float(metric.result()) == 0
    metric.update_state(y_true, y_pred)
    assert float(metric.result()) == first


@pytest.mark.parametrize("kind", ["some", "none"])
@pytest.mark.parametrize("metric", METRICS.values())
def test_before_any_batch_the_score_is_zero(metric, kind):
    assert float(metric(GRAPHS[kind]).result()) == 0


def test_nothing_true_and_nothing_predicted_is_zero():
    for metric in METRICS.values():
        for average in AVERAGES:
            one = metric(GRAPHS["some"], average)
            one.update_state(np.zeros((3, LABELS)), np.zeros((3, LABELS)))
            assert np.all(ops.convert_to_numpy(one.result()) == 0)


def test_a_probability_at_the_threshold_is_predicted():
    metric = RelevancyPrecision(RelevanceGraph.identity(["A", "B"]), average=None, decision_threshold=0.25)
    metric.update_state([[1, 1]], [[0.25, 0.2499]])
    assert ops.convert_to_numpy(metric.result()).tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["int32", "int8", "bool", "float64"])
def test_labels_of_any_type(kind):
    y_true, y_pred = notes()
    expected = relevancy_report(y_true, y_pred >= 0.5, GRAPHS["some"]).micro_f1
    metric = RelevancyF1Score(GRAPHS["some"])
    metric.update_state(y_true.astype(kind), (y_pred >= 0.5).astype(kind))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


def test_the_default_graph_is_used_and_saved():
    y_true, y_pred = notes()
    icd_relevancy.set_relevance(GRAPHS["some"])
    metric = RelevancyF1Score()
    metric.update_state(y_true, y_pred)
    expected = relevancy_report(y_true, y_pred >= 0.5, GRAPHS["some"]).micro_f1
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)
    config = metric.get_config()
    icd_relevancy.set_relevance(None)
    assert (RelevancyF1Score.from_config(config).relevance.matrix != GRAPHS["some"].matrix).nnz == 0


@pytest.mark.parametrize("metric", EVERY.values())
def test_settings_survive_json(metric):
    average = "macro" if metric in METRICS.values() else "micro"
    one = metric(relevance=GRAPHS["some"], average=average, decision_threshold=0.25, name="mine")
    config = json.loads(json.dumps(keras.metrics.serialize(one)))
    assert config["registered_name"] == f"icd_relevancy>{metric.__name__}"
    for other in (metric.from_config(one.get_config()), keras.metrics.deserialize(config)):
        assert (other.average, other.decision_threshold, other.name) == (average, 0.25, "mine")
        y_true, y_pred = notes()
        assert in_batches(other, y_true, y_pred) == in_batches(
            metric(GRAPHS["some"], average, 0.25), y_true, y_pred
        )


def test_names_and_defaults():
    for name, metric in EVERY.items():
        one = metric()
        assert one.name == ("relevancy_f1" if name == "f1" else f"relevancy_{name}")
        assert (one.average, one.decision_threshold) == ("micro", 0.5)


@pytest.mark.parametrize("kind", ["some", "identity", "none"])
@pytest.mark.parametrize("is_default", [False, True])
def test_a_wrong_number_of_labels_is_refused(kind, is_default):
    y_true, y_pred = notes(labels=LABELS + 1)
    if is_default:
        icd_relevancy.set_relevance(GRAPHS[kind])
    metric = RelevancyF1Score(None if is_default else GRAPHS[kind])
    if GRAPHS[kind] is None:
        metric.update_state(y_true, y_pred)
        y_true, y_pred = notes()
    with pytest.raises(ValueError, match=r"columns, one a label|one column for each.*Received"):
        metric.update_state(y_true, y_pred)


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match=r"`average` must be one of.*Received: average='samples'"):
        RelevancyF1Score(average="samples")
    for threshold in (-0.1, 1.1, float("nan"), "high", None):
        with pytest.raises(ValueError, match=r"`decision_threshold` must lie.*Received"):
            RelevancyRecall(decision_threshold=threshold)


def model_with(metrics, jit):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(LABELS, "sigmoid")])
    model.compile("sgd", loss="binary_crossentropy", metrics=metrics, jit_compile=jit)
    return model


def inputs():
    return np.random.default_rng(0).normal(size=(30, 4)).astype("float32")


def test_in_compile_and_fit():
    graph, x = GRAPHS["some"], inputs()
    y_true, _ = notes()
    metrics = [
        RelevancyF1Score(relevance=graph, average=average, name=f"f1_{average}")
        for average in ("micro", "macro", "weighted")
    ]
    metrics += [RelevancyPrecision(graph), RelevancyRecall(), RelevancyF1Score(name="f1_default")]
    model = model_with(metrics, jit=keras.backend.backend() == "jax")
    history = model.fit(x, y_true, validation_data=(x, y_true), batch_size=15, epochs=2, verbose=0).history
    got = model.evaluate(x, y_true, batch_size=7, return_dict=True, verbose=0)
    for name, score in got.items():
        assert history[f"val_{name}"][-1] == pytest.approx(score, rel=1e-5)
    y_pred = model.predict(x, verbose=0) >= 0.5
    report, exact = relevancy_report(y_true, y_pred, graph), relevancy_report(y_true, y_pred)
    assert report.micro_f1 > exact.micro_f1
    for name, expected in (
        ("f1_micro", report.micro_f1),
        ("f1_macro", report.macro_f1),
        ("f1_weighted", report.weighted_f1),
        ("relevancy_precision", report.micro_precision),
        ("relevancy_recall", exact.micro_recall),
        ("f1_default", exact.micro_f1),
    ):
        assert got[name] == pytest.approx(expected, rel=1e-5)


def test_compiled_by_xla():
    graph, x = GRAPHS["some"], inputs()
    y_true, _ = notes()
    model = model_with([RelevancyF1Score(graph), RelevancyRecall()], jit=True)
    got = model.evaluate(x, y_true, batch_size=15, return_dict=True, verbose=0)
    y_pred = model.predict(x, verbose=0) >= 0.5
    assert got["relevancy_f1"] == pytest.approx(relevancy_report(y_true, y_pred, graph).micro_f1, rel=1e-5)
    assert got["relevancy_recall"] == pytest.approx(relevancy_report(y_true, y_pred).micro_recall, rel=1e-5)
