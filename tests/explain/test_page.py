"""What a page holds, read with an HTML parser; the browser's view of it is in test_page_in_browser.py."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.explain import CategoryExplanation, CodeExplanation, Explanation, page, write_page

VOID = {"meta", "link", "input", "rect", "br", "img"}
HOSTILE = (
    "Cough & <fever> \"38\" 'C' </div></main><script>window.injected=1</script>\r\n"
    "<img src=x onerror=alert(1)> <style>*{display:none}</style> &lt;b&gt; café fe\u0301brile 👩‍⚕️"
)


class Element:
    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children = tag, dict(attributes), []

    def __getitem__(self, name):
        return self.attributes.get(name) or ""

    def all(self, tag=None, **attributes):
        """The elements below of that name and with those attributes, a class one of several."""
        for child in self.children:
            if isinstance(child, Element):
                wanted = all(value in child[name.rstrip("_")].split() for name, value in attributes.items())
                if wanted and tag in (None, child.tag):
                    yield child
                yield from child.all(tag, **attributes)

    def text(self, without=()):
        return "".join(
            child if isinstance(child, str) else child.text(without)
            for child in self.children
            if isinstance(child, str) or child["class"] not in without
        )


class Reader(HTMLParser):
    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open = [Element("root", {})]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = Element(tag, attributes)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Element(tag, attributes))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read(path):
    reader = Reader(path.read_text(encoding="utf-8"))
    assert len(reader.open) == 1
    return reader.open[0]


def words(text, **weighted):
    found = [(text.index(word), text.index(word) + len(word), weight) for word, weight in weighted.items()]
    return tuple(sorted(found))


def explanations():
    text = HOSTILE
    fever = CodeExplanation(
        "R50.9", 'Fever <b>&"', 0.91, True, words(text, fever=0.4, Cough=-0.1, script=0.2), 0.87
    )
    cough = CodeExplanation("R05.9", "Cough", 0.004, False, words(text, Cough=0.03), 0.31)
    plain = "Wheezing, cough. Never read."
    wheeze = CodeExplanation("R06.2", "Wheezing", 0.995, True, ((0, 8, 0.8), (8, 9, 0.15), (10, 15, 0.05)),
                             category=CategoryExplanation("R06 Breathing", ((10, 15, 1.0),)))  # fmt: skip
    return [
        Explanation("<script>alert(1)</script>", text, "lime", (fever, cough)),
        Explanation("n2", plain, "attention", (wheeze,), read_until=16),
        Explanation("", "", "lime", (CodeExplanation("I10", "Hypertension", 0.2, False),)),
    ]


@pytest.fixture
def root(tmp_path):
    return read(write_page(tmp_path / "page.html", explanations(), title="Why & <how>"))


def test_the_text_is_there_as_it_was_and_nothing_in_it_is_markup(root):
    texts = [element.text(without=("spoken",)) for element in root.all("div", class_="text")]
    note = HOSTILE.replace("\r\n", "\n")
    found = [text.replace("\r\n", "\n") for text in texts]
    assert found == [note, note, "Wheezing, cough.", "Wheezing, cough.", " Never read."]
    for tag in ("script", "img", "b", "iframe", "form"):
        assert not list(root.all(tag))
    assert len(list(root.all("style"))) == len(list(root.all("main"))) == len(list(root.all("h1"))) == 1


def test_nothing_is_loaded_and_no_attribute_runs(root):
    for element in root.all():
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "style", "action", "data")
            if name == "href":
                assert value.startswith("#") or value == "data:,"
    style = next(root.all("style")).text()
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_lets_this_style_sheet_alone_in(root):
    policy = next(meta for meta in root.all("meta") if meta["http-equiv"] == "Content-Security-Policy")[
        "content"
    ]
    style = next(root.all("style")).text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip


def test_landmarks_headings_and_names(root):
    assert next(root.all("html"))["lang"] == "en"
    assert next(root.all("title")).text() == next(root.all("h1")).text() == "Why & <how>"
    assert [h.text() for h in root.all("h2")] == [
        "Note <script>alert(1)</script>", "Note n2", "Note 3", "How to read this page",
    ]  # fmt: skip
    assert [h.text() for h in root.all("h3")] == [
        'R50.9 Fever <b>&"', "R05.9 Cough", "R06.2 Wheezing", "I10 Hypertension",
    ]  # fmt: skip
    for tag in ("header", "nav", "main", "footer"):
        assert list(root.all(tag))
    ids = [element["id"] for element in root.all() if element["id"]]
    assert len(ids) == len(set(ids))
    targets = [element["href"][1:] for element in root.all("a")]
    targets += [element["for"] for element in root.all("label")]
    targets += [element["aria-labelledby"] for element in root.all() if element["aria-labelledby"]]
    assert targets
    assert set(targets) <= set(ids)
    assert not any(re.search(r"\s", identifier) for identifier in ids)


def test_codes_with_probability_and_whether_they_are_assigned(root):
    labels = [label.text() for label in root.all("label")]
    assert labels == [
        'R50.9✓ assigned91 %Fever <b>&"', "R05.9< 1 %Cough", "R06.2✓ assigned> 99 %Wheezing", "I1020 %Hypertension",
    ]  # fmt: skip
    assert [bar["width"] for bar in root.all("rect")] == ["91.0%", "0.4%", "99.5%", "20.0%"]
    assert [radio["name"] for radio in root.all("input")] == ["note-1", "note-1", "note-2", "note-3"]
    assert ["checked" in radio.attributes for radio in root.all("input")] == [True, False, True, True]
    assert [facts.text() for facts in root.all("p", class_="facts")] == [
        "Probability 91 % · assigned · fit of the explanation R² 0.87",
        "Probability < 1 % · not assigned · fit of the explanation R² 0.31: low, the words tell only part",
        "Probability > 99 % · assigned · 15 % of the attention on punctuation",
        "The text from here on, 2 words, has no part in the codes above.",
        "Probability 20 % · not assigned",
    ]


def test_words_are_marked_by_sign_and_strength_and_say_their_weight(root):
    first, second, third, fourth, _ = root.all("div", class_="text")

    def marks(text):
        return [(m.text(("spoken",)), m["class"], m["title"], next(m.all(class_="spoken")).text())
                for m in text.all("mark")]  # fmt: skip

    assert marks(first) == [
        ("Cough", "against s2", "−0.10, speaks against R50.9", " (−0.10)"),
        ("fever", "for s5", "+0.40, speaks for R50.9", " (+0.40)"),
        ("script", "for s3", "+0.20, speaks for R50.9", " (+0.20)"),
    ]
    # No stronger than its weight, though nothing else is marked.
    assert marks(second) == [("Cough", "for s2", "+0.03, speaks for R05.9", " (+0.03)")]
    # Less than a tenth of the strongest word, and punctuation, are not marked.
    assert marks(third) == [("Wheezing", "for s5", "80 %, looked at for R06.2", " (80 %)")]
    assert marks(fourth) == [("cough", "for s5", "100 %, looked at for R06 Breathing", " (100 %)")]
    listed = [[item.text() for item in of_code.all("li")] for of_code in root.all("ol")]
    assert listed == [["fever +0.40", "script +0.20", "Cough −0.10"], ["Cough +0.03"], ["Wheezing 80 %"]]


def test_notes_without_text_or_without_a_word_that_counts(tmp_path):
    code = CodeExplanation("I10", "", 0.2, False, words=((0, 5, 0.004),))
    root = read(
        write_page(tmp_path / "p.html", [Explanation("1", "Cough", "lime", (code,)), explanations()[2]])
    )
    assert [none.text() for none in root.all("p", class_="none")] == [
        "No word of the note stands out for this code.",
        "The note has no text.",
    ]


def test_what_cannot_be_written_as_utf8_is_replaced(tmp_path):
    path = write_page(
        tmp_path / "p.html", [Explanation("1", "cough \ud800 fever", "lime", explanations()[2].codes)]
    )
    assert next(read(path).all("div", class_="text")).text() == "cough ? fever"


def test_long_notes_are_marked_at_few_places(tmp_path):
    text = " ".join(["cough"] * 3000)
    spans = tuple((6 * at, 6 * at + 5, 1 / 3000) for at in range(3000))
    code = CodeExplanation("R05.9", "Cough", 0.9, True, words=spans)
    root = read(write_page(tmp_path / "p.html", [Explanation("1", text, "attention", (code,))]))
    assert len(list(next(root.all("div", class_="text")).all("mark"))) == 12
    phrase = CodeExplanation("R05.9", "Cough", 0.9, True, words=((0, 599, 0.5),))
    root = read(write_page(tmp_path / "p.html", [Explanation("1", text, "lime", (phrase,))]))
    assert next(next(root.all("ol")).all("mark")).text() == "cough " * 9 + "cough…"


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("older")
    with pytest.raises(InputError, match=r"page\.html: there is no explanation to show"):
        write_page(path, [])

    def fail(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(page.Path, "write_text", fail)
        with pytest.raises(InputError, match="the disk is full"):
            write_page(path, explanations())
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
    assert write_page(path, explanations()) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_by_wcag(scheme):
    style = files("icd_relevancy.explain").joinpath("page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colour = dict(re.findall(r"--([\w-]+): (#\w{6});", blocks[scheme]))
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    grounds = ("page", "surface", "chosen")
    for ground in grounds:
        assert contrast(colour["ink"], colour[ground]) >= 7
        for text in ("muted", "accent"):
            assert contrast(colour[text], colour[ground]) >= 4.5
    for sign in ("for", "against"):
        for step in range(1, 6):
            assert contrast(colour["ink"], colour[f"{sign}-{step}"]) >= 4.5
        assert contrast(colour[f"{sign}-line"], colour["surface"]) >= 3
        # The steps can be told apart, each further from the ground than the one before.
        steps = [contrast(colour[f"{sign}-{step}"], colour["surface"]) for step in range(1, 6)]
        assert steps == sorted(steps)
        assert min(b / a for a, b in pairwise(steps)) > 1.05


def test_a_page_is_for_its_owner_alone(tmp_path):
    path = write_page(tmp_path / "page.html", explanations())
    assert path.stat().st_mode & 0o777 == 0o600
