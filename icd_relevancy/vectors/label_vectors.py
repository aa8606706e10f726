"""Vectors for the labels of a data set."""

from collections.abc import Sequence

import numpy as np

from icd_relevancy.codes import CodeSystem
from icd_relevancy.errors import InputError, shown_code
from icd_relevancy.vectors.code_vectors import CodeVectors


def label_vectors(labels: Sequence[str], vectors: CodeVectors, code_system: CodeSystem) -> CodeVectors:
    """The vectors of a data set's labels, those of other editions by their nearest ancestor.

    Args:
        labels: Codes as the data set names them.
        vectors: Vectors of the code system's codes.
        code_system: The system that resolves what `vectors` does not hold.

    Returns:
        `CodeVectors` with the labels as codes, in their order.

    Raises:
        InputError: Naming a label for which neither it nor an ancestor has a vector.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.vectors import CodeVectors
    >>> label_vectors(["786.29"], CodeVectors(["786.2"], [[1.0, 0.0]]), icd9cm()).codes
    ('786.29',)
    """
    if not labels:
        raise InputError("there are no labels: the notes carry no codes")
    known = [_nearest(label, vectors, code_system) for label in labels]
    distinct = list(dict.fromkeys(known))
    position = {code: row for row, code in enumerate(distinct)}
    rows = np.array([position[code] for code in known])
    return CodeVectors(labels, vectors.select(distinct).vectors[rows], vectors.meta)


def _nearest(label: str, vectors: CodeVectors, code_system: CodeSystem) -> str:
    if label in vectors:
        return label
    code = code_system.normalise(label)
    candidates = () if code is None else (code, *code_system.ancestors(code))
    for candidate in candidates:
        if candidate in vectors:
            return candidate
    raise InputError(f"label {shown_code(label)} has no vector, nor has any ancestor in {code_system.name}")
