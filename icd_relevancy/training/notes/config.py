"""The settings of a training on notes, checked when they are read."""

from dataclasses import dataclass
from typing import ClassVar

from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.losses.by_name import NOTE_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.models.settings import ModelSettings
from icd_relevancy.settings import Settings, UnheededError, setting
from icd_relevancy.training.config import Configuration, Part, flat_signature

MONITORS = ("loss", "micro_f1", "macro_f1", "map", "ndcg", "micro_auprc")


@dataclass(frozen=True, init=False)
class TrainingConfig(Configuration):
    """How to train a note classifier.

    A setting that is None takes its value when the configuration is made: that of LOSSES table 1 with a frozen
    encoder, that of the usual fine-tuning with `fine_tune`, that of the replication study that JAMS follows
    for its backbones. So make a new one to change `model` or `fine_tune`: `dataclasses.replace` keeps what was
    taken.

    Attributes:
        model: `"linear"`, one dense layer on the encoder; `"hmhan"`, attention over categories and their codes;
            the label-wise attention of `"caml"`, `"multirescnn"` and `"laat"`, which read words, and of
            `"plm-icd"`, which reads a long note by the encoder in chunks; `"lexicon"`, which terms of a code a
            note names; or one of your own, as `"mine.models:my_body"` (see `icd_relevancy.models.by_name`).
        attention: Of `hmhan`: `"hierarchical"` over categories and their codes; `"flat"`, with all codes in one
            category; or the controls `"single"` and `"none"` that the paper compares it with.
        loss: One of `bce`, `focal`, `tlcl`, `plcl`, `bhml`, `whml`. BCE with a tuned decision threshold finds
            most exact codes in our measurements, `whml` more relevant ones than BCE at 0.5; `focal` is
            HMHAN's class-weighted cross-entropy with a focal loss. Or one of your own, as
            `"mine.losses:my_loss"` (see `icd_relevancy.losses.by_name`).
        own: The settings of the model, those of its class in `icd_relevancy.models.settings`: `config.units` reads
            `config.own.units`. A setting of another model is refused, unless it is as by default.
        loss_own: Likewise the settings of the loss.
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
    loss: str = "bce"
    code_system: str = "icd10cm"
    vectors: str | None = setting(None, option="code vectors (default: the code system's)")
    threshold: float = setting(0.76, option="cosine from which two codes match (default: 0.76)")
    max_length: int | None = setting(None, least=1)
    learning_rate: float | None = setting(None, above=0)
    warm_up: float | None = setting(None, least=0, below=1)
    weight_decay: float | None = setting(None, least=0)
    clip_norm: float | None = setting(None, least=0)
    batch_size: int | None = setting(None, least=1)
    epochs: int | None = setting(None, least=1, option="most epochs (default: 50, or 10 with --fine-tune)")
    patience: int = setting(5, least=1)
    monitor: str | None = setting(None, one_of=MONITORS)
    validation: float = setting(0.1, above=0, below=1)
    min_count: int = setting(1, least=1)
    seed: int = setting(0, least=0, most=2**32 - 1, option="default: 0")
    own: ModelSettings = None
    loss_own: Settings = None

    PARTS: ClassVar = {
        "own": Part("model", NOTE_MODELS, ModelSettings),
        "loss_own": Part("loss", NOTE_LOSSES),
    }

    def __post_init__(self):
        for name, value in self.own.open_values().items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        from icd_relevancy.relevance.graph import check_threshold  # which SciPy comes with

        check_threshold(self.threshold)
        super().__post_init__()
        self.own.check(self)

    def _refuse_foreign(self, part: Part, name: str, value) -> None:
        holders = part.things.with_setting(name)
        if part.chosen_by == "model":
            listed = (
                f"model {holders[0]}; choose it"
                if len(holders) == 1
                else f"models {', '.join(holders)}; choose one"
            )
            raise InputError(f"{name} is of the {listed}. Received: model={shown_word(self.model)}")
        listed = f"loss {holders[0]}" if len(holders) == 1 else f"losses {', '.join(holders)}"
        problem = f"{name} is of the {listed}, not of {self.loss}; leave one of them out"
        raise UnheededError(name, f"{problem}. Received: {name}={shown_word(value)}")


TrainingConfig.__signature__ = flat_signature(
    TrainingConfig,
    "model attention loss alpha matching harmonic_of code_system vectors threshold encoder pooling "
    "max_length lowercase fine_tune mixed_precision unify negation clean bag_of_words lexical min_groups "
    "title_queries units attention_dim dropout chunk_length word_vectors joint joint_system mapping graph "
    "structured smote learning_rate warm_up weight_decay clip_norm batch_size epochs patience monitor "
    "validation min_count seed",
)
