"""Synthetic clinical notes with ICD-10-CM codes: any number, seeded, streamed, of nobody."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from icd_relevancy.data.notes import NOTE_ENCODERS, Notes
from icd_relevancy.data.synthetic.prose import write
from icd_relevancy.data.synthetic.sampling import draw_codes, draw_patient, draw_specialty
from icd_relevancy.data.synthetic.universe import Universe, label_universe
from icd_relevancy.errors import InputError
from icd_relevancy.files.tables import write_frames

_NOTES_AT_ONCE = 2000
_SEX = {"F": "female", "M": "male"}


@dataclass(frozen=True)
class SyntheticNote:
    """A synthetic note; `distractors` are codes, or starts of codes, that it only denies or gives to a relative."""

    note_id: str
    text: str
    codes: tuple[str, ...]
    patient_id: str
    specialty: str
    age: int
    sex: str
    distractors: tuple[str, ...]


def iter_synthetic_notes(
    n: int, seed: int = 0, n_codes: int = 3100, start: int = 0
) -> Iterator[SyntheticNote]:
    """Synthetic notes one at a time, in constant memory.

    A note depends on `seed`, `n_codes` and its number alone, so a shorter run is the beginning of a longer
    one and parts can be made on several machines. Twenty-four specialties have the shares of LOSSES §4.1
    (Internal Medicine 21.71 %, Obstetrics and Gynaecology 12.06 %; the paper gives no others, and the rest is
    spread over plausible ones). A note has four codes on average, drawn with their comorbidities from a
    long-tailed distribution in its specialty and suited to the patient's age and sex.

    Args:
        n: Number of notes.
        seed: Any integer. Defaults to 0.
        n_codes: Number of distinct codes that notes may have. Defaults to 3,100 (LOSSES §4.1).
        start: Number of the first note. Defaults to 0.

    Yields:
        `SyntheticNote` number `start`, `start + 1`, …

    Raises:
        InputError: `n` or `start` is negative, or `n_codes` is too small or too large.

    Example:
        >>> from icd_relevancy.data import iter_synthetic_notes
        >>> first, second = iter_synthetic_notes(2, seed=7)
        >>> first.note_id, len(second.codes) > 0
        ('S7-0', True)
    """
    if n < 0 or start < 0:
        raise InputError(f"n is {n} and start is {start}: neither may be negative")
    return (_note(index, seed, label_universe(n_codes)) for index in range(start, start + n))


def _note(index: int, seed: int, universe: Universe) -> SyntheticNote:
    rng = random.Random(f"{seed}/{index}")
    specialty = draw_specialty(rng)
    patient = draw_patient(index, seed, specialty, universe, rng)
    codes = draw_codes(specialty, patient, universe, rng)
    prose = write(codes, specialty, patient, universe, rng)
    return SyntheticNote(
        note_id=f"S{seed}-{index}",
        text=prose.text,
        codes=codes,
        patient_id=patient.patient_id,
        specialty=specialty.name,
        age=patient.age,
        sex=_SEX[patient.sex],
        distractors=prose.distractors,
    )


def synthetic_notes(n: int, seed: int = 0, n_codes: int = 3100, start: int = 0) -> Notes:
    """Synthetic notes as a table; see `iter_synthetic_notes` for how they are made.

    Args:
        n, seed, n_codes, start: As in `iter_synthetic_notes`.

    Returns:
        `Notes` with all columns filled and `source` `"synthetic"`.

    Raises:
        InputError: As `iter_synthetic_notes`.

    Example:
        >>> from icd_relevancy.data import synthetic_notes
        >>> notes = synthetic_notes(5, seed=1)
        >>> len(notes.text), notes.source
        (5, 'synthetic')
    """
    notes = list(iter_synthetic_notes(n, seed, n_codes, start))
    columns = ("note_id", "text", "codes", "patient_id", "specialty", "age", "sex")
    return Notes(
        **{name: tuple(getattr(note, name) for note in notes) for name in columns}, source="synthetic"
    )


def write_synthetic_notes(path, n: int, seed: int = 0, n_codes: int = 3100) -> None:
    """Writes synthetic notes into a file of the notes schema in constant memory, all of them or nothing."""
    write_frames(_frames(n, seed, n_codes), path, NOTE_ENCODERS)


def _frames(n: int, seed: int, n_codes: int) -> Iterator[pd.DataFrame]:
    from tqdm import tqdm

    with tqdm(total=n, desc="synthetic notes", unit="note", disable=None) as bar:
        for start in range(0, n, _NOTES_AT_ONCE):
            part = synthetic_notes(min(_NOTES_AT_ONCE, n - start), seed, n_codes, start)
            yield part.to_frame()
            bar.update(len(part))
