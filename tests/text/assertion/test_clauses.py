"""Where clauses begin, on sentences cut by hand."""

from itertools import pairwise

import pytest

from icd_relevancy.text.assertion.clauses import FOLLOWING, OTHER, PRECEDING, Cue, clause_starts

KINDS = {"<": PRECEDING, ">": FOLLOWING, "~": OTHER}


def clauses(sentence: str) -> list[str]:
    """The clauses of a sentence whose cues are written `[<no]`, words joined by `_`."""
    words, cues = [], []
    for word in sentence.split():
        if word.startswith("["):
            parts = word[2:-1].split("_")
            cues.append(Cue(KINDS[word[1]], len(words), len(words) + len(parts)))
            words += parts
        else:
            words.append(word)
    cuts = [0, *sorted(set(clause_starts(words, cues))), len(words)]
    return [" ".join(words[start:stop]) for start, stop in pairwise(cuts)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # Lists are one clause, whatever their last verb is.
        ("[<no] a , b or c .", "no a , b or c ."),
        ("[<no] a , b , or c is seen .", "no a , b , or c is seen ."),
        ("[<no] a , b , and c are seen .", "no a , b , and c are seen ."),
        ("[<no] a and b .", "no a and b ."),
        ("a and b are [>not_seen] .", "a and b are not seen ."),
        ("[<no] a , small b , or c", "no a , small b , or c"),
        # A verb of its own makes a clause.
        ("[<no] a , b is present .", "no a|, b is present ."),
        ("[<no] a and b persists .", "no a|and b persists ."),
        ("there is [<no] a and b is noted", "there is no a|and b is noted"),
        ("a is present and b is [>not_seen]", "a is present|and b is not seen"),
        ("patient [<denies] a and has b", "patient denies a|and has b"),
        ("patient [<denies] a , b , reports c", "patient denies a , b|, reports c"),
        ("a , b is [>absent]", "a|, b is absent"),
        # So do a state, a time, a value, an article after "and", and a cue.
        ("[<no] a , stable b", "no a|, stable b"),
        ("[<no] a , b unchanged", "no a|, b unchanged"),
        ("[<no] a , b for days", "no a|, b for days"),
        ("[<no] a , b low in c", "no a|, b low in c"),
        ("[<no] a , suggesting b", "no a|, suggesting b"),
        ("[<no] a and a b", "no a|and a b"),
        ("[<no] a , [<no] b and c", "no a|, no b and c"),
        ("a for days , b [>denied]", "a for days|, b denied"),
        ("a stable , b [>absent]", "a stable|, b absent"),
        ("a [>absent] , b [>not_seen]", "a absent|, b not seen"),
        # Marks between clauses.
        ("[<no] a ; b", "no a|; b"),
        ("[<no] a -- b", "no a|-- b"),
        # What a cue holds is no coordinator and no verb.
        ("[<no] a [~with_and_without] b", "no a with and without b"),
        ("[<does_not_have] a and b", "does not have a and b"),
        # Adjuncts.
        ("[<no] a with a b", "no a|with a b"),
        ("[<no] a with b", "no a with b"),
        ("a with a b is [>not_seen]", "a with a b is not seen"),
        ("child [<without] a presented with b", "child without a|presented with b"),
        ("child with [<no] a was b", "child with no a|was b"),
        ("[<no] a in a b with c", "no a in a b|with c"),
        ("[<lack_of] a suggesting b", "lack of a|suggesting b"),
        ("[<no] a suggesting b", "no a suggesting b"),
        ("[<no] a , being treated for b", "no a|, being treated for b"),
        ("a [<without] b , c , or d , with e", "a without b , c , or d|, with e"),
    ],
)
def test_clauses(sentence, expected):
    assert clauses(sentence) == expected.split("|")


@pytest.mark.parametrize("words", [[], [","], [",", "and", ";"], ["a"], ["and", "a"], ["a", ","]])
def test_hardly_a_sentence(words):
    assert all(0 <= start < len(words) for start in clause_starts(words, []))
