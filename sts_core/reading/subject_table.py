"""Which table has one row a patient, or which rows of a longer one."""

from __future__ import annotations

from dataclasses import dataclass

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.proposal import Question, QuestionKind
from sts_core.reading.sheet import Sheet, SheetKind, row_filters
from sts_core.reading.vocabulary import vocabulary, words_of


@dataclass(frozen=True, slots=True, eq=False)
class SubjectTable:
    """The patient table; ``row_filter`` picks one row a patient out of a long table."""

    sheet: Sheet
    row_filter: tuple[str, tuple[str, ...]] | None = None

    @property
    def long_format(self) -> bool:
        """Whether the table has several rows a patient, of which one is picked."""
        return self.row_filter is not None


def choose_subjects(sheets: list[Sheet], draft: Draft) -> SubjectTable | None:
    """Choose the patient table; rows that are visits, samples or events are asked about.

    Returns
    -------
    SubjectTable or None
        ``None`` when no table can hold the patients; the draft then says so.
    """
    one_row = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN and not sheet.ids_repeat]
    with_id = [sheet for sheet in one_row if sheet.id_column is not None]
    if one_row:
        return SubjectTable(max(with_id or one_row, key=_patient_score))
    # patients without an event aren't in a table of adverse events
    long = [sheet for sheet in sheets if sheet.kind is not SheetKind.ADVERSE_EVENTS]
    long.sort(key=_patient_score, reverse=True)
    long.sort(key=lambda sheet: sheet.kind is not SheetKind.TIME_TO_EVENT)
    for sheet in long:
        filters = row_filters(sheet)
        if filters:
            column, levels = filters[0]
            draft.questions.append(
                Question(
                    QuestionKind.ROWS,
                    f"data.tables.subjects.rows.{column}",
                    f"“{sheet.raw.label}” has several rows a patient: its rows aren't patients. "
                    f"With one value of “{column}” each patient has one row; which one describes "
                    "the patients?",
                    f"{sheet.n_rows} rows, {_n_ids(sheet)} patients.",
                    guess=levels[0],
                    options=levels,
                    columns=(column,),
                )
            )
            draft.findings.append(_rows_not_patients(sheet, f"rows with {column} = {levels[0]}"))
            return SubjectTable(sheet, filters[0])
    plain = [sheet for sheet in sheets if sheet.kind is SheetKind.PLAIN]
    if plain:
        sheet = max(plain, key=_patient_score)
        draft.questions.append(
            Question(
                QuestionKind.SUBJECT_ID,
                "data.tables.subjects.subject_id",
                f"“{sheet.id_column}” repeats, and no column picks one row a patient. Are the rows "
                "of this table patients, or visits, samples or events of patients?",
                f"{sheet.n_rows} rows, {_n_ids(sheet)} patients.",
                guess=sheet.id_column,
                columns=(sheet.id_column,) if sheet.id_column else (),
            )
        )
        draft.findings.append(_rows_not_patients(sheet, None))
        return SubjectTable(sheet)
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
