"""A report: sections in order, each with its figure, table, words and footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.looked_at import comparisons_of
from sts_core.analysis.plan import Done
from sts_core.analysis.population_ends import population_ends
from sts_core.analysis.provenance import Provenance, provenance_of
from sts_core.analysis.selection_effect import (
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

    @property
    def methods(self) -> tuple[str, ...]:
        """Every methods sentence once, in order; then how many comparisons there are."""
        said = dict.fromkeys(part.methods for part in self.sections if part.methods)
        n = self.n_comparisons
        if n < 2:
            return tuple(said)
        counted_them = (
            f"{n} comparisons with a P value are reported, not adjusted for their number."
        )
        return (*said, counted_them)


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
    effect = selection_effect(cohort, cohort.study.analysis.conf_level)
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


def build_report(cohort: Cohort, done: Sequence[Done]) -> Report:
    """Put the flow of patients and the analyses into one report."""
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
    compared = {
        one.key
        for item in done
        for one in comparisons_of(
            cohort, item.analysis.kind, item.spec, item.analysis.rows(item.result)
        )
    }
    return Report(provenance_of(cohort), tuple(sections), len(compared))
