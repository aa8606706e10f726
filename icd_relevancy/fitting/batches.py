"""Batches for `keras.Model.fit`: labels travel as id lists and become multi-hot only here."""

from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter

import numpy as np
import tensorflow as tf
from scipy import sparse

# Enough for batches of like length, and few enough for the batches to differ from epoch to epoch.
_BATCHES_SORTED = 16
# Inputs with a value for each token of a note.
PER_TOKEN = {"input_ids", "attention_mask", "states"}


def note_batches(
    features,
    labels: sparse.csr_matrix | Mapping[str, sparse.csr_matrix],
    batch_size: int = 32,
    shuffle_seed: int | None = None,
    first_epoch: int = 0,
    rows: np.ndarray | None = None,
    weights: Mapping[str, np.ndarray] | None = None,
) -> tf.data.Dataset:
    """A dataset of `(features, multi-hot labels)` batches, or `(features, labels, weights)` with weights.

    Memory stays at one batch and its prefetch, so that a million notes train from a memory-mapped array. The order of
    epoch e depends on the seed and e alone, so an interrupted run goes on as if it had not been; each pass over the
    dataset is the next epoch, from `first_epoch`.

    Args:
        features: Array `(n, …)`, or a mapping of names to such arrays, to CSR matrices, which become dense in a batch,
            or to `RaggedStates`, which are padded there. See `feature_rows`.
        labels: CSR `(n, m)` of 0 and 1, an array of other targets, or for several outputs a mapping of their names to
            such.
        shuffle_seed: None keeps the order given.
        rows: The notes to take, `(k,)`, without copying; None takes all.
        weights: For each output how much every note counts, `(n,)`.
    """
    count = next(iter(labels.values())).shape[0] if isinstance(labels, Mapping) else labels.shape[0]
    rows = np.arange(count) if rows is None else np.asarray(rows)
    epochs = iter(range(first_epoch, 2**31))
    lengths = _lengths(features, rows)

    def generate() -> Iterator:
        seed = None if shuffle_seed is None else [shuffle_seed, next(epochs)]
        for batch in _batched(rows, lengths, batch_size, seed):
            made = feature_rows(features, batch), _map(labels, partial(_multi_hot, rows=batch))
            yield made if weights is None else (*made, _map(weights, itemgetter(batch)))

    signature = (
        {name: _signature(name, array) for name, array in features.items()}
        if isinstance(features, Mapping)
        else _signature(None, features),
        _map(labels, lambda one: tf.TensorSpec((None, one.shape[1]), tf.float32)),
    )
    if weights is not None:
        signature += (_map(weights, lambda one: tf.TensorSpec((None,), one.dtype)),)
    batches = -(-len(rows) // batch_size)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(4)


def feature_rows(features, rows):
    """The features of some notes, dense, without the columns in which, by an `attention_mask`, none has a token."""
    if not isinstance(features, Mapping):
        return _dense(features[rows])
    where = dict.fromkeys(features, rows)
    if "attention_mask" in features:
        used = np.flatnonzero(np.asarray(features["attention_mask"][rows]).any(axis=0))
        columns = slice(used[0], used[-1] + 1) if len(used) else slice(1)
        where |= dict.fromkeys(PER_TOKEN & features.keys(), (rows, columns))
    return {name: _dense(array[where[name]]) for name, array in features.items()}


def _lengths(features, rows: np.ndarray) -> np.ndarray | None:
    """Tokens of each note; None where the features have no tokens."""
    if isinstance(features, Mapping) and "attention_mask" in features:
        return np.asarray(features["attention_mask"][rows]).sum(axis=1)
    return None


def _batched(rows: np.ndarray, lengths: np.ndarray | None, batch_size: int, seed) -> Iterator[np.ndarray]:
    """The rows of each batch, in the order given without a seed.

    Notes of like length share a batch, of a few batches' worth drawn at random: each costs as much as its longest.
    """
    starts = range(0, len(rows), batch_size)
    if seed is None:
        yield from (rows[start : start + batch_size] for start in starts)
        return
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    if lengths is not None:
        pool = batch_size * _BATCHES_SORTED
        pools = (order[start : start + pool] for start in range(0, len(order), pool))
        order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in pools] or [order])
        starts = random.permutation(starts)
    for start in starts:
        yield rows[order[start : start + batch_size]]


def _multi_hot(labels: sparse.csr_matrix, rows: np.ndarray) -> np.ndarray:
    return _dense(labels[rows]).astype(np.float32)


def _dense(array) -> np.ndarray:
    return array.toarray() if sparse.issparse(array) else np.ascontiguousarray(array)


def _signature(name: str | None, array) -> tf.TensorSpec:
    shape = (None, None, *array.shape[2:]) if name in PER_TOKEN else (None, *array.shape[1:])
    return tf.TensorSpec(shape, array.dtype)


def _map(arrays, function):
    if isinstance(arrays, Mapping):
        return {name: function(array) for name, array in arrays.items()}
    return function(arrays)
