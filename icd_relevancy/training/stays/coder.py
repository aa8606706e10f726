"""A trained medication network that ranks codes for stays."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from icd_relevancy.codes import code_system
from icd_relevancy.codes.system import PACKAGED_SYSTEMS
from icd_relevancy.data import DrugMapping, RolledUp, Stays, encode_drugs, encode_labels, roll_up
from icd_relevancy.data.stays import DEMOGRAPHICS
from icd_relevancy.errors import InputError, shown_code
from icd_relevancy.metrics.ranking import ranking_report
from icd_relevancy.models.medication import predict_streamed
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.coder import CODERS, JSON, Coder, different_models, finite_scores
from icd_relevancy.training.evaluation import evaluate_codes, with_unseen_codes
from icd_relevancy.training.model_file import check_runs
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.stays.config import MedicationConfig
from icd_relevancy.training.stays.dataset import MedicationData, drug_mapping
from icd_relevancy.training.stays.trainer import train_networks
from icd_relevancy.training.stays.wards import patient_groups, ranking_by_group
from icd_relevancy.training.thresholds import tune_threshold
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.code_vectors import graph_of_labels

_STAYS_AT_ONCE = 1024


@CODERS.entry()
@dataclass(frozen=True, eq=False)
class MedicationCoder(Coder):
    """Ranks the codes of a stay by its drugs, age and sex, and keeps all that needs in one folder.

    Attributes:
        model: The Keras model from the columns of `encode_drugs` to the probability of each code.
        nodes: The m codes of the outputs, their levels and parents, as a `RolledUp` of the training stays.
        billing: Which of them stays were given themselves, not only codes below; bool `(m,)`.
        ingredients: The drugs that have an input.
        decision_threshold: From which probability on a code of `billing` is assigned.
        thresholds: The same for the other nodes of each level (0 for chapters), tuned for micro-F1 too.
        config: The `MedicationConfig`.
        history: Epochs, times and validation figures of the training.

    Reference: CAC §2.2.
    """

    kind = "stays"

    model: keras.Model
    nodes: RolledUp
    billing: np.ndarray
    ingredients: tuple[str, ...]
    decision_threshold: float
    thresholds: dict[int, float]
    config: MedicationConfig
    history: dict

    @classmethod
    def train(
        cls,
        stays: Stays,
        config: MedicationConfig | None = None,
        validation: Stays | None = None,
        nodes: RolledUp | None = None,
        verbose: int = 0,
    ):
        """Trains on stays; the validation part says when to stop and sets the thresholds.

        Args:
            stays: Stays with drugs and codes.
            config: The settings. Defaults to None: `MedicationConfig()`.
            validation: The validation part. Defaults to None: a part of `stays`, whole patients.
            nodes: The codes to learn, as `roll_up` gives them. Defaults to None: those of `stays` and all
                above them.
            verbose: As in `keras.Model.fit`. Defaults to 0.

        Raises:
            InputError: If no stay has a code or a drug, a code is not of the system, or the code vectors are
                missing.

        Example:

        >>> from icd_relevancy.data import synthetic_stays
        >>> config = MedicationConfig(units=64, epochs=2)
        >>> coder = MedicationCoder.train(synthetic_stays(300), config)
        >>> [len(codes) for codes in coder.rank(synthetic_stays(2, seed=1), top_k=5)]
        [5, 5]
        """
        config = config or MedicationConfig()
        if config.vectors:
            CodeVectors.load(config.vectors)  # `evaluate` asks for them, too late for another choice
        data = MedicationData.from_stays(stays, config, validation, nodes)
        nodes, held_out = data.training.codes.encode([]), data.validation
        model, history = train_networks(data, config, verbose)
        scores = predict_streamed(model, held_out.inputs, config.batch_size, progress=False)
        figures = {"epochs": history.epochs, "best_epoch": history.best_epoch, "seconds": history.seconds}
        figures |= {"stays": data.training.inputs.shape[0] + held_out.inputs.shape[0]}
        figures |= {"stays_without_codes": data.left_out, "dropped_codes": data.dropped_codes}
        figures |= _reading_errors(held_out.codes, scores, data.billing)
        if config.monitor != "loss":
            figures["validation_score"] = monitored(config.monitor)(held_out.targets, scores)
        return cls(
            model,
            nodes,
            data.billing,
            data.ingredients,
            tune_threshold(held_out.codes.assigned[:, data.billing], scores[:, data.billing])[0],
            _thresholds(held_out.targets, scores, nodes.level),
            config,
            figures,
        )

    def scores(self, stays: Stays) -> np.ndarray:
        """The probability of each code, float32 `(n, m)`.

        Args:
            stays: The n stays; drugs that the model has no input for are left out.

        Raises:
            InputError: If the model's weights are damaged, so that they give NaN.
        """
        return finite_scores(predict_streamed(self.model, self._inputs(stays), self.config.batch_size))

    def known_drugs(self, stays: Stays) -> np.ndarray:
        """How many inputs of the model each stay's drugs have, int64 `(n,)`; with none age and sex alone count.

        Args:
            stays: The n stays.
        """
        return np.diff(self._inputs(stays)[:, len(DEMOGRAPHICS) :].tocsr().indptr).astype(np.int64)

    def unknown_drugs(self, stays: Stays) -> tuple[tuple[str, int], ...]:
        """The drugs of stays that the model has no input for, each with the number of stays that have it.

        Args:
            stays: The stays.
        """
        mapped, report = stays.map_drugs(self._mapping)
        unknown = dict(report.unknown_drugs) | dict(encode_drugs(mapped, self.ingredients).unknown_drugs)
        return tuple(sorted(unknown.items(), key=lambda item: (-item[1], item[0])))

    def rank(self, stays: Stays, top_k: int | None = 30, billing_only: bool = True) -> Iterator[list[dict]]:
        """For each stay the codes with `code`, `title`, `level`, `probability`, `assigned`, most probable first.

        Args:
            stays: The stays.
            top_k: How many codes to list; None for all. Defaults to 30.
            billing_only: Whether to leave out codes that stand only above those stays were given, such as
                chapters. Defaults to True.
        """
        starts = range(0, len(stays), _STAYS_AT_ONCE)
        blocks = (stays.select(range(start, min(start + _STAYS_AT_ONCE, len(stays)))) for start in starts)
        return self._predicted(blocks, top_k, billing_only)

    predict = rank

    def ranked(self, row: np.ndarray, top_k: int | None = 30, billing_only: bool = True) -> list[dict]:
        """The codes of a stay from its scores.

        Args:
            row: The probability of each code, `(m,)`.
            top_k, billing_only: As in `rank`.
        """
        listed = np.flatnonzero(self.billing) if billing_only else np.arange(len(self.nodes.names))
        return [
            {
                "code": self.nodes.names[node],
                "title": self.nodes.code_system.title(self.nodes.names[node]),
                "level": int(self.nodes.level[node]),
                "probability": float(row[node]),
                "assigned": bool(row[node] >= self._node_thresholds[node]),
            }
            for node in listed[np.argsort(-row[listed], kind="stable")[:top_k]].tolist()
        ]

    def evaluate(self, stays: Stays, by_ward: bool = False, min_stays: int = 10) -> dict:
        """The metrics of `icd_relevancy.training.evaluation` over the codes that stays are given.

        Codes above those (chapters, blocks, …) do not count, nor does a code stand for those above it. What is
        assigned to a stay without codes is wrong; the ranking metrics leave such stays out.

        Args:
            stays: Stays with codes.
            by_ward: Whether to add `wards` and `wards_left_out`, what `ranking_by_group` gives for the
                `patient_groups` of the stays. Defaults to False.
            min_stays: Least number of stays to measure a ward. Defaults to 10.

        Raises:
            InputError: If no stay has a code, one is not of the model's code system, or no stay has a ward
                where `by_ward` asks for it.
        """
        if not any(stays.codes):
            raise InputError(f"{stays.source or 'stays'}: no stay has a code to compare with")
        groups = patient_groups(stays) if by_ward else None
        place, unknown = stays.source or "stays", self.config.unknown_codes
        given = roll_up(stays.codes, self.nodes.code_system, unknown=unknown, source=place)
        codes = [tuple(given.names[node] for node in row.indices) for row in given.assigned]
        labels = tuple(
            name for name, is_billing in zip(self.nodes.names, self.billing, strict=True) if is_billing
        )
        scores = self.scores(stays)[:, self.billing]
        result = evaluate_codes(codes, labels, scores, self.decision_threshold, self._relevance)
        if groups is not None:
            every, padded = with_unseen_codes(codes, labels, scores)
            by_ward = ranking_by_group(encode_labels(codes, every), padded, groups, min_stays)
            result["wards"], result["wards_left_out"] = by_ward
        return result

    def _state(self) -> dict:
        """What `coder.json` holds."""
        return {
            "nodes": self.nodes.names,
            "billing": self.billing.tolist(),
            "ingredients": self.ingredients,
            "drug_table": self._mapping.to_dict(),
            "decision_threshold": self.decision_threshold,
            "thresholds": list(self.thresholds.items()),
            "training": self.config.to_dict(),
            "history": self.history,
        }

    @classmethod
    def _from_state(cls, state: Mapping, model: keras.Model, folder: Path, encoder: str | None = None):
        """The coder of a folder, of its `coder.json` and its model."""
        if encoder is not None:
            raise InputError(f"{folder}: the model needs no encoder; leave --encoder out")
        config = MedicationConfig.from_trained(state["training"], f"{folder}/{JSON}")
        system, names = code_system(config.code_system), state["nodes"]
        if missing := [name for name in names if name not in system]:
            raise InputError(
                f"{folder}: code {shown_code(missing[0])} of the model is not in {system.name}; "
                "install the edition that it was trained with"
            )
        every = roll_up([names], system, groups=True)
        place = {name: position for position, name in enumerate(every.names)}
        coder = cls(
            model,
            every.select([place[name] for name in names]).encode([]),
            np.array(state["billing"], bool),
            tuple(state["ingredients"]),
            float(state["decision_threshold"]),
            {level: float(threshold) for level, threshold in state["thresholds"]},
            config,
            state["history"],
        )
        coder.__dict__["_mapping"] = DrugMapping(_checked_table(state["drug_table"]))
        if not coder._fits():
            raise different_models(folder)
        check_runs(model, len(names))
        return coder

    def _fits(self) -> bool:
        """Whether the parts are of one model."""
        names, drugs = self.nodes.names, self.ingredients
        return (
            len({len(names), len(set(names)), len(self.billing), self.model.output.shape[-1]}) == 1
            and len(set(drugs)) == len(drugs) == self.model.input.shape[-1] - len(DEMOGRAPHICS)
            and not np.isnan([self.decision_threshold, *self.thresholds.values()]).any()
            and set(self.nodes.level.tolist()) <= self.thresholds.keys()
        )

    @cached_property
    def _node_thresholds(self) -> np.ndarray:
        """From which probability on each node is assigned."""
        by_level = [self.thresholds[level] for level in self.nodes.level.tolist()]
        return np.where(self.billing, self.decision_threshold, by_level)

    @cached_property
    def _mapping(self) -> DrugMapping:
        return drug_mapping(self.config.drugs)

    def _inputs(self, stays: Stays):
        stays, _ = stays.map_drugs(self._mapping)
        return encode_drugs(stays, self.ingredients).matrix

    def _relevance(self, labels: tuple[str, ...]) -> RelevanceGraph:
        """By the configuration's vectors; a code system of one's own has none unless they are named."""
        if self.config.vectors is None and self.config.code_system not in PACKAGED_SYSTEMS:
            warnings.warn(
                f"there are no code vectors of {self.nodes.code_system.name}: in the relevancy metrics a code "
                "matches itself alone; train with vectors to have them",
                stacklevel=2,
            )
            return RelevanceGraph.identity(labels)
        return graph_of_labels(labels, self.nodes.code_system, self.config.vectors, self.config.threshold)


def _checked_table(table: dict) -> dict:
    if not all(
        isinstance(row, list) and all(isinstance(name, str) for name in row) for row in table.values()
    ):
        raise ValueError("the ingredients of a drug must be a list of text")
    return table


def _reading_errors(held_out: RolledUp, scores: np.ndarray, billing: np.ndarray) -> dict[str, float]:
    """How many wrong codes a coder reads until half, and all, of a stay's codes are found (CAC §2.3)."""
    labels = held_out.assigned[:, billing]
    if not labels.nnz:
        return {}
    report = ranking_report(labels, scores[:, billing], recalls=(0.5, 1.0), ks=(30,))
    return {name: report[name] for name in ("rank_errors@50", "rank_errors@100", "recall@30", "ndcg")}


def _thresholds(y, scores: np.ndarray, level: np.ndarray) -> dict[int, float]:
    """The threshold of each level with the best micro-F1 (CAC appendix K)."""
    return {
        int(depth): tune_threshold(y[:, level == depth], scores[:, level == depth])[0]
        for depth in np.unique(level)
    }
