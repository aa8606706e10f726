"""What a model reads of notes: fitted on training notes, and kept with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from icd_relevancy.codes import CodeSystem
from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.embedding_cache import embed
from icd_relevancy.layers.token_states import token_states
from icd_relevancy.text import AlignedText, TextPreparation
from icd_relevancy.training.bag_of_words import BagOfWords
from icd_relevancy.training.config import TrainingConfig
from icd_relevancy.training.structured_features import StructuredFeatures

_PARTS = {"preparation": TextPreparation, "bag_of_words": BagOfWords, "structured": StructuredFeatures}


@dataclass(frozen=True, eq=False)
class NoteFeatures:
    """Turns notes into the inputs of the model that a configuration names.

    Attributes:
        config: The `TrainingConfig`.
        preparation: How texts are prepared; None leaves them as they are.
        bag_of_words: The words of the notes; None without them.
        structured: Age, sex and specialty; None without them.
    """

    config: TrainingConfig
    preparation: TextPreparation | None = None
    bag_of_words: BagOfWords | None = None
    structured: StructuredFeatures | None = None

    @classmethod
    def fit(cls, notes: Notes, config: TrainingConfig, system: CodeSystem) -> "NoteFeatures":
        """Learns what the configuration asks for from training notes, and from no others.

        Args:
            notes: The training part.
            config: The settings.
            system: The code system, whose titles are among the terms that may be negated.

        Raises:
            InputError: If a library that it needs is missing, or the notes hold nothing to learn.
        """
        preparation = bag_of_words = None
        if config.unify or config.negation or config.clean:
            asked = TextPreparation(unify=config.unify, negation=config.negation, clean=config.clean)
            preparation = asked.fit(notes.text, system)
        if config.bag_of_words:
            bag_of_words = BagOfWords.fit(cls(config, preparation).texts(notes.text), notes.groups())
        structured = StructuredFeatures.fit(notes) if config.structured else None
        return cls(config, preparation, bag_of_words, structured)

    def aligned(self, texts: Sequence[str]) -> list[AlignedText]:
        """The texts as the model reads them, each aligned with what was given."""
        if self.preparation is None:
            return [AlignedText.of(text) for text in texts]
        return self.preparation.prepare(texts)

    def texts(self, texts: Sequence[str]) -> list[str]:
        """The texts as the model reads them."""
        return list(texts) if self.preparation is None else [text.text for text in self.aligned(texts)]

    def of(self, notes: Notes, encoder: TransformerEncoder | None, cache=None, progress=True, texts=None):
        """The inputs of the model.

        Args:
            notes: n notes.
            encoder: The encoder; None lets `linear` find it itself where it is not all in the cache.
            cache: Folder for the embeddings of `linear`. Defaults to None: none are kept.
            progress: Whether to show a progress bar. Defaults to True.
            texts: The prepared texts, where they are at hand. Defaults to None.

        Returns:
            Embeddings, float32 `(n, d)`, of `linear` with a frozen encoder; else a dict: `input_ids` and
            `attention_mask`, or with a frozen encoder `states` and `attention_mask`, and where asked `bag_of_words`
            and `structured`.
        """
        texts, config = self.texts(notes.text) if texts is None else texts, self.config
        if config.model == "linear" and not config.fine_tune:
            settings = {"pooling": config.pooling, "lowercase": config.lowercase, "progress": progress}
            return embed(texts, encoder or config.encoder, config.max_length, cache, **settings)
        if config.fine_tune:
            features = encoder.tokenize(texts)
        else:
            features = token_states(texts, encoder, progress)
        if self.bag_of_words is not None:
            features["bag_of_words"] = self.bag_of_words.transform(texts)
        if self.structured is not None:
            features["structured"] = self.structured.transform(notes)
        return features

    def to_dict(self) -> dict:
        """What was learned, as JSON can hold it."""
        parts = {name: getattr(self, name) for name in _PARTS}
        return {name: part.to_dict() for name, part in parts.items() if part is not None}

    @classmethod
    def from_dict(cls, told: Mapping, config: TrainingConfig, source: str = "the features") -> "NoteFeatures":
        """What `to_dict` told of, with the configuration beside it.

        Raises:
            InputError: If a part is unknown or damaged.
        """
        try:
            return cls(config, **{name: _PARTS[name].from_dict(part) for name, part in told.items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(f"{source}: 'features' are damaged; copy or train the model again") from None
