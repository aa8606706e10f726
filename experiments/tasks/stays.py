"""Stays with drugs and codes, the nodes of the whole hierarchy, and Monte-Carlo splits."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from experiments.fingerprints import columns_digest, digest_of, system_digest
from experiments.harness import Task, data_folder
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
from icd_relevancy.training import MedicationConfig
from icd_relevancy.training.stays.config import LEVELS

_REAL_DATA = {"eicu": "eicu_demo", "mimic4": "mimic4_demo/hosp"}


@dataclass(frozen=True)
class StaysConfig:
    """What the rows of a figure have in common; `experiments/tasks/stays.yaml` documents and sets the values."""

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


class StaysTask(Task):
    """The stays of a configuration that have drugs and codes, read when they are first used.

    Raises:
        InputError: If no network has the settings, the data cannot be read, or no stay has both drugs and codes.
    """

    kind = StaysConfig
    settings = ("stays",)
    # Beside which the paper's figures, of MIMIC-III, can stand.
    public = ("synthetic", "mimic3", *_REAL_DATA)
    of_synthetic = ("stays",)

    def __init__(self, config: StaysConfig):
        super().__init__(config)
        self.network()  # refuses settings that no network has

    @cached_property
    def stays(self) -> Stays:
        """The stays with drugs and codes; one without either can be neither ranked nor scored."""
        config = self.config
        if config.data == "synthetic":
            stays = synthetic_stays(config.stays, config.seed, config.code_system)
        else:
            folder = _REAL_DATA.get(config.data)
            source = f"{config.data}:{data_folder(folder)}" if folder else config.data
            stays = load_stays(source, config.code_system)
        complete = [row for row in range(len(stays)) if stays.drugs[row] and stays.codes[row]]
        if not complete:
            raise InputError(f"{config.data}: no stay has both drugs and codes of {config.code_system}")
        return stays.select(complete)

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
        names = []
        for level in LEVELS[:-1]:
            try:
                self.nodes.depth(level)
            except InputError:
                continue
            names.append(level)
        return (*names, LEVELS[-1])

    def of_splits(self, name: str, settings: dict, compute: Callable[[StaySplit], object]) -> list:
        """What `compute` returns of each split; a result of the same settings and stays is read back."""
        return [
            self.kept(name, {**settings, "split": number}, lambda s=split: compute(s))
            for number, split in enumerate(tqdm(self.splits, desc=name, unit="split", leave=False))
        ]

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that runs depend on but their own settings."""
        digests = columns_digest(self.stays), system_digest(code_system(self.config.code_system))
        return digest_of(json.dumps([asdict(self.config), *digests, self.versions()]))

    def sizes(self) -> dict:
        """Stays, nodes, and codes that are not of the code system."""
        dropped = sum(count for _, count in self.nodes.unknown_codes)
        return {"stays": len(self.stays), "nodes": len(self.nodes.names), "dropped_codes": dropped}

    def __str__(self) -> str:
        data = f"{self.config.data}, {self.config.code_system}"
        return f"{data}: {len(self.stays)} stays, {len(self.nodes.names)} nodes"
