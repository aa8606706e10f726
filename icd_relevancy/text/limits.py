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
# "Unclear if" asks, "call placed" tells, and "page 3" is no order.
_IF = "".join(rf"(?<!\b{word}\s)" for word in "unclear unknown unsure uncertain sure asked".split()) + "if"
_GOAL = r"(?<!\bat\s)(?<!\babove\s)(?<!\bbelow\s)(?<!\bwithin\s)goals?"
_TARGET = r"targets?(?!\s(?:lesion|organ|sign|cell|vessel))"
_REFERENCE = r"ref(?:erence)?|(?<!\bwithin\s)(?<!\bin\s)(?<!\bthe\s)normal\s(?:range|values?)"
_SLIDING = r"sliding\sscale(?![^,;]*\bwith\b(?!\s(?:goal|parameter|target)))"
_CALL = r"(?<!\bon[\s-])call(?!\s(?:placed|made|received|taken|from|to)\b)|notify|page(?!\s(?:\d|number\b))"
_RETURN = r"return\s(?:to\s(?:\w+\s){1,3}?(?:for|if|with|when)|to|for|if|with|when)"
_AIMS = re.compile(
    rf"\b(?:{_IF}|unless|{_GOAL}|aim(?:s|ing|ed)?|{_TARGET}|titrat(?:e|ing|ion)|keep|maintain|thresholds?|cut-?offs?"
    rf"|{_REFERENCE}|should|{_SLIDING}|in\s(?:case|the\sevent)|{_CALL}|(?<!\bon\s)hold|{_RETURN})\b",
    re.IGNORECASE,
)
# A value without a bound is a limit only where such words stand before its name, or a condition in its clause.
_AIM_BEFORE = re.compile(
    rf"\b(?:(?:{_GOAL}|{_TARGET}|aim(?:s|ing|ed)?|thresholds?|cut-?offs?|{_REFERENCE}|{_SLIDING})"
    r"(?:\s(?!with\b|met\b|not\b)[\w'’/-]+){0,2}?|(?:keep|maintain|should|titrat(?:e|ing|ion)(?:\s[\w-]+){0,3}\sto))"
    r"(?:[\s:=]{1,2}(?:to|for|of|is|be|have|keep|maintain|at|an?|the|his|her|your|their|our|[\w-]+['’]s|serum|daily)\b)*[\s:=(]*$",
    re.IGNORECASE,
)
_UNREACHED = re.compile(
    r"(?:\b(?:unable|fail(?:ed|s|ing|ure)?|inability|difficult(?:y)?|hard|struggl\w+)(?:\sto)?|\b(?:not|never)(?:\sable\sto)?"
    r"|cannot|n['’]t)\s(?:be\sable\sto\s)?$",
    re.IGNORECASE,
)
_CONDITIONS = re.compile(
    rf"\b(?:{_IF}|unless|(?<![\w'’]\s)should(?=\s(?:the|an?|any|you|your|he|his|she|her|fever|pain|symptoms?)\b)"
    r"|in\s(?:case|the\sevent)|return\s(?:to\s(?:\w+\s){1,3}?)?(?:for|if|when)|hold\s(?:for|when)"
    rf"|(?:{_CALL}|seek)(?:\s(?!was|were|had)\w+){{0,3}}?\s(?:for|when))\b",
    re.IGNORECASE,
)
# These are taken for orders only before a bound: "give insulin when glucose > 200".
_CRITERIA = re.compile(
    r"\b(?:when(?:ever)?|until|till|parameters?|limits?|permissive|ensure|as\sneeded|prn|desired|criteria|defined\sas)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:recommend\w*|allow|replete|transfuse|wean|avoid|seek|(?:give|check|recheck|watch|monitor)(?!\s?:))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|never|without|denies|denied|deny|nor)\b[^,;:]*$", re.IGNORECASE)
# What follows such a word tells what is so: "hold metoprolol given HR 52".
_STATED = re.compile(
    r"\b(?:given|because|due|since|now|currently|today|tonight|yesterday|but|however|found|noted|had|presented|arrived"
    r"|remain(?:s|ed)|despite|aware|know[ns]?|remember|informed"
    r"|(?<!\bsoon\s)(?<!\bset\s)as(?!\s(?:soon|long|needed|tolerated|per|well|directed|ordered|follows|an?)\b))\b",
    re.IGNORECASE,
)
_WAS = re.compile(r"\b(?:was|were|been)\b", re.IGNORECASE)
_STATED_IN_CONDITION = re.compile(rf"{_STATED.pattern}|\b(?:is|was|were)\b(?!.*\bor\b)", re.IGNORECASE)
# As do, after an order, "is" and "with", or that the order has ended: "avoid contrast, creatinine > 3".
_IS = re.compile(
    r"\b(?:is|was|were|been)\b|^[^\d<>]*\bwith\b(?!\s(?:a\s)?goal)|^(?:(?!\bfor\b)[^,;])*[,;]", re.IGNORECASE
)
_FOR = re.compile(r"(?:(?P<word>[\w']+)\s{1,2})?\bfor(?:\s{1,2}[\w/-]+){0,3}\W{0,3}$", re.IGNORECASE)
# "Admitted for glucose > 600" tells a finding, "insulin for glucose > 200" an order.
_FINDING_FOR = re.compile(
    r"\w+ed|seen|given|sent|held|made|taken|here|known|notable|significant|remarkable|positive|concern",
    re.IGNORECASE,
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
    """Whether what `BOUND` or `BOUND_AFTER` matched allows the values below it, and whether it allows itself."""
    below, inclusive = bool(_BELOW.search(bound)), bool(_INCLUSIVE.search(bound))
    if _NEGATED.match(bound):
        return not below, not inclusive
    return below, inclusive


def is_limit(text: str, start: int, stop: int, bounded: bool, several: bool = False) -> bool:
    """Whether a value in a text is a limit, a goal, an order or a reference rather than a result.

    A goal or an order is looked for in the sentence, and in a heading of its paragraph. A value without bounds is a
    limit only where a goal stands right before its name, or a condition in its clause: "goal INR 2.5", "if temp 101".
    `start` is where the name of the investigation, or the value, begins, `stop` the end of the value; `bounded` values
    have a bound, as in "> 101", `several` are a range.
    """
    before = _SENTENCE_END.split(text[max(start - _REACH, 0) : start])[-1]
    *earlier, line = before.split("\n")
    heading = " ".join(part for part in earlier if part.rstrip().endswith(":"))
    if not (bounded or several):
        line = re.split(r"[,;]", line)[-1]
    for words in (line, heading):
        if (
            _asks_for_bounds(words, text[start:stop], bounded)
            if bounded or several
            else _asks_for_value(words)
        ):
            return True
    after = _SENTENCE_END.split(text[stop : stop + _REACH], maxsplit=1)[0].split("\n", 1)[0]
    if _AIM_AFTER.match(after):
        return True
    return bounded and bool(
        _DENIED.search(line)
        or ((order := _FOR.search(line)) and not _FINDING_FOR.fullmatch(order["word"] or ""))
        or _TO_CALL.search(after)
        or _NEXT_ORDER.match(after)
        or _OTHER_BOUND.match(after)
    )


def _asks_for_value(words: str) -> bool:
    """Whether the words before a value without bounds make it an aim or a condition."""
    aim = _AIM_BEFORE.search(words)
    if aim and not _UNREACHED.search(words, 0, aim.start()) and not _STATED.search(words, aim.start()):
        return True
    return any(not _STATED_IN_CONDITION.search(words, match.end()) for match in _CONDITIONS.finditer(words))


def _asks_for_bounds(words: str, named: str, bounded: bool) -> bool:
    """Whether the words before a bound or a range, or between its name and it, make it an aim or an order."""
    for match in _AIMS.finditer(words):
        # "Unable to keep SpO2 > 90%" tells of an aim, "unable to keep SpO2 80-84%" of a result.
        reached = bounded or not _UNREACHED.search(words, 0, match.start())
        if reached and not _STATED.search(words, match.end()):
            return True
    if not bounded:
        return False
    # "When K was > 7" tells what happened.
    happened = _WAS.search(named)
    ordered = not happened and any(
        not _STATED.search(words, match.end()) for match in _CRITERIA.finditer(words)
    )
    return ordered or any(
        not (_STATED.search(words, match.end()) or _IS.search(words[match.end() :] + named))
        for match in _ORDERS.finditer(words)
    )
