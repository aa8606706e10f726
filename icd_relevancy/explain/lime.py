"""The words that a code's probability hangs on, whatever the model: LIME on the path from raw text."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from sklearn.linear_model import Ridge
from tqdm import tqdm

from icd_relevancy.errors import InputError
from icd_relevancy.explain.explanation import Explanation, Word, codes_to_explain
from icd_relevancy.explain.words import word_spans

_BLANKS = re.compile(r"[ \t]{2,}")
LEAST_SAMPLES = 20
# Notes of so few words are read whole by every model; there is nothing to search.
_SHORT = 64
# LIME's own penalty of 1 is small beside a thousand samples of a long note, not beside those of a few words.
_RIDGE = 0.01
# Changes of probability below this are the arithmetic's.
_NOISE = 1e-6


def lime_explanation(
    predict: Callable[[list[str]], np.ndarray],
    text: str,
    labels: Sequence[str],
    titles: Sequence[str] | None = None,
    *,
    note_id: str = "",
    decision_threshold: float = 0.5,
    top_k: int = 5,
    samples: int = 1000,
    words: int = 10,
    mask: str = "",
    seed: int = 0,
    batch_size: int = 128,
    progress: bool = False,
) -> Explanation:
    """The words that each assigned or most probable code hangs on, by LIME.

    LIME asks the model for the probabilities of many versions of the note that lack some of its words, and fits
    for each code a linear function of which words are there. A word's weight is by how much its presence
    changes the probability, given the others. One sample of versions serves all codes. The model is asked from
    raw text on, so whatever prepares the text is explained with it. Each occurrence of a word counts by itself.

    Work is bounded. Only what the model reads of a long note is varied: the beginning that gives the
    probabilities of the whole. Of a note with more than half as many words as `samples`, runs of neighbouring
    words are taken as one, so that the linear function is never left to guess.

    Args:
        predict: From n texts to the probabilities `(n, m)`, as `NoteCoder.scores`.
        text: The note.
        labels: The m codes.
        titles: Their titles. Defaults to None: none.
        note_id: The note's identifier. Defaults to `""`.
        decision_threshold: From which probability on a code is assigned. Defaults to 0.5.
        top_k: The least number of codes to explain. Defaults to 5.
        samples: The number of versions. Defaults to 1000.
        words: The most words a code. Defaults to 10.
        mask: What stands in the place of a word that is left out. Defaults to `""`: the word goes, the
            punctuation around it stays, and the versions read like shortened notes.
        seed: Seed of the versions. Defaults to 0.
        batch_size: How many texts `predict` is given at once. Defaults to 128.
        progress: Whether to show a progress bar on a terminal. Defaults to False.

    Returns:
        An `Explanation` with the fidelity of each code: R² of the linear function on the versions that it was
        fitted on, near versions weighing more. Below about 0.5 the weights tell little of the model.

    Raises:
        InputError: If lime is not installed, or `samples`, `words` or `top_k` is too small.
        ValueError: If `predict` returns another shape.

    Example:

    >>> import numpy as np
    >>> from icd_relevancy.explain import lime_explanation
    >>> def predict(texts):
    ...     return np.array([[0.1 + 0.6 * ("cough" in text) - 0.1 * ("No" in text)] for text in texts])
    >>> explanation = lime_explanation(predict, "No fever, cough.", ["R05.9"], words=2)
    >>> [(start, stop, round(weight, 1)) for start, stop, weight in explanation.codes[0].words]
    [(0, 2, -0.1), (10, 15, 0.6)]

    Reference: HMHAN §III.H, Eq. 4 and figure 5; M. T. Ribeiro, S. Singh, C. Guestrin, "Why should I trust you?",
    KDD 2016.
    """
    check_lime()
    if samples < LEAST_SAMPLES or words < 1:
        raise InputError(
            f"samples must be at least {LEAST_SAMPLES} and words at least 1. Received: {samples}, {words}"
        )
    predict = _checked(predict, len(labels))
    (probabilities,) = predict([text])
    chosen = codes_to_explain(probabilities, labels, titles, decision_threshold, top_k)
    spans, read_until = _read(predict, text, probabilities)
    versions = _Versions(text[:read_until], _units(spans, samples // 2), mask)
    ask = _Batches(predict, versions, [label for label, _ in chosen], batch_size, progress)
    fits = _explain(versions, ask, samples, words, seed) if versions.units else [((), None)] * len(chosen)
    codes = [
        replace(code, words=weighed, fidelity=fidelity)
        for (_, code), (weighed, fidelity) in zip(chosen, fits, strict=True)
    ]
    return Explanation(note_id, text, "lime", tuple(codes), read_until)


def check_lime() -> None:
    """Refuses to begin without the lime package."""
    if find_spec("lime") is None:
        raise InputError('LIME explanations need lime; run: pip install "icd_relevancy[explain]"')


def _checked(predict, labels: int):
    def checked(texts: list[str]) -> np.ndarray:
        scores = np.asarray(predict(texts))
        if scores.shape != (len(texts), labels):
            raise ValueError(
                f"Argument `predict` must return one row a text and one column a label, "
                f"{(len(texts), labels)}. Received: shape {scores.shape}"
            )
        return scores

    return checked


def _read(predict, text: str, probabilities: np.ndarray) -> tuple[list[tuple[int, int]], int]:
    """The words of the shortest beginning that has the probabilities of the whole, and where it ends."""
    spans = word_spans(text)
    if len(spans) <= _SHORT:
        return spans, len(text)

    def suffices(words: int) -> bool:
        beginning = predict([text[: spans[words][0]]])[0]
        return bool(np.allclose(beginning, probabilities, rtol=1e-5, atol=1e-8))

    count = bisect_left(range(len(spans)), True, key=suffices)
    return spans[:count], spans[count][0] if count < len(spans) else len(text)


def _units(spans: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """The words, or runs of as many neighbouring ones as make at most `most`."""
    run = max(-(-len(spans) // most), 1)
    runs = (spans[at : at + run] for at in range(0, len(spans), run))
    return [(run[0][0], run[-1][1]) for run in runs]


class _Versions:
    """A text without some of its units."""

    def __init__(self, text: str, units: list[tuple[int, int]], mask: str):
        self.units = units
        self._mask = mask
        self._words = [text[start:stop] for start, stop in units]
        ends = [0, *(stop for _, stop in units)]
        begins = [*(start for start, _ in units), len(text)]
        self._between = [text[end:begin] for end, begin in zip(ends, begins, strict=True)]

    def __call__(self, kept: set[int]) -> str:
        parts = [self._between[0]]
        for at, (word, after) in enumerate(zip(self._words, self._between[1:], strict=True)):
            parts += [word if at in kept else self._mask, after]
        version = "".join(parts)
        # The whole text is the model's own input, blanks and all.
        return version if len(kept) == len(self.units) else _BLANKS.sub(" ", version)


class _Batches:
    """What the model says of the versions that LIME draws: the probabilities of the chosen labels."""

    def __init__(self, predict, versions: _Versions, labels: list[int], batch_size: int, progress: bool):
        self._predict, self._versions, self.labels = predict, versions, labels
        self._batch_size = batch_size
        # None leaves the bar out where the output is not a terminal.
        self._hidden = None if progress else True

    def __call__(self, drawn: list[str]) -> np.ndarray:
        """From lists of the units kept, as text, to probabilities `(n, chosen labels)`."""
        distinct = list(dict.fromkeys(drawn))
        scores = []
        with tqdm(total=len(distinct), desc="LIME", unit="text", disable=self._hidden, leave=False) as bar:
            for begin in range(0, len(distinct), self._batch_size):
                batch = distinct[begin : begin + self._batch_size]
                texts = [self._versions({int(unit) for unit in kept.split()}) for kept in batch]
                scores.append(self._predict(texts)[:, self.labels])
                bar.update(len(batch))
        row = {kept: at for at, kept in enumerate(distinct)}
        return np.concatenate(scores)[[row[kept] for kept in drawn]].astype(float)


class _Surrogate(Ridge):
    """LIME's linear function, which keeps the fidelity of every label where LIME keeps the last one's."""

    def score(self, X, y, sample_weight=None):
        fidelity = super().score(X, y, sample_weight)
        # A probability that no word changes leaves nothing to follow.
        self.fidelities.append(float(fidelity) if np.ptp(y) > _NOISE else None)
        return fidelity


def _explain(versions: _Versions, ask: _Batches, samples: int, words: int, seed: int):
    """For each label that `ask` gives its words and its fidelity."""
    from lime.lime_text import LimeTextExplainer

    surrogate = _Surrogate(alpha=_RIDGE)
    surrogate.fidelities = []
    # LIME would cut words at combining marks and knows no runs: it is given the units' numbers for a text.
    explainer = LimeTextExplainer(
        split_expression=" ",
        bow=False,
        mask_string="",
        feature_selection="highest_weights",
        random_state=seed,
    )
    numbers = " ".join(map(str, range(len(versions.units))))
    labels = range(len(ask.labels))
    fitted = explainer.explain_instance(
        numbers, ask, labels, num_features=words, num_samples=samples, model_regressor=surrogate
    )
    weighed = [_words(fitted.local_exp[label], versions.units) for label in labels]
    return list(zip(weighed, surrogate.fidelities, strict=True))


def _words(weights: list[tuple[int, float]], units: list[tuple[int, int]]) -> tuple[Word, ...]:
    return tuple((*units[unit], float(weight)) for unit, weight in sorted(weights) if abs(weight) > _NOISE)
