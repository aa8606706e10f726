"""The encoder that a configuration names."""

from collections.abc import Sequence

import keras

from icd_relevancy.encoding.pretrained import local_folder
from icd_relevancy.encoding.tokenizer import build_tokenizer, read_tokenizer, truncated_texts
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.model_settings import OF_MODELS


def has_encoder(config: TrainingConfig) -> bool:
    """Whether the model reads notes by a transformer."""
    return config.model in OF_MODELS["encoder"]


def needs_encoder(config: TrainingConfig) -> bool:
    """Whether the encoder is needed even where all embeddings are in the cache."""
    return has_encoder(config) and (config.fine_tune or config.model != "linear")


def make_encoder(config: TrainingConfig) -> TransformerEncoder:
    """The encoder of a configuration, which gives every token's vector to attention and pools for `linear`."""
    keras.utils.set_random_seed(config.seed)  # of the dropout in fine-tuning
    return TransformerEncoder(
        config.encoder,
        config.pooling,
        trainable=config.fine_tune,
        max_length=config.max_length,
        lowercase=config.lowercase,
        return_sequence=config.model != "linear",
        chunk_length=config.chunk_length,
        dtype="mixed_bfloat16" if config.mixed_precision else None,
    )


def count_truncated(texts: Sequence[str], config: TrainingConfig) -> int:
    """How many texts have more tokens than the encoder of a configuration reads."""
    tokenizer = build_tokenizer(read_tokenizer(local_folder(config.encoder)), config.lowercase)
    return truncated_texts(tokenizer, texts, config.max_length)
