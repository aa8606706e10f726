"""A joint model of two code systems as a folder, and the coder of either of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import keras
import numpy as np

from icd_relevancy.codes import code_system, code_system_name
from icd_relevancy.data import Notes, split_by_code_system
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing
from icd_relevancy.models import system_model
from icd_relevancy.models.by_name import NOTE_MODELS, layers_of
from icd_relevancy.progress import doing
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.coder_folder import (
    ADVICE,
    JSON,
    MODEL,
    check_folder,
    check_kind,
    loading,
    read_coder_json,
    write_coder_json,
    write_model,
)
from icd_relevancy.training.evaluation import predict_scores
from icd_relevancy.training.model_file import read_model
from icd_relevancy.training.notes.coder import NoteCoder, as_notes
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData, of_other_system
from icd_relevancy.training.notes.trainer import models_of_systems, train_note_model

_OF_SYSTEM = ("labels", "titles", "decision_threshold", "history")


@dataclass(frozen=True)
class JointCoder:
    """Codes notes in two code systems by one model that learned both, and keeps all that needs in one folder.

    Attributes:
        model: The joint Keras model, with the probabilities of each system by its name.
        coders: For each code system, by name, the `NoteCoder` that codes notes in it.

    Reference: JAMS §2.
    """

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
            cache: As in `NoteCoder.train`.
            checkpoint: As in `NoteCoder.train`.
            verbose: As in `keras.Model.fit`. Defaults to 0.

        Raises:
            InputError: If a note is coded in neither system or in both, all are in one, or no label of the one
                has an equivalent among those of the other.
        """
        data = NoteData.from_notes(notes, config, cache)
        trained = train_note_model(data, config, checkpoint, verbose)
        models = models_of_systems(trained.model, data)
        settings = dict(zip(models, (config, of_other_system(config)), strict=True))
        return cls(
            trained.model,
            {
                labels.name: NoteCoder.of(
                    data,
                    labels,
                    replace(trained, model=models[labels.name]),
                    settings[labels.name],
                    data.new_features.of_system(labels.name),
                )
                for labels in data.label_sets
            },
        )

    def coder(self, system: str) -> NoteCoder:
        """The coder of a code system.

        Args:
            system: Its name, or the beginning of it that only one has, such as `"icd9"` or `"ICD-9"`.

        Raises:
            InputError: If the model has no such system.
        """
        spellings = system, _plain(system), code_system_name(system)
        found = [name for name in self.coders if name.startswith(spellings)]
        found = [name for name in spellings if name in found][:1] or found
        if len(found) != 1:
            told = " and ".join(self.coders)
            raise InputError(f"the model codes in {told}; choose one of them. Received: system={system!r}")
        return self.coders[found[0]]

    @property
    def config(self) -> TrainingConfig:
        """The `TrainingConfig` of the training."""
        return next(iter(self.coders.values())).config

    def truncated(self, notes: Notes) -> int:
        """How many notes are longer than the model reads.

        Args:
            notes: The notes.
        """
        return next(iter(self.coders.values())).truncated(notes)

    def predict(
        self, notes: Notes | Sequence[str], top_k: int | None = None
    ) -> Iterator[dict[str, list[dict]]]:
        """For each note and each code system its ranked codes, as of `NoteCoder.predict`.

        Args:
            notes: The notes, or their texts.
            top_k: As of `NoteCoder.predict`. Defaults to None.
        """
        for block in as_notes(notes).blocks():
            scores = self.scores(block)
            for row in range(len(block)):
                yield {name: coder.ranked(scores[name][row], top_k) for name, coder in self.coders.items()}

    def scores(self, notes: Notes | Sequence[str]) -> dict[str, np.ndarray]:
        """For each code system the probability of each label, float32 `(n, m)`, of notes that are read once.

        Args:
            notes: n notes, or their texts.

        Raises:
            InputError: As `NoteCoder.scores`.
        """
        scores = predict_scores(self.model, self._reader.inputs(notes), self.config.batch_size)
        if any(np.isnan(part).any() for part in scores.values()):
            raise InputError("the model gives NaN: its weights are damaged; copy or train it again")
        return scores

    @cached_property
    def _reader(self) -> NoteCoder:
        """A coder that reads what the model reads for both systems."""
        first = next(iter(self.coders.values()))
        lexicons = {
            key: lexicon for coder in self.coders.values() for key, lexicon in coder.features.lexicons.items()
        }
        return replace(first, features=replace(first.features, lexicons=lexicons))

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

    def save(self, folder) -> None:
        """Writes the folder, all of it or nothing: `model.keras`, `coder.json` and a `relevance-….npz` a system."""
        told = {name: coder.told() for name, coder in self.coders.items()}
        first = next(iter(told.values()))
        shared = {name: first[name] for name in ("training", "encoder_sha256")}
        shared["features"] = self._reader.features.to_dict()
        systems = {name: {key: one[key] for key in _OF_SYSTEM} for name, one in told.items()}
        with replacing(folder, folder=True, private=True) as temporary:  # as `NoteCoder.save`
            write_model(self.model, temporary)
            for name, coder in self.coders.items():
                coder.relevance.save(temporary / _graph_file(name))
            write_coder_json(temporary, {**shared, "systems": systems})

    @classmethod
    def load(cls, folder, encoder: str | None = None) -> "JointCoder":
        """Reads a folder that `save` wrote.

        Args:
            folder: The folder.
            encoder: Where this machine has the encoder. Defaults to None: as at the training.

        Raises:
            InputError: If the folder is missing, incomplete or damaged.
        """
        folder = Path(folder)
        with loading(folder):
            check_folder(folder, (JSON, MODEL))
            told = read_coder_json(folder)
            if "systems" not in told:
                raise InputError(f"{folder}: holds a model of one code system; load it as what it is")
            check_folder(folder, [_graph_file(name) for name in told["systems"]])
            return cls._from_parts(told, folder, encoder)

    @classmethod
    def _from_parts(cls, told: dict, folder: Path, encoder: str | None) -> "JointCoder":
        model = read_model(folder / MODEL, layers_of(told["training"]["model"]))
        config = TrainingConfig.from_trained(told["training"], f"{folder}/{JSON}")
        if (
            not isinstance(model.output, dict)
            or list(model.output) != list(told["systems"])
            or not config.joint
        ):
            raise InputError(f"{folder}: its files are of different models; {ADVICE}")
        coders = {}
        for (name, own), settings in zip(
            told["systems"].items(), (config, of_other_system(config)), strict=True
        ):
            lexicons = told["features"].get("lexicons", {})
            features = {key: part for key, part in told["features"].items() if key != "lexicons"}
            features["lexicons"] = {key: part for key, part in lexicons.items() if key == f"lexical_{name}"}
            parts = {**told, **own, "training": settings.to_dict(), "features": features}
            graph = RelevanceGraph.load(folder / _graph_file(name))
            coders[name] = NoteCoder.from_parts(parts, system_model(model, name), graph, folder, encoder)
        return cls(model, coders)


@doing("loading the model")
def load_coder(folder, encoder: str | None = None, system: str | None = None) -> "NoteCoder | JointCoder":
    """The coder of a folder.

    Args:
        folder: A folder of `NoteCoder.save` or `JointCoder.save`.
        encoder: Where this machine has the encoder. Defaults to None: as at the training.
        system: The code system to code in, or the beginning of its name. Defaults to None: of a joint model, all.

    Returns:
        A `JointCoder` where the folder holds a joint model and no system is named, else a `NoteCoder`.

    Raises:
        InputError: If the folder holds no model of notes, or none of that system.
    """
    folder = Path(folder)
    check_kind(folder, *NOTE_MODELS.names, own=True)
    if "systems" in read_coder_json(folder):
        joint = JointCoder.load(folder, encoder)
        return joint if system is None else joint.coder(system)
    coder = NoteCoder.load(folder, encoder)
    name = Path(coder.config.code_system).stem  # of a table, what its system is called
    if system is not None and not name.startswith((system, _plain(system), code_system_name(system))):
        raise InputError(f"{folder}: codes in {name}. Received: system={system!r}")
    return coder


def _plain(system: str) -> str:
    """ICD-9-CM as the systems are called here."""
    return system.lower().replace("-", "")


def _graph_file(system: str) -> str:
    # A code system of one's own is called after its table, whatever that is.
    return f"relevance-{quote(system, safe='')}.npz"
