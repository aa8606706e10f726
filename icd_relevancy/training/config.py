"""The settings of a training, checked when they are read."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from icd_relevancy.errors import InputError
from icd_relevancy.relevance import check_threshold

LOSSES = ("bce", "focal", "tlcl", "plcl", "bhml", "whml")
MODELS = ("linear", "hmhan")
ATTENTIONS = ("hierarchical", "flat", "single", "none")
MONITORS = ("loss", "micro_f1", "macro_f1", "map", "ndcg", "micro_auprc")

# What a setting that is None stands for, with a frozen encoder (LOSSES table 1) and with one that is trained.
_FROZEN = {
    "learning_rate": 1e-3, "batch_size": 32, "epochs": 50, "warm_up": 0.0, "weight_decay": 0.0, "clip_norm": 0.0,
    "monitor": "loss",
}  # fmt: skip
_FINE_TUNED = {
    "learning_rate": 2e-4, "batch_size": 16, "epochs": 10, "warm_up": 0.1, "weight_decay": 0.01, "clip_norm": 1.0,
    "monitor": "micro_f1",
}  # fmt: skip


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
    """How to train a note classifier.

    A setting that is None takes its value when the configuration is made: that of LOSSES table 1 with a frozen
    encoder, that of the usual fine-tuning with `fine_tune`. So make a new one to change `fine_tune`:
    `dataclasses.replace` keeps what was taken.

    Attributes:
        model: `"linear"`, one dense layer on the encoder, or `"hmhan"`, attention over the tokens.
        attention: Of `hmhan`: `"hierarchical"` over categories and their codes; `"flat"`, with all codes in one
            category; or the controls `"single"` and `"none"` that the paper compares it with.
        loss: One of `bce`, `focal`, `tlcl`, `plcl`, `bhml`, `whml`. BCE with a tuned decision threshold finds
            most exact codes in our measurements, `whml` the most relevant ones on long-tailed labels; `focal` is
            HMHAN's class-weighted cross-entropy with a focal loss.
        alpha: Weight of TLCL in WHML, in [0, 1].
        matching: `"graded"` or `"binary"`.
        harmonic_of: `"scores"` (trainable) or `"losses"` (as printed).
        code_system: `icd10cm`, `icd9cm` or the path of a table of codes.
        vectors: Name or folder of code vectors; None for those of the code system.
        threshold: τ, the cosine from which two codes match.
        encoder: Hub name or folder of the encoder; None for the default encoder.
        pooling: `"mean"` or `"cls"`, of `linear`.
        max_length: Tokens read of a note.
        lowercase: Whether to lower-case; None as the tokenizer says.
        fine_tune: Whether to train the encoder too.
        mixed_precision: Whether a fine-tuned encoder computes in bfloat16, which new processors and GPUs do
            faster.
        unify: Whether to expand abbreviations and name investigation values, units and dates.
        negation: Whether to mark negated terms (`NOT_pneumonia`); needs the extra `text`.
        clean: Whether to lower-case and to drop special characters, numbers and stop words.
        bag_of_words: Whether `hmhan` reads the TF-IDF of words and word pairs too.
        structured: Whether `hmhan` reads age, sex and specialty too.
        smote: Whether the head of `hmhan` is trained on a training part over-sampled by ML-SMOTE.
        learning_rate: The highest one, of Adam, or of AdamW where there is weight decay.
        warm_up: Share of the steps in which the learning rate rises from 0; it falls to 0 after them. 0 keeps it
            constant.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of all gradients together; 0 for no bound.
        batch_size: Notes a batch.
        epochs: Most epochs.
        patience: Epochs without a better `monitor` until the training stops.
        monitor: What the best epoch is best at on the validation part: `loss`, `micro_f1` or `macro_f1` (at the
            tuned threshold), `map`, `ndcg` or `micro_auprc`.
        validation: Share of the notes held out for early stopping and the decision threshold.
        min_count: Codes used by fewer notes are no labels.
        seed: Of the split, the weights and the order of the notes.

    Raises:
        InputError: Naming the setting that is out of range.

    Reference: LOSSES table 1; HMHAN §IV.A.
    """

    model: str = "linear"
    attention: str = "hierarchical"
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
    mixed_precision: bool = False
    unify: bool = False
    negation: bool = False
    clean: bool = False
    bag_of_words: bool = False
    structured: bool = False
    smote: bool = False
    learning_rate: float | None = None
    warm_up: float | None = None
    weight_decay: float | None = None
    clip_norm: float | None = None
    batch_size: int | None = None
    epochs: int | None = None
    patience: int = 5
    monitor: str | None = None
    validation: float = 0.1
    min_count: int = 1
    seed: int = 0

    def __post_init__(self):
        for name, value in (_FINE_TUNED if self.fine_tune else _FROZEN).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        check_threshold(self.threshold)
        for name, allowed in (
            ("model", MODELS),
            ("attention", ATTENTIONS),
            ("loss", LOSSES),
            ("matching", ("graded", "binary")),
            ("harmonic_of", ("scores", "losses")),
            ("pooling", ("mean", "cls")),
            ("monitor", MONITORS),
        ):
            told = " or ".join(allowed) if len(allowed) == 2 else f"one of {', '.join(allowed)}"
            check(getattr(self, name) in allowed, name, getattr(self, name), told)
        check(0 <= self.alpha <= 1, "alpha", self.alpha, "in [0, 1]")
        check(0 < self.validation < 1, "validation", self.validation, "between 0 and 1")
        check(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        check(0 <= self.warm_up < 1, "warm_up", self.warm_up, "in [0, 1)")
        check(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")
        for name in ("weight_decay", "clip_norm"):
            check(0 <= getattr(self, name) < math.inf, name, getattr(self, name), "from 0, and finite")
        for name in ("max_length", "batch_size", "epochs", "patience", "min_count"):
            check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        foreign = (
            ("pooling",) if self.model == "hmhan" else ("attention", "bag_of_words", "structured", "smote")
        )
        for name in foreign:
            if getattr(self, name) != getattr(type(self), name):
                other = "linear" if self.model == "hmhan" else "hmhan"
                raise InputError(f"{name} is of the model {other}. Received: model={self.model!r}")
        if self.mixed_precision and not self.fine_tune:
            raise InputError("mixed_precision needs fine_tune: a frozen encoder computes once")


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
