"""Annotated mentions: the words of a note that a code was given for."""

import pyarrow as pa

from icd_relevancy.files.safe_reading import has_lone_surrogate
from icd_relevancy.files.tables import LISTS, Encoder

_SHAPE = 'mentions must be a list of {"code": …, "text": …}, which CSV and TSV cannot hold'


def mention_pairs(value) -> tuple[tuple[str, str], ...] | None:
    """The mentions of a note as JSON or Parquet hold them, as pairs of code and text.

    Args:
        value: A list of objects with `code` and `text`; None for a note whose mentions are not annotated.

    Raises:
        ValueError: If it is anything else; the message names no word of it.

    Example:

    >>> from icd_relevancy.data.mentions import mention_pairs
    >>> mention_pairs([{"code": "R05", "text": "dry  cough"}])
    (('R05', 'dry cough'),)
    """
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError(_SHAPE)
    pairs = []
    for number, mention in enumerate(value, 1):
        if not isinstance(mention, dict):
            raise ValueError(_SHAPE)
        for name in ("code", "text"):
            text = mention.get(name)
            if not isinstance(text, str) or not text.strip() or has_lone_surrogate(text):
                raise ValueError(f"mention {number} needs {name!r}, a text that is not empty")
        pairs.append((mention["code"].strip(), " ".join(mention["text"].split())))
    return tuple(pairs)


def mention_records(pairs) -> list[dict[str, str]] | None:
    """What `mention_pairs` reads, of the mentions of a note.

    Args:
        pairs: Pairs of code and text, or None.

    Example:

    >>> from icd_relevancy.data.mentions import mention_records
    >>> mention_records((("R05", "dry cough"),))
    [{'code': 'R05', 'text': 'dry cough'}]
    """
    return None if pairs is None else [{"code": code, "text": text} for code, text in pairs]


MENTIONS = Encoder(mention_records, pa.list_(pa.struct([("code", pa.string()), ("text", pa.string())])), None)
NOTE_ENCODERS = {"codes": LISTS, "mentions": MENTIONS}
