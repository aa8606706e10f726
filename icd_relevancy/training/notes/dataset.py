"""Notes as a model learns from them: labels, the held-out part, and features."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from icd_relevancy.codes import CodeLinks, CodeMapping, code_system
from icd_relevancy.data import Notes, join_notes, split_by_code_system, train_validation_split
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.encoding.pretrained import encoder_hash
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.losses.by_name import NOTE_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.progress import doing
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.features import NoteFeatures, make_encoder
from icd_relevancy.training.notes.label_set import LabelSet, with_links

# The monitor and the threshold need a dense notes x labels matrix; this bounds it to 0.8 GB.
_MOST_VALIDATION_CELLS = 200_000_000


@dataclass(frozen=True, eq=False, repr=False)
class NoteData:
    """Notes as a model learns from them.

    Attributes:
        texts: The texts of the n notes as the model reads them.
        label_sets: The labels of each code system: one, or two of a joint model.
        links: What the mapping says of the labels of a joint model; None where it has no graph, or one system.
        training, validation: Rows of the training part and of the held-out part.
        features: What the model reads, fitted on the training part; `new_features` of new notes: lexicons of all notes.
        encoder: None where the model has none, or starts from embeddings that may all be in a cache.
        inputs: The features of all n notes.
        truncated: How many of the notes are longer than the model reads.
        identity: A digest of all that a training depends on.
    """

    texts: list[str]
    label_sets: tuple[LabelSet, ...]
    links: CodeLinks | None
    training: np.ndarray
    validation: np.ndarray
    features: NoteFeatures
    new_features: NoteFeatures
    encoder: TransformerEncoder | None
    inputs: object
    truncated: int
    identity: str

    @classmethod
    @doing("preparing the notes")
    def from_notes(cls, notes: Notes, config: TrainingConfig, cache=None) -> "NoteData":
        """Splits notes, whole patients and repeated texts, and makes the features of all; a cache keeps embeddings."""
        notes, label_sets = _labelled(notes, config)
        links = _links(config, label_sets) if config.joint and config.graph != "none" else None
        label_sets = label_sets if links is None else with_links(label_sets, links)
        y = sparse.hstack([labels.y for labels in label_sets], format="csr")
        groups = notes.groups()
        training, validation = train_validation_split(y, groups, config.validation, config.seed)
        _check_parts(label_sets, {"training": training, "held-out": validation})
        features = NoteFeatures.fit(notes, groups, training, config, label_sets)
        encoder = make_encoder(config) if config.needs_encoder else None
        texts = features.texts(notes.text)
        inputs = features.transform(notes, encoder, cache, texts=texts)
        return cls(
            texts,
            label_sets,
            links,
            training,
            validation,
            features,
            features.for_new_notes(notes, groups, label_sets),
            encoder,
            features.for_training(inputs, notes, groups, training, label_sets),
            features.truncated(texts),
            _identity(notes, groups, config, label_sets, links, validation),
        )

    @cached_property
    def single(self) -> LabelSet:
        """The labels of a model of one code system."""
        (labels,) = self.label_sets
        return labels

    def tuning_rows(self, labels: LabelSet, seed: int) -> np.ndarray:
        """The held-out notes coded in a system, or where they are very many a sample, whose scores are looked at."""
        rows = labels.rows(np.random.default_rng(seed).permutation(self.validation))
        return np.sort(rows[: max(_MOST_VALIDATION_CELLS // len(labels.labels), 1)])


def _labelled(notes: Notes, config: TrainingConfig) -> tuple[Notes, tuple[LabelSet, ...]]:
    """The notes in canonical codes, and the labels of each system."""
    count, threshold, first = config.min_count, config.threshold, code_system(config.code_system)
    if not config.joint:
        notes, _ = with_canonical_codes(notes, first)
        every = np.ones(len(notes), bool)
        return notes, (LabelSet.from_codes(notes.codes, every, first, count, config.vectors, threshold),)
    second = code_system(config.joint_system)
    parts = split_by_code_system(notes, first, second)
    notes = join_notes({system.name: parts[system.name] for system in (first, second)})
    in_first = np.arange(len(notes)) < len(parts[first.name])
    sets = []
    for system, coded, vectors in ((first, in_first, config.vectors), (second, ~in_first, None)):
        codes = [row if here else () for row, here in zip(notes.codes, coded, strict=True)]
        sets.append(LabelSet.from_codes(codes, coded, system, count, vectors, threshold))
    return notes, tuple(sets)


def for_second_system(config: TrainingConfig) -> TrainingConfig:
    """The settings of a joint model as its second code system sees them."""
    return replace(config, code_system=config.joint_system, joint_system=config.code_system, vectors=None)


def _links(config: TrainingConfig, label_sets: tuple[LabelSet, ...]) -> CodeLinks:
    """The links between the labels of two systems."""
    first, second = label_sets
    if config.mapping is None:
        mapping = CodeMapping.gems()
    else:
        mapping = CodeMapping.from_table(config.mapping, first.name, second.name)
    return mapping.links(first.labels, second.labels, first.system, second.system)


def _check_parts(label_sets: tuple[LabelSet, ...], parts: dict[str, np.ndarray]) -> None:
    """Refuses a part without notes of a system: nothing to learn from, or no threshold to tune."""
    for labels in label_sets:
        for name, rows in parts.items():
            if not len(labels.rows(rows)):
                raise InputError(
                    f"no {name} note is coded in {labels.name}; give notes of it from more patients, or change "
                    "validation"
                )


def _identity(
    notes: Notes,
    groups: np.ndarray,
    config: TrainingConfig,
    label_sets: tuple[LabelSet, ...],
    links: CodeLinks | None,
    validation: np.ndarray,
) -> str:
    """A digest of what a training depends on; how long it may last is no part of it, unless it paces the rate."""
    settings = config.to_dict() | {"epochs": config.epochs if config.warm_up else None, "patience": None}
    own = NOTE_MODELS.source(config.model), NOTE_LOSSES.source(config.loss)
    state = [settings, own, encoder_hash(config.encoder) if config.reads_tokens else None]
    state += [labels.relevance.get_config() for labels in label_sets] + [validation.tolist(), notes.codes]
    state += [notes.age, notes.sex, notes.specialty, notes.mentions, groups.tolist()]
    state += [(labels.titles, labels.coded.tolist()) for labels in label_sets]
    state += [] if links is None else [links.edges.tolist(), links.weights.tolist()]
    digest = hashlib.sha256(json.dumps(state).encode())
    for text in notes.text:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()
