"""The lexicon alone as a model: against its formula, saved and loaded, and what it learns."""

import keras
import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.errors import InputError
from icd_relevancy.fitting.batches import note_batches
from icd_relevancy.layers import LabelOdds
from icd_relevancy.models import joint_lexicon_classifier, lexicon_classifier, note_classifier, system_model
from icd_relevancy.text import Lexicon
from icd_relevancy.training.start import start_from_frequencies

LABELS, CHANNELS = 3, 2


@pytest.fixture(autouse=True)
def float32_policy():
    yield
    keras.config.set_dtype_policy("float32")


def scores(count=5):
    return np.random.default_rng(0).random((count, CHANNELS * LABELS)).astype("float32")


def by_hand(x, weights, bias, scale, offset):
    logits = [
        [sum(w * note[c * LABELS + j] for c, w in enumerate(weights)) for j in range(LABELS)] for note in x
    ]
    return 1 / (1 + np.exp(-(np.array(logits) + scale * np.array(bias) + offset)))


def test_the_model_is_its_formula():
    model = lexicon_classifier(LABELS, CHANNELS)
    np.testing.assert_allclose(
        model.predict({"lexical": scores()}, verbose=0),
        by_hand(scores(), [5, 5], [0, 0, 0], 0, -7),
        rtol=1e-5,
    )
    odds = model.get_layer("label_odds")
    start_from_frequencies(odds, np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 0]]))
    model.get_layer("lexical_logits").set_weights([np.array([2.0, 0.5])])
    odds.scale.assign(0.5)
    odds.offset.assign(-3.0)
    # Of no note and of all the frequency is taken to be half a note's.
    bias = [0, np.log(1 / 7), np.log(3)]
    np.testing.assert_allclose(
        model.predict({"lexical": scores()}, verbose=0),
        by_hand(scores(), [2, 0.5], bias, 0.5, -3),
        rtol=1e-5,
    )


def test_few_weights_are_learned_and_frequencies_are_not():
    model = lexicon_classifier(LABELS, CHANNELS)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == CHANNELS + 2
    odds = model.get_layer("label_odds")
    start_from_frequencies(odds, np.eye(LABELS))
    before = keras.ops.convert_to_numpy(odds.bias)
    assert not np.allclose(before, 0)
    model.compile(keras.optimizers.Adam(0.1), loss="binary_crossentropy")
    truth = np.eye(LABELS)[[0, 1, 2, 0, 1]]
    history = model.fit({"lexical": scores()}, truth, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(odds.bias), before)


def test_saved_and_loaded(tmp_path):
    model = lexicon_classifier(LABELS, CHANNELS, initial_weight=3.0)
    start_from_frequencies(model.get_layer("label_odds"), np.eye(LABELS)[[0, 0, 1]])
    model.get_layer("label_odds").scale.assign(0.7)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = {"lexical": scores()}
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert LabelOdds.from_config(LabelOdds(initial_offset=-2.0).get_config()).initial_offset == -2.0


def test_half_precision_gives_float32_probabilities():
    x = {"lexical": scores()}
    expected = lexicon_classifier(LABELS, CHANNELS).predict(x, verbose=0)
    keras.config.set_dtype_policy("mixed_float16")
    found = lexicon_classifier(LABELS, CHANNELS).predict(x, verbose=0)
    assert found.dtype == np.float32
    # The inputs are half precision.
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_no_channel_is_refused():
    for make in (lambda: lexicon_classifier(LABELS, 0), lambda: joint_lexicon_classifier((LABELS, 2), 0)):
        with pytest.raises(InputError, match="channels"):
            make()


def test_a_joint_model_is_one_for_each_system(tmp_path):
    joint = joint_lexicon_classifier((LABELS, LABELS), CHANNELS, ("a", "b"))
    for system, weights, odds in (("a", [2.0, 0.5], [0, 0, 1]), ("b", [1.0, 4.0], [1, 1, 2])):
        joint.get_layer(f"{system}_lexical_logits").set_weights([np.array(weights)])
        start_from_frequencies(joint.get_layer(f"{system}_label_odds"), np.eye(LABELS)[odds])
    joint.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = {"lexical_a": scores(), "lexical_b": 1 - scores()}
    found = loaded.predict(x, verbose=0)
    for system, weights, odds in (("a", [2.0, 0.5], [0, 0, 1]), ("b", [1.0, 4.0], [1, 1, 2])):
        own = lexicon_classifier(LABELS, CHANNELS)
        own.get_layer("lexical_logits").set_weights([np.array(weights)])
        start_from_frequencies(own.get_layer("label_odds"), np.eye(LABELS)[odds])
        expected = own.predict({"lexical": x[f"lexical_{system}"]}, verbose=0)
        np.testing.assert_array_equal(found[system], expected)
        # The part of a system asks for nothing of the other.
        part = system_model(loaded, system)
        assert list(part.input) == [f"lexical_{system}"]
        alone = part.predict({f"lexical_{system}": x[f"lexical_{system}"]}, verbose=0)
        np.testing.assert_array_equal(alone, expected)
    with pytest.raises(InputError, match="no system 'c' to code notes in; its systems are a, b"):
        system_model(loaded, "c")
    for other in (own, note_classifier(labels=3, embedding_size=8)):
        with pytest.raises(InputError, match="classifier has no system"):
            system_model(other, "a")
    for names, sizes in ((("a", "a"), (3, 2)), (("a", "b"), (3, 0)), (("a", "b"), (3,))):
        with pytest.raises(InputError, match="must be two"):
            joint_lexicon_classifier(sizes, CHANNELS, names)


def test_it_learns_which_channel_tells():
    """Of annotated notes the mentions say the code; the phrase "seen" goes with one by chance alone."""
    random = np.random.default_rng(0)
    names = ("cough", "fever", "pain")
    codes = [tuple(code for code in "ABC" if random.random() < 0.4) for _ in range(60)]
    texts = ["Seen. " + " ".join(f"Has {names['ABC'.index(code)]}." for code in row) for row in codes]
    mentions = [tuple((code, names["ABC".index(code)]) for code in row) for row in codes]
    folds = np.arange(60) % 3
    features = Lexicon.out_of_fold(texts, codes, "ABC", folds, mentions=mentions)
    truth = sparse.csr_matrix([[float(code in row) for code in "ABC"] for row in codes])
    model = lexicon_classifier(3, 3)
    model.compile(keras.optimizers.Adam(0.1), loss="binary_crossentropy")
    model.fit(note_batches({"lexical": features}, truth, 16, shuffle_seed=0), epochs=20, verbose=0)
    lexicon = Lexicon.fit(texts, codes, "ABC", mentions=mentions)
    new = lexicon.transform(["Came with PAINS, and coughs.", "Seen."]).toarray()
    found = model.predict({"lexical": new}, verbose=0)
    assert (found[0] > 0.5).tolist() == [True, False, True]
    assert (found[1] < 0.5).all()
