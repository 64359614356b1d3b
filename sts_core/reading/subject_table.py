"""Which table has one row a patient, or which rows of a longer one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.agreed_rows import agreed_rows
from sts_core.reading.draft import Draft
from sts_core.reading.proposal import Question, QuestionKind, TableKind
from sts_core.reading.several_rows import nearly_one_row
from sts_core.reading.sheet import Sheet, SheetKind, row_filters
from sts_core.reading.table_kinds import kind_of
from sts_core.reading.visit_columns import columns_of_rows, visits_or_doses
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.study.types import RowChoice
from sts_core.values import distinct_cells

#: What can be said of the rows of the patient table.
PATIENT_ROWS = (
    RowChoice.AGREED, RowChoice.FIRST, RowChoice.LAST, RowChoice.EARLIEST, RowChoice.LATEST,
    RowChoice.EACH,
)  # fmt: skip
_MAX_TELLING = 6


@dataclass(frozen=True, slots=True, eq=False)
class SubjectTable:
    """The patient table.

    Attributes
    ----------
    sheet
        Its sheet.
    take
        Which row of a patient is proposed, when there are several; it must be confirmed.
    row_filter
        Column whose single values leave each patient one row at most, with these values.
    varying
        Columns that differ between the rows of a patient.
    rows_are
        Role of the same sheet as a table of its own, where its rows are known to be assessments or
        treatment of the patients.
    """

    sheet: Sheet
    take: RowChoice | None = None
    row_filter: tuple[str, tuple[str, ...]] | None = None
    varying: frozenset[str] = frozenset()
    rows_are: str | None = None

    @property
    def long_format(self) -> bool:
        """Whether the table has several rows a patient, of which one is taken."""
        return self.take is not None


def choose_subjects(
    sheets: list[Sheet], draft: Draft, told: Sheet | None = None
) -> SubjectTable | None:
    """Choose the patient table; rows that are visits, samples or events are asked about.

    Parameters
    ----------
    sheets
        Those that may hold patients.
    draft
        Takes the question and the finding about it.
    told
        The patient table, when somebody said which it is.

    Returns
    -------
    SubjectTable or None
        ``None`` when no table can hold the patients; the draft then says so.
    """
    if told is not None:
        return _long_table(told, draft) if told.ids_repeat else SubjectTable(told)
    one_row = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN and not sheet.ids_repeat]
    with_id = [sheet for sheet in one_row if sheet.id_column is not None]
    if one_row:
        found = max(with_id or one_row, key=_patient_score)
        # a list of codes has no id, and is no patient table beside one with a patient twice
        named = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN and sheet.id_column]
        better = max(named, key=_patient_score, default=found)
        if with_id or _patient_score(better)[0] <= _patient_score(found)[0]:
            return SubjectTable(found)
        return _long_table(better, draft)
    # patients without an event aren't in a table of adverse events
    long = [sheet for sheet in sheets if sheet.kind is not SheetKind.ADVERSE_EVENTS]
    long.sort(key=_patient_score, reverse=True)
    long.sort(key=lambda sheet: sheet.kind is not SheetKind.TIME_TO_EVENT)
    for sheet in long:
        if sheet.kind is SheetKind.TIME_TO_EVENT or row_filters(sheet):
            return _long_table(sheet, draft)
    plain = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN]
    if plain:
        return _long_table(max(plain, key=_patient_score), draft)
    for sheet in long:
        if sheet.id_column is not None and _rows_are(sheet) is not None:
            return _long_table(sheet, draft)
    draft.findings.append(
        Finding(
            FindingCode.TABLE_MISSING,
            Severity.ERROR,
            "No table has one row per patient.",
            f"There is: {listed([f'“{sheet.raw.label}”' for sheet in sheets]) or 'nothing'}. "
            "Add the file or sheet with the patients, or choose the table on the Data page.",
            table="subjects",
        )
    )
    return None


def _long_table(sheet: Sheet, draft: Draft) -> SubjectTable:
    """Take a table with several rows a patient: its patients are the different ids, once asked."""
    filters = row_filters(sheet)
    varying = varying_columns(sheet)
    twice = nearly_one_row(sheet)
    if twice and sheet.kind is SheetKind.PLAIN:
        return _entered_twice(sheet, draft)
    once = sheet.kind is SheetKind.TIME_TO_EVENT or twice
    rows_are = _rows_are(sheet) if not once else None
    if rows_are is not None:
        agreed = agreed_rows(sheet.raw.frame, sheet.ids())
        varying = {*agreed.of_visits, *columns_of_rows(sheet, rows_are)}
    telling = telling_columns(sheet, varying)
    known = bool(filters) or sheet.kind is SheetKind.TIME_TO_EVENT
    if known and not sheet.ids_repeat:  # one parameter only: every patient has one row
        return SubjectTable(sheet, RowChoice.FIRST, filters[0] if filters else None)
    apart = (
        f" What tells the rows of a patient apart: {listed([f'“{name}”' for name in telling])}."
        if telling
        else " No column tells the rows of a patient apart."
    )
    counts = f"{sheet.n_rows} rows, {_n_ids(sheet)} patients."
    if rows_are is not None:
        found = SubjectTable(sheet, RowChoice.AGREED, varying=frozenset(varying), rows_are=rows_are)
        _ask_both(found, f"{counts}{apart}", telling, draft)
        return found
    if known:
        draft.questions.append(
            Question(
                QuestionKind.ROWS,
                "data.tables.subjects.take",
                f"“{sheet.raw.label}” has several rows a patient: its rows aren't patients. Are "
                f"the different values of “{sheet.id_column}” the patients, each with what its "
                "first row says?",
                f"{counts}{apart} Columns that differ between the rows of a patient describe no "
                "patient and become no variable.",
                guess=RowChoice.FIRST.value,
                options=tuple(choice.value for choice in PATIENT_ROWS),
                columns=telling,
            )
        )
        draft.findings.append(_rows_not_patients(sheet, "the different ids"))
        return SubjectTable(
            sheet, RowChoice.FIRST, filters[0] if filters else None, frozenset(varying)
        )
    draft.questions.append(
        Question(
            QuestionKind.SUBJECT_ID,
            "data.tables.subjects.subject_id",
            f"“{sheet.id_column}” repeats, and no column picks one row a patient. Are the rows "
            "of this table patients, or visits, samples or events of patients?",
            f"{counts}{apart}",
            guess=sheet.id_column,
            columns=(sheet.id_column, *telling) if sheet.id_column else telling,
        )
    )
    draft.findings.append(_rows_not_patients(sheet, None))
    return SubjectTable(sheet)


def _entered_twice(sheet: Sheet, draft: Draft) -> SubjectTable:
    """Propose to count once who has several rows in a table of one row a patient."""
    agreed = agreed_rows(sheet.raw.frame, sheet.ids())
    n = agreed.n_several
    differing = [
        f"“{name}” ({'1 patient' if differs.sum() == 1 else f'{differs.sum()} patients'})"
        for name, differs in agreed.differing.items()
    ]
    differ = (
        f"Their rows differ in {listed(differing)}: not known there until the rows are corrected"
        if differing
        else "Their rows say the same"
    )
    draft.questions.append(
        Question(
            QuestionKind.ROWS,
            "data.tables.subjects.take",
            f"“{sheet.raw.label}” has one row a patient, but "
            f"{'1 patient has' if n == 1 else f'{n} patients have'} several. Were these entered "
            "twice, so that each counts once?",
            f"{sheet.n_rows} rows, {_n_ids(sheet)} patients. {differ}.",
            guess=RowChoice.AGREED.value,
            options=tuple(choice.value for choice in PATIENT_ROWS),
        )
    )
    draft.findings.append(_rows_not_patients(sheet, "the different ids"))
    return SubjectTable(sheet, RowChoice.AGREED)


def _rows_are(sheet: Sheet) -> str | None:
    kind, _ = kind_of(sheet)
    if kind is TableKind.EXPOSURES:
        return kind.value
    return visits_or_doses(sheet)


def _ask_both(found: SubjectTable, counts: str, telling: tuple[str, ...], draft: Draft) -> None:
    """Ask whether patients and their visits or doses both come from one table."""
    sheet = found.sheet
    names = [name for name in map(str, sheet.raw.frame.columns) if name != sheet.id_column]
    constant = [f"“{name}”" for name in names if name not in found.varying]
    changing = [f"“{name}”" for name in names if name in found.varying]
    what = "tumour assessments" if found.rows_are == "assessments" else "treatment"
    draft.questions.append(
        Question(
            QuestionKind.ROWS,
            "data.tables.subjects.take",
            f"“{sheet.raw.label}” has several rows a patient: its rows aren't patients. Are the "
            f"different values of “{sheet.id_column}” the patients, and the rows their {what}?",
            f"{counts} What never changes within a patient describes the patient: "
            f"{listed(constant) or 'no column'}. What changes stays with the rows: "
            f"{listed(changing) or 'no column'}.",
            guess=RowChoice.AGREED.value,
            options=tuple(choice.value for choice in PATIENT_ROWS),
            columns=telling,
        )
    )
    draft.findings.append(_rows_not_patients(sheet, "the different ids"))


def varying_columns(sheet: Sheet) -> set[str]:
    """Give the columns that differ between the rows of at least one patient."""
    if sheet.id_column is None:
        return set()
    frame = sheet.raw.frame
    known = np.array([value is not None for value in sheet.ids()], dtype=bool)
    _, owner = distinct_cells(frame.loc[known, sheet.id_column])
    n_ids = len(np.unique(owner))
    out = set()
    for name in sheet.profiles:
        if name == sheet.id_column:
            continue
        different, code = distinct_cells(frame.loc[known, name])
        if len(np.unique(owner * len(different) + code)) > n_ids:
            out.add(name)
    return out


def telling_columns(sheet: Sheet, varying: Collection[str]) -> tuple[str, ...]:
    """Give the columns that say what a row of a patient is, best first: parameter, visit, date."""
    words = vocabulary()
    filters = [name for name, _ in row_filters(sheet)]
    codes = [name for name in varying if words.parameters.whole(sheet.words[name]) == "code"]
    named: dict[str | None, list[str]] = {"visit": [], "date": []}
    for name in sheet.profiles:
        concept = words.assessments.whole(sheet.words[name]) if name in varying else None
        if concept in named:
            named[concept].append(name)
    dated = [
        name for name, profile in sheet.profiles.items() if name in varying and profile.is_date
    ]
    found = dict.fromkeys((*codes, *filters, *named["visit"], *named["date"], *dated))
    return tuple(name for name in found if name in varying)[:_MAX_TELLING]


def _n_ids(sheet: Sheet) -> int:
    return sheet.profiles[sheet.id_column].n_distinct if sheet.id_column else sheet.n_rows


def _rows_not_patients(sheet: Sheet, taken: str | None) -> Finding:
    what = f"; {taken} are taken for the patients" if taken else ""
    return Finding(
        FindingCode.ROWS_NOT_PATIENTS,
        Severity.WARNING,
        f"“{sheet.raw.label}” has {sheet.n_rows} rows for {_n_ids(sheet)} patients{what}.",
        "Choose on the Data page which rows describe the patients, or delete the rows that were "
        "entered twice.",
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
        column=sheet.id_column,
        count=sheet.n_rows,
        table="subjects",
    )


def _patient_score(sheet: Sheet) -> tuple[float, int, int]:
    """Say how much a sheet looks like the patient table."""
    known = vocabulary()
    named = known.patient_sheets.match(words_of(sheet.raw.label)) is not None
    concepts = {
        match.concept
        for parts in sheet.words.values()
        if (match := known.variables.match(parts)) is not None
        and match.exact
        and known.variable_concepts[match.concept].measured == "baseline"
    }
    return 5.0 * named + len(concepts), sheet.n_rows, len(sheet.profiles)
