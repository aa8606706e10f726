import re
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.codes import CodeSystem, icd10cm
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.pairs import (
    COLUMNS,
    CodePairs,
    _pair_similarities,
    best_threshold,
    pair_auc,
    pair_report,
    read_code_pairs,
)

PARENTS = {"A": None, **dict.fromkeys(["A0", "A1", "A2", "A3", "A4"], "A"), "A4.9": "A4"}
SYSTEM = CodeSystem("toy", tuple(PARENTS), dict.fromkeys(PARENTS, ""), PARENTS)


def at(cosine):
    return [cosine, np.sqrt(1 - cosine**2)]


# Cosines with A0: A1 0.9, A2 0.7, A3 0.65, A4 0.2.
VECTORS = CodeVectors(["A0", "A1", "A2", "A3", "A4"], [[2, 0], at(0.9), at(0.7), at(0.65), at(0.2)])
PAIRS = CodePairs(
    pd.DataFrame(
        [
            ["A0", "A1", "yes", "same category", "by hand", "dev"],
            ["A0", "A3", "yes", "frequent", "by hand", "test"],
            ["A2", "A0", "no", "hyper/hypo", "by hand", "dev"],
            ["A0", "A4", "no", "hyper/hypo", "by hand", "test"],
            ["A1", "A2", "apart", "left/right", "by hand", "dev"],
        ],
        columns=COLUMNS,
    )
)


def test_similarities_by_hand():
    found = _pair_similarities(VECTORS, PAIRS)
    apart = 0.9 * 0.7 + np.sqrt(0.19 * 0.51)
    np.testing.assert_allclose(found["similarity"], [0.9, 0.65, 0.7, 0.2, apart], atol=1e-6)
    assert found["missing"].tolist() == [""] * 5
    assert not found["fallback"].any()
    assert list(found.columns) == [*COLUMNS, "similarity", "fallback", "missing"]


def test_an_ancestor_stands_in_or_the_code_is_named_as_missing():
    rows = [
        ["A0", "A4.9", "yes", "", "", ""],
        ["A0", "Q77", "yes", "", "", ""],
        ["Q77", "Q78", "no", "", "", ""],
    ]
    pairs = CodePairs(pd.DataFrame(rows, columns=COLUMNS))
    found = _pair_similarities(VECTORS, pairs, SYSTEM)
    np.testing.assert_allclose(found["similarity"], [0.2, np.nan, np.nan], atol=1e-6)
    assert found["fallback"].tolist() == [True, False, False]
    assert found["missing"].tolist() == ["", "Q77", "Q77 Q78"]
    assert _pair_similarities(VECTORS, pairs)["missing"].tolist() == ["A4.9", "Q77", "Q77 Q78"]
    report = pair_report(VECTORS, pairs, (0.1,), SYSTEM)
    assert report.loc[
        0, ["must_pairs", "must_reached", "must_not_pairs", "fallback", "missing"]
    ].tolist() == [1, 1.0, 0, 1, 2]


def test_the_report_by_hand():
    report = pair_report(VECTORS, PAIRS).set_index(["kind", "threshold"])
    everything = report.loc["all"]
    assert everything["must_pairs"].tolist() == [2] * 5
    assert everything["must_reached"].tolist() == [1, 0.5, 0.5, 0.5, 0.5]
    assert everything["must_not_below"].tolist() == [0.5, 0.5, 1, 1, 1]
    assert everything["balanced_accuracy"].tolist() == [0.75, 0.5, 0.75, 0.75, 0.75]
    assert everything["apart_pairs"].tolist() == [1] * 5
    assert everything["apart_below"].tolist() == [0, 0, 0, 0, 0]
    assert report.loc["hyper/hypo"]["must_not_below"].tolist() == [0.5, 0.5, 1, 1, 1]
    assert report.loc["hyper/hypo"][["must_reached", "balanced_accuracy"]].isna().all(axis=None)
    assert report.index.get_level_values("kind").unique().tolist() == [
        "all",
        "same category",
        "frequent",
        "hyper/hypo",
        "left/right",
    ]


def test_a_cosine_at_the_threshold_matches_as_in_the_graph():
    assert pair_report(VECTORS, PAIRS, (0.65,))["must_reached"].tolist()[0] == 1


def test_auc_by_hand():
    # yes 0.9 beats 0.7 and 0.2; yes 0.65 beats 0.2 alone: 3 of 4.
    assert pair_auc(VECTORS, PAIRS) == 0.75


def test_best_threshold_by_hand():
    # 0.65 reaches both and keeps one of two below; 0.9 reaches one and keeps both below: equal, so the greater.
    best = best_threshold(VECTORS, PAIRS)
    assert best.threshold == pytest.approx(0.9, abs=1e-6)
    assert (best.balanced_accuracy, best.must_reached, best.must_not_below) == (0.75, 0.5, 1)


def test_best_threshold_is_the_best_of_all():
    random = np.random.default_rng(0)
    codes = [f"A{i}" for i in range(40)]
    vectors = CodeVectors(codes, random.normal(size=(40, 3)))
    rows = [[codes[i], codes[i + 1], random.choice(["yes", "no"]), "", "", ""] for i in range(39)]
    pairs = CodePairs(pd.DataFrame(rows, columns=COLUMNS))
    best = best_threshold(vectors, pairs)
    everywhere = pair_report(vectors, pairs, np.linspace(0, 1, 501)).query("kind == 'all'")
    assert best.balanced_accuracy >= everywhere["balanced_accuracy"].max()
    there = pair_report(vectors, pairs, (best.threshold,)).iloc[0]
    assert there["balanced_accuracy"] == pytest.approx(best.balanced_accuracy)
    assert (there["must_reached"], there["must_not_below"]) == (best.must_reached, best.must_not_below)


@pytest.mark.parametrize("function", [pair_auc, best_threshold])
def test_both_sorts_of_pairs_are_needed(function):
    with pytest.raises(InputError, match=r"both needed\. Received, with vectors: 0 and 2"):
        function(VECTORS, PAIRS.select(kind="hyper/hypo"))


def test_a_vector_of_zeros_is_similar_to_nothing():
    vectors = CodeVectors(["A0", "A1"], [[0, 0], [1, 0]])
    pairs = CodePairs(PAIRS.table[:1])
    assert _pair_similarities(vectors, pairs)["similarity"].tolist() == [0]


def test_select():
    assert len(PAIRS.select(split="dev")) == 3
    assert PAIRS.select(kind="hyper/hypo", split="test").table["b"].tolist() == ["A4"]
    with pytest.raises(InputError, match="the split 'train'; there are dev, test"):
        PAIRS.select(split="train")


def test_pairs_that_every_set_of_vectors_holds():
    without = VECTORS.select(["A0", "A1", "A2", "A3"])
    assert PAIRS.held_by(VECTORS).table.equals(PAIRS.table)
    assert PAIRS.held_by(VECTORS, without).table["b"].tolist() == ["A1", "A3", "A0", "A2"]
    assert PAIRS.held_by(without, VECTORS.select(["A4"])).table.columns.tolist() == list(COLUMNS)
    assert len(PAIRS.held_by(without, VECTORS.select(["A4"]))) == 0


HEADER = ",".join(COLUMNS)


def test_read_what_was_written(tmp_path):
    path = tmp_path / "pairs.csv"
    PAIRS.table.to_csv(path, index=False, encoding="utf-8-sig")
    assert read_code_pairs(path).table.equals(PAIRS.table.astype(str))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must be a,b,match,kind,source,split"),
        ("a,b,match\nI10,I11.9,yes\n", "the first line must be"),
        (HEADER + "\n", "has no pairs"),
        (f"{HEADER}\nI10,I11.9,yes,k,s,dev\nI10,I15.9,yes\n", "row 2: 3 cells instead of 6"),
        (f"{HEADER}\nI10,I11.9,yes,left, right,s,dev\n", "row 1: 7 cells instead of 6"),
        (f"{HEADER}\nI10,,yes,k,s,dev\n", "row 1: column b holds no code"),
        (f"{HEADER}\n I10,I11.9,yes,k,s,dev\n", "row 1: column a holds no code, or one with white space"),
        (f"{HEADER}\nI10,I11.9,maybe,k,s,dev\n", "row 1: column match must be one of yes, no, apart"),
        (f"{HEADER}\nI10,I10,yes,k,s,dev\n", "row 1: 'I10' is paired with itself"),
        (
            f"{HEADER}\nI10,I11.9,yes,k,s,dev\nI11.9,I10,no,k,s,dev\n",
            "row 2: the pair 'I11.9' and 'I10' stands in row 1 already",
        ),
    ],
)
def test_a_bad_table_is_refused_by_file_and_row(tmp_path, text, message):
    path = tmp_path / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)) as told:
        read_code_pairs(path)
    assert str(told.value).startswith(str(path))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file of code pairs"):
        read_code_pairs(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\nI10,I11.9,yes,\xe9,s,dev\n")
    with pytest.raises(InputError, match="cannot be read as a UTF-8 CSV file"):
        read_code_pairs(tmp_path / "latin.csv")


@pytest.mark.skipif(
    not (files("icd_relevancy.vectors") / "code_pairs.csv").is_file(), reason="no packaged pairs in this tree"
)
def test_the_packaged_pairs_are_codes_of_icd10cm():
    pairs = read_code_pairs()
    codes = {*pairs.table["a"], *pairs.table["b"]}
    assert not {code for code in codes if code not in icd10cm()}
    assert {"yes", "no"} <= set(pairs.table["match"])
