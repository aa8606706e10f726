"""Answers and marks as forms and charts have them: "Fever: no", "Cough - none", "Rash (-)", "Ø edema", "0 edema"."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from icd_relevancy.text.assertion.cues import word_set

_SEPARATORS = frozenset((":", "?", "-", "–", "—", "--", "=", "|", "...", "…", "->", "\t"))
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")
_NO, _YES, _NOT_SO, _NO_LABELS = map(
    word_set, ("negative answers", "positive answers", "not so", "no labels")
)
_ENDS = frozenset(("\n", ",", ".", ";", ")", "]", "|", "(", "[", "but", "!", "\t"))
_STARTS = frozenset(("\n", ",", ";", ":", ".", "and", "•", "*", "/", "\t"))
_LABEL_ENDS = frozenset(("\n", ";", ":", "?", ".", "|", "!", "\t"))
_BARE_MARKS = frozenset(("ø", "∅", "-ve"))
_BLANKS = frozenset(("",))
# What brackets make a mark, and whether it negates.
_MARKS = dict.fromkeys("+ +ve yes pos positive present".split(), False)
_MARKS |= dict.fromkeys(("-", "–", *"no none neg negative absent denied".split(), *_BARE_MARKS), True)
_NO_MARKS = frozenset(("gram", "rh", "g", "er", "pr", "her2"))  # "gram (-) sepsis" is one
_BARE_ANSWERS = frozenset(("no", "none", "n", "yes", "y"))
# Before and after the zero of "0 edema" that counts a finding.
_BEFORE_ZERO = frozenset(("\n", ";", ".", "and", "or", "has", "had", "with", "there", "is", "are", "•", "*"))
_AFTER_ZERO = frozenset("of out to on in at x and or by".split())
_LONGEST_LABEL = 6
_REACH = 60


@dataclass(frozen=True)
class Answer:
    """An answer or a mark in a text: its tokens from `start` to before `stop`.

    It `leads` where it is about what follows, as in "(-) fever", else is about what stands before; `label` is the first
    token of that.
    """

    start: int
    stop: int
    negative: bool
    leads: bool
    label: int


def answers(words: Sequence[str]) -> list[Answer]:
    """The answers and the marks of a text in its order, those of the same tokens only once.

    "No" is an answer where nothing follows that it could negate: the end of a line or of a clause, or the next question
    of the form with its answer. So "Lungs: no effusion" has none. The words are the tokens in small letters; white
    space as line break, tab or "".
    """
    formal = list(_answers(words))
    every = [*formal, *_bare_answers(words, formal), *_marks(words)]
    every.sort(key=lambda answer: (answer.start, -answer.stop))
    kept: list[Answer] = []
    for answer in every:
        if not kept or answer.start >= kept[-1].stop:
            kept.append(answer)
    return kept


def _answers(words: Sequence[str]) -> Iterator[Answer]:
    """From the last to the first, since one may end where the next question begins."""
    following = None
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _SEPARATORS and (answer := _after_separator(words, place)):
            stop, negative = answer
            if _ends(words, stop) or _asks_again(words, stop, following):
                following = place
                yield Answer(place, stop, negative, False, _label(words, place))


def _bare_answers(words: Sequence[str], formal: Sequence[Answer]) -> Iterator[Answer]:
    """Answers without a separator, beside further ones in the line or the next to it: "fever no, cough yes"."""
    line_of = list(accumulate(word == "\n" for word in words))
    places = [
        place
        for place in range(1, len(words))
        if words[place] in _BARE_ANSWERS
        and words[place - 1].isalpha()
        and words[place - 1] not in _NO_LABELS
        and _ends(words, place + 1)
    ]
    in_line = Counter(line_of[place] for place in (*places, *(answer.start for answer in formal)))
    for place in places:
        line = line_of[place]
        if in_line[line - 1] + in_line[line] + in_line[line + 1] > 1:
            yield Answer(place, place + 1, words[place] in _NO, False, _label(words, place))


def _after_separator(words: Sequence[str], place: int) -> tuple[int, bool] | None:
    """Where the answer after a separator ends, and whether it negates."""
    separator = words[place]
    place = _past(words, place + 1, _BLANKS | ({"\n"} if separator in (":", "?") else set()))
    # "Fever?: no", but the dash of "Fever: -" is the answer.
    second = place < len(words) and words[place] in _SEPARATORS - {separator} and separator != "-"
    if second and not (words[place] in _NO and _ends(words, place + 1)):
        place = _past(words, place + 1, _BLANKS)
    opened = place < len(words) and words[place] in _OPENING
    place += opened
    if place >= len(words):
        return None
    word = words[place]
    if word == "not" and place + 1 < len(words) and words[place + 1] in _NOT_SO:
        place += 1
    elif word not in _NO | _YES or (word in ("-", "–", "0") and separator not in (":", "=", "|")):
        return None
    stop = place + 1
    if (
        word == "no"
        and words[stop : stop + 1] == ["."]
        and words[stop + 1 : stop + 2]
        and words[stop + 1][0].isdigit()
    ):
        return None  # the number of a thing: "catheter: No. 5"
    if word.startswith("no") and words[stop : stop + 1] and words[stop] in _NOT_SO and _ends(words, stop + 1):
        stop += 1  # "none known"
    if opened and words[stop : stop + 1] and words[stop] in _CLOSING:
        stop += 1
    return stop, word not in _YES


def _past(words: Sequence[str], place: int, passed: frozenset[str]) -> int:
    while place < len(words) and words[place] in passed:
        place += 1
    return place


def _ends(words: Sequence[str], place: int) -> bool:
    place = _past(words, place, _BLANKS)
    return place >= len(words) or words[place] in _ENDS


def _asks_again(words: Sequence[str], stop: int, following: int | None) -> bool:
    """Whether nothing but a further question stands between this answer and the following one."""
    if following is None or not stop < following <= stop + _LONGEST_LABEL:
        return False
    return all(word.replace("/", "a").isalpha() for word in words[stop:following] if word)


def _label(words: Sequence[str], place: int) -> int:
    farthest = max(place - _REACH, 0)
    while place > farthest and words[place - 1] not in _LABEL_ENDS:
        place -= 1
    return place


def _marks(words: Sequence[str]) -> Iterator[Answer]:
    """Marks before what they are about at the start of a line or an item, after it at their end."""
    line_of = list(accumulate(word in ("\n", ".") for word in words))
    marks = list(_places_of_marks(words))
    last_of_line = {line_of[start]: stop for start, stop, _ in marks}
    for start, stop, negative in marks:
        first = start == 0 or words[start - 1] in _STARTS
        last = _ends(words, stop)
        if last == first:
            # Between words it stands as the last mark of its line does.
            last = _ends(words, last_of_line[line_of[start]])
        yield Answer(start, stop, negative, not last, _label(words, start) if last else start)


def _places_of_marks(words: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    for place, word in enumerate(words):
        if place and words[place - 1] in _NO_MARKS:
            continue
        inside, after = words[place + 1 : place + 2], words[place + 2 : place + 3]
        if word in _OPENING and inside and inside[0] in _MARKS and after and after[0] in _CLOSING:
            yield place, place + 3, _MARKS[inside[0]]
        elif _counts_finding(words, place) or (
            word in _BARE_MARKS and not (place and words[place - 1] in _OPENING)
        ):
            yield place, place + 1, True
        elif word == "+" and inside == ["ve"]:
            yield place, place + 2, False
        elif (
            word == "+" and inside and inside[0].isalpha() and not (place and words[place - 1][-1:].isdigit())
        ):
            yield place, place + 1, False


def _counts_finding(words: Sequence[str], place: int) -> bool:
    """Whether a word is the zero of "0 edema", not that of a grade, a range or a scale."""
    after = words[place + 1 : place + 2]
    if words[place] != "0" or not after or not after[0].isalpha() or after[0] in _AFTER_ZERO:
        return False
    if place > 1 and words[place - 1] == ",":
        return words[place - 2].isalpha()
    if place and words[place - 1] in ("-", ":"):
        # A bullet, or "extremities: 0 edema", but not "pain: 0 fever: 1".
        bullet = words[place - 1] == "-" and (place == 1 or words[place - 2] == "\n")
        return bullet or (words[place - 1] == ":" and not _SEPARATORS & set(words[place + 1 : place + 6]))
    return not place or words[place - 1] in _BEFORE_ZERO
