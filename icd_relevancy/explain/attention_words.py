"""Where a model with label attention looks in a note, code by code."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from icd_relevancy.explain.explanation import CategoryExplanation, Explanation, Word, codes_to_explain
from icd_relevancy.explain.words import merge_pieces


def attention_explanation(
    weights,
    token_spans: Sequence[tuple[int, int]],
    text: str,
    probabilities,
    labels: Sequence[str],
    titles: Sequence[str] | None = None,
    *,
    note_id: str = "",
    decision_threshold: float = 0.5,
    top_k: int = 5,
    original_span: Callable[[int, int], tuple[int, int]] | None = None,
    category_weights=None,
    categories: Sequence[str] | None = None,
) -> Explanation:
    """The words that label attention weighs, for each code that is assigned or among the most probable.

    Weights of the pieces of a word are added up; those of special tokens and of padding, whose spans are empty,
    are left out; the rest is scaled so that the weights of a code sum to 1.

    Attention is no attribution of the decision. It says from where in the text the model took what it then
    judged: not whether that spoke for the code or against it (no weight is negative), nor whether the decision
    would fall without it. A word may also be weighed for what the encoder carried to it from its neighbours.
    `lime_explanation` asks the model what it would say without the words.

    Args:
        weights: Attention `(m, tokens)`, of several heads their mean; 0 or more.
        token_spans: For each token its characters `(start, stop)`, as a fast tokenizer of Hugging Face gives
            them with `return_offsets_mapping=True`.
        text: The original note.
        probabilities: The probability of each label, `(m,)`.
        labels: The m codes.
        titles: Their titles. Defaults to None: none.
        note_id: The note's identifier. Defaults to `""`.
        decision_threshold: From which probability on a code is assigned. Defaults to 0.5.
        top_k: The least number of codes to explain. Defaults to 5.
        original_span: Where the model reads a prepared text: a function from a span of that text to one of
            the original, `(start, stop)`, empty for what was put in. Defaults to None: the spans are of the
            original.
        category_weights: For hierarchical attention the attention of each label's category, `(m, tokens)`.
            Defaults to None: there is one level.
        categories: What each label's category is called, m names. Needed with `category_weights`.

    Returns:
        An `Explanation` without fidelity, whose `read_until` is the end of the last token.

    Raises:
        ValueError: If shapes do not agree, a weight is negative or not finite, or a span is not in the text.

    Example:

    >>> from icd_relevancy.explain import attention_explanation
    >>> spans = [(0, 0), (0, 2), (3, 9), (9, 12), (0, 0)]
    >>> explanation = attention_explanation(
    ...     [[0.2, 0.2, 0.3, 0.1, 0.2]], spans, "No pneumonia.", [0.1], ["J18.9"])
    >>> [(start, stop, round(weight, 2)) for start, stop, weight in explanation.codes[0].words]
    [(0, 2, 0.33), (3, 12, 0.67)]

    Reference: HMHAN §III.H.
    """
    weights = _checked(weights, "weights", len(labels), len(token_spans))
    if original_span is not None:
        token_spans = [original_span(start, stop) if start < stop else (0, 0) for start, stop in token_spans]
    spans, of_token = merge_pieces(text, token_spans)
    if category_weights is not None:
        category_weights = _checked(category_weights, "category_weights", len(labels), len(token_spans))
        if categories is None or len(categories) != len(labels):
            raise ValueError(
                f"Argument `categories` must name the category of each of the {len(labels)} labels"
            )
    codes = []
    for label, code in codes_to_explain(probabilities, labels, titles, decision_threshold, top_k):
        category = None
        if category_weights is not None:
            words = _words(category_weights[label], spans, of_token)
            category = CategoryExplanation(categories[label], words)
        codes.append(replace(code, words=_words(weights[label], spans, of_token), category=category))
    read_until = max((stop for _, stop in spans), default=0)
    return Explanation(note_id, text, "attention", tuple(codes), read_until)


def _checked(weights, name: str, labels: int, tokens: int) -> np.ndarray:
    weights = np.asarray(weights, float)
    if weights.shape != (labels, tokens) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"Argument `{name}` must be finite and 0 or more, of shape {(labels, tokens)}. "
            f"Received: shape {weights.shape}"
        )
    return weights


def _words(weights: np.ndarray, spans: list[tuple[int, int]], of_token: np.ndarray) -> tuple[Word, ...]:
    placed = of_token >= 0
    sums = np.bincount(of_token[placed], weights[placed], len(spans))
    total = sums.sum()
    return tuple(
        (*span, float(weight / total)) for span, weight in zip(spans, sums, strict=True) if weight > 0
    )
