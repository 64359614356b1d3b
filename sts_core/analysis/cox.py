"""Prognosis: Cox regression for each variable alone, and for several together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as spec_dataclass

from sts_core.analysis.comparison import (
    p_cell,
    patients_listed,
    percent_level,
    r_string,
    r_strings,
    same_partition,
)
from sts_core.analysis.conventions import (
    Convention,
    by_convention,
    convention_note,
    convention_of,
)
from sts_core.analysis.followed import loss_sentences
from sts_core.analysis.group_rules import best_cut_notes
from sts_core.analysis.hazard_ratio import TIES_NAMES, ratio_of
from sts_core.analysis.landmark import refuse_covariates_known_later
from sts_core.analysis.provenance import Provenance, provenance_of, says_subset
from sts_core.cohort import Cohort
from sts_core.derive import (
    Loss,
    SurvivalData,
    is_categorical,
    levels_of,
    numbers_of,
    rule_sentences,
    survival_data,
    variable_of,
)
from sts_core.display import (
    REASONS,
    Cell,
    Column,
    DisplayTable,
    Format,
    counted,
    format_estimate,
    format_number,
    joined,
    lower_first,
)
from sts_core.estimates import Estimate, NotEstimable, TestResult, not_estimable
from sts_core.estimators.concordance import concordance
from sts_core.estimators.cox import (
    CoxFit,
    cox_fit,
    cox_fit_many,
    likelihood_ratio_test,
    wald_test,
)
from sts_core.estimators.cox_likelihood import Ties
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.members import (
    AnyHolds,
    Count,
    CountedText,
    HasLevel,
    HasTime,
    HasValue,
    Members,
    TimeState,
)
from sts_core.populations import cohort_of
from sts_core.results import ResultRow
from sts_core.study.types import ConventionName, VariableKind

KIND: Final = "cox"
FEW_EVENTS_PER_PARAMETER = 10.0
MAX_TERMS_IN_WORDS = 8
_SINGULAR_UNITS = {"years": "year", "months": "month", "weeks": "week", "days": "day"}

Model = Literal["univariable", "multivariable"]
FactorTest = Literal["likelihood ratio", "Wald"]


@spec_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CoxSpec:
    """What to fit.

    Parameters
    ----------
    endpoint
        Code of the endpoint.
    covariates
        Keys of variables or groupings, in the order of the table.
    model
        Which of the two models to show.
    selection
        Which variables enter the multivariable model: those chosen, or those whose univariable
        Wald P (k - 1 degrees of freedom for a factor of k levels) is strictly below ``entry_p``.
    entry_p
        Threshold of the screening.
    multivariable
        Variables that may enter the multivariable model; all of ``covariates`` when ``None``.
    ties
        Handling of tied times; that of the convention when ``None``.
    convention
        Whose rules decide where programs differ; that of the study when ``None``.
    conf_level
        Coverage of intervals.
    per
        Units by which a number's hazard ratio is given: ``(("age", 10),)`` for 10 years of age.
    population
        Key of the analysis population; the patients that all criteria leave when ``None``.
    """

    endpoint: str
    covariates: tuple[str, ...]
    model: Literal["univariable", "multivariable", "both"] = "both"
    selection: Literal["chosen", "screening"] = "chosen"
    entry_p: float = 0.05
    multivariable: tuple[str, ...] | None = None
    ties: Literal["efron", "breslow"] | None = None
    convention: ConventionName | None = None
    conf_level: float = 0.95
    per: tuple[tuple[str, float], ...] = ()
    population: str | None = None
    kind: Literal["cox"] = KIND

    def __post_init__(self) -> None:
        for name in ("conf_level", "entry_p"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in (0, 1), but was {getattr(self, name)}")
        if not self.covariates:
            raise ValueError("covariates must name at least one variable")
        if len(set(self.covariates)) < len(self.covariates):
            raise ValueError(f"covariates must differ, but were {', '.join(self.covariates)}")
        others = set(self.multivariable or ()) - set(self.covariates)
        if others:
            raise ValueError(f"multivariable names {', '.join(sorted(others))} besides covariates")
        for key, step in self.per:
            if not (step > 0 and math.isfinite(step)):
                raise ValueError(f"per must be above 0, but was {step} for {key}")

    @property
    def shows_univariable(self) -> bool:
        """Whether the univariable models are part of the answer."""
        return self.model != "multivariable"

    @property
    def shows_multivariable(self) -> bool:
        """Whether the multivariable model is part of the answer."""
        return self.model != "univariable"


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient of one model.

    Attributes
    ----------
    hazard_ratio
        With its Wald interval; reason ``REFERENCE`` for the reference level.
    coefficient, std_error
        Log hazard ratio, ``None`` where not estimable.
    test
        Wald test of the coefficient, ``None`` for the reference level.
    n, n_event
        Patients with this level in the model, and their events.
    """

    hazard_ratio: Estimate
    coefficient: float | None
    std_error: float | None
    test: TestResult | None
    n: int
    n_event: int


@dataclass(frozen=True, slots=True)
class CovariateLevel:
    """A level of a factor, or a number's unit step (``level`` is ``None``)."""

    level: str | None
    label: str
    n: int
    n_event: int
    univariable: Term
    multivariable: Term | None

    @property
    def is_reference(self) -> bool:
        """Whether the others are compared with it."""
        return self.univariable.hazard_ratio.reason is NotEstimable.REFERENCE

    def term(self, model: Model) -> Term | None:
        """Give the coefficient in one of the models."""
        return self.univariable if model == "univariable" else self.multivariable


@dataclass(frozen=True, slots=True)
class CovariateTests:
    """Tests of all coefficients of a variable together.

    Attributes
    ----------
    wald
        With k - 1 degrees of freedom; decides on entry. Not estimable where a level has no events
        (or all of them): its coefficient goes to infinity and Wald's statistic to 0, so that what
        R prints there (the statistic of the other levels on k - 1 degrees of freedom) is a P that
        grows with the effect. A test of the other levels alone would leave out the level that
        differs most, and answer another question. Such a factor is named in the note on entry.
    likelihood_ratio
        Against the model without the variable; in the multivariable model only for factors of
        more than two levels, ``None`` for others. It is the P in the row of a factor, because it
        keeps a finite limit where a level has no events: all levels count, as in R's ``anova``.
    """

    wald: TestResult
    likelihood_ratio: TestResult | None


@dataclass(frozen=True, slots=True)
class Covariate:
    """A variable with what both models say of it.

    Attributes
    ----------
    key, label
        Of the study file.
    is_factor
        Whether it has levels; a number has one coefficient.
    reference
        Level that others are compared with, among those with patients; ``None`` for a number.
    moved_reference
        The study's reference level, where it has no patients and another one stands in.
    per, unit
        Step and unit of a number.
    n, n_event, n_missing, n_unreadable
        Patients with a time whose value is known, their events, and those without.
    univariable, multivariable
        Tests of the variable as a whole; ``None`` where it is not in the model.
    entered
        Whether it met the entry rule; ``None`` without screening.
    same_as
        Label of an earlier variable of the multivariable model whose levels stand one to one for
        this one's, so that it is left out there; ``None`` for all others.
    """

    key: str
    label: str
    is_factor: bool
    levels: tuple[CovariateLevel, ...]
    reference: str | None
    moved_reference: str | None
    per: float
    unit: str | None
    n: int
    n_event: int
    n_missing: int
    n_unreadable: int
    univariable: CovariateTests
    multivariable: CovariateTests | None
    entered: bool | None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class MultivariableModel:
    """The model of several variables together.

    Attributes
    ----------
    covariates
        Keys of those in it.
    n, n_event
        Patients with all of its values known, and their events.
    n_excluded
        Patients with a time that miss at least one value.
    missing
        Variable's label and patients missing it; a patient counts for each value missed.
    n_parameters
        Coefficients that carry information.
    events_per_parameter
        ``None`` without a parameter.
    likelihood_ratio, wald, score
        Tests of all coefficients together.
    concordance
        Harrell's C of the model in the patients it was fitted to; ``None`` when not computed.
    """

    covariates: tuple[str, ...]
    n: int
    n_event: int
    n_excluded: int
    missing: tuple[tuple[str, str, int], ...]
    n_parameters: int
    events_per_parameter: float | None
    log_likelihood: float
    likelihood_ratio: TestResult
    wald: TestResult
    score: TestResult
    concordance: Estimate | None
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class CoxResult:
    """Hazard ratios of one endpoint.

    Attributes
    ----------
    convention, ties
        Whose rules were followed where programs differ, and how tied times were handled.
    n, n_event
        Patients with a usable time, and events.
    covariates
        In the order of the spec.
    model
        The multivariable model; ``None`` when not asked for, or when no variable entered.
    losses
        Patients without a usable time, by reason.
    rules
        Rules of follow-up in force, as sentences.
    chosen_by_data
        Of covariates whose cut the data chose: the corrected P, and the warning.
    """

    spec: CoxSpec
    convention: Convention
    ties: Ties
    endpoint_label: str
    time_zero: str
    n: int
    n_event: int
    late_entry: bool
    covariates: tuple[Covariate, ...]
    model: MultivariableModel | None
    losses: tuple[Loss, ...]
    provenance: Provenance
    footnotes: tuple[str, ...]
    rules: tuple[str, ...] = ()
    chosen_by_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EncodedCovariate:
    """A variable over the patients with a time: codes of levels (-1 not known), or numbers."""

    key: str
    label: str
    unit: str | None
    per: float
    levels: tuple[str, ...]
    reference: str | None
    codes: np.ndarray | None
    values: np.ndarray
    known: np.ndarray
    n_unreadable: int

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Count patients of each level among some rows."""
        assert self.codes is not None
        codes = self.codes[rows]
        return np.bincount(codes[codes >= 0], minlength=len(self.levels))

    def reference_code(self, rows: np.ndarray) -> int | None:
        """Give the reference level's code, or the first one that has patients when it has none."""
        filled = np.flatnonzero(self.counts(rows))
        if not len(filled):
            return None
        stated = self.levels.index(self.reference) if self.reference is not None else -1
        return stated if stated in filled else int(filled[0])

    def design(self, rows: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        """Give columns over all rows (NaN where not known), and which level each stands for.

        Levels without patients among ``rows`` have no column.
        """
        if self.codes is None:
            return self.values[:, None], (0,)
        reference = self.reference_code(rows)
        shown = tuple(int(c) for c in np.flatnonzero(self.counts(rows)) if c != reference)
        columns = (self.codes[:, None] == np.array(shown, dtype=np.int64)[None, :]).astype(float)
        columns[~self.known] = math.nan
        return columns, shown


def cox(cohort: Cohort, spec: CoxSpec) -> CoxResult:
    """Fit Cox models to the patients analysed.

    Parameters
    ----------
    cohort
        Patients with their endpoint; those without a usable time are counted in ``losses``.
    spec
        What to fit. A univariable model uses everyone whose value is known; the multivariable
        model everyone with all of its values.

    Returns
    -------
    CoxResult
        A coefficient without a finite estimate (a level without events, one variable that
        determines another) is not estimable, with its reason.

    Raises
    ------
    StudyError
        When a variable isn't there, is a date, or is known only after time zero.
    KeyError
        When the study has no such endpoint.

    References
    ----------
    .. [1] Cox, J R Stat Soc B 34 (1972) 187-220.
    .. [2] Efron, J Am Stat Assoc 72 (1977) 557-565: ties.
    .. [3] Harrell et al., JAMA 247 (1982) 2543-2546: concordance.
    """
    cohort = cohort_of(cohort, spec.population)
    refuse_covariates_known_later(cohort, spec.covariates)
    data = survival_data(cohort, spec.endpoint)
    convention = convention_of(cohort.study, spec.convention)
    ties = Ties(spec.ties or convention.ties)
    per = dict(spec.per)
    encoded = [encode_covariate(cohort, data, key, per.get(key, 1.0)) for key in spec.covariates]
    everyone = np.ones(data.n, dtype=bool)
    designs = [variable.design(everyone) for variable in encoded]
    fits = cox_fit_many(
        data.time,
        data.event,
        [columns for columns, _ in designs],
        entry=data.entry,
        ties=ties,
    )
    event = data.event
    tests = [
        CovariateTests(wald_test(fit), fit.likelihood_ratio_test)
        if columns.shape[1]
        else _no_tests(variable, data.n)
        for variable, (columns, _), fit in zip(encoded, designs, fits, strict=True)
    ]
    entered: list[bool | None] = [None] * len(encoded)
    candidates = set(spec.covariates if spec.multivariable is None else spec.multivariable)
    if spec.selection == "screening":
        entered = [
            variable.key in candidates
            and test.wald.p_value is not None
            and test.wald.p_value < spec.entry_p
            for variable, test in zip(encoded, tests, strict=True)
        ]
    members = (
        [
            at
            for at, variable in enumerate(encoded)
            if (variable.key in candidates if entered[at] is None else entered[at])
        ]
        if spec.shows_multivariable
        else []
    )
    again = _recodings([encoded[at] for at in members])
    members = [at for at in members if encoded[at].key not in again]
    joint = (
        _Joint.fit([encoded[at] for at in members], data, spec.conf_level, ties)
        if members
        else None
    )
    covariates = []
    for at, (variable, (_, shown), fit) in enumerate(zip(encoded, designs, fits, strict=True)):
        terms = _terms(variable, everyone, event, fit, range(len(shown)), shown, spec.conf_level)
        place = members.index(at) if at in members else None
        joint_terms = None if joint is None or place is None else joint.terms[place]
        joint_tests = None if joint is None or place is None else joint.tests[place]
        covariates.append(
            _covariate(
                variable, event, terms, tests[at], joint_terms, joint_tests, entered[at],
                again.get(variable.key),
            )
        )  # fmt: skip
    result = CoxResult(
        spec=spec,
        convention=convention,
        ties=ties,
        endpoint_label=data.endpoint.label,
        time_zero=data.endpoint.time_zero,
        n=data.n,
        n_event=int(event.sum()),
        late_entry=data.entry is not None,
        covariates=tuple(covariates),
        model=joint.model if joint else None,
        losses=data.losses,
        provenance=provenance_of(
            cohort, covariates=spec.covariates, adjusts=spec.shows_multivariable
        ),
        footnotes=(),
        rules=rule_sentences(cohort, spec.endpoint, data.endpoint, data),
        chosen_by_data=_chosen_by_data(cohort, spec),
    )
    return replace(result, footnotes=_footnotes(result))


def _chosen_by_data(cohort: Cohort, spec: CoxSpec) -> tuple[str, ...]:
    groupings, variables = cohort.study.definitions.groupings, cohort.study.definitions.variables
    keys = [groupings[key].variable if key in groupings else key for key in spec.covariates]
    found = [
        note
        for key in dict.fromkeys(keys)
        if key in variables
        for note in best_cut_notes(cohort, key, variables[key])
    ]
    return tuple(dict.fromkeys(found))


def _recodings(members: Sequence[EncodedCovariate]) -> dict[str, str]:
    """Give each factor that says the same as an earlier one -> that one's label."""
    label_of = {variable.key: variable.label for variable in members}
    columns = {
        variable.key: np.array(
            [None if code < 0 else code for code in variable.codes.tolist()], dtype=object
        )
        for variable in members
        if variable.codes is not None
    }
    return {key: label_of[first] for key, first in same_partition(columns).items()}


def encode_covariate(
    cohort: Cohort, data: SurvivalData, key: str, per: float = 1.0
) -> EncodedCovariate:
    """Read a variable or grouping for the patients with a time.

    Raises
    ------
    StudyError
        When it is a date.
    """
    grouping = cohort.study.definitions.groupings.get(key)
    variable = variable_of(cohort, grouping.variable if grouping else key)
    if grouping is None and variable.kind is VariableKind.DATE:
        raise StudyError(
            Finding(
                FindingCode.STUDY_FILE_INVALID,
                Severity.ERROR,
                f"“{variable.label}” is a date and can't be a covariate.",
                "Choose a number or a variable with levels.",
                column=variable.column or key,
            )
        )
    if grouping is not None or is_categorical(variable) or variable.cuts:
        found = levels_of(cohort, key)
        code_of = {level: code for code, level in enumerate(found.levels)}
        codes = np.array(
            [code_of.get(value, -1) for value in found.values[data.position]], dtype=np.int64
        )
        return EncodedCovariate(
            key, found.label, None, 1.0, found.levels, found.reference,
            codes, np.zeros(0), codes >= 0, 0,
        )  # fmt: skip
    read = numbers_of(cohort, key)
    values = read.values[data.position] / per
    return EncodedCovariate(
        key, variable.label, variable.unit, per, (), None, None, values,
        ~np.isnan(values), int(read.unreadable[data.position].sum()),
    )  # fmt: skip


def _no_tests(variable: EncodedCovariate, n: int) -> CovariateTests:
    """Say why a factor is not tested in which no two levels have patients."""
    nobody = n == 0 or not variable.known.any()
    reason = NotEstimable.NO_SUBJECTS if nobody else NotEstimable.NO_VARIATION
    return CovariateTests(
        TestResult("Wald", reason=reason), TestResult("likelihood ratio", reason=reason)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """The multivariable model, and what it says of each of its variables."""

    model: MultivariableModel
    terms: list[list[Term]]
    tests: list[CovariateTests]

    @classmethod
    def fit(
        cls, encoded: Sequence[EncodedCovariate], data: SurvivalData, conf_level: float, ties: Ties
    ) -> _Joint:
        complete = np.logical_and.reduce([variable.known for variable in encoded])
        time, event = data.time[complete], data.event[complete]
        entry = None if data.entry is None else data.entry[complete]
        designs = [variable.design(complete) for variable in encoded]
        columns = np.hstack([block[complete] for block, _ in designs])
        starts = np.cumsum([0, *(block.shape[1] for block, _ in designs)])
        spans = [range(int(low), int(high)) for low, high in itertools.pairwise(starts)]
        fit = cox_fit(time, event, columns, entry=entry, ties=ties)
        wide = [at for at, span in enumerate(spans) if len(span) > 1]
        reduced = cox_fit_many(
            time,
            event,
            [np.delete(columns, list(spans[at]), axis=1) for at in wide],
            entry=entry,
            ties=ties,
        )
        ratio = {
            at: likelihood_ratio_test(fit, without)
            for at, without in zip(wide, reduced, strict=True)
        }
        terms, tests = [], []
        for at, (variable, (_, shown), span) in enumerate(
            zip(encoded, designs, spans, strict=True)
        ):
            terms.append(_terms(variable, complete, data.event, fit, span, shown, conf_level))
            tests.append(
                CovariateTests(wald_test(fit, list(span)), ratio.get(at))
                if len(span)
                else replace(_no_tests(variable, int(complete.sum())), likelihood_ratio=None)
            )
        n_event = int(event.sum())
        model = MultivariableModel(
            covariates=tuple(variable.key for variable in encoded),
            n=int(complete.sum()),
            n_event=n_event,
            n_excluded=int((~complete).sum()),
            missing=tuple(
                (variable.key, variable.label, int((~variable.known).sum()))
                for variable in encoded
                if not variable.known.all()
            ),
            n_parameters=fit.rank,
            events_per_parameter=n_event / fit.rank if fit.rank else None,
            log_likelihood=fit.log_likelihood,
            likelihood_ratio=fit.likelihood_ratio_test,
            wald=fit.wald_test,
            score=fit.score_test,
            concordance=_concordance(data, complete, fit),
            converged=fit.converged,
        )
        return cls(model, terms, tests)


def _concordance(data: SurvivalData, rows: np.ndarray, fit: CoxFit) -> Estimate | None:
    method = "Harrell"
    if data.entry is not None:
        return None
    if not fit.rank:
        return not_estimable(NotEstimable.NO_VARIATION, method=method)
    found = concordance(data.time[rows], data.event[rows], fit.linear_predictor)
    if found.reason is not None:
        return not_estimable(found.reason, method=method)
    return Estimate(found.estimate, method=method)


def _terms(
    variable: EncodedCovariate,
    rows: np.ndarray,
    event: np.ndarray,
    fit: CoxFit,
    span: range,
    shown: tuple[int, ...],
    conf_level: float,
) -> list[Term]:
    """Give a coefficient for each level, or the one of a number."""
    if variable.codes is None:
        used = rows & variable.known
        return [_term(fit, span[0], int(used.sum()), int(event[used].sum()), conf_level)]
    counts = variable.counts(rows)
    events = variable.counts(rows & event)
    reference = variable.reference_code(rows)
    column_of = dict(zip(shown, span, strict=True))
    terms = []
    for code in range(len(variable.levels)):
        n, n_event = int(counts[code]), int(events[code])
        if code in column_of:
            terms.append(_term(fit, column_of[code], n, n_event, conf_level))
            continue
        reason = NotEstimable.REFERENCE if code == reference else NotEstimable.NO_SUBJECTS
        nothing = not_estimable(reason, conf_level=conf_level, method="Wald")
        test = None if code == reference else TestResult("Wald", reason=reason)
        terms.append(Term(nothing, None, None, test, n, n_event))
    return terms


def _term(fit: CoxFit, column: int, n: int, n_event: int, conf_level: float) -> Term:
    known = fit.reasons[column] is None
    return Term(
        ratio_of(fit, column, conf_level),
        float(fit.coefficients[column]) if known else None,
        float(fit.std_errors[column]) if known else None,
        wald_test(fit, [column]),
        n,
        n_event,
    )


def _covariate(
    variable: EncodedCovariate,
    event: np.ndarray,
    terms: list[Term],
    tests: CovariateTests,
    joint_terms: list[Term] | None,
    joint_tests: CovariateTests | None,
    entered: bool | None,
    same_as: str | None,
) -> Covariate:
    names: Sequence[str | None] = variable.levels if variable.codes is not None else (None,)
    levels = tuple(
        CovariateLevel(
            name, step_of(variable) if name is None else name, term.n, term.n_event, term,
            None if joint_terms is None else joint_terms[at],
        )
        for at, (name, term) in enumerate(zip(names, terms, strict=True))
    )  # fmt: skip
    reference = next((level.level for level in levels if level.is_reference), None)
    moved = variable.reference if reference not in (None, variable.reference) else None
    n = int(variable.known.sum())
    return Covariate(
        key=variable.key,
        label=variable.label,
        is_factor=variable.codes is not None,
        levels=levels,
        reference=reference,
        moved_reference=moved,
        per=variable.per,
        unit=variable.unit,
        n=n,
        n_event=int(event[variable.known].sum()),
        n_missing=len(variable.known) - n - variable.n_unreadable,
        n_unreadable=variable.n_unreadable,
        univariable=tests,
        multivariable=joint_tests,
        entered=entered,
        same_as=same_as,
    )


def step_of(variable: EncodedCovariate) -> str:
    """Write the step that a number's ratio is given by: per 10 years."""
    step = f"{variable.per:g}"
    unit = variable.unit or "unit"
    if variable.per == 1:
        unit = _SINGULAR_UNITS.get(unit, unit)
    elif variable.unit is None:
        unit = "units"
    return f"per {step} {unit}"


# --- table ---------------------------------------------------------------------------------------


def cox_table(result: CoxResult) -> DisplayTable:
    """Give a row a level with patients, events, hazard ratio and P of both models side by side."""
    models = tuple(
        model
        for model in _shown_models(result)
        if model == "univariable"
        or result.spec.model == "multivariable"
        or any(level.term(model) is not None for c in result.covariates for level in c.levels)
    )
    columns = [
        Column("variable", "Variable"),
        Column("n", "Patients", Format.INTEGER),
        Column("events", "Events", Format.INTEGER),
    ]
    for model in models:
        spanner = model.capitalize()
        columns += [
            Column(
                f"{model}_hr",
                f"HR ({percent_level(result.spec.conf_level)} CI)",
                Format.ESTIMATE,
                decimals=2,
                spanner=spanner,
            ),
            Column(f"{model}_p", "P", Format.P_VALUE, spanner=spanner),
        ]
    rows: list[dict[str, Cell]] = []
    members: dict[tuple[int, str], Members] = {}

    for covariate in result.covariates:
        if not covariate.is_factor:
            (level,) = covariate.levels
            members |= _level_members(result, covariate, level, models, len(rows))
            rows.append(_level_row(result, f"{covariate.label}, {level.label}", level, models, 0))
            continue
        heading: dict[str, Cell] = {"variable": covariate.label, "_heading": True}
        for model in models:
            overall = overall_test(covariate, model, result.convention.factor_test)
            if overall is not None:
                heading[f"{model}_p"] = p_cell(overall)
        rows.append(heading)
        for level in covariate.levels:
            members |= _level_members(result, covariate, level, models, len(rows))
            rows.append(_level_row(result, level.label, level, models, 1))
    title = f"Cox regression of {lower_first(result.endpoint_label)}"
    table = DisplayTable(title, tuple(columns), tuple(rows), result.footnotes, members)
    return result.provenance.marked(table)


def _level_members(
    result: CoxResult,
    covariate: Covariate,
    level: CovariateLevel,
    models: tuple[Model, ...],
    row: int,
) -> dict[tuple[int, str], Members]:
    """Describe the patients of a level and their events, in the model whose counts are shown."""
    joint = models == ("multivariable",) and level.multivariable is not None
    return {
        (row, key): level_members(result, covariate, level, state, complete=joint)
        for key, state in _TIME_STATES
    }


def level_members(
    result: CoxResult,
    covariate: Covariate,
    level: CovariateLevel,
    state: TimeState = "usable",
    *,
    complete: bool = False,
) -> Members:
    """Describe the patients of a level; those complete in the multivariable model when asked."""
    own = (
        HasValue(covariate.key) if level.level is None else HasLevel(covariate.key, (level.level,))
    )
    keys = result.model.covariates if complete and result.model is not None else ()
    others = tuple(HasValue(key) for key in keys if key != covariate.key)
    return Members(
        (own, *others, HasTime(result.spec.endpoint, state)), population=result.spec.population
    )


_TIME_STATES: tuple[tuple[str, TimeState], ...] = (("n", "usable"), ("events", "event"))


def _shown_models(result: CoxResult) -> tuple[Model, ...]:
    models: list[Model] = []
    if result.spec.shows_univariable or result.spec.selection == "screening":
        models.append("univariable")
    if result.spec.shows_multivariable:
        models.append("multivariable")
    return tuple(models)


def overall_test(
    covariate: Covariate, model: Model, factor_test: FactorTest = "likelihood ratio"
) -> TestResult | None:
    """Give the test of a factor with more than two levels in a model.

    ``None`` for a number, for two levels (whose own P says the same), and outside the model.

    Parameters
    ----------
    covariate
        The factor.
    model
        Which of the two models.
    factor_test
        The likelihood ratio test, or Wald's with as many degrees of freedom as levels but one.
    """
    tests = covariate.univariable if model == "univariable" else covariate.multivariable
    if tests is None or not covariate.is_factor or tests.likelihood_ratio is None:
        return None
    terms = [level.term(model) for level in covariate.levels]
    if sum(bool(t and t.n) for t in terms) <= 2:
        return None
    return tests.wald if factor_test == "Wald" else tests.likelihood_ratio


def _level_row(
    result: CoxResult, label: str, level: CovariateLevel, models: tuple[Model, ...], indent: int
) -> dict[str, Cell]:
    term = level.multivariable if models == ("multivariable",) else None
    row: dict[str, Cell] = {
        "variable": label,
        "n": term.n if term else level.n,
        "events": term.n_event if term else level.n_event,
        "_indent": indent,
    }
    for model in models:
        term = level.term(model)
        if term is not None:
            row[f"{model}_hr"] = term.hazard_ratio
            row[f"{model}_p"] = p_cell(term.test)
    return row


# --- words ---------------------------------------------------------------------------------------


def _footnotes(result: CoxResult) -> tuple[str, ...]:
    spec, model = result.spec, result.model
    notes: list[str] = [
        CountedText.of(
            patients_listed(result.n, _with_time(result)),
            ", ",
            Count(counted(result.n_event, "event"), _with_time(result, "event")),
            f". Cox proportional hazards regression, {TIES_NAMES[result.ties]}'s handling of ties; "
            f"Wald {percent_level(spec.conf_level)} "
            "confidence intervals and two-sided Wald P values. HR, hazard ratio; NE, not "
            "estimable.",
        )
    ]
    models = _shown_models(result)
    if any(overall_test(c, m) is not None for c in result.covariates for m in models):
        notes.append(
            "P in the row of a variable with more than two levels: "
            f"{result.convention.factor_test} test of all its levels together."
        )
    notes.append(_convention_note(result))
    unknown = [
        CountedText.of(f"{c.label} ", _not_known(result, c.key, c.n_missing + c.n_unreadable))
        for c in result.covariates
        if c.n_missing + c.n_unreadable
    ]
    if unknown:
        notes.append(
            CountedText.of(
                "A univariable model leaves out patients whose value is not known: ",
                CountedText.joined(unknown, ", "),
                ".",
            )
        )
    notes += [
        f"{c.label}: nobody has the reference level {c.moved_reference}; compared with "
        f"{c.reference} instead."
        for c in result.covariates
        if c.moved_reference is not None
    ]
    notes += _reason_notes(result, models)
    if spec.selection == "screening" and spec.shows_multivariable:
        notes.append(_screening_note(result))
    notes += [
        f"{c.label}: same grouping as {c.same_as}, so that only {c.same_as} is in the "
        "multivariable model."
        for c in result.covariates
        if c.same_as is not None
    ]
    if model is not None:
        notes += _model_notes(result, model)
    notes += result.chosen_by_data
    if result.late_entry:
        notes.append("Patients are at risk from their entry on (delayed entry).")
    notes += result.rules
    notes += loss_sentences(result.losses, spec.endpoint, spec.population)
    notes += result.provenance.footnotes
    return tuple(notes)


def _convention_note(result: CoxResult) -> str:
    factors = "P of a factor by its likelihood ratio"
    if result.convention.factor_test == "Wald":
        factors = "P of a factor by Wald's test of all its coefficients"
    ties = TIES_NAMES[Ties(result.convention.ties)]
    note = convention_note(
        result.convention,
        f"ties by {ties}; {factors}; the reference level is that of the study file",
    )
    if result.ties.value != result.convention.ties:
        note += f" {TIES_NAMES[result.ties]}'s handling of ties was chosen in place of {ties}'s."
    return note


def _reason_notes(result: CoxResult, models: tuple[Model, ...]) -> list[str]:
    """Say why a hazard ratio is not estimable, with the variables and levels concerned."""
    found: dict[NotEstimable, dict[str, None]] = {}
    for covariate in result.covariates:
        for level in covariate.levels:
            for model in models:
                term = level.term(model)
                reason = term.hazard_ratio.reason if term else None
                if reason is not None and reason is not NotEstimable.REFERENCE:
                    who = f"{covariate.label}: {level.label}"
                    found.setdefault(reason, {})[who] = None
    return [f"NE, {REASONS[reason]}: {'; '.join(who)}." for reason, who in found.items()]


def _screening_note(result: CoxResult) -> str:
    rule = (
        f"Entry into the multivariable model: univariable Wald P < {result.spec.entry_p:g} "
        "(all levels of a factor together)"
    )
    entered = [c.label for c in result.covariates if c.entered]
    if entered:
        text = (
            f"{rule}: {joined(entered)}. Selection by P makes the final intervals too narrow and "
            "the P values too small."
        )
    else:
        text = f"{rule}; no variable met it, so that there is no multivariable model."
    candidates = result.spec.multivariable or result.spec.covariates
    untested = [
        f"{c.label} ({REASONS[c.univariable.wald.reason]})"
        for c in result.covariates
        if c.key in candidates and c.univariable.wald.reason is not None
    ]
    if untested:
        text += f" Not entered, because this P is not estimable: {joined(untested)}."
    return text


def _with_time(result: CoxResult, state: TimeState = "usable") -> Members:
    """Describe the patients of the regression, or those with the event."""
    spec = result.spec
    return Members((HasTime(spec.endpoint, state),), population=spec.population)


def _not_known(result: CoxResult, key: str, n: int) -> Count:
    return Count(str(n), _with_time(result).and_also(HasValue(key, known=False)))


def _model_notes(result: CoxResult, model: MultivariableModel) -> list[str]:
    known = tuple(HasValue(key) for key in model.covariates)
    unknown = AnyHolds(tuple(HasValue(key, known=False) for key in model.covariates))
    text = f", {counted(model.n_parameters, 'parameter')}"
    per = model.events_per_parameter
    if per is not None:
        text += f" ({format_number(per)} events per parameter)"
    if model.concordance is not None and model.concordance.value is not None:
        text += f"; concordance {format_number(model.concordance.value, 3)}"
    notes: list[str] = [
        CountedText.of(
            "Multivariable model: ",
            Count(str(model.n), _with_time(result).and_also(*known)),
            " of ",
            patients_listed(result.n, _with_time(result)),
            " with all of its values known, ",
            Count(counted(model.n_event, "event"), _with_time(result, "event").and_also(*known)),
            f"{text}.",
        )
    ]
    if model.concordance is None:
        notes.append("Concordance is not given with delayed entry.")
    if model.n_excluded:
        by = [
            CountedText.of(f"{label} ", _not_known(result, key, n))
            for key, label, n in model.missing
        ]
        notes.append(
            CountedText.of(
                patients_listed(model.n_excluded, _with_time(result).and_also(unknown)),
                " not in the multivariable model for a value not known (",
                CountedText.joined(by, ", "),
                ").",
            )
        )
    for covariate in result.covariates:
        other = _reference_of(covariate, "multivariable")
        if other is not None and other != covariate.reference:
            notes.append(
                f"{covariate.label}: in the multivariable model nobody has {covariate.reference}; "
                f"compared with {other} there."
            )
    if per is not None and per < FEW_EVENTS_PER_PARAMETER:
        notes.append(
            f"Fewer than {FEW_EVENTS_PER_PARAMETER:.0f} events per parameter: the multivariable "
            "estimates are unstable."
        )
    return notes


def _reference_of(covariate: Covariate, model: Model) -> str | None:
    """Give the reference level of a model; ``None`` for a number, and outside the model."""
    for level in covariate.levels:
        term = level.term(model)
        if term is not None and term.hazard_ratio.reason is NotEstimable.REFERENCE:
            return level.level
    return None


def methods_sentence(result: CoxResult) -> str:
    """Say how it was done, for the methods section."""
    spec = result.spec
    what = {
        "univariable": "univariable Cox proportional hazards models",
        "multivariable": "a multivariable Cox proportional hazards model",
        "both": "univariable and multivariable Cox proportional hazards models",
    }[spec.model]
    text = (
        f"Associations with {lower_first(result.endpoint_label)} were estimated by {what} "
        f"({TIES_NAMES[result.ties]}'s handling of ties), as hazard ratios with Wald "
        f"{percent_level(spec.conf_level)} confidence intervals"
        f"{by_convention(result.convention)}"
    )
    if spec.shows_multivariable and spec.selection == "screening":
        text += (
            "; variables with a univariable Wald P below "
            f"{spec.entry_p:g} entered the multivariable model"
        )
    elif spec.shows_multivariable:
        text += "; the variables of the multivariable model were chosen beforehand"
    if spec.shows_multivariable:
        text += ", which was fitted to patients with complete values"
    return text + "."


@says_subset
def result_sentences(result: CoxResult) -> tuple[str, ...]:
    """Say what was found, without causal words; right when nothing is estimable."""
    out = []
    endpoint = lower_first(result.endpoint_label)
    for model in _shown_models(result):
        said = [
            text
            for covariate in result.covariates
            for level in covariate.levels
            if (text := _term_text(result, covariate, level, model)) is not None
        ]
        if len(said) > MAX_TERMS_IN_WORDS:
            out.append(
                f"{model.capitalize()} hazard ratios for {endpoint}, {len(said)} of them, are in "
                "the table."
            )
        elif said:
            out.append(f"{model.capitalize()} hazard ratios for {endpoint}: {'; '.join(said)}.")
    if result.spec.shows_multivariable and result.model is None:
        out.append(
            "No variable met the entry rule, so that there is no multivariable model "
            f"for {endpoint}."
        )
    if result.model is not None:
        out += _model_notes(result, result.model)[:1]
    return tuple(out)


def _term_text(
    result: CoxResult, covariate: Covariate, level: CovariateLevel, model: Model
) -> str | None:
    term = level.term(model)
    if term is None or term.test is None:
        return None
    what = covariate.label
    if covariate.is_factor:
        against = _reference_of(covariate, model)
        what += f", {level.label}" + (f" against {against}" if against else "")
    else:
        what += f", {level.label}"
    ratio = term.hazard_ratio
    if ratio.value is None:
        reason = REASONS[ratio.reason] if ratio.reason else "not estimable"
        return f"{what}, not estimable ({reason})"
    low, high = format_number(ratio.low, 2), format_number(ratio.high, 2)
    p = result.provenance.p(term.test.p_value)
    return (
        f"{what}, {format_estimate(ratio, 2, interval=False)} "
        f"({percent_level(result.spec.conf_level)} CI {low} to {high}, {p})"
    )


# --- rows and R ----------------------------------------------------------------------------------


def result_rows(result: CoxResult) -> tuple[ResultRow, ...]:
    """Give every number as a long row; ``statistic`` begins with the model it is of."""
    spec = result.spec
    base = replace(result.provenance.row(KIND), endpoint=spec.endpoint)
    rows = [
        replace(base, statistic="n", value=float(result.n), r="yes"),
        replace(base, statistic="events", value=float(result.n_event), r="yes"),
    ]
    method = f"Cox, {result.ties.value}"
    for covariate in result.covariates:
        mine = replace(base, term=covariate.key, n=covariate.n, events=covariate.n_event)
        missing = covariate.n_missing + covariate.n_unreadable
        rows.append(replace(mine, statistic="n_missing", value=float(missing), r="yes"))
        for model in _shown_models(result):
            tests = covariate.univariable if model == "univariable" else covariate.multivariable
            if tests is None:
                continue
            if model == "multivariable" and result.model is not None:
                mine = replace(mine, n=result.model.n, events=result.model.n_event)
            rows += replace(mine, statistic=f"{model}_wald", r="yes").of_test(_whole(tests.wald))
            if tests.likelihood_ratio is not None:
                row = replace(mine, statistic=f"{model}_likelihood_ratio", r="yes")
                rows += row.of_test(_whole(tests.likelihood_ratio))
            for level in covariate.levels:
                rows += _term_rows(mine, covariate, level, model, method)
    if spec.selection == "screening":
        rows += [
            replace(base, term=c.key, statistic="entered", value=float(bool(c.entered)))
            for c in result.covariates
        ]
    if result.model is not None:
        rows += _model_rows(base, result.model)
    lost = sum(len(loss.subjects) for loss in result.losses)
    rows.append(replace(base, statistic="n_not_included", value=float(lost)))
    return tuple(rows)


def _whole(test: TestResult) -> TestResult:
    """Drop the degrees of freedom of a test that has no P, so that a row holds all or nothing."""
    return test if test.p_value is not None else TestResult(test.name, reason=test.reason)


def _term_rows(
    base: ResultRow, covariate: Covariate, level: CovariateLevel, model: Model, method: str
) -> list[ResultRow]:
    term = level.term(model)
    if term is None:
        return []
    unit = None if covariate.is_factor else level.label
    mine = replace(base, level=level.level, n=term.n, events=term.n_event, unit=unit, r="yes")
    ratio = replace(mine, statistic=f"{model}_hazard_ratio").of_estimate(term.hazard_ratio)
    rows = [replace(ratio, method=f"{method}, Wald")]
    if term.test is not None:
        p_value = replace(mine, statistic=f"{model}_p").of_test(term.test)[2]
        rows.append(replace(p_value, statistic=f"{model}_p", unit=None))
    return rows


def _model_rows(base: ResultRow, model: MultivariableModel) -> list[ResultRow]:
    mine = replace(base, n=model.n, events=model.n_event, r="yes")
    rows = [
        replace(mine, statistic="multivariable_n", value=float(model.n)),
        replace(mine, statistic="multivariable_events", value=float(model.n_event)),
        replace(mine, statistic="multivariable_n_excluded", value=float(model.n_excluded)),
        replace(mine, statistic="multivariable_parameters", value=float(model.n_parameters)),
    ]
    if model.events_per_parameter is not None:
        rows.append(
            replace(
                mine,
                statistic="events_per_parameter",
                value=model.events_per_parameter,
                r="formula",
            )
        )
    if model.concordance is not None:
        row = replace(mine, statistic="concordance").of_estimate(model.concordance)
        rows.append(replace(row, conf_level=None))
    for name, test in (
        ("likelihood_ratio", model.likelihood_ratio),
        ("wald", model.wald),
        ("score", model.score),
    ):
        rows += replace(mine, statistic=f"model_{name}").of_test(_whole(test))
    return rows


def r_code(result: CoxResult) -> str:
    """Give R code for the same numbers.

    The code expects a data frame ``d`` with ``time`` (raw unit), ``event`` (1 or 0), a column for
    each variable under its key (NA where not known) and, with delayed entry, ``entry``.
    """
    spec = result.spec
    outcome = "Surv(entry, time, event)" if result.late_entry else "Surv(time, event)"
    lines = [
        "library(survival)",
        "control <- coxph.control(eps = 1e-11, iter.max = 200)",
        f'ties <- "{result.ties.value}"',
        f"level <- {spec.conf_level}",
    ]
    names = {}
    for covariate in result.covariates:
        column = f"d[[{r_string(covariate.key)}]]"
        name = _r_name(covariate.key)
        if covariate.is_factor:
            levels = ", ".join(r_string(str(level.level)) for level in covariate.levels if level.n)
            lines.append(f"{column} <- factor({column}, levels = c({levels}))")
            if covariate.reference is not None:
                lines.append(
                    f"{column} <- relevel({column}, ref = {r_string(covariate.reference)})"
                )
        elif covariate.per != 1:
            name = f"I({name} / {covariate.per!r})"
        names[covariate.key] = name

    def fit(target: str, right: str, data: str = "d") -> list[str]:
        return [
            f"{target} <- coxph({outcome} ~ {right}, data = {data}, ties = ties,",
            "  control = control)",
            f"print(summary({target}, conf.int = level))",
        ]

    if "univariable" in _shown_models(result):
        for covariate in result.covariates:
            lines += fit("fit", names[covariate.key])
    if result.model is not None:
        keys = result.model.covariates
        used = ("entry", "time", "event") if result.late_entry else ("time", "event")
        lines.append(f"complete <- droplevels(na.omit(d[, {r_strings((*used, *keys))}]))")
        right = " + ".join(names[key] for key in keys)
        lines += fit("full", right, "complete")
        if len(keys) > 1:
            lines.append('print(drop1(full, test = "Chisq"))')
        if result.model.concordance is not None:
            lines.append('print(full$concordance["concordance"])')
    return "\n".join(lines) + "\n"


def _r_name(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
