"""Notes of two code systems on which an experiment of JAMS takes seconds."""

from itertools import chain
from pathlib import Path

import miniature

from experiments.tasks.two_systems import TwoSystemsConfig, TwoSystemsTask
from icd_relevancy.codes import CodeMapping
from icd_relevancy.data import Notes
from icd_relevancy.data.synthetic.universe import label_universe

# 576.2 and K83.1 are equivalent, 401.9 and I10 approximately, 428.0 and R05.9 lead to no code that is here.
NINE = [("576.2",)] * 5 + [("401.9", "576.2")] * 2 + [("428.0",)]
TEN = [("K83.1",)] * 4 + [("I10", "K83.1")] * 3 + [("R05.9",)]
CAML = {"name": "CAML", "model": "caml"}

_WORDS = {
    "576.2": "biliary stricture", "401.9": "hypertension", "428.0": "heart failure",
    "K83.1": "biliary stricture", "I10": "hypertension", "R05.9": "cough",
}  # fmt: skip
_TINY = {"epochs": 2, "units": 4, "max_length": 40, "batch_size": 16}
_MODELS = {
    "caml": _TINY,
    "multirescnn": _TINY,
    "laat": {**_TINY, "attention_dim": 4},
    "plm-icd": {"epochs": 2, "max_length": 40, "attention_dim": 4},
    "hmhan": {"epochs": 2, "max_length": 40},
    "lexicon": {"epochs": 2},
}


def write_vectors(cache: Path) -> Path:
    """Writes code vectors of both systems, for all notes of these tests, to a new cache folder."""
    codes = [*chain.from_iterable(NINE), *miniature.WORDS, *label_universe(100).codes]
    translated, _ = CodeMapping.gems().translate([(code,) for code in codes if code[0].isalpha()], "icd9cm")
    nine = {*chain.from_iterable(NINE), *chain.from_iterable(translated)}
    miniature.vectors(sorted(nine)).save(cache / "vectors" / "icd9cm")
    ten = {*chain.from_iterable(TEN), *miniature.WORDS, *label_universe(100).codes}
    miniature.vectors(sorted(ten)).save(cache / "vectors" / "icd10cm")
    return cache


def write_notes(path: str) -> str:
    """A file of notes in both systems, of which half have the same codes: half of each is held out."""
    coded = [("icd9cm", codes) for codes in NINE] + [("icd10cm", codes) for codes in TEN]
    rows = [(system, codes) for system, codes in coded for _ in range(2)]
    texts = [
        f"Note {number}: {' and '.join(_WORDS[code] for code in codes)}."
        for number, (_, codes) in enumerate(rows)
    ]
    codes, systems = [codes for _, codes in rows], [system for system, _ in rows]
    names = tuple(f"n{number}" for number in range(len(rows)))
    Notes(names, texts, codes, code_system=systems).write(path)
    return path


def small_task(encoder: Path, data="synthetic", **changes) -> TwoSystemsTask:
    """A task of tiny models; arguments change its configuration."""
    settings = {
        "data": data, "systems": ("icd9cm", "icd10cm"), "language": "en", "level": "full", "notes": 80,
        "codes": 100, "min_count": 1, "test": 0.25, "seed": 0, "seeds": 2, "strata": (2, 10),
        "encoder": str(encoder), "training": {"validation": 0.2}, "models": _MODELS,
    }  # fmt: skip
    return TwoSystemsTask(TwoSystemsConfig(**{**settings, **changes}))
