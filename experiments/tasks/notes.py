"""Notes: their labels, folds, embeddings and relevance graphs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from experiments.fingerprints import columns_digest, digest_of
from experiments.harness import Task, data_folder
from experiments.vector_sets import MAX_LENGTH, vector_set, vectors_fingerprint
from icd_relevancy.codes import code_system
from icd_relevancy.data import Notes, encode_labels, load_notes, stratified_group_folds, synthetic_notes
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import cache_folder
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.code_vectors import label_vectors

_REAL_DATA = ("cmc2007", "codiesp")
# Sources of notes that others have too, beside which the papers' figures can stand.
PUBLIC_NOTES = ("synthetic", *_REAL_DATA, "codiesp-es", "codiesp+cmc2007", "mimic4-notes")


@dataclass(frozen=True)
class NotesConfig:
    """What the rows of a table have in common; `experiments/tasks/notes.yaml` documents and sets the values."""

    data: str
    notes: int
    codes: int
    min_count: int
    folds: int
    seed: int
    encoder: str | None
    lowercase: bool | None
    max_length: int
    validation: float

    @property
    def name(self) -> str:
        """A file name for the data."""
        return Path(self.data).name.partition(".")[0]

    @property
    def code_system(self) -> str:
        """The code system of the data."""
        return "icd9cm" if self.data == "cmc2007" else "icd10cm"


@dataclass(frozen=True)
class HeadsConfig(NotesConfig):
    """The same with the training of heads on embeddings; `experiments/tasks/heads.yaml` has its values."""

    threshold: float
    pooling: str
    learning_rate: float
    batch_size: int
    epochs: int
    patience: int


class NotesTask(Task):
    """Notes in folds; everything costly is made when it is first used."""

    kind = NotesConfig
    settings = ("notes",)
    public = PUBLIC_NOTES
    of_synthetic = ("notes", "codes")

    def __init__(self, config: NotesConfig):
        super().__init__(config)
        self.system = code_system(config.code_system)
        self.notes, _ = with_canonical_codes(_read(config), self.system)
        self.labels = self.notes.label_names(config.min_count)
        self.y: sparse.csr_matrix = encode_labels(self.notes.codes, self.labels)

    @cached_property
    def vectors(self) -> CodeVectors:
        """The labels' code vectors."""
        return label_vectors(self.labels, CodeVectors.load(self.config.code_system), self.system)

    @cached_property
    def fold(self) -> np.ndarray:
        """The fold of each note; notes of one patient or text share one."""
        return stratified_group_folds(self.y, self.notes.groups(), self.config.folds, self.config.seed)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the data and of all that the runs depend on."""
        from icd_relevancy.encoding.pretrained import encoder_hash

        digests = columns_digest(self.notes), vectors_fingerprint(self.vectors)
        described = [asdict(self.config), *digests, encoder_hash(self.config.encoder), self.versions()]
        return digest_of(json.dumps(described, sort_keys=True))

    def title(self, label: str) -> str:
        """The title of a label."""
        return self.system.title(self.system.normalise(label))

    def sizes(self) -> dict:
        """Notes and labels."""
        return {"notes": len(self.notes), "labels": len(self.labels)}

    def __str__(self) -> str:
        size = f"{len(self.notes)} notes, {len(self.labels)} codes"
        return f"{self.config.data}: {size}, {self.config.folds} folds"


class HeadsTask(NotesTask):
    """Notes for heads on a frozen encoder, with relevance graphs by several code vectors.

    On one thread a training step takes a third less of a processor than on two, and the digits do not depend on
    their number. The first embedding of the notes takes longer.
    """

    kind = HeadsConfig
    settings = ("notes", "heads")
    threads = 1

    def __init__(self, config: HeadsConfig):
        super().__init__(config)
        self._vectors_by_name: dict[str, CodeVectors] = {}

    @cached_property
    def features(self) -> np.ndarray:
        """The notes' embeddings by the frozen encoder, float32 `(n, d)`."""
        from icd_relevancy.training import embed

        config, cache = self.config, cache_folder() / "embeddings"
        settings = {"pooling": config.pooling, "lowercase": config.lowercase}
        return embed(self.notes.text, config.encoder, config.max_length, cache, **settings)

    def vectors_of(self, name: str | None = None) -> CodeVectors:
        """The labels' code vectors of a set of `vector_sets`; by default those of the package."""
        if name is None:
            return self.vectors
        if name not in self._vectors_by_name:
            codes = [code for label in self.labels if (code := self.system.normalise(label))]
            # An encoder that reads few tokens reads as few of a code's text.
            length = min(self.config.max_length, MAX_LENGTH)
            vectors = vector_set(name, self.system, tuple(dict.fromkeys(codes)), self.config.encoder, length)
            self._vectors_by_name[name] = label_vectors(self.labels, vectors, self.system)
        return self._vectors_by_name[name]

    def vector_fingerprints(self) -> dict[str, str]:
        """A digest of each named set of vectors that was used."""
        return {name: vectors_fingerprint(vectors) for name, vectors in self._vectors_by_name.items()}

    def relevance(self, threshold: float | None = None, vectors: str | None = None) -> RelevanceGraph:
        """The labels' relevance graph at τ (by default the configuration's) by the vectors of that name."""
        tau = self.config.threshold if threshold is None else threshold
        return RelevanceGraph.from_vectors(self.vectors_of(vectors), threshold=tau)

    def hard_codes(self, entries: Sequence[dict]) -> dict[str, dict]:
        """The hard codes of a table that the notes have, each with its entry: a code has other names elsewhere.

        Raises:
            InputError: If the notes have none of them.
        """
        found = {}
        for entry in entries:
            names = entry[self.config.code_system]
            if label := next((code for code in names if code in self.labels), None):
                found[label] = entry
        if not found:
            raise InputError(f"{self.config.data}: none of the hard codes occurs in these notes")
        return found

    def sizes(self) -> dict:
        """Notes, labels and the vectors that were used."""
        return super().sizes() | {"vectors": self.vector_fingerprints()}


def _read(config: NotesConfig) -> Notes:
    if config.data == "synthetic":
        return synthetic_notes(config.notes, config.seed, n_codes=config.codes)
    if config.data not in _REAL_DATA:
        return load_notes(config.data, config.code_system)
    notes = load_notes(f"{config.data}:{data_folder(config.data)}", config.code_system)
    return replace(notes, source=config.data)
