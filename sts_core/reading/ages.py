"""Ages in completed years, from a date or a year of birth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sts_core.values import DateOrder, dates, numbers


def ages(birth: pd.Series, birth_order: DateOrder | None, at: np.ndarray) -> list[int | None]:
    """Give ages in completed years.

    Parameters
    ----------
    birth
        Dates of birth, or years: with a year alone the age may be one year too high.
    birth_order
        Order of day and month in text.
    at
        Date at which the age is taken, datetime64[D] of the same length.

    Returns
    -------
    list
        ``None`` where a date is not known, or where the birth would come after it.
    """
    at = at.astype("datetime64[D]")
    born = dates(birth, order=birth_order).values
    years = _year(at) - _year(born)
    by_date = years - (_day_in_year(at) < _day_in_year(born))
    year = numbers(birth).values
    with np.errstate(invalid="ignore"):
        is_year = (year == np.floor(year)) & (year >= 1890)
    age = np.where(np.isnat(born), _year(at) - np.where(is_year, year, np.nan), by_date)
    known = ~np.isnat(at) & (is_year | ~np.isnat(born)) & (age >= 0)
    return [int(value) if good else None for value, good in zip(age, known, strict=True)]


def _year(date: np.ndarray) -> np.ndarray:
    """Give calendar years as float64; what stands for NaT is never looked at."""
    return date.astype("datetime64[Y]").astype(np.int64) + 1970.0


def _day_in_year(date: np.ndarray) -> np.ndarray:
    """Give a number that orders days as month and day do, whether or not the year is a leap one."""
    month = date.astype("datetime64[M]")
    order: np.ndarray = month.astype(np.int64) % 12 * 31 + (date - month).astype(np.int64)
    return order
