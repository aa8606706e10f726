"""The command line's comparison of code vectors: `icd-relevancy vectors compare`."""

import json
from pathlib import Path

from icd_relevancy.cli.checks import check_at_least, check_seed, note
from icd_relevancy.errors import InputError

PAIRS_SYSTEM = "icd10cm"


def add_compare_command(vectors) -> None:
    """Adds `compare` to the commands of `vectors`."""
    compare = vectors.add_parser("compare", help="test code vectors on pairs of codes and on the hierarchy")
    compare.add_argument("vectors", nargs="+", metavar="NAME|PATH")
    compare.add_argument("--code-system", metavar="NAME|PATH", help="default: that of the vectors")
    compare.add_argument(
        "--pairs", type=Path, metavar="FILE.csv", help="default: the packaged pairs, of icd10cm alone"
    )
    compare.add_argument(
        "--codes", type=int, default=10000, metavar="N", help="codes for the hierarchy (default: 10000)"
    )
    compare.add_argument("--seed", type=int, default=0, help="default: 0")
    compare.add_argument("--json", action="store_true", help="print one JSON object a line")
    compare.set_defaults(run=_compare)


def _compare(options):
    check_at_least("--codes", options.codes, 1)
    check_seed(options.seed)
    from icd_relevancy.codes import code_system
    from icd_relevancy.vectors import CodeVectors, read_code_pairs
    from icd_relevancy.vectors.validation import sample_codes

    loaded = {name: CodeVectors.load(name) for name in options.vectors}
    system = code_system(options.code_system or _system_of(loaded))
    pairs = read_code_pairs(options.pairs) if options.pairs or system.name == PAIRS_SYSTEM else None
    common = [code for code in system.leaves if all(code in vectors for vectors in loaded.values())]
    if len(common) < 2:
        raise InputError(f"{', '.join(loaded)}: no two codes of {system.name} have vectors in all of them")
    held = None if pairs is None else pairs.held_by(*loaded.values())
    if pairs is None:
        note(f"no pairs: the packaged ones are of {PAIRS_SYSTEM}, not {system.name}; give --pairs")
    elif not len(held):
        note(f"no pair of the {len(pairs)} has a vector for both its codes in all of {', '.join(loaded)}")
    codes = sample_codes(common, options.codes, options.seed)
    for name, vectors in loaded.items():
        result = {
            "vectors": name,
            "dimensions": vectors.vectors.shape[1],
            "pairs": 0 if pairs is None else len(pairs),
            "pairs_held": len(held or ()),
            **_by_pairs(vectors, held),
            **_by_hierarchy(vectors, system, codes, options.seed),
        }
        print(json.dumps(result) if options.json else _told(result, len(codes)))


def _system_of(loaded: dict) -> str:
    """The packaged code system that all sets name, of those that name one."""
    from icd_relevancy.codes.system import PACKAGED_SYSTEMS

    named = {vectors.meta["code_system"] for vectors in loaded.values() if "code_system" in vectors.meta}
    if len(named) > 1 or not named <= set(PACKAGED_SYSTEMS):
        told = f"{', '.join(loaded)} are of {', '.join(sorted(named))}"
        raise InputError(f"{told}; name the code system to compare them in with --code-system")
    return named.pop() if named else "icd10cm"


def _by_pairs(vectors, pairs) -> dict:
    """Each split by itself, with the threshold that is best on the development pairs."""
    from icd_relevancy.vectors.pairs import best_threshold

    if not pairs:
        return {"best_threshold": None, "splits": {}}
    splits = {split: pairs.select(split=split) for split in dict.fromkeys(pairs.table["split"])}
    development = splits.get("development")
    best = best_threshold(vectors, development).threshold if _of_both_sorts(development) else None
    return {
        "best_threshold": best,
        "splits": {split: _of_split(vectors, part, best) for split, part in splits.items()},
    }


def _of_both_sorts(pairs) -> bool:
    return pairs is not None and {"yes", "no"} <= set(pairs.table["match"])


def _of_split(vectors, pairs, best: float | None) -> dict:
    from icd_relevancy.vectors.pairs import THRESHOLDS, pair_auc, pair_report

    report = pair_report(vectors, pairs, [*THRESHOLDS, *([] if best is None else [best])])
    report = report.astype(object).where(report.notna(), None)
    shares = [
        {"must_match_reached": row.must_reached, "must_not_match_below": row.must_not_below}
        for row in report[report.kind == "all"].itertuples()
    ]
    first = report.iloc[0]
    return {
        "must_match_pairs": first.must_pairs,
        "must_not_match_pairs": first.must_not_pairs,
        "pair_auc": pair_auc(vectors, pairs) if _of_both_sorts(pairs) else None,
        "thresholds": {f"{tau:g}": row for tau, row in zip(THRESHOLDS, shares, strict=False)},
        "at_best_threshold": None if best is None else shares[-1],
    }


def _by_hierarchy(vectors, system, codes, seed: int) -> dict:
    from icd_relevancy.vectors import hierarchy_reconstruction, neighbour_counts

    levels = hierarchy_reconstruction(vectors, system, codes, seed)
    return {
        "neighbours": neighbour_counts(vectors.select(codes)).mean,
        "hierarchy": {
            row.level: {"purity": row.purity, "nmi": row.nmi, "purity_shuffled": row.purity_shuffled}
            for row in levels.itertuples()
        },
    }


def _told(result: dict, codes: int) -> str:
    lines = [
        f"{result['vectors']}: {result['dimensions']} dimensions, {result['neighbours']:.1f} neighbours a code at "
        f"0.76 among {codes} codes"
    ]
    if result["pairs"]:
        lines.append(
            f"  {result['pairs_held']} of {result['pairs']} pairs are of codes with vectors in every set"
        )
    for split, judged in result["splits"].items():
        lines += _told_split(split, judged, result["best_threshold"])
    for level, scores in result["hierarchy"].items():
        lines.append(
            f"  {level}: purity {scores['purity']:.3f} (shuffled {scores['purity_shuffled']:.3f}), "
            f"NMI {scores['nmi']:.3f}"
        )
    return "\n".join(lines)


def _told_split(split: str, judged: dict, best: float | None) -> list[str]:
    auc = "" if judged["pair_auc"] is None else f": AUC {judged['pair_auc']:.3f}"
    lines = [
        f"  {split} pairs, {judged['must_match_pairs']} that must match and {judged['must_not_match_pairs']} that "
        f"must not{auc}"
    ]
    thresholds = dict(judged["thresholds"])
    if best is not None:
        thresholds[f"{best:.3f}, best on the development pairs"] = judged["at_best_threshold"]
    for threshold, shares in thresholds.items():
        reached, below = (
            "–" if share is None else f"{share:.1%}"
            for share in (shares["must_match_reached"], shares["must_not_match_below"])
        )
        lines.append(
            f"    at {threshold}: {reached} of those that must match reach it, {below} of the others stay below"
        )
    return lines
