"""What a model reads of notes: fitted on training notes, and kept with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import keras
import numpy as np
from scipy import sparse

from icd_relevancy.data import Notes, stratified_group_folds
from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.encoding.pretrained import local_folder
from icd_relevancy.encoding.token_states import token_states
from icd_relevancy.encoding.tokenizer import build_tokenizer, read_tokenizer, truncated_texts
from icd_relevancy.errors import InputError
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.text import AlignedText, Lexicon, TextPreparation, WordTokenizer
from icd_relevancy.training.notes.bag_of_words import BagOfWords
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.label_set import LabelSet
from icd_relevancy.training.notes.structured_features import StructuredFeatures

_LEXICON_FOLDS = 5
_PARTS = {
    "preparation": TextPreparation,
    "words": WordTokenizer,
    "bag_of_words": BagOfWords,
    "structured": StructuredFeatures,
}


@dataclass(frozen=True, eq=False)
class NoteFeatures:
    """Turns notes into the inputs of the model that a configuration names.

    Each of its parts is None where the model has none. `lexicons` are by the model's input: `lexical`, or `lexical_`
    and the code system of a joint model.
    """

    config: TrainingConfig
    preparation: TextPreparation | None = None
    words: WordTokenizer | None = None
    bag_of_words: BagOfWords | None = None
    structured: StructuredFeatures | None = None
    lexicons: Mapping[str, Lexicon] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, notes: Notes, groups, training, config: TrainingConfig, label_sets: Sequence[LabelSet]
    ) -> "NoteFeatures":
        """Learns what the configuration asks for from the training part, whole groups of notes, and from no others."""
        training_notes, training_groups = notes.select(training), groups[training]
        preparation = words = bag_of_words = None
        if config.unify or config.negation or config.clean:
            preparation = TextPreparation(unify=config.unify, negation=config.negation, clean=config.clean)
            preparation = preparation.fit(training_notes.text, label_sets[0].system)
        texts = cls(config, preparation).texts(training_notes.text)
        if config.reads_words:
            words = WordTokenizer.fit(texts, training_groups, max_length=config.max_length)
        if config.bag_of_words:
            bag_of_words = BagOfWords.fit(texts, training_groups)
        structured = StructuredFeatures.fit(training_notes) if config.structured else None
        features = cls(config, preparation, words, bag_of_words, structured)
        return (
            features._with_lexicons(notes, training, groups, label_sets) if config.reads_lexicon else features
        )

    def aligned(self, texts: Sequence[str]) -> list[AlignedText]:
        """The texts as the model reads them, each aligned with what was given."""
        if self.preparation is None:
            return [AlignedText.of(text) for text in texts]
        return self.preparation.prepare(texts)

    def texts(self, texts: Sequence[str]) -> list[str]:
        """The texts as the model reads them."""
        return list(texts) if self.preparation is None else [text.text for text in self.aligned(texts)]

    def transform(
        self, notes: Notes, encoder: TransformerEncoder | None, cache=None, progress=True, texts=None
    ):
        """The inputs of the model for n notes; `texts` are the prepared ones, where they are at hand.

        Of a frozen encoder that pools embeddings, float32 `(n, d)` (None finds it where not all are in the cache); else
        a dict: `input_ids` and `attention_mask`, or with a frozen encoder `states` and `attention_mask`, and where
        asked `bag_of_words`, `structured` and the names of `lexicons`.
        """
        texts, config, inputs = self.texts(notes.text) if texts is None else texts, self.config, {}
        if config.pools and not config.fine_tune:
            settings = {"pooling": config.pooling, "lowercase": config.lowercase, "progress": progress}
            return embed(texts, encoder or config.encoder, config.max_length, cache, **settings)
        if self.words is not None:
            inputs |= self.words.tokenize(texts)
        elif config.fine_tune:
            inputs |= encoder.tokenize(texts)
        elif config.reads_tokens:
            inputs |= token_states(texts, encoder, progress)
        if self.bag_of_words is not None:
            inputs["bag_of_words"] = self.bag_of_words.transform(texts)
        if self.structured is not None:
            inputs["structured"] = self.structured.transform(notes)
        for name, lexicon in self.lexicons.items():
            # By the texts as they were given: it prepares them itself.
            inputs[name] = lexicon.transform(notes.text)
        return inputs

    def for_training(
        self,
        inputs: Mapping,
        notes: Notes,
        groups: np.ndarray,
        training: np.ndarray,
        label_sets: Sequence[LabelSet],
    ) -> Mapping:
        """The inputs with lexicons that never saw these notes: those fitted on them would be trusted too much."""
        unseen = {}
        for labels in label_sets if self.lexicons else ():
            name = self.lexical_input(labels)
            unseen[name] = self._read_by_others(inputs[name], notes, training, labels, groups)
        return {**inputs, **unseen} if unseen else inputs

    def for_new_notes(
        self, notes: Notes, groups: np.ndarray, label_sets: Sequence[LabelSet]
    ) -> "NoteFeatures":
        """The features of a trained model, whose lexicons know the held-out notes too."""
        if not self.lexicons:
            return self
        every = self._with_lexicons(notes, np.arange(len(notes)), groups, label_sets).lexicons
        # The weights of the model are those of the channels it has learned.
        lexicons = {
            name: every[name] if every[name].channels == lexicon.channels else lexicon
            for name, lexicon in self.lexicons.items()
        }
        return replace(self, lexicons=lexicons)

    def truncated(self, texts: Sequence[str]) -> int:
        """How many prepared texts are longer than the model reads."""
        if self.words is not None:
            return self.words.truncated(texts)
        if not self.config.reads_tokens:
            return 0
        tokenizer = build_tokenizer(read_tokenizer(local_folder(self.config.encoder)), self.config.lowercase)
        return truncated_texts(tokenizer, texts, self.config.max_length)

    @property
    def lexical_channels(self) -> int | None:
        """How many figures a lexicon has for each code; None without lexicons."""
        return next((len(lexicon.channels) for lexicon in self.lexicons.values()), None)

    def lexical_input(self, labels: LabelSet) -> str:
        """The name of the input that tells what the lexicon of a label set finds."""
        return f"lexical_{labels.name}" if self.config.joint else "lexical"

    def sizes(self) -> dict[str, int]:
        """The size of each input of the model that has one value for a note, not one for each of its tokens."""
        sizes = {name: len(lexicon.channels) * len(lexicon.labels) for name, lexicon in self.lexicons.items()}
        if self.bag_of_words is not None:
            sizes["bag_of_words"] = len(self.bag_of_words)
        if self.structured is not None:
            sizes["structured"] = len(self.structured.names)
        return sizes

    def for_system(self, name: str) -> "NoteFeatures":
        """What one code system of a joint model reads."""
        lexicons = {key: lexicon for key, lexicon in self.lexicons.items() if key == f"lexical_{name}"}
        return replace(self, lexicons=lexicons)

    def to_dict(self) -> dict:
        """What was learned, as JSON can hold it."""
        parts = {name: getattr(self, name) for name in _PARTS}
        state = {name: part.to_dict() for name, part in parts.items() if part is not None}
        if self.lexicons:
            state["lexicons"] = {name: lexicon.to_dict() for name, lexicon in self.lexicons.items()}
        return state

    @classmethod
    def from_dict(
        cls, state: Mapping, config: TrainingConfig, source: str = "the features"
    ) -> "NoteFeatures":
        """The features of a `to_dict`, with the configuration beside it."""
        try:
            lexicons = {name: Lexicon.from_dict(part) for name, part in state.get("lexicons", {}).items()}
            parts = {name: part for name, part in state.items() if name != "lexicons"}
            parts = {name: _PARTS[name].from_dict(part) for name, part in parts.items()}
            return cls(config, lexicons=lexicons, **parts)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(f"{source}: 'features' are damaged; copy or train the model again") from None

    def _with_lexicons(self, notes: Notes, part, groups, label_sets: Sequence[LabelSet]) -> "NoteFeatures":
        """With the terms of the labels, and what the notes of a part say of them."""
        lexicons = {}
        for labels in label_sets:
            learned, note_labels, rows = labels.notes_to_learn(notes, part)
            lexicons[self.lexical_input(labels)] = Lexicon.fit(
                learned.text,
                note_labels,
                labels.labels,
                labels.system,
                learned.mentions,
                groups[rows],
                self.config.min_groups,
                _is_annotated(notes),
            )
        return replace(self, lexicons=lexicons)

    def _read_by_others(self, lexical, notes: Notes, part: np.ndarray, labels: LabelSet, groups: np.ndarray):
        """The lexical inputs of notes, those of a part by lexicons of other folds of it."""
        learned, note_labels, rows = labels.notes_to_learn(notes, part)
        folds = stratified_group_folds(note_labels.shares > 0, groups[rows], _LEXICON_FOLDS, self.config.seed)
        unseen = Lexicon.out_of_fold(
            learned.text,
            note_labels,
            labels.labels,
            folds,
            labels.system,
            learned.mentions,
            groups[rows],
            self.config.min_groups,
            _is_annotated(notes),
        )
        place = np.arange(len(notes))
        place[rows] = len(notes) + np.arange(len(rows))
        return sparse.vstack([lexical, unseen], format="csr")[place]


def make_encoder(config: TrainingConfig) -> TransformerEncoder:
    """The encoder of a configuration, which gives every token's vector, or one of the note where the model pools."""
    keras.utils.set_random_seed(config.seed)  # of the dropout in fine-tuning
    return TransformerEncoder(
        config.encoder,
        config.pooling,
        trainable=config.fine_tune,
        max_length=config.max_length,
        lowercase=config.lowercase,
        return_sequence=not config.pools,
        chunk_length=config.chunk_length,
        dtype="mixed_bfloat16" if config.mixed_precision else None,
    )


def _is_annotated(notes: Notes) -> bool:
    """Whether any note has mentions: then the lexicons of both systems have the channels of them."""
    return notes.mentions is not None and any(notes.mentions)
