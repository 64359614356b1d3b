"""Endpoints that a sheet holds: times with a status, dates, or one row a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sts_core.derive import earliest_date, latest_date
from sts_core.findings import listed
from sts_core.reading.coding import (
    Coding,
    guess_coding,
    legend_of,
    looks_like_status,
    median_times,
    scalar,
)
from sts_core.reading.profile import Profile
from sts_core.reading.sheet import Sheet
from sts_core.reading.vocabulary import EndpointConcept, Words, vocabulary, words_of
from sts_core.reading.workbook import Pick
from sts_core.study.types import DAYS_PER_UNIT, Endpoint, TimeUnit
from sts_core.values import DateOrder, dates, numbers, says_no_date, texts

# Under a header that names a date, a column is one although many cells can't be read.
_SOME_DATES = 0.5
# Day numbers of 1980 and 2050.
_FIRST_SERIAL, _LAST_SERIAL = 29_221, 55_153
_SHORT_YEAR = re.compile(r"\d{1,2}([-/.])(?:\d{1,2}|[A-Za-z]{3})\1\d{2}")
# In a longer table a time has at least three different values.
_FEW_ROWS = 5
# Of several dates of a patient, one for each event of a database, the first event is the event.
_PICKS = {"start": Pick.EVENT, "event": Pick.FIRST}
#: Dates of a start, the one that counts first.
STARTS = ("treatment_start", "randomisation", "enrolment", "diagnosis", "surgery")


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """An endpoint with what speaks for it.

    Attributes
    ----------
    code, endpoint
        As in the study file.
    coding
        What the status values were taken for; ``None`` without a status column.
    counts
        Values of the status column among the rows of this endpoint.
    reason
        Why these columns.
    n_usable
        Rows from which it gives a time and, for all that is known, a status.
    unit_reason
        Where the unit comes from.
    """

    code: str
    endpoint: Endpoint
    coding: Coding | None
    counts: tuple[tuple[str, int], ...]
    reason: str
    n_usable: int
    unit_reason: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it uses."""
        endpoint = self.endpoint
        used: list[str | None] = [
            endpoint.time, endpoint.start, endpoint.event, endpoint.entry,
            *endpoint.event_dates.values(), *endpoint.last_contact, *endpoint.rows,
        ]  # fmt: skip
        return tuple(dict.fromkeys(name for name in used if name is not None))


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A column of dates: what it dates, and in which order its text is written."""

    name: str
    concept: str
    use: str
    order: DateOrder | None


def date_columns(sheet: Sheet, orders: Mapping[str, DateOrder]) -> list[DateColumn]:
    """Give the columns of dates with a known meaning."""
    words = vocabulary()
    found = []
    for name, profile in sheet.profiles.items():
        match = words.dates.match(sheet.words[name])
        if match is None:
            continue
        filled = profile.n_known - n_no_date(profile)
        empty = not filled and match.exact and words.date_use[match.concept] == "event"
        if not empty and not is_date_column(sheet, name):
            continue
        if not match.exact and match.length < 4 and not _says_date(sheet.words[name]):
            continue
        use = words.date_use[match.concept]
        if not sheet.stands(name, _PICKS.get(use, Pick.LAST)):
            continue
        order = orders.get(name, profile.orders[0] if profile.orders else None)
        found.append(DateColumn(name, match.concept, use, order))
    return found


def n_no_date(profile: Profile) -> int:
    """Count the cells that say in words that there is no date ("none", "无")."""
    return sum(count for text, count in profile.counts.items() if says_no_date(text))


def is_date_column(sheet: Sheet, name: str) -> bool:
    """Whether a column holds dates; plain day numbers only when the header says so.

    Under a header that names a date, half of the cells are enough: those that can't be read are
    listed, instead of the whole column being lost.
    """
    profile = sheet.profiles[name]
    if profile.is_date:
        return True
    match = vocabulary().dates.match(sheet.words[name])
    if match is None or not profile.n_known:
        return False
    if profile.date_share >= _SOME_DATES and (match.exact or _says_date(sheet.words[name])):
        return True
    if profile.serial_share < _SOME_DATES:
        return False
    low, high = profile.low, profile.high
    if find_unit(sheet.words[name]) is not None:
        return False
    if _says_date(sheet.words[name]):
        return low is None or low >= 10_000
    # "Last contact" over 44,500: whole numbers that are all days of these decades
    return (
        match.exact
        and profile.is_whole
        and low is not None
        and high is not None
        and low >= _FIRST_SERIAL
        and high <= _LAST_SERIAL
    )


def has_short_years(profile: Profile) -> bool:
    """Whether most known cells are dates with a year of two digits, whose century nobody knows."""
    n = sum(count for text, count in profile.counts.items() if _SHORT_YEAR.fullmatch(text.strip()))
    return n > 0 and n >= _SOME_DATES * sum(profile.counts.values())


def _says_date(words: Words) -> bool:
    if words[:1] == ("data",):  # of a date in Italian and Portuguese, not "follow-up data"
        return True
    said = ("date", "dt", "dat", "dtc", "day", "datum", "fecha")
    return any(word in said or "日期" in word for word in words)


def find_unit(words: Words) -> TimeUnit | None:
    """Give the unit that a header names."""
    units = vocabulary().units
    named = [units[word] for word in words if word in units and len(word) > 1]
    named += [units[word] for word in words[1:] if word in units and len(word) == 1]
    if not named:
        for word in words:
            for unit_word, unit in units.items():
                if len(unit_word) > 3 and word.endswith(unit_word) and word != unit_word:
                    named.append(unit)
    return TimeUnit(named[0]) if named else None


def _split(words: Words) -> Words:
    """Split a run-together header: ``osdays`` gives ``os``, ``days``."""
    if len(words) != 1 or not words[0].isascii():
        return words
    known = vocabulary()
    endings = {*known.units, *known.time_words, *known.status_words}
    for code in known.endpoints:
        rest = words[0].removeprefix(code.casefold())
        if rest != words[0] and rest in endings:
            return (code.casefold(), rest)
    return words


@dataclass(frozen=True, slots=True)
class _TimeColumn:
    name: str
    concept: EndpointConcept
    generic: bool
    unit: TimeUnit | None


def _time_columns(sheet: Sheet) -> list[_TimeColumn]:
    known = vocabulary()
    drop = frozenset(known.units)
    found = []
    for name, profile in sheet.profiles.items():
        few = profile.n_distinct < 3 and profile.n_known > _FEW_ROWS
        if name == sheet.id_column or not profile.is_numeric or few:
            continue
        if not sheet.stands(name, Pick.LAST):
            continue
        words = _split(sheet.words[name])
        if is_date_column(sheet, name) or set(words) & (known.status_words - known.time_words):
            continue
        unit = find_unit(words)
        match = known.time_of.match(words, drop=drop | known.time_words)
        if match is not None and (match.exact or unit or _is_phrase(match.length, words)):
            found.append(_TimeColumn(name, known.endpoints[match.concept], False, unit))
            continue
        bare = tuple(word for word in words if word not in known.units)
        if (
            known.generic_time.whole(words)
            or (bare and known.generic_time.whole(bare))
            or _generic_run(words) is not None
        ):
            found.append(_TimeColumn(name, known.generic, True, unit))
    return found


def _is_phrase(length: int, words: Words) -> bool:
    """Whether a phrase makes up most of a header that says "survival" or the like."""
    return length >= 8 and length >= 0.4 * sum(map(len, words))


def _generic_run(words: Words) -> str | None:
    """Recognise ``timeweeks`` and ``survmonths``."""
    if len(words) != 1:
        return None
    for start in ("time", "survtime", "surv", "followup", "futime"):
        rest = words[0].removeprefix(start)
        if rest != words[0] and rest in vocabulary().units and len(rest) > 2:
            return rest
    return None


@dataclass(frozen=True, slots=True)
class _StatusColumn:
    name: str
    codes: tuple[str, ...]
    generic: bool
    exact: bool
    by_words: bool


def _labels(sheet: Sheet, name: str) -> dict[str, str]:
    """Give the meaning of each value, where the file or the header says it."""
    legend, _ = legend_of(name)
    meanings = {text: label for text, label in sheet.meanings(name).items() if label != text}
    return {
        text: meanings.get(text) or legend.get(text, text) for text in sheet.profiles[name].counts
    }


def _header(sheet: Sheet, name: str) -> Words:
    """Give the words of a status column's header, without the meaning of its codes."""
    legend, words = legend_of(name)
    return _split(words if legend else sheet.words[name])


def _status_columns(sheet: Sheet) -> list[_StatusColumn]:
    known = vocabulary()
    found = []
    for name, profile in sheet.profiles.items():
        if name == sheet.id_column or not profile.complete or not profile.n_known:
            continue
        if not sheet.stands(name, Pick.LAST):
            continue
        labels = _labels(sheet, name)
        if is_date_column(sheet, name) or not looks_like_status(profile.counts, labels):
            continue
        words = _header(sheet, name)
        says_status = bool(set(words) & known.status_words)
        says_unit = find_unit(words) is not None
        codes = []
        exact = False
        for code, phrases in known.status_of.items():
            match = phrases.match(words)
            if match is not None and (match.exact or says_status) and not says_unit:
                codes.append((not match.exact, -match.length, code))
                exact = exact or match.exact
        generic = known.generic_status.whole(words) is not None
        by_words = all(known.status.get(labels[text]) for text in profile.counts)
        if codes or generic:
            ranked = tuple(code for *_, code in sorted(codes))
            found.append(_StatusColumn(name, ranked, generic, exact, by_words))
    return found


def outcome_columns(sheet: Sheet) -> set[str]:
    """Give the columns that look like a time or a status, whether an endpoint uses them or not."""
    times = {item.name for item in _time_columns(sheet)}
    return times | {item.name for item in _status_columns(sheet)}


def from_times(sheet: Sheet, table: str) -> list[Guess]:
    """Find endpoints that are a time column with a status column.

    Parameters
    ----------
    sheet
        Where to look.
    table
        Role of the sheet in the study file.
    """
    times, statuses = _time_columns(sheet), _status_columns(sheet)
    generic_statuses = [status for status in statuses if status.generic and not status.codes]
    generic_statuses.sort(key=lambda status: not status.by_words)
    found: dict[str, Guess] = {}
    spoken_for: set[str] = set()
    own = [time for time in times if not time.generic]
    for time in own:
        code = time.concept.code
        if code in found:
            continue
        candidates = [status for status in statuses if code in status.codes]
        candidates.sort(key=lambda item: _distance(sheet, item, code))
        nearest = sorted(generic_statuses, key=lambda item: not _stands_after(sheet, item, time))
        for status in [*candidates, *nearest]:
            guess = _guess(sheet, table, time.concept, time, status.name)
            if guess is not None:
                found[code] = _unless_of_life(guess) if code not in status.codes else guess
                spoken_for.add(status.name)
                break
    for status in statuses:  # a status without a time of its own, such as DSS on the OS time
        for code in status.codes:
            concept = vocabulary().endpoints[code]
            shared = concept.shares_time_with
            if code in found or status.name in spoken_for or shared is None:
                continue
            time_of = next((item for item in times if item.concept.code == shared), None)
            guess = _guess(sheet, table, concept, time_of, status.name) if time_of else None
            if guess is not None:
                found[code] = replace(
                    guess,
                    reason=f"“{guess.endpoint.time}” is the time to the event or the last contact "
                    f"of {shared} and of {code}; only the status differs.",
                )
                spoken_for.add(status.name)
    used = {guess.endpoint.time for guess in found.values()}
    for time in times:
        if not time.generic or time.name in used:
            continue
        free = [status for status in statuses if status.name not in spoken_for]
        free.sort(
            key=lambda item: (
                not item.by_words, not item.generic, not _stands_after(sheet, item, time)
            )
        )  # fmt: skip
        for status in free:
            concept = time.concept
            if not status.generic or not set(_header(sheet, status.name)) <= _plain_status_words():
                named = [code for code in status.codes if code not in found]
                concept = vocabulary().endpoints[named[0]] if named else concept
            guess = _guess(sheet, table, concept, time, status.name)
            if guess is not None and concept.code not in found:
                found[concept.code] = guess
                spoken_for.add(status.name)
                break
    return list(found.values())


def _unless_of_life(guess: Guess) -> Guess:
    """Name no event where the words of a mere “status” are of life and death, and others count."""
    kinds = set(guess.endpoint.events)
    event = vocabulary().endpoints[guess.code].event
    if not kinds or event in kinds or not all(kind.startswith("death") for kind in kinds):
        return guess
    reason = (
        f"“{guess.endpoint.event}” says who died, but the event of {guess.code} is {event}; say "
        "which values count, or choose another column"
    )
    endpoint = replace(guess.endpoint, events={}, censored=())
    return replace(guess, endpoint=endpoint, coding=Coding({}, (), f"{reason}."))


def _of_survival(sheet: Sheet, time: _TimeColumn) -> bool:
    """Whether a time is overall survival, which everybody has: many blanks are then an error."""
    says_death = {"to", "death"} & set(sheet.words[time.name])
    return time.concept.code == "OS" and not time.generic and not says_death


def _distance(sheet: Sheet, status: _StatusColumn, code: str) -> tuple[bool, ...]:
    """Order status columns: named for this endpoint, whole header, in words."""
    known, header = vocabulary(), _header(sheet, status.name)
    bare = tuple(word for word in header if word not in known.status_words)
    named = code.casefold() in header or known.time_of.whole(bare) == code
    return not named, status.codes[0] != code, not status.exact, not status.by_words


def _stands_after(sheet: Sheet, status: _StatusColumn, time: _TimeColumn) -> bool:
    """Whether a status is the column right after a time: of several, that one belongs to it."""
    names = list(sheet.profiles)
    return names.index(status.name) == names.index(time.name) + 1


def _plain_status_words() -> frozenset[str]:
    return vocabulary().status_words | {"status", "event"}


def _guess(
    sheet: Sheet,
    table: str,
    concept: EndpointConcept,
    time: _TimeColumn | None,
    status: str,
) -> Guess | None:
    if time is None or time.name == status:
        return None
    cells = sheet.raw.cells
    profile = sheet.profiles[time.name]
    observed = numbers(cells(time.name), decimal=profile.decimal).values
    state = texts(cells(status))
    known = np.array([text is not None for text in state], dtype=bool)
    usable = known & np.isfinite(observed)
    if not usable.any() or (usable.sum() < 0.5 * known.sum() and not _of_survival(sheet, time)):
        return None  # a date of relapse in days, say, is known for the relapsed only
    coding = guess_coding(
        sheet.profiles[status].counts,
        _header(sheet, status),
        concept.event,
        labels=_labels(sheet, status),
        medians=median_times(state, observed),
    )
    entry = _entry_column(sheet, observed)
    endpoint = Endpoint(
        label=concept.label,
        time=time.name,
        unit=time.unit,
        event=status,
        events=coding.events,
        censored=coding.censored,
        table=table,
        entry=entry,
    )
    return Guess(
        concept.code,
        endpoint,
        coding,
        sheet.profiles[status].frequent,
        f"Time in “{time.name}”, status in “{status}”"
        + (f", delayed entry in “{entry}”." if entry else "."),
        int(usable.sum()),
        f"the header “{time.name}” names it" if time.unit else _range_of(profile),
    )


def guess_of_pair(
    sheet: Sheet, table: str, code: str, label: str, time: str, status: str
) -> Guess | None:
    """Give an endpoint from two columns of which no name says what they are times to."""
    concept = EndpointConcept(code, label, "event", None)
    return _guess(sheet, table, concept, _TimeColumn(time, concept, True, None), status)


def _range_of(profile: Profile) -> str:
    return f"the file doesn't say; the values run from {profile.low:g} to {profile.high:g}"


def _entry_column(sheet: Sheet, observed: np.ndarray) -> str | None:
    for name, profile in sheet.profiles.items():
        if vocabulary().entry.whole(sheet.words[name]) and profile.is_numeric:
            entered = numbers(sheet.raw.cells(name), decimal=profile.decimal).values
            both = np.isfinite(entered) & np.isfinite(observed)
            if both.any() and (entered[both] <= observed[both]).all() and entered[both].max() > 0:
                return name
    return None


def from_dates(sheet: Sheet, table: str, columns: Iterable[DateColumn]) -> list[Guess]:
    """Find endpoints that dates give: overall, progression-free and relapse-free survival.

    Parameters
    ----------
    sheet
        Where to look.
    table
        Role of the sheet in the study file.
    columns
        Its columns of dates.
    """
    by_concept: dict[str, DateColumn] = {}
    for column in columns:
        by_concept.setdefault(column.concept, column)
    start = next((by_concept[name] for name in STARTS if name in by_concept), None)
    if start is None:
        return []
    death = by_concept.get("death")
    contact = by_concept.get("last_contact") or by_concept.get("last_assessment")
    assessed = by_concept.get("last_assessment") or by_concept.get("last_contact")
    either = by_concept.get("death_or_last_contact")
    vital = next(
        (
            status.name
            for status in _status_columns(sheet)
            if status.codes[:1] == ("OS",) and _is_vital(sheet, status.name)
        ),
        None,
    )
    found = []
    if death is not None:
        found.append(_dated(sheet, table, "OS", start, {"death": death}, contact, vital))
    elif either is not None and vital is not None:
        found.append(_dated(sheet, table, "OS", start, {}, either, vital))
    for code, concept in (("PFS", "progression"), ("RFS", "recurrence")):
        event = by_concept.get(concept)
        if event is None:
            continue
        kinds = {concept: event}
        if death is not None:
            kinds["death"] = death
        found.append(_dated(sheet, table, code, start, kinds, assessed or either, None))
    return [guess for guess in found if guess is not None]


def _is_vital(sheet: Sheet, name: str) -> bool:
    """Whether a status is of life and death; ``os_event`` belongs to a column of times."""
    return "os" not in _header(sheet, name)


def _dated(
    sheet: Sheet,
    table: str,
    code: str,
    start: DateColumn,
    event_dates: Mapping[str, DateColumn],
    contact: DateColumn | None,
    status: str | None,
) -> Guess | None:
    concept = vocabulary().endpoints[code]
    cells, n_rows = sheet.raw.cells, sheet.n_rows
    began = dates(cells(start.name), order=start.order).values
    ends = [
        dates(cells(column.name), order=column.order).values
        for column in (*event_dates.values(), *((contact,) if contact else ()))
    ]
    known = ~np.isnat(np.vstack(ends)).all(axis=0) & ~np.isnat(began) if ends else began != began
    if known.sum() < 0.5 * n_rows or not known.any():
        return None
    coding = None
    counts: tuple[tuple[str, int], ...] = ()
    if status is not None:
        coding = guess_coding(
            sheet.profiles[status].counts, _header(sheet, status), "death",
            labels=_labels(sheet, status),
        )  # fmt: skip
        counts = sheet.profiles[status].frequent
        if not coding.events and not coding.censored and event_dates:
            status, coding, counts = None, None, ()
    endpoint = Endpoint(
        label=concept.label,
        start=start.name,
        event_dates={kind: column.name for kind, column in event_dates.items()},
        last_contact=(contact.name,) if contact else (),
        event=status,
        events=coding.events if coding else {},
        censored=coding.censored if coding else (),
        table=table,
        time_zero=vocabulary().date_label.get(start.concept, ""),
    )
    events = " or ".join(f"“{column.name}”" for column in event_dates.values())
    reason = f"From “{start.name}” to " + (
        f"{events} (whichever is first)" if len(event_dates) > 1 else events or "the end"
    )
    reason += f", else censored at “{contact.name}”." if contact else "; nobody is censored."
    reason += _doubts(sheet, event_dates.values(), (start, *((contact,) if contact else ())))
    return Guess(code, endpoint, coding, counts, reason, int(known.sum()), "dates give whole days")


def _doubts(sheet: Sheet, events: Iterable[DateColumn], others: Iterable[DateColumn]) -> str:
    """Say which columns of dates are empty, and in which many cells are no date."""
    events = list(events)
    parts = [
        f" “{column.name}” is empty: nobody has this event."
        for column in events
        if sheet.profiles[column.name].n_known == n_no_date(sheet.profiles[column.name])
    ]
    for column in (*events, *others):
        profile = sheet.profiles[column.name]
        n_none = n_no_date(profile)
        known = profile.n_known - n_none
        n = known - round(known * max(profile.date_share, profile.serial_share))
        if n:
            parts.append(f" {n} of {known} cells of “{column.name}” are no date.")
        if n_none:
            said = [text for text in profile.counts if says_no_date(text)]
            meant = "no event" if column in events else "not known"
            parts.append(
                f" {n_none} cells of “{column.name}” say {listed([f'“{text}”' for text in said])}: "
                f"read as {meant}."
            )
    return "".join(parts)


def from_parameters(sheet: Sheet, table: str) -> list[Guess]:
    """Find the endpoints of a CDISC time-to-event table: one row a parameter and a patient.

    Parameters
    ----------
    sheet
        Has PARAMCD, AVAL and CNSR.
    table
        Role of the sheet in the study file.
    """
    code_column, value, censor = (sheet.parameter(name) for name in ("code", "value", "censor"))
    assert code_column is not None
    assert value is not None
    assert censor is not None
    label_column, unit_column = sheet.parameter("label"), sheet.parameter("unit")
    cells, n_rows = sheet.raw.cells, sheet.n_rows
    codes = texts(cells(code_column), frozenset())
    observed = numbers(cells(value)).values
    status = texts(cells(censor))
    units = texts(cells(unit_column)) if unit_column else np.full(n_rows, None, dtype=object)
    labels = texts(cells(label_column)) if label_column else codes
    found = []
    for code in dict.fromkeys(text for text in codes if text is not None):
        rows = codes == code
        known = {text: int((status[rows] == text).sum()) for text in set(status[rows]) - {None}}
        unit, readable = _parameter_unit(set(units[rows]) - {None})
        if not readable or not known or not np.isfinite(observed[rows]).any():
            continue
        concept = vocabulary().endpoints.get(code.upper())
        event = concept.event if concept else "event"
        others = tuple(scalar(text) for text in sorted(known) if text != "0")
        coding = Coding(
            {event: (0,)}, others or (1,),
            "By the CDISC rule, CNSR = 0 is the event and every other value is censored.",
        )  # fmt: skip
        named = _without_unit(labels[rows][0])
        endpoint = Endpoint(
            label=named or code,
            time=value,
            unit=unit,
            event=censor,
            events=coding.events,
            censored=coding.censored,
            table=table,
            rows={code_column: (code,)},
        )
        found.append(
            Guess(
                code,
                endpoint,
                coding,
                tuple(sorted(known.items())),
                f"Rows with {code_column} = {code}; time in “{value}”, status in “{censor}”.",
                int((np.isfinite(observed) & rows).sum()),
                f"“{unit_column}” says it" if unit else "the file doesn't say",
            )
        )
    usual = list(vocabulary().endpoints)
    return sorted(
        found, key=lambda guess: usual.index(guess.code) if guess.code in usual else len(usual)
    )


def _without_unit(label: object) -> str:
    """Take the unit off the description of a parameter: results may be in another one."""
    text = str(label or "").strip()
    head, bracket, unit = text.removesuffix(")").rpartition("(")
    names_unit = bracket and text.endswith(")") and unit.strip().casefold() in vocabulary().units
    return head.strip() if names_unit and head.strip() else text


def _parameter_unit(units: set[str]) -> tuple[TimeUnit | None, bool]:
    """Read AVALU; a unit that is no time (COUNT) makes the parameter no endpoint."""
    if not units:
        return None, True
    known = vocabulary().units
    read = [known.get(words_of(unit)[0]) if words_of(unit) else None for unit in units]
    named = {TimeUnit(unit) for unit in read if unit is not None}
    if None in read:
        return None, False
    return (named.pop() if len(named) == 1 else None), True


def by_row_filter(
    guesses: Iterable[Guess], sheet: Sheet, column: str, levels: Iterable[str], table: str
) -> list[Guess]:
    """Make one endpoint of each value of a column, when a patient has a row for each."""
    kept = list(guesses)
    found = []
    marks = texts(sheet.raw.cells(column))
    for level in levels:
        rows = marks == level
        for guess in kept:
            status = guess.endpoint.event
            state = texts(sheet.raw.cells(status))[rows] if status else np.empty(0, dtype=object)
            counts = {text: int((state == text).sum()) for text in sorted(set(state) - {None})}
            endpoint = replace(
                guess.endpoint,
                label=f"{guess.endpoint.label} ({column} {level})",
                table=table,
                rows={column: (scalar(level),)},
            )
            found.append(
                replace(
                    guess,
                    code=f"{guess.code}_{level}",
                    endpoint=endpoint,
                    counts=tuple(counts.items()),
                    reason=f"Rows with {column} = {level}. {guess.reason}",
                    n_usable=int(rows.sum()),
                )
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What an endpoint says of each row of a sheet.

    Attributes
    ----------
    time
        In days, float array (rows,), NaN where not known; in the file's own unit where that is not
        known.
    event, known
        Whether it has the event, and whether that can be told; boolean arrays (rows,).
    in_days
        Whether the unit is known.
    slack
        Difference of times that rounding explains, in days.
    """

    time: np.ndarray
    event: np.ndarray
    known: np.ndarray
    in_days: bool
    slack: float

    def at(self, rows: np.ndarray) -> Outcomes:
        """Give some of the rows, by their places."""
        return replace(self, time=self.time[rows], event=self.event[rows], known=self.known[rows])


def outcomes(sheet: Sheet, guess: Guess, orders: Mapping[str, DateOrder]) -> Outcomes:
    """Read an endpoint from dates, or from a time and a status, row by row."""
    endpoint = guess.endpoint
    if endpoint.from_dates:
        return _from_dates(sheet, endpoint, orders)
    return _from_time(sheet, endpoint)


def _from_dates(sheet: Sheet, endpoint: Endpoint, orders: Mapping[str, DateOrder]) -> Outcomes:
    cells, n_rows = sheet.raw.cells, sheet.n_rows
    assert endpoint.start is not None
    began = dates(cells(endpoint.start), order=orders.get(endpoint.start)).values
    unreadable = np.zeros(n_rows, dtype=bool)

    def read(names: Iterable[str]) -> list[np.ndarray]:
        found = [dates(cells(name), order=orders.get(name)) for name in names]
        for column in found:
            unreadable[column.unreadable] = True
        return [column.values for column in found]

    kinds = dict(zip(endpoint.event_dates, read(endpoint.event_dates.values()), strict=True))
    happened, _ = earliest_date(kinds, n_rows)
    contact = latest_date(read(endpoint.last_contact), n_rows)
    end = np.where(np.isnat(happened), contact, happened)
    spent = (end - began).astype("timedelta64[D]")
    days = np.where(np.isnat(spent), np.nan, spent.astype(float))
    # a date such as 2021-05 is no contradiction: it is reported as what it is
    return Outcomes(days, ~np.isnat(happened), ~unreadable, True, 0.0)


def _from_time(sheet: Sheet, endpoint: Endpoint) -> Outcomes:
    cells = sheet.raw.cells
    assert endpoint.time is not None
    assert endpoint.event is not None
    given = numbers(cells(endpoint.time), decimal=sheet.profiles[endpoint.time].decimal).values
    event_texts = {str(value) for values in endpoint.events.values() for value in values}
    censored = {str(value) for value in endpoint.censored}
    state = texts(cells(endpoint.event))
    event = np.array([text in event_texts for text in state], dtype=bool)
    known = np.array([text in event_texts or text in censored for text in state], dtype=bool)
    unit = DAYS_PER_UNIT[endpoint.unit] if endpoint.unit is not None else 1.0
    return Outcomes(given * unit, event, known, endpoint.unit is not None, 0.1 * unit)


def undated_events(
    sheet: Sheet, dated: Guess, orders: Mapping[str, DateOrder]
) -> list[tuple[str, str, np.ndarray]]:
    """Compare the dates of events with a column that says yes or no and has no time of its own.

    Returns
    -------
    list
        The column of dates, the other one, and the rows that say the event but have no date of it.
    """
    concept_of = {"progression": "PFS", "recurrence": "RFS", "relapse": "RFS"}
    found = []
    for kind, column in dated.endpoint.event_dates.items():
        happened = dates(sheet.raw.cells(column), order=orders.get(column))
        for status in _status_columns(sheet):
            if not status.exact or status.codes[:1] != (concept_of.get(kind),):
                continue
            coding = guess_coding(
                sheet.profiles[status.name].counts, _header(sheet, status.name), kind,
                labels=_labels(sheet, status.name),
            )  # fmt: skip
            says = {str(value) for values in coding.events.values() for value in values}
            state = texts(sheet.raw.cells(status.name))
            event = np.array([text in says for text in state], dtype=bool)
            rows = np.flatnonzero(event & np.isnat(happened.values) & ~happened.incomplete)
            if len(rows):
                found.append((column, status.name, rows))
    return found


def disagreement(first: Outcomes, second: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """Compare what two sources say of the same rows.

    Returns
    -------
    tuple
        Rows whose event differs, and rows whose time differs by more than rounding and the day of
        the start explain; places in both.
    """
    both = np.isfinite(first.time) & np.isfinite(second.time) & first.known & second.known
    differ = both & (first.event != second.event)
    if not (first.in_days and second.in_days):
        return np.flatnonzero(differ), np.empty(0, dtype=int)
    slack = 1 + max(first.slack, second.slack)
    with np.errstate(invalid="ignore"):
        apart = both & ~differ & (np.abs(first.time - second.time) > slack)
    return np.flatnonzero(differ), np.flatnonzero(apart)
