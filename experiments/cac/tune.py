"""The settings of the network searched by Hyperband, against the default ones."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from experiments.cac.figure6 import means
from experiments.harness import show
from experiments.rows.stays import by_level, node_scores, trained
from experiments.tasks.stays import StaysTask
from icd_relevancy.files.disk import replacing
from icd_relevancy.reporting import write_table
from icd_relevancy.settings import from_mapping
from icd_relevancy.training import MedicationConfig, tune_medication


@dataclass(frozen=True)
class SearchConfig:
    """The budget and the ranges of a search; `experiments/cac/tune.yaml` documents and sets the values."""

    max_epochs: int
    factor: int
    iterations: int
    space: dict


def make(task: StaysTask, settings: dict, stem: Path) -> None:
    """Hyper-parameter search of CAC, by Hyperband over the ranges of its table S3.

    Every split has a search of its own, which never sees the split's test stays. Writes the trials, the tuned
    network beside the default ones on test stays, and the configuration that is best on the development stays
    of all splits, for `icd-relevancy train --model medication --config`.
    """
    search = from_mapping(SearchConfig, settings, "experiments/cac/tune.yaml")
    of_figures = task.network()
    shared = {name: getattr(of_figures, name) for name in ("code_system", "unknown_codes", "monitor", "seed")}
    candidates, trials = [MedicationConfig(**shared), of_figures], []
    for number, split in enumerate(task.splits):
        train, dev, _ = task.parts(split)
        folder = task.runs / f"search-{number}"
        config, table = tune_medication(train, folder, of_figures, dev, task.nodes, **asdict(search))
        trials.append(table.assign(split=number))
        candidates.append(config)
    write_table(pd.concat(trials, ignore_index=True), stem.parent, f"{stem.name}-trials")
    measured = [
        [_measured(task, config, number) for number in range(len(task.splits))] for config in candidates
    ]
    default, plain, *tuned = measured
    rows = {
        "Default": default,
        "As in figures 2 to 6": plain,
        "Tuned": [runs[n] for n, runs in enumerate(tuned)],
    }
    best = candidates[int(np.argmax([np.mean([run["development"] for run in runs]) for runs in measured]))]
    _write_config(best, stem.with_name(f"{stem.name}.yaml"), task)
    print(task)
    show(_table(rows), stem)
    print(f"{stem}.yaml: {best.hidden_layers} hidden layers of {best.units}, dropout {best.dropout:.2f}")


def _measured(task: StaysTask, config: MedicationConfig, number: int) -> dict:
    """What a network of these settings has on the development stays of a split, and by level on its test stays."""

    def measure() -> dict:
        coder = trained(task, task.splits[number], config)
        scores = node_scores(task, coder, task.splits[number].test)
        test = by_level(task, task.splits[number], scores)
        return {"development": coder.history["validation_score"], "test": test}

    return task.kept("tuned", {"network": config.to_dict(), "split": number}, measure)


def _table(rows: dict[str, list[dict]]) -> pd.DataFrame:
    """Mean and standard error of each row by level, and of the splits' own differences to the first row."""
    first = next(iter(rows.values()))
    lines = []
    for level in first[0]["test"]:
        of_level = {name: [run["test"][level] for run in runs] for name, runs in rows.items()}
        baseline = of_level["Default"]
        of_level["Tuned minus default"] = [
            {key: tuned[key] - default[key] for key in default}
            for tuned, default in zip(of_level["Tuned"], baseline, strict=True)
        ]
        lines += [{"level": level, "experiment": name, **means(runs)} for name, runs in of_level.items()]
    return pd.DataFrame(lines)


def _write_config(config: MedicationConfig, path: Path, task: StaysTask) -> None:
    data = f"{task.config.data}, {task.config.code_system}"
    comment = f"# Best on the development stays of {data}, by {config.monitor}.\n"
    with replacing(path) as temporary:
        temporary.write_text(comment + yaml.safe_dump(config.to_dict(), sort_keys=False), encoding="utf-8")
