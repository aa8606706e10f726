"""Embeddings of texts by a frozen encoder, computed once and kept on disk."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from icd_relevancy.encoding.encoder import TransformerEncoder
from icd_relevancy.encoding.pretrained import encoder_hash
from icd_relevancy.encoding.tokenizer import checked_texts
from icd_relevancy.files.disk import private_folder, replacing
from icd_relevancy.files.safe_reading import read_arrays, reading

_SHARD_TEXTS = 2048
_KEY_BYTES = 16
# Small batches, because activations that stay in the CPU's cache are worth more than large matrix products.
_BATCH_TOKENS = 1024


def embed(
    texts: Sequence[str],
    encoder=None,
    max_length: int = 256,
    cache=None,
    *,
    pooling: str = "mean",
    lowercase: bool | None = None,
    progress: bool = True,
) -> np.ndarray:
    """One vector a text from a pretrained encoder, without gradients.

    A repeated text is encoded once. With `cache`, vectors are written in shards as they are computed, under a
    key of the text (never the text itself) and in a sub-folder of the encoder's hash and settings, for their owner
    alone: a later call reads them, and an interrupted one goes on where it was.

    Args:
        texts: n texts.
        encoder: A Hugging Face model folder or hub name; a `TransformerEncoder`, whose own settings then hold
            instead of `max_length`, `pooling` and `lowercase`; or None for the default encoder,
            all-MiniLM-L6-v2. Defaults to None.
        max_length: The number of tokens at which a text is cut. Defaults to 256.
        cache: A folder for the vectors; None keeps nothing. Defaults to None.
        pooling: `"mean"` or `"cls"`. Defaults to `"mean"`.
        lowercase: Whether the tokenizer lower-cases; None leaves it as it was published. Defaults to None.
        progress: Whether to show a progress bar while texts are encoded. Defaults to True.

    Returns:
        float32 `(n, d)`, in the order of `texts`.

    Raises:
        InputError: If a text is not a str or not valid Unicode, the encoder cannot be had, a cached shard is
            damaged or the disk is full.
        ValueError: If `texts` is one str.

    Example:

    >>> from icd_relevancy.training import embed
    >>> embed(["Cough and fever.", "Hydronephrosis."], cache="cache").shape  # doctest: +SKIP
    (2, 384)

    Reference: LOSSES §4.
    """
    settings = {"pooling": pooling, "max_length": max_length, "lowercase": lowercase, "chunk_length": None}
    given = encoder if isinstance(encoder, TransformerEncoder) else None
    if given is not None:
        settings = {name: getattr(given, name) for name in settings}
        if given.return_sequence:
            raise ValueError("`embed` needs one vector a text. Received: return_sequence=True")
    texts = checked_texts(texts)
    first, missing = _distinct(texts)
    store, vectors = None, None
    if cache is not None:
        fingerprint = given.fingerprint() if given is not None else encoder_hash(encoder)
        store = Path(cache) / _folder_name(fingerprint, **settings)
        vectors = _take_cached(store, missing, len(texts))
    layer = given
    if layer is None and (missing or vectors is None):
        layer = TransformerEncoder(encoder, **settings)
    if vectors is None:
        vectors = np.empty((len(texts), layer.dimension), np.float32)
    pairs = list(missing.items())
    # None leaves the bar out where the output is not a terminal.
    hidden = None if progress and pairs else True
    with tqdm(total=len(pairs), desc="embedding", unit="text", leave=False, delay=1, disable=hidden) as bar:
        for start in range(0, len(pairs), _SHARD_TEXTS):
            keys, rows = zip(*pairs[start : start + _SHARD_TEXTS], strict=True)
            for batch, encoded in encoded_batches([texts[row] for row in rows], layer):
                vectors[[rows[at] for at in batch]] = encoded
                bar.update(len(batch))
            if store is not None:
                _write_shard(store, keys, vectors[list(rows)])
    for start in range(0, len(texts), _SHARD_TEXTS):
        block = slice(start, start + _SHARD_TEXTS)
        vectors[block] = vectors[first[block]]
    return vectors


def _distinct(texts: list[str]) -> tuple[np.ndarray, dict[bytes, int]]:
    """For each text the row at which it occurs first, and that row by the text's key."""
    rows: dict[bytes, int] = {}
    keys = (hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in texts)
    first = np.fromiter((rows.setdefault(key, row) for row, key in enumerate(keys)), np.int64, len(texts))
    return first, rows


def encoded_batches(
    texts: Sequence[str], layer: TransformerEncoder
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yields the rows of batches of like length, the longest texts first, and what the encoder returns for them."""
    tokens = layer.tokenize(texts, padding=False)["input_ids"]
    longest_first = sorted(range(len(texts)), key=lambda at: -len(tokens[at]))
    start = 0
    while start < len(texts):
        longest = len(tokens[longest_first[start]])
        batch = longest_first[start : start + max(_BATCH_TOKENS // longest, 1)]
        ids, mask = np.zeros((2, len(batch), longest), np.int32)
        for at, text in enumerate(batch):
            ids[at, : len(tokens[text])] = tokens[text]
            mask[at, : len(tokens[text])] = 1
        yield batch, layer.encode(ids, mask)
        start += len(batch)


def _folder_name(
    fingerprint: str, pooling: str, max_length: int, lowercase: bool | None, chunk_length: int | None
) -> str:
    case = {None: "as-published", True: "lower", False: "cased"}[lowercase]
    chunks = "" if chunk_length is None else f"-chunks-of-{chunk_length}"
    return f"{fingerprint}-{pooling}-{max_length}-{case}{chunks}"


def _write_shard(store: Path, keys: Sequence[bytes], vectors: np.ndarray) -> None:
    name = hashlib.blake2b(b"".join(keys), digest_size=_KEY_BYTES).hexdigest()
    with replacing(private_folder(store) / f"{name}.npz", private=True) as temporary:
        np.savez(temporary, keys=np.frombuffer(b"".join(keys), np.uint8), vectors=vectors)


def _take_cached(store: Path, missing: dict[bytes, int], count: int) -> np.ndarray | None:
    """`(count, d)` with the rows of `missing` that the shards hold, which leave `missing`; None without any."""
    vectors = None
    for shard in sorted(store.glob("*.npz")):
        with reading(shard, "a shard of embeddings", "delete the file and run again"):
            joined = read_arrays(shard, ["keys"])["keys"].tobytes()
            keys = [joined[at : at + _KEY_BYTES] for at in range(0, len(joined), _KEY_BYTES)]
            wanted = [at for at, key in enumerate(keys) if key in missing]
            if wanted:
                cached = _checked_vectors(shard, len(keys))
                if vectors is None:
                    vectors = np.empty((count, cached.shape[1]), np.float32)
                vectors[[missing.pop(keys[at]) for at in wanted]] = cached[wanted]
    return vectors


def _checked_vectors(shard: Path, keys: int) -> np.ndarray:
    vectors = read_arrays(shard, ["vectors"])["vectors"]
    if (
        vectors.dtype != np.float32
        or vectors.ndim != 2
        or len(vectors) != keys
        or not np.isfinite(vectors).all()
    ):
        raise ValueError("the vectors do not fit the keys")
    return vectors
