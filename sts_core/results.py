"""Numbers as long rows: what ``results.json`` holds, whatever the analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

from sts_core.estimates import Estimate, TestResult

SCHEMA_VERSION = 1

Reproducible = Literal["yes", "formula", "none"]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One number with everything that says what it is; keys may be added, never renamed.

    Attributes
    ----------
    analysis, statistic
        Kind of the analysis, and what the number is ("median", "rate", "hazard_ratio").
    dataset
        Which subjects: "analysed", or "exploratory" when filters are in force.
    endpoint, group_var, group, term, level
        Where it belongs; ``None`` where that has no meaning.
    value, low, high, conf_level, unit
        The number, raw; ``None`` where not estimable.
    n, events, denominator
        Subjects and events behind it; what a share is of.
    method
        How the number or its interval was made.
    status, reason
        "estimated" or "not_estimable", and why not.
    r
        Whether the exported R script gives it: by a package, by a formula, or not.
    population
        Key of the analysis population ("efficacy", "safety", ...).
    landmark
        Time from which on times count, with its unit; ``None`` from time zero.
    """

    analysis: str
    statistic: str
    dataset: str = "analysed"
    endpoint: str | None = None
    group_var: str | None = None
    group: str | None = None
    term: str | None = None
    level: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    conf_level: float | None = None
    unit: str | None = None
    n: int | None = None
    events: int | None = None
    denominator: int | None = None
    method: str | None = None
    status: Literal["estimated", "not_estimable"] = "estimated"
    reason: str | None = None
    r: Reproducible = "none"
    population: str | None = None
    landmark: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Give the row as a mapping in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of_estimate(self, estimate: Estimate) -> ResultRow:
        """Give this row with an estimate's numbers; JSON has no infinity, so it is a reason."""
        reasons = [
            f"{name}: {reason.value}"
            for name, reason in (("low", estimate.low_reason), ("high", estimate.high_reason))
            if reason is not None
        ]
        numbers = {name: getattr(estimate, name) for name in ("value", "low", "high")}
        for name, number in numbers.items():
            if number is not None and math.isinf(number):
                numbers[name] = None
                reasons.append(f"{name}: infinite")
        if estimate.reason is not None:
            reasons = [estimate.reason.value]
        return replace(
            self,
            value=numbers["value"],
            low=numbers["low"],
            high=numbers["high"],
            conf_level=estimate.conf_level,
            method=estimate.method or self.method,
            status="estimated" if numbers["value"] is not None else "not_estimable",
            reason="; ".join(reasons) or None,
        )

    def of_test(self, test: TestResult) -> tuple[ResultRow, ResultRow, ResultRow]:
        """Give the statistic, its degrees of freedom and P of a test."""
        base = replace(
            self,
            method=test.name,
            status="estimated" if test.p_value is not None else "not_estimable",
            reason=test.reason.value if test.reason else None,
        )
        return (
            replace(base, statistic=f"{self.statistic}_chi_square", value=test.statistic),
            replace(
                base,
                statistic=f"{self.statistic}_df",
                value=None if test.df is None else float(test.df),
            ),
            replace(base, statistic=f"{self.statistic}_p", value=test.p_value),
        )

    def of_group_test(self, test: TestResult, *, simulated: bool = False) -> list[ResultRow]:
        """Give P of a test between groups, with statistic and degrees of freedom if it has them.

        Parameters
        ----------
        test
            What was found, or why there is nothing.
        simulated
            Whether P comes from random tables, which no other software gives again.
        """
        base = replace(
            self,
            method=test.name,
            status="estimated" if test.p_value is not None else "not_estimable",
            reason=test.reason.value if test.reason else None,
            r="none" if simulated else "yes",
        )
        rows = [replace(base, statistic="test_p", value=test.p_value)]
        if test.statistic is not None:
            rows.append(replace(base, statistic="test_statistic", value=test.statistic))
        if test.df is not None:
            rows.append(replace(base, statistic="test_df", value=float(test.df)))
        return rows
