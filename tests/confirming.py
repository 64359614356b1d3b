"""Saying yes to what was proposed, as a user does who agrees with everything."""

from __future__ import annotations

from dataclasses import replace

from sts_core.study import Status, Study


def confirmed(study: Study) -> Study:
    """Answer every question with what was proposed, and change nothing else."""
    yes = Status.CONFIRMED
    definitions = study.definitions
    events = definitions.adverse_events
    return replace(
        study,
        data=replace(
            study.data,
            tables={
                role: replace(source, subject_id_status=yes)
                for role, source in study.data.tables.items()
            },
        ),
        definitions=replace(
            definitions,
            endpoints={
                code: replace(item, events_status=yes, unit_status=yes)
                for code, item in definitions.endpoints.items()
            },
            variables={
                key: replace(item, status=yes) for key, item in definitions.variables.items()
            },
            response=replace(definitions.response, status=yes) if definitions.response else None,
            adverse_events=replace(events, status=yes) if events else None,
        ),
    )
