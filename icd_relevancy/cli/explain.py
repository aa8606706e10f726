"""`icd-relevancy explain`."""

import json
from pathlib import Path

from tqdm import tqdm

from icd_relevancy._arguments import check_at_least
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.options import add_encoder, add_system, check_output, note_left_out
from icd_relevancy.errors import InputError
from icd_relevancy.models.by_name import NOTE_MODELS

_PAGES = (".html", ".htm")


def add_explain(commands) -> None:
    """Adds `explain` to the parser's commands."""
    explain = commands.add_parser("explain", help="show why new notes get their codes, as a page to read")
    explain.add_argument("folder", type=Path, metavar="FOLDER")
    explain.add_argument(
        "file", nargs="?", default="-", metavar="FILE|-", help="notes, as of predict (default: -)"
    )
    explain.add_argument(
        "--out", required=True, type=Path, metavar="PAGE.html", help="page to write; it holds the notes' text"
    )
    explain.add_argument(
        "--method", choices=("lime", "attention", "lexicon"),
        help="lime, what the model says without some of the words, for every model; attention, where a model with "
        "label attention looks; lexicon, the words that name the code, of a model with a lexicon (default: attention "
        "where the model has it, then lexicon)",
    )  # fmt: skip
    explain.add_argument(
        "--top-k",
        type=int,
        default=5,
        metavar="K",
        help="codes a note: the assigned, at least K (default: 5)",
    )
    explain.add_argument(
        "--samples", type=int, default=1000, metavar="N",
        help="versions of a note that lime asks about (default: 1000)",
    )  # fmt: skip
    add_encoder(explain)
    add_system(explain, "of a joint model, the code system to explain, as icd9 or icd10cm")
    explain.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object a line too: words as places in the text alone",
    )
    explain.set_defaults(run=_explain)


def _explain(options):
    from icd_relevancy.data.new_notes import read_new_notes
    from icd_relevancy.explain import write_page
    from icd_relevancy.explain.lime import LEAST_SAMPLES, check_lime
    from icd_relevancy.training.coder import check_kind, load_coder

    check_at_least("--top-k", options.top_k, 1)
    check_at_least("--samples", options.samples, LEAST_SAMPLES)
    _check_page(options.out, options.file)
    check_kind(options.folder, *NOTE_MODELS.names, own=True)
    if options.method == "lime":
        check_lime()
    left_out: list[str] = []
    notes = read_new_notes(options.file, left_out)
    start_tensorflow()
    coder = load_coder(options.folder, options.encoder, options.system)
    if coder.kind == "joint":
        raise InputError(f"{options.folder}: codes in {' and '.join(coder.coders)}; choose one with --system")
    method = _method_of(coder, options)
    # A single note has LIME's own bar; None leaves the bar out where the output is not a terminal.
    bar = tqdm(range(len(notes)), "explaining", unit="note", disable=None if len(notes) > 1 else True)
    explanations = [method(notes.select([row])) for row in bar]
    write_page(options.out, explanations)
    if options.json:
        for explanation in explanations:
            print(json.dumps(explanation.to_dict()))
    else:
        print(f"{options.out}: {_summary(explanations)}")
    return note_left_out(left_out, "notes")


def _check_page(path: Path, notes: str) -> None:
    """Refuses what is no page, and the notes' own file, so that a slip of the hand replaces no notes."""
    if path.suffix.lower() not in _PAGES:
        raise InputError(f"{path}: --out must name a page, a file that ends in .html")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    if path.exists() and Path(notes).exists() and path.samefile(notes):
        raise InputError(f"{path}: is the file of the notes; choose another --out")
    check_output(path)


def _method_of(coder, options):
    """From one note to its explanation, by the method asked for or the coder's best."""
    from icd_relevancy.explain import attention_explanation, lexicon_explanation, lime_explanation

    shared = {"decision_threshold": coder.decision_threshold, "top_k": options.top_k}
    if options.method == "lexicon" and not coder.has_lexicon:
        raise InputError(
            f"{options.folder}: its model has no lexicon; those of train --model lexicon or with --lexical have one"
        )
    if options.method == "attention" and not coder.has_attention:
        raise InputError(
            f"{options.folder}: its model has no label attention; those of train --model hmhan, caml, multirescnn, "
            "laat and plm-icd have it; --method lime explains any model"
        )

    def by_lime(note):
        return lime_explanation(
            lambda texts: coder.scores(_versions(note, texts)),
            note.text[0],
            coder.labels,
            coder.titles,
            note_id=note.note_id[0],
            samples=options.samples,
            progress=True,
            **shared,
        )

    def by_attention(note):
        weights, token_spans, category_weights = coder.attention(note)
        return attention_explanation(
            weights,
            token_spans,
            note.text[0],
            coder.scores(note)[0],
            coder.labels,
            coder.titles,
            note_id=note.note_id[0],
            category_weights=category_weights,
            categories=None if category_weights is None else coder.categories,
            **shared,
        )

    def by_lexicon(note):
        return lexicon_explanation(
            coder.evidence,
            note.text[0],
            coder.scores(note)[0],
            coder.labels,
            coder.titles,
            note_id=note.note_id[0],
            **shared,
        )

    best = "attention" if coder.has_attention else "lexicon" if coder.has_lexicon else "lime"
    return {"attention": by_attention, "lexicon": by_lexicon, "lime": by_lime}[options.method or best]


def _versions(note, texts):
    """Notes of these texts, with all that is known of the note beside its own."""
    from icd_relevancy.data import Notes

    count = len(texts)
    known = {name: getattr(note, name) for name in ("specialty", "age", "sex")}
    known = {name: column * count for name, column in known.items() if column is not None}
    return Notes(tuple(map(str, range(count))), tuple(texts), ((),) * count, **known)


def _summary(explanations) -> str:
    codes = [code for explanation in explanations for code in explanation.codes]
    notes = "1 note" if len(explanations) == 1 else f"{len(explanations)} notes"
    summary = f"{notes}, {len(codes)} codes explained by {explanations[0].method}"
    fits = [code.fidelity for code in codes if code.fidelity is not None]
    return f"{summary}, fit R² {min(fits):.2f} to {max(fits):.2f}" if fits else summary
