"""Code graph attention against its dense form, and a JAMS step against its backbone's (6,150 + 7,942 codes)."""

import multiprocessing
import resource
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from keras import ops

from experiments.benchmarks.steps import compared, median_seconds, step_seconds
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.codes import general_equivalence_mappings
from icd_relevancy.layers import CodeGraphAttention, LabelAttention
from icd_relevancy.losses import JointSystemLoss
from icd_relevancy.models import jams

SIZES = (6150, 7942)
TIME_TARGET, MEMORY_TARGET, STEP_TARGET = 0.1, 0.05, 1.3
# Of a label's vector: CAML's filters, and LAAT's projection.
DIMENSIONS = {"CAML": 50, "LAAT": 512}
BATCH, WORDS, VOCABULARY, EMBEDDING = 8, 256, 20_000, 100


def measure() -> Iterator[dict]:
    """Time and peak memory of a forward and backward pass for each size of vectors, then training steps."""
    edges, weights = linked_edges(*SIZES)
    for backbone, dimension in DIMENSIONS.items():
        ours, peer = (_apart(form, dimension, edges, weights) for form in ("edges", "dense"))
        for found, wanted in zip(ours["gradient"], peer["gradient"], strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
        what = f"code graph attention / dense form, {len(edges):,} edges, {dimension}-d ({backbone})"
        for measured, unit, target in (("time", "ms", TIME_TARGET), ("memory", "MB", MEMORY_TARGET)):
            yield compared(f"{what}, {measured}", ours[measured], peer[measured], target, unit)
    for backbone in DIMENSIONS:
        seconds = joint_step_seconds(backbone, edges, weights)
        for peer, labels in (("both", sum(SIZES)), ("one", SIZES[1])):
            what = f"JAMS / {backbone} step, {BATCH} notes, backbone with the {labels:,} codes of {peer}"
            yield compared(what, 1e3 * seconds["jams"], 1e3 * seconds[peer], STEP_TARGET)


def linked_edges(first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    """The most linked ICD-9-CM codes and the codes of ICD-10-CM most linked with them, and all their mappings."""
    table = general_equivalence_mappings().query("not no_map")
    forth = table["direction"] == "9to10"
    table = table.assign(
        nine=table["source"].where(forth, table["target"]),
        ten=table["target"].where(forth, table["source"]),
        weight=np.where(table["approximate"], 0.5, 1.0),
    )
    pairs = table.groupby(["nine", "ten"], as_index=False)["weight"].max()
    for column, count in (("nine", first), ("ten", second)):
        kept = pairs[column].value_counts(sort=False).sort_index().nlargest(count).index
        pairs = pairs[pairs[column].isin(kept)]
    edges = np.stack([pairs[column].astype("category").cat.codes for column in ("nine", "ten")], axis=1)
    return edges.astype(np.int32), pairs["weight"].to_numpy(np.float32)


class DenseCodeGraph(CodeGraphAttention):
    """The same attention with a softmax over rows of n x m scores, masked by the adjacency."""

    def build(self, inputs_shape=None):
        super().build()
        adjacency = np.zeros(self.sizes, np.float32)
        adjacency[tuple(self.edges.T)] = self.edge_weights
        self.adjacency = ops.convert_to_tensor(adjacency)

    def call(self, inputs=None):
        tables = ops.split(ops.convert_to_tensor(self.table), [self.sizes[0]])
        attention = ops.transpose(ops.reshape(self.attention, (2, self.dimension)))
        scores = [ops.matmul(table, attention) for table in tables]
        return (
            _mixed(*tables, *scores, self.adjacency),
            _mixed(*tables[::-1], *scores[::-1], ops.transpose(self.adjacency)),
        )


def _mixed(own, other, own_scores, other_scores, adjacency):
    itself = ops.leaky_relu(ops.sum(own_scores, axis=1, keepdims=True), 0.2)
    linked = ops.leaky_relu(own_scores[:, :1] + other_scores[None, :, 1], 0.2)
    linked = ops.where(adjacency > 0, linked, -1e9)
    shares = ops.softmax(ops.concatenate([itself, linked], axis=1))
    return ops.elu(shares[:, :1] * own + ops.matmul(shares[:, 1:] * adjacency, other))


def _apart(*arguments) -> dict:
    """`forward_and_backward` in a process of its own, whose peak is that of this form alone."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(forward_and_backward, arguments)


def forward_and_backward(form: str, dimension: int, edges, weights, repeats: int = 7) -> dict:
    """Median milliseconds, megabytes above what tables and their output's gradients take, and the gradients."""
    start_tensorflow()
    import tensorflow as tf

    def compiled(layer, pull):
        @tf.function
        def step():
            with tf.GradientTape() as tape:
                outputs = layer()
            return tape.gradient(outputs, [layer.table.value, layer.attention.value], pull)

        return step

    kind = {"edges": CodeGraphAttention, "dense": DenseCodeGraph}[form]
    # What TensorFlow takes once, for its kernels and for tracing, is no part of the measurement.
    small = kind((2, 2), 2, [[0, 0], [0, 1]], [1.0, 0.5])
    small.build()
    compiled(small, [tf.ones((2, 2))] * 2)()
    rng = np.random.default_rng(0)
    initial = [rng.normal(size=(size, dimension), scale=0.03) for size in SIZES]
    pull = [tf.constant(rng.normal(size=(size, dimension)), tf.float32) for size in SIZES]
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    layer = kind(SIZES, dimension, edges, weights, initial)
    layer.build()
    layer.attention.assign(np.random.default_rng(1).normal(size=layer.attention.shape))
    step = compiled(layer, pull)
    seconds = median_seconds(step, repeats)
    # Linux counts the largest resident size in kilobytes.
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "time": 1e3 * seconds,
        "memory": (peak - before) / 2**20,
        "gradient": [gradient.numpy() for gradient in step()],
    }


def joint_step_seconds(backbone: str, edges, weights) -> dict[str, float]:
    """Median seconds of a step of JAMS and of its backbone, on the same notes: with as many codes, and one system's."""
    rng = np.random.default_rng(0)
    x = {
        "input_ids": rng.integers(2, VOCABULARY, (BATCH, WORDS)).astype("int32"),
        "attention_mask": np.ones((BATCH, WORDS), "int32"),
    }
    attention_dim = None if backbone == "CAML" else DIMENSIONS[backbone]
    joint = jams(_body(backbone), SIZES, edges, weights, attention_dim=attention_dim)
    single = {"both": sum(SIZES), "one": SIZES[1]}
    models = {"jams": joint} | {
        name: _classifier(_body(backbone), labels, attention_dim) for name, labels in single.items()
    }
    batches = {
        "jams": (
            {name: _labels(size, rng) for name, size in zip(joint.output, SIZES, strict=True)},
            dict(zip(joint.output, np.eye(2, dtype="float32").repeat(BATCH // 2, axis=1), strict=True)),
        )
    } | {name: (_labels(labels, rng),) for name, labels in single.items()}
    crossentropy = keras.losses.BinaryCrossentropy()
    for name, model in models.items():
        loss = {system: JointSystemLoss(crossentropy) for system in joint.output}
        # XLA compiles for every length of the notes.
        model.compile(
            keras.optimizers.AdamW(1e-3), loss=loss if name == "jams" else crossentropy, jit_compile=False
        )
    return step_seconds({name: _Step(model, batches[name]) for name, model in models.items()}, x, None, 9)


class _Step:
    """A model with its own labels, and weights, for `step_seconds`."""

    def __init__(self, model, batch):
        self.model, self.batch = model, batch

    def train_on_batch(self, x, y):
        return self.model.train_on_batch(x, *self.batch)


def _labels(count, rng):
    labels = np.zeros((BATCH, count), "float32")
    labels[np.arange(BATCH)[:, None], rng.integers(0, count, (BATCH, 15))] = 1
    return labels


def _body(backbone):
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
    }
    words = keras.layers.Embedding(VOCABULARY, EMBEDDING)(inputs["input_ids"])
    if backbone == "CAML":
        states = keras.layers.Conv1D(50, 10, padding="same", activation="tanh")(words)
    else:
        states = keras.layers.Bidirectional(keras.layers.LSTM(256, return_sequences=True))(words)
    return keras.Model(inputs, states, name="body")


def _classifier(body, labels, attention_dim):
    contexts = LabelAttention(labels, attention_dim)(body.output, body.input["attention_mask"])
    logits = keras.layers.EinsumDense("bmd,md->bm", (labels,), bias_axes="m")(contexts)
    return keras.Model(body.input, keras.layers.Activation("sigmoid")(logits))
