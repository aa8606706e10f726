"""Batches for `keras.Model.fit`: labels travel as id lists and become multi-hot only here."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from scipy import sparse


def note_batches(
    features,
    labels: sparse.csr_matrix,
    batch_size: int = 32,
    shuffle_seed: int | None = None,
    first_epoch: int = 0,
    rows: np.ndarray | None = None,
) -> tf.data.Dataset:
    """A dataset of `(features, multi-hot labels)` batches.

    Memory stays at one batch and its prefetch beside `features` and the label lists, so that a million notes
    with thousands of labels train from a memory-mapped array. The order of epoch e depends on the seed and e
    alone, so a run that was interrupted goes on as if it had not been.

    Args:
        features: Array `(n, …)`, memory-mapped or not, or a mapping of names to such arrays (token ids).
        labels: CSR `(n, m)` of 0 and 1.
        batch_size: Notes a batch; the last one may be smaller. Defaults to 32.
        shuffle_seed: Defaults to None: the order given.
        first_epoch: The epoch that the first pass over the dataset stands for. Defaults to 0.
        rows: The notes to take, `(k,)`. Defaults to None: all n; nothing is copied either way.

    Returns:
        A finite `tf.data.Dataset`; each pass over it is the next epoch.

    Example:

    >>> import numpy as np
    >>> from scipy import sparse
    >>> batches = note_batches(np.zeros((3, 4), "float32"), sparse.csr_matrix([[1, 0], [0, 1], [1, 1]]), 2)
    >>> [y.numpy().tolist() for _, y in batches]
    [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]]
    """
    rows = np.arange(labels.shape[0]) if rows is None else np.asarray(rows)
    epochs = iter(range(first_epoch, 2**31))

    def generate() -> Iterator:
        order = rows
        if shuffle_seed is not None:
            order = np.random.default_rng([shuffle_seed, next(epochs)]).permutation(rows)
        for begin in range(0, len(order), batch_size):
            batch = order[begin : begin + batch_size]
            yield _rows(features, batch), labels[batch].toarray().astype(np.float32)

    signature = (
        _map(features, lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype)),
        tf.TensorSpec((None, labels.shape[1]), tf.float32),
    )
    batches = -(-len(rows) // batch_size)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(4)


def _rows(features, rows: np.ndarray):
    return _map(features, lambda array: np.asarray(array[rows]))


def _map(features, function):
    if isinstance(features, Mapping):
        return {name: function(array) for name, array in features.items()}
    return function(features)
