"""Everything that is reported of a model's scores, in one go."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from tqdm import tqdm

from icd_relevancy.data import encode_labels
from icd_relevancy.data.labels import unseen_share
from icd_relevancy.errors import InputError
from icd_relevancy.metrics import multilabel, ranking, relevancy_report
from icd_relevancy.metrics.positive_ranks import positive_ranks
from icd_relevancy.progress import doing
from icd_relevancy.relevance.graph import RelevanceGraph
from icd_relevancy.training.thresholds import predicted_labels

# Ranking metrics that are means over the notes with labels.
PER_NOTE = {
    "map": ranking.mean_average_precision,
    "ndcg": ranking.ndcg,
    "r_precision": ranking.r_precision,
    **{f"recall@{k}": partial(ranking.recall_at_k, k=k) for k in range(5, 31, 5)},
    "precision@8": partial(ranking.precision_at_k, k=8),
    "rank_errors@50": partial(ranking.rank_errors_at_recall, recall=0.5),
    "rank_errors@100": partial(ranking.rank_errors_at_recall, recall=1.0),
}


def evaluate_scores(y_true, y_score, decision_threshold: float, relevance: RelevanceGraph) -> dict:
    """Equality, relevancy and ranking metrics of a model's scores.

    Args:
        y_true: True labels, CSR `(n, m)` of 0 and 1.
        y_score: Scores `(n, m)`.
        decision_threshold: From which score on a label counts as assigned.
        relevance: The graph of the m labels.

    Returns:
        `{"equality": {…}, "relevancy": {…}, "ranking": {…}}`. The first two hold `micro_precision`,
        `micro_recall`, `micro_f1`, `macro_f1` (labels with support) and `weighted_f1`; `ranking` holds `map`,
        `ndcg`, `r_precision`, `recall@5` … `recall@30`, `precision@8`, `rank_errors@50`, `rank_errors@100`
        (means over the notes with labels), `micro_auroc` and `micro_auprc` (None where they are not defined).
    """
    predicted = predicted_labels(y_score, decision_threshold)
    return {
        "equality": relevancy_report(y_true, predicted).scores(),
        "relevancy": relevancy_report(y_true, predicted, relevance).scores(),
        "ranking": ranking_scores(y_true, y_score),
    }


@doing("computing the metrics")
def evaluate_codes(
    codes: Sequence[Sequence[str]],
    labels: tuple[str, ...],
    scores: np.ndarray,
    decision_threshold: float,
    graph_of_labels: Callable[[tuple[str, ...]], RelevanceGraph],
) -> dict:
    """What `evaluate` reports: the metrics over the model's labels and those of the data that it never saw.

    Codes that it never saw count as missed; their share is `unseen_codes`.
    """
    every, padded = with_unseen_codes(codes, labels, scores)
    return {
        "notes": len(codes),
        "labels": len(labels),
        "decision_threshold": decision_threshold,
        "unseen_codes": unseen_share(codes, labels),
        **evaluate_scores(encode_labels(codes, every), padded, decision_threshold, graph_of_labels(every)),
    }


def with_unseen_codes(
    codes: Sequence[Sequence[str]], labels: tuple[str, ...], scores: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """The model's labels and behind them the codes it never saw, and scores that rank those last and assign none."""
    every = (*labels, *sorted({code for row in codes for code in row} - set(labels)))
    padded = np.full((len(codes), len(every)), -1.0, np.float32)
    padded[:, : len(labels)] = scores
    return every, padded


def ranking_scores(y_true, y_score) -> dict[str, float | None]:
    """The `ranking` part of `evaluate_scores`."""
    ranks = positive_ranks(y_true, y_score)
    return {
        **{name: metric(ranks) for name, metric in PER_NOTE.items()},
        "micro_auroc": _if_defined(multilabel.auroc, y_true, y_score),
        "micro_auprc": _if_defined(multilabel.auprc, y_true, y_score),
    }


def _if_defined(metric, y_true, y_score) -> float | None:
    try:
        return metric(y_true, y_score)
    except InputError:
        return None  # all labels true, or none


def predict_scores(model, features, batch_size: int = 256) -> np.ndarray | dict[str, np.ndarray]:
    """A model's probabilities for n notes, float32 `(n, m)`; of a model with several outputs by their names."""
    from icd_relevancy.fitting.batches import feature_rows  # which loads TensorFlow

    first = next(iter(features.values())) if isinstance(features, Mapping) else features
    outputs, count = getattr(model, "output", None), first.shape[0]  # a `Sequential` has none
    several = isinstance(outputs, Mapping)
    widths = {name: output.shape[-1] for name, output in outputs.items()} if several else {}
    widths = widths or {"": model.output_shape[-1]}
    scores = {name: np.empty((count, width), np.float32) for name, width in widths.items()}
    with tqdm(total=count, desc="predicting", unit="note", leave=False, delay=1, disable=None) as bar:
        for start in range(0, count, batch_size):
            rows = slice(start, min(start + batch_size, count))
            batch = model.predict_on_batch(feature_rows(features, rows))
            for name, part in batch.items() if several else [("", batch)]:
                scores[name][rows] = part
            bar.update(rows.stop - rows.start)
    return scores if several else scores[""]
