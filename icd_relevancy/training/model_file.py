"""A `model.keras` from anywhere: only what our models are made of is built, and no more than its weights are."""

import io
import json
import math
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.safe_reading import reading

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {"metadata.json", _CONFIG, _WEIGHTS}
_LARGEST_CONFIG = 2**28
_DEEPEST, _MOST_ITEMS = 64, 2**17
_TOKENS = 4
_LARGEST_INPUT = 2**22
# What the models of `icd_relevancy.models` are made of. Keras has layers that read files and functions that write.
_BUILT_IN = {
    "keras": "DTypePolicy",
    "keras.src.models.functional": "Functional",
    "keras.layers": "Activation Add Average BatchNormalization Bidirectional Concatenate Conv1D Dense Dropout "
    "EinsumDense Embedding Flatten GlobalAveragePooling1D Identity InputLayer LSTM LayerNormalization ReLU",
    "keras.initializers": "Constant GlorotUniform HeNormal HeUniform Ones Orthogonal RandomNormal RandomUniform Zeros",
    "keras.regularizers": "L2",
    "keras.constraints": "NonNeg",
}
_ALLOWED = {(module, name) for module, names in _BUILT_IN.items() for name in names.split()}
_OUR_OWN = frozenset(
    "icd_relevancy>" + name
    for name in "HierL2 HierarchicalAttention JointLabelAttention LabelAttention LabelOdds LexicalLogits MaskedConv1D "
    "MeanOfChildren RollDown RollUp TokenMean TransformerEncoder".split()
)


def read_model(path: Path, layers: Collection[type] = ()):
    """The `keras.Model` of a file, for inference; refuses one damaged or with layers neither ours nor of `layers`."""
    import keras  # here, because the command line looks into a folder before it loads TensorFlow
    import numpy as np

    from icd_relevancy.encoding.transformer import variables_within

    with reading(path, "a model of this package", "copy or train the model again"):
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            _check_classes(json.loads(archive.read(_CONFIG)), layers)
            weights = archive.read(_WEIGHTS)
        _check_weights(weights)
        # By the name that Keras saves, so that a class which nobody registered is read again too.
        own = {keras.saving.get_registered_name(layer): layer for layer in layers}
        with variables_within(len(weights)):
            model = keras.saving.load_model(path, own, compile=False, safe_mode=True)
        for variable in model.variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise InputError(
                    f"{path}: the model gives NaN: its weights are damaged; copy or train it again"
                )
    return model


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Refuses members that `keras.Model.save` does not write, packed ones, and damaged ones."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if set(names) != _MEMBERS or len(names) != len(_MEMBERS):
        raise ValueError("it does not hold the members of a saved model")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is packed, as none of ours is")
    if (
        sum(member.file_size for member in members) > size
        or archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG
    ):
        raise ValueError("its members are out of proportion to it")
    # Keras reads only parts of the file, and so does not see that others are damaged.
    if archive.testzip() is not None:
        raise zipfile.BadZipFile("a checksum does not match")


def check_layers(model, layers: Collection[type]) -> None:
    """Refuses to train a model that could not be read again, naming what is neither ours nor one of `layers`."""
    import keras

    problem = _foreign(keras.saving.serialize_keras_object(model), layers)
    if problem is not None:
        raise InputError(
            f"the model has {shown_word(problem)}, which none of ours has; name the class in layers= of note_body or "
            "note_model, so that the trained model can be read"
        )


def _check_classes(config, layers: Collection[type]) -> None:
    """Refuses a configuration that names any class or function that our models do not have."""
    if _foreign(config, layers) is not None:
        raise ValueError("the configuration names a class that no model of ours has")


def _foreign(config, layers: Collection[type]) -> str | None:
    """The name of a class in a configuration that is neither of our models nor among some layers."""
    import keras

    others = {keras.saving.get_registered_name(layer): layer.__name__ for layer in layers}
    open_values = [(config, 0)]
    while open_values:
        value, depth = open_values.pop()
        if depth > _DEEPEST:
            raise ValueError("the configuration is nested too deep")
        if isinstance(value, dict):
            if "class_name" in value and not _is_allowed(value, others):
                return str(value["class_name"])
            open_values += [(part, depth + 1) for part in value.values()]
        elif isinstance(value, list):
            open_values += [(part, depth + 1) for part in value]
    return None


def _is_allowed(value: dict, others: Mapping[str, str]) -> bool:
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if name == "__keras_tensor__":
        return True
    # Keras goes by the registered name wherever there is one.
    if registered in _OUR_OWN:
        return registered.endswith(f">{name}")
    if registered in others or (module == "keras.layers" and name in others):
        return others[registered or name] == name
    return registered in (None, name) and (module, name) in _ALLOWED


def _check_weights(content: bytes) -> None:
    """Refuses weights that lie in other files, or take more memory than they have bytes."""
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        groups, items, left = [(file, 0)], 0, len(content)
        while groups:
            group, depth = groups.pop()
            for name in group:
                items += 1
                if items > _MOST_ITEMS or depth > _DEEPEST:
                    raise ValueError("more weights than any model has")
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError("a weight lies in another place")
                item = group[name]
                if isinstance(item, h5py.Group):
                    groups.append((item, depth + 1))
                    continue
                # Keras writes plain arrays: none is packed, made up of others or kept beside the file.
                plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub" and not item.is_virtual
                if not plain or item.external or item.chunks is not None or item.nbytes > left:
                    raise ValueError("a weight is no plain array")
                left -= item.nbytes


def check_runs(model, labels: int, words: int | None = None) -> None:
    """Lets a model of m labels (and words, or None) code an empty note: some damage shows only when it is used."""
    import keras
    import numpy as np

    def one(tensor):
        shape = (1, *(_TOKENS if size is None else size for size in tensor.shape[1:]))
        if math.prod(shape) > _LARGEST_INPUT:
            raise ValueError("it reads more of a note than any of ours")
        return keras.ops.convert_to_tensor(np.zeros(shape), tensor.dtype)

    inputs = keras.tree.map_structure(one, model.input)
    if isinstance(inputs, dict) and "attention_mask" in inputs:
        inputs["attention_mask"] += 1
    if words is not None:
        inputs["input_ids"] += words - 1
    scores = keras.ops.convert_to_numpy(model(inputs, training=False))
    if scores.shape != (1, labels) or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("it gives no probability for each label")
