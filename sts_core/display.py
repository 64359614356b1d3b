"""The last step: numbers to strings, once, for the screen and for every file."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sts_core.estimates import Estimate, NotEstimable
from sts_core.members import Members


@dataclass(frozen=True, slots=True)
class CountShare:
    """Patients with a property, of how many; written ``25 (49.0)``."""

    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Spread:
    """A centre with what says how far the numbers lie from it.

    Written ``54.0 (15.0, 80.0)`` with two limits and ``54.3 (12.1)`` with a standard deviation.

    Parameters
    ----------
    centre
        Median or mean; ``None`` when no number is known.
    low, high
        Limits: quartiles, or the smallest and largest number.
    std_dev
        Standard deviation in place of limits; ``None`` of a single number.
    decimals
        Decimals of all of them.
    open_from
        Numbers from this on are written as ``≥`` of it; ``None`` for no such bound.
    """

    centre: float | None
    low: float | None = None
    high: float | None = None
    std_dev: float | None = None
    decimals: int = 1
    open_from: float | None = None


Cell = str | int | float | Estimate | CountShare | Spread | None
Medium = Literal["plotly", "markdown", "html", "xml", "excel", "text"]

REASONS: Mapping[NotEstimable, str] = {
    NotEstimable.NO_SUBJECTS: "no patients",
    NotEstimable.NO_EVENTS: "no events",
    NotEstimable.NO_CENSORING: "nobody is censored",
    NotEstimable.NOT_REACHED: "not reached",
    NotEstimable.BEYOND_FOLLOW_UP: "beyond follow-up",
    NotEstimable.LIMIT_NOT_REACHED: "limit not reached",
    NotEstimable.ONE_GROUP: "fewer than two groups with patients",
    NotEstimable.TOO_FEW: "too few patients or events",
    NotEstimable.NO_VARIATION: "all patients have the same value",
    NotEstimable.NEVER_COMPARED: (
        "patients who differ are never at risk together at an event that some survive"
    ),
    NotEstimable.COLLINEAR: "determined by the other variables",
    NotEstimable.SEPARATION: "no events in a level, or events in one level only",
    NotEstimable.NOT_CONVERGED: "the fit did not converge",
    NotEstimable.ONE_KIND: "the endpoint has one kind of event, so that nothing competes",
    NotEstimable.EVENT_AT_ZERO: "an event at time 0, where this model has no density",
    NotEstimable.DELAYED_ENTRY: "not available with delayed entry",
    NotEstimable.NOT_RECORDED: "not recorded in this file",
    NotEstimable.REFERENCE: "reference level",
}


class Format(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    PERCENT = "percent"
    P_VALUE = "p_value"
    ESTIMATE = "estimate"
    ESTIMATE_PERCENT = "estimate_percent"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its key in the rows, heading, format and spanner.

    ``quiet`` greys it where there is colour; its heading says why.
    """

    key: str
    label: str
    format: Format = Format.TEXT
    decimals: int = 1
    spanner: str | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class DisplayTable:
    """A table as data: raw cells, and how each column is to be written.

    Parameters
    ----------
    title
        Heading of the table.
    columns
        In order; the first one is the stub.
    rows
        One mapping a row from column key to raw cell. ``_indent`` (int) and ``_heading``
        (bool) may be given for layout.
    footnotes
        Definitions, methods and provenance, in order.
    members
        Who is counted in a cell, by number of the row and key of the column; the row
        :data:`sts_core.members.HEADING` is the column's heading.
    stamp
        Stands out above the table on every medium; says that it is of an exploratory subset.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]
    footnotes: tuple[str, ...] = ()
    members: Mapping[tuple[int, str], Members] = field(default_factory=dict)
    stamp: str = ""

    def formatted(self) -> list[list[str]]:
        """Give all cells as strings, row by row."""
        return [
            [format_value(row.get(column.key), column) for column in self.columns]
            for row in self.rows
        ]


def round_half_up(number: float, decimals: int) -> str:
    """Round as printed tables do (half away from zero), keeping trailing zeros.

    Works on the shortest decimal that reads back as ``number``, so that 2.675 gives 2.68. Negative
    numbers have a minus sign, not a hyphen.
    """
    if math.isinf(number):
        return "∞" if number > 0 else f"{_MINUS}∞"
    return _digits(number, decimals).replace("-", _MINUS)


def _digits(number: float, decimals: int) -> str:
    """Round a finite number, with a hyphen before a negative one."""
    if -1e9 < number < 1e9:
        # away from a tie, all ways of rounding agree, and the quickest will do
        tail = f"{number:.{decimals + 4}f}"[-4:]
        if tail not in ("4999", "5000", "5001"):
            return _without_minus_zero(f"{number:.{decimals}f}")
    exponent = Decimal(1).scaleb(-decimals)
    # the usual context of 28 digits refuses 1e30, which a fit without events in a group can give
    rounded = Decimal(repr(float(number))).quantize(exponent, ROUND_HALF_UP, Context(prec=400))
    return _without_minus_zero(f"{rounded:f}")


def rounded_half_up(
    numbers: NDArray[np.float64], decimals: int, *, percent: bool = False
) -> NDArray[np.float64]:
    """Round many numbers as ``round_half_up`` does, or shares as ``format_percent`` does.

    The numbers are finite or NaN, which stays. Those of less than 15 digits give the same texts,
    by whatever means they are then written with ``decimals`` decimals.
    """
    raw = np.asarray(numbers, dtype=np.float64)
    shift = 10.0**decimals
    scaled = raw * (100.0 * shift if percent else shift)
    rounded = np.rint(scaled) / shift
    # near a tie the digits decide, and far out the product is no longer exact
    part = np.abs(scaled - np.trunc(scaled) - np.copysign(0.5, scaled))
    exact = np.isfinite(raw) & ((part < 1e-4) | (np.abs(scaled) > 1e9))
    for place in np.flatnonzero(exact).tolist():
        number = float(raw[place])
        rounded[place] = float(_digits(_times_hundred(number) if percent else number, decimals))
    return rounded + 0.0  # no minus zero


def _without_minus_zero(text: str) -> str:
    return text[1:] if text[0] == "-" and re.fullmatch(r"-0(\.0*)?", text) else text


def format_p(p_value: float | None) -> str:
    """Write P with two or three significant digits; below 0.001 and near one as a bound."""
    if p_value is None:
        return "NE"
    if p_value < 0.001:
        return "<0.001"
    if p_value > 0.999:
        return ">0.999"
    return round_half_up(p_value, 4 if p_value < 0.01 else 3)


def p_phrase(p_value: float | None, *, exploratory: bool = False) -> str:
    """Write ``P = 0.031`` or ``P <0.001`` inside a sentence, marked where exploratory."""
    written = format_p(p_value)
    relation = "" if written[0] in "<>" else "= "
    return f"{'exploratory ' if exploratory else ''}P {relation}{written}"


def format_number(number: float | None, decimals: int = 1) -> str:
    """Write a number, or NE for none."""
    return "NE" if number is None else round_half_up(number, decimals)


def format_percent(share: float | None, decimals: int = 1) -> str:
    """Write a share in [0, 1] as a percentage without its sign."""
    return "NE" if share is None else round_half_up(_times_hundred(share), decimals)


def _times_hundred(share: float) -> float:
    return float(Decimal(repr(float(share))) * 100)


def format_estimate(
    estimate: Estimate, decimals: int = 1, *, percent: bool = False, interval: bool = True
) -> str:
    """Write ``5.8 (4.8, 6.8)``; NR for a value not reached, NE for one not estimable.

    Parameters
    ----------
    estimate
        The value and its limits.
    decimals
        Decimals of all three.
    percent
        Whether to multiply by 100.
    interval
        Whether to write the limits.
    """
    if estimate.reason is NotEstimable.REFERENCE:
        return "1 (reference)"

    def written(number: float) -> str:
        return round_half_up(_times_hundred(number) if percent else number, decimals)

    if estimate.value is None:
        text = "NR" if estimate.reason is NotEstimable.NOT_REACHED else "NE"
        if not interval or (estimate.low is None and estimate.high is None):
            return text
    else:
        text = written(estimate.value)
    if not interval:
        return text
    low = "NE" if estimate.low is None else written(estimate.low)
    high = "NE" if estimate.high is None else written(estimate.high)
    return f"{text} ({low}, {high})"


def format_count(count: int, total: int, decimals: int = 1) -> str:
    """Write ``9 (17.6)``; ``0`` alone for none, so that a zero stands out."""
    if count == 0 or total == 0:
        return str(count)
    return f"{count} ({format_percent(count / total, decimals)})"


def open_ended(number: float, open_from: float | None) -> str | None:
    """Write a number that has reached a bound as ``≥`` of it; ``None`` for one below."""
    return f"≥{open_from:g}" if open_from is not None and number >= open_from else None


def format_bounded(number: float, decimals: int, open_from: float | None) -> str:
    """Write a number, from a bound on as ``≥`` of the bound."""
    return open_ended(number, open_from) or round_half_up(number, decimals)


def format_spread(spread: Spread) -> str:
    """Write a centre with its limits or its standard deviation; NE for none."""
    if spread.centre is None:
        return "NE"
    centre = format_bounded(spread.centre, spread.decimals, spread.open_from)
    if spread.low is not None and spread.high is not None:
        low, high = (
            format_bounded(limit, spread.decimals, spread.open_from)
            for limit in (spread.low, spread.high)
        )
        return f"{centre} ({low}, {high})"
    return f"{centre} ({format_number(spread.std_dev, spread.decimals)})"


def format_value(value: Cell, column: Column) -> str:
    """Write one raw cell as its column asks."""
    if isinstance(value, CountShare):
        return format_count(value.count, value.total, column.decimals)
    if isinstance(value, Spread):
        return format_spread(value)
    if isinstance(value, Estimate):
        return format_estimate(
            value, column.decimals, percent=column.format is Format.ESTIMATE_PERCENT
        )
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    match column.format:
        case Format.P_VALUE:
            return format_p(value)
        case Format.PERCENT | Format.ESTIMATE_PERCENT:
            return format_percent(value, column.decimals)
        case Format.NUMBER | Format.ESTIMATE:
            return format_number(value, column.decimals)
        case _:
            return str(value)


def unbroken(heading: str) -> str:
    """Keep the level of an interval together in a heading that is wrapped."""
    return heading.replace("% CI", "%\u00a0CI")


def counted(n: int, noun: str) -> str:
    """Write ``1 patient`` or ``2 patients``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def lower_first(label: str) -> str:
    """Begin a label in lower case inside a sentence, unless it is an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Join as in a sentence: ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


_MINUS = "\N{MINUS SIGN}"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&=\"'/@^])")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def escape(text: str, medium: Medium) -> str:
    r"""Make text that came from a spreadsheet harmless in a medium.

    Parameters
    ----------
    text
        Level, header or any other words out of a user's file.
    medium
        ``plotly`` and ``html`` get entities; ``markdown`` gets backslashes on one line; ``xml``
        loses what XML can't hold (its writer does the entities); ``excel`` gets an apostrophe
        before what a spreadsheet would run as a formula (for CSV; xlsx cells are typed).
    """
    clean = _CONTROL.sub("�", text)
    match medium:
        case "html":
            # an empty line would end the block that Markdown takes for HTML
            return html.escape(re.sub(r"\s*\n\s*", " ", clean), quote=True)
        case "plotly":
            # Plotly reads <b>, <i>, <a>... and entities, and takes quotes as they are
            return html.escape(clean, quote=False)
        case "markdown":
            return _MARKDOWN.sub(r"\\\1", " ".join(clean.split()))
        case "excel":
            return f"'{clean}" if clean.startswith(_FORMULA_START) else clean
        case _:
            return clean
