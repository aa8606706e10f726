"""Clinical notes with their codes, in memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from icd_relevancy.data.labels import label_names
from icd_relevancy.data.mentions import NOTE_ENCODERS
from icd_relevancy.errors import InputError, shown_note
from icd_relevancy.files.tables import write_frames

_OPTIONAL = ("patient_id", "specialty", "age", "sex", "code_system", "mentions")


@dataclass(frozen=True, repr=False)
class Notes:
    """Clinical notes and their codes: one tuple for each column of the notes schema.

    Args:
        note_id: Identifiers, unique.
        text: The notes.
        codes: For each note a tuple of its codes; empty for a note without codes.
        patient_id: For each note its patient, None where not known. Defaults to None: not known for any.
        specialty: For each note its specialty, None where not known. Defaults to None.
        age: For each note the patient's age in years, None where not known. Defaults to None.
        sex: For each note `"female"`, `"male"`, `"other"`, `"unknown"` or None. Defaults to None.
        source: Where the notes come from, for reports. Defaults to `""`.
        code_system: For each note the name of the code system of its codes, None where not told. Defaults to
            None.
        mentions: For each note the pairs `(code, text)` of its annotated mentions, the words that the code was
            given for; None where not annotated. Defaults to None.

    Raises:
        InputError: If the columns differ in length, a note_id repeats, or a note's codes are one string.

    Example:

    >>> from icd_relevancy.data import Notes
    >>> notes = Notes(("1", "2"), ("Cough.", "Fever, cough."), codes=(("786.2",), ("780.6", "786.2")))
    >>> len(notes), notes.label_names(min_count=2)
    (2, ('786.2',))
    """

    note_id: tuple[str, ...]
    text: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    patient_id: tuple[str | None, ...] | None = None
    specialty: tuple[str | None, ...] | None = None
    age: tuple[float | None, ...] | None = None
    sex: tuple[str | None, ...] | None = None
    source: str = ""
    code_system: tuple[str | None, ...] | None = None
    mentions: tuple[tuple[tuple[str, str], ...] | None, ...] | None = None

    def __post_init__(self):
        if any(isinstance(codes, str) for codes in self.codes):
            raise InputError("codes: each note needs a tuple of codes, but one is a single string")
        object.__setattr__(self, "codes", tuple(map(tuple, self.codes)))
        for name in ("note_id", "text", *_OPTIONAL):
            if (column := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(column))
        lengths = {name: len(column) for name, column in self._columns().items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise InputError(f"notes: all columns must have the same length; received {told}")
        if len(set(self.note_id)) < len(self.note_id):
            repeated = Counter(self.note_id).most_common(1)[0][0]
            told = shown_note(str(repeated), self.note_id.index(repeated) + 1)
            raise InputError(
                f"{self.source or 'notes'}: the note_id of {told} occurs more than once; make it unique"
            )

    def __len__(self) -> int:
        return len(self.note_id)

    def __repr__(self) -> str:
        # The generated one would print every note.
        return f"Notes({len(self)} notes, source={self.source!r})"

    def _columns(self) -> dict[str, tuple]:
        columns = {"note_id": self.note_id, "text": self.text, "codes": self.codes}
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        return columns | {name: column for name, column in optional.items() if column is not None}

    def select(self, indices) -> "Notes":
        """The notes at `indices`, in that order.

        Args:
            indices: Integer positions, or a boolean mask with one value a note.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> Notes(("1", "2"), ("Cough.", "Fever."), (("R05",), ("R50.9",))).select([1]).text
        ('Fever.',)
        """
        indices = np.asarray(indices)
        positions = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(int)
        positions = positions.tolist()
        columns = {name: tuple([column[i] for i in positions]) for name, column in self._columns().items()}
        return Notes(**columns, source=self.source)

    def blocks(self, size: int = 1024) -> Iterator["Notes"]:
        """The notes in their order, in parts whose features and scores fit into memory.

        Args:
            size: Most notes of a part. Defaults to 1024.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> notes = Notes(("1", "2", "3"), ("Cough.", "Fever.", "Pain."), ((), (), ()))
        >>> [part.note_id for part in notes.blocks(2)]
        [('1', '2'), ('3',)]
        """
        for begin in range(0, len(self), size):
            yield self.select(range(begin, min(begin + size, len(self))))

    def groups(self) -> np.ndarray:
        """Groups of notes that must stay in one fold, since they would leak into each other.

        Two notes are in one group when they share a patient or the verbatim text (case and white space
        apart), directly or through other notes.

        Returns:
            int array `(n,)` of group numbers 0, 1, …, in the order of each group's first note.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> notes = Notes("abcd", ("Cough.", "cough. ", "Fever.", "Pain."), ((),) * 4, patient_id="1223")
        >>> notes.groups().tolist()
        [0, 0, 0, 1]
        """
        # A hash stands for the text, so that a million texts are not held twice.
        texts = np.fromiter(
            (hash(" ".join(text.split()).casefold()) for text in self.text), np.int64, len(self)
        )
        keys = [pd.factorize(texts)[0]]
        if self.patient_id is not None:
            # factorize gives -1 to the notes whose patient is not known.
            keys.append(pd.factorize(np.asarray(self.patient_id, dtype=object))[0])
        rows, columns, offset = [], [], len(self)
        for key in keys:
            known = np.flatnonzero(key >= 0)
            rows.append(known)
            columns.append(key[known] + offset)
            offset += key.max(initial=-1) + 1
        rows, columns = np.concatenate(rows), np.concatenate(columns)
        links = sparse.csr_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(offset, offset))
        component = sparse.csgraph.connected_components(links, directed=False)[1][: len(self)]
        return pd.factorize(component)[0].astype(np.int64)

    def label_names(self, min_count: int = 1) -> tuple[str, ...]:
        """The codes that at least `min_count` notes carry, sorted.

        Args:
            min_count: Least number of notes. Defaults to 1.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> Notes(("1",), ("Fever, cough.",), (("R50.9", "R05"),)).label_names()
        ('R05', 'R50.9')
        """
        return label_names(self.codes, min_count)

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row a note and the columns that are known; `codes` holds tuples.

        Example:

        >>> from icd_relevancy.data import Notes
        >>> Notes(("1",), ("Cough.",), (("R05",),), age=(6.0,)).to_frame().columns.tolist()
        ['note_id', 'text', 'codes', 'age']
        """
        return pd.DataFrame(
            {name: pd.Series(column, dtype=_dtype(name)) for name, column in self._columns().items()}
        )

    def write(self, path) -> None:
        """Writes the notes by the notes schema, for `read_notes`.

        Args:
            path: File whose suffix gives the format: `.csv` and `.tsv` (codes joined by `;`), `.jsonl` or
                `.json` (JSON lines), each also with `.gz`, or `.parquet`. An older file is replaced. CSV and TSV
                leave out the mentions, which they cannot hold, and write an apostrophe before a text that a
                spreadsheet would run (one that begins with `=`, `+`, `-`, `@`), which `read_notes` takes away.

        Raises:
            InputError: If the suffix is none of these.

        Example:

        >>> from icd_relevancy.data import Notes, read_notes
        >>> Notes(("1",), ("Cough.",), (("R05",),)).write("results/notes.csv")
        >>> read_notes("results/notes.csv").codes
        (('R05',),)
        """
        write_frames([self.to_frame()], path, NOTE_ENCODERS)


def _dtype(name: str) -> str:
    if name == "age":
        return "float64"
    return "object" if name in ("codes", "mentions") else "str"
