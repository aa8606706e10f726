"""The cues of negation: those of NegEx as negspacy has them, with what radiology reports and notes need."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

_BE = "is are was were".split()
_HAVE = ("has", "have", "had")
_SEEN = (
    "seen identified visualized visualised present noted evident appreciated demonstrated detected found observed"
    " apparent shown palpable palpated reported elicited visible documented confirmed indicated suggested heard felt"
    " imaged"
).split()
_WHOLLY = ("", "completely", "fully", "entirely", "totally", "now", "since", "essentially")
_PARTLY = (
    "partially partly incompletely nearly almost mostly largely slowly gradually somewhat substantially significantly"
).split()
_HARDLY = ("", "completely", "fully", "entirely", "yet", "totally")
_EXTENT = (
    "", "significant", "interval", "appreciable", "substantial", "definite", "acute", "suspicious", "marked", "major",
    "obvious", "apparent", "known", "clear", "relevant", "new", "real", "other", "evidence of", "significant interval",
    "appreciable interval", "acute interval", "definite interval", "substantial interval", "evidence of interval",
    "evidence of significant", "evidence of a", "great", "specific", "identifiable", "discernible", "short-term",
)  # fmt: skip
# "No change in the effusion" says nothing against the effusion.
_CHANGES = (
    "change changes increase decrease improvement worsening progression regression difference cause causes source"
    " reason explanation etiology resolution response relief growth enlargement reduction"
).split()
_NOT_ABOUT = (
    "prior previous comparison old outside treatment therapy antibiotics antibiotic medication medications surgery"
    " intervention doubt question contraindication"
).split()
_NOT_CHANGED = (
    "changed increased decreased improved worsened progressed enlarged significantly appreciably substantially"
    " responding improving tolerating controlled treated drained evaluated assessed included performed obtained tested"
    " available repeated"
).split()


@dataclass(frozen=True)
class Cues:
    """Phrases that negate, and phrases that look like it, each in small letters.

    Attributes:
        pseudo_negations: What looks like a negation and is none ("no change in").
        preceding_negations: What negates the terms after it.
        following_negations: What negates the terms before it.
        termination: Where a negation ends.
        leading: Those that negate what follows where they open a clause ("resolved pneumonia") and what precedes
            elsewhere ("pneumonia resolved").
    """

    pseudo_negations: tuple[str, ...]
    preceding_negations: tuple[str, ...]
    following_negations: tuple[str, ...]
    termination: tuple[str, ...]
    leading: tuple[str, ...] = ("resolved", "ruled out", "excluded", "absent")

    def termset(self) -> dict[str, list[str]]:
        """The phrases as `negspacy` takes them."""
        return {
            "pseudo_negations": list(self.pseudo_negations),
            "preceding_negations": list(self.preceding_negations),
            "following_negations": list(dict.fromkeys((*self.following_negations, *self.leading))),
            "termination": list(self.termination),
        }


def cues(uncertain: bool = False) -> Cues:
    """The cues.

    Args:
        uncertain: Whether what is asked for, possible or past ("rule out", "evaluate for", "possible", "history
            of", "cannot be excluded") counts as negated, as in NegEx' list for sensitive use. Defaults to False.

    Example:

    >>> from icd_relevancy.text.negation_cues import cues
    >>> "rule out" in cues().preceding_negations, "rule out" in cues(uncertain=True).preceding_negations
    (False, True)
    """
    open_before, open_after = _cannot_exclude()
    preceding, following, pseudo = [*_preceding()], [*_following()], [*_pseudo()]
    if uncertain:
        preceding += [*_UNCERTAIN_BEFORE, *open_before]
        following += [*_UNCERTAIN_AFTER, *open_after]
    else:
        pseudo += [*open_before, *open_after, *_TO_BE_DONE]
    return Cues(*(tuple(dict.fromkeys(phrases)) for phrases in (pseudo, preceding, following, _termination())))


def _phrases(*parts: Iterable[str]) -> list[str]:
    """Every choice of one word from each part; an empty word is left out."""
    return [" ".join(filter(None, words)) for words in product(*parts)]


_UNCERTAIN_BEFORE = (
    "rule out", "r/o", "rule him out for", "rule her out for", "evaluate for", "evaluation for", "evaluation of",
    "assess for", "assessment for", "check for", "look for", "screen for", "screening for", "monitor for", "concern for",
    "concerns for", "concerning for", "worrisome for", "suspicious for", "suspicion of", "suspicion for", "question of",
    "questionable", "possible", "possibly", "probable", "probably", "suspected", "presumed", "may represent",
    "might represent", "could represent", "may be", "might be", "could be", "versus", "vs", "vs.", "history of", "h/o",
    "family history of",
)  # fmt: skip
_TO_BE_DONE = _phrases(["should be", "must be", "to be", "needs to be", "need to be"], ["ruled out", "excluded"])
_UNCERTAIN_AFTER = (
    "is possible", "are possible", "is suspected", "are suspected", "is likely", "are likely", "is considered",
    "should be considered", "is questioned", "versus", *_TO_BE_DONE,
)  # fmt: skip


def _cannot_exclude() -> tuple[list[str], list[str]]:
    """What leaves a term open, before it and after it."""
    unable = ["cannot", "can not", "can't", "could not", "couldn't", "does not", "do not", "did not", "not", "unable to",
              "difficult to", "without excluding", "not able to", "hard to"]  # fmt: skip
    before = _phrases(unable, ["", "entirely", "completely", "definitely"], ["exclude", "rule out", "eliminate"])
    states = ["cannot be", "can not be", "can't be", "could not be", "couldn't be", "is not", "are not", "was not",
              "were not", "not", "has not been", "have not been", "not been"]  # fmt: skip
    after = _phrases(states, ["", "entirely", "completely", "definitely"], ["excluded", "ruled out", "eliminated"])
    return [*before, "unable to assess for"], after


def _pseudo() -> list[str]:
    return [
        *_phrases(["no", "without", "not"], _EXTENT, _CHANGES),
        *_phrases(["no", "without", "without any"], _NOT_ABOUT),
        *_phrases(["not", "not been"], ["", "yet", "significantly", "appreciably", "substantially"], _NOT_CHANGED),
        *_phrases(["not", "n't"], ["well", "clearly", "optimally", "fully", "adequately", "completely"], _SEEN),
        # New since then.
        *_phrases(["not"], ["seen", "present", "noted", "identified", "visualized", "evident"], ["on", "in"],
                  ["", "the"], ["prior", "previous", "earlier", "last", "old", "comparison"]),
        *_phrases(["", *_HAVE], ["not", "n't", "never"], _HARDLY, ["resolved", "cleared", "disappeared"]),
        *_phrases(["", *_HAVE], _PARTLY, ["", "completely"], ["resolved", "cleared"]),
        *_phrases(
            ["partial", "incomplete", "near", "near complete", "nearly complete", "near-complete", "almost complete",
             "slow", "gradual", "until", "for", "without", "no", "pending"],
            ["", "interval"],
            ["resolution of", "clearing of"],
        ),
        *_phrases(["not", "never"], ["without", "absent", "free of", "negative for", "lacking"]),
        *_phrases(["with or without", "with and without", "with/without", "without", "without intravenous",
                   "without iv", "without oral"], ["contrast"]),
        "with or without", "with and without", "as well as", "such as", "so as", "as yet", "as far as", "the following", "no absence of", "no lack of", "without doubt",
        "no further", "no more than", "no less than", "no greater than", "no larger than", "no longer than",
        "not only", "not just", "not merely", "not simply", "not necessarily", "not certain", "not certain if",
        "not certain whether", "not clear", "not clear if", "not clear whether", "not sure", "not able to", "not known",
        "not extend", "not cause", "not drain", "not limited to", "not due to", "not related to", "not to mention",
        "not take", "not taking", "not compliant", "not seen before", "not seen previously", "not previously seen",
        "not previously", "might not", "may not", "no known cause", "without difficulty", "without any further",
        "without further", "without treatment", "gram negative", "rh negative", "false negative", "no. of",
        "free air", "free fluid", "free gas", "free intraperitoneal", "free pelvic", "free peritoneal", "free wall",
        "free edge", "free text", "free flap", "free t4", "free flowing", "free-flowing", "free water",
    ]  # fmt: skip


def _preceding() -> list[str]:
    evidence = ["evidence", "sign", "signs", "suggestion", "indication", "findings", "finding"]
    toward = ["suspicious for", "suggestive of", "concerning for", "consistent with", "to suggest", "suggesting",
              "worrisome for", "compatible with", "to indicate", "indicating"]  # fmt: skip
    verbs = ["show", "reveal", "demonstrate", "have", "exhibit", "develop", "appear to have", "appear to be", "suggest",
             "identify", "detect", "indicate", "complain of", "report", "display", "represent"]  # fmt: skip
    return [
        "no", "not", "n't", "n’t", "without", "w/o", "never", "neither", "nor", "cannot", "denies", "denied", "denying", "deny",
        "doubt", "doubtful", "negative for", "free of", "free from", "absence of", "lack of", "lacks",
        "lacking", "rather than", "instead of", "as opposed to", "no longer", "unremarkable for",
        "unlikely to be", "unlikely to represent", "argues against", "argue against", "nothing to suggest",
        *_phrases(["no", "without", "without any"], evidence, ["of", "for", *toward]),
        *_phrases(["not"], toward),
        *_phrases(["does", "do", "did"], ["not", "n't"], verbs),
        *_phrases(["fails to", "failed to", "failure to"], verbs),
        *_phrases(["", "complete", "interval", "complete interval", "interval complete", "full", "total", "near total"],
                  ["resolution of", "clearing of", "disappearance of"]),
        "rules out", "ruled out any", "ruled out for", "was ruled out for", "is ruled out for", "were ruled out for",
        "has been ruled out for", "excludes", "n't any", "never had", "never developed",
    ]  # fmt: skip


def _following() -> list[str]:
    be = [*_BE, "has been", "have been", "had been"]
    none = ["none", "negative", "absent", "denied", "nil"]
    return [
        *_phrases(["", *_BE], ["not", "no longer"], ["", "definitely", "currently", "clearly any"], _SEEN),
        *_phrases(_BE, ["n't"], _SEEN),
        *_phrases([*_HAVE], ["not", "n't"], ["been"], _SEEN),
        *_phrases(be, ["", "now", "effectively", "also"], ["absent", "ruled out", "excluded", "denied", "negative"]),
        *_phrases([*_HAVE, *_BE], _WHOLLY, ["resolved", "cleared", "disappeared"]),
        *_phrases(_WHOLLY, ["resolved"]),
        "now absent",
        "unlikely", "is unlikely", "are unlikely", "is doubtful", "free", "been ruled out", "been excluded",
        *_phrases([":"], none),
        *_phrases([":"], ["no"], [",", ".", ";"]),
    ]  # fmt: skip


def _termination() -> list[str]:
    person = ["patient", "child", "infant", "newborn", "adolescent", "adult", "boy", "girl", "man", "woman", "male", "female"]
    return [
        *_phrases(["in"], ["a", "an", "this", "the"], person), "in patient", "in patients",
        "although", "though", "but", "however", "nevertheless", "nonetheless", "otherwise", "except", "yet", "still",
        "apart from", "aside from", "with the exception of", "other than", "besides", "only", "instead",
        "which", "who", "whose", "where", "when", "while", "whereas", "because", "if", "unless", "despite", "as", "until",
        "since", "after", "following", "before", "prior to", "during", "status post", "s/p", "given",
        "due to", "secondary to", "because of", "related to", "attributable to", "attributed to", "associated with",
        "in the setting of", "in the context of", "in the presence of", "on a background of", "superimposed on",
        "involving", "as there are", "now with", "now has", "positive for", "complains of", "admits to",
        "to explain", "to account for", "there is", "there are", "there was", "there were",
        *_phrases(["cause", "causes", "etiology", "origin", "origins", "reason", "reasons", "source", "sources"],
                  ["for", "of"]),
        "raises", "raising", "favors", "represents", "indicates", "suggests",
    ]  # fmt: skip
