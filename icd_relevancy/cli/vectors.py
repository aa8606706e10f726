"""`icd-relevancy vectors build | show | compare`."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

from icd_relevancy._arguments import check_at_least
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.options import check_output, note, verbosity
from icd_relevancy.errors import InputError, printable, shown_code, shown_word
from icd_relevancy.progress import tell_if_long
from icd_relevancy.vectors.by_name import RECIPES

_OF_NNBSVR = ("features", "code_edits", "dimensions", "text", "fine_tune", "epochs", "network", "plot")
_OF_TEXT = ("fine_tune", "epochs", "network")
_OF_ENCODER = ("encoder", "max_length")
_MAX_LENGTH = 150
_PAIRS_SYSTEM = "icd10cm"


def add_vectors_commands(commands) -> None:
    """Adds `vectors` and its commands to the parser's commands."""
    vectors = commands.add_parser("vectors", help="build, look up and compare code vectors").add_subparsers(
        required=True, metavar="COMMAND"
    )
    _add_build(vectors)
    _add_show(vectors)
    _add_compare(vectors)


def _add_build(vectors):
    build = vectors.add_parser("build", help="make a vector for every code")
    build.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="replaces an older one")
    build.add_argument(
        "--recipe", default="nnbsvr", metavar="NAME",
        help=f"{', '.join(RECIPES.names)}, or module:name of yours (default: nnbsvr)",
    )  # fmt: skip
    build.add_argument(
        "--code-system", metavar="NAME|PATH", help="default: icd10cm, or the codes of --features alone"
    )
    build.add_argument(
        "--features", type=Path, metavar="FILE", help="a table of codes with features of your own (nnbsvr)"
    )
    build.add_argument(
        "--code-edits", type=Path, metavar="PATH", help="the Medicare Code Editor's lists (nnbsvr)"
    )
    build.add_argument("--dimensions", metavar="N|elbow", help="of nnbsvr: 29 (default), or the elbow")
    build.add_argument(
        "--text", action="store_true", default=None,
        help="nnbsvr: learn the vectors from the codes' words, and keep what the network says",
    )  # fmt: skip
    build.add_argument(
        "--fine-tune", action="store_true", default=None, help="with --text: train the encoder too"
    )
    build.add_argument("--epochs", type=int, help="with --text: epochs (default: 40, or 5 with --fine-tune)")
    build.add_argument(
        "--network", type=Path, metavar="FOLDER",
        help="with --text: keep the network too, for TextToVector.load; may lie in --out; replaces an older one",
    )  # fmt: skip
    build.add_argument(
        "--encoder", metavar="NAME|PATH", help="of --text and icd2vec (default: all-MiniLM-L6-v2)"
    )
    build.add_argument(
        "--max-length", type=int, metavar="TOKENS", help=f"of --text and icd2vec (default: {_MAX_LENGTH})"
    )
    build.add_argument("--codes", type=int, metavar="N", help="only N codes drawn at random, for a trial")
    build.add_argument("--seed", type=int, default=0, help="default: 0")
    build.add_argument("--plot", type=Path, metavar="FILE.png", help="nnbsvr: draw the explained variance")
    build.set_defaults(run=_build)


def _add_show(vectors):
    show = vectors.add_parser(
        "show", help="the codes nearest to a code, or those whose titles have some words"
    )
    show.add_argument(
        "code", nargs="+", metavar="CODE|WORD", help="a code, or words of titles, as in: show heart failure"
    )
    show.add_argument("--vectors", default="icd10cm", metavar="NAME|PATH", help="default: icd10cm")
    show.add_argument(
        "--code-system", metavar="NAME|PATH", help="tells the titles (default: that of the vectors)"
    )
    show.add_argument("--top-k", type=int, default=10, metavar="K", help="default: 10")
    show.set_defaults(run=_show)


def _add_compare(vectors):
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


def _build(options):
    takes = RECIPES.about(options.recipe)["takes"]
    _check_use(options, takes)
    dimensions = _dimensions(options.dimensions)
    _check_numbers_and_places(options)
    config = _text_config(options) if options.text or "encoder" in takes else None
    network = None
    if "knowledge" in takes:
        knowledge = _knowledge(options)
        vectors = _nnbsvr(knowledge, dimensions, options)
        if options.text:
            vectors, network = _learnt(knowledge, vectors, config, options)
    else:
        vectors = _rival(takes, config, options)
    vectors.save(options.out)
    # After the vectors, which replace what was in their folder.
    if options.network:
        network.save(options.network)
    if options.plot:
        _plot(vectors.meta, options.plot)
    elbow = f" (elbow at {vectors.meta['elbow']})" if vectors.meta.get("elbow") else ""
    print(f"{options.out}: {len(vectors)} codes, {vectors.vectors.shape[1]} dimensions{elbow}")


def _check_use(options, takes):
    """Refuses an option that the recipe, or vectors that no network makes, would not heed."""

    def first(names):
        given = [name for name in names if getattr(options, name) is not None]
        return f"--{given[0].replace('_', '-')}" if given else None

    if "knowledge" not in takes and first(_OF_NNBSVR):
        raise InputError(f"{first(_OF_NNBSVR)} belongs to --recipe nnbsvr, not {options.recipe}")
    if options.seed and "seed" not in takes and options.codes is None:
        raise InputError(
            f"--seed: --recipe {options.recipe} draws nothing at random without --codes; leave it out"
        )
    if not options.text and first(_OF_TEXT):
        raise InputError(f"{first(_OF_TEXT)} belongs to the network of the codes' words: give --text too")
    if not options.text and "encoder" not in takes and first(_OF_ENCODER):
        raise InputError(f"{first(_OF_ENCODER)} belongs to --text and to --recipe icd2vec: give one of them")


def _check_numbers_and_places(options):
    check_at_least("--codes", options.codes, 1)
    check_at_least("--epochs", options.epochs, 1)
    check_at_least("--max-length", options.max_length, 3)
    _check_seed(options.seed)
    _check_replaceable(options.out, "code vectors", "vectors.npy", "codes.json")
    if options.network:
        _check_replaceable(options.network, "text_to_vector.json", "text_to_vector.json")
    if options.plot:
        _check_plot(options.plot)
    for option, place in (("--network", options.network), ("--plot", options.plot)):
        if place and options.out.resolve().is_relative_to(place.resolve()):
            raise InputError(f"{option} {place}: --out lies there; choose another place")


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed must be from 0 to {2**32 - 1}. Received: {seed}")


def _check_replaceable(path: Path, what: str, *files: str) -> None:
    """Refuses a folder that cannot be written, or that is there already and lacks the files of such a one."""
    check_output(path)
    if path.exists() and not all((path / file).is_file() for file in files):
        raise InputError(f"{path} exists and holds no {what}; choose another folder")


def _check_plot(path: Path) -> None:
    check_output(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a .png file")
    if find_spec("matplotlib") is None:
        raise InputError('plots need matplotlib; run: pip install "icd_relevancy[plot]"')


def _text_config(options):
    """How texts are embedded and learnt."""
    start_tensorflow()
    from icd_relevancy.layers import TransformerEncoder
    from icd_relevancy.vectors.text_to_vector import TextToVectorConfig

    length = _MAX_LENGTH if options.max_length is None else options.max_length
    # Loaded for its checks alone: a faulty encoder or too great a length shall not be found after minutes.
    TransformerEncoder(options.encoder, max_length=length)
    return TextToVectorConfig(
        options.encoder, bool(options.fine_tune), length, epochs=options.epochs, seed=options.seed
    ).filled()


def _knowledge(options):
    from icd_relevancy.codes import code_knowledge, code_system, knowledge_from_table

    if options.features:
        system = options.code_system and code_system(options.code_system)
        knowledge = knowledge_from_table(options.features, system)
    else:
        knowledge = code_knowledge(code_system(options.code_system or "icd10cm"))
    return knowledge.with_code_edits(options.code_edits) if options.code_edits else knowledge


def _nnbsvr(knowledge, dimensions: int | None, options):
    from icd_relevancy.codes.system import PACKAGED_SYSTEMS
    from icd_relevancy.vectors import CodeVectors
    from icd_relevancy.vectors.nnbsvr import DIMENSIONS

    system = knowledge.code_system
    of_its_own = options.features or options.code_edits or dimensions != DIMENSIONS or options.seed
    if options.recipe == "nnbsvr" and not of_its_own and system.name in PACKAGED_SYSTEMS:
        vectors = CodeVectors.load(system.name)
    else:
        vectors = RECIPES.find(options.recipe)(knowledge, dimensions=dimensions, seed=options.seed)
    if system.name not in PACKAGED_SYSTEMS:
        # Nothing else knows the titles of a table once it has become vectors.
        vectors = CodeVectors(vectors.codes, vectors.vectors, {**vectors.meta, "titles": dict(system.titles)})
    codes = _drawn(knowledge.code_system, options)
    return vectors if codes is None else vectors.select(codes)


def _learnt(knowledge, targets, config, options):
    """The vectors that a network makes of the codes' words, trained to make the targets, and the network."""
    from icd_relevancy.files.disk import cache_folder
    from icd_relevancy.vectors import CodeVectors
    from icd_relevancy.vectors.text_to_vector import TextToVector

    texts = [knowledge.words(code) for code in targets.codes]
    tell_if_long(f"learning vectors from the words of {len(texts)} codes", len(texts))
    cache = cache_folder() / "embeddings"
    checkpoint = options.out.absolute().with_name(f".{options.out.name}.checkpoint")
    network = TextToVector.train(texts, targets.vectors, config, cache, checkpoint, verbosity())
    text = {"encoder": options.encoder, "encoder_hash": network.encoder_hash}
    text |= {"fine_tune": config.fine_tune, "epochs": config.epochs}
    vectors = CodeVectors(targets.codes, network.predict(texts, cache), {**targets.meta, "text": text})
    return vectors, network


def _rival(takes, config, options):
    from icd_relevancy.codes import code_system
    from icd_relevancy.files.disk import cache_folder

    system = code_system(options.code_system or "icd10cm")
    settings = {"seed": options.seed, "cache": cache_folder() / "embeddings"}
    if config is not None:
        settings |= {"encoder": config.encoder, "max_length": config.max_length}
    make = RECIPES.find(options.recipe)
    return make(system, _drawn(system, options), **{name: settings[name] for name in takes})


def _show(options):
    from icd_relevancy.codes import code_system
    from icd_relevancy.codes.system import code_key
    from icd_relevancy.vectors import CodeVectors

    check_at_least("--top-k", options.top_k, 1)
    vectors = CodeVectors.load(options.vectors)
    name = options.code_system or vectors.meta.get("code_system", options.vectors)
    # Vectors of a table of one's own need no code system to be looked up.
    system = code_system(name) if options.code_system or name in ("icd10cm", "icd9cm") else None
    titles = vectors.meta.get("titles", {}) if system is None else {}
    wanted = " ".join(options.code)
    code = wanted if system is None or wanted in vectors else system.normalise(wanted)
    if code is None or (code not in vectors and not any(character.isdigit() for character in wanted)):
        _show_titled(wanted, vectors, system, titles, options.top_k)
        return
    if code_key(code) != code_key(wanted):
        note(
            f"{shown_code(wanted, quoted=False)} is not in {system.name}; these are the nearest codes of {code}"
        )
    nearest = vectors.most_similar(code, options.top_k)
    for other, similarity in [(code, 1.0), *nearest]:
        print(printable(f"{similarity:6.3f}  {other:8}  {_title(other, system, titles)}".rstrip()))


def _title(code: str, system, titles: dict[str, str]) -> str:
    return titles.get(code) or (system.title(code) if system is not None and code in system else "")


def _show_titled(words: str, vectors, system, titles: dict[str, str], count: int) -> None:
    """Lists the codes whose titles have words that begin with these, those first that begin so and say little else."""
    patterns = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in words.split()]
    matches = [
        (code, title)
        for code in vectors.codes
        if (title := _title(code, system, titles)) and all(pattern.search(title) for pattern in patterns)
    ]
    if not matches:
        name = "these vectors" if system is None else system.name
        is_one = len(words.split()) == 1
        shown, these = (shown_word(words), "this word") if is_one else ("this", "all these words")
        raise InputError(f"{shown} is no code of {name}, and no title has {these}")
    matches.sort(key=lambda pair: (not patterns[0].match(pair[1]), len(pair[1].split())))
    print(f"{len(matches)} codes by title; show CODE lists the nearest to one of them")
    for code, title in matches[:count]:
        print(printable(f"{code:8}  {title}"))
    if len(matches) > count:
        note(f"{len(matches) - count} more; raise --top-k or give more words")


def _dimensions(text: str | None) -> int | None:
    from icd_relevancy.vectors.nnbsvr import DIMENSIONS

    if text is None:
        return DIMENSIONS
    if text == "elbow":
        return None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(f"--dimensions must be a number from 1, or elbow. Received: {text}")
    return number


def _drawn(system, options) -> tuple[str, ...] | None:
    """N codes at random, or None for all."""
    from icd_relevancy.vectors.validation import sample_codes

    return None if options.codes is None else sample_codes(system.codes, options.codes, options.seed)


def _plot(meta: dict, path: Path) -> None:
    import pandas as pd

    from icd_relevancy.reporting import line_plot

    curve = meta["explained_variance"]
    values = pd.DataFrame({"cumulative explained variance": curve}, index=range(1, len(curve) + 1))
    line_plot(path, values, "dimensions", "share of the variance", mark=meta["elbow"])


def _compare(options):
    check_at_least("--codes", options.codes, 1)
    _check_seed(options.seed)
    from icd_relevancy.codes import code_system
    from icd_relevancy.vectors import CodeVectors, read_code_pairs
    from icd_relevancy.vectors.pairs import scores_by_split
    from icd_relevancy.vectors.validation import sample_codes

    loaded = {name: CodeVectors.load(name) for name in options.vectors}
    system = code_system(options.code_system or _system_of(loaded))
    pairs = read_code_pairs(options.pairs) if options.pairs or system.name == _PAIRS_SYSTEM else None
    common = [code for code in system.leaves if all(code in vectors for vectors in loaded.values())]
    if len(common) < 2:
        raise InputError(f"{', '.join(loaded)}: no two codes of {system.name} have vectors in all of them")
    held_pairs = None if pairs is None else pairs.held_by(*loaded.values())
    if pairs is None:
        note(f"no pairs: the packaged ones are of {_PAIRS_SYSTEM}, not {system.name}; give --pairs")
    elif not len(held_pairs):
        note(f"no pair of the {len(pairs)} has a vector for both its codes in all of {', '.join(loaded)}")
    codes = sample_codes(common, options.codes, options.seed)
    for name, vectors in loaded.items():
        result = {
            "vectors": name,
            "dimensions": vectors.vectors.shape[1],
            "pairs": 0 if pairs is None else len(pairs),
            "pairs_held": len(held_pairs or ()),
            **scores_by_split(vectors, held_pairs),
            **_by_hierarchy(vectors, system, codes, options.seed),
        }
        if options.json:
            print(json.dumps(result))
        else:
            _print_comparison(result, len(codes))


def _system_of(loaded: dict) -> str:
    """The packaged code system that all sets name, of those that name one."""
    from icd_relevancy.codes.system import PACKAGED_SYSTEMS

    named = {vectors.meta["code_system"] for vectors in loaded.values() if "code_system" in vectors.meta}
    if len(named) > 1 or not named <= set(PACKAGED_SYSTEMS):
        sets = f"{', '.join(loaded)} are of {', '.join(sorted(named))}"
        raise InputError(f"{sets}; name the code system to compare them in with --code-system")
    return named.pop() if named else "icd10cm"


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


def _print_comparison(result: dict, codes: int) -> None:
    print(
        f"{result['vectors']}: {result['dimensions']} dimensions, {result['neighbours']:.1f} neighbours a code at "
        f"0.76 among {codes} codes"
    )
    if result["pairs"]:
        print(f"  {result['pairs_held']} of {result['pairs']} pairs are of codes with vectors in every set")
    for split, scores in result["splits"].items():
        _print_split(split, scores, result["best_threshold"])
    for level, scores in result["hierarchy"].items():
        purity, shuffled, nmi = (f"{scores[name]:.3f}" for name in ("purity", "purity_shuffled", "nmi"))
        print(f"  {level}: purity {purity} (shuffled {shuffled}), NMI {nmi}")


def _print_split(split: str, scores: dict, best: float | None) -> None:
    auc = "" if scores["pair_auc"] is None else f": AUC {scores['pair_auc']:.3f}"
    must, must_not = scores["must_match_pairs"], scores["must_not_match_pairs"]
    print(f"  {split} pairs, {must} that must match and {must_not} that must not{auc}")
    thresholds = dict(scores["thresholds"])
    if best is not None:
        thresholds[f"{best:.3f}, best on the development pairs"] = scores["at_best_threshold"]
    for threshold, shares in thresholds.items():
        reached, below = ("–" if share is None else f"{share:.1%}" for share in shares.values())
        print(
            f"    at {threshold}: {reached} of those that must match reach it, {below} of the others stay below"
        )
