"""The page in a real browser, where one is installed."""

import pytest
from browser import NAMES, Browser, find_browser

from icd_relevancy.explain import CategoryExplanation, CodeExplanation, Explanation, write_page

INJECTED = (
    "<script>window.injected = 1; document.title = 'taken'</script>"
    "<img src='https://example.org/x.png' onerror='window.injected = 1'>"
    "<svg onload='window.injected = 1'></svg><a href='javascript:window.injected=1'>x</a>"
    "<link rel=stylesheet href='https://example.org/x.css'></textarea></div></main></html>"
)
TEXT = f"No fever, but a cough and {'wheezing' * 20}. {INJECTED}\n\n\tImpression: asthma. Not read."


def span(word, weight):
    return (TEXT.index(word), TEXT.index(word) + len(word), weight)


def explanations():
    cough = CodeExplanation(
        f"R05.9{INJECTED}", INJECTED, 0.9, True, (span("fever", -0.2), span("cough", 0.6)), 0.9
    )
    fever = CodeExplanation("R50.9", "Fever " * 40, 0.1, False, (span("No", -0.1), span("fever", 0.3),
                            span("asthma", -0.05)), 0.4)  # fmt: skip
    asthma = CodeExplanation("J45.909", "Asthma", 0.6, True, (span("cough", 0.3), span("asthma", 0.7)),
                             category=CategoryExplanation("J45 Asthma", (span("asthma", 1.0),)))  # fmt: skip
    return [
        Explanation(f"{'n' * 80}{INJECTED}", TEXT, "lime", (cough, fever)),
        Explanation("n2", TEXT, "attention", (asthma,), read_until=TEXT.index(" Not read")),
    ]


@pytest.fixture(scope="module")
def browser():
    binary = find_browser()
    if binary is None:
        pytest.skip(f"no Chromium on the path (looked for {', '.join(NAMES)})")
    with Browser(binary) as running:
        yield running


@pytest.fixture
def page(browser, tmp_path):
    path = write_page(tmp_path / "page.html", explanations(), title=f"Why {INJECTED}")
    browser.forget()
    return path


SCREENS = [(1280, 900), (360, 800)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_it_fits_is_quiet_and_runs_nothing(browser, page, width, height, scheme):
    browser.open(page, width, height, scheme)
    assert browser.evaluate("window.innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert (browser.requests, browser.refused, browser.console) == ([page.as_uri()], [], [])
    assert browser.evaluate("typeof window.injected") == "undefined"
    assert browser.evaluate("document.title") == f"Why {INJECTED}"
    assert browser.evaluate("document.scripts.length + document.images.length") == 0
    dark = browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    # The policy let the page's own style sheet in.
    assert (dark, background) == (scheme == "dark", "rgb(19, 22, 25)" if dark else "rgb(246, 247, 248)")


SHOWN = "[...document.querySelectorAll('#note-1 .text mark')].filter(m => m.offsetParent).map(m => m.firstChild.data)"


def test_choosing_a_code_shows_its_words(browser, page):
    browser.open(page)
    assert browser.evaluate("document.querySelectorAll('.text mark').length") == 2 + 3 + 2 + 1
    assert browser.evaluate(SHOWN) == ["fever", "cough"]
    browser.evaluate("document.querySelector('label[for=note-1-choice-2]').click()")
    assert browser.evaluate(SHOWN) == ["No", "fever", "asthma"]
    # Each note is chosen for by itself.
    assert browser.evaluate("document.querySelectorAll('#note-2 .view').length") == 1
    assert browser.evaluate("document.querySelector('#note-2 .view').offsetParent !== null")


def test_a_key_chooses_the_next_code(browser, page):
    browser.open(page)
    browser.evaluate("document.getElementById('note-1-choice-1').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.ask(
            "Input.dispatchKeyEvent", type=kind, key="ArrowDown", code="ArrowDown", windowsVirtualKeyCode=40
        )
    assert browser.evaluate("document.activeElement.id") == "note-1-choice-2"
    assert browser.evaluate(SHOWN) == ["No", "fever", "asthma"]


def test_the_shown_text_is_the_note(browser, page):
    browser.open(page)
    shown = browser.evaluate(
        "(() => { const t = document.querySelector('#note-1 .text').cloneNode(true);"
        "t.querySelectorAll('.spoken').forEach(s => s.remove()); return t.textContent })()"
    )
    assert shown == TEXT


def test_print_shows_every_code(browser, page):
    browser.open(page)
    browser.ask("Emulation.setEmulatedMedia", media="print")
    displayed = browser.evaluate(
        "[...document.querySelectorAll('.view')].map(v => getComputedStyle(v).display)"
    )
    browser.ask("Emulation.setEmulatedMedia", media="")
    assert displayed == ["block"] * 3


def test_the_policy_holds_by_itself(browser, page):
    """Were a note's markup ever let through, it would neither run nor load, and the console would say so."""
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("<main>", f"<main>{INJECTED}"), encoding="utf-8")
    browser.open(page)
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate("typeof window.injected") == "undefined"
    assert "Content Security Policy" in " ".join(browser.console)
    assert browser.requests == [page.as_uri()]
    assert sorted(browser.refused) == ["https://example.org/x.css", "https://example.org/x.png"]
