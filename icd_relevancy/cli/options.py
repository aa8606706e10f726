"""What the commands share: options, their checks, and what is said beside a result."""

import argparse
import os
import sys
from pathlib import Path

from icd_relevancy.data.sources.by_name import source_names
from icd_relevancy.errors import InputError, printable, shown_note, shown_word
from icd_relevancy.training.stays.config import MedicationConfig

STAY_MODELS = MedicationConfig.__dataclass_fields__["model"].metadata["one_of"]
_MOST_NAMED = 20
_SHOWN_DRUGS, _SHOWN_STAYS = 10, 5


def add_data(parser, code_system: bool = True) -> None:
    """Adds DATA, and `--code-system` where it is not the trained model that has one."""
    parser.add_argument(
        "data", metavar="DATA",
        help="a file of notes (CSV, TSV, Parquet, JSON lines), or SOURCE:PATH with SOURCE one of "
        f"{', '.join(source_names('notes'))}; of {' and '.join(STAY_MODELS)} models a file of stays, or "
        f"{', '.join(source_names('stays'))}; SOURCE may be MODULE:NAME of a reader of your own",
    )  # fmt: skip
    if code_system:
        parser.add_argument(
            "--code-system",
            metavar="NAME|PATH",
            help="icd10cm (default; also as ICD-10-CM or 10), icd9cm or a table",
        )


def add_named(parser, option: str, names: tuple[str, ...], text: str) -> None:
    """Adds an option that is one of these names, or the path of a thing of the user's own."""

    def known(name: str) -> str:
        if name not in names and ":" not in name:
            listed = ", ".join(map(repr, names))
            raise argparse.ArgumentTypeError(f"invalid choice: {name!r} (choose from {listed})")
        return name

    metavar = f"{{{','.join(names)}}}"
    parser.add_argument(
        option, type=known, metavar=metavar, help=f"{text}; or one of your own, as module:name"
    )


def add_encoder(parser) -> None:
    """Adds `--encoder` of a trained model."""
    parser.add_argument(
        "--encoder", metavar="NAME|PATH", help="where the encoder is (default: as at the training)"
    )


def add_system(
    parser, text: str = "of a joint model, the code system, as icd9 or icd10cm (default: both)"
) -> None:
    """Adds `--system` of a joint model."""
    parser.add_argument("--system", metavar="NAME", help=text)


def check_output(path: Path) -> None:
    """Refuses a place that cannot be written before the work is done; missing folders are made in the end."""
    existing = next((parent for parent in path.absolute().parents if parent.exists()), Path(path.anchor))
    if not existing.is_dir():
        raise InputError(f"{path}: {existing} is no folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"{path}: no permission to write into {existing}")


def verbosity() -> int:
    """How much Keras shows: bars where standard error is a terminal."""
    return 1 if sys.stderr.isatty() else 0


def note(text: str) -> None:
    """Says one line on standard error, beside what is asked for."""
    print(f"icd-relevancy: {printable(text)}", file=sys.stderr)


def note_left_out(problems: list[str], what: str) -> int:
    """Names what had to be left out of a result, the first twenty; returns the exit code that this makes."""
    for problem in problems[:_MOST_NAMED]:
        note(problem)
    if problems:
        more = len(problems) - _MOST_NAMED
        also = f", {more} of them not named here" if more > 0 else ""
        note(f"left out {len(problems)} {what if len(problems) > 1 else what.removesuffix('s')}{also}")
    return 2 if problems else 0


def warn_truncated(count: int, config) -> None:
    """Says how many notes are longer than a model reads."""
    if count:
        notes = "1 note is longer" if count == 1 else f"{count} notes are longer"
        length = f"{config.max_length} {'words' if config.reads_words else 'tokens'}"
        print(f"{notes} than {length} and read only so far (max_length)", file=sys.stderr)


def warn_drugs(coder, stays) -> list[int]:
    """Says which stays have no drug that the model knows, and which drugs it has no input for.

    A "drug" of several words may be part of a note, so it is not shown. Returns how many drugs of each stay the
    model knows.
    """
    known = coder.known_drugs(stays).tolist()
    if without := [number for number, count in enumerate(known) if not count]:
        names = [shown_note(stays.stay_id[number], number + 1, "stay") for number in without]
        shown = _first(names, _SHOWN_STAYS)
        note(f"{stays_have(len(without))} no drug that the model knows, only age and sex to go by: {shown}")
    if unknown := coder.unknown_drugs(stays):
        drugs = "1 drug is" if len(unknown) == 1 else f"{len(unknown)} drugs are"
        names = [shown_word(drug, quoted=False) + f" ({count})" for drug, count in unknown]
        note(f"{drugs} unknown to the model and left out: {_first(names, _SHOWN_DRUGS)}")
    return known


def _first(names: list[str], most: int) -> str:
    more = "" if len(names) <= most else f" and {len(names) - most} more"
    return ", ".join(names[:most]) + more


def stays_have(count: int) -> str:
    """The beginning of a sentence about stays."""
    return "1 stay has" if count == 1 else f"{count} stays have"


def reading_effort(history: dict) -> str:
    """What finding the codes of a stay takes, by the history of a training."""
    return (
        f"half of a stay's codes are found after {history['rank_errors@50']:.1f} wrong ones, "
        f"all of them after {history['rank_errors@100']:.1f} (means of the held-out stays)"
    )
