"""`icd-relevancy train`."""

import sys
from dataclasses import Field
from pathlib import Path
from typing import get_args

from icd_relevancy._keras import start_tensorflow
from icd_relevancy.cli.options import (
    STAY_MODELS,
    add_data,
    add_named,
    check_output,
    note,
    reading_effort,
    stays_have,
    verbosity,
    warn_drugs,
    warn_truncated,
)
from icd_relevancy.data.sources.by_name import source_systems
from icd_relevancy.errors import InputError, shown_code
from icd_relevancy.files.disk import cache_folder, recover
from icd_relevancy.losses.by_name import NOTE_LOSSES, STAY_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.progress import doing
from icd_relevancy.settings import read_yaml
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.stays.config import MedicationConfig

# What a trained model asks for again, from wherever it is used then.
_PATHS = ("code_system", "joint_system", "mapping", "vectors", "word_vectors", "encoder")
# What else a model reads, and codes in, is listed beside it; the rest in the order of the settings.
_BESIDE_THE_MODEL = ("lexical", "joint")


def add_train(commands) -> None:
    """Adds `train` to the parser's commands."""
    train = commands.add_parser("train", help="train a model on coded notes or stays")
    add_data(train)
    train.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER",
        help="folder for the trained model; replaces an older one",
    )  # fmt: skip
    train.add_argument("--config", type=Path, metavar="FILE.yaml", help="settings; options given here win")
    add_named(
        train, "--model", (*NOTE_MODELS.names, *STAY_MODELS),
        "linear (default), one dense layer on the encoder of a note; hmhan, attention over categories and "
        "their codes; caml, multirescnn, laat, plm-icd, attention for each code over words or tokens of long notes; "
        "lexicon, the terms of the codes that a note names; medication, a network that ranks the whole hierarchy "
        "from a stay's drugs, age and sex",
    )  # fmt: skip
    settings = _settings_with_options()
    for name in _BESIDE_THE_MODEL:
        _add_setting(train, settings.pop(name))
    of_notes, of_both = [], []
    for name in NOTE_LOSSES.names:
        (of_both if name in STAY_LOSSES.names else of_notes).append(name)
    add_named(
        train, "--loss", tuple(dict.fromkeys(NOTE_LOSSES.names + STAY_LOSSES.names)),
        f"default: {TrainingConfig.loss}; {', '.join(of_notes[:-1])} and {of_notes[-1]} are of models of notes, "
        f"{', '.join(of_both[1:])} of both, the others of {' and '.join(STAY_MODELS)}",
    )  # fmt: skip
    for setting in settings.values():
        _add_setting(train, setting)
    train.set_defaults(run=_train)


def _settings_with_options() -> dict[str, Field]:
    """The settings of a training on notes that are options too."""
    known = TrainingConfig.all_fields()
    names = dict.fromkeys((*_BESIDE_THE_MODEL, *TrainingConfig.__signature__.parameters))
    return {name: known[name] for name in names if "option" in known[name].metadata}


def _add_setting(parser, setting: Field) -> None:
    kind, *_ = get_args(setting.type) or (setting.type,)
    if kind is bool:
        how = {"action": "store_true", "default": None}
    else:
        how = {"metavar": "NAME|PATH"} if kind is str else {"type": kind}
    models = ", ".join(NOTE_MODELS.with_setting(setting.name))
    text = setting.metadata["option"].format(models=models)
    parser.add_argument(f"--{setting.name.replace('_', '-')}", help=text, **how)


def _train(options):
    config = _config(options)
    check_output(options.out)
    recover(options.out)
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"{options.out}: exists and is no folder; choose another --out")
    if options.out.exists() and any(options.out.iterdir()) and not (options.out / "coder.json").exists():
        raise InputError(f"{options.out}: exists and holds no trained model; choose another --out")
    train = _train_on_stays if isinstance(config, MedicationConfig) else _train_on_notes
    train(options.data, options.out, config)


def _config(options) -> TrainingConfig | MedicationConfig:
    """The settings of a training: options win over the file, the file over what the data are usually coded in."""
    settings = read_yaml(options.config) if options.config else {}
    names = ("model", "loss", "code_system", *_settings_with_options())
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = {"code_system": source_systems(options.data)[0], **settings, **given}
    for name in _PATHS:
        if isinstance(settings.get(name), str) and Path(settings[name]).exists():
            settings[name] = str(Path(settings[name]).resolve())
    if any(":" in str(settings.get(name)) for name in ("model", "loss")):
        start_tensorflow()  # the module of a thing of the user's own may import Keras
    kind = TrainingConfig
    if (model := settings.get("model")) in STAY_MODELS:
        kind = MedicationConfig
        if foreign := [name for name in given if name not in kind.all_fields()]:
            option = f"--{foreign[0].replace('_', '-')}"
            raise InputError(f"{option} is of models of notes, not of --model {model}")
    return kind.from_mapping(settings, str(options.config or "the options"))


def _train_on_notes(data: str, out: Path, config: TrainingConfig) -> None:
    with doing("reading the notes and their codes"):
        notes = _notes_to_learn(data, config)
    start_tensorflow()
    from icd_relevancy.training.coder import CODERS

    place = out.absolute()
    checkpoint = place.with_name(f".{place.name}.checkpoint.npz") if config.takes_long else None
    kind = CODERS.find("joint" if config.joint else "notes")
    coder = kind.train(notes, config, cache_folder() / "embeddings", checkpoint, verbosity())
    coder.save(place)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    coders = list(coder.coders.values()) if config.joint else [coder]
    for one in coders:
        _print_trained(out, one)
    warn_truncated(coders[0].history["truncated"], config)


def _notes_to_learn(data: str, config: TrainingConfig):
    """The notes of a training, in one code system or two; says which codes the system knows by an ancestor."""
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


def _print_trained(folder: Path, coder) -> None:
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


def _train_on_stays(data: str, out: Path, config: MedicationConfig) -> None:
    from icd_relevancy.data import load_stays

    with doing("reading the stays and their codes"):
        stays = load_stays(data, config.code_system)
    start_tensorflow()
    from icd_relevancy.training.coder import CODERS

    coder = CODERS.find("stays").train(stays, config, verbose=verbosity())
    coder.save(out.absolute())
    history = coder.history
    if history["stays_without_codes"]:
        note(f"{stays_have(history['stays_without_codes'])} no code to learn from: left out")
    if history["dropped_codes"]:
        note(f"{history['dropped_codes']} codes are not of {config.code_system}: left out")
    warn_drugs(coder, stays)
    print(
        f"{out}: {len(coder.nodes.names)} codes of the hierarchy and {len(coder.ingredients)} drugs from "
        f"{history['stays']} stays, {history['epochs']} epochs; on the held-out part the first 30 codes hold "
        f"{100 * history['recall@30']:.1f} % of a stay's codes, {reading_effort(history)}"
    )
