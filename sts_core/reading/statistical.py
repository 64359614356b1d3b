"""SPSS, Stata and SAS files: cells, labels, and codes that the file declares missing."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sts_core.reading.content import FileKind
from sts_core.reading.limits import Limits
from sts_core.reading.refusal import Reason, Refusal

_MAX_CODES = 40


@dataclass(slots=True)
class StatisticalFile:
    """Columns of a file with what it says about them.

    Parameters
    ----------
    names
        Columns in the order of the file.
    columns
        Cells of each, codes that the file declares missing already blank.
    n_rows
        Number of rows.
    column_labels, value_labels
        Long names, and meaning of codes, by column.
    declared_missing
        Code, meaning and number of cells of each declared code that occurs, by column.
    """

    names: list[str]
    columns: dict[str, list[Any]]
    n_rows: int
    column_labels: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    declared_missing: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)


def read_statistical(kind: FileKind, data: bytes, limits: Limits) -> StatisticalFile:
    """Read a file of a statistics program.

    Parameters
    ----------
    kind
        Its format.
    data
        Its bytes.
    limits
        Bounds on rows and columns.

    Raises
    ------
    Refusal
        If it is damaged or too large.
    """
    import pyreadstat

    readers: dict[FileKind, Callable[..., Any]] = {
        FileKind.SPSS: pyreadstat.read_sav,
        FileKind.STATA: pyreadstat.read_dta,
        FileKind.SAS: pyreadstat.read_sas7bdat,
        FileKind.SAS_TRANSPORT: pyreadstat.read_xport,
    }
    more = {} if kind is FileKind.SAS_TRANSPORT else {"user_missing": True}
    try:
        # The row count in the head is a promise only, and absent in some files.
        columns, about = readers[kind](
            io.BytesIO(data), output_format="dict", row_limit=limits.max_rows + 1, **more
        )
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  the library raises whatever a damaged file provokes
        raise Refusal(Reason.BROKEN) from None
    names = [str(name) for name in about.column_names]
    if len(names) > limits.max_columns:
        raise Refusal(Reason.COLUMNS, sheet="", count=len(names), limit=limits.max_columns)
    n_rows = max((len(columns[name]) for name in names), default=0)
    if n_rows > limits.max_rows:
        count = max(n_rows, about.number_rows or 0)
        raise Refusal(Reason.ROWS, sheet="", count=count, limit=limits.max_rows)
    if n_rows * len(names) > limits.max_cells:
        raise Refusal(Reason.CELLS, sheet="", count=n_rows * len(names), limit=limits.max_cells)
    found = StatisticalFile(names, {name: list(columns[name]) for name in names}, n_rows)
    found.column_labels = {
        name: str(label)
        for name, label in zip(names, about.column_labels or [], strict=False)
        if label
    }
    labels: Mapping[str, Mapping[Any, str]] = about.variable_value_labels
    for name in names:
        known = dict(labels.get(name, {}))
        is_missing = _declared(
            about.missing_ranges.get(name) or (), about.missing_user_values.get(name) or ()
        )
        if is_missing is not None:
            _blank_out(found, name, known, is_missing)
            known = {code: label for code, label in known.items() if not is_missing(code)}
        if known:
            found.value_labels[name] = [(code, str(label)) for code, label in known.items()]
    return found


def _declared(
    ranges: Iterable[Mapping[str, Any]], letters: Iterable[Any]
) -> Callable[[Any], bool] | None:
    """Give the rule by which a code is missing; ``None`` without one."""
    bounds = [(entry["lo"], entry["hi"]) for entry in ranges]
    codes = set(letters)
    if not bounds and not codes:
        return None

    def is_missing(code: Any) -> bool:
        if isinstance(code, str):
            return code in codes or any(code.rstrip() == str(low).rstrip() for low, _ in bounds)
        if isinstance(code, bool) or not isinstance(code, int | float):
            return False
        return any(
            isinstance(low, int | float) and isinstance(high, int | float) and low <= code <= high
            for low, high in bounds
        )

    return is_missing


def _blank_out(
    found: StatisticalFile,
    name: str,
    labels: Mapping[Any, str],
    is_missing: Callable[[Any], bool],
) -> None:
    cells = found.columns[name]
    declared = {cell: is_missing(cell) for cell in dict.fromkeys(cells)}
    counts = Counter(cell for cell in cells if declared[cell])
    if not counts:
        return
    found.columns[name] = [None if declared[cell] else cell for cell in cells]
    found.declared_missing[name] = [
        (
            str(int(code)) if isinstance(code, float) and code.is_integer() else str(code),
            str(labels.get(code, "")),
            count,
        )
        for code, count in counts.most_common(_MAX_CODES)
    ]
