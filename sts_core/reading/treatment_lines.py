"""A table of lines of treatment: which is studied is asked, how many there are is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sts_core.reading.agreed_rows import agreed_rows
from sts_core.reading.draft import Draft
from sts_core.reading.endpoints import STARTS, date_columns
from sts_core.reading.formats import orders_of
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet
from sts_core.reading.visit_columns import line_column
from sts_core.study.types import CountOfRows, Measured, Variable, VariableKind
from sts_core.values import DateOrder, dates, texts

# In so many of the patients with rows a line starts on the day, so that it is proposed.
_MIN_AGREED = 0.5
_MAX_LISTED = 6


def is_of_lines(sheet: Sheet) -> bool:
    """Whether a column of a table names the line of treatment, and differs within patients."""
    name = line_column(sheet)
    if name is None or sheet.id_column is None:
        return False
    agreed = agreed_rows(sheet.raw.frame[[name]], sheet.ids())
    return bool(agreed.differing)


def propose_lines(role: str, sheet: Sheet, patients: Sheet, draft: Draft) -> None:
    """Keep the line of each row, count the lines of each patient, and ask which one is studied.

    Parameters
    ----------
    role, sheet
        The table of treatment.
    patients
        The patient table, for the date on which the treatment that is studied starts.
    draft
        Takes the variables and the question.
    """
    line = line_column(sheet)
    if line is None or not is_of_lines(sheet):
        return
    found = draft.exposures if draft.exposures and draft.exposures.table == role else None
    start, n_agreed, n_with = _start(role, sheet, found.start, patients, draft) if found else (
        None, 0, 0,
    )  # fmt: skip
    if found is not None:
        agreed = start is not None and n_agreed >= _MIN_AGREED * n_with
        draft.exposures = replace(found, line=line)
        _ask(role, sheet, line, start if agreed else None, n_agreed, n_with, draft)
    count = CountOfRows(role, line)
    _offer(draft, "number_of_lines", "Number of lines of treatment", count, Measured.POST_BASELINE)
    if found is not None and start is not None:
        prior = CountOfRows(role, line, date=found.start, before=start)
        _offer(draft, "prior_lines", "Number of prior lines", prior, Measured.BASELINE)


def _offer(draft: Draft, key: str, label: str, count: CountOfRows, when: Measured) -> None:
    name, number = key, 2
    while name in draft.variables:
        name, number = f"{key}_{number}", number + 1
    draft.variables[name] = Variable(
        label=label, kind=VariableKind.NUMERIC, derived=count, measured=when
    )


def _start(
    role: str, sheet: Sheet, column: str, patients: Sheet, draft: Draft
) -> tuple[str | None, int, int]:
    """Give the date of the patient table on which most patients start a line.

    Returns
    -------
    tuple
        Its column, the patients of whom a line starts on that day, and those with a row and a date.
    """
    own = _days(sheet, column, orders_of(sheet).get(column))
    patient_column = draft.tables[role].patient_column
    ids = texts(patients.raw.cells(patient_column)) if patient_column else patients.ids()
    best: tuple[str | None, int, int] = (None, 0, 0)
    orders = orders_of(patients)
    same = (patients.raw.file, patients.raw.sheet) == (sheet.raw.file, sheet.raw.sheet)
    theirs = draft.exposures.columns if same and draft.exposures is not None else ()
    dated = [
        item
        for item in date_columns(patients, orders)
        if item.concept in STARTS and item.name not in theirs
    ]
    dated.sort(key=lambda item: STARTS.index(item.concept))
    for item in dated:
        day = dict(zip(ids.tolist(), _days(patients, item.name, item.order), strict=True))
        with_both, agreed = set(), set()
        for who, start in zip(sheet.ids().tolist(), own, strict=True):
            if who is None or np.isnat(day.get(who, np.datetime64("NaT"))):
                continue
            with_both.add(who)
            if start == day[who]:
                agreed.add(who)
        if with_both and (best[0] is None or len(agreed) > best[1]):
            best = (item.name, len(agreed), len(with_both))
    return best


def _days(sheet: Sheet, column: str, order: DateOrder | None) -> np.ndarray:
    return dates(sheet.raw.frame[column], order=order).values


def _ask(
    role: str, sheet: Sheet, line: str, start: str | None, n_agreed: int, n_with: int, draft: Draft
) -> None:
    counts = sheet.profiles[line].frequent[:_MAX_LISTED]
    on_day = (
        f" In {n_agreed} of {n_with} patients a line starts on the day in “{start}”."
        if start is not None
        else ""
    )
    draft.questions.append(
        Question(
            QuestionKind.ROWS,
            f"definitions.{role}.index",
            f"“{sheet.raw.label}” has a row for each line of treatment. Which line is the "
            "treatment that is studied?",
            f"{sheet.n_rows} rows of {sheet.profiles[str(sheet.id_column)].n_distinct} patients."
            f"{on_day} Until it is said, no row counts as that treatment.",
            guess=f"at_start, with index_start: {start}" if start is not None else None,
            options=("every", "first", "last", "at_start"),
            table=role,
            columns=(line,),
            counts=counts,
        )
    )
