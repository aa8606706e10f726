"""Every streaming metric tells whether more of it is better, to Keras' callbacks and to a search."""

import keras
import numpy as np
import pytest

from icd_relevancy import metrics

UP = ["NDCG", "MicroAUPRC", "RecallAtK", "RelevancyF1Score", "RelevancyPrecision", "RelevancyRecall"]
UP += ["RelevancyTruePositives"]
DOWN = ["RankErrorsAtRecall", "RelevancyFalseNegatives", "RelevancyFalsePositives"]


def test_every_streaming_metric_is_here():
    public = [getattr(metrics, name) for name in metrics.__all__]
    keras_metrics = [one for one in public if isinstance(one, type) and issubclass(one, keras.metrics.Metric)]
    assert {one.__name__ for one in keras_metrics} == {*UP, *DOWN}


@pytest.fixture(scope="module")
def fitted():
    """A model compiled with all of them, which Keras lists once it has been called."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "sigmoid")])
    each = [getattr(metrics, name)() for name in (*UP, *DOWN)]
    model.compile("sgd", "binary_crossentropy", metrics=each, jit_compile=False)
    model.evaluate(np.zeros((2, 2)), np.eye(2), verbose=0)
    return model


@pytest.mark.parametrize("name", [*UP, *DOWN])
def test_callbacks_know_which_way_is_better(name, fitted, tmp_path):
    monitor = f"val_{getattr(metrics, name)().name}"
    better, worse = (0.9, 0.1) if name in UP else (0.1, 0.9)
    stopping = keras.callbacks.EarlyStopping(monitor, patience=1, mode="auto")
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5", monitor, save_best_only=True, save_weights_only=True
    )
    for callback in (stopping, best):
        callback.set_model(fitted)
        callback.on_train_begin()
    for epoch, value in enumerate((better, worse)):
        for callback in (stopping, best):
            callback.on_epoch_end(epoch, {monitor: value})
        assert float(stopping.best) == float(best.best) == better
    assert stopping.stopped_epoch == 1


def test_a_search_is_told_the_way_or_asks():
    """KerasTuner knows the names of Keras' own metrics alone; of others it must not assume one."""
    keras_tuner = pytest.importorskip("keras_tuner")
    from keras_tuner.engine import oracle

    for name in (*UP, *DOWN):
        monitor = f"val_{getattr(metrics, name)().name}"
        with pytest.raises(ValueError, match="Could not infer optimization direction"):
            keras_tuner.RandomSearch(lambda hp: None, objective=monitor)
        objective = keras_tuner.Objective(monitor, "max" if name in UP else "min")
        assert oracle.Oracle(objective=objective).objective.better_than(
            *((0.9, 0.1) if name in UP else (0.1, 0.9))
        )
