"""Search for the settings of a medication network by Hyperband."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import keras
import pandas as pd
from tqdm import tqdm

from icd_relevancy.data import RolledUp, Stays
from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing
from icd_relevancy.fitting.fit import NotFiniteError
from icd_relevancy.settings import check
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.stays.config import MedicationConfig
from icd_relevancy.training.stays.dataset import MedicationData
from icd_relevancy.training.stays.trainer import train_network

# From the least to the largest value, as CAC table S3 has them; those of `cap` and `output_l2` are ours.
SEARCH_SPACE = {
    "hidden_layers": (1, 8),
    "units": (256, 6144),
    "dropout": (0.0, 0.8),
    "batch_norm": (False, True),
    "gamma": (1.0, 4.0),
    "cap": (1.0, 1000.0),
    "hier_l2": (1e-15, 5e-6),
    "output_l2": (1e-15, 5e-6),
}
_LOGARITHMIC = ("cap", "hier_l2", "output_l2")


def tune_medication(
    stays: Stays,
    folder,
    config: MedicationConfig | None = None,
    validation: Stays | None = None,
    nodes: RolledUp | None = None,
    max_epochs: int = 27,
    factor: int = 3,
    iterations: int = 1,
    space: Mapping | None = None,
    progress: bool = True,
) -> tuple[MedicationConfig, pd.DataFrame]:
    """Searches the settings with which a medication network is best at `config.monitor` on the validation part.

    Hyperband (KerasTuner's) gives many networks few epochs and the best of them `factor` times as many, until
    `max_epochs`; then it begins again with fewer networks and more epochs. Layers, units, dropout and batch
    normalisation are always searched; `gamma` with the focal loss, `cap` with IRW and IRNW, and `hier_l2` or
    `output_l2` where the configuration has one above 0.

    What was trained is kept in the folder: the same search, interrupted or given more `iterations`, goes on.

    Args:
        stays: Stays with drugs and codes.
        folder: Where the trials are kept. Nothing is written elsewhere, and nothing is sent anywhere.
        config: The settings that are not searched, `monitor` and `seed` among them. Defaults to None:
            `MedicationConfig()`.
        validation: The validation part. Defaults to None: a part of `stays`, whole patients.
        nodes: The codes to learn, as `roll_up` gives them. Defaults to None: those of `stays` and all above
            them.
        max_epochs: Most epochs of a trial. An iteration takes about `max_epochs · (1 + log_factor max_epochs)²`
            epochs in all. Defaults to 27.
        factor: By how much the number of networks falls, and that of epochs rises. Defaults to 3.
        iterations: How often all of Hyperband is run. Defaults to 1.
        space: Other ranges for some settings, `(least, largest)` each. Defaults to None: those of
            `SEARCH_SPACE`.
        progress: Whether to show a progress bar. Defaults to True.

    Returns:
        The best configuration, with the `epochs` of `config` to train it to the end; and a table of the
        trials, the best first: `trial`, `epochs` given, the settings searched, `best_epoch`, `weights` of the
        network, `seconds`, and the `monitor`ed figure, NaN where the loss did not stay finite.

    Raises:
        InputError: If KerasTuner is missing, the stays cannot be learned from, the monitor is the loss, an
            argument is out of range, a kept result is damaged, or no network could be trained.

    Example:

    >>> from icd_relevancy.data import synthetic_stays
    >>> space = {"hidden_layers": (1, 2), "units": (16, 64)}
    >>> best, trials = tune_medication(synthetic_stays(200), "results/search", max_epochs=2, space=space)
    >>> 16 <= best.units <= 64, len(trials)
    (True, 2)

    Reference: CAC §2.2.1 and table S3.
    """
    config = config or MedicationConfig()
    monitored(config.monitor)  # refuses the loss, which is of other terms from network to network
    for name, value, least in (
        ("max_epochs", max_epochs, 1),
        ("factor", factor, 2),
        ("iterations", iterations, 1),
    ):
        check(value >= least, name, value, f"at least {least}")
    folder, ranges = Path(folder), _ranges(config, space or {})
    oracle = _hyperband(config, ranges, max_epochs, factor, iterations, folder)
    data = MedicationData.from_stays(stays, config, validation, nodes)
    fingerprint, rows, best = _fingerprint(data), [], -math.inf
    total = iterations * _trials_of_hyperband(max_epochs, factor)
    with tqdm(total=total, desc="searching", unit="trial", disable=None if progress else True) as bar:
        while (trial := oracle.create_trial("medication")).status == "RUNNING":
            values = trial.hyperparameters.values
            settings, epochs = {name: values[name] for name in ranges}, values["tuner/epochs"]
            result = _kept(folder, replace(config, **settings, epochs=epochs), data, fingerprint)
            score = -math.inf if result[config.monitor] is None else result[config.monitor]
            oracle.update_trial(trial.trial_id, {config.monitor: score})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
            rows.append({"trial": int(trial.trial_id), "epochs": epochs, **settings, **result})
            best = max(best, score)
            bar.set_postfix({config.monitor: best})
            bar.update()
    if best == -math.inf:
        raise InputError("the loss of every network became infinite; lower the learning rate")
    best_row = next(row for row in rows if row[config.monitor] == best)
    table = pd.DataFrame(rows).astype({config.monitor: float})
    table = table.sort_values(config.monitor, ascending=False, kind="stable", ignore_index=True)
    return replace(config, **{name: best_row[name] for name in ranges}), table


def _ranges(config: MedicationConfig, space: Mapping) -> dict[str, tuple]:
    """The range of each setting that a configuration leaves to search."""
    searched = ["hidden_layers", "units", "dropout", "batch_norm"]
    searched += ["gamma"] * (config.loss == "focal") + ["cap"] * (config.loss in ("irw", "irnw"))
    searched += [name for name in ("hier_l2", "output_l2") if getattr(config, name)]
    for name, ends in space.items():
        if name not in searched:
            raise InputError(f"space: {name} is not searched here; the settings are {', '.join(searched)}")
        if not isinstance(ends, list | tuple) or len(ends) != 2:
            raise InputError(f"space: {name} must be [least, largest]. Received: {ends!r}")
        for value in ends:
            MedicationConfig.from_mapping({**config.to_dict(), name: value}, "space")
        check(ends[0] <= ends[1], f"space: {name}", ends, "[least, largest]")
        check(ends[0] > 0 or name not in _LOGARITHMIC, f"space: {name}", ends, "above 0")
    ranges = {name: space.get(name, SEARCH_SPACE[name]) for name in searched}
    # YAML reads 0 and 1 as whole numbers where a share is meant.
    return {name: tuple(map(type(SEARCH_SPACE[name][0]), ends)) for name, ends in ranges.items()}


def _hyperband(config, ranges, max_epochs: int, factor: int, iterations: int, folder: Path):
    """KerasTuner's oracle, which says what to train next by the trials so far."""
    try:
        import keras_tuner
    except ImportError as error:
        raise InputError('the search needs KerasTuner; run: pip install "icd_relevancy[tune]"') from error
    space = keras_tuner.HyperParameters()
    for name, (least, largest) in ranges.items():
        if least == largest:
            space.Fixed(name, least)
        elif isinstance(least, bool):
            space.Boolean(name)
        elif isinstance(least, int):
            space.Int(name, least, largest)
        else:
            space.Float(name, least, largest, sampling="log" if name in _LOGARITHMIC else "linear")
    oracle = keras_tuner.oracles.HyperbandOracle(
        keras_tuner.Objective(config.monitor, "max"),
        max_epochs,
        factor,
        iterations,
        seed=config.seed + 1,  # KerasTuner takes 0 for no seed
        hyperparameters=space,
        allow_new_entries=False,
        tune_new_entries=False,
    )
    oracle.verbose = 0
    # Only a tuner can tell an oracle where to write.
    keras_tuner.engine.base_tuner.BaseTuner(oracle, directory=str(folder), project_name="hyperband")
    return oracle


def _trials_of_hyperband(max_epochs: int, factor: int) -> int:
    brackets = 1
    while factor**brackets <= max_epochs:
        brackets += 1
    survivors = math.ceil(1 + math.log(max_epochs, factor))
    return sum(
        math.ceil(survivors / (bracket + 1) * factor**rounds)
        for bracket in range(brackets)
        for rounds in range(bracket + 1)
    )


def _kept(folder: Path, config: MedicationConfig, data: MedicationData, fingerprint: str) -> dict:
    """What a training comes to, read back if done before: an interrupted search makes the same choices again."""
    identity = json.dumps([config.to_dict(), fingerprint], sort_keys=True)
    path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        checkpoint = path.with_suffix(".checkpoint.npz")
        result = _trained(config, data, checkpoint, identity)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(result), encoding="utf-8")
        checkpoint.unlink(missing_ok=True)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path}: damaged or truncated; delete it and run again") from None


def _trained(config: MedicationConfig, data: MedicationData, checkpoint: Path, identity: str) -> dict:
    keras.utils.clear_session()  # else the networks of all trials stay in memory
    try:
        # A network that gets more epochs begins again: with its seed it comes the same way, and to keep every
        # network of a round, with the optimizer's moments, would take a gigabyte each at CAC's widths.
        model, history = train_network(data, config, checkpoint=checkpoint, identity=identity)
    except NotFiniteError:
        return {"best_epoch": None, "weights": None, "seconds": None, config.monitor: None}
    return {
        "best_epoch": history.best_epoch,
        "weights": model.count_params(),
        "seconds": round(history.seconds, 1),
        config.monitor: max(history.validation_scores),
    }


def _fingerprint(data: MedicationData) -> str:
    digest = hashlib.sha256(json.dumps([data.ingredients, data.training.codes.names]).encode())
    for part in (data.training, data.validation):
        for matrix in (part.inputs, part.targets):
            for array in (matrix.data, matrix.indices, matrix.indptr):
                digest.update(array.tobytes())
    return digest.hexdigest()[:16]
