"""`CodeMapping`: links and translations on tables whose answer is written out, and on the GEMs."""

import json
from importlib.resources import files

import jsonschema
import numpy as np
import pandas as pd
import pytest

from icd_relevancy.codes import CodeMapping, CodeSystem, icd9cm, icd10cm
from icd_relevancy.errors import InputError


def system(name, parents):
    titles = {code: f"{code} unspecified" if code.endswith("9") else code for code in parents}
    return CodeSystem(name, tuple(parents), titles, parents)


OLD = system(
    "old",
    {"100": None, "100.1": "100", "100.2": "100", "100.9": "100", "200": None, "300": None, "400": None},
)
NEW = system(
    "new", {"A10": None, "A10.1": "A10", "A10.9": "A10", "B20": None, "C30": None, "D40": None, "E50": None}
)


def mapping(*rows):
    """A row is (first, second, forth, approximate, combination, scenario, choice_list)."""
    columns = ["first", "second", "forth", "approximate", "combination", "scenario", "choice_list"]
    table = pd.DataFrame(rows, columns=columns)
    return CodeMapping("old", "new", table.assign(no_map=table[["first", "second"]].isna().any(axis=1)))


SMALL = mapping(
    ("100.1", "A10.1", True, False, False, 0, 0),
    ("100.1", "A10.1", False, True, False, 0, 0),
    ("100.2", "A10.9", True, True, False, 0, 0),
    ("100.9", "A10.1", True, True, False, 0, 0),
    ("100.9", "A10.9", True, True, False, 0, 0),
    ("100.9", "A10.9", False, True, False, 0, 0),
    ("200", "B20", True, True, True, 1, 1),
    ("200", "C30", True, True, True, 1, 2),
    ("200", "D40", True, True, True, 2, 1),
    ("200", "E50", True, True, True, 2, 2),
    ("300", None, True, True, False, 0, 0),
    (None, "E50", False, True, False, 0, 0),
)


def pairs(links, first, second):
    edges = zip(links.edges.tolist(), links.weights.tolist(), strict=True)
    return {(first[i], second[j]): weight for (i, j), weight in edges}


def test_links_of_a_table_worked_by_hand():
    first, second = ["300", "100.1", "200", "100", "400"], ["C30", "A10.9", "A10.1", "D40"]
    links = SMALL.links(first, second, OLD, NEW)
    assert pairs(links, first, second) == {
        ("100.1", "A10.1"): 1.0,
        ("200", "C30"): 0.5,
        ("200", "D40"): 0.5,
        # The table lacks 100, which stands for 100.1, 100.2 and 100.9.
        ("100", "A10.1"): 0.5,
        ("100", "A10.9"): 0.5,
    }
    assert links.edges.dtype == np.int32
    assert links.weights.dtype == np.float32
    assert links.edges.tolist() == sorted(links.edges.tolist())
    old, new = links.report.first, links.report.second
    assert (old.labels, old.linked, new.labels, new.linked) == (5, 3, 4, 4)
    # 200 leads to B20 and E50 too, which are no labels.
    assert (old.outside, new.outside) == (2, 0)
    assert old.resolved == (("100", ("100.1", "100.2", "100.9")),)
    assert (old.no_map, old.unlinked) == (("300",), ("300", "400"))
    assert (new.resolved, new.no_map, new.unlinked) == ((), (), ())


def test_links_backwards_are_the_same_links():
    first, second = ["100.1", "200", "100"], ["C30", "A10.9", "A10.1"]
    forth, back = SMALL.links(first, second, OLD, NEW), SMALL.links(second, first, NEW, OLD)
    assert pairs(forth, first, second) == {(i, j): w for (j, i), w in pairs(back, second, first).items()}
    assert back.report.first == forth.report.second


def test_a_label_below_the_codes_of_the_table():
    links = mapping(("100", "A10", True, False, False, 0, 0)).links(["100.1", "100"], ["A10"], OLD, NEW)
    assert pairs(links, ["100.1", "100"], ["A10"]) == {("100.1", "A10"): 0.5, ("100", "A10"): 1.0}
    assert links.report.first.resolved == (("100.1", ("100",)),)


def test_spelling_does_not_make_a_link_approximate():
    links = mapping(("1001", "A101", True, False, False, 0, 0)).links(["100.1"], ["a10.1"], OLD, NEW)
    assert links.weights.tolist() == [1.0]
    assert links.report.first.resolved == ()


def test_a_code_that_the_system_has_no_longer_hangs_below_its_nearest_code():
    links = mapping(("200.5", "B20", True, False, False, 0, 0)).links(["200"], ["B20"], OLD, NEW)
    assert links.weights.tolist() == [0.5]
    assert links.report.first.resolved == (("200", ("200.5",)),)


def test_no_link_and_other_systems():
    with pytest.raises(InputError, match="links none of the 1 old labels to any of the 2 new labels"):
        SMALL.links(["100.1"], ["B20", "C30"], OLD, NEW)
    with pytest.raises(InputError, match="links none of the 0 old labels"):
        SMALL.links([], ["B20"], OLD, NEW)
    with pytest.raises(InputError, match="the mapping is between old and new, not old and icd9cm"):
        SMALL.links(["100.1"], ["B20"], OLD, icd9cm())


def test_translation_worked_by_hand():
    notes = [("100.1", "100.2", "100.9"), ("200", "200"), ("300", "77"), (), ("77", "100")]
    codes, report = SMALL.translate(notes, "new", OLD)
    # 100.9 has two approximate rows, of which that to A10.9 leads back; 100 is translated as 100.9, which is
    # the unspecified one.
    assert codes == (("A10.1", "A10.9"), ("B20", "C30"), (), (), ("A10.9",))
    assert (report.notes, report.emptied, report.codes) == (4, 1, 7)
    assert (report.combinations, report.merged) == (1, 1)
    assert report.resolved == (("100", "100.9"),)
    assert report.no_map == (("300", 1),)
    assert report.unknown == (("77", 2),)
    assert "1 of 4 notes left without codes" in str(report)


def test_translation_back_reads_the_rows_of_both_directions():
    codes, report = SMALL.translate([("A10.1", "A10.9"), ("C30",), ("E50",)], "old", NEW)
    # A10.1 and A10.9 have rows of their own, C30 is a part of 200, and E50 is said to have nothing, but 200
    # names it.
    assert codes == (("100.1", "100.9"), ("200",), ("200",))
    assert (report.no_map, report.unknown, report.merged) == ((), (), 0)


def test_choices_between_alternatives():
    rows = [
        ("200", "D40", True, True, True, 1, 1),
        ("200", "C30", True, True, False, 0, 0),
        ("200", "B20", True, False, False, 0, 0),
        ("100.1", "D40", True, True, True, 2, 1),
        ("100.1", "A10.1", True, True, True, 1, 2),
        ("100.1", "C30", True, True, True, 1, 1),
        ("100.1", "B20", True, True, True, 1, 1),
    ]
    # A single code before a combination, an equivalent one before an approximate; the first scenario, one code
    # of each choice list, the first of the table.
    assert mapping(*rows).translate([("200",), ("100.1",)], "new", OLD)[0] == (("B20",), ("C30", "A10.1"))


def test_translation_of_nothing():
    codes, report = SMALL.translate([(), ()], "new", OLD)
    assert codes == ((), ())
    assert (report.notes, report.emptied, report.codes) == (0, 0, 0)


def test_translation_to_neither_system():
    with pytest.raises(InputError, match="to must be 'old' or 'new'; received 'icd9cm'"):
        SMALL.translate([("100",)], "icd9cm")
    with pytest.raises(InputError, match="a translation needs the system old; received new"):
        SMALL.translate([("100",)], "new", NEW)


def test_a_system_that_is_not_known_has_no_hierarchy():
    codes, report = SMALL.translate([("100.1", "100")], "new")
    assert codes == (("A10.1",),)
    assert report.unknown == (("100", 1),)


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet", "pairs.jsonl"])
def test_mapping_from_a_table(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame(
        {"first": ["100.1", "100.1", "200"], "second": ["A10.1", "A10.1", "B20"], "approximate": [1, 0, 1]}
    )
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    elif name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    read = CodeMapping.from_table(path, "old", "new")
    assert pairs(
        read.links(["100.1", "200"], ["A10.1", "B20"], OLD, NEW), ["100.1", "200"], ["A10.1", "B20"]
    ) == {
        ("100.1", "A10.1"): 1.0,
        ("200", "B20"): 0.5,
    }
    assert read.translate([("B20",)], "old", NEW)[0] == (("200",),)


def test_rows_without_approximate_are_equivalent(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("first,second\n042,B20\n")
    assert CodeMapping.from_table(path, "a", "b").translate([("042",)], "b")[0] == (("B20",),)
    assert not CodeMapping.from_table(path, "a", "b").table["approximate"].any()
    path.write_text("first,second,approximate\n042,B20,\n")
    assert not CodeMapping.from_table(path, "a", "b").table["approximate"].any()


ROWS = [
    {"first": "1", "second": "A"},
    {"first": "1", "second": "A", "approximate": 1},
    {"first": "1", "second": "A", "approximate": False},
    {"first": "1", "second": "A", "approximate": None, "note": "x"},
    {"first": "1", "second": "A", "approximate": 2},
    {"first": "1", "second": "A", "approximate": "maybe"},
    {"first": " ", "second": "A"},
    {"first": None, "second": "A"},
    {"first": 42, "second": "A"},
    {"first": "1", "second": ""},
    {"first": "1"},
]


@pytest.mark.parametrize("row", ROWS, ids=json.dumps)
def test_reader_and_jsonschema_agree(tmp_path, row):
    schema = json.loads((files("icd_relevancy.schemas") / "code_mapping.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"first": "0", "second": "Z"}) + "\n" + json.dumps(row) + "\n")
    if jsonschema.Draft202012Validator(schema).is_valid(row):
        assert len(CodeMapping.from_table(path, "a", "b").table) == 2
    else:
        with pytest.raises(InputError, match=r"pairs\.jsonl: row 2, column '(first|second|approximate)': "):
            CodeMapping.from_table(path, "a", "b")


def test_a_table_without_a_column(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("icd9,icd10\n042,B20\n")
    with pytest.raises(InputError, match=r"pairs\.csv: no column 'first'; the columns are first, second"):
        CodeMapping.from_table(path, "a", "b")
    with pytest.raises(InputError, match="no such file"):
        CodeMapping.from_table(tmp_path / "none.csv", "a", "b")
    with pytest.raises(InputError, match="between two code systems; both are a"):
        CodeMapping.from_table(path, "a", "a")


@pytest.fixture(scope="module")
def gems():
    return CodeMapping.gems()


def check_known_links(gems):
    first = ["576.2", "749.11", "785.52", "995.92", "780.6", "599.7"]
    second = ["K83.1", "Q36.9", "R65.21", "R50.9", "R31.9", "Z67.10"]
    links = gems.links(first, second, icd9cm(), icd10cm())
    assert pairs(links, first, second) == {
        ("576.2", "K83.1"): 1.0,
        ("749.11", "Q36.9"): 0.5,
        ("785.52", "R65.21"): 0.5,
        ("995.92", "R65.21"): 0.5,
        ("780.6", "R50.9"): 0.5,
        ("599.7", "R31.9"): 0.5,
    }
    assert dict(links.report.first.resolved)["599.7"] == ("599.70", "599.71", "599.72")
    assert links.report.second.no_map == ("Z67.10",)
    assert links.report.second.unlinked == ("Z67.10",)


def test_known_links(gems):
    check_known_links(gems)


def test_known_links_of_the_release_of_2018(real_data):
    check_known_links(CodeMapping.gems(real_data / "gems"))


def test_known_translations(gems):
    notes = [("K83.1", "Q36.9"), ("R65.21",), ("Z67.10",), ("K35.20", "c50.9")]
    codes, report = gems.translate(notes, "icd9cm")
    assert codes == (("576.2", "749.10"), ("785.52", "995.92"), (), ("540.0", "174.9"))
    assert report.no_map == (("Z67.10", 1),)
    assert report.resolved == (("K35.20", "K35.2"), ("c50.9", "C50.919"))
    assert gems.translate([("780.6", "599.7", "V27.0", "E849.7")], "icd10cm")[0] == (
        ("R50.9", "R31.9", "Z37.0", "Y92.199"),
    )


def test_categories_are_linked_through_their_codes(gems):
    links = gems.links(["428", "786"], ["I50", "R05"], icd9cm(), icd10cm())
    assert pairs(links, ["428", "786"], ["I50", "R05"]) == {("428", "I50"): 0.5, ("786", "R05"): 0.5}


def test_links_join_both_directions(gems):
    """Every pair that a row of either direction names is a link, with the greater weight, and no other is."""
    first = [code for code in icd9cm().leaves if code.startswith(("428", "250", "V58"))]
    second = [code for code in icd10cm().leaves if code.startswith(("I50", "E10", "E11", "Z79"))]
    expected = {}
    for row in gems.table[~gems.table.no_map].itertuples():
        if row.first in first and row.second in second:
            weight = 0.5 if row.approximate or row.combination else 1.0
            pair = row.first, row.second
            expected[pair] = max(weight, expected.get(pair, 0))
    links = gems.links(first, second, icd9cm(), icd10cm())
    exact = {code for side in (links.report.first, links.report.second) for code, _ in side.resolved}
    found = pairs(links, first, second)
    assert {pair: weight for pair, weight in found.items() if exact.isdisjoint(pair)} == expected
    assert len(expected) > 50
