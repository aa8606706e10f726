"""Vectors for the labels of a data set."""

from collections.abc import Sequence

import numpy as np

from icd_relevancy._arguments import named_codes
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
        InputError: Naming the labels for which neither they nor an ancestor have a vector.

    Example:

    >>> from icd_relevancy.codes import icd9cm
    >>> from icd_relevancy.vectors import CodeVectors
    >>> label_vectors(["786.29"], CodeVectors(["786.2"], [[1.0, 0.0]]), icd9cm()).codes
    ('786.29',)
    """
    if not labels:
        raise InputError("there are no labels: the notes carry no codes")
    known = [_nearest(label, vectors, code_system) for label in labels]
    missing = list(dict.fromkeys(label for label, code in zip(labels, known, strict=True) if code is None))
    advice = "correct the codes, choose their code system, or leave out the labels"
    if len(missing) == 1:
        raise InputError(
            f"label {shown_code(missing[0])} has no vector, nor has any ancestor in {code_system.name}; {advice}"
        )
    if missing:
        raise InputError(
            f"{len(missing)} labels have no vector, nor has any ancestor in {code_system.name}: "
            f"{named_codes(missing)}; {advice}"
        )
    distinct = list(dict.fromkeys(known))
    position = {code: row for row, code in enumerate(distinct)}
    rows = np.array([position[code] for code in known])
    return CodeVectors(labels, vectors.select(distinct).vectors[rows], vectors.meta)


def _nearest(label: str, vectors: CodeVectors, code_system: CodeSystem) -> str | None:
    if label in vectors:
        return label
    code = code_system.normalise(label)
    candidates = () if code is None else (code, *code_system.ancestors(code))
    for candidate in candidates:
        if candidate in vectors:
            return candidate
    return None
