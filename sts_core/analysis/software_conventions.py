"""The same quantities of one cohort as several programs give them, and why they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import by_words, percent_level
from sts_core.analysis.conventions import APP, SPSS, Convention, R
from sts_core.analysis.followed import follow
from sts_core.analysis.kaplan_meier import (
    KaplanMeierResult,
    KaplanMeierSpec,
    SurvivalGroup,
    counts_in_words,
    kaplan_meier,
)
from sts_core.analysis.kaplan_meier import r_code as r_code_of_curves
from sts_core.analysis.kaplan_meier import result_rows as rows_of_curves
from sts_core.analysis.provenance import Provenance, says_subset
from sts_core.cohort import Cohort
from sts_core.display import (
    Cell,
    Column,
    DisplayTable,
    Format,
    format_estimate,
    joined,
    lower_first,
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
from sts_core.members import CountedText
from sts_core.results import ResultRow
from sts_core.study.types import ConventionName, TimeUnit

KIND: Final = "software_conventions"
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


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class SoftwareConventionsSpec:
    """What to estimate by the rules of each program.

    Parameters
    ----------
    endpoint
        Code of the endpoint.
    by
        Key of a variable or a grouping; everyone together when ``None``.
    levels
        Groups of this comparison, in any order; all when ``None``.
    conf_level
        Coverage of intervals.
    convention, conf_type, quantile_interval
        What the study or a person chose; shown beside the programs, none of which it changes.
    landmarks
        Times at which survival is read, in the display unit; the unit's usual ones when ``None``.
    mean_horizon
        End of the restricted mean in every program, in the display unit; that of each when
        ``None``.
    time_unit
        Display unit in place of the endpoint's.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    endpoint: str
    by: str | None = None
    levels: tuple[str, ...] | None = None
    conf_level: float = 0.95
    convention: ConventionName | None = None
    conf_type: Literal["log-log", "log", "plain", "logit", "arcsin"] | None = None
    quantile_interval: Literal["band", "symmetric"] | None = None
    landmarks: tuple[float, ...] | None = None
    mean_horizon: float | None = None
    time_unit: TimeUnit | None = None
    population: str | None = None
    kind: Literal["software_conventions"] = KIND

    def __post_init__(self) -> None:
        self.curves()

    def curves(self) -> KaplanMeierSpec:
        """Give what is asked of the curves, which say what may not be asked."""
        return KaplanMeierSpec(
            endpoint=self.endpoint,
            by=self.by,
            levels=self.levels,
            conf_level=self.conf_level,
            convention=self.convention,
            conf_type=self.conf_type,
            quantile_interval=self.quantile_interval,
            landmarks=self.landmarks,
            mean_horizon=self.mean_horizon,
            time_unit=self.time_unit,
            population=self.population,
        )


def of_curves(spec: KaplanMeierSpec) -> SoftwareConventionsSpec:
    """Ask for the endpoint, groups and times of some curves."""
    return SoftwareConventionsSpec(
        endpoint=spec.endpoint,
        by=spec.by,
        levels=spec.levels,
        conf_level=spec.conf_level,
        convention=spec.convention,
        conf_type=spec.conf_type,
        quantile_interval=spec.quantile_interval,
        landmarks=spec.landmarks,
        mean_horizon=spec.mean_horizon,
        time_unit=spec.time_unit,
        population=spec.population,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ProgramEstimates:
    """One program's curves of the cohort; ``label`` is as in a table."""

    label: str
    convention: Convention
    result: KaplanMeierResult


@dataclass(frozen=True, slots=True)
class FamilyTest:
    """A test of the log-rank family, and which programs give it under which name."""

    weights: LogRankWeights
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
        What was asked for; a choice against a convention is in ``shown`` alone.
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

    spec: SoftwareConventionsSpec
    shown: KaplanMeierResult
    programs: tuple[ProgramEstimates, ...]
    tests: tuple[FamilyTest, ...]
    ratios: tuple[RatioVariant, ...]
    compared: tuple[str, str] | None
    reasons: tuple[str, ...]

    @property
    def provenance(self) -> Provenance:
        """Whom the numbers are of."""
        return self.shown.provenance


def software_conventions(
    cohort: Cohort, spec: SoftwareConventionsSpec
) -> SoftwareConventionsResult:
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
    curves = spec.curves()
    shown = kaplan_meier(cohort, curves)
    programs = tuple(
        ProgramEstimates(
            convention.label[:1].upper() + convention.label[1:],
            convention,
            kaplan_meier(cohort, _under(convention, curves)),
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
        FamilyTest(weights, run(weights, everyone).to_test_result(), label, where)
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
    if found.shown.delayed_entry:
        out.append(
            "Delayed entry: every row counts patients from their entry on. A procedure that takes "
            "no entry times, such as R's survdiff, gives other numbers, or none."
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
        (_no_break(f"{program.label}{_mark(program.convention, shown)}"), program)
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
    title = f"{_subject(shown)}: the same cohort in several programs"
    table = DisplayTable(title, tuple(columns), tuple(rows), _footnotes(found))
    return shown.provenance.marked(table)


def _subject(shown: KaplanMeierResult) -> str:
    return f"{shown.endpoint_label}{by_words(shown.by_label)}"


def _no_break(label: str) -> str:
    return label.replace(" ", "\u00a0")


def _mark(convention: Convention, shown: KaplanMeierResult) -> str:
    is_study = convention is shown.methods.convention
    return " (in force)" if is_study else ""


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
    return (
        CountedText.of(
            counts_in_words(found.shown, found.shown.overall),
            ". NR, not reached; NE, not estimable; an empty cell, not given or its rule not known.",
        ),
        f"In force: the convention of this study ({found.shown.methods.convention.label}).",
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
    title = f"{_subject(found.shown)}: tests of the log-rank family"
    table = DisplayTable(title, columns, rows, notes)
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
    title = f"{_subject(found.shown)}: hazard ratios of two groups"
    table = DisplayTable(title, columns, rows, notes)
    return found.shown.provenance.marked(table)


def more_tables(found: SoftwareConventionsResult) -> tuple[DisplayTable, ...]:
    """Give the tables of a comparison that have rows."""
    tables = []
    if found.tests:
        tables.append(family_table(found))
    if found.ratios:
        tables.append(ratios_table(found))
    return tuple(tables)


# --- words, rows, code ---------------------------------------------------------------------------


def methods_sentence(found: SoftwareConventionsResult) -> str:
    """Say whose rules were followed."""
    what = lower_first(found.shown.endpoint_label)
    programs = joined([program.convention.label for program in found.programs])
    return (
        f"Estimates of {what} were repeated on the same patients by the published rules of "
        f"{programs}; none was compared with a printout."
    )


@says_subset
def result_sentences(found: SoftwareConventionsResult) -> tuple[str, ...]:
    """Say why numbers differ, a sentence for each quantity."""
    return found.reasons


def result_rows(found: SoftwareConventionsResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row, times in the raw unit; ``level`` is the program."""
    rows: list[ResultRow] = []
    for program in found.programs:
        gives_mean = program.convention not in (SAS, PRISM)
        for row in rows_of_curves(program.result):
            if row.statistic not in _COMPARED or (
                row.statistic == "restricted_mean" and not gives_mean
            ):
                continue
            mine = replace(row, analysis=KIND, level=program.label)
            if program.convention is PRISM and row.statistic in ("median", "follow_up_median"):
                mine = replace(mine, low=None, high=None, method=None, reason=_no_limits(row))
            rows.append(mine)
    shown = found.shown
    base = ResultRow(
        KIND,
        "",
        dataset=shown.provenance.dataset,
        population=shown.provenance.population,
        endpoint=found.spec.endpoint,
        group_var=found.spec.by,
        n=shown.overall.n,
        events=shown.overall.n_event,
    )
    for one in found.tests:
        by_package = one.weights in (LogRankWeights.LOG_RANK, LogRankWeights.PETO_PETO)
        mine = replace(
            base, statistic="test", term=one.weights.value,
            r="yes" if by_package and not shown.delayed_entry else "none",
        )  # fmt: skip
        test = (
            one.test
            if one.test.p_value is not None
            else TestResult(one.test.name, reason=one.test.reason)
        )
        rows += mine.of_test(test)
    for ratio in found.ratios:
        cox = ratio.label.startswith("Cox")
        assert found.compared is not None
        mine = replace(
            base, statistic="hazard_ratio", group=found.compared[1], level=found.compared[0],
            term=ratio.label, r="yes" if cox else "formula",
        )  # fmt: skip
        rows.append(mine.of_estimate(ratio.estimate))
    return tuple(rows)


_COMPARED: Final = ("median", "survival_rate", "restricted_mean", "follow_up_median")


def _no_limits(row: ResultRow) -> str | None:
    """Keep why there is no number; its limits are left out, because their rule is not known."""
    return row.reason if row.status == "not_estimable" else None


def r_code(found: SoftwareConventionsResult) -> str:
    """Give R code for the same numbers, a part a program.

    The code expects a data frame ``d`` as that of the curves does.
    """
    parts = [
        f"# --- by the rules of {program.convention.label}\n{r_code_of_curves(program.result)}"
        for program in found.programs
    ]
    if found.tests and not found.shown.delayed_entry:
        parts.append("print(survdiff(y ~ d$group, rho = 1))\n")
    if found.compared is not None:
        level = found.spec.conf_level
        lines = [
            f'print(summary(coxph(y ~ factor(d$group), ties = "{ties}"), conf.int = {level}))'
            for ties in ("efron", "breslow", "exact")
        ]
        if not found.shown.delayed_entry:
            lines += [
                "test <- survdiff(y ~ d$group)",
                "o <- test$obs; e <- test$exp; v <- test$var[2, 2]",
                f"z <- qnorm((1 + {level}) / 2)",
                "r <- log((o[2] / e[2]) / (o[1] / e[1]))",
                "print(exp(r + c(0, -1, 1) * z * sqrt(sum(1 / e))))",
                "print(exp((o[2] - e[2]) / v + c(0, -1, 1) * z / sqrt(v)))",
            ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
