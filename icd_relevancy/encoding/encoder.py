"""The encoder of notes and code titles: one Keras layer over a pretrained Hugging Face transformer."""

import hashlib
import json

import keras
import numpy as np
from keras import ops

from icd_relevancy.encoding.pretrained import local_folder
from icd_relevancy.encoding.tokenizer import build_tokenizer, checked_texts, read_tokenizer, truncated_texts
from icd_relevancy.encoding.transformer import adopted_weights, as_graph, pretrained, seed_dropout, untrained
from icd_relevancy.errors import InputError

_POOLINGS = ("mean", "cls")
_TOKENIZED_AT_ONCE = 4096
_LONGEST = 2**20


@keras.saving.register_keras_serializable(package="icd_relevancy")
class TransformerEncoder(keras.layers.Layer):
    """A pretrained transformer that turns token ids into one vector a text.

    The transformer computes in bfloat16 under the dtype policy `"mixed_bfloat16"` and in float32 under every
    other, as its masks overflow a float16; its output is cast to the layer's compute dtype. A frozen encoder
    (`trainable=False`) always runs without dropout, so that a frozen text has one vector, in training as in
    `icd_relevancy.training.embed`. The layer carries its configuration, its tokenizer and its weights into a
    saved model, which therefore loads without the original folder. It needs the TensorFlow backend.

    With `chunk_length` a text may be longer than the model's positions: its tokens are cut into chunks of that
    length, each is read by itself, from the first position, and the vectors are put together again (PLM-ICD).

    Args:
        name_or_path: A Hugging Face model folder or hub name with TensorFlow or safetensors weights. Defaults
            to None, the default encoder all-MiniLM-L6-v2.
        pooling: `"mean"`, the mean of the token vectors under the attention mask (as all-MiniLM-L6-v2 was
            trained), or `"cls"`, the first token's vector. Defaults to `"mean"`.
        trainable: Whether `fit` updates the transformer. Defaults to False.
        max_length: The number of tokens at which `tokenize` cuts a text, special tokens included. Defaults
            to 256.
        lowercase: Whether the tokenizer lower-cases; None leaves it as it was published, which is wrong for
            some models (Bio_ClinicalBERT is cased and its published tokenizer lower-cases). Defaults to None.
        return_sequence: Whether to return every token's vector, `(batch, length, d)`, instead of the pooled
            vector. Defaults to False.
        architecture: The Hugging Face configuration as a dict; given by `get_config`, and then no pretrained
            weights are read. Defaults to None.
        tokenizer_files: The tokenizer's files as a dict from name to text; given by `get_config`. Defaults to
            None.
        chunk_length: Tokens of a chunk, up to the model's positions; PLM-ICD has 128. Defaults to None: a text
            is read at once.
        **kwargs: Base layer arguments: `name`, `dtype`.

    Call arguments:
        inputs: A dict of `input_ids` and `attention_mask`, or the two in a tuple, integers `(batch, length)`.
        training: Whether a trainable transformer uses dropout. Defaults to None.

    Returns:
        `(batch, d)`, or `(batch, length, d)` with `return_sequence`.

    Raises:
        InputError: If the encoder is neither on this machine nor to be fetched, or its files are damaged.
        InputError: If `chunk_length`, or without it `max_length`, is beyond the positions that the model has.
        ValueError: If `pooling` is not known.

    Example:

    >>> from icd_relevancy.layers import TransformerEncoder
    >>> encoder = TransformerEncoder(max_length=128)  # doctest: +SKIP
    >>> encoder(encoder.tokenize(["Cough and fever.", "Hydronephrosis."])).shape  # doctest: +SKIP
    TensorShape([2, 384])

    Reference: LOSSES §4; PLM-ICD (Huang et al. 2022) §3.2 for chunks.
    """

    def __init__(
        self,
        name_or_path=None,
        pooling="mean",
        trainable=False,
        max_length=256,
        lowercase=None,
        return_sequence=False,
        architecture=None,
        tokenizer_files=None,
        chunk_length=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if pooling not in _POOLINGS:
            raise ValueError(f"Argument `pooling` must be one of {_POOLINGS}. Received: pooling={pooling!r}")
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "`TransformerEncoder` needs the TensorFlow backend (set KERAS_BACKEND=tensorflow). "
                f"Received: backend={keras.backend.backend()!r}"
            )
        self.name_or_path = None if name_or_path is None else str(name_or_path)
        self.pooling = pooling
        self.max_length = max_length
        self.lowercase = lowercase
        self.return_sequence = return_sequence
        self.chunk_length = chunk_length
        if architecture is None:
            folder = local_folder(name_or_path)
            self._transformer = pretrained(folder, self.compute_dtype)
            self.tokenizer_files = read_tokenizer(folder)
        else:
            self._transformer = untrained(architecture, self.compute_dtype)
            self.tokenizer_files = tokenizer_files
        config = self._transformer.config
        self.architecture = json.loads(json.dumps(config.to_diff_dict()))
        self._tokenizer = build_tokenizer(self.tokenizer_files, lowercase)
        if (
            max(self._tokenizer.get_vocab().values(), default=-1) >= config.vocab_size
            and architecture is not None
        ):
            raise InputError("the tokenizer has more tokens than the encoder; copy or train the model again")
        self.max_positions = min(self._tokenizer.model_max_length, config.max_position_embeddings)
        self._check_lengths()
        self.dimension = config.hidden_size
        self._weights_of_transformer = adopted_weights(self._transformer)
        self.seed_generator = keras.random.SeedGenerator()
        seed_dropout(self._transformer, self.seed_generator)
        # After the variables, because Keras files variables by their flag when they are tracked.
        self.trainable = trainable
        self._graph = None
        self.built = True

    def _check_lengths(self):
        most = self.max_positions
        if self.max_length > _LONGEST:
            raise InputError(
                f"Argument `max_length` must be at most {_LONGEST}. Received: max_length={self.max_length}"
            )
        if self.chunk_length is None and not 2 < self.max_length <= most:
            raise InputError(
                f"Argument `max_length` must be from 3 to the model's {most} positions, or give a chunk_length. "
                f"Received: max_length={self.max_length}"
            )
        if self.chunk_length is not None and not (0 < self.chunk_length <= most and self.max_length > 2):
            raise InputError(
                f"Argument `chunk_length` must be from 1 to the model's {most} positions and `max_length` at "
                f"least 3. Received: chunk_length={self.chunk_length}, max_length={self.max_length}"
            )

    def tokenize(self, texts, padding=True):
        """Token ids of texts, cut at `max_length`.

        Args:
            texts: A list of str.
            padding: Whether to pad to the longest text of the list. Defaults to True.

        Returns:
            A dict of `input_ids` and `attention_mask`: int32 arrays `(len(texts), length)`, or lists of lists
            without padding.

        Raises:
            InputError: If an item is not a str or not valid Unicode, naming its row.
            ValueError: If `texts` is one str.

        Example:

        >>> encoder.tokenize(["Cough."])["input_ids"].shape  # doctest: +SKIP
        (1, 4)
        """
        texts = checked_texts(texts)
        if not padding:
            if not texts:
                return {"input_ids": [], "attention_mask": []}
            return dict(self._encoded(texts, padding=False))
        shape = (len(texts), self.max_length)
        ids, mask = np.full(shape, self._tokenizer.pad_token_id or 0, "int32"), np.zeros(shape, "int32")
        longest = 0
        # The tokenizer returns Python lists, many times the size of the arrays.
        for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
            block = slice(start, start + _TOKENIZED_AT_ONCE)
            encoded = self._encoded(texts[block], padding=True)
            length = len(encoded["input_ids"][0])
            ids[block, :length], mask[block, :length] = encoded["input_ids"], encoded["attention_mask"]
            longest = max(longest, length)
        return {
            "input_ids": np.ascontiguousarray(ids[:, :longest]),
            "attention_mask": np.ascontiguousarray(mask[:, :longest]),
        }

    def _encoded(self, texts: list[str], padding: bool):
        return self._tokenizer(
            texts,
            padding=padding,
            truncation=True,
            max_length=self.max_length,
            return_token_type_ids=False,
            return_attention_mask=True,
        )

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens that `tokenize` gives for a text stand in it.

        Args:
            text: The text.

        Returns:
            The first character and the one after the last of each token; `(0, 0)` for special tokens.

        Example:

        >>> encoder.token_spans("Cough.")  # doctest: +SKIP
        [(0, 0), (0, 5), (5, 6), (0, 0)]
        """
        encoded = self._tokenizer(
            checked_texts([text])[0], truncation=True, max_length=self.max_length, return_offsets_mapping=True
        )
        return [tuple(span) for span in encoded["offset_mapping"]]

    def truncated(self, texts) -> int:
        """How many of the texts have more than `max_length` tokens, so that `tokenize` cuts them.

        Example:

        >>> encoder.truncated(["Cough."])  # doctest: +SKIP
        0
        """
        return truncated_texts(self._tokenizer, texts, self.max_length)

    def call(self, inputs, training=None):
        ids, mask = (
            (inputs["input_ids"], inputs["attention_mask"]) if isinstance(inputs, dict) else tuple(inputs)
        )
        length = ids.shape[1]
        if self.chunk_length is None and length is not None and length > self.max_positions:
            raise ValueError(
                f"The model has {self.max_positions} positions; give a chunk_length to read more tokens. "
                f"Received: input_ids of shape {tuple(ids.shape)}"
            )
        states = self._states(ops.cast(ids, "int32"), ops.cast(mask, "int32"), training)
        if not self.return_sequence:
            states = _pool(states, mask, self.pooling)
        return ops.cast(states, self.compute_dtype)

    def _states(self, ids, mask, training):
        batch, length = ops.shape(ids)
        if self.chunk_length is not None:
            # Some models count positions from the padding.
            ids = _in_chunks(ids, self.chunk_length, self._tokenizer.pad_token_id or 0)
            mask = _in_chunks(mask, self.chunk_length)
        states = self._transformer(
            input_ids=ids, attention_mask=mask, training=bool(training) and self.trainable
        ).last_hidden_state
        return states if self.chunk_length is None else _joined(states, batch, length)

    def encode(self, input_ids, attention_mask):
        """Vectors of one padded batch, outside any model and without gradients, by one graph for every shape.

        Args:
            input_ids: int32 array `(batch, length)`.
            attention_mask: int32 array `(batch, length)`.

        Returns:
            What the layer returns, as a NumPy array.

        Example:

        >>> encoder.encode(**encoder.tokenize(["Cough."])).shape  # doctest: +SKIP
        (1, 384)
        """
        if self._graph is None:
            self._graph = as_graph(lambda ids, mask: self.call((ids, mask)))
        return self._graph(input_ids, attention_mask).numpy()

    def fingerprint(self) -> str:
        """The SHA-256 of the weights as they now are, the architecture and the tokenizer, in hexadecimal.

        Example:

        >>> key = encoder.fingerprint()  # doctest: +SKIP
        """
        described = json.dumps([self.architecture, self.tokenizer_files], sort_keys=True)
        digest = hashlib.sha256(described.encode())
        for variable in self._weights_of_transformer:
            digest.update(np.ascontiguousarray(variable.numpy()))
        return digest.hexdigest()

    def compute_output_shape(self, inputs_shape):
        ids = inputs_shape["input_ids"] if isinstance(inputs_shape, dict) else inputs_shape[0]
        return (*ids, self.dimension) if self.return_sequence else (ids[0], self.dimension)

    @classmethod
    def from_config(cls, config):
        """The layer of `get_config`, which holds all that it is built from.

        Raises:
            InputError: If its architecture or its tokenizer is not there: a name could be looked for anywhere.
        """
        if not isinstance(config.get("architecture"), dict):
            raise InputError("the encoder of a saved model: no architecture; copy or train the model again")
        return super().from_config(config)

    def get_config(self):
        return super().get_config() | {
            "name_or_path": self.name_or_path,
            "pooling": self.pooling,
            "max_length": self.max_length,
            "lowercase": self.lowercase,
            "return_sequence": self.return_sequence,
            # Keras wraps what a layer holds; the configuration is plain.
            "architecture": json.loads(json.dumps(self.architecture)),
            "tokenizer_files": dict(self.tokenizer_files),
            "chunk_length": self.chunk_length,
        }


def _in_chunks(tokens, chunk_length: int, padding=0):
    """The chunks of each row of `(batch, length)` tokens, one below the other; the last is filled (PLM-ICD §3.2)."""
    batch, length = ops.shape(tokens)
    size = _chunk_size(length, chunk_length)
    filling = ops.full((batch, -length % size), padding, dtype=tokens.dtype)
    return ops.reshape(ops.concatenate([tokens, filling], axis=1), (-1, size))


def _joined(states, batch, length):
    """States of chunks `(batch * chunks, size, d)` as `(batch, length, d)`: the way back from `_in_chunks`."""
    return ops.reshape(states, (batch, -1, states.shape[-1]))[:, :length]


def _chunk_size(length, chunk_length):
    # A number where it is known before the graph runs, so that XLA has the shape.
    if isinstance(length, int):
        return max(min(length, chunk_length), 1)
    return ops.clip(length, 1, chunk_length)


def _pool(states, mask, pooling):
    if pooling == "cls":
        return states[:, 0]
    # In half precision the sum of many tokens loses its digits.
    states, weights = ops.cast(states, "float32"), ops.expand_dims(ops.cast(mask, "float32"), -1)
    # A text without tokens would divide by zero.
    return ops.sum(states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)
