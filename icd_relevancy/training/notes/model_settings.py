"""The models of notes: which settings they have, and what a setting that is left open stands for."""

WORD_MODELS = ("caml", "multirescnn", "laat")
BACKBONES = (*WORD_MODELS, "plm-icd")
MODELS = ("linear", "hmhan", *BACKBONES, "lexicon")

_JOINT = (*BACKBONES, "lexicon")
_WITH_LEXICON = ("hmhan", *BACKBONES, "lexicon")

_READING_TEXTS = ("linear", "hmhan", *BACKBONES)  # a lexicon reads the notes as they are

# The models that a setting is of, where it is not of all.
OF_MODELS = {
    "unify": _READING_TEXTS,
    "negation": _READING_TEXTS,
    "clean": _READING_TEXTS,
    "pooling": ("linear",),
    "attention": ("hmhan",),
    "structured": ("hmhan",),
    "smote": ("hmhan",),
    "bag_of_words": ("hmhan", *BACKBONES),
    "lexical": ("hmhan", *BACKBONES),
    "min_groups": _WITH_LEXICON,
    "title_queries": ("hmhan", *BACKBONES),
    "units": WORD_MODELS,
    "attention_dim": ("laat", "plm-icd"),
    "dropout": BACKBONES,
    "chunk_length": ("plm-icd",),
    "word_vectors": WORD_MODELS,
    "encoder": ("linear", "hmhan", "plm-icd"),
    "lowercase": ("linear", "hmhan", "plm-icd"),
    "fine_tune": ("linear", "hmhan", "plm-icd"),
    "joint": _JOINT,
    "joint_system": _JOINT,
    "mapping": _JOINT,
    "graph": _JOINT,
}

# The losses that a setting is of.
OF_LOSSES = {
    "alpha": ("whml",),
    "harmonic_of": ("bhml", "whml"),
    "matching": ("tlcl", "plcl", "bhml", "whml"),
}

# LOSSES table 1, for a frozen encoder.
_FROZEN = {
    "learning_rate": 1e-3, "batch_size": 32, "epochs": 50, "warm_up": 0.0, "weight_decay": 0.0, "clip_norm": 0.0,
    "monitor": "loss", "max_length": 256,
}  # fmt: skip
_FINE_TUNED = {
    "learning_rate": 2e-4, "batch_size": 16, "epochs": 10, "warm_up": 0.1, "weight_decay": 0.01, "clip_norm": 1.0,
    "monitor": "micro_f1", "max_length": 256,
}  # fmt: skip
# What the four have in common in the replication study that JAMS follows (Edin et al. 2023).
_BACKBONE = {"epochs": 20, "warm_up": 0.05, "clip_norm": 1.0, "monitor": "map", "max_length": 4000}
_OF_BACKBONE = {
    "caml": {"learning_rate": 5e-3, "weight_decay": 1e-3, "batch_size": 8, "units": 50, "dropout": 0.2},
    "multirescnn": {"learning_rate": 5e-4, "weight_decay": 1e-4, "batch_size": 16, "units": 50, "dropout": 0.2},
    "laat": {
        "learning_rate": 1e-3, "weight_decay": 1e-3, "batch_size": 8, "units": 512, "dropout": 0.3,
        "attention_dim": 512,
    },
    "plm-icd": {
        "learning_rate": 5e-5, "weight_decay": 0.0, "batch_size": 16, "dropout": 0.0, "attention_dim": 768,
        "chunk_length": 128,
    },
}  # fmt: skip


def open_settings(model: str, fine_tune: bool) -> dict:
    """What the settings that are left open stand for.

    Args:
        model: One of `MODELS`.
        fine_tune: Whether its encoder is trained.

    Example:

    >>> from icd_relevancy.training.notes.model_settings import open_settings
    >>> open_settings("caml", fine_tune=False)["learning_rate"]
    0.005
    """
    settings = dict(_FINE_TUNED if fine_tune else _FROZEN)
    if model in BACKBONES:
        settings |= _BACKBONE | _OF_BACKBONE[model]
    if model == "plm-icd" and not fine_tune:
        settings["learning_rate"] = 1e-3  # of the attention alone
    if model == "lexicon":
        settings["learning_rate"] = 1e-2
    return settings
