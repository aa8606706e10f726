"""What a title rules out or leaves open."""

import re

# A negation reaches over "or" and "and", up to a mark, to what the title affirms, or to what the whole title
# is about ("without foreign body of penis", "without perforation in pregnancy").
_END = (
    r"(?=\s*(?:[,;()\[\]]|$)|\s(?:and |but )?(?:with|without)\b"
    r"|\s(?:of|in|due|following|during|for|by|at|affecting|complicating)\b)"
)
_RULED_OUT = re.compile(
    "|".join(
        (
            r"\b(?:with or )?without\b(?: (?:mention|evidence|diagnosis|lesion|loss|signs?|specification) of)?"
            rf".*?{_END}",
            r"\b(?:not |un)specified (?:as|whether|if)\b(?! the\b)(?: to)?(?: with)?\b(?:(?: \w+,)+ or)?"
            rf".*?{_END}",
            rf"\bnot (?:having achieved|stated as|due to|from|resulting in|including|intractable)\b.*?{_END}",
            rf"\b(?:except(?: for)?|excluding|other than)\b.*?{_END}",
            r"\bsuspected\b[^,;]*?\b(?:ruled out|not found)\b",
            r"\bnon-\w+",
        )
    ),
    re.IGNORECASE,
)


def affirmed(title: str) -> str:
    """A title without the parts that it rules out or leaves open.

    Args:
        title: title of a code.

    Returns:
        The title without its negated spans ("without …", "not specified as …", "except …", "suspected … ruled
        out", "non-…").

    Example:
        >>> from icd_relevancy.codes.negation import affirmed
        >>> affirmed("Acute appendicitis with localized peritonitis, without perforation or gangrene")
        'Acute appendicitis with localized peritonitis'
    """
    return " ".join(_RULED_OUT.sub(" ", title).split()).rstrip(" ,")
