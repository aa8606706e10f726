"""A text that was changed, and where each of its characters stood in the original."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from icd_relevancy.errors import InputError

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, eq=False, repr=False)
class AlignedText:
    """A prepared text that knows, for every character, the span of the original that it stands for.

    Steps of preparation change a text by `edit` and `recast`, each of which keeps the alignment with the first
    original; alignments that were made apart are joined by `then`. A character that was left alone stands for
    itself, each character of a replacement for all that was replaced, and an inserted one for the character
    that it precedes. So the spans never go backwards, and marks on prepared words become marks on the report as
    it was written.

    Args:
        text: The prepared text, n characters.
        original: The original text.
        starts: int32 `(n,)`, the start in `original` of what each character of `text` stands for.
        stops: int32 `(n,)`, its end.

    Example:

    >>> from icd_relevancy.text import AlignedText
    >>> aligned = AlignedText.of("No PE today").edit([(3, 5, "pulmonary embolism")])
    >>> aligned.text
    'No pulmonary embolism today'
    >>> aligned.original_span(3, 12), aligned.original_span(22, 27)
    ((3, 5), (6, 11))
    """

    text: str
    original: str
    starts: np.ndarray = field(compare=False)
    stops: np.ndarray = field(compare=False)

    @classmethod
    def of(cls, text: str) -> "AlignedText":
        """A text as it is, aligned with itself."""
        places = np.arange(len(text) + 1, dtype=np.int32)
        return cls(text, text, places[:-1], places[1:])

    def __repr__(self) -> str:
        return f"AlignedText({len(self.text)} characters from {len(self.original)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AlignedText):
            return NotImplemented
        return (
            (self.text, self.original) == (other.text, other.original)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.stops, other.stops)
        )

    def __hash__(self) -> int:
        return hash((self.text, self.original))

    def original_span(self, start: int, stop: int) -> tuple[int, int]:
        """The span of the original that `text[start:stop]` stands for; empty for an empty span.

        Args:
            start: The first character.
            stop: The character after the last.

        Raises:
            InputError: If the span is not within the text.
        """
        if not 0 <= start <= stop <= len(self.text):
            raise InputError(f"no span {start}:{stop} in a text of {len(self.text)} characters")
        if start == stop:
            place = int(self.starts[start]) if start < len(self.text) else len(self.original)
            return place, place
        return int(self.starts[start]), int(self.stops[stop - 1])

    @cached_property
    def word_spans(self) -> tuple[tuple[int, int], ...]:
        """The spans, in `text`, of its words: all that stands between white space."""
        return tuple(match.span() for match in _WORD.finditer(self.text))

    def edit(self, edits: Iterable[tuple[int, int, str]]) -> "AlignedText":
        """The text with parts replaced, removed or inserted.

        Args:
            edits: `(start, stop, replacement)`, spans of `text` in their order that do not overlap; an empty
                span inserts the replacement before `text[start]`.

        Returns:
            The new text, aligned with the same original.

        Raises:
            InputError: If the spans are out of order or not within the text.
        """
        pieces, starts, stops = [], [], []
        place = 0
        for start, stop, replacement in edits:
            if not place <= start <= stop <= len(self.text):
                raise InputError(f"the edit {start}:{stop} is out of order or not within the text")
            pieces += [self.text[place:start], replacement]
            first, last = self._stands_for(start, stop)
            starts += [self.starts[place:start], np.full(len(replacement), first, np.int32)]
            stops += [self.stops[place:start], np.full(len(replacement), last, np.int32)]
            place = stop
        if not pieces:
            return self
        pieces.append(self.text[place:])
        starts.append(self.starts[place:])
        stops.append(self.stops[place:])
        return AlignedText("".join(pieces), self.original, np.concatenate(starts), np.concatenate(stops))

    def recast(self, text: str) -> "AlignedText":
        """The text with each character replaced by the one in the same place of `text`.

        Raises:
            InputError: If `text` has another length.
        """
        if len(text) != len(self.text):
            raise InputError(f"expected {len(self.text)} characters. Received: {len(text)}")
        return AlignedText(text, self.original, self.starts, self.stops)

    def then(self, later: "AlignedText") -> "AlignedText":
        """The text of a later step, aligned with the original of this one.

        Args:
            later: An alignment whose original is this one's `text`.

        Raises:
            InputError: If it is that of another text.
        """
        if later.original != self.text:
            raise InputError("the later alignment is that of another text")
        # What stands for nothing (of an empty text, or after its end) stands for the end here too.
        starts = np.append(self.starts, len(self.original)).astype(np.int32)
        stops = np.append(0, self.stops).astype(np.int32)
        first = starts[later.starts]
        return AlignedText(later.text, self.original, first, np.maximum(first, stops[later.stops]))

    def _stands_for(self, start: int, stop: int) -> tuple[int, int]:
        """The span of the original for what replaces `text[start:stop]`."""
        if start == stop:
            if not self.text:
                return 0, len(self.original)
            start = min(start, len(self.text) - 1)
            stop = start + 1
        return self.original_span(start, stop)
