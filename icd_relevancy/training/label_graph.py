"""The relevance graph that a configuration names."""

from collections.abc import Sequence

from icd_relevancy.codes import CodeSystem, code_system
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.label_vectors import label_vectors


def graph_of_labels(labels: Sequence[str], config, system: CodeSystem | None = None) -> RelevanceGraph:
    """The relevance graph of a data set's labels by the configuration's vectors and threshold.

    Args:
        labels: The m codes.
        config: A `TrainingConfig` or `MedicationConfig`: `code_system`, `vectors` and `threshold` of it count.
        system: The code system, where it is at hand. Defaults to None: that of the configuration.

    Raises:
        InputError: If the vectors are not found, or hold neither a label nor an ancestor of it.
    """
    system = system or code_system(config.code_system)
    vectors = CodeVectors.load(config.vectors or system.name)
    return RelevanceGraph.from_vectors(label_vectors(labels, vectors, system), threshold=config.threshold)
