"""The tab for competing risks: kinds set in the browser, the numbers of the core, one kind."""

from __future__ import annotations

import numpy as np

from sts_core.analysis.competing_risks import (
    CompetingRisksSpec,
    competing_risks,
    incidence_table,
    ratio_table,
)
from tests.pages.driver import (
    SURVIVAL,
    charts,
    checked,
    click,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    with_sample,
    with_tiny,
)


def three_level_file() -> str:
    """Make a file with the status 0, 1, 2 and no dates, as registries give it."""
    rng = np.random.default_rng(5)
    rows = [
        f"{i},{t},{s},{arm},{age}"
        for i, (t, s, arm, age) in enumerate(
            zip(
                np.ceil(rng.exponential(20, 60)).astype(int),
                rng.integers(0, 3, 60),
                rng.choice(["A", "B"], 60),
                rng.integers(40, 80, 60),
                strict=True,
            )
        )
    ]
    return "id,time (months),status,arm,age\n" + "\n".join(rows) + "\n"


def opened(at):
    """Open the tab."""
    at.session_state["survival.tab"] = "Competing risks"
    return go(at, SURVIVAL)


def tables(at) -> list[str]:
    return [part.value for part in at.markdown if 'class="sts-table"' in part.value]


def test_a_status_with_two_events_is_set_up_and_analysed() -> None:
    at = drop(start(), {"three.csv": three_level_file()})
    (code,) = study_of(at).definitions.endpoints
    at.segmented_control(key=f"w:endpoint.unit.{code}").set_value("months")
    checked(at.pills(key=f"w:endpoint.events.{code}").set_value(["1", "2"]).run())
    checked(at.toggle(key=f"w:endpoint.kinds.{code}").set_value(True).run())
    at.text_input(key=f"w:endpoint.kind.{code}.1").set_value("relapse")
    checked(at.text_input(key=f"w:endpoint.kind.{code}.2").set_value("death <b>").run())
    click(at, f"endpoint.confirm.{code}")
    assert study_of(at).definitions.endpoints[code].events == {
        "relapse": ("1",), "death <b>": ("2",),
    }  # fmt: skip
    # taken together again, no event is counted under the name of the other kind
    checked(at.toggle(key=f"w:endpoint.kinds.{code}").set_value(False).run())
    assert study_of(at).definitions.endpoints[code].events == {
        "relapse or death": ("1", "2"),
    }  # fmt: skip
    click(at, "undo")
    assert len(study_of(at).definitions.endpoints[code].events) == 2

    opened(at)
    checked(at.selectbox(key="w:km.by").set_value("arm").run())
    checked(at.multiselect(key="w:cr.covariates").set_value(["age"]).run())
    cohort = at.session_state["workspace"].cohort
    spec = CompetingRisksSpec(code, "relapse", by="arm", levels=("A", "B"), covariates=("age",))
    result = competing_risks(cohort, spec)
    text = shown(at)
    for row in (*incidence_table(result).formatted(), *ratio_table(result).formatted()):
        assert " ".join(" ".join(row).split()) in text
    assert "Gray's test of relapse, two-sided: χ² = " in text
    assert "death <b>" in text
    assert not any("<b>" in table for table in tables(at))
    names = [trace.get("name") for trace in charts(at)[0]["data"] if trace.get("mode") == "lines"]
    assert {"A", "B"} <= set(names)

    checked(at.segmented_control(key=f"w:cr.kind.{code}").set_value("death <b>").run())
    assert "Gray's test of death <b>" in shown(at).split("Gray's test of relapse")[0]
    checked(at.toggle(key="w:cr.stacked").set_value(True).run())
    checked(at.toggle(key="w:cr.figure.preview").set_value(True).run())
    with_notes = at.get("image")[0].proto.imgs[0].url
    checked(at.toggle(key="w:cr.figure.notes").set_value(False).run())
    assert at.get("image")[0].proto.imgs[0].url != with_notes
    click(at, "basket.competing_risks")
    (item,) = study_of(at).report.items
    assert (item["event_kind"], item["stacked"], item["by"]) == ("death <b>", True, "arm")

    restored = drop(start(), {"three.csv": three_level_file(), "study.yaml": study_file(at)})
    opened(restored)
    assert restored.segmented_control(key=f"w:cr.kind.{code}").value == "death <b>"
    assert restored.multiselect(key="w:cr.covariates").value == ["age"]


def test_a_single_kind_is_told_what_is_needed() -> None:
    at = opened(with_tiny())
    assert "nothing competes with it" in shown(at)
    assert "These events are of different kinds" in shown(at)
    assert not tables(at)


def test_kinds_from_dates_of_the_sample() -> None:
    at = opened(with_sample())
    text = shown(at)
    assert "51 patients, 39 events (progression), 0 competing events (death)" in text
    assert "Fine-Gray regression" in text
