"""A report: sections in order, each with its figure, table, words and footnotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.looked_at import (
    Comparison,
    comparisons_of,
    looked_at_before,
    together,
)
from sts_core.analysis.plan import Done
from sts_core.analysis.population_ends import population_ends
from sts_core.analysis.provenance import Provenance, provenance_of
from sts_core.analysis.selection_effect import (
    EffectSpec,
    criteria_methods,
    effect_table,
    response_sentence,
    safety_sentence,
    selection_effect,
    survival_sentence,
)
from sts_core.cohort import Cohort
from sts_core.display import DisplayTable
from sts_core.figures.catalogue import figure_of
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.marks import Figure
from sts_core.populations import TREATED, cohort_of, has_late_criteria


@dataclass(frozen=True, slots=True)
class Section:
    """One finding: what a slide, a page of a document or a sheet shows.

    Attributes
    ----------
    title
        Heading.
    figure, table
        Either may be missing.
    methods
        How it was made, one sentence.
    sentences
        What was found.
    footnotes
        Definitions, denominators, selection, stamps.
    """

    title: str
    figure: Figure | None
    table: DisplayTable | None
    methods: str
    sentences: tuple[str, ...]
    footnotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Sections of one cohort, with where they come from."""

    provenance: Provenance
    sections: tuple[Section, ...]
    n_comparisons: int = 0
    n_looked_at: int = 0

    @property
    def methods(self) -> tuple[str, ...]:
        """Every methods sentence once, in order; then how many comparisons there are."""
        said = dict.fromkeys(part.methods for part in self.sections if part.methods)
        return (*said, *self.comparisons)

    @property
    def comparisons(self) -> tuple[str, ...]:
        """How many comparisons are reported, of how many that were looked at; as a sentence."""
        n, looked = self.n_comparisons, self.n_looked_at
        if max(n, looked) < 2:
            return ()
        if looked > n:
            verb = "is" if n == 1 else "are"
            said = f"Of {looked} comparisons that were looked at with a P value, {n} {verb}"
        else:
            said = f"{n} comparisons with a P value are"
        return (f"{said} reported, not adjusted for their number.",)

    @property
    def record(self) -> tuple[str, ...]:
        """Selection, cut-off and stamps as sentences, and how many comparisons there are."""
        return (*self.provenance.record, *self.comparisons)


def flow_section(cohort: Cohort) -> Section:
    """Give the flow of patients as a section."""
    notes = provenance_of(cohort).footnotes
    return Section(
        title="Patients and criteria",
        figure=flow_diagram(
            cohort.flow,
            populations=population_ends(cohort),
            synthetic=cohort.study.synthetic,
        ),
        table=None,
        methods=criteria_methods(cohort),
        sentences=(f"Of {cohort.n_in_file} patients in the file, {cohort.n} were analysed.",),
        footnotes=notes,
    )


def effect_section(cohort: Cohort) -> Section:
    """Give the main results of all treated patients beside those under all criteria."""
    effect = selection_effect(cohort, EffectSpec(cohort.study.analysis.conf_level))
    table = effect_table(effect)
    codes = [item.code for item in effect.treated.medians]
    sentences = (
        response_sentence(effect),
        *(survival_sentence(effect, code) for code in codes),
        safety_sentence(effect),
    )
    return Section(
        title=table.title,
        figure=None,
        table=table,
        methods="",
        sentences=tuple(sentence for sentence in sentences if sentence),
        footnotes=table.footnotes,
    )


def build_report(
    cohort: Cohort, done: Sequence[Done], looked_at: Iterable[Comparison] = ()
) -> Report:
    """Put the flow of patients and the analyses into one report.

    Parameters
    ----------
    cohort, done
        Patients, and analyses in order.
    looked_at
        Comparisons of these data that were looked at in the session; those that the study file
        names count as well.
    """
    sections = [flow_section(cohort)]
    if has_late_criteria(cohort.study) and cohort_of(cohort, TREATED).n > cohort.n:
        sections.append(effect_section(cohort))
    for item in done:
        table, *others = item.tables
        figure = figure_of(item.analysis.kind, item.result)
        # a title that was given to the figure is the heading above it
        drawing = getattr(item.spec, "drawing", None)
        own = drawing.title if isinstance(drawing, CurveOptions) else None
        sections.append(
            Section(
                title=item.titled(own) if own else table.title,
                figure=figure and replace(figure, title=item.titled(figure.title)),
                table=table,
                methods=item.analysis.methods(item.result),
                sentences=item.analysis.sentences(item.result),
                footnotes=table.footnotes,
            )
        )
        sections += [Section(more.title, None, more, "", (), more.footnotes) for more in others]
    reported = reported_comparisons(cohort, done)
    every = together(looked_at_before(cohort), looked_at, reported)
    return Report(provenance_of(cohort), tuple(sections), len(reported), len(every))


def reported_comparisons(cohort: Cohort, done: Sequence[Done]) -> tuple[Comparison, ...]:
    """Give the comparisons that some analyses hold."""
    return together(
        *(
            comparisons_of(cohort, item.analysis.kind, item.spec, item.analysis.rows(item.result))
            for item in done
        )
    )
