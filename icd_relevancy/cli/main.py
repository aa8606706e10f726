"""The command line: `icd-relevancy train | evaluate | predict | rank | explain | vectors | data`."""

import argparse
import os
import sys
import warnings
from contextlib import suppress

from icd_relevancy._version import __version__
from icd_relevancy.cli.data import add_data_commands
from icd_relevancy.cli.evaluate import add_evaluate
from icd_relevancy.cli.explain import add_explain
from icd_relevancy.cli.options import note
from icd_relevancy.cli.predict import add_predict, add_rank
from icd_relevancy.cli.train import add_train
from icd_relevancy.cli.vectors import add_vectors_commands
from icd_relevancy.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns 0, or 2 after a line about each thing in the input that the user can mend."""
    _ready_streams()
    options = _options(arguments)
    try:
        if sys.stdout is None:
            raise InputError("standard output is closed; write into a file, or to /dev/null")
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: _print_problem(message)
            code = options.run(options)
        # A full disk shall be told here, not by the interpreter when it ends.
        sys.stdout.flush()
    except InputError as error:
        _print_problem(error)
        return 2
    except BrokenPipeError:
        # The reader has gone; let the interpreter not complain about it when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _print_problem(f"{place}{error.strerror or error}")
        return 2
    except MemoryError:
        _print_problem("out of memory; give it fewer notes at a time")
        return 2
    except KeyboardInterrupt:
        print("icd-relevancy: interrupted", file=sys.stderr)
        return 130
    return code or 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """The options of a command, wherever among them its file stands, which argparse takes only before them."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if len(rest) == 1 and not rest[0].startswith("-") and getattr(options, "file", None) == "-":
        options.file, rest = rest[0], []
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _ready_streams() -> None:
    """Lets a console that lacks a character, such as one of an identifier, show its escape instead.

    A terminal that does not know its width, as under `script`, gets one: bars would be as wide, and not be seen.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it stays open)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with suppress(AttributeError, ImportError, OSError, ValueError):
        import termios  # not on Windows

        if os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            termios.tcsetwinsize(sys.stderr.fileno(), (24, 80))


def _print_problem(problem: Exception | str) -> None:
    for line in getattr(problem, "lines", [str(problem)]):
        note(" ".join(line.split()))


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("icd-relevancy", description="Automated ICD coding.")
    parser.add_argument("--version", action="version", version=f"icd-relevancy {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        add_train, add_evaluate, add_predict, add_rank, add_explain, add_vectors_commands, add_data_commands,
    ):  # fmt: skip
        add(commands)
    return parser
