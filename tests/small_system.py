"""A code system of a few real codes, on which an experiment on codes takes seconds."""

from experiments.tasks import codes as codes_module
from experiments.tasks.codes import CodesConfig, CodesTask
from icd_relevancy.codes import CodeSystem, icd10cm

CATEGORIES = (
    "A00", "A01", "A15", "A17", "B20", "B37", "C50", "C61", "D05", "D24",
    "I10", "I20", "I21", "I25", "J00", "J02", "J18", "J45", "K29", "K40",
)  # fmt: skip


def small_system() -> CodeSystem:
    """The codes of twenty categories of ICD-10-CM with all that stands above them."""
    whole = icd10cm()
    kept = set()
    for category in CATEGORIES:
        below = [code for code in whole.codes if code.startswith(category)]
        kept.update(below, whole.ancestors(category))
    codes = tuple(code for code in whole.codes if code in kept)
    titles = {code: whole.title(code) for code in codes}
    parents = {code: whole.parent(code) for code in codes}
    return CodeSystem("small", codes, titles, parents, category_level=whole.category_level)


def small_task(monkeypatch, encoder=None, codes=None, system=None) -> CodesTask:
    """The task on these codes."""
    chosen = small_system() if system is None else system
    monkeypatch.setattr(codes_module, "code_system", lambda name: chosen)
    return CodesTask(CodesConfig("small", codes, 0, None if encoder is None else str(encoder), 32))
