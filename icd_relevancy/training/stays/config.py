"""The settings of a network that ranks codes from a stay's medication."""

from dataclasses import dataclass
from typing import ClassVar

from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.losses.by_name import STAY_LOSSES
from icd_relevancy.settings import Settings, UnheededError, setting
from icd_relevancy.training.config import Configuration, Part, flat_signature

_HIERARCHICAL = ("mcloss", "treemin")
_WEIGHING = ("bce", *_HIERARCHICAL)
CONSTRAINTS = ("roll_up", "roll_down", "mean_of_children")
LEVELS = ("chapter", "block", "category", "billing")
MONITORS = (
    "ndcg", "map", "r_precision", "micro_auprc", "macro_auprc", "micro_auroc", "macro_auroc", "micro_f1", "macro_f1",
    "loss",
)  # fmt: skip


@dataclass(frozen=True, init=False)
class MedicationConfig(Configuration):
    """How to train a medication network (CAC §2, table S3 give the ranges, the public implementation the values).

    Attributes:
        model: `"medication"`.
        code_system: `icd10cm`, `icd9cm` or the path of a table of codes.
        level: The codes to learn: those of one level (`chapter`, `block`, `category`, or `billing`: the codes as
            they were given), or None for every node of the hierarchy (naive multitask learning).
        reweighted: Whether every level has the same weight in the loss (re-weighted multitask learning).
        loss: `bce`, `mcloss`, `treemin` (hierarchy), `focal`, `irw` or `irnw` (imbalance), or one of your own, as
            `"mine.losses:my_loss"` (see `icd_relevancy.losses.by_name`).
        loss_own: The settings of the loss: `config.gamma` reads `config.loss_own.gamma`.
        gamma: Focus of `focal`.
        cap: Largest weight of a positive in `irw` and `irnw`; None for no bound.
        constraint: `roll_up`, `roll_down` or `mean_of_children` as the last layer, or None.
        hidden_layers: Hidden ReLU layers, 1 to 8.
        units: Units of each.
        dropout: Share of hidden units dropped while training.
        batch_norm: Whether to normalise before each ReLU.
        output_l2: Factor of the L2 penalty on the output layer.
        hier_l2: λ of the penalty on the distance of a code's output weights from its parent's.
        learning_rate: Of Adam.
        batch_size: Stays a batch.
        epochs: Most epochs.
        patience: Epochs without a better `monitor` until the training stops.
        monitor: What the best epoch, and in a search the best model, is best at on the validation part; one of
            `ndcg`, `map`, `r_precision`, `micro_auprc`, `macro_auprc`, `micro_auroc`, `macro_auroc`,
            `micro_f1`, `macro_f1` (at the level's tuned threshold) and `loss`.
        validation: Share of the stays held out, whole patients.
        min_count: Drugs of fewer stays have no input.
        drugs: Table of drugs and their ingredients (`DrugMapping.from_table`); None for the words of the names.
        unknown_codes: `"error"`, or `"drop"` to leave out codes that are not of the system.
        vectors: Name or folder of code vectors, for the relevancy metrics of `evaluate`; None for those of the
            code system.
        threshold: τ, the cosine from which two codes match there.
        members: How many networks, which differ by their seed alone, are trained for the mean of their
            probabilities; each takes as long as one.
        seed: Of the split, the weights and the order of the stays.

    Raises:
        InputError: Naming the setting that is out of range.
    """

    model: str = setting("medication", one_of=("medication",))
    code_system: str = "icd10cm"
    level: str | None = setting(None, one_of=(None, *LEVELS))
    reweighted: bool = False
    loss: str = "bce"
    constraint: str | None = setting(None, one_of=(None, *CONSTRAINTS))
    hidden_layers: int = setting(2, least=1, most=8)
    units: int = setting(2048, least=1)
    dropout: float = setting(0.7, least=0, below=1)
    batch_norm: bool = False
    output_l2: float = setting(0.0, least=0)
    hier_l2: float = setting(0.0, least=0)
    learning_rate: float = setting(2e-4, above=0)
    batch_size: int = setting(128, least=1)
    epochs: int = setting(100, least=1)
    patience: int = setting(3, least=1)
    monitor: str = setting("ndcg", one_of=MONITORS)
    validation: float = setting(0.15, above=0, below=1)
    min_count: int = setting(1, least=1)
    drugs: str | None = None
    unknown_codes: str = setting("error", one_of=("error", "drop"))
    vectors: str | None = None
    threshold: float = 0.76
    members: int = setting(1, least=1)
    seed: int = setting(0, least=0, most=2**32 - 1)
    loss_own: Settings = None

    PARTS: ClassVar = {"loss_own": Part("loss", STAY_LOSSES)}

    def __post_init__(self):
        from icd_relevancy.relevance.graph import check_threshold  # which SciPy comes with

        check_threshold(self.threshold)
        super().__post_init__()
        default = type(self).__dataclass_fields__["threshold"].default
        if not self.vectors and self.code_system not in PACKAGED_SYSTEMS and self.threshold != default:
            problem = "threshold compares code vectors; name some of your code system by vectors"
            raise UnheededError("threshold", f"{problem}. Received: threshold={self.threshold!r}")
        if self.reweighted and self.loss not in _WEIGHING:
            raise InputError("reweighted needs a loss that weighs codes: bce, mcloss or treemin")
        if self.level and (self.reweighted or self.constraint or self.hier_l2 or self.loss in _HIERARCHICAL):
            raise InputError(
                f"level={self.level!r} leaves codes of one level, which no hierarchy relates; leave out "
                "reweighted, constraint, hier_l2, mcloss and treemin"
            )

    def _refuse_foreign(self, part: Part, name: str, value) -> None:
        listed = " and ".join(holders := part.things.with_setting(name))
        problem = f"{name} is of the {'losses' if holders[1:] else 'loss'} {listed}"
        raise UnheededError(name, f"{problem}. Received: {name}={shown_word(value)}")


MedicationConfig.__signature__ = flat_signature(
    MedicationConfig,
    "model code_system level reweighted loss gamma cap constraint hidden_layers units dropout batch_norm "
    "output_l2 hier_l2 learning_rate batch_size epochs patience monitor validation min_count drugs "
    "unknown_codes vectors threshold members seed",
)
