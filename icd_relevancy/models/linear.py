"""The papers' note classifier: an encoder, and one dense layer with a sigmoid for each code."""

import keras

from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models.by_name import Given, note_model
from icd_relevancy.models.settings import LinearSettings


def note_classifier(
    labels: int, embedding_size: int | None = None, encoder: TransformerEncoder | None = None
):
    """A Keras model from a note to the probability of each code.

    With a frozen encoder, embed every note once (`icd_relevancy.training.embed`) and give `embedding_size`:
    the model then starts from the embeddings. To fine-tune, give the encoder: the model then starts from its
    tokens.

    Args:
        labels: m, the number of codes.
        embedding_size: d, for inputs `(batch, d)`.
        encoder: A `TransformerEncoder`, for inputs `{"input_ids", "attention_mask"}`, both `(batch, length)`.

    Returns:
        A functional `keras.Model` with outputs `(batch, m)` in [0, 1], float32 under mixed precision too.

    Raises:
        ValueError: If not exactly one of `embedding_size` and `encoder` is given.

    Example:

    >>> note_classifier(labels=50, embedding_size=384).output_shape
    (None, 50)

    Reference: LOSSES §4.2.
    """
    if (embedding_size is None) == (encoder is None):
        raise ValueError("Give exactly one of `embedding_size` and `encoder`.")
    if encoder is None:
        inputs = embeddings = keras.Input((embedding_size,), name="embedding")
    else:
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
        }
        embeddings = encoder(inputs)
    outputs = keras.layers.Dense(labels, activation="sigmoid", dtype="float32", name="codes")(embeddings)
    return keras.Model(inputs, outputs, name="note_classifier")


@note_model(LinearSettings)
def build_linear(settings: LinearSettings, given: Given) -> keras.Model:
    """`linear` by name."""
    return note_classifier(given.labels, given.embedding_size, given.encoder)
