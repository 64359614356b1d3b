"""Survival results and figures that the tests of figures and renderers share."""

from __future__ import annotations

import numpy as np

from sts_core.analysis.curve_options import CurveOptions
from sts_core.analysis.kaplan_meier import KaplanMeierResult, KaplanMeierSpec, kaplan_meier
from sts_core.analysis.provenance import SYNTHETIC_STAMP
from sts_core.cohort import FlowDiagram, FlowStep
from sts_core.estimates import Estimate, NotEstimable, not_estimable
from sts_core.figures.flow_diagram import flow_diagram
from sts_core.figures.forest_plot import ForestRow, forest_plot
from sts_core.figures.marks import Figure
from sts_core.figures.survival_curve import survival_curve
from sts_core.study import Measured, Variable
from tests.cohorts import make_cohort

#: What a spreadsheet may hold in place of a name.
HOSTILE = ("软组织肉瘤", "<script>alert(1)</script>", "<i>x</i>", "=1+1", "R & D", "$a_b$ \\alpha")
HISTOTYPES = (
    "Leiomyosarcoma",
    "Alveolar soft part sarcoma",
    "Rhabdomyosarcoma",
    "Clear cell sarcoma",
    "Myxofibrosarcoma",
    "Synovial sarcoma",
    "Malignant peripheral nerve sheath tumor",
    "Undifferentiated pleomorphic sarcoma",
    "Others",
)
SIZES_OF_NINE = (11, 6, 6, 5, 5, 3, 3, 3, 9)


def result_of(
    sizes: tuple[int, ...],
    names: tuple[str, ...] = HISTOTYPES,
    *,
    synthetic: bool = True,
    seed: int = 3,
    levels: tuple[str, ...] | None = None,
    horizon: float | None = None,
) -> KaplanMeierResult:
    """Estimate survival of made-up patients in groups of the given sizes; one size, no groups."""
    random = np.random.default_rng(seed)
    time, status, group = [], [], []
    for i, n in enumerate(sizes):
        death = random.exponential(130 + 80 * i, n) + 20
        censoring = random.uniform(40, 420 + 80 * i, n)
        time += [float(np.ceil(t)) for t in np.minimum(death, censoring)]
        status += [int(d <= c) for d, c in zip(death, censoring, strict=True)]
        group += [names[i]] * n
    cohort = make_cohort(
        {"time": time, "status": status, "group": group},
        variables={
            "group": Variable(
                label="Histotype", levels=names[: len(sizes)], measured=Measured.BASELINE
            )
        },
        synthetic=synthetic,
    )
    by = None if len(sizes) == 1 else "group"
    return kaplan_meier(cohort, KaplanMeierSpec("OS", by=by, levels=levels, horizon=horizon))


def forest() -> Figure:
    """Give a forest plot with everything that may happen to a row."""
    reference = not_estimable(NotEstimable.REFERENCE)
    separated = not_estimable(NotEstimable.SEPARATION)
    rows = (
        ForestRow("ECOG", heading=True),
        ForestRow(
            "0-1", estimates=(reference, reference), p_values=(None, None), counts=("28", "18")
        ),
        ForestRow(
            "2-3",
            estimates=(Estimate(3.1, 1.5, 6.4), Estimate(2.9, 1.3, 18.0)),
            p_values=(0.0004, 0.006),
            counts=("23", "21"),
            weight=21,
        ),
        ForestRow("Histotype", heading=True),
        ForestRow(
            HISTOTYPES[6],
            estimates=(Estimate(0.3, 0.04, 0.9), None),
            p_values=(0.03, None),
            counts=("3", "1"),
            weight=1,
        ),
        *(
            ForestRow(
                name, estimates=(separated, separated), p_values=(None, None), counts=("3", "0")
            )
            for name in HOSTILE
        ),
    )
    return forest_plot(
        rows,
        panels=("Univariable", "Multivariable"),
        title="Cox regression",
        stamp=SYNTHETIC_STAMP,
        footnotes=("Efron ties.",),
    )


def proportions() -> Figure:
    """Give a forest plot of shares, with 0 and 100%."""
    rows = [
        ForestRow(name, estimates=(Estimate(v, low, high),), counts=(f"{i}/9",), weight=9)
        for i, (name, v, low, high) in enumerate(
            [("A", 0.0, 0.0, 0.7), ("B", 1.0, 0.5, 1.0), (HOSTILE[0], 0.2, 0.02, 0.5)]
        )
    ]
    return forest_plot(
        rows, measure="ORR", scale="proportion", show_p=False, reference_line=0.18, title="Response"
    )


FLOW = FlowDiagram(
    62,
    (
        FlowStep("Second primary tumour", 62, 2, 0, 3, 60),
        FlowStep("Only one cycle of therapy", 60, 6, 2, 0, 54, after_time_zero=True),
        FlowStep(f"{HOSTILE[0]} {HOSTILE[1]}", 54, 3, 0, 0, 51),
        FlowStep("No follow-up data", 51, 0, 0, 0, 51),
    ),
)


def figures() -> dict[str, Figure]:
    """Give a figure of every form and of every awkward size."""
    together = CurveOptions(arrangement="together")
    made = {
        f"{len(sizes)} groups": survival_curve(result_of(sizes), together)
        for sizes in ((51,), (25, 26), (11, 6, 6, 5), SIZES_OF_NINE)
    }
    made["hostile names"] = survival_curve(result_of((9,) * len(HOSTILE), HOSTILE), together)
    made["9 panels"] = survival_curve(result_of(SIZES_OF_NINE))
    made["9 names"] = survival_curve(
        result_of(SIZES_OF_NINE), CurveOptions(arrangement="direct", risk_rows="at_risk")
    )
    made["hostile panels"] = survival_curve(result_of((9,) * len(HOSTILE), HOSTILE))
    made["many patients"] = survival_curve(result_of((2500, 2500)))
    made["forest"] = forest()
    made["proportions"] = proportions()
    made["flow"] = flow_diagram(FLOW, synthetic=True)
    return made
