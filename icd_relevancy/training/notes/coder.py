"""A trained model of notes in one code system."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from icd_relevancy.codes import code_system, code_system_name
from icd_relevancy.data import Notes, split_by_code_system
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.encoding.pretrained import encoder_hash, on_this_machine
from icd_relevancy.encoding.tokenizer import checked_texts
from icd_relevancy.errors import InputError
from icd_relevancy.fitting.batches import PER_TOKEN, feature_rows
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import attention_model, encoder_of
from icd_relevancy.models.parts import parts_of
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.coder import ADVICE, CODERS, JSON, Coder, different_models, finite_scores
from icd_relevancy.training.evaluation import evaluate_codes, predict_scores
from icd_relevancy.training.model_file import check_runs
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.notes.features import NoteFeatures, make_encoder
from icd_relevancy.training.notes.label_set import LabelSet
from icd_relevancy.training.notes.trainer import Trained, train_note_model, tuned_threshold
from icd_relevancy.vectors.code_vectors import graph_of_labels

_GRAPH = "relevance.npz"


@CODERS.entry()
@dataclass(frozen=True)
class NoteCoder(Coder):
    """Codes notes with a trained model, and keeps all that needs in one folder.

    Attributes:
        model: The Keras model, from embeddings (frozen encoder) or tokens (fine-tuned) to probabilities.
        labels: The m codes, in the order of the model's outputs.
        titles: The title of each label.
        relevance: The `RelevanceGraph` of the labels.
        decision_threshold: From which probability on a code is assigned.
        config: The `TrainingConfig`.
        features: What the model reads of a note, as `NoteFeatures`.
        encoder_hash: SHA-256 of the encoder that the model was trained on; None of a model without one.
        history: Epochs, losses and times of the training.
        named_here: Whether the encoder was named here, by a user or at a training, and not by a folder, which may be
            from anywhere: what that names is looked for on this machine alone.
    """

    kind = "notes"

    model: keras.Model
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    relevance: RelevanceGraph
    decision_threshold: float
    config: TrainingConfig
    features: NoteFeatures
    encoder_hash: str | None
    history: dict
    named_here: bool = True

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
        data = NoteData.from_notes(notes, config, cache)
        trained = train_note_model(data, config, checkpoint, verbose)
        return cls.from_training(data, data.single, trained, config, data.new_features)

    @classmethod
    def from_training(
        cls,
        data: NoteData,
        labels: LabelSet,
        trained: Trained,
        config: TrainingConfig,
        features: NoteFeatures,
    ):
        """The coder of one label set of the notes, from the trained model of its probabilities."""
        decision_threshold, validation_f1 = tuned_threshold(trained.model, data, labels, config)
        history = {"epochs": trained.history.epochs, **asdict(trained.history)}
        history |= {"notes": int(labels.coded.sum()), "validation_micro_f1": validation_f1}
        history |= {"truncated": data.truncated, "categories": labels.categories()}
        if data.links is not None:
            history["links"] = str(data.links.report.by_system(labels.name))
        if trained.resampling is not None:
            history["imbalance"] = trained.resampling.to_dict(labels.labels)
        return cls(
            trained.model,
            labels.labels,
            labels.titles,
            labels.relevance,
            decision_threshold,
            config,
            features,
            encoder_hash(config.encoder) if config.reads_tokens else None,
            history,
        )

    def scores(self, notes: Notes | Sequence[str], cache=None) -> np.ndarray:
        """The probability of each label, float32 `(n, m)`.

        Args:
            notes: n notes, or their texts where the model reads nothing else.
            cache: Folder for the embeddings. Defaults to None: none are kept.

        Raises:
            InputError: If the encoder found here is not the one that the model was trained on, or the weights are
                damaged, so that they give NaN.
        """
        return finite_scores(predict_scores(self.model, self.inputs(notes, cache), self.config.batch_size))

    def inputs(self, notes: Notes | Sequence[str], cache=None):
        """What the model reads of notes, as `NoteFeatures` gives it.

        Args:
            notes, cache: As in `scores`.

        Raises:
            InputError: As in `scores`.
        """
        encoder = None
        if self.config.needs_encoder:
            encoder = self._encoder
        elif self.config.reads_tokens:
            self._check_encoder()
            encoder = None if cache is not None else self._encoder
        with on_this_machine(not self.named_here):
            inputs = self.features.transform(as_notes(notes), encoder, cache)
        # An encoder that is not in the folder shows only now what it gives.
        if not isinstance(inputs, dict) and inputs.shape[1:] != self.model.input.shape[1:]:
            raise InputError(f"the model does not read what its encoder gives; {ADVICE}")
        return inputs

    def predict(self, notes: Notes | Sequence[str], top_k: int | None = None) -> Iterator[list[dict]]:
        """For each note its codes with `code`, `title`, `probability` and `assigned`, by falling probability.

        Args:
            notes: The notes, or their texts where the model reads nothing else.
            top_k: How many codes to list. Defaults to None: all assigned ones, at least ten.
        """
        return self._predicted(as_notes(notes).blocks(), top_k)

    def ranked(self, row: np.ndarray, top_k: int | None = None) -> list[dict]:
        """The codes of a note from its scores.

        Args:
            row: The probability of each label, `(m,)`.
            top_k: As in `predict`. Defaults to None.
        """
        assigned = row >= self.decision_threshold
        count = max(int(assigned.sum()), 10) if top_k is None else top_k
        return [
            {
                "code": self.labels[label],
                "title": self.titles[label],
                "probability": float(row[label]),
                "assigned": bool(assigned[label]),
            }
            for label in np.argsort(-row, kind="stable")[:count]
        ]

    def evaluate(self, notes: Notes, cache=None) -> dict:
        """The metrics of `icd_relevancy.training.evaluation` on notes with codes.

        A code that the model never saw counts as missed; `unseen_codes` is the share of such codes. Of a joint model
        the notes of the other code system are left out.

        Args:
            notes: Notes with codes.
            cache: Folder for the embeddings, as in `train`. Defaults to None: none are kept.

        Raises:
            InputError: If no note has a code, or one is not of the model's code system.
        """
        system = code_system(self.config.code_system)
        if self.config.joint:
            second = code_system(self.config.joint_system)
            notes = split_by_code_system(notes, system, second, both=False)[system.name]
        else:
            advice = "correct them, or leave them out: the model codes in no other system"
            notes, _ = with_canonical_codes(notes, system, advice)
        if not any(notes.codes):
            raise InputError(
                f"{notes.source or 'notes'}: no note has a code of {system.name} to compare with"
            )
        scores, threshold = self.scores(notes, cache), self.decision_threshold
        return evaluate_codes(notes.codes, self.labels, scores, threshold, self._graph_of_labels)

    def _graph_of_labels(self, labels: tuple[str, ...]) -> RelevanceGraph:
        config = self.config
        if labels == self.labels:
            return self.relevance
        return graph_of_labels(labels, config.code_system, config.vectors, config.threshold)

    def truncated(self, notes: Notes | Sequence[str]) -> int:
        """How many notes are longer than the model reads.

        Args:
            notes: The notes, or their texts.
        """
        texts = self.features.texts(as_notes(notes).text)
        with on_this_machine(not self.named_here):
            return self._encoder.truncated(texts) if self.config.fine_tune else self.features.truncated(texts)

    @property
    def has_attention(self) -> bool:
        """Whether the model weighs the tokens of a note, so that `attention` can tell how."""
        return parts_of(self.model).attention is not None

    @property
    def has_lexicon(self) -> bool:
        """Whether the model reads which terms of the codes a note names, so that `evidence` can tell them."""
        return bool(self.features.lexicons)

    def evidence(self, text: str, label: str) -> list[tuple[int, int, float]]:
        """The words of a note that name a code, for `lexicon_explanation`; see `Lexicon.evidence`.

        Args:
            text: The note.
            label: One of the labels.

        Raises:
            InputError: If the model has no lexicon.
        """
        if not self.has_lexicon:
            raise InputError("the model has no lexicon; train --model lexicon, or with --lexical")
        (lexicon,) = self.features.lexicons.values()
        return lexicon.evidence(text, label)

    def attention(self, note: Notes | str) -> tuple[np.ndarray, list[tuple[int, int]], np.ndarray | None]:
        """Where the model looks in a note, for `attention_explanation`.

        Args:
            note: One note, or its text where the model reads nothing else.

        Returns:
            The attention of each label, `(m, tokens)`; the characters of the note, as it was given, that each
            token stands for, `(0, 0)` for none; and the attention of each label's category, `(m, tokens)`, or
            None where there is one level.

        Raises:
            InputError: If the model has no attention, or the encoder is not the one it was trained on.
        """
        if not self.has_attention:
            raise InputError(
                "the model has no attention over tokens; hmhan, caml, multirescnn, laat, plm-icd have"
            )
        notes = as_notes([note] if isinstance(note, str) else note)
        (text,) = self.features.aligned(notes.text)
        encoder = self._encoder if self.config.reads_tokens else None
        inputs = feature_rows(self.features.transform(notes, encoder, progress=False), slice(None))
        weights = self._attention_model.predict_on_batch(inputs)
        spans = (self.features.words or self._encoder).token_spans(text.text)
        spans = [text.original_span(*span) if span[0] < span[1] else (0, 0) for span in spans]
        if "token_attention" in weights:
            return np.repeat(weights["token_attention"][0], len(self.labels), axis=0), spans, None
        categories = None
        if self.config.names_categories:
            categories = weights["category_attention"][0][self._membership]
        return weights["code_attention"][0], spans, categories

    @property
    def categories(self) -> tuple[str, ...]:
        """What the category of each label is called, by the hierarchy that the model was trained with."""
        return tuple(self.history["categories"][category] for category in self._membership)

    @property
    def _membership(self) -> np.ndarray:
        return parts_of(self.model).attention.membership

    @cached_property
    def _attention_model(self) -> keras.Model:
        return attention_model(self.model)

    def _state(self) -> dict:
        """What `coder.json` holds."""
        return {
            "decision_threshold": self.decision_threshold,
            "labels": self.labels,
            "titles": self.titles,
            "encoder_sha256": self.encoder_hash,
            "training": self.config.to_dict(),
            "features": self.features.to_dict(),
            "history": self.history,
        }

    def _graphs(self) -> dict[str, RelevanceGraph]:
        """The relevance graph by its file."""
        return {_GRAPH: self.relevance}

    @staticmethod
    def _graph_files(state: Mapping) -> tuple[str, ...]:
        """The file of the relevance graph."""
        return (_GRAPH,)

    @classmethod
    def _from_state(cls, state: Mapping, model: keras.Model, folder: Path, encoder: str | None = None):
        """The coder of a folder, of its `coder.json` and its model; `encoder` as in `load`."""
        config = trained_config(state, folder, encoder)
        graph = RelevanceGraph.load(folder / _GRAPH)
        return cls._from_parts(state, model, graph, config, folder, named_here=encoder is not None)

    @classmethod
    def _from_parts(
        cls,
        state: Mapping,
        model: keras.Model,
        relevance: RelevanceGraph,
        config: TrainingConfig,
        folder: Path,
        named_here: bool,
    ):
        """The coder of one code system from what a folder holds of it; refuses parts that do not fit each other."""
        coder = cls(
            model,
            tuple(state["labels"]),
            tuple(state["titles"]),
            relevance,
            float(state["decision_threshold"]),
            config,
            NoteFeatures.from_dict(state["features"], config, f"{folder}/{JSON}"),
            state["encoder_sha256"],
            state["history"],
            named_here,
        )
        if not coder._fits_its_labels() or not coder._fits_its_features():
            raise different_models(folder)
        words = coder.features.words
        check_runs(model, len(coder.labels), None if words is None else len(words))
        return coder

    def _fits_its_labels(self) -> bool:
        # Only a joint model has outputs by name.
        outputs = None if isinstance(self.model.output, dict) else self.model.output.shape[-1]
        return (
            not np.isnan(self.decision_threshold)
            and self.config.reads_tokens == bool(self.encoder_hash)
            and self.relevance.codes == self.labels
            and len(set(self.labels)) == len(self.labels) == len(self.titles) == outputs
        )

    def _fits_its_features(self) -> bool:
        inputs = self.model.input if isinstance(self.model.input, dict) else {}
        sizes = {name: tensor.shape[-1] for name, tensor in inputs.items() if name not in PER_TOKEN}
        lexicons = self.features.lexicons.values()
        return sizes == self.features.sizes() and all(lexicon.labels == self.labels for lexicon in lexicons)

    def _in_system(self, system: str, folder: Path) -> "NoteCoder":
        """The coder itself, if the model codes in this system."""
        name = Path(self.config.code_system).stem  # of a table, what its system is called
        if not systems_named(system, [name]):
            raise InputError(f"{folder}: codes in {name}. Received: system={system!r}")
        return self

    @cached_property
    def _encoder(self) -> TransformerEncoder:
        if self.config.fine_tune:
            return encoder_of(self.model)
        self._check_encoder()
        with on_this_machine(not self.named_here):
            return make_encoder(self.config)

    def _check_encoder(self):
        with on_this_machine(not self.named_here):
            sha256 = encoder_hash(self.config.encoder)
        if sha256 != self.encoder_hash:
            raise InputError(
                f"encoder {self.config.encoder or 'all-MiniLM-L6-v2'}: not the one this model was trained on "
                f"(SHA-256 {self.encoder_hash[:12]}…); name that one with --encoder"
            )


def trained_config(state: Mapping, folder: Path, encoder: str | None) -> TrainingConfig:
    """The settings of a trained model, with the encoder that a user names in place of its own."""
    config = TrainingConfig.from_trained(state["training"], f"{folder}/{JSON}")
    if encoder is None:
        return config
    if config.fine_tune or not config.reads_tokens:
        raise InputError(f"{folder}: the model needs no encoder beside its own weights; leave --encoder out")
    return replace(config, encoder=encoder)


def systems_named(system: str, names: Sequence[str]) -> list[str]:
    """Those of the systems that a spelling means: the one of that whole name, else all that begin so."""
    # ICD-9-CM as the systems are called here.
    spellings = system, system.lower().replace("-", ""), code_system_name(system)
    matches = [name for name in names if name.startswith(spellings)]
    return [name for name in spellings if name in matches][:1] or matches


def as_notes(notes: Notes | Sequence[str]) -> Notes:
    """Notes of given texts, numbered from 0; notes as they are."""
    if isinstance(notes, Notes):
        return notes
    texts = checked_texts(notes)
    return Notes(tuple(map(str, range(len(texts)))), tuple(texts), ((),) * len(texts))
