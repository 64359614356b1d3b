"""The report's basket: analyses as they were on their page, in the study file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from pages._ui import state, widgets
from sts_core.study import Study


def as_document(spec: Any) -> dict[str, Any]:
    """Give a spec as the study file holds it."""
    document: dict[str, Any] = TypeAdapter(type(spec)).dump_python(spec, mode="json")
    return document


def with_items(study: Study, items: tuple[dict[str, Any], ...]) -> Study:
    """Give the study with other report items."""
    return replace(study, report=replace(study.report, items=items))


def add_to_report(spec: Any, what: str = "") -> None:
    """Offer to put what the page shows into the report, or to take it out again.

    Parameters
    ----------
    spec
        What is shown.
    what
        Its name on the button, where the page shows several things.
    """
    named = f"{what} " if what else ""
    study = state.workspace().study
    if study is None:
        return
    document = as_document(spec)
    items = study.report.items
    inside = document in items

    def change() -> None:
        rest = tuple(item for item in items if item != document)
        state.change_study(with_items(study, rest if inside else (*items, document)))

    widgets.button(
        f"Remove {named}from report" if inside else f"Add {named}to report",
        f"basket.{document['kind']}",
        change,
        icon=":material/playlist_remove:" if inside else ":material/playlist_add:",
    )
