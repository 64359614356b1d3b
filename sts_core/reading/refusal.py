"""Why a file can't be read, as a code with facts; it crosses the process border as JSON."""

from __future__ import annotations

from enum import StrEnum

Fact = str | int | float


class Reason(StrEnum):
    """Every reason to refuse a file; ``messages.py`` says it in words."""

    EMPTY = "empty"
    BROKEN = "broken"
    PROTECTED = "protected"
    WRONG_TYPE = "wrong_type"
    NOT_TEXT = "not_text"
    UNCLOSED_QUOTE = "unclosed_quote"
    LONG_CELL = "long_cell"
    BYTES = "bytes"
    ROWS = "rows"
    COLUMNS = "columns"
    CELLS = "cells"
    EXPANDS = "expands"
    FAR_CELL = "far_cell"
    DEADLINE = "deadline"
    BUSY = "busy"
    MEMORY = "memory"
    STOPPED = "stopped"


class Refusal(Exception):  # noqa: N818  an answer about the file, not a failure
    """The file can't be read; carries no cell of it.

    Parameters
    ----------
    reason
        What stood in the way.
    **facts
        Sheet, cell reference, counts and limits for the message.
    """

    def __init__(self, reason: Reason, **facts: Fact) -> None:
        self.reason = reason
        self.facts = facts
        super().__init__(reason.value)
