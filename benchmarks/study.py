"""Part a: every number of a cohort study at 51 patients, beside R's survival."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.rscript import running_r
from benchmarks.timing import (
    Part,
    Row,
    at_most_ratio,
    clocked,
    differences,
    in_turns,
    seconds_text,
)
from sts_core.analysis.adverse_events import AdverseEventResult, AdverseEventSpec, adverse_events
from sts_core.analysis.cox import CoxResult, CoxSpec, Model, cox
from sts_core.analysis.kaplan_meier import KaplanMeierResult, KaplanMeierSpec, kaplan_meier
from sts_core.analysis.response import ResponseResult, ResponseSpec, response
from sts_core.cohort import Cohort
from sts_core.criteria import apply_criteria
from sts_core.estimates import Estimate, NotEstimable
from sts_core.reading import read_bytes
from sts_core.reading.assembly import assemble
from sts_core.study import load_study

REPEATS: Final = 15
SAMPLE: Final = Path(__file__).resolve().parents[1] / "sample_data"
ENDPOINTS: Final = ("PFS", "OS")
GROUPINGS: Final = (None, "ecog", "treatment_line", "histotype", "asps_ccs")
# R stops the iteration at 1e-9 of the log likelihood, ours goes on to the maximum.
TOLERANCE: Final = 2e-5
_NAN: Final = float("nan")


def sample_cohort() -> Cohort:
    """Read and assemble the sample; nobody is selected yet."""
    study = load_study((SAMPLE / "study.yaml").read_text("utf-8"), name="study.yaml")
    book = read_bytes("sts_cohort.xlsx", (SAMPLE / "sts_cohort.xlsx").read_bytes())
    return assemble(study, [book])


def specs_of(cohort: Cohort) -> list[tuple[str, Callable[..., Any], Any]]:
    """Give the study's analyses: what each belongs to, its function, its spec."""
    covariates = tuple(cohort.study.analysis.views["cox"]["covariates"])
    specs: list[tuple[str, Callable[..., Any], Any]] = [
        ("response", response, ResponseSpec(by=by)) for by in (None, "histotype")
    ]
    for code in ENDPOINTS:
        specs += [
            # R's reverse curve is the flipped one
            ("Kaplan-Meier", kaplan_meier, KaplanMeierSpec(code, by, follow_up_ties="flip"))
            for by in GROUPINGS
        ]
        specs.append(("Cox", cox, CoxSpec(code, covariates, selection="screening")))
    specs += [
        ("adverse events", adverse_events, AdverseEventSpec(related_only=only))
        for only in (True, False)
    ]
    return specs


def everything(cohort: Cohort) -> list[Any]:
    """Select the patients and compute every result."""
    chosen = apply_criteria(cohort, cohort.study)
    return [function(chosen, spec) for _, function, spec in specs_of(cohort)]


def _spent(cohort: Cohort) -> dict[str, float]:
    """Give the seconds of each kind of analysis in one pass."""
    begin = time.perf_counter()
    chosen = apply_criteria(cohort, cohort.study)
    spent = {"criteria": time.perf_counter() - begin}
    for kind, function, spec in specs_of(cohort):
        begin = time.perf_counter()
        function(chosen, spec)
        spent[kind] = spent.get(kind, 0.0) + time.perf_counter() - begin
    return spent


def measure() -> Part:
    """Time both, after checking that they give the same numbers."""
    cohort = sample_cohort()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for role, file in (("subjects", "patients.csv"), ("adverse_events", "events.csv")):
            cohort.tables[role].frame.to_csv(folder / file, index=False)
        with running_r("study.R", folder) as r:
            r.ask("run")
            ours, theirs = dict(numbers(everything(cohort))), r.ask("values")
            wrong = list(differences(ours, theirs, TOLERANCE))
            if wrong:
                raise RuntimeError(
                    f"{len(wrong)} of {len(theirs)} numbers differ from R's, so that times can't "
                    "be compared:\n" + "\n".join(wrong[:20])
                )
            taken = in_turns(
                {"ours": clocked(lambda: everything(cohort)), "R": lambda: r.seconds("run")},
                REPEATS,
                warm_up=3,
            )
    parts = [_spent(cohort) for _ in range(5)]
    split = ", ".join(
        f"{kind} {seconds_text(sorted(part[kind] for part in parts)[2])}" for kind in parts[0]
    )
    row = Row(
        "a",
        f"all numbers of the study, {cohort.n_in_file} patients",
        taken["ours"],
        taken["R"],
        "R's survival",
        (at_most_ratio(taken["ours"], taken["R"], 1.0),),
    )
    return Part(
        (row,),
        (
            "Criteria and endpoints from dates; response overall and by histotype; 10 Kaplan-Meier "
            "analyses (progression-free and overall survival; overall, by ECOG status, treatment "
            "line, histotype, two histotypes against the rest) with quartiles, rates, risk tables, "
            "follow-up and log-rank tests; 26 univariable and 2 multivariable Cox models; adverse "
            "events, treatment-related and all. Both begin with the tables in memory, dates "
            f"read. Before timing, {len(theirs)} numbers of both are compared: they agree within "
            f"{TOLERANCE:g}.",
            f"Where the time goes here: {split}.",
        ),
    )


# --- the numbers under names that both sides use -------------------------------------------------


def numbers(results: list[Any]) -> Iterator[tuple[str, float]]:
    """Name every number that R gives too."""
    for result in results:
        match result:
            case ResponseResult():
                yield from _response(result)
            case KaplanMeierResult():
                yield from _curves(result)
            case CoxResult():
                yield from _ratios(result)
            case AdverseEventResult():
                yield from _adverse(result)


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else float(value)


def _response(result: ResponseResult) -> Iterator[tuple[str, float]]:
    for group in result.groups:
        name = f"response|{group.label if result.is_comparison else ''}"
        for level, share in zip(result.levels, group.counts, strict=True):
            yield f"{name}|{level}", share.count
        if group.n == 0:
            continue
        for rate, share in (
            ("ORR", group.of_all.objective_response),
            ("DCR", group.of_all.disease_control),
        ):
            found = share.estimate
            yield f"{name}|{rate}|n", share.count
            yield f"{name}|{rate}|estimate", _or_nan(found.value)
            yield f"{name}|{rate}|low", _or_nan(found.low)
            yield f"{name}|{rate}|high", _or_nan(found.high)


def _curves(result: KaplanMeierResult) -> Iterator[tuple[str, float]]:
    spec = result.spec
    for group in result.groups:
        if group.n == 0:
            continue
        label = group.label if result.is_comparison else ""
        name = f"km|{spec.endpoint}|{spec.by or ''}|{label}|"
        yield f"{name}n", group.n
        yield f"{name}events", group.n_event
        points: tuple[tuple[str, Estimate], ...] = (
            ("q25", group.quartiles[0]), ("median", group.median), ("q75", group.quartiles[1]),
        )  # fmt: skip
        for key, found in points:
            yield f"{name}{key}", _or_nan(found.value)
            yield f"{name}{key}_low", _or_nan(found.low)
            yield f"{name}{key}_high", _or_nan(found.high)
        for rate in group.rates:
            yield f"{name}at{rate.at:g}", _or_nan(rate.estimate.value)
            yield f"{name}at{rate.at:g}_low", _or_nan(rate.estimate.low)
        for at, count in enumerate(group.risk.at_risk, start=1):
            yield f"{name}risk{at}", count
        yield f"{name}follow", _or_nan(group.follow_up.value)
    if result.logrank is not None:
        yield f"km|{spec.endpoint}|{spec.by}|chisq", _or_nan(result.logrank.statistic)
        yield f"km|{spec.endpoint}|{spec.by}|p", _or_nan(result.logrank.p_value)


# R names a coefficient by the column of its data frame and the level.
_R_COLUMNS: Final = {
    "ecog": "ecog_2", "primary_site": "site", "organs_metastatic": "organs",
    "metastasis_lung": "lung", "metastasis_liver": "liver", "metastasis_bone": "bone",
    "treatment_line_group": "line_group", "prior_chemotherapy": "chemo",
    "prior_radiotherapy": "radio", "prior_antiangiogenic": "anti", "prior_immunotherapy": "immuno",
}  # fmt: skip


def _ratios(result: CoxResult) -> Iterator[tuple[str, float]]:
    code = result.spec.endpoint
    models: tuple[Model, ...] = ("univariable", "multivariable")
    for covariate in result.covariates:
        for model in models:
            for level in covariate.levels:
                term = level.term(model)
                if term is None or term.hazard_ratio.reason is NotEstimable.REFERENCE:
                    continue
                column = _R_COLUMNS.get(covariate.key, covariate.key)
                name = f"cox|{code}|{model}|{column}{level.level}|"
                yield f"{name}hr", _or_nan(term.hazard_ratio.value)
                yield f"{name}low", _or_nan(term.hazard_ratio.low)
                yield f"{name}high", _or_nan(term.hazard_ratio.high)
                yield f"{name}p", _or_nan(term.test.p_value if term.test else None)
        tests, joint = covariate.univariable, covariate.multivariable
        name = f"cox|{code}|{covariate.key}|"
        yield f"{name}wald", _or_nan(tests.wald.statistic)
        if tests.likelihood_ratio is not None:
            yield f"{name}lr", _or_nan(tests.likelihood_ratio.statistic)
        if joint is not None and joint.likelihood_ratio is not None:
            yield f"{name}multivariable_lr", _or_nan(joint.likelihood_ratio.statistic)
    if result.model is not None and result.model.concordance is not None:
        yield f"cox|{code}|concordance", _or_nan(result.model.concordance.value)


def _adverse(result: AdverseEventResult) -> Iterator[tuple[str, float]]:
    kind = "related" if result.related_only else "all"
    for line in result.lines:
        if line.level == "serious" and line.overall.n_any == 0:
            continue
        name = f"ae|{kind}|{line.label.lower()}|"
        yield f"{name}any", line.overall.n_any
        yield f"{name}grade_3_4", line.overall.n_grade_3_4
        yield f"{name}grade_5", line.overall.n_grade_5
