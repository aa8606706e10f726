"""Numbers as notes write them, with a point or a comma for the decimals."""

# A comma before three digits parts thousands, unless the number begins with a zero; any other is a decimal sign.
# Of what is neither, such as "1.2.3", no part is a number. Thousands are bounded, or a run of them would take its
# square of steps.
NUMBER = r"(?:[1-9]\d{0,2}(?:,\d{3}){1,3}(?:\.\d+)?|\d+(?:[.,]\d+)?)(?!\d|[.,'’]\d)"
# No number begins within a word, a date or another number.
START = r"(?<![\w./-])(?<!\d[,'’])"


def read_number(written: str) -> float:
    """The value of what `NUMBER` matches.

    Example:

    >>> from icd_relevancy.text.numbers import read_number
    >>> [read_number(written) for written in ("5,6", "12,55", "250,000", "1,250.5", "0,125")]
    [5.6, 12.55, 250000.0, 1250.5, 0.125]
    """
    whole, comma, digits = written.partition(",")
    decimal = comma and (len(digits) != 3 or whole.startswith("0")) and not {",", "."} & set(digits)
    return float(f"{whole}.{digits}" if decimal else written.replace(",", ""))
