"""What a file from elsewhere may ask to be built: architectures that are known, no larger than their weights."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import keras

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
# The seeds of dropout and the like are not kept with the weights.
_ALWAYS_ALLOWED = 2**20


def checked_architecture(told: Mapping) -> dict:
    """The configuration of an encoder from a file, without what names other files or code.

    Args:
        told: A Hugging Face configuration.

    Raises:
        ValueError: If it is of no encoder that is known, or asks for what no encoder has.

    Example:

    >>> from icd_relevancy.encoding.architecture import checked_architecture
    >>> checked_architecture({"model_type": "bert", "hidden_size": 32, "auto_map": {"AutoModel": "evil.Model"}})
    {'model_type': 'bert', 'hidden_size': 32}
    """
    if not isinstance(told, Mapping) or told.get("model_type") not in _MODEL_TYPES:
        raise ValueError(f"model_type must be one of {', '.join(sorted(_MODEL_TYPES))}")
    kept = {name: value for name, value in told.items() if name not in _LEFT_OUT}
    for name, value in kept.items():
        counted = any(part in name for part in _COUNTED)
        most = _LARGEST_IN_LIST if isinstance(value, list) else _LARGEST_COUNT if counted else _LARGEST
        if any(
            isinstance(n, (int, float)) and abs(n) > most
            for n in (value if isinstance(value, list) else [value])
        ):
            raise ValueError("a size is beyond that of any encoder")
    return kept


@contextmanager
def variables_within(file_size: int) -> Iterator[None]:
    """Refuses to build a model that has more weights than a file of so many bytes can hold.

    Args:
        file_size: Bytes of the weights, of which each takes two or more.

    Raises:
        ValueError: Before the memory for the first one too many is taken.
    """
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
