import json
from pathlib import Path

import numpy as np
import pytest
from command_line import SECRET, standard_input, write

from icd_relevancy.cli.main import main
from icd_relevancy.explain import lime as lime_module
from icd_relevancy.training.notes.coder import NoteCoder

TEXT = "patient 7 presents with cough and fever ."


@pytest.fixture
def with_lime():
    pytest.importorskip("lime")


@pytest.fixture
def with_attention(monkeypatch):
    """The trained coder with an attention that looks at the word `cough` for every code."""

    def attention(self, note):
        at = note.text[0].index("cough")
        spans = [(0, 0), (0, 7), (at, at + 5)]
        weights = np.tile([0.5, 0.1, 0.4], (len(self.labels), 1))
        return weights, spans, weights[:, ::-1]

    monkeypatch.setattr(NoteCoder, "has_attention", True)
    monkeypatch.setattr(NoteCoder, "attention", attention)
    categories = property(lambda self: [f"category {label[:3]}" for label in self.labels])
    monkeypatch.setattr(NoteCoder, "categories", categories)


def test_lime_explains_the_codes_that_predict_lists(place, trained, capsys, with_lime):
    note = write(place / "note.txt", TEXT)
    assert main(["predict", str(trained / "model"), str(note), "--json", "--top-k", "3"]) == 0
    predicted = json.loads(capsys.readouterr().out)["codes"]
    options = ["--out", "page.html", "--top-k", "3", "--samples", "200", "--json"]
    assert main(["explain", str(trained / "model"), str(note), *options]) == 0
    told = capsys.readouterr()
    (explained,) = map(json.loads, told.out.splitlines())
    assert (explained["note_id"], explained["method"]) == ("note", "lime")
    for code, expected in zip(explained["codes"], predicted, strict=True):
        assert (code["code"], code["title"], code["assigned"]) == tuple(
            expected[name] for name in ("code", "title", "assigned")
        )
        assert code["probability"] == pytest.approx(expected["probability"], rel=1e-5)
        assert code["fidelity"] > 0.5
    # The words that make the codes are those that count most for them.
    strongest = {}
    for code in explained["codes"]:
        word = max(code["words"], key=lambda word: word["weight"])
        strongest[code["code"]] = TEXT[word["start"] : word["stop"]]
    assert (strongest["R05.9"], strongest["R50.9"]) == ("cough", "fever")
    # The text is in the page alone.
    assert "cough" not in told.out + told.err
    assert "presents" in Path("page.html").read_text()
    assert sorted(path.name for path in place.iterdir()) == ["note.txt", "page.html"]


def test_several_notes_and_what_is_said(place, trained, capsys, with_lime):
    notes = write(place / "n.jsonl", json.dumps({"note_id": "<b>1</b>", "text": TEXT}), '{"text": "asthma"}')
    assert (
        main(["explain", str(trained / "model"), str(notes), "--out", "new/page.HTML", "--samples", "50"])
        == 0
    )
    told = capsys.readouterr()
    assert told.out.startswith("new/page.HTML: 2 notes, 10 codes explained by lime, fit R² ")
    assert told.err == ""
    page = Path("new/page.HTML").read_text()
    assert '<h2 id="note-1-name">Note &lt;b&gt;1&lt;/b&gt;</h2>' in page
    assert page.count('class="view"') == 10


def test_same_page_again_from_standard_input(place, trained, monkeypatch, with_lime):
    pages = []
    for out in ("one.html", "two.html"):
        standard_input(monkeypatch, TEXT)
        assert main(["explain", str(trained / "model"), "--out", out, "--samples", "50", "--top-k", "1"]) == 0
        pages.append(Path(out).read_text())
    assert pages[0] == pages[1]


def test_attention_is_the_default_of_a_model_that_has_it(place, trained, capsys, with_attention):
    note = write(place / "note.txt", TEXT)
    for method in ([], ["--method", "attention"]):
        assert main(["explain", str(trained / "model"), str(note), "--out", "a.html", "--json", *method]) == 0
        explained = json.loads(capsys.readouterr().out)
        assert (explained["method"], explained["read_until"]) == ("attention", TEXT.index("cough") + 5)
        at = TEXT.index("cough")
        for code in explained["codes"]:
            assert [(word["start"], word["stop"]) for word in code["words"]] == [(0, 7), (at, at + 5)]
            assert [word["weight"] for word in code["words"]] == pytest.approx([0.2, 0.8])
            assert code["category"]["name"] == f"category {code['code'][:3]}"
            assert [word["weight"] for word in code["category"]["words"]] == pytest.approx([1 / 6, 5 / 6])
    assert main(["explain", str(trained / "model"), str(note), "--out", "a.html"]) == 0
    assert capsys.readouterr().out == "a.html: 1 note, 5 codes explained by attention\n"


def test_lime_explains_a_model_with_attention_too(place, trained, capsys, with_attention, with_lime):
    note = write(place / "note.txt", TEXT)
    options = ["--out", "a.html", "--json", "--method", "lime", "--samples", "20"]
    assert main(["explain", str(trained / "model"), str(note), *options]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "lime"


def test_refusals(place, trained, check_refused, monkeypatch):
    model, note = trained / "model", write(place / "note.txt", SECRET)
    explain = ["explain", model, note]
    check_refused(*explain, "--out", "notes.csv", names="notes.csv: --out must name a page")
    (place / "folder.html").mkdir()
    check_refused(*explain, "--out", "folder.html", names="folder.html: is a folder")
    check_refused(*explain, "--out", "note.txt/page.html", names="note.txt is no folder")
    check_refused(*explain, "--out", "a.html", "--top-k", 0, names="--top-k must be at least 1")
    check_refused(*explain, "--out", "a.html", "--samples", 19, names="--samples must be at least 20")
    check_refused("explain", place, note, "--out", "a.html", names="not a trained model")
    check_refused("explain", model, "nowhere.txt", "--out", "a.html", names="nowhere.txt: no such file")
    check_refused(*explain, "--out", "a.html", "--encoder", "/nowhere/encoder", names="/nowhere/encoder")
    told = check_refused(*explain, "--out", "a.html", "--method", "attention", names="no label attention")
    assert "laat and plm-icd have it; --method lime explains any model" in told
    monkeypatch.setattr(lime_module, "find_spec", lambda name: None)
    for method in ([], ["--method", "lime"]):
        check_refused(*explain, "--out", "a.html", *method, names='pip install "icd_relevancy[explain]"')


def test_the_notes_are_not_replaced(place, trained, check_refused):
    note = write(place / "note.html", SECRET)
    check_refused("explain", trained / "model", note, "--out", "note.html", names="is the file of the notes")
    assert note.read_text().strip() == SECRET


def test_a_page_must_be_named(capsys):
    with pytest.raises(SystemExit) as left:
        main(["explain", "model"])
    assert left.value.code == 2
    assert "--out" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["explain", "--help"])
    assert left.value.code == 0
    assert "PAGE.html" in capsys.readouterr().out
