"""Trains the model of a configuration on notes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
from scipy import sparse

from icd_relevancy.encoding.token_states import token_states
from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.fitting.fit import STEPS_PER_EXECUTION, History, fit
from icd_relevancy.losses import JointSystemLoss
from icd_relevancy.losses.by_name import NOTE_LOSSES, LossLabels
from icd_relevancy.models import encoder_of, head_of, system_model
from icd_relevancy.training.evaluation import predict_scores
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.notes.features import NoteFeatures
from icd_relevancy.training.notes.label_set import LabelSet
from icd_relevancy.training.notes.models import make_model, make_optimizer
from icd_relevancy.training.resampling import ResamplingReport, ml_smote
from icd_relevancy.training.thresholds import tune_threshold

_HEAD_LEARNING_RATE = 1e-3


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with the weights of its best epoch; `resampling` is None without over-sampling."""

    model: keras.Model
    history: History
    resampling: ResamplingReport | None


def train_note_model(data: NoteData, config: TrainingConfig, checkpoint=None, verbose: int = 0) -> Trained:
    """The model of a configuration, trained until its monitor is best on the held-out part, from a checkpoint file on.

    With `smote` the head is trained on an over-sampled training part: with a frozen encoder from the start, else again
    on the token states of the fine-tuned encoder.
    """
    # Here and not before the notes are read: embedding draws random numbers only where the cache is cold.
    keras.utils.set_random_seed(config.seed)
    model = make_model(config, data)
    inputs, rows, report = data.inputs, data.training, None
    y, weights = _targets(data)
    if config.smote and not config.fine_tune:
        inputs, y, report = _over_sampled(
            _select(inputs, rows), data.single.y[rows], data.features, config.seed
        )
        rows = np.arange(y.shape[0])
    steps = config.epochs * -(-len(rows) // config.batch_size)
    model.compile(
        make_optimizer(config, steps),
        loss=_loss(data, config),
        steps_per_execution=1 if config.takes_long else STEPS_PER_EXECUTION,
        # Every batch has a length of its own, for which XLA would compile the model anew.
        jit_compile=False if isinstance(inputs, dict) else "auto",
    )
    history = _fit(model, (inputs, y, rows, weights), data, config, checkpoint, verbose)
    if config.smote and config.fine_tune:
        report = _train_head(model, data, config, verbose)
    return Trained(model, history, report)


def _targets(data: NoteData):
    """The labels of all notes, and which of them count; of a joint model for each of its outputs."""
    if len(data.label_sets) == 1:
        return data.single.y, None
    return (
        {labels.name: labels.y for labels in data.label_sets},
        {labels.name: labels.coded.astype(np.float32) for labels in data.label_sets},
    )


def _loss(data: NoteData, config: TrainingConfig):
    build = NOTE_LOSSES.find(config.loss)
    losses = {
        labels.name: build(
            config.loss_own, LossLabels(labels.y[labels.rows(data.training)], labels.relevance)
        )
        for labels in data.label_sets
    }
    if len(losses) == 1:
        return losses[data.single.name]
    return {name: JointSystemLoss(loss) for name, loss in losses.items()}


def _train_head(model: keras.Model, data: NoteData, config: TrainingConfig, verbose: int) -> ResamplingReport:
    """Trains the head on over-sampled token states of the encoder as it is now (HMHAN §III.D)."""
    encoder = encoder_of(model)
    others = {name: array for name, array in data.inputs.items() if name != "input_ids"}
    inputs = {**others, **token_states(data.texts, encoder, progress=verbose > 0)}
    training_inputs = _select(inputs, data.training)
    resampled, y, report = _over_sampled(
        training_inputs, data.single.y[data.training], data.features, config.seed
    )
    part = head_of(model)
    head = keras.Model(part.input, part.output)
    head.compile(
        keras.optimizers.Adam(_HEAD_LEARNING_RATE),
        loss=_loss(data, config),
        jit_compile=False,
    )
    score = _score({data.single.name: head}, inputs, data, config)
    fit(
        head,
        lambda epoch: note_batches(resampled, y, config.batch_size, config.seed, epoch),
        note_batches(inputs, data.single.y, config.batch_size, rows=data.validation),
        config.epochs,
        config.patience,
        verbose=verbose,
        score=score,
    )
    return report


def _over_sampled(
    inputs: dict, y, features: NoteFeatures, seed: int
) -> tuple[dict, sparse.csr_matrix, ResamplingReport]:
    """Token states and all beside them, with synthetic notes for the rare codes."""
    sampled = ml_smote(
        inputs["states"],
        y,
        inputs["attention_mask"],
        inputs.get("structured"),
        () if features.structured is None else features.structured.categorical,
        seed=seed,
    )
    resampled = {"states": sampled.features, "attention_mask": sampled.attention_mask}
    if sampled.structured is not None:
        resampled["structured"] = sampled.structured
    for name in {"bag_of_words", "lexical"} & inputs.keys():
        first, second = (inputs[name][sampled.sources[:, side]] for side in (0, 1))
        resampled[name] = sparse.vstack([inputs[name], (first + second) / 2], format="csr")
    return resampled, sampled.labels, sampled.report


def _fit(model, training, data: NoteData, config: TrainingConfig, checkpoint, verbose) -> History:
    inputs, y, rows, weights = training
    held_out, held_out_weights = _targets(data)
    size = config.batch_size  # a larger batch than in training may not fit the memory
    return fit(
        model,
        lambda epoch: note_batches(inputs, y, size, config.seed, epoch, rows, weights),
        note_batches(data.inputs, held_out, size, rows=data.validation, weights=held_out_weights),
        config.epochs,
        config.patience,
        checkpoint,
        verbose,
        data.identity,
        _score(models_of_systems(model, data), data.inputs, data, config),
    )


def models_of_systems(model: keras.Model, data: NoteData) -> dict[str, keras.Model]:
    """For each code system the part of a model with its probabilities alone."""
    if len(data.label_sets) == 1:
        return {data.single.name: model}
    return {labels.name: system_model(model, labels.name) for labels in data.label_sets}


def _score(
    models: Mapping[str, keras.Model], inputs, data: NoteData, config: TrainingConfig
) -> Callable[[], float] | None:
    """What has to improve on the held-out part, the mean over the code systems: None for the loss."""
    if config.monitor == "loss":
        return None
    measure, held_out = monitored(config.monitor), []
    for labels in data.label_sets:
        rows = data.tuning_rows(labels, config.seed)
        model = models[labels.name]
        held_out.append((model, _select(_read_by(model, inputs), rows), labels.y[rows]))
    return lambda: float(
        np.mean([measure(y, predict_scores(model, rows, config.batch_size)) for model, rows, y in held_out])
    )


def tuned_threshold(
    model: keras.Model, data: NoteData, labels: LabelSet, config: TrainingConfig
) -> tuple[float, float]:
    """The decision threshold with the best micro-F1 on the held-out part, and that F1, of the model of a label set."""
    rows = data.tuning_rows(labels, config.seed)
    inputs = _select(_read_by(model, data.inputs), rows)
    return tune_threshold(labels.y[rows], predict_scores(model, inputs, config.batch_size))


def _read_by(model: keras.Model, inputs):
    """The inputs without those that are for another code system alone."""
    return {name: inputs[name] for name in model.input} if isinstance(inputs, dict) else inputs


def _select(inputs, rows):
    if isinstance(inputs, dict):
        return {name: array[rows] for name, array in inputs.items()}
    return inputs[rows]
