"""What the folders of all trained models have in common."""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.disk import recover
from icd_relevancy.files.safe_reading import reading

JSON, MODEL = "coder.json", "model.keras"
ADVICE = "copy or train the model again"
_LIBRARIES = ("icd_relevancy", "keras", "numpy", "tensorflow", "transformers")
_LARGEST_JSON = 2**30
# The states of files that are known to follow the schema.
_followed: set[tuple] = set()


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """The one guard around the loading of a folder, which may come from anywhere and be damaged in any way.

    Raises:
        InputError: For whatever goes wrong in the block, or if the folder is replaced meanwhile.
    """
    recover(folder)
    before = folder.stat().st_ino if folder.exists() else None
    with reading(folder, "a trained model", ADVICE), warnings.catch_warnings():
        # The one line that is told says more than what a library warns of on the way to it.
        warnings.simplefilter("ignore")
        yield
    if folder.stat().st_ino != before:
        raise InputError(f"{folder}: was written anew while it was read; run again")


def check_folder(folder: Path, names: Sequence[str] = (JSON, MODEL)) -> None:
    """Refuses a folder without these files.

    Raises:
        InputError: Naming the first that is missing.
    """
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: not a trained model ({name} is missing)")


def check_kind(folder: Path, *kinds: str, own: bool = False) -> str:
    """The model of a folder, such as `"linear"` or `"medication"`, told before TensorFlow is loaded.

    Args:
        folder: The folder.
        kinds: The models that are wanted; none for any.
        own: Whether one of the user's own is wanted too, which is named by its path. Defaults to False.

    Raises:
        InputError: If the folder holds no trained model, or one of another kind.
    """
    recover(folder)
    check_folder(folder, (JSON,))
    kind = read_coder_json(folder)["training"]["model"]
    if kinds and kind not in kinds and not (own and ":" in kind):
        raise InputError(
            f"{folder}: holds a model {shown_word(kind)}; this command needs one of {', '.join(kinds)}"
        )
    return kind


def read_coder_json(folder: Path) -> dict:
    """What a folder says about its model beside the weights, by `data_schemas/coder.schema.json`.

    Raises:
        InputError: If it is damaged or does not follow the schema.
    """
    path = folder / JSON
    with reading(path, "the description of a trained model", ADVICE):
        status = path.stat()
        if status.st_size > _LARGEST_JSON:
            raise ValueError("larger than any description")
        told = json.loads(path.read_text(encoding="utf-8"))
        # A command looks into a folder several times, and validating takes seventy times as long as reading.
        state = (str(path.resolve()), status.st_ino, status.st_size, status.st_mtime_ns)
        # All errors at once would take as long as there are errors.
        error = None if state in _followed else next(_validator().iter_errors(told), None)
    if error is not None:
        raise InputError(f"{path}: {_told_error(error)}; {ADVICE}")
    _followed.add(state)
    return told


@cache
def _validator():
    import jsonschema

    schema = (files("icd_relevancy.schemas") / "coder.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(schema))


def _told_error(error) -> str:
    """Where a document does not follow its schema and what is expected there, without any of its values."""
    place = ".".join(shown_word(part, quoted=False) for part in error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{'.'.join(filter(None, (place, missing)))} is missing"
    if error.validator == "additionalProperties":
        return f"{place}: has a name that is not known"
    return f"{place or 'the document'} must be of {error.validator} {json.dumps(error.validator_value)}"


def write_coder_json(folder: Path, told: dict) -> None:
    """Writes what a folder says about its model beside the weights, with the versions of the libraries."""
    told = {**told, "versions": {library: version(library) for library in _LIBRARIES}}
    (folder / JSON).write_text(json.dumps(told, indent=1), encoding="utf-8")


def write_model(model, folder: Path) -> None:
    """Writes a model without its optimizer, whose moments are twice the size of the weights."""
    import keras

    keras.Model(model.input, model.output, name=model.name).save(folder / MODEL)
