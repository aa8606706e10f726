"""The inputs of models that read words, and the words' embeddings."""

import keras
import numpy as np

from icd_relevancy._arguments import check_counts
from icd_relevancy.errors import InputError
from icd_relevancy.models.classifier import check_dropout


def embedded_words(embeddings, vocabulary_size: int | None, embedding_size: int | None, dropout: float):
    """The dict of inputs of a word-level body, and its embedded words `(batch, length, d)`, as of `caml_body`."""
    check_dropout(dropout)
    given = embeddings is not None
    if given == (vocabulary_size is not None) or given == (embedding_size is not None):
        raise InputError("give either embeddings, or vocabulary_size and embedding_size")
    if given:
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2 or not np.isfinite(embeddings).all():
            raise InputError(f"embeddings must be finite rows (v, d). Received: shape {embeddings.shape}")
        vocabulary_size, embedding_size = embeddings.shape
    check_counts(embedding_size=embedding_size)
    if vocabulary_size < 2:
        raise InputError(
            f"the vocabulary has padding, the unknown word and words. Received: {vocabulary_size} rows"
        )
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
    }
    layer = keras.layers.Embedding(vocabulary_size, embedding_size, name="embedding")
    words = layer(inputs["input_ids"])
    if given:
        layer.set_weights([embeddings])
    return inputs, keras.layers.Dropout(dropout, name="embedding_dropout")(words)
