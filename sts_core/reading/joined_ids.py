"""Patient ids that are several columns together: the number of a patient within a centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sts_core.reading.sheet import Sheet, profile_sheet
from sts_core.reading.vocabulary import vocabulary
from sts_core.reading.workbook import RawTable
from sts_core.values import texts

BETWEEN = " / "
#: Of the pairs of centre and number so many may stand twice: these were entered twice.
_MOST_TWICE = 0.02


def with_joined_ids(raw: RawTable, column: str | None, parts: Sequence[str]) -> RawTable:
    """Give a table whose ids are written after those of further columns: ``C1 / 7``.

    An id is missing where one of its parts is.

    Parameters
    ----------
    raw
        The table.
    column
        Column of the id, which is replaced.
    parts
        Columns that stand before it.
    """
    if not parts or column is None or not {column, *parts} <= set(raw.frame.columns):
        return raw
    read = [texts(raw.cells(name)).tolist() for name in (*parts, column)]
    joined = [
        BETWEEN.join(cells) if None not in cells else None for cells in zip(*read, strict=True)
    ]
    frame = raw.frame.assign(**{column: pd.Series(joined, index=raw.frame.index, dtype=object)})
    return replace(raw, frame=frame, id_with=tuple(parts))


def by_centre(sheet: Sheet) -> Sheet:
    """Give a sheet with ids by centre, where a number stands in several centres, once in each.

    No patient has one row in each of several centres: such a number is no id of its own.
    """
    column = sheet.id_column
    if column is None or not sheet.ids_repeat:
        return sheet
    for name in centre_columns(sheet):
        joined = with_joined_ids(sheet.raw, column, (name,))
        pairs = pd.Series(joined.frame[column]).dropna()
        n_twice = int(pairs.duplicated(keep=False).sum())
        if len(pairs) and n_twice <= max(2, _MOST_TWICE * len(pairs)) and _spread(sheet, name):
            return replace(profile_sheet(joined), id_column=column)
    return sheet


def centre_columns(sheet: Sheet) -> tuple[str, ...]:
    """Give the columns that are named as the centre of a patient."""
    known = vocabulary().variables
    found = []
    for name, words in sheet.words.items():
        match = known.match(words)
        if match is not None and match.exact and match.concept == "centre":
            found.append(name)
    return tuple(name for name in found if name != sheet.id_column)


def _spread(sheet: Sheet, name: str) -> bool:
    """Whether most of the ids that repeat stand in several centres."""
    ids, where = sheet.ids(), texts(sheet.raw.cells(name))
    known = np.array([a is not None and b is not None for a, b in zip(ids, where, strict=True)])
    frame = pd.DataFrame({"id": ids[known], "where": where[known]})
    sizes = frame.groupby("id")["where"].agg(["size", "nunique"])
    several = sizes[sizes["size"] > 1]
    return bool(len(several)) and bool((several["nunique"] > 1).mean() > 0.5)
