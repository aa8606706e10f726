"""What the folders of all trained models have in common."""

import json
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from icd_relevancy.errors import InputError

JSON, MODEL = "coder.json", "model.keras"
_LIBRARIES = ("icd_relevancy", "keras", "numpy", "tensorflow", "transformers")


def check_folder(folder: Path, names: Sequence[str] = (JSON, MODEL)) -> None:
    """Refuses a folder without these files.

    Raises:
        InputError: Naming the first that is missing.
    """
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: not a trained model ({name} is missing)")


def check_kind(folder: Path, *kinds: str) -> str:
    """The model of a folder, such as `"linear"` or `"medication"`, told before TensorFlow is loaded.

    Args:
        folder: The folder.
        kinds: The models that are wanted; none for any.

    Raises:
        InputError: If the folder holds no trained model, or one of another kind.
    """
    if not (folder / JSON).is_file():
        raise InputError(f"{folder}: not a trained model ({JSON} is missing)")
    kind = read_coder_json(folder, ("training",))["training"].get("model", "")
    if kinds and kind not in kinds:
        raise InputError(f"{folder}: holds a model {kind!r}; this command needs one of {', '.join(kinds)}")
    return kind


def read_coder_json(folder: Path, needed: Sequence[str]) -> dict:
    """What a folder says about its model beside the weights.

    Raises:
        InputError: If it is damaged, or one of the names `needed` is missing.
    """
    path = folder / JSON
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path}: damaged or truncated; copy or train the model again") from None
    missing = [name for name in needed if name not in told]
    if missing:
        raise InputError(f"{path}: {missing[0]!r} is missing; copy or train the model again")
    return told


def write_coder_json(folder: Path, told: dict) -> None:
    """Writes what a folder says about its model beside the weights, with the versions of the libraries."""
    told = {**told, "versions": {library: version(library) for library in _LIBRARIES}}
    (folder / JSON).write_text(json.dumps(told, indent=1), encoding="utf-8")


def write_model(model, folder: Path) -> None:
    """Writes a model without its optimizer, whose moments are twice the size of the weights."""
    import keras

    keras.Model(model.input, model.output, name=model.name).save(folder / MODEL)


def read_model(folder: Path):
    """The `keras.Model` of a folder, for inference.

    Raises:
        InputError: If it is damaged or cannot be read.
    """
    import keras  # here, because the command line looks into a folder before it loads TensorFlow

    path = folder / MODEL
    # What Keras raises for a truncated file depends on where it ends.
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: damaged or truncated; copy or train the model again")
    try:
        # Keras reads only parts of the file, and so does not see that others are damaged.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile("a checksum does not match")
        return keras.saving.load_model(path, compile=False)
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile) as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: cannot be read ({told}); copy or train the model again") from error
