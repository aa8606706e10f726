"""The terms whose negation is marked: from the titles of a code system and from training notes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from icd_relevancy.codes import CodeSystem
from icd_relevancy.codes.negation import affirmed
from icd_relevancy.text.cleaning import NEGATION_WORDS, STOP_WORDS

# No note repeats the longer titles word by word.
MOST_WORDS = 5
_SHORTEST = 3

# Words that name no finding: places, sides, persons, studies and what is said of a finding.
PLACES = frozenset(
    "right left bilateral upper lower middle mid lateral medial anterior posterior proximal distal central peripheral"
    " superior inferior apical basal base bases lobe lobes segment side sides region area areas site sites level"
    " lung lungs chest heart kidney kidneys bladder ureter ureters liver spleen pancreas abdomen pelvis hip hips knee"
    " head neck brain skull spine back arm arms leg legs hand foot bone bones joint soft tissue tissues wall body"
    " artery arteries vein veins valve system tract airway airways hilar hilum perihilar mediastinum mediastinal"
    " retrocardiac costophrenic pulmonary cardiac renal abdominal pelvic thoracic lumbar cervical pole cavity space"
    " zone field fields ribs rib shoulder wrist elbow ankle skin eye ear nose throat mouth trachea esophagus stomach"
    " bowel colon rectum gallbladder appendix uterus ovary breast prostate thyroid vertebral interstitial diaphragm"
    " bronchus bronchi collecting".split()
)
OTHER_WORDS = frozenset(
    "patient patients child infant newborn adolescent adult elderly boy girl man woman male female mother family"
    " year years month months week weeks day days hour hours date time today yesterday old age prior previous current"
    " recent interval study studies exam examination examinations view views film films radiograph radiographs x-ray"
    " ultrasound ct scan image images imaging comparison report history clinical impression indication technique"
    " findings finding evidence sign signs suggestion appearance evaluation evaluate follow-up followup workup status"
    " post encounter initial subsequent sequela unspecified other specified elsewhere classified type stage state"
    " condition conditions episode observation screening procedure placement position tip line tube catheter stent"
    " normal unremarkable stable unchanged change changes increase increased decrease decreased improvement improved"
    " worsening interval possible probable likely consistent compatible suggestive suspicious related associated"
    " secondary due seen noted identified present demonstrated visualized evident appreciated shown found given known"
    " resolved remains appears demonstrates shows size value high low tiny medium degree amount number grade single"
    " multiple two three four five one several well otherwise however again clear clearly within limits range rule"
    " concern question questionable may might could can has have had been may using per via out off up down suggest"
    " suggests suggesting represent represents reflect appear appearing apparent above below almost although"
    " approximately bilaterally borderline breath compared correlation described deviations derivative"
    " duration either essentially etiology features feature first last follow following greater less more"
    " most including injection intermittent junction mildly night nonspecific nuclear past performed possibly"
    " previously probably prominence prominent radiographic recommended sided silhouette since"
    " slightly sonographic sonography standard subtle versus void voiding postvoid volume volumes yearly treatment"
    " therapy visible cause causes gross overt major minor further additional current currently underlying marked"
    " likelihood need use result results response risk both all".split()
)
# These may begin a term ("acute disease"), but are none.
_DEGREES = frozenset(
    "mild moderate severe small large minimal slight significant definite acute chronic focal new recurrent persistent"
    " respiratory partial complete early late residual".split()
)
_CUES = NEGATION_WORDS | frozenset("resolved resolution cleared excluded ruled exclude".split())
_GENERIC = PLACES | OTHER_WORDS | _DEGREES

_NO_FINDINGS = _GENERIC | STOP_WORDS | _CUES

_WORDS = re.compile(r"[^\W\d_][\w'-]*")
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_QUALIFIED = re.compile(
    r"^(?:other and unspecified|other specified|unspecified|other|certain|personal|encounter for)\s+"
)
_QUALIFIER = re.compile(r"\s+(?:unspecified|nos|nec|not elsewhere classified|not otherwise specified)$")
_FURTHER = re.compile("[,;:]")
_PREPOSITION = re.compile(
    r"\s+(?:of|in|on|at|to|due|with|without|from|by|during|following|associated|affecting|involving|for|as|because)\s.*$"
)
_JOINED = re.compile(r"\s+(?:and/or|and|or)\s+")
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_BREAK = re.compile(r"[^\w\s'-]+|\n\s*\n")


def title_terms(code_system: CodeSystem) -> tuple[str, ...]:
    """The terms in the titles and inclusion terms of a code system.

    What a title rules out is left out. Of "Malignant neoplasm of kidney, except renal pelvis" the terms are
    "malignant neoplasm of kidney", "malignant neoplasm" and "neoplasm"; more than five words make none.

    Args:
        code_system: The code system.

    Returns:
        Terms in small letters, sorted.

    Example:

    >>> from icd_relevancy.codes import CodeSystem
    >>> from icd_relevancy.text.assertion.terms import title_terms
    >>> system = CodeSystem("toy", ("J90",), {"J90": "Pleural effusion, not elsewhere classified"}, {"J90": None})
    >>> title_terms(system)
    ('effusion', 'pleural effusion')
    """
    titles = chain.from_iterable(
        (code_system.title(code), *code_system.inclusion_terms(code)) for code in code_system.codes
    )
    # Thousands of titles differ only after their first comma.
    named = {_FURTHER.split(_PARENTHESES.sub(" ", title.lower()), maxsplit=1)[0] for title in titles}
    return tuple(sorted(set(chain.from_iterable(map(_of_title, named)))))


def frequent_terms(texts: Iterable[str], min_notes: int = 5) -> tuple[str, ...]:
    """The words, and runs of up to three words, that at least `min_notes` notes have and that may name a finding.

    A run holds no stop word, no cue of negation and no number, and neither begins with a word for a person or a
    study nor ends in one, or in a word for a place or a degree.

    Args:
        texts: Training notes.
        min_notes: The least number of notes. Defaults to 5.

    Returns:
        Terms in small letters, sorted.

    Example:

    >>> from icd_relevancy.text.assertion.terms import frequent_terms
    >>> frequent_terms(["No focal infiltrate.", "Focal infiltrate on the left."], min_notes=2)
    ('focal infiltrate', 'infiltrate')
    """
    counts = Counter(term for text in texts for term in set(_runs(text.lower())))
    return tuple(sorted(term for term, count in counts.items() if count >= min_notes))


def singular(word: str) -> str:
    """A word in small letters without its plural ending, roughly: words are only compared with each other.

    Example:

    >>> from icd_relevancy.text.assertion.terms import singular
    >>> [singular(word) for word in ("effusions", "opacities", "masses", "stenoses", "pelvis")]
    ['effusion', 'opacity', 'mass', 'stenosis', 'pelvis']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("oses", "stases")):
        return word[:-2] + "is"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def finding_words(title: str) -> set[str]:
    """The words of a title, singular and in small letters, that may name a finding by themselves.

    Example:

    >>> from icd_relevancy.text.assertion.terms import finding_words
    >>> sorted(finding_words("Other diseases of lung, not elsewhere classified"))
    ['disease']
    """
    words = (word.strip("'-") for word in _WORDS.findall(title.lower()))
    return {singular(word) for word in words if len(word) > _SHORTEST and word not in _NO_FINDINGS}


def _of_title(title: str) -> Iterator[str]:
    whole = _QUALIFIER.sub("", _QUALIFIED.sub("", affirmed(title)))
    if not _CUES.isdisjoint(whole.split()):
        return
    finding = _PREPOSITION.sub("", whole)
    parts = _JOINED.split(finding)
    heads = [part.rpartition(" ")[2] for part in parts]
    yield from filter(_is_term, (whole, finding, *parts, *heads))


def _is_term(phrase: str) -> bool:
    words = phrase.split()
    return (
        len(phrase) >= _SHORTEST
        and len(words) <= MOST_WORDS
        and STOP_WORDS.isdisjoint((words[0], words[-1]))
        and not set(words) <= _GENERIC | STOP_WORDS
    )


def _runs(text: str) -> Iterator[str]:
    for part in _BREAK.split(text):
        words = [word if _WORD.fullmatch(word) else "" for word in part.split()]
        for start in range(len(words)):
            if words[start] in OTHER_WORDS:
                continue
            for stop in range(start + 1, min(start + 3, len(words)) + 1):
                run = words[start:stop]
                if not run[-1] or run[-1] in STOP_WORDS | _CUES:
                    break
                if run[-1] not in _GENERIC and len(run[-1]) > _SHORTEST:
                    yield " ".join(run)
