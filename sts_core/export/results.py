"""``results.json``: every number as a long row, with where it came from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from sts_core import __version__
from sts_core.analysis.plan import Done
from sts_core.analysis.provenance import provenance_of
from sts_core.cohort import Cohort
from sts_core.populations import cohort_of, populations_of
from sts_core.results import SCHEMA_VERSION
from sts_core.study import dump_study

_PACKAGES = ("numpy", "pandas", "lifelines", "scikit-survival")


def results_document(cohort: Cohort, done: Sequence[Done]) -> dict[str, Any]:
    """Put provenance and rows together; nothing in it belongs to a single patient.

    Parameters
    ----------
    cohort
        Patients analysed.
    done
        Analyses in order.

    Returns
    -------
    dict
        As ``docs/results.schema.json`` says.
    """
    provenance = provenance_of(cohort)
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": {
            "title": provenance.title,
            "synthetic": provenance.synthetic,
            "exploratory": provenance.exploratory,
            "exploratory_p_reported": provenance.exploratory and provenance.report_p,
            "data_sha256": cohort.data_hash,
            "study_sha256": hashlib.sha256(dump_study(cohort.study).encode()).hexdigest(),
            "fingerprint": cohort.fingerprint,
            "data_cutoff": provenance.cutoff,
            "patients_in_file": provenance.n_in_file,
            "patients_analysed": provenance.n_analysed,
            "populations": [
                {"key": key, "label": population.label, "patients": cohort_of(cohort, key).n}
                for key, population in populations_of(cohort.study).items()
            ],
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


def results_json(document: dict[str, Any]) -> str:
    """Write the document; NaN and infinity are refused, since JSON has none."""
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
