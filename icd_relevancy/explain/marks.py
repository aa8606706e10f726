"""The words of a note that count, marked in HTML by the sign and the strength of their weights."""

import math
from collections.abc import Sequence
from html import escape

from icd_relevancy.explain.explanation import Explanation, Word, top_words
from icd_relevancy.explain.words import word_spans

STRENGTHS = 5
_MOST_MARKED = 12
_LEAST_SHARE = 0.1
# A code that no word moves must not look as if its strongest word decided it.
_FULL_LIME_WEIGHT = 0.1
_SHOWN_CHARACTERS = 60


class Marks:
    """The few words of a note that are worth a mark for one code or category.

    Args:
        explanation: The note.
        words: All its words with weights, tuples `(start, stop, weight)`.
        of: The code or category.
        here: Prefix of the identifiers, unique in the page.

    Attributes:
        words: Those that are marked, in the order of the text: at most twelve, with a tenth or more of the
            largest weight, and no punctuation.
    """

    def __init__(self, explanation: Explanation, words: Sequence[Word], of: str, here: str):
        self._text, self._attention = explanation.text, explanation.method == "attention"
        self._read_until = explanation.read_until
        self._of, self._here = escape(of), here
        words = [word for word in words if word_spans(self._text[word[0] : word[1]])]
        self._full = max((abs(weight) for *_, weight in words), default=0.0)
        if not self._attention:
            self._full = max(self._full, _FULL_LIME_WEIGHT)
        top = top_words(words, _MOST_MARKED)
        self.words = sorted(word for word in top if abs(word[2]) >= _LEAST_SHARE * self._full)

    def listed(self) -> str:
        """The words as a list, the strongest first, each with its weight and a link to its place."""
        items = []
        for start, stop, weight in top_words(self.words, len(self.words)):
            shown = " ".join(self._text[start:stop].split())
            if len(shown) > _SHOWN_CHARACTERS:
                shown = f"{shown[:_SHOWN_CHARACTERS].rstrip()}…"
            items.append(
                f'<li><a href="#{self._here}-at-{start}"><mark class="{self._style(weight)}">{escape(shown)}'
                f'</mark> <span class="weight">{self._told(weight)}</span></a></li>'
            )
        return f'<ol class="words" aria-label="Words that count most for {self._of}">{"".join(items)}</ol>'

    def in_text(self) -> str:
        """The text that the model reads, with the words marked; the weight is there without the colour too."""
        parts, end = [], 0
        for start, stop, weight in self.words:
            told = self._told(weight)
            role = "looked at for" if self._attention else f"speaks {_sign(weight)}"
            parts += [
                escape(self._text[end:start]),
                f'<mark class="{self._style(weight)}" id="{self._here}-at-{start}" '
                f'title="{told}, {role} {self._of}">{escape(self._text[start:stop])}'
                f'<span class="spoken"> ({told})</span></mark>',
            ]
            end = stop
        parts.append(escape(self._text[end : self._read_until]))
        return text_block("".join(parts))

    def _style(self, weight: float) -> str:
        strength = math.ceil(STRENGTHS * abs(weight) / self._full)
        return f"{_sign(weight)} s{min(max(strength, 1), STRENGTHS)}"

    def _told(self, weight: float) -> str:
        if self._attention:
            return percent(weight)
        return f"{'+' if weight > 0 else '−'}{number(abs(weight))}"


def text_block(html: str) -> str:
    """HTML of a note's text, whose language and direction are its own."""
    return f'<div class="text" lang="" dir="auto">{html}</div>'


def number(value: float) -> str:
    """A number with two digits, or three where two would show nothing."""
    digits = 3 if 0 < abs(value) < 0.005 else 2
    return f"{value:.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share as HTML; what is not quite nothing or all does not look like it."""
    if 0 < share < 0.01:
        return "&lt; 1 %"
    return "&gt; 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def _sign(weight: float) -> str:
    return "for" if weight > 0 else "against"
