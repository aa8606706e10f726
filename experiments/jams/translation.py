"""Notes of two code systems, made from notes of one."""

from dataclasses import replace

import numpy as np

from icd_relevancy.codes import CodeMapping, CodeSystem
from icd_relevancy.codes.mapping import TranslationReport
from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError


def with_half_translated(
    notes: Notes,
    mapping: CodeMapping,
    seed: int = 0,
    to: str | None = None,
    source_system: CodeSystem | None = None,
    target_system: CodeSystem | None = None,
) -> tuple[Notes, TranslationReport]:
    """Notes of two code systems from notes of one: half of them are coded anew through a mapping.

    Half of the groups of `Notes.groups` are drawn, so no patient and no repeated text is in both halves.
    What is translated goes to the mapping's first system (ICD-9-CM in the GEMs) unless `to` names the other, and loses
    its mentions; a note that loses all its codes stays, without codes. The report is over the notes translated.
    """
    to = mapping.first if to is None else to
    groups = notes.groups()
    count = groups.max(initial=-1) + 1
    if count < 2:
        raise InputError(
            f"{notes.source or 'notes'}: all notes share a patient or a text, so there are no two halves"
        )
    drawn = np.random.default_rng(seed).permutation(count)[: count // 2]
    drawn_rows = np.flatnonzero(np.isin(groups, drawn)).tolist()
    codes = list(notes.codes)
    translated, report = mapping.translate([codes[i] for i in drawn_rows], to, source_system, target_system)
    system = [mapping.second if to == mapping.first else mapping.first] * len(notes)
    mentions = None if notes.mentions is None else list(notes.mentions)
    for position, row in zip(drawn_rows, translated, strict=True):
        codes[position], system[position] = row, to
        if mentions is not None:
            mentions[position] = None  # they name codes of the other system
    return replace(notes, codes=tuple(codes), code_system=tuple(system), mentions=mentions), report
