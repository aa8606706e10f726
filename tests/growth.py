"""How the time for a note grows with its length."""

import time
from collections.abc import Callable


def grows_with_length(prepare: Callable[[str], object], piece: str, characters: int) -> bool:
    """Whether four times as many characters of repeated pieces take hardly more than four times the time."""

    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        began = time.process_time()
        prepare(text)
        return time.process_time() - began

    most = 10 * max(min(seconds(characters) for _ in range(2)), 0.02)
    # A second try, since what else a machine does makes only some measures longer.
    return any(seconds(4 * characters) < most for _ in range(2))
