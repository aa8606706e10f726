"""What the public classes ask of their arguments, and whom their warnings point at."""

import inspect
import math
import sys
import warnings
from collections.abc import Iterable
from numbers import Real

from icd_relevancy.errors import InputError, shown_code, shown_word

_MOST_NAMED = 20
# Between a user's line and ours stand those of whoever runs a model.
_NOT_THE_CALLER = {"icd_relevancy", "keras", "tensorflow", "jax", "contextlib", "threading"}


def is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether a value is a number within bounds; NaN, a truth value and text are not."""
    return isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high


def check_at_least(name: str, value: int | None, least: int) -> None:
    """Refuses a number below the least one; None is fine."""
    if value is not None and value < least:
        raise InputError(f"{name} must be at least {least}. Received: {value}")


def check_counts(**counts: int | None) -> None:
    """Refuses numbers below 1, naming the argument; None is not given."""
    for name, count in counts.items():
        if count is not None and count < 1:
            raise InputError(f"{name} must be at least 1. {received(name, count)}")


def check_whole(name: str, value) -> int:
    """A number as an int; refuses what is no whole number of at least 1."""
    if value < 1 or value != int(value):
        raise InputError(f"{name} must be a whole number of at least 1. Received: {value}")
    return int(value)


def received(name: str, value: object) -> str:
    """The end of a message about an argument, which quotes no more than a number or a word."""
    return f"Received: {name}={value if isinstance(value, Real) else shown_word(value)}"


def named_codes(codes: Iterable[str], shown=shown_code) -> str:
    """Codes for a message: each once, at most 20 of them, and the number of all."""
    distinct = list(dict.fromkeys(codes))
    words = list(dict.fromkeys(shown(code) for code in distinct[:_MOST_NAMED]))
    more = len(distinct) - _MOST_NAMED
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def warn_caller(message: str) -> None:
    """Warns at the line of the user, however many of our own and of Keras' functions stand between."""
    frame = sys._getframe(1)
    while (
        frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_CALLER
    ):
        frame = frame.f_back
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, UserWarning, frame.f_code.co_filename, frame.f_lineno, registry=registry)


class WithSettings:
    """A `repr` that says what an object was made with."""

    def __repr__(self) -> str:
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return (
            f"{type(self).__name__}({', '.join(f'{name}={_shown(getattr(self, name))}' for name in names)})"
        )


def _shown(value) -> str:
    return f"array{value.shape}" if hasattr(value, "shape") else repr(value)
