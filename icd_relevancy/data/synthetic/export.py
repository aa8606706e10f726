"""Synthetic notes straight into a file, in constant memory."""

from collections.abc import Iterator

import pandas as pd
from tqdm import tqdm

from icd_relevancy.data.notes import NOTE_ENCODERS
from icd_relevancy.files.tables import write_frames

_NOTES_AT_ONCE = 2000


def write_synthetic_notes(path, n: int, seed: int = 0, n_codes: int = 3100) -> None:
    """Writes synthetic notes by the notes schema, all of them or nothing.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl` or `.parquet` file, as in `Notes.write`.
        n: Number of notes.
        seed: As in `iter_synthetic_notes`. Defaults to 0.
        n_codes: As in `iter_synthetic_notes`. Defaults to 3,100.

    Raises:
        InputError: If the suffix of the file is unknown, or `n_codes` too small or too large.

    Example:

    >>> from icd_relevancy.data.synthetic.export import write_synthetic_notes
    >>> write_synthetic_notes("results/synthetic.jsonl", 3, n_codes=100)
    """
    write_frames(_frames(n, seed, n_codes), path, NOTE_ENCODERS)


def _frames(n: int, seed: int, n_codes: int) -> Iterator[pd.DataFrame]:
    from icd_relevancy.data.synthetic.notes import synthetic_notes

    with tqdm(total=n, desc="synthetic notes", unit="note", disable=None) as bar:
        for start in range(0, n, _NOTES_AT_ONCE):
            part = synthetic_notes(min(_NOTES_AT_ONCE, n - start), seed, n_codes, start)
            yield part.to_frame()
            bar.update(len(part))
