"""What all experiments share: settings, results that are kept, and what they come from."""

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import yaml
from tqdm import tqdm

from experiments.fingerprints import digest_of, sources_digest
from icd_relevancy._keras import start_tensorflow
from icd_relevancy.errors import InputError, shown_word
from icd_relevancy.files.disk import replacing
from icd_relevancy.files.safe_reading import read_arrays, reading
from icd_relevancy.reporting import markdown_table, write_table
from icd_relevancy.settings import from_mapping, read_yaml

RESULTS = Path("results")
_HERE = Path(__file__).parent
# The papers, each a folder; a table of the first is called without it.
_PAPERS = ("losses", "nnbsvr", "hmhan", "cac", "jams")
# What a table may work on, as its `task` says.
_TASKS = {
    "notes": "experiments.tasks.notes:NotesTask",
    "heads": "experiments.tasks.notes:HeadsTask",
    "stays": "experiments.tasks.stays:StaysTask",
    "two_systems": "experiments.tasks.two_systems:TwoSystemsTask",
    "codes": "experiments.tasks.codes:CodesTask",
    "sentences": "experiments.hmhan.negation:SentencesTask",
}


class Task:
    """What the rows of a table work on: data, and what is computed of them and kept.

    Args:
        config: The configuration, a `kind`.

    Attributes:
        kind: The dataclass of the configuration.
        settings: The YAML files in `experiments/tasks` that document and set its values.
        public: The data, by name or source, beside which the papers' figures can stand.
        of_synthetic: Settings of synthetic data alone.
        threads: On how many threads TensorFlow computes, where `TF_NUM_INTRAOP_THREADS` says nothing else; None
            leaves it to TensorFlow.
    """

    kind: ClassVar[type]
    settings: ClassVar[tuple[str, ...]]
    public: ClassVar[tuple[str, ...]] = ()
    of_synthetic: ClassVar[tuple[str, ...]] = ()
    threads: ClassVar[int | None] = None

    def __init__(self, config):
        self.config = config

    @property
    def name(self) -> str:
        """A file name for the data."""
        return self.config.name

    @property
    def data(self) -> str:
        """What the table is on: a name, `SOURCE:PATH` or a file."""
        return self.config.data

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that results depend on but the settings of their rows."""
        raise NotImplementedError

    @property
    def runs(self) -> Path:
        """The folder of what was computed of these data."""
        kind = type(self).__name__.removesuffix("Task").lower()
        return RESULTS / "runs" / f"{kind}-{self.name}-{self.fingerprint}"

    def path(self, name: str, settings: dict | list, ending: str = "json") -> Path:
        """The file of a result that depends on settings, of JSON values."""
        return self.runs / f"{name}-{digest_of(json.dumps(settings, sort_keys=True))}.{ending}"

    def kept(self, name: str, settings: dict | list, compute: Callable[[], object]):
        """What `compute` returns, of JSON values; a result of the same settings and data is read back.

        Raises:
            InputError: The kept result is damaged.
        """
        return kept(self.path(name, settings), compute)

    def rows(self, rows: Sequence[dict]) -> list[dict]:
        """The rows of a table that make sense for these data."""
        return list(rows)

    def in_use(self) -> dict:
        """The settings that the results depend on, for their provenance."""
        unused = () if self.data == "synthetic" else self.of_synthetic
        return {name: value for name, value in asdict(self.config).items() if name not in unused}

    def sizes(self) -> dict:
        """What is told of the data beside a result."""
        return {}

    def versions(self) -> dict[str, str]:
        """The versions that a result depends on."""
        return library_versions()


def library_versions(*more: str) -> dict[str, str]:
    """The versions that a result depends on; of the sources of the package and the experiments their digest."""
    names = ("icd_relevancy", "keras", "numpy", "scikit-learn", "tensorflow", *more)
    return {"sources": sources_digest(), **{name: version(name) for name in names}}


def kept(path: Path, compute: Callable[[], object]):
    """What `compute` returns, of JSON values, or what it returned before and is in the file.

    Raises:
        InputError: The kept result is damaged.
    """
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(compute()), encoding="utf-8")
    with reading(path, "a kept result", "delete it and run again"):
        return json.loads(path.read_text(encoding="utf-8"))


def kept_arrays(
    path: Path, names: Collection[str], compute: Callable[[], dict], build: Callable[[dict], object]
):
    """What `build` makes of the arrays that `compute` returns by name, or returned before and are in the file.

    Raises:
        InputError: The kept result is damaged.
    """
    if not path.exists():
        arrays = compute()
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)
    with reading(path, "the result of a run", "delete it and run again"):
        return build(read_arrays(path, names))


def show(table: pd.DataFrame, stem: Path, digits: int = 4, columns: Sequence[str] | None = None) -> None:
    """Writes a table as `<stem>.csv` and `.md`, and prints it, or some of its columns."""
    write_table(table, stem.parent, stem.name, digits)
    print(markdown_table(table if columns is None else table[list(columns)], digits))


def progress(rows: Iterable[dict], description: str) -> Iterator[dict]:
    """The rows of a table, with a bar that names the one that is computed."""
    for row in (bar := tqdm(rows, desc=description, unit="row")):
        bar.set_postfix_str(row["name"])
        yield row


def comparable(settings: dict, data: str, public: Collection[str]) -> dict:
    """The settings, without what is `printed` in the paper where the data is none that others have too."""
    return settings if data.partition(":")[0] in public else _without_printed(settings)


def _without_printed(settings):
    if isinstance(settings, list):
        return [_without_printed(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    shown = {name: value for name, value in settings.items() if name != "printed" or isinstance(value, dict)}
    return {name: {} if name == "printed" else _without_printed(value) for name, value in shown.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a table from the command line: its name, `--data`, `--encoder` and `--set KEY=VALUE`."""
    parser = argparse.ArgumentParser(
        "python -m experiments", description="Runs a table or figure of the papers."
    )
    parser.add_argument("name", metavar="NAME", help=", ".join(table_names()))
    parser.add_argument("--data", help="a data set by name, SOURCE:PATH or a file (default: synthetic)")
    parser.add_argument("--encoder", help="hub name or folder (default: all-MiniLM-L6-v2)")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE",
        help="change a setting of the table's YAML file, or of that of its task in experiments/tasks",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    named = {"data": options.data, "encoder": options.encoder}
    with one_line():
        run(options.name, {key: value for key, value in named.items() if value is not None}, options.set)


def table_names() -> list[str]:
    """The names of all tables and figures."""
    found = {paper: sorted(path.stem for path in (_HERE / paper).glob("*.yaml")) for paper in _PAPERS}
    return [name if paper == "losses" else f"{paper}.{name}" for paper in _PAPERS for name in found[paper]]


def run(name: str, options: dict, changes: Sequence[str] = ()) -> None:
    """Makes the table of that name and its provenance, with `data` and `encoder` where they are given."""
    if name not in table_names():
        raise InputError(f"no table named {shown_word(name)}; there are {', '.join(table_names())}")
    path = name if "." in name else f"losses.{name}"
    # Every model of a table traces its functions anew, of which TensorFlow warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    settings = read_yaml(_HERE / f"{path.replace('.', '/')}.yaml")
    task_type = task_named(settings.pop("task"))
    if task_type.threads:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(task_type.threads))
    make = importlib.import_module(f"experiments.{settings.pop('make', path)}").make
    config, settings = configured(task_type, settings, options, changes)
    start_tensorflow()
    task = task_type(config)
    _ = task.fingerprint  # reads the data, so that what is wrong with them is told before any bar is drawn
    settings = comparable(settings, task.data, task.public)
    stem = RESULTS / name.replace(".", "-") / task.name
    make(task, settings, stem)
    write_provenance(task, settings, stem)


def task_named(name: str) -> type[Task]:
    """The class of a task, by the name that a table's YAML file has for it."""
    module, _, attribute = _TASKS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def configured(task_type: type[Task], settings: dict, options: dict, changes: Sequence[str] = ()) -> tuple:
    """The configuration of a task and the settings of a table, changed as `--set` says.

    A task's YAML file has its values under `all`, and those of a data set or source under its name; `data` of the
    table goes before them.
    """
    sources = [_HERE / "tasks" / f"{name}.yaml" for name in task_type.settings]
    shared = [read_yaml(source) for source in sources]
    known = [field.name for field in fields(task_type.kind)]
    for name in (name for name in options if name not in known):
        raise InputError(
            f"--{name}: this experiment has no such option; it has --set with {', '.join(known)}"
        )
    own = {key: value for key, value in settings.items() if key != "data"}
    of_task = {key: value for values in shared for key, value in values["all"].items()}
    data = options.get("data", of_task.get("data"))
    blocks = [values.get(str(data).partition(":")[0], {}) for values in shared]
    for block in (*blocks, settings.get("data", {}), options):
        of_task |= block
    free = [
        key for key, value in own.items() if key != "printed" and isinstance(value, int | float | str | dict)
    ]
    for name, value in assignments(changes).items():
        if name in known:
            of_task[name] = value
        elif name not in free:
            names = ", ".join((*known, *free))
            raise InputError(f"--set {name}: this experiment has no such setting; there are {names}")
        elif type(value) is not type(own[name]):
            expected = type(own[name]).__name__
            raise InputError(f"--set: {name} must be {expected}. Received: {name}={shown_word(value)}")
        else:
            own[name] = value
    told = " and ".join(f"experiments/tasks/{source.name}" for source in sources) or "the experiment"
    return from_mapping(task_type.kind, of_task, told), own


def assignments(items: Sequence[str]) -> dict:
    """The names and values of `--set NAME=VALUE …`, each value read as YAML."""
    settings = {}
    for item in items:
        name, _, value = item.partition("=")
        try:
            settings[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise InputError(f"--set {name}: {shown_word(value)} is no YAML value") from None
    return settings


def write_provenance(task: Task, settings: dict, stem: Path) -> None:
    """Writes what a result comes from beside it, `<stem>.run.json`."""
    state = {"task": task.in_use(), "experiment": settings, **task.sizes()}
    state |= {"fingerprint": task.fingerprint, "versions": task.versions()}
    with replacing(stem.with_name(f"{stem.name}.run.json")) as temporary:
        temporary.write_text(json.dumps(state, indent=1), encoding="utf-8")


@contextmanager
def one_line() -> Iterator[None]:
    """Ends an experiment that has bad input, or is interrupted, with one line."""
    try:
        yield
    except InputError as error:
        print(f"experiments: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit("experiments: interrupted; what was computed is kept, run the same again")


def data_folder(name: str) -> Path:
    """The folder of a real data set, under `$ICD_RELEVANCY_DATA` or beside the checkout.

    Raises:
        InputError: If there is none.
    """
    folder = Path(os.environ.get("ICD_RELEVANCY_DATA") or _HERE.parent.parent / "shared" / "data") / name
    if not folder.is_dir():
        raise InputError(f"{folder}: no {name} data here; set ICD_RELEVANCY_DATA to the folder above it")
    return folder
