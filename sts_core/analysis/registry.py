"""Every analysis by its kind: what export, report and command line know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sts_core.analysis import adverse_events as ae
from sts_core.analysis import baseline as bl
from sts_core.analysis import competing_risks as cr
from sts_core.analysis import cox
from sts_core.analysis import cross_table as xt
from sts_core.analysis import kaplan_meier as km
from sts_core.analysis import parametric_survival as ps
from sts_core.analysis import response as rs
from sts_core.analysis import set_comparison as st
from sts_core.analysis import software_conventions as sw
from sts_core.analysis import survival_comparison as sc
from sts_core.analysis import survival_comparison_report as scr
from sts_core.cohort import Cohort
from sts_core.display import DisplayTable
from sts_core.findings import Finding, FindingCode, Severity, StudyError
from sts_core.results import ResultRow


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis as six pure functions, and its rows.

    Attributes
    ----------
    kind
        Tag of its spec.
    spec_type
        Dataclass of its choices.
    compute
        ``(cohort, spec) -> result``.
    table, methods, sentences, rows, r_code
        What can be made of the result alone.
    more_tables
        Tables besides the main one.
    """

    kind: str
    spec_type: type[Any]
    compute: Callable[[Cohort, Any], Any]
    table: Callable[[Any], DisplayTable]
    methods: Callable[[Any], str]
    sentences: Callable[[Any], tuple[str, ...]]
    rows: Callable[[Any], tuple[ResultRow, ...]]
    r_code: Callable[[Any], str]
    more_tables: Callable[[Any], tuple[DisplayTable, ...]] = lambda _: ()

    def tables(self, result: Any) -> tuple[DisplayTable, ...]:
        """Give every table of a result, the main one first."""
        return (self.table(result), *self.more_tables(result))


ANALYSES: dict[str, Analysis] = {
    bl.KIND: Analysis(
        bl.KIND,
        bl.BaselineSpec,
        bl.baseline,
        bl.baseline_table,
        bl.methods_sentence,
        bl.result_sentences,
        bl.result_rows,
        bl.r_code,
    ),
    km.KIND: Analysis(
        km.KIND,
        km.KaplanMeierSpec,
        km.kaplan_meier,
        km.survival_table,
        km.methods_sentence,
        km.result_sentences,
        km.result_rows,
        km.r_code,
        lambda result: (km.more_estimates_table(result),),
    ),
    sc.KIND: Analysis(
        sc.KIND,
        sc.SurvivalComparisonSpec,
        sc.survival_comparison,
        scr.comparison_table,
        scr.methods_sentence,
        scr.result_sentences,
        scr.result_rows,
        scr.r_code,
        scr.more_tables,
    ),
    sw.KIND: Analysis(
        sw.KIND,
        sw.SoftwareConventionsSpec,
        sw.software_conventions,
        sw.estimates_table,
        sw.methods_sentence,
        sw.result_sentences,
        sw.result_rows,
        sw.r_code,
        sw.more_tables,
    ),
    rs.KIND: Analysis(
        rs.KIND,
        rs.ResponseSpec,
        rs.response,
        rs.response_table,
        rs.methods_sentence,
        rs.result_sentences,
        rs.result_rows,
        rs.r_code,
    ),
    xt.KIND: Analysis(
        xt.KIND,
        xt.CrossTableSpec,
        xt.cross_table,
        xt.cross_table_display,
        xt.methods_sentence,
        xt.result_sentences,
        xt.result_rows,
        xt.r_code,
    ),
    st.KIND: Analysis(
        st.KIND,
        st.SetComparisonSpec,
        st.set_comparison,
        st.set_table,
        st.methods_sentence,
        st.result_sentences,
        st.result_rows,
        st.r_code,
    ),
    cox.KIND: Analysis(
        cox.KIND,
        cox.CoxSpec,
        cox.cox,
        cox.cox_table,
        cox.methods_sentence,
        cox.result_sentences,
        cox.result_rows,
        cox.r_code,
    ),
    cr.KIND: Analysis(
        cr.KIND,
        cr.CompetingRisksSpec,
        cr.competing_risks,
        cr.incidence_table,
        cr.methods_sentence,
        cr.result_sentences,
        cr.result_rows,
        cr.r_code,
        cr.more_tables,
    ),
    ps.KIND: Analysis(
        ps.KIND,
        ps.ParametricSurvivalSpec,
        ps.parametric_survival,
        ps.parametric_table,
        ps.methods_sentence,
        ps.result_sentences,
        ps.result_rows,
        ps.r_code,
    ),
    ae.KIND: Analysis(
        ae.KIND,
        ae.AdverseEventSpec,
        ae.adverse_events,
        ae.adverse_event_table,
        ae.methods_sentence,
        ae.result_sentences,
        ae.result_rows,
        ae.r_code,
    ),
}


def spec_from(document: dict[str, Any], *, where: str = "analysis.specs") -> Any:
    """Build a spec from a mapping of the study file.

    Raises
    ------
    StudyError
        When its kind isn't known, or a value is wrong; the message gives the path.
    """
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in ANALYSES:
        known = ", ".join(sorted(ANALYSES))
        raise StudyError(_wrong(f"{where}: there is no analysis “{kind}” (known: {known})."))
    try:
        return TypeAdapter(ANALYSES[kind].spec_type).validate_python(document)
    except ValidationError as error:
        raise StudyError(
            _wrong(f"{where}.{'.'.join(map(str, part['loc'])) or kind}: {part['msg']}.")
            for part in error.errors(include_url=False, include_context=False)
        ) from None


def _wrong(message: str) -> Finding:
    return Finding(
        FindingCode.STUDY_FILE_INVALID, Severity.ERROR, message, "Correct the study file."
    )
