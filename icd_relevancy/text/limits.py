"""Bounds such as "less than 90", and the limits, goals and orders of which a value is no result."""

import re

_SYMBOL = r"[<>≤≥⩽⩾≦≧]\s?=?|=\s?[<>]"
_THAN = r"than(?:\s{1,2}or\s{1,2}equal(?:\s{1,2}to)?)?"
_LESS = (
    rf"(?:less|lower|fewer|smaller)\s{{1,2}}{_THAN}|under|below|at\s{{1,2}}most"
    r"|at\s{1,2}or\s{1,2}(?:below|under)"
)
_MORE = (
    rf"(?:more|greater|higher|larger|bigger)\s{{1,2}}{_THAN}|above|over|at\s{{1,2}}least|exceed(?:s|ed|ing)?"
    r"|in\s{1,2}excess\s{1,2}of|at\s{1,2}or\s{1,2}(?:above|over)"
)
# What stands between an investigation and its bound, or before a bare bound: "BP > 180", "no more than 5 mm".
BOUND = (
    rf"(?:{_SYMBOL}|(?:(?<!\w)(?:no|not|never)\s{{1,2}}|n['’]t\s{{1,2}}|(?<!\w))(?:{_LESS}|{_MORE})(?!\w))"
)
# "38.5 or higher", "101+"
BOUND_AFTER = (
    r"\s{0,2}\+(?![\w+])"
    r"|\s{1,2}or\s{1,2}(?:less|lower|fewer|below|under|more|greater|higher|above|over)\b"
    r"(?!\s{1,2}(?:extremit|lobe|quadrant|abdom|back\b|limb|leg|lip\b|gastro|resp|urinary|the\b))"
)
# Between the name and the value: "INR goal of 2-3", "SBP should be < 140".
AIM = (
    r"goals?|targets?|limits?|parameters?|thresholds?|cut-?offs?|should|must|needs?|kept|desired|ideal(?:ly)?"
    r"|ref(?:erence)?|(?<=reference\s)(?:range|interval|values?)|normal\s{1,2}(?:range|values?)(?!\s{1,2}of)"
)
_BELOW = re.compile(r"less|lower|fewer|smaller|under|below|most|[<≤⩽≦]", re.IGNORECASE)
_INCLUSIVE = re.compile(r"equal|at\s|[=≤≥⩽⩾≦≧]|\bor\b|\+", re.IGNORECASE)
_NEGATED = re.compile(r"n[eo'’]", re.IGNORECASE)

_REACH = 160
_SENTENCE_END = re.compile(r"(?<!\bDr)(?<!\b[A-Za-z])[.!?](?=\s)|\n\s*\n")
_AIMS = re.compile(
    r"\b(?:if|unless|(?<!\bat\s)(?<!\babove\s)(?<!\bbelow\s)(?<!\bwithin\s)goals?|aim(?:s|ing|ed)?"
    r"|targets?(?!\s(?:lesion|organ|sign|cell|vessel))|titrat(?:e|ing|ion)|keep|maintain|thresholds?|cut-?offs?"
    r"|ref(?:erence)?|(?<!\bwithin\s)(?<!\bin\s)(?<!\bthe\s)normal\s(?:range|values?)|should|sliding\sscale"
    r"|in\s(?:case|the\sevent)|(?<!\bon[\s-])call|notify|page|(?<!\bon\s)hold|return\s(?:to|for|if|with|when))\b",
    re.IGNORECASE,
)
# These are taken for orders only before a bound: "give insulin when glucose > 200".
_ORDERS = re.compile(
    r"\b(?:when(?:ever)?|until|till|parameters?|limits?|recommend\w*|permissive|allow|replete|transfuse|wean|ensure|as\sneeded|prn"
    r"|give|check|recheck|desired|criteria|defined\sas|avoid|seek|watch|monitor)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|never|without|denies|denied|deny|nor)\b[^,;:]*$", re.IGNORECASE)
# What follows such a word tells what is so: "hold metoprolol given HR 52".
_TOLD = re.compile(
    r"\b(?:given|because|due|since|now|currently|today|tonight|yesterday|but|however|found|noted|had|presented|arrived"
    r"|remain(?:s|ed)|despite)\b",
    re.IGNORECASE,
)
_FOR = re.compile(r"(?:(?P<word>[\w']+)\s{1,2})?\bfor(?:\s{1,2}[\w/-]+){0,3}\W{0,3}$", re.IGNORECASE)
# "Admitted for glucose > 600" tells a finding, "insulin for glucose > 200" an order.
_TOLD_FOR = re.compile(
    r"\w+ed|seen|given|sent|held|here|known|notable|significant|remarkable|positive|concern", re.IGNORECASE
)
_TO_CALL = re.compile(
    r"\b(?:call|notify|page|return\sto|seek|contact\s(?:your|the))\b"
    r"(?!\s(?:placed|made|(?:\w+\s){0,2}(?:if|for|when|with))\b)",
    re.IGNORECASE,
)
_NEXT_ORDER = re.compile(
    r"[\s:,;)\]=>→–-]{0,4}(?:then\s|please\s)?(?:hold|give|alert|as\sneeded|prn|replete|transfuse|start|stop)\b",
    re.IGNORECASE,
)
# "SBP < 90 or > 180" tells a criterion.
_OTHER_BOUND = re.compile(rf"\s{{0,2}}(?:or|and/or)\s{{0,2}}(?:is\s)?{BOUND}", re.IGNORECASE)
# Not "INR 1.5 (goal 2-3)", where the goal is another number.
_AIM_AFTER = re.compile(
    r"[\s,(\[-]{0,3}(?:(?:is|as|being)\s)?(?:(?:the|our|his|her|a)\s)?(?:goals?|targets?|ref(?:erence)?|desired)\b"
    r"(?![^.;\n\d]{0,20}\d)",
    re.IGNORECASE,
)


def side(bound: str) -> tuple[bool, bool]:
    """Whether a bound allows the values below it, and whether it allows itself.

    Args:
        bound: What `BOUND` or `BOUND_AFTER` matched.

    Example:

    >>> from icd_relevancy.text.limits import side
    >>> [side(bound) for bound in ("<", ">=", "no more than", "or higher")]
    [(True, False), (False, True), (True, True), (False, True)]
    """
    below, inclusive = bool(_BELOW.search(bound)), bool(_INCLUSIVE.search(bound))
    if _NEGATED.match(bound):
        return not below, not inclusive
    return below, inclusive


def is_limit(text: str, start: int, stop: int, bounded: bool, several: bool = False) -> bool:
    """Whether a value in a text is a limit, a goal, an order or a reference rather than a result.

    A goal or an order is looked for in the sentence, and in a heading of its paragraph; one for a value without
    bounds only in its clause ("goal INR 2-3, INR 1.5 today").

    Args:
        text: The text.
        start: Where the name of the investigation, or the value, begins.
        stop: The end of the value.
        bounded: Whether it is told by a bound, as in "> 101".
        several: Whether it is a range. Defaults to False.
    """
    before = _SENTENCE_END.split(text[max(start - _REACH, 0) : start])[-1]
    *earlier, line = before.split("\n")
    heading = " ".join(part for part in earlier if part.rstrip().endswith(":"))
    if not (bounded or several):
        line = re.split(r"[,;]", line)[-1]
    for words in (line, heading):
        if any(not _TOLD.search(words, found.end()) for found in _AIMS.finditer(words)):
            return True
        if bounded and any(not _TOLD.search(words, found.end()) for found in _ORDERS.finditer(words)):
            return True
    after = _SENTENCE_END.split(text[stop : stop + _REACH], maxsplit=1)[0].split("\n", 1)[0]
    if _AIM_AFTER.match(after):
        return True
    return bounded and bool(
        _DENIED.search(line)
        or ((order := _FOR.search(line)) and not _TOLD_FOR.fullmatch(order["word"] or ""))
        or _TO_CALL.search(after)
        or _NEXT_ORDER.match(after)
        or _OTHER_BOUND.match(after)
    )
