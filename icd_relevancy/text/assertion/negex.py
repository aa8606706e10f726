"""NegEx with radiology's cues and scopes; the one module that needs spaCy and negspacy."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter, itemgetter

import spacy
from negspacy.negation import Negex
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span, Token
from spacy.util import compile_infix_regex, compile_prefix_regex, filter_spans

from icd_relevancy.text.assertion.answers import Answer, answers
from icd_relevancy.text.assertion.clauses import FOLLOWING, OTHER, PRECEDING, Cue, clause_starts
from icd_relevancy.text.assertion.cues import Cues
from icd_relevancy.text.words import singular

TERMS = "terms"
ANSWERS = "answers"
# Where notes leave out a blank: "no PND.Denies cough", "fever;denies", "Fever?No", "cough(-)", "Fever -no".
_SENTENCE_OPENS = (
    r"[A-Z][a-z]|(?:no|not|denies|denied|has|had|reports|positive|negative|there|patient|he|she)(?![a-z])"
)
_CUT_BEFORE = r"[-–](?=(?i:no|none|neg|negative|absent|denied|n)$)"
_CUTS = (
    rf"(?<=[A-Za-z][A-Za-z)])\.(?={_SENTENCE_OPENS})",
    r"(?<=\w)[;?|](?=\w)",
    r"(?<=\w)[(\[](?=[-+–])",
    r"(?<=[-+–])[)\]](?=\w)",
    r"(?<=\w)\)(?=[A-Z])",
    r"(?<=[A-Za-z])[-–]$",
)
_KINDS = {"Preceding": PRECEDING, "Following": FOLLOWING}
_GOES_ON = frozenset(
    "no not of for in on the a an and or nor with without to by , from at any is are was were has".split()
)
_ACTIVE = frozenset(("ruled out", "excluded", "denied"))
_AFTER_A_PARTICIPLE = frozenset(
    "by with on after in at and or but due via as from since given today yesterday clinically previously"
    " recently".split()
)
_BEFORE_A_LEADING_CUE = frozenset("a an the with of and recently now interval previously , ; --".split())


class ClauseNegex(Negex):
    """`negspacy`'s NegEx where the longest of overlapping cues holds, and a negation ends with its clause."""

    def __init__(self, nlp: Language, cues: Cues):
        super().__init__(nlp, "negex", cues.termset())
        self.leading = frozenset(cues.leading)

    def negex(self, doc: Doc) -> Doc:
        """As in `negspacy`, but a clause is given its own cues and terms; there each goes through all of the text's."""
        preceding, following, terminating = self.process_negations(doc)
        for boundary in self.termination_boundaries(doc, terminating):
            before, after = (_between(cues, boundary, itemgetter(1)) for cues in (preceding, following))
            for term in _between(doc.user_data[TERMS], boundary, attrgetter("start")):
                if term.end <= boundary[1]:
                    self._apply_negation(term, before, after)
        return doc

    def process_negations(self, doc: Doc):
        """The cues that hold, and the beginnings of clauses among those that terminate."""
        cues = sorted(self._longest_cues(doc), key=itemgetter(1))
        preceding, following, terminating = (
            [match for match in cues if self._kind(match) == kind]
            for kind in ("Preceding", "Following", "Termination")
        )
        # What is negated by the cue after it stands before it: "was seen but has resolved".
        begin_following = {start for _, start, _ in following}
        terminating = [match for match in terminating if match[2] not in begin_following]
        for answer in doc.user_data[ANSWERS]:
            ends = (answer.start,) if answer.leads else (answer.label, answer.stop)
            terminating += [(0, end, end + 1) for end in ends if end < len(doc)]
        words = _words(doc)
        for _, _, after in preceding:
            _join_list(doc, words, after)
        for sentence in doc.sents:
            first, last = sentence.start, sentence.end
            inside = [
                Cue(_KINDS.get(self._kind(match), OTHER), match[1] - first, match[2] - first)
                for match in _between(cues, (first, last), itemgetter(1))
            ]
            starts = clause_starts(words[first:last], inside)
            terminating += [(0, first + start, first + start + 1) for start in starts]
        return preceding, following, terminating

    def _longest_cues(self, doc: Doc) -> Iterator[tuple[int, int, int]]:
        """Answers and matches without overlaps; of one phrase in two lists the earlier list's."""
        order = ("pseudo", "Preceding", "Following", "Termination")
        answered = [_cue_of(answer, doc) for answer in doc.user_data[ANSWERS]]
        listed = sorted(self.matcher(doc, as_spans=True), key=lambda span: order.index(span.label_))
        for span in filter_spans(answered + listed):
            for token in span[1:]:
                token.is_sent_start = False  # "Fever? no" and "neg. for" are one sentence
            leads = " ".join(token.lower_ for token in span) in self.leading and _leads(span)
            # "Pneumonia - resolved": here the dash does not end a clause.
            dash = span.label_ == "Following" and not leads and _after_dash(span)
            yield (self.nlp.vocab.strings["Preceding"] if leads else span.label), span.start - dash, span.end

    def _kind(self, match: tuple[int, int, int]) -> str:
        return self.nlp.vocab.strings[match[0]]


class NegexPipeline:
    """A blank spaCy pipeline that finds terms, given in small letters, and tells which of them are negated."""

    def __init__(self, terms: Sequence[str], cues: Cues):
        self._nlp = spacy.blank("en")
        _cut_finer(self._nlp)
        self._nlp.max_length = 2**31 - 1  # the limit is for parsers, whose memory grows with the text
        self._nlp.add_pipe("sentencizer")
        self._terms = PhraseMatcher(self._nlp.vocab, attr="NORM")
        self._terms.add(TERMS, [_with_norms(doc) for doc in self._nlp.tokenizer.pipe(terms)])
        self._negex = ClauseNegex(self._nlp, cues)

    def negated_spans(self, texts: Iterable[str]) -> Iterator[list[tuple[int, int]]]:
        """For each text the spans, in characters, of its negated terms."""
        for doc in self._nlp.pipe(texts):
            terms = filter_spans(self._terms(_with_norms(doc), as_spans=True))
            doc.user_data[TERMS] = terms
            doc.user_data[ANSWERS] = answers([_plain(token) for token in doc])
            self._negex(doc)
            yield [(term.start_char, term.end_char) for term in terms if _is_negated(term)]


def _cut_finer(nlp: Language) -> None:
    """Makes a tokenizer cut where notes leave out blanks."""
    nlp.tokenizer.infix_finditer = compile_infix_regex([*nlp.Defaults.infixes, *_CUTS]).finditer
    nlp.tokenizer.prefix_search = compile_prefix_regex([*nlp.Defaults.prefixes, _CUT_BEFORE]).search
    nlp.tokenizer.url_match = None  # "pain.denies" is no address


def _cue_of(answer: Answer, doc: Doc) -> Span:
    kind = ("Preceding" if answer.leads else "Following") if answer.negative else "pseudo"
    return Span(doc, answer.start, answer.stop, label=kind)


def _plain(token: Token) -> str:
    """A token in small letters; white space as a line break, a tab or nothing."""
    if not token.is_space:
        return token.lower_
    return next((mark for mark in ("\n", "\t") if mark in token.text), "")


def _between(spans: Sequence, boundary: tuple[int, int], start: Callable) -> Sequence:
    """Those that begin between two boundaries, of a sequence in the order of their beginnings."""
    return spans[bisect_left(spans, boundary[0], key=start) : bisect_left(spans, boundary[1], key=start)]


def _with_norms(doc: Doc) -> Doc:
    """The tokens with the singular in small letters as their norm, by which terms are found."""
    for token in doc:
        token.norm_ = singular(token.lower_)
    return doc


def _is_negated(term: Span) -> bool:
    """What NegEx says, but for the word after a term: "no fever source", "pain-free", "influenza negative"."""
    after = [token.lower_ for token in term.doc[term.end : term.end + 3] if token.text != "-"]
    if after[:1] in (["source"], ["sources"], ["cause"], ["etiology"]):
        return False
    last = not (after[1:] and (after[1].isalpha() or after[1] == ":"))
    return term._.negex or (last and after[:1] in (["free"], ["negative"], ["neg"], ["nil"]))


def _leads(cue: Span) -> bool:
    """Whether a cue that may negate either side negates what follows: "resolved pneumonia", "CT excluded a stone"."""
    doc, first, after = cue.doc, cue.start, cue.end
    if (
        doc[first].is_sent_start
        or doc[first - 1].lower_ in _BEFORE_A_LEADING_CUE
        or _is_bullet(doc[first - 1])
    ):
        return True
    if cue.text.lower() not in _ACTIVE or after == len(doc):
        return False
    return (doc[after].is_alpha or doc[after].text == ":") and doc[after].lower_ not in _AFTER_A_PARTICIPLE


def _after_dash(cue: Span) -> bool:
    """Whether a cue at the end of a clause stands after a dash."""
    doc, before, after = cue.doc, cue.start - 1, cue.end
    ends = after == len(doc) or doc[after].is_space or doc[after].text in ",.;"
    return before > 0 and ends and doc[before].text in ("-", "–", "—")


def _words(doc: Doc) -> list[str]:
    """The tokens in small letters; a dash between white space as "--", the end of a line that ends a clause as ";"."""
    words = []
    for token in doc:
        if token.is_space:
            words.append(";" if _ends_clause(token) else "")
        elif (
            token.text in ("-", "–", "—")
            and token.i > 0
            and token.whitespace_
            and doc[token.i - 1].whitespace_
        ):
            words.append("--")
        else:
            words.append(token.lower_)
    return words


def _join_list(doc: Doc, words: list[str], place: int) -> None:
    """Makes one clause of a list under a cue: the lines after "Denies:" that begin with a bullet."""
    if words[place : place + 2] not in ([":", ";"], [":", ""]) or "\n" not in doc[place + 1].text:
        return
    for token in doc[place + 1 :]:
        if (
            token.is_space
            and token.text.count("\n") == 1
            and token.i + 1 < len(doc)
            and _is_bullet(token.nbor())
        ):
            words[token.i : token.i + 2] = ",", ""
        elif token.is_space and "\n" in token.text:
            return


def _is_bullet(token: Token) -> bool:
    return token.text in ("-", "–", "*", "•", "·") and (token.i == 0 or "\n" in token.nbor(-1).text)


def _ends_clause(space: Token) -> bool:
    """Whether a line break ends what stands before it rather than wrapping it."""
    if "\n" not in space.text or space.i == 0 or space.i + 1 == len(space.doc):
        return False
    if space.text.count("\n") > 1:
        return True
    before, after = space.nbor(-1), space.nbor(1)
    return not (after.is_lower or before.lower_ in _GOES_ON)
