"""`icd-relevancy evaluate`."""

import json
from pathlib import Path

from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.options import (
    add_data,
    add_encoder,
    add_system,
    note,
    stays_have,
    warn_drugs,
    warn_truncated,
)
from icd_relevancy.errors import InputError, printable, shown_word
from icd_relevancy.files.disk import cache_folder

_WARD_COLUMNS = {
    "ndcg": "NDCG", "recall@10": "Recall@10", "recall@30": "Recall@30", "rank_errors@50": "RE@50",
    "rank_errors@100": "RE@100",
}  # fmt: skip


def add_evaluate(commands) -> None:
    """Adds `evaluate` to the parser's commands."""
    evaluate = commands.add_parser("evaluate", help="measure a trained model on coded notes or stays")
    evaluate.add_argument("folder", type=Path, metavar="FOLDER")
    add_data(evaluate, code_system=False)
    add_encoder(evaluate)
    evaluate.add_argument(
        "--by", choices=("ward",), help="of medication models: rank in each ward too, newborns apart"
    )
    add_system(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options):
    from icd_relevancy.training.coder import check_kind, coder_kind, load_coder, read_coder_json

    model = check_kind(options.folder)
    is_of_stays = coder_kind(read_coder_json(options.folder)) == "stays"
    if is_of_stays and options.system:
        raise InputError(f"--system is of joint models of notes; {options.folder} is a {model} model")
    if options.by and not is_of_stays:
        raise InputError(f"--by {options.by} is of medication models; {options.folder} is of notes")
    start_tensorflow()
    coder = load_coder(options.folder, options.encoder, options.system)
    result = (_on_stays if is_of_stays else _on_notes)(coder, options)
    if options.json:
        print(json.dumps(result))
        return
    wards = (result.pop("wards"), result.pop("wards_left_out")) if options.by else None
    if coder.kind == "joint":
        for system, metrics in result.items():
            print(f"--- {system}")
            _print_metrics(metrics)
    else:
        _print_metrics(result)
    if wards:
        print_wards(*wards)


def _on_notes(coder, options) -> dict:
    from icd_relevancy.data import load_notes

    notes = load_notes(options.data, None if coder.kind == "joint" else coder.config.code_system)
    warn_truncated(coder.truncated(notes), coder.config)
    return coder.evaluate(notes, cache_folder() / "embeddings")


def _on_stays(coder, options) -> dict:
    from icd_relevancy.data import load_stays

    stays = load_stays(options.data, coder.config.code_system)
    result = coder.evaluate(stays, by_ward=options.by == "ward")
    if uncoded := sum(not codes for codes in stays.codes):
        note(f"{stays_have(uncoded)} no code: what is assigned to them is wrong, and they are not ranked")
    warn_drugs(coder, stays)
    return result


def _print_metrics(result: dict) -> None:
    for name, value in result.items():
        if isinstance(value, dict):
            print(name)
            for metric, score in value.items():
                print(f"  {metric:18} {'not defined' if score is None else format(score, '.4f')}")
        else:
            print(f"{name:20} {value if isinstance(value, int) else format(value, '.4f')}")


def print_wards(wards: dict[str, dict], left_out: dict[str, int]) -> None:
    """Prints a line a ward, the largest first, of what `MedicationCoder.evaluate` gives by ward."""
    width = max(map(len, ("ward", *wards)))
    headings = (f"{heading:>15}" for heading in _WARD_COLUMNS.values())
    print(f"{'ward':{width}}  {'stays':>6}", *headings, sep="")
    for name, scores in wards.items():
        cells = (f"{_with_error(scores, metric):>15}" for metric in _WARD_COLUMNS)
        print(f"{printable(name):{width}}  {scores['stays']:6}", *cells, sep="")
    if left_out:
        names = (shown_word(name, quoted=False) + f" ({count})" for name, count in left_out.items())
        print(f"too few stays to measure: {', '.join(names)}")


def _with_error(scores: dict, metric: str) -> str:
    digits = 1 if metric.startswith("rank_errors") else 3
    value, error = scores[metric], scores["standard_error"][metric]
    return f"{value:.{digits}f}" if error is None else f"{value:.{digits}f} ± {error:.{digits}f}"
