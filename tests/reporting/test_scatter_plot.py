"""Points on a plane: what is drawn has the points given, and a group looks alike in all panels."""

import numpy as np
import pandas as pd
import pytest

from icd_relevancy.errors import InputError
from icd_relevancy.reporting import plots, scatter_plot

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """The axes that were drawn on, in order."""
    seen = []
    draw = plots._draw_points

    def spying(axes, points, groups):
        seen.append(axes)
        draw(axes, points, groups)

    monkeypatch.setattr(plots, "_draw_points", spying)
    return seen


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
