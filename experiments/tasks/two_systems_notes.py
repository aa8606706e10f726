"""Training and test notes of one code system or of two, from each of the sources."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from experiments.harness import data_folder
from experiments.jams.translation import with_half_translated
from icd_relevancy.codes import CodeMapping, CodeSystem
from icd_relevancy.data import (
    Notes,
    encode_labels,
    join_notes,
    load_notes,
    read_cmc2007,
    read_codiesp,
    split_by_code_system,
    synthetic_notes,
    train_validation_split,
)
from icd_relevancy.data.code_systems import with_canonical_codes
from icd_relevancy.errors import InputError

BySystem = dict[str, Notes]


@dataclass(frozen=True)
class Parts:
    """The notes of an experiment.

    Attributes:
        train: The training notes by the name of their code system.
        test: The test notes likewise.
        translations: What the translation of half of the notes did, for each part that was translated.
    """

    train: BySystem
    test: BySystem
    translations: list[str] = field(default_factory=list)


def read_parts(config, systems: Mapping[str, CodeSystem]) -> Parts:
    """The notes that a configuration names.

    Args:
        config: A `TwoSystemsConfig`.
        systems: Its code systems by name, one or two.

    Returns:
        The `Parts`: codes in their canonical spelling and cut to the level; codes of fewer than `min_count` notes
        left out, and notes left without a code too.

    Raises:
        InputError: If the data cannot be read, or a part of a system has no notes.
    """
    return _of_level(_read(config, systems), config)


def _read(config, systems: Mapping[str, CodeSystem]) -> Parts:
    translations = []
    if config.data == "codiesp":
        cases = (_coded(part, config, translations) for part in _cases(config))
        return Parts(*(_by_system(part, systems) for part in cases), translations)
    if config.data == "codiesp+cmc2007":
        return _with_reports(config, systems)
    if config.data == "synthetic":
        notes = _coded(synthetic_notes(config.notes, config.seed, n_codes=config.codes), config, translations)
    else:
        notes = load_notes(config.data, next(iter(systems)) if len(systems) == 1 else None)
    return replace(_held_out(_by_system(notes, systems), config), translations=translations)


def _cases(config) -> list[Notes]:
    """The training and the development cases of CodiEsp, which are the test here."""
    return [read_codiesp(data_folder("codiesp") / part, config.language) for part in ("train", "dev")]


def _with_reports(config, systems: Mapping[str, CodeSystem]) -> Parts:
    """The cases of CodiEsp beside radiology reports."""
    if len(systems) != 2:
        raise InputError(f"{config.data} is of two code systems; choose codiesp or cmc2007 for one")
    one, other = ({name: systems[name]} for name in ("icd9cm", "icd10cm"))
    reports = _held_out(_by_system(read_cmc2007(data_folder("cmc2007")), one), config)
    train, test = (_by_system(part, other) for part in _cases(config))
    return Parts(reports.train | train, reports.test | test)


def _coded(notes: Notes, config, translations: list[str]) -> Notes:
    """Notes of ICD-10-CM, half of them translated to ICD-9-CM where the experiment is of both."""
    if len(config.systems) == 1:
        return notes
    # The annotated mentions are of the codes before the translation.
    notes, report = with_half_translated(replace(notes, mentions=None), CodeMapping.gems(), config.seed)
    translations.append(str(report))
    return notes


def _by_system(notes: Notes, systems: Mapping[str, CodeSystem]) -> BySystem:
    if len(systems) == 2:
        return split_by_code_system(notes, *systems.values())
    ((name, system),) = systems.items()
    if notes.code_system is not None:
        notes = notes.select(np.array([own in (None, name) for own in notes.code_system], bool))
    return {name: with_canonical_codes(notes, system)[0]}


def _held_out(notes: BySystem, config) -> Parts:
    """A test part of all the notes: whole patients and repeated texts, of whatever system."""
    together = join_notes(notes)
    codes = [
        tuple(f"{system} {code}" for code in row) for system, part in notes.items() for row in part.codes
    ]
    y = encode_labels(codes, sorted(set(chain.from_iterable(codes))))
    in_test = np.zeros(len(together), bool)
    in_test[train_validation_split(y, together.groups(), config.test, config.seed)[1]] = True
    ends = np.cumsum([len(part) for part in notes.values()])
    rows = dict(zip(notes, np.split(in_test, ends[:-1]), strict=True))
    return Parts(
        {system: part.select(~rows[system]) for system, part in notes.items()},
        {system: part.select(rows[system]) for system, part in notes.items()},
    )


def _of_level(parts: Parts, config) -> Parts:
    """The parts without rare codes and without notes that have no others."""
    train, test = (
        {name: _cut(notes, config) for name, notes in part.items()} for part in (parts.train, parts.test)
    )
    for name in train:
        rows = chain(train[name].codes, test[name].codes)
        counts = Counter(chain.from_iterable(rows))
        frequent = {code for code, count in counts.items() if count >= config.min_count}
        for part in (train, test):
            part[name] = _with_codes(part[name], frequent)
            if not len(part[name]):
                raise InputError(
                    f"{config.data}: no note of the training or the test part has a code of {name} that "
                    f"{config.min_count} notes have; lower min_count, or give more notes"
                )
    return replace(parts, train=train, test=test)


def _cut(notes: Notes, config) -> Notes:
    """The notes with the categories of their codes, where the experiment is of these."""
    if config.level == "full":
        return notes
    codes = [tuple(dict.fromkeys(map(_category, row))) for row in notes.codes]
    mentions = notes.mentions and [
        row and tuple(dict.fromkeys((_category(code), text) for code, text in row)) for row in notes.mentions
    ]
    return replace(notes, codes=codes, mentions=mentions)


def _category(code: str) -> str:
    return code.partition(".")[0]


def _with_codes(notes: Notes, codes: set[str]) -> Notes:
    kept = [tuple(code for code in row if code in codes) for row in notes.codes]
    return replace(notes, codes=kept).select(np.array([bool(row) for row in kept], bool))
