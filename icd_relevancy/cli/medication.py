"""The command line for stays and their medication: `icd-relevancy train --model medication` and `rank`."""

import json
import sys
from itertools import chain
from pathlib import Path

from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.checks import check_at_least, note, tell_left_out
from icd_relevancy.errors import InputError, printable, shown_note, shown_word
from icd_relevancy.progress import doing

_SHOWN_DRUGS, _SHOWN_STAYS = 10, 5
_WARD_COLUMNS = {
    "ndcg": "NDCG", "recall@10": "Recall@10", "recall@30": "Recall@30", "rank_errors@50": "RE@50",
    "rank_errors@100": "RE@100",
}  # fmt: skip


def add_rank_command(commands) -> None:
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


def train_medication(data: str, out: Path, config) -> None:
    """Trains a medication network on stays and writes its folder."""
    from icd_relevancy.data import load_stays

    with doing("reading the stays and their codes"):
        stays = load_stays(data, config.code_system)
    start_tensorflow()
    from icd_relevancy.training.stays.coder import MedicationCoder

    coder = MedicationCoder.train(stays, config, verbose=1 if sys.stderr.isatty() else 0)
    coder.save(out.absolute())
    history = coder.history
    if history["stays_without_codes"]:
        note(f"{_stays(history['stays_without_codes'])} no code to learn from: left out")
    if history["dropped_codes"]:
        note(f"{history['dropped_codes']} codes are not of {config.code_system}: left out")
    _tell_drugs(coder, stays)
    print(
        f"{out}: {len(coder.nodes.names)} codes of the hierarchy and {len(coder.ingredients)} drugs from "
        f"{history['stays']} stays, {history['epochs']} epochs; on the held-out part the first 30 codes hold "
        f"{100 * history['recall@30']:.1f} % of a stay's codes, {_reading(history)}"
    )


def add_by_option(evaluate) -> None:
    """Adds `--by ward` to the parser of `evaluate`."""
    evaluate.add_argument(
        "--by", choices=("ward",), help="of medication models: rank in each ward too, newborns apart"
    )


def evaluate_medication(folder: Path, data: str, by: str | None = None) -> dict:
    """The metrics of a trained medication network on stays with codes, with `by="ward"` in each ward too."""
    from icd_relevancy.data import load_stays

    start_tensorflow()
    from icd_relevancy.training.stays.coder import MedicationCoder

    coder = MedicationCoder.load(folder)
    stays = load_stays(data, coder.config.code_system)
    result = coder.evaluate(stays, by_ward=by == "ward")
    if uncoded := sum(not codes for codes in stays.codes):
        note(f"{_stays(uncoded)} no code: what is assigned to them is wrong, and they are not ranked")
    _tell_drugs(coder, stays)
    return result


def print_wards(wards: dict[str, dict], left_out: dict[str, int]) -> None:
    """Prints a line a ward, the largest first.

    Args:
        wards: The `wards` of `MedicationCoder.evaluate`.
        left_out: Its `wards_left_out`.
    """
    width = max(map(len, ("ward", *wards)))
    print(
        f"{'ward':{width}}  {'stays':>6}", *(f"{heading:>15}" for heading in _WARD_COLUMNS.values()), sep=""
    )
    for name, found in wards.items():
        cells = (_with_error(found, metric) for metric in _WARD_COLUMNS)
        print(f"{printable(name):{width}}  {found['stays']:6}", *(f"{cell:>15}" for cell in cells), sep="")
    if left_out:
        told = ", ".join(shown_word(name, quoted=False) + f" ({count})" for name, count in left_out.items())
        print(f"too few stays to measure: {told}")


def _with_error(found: dict, metric: str) -> str:
    digits = 1 if metric.startswith("rank_errors") else 3
    value, error = found[metric], found["standard_error"][metric]
    return f"{value:.{digits}f}" if error is None else f"{value:.{digits}f} ± {error:.{digits}f}"


def _rank(options):
    from icd_relevancy.data import load_stays
    from icd_relevancy.training.coder import JSON, check_kind, read_coder_json
    from icd_relevancy.training.stays.config import MedicationConfig

    check_at_least("--top-k", options.top_k, 1)
    check_kind(options.folder, "medication")
    told = read_coder_json(options.folder)["training"]
    system = MedicationConfig.from_trained(told, f"{options.folder}/{JSON}").code_system
    left_out: list[str] = []
    stays = _with_something(load_stays(options.file, system, require_codes=False), left_out)
    start_tensorflow()
    from icd_relevancy.training.stays.coder import MedicationCoder

    coder = MedicationCoder.load(options.folder)
    ranked = coder.rank(stays, options.top_k, billing_only=not options.all_levels)
    # The first codes now, so that a damaged model is told before anything is printed.
    ranked = chain([next(ranked)], ranked)
    known = _tell_drugs(coder, stays)
    expected = {name: coder.history.get(name) for name in ("rank_errors@50", "rank_errors@100")}
    if not options.json and None not in expected.values():
        print(_reading(coder.history))
    for stay_id, count, codes in zip(stays.stay_id, known, ranked, strict=True):
        if options.json:
            print(json.dumps({"stay_id": stay_id, "known_drugs": count, "codes": codes, **expected}))
            continue
        print(printable(stay_id))
        for code in codes:
            mark = "*" if code["assigned"] else " "
            print(printable(f"  {mark} {code['probability']:.3f}  {code['code']:8}  {code['title']}"))
    return tell_left_out(left_out, "stays")


def _with_something(stays, left_out: list[str]):
    """The stays of which something is known; names the others, which a model could only guess about."""
    ages, sexes = stays.age or (None,) * len(stays), stays.sex or (None,) * len(stays)
    empty = [
        not drugs and age is None and sex in (None, "unknown")
        for drugs, age, sex in zip(stays.drugs, ages, sexes, strict=True)
    ]
    named = [shown_note(stays.stay_id[row], row + 1, "stay") for row in range(len(stays)) if empty[row]]
    if all(empty):
        raise InputError(f"{stays.source}: no stay has a drug, an age or a sex to rank codes by")
    problem = "has no drug, no age and no sex to rank codes by"
    left_out.extend(f"{stays.source}: {stay} {problem}" for stay in named)
    return stays.select([not one for one in empty])


def _reading(history: dict) -> str:
    return (
        f"half of a stay's codes are found after {history['rank_errors@50']:.1f} wrong ones, "
        f"all of them after {history['rank_errors@100']:.1f} (means of the held-out stays)"
    )


def _tell_drugs(coder, stays) -> list[int]:
    """Says which stays have no drug that the model knows, and which drugs it has no input for.

    A "drug" of several words may be part of a note, so it is not shown. Returns how many drugs of each stay the
    model knows.
    """
    known = coder.known_drugs(stays).tolist()
    if without := [number for number, count in enumerate(known) if not count]:
        shown = ", ".join(
            shown_note(stays.stay_id[number], number + 1, "stay") for number in without[:_SHOWN_STAYS]
        )
        more = "" if len(without) <= _SHOWN_STAYS else f" and {len(without) - _SHOWN_STAYS} more"
        note(f"{_stays(len(without))} no drug that the model knows, only age and sex to go by: {shown}{more}")
    if unknown := coder.unknown_drugs(stays):
        shown = ", ".join(
            shown_word(drug, quoted=False) + f" ({count})" for drug, count in unknown[:_SHOWN_DRUGS]
        )
        more = "" if len(unknown) <= _SHOWN_DRUGS else f" and {len(unknown) - _SHOWN_DRUGS} more"
        told = "1 drug is" if len(unknown) == 1 else f"{len(unknown)} drugs are"
        note(f"{told} unknown to the model and left out: {shown}{more}")
    return known


def _stays(count: int) -> str:
    return "1 stay has" if count == 1 else f"{count} stays have"
