"""The words of a note that name a code, by the lexicon of the model that coded it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from icd_relevancy.explain.explanation import Explanation, Word, codes_to_explain


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
        text: The note.
        probabilities: The probability of each label, `(m,)`.
        labels: The m codes.
        titles: Their titles. Defaults to None: none.
        note_id: The note's identifier. Defaults to `""`.
        decision_threshold: From which probability on a code is assigned. Defaults to 0.5.
        top_k: The least number of codes to explain. Defaults to 5.

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
        replace(code, words=_apart(evidence(text, labels[label])))
        for label, code in codes_to_explain(probabilities, labels, titles, decision_threshold, top_k)
    ]
    return Explanation(note_id, text, "lexicon", tuple(codes))


def _apart(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words without those that begin before the one before them has ended."""
    kept, end = [], 0
    for start, stop, weight in sorted(words):
        if start >= end:
            kept.append((start, stop, float(weight)))
            end = stop
    return tuple(kept)
