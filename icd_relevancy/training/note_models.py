"""The encoder, the model, the loss and the optimizer that a configuration names."""

from collections.abc import Sequence

import keras
import numpy as np
from scipy import sparse

from icd_relevancy.codes import CodeSystem
from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.layers.embedding_cache import embed
from icd_relevancy.layers.hierarchical_attention import category_membership
from icd_relevancy.layers.pretrained import local_folder
from icd_relevancy.layers.tokenizer import build_tokenizer, read_tokenizer, truncated_texts
from icd_relevancy.losses import BHML, PLCL, TLCL, WHML, FocalWeightedCrossentropy
from icd_relevancy.losses.imbalance import imbalance_ratios, label_frequencies
from icd_relevancy.models import (
    attention_classifier,
    head_of,
    hmhan_classifier,
    no_attention_classifier,
    note_classifier,
)
from icd_relevancy.models.frequency_bias import start_from_frequencies
from icd_relevancy.relevance import RelevanceGraph
from icd_relevancy.training.config import TrainingConfig
from icd_relevancy.training.note_features import NoteFeatures

# The length of the titles' embeddings that the queries of the attention start from: with it the weights of
# the first step differ between tokens, and none has all the weight.
_QUERY_LENGTH = 8.0
# A code of a single note would else weigh as much as all other notes together.
_LARGEST_CLASS_WEIGHT = 10.0


def make_encoder(config: TrainingConfig) -> TransformerEncoder:
    """The encoder of a configuration, which gives every token's vector to attention and pools for `linear`."""
    return TransformerEncoder(
        config.encoder,
        config.pooling,
        trainable=config.fine_tune,
        max_length=config.max_length,
        lowercase=config.lowercase,
        return_sequence=config.model == "hmhan",
        dtype="mixed_bfloat16" if config.mixed_precision else None,
    )


def needs_encoder(config: TrainingConfig) -> bool:
    """Whether the encoder is needed even where all embeddings are in the cache."""
    return config.fine_tune or config.model != "linear"


def count_truncated(texts: Sequence[str], config: TrainingConfig) -> int:
    """How many texts have more tokens than the model of a configuration reads."""
    tokenizer = build_tokenizer(read_tokenizer(local_folder(config.encoder)), config.lowercase)
    return truncated_texts(tokenizer, texts, config.max_length)


def make_model(
    config: TrainingConfig,
    labels: tuple[str, ...],
    titles: tuple[str, ...],
    y: sparse.csr_matrix,
    system: CodeSystem,
    features: NoteFeatures,
    encoder: TransformerEncoder | None,
    embedding_size: int,
) -> keras.Model:
    """The untrained model of a configuration.

    Args:
        config: The settings.
        labels: The m codes.
        titles: Their titles, from which the queries of the attention start.
        y: Labels of the training part, CSR `(n, m)`.
        system: The code system.
        features: What the model reads.
        encoder: The encoder; None where the model starts from embeddings.
        embedding_size: d, of the embeddings or the token states.
    """
    if config.model == "linear":
        if encoder is not None:
            return note_classifier(len(labels), encoder=encoder)
        return note_classifier(len(labels), embedding_size=embedding_size)
    inputs = {"encoder": encoder} if config.fine_tune else {"embedding_size": embedding_size}
    inputs |= {
        "bag_of_words_size": None if features.bag_of_words is None else len(features.bag_of_words),
        "structured_size": None if features.structured is None else len(features.structured.names),
    }
    if config.attention == "none":
        model = no_attention_classifier(len(labels), **inputs)
    elif config.attention == "single":
        model = attention_classifier(len(labels), **inputs)
    else:
        membership, _ = category_membership(system, labels)
        if config.attention == "flat":
            membership = np.zeros_like(membership)
        queries = _queries(titles, config)
        model = hmhan_classifier(len(labels), membership, initial_queries=queries, **inputs)
    start_from_frequencies(head_of(model).get_layer("dense_logits"), y)
    return model


def _queries(titles: tuple[str, ...], config: TrainingConfig) -> np.ndarray:
    vectors = embed(
        titles, config.encoder, min(config.max_length, 64), lowercase=config.lowercase, progress=False
    )
    return _QUERY_LENGTH * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_loss(config: TrainingConfig, relevance: RelevanceGraph, y=None) -> keras.losses.Loss:
    """The loss that a configuration names.

    Args:
        config: The settings.
        relevance: The graph of the labels, for the losses that ask it.
        y: Labels of the training part, `(n, m)`, for the class weights of `focal`. Defaults to None.
    """
    shared = {"relevance": relevance, "matching": config.matching}
    if config.loss == "bce":
        return keras.losses.BinaryCrossentropy()
    if config.loss == "focal":
        return FocalWeightedCrossentropy(imbalance_ratios(label_frequencies(y), _LARGEST_CLASS_WEIGHT))
    if config.loss in ("tlcl", "plcl"):
        return {"tlcl": TLCL, "plcl": PLCL}[config.loss](**shared)
    if config.loss == "bhml":
        return BHML(harmonic_of=config.harmonic_of, **shared)
    return WHML(alpha=config.alpha, harmonic_of=config.harmonic_of, **shared)


def make_optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """Adam, or AdamW where there is weight decay.

    Args:
        config: The settings.
        steps: Steps of the whole training, over which the learning rate rises and falls where there is warm-up.
    """
    rate = config.learning_rate
    if config.warm_up:
        rising = max(round(config.warm_up * steps), 1)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(steps - rising, 1), warmup_target=rate, warmup_steps=rising
        )
    clip = {"global_clipnorm": config.clip_norm} if config.clip_norm else {}
    if config.weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **clip)
    return keras.optimizers.Adam(rate, **clip)
