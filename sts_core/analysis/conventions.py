"""Conventions: what programs do differently with the same data, each by its published formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from sts_core.analysis.provenance import Provenance
from sts_core.display import joined
from sts_core.estimates import TestResult
from sts_core.estimators.follow_up import FollowUpTies
from sts_core.estimators.group_tests import (
    FISHER,
    YATES,
    association,
    exact_association,
    is_two_by_two,
    pearson,
    yates,
)
from sts_core.estimators.log_rank import LogRankWeights
from sts_core.estimators.product_limit import ConfType, QuantileRule
from sts_core.results import ResultRow
from sts_core.study.types import ConventionName, Study

QuantileInterval = Literal["band", "symmetric"]
Ties = Literal["efron", "breslow"]
MeanHorizon = Literal["common", "largest", "own"]


@dataclass(frozen=True, slots=True)
class Convention:
    """How one program estimates, as far as programs differ.

    Parameters
    ----------
    name, label
        Name in the study file, and in a sentence ("the convention of ...").
    conf_type
        Scale of the interval of a survival probability.
    quantile_rule
        Which time is the median when the curve is flat at exactly one half.
    quantile_interval
        Interval of a median: read from the pointwise band, or symmetric about it.
    carries_forward
        Whether survival beyond a last time that is censored is the last value.
    follow_up_ties
        Reverse Kaplan-Meier where an event and a censoring fall together.
    mean_horizon
        Where a restricted mean ends without a stated horizon: the smallest of the groups' largest
        times, the largest of them, or each group's own.
    ties
        Of a Cox model.
    factor_test
        P in the row of a factor of more than two levels in a Cox model.
    log_rank_weights
        Tests of the log-rank family that stand beside each other.
    two_by_two
        P of a table of two rows and two columns: by the smallest expected count, or Pearson's.
    """

    name: ConventionName
    label: str
    conf_type: ConfType
    quantile_rule: QuantileRule
    quantile_interval: QuantileInterval
    carries_forward: bool
    follow_up_ties: FollowUpTies
    mean_horizon: MeanHorizon
    ties: Ties
    factor_test: Literal["likelihood ratio", "Wald"]
    log_rank_weights: tuple[LogRankWeights, ...]
    two_by_two: Literal["by expected count", "Pearson"]

    @property
    def is_own(self) -> bool:
        """Whether it is this app's own."""
        return self.name == "app"


APP: Final = Convention(
    name="app",
    label="this app",
    conf_type=ConfType.LOG_LOG,
    quantile_rule=QuantileRule.MIDPOINT,
    quantile_interval="band",
    carries_forward=False,
    follow_up_ties=FollowUpTies.EVENTS_LEAVE_FIRST,
    mean_horizon="common",
    ties="efron",
    factor_test="likelihood ratio",
    log_rank_weights=(LogRankWeights.LOG_RANK,),
    two_by_two="by expected count",
)
R: Final = Convention(
    name="R",
    label="R",
    conf_type=ConfType.LOG,
    quantile_rule=QuantileRule.MIDPOINT,
    quantile_interval="band",
    carries_forward=True,
    follow_up_ties=FollowUpTies.FLIPPED,
    mean_horizon="largest",
    ties="efron",
    factor_test="Wald",
    log_rank_weights=(LogRankWeights.LOG_RANK,),
    two_by_two="by expected count",
)
SPSS: Final = Convention(
    name="SPSS",
    label="SPSS",
    conf_type=ConfType.LOG_LOG,
    quantile_rule=QuantileRule.FIRST,
    quantile_interval="symmetric",
    carries_forward=False,
    follow_up_ties=FollowUpTies.FLIPPED,
    mean_horizon="own",
    ties="breslow",
    factor_test="Wald",
    log_rank_weights=(
        LogRankWeights.LOG_RANK,
        LogRankWeights.GEHAN_BRESLOW,
        LogRankWeights.TARONE_WARE,
    ),
    two_by_two="Pearson",
)
CONVENTIONS: Final[dict[ConventionName, Convention]] = {
    convention.name: convention for convention in (APP, R, SPSS)
}


def convention_of(study: Study, name: ConventionName | None = None) -> Convention:
    """Give a convention by name, or the one that the study has chosen."""
    return CONVENTIONS[study.analysis.convention if name is None else name]


@dataclass(frozen=True, slots=True)
class SurvivalMethods:
    """How curves are read: what was asked for, else what the convention of the study says.

    Attributes
    ----------
    convention
        Whose rules decide what was not asked for.
    conf_type, quantile_rule, quantile_interval, follow_up_ties
        As in :class:`Convention`.
    chosen
        What was asked for against the convention, as phrases.
    """

    convention: Convention
    conf_type: ConfType
    quantile_rule: QuantileRule
    quantile_interval: QuantileInterval
    follow_up_ties: FollowUpTies
    chosen: tuple[str, ...] = ()

    @property
    def rules(self) -> str:
        """What is decided of quantiles and of the end of a curve, as the rest of a sentence."""
        interval = (
            "symmetric, by the standard error of survival over the slope of the curve"
            if self.quantile_interval == "symmetric"
            else "read from the band of the curve"
        )
        beyond = "carried on" if self.convention.carries_forward else "not estimable"
        return (
            f"medians and quartiles are {_QUANTILES[self.quantile_rule]}, their intervals "
            f"{interval}; survival beyond a last time that is censored is {beyond}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Name the convention, and what was chosen against it."""
        notes = [convention_note(self.convention, self.rules)]
        if self.chosen:
            notes.append(f"Chosen in place of what the convention says: {joined(self.chosen)}.")
        return tuple(notes)


_QUANTILES: Final[dict[QuantileRule, str]] = {
    QuantileRule.MIDPOINT: "the middle of a stretch that is flat at exactly the wanted share",
    QuantileRule.MIDPOINT_OR_NONE: (
        "the middle of a stretch that is flat at exactly the wanted share, and none where no step "
        "follows"
    ),
    QuantileRule.FIRST: "the first time at which at most the wanted share is left",
}
_FOLLOW_UP: Final[dict[FollowUpTies, str]] = {
    FollowUpTies.EVENTS_LEAVE_FIRST: "follow-up with events leaving first",
    FollowUpTies.FLIPPED: "follow-up with the event indicator flipped",
}


def survival_methods(
    study: Study,
    *,
    convention: ConventionName | None = None,
    conf_type: str | None = None,
    quantile_rule: str | None = None,
    quantile_interval: QuantileInterval | None = None,
    follow_up_ties: str | None = None,
) -> SurvivalMethods:
    """Settle how curves are read.

    Parameters
    ----------
    study
        Its scale and its convention decide what is ``None``.
    convention, conf_type, quantile_rule, quantile_interval, follow_up_ties
        What was asked for. A scale that was chosen is also that of the median's interval, unless
        a symmetric one is asked for.
    """
    base = convention_of(study, convention)
    scale = conf_type or study.analysis.conf_type
    interval = quantile_interval or ("band" if scale is not None else base.quantile_interval)
    rule = QuantileRule(quantile_rule or base.quantile_rule)
    if interval == "symmetric":  # its formula has a rule of its own
        rule = QuantileRule.FIRST
    found = SurvivalMethods(
        base,
        ConfType(scale or base.conf_type),
        rule,
        interval,
        FollowUpTies(follow_up_ties or base.follow_up_ties),
    )
    chosen = []
    if found.conf_type is not base.conf_type:
        chosen.append(f"intervals on the {found.conf_type.value} scale")
    if found.quantile_interval != base.quantile_interval:
        chosen.append(
            "symmetric intervals of medians"
            if found.quantile_interval == "symmetric"
            else "intervals of medians from the band"
        )
    if found.quantile_rule is not base.quantile_rule:
        chosen.append("the rule of medians")
    if found.follow_up_ties is not base.follow_up_ties:
        chosen.append(_FOLLOW_UP[found.follow_up_ties])
    return replace(found, chosen=tuple(chosen))


def association_tests(table: np.ndarray, convention: Convention) -> tuple[TestResult, ...]:
    """Test the association of rows and columns of counts as a convention does.

    Parameters
    ----------
    table
        Counts of subjects, shape (levels, groups).
    convention
        Decides on tables of two rows and two columns; larger ones are tested by
        :func:`~.group_tests.association` in each.

    Returns
    -------
    tuple of TestResult
        The test whose P is printed, and what stands beside it.
    """
    if convention.two_by_two == "Pearson" and is_two_by_two(table):
        return pearson(table), yates(table), exact_association(table)
    return (association(table),)


def association_note(convention: Convention) -> str:
    """Give the footnote that names the convention of tests of counts."""
    rule = "Fisher's exact test where an expected count is below 5, else Pearson's"
    if convention.two_by_two == "Pearson":
        rule = (
            f"P of two rows by two columns is Pearson's without correction; larger tables: {rule}"
        )
    return convention_note(convention, rule)


def beside(tests: Sequence[TestResult], provenance: Provenance) -> str:
    """Give tests that stand beside the printed one, in words."""
    return joined([f"{test.name}, {provenance.p(test.p_value)}" for test in tests])


def other_test_rows(base: ResultRow, test: TestResult) -> list[ResultRow]:
    """Give a test that stands beside the printed one as rows; the statistic names it."""
    short = {YATES: "yates", FISHER: "fisher"}[test.name]
    return [
        replace(row, statistic=row.statistic.replace("test_", f"{short}_"))
        for row in base.of_group_test(test)
    ]


def r_association(table: str, convention: Convention) -> list[str]:
    """Give R code for the tests of a table of counts; ``expected`` is there already."""
    rule = [
        f"print(if (min(expected) < 5) fisher.test({table}, workspace = 2e7) else",
        f"  chisq.test({table}, correct = FALSE))",
    ]
    if convention.two_by_two != "Pearson":
        return rule
    return [
        f"if (all(dim({table}) == 2)) {{",
        f"  print(suppressWarnings(chisq.test({table}, correct = FALSE)))",
        f"  print(suppressWarnings(chisq.test({table})))",
        f"  print(fisher.test({table}))",
        f"}} else {rule[0]}",
        rule[1],
    ]


def by_convention(convention: Convention) -> str:
    """Name the convention after a clause of a methods sentence; nothing for the app's own."""
    if convention.is_own:
        return ""
    return f", in {convention.label}'s convention by its published formula"


def convention_note(convention: Convention, rules: str) -> str:
    """Give the footnote that names the convention and what it decides here.

    Parameters
    ----------
    convention
        The one in force.
    rules
        What it decides, as the rest of a sentence.
    """
    whose = (
        "this app's own" if convention.is_own else f"{convention.label}'s, by its published formula"
    )
    return f"Convention: {whose} ({rules})."
