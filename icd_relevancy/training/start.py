"""What a model knows before its first step: how frequent each label is, and how to read its lexicon."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse
from scipy.special import expit

from icd_relevancy.losses.imbalance import label_frequencies

# Of the squared weights: it tells apart what few notes leave open, and is nothing beside the loss of many.
_RIDGE = 0.01
_MOST_SCORES = 20_000_000


def start_from_frequencies(layer, labels) -> None:
    """Sets the bias of an output layer to the labels' log-odds, so that its first epochs are not spent on them."""
    count = labels.shape[0] if hasattr(labels, "shape") else len(labels)
    share = np.clip(label_frequencies(labels), 1 / (2 * count), 1 - 1 / (2 * count))
    layer.bias.assign(np.log(share / (1 - share)))


@dataclass(frozen=True, eq=False)
class LexicalStart:
    """The logistic regression of labels on the channels of a lexicon, with numbers that all labels share.

    Attributes:
        channel_weights: A weight for each channel, 0 or more, `(channels,)`.
        scale: Weight of a label's log-odds before a note is read.
        offset: What is added to every logit.
    """

    channel_weights: np.ndarray
    scale: float
    offset: float

    @classmethod
    def fit(cls, scores: sparse.csr_matrix, y: sparse.csr_matrix, log_odds, seed: int = 0) -> "LexicalStart":
        """The numbers with the lowest cross-entropy, which is convex in them.

        `scores` are lexical ones of n notes, `(n, channels · m)`, by a lexicon that has not seen them (see
        `Lexicon.out_of_fold`); where there are more than 20 million, those of some notes.
        """
        if scores.nnz > _MOST_SCORES:
            count = max(int(scores.shape[0] * _MOST_SCORES / scores.nnz), 1)
            drawn = np.random.default_rng(seed).choice(scores.shape[0], count, replace=False)
            scores, y = scores[drawn], y[drawn]
        features, truth, counts = _cells(scores, y, np.asarray(log_odds, np.float64))
        channels = features.shape[1] - 2

        def loss(weights):
            logits = features @ weights
            # log(1 + exp(z)) - y z, without overflow
            losses = np.logaddexp(0, logits) - truth * logits
            slopes = features.T @ (counts * (expit(logits) - truth))
            return counts @ losses + _RIDGE / 2 * weights @ weights, slopes + _RIDGE * weights

        bounds = [(0, None)] * channels + [(None, None)] * 2
        start = np.r_[np.full(channels, 5.0), 0.0, -5.0]
        weights = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        return cls(weights[:channels], float(weights[-2]), float(weights[-1]))

    def bias(self, log_odds) -> np.ndarray:
        """The logit of each label in a note that has none of its words, from its log-odds, `(m,)`."""
        return self.scale * np.asarray(log_odds) + self.offset


def _cells(scores: sparse.csr_matrix, y: sparse.csr_matrix, log_odds: np.ndarray):
    """Features, truth and number of pairs of a note and a label; equal pairs, most without a channel, are one."""
    notes, labels = y.shape
    scores, y = scores.tocoo(), y.tocoo()
    cells, place = np.unique(scores.row * np.int64(labels) + scores.col % labels, return_inverse=True)
    shape = (len(cells), scores.shape[1] // labels)
    channels = sparse.csr_matrix((scores.data, (place, scores.col // labels)), shape=shape)
    is_true = np.isin(cells, y.row * np.int64(labels) + y.col)
    cell_labels = cells % labels
    silent = notes - np.bincount(cell_labels, minlength=labels)
    positive = np.bincount(y.col, minlength=labels) - np.bincount(cell_labels[is_true], minlength=labels)
    odds = np.r_[log_odds[cell_labels], log_odds, log_odds]
    features = sparse.vstack([channels, sparse.csr_matrix((2 * labels, shape[1]))])
    features = sparse.hstack([features, odds[:, None], np.ones((len(odds), 1))], format="csr")
    truth = np.r_[is_true, np.ones(labels), np.zeros(labels)]
    counts = np.r_[np.ones(len(cells)), positive, silent - positive]
    return features, truth, counts
