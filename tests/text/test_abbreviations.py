"""Abbreviations, their contexts, and tables of the user's own."""

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.text import Abbreviation, Abbreviations, AlignedText, read_abbreviations

HEAD = "abbreviation,expansion,context,source\n"


@pytest.fixture(scope="module")
def packaged():
    return read_abbreviations()


@pytest.fixture
def table(tmp_path):
    def write(content: str):
        path = tmp_path / "ours.csv"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def expand(table, text: str) -> str:
    return table.expand(AlignedText.of(text)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CXR: RLL PNA, no PTX.", "chest x-ray: right lower lobe pneumonia, no pneumothorax."),
        ("Pt c/o N/V/D w/o HSM", "patient complains of nausea, vomiting and diarrhea without hepatosplenomegaly"),
        ("pt's hx: HTN w/ TURP", "patient's history: hypertension with transurethral resection of the prostate"),
        ("R/O UTI; f/u w/cough", "rule out urinary tract infection; follow-up with cough"),
        ("CT/MRI of the brain", "computed tomography/magnetic resonance imaging of the brain"),
        # The full stop of an abbreviation goes, that of a sentence stays.
        ("Hx. of asthma in this pt. Cough.", "history of asthma in this patient. Cough."),
        # The context decides between meanings.
        ("PE: lungs clear", "physical examination: lungs clear"),
        ("CTA chest for PE", "computed tomography angiography chest for pulmonary embolism"),
        ("PE unremarkable", "PE unremarkable"),
        ("MS with demyelinating plaques", "multiple sclerosis with demyelinating plaques"),
        ("MS with a diastolic murmur", "mitral stenosis with a diastolic murmur"),
        ("CVA tenderness on the left", "costovertebral angle tenderness on the left"),
        ("Old CVA with weakness", "Old cerebrovascular accident with weakness"),
        ("K 3.5, vitamin K", "potassium 3.5, vitamin K"),
        ("US of the kidneys; let us know", "ultrasound of the kidneys; let us know"),
        ("88% on RA", "88% on RA"),
        ("SpO2 88% on RA", "oxygen saturation 88% on room air"),
        ("RA of the hands", "rheumatoid arthritis of the hands"),
        ("aspirin 81 mg bid", "aspirin 81 milligrams twice daily"),
        ("mg is a unit", "mg is a unit"),
        ("oedema and haematuria", "edema and hematuria"),
        # A context does not reach over the end of a sentence.
        ("RA. The hands are normal.", "RA. The hands are normal."),
    ],
)  # fmt: skip
def test_expansion(packaged, text, expected):
    assert expand(packaged, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "T12 and L5-S1",
        "C-spine x-ray",
        "T-cell lymphoma",
        "post-op day",
        "Vitamin B12",
        "CTs",
        "patch",
        "PNAs",
        "GI-1",
    ],
)
def test_terms_are_left_alone(packaged, text):
    assert expand(packaged, text) == text


def test_case():
    table = Abbreviations((Abbreviation("pt", "patient"), Abbreviation("PT", "physical therapy")))
    assert expand(table, "pt Pt PT pT") == "patient patient physical therapy patient"
    assert expand(Abbreviations((Abbreviation("US", "ultrasound"),)), "US us Us") == "ultrasound us Us"


def test_alignment(packaged):
    text = packaged.expand(AlignedText.of("Pt. has SOB"))
    assert text.text == "patient has shortness of breath"
    assert text.original_span(0, 7) == (0, 3)
    assert text.original_span(12, 31) == (8, 11)


def test_the_packaged_table(packaged):
    assert len({row.abbreviation for row in packaged.rows}) >= 250
    assert all(row.source for row in packaged.rows)
    # Every row that is decided by words has words that decide for it.
    for row in packaged.rows:
        words = [word.rstrip("*") for word in row.context if " " not in word]
        for word in words:
            assert row.fits("", f" {word} ")
        assert not words or not row.fits("", " nothing")


def test_own_rows_come_first(table):
    path = table(
        HEAD + "PE,pleural effusion,unambiguous,our hospital\nWVH,West Valley Hospital,unambiguous,\n"
    )
    own = read_abbreviations(path)
    assert expand(own, "PE: pt from WVH") == "pleural effusion: patient from West Valley Hospital"
    alone = read_abbreviations(path, extend=False)
    assert len(alone) == 2
    assert expand(alone, "pt with PE") == "pt with pleural effusion"


def test_source_may_be_left_out(table):
    rows = read_abbreviations(
        table("abbreviation,expansion,context\nMS,morphine,mg|dose*\n"), extend=False
    ).rows
    assert rows == (Abbreviation("MS", "morphine", ("mg", "dose*"), ""),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("abbreviation,expansion\npt,patient\n", "ours.csv: no column 'context'"),
        (HEAD.replace("source", "remark") + "pt,patient,unambiguous,x\n", "unknown column 'remark'"),
        (HEAD + "pt,patient,unambiguous,\n,patient,unambiguous,\n", "row 2: no abbreviation"),
        (HEAD + "pt,,unambiguous,\n", "row 1: no expansion"),
        (HEAD + "pt,patient,,\n", "row 1: no context; write 'unambiguous'"),
        (HEAD + "pt,patient\n", "row 1: not as many cells as columns"),
        (HEAD + "pt,patient,unambiguous,a,b\n", "row 1: not as many cells as columns"),
        (HEAD + "pt,patient,unambiguous|chest,\n", "row 1: the context is 'unambiguous' alone or words"),
        (HEAD + "pt,patient,chest||lung,\n", "row 1: the context is 'unambiguous' alone or words"),
        (HEAD + "pt,patient,chest pain,\n", "row 1: the context (not shown: 10 characters of text) is not one word"),
        (HEAD + "PE,a,chest,\nPE,b,unambiguous,\n", "row 2: 'PE' has another meaning in row 1"),
        (HEAD + "PE,a,unambiguous,\nPE,b,chest,\n", "row 2: 'PE' has another meaning in row 1"),
    ],
)  # fmt: skip
def test_bad_tables(table, content, message):
    with pytest.raises(InputError, match=r"ours\.csv") as error:
        read_abbreviations(table(content))
    assert message in str(error.value)


def test_no_table(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv: no such file"):
        read_abbreviations(tmp_path / "absent.csv")
    (tmp_path / "latin.csv").write_bytes("fièvre".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 at byte 2"):
        read_abbreviations(tmp_path / "latin.csv")


def test_an_empty_table_expands_nothing(table):
    assert expand(read_abbreviations(table(HEAD), extend=False), "pt with PE") == "pt with PE"
