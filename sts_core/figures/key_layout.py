"""The key: measured, set in columns or lines, and a corner that no curve passes through."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from sts_core.figures.marks import (
    Band,
    CensorTicks,
    FloatArray,
    Key,
    KeyEntry,
    Line,
    Role,
    Rule,
    StepLine,
)
from sts_core.figures.panel_layout import (
    clipped_points,
    draw_rule,
)
from sts_core.figures.placed import (
    ASCENT,
    PlacedPanel,
    PlacedPath,
)
from sts_core.figures.sheet import (
    LINE_HEIGHT,
    Sheet,
    rectangle,
)


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """A measured key: its lines of cells with their columns.

    ``cramped`` says that a word of a label had to be broken. ``numbers`` are lines below each
    label that say what columns would, where these are too wide.
    """

    key: Key
    width: float
    height: float
    label_lines: tuple[tuple[str, ...], ...]
    label_width: float
    cell_widths: tuple[float, ...]
    notes: tuple[str, ...]
    flowing: bool
    cramped: bool
    numbers: tuple[tuple[str, ...], ...] = ()
    left: float = 0.0
    top: float = 0.0


SAMPLE = 2.4  # length of a line sample in ems
_KEY_GAP = 0.9  # between columns in ems


def cell_lines(text: str) -> tuple[str, ...]:
    """Give the lines of a column heading; it breaks only where it says so."""
    return tuple(text.splitlines())


def measure_key(
    sheet: Sheet, key: Key, max_width: float, *, compact: bool, stacked: bool = False
) -> KeyBlock | None:
    """Measure a key; ``None`` when there is nothing to write.

    Parameters
    ----------
    sheet, key, max_width
        What to write, and the room for it.
    compact
        Whether notes may be narrower than the room.
    stacked
        Whether the numbers stand in lines below the names in place of columns.
    """
    if stacked:
        return _stacked_key(sheet, key, max_width)
    if not key.entries and not key.notes and not key.symbols:
        return None
    size = sheet.small
    step = LINE_HEIGHT * size
    gap = _KEY_GAP * size
    sample = SAMPLE * size + 0.5 * size
    n_cells = max((len(entry.cells) for entry in key.entries), default=0)
    cell_widths = tuple(
        max(
            [0.0]
            + [
                sheet.measure(line, size)
                for line in (cell_lines(key.headers[i]) if i < len(key.headers) else ())
            ]
            + [sheet.measure(e.cells[i], size) for e in key.entries if i < len(e.cells)]
        )
        for i in range(n_cells)
    )
    cells = sum(cell_widths) + gap * n_cells
    labels = [entry.label for entry in key.entries]
    natural = max((sheet.measure(label, size, 400) for label in labels), default=0.0)
    flowing = n_cells == 0 and not compact
    label_width = min(natural, max(max_width - sample - cells, 6 * size))
    words = [word for label in labels for word in _words(label)]
    cramped = any(sheet.measure(word, size) > label_width + 0.01 for word in words)
    label_lines = tuple(sheet.wrapped(label, label_width + 0.01, size) for label in labels)
    table_width = (sample if _has_samples(key) else 0.0) + label_width + cells
    symbols_width = sum(sample + sheet.measure(symbol.label, size) + gap for symbol in key.symbols)
    width = max(table_width, symbols_width)
    notes_width = max(width, min(max_width, 24 * size)) if compact else max_width
    notes = tuple(line for note in key.notes for line in sheet.wrapped(note, notes_width, size))
    width = max([width, *(sheet.measure(note, size) for note in notes)])
    if flowing:
        lines = _flow_lines(sheet, key, max_width)
        height = len(lines) * step
    else:
        height = sum(len(lines) for lines in label_lines) * step
        height += step * _header_lines(key)
        height += step if key.symbols else 0.0
    height += len(notes) * step
    return KeyBlock(
        key, width, height, label_lines, label_width, cell_widths, notes, flowing, cramped
    )


def _stacked_key(sheet: Sheet, key: Key, max_width: float) -> KeyBlock:
    size = sheet.small
    room = max_width - (SAMPLE + 0.5) * size
    labels = tuple(sheet.wrapped(entry.label, room, size) for entry in key.entries)
    numbers = tuple(
        sheet.wrapped("; ".join(_told(key, entry)), room, size) for entry in key.entries
    )
    notes = tuple(line for note in key.notes for line in sheet.wrapped(note, max_width, size))
    lines = sum(map(len, labels)) + sum(map(len, numbers)) + len(notes) + bool(key.symbols)
    height = lines * LINE_HEIGHT * size
    return KeyBlock(
        key, max_width, height, labels, room, (), notes, flowing=False, cramped=False,
        numbers=numbers,
    )  # fmt: skip


def _told(key: Key, entry: KeyEntry) -> list[str]:
    """Say what a line's cells are, each with the first line of its heading."""
    heads = [(cell_lines(header) or ("",))[0] for header in key.headers]
    heads += [""] * (len(entry.cells) - len(heads))
    told = enumerate(zip(heads, entry.cells, strict=False))
    return [f"{head} {cell}".strip() for i, (head, cell) in told if i not in key.spare]


def _words(label: str) -> list[str]:
    # Chinese text breaks anywhere, so only its longest Latin word counts
    return re.findall(r"[^\s\u2e80-\u9fff-]+", label)


def _header_lines(key: Key) -> int:
    if not key.entries:
        return 0
    return max((len(cell_lines(header)) for header in key.headers), default=0)


def _has_samples(key: Key) -> bool:
    return any(entry.sample != "none" for entry in key.entries)


def _flow_lines(
    sheet: Sheet, key: Key, max_width: float
) -> list[list[tuple[float, KeyEntry, str]]]:
    """Set entries one after another in lines no wider than ``max_width``."""
    size = sheet.small
    sample = (SAMPLE + 0.5) * size
    lines: list[list[tuple[float, KeyEntry, str]]] = [[]]
    x = 0.0
    for entry in (*key.entries, *key.symbols):
        pieces = sheet.wrapped(entry.label, max_width - sample, size)
        for number, piece in enumerate(pieces):
            wide = sample + sheet.measure(piece, size)
            if number or (x > 0 and x + wide > max_width):
                lines.append([])
                x = 0.0
            lines[-1].append((x, entry if number == 0 else replace(entry, sample="none"), piece))
            x += wide + 1.4 * size
    return [line for line in lines if line]


def draw_sample(sheet: Sheet, entry: KeyEntry, x: float, y: float, size: float) -> None:
    """Draw the line sample of an entry from ``x`` on, centred on ``y``."""
    length = SAMPLE * size
    name = f"Key: {entry.label}"
    if entry.sample == "line":
        sheet.stroke([(x, y), (x + length, y)], entry.role, sheet.line, dash=entry.dash, name=name)
    elif entry.sample == "tick":
        half = 0.36 * size
        middle = x + length / 2
        sheet.stroke(
            [(x + 0.25 * length, y), (x + 0.75 * length, y)], entry.role, sheet.line, name=name
        )
        sheet.stroke([(middle, y - half), (middle, y + half)], entry.role, sheet.line, name=name)
    elif entry.sample == "box":
        half = 0.36 * size
        sheet.fill(
            rectangle(x + length - 3 * half, y - half, x + length, y + half), entry.role, name=name
        )


def draw_key(sheet: Sheet, block: KeyBlock) -> None:
    """Draw a measured key at its place."""
    key = block.key
    size = sheet.small
    step = LINE_HEIGHT * size
    gap = _KEY_GAP * size
    sample = (SAMPLE + 0.5) * size if _has_samples(key) else 0.0
    left, y = block.left, block.top
    if block.flowing:
        for entries in _flow_lines(
            sheet, key, max(block.width, sheet.size.width - left - sheet.size.margin)
        ):
            for x, entry, text in entries:
                draw_sample(sheet, entry, left + x, y + 0.5 * size, size)
                sheet.write(left + x + (SAMPLE + 0.5) * size, y + ASCENT * size, text, size=size)
            y += step
    else:
        rights = []
        x = left + sample + block.label_width
        for cell_width in block.cell_widths:
            x += gap + cell_width
            rights.append(x)
        n_header = 0 if block.numbers else _header_lines(key)
        for right, header in zip(rights, key.headers, strict=False):
            lines = cell_lines(header)
            for i, line in enumerate(lines):
                at = y + (n_header - len(lines) + i) * step + ASCENT * size
                sheet.write(right, at, line, size=size, role=Role.MUTED, anchor="end")
        y += n_header * step
        for number, (entry, lines) in enumerate(zip(key.entries, block.label_lines, strict=True)):
            draw_sample(sheet, entry, left, y + 0.5 * size, size)
            for i, line in enumerate(lines):
                sheet.write(left + sample, y + i * step + ASCENT * size, line, size=size)
            for right, cell in zip(rights, entry.cells, strict=False):
                sheet.write(right, y + ASCENT * size, cell, size=size, anchor="end")
            y += step * len(lines)
            for line in block.numbers[number] if block.numbers else ():
                sheet.write(left + sample, y + ASCENT * size, line, size=size, role=Role.MUTED)
                y += step
        if key.symbols:
            x = left
            for symbol in key.symbols:
                draw_sample(sheet, symbol, x, y + 0.5 * size, size)
                x += (SAMPLE + 0.5) * size
                sheet.write(x, y + ASCENT * size, symbol.label, size=size, role=Role.MUTED)
                x += sheet.measure(symbol.label, size) + gap
            y += step
    for note in block.notes:
        sheet.write(left, y + ASCENT * size, note, size=size, role=key.notes_role)
        y += step


def free_corner(
    frame: PlacedPanel, width: float, height: float, sheet: Sheet
) -> tuple[float, float] | None:
    """Find a place inside a panel for a box that touches no curve, band, tick or rule."""
    pad = 0.6 * sheet.text
    if width + 2 * pad > frame.width or height + 2 * pad > frame.height:
        return None
    boxes = _occupied(frame, sheet)
    lefts = np.linspace(frame.right - width - pad, frame.left + pad, 7)
    tops = np.linspace(frame.top + pad, frame.bottom - height - pad, 7)
    order = sorted(
        ((float(x), float(y)) for x in lefts for y in tops),
        # near the top right first; the bottom left is where curves end
        key=lambda at: (
            (frame.right - at[0]) / frame.width + 1.5 * (at[1] - frame.top) / frame.height
        ),
    )
    for x, y in order:
        hit = (
            (boxes[:, 0] < x + width + pad)
            & (boxes[:, 2] > x - pad)
            & (boxes[:, 1] < y + height + pad)
            & (boxes[:, 3] > y - pad)
        )
        if not hit.any():
            return x, y
    return None


def _occupied(frame: PlacedPanel, sheet: Sheet) -> FloatArray:
    """Give left, top, right and bottom of everything drawn in a panel."""
    found: list[FloatArray] = [np.empty((0, 4))]
    for mark in frame.panel.marks:
        if isinstance(mark, StepLine):
            x, y = mark.corners()
            if len(x) > 1:
                points = clipped_points(frame, x, y)
                found.append(_boxes_between(points[:-1], points[1:]))
        elif isinstance(mark, Line):
            for x, y in mark.pieces():
                points = clipped_points(frame, x, y)
                found.append(_boxes_between(points[:-1], points[1:]))
        elif isinstance(mark, Band):
            for x, low, high in mark.pieces():
                lower, upper = clipped_points(frame, x, low), clipped_points(frame, x, high)
                found.append(_boxes_between(lower[:-1], upper[1:]))
        elif isinstance(mark, CensorTicks):
            points = np.column_stack((frame.x(mark.x), frame.y(mark.y)))
            half = np.array([0.0, 0.32 * sheet.text])
            found.append(_boxes_between(points - half, points + half))
        elif isinstance(mark, Rule):
            probe = Sheet(sheet.size, sheet.metrics)
            draw_rule(probe, frame, mark)
            (path,) = [item for item in probe.items if isinstance(item, PlacedPath)]
            found.append(_boxes_between(path.subpaths[0][:1], path.subpaths[0][1:]))
    return np.vstack(found)


def _boxes_between(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.column_stack((np.minimum(first, second), np.maximum(first, second)))
