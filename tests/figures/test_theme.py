from __future__ import annotations

import itertools

import numpy as np
import pytest

from sts_core.figures.marks import Dash, Role
from sts_core.figures.theme import (
    BLACK_AND_WHITE,
    DARK,
    LIGHT,
    N_SLOTS,
    SLOT_DASHES,
    SLOT_ROLES,
    contrast,
    slot_dash,
    slot_of,
    slot_role,
)

DRAWN = (*SLOT_ROLES, Role.OTHER, Role.REFERENCE, Role.MUTED, Role.TEXT, Role.AXIS, Role.STAMP)


def test_contrast_follows_the_definition():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#FFFFFF", "#FFFFFF") == 1.0
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("palette", "background"), [(LIGHT, "#FFFFFF"), (DARK, "#12181F"), (BLACK_AND_WHITE, "#FFFFFF")]
)
def test_every_drawn_colour_has_contrast_three(palette, background):
    assert palette.background == background
    low = {role: contrast(palette.colour(role), background) for role in DRAWN}
    assert min(low.values()) >= 3.0, low


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_have_contrast_four_and_a_half(palette):
    for role in (Role.TEXT, Role.MUTED, Role.STAMP, Role.OTHER):
        assert contrast(palette.colour(role), palette.background) >= 4.5
        if role is not Role.OTHER:
            assert contrast(palette.colour(role), palette.colour(Role.STRIPE)) >= 4.5


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}


def oklab(colour: str, matrix: np.ndarray) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix @ linear, 0, 1)
    cones = np.cbrt(
        np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
        @ seen
    )
    return (
        np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
        @ cones
    )


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_slots_stay_apart_for_every_kind_of_colour_vision(palette, vision):
    places = {
        role: oklab(palette.colour(role), VISION[vision]) for role in (*SLOT_ROLES, Role.OTHER)
    }
    nearest = min(
        float(np.linalg.norm(places[a] - places[b])) for a, b in itertools.combinations(places, 2)
    )
    # 0.02 is a just noticeable difference in Oklab; line styles help besides
    assert nearest >= 0.07


def test_each_slot_has_its_own_line_style():
    assert len(set(SLOT_DASHES)) == N_SLOTS == len(set(SLOT_ROLES))
    assert slot_dash(0) is Dash.SOLID


def test_slot_of_counts_all_levels_of_the_study():
    levels = [f"L{i}" for i in range(10)]
    assert [slot_of(level, levels) for level in levels] == [0, 1, 2, 3, 4, 5, 6, 7, None, None]
    assert slot_of("unheard of", levels) is None


def test_assigned_slots_are_not_given_twice():
    levels = ["a", "b", "c"]
    slots = [slot_of(level, levels, {"c": 0, "b": 5}) for level in levels]
    assert slots == [1, 5, 0]
    assert slot_of("a", levels, {"a": 8}) is None


def test_grey_is_what_no_slot_is_left_for():
    assert slot_role(None) is Role.OTHER
    assert slot_role(8) is Role.OTHER
    assert slot_role(-1) is Role.OTHER
    assert slot_role(3) is Role.SLOT_3
