"""Run the reading process: bytes in by a pipe, tables out by a pipe, nothing on the disk.

The process is a fresh interpreter without this one's memory, environment or open files. It is
killed at the deadline; whatever ends it, the server goes on.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sts_core.reading.content import FileKind
from sts_core.reading.limits import Limits
from sts_core.reading.parsing import (
    LENGTH,
    MAGIC,
    STEP,
    STEP_MAGIC,
    parse,
    write_reply,
    write_request,
)
from sts_core.reading.progress import Cancelled, Progress, Stage
from sts_core.reading.refusal import Reason, Refusal

# Packages without their __init__, so that the process doesn't load pandas.
_START = """
import os, sys, types
root = sys.argv[1]
sys.path[:] = sys.argv[1:]
for name in ("sts_core", "sts_core.reading"):
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(root, *name.split("."))]
    sys.modules[name] = package
from sts_core.reading.parsing import main
main()
"""
_ROOT = Path(__file__).resolve().parents[2]
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR")
_BLOCK = 1 << 20
# How soon somebody who waits for a turn sees that the work was cancelled.
_LOOK_SECONDS = 0.2
_MAX_SIMULTANEOUS = 2
_SLOTS = threading.BoundedSemaphore(_MAX_SIMULTANEOUS)


@dataclass(slots=True)
class ReadGrid:
    """Cells of one sheet as the reading process sent them, checked.

    Parameters
    ----------
    sheet, hidden, names, first_column, facts
        As in :class:`sts_core.reading.parsing.Grid`.
    row_numbers
        Shape (rows,): spreadsheet row of each row.
    values
        Distinct values of each column, dtype ``object``.
    codes
        Shape (rows,) each: index into ``values``, by column.
    """

    sheet: str | None
    hidden: bool
    names: list[str] | None
    first_column: int
    row_numbers: NDArray[np.int32]
    values: list[NDArray[np.object_]] = field(default_factory=list)
    codes: list[NDArray[np.int32]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def read_in_child(
    kind: FileKind,
    data: bytes,
    limits: Limits,
    *,
    preferred: str = ",",
    progress: Progress | None = None,
) -> list[ReadGrid]:
    """Parse a file in a process of its own.

    Parameters
    ----------
    kind
        Format of the file.
    data
        Its bytes.
    limits
        Bounds, of which memory and deadline hold for the process.
    preferred
        Delimiter of a text table in which none can be told.
    progress
        Told the rows that have been read, then the columns that have been taken over; its cancel
        kills the process, or ends the taking over at the next column.

    Raises
    ------
    Refusal
        If the file can't be read within the limits, or the process ends in any other way.
    Cancelled
        If that was asked for.
    TookTooLong
        If the time that ``progress`` allows this process is over.
    """
    progress = Progress() if progress is None else progress
    started = time.monotonic()
    _wait_for_a_slot(started + limits.deadline_seconds, progress)
    try:
        progress.report(Stage.READING)
        left = max(limits.deadline_seconds - (time.monotonic() - started), 0.1)
        reply = _run(write_request(kind, limits, preferred), data, limits, left, progress)
    finally:
        _SLOTS.release()
    try:
        with progress.own_work():
            return _decode(reply, progress)
    except Refusal:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise Refusal(Reason.STOPPED) from None


def read_here(
    kind: FileKind, data: bytes, limits: Limits, *, preferred: str = ","
) -> list[ReadGrid]:
    """Parse a file of the app itself in this process; the same grids as from a process of its own.

    Raises
    ------
    Refusal
        If the file can't be read.
    """
    stream = io.BytesIO()
    write_reply(parse(kind, data, limits, preferred=preferred), stream)
    return _decode(bytearray(stream.getvalue()))


def _wait_for_a_slot(until: float, progress: Progress) -> None:
    """Wait for the turn; whoever has been cancelled leaves the queue."""
    while not _SLOTS.acquire(timeout=min(_LOOK_SECONDS, max(until - time.monotonic(), 0.0))):
        progress.report(Stage.WAITING)
        if time.monotonic() >= until:
            raise Refusal(Reason.BUSY)


def _command() -> list[str]:
    paths = [str(_ROOT), *(path for path in sys.path if path and path != str(_ROOT))]
    return [sys.executable, "-I", "-S", "-B", "-c", _START, *paths]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _run(
    request: bytes,
    data: bytes,
    limits: Limits,
    seconds: float,
    progress: Progress | None = None,
) -> bytearray:
    progress = Progress() if progress is None else progress
    process = subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A message of the process could quote the file.
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    too_late = threading.Event()

    def give_up() -> None:
        too_late.set()
        _kill(process)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    feeder = threading.Thread(target=_feed, args=(process.stdin, request, data), daemon=True)
    reply = bytearray()
    max_reply = limits.memory_mb * 250_000
    try:
        timer.start()
        feeder.start()
        with progress.ending(lambda: _kill(process)):
            while block := os.read(process.stdout.fileno(), _BLOCK):
                reply += block
                _take_steps(reply, progress)
                if len(reply) > max_reply:
                    raise Refusal(Reason.MEMORY, limit=limits.memory_mb)
            process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
        process.stdout.close()
        feeder.join()
    if progress.cancelled:
        raise Cancelled
    if too_late.is_set():
        raise Refusal(Reason.DEADLINE, limit=limits.deadline_seconds)
    if process.returncode != 0:
        raise Refusal(Reason.STOPPED)
    return reply


def _take_steps(reply: bytearray, progress: Progress) -> None:
    """Take the reports of progress off the beginning of what the process has sent so far."""
    size = len(STEP_MAGIC) + STEP.size
    while reply.startswith(STEP_MAGIC) and len(reply) >= size:
        n_rows, share = STEP.unpack_from(reply, len(STEP_MAGIC))
        del reply[:size]
        progress.report(Stage.READING, n_rows, share if 0.0 <= share <= 1.0 else None)


def _feed(stream: IO[bytes], request: bytes, data: bytes) -> None:
    with suppress(OSError, ValueError), stream:
        stream.write(request)
        stream.write(data)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it may have started."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _decode(reply: bytearray, progress: Progress | None = None) -> list[ReadGrid]:
    view = memoryview(reply)
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise ValueError("not a reply")
    header, place = _json(view, len(MAGIC))
    if "refusal" in header:
        facts = {
            str(name): fact
            for name, fact in header["facts"].items()
            if isinstance(fact, str | int | float)
        }
        raise Refusal(Reason(header["refusal"]), **facts)
    n_all = sum(int(about["n_columns"]) for about in header["grids"])
    grids: list[ReadGrid] = []
    n_done = 0
    for about in header["grids"]:
        n_rows = int(about["n_rows"])
        row_numbers = np.frombuffer(view, dtype=np.intc, count=n_rows, offset=place)
        place += row_numbers.nbytes
        names = about["names"]
        grid = ReadGrid(
            sheet=None if about["sheet"] is None else str(about["sheet"]),
            hidden=bool(about["hidden"]),
            names=None if names is None else [str(name) for name in names],
            first_column=int(about["first_column"]),
            row_numbers=row_numbers.astype(np.int32),
            facts=dict(about["facts"]),
        )
        for _ in range(int(about["n_columns"])):
            if progress is not None:
                progress.report(Stage.TAKING_OVER, n_done, n_done / n_all)
            n_done += 1
            content, place = _json(view, place)
            values = _values(content)
            codes = np.frombuffer(view, dtype=np.intc, count=n_rows, offset=place)
            place += codes.nbytes
            if n_rows and (codes.min() < 0 or codes.max() >= len(values)):
                raise ValueError("code without a value")
            grid.values.append(values)
            grid.codes.append(codes.astype(np.int32))
        if grid.names is not None and len(grid.names) != len(grid.values):
            raise ValueError("names don't fit the columns")
        grids.append(grid)
    if place != len(view):
        raise ValueError("reply is too long")
    return grids


def _json(view: memoryview, place: int) -> tuple[Any, int]:
    """Give a text of JSON that its length stands before, and the place behind it."""
    begin = place + LENGTH.size
    if begin > len(view):
        raise ValueError("reply is cut off")
    (length,) = LENGTH.unpack(view[place:begin])
    if begin + length > len(view):
        raise ValueError("reply is cut off")
    return json.loads(bytes(view[begin : begin + length])), begin + length


def _values(content: list[object]) -> NDArray[np.object_]:
    values = np.empty(len(content), dtype=object)
    values[:] = [_value(value) for value in content]
    return values


def _value(value: object) -> object:
    if isinstance(value, str):
        return value.strip(" \t\r\n\f\v\u00a0\u3000\ufeff") or None
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, dict) and set(value) == {"d"}:
        return datetime.fromisoformat(value["d"])
    raise ValueError("unknown kind of value")
