"""Tables and cohorts built in memory, as the reader would give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort
from sts_core.reading.assembly import assemble
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study import DataSection, Definitions, Study, TableSource

FILE = "patients.csv"


def raw_table(
    columns: Mapping[str, Sequence[object]],
    *,
    file: str = FILE,
    sheet: str | None = None,
    first_row: int = 2,
    **more: Any,
) -> RawTable:
    """Build a sheet; its first row below the header is spreadsheet row ``first_row``."""
    frame = pd.DataFrame(
        {name: pd.Series(list(cells), dtype=object) for name, cells in columns.items()}
    )
    n = len(frame)
    rows = np.arange(first_row, first_row + n)
    return RawTable(file, sheet, frame, first_row - 1, rows, **more)


def workbook(*sheets: RawTable, file: str = FILE) -> Workbook:
    """Build a file of sheets."""
    return Workbook(file, f"hash of {file}", tuple(sheets))


def book_of(columns: Mapping[str, Sequence[object]], *, file: str = FILE, **more: Any) -> Workbook:
    """Build a file of one table."""
    return workbook(raw_table(columns, file=file, **more), file=file)


def cohort_of(
    columns: Mapping[str, Sequence[object]],
    definitions: Definitions | None = None,
    *,
    subject_id: str | None = None,
    source: TableSource | None = None,
    others: Mapping[str, tuple[TableSource, Mapping[str, Sequence[object]]]] | None = None,
) -> Cohort:
    """Assemble a cohort of one patient table and, if need be, others by role."""
    tables = {"subjects": source or TableSource(file=FILE, subject_id=subject_id)}
    books = [book_of(columns)]
    for role, (other, cells) in (others or {}).items():
        tables[role] = other
        books.append(book_of(cells, file=other.file or f"{role}.csv"))
    study = Study(data=DataSection(tables), definitions=definitions or Definitions())
    return assemble(study, books)
