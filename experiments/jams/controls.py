"""The controls of a table: frequencies, linear models, titles, and a dictionary of mentions."""

import numpy as np
from scipy import sparse

from experiments.hmhan.controls import control_scores
from icd_relevancy.codes import CodeSystem
from icd_relevancy.data import Notes
from icd_relevancy.errors import InputError
from icd_relevancy.models import FrequencyDummy
from icd_relevancy.text import Lexicon

# How much the coverage of a title, from 0 to 1, counts beside the decision value of a logistic regression.
_WEIGHT_OF_TITLES = 10.0


def scores_of_control(
    name: str,
    notes: Notes,
    y: sparse.csr_matrix,
    labels: tuple[str, ...],
    system: CodeSystem,
    test: Notes,
    seed: int,
) -> np.ndarray:
    """Scores of test notes by a control: unbounded, so tune a threshold.

    Args:
        name: `frequency`, the share of the training notes with a code; `titles`, logistic regression beside the
            idf-weighted coverage of the code's title in the best sentence; `mentions`, the precision of the
            annotated mentions that the note has word for word; or one of `experiments.hmhan.controls`.
        notes: Training notes.
        y: Their labels, CSR `(n, m)`.
        labels: The m codes.
        system: Their code system.
        test: The notes to score.
        seed: Of the solver.

    Raises:
        InputError: If the notes have no annotated mentions that it needs.
    """
    if name == "frequency":
        return FrequencyDummy().fit(y).predict(len(test))
    if name == "mentions":
        return _channel("mentions", test, labels, notes, mentions=notes.mentions)
    if name == "titles":
        # The lexicon squares the coverage.
        coverage = np.sqrt(_channel("titles", test, labels, notes, system=system))
        return control_scores("logistic", notes.text, y, test.text, seed) + _WEIGHT_OF_TITLES * coverage
    return control_scores(name, notes.text, y, test.text, seed)


def _channel(channel: str, test: Notes, labels: tuple[str, ...], notes: Notes, **names) -> np.ndarray:
    lexicon = Lexicon.fit(notes.text, notes.codes, labels, groups=notes.groups(), **names)
    if channel not in lexicon.channels:
        raise InputError(
            f"{notes.source or 'notes'}: no annotated mentions; leave the control {channel!r} out"
        )
    return lexicon.transform(test.text, [channel]).toarray()
