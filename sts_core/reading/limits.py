"""How much a file may ask for; an administrator sets it by environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

_VARIABLES = {
    "max_upload_mb": "STS_MAX_UPLOAD_MB",
    "max_rows": "STS_MAX_ROWS",
    "max_columns": "STS_MAX_COLUMNS",
    "max_cells": "STS_MAX_CELLS",
    "max_expanded_mb": "STS_MAX_EXPANDED_MB",
    "memory_mb": "STS_READ_MEMORY_MB",
    "deadline_seconds": "STS_READ_SECONDS",
    "recognise_seconds": "STS_RECOGNISE_SECONDS",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file.

    Parameters
    ----------
    max_upload_mb
        Size of the file, in MB of 1,000,000 bytes.
    max_rows, max_columns
        Rows and columns of one sheet; blank rows don't count.
    max_cells
        Rows times columns, over all sheets.
    max_expanded_mb
        Size of all parts of a zipped workbook after unpacking.
    memory_mb
        Address space of the reading process, in MB; used where the system can limit it (Linux).
    deadline_seconds
        Time from the start of reading, after which the file is given up.
    recognise_seconds
        Time to take over, recognise and check what was read, after which it is given up.
    """

    max_upload_mb: int = 50
    max_rows: int = 250_000
    max_columns: int = 2_000
    max_cells: int = 12_000_000
    max_expanded_mb: int = 700
    memory_mb: int = 2_048
    deadline_seconds: float = 60.0
    recognise_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse limits that nothing could meet."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"{field.name} must be above 0, but was {value}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Limits:
        """Take each limit from its environment variable, or else the default.

        Raises
        ------
        ValueError
            If a variable is set to something that is not a number above 0.
        """
        environment = os.environ if environment is None else environment
        found: dict[str, float] = {}
        for name, variable in _VARIABLES.items():
            text = environment.get(variable, "").strip()
            if not text:
                continue
            try:
                value = float(text) if name.endswith("_seconds") else int(text)
            except ValueError:
                value = 0
            if not 0 < value < float("inf"):
                raise ValueError(f"{variable} must be a number above 0, but is “{text}”")
            found[name] = value
        return cls(**found)  # type: ignore[arg-type]


DEFAULT_LIMITS = Limits()
