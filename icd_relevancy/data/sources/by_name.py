"""What a user means by `SOURCE:PATH`."""

import re
from collections.abc import Collection
from pathlib import Path

from icd_relevancy.errors import InputError, shown_word


def split_source(data, sources: Collection[str], kind: str) -> tuple[str | None, str]:
    """The name of a source and its path, of what a user gave as `SOURCE:PATH` or as a file.

    Args:
        data: A file, or `SOURCE:PATH`.
        sources: The names of the sources.
        kind: What they are sources of, for messages.

    Returns:
        The name and the path, or None and `data` where it is a file.

    Raises:
        InputError: If the source is none of these, or its path does not exist.

    Example:

    >>> from icd_relevancy.data.sources.by_name import split_source
    >>> split_source("stays.csv", ["eicu"], "stays"), split_source("eicu:.", ["eicu"], "stays")
    ((None, 'stays.csv'), ('eicu', '.'))
    """
    source, colon, path = str(data).partition(":")
    # A file's own name may hold a colon, and a single letter before it is a Windows drive.
    if not colon or Path(data).exists() or not re.fullmatch(r"[A-Za-z][\w-]+", source):
        return None, str(data)
    if source not in sources:
        raise InputError(
            f"{data}: unknown source {shown_word(source)}; the sources of {kind} are {', '.join(sources)}"
        )
    if not Path(path).exists():
        raise InputError(f"{data}: no such file or folder: {path}")
    return source, path
