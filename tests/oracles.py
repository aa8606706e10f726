"""Slow, obvious NumPy and loop versions that a reader can check against the formulas by eye."""

import itertools
import math

import numpy as np

# --- Ranking (icd_relevancy.metrics.ranking) ------------------------------------------------------------
# Each takes one note's labels as a list of 0/1 sorted from the best to the worst ranked label.


def rank_errors_step(ranked, recall):
    """Negatives read until the recall reaches `recall` (CAC §2.3)."""
    found = errors = 0
    for label in ranked:
        found += label
        errors += 1 - label
        # Cross-multiplied in whole per mille, so that 0.07 of 100 labels is 7.
        if found * 1000 >= round(recall * 1000) * sum(ranked):
            return errors
    raise AssertionError("unreachable for a note with labels")


def rank_errors_linear(ranked, recall):
    """R-percentile of the positives' ranks minus the R-percentile of 1..n."""
    ranks = [rank for rank, label in enumerate(ranked, start=1) if label]
    ideal = list(range(1, len(ranks) + 1))
    return float(np.percentile(ranks, 100 * recall) - np.percentile(ideal, 100 * recall))


def ndcg(ranked, k=None, discount=lambda rank: 1 / math.log2(1 + rank)):
    """Discounted gain of the first k ranks over that of the best order."""

    def gain(labels):
        return sum(label * discount(rank) for rank, label in enumerate(labels[:k], start=1))

    return gain(ranked) / gain(sorted(ranked, reverse=True))


def recall_at_k(ranked, k):
    """True labels among the first k, over all true labels."""
    return sum(ranked[:k]) / sum(ranked)


def precision_at_k(ranked, k):
    """True labels among the first k, over k."""
    return sum(ranked[:k]) / k


def r_precision(ranked):
    """Precision among as many labels as are true."""
    return precision_at_k(ranked, sum(ranked))


def average_precision(ranked):
    """Mean over the true labels of the precision at their rank."""
    return sum(precision_at_k(ranked, rank) for rank, label in enumerate(ranked, start=1) if label) / sum(
        ranked
    )


def coverage(ranked):
    """Rank of the last true label."""
    return max(rank for rank, label in enumerate(ranked, start=1) if label)


def over_tie_orders(metric, labels, scores, *arguments):
    """Mean of `metric` over every order of the labels that the scores allow."""
    values = []
    for order in itertools.permutations(range(len(scores))):
        in_order = [scores[place] for place in order]
        if in_order == sorted(scores, reverse=True):
            values.append(metric([labels[place] for place in order], *arguments))
    return sum(values) / len(values)


# --- Relevancy (icd_relevancy.losses, .metrics.relevancy, .metrics.relevancy_report) ----------------------
# `graph` is the dense matrix δ of a RelevanceGraph: similarity of a matching pair, 0 elsewhere.


def cosine_matches(vectors, threshold):
    """δ by the definition: the cosine where it reaches the threshold, else 0; 1 on the diagonal."""
    vectors = np.asarray(vectors, np.float64)
    graph = np.eye(len(vectors))
    for j, k in itertools.permutations(range(len(vectors)), 2):
        lengths = np.linalg.norm(vectors[j]) * np.linalg.norm(vectors[k])
        cosine = vectors[j] @ vectors[k] / lengths if lengths else 0.0
        graph[j, k] = cosine if cosine >= threshold else 0.0
    return graph


def tlcl(y_true, y_pred, graph):
    """1/|y| Σ_{j ∈ y} (1 − max_k p_k δ_jk), one value a note (LOSSES §3.3.1)."""
    losses = []
    for true, scores in zip(y_true, y_pred, strict=True):
        labels = [j for j in range(len(true)) if true[j]]
        missed = [1 - max(scores[k] * graph[j][k] for k in range(len(true))) for j in labels]
        losses.append(sum(missed) / len(labels) if labels else 0.0)
    return np.array(losses)


def plcl(y_true, y_pred, graph):
    """Σ_k p_k (1 − max_{j ∈ y} δ_jk) / Σ_k p_k, one value a note (LOSSES §3.3.2)."""
    losses = []
    for true, scores in zip(y_true, y_pred, strict=True):
        labels = [j for j in range(len(true)) if true[j]]
        wrong = [p * (1 - max((graph[j][k] for j in labels), default=0.0)) for k, p in enumerate(scores)]
        losses.append(sum(wrong) / sum(scores) if sum(scores) > 0 else 0.0)
    return np.array(losses)


def harmonic_loss(recall_loss, precision_loss, alpha, harmonic_of):
    """1 / (α/TLCL + (1−α)/PLCL), of the losses as printed (LOSSES §3.3.4) or of 1 − loss."""
    if harmonic_of == "scores":
        return 1 - harmonic_loss(1 - recall_loss, 1 - precision_loss, alpha, "losses")
    parts = [(alpha, recall_loss), (1 - alpha, precision_loss)]
    if any(weight > 0 and part == 0 for weight, part in parts):
        return 0.0
    return 1 / sum(weight / part for weight, part in parts if weight > 0)


def relevancy_counts(y_true, y_pred, graph, weights=None):
    """TP, FP, FN a label: TP and FN counted on the true labels, FP on the predicted ones (NNBSVR §3.2)."""
    notes, labels = np.shape(y_true)
    weights = np.ones(notes) if weights is None else weights
    counts = np.zeros((3, labels))
    for i in range(notes):
        true = [j for j in range(labels) if y_true[i][j]]
        predicted = [k for k in range(labels) if y_pred[i][k]]
        for j in true:
            is_found = any(graph[j][k] > 0 for k in predicted)
            counts[0 if is_found else 2, j] += weights[i]
        for k in predicted:
            if not any(graph[j][k] > 0 for j in true):
                counts[1, k] += weights[i]
    return counts


def relevancy_score(counts, metric, average):
    """Precision, recall or F1 of the counts, or one of them; macro over the labels with support."""
    single = {"true_positives": 0, "false_positives": 1, "false_negatives": 2}
    if metric in single:
        return counts[single[metric]] if average is None else counts[single[metric]].sum()

    def score(found, wrong, missed):
        above, below = {
            "precision": (found, found + wrong),
            "recall": (found, found + missed),
            "f1": (2 * found, 2 * found + wrong + missed),
        }[metric]
        return above / below if below else 0.0

    if average == "micro":
        return score(*counts.sum(axis=1))
    scores = np.array([score(*label) for label in counts.T])
    support = counts[0] + counts[2]
    if average is None:
        return scores
    weight = support if average == "weighted" else (support > 0).astype(float)
    return float(scores @ weight / weight.sum()) if weight.any() else 0.0


# --- Calibration and information per code (icd_relevancy.metrics.calibration, .code_information) ------------
# `pairs` are (probability, label) of one pool, in any order.


def bins_of_pairs(pairs, bins, strategy):
    """The pairs of each non-empty bin, by rising probability; equal probabilities share a bin."""
    pairs = sorted(pairs)
    if strategy == "equal_width":
        lower = [i / bins for i in range(bins)]
    else:
        lower = sorted({pairs[i * len(pairs) // bins][0] for i in range(bins)})
    filled = []
    for low, high in zip(lower, [*lower[1:], math.inf], strict=True):
        inside = [pair for pair in pairs if low <= pair[0] < high]
        if inside:
            filled.append(inside)
    return filled


def calibration_gaps(pairs, bins, strategy):
    """Share of the pairs and |observed − predicted frequency| of each non-empty bin."""
    gaps = []
    for inside in bins_of_pairs(pairs, bins, strategy):
        predicted = sum(probability for probability, _ in inside) / len(inside)
        observed = sum(label for _, label in inside) / len(inside)
        gaps.append((len(inside) / len(pairs), abs(observed - predicted)))
    return gaps


def entropy(share):
    """Bits of a yes or no."""
    return sum(-p * math.log2(p) for p in (share, 1 - share) if p > 0)


def entropy_reduction(pairs, method, bins=10):
    """(H(y) − what is left) / H(y) of one code."""
    before = entropy(sum(label for _, label in pairs) / len(pairs))
    if before == 0:
        return math.nan
    if method == "cross_entropy":
        likely = [min(max(p if label else 1 - p, 1e-7), 1 - 1e-7) for p, label in pairs]
        left = sum(-math.log2(p) for p in likely) / len(pairs)
    else:
        left = 0
        for inside in bins_of_pairs(pairs, min(bins, len(pairs)), "equal_mass"):
            left += entropy(sum(label for _, label in inside) / len(inside)) * len(inside) / len(pairs)
    return (before - left) / before


def rank_ratio(y_true, y_score, code, center):
    """Median or mean rank of a code on the notes with it, over that on the notes without it."""
    ranks = {0: [], 1: []}
    for labels, scores in zip(y_true, y_score, strict=True):
        above = sum(score > scores[code] for score in scores)
        tied = sum(score == scores[code] for score in scores)
        ranks[int(labels[code])].append(above + (tied + 1) / 2)
    if not ranks[0] or not ranks[1]:
        return math.nan
    return float(center(ranks[1]) / center(ranks[0]))
