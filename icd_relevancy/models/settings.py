"""The settings of the models of notes: groups of them, and what each model has; read without Keras.

What each setting is says `TrainingConfig`, which takes them all side by side.
"""

from dataclasses import dataclass
from typing import ClassVar

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.settings import Settings, UnheededError, check, setting

# LOSSES table 1, for a frozen encoder.
FROZEN = {
    "learning_rate": 1e-3, "batch_size": 32, "epochs": 50, "warm_up": 0.0, "weight_decay": 0.0, "clip_norm": 0.0,
    "monitor": "loss", "max_length": 256,
}  # fmt: skip
FINE_TUNED = {
    "learning_rate": 2e-4, "batch_size": 16, "epochs": 10, "warm_up": 0.1, "weight_decay": 0.01, "clip_norm": 1.0,
    "monitor": "micro_f1", "max_length": 256,
}  # fmt: skip
# What models of long notes have in common in the replication study that JAMS follows (Edin et al. 2023).
LONG_NOTES = {"epochs": 20, "warm_up": 0.05, "clip_norm": 1.0, "monitor": "map", "max_length": 4000}

GRAPHS = ("weighted", "unweighted", "one_table", "none")


class ModelSettings(Settings):
    """The base of all: what a model has no setting for is here as it then is.

    Attributes:
        training: The settings of a training that the model has defaults of its own for.
        reads_tokens: Whether it reads notes by an encoder.
        reads_words: Whether it reads their words.
        needs_encoder: Whether it needs the encoder even where all embeddings are in the cache.
        pools: Whether it reads one vector of a note, not one of each token.
        reads_long_notes: Whether it reads notes whole, in few large steps, at a rate that falls linearly.
        dropout_of_states: Share of the token states dropped before the attention.
        names_categories: Whether its attention weighs categories that have names.
    """

    unify = negation = clean = False
    encoder = lowercase = word_vectors = None
    fine_tune = mixed_precision = False
    pooling, attention = "mean", "hierarchical"
    structured = smote = bag_of_words = lexical = False
    min_groups, title_queries = 1, True
    units = attention_dim = dropout = chunk_length = None
    joint, joint_system, mapping, graph = False, "icd9cm", None, "weighted"

    training: ClassVar[dict] = {}
    reads_tokens: ClassVar[bool] = False
    reads_words: ClassVar[bool] = False
    needs_encoder: ClassVar[bool] = False
    pools: ClassVar[bool] = False
    reads_long_notes: ClassVar[bool] = False
    dropout_of_states: ClassVar[float] = 0.0
    names_categories: ClassVar[bool] = False

    def open_values(self) -> dict:
        """What the settings of a training stand for that are left open."""
        return {**(FINE_TUNED if self.fine_tune else FROZEN), **self.training}

    def check(self, config) -> None:
        """Refuses settings that do not go together, or that nothing would heed.

        Args:
            config: The configuration that they are part of.

        Raises:
            InputError: Naming the setting.
        """

    @property
    def reads_lexicon(self) -> bool:
        """Whether the model reads which terms of the codes a note names."""
        return self.lexical

    @property
    def takes_long(self) -> bool:
        """Whether a training is to be taken up again where it was interrupted."""
        return self.fine_tune or self.reads_long_notes

    def refuse(self, name: str, why: str) -> None:
        """Refuses a setting that is not as it is by default."""
        refuse(name, getattr(self, name), type(self).__dataclass_fields__[name].default, why)


def refuse(name: str, value, default, why: str) -> None:
    """Refuses a setting that is not as it is by default, and that nothing would heed."""
    if value != default:
        raise UnheededError(name, f"{name} {why}. Received: {name}={shown_word(value)}")


@dataclass(frozen=True)
class Prepares(ModelSettings):
    """Of models that read texts, which can be prepared."""

    unify: bool = False
    negation: bool = False
    clean: bool = False


@dataclass(frozen=True)
class ReadsTokens(Prepares):
    """Of models that read the tokens of an encoder."""

    encoder: str | None = setting(None, option="hub name or folder (default: all-MiniLM-L6-v2)")
    lowercase: bool | None = None
    fine_tune: bool = setting(False, option="train the encoder too")
    mixed_precision: bool = False

    reads_tokens = True

    def check(self, config) -> None:
        if self.mixed_precision and not self.fine_tune:
            raise InputError("mixed_precision needs fine_tune: a frozen encoder computes once")
        super().check(config)

    @property
    def needs_encoder(self) -> bool:
        return self.fine_tune or not self.pools


@dataclass(frozen=True)
class ReadsWords(Prepares):
    """Of models that read words."""

    word_vectors: str | None = None

    reads_words = True


@dataclass(frozen=True)
class Attends(ModelSettings):
    """Of models with attention, which can read more beside the tokens."""

    bag_of_words: bool = False
    lexical: bool = setting(False, option="let a model with attention read what lexicon does too")
    min_groups: int = setting(1, least=1)
    title_queries: bool = True

    def check(self, config) -> None:
        super().check(config)
        for name in ("negation", "unify", "clean") if self.lexical else ():
            why = "does not reach the lexicon, which reads notes as they are; leave it or lexical out"
            refuse(name, getattr(self, name), False, why)
        if self.min_groups > 1 and not self.lexical:
            raise InputError(f"min_groups is of a lexicon; set lexical too. Received: {self.min_groups}")


@dataclass(frozen=True)
class TwoSystems(ModelSettings):
    """Of models that can learn two code systems together."""

    joint: bool = setting(
        False, option="learn notes in two code systems together, icd10cm and icd9cm ({models})"
    )
    joint_system: str = "icd9cm"
    mapping: str | None = None
    graph: str = setting("weighted", one_of=GRAPHS)

    def check(self, config) -> None:
        super().check(config)
        for name in () if self.joint else ("joint_system", "mapping", "graph"):
            default = type(self).__dataclass_fields__[name].default
            check(getattr(self, name) == default, name, getattr(self, name), f"{default!r} without joint")
        if self.graph == "none":
            self.refuse("mapping", "links codes, and graph='none' does not; leave one out")
        if self.joint and self.joint_system == config.code_system:
            raise InputError(
                f"joint needs two code systems. Received: {shown_word(config.code_system)} twice"
            )


@dataclass(frozen=True)
class LinearSettings(ReadsTokens):
    """Of `linear`."""

    pooling: str = setting("mean", one_of=("mean", "cls"))

    pools = True


@dataclass(frozen=True)
class HmhanSettings(ReadsTokens, Attends):
    """Of `hmhan`."""

    attention: str = setting("hierarchical", one_of=("hierarchical", "flat", "single", "none"))
    structured: bool = False
    smote: bool = False

    @property
    def names_categories(self) -> bool:
        return self.attention == "hierarchical"

    def check(self, config) -> None:
        super().check(config)
        if self.attention in ("single", "none"):
            self.refuse("title_queries", f"is not of attention={self.attention!r}, which asks no code")


@dataclass(frozen=True)
class CamlSettings(ReadsWords, Attends, TwoSystems):
    """Of `caml`."""

    units: int = setting(50, least=1)
    dropout: float = setting(0.2, least=0, below=1)

    training = LONG_NOTES | {"learning_rate": 5e-3, "weight_decay": 1e-3, "batch_size": 8}
    reads_long_notes = True


@dataclass(frozen=True)
class MultiResCnnSettings(ReadsWords, Attends, TwoSystems):
    """Of `multirescnn`."""

    units: int = setting(50, least=1)
    dropout: float = setting(0.2, least=0, below=1)

    training = LONG_NOTES | {"learning_rate": 5e-4, "weight_decay": 1e-4, "batch_size": 16}
    reads_long_notes = True


@dataclass(frozen=True)
class LaatSettings(ReadsWords, Attends, TwoSystems):
    """Of `laat`."""

    units: int = setting(512, least=1)
    dropout: float = setting(0.3, least=0, below=1)
    attention_dim: int = setting(512, least=1)

    training = LONG_NOTES | {"learning_rate": 1e-3, "weight_decay": 1e-3, "batch_size": 8}
    reads_long_notes = True


@dataclass(frozen=True)
class PlmIcdSettings(ReadsTokens, Attends, TwoSystems):
    """Of `plm-icd`."""

    dropout: float = setting(0.0, least=0, below=1)
    attention_dim: int = setting(768, least=1)
    chunk_length: int = setting(128, least=1)

    training = LONG_NOTES | {"learning_rate": 5e-5, "weight_decay": 0.0, "batch_size": 16}
    reads_long_notes = True

    def open_values(self) -> dict:
        # With a frozen encoder the attention alone learns.
        return super().open_values() | ({} if self.fine_tune else {"learning_rate": 1e-3})

    @property
    def dropout_of_states(self) -> float:
        return self.dropout


@dataclass(frozen=True)
class LexiconSettings(TwoSystems):
    """Of `lexicon`."""

    min_groups: int = setting(1, least=1)

    training: ClassVar = {"learning_rate": 1e-2}
    reads_lexicon = True

    def check(self, config) -> None:
        super().check(config)
        why = "is not of the model lexicon, which reads whole notes"
        refuse("max_length", config.max_length, self.open_values()["max_length"], why)
        if self.graph != "none":
            why = "must be 'weighted' or 'none' of the model lexicon, which knows links or none"
            self.refuse("graph", why)
