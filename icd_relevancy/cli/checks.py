"""What the command line checks before the work begins, so that bad options are told at once; and says in passing."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from icd_relevancy.errors import InputError, printable

_MOST_TOLD = 20


def check_output(path: Path) -> None:
    """Refuses a place that cannot be written before the work is done; missing folders are made in the end."""
    existing = next((parent for parent in path.absolute().parents if parent.exists()), Path(path.anchor))
    if not existing.is_dir():
        raise InputError(f"{path}: {existing} is no folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"{path}: no permission to write into {existing}")


def check_replaceable(path: Path, what: str, *files: str) -> None:
    """Refuses a folder that cannot be written, or that is there already and lacks the files of such a one."""
    check_output(path)
    if path.exists() and not all((path / file).is_file() for file in files):
        raise InputError(f"{path} exists and holds no {what}; choose another folder")


def check_plot(path: Path) -> None:
    """Refuses a picture that cannot be drawn or written."""
    check_output(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a .png file")
    if find_spec("matplotlib") is None:
        raise InputError('plots need matplotlib; run: pip install "icd_relevancy[plot]"')


def check_at_least(option: str, value: int | None, least: int) -> None:
    """Refuses a number below the least one; an option that was not given is fine."""
    if value is not None and value < least:
        raise InputError(f"{option} must be at least {least}. Received: {value}")


def check_seed(seed: int) -> None:
    """Refuses a seed that the random generators do not take."""
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed must be from 0 to {2**32 - 1}. Received: {seed}")


def note(text: str) -> None:
    """Says one line on standard error, beside what is asked for."""
    print(f"icd-relevancy: {printable(text)}", file=sys.stderr)


def tell_left_out(problems: list[str], what: str) -> int:
    """Names what had to be left out of a result, the first twenty; returns the exit code that this makes."""
    for problem in problems[:_MOST_TOLD]:
        note(problem)
    if problems:
        more = len(problems) - _MOST_TOLD
        also = f", {more} of them not named here" if more > 0 else ""
        note(f"left out {len(problems)} {what if len(problems) > 1 else what.removesuffix('s')}{also}")
    return 2 if problems else 0
