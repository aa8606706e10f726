"""JAMS: against its layers by hand, one system out of two, trained on mixed batches, saved and explained."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import WHML, InputError, RelevanceGraph
from icd_relevancy.losses import JointSystemLoss
from icd_relevancy.models import jams, note_classifier, system_attention_model, system_model
from tests.layers import attention_oracles, code_graph_oracles

SIZES, SIZE, VOCABULARY, NAMES = (4, 3), 8, 12, ("icd9cm", "icd10cm")
EDGES, WEIGHTS = [[0, 0], [1, 1], [2, 1]], [1.0, 0.5, 0.5]
KINDS = {
    "plain": {},
    "projected": {"attention_dim": 6},
    "no graph": {"graph": False},
    "no weights": {"use_weights": False, "attention_dim": 6},
    "one table": {"share_table": True},
    "words": {"bag_of_words_size": 5, "lexical_channels": 2},
}


@pytest.fixture(autouse=True)
def float32_policy():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


def body():
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")
    }
    words = keras.layers.Embedding(VOCABULARY, SIZE)(inputs["input_ids"])
    return keras.Model(
        inputs, keras.layers.Conv1D(SIZE, 3, padding="same", activation="tanh")(words), name="body"
    )


def made(kind="plain", **options):
    return jams(body(), SIZES, EDGES, WEIGHTS, **KINDS[kind], **options)


def notes(model, count=6, length=7, seed=0):
    rng = np.random.default_rng(seed)
    mask = (np.arange(length) < rng.integers(1, length + 1, (count, 1))).astype("int32")
    x = {
        "input_ids": rng.integers(2, VOCABULARY, (count, length)).astype("int32") * mask,
        "attention_mask": mask,
    }
    for name, tensor in model.input.items():
        if name not in x:
            x[name] = rng.random((count, tensor.shape[1])).astype("float32")
    return x


def shuffled(model):
    """The model with weights that tell every part of it apart."""
    rng = np.random.default_rng(1)
    model.set_weights([0.5 * rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def contexts_and_weights(model, x):
    attention = model.get_layer("attention")
    states = np.asarray(model.get_layer("body")({key: x[key] for key in ("input_ids", "attention_mask")}))
    if attention.graph:
        graph = attention.code_graph
        rows = np.arange(sum(SIZES)) if graph._row is None else graph._row
        queries = code_graph_oracles.code_graph_attention(
            *np.split(np.asarray(graph.table)[rows], [SIZES[0]]),
            np.asarray(graph.attention)[:, 0],
            EDGES,
            WEIGHTS if attention.use_weights else np.ones(3),
        )
    else:
        queries = [np.asarray(table) for table in attention.tables]
    projection = None if attention.attention_dim is None else np.asarray(attention.projection)
    return [
        attention_oracles.label_attention(states, x["attention_mask"], of_system, projection)
        for of_system in queries
    ]


def expected(model, x):
    found = {}
    for name, (contexts, _) in zip(NAMES, contexts_and_weights(model, x), strict=True):
        kernel, bias = model.get_layer(f"{name}_own_logits").get_weights()
        logits = np.einsum("bmd,md->bm", contexts, kernel) + bias
        if "bag_of_words" in x:
            logits += x["bag_of_words"] @ model.get_layer(f"{name}_bag_of_words_logits").get_weights()[0]
            by_channel = x[f"lexical_{name}"].reshape(len(logits), 2, -1)
            logits += np.einsum(
                "bcm,c->bm", by_channel, model.get_layer(f"{name}_lexical_logits").get_weights()[0]
            )
        found[name] = sigmoid(logits)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_its_layers_give(kind):
    model = shuffled(made(kind))
    x = notes(model)
    found = model.predict(x, verbose=0)
    assert list(found) == list(NAMES)
    for name, wanted in expected(model, x).items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_system_alone_gives_the_same(kind):
    model = shuffled(made(kind))
    x = notes(model)
    both, seen = model.predict(x, verbose=0), contexts_and_weights(model, x)
    for number, name in enumerate(NAMES):
        alone = system_model(model, name)
        assert alone.output_names == ["codes"]
        assert set(model.input) - set(alone.input) == (
            {f"lexical_{NAMES[1 - number]}"} if kind == "words" else set()
        )
        own = {key: x[key] for key in alone.input}
        np.testing.assert_array_equal(alone.predict(own, verbose=0), both[name])
        explained = system_attention_model(alone).predict(own, verbose=0)
        np.testing.assert_array_equal(explained["probabilities"], both[name])
        np.testing.assert_allclose(explained["code_attention"], seen[number][1], rtol=1e-4, atol=1e-6)


def test_one_system_does_not_depend_on_what_is_for_the_other():
    model = shuffled(made())
    x, alone = notes(model), system_model(model, "icd10cm")
    before = alone.predict(x, verbose=0)
    model.get_layer("icd9cm_own_logits").set_weights(
        [3 + weight for weight in model.get_layer("icd9cm_own_logits").get_weights()]
    )
    np.testing.assert_array_equal(alone.predict(x, verbose=0), before)


def test_padding_changes_nothing():
    model = shuffled(made("projected"))
    x = notes(model)
    longer = {name: np.pad(values, ((0, 0), (0, 5))) for name, values in x.items()}
    # Past its end the convolution of this body sees zeros, so padding must embed as such.
    embedding = model.get_layer("body").layers[1]
    embedding.set_weights([np.vstack([np.zeros((1, SIZE)), embedding.get_weights()[0][1:]])])
    before, after = model.predict(x, verbose=0), model.predict(longer, verbose=0)
    for name in NAMES:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-6)


def compiled(model, learning_rate=0.03):
    model.compile(
        keras.optimizers.AdamW(learning_rate),
        loss={name: JointSystemLoss(keras.losses.BinaryCrossentropy()) for name in model.output},
        jit_compile=False,
    )
    return model


@pytest.mark.parametrize(("kind", "moves"), [("plain", True), ("no graph", False)])
def test_notes_of_one_system_teach_the_linked_codes_of_the_other(kind, moves):
    model = made(kind)
    model.compile(
        keras.optimizers.SGD(100.0),
        loss={name: JointSystemLoss(keras.losses.BinaryCrossentropy()) for name in NAMES},
    )
    attention = model.get_layer("attention")

    def tables():
        if attention.graph:
            return np.split(ops.convert_to_numpy(attention.code_graph.table), [SIZES[0]])
        return [ops.convert_to_numpy(table) for table in attention.tables]

    before, x = tables(), notes(model)
    y = {name: np.random.default_rng(2).integers(0, 2, (6, m)) for name, m in zip(NAMES, SIZES, strict=True)}
    model.train_on_batch(x, y, sample_weight={"icd9cm": np.zeros(6), "icd10cm": np.ones(6)})
    first, second = [np.abs(new - old).max(axis=1) > 0 for new, old in zip(tables(), before, strict=True)]
    assert second.all()
    # Label 3 of the first system is linked with none.
    assert first.tolist() == ([True, True, True, False] if moves else [False] * 4)


def two_system_notes(count=40):
    """Each code is a word of its own in either system; a note is coded in the one or the other."""
    rng = np.random.default_rng(3)
    x = {"input_ids": rng.integers(2, VOCABULARY, (count, 5)).astype("int32")}
    x["attention_mask"] = np.ones((count, 5), "int32")
    y, of_first = {}, (np.arange(count) % 2).astype("float32")
    for name, size in zip(NAMES, SIZES, strict=True):
        y[name] = np.array([[(ids == 2 + j).any() for j in range(size)] for ids in x["input_ids"]], "float32")
    return x, y, {"icd9cm": of_first, "icd10cm": 1 - of_first}


@pytest.mark.parametrize(
    ("kind", "loss", "reached"),
    [
        ("plain", "bce", 0.99),
        ("plain", "whml", 0.9),
        ("projected", "bce", 0.99),
        ("no graph", "bce", 0.99),
        ("one table", "bce", 0.99),
    ],
)
def test_it_learns_a_small_set_of_two_systems(kind, loss, reached):
    model = compiled(made(kind))
    if loss == "whml":
        losses = {
            name: JointSystemLoss(WHML(0.5, RelevanceGraph.identity([f"C{j}" for j in range(size)])))
            for name, size in zip(NAMES, SIZES, strict=True)
        }
        model.compile(keras.optimizers.AdamW(0.03), loss=losses, jit_compile=False)
    x, y, weights = two_system_notes()
    for _ in range(150):
        model.train_on_batch(x, y, sample_weight=weights)
    found = model.predict(x, verbose=0)
    for name in NAMES:
        of = weights[name] == 1
        truth, predicted = y[name][of] > 0, found[name][of] > 0.5
        hits = (truth & predicted).sum()
        assert 2 * hits / (truth.sum() + predicted.sum()) > reached


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", ["projected", "no graph", "words"])
def test_half_precision_gives_float32_probabilities(kind, policy):
    keras.config.set_dtype_policy(policy)
    model = compiled(made(kind), 0.01)
    x, y, weights = two_system_notes()
    x |= {name: values for name, values in notes(model, 40).items() if name not in x}
    history = model.fit(x, y, sample_weight=weights, epochs=30, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]
    x["attention_mask"][0] = 0
    for probabilities in model.predict(x, verbose=0).values():
        assert probabilities.dtype == np.float32
        assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(kind, tmp_path):
    model = shuffled(made(kind))
    x = notes(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("attention").get_config() == model.get_layer("attention").get_config()
    old, new = model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    for name in NAMES:
        np.testing.assert_array_equal(new[name], old[name])
        own = {key: x[key] for key in system_model(loaded, name).input}
        np.testing.assert_array_equal(system_model(loaded, name).predict(own, verbose=0), old[name])


def test_any_two_systems_over_states():
    """Behind a frozen encoder the body has the encoder's states as its input."""
    inputs = {
        "states": keras.Input((None, SIZE), name="states"),
        "attention_mask": keras.Input((None,), dtype="int32", name="attention_mask"),
    }
    frozen = keras.Model(inputs, keras.layers.Identity()(inputs["states"]), name="body")
    model = shuffled(jams(frozen, SIZES, EDGES, WEIGHTS, names=("icd10cm", "icd10am")))
    assert list(model.output) == ["icd10cm", "icd10am"]
    states, mask = attention_oracles.notes(SIZE)
    both = model.predict({"states": states, "attention_mask": mask}, verbose=0)
    contexts = model.get_layer("attention")(states, mask)
    for number, name in enumerate(model.output):
        kernel, bias = model.get_layer(f"{name}_own_logits").get_weights()
        wanted = sigmoid(np.einsum("bmd,md->bm", ops.convert_to_numpy(contexts[number]), kernel) + bias)
        np.testing.assert_allclose(both[name], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("icd9cm", "icd9cm")}, "two different names"),
        ({"names": ("icd9cm",)}, "two different names"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"bag_of_words_size": 0}, "bag_of_words_size must be at least 1"),
        ({"lexical_channels": 0}, "lexical_channels must be at least 1"),
        ({"edges": [[0, 3]]}, "leave out mappings to codes outside the label set"),
        ({"sizes": (3, 0)}, "two numbers of labels"),
        ({"body": note_classifier(3, embedding_size=4)}, "is no body"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(InputError, match=message) as refusal:
        jams(**{"body": body(), "sizes": SIZES, "edges": EDGES, **options})
    assert "\n" not in str(refusal.value)


def test_a_system_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"no system 'icd11'.*its systems are icd9cm, icd10cm"):
        system_model(made(), "icd11")
    with pytest.raises(InputError, match="note_classifier has no system 'icd9cm'"):
        system_model(note_classifier(3, embedding_size=4), "icd9cm")
    with pytest.raises(InputError, match="no model of one of two systems"):
        system_attention_model(made())
