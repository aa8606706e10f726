"""What long work says of itself on standard error: bars on a terminal, and elsewhere at most one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# So many codes take a second or two.
_FEW = 5000


def tell_if_long(text: str, count: int) -> None:
    """Says one line on standard error, terminal or not, before work on many codes; never anything of a note."""
    if count > _FEW:
        print(f"icd-relevancy: {text}; this takes a minute or two", file=sys.stderr, flush=True)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Shows on a terminal what is being done for as long as it lasts; also a decorator."""
    from tqdm import tqdm  # here, because `import icd_relevancy` needs none

    # None leaves it out where the output is not a terminal.
    with tqdm(bar_format="{desc} …", desc=what, leave=False, disable=None):
        yield
