"""Known outcomes in the ugly workbooks of four languages: right, asked or refused, never wrong."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.checks import check_cohort
from sts_core.cohort import Cohort
from sts_core.derive import status_counts, survival_data
from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import read_bytes
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
         "start": "Date of first dose", "death": "Date of death", "contact": "Last follow-up"},
        {"days": "days", "months": "months", "years": "years"},
        ("Dead", "Alive"), ("Yes", "No"), "Death", "Censor", "Alive", ("M", "F"),
        "Sarcoma registry", "Total", "Note: last follow-up in 2022", ("utf-8", "utf-16"),
    ),
    "zh": Language(
        {"id": "患者编号", "sex": "性别", "age": "年龄", "time": "总生存期", "status": "生存状态",
         "start": "首次用药日期", "death": "死亡日期", "contact": "末次随访日期"},
        {"days": "天", "months": "月", "years": "年"},
        ("死亡", "存活"), ("是", "否"), "死亡", "删失", "存活", ("男", "女"),
        "软组织肉瘤登记", "合计", "注：随访截至2022年", ("utf-8", "gb18030"),
    ),
    "de": Language(
        {"id": "Patientennummer", "sex": "Geschlecht", "age": "Alter", "time": "Gesamtüberleben",
         "status": "Vitalstatus", "start": "Therapiebeginn", "death": "Todesdatum",
         "contact": "Letzter Kontakt"},
        {"days": "Tage", "months": "Monate", "years": "Jahre"},
        ("verstorben", "lebt"), ("ja", "nein"), "Verstorben", "Censor", "Alive", ("m", "w"),
        "Sarkomregister", "Summe", "Anmerkung: letzte Nachsorge 2022", ("utf-8", "cp1252"),
    ),
    "fr": Language(
        {"id": "Numéro patient", "sex": "Sexe", "age": "Âge", "time": "Survie globale",
         "status": "Statut vital", "start": "Début de traitement", "death": "Date de décès",
         "contact": "Dernières nouvelles"},
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
    row: int = 0
    #: Whether a cell of the outcome was written as nobody can read it.
    lost: bool = False


@dataclass
class Written:
    """A file, and what is true of it."""

    data: bytes
    name: str
    language: Language
    people: list[Person]
    kinds: list[str]
    coding: str
    codes: tuple[Any, Any]
    unit: str
    unit_said: bool
    order: str
    hidden_row: int | None = None
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
                first + dt.timedelta(days=days),
            )
        )  # fmt: skip
    if rarely(3):
        draw(choose(people)).event = None
    if rarely(4):
        draw(choose(people)).time = None
    kinds = ["id", "sex", "age"]
    if from_dates != "times":
        kinds += ["start", "death", "contact"]
    if from_dates != "dates":
        kinds += ["time", "status"]
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
    if unit_said:
        names["time"] = spelling.format(names["time"], language.units[unit])
    header = [names[kind] for kind in kinds]

    def cell_of(person: Person, kind: str) -> Any:
        if kind == "id":
            return int(person.id) if ids in ("{}", "format") else person.id
        if kind == "sex":
            return language.sexes[person.sex]
        if kind == "age":
            return person.age
        if kind == "time":
            if person.time is None:
                return missing
            value = int(person.time) if unit == "days" else person.time
            return str(value).replace(".", ",") if comma and as_text else value
        if kind == "status":
            return missing if person.event is None else event if person.event else none
        if kind == "start":
            return date_as(person.start, form)
        if kind == "death":
            return date_as(person.end, form) if person.event else None
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
        b"", "", language, people, kinds, coding, (event, none), unit, unit_said,
        {"dotted": "dmy", "slashes": "dmy", "american": "mdy"}.get(form, ""),
    )  # fmt: skip
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
        grid.append(list(grid[draw(choose(people)).row - 1]))
        written.twice = True
    if rarely(3):
        total: list[Any] = [None] * len(kinds)
        total[0] = language.total
        total[kinds.index("age")] = sum(person.age for person in people)
        if "status" in kinds and rarely(2):
            total[kinds.index("status")] = sum(bool(person.event) for person in people)
        grid.append(total)
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
        encoding = draw(choose(language.encodings))
        written.data = text.replace("（", "(").replace("）", ")").encode(encoding)
        written.name = "ugly.csv"
        return written
    book = openpyxl.Workbook()
    sheet = book.active
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
    cached: dict[str, Any] = {}
    free = [person for number, person in enumerate(people)
            if not places & {number, number - 1} and person.time is not None]  # fmt: skip
    if "time" in kinds and free and rarely(3):
        column = kinds.index("time") + 1
        for person in free:
            cached[f"{get_column_letter(column)}{person.row}"] = cell_of(person, "time")
        if draw(yes):
            person = draw(choose(free))
            cached[f"{get_column_letter(column)}{person.row}"] = None
            person.lost = True
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
            if item == "xl/worksheets/sheet1.xml":
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


def answered(written: Written, proposal: Proposal, names: dict[str, str]) -> Study:
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
    event, none = (str(text_of(code)) for code in written.codes)
    endpoints: dict[str, Endpoint] = {}
    yes = Status.CONFIRMED
    if "time" in names:
        found = next(
            (item for item in study.definitions.endpoints.values()
             if (item.time, item.event) == (names["time"], names["status"])),
            Endpoint(label="OS", time=names["time"], event=names["status"]),
        )  # fmt: skip
        unit = TimeUnit(written.unit)
        endpoints["TIMES"] = replace(
            found, unit=unit, display_unit=unit, events={"death": (event,)}, censored=(none,),
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
                "subjects": replace(source, columns=formats, subject_id_status=yes),
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


def check_guesses(written: Written, proposal: Proposal, names: dict[str, str]) -> None:
    """Nothing rests on a guess; what the file says in words is guessed right."""
    event, none = written.codes
    counts = {
        str(text_of(code)): sum(person.event is happened for person in written.people)
        for code, happened in ((event, True), (none, False))
    }
    for code, endpoint in proposal.study.definitions.endpoints.items():
        assert not endpoint.is_confirmed
        question = asks(proposal, code, QuestionKind.EVENT_CODING)
        assert question is not None
        if endpoint.from_dates:
            continue
        assert asks(proposal, code, QuestionKind.TIME_UNIT)
        assert (endpoint.time, endpoint.event) == (names["time"], names["status"])
        if written.unit_said:
            assert endpoint.unit is TimeUnit(written.unit)
        if not written.twice:
            assert dict(question.counts) == {key: n for key, n in counts.items() if n}
        if all(counts.values()) and written.coding not in AMBIGUOUS:
            (events,) = endpoint.events.values()
            assert [str(text_of(value)) for value in events] == [str(event)]
            assert [str(text_of(value)) for value in endpoint.censored] == [str(none)]


def check_numbers(written: Written, cohort: Cohort, said: set[int]) -> None:
    """Counts, sum and median are exactly the truth of the patients who are not left out."""
    for code in cohort.study.definitions.endpoints:
        data = survival_data(cohort, code)
        lost = {row for loss in data.losses for row in loss.rows}
        truth = []
        for person in written.people:
            if code == "DATES":
                # whose status is not known has a date of the last contact
                truth.append((Fraction((person.end - person.start).days), bool(person.event)))
                continue
            gone = person.time is None or person.event is None or person.lost
            assert gone == (person.row in lost), f"row {person.row} of {code}"
            assert not person.lost or person.row in said
            if person.time is not None and person.event is not None and not gone:
                truth.append((Fraction(str(person.time)), person.event))
        if code == "DATES":
            assert not lost
        assert data.n == len(truth)
        assert int(data.event.sum()) == sum(event for _, event in truth)
        assert float(data.time.sum()) == pytest.approx(float(sum(time for time, _ in truth)))
        if truth:
            result = kaplan_meier(cohort, KaplanMeierSpec(code, landmarks=()))
            median, found = median_of(truth), result.overall.median.value
            assert (found is None) == (median is None)
            assert median is None or found == pytest.approx(float(median))


@settings(max_examples=settings().max_examples // 2)
@given(outcomes())
def test_outcomes_are_right_when_the_questions_are_answered(written: Written) -> None:
    book = read_bytes(written.name, written.data)
    table = book.sheets[0]
    columns = [str(name) for name in table.frame.columns]
    assert len(columns) == len(written.kinds)
    names = dict(zip(written.kinds, columns, strict=True))
    proposal = propose_study([book])
    check_guesses(written, proposal, names)
    if written.order:
        check_orders(written, proposal, names)
    study = answered(written, proposal, names)
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
        endpoint = study.definitions.endpoints["TIMES"]
        assert sum(status_counts(cohort, endpoint).values()) == len(written.people)
    check_numbers(written, cohort, rows)
