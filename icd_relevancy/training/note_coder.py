"""A trained model as a folder that codes new notes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from icd_relevancy.atomic import replacing
from icd_relevancy.codes import CodeSystem, code_system
from icd_relevancy.data import Notes, encode_labels, train_validation_split
from icd_relevancy.data.batches import note_batches
from icd_relevancy.data.canonical import with_canonical_codes
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.embedding_cache import embed
from icd_relevancy.layers.pretrained import encoder_hash
from icd_relevancy.losses import BHML, PLCL, TLCL, WHML
from icd_relevancy.models import note_classifier
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.training.coder_folder import JSON, MODEL, check_folder, read_coder_json, read_model
from icd_relevancy.training.config import TrainingConfig
from icd_relevancy.training.evaluation import evaluate_codes, predict_scores
from icd_relevancy.training.fit import STEPS_PER_EXECUTION, fit
from icd_relevancy.training.label_graph import graph_of_labels
from icd_relevancy.training.thresholds import tune_threshold

_GRAPH = "relevance.npz"
_LIBRARIES = ("icd_relevancy", "keras", "numpy", "tensorflow", "transformers")
_TOLD = ("labels", "titles", "decision_threshold", "training", "encoder_sha256", "history")
# The threshold and the validation scores need a dense notes x labels matrix; this bounds it to 0.8 GB.
_MOST_VALIDATION_CELLS = 200_000_000
_NOTES_AT_ONCE = 1024


@dataclass(frozen=True)
class NoteCoder:
    """Codes notes with a trained model, and keeps all that needs in one folder.

    Attributes:
        model: The Keras model, from embeddings (frozen encoder) or tokens (fine-tuned) to probabilities.
        labels: The m codes, in the order of the model's outputs.
        titles: The title of each label.
        relevance: The `RelevanceGraph` of the labels.
        decision_threshold: From which probability on a code is assigned.
        config: The `TrainingConfig`.
        encoder_hash: SHA-256 of the encoder that the model was trained on.
        history: Epochs, losses and times of the training.
    """

    model: keras.Model
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    relevance: RelevanceGraph
    decision_threshold: float
    config: TrainingConfig
    encoder_hash: str
    history: dict

    @classmethod
    def train(
        cls, notes: Notes, config: TrainingConfig | None = None, cache=None, checkpoint=None, verbose=0
    ):
        """Trains on notes; a part, whole patients and repeated texts, is held out for stopping and threshold.

        Args:
            notes: Notes with codes.
            config: The settings. Defaults to None: `TrainingConfig()`.
            cache: Folder for the embeddings. Defaults to None: none are kept.
            checkpoint: File for the state after each epoch, from which an interrupted training goes on.
            verbose: As in `keras.Model.fit`. Defaults to 0.

        Raises:
            InputError: If the notes carry no codes, or unknown ones.
        """
        config = config or TrainingConfig()
        keras.utils.set_random_seed(config.seed)
        system = code_system(config.code_system)
        notes, _ = with_canonical_codes(notes, system)
        labels = notes.label_names(config.min_count)
        relevance = graph_of_labels(labels, config, system)
        y = encode_labels(notes.codes, labels)
        training, validation = train_validation_split(y, notes.groups(), config.validation, config.seed)

        model, features = _model_and_features(notes.text, len(labels), config, cache)
        model.compile(
            keras.optimizers.Adam(config.learning_rate),
            loss=make_loss(config, relevance),
            steps_per_execution=1 if config.fine_tune else STEPS_PER_EXECUTION,
        )
        history = fit(
            model,
            lambda epoch: note_batches(features, y, config.batch_size, config.seed, epoch, training),
            note_batches(features, y, 256, rows=validation),
            config.epochs,
            config.patience,
            checkpoint,
            verbose,
            _identity(notes, config, relevance),
        )
        tuning = np.random.default_rng(config.seed).permutation(validation)
        tuning = np.sort(tuning[: max(_MOST_VALIDATION_CELLS // len(labels), 1)])
        scores = predict_scores(model, _take(features, tuning))
        decision_threshold, validation_f1 = tune_threshold(y[tuning], scores)
        told = {"epochs": history.epochs, "best_epoch": history.best_epoch, "seconds": history.seconds}
        return cls(
            model,
            labels,
            _titles(labels, system),
            relevance,
            decision_threshold,
            config,
            encoder_hash(config.encoder),
            {**told, "notes": len(notes), "validation_micro_f1": validation_f1},
        )

    def scores(self, texts: Sequence[str], cache=None) -> np.ndarray:
        """The probability of each label, float32 `(n, m)`.

        Raises:
            InputError: If the encoder found here is not the one that the model was trained on.
        """
        if self.config.fine_tune:
            return predict_scores(self.model, self._encoder.tokenize(texts), self.config.batch_size)
        if cache is None:
            return predict_scores(self.model, embed(texts, self._encoder, progress=False))
        self._check_encoder()
        return predict_scores(self.model, _embeddings(texts, self.config, cache))

    def predict(self, texts: Sequence[str], top_k: int | None = None) -> Iterator[list[dict]]:
        """For each note its codes with `code`, `title`, `probability` and `assigned`, by falling probability.

        Args:
            texts: The notes.
            top_k: How many codes to list. Defaults to None: all assigned ones, at least ten.
        """
        for begin in range(0, len(texts), _NOTES_AT_ONCE):
            for row in self.scores(texts[begin : begin + _NOTES_AT_ONCE]):
                yield self._ranked(row, top_k)

    def _ranked(self, row: np.ndarray, top_k: int | None) -> list[dict]:
        assigned = row >= self.decision_threshold
        listed = max(int(assigned.sum()), 10) if top_k is None else top_k
        return [
            {
                "code": self.labels[label],
                "title": self.titles[label],
                "probability": float(row[label]),
                "assigned": bool(assigned[label]),
            }
            for label in np.argsort(-row, kind="stable")[:listed]
        ]

    def evaluate(self, notes: Notes, cache=None) -> dict:
        """The metrics of `icd_relevancy.training.evaluation` on notes with codes.

        A code that the model never saw counts as missed; `unseen_codes` is the share of such codes.

        Args:
            notes: Notes with codes.
            cache: Folder for the embeddings, as in `train`. Defaults to None: none are kept.

        Raises:
            InputError: If no note has a code, or one is not of the model's code system.
        """
        notes, _ = with_canonical_codes(notes, code_system(self.config.code_system))
        if not any(notes.codes):
            raise InputError(f"{notes.source or 'notes'}: no note has a code to compare with")
        return evaluate_codes(
            notes.codes,
            self.labels,
            self.scores(notes.text, cache),
            self.decision_threshold,
            lambda labels: self.relevance if labels == self.labels else graph_of_labels(labels, self.config),
        )

    def save(self, folder) -> None:
        """Writes the folder, all of it or nothing: `model.keras`, `relevance.npz` and `coder.json`."""
        told = {
            "decision_threshold": self.decision_threshold,
            "labels": self.labels,
            "titles": self.titles,
            "encoder_sha256": self.encoder_hash,
            "training": self.config.to_dict(),
            "history": self.history,
            "versions": {library: version(library) for library in _LIBRARIES},
        }
        with replacing(folder, folder=True) as temporary:
            inference = keras.models.clone_model(self.model) if not self.config.fine_tune else self.model
            inference.set_weights(self.model.get_weights())
            inference.save(temporary / MODEL)
            self.relevance.save(temporary / _GRAPH)
            (temporary / JSON).write_text(json.dumps(told, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder, encoder: str | None = None):
        """Reads a folder that `save` wrote.

        Args:
            folder: The folder.
            encoder: Where this machine has the encoder. Defaults to None: as at the training.

        Raises:
            InputError: If the folder is missing, incomplete or damaged.
        """
        folder = Path(folder)
        check_folder(folder, (JSON, MODEL, _GRAPH))
        told = read_coder_json(folder, _TOLD)
        config = TrainingConfig.from_mapping(told["training"], f"{folder}/{JSON}")
        coder = cls(
            read_model(folder),
            tuple(told["labels"]),
            tuple(told["titles"]),
            RelevanceGraph.load(folder / _GRAPH),
            float(told["decision_threshold"]),
            config if encoder is None else replace(config, encoder=encoder),
            told["encoder_sha256"],
            told["history"],
        )
        sizes = {len(coder.labels), len(coder.titles), len(coder.relevance), coder.model.output_shape[-1]}
        if len(sizes) > 1:
            raise InputError(f"{folder}: its files are of different models; copy or train the model again")
        return coder

    @cached_property
    def _encoder(self) -> TransformerEncoder:
        if self.config.fine_tune:
            return next(layer for layer in self.model.layers if isinstance(layer, TransformerEncoder))
        self._check_encoder()
        return _encoder(self.config)

    def _check_encoder(self):
        if encoder_hash(self.config.encoder) != self.encoder_hash:
            raise InputError(
                f"encoder {self.config.encoder or 'all-MiniLM-L6-v2'}: not the one this model was trained on "
                f"(SHA-256 {self.encoder_hash[:12]}…); name that one with --encoder"
            )


def make_loss(config: TrainingConfig, relevance: RelevanceGraph) -> keras.losses.Loss:
    """The loss that a configuration names."""
    shared = {"relevance": relevance, "matching": config.matching}
    if config.loss == "bce":
        return keras.losses.BinaryCrossentropy()
    if config.loss in ("tlcl", "plcl"):
        return {"tlcl": TLCL, "plcl": PLCL}[config.loss](**shared)
    if config.loss == "bhml":
        return BHML(harmonic_of=config.harmonic_of, **shared)
    return WHML(alpha=config.alpha, harmonic_of=config.harmonic_of, **shared)


def _model_and_features(texts, labels: int, config: TrainingConfig, cache):
    if not config.fine_tune:
        features = _embeddings(texts, config, cache)
        return note_classifier(labels, embedding_size=features.shape[1]), features
    encoder = _encoder(config)
    return note_classifier(labels, encoder=encoder), encoder.tokenize(texts)


def _embeddings(texts, config: TrainingConfig, cache) -> np.ndarray:
    return embed(
        texts, config.encoder, config.max_length, cache, pooling=config.pooling, lowercase=config.lowercase
    )


def _encoder(config: TrainingConfig) -> TransformerEncoder:
    return TransformerEncoder(
        config.encoder,
        config.pooling,
        trainable=config.fine_tune,
        max_length=config.max_length,
        lowercase=config.lowercase,
    )


def _identity(notes: Notes, config: TrainingConfig, relevance: RelevanceGraph) -> str:
    """A digest of what a training depends on; how long it may last is no part of it."""
    settings = config.to_dict() | {"epochs": None, "patience": None}
    digest = hashlib.sha256(json.dumps([settings, relevance.get_config(), notes.codes]).encode())
    for text in notes.text:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _take(features, rows):
    if isinstance(features, dict):
        return {name: array[rows] for name, array in features.items()}
    return features[rows]


def _titles(labels, system: CodeSystem) -> tuple[str, ...]:
    """The labels' titles; a code of another edition has that of its nearest ancestor, and says so."""
    known = [system.normalise(label) for label in labels]
    return tuple(
        system.title(code) if code == label else f"{system.title(code)} (title of {code})"
        for label, code in zip(labels, known, strict=True)
    )
