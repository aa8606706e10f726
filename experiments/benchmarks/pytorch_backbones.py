"""CAML and LAAT in plain PyTorch, for a Python that has it: seconds of a step on a batch and weights from files."""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn


class LabelAttention(nn.Module):
    """A query, a weight vector and a bias for each code; the tokens may be projected to be weighed."""

    def __init__(self, weights):
        super().__init__()
        *projection, queries, kernel, bias = weights
        self.projection = nn.Parameter(projection[0]) if projection else None
        self.queries, self.kernel, self.bias = map(nn.Parameter, (queries, kernel, bias))

    def forward(self, states):
        keys = states if self.projection is None else torch.tanh(states @ self.projection)
        weights = torch.softmax(self.queries @ keys.transpose(1, 2), dim=2)
        return ((weights @ states) * self.kernel).sum(dim=2) + self.bias


class Caml(nn.Module):
    """Embedding, dropout, convolution, tanh, label attention."""

    def __init__(self, weights):
        super().__init__()
        embeddings, kernel, bias = weights[:3]
        self.embedding = nn.Embedding.from_pretrained(embeddings, freeze=False)
        self.dropout = nn.Dropout(0.2)
        width, size, filters = kernel.shape
        self.convolution = nn.Conv1d(size, filters, width, padding="same")
        self.convolution.weight.data = kernel.permute(2, 1, 0).contiguous()
        self.convolution.bias.data = bias
        self.attention = LabelAttention(weights[3:])

    def forward(self, ids):
        words = self.dropout(self.embedding(ids))
        return self.attention(torch.tanh(self.convolution(words.transpose(1, 2))).transpose(1, 2))


class Laat(nn.Module):
    """Embedding, dropout, bidirectional LSTM, label attention in a projection."""

    def __init__(self, weights):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(weights[0], freeze=False)
        self.dropout = nn.Dropout(0.3)
        units = weights[2].shape[0]
        self.lstm = nn.LSTM(weights[0].shape[1], units, batch_first=True, bidirectional=True)
        for direction, suffix in ((weights[1:4], "l0"), (weights[4:7], "l0_reverse")):
            kernel, recurrent, bias = direction
            getattr(self.lstm, f"weight_ih_{suffix}").data = kernel.T.contiguous()
            getattr(self.lstm, f"weight_hh_{suffix}").data = recurrent.T.contiguous()
            getattr(self.lstm, f"bias_ih_{suffix}").data = bias
            getattr(self.lstm, f"bias_hh_{suffix}").data.zero_()
        self.attention = LabelAttention(weights[7:])

    def forward(self, ids):
        return self.attention(self.lstm(self.dropout(self.embedding(ids)))[0])


def main() -> None:
    """Reads `name`, `steps` and `folder` as JSON; writes the median seconds of a step as JSON."""
    given = json.load(sys.stdin)
    folder = Path(given["folder"])
    arrays = np.load(folder / "given.npz")
    count = sum(name.startswith("weight_") for name in arrays.files)
    model = {"caml": Caml, "laat": Laat}[given["name"]](
        [torch.from_numpy(arrays[f"weight_{number}"]) for number in range(count)]
    )
    ids, y = torch.from_numpy(arrays["ids"]).long(), torch.from_numpy(arrays["y"])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=4e-3)

    def infer():
        model.eval()
        with torch.no_grad():
            return torch.sigmoid(model(ids))

    def train():
        model.train()
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(ids), y).backward()
        optimizer.step()

    np.save(folder / "probabilities.npy", infer().numpy())
    seconds = {"training": median(train, given["steps"]), "inference": median(infer, given["steps"])}
    json.dump(seconds, sys.stdout)


def median(step, steps: int) -> float:
    """Median seconds of a step, after one to warm up."""
    step()
    seconds = []
    for _ in range(steps):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
