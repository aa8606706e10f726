"""The papers' head on embedded notes, trained by Keras' own step in compiled programs of a whole epoch."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.models import note_classifier
from icd_relevancy.training.evaluation import predict_scores

_PADDED = 64


@dataclass(frozen=True)
class Schedule:
    """How long, and in what steps, a head is trained.

    Attributes:
        learning_rate: Of Adam.
        batch_size: Notes a step.
        epochs: Most epochs.
        patience: Epochs without a better validation loss until it stops.
    """

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int


class Head:
    """A dense sigmoid layer on embeddings (LOSSES §4.2), compiled once and trained anew for each fold.

    A step of this size costs less than going back to Python for the next one. So the steps of an epoch, each
    Keras' own `train_step` of the compiled model, are one XLA program. Its shapes are fixed, so an epoch has whole
    batches only: the notes left over, others in every epoch, fewer than a batch, take no part in it.

    Args:
        x: Embeddings of all notes, float32 `(n, d)`.
        y: Their labels, CSR `(n, m)` of 0 and 1.
        loss: A Keras loss.

    Attributes:
        model: The Keras model.
    """

    def __init__(self, x: np.ndarray, y: sparse.csr_matrix, loss: keras.losses.Loss):
        self._x, self._y = x, y
        self._notes, self._labels = tf.constant(x), tf.constant(y.toarray().astype(np.uint8))
        self.model = note_classifier(y.shape[1], embedding_size=x.shape[1])
        self.model.compile(optimizer=keras.optimizers.Adam(), loss=loss)
        self.model.optimizer.build(self.model.trainable_variables)
        self._untrained = [variable.numpy() for variable in self.model.optimizer.variables]
        self._epoch = tf.function(self._steps, jit_compile=True)
        self._loss = tf.function(self._validation_loss, jit_compile=True)

    def train(self, train: np.ndarray, validation: np.ndarray, schedule: Schedule, seed: int) -> int:
        """Trains from the start until the validation loss is no better for `patience` epochs; keeps the best weights.

        The seed is that of the first weights and of the order of the notes. Returns the epochs trained.

        Raises:
            InputError: If a loss is no longer finite.
        """
        self._start(schedule, seed)
        size = min(schedule.batch_size, len(train))
        held_out = _padded(validation, 1), tf.constant(len(validation))
        losses, best = [], None
        for epoch in range(schedule.epochs):
            order = np.random.default_rng([seed, epoch]).permutation(train)
            steps = tf.constant(len(train) // size)
            self._epoch(self._notes, self._labels, tf.reshape(_padded(order, size), (-1, size)), steps)
            losses.append(float(self._loss(self._notes, self._labels, *held_out)))
            if not np.isfinite(losses[-1]):
                raise InputError(f"the loss is not finite in epoch {epoch + 1}; lower the learning rate")
            if losses[-1] < min(losses[:-1], default=np.inf):
                best = self.model.get_weights()
            if len(losses) - 1 - int(np.argmin(losses)) >= schedule.patience:
                break
        self.model.set_weights(best)
        return len(losses)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Probabilities of all labels for some notes, float32 `(k, m)`."""
        return predict_scores(self.model, self._x[rows])

    def _start(self, schedule: Schedule, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self.model.set_weights(keras.models.clone_model(self.model).get_weights())
        for variable, value in zip(self.model.optimizer.variables, self._untrained, strict=True):
            variable.assign(value)
        self.model.optimizer.learning_rate = schedule.learning_rate

    def _steps(self, notes, labels, batches, count):
        for number in tf.range(count):
            self.model.train_step(_rows(notes, labels, batches[number]))

    def _validation_loss(self, notes, labels, rows, count):
        x, y = _rows(notes, labels, rows)
        # What the rows are padded with weighs nothing; some losses then differ by one factor in all epochs.
        counts = tf.cast(tf.range(tf.size(rows)) < count, tf.float32)
        return self.model.compute_loss(x, y, self.model(x, training=False), sample_weight=counts)


def _rows(notes, labels, rows):
    return tf.gather(notes, rows), tf.cast(tf.gather(labels, rows), tf.float32)


def _padded(rows: np.ndarray, size: int) -> tf.Tensor:
    """The rows, repeated to a whole number of `_PADDED` batches: the folds, of like size, share a program."""
    return tf.constant(np.resize(rows, -(-len(rows) // (size * _PADDED)) * size * _PADDED), tf.int32)
