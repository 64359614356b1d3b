"""How the text of a column is read: the order of day and month, and the decimal mark."""

from __future__ import annotations

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.endpoints import is_date_column
from sts_core.reading.profile import Profile
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet
from sts_core.study.types import ColumnFormat
from sts_core.values import DateOrder, date_of, number_of


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
    return formats


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
            else "Every date in this column reads both ways."
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


def ask_numbers(role: str, sheet: Sheet, draft: Draft) -> None:
    """Ask for the decimal mark of each column whose every mark stands before three digits."""
    for name, profile in sheet.profiles.items():
        if not profile.is_numeric or is_date_column(sheet, name):
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


def _order_words(order: str) -> str:
    return {"dmy": "day/month/year", "mdy": "month/day/year"}.get(order, "year-month-day")
