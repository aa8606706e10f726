"""The one exception for input that a user can mend."""


class InputError(ValueError):
    """Bad input, told in one line: what was found, where, and what to do.

    The command line prints the message and leaves with exit code 2. Messages name the file, row, column or
    code; they never quote the text of a note.
    """
