"""Stays as the matrices that a medication network learns from."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from icd_relevancy.codes import code_system
from icd_relevancy.data import DrugMapping, RolledUp, Stays, encode_drugs, roll_up, train_validation_split
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.training.stays.config import MedicationConfig


@dataclass(frozen=True, eq=False)
class MedicationPart:
    """One part of the stays: `inputs` by `encode_drugs`, `codes` on the nodes to learn, and targets, CSR `(n, m)`.

    The network learns all nodes with the codes below them, or at the billing level the codes as they were given.
    """

    inputs: sparse.csr_matrix
    codes: RolledUp
    targets: sparse.csr_matrix


@dataclass(frozen=True, eq=False)
class MedicationData:
    """A training and a validation part on the same drugs and codes.

    Attributes:
        training, validation: The part to learn from, and the one that says when to stop and sets the thresholds.
        billing: Which nodes stays were given themselves, not only codes below; bool `(m,)`.
        ingredients: The drugs that have an input.
        left_out: How many stays have no code: nobody said that they need none, so they teach nothing.
        dropped_codes: How many codes of stays are not of the system, where the settings drop such.
    """

    training: MedicationPart
    validation: MedicationPart
    billing: np.ndarray
    ingredients: tuple[str, ...]
    left_out: int
    dropped_codes: int

    @classmethod
    def from_stays(
        cls,
        stays: Stays,
        config: MedicationConfig,
        validation: Stays | None = None,
        nodes: RolledUp | None = None,
    ):
        """Maps drugs to ingredients and codes to nodes; stays without codes are left out.

        Args:
            stays, config, validation, nodes: As in `MedicationCoder.train`.

        Raises:
            InputError: If no stay has a code or a drug, a code is not of the system, or the level has no code.
        """
        place, unknown = stays.source or "stays", config.unknown_codes
        if not any(stays.codes):
            raise InputError(f"{place}: no stay has a code to learn from")
        if nodes is None:
            nodes = roll_up(stays.codes, code_system(config.code_system), unknown=unknown, source=place)
        given = nodes.encode(stays.codes, unknown, place)
        dropped = dict(given.unknown_codes)
        coded = [row for row, codes in enumerate(stays.codes) if not dropped.keys() >= set(codes)]
        counts = len(stays) - len(coded), sum(dropped.values())
        stays, labels = stays.select(coded), given.labels[coded]
        if validation is None:
            parts = train_validation_split(labels, stays.groups(), config.validation, config.seed)
            stays, validation = (stays.select(rows) for rows in parts)
        mapping = drug_mapping(config.drugs)
        mapped = [part.map_drugs(mapping)[0] for part in (stays, validation)]
        features = encode_drugs(mapped[0], min_count=config.min_count)
        if not features.ingredients:
            raise InputError(f"{place}: no stay has a drug to learn from")
        inputs = [features.matrix, encode_drugs(mapped[1], features.ingredients).matrix]
        codes = [nodes.encode(part.codes, unknown, place) for part in mapped]
        billing = sum(np.asarray(part.assigned.sum(axis=0)).ravel() for part in codes) > 0
        columns = _columns(nodes, billing, config.level)
        parts = [
            MedicationPart(matrix, part, part.assigned if config.level == "billing" else part.labels)
            for matrix, part in zip(inputs, (part.select(columns) for part in codes), strict=True)
        ]
        return cls(*parts, billing[columns], features.ingredients, *counts)


def drug_mapping(table: str | None) -> DrugMapping:
    """The ingredients of drugs by a table, else by the words of their names."""
    return DrugMapping.from_table(table) if table else DrugMapping()


def _columns(nodes: RolledUp, billing: np.ndarray, level: str | None) -> np.ndarray:
    if level is None:
        return np.arange(len(nodes.names))
    columns = np.flatnonzero(billing if level == "billing" else nodes.level == nodes.depth(level))
    if not len(columns):
        raise InputError(f"level={shown_word(level)}: no stay has a code of this level")
    return columns
