import gc

import keras
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.fitting import fit as fit_module
from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.fitting.fit import NotFiniteError, fit

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 5)).astype(np.float32)
Y = sparse.csr_matrix((X @ RANDOM.standard_normal((5, 3)) > 0.5).astype(np.int64))
TRAIN, HELD_OUT = slice(0, 45), slice(45, 60)


class KilledError(Exception):
    pass


def make_model(learning_rate=0.03, units=8):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dropout(0.3), keras.layers.Dense(3, "sigmoid")]
    model = keras.Sequential([keras.Input((5,)), *layers])
    model.compile(keras.optimizers.Adam(learning_rate), loss="binary_crossentropy")
    return model


def run(model, checkpoint=None, epochs=6, patience=50, seed=4, **options):
    return fit(
        model,
        lambda first: note_batches(X[TRAIN], Y[TRAIN], 8, seed, first),
        note_batches(X[HELD_OUT], Y[HELD_OUT], 8),
        epochs,
        patience,
        checkpoint,
        **options,
    )


def scripted(monkeypatch, validation_losses):
    """Puts these in place of the validation losses, and returns the weights after each epoch."""
    seen, original = [], fit_module._ResumableEarlyStopping.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        seen.append(self.model.get_weights())
        original(self, epoch, {**logs, "val_loss": validation_losses[epoch]})

    monkeypatch.setattr(fit_module._ResumableEarlyStopping, "on_epoch_end", on_epoch_end)
    return seen


def killed_at(monkeypatch, epoch, before_saving):
    original = fit_module._ResumableEarlyStopping.on_epoch_end

    def on_epoch_end(self, number, logs=None):
        if number == epoch and before_saving:
            raise KilledError
        original(self, number, logs)
        if number == epoch:
            raise KilledError

    monkeypatch.setattr(fit_module._ResumableEarlyStopping, "on_epoch_end", on_epoch_end)


def same_weights(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def uninterrupted():
    model = make_model()
    return run(model), model.get_weights()


def test_it_learns_and_tells_how(uninterrupted):
    history, _ = uninterrupted
    assert history.epochs == len(history.validation_losses) == 6
    assert history.losses[-1] < history.losses[0]
    assert history.best_epoch == 1 + int(np.argmin(history.validation_losses))
    assert history.seconds > 0


def test_the_best_weights_come_back_and_patience_counts_from_them(monkeypatch):
    model = make_model()
    seen = scripted(monkeypatch, [0.5, 0.3, 0.4, 0.3, 0.31, 0.1])
    history = run(model, patience=3)
    # Epoch 4 equals the best but is not better.
    assert (history.epochs, history.best_epoch) == (5, 2)
    assert same_weights(model.get_weights(), seen[1])
    assert not same_weights(seen[1], seen[4])


def test_the_last_epoch_can_be_the_best(monkeypatch):
    model = make_model()
    seen = scripted(monkeypatch, [0.5, 0.4, 0.3])
    assert run(model, epochs=3, patience=1).best_epoch == 3
    assert same_weights(model.get_weights(), seen[2])


def test_a_score_decides_in_place_of_the_loss(tmp_path):
    scores = iter([0.1, 0.5, 0.3, 0.2, 0.9])
    history = run(make_model(), tmp_path / "c.npz", patience=2, score=lambda: next(scores))
    assert (history.epochs, history.best_epoch) == (4, 2)
    assert history.validation_scores == (0.1, 0.5, 0.3, 0.2)
    # What the checkpoint holds is enough to know that it had stopped.
    assert run(make_model(), tmp_path / "c.npz", patience=2, score=lambda: 1 / 0) == history


@pytest.mark.parametrize("before_saving", [True, False])
@pytest.mark.parametrize("epoch", [0, 3])
def test_a_killed_run_goes_on_bitwise(uninterrupted, tmp_path, epoch, before_saving):
    checkpoint = tmp_path / "state.npz"
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, epoch, before_saving)
        with pytest.raises(KilledError):
            run(make_model(), checkpoint)
    assert checkpoint.exists() == (epoch > 0 or not before_saving)
    model = make_model()
    history = run(model, checkpoint)
    expected, weights = uninterrupted
    assert history.losses == expected.losses
    assert history.validation_losses == expected.validation_losses
    assert history.best_epoch == expected.best_epoch
    assert same_weights(model.get_weights(), weights)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]
    # A finished checkpoint gives the same once more, without training.
    again = make_model()
    assert run(again, checkpoint).losses == expected.losses
    assert same_weights(again.get_weights(), weights)


def test_patience_counts_across_a_kill(monkeypatch, tmp_path):
    losses = [0.5, 0.3, 0.4, 0.4, 0.4, 0.1]
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, 2, before_saving=False)
        scripted(patch, losses)
        with pytest.raises(KilledError):
            run(make_model(), tmp_path / "state.npz", patience=3)
    scripted(monkeypatch, losses)
    history = run(make_model(), tmp_path / "state.npz", patience=3)
    assert (history.epochs, history.best_epoch) == (5, 2)
    assert history.validation_losses == (0.5, 0.3, 0.4, 0.4, 0.4)


def killed_checkpoint(folder, **options):
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, 1, before_saving=False)
        with pytest.raises(KilledError):
            run(make_model(), folder / "state.npz", **options)
    return folder / "state.npz"


@pytest.mark.parametrize("length", [0, 3, 100, -50])
def test_a_truncated_checkpoint_is_refused(tmp_path, length):
    checkpoint = killed_checkpoint(tmp_path)
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    with pytest.raises(InputError, match=r"state.npz: .*damaged.*delete it and run again"):
        run(make_model(), checkpoint)
    assert checkpoint.exists()


def test_a_checkpoint_of_another_model_or_training_is_refused(tmp_path):
    checkpoint = killed_checkpoint(tmp_path, identity="whml")
    with pytest.raises(InputError, match="the settings or the notes have changed"):
        run(make_model(), checkpoint, identity="bce")
    with pytest.raises(InputError, match=r"state\.npz: not a checkpoint of this model"):
        run(make_model(units=9), checkpoint, identity="whml")
    assert checkpoint.exists()


def test_without_a_validation_part_all_epochs_are_trained(tmp_path):
    def run_all(checkpoint=None):
        model = make_model()
        batches = lambda first: note_batches(X[TRAIN], Y[TRAIN], 8, 4, first)  # noqa: E731
        return model, fit(model, batches, None, 4, patience=1, checkpoint=checkpoint)

    model, history = run_all(tmp_path / "state.npz")
    assert (history.epochs, history.best_epoch, history.validation_losses) == (4, 4, ())
    again, _ = run_all()
    assert same_weights(model.get_weights(), again.get_weights())


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    checkpoint = killed_checkpoint(tmp_path)
    content = checkpoint.read_bytes()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match=r"state.npz: the disk is full"):
        run(make_model(), checkpoint)
    assert checkpoint.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_a_loss_that_is_not_finite_ends_the_training(monkeypatch):
    scripted(monkeypatch, [0.5, np.nan])
    with pytest.raises(NotFiniteError, match="not finite in epoch 2; lower the learning rate"):
        run(make_model())


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_trained_model_is_let_go_of(policy):
    """TensorFlow's graph of a training step holds the weights and the moments; with it they stay in memory."""

    def graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    before = graphs()
    keras.config.set_dtype_policy(policy)
    try:
        model = make_model()
        run(model, epochs=1)
        assert graphs() > before
    finally:
        keras.config.set_dtype_policy("float32")
    del model
    keras.utils.clear_session()
    assert graphs() <= before


def test_the_learning_rate_rises_and_falls():
    rate = fit_module.LinearWarmUpDecay(peak=1.0, rising=2, falling=4)
    assert [float(rate(step)) for step in range(8)] == [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
