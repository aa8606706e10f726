import numpy as np
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.explain import lime as lime_module
from icd_relevancy.explain import lime_explanation

pytest.importorskip("lime")

EFFECTS = {"cough": 0.4, "No": -0.1, "fever": 0.2}
TEXT = "No fever today, but a cough at night."


class Additive:
    """A model whose probability is a sum over the words that are there; it keeps what it was asked."""

    def __init__(self, *effects, base=0.2):
        self.effects, self.base, self.asked = effects, base, []

    def __call__(self, texts):
        self.asked.append(list(texts))
        rows = [set(text.replace(",", " ").replace(".", " ").split()) for text in texts]
        return np.array(
            [[self.base + sum(e.get(word, 0) for word in row) for e in self.effects] for row in rows]
        )

    @property
    def texts(self):
        return [text for batch in self.asked for text in batch]


def weights(explanation, code=0):
    text = explanation.text
    return {text[start:stop]: weight for start, stop, weight in explanation.codes[code].words}


def test_the_effects_of_an_additive_model_are_found():
    explanation = lime_explanation(Additive(EFFECTS), TEXT, ["R05.9"], ["Cough"], note_id="n1")
    found = weights(explanation)
    for word, effect in EFFECTS.items():
        assert found[word] == pytest.approx(effect, abs=0.002)
    assert all(abs(weight) < 0.002 for word, weight in found.items() if word not in EFFECTS)
    code = explanation.codes[0]
    assert (explanation.note_id, explanation.method, code.title) == ("n1", "lime", "Cough")
    assert (code.probability, code.assigned) == (pytest.approx(0.7), True)
    assert code.fidelity > 0.9999


def test_only_so_many_words_are_given():
    found = weights(lime_explanation(Additive(EFFECTS), TEXT, ["R05.9"], words=2))
    assert found.keys() == {"cough", "fever"}


def test_all_codes_share_one_sample_and_each_has_its_fidelity():
    odd = {"today": 0.5}

    def predict(texts):
        parity = [[0.5 + 0.4 * (-1) ** sum(word in text for word in TEXT.split())] for text in texts]
        return np.hstack([model(texts), parity])

    model = Additive(EFFECTS, odd, base=0.1)
    alone = Additive(EFFECTS, base=0.1)
    lime_explanation(alone, TEXT, ["R05.9"], top_k=1)
    explanation = lime_explanation(predict, TEXT, ["R05.9", "R50.9", "parity"], top_k=3)
    assert model.texts == alone.texts
    by_code = {code.code: number for number, code in enumerate(explanation.codes)}
    assert weights(explanation, by_code["R05.9"])["cough"] == pytest.approx(0.4, abs=0.002)
    assert weights(explanation, by_code["R50.9"])["today"] == pytest.approx(0.5, abs=0.002)
    fidelity = {code.code: code.fidelity for code in explanation.codes}
    # No sum over words follows a parity.
    assert fidelity["R05.9"] > 0.999
    assert fidelity["R50.9"] > 0.999
    assert fidelity["parity"] < 0.3


def test_assigned_codes_are_explained_and_at_least_the_most_probable():
    model = Additive({"cough": 0.7}, {"cough": 0.5}, {"cough": 0.1}, {})
    for top_k, expected in ((1, ["A", "B"]), (3, ["A", "B", "C"])):
        explanation = lime_explanation(model, "cough", list("ABCD"), top_k=top_k, samples=50)
        assert [code.code for code in explanation.codes] == expected
        assert [code.assigned for code in explanation.codes] == [code in "AB" for code in expected]


def test_each_occurrence_counts_by_itself():
    def predict(texts):
        return np.array([[0.1 + 0.8 * ("dry cough" in text)] for text in texts])

    text = "a dry cough , no wet cough"
    (code,) = lime_explanation(predict, text, ["R05.9"]).codes
    of_first, of_second = (
        next(weight for start, _, weight in code.words if start == place) for place in (6, 21)
    )
    assert of_first > 0.3
    assert abs(of_second) < 0.05


def test_same_seed_same_explanation():
    def predict(texts):
        return np.array([[1 / (1 + np.exp(2 - 3 * ("cough" in t) - ("No" in t)))] for t in texts])

    first, again, other = (
        lime_explanation(predict, TEXT, ["R05.9"], samples=60, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.codes[0].words != other.codes[0].words


def test_the_versions_read_like_shortened_notes():
    model = Additive(EFFECTS)
    lime_explanation(model, "No fever.\nBut  a cough (dry).", ["R05.9"], samples=200)
    original, *versions = model.texts
    assert original == "No fever.\nBut  a cough (dry)."
    assert " fever.\nBut ()." in versions
    assert not any("  " in version for version in versions if version != original)
    assert all(version.endswith(").") and "\n" in version for version in versions)


def test_words_may_be_masked():
    model = Additive(EFFECTS)
    lime_explanation(model, "No fever", ["R05.9"], mask="_", samples=50)
    assert set(model.texts) == {"No fever", "_ fever", "No _", "_ _"}


@pytest.mark.parametrize("text", ["", " \n ", "...!"])
def test_a_note_without_words(text):
    model = Additive(EFFECTS, base=0.6)
    explanation = lime_explanation(model, text, ["R05.9"])
    assert (explanation.codes[0].words, explanation.codes[0].fidelity) == ((), None)
    assert explanation.codes[0].probability == pytest.approx(0.6)
    assert len(model.texts) == 1


def test_a_note_of_one_word():
    explanation = lime_explanation(Additive(EFFECTS), "cough", ["R05.9"])
    ((start, stop, weight),) = explanation.codes[0].words
    assert (start, stop) == (0, 5)
    assert weight == pytest.approx(0.4, abs=0.02)
    assert explanation.codes[0].fidelity > 0.99


def test_html_and_unicode_are_text_like_any_other():
    text = "<b>cough</b> & fe\u0301brile 👩‍⚕️, naïve"
    effects = {"fe\u0301brile": 0.3, "👩‍⚕️": 0.2, "naïve": -0.1}
    explanation = lime_explanation(Additive(effects), text, ["R50.9"])
    found = weights(explanation)
    for word, effect in effects.items():
        assert found[word] == pytest.approx(effect, abs=0.002)


def test_a_probability_that_no_word_moves():
    explanation = lime_explanation(Additive({}), TEXT, ["R05.9"])
    assert (explanation.codes[0].words, explanation.codes[0].fidelity) == ((), None)


def test_work_on_a_long_note_is_bounded():
    text = " ".join(f"word{number}" for number in range(5000))
    model = Additive({"word0": 0.1, "word4321": 0.6, "word4999": 0.1})
    explanation = lime_explanation(model, text, ["R05.9"], samples=300, batch_size=64, words=3)
    # One for the probabilities, the bisection of 5,000 words, and the versions.
    assert len(model.texts) <= 1 + 13 + 300
    assert max(map(len, model.asked)) <= 64
    assert explanation.read_until == len(text)
    # Words are taken in runs of 34, so that 148 weights are fitted on 300 versions.
    strongest = explanation.codes[0].top_words(1)[0]
    run = text[strongest[0] : strongest[1]].split()
    assert len(run) == 34
    assert "word4321" in run
    assert strongest[2] == pytest.approx(0.6, abs=0.05)


def test_only_what_the_model_reads_is_varied():
    def predict(texts):
        asked.extend(texts)
        rows = [text.split()[:50] for text in texts]
        return np.array([[0.2 + 0.5 * ("cough" in row) + 0.001 * len(set(row))] for row in rows])

    asked = []
    words = [f"word{number}" for number in range(5000)]
    words[20] = words[3000] = "cough"
    text = " ".join(words)
    explanation = lime_explanation(predict, text, ["R05.9"], samples=300)
    assert explanation.read_until == text.index("word50 ")
    start, stop, weight = explanation.codes[0].top_words(1)[0]
    assert (text[start:stop], start) == ("cough", text.index("cough"))
    assert weight == pytest.approx(0.5, abs=0.01)
    # What the model does not read of the note is not moved to where it does.
    assert not any("word60 " in version for version in asked[15:])


def test_bad_arguments_are_refused(monkeypatch):
    for options in ({"samples": 19}, {"words": 0}, {"top_k": 0}):
        with pytest.raises(InputError, match="must be at least"):
            lime_explanation(Additive(EFFECTS), TEXT, ["R05.9"], **options)
    with pytest.raises(ValueError, match=r"`predict` must return .* \(1, 2\). Received: shape \(1, 1\)"):
        lime_explanation(Additive(EFFECTS), TEXT, ["R05.9", "R50.9"])
    monkeypatch.setattr(lime_module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "icd_relevancy\[explain\]"'):
        lime_explanation(Additive(EFFECTS), TEXT, ["R05.9"])
