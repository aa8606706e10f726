"""The words by which notes negate; `cues.yaml` holds them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from icd_relevancy.files.packaged import packaged_yaml


@dataclass(frozen=True)
class Cues:
    """Phrases that negate, and phrases that look like it; `cues.yaml` says what each kind does."""

    pseudo_negations: tuple[str, ...]
    preceding_negations: tuple[str, ...]
    following_negations: tuple[str, ...]
    termination: tuple[str, ...]
    leading: tuple[str, ...]

    def termset(self) -> dict[str, list[str]]:
        """The phrases as `negspacy` takes them."""
        return {
            "pseudo_negations": list(self.pseudo_negations),
            "preceding_negations": list(self.preceding_negations),
            "following_negations": list(dict.fromkeys((*self.following_negations, *self.leading))),
            "termination": list(self.termination),
        }


def cues(uncertain: bool = False) -> Cues:
    """The cues; as in NegEx' list for sensitive use what is asked for, possible or past may count as negated."""
    pseudo, preceding, following = (f"{kind} negations" for kind in ("pseudo", "preceding", "following"))
    if uncertain:
        return Cues(
            _phrases(pseudo),
            _phrases(preceding, "uncertain before", "open before"),
            _phrases(following, "uncertain after", "to be done", "open after"),
            _phrases("termination"),
            _phrases("leading"),
        )
    pseudo = _phrases(pseudo, "to be done", "open before", "open after")
    return Cues(pseudo, *map(_phrases, (preceding, following, "termination", "leading")))


@cache
def _content() -> dict:
    return packaged_yaml(__package__, "cues.yaml")


@cache
def word_set(name: str) -> frozenset[str]:
    """One of the sets of words of `cues.yaml`."""
    return frozenset(_content()["words"][name].split())


def _phrases(*kinds: str) -> tuple[str, ...]:
    """The phrases of these kinds, each once."""
    rows = (row for kind in kinds for row in _content()["phrases"][kind])
    return tuple(dict.fromkeys(phrase for row in rows for phrase in _any_of(row)))


def _any_of(parts: Sequence[str]) -> list[str]:
    """Every choice of one phrase from each part."""
    choices = ([choice.strip() for choice in _spelt(part).split("|")] for part in parts)
    return [" ".join(filter(None, chosen)) for chosen in product(*choices)]


def _spelt(part: str) -> str:
    """A part with the choices that it names."""
    return re.sub(r"<([a-z ]+)>", lambda name: _spelt(_content()["choices"][name[1]]), part)
