"""A file as it was read: tables with the user's own column names and cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sts_core.findings import Finding
from sts_core.values import DistinctCells, distinct_cells

Cell = str | float | int | bool


class Part(StrEnum):
    """What a table was made of, where the rows of a file are events or repeated forms."""

    PATIENTS = "patients"
    EVENT = "event"
    REPEATED = "repeated"


class Pick(StrEnum):
    """Which of the values of a patient a column holds."""

    ONLY = "only"
    EVENT = "event"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a column of a patient's row comes from.

    Attributes
    ----------
    column
        Its header in the file.
    event
        The event or form, or several in words.
    pick
        Which value: the only one, that of one event, or the first or last of several.
    """

    column: str
    event: str
    pick: Pick


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """One sheet, with cells as they were read.

    Parameters
    ----------
    file, sheet
        Where it comes from; ``sheet`` is ``None`` in formats without sheets.
    frame
        One row a row below the column names, blank rows and columns left out; every column has
        dtype ``object`` and holds ``str``, ``int``, ``float``, ``bool``, ``datetime`` or ``None``.
        In text tables every cell is ``str`` or ``None``.
    header_row
        Spreadsheet row of the column names, from 1; 0 where the format keeps them apart.
    row_numbers
        Shape (rows,): spreadsheet row of each row of ``frame``, from 1.
    hidden
        Whether the workbook hides the sheet.
    decimal_comma
        Whether numbers written as text use a comma as decimal mark, and none uses a point.
    semicolons
        Whether semicolons part the cells, as where the comma is the decimal mark.
    column_labels
        Long names of columns (SPSS, Stata, SAS), by column.
    value_labels
        Meaning of codes (SPSS, Stata, SAS, a data dictionary), by column.
    private
        Columns that a data dictionary marks as identifying a person.
    dictionary
        Whether it describes columns of other tables, and holds no patients.
    part
        What it was made of, where the rows of the file are events; ``None`` for any other table.
    origins
        Where columns of a patient's row come from that are not of the patient's own event alone.
    id_with
        Columns that stand before the patient id in the ids of the table, as they were joined.
    profiled
        What was told of each column, by its name. The cells never change, so that a column is
        looked at once.
    looked_through
        Different cells of columns, by their name.
    """

    file: str
    sheet: str | None
    frame: pd.DataFrame
    header_row: int
    row_numbers: NDArray[np.int64]
    hidden: bool = False
    decimal_comma: bool = False
    semicolons: bool = False
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Cell, str]] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    dictionary: bool = False
    part: Part | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)
    id_with: tuple[str, ...] = ()
    profiled: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    looked_through: dict[str, DistinctCells] = field(default_factory=dict, init=False, repr=False)

    def cells(self, name: str) -> DistinctCells:
        """Give the different cells of a column; each column is looked through once."""
        if name not in self.looked_through:
            self.looked_through[name] = distinct_cells(self.frame[name])
        return self.looked_through[name]

    @property
    def label(self) -> str:
        """Sheet name, or the file name where there are no sheets."""
        return self.file if self.sheet is None else self.sheet


@dataclass(frozen=True, slots=True, eq=False)
class Workbook:
    """All tables of one file.

    Parameters
    ----------
    file
        Its name, without a directory.
    sha256
        Hash of its bytes, as hexadecimal digits.
    sheets
        Tables in the order of the file; at least one.
    findings
        What the user should know about how it was read.
    format
        Format in words, by content.
    encoding, delimiter
        Of a text table.
    """

    file: str
    sha256: str
    sheets: tuple[RawTable, ...]
    findings: tuple[Finding, ...] = ()
    format: str = ""
    encoding: str | None = None
    delimiter: str | None = None
