"""A miniature BERT with random weights, written to disk as a published encoder is."""

import json
import os

import pytest

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["cough", "fever", "Cough", "no", "acute", "chest", "pain", "left", "right", "renal", ".", ","]


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    os.environ["USE_TORCH"] = "0"
    import transformers

    folder = tmp_path_factory.mktemp("encoder") / "miniature"
    folder.mkdir()
    config = transformers.BertConfig(
        vocab_size=len(SPECIAL + WORDS),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    transformers.set_seed(0)
    model = transformers.TFBertModel(config)
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    described = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    return folder
