"""The words of a note that count for its codes, by the attention of a model or by its lexicon."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from icd_relevancy.explain.explanation import CategoryExplanation, Explanation, Word, codes_to_explain

# What is neither white space nor a mark that ends a word. `\w` is of no use: it cuts a letter from the accent
# that combines with it. A comma, colon or stroke between digits belongs to the number: 1,200, 10:30.
_RUN = re.compile(r'(?:[^\s.,;:!?()\[\]{}<>"=|…“”„«»，。、；：？！（）]|(?<=\w)[.](?=\w)|(?<=\d)[,:](?=\d))+')
_EDGES = "'’‘`-–—*_/\\#~^&"


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
    spans, span_numbers = merge_pieces(text, token_spans)
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
            words = _weighed_words(category_weights[label], spans, span_numbers)
            category = CategoryExplanation(categories[label], words)
        codes.append(
            replace(code, words=_weighed_words(weights[label], spans, span_numbers), category=category)
        )
    read_until = max((stop for _, stop in spans), default=0)
    return Explanation(note_id, text, "attention", tuple(codes), read_until)


def lexicon_explanation(
    evidence: Callable[[str, str], Sequence[Word]],
    text: str,
    probabilities,
    labels: Sequence[str],
    titles: Sequence[str] | None = None,
    *,
    note_id: str = "",
    decision_threshold: float = 0.5,
    top_k: int = 5,
) -> Explanation:
    """The words that name each code that is assigned or among the most probable.

    Of a model that reads the lexicon alone they are all there is to say. A model that reads more may have its
    reasons elsewhere: then they are what a coder can check, not what the model decided by.

    Args:
        evidence: From a text and a label to spans of the text with weights, as `Lexicon.evidence`.
        text, probabilities, labels, titles, note_id, decision_threshold, top_k: As in `attention_explanation`.

    Returns:
        An `Explanation` without fidelity; a code that nothing in the note names has no words.

    Example:

    >>> from icd_relevancy.explain import lexicon_explanation
    >>> explanation = lexicon_explanation(
    ...     lambda text, label: [(4, 9, 1.0)] if label == "R05" else [], "Dry cough.", [0.9, 0.1], ["R05", "R52"])
    >>> [(code.code, code.words) for code in explanation.codes]
    [('R05', ((4, 9, 1.0),)), ('R52', ())]
    """
    codes = [
        replace(code, words=_without_overlaps(evidence(text, labels[label])))
        for label, code in codes_to_explain(probabilities, labels, titles, decision_threshold, top_k)
    ]
    return Explanation(note_id, text, "lexicon", tuple(codes))


def word_spans(text: str) -> list[tuple[int, int]]:
    """The words of a text, `(start, stop)` in characters, without the punctuation around them.

    Letters with combining marks, emoji, numbers with their points and words with inner hyphens stay whole.
    """
    spans = []
    for run in _RUN.finditer(text):
        start = run.end() - len(run[0].lstrip(_EDGES))
        stop = run.start() + len(run[0].rstrip(_EDGES))
        if start < stop:
            spans.append((start, stop))
    return spans


def merge_pieces(text: str, pieces: Iterable[tuple[int, int]]) -> tuple[list[tuple[int, int]], np.ndarray]:
    """The spans of the words that pieces of a text belong to, and for each piece the number of its span, or -1.

    A piece inside a word is of that word; one that reaches over several makes them one span; one that touches none,
    such as a full stop, is a span of its own; an empty one is of none. White space at the ends is left out.
    """
    pieces = [_trimmed(text, *piece) for piece in pieces]
    merged: list[list] = []
    intervals = [(*span, False) for span in word_spans(text)]
    intervals += [(*piece, True) for piece in pieces if piece[0] < piece[1]]
    for start, stop, is_piece in sorted(intervals):
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop)
            merged[-1][2] |= is_piece
        else:
            merged.append([start, stop, is_piece])
    spans = [(start, stop) for start, stop, has_piece in merged if has_piece]
    starts = np.array([start for start, _ in spans], int)
    span_numbers = np.searchsorted(starts, [start for start, _ in pieces], side="right") - 1
    span_numbers[[start == stop for start, stop in pieces]] = -1
    return spans, span_numbers


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    if not 0 <= start <= stop <= len(text):
        raise ValueError(
            f"Each piece must be a span of the text's {len(text)} characters. Received: {(start, stop)}"
        )
    piece = text[start:stop]
    stop -= len(piece) - len(piece.rstrip())
    return min(start + len(piece) - len(piece.lstrip()), stop), stop


def _checked(weights, name: str, labels: int, tokens: int) -> np.ndarray:
    weights = np.asarray(weights, float)
    if weights.shape != (labels, tokens) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"Argument `{name}` must be finite and 0 or more, of shape {(labels, tokens)}. "
            f"Received: shape {weights.shape}"
        )
    return weights


def _weighed_words(
    weights: np.ndarray, spans: list[tuple[int, int]], span_numbers: np.ndarray
) -> tuple[Word, ...]:
    placed = span_numbers >= 0
    sums = np.bincount(span_numbers[placed], weights[placed], len(spans))
    total = sums.sum()
    return tuple(
        (*span, float(weight / total)) for span, weight in zip(spans, sums, strict=True) if weight > 0
    )


def _without_overlaps(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words without those that begin before the one before them has ended."""
    separate, end = [], 0
    for start, stop, weight in sorted(words):
        if start >= end:
            separate.append((start, stop, float(weight)))
            end = stop
    return tuple(separate)
