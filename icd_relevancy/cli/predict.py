"""`icd-relevancy predict`, of notes, and `icd-relevancy rank`, of stays."""

import json
from itertools import chain
from pathlib import Path

from icd_relevancy._arguments import check_at_least
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.options import (
    STAY_MODELS,
    add_encoder,
    add_system,
    note_left_out,
    reading_effort,
    warn_drugs,
    warn_truncated,
)
from icd_relevancy.errors import InputError, printable, shown_note
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.registry import named_by
from icd_relevancy.training.stays.config import MedicationConfig


def add_predict(commands) -> None:
    """Adds `predict` to the parser's commands."""
    predict = commands.add_parser("predict", help="code new notes, ranked")
    predict.add_argument("folder", type=Path, metavar="FOLDER")
    predict.add_argument(
        "file", nargs="?", default="-", metavar="FILE|-",
        help="a text (one note), JSON (objects with note_id and text, a line each or in an array), a CSV or TSV table "
        "with a header, or Parquet; - or nothing reads any of these from standard input. Several notes in one text "
        "are read as one: give each an object or a row",
    )  # fmt: skip
    add_encoder(predict)
    add_system(predict)
    predict.add_argument("--json", action="store_true", help="print one JSON object a line")
    predict.add_argument(
        "--top-k", type=int, metavar="K", help="codes a note (default: the assigned, at least 10)"
    )
    predict.set_defaults(run=_predict)


def add_rank(commands) -> None:
    """Adds `rank` to the parser's commands."""
    rank = commands.add_parser("rank", help="rank the codes of new stays by their drugs, age and sex")
    rank.add_argument("folder", type=Path, metavar="FOLDER", help="a model of train --model medication")
    rank.add_argument(
        "file", nargs="?", default="-", metavar="FILE|-",
        help="stays with stay_id, drugs and, where known, age and sex (CSV, TSV, Parquet, JSON lines), or "
        "SOURCE:PATH; - or nothing reads such a table from standard input",
    )  # fmt: skip
    rank.add_argument("--json", action="store_true", help="print one JSON object a line")
    rank.add_argument("--top-k", type=int, default=30, metavar="K", help="codes a stay (default: 30)")
    rank.add_argument(
        "--all-levels", action="store_true", help="list chapters, blocks and categories too, not codes alone"
    )
    rank.set_defaults(run=_rank)


def _predict(options):
    from icd_relevancy.data.new_notes import read_new_notes
    from icd_relevancy.training.coder import check_kind, load_coder

    check_at_least("--top-k", options.top_k, 1)
    check_kind(options.folder, *NOTE_MODELS.names, own=True)
    left_out: list[str] = []
    notes = read_new_notes(options.file, left_out)
    start_tensorflow()
    coder = load_coder(options.folder, options.encoder, options.system)
    warn_truncated(coder.truncated(notes), coder.config)
    for note_id, codes in zip(notes.note_id, coder.predict(notes, options.top_k), strict=True):
        for system, listed in codes.items() if coder.kind == "joint" else [(None, codes)]:
            if options.json:
                named = {} if system is None else {"code_system": system}
                print(json.dumps({"note_id": note_id, **named, "codes": listed}))
            else:
                print_codes(note_id if system is None else f"{note_id} {system}", listed)
    return note_left_out(left_out, "notes")


def print_codes(heading: str, codes: list[dict]) -> None:
    """Prints the codes of a note or stay under a heading, the assigned ones with a star."""
    print(printable(heading))
    for code in codes:
        mark = "*" if code["assigned"] else " "
        print(printable(f"  {mark} {code['probability']:.3f}  {code['code']:8}  {code['title']}"))


def _rank(options):
    from icd_relevancy.data import load_stays
    from icd_relevancy.training.coder import JSON, check_kind, load_coder, read_coder_json

    check_at_least("--top-k", options.top_k, 1)
    check_kind(options.folder, *STAY_MODELS)
    settings = read_coder_json(options.folder)["training"]
    with named_by(options.folder):
        system = MedicationConfig.from_trained(settings, f"{options.folder}/{JSON}").code_system
    left_out: list[str] = []
    stays = _with_something(load_stays(options.file, system, require_codes=False), left_out)
    start_tensorflow()
    coder = load_coder(options.folder)
    ranked = coder.rank(stays, options.top_k, billing_only=not options.all_levels)
    # The first codes now, so that a damaged model is told before anything is printed.
    ranked = chain([next(ranked)], ranked)
    known = warn_drugs(coder, stays)
    expected = {name: coder.history.get(name) for name in ("rank_errors@50", "rank_errors@100")}
    if not options.json and None not in expected.values():
        print(reading_effort(coder.history))
    for stay_id, count, codes in zip(stays.stay_id, known, ranked, strict=True):
        if options.json:
            print(json.dumps({"stay_id": stay_id, "known_drugs": count, "codes": codes, **expected}))
        else:
            print_codes(stay_id, codes)
    return note_left_out(left_out, "stays")


def _with_something(stays, left_out: list[str]):
    """The stays of which something is known; names the others, which a model could only guess about."""
    ages, sexes = stays.age or (None,) * len(stays), stays.sex or (None,) * len(stays)
    empty = [
        not drugs and age is None and sex in (None, "unknown")
        for drugs, age, sex in zip(stays.drugs, ages, sexes, strict=True)
    ]
    if all(empty):
        raise InputError(f"{stays.source}: no stay has a drug, an age or a sex to rank codes by")
    for row, is_empty in enumerate(empty):
        if is_empty:
            stay = shown_note(stays.stay_id[row], row + 1, "stay")
            left_out.append(f"{stays.source}: {stay} has no drug, no age and no sex to rank codes by")
    return stays.select([not is_empty for is_empty in empty])
