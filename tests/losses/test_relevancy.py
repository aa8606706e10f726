"""The relevancy losses: against loops, their limits, weights and gradients."""

import json
import math
import warnings

import keras
import numpy as np
import oracles
import pytest
from keras import ops

import icd_relevancy
from icd_relevancy import BHML, PLCL, TLCL, WHML, RelevanceGraph, losses
from tests.losses.hierarchy_oracles import gradient

LABELS = 12
LOSSES = [TLCL, PLCL, BHML, WHML]


def names(labels=LABELS):
    return [f"C{label}" for label in range(labels)]


def graph_of(kind):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(LABELS, 3)) + 0.6
    vectors[4] = vectors[2]
    thresholds = {"tau 0": 0.0, "tau 1": 1.0, "some": 0.7}
    if kind in thresholds:
        return RelevanceGraph.from_similarity(oracles.cosine_matches(vectors, -1), names(), thresholds[kind])
    if kind == "identity":
        return RelevanceGraph.identity(names())
    hub = np.zeros((LABELS, LABELS))
    hub[3] = hub[:, 3] = 0.8
    return RelevanceGraph.from_similarity(hub, names(), 0.5)


GRAPHS = ["tau 0", "tau 1", "some", "identity", "hub"]


def notes(predictions="soft", count=9, labels=LABELS, seed=0):
    """Label sets from none to all, with predictions from none to all."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random((count, labels)) < 0.25).astype("float32")
    y_pred = rng.random((count, labels)).astype("float32")
    if predictions == "hard":
        y_pred = (y_pred < 0.25).astype("float32")
    y_true[1], y_true[2] = 0, 1
    y_pred[3], y_pred[4] = 0, 1
    y_true[5] = y_pred[5] = 0
    return y_true, y_pred


def delta(graph, matching):
    dense = graph.matrix.toarray().astype(float)
    if matching == "graded":
        return dense
    stored = graph.matrix.copy()
    stored.data[:] = 1
    return stored.toarray()


def value(loss, *arguments, **keywords):
    return float(ops.convert_to_numpy(loss(*arguments, **keywords)))


@pytest.fixture
def some():
    return graph_of("some")


@pytest.mark.parametrize("matching", ["graded", "binary"])
@pytest.mark.parametrize("predictions", ["soft", "hard"])
@pytest.mark.parametrize("kind", GRAPHS)
def test_the_parts_equal_the_formulas(kind, predictions, matching):
    graph = graph_of(kind)
    y_true, y_pred = notes(predictions)
    for function, oracle in ((losses.tlcl, oracles.tlcl), (losses.plcl, oracles.plcl)):
        got = ops.convert_to_numpy(function(y_true, y_pred, graph, matching))
        np.testing.assert_allclose(got, oracle(y_true, y_pred, delta(graph, matching)), rtol=0, atol=2e-6)


@pytest.mark.parametrize("harmonic_of", ["scores", "losses"])
@pytest.mark.parametrize("alpha", [0, 0.25, 0.5, 0.75, 1])
def test_whml_combines_the_means_of_its_parts(some, alpha, harmonic_of):
    for predictions in ("soft", "hard"):
        y_true, y_pred = notes(predictions)
        parts = [oracle(y_true, y_pred, delta(some, "graded")) for oracle in (oracles.tlcl, oracles.plcl)]
        expected = oracles.harmonic_loss(*(part.mean() for part in parts), alpha, harmonic_of)
        loss = WHML(alpha=alpha, relevance=some, harmonic_of=harmonic_of)
        assert value(loss, y_true, y_pred) == pytest.approx(expected, abs=2e-6)
        each = ops.convert_to_numpy(
            WHML(alpha=alpha, relevance=some, harmonic_of=harmonic_of, reduction=None)(y_true, y_pred)
        )
        by_note = [oracles.harmonic_loss(r, p, alpha, harmonic_of) for r, p in zip(*parts, strict=True)]
        np.testing.assert_allclose(each, by_note, rtol=0, atol=1e-5)


@pytest.mark.parametrize("matching", ["graded", "binary"])
@pytest.mark.parametrize("harmonic_of", ["scores", "losses"])
def test_the_limits_of_alpha(some, harmonic_of, matching):
    y_true, y_pred = notes()
    shared = {"relevance": some, "matching": matching}
    balanced = BHML(harmonic_of=harmonic_of, **shared)
    for alpha, single in ((0, PLCL(**shared)), (1, TLCL(**shared)), (0.5, balanced)):
        whole = WHML(alpha=alpha, harmonic_of=harmonic_of, **shared)
        assert value(whole, y_true, y_pred) == pytest.approx(value(single, y_true, y_pred), abs=1e-6)


def test_hand_worked_note():
    """True A and C, predicted B: B finds A (0.9), C is missed, B is justified by A."""
    graph = RelevanceGraph.from_similarity([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], ["A", "B", "C"], 0.76)
    y_true, y_pred = [[1, 0, 1]], [[0, 1, 0]]
    assert value(TLCL(graph), y_true, y_pred) == pytest.approx(0.55)
    assert value(PLCL(graph), y_true, y_pred) == pytest.approx(0.1)
    assert value(TLCL(graph, matching="binary"), y_true, y_pred) == pytest.approx(0.5)
    assert value(PLCL(graph, matching="binary"), y_true, y_pred) == pytest.approx(0, abs=1e-7)
    # Scores 0.45 and 0.9: 1 - 2 * 0.405 / 1.35; losses 0.55 and 0.1: 2 * 0.055 / 0.65.
    assert value(BHML(graph), y_true, y_pred) == pytest.approx(0.4)
    assert value(BHML(graph, harmonic_of="losses"), y_true, y_pred) == pytest.approx(0.11 / 0.65)


def test_perfect_and_hopeless_predictions(some):
    y_true, _ = notes()
    for loss in LOSSES:
        assert value(loss(relevance=some), y_true, y_true) == pytest.approx(0, abs=1e-6)
    apart = RelevanceGraph.identity(["A", "B"])
    for loss in LOSSES:
        assert value(loss(relevance=apart), [[1, 0]], [[0, 1]]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_order_of_the_labels_does_not_matter(loss, some):
    y_true, y_pred = notes()
    order = np.random.default_rng(2).permutation(LABELS)
    moved = some.select([some.codes[label] for label in order])
    assert value(loss(relevance=moved), y_true[:, order], y_pred[:, order]) == pytest.approx(
        value(loss(relevance=some), y_true, y_pred), abs=1e-6
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_the_identity_graph_is_no_graph(loss, no_default):
    y_true, y_pred = notes()
    with pytest.warns(UserWarning, match="no relevance graph"):
        without = value(loss(), y_true, y_pred)
    assert value(loss(relevance=graph_of("identity")), y_true, y_pred) == without


def test_one_label():
    graph = RelevanceGraph.identity(["A"])
    y_true, y_pred = [[1.0], [0.0], [1.0]], [[0.25], [0.5], [1.0]]
    assert value(TLCL(graph), y_true, y_pred) == pytest.approx(0.25)
    assert value(PLCL(graph), y_true, y_pred) == pytest.approx(1 / 3)


@pytest.mark.parametrize("kind", ["int32", "int8", "bool", "float16", "float64"])
def test_labels_of_any_type(kind, some):
    y_true, y_pred = notes()
    for loss in LOSSES:
        assert value(loss(relevance=some), y_true.astype(kind), y_pred) == value(
            loss(relevance=some), y_true, y_pred
        )
    got = ops.convert_to_numpy(losses.tlcl(y_true.astype(kind), y_pred, some))
    np.testing.assert_array_equal(got, ops.convert_to_numpy(losses.tlcl(y_true, y_pred, some)))


@pytest.mark.parametrize("harmonic_of", ["scores", "losses"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum"])
def test_a_doubled_weight_is_a_doubled_note(some, reduction, harmonic_of):
    y_true, y_pred = notes()
    loss = WHML(0.75, some, harmonic_of=harmonic_of, reduction=reduction)
    doubled = [*range(9), 6, 8]
    weights = np.ones(9, "float32")
    weights[[6, 8]] = 2
    assert value(loss, y_true, y_pred, sample_weight=weights) == pytest.approx(
        value(loss, y_true[doubled], y_pred[doubled]), rel=1e-5
    )


@pytest.mark.parametrize("shape", [(9,), (9, 1)])
def test_a_weight_of_zero_drops_the_note(some, shape):
    y_true, y_pred = notes()
    weights = np.ones(9, "float32")
    weights[[0, 4]] = 0
    kept = weights > 0
    for loss in (WHML(0.25, some), BHML(some), TLCL(some, reduction="sum"), PLCL(some, reduction="sum")):
        assert value(loss, y_true, y_pred, sample_weight=weights.reshape(shape)) == pytest.approx(
            value(loss, y_true[kept], y_pred[kept]), rel=1e-5
        )


def test_weights_of_nothing_are_finite(some):
    y_true, y_pred = notes()
    for loss in (WHML(0.25, some), BHML(some, harmonic_of="losses"), BHML(some, reduction="sum")):
        assert value(loss, y_true, y_pred, sample_weight=np.zeros(9)) == pytest.approx(0, abs=1e-6)


def test_reductions(some):
    y_true, y_pred = notes()
    mean = value(BHML(some), y_true, y_pred)
    assert value(BHML(some, reduction="sum"), y_true, y_pred) == pytest.approx(9 * mean, rel=1e-5)
    assert value(BHML(some), y_true, y_pred, sample_weight=3.0) == pytest.approx(mean, rel=1e-5)
    for name in LOSSES:
        each = ops.convert_to_numpy(name(relevance=some, reduction=None)(y_true, y_pred))
        weights = np.arange(9, dtype="float32")
        weighed = name(relevance=some, reduction=None)(y_true, y_pred, sample_weight=weights)
        np.testing.assert_allclose(ops.convert_to_numpy(weighed), each * weights, rtol=1e-6)
    each = ops.convert_to_numpy(losses.tlcl(y_true, y_pred, some))
    assert value(TLCL(some), y_true, y_pred) == pytest.approx(each.mean(), rel=1e-5)
    assert value(TLCL(some, reduction="sum"), y_true, y_pred) == pytest.approx(each.sum(), rel=1e-5)


@pytest.mark.parametrize("matching", ["graded", "binary"])
@pytest.mark.parametrize(
    ("name", "harmonic_of"), [("tlcl", None), ("plcl", None), ("whml", "scores"), ("whml", "losses")]
)
def test_gradients_equal_finite_differences(some, name, harmonic_of, matching):
    rng = np.random.default_rng(5)
    y_true = (rng.random((4, LABELS)) < 0.3).astype("float32")
    y_true[1] = 0
    # Distinct scores: no two labels tie, so the maximum has a derivative.
    y_pred = rng.permutation(np.linspace(0.1, 0.9, y_true.size)).reshape(y_true.shape)
    dense = delta(some, matching)

    def oracle(scores):
        parts = [part(y_true, scores, dense).mean() for part in (oracles.tlcl, oracles.plcl)]
        if name == "whml":
            return oracles.harmonic_loss(*parts, 0.75, harmonic_of)
        return parts[name == "plcl"]

    loss = {
        "tlcl": TLCL(some, matching),
        "plcl": PLCL(some, matching),
        "whml": WHML(0.75, some, matching, harmonic_of or "scores"),
    }[name]
    step, expected = 1e-5, np.zeros_like(y_pred)
    for place in np.ndindex(y_pred.shape):
        up, down = y_pred.copy(), y_pred.copy()
        up[place] += step
        down[place] -= step
        expected[place] = (oracle(up) - oracle(down)) / (2 * step)
    np.testing.assert_allclose(gradient(lambda p: loss(y_true, p), y_pred), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", ["some", "identity"])
@pytest.mark.parametrize("true", ["none", "some", "all"])
@pytest.mark.parametrize("predicted", ["zeros", "ones", "hard", "tiny"])
def test_losses_and_gradients_are_finite_everywhere(kind, true, predicted):
    graph = graph_of(kind)
    rng = np.random.default_rng(0)
    shape = (3, LABELS)
    y_true = {"none": np.zeros(shape), "some": rng.random(shape) < 0.2, "all": np.ones(shape)}[true]
    y_pred = {
        "zeros": np.zeros(shape),
        "ones": np.ones(shape),
        "hard": rng.random(shape) < 0.3,
        "tiny": np.full(shape, 1e-12),
    }[predicted]
    y_true, y_pred = y_true.astype("float32"), y_pred.astype("float32")
    printed = WHML(0.25, graph, harmonic_of="losses")
    for loss in (TLCL(graph), PLCL(graph), BHML(graph), printed, WHML(1, graph), WHML(0, graph)):
        assert -1e-6 <= value(loss, y_true, y_pred) <= 1 + 1e-6
        assert np.isfinite(gradient(lambda p, loss=loss: loss(y_true, p), y_pred)).all()


def test_the_missing_graph_is_said_once(no_default):
    y_true, y_pred = notes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for loss in (TLCL(), TLCL(), BHML(), WHML(0.3)):
            loss(y_true, y_pred)
    assert [str(warning.message)[:18] for warning in caught] == ["no relevance graph"]
    assert caught[0].filename == __file__


def test_a_loss_with_a_graph_says_nothing(no_default, some):
    y_true, y_pred = notes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BHML(some)(y_true, y_pred)
        icd_relevancy.set_relevance(some)
        BHML()(y_true, y_pred)
    assert not caught


@pytest.mark.parametrize("loss", LOSSES)
def test_the_default_graph_is_used(loss, some, no_default):
    y_true, y_pred = notes()
    icd_relevancy.set_relevance(some)
    assert value(loss(), y_true, y_pred) == value(loss(relevance=some), y_true, y_pred)
    assert value(loss(relevance=graph_of("identity")), y_true, y_pred) != value(loss(), y_true, y_pred)


SETTINGS = [
    (TLCL, {"matching": "binary", "name": "mine", "reduction": "sum"}),
    (PLCL, {"matching": "binary"}),
    (BHML, {"harmonic_of": "losses", "reduction": None}),
    (WHML, {"alpha": 0.75, "harmonic_of": "losses", "matching": "binary", "from_logits": True}),
    (WHML, {"alpha": np.float32(0.25)}),
]


@pytest.mark.parametrize(("loss", "settings"), SETTINGS)
def test_settings_survive_json(loss, settings, some):
    y_true, y_pred = notes()
    one = loss(relevance=some, **settings)
    other = loss.from_config(json.loads(json.dumps(one.get_config(), default=float)))
    for setting, expected in settings.items():
        assert getattr(other, setting) == expected
    assert (other.relevance.matrix != some.matrix).nnz == 0
    assert other.relevance.codes == some.codes
    np.testing.assert_array_equal(
        ops.convert_to_numpy(one(y_true, y_pred)), ops.convert_to_numpy(other(y_true, y_pred))
    )
    again = keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(one), default=float)))
    assert type(again) is loss
    assert again.get_config() == other.get_config()


def test_the_default_graph_is_saved_with_the_loss(some, no_default):
    icd_relevancy.set_relevance(some)
    config = BHML().get_config()
    icd_relevancy.set_relevance(None)
    assert (BHML.from_config(config).relevance.matrix != some.matrix).nnz == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wrong_number_of_labels_is_refused(loss, some, no_default):
    y_true, y_pred = notes(labels=LABELS + 1)
    with pytest.raises(ValueError, match=r"12 codes.*Received: .*y_pred\.shape=\(9, 13\)"):
        loss(relevance=some)(y_true, y_pred)
    icd_relevancy.set_relevance(some)
    with pytest.raises(ValueError, match="Received"):
        loss()(y_true, y_pred)
    for function in (losses.tlcl, losses.plcl):
        with pytest.raises(ValueError, match="Received"):
            function(y_true, y_pred, some)


@pytest.mark.parametrize("alpha", [-0.01, 1.01, math.nan, "x", None, [0.5], True])
def test_alpha_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match=r"`alpha` must lie.*Received: alpha="):
        WHML(alpha=alpha)


def test_unknown_options_are_refused():
    for make in (
        lambda: TLCL(matching="exact"),
        lambda: BHML(harmonic_of="both"),
        lambda: WHML(matching=None),
        lambda: losses.tlcl([[1.0]], [[1.0]], None, matching="exact"),
    ):
        with pytest.raises(ValueError, match=r"must be one of.*Received"):
            make()


def test_float64_is_kept():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is switched on for the whole process")
    graph = graph_of("identity")
    y_true, y_pred = notes()
    got = ops.convert_to_numpy(WHML(0.75, graph, dtype="float64", reduction=None)(y_true, y_pred))
    assert got.dtype == np.float64
    parts = [oracle(y_true, y_pred.astype(float), np.eye(LABELS)) for oracle in (oracles.tlcl, oracles.plcl)]
    expected = [oracles.harmonic_loss(r, p, 0.75, "scores") for r, p in zip(*parts, strict=True)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
