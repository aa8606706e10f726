"""The cues of negation: those of NegEx as negspacy has them, with what radiology reports and notes need."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Cues:
    """Phrases that negate, and phrases that look like it, each in small letters.

    Attributes:
        pseudo_negations: What looks like a negation and is none ("no change in").
        preceding_negations: What negates the terms after it.
        following_negations: What negates the terms before it.
        termination: Where a negation ends.
        leading: Those that may negate either side, which their place tells: "resolved pneumonia", "pneumonia
            resolved".
    """

    pseudo_negations: tuple[str, ...]
    preceding_negations: tuple[str, ...]
    following_negations: tuple[str, ...]
    termination: tuple[str, ...]
    leading: tuple[str, ...] = (
        "resolved",
        "ruled out",
        "excluded",
        "absent",
        "denied",
        "negative :",
        "neg :",
    )

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

    >>> from icd_relevancy.text.assertion.cues import cues
    >>> "rule out" in cues().preceding_negations, "rule out" in cues(uncertain=True).preceding_negations
    (False, True)
    """
    open_before, open_after = _left_open()
    preceding, following, pseudo = _preceding(), _following(), _pseudo()
    if uncertain:
        preceding += [*_UNCERTAIN_BEFORE, *open_before]
        following += [*_UNCERTAIN_AFTER, *_TO_BE_DONE, *open_after]
    else:
        pseudo += [*_TO_BE_DONE, *open_before, *open_after]
    return Cues(
        *(tuple(dict.fromkeys(phrases)) for phrases in (pseudo, preceding, following, _termination()))
    )


def _any_of(*parts: str | Iterable[str]) -> list[str]:
    """Every choice of one phrase from each part; the phrases of a text are separated by `|`, and may be empty."""
    choices = (part.split("|") if isinstance(part, str) else part for part in parts)
    return [" ".join(filter(None, chosen)) for chosen in product(*choices)]


_BE = "is|are|was|were"
_HAVE = "has|have|had"
_SEEN = (
    "seen|identified|visualized|visualised|present|noted|evident|appreciated|demonstrated|detected|found|observed"
    "|apparent|shown|palpable|palpated|reported|elicited|visible|documented|confirmed|indicated|suggested|heard|felt"
    "|imaged"
)
_WHOLLY = "|completely|fully|entirely|totally|now|since|essentially"
_PARTLY = "partially|partly|incompletely|nearly|almost|mostly|largely|slowly|gradually|somewhat|substantially"
_SURELY = "|entirely|completely|definitely|definitively|fully|totally|reliably|confidently"
_EXTENT = (
    "|significant|interval|appreciable|substantial|definite|acute|suspicious|marked|major|obvious|apparent|known|clear"
    "|relevant|new|real|other|great|specific|identifiable|discernible|short-term|significant interval"
    "|appreciable interval|acute interval|definite interval|substantial interval|evidence of|evidence of a"
    "|evidence of interval|evidence of significant"
)
# "No change in the effusion" says nothing against the effusion.
_CHANGE = (
    "change|changes|increase|decrease|improvement|worsening|progression|regression|difference|cause|causes|source"
    "|reason|explanation|etiology|resolution|response|relief|growth of|growth in|enlargement of|reduction in"
)
_NOT_A_FINDING = (
    "prior|previous|comparison|old|outside|treatment|therapy|antibiotics|antibiotic|medication|medications|surgery"
    "|intervention|doubt|question|contraindication"
)
_NOT_DONE = (
    "changed|increased|decreased|improved|worsened|progressed|enlarged|significantly|appreciably|substantially"
    "|responding|improving|resolving|subsiding|relieved|relieving|helped|helping|curing|tolerating|controlled|treated"
    "|drained|evaluated|assessed|included|performed|obtained|tested|available|repeated"
)
_EVIDENCE = "evidence|sign|signs|suggestion|indication|finding|findings"
_TOWARD = (
    "suspicious for|suggestive of|concerning for|consistent with|to suggest|suggesting|worrisome for|compatible with"
    "|to indicate|indicating"
)
_FIND = (
    "show|reveal|demonstrate|have|exhibit|develop|appear to have|appear to be|suggest|identify|detect|indicate"
    "|complain of|report|display|represent|endorse"
)
_STUDY = (
    "study|exam|examination|evaluation|workup|work-up|screen|test|scan|ultrasound|ct|computed tomography|mri"
    "|magnetic resonance imaging|x-ray|radiograph|film|films|biopsy|culture|cultures|serology|swab"
)
_PERSON = "patient|child|infant|newborn|adolescent|adult|boy|girl|man|woman|male|female"

_TO_BE_DONE = _any_of("should be|must be|to be|needs to be|need to be", "ruled out|excluded")
_UNCERTAIN_BEFORE = [
    *_any_of(
        "rule out|r/o|rule him out for|rule her out for|evaluate for|evaluation for|evaluation of|assess for"
    ),
    *_any_of(
        "assessment for|check for|look for|screen for|screening for|monitor for|concern for|concerns for"
    ),
    *_any_of(
        "concerning for|worrisome for|suspicious for|suspicion of|suspicion for|question of|questionable"
    ),
    *_any_of("possible|possibly|probable|probably|suspected|presumed|versus|vs|vs.|history of|h/o"),
    *_any_of("may|might|could", "be|represent"),
]
_UNCERTAIN_AFTER = [
    *_any_of("is|are", "possible|suspected|likely|considered|questioned"),
    "should be considered",
    "versus",
]


def _left_open() -> tuple[list[str], list[str]]:
    """What leaves a term open: "cannot exclude" before it, "is not excluded" after it."""
    unable = (
        "cannot|can not|can't|could not|couldn't|does not|do not|did not|not|unable to|difficult to|without"
        "|not able to|hard to"
    )
    before = _any_of(unable, _SURELY, "exclude|rule out|eliminate|excluding|ruling out")
    states = (
        "cannot be|can not be|can't be|could not be|couldn't be|is not|are not|was not|were not|not|not been"
        "|has not been|have not been"
    )
    after = _any_of(states, _SURELY, "excluded|ruled out|eliminated")
    return before, after


def _pseudo() -> list[str]:
    return [
        *_any_of("no|without|not", _EXTENT, _CHANGE),
        *_any_of("no|without|without any", _NOT_A_FINDING),
        *_any_of("not|n't|never", "received|receive|had|have|undergone|required|need|needed", _NOT_A_FINDING),
        *_any_of("not|not been", "|yet|significantly|appreciably|substantially", _NOT_DONE),
        *_any_of("not|n't", "well|clearly|optimally|fully|adequately|completely", _SEEN),
        # What was not seen then is new.
        *_any_of("not", _SEEN, "on|in", "|the", "prior|previous|earlier|last|old|comparison"),
        *_any_of("not", "seen|noted|present", "before|previously"),
        *_any_of(f"|{_HAVE}", "not|n't|never", f"{_SURELY}|yet", "resolved|cleared|disappeared"),
        *_any_of(f"|{_HAVE}", _PARTLY, "|completely", "resolved|cleared"),
        *_any_of(
            "partial|incomplete|near|near complete|nearly complete|near-complete|almost complete|slow|gradual"
            "|until|for|without|no|pending",
            "|interval",
            "resolution of|clearing of",
        ),
        *_any_of("not|never", "without|absent|free of|negative for|lacking"),
        *_any_of("no", "absence of|lack of|more than|less than|greater than|larger than|longer than|further"),
        *_any_of("without", "|intravenous|iv|oral", "contrast"),
        *_any_of("without", "difficulty|doubt|further|any further"),
        *_any_of("no evidence that", "the|this|his|her|its|their"),
        *_any_of(
            "with or without|with and without|with/without|as well as|the following|such as|as yet|as far as"
        ),
        *_any_of("so as|so far|so much|so that|no. of|might not|may not|unable to assess for"),
        *_any_of(
            "not", "only|just|merely|simply|necessarily|able to|known|previously|previously seen|limited to"
        ),
        *_any_of("not", "certain|clear|sure", "|if|whether"),
        *_any_of("not", "extend|cause|drain|due to|related to|to mention|take|taking|compliant"),
        *_any_of("gram|rh|false", "negative"),
        *_any_of("grade|stage|level|time|day|score|type|class|degree|near|from|to", "zero"),
        *_any_of("zero", "to|percent|degree|degrees|point|order|calorie"),
        "nil by mouth",
        *_any_of(
            "free", "air|fluid|gas|water|intraperitoneal|pelvic|peritoneal|wall|edge|text|flap|t4|flowing"
        ),
    ]


def _preceding() -> list[str]:
    return [
        *_any_of("no|not|n't|n’t|without|w/o|never|neither|nor|cannot|denies|denying|deny|doubt|doubtful"),
        *_any_of("negative for|neg for|neg. for"),
        *_any_of("unremarkable for|free of|free from|absence of|lack of|lacks|lacking|no longer"),
        *_any_of("rather than|instead of|as opposed to|argues against|argue against|nothing to suggest"),
        *_any_of("unlikely", "to be|to represent"),
        *_any_of("zero|nil|sans|devoid of|none of the following|ruled-out"),
        *_any_of("pertinent negatives|negatives", "|include|are|including", "|:"),
        *_any_of("no|not|n't|without|denies|denied|denying|never", "complains of|complaint of|complaints of"),
        *_any_of("nothing", _TOWARD),
        *_any_of("0", _EVIDENCE, "of|for"),
        *_any_of("no|without|without any", "|further|additional|new|other", _EVIDENCE, f"of|for|{_TOWARD}"),
        *_any_of("not", _TOWARD),
        *_any_of("does|do|did", "not|n't", _FIND),
        *_any_of("fail to|fails to|failed to|failure to", _FIND),
        *_any_of("negative|neg", _STUDY, "for"),
        *_any_of(": negative for|: neg for|- negative for|- neg for"),
        *_any_of("never", "had|developed"),
        *_any_of(
            "|complete|interval|complete interval|interval complete|full|total|near total",
            "resolution of|clearing of|disappearance of",
        ),
        *_any_of(f"|{_BE}|has been|have been", "ruled out for"),
        *_any_of("rules out|excludes|ruled out any"),
    ]  # fmt: skip


def _following() -> list[str]:
    been = f"{_BE}|has been|have been|had been"
    return [
        *_any_of(f"|{_BE}", "not|no longer", "|definitely|currently", _SEEN),
        *_any_of(_BE, "n't", _SEEN),
        *_any_of(_HAVE, "not|n't", "been", _SEEN),
        *_any_of(been, "|now|effectively|also", "absent|ruled out|excluded|denied|negative"),
        *_any_of(f"{_HAVE}|{_BE}", _WHOLLY, "resolved|cleared|disappeared"),
        *_any_of(_WHOLLY, "resolved"),
        *_any_of(_BE, "|now", "gone"),
        *_any_of("ultimately|subsequently|later|then|since", "ruled out|excluded"),
        *_any_of("|is|are", "unlikely"),
        *_any_of("been", "ruled out|excluded"),
        *_any_of("is doubtful|now absent"),
        *_any_of(":", "none|negative|absent|denied|nil"),
    ]


def _termination() -> list[str]:
    return [
        *_any_of("in", "a|an|this|the", _PERSON),
        *_any_of("in patient|in patients"),
        *_any_of(
            "although|though|but|however|nevertheless|nonetheless|otherwise|except|yet|still|instead|so"
        ),
        *_any_of("therefore|thus|only|besides|apart from|aside from|other than|with the exception of"),
        *_any_of("which|who|whose|where|when|while|whereas|because|if|unless|despite|as|until|since|after"),
        *_any_of("following|before|prior to|during|status post|s/p|given|involving"),
        *_any_of(
            "due to|secondary to|because of|from|related to|attributable to|attributed to|associated with"
        ),
        *_any_of("in the setting of|in the context of|in the presence of|on a background of|superimposed on"),
        *_any_of(
            "now with|now has|positive for|complains of|admits to|to explain|to account for|as there are"
        ),
        *_any_of("there", _BE),
        *_any_of("cause|causes|etiology|origin|origins|reason|reasons|source|sources", "for|of"),
        *_any_of("raises|raising|favors|represents|indicates|suggests"),
    ]
