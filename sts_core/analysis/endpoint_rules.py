"""What each rule of an endpoint would change: patients, events and median side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.cohort import Cohort
from sts_core.derive import SurvivalData, survival_data, table_dates
from sts_core.estimates import Estimate
from sts_core.findings import StudyError
from sts_core.study.types import Endpoint, IncompleteDates, Study

GAPS = (84, 112, 168)
FEW = 5
_FILLED = {
    IncompleteDates.LEAVE_OUT: "not read: these patients are left out",
    IncompleteDates.FIRST: "the first day of the month or year",
    IncompleteDates.MIDDLE: "the 15th of the month, 1 July of the year",
    IncompleteDates.LAST: "the last day of the month or year",
}


@dataclass(frozen=True, slots=True)
class RuleOption:
    """One way to define an endpoint, and what comes out.

    Attributes
    ----------
    label
        The option in words.
    study
        The study with it.
    current
        Whether it is in force.
    n, n_event
        Patients analysed with a time, and events.
    events
        Events by kind, in words; empty for a single kind.
    median
        Median with its interval, in the display unit; ``None`` when it can't be computed.
    n_changed
        Patients whose time or event differs from what is in force, or who are in or out.
    problem
        Why it can't be computed; empty when it can.
    """

    label: str
    study: Study
    current: bool
    n: int
    n_event: int
    events: str
    median: Estimate | None
    n_changed: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """One rule with its options, in order."""

    name: str
    help: str
    options: tuple[RuleOption, ...]


def rule_choices(cohort: Cohort, code: str) -> tuple[RuleChoice, ...]:
    """Give the rules of an endpoint from dates with the effect of each option.

    Parameters
    ----------
    cohort
        The patients analysed.
    code
        Code of an endpoint whose times come from dates.

    Returns
    -------
    tuple of RuleChoice
        Only rules that the columns allow. Nothing is raised: an option that can't be computed says
        why. The options of one rule leave all other rules as they are.
    """
    return cohort.kept(("rule choices", code), lambda: _choices(cohort, code))


def _choices(cohort: Cohort, code: str) -> tuple[RuleChoice, ...]:
    endpoint = cohort.study.definitions.endpoints[code]
    if not endpoint.from_dates or endpoint.table not in cohort.tables:
        return ()
    dated = _date_columns(cohort, endpoint)
    made_for: list[Study] = []
    made_options: list[RuleOption] = []

    def option(label: str, changed: Endpoint | Study) -> RuleOption:
        study = changed if isinstance(changed, Study) else _with(cohort.study, code, changed)
        if study not in made_for:
            made_for.append(study)
            made_options.append(_effect(cohort, code, study))
        found = made_options[made_for.index(study)]
        return replace(found, label=label)

    choices = [
        RuleChoice(
            "Time starts at",
            "Time zero of every patient.",
            tuple(
                option(name, replace(endpoint, start=name))
                for name in dated
                if name == endpoint.start
                or name not in (*endpoint.event_dates.values(), *endpoint.last_contact)
            ),
        )
    ]
    events = _event_options(endpoint)
    if len(events) > 1:
        choices.append(
            RuleChoice(
                "An event is",
                "Progression alone is a time to progression (TTP), called PFS in the reference "
                "study: patients who die without progression are then censored.",
                tuple(option(label, changed) for label, changed in events),
            )
        )
    free = [
        name for name in dated if name != endpoint.start and name not in
        endpoint.event_dates.values()
    ]  # fmt: skip
    contacts = list(dict.fromkeys([endpoint.last_contact, *((name,) for name in free)]))
    if len(free) > 1:
        contacts.append(tuple(free))
    choices.append(
        RuleChoice(
            "Without an event, censored at",
            "The last evaluable assessment for PFS, the last contact for OS; of several, the "
            "latest known.",
            (
                *_by_assessments(cohort, endpoint, option),
                *(
                    option(
                        " or ".join(names) if names else "(no date)",
                        replace(endpoint, last_contact=names, assessed=False),
                    )
                    for names in dict.fromkeys(contacts)
                ),
            ),
        )
    )
    if endpoint.event is None or endpoint.event_dates:
        choices.append(
            RuleChoice(
                "Without any date of an event or contact",
                "A patient who was never assessed is usually censored at day 0 for PFS.",
                (
                    option("left out and counted", replace(endpoint, no_contact="lose")),
                    option("censored at the start", replace(endpoint, no_contact="start")),
                ),
            )
        )
    # not everybody has a next therapy
    therapies = [
        name
        for name in free
        if name not in endpoint.last_contact
        and np.isnat(table_dates(cohort, endpoint.table, name).values).any()
    ]
    if therapies or endpoint.new_therapy:
        choices.append(_therapy(endpoint, therapies, option))
    gaps = sorted({*GAPS, *([endpoint.longest_gap_days] if endpoint.longest_gap_days else [])})
    if endpoint.last_contact or endpoint.assessed:
        choices.append(
            RuleChoice(
                "An event after missed assessments",
                "Two missed assessments of 8 weeks each are 112 days without one.",
                (
                    option("is an event", replace(endpoint, longest_gap_days=None)),
                    *(
                        option(
                            f"more than {days} days after the last assessment is censored there",
                            replace(endpoint, longest_gap_days=days),
                        )
                        for days in gaps
                    ),
                ),
            )
        )
    if _has_incomplete(cohort, endpoint):
        definitions = cohort.study.definitions
        choices.append(
            RuleChoice(
                "Incomplete dates (2021-05, 2021) are",
                "For all endpoints of the study. A filled-in date never goes before or after a "
                "known one that it can't.",
                tuple(
                    option(
                        words,
                        replace(
                            cohort.study, definitions=replace(definitions, incomplete_dates=rule)
                        ),
                    )
                    for rule, words in _FILLED.items()
                ),
            )
        )
    choices.append(
        RuleChoice(
            "Days are counted as",
            "CDISC counts the day of the start as day 1.",
            (
                option("end minus start", replace(endpoint, add_one_day=False)),
                option("end minus start plus one", replace(endpoint, add_one_day=True)),
            ),
        )
    )
    if cohort.study.definitions.cutoff or cohort.study.definitions.cutoff_column:
        choices.append(
            RuleChoice(
                "What is dated after the data cut-off",
                "Patients are censored at the cut-off when something later is known of them.",
                (
                    option("is censored at it", replace(endpoint, cutoff=True)),
                    option("counts", replace(endpoint, cutoff=False)),
                ),
            )
        )
    return tuple(choice for choice in choices if len(choice.options) > 1)


def _by_assessments(
    cohort: Cohort, endpoint: Endpoint, option: Callable[[str, Endpoint], RuleOption]
) -> list[RuleOption]:
    """Give the option of the table of assessments, where the study defines one."""
    if cohort.study.definitions.assessments is None:
        return []
    changed = replace(endpoint, assessed=True)
    return [option("the last evaluable assessment, by its table", changed)]


def _therapy(
    endpoint: Endpoint, columns: list[str], option: Callable[[str, Endpoint], RuleOption]
) -> RuleChoice:
    goes_on = replace(endpoint, new_therapy=None, at_new_therapy="censor")
    if endpoint.new_therapy is None or endpoint.at_new_therapy == "ignore":
        goes_on = endpoint
    options = [option("goes on", goes_on)]
    names = dict.fromkeys([*([endpoint.new_therapy] if endpoint.new_therapy else []), *columns])
    for name in names:
        options += [
            option(
                f"is censored at “{name}”",
                replace(endpoint, new_therapy=name, at_new_therapy="censor"),
            ),
            option(
                f"ends with an event at “{name}”",
                replace(endpoint, new_therapy=name, at_new_therapy="event"),
            ),
        ]
    return RuleChoice(
        "At the next therapy, follow-up",
        "Choose the column that holds the date of the next therapy.",
        tuple(options),
    )


def _event_options(endpoint: Endpoint) -> list[tuple[str, Endpoint]]:
    """Give the events that the dates of the endpoint allow."""
    dates = endpoint.event_dates
    if len(dates) < 2:
        return []
    together = " or ".join(dates)
    found = [(f"{together}, whichever is first", endpoint)]
    found += [(f"{kind} only", of_one_kind(endpoint, kind)) for kind in dates]
    return found


def of_one_kind(endpoint: Endpoint, kind: str) -> Endpoint:
    """Give an endpoint from dates with events of one kind only.

    Parameters
    ----------
    endpoint
        With dates of several kinds of events.
    kind
        The kind that stays an event; the dates of the others become days on which a patient was
        known to be without it, so that a death without progression is censored on its day.

    Returns
    -------
    Endpoint
        Without the status column: it says of all kinds together whether one happened.
    """
    others = tuple(name for other, name in endpoint.event_dates.items() if other != kind)
    return replace(
        endpoint,
        event_dates={kind: endpoint.event_dates[kind]},
        last_contact=tuple(dict.fromkeys([*endpoint.last_contact, *others])),
        event=None,
        events={},
        censored=(),
    )


def time_to_progression(endpoint: Endpoint) -> Endpoint | None:
    """Give the time to progression (TTP) of a progression-free survival.

    Returns
    -------
    Endpoint or None
        Death without progression is censored on its day. ``None`` where the endpoint is not of
        dates of progression and of death.
    """
    if not {"progression", "death"} <= endpoint.event_dates.keys():
        return None
    return replace(of_one_kind(endpoint, "progression"), label="Time to progression")


def duration_of_response(endpoint: Endpoint) -> Endpoint:
    """Give the duration of response (DOR) of a progression-free survival from dates.

    Returns
    -------
    Endpoint
        With the same events, from the first response in the table of assessments, of patients
        with an objective response.
    """
    return replace(
        endpoint,
        label="Duration of response",
        time_zero="first response",
        responders=True,
        first_response=True,
    )


def _with(study: Study, code: str, endpoint: Endpoint) -> Study:
    endpoints = {**study.definitions.endpoints, code: endpoint}
    return replace(study, definitions=replace(study.definitions, endpoints=endpoints))


def date_columns(cohort: Cohort, role: str = "subjects") -> list[str]:
    """Give the columns of a table that hold dates, in order.

    Parameters
    ----------
    cohort
        Whose table is looked at.
    role
        Role of the table.

    Returns
    -------
    list of str
        Columns of which at least nine in ten known cells can be read as a date. Plain numbers are
        dates only where a person says so.
    """
    table = cohort.tables[role]
    found = []
    for name in map(str, table.frame.columns):
        cells = [cell for cell in table.column(name).head(50) if cell is not None]
        if cells and all(isinstance(cell, int | float) for cell in cells):
            continue
        read = table_dates(cohort, role, name)
        n_known = int((~np.isnat(read.values)).sum())
        if n_known and n_known >= 0.9 * (n_known + read.unreadable.sum()):
            found.append(name)
    return found


def _date_columns(cohort: Cohort, endpoint: Endpoint) -> list[str]:
    """Give the columns of the endpoint's table that hold dates, those in use first."""
    used = [endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact]
    used += [endpoint.new_therapy]
    found = dict.fromkeys(name for name in used if name is not None)
    n_rows = len(cohort.tables[endpoint.table].frame)
    for name in date_columns(cohort, endpoint.table):
        if name in found or name == cohort.study.definitions.cutoff_column:
            continue
        values = table_dates(cohort, endpoint.table, name).values
        if len(np.unique(values[~np.isnat(values)])) > 1 or n_rows < FEW:  # one for all: a cut-off
            found[name] = None
    return list(found)


def _has_incomplete(cohort: Cohort, endpoint: Endpoint) -> bool:
    names = (endpoint.start, *endpoint.event_dates.values(), *endpoint.last_contact)
    partial = [
        table_dates(cohort, endpoint.table, name).incomplete for name in names if name is not None
    ]
    return any(rows is not None and bool(rows.any()) for rows in partial)


def _effect(cohort: Cohort, code: str, study: Study) -> RuleOption:
    now = _data(cohort, code)
    current = study == cohort.study
    other = cohort if current else replace(cohort, study=study)
    try:
        data = survival_data(other, code)
        result = kaplan_meier(other, KaplanMeierSpec(code, landmarks=()))
    except (StudyError, ValueError) as error:
        problem = (
            error.findings[0].message if isinstance(error, StudyError) else "it can't be computed"
        )
        return RuleOption("", study, current, 0, 0, "", None, 0, problem)
    kinds = Counter(str(kind) for kind in data.kind if kind is not None)
    return RuleOption(
        label="",
        study=study,
        current=current,
        n=data.n,
        n_event=int(data.event.sum()),
        events=", ".join(f"{kind} {n}" for kind, n in kinds.items()) if len(kinds) > 1 else "",
        median=result.overall.median.scaled(result.unit_factor),
        n_changed=0 if current else _n_changed(len(cohort.subjects), now, data),
    )


def _data(cohort: Cohort, code: str) -> SurvivalData | None:
    try:
        return survival_data(cohort, code)
    except StudyError:
        return None


def _n_changed(n: int, now: SurvivalData | None, then: SurvivalData) -> int:
    """Count the patients of whom something differs."""
    times, events = np.full((2, n), -1.0), np.full((2, n), "", dtype=object)
    for row, data in enumerate((now, then)):
        if data is not None:
            times[row, data.position] = data.time
            events[row, data.position] = [str(kind) for kind in data.kind]
    differ = (times[0] != times[1]) | (events[0] != events[1])
    return int(differ.sum())
