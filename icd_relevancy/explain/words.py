"""The words of a note as spans of its characters, and pieces of words put together again."""

import re
from collections.abc import Iterable

import numpy as np

# What is neither white space nor a mark that ends a word. `\w` is of no use: it cuts a letter from the accent
# that combines with it. A comma, colon or stroke between digits belongs to the number: 1,200, 10:30.
_RUN = re.compile(r'(?:[^\s.,;:!?()\[\]{}<>"=|…“”„«»，。、；：？！（）]|(?<=\w)[.](?=\w)|(?<=\d)[,:](?=\d))+')
_EDGES = "'’‘`-–—*_/\\#~^&"


def word_spans(text: str) -> list[tuple[int, int]]:
    """The words of a text, `(start, stop)` in characters, without the punctuation around them.

    Letters with combining marks, emoji, numbers with their points and words with inner hyphens stay whole.

    Args:
        text: The text.

    Example:

    >>> from icd_relevancy.explain.words import word_spans
    >>> text = "T 38.5 °C, X-ray: no pneumonia?"
    >>> [text[start:stop] for start, stop in word_spans(text)]
    ['T', '38.5', '°C', 'X-ray', 'no', 'pneumonia']
    """
    spans = []
    for run in _RUN.finditer(text):
        start = run.end() - len(run[0].lstrip(_EDGES))
        stop = run.start() + len(run[0].rstrip(_EDGES))
        if start < stop:
            spans.append((start, stop))
    return spans


def merge_pieces(text: str, pieces: Iterable[tuple[int, int]]) -> tuple[list[tuple[int, int]], np.ndarray]:
    """The words that pieces of a text belong to.

    A piece inside a word is of that word; one that reaches over several makes them one span; one that touches
    none, such as a full stop, is a span of its own.

    Args:
        text: The text.
        pieces: Spans `(start, stop)` in any order, such as a tokenizer's offsets. White space at their ends is
            left out.

    Returns:
        The k spans in the order of the text, and for each piece the number of its span, or -1 for an empty
        piece: int array `(pieces,)`.

    Raises:
        ValueError: If a piece is not in the text.

    Example:

    >>> from icd_relevancy.explain.words import merge_pieces
    >>> merge_pieces("No pneumonia.", [(0, 0), (0, 2), (3, 9), (9, 12), (12, 13)])
    ([(0, 2), (3, 12), (12, 13)], array([-1,  0,  1,  1,  2]))
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
    of_piece = np.searchsorted(starts, [start for start, _ in pieces], side="right") - 1
    of_piece[[start == stop for start, stop in pieces]] = -1
    return spans, of_piece


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    if not 0 <= start <= stop <= len(text):
        raise ValueError(
            f"Each piece must be a span of the text's {len(text)} characters. Received: {(start, stop)}"
        )
    piece = text[start:stop]
    stop -= len(piece) - len(piece.rstrip())
    return min(start + len(piece) - len(piece.lstrip()), stop), stop
