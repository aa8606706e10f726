"""The model, the loss and the optimizer that a configuration names."""

import keras
import numpy as np

from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.fitting.fit import LinearWarmUpDecay
from icd_relevancy.layers import LabelOdds
from icd_relevancy.layers.hierarchical_attention import category_membership
from icd_relevancy.losses import BHML, PLCL, TLCL, WHML, FocalWeightedCrossentropy
from icd_relevancy.losses.imbalance import imbalance_ratios, label_frequencies
from icd_relevancy.models import (
    attention_classifier,
    caml_body,
    head_of,
    hmhan_classifier,
    jams,
    joint_lexicon_classifier,
    laat_body,
    label_attention_classifier,
    lexicon_classifier,
    multirescnn_body,
    no_attention_classifier,
    note_classifier,
    plm_icd_body,
)
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.text.word_vectors import read_word_vectors, word_vectors
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.notes.features import NoteFeatures
from icd_relevancy.training.notes.label_set import LabelSet
from icd_relevancy.training.notes.model_settings import BACKBONES
from icd_relevancy.training.start import LexicalStart, start_from_frequencies

# The length of the titles' embeddings that the queries of the attention start from: with it the weights of
# the first step differ between tokens, and none has all the weight.
_QUERY_LENGTH = 8.0
# A code of a single note would else weigh as much as all other notes together.
_LARGEST_CLASS_WEIGHT = 10.0


def make_model(config: TrainingConfig, data: NoteData) -> keras.Model:
    """The model of a configuration, untrained but for what it knows of frequencies and of its lexicon.

    Args:
        config: The settings.
        data: The notes that it is to learn from.
    """
    if config.model == "linear":
        size, encoder = (None, data.encoder) if config.fine_tune else (data.inputs.shape[1], None)
        return note_classifier(len(data.only.labels), size, encoder)
    make, logits = _MAKERS.get(config.model, (_backbone, "own_logits"))
    model = make(config, data)
    part = model if config.joint or config.model == "lexicon" else head_of(model)
    for labels in data.label_sets:
        prefix = f"{labels.name}_" if config.joint else ""
        rows = labels.rows(data.training)
        layer = part.get_layer(prefix + logits)
        start_from_frequencies(layer, labels.y[rows])
        if data.features.lexicons:
            scores = data.inputs[data.features.lexical_input(labels)]
            _start_from_lexicon(part, layer, prefix, scores[rows], labels.y[rows], config.seed)
    return model


def _start_from_lexicon(part: keras.Model, layer, prefix: str, scores, y, seed: int) -> None:
    """Lets a model read its lexicon as well as can be from the start, and learn what else the text says.

    The rate at which a network learns would not move the few weights of the lexicon to where they belong.
    """
    odds = keras.ops.convert_to_numpy(layer.bias)
    start = LexicalStart.fit(scores, y, odds, seed)
    part.get_layer(f"{prefix}lexical_logits").channel_weights.assign(start.channel_weights)
    if isinstance(layer, LabelOdds):
        layer.scale.assign(start.scale)
        layer.offset.assign(start.offset)
        return
    layer.bias.assign(start.bias(odds))
    for other in part.layers:
        if other.name in (layer.name, f"{prefix}own_logits"):
            other.kernel.assign(np.zeros(other.kernel.shape))


def _lexicon(config: TrainingConfig, data: NoteData) -> keras.Model:
    channels = data.features.lexical_channels
    if not config.joint:
        return lexicon_classifier(len(data.only.labels), channels)
    sizes = [len(labels.labels) for labels in data.label_sets]
    return joint_lexicon_classifier(sizes, channels, [labels.name for labels in data.label_sets])


def _hmhan(config: TrainingConfig, data: NoteData) -> keras.Model:
    labels, features = data.only, data.features
    inputs = _beside_tokens(data)
    inputs |= {"structured_size": None if features.structured is None else len(features.structured.names)}
    inputs |= {"encoder": data.encoder} if config.fine_tune else {"embedding_size": data.encoder.dimension}
    count = len(labels.labels)
    if config.attention == "none":
        return no_attention_classifier(count, **inputs)
    if config.attention == "single":
        return attention_classifier(count, **inputs)
    membership, _ = category_membership(labels.system, labels.labels)
    if config.attention == "flat":
        membership = np.zeros_like(membership)
    queries = _title_vectors(labels, config) if config.title_queries else None
    return hmhan_classifier(count, membership, initial_queries=queries, **inputs)


def _backbone(config: TrainingConfig, data: NoteData) -> keras.Model:
    """Label-wise attention over a body, for one code system or for two that are linked."""
    body = _body(config, data)
    queries = [
        _title_queries(body, labels, config, data.features) if config.title_queries else None
        for labels in data.label_sets
    ]
    settings = {"attention_dim": config.attention_dim, **_beside_tokens(data)}
    if config.model == "plm-icd":
        settings["dropout"] = config.dropout  # the others drop from the words' vectors
    if not config.joint:
        name = config.model.replace("-", "_")
        count = len(data.only.labels)
        return label_attention_classifier(body, count, initial_queries=queries[0], name=name, **settings)
    edges, weights = ((), None) if data.links is None else (data.links.edges, data.links.weights)
    return jams(
        body,
        [len(labels.labels) for labels in data.label_sets],
        edges,
        weights,
        [labels.name for labels in data.label_sets],
        initial_queries=queries if config.title_queries else None,
        graph=config.graph != "none",
        use_weights=config.graph != "unweighted",
        share_table=config.graph == "one_table",
        **settings,
    )


# How a model is made, and the layer of it that starts from the frequencies of the codes.
_MAKERS = {"hmhan": (_hmhan, "dense_logits"), "lexicon": (_lexicon, "label_odds")}


def _body(config: TrainingConfig, data: NoteData) -> keras.Model:
    if config.model == "plm-icd":
        return (
            plm_icd_body(data.encoder)
            if config.fine_tune
            else plm_icd_body(embedding_size=data.encoder.dimension)
        )
    words = data.features.words
    if config.word_vectors is not None:
        vectors = read_word_vectors(config.word_vectors, words)
    else:
        texts = [data.texts[row] for row in data.training]
        vectors = word_vectors(words, texts, seed=config.seed)
    if config.model == "laat":
        return laat_body(vectors, units=config.units, dropout=config.dropout)
    body = {"caml": caml_body, "multirescnn": multirescnn_body}[config.model]
    return body(vectors, filters=config.units, dropout=config.dropout)


def _beside_tokens(data: NoteData) -> dict[str, int | None]:
    """The sizes of what a model with attention reads beside the tokens."""
    features = data.features
    return {
        "bag_of_words_size": None if features.bag_of_words is None else len(features.bag_of_words),
        "lexical_channels": features.lexical_channels,
    }


def _title_queries(
    body: keras.Model, labels: LabelSet, config: TrainingConfig, features: NoteFeatures
) -> np.ndarray:
    """The titles of the codes as the body reads them, for the queries to start from."""
    if config.model == "plm-icd":
        return _title_vectors(labels, config)
    tokens = features.words.tokenize(features.texts(labels.titles))
    states = body.predict(tokens, batch_size=config.batch_size, verbose=0)
    mask = tokens["attention_mask"][..., None]
    return _as_queries((states * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1))


def _title_vectors(labels: LabelSet, config: TrainingConfig) -> np.ndarray:
    """The titles of the codes by the encoder as it was published."""
    settings = {"lowercase": config.lowercase, "progress": False}
    return _as_queries(embed(labels.titles, config.encoder, min(config.max_length, 64), **settings))


def _as_queries(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _QUERY_LENGTH * vectors / np.where(lengths > 0, lengths, 1)


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
        falling = max(steps - rising, 1)
        if config.model in BACKBONES:
            rate = LinearWarmUpDecay(rate, rising, falling)
        else:
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, falling, warmup_target=rate, warmup_steps=rising
            )
    clip = {"global_clipnorm": config.clip_norm} if config.clip_norm else {}
    if config.weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **clip)
    return keras.optimizers.Adam(rate, **clip)
