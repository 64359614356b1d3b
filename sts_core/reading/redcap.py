"""Data dictionaries beside the data: what columns and codes mean; they hold no patients.

Exports whose rows are events or repeated forms are parted on the way
(:mod:`sts_core.reading.database_events`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity
from sts_core.reading.database_events import column_named, header_words, part_events
from sts_core.reading.workbook import Cell, RawTable, Workbook
from sts_core.values import date_of, dates, number_of, numbers, text_of, texts

_FIELD = (
    "variable field name", "field name", "variable name", "variablename", "variable", "field",
    "column name", "column", "name", "变量名称", "变量名", "变量",
)  # fmt: skip
_LABEL = (
    "field label", "variable label", "label", "description optional", "description", "meaning",
    "含义", "说明",
)  # fmt: skip
_CHOICES = (
    "choices calculations or slider labels", "select choices or calculations",
    "choices or calculations", "choices", "value labels", "codes", "coding", "levels", "values",
    "allowed values", "编码", "取值",
)  # fmt: skip
_TYPE = ("field type", "type")
_LOWEST = ("text validation min", "minimum", "min", "最小值", "下限")
_HIGHEST = ("text validation max", "maximum", "max", "最大值", "上限")
_IDENTIFIER = ("identifier",)
_WRITTEN_BY_DATABASE = (
    {"variable field name", "field type", "field label"},
    {"field name", "form name", "field type", "field label"},
)
_LISTED = frozenset({"", "category", "categorical", "factor", "list", "codes", "dropdown", "radio"})
_WITHOUT_CHOICES = frozenset({"calc", "slider", "text", "notes", "file", "descriptive", "sql"})
_WITH_CHOICES = frozenset({"radio", "dropdown", "checkbox"})
_FIXED_CHOICES = {
    "yesno": {"0": "No", "1": "Yes"},
    "truefalse": {"0": "False", "1": "True"},
}
_UNCHECKED = {"0": "No", "1": "Yes"}
_YES = frozenset({"y", "yes", "1", "true", "是"})


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    label: str
    kind: str
    choices: Mapping[str, str]
    identifies: bool
    levels: tuple[str, ...] = ()
    lowest: str = ""
    highest: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Dictionary:
    table: RawTable
    entries: Mapping[str, _Entry]


@dataclass(slots=True)
class _Described:
    """What a dictionary says about one table."""

    labels: dict[str, str] = field(default_factory=dict)
    values: dict[str, Mapping[Cell, str]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def is_dictionary_header(columns: Iterable[object]) -> bool:
    """Whether the columns are those of a dictionary that a data-capture system writes."""
    found = {header_words(str(column)) for column in columns}
    return any(wanted <= found for wanted in _WRITTEN_BY_DATABASE)


def apply_dictionaries(books: Sequence[Workbook]) -> list[Workbook]:
    """Join data dictionaries with their tables, and part events from patients.

    Parameters
    ----------
    books
        Files as read, which belong together.

    Returns
    -------
    list of Workbook
        The same files in the same order. Tables have the labels, the codes and the identifying
        columns that a dictionary among the files states; labels of the file itself stand. An
        export with events or repeating instruments has a table of the patients and one for each.
        Dictionaries stay among the tables, marked as such.
    """
    dictionaries = [
        found for book in books for table in book.sheets if (found := _read(table)) is not None
    ]
    columns = {
        id(table): {str(name) for name in table.frame.columns}
        for book in books
        for table in book.sheets
    }
    # A dictionary is one when it names columns of another table.
    used = [
        dictionary
        for dictionary in dictionaries
        if any(
            _fits(dictionary, names)
            for table, names in columns.items()
            if table not in {id(other.table) for other in dictionaries}
        )
    ]
    marked = {id(dictionary.table) for dictionary in used}
    result = []
    for book in books:
        sheets: list[RawTable] = []
        findings = list(book.findings)
        for table in book.sheets:
            if id(table) in marked or is_dictionary_header(table.frame.columns):
                sheets.append(replace(table, dictionary=True))
                continue
            described = table
            for dictionary in used:
                described, said = _describe(described, dictionary)
                findings += [finding for finding in said if finding not in findings]
            parts, said = part_events(described)
            sheets += parts
            findings += said
        result.append(replace(book, sheets=tuple(sheets), findings=tuple(findings)))
    return result


def _read(table: RawTable) -> _Dictionary | None:
    """Read a table as a dictionary; ``None`` when its columns are not those of one."""
    name, label = column_named(table, _FIELD), column_named(table, _LABEL)
    choices, kind = column_named(table, _CHOICES), column_named(table, _TYPE)
    identifier = column_named(table, _IDENTIFIER)
    lowest, highest = column_named(table, _LOWEST), column_named(table, _HIGHEST)
    if name is None or (label is None and choices is None):
        return None
    cells = {
        column: texts(table.frame[column], frozenset({""}))
        for column in (name, label, choices, kind, identifier, lowest, highest)
        if column is not None
    }
    entries: dict[str, _Entry] = {}
    for row, field_name in enumerate(cells[name]):
        if field_name is None:
            continue

        def at(column: str | None, row: int = row) -> str:
            return "" if column is None else str(cells[column][row] or "")

        field_kind = at(kind).casefold()
        coded = _FIXED_CHOICES.get(field_kind)
        if coded is None:
            coded = (
                {}
                if field_kind in _WITHOUT_CHOICES
                else _choices(at(choices), of_form=field_kind in _WITH_CHOICES)
            )
        entries[field_name.casefold()] = _Entry(
            field_name,
            _plain(at(label)),
            field_kind,
            coded,
            at(identifier).casefold() in _YES,
            () if coded or field_kind not in _LISTED else _levels(at(choices)),
            at(lowest),
            at(highest),
        )
    return _Dictionary(table, entries) if entries else None


def _plain(label: str) -> str:
    """Take markup off a label, which a form may have."""
    return " ".join(re.sub(r"<[^<>]{1,200}>", " ", label).split())


def _choices(text: str, *, of_form: bool) -> dict[str, str]:
    """Read "1, Male | 2, Female", "m=Male,f=Female" or "0: no; 1: yes"; blank for plain levels.

    A comma stands between a code and its meaning only in the field of a form: elsewhere, "Male,
    Female" lists two levels, and the second is not the meaning of the first.
    """
    comma = "," if of_form else ""
    if "|" in text:
        parts, marks = text.split("|"), f"{comma}=:"
    elif re.search(r"[;\n]", text):
        parts, marks = re.split(r"[;\n]", text), f"=:{comma}"
    elif "=" in text:
        parts, marks = re.split(r",(?=[^,=]+=)", text), "="
    elif of_form and re.fullmatch(r"\s*-?\w{1,8},\s+\S.*", text):
        parts, marks = [text], ","  # a single choice
    else:
        return {}
    found: dict[str, str] = {}
    for part in filter(str.strip, parts):
        mark = next((mark for mark in marks if mark in part), None)
        if mark is None:
            return {}
        code, _, meaning = part.partition(mark)
        if not code.strip() or not meaning.strip():
            return {}
        found[code.strip()] = _plain(meaning)
    return found


def _levels(text: str) -> tuple[str, ...]:
    """Read plain levels, such as "T0,T1,T2"; none from a text that is no list."""
    marks = [mark for mark in "|;\n,:=" if mark in text]
    if len(marks) != 1 or marks[0] in ":=":
        return ()  # prose, or codes with a meaning
    parts = tuple(part.strip() for part in text.split(marks[0]))
    return parts if len(parts) > 1 and all(parts) else ()


def _checkbox(dictionary: _Dictionary, column: str) -> tuple[_Entry, str] | None:
    """Give the field and the choice of a column such as ``symptom___2``."""
    name, mark, code = column.partition("___")
    entry = dictionary.entries.get(name.casefold())
    if not mark or entry is None or entry.kind not in ("checkbox", ""):
        return None
    for choice, meaning in entry.choices.items():
        if re.sub(r"[^a-z0-9_]", "_", choice.casefold()) == code.casefold():
            return entry, meaning
    return None


def _entry(dictionary: _Dictionary, column: str) -> _Entry | None:
    return dictionary.entries.get(column.strip().casefold())


def _fits(dictionary: _Dictionary, columns: set[str]) -> bool:
    n_found = sum(
        _entry(dictionary, column) is not None or _checkbox(dictionary, column) is not None
        for column in columns
    )
    labels = {entry.label for entry in dictionary.entries.values() if entry.label}
    return max(n_found, len(labels & columns)) >= max(2, min(len(columns), 6) / 2)


def _describe(table: RawTable, dictionary: _Dictionary) -> tuple[RawTable, list[Finding]]:
    columns = [str(name) for name in table.frame.columns]
    if not _fits(dictionary, set(columns)):
        return table, []
    by_label = {entry.label: entry for entry in [*dictionary.entries.values()][::-1] if entry.label}
    found = _Described()
    for column in columns:
        choice = _checkbox(dictionary, column)
        if choice is not None:
            found.labels[column] = f"{choice[0].label or choice[0].name}: {choice[1]}"
            found.values.update(_value_labels(table, column, _UNCHECKED))
            if choice[0].identifies:
                found.private.add(column)
            continue
        entry = _entry(dictionary, column)
        if entry is None:
            # an export with labels instead of names says the meaning itself
            if column in by_label and by_label[column].identifies:
                found.private.add(column)
            continue
        if entry.label:
            found.labels[column] = entry.label
        if entry.identifies:
            found.private.add(column)
        if entry.choices:
            values = _value_labels(table, column, entry.choices)
            found.values.update(values)
            if values:
                found.findings += _unlisted(table, column, entry.choices)
        elif entry.levels and _mostly(table, column, entry.levels):
            found.findings += _unlisted(table, column, dict.fromkeys(entry.levels, ""))
        found.findings += _out_of_bounds(table, column, entry)
    described = replace(
        table,
        column_labels={**found.labels, **table.column_labels},
        value_labels={**found.values, **table.value_labels},
        private=table.private | found.private,
    )
    if (described.column_labels, described.value_labels, described.private) == (
        table.column_labels, table.value_labels, table.private,
    ):  # fmt: skip
        return table, []  # done before
    other = dictionary.table
    place = f"“{other.sheet}”" if other.sheet and other.file == table.file else f"“{other.file}”"
    private = f"; {len(found.private)} marked as identifying" if found.private else ""
    found.findings.insert(
        0,
        Finding(
            FindingCode.DICTIONARY_APPLIED,
            Severity.NOTE,
            f"The data dictionary {place} describes {len(found.labels)} columns, "
            f"{len(found.values)} of them with codes{private}.",
            "Nothing to do, if it belongs to these data.",
            file=table.file,
            sheet=table.sheet,
            count=len(found.labels),
        ),
    )
    return described, found.findings


def _value_labels(
    table: RawTable, column: str, choices: Mapping[str, str]
) -> dict[str, Mapping[Cell, str]]:
    """Give the meaning of codes, each as the cell that stands for it; none if none occurs."""
    cells = {text_of(cell): cell for cell in table.frame[column].drop_duplicates()}
    if not any(code in cells for code in choices):
        return {}
    return {column: {cells.get(code, code): meaning for code, meaning in choices.items()}}


def _mostly(table: RawTable, column: str, levels: Sequence[str]) -> bool:
    """Whether most cells hold a level, so that the list is one of levels and no mere remark."""
    cells = texts(table.frame[column])
    known = np.array([cell is not None for cell in cells], dtype=bool)
    return bool(np.isin(cells[known].astype(str), list(levels)).sum() > 0.5 * known.sum())


def _unlisted(table: RawTable, column: str, choices: Mapping[str, str]) -> list[Finding]:
    """Say which cells hold a value that the dictionary does not list.

    The value itself is not named: the column may be one that nobody is to see.
    """
    cells = texts(table.frame[column])
    other = np.array([cell is not None and cell not in choices for cell in cells], dtype=bool)
    # the meaning in place of its code is no error
    other &= ~np.isin(cells.astype(str), list(choices.values()))
    if not other.any():
        return []
    n = int(other.sum())
    return [
        Finding(
            FindingCode.VALUE_NOT_IN_DICTIONARY,
            Severity.ERROR,
            f"“{column}” holds {'a value' if n == 1 else 'values'} that the data dictionary "
            f"doesn't list, in {n} {'row' if n == 1 else 'rows'}.",
            "Correct the cells, or say on the Data page what the values mean.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            rows=tuple(np.asarray(table.row_numbers)[other].tolist()),
            count=n,
        )
    ]


def _out_of_bounds(table: RawTable, column: str, entry: _Entry) -> list[Finding]:
    """Say which cells are below or above what the dictionary allows.

    A bound is a number or a date, or another column with the bound of each row.
    """
    outside = np.zeros(len(table.frame), dtype=bool)
    said = []
    for bound, word, below in ((entry.lowest, "below", True), (entry.highest, "above", False)):
        cells = table.frame[column]
        limit: float | np.ndarray | np.datetime64
        if (number := number_of(bound)) is not None:
            mark: Literal[".", ","] = "," if table.decimal_comma else "."
            values, limit = numbers(cells, decimal=mark).values, number
        elif (date := date_of(bound)) is not None:
            values, limit = dates(cells).values, np.datetime64(date, "D")
        elif bound in table.frame.columns:
            values, limit = dates(cells).values, dates(table.frame[bound]).values
        else:
            continue
        at = values < limit if below else values > limit
        if at.any():
            outside |= at
            said.append(f"{word} {f'“{bound}”' if isinstance(limit, np.ndarray) else bound}")
    if not said:
        return []
    return [
        Finding(
            FindingCode.VALUE_NOT_IN_DICTIONARY,
            Severity.ERROR,
            f"“{column}” is {' or '.join(said)} in {int(outside.sum())} "
            f"{'row' if outside.sum() == 1 else 'rows'}, which the data dictionary doesn't allow.",
            "Check these rows. The values are used as they are.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            rows=tuple(np.asarray(table.row_numbers)[outside].tolist()),
            count=int(outside.sum()),
        )
    ]
