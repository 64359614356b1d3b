from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.figures.marks import (
    Axis,
    Band,
    Role,
    RowGrid,
    Scale,
    StripGroup,
    StripRow,
    TableStrip,
    TextCell,
    TextColumn,
    step_corners,
    thin_steps,
)
from sts_core.figures.theme import slot_dash


def test_steps_hold_until_the_next_position():
    x, y = step_corners(np.array([0.0, 2.0, 5.0]), np.array([1.0, 0.6, 0.2]), 7.0)
    assert x.tolist() == [0, 2, 2, 5, 5, 7]
    assert y.tolist() == [1, 1, 0.6, 0.6, 0.2, 0.2]
    x, y = step_corners(np.empty(0), np.empty(0), 7.0)
    assert len(x) == len(y) == 0


def test_a_band_breaks_where_a_limit_is_missing():
    nan = np.nan
    band = Band(
        np.array([0.0, 1.0, 2.0, 3.0]),
        np.array([1.0, nan, 0.4, nan]),
        np.array([1.0, 0.9, 0.8, nan]),
        5.0,
        Role.SLOT_0,
    )
    pieces = [(x.tolist(), low.tolist(), high.tolist()) for x, low, high in band.pieces()]
    assert pieces == [([0, 1], [1, 1], [1, 1]), ([2, 3], [0.4, 0.4], [0.8, 0.8])]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=3000).map(lambda v: sorted(v, reverse=True)),
    st.integers(5, 400),
)
def test_thinning_keeps_both_ends_and_the_limit(values, limit):
    chosen = thin_steps(len(values), limit, values)
    assert chosen[0] == 0
    assert chosen[-1] == len(values) - 1
    assert (np.diff(chosen) > 0).all()
    assert len(chosen) <= max(limit + 2, 1)
    if len(values) <= limit:
        assert len(chosen) == len(values)


def test_thinned_curve_stays_within_a_step_of_the_whole():
    y = np.linspace(1, 0.05, 10_000) ** 2
    chosen = thin_steps(len(y), 400, y)
    assert np.abs(np.diff(y[chosen])).max() < 0.01
    # a long flat end after a steep fall keeps points too
    y = np.concatenate((np.linspace(1, 0, 5000), np.zeros(5000)))
    chosen = thin_steps(len(y), 400, y)
    assert (chosen > 5000).sum() > 20


def test_axis_maps_linear_log_and_downwards():
    assert Axis(0, 10).fraction(2.5) == 0.25
    assert Axis(10, 0).fraction(2.5) == 0.75
    log = Axis(0.1, 10, scale=Scale.LOG)
    assert np.allclose(log.fraction(np.array([0.1, 1.0, 10.0])), [0, 0.5, 1])


@pytest.mark.parametrize(
    "arguments",
    [
        {"low": 0, "high": 1, "ticks": (0.5,)},
        {"low": 1, "high": 1},
        {"low": 0, "high": float("nan")},
        {"low": 0, "high": 1, "scale": Scale.LOG},
    ],
)
def test_an_impossible_axis_is_refused(arguments):
    with pytest.raises(ValueError, match=r"axis|ticks"):
        Axis(**arguments)


def test_cells_must_match_positions_and_rows():
    group = StripGroup("A", Role.SLOT_0, slot_dash(0), (StripRow("At risk", ("1",)),))
    with pytest.raises(ValueError, match="1 cells for 2 positions"):
        TableStrip((0.0, 1.0), (group,))
    with pytest.raises(ValueError, match="1 cells for 2 rows"):
        RowGrid(2, (TextColumn("n", (TextCell("1"),)),))
