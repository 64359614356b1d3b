"""Numbers and texts as they are shown, and foreign text made harmless."""

from __future__ import annotations

import html
import math
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts_core.display import (
    REASONS,
    Column,
    DisplayTable,
    Format,
    escape,
    format_count,
    format_estimate,
    format_number,
    format_p,
    format_percent,
    format_value,
    joined,
    round_half_up,
    rounded_half_up,
)
from sts_core.estimates import Estimate, NotEstimable, not_estimable

ANY_TEXT = st.text(st.characters())  # with control characters and lone surrogates


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        (2.675, 2, "2.68"),  # the double is below 2.675
        (0.125, 2, "0.13"),
        (-0.125, 2, "−0.13"),
        (2.5, 0, "3"),
        (3.5, 0, "4"),
        (1.0, 1, "1.0"),
        (-0.04, 1, "0.0"),
        (-0.0, 0, "0"),
        (1e-320, 3, "0.000"),
        (1e30, 1, "1" + "0" * 30 + ".0"),
        (1.7e308, 0, "17" + "0" * 307),
        (1234567.0, 0, "1234567"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "−∞"),
    ],
)
def test_round_half_up(number: float, decimals: int, text: str) -> None:
    assert round_half_up(number, decimals) == text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 6))
def test_rounding_is_never_further_than_half_a_step(number: float, decimals: int) -> None:
    shown = round_half_up(number, decimals)
    assert "-" not in shown
    text = shown.replace("−", "-")
    step = Decimal(1).scaleb(-decimals)
    assert abs(Decimal(text) - Decimal(repr(number))) <= step / 2
    assert text.partition(".")[2] == "" or len(text.partition(".")[2]) == decimals
    assert text.strip("-0.") or not text.startswith("-")


@pytest.mark.parametrize(
    ("p_value", "text"),
    [
        (None, "NE"),
        (0.0, "<0.001"),
        (0.00099999, "<0.001"),
        (0.001, "0.0010"),
        (0.0014999, "0.0015"),
        (0.00604, "0.0060"),
        (0.0099999, "0.0100"),
        (0.01, "0.010"),
        (0.0495, "0.050"),
        (0.05, "0.050"),
        (0.999, "0.999"),
        (0.9991, ">0.999"),
        (0.9996, ">0.999"),
        (1.0, ">0.999"),
    ],
)
def test_format_p(p_value: float | None, text: str) -> None:
    assert format_p(p_value) == text


@given(st.floats(0, 1))
def test_p_is_never_written_as_zero_or_one(p_value: float) -> None:
    assert format_p(p_value) not in ("0.000", "1.000")


def test_shares_are_multiplied_in_decimal() -> None:
    assert format_percent(0.285, 0) == "29"  # 0.285 * 100 is 28.499999999999996 in binary
    assert format_percent(0.0725) == "7.3"
    assert format_percent(None) == "NE"
    assert format_number(None) == "NE"
    assert format_number(3.25) == "3.3"


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [(9, 51, "9 (17.6)"), (0, 51, "0"), (0, 0, "0"), (51, 51, "51 (100.0)")],
)
def test_format_count(count: int, total: int, text: str) -> None:
    assert format_count(count, total) == text


NOT_REACHED = NotEstimable.LIMIT_NOT_REACHED


@pytest.mark.parametrize(
    ("estimate", "options", "text"),
    [
        (Estimate(5.82, 4.75, 6.84), {}, "5.8 (4.8, 6.8)"),
        (Estimate(5.82, 4.75, 6.84), {"interval": False}, "5.8"),
        (Estimate(0.426, 0.25, 0.6), {"percent": True}, "42.6 (25.0, 60.0)"),
        (Estimate(5.8, 4.8, None, high_reason=NOT_REACHED), {}, "5.8 (4.8, NE)"),
        (Estimate(5.8, None, None, low_reason=NOT_REACHED), {}, "5.8 (NE, NE)"),
        (not_estimable(NotEstimable.NOT_REACHED), {}, "NR"),
        (Estimate(None, 3.0, None, reason=NotEstimable.NOT_REACHED), {}, "NR (3.0, NE)"),
        (Estimate(None, 3.0, None, reason=NotEstimable.NOT_REACHED), {"interval": False}, "NR"),
        (not_estimable(NotEstimable.NO_EVENTS), {}, "NE"),
        (not_estimable(NotEstimable.REFERENCE), {}, "1 (reference)"),
        (Estimate(2.0, 0.5, math.inf), {"decimals": 2}, "2.00 (0.50, ∞)"),
    ],
)
def test_format_estimate(estimate: Estimate, options: dict[str, bool], text: str) -> None:
    assert format_estimate(estimate, **options) == text


@pytest.mark.parametrize(
    ("value", "format_", "text"),
    [
        (None, Format.NUMBER, ""),
        ("=1+1", Format.NUMBER, "=1+1"),
        (7, Format.INTEGER, "7"),
        (0.0004, Format.P_VALUE, "<0.001"),
        (0.25, Format.PERCENT, "25.0"),
        (0.25, Format.ESTIMATE_PERCENT, "25.0"),
        (2.25, Format.NUMBER, "2.3"),
        (2.25, Format.ESTIMATE, "2.3"),
        (Estimate(0.25, 0.1, 0.5), Format.ESTIMATE_PERCENT, "25.0 (10.0, 50.0)"),
        (Estimate(0.25, 0.1, 0.5), Format.ESTIMATE, "0.3 (0.1, 0.5)"),
    ],
)
def test_format_value(value: object, format_: Format, text: str) -> None:
    assert format_value(value, Column("x", "X", format_)) == text  # type: ignore[arg-type]


def test_a_table_gives_its_cells_in_the_order_of_its_columns() -> None:
    table = DisplayTable(
        "T",
        (Column("a", "A"), Column("b", "B", Format.INTEGER), Column("c", "C")),
        ({"b": 2, "a": "x", "_indent": 1}, {"a": "y", "c": "z"}),
    )
    assert table.formatted() == [["x", "2", ""], ["y", "", "z"]]


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(NotEstimable)
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_joined(parts: list[str], text: str) -> None:
    assert joined(parts) == text


# --- foreign text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("medium", "text", "harmless"),
    [
        ("html", "<b>\"x\" & 'y'</b>", "&lt;b&gt;&quot;x&quot; &amp; &#x27;y&#x27;&lt;/b&gt;"),
        ("plotly", '<i>a</i> & "b"', '&lt;i&gt;a&lt;/i&gt; &amp; "b"'),
        ("markdown", "**x** [a](b) $y$", r"\*\*x\*\* \[a\]\(b\) \$y\$"),
        ("markdown", "1. one\n\n# two", r"1\. one \# two"),
        ("markdown", ":material/home: :red[x]", r"\:material\/home\: \:red\[x\]"),
        ("excel", "=1+1", "'=1+1"),
        ("excel", "-5", "'-5"),
        ("excel", "@SUM(A1)", "'@SUM(A1)"),
        ("excel", "a=1", "a=1"),
        ("xml", "a\x00b\x0bc\ud800d\ufffe", "a�b�c�d�"),
        ("text", "平滑肌肉瘤 Größe", "平滑肌肉瘤 Größe"),
    ],
)
def test_escape(medium: str, text: str, harmless: str) -> None:
    assert escape(text, medium) == harmless  # type: ignore[arg-type]


@given(ANY_TEXT)
def test_html_reads_back_and_holds_no_tag(text: str) -> None:
    for medium in ("html", "plotly"):
        escaped = escape(text, medium)  # type: ignore[arg-type]
        assert "<" not in escaped
        assert ">" not in escaped
        # line breaks become blanks in HTML, where an empty line would end the block
        plain = escape(text, "xml")
        expected = re.sub(r"\s*\n\s*", " ", plain) if medium == "html" else plain
        assert html.unescape(escaped) == expected
        assert medium != "html" or "\n" not in escaped


@given(ANY_TEXT)
def test_markdown_leaves_no_sign_of_its_own(text: str) -> None:
    escaped = escape(text, "markdown")
    assert "\n" not in escaped
    assert "\r" not in escaped
    without = escaped.replace("\\\\", "")
    for sign in "`*_{}[]()#+-.!|<>~$:&@^":
        bare = without.replace(f"\\{sign}", "")
        assert sign not in bare


@given(ANY_TEXT)
def test_a_spreadsheet_never_sees_a_formula(text: str) -> None:
    assert not escape(text, "excel").startswith(("=", "+", "-", "@", "\t", "\r"))


@given(ANY_TEXT)
def test_xml_gets_only_what_it_can_hold(text: str) -> None:
    from xml.etree import ElementTree as ET

    element = ET.Element("t")
    element.text = escape(text, "xml")
    back = ET.fromstring(ET.tostring(element, "utf-8")).text or ""
    assert back == element.text.replace("\r\n", "\n").replace("\r", "\n")


@given(ANY_TEXT)
def test_escaped_text_can_always_be_written_as_utf_8(text: str) -> None:
    for medium in ("plotly", "markdown", "html", "xml", "excel", "text"):
        escaped = escape(text, medium)  # type: ignore[arg-type]
        assert escaped.encode().decode() == escaped


_TIES = st.builds(lambda whole, tail: (whole + 0.5) / tail, st.integers(-5000, 5000),
                  st.sampled_from([1.0, 10.0, 100.0, 1000.0, 10000.0]))  # fmt: skip


@given(
    st.lists(st.floats(-1e9, 1e9) | st.floats(-1, 1) | _TIES, max_size=20),
    st.integers(0, 3),
)
def test_many_numbers_are_rounded_as_one_is(numbers: list[float], decimals: int) -> None:
    rounded = rounded_half_up(np.array(numbers, dtype=float), decimals)

    def written(values: np.ndarray) -> list[str]:
        return [f"{n:.{decimals}f}".replace("-", "−") for n in values]

    assert written(rounded) == [round_half_up(n, decimals) for n in numbers]
    shares = rounded_half_up(np.array(numbers, dtype=float), decimals, percent=True)
    assert written(shares) == [format_percent(n, decimals) for n in numbers]


def test_what_is_not_known_stays_so_when_it_is_rounded() -> None:
    assert np.isnan(rounded_half_up(np.array([np.nan, 0.25]), 1)).tolist() == [True, False]
