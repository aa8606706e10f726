"""Label-wise and hierarchical attention by loops, one note, head and query at a time; notes to attend to."""

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


def notes(size, length=7):
    """Three notes: one full, one with padding at the end and inside, one without any token."""
    states = np.random.default_rng(0).normal(size=(3, length, size)).astype("float32")
    mask = np.ones((3, length), "int32")
    mask[1, 4:] = mask[1, 1] = mask[2] = 0
    return states, mask


def longer(states, mask, by=9):
    """The notes with so many more positions of padding, whose states are far off."""
    far = np.full((len(states), by, states.shape[2]), 1e4, states.dtype)
    return np.concatenate([states, far], axis=1), np.pad(mask, ((0, 0), (0, by)))


def labelled(size, labels, count=48):
    """Notes whose tokens are each one of `size` words; label j is true where the word j mod `size` occurs."""
    rng = np.random.default_rng(4)
    words = rng.integers(0, size, (count, 6))
    mask = (np.arange(6) < rng.integers(1, 7, (count, 1))).astype("int32")
    occurs = [
        [word in note[tokens == 1] for word in range(size)] for note, tokens in zip(words, mask, strict=True)
    ]
    truth = np.array(occurs, "float32")[:, np.arange(labels) % size]
    return [np.eye(size, dtype="float32")[words], mask], truth


def losses_of_learning(model, x, y, passes=60):
    """The loss of the first pass over the notes, of those between and of the last, as many epochs take longer."""
    between = [np.concatenate([part] * (passes - 2)) for part in (*x, y)]
    epochs = ((x, y), (between[:-1], between[-1]), (x, y))
    return [model.fit(*notes, batch_size=16, verbose=0).history["loss"][0] for notes in epochs]
