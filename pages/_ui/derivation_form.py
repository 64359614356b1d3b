"""A new variable made of others, with its counts before it is added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from pages._ui import state, widgets
from pages._ui.inputs import choose, choose_one, plain
from pages._ui.variable_editor import (
    free_key,
    parse_cuts,
    put_variable,
    show_counts,
    with_variable,
)
from sts_core.cohort import Cohort
from sts_core.derivations import NO, YES, texts_of
from sts_core.derive import cut_levels, derivation_sentence, levels_of, variable_of
from sts_core.findings import StudyError
from sts_core.study import (
    Combination,
    CountOf,
    CountOfRows,
    Derivation,
    FirstKnown,
    IsInRange,
    IsOneOf,
    Measured,
    Nested,
    Scalar,
    Status,
    Variable,
    VariableKind,
    WhetherKnown,
)

_HOW = {
    "is_one_of": "Yes or no: one of several levels",
    "is_in_range": "Yes or no: a number at or above, or below",
    "whether_known": "Yes or no: known or not",
    "count_of": "Count: how many of several say yes",
    "combination": "Combination: a regimen of two drugs, or a crossing",
    "nested": "Two levels: a group split by its subtype",
    "first_known": "The first known of several",
    "count_of_rows": "Count: rows of another table, or its different values",
}
_MEASURED = {
    Measured.UNKNOWN: "not stated",
    Measured.BASELINE: "before time zero",
    Measured.POST_BASELINE: "after time zero",
}
_EACH_ROW = ""
MAX_CHOICES = 60
# Levels that are offered as a yes; what is taken for one is always shown, and can be changed.
YES_WORDS = frozenset(
    {
        "yes",
        "ja",
        "y",
        "1",
        "true",
        "present",
        "positive",
        "positiv",
        "pos",
        "+",
        "是",
        "有",
        "阳性",
    }
)
NO_WORDS = frozenset(
    {
        "no",
        "nein",
        "n",
        "0",
        "false",
        "absent",
        "negative",
        "negativ",
        "neg",
        "none",
        "否",
        "无",
        "阴性",
    }
)


def derivation_form(cohort: Cohort) -> None:
    """Offer a variable made of others; what it gives is shown before it is added."""
    names = _inputs(cohort)
    if not names:
        return
    with st.expander("New variable from others", icon=":material/add:"):
        how = choose("It says", list(_HOW), "derive.how", names=_HOW)
        try:
            made = _derivation(cohort, how, names)
            if made is not None:
                _offer(cohort, made, names)
        except StudyError as error:
            for finding in error.findings:
                st.error(plain(str(finding)))


def _inputs(cohort: Cohort) -> dict[str, str]:
    """Name the variables, and the columns of the patient table that are none yet."""
    variables = cohort.study.definitions.variables
    source = cohort.study.data.tables.get("subjects")
    used = {variable.column or key for key, variable in variables.items()}
    used |= {source.subject_id} if source and source.subject_id else set()
    names = {key: variable.label for key, variable in variables.items()}
    columns = map(str, cohort.tables["subjects"].frame.columns)
    names |= {name: name for name in columns if name not in used and name not in names}
    labels = Counter(names.values())
    return {
        key: label if labels[label] == 1 or label == key else f"{label} ({key})"
        for key, label in names.items()
    }


def _several(
    label: str, names: Mapping[str, str], key: str, *, help: str | None = None
) -> tuple[str, ...]:
    chosen = widgets.multiselect(
        label, list(names), key, [], format_func=lambda name: names[name], help=help,
        placeholder="choose in order",
    )  # fmt: skip
    return tuple(chosen)


def _levels(
    cohort: Cohort, inputs: Sequence[str], label: str, key: str, start: Sequence[str] = ()
) -> tuple[Scalar, ...]:
    """Offer the levels that some variables have, each with its patients."""
    counts: dict[str, int] = {}
    for name in inputs:
        found = levels_of(cohort, name)
        n_of = Counter(found.values)
        for level in found.levels:
            counts[level] = counts.get(level, 0) + n_of[level]
    chosen = widgets.multiselect(
        label,
        list(counts),
        key,
        [level for level in start if level in counts],
        format_func=lambda level: f"{level} ({counts[level]})",
    )
    return tuple(level for level in counts if level in chosen)


def _derivation(cohort: Cohort, how: str, names: Mapping[str, str]) -> Derivation | None:
    match how:
        case "is_one_of":
            of = choose("Of", list(names), "derive.one.of", names=names)
            values = _levels(cohort, [of], "Levels that mean yes", f"derive.one.values.{of}")
            return IsOneOf(of, values) if values else None
        case "is_in_range":
            of = choose("Of", list(names), "derive.range.of", names=names)
            with st.container(horizontal=True):
                low = widgets.number_input(
                    "At least",
                    f"derive.range.low.{of}",
                    None,
                    help="Leave empty for no lower bound.",
                )
                high = widgets.number_input(
                    "Below",
                    f"derive.range.high.{of}",
                    None,
                    help="Leave empty for no upper bound.",
                )
            if low is not None and high is not None and low >= high:
                st.error("The lower bound must be smaller than the upper one.")
                return None
            return None if low is None and high is None else IsInRange(of, low, high)
        case "whether_known":
            return WhetherKnown(choose("Of", list(names), "derive.known.of", names=names))
        case "count_of":
            return _count(cohort, names)
        case "count_of_rows":
            return _count_of_rows(cohort, names)
        case "combination":
            return _combination(names)
        case "nested":
            return _nested(cohort, names)
        case _:
            first = _several("Of these, the first that is known", names, "derive.first.of")
            return FirstKnown(first) if len(first) > 1 else None


def _count(cohort: Cohort, names: Mapping[str, str]) -> Derivation | None:
    of = _several("Count over", names, "derive.count.of", help="Each is a yes or a no.")
    if not of:
        return None
    # each level once: the several have the same ones
    held = list(dict.fromkeys(level for name in of for level in levels_of(cohort, name).levels))
    if len(held) > MAX_CHOICES:
        st.info("These have too many different values for a yes or no.")
        return None
    tag = ".".join(of)
    yes = _levels(
        cohort, of, "Counts as yes", f"derive.count.yes.{tag}",
        [level for level in held if level.casefold() in YES_WORDS],
    )  # fmt: skip
    no = _levels(
        cohort, of, "Counts as no", f"derive.count.no.{tag}",
        [level for level in held if level.casefold() in NO_WORDS],
    )  # fmt: skip
    if texts_of(yes) & texts_of(no):
        st.error("A level can't mean both yes and no.")
        return None
    if not yes or not no:
        st.caption("Choose what counts as yes, and what as no; any other level is “not known”.")
        return None
    return CountOf(of, yes, no)


def _count_of_rows(cohort: Cohort, names: Mapping[str, str]) -> Derivation | None:
    roles = [role for role in cohort.tables if role != "subjects"]
    if not roles:
        st.caption("No other table is here: add its sheet or file on the Data page.")
        return None
    tables = {role: cohort.tables[role].sheet or cohort.tables[role].file for role in roles}
    with st.container(horizontal=True):
        role = choose("Table", roles, "derive.rows.table", names=tables)
        columns = list(map(str, cohort.tables[role].frame.columns))
        each = {_EACH_ROW: "each row", **{name: f"different “{name}”" for name in columns}}
        of = choose("Counts", list(each), f"derive.rows.of.{role}", names=each)
        dated = {_EACH_ROW: "all of the patient", **{name: name for name in columns}}
        date = choose("Only rows whose date", list(dated), f"derive.rows.date.{role}", names=dated)
        before = None
        if date != _EACH_ROW:
            before = choose("is before", list(names), f"derive.rows.before.{role}", names=names)
    return CountOfRows(
        role, of if of != _EACH_ROW else None, date if date != _EACH_ROW else None, before
    )


def _combination(names: Mapping[str, str]) -> Derivation | None:
    of = _several("Side by side", names, "derive.combine.of")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        joined_by = widgets.text_input(
            "Between them",
            "derive.combine.by",
            " + ",
            max_chars=8,
            width=120,
        )
        missing = choose_one(
            "Where one is not known", ["unknown", "others"], "derive.combine.missing",
            names={"unknown": "not known", "others": "the others alone"},
        )  # fmt: skip
        any_order = widgets.toggle(
            "A + B and B + A are the same",
            "derive.combine.any",
            False,
        )
    if len(of) < 2:
        return None
    return Combination(
        of, joined_by or " + ", "others" if missing == "others" else "unknown", any_order
    )


def _nested(cohort: Cohort, names: Mapping[str, str]) -> Derivation | None:
    of = choose("Group", list(names), "derive.nested.of", names=names)
    others = {key: name for key, name in names.items() if key != of}
    if not others:
        return None
    by = choose("Subtype", list(others), "derive.nested.by", names=others)
    upper, lower = levels_of(cohort, of).values, levels_of(cohort, by).values
    with_subtype = {
        level for level, second in zip(upper, lower, strict=True) if level and second is not None
    }
    start = [level for level in levels_of(cohort, of).levels if level in with_subtype]
    if len(start) == len(levels_of(cohort, of).levels):
        start = []
    split = _levels(cohort, [of], "Groups that are split", f"derive.nested.split.{of}.{by}", start)
    missing = choose_one(
        "Subtype not known", ["unspecified", "unknown"], "derive.nested.missing",
        names={"unspecified": "group: not specified", "unknown": "not known"},
    )  # fmt: skip
    if not split:
        return None
    return Nested(of, by, split, one_missing="unknown" if missing == "unknown" else "unspecified")


def _offer(cohort: Cohort, made: Derivation, names: Mapping[str, str]) -> None:
    """Show what comes of it, ask for a name, and add it."""
    kind = VariableKind.CATEGORICAL
    cuts: tuple[float, ...] = ()
    codes: dict[str, str] = {}
    if isinstance(made, CountOf | CountOfRows):
        kind = VariableKind.ORDERED
        cuts, codes = _count_groups()
        if not cuts:
            kind = VariableKind.NUMERIC
    elif isinstance(made, FirstKnown):
        kinds = {variable_of(cohort, name).kind for name in made.of}
        kind = kinds.pop() if len(kinds) == 1 else VariableKind.CATEGORICAL
    elif isinstance(made, IsOneOf | IsInRange):
        with st.container(horizontal=True):
            for word in (YES, NO):
                name = widgets.text_input(
                    f"Name of “{word}”",
                    f"derive.name.{word}",
                    "",
                    placeholder=word,
                    max_chars=80,
                ).strip()
                if name:
                    codes[word] = name
        if len(codes) == 2 and codes[YES] == codes[NO]:
            st.error("The two names must differ.")
            return
    usual = " and ".join(names[name] for name in made.inputs[:2])
    if isinstance(made, CountOfRows):
        usual = f"Number of {made.of or 'rows'} ({made.table.replace('_', ' ')})"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = widgets.text_input(
            "Name in figures",
            "derive.label",
            "",
            placeholder=usual[:80],
            max_chars=80,
        )
        label = typed.strip() or usual[:80]
        known = {variable_of(cohort, name).measured for name in made.inputs}
        measured = (
            Measured.POST_BASELINE if Measured.POST_BASELINE in known
            else Measured.BASELINE if known == {Measured.BASELINE}
            else None
        )  # fmt: skip
        if measured is None:
            times = {when.value: name for when, name in _MEASURED.items()}
            measured = Measured(choose("When known", list(times), "derive.measured", names=times))
        key = free_key(cohort, label)
        variable = Variable(
            label=label, kind=kind, cuts=cuts, codes=codes, measured=measured, derived=made,
            status=Status.CONFIRMED,
        )  # fmt: skip
        widgets.button(
            "Add this variable",
            "derive.add",
            _add,
            (cohort, key, variable),
            type="primary",
        )
    trial = with_variable(cohort, key, variable)
    st.caption(plain(derivation_sentence(trial, key)))
    if variable.measured is Measured.POST_BASELINE:
        st.caption(":orange[Known only after time zero: survival is not compared by it.]")
    show_counts(trial, key)


def _count_groups() -> tuple[tuple[float, ...], dict[str, str]]:
    text = widgets.text_input(
        "Cut the count into groups at",
        "derive.count.cuts",
        "2",
        help="2 gives none or one against two or more; empty keeps the number.",
    )
    cuts = parse_cuts(text)
    if cuts is None:
        st.error("Write cut points as numbers with commas between.")
        return (), {}
    groups = cut_levels(cuts)
    usual = {"<2": "None or single", "≥2": "Multiple"} if cuts == (2.0,) else {}
    codes: dict[str, str] = {}
    with st.container(horizontal=True):
        for group in groups:
            name = widgets.text_input(
                f"Name of “{plain(group)}”",
                f"derive.count.name.{group}",
                usual.get(group, ""),
                max_chars=80,
                placeholder=group,
            ).strip()
            if name:
                codes[group] = name
    return cuts, codes


def _add(cohort: Cohort, key: str, variable: Variable) -> None:
    put_variable(cohort.study, key, variable)
    state.leave_notice(f"{variable.label}: added.")
