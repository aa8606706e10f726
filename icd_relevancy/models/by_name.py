"""The models of notes that settings name, read without importing one, and what the function that builds one gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icd_relevancy.models.settings import (
    CamlSettings,
    HmhanSettings,
    LaatSettings,
    LexiconSettings,
    LinearSettings,
    ModelSettings,
    MultiResCnnSettings,
    PlmIcdSettings,
)
from icd_relevancy.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from icd_relevancy.encoding.encoder import TransformerEncoder

NOTE_MODELS = Registry(
    "model",
    {
        "linear": "icd_relevancy.models.linear:build_linear",
        "hmhan": "icd_relevancy.models.hmhan:build_hmhan",
        "caml": "icd_relevancy.models.caml:build_caml",
        "multirescnn": "icd_relevancy.models.multirescnn:build_multirescnn",
        "laat": "icd_relevancy.models.laat:build_laat",
        "plm-icd": "icd_relevancy.models.plm_icd:build_plm_icd",
        "lexicon": "icd_relevancy.models.lexicon:build_lexicon",
    },
    {
        "linear": LinearSettings,
        "hmhan": HmhanSettings,
        "caml": CamlSettings,
        "multirescnn": MultiResCnnSettings,
        "laat": LaatSettings,
        "plm-icd": PlmIcdSettings,
        "lexicon": LexiconSettings,
    },
)


@dataclass(frozen=True, eq=False)
class Given:
    """What a model is built for: sizes and arrays.

    Attributes:
        sizes: The number of codes of each code system, one or two.
        names: The name of each system.
        membership: For each code of a single system its category, `(m,)`; see `category_membership`.
        word_vectors: Of a model of words, what its embeddings start from, `(v, d)`; else None.
        encoder: The encoder, where it is fine-tuned; else None.
        embedding_size: d of the states, or of the embeddings, of a frozen encoder; else None.
        beside: The arguments `structured_size`, `bag_of_words_size` and `lexical_channels` of a classifier, as far as
            notes have them; None for what is not read.
        titles: Gives the vectors of the codes' titles by the encoder as it was published, `(m, d)` for each system,
            for the queries of an attention to start from, or None where they start from nothing.
    """

    sizes: Sequence[int]
    names: Sequence[str]
    membership: "np.ndarray | None"
    word_vectors: "np.ndarray | None"
    encoder: "TransformerEncoder | None"
    embedding_size: int | None
    beside: dict[str, int | None]
    titles: "Callable[[], list[np.ndarray] | None]"

    @property
    def labels(self) -> int:
        """The number of codes of a single system."""
        (size,) = self.sizes
        return size


def note_body(settings: type[ModelSettings], layers: Sequence[type] = ()) -> Callable:
    """Marks a function from its settings and `Given` to a body as a model of notes that a configuration can name.

    A body is a `keras.Model` from a dict of inputs, `attention_mask` among them, to the states of tokens, such as
    `caml_body` makes. `classifier` puts label attention on it, for one code system or two.

    Args:
        settings: A frozen dataclass of groups of `models.settings` and the body's own; it says what a body reads
            (`ReadsWords`: `input_ids` of the words of `word_vectors`; `ReadsTokens`: what `plm_icd_body` does).
        layers: The Keras layers in the body that none of our models has: a trained model is read with no others.

    Example:

    >>> from dataclasses import dataclass
    >>> from icd_relevancy.models.by_name import note_body
    >>> from icd_relevancy.models.settings import LONG_NOTES, Attends, ReadsWords
    >>> from icd_relevancy.settings import setting
    >>> @dataclass(frozen=True)
    ... class WideSettings(ReadsWords, Attends):
    ...     width: int = setting(20, least=1)
    ...     training = LONG_NOTES | {"learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 8}
    >>> @note_body(WideSettings)
    ... def wide(settings, given):
    ...     from icd_relevancy.models import caml_body
    ...     return caml_body(given.word_vectors, width=settings.width)

    In a module `mine.models` this is the model `mine.models:wide`.
    """
    return NOTE_MODELS.entry(settings=settings, layers=tuple(layers), is_body=True)


def note_model(settings: type[ModelSettings], layers: Sequence[type] = ()) -> Callable:
    """Marks a function from its settings and `Given` to a whole model of notes as one that a configuration can name.

    Args:
        settings, layers: As in `note_body`.
    """
    return NOTE_MODELS.entry(settings=settings, layers=tuple(layers), is_body=False)


def layers_of(model: str) -> tuple[type, ...]:
    """The layers of a model of the user's own that none of ours has; imports its module, which registers them."""
    return () if model in NOTE_MODELS.names else NOTE_MODELS.about(model)["layers"]
