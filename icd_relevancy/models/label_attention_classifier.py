"""A classifier that reads a note once for each code, over any body that gives the states of its tokens."""

import keras

from icd_relevancy.errors import InputError
from icd_relevancy.layers import LabelAttention
from icd_relevancy.layers.label_attention import check_counts
from icd_relevancy.models.heads import check_dropout, classifier, context_logits, head_inputs


def label_attention_classifier(
    body: keras.Model,
    labels: int,
    attention_dim: int | None = None,
    initial_queries=None,
    bag_of_words_size: int | None = None,
    lexical_channels: int | None = None,
    dropout: float = 0.0,
    name: str = "label_attention_classifier",
):
    """A Keras model of label-wise attention: `p_j = sigmoid(w_jᵀ c_j + b_j)` of a code's own context `c_j`.

    `caml`, `multirescnn`, `laat` and `plm_icd` are this over their bodies.

    Args:
        body: A `keras.Model` from a dict of inputs, with `attention_mask` among them, to token states
            `(batch, length, d)`, such as `caml_body` makes.
        labels: m, the number of codes.
        attention_dim: Size of the projection in which tokens are weighed, or None to weigh them as they are;
            see `LabelAttention`. Defaults to None.
        initial_queries: `(m, d)` or `(m, attention_dim)`, such as embeddings of the codes' titles, for the
            queries to start from; see `LabelAttention`. Defaults to None.
        bag_of_words_size: Number of features of an input `bag_of_words`, `(batch, bag_of_words_size)`, such as
            TF-IDF, whose linear map, which starts at zero, is added to the logits. Defaults to None: no such
            input.
        lexical_channels: Number of channels of an input `lexical`, `(batch, lexical_channels · m)`, which
            `LexicalLogits` adds to the logits. Defaults to None: no such input.
        dropout: Share of the token states' numbers dropped before the attention while training. Defaults to
            0.0.
        name: Name of the model. Defaults to `"label_attention_classifier"`.

    Returns:
        A functional `keras.Model` from a dict of the body's and the further inputs to probabilities
        `(batch, m)`, float32 under mixed precision too, by its last layer `codes`. The layers behind the body
        are in a model of their own; see `head_of`. `attention_model` gives the weights of the tokens too.

    Raises:
        InputError: If the body has other inputs or outputs, a number is out of range, or the initial queries
            are not m of a size that fits.

    Example:

    >>> from icd_relevancy.models import caml_body, label_attention_classifier
    >>> body = caml_body(vocabulary_size=100, embedding_size=8)
    >>> model = label_attention_classifier(body, labels=45, attention_dim=16, lexical_channels=2)
    >>> sorted(model.input), model.output_shape
    (['attention_mask', 'input_ids', 'lexical'], (None, 45))

    Reference: JAMS §2, figure 1 (a); CAML (Mullenbach et al. 2018) Eq. 2-3.
    """
    check_counts(labels=labels, bag_of_words_size=bag_of_words_size, lexical_channels=lexical_channels)
    check_dropout(dropout)
    check_body(body)
    inputs = head_inputs(
        body.output_shape[-1], bag_of_words=bag_of_words_size, lexical=labels * (lexical_channels or 0)
    )
    states = keras.layers.Dropout(dropout, name="dropout")(inputs["states"])
    attention = LabelAttention(labels, attention_dim, initial_queries=initial_queries, name="attention")
    contexts = attention(states, inputs["attention_mask"])
    logits = [context_logits(labels)(contexts)]
    return classifier(name, body, inputs, logits, lexical_channels)


def check_body(body: keras.Model) -> None:
    """Refuses a model that does not map a dict of inputs with a mask to the states of tokens."""
    if not isinstance(body.input, dict) or "attention_mask" not in body.input or len(body.output_shape) != 3:
        raise InputError(
            f"{body.name} is no body: it must map a dict of inputs, attention_mask among them, to token states"
        )
