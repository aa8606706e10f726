import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from icd_relevancy.codes import icd10cm
from icd_relevancy.data import Stays, monte_carlo_splits, roll_up, synthetic_stays
from icd_relevancy.errors import InputError
from icd_relevancy.training import MedicationCoder, MedicationConfig
from icd_relevancy.training.stays.dataset import MedicationData

SMALL = MedicationConfig(hidden_layers=1, units=48, dropout=0.2, epochs=40, learning_rate=5e-3, batch_size=32)


@pytest.fixture(scope="module")
def stays():
    return synthetic_stays(260, seed=3)


@pytest.fixture(scope="module")
def coder(stays):
    return MedicationCoder.train(stays, SMALL)


def test_it_learns_which_drugs_go_with_which_codes(coder):
    def place(code, drugs):
        ranked = next(coder.rank(Stays(("1",), (drugs,), ((),), age=(60.0,)), top_k=None))
        return [entry["code"] for entry in ranked].index(code)

    thyroid = next(name for name in coder.nodes.names if name == "E03.9")
    assert place(thyroid, ("levothyroxine",)) < place(thyroid, ("metformin",)) // 2
    assert coder.history["recall@30"] > 0.5
    assert coder.history["rank_errors@50"] < coder.history["rank_errors@100"]


def test_codes_are_ranked_by_probability_and_only_those_stays_are_given(coder, stays):
    for every_level, allowed in ((False, set(np.array(coder.nodes.names)[coder.billing])), (True, None)):
        ranked = next(coder.rank(stays.select([0]), top_k=None, billing_only=not every_level))
        probabilities = [entry["probability"] for entry in ranked]
        assert probabilities == sorted(probabilities, reverse=True)
        assert allowed is None or {entry["code"] for entry in ranked} == allowed
        assert all(entry["title"] == icd10cm().title(entry["code"]) for entry in ranked)
    assert len(ranked) == len(coder.nodes.names)
    assert {entry["level"] for entry in ranked} >= {0, 1, 2, 3}


def test_a_saved_model_ranks_as_before(coder, stays, tmp_path):
    coder.save(tmp_path / "model")
    loaded = MedicationCoder.load(tmp_path / "model")
    some = stays.select(range(5))
    np.testing.assert_allclose(loaded.scores(some), coder.scores(some), rtol=1e-5)
    assert list(loaded.rank(some, 3)) == [
        [{**entry, "probability": pytest.approx(entry["probability"], rel=1e-5)} for entry in ranked]
        for ranked in coder.rank(some, 3)
    ]
    assert loaded.thresholds == coder.thresholds
    assert loaded.nodes.parent.tolist() == coder.nodes.parent.tolist()
    assert stays.drugs[0][0] not in json.dumps(loaded.history)


def test_evaluation_counts_codes_that_were_never_seen(coder, stays):
    result = coder.evaluate(replace(stays.select([0, 1]), codes=(stays.codes[0], ("A00.0",))))
    assert result["notes"] == 2
    assert result["unseen_codes"] == pytest.approx(1 / (len(stays.codes[0]) + 1))
    assert set(result) >= {"labels", "decision_threshold", "equality", "relevancy", "ranking"}
    assert result["relevancy"]["micro_recall"] >= result["equality"]["micro_recall"]


def test_unknown_drugs_are_counted_and_change_nothing(coder):
    one = Stays(("1", "2"), (("levothyroxine",), ("levothyroxine", "xyzzy")), ((), ()))
    assert coder.unknown_drugs(one) == (("xyzzy", 1),)
    scores = coder.scores(one)
    np.testing.assert_array_equal(scores[0], scores[1])


def test_a_given_split_and_given_codes(stays):
    split = monte_carlo_splits(stays, 1, 40, 40)[0]
    nodes = roll_up(stays.codes, icd10cm())
    data = MedicationData.from_stays(stays.select(split.train), SMALL, stays.select(split.dev), nodes)
    assert data.training.codes.names == data.validation.codes.names == nodes.names
    assert data.validation.inputs.shape == (len(split.dev), data.training.inputs.shape[1])
    assert (data.training.targets != nodes.labels[split.train]).nnz == 0
    assert data.training.inputs.dtype == np.float32
    assert set(np.unique(data.training.inputs[:, 0].toarray())) - {0.0, 1.0}, "the age is a number"


def test_stays_that_have_none_of_the_codes_to_learn_are_negative_and_those_without_codes_left_out(stays):
    nodes = roll_up(stays.codes, icd10cm())
    picked = nodes.select(nodes.level == 0).select([0])
    some = replace(stays, codes=((), *stays.codes[1:-1], ("XYZ9",)))
    data = MedicationData.from_stays(some, replace(SMALL, unknown_codes="drop"), nodes=picked)
    targets = sparse.vstack([data.training.targets, data.validation.targets])
    assert (data.left_out, data.dropped_codes) == (2, 1)
    assert targets.shape == (len(stays) - 2, 1)
    assert 0 < targets.sum() < len(stays) - 2


@pytest.mark.parametrize("level", ["chapter", "block", "category", "billing"])
def test_one_level_alone(stays, level):
    data = MedicationData.from_stays(stays, replace(SMALL, level=level))
    nodes = data.training.codes
    if level == "billing":
        given = {code for codes in stays.codes for code in codes}
        assert set(nodes.names) == given
        assert (data.training.targets != nodes.assigned).nnz == 0
    else:
        assert set(nodes.level) == {nodes.depth(level)}
        assert (nodes.parent == -1).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "mcloss", "constraint": "roll_up"},
        {"loss": "treemin"},
        {"loss": "focal"},
        {"loss": "irw", "cap": 10.0},
        {"loss": "irnw", "monitor": "micro_auprc"},
        {"reweighted": True, "monitor": "loss"},
        {"hier_l2": 1e-6, "constraint": "roll_down"},
        {"level": "category", "output_l2": 1e-4, "batch_norm": True, "monitor": "macro_f1"},
    ],
)
def test_every_method_trains(stays, changes):
    coder = MedicationCoder.train(stays, replace(SMALL, units=16, epochs=1, **changes))
    scores = coder.scores(stays.select([0, 1]))
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_members_are_averaged_and_kept(stays, tmp_path):
    training, validation = stays.select(range(0, len(stays), 2)), stays.select(range(1, len(stays), 2))
    config = replace(SMALL, units=16, epochs=2)
    alone = [
        MedicationCoder.train(training, replace(config, seed=seed), validation).scores(validation)
        for seed in (3, 4)
    ]
    assert not np.allclose(*alone)
    both = MedicationCoder.train(training, replace(config, seed=3, members=2), validation)
    np.testing.assert_allclose(both.scores(validation), np.mean(alone, axis=0), rtol=1e-5)
    both.save(tmp_path / "model")
    loaded = MedicationCoder.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.scores(validation), both.scores(validation), rtol=1e-6)


def test_stays_that_say_nothing():
    stays = synthetic_stays(20)
    for wrong, names in (
        (replace(stays, codes=((),) * 20), "no stay has a code"),
        (replace(stays, drugs=((),) * 20), "no stay has a drug"),
        (replace(stays, codes=(("nonsense",), *stays.codes[1:])), "not icd10cm"),
    ):
        with pytest.raises(InputError, match=names):
            MedicationCoder.train(wrong, SMALL)
    dropped = replace(SMALL, unknown_codes="drop", epochs=1)
    MedicationData.from_stays(replace(stays, codes=(("nonsense",), *stays.codes[1:])), dropped)
    with pytest.raises(InputError, match="no stay has a code to compare with"):
        MedicationCoder.train(stays, dropped).evaluate(replace(stays, codes=((),) * 20))


def test_a_damaged_folder(coder, tmp_path):
    coder.save(tmp_path / "model")
    told = json.loads((tmp_path / "model" / "coder.json").read_text())
    for changes, names in (
        ({"nodes": told["nodes"][:-1]}, "different models"),
        ({"nodes": ["X99X", *told["nodes"][1:]]}, "not in icd10cm"),
    ):
        (tmp_path / "model" / "coder.json").write_text(json.dumps({**told, **changes}))
        with pytest.raises(InputError, match=names):
            MedicationCoder.load(tmp_path / "model")
    (tmp_path / "model" / "coder.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        MedicationCoder.load(tmp_path / "model")
