"""The figure in the page: changed in place, stretched, hovered, left and come back to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pages._server.chart_library import LIBRARY_PATH
from pages._ui.intake import SAMPLES, sample_workspace
from pages._ui.show import CHART_WIDTH
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.figures.marks import SmallMultiples, StepLine
from sts_core.figures.survival_curve import survival_curve
from sts_core.render.plotly import to_plotly
from tests.browser.serving import WAIT_MS, Server
from tests.browser.visit import chart, choose, go, heading, pill, settled
from tests.figures.cases import figures

ROOT = Path(__file__).resolve().parents[2]
_WIDTHS = """() => ["main-svg", "sts-chart"].map(
    (name) => document.querySelector("." + name).getBoundingClientRect().width)"""
# What a reader would see as flicker: the drawing gone, faded, or the page moved, in any frame
_WATCH = """() => {
    const chart = document.querySelector(".js-plotly-plot");
    chart.dataset.first = "yes";
    window.seen = { gone: 0, faded: 0, heights: new Set(), frames: 0, foreign: 0 };
    const look = () => {
        const now = document.querySelector(".js-plotly-plot");
        window.seen.frames++;
        if (!now || !now.querySelector(".scatterlayer path.js-line")) window.seen.gone++;
        if (now && now.dataset.first !== "yes") window.seen.foreign++;
        for (let up = now; up; up = up.parentElement)
            if (getComputedStyle(up).opacity < 1) window.seen.faded++;
        const holder = document.querySelector(".sts-chart");
        window.seen.heights.add(holder ? holder.getBoundingClientRect().height : 0);
        window.looking = requestAnimationFrame(look);
    };
    look();
}"""
_SEEN = """() => {
    cancelAnimationFrame(window.looking);
    return { ...window.seen, heights: [...window.seen.heights] };
}"""
# Where the program puts words and lines of a figure, and where plain Plotly has them
_BOTH = """async ([program, figure]) => {
    const [holder, plain] = [0, 1].map(() => document.createElement("div"));
    for (const place of [holder, plain]) {
        place.style.width = "1000px";
        document.body.append(place);
    }
    const address = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    const show = (await import(address)).default;
    const data = { ...figure, alt: "", dark: false, minWidth: 900, config: {}, script: "" };
    const remove = show({ data, parentElement: holder, setStateValue: () => {} });
    await Plotly.newPlot(plain, figure.data, figure.layout, {});
    while (!holder.querySelector(".main-svg")) await new Promise((done) => setTimeout(done, 20));
    const order = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1] || a[2] - b[2]);
    const places = (elements, name) => {
        const corner = elements.length && elements[0].closest(".sts-chart, .js-plotly-plot");
        const { left, top } = corner ? corner.getBoundingClientRect() : {};
        return [...elements].map((one) => {
            const box = one.getBoundingClientRect();
            return [name(one), Math.round(box.left - left), Math.round(box.top - top),
                    box.width, box.height];
        }).sort(order);
    };
    const words = (one) => one.textContent;
    const look = (one) => {
        const { stroke, strokeWidth, strokeDasharray } = getComputedStyle(one);
        return strokeWidth === "0px" ? "area" : `${stroke} ${strokeWidth} ${strokeDasharray}`;
    };
    const all = (place, kinds) => [...place.querySelectorAll(kinds)].filter((one) => one.textContent
        || one.tagName === "path");
    const texts = ".sts-written text, .annotation-text, .textpoint text";
    const found = [holder, plain].map((place) => ({
        words: places(all(place, texts), words),
        lines: places(all(place, ".sts-written path, .shapelayer path"), look),
    }));
    const left = holder.querySelector(".js-plotly-plot").layout;
    remove();
    Plotly.purge(plain);
    for (const place of [holder, plain]) place.remove();
    URL.revokeObjectURL(address);
    return [...found, left.annotations.length + left.shapes.length];
}"""


def _survival(page: Page) -> Page:
    heading(page, "Data")
    page.get_by_role("button", name=SAMPLES[0].label).click()
    expect(page.locator(".cohort-line")).to_contain_text("patients analysed")
    go(page, "Survival")
    choose(page, "Compare by", "Histotype")
    expect(page.locator(".sts-table").first).to_contain_text("df = ")
    assert len(chart(page).curves) > 2
    return page


@pytest.fixture
def survival(server: Server, open_page: Callable[..., Page]) -> Page:
    """Give the Survival page with the sample's curves by histotype."""
    return _survival(open_page(server.url))


@pytest.fixture
def without_library(server: Server, browser: Browser) -> Iterator[Page]:
    """Give the Survival page of a browser that does not get the library."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(WAIT_MS)
    context.route(f"**/{LIBRARY_PATH}", lambda route: route.abort())
    page = context.new_page()
    page.goto(server.url)
    heading(page, "Data")
    page.get_by_role("button", name=SAMPLES[0].label).click()
    expect(page.locator(".cohort-line")).to_contain_text("patients analysed")
    go(page, "Survival")
    yield page
    context.close()


def test_a_click_changes_the_drawing_in_place_without_a_flicker(survival: Page) -> None:
    before = chart(survival)
    survival.evaluate(_WATCH)
    pill(survival, before.curves[0]).click()
    expect(survival.locator(".sts-table").first).to_contain_text("over ")
    settled(survival)
    survival.wait_for_timeout(300)
    seen = survival.evaluate(_SEEN)
    assert chart(survival).curves == before.curves[1:]
    assert seen["frames"] > 3
    assert (seen["gone"], seen["faded"], seen["foreign"]) == (0, 0, 0)
    # the old height, and the new one: a group less is a row less
    assert len(seen["heights"]) <= 2
    assert min(seen["heights"]) > 300


def test_the_drawing_follows_the_width(survival: Page) -> None:
    for width in (1700, 1250, 1900):
        survival.set_viewport_size({"width": width, "height": 1000})
        survival.wait_for_function(f"({_WIDTHS})().every((w, i, all) => Math.abs(w - all[0]) < 2)")
        drawn, place = survival.evaluate(_WIDTHS)
        assert drawn == pytest.approx(place, abs=2)
        assert drawn > 800


def test_a_narrow_window_scrolls_the_drawing_and_not_the_page(survival: Page) -> None:
    survival.set_viewport_size({"width": 900, "height": 1000})
    survival.wait_for_function("document.querySelector('.main-svg').clientWidth <= 900")
    drawn, place = survival.evaluate(_WIDTHS)
    assert drawn > place
    holder = survival.locator(".sts-chart")
    assert holder.evaluate(
        "(e) => e.scrollWidth > e.clientWidth && e.scrollHeight <= e.clientHeight"
    )


def test_the_mouse_over_a_curve_tells_its_numbers(survival: Page) -> None:
    place = survival.evaluate(
        """() => {
            const lines = [...document.querySelectorAll(".scatterlayer path.js-line")];
            const seen = (line) => line.getBoundingClientRect().bottom < innerHeight;
            const line = lines.filter((line) => line.getTotalLength() > 50 && seen(line)).at(-1);
            const start = line.getPointAtLength(0).matrixTransform(line.getScreenCTM());
            return [start.x, start.y];
        }"""
    )
    survival.mouse.move(place[0] + 30, place[1] + 30)
    survival.mouse.move(place[0], place[1])
    tip = survival.locator(".hoverlayer .hovertext").first
    expect(tip).to_contain_text("at risk")
    # written in the chart's style, above the curves: Plotly's style sheet has arrived
    assert tip.locator("path").first.evaluate("(e) => getComputedStyle(e).fill") != "rgb(0, 0, 0)"


def test_every_point_tells_what_the_server_would_say(survival: Page) -> None:
    cohort = sample_workspace(SAMPLES[0]).cohort
    assert cohort is not None
    titles = chart(survival).texts
    endpoints = cohort.study.definitions.endpoints.items()
    (code,) = [code for code, endpoint in endpoints if f"{endpoint.label}, %" in titles]
    figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec(code, "histotype")))
    assert isinstance(figure.body, SmallMultiples)
    panels = [small.panel for small in figure.body.charts]
    lines = [mark for panel in panels for mark in panel.marks if isinstance(mark, StepLine)]
    said = {line.name: set(line.hover) for line in lines}
    found = survival.evaluate(
        """() => document.querySelector(".js-plotly-plot").data
            .filter((trace) => trace.mode === "lines" && trace.text)
            .map((trace) => [trace.name, trace.text, trace.x.length])"""
    )
    assert len(found) >= len(lines) > 2
    for name, texts, n_points in found:
        assert len(texts) == n_points
        assert {text.replace("<br>", "\n") for text in texts} <= said[name]
    for name, texts in said.items():
        shown = [text for other, told, _ in found if other == name for text in told]
        assert {text.replace("<br>", "\n") for text in shown} == texts


def test_the_mouse_on_a_censoring_tick_names_who_it_is(survival: Page) -> None:
    strokes = survival.locator(".sts-written path[d*='V']")
    expect(strokes).not_to_have_count(0)
    # the first tick of the first curve that has one, and where it stands on the screen
    place, who = survival.evaluate(
        """() => {
            const chart = document.querySelector(".js-plotly-plot");
            const trace = chart.data.find((trace) => trace.customdata);
            const axis = (name) => chart._fullLayout[`${name[0]}axis${name.slice(1)}`];
            const [xaxis, yaxis] = [axis(trace.xaxis), axis(trace.yaxis)];
            const box = chart.querySelector(`.${trace.xaxis}${trace.yaxis} .nsewdrag, ` +
                `.nsewdrag[data-subplot="${trace.xaxis}${trace.yaxis}"]`).getBoundingClientRect();
            return [[box.x + xaxis.l2p(trace.x[0]), box.y + yaxis.l2p(trace.y[0])],
                    trace.customdata[0][0]];
        }"""
    )
    survival.mouse.move(place[0] + 40, place[1] + 60)
    survival.mouse.move(place[0], place[1])
    tip = survival.locator(".hoverlayer .hovertext").first
    expect(tip).to_contain_text("Censored at")
    expect(tip).to_contain_text(who)
    # a stroke crosses the place
    assert strokes.evaluate_all(
        r"""(paths, [x, y]) => paths.some((path) => {
            const on = (...place) => new DOMPoint(...place).matrixTransform(path.getScreenCTM());
            return [...path.getAttribute("d").matchAll(/M([\d.]+),([\d.]+)V([\d.]+)/g)].some(
                ([, at, low, high]) => Math.abs(on(at, low).x - x) < 1 &&
                    on(at, low).y - y > 4 && y - on(at, high).y > 4);
        })""",
        place,
    )


def test_the_page_writes_words_and_lines_and_plotly_what_is_pointed_at(survival: Page) -> None:
    cohort = sample_workspace(SAMPLES[0]).cohort
    assert cohort is not None
    figure = survival_curve(kaplan_meier(cohort, KaplanMeierSpec("PFS", "histotype")))
    drawn = to_plotly(figure, width=CHART_WIDTH)
    texts = [trace["text"] for trace in drawn["data"] if trace["mode"] == "text"]
    n_texts = len(drawn["layout"]["annotations"]) + sum(map(len, texts))
    expect(survival.locator(".sts-written text")).to_have_count(n_texts)
    assert survival.evaluate(
        """() => {
            const { layout, data } = document.querySelector(".js-plotly-plot");
            return [layout.annotations.length, layout.shapes.length,
                data.filter((trace) => trace.mode === "text").length];
        }"""
    ) == [0, 0, 0]


def test_words_and_lines_stand_where_plotly_would_draw_them(survival: Page) -> None:
    program = (ROOT / "pages/_ui/chart.js").read_text("utf-8")
    for name, figure in figures().items():
        if name == "many patients":
            continue
        drawn = to_plotly(figure, width=1000)
        ours, theirs, left = survival.evaluate(_BOTH, [program, drawn])
        for kind in ("words", "lines"):
            assert len(ours[kind]) == len(theirs[kind]) > 3, name
            for (what, *place), (same, *other) in zip(ours[kind], theirs[kind], strict=True):
                assert what == same, name
                assert place == pytest.approx(other, abs=3), (name, what)
        # only the outlines of a flow diagram are left to Plotly
        assert (left > 0) == (name == "flow"), name


def test_the_drawing_is_an_image_with_words_for_those_who_can_not_see_it(survival: Page) -> None:
    expect(survival.get_by_role("img", name=re.compile("^Kaplan-Meier curves of "))).to_be_visible()


def test_the_drawing_is_cleared_away_and_comes_back(survival: Page) -> None:
    names = chart(survival).curves
    gone = survival.locator(".js-plotly-plot").element_handle()
    go(survival, "Cohort")
    expect(survival.locator(".js-plotly-plot")).to_have_count(0)
    # purged, not only taken out of the page
    assert gone.evaluate("(e) => e.isConnected || Boolean(e._fullLayout)") is False
    go(survival, "Survival")
    assert chart(survival).curves == names


def test_dark_and_light_are_followed(survival: Page) -> None:
    light = chart(survival).colours
    survival.emulate_media(color_scheme="dark")
    survival.wait_for_function(
        "(old) => document.querySelector('.js-plotly-plot').data"
        ".filter((t) => t.mode === 'lines' && t.text)[0].line.color !== old",
        arg=light[0],
    )
    assert len(chart(survival).colours) == len(light)
    survival.emulate_media(color_scheme="light")
    survival.wait_for_function(
        "(old) => document.querySelector('.js-plotly-plot').data"
        ".filter((t) => t.mode === 'lines' && t.text)[0].line.color === old",
        arg=light[0],
    )


def test_the_library_is_asked_for_once(server: Server, open_page: Callable[..., Page]) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.page_url("pages/cohort.py"))
    heading(page, "Cohort")
    go(page, "Data")
    _survival(page)
    go(page, "Cohort")
    go(page, "Survival")
    chart(page)
    assert [url for url in asked if url.endswith("/plotly.min.js")] == [
        f"{server.url}/{LIBRARY_PATH}"
    ]


def test_without_the_library_the_page_says_so(without_library: Page) -> None:
    expect(without_library.get_by_text("This figure could not be drawn.")).to_be_visible()
    expect(without_library.locator(".sts-table").first).to_be_visible()
    # it comes with the next change, when it can be had again
    without_library.context.unroute(f"**/{LIBRARY_PATH}")
    choose(without_library, "Compare by", "All patients together")
    assert chart(without_library).curves == ["All patients"]
    expect(without_library.get_by_text("This figure could not be drawn.")).to_have_count(0)
