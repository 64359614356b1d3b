"""From a spreadsheet to curves, and from curves to files that other programs open."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from xml.etree import ElementTree

import openpyxl
import pptx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pptx.enum.shapes import MSO_SHAPE_TYPE

from tests.browser.serving import Server
from tests.browser.visit import (
    chart,
    choose,
    cohort_line,
    download,
    go,
    heading,
    open_tab,
    pill,
    settled,
    upload,
)

# Twenty-four patients, eight each; the longer the name the longer the survival.
TIMES = {
    "Leiomyosarcoma": (1, 2, 3, 4, 5, 6, 7, 8),
    "Alveolar soft part sarcoma": (6, 9, 12, 15, 18, 21, 24, 27),
    "Clear cell sarcoma": (5, 10, 15, 20, 25, 30, 35, 40),
}
ROWS = [
    (f"P{name}{n}", time, "Alive" if n % 4 == 3 else "Dead", name, ("yes", "no")[n % 2])
    for name, times in TIMES.items()
    for n, time in enumerate(times)
]
CSV = "patient,time (months),status,histotype,measurable\n" + "".join(
    ",".join(map(str, row)) + "\n" for row in ROWS
)


@pytest.fixture
def confirmed(server: Server, open_page: Callable[..., Page]) -> Page:
    """Give the app with the file uploaded and its endpoint confirmed."""
    page = open_page(server.url)
    heading(page, "Data")
    upload(page, ("cohort.csv", CSV))
    expect(cohort_line(page)).to_contain_text("24 of 24 patients analysed")
    open_tab(page, "Endpoints")
    confirm = page.get_by_role("button", name=re.compile("^Confirm "))
    expect(page.get_by_text("18 events, 6 censored")).to_be_visible()
    # The unit is read from the column's name; a person still has to say yes
    expect(page.get_by_role("radio", name="months").first).to_be_checked()
    settled(page)
    confirm.click()
    expect(confirm).to_have_count(0)
    settled(page)
    return page


@pytest.fixture
def by_histotype(confirmed: Page) -> Page:
    """Give the Survival page with curves by histotype."""
    go(confirmed, "Survival")
    choose(confirmed, "Compare by", "Histotype")
    expect(confirmed.get_by_text("df = 2").first).to_be_visible()
    return confirmed


def test_toggled_group_leaves_curves_risk_table_and_test(by_histotype: Page) -> None:
    page = by_histotype
    before = chart(page)
    assert before.curves == ["Alveolar soft part sarcoma", "Clear cell sarcoma", "Leiomyosarcoma"]
    assert before.drawn >= 3
    statistic = page.locator(".sts-table").first.inner_text()
    assert "over 2 of 3" not in statistic
    pill(page, "Clear cell sarcoma").click()
    expect(page.get_by_text("df = 1").first).to_be_visible()
    settled(page)
    after = chart(page)
    assert after.curves == ["Alveolar soft part sarcoma", "Leiomyosarcoma"]
    # The risk table is under the same axis: one row less, eight patients less at the start
    assert before.texts.count("8") - after.texts.count("8") >= 1
    assert "Clear cell sarcoma" in before.texts
    assert "Clear cell sarcoma" not in after.texts
    table = page.locator(".sts-table").first.inner_text()
    assert "over 2 of 3" in table
    assert re.search(r"χ² = [\d.]+, df = 1", table)
    expect(cohort_line(page)).to_contain_text("24 of 24 patients analysed")
    # Another page and back: the choice is there
    go(page, "Cohort")
    go(page, "Survival")
    expect(page.locator(".sts-table").first).to_contain_text("over 2 of 3")
    assert chart(page).curves == ["Alveolar soft part sarcoma", "Leiomyosarcoma"]
    pill(page, "Clear cell sarcoma").click()
    expect(page.get_by_text("df = 2").first).to_be_visible()
    assert page.locator(".sts-table").first.inner_text() == statistic


def test_switched_criterion_changes_the_cohort_line_and_the_curves(by_histotype: Page) -> None:
    page = by_histotype
    go(page, "Cohort")
    page.get_by_role("button", name="Add a criterion").click()
    choose(page, "Column", "Measurable")
    pill(page, "yes").click()
    preview = page.get_by_text("Measurable is Yes. Would remove")
    expect(preview).to_contain_text("Would remove 12 of 24; 12 stay. Analysed: 24 now, 12 then.")
    page.get_by_role("button", name="Add it").click()
    expect(cohort_line(page)).to_contain_text("12 of 24 patients analysed")
    expect(cohort_line(page)).to_contain_text("1 criterion in force")
    go(page, "Survival")
    expect(page.get_by_text("12 of 24 patients in the file analysed").first).to_be_visible()
    go(page, "Cohort")
    page.get_by_test_id("stCheckbox").first.locator("label").click()
    expect(cohort_line(page)).to_contain_text("24 of 24 patients analysed")
    expect(cohort_line(page)).to_contain_text("no criteria")
    page.get_by_role("button", name="Undo").click()
    expect(cohort_line(page)).to_contain_text("12 of 24 patients analysed")


def test_downloads_can_be_opened_and_hold_the_numbers(by_histotype: Page) -> None:
    page = by_histotype
    table = page.locator(".sts-table").first.inner_text()
    page.get_by_test_id("stPopoverButton").filter(has_text="Export").click()

    name, svg = download(page, "SVG, vector")
    assert name.endswith(".svg")
    tree = ElementTree.fromstring(svg)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}path"))) > 10
    assert b"http://" not in svg.replace(b"http://www.w3.org/", b"").replace(
        b"http://purl.org/", b""
    ).replace(b"http://creativecommons.org/", b"")

    name, png = download(page, "PNG, 300 dpi")
    assert name.endswith(".png")
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        assert [round(value) for value in picture.info["dpi"]] == [300, 300]
        assert picture.width > 1500
        extremes = picture.convert("L").getextrema()
    assert extremes[0] < 100 < 240 < extremes[1]

    name, pdf = download(page, "PDF, vector")
    assert name.endswith(".pdf")
    assert pdf.startswith(b"%PDF-")

    name, slide = download(page, "PowerPoint slide, editable")
    assert name.endswith(".pptx")
    presentation = pptx.Presentation(io.BytesIO(slide))
    (only,) = presentation.slides
    shapes = list(_shapes(only.shapes))
    assert len(shapes) > 20
    assert not [
        shape for shape in shapes if shape.shape_type is not None and shape.shape_type == 13
    ]
    names = [shape.name for shape in shapes]
    for group in TIMES:
        assert any(group in shape for shape in names), names
    words = " ".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)
    assert "8" in words
    assert "Alveolar soft part sarcoma" in words

    name, sheet = download(page, "Excel workbook of the numbers")
    assert name.endswith(".xlsx")
    book = openpyxl.load_workbook(io.BytesIO(sheet))
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    by_group = {row[0]: row for row in rows if row[0] in TIMES}
    assert set(by_group) == set(TIMES)
    for group, row in by_group.items():
        # Numbers are numbers: 8 patients, 6 events, and the median that the page shows
        assert row[1:3] == [8, 6]
        assert isinstance(row[3], int | float)
        assert f"{row[3]:.1f}" in table, group
    # By hand: 7/8, 6/8, 5/8, one censored, then 3/4 of 5/8, which is the first below a half
    assert by_group["Leiomyosarcoma"][3] == 5
    assert by_group["Alveolar soft part sarcoma"][3] == 18
    assert by_group["Clear cell sarcoma"][3] == 25


def _shapes(shapes):
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape


def test_choices_and_file_bring_everything_back_after_a_reload(by_histotype: Page) -> None:
    page = by_histotype
    pill(page, "Clear cell sarcoma").click()
    expect(page.locator(".sts-table").first).to_contain_text("over 2 of 3")
    table = page.locator(".sts-table").first.inner_text()
    go(page, "Data")
    name, choices = download(page, "Keep my choices")
    assert name == "study.yaml"
    assert b"confirmed" in choices, choices
    for row in ROWS:
        assert row[0].encode() not in choices
    page.reload()
    heading(page, "Data")
    expect(page.get_by_text("Upload a spreadsheet")).to_be_visible()
    upload(page, ("cohort.csv", CSV), (name, choices))
    expect(cohort_line(page)).to_contain_text("24 of 24 patients analysed")
    go(page, "Survival")
    expect(page.locator(".sts-table").first).to_contain_text("over 2 of 3")
    assert page.locator(".sts-table").first.inner_text() == table
    assert chart(page).curves == ["Alveolar soft part sarcoma", "Leiomyosarcoma"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_curves_stand_out_from_the_page_in_both_themes(
    scheme: str, server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url, color_scheme=scheme)
    heading(page, "Data")
    page.get_by_role("button", name="Sarcoma cohort, 51 patients").click()
    expect(cohort_line(page)).to_contain_text("51 of 51")
    go(page, "Survival")
    drawn = chart(page)
    background = _rgb(
        page.get_by_test_id("stApp").evaluate(
            "element => getComputedStyle(element).backgroundColor"
        )
    )
    assert (_luminance(background) < 0.1) == (scheme == "dark")
    assert len(set(drawn.colours)) >= 8
    for colour in drawn.colours:
        assert _contrast(_rgb(colour), background) >= 3, colour


def _rgb(colour: str) -> tuple[int, int, int]:
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    red, green, blue = re.findall(r"\d+", colour)[:3]
    return int(red), int(green), int(blue)


def _luminance(rgb: tuple[int, int, int]) -> float:
    parts = [value / 255 for value in rgb]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
