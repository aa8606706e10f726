"""Pictures of results as PNG files; they need matplotlib, the extra `plot`."""

import textwrap
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd

from icd_relevancy.errors import InputError
from icd_relevancy.files.disk import replacing

# Okabe and Ito's palette, told apart with any colour vision; yellow last, as it is faint on white.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#F0E442")
# A second cue beside colour, for print in grey and for more series than colours.
_HATCHES = ("", "//", "..", "\\\\", "xx", "--", "oo", "++", "**")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")
_DASHES = ("-", "--", "-.", ":")


def bar_plot(
    path, values: pd.DataFrame, ylabel: str, *, errors=None, printed=None, title="", ylim=None
) -> Path:
    """Grouped bars: a group a row and a bar a column, with error bars and the printed figures beside ours.

    Args:
        path: The PNG file to write.
        values: Measured values `(groups, series)`; the index names the groups, a named index the axis.
        ylabel: What the values are, with the unit: `"micro-F1 (%)"`.
        errors: Standard deviations in the same form, NaN where there is none. Defaults to None.
        printed: A paper's figures in the same form, drawn as black diamonds; NaN where there is none.
            Defaults to None.
        title: Heading of the picture. Defaults to none.
        ylim: Lower and upper end of the value axis. Defaults to None: from 0, so lengths compare truly.

    Returns:
        The path written.

    Raises:
        InputError: If matplotlib is missing, there is no value, or `errors` or `printed` has another index or
            other columns.

    Example:

    >>> scores = pd.DataFrame({"equality": [70.4, 62.8], "relevancy": [73.6, 72.1]}, index=["BCE", "BHML"])
    >>> file = bar_plot("results/losses.png", scores, "micro-F1 (%)", printed=scores + 5)
    """
    _check_values(path, values)
    errors = _aligned(errors, values, "errors", path)
    printed = _aligned(printed, values, "printed", path)
    if printed is not None and printed.isna().all(axis=None):
        printed = None
    figure, axes = _figure(
        width=min(12.0, max(6.0, 1.8 + 0.32 * values.size + 0.3 * len(values))), height=4.4
    )
    _draw_bars(axes, values, errors, printed)
    axes.set(ylabel=ylabel, xlabel=values.index.name or "", ylim=ylim, title=title)
    return _save(figure, axes, path, grid="y", reference="printed")


def line_plot(
    path, values: pd.DataFrame, xlabel: str, ylabel: str, *, errors=None, title="", mark=None
) -> Path:
    """Lines with error bars over a grid of numbers, such as the relevancy by the threshold τ.

    Args:
        path, ylabel, errors, title: As in `bar_plot`.
        values: Measured values `(grid points, series)`; the index holds the numbers of the grid.
        xlabel: What the grid is, with the unit: `"threshold τ (cosine)"`.
        mark: Grid number to point out with a dashed vertical line, such as the best τ. Defaults to None.

    Returns:
        The path written.

    Raises:
        InputError: If matplotlib is missing, there is no value, or `errors` has another index or other
            columns.

    Example:

    >>> grid = pd.DataFrame({"TLCL": [81.0, 85.7, 84.2]}, index=[0.60, 0.76, 0.90])
    >>> file = line_plot("results/tau.png", grid, "threshold τ (cosine)", "micro-F1 (%)", mark=0.76)

    Reference: the τ grid of LOSSES §4.
    """
    _check_values(path, values)
    errors = _aligned(errors, values, "errors", path)
    figure, axes = _figure(width=6.6, height=4.2)
    _draw_lines(axes, values, errors)
    marked = "" if mark is None else f"{xlabel}: {mark:g}"
    if mark is not None:
        axes.axvline(mark, color="0.35", linestyle="--", linewidth=1, label=marked, zorder=1)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return _save(figure, axes, path, grid="both", reference=marked)


def share_plot(path, counts: pd.Series, label: str, *, title="", total=None) -> Path:
    """Horizontal bars of a distribution, largest on top, each with its share and count.

    Args:
        path, title: As in `bar_plot`.
        counts: Number of notes of each category, the index naming them, a named index the axis.
        label: What is counted: `"notes"`; the axis says "share of notes (%)".
        total: How many are 100 %. Defaults to None: the sum of the counts, each note being of one category.

    Returns:
        The path written.

    Raises:
        InputError: If matplotlib is missing, a count is negative or missing, or all are 0.

    Example:

    >>> specialties = pd.Series({"Cardiology": 310, "Internal medicine": 868}).rename_axis("specialty")
    >>> file = share_plot("results/specialties.png", specialties, "notes")

    Reference: LOSSES figure 1.
    """
    if counts.isna().any() or (counts < 0).any() or not counts.sum():
        raise InputError(
            f"{Path(path).name}: counts must be 0 or more and not all 0; check the column counted"
        )
    ordered = counts.sort_values(ascending=False, kind="stable")
    figure, axes = _figure(width=7.0, height=1.3 + 0.3 * len(ordered))
    _draw_shares(axes, ordered, ordered.sum() if total is None else total)
    axes.set(xlabel=f"share of {label} (%)", ylabel=counts.index.name or "", title=title)
    return _save(figure, axes, path, grid="x")


def scatter_plot(path, panels: Mapping[str, pd.DataFrame], *, title="") -> Path:
    """Points of groups on a plane, one panel beside the other, with one legend.

    Args:
        path, title: As in `bar_plot`.
        panels: For each heading a frame with the columns `x`, `y` and `group`. A group has the same colour and
            marker in all panels; the groups come in the order in which they first occur. Points without a
            group (missing) are small and grey.

    Returns:
        The path written.

    Raises:
        InputError: If matplotlib is missing, or there is no point.

    Example:

    >>> points = pd.DataFrame({"x": [0, 1, 5], "y": [0, 1, 5], "group": ["IX", "IX", "X"]})
    >>> file = scatter_plot("results/chapters.png", {"hierarchy only": points, "all features": points})

    Reference: NNBSVR figures 2 and 3.
    """
    if not any(len(points) for points in panels.values()):
        raise InputError(f"{Path(path).name}: there is no point to draw")
    figure, axes = _figure(width=5.2 * len(panels), height=5.8, columns=len(panels))
    groups = dict.fromkeys(group for points in panels.values() for group in points["group"].dropna())
    for panel, (heading, points) in zip(axes, panels.items(), strict=True):
        _draw_points(panel, points, list(groups))
        panel.set(title=heading, xticks=[], yticks=[])
    figure.suptitle(title)
    return _save_with_legend(figure, axes, path)


def _draw_points(axes, points: pd.DataFrame, groups: list) -> None:
    ungrouped = points[points["group"].isna()]
    axes.scatter(ungrouped["x"], ungrouped["y"], s=3, color="0.75", linewidth=0)
    for place, group in enumerate(groups):
        chosen = points[points["group"] == group]
        # The marker changes once all colours are used.
        marker = _MARKERS[place // len(_COLOURS) % len(_MARKERS)]
        colour = _COLOURS[place % len(_COLOURS)]
        axes.scatter(
            chosen["x"], chosen["y"], s=9, marker=marker, color=colour, linewidth=0, label=str(group)
        )


def _save_with_legend(figure, axes, path) -> Path:
    handles, labels = axes[0].get_legend_handles_labels()
    if labels:
        # About 17 letters of this size fit in an inch, and the marker takes the room of 8.
        columns = int(17 * figure.get_figwidth() / (max(map(len, labels)) + 8))
        columns = min(max(columns, 1), len(labels))
        place = {"loc": "outside lower center", "ncols": columns}
        figure.legend(handles, labels, frameon=False, fontsize=7, markerscale=2, **place)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
    return Path(path)


def _draw_bars(axes, values, errors, printed):
    width = 0.8 / values.shape[1]
    centres = np.arange(len(values))
    for place, (column, colour, hatch) in enumerate(
        zip(values, cycle(_COLOURS), cycle(_HATCHES), strict=False)
    ):
        at = centres + (place - (values.shape[1] - 1) / 2) * width
        style = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.6}
        axes.bar(at, values[column], width, label=str(column), zorder=2, **style)
        if errors is not None:
            axes.errorbar(
                at, values[column], errors[column], fmt="none", ecolor="black", capsize=2.5, zorder=3
            )
        if printed is not None:
            axes.scatter(
                at,
                printed[column],
                s=26,
                marker="D",
                color="black",
                edgecolor="white",
                linewidth=0.8,
                label="printed" if place == values.shape[1] - 1 else None,
                zorder=4,
            )
    # About 10 characters fit in an inch.
    room = int(10 * axes.figure.get_figwidth() / len(values))
    names = [textwrap.fill(str(name), max(room, 10), break_long_words=False) for name in values.index]
    slanted = max(len(line) for name in names for line in name.split("\n")) > room
    axes.set_xticks(centres, names, rotation=30 if slanted else 0, ha="right" if slanted else "center")


def _draw_lines(axes, values, errors):
    ordered = values.sort_index()
    for place, column in enumerate(ordered):
        axes.errorbar(
            ordered.index.to_numpy(dtype=float),
            ordered[column].to_numpy(dtype=float),
            None if errors is None else errors[column].reindex(ordered.index).to_numpy(dtype=float),
            color=_COLOURS[place % len(_COLOURS)],
            marker=_MARKERS[place % len(_MARKERS)],
            linestyle=_DASHES[place % len(_DASHES)],
            markersize=5,
            linewidth=1.5,
            capsize=2.5,
            elinewidth=1,
            label=str(column),
            zorder=2,
        )


def _draw_shares(axes, ordered, total):
    shares = 100 * ordered.to_numpy(dtype=float) / total
    axes.barh(np.arange(len(ordered)), shares, height=0.72, color=_COLOURS[0], zorder=2)
    for place, (share, count) in enumerate(zip(shares, ordered, strict=True)):
        axes.text(share, place, f" {share:.2f} % ({count:,.0f})", va="center", ha="left", fontsize=9)
    axes.set_yticks(np.arange(len(ordered)), [str(name) for name in ordered.index])
    axes.set(xlim=(0, 1.35 * shares.max()), ylim=(len(ordered) - 0.4, -0.6))


def _figure(width: float, height: float, columns: int | None = None):
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError('plots need matplotlib; run: pip install "icd_relevancy[plot]"') from error
    # A figure of its own, without pyplot, opens no window and leaves the caller's backend alone.
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot() if columns is None else figure.subplots(1, columns, squeeze=False)[0]


def _save(figure, axes, path, grid: str, reference: str = "") -> Path:
    axes.grid(axis=grid, color="0.88", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        # matplotlib puts diamonds and marks before the series.
        named = sorted(zip(handles, labels, strict=True), key=lambda entry: entry[1] == reference)
        names = [label for _, label in named]
        figure.legend(
            [handle for handle, _ in named],
            names,
            loc="outside lower center",
            ncols=min(len(names), 4),
            frameon=False,
            fontsize=9,
        )
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
    return Path(path)


def _check_values(path, values: pd.DataFrame):
    if not values.size or values.isna().all(axis=None):
        raise InputError(
            f"{Path(path).name}: there is no value to draw; check that the experiment wrote its results"
        )


def _aligned(frame, values: pd.DataFrame, name: str, path):
    """`frame` in the order of `values`, whose groups and series it must have."""
    if frame is None:
        return None
    unknown = [
        *values.index.symmetric_difference(frame.index),
        *values.columns.symmetric_difference(frame.columns),
    ]
    if unknown:
        raise InputError(
            f"{Path(path).name}: {name} and values must name the same groups and series: {unknown[0]}"
        )
    return frame.loc[values.index, values.columns]
