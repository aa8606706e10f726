import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.losses.by_name import NOTE_LOSSES
from icd_relevancy.models.by_name import NOTE_MODELS
from icd_relevancy.settings import read_yaml
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.training.stays.config import MedicationConfig


def test_defaults_are_those_of_the_paper():
    config = TrainingConfig()
    assert (config.learning_rate, config.batch_size, config.epochs, config.patience) == (1e-3, 32, 50, 5)
    assert (config.alpha, config.threshold) == (0.75, 0.76)
    assert TrainingConfig.from_mapping(config.to_dict()) == config


def test_what_is_left_open_depends_on_fine_tuning():
    config = TrainingConfig(fine_tune=True)
    assert (config.learning_rate, config.batch_size, config.warm_up, config.clip_norm) == (2e-4, 16, 0.1, 1.0)
    assert config.monitor == "micro_f1"
    given = TrainingConfig(fine_tune=True, learning_rate=1e-5, warm_up=0)
    assert (given.learning_rate, given.warm_up) == (1e-5, 0)
    assert TrainingConfig.from_mapping(config.to_dict()) == config


def test_what_is_left_open_depends_on_the_model():
    """The settings of Edin et al. (2023), as the design restates them."""
    caml, laat, plm = (TrainingConfig(model=model) for model in ("caml", "laat", "plm-icd"))
    assert (caml.learning_rate, caml.weight_decay, caml.batch_size, caml.units, caml.dropout) == (
        5e-3, 1e-3, 8, 50, 0.2,
    )  # fmt: skip
    assert (laat.units, laat.attention_dim, laat.max_length, laat.monitor) == (512, 512, 4000, "map")
    assert (plm.learning_rate, TrainingConfig(model="plm-icd", fine_tune=True).learning_rate) == (1e-3, 5e-5)
    assert (plm.chunk_length, caml.chunk_length) == (128, None)
    for config in (caml, laat, plm):
        assert TrainingConfig.from_mapping(config.to_dict()) == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"los": "bce"}, "mine.yaml: unknown key 'los'"),
        ({1: "bce"}, "mine.yaml: unknown key '1'"),
        ({"loss": "mse"}, "loss must be one of bce"),
        ({"model": "bert"}, "model must be one of linear, hmhan, caml"),
        ({"matching": "soft"}, "matching must be graded or binary"),
        ({"harmonic_of": "metrics"}, "harmonic_of must be scores or losses"),
        ({"pooling": "max"}, "pooling must be mean or cls"),
        ({"alpha": 1.01}, r"alpha must be in \[0, 1\]"),
        ({"alpha": float("nan")}, "alpha must be"),
        ({"alpha": "0.5"}, "alpha must be float. Received: alpha='0.5'"),
        ({"alpha": True}, "alpha must be float"),
        ({"threshold": -0.1}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 2.5}, "epochs must be int"),
        ({"epochs": True}, "epochs must be int"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"min_count": 0}, "min_count must be at least 1"),
        ({"max_length": 0}, "max_length must be at least 1"),
        ({"validation": 0}, "validation must be between 0 and 1"),
        ({"validation": 1}, "validation must be between 0 and 1"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0"),
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**32}, "seed must be from 0"),
        ({"fine_tune": 1}, "fine_tune must be bool"),
        ({"model": "hmhan", "attention": "soft"}, "attention must be one of hierarchical"),
        ({"monitor": "f1"}, "monitor must be one of loss"),
        ({"warm_up": 1.0}, r"warm_up must be in \[0, 1\)"),
        ({"clip_norm": -1.0}, "clip_norm must be from 0"),
        ({"smote": True}, "smote is of the model hmhan; choose it. Received: model='linear'"),
        ({"attention": "flat"}, "attention is of the model hmhan"),
        (
            {"model": "hmhan", "pooling": "cls"},
            "pooling is of the model linear; choose it. Received: model='hmhan'",
        ),
        ({"mixed_precision": True}, "mixed_precision needs fine_tune"),
        ({"bag_of_words": True}, "bag_of_words is of the models hmhan, caml"),
        ({"model": "caml", "encoder": "some/bert"}, "encoder is of the models linear, hmhan, plm-icd"),
        ({"model": "caml", "fine_tune": True}, "fine_tune is of the models"),
        ({"model": "lexicon", "lexical": True}, "lexical is of the models"),
        ({"model": "lexicon", "negation": True}, "negation is of the models linear, hmhan"),
        ({"model": "caml", "min_groups": 5}, "min_groups is of a lexicon; set lexical too"),
        ({"joint": True}, "joint is of the models caml"),
        ({"model": "caml", "joint": True, "joint_system": "icd10cm"}, "joint needs two code systems"),
        (
            {"model": "caml", "mapping": "pairs.csv"},
            "mapping must be None without joint. Received: mapping='pairs",
        ),
        ({"model": "caml", "graph": "none"}, "graph must be 'weighted' without joint"),
        ({"model": "caml", "joint_system": "mine"}, "joint_system must be 'icd9cm' without joint"),
        ({"model": "caml", "graph": "dense"}, "graph must be one of weighted"),
        ({"model": "caml", "dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"model": "laat", "attention_dim": 0}, "attention_dim must be at least 1"),
        ({"lowercase": "yes"}, "lowercase must be bool | None"),
        ({"vectors": 3}, "vectors must be str"),
        ({"code_system": None}, "code_system must be str"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        TrainingConfig.from_mapping(settings, "mine.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.5}, "alpha is of the loss whml, not of bce; leave one of them out. Received: alpha=0.5"),
        ({"loss": "bhml", "alpha": 0.5}, "alpha is of the loss whml, not of bhml"),
        ({"loss": "tlcl", "harmonic_of": "losses"}, "harmonic_of is of the losses bhml, whml, not of tlcl"),
        (
            {"loss": "focal", "matching": "binary"},
            "matching is of the losses tlcl, plcl, bhml, whml, not of focal",
        ),
        ({"model": "caml", "lexical": True, "negation": True}, "negation does not reach the lexicon"),
        ({"model": "hmhan", "lexical": True, "clean": True}, "clean does not reach the lexicon"),
        ({"model": "plm-icd", "lexical": True, "unify": True}, "unify does not reach the lexicon"),
        ({"model": "lexicon", "clean": True}, "clean is of the models linear, hmhan"),
        ({"model": "lexicon", "max_length": 512}, "max_length is not of the model lexicon"),
        ({"model": "lexicon", "word_vectors": "v.txt"}, "word_vectors is of the models caml"),
        ({"model": "plm-icd", "word_vectors": "v.txt"}, "word_vectors is of the models caml"),
        ({"model": "caml", "chunk_length": 64}, "chunk_length is of the model plm-icd"),
        (
            {"model": "hmhan", "attention": "none", "title_queries": False},
            "title_queries is not of attention='none'",
        ),
        (
            {"model": "hmhan", "attention": "single", "title_queries": False},
            "title_queries is not of attention",
        ),
        (
            {"model": "caml", "joint": True, "graph": "none", "mapping": "pairs.csv"},
            "mapping links codes, and graph",
        ),
        ({"model": "lexicon", "joint": True, "graph": "unweighted"}, "graph must be 'weighted' or 'none'"),
        ({"model": "lexicon", "joint": True, "graph": "one_table"}, "graph must be 'weighted' or 'none'"),
    ],
)
def test_what_would_change_nothing_is_refused(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        TrainingConfig.from_mapping(settings, "mine.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", NOTE_MODELS.names)
@pytest.mark.parametrize("loss", NOTE_LOSSES.names)
def test_all_settings_at_their_defaults_load_again(model, loss):
    """So does the `coder.json` of a model, which holds them all."""
    config = TrainingConfig(model=model, loss=loss)
    assert TrainingConfig.from_mapping(config.to_dict()) == config


@pytest.mark.parametrize(
    "settings",
    [{"alpha": 0, "loss": "whml"}, {"alpha": 1, "loss": "whml"}, {"threshold": 0}, {"threshold": 1}],
)
def test_bounds_belong_to_the_range(settings):
    assert TrainingConfig.from_mapping(settings) == TrainingConfig(**settings)


def test_yaml(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("loss: bhml  # printed form\nlowercase: null\nlearning_rate: 0.01\n")
    assert read_yaml(path) == {"loss": "bhml", "lowercase": None, "learning_rate": 0.01}
    path.write_text("base: &base {a: 1, b: 2}\nmine: {<<: *base, a: 3}\n")
    assert read_yaml(path)["mine"] == {"a": 3, "b": 2}
    path.write_text("# nothing\n")
    assert read_yaml(path) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"loss: [bce", "line 1: not YAML"),
        (b'loss: bce\nsecret: "the patient\n', "line 3: not YAML"),
        (b"- loss\n", "expected names and values"),
        (b"loss: \xff", "not UTF-8 at byte 6"),
        (b"!!python/object:os.system {}", "not YAML"),
        (b"a: \x00", "not YAML"),
        (b"loss: bce\nseed: 2001-99-99\n", r"mine\.yaml, line 2: no such date or number"),
        (b"epochs: 1\nloss: bce\nepochs: 1\n", r"mine\.yaml, line 3: the key 'epochs' is there twice"),
        (b"a: {b: 1, b: 2}", r"mine\.yaml, line 1: the key 'b' is there twice"),
        (b"[" * 9000, "not YAML"),
    ],
)
def test_bad_yaml_is_named_and_not_quoted(tmp_path, content, message):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_yaml(path)
    assert "mine.yaml" in str(caught.value)
    assert "patient" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_yaml(tmp_path):
    with pytest.raises(InputError, match="no such configuration file"):
        read_yaml(tmp_path / "none.yaml")


def test_a_code_system_is_spelt_as_people_spell_it(tmp_path):
    assert TrainingConfig(code_system="ICD-9-CM", joint_system="icd9cm").code_system == "icd9cm"
    (tmp_path / "s.yaml").write_text("code_system: 9\n")
    assert TrainingConfig.from_mapping(read_yaml(tmp_path / "s.yaml")).code_system == "icd9cm"
    assert MedicationConfig.from_mapping({"code_system": 10}).code_system == "icd10cm"
    with pytest.raises(InputError, match="joint needs two code systems"):
        TrainingConfig(joint=True, model="caml", code_system="10", joint_system="ICD-10")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"alpha": 0.5, "harmonic_of": "losses"}, TrainingConfig()),
        ({"model": "caml", "lexical": True, "negation": True}, TrainingConfig(model="caml", lexical=True)),
    ],
)
def test_a_trained_model_may_hold_what_nothing_heeded(settings, expected):
    """Such a folder was written before these were refused, and codes as it did."""
    assert TrainingConfig.from_trained(settings, "coder.json") == expected
    with pytest.raises(InputError, match=r"coder\.json: alpha must be"):
        TrainingConfig.from_trained({"alpha": 7.0, "loss": "whml"}, "coder.json")
