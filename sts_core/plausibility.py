"""What can't be true in the data, or is probably wrong: rules over columns, dates and endpoints.

Every rule looks at all patients of the file, whatever the criteria, and gives findings with rows
of the sheet. An error can't be true, a warning is probably wrong, a note is worth a look.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from sts_core.assessments import assessments_of
from sts_core.cohort import Cohort, Table
from sts_core.derive import (
    Levels,
    LossReason,
    SurvivalData,
    is_categorical,
    levels_of,
    numbers_of,
    raw_levels,
    survival_data,
    table_dates,
    variable_of,
)
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.reading.privacy import AGE_COLUMN
from sts_core.reading.vocabulary import vocabulary, words_of
from sts_core.study.types import (
    DAYS_PER_UNIT,
    AnalysisSection,
    Endpoint,
    TimeUnit,
    VariableKind,
)
from sts_core.values import missing_codes, numbers, text_of, texts

# Shares and sizes from which a pattern is no chance.
FEWEST = 10
MAX_MEDIAN_MONTHS = 120.0
MIN_MEDIAN_DAYS = 14.0
MIN_MEDIAN_MONTHS_IN_YEARS = 24.0
# Rounding to one decimal of a month is 1.5 days; a difference below two days is none.
ROUNDING_DAYS = 2.0
MIN_COLUMNS_ALIKE = 5
FAR = 5.0
SLIP = 10.0

_RANGES: dict[str, tuple[float, float, bool, str]] = {
    # key or word of the header: lowest, highest, whole numbers only, name
    "ecog": (0, 5, True, "ECOG performance status"),
    "karnofsky": (0, 100, True, "a Karnofsky score"),
    "kps": (0, 100, True, "a Karnofsky score"),
    "percent": (0, 100, False, "a percentage"),
    "percentage": (0, 100, False, "a percentage"),
}
#: The scale has no step between the tens.
KARNOFSKY_STEP = 10.0
# Ages counted in another way (from conception, or by calendar years) differ by one.
AGES_DIFFER_BY = 1.0
#: What comes first, what comes later, and how sure it is that the reverse is wrong.
_IN_ORDER: tuple[tuple[str, str, str, Severity], ...] = (
    ("diagnosis", "treatment_start", "The diagnosis", Severity.WARNING),
    ("treatment_start", "treatment_end", "The start of treatment", Severity.ERROR),
    ("diagnosis", "death", "The diagnosis", Severity.WARNING),
    ("treatment_start", "death", "The start of treatment", Severity.ERROR),
)
_MALE = {"male", "m", "man", "男", "男性"}
_FEMALE = {"female", "f", "woman", "女", "女性"}
_OF_WOMEN = ("uterine", "uterus", "ovar", "cervix", "endometri", "vulv", "子宫", "卵巢")
_OF_MEN = ("prostat", "testi", "penis", "前列腺", "睾丸")


def plausibility(cohort: Cohort) -> tuple[Finding, ...]:
    """Give everything that these rules find; nothing is raised."""
    everyone = _everyone(cohort)
    rules: tuple[Callable[[Cohort], Iterator[Finding]], ...] = (
        _units, _event_shares, _endpoints_against_each_other, _dates_in_order, _after_death,
        _ranges, _karnofsky_in_tens, _age_against_birth, _far_out, _same_patient_twice,
        _line_against_prior, _response_in_disguise, _responders_only,
        _response_against_assessments,
        _response_against_progression, _sex_against_organ,
    )  # fmt: skip
    found: list[Finding] = []
    for rule in rules:
        try:
            found += rule(everyone)
        except StudyError:
            continue  # a column that isn't there is a finding of the definition that names it
    return tuple(found)


def _everyone(cohort: Cohort) -> Cohort:
    """Give the cohort without criteria: a wrong value is wrong whoever is analysed."""
    if cohort.included.all():
        return cohort  # what was read of it serves again
    study = replace(cohort.study, analysis=AnalysisSection())
    return replace(cohort, study=study, included=np.ones(len(cohort.subjects), dtype=bool))


def _at(table: Table, mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in table.rows[mask])


def _finding(
    table: Table,
    code: FindingCode,
    severity: Severity,
    message: str,
    hint: str,
    *,
    column: str | None = None,
    mask: np.ndarray | None = None,
) -> Finding:
    return Finding(
        code,
        severity,
        message,
        hint,
        file=table.file,
        sheet=table.sheet,
        column=column,
        rows=() if mask is None else _at(table, mask),
        count=None if mask is None else int(mask.sum()),
        table=table.role,
    )


def _patients(n: int) -> str:
    return "1 patient" if n == 1 else f"{n} patients"


# --- endpoints against times ---------------------------------------------------------------------


def _endpoints(cohort: Cohort) -> Iterator[tuple[str, Endpoint, Table, SurvivalData]]:
    for code, endpoint in cohort.study.definitions.endpoints.items():
        table = cohort.tables.get(endpoint.table)
        if table is None:
            continue
        if endpoint.event is not None and not endpoint.events and not endpoint.censored:
            continue  # nobody has said yet what an event is
        try:
            yield code, endpoint, table, survival_data(cohort, code)
        except StudyError:
            continue


def _units(cohort: Cohort) -> Iterator[Finding]:
    """Find times whose size does not go with their unit: "months" with a median of 650."""
    for _, endpoint, table, data in _endpoints(cohort):
        if endpoint.from_dates or endpoint.unit is None or data.n < FEWEST:
            continue
        median = float(np.median(data.time))
        days = median * DAYS_PER_UNIT[endpoint.unit]
        likely = None
        if endpoint.unit is TimeUnit.MONTHS and median > MAX_MEDIAN_MONTHS:
            likely = TimeUnit.DAYS
        elif endpoint.unit is TimeUnit.YEARS and median > MIN_MEDIAN_MONTHS_IN_YEARS:
            likely = TimeUnit.DAYS if median > MAX_MEDIAN_MONTHS else TimeUnit.MONTHS
        elif endpoint.unit is TimeUnit.WEEKS and days > MAX_MEDIAN_MONTHS * 30.4375:
            likely = TimeUnit.DAYS
        elif endpoint.unit is TimeUnit.DAYS and 0 < median < MIN_MEDIAN_DAYS:
            likely = TimeUnit.MONTHS if median > 1 else TimeUnit.YEARS
        if likely is not None:
            yield _finding(
                table,
                FindingCode.TIME_UNIT_DOUBTFUL,
                Severity.WARNING,
                f"“{endpoint.label}” is said to be in {endpoint.unit.value}, with a median of "
                f"{median:g}: that looks like {likely.value}.",
                "Check the unit on the Data page.",
                column=endpoint.time,
            )


def _event_shares(cohort: Cohort) -> Iterator[Finding]:
    """Find endpoints at which everybody has the event, or only those with it have a time."""
    for _, endpoint, table, data in _endpoints(cohort):
        lost = {
            reason: sum(len(loss.subjects) for loss in data.losses if loss.reason is reason)
            for reason in (LossReason.TIME_MISSING, LossReason.END_MISSING)
        }
        n_lost = sum(lost.values())
        status = endpoint.event
        if data.n == 0 and n_lost >= FEWEST:
            yield _finding(
                table,
                FindingCode.TIMES_ABSENT,
                Severity.ERROR,
                f"“{endpoint.label}”: of {_patients(n_lost)} a status is known, of none a time. "
                "Without times there is no survival analysis.",
                "Add a column of times, or the dates of the start and of the event or last "
                "contact.",
                column=endpoint.time or endpoint.start,
            )
            continue
        if data.n < FEWEST or not data.event.all():
            continue
        if n_lost:
            yield _finding(
                table,
                FindingCode.TIMES_OF_EVENTS_ONLY,
                Severity.ERROR,
                f"“{endpoint.label}”: only patients with the event have a time; "
                f"{_patients(n_lost)} have none. Estimates from the others alone are far too low.",
                "Fill in the last contact of patients without the event: they are censored there.",
                column=endpoint.time or ", ".join(endpoint.last_contact) or None,
            )
        elif status is not None or endpoint.from_dates:
            yield _finding(
                table,
                FindingCode.EVERYBODY_HAS_EVENT,
                Severity.WARNING,
                f"“{endpoint.label}”: all {data.n} patients have the event.",
                "If some are alive or without progression, check which values are events, and "
                "whether the file holds only patients with the event.",
                column=status or endpoint.start,
            )


def _endpoints_against_each_other(cohort: Cohort) -> Iterator[Finding]:
    """Find patients who died before they were free of progression, or in one endpoint only."""
    by_code = {code: (endpoint, table, data) for code, endpoint, table, data in _endpoints(cohort)}
    if "OS" not in by_code:
        return
    survival, table, deaths = by_code["OS"]
    for code, (endpoint, _, data) in by_code.items():
        if code not in ("PFS", "DFS", "RFS", "EFS", "TTP"):
            continue
        if (survival.start or survival.time_zero) != (endpoint.start or endpoint.time_zero):
            continue  # of two times with different beginnings neither has to be the longer
        n = len(cohort.subjects)
        os_days, other_days = np.full(n, np.nan), np.full(n, np.nan)
        os_days[deaths.position] = deaths.time * DAYS_PER_UNIT[survival.raw_unit]
        other_days[data.position] = data.time * DAYS_PER_UNIT[endpoint.raw_unit]
        with np.errstate(invalid="ignore"):
            shorter = os_days < other_days - ROUNDING_DAYS
        mask = _rows_of(cohort, table, survival, shorter)
        if shorter.any():
            yield _finding(
                table,
                FindingCode.ENDPOINTS_CONTRADICT,
                Severity.ERROR,
                f"“{survival.label}” is shorter than “{endpoint.label}” in "
                f"{_patients(int(shorter.sum()))}.",
                "Nobody is followed for progression after the end of life: correct one of the "
                "two, or its unit.",
                column=survival.time or survival.start,
                mask=mask,
            )
        died = np.zeros(n, dtype=bool)
        died[data.position[data.kind == "death"]] = True
        alive = np.zeros(n, dtype=bool)
        alive[deaths.position[~deaths.event]] = True
        if (died & alive).any():
            yield _finding(
                table,
                FindingCode.ENDPOINTS_CONTRADICT,
                Severity.ERROR,
                f"{_patients(int((died & alive).sum()))} died by “{endpoint.label}” and are alive "
                f"by “{survival.label}”.",
                "Correct the status or the dates of one of the two.",
                column=survival.event or survival.start,
                mask=_rows_of(cohort, table, survival, died & alive),
            )


def _rows_of(cohort: Cohort, table: Table, endpoint: Endpoint, patients: np.ndarray) -> np.ndarray:
    """Say which rows of a table are those of some patients for an endpoint."""
    mask = np.isin(table.subject.astype(str), cohort.subjects[patients].astype(str))
    for column, values in endpoint.rows.items():
        wanted = {text_of(value) for value in values}
        mask &= np.array([text in wanted for text in texts(table.column(column), frozenset())])
    return mask


# --- dates ---------------------------------------------------------------------------------------


def _dates_in_order(cohort: Cohort) -> Iterator[Finding]:
    """Find a diagnosis after the start of treatment, and a start after its end or the death."""
    table = cohort.tables["subjects"]
    named: dict[str, str] = {}
    for column in map(str, table.frame.columns):
        match = vocabulary().dates.match(words_of(column))
        # "date of second diagnosis" is another date: the whole header must say it
        if match is not None and match.exact and _mostly_dates(table.column(column)):
            named.setdefault(match.concept, column)
    said_already = {
        (endpoint.start, end)
        for endpoint in cohort.study.definitions.endpoints.values()
        for end in endpoint.event_dates.values()
    }  # a time below zero is an error of the endpoint
    for first, second, what, severity in _IN_ORDER:
        if first not in named or second not in named:
            continue
        before, after = named[first], named[second]
        if (before, after) in said_already:
            continue
        wrong = (
            table_dates(cohort, "subjects", before).values
            > table_dates(cohort, "subjects", after).values
        )
        if wrong.any():
            yield _finding(
                table,
                FindingCode.DATES_OUT_OF_ORDER,
                severity,
                f"{what} (“{before}”) is later than “{after}” in {_patients(int(wrong.sum()))}.",
                "Correct one of the two dates.",
                column=before,
                mask=wrong,
            )


def _after_death(cohort: Cohort) -> Iterator[Finding]:
    """Find rows of adverse events, assessments or treatment that are dated after the death."""
    if len(cohort.tables) == 1:
        return
    deaths: dict[str, np.datetime64] = {}
    named = ""
    for endpoint in cohort.study.definitions.endpoints.values():
        column = endpoint.event_dates.get("death")
        table = cohort.tables.get(endpoint.table)
        if column is None or table is None or column not in table.frame.columns:
            continue
        read = table_dates(cohort, endpoint.table, column)
        for subject, date in zip(table.subject, read.values, strict=True):
            if not np.isnat(date):
                deaths[str(subject)] = date
        named = column
        break
    if not deaths:
        return
    for role, table in cohort.tables.items():
        if role == "subjects":
            continue
        died = np.array(
            [deaths.get(str(subject), np.datetime64("NaT")) for subject in table.subject],
            dtype="datetime64[D]",
        )
        for name in map(str, table.frame.columns):
            cells = table.column(name)
            if not _mostly_dates(cells):
                continue
            late = table_dates(cohort, role, name).values > died
            if late.any():
                yield _finding(
                    table,
                    FindingCode.DATED_AFTER_DEATH,
                    Severity.WARNING,
                    f"“{name}” is after the death (“{named}”) in {int(late.sum())} "
                    f"{'row' if late.sum() == 1 else 'rows'}.",
                    "Correct one of the two dates, or the patient of the row.",
                    column=name,
                    mask=late,
                )


def _mostly_dates(cells: pd.Series) -> bool:
    """Say whether cells are dates, by a few of them; plain numbers are none."""
    known = [cell for cell in cells.head(200) if cell is not None and str(cell).strip()]
    if not known:
        return False
    dated = [
        isinstance(cell, dt.date) or (isinstance(cell, str) and _looks_dated(cell))
        for cell in known
    ]
    return sum(dated) > 0.5 * len(dated)


def _looks_dated(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return 6 <= digits <= 14 and any(sign in text for sign in "-/.年") and text[:1].isdigit()


# --- values --------------------------------------------------------------------------------------


def _ranges(cohort: Cohort) -> Iterator[Finding]:
    """Find values outside the scale that a column is named for."""
    table = cohort.tables["subjects"]
    for key, variable in cohort.study.definitions.variables.items():
        if variable.table != "subjects" or variable.derived is not None or variable.rows:
            continue
        column = variable.column or key
        words = {key, *column.casefold().replace("_", " ").split()}
        scale = next((_RANGES[word] for word in words if word in _RANGES), None)
        if scale is None or column not in table.frame.columns or variable.codes:
            continue
        low, high, whole, name = scale
        read = numbers_of(cohort, key)
        with np.errstate(invalid="ignore"):
            wrong = (read.values < low) | (read.values > high)
            if whole:
                wrong |= read.values != np.floor(np.where(np.isnan(read.values), 0, read.values))
            wrong &= ~np.isnan(read.values)
        if wrong.any():
            yield _finding(
                table,
                FindingCode.VALUE_IMPOSSIBLE,
                Severity.ERROR,
                f"“{column}” is {name}, which goes from {low:g} to {high:g}; "
                f"{_patients(n := int(wrong.sum()))} {'has' if n == 1 else 'have'} another value.",
                "Correct the cells; a code for “not known” can be named on the Data page.",
                column=column,
                mask=wrong,
            )


def _karnofsky_in_tens(cohort: Cohort) -> Iterator[Finding]:
    """Find Karnofsky scores between the tens of the scale."""
    table = cohort.tables["subjects"]
    for key, variable in cohort.study.definitions.variables.items():
        column = variable.column or key
        if variable.table != "subjects" or variable.derived is not None or variable.codes:
            continue
        match = vocabulary().variables.match(words_of(column))
        named = key == "karnofsky" or (match is not None and match.concept == "karnofsky")
        if not named or column not in table.frame.columns or variable.rows:
            continue
        values = numbers_of(cohort, key).values
        with np.errstate(invalid="ignore"):
            wrong = np.isfinite(values) & (np.mod(values, KARNOFSKY_STEP) != 0)
            wrong &= (values >= 0) & (values <= 100)
        if wrong.any():
            yield _finding(
                table,
                FindingCode.VALUE_IMPLAUSIBLE,
                Severity.WARNING,
                f"“{column}” is a Karnofsky score, which goes in tens; "
                f"{_patients(n := int(wrong.sum()))} {'has' if n == 1 else 'have'} a value "
                "between them.",
                "Correct the cells if they are wrong; they are used as they stand.",
                column=column,
                mask=wrong,
            )


def _age_against_birth(cohort: Cohort) -> Iterator[Finding]:
    """Find ages that the date of birth does not give; it was left out after the age was taken."""
    source = cohort.study.data.tables.get("subjects")
    table = cohort.tables["subjects"]
    variable = cohort.study.definitions.variables.get("age")
    if source is None or source.age_at is None or AGE_COLUMN not in table.frame.columns:
        return
    if variable is None or variable.derived is not None or variable.table != "subjects":
        return
    column = variable.column or "age"
    if column == AGE_COLUMN or variable.kind is not VariableKind.NUMERIC or variable.rows:
        return
    stated = numbers_of(cohort, "age").values
    from_birth = numbers(table.column(AGE_COLUMN)).values
    with np.errstate(invalid="ignore"):
        wrong = np.abs(np.floor(stated) - from_birth) > AGES_DIFFER_BY
    if wrong.any():
        yield _finding(
            table,
            FindingCode.AGE_CONTRADICTED,
            Severity.WARNING,
            f"“{column}” differs by more than a year from the age that “{source.birth_date}” gives "
            f"at “{source.age_at}”, in {_patients(int(wrong.sum()))}.",
            "Correct the age or one of the two dates; if the age is meant at another date, nothing "
            "is to be done.",
            column=column,
            mask=wrong,
        )


def _far_out(cohort: Cohort) -> Iterator[Finding]:
    """Find numbers ten times further out than the others: a decimal point may have slipped."""
    table = cohort.tables["subjects"]
    for key, variable in cohort.study.definitions.variables.items():
        if variable.kind is not VariableKind.NUMERIC or variable.table != "subjects":
            continue
        if variable.derived is not None:
            continue
        values = numbers_of(cohort, key).values
        known = values[np.isfinite(values)]
        if len(known) < 2 * FEWEST or known.min() < 0:
            continue
        low, median, high = np.quantile(known, [0.25, 0.5, 0.75])
        if high <= low or median <= 0:
            continue
        with np.errstate(invalid="ignore"):
            far = (values > high + FAR * (high - low)) & (values >= SLIP * median)
        # a skewed laboratory value has many such numbers, a slip is alone
        if 0 < far.sum() <= max(1, len(known) // 200):
            column = variable.column or key
            yield _finding(
                table,
                FindingCode.VALUE_FAR_OUT,
                Severity.NOTE,
                f"“{column}” is at least {SLIP:g} times the median ({median:g}) in "
                f"{_patients(int(far.sum()))}.",
                "Look whether a decimal point has slipped. The values are used as they are.",
                column=column,
                mask=far,
            )


def _same_patient_twice(cohort: Cohort) -> Iterator[Finding]:
    """Find rows that are alike in everything but the id."""
    table = cohort.tables["subjects"]
    source = cohort.study.data.tables.get("subjects")
    own = source.subject_id if source else None
    columns = [str(name) for name in table.frame.columns if name != own]
    codes = missing_codes(source.missing_codes if source else ())
    if len(columns) < MIN_COLUMNS_ALIKE or len(table.frame) < 2:
        return
    alike = _alike_in_all(table, columns, codes)
    if alike.any() and alike.mean() < 0.2:
        yield _finding(
            table,
            FindingCode.SUBJECT_SUSPECTED_TWICE,
            Severity.WARNING,
            f"{int(alike.sum())} rows are alike in every column but the patient id.",
            "If they are one patient, delete the second row.",
            mask=alike,
        )


def _alike_in_all(table: Table, columns: list[str], codes: frozenset[str]) -> np.ndarray:
    """Say which rows have a like in every column, most of them known.

    The most varied columns come first: after a few of them hardly any row is left to compare.
    """
    varied = sorted(columns, key=lambda name: -table.column(name).head(500).nunique())
    rows = np.arange(len(table.frame))
    group = np.zeros(len(rows), dtype=np.int64)
    known = np.zeros(len(rows), dtype=np.int64)
    for name in varied:
        cells = texts(table.column(name).iloc[rows], codes)
        place, _ = pd.factorize(cells)
        known += place >= 0
        group = pd.factorize(group * (len(rows) + 1) + place)[0]
        several = np.bincount(group)[group] > 1
        rows, group, known = rows[several], group[several], known[several]
        if not len(rows):
            break
    rows = rows[known >= max(MIN_COLUMNS_ALIKE, len(columns) // 2)]
    alike = np.zeros(len(table.frame), dtype=bool)
    alike[rows] = True
    return alike


def _line_against_prior(cohort: Cohort) -> Iterator[Finding]:
    """Find a line of therapy that does not go with the number of lines before it."""
    variables = cohort.study.definitions.variables
    table = cohort.tables["subjects"]

    def column_of(*words: str) -> str | None:
        for key, variable in variables.items():
            name = (variable.column or key).casefold().replace(" ", "_")
            if variable.table == "subjects" and variable.derived is None and name in words:
                return key
        return None

    line = column_of("line", "treatment_line", "line_of_therapy", "therapy_line", "治疗线数")
    prior = column_of(
        "prior_lines", "prior_therapies", "n_prior_lines", "number_of_prior_lines",
        "number_of_prior_therapies", "既往治疗线数",
    )  # fmt: skip
    if line is None or prior is None:
        return
    lines, before = _counts_in(cohort, line), _counts_in(cohort, prior)
    with np.errstate(invalid="ignore"):
        wrong = np.isfinite(lines) & np.isfinite(before) & (lines != before + 1)
    if wrong.any():
        names = [variable_of(cohort, key).column or key for key in (line, prior)]
        yield _finding(
            table,
            FindingCode.LINE_CONTRADICTED,
            Severity.WARNING,
            f"“{names[0]}” is not one more than “{names[1]}” in {_patients(int(wrong.sum()))}.",
            "Correct one of the two; if prior lines count something else, nothing is to be done.",
            column=names[0],
            mask=wrong,
        )


def _responders_only(cohort: Cohort) -> Iterator[Finding]:
    """Find a response of which nothing but responders is recorded, as a list of responders has."""
    response = cohort.study.definitions.response
    if response is None:
        return
    values = levels_of(cohort, response.variable).values
    known = np.array([value is not None for value in values], dtype=bool)
    responds = np.isin(values[known].astype(str), response.responders)
    if known.sum() < FEWEST or not responds.all() or known.all():
        return
    variable = variable_of(cohort, response.variable)
    table = cohort.tables.get(variable.table, cohort.tables["subjects"])
    yield _finding(
        table,
        FindingCode.RESPONSE_DOUBTFUL,
        Severity.WARNING,
        f"All {int(known.sum())} patients whose “{variable.label}” is recorded are responders, and "
        f"of {int((~known).sum())} it is not recorded: the rate among those recorded is 100% by "
        "that alone.",
        "If only responders were listed, fill in the others: stable disease, progression or not "
        "evaluable. Until then these are not recorded, which is not the same.",
        column=variable.column or response.variable,
    )


def _response_in_disguise(cohort: Cohort) -> Iterator[Finding]:
    """Find a "response" that says the same as the status of an endpoint."""
    response = cohort.study.definitions.response
    if response is None:
        return
    values = levels_of(cohort, response.variable).values
    for _, endpoint, _, data in _endpoints(cohort):
        own = values[data.position]
        known = np.array([value is not None for value in own], dtype=bool)
        if known.sum() < FEWEST:
            continue
        answers = {
            value: set(data.event[own == value].tolist())
            for value in dict.fromkeys(own[known].tolist())
        }
        if len(answers) < 2 or any(len(events) > 1 for events in answers.values()):
            continue
        if len({next(iter(events)) for events in answers.values()}) < 2:
            continue
        variable = variable_of(cohort, response.variable)
        table = cohort.tables["subjects"]
        yield _finding(
            table,
            FindingCode.RESPONSE_DOUBTFUL,
            Severity.WARNING,
            f"The response “{variable.label}” says of every patient the same as the status of "
            f"“{endpoint.label}”.",
            "A best response is assessed apart from survival: check that this is the right column.",
            column=variable.column or response.variable,
        )
        return


_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "none": 0, "no": 0,
    "一": 1, "二": 2, "三": 3, "四": 4, "首": 1, "无": 0,
}  # fmt: skip
_LINE = re.compile(r"^(?:line )?(\d{1,2})(?:st|nd|rd|th)?(?: ?l| ?线| ?-?line)?$")
_LINE_IN_WORDS = re.compile(r"^(?:第)?([a-z]+|[一二三四首无])(?:[ -]?line|线(?:治疗)?)?$")


def _counts_in(cohort: Cohort, key: str) -> np.ndarray:
    """Read a number of lines, also where it is written as "1st line", "2L" or "一线"."""
    variable = variable_of(cohort, key)
    if variable.kind is VariableKind.NUMERIC:
        return numbers_of(cohort, key).values
    found = np.full(len(cohort.subjects), np.nan)
    levels = raw_levels(cohort, key)
    for text in {text for text in levels.tolist() if text is not None}:
        plain = str(text).strip().casefold()
        if match := _LINE.match(plain):
            found[levels == text] = int(match[1])
        elif (match := _LINE_IN_WORDS.match(plain)) and match[1] in _ORDINALS:
            found[levels == text] = _ORDINALS[match[1]]
    return found


_BEST = {"CR": 0, "PR": 1, "SD": 2, "NON-CR/NON-PD": 2, "PD": 3}
_BEST |= {"iCR": 0, "iPR": 1, "iSD": 2, "iUPD": 3, "iCPD": 3}
_NO_LEVEL = max(_BEST.values()) + 1


def _response_against_assessments(cohort: Cohort) -> Iterator[Finding]:
    """Find best responses that the assessments do not bear out."""
    definitions = cohort.study.definitions
    if definitions.response is None or definitions.assessments is None:
        return
    read = assessments_of(cohort)
    n = len(cohort.subjects)
    best, worst = np.full(n, _NO_LEVEL), np.full(n, -1)
    for position, level in zip(read.position.tolist(), read.overall.tolist(), strict=True):
        if level in _BEST:
            best[position] = min(best[position], _BEST[level])
            worst[position] = max(worst[position], _BEST[level])
    levels = levels_of(cohort, definitions.response.variable).values
    stated = np.array([_BEST.get(str(level), _NO_LEVEL) for level in levels])
    responded, progressed = _BEST["PR"], _BEST["PD"]
    judged = best < _NO_LEVEL
    unseen = ~judged & (stated <= responded) & judged.any()
    note, warning = Severity.NOTE, Severity.WARNING
    another = "if one is by another assessor, nothing is to be done."
    for severity, mask, what, hint in (
        (warning, judged & (stated < best), "is better than every assessment in the file",
         f"Correct the best response or the assessments; {another}"),
        (warning, judged & (stated == progressed) & (best <= responded),
         "is progression, although an assessment shows a response",
         f"A best response is the best one of all: correct it or the assessments; {another}"),
        (warning, judged & (stated == progressed) & (worst < progressed) & (best > responded),
         "is progression, which no assessment shows",
         "Add the assessment that showed it, or correct the best response; a progression by "
         "clinical signs alone has none."),
        (note, unseen, "is a response, and none of their assessments is in the file",
         "Add the assessments if they are to be drawn or derived from."),
    ):  # fmt: skip
        if mask.any():
            yield _of_response(cohort, severity, mask, f"The best response of {{n}} {what}.", hint)


def _of_response(
    cohort: Cohort, severity: Severity, patients: np.ndarray, message: str, hint: str
) -> Finding:
    response = cohort.study.definitions.response
    assert response is not None
    variable = variable_of(cohort, response.variable)
    table = cohort.tables["subjects"]
    return _finding(
        table,
        FindingCode.RESPONSE_CONTRADICTED,
        severity,
        message.format(n=_patients(int(patients.sum()))),
        hint,
        column=variable.column or response.variable if variable.table == "subjects" else None,
        mask=np.isin(table.subject.astype(str), cohort.subjects[patients].astype(str)),
    )


def _response_against_progression(cohort: Cohort) -> Iterator[Finding]:
    """Find patients with progression as best response who are followed without a progression."""
    response = cohort.study.definitions.response
    if response is None or not response.progression:
        return
    levels = levels_of(cohort, response.variable).values
    progressed = np.isin(levels.astype(str), response.progression)
    for code, endpoint, _, data in _endpoints(cohort):
        if code not in ("PFS", "TTP"):
            continue
        column = endpoint.event_dates.get("progression") or endpoint.event_dates.get("recurrence")
        without = np.zeros(len(cohort.subjects), dtype=bool)
        if column is not None and endpoint.table == "subjects":
            without[:] = np.isnat(table_dates(cohort, "subjects", column).values)
            what = f"no date in “{column}”"
        else:
            without[data.position[~data.event]] = True
            what = f"no event by “{endpoint.label}”"
        wrong = progressed & without
        if wrong.any():
            yield _of_response(
                cohort, Severity.WARNING, wrong,
                f"The best response of {{n}} is progression, with {what}.",
                "Fill in the progression, or correct the best response.",
            )  # fmt: skip
        return


def _sex_against_organ(cohort: Cohort) -> Iterator[Finding]:
    """Find men with a disease of women's organs, and the reverse."""
    definitions = cohort.study.definitions
    table = cohort.tables["subjects"]
    if "sex" not in definitions.variables:
        return
    sexes = levels_of(cohort, "sex")
    male = _with_levels(sexes, lambda text: text in _MALE)
    female = _with_levels(sexes, lambda text: text in _FEMALE)
    for key, variable in definitions.variables.items():
        if key == "sex" or variable.derived is not None or not is_categorical(variable):
            continue
        if variable.table != "subjects":
            continue
        found = levels_of(cohort, key)
        of_women = _with_levels(found, lambda text: any(part in text for part in _OF_WOMEN))
        of_men = _with_levels(found, lambda text: any(part in text for part in _OF_MEN))
        wrong = (male & of_women) | (female & of_men)
        if wrong.any():
            yield _finding(
                table,
                FindingCode.SEX_CONTRADICTED,
                Severity.WARNING,
                f"“{variable.column or key}” names an organ that {_patients(int(wrong.sum()))} "
                "can't have by their sex.",
                "Correct the sex or the diagnosis.",
                column=variable.column or key,
                mask=wrong,
            )


def _with_levels(found: Levels, wanted: Callable[[str], bool]) -> np.ndarray:
    """Say which patients have a level that is wanted; each level is looked at once."""
    chosen = [level for level in found.levels if wanted(level.casefold())]
    mask = np.zeros(len(found.values), dtype=bool)
    for level in chosen:
        mask |= found.values == level
    return mask
