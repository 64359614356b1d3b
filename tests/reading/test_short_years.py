"""Years of two digits: recognised as dates, asked, never assumed; then read in full."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from sts_core.checks import check_cohort
from sts_core.derive import survival_data
from sts_core.findings import Finding, FindingCode, StudyError
from sts_core.reading import Workbook, read_bytes
from sts_core.reading.assembly import assemble
from sts_core.reading.privacy import AGE_COLUMN
from sts_core.reading.recognise import propose_study
from sts_core.reading.short_years import short_year_columns, ways_to_read
from sts_core.study import ColumnFormat, Status, Study, TableSource, dump_study, load_study
from sts_core.values import date_of_short_year
from tests.confirming import confirmed

TODAY = dt.date(2026, 11, 28)
CSV = """ID;Geburtsdatum;Geschlecht;Therapiebeginn;Progressdatum;Sterbedatum;Letzter Kontakt
P1;03.05.61;m;15.03.18;20.09.18;01.02.19;01.02.19
P2;14.11.98;w;15.04.19;;;30.06.21
P3;23.01.35;m;25.01.18;20.03.18;08.08.18;08.08.18
P4;30.08.05;w;15.06.20;20.01.21;;30.06.21
P5;12.12.24;m;28.03.19;29.09.19;30.02.20;01.02.20
P6;03.05.77;m;15.08.18;;01.03.21;01.03.21
"""
DATES = ("Geburtsdatum", "Therapiebeginn", "Progressdatum", "Sterbedatum", "Letzter Kontakt")


def book_of(text: str) -> Workbook:
    return read_bytes("a.csv", text.encode())


def open_columns(found: tuple[Finding, ...]) -> list[str]:
    return [item.message for item in found if item.code is FindingCode.DATE_CENTURY_OPEN]


def said(study: Study, book: Workbook, columns: tuple[str, ...] = DATES) -> Study:
    """Confirm the first way of each column."""
    source = study.data.tables["subjects"]
    ways = ways_to_read(book.sheets[0], source, columns, TODAY)
    formats = {
        name: ColumnFormat(way.order, last_year=way.last_year, status=Status.CONFIRMED)
        for name, (way, *_) in ways.items()
    }
    source = replace(source, columns={**source.columns, **formats})
    tables = {**study.data.tables, "subjects": source}
    return replace(study, data=replace(study.data, tables=tables))


def test_they_are_recognised_and_not_read_before_somebody_says_what_they_mean() -> None:
    book = book_of(CSV)
    proposal = propose_study([book])
    assert set(proposal.study.definitions.endpoints) == {"OS", "PFS"}
    assert short_year_columns(book.sheets[0]) == DATES
    cohort = assemble(confirmed(proposal.study), [book])
    for name in DATES:
        assert cohort.study.data.tables["subjects"].columns[name].confirmed_last_year is None
    assert np.isnan(survival_data(cohort, "OS").time).all() or not len(survival_data(cohort, "OS"))
    found = check_cohort(cohort)
    (message,) = open_columns(found)
    assert all(f"“{name}”" in message for name in DATES)
    assert not any(item.code is FindingCode.DATE_UNREADABLE for item in found), "said once"


def test_said_once_they_are_read_as_if_written_in_full() -> None:
    book = book_of(CSV)
    study = said(confirmed(propose_study([book]).study), book)
    assert load_study(dump_study(study)) == study
    full = CSV
    for short, whole in (
        [(f".{year};", f".20{year};") for year in (18, 19, 20, 21)]
        + [(f".{year}\n", f".20{year}\n") for year in (18, 19, 20, 21)]
        + [(f".{year};", f".19{year};") for year in (61, 98, 35, 24, 77)]
        + [(".05;", ".2005;")]
    ):
        full = full.replace(short, whole)
    other = book_of(full)
    cohort, reference = (
        assemble(study, [book]),
        assemble(confirmed(propose_study([other]).study), [other]),
    )
    assert not open_columns(check_cohort(cohort))
    for code in ("OS", "PFS"):
        first, second = survival_data(cohort, code), survival_data(reference, code)
        assert len(first.time) >= 5
        np.testing.assert_array_equal(first.time, second.time)
        np.testing.assert_array_equal(first.kind, second.kind)
    ages = cohort.tables["subjects"].frame[AGE_COLUMN].tolist()
    assert ages == [56, 20, 83, 14, 94, 41]
    found = check_cohort(cohort)
    impossible = [item for item in found if item.code is FindingCode.DATE_UNREADABLE]
    assert impossible, "the 30 February stays one"


def test_the_ways_say_what_comes_out() -> None:
    book = book_of(CSV)
    source = propose_study([book]).study.data.tables["subjects"]
    ways = ways_to_read(book.sheets[0], source, DATES, TODAY)
    births = ways["Geburtsdatum"]
    assert [(way.order, way.years, way.age_low, way.age_high, way.n_unborn) for way in births] == [
        ("dmy", "years up to 05 in the 2000s, years from 24 in the 1900s", 14, 94, 0),
        ("dmy", "all years in the 1900s", 20, 114, 0),
        ("dmy", "years up to 24 in the 2000s, years from 35 in the 1900s", 14, 83, 1),
        ("dmy", "all years in the 2000s", 14, 14, 5),
    ]
    first = {name: found[0] for name, found in ways.items()}
    assert {way.order for way in first.values()} == {"dmy"}, "as all other columns of the table"
    assert first["Sterbedatum"].n_unreadable == 1
    assert (first["Letzter Kontakt"].first, first["Letzter Kontakt"].last) == (
        dt.date(2018, 8, 8), dt.date(2021, 6, 30),
    )  # fmt: skip
    contact = ways["Letzter Kontakt"]
    assert any(way.last.year < 2000 for way in contact), "another century can be chosen"


@pytest.mark.parametrize(
    ("cells", "order", "first"),
    [
        (("3/25/98", "12/1/99", "1/31/00"), "mdy", dt.date(1998, 3, 25)),
        (("98-12-31", "99-01-30", "00-05-28"), "ymd", dt.date(1998, 12, 31)),
        (("03-May-21", "17-Jun-19", "1-Jan-20"), "dmy", dt.date(2019, 6, 17)),
        (("21年5月3日", "19年6月17日", "20年1月31日"), "ymd", dt.date(2019, 6, 17)),
    ],
)
def test_other_orders(cells: tuple[str, ...], order: str, first: dt.date) -> None:
    rows = "".join(f"P{n};{cell}\n" for n, cell in enumerate(cells * 2))
    raw = book_of(f"ID;First dose\n{rows}").sheets[0]
    ways = ways_to_read(raw, TableSource(), ["First dose"], TODAY)["First dose"]
    assert (ways[0].order, ways[0].first) == (order, first)


def test_ids_and_a_few_short_years_are_no_such_column() -> None:
    book = book_of("Patient ID,x\n01-02-21,1\n01-03-21,2\n02-04-20,3\n")
    assert propose_study([book]).study.data.tables["subjects"].subject_id == "Patient ID"
    few = "".join(f"P{n},0{n}.05.2021\n" for n in range(1, 9))
    assert short_year_columns(book_of(f"id,seen\n{few}P9,03.05.21\n").sheets[0]) == ()


def test_a_rule_without_an_order_is_refused() -> None:
    with pytest.raises(ValueError, match="date_order must be stated"):
        ColumnFormat(last_year=2026)
    text = dump_study(propose_study([book_of(CSV)]).study)
    text = text.replace("last_year: 2026", "last_year: 26")
    with pytest.raises(StudyError):
        load_study(text)


def test_a_year_in_full_is_left_alone() -> None:
    assert date_of_short_year("03.05.2021", "dmy", 2026) is None
    assert date_of_short_year("29.02.00", "dmy", 1999) is None, "1900 was no leap year"
    assert date_of_short_year("29.02.00", "dmy", 2026) == dt.date(2000, 2, 29)
    assert date_of_short_year("26.1.27", "dmy", 2026) == dt.date(1927, 1, 26)
