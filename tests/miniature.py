"""A miniature world that trains in seconds: an encoder, code vectors and coded notes."""

import os
import random
import string
from pathlib import Path

import numpy as np

from icd_relevancy.data import Notes
from icd_relevancy.vectors import CodeVectors

# What a note says for a code; the two pneumonias and the two asthmas are neighbours.
WORDS = {
    "J18.9": "pneumonia",
    "J15.9": "consolidation",
    "J45.909": "asthma",
    "J45.901": "exacerbation",
    "I10": "hypertension",
    "E11.9": "diabetes",
    "R05.9": "cough",
    "R50.9": "fever",
}
UNSEEN = "N39.0"
# What ICD-9-CM has for them.
NINE = {
    "J18.9": "486", "J15.9": "482.9", "J45.909": "493.90", "J45.901": "493.92", "I10": "401.9", "E11.9": "250.00",
    "R05.9": "786.2", "R50.9": "780.60",
}  # fmt: skip


def notes(count: int = 80, seed: int = 0) -> Notes:
    """Notes with one or two codes each; each text is unique and each patient has one note."""
    draw = random.Random(seed)
    texts, codes = [], []
    for number in range(count):
        chosen = draw.sample(sorted(WORDS), draw.choice((1, 1, 2)))
        texts.append(f"patient {number} presents with {' and '.join(WORDS[code] for code in chosen)} .")
        codes.append(tuple(chosen))
    return Notes(tuple(f"n{number}" for number in range(count)), tuple(texts), tuple(codes))


def two_systems(count: int = 80) -> Notes:
    """The notes, every other one coded in ICD-9-CM."""
    one = notes(count)
    codes = [tuple(NINE[code] for code in row) if number % 2 else row for number, row in enumerate(one.codes)]
    return Notes(one.note_id, one.text, codes)


def vectors(codes) -> CodeVectors:
    """Codes of one category have cosine 0.8, all others 0."""
    codes = tuple(dict.fromkeys(codes))
    categories = sorted({code[:3] for code in codes})
    table = np.zeros((len(codes), len(categories) + len(codes)), np.float32)
    for row, code in enumerate(codes):
        category = "J18" if code == "J15.9" else code[:3]
        table[row, categories.index(category)] = np.sqrt(0.8)
        table[row, len(categories) + row] = np.sqrt(0.2)
    return CodeVectors(codes, table)


def write_encoder(folder: Path, positions: int = 64) -> Path:
    """A BERT with random weights and these notes' words, for texts of so many tokens."""
    os.environ["USE_TORCH"] = "0"
    import tf_keras
    import transformers

    letters = string.ascii_lowercase + string.digits
    words = [*WORDS.values(), "patient", "presents", "with", "and"]
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *words,
        *letters,
        *("##" + x for x in letters),
    ]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join([*vocabulary, *".,:;()/-"]) + "\n")
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=positions).save_pretrained(
        folder
    )
    config = transformers.BertConfig(
        vocab_size=len(vocabulary) + 8,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=positions,
        initializer_range=0.2,
    )
    tf_keras.utils.set_random_seed(0)
    model = transformers.TFBertModel(config)
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    return folder
