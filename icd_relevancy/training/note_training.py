"""Trains the model of a configuration on notes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from scipy import sparse

from icd_relevancy.codes import CodeSystem, code_system
from icd_relevancy.data import Notes, encode_labels, train_validation_split
from icd_relevancy.data.batches import note_batches
from icd_relevancy.data.canonical import with_canonical_codes
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.hierarchical_attention import category_membership
from icd_relevancy.layers.pretrained import encoder_hash
from icd_relevancy.layers.token_states import token_states
from icd_relevancy.models import head_of
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.training.config import TrainingConfig
from icd_relevancy.training.evaluation import predict_scores
from icd_relevancy.training.fit import STEPS_PER_EXECUTION, History, fit
from icd_relevancy.training.label_graph import graph_of_labels
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.note_features import NoteFeatures
from icd_relevancy.training.note_models import (
    count_truncated,
    make_encoder,
    make_loss,
    make_model,
    make_optimizer,
    needs_encoder,
)
from icd_relevancy.training.resampling import ResamplingReport, ml_smote
from icd_relevancy.training.thresholds import tune_threshold

# The monitor and the threshold need a dense notes x labels matrix; this bounds it to 0.8 GB.
_MOST_VALIDATION_CELLS = 200_000_000
_HEAD_LEARNING_RATE = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class NoteData:
    """Notes as a model learns from them.

    Attributes:
        texts: The texts of the n notes as the model reads them.
        labels: The m codes.
        titles: Their titles.
        system: The code system.
        relevance: The `RelevanceGraph` of the labels.
        y: Labels of all n notes, CSR `(n, m)`.
        training: Rows of the training part.
        validation: Rows of the held-out part.
        features: What the model reads, fitted on the training part.
        encoder: The encoder; None where the model starts from embeddings that may all be in a cache.
        inputs: The features of all n notes.
        truncated: How many of the notes are longer than the model reads.
        identity: A digest of all that a training depends on.
    """

    texts: list[str]
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    system: CodeSystem
    relevance: RelevanceGraph
    y: sparse.csr_matrix
    training: np.ndarray
    validation: np.ndarray
    features: NoteFeatures
    encoder: TransformerEncoder | None
    inputs: object
    truncated: int
    identity: str

    @classmethod
    def from_notes(cls, notes: Notes, config: TrainingConfig, cache=None) -> "NoteData":
        """Splits notes, whole patients and repeated texts, and makes the features of all of them.

        Args:
            notes: Notes with codes.
            config: The settings.
            cache: Folder for embeddings and token states. Defaults to None: none are kept.

        Raises:
            InputError: If the notes carry no codes, or unknown ones.
        """
        system = code_system(config.code_system)
        notes, _ = with_canonical_codes(notes, system)
        labels = notes.label_names(config.min_count)
        relevance = graph_of_labels(labels, config, system)
        y = encode_labels(notes.codes, labels)
        training, validation = train_validation_split(y, notes.groups(), config.validation, config.seed)
        features = NoteFeatures.fit(notes.select(training), config, system)
        encoder = make_encoder(config) if needs_encoder(config) else None
        texts = features.texts(notes.text)
        return cls(
            texts,
            labels,
            _titles(labels, system),
            system,
            relevance,
            y,
            training,
            validation,
            features,
            encoder,
            features.of(notes, encoder, cache, texts=texts),
            count_truncated(texts, config),
            _identity(notes, config, relevance, validation),
        )

    def categories(self) -> tuple[str, ...]:
        """What the categories of `category_membership` are called."""
        _, names = category_membership(self.system, self.labels)
        return tuple(f"{name} {self.system.title(name)}" if name in self.system else name for name in names)

    def tuning_rows(self, seed: int) -> np.ndarray:
        """The held-out notes, or where they are very many a sample, whose scores are looked at."""
        rows = np.random.default_rng(seed).permutation(self.validation)
        return np.sort(rows[: max(_MOST_VALIDATION_CELLS // len(self.labels), 1)])


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model.

    Attributes:
        model: The model with the weights of its best epoch.
        history: How the training went.
        resampling: What over-sampling did to the balance of the labels; None without it.
    """

    model: keras.Model
    history: History
    resampling: ResamplingReport | None


def train_note_model(data: NoteData, config: TrainingConfig, checkpoint=None, verbose: int = 0) -> Trained:
    """The model of a configuration, trained until its monitor is best on the held-out part.

    With `smote` the head is trained on an over-sampled training part: with a frozen encoder from the start, else
    again on the token states of the fine-tuned encoder.

    Args:
        data: The notes.
        config: The settings.
        checkpoint: File for the state after each epoch, from which an interrupted training goes on. Defaults to
            None.
        verbose: As in `keras.Model.fit`. Defaults to 0.
    """
    y = data.y[data.training]
    size = data.encoder.dimension if data.encoder is not None else data.inputs.shape[1]
    encoder = data.encoder if config.fine_tune else None
    model = make_model(config, data.labels, data.titles, y, data.system, data.features, encoder, size)
    inputs, rows, report = data.inputs, data.training, None
    if config.smote and not config.fine_tune:
        inputs, y, report = _over_sampled(_take(inputs, rows), y, data.features, config.seed)
        rows = np.arange(y.shape[0])
    else:
        y = data.y
    steps = config.epochs * -(-len(rows) // config.batch_size)
    model.compile(
        make_optimizer(config, steps),
        loss=make_loss(config, data.relevance, data.y[data.training]),
        steps_per_execution=1 if config.fine_tune else STEPS_PER_EXECUTION,
        # Every batch has a length of its own, for which XLA would compile the model anew.
        jit_compile="auto" if config.model == "linear" and not config.fine_tune else False,
    )
    history = _fit(model, inputs, y, rows, data, config, checkpoint, verbose)
    if config.smote and config.fine_tune:
        report = _train_head(model, data, config, verbose)
    return Trained(model, history, report)


def _train_head(model: keras.Model, data: NoteData, config: TrainingConfig, verbose: int) -> ResamplingReport:
    """Trains the head on over-sampled token states of the encoder as it is now (HMHAN §III.D)."""
    encoder = next(layer for layer in model.layers if isinstance(layer, TransformerEncoder))
    others = {name: array for name, array in data.inputs.items() if name != "input_ids"}
    inputs = {**others, **token_states(data.texts, encoder, progress=verbose > 0)}
    taken = _take(inputs, data.training)
    resampled, y, report = _over_sampled(taken, data.y[data.training], data.features, config.seed)
    part = head_of(model)
    head = keras.Model(part.input, part.output)
    head.compile(
        keras.optimizers.Adam(_HEAD_LEARNING_RATE),
        loss=make_loss(config, data.relevance, data.y[data.training]),
        jit_compile=False,
    )
    score = _score(head, inputs, data, config)
    fit(
        head,
        lambda epoch: note_batches(resampled, y, config.batch_size, config.seed, epoch),
        note_batches(inputs, data.y, 64, rows=data.validation),
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
    found = ml_smote(
        inputs["states"],
        y,
        inputs["attention_mask"],
        inputs.get("structured"),
        () if features.structured is None else features.structured.categorical,
        seed=seed,
    )
    resampled = {"states": found.features, "attention_mask": found.attention_mask}
    if found.structured is not None:
        resampled["structured"] = found.structured
    if "bag_of_words" in inputs:
        one, other = (inputs["bag_of_words"][found.sources[:, side]] for side in (0, 1))
        resampled["bag_of_words"] = sparse.vstack([inputs["bag_of_words"], (one + other) / 2], format="csr")
    return resampled, found.labels, found.report


def _fit(model, inputs, y, rows, data: NoteData, config: TrainingConfig, checkpoint, verbose) -> History:
    return fit(
        model,
        lambda epoch: note_batches(inputs, y, config.batch_size, config.seed, epoch, rows),
        note_batches(data.inputs, data.y, 256 if config.model == "linear" else 64, rows=data.validation),
        config.epochs,
        config.patience,
        checkpoint,
        verbose,
        data.identity,
        _score(model, data.inputs, data, config),
    )


def _score(model, inputs, data: NoteData, config: TrainingConfig) -> Callable[[], float] | None:
    """What has to improve on the held-out part: None for the loss."""
    if config.monitor == "loss":
        return None
    measure, rows = monitored(config.monitor), data.tuning_rows(config.seed)
    taken, y = _take(inputs, rows), data.y[rows]
    return lambda: measure(y, predict_scores(model, taken, 64))


def tuned_threshold(model: keras.Model, data: NoteData, config: TrainingConfig) -> tuple[float, float]:
    """The decision threshold with the best micro-F1 on the held-out part, and that F1."""
    rows = data.tuning_rows(config.seed)
    return tune_threshold(data.y[rows], predict_scores(model, _take(data.inputs, rows)))


def _take(features, rows):
    if isinstance(features, dict):
        return {name: array[rows] for name, array in features.items()}
    return features[rows]


def _identity(notes: Notes, config: TrainingConfig, relevance: RelevanceGraph, validation: np.ndarray) -> str:
    """A digest of what a training depends on; how long it may last is no part of it, unless it paces the rate."""
    settings = config.to_dict() | {"epochs": config.epochs if config.warm_up else None, "patience": None}
    told = [settings, encoder_hash(config.encoder), relevance.get_config(), validation.tolist(), notes.codes]
    told += [notes.age, notes.sex, notes.specialty]
    digest = hashlib.sha256(json.dumps(told).encode())
    for text in notes.text:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _titles(labels, system: CodeSystem) -> tuple[str, ...]:
    """The labels' titles; a code of another edition has that of its nearest ancestor, and says so."""
    known = [system.normalise(label) for label in labels]
    return tuple(
        system.title(code) if code == label else f"{system.title(code)} (title of {code})"
        for label, code in zip(labels, known, strict=True)
    )
