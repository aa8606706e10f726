"""Cleaning of notes: markup, numbers, special characters, stop words, case; every step can be left out."""

import html
import re
from dataclasses import dataclass

from icd_relevancy.text.aligned import AlignedText
from icd_relevancy.text.words import NEGATED, STOP_WORDS

_BLOCKS = "br|p|div|li|ul|ol|tr|table|h[1-6]|hr|pre|body|html|head|center"
_INLINE = "b|i|u|a|em|strong|span|font|sub|sup|td|th|tbody|thead|small|big|tt|code|img"
_MARKUP = re.compile(
    rf"<!--.{{0,2000}}?-->|</?(?:(?P<block>{_BLOCKS})|{_INLINE})\b[^<>]{{0,2000}}>|(?P<entity>&(?:#x?)?\w{{1,31}};)",
    re.IGNORECASE | re.DOTALL,
)
# Of two neighbours, as in "L4 5 disc", the second is no number of its own.
_NEIGHBOURS = "|".join(
    [
        *(
            rf"[CTL]\s?{level}(?:\s?(?:&|and))?(?=[\s-]{{1,3}}{level + 1}(?!\d|[.,/]\d))"
            for level in range(1, 12)
        ),
        r"(?:C\s?7|T\s?12|L\s?5)(?=[\s-]{1,3}1\b)",
    ]
)
# The number after such a word tells codes apart: "type 2", "stage 3-4", "Gleason 4+3", "trisomy 21".
_GRADED = (
    r"types?|stages?|grades?|class|classes|degrees?|levels?|phases?|categor(?:y|ies)|groups?|subtypes?|variants?|zones?"
    r"|scores?|sum|scale|index|nyha|asa|ecog|gleason|mallampati|mobitz|killip|figo|[cv]a?in|pin|bi[-\s]?rads|bosniak"
    r"|salter(?:[-\s]harris)?|hunt[-\s](?:and\s)?hess|rai|binet|dukes|ann\sarbor|gustilo|lauge[-\s]hansen|wagner|clark"
    r"|fitzpatrick|fredrickson|braden|meld|kdigo|(?-i:GOLD)|vision|acuity"
    r"|garden|schatzker|fort|fontaine|rutherford|hurley|tanner|hinchey|forrest|chiari|gcs|glasgow|nihss|bmi"
    r"|apgar|weeks?|trimester|gravida|para|twin|fetus|trisomy|monosomy|chromosome|factor|bipolar|mellitus|diabetes|dm"
    r"|ckd|kidney\sdisease|aki|hiv|htlv|hhv|hpv|hsv|[a-z]{0,12}virus(?:\s[ab])?|simplex|covid|mody|men|neoplasia|nf"
    r"|neurofibromatosis|brca|syndrome|blasts|vitamin(?:\s[a-k])?|nerve|vertebra|ribs?|toes?|fingers?|digits?|metatarsals?"
    r"|metacarpals?|tooth|teeth|coxsackie(?:\s[ab])?|serotype|genotype|serogroup|burns?,?"
    r"|(?:ejection\sfraction|(?:lv)?ef)(?:\s(?:\(ef\)|was|is|estimated|measured|calculated|at|to\sbe|about|approximately"
    r"|around|greater|less|than)){0,4}"
    rf"|(?-i:{_NEIGHBOURS})"
    r"|(?<!/)(?-i:[CTLS])(?=\s\d\d?(?!\d|[.,/]\d))|(?-i:[NM])(?=\s[0-3](?!\d|[.,/]\d))"
)
_DIGITS = r"\d+(?:[.,:/-]\d+)*"
_ROMAN = r"(?:x{0,3}(?:ix|iv|v?i{1,3}|v)|x{1,3})"
_JOINED = rf"(?:(?:{_DIGITS}|{_ROMAN})[a-d]?\s?(?:[-–/+&=]|to\b|or\b|and\b)\s?)"
_ALONE = r"(?<!\w)(?<!\w-)(?<!\d[.,:/])"
# Not a part of a term such as T12, L4-5, H1N1, CA-125, 10.5mg, 1.5x2.5cm or 3-year-old: whole, or not at all.
_NUMBERS = re.compile(
    rf"(?P<kept>\b(?:{_GRADED})(?:\s(?:of|is|was))?[\s:#=(\])<>≥≤~-]{{1,3}}{_JOINED}{{0,3}}{_DIGITS}"
    rf"|{_ALONE}(?>{_DIGITS})(?=[\s-]?(?:completed\s)?(?:weeks?|grams?|vision|visual)\b"
    r"|\s?(?:%|percent)[^.;\n]{0,40}?\b(?:body\s|tbsa|bsa|degree|percentile|ejection\s|ef\b))"
    rf"|{_ALONE}20/\d{{2,3}}(?![\w/-]))"
    rf"|{_ALONE}(?>{_DIGITS})(?:\s?[°º]\s?[CF]\b|\s?%|(?![\w-]))",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b", re.IGNORECASE)
# Between characters of a word a hyphen or an apostrophe belongs to it, between digits what joins them too.
_SPECIAL = re.compile(
    r"[^\w\s\u0300-\u036f.,:/'’-]|(?<!\d)[.,:/]|[.,:/](?!\d)|(?<![^\W_])['’-]|['’-](?![^\W_])|(?<!\bNOT)_"
)
# The letter is a name, not an article or a pronoun, in "hepatitis A", "type I" and "Paratyphoid fever A".
_LETTERED = (
    r"hepatitis|influenza|virus|haemophilia|hemophilia|streptococcus|vitamin|child(?:['’]s|[\s-]pugh)|weber|le\s?fort|duffy"
    r"|binet|dukes|types?|stages?|grades?|class|category|groups?|factor|level|phase|degrees?|nyha|asa|mallampati|bipolar|chiari|figo"
)
_STOP_WORDS = re.compile(
    rf"(?P<kept>\b(?:{_LETTERED})\s[ai](?![\w'’-])|(?-i:(?<=[a-z]\s)A)(?![\w'’-]))"
    rf"|(?<![\w'’-])(?:{'|'.join(sorted(STOP_WORDS, key=len, reverse=True))})(?![\w'’-])",
    re.IGNORECASE,
)
_WHITE_SPACE = re.compile(r"\s+")
_AROUND = re.compile(r"^\s+|\s+$")
_MARK = re.compile(rf"\b{NEGATED}")


@dataclass(frozen=True)
class Cleaning:
    """Which steps of the cleaning are done (HMHAN §III.B); runs of white space always become one space.

    Attributes:
        markup: Whether HTML tags are removed and entities such as `&amp;` read.
        numbers: Whether numbers that stand alone are removed, with a sign for degrees or per cent; not those that
            tell codes apart ("type 2", "32 weeks"), nor a part of a number ("10.5mg").
        special_characters: Whether all but letters, digits and what joins them (x-ray, 1.5) is removed.
        stop_words: Whether words without a meaning of their own are removed; never negation words.
        lower_case: Whether letters become small, but for the `NOT_` of a negated word.
    """

    markup: bool = True
    numbers: bool = True
    special_characters: bool = True
    stop_words: bool = True
    lower_case: bool = True


def clean(text: AlignedText, cleaning: Cleaning | None = None) -> AlignedText:
    """The cleaned text.

    Args:
        text: The text.
        cleaning: The steps. Defaults to None: all.

    Returns:
        The cleaned text, aligned with the same original.

    Example:

    >>> from icd_relevancy.text import AlignedText, clean
    >>> clean(AlignedText.of("Patient has a fever of 102°F")).text
    'patient has fever'
    """
    steps = Cleaning() if cleaning is None else cleaning
    if steps.markup:
        text = without_markup(text)
    if steps.numbers:
        text = _removed(text, _NUMBERS)
    if steps.special_characters:
        text = _removed(text, _POSSESSIVE)
        text = text.recast(_SPECIAL.sub(" ", text.text))
    if steps.stop_words:
        text = _removed(text, _STOP_WORDS)
    if steps.lower_case:
        text = text.recast(_lower_case(text.text))
    blanks = (match for match in _WHITE_SPACE.finditer(text.text) if match.group() != " ")
    text = text.edit((*match.span(), " ") for match in blanks)
    return _removed(text, _AROUND)


def without_markup(text: AlignedText) -> AlignedText:
    """The text without HTML: tags of blocks become line breaks, other tags go, entities become their characters."""
    return text.edit((*match.span(), _plain(match)) for match in _MARKUP.finditer(text.text))


def _plain(markup: re.Match) -> str:
    if markup["entity"]:
        return html.unescape(markup["entity"])
    return "\n" if markup["block"] else ""


def _removed(text: AlignedText, pattern: re.Pattern) -> AlignedText:
    matches = (match for match in pattern.finditer(text.text) if not match.groupdict().get("kept"))
    return text.edit((*match.span(), "") for match in matches)


def _lower_case(text: str) -> str:
    return NEGATED.join(_small(part) for part in _MARK.split(text))


def _small(text: str) -> str:
    # A few letters of other scripts become two when they are small; they stay, so that places stay.
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
