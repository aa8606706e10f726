"""The losses that settings name, of models of notes and of stays, and the settings that each has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icd_relevancy.registry import Registry
from icd_relevancy.settings import Settings, setting

if TYPE_CHECKING:
    from scipy import sparse

    from icd_relevancy.hierarchy import Hierarchy
    from icd_relevancy.relevance.graph import RelevanceGraph


@dataclass(frozen=True)
class NoSettings(Settings):
    """Of a loss without any."""


@dataclass(frozen=True)
class MatchSettings(Settings):
    """Of `tlcl` and `plcl`."""

    matching: str = setting("graded", one_of=("graded", "binary"))


@dataclass(frozen=True)
class BhmlSettings(MatchSettings):
    """Of `bhml`."""

    harmonic_of: str = setting("scores", one_of=("scores", "losses"))


@dataclass(frozen=True)
class WhmlSettings(BhmlSettings):
    """Of `whml`."""

    alpha: float = setting(0.75, least=0, most=1, option="weight of recall in whml (default: 0.75)")


@dataclass(frozen=True)
class FocusSettings(Settings):
    """Of `focal`, of stays."""

    gamma: float = setting(2.0, least=0)


@dataclass(frozen=True)
class CapSettings(Settings):
    """Of `irw` and `irnw`."""

    cap: float | None = None


NOTE_LOSSES = Registry(
    "loss",
    {
        "bce": "icd_relevancy.losses.imbalance:build_bce",
        "focal": "icd_relevancy.losses.focal:build_focal_weighted",
        "tlcl": "icd_relevancy.losses.relevancy:build_tlcl",
        "plcl": "icd_relevancy.losses.relevancy:build_plcl",
        "bhml": "icd_relevancy.losses.relevancy:build_bhml",
        "whml": "icd_relevancy.losses.relevancy:build_whml",
    },
    {
        "bce": NoSettings,
        "focal": NoSettings,
        "tlcl": MatchSettings,
        "plcl": MatchSettings,
        "bhml": BhmlSettings,
        "whml": WhmlSettings,
    },
)
STAY_LOSSES = Registry(
    "loss",
    {
        "bce": "icd_relevancy.losses.imbalance:build_bce",
        "mcloss": "icd_relevancy.losses.hierarchical:build_mcloss",
        "treemin": "icd_relevancy.losses.hierarchical:build_treemin",
        "focal": "icd_relevancy.losses.focal:build_focal",
        "irw": "icd_relevancy.losses.imbalance:build_irw",
        "irnw": "icd_relevancy.losses.imbalance:build_irnw",
    },
    {
        "bce": NoSettings,
        "mcloss": NoSettings,
        "treemin": NoSettings,
        "focal": FocusSettings,
        "irw": CapSettings,
        "irnw": CapSettings,
    },
)


@dataclass(frozen=True, eq=False)
class LossLabels:
    """What a loss may know of the m labels of a training part.

    Attributes:
        y: Which of the n notes or stays has which label, CSR `(n, m)`.
        relevance: The `RelevanceGraph` of the labels; None of stays.
        hierarchy: Their `Hierarchy`; None of notes.
        weights: A weight for each, `(m,)`; None where all count alike.
    """

    y: "sparse.csr_matrix | None" = None
    relevance: "RelevanceGraph | None" = None
    hierarchy: "Hierarchy | None" = None
    weights: object = None


def loss(settings: type[Settings] = NoSettings) -> Callable:
    """Marks a function from its settings and `LossLabels` to a Keras loss as one that a configuration can name.

    One of your own is named by its path, as `loss: mine.losses:my_loss`; `settings` is the frozen dataclass of what
    a configuration then has beside its own.

    Example:

    >>> from icd_relevancy.losses.by_name import loss
    >>> @loss()
    ... def absolute(settings, labels):
    ...     import keras
    ...     return keras.losses.MeanAbsoluteError()
    """
    return NOTE_LOSSES.entry(settings=settings)
