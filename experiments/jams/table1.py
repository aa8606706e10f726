"""JAMS table 1: the notes of each code system, and how many of their codes are linked."""

from pathlib import Path

import pandas as pd

from experiments.harness import show
from experiments.tasks.two_systems import NAMES, TwoSystemsTask
from icd_relevancy.data import encode_labels, train_validation_split
from icd_relevancy.data.labels import unseen_share


def make(task: TwoSystemsTask, settings: dict, stem: Path) -> None:
    """JAMS table 1.

    Codes are those of the training notes; a code is linked as equivalent where the General Equivalence Mappings
    lead to at least one code of the other system that has training notes and is equivalent.
    """
    table = pd.DataFrame({NAMES[system]: _statistics(task, system) for system in task.systems})
    for system in task.systems:
        printed = settings["printed"].get(NAMES[system], {})
        table[f"{NAMES[system]}, printed"] = [printed.get(statistic, "–") for statistic in table.index]
    table = table.rename_axis("statistic")
    print(task.config.data, *task.translations, sep="\n")
    print(task.links.report)
    show(table, stem)


def _statistics(task: TwoSystemsTask, system: str) -> dict[str, str]:
    train, test = task.train[system], task.test[system]
    labels = train.label_names()
    groups = train.groups()
    y = encode_labels(train.codes, labels)
    share = task.config.training["validation"]
    _, held_out = train_validation_split(y, groups, share, task.config.seed)
    documents = len(train) + len(test)
    parts = (len(train) - len(held_out), len(held_out), len(test))
    weights = list(task.link_weights[system].values())
    known = [patient for notes in (train, test) for patient in notes.patient_id or () if patient is not None]
    return {
        "documents": f"{documents:,}",
        "patients": f"{len(set(known)):,}" if known else "–",
        "codes": f"{len(labels):,}",
        "codes a document": f"{(y.nnz + sum(map(len, test.codes))) / documents:.1f}",
        "words a document": f"{sum(len(text.split()) for text in train.text + test.text) / documents:.0f}",
        "train / validation / test (%)": " / ".join(f"{100 * part / documents:.1f}" for part in parts),
        "codes linked as equivalent": f"{sum(weight == 1 for weight in weights):,}",
        "codes linked as approximate only": f"{sum(weight < 1 for weight in weights):,}",
        "codes without a link": f"{len(labels) - len(weights):,}",
        "test codes without a training note (%)": f"{100 * unseen_share(test.codes, labels):.1f}",
    }
