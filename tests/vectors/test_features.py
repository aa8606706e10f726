import numpy as np
import pytest
from sklearn.preprocessing import normalize

from icd_relevancy.codes import CodeSystem, code_knowledge, icd9cm, icd10cm, knowledge_from_table
from icd_relevancy.errors import InputError
from icd_relevancy.vectors.features import _words, knowledge_features


@pytest.fixture(scope="module")
def icd9():
    return code_knowledge("icd9cm")


@pytest.fixture(scope="module")
def cosine():
    knowledge = code_knowledge("icd10cm")
    matrix, _ = knowledge_features(knowledge)
    row = {code: number for number, code in enumerate(knowledge.code_system.codes)}
    return lambda a, b: float(matrix[row[a]].multiply(matrix[row[b]]).sum())


def test_rows_have_unit_length_and_columns_have_names(icd9):
    matrix, names = knowledge_features(icd9)
    assert matrix.shape == (len(icd9cm()), len(names))
    np.testing.assert_allclose(np.sqrt(matrix.multiply(matrix).sum(axis=1)), 1, atol=1e-5)


def test_the_hierarchy_alone_orders_by_the_nearest_common_group(icd9):
    matrix, _ = knowledge_features(icd9, groups=["hierarchy"])
    row = {code: number for number, code in enumerate(icd9cm().codes)}
    cosines = (matrix[row["428.21"]] @ matrix.T).toarray().ravel()
    order = [cosines[row[code]] for code in ("428.22", "428.0", "427.31", "462")]
    assert order == sorted(order, reverse=True)
    assert order[-1] == 0
    # The same subcategory, the same category: all shares but the leaf's own, which is no column.
    assert cosines[row["428.22"]] == pytest.approx(1)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("P74.31", "P74.32"),  # hyper- and hypokalaemia of the newborn, NNBSVR §1
        ("E87.5", "E87.6"),
        ("C18.9", "D12.6"),  # malignant and benign
        ("N80.9", "N40.0"),  # female and male
        ("T36.0X1A", "T36.0X5A"),  # poisoning and adverse effect
    ],
)
def test_opposites_stay_below_the_threshold(cosine, a, b):
    assert cosine(a, b) < 0.76


@pytest.mark.parametrize(("a", "b"), [("I25.9", "I25.10"), ("J18.9", "J18.8"), ("S52.501A", "S52.501D")])
def test_codes_of_one_category_match(cosine, a, b):
    assert cosine(a, b) >= 0.76


def test_opposites_repel_by_the_corners_of_a_simplex():
    matrix, names = knowledge_features(code_knowledge("icd10cm"), groups=["hierarchy", "severity"])
    row = {code: number for number, code in enumerate(icd10cm().codes)}
    kinds = [
        names.index(name) for name in ("benign", "in_situ", "malignant", "metastatic", "uncertain_behaviour")
    ]
    benign, malignant = (normalize(matrix[row[code]][:, kinds]) for code in ("D10.4", "C18.9"))
    assert (benign @ malignant.T).toarray().item() == pytest.approx(-0.25)


def test_a_table_without_parents_is_read_by_position(tmp_path):
    path = tmp_path / "hcpcs.csv"
    path.write_text(
        "code,title,covered\nA0021,Ambulance service,yes\nA0080,Transport,no\nB4034,Enteral feeding,yes\n"
    )
    matrix, _ = knowledge_features(knowledge_from_table(path), groups=["hierarchy"])
    cosines = (matrix @ matrix.T).toarray()
    assert cosines[0, 1] > cosines[0, 2] == 0


def test_refusals(icd9):
    with pytest.raises(InputError, match=r"unknown groups of features .'colour'.; expected some of usage"):
        knowledge_features(icd9, groups=["colour"])
    flat = CodeSystem("flat", ("1", "2"), {"1": "the", "2": "of"}, {"1": None, "2": None})
    with pytest.raises(InputError, match="code '1' has no feature"):
        knowledge_features(code_knowledge(flat), groups=["descriptor"])


@pytest.mark.parametrize(("a", "b"), [("A35", "A46"), ("C07", "C12"), ("F70", "F72"), ("C60.2", "C61")])
def test_categories_without_subdivisions_are_kept_apart(cosine, a, b):
    assert cosine(a, b) < cosine("J18.8", "J18.9") - 0.1


def test_codes_of_one_block_rarely_match(cosine):
    """Codes of different categories and different clinical categories, although of one block."""
    random, system = np.random.default_rng(0), icd10cm()
    group = code_knowledge("icd10cm").table["clinical_category"]
    blocks = {}
    for code in system.leaves:
        blocks.setdefault(system.ancestors(code)[-2] if system.level(code) > 1 else code, []).append(code)
    names, cosines = sorted(blocks), []
    while len(cosines) < 400:
        a, b = random.choice(blocks[names[random.integers(len(names))]], 2)
        if a[:3] != b[:3] and group[a] != group[b]:
            cosines.append(cosine(a, b))
    assert np.mean(np.array(cosines) < 0.76) > 0.9


def test_letters_and_numbers_tell_diseases_apart():
    assert _words("Acute hepatitis B, vitamin K deficiency") == [
        "acute", "hepatitis", "hepatitis b", "vitamin", "vitamin k", "deficiency"
    ]  # fmt: skip


def test_a_users_column_of_another_kind_is_a_plain_feature(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("code,title,polarity\nA10,Diabetes,up\nA11,Drugs,down\nA12,Other things,up\n")
    matrix, names = knowledge_features(knowledge_from_table(path))
    assert "polarity: up" in names
    assert np.isfinite(matrix.data).all()


def test_a_text_of_words_that_say_nothing_is_no_feature(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("code,title,side\nA10,Diabetes,left\nA11,Drugs,right\nA12,Other things,bilateral\n")
    matrix, names = knowledge_features(knowledge_from_table(path))
    assert matrix.shape == (3, len(names))
    assert not [name for name in names if name.startswith("side")]
