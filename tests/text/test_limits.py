"""Bounds, limits, goals and orders beside the results of investigations; numbers as notes write them."""

import re

import pytest
from growth import grows_with_length

from icd_relevancy.text import AlignedText, unify_terms
from icd_relevancy.text.limits import side
from icd_relevancy.text.words import read_number

CATEGORIES = re.compile(r"\b(?:tiny|small|medium|large|very high|low|normal|high|value)\b")


def unified(text: str) -> str:
    return unify_terms(AlignedText.of(text)).text


def categories(text: str) -> str:
    return " ".join(CATEGORIES.findall(unified(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Temp < 38, Temp > 38.5, T <36 C, T > 100 F, fever", "value high low value"),
        ("Na <135; Na ≥ 135; Na less than 135; Na over 150", "low value low high"),
        ("BP <90/60, BP < 140/90, BP > 120/80, BP greater than 180/110", "low value value high"),
        ("WBC<4.0, WBC > 10, WBC>11, plt <150,000, plt > 100K", "low value high low value"),
        # In steps of one, what is above 100 is 101 or more.
        ("heart rate > 100, HR >= 100, HR > 100.4, HR ≤ 59", "high value high low"),
        ("potassium >5.0; K =< 3.4; K at least 5.1; K <= 3.5", "high low high value"),
        ("A1c > 9%, A1c < 7%, EF <40%, EF > 55%, TSH < 0.01", "high value low normal low"),
        ("CRP < 5, pH < 7.35, BMI ≥ 30, BMI < 30", "normal low very high value"),
        ("temp no more than 38, Hgb not below 12, HR never over 59", "value value low"),
        ("temp of 101 or higher, SBP 95 or less, glucose 200+", "high value high"),
        ("nodule < 5 mm, >3 cm, less than 2 cm, < 1,5 mm", "tiny large value tiny"),
        ("fever > 38.5 C, <38°C, above 39 °C", "high value high"),
        # Impossible values have no category.
        ("Na > 999, Na < 999", "value value"),
        # A range, too, where it lies in one category.
        ("HR 90-110, HR 110-120, BP 140-160/90-95", "value high high"),
        ("HR 120s, BP 90s/50s, BP 160 over 95", "high low high"),
    ],
)
def test_bounds(text, expected):
    assert categories(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "call if BP > 180/100", "goal SBP < 90", "SBP goal < 90", "BP should be < 90/60", "hold for HR < 60",
        "target INR 2-3", "INR goal of 2-3", "INR 2-3 goal", "notify MD if temp > 101", "if temp 101",
        "Return for temp of 101 or higher", "keep K > 5.2", "potassium normal range 3.5-5.0", "potassium (ref 3.6-5.0)",
        "sodium reference range 135-145", "Tylenol for temp > 101", "Tylenol 650 mg q6h prn temp > 101.5",
        "transfuse for Hgb < 7", "temp > 101: call", "HR < 60, hold metoprolol", "BP < 90/60 is the goal",
        "Keep BP 120/80", "Hemoglobin (12-16)", "Sliding scale: glucose 150-200", "titrate to SBP > 140",
        "no fever, never a temp > 101", "denies temp > 101", "NPO until lactate < 2", "wean O2 for SpO2 > 95%",
        "Call for: temp > 101, HR > 120 or SBP < 90", "Call MD for:\n- temp > 101\n- HR > 120",
        "Hold parameters: SBP < 90, HR < 55", "no nodules > 3 cm", "3.5 < K < 5.0", "Goal Hgb > 7, plt > 50",
        "seek care for temp > 101 or chills", "when HR > 120 give metoprolol", "SBP < 90 or > 180",
        "temp >38 or <36", "SIRS criteria: temp >38, HR >90", "criteria were temp > 38",
        "goal K 4.0", "Goal is K 4.5", "target: Hb 9", "aim for Hb 9", "keep patient's K 4.5", "Titrate O2 to SpO2 92%",
        "BP should be 120/80", "Patient should have Na 140", "Sliding scale: glucose 150", "with goal INR 2.5",
        "if she has a temp of 101", "Return for temp 101", "Return to the ED if temp 101", "Call MD for Na 118",
        "Call MD for:\n- temp 101\n- HR 120", "Should fever persist, call for temp 101", "Goals:\n- Hb 9\n- Na 140",
        "Call if there is pain or temp 101", "call as soon as temp > 101", "as needed for temp > 101",
        "Hold if HR was < 50", "goal was SBP > 100", "Return to ED with temp > 39.5", "Monitor for fever, temp > 101",
        "Unable to keep SBP > 90", "Return if fever with temp 101",
    ],
)  # fmt: skip
def test_limits_goals_and_orders_are_no_results(text):
    assert set(CATEGORIES.findall(unified(text).replace("normal range", ""))) == {"value"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Goal INR 2-3. INR 1.5 today", "value high"),
        ("INR goal 2-3, currently INR 1.5", "value high"),
        ("INR 1.5 (goal 2-3), sodium 128 (ref 135-145)", "high low"),
        ("admitted for glucose > 600, transfused for Hgb < 7", "high low"),
        ("Hold metoprolol given HR 52", "low"),
        ("BP above goal, BP 160/95", "high"),
        ("Transferred on call, temp 101", "high"),
        ("Na <135 mmol/L, call if BP > 180/100.", "low value"),
        ("BP 90/60 and lower extremity edema", "normal"),
        ("Admitted with K > 6. Call if temp > 101.", "high value"),
        ("Denies chest pain, temp 102", "high"),
        ("Goal BP < 130/80. BP today 170/95.", "value high"),
        # An aim that is not reached.
        ("Unable to maintain BP 70/40", "low"),
        ("Unable to maintain SpO2 82%, failed to keep SpO2 80-84%", "low low"),
        ("cannot maintain SBP 75; didn't keep temp 34 C", "low low"),
        # Words of aims and orders that are none for this value.
        ("You should be aware your sodium was 118", "low"),
        ("She should know that her potassium was 6.5", "high"),
        ("Should discuss Na 118 with renal", "low"),
        ("It is unclear if this is chronic as creatinine 4.5", "high"),
        ("unclear if chronic, creatinine > 3", "high"),
        ("On sliding scale with glucose 450", "high"),
        ("Goal not met with A1c 11%; goal not met A1c 11%", "high high"),
        ("Return to ED with temp 39.5", "high"),
        ("call placed for K 6.8, call received for K > 6", "high high"),
        ("Notify MD: K 6.8", "high"),
        ("Page 3 Hb 6.1; see page 2: K > 6.5", "low high"),
        ("Keep on telemetry with HR 140", "high"),
        ("hold lasix as K 2.8", "low"),
        # What follows an order.
        ("Recommend dialysis as potassium >6.5", "high"),
        ("Give kayexalate as potassium was > 7", "high"),
        ("When seen her potassium was > 7", "high"),
        ("Avoid contrast, creatinine > 3", "high"),
        ("monitor closely as Na < 120", "low"),
        ("watch: WBC >20", "high"),
        ("Please be aware K > 6.5", "high"),
    ],
)
def test_results_beside_limits(text, expected):
    assert categories(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K 5,6 and Hb 12,5 g/dl", "potassium high and hemoglobin normal"),
        ("plt 250,000, WBC 3,900", "platelets normal, white blood cell count low"),
        (
            "fever of 38,5 C, 38,5°C, 36.5oC",
            "fever of temperature high, temperature high, temperature normal",
        ),
        ("Temp 38,5 C, 2,3 x 1,5 cm, aspirin 81,5 mg", "temperature high, size medium, aspirin value"),
        # Neither, so left whole.
        ("K 5.6.7, Na 1,234,5", "potassium 5.6.7, sodium 1,234,5"),
        ("3'5 cm, 8 of them, a 98 F", "3'5 centimeters, 8 of them, a 98 F"),
    ],
)
def test_decimal_commas_and_thousands(text, expected):
    assert unified(text) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("250,000", 250_000),
        ("1,250,000.5", 1_250_000.5),
        ("5,6", 5.6),
        ("12,55", 12.55),
        ("0,125", 0.125),
        ("7", 7),
    ],
)
def test_numbers(written, expected):
    assert read_number(written) == expected


def test_sides():
    bounds = "<|≤|=<|below|no less than|not exceeding|at most|or less|>|>=|at least|in excess of|+".split("|")
    sides = {bound: side(bound) for bound in bounds}
    assert [bound for bound, (below, _) in sides.items() if below] == [
        "<", "≤", "=<", "below", "not exceeding", "at most", "or less",
    ]  # fmt: skip
    assert [bound for bound, (_, inclusive) in sides.items() if not inclusive] == [
        "<",
        "below",
        ">",
        "in excess of",
    ]


def test_a_bound_stands_for_what_was_written_and_unifying_again_changes_nothing():
    report = "Na <135 mmol/L, call if BP > 180/100."
    text = unify_terms(AlignedText.of(report))
    assert text.text == "sodium low, call if blood pressure value."
    assert report[slice(*text.original_span(7, 10))] == " <135 mmol/L"
    assert unified(text.text) == text.text


@pytest.mark.parametrize(
    "piece",
    [
        "1,000,", "111,111,", "K > ", "<", "no more than ", "5 mm - ", "9", "9,", "if K > 5, ", "for ", "temp no ",
        "keep a to be ", "goal a ", "return to a ", "watch K ", "1,1 ",
    ],
)  # fmt: skip
def test_long_runs_take_their_length_in_time(piece):
    assert grows_with_length(unified, piece, 5_000)
