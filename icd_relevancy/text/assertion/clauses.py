"""The clauses of a sentence: a negation reaches to the end of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from icd_relevancy.text.assertion.cues import word_set

PRECEDING, FOLLOWING, OTHER = "preceding", "following", "other"

_COORDINATORS = frozenset((",", "and", "or", "nor", "&"))
_ENDS = frozenset((";", "—", "–", "--"))
_ARTICLES = frozenset(("a", "an", "the"))
_VERBS, _PREDICATES, _VALUES, _STATES, _INTERPRETED, _ADVERBS, _TIMES, _SEEN = map(
    word_set, ("verbs", "predicates", "values", "states", "interpreted", "adverbs", "times", "seen")
)
_STATED = _STATES | _PREDICATES | _TIMES


@dataclass(frozen=True)
class Cue:
    """A cue of negation in a sentence: its kind, and its tokens from `start` to before `stop`."""

    kind: str
    start: int
    stop: int


@dataclass(frozen=True)
class _Segment:
    """The words between two coordinators, each with its place, and the coordinator before them at `begin`."""

    joined_by: str
    begin: int
    places: tuple[int, ...]
    words: tuple[str, ...]
    cues: tuple[Cue, ...]

    @cached_property
    def verbs(self) -> list[str]:
        """The finite verbs, but those that belong to a cue such as "does not have"."""
        inside = {place for cue in self.cues if cue.kind != FOLLOWING for place in range(cue.start, cue.stop)}
        words = zip(self.places, self.words, strict=True)
        return [word for place, word in words if word in _VERBS and place not in inside]

    @cached_property
    def opening(self) -> int:
        """The number of the first word that is no adverb."""
        return next((number for number, word in enumerate(self.words) if word not in _ADVERBS), 0)

    def opens_with(self, kind: str) -> bool:
        opens = (self.places[0], self.places[self.opening])
        return any(cue.kind == kind and cue.start in opens for cue in self.cues)

    def has(self, kind: str) -> bool:
        return any(cue.kind == kind for cue in self.cues)


@dataclass
class _Clause:
    """What is known of the clause so far: whether it is negated, has a verb, or tells how something is."""

    negated: bool = False
    verbal: bool = False
    stated: bool = False

    def add(self, segment: _Segment) -> None:
        self.negated |= segment.has(PRECEDING)
        self.verbal |= bool(segment.verbs)
        self.stated |= segment.has(FOLLOWING) or not _STATED.isdisjoint(segment.words)


def clause_starts(words: Sequence[str], cues: Sequence[Cue]) -> Iterator[int]:
    """The first token of each clause of a sentence but its first.

    Without a parser, what tells a new clause from a further item of a list ("no pneumonia, effusion or
    pneumothorax") is a verb of its own, a word that says how something is ("stable nodule"), or a negation of its
    own; a list that goes on to "or" or "nor" is one. The words are the sentence's tokens in small letters, a dash
    between white space as `"--"`; the cues of negation stand in order, without overlaps.
    """
    within = {place for cue in cues for place in range(cue.start, cue.stop)}
    yield from _after_adjuncts(words, cues, within)
    segments = _segments(words, cues, within)
    goes_on_to_or = _going_on_to_or(segments)
    clause = _Clause()
    for number, segment in enumerate(segments):
        if number and _opens_clause(clause, segment, goes_on_to_or[number]):
            yield segment.begin
            clause = _Clause()
        clause.add(segment)


def _segments(words: Sequence[str], cues: Sequence[Cue], within: set[int]) -> list[_Segment]:
    """The sentence cut before each coordinator, several in a row being one."""
    cuts, joined_by = [0], [""]
    place = 0
    while place < len(words):
        first = place
        while place < len(words) and words[place] in _COORDINATORS | _ENDS and place not in within:
            place += 1
        if place > first > 0:
            cuts.append(first)
            joined_by.append(_joined_by(words[first:place]))
        place += place == first
    cue_at = {cue.start: cue for cue in cues}
    segments = []
    for begin, end, joined in zip(cuts, [*cuts[1:], len(words)], joined_by, strict=True):
        places = [p for p in range(begin, end) if words[p][:1].isalnum() or p in within]
        while places and words[places[0]] in _COORDINATORS and places[0] not in within:
            places.pop(0)
        inside = tuple(cue_at[place] for place in range(begin, end) if place in cue_at)
        segments.append(_Segment(joined, begin, tuple(places), tuple(words[p] for p in places), inside))
    return segments


def _joined_by(coordinators: Sequence[str]) -> str:
    for kinds, name in ((_ENDS, ";"), (("or", "nor"), "or"), (("and", "&"), "and")):
        if any(word in kinds for word in coordinators):
            return name
    return ","


def _going_on_to_or(segments: list[_Segment]) -> list[bool]:
    """For each segment, whether what follows goes on to "or" before it comes to a verb or a cue."""
    goes_on = [False] * len(segments)
    for number in range(len(segments) - 2, -1, -1):
        after = segments[number + 1]
        goes_on[number] = after.joined_by == "or" or (
            not after.verbs and not after.cues and goes_on[number + 1]
        )
    return goes_on


def _opens_clause(clause: _Clause, segment: _Segment, goes_on_to_or: bool) -> bool:
    if segment.joined_by == ";":
        return True
    if not segment.words or segment.joined_by == "or":
        return False
    if segment.opens_with(FOLLOWING):
        return False  # what it negates stands before it: "hematuria, resolved"
    if segment.opens_with(PRECEDING) or segment.words[segment.opening] in _VERBS:
        return True
    if segment.verbs:
        return _opens_with_its_verb(clause, segment)
    if not clause.negated:
        # "Nodule stable and adenopathy absent": the one has its state, so the other's cue is not for it.
        return segment.has(FOLLOWING) and (clause.stated or segment.joined_by == ",")
    if goes_on_to_or:
        return False
    if segment.words[0] in _STATES | _ARTICLES:
        return True
    if segment.joined_by != ",":
        return False
    timed = any(word in _TIMES for word in segment.words)
    stated = not (_PREDICATES | _VALUES).isdisjoint(segment.words[1:])
    return timed or stated or segment.words[0] in _INTERPRETED or segment.words[0] == "with"


def _opens_with_its_verb(clause: _Clause, segment: _Segment) -> bool:
    if clause.verbal:
        return True
    if clause.negated:
        # "No mass, calculus and hydronephrosis are seen": what is seen is the list.
        plural = segment.verbs[-1] in ("are", "were") and segment.words[-1] in _SEEN
        return not (segment.joined_by == "and" and plural)
    singular = segment.verbs[-1] in ("is", "was", "has")
    return segment.joined_by == "," and singular


def _after_adjuncts(words: Sequence[str], cues: Sequence[Cue], within: set[int]) -> Iterator[int]:
    """Where a sentence goes on after what is negated, as in "no fracture with a small effusion"."""
    negating = [cue for cue in cues if cue.kind == PRECEDING]
    for cue, after in zip_longest(negating, negating[1:]):
        places = [p for p in range(cue.stop, after.start if after else len(words)) if p not in within]
        brought_in = _STATES | _ARTICLES
        located = len(words)
        for place in places[:-1]:
            if words[place] == "in" and words[place + 1] in ("a", "an", "this"):
                located = place
            if words[place] == "with" and (words[place + 1] in brought_in or place > located):
                yield place
        ends = frozenset()
        if words[cue.start] in ("without", "w/o") or (cue.start and words[cue.start - 1] == "with"):
            ends = _VERBS
        elif words[cue.start] in ("lack", "absence"):
            ends = _INTERPRETED
        yield from [place for place in places if words[place] in ends][:1]
