"""What pages are made of: the only code that knows both Streamlit and the core."""

from pages._ui.compute import compute
from pages._ui.inputs import (
    choose,
    choose_endpoint,
    choose_grouping,
    choose_one,
    plain,
    survival_options,
    toggle,
    toggled_levels,
)
from pages._ui.shell import open_page, page
from pages._ui.show import (
    export_menu,
    no_endpoint,
    show_figure,
    show_findings,
    show_losses,
    show_notice,
    show_table,
)

__all__ = [
    "choose",
    "choose_endpoint",
    "choose_grouping",
    "choose_one",
    "compute",
    "export_menu",
    "no_endpoint",
    "open_page",
    "page",
    "plain",
    "show_figure",
    "show_findings",
    "show_losses",
    "show_notice",
    "show_table",
    "survival_options",
    "toggle",
    "toggled_levels",
]
