"""What explains a note's codes: spans of its text with signed weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from icd_relevancy.errors import InputError, shown_code

_METHODS = ("lime", "attention", "lexicon")

Word = tuple[int, int, float]


@dataclass(frozen=True)
class CategoryExplanation:
    """The words that count for the category of a code, the upper level of hierarchical attention.

    Attributes:
        name: What the category is called.
        words: As in `CodeExplanation`.
    """

    name: str
    words: tuple[Word, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class CodeExplanation:
    """The words that count for one code of a note.

    Attributes:
        code: The code.
        title: Its title, `""` where there is none.
        probability: What the model gives it, in [0, 1].
        assigned: Whether the probability reaches the decision threshold.
        words: Tuples `(start, stop, weight)` in the order of the text, which do not overlap: characters of the
            original text, and a weight that is positive for what speaks for the code and negative for what
            speaks against it. Defaults to none.
        fidelity: How well the explanation follows the model around this note, as R², at most 1; None where it
            is not defined. Defaults to None.
        category: The explanation of the code's category. Defaults to None: the model has no such level.

    Example:

    >>> from icd_relevancy.explain import CodeExplanation
    >>> cough = CodeExplanation("R05.9", "Cough, unspecified", 0.8, True, words=((0, 2, -0.1), (3, 8, 0.5)))
    >>> cough.top_words(1)
    ((3, 8, 0.5),)
    """

    code: str
    title: str
    probability: float
    assigned: bool
    words: tuple[Word, ...] = field(default=(), repr=False)
    fidelity: float | None = None
    category: CategoryExplanation | None = None

    def top_words(self, count: int = 10) -> tuple[Word, ...]:
        """The words with the largest weights of either sign, largest first.

        Args:
            count: How many at most. Defaults to 10.
        """
        return top_words(self.words, count)


@dataclass(frozen=True, repr=False)
class Explanation:
    """A note, and for each of its codes the words that count.

    Args:
        note_id: The note's identifier.
        text: The note as it was given.
        method: `"lime"`, `"attention"` or `"lexicon"`.
        codes: The codes that are explained, by falling probability.
        read_until: How many characters of the text the model reads; what follows changes no probability.
            Defaults to None: all.

    Raises:
        ValueError: If the method is not known, a span is not in the text read, spans overlap or are out of order,
            or a weight is not finite.

    Example:

    >>> from icd_relevancy.explain import CodeExplanation, Explanation
    >>> cough = CodeExplanation("R05.9", "Cough, unspecified", 0.8, True, words=((3, 8, 0.5),))
    >>> explanation = Explanation("n1", "No cough.", "lime", (cough,))
    >>> explanation.to_dict()["codes"][0]["words"]
    [{'start': 3, 'stop': 8, 'weight': 0.5}]
    >>> explanation.to_dict(with_text=True)["codes"][0]["words"]
    [{'start': 3, 'stop': 8, 'weight': 0.5, 'word': 'cough'}]
    """

    note_id: str
    text: str
    method: str
    codes: tuple[CodeExplanation, ...]
    read_until: int | None = None

    def __post_init__(self):
        if self.method not in _METHODS:
            raise ValueError(f"Argument `method` must be one of {_METHODS}. Received: method={self.method!r}")
        object.__setattr__(self, "codes", tuple(self.codes))
        if self.read_until is None:
            object.__setattr__(self, "read_until", len(self.text))
        if not 0 <= self.read_until <= len(self.text):
            raise ValueError(
                f"Argument `read_until` must be from 0 to the text's {len(self.text)} characters. "
                f"Received: read_until={self.read_until}"
            )
        for code in self.codes:
            for words in (code.words, code.category.words if code.category else ()):
                _check_words(words, self.read_until, code.code)

    def __repr__(self) -> str:
        # The generated one would print the note.
        return f"Explanation({self.method!r}, {len(self.codes)} codes)"

    def to_dict(self, with_text: bool = False) -> dict:
        """The explanation as JSON takes it.

        Args:
            with_text: Whether to add the note's `text` and each span's `word`. Defaults to False: numbers
                alone, which tell nothing of what the note says.
        """
        state = {"note_id": self.note_id, "method": self.method, "read_until": self.read_until}
        if with_text:
            state["text"] = self.text
        return state | {"codes": [self._code_to_dict(code, with_text) for code in self.codes]}

    def _code_to_dict(self, code: CodeExplanation, with_text: bool) -> dict:
        state = {
            "code": code.code,
            "title": code.title,
            "probability": code.probability,
            "assigned": code.assigned,
            "fidelity": code.fidelity,
            "words": self._words_to_list(code.words, with_text),
        }
        if code.category is not None:
            words = self._words_to_list(code.category.words, with_text)
            state["category"] = {"name": code.category.name, "words": words}
        return state

    def _words_to_list(self, words: Sequence[Word], with_text: bool) -> list[dict]:
        state = [{"start": start, "stop": stop, "weight": weight} for start, stop, weight in words]
        if with_text:
            state = [word | {"word": self.text[word["start"] : word["stop"]]} for word in state]
        return state


def top_words(words: Sequence[Word], count: int) -> tuple[Word, ...]:
    """The words with the largest weights of either sign, largest first; of equal ones the earlier first."""
    return tuple(sorted(words, key=lambda word: (-abs(word[2]), word[0]))[:count])


def codes_to_explain(
    probabilities, labels: Sequence[str], titles: Sequence[str] | None, decision_threshold: float, top_k: int
) -> list[tuple[int, CodeExplanation]]:
    """The places among the labels and the codes, still without words, of all assigned ones, at least of `top_k`."""
    if top_k < 1:
        raise InputError(f"top_k must be at least 1. Received: {top_k}")
    probabilities = np.asarray(probabilities, float)
    titles = [""] * len(labels) if titles is None else titles
    if probabilities.shape != (len(labels),) or len(titles) != len(labels):
        raise ValueError(
            f"Each of the {len(labels)} labels needs a probability and a title. "
            f"Received: probabilities of shape {probabilities.shape}, {len(titles)} titles"
        )
    assigned = probabilities >= decision_threshold
    order = np.argsort(-probabilities, kind="stable")[: max(int(assigned.sum()), top_k)]
    return [
        (
            label,
            CodeExplanation(labels[label], titles[label], float(probabilities[label]), bool(assigned[label])),
        )
        for label in order.tolist()
    ]


def _check_words(words: Sequence[Word], length: int, code: str) -> None:
    end = 0
    for start, stop, weight in words:
        if not (end <= start < stop <= length and math.isfinite(weight)):
            raise ValueError(
                f"The words of code {shown_code(code)} must be spans of the {length} characters read, in order, each "
                f"with a finite weight. Received: {(start, stop, weight)} after a span that ends at {end}"
            )
        end = stop
