"""The model and the optimizer that a configuration names."""

import keras
import numpy as np

from icd_relevancy.encoding.embeddings import embed
from icd_relevancy.fitting.fit import LinearWarmUpDecay
from icd_relevancy.layers.hierarchical_attention import category_membership
from icd_relevancy.models.by_name import NOTE_MODELS, Given, layers_of
from icd_relevancy.models.classifier import jams, label_attention_classifier
from icd_relevancy.models.parts import Parts, parts_of
from icd_relevancy.text.word_vectors import read_word_vectors, word_vectors
from icd_relevancy.training.model_file import check_layers
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.notes.dataset import NoteData
from icd_relevancy.training.start import LexicalStart, start_from_frequencies

# The length of the titles' embeddings that the queries of the attention start from: with it the weights of
# the first step differ between tokens, and none has all the weight.
_QUERY_LENGTH = 8.0
_LONGEST_TITLE = 64


def make_model(config: TrainingConfig, data: NoteData) -> keras.Model:
    """The model of a configuration, untrained but for what it knows of frequencies and of its lexicon."""
    given = _given(config, data)
    model = NOTE_MODELS.find(config.model)(config.own, given)
    if NOTE_MODELS.about(config.model)["is_body"]:
        model = _with_attention(model, given, config, data)
    if config.model not in NOTE_MODELS.names:
        check_layers(model, layers_of(config.model))
    for labels in data.label_sets:
        parts = parts_of(model, labels.name if len(data.label_sets) > 1 else None)
        rows = labels.rows(data.training)
        if parts.bias is not None:
            start_from_frequencies(parts.bias, labels.y[rows])
        if parts.lexical_logits is not None:
            scores = data.inputs[data.features.lexical_input(labels)]
            _start_from_lexicon(parts, scores[rows], labels.y[rows], config.seed)
    return model


def make_optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """Adam, or AdamW where there is weight decay; over so many steps the rate rises and falls, with a warm-up."""
    rate = config.learning_rate
    if config.warm_up:
        rising = max(round(config.warm_up * steps), 1)
        falling = max(steps - rising, 1)
        if config.reads_long_notes:
            rate = LinearWarmUpDecay(rate, rising, falling)
        else:
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, falling, warmup_target=rate, warmup_steps=rising
            )
    clip = {"global_clipnorm": config.clip_norm} if config.clip_norm else {}
    if config.weight_decay:
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **clip)
    return keras.optimizers.Adam(rate, **clip)


def _given(config: TrainingConfig, data: NoteData) -> Given:
    """What the model of a configuration is built for."""
    features, single = data.features, data.label_sets[0] if len(data.label_sets) == 1 else None
    vectors, encoder, size = None, None, None
    if config.reads_words and config.word_vectors is not None:
        vectors = read_word_vectors(config.word_vectors, features.words)
    elif config.reads_words:
        texts = [data.texts[row] for row in data.training]
        vectors = word_vectors(features.words, texts, seed=config.seed)
    elif config.fine_tune:
        encoder = data.encoder
    elif config.reads_tokens:
        size = data.inputs.shape[1] if config.pools else data.encoder.dimension

    def titles() -> list[np.ndarray] | None:
        if not (config.reads_tokens and config.title_queries):
            return None
        longest, how = (
            min(config.max_length, _LONGEST_TITLE),
            {"lowercase": config.lowercase, "progress": False},
        )
        return [
            _as_queries(embed(labels.titles, config.encoder, longest, **how)) for labels in data.label_sets
        ]

    return Given(
        [len(labels.labels) for labels in data.label_sets],
        [labels.name for labels in data.label_sets],
        None if single is None else category_membership(single.system, single.labels)[0],
        vectors,
        encoder,
        size,
        {
            "structured_size": None if features.structured is None else len(features.structured.names),
            "bag_of_words_size": None if features.bag_of_words is None else len(features.bag_of_words),
            "lexical_channels": features.lexical_channels,
        },
        titles,
    )


def _with_attention(body: keras.Model, given: Given, config: TrainingConfig, data: NoteData) -> keras.Model:
    """Label-wise attention over a body, for one code system or for two that are linked."""
    queries = given.titles()
    if config.title_queries and not config.reads_tokens:
        texts = [data.features.texts(labels.titles) for labels in data.label_sets]
        queries = [_read_titles(body, data.features.words.tokenize(one), config.batch_size) for one in texts]
    beside = {name: size for name, size in given.beside.items() if name != "structured_size"}
    settings = {"attention_dim": config.attention_dim, "dropout": config.dropout_of_states, **beside}
    if not config.joint:
        name = config.model.rpartition(":")[2].replace("-", "_")
        own = None if queries is None else queries[0]
        return label_attention_classifier(body, given.labels, initial_queries=own, name=name, **settings)
    edges, weights = ((), None) if data.links is None else (data.links.edges, data.links.weights)
    return jams(
        body,
        given.sizes,
        edges,
        weights,
        given.names,
        initial_queries=queries,
        graph=config.graph != "none",
        use_weights=config.graph != "unweighted",
        share_table=config.graph == "one_table",
        **settings,
    )


def _read_titles(body: keras.Model, tokens: dict, batch_size: int) -> np.ndarray:
    """The titles of codes as a body reads them."""
    states = body.predict(tokens, batch_size=batch_size, verbose=0)
    mask = tokens["attention_mask"][..., None]
    return _as_queries((states * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1))


def _as_queries(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _QUERY_LENGTH * vectors / np.where(lengths > 0, lengths, 1)


def _start_from_lexicon(parts: Parts, scores, y, seed: int) -> None:
    """Lets a model read its lexicon from the start, as a network's learning rate would hardly move its few weights."""
    odds = keras.ops.convert_to_numpy(parts.bias.bias)
    start = LexicalStart.fit(scores, y, odds, seed)
    parts.lexical_logits.channel_weights.assign(start.channel_weights)
    if parts.label_odds is not None:
        parts.label_odds.scale.assign(start.scale)
        parts.label_odds.offset.assign(start.offset)
        return
    parts.bias.bias.assign(start.bias(odds))
    for layer in filter(None, (parts.own_logits, parts.dense_logits)):
        layer.kernel.assign(np.zeros(layer.kernel.shape))
