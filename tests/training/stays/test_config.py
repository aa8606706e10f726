import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.training import MedicationConfig


def test_settings_by_name():
    config = MedicationConfig.from_mapping({"units": 256, "loss": "mcloss"})
    assert (config.units, config.loss, config.monitor) == (256, "mcloss", "ndcg")
    assert MedicationConfig.from_mapping(config.to_dict()) == config


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"unit": 256}, "unknown key 'unit'"),
        ({"units": "many"}, "units must be int"),
        ({"units": 0}, "units must be at least 1"),
        ({"hidden_layers": 9}, "hidden_layers must be from 1 to 8"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"level": "leaf"}, "level must be one of None, chapter"),
        ({"loss": "hinge"}, "loss must be one of bce"),
        ({"monitor": "accuracy"}, "monitor must be one of ndcg"),
        ({"constraint": "up"}, "constraint must be one of"),
        ({"hier_l2": -1.0}, "hier_l2 must be from 0"),
        ({"threshold": 2.0}, "threshold"),
        ({"reweighted": True, "loss": "focal"}, "reweighted needs a loss"),
        ({"level": "block", "loss": "treemin"}, "leaves codes of one level"),
        ({"level": "block", "constraint": "roll_up"}, "leaves codes of one level"),
        ({"gamma": 3.0}, "gamma is of the loss focal. Received: gamma=3.0"),
        ({"cap": 20.0, "loss": "focal"}, "cap is of the losses irw and irnw"),
        ({"code_system": "own.csv", "threshold": 0.5}, "threshold compares code vectors; name some"),
    ],
)
def test_refusals(settings, names):
    with pytest.raises(InputError, match=names):
        MedicationConfig.from_mapping(settings)


def test_a_loss_of_ones_own_has_its_settings_here(tmp_path, monkeypatch):
    (tmp_path / "own_stay_losses.py").write_text(
        "from dataclasses import dataclass\n"
        "from icd_relevancy.losses.by_name import loss\n"
        "from icd_relevancy.settings import Settings, setting\n"
        "@dataclass(frozen=True)\n"
        "class Powers(Settings):\n"
        "    power: float = setting(1.0, above=0)\n"
        "@loss(Powers)\n"
        "def raised(settings, labels): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = MedicationConfig(loss="own_stay_losses:raised", power=2.0)
    assert config.power == 2.0
    assert MedicationConfig.from_mapping(config.to_dict()) == config
    with pytest.raises(InputError, match="power must be above 0"):
        MedicationConfig.from_mapping({"loss": "own_stay_losses:raised", "power": 0.0})
