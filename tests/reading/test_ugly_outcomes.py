"""Known outcomes in the ugly workbooks of four languages: right, asked or refused, never wrong."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.derive import status_counts, survival_data
from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import RawTable, read_bytes
from sts_core.reading.answers import unanswered
from sts_core.reading.assembly import assemble
from sts_core.reading.proposal import Proposal, Question, QuestionKind
from sts_core.reading.recognise import propose_study
from sts_core.study import ColumnFormat, Endpoint, Status, Study, TimeUnit
from sts_core.values import text_of


@dataclass(frozen=True)
class Language:
    """Headers and words of one language."""

    columns: dict[str, str]
    units: dict[str, str]
    words: tuple[str, str]
    yes_no: tuple[str, str]
    died: str
    censor: str
    alive: str
    sexes: tuple[str, str]
    title: str
    total: str
    note: str
    encodings: tuple[str, ...]


LANGUAGES = {
    "en": Language(
        {"id": "Patient ID", "sex": "Sex", "age": "Age", "time": "OS", "status": "OS status",
         "start": "Date of first dose", "death": "Date of death", "contact": "Last follow-up",
         "pfs": "PFS", "progressed": "PFS status"},
        {"days": "days", "months": "months", "years": "years"},
        ("Dead", "Alive"), ("Yes", "No"), "Death", "Censor", "Alive", ("M", "F"),
        "Sarcoma registry", "Total", "Note: last follow-up in 2022", ("utf-8", "utf-16"),
    ),
    "zh": Language(
        {"id": "患者编号", "sex": "性别", "age": "年龄", "time": "总生存期", "status": "生存状态",
         "start": "首次用药日期", "death": "死亡日期", "contact": "末次随访日期",
         "pfs": "无进展生存期", "progressed": "进展"},
        {"days": "天", "months": "月", "years": "年"},
        ("死亡", "存活"), ("是", "否"), "死亡", "删失", "存活", ("男", "女"),
        "软组织肉瘤登记", "合计", "注：随访截至2022年", ("utf-8", "gb18030"),
    ),
    "de": Language(
        {"id": "Patientennummer", "sex": "Geschlecht", "age": "Alter", "time": "Gesamtüberleben",
         "status": "Vitalstatus", "start": "Therapiebeginn", "death": "Todesdatum",
         "contact": "Letzter Kontakt", "pfs": "Progressionsfreies Überleben",
         "progressed": "Progress"},
        {"days": "Tage", "months": "Monate", "years": "Jahre"},
        ("verstorben", "lebt"), ("ja", "nein"), "Verstorben", "Censor", "Alive", ("m", "w"),
        "Sarkomregister", "Summe", "Anmerkung: letzte Nachsorge 2022", ("utf-8", "cp1252"),
    ),
    "fr": Language(
        {"id": "Numéro patient", "sex": "Sexe", "age": "Âge", "time": "Survie globale",
         "status": "Statut vital", "start": "Début de traitement", "death": "Date de décès",
         "contact": "Dernières nouvelles", "pfs": "Survie sans progression",
         "progressed": "Progression"},
        {"days": "jours", "months": "mois", "years": "années"},
        ("décédé", "vivant"), ("oui", "non"), "Décès", "Censure", "Vivant", ("H", "F"),
        "Registre des sarcomes", "Total", "Note : suivi jusqu'en 2022", ("utf-8", "cp1252"),
    ),
}  # fmt: skip
CODINGS = (
    "words", "yes_no", "0/1", "1/2", "CNSR", "Censor in words", "Censor, 1 = event",
    "Censor, 1 = censored", "alive", "legend", "legend turned round",
)  # fmt: skip
#: Under these headers both ways are in use, and only a person can tell.
AMBIGUOUS = {"Censor, 1 = event", "Censor, 1 = censored"}
REPEATED = {FindingCode.SUBJECT_REPEATED, FindingCode.ROWS_NOT_PATIENTS}
MISSING = (None, "NA", ".", "unknown")
FORMS = ("date", "serial", "iso", "dotted", "slashes", "american", "named", "chinese")
#: Kind of the time, and of the status beside it.
OUTCOMES = (("time", "status"), ("pfs", "progressed"))
DAY = dt.date(1899, 12, 30)


@dataclass
class Person:
    """What is true of a patient, and the row in which it was written."""

    id: str
    sex: int
    age: int
    time: float | None
    event: bool | None
    start: dt.date
    end: dt.date
    pfs: float | None
    progressed: bool | None
    row: int = 0
    #: What is written in place of a value that should be there, by column.
    odd: dict[str, Any] = field(default_factory=dict)


@dataclass
class Written:
    """A file, and what is true of it."""

    data: bytes
    name: str
    language: Language
    people: list[Person]
    kinds: list[str]
    coding: str
    codes: dict[str, tuple[Any, Any]]
    unit: str
    unit_said: bool
    order: str
    hidden_row: int | None = None
    comma: bool = False
    twice: bool = False


def coded(language: Language, coding: str) -> tuple[str, Any, Any]:
    """Give the header of the status, the value of an event, and that of none."""
    status = language.columns["status"]
    dead, alive = language.words
    yes, no = language.yes_no
    return {
        "words": (status, dead, alive),
        "yes_no": (language.died, yes, no),
        "0/1": (status, 1, 0),
        "1/2": (status, 2, 1),
        "CNSR": ("CNSR", 0, 1),
        "Censor in words": (language.censor, dead, alive),
        "Censor, 1 = event": (language.censor, 1, 0),
        "Censor, 1 = censored": (language.censor, 0, 1),
        "alive": (language.alive, no, yes),
        "legend": (f"{status} (0 = {alive}, 1 = {dead})", 1, 0),
        "legend turned round": (f"{status} (1 = {alive}, 2 = {dead})", 2, 1),
    }[coding]


def date_as(day: dt.date, form: str) -> Any:
    return {
        "date": dt.datetime(day.year, day.month, day.day),
        "serial": (day - DAY).days,
        "iso": day.isoformat(),
        "dotted": f"{day.day}.{day.month}.{day.year}",
        "slashes": f"{day.day:02d}/{day.month:02d}/{day.year}",
        "american": f"{day.month}/{day.day}/{day.year}",
        "named": f"{day.day:02d}-{day:%b}-{day.year}",
        "chinese": f"{day.year}年{day.month}月{day.day}日",
    }[form]


@st.composite
def outcomes(draw: Any) -> Written:
    choose, yes = st.sampled_from, st.booleans()

    def rarely(one_in: int) -> bool:
        return bool(draw(st.integers(0, one_in - 1)) == one_in - 1)

    language = LANGUAGES[draw(choose(sorted(LANGUAGES)))]
    from_dates, coding = draw(choose(["times", "times", "dates", "both"])), draw(choose(CODINGS))
    unit, comma = draw(choose(["months", "days", "years"])), draw(yes)
    missing, form = draw(choose(MISSING)), draw(choose(FORMS))
    ids = draw(choose(["P{:03d}", "{:03d}", "{}", "format"]))
    header_of_status, event, none = coded(language, coding)
    low, high, scale = {"days": (20, 2500, 1), "months": (5, 990, 10), "years": (5, 120, 10)}[unit]
    people: list[Person] = []
    for number in range(1, draw(st.integers(5, 10)) + 1):
        days = draw(st.integers(20, 2500))
        first = dt.date(2012, 1, 1) + dt.timedelta(days=draw(st.integers(0, 1500)))
        time: float | None = draw(st.integers(low, high)) / scale
        people.append(
            Person(
                f"P{number:03d}" if ids == "P{:03d}" else f"{number:03d}" if ids == "{:03d}"
                else str(number),
                draw(st.integers(0, 1)), draw(st.integers(18, 88)), time, draw(yes), first,
                first + dt.timedelta(days=days), draw(st.integers(low // 2, low * 4)) / scale,
                draw(yes),
            )
        )  # fmt: skip
    if rarely(3):
        draw(choose(people)).event = None
    if rarely(4):
        draw(choose(people)).time = None
    if rarely(4):
        draw(choose(people)).odd["time"] = draw(choose(["12 months", ">24", "24+", "lost", "3-4"]))
    if rarely(4) and "1" in coding:
        draw(choose(people)).odd["status"] = draw(choose([9, "?", "lost"]))
    if rarely(4):
        person = draw(choose(people))
        person.event = True
        person.odd["death"] = draw(choose(["2019-05", "2019", "unknown", "31.2.2019", "?"]))
    alive_says = draw(choose([None, None, "-", "n/a", "none"]))
    loose = draw(choose([str, str, str.upper, str.title, "{} ".format]))
    kinds = ["id", "sex", "age"]
    if from_dates != "times":
        kinds += ["start", "death", "contact"]
    if from_dates != "dates":
        kinds += ["time", "status"]
        if rarely(2):
            kinds += ["pfs", "progressed"]
    kinds = [*kinds[:1], *draw(st.permutations(kinds[1:]))]
    as_text = draw(yes) and ids != "format"
    if as_text and form in ("date", "serial"):
        form = "iso"
    # equal neighbours may be merged
    merged: list[tuple[int, str]] = []
    if not as_text and rarely(3):
        kind = draw(choose([kind for kind in kinds if kind in ("sex", "time", "status", "age")]))
        at = draw(st.integers(0, len(people) - 2))
        merged.append((at, kind))
        name = "event" if kind == "status" else kind
        setattr(people[at + 1], name, getattr(people[at], name))
    unit_said = draw(yes)
    names = {**language.columns, "status": header_of_status}
    spelling = draw(choose(["{} ({})", "{}_{}", "{} [{}]", "{}（{}）", "{}, {}"]))
    codes = {
        "status": (event, none),
        "progressed": draw(choose([(1, 0), (2, 1), language.yes_no])),
    }
    times_as_text = comma and (as_text or rarely(3))
    if unit_said:
        names["pfs"] = spelling.format(names["pfs"], language.units[unit])
        names["time"] = spelling.format(names["time"], language.units[unit])
    header = [names[kind] for kind in kinds]

    def cell_of(person: Person, kind: str) -> Any:
        if kind == "id":
            return int(person.id) if ids in ("{}", "format") else person.id
        if kind == "sex":
            return language.sexes[person.sex]
        if kind == "age":
            return person.age
        if kind in person.odd:
            return person.odd[kind]
        if kind in ("time", "pfs"):
            time = getattr(person, kind)
            if time is None:
                return missing
            value = int(time) if unit == "days" else time
            return str(value).replace(".", ",") if times_as_text else value
        if kind in ("status", "progressed"):
            known = person.event if kind == "status" else person.progressed
            if known is None:
                return missing
            code = codes[kind][0 if known else 1]
            return loose(code) if isinstance(code, str) and person.age % 2 else code
        if kind == "start":
            return date_as(person.start, form)
        if kind == "death":
            return date_as(person.end, form) if person.event else alive_says
        return None if person.event else date_as(person.end, form)

    grid: list[list[Any]] = []
    if rarely(3):
        grid.append([language.title])
    if rarely(4):
        grid.append([])
    spans: list[tuple[int, int, int, int]] = []
    if not as_text and rarely(4):
        grid.append([None, "Outcome"])
        spans.append((len(grid), 2, len(grid), len(kinds)))
    grid.append(header)
    written: Written = Written(
        b"", "", language, people, kinds, coding, codes, unit, unit_said,
        {"dotted": "dmy", "slashes": "dmy", "american": "mdy"}.get(form, ""),
    )  # fmt: skip
    written.comma = times_as_text
    places = {at for at, _ in merged}
    for number, person in enumerate(people):
        if number and number - 1 not in places and rarely(10):
            grid.append(draw(choose([[], header])))
        grid.append([cell_of(person, kind) for kind in kinds])
        person.row = len(grid)
    for at, kind in merged:
        column = kinds.index(kind) + 1
        spans.append((people[at].row, column, people[at + 1].row, column))
    if rarely(8):
        again = list(grid[draw(choose(people)).row - 1])
        if draw(yes):
            again[kinds.index("age")] += 1
        grid.append(again)
        written.twice = True
    if not as_text and rarely(8):
        at = draw(st.integers(0, len(people) - 2))
        if people[at + 1].row == people[at].row + 1:
            spans.append((people[at].row, 1, people[at + 1].row, 1))
            written.twice = True
    if rarely(3):
        total: list[Any] = [None] * len(kinds)
        total[draw(st.integers(0, 1))] = language.total
        total[kinds.index("age")] = sum(person.age for person in people)
        if "status" in kinds and rarely(2):
            total[kinds.index("status")] = sum(bool(person.event) for person in people)
        grid.append(total)
    if "time" in kinds and rarely(4):
        grid.append([None] * len(kinds))
        grid[-1][0] = draw(choose(["Median", "Mean", "Mittelwert", language.total]))
        grid[-1][kinds.index("time")] = 23.4
    if rarely(3):
        grid += [[], [language.note]]
    if as_text:
        mark = draw(choose([";", "\t"] if comma else [";", "\t", ","]))
        text = "\r\n".join(
            mark.join(
                f'"{cell}"' if mark in str(cell) else "" if cell is None else str(cell)
                for cell in row
            )
            for row in grid
        )
        encodings = language.encodings if text.isascii() or form != "chinese" else ("utf-8",)
        text = text.replace("（", "(").replace("）", ")")
        written.data = text.encode(draw(choose(encodings)))
        written.name = "ugly.csv"
        return written
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Patients"
    for row_number, line in enumerate(grid, start=1):
        for column, cell in enumerate(line, start=1):
            if cell is not None:
                sheet.cell(row_number, column, cell)
                if ids == "format" and column == 1 and isinstance(cell, int):
                    sheet.cell(row_number, column).number_format = "000"
    for top, left, bottom, right in spans:
        sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
    if rarely(4):
        written.hidden_row = draw(choose(people)).row
        sheet.row_dimensions[written.hidden_row].hidden = True
    if rarely(4):
        letter = get_column_letter(draw(st.integers(2, len(kinds))))
        sheet.column_dimensions[letter].hidden = True
    if rarely(4):
        _old_copy(book, header, [grid[person.row - 1] for person in people], kinds)
        if draw(yes):
            book.move_sheet("old", -1)
    if rarely(6):
        legend = book.create_sheet("Codes")
        for line in (["Code", "Meaning"], [0, language.words[1]], [1, language.words[0]]):
            legend.append(line)
    cached: dict[str, Any] = {}
    free = [person for number, person in enumerate(people)
            if not places & {number, number - 1} and person.time is not None
            and not times_as_text and "time" not in person.odd]  # fmt: skip
    if "time" in kinds and free and rarely(3):
        column = kinds.index("time") + 1
        for person in free:
            cached[f"{get_column_letter(column)}{person.row}"] = cell_of(person, "time")
        if draw(yes):
            person = draw(choose(free))
            cached[f"{get_column_letter(column)}{person.row}"] = None
            person.odd["time"] = None
    stream = io.BytesIO()
    book.save(stream)
    written.data = with_formulas(stream.getvalue(), cached) if cached else stream.getvalue()
    written.name = "ugly.xlsx"
    return written


def _old_copy(
    book: openpyxl.Workbook, header: list[Any], rows: list[list[Any]], kinds: list[str]
) -> None:
    """Add a hidden sheet with the patients of an earlier day: fewer, and all of them younger."""
    sheet = book.create_sheet("old")
    sheet.sheet_state = "hidden"
    sheet.append(header)
    for row in rows[:-1]:
        sheet.append(
            [cell - 1 if kind == "age" else cell for cell, kind in zip(row, kinds, strict=True)]
        )


def with_formulas(data: bytes, cells: dict[str, Any]) -> bytes:
    """Turn cells of the first sheet into formulas, with the value that was computed or without."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            part = old.read(item)
            if item.startswith("xl/worksheets/sheet") and "old" not in item:
                text = part.decode()
                for place, value in cells.items():
                    kept = "<v></v>" if value is None else f"<v>{value}</v>"
                    text = re.sub(
                        rf'<c r="{place}"[^>]*>.*?</c>',
                        f'<c r="{place}"><f>SUM({value or 1},0)</f>{kept}</c>', text,
                    )  # fmt: skip
                part = text.encode()
            new.writestr(item, part)
    return out.getvalue()


def median_of(times: list[tuple[Fraction, bool]]) -> Fraction | None:
    """Give the product-limit median by hand: the middle of a stretch at exactly one half."""
    survival, half = Fraction(1), None
    for day in sorted({time for time, _ in times}):
        at_risk = sum(time >= day for time, _ in times)
        events = sum(event for time, event in times if time == day)
        if not events:
            continue
        survival *= 1 - Fraction(events, at_risk)
        if half is not None:
            return (half + day) / 2
        if survival < Fraction(1, 2):
            return day
        if survival == Fraction(1, 2):
            half = day
    return None if half is None else (half + max(time for time, _ in times)) / 2


def asks(proposal: Proposal, code: str, kind: QuestionKind) -> Question | None:
    return next((q for q in proposal.questions if q.endpoint == code and q.kind is kind), None)


def said_loosely(cell: Any) -> str:
    return str(text_of(cell)).strip().casefold()


def answered(written: Written, proposal: Proposal, names: dict[str, str], table: RawTable) -> Study:
    """Answer what is asked with the truth, as the Data page does."""
    study = proposal.study
    source = study.data.tables["subjects"]
    asked = {question.kind for question in proposal.questions}
    if source.missing_codes:  # a 99 was a time
        assert QuestionKind.MISSING_CODE in asked
        source = replace(source, missing_codes=())
    formats = dict(source.columns)
    for kind in ("start", "death", "contact"):
        if written.order and kind in names:
            known = formats.get(names[kind], ColumnFormat())
            formats[names[kind]] = replace(
                known,
                date_order=written.order,
                status=Status.CONFIRMED,  # type: ignore[arg-type]
            )
    if written.comma:
        for kind in {"time", "pfs"} & set(names):
            known = formats.get(names[kind], ColumnFormat())
            formats[names[kind]] = replace(known, decimal=",", status=Status.CONFIRMED)
    endpoints: dict[str, Endpoint] = {}
    yes = Status.CONFIRMED
    for time, status in OUTCOMES:
        if time not in names:
            continue
        found = next(
            (item for item in study.definitions.endpoints.values()
             if (item.time, item.event) == (names[time], names[status])),
            Endpoint(label=time, time=names[time], event=names[status]),
        )  # fmt: skip
        unit = TimeUnit(written.unit)
        options = {str(text_of(cell)) for cell in table.frame[names[status]]}
        event, none = (
            tuple(option for option in options if said_loosely(option) == said_loosely(code))
            for code in written.codes[status]
        )
        endpoints[time] = replace(
            found, unit=unit, display_unit=unit, events={"event": event}, censored=none,
            events_status=yes, unit_status=yes,
        )  # fmt: skip
    if "death" in names:
        found = next(
            (item for item in study.definitions.endpoints.values()
             if item.from_dates and item.event is None),
            Endpoint(
                label="OS", start=names["start"], event_dates={"death": names["death"]},
                last_contact=(names["contact"],),
            ),
        )  # fmt: skip
        endpoints["DATES"] = replace(
            found, display_unit=TimeUnit.DAYS, events_status=yes, unit_status=yes
        )
    return replace(
        study,
        data=replace(
            study.data,
            tables={
                **study.data.tables,
                "subjects": replace(
                    source, columns=formats, subject_id=names["id"], subject_id_status=yes
                ),
            },
        ),
        definitions=replace(study.definitions, endpoints=endpoints),
    )


def check_orders(written: Written, proposal: Proposal, names: dict[str, str]) -> None:
    """Each column of dates that can be read two ways is asked about."""
    asked = {
        name
        for question in proposal.questions
        if question.kind is QuestionKind.DATE_ORDER
        for name in question.columns
    }
    for kind in {"start", "death", "contact"} & set(names):
        days = [
            person.start if kind == "start" else person.end
            for person in written.people
            if kind == "start" or bool(person.event) is (kind == "death")
        ]
        told = any(day.day > 12 for day in days)
        if days and not told and any(day.day != day.month for day in days):
            assert names[kind] in asked, f"“{names[kind]}” can be read two ways"


def truth_of(person: Person, status: str) -> bool | None:
    if status in person.odd:
        return None
    return person.event if status == "status" else person.progressed


def check_guesses(written: Written, proposal: Proposal, names: dict[str, str]) -> None:
    """Nothing rests on a guess; what the file says in words is guessed right."""
    of_time = {names[time]: status for time, status in OUTCOMES if time in names}
    for code, endpoint in proposal.study.definitions.endpoints.items():
        assert not endpoint.is_confirmed
        question = asks(proposal, code, QuestionKind.EVENT_CODING)
        assert question is not None
        if endpoint.from_dates:
            continue
        assert asks(proposal, code, QuestionKind.TIME_UNIT)
        status = of_time[endpoint.time or ""]
        assert endpoint.event == names[status]
        if written.unit_said:
            assert endpoint.unit is TimeUnit(written.unit)
        events, none = written.codes[status]
        known = [truth_of(person, status) for person in written.people]
        counts = Counter[str]()
        for text, n in question.counts:
            counts[said_loosely(text)] += n
        odd = {
            said_loosely(person.odd[status]) for person in written.people if status in person.odd
        }
        if not written.twice:
            for value, happened in ((events, True), (none, False)):
                assert counts[said_loosely(value)] == known.count(happened)
        coding = written.coding if status == "status" else ""
        if {True, False} <= set(known) and not odd and coding not in AMBIGUOUS and endpoint.events:
            (guessed,) = endpoint.events.values()
            assert {said_loosely(value) for value in guessed} == {said_loosely(events)}
            assert {said_loosely(value) for value in endpoint.censored} == {said_loosely(none)}


def check_numbers(written: Written, cohort: Cohort, said: set[int]) -> None:
    """Counts, sum and median are exactly the truth of the patients who are not left out."""
    status_of = dict(OUTCOMES)
    for code in cohort.study.definitions.endpoints:
        data = survival_data(cohort, code)
        lost = {row for loss in data.losses for row in loss.rows}
        assert lost <= said
        truth = []
        for person in written.people:
            if code == "DATES":
                gone = "death" in person.odd
                # whose status is not known has a date of the last contact
                time, event = Fraction((person.end - person.start).days), person.event is True
            else:
                known = truth_of(person, status_of[code])
                value = None if code in person.odd else getattr(person, code)
                gone = value is None or known is None
                time, event = Fraction(str(value or 0)), known is True
            assert gone == (person.row in lost), f"row {person.row} of {code}"
            if not gone:
                truth.append((time, event))
        assert data.n == len(truth)
        assert int(data.event.sum()) == sum(event for _, event in truth)
        assert float(data.time.sum()) == pytest.approx(float(sum(time for time, _ in truth)))
        if truth:
            result = kaplan_meier(cohort, KaplanMeierSpec(code, landmarks=()))
            median, found = median_of(truth), result.overall.median.value
            assert (found is None) == (median is None)
            assert median is None or found == pytest.approx(float(median))


@given(outcomes())
def test_outcomes_are_right_when_the_questions_are_answered(written: Written) -> None:
    book = read_bytes(written.name, written.data)
    (table,) = [sheet for sheet in book.sheets if sheet.sheet in ("Patients", None)]
    columns = [str(name) for name in table.frame.columns]
    assert len(columns) == len(written.kinds)
    names = dict(zip(written.kinds, columns, strict=True))
    proposal = propose_study([book])
    check_guesses(written, proposal, names)
    if written.order:
        check_orders(written, proposal, names)
    study = answered(written, proposal, names, table)
    said: list[Finding] = [*book.findings]
    refusals: tuple[Finding, ...] = ()
    try:
        cohort = assemble(study, [book])
        said += [*check_cohort(cohort), *unanswered(proposal.findings, study)]
    except StudyError as error:
        refusals = error.findings
    if refusals:
        assert written.twice
        assert {item.code for item in refusals} <= REPEATED
        return
    rows = {row for finding in said for row in finding.rows}
    if written.twice:
        asked = {question.kind for question in proposal.questions}
        assert asked & {QuestionKind.ROWS, QuestionKind.SUBJECT_ID} or any(
            item.code in REPEATED for item in said
        )
        return
    assert list(cohort.source_ids.values()) == [person.id for person in written.people]
    if written.hidden_row:
        assert any(
            item.code is FindingCode.CELLS_HIDDEN and written.hidden_row in item.rows
            for item in said
        )
    if "time" in names:
        endpoint = study.definitions.endpoints["time"]
        assert sum(status_counts(cohort, endpoint).values()) == len(written.people)
    check_numbers(written, cohort, rows)
