from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sts_core.findings import FindingCode, StudyError
from sts_core.study import (
    AdverseEventDefinition,
    AnalysisSection,
    Between,
    ColumnFormat,
    Combination,
    CountOf,
    CountOfRows,
    DataSection,
    Definitions,
    Endpoint,
    FirstKnown,
    Grouping,
    IdRule,
    IsInRange,
    IsKnown,
    IsOneOf,
    Measured,
    Nested,
    OneOf,
    ReportSection,
    ResponseDefinition,
    RowChoice,
    Status,
    Study,
    TableSource,
    TimeUnit,
    Variable,
    VariableKind,
    WhetherKnown,
    dump_study,
    load_study,
)

# What a spreadsheet can hold and YAML likes to take for something else.
TRICKY = st.sampled_from(
    ["yes", "no", "on", "null", "~", "1", "1.0", "1e3", "2021-05-03", "12:30", "0x1f", "0o7", "=1",
     "- a", "a: b", "#x", "\u2028", "\x85", "'", '"', "{a}", "[a]", "%", "@a", "&a",
     "*a", "!a", "|", ">", "?", "true", "平滑肌肉瘤", " a", "a ", "a\nb", "\t", "é", "😀", "<", "="]
)  # fmt: skip
TEXT = TRICKY | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALAR = TEXT | st.integers(-(10**6), 10**6) | st.booleans() | st.floats(-1e6, 1e6)
STATUS = st.sampled_from(Status)


def tuples(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


def mappings(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(TEXT, values, max_size=2)


SOURCES = st.builds(
    TableSource,
    file=st.none() | TEXT,
    sheet=st.none() | TEXT,
    subject_id=st.none() | TEXT,
    subject_id_status=STATUS,
    rows=mappings(tuples(SCALAR)),
    take=st.sampled_from([None, *RowChoice]),
    take_by=st.none() | TEXT,
    id_rule=st.sampled_from(list(IdRule)),
    missing_codes=tuples(TEXT),
    columns=mappings(
        st.builds(
            ColumnFormat,
            date_order=st.sampled_from([None, "ymd", "dmy", "mdy"]),
            decimal=st.sampled_from([".", ","]),
            status=STATUS,
        )
    ),
)
SHARED: dict[str, Any] = {
    "label": TEXT,
    "event": st.none() | TEXT,
    "events": mappings(tuples(SCALAR)),
    "censored": tuples(SCALAR),
    "events_status": STATUS,
    "table": TEXT,
    "rows": mappings(tuples(SCALAR)),
    "display_unit": st.sampled_from(TimeUnit),
    "entry": st.none() | TEXT,
    "cutoff": st.booleans(),
    "time_zero": TEXT,
}
ENDPOINTS = st.builds(
    Endpoint, time=TEXT, unit=st.none() | st.sampled_from(TimeUnit), unit_status=STATUS, **SHARED
) | st.builds(
    Endpoint,
    start=TEXT,
    event_dates=mappings(TEXT),
    last_contact=tuples(TEXT),
    add_one_day=st.booleans(),
    **SHARED,
)
OF = st.text("abc", min_size=1, max_size=3).map("of {}".format)  # never a key: no cycles here
INPUTS = st.lists(OF, min_size=2, max_size=3, unique=True).map(tuple)
VALUES = st.lists(TEXT, min_size=1, max_size=3, unique=True).map(tuple)
DERIVATIONS = (
    st.builds(IsOneOf, of=OF, values=tuples(SCALAR))
    | st.builds(IsInRange, of=OF, at_least=st.floats(-1e6, 1e6))
    | st.builds(WhetherKnown, of=OF)
    | st.builds(CountOf, of=INPUTS, yes=VALUES)
    | st.builds(
        Combination,
        of=INPUTS,
        joined_by=TEXT.filter(bool),
        one_missing=st.sampled_from(["unknown", "others"]),
        any_order=st.booleans(),
    )
    | st.builds(Nested, of=st.just("upper"), by=OF, split=VALUES)
    | st.builds(FirstKnown, of=INPUTS)
    | st.builds(CountOfRows, table=st.just("exposures"), of=st.none() | TEXT)
    | st.builds(CountOfRows, table=st.just("exposures"), date=TEXT, before=OF)
)
DERIVED = st.builds(
    Variable,
    label=TEXT,
    kind=st.sampled_from(VariableKind),
    derived=DERIVATIONS,
    codes=mappings(TEXT),
    measured=st.sampled_from(Measured),
)
VARIABLES = DERIVED | st.builds(
    Variable,
    label=TEXT,
    kind=st.sampled_from(VariableKind),
    column=st.none() | TEXT,
    levels=tuples(TEXT),
    reference=st.none() | TEXT,
    cuts=tuples(st.floats(-1e6, 1e6)),
    codes=mappings(TEXT),
    merged=mappings(tuples(TEXT)),
    unit=st.none() | TEXT,
    measured=st.sampled_from(Measured),
    colours=mappings(st.integers(0, 7)),
    status=STATUS,
)
COMMON: dict[str, Any] = {
    "column": TEXT,
    "label": TEXT,
    "excludes": st.booleans(),
    "missing": st.sampled_from(["keep", "drop"]),
    "enabled": st.booleans(),
    "after_time_zero": st.booleans(),
}
BOUND = st.none() | st.floats(-1e6, 1e6) | st.dates().map(str)
CRITERIA = (
    st.builds(OneOf, values=tuples(SCALAR), **COMMON)
    | st.builds(Between, low=BOUND, high=BOUND, **COMMON)
    | st.builds(IsKnown, **COMMON)
)
STUDIES = st.builds(
    Study,
    title=TEXT,
    synthetic=st.booleans(),
    data=st.builds(DataSection, tables=mappings(SOURCES)),
    definitions=st.builds(
        Definitions,
        endpoints=mappings(ENDPOINTS),
        variables=mappings(VARIABLES),
        groupings=mappings(
            st.builds(Grouping, label=TEXT, variable=TEXT, groups=mappings(tuples(TEXT)))
        ),
        response=st.none() | st.builds(ResponseDefinition, variable=TEXT, status=STATUS),
        adverse_events=st.none() | st.builds(AdverseEventDefinition, term=TEXT, grade=TEXT),
        cutoff=st.none() | st.dates().map(str),
        cutoff_column=st.none() | TEXT,
    ),
    analysis=st.builds(
        AnalysisSection,
        criteria=tuples(CRITERIA),
        filters=tuples(CRITERIA),
        conf_level=st.floats(0.5, 0.999),
        convention=st.sampled_from(["app", "R", "SPSS"]),
        conf_type=st.sampled_from([None, "log-log", "log", "plain"]),
        specs=tuples(st.fixed_dictionaries({"kind": st.just("kaplan_meier"), "endpoint": TEXT})),
    ),
    report=st.builds(ReportSection),
)


@given(STUDIES)
def test_a_study_file_gives_back_the_study_it_was_written_from(study: Study) -> None:
    text = dump_study(study)
    again = load_study(text)
    assert again == study
    assert dump_study(again) == text


@given(STUDIES)
def test_a_study_file_is_plain_yaml(study: Study) -> None:
    # an independent reader, to which the text must not mean anything but data
    document = yaml.safe_load(dump_study(study))
    assert isinstance(document, dict)
    assert document["schema_version"] == 1


def test_defaults_stay_out_of_the_file() -> None:
    assert dump_study(Study()) == "title: Untitled study\nschema_version: 1\n"


def refusal(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        load_study(text, name="mine.yaml")
    findings = caught.value.findings
    assert {finding.code for finding in findings} == {FindingCode.STUDY_FILE_INVALID}
    assert {finding.file for finding in findings} == {"mine.yaml"}
    assert all(finding.hint for finding in findings)
    return [finding.message for finding in findings]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("titel: x", "titel"),
        ("schema_version: 2", "schema_version"),
        ("schema_version: '1'", "schema_version"),
        ("data: {tables: {subjects: {fiel: a}}}", "data.tables.subjects.fiel"),
        ("definitions: {endpoints: {OS: {label: OS}}}", "definitions.endpoints.OS"),
        ("definitions: {endpoints: {OS: {label: OS, time: t, start: s}}}",
         "definitions.endpoints.OS"),
        ("definitions: {endpoints: {OS: {label: OS, time: t, unit: moons}}}",
         "definitions.endpoints.OS.unit"),
        ("definitions: {variables: {x: {label: X, kind: colour}}}", "definitions.variables.x.kind"),
        ("analysis: {criteria: [{kind: between, column: age, lo: 1}]}", "analysis.criteria.0"),
        ("analysis: {criteria: [{kind: near, column: age}]}", "analysis.criteria.0"),
        ("analysis: {criteria: [{column: age}]}", "analysis.criteria.0"),
        ("synthetic: maybe", "synthetic"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_refused_with_its_path(text: str, path: str) -> None:
    assert any(message.startswith(path) for message in refusal(text))


def test_every_mistake_is_named_at_once() -> None:
    messages = refusal("titel: x\nsynthetic: maybe\nreprot: {}")
    assert len(messages) == 3


@pytest.mark.parametrize(
    "text", ["", "- a\n- b", "just words", "a: [", "\t", "a: &x [*x]", "%YAML 9.9", "\x00"]
)
def test_what_is_no_study_file_is_refused_in_a_sentence(text: str) -> None:
    assert refusal(text)


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    (message,) = refusal("title: a\ndefinitions: {}\ntitle: b\n")
    assert "title" in message
    assert "twice" in message


def test_a_yaml_tag_builds_nothing() -> None:
    assert refusal("title: !!python/object/apply:os.system ['true']")


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "2021-05-03", "y", "n"])
def test_words_and_dates_stay_text(word: str) -> None:
    study = load_study(f"definitions: {{variables: {{x: {{label: {word}, levels: [{word}]}}}}}}")
    variable = study.definitions.variables["x"]
    assert variable.label == word
    assert variable.levels == (word,)


def test_event_values_keep_their_type() -> None:
    text = "definitions: {endpoints: {OS: {label: OS, time: t, events: {death: [1, '1', true]}}}}"
    values = load_study(text).definitions.endpoints["OS"].events["death"]
    assert [type(value) for value in values] == [int, str, bool]


def test_json_is_a_study_file_too() -> None:
    assert load_study('{"title": "A", "schema_version": 1}').title == "A"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_but_never_breaks(text: str) -> None:
    with suppress(StudyError):
        assert isinstance(load_study(text), Study)
