"""Trains the network of a medication configuration on stays."""

from collections.abc import Callable
from dataclasses import replace

import keras

from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.fitting.fit import STEPS_PER_EXECUTION, History, fit
from icd_relevancy.hierarchy import Hierarchy
from icd_relevancy.losses import level_weights
from icd_relevancy.losses.by_name import STAY_LOSSES, LossLabels
from icd_relevancy.models.medication import mean_network, medication_network, predict_streamed
from icd_relevancy.training.monitor import monitored
from icd_relevancy.training.start import start_from_frequencies
from icd_relevancy.training.stays.config import MedicationConfig
from icd_relevancy.training.stays.dataset import MedicationData, MedicationPart

_NETWORK_SETTINGS = (
    "hidden_layers", "units", "dropout", "batch_norm", "output_l2", "hier_l2", "constraint",
)  # fmt: skip


def train_networks(
    data: MedicationData, config: MedicationConfig, verbose: int = 0
) -> tuple[keras.Model, History]:
    """The network of a configuration, or the mean of its `members`, and the first's history with the time of all."""
    networks, histories = [], []
    for member in range(config.members):
        settings = replace(config, seed=(config.seed + member) % 2**32)
        network, history = train_network(data, settings, verbose)
        networks.append(network)
        histories.append(history)
    if config.members == 1:
        return networks[0], histories[0]
    return mean_network(networks), replace(
        histories[0], seconds=sum(history.seconds for history in histories)
    )


def train_network(
    data: MedicationData, config: MedicationConfig, verbose: int = 0, checkpoint=None, identity: str = ""
) -> tuple[keras.Model, History]:
    """The network of a configuration, trained by `fit` until `config.monitor` is best on the validation part."""
    hierarchy = Hierarchy(data.training.codes.parent, data.training.codes.names)
    inputs, y = data.training.inputs.toarray(), data.training.targets
    keras.utils.set_random_seed(config.seed)
    model = medication_network(
        inputs.shape[1],
        y.shape[1],
        **{name: getattr(config, name) for name in _NETWORK_SETTINGS},
        hierarchy=hierarchy,
    )
    start_from_frequencies(model.get_layer("codes"), y)
    model.compile(
        keras.optimizers.Adam(config.learning_rate),
        loss=_loss(config, y, hierarchy),
        steps_per_execution=STEPS_PER_EXECUTION,
        # XLA takes the differences of the hierarchy's weights four times as slowly.
        jit_compile=False if config.hier_l2 else "auto",
    )
    held_out = data.validation
    history = fit(
        model,
        lambda epoch: note_batches(inputs, y, config.batch_size, config.seed, epoch),
        note_batches(held_out.inputs.toarray(), held_out.targets, config.batch_size),
        config.epochs,
        config.patience,
        checkpoint,
        verbose,
        identity,
        _score(model, held_out, config.monitor, config.batch_size),
    )
    return model, history


def _score(
    model: keras.Model, held_out: MedicationPart, monitor: str, batch_size: int
) -> Callable[[], float] | None:
    """What has to improve on the held-out part: None for the loss."""
    if monitor == "loss":
        return None
    measure = monitored(monitor)
    return lambda: measure(
        held_out.targets, predict_streamed(model, held_out.inputs, batch_size, progress=False)
    )


def _loss(config: MedicationConfig, y, hierarchy: Hierarchy) -> keras.losses.Loss:
    weights = level_weights(hierarchy.levels) if config.reweighted else None
    labels = LossLabels(y, hierarchy=hierarchy, weights=weights)
    return STAY_LOSSES.find(config.loss)(config.loss_own, labels)
