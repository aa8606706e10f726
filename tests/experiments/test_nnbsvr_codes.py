from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_system import small_system, small_task

from experiments.nnbsvr import figure1, figure2, held_out, mapping, table5, table7
from icd_relevancy.codes import icd10cm
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.pairs import pair_auc, read_code_pairs
from icd_relevancy.vectors.recipes import hierarchy_only_vectors
from icd_relevancy.vectors.reduction import elbow
from icd_relevancy.vectors.validation import hierarchy_reconstruction


@pytest.fixture
def own_cache(in_miniature, monkeypatch, tmp_path_factory):
    """A cache without the miniature vectors, shared by the tests of this module."""
    folder = tmp_path_factory.getbasetemp() / "nnbsvr-cache"
    monkeypatch.setenv("ICD_RELEVANCY_CACHE", str(folder))
    return folder


@pytest.fixture
def task(own_cache, monkeypatch, miniature_encoder):
    return small_task(monkeypatch, miniature_encoder)


def stem(name) -> Path:
    return Path("results") / f"nnbsvr-{name}" / "small"


def read(name, suffix="") -> pd.DataFrame:
    assert stem(name).with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert Path(f"{stem(name)}{suffix}.md").is_file()
    return pd.read_csv(f"{stem(name)}{suffix}.csv")


def test_figure1(task):
    figure1.make(task, {"printed": 29, "dimensions": 64}, stem("figure1"))
    table, curve = read("figure1").set_index("recipe"), read("figure1", "-curve").set_index("dimensions")
    assert list(table.index) == ["printed recipe", "ours"]
    assert (table["codes"] == len(task.codes)).all()
    assert table.loc["ours", "dimensions computed"] == 64
    printed = curve["printed recipe"].dropna()
    assert len(printed) == table.loc["printed recipe", "features"]
    assert printed.iloc[-1] == pytest.approx(100, abs=0.1)
    assert curve["ours"].is_monotonic_increasing
    for recipe in table.index:
        found = elbow(curve[recipe].dropna().to_numpy() / 100)
        assert table.loc[recipe, "elbow"] == found
        at = table.loc[recipe, "explained at the elbow (%)"]
        assert at == pytest.approx(curve.loc[found, recipe])
    # Of a system of one's own the paper prints nothing.
    figure1.make(task, {"dimensions": 8}, stem("figure1"))
    assert (read("figure1")["printed"] == "–").all()


def test_settings_that_leave_nothing_are_refused(task):
    with pytest.raises(InputError, match=r"dimensions must be at least 1\. Received: dimensions=0"):
        figure1.make(task, {"printed": 29, "dimensions": 0}, stem("figure1"))
    with pytest.raises(InputError, match=r"seeds must be at least 1\. Received: seeds=0"):
        table7.make(task, {"rows": [], "seeds": 0}, stem("table7"))


def test_figure2(task):
    settings = {"vectors": ["Hierarchy only", "NNBSVR"], "sample": 120, "perplexity": 10}
    figure2.make(task, settings, stem("figure2"))
    table = read("figure2").set_index("vectors")
    assert table["codes"].tolist() == [120, 120]
    chapters = {task.system.ancestors(code)[-1] for code in task.sample(120)}
    assert table["chapters"].tolist() == [len(chapters)] * 2
    assert table.loc["NNBSVR", "silhouette"] > table.loc["Hierarchy only", "silhouette"]


def test_table5(task):
    names = ["Hierarchy only", "NNBSVR, hierarchy", "NNBSVR"]
    settings = {
        "k": 5, "hdbscan_codes": 100, "picture": 80,
        "rows": [{"name": name, "vectors": name} for name in names] + [{"name": "printed", "features": None}],
        "pictures": names[:2], "printed": {"Hierarchy only": {"Detected clusters": 100, "Dimensions": 5}},
    }  # fmt: skip
    table5.make(task, settings, stem("table5"))
    table = read("table5").set_index("metric")
    assert table.columns.tolist() == [*names, "printed", "printed: Hierarchy only"]
    assert table["printed: Hierarchy only"].tolist()[:3] == ["100", "5", "–"]
    counts = table[[*names, "printed"]].astype(float)
    assert (
        counts.loc["Strong points"] + counts.loc["Weak points"] + counts.loc["Noise (type-1)"]
        == len(task.codes)
    ).all()
    assert counts.loc["Dimensions"].tolist()[:3] == [6, 29, 29]
    assert (counts.loc["HDBSCAN: codes"] == 100).all()
    control = counts.loc["HDBSCAN: NMI with chapter (%)"]
    assert control["NNBSVR, hierarchy"] > control["Hierarchy only"] > 0
    kept = sorted(task.runs.glob("table5-*.json"))
    assert len(kept) == 4


def test_a_code_without_a_cluster_counts_as_one_of_its_own(task):
    codes = task.codes[:4]
    alone = table5._agreement(task, "X", codes, np.array([-1, -2, -1, -1]))
    apart = table5._agreement(task, "X", codes, np.array([0, 1, 2, 3]))
    assert alone == apart
    assert set(alone) == {f"X: NMI with {level} (%)" for level in ("chapter", "block", "category")}


def test_table7(task):
    rows = [
        {"name": "NNBSVR", "vectors": "NNBSVR", "lengths": "own", "printed": {"block": 97.15}},
        {"name": "ICD2Vec", "vectors": "ICD2Vec", "lengths": "NNBSVR"},
        {"name": "Lengths", "vectors": "NNBSVR", "lengths": "alone"},
        {"name": "Hierarchy", "vectors": "Hierarchy only", "lengths": "unit"},
    ]
    table7.make(task, {"rows": rows, "seeds": 1}, stem("table7"))
    table = read("table7")
    assert table["level"].tolist() == ["chapter"] * 4 + ["block"] * 4 + ["category"] * 4
    assert table["experiment"].tolist() == ["NNBSVR", "ICD2Vec", "Lengths", "Hierarchy"] * 3
    assert (table["dimensions"] == 1).tolist() == (table["experiment"] == "Lengths").tolist()
    assert table["clusters"].tolist()[-1] == 20
    expected = hierarchy_reconstruction(
        hierarchy_only_vectors(task.system), task.system, task.codes, seed=0
    ).set_index("level")
    found = table[table["experiment"] == "Hierarchy"].set_index("level")
    assert (found["purity (%)"] / 100).to_dict() == pytest.approx(expected["purity"].to_dict())
    assert (found["NMI of shuffled clusters (%)"] / 100).to_dict() == pytest.approx(
        expected["nmi_shuffled"].to_dict()
    )
    printed = table.set_index(["level", "experiment"])["printed"]
    assert printed["block", "NNBSVR"] == "97.15"
    assert printed["chapter", "NNBSVR"] == printed["block", "ICD2Vec"] == "–"


def test_table7_goes_on_where_it_was(task, monkeypatch):
    rows = [{"name": "Hierarchy", "vectors": "Hierarchy only", "lengths": "unit"}]
    table7.make(task, {"rows": rows, "seeds": 1}, stem("table7"))
    first = read("table7")
    monkeypatch.setattr(table7, "hierarchy_reconstruction", lambda *_, **__: 1 / 0)
    table7.make(task, {"rows": rows, "seeds": 1}, stem("table7"))
    assert read("table7").equals(first)
    with pytest.raises(ZeroDivisionError):
        table7.make(task, {"rows": [{**rows[0], "lengths": "own"}], "seeds": 1}, stem("table7"))


def test_held_out(task):
    settings = {"held_out": ["code", "category"], "share": 0.1, "fine_tune": False}
    held_out.make(task, settings, stem("held_out"))
    table = read("held_out").set_index(["held out", "vectors", "level"])
    by_code = table.xs("code", level="held out")
    methods = ["NNBSVR from titles", "ICD2Vec", "TF-IDF titles", "NNBSVR, not held out"]
    assert list(dict.fromkeys(table.index.get_level_values("vectors"))) == methods
    assert (by_code["codes"] == round(0.1 * len(task.codes))).all()
    nearest = table["nearest in the same (%)"]
    assert nearest["code", "NNBSVR, not held out", "chapter"] == 100
    assert nearest["code", "TF-IDF titles", "category"] > 50
    # No code of a category that is held out whole has a trained sibling there.
    assert nearest.xs("category", level="level")["category"].isna().all()
    assert nearest.xs("chapter", level="level").notna().all()
    at_best = table["at best (%)"]
    assert (nearest.fillna(0) <= at_best).all()
    assert (at_best.xs("category", level="level")["category"] == 0).all()
    assert at_best["code", "ICD2Vec", "chapter"] == 100
    assert table["purity (%)"].between(0, 100).all()


def test_the_split_of_the_held_out_test(task):
    split = held_out._split(task, "category", 0.1)
    assert not set(split.trained) & set(split.held_out)
    assert set(split.trained) | set(split.held_out) == set(task.codes)
    categories = [{code[:3] for code in codes} for codes in (split.trained, split.held_out)]
    assert not categories[0] & categories[1]
    assert len(categories[1]) == 2
    for by, share in (("chapter", 0.1), ("category", 0.01), ("code", 1.0)):
        with pytest.raises(InputError, match=r"held_out|share"):
            held_out._split(task, by, share)


def test_the_nearest_code_is_that_of_the_greatest_cosine():
    known = np.eye(3)
    points = np.repeat([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]], held_out._BLOCK, axis=0)
    assert held_out._nearest(points, known).tolist() == [0] * held_out._BLOCK + [2] * held_out._BLOCK


def test_mapping(own_cache, monkeypatch):
    task = small_task(monkeypatch, codes=300, system=icd10cm())
    settings = {
        "vectors": ["Hierarchy only", "One-hot (equality)"], "thresholds": [0.6, 0.8], "neighbour_codes": 50,
        "printed": {"frequent": {0.6: 84.56, 0.8: 89.18}},
    }  # fmt: skip
    mapping.make(task, settings, stem("mapping"))
    table = read("mapping").set_index(["vectors", "split", "threshold"]).sort_index()
    assert len(table) == 8
    one_hot = table.loc["One-hot (equality)"]
    assert (one_hot["must reached (%)"] == 0).all()
    assert (one_hot["must not below (%)"] == 100).all()
    assert (one_hot["neighbours a code"] == 0).all()
    hierarchy = table.loc["Hierarchy only"]
    assert (hierarchy["of codes"] == 300).all()
    for split in ("development", "test"):
        low, high = (hierarchy.loc[(split, tau)] for tau in (0.6, 0.8))
        assert low["must reached (%)"] >= high["must reached (%)"]
        assert low["must not below (%)"] <= high["must not below (%)"]
        assert low["neighbours a code"] >= high["neighbours a code"]
    kinds = read("mapping", "-kinds").set_index(["vectors", "kind", "threshold"])
    assert kinds.loc[("Hierarchy only", "frequent", 0.8), "printed"] == "89.18"
    assert kinds.loc[("Hierarchy only", "physician", 0.8), "printed"] == "–"
    trade_off = read("mapping", "-trade-off").set_index(["vectors", "split"])
    auc = pair_auc(hierarchy_only_vectors(task.system), read_code_pairs().select(split="test"))
    assert trade_off.loc[("Hierarchy only", "test"), "AUC"] == pytest.approx(auc)
    assert trade_off.loc[("One-hot (equality)", "test"), "AUC"] == 0.5
    of_test = trade_off.loc[("Hierarchy only", "test")]
    assert of_test["balanced accuracy (%)"] <= of_test["its balanced accuracy (%)"] + 1e-9


def test_neighbours_are_counted_without_the_code_itself():
    vectors = CodeVectors(["A", "B", "C"], [[1, 0], [1, 0.1], [0, 1]])
    found = mapping._neighbours(vectors, ("A", "C"), [0.9, 1.0])
    assert found["neighbours a code"].tolist() == [0.5, 0.0]
    assert found["codes without (%)"].tolist() == [50.0, 100.0]
    assert found["of codes"].tolist() == [3, 3]


def test_mapping_is_of_icd10cm(task):
    with pytest.raises(InputError, match="code_system=small"):
        mapping.make(task, {}, stem("mapping"))


def test_the_small_system_is_real():
    system = small_system()
    assert system.title("J18.9") == "Pneumonia, unspecified organism"
    assert len(system.leaves) > 250
