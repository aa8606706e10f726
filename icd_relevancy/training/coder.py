"""A trained model as a folder that codes: what the coders of notes and of stays have in common."""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import numpy as np

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.disk import recover, replacing
from icd_relevancy.files.safe_reading import reading
from icd_relevancy.models.by_name import NOTE_MODELS, layers_of
from icd_relevancy.progress import doing
from icd_relevancy.registry import Registry, named_by

JSON, MODEL = "coder.json", "model.keras"
ADVICE = "copy or train the model again"
# By kind, and not imported here, as they stand on this file.
CODERS = Registry(
    "coder",
    {
        "notes": "icd_relevancy.training.notes.coder:NoteCoder",
        "joint": "icd_relevancy.training.notes.joint_coder:JointCoder",
        "stays": "icd_relevancy.training.stays.coder:MedicationCoder",
    },
)
_LIBRARIES = ("icd_relevancy", "keras", "numpy", "tensorflow", "transformers")
_LARGEST_JSON = 2**30
# The states of files that are known to follow the schema.
_valid: set[tuple] = set()


class Coder:
    """A trained model with all that it needs to code, which one folder keeps.

    A coder has a Keras `model`, the `config` of its training, and says how it is kept (`_state`, `_graphs`) and read
    (`_from_state`), what it makes of notes or stays (`scores`) and how it lists that (`ranked`).
    """

    kind: ClassVar[str]

    def save(self, folder) -> None:
        """Writes `folder` anew, all of it or nothing: `model.keras`, `coder.json` and the relevance graphs of notes."""
        import keras

        state = {**self._state(), "versions": {library: version(library) for library in _LIBRARIES}}
        # For its owner alone: it holds words of the notes, and drugs that few patients have may be words too.
        with replacing(folder, folder=True, private=True) as temporary:
            # Without the optimizer, whose moments are twice the size of the weights.
            keras.Model(self.model.input, self.model.output, name=self.model.name).save(temporary / MODEL)
            for name, graph in self._graphs().items():
                graph.save(temporary / name)
            (temporary / JSON).write_text(json.dumps(state, indent=1), encoding="utf-8")

    @classmethod
    @doing("loading the model")
    def load(cls, folder, encoder: str | None = None):
        """Reads a folder that `save` wrote.

        Args:
            folder: The folder.
            encoder: Where this machine has the encoder. Defaults to None: as at the training.

        Raises:
            InputError: If the folder is missing, incomplete or damaged, holds a model of another kind, or its code
                system is not here.
        """
        from icd_relevancy.training.model_file import read_model

        folder = Path(folder)
        with _loading(folder):
            _check_files(folder, (JSON, MODEL))
            state = read_coder_json(folder)
            if coder_kind(state) != cls.kind:
                raise InputError(f"{folder}: holds no model for {cls.__name__}; load it as what it is")
            _check_files(folder, cls._graph_files(state))
            layers = () if cls.kind == "stays" else layers_of(state["training"]["model"])
            return cls._from_state(state, read_model(folder / MODEL, layers), folder, encoder)

    @staticmethod
    def _graph_files(state: Mapping) -> Sequence[str]:
        """The files of relevance graphs in the folder of a coder."""
        return ()

    def _graphs(self) -> Mapping:
        """The relevance graphs by their files."""
        return {}

    def _in_system(self, system: str, folder: Path) -> "Coder":
        """The coder of one code system, of those in which the model codes."""
        raise InputError(f"{folder}: a code system is named to models of notes alone; leave it out")

    def _predicted(self, blocks: Iterable, *how) -> Iterator:
        """What `ranked` makes of the scores of each note or stay, block by block."""
        for block in blocks:
            scores = self.scores(block)
            several = isinstance(scores, Mapping)
            for row in range(len(block)):
                one = {name: part[row] for name, part in scores.items()} if several else scores[row]
                yield self.ranked(one, *how)


def load_coder(folder, encoder: str | None = None, system: str | None = None) -> Coder:
    """The coder of a folder.

    Args:
        folder: A folder of `NoteCoder.save`, `JointCoder.save` or `MedicationCoder.save`.
        encoder: Where this machine has the encoder. Defaults to None: as at the training.
        system: The code system to code in, or the beginning of its name. Defaults to None: of a joint model, all.

    Returns:
        A `JointCoder` where the folder holds a joint model and no system is named, else a `NoteCoder`; a
        `MedicationCoder` of a model of stays.

    Raises:
        InputError: If the folder holds no trained model, or none of that system.
    """
    folder = Path(folder)
    check_kind(folder, *NOTE_MODELS.names, "medication", own=True)
    coder = CODERS.find(coder_kind(read_coder_json(folder))).load(folder, encoder)
    return coder if system is None else coder._in_system(system, folder)


def coder_kind(state: Mapping) -> str:
    """What codes by a `coder.json`: `"notes"`, `"joint"` or `"stays"`; known without TensorFlow."""
    if state["training"]["model"] == "medication":
        return "stays"
    return "joint" if "systems" in state else "notes"


def check_kind(folder: Path, *models: str, own: bool = False) -> str:
    """The name of the model in a folder, which must be one of these, or with `own` a path of the user's own."""
    recover(folder)
    _check_files(folder, (JSON,))
    model = read_coder_json(folder)["training"]["model"]
    if models and model not in models and not (own and ":" in model):
        raise InputError(
            f"{folder}: holds a model {shown_word(model)}; this command needs one of {', '.join(models)}"
        )
    return model


def different_models(folder) -> InputError:
    """The error that files of a folder do not fit each other."""
    return InputError(f"{folder}: its files are of different models; {ADVICE}")


def finite_scores(scores: np.ndarray) -> np.ndarray:
    """The scores of a model, refused if its weights are damaged."""
    if np.isnan(scores).any():
        raise InputError("the model gives NaN: its weights are damaged; copy or train it again")
    return scores


def read_coder_json(folder: Path) -> dict:
    """What a folder says of its model beside the weights, if it follows `data_schemas/coder.schema.json`."""
    path = folder / JSON
    with reading(path, "the description of a trained model", ADVICE):
        status = path.stat()
        if status.st_size > _LARGEST_JSON:
            raise ValueError("larger than any description")
        state = json.loads(path.read_text(encoding="utf-8"))
        # A command looks into a folder several times, and validating takes seventy times as long as reading.
        version_of_file = (str(path.resolve()), status.st_ino, status.st_size, status.st_mtime_ns)
        # All errors at once would take as long as there are errors.
        error = None if version_of_file in _valid else next(_validator().iter_errors(state), None)
    if error is not None:
        raise InputError(f"{path}: {_schema_problem(error)}; {ADVICE}")
    _valid.add(version_of_file)
    return state


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
    """Guards the loading of a folder, which may come from anywhere, be damaged in any way and replaced meanwhile."""
    recover(folder)
    before = folder.stat().st_ino if folder.exists() else None
    with reading(folder, "a trained model", ADVICE), warnings.catch_warnings(), named_by(folder):
        # The one line of the error says more than what a library warns of on the way to it.
        warnings.simplefilter("ignore")
        yield
    if folder.stat().st_ino != before:
        raise InputError(f"{folder}: was written anew while it was read; run again")


def _check_files(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: not a trained model ({name} is missing)")


@cache
def _validator():
    import jsonschema

    schema = (files("icd_relevancy.schemas") / "coder.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(schema))


def _schema_problem(error) -> str:
    """Where a document does not follow its schema and what is expected there, without any of its values."""
    place = ".".join(shown_word(part, quoted=False) for part in error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{'.'.join(filter(None, (place, missing)))} is missing"
    if error.validator == "additionalProperties":
        return f"{place}: has a name that is not known"
    return f"{place or 'the document'} must be of {error.validator} {json.dumps(error.validator_value)}"
