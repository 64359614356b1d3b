"""Comparisons with a P value are counted as they are looked at, and adjusted on request."""

from __future__ import annotations

from tests.pages.driver import SURVIVAL, checked, click, go, shown, study_file, with_sample

PROGNOSIS = "pages/prognosis.py"


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
    # nothing of it is a choice of the study
    assert "looked_at" not in study_file(at)


def test_what_was_looked_at_is_listed_with_adjusted_p_and_can_begin_anew() -> None:
    at = go(with_sample(), PROGNOSIS)
    at.session_state["looked_at.holm"] = True
    checked(at.run())
    click(at, "looked_at.open")
    source = " ".join(item.value for item in at.markdown)
    assert "P, Holm-adjusted" in source
    click(at, "looked_at.forget")
    assert "P, Holm-adjusted" not in " ".join(item.value for item in at.markdown)
