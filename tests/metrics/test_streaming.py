"""The streaming ranking metrics: against the exact functions on all notes, in `fit`, compiled, saved and loaded."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.metrics import NDCG, MicroAUPRC, RankErrorsAtRecall, RecallAtK, multilabel, ranking

LABELS = 12
NOTES = 30
RANKING = {
    "RE@50": (RankErrorsAtRecall, {}, ranking.rank_errors_at_recall, {"recall": 0.5}),
    "RE@25": (RankErrorsAtRecall, {"recall": 0.25}, ranking.rank_errors_at_recall, {"recall": 0.25}),
    "RE@100": (RankErrorsAtRecall, {"recall": 1.0}, ranking.rank_errors_at_recall, {"recall": 1.0}),
    "linear": (
        RankErrorsAtRecall,
        {"recall": 0.7, "interpolation": "linear"},
        ranking.rank_errors_at_recall,
        {"recall": 0.7, "interpolation": "linear"},
    ),
    "NDCG": (NDCG, {}, ranking.ndcg, {}),
    "NDCG@3": (NDCG, {"k": 3}, ranking.ndcg, {"k": 3}),
    "recall@4": (RecallAtK, {"k": 4}, ranking.recall_at_k, {"k": 4}),
    "recall@100": (RecallAtK, {"k": 100}, ranking.recall_at_k, {"k": 100}),
}
METRICS = {
    **{name: (metric, options) for name, (metric, options, _, _) in RANKING.items()},
    "AUPRC": (MicroAUPRC, {}),
}


@pytest.fixture(params=[4, 10_000], ids=["tied", "untied"])
def notes(request):
    """Labels and probabilities of few or many distinct values, two notes without labels and one with all."""
    rng = np.random.default_rng(0)
    y_true = (rng.random((NOTES, LABELS)) < 0.3).astype("float32")
    y_true[[3, 19]] = 0
    y_true[5] = 1
    y_pred = (rng.integers(0, request.param, (NOTES, LABELS)) + 0.5) / (request.param + 1)
    return y_true, y_pred.astype("float32")


def in_batches(metric, y_true, y_pred, weights=None, sizes=(7, 1, 12, 10)):
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        metric.update_state(y_true[part], y_pred[part], None if weights is None else weights[part])
        start += size
    return float(metric.result())


@pytest.mark.parametrize("name", RANKING)
def test_batches_add_up_to_the_exact_function(name, notes):
    metric, options, exact, arguments = RANKING[name]
    assert in_batches(metric(**options), *notes) == pytest.approx(exact(*notes, **arguments), rel=1e-5)


def test_average_precision_is_exact_where_the_bins_tell_all_scores_apart():
    rng = np.random.default_rng(0)
    y_true = (rng.random((NOTES, LABELS)) < 0.3).astype("float32")
    for scores in (np.linspace(0.01, 0.99, y_true.size), rng.integers(1, 5, y_true.size) / 5):
        y_pred = rng.permutation(scores).reshape(y_true.shape).astype("float32")
        assert in_batches(MicroAUPRC(), y_true, y_pred) == pytest.approx(
            multilabel.auprc(y_true, y_pred), rel=1e-5
        )


@pytest.mark.parametrize("name", METRICS)
def test_weights_count_notes_more_than_once(name, notes):
    y_true, y_pred = notes
    metric, options = METRICS[name]
    weights = np.random.default_rng(3).integers(0, 4, NOTES)
    repeated = np.repeat(np.arange(NOTES), weights)
    expected = in_batches(metric(**options), y_true[repeated], y_pred[repeated], sizes=[len(repeated)])
    for shape in ((NOTES,), (NOTES, 1)):
        weighed = in_batches(metric(**options), y_true, y_pred, weights.reshape(shape).astype("float32"))
        assert weighed == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_reset_and_empty(name, notes):
    metric, options = METRICS[name]
    one = metric(**options)
    assert float(one.result()) == 0
    first = in_batches(one, *notes)
    assert first > 0
    one.reset_state()
    assert float(one.result()) == 0
    one.update_state(np.zeros((2, LABELS)), np.full((2, LABELS), 0.5))
    assert float(one.result()) == 0
    assert in_batches(one, *notes) == pytest.approx(
        first if name != "AUPRC" else float(one.result()), rel=1e-6
    )


def test_a_full_size_label_space():
    rng = np.random.default_rng(1)
    y_true = (rng.random((16, 9336)) < 0.003).astype("float32")
    y_pred = np.round(rng.random((16, 9336)) ** 3 * 0.9 + 0.1 * y_true, 4).astype("float32")
    for metric, options, exact, arguments in RANKING.values():
        got = in_batches(metric(**options), y_true, y_pred, sizes=(9, 7))
        assert got == pytest.approx(exact(y_true, y_pred, **arguments), rel=2e-5)


def test_a_fraction_that_floating_point_overshoots():
    y_true = np.r_[np.ones(7), np.zeros(7), np.ones(93)][None]
    for recall, expected in ((0.07, 0), (0.071, 7)):
        metric = RankErrorsAtRecall(recall)
        metric.update_state(y_true, -np.arange(107.0)[None])
        assert float(metric.result()) == expected


@pytest.mark.parametrize("bins", [2, 20, 400])
def test_the_exact_area_lies_within_the_bounds(bins):
    rng = np.random.default_rng(2)
    y_true = (rng.random((200, 40)) < 0.05).astype("float32")
    y_pred = rng.beta(0.3, 3, y_true.shape).astype("float32") * 0.7 + 0.25 * y_true * rng.random(y_true.shape)
    for scores in (y_pred.astype("float32"), np.round(y_pred, 1), np.round(y_pred, 3)):
        metric = MicroAUPRC(bins)
        result = in_batches(metric, y_true, scores, sizes=(120, 80))
        low, high = metric.bounds()
        assert low - 1e-6 <= multilabel.auprc(y_true, scores) <= high + 1e-6
        assert low - 1e-6 <= result <= high + 1e-6


def test_bounds_of_a_hand_worked_bin():
    # One bin with a true and a wrong label: read true first, 1; wrong first, 1/2; as one threshold, 1/2.
    metric = MicroAUPRC(bins=2)
    metric.update_state([[1, 0]], [[0.9, 0.8]])
    assert float(metric.result()) == 0.5
    assert metric.bounds() == pytest.approx((0.5, 1.0))
    assert MicroAUPRC().bounds() == (0, 0)


def test_the_default_bins_are_fine_enough_for_rare_codes():
    rng = np.random.default_rng(4)
    logits = rng.normal(-7, 2, (300, 500))
    y_true = sparse.csr_array(rng.random(logits.shape) < 1 / (1 + np.exp(-logits)))
    y_pred = (1 / (1 + np.exp(-logits))).astype("float32")
    metric = MicroAUPRC()
    result = in_batches(metric, y_true.toarray(), y_pred, sizes=(100, 100, 100))
    assert result == pytest.approx(multilabel.auprc(y_true, y_pred), abs=1e-3)
    low, high = metric.bounds()
    assert high - low < 0.02


def test_probabilities_of_zero_and_one():
    metric = MicroAUPRC()
    metric.update_state([[1, 0, 1, 0]], [[1.0, 1e-30, 0.5, 0.0]])
    assert float(metric.result()) == 1


@pytest.mark.parametrize("name", METRICS)
def test_nan_is_told(name):
    metric, options = METRICS[name]
    one = metric(**options)
    one.update_state([[1, 0], [1, 0]], [[0.3, 0.2], [0.5, np.nan]])
    assert np.isnan(float(one.result()))


@pytest.mark.parametrize("kind", ["int32", "bool", "float64", "float16"])
@pytest.mark.parametrize("name", METRICS)
def test_labels_and_scores_of_any_type(name, kind, notes):
    y_true, y_pred = notes
    metric, options = METRICS[name]
    y_pred = np.round(y_pred, 2).astype("float16")
    expected = in_batches(metric(**options), y_true, y_pred.astype("float32"))
    assert in_batches(metric(**options), y_true.astype(kind), y_pred) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_settings_survive_json(name, notes):
    metric, options = METRICS[name]
    one = metric(**options, name="mine")
    config = json.loads(json.dumps(keras.metrics.serialize(one)))
    assert config["registered_name"] == f"icd_relevancy>{metric.__name__}"
    for other in (metric.from_config(one.get_config()), keras.metrics.deserialize(config)):
        assert other.name == "mine"
        assert in_batches(other, *notes) == in_batches(metric(**options), *notes)


def test_names():
    metrics = (RankErrorsAtRecall(), RankErrorsAtRecall(0.25), NDCG(), NDCG(5), RecallAtK(), MicroAUPRC())
    assert [metric.name for metric in metrics] == [
        "rank_errors_at_50",
        "rank_errors_at_25",
        "ndcg",
        "ndcg_at_5",
        "recall_at_10",
        "micro_auprc",
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RankErrorsAtRecall(50), r"`recall` must be a fraction in \(0, 1\]. Received: recall=50"),
        (lambda: RankErrorsAtRecall(0.5, "cubic"), "`interpolation` must be 'step' or 'linear'"),
        (lambda: NDCG(0), "`k` must be a whole number of at least 1. Received: k=0"),
        (lambda: RecallAtK(1.5), "`k` must be a whole number"),
        (lambda: MicroAUPRC(1), "`bins` must be a whole number of at least 2"),
    ],
)
def test_unknown_options_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def some_labels():
    return (np.random.default_rng(0).random((NOTES, LABELS)) < np.linspace(0, 0.6, LABELS)).astype("float32")


def fitted(names, y_true, jit):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(NOTES, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(LABELS, "sigmoid")])
    metrics = [METRICS[name][0](**METRICS[name][1]) for name in names]
    model.compile("adam", loss="binary_crossentropy", metrics=metrics, jit_compile=jit)
    history = model.fit(x, y_true, validation_data=(x, y_true), batch_size=15, epochs=1, verbose=0).history
    return model, x, history


def check_evaluation(names, model, x, y_true):
    got = model.evaluate(x, y_true, batch_size=15, return_dict=True, verbose=0)
    y_pred = np.asarray(model.predict(x, verbose=0))
    for name in names:
        score = got[METRICS[name][0](**METRICS[name][1]).name]
        if name == "AUPRC":
            assert score == pytest.approx(multilabel.auprc(y_true, y_pred), abs=5e-3)
        else:
            _, _, exact, arguments = RANKING[name]
            assert score == pytest.approx(exact(y_true, y_pred, **arguments), rel=1e-3)
    return got


IN_FIT = ["RE@50", "NDCG@3", "AUPRC"]


@pytest.mark.parametrize("jit", [True, False])
def test_in_compile_and_fit(jit):
    y_true = some_labels()
    model, x, history = fitted(IN_FIT, y_true, jit or keras.backend.backend() == "jax")
    got = check_evaluation(IN_FIT, model, x, y_true)
    for name, score in got.items():
        assert history[f"val_{name}"][-1] == pytest.approx(score, rel=1e-4)


def test_under_mixed_precision(mixed_precision):
    model, x, _ = fitted(["NDCG", "AUPRC"], some_labels(), jit=False)
    check_evaluation(["NDCG", "AUPRC"], model, x, some_labels())


def test_a_saved_model_loads_in_a_fresh_process(tmp_path):
    names = ["RE@25", "AUPRC"]
    model, x, _ = fitted(names, some_labels(), jit=False)
    path = tmp_path / "model.keras"
    model.save(path)
    check_evaluation(names, keras.saving.load_model(path), x, some_labels())
    code = (
        f"import icd_relevancy, keras; model = keras.saving.load_model({str(path)!r}); "
        f"model.evaluate(keras.ops.zeros((2, 4)), keras.ops.ones((2, {LABELS})), verbose=0); "
        "print(model.metrics[-1].metrics[0].recall)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "0.25", done.stderr[-500:]
