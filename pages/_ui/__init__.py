"""What pages are made of: the only code that knows both Streamlit and the core."""

from pages._ui.basket import add_to_report
from pages._ui.chart import expect_charts
from pages._ui.compute import compute
from pages._ui.inputs import (
    choose,
    choose_covariates,
    choose_endpoint,
    choose_grouping,
    choose_one,
    plain,
    survival_options,
    toggle,
    toggled_levels,
)
from pages._ui.shell import lazy_tabs, open_page, page
from pages._ui.show import (
    count_card,
    empty_state,
    export_menu,
    in_words,
    model_line,
    no_endpoint,
    rate_card,
    show_figure,
    show_findings,
    show_losses,
    show_notice,
    show_table,
)
from sts_core.display import counted

__all__ = [
    "add_to_report",
    "choose",
    "choose_covariates",
    "choose_endpoint",
    "choose_grouping",
    "choose_one",
    "compute",
    "count_card",
    "counted",
    "empty_state",
    "expect_charts",
    "export_menu",
    "in_words",
    "lazy_tabs",
    "model_line",
    "no_endpoint",
    "open_page",
    "page",
    "plain",
    "rate_card",
    "show_figure",
    "show_findings",
    "show_losses",
    "show_notice",
    "show_table",
    "survival_options",
    "toggle",
    "toggled_levels",
]
