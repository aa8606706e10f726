"""The backbones' layers by loops, one note and word at a time; notes of words, and tiny models of each backbone."""

import keras
import numpy as np
from keras import ops

from icd_relevancy.layers import TransformerEncoder
from icd_relevancy.models import caml, head_of, laat, multirescnn, plm_icd
from tests.layers import attention_oracles

LABELS, WORDS, SIZE, LENGTH = 4, 14, 6, 9
WORD_LEVEL = {"caml": caml, "multirescnn": multirescnn, "laat": laat}
# Each learns the notes below in some seconds.
SIZES = {
    "caml": {"filters": 24, "width": 4},
    "multirescnn": {"filters": 8, "widths": (1, 4)},
    "laat": {"units": 12, "attention_dim": 10},
    "plm_icd": {"attention_dim": 10},
}


def made(name, encoder_folder=None, **options):
    """A tiny model of a backbone, without dropout; `plm_icd` fine-tunes the encoder of the folder."""
    keras.utils.set_random_seed(0)
    options = SIZES[name] | options
    if name == "plm_icd":
        encoder = TransformerEncoder(
            encoder_folder, trainable=True, max_length=16, return_sequence=True, chunk_length=4
        )
        return plm_icd(LABELS, encoder, **options)
    return WORD_LEVEL[name](LABELS, vocabulary_size=WORDS, embedding_size=SIZE, dropout=0.0, **options)


def notes(count=50):
    """Notes of 3 to 9 words, the last without any; code j where the word j + 5 occurs."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(3, LENGTH + 1, (count, 1))
    lengths[-1], lengths[0] = 0, LENGTH
    mask = (np.arange(LENGTH) < lengths).astype("int32")
    ids = rng.integers(1, WORDS, (count, LENGTH)).astype("int32") * mask
    truth = [[word in note for word in range(5, 5 + LABELS)] for note in ids]
    return {"input_ids": ids, "attention_mask": mask}, np.array(truth, "float32")


def padded(x, by=7):
    """The notes with so much more padding, whose ids are of words."""
    return {
        name: np.pad(array, ((0, 0), (0, by)), constant_values=3 * (name == "input_ids"))
        for name, array in x.items()
    }


def probabilities(model, x):
    return ops.convert_to_numpy(model(x))


def states_of(model, x):
    """The token states of a model's body, zero for padding."""
    body = next(layer for layer in model.layers if layer.name.endswith("_body"))
    return ops.convert_to_numpy(body(x)) * x["attention_mask"][..., None]


def from_states(model, states, mask):
    """What the head gives: attention of each code, its weight vector and bias, sigmoid."""
    head = head_of(model)
    *projection, queries = head.get_layer("attention").get_weights()
    kernel, bias = head.get_layer("own_logits").get_weights()
    contexts, _ = attention_oracles.label_attention(states, mask, queries, *projection)
    logits = np.array([[c @ w for c, w in zip(note, kernel, strict=True)] for note in contexts]) + bias
    return 1 / (1 + np.exp(-logits))


def convolution(note, mask, kernel, bias=0.0):
    """Of the same length: the left border is the shorter one where the width is even."""
    width, _, filters = kernel.shape
    outputs = np.zeros((len(note), filters))
    for n in range(len(note)):
        for offset in range(width):
            seen = n + offset - (width - 1) // 2
            if 0 <= seen < len(note) and mask[seen]:
                outputs[n] += note[seen] @ kernel[offset]
    return outputs + bias


def normalized(states, gamma, beta, mean, variance):
    return gamma * (states - mean) / np.sqrt(variance + 1e-5) + beta


def lstm(note, mask, kernel, recurrent_kernel, bias, backwards=False):
    """The state after each word, and zero for padding."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    units = len(recurrent_kernel)
    hidden, cell, outputs = np.zeros(units), np.zeros(units), np.zeros((len(note), units))
    for n in sorted(np.flatnonzero(mask), reverse=backwards):
        gates = np.split(note[n] @ kernel + hidden @ recurrent_kernel + bias, 4)
        entering, kept, candidate, shown = gates
        cell = sigmoid(kept) * cell + sigmoid(entering) * np.tanh(candidate)
        hidden = outputs[n] = sigmoid(shown) * np.tanh(cell)
    return outputs
