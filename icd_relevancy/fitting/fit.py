"""Training with early stopping that survives a kill: the run goes on with the same result."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.safe_reading import read_arrays, reading

# A step of a small model costs less than going back to Python for the next one.
STEPS_PER_EXECUTION = 16


class NotFiniteError(InputError):
    """The loss of a training is no longer finite."""


@dataclass(frozen=True)
class History:
    """How a training went.

    Attributes:
        losses: Training loss of each epoch.
        validation_losses: Validation loss of each epoch.
        validation_scores: The score of each epoch where `fit` was given one, else empty.
        best_epoch: The epoch whose weights were kept, from 1.
        seconds: Time of all epochs, those before an interruption included.
    """

    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    validation_scores: tuple[float, ...]
    best_epoch: int
    seconds: float

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.losses)


def fit(
    model,
    batches,
    validation,
    epochs=50,
    patience=5,
    checkpoint=None,
    verbose=0,
    identity="",
    score: Callable[[], float] | None = None,
) -> History:
    """Trains until the validation loss has not improved for `patience` epochs, and keeps the best weights.

    An interrupted training goes on to the same weights, to the last digit: the checkpoint holds the weights, the
    optimizer's moments, the state of every dropout and what early stopping knows.

    With `score` that, and not the loss, is what has to improve: CAC §3.2 selects by ranking metrics.

    Args:
        model: A compiled Keras model.
        batches: Function from the first epoch to run (0 for a fresh start) to a dataset of training
            batches.
        validation: Dataset of validation batches; None trains all epochs and keeps the last weights.
        epochs: Most epochs. Defaults to 50.
        patience: Epochs without improvement until it stops. Defaults to 5.
        checkpoint: A file for the state after each epoch; where it exists the training goes on from there.
            Remove it when what was trained is saved. Defaults to None: no checkpoint.
        verbose: As in `keras.Model.fit`: 1 shows a bar, on standard error if that is a terminal, 2 prints a line an
            epoch. Defaults to 0.
        identity: What the checkpoint is of; one of another training is refused. Defaults to `""`.
        score: Called after each epoch for a figure of the validation part, higher is better. Defaults to
            None: the validation loss decides.

    Returns:
        The `History`; the model holds the weights of its best epoch.

    Raises:
        InputError: If the checkpoint is truncated or of another training.
        NotFiniteError: If the loss is no longer finite.

    Reference: LOSSES table 1 (at most 50 epochs, patience 5).
    """
    _sum_over_no_replicas(model.optimizer)
    stopping = _ResumableEarlyStopping(model, patience, checkpoint, identity, score)
    if not stopping.finished and stopping.epoch < epochs:
        model.fit(
            batches(stopping.epoch),
            validation_data=validation,
            initial_epoch=stopping.epoch,
            epochs=epochs,
            callbacks=[stopping, *progress(verbose)],
            shuffle=False,  # the batches come shuffled
            verbose=verbose if verbose == 2 else 0,
        )
    stopping.restore_best()
    return History(
        tuple(stopping.losses),
        tuple(stopping.validation_losses),
        tuple(stopping.scores),
        stopping.best_epoch,
        stopping.seconds,
    )


def progress(verbose) -> list[keras.callbacks.Callback]:
    """The callbacks that show how a training goes on, where it is asked for."""
    return [_Bar()] if verbose in (1, True, "auto") else []


class _Bar(keras.callbacks.Callback):
    """A bar over the batches of all epochs; Keras' own writes to standard output."""

    def on_train_begin(self, logs=None):
        self._batches = self.params["steps"] or 0
        total = self._batches * self.params["epochs"]
        self._bar = tqdm(total=total, desc="training", unit="batch", leave=False, disable=None)

    def on_epoch_begin(self, epoch, logs=None):
        self._bar.set_description(f"training, epoch {epoch + 1} of at most {self.params['epochs']}")
        self._first = epoch * self._batches
        self._bar.update(self._first - self._bar.n)

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(self._first + batch + 1 - self._bar.n)

    def on_train_end(self, logs=None):
        self._bar.close()


def _sum_over_no_replicas(optimizer) -> None:
    """Lets the memory of a trained model be freed.

    Keras sums the gradients over the replicas even of a model that has one, and TensorFlow never forgets the
    gradient of such a sum, nor the graph around it with the model's weights and the optimizer's moments.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of mixed precision
    strategy = getattr(optimizer, "_distribution_strategy", None)  # of the TensorFlow backend alone
    if strategy is not None and strategy.num_replicas_in_sync == 1:
        optimizer._all_reduce_sum_gradients = list


class _ResumableEarlyStopping(keras.callbacks.Callback):
    def __init__(self, model, patience, checkpoint, identity, score):
        super().__init__()
        # Keras would build it in the first step: too late to take up its moments.
        model.optimizer.build(model.trainable_variables)
        self._variables = [*model.variables, *model.optimizer.variables]
        self._weights = model.variables
        self._patience, self._identity, self._score = patience, identity, score
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self.losses, self.validation_losses, self.scores, self.seconds = [], [], [], 0.0
        self.best_epoch, self._best = 0, None
        if self._checkpoint is not None and self._checkpoint.exists():
            self._load()

    @property
    def epoch(self) -> int:
        return len(self.losses)

    @property
    def finished(self) -> bool:
        return self.epoch - self.best_epoch >= self._patience and self.epoch > 0

    def on_train_begin(self, logs=None):
        self._started = time.monotonic() - self.seconds

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(float(logs["loss"]))
        if "val_loss" in logs:
            self.validation_losses.append(float(logs["val_loss"]))
        if not np.isfinite([self.losses[-1], *self.validation_losses[-1:]]).all():
            raise NotFiniteError(f"the loss is not finite in epoch {self.epoch}; lower the learning rate")
        if self._score is not None:
            self.scores.append(float(self._score()))
        if self._is_best():
            self.best_epoch = self.epoch
            self._best = [keras.ops.convert_to_numpy(variable) for variable in self._weights]
        self.seconds = time.monotonic() - self._started
        if self._checkpoint is not None:
            self._save()
        self.model.stop_training = self.finished

    def _is_best(self) -> bool:
        errors = self.validation_losses if self._score is None else [-score for score in self.scores]
        return self._best is None or not errors or errors[-1] < min(errors[:-1], default=np.inf)

    def restore_best(self):
        for variable, value in zip(self._weights, self._best or [], strict=bool(self._best)):
            variable.assign(value)

    def _save(self):
        arrays = {f"now_{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(self._variables)}
        arrays.update({f"best_{i}": value for i, value in enumerate(self._best)})
        with replacing(self._checkpoint, private=True) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                identity=self._identity,
                losses=self.losses,
                validation_losses=self.validation_losses,
                scores=self.scores,
                best_epoch=self.best_epoch,
                seconds=self.seconds,
                **arrays,
            )

    def _load(self):
        now = [f"now_{i}" for i in range(len(self._variables))]
        best = [f"best_{i}" for i in range(len(self._weights))]
        names = ("identity", "losses", "validation_losses", "scores", "best_epoch", "seconds")
        with reading(self._checkpoint, "a checkpoint of this model", "delete it and run again"):
            saved = read_arrays(self._checkpoint, (*names, *now, *best))
            if str(saved["identity"]) != self._identity:
                raise InputError(
                    f"{self._checkpoint}: a checkpoint of another training: the settings or the notes have changed; "
                    "delete it and run again"
                )
            for variable, name in zip(self._variables, now, strict=True):
                variable.assign(saved[name])
            self._best = [saved[name] for name in best]
            self.losses = saved["losses"].tolist()
            self.validation_losses = saved["validation_losses"].tolist()
            self.scores = saved["scores"].tolist()
            self.best_epoch, self.seconds = int(saved["best_epoch"]), float(saved["seconds"])


@keras.saving.register_keras_serializable(package="icd_relevancy")
class LinearWarmUpDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to its peak in some steps, and falls to 0 in others (JAMS §3.1)."""

    def __init__(self, peak, rising, falling):
        self.peak, self.rising, self.falling = peak, rising, falling

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        share = keras.ops.minimum(step / self.rising, (self.rising + self.falling - step) / self.falling)
        return self.peak * keras.ops.maximum(share, 0.0)

    def get_config(self):
        return {"peak": self.peak, "rising": self.rising, "falling": self.falling}
