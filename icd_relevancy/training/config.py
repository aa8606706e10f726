"""The settings of a training, checked when they are read."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from icd_relevancy.errors import InputError
from icd_relevancy.relevance import check_threshold

LOSSES = ("bce", "tlcl", "plcl", "bhml", "whml")
MODELS = ("linear",)


class Settings:
    """What the settings of every training can do; the base of frozen dataclasses."""

    @classmethod
    def from_mapping(cls, settings: Mapping, source: str = "the configuration"):
        """A configuration from names and values.

        Raises:
            InputError: Naming an unknown key, or a value of the wrong type.
        """
        return from_mapping(cls, settings, source)

    def to_dict(self) -> dict:
        """The settings by name."""
        return asdict(self)


@dataclass(frozen=True)
class TrainingConfig(Settings):
    """How to train a note classifier (LOSSES table 1 gives the defaults of the optimisation).

    Attributes:
        model: `"linear"`, one dense layer on the encoder.
        loss: One of `bce`, `tlcl`, `plcl`, `bhml`, `whml`. BCE with a tuned decision threshold finds most exact
            codes in our measurements, `whml` the most relevant ones on long-tailed labels.
        alpha: Weight of TLCL in WHML, in [0, 1].
        matching: `"graded"` or `"binary"`.
        harmonic_of: `"scores"` (trainable) or `"losses"` (as printed).
        code_system: `icd10cm`, `icd9cm` or the path of a table of codes.
        vectors: Name or folder of code vectors; None for those of the code system.
        threshold: τ, the cosine from which two codes match.
        encoder: Hub name or folder of the encoder; None for the default encoder.
        pooling: `"mean"` or `"cls"`.
        max_length: Tokens read of a note.
        lowercase: Whether to lower-case; None as the tokenizer says.
        fine_tune: Whether to train the encoder too.
        learning_rate: Of Adam.
        batch_size: Notes a batch.
        epochs: Most epochs.
        patience: Epochs without a better validation loss until the training stops.
        validation: Share of the notes held out for early stopping and the decision threshold.
        min_count: Codes used by fewer notes are no labels.
        seed: Of the split, the weights and the order of the notes.

    Raises:
        InputError: Naming the setting that is out of range.
    """

    model: str = "linear"
    loss: str = "bce"
    alpha: float = 0.75
    matching: str = "graded"
    harmonic_of: str = "scores"
    code_system: str = "icd10cm"
    vectors: str | None = None
    threshold: float = 0.76
    encoder: str | None = None
    pooling: str = "mean"
    max_length: int = 256
    lowercase: bool | None = None
    fine_tune: bool = False
    learning_rate: float = 1e-3
    batch_size: int = 32
    epochs: int = 50
    patience: int = 5
    validation: float = 0.1
    min_count: int = 1
    seed: int = 0

    def __post_init__(self):
        check_threshold(self.threshold)
        check(self.model in MODELS, "model", self.model, f"one of {', '.join(MODELS)}")
        check(self.loss in LOSSES, "loss", self.loss, f"one of {', '.join(LOSSES)}")
        check(self.matching in ("graded", "binary"), "matching", self.matching, "graded or binary")
        check(self.harmonic_of in ("scores", "losses"), "harmonic_of", self.harmonic_of, "scores or losses")
        check(self.pooling in ("mean", "cls"), "pooling", self.pooling, "mean or cls")
        check(0 <= self.alpha <= 1, "alpha", self.alpha, "in [0, 1]")
        check(0 < self.validation < 1, "validation", self.validation, "between 0 and 1")
        check(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        check(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")
        for name in ("max_length", "batch_size", "epochs", "patience", "min_count"):
            check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")


def from_mapping(kind, settings: Mapping, source: str):
    """A frozen dataclass from names and values that rejects unknown keys and values of another type."""
    known = {field.name: field for field in fields(kind)}
    for name, value in settings.items():
        if name not in known:
            raise InputError(f"{source}: unknown key {str(name)[:40]!r}; the keys are {', '.join(known)}")
        allowed = _type_name(known[name].type)
        if not _fits(value, allowed):
            raise InputError(f"{source}: {name} must be {allowed}. Received: {name}={value!r}")
    return kind(**settings)


def read_yaml(path) -> dict:
    """The settings of a YAML file.

    Raises:
        InputError: If the file is missing, not UTF-8, or no mapping of names to values, a name stands in it
            twice or a value is an impossible date or number.
    """
    try:
        settings = yaml.load(Path(path).read_text(encoding="utf-8"), _StrictLoader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such configuration file") from None
    except InputError as error:
        raise InputError(f"{path}, {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        # Its full message quotes the file, which may be one of notes, given by mistake.
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise InputError(f"{place}: not YAML; write one 'name: value' a line") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise InputError(f"{path}: expected names and values, as in 'loss: whml'")
    return settings


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that names the line of a repeated key, whose first value YAML drops, and of a bad value."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise InputError(
                        f"line {key.start_mark.line + 1}: the key {key.value[:40]!r} is there twice; keep one"
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def construct_object(self, node, deep=False):
        try:
            return super().construct_object(node, deep)
        except InputError:
            raise
        except ValueError:
            line = node.start_mark.line + 1
            raise InputError(f"line {line}: no such date or number; correct the value or quote it") from None


_TYPES = {
    "str": str,
    "float": (float, int),
    "int": int,
    "bool": bool,
    "None": type(None),
    "tuple": (list, tuple),
    "dict": dict,
}


def _type_name(annotation) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _fits(value, allowed: str) -> bool:
    names = allowed.split(" | ")
    if isinstance(value, bool):
        return "bool" in names
    return any(isinstance(value, _TYPES[name.split("[")[0]]) for name in names)


def check(holds: bool, name: str, value, allowed: str):
    """Raises an `InputError` that names the setting, its value and what is allowed, unless it holds."""
    if not holds:
        raise InputError(f"{name} must be {allowed}. Received: {name}={value!r}")
