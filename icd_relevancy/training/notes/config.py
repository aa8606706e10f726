"""The settings of a training, checked when they are read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from icd_relevancy.codes import code_system_name
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.relevance.graph import check_threshold
from icd_relevancy.settings import Settings, UnheededError, check
from icd_relevancy.training.notes.model_settings import MODELS, OF_LOSSES, OF_MODELS, open_settings

LOSSES = ("bce", "focal", "tlcl", "plcl", "bhml", "whml")
ATTENTIONS = ("hierarchical", "flat", "single", "none")
_SYSTEMS = ("code_system", "joint_system")
GRAPHS = ("weighted", "unweighted", "one_table", "none")
MONITORS = ("loss", "micro_f1", "macro_f1", "map", "ndcg", "micro_auprc")


@dataclass(frozen=True)
class TrainingConfig(Settings):
    """How to train a note classifier.

    A setting that is None takes its value when the configuration is made: that of LOSSES table 1 with a frozen
    encoder, that of the usual fine-tuning with `fine_tune`, that of the replication study that JAMS follows
    for its backbones. So make a new one to change `model` or `fine_tune`: `dataclasses.replace` keeps what was
    taken.

    Attributes:
        model: `"linear"`, one dense layer on the encoder; `"hmhan"`, attention over categories and their codes;
            the label-wise attention of `"caml"`, `"multirescnn"` and `"laat"`, which read words, and of
            `"plm-icd"`, which reads a long note by the encoder in chunks; or `"lexicon"`, which terms of a code a
            note names.
        attention: Of `hmhan`: `"hierarchical"` over categories and their codes; `"flat"`, with all codes in one
            category; or the controls `"single"` and `"none"` that the paper compares it with.
        loss: One of `bce`, `focal`, `tlcl`, `plcl`, `bhml`, `whml`. BCE with a tuned decision threshold finds
            most exact codes in our measurements, `whml` more relevant ones than BCE at 0.5; `focal` is
            HMHAN's class-weighted cross-entropy with a focal loss.
        alpha: Weight of TLCL in WHML, in [0, 1].
        matching: `"graded"` or `"binary"`.
        harmonic_of: `"scores"` (trainable) or `"losses"` (as printed).
        code_system: `icd10cm`, `icd9cm` or the path of a table of codes.
        vectors: Name or folder of code vectors; None for those of the name of the code system.
        threshold: τ, the cosine from which two codes match.
        encoder: Hub name or folder of the encoder; None for the default encoder.
        pooling: `"mean"` or `"cls"`, of `linear`.
        max_length: Tokens, or words, read of a note.
        lowercase: Whether to lower-case; None as the tokenizer says.
        fine_tune: Whether to train the encoder too.
        mixed_precision: Whether a fine-tuned encoder computes in bfloat16, which new processors and GPUs do
            faster.
        unify: Whether to expand abbreviations and name investigation values, units and dates.
        negation: Whether to mark negated terms (`NOT_pneumonia`); needs the extra `text`.
        clean: Whether to lower-case and to drop special characters, numbers and stop words.
        bag_of_words: Whether a model with attention reads the TF-IDF of words and word pairs too.
        lexical: Whether a model with attention reads what `lexicon` does too.
        min_groups: Of a lexicon, which is kept in plain text: in how many groups of notes, such as patients, a mention
            must be that it learns; phrases are in two at least.
        title_queries: Whether the attention starts from the titles of the codes.
        units: Filters of `caml` and `multirescnn`, units of a direction of `laat`.
        attention_dim: Size of the projection in which `laat` and `plm-icd` compare words with codes.
        dropout: Share of what the words' or the encoder's vectors lose in training.
        chunk_length: Tokens that the encoder of `plm-icd` reads at once.
        word_vectors: File of word vectors to start from; None trains them on the training part.
        joint: Whether one model learns two code systems together (JAMS), `code_system` and `joint_system`. A lexicon
            then learns the words of a code from the notes of both, through the links.
        joint_system: The second code system.
        mapping: Table of which codes of the two systems are equivalent; None for the General Equivalence
            Mappings.
        graph: What links the codes of the two systems: `"weighted"` attention over equivalent codes as printed;
            or, to see what its parts give, `"unweighted"`, approximate codes as equivalent ones; `"one_table"`,
            plain graph attention; `"none"`, only a common encoder. Lexicons know links or `"none"`.
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
    max_length: int | None = None
    lowercase: bool | None = None
    fine_tune: bool = False
    mixed_precision: bool = False
    unify: bool = False
    negation: bool = False
    clean: bool = False
    bag_of_words: bool = False
    lexical: bool = False
    min_groups: int = 1
    title_queries: bool = True
    units: int | None = None
    attention_dim: int | None = None
    dropout: float | None = None
    chunk_length: int | None = None
    word_vectors: str | None = None
    joint: bool = False
    joint_system: str = "icd9cm"
    mapping: str | None = None
    graph: str = "weighted"
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

    @classmethod
    def from_mapping(cls, settings: Mapping, source: str = "the configuration"):
        """A configuration from names and values.

        Raises:
            InputError: Naming an unknown key, or a value of the wrong type.
        """
        # YAML reads a bare 10 as a number.
        spelt = {name: code_system_name(settings[name]) for name in _SYSTEMS if settings.get(name) in (9, 10)}
        return super().from_mapping({**settings, **spelt}, source)

    def __post_init__(self):
        for name in _SYSTEMS:
            object.__setattr__(self, name, code_system_name(getattr(self, name)))
        check(self.model in MODELS, "model", self.model, f"one of {', '.join(MODELS)}")
        self._check_own()
        for name, value in open_settings(self.model, self.fine_tune).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        check_threshold(self.threshold)
        for name, allowed in (
            ("attention", ATTENTIONS),
            ("loss", LOSSES),
            ("matching", ("graded", "binary")),
            ("harmonic_of", ("scores", "losses")),
            ("pooling", ("mean", "cls")),
            ("monitor", MONITORS),
            ("graph", GRAPHS),
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
        for name in (
            "max_length", "batch_size", "epochs", "patience", "min_count", "units", "attention_dim", "chunk_length",
            "min_groups",
        ):  # fmt: skip
            value = getattr(self, name)
            check(value is None or value >= 1, name, value, "at least 1")
        check(self.dropout is None or 0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)")
        if self.mixed_precision and not self.fine_tune:
            raise InputError("mixed_precision needs fine_tune: a frozen encoder computes once")
        for name in () if self.joint else ("joint_system", "mapping", "graph"):
            default = getattr(type(self), name)
            check(getattr(self, name) == default, name, getattr(self, name), f"{default!r} without joint")
        self._check_that_all_act()
        if self.min_groups > 1 and not (self.lexical or self.model == "lexicon"):
            raise InputError(f"min_groups is of a lexicon; set lexical too. Received: {self.min_groups}")
        if self.joint and self.joint_system == self.code_system:
            raise InputError(f"joint needs two code systems. Received: {shown_word(self.code_system)} twice")

    def _check_that_all_act(self):
        """Refuses a setting that is not as it is by default and that nothing would heed."""

        def refuse(names, unless: bool, why: str):
            for name in () if unless else names:
                default = open_settings(self.model, self.fine_tune).get(name, getattr(type(self), name))
                if getattr(self, name) != default:
                    raise UnheededError(
                        name, f"{name} {why}. Received: {name}={shown_word(getattr(self, name))}"
                    )

        for name, losses in OF_LOSSES.items():
            told = f"the loss {losses[0]}" if len(losses) == 1 else f"the losses {', '.join(losses)}"
            refuse((name,), self.loss in losses, f"is of {told}, not of {self.loss}; leave one of them out")
        refuse(
            ("negation", "unify", "clean"),
            not self.lexical,
            "does not reach the lexicon, which reads notes as they are; leave it or lexical out",
        )
        refuse(
            ("max_length",), self.model != "lexicon", "is not of the model lexicon, which reads whole notes"
        )
        refuse(
            ("title_queries",),
            self.model != "hmhan" or self.attention not in ("single", "none"),
            f"is not of attention={self.attention!r}, which asks no code",
        )
        refuse(("mapping",), self.graph != "none", "links codes, and graph='none' does not; leave one out")
        refuse(
            ("graph",),
            self.model != "lexicon" or self.graph == "none",
            "must be 'weighted' or 'none' of the model lexicon, which knows links or none",
        )

    def _check_own(self):
        """Refuses a setting of other models that is not as it is by default."""
        for name, models in OF_MODELS.items():
            if self.model not in models and getattr(self, name) != getattr(type(self), name):
                told = (
                    f"model {models[0]}; choose it"
                    if len(models) == 1
                    else f"models {', '.join(models)}; choose one"
                )
                raise InputError(f"{name} is of the {told}. Received: model={shown_word(self.model)}")
