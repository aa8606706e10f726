"""The transformer within an encoder: built of what a file says, if it is known and no larger than its weights."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import keras

from icd_relevancy.encoding.pretrained import weight_file
from icd_relevancy.encoding.tokenizer import damage_named, quiet_transformers
from icd_relevancy.files.safe_reading import reading

# Encoders of text that TensorFlow has, by their Hugging Face names; each is built of its configuration alone.
_MODEL_TYPES = frozenset(
    "albert bert camembert convbert deberta deberta-v2 distilbert electra esm flaubert layoutlm longformer mobilebert "
    "mpnet rembert roberta roberta-prelayernorm roformer xlm xlm-roberta".split()
)
# They could name files or code, or are of heads that no encoder has.
_LEFT_OUT = frozenset(
    "_name_or_path auto_map custom_pipelines quantization_config _attn_implementation_autoset attn_implementation "
    "_attn_implementation num_labels id2label label2id label_names task_specific_params torchscript vocab_file".split()
)
_LARGEST, _LARGEST_COUNT, _LARGEST_IN_LIST = 2**24, 200, 4096
_COUNTED = ("layer", "num", "group")
# Seeds of dropout and the like are not kept with the weights.
_ALWAYS_ALLOWED = 2**20


def pretrained(folder: Path, compute_dtype: str):
    """The transformer of a model folder, with its weights."""
    with (
        quiet_transformers() as transformers,
        damage_named(folder, "configuration or weights"),
        _computing_in(compute_dtype),
        variables_within(weight_file(folder).stat().st_size),
    ):
        # `from_pretrained` builds what the file says before it looks for the weights.
        _checked_architecture(json.loads((folder / "config.json").read_text("utf-8")))
        # The folder's own code is never run, nor is anybody asked whether to.
        return transformers.TFAutoModel.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )


def untrained(architecture: dict, compute_dtype: str):
    """A transformer of this configuration, for weights that a saved model holds."""
    with (
        reading(
            "the encoder of a saved model", "the architecture of an encoder", "copy or train the model again"
        ),
        quiet_transformers() as transformers,
        _computing_in(compute_dtype),
    ):
        config = transformers.AutoConfig.for_model(**_checked_architecture(architecture))
        model = transformers.TFAutoModel.from_config(config, trust_remote_code=False)
        model.build_in_name_scope()
        return model


def adopted_weights(transformer) -> list[keras.Variable]:
    """One `keras.Variable` for each of the transformer's TensorFlow variables, sharing its storage."""
    # Keras 3 tracks no variable of a `tf_keras` model, so without this the encoder would be silently frozen and
    # unsaved. The pooler's are left out, since neither pooling uses them and `fit` would warn about their missing
    # gradients.
    adopted = []
    for source in transformer.variables:
        if "/pooler/" in source.name:
            continue
        name = source.name.split(":")[0].split("/", 1)[-1].replace("/", "_")
        # The transformer reads its own variable, outside Keras's autocasting: it stays float32.
        variable = keras.Variable(source, dtype=source.dtype.name, autocast=False, name=name)
        # The private attribute is the only way to share storage: Keras versions differ in whether they keep
        # or copy a tf.Variable that they are given.
        variable._value = source
        adopted.append(variable)
    return adopted


def seed_dropout(transformer, seeds: keras.random.SeedGenerator) -> None:
    """Lets all dropout draw from a seed that Keras tracks, so that a checkpoint of the variables holds it."""

    # The transformer's own generators keep their state in the kernels of a compiled function, out of reach.
    def dropout(inputs, rate, noise_shape=None):
        return keras.random.dropout(inputs, rate, noise_shape, seeds)

    for layer in transformer._flatten_layers():
        if hasattr(layer, "_random_generator"):
            layer._random_generator.dropout = dropout


def as_graph(call):
    """A function of token ids and mask, compiled once for every shape."""
    import tensorflow as tf

    # Not XLA: it saves a tenth of the time on short texts and costs a second for every new shape.
    shape = tf.TensorSpec([None, None], tf.int32)
    return tf.function(call, input_signature=[shape, shape], autograph=False)


@contextmanager
def variables_within(file_size: int) -> Iterator[None]:
    """Refuses, by a `ValueError`, a model of more weights than a file can hold, before memory for them is taken."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    left = _ALWAYS_ALLOWED + file_size

    def create(make, **settings):
        nonlocal left
        left -= _size_of(tf, settings)
        if left < 0:
            raise ValueError("the model would be larger than its weights")
        return make(**settings)

    with tf.variable_creator_scope(create):
        yield


def _size_of(tf, settings: Mapping) -> int:
    """The number of weights of a variable that is to be made."""
    shape, value = settings.get("shape"), settings.get("initial_value")
    if shape is None and callable(value):
        with tf.Graph().as_default():  # where a tensor has a shape and takes no memory
            value = value()
    shape = tf.TensorShape(shape if shape is not None else getattr(value, "shape", ()))
    return math.prod(size or 1 for size in shape.as_list()) if shape.rank is not None else 0


@contextmanager
def _computing_in(compute_dtype: str):
    """Makes the models of transformers compute in bfloat16 where the layer does."""
    import tf_keras

    policies = tf_keras.mixed_precision
    before = policies.global_policy()
    policies.set_global_policy("mixed_bfloat16" if compute_dtype == "bfloat16" else "float32")
    try:
        yield
    finally:
        policies.set_global_policy(before)


def _checked_architecture(config: Mapping) -> dict:
    """The configuration of an encoder from a file, without what names other files or code."""
    if not isinstance(config, Mapping) or config.get("model_type") not in _MODEL_TYPES:
        raise ValueError(f"model_type must be one of {', '.join(sorted(_MODEL_TYPES))}")
    kept = {name: value for name, value in config.items() if name not in _LEFT_OUT}
    for name, value in kept.items():
        counted = any(part in name for part in _COUNTED)
        most = _LARGEST_IN_LIST if isinstance(value, list) else _LARGEST_COUNT if counted else _LARGEST
        if any(
            isinstance(n, (int, float)) and abs(n) > most
            for n in (value if isinstance(value, list) else [value])
        ):
            raise ValueError("a size is beyond that of any encoder")
    return kept
