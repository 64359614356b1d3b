"""From files as read to a cohort: tables by role, patients by id, losses by name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sts_core.cohort import Cohort, FlowDiagram, Table
from sts_core.findings import Finding, FindingCode, Severity, StudyError, listed
from sts_core.reading.ages import ages
from sts_core.reading.agreed_rows import agreed_rows
from sts_core.reading.join_findings import IdForms, join_findings
from sts_core.reading.joined_ids import with_joined_ids
from sts_core.reading.linkage import Join, Link, alike, better_rule, link
from sts_core.reading.other_ids import MIN_SHARE, form_of, other_ids
from sts_core.reading.privacy import (
    AGE_COLUMN,
    PrivateColumn,
    PrivateKind,
    private_columns,
)
from sts_core.reading.privacy import left_out as left_out_finding
from sts_core.reading.short_years import with_full_years
from sts_core.reading.unchosen_rows import without_choice
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.reading.workbook import RawTable, Workbook
from sts_core.study.types import (
    RESPONSE_LEVELS,
    TAKEN_BY_COLUMN,
    RowChoice,
    Scalar,
    Status,
    Study,
    TableSource,
)
from sts_core.values import DateOrder, dates, missing_codes, numbers, text_of, texts


def assemble(study: Study, workbooks: Sequence[Workbook]) -> Cohort:
    """Build the cohort that a study file describes.

    Parameters
    ----------
    study
        Says which sheet is which table and which column holds the patient's id.
    workbooks
        Files as read. With one file, its name need not agree with the study file's.

    Returns
    -------
    Cohort
        All patients of the subjects table, before criteria.

    Raises
    ------
    StudyError
        When a table or an id column isn't there, or a patient has several rows.
    """
    sources = study.data.tables
    if "subjects" not in sources:
        raise StudyError(
            Finding(
                FindingCode.TABLE_MISSING,
                Severity.ERROR,
                "The study names no table of patients.",
                "On the Data page, choose the sheet that has one row per patient.",
            )
        )
    findings: list[Finding] = [finding for book in workbooks for finding in book.findings]
    raw = find_table(workbooks, sources["subjects"], "subjects")
    frame, rows, filter_findings = filter_rows(raw, sources["subjects"])
    findings += filter_findings
    ids, kept, id_findings = _subject_ids(raw, frame, rows, sources["subjects"])
    findings += id_findings
    if sources["subjects"].take is RowChoice.AGREED:
        frame, disagreements = _agreed(raw, frame, rows, study)
        findings += disagreements
    else:
        frame = frame[kept].reset_index(drop=True)
    rows = rows[kept]
    width = max(3, len(str(len(frame))))
    subjects = np.array([f"S{number:0{width}d}" for number in range(1, len(frame) + 1)], object)
    patients = _Patients(raw, frame, subjects, sources["subjects"], ids)
    left_out, guarded = {}, {}
    left_out["subjects"], guarded["subjects"] = _private(raw, "subjects", study)
    frame = _gated(_with_age(frame, sources["subjects"]), left_out["subjects"])
    tables = {"subjects": Table("subjects", raw.file, raw.sheet, frame, subjects, rows)}
    if len(frame) == len(raw.frame):  # every row, in its order: what was looked through still holds
        seen = raw.looked_through
        open_to_all = [
            name for name in map(str, frame.columns) if name in seen and name != AGE_COLUMN
        ]
        tables["subjects"].read.update({("cells", name): seen[name] for name in open_to_all})
    joins = {}
    for role, source in sources.items():
        if role != "subjects":
            table, joins[role], role_findings = _linked_table(workbooks, role, source, patients)
            findings += role_findings
            if table is not None:
                sheet = find_table(workbooks, source, role)
                left_out[role], guarded[role] = _private(sheet, role, study)
                tables[role] = replace(table, frame=_gated(table.frame, left_out[role]))
    for role, columns in left_out.items():
        place = tables[role]
        findings += [left_out_finding(item, place.file, place.sheet, role) for item in columns]
    return Cohort(
        study=study,
        tables=tables,
        subjects=subjects,
        included=np.ones(len(subjects), dtype=bool),
        flow=FlowDiagram(len(subjects)),
        source_ids=dict(zip(subjects.tolist(), ids, strict=True)),
        findings=tuple(findings),
        data_hash=hashlib.sha256(
            "".join(sorted(book.sha256 for book in workbooks)).encode()
        ).hexdigest(),
        joins=joins,
        left_out={role: columns for role, columns in left_out.items() if columns},
        guarded={role: columns for role, columns in guarded.items() if columns},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Patients:
    """The rows that are patients, with every column, as other tables are joined to them.

    Attributes
    ----------
    raw, frame, source
        The patient table, its rows that are patients, and where it comes from.
    subjects, ids
        Study id and source id of each row.
    """

    raw: RawTable
    frame: pd.DataFrame
    subjects: np.ndarray
    source: TableSource
    ids: Sequence[str]

    def by(self, column: str | None) -> dict[str, list[str]]:
        """Give the study ids of each value of a column; of the patient id where none is named.

        Raises
        ------
        StudyError
            When the column isn't there.
        """
        if column is None:
            values = list(self.ids)
        elif column in self.frame.columns:
            values = texts(self.frame[column], missing_codes(self.source.missing_codes)).tolist()
        else:
            raise StudyError(
                column_missing(column, self.frame.columns, file=self.raw.file, sheet=self.raw.sheet)
            )
        patients: dict[str, list[str]] = {}
        for value, subject in zip(values, self.subjects.tolist(), strict=True):
            if value is not None:
                patients.setdefault(value, []).append(subject)
        return patients


def _private(
    raw: RawTable, role: str, study: Study
) -> tuple[tuple[PrivateColumn, ...], frozenset[str]]:
    """Give the columns of a table that the gate leaves out, and those that it would leave out.

    It leaves out those that the study file names, and those that look private, whoever made the
    study file; not those that a person has let in, nor those that an endpoint, an outcome or a
    confirmed variable rests on.
    """
    source = study.data.tables[role]
    needed = {*source.let_in, *needed_columns(study, role)}
    looks = private_columns(raw)
    found = {name: item for name, item in looks.items() if name not in needed}
    for name, kind in source.left_out.items():
        if name in raw.frame.columns and name not in found and name != source.subject_id:
            known = kind in {item.value for item in PrivateKind}
            found[name] = PrivateColumn(
                name, PrivateKind(kind) if known else PrivateKind.BY_HAND, "the study file says so"
            )
    guarded = frozenset({*looks} - {*found} - {source.subject_id})
    return tuple(found[name] for name in map(str, raw.frame.columns) if name in found), guarded


def needed_columns(study: Study, role: str) -> set[str]:
    """Name the columns of a table that a person has made part of the study."""
    source, definitions = study.data.tables[role], study.definitions
    names: list[str | None] = [source.subject_id, source.take_by, *source.rows]
    for endpoint in definitions.endpoints.values():
        if endpoint.table == role:
            names += [endpoint.time, endpoint.start, endpoint.event, endpoint.entry]
            names += [*endpoint.event_dates.values(), *endpoint.last_contact, *endpoint.rows]
    for key, variable in definitions.variables.items():
        if variable.table == role and variable.status is Status.CONFIRMED:
            names += [variable.column or key, *variable.rows]
    events = definitions.adverse_events
    if events is not None and events.table == role:
        names += [events.term, events.grade, events.system_organ_class, events.related]
        names += [events.serious, *events.rows, *events.columns]
    for item in (definitions.assessments, definitions.exposures):
        if item is not None and item.table == role and item.status is Status.CONFIRMED:
            names += item.columns
        if item is not None and role == "subjects":
            names.append(item.origin)
    if role == "subjects":
        names.append(definitions.cutoff_column)
    return {name for name in names if name is not None}


def _gated(frame: pd.DataFrame, left_out: Sequence[PrivateColumn]) -> pd.DataFrame:
    gone = [item.column for item in left_out if item.column in frame.columns]
    return frame.drop(columns=gone) if gone else frame


def _with_age(frame: pd.DataFrame, source: TableSource) -> pd.DataFrame:
    """Add the age in whole years, from a date of birth that is then left out."""
    if source.birth_date is None or source.age_at is None:
        return frame
    if source.birth_date not in frame.columns or source.age_at not in frame.columns:
        return frame
    codes = missing_codes(source.missing_codes)

    def order(name: str) -> DateOrder | None:
        format_ = source.columns.get(name)
        return format_.date_order if format_ else None

    at = dates(frame[source.age_at], order=order(source.age_at), codes=codes).values
    found = ages(frame[source.birth_date], order(source.birth_date), at)
    return frame.assign(**{AGE_COLUMN: pd.Series(found, index=frame.index, dtype=object)})


def find_table(workbooks: Sequence[Workbook], source: TableSource, role: str) -> RawTable:
    """Find the sheet that a source names.

    Raises
    ------
    StudyError
        When no file has it, and the message lists what there is; or when a column of its ids
        isn't there.
    """
    books = [book for book in workbooks if source.file in (None, book.file)]
    if not books and len(workbooks) == 1:
        books = list(workbooks)  # the next data cut comes under another file name
    sheets = [sheet for book in books for sheet in book.sheets]
    if source.sheet is not None:
        named = [sheet for sheet in sheets if sheet.sheet == source.sheet]
        only_one = len(sheets) == 1 and sheets[0].sheet is None
        sheets = named or (sheets if only_one else [])
    if sheets:
        found = with_full_years(sheets[0], source.columns)
        gone = [name for name in source.id_with if name not in found.frame.columns]
        if gone:
            raise StudyError(
                column_missing(name, found.frame.columns, file=found.file, sheet=found.sheet)
                for name in gone
            )
        return with_joined_ids(found, source.subject_id, source.id_with)
    have = [f"“{sheet.sheet or book.file}”" for book in workbooks for sheet in book.sheets]
    wanted = f"sheet “{source.sheet}”" if source.sheet else f"file “{source.file}”"
    raise StudyError(
        Finding(
            FindingCode.TABLE_MISSING,
            Severity.ERROR,
            f"The table “{role}” should be in {wanted}, which isn't there.",
            f"There is: {listed(have)}. Choose the table on the Data page, or add the file.",
            file=source.file,
            table=role,
        )
    )


def filter_rows(
    raw: RawTable, source: TableSource
) -> tuple[pd.DataFrame, np.ndarray, list[Finding]]:
    """Keep the rows that belong to the table, by its row filters."""
    mask, findings = rows_matching(raw.frame, source.rows, file=raw.file, sheet=raw.sheet)
    frame = raw.frame[mask].reset_index(drop=True)
    return frame, np.asarray(raw.row_numbers)[mask], findings


def rows_matching(
    frame: pd.DataFrame,
    wanted: Mapping[str, Iterable[Scalar]],
    *,
    file: str | None,
    sheet: str | None,
) -> tuple[np.ndarray, list[Finding]]:
    """Say which rows hold one of the wanted values in every named column.

    Raises
    ------
    StudyError
        When a named column isn't there.
    """
    mask = np.ones(len(frame), dtype=bool)
    for column, values in wanted.items():
        if column not in frame.columns:
            raise StudyError(column_missing(column, frame.columns, file=file, sheet=sheet))
        accepted = {text_of(value) for value in values}
        cells = texts(frame[column], frozenset())  # a level may be called "NA" (Namibia)
        mask &= np.array([text in accepted for text in cells], dtype=bool)
    if wanted and len(frame) and not mask.any():
        condition = "; ".join(f"{key} = {listed([*values])}" for key, values in wanted.items())
        return mask, [
            Finding(
                FindingCode.ROW_FILTER_EMPTY,
                Severity.WARNING,
                f"No row has {condition}.",
                "Choose other values for the row filter on the Data page.",
                file=file,
                sheet=sheet,
            )
        ]
    return mask, []


def column_missing(
    column: str, columns: Iterable[object], *, file: str | None, sheet: str | None
) -> Finding:
    """Say that a column isn't in its table, and name those that look alike."""
    import difflib

    names = [str(name) for name in columns]
    # a time of PFS in days is likelier meant than one of OS in months
    words = words_of(column)
    kin = [name for name in names if len(words) > 1 and words_of(name)[:1] == words[:1]]
    close = difflib.get_close_matches(column, kin, n=3, cutoff=0.4)
    close = close or difflib.get_close_matches(column, names, n=3)
    hint = f"Did you mean {listed([f'“{name}”' for name in close])}? " if close else ""
    return Finding(
        FindingCode.COLUMN_MISSING,
        Severity.ERROR,
        f"There is no column “{column}”.",
        f"{hint}On the Data page, choose another sheet or column for it; or correct the file.",
        file=file,
        sheet=sheet,
        column=column,
    )


# From here on a spreadsheet's number has lost digits; and how it writes one.
_EXACT = 2.0**53
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{2}")


def _lost_digits(cell: object) -> bool:
    """Whether an id is a number that a spreadsheet rounded: 1234567890123456 as 1.23E+15."""
    if isinstance(cell, float):
        return abs(cell) >= _EXACT
    return isinstance(cell, str) and _ROUNDED.fullmatch(cell) is not None


def _subject_ids(
    raw: RawTable, frame: pd.DataFrame, rows: np.ndarray, source: TableSource
) -> tuple[list[str], np.ndarray, list[Finding]]:
    """Give the source ids of the rows that are patients, and which rows these are."""
    everyone = np.ones(len(frame), dtype=bool)
    if source.subject_id is None:
        return [f"row {row}" for row in rows], everyone, []
    if source.subject_id not in frame.columns:
        raise StudyError(
            column_missing(source.subject_id, frame.columns, file=raw.file, sheet=raw.sheet)
        )
    ids = texts(frame[source.subject_id], missing_codes(source.missing_codes))
    known = np.array([value is not None for value in ids], dtype=bool)
    findings = []

    def say(code: FindingCode, severity: Severity, message: str, hint: str, at: np.ndarray) -> None:
        findings.append(
            Finding(
                code, severity, message, hint, file=raw.file, sheet=raw.sheet,
                column=source.subject_id, rows=tuple(int(row) for row in rows[at]),
                count=int(at.sum()), table="subjects",
            )
        )  # fmt: skip

    if not known.all():
        n = int((~known).sum())
        say(
            FindingCode.SUBJECT_MISSING,
            Severity.WARNING,
            f"{_rows(n)} {'has' if n == 1 else 'have'} no patient id and "
            f"{'is' if n == 1 else 'are'} left out.",
            "Fill in the id, or delete the rows if they belong to nobody.",
            ~known,
        )
    lost = np.array([_lost_digits(cell) for cell in frame[source.subject_id]], dtype=bool)
    if lost.any():
        say(
            FindingCode.SUBJECT_ID_DIGITS_LOST,
            Severity.WARNING,
            f"{int(lost.sum())} of {len(frame)} ids are long numbers that a spreadsheet rounded "
            "(it writes them with E+): their last digits are lost, and different patients may have "
            "the same id.",
            "Format the column as text in the spreadsheet, enter the ids again, and upload that "
            "file.",
            lost,
        )
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[known] = pd.Series(ids[known]).duplicated(keep=False).to_numpy()
    kept = known
    if repeated.any():
        n_ids, n_patients = len(set(ids[repeated])), len(set(ids[known]))
        if source.take in (None, RowChoice.NONE):
            say(
                FindingCode.SUBJECT_REPEATED,
                Severity.ERROR,
                f"{_have(n_ids)} more than one row ({int(repeated.sum())} rows).",
                "Rows of visits or parameters aren't patients: on the Data page, say which row of "
                "a patient counts, choose another sheet or a row filter, or delete the rows that "
                "were entered twice.",
                repeated,
            )
            raise StudyError(findings)
        if source.subject_id_status is not Status.CONFIRMED:
            findings.append(
                Finding(
                    FindingCode.ROWS_NOT_PATIENTS,
                    Severity.ERROR,
                    f"“{raw.sheet or raw.file}” has {_rows(int(known.sum()))} for {n_patients} "
                    "patients, and nobody has confirmed yet which row of a patient counts.",
                    "Confirm it on the Data page (in the study file: subject_id_status: "
                    "confirmed).",
                    file=raw.file,
                    sheet=raw.sheet,
                    column=source.subject_id,
                    rows=tuple(int(row) for row in rows[repeated]),
                    count=int(known.sum()),
                    table="subjects",
                )
            )
            raise StudyError(findings)
        if source.take is RowChoice.EACH:
            say(
                FindingCode.SUBJECT_REPEATED,
                Severity.WARNING,
                f"{_have(n_ids)} more than one row ({int(repeated.sum())} rows), and each row "
                "counts as a patient, as was chosen.",
                "Rows of other tables with these ids belong to nobody. If a patient is meant to "
                "count once, choose so on the Data page.",
                repeated,
            )
        else:
            chosen, undated = take_rows(frame, ids, source)
            kept = known & chosen
            if undated.any():
                say(
                    FindingCode.DATE_UNREADABLE,
                    Severity.WARNING,
                    f"{_have(len(set(ids[undated])))} several rows and none with a readable "
                    f"“{source.take_by}”: the first of the file counts.",
                    "Fill in the dates, or choose another row on the Data page.",
                    undated,
                )
    written = alike(list(ids[kept]))
    if written:
        at = kept & np.array([text in written for text in ids], dtype=bool)
        say(
            FindingCode.SUBJECT_REPEATED,
            Severity.WARNING,
            f"{len(written)} patient ids differ from another one only in case, blanks or letter "
            "width; each counts as a patient.",
            "If they are one patient, correct the spelling and delete the second row.",
            at,
        )
    return list(ids[kept]), kept, findings


def _agreed(
    raw: RawTable, frame: pd.DataFrame, rows: np.ndarray, study: Study
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give the patients what their rows agree on; say of columns in use where two rows differ."""
    source = study.data.tables["subjects"]
    if source.subject_id is None:
        return frame, []
    ids = texts(frame[source.subject_id], missing_codes(source.missing_codes))
    agreed = agreed_rows(frame, ids, source.missing_codes)
    used = needed_columns(study, "subjects") | {
        variable.column or key
        for key, variable in study.definitions.variables.items()
        if variable.table == "subjects"
    }
    findings = []
    owner = dict(zip(ids[agreed.first].tolist(), range(len(agreed.first)), strict=True))
    whose = np.array([owner.get(text, -1) for text in ids.tolist()], dtype=np.int64)
    for name, differs in agreed.differing.items():
        if name not in used:
            continue
        at = (whose >= 0) & differs[whose]
        n = int(differs.sum())
        findings.append(
            Finding(
                FindingCode.ROWS_DISAGREE,
                Severity.WARNING,
                f"“{name}” differs between the rows of "
                f"{'1 patient' if n == 1 else f'{n} patients'}: it is not known for "
                f"{'this patient' if n == 1 else 'them'}.",
                "Correct the rows if it is one thing of a patient. If it may change, it describes "
                "the visits: use it there, or choose on the Data page which row of a patient "
                "counts.",
                file=raw.file,
                sheet=raw.sheet,
                column=name,
                rows=tuple(int(row) for row in rows[at]),
                count=n,
                table="subjects",
            )
        )
    return agreed.frame, findings


def take_rows(
    frame: pd.DataFrame, ids: np.ndarray, source: TableSource
) -> tuple[np.ndarray, np.ndarray]:
    """Choose one row of each patient.

    Parameters
    ----------
    frame
        Rows of the table.
    ids
        Patient of each row, ``None`` where missing; object array (rows,).
    source
        Says which row counts, and by which column it is the earliest or latest.

    Returns
    -------
    tuple
        The rows chosen, one an id, and those among them that were chosen by their place because no
        row of the patient has a date or number to go by; boolean arrays (rows,).

    Raises
    ------
    StudyError
        When the column to go by isn't there.
    """
    known = np.array([value is not None for value in ids], dtype=bool)
    undated = np.zeros(len(frame), dtype=bool)
    by_value = source.take in TAKEN_BY_COLUMN
    if source.take in (None, RowChoice.EACH, RowChoice.NONE):
        return known, undated
    at = np.flatnonzero(known)
    if by_value:
        if source.take_by is None or source.take_by not in frame.columns:
            raise StudyError(
                column_missing(
                    source.take_by or "date", frame.columns, file=source.file, sheet=source.sheet
                )
            )
        value = _places(frame[source.take_by], source)[at]
        last = source.take in (RowChoice.LATEST, RowChoice.WORST)
        rank = np.where(np.isnan(value), np.inf, -value if last else value)
        at = at[np.argsort(rank, kind="stable")]  # of two on one day, the first of the file
    first = ~pd.Series(ids[at]).duplicated(
        keep="last" if source.take is RowChoice.LAST else "first"
    ).to_numpy()  # fmt: skip
    chosen = np.zeros(len(frame), dtype=bool)
    chosen[at[first]] = True
    if by_value:
        several = pd.Series(ids).duplicated(keep=False).to_numpy()
        unknown = np.isnan(_places(frame[source.take_by], source))
        undated = chosen & several & unknown
    return chosen, undated


def _places(cells: pd.Series, source: TableSource) -> np.ndarray:
    """Give what rows are ordered by: the day or number, or how bad a response is; NaN for none."""
    if source.take in (RowChoice.EARLIEST, RowChoice.LATEST):
        return _places_in_time(cells, source)
    known = vocabulary().lexicons["response"]
    ranks = {level: float(rank) for rank, level in enumerate(RESPONSE_LEVELS) if level != "NE"}
    said = texts(cells, missing_codes(source.missing_codes))
    return np.array([ranks.get(str(known.get(text or "")), np.nan) for text in said], dtype=float)


def _places_in_time(cells: pd.Series, source: TableSource) -> np.ndarray:
    """Read a column as numbers, or as days when that reads more of it; NaN for none."""
    codes = missing_codes(source.missing_codes)
    format_ = source.columns.get(str(source.take_by))
    as_numbers = numbers(cells, decimal=format_.marks if format_ else ".", codes=codes)
    as_dates = dates(cells, order=format_.date_order if format_ else None, codes=codes)
    if as_dates.unreadable.sum() < as_numbers.unreadable.sum():
        days = as_dates.values.astype("int64").astype(float)
        out: np.ndarray = np.where(np.isnat(as_dates.values), np.nan, days)
        return out
    return as_numbers.values


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n} rows"


def _have(n: int) -> str:
    return "1 patient has" if n == 1 else f"{n} patients have"


def _linked_table(
    workbooks: Sequence[Workbook], role: str, source: TableSource, patients: _Patients
) -> tuple[Table | None, Join, list[Finding]]:
    """Read a table with any number of rows a patient; rows of nobody are left out and reported.

    A table of which no row belongs to a patient is not there: it says nothing about these patients.
    """
    raw = find_table(workbooks, source, role)
    frame, rows, findings = filter_rows(raw, source)
    if source.subject_id is None or source.subject_id not in frame.columns:
        raise StudyError(
            column_missing(
                source.subject_id or "patient id", frame.columns, file=raw.file, sheet=raw.sheet
            )
        )
    ids = texts(frame[source.subject_id], missing_codes(source.missing_codes))
    if source.take is not None:
        chosen, _ = take_rows(frame, ids, source)
        chosen |= np.array([value is None for value in ids], dtype=bool)
        one = None
        if source.take is RowChoice.AGREED:
            one = agreed_rows(frame, ids, source.missing_codes).frame
        frame, rows, ids = frame[chosen].reset_index(drop=True), rows[chosen], ids[chosen]
        if one is not None:
            frame.iloc[[at for at, text in enumerate(ids) if text is not None]] = one
    known = patients.by(source.patient_column)
    linked = link(ids, known, source.id_rule)
    matched = linked.matched
    if source.take is RowChoice.NONE:
        settled = without_choice(raw, role, source.subject_id, frame, linked.subject, rows)
        findings += settled.findings
        matched &= settled.kept
    join = _join(raw, role, source, frame, ids, rows, linked, patients, known)
    findings += join_findings(join, _id_forms(raw, source, ids, linked, patients, known))
    if len(rows) and not linked.matched.any():
        return None, join, findings
    table = Table(
        role, raw.file, raw.sheet, frame[matched].reset_index(drop=True),
        linked.subject[matched], rows[matched],
    )  # fmt: skip
    return table, join, findings


def _join(
    raw: RawTable,
    role: str,
    source: TableSource,
    frame: pd.DataFrame,
    ids: np.ndarray,
    rows: np.ndarray,
    linked: Link,
    patients: _Patients,
    known: Mapping[str, Sequence[str]],
) -> Join:
    per_subject = pd.Series(linked.subject[linked.matched]).value_counts()
    better, n_better = better_rule(ids, known, linked, source.id_rule)
    n_subjects = len(patients.subjects)
    other = None
    patient_id = patients.source.subject_id
    few = linked.n_ids_matched + n_better < MIN_SHARE * linked.n_ids
    if few and source.patient_column is None and patient_id is not None:
        other = other_ids(frame, source.subject_id, patients.frame, patient_id)
    return Join(
        role=role,
        file=raw.file,
        sheet=raw.sheet,
        column=str(source.subject_id),
        rule=source.id_rule,
        n_subjects=n_subjects,
        n_rows=len(rows),
        n_ids=linked.n_ids,
        n_ids_matched=linked.n_ids_matched,
        n_ids_unclear=linked.n_ids_unclear,
        n_subjects_without_row=n_subjects - len(per_subject),
        n_subjects_several=int((per_subject > 1).sum()),
        rows_unmatched=tuple(int(row) for row in rows[~linked.matched & ~linked.no_id]),
        rows_without_id=tuple(int(row) for row in rows[linked.no_id]),
        better=better,
        n_better=n_better,
        patient_column=source.patient_column,
        other=other,
    )


def _id_forms(
    raw: RawTable,
    source: TableSource,
    ids: np.ndarray,
    linked: Link,
    patients: _Patients,
    known: Mapping[str, Sequence[str]],
) -> IdForms:
    """Say what both look like where none agrees; forms of a million ids that do cost time."""
    none = not linked.n_ids_matched
    return IdForms(
        table=raw.label,
        patients=patients.raw.label,
        form=form_of(ids.tolist()) if none else "",
        n_ids=linked.n_ids,
        patients_form=form_of(known) if none else "",
        patient_column=source.patient_column or patients.source.subject_id,
        n_patients=len(patients.subjects),
    )
