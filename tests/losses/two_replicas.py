"""Prints the gradient of one step of every loss, on one device and on two with half of the notes each."""

import json

import keras
import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

from tests.losses.every_loss import LABELS, LOSSES  # noqa: E402

rng = np.random.default_rng(0)
# Two equal halves: then the batch means of the parts of a loss are those of each replica.
HALF = (
    rng.uniform(0.05, 0.95, (4, LABELS)).astype("float32"),
    (rng.random((4, LABELS)) < 0.5).astype("float32"),
    np.array([1.0, 2.0, 0.0, 1.0], "float32"),
)


def cases():
    for name, make in {"bce": keras.losses.BinaryCrossentropy, **LOSSES}.items():
        yield f"{name}/mean", make(), False
        if "joint" in name or name in ("whml", "tlcl"):
            yield f"{name}/weighted mean", make(), True
        if name in ("whml", "tlcl"):
            yield f"{name}/sum", make(reduction="sum"), True


def gradients(strategy, notes):
    """What Keras' optimizers apply: the sum of the replicas' gradients."""
    with strategy.scope():
        shift = tf.Variable(tf.zeros(LABELS), name="shift")

    def of_replica():
        y_pred, y_true, weights = map(tf.constant, notes)
        found = {}
        for name, loss, is_weighed in cases():
            with tf.GradientTape() as tape:
                value = loss(y_true, y_pred + shift, sample_weight=weights if is_weighed else None)
            found[name] = tape.gradient(value, shift)
        return found

    found = tf.function(lambda: strategy.run(of_replica))()
    return {name: strategy.reduce("SUM", value, axis=None).numpy().tolist() for name, value in found.items()}


def through_fit(strategy):
    """The change of the weights in a step of `fit`."""
    y_pred, y_true, _ = (np.tile(part, (2,) + (1,) * (part.ndim - 1)) for part in HALF)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((LABELS,)), keras.layers.Dense(LABELS, "sigmoid")])
        model.compile(keras.optimizers.SGD(0.5), loss=LOSSES["whml"]())
    before = model.get_weights()
    model.fit(tf.data.Dataset.from_tensor_slices((y_pred, y_true)).batch(8), verbose=0)
    return np.concatenate(
        [(b - a).ravel() for a, b in zip(before, model.get_weights(), strict=True)]
    ).tolist()


one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
whole = [np.concatenate([part, part]) for part in HALF]
on_one, on_two = gradients(one, whole), gradients(two, HALF)
steps = {name: (on_one[name], on_two[name]) for name in on_one}
steps["whml/fit"] = through_fit(one), through_fit(two)
print(json.dumps(steps))
