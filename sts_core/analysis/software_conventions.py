"""The same quantities of one cohort as several programs give them, and why they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sts_core.analysis.comparison import by_words, percent_level
from sts_core.analysis.conventions import APP, SPSS, Convention, R
from sts_core.analysis.followed import follow
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    SurvivalGroup,
    kaplan_meier,
)
from sts_core.cohort import Cohort
from sts_core.display import (
    Cell,
    Column,
    DisplayTable,
    Format,
    format_estimate,
    joined,
    round_half_up,
)
from sts_core.estimates import Estimate, TestResult
from sts_core.estimators.follow_up import FollowUpTies
from sts_core.estimators.log_rank import LogRank, LogRankWeights, log_rank
from sts_core.estimators.product_limit import QuantileRule
from sts_core.estimators.two_group_hazard import (
    exact_at_ties,
    observed_over_expected,
    peto_one_step,
)

MAX_SHOWN: Final = 12
"""Groups whose estimates are put side by side; beyond, everyone together stands alone."""
BY_FORMULA: Final = (
    "Every number is made by the published formula of the program named; none was compared with "
    "a printout of it. R's are checked against R itself."
)

SAS: Final = replace(
    APP, label="SAS", quantile_rule=QuantileRule.MIDPOINT_OR_NONE,
    follow_up_ties=FollowUpTies.FLIPPED, ties="breslow",
)  # fmt: skip
PRISM: Final = replace(APP, label="Prism", follow_up_ties=FollowUpTies.FLIPPED)
PROGRAMS: Final[tuple[Convention, ...]] = (APP, R, SPSS, SAS, PRISM)


@dataclass(frozen=True, slots=True, eq=False)
class ProgramEstimates:
    """One program's curves of the cohort; ``label`` is as in a table."""

    label: str
    convention: Convention
    result: KaplanMeierResult


@dataclass(frozen=True, slots=True)
class FamilyTest:
    """A test of the log-rank family, and which programs give it under which name."""

    test: TestResult
    label: str
    where: str


@dataclass(frozen=True, slots=True)
class RatioVariant:
    """A hazard ratio of the second group against the first, and which programs give it."""

    label: str
    where: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class SoftwareConventionsResult:
    """One cohort under the rules of each program.

    Attributes
    ----------
    spec
        What was asked for; choices against a convention are left out, but for ``shown``.
    shown
        As the page shows it, with what was chosen by hand.
    programs
        This app, R, SPSS, SAS and Prism.
    tests
        The log-rank family; empty without groups.
    ratios
        Hazard ratios; empty unless two groups are compared.
    compared
        Reference group and the other one; ``None`` unless two groups are compared.
    reasons
        Why numbers differ, a sentence for each quantity.
    """

    spec: KaplanMeierSpec
    shown: KaplanMeierResult
    programs: tuple[ProgramEstimates, ...]
    tests: tuple[FamilyTest, ...]
    ratios: tuple[RatioVariant, ...]
    compared: tuple[str, str] | None
    reasons: tuple[str, ...]


def software_conventions(cohort: Cohort, spec: KaplanMeierSpec) -> SoftwareConventionsResult:
    """Estimate the same quantities under the rules of each program.

    Parameters
    ----------
    cohort
        Patients with their endpoint.
    spec
        Endpoint, groups and times; its own rules are shown beside those of the programs.

    Returns
    -------
    SoftwareConventionsResult
        SAS and Prism only by their published rules on survival curves and hazard ratios.

    References
    ----------
    .. [1] R: survival, ``survfit``, ``quantile.survfit``, ``survdiff``, ``coxph``.
    .. [2] SAS/STAT User's Guide, the LIFETEST and PHREG procedures.
    .. [3] IBM SPSS Statistics Algorithms, KM; Klein and Moeschberger, practical note 3 to 4.5.
    .. [4] GraphPad Prism Statistics Guide, survival analysis.
    """
    shown = kaplan_meier(cohort, spec)
    programs = tuple(
        ProgramEstimates(
            convention.label[:1].upper() + convention.label[1:],
            convention,
            kaplan_meier(cohort, _under(convention, spec)),
        )
        for convention in PROGRAMS
    )
    tests, ratios, compared = _compared(cohort, shown, programs)
    found = SoftwareConventionsResult(
        spec=spec,
        shown=shown,
        programs=programs,
        tests=tests,
        ratios=ratios,
        compared=compared,
        reasons=(),
    )
    return replace(found, reasons=_reasons(found))


def _under(convention: Convention, spec: KaplanMeierSpec) -> KaplanMeierSpec:
    """Say a convention out, so that neither the study nor a choice decides anything."""
    return replace(
        spec,
        convention=convention.name,
        conf_type=convention.conf_type.value,
        quantile_rule=convention.quantile_rule.value,
        quantile_interval=convention.quantile_interval,
        follow_up_ties=convention.follow_up_ties.value,
    )


def _compared(
    cohort: Cohort, shown: KaplanMeierResult, programs: Sequence[ProgramEstimates]
) -> tuple[tuple[FamilyTest, ...], tuple[RatioVariant, ...], tuple[str, str] | None]:
    spec = shown.spec
    if spec.by is None or not shown.groups:
        return (), (), None
    followed = follow(cohort, spec, landmark=spec.landmark, known_on=spec.known_on)
    data, used, names = followed.data, followed.used, followed.chosen
    time, event, codes = data.time[used], data.event[used], followed.codes[used]
    entry = None if data.entry is None else data.entry[used]

    def run(weights: LogRankWeights, levels: Sequence[int]) -> LogRank:
        return log_rank(time, event, codes, levels=levels, entry=entry, weights=weights)

    everyone = range(len(names))
    tests = tuple(
        FamilyTest(run(weights, everyone).to_test_result(), label, where)
        for weights, label, where in _FAMILY
    )
    filled = [code for code in everyone if (codes == code).any()]
    if len(filled) != 2:
        return tests, (), None
    reference = next(
        (ratio.reference for ratio in shown.hazard_ratios if ratio.reference), names[filled[0]]
    )
    first = names.index(reference)
    second = next(code for code in filled if code != first)
    plain = run(LogRankWeights.LOG_RANK, (first, second))
    level = spec.conf_level
    # SAS and Prism are not among the conventions that a result can be asked for
    cox = {
        program.convention.ties: program.result.hazard_ratios[second].hazard_ratio
        for program in programs
        if program.convention in (APP, SPSS)
    }
    ratios = (
        RatioVariant("Cox model, Efron's handling of ties", "this app, R", cox["efron"]),
        RatioVariant("Cox model, Breslow's handling of ties", "SPSS, SAS", cox["breslow"]),
        RatioVariant(
            "Cox model, exact partial likelihood",
            "an option of R (exact) and SAS (discrete)",
            exact_at_ties(time, event, codes == second, entry=entry, conf_level=level),
        ),
        RatioVariant(
            "Log-rank: observed over expected events",
            "Prism (log-rank)",
            observed_over_expected(plain, level),
        ),
        RatioVariant(
            "Log-rank: one step from no difference",
            "Prism (Mantel-Haenszel)",
            peto_one_step(plain, level),
        ),
    )
    return tests, ratios, (names[first], names[second])


_FAMILY: Final = (
    (
        LogRankWeights.LOG_RANK,
        "Log-rank (weight 1)",
        "all; SPSS: Log Rank (Mantel-Cox); R: survdiff",
    ),
    (
        LogRankWeights.GEHAN_BRESLOW,
        "Gehan-Breslow (weight n)",
        "SPSS: Breslow; SAS: Wilcoxon; Prism: Gehan-Breslow-Wilcoxon; R's survdiff has none",
    ),
    (LogRankWeights.TARONE_WARE, "Tarone-Ware (weight √n)", "SPSS: Tarone-Ware"),
    (
        LogRankWeights.PETO_PETO,
        "Peto-Peto (weight S)",
        "R: survdiff(rho = 1), which is not Breslow's test",
    ),
)


# --- why -----------------------------------------------------------------------------------------


def _shown_groups(result: KaplanMeierResult) -> tuple[SurvivalGroup, ...]:
    if not result.is_comparison or not 1 <= len(result.groups) <= MAX_SHOWN:
        return (result.overall,)
    return result.groups


def _differs(
    found: SoftwareConventionsResult,
    read: Callable[[SurvivalGroup], Sequence[Estimate]],
    write: Callable[[Estimate], str],
    programs: Sequence[Convention] = PROGRAMS,
) -> list[str]:
    """Name the groups in which some programs print something else."""
    of_programs = [
        _shown_groups(program.result)
        for program in found.programs
        if program.convention in programs
    ]
    return [
        groups[0].label
        for groups in zip(*of_programs, strict=True)
        if len({tuple(write(one) for one in read(group)) for group in groups}) > 1
    ]


def _where(found: SoftwareConventionsResult, groups: Sequence[str]) -> str:
    if not found.shown.is_comparison or len(groups) == len(_shown_groups(found.shown)):
        return ""
    return f" in {joined(groups)}"


def _reasons(found: SoftwareConventionsResult) -> tuple[str, ...]:
    factor = found.shown.unit_factor

    def point(estimate: Estimate) -> str:
        return format_estimate(estimate.scaled(factor), interval=False)

    def interval(estimate: Estimate) -> str:
        return format_estimate(estimate.scaled(factor)).partition(" ")[2]

    def rate(estimate: Estimate) -> str:
        return format_estimate(estimate, percent=True, interval=False)

    def rate_interval(estimate: Estimate) -> str:
        return format_estimate(estimate, percent=True).partition(" ")[2]

    def estimable(group: SurvivalGroup) -> list[Estimate]:
        return [one.estimate for one in group.rates if one.estimate.value is not None]

    out = []

    def say(groups: Sequence[str], differs: str, same: str) -> None:
        changed = f"{differs}. Here this changes what is printed{_where(found, groups)}."
        out.append(changed if groups else f"{same}.")

    say(
        _differs(found, lambda group: [group.median], point),
        "Median: where the curve is flat at exactly one half, R and Prism take the middle of that "
        "stretch, SPSS its beginning, and SAS the middle, or nothing where no step follows",
        "Median: the same in every program, because no curve is flat at exactly one half",
    )
    say(
        _differs(found, lambda group: [group.median], interval, (APP, R, SPSS, SAS)),
        "Interval of the median: R reads it from the band on the log scale, this app and SAS from "
        "the one on the log-log scale; SPSS takes the median ± z standard errors, symmetric, cut "
        "at 0. Prism's is left out, because its rule was not found",
        "Interval of the median: the same in every program",
    )
    say(
        _differs(found, estimable, rate_interval, (APP, R, SAS)),
        "Interval of a rate: R takes the log scale, this app, SAS and Prism the log-log scale; "
        "SPSS prints a standard error only, and the log-log interval is IBM's own work-around",
        "Interval of a rate: the same in every program, or none",
    )
    beyond = _differs(found, lambda group: [one.estimate for one in group.rates], rate, (APP, R))
    if beyond:
        say(
            beyond,
            "Rates beyond the last time: R carries the last value on when it is asked to (extend "
            "= TRUE); this app and SAS give no number where the last patient is censored",
            "",
        )
    say(
        _differs(found, lambda group: [group.follow_up], point),
        "Median follow-up: where an event and a censoring fall on the same time, a flipped event "
        "indicator (R, SPSS, SAS, Prism) keeps who had the event at risk, while this app lets "
        "them leave first, as R's prodlim does; SPSS also reads the median by its own rule",
        "Median follow-up: the same in every program",
    )
    say(
        _differs(found, lambda group: [group.mean.estimate], point, (APP, R, SPSS)),
        "Restricted mean: the area under the curve ends at the smallest of the groups' largest "
        "times (this app), at the largest of all (R), or at each group's own (SPSS)",
        "Restricted mean: the same in this app, R and SPSS",
    )
    if found.ratios:
        out.append(_ratio_reason(found.ratios))
    elif found.shown.is_comparison:
        out.append(
            "Hazard ratios are put side by side where two groups with patients are compared."
        )
    return tuple(out)


def _ratio_reason(ratios: Sequence[RatioVariant]) -> str:
    values = [one.estimate.value for one in ratios if one.estimate.value is not None]
    if not values:
        return "Hazard ratio: not estimable in any program."
    low, high = round_half_up(min(values), 3), round_half_up(max(values), 3)
    span = f"from {low} to {high}" if low != high else f"{low} in all"
    return (
        f"Hazard ratio: {span}. Cox models differ in how they treat patients with the event at "
        "the same time (without ties they agree); the two ratios of the log-rank test are "
        "approximations that agree with a Cox model only where the ratio is near 1. Another "
        "reference group turns a ratio over: R compares with the first level, SAS with the last."
    )


# --- tables --------------------------------------------------------------------------------------


def estimates_table(found: SoftwareConventionsResult) -> DisplayTable:
    """Give medians, rates, means and follow-up of each group, a row a program."""
    shown = found.shown
    unit, factor = shown.display_unit.value, shown.unit_factor
    level = f"{percent_level(shown.spec.conf_level)} CI"
    columns = [
        Column("program", "Program"),
        Column("median", f"Median, {unit} ({level})", Format.ESTIMATE),
        *(
            Column(f"rate_{at}", f"% at {rate.at:g} {unit} ({level})", Format.ESTIMATE_PERCENT)
            for at, rate in enumerate(shown.overall.rates)
        ),
        Column("mean", f"Restricted mean, {unit} ({level})", Format.ESTIMATE),
        Column("follow_up", f"Follow-up, {unit} ({level})", Format.ESTIMATE),
    ]
    own = [
        (f"{program.label}{_mark(program.convention, shown)}", program)
        for program in found.programs
    ]
    rows: list[dict[str, Cell]] = []
    for place, group in enumerate(_shown_groups(shown)):
        if shown.is_comparison:
            rows.append({"program": f"{group.label} (N\u00a0=\u00a0{group.n})", "_heading": True})
        if shown.methods.chosen:
            rows.append(_row("As shown on this page", group, factor, shown.methods.convention))
        rows += [
            _row(label, _shown_groups(program.result)[place], factor, program.convention)
            for label, program in own
        ]
    by = by_words(shown.by_label)
    title = f"{shown.endpoint_label}{by}: the same cohort in several programs"
    table = DisplayTable(title, tuple(columns), tuple(rows), _footnotes(found))
    return shown.provenance.marked(table)


def _mark(convention: Convention, shown: KaplanMeierResult) -> str:
    is_study = convention is shown.methods.convention
    return " (the study's convention)" if is_study else ""


def _row(
    label: str, group: SurvivalGroup, factor: float, convention: Convention
) -> dict[str, Cell]:

    def quantile(estimate: Estimate) -> Cell:
        """Leave out the interval where the program's rule is not known."""
        scaled = estimate.scaled(factor)
        if convention is not PRISM:
            return scaled
        return replace(scaled, low=None, high=None) if scaled.value is None else scaled.value

    row: dict[str, Cell] = {
        "program": label,
        "_indent": 1,
        "median": quantile(group.median),
        "mean": None if convention in (SAS, PRISM) else group.mean.estimate.scaled(factor),
        "follow_up": quantile(group.follow_up),
    }
    row |= {f"rate_{at}": rate.estimate for at, rate in enumerate(group.rates)}
    return row


def _footnotes(found: SoftwareConventionsResult) -> tuple[str, ...]:
    base, *_ = found.shown.footnotes
    counts = base.partition(". ")[0]
    return (
        f"{counts}. NR, not reached; NE, not estimable; an empty cell, not given or its rule not "
        "known.",
        BY_FORMULA,
        *found.shown.provenance.footnotes,
    )


def family_table(found: SoftwareConventionsResult) -> DisplayTable:
    """Give the log-rank family: a row a test, with the programs that have it."""
    columns = (
        Column("test", "Test"),
        Column("statistic", "χ²", Format.NUMBER, decimals=2),
        Column("df", "df", Format.INTEGER),
        Column("p", "P", Format.P_VALUE),
        Column("where", "Where"),
    )
    rows: tuple[dict[str, Cell], ...] = tuple(
        {
            "test": one.label,
            "statistic": one.test.statistic,
            "df": one.test.df,
            "p": "NE" if one.test.p_value is None else one.test.p_value,
            "where": one.where,
        }
        for one in found.tests
    )
    notes = (
        "Weights of an event time: n, the number at risk; S, survival of all groups together just "
        "before it.",
        BY_FORMULA,
        *found.shown.provenance.footnotes,
    )
    table = DisplayTable("Tests of the log-rank family", columns, rows, notes)
    return found.shown.provenance.marked(table)


def ratios_table(found: SoftwareConventionsResult) -> DisplayTable:
    """Give the hazard ratios of two groups: a row a method, with the programs that have it."""
    level = percent_level(found.spec.conf_level)
    columns = (
        Column("method", "Method"),
        Column("ratio", f"HR ({level} CI)", Format.ESTIMATE, decimals=3),
        Column("where", "Where"),
    )
    rows: tuple[dict[str, Cell], ...] = tuple(
        {"method": one.label, "ratio": one.estimate, "where": one.where} for one in found.ratios
    )
    names = found.compared
    who = f"{names[1]} against {names[0]}" if names else ""
    notes = (
        f"HR, hazard ratio of {who}. With O observed, E expected events and V the variance of the "
        "log-rank test: (O₂/E₂)/(O₁/E₁), interval exp(ln HR ± z √(1/E₁ + 1/E₂)); one step, "
        "exp((O₂ − E₂)/V), interval exp((O₂ − E₂)/V ± z/√V).",
        BY_FORMULA,
        *found.shown.provenance.footnotes,
    )
    table = DisplayTable("Hazard ratios of two groups", columns, rows, notes)
    return found.shown.provenance.marked(table)


def tables_of(found: SoftwareConventionsResult) -> tuple[DisplayTable, ...]:
    """Give every table that has rows."""
    tables = [estimates_table(found)]
    if found.tests:
        tables.append(family_table(found))
    if found.ratios:
        tables.append(ratios_table(found))
    return tuple(tables)
