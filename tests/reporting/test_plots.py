"""Pictures: what is drawn has the values given, and the file is a PNG."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.reporting import bar_plot, line_plot, plots, scatter_plot, share_plot

pytest.importorskip("matplotlib")
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.image import imread


@pytest.fixture
def scores():
    return pd.DataFrame(
        {"equality": [70.4, 62.8, 64.3], "relevancy": [73.6, 72.1, 74.0]},
        index=pd.Index(["BCE", "BHML", "WHML α=0.75"], name="loss"),
    )


@pytest.fixture
def drawn(monkeypatch):
    """The axes that the plot functions drew on, in order."""
    seen = []
    save = plots._save

    def spying(figure, axes, *arguments, **keywords):
        seen.append(axes)
        return save(figure, axes, *arguments, **keywords)

    def spying_on_points(axes, *arguments):
        seen.append(axes)
        return draw(axes, *arguments)

    draw = plots._draw_points
    monkeypatch.setattr(plots, "_save", spying)
    monkeypatch.setattr(plots, "_draw_points", spying_on_points)
    return seen


def assert_picture(path):
    pixels = imread(path, format="png")
    height, width = pixels.shape[:2]
    assert height >= 200
    assert width >= 800
    assert pixels[..., :3].std() > 0.05


def legend(axes):
    return [text.get_text() for text in axes.figure.legends[0].get_texts()] if axes.figure.legends else []


def test_bars_have_the_heights_given(tmp_path, scores, drawn):
    errors, printed = scores * 0 + [0.5, 1.5], scores + 9
    printed.iloc[0, 0] = np.nan
    # Another order of rows and columns must not mix the figures up.
    file = bar_plot(
        tmp_path / "new" / "bars.png",
        scores,
        "micro-F1 (%)",
        errors=errors.iloc[::-1, ::-1],
        printed=printed.iloc[::-1],
        title="Losses",
    )
    assert_picture(file)
    axes = drawn[0]
    bars = [container for container in axes.containers if isinstance(container, BarContainer)]
    np.testing.assert_allclose([[bar.get_height() for bar in container] for container in bars], scores.T)
    clouds = [cloud for cloud in axes.collections if isinstance(cloud, PathCollection)]
    heights = [np.ma.filled(cloud.get_offsets()[:, 1], np.nan) for cloud in clouds]
    np.testing.assert_allclose(heights, printed.T)
    whiskers = [
        each.lines[2][0].get_segments() for each in axes.containers if isinstance(each, ErrorbarContainer)
    ]
    np.testing.assert_allclose(np.ptp(np.array(whiskers)[..., 1], axis=2), [[1, 1, 1], [3, 3, 3]])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list(scores.index)
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title()) == ("micro-F1 (%)", "loss", "Losses")
    assert legend(axes) == ["equality", "relevancy", "printed"]
    assert axes.get_ylim()[0] == 0


def test_one_series_needs_no_legend(tmp_path, scores, drawn):
    assert_picture(bar_plot(tmp_path / "bars.png", scores[["equality"]], "micro-F1 (%)", ylim=(50, 80)))
    assert legend(drawn[0]) == []
    assert drawn[0].get_ylim() == (50, 80)


def test_lines_go_through_the_values_in_the_order_of_the_grid(tmp_path, drawn):
    grid = pd.DataFrame({"TLCL": [84.0, 81.0, 85.0], "PLCL": [83.0, 80.0, np.nan]}, index=[0.9, 0.6, 0.76])
    file = line_plot(
        tmp_path / "tau.png", grid, "threshold τ (cosine)", "F1 (%)", errors=grid * 0 + 2, mark=0.76
    )
    assert_picture(file)
    lines = [container.lines[0] for container in drawn[0].containers]
    np.testing.assert_array_equal(lines[0].get_xydata(), [[0.6, 81], [0.76, 85], [0.9, 84]])
    np.testing.assert_array_equal(lines[1].get_ydata(), [80, np.nan, 83])
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 2
    assert legend(drawn[0]) == ["TLCL", "PLCL", "threshold τ (cosine): 0.76"]


def test_shares_are_percentages_from_the_largest_down(tmp_path, drawn):
    counts = pd.Series({"Neurology": 10, "Internal Medicine": 1500, "ENT": 490}).rename_axis("specialty")
    assert_picture(share_plot(tmp_path / "shares.png", counts, "notes"))
    axes = drawn[0]
    assert [bar.get_width() for bar in axes.patches] == [75.0, 24.5, 0.5]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Internal Medicine", "ENT", "Neurology"]
    assert [text.get_text().strip() for text in axes.texts] == [
        "75.00 % (1,500)",
        "24.50 % (490)",
        "0.50 % (10)",
    ]
    assert axes.get_xlabel() == "share of notes (%)"
    assert axes.yaxis.get_inverted()


def test_shares_may_be_of_more_than_the_counts(tmp_path, drawn):
    counts = pd.Series({"786.2": 30, "780.6": 20})
    share_plot(tmp_path / "shares.png", counts, "notes", total=200)
    assert [bar.get_width() for bar in drawn[0].patches] == [15.0, 10.0]


def test_no_printed_figure_is_no_mark(tmp_path, scores, drawn):
    bar_plot(tmp_path / "bars.png", scores, "F1", printed=scores * np.nan)
    assert legend(drawn[0]) == ["equality", "relevancy"]


def test_refuses_what_cannot_be_drawn(tmp_path, scores):
    file = tmp_path / "plot.png"
    with pytest.raises(InputError, match=r"plot\.png: there is no value"):
        bar_plot(file, scores * np.nan, "F1")
    with pytest.raises(InputError, match="there is no value"):
        line_plot(file, scores.iloc[:0], "τ", "F1")
    with pytest.raises(InputError, match="printed and values must name the same groups and series: BCE"):
        bar_plot(file, scores, "F1", printed=scores.iloc[1:])
    with pytest.raises(InputError, match="counts must be 0 or more"):
        share_plot(file, pd.Series({"ENT": -1, "Dental": 3}), "notes")
    assert not file.exists()


def test_says_how_to_get_matplotlib(tmp_path, scores, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install \"icd_relevancy\[plot\]\""):
        bar_plot(tmp_path / "plot.png", scores, "F1")


def test_importing_the_tables_does_not_import_matplotlib():
    code = "import sys, icd_relevancy.reporting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def frame(x, groups) -> pd.DataFrame:
    return pd.DataFrame({"x": x, "y": np.array(x) + 1.0, "group": groups})


def look(points):
    return points.get_facecolor().tolist(), points.get_paths()[0].vertices.tolist()


def test_the_points_of_each_group(drawn, tmp_path):
    first = frame([0.0, 1.0, 2.0, 3.0], ["IX", "X", "IX", None])
    second = frame([5.0, 6.0], ["X", "IX"])
    path = scatter_plot(tmp_path / "points.png", {"one": first, "two": second}, title="both")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [axes.get_title() for axes in drawn] == ["one", "two"]
    grey, nine, ten = drawn[0].collections
    assert grey.get_offsets().tolist() == [[3.0, 4.0]]
    assert nine.get_offsets().tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert ten.get_offsets().tolist() == [[1.0, 2.0]]
    other = drawn[1].collections
    assert other[1].get_offsets().tolist() == [[6.0, 7.0]]
    assert (look(other[1]), look(other[2])) == (look(nine), look(ten))
    legend = drawn[0].figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["IX", "X"]


def test_many_groups_look_different(drawn, tmp_path):
    groups = [f"chapter {number}" for number in range(24)]
    scatter_plot(tmp_path / "points.png", {"all": frame(list(range(24)), groups)})
    assert len({str(look(points)) for points in drawn[0].collections[1:]}) == 24


def test_points_without_groups_have_no_legend(drawn, tmp_path):
    scatter_plot(tmp_path / "points.png", {"all": frame([0.0, 1.0], [None, None])})
    assert drawn[0].figure.legends == []


def test_no_points_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"points\.png: there is no point"):
        scatter_plot(tmp_path / "points.png", {"all": frame([], [])})
