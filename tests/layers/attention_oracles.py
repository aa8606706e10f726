"""Label-wise and hierarchical attention by loops, one note, head and query at a time."""

import numpy as np


def softmax(scores):
    powers = np.exp(scores - np.max(scores))
    return powers / powers.sum()


def attend(queries, keys, values, mask):
    """Contexts and weights of one note and head: `(m, value_size)` and `(m, length)`."""
    contexts = np.zeros((len(queries), values.shape[1]))
    weights = np.zeros((len(queries), len(keys)))
    tokens = np.flatnonzero(mask)
    for j, query in enumerate(queries):
        if len(tokens):
            weights[j, tokens] = softmax(np.array([query @ keys[n] for n in tokens]))
        for n in tokens:
            contexts[j] += weights[j, n] * values[n]
    return contexts, weights


def by_heads(queries, keys, values, mask, heads):
    """As `attend`: contexts of all heads side by side, weights averaged over them."""
    parts = [np.split(array, heads, axis=1) for array in (queries, keys, values)]
    found = [attend(*head, mask) for head in zip(*parts, strict=True)]
    return np.hstack([contexts for contexts, _ in found]), np.mean([weights for _, weights in found], axis=0)


def label_attention(states, mask, queries, projection=None, heads=1):
    notes = []
    for note, tokens in zip(states, mask, strict=True):
        keys = note if projection is None else np.tanh(note @ projection)
        notes.append(by_heads(queries, keys, note, tokens, heads))
    return [np.array(part) for part in zip(*notes, strict=True)]


def hierarchical_attention(states, mask, membership, weights, heads):
    """Contexts of codes and categories, and the weights of both; `weights` by the layer's own names."""
    notes = []
    for note, tokens in zip(states, mask, strict=True):
        keys, values = note @ weights["key_kernel"], note @ weights["value_kernel"]
        scale = (keys.shape[1] // heads) ** -0.5
        categories, seen = by_heads(weights["category_queries"] * scale, keys, values, tokens, heads)
        queries = np.array(
            [
                weights["code_queries"][j] + categories[category] @ weights["condition_kernel"]
                for j, category in enumerate(membership)
            ]
        )
        codes, code_seen = by_heads(queries * scale, keys, values, tokens, heads)
        notes.append((codes, categories, code_seen, seen))
    return [np.array(part) for part in zip(*notes, strict=True)]
