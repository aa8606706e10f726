"""`icd-relevancy vectors`, on ICD-9-CM and on small tables: the whole of ICD-10-CM takes minutes."""

import json

import numpy as np
import pytest
from command_line import write

from icd_relevancy.cli import main
from icd_relevancy.codes import icd9cm
from icd_relevancy.vectors import CodeVectors, hierarchy_only_vectors


@pytest.fixture
def atc_table(place):
    return write(
        place / "atc.csv",
        "code,title,parent,oral",
        "A,Alimentary tract and metabolism,,no",
        "A10,Drugs used in diabetes,A,no",
        "A10BA02,metformin,A10,yes",
        "A10BB09,gliclazide,A10,yes",
        "C,Cardiovascular system,,no",
        "C07AB02,metoprolol,C,yes",
        "C07AB03,atenolol,C,yes",
    )


@pytest.fixture(scope="module")
def nine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nine") / "hierarchy-only"
    hierarchy_only_vectors(icd9cm()).save(folder)
    return folder


def test_build_from_a_table_of_ones_own_and_show(atc_table, place, capsys):
    assert main(["vectors", "build", "--features", str(atc_table), "--out", str(place / "atc")]) == 0
    vectors = CodeVectors.load(place / "atc")
    assert vectors.codes[0] == "A"
    assert vectors.meta["recipe"] == "nnbsvr-1"
    capsys.readouterr()
    options = ["--vectors", str(place / "atc"), "--top-k", "2"]
    assert main(["vectors", "show", "C07AB02", *options]) == 0
    first, *nearest = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert first == "C07AB02"
    assert set(nearest) == {"C", "C07AB03"}


def test_show_tells_titles_and_takes_a_code_without_its_dot(nine, capsys):
    assert (
        main(["vectors", "show", "4280", "--vectors", str(nine), "--code-system", "icd9cm", "--top-k", "2"])
        == 0
    )
    first, *nearest = capsys.readouterr().out.splitlines()
    assert first == " 1.000  428.0     Congestive heart failure, unspecified"
    assert len(nearest) == 2


def test_build_by_text_keeps_what_the_network_says(atc_table, place, miniature_encoder):
    options = ["--features", str(atc_table), "--text", "--encoder", str(miniature_encoder), "--epochs", "200"]
    options += ["--max-length", "32"]
    assert main(["vectors", "build", *options, "--out", str(place / "text")]) == 0
    assert main(["vectors", "build", "--features", str(atc_table), "--out", str(place / "plain")]) == 0
    text, plain = CodeVectors.load(place / "text"), CodeVectors.load(place / "plain")
    assert text.meta["text"]["epochs"] == 200
    assert 0 < np.mean((text.vectors - plain.vectors) ** 2) < 0.5 * np.mean(plain.vectors**2)


@pytest.mark.parametrize("recipe", ["hierarchy-only", "icdcodex"])
def test_build_rivals_of_some_codes(recipe, place):
    table = write(
        place / "atc.csv", "code,title,parent", "A10,Diabetes,", "A10BA02,metformin,A10", "C07,Blockers,"
    )
    options = ["--recipe", recipe, "--code-system", str(table), "--codes", "3", "--out", str(place / recipe)]
    assert main(["vectors", "build", *options]) == 0
    assert len(CodeVectors.load(place / recipe)) == 3


def test_build_draws_the_explained_variance(atc_table, place):
    options = ["--features", str(atc_table), "--out", str(place / "atc"), "--plot", str(place / "curve.png")]
    assert main(["vectors", "build", *options]) == 0
    assert (place / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_compare_tells_pairs_and_hierarchy(nine, place, capsys):
    pairs = write(
        place / "pairs.csv",
        "a,b,match,kind,source,split",
        "428.0,428.9,yes,frequent,same category,development",
        "250.00,250.02,yes,frequent,same category,test",
        "428.0,462,no,same_word,other organ,development",
        "185,V22.0,no,sex,male and female,test",
    )
    options = ["--code-system", "icd9cm", "--pairs", str(pairs), "--codes", "500"]
    assert main(["vectors", "compare", str(nine), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dimensions"] == 5
    assert told["thresholds"]["0.76"] == {"must_match_reached": 0.5, "must_not_match_below": 1}
    assert set(told["hierarchy"]) == {"chapter", "category"}
    assert told["hierarchy"]["category"]["purity"] > told["hierarchy"]["category"]["purity_shuffled"]
    assert main(["vectors", "compare", str(nine), *options]) == 0
    assert "chapter: purity" in capsys.readouterr().out


def test_refusals(check_refused, atc_table, place, nine):
    build = ["vectors", "build", "--out", place / "out"]
    check_refused(*build, "--recipe", "icd2vec", "--text", names="--text belongs to --recipe nnbsvr")
    check_refused(*build, "--fine-tune", names="give --text too")
    check_refused(*build, "--features", atc_table, "--dimensions", "many", names="or elbow. Received: many")
    check_refused(*build, "--features", atc_table, "--codes", "0", names="--codes must be at least 1")
    check_refused(*build, "--features", place / "none.csv", names="none.csv: no such file")
    check_refused("vectors", "show", "nothing", "--vectors", nine, names="is no code of icd9cm")
    check_refused("vectors", "show", "462", "--vectors", place / "none", names="no code vectors")
    check_refused("vectors", "compare", nine, names="no code of icd10cm has a vector")
    check_refused(
        "vectors", "compare", nine, "--code-system", "icd9cm", "--pairs", place / "none.csv", names="none.csv"
    )


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["code,title,oral", "A10,Diabetes,no", "A10,Again,yes"], "row 2: code 'A10' is listed twice"),
        (["code,title,oral", "A10,,no"], "row 1, code 'A10': no title"),
        (["code,title,oral", "A,Alimentary,no", "B,Blood,no"], "column 'oral' is the same for every code"),
        (["code,title,oral", "A,Alimentary,", "B,Blood,"], "column 'oral' is empty"),
        (["code,title,oral:colour", "A,Alimentary,red"], "unknown kind 'colour'"),
    ],
)
def test_a_table_with_faults_is_refused(check_refused, place, lines, named):
    table = write(place / "faulty.csv", *lines)
    check_refused("vectors", "build", "--features", table, "--out", place / "out", names=named)
