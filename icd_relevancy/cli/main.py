"""The command line: `icd-relevancy train | evaluate | predict | rank | explain | vectors | data`."""

import argparse
import json
import os
import sys
import warnings
from contextlib import suppress
from dataclasses import Field
from pathlib import Path
from typing import get_args

from icd_relevancy._keras import start_tensorflow
from icd_relevancy._version import __version__
from icd_relevancy.cli.checks import check_output, note, tell_left_out
from icd_relevancy.cli.data import add_data_argument, add_data_commands, default_code_system
from icd_relevancy.cli.explain import add_explain_command
from icd_relevancy.cli.medication import (
    add_by_option,
    add_rank_command,
    evaluate_medication,
    print_wards,
    train_medication,
)
from icd_relevancy.cli.vectors import add_vectors_commands
from icd_relevancy.errors import InputError, printable, shown_code
from icd_relevancy.files.disk import recover
from icd_relevancy.losses.by_name import NOTE_LOSSES, STAY_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.progress import doing
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.stays.config import MedicationConfig

_LOSSES = tuple(dict.fromkeys(NOTE_LOSSES.names + STAY_LOSSES.names))


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns 0, or 2 after a line about each thing in the input that the user can mend."""
    _ready_streams()
    options = _options(arguments)
    try:
        if sys.stdout is None:
            raise InputError("standard output is closed; write into a file, or to /dev/null")
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: _tell(message)
            code = options.run(options)
        # A full disk shall be told here, not by the interpreter when it ends.
        sys.stdout.flush()
    except InputError as error:
        _tell(error)
        return 2
    except BrokenPipeError:
        # The reader has gone; let the interpreter not complain about it when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _tell(f"{place}{error.strerror or error}")
        return 2
    except MemoryError:
        _tell("out of memory; give it fewer notes at a time")
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


def _tell(problem: Exception | str) -> None:
    for line in getattr(problem, "lines", [str(problem)]):
        note(" ".join(line.split()))


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("icd-relevancy", description="Automated ICD coding.")
    parser.add_argument("--version", action="version", version=f"icd-relevancy {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model on coded notes or stays")
    add_data_argument(train)
    train.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="folder for the trained model; replaces an older one",
    )
    train.add_argument("--config", type=Path, metavar="FILE.yaml", help="settings; options given here win")
    train.add_argument(
        "--model", **_named((*NOTE_MODELS.names, "medication")),
        help="linear (default), one dense layer on the encoder of a note; hmhan, attention over categories and "
        "their codes; caml, multirescnn, laat, plm-icd, attention for each code over words or tokens of long notes; "
        "lexicon, the terms of the codes that a note names; medication, a network that ranks the whole hierarchy "
        "from a stay's drugs, age and sex; or one of your own, as module:name",
    )  # fmt: skip
    for name in ("lexical", "joint"):
        _add_setting(train, TrainingConfig.all_fields()[name])
    train.add_argument(
        "--loss", **_named(_LOSSES),
        help="default: bce; tlcl, plcl, bhml and whml are of models of notes, focal of both, the others of medication; "
        "or one of your own, as module:name",
    )  # fmt: skip
    for name in ("alpha", "vectors", "threshold", "encoder", "fine_tune", "epochs", "seed"):
        _add_setting(train, TrainingConfig.all_fields()[name])
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="measure a trained model on coded notes or stays")
    evaluate.add_argument("folder", type=Path, metavar="FOLDER")
    add_data_argument(evaluate, code_system=False)
    _add_encoder(evaluate)
    add_by_option(evaluate)
    _add_system(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(run=_evaluate)

    predict = commands.add_parser("predict", help="code new notes, ranked")
    predict.add_argument("folder", type=Path, metavar="FOLDER")
    predict.add_argument(
        "file", nargs="?", default="-", metavar="FILE|-",
        help="a text (one note), JSON (objects with note_id and text, a line each or in an array), a CSV or TSV table "
        "with a header, or Parquet; - or nothing reads any of these from standard input. Several notes in one text "
        "are read as one: give each an object or a row",
    )  # fmt: skip
    _add_encoder(predict)
    _add_system(predict)
    predict.add_argument("--json", action="store_true", help="print one JSON object a line")
    predict.add_argument(
        "--top-k", type=int, metavar="K", help="codes a note (default: the assigned, at least 10)"
    )
    predict.set_defaults(run=_predict)

    add_rank_command(commands)
    add_explain_command(commands)
    add_vectors_commands(commands)

    add_data_commands(commands)
    return parser


def _add_setting(parser, setting: Field) -> None:
    """Adds a setting as an option, with the help that its field has."""
    kind = (get_args(setting.type) or (setting.type,))[0]
    how = {"action": "store_true", "default": None} if kind is bool else {"type": kind}
    if kind is str:
        how["metavar"] = "NAME|PATH"
    parser.add_argument(f"--{setting.name.replace('_', '-')}", help=setting.metadata["option"], **how)


def _named(names: tuple[str, ...]) -> dict:
    """How an option is read that is one of these names, or the path of a thing of the user's own."""

    def known(text: str) -> str:
        if text not in names and ":" not in text:
            listed = ", ".join(map(repr, names))
            raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {listed})")
        return text

    return {"type": known, "metavar": f"{{{','.join(names)}}}"}


def _add_encoder(parser):
    parser.add_argument(
        "--encoder", metavar="NAME|PATH", help="where the encoder is (default: as at the training)"
    )


def _add_system(parser):
    parser.add_argument(
        "--system",
        metavar="NAME",
        help="of a joint model, the code system, as icd9 or icd10cm (default: both)",
    )


def _train(options):
    from icd_relevancy.files.disk import cache_folder
    from icd_relevancy.settings import read_yaml

    settings = read_yaml(options.config) if options.config else {}
    names = (
        "model lexical joint loss alpha code_system vectors threshold encoder fine_tune epochs seed".split()
    )
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = {"code_system": default_code_system(options.data), **settings, **given}
    for name in ("code_system", "joint_system", "mapping", "vectors", "word_vectors", "encoder"):
        if isinstance(settings.get(name), str) and Path(settings[name]).exists():
            # The trained model asks for it again, from wherever it is used then.
            settings[name] = str(Path(settings[name]).resolve())
    named = str(options.config or "the options")
    if any(":" in str(settings.get(name)) for name in ("model", "loss")):
        start_tensorflow()  # the module of a thing of the user's own may import Keras
    if settings.get("model") == "medication":
        config = _medication_config(settings, given, named)
    else:
        config = TrainingConfig.from_mapping(settings, named)
    check_output(options.out)
    recover(options.out)
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"{options.out}: exists and is no folder; choose another --out")
    if options.out.exists() and any(options.out.iterdir()) and not (options.out / "coder.json").exists():
        raise InputError(f"{options.out}: exists and holds no trained model; choose another --out")
    if config.model == "medication":
        train_medication(options.data, options.out, config)
        return
    with doing("reading the notes and their codes"):
        notes = _notes_to_learn(options.data, config)
    start_tensorflow()
    from icd_relevancy.training.notes.coder import NoteCoder
    from icd_relevancy.training.notes.joint_coder import JointCoder

    out = options.out.absolute()
    resumable = config.takes_long
    checkpoint = out.with_name(f".{out.name}.checkpoint.npz") if resumable else None
    verbose = 1 if sys.stderr.isatty() else 0
    train = JointCoder.train if config.joint else NoteCoder.train
    coder = train(notes, config, cache_folder() / "embeddings", checkpoint, verbose)
    coder.save(out)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    coders = list(coder.coders.values()) if config.joint else [coder]
    for one in coders:
        _tell_trained(options.out, one)
    _tell_truncated(coders[0].history["truncated"], config)


def _notes_to_learn(data: str, config):
    """The notes of a training, in one code system or two; tells which codes the system knows by an ancestor."""
    from icd_relevancy.codes import code_system
    from icd_relevancy.data import load_notes
    from icd_relevancy.data.code_systems import with_canonical_codes

    if config.joint:
        return load_notes(data, None)
    notes = load_notes(data, config.code_system)
    _, report = with_canonical_codes(notes, code_system(config.code_system))
    if report.ancestor_codes:
        shown = ", ".join(
            shown_code(code, quoted=False) + f" by {ancestor}" for code, ancestor in report.ancestor_codes[:5]
        )
        print(
            f"{report.to_ancestor} codes are not in {config.code_system}, each known by an ancestor: {shown}",
            file=sys.stderr,
        )
    return notes


def _tell_trained(folder: Path, coder) -> None:
    history = coder.history
    system = f" {coder.config.code_system}" if coder.config.joint else ""
    print(
        f"{folder}: {len(coder.labels)}{system} codes from {history['notes']} notes, {history['epochs']} epochs, "
        f"micro-F1 {history['validation_micro_f1']:.3f} on the held-out part at the decision threshold "
        f"{coder.decision_threshold:.3f}"
    )
    if links := history.get("links"):
        print(links)
    if imbalance := history.get("imbalance"):
        before, after = imbalance["mean"]
        print(f"over-sampled by ML-SMOTE: mean imbalance ratio {before:.1f}, then {after:.1f}")


def _tell_truncated(count: int, config) -> None:
    if count:
        told = "1 note is longer" if count == 1 else f"{count} notes are longer"
        length = f"{config.max_length} {'words' if config.reads_words else 'tokens'}"
        print(f"{told} than {length} and read only so far (max_length)", file=sys.stderr)


def _medication_config(settings: dict, given: dict, named: str):
    foreign = [name for name in given if name not in MedicationConfig.all_fields()]
    if foreign:
        raise InputError(f"--{foreign[0].replace('_', '-')} is of models of notes, not of --model medication")
    return MedicationConfig.from_mapping(settings, named)


def _evaluate(options):
    from icd_relevancy.training.coder import check_kind

    if check_kind(options.folder) == "medication":
        if options.system:
            raise InputError(f"--system is of joint models of notes; {options.folder} is a medication model")
        result = evaluate_medication(options.folder, options.data, options.by)
    elif options.by:
        raise InputError(f"--by {options.by} is of medication models; {options.folder} is of notes")
    else:
        result = _evaluate_notes(options)
    if options.json:
        print(json.dumps(result))
        return
    wards = (result.pop("wards"), result.pop("wards_left_out")) if options.by else None
    if "notes" in result:
        _print_metrics(result)
    else:
        for system, of_system in result.items():
            print(f"--- {system}")
            _print_metrics(of_system)
    if wards:
        print_wards(*wards)


def _print_metrics(result: dict) -> None:
    for name, value in result.items():
        if isinstance(value, dict):
            print(name)
            for metric, score in value.items():
                print(f"  {metric:18} {'not defined' if score is None else format(score, '.4f')}")
        else:
            print(f"{name:20} {value if isinstance(value, int) else format(value, '.4f')}")


def _evaluate_notes(options) -> dict:
    from icd_relevancy.data import load_notes
    from icd_relevancy.files.disk import cache_folder

    start_tensorflow()
    from icd_relevancy.training.coder import load_coder
    from icd_relevancy.training.notes.joint_coder import JointCoder

    coder = load_coder(options.folder, options.encoder, options.system)
    notes = load_notes(options.data, None if isinstance(coder, JointCoder) else coder.config.code_system)
    _tell_truncated(coder.truncated(notes), coder.config)
    return coder.evaluate(notes, cache_folder() / "embeddings")


def _predict(options):
    if options.top_k is not None and options.top_k < 1:
        raise InputError(f"--top-k must be at least 1. Received: {options.top_k}")
    from icd_relevancy.data.new_notes import read_new_notes
    from icd_relevancy.training.coder import check_kind

    check_kind(options.folder, *NOTE_MODELS.names, own=True)
    left_out: list[str] = []
    notes = read_new_notes(options.file, left_out)
    start_tensorflow()
    from icd_relevancy.training.coder import load_coder
    from icd_relevancy.training.notes.joint_coder import JointCoder

    coder = load_coder(options.folder, options.encoder, options.system)
    _tell_truncated(coder.truncated(notes), coder.config)
    for note_id, codes in zip(notes.note_id, coder.predict(notes, options.top_k), strict=True):
        for system, of_system in codes.items() if isinstance(coder, JointCoder) else [(None, codes)]:
            _print_codes(note_id, system, of_system, options.json)
    return tell_left_out(left_out, "notes")


def _print_codes(note_id: str, system: str | None, codes: list[dict], as_json: bool) -> None:
    """The codes of a note; of a joint model that codes in all its systems, with the name of one."""
    if as_json:
        named = {} if system is None else {"code_system": system}
        print(json.dumps({"note_id": note_id, **named, "codes": codes}))
        return
    print(printable(note_id if system is None else f"{note_id} {system}"))
    for code in codes:
        mark = "*" if code["assigned"] else " "
        print(printable(f"  {mark} {code['probability']:.3f}  {code['code']:8}  {code['title']}"))
