"""A trained model of notes in two code systems, and the coder of either of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import keras
import numpy as np

from icd_relevancy.codes import code_system
from icd_relevancy.data import Notes, split_by_code_system
from icd_relevancy.errors import InputError
from icd_relevancy.models import system_model
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.coder import CODERS, Coder, different_models, finite_scores
from icd_relevancy.training.evaluation import predict_scores
from icd_relevancy.training.notes.coder import NoteCoder, as_notes, systems_named, trained_config
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData, for_second_system
from icd_relevancy.training.notes.trainer import models_of_systems, train_note_model

_BY_SYSTEM = ("labels", "titles", "decision_threshold", "history")


@CODERS.entry()
@dataclass(frozen=True)
class JointCoder(Coder):
    """Codes notes in two code systems by one model that learned both, and keeps all that needs in one folder.

    Attributes:
        model: The joint Keras model, with the probabilities of each system by its name.
        coders: For each code system, by name, the `NoteCoder` that codes notes in it.

    Reference: JAMS §2.
    """

    kind = "joint"

    model: keras.Model
    coders: Mapping[str, NoteCoder]

    @classmethod
    def train(
        cls, notes: Notes, config: TrainingConfig, cache=None, checkpoint=None, verbose=0
    ) -> "JointCoder":
        """Trains on notes that are coded in one or the other system; a part of both is held out.

        Args:
            notes: Notes with codes; see `split_by_code_system` for how the system of a note is known.
            config: The settings, with `joint`.
            cache, checkpoint, verbose: As in `NoteCoder.train`.

        Raises:
            InputError: If a note is coded in neither system or in both, all are in one, or no label of the one
                has an equivalent among those of the other.
        """
        data = NoteData.from_notes(notes, config, cache)
        trained = train_note_model(data, config, checkpoint, verbose)
        models, coders = models_of_systems(trained.model, data), {}
        for labels, settings in zip(data.label_sets, (config, for_second_system(config)), strict=True):
            own = replace(trained, model=models[labels.name])
            features = data.new_features.for_system(labels.name)
            coders[labels.name] = NoteCoder.from_training(data, labels, own, settings, features)
        return cls(trained.model, coders)

    def coder(self, system: str) -> NoteCoder:
        """The coder of a code system.

        Args:
            system: Its name, or the beginning of it that only one has, such as `"icd9"` or `"ICD-9"`.

        Raises:
            InputError: If the model has no such system.
        """
        names = systems_named(system, list(self.coders))
        if len(names) != 1:
            known = " and ".join(self.coders)
            raise InputError(f"the model codes in {known}; choose one of them. Received: system={system!r}")
        return self.coders[names[0]]

    def _in_system(self, system: str, folder: Path) -> NoteCoder:
        """The coder of a code system."""
        return self.coder(system)

    @property
    def config(self) -> TrainingConfig:
        """The `TrainingConfig` of the training."""
        return self._first.config

    def truncated(self, notes: Notes) -> int:
        """How many notes are longer than the model reads.

        Args:
            notes: The notes.
        """
        return self._first.truncated(notes)

    def predict(
        self, notes: Notes | Sequence[str], top_k: int | None = None
    ) -> Iterator[dict[str, list[dict]]]:
        """For each note and each code system its ranked codes, as of `NoteCoder.predict`.

        Args:
            notes, top_k: As in `NoteCoder.predict`.
        """
        return self._predicted(as_notes(notes).blocks(), top_k)

    def ranked(self, row: Mapping[str, np.ndarray], top_k: int | None = None) -> dict[str, list[dict]]:
        """The codes of a note in each system, from its scores in each."""
        return {name: coder.ranked(row[name], top_k) for name, coder in self.coders.items()}

    def scores(self, notes: Notes | Sequence[str]) -> dict[str, np.ndarray]:
        """For each code system the probability of each label, float32 `(n, m)`, of notes that are read once.

        Args:
            notes: n notes, or their texts.

        Raises:
            InputError: As in `NoteCoder.scores`.
        """
        scores = predict_scores(self.model, self._reader.inputs(notes), self.config.batch_size)
        return {name: finite_scores(part) for name, part in scores.items()}

    def evaluate(self, notes: Notes, cache=None) -> dict[str, dict]:
        """For each code system the metrics of `NoteCoder.evaluate` on the notes that are coded in it, if any are.

        Args:
            notes: Notes with codes.
            cache: As in `NoteCoder.evaluate`. Defaults to None.
        """
        systems = [code_system(coder.config.code_system) for coder in self.coders.values()]
        parts = split_by_code_system(notes, *systems, both=False)
        return {
            name: coder.evaluate(parts[name], cache)
            for name, coder in self.coders.items()
            if len(parts[name])
        }

    @property
    def _first(self) -> NoteCoder:
        return next(iter(self.coders.values()))

    @cached_property
    def _reader(self) -> NoteCoder:
        """A coder that reads what the model reads for both systems."""
        lexicons = {
            key: lexicon for coder in self.coders.values() for key, lexicon in coder.features.lexicons.items()
        }
        return replace(self._first, features=replace(self._first.features, lexicons=lexicons))

    def _state(self) -> dict:
        """What `coder.json` holds."""
        states = {name: coder._state() for name, coder in self.coders.items()}
        first = next(iter(states.values()))
        return {
            "training": first["training"],
            "encoder_sha256": first["encoder_sha256"],
            "features": self._reader.features.to_dict(),
            "systems": {name: {key: state[key] for key in _BY_SYSTEM} for name, state in states.items()},
        }

    def _graphs(self) -> dict[str, RelevanceGraph]:
        """The relevance graphs by their files."""
        return {_graph_file(name): coder.relevance for name, coder in self.coders.items()}

    @staticmethod
    def _graph_files(state: Mapping) -> list[str]:
        """The files of the relevance graphs."""
        return [_graph_file(name) for name in state["systems"]]

    @classmethod
    def _from_state(
        cls, state: Mapping, model: keras.Model, folder: Path, encoder: str | None = None
    ) -> "JointCoder":
        """As `NoteCoder._from_state`."""
        config = trained_config(state, folder, encoder)
        systems = state["systems"]
        if not isinstance(model.output, dict) or list(model.output) != list(systems) or not config.joint:
            raise different_models(folder)
        coders = {}
        for (name, own), settings in zip(systems.items(), (config, for_second_system(config)), strict=True):
            lexicons = state["features"].get("lexicons", {})
            lexicons = {key: part for key, part in lexicons.items() if key == f"lexical_{name}"}
            parts = {**state, **own, "features": {**state["features"], "lexicons": lexicons}}
            graph = RelevanceGraph.load(folder / _graph_file(name))
            coders[name] = NoteCoder._from_parts(
                parts, system_model(model, name), graph, settings, folder, named_here=encoder is not None
            )
        return cls(model, coders)


def _graph_file(system: str) -> str:
    # A code system of one's own is called after its table, whatever that is.
    return f"relevance-{quote(system, safe='')}.npz"
