"""Tables, words, rows and R code of a comparison of survival between groups."""

from __future__ import annotations

from dataclasses import replace

from sts_core.analysis.comparison import (
    by_words,
    groups_in_words,
    p_cell,
    patients_listed,
    percent_level,
)
from sts_core.analysis.curve_reading import UNRELIABLE_AT_RISK, UNRELIABLE_SHARE
from sts_core.analysis.hazard_flags import NOT_PROPORTIONAL
from sts_core.analysis.hazard_ratio import TIES_NAMES, footnotes_of, sentence_of
from sts_core.analysis.landmark import from_landmark
from sts_core.analysis.provenance import says_subset
from sts_core.analysis.survival_comparison import (
    FEW_EVENTS,
    MAX_PAIRED,
    GroupDifference,
    GroupTest,
    SurvivalComparisonResult,
    estimate_words,
)
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_number,
    joined,
    lower_first,
    round_half_up,
)
from sts_core.estimates import NotEstimable, TestResult, not_estimable
from sts_core.estimators.bootstrap_median import MAX_NOT_REACHED
from sts_core.estimators.permutation import PermutationTest
from sts_core.estimators.survival_difference import CROSSING_DIFFERENCE
from sts_core.members import (
    AnyHolds,
    Count,
    CountedText,
    HasLevel,
    HasTime,
    Members,
    TimeState,
    of_group,
)
from sts_core.results import ResultRow

MAX_DIFFERENCES_IN_WORDS = 3

# --- tables --------------------------------------------------------------------------------------


def comparison_table(result: SurvivalComparisonResult) -> DisplayTable:
    """Give each group against the reference: hazard ratio, medians and mean time."""
    unit, level = result.display_unit.value, percent_level(result.spec.conf_level)
    sampled = result.spec.resamples > 0
    columns = [
        Column("group", result.by_label or "Group"),
        Column("n", "N", Format.INTEGER),
        Column("events", "Events", Format.INTEGER),
        Column("hr", f"HR ({level} CI)", Format.ESTIMATE, 2, "Cox model"),
        Column("hr_p", "P", Format.P_VALUE, spanner="Cox model"),
    ]
    if result.strata_label is not None:
        columns += [
            Column("shr", f"HR ({level} CI)", Format.ESTIMATE, 2, "Stratified Cox model"),
            Column("shr_p", "P", Format.P_VALUE, spanner="Stratified Cox model"),
        ]
    columns.append(
        Column(
            "median",
            f"{unit} ({level} CI)" if sampled else unit,
            Format.ESTIMATE,
            spanner="Difference of medians",
        )
    )
    if result.mean_horizon is not None:
        spanner = f"Mean time up to {format_number(result.mean_horizon)} {unit}"
        columns += [
            Column("mean", f"Difference, {unit} ({level} CI)", Format.ESTIMATE, spanner=spanner),
            Column("mean_p", "P", Format.P_VALUE, spanner=spanner),
        ]
    by_group = {one.group: one for one in result.differences}
    rows = []
    members = {}
    for place, (name, n, n_event) in enumerate(result.groups):
        members[place, "n"] = _members(result, name)
        members[place, "events"] = _members(result, name, "event")
        row: dict[str, Cell] = {column.key: None for column in columns}
        row |= {"group": name, "n": n, "events": n_event}
        one = by_group.get(name)
        if one is not None:
            row |= _difference_cells(result, one)
        elif name == result.reference:
            row["hr"] = not_estimable(NotEstimable.REFERENCE)
            if result.strata_label is not None:
                row["shr"] = not_estimable(NotEstimable.REFERENCE)
        rows.append(row)
    by = by_words(result.by_label)
    title = f"{result.endpoint_label}{by}: differences between groups"
    return result.provenance.marked(
        DisplayTable(title, tuple(columns), tuple(rows), notes_of_differences(result), members)
    )


def _members(result: SurvivalComparisonResult, group: str, state: TimeState = "usable") -> Members:
    """Describe the patients of a group that is compared."""
    spec = result.spec
    landmark = from_landmark(spec)
    among = of_group(spec.by, (group,), population=spec.population, landmark=landmark)
    return among.and_also(HasTime(spec.endpoint, state, landmark=landmark))


def _difference_cells(result: SurvivalComparisonResult, one: GroupDifference) -> dict[str, Cell]:
    factor = result.unit_factor
    cells: dict[str, Cell] = {
        "hr": one.hazard_ratio.hazard_ratio,
        "hr_p": p_cell(one.hazard_ratio.test),
    }
    within = one.stratified_hazard_ratio
    if within is not None:
        cells |= {"shr": within.hazard_ratio, "shr_p": p_cell(within.test)}
    median = one.median.scaled(factor)
    # without a bootstrap there is a difference and no interval, which is not "not estimable"
    plain = result.spec.resamples == 0 and median.value is not None
    cells["median"] = median.value if plain else median
    if one.mean is not None:
        cells |= {"mean": one.mean.estimate.scaled(factor), "mean_p": p_cell(one.mean.test)}
    return cells


def rates_table(result: SurvivalComparisonResult) -> DisplayTable | None:
    """Give the differences of survival at chosen times; ``None`` where there are none."""
    marks = result.differences[0].rates if result.differences else ()
    if not marks:
        return None
    unit, level = result.display_unit.value, percent_level(result.spec.conf_level)
    columns = [Column("group", result.by_label or "Group")]
    for mark in marks:
        spanner = f"At {mark.at:g} {unit}"
        columns += [
            Column(
                f"rate_{mark.at:g}",
                f"Difference, % points ({level} CI)",
                Format.ESTIMATE_PERCENT,
                spanner=spanner,
            ),
            Column(f"p_{mark.at:g}", "P", Format.P_VALUE, spanner=spanner),
        ]
    rows: list[dict[str, Cell]] = []
    for one in result.differences:
        row: dict[str, Cell] = {"group": one.group}
        for rate in one.rates:
            row[f"rate_{rate.at:g}"] = rate.estimate
            row[f"p_{rate.at:g}"] = p_cell(rate.test)
        rows.append(row)
    by = by_words(result.by_label)
    title = f"{result.endpoint_label}{by}: differences at chosen times"
    notes = (
        f"Survival of the group less that of {result.reference}: Kaplan-Meier estimates, standard "
        "error √(V₁ + V₂) by Greenwood's formula, z test; the interval is not estimable where a "
        "curve has come down to 0. NE, not estimable.",
        *_common_notes(result),
    )
    return result.provenance.marked(DisplayTable(title, tuple(columns), tuple(rows), notes))


def group_tests_table(result: SurvivalComparisonResult) -> DisplayTable:
    """Give the tests over all groups, with trend, permutation and proportional hazards."""
    spanners = ["" if result.strata_label is None else "Unstratified"]
    prefixes = [""]
    if result.strata_label is not None:
        spanners.append(f"Stratified by {lower_first(result.strata_label)}")
        prefixes.append("s")
    columns = [Column("test", "Test")]
    for prefix, spanner in zip(prefixes, spanners, strict=True):
        columns += [
            Column(f"{prefix}chi", "χ²", Format.NUMBER, 2, spanner or None),
            Column(f"{prefix}df", "df", Format.INTEGER, spanner=spanner or None),
            Column(f"{prefix}p", "P", Format.P_VALUE, spanner=spanner or None),
        ]
    tests = [*result.tests, *([result.trend] if result.trend else [])]
    if result.proportional_hazards is not None:
        label = "Proportional hazards (score test, Cox model)"
        tests.append(GroupTest("proportional_hazards", label, result.proportional_hazards))
    rows: list[dict[str, Cell]] = []
    for one in tests:
        row: dict[str, Cell] = {column.key: None for column in columns}
        row["test"] = one.label
        for prefix, test in (("", one.test), ("s", one.stratified)):
            if test is not None:
                row |= {
                    f"{prefix}chi": test.statistic,
                    f"{prefix}df": test.df if test.p_value is not None else None,
                    f"{prefix}p": p_cell(test),
                }
        rows.append(row)
        if one.key == "log-rank" and result.permutation is not None:
            row = {column.key: None for column in columns}
            row["test"] = f"Log-rank, permutation ({_ways(result.permutation)})"
            found = result.permutation
            row["p"] = found.p_value if found.reason is None else not_estimable(found.reason)
            rows.append(row)
    by = by_words(result.by_label)
    title = f"{result.endpoint_label}{by}: tests between groups"
    return result.provenance.marked(
        DisplayTable(title, tuple(columns), tuple(rows), notes_of_tests(result))
    )


def _ways(found: PermutationTest) -> str:
    if found.reason is not None:
        return REASONS[found.reason]
    if found.is_exact:
        return "exact, all ways to deal out the groups"
    return f"{max(0, round(found.n_arrangements) - 1):,} random ways, seed {found.seed}"


def pairs_table(result: SurvivalComparisonResult) -> DisplayTable | None:
    """Give the log-rank tests of pairs of groups; ``None`` where there are none."""
    if not result.pairs:
        return None
    columns = (
        Column("pair", "Pair"),
        Column("chi", "χ²", Format.NUMBER, 2),
        Column("df", "df", Format.INTEGER),
        Column("p", "P", Format.P_VALUE),
        Column("adjusted", "P, Holm", Format.P_VALUE),
    )
    rows: list[dict[str, Cell]] = []
    for pair in result.pairs:
        test = pair.test
        rows.append(
            {
                "pair": f"{pair.one} against {pair.other}",
                "chi": test.statistic,
                "df": test.df if test.p_value is not None else None,
                "p": p_cell(test),
                "adjusted": pair.adjusted_p,
            }
        )
    n = sum(pair.test.p_value is not None for pair in result.pairs)
    notes = [
        "Log-rank tests of two groups alone, two-sided; P adjusted by Holm's rule over "
        f"{counted(n, 'pair')}. NE, not estimable."
    ]
    if result.spec.pairs == "all" and len(result.groups) > MAX_PAIRED:
        notes.append(f"More than {MAX_PAIRED} groups: each against {result.reference} only.")
    by = by_words(result.by_label)
    title = f"{result.endpoint_label}{by}: pairs of groups"
    return result.provenance.marked(DisplayTable(
        title, columns, tuple(rows), (*notes, *_common_notes(result))
    ))  # fmt: skip


def more_tables(result: SurvivalComparisonResult) -> tuple[DisplayTable, ...]:
    """Give the other tables: tests, and differences at chosen times and pairs where there are."""
    found = (group_tests_table(result), rates_table(result), pairs_table(result))
    return tuple(table for table in found if table is not None)


# --- words ---------------------------------------------------------------------------------------


def _compared(result: SurvivalComparisonResult, state: TimeState) -> Members:
    """Describe the patients of all groups that are compared, or those with the event."""
    spec = result.spec
    landmark = from_landmark(spec)
    levels = tuple(name for name, *_ in result.groups)
    among = of_group(spec.by, levels, population=spec.population, landmark=landmark)
    return among.and_also(HasTime(spec.endpoint, state, landmark=landmark))


def _common_notes(result: SurvivalComparisonResult) -> list[str]:
    spec = result.spec
    notes: list[str] = []
    if result.scope is not None:
        notes.append(f"Compared {result.scope}.")
    notes += result.group_notes
    if result.landmark is not None:
        notes += result.landmark.notes(spec)
    if result.strata_label is not None:
        strata = CountedText(
            f"Strata: {result.strata_label}, {result.n_strata} with patients; risk sets do not "
            "cross strata"
        )
        if result.n_unknown_stratum:
            unknown = AnyHolds(tuple(HasLevel(key, (None,)) for key in spec.strata))
            strata = CountedText.of(
                strata,
                "; ",
                patients_listed(
                    result.n_unknown_stratum, _compared(result, "usable").and_also(unknown)
                ),
                " whose stratum is not known are in the unstratified numbers only",
            )
        notes.append(CountedText.of(strata, "."))
    notes += result.entry_notes
    notes += result.left_out_notes
    notes += result.convention_notes
    notes += result.closing_notes
    return notes


def notes_of_differences(result: SurvivalComparisonResult) -> tuple[str, ...]:
    """Say how the differences were made, what is flagged, and who is left out."""
    if result.by_label is None:
        return ("No groups are compared.", *_common_notes(result))
    if result.reference is None:
        several = footnotes_of((), len(result.groups))
        why = several or ("Nothing is compared: fewer than two groups are chosen, or are empty.",)
        return (*why, *_common_notes(result))
    level = percent_level(result.spec.conf_level)
    notes: list[str] = [
        CountedText.of(
            patients_listed(result.n, _compared(result, "usable")),
            ", ",
            Count(counted(result.n_event, "event"), _compared(result, "event")),
            f". Differences are group less {result.reference}; P two-sided. NR, not reached; NE, "
            "not estimable.",
        ),
        *footnotes_of(result.ratios, len(result.groups)),
    ]
    lost = [f"{one.group} {one.n_not_reached}" for one in result.differences if one.n_not_reached]
    if result.spec.resamples:
        text = (
            f"Difference of medians: {level} bootstrap percentile interval, "
            f"{result.spec.resamples:,} samples drawn within each group, seed {result.spec.seed}; "
            f"not estimable where over {100 * MAX_NOT_REACHED:g}% of them lack a median"
        )
        notes.append(f"{text} (samples without: {', '.join(lost)})." if lost else f"{text}.")
    else:
        notes.append("No interval of the difference of medians was computed.")
    if result.mean_horizon is not None:
        notes.append(
            "Mean time up to a horizon (restricted mean): area under the Kaplan-Meier curve, "
            "standard error of the difference √(V₁ + V₂), z test; a group without an event by then "
            "adds no spread, so that the interval is too narrow."
        )
    notes += result.flags
    notes += _common_notes(result)
    return tuple(notes)


def notes_of_tests(result: SurvivalComparisonResult) -> tuple[str, ...]:
    """Say what the tests are, and the rule by which curves are said to cross."""
    if not result.tests:
        return ("Nothing is tested: fewer than two groups are chosen.", *_common_notes(result))
    notes = [
        "Two-sided tests. n, number at risk; S, pooled Kaplan-Meier estimate just before the time; "
        "S̃, product of 1 − d/(n + 1). The log-rank test is the one to report unless another was "
        "chosen before the data were seen.",
        f"Curves are said to cross where each leads by at least {100 * CROSSING_DIFFERENCE:g} "
        f"percentage points at some time, while at least {UNRELIABLE_AT_RISK} and "
        f"{100 * UNRELIABLE_SHARE:g}% of each group are at risk.",
    ]
    test = result.proportional_hazards
    if test is not None and test.p_value is not None and test.p_value >= NOT_PROPORTIONAL:
        notes.append("A large P of the proportional hazards test is no proof of them.")
    if result.permutation is not None:
        notes.append(
            f"Fewer than {FEW_EVENTS} events: the permutation P does not need many events; it "
            "holds where follow-up ends for reasons that have nothing to do with the group."
        )
    reasons: dict[NotEstimable, list[str]] = {}
    hazards = result.proportional_hazards
    if hazards is not None and hazards.reason is not None:
        reasons[hazards.reason] = ["Proportional hazards"]
    for one in (*result.tests, *([result.trend] if result.trend else [])):
        for found in (one.test, one.stratified):
            if found is not None and found.reason is not None:
                reasons.setdefault(found.reason, []).append(one.label)
    notes += [
        f"NE, {REASONS[reason]}: {', '.join(dict.fromkeys(labels))}."
        for reason, labels in reasons.items()
    ]
    notes += result.flags
    notes += _common_notes(result)
    return tuple(notes)


def _in_text(name: str) -> str:
    """Write the name of a test inside a sentence: people's names keep their capitals."""
    return lower_first(name) if name.startswith(("Log-rank", "Modified")) else name


def methods_sentence(result: SurvivalComparisonResult) -> str:
    """Say how it was done, for the methods section."""
    endpoint = lower_first(result.endpoint_label)
    if result.by_label is None or not result.tests:
        return f"Groups were not compared for {endpoint}."
    names = [_in_text(one.label.split(" (")[0]) for one in result.tests]
    text = (
        f"{result.endpoint_label} was compared between groups by two-sided "
        f"{joined(list(dict.fromkeys(names)))} tests"
    )
    if result.strata_label is not None:
        text += f", also stratified by {lower_first(result.strata_label)},"
    text += (
        f" and by hazard ratios of a Cox model ({TIES_NAMES[result.ties]}'s handling of ties)"
        f"{result.methods_addition}"
    )
    if result.pairs:
        text += "; pairs of groups by log-rank tests with Holm's adjustment"
    if result.permutation is not None:
        text += "; with few events, also by a permutation test"
    if result.spec.resamples:
        text += (
            f"; differences of medians have bootstrap percentile intervals "
            f"({result.spec.resamples:,} samples)"
        )
    if result.mean_horizon is not None:
        text += (
            "; restricted mean times were compared up to "
            f"{format_number(result.mean_horizon)} {result.display_unit.value}"
        )
    if result.landmark is not None:
        text += (
            f"; times count from a landmark at {result.landmark.words}, in patients still under "
            "observation without an event"
        )
    return f"{text}."


@says_subset
def result_sentences(result: SurvivalComparisonResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing can be compared."""
    endpoint = lower_first(result.endpoint_label)
    if not result.tests:
        return (f"No two groups are compared for {endpoint}.",)
    first = result.tests[0].test
    compared = [name for name, n, _ in result.groups if n]
    between = f" between {groups_in_words(compared)}" if len(compared) > 1 else ""
    if first.p_value is None or first.statistic is None:
        reason = f" ({REASONS[first.reason]})" if first.reason else ""
        out = [f"The log-rank test of {endpoint}{between} is not estimable{reason}."]
    else:
        out = [
            f"Log-rank test of {endpoint}{between}: χ² = {round_half_up(first.statistic, 2)}, "
            f"df = {first.df}, {result.provenance.p(first.p_value)}."
        ]
    found = result.permutation
    if found is not None and found.reason is None:
        out.append(
            f"By permutation, with {counted(result.n_event, 'event')}, "
            f"{result.provenance.p(found.p_value)} ({_ways(found)})."
        )
    if result.trend is not None and result.trend.test.p_value is not None:
        out.append(
            f"Trend over the ordered groups: {result.provenance.p(result.trend.test.p_value)}."
        )  # fmt: skip
    close = [
        f"{pair.one} and {pair.other} ({result.provenance.p(pair.adjusted_p)})"
        for pair in result.pairs
        if pair.adjusted_p is not None and pair.adjusted_p < 1 - result.spec.conf_level
    ]
    if result.pairs:
        limit = f"{1 - result.spec.conf_level:.4g}"
        out.append(
            f"P adjusted by Holm's rule was below {limit} for {joined(close)}."
            if close
            else f"P adjusted by Holm's rule was below {limit} for no pair of groups."
        )
    ratios = sentence_of(result.ratios)
    if ratios is not None:
        out.append(ratios)
    out += _difference_sentences(result)
    out += result.flags
    return tuple(out)


def _difference_sentences(result: SurvivalComparisonResult) -> list[str]:
    if len(result.differences) > MAX_DIFFERENCES_IN_WORDS:
        return ["Differences of medians and of mean time are in the table."]
    out = []
    medians = [
        f"{one.group} less {one.reference}, {estimate_words(one.median, result)}"
        for one in result.differences
        if one.median.value is not None
    ]
    if medians:
        out.append(f"Difference of medians: {'; '.join(medians)}.")
    means = [
        f"{one.group} less {one.reference}, {estimate_words(one.mean.estimate, result)}"
        for one in result.differences
        if one.mean is not None and one.mean.estimate.value is not None
    ]
    if means and not result.is_flagged:
        out.append(
            f"Difference of mean time up to {format_number(result.mean_horizon)} "
            f"{result.display_unit.value}: {'; '.join(means)}."
        )
    return out


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: SurvivalComparisonResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row, times in the raw unit."""
    spec, unit = result.spec, result.unit.value
    base = replace(
        result.provenance.row(spec.kind),
        endpoint=spec.endpoint,
        group_var=spec.by,
        landmark=None if result.landmark is None else result.landmark.words,
    )
    rows = [
        replace(base, statistic="n", value=float(result.n), r="yes"),
        replace(base, statistic="events", value=float(result.n_event), r="yes"),
    ]
    whole = replace(base, n=result.n, events=result.n_event)
    for one in (*result.tests, *([result.trend] if result.trend else [])):
        by_package = one.key in ("log-rank", "peto-peto")
        mine = replace(whole, term=one.key, r="yes" if by_package else "formula")
        rows += replace(mine, statistic="test").of_test(_whole(one.test))
        if one.stratified is not None:
            rows += replace(mine, statistic="stratified_test").of_test(_whole(one.stratified))
    if result.proportional_hazards is not None:
        mine = replace(whole, statistic="proportional_hazards", r="yes")
        rows += mine.of_test(_whole(result.proportional_hazards))
    found = result.permutation
    if found is not None:
        method = f"permutation of log-rank scores, {_ways(found)}"
        test = (
            TestResult(method, found.statistic, None, found.p_value)
            if found.reason is None
            else TestResult(method, reason=found.reason)
        )
        rows.append(replace(whole, statistic="permutation", r="none").of_test(test)[2])
    for pair in result.pairs:
        mine = replace(base, group=pair.one, level=pair.other, r="yes")
        rows += replace(mine, statistic="pair").of_test(_whole(pair.test))
        reason = pair.test.reason.value if pair.test.reason else None
        rows.append(
            replace(
                mine, statistic="pair_p_holm", value=pair.adjusted_p, method="Holm", reason=reason,
                status="estimated" if pair.adjusted_p is not None else "not_estimable",
            )
        )  # fmt: skip
    for difference in result.differences:
        rows += _difference_rows(base, difference, unit, result)
    rows.append(replace(base, statistic="n_not_included", value=float(result.n_not_included)))
    if result.landmark is not None:
        rows += result.landmark.rows(base)
    return tuple(rows)


def _whole(test: TestResult) -> TestResult:
    """Drop the degrees of freedom of a test that has no P, so that a row holds all or nothing."""
    return test if test.p_value is not None else TestResult(test.name, reason=test.reason)


def _difference_rows(
    base: ResultRow, one: GroupDifference, unit: str, result: SurvivalComparisonResult
) -> list[ResultRow]:
    mine = replace(base, group=one.group, level=one.reference, n=one.n, events=one.n_event)
    rows = []
    ratios = [("hazard_ratio", one.hazard_ratio)]
    if one.stratified_hazard_ratio is not None:
        ratios.append(("stratified_hazard_ratio", one.stratified_hazard_ratio))
    for name, ratio in ratios:
        row = replace(mine, statistic=name, r="yes").of_estimate(ratio.hazard_ratio)
        rows.append(replace(row, method=f"Cox, {ratio.ties.value}, Wald"))
        if ratio.test is not None:
            rows.append(replace(mine, statistic=name, r="yes").of_test(ratio.test)[2])
    rows.append(replace(mine, statistic="median_difference", unit=unit).of_estimate(one.median))
    at_unit = result.display_unit.value
    for rate in one.rates:
        timed = replace(mine, term=f"{rate.at:g} {at_unit}", r="formula")
        row = replace(timed, statistic="rate_difference", unit="proportion")
        rows.append(row.of_estimate(rate.estimate))
        rows.append(replace(timed, statistic="rate_difference").of_test(rate.test)[2])
    if one.mean is not None:
        timed = replace(mine, term=f"{one.mean.at!r} {at_unit}", r="formula")
        row = replace(timed, statistic="mean_difference", unit=unit)
        rows.append(row.of_estimate(one.mean.estimate))
        rows.append(replace(timed, statistic="mean_difference").of_test(one.mean.test)[2])
    if one.crosses_at is not None:
        rows.append(
            replace(mine, statistic="curves_cross_at", value=one.crosses_at, unit=unit)
        )  # fmt: skip
    return rows


def r_code(result: SurvivalComparisonResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` of the patients of this comparison, with ``time`` (raw
    unit, from the landmark where there is one), ``event`` (1 or 0), ``group`` (a factor, the
    reference first) and, where there are strata, ``stratum``. Weighted tests that ``survdiff`` does
    not know are written out. Bootstrap and permutation depend on random numbers and are left out.
    """
    if not result.tests or result.reference is None:
        return "# fewer than two groups are compared\n"
    factor = result.unit_factor
    lines = [
        "library(survival)",
        "y <- with(d, Surv(time, event))",
        "control <- coxph.control(eps = 1e-11, iter.max = 200)",
        "print(survdiff(y ~ group, data = d))",
        "print(survdiff(y ~ group, data = d, rho = 1))",
        "weighted <- function(weight) {",
        "  y <- aeqSurv(y); time <- y[, 1]; event <- y[, 2]; levels <- levels(factor(d$group))",
        "  u <- numeric(length(levels)); v <- diag(0, length(levels)); s <- s1 <- 1",
        "  for (t in sort(unique(time[event == 1]))) {",
        "    n <- sum(time >= t); k <- sum(time == t & event == 1); s1 <- s1 * (1 - k / (n + 1))",
        "    p <- sapply(levels, function(g) sum(time >= t & d$group == g)) / n",
        "    o <- sapply(levels, function(g) sum(time == t & event == 1 & d$group == g))",
        "    w <- weight(n, s, s1); u <- u + w * (o - k * p)",
        "    if (n > 1) v <- v + w^2 * k * (n - k) / (n - 1) * (diag(p) - outer(p, p))",
        "    s <- s * (1 - k / n)",
        "  }",
        "  x <- sum(u[-1] * solve(v[-1, -1], u[-1])); df <- length(levels) - 1",
        "  c(chisq = x, df = df, p = pchisq(x, df, lower.tail = FALSE))",
        "}",
        "print(weighted(function(n, s, s1) n))  # Gehan-Breslow",
        "print(weighted(function(n, s, s1) sqrt(n)))  # Tarone-Ware",
        "print(weighted(function(n, s, s1) s1 * n / (n + 1)))  # modified Peto-Peto",
    ]
    if result.spec.fleming_harrington is not None:
        rho, gamma = result.spec.fleming_harrington
        lines.append(f"print(weighted(function(n, s, s1) s^{rho:g} * (1 - s)^{gamma:g}))")
    if result.trend is not None:
        lines += [
            f"scores <- c({', '.join(repr(score) for score in result.scores)})",
            "test <- survdiff(y ~ group, data = d)  # groups in the order of the scores",
            "x <- sum(scores * (test$obs - test$exp))^2 / drop(scores %*% test$var %*% scores)",
            "print(c(chisq = x, p = pchisq(x, 1, lower.tail = FALSE)))",
        ]
    lines += [
        f'fit <- coxph(y ~ group, data = d, ties = "{result.ties.value}", control = control)',
        f"print(summary(fit, conf.int = {result.spec.conf_level}))",
        "print(cox.zph(fit))",
    ]
    if result.strata_label is not None:
        lines += [
            "print(survdiff(y ~ group + strata(stratum), data = d))",
            "print(summary(coxph(y ~ group + strata(stratum), data = d, "
            f'ties = "{result.ties.value}", control = control)))',
        ]
    if result.pairs:
        lines += [
            "pairs <- combn(levels(factor(d$group)), 2)",
            "p <- apply(pairs, 2, function(two) survdiff(y ~ group, data = d, "
            "subset = group %in% two)$pvalue)",
            'print(data.frame(t(pairs), p = p, holm = p.adjust(p, "holm")))',
        ]
    lines.append("curves <- survfit(y ~ group, data = d)")
    marks = [rate.at * factor for rate in result.differences[0].rates] if result.differences else []
    if marks:
        lines.append(
            f"print(summary(curves, times = c({', '.join(map(repr, marks))}), extend = TRUE))"
        )
    if result.mean_horizon is not None:
        lines += [
            f"means <- summary(curves, rmean = {result.mean_horizon * factor!r})$table",
            'd1 <- means[-1, "rmean"] - means[1, "rmean"]',
            'se <- sqrt(means[-1, "se(rmean)"]^2 + means[1, "se(rmean)"]^2)',
            "print(cbind(difference = d1, se = se, p = 2 * pnorm(-abs(d1 / se))))",
        ]
    return "\n".join(lines) + "\n"
