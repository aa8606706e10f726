"""The one exception for input that a user can mend, and what its message may quote."""

import re

_CODE = re.compile(r"(?=.*[0-9])(?=.{1,8}$)[A-Za-z0-9.]+(-[A-Za-z0-9.]+)?")
_IDENTIFIER = re.compile(r"\S{1,40}")


class InputError(ValueError):
    """Bad input, told in one line: what was found, where, and what to do.

    The command line prints the message and leaves with exit code 2. Messages name the file, row, column or
    code; they never quote the text of a note.
    """


def shown_code(code: str) -> str:
    """A code as a message may quote it.

    In a table whose cells are shifted the codes hold the words of a note, so only what looks like a code is
    quoted: at most eight letters, digits and dots, one of them a digit, or two such with a hyphen between.

    Args:
        code: Text found where a code belongs.

    Returns:
        The code in quotes, or `"(not shown: it is no code)"`.

    Example:

    >>> from icd_relevancy.errors import shown_code
    >>> shown_code("J18.9"), shown_code("Miller")
    ("'J18.9'", '(not shown: it is no code)')
    """
    return repr(code) if _CODE.fullmatch(code) else "(not shown: it is no code)"


def shown_note(note_id: str, number: int) -> str:
    """A note as a message may name it: by its identifier, unless that could be a sentence.

    Args:
        note_id: The note's identifier.
        number: The note's number, counted from 1, which stands for an identifier of more than 40 characters
            or with white space in it.

    Example:

    >>> from icd_relevancy.errors import shown_note
    >>> shown_note("n7", 2), shown_note("Mrs Miller coughs", 2)
    ("note 'n7'", 'note 2')
    """
    return f"note {note_id!r}" if _IDENTIFIER.fullmatch(note_id) else f"note {number}"
