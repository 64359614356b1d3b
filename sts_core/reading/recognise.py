"""From files as read to a proposed study file: every guess with its evidence, nothing assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.assembly import column_missing, rows_matching, take_rows
from sts_core.reading.coding import scalar
from sts_core.reading.draft import Draft, finish, take_endpoint
from sts_core.reading.endpoints import (
    Guess,
    by_row_filter,
    date_columns,
    disagreement,
    from_dates,
    from_parameters,
    from_times,
    is_date_column,
    outcome_columns,
    outcomes,
    undated_events,
)
from sts_core.reading.event_columns import (
    event_columns,
    propose_event_columns,
    say_event_columns,
)
from sts_core.reading.formats import ask_numbers, ask_orders, formats_of, orders_of
from sts_core.reading.join_findings import IdForms, better_columns, none_matches
from sts_core.reading.joined_ids import by_centre, centre_columns, with_joined_ids
from sts_core.reading.linkage import RULES, better_rule, link
from sts_core.reading.other_ids import counting, form_of, other_ids
from sts_core.reading.progress import Progress
from sts_core.reading.proposal import (
    ColumnEvidence,
    ColumnRole,
    Proposal,
    Question,
    QuestionKind,
    TableEvidence,
    TableKind,
)
from sts_core.reading.questions import ask_codes, ask_endpoints, ask_time_codes
from sts_core.reading.several_rows import as_one_row, ask_row, nearly_one_row
from sts_core.reading.sheet import Sheet, SheetKind, is_response, profile_sheet
from sts_core.reading.subject_table import SubjectTable, choose_subjects
from sts_core.reading.table_kinds import USUAL_ROLES, kind_of
from sts_core.reading.template import with_template
from sts_core.reading.treatment_lines import propose_lines
from sts_core.reading.unnamed_times import propose_unnamed
from sts_core.reading.variables import VariableGuess, guess_variables
from sts_core.reading.visit_columns import (
    guess_assessments,
    guess_exposures,
    propose_visits,
    say_visits,
    visits_in_columns,
    visits_or_doses,
)
from sts_core.reading.visit_headers import visit_header
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.reading.workbook import Part, Workbook
from sts_core.study.types import (
    AdverseEventDefinition,
    IdRule,
    Measured,
    RowChoice,
    Scalar,
    TableSource,
)
from sts_core.values import DateOrder, texts

__all__ = ["ColumnEvidence", "ColumnRole", "Proposal", "Question", "QuestionKind", "propose_study"]

_MIN_OVERLAP = 0.5
# A second numbering is taken when so many ids, and such a share of them, are in both tables.
_FEWEST_IDS, _MOST_IDS = 5, 0.8
# Tables of which so many columns, and such a share, have one name are both of patients.
_FEWEST_COLUMNS, _SAME_COLUMNS = 4, 0.8
_OF_SEVERAL_ROWS = (
    "A patient has several rows there (samples, measurements, visits). On the Data page, choose "
    "its role; as “Other table” its rows can be counted and asked for in criteria."
)
#: File and sheet of a table.
Place = tuple[str, str | None]


def propose_study(
    workbooks: Sequence[Workbook],
    told: Mapping[Place, str | None] | None = None,
    progress: Progress | None = None,
) -> Proposal:
    """Recognise tables, endpoints and variables.

    Parameters
    ----------
    workbooks
        Files as read.
    told
        (file, sheet) -> role of the tables that somebody has named, ``None`` for "not used"; the
        others are guessed.
    progress
        Told how many columns are done; its cancel ends the work at the next one.

    Returns
    -------
    Proposal
        A study in which every guess is marked as one. Its questions must be answered before any
        survival number can be trusted; none of its answers is taken for granted.
    """
    try:
        return _proposed(workbooks, dict(told or {}), Progress() if progress is None else progress)
    finally:  # these are kept for the whole process: nothing of a file may stay in them
        words_of.cache_clear()
        visit_header.cache_clear()


def _proposed(
    workbooks: Sequence[Workbook], told: dict[Place, str | None], progress: Progress
) -> Proposal:
    draft = Draft(progress=progress)
    sheets = []
    for raw in (raw for book in workbooks for raw in book.sheets):
        progress.look()
        sheets.append(by_centre(profile_sheet(raw)))
    kept = _without_dictionaries(sheets, draft, told)
    chosen = next((sheet for sheet in sheets if told.get(_place(sheet)) == "subjects"), None)
    free = [sheet for sheet in kept if _place(sheet) not in told]
    free = [sheet for sheet in free if sheet.raw.part in (None, Part.PATIENTS)] or free
    subjects = choose_subjects(free, draft, chosen)
    if subjects is None:
        _list_tables(sheets, draft, told)
        return finish(draft)
    # those with a role come first, so that a guess never takes a name that was given
    others = [sheet for sheet in kept if sheet is not subjects.sheet]
    others.sort(key=lambda sheet: _place(sheet) not in told)
    _add_subjects(subjects, draft)
    for sheet in others:
        progress.look()
        if _place(sheet) in told:
            _add_told(sheet, subjects.sheet, told[_place(sheet)], draft)
        else:
            _add_other(sheet, subjects.sheet, draft)
    if subjects.long_format:
        _add_long_endpoints(subjects, draft)
    if not draft.endpoints and not subjects.long_format:
        propose_unnamed("subjects", draft.sheets["subjects"], draft)
    propose_visits(draft)
    propose_event_columns(draft, subjects.varying)
    _add_variables(draft, subjects.varying)
    for role, sheet in list(draft.sheets.items()):
        if role not in USUAL_ROLES and not sheet.ids_repeat:
            _add_table_variables(role, sheet, draft)
    _add_assessed_response(draft)
    if "exposures" in draft.sheets:
        propose_lines("exposures", draft.sheets["exposures"], draft.sheets["subjects"], draft)
    ask_endpoints(draft)
    ask_time_codes(draft)
    _list_tables(sheets, draft, told)
    return with_template(finish(draft), workbooks)


def _place(sheet: Sheet) -> Place:
    return sheet.raw.file, sheet.raw.sheet


def _list_tables(sheets: Sequence[Sheet], draft: Draft, told: Mapping[Place, str | None]) -> None:
    """List every sheet with its role, or why it has none."""
    role_at = {(source.file, source.sheet): role for role, source in reversed(draft.tables.items())}
    unused = {
        (finding.file, finding.sheet): finding.message
        for finding in draft.findings
        if finding.code is FindingCode.SHEET_NOT_USED
    }
    for sheet in sheets:
        place = _place(sheet)
        role = role_at.get(place)
        kind, why = kind_of(sheet)
        if place in told:
            why = "as you chose"
        elif role == "subjects" and sheet.ids_repeat:
            why = "it was taken for the patients; it has several rows of a patient"
        elif role is not None and draft.tables[role].take is RowChoice.NONE:
            why = "one row a patient but for few"
        elif sheet.raw.part is Part.EVENT and role is None:
            why = "the rows of the patients have its columns"
        elif place in unused:
            why = unused[place].rpartition(": ")[2].rstrip(".")
        if role is not None:
            kind = USUAL_ROLES.get(role, TableKind.OTHER if sheet.ids_repeat else TableKind.ONE_ROW)
        elif kind is not TableKind.DICTIONARY:
            kind = TableKind.UNUSED
        source = draft.tables.get(role) if role is not None else None
        column = source.subject_id if source is not None else sheet.id_column
        counts: np.ndarray = np.empty(0, dtype=int)
        if column is not None:
            ids = [text for text in texts(sheet.raw.cells(column)).tolist() if text is not None]
            counts = np.array(list(Counter(ids).values()), dtype=int)
        draft.listed.append(
            TableEvidence(
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                role=role,
                kind=kind,
                reason=why,
                n_rows=sheet.n_rows,
                n_columns=len(sheet.profiles),
                subject_id=column,
                n_ids=len(counts),
                rows_per_id=int(counts.max()) if len(counts) else 0,
            )
        )


def _without_dictionaries(
    sheets: list[Sheet], draft: Draft, told: Mapping[Place, str | None]
) -> list[Sheet]:
    kept = []
    for sheet in sheets:
        if _place(sheet) in told:
            kept.append(sheet)
        elif sheet.kind is SheetKind.DICTIONARY and len(sheets) > 1:
            draft.findings.append(
                _unused(sheet, "it describes columns and holds no patients", Severity.NOTE)
            )
        elif sheet.raw.hidden and any(not other.raw.hidden for other in sheets):
            draft.findings.append(_unused(sheet, "it is hidden", Severity.WARNING))
        else:
            kept.append(sheet)
    draft.synthetic = any(
        sheet.kind is SheetKind.DICTIONARY and len(sheets) > 1 and _says_synthetic(sheet)
        for sheet in sheets
    )
    return kept


def _says_synthetic(sheet: Sheet) -> bool:
    """Whether a dictionary states that the data are made up; the study is then stamped so."""
    return any(
        "synthetic data" in text.casefold()
        for profile in sheet.profiles.values()
        for text in profile.counts
    )


def _unused(sheet: Sheet, why: str, severity: Severity) -> Finding:
    return Finding(
        FindingCode.SHEET_NOT_USED,
        severity,
        f"The table “{sheet.raw.label}” is not used: {why}.",
        "If that is wrong, choose its role on the Data page.",
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
    )


def _source_of(sheet: Sheet, rows: dict[str, tuple[Scalar, ...]] | None = None) -> TableSource:
    return TableSource(
        file=sheet.raw.file,
        sheet=sheet.raw.sheet,
        subject_id=sheet.id_column,
        id_with=sheet.raw.id_with,
        rows=rows or {},
        columns=formats_of(sheet),
    )


def _add_subjects(subjects: SubjectTable, draft: Draft) -> None:
    sheet = subjects.sheet
    source = replace(_source_of(sheet), take=subjects.take)
    draft.tables["subjects"] = source
    if subjects.take is RowChoice.AGREED:
        sheet = sheet.with_agreed_rows()
    elif subjects.take is not None:
        chosen, _ = take_rows(sheet.raw.frame, sheet.ids(), source)
        sheet = sheet.with_rows(chosen)
    draft.sheets["subjects"] = sheet
    if sheet.id_column is None:
        draft.findings.append(
            Finding(
                FindingCode.SUBJECT_ID_NOT_FOUND,
                Severity.NOTE,
                f"No column of “{sheet.raw.label}” identifies the patients: each of the "
                f"{sheet.n_rows} rows is taken for a patient.",
                "If a patient has several rows, or other tables are to be joined, choose the id "
                "on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                count=sheet.n_rows,
                table="subjects",
            )
        )
    else:
        if sheet.raw.id_with:
            _ask_centre(sheet, draft)
        repeats = "; it repeats" if subjects.sheet.ids_repeat else ", and no value stands twice"
        draft.say(
            "subjects", sheet.id_column, ColumnRole.SUBJECT_ID,
            f"“{sheet.id_column}” is a usual name of a patient id{repeats}",
        )  # fmt: skip
    ask_orders("subjects", sheet, draft)
    ask_numbers("subjects", sheet, draft)
    for dated in date_columns(sheet, {}):
        if dated.use == "cutoff" and draft.cutoff_column is None:
            draft.cutoff_column = dated.name
            draft.say("subjects", dated.name, ColumnRole.DATE, "date of the data cut-off")
    if not subjects.long_format and sheet.kind is SheetKind.PLAIN:
        _add_endpoints("subjects", _after_visits("subjects", sheet, draft), draft)
    elif subjects.take is RowChoice.AGREED:
        of_patients = {
            name: item for name, item in sheet.profiles.items() if name not in subjects.varying
        }
        _add_endpoints("subjects", replace(sheet, profiles=of_patients), draft)


def _ask_centre(sheet: Sheet, draft: Draft) -> None:
    """Ask whether the number of a patient counts within a centre."""
    (centre,) = sheet.raw.id_with
    column = str(sheet.id_column)
    n = sheet.profiles[column].n_distinct
    draft.questions.append(
        Question(
            QuestionKind.SUBJECT_ID,
            "data.tables.subjects.id_with",
            f"The same “{column}” stands in several values of “{centre}”. Are both together the "
            "patient id?",
            f"{sheet.n_rows} rows, {sheet.profiles[centre].n_distinct} values of “{centre}”, {n} "
            "pairs.",
            guess=centre,
            columns=(centre, column),
        )
    )
    draft.findings.append(
        Finding(
            FindingCode.ROWS_NOT_PATIENTS,
            Severity.WARNING,
            f"The same “{column}” stands in several values of “{centre}”: “{centre}” and "
            f"“{column}” together are taken for the patient id, which makes {n} patients.",
            "If one number is one patient in all of them, choose so on the Data page.",
            file=sheet.raw.file,
            sheet=sheet.raw.sheet,
            column=column,
            count=n,
            table="subjects",
        )
    )


def _after_visits(role: str, sheet: Sheet, draft: Draft) -> Sheet:
    """Take the columns of visits; give the sheet without them.

    The date of a third follow-up is nobody's last contact.
    """
    found = visits_in_columns(sheet)
    if found is None:
        return sheet
    say_visits(role, found, draft)
    free = {name: item for name, item in sheet.profiles.items() if name not in found.reasons}
    return replace(sheet, profiles=free)


def _add_endpoints(role: str, sheet: Sheet, draft: Draft) -> None:
    """Take the endpoints of a table with one row a patient; dates before rounded times."""
    orders = orders_of(sheet)
    dated = {guess.code: guess for guess in from_dates(sheet, role, date_columns(sheet, orders))}
    timed = {guess.code: guess for guess in from_times(sheet, role)}
    for code in dict.fromkeys((*dated, *timed)):
        if code in draft.endpoints:
            continue
        chosen = dated.get(code) or timed[code]
        if code in dated and code in timed:
            if timed[code].n_usable > dated[code].n_usable:
                chosen = timed[code]
            _compare(role, sheet, dated[code], timed[code], orders, chosen, draft)
            other = timed[code] if chosen is dated[code] else dated[code]
            for name in other.columns:
                if name not in chosen.columns:
                    what = ColumnRole.TIME if name == other.endpoint.time else ColumnRole.STATUS
                    what = ColumnRole.DATE if is_date_column(sheet, name) else what
                    draft.say(role, name, what, f"{code} is taken from {_origin(chosen)} instead")
        if chosen.endpoint.from_dates and code not in timed:
            _say_undated(role, sheet, chosen, orders, draft)
        take_endpoint(role, chosen, draft)


def _say_undated(
    role: str, sheet: Sheet, chosen: Guess, orders: Mapping[str, DateOrder], draft: Draft
) -> None:
    """Name patients of whom a column says the event without a date: they would count as without."""
    rows = np.asarray(sheet.raw.row_numbers)
    for dated, says, places in undated_events(sheet, chosen, orders):
        patients = "1 patient" if len(places) == 1 else f"{len(places)} patients"
        draft.findings.append(
            Finding(
                FindingCode.ENDPOINT_SOURCES_DIFFER,
                Severity.WARNING,
                f"“{says}” says of {patients} that it happened, but “{dated}” has no date: "
                f"{chosen.code} takes them as without this event.",
                f"Fill in the dates, or take {chosen.code} from a time and a status on the Data "
                "page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=dated,
                rows=tuple(int(row) for row in rows[places]),
                count=len(places),
                table=role,
            )
        )


def _origin(guess: Guess) -> str:
    return "the dates" if guess.endpoint.from_dates else "the column of times"


def _compare(
    role: str,
    sheet: Sheet,
    dated: Guess,
    timed: Guess,
    orders: Mapping[str, DateOrder],
    chosen: Guess,
    draft: Draft,
) -> None:
    events, times = disagreement(outcomes(sheet, dated, orders), outcomes(sheet, timed, orders))
    used = "The dates are used." if chosen is dated else "The column of times is used."
    rows = np.asarray(sheet.raw.row_numbers)
    for places, what in (
        (events, f"the status “{timed.endpoint.event}” says otherwise"),
        (times, f"the time in “{timed.endpoint.time}” is another"),
    ):
        if len(places):
            draft.findings.append(
                Finding(
                    FindingCode.ENDPOINT_SOURCES_DIFFER,
                    Severity.WARNING,
                    f"{dated.code} by its dates differs from the file's own column in "
                    f"{len(places)} patients: {what}.",
                    f"{used} Look at these rows, and choose the source on the Data page.",
                    file=sheet.raw.file,
                    sheet=sheet.raw.sheet,
                    column=timed.endpoint.event if places is events else timed.endpoint.time,
                    rows=tuple(int(row) for row in rows[places]),
                    count=len(places),
                    table=role,
                )
            )


def _add_long_endpoints(subjects: SubjectTable, draft: Draft) -> None:
    """Take endpoints from a table with one row an endpoint and patient."""
    sheet = subjects.sheet
    role = "time_to_event"
    guesses: list[Guess] = []
    if sheet.kind is SheetKind.TIME_TO_EVENT:
        guesses = from_parameters(sheet, role)
    elif subjects.rows_are is not None:
        if subjects.rows_are not in draft.tables:
            _take_as(subjects.rows_are, sheet, draft)
    elif sheet.kind is SheetKind.ASSESSMENTS and "assessments" not in draft.tables:
        _take_table("assessments", sheet, draft)
        _note_assessments(sheet, draft)
    elif subjects.row_filter is not None:
        column, levels = subjects.row_filter
        guesses = by_row_filter(from_times(sheet, role), sheet, column, sorted(levels), role)
    if guesses and role not in draft.tables:
        draft.tables[role] = _source_of(sheet)
        draft.sheets[role] = sheet
        for guess in guesses:
            take_endpoint(role, guess, draft)


def _add_other(sheet: Sheet, subjects: Sheet, draft: Draft) -> None:
    """Give a table the role that its columns speak for, when its ids are those of patients.

    What an event holds that is not repeated stands in the rows of the patients already.
    """
    if sheet.raw.part is Part.EVENT and subjects.raw.part is Part.PATIENTS:
        return
    if _same_columns(sheet, subjects) and kind_of(sheet)[0] is TableKind.ONE_ROW:
        draft.findings.append(_patients_too(sheet, subjects))
        return
    linked = _linked(sheet, subjects, draft)
    if linked is None:
        draft.findings.append(_unlinked(sheet, subjects))
        return
    kind, why = kind_of(linked)
    if kind in (TableKind.UNUSED, TableKind.ASSESSMENTS) and nearly_one_row(linked):
        _take_nearly_one_row(role_of(sheet.raw.label, draft.tables), linked, draft)
    elif kind is TableKind.ONE_ROW:
        _take_as(role_of(sheet.raw.label, draft.tables), linked, draft)
    elif kind is TableKind.UNUSED and (role := visits_or_doses(linked)) not in (
        None,
        *draft.tables,
    ):
        _take_as(str(role), linked, draft)
    elif kind is TableKind.UNUSED:
        finding = _unused(sheet, "it is not known what its rows are", Severity.WARNING)
        draft.findings.append(replace(finding, hint=_OF_SEVERAL_ROWS))
    elif kind.value in draft.tables:
        why = f"another table is that of the {kind.value.replace('_', ' ')} already"
        draft.findings.append(_unused(sheet, why, Severity.WARNING))
    else:
        _take_as(kind.value, linked, draft)


def _same_columns(sheet: Sheet, other: Sheet) -> bool:
    """Whether two tables have nearly the same columns, so that both are tables of patients."""
    own, theirs = set(sheet.profiles), set(other.profiles)
    both = len(own & theirs)
    return both >= _FEWEST_COLUMNS and both >= _SAME_COLUMNS * max(len(own), len(theirs))


def _patients_too(sheet: Sheet, subjects: Sheet) -> Finding:
    """Say that a table has the columns of the patient table: another data cut, or other patients.

    Which of two cuts is the newer one, only a person can say.
    """
    known, own = set(subjects.ids()) - {None}, set(sheet.ids()) - {None}
    both = len(own & known)
    why = f"it has the columns of the patient table “{subjects.raw.label}”"
    if both < _MIN_OVERLAP * len(own) or not own:
        why = f"{why}, for other patients ({both} of its {len(own)} ids are in both)"
        hint = (
            "If these are further patients, of another centre for instance, put the rows of both "
            "below each other in one sheet."
        )
    else:
        why = f"{why}, and {both} of its {len(own)} ids, as another data cut would"
        hint = (
            f"“{subjects.raw.label}” was taken, which is no sign that it is the newer one: look, "
            "and choose the other for the patients on the Data page if it is. Two cuts are "
            "compared under “Compare with a former data cut”."
        )
    return replace(_unused(sheet, why, Severity.WARNING), hint=hint)


def _take_nearly_one_row(role: str, sheet: Sheet, draft: Draft) -> None:
    """Take a table in which few patients have several rows; which of these counts is asked."""
    one = as_one_row(sheet, _source_of(sheet))
    _take_as(role, one, draft)
    draft.tables[role] = replace(draft.tables[role], take=RowChoice.NONE)
    question = ask_row(role, sheet)
    if question is not None:
        draft.questions.append(question)


def _add_told(sheet: Sheet, subjects: Sheet, role: str | None, draft: Draft) -> None:
    """Give a table the role that somebody named."""
    if role is None:
        draft.findings.append(_unused(sheet, "so it was chosen", Severity.NOTE))
        return
    linked = _linked(sheet, subjects, draft) or sheet
    if linked.id_column is None:
        draft.findings.append(_unlinked(sheet, subjects))
        return
    if role not in USUAL_ROLES and nearly_one_row(linked):
        _take_nearly_one_row(role, linked, draft)
    else:
        _take_as(role, linked, draft)


def _take_as(role: str, sheet: Sheet, draft: Draft) -> None:
    """Take a table in a role, with the endpoints and definitions that it gives."""
    if role not in USUAL_ROLES and not sheet.ids_repeat:
        _add_endpoints(role, _after_visits(role, sheet, draft), draft)
    _take_table(role, sheet, draft)
    if role == "adverse_events":
        draft.adverse_events = _adverse_events(sheet, draft)
    elif role == "assessments":
        _note_assessments(sheet, draft)
        draft.assessments = guess_assessments(sheet, role)
    elif role == "exposures":
        draft.exposures = guess_exposures(sheet, role)
    elif role == "time_to_event" and sheet.kind is SheetKind.TIME_TO_EVENT:
        for guess in from_parameters(sheet, role):
            former = draft.guesses.get(guess.code)
            if former is not None:
                _say_replaced(former, draft)
                _compare_tables(former, guess, sheet, draft)
            take_endpoint(role, guess, draft)


def _compare_tables(former: Guess, guess: Guess, sheet: Sheet, draft: Draft) -> None:
    """Say of whom an endpoint of a CDISC table differs from the one whose place it takes."""
    other = draft.sheets.get(former.endpoint.table)
    if other is None:
        return
    mask, _ = rows_matching(sheet.raw.frame, guess.endpoint.rows, file=None, sheet=None)
    part = sheet.with_rows(mask)
    theirs = outcomes(other, former, orders_of(other))
    column = draft.tables[guess.endpoint.table].patient_column
    ids = texts(other.raw.cells(column)) if column is not None else other.ids()
    first = {text: at for at, text in reversed([*enumerate(ids.tolist())])}
    place = np.array([first.get(text, -1) for text in part.ids().tolist()], dtype=np.int64)
    here = np.flatnonzero(place >= 0)
    events, times = disagreement(
        theirs.at(place[here]), outcomes(part, guess, orders_of(part)).at(here)
    )
    alone = np.isfinite(theirs.time) & theirs.known
    alone[place[here]] = False
    rows = np.asarray(part.raw.row_numbers)[here]
    source = "dates" if former.endpoint.from_dates else f"“{former.endpoint.time}”"
    name = other.raw.label
    for at, sheet_rows, what in (
        (events, rows[events], "has the event in one of them only"),
        (times, rows[times], "has another time, by more than the day of the start"),
        (
            np.flatnonzero(alone), np.asarray(other.raw.row_numbers)[alone],
            f"has it by “{name}” and has no row for it in “{sheet.raw.label}”",
        ),
    ):  # fmt: skip
        if not len(at):
            continue
        missing = what.startswith("has it")
        n = len(at)
        what = what if n == 1 else what.replace("has ", "have ")
        draft.findings.append(
            Finding(
                FindingCode.ENDPOINT_SOURCES_DIFFER,
                Severity.WARNING,
                f"{guess.code} by the parameters of “{sheet.raw.label}” and from the {source} of "
                f"“{name}”: {'1 patient' if n == 1 else f'{n} patients'} {what}.",
                "Look at these patients. The parameters are proposed; another source can be chosen "
                "on the card of the endpoint.",
                file=(other if missing else sheet).raw.file,
                sheet=(other if missing else sheet).raw.sheet,
                column=None if missing else guess.endpoint.time,
                rows=tuple(int(row) for row in sheet_rows),
                count=n,
                table=former.endpoint.table if missing else guess.endpoint.table,
            )
        )


def _say_replaced(former: Guess, draft: Draft) -> None:
    """Say of the columns of an endpoint that the parameters of a CDISC table take its place."""
    role = former.endpoint.table
    for name in former.columns:
        what, why = draft.roles.get(role, {}).get(name, (ColumnRole.IGNORED, ""))
        shared = any(
            name in guess.columns and guess.endpoint.table == role
            for code, guess in draft.guesses.items()
            if code != former.code
        )
        if not shared and what in (ColumnRole.DATE, ColumnRole.TIME, ColumnRole.STATUS):
            why = f"{former.code} is taken from the table of parameters instead"
            draft.roles[role][name] = (what, why)


def role_of(label: str, taken: Mapping[str, object]) -> str:
    """Give a role to a table that has none of the usual ones."""
    stem = "_".join(words_of(label.rsplit(".", 1)[0])) or "table"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def _take_table(role: str, sheet: Sheet, draft: Draft) -> None:
    patient_column = draft.patient_columns.get(_place(sheet))
    draft.tables[role] = replace(_source_of(sheet), patient_column=patient_column)
    draft.sheets[role] = sheet
    if sheet.id_column:
        whose = f"“{patient_column}”" if patient_column is not None else "ids"
        why = f"has the {whose} of the patient table"
        draft.say(role, sheet.id_column, ColumnRole.SUBJECT_ID, why)
    draft.questions = [  # asked when its role was not known yet
        replace(asked, table=role, path=f"data.tables.{role}.{asked.path.rpartition('.')[2]}")
        if asked.kind is QuestionKind.ID_RULE and asked.table == sheet.raw.label
        else asked
        for asked in draft.questions
    ]
    ask_orders(role, sheet, draft)
    ask_numbers(role, sheet, draft)


def _linked(sheet: Sheet, subjects: Sheet, draft: Draft) -> Sheet | None:
    """Choose the column with the patient table's ids; ``None`` when too few agree.

    Ids that agree under a looser rule only are asked about: the table is then joined by exact ids.
    """
    if subjects.id_column is None:
        return None
    known = set(subjects.ids()) - {None}
    if subjects.raw.id_with and not sheet.raw.id_with:
        sheet = _with_same_parts(sheet, subjects)
    named = [sheet.id_column] if sheet.id_column else []
    if subjects.id_column in sheet.profiles:
        named.insert(0, subjects.id_column)
    others = [name for name, profile in sheet.profiles.items() if not profile.is_date]
    for name in dict.fromkeys((*named, *others)):
        draft.progress.look()
        candidate = replace(sheet, id_column=name)
        own = set(candidate.ids()) - {None}
        if name not in named:  # "1" is a patient id, and a grade or a cycle too
            few = len(own) < (_MIN_OVERLAP * len(known) if counting(own) else 3)
            if few or (named and counting(own)):
                continue
        if own and len(own & known) >= _MIN_OVERLAP * len(own):
            return candidate
    patients = {text: (text,) for text in known}
    for name in dict.fromkeys(named):
        candidate = replace(sheet, id_column=name)
        ids = candidate.ids()
        exact = link(ids, patients, IdRule.EXACT)
        rule, n_more = better_rule(ids, patients, exact, IdRule.EXACT)
        if rule is None or exact.n_ids_matched + n_more < _MIN_OVERLAP * exact.n_ids:
            continue
        draft.questions.append(
            Question(
                QuestionKind.ID_RULE,
                f"data.tables.{sheet.raw.label}.id_rule",
                f"The ids of “{sheet.raw.label}” are spelled unlike those of the patient table. "
                "Are they the same patients?",
                f"{exact.n_ids_matched + n_more} of {exact.n_ids} ids match when {RULES[rule]}.",
                guess=rule.value,
                options=tuple(item.value for item in IdRule),
                table=sheet.raw.label,
                columns=(name,),
            )
        )
        return candidate
    return _linked_otherwise(sheet, subjects, named, draft)


def _with_same_parts(sheet: Sheet, subjects: Sheet) -> Sheet:
    """Join the ids of a table as those of the patients are, where it has the same columns."""
    columns = set(sheet.profiles)
    parts = subjects.raw.id_with
    if not set(parts) <= columns:
        centres = centre_columns(sheet)
        parts = centres[:1] if len(parts) == 1 else ()
    column = subjects.id_column if subjects.id_column in columns else sheet.id_column
    if not parts or column is None or column in parts:
        return sheet
    joined = profile_sheet(with_joined_ids(sheet.raw, column, parts))
    return replace(joined, id_column=column)


def _linked_otherwise(
    sheet: Sheet, subjects: Sheet, named: Sequence[str], draft: Draft
) -> Sheet | None:
    """Join a table by a second numbering that both have; it is asked about."""
    subject_id = str(subjects.id_column)
    own = named[0] if named else None
    found = other_ids(sheet.raw.frame, own, subjects.raw.frame, subject_id)
    if found is None or found.patient_column is None:
        return None
    if found.n_ids < _FEWEST_IDS or found.n_matched < _MOST_IDS * found.n_ids:
        return None
    forms = _forms(sheet, own or found.column, subjects)
    draft.patient_columns[_place(sheet)] = found.patient_column
    draft.questions.append(
        Question(
            QuestionKind.ID_RULE,
            f"data.tables.{sheet.raw.label}.patient_column",
            f"“{sheet.raw.label}” is joined by “{found.column}”, which has what "
            f"“{found.patient_column}” of the patient table holds. Is that the same numbering of "
            "the same patients?",
            f"{better_columns(found, forms)[:1].upper()}{better_columns(found, forms)[1:]}.",
            guess=found.patient_column,
            table=sheet.raw.label,
            columns=(found.column,),
        )
    )
    because = f": {none_matches(str(own), forms)}" if own not in (None, found.column) else ""
    draft.findings.append(
        Finding(
            FindingCode.TABLES_DIFFER,
            Severity.WARNING,
            f"“{sheet.raw.label}” is joined by a second numbering. {better_columns(found, forms)}"
            f"{because}.",
            "Look whether these are the same patients; the columns can be changed in the list of "
            "tables on the Data page.",
            file=sheet.raw.file,
            sheet=sheet.raw.sheet,
            column=found.column,
            count=found.n_ids,
        )
    )
    return replace(sheet, id_column=found.column)


def _forms(sheet: Sheet, column: str, subjects: Sheet) -> IdForms:
    ids = texts(sheet.raw.cells(column)).tolist()
    theirs = [text for text in subjects.ids().tolist() if text is not None]
    return IdForms(
        table=sheet.raw.label,
        patients=subjects.raw.label,
        form=form_of(ids),
        n_ids=len({*ids} - {None}),
        patients_form=form_of(theirs),
        patient_column=subjects.id_column,
        n_patients=len({*theirs}),
    )


def _unlinked(sheet: Sheet, subjects: Sheet) -> Finding:
    """Say that no column of a table has the ids of the patients, and what both look like."""
    column = sheet.id_column
    if column is None and subjects.id_column is not None:
        why = (
            f"none of its columns has the ids of “{subjects.id_column}” of "
            f"“{subjects.raw.label}” ({form_of(subjects.ids().tolist())})"
        )
        return _unused(sheet, why, Severity.WARNING)
    forms = _forms(sheet, column, subjects) if column is not None else IdForms(
        sheet.raw.label, subjects.raw.label, "", 0, "", None, 0
    )  # fmt: skip
    finding = _unused(sheet, none_matches(str(column), forms), Severity.WARNING)
    found = (
        other_ids(sheet.raw.frame, column, subjects.raw.frame, subjects.id_column)
        if subjects.id_column is not None
        else None
    )
    hint = f"{better_columns(found, forms)}; to use the table by these, c" if found else "C"
    return replace(
        finding,
        column=column,
        hint=f"{hint}hoose its role and its column of ids on the Data page; or write the ids alike "
        "in both files. If these are other patients, there is nothing to do.",
    )


def _adverse_events(sheet: Sheet, draft: Draft) -> AdverseEventDefinition | None:
    """Tell the columns of adverse events by their headers; the more usual name wins."""
    known = vocabulary()
    found: dict[str, tuple[int, str]] = {}
    for name, words in sheet.words.items():
        concept = known.adverse_events.whole(words)
        rank = known.adverse_event_rank.get(words, len(known.adverse_event_rank))
        if concept is None or not sheet.profiles[name].n_known:
            continue
        if concept not in found or rank < found[concept][0]:
            found[concept] = (rank, name)
    names = {concept: name for concept, (_, name) in found.items()}
    if "term" not in names:
        across = event_columns(sheet, told=True)
        if across is not None:
            say_event_columns("adverse_events", across, draft)
            return across.definition
        draft.findings.append(
            column_missing("term", sheet.profiles, file=sheet.raw.file, sheet=sheet.raw.sheet)
        )
        return None
    for concept, what in (
        ("term", ColumnRole.TERM), ("grade", ColumnRole.GRADE), ("related", ColumnRole.RELATED),
        ("serious", ColumnRole.SERIOUS), ("onset", ColumnRole.DATE),
    ):  # fmt: skip
        if concept in names:
            draft.say("adverse_events", names[concept], what, "by its header")
    emergent = names.get("treatment_emergent")
    rows = {emergent: _positive_values(sheet, emergent)} if emergent else {}
    return AdverseEventDefinition(
        term=names["term"],
        grade=names.get("grade"),
        system_organ_class=names.get("body_system"),
        related=names.get("related"),
        related_values=_positive_values(sheet, names.get("related")),
        serious=names.get("serious"),
        serious_values=_positive_values(sheet, names.get("serious")),
        rows={name: values for name, values in rows.items() if values},
    )


def _positive_values(sheet: Sheet, name: str | None) -> tuple[Scalar, ...]:
    """Give the values that mean yes, or some degree of relation."""
    if name is None:
        return ()
    known = vocabulary()
    return tuple(
        scalar(text)
        for text in sorted(sheet.profiles[name].counts)
        if known.lexicons["yes_no"].get(text) == "Yes"
        or words_of(text) in known.related_values
        or text == "1"
    )


def _note_assessments(sheet: Sheet, draft: Draft) -> None:
    phrases = vocabulary().assessments
    for name, words in sheet.words.items():
        concept = phrases.whole(words)
        if concept == "response":
            draft.say("assessments", name, ColumnRole.RESPONSE, "words of a tumour response")
        elif concept == "date":
            draft.say("assessments", name, ColumnRole.DATE, "by its header")
    code = sheet.parameter("code")
    if code:
        draft.say("assessments", code, ColumnRole.PARAMETER, "says what a row is about")


def _add_variables(draft: Draft, varying: Collection[str]) -> None:
    sheet = draft.sheets["subjects"]
    taken = set(draft.roles.get("subjects", {}))
    for guess in draft.guesses.values():
        if _same_sheet(draft.tables.get(guess.endpoint.table), draft.tables["subjects"]):
            taken |= set(guess.columns)
    if sheet.parameter("code"):
        taken |= {
            name
            for name, words in sheet.words.items()
            if vocabulary().parameters.whole(words) and name not in _response_columns(sheet)
        }
    for name in varying:
        if name not in taken:
            draft.say(
                "subjects", name, ColumnRole.IGNORED, "it differs between the rows of a patient"
            )
    ignored: list[VariableGuess] = []
    outcomes = outcome_columns(sheet)
    for item in guess_variables(sheet, taken | set(varying), outcomes, draft.progress):
        if item.variable is None or item.key is None:
            _ignore("subjects", item, ignored, draft)
        else:
            draft.variables[item.key] = item.variable
            draft.say("subjects", item.column, ColumnRole.VARIABLE, item.reason)
            ask_codes("subjects", item, item.key, sheet, draft)
    _note_ignored("subjects", ignored, sheet, draft)


def _ignore(role: str, item: VariableGuess, ignored: list[VariableGuess], draft: Draft) -> None:
    ignored.append(item)
    draft.say(role, item.column, ColumnRole.IGNORED, item.reason)
    if item.private:
        draft.hidden.add((role, item.column))


def _add_table_variables(role: str, sheet: Sheet, draft: Draft) -> None:
    """Make variables of the columns of a second table with one row a patient.

    A column that says the same as one of that name in the patient table is not taken twice; one
    that says something else is named with its table.
    """
    subjects = draft.sheets["subjects"]
    taken = set(draft.roles.get(role, {}))
    ignored: list[VariableGuess] = []
    for item in guess_variables(sheet, taken, outcome_columns(sheet), draft.progress):
        if item.variable is None or item.key is None:
            _ignore(role, item, ignored, draft)
            continue
        same, rows = _compared(sheet, subjects, item.column, draft.tables[role].patient_column)
        if same and not len(rows):
            draft.say(role, item.column, ColumnRole.IGNORED, "the patient table says the same")
            continue
        if len(rows):
            draft.findings.append(
                Finding(
                    FindingCode.TABLES_DIFFER,
                    Severity.WARNING,
                    f"“{item.column}” stands in “{sheet.raw.label}” and in the patient table, and "
                    f"differs in {len(rows)} of the patients of both.",
                    "Look at these rows; both are kept, the second one with the name of its table.",
                    file=sheet.raw.file,
                    sheet=sheet.raw.sheet,
                    column=item.column,
                    rows=tuple(int(row) for row in rows),
                    count=len(rows),
                    table=role,
                )
            )
        key, variable = item.key, replace(item.variable, table=role)
        if key in draft.variables:
            key, number = f"{role}_{item.key}", 2
            while key in draft.variables:
                key, number = f"{role}_{item.key}_{number}", number + 1
            variable = replace(variable, label=f"{variable.label} ({role.replace('_', ' ')})")
        draft.variables[key] = replace(variable, column=None if key == item.column else item.column)
        draft.say(role, item.column, ColumnRole.VARIABLE, item.reason)
        ask_codes(role, item, key, sheet, draft)
    _note_ignored(role, ignored, sheet, draft)


def _compared(
    sheet: Sheet, subjects: Sheet, column: str, patient_column: str | None
) -> tuple[bool, np.ndarray]:
    """Say whether both tables know a column for a patient in common, and the rows that differ."""
    nothing = np.empty(0, dtype=int)
    if column not in subjects.profiles:
        return False, nothing
    ids = texts(subjects.raw.cells(patient_column)) if patient_column else subjects.ids()
    first = dict(zip(ids, texts(subjects.raw.cells(column)), strict=True))
    own = texts(sheet.raw.cells(column))
    other = np.array([first.get(text) for text in sheet.ids()], dtype=object)
    both = np.array([a is not None and b is not None for a, b in zip(own, other, strict=True)])
    if not both.any():
        return False, nothing
    # known in one table only: it says more than the other one
    more = np.array([a is not None and b is None for a, b in zip(own, other, strict=True)])
    differ = both & np.not_equal(own, other).astype(bool)
    return not more.any(), np.asarray(sheet.raw.row_numbers)[differ]


def _add_assessed_response(draft: Draft) -> None:
    """Take best overall response from a table of assessments, when the patient table has none.

    A kind of row is wanted that no patient has twice and that is named as the best response
    (``PARAMCD = BESRSPI``): the response at a visit is not the best one.
    """
    sheet = draft.sheets.get("assessments")
    column = sheet.parameter("code") if sheet is not None else None
    if sheet is None or column is None or "best_response" in draft.variables:
        return
    for level in sorted(sheet.profiles[column].counts):
        rows: dict[str, tuple[Scalar, ...]] = {column: (scalar(level),)}
        mask, _ = rows_matching(sheet.raw.frame, rows, file=None, sheet=None)
        part = sheet.with_rows(mask)
        if part.ids_repeat or not _says_best(part, level):
            continue
        others = set(part.profiles) - _response_columns(part)
        for item in guess_variables(part, others, ()):
            if item.variable is not None:
                draft.variables["best_response"] = replace(
                    item.variable,
                    label="Best overall response",
                    column=item.column,
                    table="assessments",
                    rows=rows,
                    measured=Measured.POST_BASELINE,
                )
                draft.say("assessments", item.column, ColumnRole.RESPONSE, "the best response")
                return


def _says_best(sheet: Sheet, level: str) -> bool:
    """Whether a kind of row is named as the best response, by its code or its description."""
    code = level.casefold()
    described = sheet.parameter("label")
    texts = [*(sheet.profiles[described].counts if described else ()), level]
    return code.startswith(("bes", "bor", "cbor")) or any(
        {"best", "response"} <= set(words_of(text)) for text in texts
    )


def _same_sheet(first: TableSource | None, second: TableSource) -> bool:
    return first is not None and (first.file, first.sheet) == (second.file, second.sheet)


def _response_columns(sheet: Sheet) -> set[str]:
    return {name for name, profile in sheet.profiles.items() if is_response(profile)}


def _note_ignored(role: str, ignored: list[VariableGuess], sheet: Sheet, draft: Draft) -> None:
    by_reason: dict[str, list[str]] = {}
    for item in ignored:
        if item.gate is None:
            by_reason.setdefault(item.reason, []).append(item.column)
    for reason, columns in by_reason.items():
        named = listed([f"“{name}”" for name in columns])
        verb = "is" if len(columns) == 1 else "are"
        draft.findings.append(
            Finding(
                FindingCode.COLUMN_NOT_USED,
                Severity.NOTE,
                f"{named} {verb} no variable: {reason}.",
                "If that is wrong, add it as a variable on the Data page.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                column=columns[0] if len(columns) == 1 else None,
                count=len(columns),
                table=role,
            )
        )
