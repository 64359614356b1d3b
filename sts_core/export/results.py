"""``results.json``: every number as a long row, with where it came from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from sts_core import __version__
from sts_core.analysis.looked_at import (
    Comparison,
    looked_at_before,
    n_on_other_data,
    together,
)
from sts_core.analysis.plan import Done
from sts_core.analysis.provenance import provenance_of
from sts_core.cohort import Cohort
from sts_core.export.report import reported_comparisons
from sts_core.populations import cohort_of, populations_of
from sts_core.results import SCHEMA_VERSION
from sts_core.study import Study, dump_study

_PACKAGES = ("numpy", "pandas", "lifelines", "scikit-survival")


def results_document(
    cohort: Cohort, done: Sequence[Done], looked_at: Iterable[Comparison] = ()
) -> dict[str, Any]:
    """Put provenance and rows together; nothing in it belongs to a single patient.

    Parameters
    ----------
    cohort
        Patients analysed.
    done
        Analyses in order.
    looked_at
        Comparisons of these data that were looked at in the session; those that the study file
        names count as well.

    Returns
    -------
    dict
        As ``docs/results.schema.json`` says.
    """
    provenance = provenance_of(cohort)
    reported = reported_comparisons(cohort, done)
    every = together(looked_at_before(cohort), looked_at, reported)
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": {
            "title": provenance.title,
            "synthetic": provenance.synthetic,
            "exploratory": provenance.exploratory,
            "exploratory_p_reported": provenance.exploratory and provenance.report_p,
            "data_sha256": cohort.data_hash,
            "study_sha256": _hash_of_choices(cohort.study),
            "fingerprint": cohort.fingerprint,
            "data_cutoff": provenance.cutoff,
            "patients_in_file": provenance.n_in_file,
            "patients_analysed": provenance.n_analysed,
            "populations": [
                {"key": key, "label": population.label, "patients": cohort_of(cohort, key).n}
                for key, population in populations_of(cohort.study).items()
            ],
            "comparisons": {
                "looked_at": len(every),
                "looked_at_below_0_05": sum(one.p_value < 0.05 for one in every),
                "looked_at_exploratory": sum(one.exploratory for one in every),
                "looked_at_on_other_data": n_on_other_data(cohort),
                "reported": len(reported),
            },
            "flow": [
                {
                    "label": step.label,
                    "n_before": step.n_before,
                    "n_excluded": step.n_excluded,
                    "n_missing_excluded": step.n_missing_excluded,
                    "n_not_verifiable": step.n_not_verifiable,
                    "n_after": step.n_after,
                    "after_time_zero": step.after_time_zero,
                    "exploratory": step.exploratory,
                }
                for step in cohort.flow.steps
            ],
            "versions": {
                "sts_core": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in _PACKAGES},
            },
        },
        "analyses": [
            {"spec": dataclasses.asdict(item.spec), "methods": item.analysis.methods(item.result)}
            for item in done
        ],
        "rows": [row.as_dict() for item in done for row in item.analysis.rows(item.result)],
    }


def _hash_of_choices(study: Study) -> str:
    """Hash the study file; what was looked at before it was kept is no choice."""
    choices = dataclasses.replace(study, analysis=dataclasses.replace(study.analysis, looked_at=()))
    return hashlib.sha256(dump_study(choices).encode()).hexdigest()


def results_json(document: dict[str, Any]) -> str:
    """Write the document; NaN and infinity are refused, since JSON has none."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
