"""JAMS figures 2 and 3: macro-F1 over groups of codes, alone and joint."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from experiments.compare import paired_gain
from experiments.harness import show
from experiments.rows.two_systems import macro_f1, measured
from experiments.tasks.two_systems import NAMES, TwoSystemsTask
from icd_relevancy.reporting import bar_plot, mean_sd

_ALONE, _JOINT = "alone", "with JAMS"


def make(task: TwoSystemsTask, settings: dict, stem: Path) -> None:
    """Macro-F1 over groups of codes, of models of one system and of the joint ones.

    Mean ± sd over the seeds, in per cent, of the runs of table 2; gains are paired by seed. A group of which no
    code has a test note has no row.

    Args:
        task: The task.
        settings: `rows`, for each model its `name`, `model`, `training` settings and, by system and group, `printed`
            gains; `groups`, the codes by their training notes (`strata`), or the rarest of these by whether they
            are `linked` to a code of the other system; and the `title` of the picture.
        stem: Where the results go.
    """
    groups = _GROUPS[settings["groups"]](task)
    cells, values, errors = [], {}, {}
    for row in settings["rows"]:
        for place, line, scores in _compared(task, row, groups):
            cells.append(place | line)
            values[", ".join(place.values())] = 100 * scores.mean()
            errors[", ".join(place.values())] = 100 * scores.std()
    print(task)
    show(pd.DataFrame(cells).set_index(["model", "system", "codes"]), stem)
    values, errors = (pd.DataFrame(columns).T for columns in (values, errors))
    title = settings["title"]
    bar_plot(stem.with_suffix(".png"), values, "macro-F1 on test (%)", errors=errors, title=title)


def _linked(task: TwoSystemsTask) -> dict[str, dict[str, set[str]]]:
    """The codes of the fewest training notes of each system, with and without a link."""
    groups = {}
    for system, strata in task.strata.items():
        name, rare = next(iter(strata.items()))
        linked = rare & set(task.link_weights[system])
        groups[system] = {f"{name}, linked": linked, f"{name}, not linked": rare - linked}
    return groups


_GROUPS = {"strata": lambda task: task.strata, "linked": _linked}


def _compared(
    task: TwoSystemsTask, row: dict, groups
) -> Iterator[tuple[dict[str, str], dict[str, str], pd.DataFrame]]:
    """For each group of codes with a test note where it stands, its cells, and the scores of the seeds."""
    both = {name: measured(task, row | {"joint": joint}) for name, joint in ((_ALONE, False), (_JOINT, True))}
    for system, of_system in groups.items():
        printed = row.get("printed", {}).get(NAMES[system], [])
        for number, (name, codes) in enumerate(of_system.items()):
            tested = codes & set(both[_ALONE][system][0]["f1"])
            if not tested:
                continue
            scores = pd.DataFrame(
                {series: [macro_f1(run, tested) for run in runs[system]] for series, runs in both.items()}
            )
            gain, p = paired_gain(100 * (scores[_JOINT] - scores[_ALONE]))
            line = {"tested codes": len(tested)} | {series: mean_sd(scores[series]) for series in scores}
            line |= {"gain (95 % interval)": gain, "p": p}
            line["printed gain"] = f"{printed[number]:+.1f}" if number < len(printed) else "–"
            yield {"model": row["name"], "system": NAMES[system], "codes": name}, line, scores
