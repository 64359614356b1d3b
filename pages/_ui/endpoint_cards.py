"""Endpoints with their evidence: what the event is, and in which unit the time is."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from pages._ui import endpoint_rules, state, widgets
from pages._ui.inputs import choose, choose_one, plain, toggle
from sts_core.analysis.endpoint_rules import (
    date_columns,
    duration_of_response,
    time_to_progression,
)
from sts_core.checks import EARLIEST
from sts_core.cohort import Cohort, Table
from sts_core.derive import ambiguous_dates, status_counts, survival_data, time_range
from sts_core.display import counted, joined
from sts_core.findings import StudyError
from sts_core.overview import Part
from sts_core.reading.proposal import QuestionKind
from sts_core.reading.workbook import Origin, Pick
from sts_core.study import ColumnFormat, Endpoint, Scalar, Status, Study, TimeUnit
from sts_core.values import DateOrder, text_of

_UNITS = [unit.value for unit in TimeUnit]
_ORDERS: dict[DateOrder, str] = {"dmy": "day, month, year", "mdy": "month, day, year"}
_NONE = "(none)"
_CHOOSE = "(choose)"
_EVERYBODY = "(none: every patient had the event)"
_DEFINING = "endpoint.defining"
_DATE, _COLUMN = "date", "column"
_EVENT_VALUES = "which values mean that the event happened"
_OF_EVERYONE = {"OS", "PFS", "TTP"}
_NOBODY, _EVERYONE = "nobody", "everyone"


def endpoints(cohort: Cohort) -> None:
    """Show every endpoint as a card; those to confirm come first."""
    found = cohort.study.definitions.endpoints
    if not found:
        nothing_recognised()
    waiting = [code for code, endpoint in found.items() if not endpoint.is_confirmed]
    if waiting:
        timed = any(not found[code].from_dates for code in waiting)
        st.info(
            f"Please confirm what is an event{', and the unit of time' if timed else ''}. "
            "Nothing rests on a guess.",
            icon=":material/help:",
        )
    elif found:
        st.page_link(
            "pages/survival.py", label="All endpoints are confirmed: go to Survival",
            icon=":material/show_chart:",
        )  # fmt: skip
    for code in [*waiting, *(code for code in found if code not in waiting)]:
        with st.container(border=True, key=f"endpoint-{re.sub(r'[^A-Za-z0-9]+', '-', code)}"):
            _card(cohort, code, found[code])
    with st.container(horizontal=True):
        st.button(
            "Define another endpoint" if found else "Define an endpoint",
            icon=":material/add:", key="endpoint.define",
            on_click=state.remember, args=(_DEFINING, True),
        )  # fmt: skip
        _offer_time_to_progression(cohort)
        _offer_duration_of_response(cohort)
    _cutoff(cohort)
    if state.remembered(_DEFINING):
        _add_endpoint(cohort)


def waiting(cohort: Cohort) -> None:
    """Say above everything else which endpoints wait to be confirmed, and lead there."""
    found = cohort.study.definitions.endpoints
    labels = [plain(item.label) for item in found.values() if not item.is_confirmed]
    if not labels or state.is_open_tab("data", Part.ENDPOINTS.value):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="endpoints-waiting"):
        verb = "waits" if len(labels) == 1 else "wait"
        st.markdown(
            f":material/help: **{joined(labels[:4])}**"
            + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
            + f" {verb} to be confirmed; until then no page estimates from a guess.",
            width="stretch",
        )
        st.button(
            "Confirm endpoints", type="primary", icon=":material/arrow_forward:",
            key="endpoints.waiting", on_click=state.open_tab, args=("data", Part.ENDPOINTS.value),
        )  # fmt: skip


def _offer_time_to_progression(cohort: Cohort) -> None:
    """Offer TTP beside a PFS from dates: two endpoints, and no word for both."""
    found = cohort.study.definitions.endpoints
    progression = time_to_progression(found["PFS"]) if "PFS" in found else None
    if progression is None or "TTP" in found:
        return
    widgets.button(
        "Add time to progression (TTP)",
        "endpoint.ttp",
        _replace_endpoint,
        (cohort.study, "TTP", progression),
        icon=":material/add:",
        help="Progression is the event; a patient who dies without it is censored on that day. "
        "The reference study calls this PFS.",
    )


def _offer_duration_of_response(cohort: Cohort) -> None:
    """Offer DOR beside a PFS from dates, where assessments say when the response was first seen."""
    definitions = cohort.study.definitions
    survival = definitions.endpoints.get("PFS")
    if survival is None or not survival.from_dates or "DOR" in definitions.endpoints:
        return
    if definitions.response is None or not _sees_responses(cohort):
        return
    widgets.button(
        "Add duration of response (DOR)",
        "endpoint.dor",
        _replace_endpoint,
        (cohort.study, "DOR", duration_of_response(survival)),
        icon=":material/add:",
        help="Of patients with an objective response, from the first assessment that shows it to "
        "the event of PFS.",
    )


def _sees_responses(cohort: Cohort) -> bool:
    """Whether there are assessments with a date and an overall response."""
    found = cohort.study.definitions.assessments
    return found is not None and bool(found.overall_columns) and found.table in cohort.tables


def _whose(cohort: Cohort, code: str, endpoint: Endpoint) -> Endpoint:
    """Ask whether only responders count, and whether the time starts at their response."""
    of_everyone = code in _OF_EVERYONE and not (endpoint.responders or endpoint.first_response)
    if cohort.study.definitions.response is None or of_everyone:
        return endpoint
    responders = toggle(
        "Only patients with an objective response", f"endpoint.responders.{code}",
        kept=endpoint.responders,
        help="For a duration of response. Who has none is counted as not included.",
    )  # fmt: skip
    first = endpoint.first_response
    if endpoint.from_dates and (first or _sees_responses(cohort)):
        first = toggle(
            "Starts at the first response in the assessments", f"endpoint.response.{code}",
            kept=first,
        )  # fmt: skip
    return replace(endpoint, responders=responders, first_response=first)


def _cutoff(cohort: Cohort) -> None:
    """Ask for the data cut-off: what is dated later is not counted."""
    definitions = cohort.study.definitions
    if not any(endpoint.from_dates for endpoint in definitions.endpoints.values()):
        return
    kept = (
        _COLUMN if definitions.cutoff_column and not definitions.cutoff
        else _DATE if definitions.cutoff else _NONE
    )  # fmt: skip
    with st.container(border=True, key="endpoint-cutoff"):
        st.markdown("**Data cut-off**")
        st.caption(
            "Patients of whom something later is known are censored on this day; it stands in "
            "every footnote."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            source = choose_one(
                "It is", [_NONE, _DATE, _COLUMN], "cutoff.source", kept=kept,
                names={_NONE: "not stated", _DATE: "a day", _COLUMN: "the latest date of a column"},
            )  # fmt: skip
            if source == _DATE:
                _cutoff_day(cohort.study)
            elif source == _COLUMN:
                _cutoff_column(cohort)
            elif kept != _NONE:
                _set_cutoff(cohort.study)


def _cutoff_day(study: Study) -> None:
    known = study.definitions.cutoff
    kept = dt.date.fromisoformat(known) if known else None
    first, today = EARLIEST.item(), dt.datetime.now(tz=dt.UTC).date()
    day = widgets.date_input(
        "Day",
        "cutoff.day",
        kept,
        format="YYYY-MM-DD",
        min_value=min(first, kept or first),
        max_value=max(today, kept or today),
        width=180,
    )
    if day and day != kept:
        _set_cutoff(study, day=day.isoformat())


def _cutoff_column(cohort: Cohort) -> None:
    definitions = cohort.study.definitions
    kept = definitions.cutoff_column
    columns = dict.fromkeys([*([kept] if kept else []), *date_columns(cohort)])
    column = choose("Column", [_NONE, *columns], "cutoff.column", kept=kept)
    if column != _NONE and (column != kept or definitions.cutoff):
        _set_cutoff(cohort.study, column=column)


def _set_cutoff(study: Study, *, day: str | None = None, column: str | None = None) -> None:
    definitions = replace(study.definitions, cutoff=day, cutoff_column=column)
    state.change_study(replace(study, definitions=definitions))
    st.rerun()


def nothing_recognised() -> None:
    """Say that there is no endpoint, and how one is made."""
    st.warning(
        "No time to an event was recognised or defined: no survival can be shown until one is "
        "defined under Endpoints, from a column of times and a status, or from dates.",
        icon=":material/warning:",
    )


def _replace_endpoint(study: Study, code: str, endpoint: Endpoint | None) -> None:
    others = {key: value for key, value in study.definitions.endpoints.items() if key != code}
    if endpoint is not None:
        others = {
            key: (endpoint if key == code else value)
            for key, value in {**study.definitions.endpoints, code: endpoint}.items()
        }
    state.change_study(replace(study, definitions=replace(study.definitions, endpoints=others)))
    state.forget_widgets()


def _card(cohort: Cohort, code: str, endpoint: Endpoint) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(endpoint.label)}** ({plain(code)})", width="stretch")
        if endpoint.is_confirmed:
            st.badge("Confirmed", icon=":material/check:", color="green")
        else:
            st.badge("To confirm", icon=":material/help:", color="orange")
        widgets.button(
            "",
            f"endpoint.delete.{code}",
            _replace_endpoint,
            (cohort.study, code, None),
            icon=":material/delete:",
            type="tertiary",
            help="Remove this endpoint; undo brings it back",
        )
    if not endpoint.from_dates:
        _columns(cohort, code, endpoint)
    try:
        if endpoint.from_dates:
            _dates_part(cohort, code, endpoint)
            endpoint_rules.rules(cohort, code)
        else:
            _times_part(cohort, code, endpoint)
    except StudyError as error:
        for finding in error.findings:
            st.error(plain(str(finding)))


def _outcome(cohort: Cohort, code: str) -> None:
    """Say what the endpoint amounts to under its present definition."""
    data = survival_data(cohort, code)
    n_event = int(data.event.sum())
    kinds = Counter(kind for kind in data.kind if kind is not None)
    parts = ""
    if len(kinds) > 1:
        parts = " (" + ", ".join(f"{plain(kind)} {count}" for kind, count in kinds.items()) + ")"
    lost = sum(len(loss.subjects) for loss in data.losses)
    text = f"{counted(data.n, 'patient')} with a time, {counted(n_event, 'event')}{parts}"
    text += f", {data.n - n_event} censored"
    if lost:
        reasons = "; ".join(f"{len(loss.subjects)} {loss.reason.value}" for loss in data.losses)
        text += f"; {lost} without: {reasons}"
    st.caption(f"{text}.")


def _columns(cohort: Cohort, code: str, endpoint: Endpoint) -> None:
    """Offer other columns of time and status; what they mean is asked anew then."""
    if endpoint.table not in cohort.tables:
        return
    columns = _column_names(cohort, endpoint.table)
    assert endpoint.time is not None
    gone = [name for name in (endpoint.time, endpoint.event) if name and name not in columns]
    with st.expander("Its name and columns", icon=":material/view_column:", expanded=bool(gone)):
        label = widgets.text_input(
            "Name in figures", f"endpoint.label.{code}", endpoint.label, max_chars=80
        ).strip()
        names = _names_with_events(cohort, endpoint.table)
        names |= {name: f"{name} (not in this sheet)" for name in gone}
        with st.container(horizontal=True):
            time = choose(
                "Column of the time", [*gone, *columns], f"endpoint.time.{code}",
                kept=endpoint.time, names=names,
            )  # fmt: skip
            event = choose(
                "Column of the status", [_EVERYBODY, *gone, *columns], f"endpoint.status.{code}",
                kept=endpoint.event or _EVERYBODY, names=names,
            )  # fmt: skip
    status = None if event == _EVERYBODY else event
    changed = replace(endpoint, label=label or endpoint.label)
    if time != endpoint.time:
        changed = replace(changed, time=time, unit=None, unit_status=Status.GUESSED)
    if status != endpoint.event:
        first = next(iter(endpoint.events), "event")
        changed = replace(
            changed, event=status, events={first: ()}, censored=(), events_status=Status.GUESSED
        )
    if changed != endpoint:
        _replace_endpoint(cohort.study, code, changed)
        st.rerun()


def _column_names(cohort: Cohort, role: str) -> list[str]:
    return [str(name) for name in cohort.tables[role].frame.columns]


def _origins(cohort: Cohort, role: str) -> dict[str, Origin]:
    """Give where columns come from, where the rows of the file are events."""
    table = cohort.tables[role]
    return {
        name: origin
        for book in state.workspace().workbooks
        for sheet in book.sheets
        if (sheet.file, sheet.sheet) == (table.file, table.sheet)
        for name, origin in sheet.origins.items()
    }


def _names_with_events(cohort: Cohort, role: str) -> dict[str, str]:
    """Give the columns that an export with events has from another event, each with that event."""
    return {
        name: f"{name} · {origin.event}"
        for name, origin in _origins(cohort, role).items()
        if origin.pick is Pick.ONLY
    }


def _say_several(cohort: Cohort, role: str, columns: list[str]) -> None:
    """Say which of several values of a patient a column holds."""
    origins = _origins(cohort, role)
    for name in dict.fromkeys(columns):
        origin = origins.get(name)
        if origin is None or origin.pick is Pick.ONLY:
            continue
        which = name.removeprefix(origin.column).strip(" ()") or origin.event
        others = [f"“{other}”" for other, item in origins.items()
                  if item.column == origin.column and other != name]  # fmt: skip
        shown = joined(others[:4], "or") if len(others) < 5 else ", ".join([*others[:4], "…"])
        st.caption(
            plain(
                f"“{origin.column}” is filled more than once for some patients; “{which}” counts. "
                f"Instead, choose {shown}."
            )
        )


def _times_part(cohort: Cohort, code: str, endpoint: Endpoint) -> None:
    where = "; ".join(
        f"{key} = {', '.join(map(str, value))}" for key, value in endpoint.rows.items()
    )
    said = f"Time in “{endpoint.time}”, status in “{endpoint.event or 'no column'}”."
    said = _why_guessed(code, endpoint) or said
    st.caption(plain(said) + (f" Rows with {plain(where)}." if where else ""))
    unit = _unit_question(cohort, code, endpoint)
    events, censored, complete = endpoint.events, endpoint.censored, True
    if endpoint.event is not None:
        events, censored, complete = _event_question(cohort, code, endpoint)
    display = choose_one(
        "Show results in", _UNITS, f"endpoint.display.{code}", kept=endpoint.display_unit.value
    )
    new = replace(
        _whose(cohort, code, endpoint),
        time_zero=_time_zero(code, endpoint),
        unit=TimeUnit(unit) if unit else None,
        events=events,
        censored=censored,
        display_unit=TimeUnit(display),
    )
    lacking = ["the unit of the time"] * (not unit) + [_EVENT_VALUES] * (not complete)
    _confirm(cohort, code, endpoint, new, lacking)


def _why_guessed(code: str, endpoint: Endpoint) -> str:
    """Say where an endpoint comes from and what speaks for its events, until that is answered."""
    proposal = state.workspace().proposal
    if proposal is None or endpoint.events_status is not Status.GUESSED:
        return ""
    asked = (
        question
        for question in proposal.questions
        if question.kind is QuestionKind.EVENT_CODING
        and question.endpoint == code
        and {endpoint.time, endpoint.event} <= set(question.columns)
    )
    return next((question.reason for question in asked), "")


def _meanings(cohort: Cohort, endpoint: Endpoint) -> dict[str, str]:
    """Give what the file says of each value of a status column (SPSS, Stata, a dictionary)."""
    table = cohort.tables[endpoint.table]
    return {
        str(text_of(value)): label
        for book in state.workspace().workbooks
        for sheet in book.sheets
        if (sheet.file, sheet.sheet) == (table.file, table.sheet)
        for value, label in sheet.value_labels.get(endpoint.event or "", {}).items()
    }


def _time_zero(code: str, endpoint: Endpoint) -> str:
    """Ask what time zero is: it stands under every axis."""
    return widgets.text_input(
        "Time zero, in words",
        f"endpoint.zero.{code}",
        endpoint.time_zero,
        placeholder="for instance: first dose",
        max_chars=60,
    ).strip()


def _unit_question(cohort: Cohort, code: str, endpoint: Endpoint) -> str | None:
    found = time_range(cohort, endpoint)
    spread = f"median {found[0]:g}, largest {found[1]:g}" if found else "it holds no number"
    return widgets.segmented_control(
        f"Unit of “{plain(endpoint.time)}” ({spread})",
        _UNITS,
        f"endpoint.unit.{code}",
        endpoint.unit.value if endpoint.unit else None,
    )


def _event_question(
    cohort: Cohort, code: str, endpoint: Endpoint
) -> tuple[dict[str, tuple[Scalar, ...]], tuple[Scalar, ...], bool]:
    """Ask which values of the status column are an event; say whether that is complete."""
    counts = status_counts(cohort, endpoint)
    unknown = counts.pop("", 0)
    means = _meanings(cohort, endpoint)
    kind_of = {
        str(text_of(value)): kind for kind, coded in endpoint.events.items() for value in coded
    }
    options = sorted(counts)
    if len(options) > 20:
        st.warning(
            f"“{plain(endpoint.event)}” has {len(options)} different values and can't be a status."
        )
        return dict.fromkeys(endpoint.events, ()), (), False
    first = next(iter(endpoint.events), "event")
    if len(options) == 1:
        return _one_value_question(code, endpoint, options[0], counts[options[0]], first)
    start = [value for value in options if value in kind_of]
    chosen = widgets.pills(
        f"Which values of “{plain(endpoint.event)}” mean that the event happened?",
        options,
        f"endpoint.events.{code}",
        start,
        format_func=lambda value: _value_with_count(value, means, counts),
        help="The others are censored: the event had not happened at that time.",
    )
    events: dict[str, tuple[Scalar, ...]] = {}
    picked_values = [value for value in options if value in chosen]
    named_kinds = _kinds_question(code, picked_values, kind_of, first)
    for value in picked_values:
        kind = named_kinds[value]
        events[kind] = (*events.get(kind, ()), value)
    others = [value for value in options if value not in chosen]
    named = {text_of(value) for value in endpoint.censored}
    censored: tuple[str, ...] = tuple(others)
    if len(others) > 1:
        # more than one value is no event: which of them mean that is not to be guessed
        kept = [value for value in others if value in named]
        picked = widgets.pills(
            "Which of the others mean that it had not happened? The rest is left out and listed.",
            others,
            f"endpoint.censored.{code}",
            kept,
            format_func=lambda value: _value_with_count(value, means, counts),
        )
        censored = tuple(value for value in others if value in picked)
    n_event = sum(counts[value] for value in chosen)
    n_censored = sum(counts[value] for value in censored)
    left_out = sum(counts.values()) - n_event - n_censored
    st.caption(
        f"{counted(n_event, 'event')}, {n_censored} censored"
        + (f", {left_out} left out" if left_out else "")
        + (f", {unknown} not known." if unknown else ".")
    )
    if chosen or not options:
        return events, censored, bool(chosen)
    st.warning("No value is an event yet.")
    none_yet = toggle(
        f"No event has happened yet: {counted(n_censored, 'patient')} censored",
        f"endpoint.none.{code}", kept=bool(endpoint.censored) and endpoint.is_confirmed,
    )  # fmt: skip
    return {first: ()}, censored, none_yet and bool(censored)


def _kinds_question(
    code: str, values: list[str], kind_of: dict[str, str], first: str
) -> dict[str, str]:
    """Ask whether the events are of several kinds, of which only the first one counts."""
    now = {value: kind_of.get(value, first) for value in values}
    if len(values) < 2:
        return now
    apart = toggle(
        "These events are of different kinds", f"endpoint.kinds.{code}",
        kept=len(set(now.values())) > 1,
        help="For instance progression and death without it, or death from the disease and from "
        "another cause. Survival counts all of them; competing risks tell them apart.",
    )  # fmt: skip
    if not apart:
        return dict.fromkeys(values, _together(list(now.values())))
    differ = len(set(now.values())) > 1
    kinds = {}
    with st.container(horizontal=True):
        for value in values:
            word = value if re.search(r"[^\W\d]", value) else f"event {value}"
            text = widgets.text_input(
                f"Kind of “{plain(value)}”",
                f"endpoint.kind.{code}.{value}",
                now[value] if differ else word,
                max_chars=40,
            )
            kinds[value] = text.strip() or word
    return kinds


def _value_with_count(value: str, means: Mapping[str, str], counts: Mapping[str, int]) -> str:
    meant = means.get(value, value)
    name = plain(value) if meant == value else f"{plain(value)} = {plain(meant)}"
    return f"{name} ({counted(counts[value], 'patient')})"


def _together(kinds: list[str]) -> str:
    """Name several kinds of event as one, so that none is counted under another's name."""
    names = ["death" if len(set(kinds)) > 1 and kind.startswith("death") else kind
             for kind in kinds]  # fmt: skip
    return " or ".join(dict.fromkeys(names))


def _one_value_question(
    code: str, endpoint: Endpoint, value: str, n: int, kind: str
) -> tuple[dict[str, tuple[Scalar, ...]], tuple[Scalar, ...], bool]:
    """Ask what the only value of a status means: it can't be told from the file."""
    who = counted(n, "patient")
    names = {
        _NOBODY: f"No event has happened yet: {who} censored",
        _EVERYONE: f"Every patient had the event: {counted(n, 'event')}",
    }
    is_event = any(value == text_of(item) for coded in endpoint.events.values() for item in coded)
    is_censored = any(value == text_of(item) for item in endpoint.censored)
    kept = None
    if endpoint.is_confirmed:
        kept = _EVERYONE if is_event else _NOBODY if is_censored else None
    answer = widgets.radio(
        f"“{plain(endpoint.event)}” holds one value only, “{plain(value)}” ({who}). It means",
        list(names),
        f"endpoint.only.{code}",
        kept,
        format_func=lambda option: names[option],
    )
    if answer == _EVERYONE:
        return {kind: (value,)}, (), True
    return {kind: ()}, (value,) if answer == _NOBODY else (), answer == _NOBODY


def _dates_part(cohort: Cohort, code: str, endpoint: Endpoint) -> None:
    columns = _column_names(cohort, endpoint.table)
    names = _names_with_events(cohort, endpoint.table)
    table = cohort.tables[endpoint.table]
    with st.container(horizontal=True):
        start = choose("From", columns, f"endpoint.start.{code}", kept=endpoint.start, names=names)
        dates: dict[str, str] = {}
        for kind, column in endpoint.event_dates.items():
            chosen = choose(
                f"Event: {plain(kind)}", [_NONE, *columns], f"endpoint.date.{code}.{kind}",
                kept=column, names=names,
            )  # fmt: skip
            if chosen != _NONE:
                dates[kind] = chosen
        contact = choose(
            "Without event, until", [_NONE, *columns], f"endpoint.contact.{code}",
            kept=next(iter(endpoint.last_contact), _NONE),
            names=names | {
                name: " or ".join(endpoint.last_contact)
                for name in endpoint.last_contact[:1] if len(endpoint.last_contact) > 1
            },
        )  # fmt: skip
    contacts = (
        () if contact == _NONE
        else endpoint.last_contact if contact in endpoint.last_contact else (contact,)
    )  # fmt: skip
    _say_several(cohort, endpoint.table, [start, *dates.values(), *contacts])
    _date_orders(cohort, code, [start, *dates.values(), *contacts], table)
    events, censored, complete = endpoint.events, endpoint.censored, True
    if endpoint.event is not None:
        events, censored, complete = _event_question(cohort, code, endpoint)
    _outcome(cohort, code)
    new = replace(
        _whose(cohort, code, endpoint),
        time_zero=_time_zero(code, endpoint),
        start=start,
        event_dates=dates,
        last_contact=contacts,
        events=events,
        censored=censored,
    )
    lacking = ["a date of the event"] * (not dates and not events)
    lacking += [_EVENT_VALUES] * (not complete)
    _confirm(cohort, code, endpoint, new, lacking)


def _date_orders(cohort: Cohort, code: str, columns: list[str], table: Table) -> None:
    """Ask in which order a date column is written that can be read two ways."""
    source = cohort.study.data.tables[table.role]
    for column in dict.fromkeys(columns):
        known = source.columns.get(column, ColumnFormat())
        example = ambiguous_dates(cohort, table.role, column)
        if example is None:
            continue
        kept = known.date_order if known.status is Status.CONFIRMED else None
        chosen = widgets.segmented_control(
            f"“{plain(column)}” can be read two ways (for instance {plain(example)}). It is",
            list(_ORDERS),
            f"endpoint.order.{code}.{column}",
            kept,
            format_func=lambda order: _ORDERS[order],
        )
        if chosen and chosen != kept:
            formats = {
                **source.columns,
                column: replace(known, date_order=chosen, status=Status.CONFIRMED),
            }
            tables = {
                **cohort.study.data.tables, table.role: replace(source, columns=formats)
            }  # fmt: skip
            state.change_study(
                replace(cohort.study, data=replace(cohort.study.data, tables=tables))
            )
            st.rerun()


def _confirm(
    cohort: Cohort, code: str, old: Endpoint, new: Endpoint, lacking: Sequence[str]
) -> None:
    """Offer to confirm, or say what is still to choose.

    A later change of a confirmed endpoint takes effect at once.
    """
    ready = not lacking
    confirmed = replace(new, events_status=Status.CONFIRMED, unit_status=Status.CONFIRMED)
    if old.is_confirmed:
        if ready and confirmed != replace(old, unit_status=Status.CONFIRMED):
            _replace_endpoint(cohort.study, code, confirmed)
            st.rerun()
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = widgets.pressed(
            f"Confirm {plain(code)}", f"endpoint.confirm.{code}", type="primary",
            disabled=not ready,
        )  # fmt: skip
        if lacking:
            st.caption(f"Still to choose: {joined(lacking)}.")
    if pressed:
        _replace_endpoint(cohort.study, code, confirmed)
        st.rerun()


def _stop_defining() -> None:
    state.remember(_DEFINING, False)


@st.dialog("Define an endpoint", on_dismiss=_stop_defining)
def _add_endpoint(cohort: Cohort) -> None:
    """Offer an endpoint of the user's own, from a time and a status or from dates."""
    label = st.text_input("Name", placeholder="for instance: Overall survival", key="new.label")
    source = choose_one(
        "Its time comes from", ["time", "dates"], "new.source",
        names={"time": "a column of times", "dates": "dates"},
    )  # fmt: skip
    columns = _column_names(cohort, "subjects")
    names = _names_with_events(cohort, "subjects")
    if source == "time":
        time = choose("Column of the time", [_CHOOSE, *columns], "new.time", names=names)
        event = choose(
            "Column of the status", [_CHOOSE, _EVERYBODY, *columns], "new.event", names=names
        )
        unset = _CHOOSE in (time, event)
        endpoint = Endpoint(
            label=label.strip(), time=time, event=None if event == _EVERYBODY else event
        )
    else:
        started = [item.start for item in cohort.study.definitions.endpoints.values()]
        start = choose(
            "From", [_CHOOSE, *columns], "new.start",
            kept=next((name for name in started if name), None), names=names,
        )  # fmt: skip
        unset = start == _CHOOSE
        progression = choose("Progression", [_NONE, *columns], "new.progression", names=names)
        death = choose("Death", [_NONE, *columns], "new.death", names=names)
        stop = choose(
            "End of treatment", [_NONE, *columns], "new.stop", names=names,
            help="An event of its own for a time to treatment failure.",
        )  # fmt: skip
        contact = choose("Without event, until", [_NONE, *columns], "new.contact", names=names)
        dates = {"progression": progression, "death": death, "end of treatment": stop}
        endpoint = Endpoint(
            label=label.strip(), start=start,
            event_dates={kind: name for kind, name in dates.items() if name != _NONE},
            last_contact=() if contact == _NONE else (contact,),
        )  # fmt: skip
    if widgets.pressed("Add", "new.add", type="primary"):
        code = _free_code(cohort.study, label)
        if not label.strip():
            st.error("Give the endpoint a name.")
        elif unset:
            st.error("Choose the columns.")
        elif source == "dates" and not endpoint.event_dates:
            st.error("Choose at least one date of an event.")
        else:
            _stop_defining()
            _replace_endpoint(cohort.study, code, endpoint)
            st.rerun()


def _free_code(study: Study, label: str) -> str:
    """Make a short code of a name: the initials of several words, else the word."""
    words = re.findall(r"\w+", label)
    base = "".join(word[0] for word in words).upper() if len(words) > 1 else label.strip()[:12]
    code, number = base or "E", 1
    while code in study.definitions.endpoints:
        number += 1
        code = f"{base}{number}"
    return code
