"""The settings of a network that ranks codes from a stay's medication."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from icd_relevancy.codes import code_system_name
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.errors import InputError
from icd_relevancy.relevance.graph import check_threshold
from icd_relevancy.settings import Settings, UnheededError, check

LOSSES = ("bce", "mcloss", "treemin", "focal", "irw", "irnw")
CONSTRAINTS = ("roll_up", "roll_down", "mean_of_children")
LEVELS = ("chapter", "block", "category", "billing")
MONITORS = (
    "ndcg", "map", "r_precision", "micro_auprc", "macro_auprc", "micro_auroc", "macro_auroc", "micro_f1", "macro_f1",
    "loss",
)  # fmt: skip


@dataclass(frozen=True)
class MedicationConfig(Settings):
    """How to train a medication network (CAC §2, table S3 give the ranges, the public implementation the values).

    Attributes:
        model: `"medication"`.
        code_system: `icd10cm`, `icd9cm` or the path of a table of codes.
        level: The codes to learn: those of one level (`chapter`, `block`, `category`, or `billing`: the codes as
            they were given), or None for every node of the hierarchy (naive multitask learning).
        reweighted: Whether every level has the same weight in the loss (re-weighted multitask learning).
        loss: `bce`, `mcloss`, `treemin` (hierarchy), `focal`, `irw` or `irnw` (imbalance).
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

    model: str = "medication"
    code_system: str = "icd10cm"
    level: str | None = None
    reweighted: bool = False
    loss: str = "bce"
    gamma: float = 2.0
    cap: float | None = None
    constraint: str | None = None
    hidden_layers: int = 2
    units: int = 2048
    dropout: float = 0.7
    batch_norm: bool = False
    output_l2: float = 0.0
    hier_l2: float = 0.0
    learning_rate: float = 2e-4
    batch_size: int = 128
    epochs: int = 100
    patience: int = 3
    monitor: str = "ndcg"
    validation: float = 0.15
    min_count: int = 1
    drugs: str | None = None
    unknown_codes: str = "error"
    vectors: str | None = None
    threshold: float = 0.76
    members: int = 1
    seed: int = 0

    @classmethod
    def from_mapping(cls, settings: Mapping, source: str = "the configuration"):
        """A configuration from names and values.

        Raises:
            InputError: Naming an unknown key, or a value of the wrong type.
        """
        # YAML reads a bare 10 as a number.
        if settings.get("code_system") in (9, 10):
            settings = {**settings, "code_system": code_system_name(settings["code_system"])}
        return super().from_mapping(settings, source)

    def __post_init__(self):
        object.__setattr__(self, "code_system", code_system_name(self.code_system))
        check_threshold(self.threshold)
        for name, allowed in (
            ("model", ("medication",)),
            ("level", (None, *LEVELS)),
            ("loss", LOSSES),
            ("constraint", (None, *CONSTRAINTS)),
            ("monitor", MONITORS),
            ("unknown_codes", ("error", "drop")),
        ):
            value = getattr(self, name)
            check(value in allowed, name, value, f"one of {', '.join(map(str, allowed))}")
        check(1 <= self.hidden_layers <= 8, "hidden_layers", self.hidden_layers, "from 1 to 8")
        check(0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)")
        check(0 < self.validation < 1, "validation", self.validation, "between 0 and 1")
        check(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "above 0 and finite")
        check(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")
        for name in ("gamma", "output_l2", "hier_l2"):
            check(0 <= getattr(self, name) < math.inf, name, getattr(self, name), "from 0, and finite")
        for name in ("units", "batch_size", "epochs", "patience", "min_count", "members"):
            check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        self._check_that_all_act()
        if self.reweighted and self.loss not in ("bce", "mcloss", "treemin"):
            raise InputError("reweighted needs a loss that weighs codes: bce, mcloss or treemin")
        if self.level and (self.reweighted or self.constraint or self.hier_l2 or self.loss in LOSSES[1:3]):
            raise InputError(
                f"level={self.level!r} leaves codes of one level, which no hierarchy relates; leave out "
                "reweighted, constraint, hier_l2, mcloss and treemin"
            )

    def _check_that_all_act(self):
        """Refuses a setting that is not as it is by default and that nothing would heed."""
        for name, acts, told in (
            ("gamma", self.loss == "focal", "is of the loss focal"),
            ("cap", self.loss in ("irw", "irnw"), "is of the losses irw and irnw"),
            (
                "threshold",
                self.vectors or self.code_system in PACKAGED_SYSTEMS,
                "compares code vectors; name some of your code system by vectors",
            ),
        ):
            value = getattr(self, name)
            if not acts and value != getattr(type(self), name):
                raise UnheededError(name, f"{name} {told}. Received: {name}={value!r}")
