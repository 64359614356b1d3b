from __future__ import annotations

import numpy as np
import pytest

from sts_core.estimates import Estimate
from sts_core.figures.forest_plot import ForestRow, forest_plot
from sts_core.figures.layout import layout
from sts_core.figures.marks import Panel, PointInterval, RowGrid, Rule, Scale, TextColumn
from sts_core.figures.theme import JOURNAL_DOUBLE
from tests.figures.cases import forest, proportions


def grid_of(figure) -> RowGrid:
    assert isinstance(figure.body, RowGrid)
    return figure.body


def panels_of(figure) -> list[Panel]:
    return [item for item in grid_of(figure).items if isinstance(item, Panel)]


def texts_of(figure, header) -> list[list[str]]:
    return [
        [cell.text for cell in item.cells]
        for item in grid_of(figure).items
        if isinstance(item, TextColumn) and item.header == header
    ]


def test_numbers_stand_beside_their_points():
    univariable, multivariable = texts_of(forest(), "HR (95% CI)")
    assert univariable[:5] == ["", "1 (reference)", "3.10 (1.50, 6.40)", "", "0.30 (0.04, 0.90)"]
    assert univariable[5:] == ["NE"] * 6
    assert multivariable[2] == "2.90 (1.30, 18.00)"
    assert multivariable[4] == ""
    assert texts_of(forest(), "P")[0][2] == "<0.001"


def test_points_lie_on_their_rows_and_both_panels_share_the_axis():
    first, second = panels_of(forest())
    assert first.x == second.x
    assert first.x.scale is Scale.LOG
    points = [mark for mark in first.marks if isinstance(mark, PointInterval)]
    assert [(p.x, p.y, p.low, p.high) for p in points] == [(3.1, 2, 1.5, 6.4), (0.3, 4, 0.04, 0.9)]
    assert [p.size for p in points] == [1.0, pytest.approx(1 / 21)]
    assert [m.at for m in first.marks if isinstance(m, Rule)] == [1.0]


def test_ratio_axis_is_symmetric_and_shows_every_point():
    def axis(value):
        rows = [ForestRow("a", estimates=(Estimate(value, value / 2, value * 2),))]
        return panels_of(forest_plot(rows))[0].x

    for value in (1.0, 0.26, 3.9, 4.1, 9.0, 19.0, 0.011, 99.0):
        found = axis(value)
        assert found.low == pytest.approx(1 / found.high)
        assert found.low <= value <= found.high
    assert axis(2.0).ticks == (0.25, 0.5, 1.0, 2.0, 4.0)
    assert axis(8.0).ticks == (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)


def test_far_intervals_become_arrows_at_the_edge():
    placed = layout(forest(), JOURNAL_DOUBLE)
    _, second = placed.panels
    (line,) = [
        p
        for p in placed.paths
        if p.name == "Estimate: 2-3" and p.fill is None and p.subpaths[0][0, 0] > second.left
    ]
    assert line.subpaths[0][1, 0] == pytest.approx(second.right)
    tips = [p for p in placed.paths if p.fill is not None and p.closed and len(p.subpaths[0]) == 3]
    assert any(np.isclose(tip.subpaths[0][:, 0].max(), second.right + 1) for tip in tips)


def test_shares_have_a_linear_axis_in_percent():
    (panel,) = panels_of(proportions())
    assert (panel.x.low, panel.x.high, panel.x.scale) == (0.0, 1.0, Scale.LINEAR)
    assert panel.x.tick_labels == ("0", "25", "50", "75", "100")
    assert texts_of(proportions(), "ORR, % (95% CI)")[0][1] == "100.0 (50.0, 100.0)"
    assert [m.at for m in panel.marks if isinstance(m, Rule)] == [0.18]


def test_rows_without_their_estimates_are_refused():
    with pytest.raises(ValueError, match="1 estimates for 2 panels"):
        forest_plot([ForestRow("a", estimates=(None,))], panels=("x", "y"))


def test_no_rows_and_no_estimates_are_drawn():
    assert layout(forest_plot([]), JOURNAL_DOUBLE).height > 0
    empty = forest_plot([ForestRow("a", estimates=(None,)), ForestRow("b", heading=True)])
    assert layout(empty, JOURNAL_DOUBLE).panels


def test_alternative_text_has_every_row():
    alt = forest().alt
    assert "ECOG, 2-3: Univariable 3.10 (1.50, 6.40), Multivariable 2.90 (1.30, 18.00)" in alt
