"""Trains one row of a table with one seed, and keeps what is measured of it on the test notes."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from experiments.controls import control_scores, tuned_control
from experiments.tasks.two_systems import NAMES, TwoSystemsTask
from icd_relevancy.data import encode_labels, join_notes
from icd_relevancy.files.disk import cache_folder
from icd_relevancy.metrics import multilabel, ranking, relevancy_report
from icd_relevancy.metrics.positive_ranks import positive_ranks
from icd_relevancy.training import TrainingConfig
from icd_relevancy.training.evaluation import with_unseen_codes
from icd_relevancy.training.thresholds import predicted_labels
from icd_relevancy.vectors.code_vectors import graph_of_labels

# The nine of JAMS table 2, in its order.
METRICS = (
    "AUC micro", "AUC macro", "micro-F1", "macro-F1", "EMR", "P@8", "P@15", "R-precision", "MAP",
)  # fmt: skip


def measured(task: TwoSystemsTask, row: dict) -> dict[str, list[dict]]:
    """What is measured of a row in each system, once for each seed; finished runs are read back.

    Args:
        task: The task.
        row: `name` and `control`, one of `control_scores`, which has no seeds; or `model`, `training` settings
            and `joint`, whether one model learns both systems.

    Returns:
        For each system one dict a seed: of its `METRICS` and `relevancy micro-F1` as fractions, `f1` of every code
        with a test note, and `epochs` and `seconds` of the training.
    """
    if "control" in row:
        return {system: [_control(task, row["control"], system)] for system in task.systems}
    seeds = range(task.config.seeds)
    if row.get("joint"):
        runs = [_trained(task, task.training_config(row, seed)) for seed in seeds]
        return {system: [run[system] for run in runs] for system in task.systems}
    return {
        system: [_trained(task, task.training_config(row, seed, system))[system] for seed in seeds]
        for system in task.systems
    }


def backbone_of(row: dict, rows: list[dict]) -> dict | None:
    """The row of a joint model's own backbone, trained for one system with the same settings.

    Args:
        row: A row.
        rows: All rows.
    """
    if not row.get("joint"):
        return None
    return next((one for one in rows if not one.get("joint") and _apart(one) == _apart(row)), None)


def _apart(row: dict) -> tuple:
    """What a row is but for its being joint."""
    of_joint = ("graph", "mapping", "joint_system")
    settings = {name: value for name, value in row.get("training", {}).items() if name not in of_joint}
    return row.get("model"), settings


def macro_f1(run: dict, codes: Collection[str]) -> float:
    """Macro-F1 of one of `measured` over those of the codes that a test note has; nan where there is none."""
    scores = [f1 for code, f1 in run["f1"].items() if code in codes]
    return float(np.mean(scores)) if scores else np.nan


def figures(task: TwoSystemsTask, row: dict) -> dict[str, pd.DataFrame]:
    """The figures of a row in each system, by its name, a line a run; with macro-F1 over each of the `strata`."""
    frames = {}
    for system, runs in measured(task, row).items():
        strata = task.strata[system].items()
        of_strata = [{f"macro-F1 {name}": macro_f1(run, codes) for name, codes in strata} for run in runs]
        lines = [{name: value for name, value in run.items() if name != "f1"} for run in runs]
        frames[NAMES[system]] = pd.DataFrame(lines).join(pd.DataFrame(of_strata))
    return frames


def _trained(task: TwoSystemsTask, config: TrainingConfig) -> dict[str, dict]:
    """The figures of one training for each of its systems."""
    from icd_relevancy.encoding.pretrained import encoder_hash

    reads = encoder_hash(config.encoder) if config.reads_tokens else None
    settings = config.to_dict() | {"encoder_sha256": reads}
    name = f"{config.model}-{'joint' if config.joint else config.code_system}-seed{config.seed}"
    return task.kept(name, settings, lambda checkpoint: _train(task, config, checkpoint))


def _train(task: TwoSystemsTask, config: TrainingConfig, checkpoint) -> dict[str, dict]:
    import keras

    from icd_relevancy.training import JointCoder, NoteCoder

    keras.utils.clear_session()  # the model before
    cache = cache_folder() / "embeddings"
    if config.joint:
        coders = JointCoder.train(join_notes(task.train), config, cache, checkpoint).coders
    else:
        system = config.code_system
        coders = {system: NoteCoder.train(task.train[system], config, cache, checkpoint)}
    measured = {}
    for system, coder in coders.items():
        scores = coder.scores(task.test[system], cache)
        history = {name: coder.history[name] for name in ("epochs", "seconds")}
        measured[system] = _measures(task, system, coder.labels, scores, coder.decision_threshold) | history
    return measured


def _control(task: TwoSystemsTask, name: str, system: str) -> dict:
    validation = task.config.training["validation"]
    settings = {"control": name, "seed": task.config.seed, "validation": validation}

    def compute(_):
        notes, seed = task.train[system], task.config.seed
        labels = notes.label_names()
        scores, threshold, seconds = tuned_control(
            lambda train, y, test: control_scores(name, train, y, labels, task.systems[system], test, seed),
            notes,
            encode_labels(notes.codes, labels),
            task.test[system],
            validation,
            seed,
        )
        return _measures(task, system, labels, scores, threshold) | {"epochs": None, "seconds": seconds}

    return task.kept(f"{name}-{system}", settings, compute)


def _measures(task: TwoSystemsTask, system: str, labels: tuple[str, ...], scores, threshold: float) -> dict:
    """The figures of scores of the test notes; a code that is no label counts as missed in all but the areas.

    Scores of a control may be of any sign, and a code that nobody has seen ranks below all of them.
    """
    codes, known = task.test[system].codes, len(labels)
    every, padded = with_unseen_codes(codes, labels, scores)
    padded[:, known:] = min(float(scores.min()), threshold) - 1
    y, predicted = encode_labels(codes, every), predicted_labels(padded, threshold)
    ranks, f1 = positive_ranks(y, padded), multilabel.f1(y, predicted, None)
    graph = graph_of_labels(every, task.systems[system])
    values = (
        multilabel.auroc(y[:, :known], padded[:, :known], "micro"),
        multilabel.auroc(y[:, :known], padded[:, :known], "macro"),
        multilabel.f1(y, predicted, "micro"),
        float(np.nanmean(f1)),
        multilabel.exact_match_rate(y, predicted),
        ranking.precision_at_k(ranks, k=8),
        ranking.precision_at_k(ranks, k=15),
        ranking.r_precision(ranks),
        ranking.mean_average_precision(ranks),
    )
    return {
        **dict(zip(METRICS, map(float, values), strict=True)),
        "relevancy micro-F1": relevancy_report(y, predicted, graph).micro_f1,
        "f1": {code: value for code, value in zip(every, f1.tolist(), strict=True) if value == value},
    }
