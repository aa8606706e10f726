"""`read_codiesp` on a small corpus in its layout, and on the real one."""

import pytest

from icd_relevancy.data.sources.codiesp import read_codiesp
from icd_relevancy.errors import InputError


def write_split(folder, name, texts, diagnoses, procedures):
    split = folder / name
    for language, suffix in (("text_files", " (es)"), ("text_files_en", " (en)")):
        (split / language).mkdir(parents=True)
        for document, text in texts.items():
            (split / language / f"{document}.txt").write_text(f"{text}{suffix}\n", "utf-8")
    (split / f"{name}D.tsv").write_text("".join(f"{d}\t{c}\n" for d, c in diagnoses), "utf-8")
    (split / f"{name}P.tsv").write_text("".join(f"{d}\t{c}\n" for d, c in procedures), "utf-8")


@pytest.fixture
def corpus(tmp_path):
    diagnoses = [("b-1", "n44.8"), ("a-1", "z20.818"), ("b-1", "i10"), ("b-1", "n44.8"), ("b-1", "s72001a")]
    write_split(
        tmp_path, "train", {"b-1": "Dolor", "a-1": "Tos", "c-1": "«Fiebre»"}, diagnoses, [("c-1", "bw03zzz")]
    )
    write_split(tmp_path, "dev", {"d-1": "Herida"}, [("d-1", "t14.90x")], [("d-1", "ct13")])
    return tmp_path


def test_diagnoses_of_a_split(corpus):
    notes = read_codiesp(corpus / "train")
    assert notes.note_id == ("a-1", "b-1", "c-1")
    assert notes.text == ("Tos (en)", "Dolor (en)", "«Fiebre» (en)")
    assert notes.codes == (("Z20.818",), ("N44.8", "I10", "S72.001A"), ())
    assert notes.source == "codiesp"


def test_procedures_in_spanish_of_all_splits(corpus):
    notes = read_codiesp(corpus, language="es", kind="P")
    assert notes.note_id == ("d-1", "a-1", "b-1", "c-1")
    assert notes.text[0] == "Herida (es)"
    assert notes.codes == (("CT13",), (), (), ("BW03ZZZ",))
    assert notes.source == "codiesp-es"


def write_mentions(corpus, *rows):
    file = corpus / "train" / "trainX.tsv"
    file.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")


def test_mentions_of_a_split(corpus):
    write_mentions(
        corpus,
        ("b-1", "DIAGNOSTICO", "s72001a", "fractura  de fémur", "5 9;20 28"),
        ("c-1", "PROCEDIMIENTO", "bw03zzz", "Rx tórax", "1 9"),
        ("b-1", "DIAGNOSTICO", "i10", "HTA", "40 43"),
        ("b-1", "DIAGNOSTICO", "i10", "HTA", "60 63"),
    )
    notes = read_codiesp(corpus / "train", language="es")
    assert notes.mentions == ((), (("S72.001A", "fractura de fémur"), ("I10", "HTA")), ())
    assert read_codiesp(corpus / "train", "es", "P").mentions == ((), (), (("BW03ZZZ", "Rx tórax"),))
    # Another split may lack the file, and the words are those of the Spanish text.
    assert read_codiesp(corpus, language="es").mentions[0] is None
    assert read_codiesp(corpus / "dev", language="es").mentions is None
    assert read_codiesp(corpus / "train").mentions is None


def test_broken_mentions(corpus):
    write_mentions(corpus, ("b-1", "DIAGNOSTICO", "i10", "HTA"))
    with pytest.raises(InputError, match=r"trainX\.tsv: each row must hold a document, kind, code"):
        read_codiesp(corpus, language="es")
    write_mentions(corpus, ("e-1", "DIAGNOSTICO", "i10", "HTA", "0 3"))
    with pytest.raises(InputError, match=r"trainX\.tsv, row 1: no text file"):
        read_codiesp(corpus, language="es")


def test_bad_arguments(corpus):
    with pytest.raises(InputError, match="language must be 'en' or 'es'"):
        read_codiesp(corpus, language="fr")
    with pytest.raises(InputError, match="kind must be 'D'"):
        read_codiesp(corpus, kind="X")


def test_broken_corpora(corpus):
    with pytest.raises(InputError, match="no folder text_files_en"):
        read_codiesp(corpus / "train" / "text_files")
    file = corpus / "train" / "trainD.tsv"
    file.write_text("a-1\tz20.818\ne-1\ti10\n", "utf-8")
    with pytest.raises(InputError, match=r"trainD\.tsv, row 2: no text file for the document named there"):
        read_codiesp(corpus)
    file.write_text("a-1 z20.818\n", "utf-8")
    with pytest.raises(InputError, match="separated by one tab"):
        read_codiesp(corpus)
    file.write_text("", "utf-8")
    with pytest.raises(InputError, match=r"trainD\.tsv: the file is empty"):
        read_codiesp(corpus)
    file.unlink()
    with pytest.raises(InputError, match=r"expected one file trainD\.tsv, found 0"):
        read_codiesp(corpus)


def test_broken_texts(corpus):
    file = corpus / "train" / "text_files_en" / "a-1.txt"
    file.write_bytes("bien\nGarc\xeda\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a-1\.txt: line 2 \(byte 9\) is not UTF-8"):
        read_codiesp(corpus)
    file.write_text(" \n", "utf-8")
    with pytest.raises(InputError, match=r"a-1\.txt: the document is empty"):
        read_codiesp(corpus)


def test_a_document_in_two_splits(corpus):
    (corpus / "dev" / "text_files_en" / "a-1.txt").write_text("Cough", "utf-8")
    with pytest.raises(InputError, match="document a-1 is in another split too"):
        read_codiesp(corpus)


@pytest.mark.parametrize("language", ["en", "es"])
def test_real_cases(real_data, language):
    notes = read_codiesp(real_data / "codiesp", language)
    assert len(notes) == 750
    assert sum(map(len, notes.codes)) == 8316
    assert len(notes.label_names()) == 2194
    assert sum(map(len, read_codiesp(real_data / "codiesp" / "dev", language, "P").codes)) == 817


def test_every_code_of_real_cases_has_a_mention(real_data):
    notes = read_codiesp(real_data / "codiesp", "es")
    for codes, mentions in zip(notes.codes, notes.mentions, strict=True):
        assert set(codes) == {code for code, _ in mentions}
