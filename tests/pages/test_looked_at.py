"""Comparisons with a P value are counted as they are looked at, and adjusted on request."""

from __future__ import annotations

from sts_core.analysis.looked_at import remembering_comparisons
from sts_core.study import dump_study
from tests.pages.driver import (
    ROOT,
    SURVIVAL,
    checked,
    click,
    drop,
    go,
    shown,
    start,
    study_file,
    study_of,
    with_sample,
)

PROGNOSIS, SAFETY = "pages/prognosis.py", "pages/safety.py"


def test_comparisons_are_counted_listed_adjusted_and_forgotten() -> None:
    at = with_sample()
    assert "with a P value looked at" not in shown(at)
    go(at, SURVIVAL)
    assert "1 comparison with a P value looked at" in shown(at)
    # the list is there in the run that first compared something
    (listing,) = [button for button in at.button if button.key == "looked_at.open"]
    assert not listing.disabled
    checked(at.run())
    assert "1 comparison with a P value looked at" in shown(at)
    go(at, PROGNOSIS)
    n = len(at.session_state["choices"]["looked_at"])
    assert n > 10
    assert f"{n} comparisons with a P value looked at" in shown(at)
    click(at, "looked_at.open")
    (listed,) = [item.value for item in at.markdown if "Progression-free survival by" in item.value]
    assert "Holm" not in listed
    at = checked(at.toggle(key="looked_at.holm").set_value(True).run())
    # it is no choice, and counts on where the study file is loaded again
    assert "looked_at" not in study_file(at)
    cohort = at.session_state["workspace"].cohort
    seen = at.session_state["choices"]["looked_at"]
    kept = dump_study(remembering_comparisons(cohort.study, cohort, seen))
    data = (ROOT / "sample_data" / "sts_cohort.xlsx").read_bytes()
    again = drop(start(), {"study.yaml": kept, "sts_cohort.xlsx": data})
    assert f"{n} comparisons with a P value looked at" in shown(again)
    go(again, PROGNOSIS)
    assert f"{n} comparisons with a P value looked at" in shown(again), "the same ones"
    go(again, SAFETY)
    click(again, "looked_at.open")
    assert f"looked at, {n} of them before, as the study file says" in shown(again)
    click(again, "looked_at.forget")
    assert "with a P value looked at" not in shown(go(again, SAFETY))
    assert study_of(again).analysis.looked_at == ()


def test_what_was_looked_at_is_listed_with_adjusted_p_and_can_begin_anew() -> None:
    at = go(with_sample(), PROGNOSIS)
    at.session_state["looked_at.holm"] = True
    checked(at.run())
    click(at, "looked_at.open")
    source = " ".join(item.value for item in at.markdown)
    assert "P, Holm-adjusted" in source
    click(at, "looked_at.forget")
    assert "P, Holm-adjusted" not in " ".join(item.value for item in at.markdown)
