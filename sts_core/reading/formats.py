"""How the text of a column is read: the order of day and month, and the decimal mark."""

from __future__ import annotations

import re

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.endpoints import is_date_column
from sts_core.reading.profile import Profile
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet
from sts_core.study.types import ColumnFormat
from sts_core.values import DateOrder, date_of, number_of

# One to three digits, then groups of three after points.
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_WHOLE = re.compile(r"[1-9]\d*")


def formats_of(sheet: Sheet) -> dict[str, ColumnFormat]:
    """Give the reading rule of each column that needs one."""
    formats = {}
    orders = orders_of(sheet)
    for name, profile in sheet.profiles.items():
        if (short := sheet.short_years.get(name)) is not None:
            formats[name] = ColumnFormat(short.order, last_year=short.last_year)
        elif is_date_column(sheet, name):
            if orders.get(name) not in (None, "ymd"):
                formats[name] = ColumnFormat(date_order=orders[name])
        elif profile.is_numeric and profile.decimal == "," and _has_marks(profile):
            formats[name] = ColumnFormat(decimal=",")
        elif _points_part_thousands(sheet, name):
            formats[name] = ColumnFormat(decimal=",", thousands=".")
    return formats


def _points_part_thousands(sheet: Sheet, name: str) -> bool:
    """Whether each point stands before three digits, and the table speaks for thousands.

    It does where the same column has whole numbers of three digits without a point (900 beside
    1.101), or where another column writes decimals with a comma, or where semicolons part the
    cells and no column has a point that must be a decimal mark.
    """
    profile = sheet.profiles[name]
    if not profile.is_numeric or profile.decimal != ".":
        return False
    cells = sheet.raw.cells(name).cells
    marked = [cell for cell in cells if isinstance(cell, str) and "." in cell]
    if len(marked) < 2 or not all(_GROUPS.fullmatch(cell) for cell in marked):
        return False
    plain = [cell for cell in cells if isinstance(cell, str) and _WHOLE.fullmatch(cell)]
    longest = max(map(len, plain), default=0)
    if plain:
        return longest == 3
    others = [item for item in sheet.profiles.values() if item.is_numeric and item.name != name]
    if any(item.decimal == "," and _has_marks(item) for item in others):
        return True
    points = any(
        "." in text and not _GROUPS.fullmatch(text) for item in others for text in item.counts
    )
    return sheet.raw.semicolons and not points


def _has_marks(profile: Profile) -> bool:
    return not profile.is_whole or any("," in text or "." in text for text in profile.counts)


def orders_of(sheet: Sheet) -> dict[str, DateOrder]:
    """Give the order of each column of dates; an ambiguous one follows its neighbours."""
    known: dict[DateOrder, int] = {}
    for name, profile in sheet.profiles.items():
        if is_date_column(sheet, name) and len(profile.orders) == 1 and profile.orders[0] != "ymd":
            known[profile.orders[0]] = known.get(profile.orders[0], 0) + 1
    usual: DateOrder = max(known, key=lambda order: known[order]) if known else "dmy"
    return {
        name: profile.orders[0] if len(profile.orders) == 1 else usual
        for name, profile in sheet.profiles.items()
        if is_date_column(sheet, name) and profile.orders
    }


def ask_orders(role: str, sheet: Sheet, draft: Draft) -> None:
    """Ask for the order of each column of dates that can be read two ways."""
    orders = orders_of(sheet)
    clear = {
        name: order
        for name, order in orders.items()
        if not sheet.profiles[name].is_ambiguous and order != "ymd"
    }
    for name, order in orders.items():
        profile = sheet.profiles[name]
        if not profile.is_ambiguous:
            continue
        example = next(
            text
            for text in profile.counts
            if date_of(text) is None and date_of(text, "dmy") != date_of(text, "mdy")
        )
        reason = (
            f"Other columns of this table read as {_order_words(order)} only ({listed([*clear])})."
            if clear
            else _both_ways(profile)
        )
        options = []
        for option in ("dmy", "mdy"):
            read = date_of(example, option)
            meant = f": {example} is {read.day} {read:%B} {read.year}" if read else ""
            options.append(f"{option}{meant}")
        draft.questions.append(
            Question(
                QuestionKind.DATE_ORDER,
                f"data.tables.{role}.columns.{name}.date_order",
                f"Is “{name}” written {_order_words('dmy')} or {_order_words('mdy')}?",
                reason,
                guess=order,
                options=tuple(options),
                table=role,
                columns=(name,),
            )
        )
        draft.findings.append(
            Finding(
                FindingCode.DATE_AMBIGUOUS,
                Severity.WARNING,
                f"The dates of “{name}” can be read in two ways; they are read as "
                f"{_order_words(order)}.",
                "Confirm the order of day and month on the Data page, under “How cells are read”.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=name,
                table=role,
            )
        )


def _both_ways(profile: Profile) -> str:
    """Say whether all dates of a column read both ways, or each in one way."""
    pairs = [(date_of(text, "dmy"), date_of(text, "mdy"), n) for text, n in profile.counts.items()]
    first = sum(n for a, b, n in pairs if a is not None and b is None)
    second = sum(n for a, b, n in pairs if a is None and b is not None)
    if not (first and second):
        return "Every date in this column reads both ways."
    return (
        f"The column mixes both: {first} of its dates read only as {_order_words('dmy')}, {second} "
        f"only as {_order_words('mdy')}."
    )


def ask_numbers(role: str, sheet: Sheet, draft: Draft) -> None:
    """Ask for the decimal mark of each column whose every mark stands before three digits."""
    for name, profile in sheet.profiles.items():
        if not profile.is_numeric or is_date_column(sheet, name):
            continue
        if _points_part_thousands(sheet, name):
            _ask_points(role, name, sheet, draft)
            continue
        marked = {text: n for text, n in profile.counts.items() if "," in text}
        pairs = [(number_of(text, "."), number_of(text, ",")) for text in marked]
        if not pairs or any(a is None or b is None or a == b for a, b in pairs):
            continue
        grouped = profile.decimal == "."
        draft.questions.append(
            Question(
                QuestionKind.DECIMAL,
                f"data.tables.{role}.columns.{name}.decimal",
                f"“{name}”: does the comma part thousands (1,234 is 1234), or is it a decimal "
                "mark (1,234 is 1.234)?",
                "Every comma of this column stands before three digits.",
                guess=profile.decimal,
                options=(".", ","),
                table=role,
                columns=(name,),
            )
        )
        n = sum(marked.values())
        read = "parts thousands (1,234 is 1234)" if grouped else "is the decimal mark"
        draft.findings.append(
            Finding(
                FindingCode.NUMBER_AMBIGUOUS,
                Severity.WARNING,
                f"“{name}” can be read in two ways: every comma stands before three "
                f"digits ({n} rows). It is assumed that it {read}.",
                "If that is wrong, choose how the column writes numbers under “How cells are read” "
                "on the Data page, or correct the cells.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=name,
                count=n,
                table=role,
            )
        )


def _ask_points(role: str, name: str, sheet: Sheet, draft: Draft) -> None:
    counts = sheet.profiles[name].counts
    n = sum(count for text, count in counts.items() if "." in text)
    example = next((text for text in counts if "." in text), "1.234")
    whole = example.replace(".", "")
    draft.questions.append(
        Question(
            QuestionKind.DECIMAL,
            f"data.tables.{role}.columns.{name}.thousands",
            f"“{name}”: does the point part thousands ({example} is {whole}), or is it the decimal "
            "mark?",
            "Every point of this column stands before three digits.",
            guess=".",
            table=role,
            columns=(name,),
            options=(".", "none"),
        )
    )
    draft.findings.append(
        Finding(
            FindingCode.NUMBER_AMBIGUOUS,
            Severity.WARNING,
            f"“{name}” can be read in two ways: every point stands before three digits ({n} "
            f"rows). It is assumed that it parts thousands ({example} is {whole}).",
            "If that is wrong, choose how the column writes numbers under “How cells are read” on "
            "the Data page, or correct the cells.",
            file=sheet.raw.file,
            sheet=sheet.raw.sheet,
            column=name,
            count=n,
            table=role,
        )
    )


def _order_words(order: str) -> str:
    return {"dmy": "day/month/year", "mdy": "month/day/year"}.get(order, "year-month-day")
