"""The one exception for input that a user can mend, and what its message may quote."""

import re

_CODE = re.compile(r"(?=.*[0-9])(?=.{1,8}$)[A-Za-z0-9.]+(-[A-Za-z0-9.]+)?|[A-Z]")
_LONGEST_SHOWN = 20
# A few characters hold a sentence of a script that has no blanks.
_IDENTIFIER = re.compile(r"[!-~]{1,40}|\S{1,12}")
# What a terminal acts on: control characters, line breaks, and what turns the direction of writing.
_ACTED_ON = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class InputError(ValueError):
    """Bad input, told in one line: what is wrong, where, and what to do.

    The command line prints the message and leaves with exit code 2. Messages name the file, row, column or
    code; they never quote the text of a note.
    """


def printable(text: str) -> str:
    """A line of text as a terminal may show it: what it would act on is written as escapes."""
    return _ACTED_ON.sub(lambda match: _escaped(match[0]), text)


def shown_word(value: object, quoted: bool = True) -> str:
    """A name, a setting or an identifier as a message may quote it: a number, a truth value or one short word.

    What stands where a name belongs can be the text of a note, so of anything else only the kind is shown.
    """
    if value is None or isinstance(value, (bool, int, float)):
        # A whole number of thousands of digits cannot be written out.
        is_short = not isinstance(value, int) or abs(value) < 10**15
        return repr(value) if is_short else "(not shown: a long number)"
    if not isinstance(value, str):
        return f"(not shown: a {type(value).__name__})"
    if not _IDENTIFIER.fullmatch(value):
        return f"(not shown: {len(value)} characters of text)"
    return repr(value) if quoted else _escaped(value)


def shown_code(code: object, quoted: bool = True) -> str:
    """A code as a message may quote it: at most eight letters, digits and dots, one of them a digit, or such a range.

    In a table whose cells are shifted the codes hold the words of a note, so anything else is not shown.
    """
    if not isinstance(code, str):
        return shown_word(code)
    # Padding tells why a code is not known, and nothing else.
    if len(code) > _LONGEST_SHOWN or not _CODE.fullmatch(code.strip(" ")):
        return "(not shown: it is no code)"
    return repr(code) if quoted else _escaped(code)


def shown_path(path: object) -> str:
    """A path as a message may name it: unless it could be a sentence, of words without a folder or an ending."""
    text = str(path)
    is_sentence = re.search(r"\s", text) and not re.search(r"[/\\]|\.\w{1,10}$", text)
    return shown_word(text) if is_sentence else text


def shown_note(identifier: str, number: int, what: str = "note", quoted: bool = True) -> str:
    """A note, or what else a row is, as a message may name it: by its number where its identifier may be a sentence."""
    identifier = str(identifier)
    if not _IDENTIFIER.fullmatch(identifier):
        return f"{what} {number}"
    return f"{what} {identifier!r}" if quoted else f"{what} {_escaped(identifier)}"


def _escaped(text: str) -> str:
    return repr(text)[1:-1]
