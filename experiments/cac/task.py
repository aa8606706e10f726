"""Stays, codes of the whole hierarchy and Monte-Carlo splits: what the experiments on medication share."""

import argparse
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from experiments.fingerprints import columns_digest, digest_of, system_digest
from experiments.task import (
    RESULTS,
    assignments,
    comparable,
    kept,
    library_versions,
    one_line,
    result_path,
    settings_in_use,
    write_provenance,
)
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.codes import code_system
from icd_relevancy.data import (
    RolledUp,
    Stays,
    StaySplit,
    load_stays,
    monte_carlo_splits,
    roll_up,
    synthetic_stays,
)
from icd_relevancy.errors import InputError
from icd_relevancy.settings import from_mapping, read_yaml
from icd_relevancy.training.stays.config import LEVELS, MedicationConfig

_HERE = Path(__file__).parent
_REAL_DATA = {"eicu": "eicu:eicu_demo", "mimic4": "mimic4:mimic4_demo/hosp"}
# Beside which the paper's figures, of MIMIC-III, can stand.
_PUBLIC = ("synthetic", "mimic3", *_REAL_DATA)


@dataclass(frozen=True)
class CacConfig:
    """What the rows of a figure have in common; `experiments/cac/task.yaml` documents and sets the values."""

    data: str
    code_system: str
    stays: int
    splits: int
    dev: float
    test: float
    seed: int
    network: dict

    @property
    def name(self) -> str:
        """A file name for the data and its code system."""
        return f"{Path(self.data).name.partition('.')[0]}-{Path(self.code_system).stem}"


class CacTask:
    """The stays of a configuration that have drugs and codes, and what is computed of them.

    Args:
        config: The `CacConfig`.

    Raises:
        InputError: If the data cannot be read, or no stay has both drugs and codes.
    """

    def __init__(self, config: CacConfig):
        self.config = config

    @cached_property
    def stays(self) -> Stays:
        """The stays with drugs and codes; one without either can be neither ranked nor scored."""
        config = self.config
        if config.data == "synthetic":
            stays = synthetic_stays(config.stays, config.seed, config.code_system)
        else:
            stays = load_stays(_located(config.data), config.code_system)
        kept = [row for row in range(len(stays)) if stays.drugs[row] and stays.codes[row]]
        if not kept:
            raise InputError(f"{config.data}: no stay has both drugs and codes of {config.code_system}")
        return stays.select(kept)

    @cached_property
    def nodes(self) -> RolledUp:
        """The codes of all stays and all above them."""
        return roll_up(self.stays.codes, code_system(self.config.code_system), unknown="drop")

    @cached_property
    def splits(self) -> tuple[StaySplit, ...]:
        """Training, development and test stays of each split, patients whole."""
        config = self.config
        return monte_carlo_splits(self.stays, config.splits, config.dev, config.test, config.seed)

    def parts(self, split: StaySplit) -> tuple[Stays, Stays, Stays]:
        """The training, development and test stays of a split."""
        train, dev, test = (self.stays.select(rows) for rows in (split.train, split.dev, split.test))
        return train, dev, test

    def network(self, **changes) -> MedicationConfig:
        """The settings of a medication network."""
        shared = {"code_system": self.config.code_system, "unknown_codes": "drop", "seed": self.config.seed}
        return MedicationConfig.from_mapping({**shared, **self.config.network, **changes}, "experiments/cac")

    def level_names(self) -> tuple[str, ...]:
        """The levels that this code system has, `billing` last."""
        found = []
        for level in LEVELS[:-1]:
            try:
                self.nodes.depth(level)
            except InputError:
                continue
            found.append(level)
        return (*found, LEVELS[-1])

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that runs depend on but their own settings."""
        of_data = columns_digest(self.stays), system_digest(code_system(self.config.code_system))
        return digest_of(json.dumps([asdict(self.config), *of_data, library_versions()]))

    @property
    def runs(self) -> Path:
        """The folder of what was computed of these stays."""
        return RESULTS / "runs" / f"cac-{self.config.name}-{self.fingerprint}"

    def kept(self, name: str, settings: dict, compute: Callable[[], object]):
        """What `compute` returns, of JSON values; a result of the same settings and stays is read back.

        Raises:
            InputError: The kept result is damaged.
        """
        return kept(result_path(self.runs, name, settings), compute)


def _located(data: str) -> str:
    """The source of a data set by name, under `$ICD_RELEVANCY_DATA` or beside the checkout."""
    if data not in _REAL_DATA:
        return data
    source, _, folder = _REAL_DATA[data].partition(":")
    place = Path(os.environ.get("ICD_RELEVANCY_DATA") or "../shared/data") / folder
    if not place.is_dir():
        raise InputError(f"no {data} data here: {place} is missing; set ICD_RELEVANCY_DATA to where it lies")
    return f"{source}:{place}"


def run(module: str, make: Callable[[CacTask, dict, Path], None], own: Sequence[str] = ()) -> None:
    """Runs an experiment from the command line: `--data` and `--set KEY=VALUE`.

    Args:
        module: Name of the experiment; `<module>.yaml` beside this file holds its settings, and
            `results/cac-<module>/` what it writes.
        make: Writes the results of a task, given the experiment's settings and the stem of its files.
        own: Which of the experiment's settings `--set` can change, beside those of `task.yaml`.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(f"python -m experiments.cac.{module}", description=make.__doc__)
    parser.add_argument("--data", help=f"synthetic, {', '.join(_REAL_DATA)}, SOURCE:PATH or a file of stays")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help=" or ".join(("change a setting of task.yaml", *own)),
    )
    options = parser.parse_args()
    with one_line():
        start_tensorflow()
        settings = read_yaml(_HERE / f"{module}.yaml")
        changes = assignments(options.set)
        settings |= {name: changes.pop(name) for name in own if name in changes}
        task = CacTask(_config(options.data, changes, own))
        settings = comparable(settings, task.config.data, _PUBLIC)
        stem = RESULTS / f"cac-{module}" / task.config.name
        make(task, settings, stem)
        write_provenance(_provenance(task, settings), stem)


def _config(data: str | None, changes: dict, own: Sequence[str]) -> CacConfig:
    settings = read_yaml(_HERE / "task.yaml")
    data = data or settings["all"]["data"]
    unknown = [name for name in changes if name not in settings["all"]]
    if unknown:
        known = ", ".join((*settings["all"], *own))
        raise InputError(f"--set {unknown[0]}: no such setting; there are {known}")
    shared = {**settings["all"], **settings.get(data, {}), "data": data, **changes}
    return from_mapping(CacConfig, shared, "experiments/cac/task.yaml")


def _provenance(task: CacTask, settings: dict) -> dict:
    return {
        "task": settings_in_use(task.config, unused=(), of_synthetic=("stays",)),
        "experiment": settings,
        "stays": len(task.stays),
        "nodes": len(task.nodes.names),
        "dropped_codes": sum(count for _, count in task.nodes.unknown_codes),
        "fingerprint": task.fingerprint,
        "versions": library_versions(),
    }
