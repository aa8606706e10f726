"""Explanations as one HTML file that a coder reads: the note, its codes, and the words that count marked."""

import base64
import hashlib
import math
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from icd_relevancy.errors import InputError
from icd_relevancy.explain.explanation import CodeExplanation, Explanation, Word, top_words
from icd_relevancy.explain.words import word_spans
from icd_relevancy.files.disk import replacing

_STRENGTHS = 5
_MOST_MARKED = 12
_LEAST_SHARE = 0.1
# A code that no word moves must not look as if its strongest word decided it.
_FULL_LIME_WEIGHT = 0.1
_SHOWN_CHARACTERS = 60
_LOW_FIDELITY = 0.5
_WORTH_A_WORD = 0.1


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
    items = "".join(f"<li>{_scale(sign)}{meaning}</li>" for sign, meaning in entries)
    return f'<ul class="legend" aria-label="Colours">{items}</ul>'


def _scale(sign: str) -> str:
    steps = "".join(f'<mark class="{sign} s{strength}"></mark>' for strength in range(1, _STRENGTHS + 1))
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
<span class="percent">{_percent(code.probability)}</span>\
<span class="title">{escape(code.title)}</span>\
<svg class="bar" aria-hidden="true"><rect width="{100 * code.probability:.1f}%" height="100%"/></svg></label></li>
"""


def _view(explanation: Explanation, code: CodeExplanation, here: str) -> str:
    marks = _Marks(explanation, code.words, code.code, here)
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


def _maps(explanation: Explanation, code: CodeExplanation, marks: "_Marks", here: str) -> str:
    """The marked text, of hierarchical attention once for the code and once for its category."""
    if code.category is None:
        return marks.in_text()
    name = code.category.name
    of_category = _Marks(explanation, code.category.words, name, f"{here}-category")
    return f"""<div class="maps">
<div><h4>For the code</h4>{marks.in_text()}</div>
<div><h4>For its category, {escape(name)}</h4>{of_category.in_text()}</div>
</div>"""


def _facts(explanation: Explanation, code: CodeExplanation) -> str:
    facts = [f"Probability {_percent(code.probability)}", "assigned" if code.assigned else "not assigned"]
    if code.fidelity is not None:
        low = ": low, the words tell only part" if code.fidelity < _LOW_FIDELITY else ""
        facts.append(f"fit of the explanation R² {_number(code.fidelity)}{low}")
    punctuation = sum(
        weight for start, stop, weight in code.words if not word_spans(explanation.text[start:stop])
    )
    if punctuation >= _WORTH_A_WORD:
        facts.append(f"{_percent(punctuation)} of the attention on punctuation")
    return " · ".join(facts)


def _rest(explanation: Explanation) -> str:
    unread = _unread(explanation)
    if not unread:
        return ""
    return f"""<section class="rest" aria-label="Text without a part in the codes">
<p class="facts">The text from here on, {_counted(unread, "word")}, has no part in the codes above.</p>
{_text_block(escape(explanation.text[explanation.read_until :]))}
</section>
"""


def _unread(explanation: Explanation) -> int:
    """How many words have no part in the codes."""
    return len(word_spans(explanation.text[explanation.read_until :]))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _footer(methods: Sequence[str]) -> str:
    paragraphs = []
    if "lime" in methods:
        paragraphs.append(
            "A word’s weight is by how much the probability of the code changes when the word is there rather than "
            "not (LIME). +0.30 means about 30 percentage points more. The fit R² says how closely such weights "
            "follow the model around this note: 1 is exact, and below 0.5 they tell only part."
        )
    if "attention" in methods:
        paragraphs.append(
            "A word’s share is how much the model looked at it for the code (attention). It is not by how much the "
            "word decided: attention says where the model read, not whether that spoke for the code or against it."
        )
    if "lexicon" in methods:
        paragraphs.append(
            "The words are those of the note that name the code: of its title, its inclusion terms, or of phrases that "
            "go with it in the training notes. A word’s weight is its share of the name, or how often the phrase "
            "went with the code. A model that reads more than these names may have had other reasons."
        )
    paragraphs.append(
        "The words explain the model, not the patient. This page holds the text of notes: keep it where they may "
        "be kept. It loads nothing and sends nothing."
    )
    return f"<footer><h2>How to read this page</h2>{''.join(f'<p>{one}</p>' for one in paragraphs)}</footer>"


class _Marks:
    """The words of a note worth a mark, at most twelve; `prefix` begins their identifiers in the page."""

    def __init__(self, explanation: Explanation, words: Sequence[Word], target: str, prefix: str):
        self._text, self._attention = explanation.text, explanation.method == "attention"
        self._read_until = explanation.read_until
        self._target, self._prefix = escape(target), prefix
        words = [word for word in words if word_spans(self._text[word[0] : word[1]])]
        self._full = max((abs(weight) for *_, weight in words), default=0.0)
        if not self._attention:
            self._full = max(self._full, _FULL_LIME_WEIGHT)
        top = top_words(words, _MOST_MARKED)
        self.words = sorted(word for word in top if abs(word[2]) >= _LEAST_SHARE * self._full)

    def listed(self) -> str:
        """The words as a list, the strongest first, each with its weight and a link to its place."""
        items = []
        for start, stop, weight in top_words(self.words, len(self.words)):
            shown = " ".join(self._text[start:stop].split())
            if len(shown) > _SHOWN_CHARACTERS:
                shown = f"{shown[:_SHOWN_CHARACTERS].rstrip()}…"
            items.append(
                f'<li><a href="#{self._prefix}-at-{start}"><mark class="{self._style(weight)}">{escape(shown)}'
                f'</mark> <span class="weight">{self._weight(weight)}</span></a></li>'
            )
        return (
            f'<ol class="words" aria-label="Words that count most for {self._target}">{"".join(items)}</ol>'
        )

    def in_text(self) -> str:
        """The text that the model reads, with the words marked; the weight is there without the colour too."""
        parts, end = [], 0
        for start, stop, weight in self.words:
            shown = self._weight(weight)
            role = "looked at for" if self._attention else f"speaks {_sign(weight)}"
            parts += [
                escape(self._text[end:start]),
                f'<mark class="{self._style(weight)}" id="{self._prefix}-at-{start}" '
                f'title="{shown}, {role} {self._target}">{escape(self._text[start:stop])}'
                f'<span class="spoken"> ({shown})</span></mark>',
            ]
            end = stop
        parts.append(escape(self._text[end : self._read_until]))
        return _text_block("".join(parts))

    def _style(self, weight: float) -> str:
        strength = math.ceil(_STRENGTHS * abs(weight) / self._full)
        return f"{_sign(weight)} s{min(max(strength, 1), _STRENGTHS)}"

    def _weight(self, weight: float) -> str:
        if self._attention:
            return _percent(weight)
        return f"{'+' if weight > 0 else '−'}{_number(abs(weight))}"


def _text_block(html: str) -> str:
    """HTML of a note's text, whose language and direction are its own."""
    return f'<div class="text" lang="" dir="auto">{html}</div>'


def _number(value: float) -> str:
    """A number with two digits, or three where two would show nothing."""
    digits = 3 if 0 < abs(value) < 0.005 else 2
    return f"{value:.{digits}f}".replace("-", "−")


def _percent(share: float) -> str:
    """A share as HTML; what is not quite nothing or all does not look like it."""
    if 0 < share < 0.01:
        return "&lt; 1 %"
    return "&gt; 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def _sign(weight: float) -> str:
    return "for" if weight > 0 else "against"
