"""The cache of results: by content, exactly, and for one session only."""

from __future__ import annotations

import dataclasses
import importlib
import inspect

import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.caching import cache_data_api
from streamlit.testing.v1 import AppTest

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierSpec, kaplan_meier
from sts_core.analysis.registry import ANALYSES
from sts_core.analysis.selection_effect import EffectSpec
from sts_core.cohort import Cohort
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from tests.cohorts import make_cohort
from tests.pages.driver import SURVIVAL, TINY, confirm, drop, go, start, table

# The package gives the function the name of its module
compute_module = importlib.import_module("pages._ui.compute")
compute = compute_module.compute


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, str]:
    """Name the session that asks, as the server does while it runs a page."""
    current = {"id": request.node.nodeid}
    monkeypatch.setattr(cache_data_api, "get_session_id_or_throw", lambda: current["id"])
    return current


def large_file(time_of_one: int) -> bytes:
    times = np.arange(60_000) % 997 + 1
    times[54_321] = time_of_one
    rows = "\n".join(f"p{n},{t},{n % 2}" for n, t in enumerate(times))
    return f"id,time,status\n{rows}\n".encode()


def large_cohort(time_of_one: int) -> Cohort:
    study = make_cohort({"time": [1.0], "status": [1]}).study
    return assemble(study, [read_bytes("t.csv", large_file(time_of_one))])


def one_time(cohort: Cohort, spec: KaplanMeierSpec) -> float:
    """Give the time of one patient among 60,000."""
    return float(cohort.tables["subjects"].frame["time"].iloc[54_321])


def test_one_cell_among_60000_rows_is_another_cohort() -> None:
    spec = KaplanMeierSpec(endpoint="OS")
    first, second = large_cohort(1500), large_cohort(1600)
    assert first.fingerprint != second.fingerprint
    assert compute(one_time, first, spec) == 1500
    assert compute(one_time, second, spec) == 1600
    assert compute(one_time, first, spec) == 1500
    slowest = [compute(kaplan_meier, cohort, spec).overall.max_time for cohort in (first, second)]
    assert slowest == [1500, 1600]


def test_same_bytes_and_choices_are_not_computed_twice() -> None:
    runs: list[str] = []

    def counted(cohort: Cohort, spec: KaplanMeierSpec) -> int:
        runs.append(spec.endpoint)
        return cohort.n

    one, same = large_cohort(1500), large_cohort(1500)
    spec = KaplanMeierSpec(endpoint="OS")
    assert compute(counted, one, spec) == compute(counted, same, spec) == 60_000
    assert len(runs) == 1
    compute(counted, one, KaplanMeierSpec(endpoint="OS", conf_type="plain"))
    assert len(runs) == 2


def test_another_session_computes_for_itself(session: dict[str, str]) -> None:
    runs: list[str] = []

    def counted_by_session(cohort: Cohort, spec: KaplanMeierSpec) -> str:
        runs.append(session["id"])
        return session["id"]

    cohort, spec = make_cohort({"time": [1], "status": [1]}), KaplanMeierSpec(endpoint="OS")
    for name in ("one", "two", "one", "two"):
        session["id"] = name
        assert compute(counted_by_session, cohort, spec) == name
    assert runs == ["one", "two"]


def test_other_order_of_levels_is_another_cohort() -> None:
    cohort = make_cohort({"time": [1, 2, 3], "status": [1, 1, 1], "group": ["A", "B", "C"]})
    variables = cohort.study.definitions.variables
    turned = {"group": dataclasses.replace(variables["group"], levels=("C", "B", "A"))}
    definitions = dataclasses.replace(cohort.study.definitions, variables=turned)
    other = dataclasses.replace(
        cohort, study=dataclasses.replace(cohort.study, definitions=definitions)
    )
    spec = KaplanMeierSpec(endpoint="OS", by="group")
    first = [group.label for group in compute(kaplan_meier, cohort, spec).groups]
    second = [group.label for group in compute(kaplan_meier, other, spec).groups]
    assert second == ["C", "B", "A"]
    assert first == ["A", "B", "C"]


def test_a_spec_prints_each_of_its_choices() -> None:
    """The key of a result holds what its spec prints: a choice left out would be another's."""
    seen = [*(analysis.spec_type for analysis in ANALYSES.values()), CurveOptions, EffectSpec]
    for spec_type in seen:
        hidden = [field.name for field in dataclasses.fields(spec_type) if not field.repr]
        assert not hidden, f"{spec_type.__name__}: {hidden}"
        assert spec_type.__repr__ is not object.__repr__
    one = KaplanMeierSpec(endpoint="OS", drawing=CurveOptions(labels=(("A", "B"),)))
    assert repr(one) == repr(dataclasses.replace(one))
    assert repr(one) != repr(dataclasses.replace(one, drawing=CurveOptions()))


def test_what_a_page_shows_does_not_change_the_key() -> None:
    cohort = make_cohort({"time": [1, 2], "status": [1, 0]})
    analysis = dataclasses.replace(cohort.study.analysis, views={"kaplan_meier": {"by": "x"}})
    seen = dataclasses.replace(cohort, study=dataclasses.replace(cohort.study, analysis=analysis))
    assert seen.fingerprint == cohort.fingerprint


def test_two_functions_do_not_share_results() -> None:
    cohort = make_cohort({"time": [1, 2], "status": [1, 0]})
    spec = KaplanMeierSpec(endpoint="OS")
    assert compute(one_more, cohort, spec) == 3
    assert compute(one_less, cohort, spec) == 1


def one_more(cohort: Cohort, spec: KaplanMeierSpec) -> int:
    return cohort.n + 1


def one_less(cohort: Cohort, spec: KaplanMeierSpec) -> int:
    return cohort.n - 1


def test_results_belong_to_the_session_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, object] = {}

    def cache_data(**options: object):
        settings.update(options)
        return lambda function: function

    monkeypatch.setattr(st, "cache_data", cache_data)
    source = inspect.getsource(compute_module)
    exec(compile(source, "compute", "exec"), {"__name__": "pages._ui.compute_again"})
    assert settings["scope"] == "session"
    assert 0 < settings["max_entries"] <= 1000
    assert 0 < settings["ttl"] <= 24 * 3600


def test_change_of_one_cell_shows_on_the_page() -> None:
    def median_of(at: AppTest, rows: str) -> str:
        drop(at, {"tiny.csv": rows})
        confirm(at, "TTE", unit="months", events=["Dead"])
        return table(go(at, SURVIVAL)).split("All patients ")[1][:7]

    at = start()
    assert median_of(at, TINY) == "3 2 7.0"
    go(at, "pages/data.py")
    assert median_of(at, TINY.replace("7,Dead", "8,Dead")) == "3 2 8.0"
