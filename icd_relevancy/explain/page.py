"""Explanations as one HTML file that a coder reads: the note, its codes, and the words that count marked."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from icd_relevancy.errors import InputError
from icd_relevancy.explain.explanation import CodeExplanation, Explanation
from icd_relevancy.explain.marks import STRENGTHS, Marks, number, percent, text_block
from icd_relevancy.explain.words import word_spans
from icd_relevancy.files.disk import replacing

_LOW_FIDELITY = 0.5
_TOLD_SHARE = 0.1


def write_page(path, explanations: Iterable[Explanation], title: str = "Why these codes") -> Path:
    """Writes one HTML file that shows for each note its codes and, for the code chosen, the words that count.

    The file needs nothing else: no script, no font, no network, which its content security policy forbids too;
    so nothing in a note can run or be sent. It reads on a phone, in light and dark, printed, and aloud. It holds
    the text of the notes: only its owner may read it; keep it where the notes may be kept.

    Args:
        path: The file. An older one is replaced, at once or not at all.
        explanations: One a note.
        title: Heading of the page. Defaults to `"Why these codes"`.

    Returns:
        The path written.

    Raises:
        InputError: If there is no explanation, or the disk is full.

    Example:

    >>> from icd_relevancy.explain import CodeExplanation, Explanation, write_page
    >>> cough = CodeExplanation("R05.9", "Cough, unspecified", 0.8, True, words=((3, 8, 0.5),))
    >>> file = write_page("results/page.html", [Explanation("n1", "No cough.", "lime", (cough,))])

    Reference: HMHAN §III.H and figure 5.
    """
    explanations = list(explanations)
    if not explanations:
        raise InputError(f"{Path(path).name}: there is no explanation to show")
    page = _page(explanations, title)
    with replacing(path, private=True) as temporary:
        # A lone surrogate, which no encoding has, becomes a question mark.
        temporary.write_text(page, encoding="utf-8", errors="replace", newline="\n")
    return Path(path)


def _page(explanations: list[Explanation], title: str) -> str:
    style = _style(max(len(explanation.codes) for explanation in explanations))
    methods = list(dict.fromkeys(explanation.method for explanation in explanations))
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # A translated page, or a telephone number made a link, would carry the note to others.
    return f"""<!doctype html>
<html lang="en" translate="no">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="google" content="notranslate">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p class="lead">{_counted(len(explanations), "note")}. Choose a code to see the words that count for it.</p>
{_legend(methods)}
</header>
{_contents(explanations)}
<main>
{"".join(_note(explanation, number) for number, explanation in enumerate(explanations, 1))}
</main>
{_footer(methods)}
</body>
</html>
"""


@cache
def _style(codes: int) -> str:
    """The style sheet, with a rule a code that shows the view of the chosen one."""
    written = files("icd_relevancy.explain").joinpath("page.css").read_text(encoding="utf-8")
    chosen = ",\n".join(
        f".layout:has(.codes li:nth-child({code}) :checked) .view:nth-child({code})"
        for code in range(1, codes + 1)
    )
    return f"{written}{chosen} {{ display: block; }}\n" if codes else written


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _legend(methods: Sequence[str]) -> str:
    entries = []
    if "lime" in methods:
        entries += [("for", "for the code"), ("against", "against it")]
    if "attention" in methods:
        entries.append(("for", "looked at for the code"))
    if "lexicon" in methods:
        entries.append(("for", "names the code"))
    items = "".join(f"<li>{_scale(sign)}{told}</li>" for sign, told in entries)
    return f'<ul class="legend" aria-label="Colours">{items}</ul>'


def _scale(sign: str) -> str:
    steps = "".join(f'<mark class="{sign} s{strength}"></mark>' for strength in range(1, STRENGTHS + 1))
    return f'<span class="scale {sign}" aria-hidden="true">{steps}</span>'


def _contents(explanations: list[Explanation]) -> str:
    if len(explanations) == 1:
        return ""
    links = "".join(
        f'<li><a href="#note-{number}">{escape(_name(explanation, number))}</a></li>'
        for number, explanation in enumerate(explanations, 1)
    )
    return f'<nav class="notes" aria-label="Notes"><ul>{links}</ul></nav>'


def _name(explanation: Explanation, number: int) -> str:
    return f"Note {explanation.note_id.strip() or number}"


def _note(explanation: Explanation, number: int) -> str:
    here = f"note-{number}"
    assigned = sum(code.assigned for code in explanation.codes)
    facts = f"{_counted(len(word_spans(explanation.text)), 'word')}, {_counted(assigned, 'code')} assigned"
    if _unread(explanation):
        read = len(word_spans(explanation.text[: explanation.read_until]))
        facts += f"; only the first {_counted(read, 'word')} have a part in them"
    views = [_view(explanation, code, f"{here}-code-{at}") for at, code in enumerate(explanation.codes, 1)]
    return f"""<article class="note" id="{here}" aria-labelledby="{here}-name">
<header><h2 id="{here}-name">{escape(_name(explanation, number))}</h2><p>{facts}</p></header>
<div class="layout">
<fieldset class="codes"><legend class="spoken">Codes</legend>
<ul>
{"".join(_choice(code, here, at) for at, code in enumerate(explanation.codes, 1))}</ul>
</fieldset>
<div class="views">
{"".join(views)}{_rest(explanation)}</div>
</div>
</article>
"""


def _choice(code: CodeExplanation, note: str, at: int) -> str:
    chosen = " checked" if at == 1 else ""
    mark = '<span class="assigned">✓<span> assigned</span></span>' if code.assigned else ""
    return f"""<li{' class="is-assigned"' if code.assigned else ""}>\
<input type="radio" name="{note}" id="{note}-choice-{at}"{chosen}>\
<label for="{note}-choice-{at}"><span><span class="code">{escape(code.code)}</span>{mark}</span>\
<span class="percent">{percent(code.probability)}</span>\
<span class="title">{escape(code.title)}</span>\
<svg class="bar" aria-hidden="true"><rect width="{100 * code.probability:.1f}%" height="100%"/></svg></label></li>
"""


def _view(explanation: Explanation, code: CodeExplanation, here: str) -> str:
    marks = Marks(explanation, code.words, code.code, here)
    if not explanation.text.strip():
        shown = '<p class="none">The note has no text.</p>'
    else:
        none = '<p class="none">No word of the note stands out for this code.</p>'
        shown = f"{marks.listed() if marks.words else none}\n{_maps(explanation, code, marks, here)}"
    return f"""<section class="view" aria-labelledby="{here}">
<h3 id="{here}"><span class="code">{escape(code.code)}</span> {escape(code.title)}</h3>
<p class="facts">{_facts(explanation, code)}</p>
{shown}
</section>
"""


def _maps(explanation: Explanation, code: CodeExplanation, marks: Marks, here: str) -> str:
    """The marked text, of hierarchical attention once for the code and once for its category."""
    if code.category is None:
        return marks.in_text()
    name = code.category.name
    of_category = Marks(explanation, code.category.words, name, f"{here}-category")
    return f"""<div class="maps">
<div><h4>For the code</h4>{marks.in_text()}</div>
<div><h4>For its category, {escape(name)}</h4>{of_category.in_text()}</div>
</div>"""


def _facts(explanation: Explanation, code: CodeExplanation) -> str:
    told = [f"Probability {percent(code.probability)}", "assigned" if code.assigned else "not assigned"]
    if code.fidelity is not None:
        low = ": low, the words tell only part" if code.fidelity < _LOW_FIDELITY else ""
        told.append(f"fit of the explanation R² {number(code.fidelity)}{low}")
    punctuation = sum(
        weight for start, stop, weight in code.words if not word_spans(explanation.text[start:stop])
    )
    if punctuation >= _TOLD_SHARE:
        told.append(f"{percent(punctuation)} of the attention on punctuation")
    return " · ".join(told)


def _rest(explanation: Explanation) -> str:
    unread = _unread(explanation)
    if not unread:
        return ""
    return f"""<section class="rest" aria-label="Text without a part in the codes">
<p class="facts">The text from here on, {_counted(unread, "word")}, has no part in the codes above.</p>
{text_block(escape(explanation.text[explanation.read_until :]))}
</section>
"""


def _unread(explanation: Explanation) -> int:
    """How many words have no part in the codes."""
    return len(word_spans(explanation.text[explanation.read_until :]))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _footer(methods: Sequence[str]) -> str:
    told = []
    if "lime" in methods:
        told.append(
            "A word’s weight is by how much the probability of the code changes when the word is there rather than "
            "not (LIME). +0.30 means about 30 percentage points more. The fit R² says how closely such weights "
            "follow the model around this note: 1 is exact, and below 0.5 they tell only part."
        )
    if "attention" in methods:
        told.append(
            "A word’s share is how much the model looked at it for the code (attention). It is not by how much the "
            "word decided: attention says where the model read, not whether that spoke for the code or against it."
        )
    if "lexicon" in methods:
        told.append(
            "The words are those of the note that name the code: of its title, its inclusion terms, or of phrases that "
            "go with it in the training notes. A word’s weight is its share of the name, or how often the phrase "
            "went with the code. A model that reads more than these names may have had other reasons."
        )
    told.append(
        "The words explain the model, not the patient. This page holds the text of notes: keep it where they may "
        "be kept. It loads nothing and sends nothing."
    )
    return f"<footer><h2>How to read this page</h2>{''.join(f'<p>{one}</p>' for one in told)}</footer>"
