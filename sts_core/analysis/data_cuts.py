"""Two data cuts side by side: who is new, gone or changed, and how the results moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.response import ResponseSpec, response
from sts_core.cohort import Cohort
from sts_core.derive import date_columns_of, levels_of, survival_data, table_dates
from sts_core.display import Cell, Column, DisplayTable, Format
from sts_core.estimates import Estimate
from sts_core.findings import StudyError, listed_rows
from sts_core.study.types import DAYS_PER_UNIT
from sts_core.values import missing_codes, numbers, texts

# A month rounded to one decimal is 1.5 days: below two days nothing has shrunk.
_ROUNDING_DAYS = 2.0


@dataclass(frozen=True, slots=True)
class ChangedColumn:
    """Patients of both cuts of whom a column differs.

    Attributes
    ----------
    column
        Its name.
    n_filled, n_emptied, n_other
        Patients whose cell was empty then, is empty now, or holds something else.
    rows
        Rows of the new file.
    """

    column: str
    n_filled: int
    n_emptied: int
    n_other: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MovedEndpoint:
    """One endpoint in both cuts; ``None`` for what can't be computed.

    Attributes
    ----------
    n, n_event, median, follow_up
        Then and now: patients with a time, events, median, median follow-up.
    n_new_events
        Patients of both cuts who were censored then and have the event now.
    lost_events, shorter
        Rows of the new file: patients whose event is gone, and whose follow-up has become shorter.
        Follow-up should only grow.
    """

    code: str
    label: str
    unit: str
    n: tuple[int, int]
    n_event: tuple[int, int]
    median: tuple[Estimate | None, Estimate | None]
    follow_up: tuple[Estimate | None, Estimate | None]
    n_new_events: int
    lost_events: tuple[int, ...]
    shorter: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CutComparison:
    """What happened between two data cuts.

    Attributes
    ----------
    n
        Patients in the former and in the new file.
    new, changed
        Rows of the new file: patients who are new, and those of both of whom something differs.
    gone
        Rows of the former file: patients who are no longer there.
    n_both
        Patients in both.
    columns
        Columns that differ, most patients first.
    endpoints
        In the study's order.
    rates
        Objective response and disease control, then and now; empty without a response.
    n_response_changed
        Patients of both whose best response differs.
    """

    n: tuple[int, int]
    new: tuple[int, ...]
    gone: tuple[int, ...]
    changed: tuple[int, ...]
    n_both: int
    columns: tuple[ChangedColumn, ...]
    endpoints: tuple[MovedEndpoint, ...]
    rates: Mapping[str, tuple[Estimate | None, Estimate | None]]
    n_response_changed: int


def compare_cuts(former: Cohort, current: Cohort) -> CutComparison:
    """Compare two data cuts under the same choices.

    Parameters
    ----------
    former, current
        Patients are matched by the id of the source, which is in no result.

    Returns
    -------
    CutComparison
        Places are rows of the sheets. Nothing is raised: what can't be computed in one of the cuts
        is ``None`` there.
    """
    then = {former.source_ids[str(subject)]: at for at, subject in enumerate(former.subjects)}
    now = {current.source_ids[str(subject)]: at for at, subject in enumerate(current.subjects)}
    both = [source for source in now if source in then]
    old_at = np.array([then[source] for source in both], dtype=np.int64)
    new_at = np.array([now[source] for source in both], dtype=np.int64)
    rows = current.tables["subjects"].rows
    columns, changed = _columns(former, current, old_at, new_at)
    rates, n_response = _responses(former, current, old_at, new_at)
    return CutComparison(
        n=(former.n_in_file, current.n_in_file),
        new=tuple(int(rows[now[source]]) for source in now if source not in then),
        gone=tuple(
            int(former.tables["subjects"].rows[then[source]])
            for source in then
            if source not in now
        ),
        changed=tuple(int(row) for row in rows[new_at[changed]]),
        n_both=len(both),
        columns=columns,
        endpoints=tuple(
            _endpoint(former, current, code, old_at, new_at)
            for code in current.study.definitions.endpoints
        ),
        rates=rates,
        n_response_changed=n_response,
    )


def _columns(
    former: Cohort, current: Cohort, old_at: np.ndarray, new_at: np.ndarray
) -> tuple[tuple[ChangedColumn, ...], np.ndarray]:
    old, new = former.tables["subjects"], current.tables["subjects"]
    source = current.study.data.tables["subjects"]
    codes = missing_codes(source.missing_codes)
    changed = np.zeros(len(new_at), dtype=bool)
    found = []
    for name in map(str, new.frame.columns):
        if name not in old.frame.columns or name == source.subject_id:
            continue
        before = _meant(former, name, codes)[old_at]
        after = _meant(current, name, codes)[new_at]
        empty_then = np.array([text is None for text in before], dtype=bool)
        empty_now = np.array([text is None for text in after], dtype=bool)
        differ = np.array([a != b for a, b in zip(before, after, strict=True)], dtype=bool)
        if differ.any():
            changed |= differ
            found.append(
                ChangedColumn(
                    name,
                    int((differ & empty_then).sum()),
                    int((differ & empty_now).sum()),
                    int((differ & ~empty_then & ~empty_now).sum()),
                    tuple(int(row) for row in new.rows[new_at[differ]]),
                )
            )
    found.sort(key=lambda item: -len(item.rows))
    return tuple(found), changed


def _meant(cohort: Cohort, name: str, codes: frozenset[str]) -> np.ndarray:
    """Give what each cell of the patient table means, whatever its spelling.

    Numbers are compared as numbers, dates as dates, and the codes of a variable as its levels, so
    that nobody has changed because "M" is written "Male" now, or a date as 2021/5/3.

    Returns
    -------
    numpy.ndarray
        Objects, ``None`` where nothing is known; shape (rows,).
    """
    table, study = cohort.tables["subjects"], cohort.study
    format_ = study.data.tables["subjects"].columns.get(name)
    found = texts(table.column(name), codes)
    marks = format_.marks if format_ else "."
    amounts = numbers(table.column(name), decimal=marks, codes=codes).values
    levels = {
        text: level
        for key, variable in study.definitions.variables.items()
        if variable.table == "subjects" and (variable.column or key) == name
        and variable.derived is None
        for text, level in variable.codes.items()
    }  # fmt: skip
    days = np.full(len(found), np.datetime64("NaT", "D"))
    if name in date_columns_of(cohort, table):
        days = table_dates(cohort, "subjects", name).values
    for at, text in enumerate(found):
        if text is None:
            continue
        if text in levels:
            found[at] = levels[text]
        elif not np.isnat(days[at]):
            found[at] = days[at].item()
        elif np.isfinite(amounts[at]):
            found[at] = float(amounts[at])
    return found


def _endpoint(
    former: Cohort, current: Cohort, code: str, old_at: np.ndarray, new_at: np.ndarray
) -> MovedEndpoint:
    endpoint = current.study.definitions.endpoints[code]
    found = [_survival(cohort, code) for cohort in (former, current)]
    times, events = [], []
    for cohort, at in ((former, old_at), (current, new_at)):
        time = np.full(len(cohort.subjects), np.nan)
        event = np.zeros(len(cohort.subjects), dtype=bool)
        try:
            data = survival_data(cohort, code)
            time[data.position], event[data.position] = data.time, data.event
        except (StudyError, KeyError):
            pass  # said by the cut's own findings
        times.append(time[at] * DAYS_PER_UNIT[endpoint.raw_unit])
        events.append(event[at])
    with np.errstate(invalid="ignore"):
        shorter = times[1] < times[0] - _ROUNDING_DAYS
    known = np.isfinite(times[0]) & np.isfinite(times[1])
    # an event ends the follow-up: a progression found late may lie before the former last contact
    shorter &= ~(events[1] & ~events[0])
    rows = current.tables["subjects"].rows[new_at]
    return MovedEndpoint(
        code=code,
        label=endpoint.label,
        unit=endpoint.display_unit.value,
        n=(found[0][0], found[1][0]),
        n_event=(found[0][1], found[1][1]),
        median=(found[0][2], found[1][2]),
        follow_up=(found[0][3], found[1][3]),
        n_new_events=int((known & ~events[0] & events[1]).sum()),
        lost_events=tuple(int(row) for row in rows[known & events[0] & ~events[1]]),
        shorter=tuple(int(row) for row in rows[shorter]),
    )


def _survival(cohort: Cohort, code: str) -> tuple[int, int, Estimate | None, Estimate | None]:
    try:
        result = kaplan_meier(cohort, KaplanMeierSpec(code, landmarks=()))
    except (StudyError, KeyError):
        return 0, 0, None, None
    everyone = result.overall
    return (
        everyone.n,
        everyone.n_event,
        everyone.median.scaled(result.unit_factor),
        everyone.follow_up.scaled(result.unit_factor),
    )


def _responses(
    former: Cohort, current: Cohort, old_at: np.ndarray, new_at: np.ndarray
) -> tuple[dict[str, tuple[Estimate | None, Estimate | None]], int]:
    definition = current.study.definitions.response
    if definition is None:
        return {}, 0
    found: list[tuple[Estimate | None, Estimate | None]] = []
    values = []
    for cohort, at in ((former, old_at), (current, new_at)):
        try:
            rates = response(cohort, ResponseSpec()).overall.of_all
            found.append((rates.objective_response.estimate, rates.disease_control.estimate))
            values.append(levels_of(cohort, definition.variable).values[at])
        except StudyError:
            found.append((None, None))
    n_changed = 0
    if len(values) == 2:
        n_changed = sum(a != b for a, b in zip(*values, strict=True))
    (orr_then, dcr_then), (orr_now, dcr_now) = found
    return {
        "Objective response": (orr_then, orr_now),
        "Disease control": (dcr_then, dcr_now),
    }, n_changed


def cut_table(comparison: CutComparison) -> DisplayTable:
    """Give the comparison as a table: what, then, now; it holds no id and no date."""
    columns = (
        Column("what", "What"),
        Column("then", "Former data cut"),
        Column("now", "This data cut"),
    )
    rows: list[dict[str, Cell]] = [
        {"what": "Patients in the file", "then": comparison.n[0], "now": comparison.n[1]},
        {"what": "gone, new", "_indent": 1, "then": len(comparison.gone),
         "now": len(comparison.new)},
        {"what": "of both, with any change", "_indent": 1, "then": comparison.n_both,
         "now": len(comparison.changed)},
    ]  # fmt: skip
    for item in comparison.endpoints:
        rows.append({"what": item.label, "_heading": True})
        for name, pair in (("Patients with a time", item.n), ("Events", item.n_event)):
            rows.append({"what": name, "_indent": 1, "then": pair[0], "now": pair[1]})
        for name, estimates in (
            (f"Median, {item.unit} (95% CI)", item.median),
            (f"Median follow-up, {item.unit} (95% CI)", item.follow_up),
        ):
            rows.append({"what": name, "_indent": 1, "then": estimates[0], "now": estimates[1]})
        rows.append({"what": "Event new since then", "_indent": 1, "now": item.n_new_events})
    for name, rates in comparison.rates.items():
        rows.append(
            {"what": f"{name}, % (95% CI)", "then": _percent(rates[0]), "now": _percent(rates[1])}
        )
    if comparison.rates:
        rows.append(
            {"what": "Best response differs", "_indent": 1, "now": comparison.n_response_changed}
        )
    plain = tuple(
        Column(column.key, column.label, Format.ESTIMATE if column.key != "what" else Format.TEXT)
        for column in columns
    )
    return DisplayTable(
        "Data cuts compared",
        plain,
        tuple({key: _whole(value) for key, value in row.items()} for row in rows),
        (
            "The same choices were applied to both files; patients were matched by their id in the "
            "source, which is not shown.",
        ),
    )


def _whole(value: Cell) -> Cell:
    """Write a count without decimals in a column of estimates."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _percent(estimate: Estimate | None) -> Estimate | None:
    return None if estimate is None else estimate.scaled(0.01)


def backward_sentences(comparison: CutComparison) -> tuple[str, ...]:
    """Name what went backwards: follow-up and events should only grow."""
    said = []
    for item in comparison.endpoints:
        if item.lost_events:
            n = len(item.lost_events)
            said.append(
                f"{item.label}: the event of {n} {'patient' if n == 1 else 'patients'} is gone "
                f"({listed_rows(item.lost_events)})."
            )
        if item.shorter:
            n = len(item.shorter)
            said.append(
                f"{item.label}: the follow-up of {n} {'patient' if n == 1 else 'patients'} has "
                f"become shorter ({listed_rows(item.shorter)})."
            )
    emptied = [item for item in comparison.columns if item.n_emptied]
    said += [
        f"“{item.column}” was known then and is empty now in {item.n_emptied} of its changed rows."
        for item in emptied
    ]
    return tuple(said)
