"""Answers and marks of forms, by their places among the tokens."""

import pytest

from icd_relevancy.text.assertion.answers import answers


def described(text: str) -> list[str]:
    """The answers of tokens parted by blanks, `/` for a line break: their tokens, and what they do."""
    words = ["\n" if word == "/" else word for word in text.split()]
    return [
        f"{'no' if answer.negative else 'yes'} {'after' if answer.leads else words[answer.label]}: "
        + " ".join(words[answer.start : answer.stop]).strip()
        for answer in answers(words)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fever : no", ["no fever: : no"]),
        ("fever : no . cough : yes", ["no fever: : no", "yes cough: : yes"]),
        # The next question ends an answer, where it has one of its own.
        ("fever : no cough : no", ["no fever: : no", "no no: : no"]),
        ("lungs : no effusion heart : normal", []),
        ("lungs : no effusion", []),
        ("fever - none ; rash ? denied", ["no fever: - none", "no rash: ? denied"]),
        ("ros : fever - not present", ["no fever: - not present"]),
        ("fever : ( no ) / cough ? : yes", ["no fever: : ( no )", "yes cough: ? : yes"]),
        ("allergies : none known , asthma", ["no allergies: : none known"]),
        ("fever : -", ["no fever: : -"]),
        ("findings : - effusion", []),
        ("catheter : no . 5", []),
        ("pain : 0 / 10", ["no pain: : 0"]),
        ("pain : n/a", []),
        # Marks stand before what they are about where a line or an item begins with them, else after it.
        ("( - ) fever ( - ) cough", ["no after: ( - )", "no after: ( - )"]),
        ("fever ( - ) cough ( + )", ["no fever: ( - )", "yes fever: ( + )"]),
        ("fever , ( + ) cough", ["yes after: ( + )"]),
        ("ø edema", ["no after: ø"]),
        ("edema ø / rash", ["no edema: ø"]),
        ("gram ( - ) sepsis", []),
        ("no fever , + cough", ["yes after: +"]),
        ("no 2 + edema", []),
        # Without a separator only beside further answers, or it may negate what follows.
        ("fever no , cough yes", ["no fever: no", "yes fever: yes"]),
        ("fever no / cough y ; rash none", ["no fever: no", "yes cough: y", "no rash: none"]),
        ("fever : yes , cough no", ["yes fever: : yes", "no yes: no"]),
        ("fever no , cough", []),
        ("fever | no | cough | yes", ["no fever: | no", "yes cough: | yes"]),
        ("has no / rash , fever no", []),
        # A zero counts findings, but is no grade, range or scale.
        ("0 edema", ["no after: 0"]),
        ("- 0 rash / has 0 edema , 0 cough", ["no after: 0", "no after: 0", "no after: 0"]),
        ("extremities : 0 edema , rash", ["no after: 0"]),
        ("grade 0 edema , day 0 fever , pain : 0 fever : 1", []),
        ("edema 0/5 , 0 of 3 , 0 - 1 edema , 1 , 0 edema", []),
        ("", []),
        (":", []),
        ("( -", []),
    ],
)
def test_answers(text, expected):
    assert described(text) == expected
