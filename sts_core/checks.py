"""Rules on a cohort: what in the data or the definitions would mislead, said all at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sts_core.adverse_event_forms import event_findings, event_list
from sts_core.assessments import assessment_findings
from sts_core.cohort import Cohort, Table
from sts_core.criteria import names_of_no_criterion
from sts_core.derive import (
    Loss,
    LossReason,
    SurvivalData,
    cutoff_date,
    date_columns_of,
    dates_of,
    levels_of,
    names_age,
    numbers_of,
    survival_data,
    table_dates,
    unseen_values,
)
from sts_core.exposures import exposure_findings
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed, worst_first
from sts_core.plausibility import plausibility
from sts_core.reading.assembly import rows_matching
from sts_core.reading.profile import dates_are_ambiguous
from sts_core.reading.progress import Progress, Stage
from sts_core.study.types import (
    DAYS_PER_UNIT,
    Endpoint,
    HasRow,
    IncompleteDates,
    Status,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
    conditions_of,
)
from sts_core.table_rows import table_missing
from sts_core.values import date_in_both_orders, missing_codes

MAX_AGE = 120.0
MAX_YEARS = 50.0
EARLIEST = np.datetime64("1930-01-01", "D")


def check_cohort(cohort: Cohort, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Give everything that was found on reading and by the rules of this module, worst first.

    Parameters
    ----------
    cohort
        Endpoints are looked at in the patients analysed, variables in all patients of the file.
    progress
        Told how many definitions have been checked; its cancel ends the work.

    Returns
    -------
    tuple of Finding
        Nothing is raised: a column that isn't there is a finding like any other.
    """
    found = [*cohort.findings, *_unconfirmed_rows(cohort)]
    definitions = cohort.study.definitions
    n_all, done = len(definitions.endpoints) + len(definitions.variables) + 1, 0

    def go_on() -> None:
        nonlocal done
        if progress is not None:
            progress.report(Stage.CHECKING, done, done / n_all)
        done += 1

    for code in definitions.endpoints:
        go_on()
        found += _endpoint(cohort, code)
    go_on()
    found += [*_ambiguous_dates(cohort), *_mixed_orders(cohort)]
    for key in definitions.variables:
        go_on()
        found += [*_variable(cohort, key), *unseen_values(cohort, key)]
    found += _criteria(cohort)
    found += _population_names(cohort)
    found += _adverse_events(cohort)
    found += [*assessment_findings(cohort), *exposure_findings(cohort)]
    found += plausibility(cohort)
    centuries = _open_centuries(cohort)
    said_once = [
        item
        for item in found
        if item.code is not FindingCode.DATE_UNREADABLE
        or item.column not in centuries.get(item.table or "", ())
    ]
    asked = [_century_open(cohort, role, names) for role, names in centuries.items()]
    return worst_first(dict.fromkeys([*asked, *said_once]))


@dataclass(frozen=True, slots=True)
class _Words:
    """How a loss is said."""

    code: FindingCode
    severity: Severity
    what: str
    hint: str


_FILL = "Fill in the cells if the values are known; otherwise these patients stay out."
_LOSSES: dict[LossReason, _Words] = {
    LossReason.NO_ROW: _Words(
        FindingCode.SUBJECT_WITHOUT_ROW, Severity.WARNING, "have no row for it",
        "Check the ids of both tables and the row filter of the endpoint.",
    ),
    LossReason.TIME_MISSING: _Words(
        FindingCode.TIME_MISSING, Severity.WARNING, "have no time", _FILL
    ),
    LossReason.TIME_UNREADABLE: _Words(
        FindingCode.TIME_NOT_NUMERIC, Severity.ERROR, "have a time that is not a number",
        "Correct the cells, or choose the decimal mark of the column on the Data page.",
    ),
    LossReason.TIME_NEGATIVE: _Words(
        FindingCode.TIME_NEGATIVE, Severity.ERROR, "have a time below zero",
        "Correct the time, or the date of the start or of the event: one is before the other.",
    ),
    LossReason.START_MISSING: _Words(
        FindingCode.TIME_MISSING, Severity.WARNING, "have no date of the start", _FILL
    ),
    LossReason.START_UNREADABLE: _Words(
        FindingCode.DATE_UNREADABLE, Severity.ERROR, "have a date of the start that can't be read",
        "Write full dates as 2021-05-03, or choose the order of day and month on the Data page.",
    ),
    LossReason.END_MISSING: _Words(
        FindingCode.TIME_MISSING, Severity.WARNING,
        "have neither a date of the event nor of the last contact",
        "Fill in the last contact: a patient without an event is censored there.",
    ),
    LossReason.END_UNREADABLE: _Words(
        FindingCode.DATE_UNREADABLE, Severity.ERROR,
        "have a date of the event or the last contact that can't be read",
        "Write full dates as 2021-05-03, or choose the order of day and month on the Data page.",
    ),
    LossReason.EVENT_MISSING: _Words(
        FindingCode.EVENT_MISSING, Severity.WARNING, "have no status", _FILL
    ),
    LossReason.EVENT_UNKNOWN: _Words(
        FindingCode.EVENT_VALUE_UNKNOWN, Severity.ERROR,
        "have a status that nothing was said about",
        "On the Data page, say which values are events and which are censored.",
    ),
    LossReason.EVENT_DATE_MISSING: _Words(
        FindingCode.EVENT_DATE_MISSING, Severity.ERROR,
        "had the event by their status but have no date of it",
        "Fill in the date, or correct the status.",
    ),
    LossReason.EVENT_CONTRADICTED: _Words(
        FindingCode.EVENT_CONTRADICTED, Severity.ERROR,
        "have a date of an event that their status denies",
        "Correct the date or the status.",
    ),
    LossReason.ENTRY_MISSING: _Words(
        FindingCode.TIME_MISSING, Severity.WARNING, "have no time of entry", _FILL
    ),
    LossReason.RESPONSE_MISSING: _Words(
        FindingCode.TIME_MISSING, Severity.WARNING, "have no known best overall response", _FILL
    ),
    LossReason.ENTRY_AFTER_END: _Words(
        FindingCode.DATES_OUT_OF_ORDER, Severity.ERROR, "entered at or after the end of their time",
        "Correct the entry, or the time.",
    ),
}  # fmt: skip


def _patients(n: int) -> str:
    return "1 patient" if n == 1 else f"{n} patients"


def _endpoint(cohort: Cohort, code: str) -> list[Finding]:
    endpoint = cohort.study.definitions.endpoints[code]
    table = cohort.tables.get(endpoint.table)
    if table is None:
        return [
            cohort.why_absent(endpoint.table)
            or Finding(
                FindingCode.TABLE_MISSING,
                Severity.ERROR,
                f"“{endpoint.label}” needs the table “{endpoint.table}”, which isn't there.",
                "Add the file, or choose other columns for the endpoint on the Data page.",
                table=endpoint.table,
            )
        ]
    found = _unconfirmed(endpoint, table)
    if endpoint.event is not None and not endpoint.events and not endpoint.censored:
        return found  # nothing was said yet: not thousands of unknown values
    try:
        data = survival_data(cohort, code)
    except StudyError as error:
        return [*found, *error.findings]
    found += [
        _loss(cohort, endpoint, table, loss)
        for loss in data.losses
        if loss.reason is not LossReason.NO_RESPONSE  # who has none is no part of it
    ]
    found += _events(endpoint, table, data)
    if endpoint.from_dates:
        found += _after_cutoff(cohort, endpoint, table)
        found += _out_of_order(cohort, endpoint, table)
        found += _incomplete(cohort, endpoint, table)
    found += _too_long(cohort, endpoint, table, data)
    return found


def _unconfirmed(endpoint: Endpoint, table: Table) -> list[Finding]:
    if endpoint.is_confirmed:
        return []
    open_ = []
    if endpoint.event is not None and not endpoint.events and not endpoint.censored:
        open_.append(f"what the values of “{endpoint.event}” mean, which the file doesn't say")
    elif endpoint.events_status is not Status.CONFIRMED:
        by_dates = endpoint.from_dates and endpoint.event is None
        open_.append("whether these are its dates" if by_dates else "which values are events")
    if not endpoint.from_dates and endpoint.unit is None:
        open_.append("the unit of the time, which the file doesn't say")
    elif not endpoint.from_dates and endpoint.unit_status is not Status.CONFIRMED:
        open_.append("the unit of the time")
    return [
        Finding(
            FindingCode.STUDY_UNCONFIRMED,
            Severity.WARNING,
            f"“{endpoint.label}” waits for an answer: {'; '.join(open_)}.",
            "Look at the counts on the Data page and confirm.",
            file=table.file,
            sheet=table.sheet,
            column=endpoint.event or endpoint.time,
            table=table.role,
        )
    ]


def _unconfirmed_rows(cohort: Cohort) -> list[Finding]:
    source = cohort.study.data.tables.get("subjects")
    table = cohort.tables["subjects"]
    if source is None or not source.rows or source.subject_id_status is Status.CONFIRMED:
        return []
    rule = "; ".join(f"{column} = {listed([*values])}" for column, values in source.rows.items())
    return [
        Finding(
            FindingCode.STUDY_UNCONFIRMED,
            Severity.WARNING,
            f"It is not confirmed that the rows with {rule} are the patients.",
            "Confirm the patient id and the row filter on the Data page.",
            file=table.file,
            sheet=table.sheet,
            column=source.subject_id,
            table="subjects",
        )
    ]


def _loss(cohort: Cohort, endpoint: Endpoint, table: Table, loss: Loss) -> Finding:
    words = _LOSSES[loss.reason]
    n = len(loss.subjects)
    what = words.what
    if n == 1:
        what = what.replace("have ", "has ", 1).replace("their", "the")
    values = ""
    if loss.values and cohort.quotes(table.role, loss.column):
        values = f" ({listed([f'“{value}”' for value in loss.values])})"
    return Finding(
        words.code,
        words.severity,
        f"“{endpoint.label}”: {_patients(n)} {what}{values} and can't be used.",
        words.hint,
        file=table.file,
        sheet=table.sheet,
        column=loss.column,
        rows=loss.rows,
        count=n,
        table=table.role,
    )


def _events(endpoint: Endpoint, table: Table, data: SurvivalData) -> list[Finding]:
    if data.n and data.event.any():
        return []
    if not data.n:
        message = f"“{endpoint.label}”: no patient has both a time and a status."
        hint = "Check its columns on the Data page, and the criteria."
    else:
        message = f"“{endpoint.label}”: none of {_patients(data.n)} has an event."
        hint = "If events did happen, check on the Data page which values are events."
    return [
        Finding(
            FindingCode.ENDPOINT_NO_EVENTS,
            Severity.WARNING,
            message,
            hint,
            file=table.file,
            sheet=table.sheet,
            column=endpoint.event or endpoint.time,
            count=data.n,
            table=table.role,
        )
    ]


def _after_cutoff(cohort: Cohort, endpoint: Endpoint, table: Table) -> Iterator[Finding]:
    cutoff = cutoff_date(cohort) if endpoint.cutoff else None
    if cutoff is None:
        return
    for name in dict.fromkeys((*endpoint.event_dates.values(), *endpoint.last_contact)):
        late = table_dates(cohort, table.role, name).values > cutoff
        if late.any():
            yield Finding(
                FindingCode.DATE_AFTER_CUTOFF,
                Severity.NOTE,
                f"{_patients(int(late.sum()))} have a date in “{name}” after the data cut-off "
                f"({cutoff}); what came later is not counted.",
                "Check the cut-off on the Data page, or the dates.",
                file=table.file,
                sheet=table.sheet,
                column=name,
                rows=tuple(int(row) for row in table.rows[late]),
                count=int(late.sum()),
                table=table.role,
            )


def _incomplete(cohort: Cohort, endpoint: Endpoint, table: Table) -> Iterator[Finding]:
    """Name the dates that lack a day, or month and day, and what becomes of them."""
    rule = cohort.study.definitions.incomplete_dates
    names = (endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact)
    for name in dict.fromkeys(name for name in names if name is not None):
        partial = table_dates(cohort, table.role, name).incomplete
        if not partial.any():
            continue
        n = int(partial.sum())
        left_out = rule is IncompleteDates.LEAVE_OUT
        yield Finding(
            FindingCode.DATE_INCOMPLETE,
            Severity.WARNING if left_out else Severity.NOTE,
            f"{n} {'date' if n == 1 else 'dates'} of “{name}” {'lacks' if n == 1 else 'lack'} the "
            "day, or month and day"
            + (", and can't be read." if left_out else f"; read by the rule “{rule.value}”."),
            "Complete the dates, or choose how they are read under the rules of an endpoint on the "
            "Data page.",
            file=table.file,
            sheet=table.sheet,
            column=name,
            rows=tuple(int(row) for row in table.rows[partial]),
            count=n,
            table=table.role,
        )


def _out_of_order(cohort: Cohort, endpoint: Endpoint, table: Table) -> Iterator[Finding]:
    """Find patients of whom something is dated after their death."""
    death = endpoint.event_dates.get("death")
    if death is None:
        return
    died = table_dates(cohort, table.role, death).values
    for name in dict.fromkeys((*endpoint.event_dates.values(), *endpoint.last_contact)):
        if name == death:
            continue
        after = table_dates(cohort, table.role, name).values > died
        if after.any():
            yield Finding(
                FindingCode.DATES_OUT_OF_ORDER,
                Severity.WARNING,
                f"In {_patients(int(after.sum()))} “{name}” is later than “{death}”.",
                "Correct one of the two dates.",
                file=table.file,
                sheet=table.sheet,
                column=name,
                rows=tuple(int(row) for row in table.rows[after]),
                count=int(after.sum()),
                table=table.role,
            )


def _too_long(
    cohort: Cohort, endpoint: Endpoint, table: Table, data: SurvivalData
) -> Iterator[Finding]:
    if not endpoint.from_dates and endpoint.unit is None:
        return
    years = data.time * DAYS_PER_UNIT[endpoint.raw_unit] / DAYS_PER_UNIT[TimeUnit.YEARS]
    long = years > MAX_YEARS
    if not long.any():
        return
    row_of = dict(zip(table.subject, table.rows, strict=True))
    unit = "" if endpoint.from_dates else f" The unit is said to be {endpoint.raw_unit.value}."
    yield Finding(
        FindingCode.VALUE_IMPLAUSIBLE,
        Severity.WARNING,
        f"“{endpoint.label}”: {_patients(int(long.sum()))} with more than {MAX_YEARS:g} years."
        f"{unit}",
        "Check the dates or the time in these rows, and the unit.",
        file=table.file,
        sheet=table.sheet,
        column=endpoint.start or endpoint.time,
        rows=tuple(int(row_of[subject]) for subject in data.subject[long]),
        count=int(long.sum()),
        table=table.role,
    )


def _open_centuries(cohort: Cohort) -> dict[str, list[str]]:
    """Give the columns whose years have two digits and a meaning that nobody has said, by table."""
    return {
        role: names
        for role, source in cohort.study.data.tables.items()
        if role in cohort.tables
        and (
            names := [
                name
                for name, format_ in source.columns.items()
                if format_.last_year is not None and format_.confirmed_last_year is None
            ]
        )
    }


def _century_open(cohort: Cohort, role: str, names: Sequence[str]) -> Finding:
    named = listed([f"“{name}”" for name in names])
    return Finding(
        FindingCode.DATE_CENTURY_OPEN,
        Severity.WARNING,
        f"The dates of {named} have years of two digits, which are not read before somebody says "
        "what they mean.",
        "Choose it above the tabs of the Data page, or write the years in full in the file.",
        file=cohort.tables[role].file,
        sheet=cohort.tables[role].sheet,
        column=names[0] if len(names) == 1 else None,
        count=len(names),
        table=role,
    )


def _mixed_orders(cohort: Cohort) -> Iterator[Finding]:
    """Name columns of dates in which some read only as day/month and others only as month/day."""
    for table in cohort.tables.values():
        source = cohort.study.data.tables.get(table.role, TableSource())
        for name in date_columns_of(cohort, table):
            format_ = source.columns.get(name)
            order = format_.date_order if format_ else None
            distinct, place = table.cells(name)
            turned = np.array([_is_year_day_month(cell) for cell in distinct], dtype=bool)[place]
            if turned.any():
                yield Finding(
                    FindingCode.DATE_ORDERS_MIXED,
                    Severity.WARNING,
                    f"{int(turned.sum())} dates of “{name}” read only as year-day-month and are "
                    "not read; others of the column, read as year-month-day, may be meant so too.",
                    "Write the dates of this column in one order in the file, best as 2021-05-03.",
                    file=table.file,
                    sheet=table.sheet,
                    column=name,
                    rows=tuple(int(row) for row in np.asarray(table.rows)[turned]),
                    count=int(turned.sum()),
                    table=table.role,
                )
            if order not in ("dmy", "mdy"):
                continue
            pairs = [date_in_both_orders(cell) for cell in distinct]
            kept, other = (0, 1) if order == "dmy" else (1, 0)
            lost = np.array([a[kept] is None and a[other] is not None for a in pairs], dtype=bool)
            if not lost.any():
                continue
            both = np.array([None not in a and a[0] != a[1] for a in pairs], dtype=bool)
            n_lost, n_both = int(lost[place].sum()), int(both[place].sum())
            yield Finding(
                FindingCode.DATE_ORDERS_MIXED,
                Severity.WARNING,
                f"“{name}” mixes two orders of day and month: {n_lost} of its dates read only as "
                f"{_ORDER_WORDS['mdy' if order == 'dmy' else 'dmy']} and are not read. Of the "
                f"others, read as {_ORDER_WORDS[order]}, {n_both} read both ways and may be wrong.",
                "Write the dates of this column in one order in the file, best as 2021-05-03.",
                file=table.file,
                sheet=table.sheet,
                column=name,
                rows=tuple(int(row) for row in np.asarray(table.rows)[lost[place]]),
                count=n_lost,
                table=table.role,
            )


def _is_year_day_month(cell: object) -> bool:
    """Whether a text is a date only when its day stands before its month (2021-13-05)."""
    match = _YEAR_FIRST.fullmatch(cell) if isinstance(cell, str) else None
    return match is not None and int(match[1]) > 12 >= int(match[2])


_YEAR_FIRST = re.compile(r"\d{4}[-/.](\d\d)[-/.](\d\d)")
_ORDER_WORDS = {"dmy": "day/month/year", "mdy": "month/day/year"}


def _ambiguous_dates(cohort: Cohort) -> Iterator[Finding]:
    columns = [
        (table, name) for table in cohort.tables.values() for name in date_columns_of(cohort, table)
    ]
    for table, name in columns:
        role, source = table.role, cohort.study.data.tables.get(table.role, TableSource())
        format_ = source.columns.get(name)
        if format_ is not None and format_.status is Status.CONFIRMED:
            continue
        codes = missing_codes(source.missing_codes)
        order = format_.date_order if format_ else None
        if order in (None, "ymd") and not table_dates(cohort, role, name).unreadable.any():
            continue  # every date reads one way
        if not dates_are_ambiguous(table.cells(name), codes):
            continue
        reading = {"dmy": "as day/month/year", "mdy": "as month/day/year"}.get(order or "")
        yield Finding(
            FindingCode.DATE_AMBIGUOUS,
            Severity.WARNING,
            f"The dates of “{name}” can be read in two ways; they are read {reading}."
            if reading
            else f"The dates of “{name}” can be read in two ways, so they are not read.",
            "Confirm the order of day and month on the Data page, under “How cells are read”.",
            file=table.file,
            sheet=table.sheet,
            column=name,
            table=role,
        )


def _variable(cohort: Cohort, key: str) -> list[Finding]:
    variable = cohort.study.definitions.variables[key]
    column = variable.column or key
    try:
        table = _seen_in(cohort, variable)
        match variable.kind:
            case VariableKind.NUMERIC:
                read = numbers_of(cohort, key)
                found = _unreadable(
                    table, column, read.unreadable, FindingCode.NUMBER_UNREADABLE, "number"
                )
                return [*found, *_implausible_ages(table, column, variable.unit, read.values)]
            case VariableKind.DATE:
                read = dates_of(cohort, key)
                found = _unreadable(
                    table, column, read.unreadable, FindingCode.DATE_UNREADABLE, "date"
                )
                return [*found, *_implausible_dates(table, column, read.values)]
            case _:
                return [
                    *_unlisted_levels(cohort, key), *_unnamed_sexes(cohort, key),
                    *_dates_among_levels(cohort.tables.get(variable.table), column),
                ]  # fmt: skip
    except StudyError as error:
        return list(error.findings)


def _dates_among_levels(table: Table | None, column: str) -> list[Finding]:
    """Name dates in a column of levels: a spreadsheet makes them of texts such as 1-2 or 3/4."""
    if table is None or column not in table.frame.columns:
        return []
    distinct, place = table.cells(column)
    dated = np.array([isinstance(cell, dt.datetime) for cell in distinct], dtype=bool)[place]
    if not dated.any() or dated.all():
        return []
    return [
        Finding(
            FindingCode.LEVEL_IS_DATE,
            Severity.WARNING,
            f"{int(dated.sum())} cells of “{column}” are dates, though the column is one of "
            "levels: a spreadsheet makes dates of texts such as 1-2 or 3/4.",
            "Format the column as text in the spreadsheet, and enter these cells again.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            rows=tuple(int(row) for row in np.asarray(table.rows)[dated]),
            count=int(dated.sum()),
            table=table.role,
        )
    ]


def _seen_in(cohort: Cohort, variable: Variable) -> Table:
    """Give a variable's table with one row a patient, for the place of what is found."""
    table = cohort.tables.get(variable.table)
    if table is None or table.role == "subjects":
        return cohort.tables["subjects"]
    mask, _ = rows_matching(table.frame, variable.rows, file=table.file, sheet=table.sheet)
    row_of = dict(zip(table.subject[mask].tolist(), table.rows[mask].tolist(), strict=True))
    rows = np.array([row_of.get(subject, 0) for subject in cohort.subjects], dtype=np.int64)
    return Table(table.role, table.file, table.sheet, table.frame, cohort.subjects, rows)


def _unreadable(
    table: Table, column: str, mask: np.ndarray, code: FindingCode, what: str
) -> list[Finding]:
    if not mask.any():
        return []
    n = int(mask.sum())
    return [
        Finding(
            code,
            Severity.WARNING,
            f"{n} cells of “{column}” hold no {what} and count as missing."
            if n > 1
            else f"1 cell of “{column}” holds no {what} and counts as missing.",
            "Correct the cells, name their text as a missing code, or choose another type for the "
            "column on the Data page.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            rows=tuple(int(row) for row in table.rows[mask]),
            count=n,
            table=table.role,
        )
    ]


def _implausible_ages(
    table: Table, column: str, unit: str | None, values: np.ndarray
) -> list[Finding]:
    if not names_age(column) and unit != "years":
        return []
    with np.errstate(invalid="ignore"):
        mask = (values < 0) | (values > MAX_AGE)
    return _implausible(table, column, mask, f"is below 0 or above {MAX_AGE:g}")


def _implausible_dates(table: Table, column: str, values: np.ndarray) -> list[Finding]:
    today = np.datetime64(dt.datetime.now(tz=dt.UTC).date(), "D") + np.timedelta64(1, "D")
    mask = (values < EARLIEST) | (values > today)
    return _implausible(table, column, mask, f"is before {EARLIEST} or in the future")


def _implausible(table: Table, column: str, mask: np.ndarray, what: str) -> list[Finding]:
    if not mask.any():
        return []
    return [
        Finding(
            FindingCode.VALUE_IMPLAUSIBLE,
            Severity.WARNING,
            f"“{column}” {what} in {_patients(int(mask.sum()))}.",
            "Correct these cells if they are wrong; they are used as they stand.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            rows=tuple(int(row) for row in table.rows[mask]),
            count=int(mask.sum()),
            table=table.role,
        )
    ]


def _unnamed_sexes(cohort: Cohort, key: str) -> list[Finding]:
    """Find a sex that is written as two codes: countries differ in what they mean."""
    variable = cohort.study.definitions.variables[key]
    column = variable.column or key
    codes = set(levels_of(cohort, key).levels)
    if key != "sex" or not codes or not codes <= {"0", "1", "2", "9"}:
        return []
    table = _seen_in(cohort, variable)
    shown = ""
    if cohort.quotes(variable.table, column):
        shown = " (" + " and ".join(f"“{code}”" for code in sorted(codes)) + ")"
    return [
        Finding(
            FindingCode.LEVEL_NOT_NAMED,
            Severity.WARNING,
            f"“{variable.label}” holds codes only{shown}, and the file doesn't say which of them "
            "is female.",
            "Say what they mean under Variables on the Data page; until then tables and figures "
            "show the codes.",
            file=table.file,
            sheet=table.sheet,
            column=column,
            table=table.role,
        )
    ]


def _unlisted_levels(cohort: Cohort, key: str) -> list[Finding]:
    variable = cohort.study.definitions.variables[key]
    if not variable.levels or variable.cuts:
        return []
    table = _seen_in(cohort, variable)
    levels = levels_of(cohort, key)
    stated = {*variable.levels, *variable.merged}
    unlisted = set(levels.levels) - stated
    if not unlisted:
        return []
    mask = np.array([level in unlisted for level in levels.values], dtype=bool)
    names = ""
    if cohort.quotes(variable.table, variable.column or key):
        names = f": {listed([f'“{name}”' for name in sorted(map(str, unlisted))])}"
    return [
        Finding(
            FindingCode.LEVEL_UNKNOWN,
            Severity.WARNING,
            f"“{variable.label}” has levels that the study file does not list{names} "
            f"({_patients(int(mask.sum()))}).",
            "Correct the spelling, or add or merge the levels on the Data page; until then they "
            "stand after the others.",
            file=table.file,
            sheet=table.sheet,
            column=variable.column or key,
            rows=tuple(int(row) for row in table.rows[mask]),
            count=int(mask.sum()),
            table=table.role,
        )
    ]


def _criteria(cohort: Cohort) -> Iterator[Finding]:
    known = {
        *cohort.study.definitions.variables,
        *cohort.study.definitions.groupings,
        *map(str, cohort.tables["subjects"].frame.columns),
    }
    for criterion in cohort.study.analysis.every_criterion:
        for column in criterion.columns:
            if column not in known:
                yield _criterion_lacks(column, "subjects")
        for part in conditions_of(criterion):
            if not isinstance(part, HasRow):
                continue
            table = cohort.tables.get(part.table)
            if table is None:
                yield table_missing(cohort, part.table)
                continue
            columns = {*map(str, table.frame.columns)}
            for column in part.table_columns:
                if column not in columns:
                    yield _criterion_lacks(column, part.table)


def _population_names(cohort: Cohort) -> Iterator[Finding]:
    """Name single criteria that a population speaks of and the study lacks."""
    study = cohort.study
    for key, population in study.analysis.populations.items():
        for name in names_of_no_criterion(study, population):
            does = "leaves out" if name in population.without else "keeps"
            yield Finding(
                FindingCode.POPULATION_CRITERION_GONE,
                Severity.WARNING,
                f"The population “{population.label}” ({key}) {does} a criterion “{name}”, "
                "which is not among the criteria.",
                "Let the population forget it on the Cohort page, or write the name in the study "
                "file as the criterion has it.",
            )


def _criterion_lacks(column: str, role: str) -> Finding:
    what = "no column and no variable" if role == "subjects" else f"no column of “{role}”"
    return Finding(
        FindingCode.CRITERION_COLUMN_MISSING,
        Severity.ERROR,
        f"A criterion asks for “{column}”, which is {what}.",
        "Choose another column for it on the Cohort page, or remove it.",
        column=column,
        table=role,
    )


def _adverse_events(cohort: Cohort) -> tuple[Finding, ...]:
    definition = cohort.study.definitions.adverse_events
    if definition is None or definition.table not in cohort.tables:
        return ()
    try:
        recorded = event_list(cohort)
    except StudyError as error:
        return error.findings
    everyone = np.ones(cohort.n_in_file, dtype=bool)
    return event_findings(recorded, everyone, recorded.events)
