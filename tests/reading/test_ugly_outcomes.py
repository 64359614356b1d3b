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
    mean: str
    note: str
    encodings: tuple[str, ...]


LANGUAGES = {
    "en": Language(
        {"id": "Patient ID", "sex": "Sex", "age": "Age", "time": "OS", "status": "OS status",
         "start": "Date of first dose", "death": "Date of death", "contact": "Last follow-up",
         "pfs": "PFS", "progressed": "PFS status"},
        {"days": "days", "months": "months", "years": "years"},
        ("Dead", "Alive"), ("Yes", "No"), "Death", "Censor", "Alive", ("M", "F"),
        "Sarcoma registry", "Total", "Mean", "Note: last follow-up in 2022", ("utf-8", "utf-16"),
    ),
    "zh": Language(
        {"id": "患者编号", "sex": "性别", "age": "年龄", "time": "总生存期", "status": "生存状态",
         "start": "首次用药日期", "death": "死亡日期", "contact": "末次随访日期",
         "pfs": "无进展生存期", "progressed": "进展"},
        {"days": "天", "months": "月", "years": "年"},
        ("死亡", "存活"), ("是", "否"), "死亡", "删失", "存活", ("男", "女"),
        "软组织肉瘤登记", "合计", "平均", "注：随访截至2022年", ("utf-8", "gb18030"),
    ),
    "de": Language(
        {"id": "Patientennummer", "sex": "Geschlecht", "age": "Alter", "time": "Gesamtüberleben",
         "status": "Vitalstatus", "start": "Therapiebeginn", "death": "Todesdatum",
         "contact": "Letzter Kontakt", "pfs": "Progressionsfreies Überleben",
         "progressed": "Progress"},
        {"days": "Tage", "months": "Monate", "years": "Jahre"},
        ("verstorben", "lebt"), ("ja", "nein"), "Verstorben", "Censor", "Alive", ("m", "w"),
        "Sarkomregister", "Summe", "Mittelwert", "Anmerkung: letzte Nachsorge 2022",
        ("utf-8", "cp1252"),
    ),
    "fr": Language(
        {"id": "Numéro patient", "sex": "Sexe", "age": "Âge", "time": "Survie globale",
         "status": "Statut vital", "start": "Début de traitement", "death": "Date de décès",
         "contact": "Dernières nouvelles", "pfs": "Survie sans progression",
         "progressed": "Progression"},
        {"days": "jours", "months": "mois", "years": "années"},
        ("décédé", "vivant"), ("oui", "non"), "Décès", "Censure", "Vivant", ("H", "F"),
        "Registre des sarcomes", "Total", "Moyenne", "Note : suivi jusqu'en 2022",
        ("utf-8", "cp1252"),
    ),
}  # fmt: skip
CODINGS = (
    "words", "yes_no", "0/1", "0/1 turned round", "1/2", "CNSR", "Censor in words",
    "Censor, 1 = event", "Censor, 1 = censored", "alive", "legend", "legend turned round",
)  # fmt: skip
#: Under these headers both ways are in use, and only a person can tell.
AMBIGUOUS = {"0/1 turned round", "Censor, 1 = event", "Censor, 1 = censored"}
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
    people: list[Person]
    kinds: list[str]
    coding: str
    codes: dict[str, tuple[Any, Any]]
    unit: str
    unit_said: bool
    order: str
    comma: bool
    twice: bool
    unnamed_total: bool
    hidden_row: int | None


def coded(language: Language, coding: str) -> tuple[str, Any, Any]:
    """Give the header of the status, the value of an event, and that of none."""
    status = language.columns["status"]
    dead, alive = language.words
    yes, no = language.yes_no
    return {
        "words": (status, dead, alive),
        "yes_no": (language.died, yes, no),
        "0/1": (status, 1, 0),
        "0/1 turned round": (status, 0, 1),
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


class Drawn:
    """A table as somebody fills it in, drawn step by step."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.language = LANGUAGES[self.one_of(sorted(LANGUAGES))]
        self.coding = self.one_of(CODINGS)
        self.unit = self.one_of(["months", "days", "years"])
        self.ids = self.one_of(["P{:03d}", "{:03d}", "{}", "format"])
        self.as_text = self.yes() and self.ids != "format"
        forms = [form for form in FORMS if not self.as_text or form not in ("date", "serial")]
        self.form, self.other_form = self.one_of(forms), self.one_of(["iso", "named"])
        self.missing = self.one_of(MISSING)
        self.alive_says = self.one_of([None, None, "-", "n/a", "none"])
        self.spelling = self.one_of([str, str, str.upper, str.title, "{} ".format])
        self.number = self.one_of([int, int, str, float])
        self.comma = self.yes() and (self.as_text or self.rarely(3))
        header, event, none = coded(self.language, self.coding)
        self.codes = {
            "status": (event, none),
            "progressed": self.one_of([(1, 0), (2, 1), self.language.yes_no]),
        }
        self.unit_said = self.yes()
        self.names = {**self.language.columns, "status": header}
        if self.unit_said:
            written = self.one_of(["{} ({})", "{}_{}", "{} [{}]", "{}（{}）", "{}, {}"])
            for kind in ("time", "pfs"):
                self.names[kind] = written.format(self.names[kind], self.language.units[self.unit])
        self.kinds = self._kinds()
        self.people = self._people()
        self.spans: list[tuple[int, int, int, int]] = []
        self.twice = self.unnamed_total = False

    def one_of(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def yes(self) -> bool:
        return bool(self.draw(st.booleans()))

    def rarely(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def whole(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def _kinds(self) -> list[str]:
        has = self.one_of(["times", "times", "dates", "both"])
        kinds = ["sex", "age"]
        if has != "times":
            kinds += ["start", "death", "contact"]
        if has != "dates":
            kinds += ["time", "status"]
            if self.rarely(2):
                kinds += ["pfs", "progressed"]
        return ["id", *self.draw(st.permutations(kinds))]

    def _people(self) -> list[Person]:
        low, high, scale = {
            "days": (20, 2500, 1), "months": (5, 990, 10), "years": (5, 120, 10)
        }[self.unit]  # fmt: skip
        name = "{}" if self.ids == "format" else self.ids
        people = []
        for number in range(1, self.whole(5, 10) + 1):
            start = dt.date(2012, 1, 1) + dt.timedelta(days=self.whole(0, 1500))
            people.append(
                Person(
                    id=name.format(number),
                    sex=self.whole(0, 1),
                    age=self.whole(18, 88),
                    time=self.whole(low, high) / scale,
                    event=self.yes(),
                    start=start,
                    end=start + dt.timedelta(days=self.whole(20, 2500)),
                    pfs=self.whole(low // 2, low * 4) / scale,
                    progressed=self.yes(),
                )
            )
        if self.rarely(3):
            self.one_of(people).event = None
        if self.rarely(4):
            self.one_of(people).time = None
        if self.rarely(4):
            self.one_of(people).odd["time"] = self.one_of(
                ["12 months", ">24", "24+", "lost", "3-4", -1]
            )
        if self.rarely(4) and "1" in self.coding:
            self.one_of(people).odd["status"] = self.one_of([9, "?", "lost"])
        if self.rarely(4):
            person = self.one_of(people)
            person.event = True
            person.odd["death"] = self.one_of(["2019-05", "2019", "unknown", "31.2.2019", "?"])
        if self.rarely(6):
            self.one_of(people).odd["start"] = self.one_of([None, "unknown", "?"])
        return people

    def merge_equal(self) -> set[int]:
        """Merge a cell over two patients who are the same there; give the first's number."""
        if self.as_text or not self.rarely(3):
            return set()
        kind = self.one_of(
            [kind for kind in self.kinds if kind in ("sex", "time", "status", "age")]
        )
        at = self.whole(0, len(self.people) - 2)
        first, second = self.people[at : at + 2]
        if kind in {*first.odd, *second.odd}:
            return set()
        name = "event" if kind == "status" else kind
        if not {"death", "start"} & {*first.odd, *second.odd}:
            setattr(second, name, getattr(first, name))
            column = self.kinds.index(kind)
            self.spans.append((at, column, at + 1, column))
            return {at}
        return set()

    def cell(self, person: Person, kind: str) -> Any:
        if kind in person.odd:
            return person.odd[kind]
        if kind == "id":
            return int(person.id) if self.ids in ("{}", "format") else person.id
        if kind == "sex":
            return self.language.sexes[person.sex]
        if kind == "age":
            return person.age
        if kind in ("time", "pfs"):
            time = person.time if kind == "time" else person.pfs
            if time is None:
                return self.missing
            value = int(time) if self.unit == "days" else time
            return str(value).replace(".", ",") if self.comma else value
        if kind in ("status", "progressed"):
            known = person.event if kind == "status" else person.progressed
            if known is None:
                return self.missing
            code = self.codes[kind][0 if known else 1]
            if isinstance(code, int):
                return self.number(code) if not self.as_text else code
            return self.spelling(code) if person.age % 2 else code
        form = self.other_form if person.age % 7 == 0 else self.form
        if kind == "start":
            return date_as(person.start, form)
        if kind == "death":
            return date_as(person.end, form) if person.event else self.alive_says
        return None if person.event else date_as(person.end, form)

    def grid(self) -> list[list[Any]]:
        """Write the rows, and remember in which each patient stands."""
        grid: list[list[Any]] = []
        if self.rarely(3):
            grid.append([self.language.title])
        if self.rarely(4):
            grid.append([])
        together = self.merge_equal()
        merged = list(self.spans)
        self.spans.clear()
        if not self.as_text and self.rarely(4):
            self.spans.append((len(grid), 1, len(grid), len(self.kinds) - 1))
            grid.append([None, "Outcome"])
        header = [self.names[kind] for kind in self.kinds]
        grid.append(header)
        if not self.unit_said and {"time", "age"} <= set(self.kinds) and self.rarely(3):
            units = {"age": self.language.units["years"]}
            units |= dict.fromkeys(("time", "pfs"), self.language.units[self.unit])
            grid.append([units.get(kind) for kind in self.kinds])
            self.unit_said = True
        for number, person in enumerate(self.people):
            if number and number - 1 not in together and self.rarely(10):
                grid.append(self.one_of([[], header]))
            person.row = len(grid)
            grid.append([self.cell(person, kind) for kind in self.kinds])
        rows = [person.row for person in self.people]
        self.spans += [
            (rows[top], left, rows[bottom], right) for top, left, bottom, right in merged
        ]
        self._enter_twice(grid)
        self._write_below(grid)
        return grid

    def _enter_twice(self, grid: list[list[Any]]) -> None:
        if self.rarely(8):
            again = list(grid[self.one_of(self.people).row])
            again[self.kinds.index("age")] += self.whole(0, 1)
            grid.append(again)
            self.twice = True
        if not self.as_text and self.rarely(8):
            at = self.whole(0, len(self.people) - 2)
            first, second = (person.row for person in self.people[at : at + 2])
            if second == first + 1:
                self.spans.append((first, 0, second, 0))
                self.twice = True

    def _write_below(self, grid: list[list[Any]]) -> None:
        kinds = self.kinds
        if self.rarely(3):
            total: list[Any] = [None] * len(kinds)
            total[self.whole(0, 1)] = self.language.total
            total[kinds.index("age")] = sum(person.age for person in self.people)
            if "status" in kinds and self.rarely(2):
                total[kinds.index("status")] = sum(bool(item.event) for item in self.people)
            self.unnamed_total = self.language.total not in total
            grid.append(total)
        if "time" in kinds and self.rarely(4):
            grid.append([None] * len(kinds))
            grid[-1][0] = self.one_of(["Median", "Mean", self.language.mean])
            grid[-1][kinds.index("time")] = 23.4
        if self.rarely(3):
            grid += [[], [self.language.note]]

    def text(self, grid: list[list[Any]]) -> bytes:
        mark = self.one_of([";", "\t"] if self.comma else [";", "\t", ","])
        text = "\r\n".join(
            mark.join(
                f'"{cell}"' if mark in str(cell) else "" if cell is None else str(cell)
                for cell in row
            )
            for row in grid
        )
        encodings = self.language.encodings if self.form != "chinese" else ("utf-8",)
        return text.replace("（", "(").replace("）", ")").encode(self.one_of(encodings))

    def workbook(self, grid: list[list[Any]]) -> tuple[bytes, int, Person | None]:
        """Give the file, the number of rows above the grid, and a patient whose row is hidden."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Patients"
        below, right = self.one_of([0, 0, 2]), self.one_of([0, 0, 1])
        for row, line in enumerate(grid, start=1 + below):
            for column, value in enumerate(line, start=1 + right):
                if value is not None:
                    cell = sheet.cell(row, column, value)
                    if self.ids == "format" and column == 1 + right and isinstance(value, int):
                        cell.number_format = "000"
        for top, left, bottom, last in self.spans:
            sheet.merge_cells(
                start_row=top + 1 + below, end_row=bottom + 1 + below,
                start_column=left + 1 + right, end_column=last + 1 + right,
            )  # fmt: skip
        hidden = self.one_of(self.people) if self.rarely(4) else None
        if hidden is not None:
            sheet.row_dimensions[hidden.row + 1 + below].hidden = True
        if self.rarely(4):
            letter = get_column_letter(self.whole(2, len(self.kinds)) + right)
            sheet.column_dimensions[letter].hidden = True
        if self.rarely(4):
            self._add_old_copy(book, grid)
        if self.rarely(6):
            codes = book.create_sheet("Codes")
            dead, alive = self.language.words
            for line in (["Code", "Meaning"], [0, alive], [1, dead]):
                codes.append(line)
        formulas = self._formulas(1 + below, 1 + right)
        out = io.BytesIO()
        book.save(out)
        return with_formulas(out.getvalue(), formulas), below, hidden

    def _add_old_copy(self, book: openpyxl.Workbook, grid: list[list[Any]]) -> None:
        """Add a hidden sheet of an earlier day: fewer patients, and all of them younger."""
        old = book.create_sheet("old")
        old.sheet_state = "hidden"
        old.append([self.names[kind] for kind in self.kinds])
        for person in self.people[:-1]:
            row = [self.cell(person, kind) for kind in self.kinds]
            row[self.kinds.index("age")] -= 1
            old.append(row)
        if self.yes():
            book.move_sheet("old", -1)

    def _formulas(self, down: int, right: int) -> dict[str, Any]:
        """Give the cells of times that are formulas, one perhaps never calculated."""
        merged = {row for top, _, bottom, _ in self.spans for row in (top, bottom)}
        free = [
            person
            for person in self.people
            if person.time is not None and "time" not in person.odd and person.row not in merged
        ]
        if "time" not in self.kinds or self.comma or not free or not self.rarely(3):
            return {}
        letter = get_column_letter(self.kinds.index("time") + right)
        cells = {f"{letter}{person.row + down}": self.cell(person, "time") for person in free}
        if self.yes():
            person = self.one_of(free)
            cells[f"{letter}{person.row + down}"] = None
            person.odd["time"] = None
        return cells


@st.composite
def outcomes(draw: Any) -> Written:
    drawn = Drawn(draw)
    grid = drawn.grid()
    below, hidden = 0, None
    if drawn.as_text:
        data = drawn.text(grid)
    else:
        data, below, hidden = drawn.workbook(grid)
    for person in drawn.people:
        person.row += 1 + below
    order = {"dotted": "dmy", "slashes": "dmy", "american": "mdy"}.get(drawn.form, "")
    return Written(
        data, "ugly.csv" if drawn.as_text else "ugly.xlsx", drawn.people, drawn.kinds,
        drawn.coding, drawn.codes, drawn.unit, drawn.unit_said, order, drawn.comma, drawn.twice,
        drawn.unnamed_total,        hidden.row if hidden else None,
    )  # fmt: skip


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
    """Give a value without its case, blanks and the ".0" of a number."""
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
            if (kind == "start" or bool(person.event) is (kind == "death"))
            and person.age % 7  # the others' dates are in a spelling that can be read one way
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
        status = of_time.get(endpoint.time or "")
        if status is None:  # a status of zeros alone may be a time: nothing is guessed about it
            assert (endpoint.unit, endpoint.events) == (None, {})
            continue
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
        if not written.twice and not written.unnamed_total:
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
                gone = bool({"death", "start"} & set(person.odd))
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
