"""The one exception for input that a user can mend, and what its message may quote."""

import re

_CODE = re.compile(r"(?=.*[0-9])(?=.{1,8}$)[A-Za-z0-9.]+(-[A-Za-z0-9.]+)?|[A-Z]")
_LONGEST_SHOWN = 20
# A few characters hold a sentence of a script that has no blanks.
_IDENTIFIER = re.compile(r"[!-~]{1,40}|\S{1,12}")


# What a terminal acts on: control characters, line breaks, and what turns the direction of writing.
_ACTED_ON = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class InputError(ValueError):
    """Bad input, told in one line: what was found, where, and what to do.

    The command line prints the message and leaves with exit code 2. Messages name the file, row, column or
    code; they never quote the text of a note.
    """


def printable(text: str) -> str:
    """A line of text as a terminal may show it: what it would act on is written as escapes.

    Args:
        text: The line, without its break, such as the identifier of a note.

    Example:

    >>> from icd_relevancy.errors import printable
    >>> printable("n7" + chr(27) + "[2J")
    'n7\\\\x1b[2J'
    """
    return _ACTED_ON.sub(lambda found: repr(found[0])[1:-1], text)


def shown_word(value: object) -> str:
    """A name, a setting or an identifier as a message may quote it.

    What stands where a name belongs can be the text of a note, so only what cannot is quoted: a number, a truth
    value, or one word of at most 40 characters. Control characters are written as escapes, so that no terminal
    acts on them.

    Args:
        value: What was found.

    Returns:
        The value as Python writes it, or what kind of value is not shown.

    Example:

    >>> from icd_relevancy.errors import shown_word
    >>> shown_word("learning_rat"), shown_word(3), shown_word("Mrs Miller coughs"), shown_word(["Miller"])
    ("'learning_rat'", '3', '(not shown: 17 characters of text)', '(not shown: a list)')
    """
    if value is None or isinstance(value, (bool, int, float)):
        # A whole number of thousands of digits cannot be written out.
        return (
            repr(value) if not isinstance(value, int) or abs(value) < 10**15 else "(not shown: a long number)"
        )
    if not isinstance(value, str):
        return f"(not shown: a {type(value).__name__})"
    return repr(value) if _IDENTIFIER.fullmatch(value) else f"(not shown: {len(value)} characters of text)"


def shown_code(code: object) -> str:
    """A code as a message may quote it.

    In a table whose cells are shifted the codes hold the words of a note, so only what looks like a code is
    quoted: at most eight letters, digits and dots, one of them a digit, two such with a hyphen between, or a
    single capital letter.

    Args:
        code: What was found where a code belongs.

    Returns:
        The code in quotes, or `"(not shown: it is no code)"`.

    Example:

    >>> from icd_relevancy.errors import shown_code
    >>> shown_code("J18.9"), shown_code("Miller")
    ("'J18.9'", '(not shown: it is no code)')
    """
    if not isinstance(code, str):
        return shown_word(code)
    # Padding tells why a code is not known, and nothing else.
    return (
        repr(code)
        if len(code) <= _LONGEST_SHOWN and _CODE.fullmatch(code.strip(" "))
        else "(not shown: it is no code)"
    )


def shown_path(path: object) -> str:
    """A path as a message may name it: unless it could be a sentence, of words without a folder or an ending.

    Args:
        path: The path, or what stands where one belongs.

    Example:

    >>> from icd_relevancy.errors import shown_path
    >>> shown_path("my notes/a.csv"), shown_path("Mrs Miller coughs")
    ('my notes/a.csv', '(not shown: 17 characters of text)')
    """
    text = str(path)
    is_sentence = re.search(r"\s", text) and not re.search(r"[/\\]|\.\w{1,10}$", text)
    return shown_word(text) if is_sentence else text


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
