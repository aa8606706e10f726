"""Attention over categories and then over codes: against loops, by symmetries, and the categories of labels."""

import keras
import numpy as np
import pytest
from keras import ops

from icd_relevancy import InputError, icd9cm, icd10cm
from icd_relevancy.codes import CodeSystem
from icd_relevancy.layers.hierarchical_attention import HierarchicalAttention, category_membership
from tests.layers import attention_oracles as oracles

MEMBERSHIP = [0, 1, 0, 2, 0, 1]  # the third category has one code
SIZE, HEADS, HEAD_DIM = 5, 2, 3
WEIGHTS = ("key_kernel", "value_kernel", "condition_kernel", "category_queries", "code_queries")
# Compiling by XLA takes seconds; JAX needs it for any speed.
PLAIN = keras.backend.backend() == "jax"


def notes():
    return oracles.notes(SIZE)


def made(membership=MEMBERSHIP, **options):
    keras.utils.set_random_seed(1)
    layer = HierarchicalAttention(membership, HEADS, HEAD_DIM, **options)
    layer.build((None, None, SIZE))
    return layer


def read(layer, states, mask):
    return [ops.convert_to_numpy(part) for part in layer(states, mask, return_attention_scores=True)]


def test_one_note_and_one_code():
    layer = made([0])
    states, mask = (part[:1] for part in notes())
    weights = {name: ops.convert_to_numpy(getattr(layer, name)) for name in WEIGHTS}
    expected = oracles.hierarchical_attention(states, mask, [0], weights, HEADS)
    for found, wanted in zip(read(layer, states, mask), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_it_equals_the_loops():
    layer = made()
    weights = {name: ops.convert_to_numpy(getattr(layer, name)) for name in WEIGHTS}
    expected = oracles.hierarchical_attention(*notes(), MEMBERSHIP, weights, HEADS)
    got = read(layer, *notes())
    for found, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    for found, wanted in zip(layer(*notes()), got[:2], strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(found), wanted)


def test_padding_changes_nothing():
    layer = made()
    before, after = read(layer, *notes()), read(layer, *oracles.longer(*notes()))
    for level in (0, 1):
        np.testing.assert_allclose(after[level], before[level], atol=1e-6)
        np.testing.assert_allclose(after[2 + level][..., :7], before[2 + level], atol=1e-6)
        assert not after[2 + level][..., 7:].any()


def test_a_note_without_tokens_has_zero_contexts_and_finite_gradients():
    layer, (states, mask) = made(), notes()
    codes, categories, *weights = read(layer, states, mask)
    assert not any(part[2].any() for part in (codes, categories, *weights))
    model = network()
    model.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy", jit_compile=PLAIN)
    model.fit([states[2:], mask[2:]], np.ones((1, len(MEMBERSHIP))), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_codes_may_stand_in_any_order():
    order = [4, 5, 0, 3, 1, 2]
    layer, other = made(), made([MEMBERSHIP[label] for label in order])
    for name in WEIGHTS:
        rows = order if name == "code_queries" else slice(None)
        getattr(other, name).assign(ops.convert_to_numpy(getattr(layer, name))[rows])
    before, after = read(layer, *notes()), read(other, *notes())
    for part, rows in ((0, order), (1, slice(None)), (2, order), (3, slice(None))):
        np.testing.assert_allclose(after[part], before[part][:, rows], atol=1e-6)


def test_a_category_moves_its_own_codes_alone():
    layer = made()
    before = read(layer, *notes())[2]
    queries = ops.convert_to_numpy(layer.category_queries).copy()
    queries[1] *= -2
    layer.category_queries.assign(queries)
    moved = np.abs(read(layer, *notes())[2] - before).max(axis=(0, 2)) > 1e-4
    assert moved.tolist() == [category == 1 for category in MEMBERSHIP]


def test_gradients_of_the_codes_reach_the_categories():
    model = network()
    layer = model.get_layer("attention")
    before = ops.convert_to_numpy(layer.category_queries)
    model.compile(keras.optimizers.SGD(1.0), loss="binary_crossentropy", jit_compile=PLAIN)
    states, mask = notes()
    model.fit([states, mask], np.eye(3, len(MEMBERSHIP)), verbose=0)
    moved = np.abs(ops.convert_to_numpy(layer.category_queries) - before).max(axis=1)
    assert (moved > 1e-6).all()


def test_queries_start_from_titles():
    titles = np.random.default_rng(3).normal(size=(len(MEMBERSHIP), SIZE))
    layer = made(initial_queries=titles)
    kernel = ops.convert_to_numpy(layer.key_kernel)
    means = [
        titles[[j for j, c in enumerate(MEMBERSHIP) if c == category]].mean(axis=0) for category in range(3)
    ]
    np.testing.assert_allclose(ops.convert_to_numpy(layer.code_queries), titles @ kernel, atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.category_queries), means @ kernel, atol=1e-6)


def network(**options):
    """Reads the codes' contexts alone."""
    keras.utils.set_random_seed(0)
    states = keras.Input((None, SIZE))
    mask = keras.Input((None,), dtype="int32")
    codes, _ = HierarchicalAttention(MEMBERSHIP, HEADS, HEAD_DIM, name="attention", **options)(states, mask)
    outputs = keras.layers.EinsumDense(
        "bmd,md->bm", (len(MEMBERSHIP),), activation="sigmoid", dtype="float32"
    )
    return keras.Model([states, mask], outputs(codes))


def labelled():
    return oracles.labelled(SIZE, len(MEMBERSHIP))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_it_learns_where_to_look(policy):
    keras.config.set_dtype_policy(policy)
    model = network()
    jit = PLAIN or policy == "mixed_float16"
    model.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy", jit_compile=jit)
    history = oracles.losses_of_learning(model, *labelled())
    assert np.isfinite(history).all()
    assert history[-1] < 0.1 < 0.6 < history[0]


def test_half_precision_is_close():
    exact, half = made(), made(dtype="mixed_float16")
    for found, wanted in zip(read(half, *notes()), read(exact, *notes()), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-2)


def test_it_is_saved_with_its_membership(tmp_path):
    model = network(initial_queries=np.ones((len(MEMBERSHIP), SIZE)))
    x, _ = labelled()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.get_layer("attention").membership.tolist() == MEMBERSHIP


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HierarchicalAttention([]), r"list of m integers. Received: shape \(0,\)"),
        (lambda: HierarchicalAttention([0.0, 1.0]), "float64"),
        (lambda: HierarchicalAttention([0, 2]), "2 different numbers from 0 to 2"),
        (lambda: HierarchicalAttention([1, 2]), "2 different numbers from 1 to 2"),
        (lambda: HierarchicalAttention([-1, 0]), "from -1 to 0"),
        (lambda: HierarchicalAttention([0], heads=0), "heads must be at least 1"),
        (lambda: HierarchicalAttention([0], head_dim=0), "head_dim must be at least 1"),
        (lambda: HierarchicalAttention([0, 0], initial_queries=np.ones((1, 4))), "must be 2 finite rows"),
        (lambda: made(initial_queries=np.ones((6, 4))), "4 dimensions, the token states 5"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message) as refusal:
        make()
    assert "\n" not in str(refusal.value)


def toy():
    """One chapter with a block of two categories, and one with a category of its own."""
    parents = {
        "I": None, "I1": "I", "A00": "I1", "A00.1": "A00", "A00.2": "A00", "A00.21": "A00.2",
        "A01": "I1", "A01.1": "A01", "II": None, "II1": "II", "B00": "II1",
    }  # fmt: skip
    return CodeSystem("toy", tuple(parents), dict.fromkeys(parents, ""), parents, category_level=2)


@pytest.mark.parametrize(
    ("codes", "membership", "names"),
    [
        (("A00.21", "A01.1", "A00.1"), [0, 1, 0], ("A00", "A01")),
        # A category stands for itself and is joined by the codes below it; a block stands for itself.
        (("A01.1", "A00", "A00.1", "B00", "I1"), [0, 1, 1, 2, 3], ("A01", "A00", "B00", "I1")),
        # No label lies below the categories: blocks, and above those chapters.
        (("A00", "A01", "B00"), [0, 0, 1], ("I1", "II1")),
        (("I1", "II1"), [0, 1], ("I", "II")),
        (("I", "II"), [0, 1], ("I", "II")),
        # What the system does not know stands for itself.
        (("Z99", "A00.1"), [0, 1], ("Z99", "A00")),
        (("Z99",), [0], ("Z99",)),
    ],
)
def test_labels_are_grouped_by_their_categories(codes, membership, names):
    got, groups = category_membership(toy(), codes)
    assert got.dtype == np.int32
    assert (got.tolist(), groups) == (membership, names)


def test_the_level_of_the_groups_can_be_chosen():
    membership, names = category_membership(toy(), ("A00.1", "A01.1", "B00"), level=0)
    assert (membership.tolist(), names) == ([0, 0, 1], ("I", "II"))


@pytest.mark.parametrize("codes", [(), ("A00", "A00")])
def test_labels_that_are_none_or_repeated_are_refused(codes):
    with pytest.raises(InputError, match="each once"):
        category_membership(toy(), codes)


def test_the_categories_of_real_systems():
    assert category_membership(icd10cm(), ("J18.9", "I10", "J18.0"))[1] == ("J18", "I10")
    assert category_membership(icd10cm(), ("J18", "J12", "I10"))[1] == ("J09-J18", "I10-I1A")
    assert category_membership(icd9cm(), ("593.70", "593.89", "V13.02", "780.6"))[1] == ("593", "V13", "780")
