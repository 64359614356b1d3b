"""Columns of tumour assessments and of treatment, told by their headers and cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sts_core.findings import Finding, FindingCode, Severity, listed
from sts_core.reading.draft import Draft
from sts_core.reading.endpoints import STARTS, date_columns, is_date_column
from sts_core.reading.proposal import ColumnRole
from sts_core.reading.sheet import Sheet
from sts_core.reading.visit_headers import VisitHeader, visit_header
from sts_core.reading.vocabulary import Phrases, read_words, vocabulary, words_of
from sts_core.reading.workbook import Pick
from sts_core.study.types import (
    RESPONSE_LEVELS,
    AssessmentDefinition,
    ExposureDefinition,
    Scalar,
    VisitColumns,
)
from sts_core.values import MISSING_CODES, number_of

_YES = frozenset({"yes", "y", "1", "true", "present", "new", "有", "是"})
# A visit's own response among the kinds of rows of an ADaM file, by code.
_OVERALL_CODES = ("OVRLRESP", "OVRINV", "OVRIRC", "OVR")
_LARGE_IN_CM = 15.0
_MIN_VISITS = 2
#: Share of known cells that must be words of a response.
_MIN_READ = 0.9
_RESPONSES = ("target_response", "non_target", "overall")
_SIZES = ("target_sum", "node_short_axis")
_BARE_LEVELS = {"".join(words_of(level)) for level in RESPONSE_LEVELS}
_WORDS = {
    "date": "date", "target_sum": "sum of target lesions", "node_short_axis": "nodal short axis",
    "target_response": "response of target lesions", "non_target": "non-target lesions",
    "new_lesion": "new lesion", "overall": "overall response",
}  # fmt: skip


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, Phrases]:
    document = read_words("visits.yaml")
    return {
        name: Phrases(document[name], document[name])  # whole headers only
        for name in ("assessments", "exposures")
    }


def _columns(sheet: Sheet, table: str) -> dict[str, str]:
    """Give the column of each concept, the one with its most usual name."""
    ranked: dict[str, tuple[int, str]] = {}
    for name, words in sheet.words.items():
        bare = tuple(word for word in words if word not in ("int", "n", "mm", "cm"))
        match = _phrases()[table].match(bare) or _phrases()[table].match(_without_digits(bare))
        if match is None or not match.exact:
            continue
        best = ranked.get(match.concept)
        if best is None or match.rank < best[0]:
            ranked[match.concept] = (match.rank, name)
    return {concept: name for concept, (_, name) in ranked.items()}


def _without_digits(words: tuple[str, ...]) -> tuple[str, ...]:
    """Give ``tx date`` for ``TX1_DATE``."""
    return words_of(" ".join("".join(s for s in word if not s.isdigit()) for word in words))


def guess_assessments(sheet: Sheet, role: str) -> AssessmentDefinition | None:
    """Propose how assessments are recorded; ``None`` where a date or a result is missing.

    Parameters
    ----------
    sheet
        A table with several rows a patient.
    role
        Its role in the study file.
    """
    found = _columns(sheet, "assessments")
    date = found.get("date")
    if date is None or not is_date_column(sheet, date):
        dated = [name for name in sheet.profiles if is_date_column(sheet, name)]
        date = dated[0] if len(dated) == 1 else None
    target_sum = found.get("target_sum")
    if target_sum is not None and not sheet.profiles[target_sum].is_numeric:
        target_sum = None
    overall = found.get("overall")
    results = (target_sum, found.get("target_response"), overall)
    if date is None or not any(results):
        return None
    rows: dict[str, tuple[Scalar, ...]] = {}
    code = sheet.parameter("code")
    if code is not None:
        kinds = [kind for kind in _OVERALL_CODES if kind in sheet.profiles[code].counts]
        if not kinds:
            return None  # which rows are visits is not to be guessed
        rows = {code: (kinds[0],)}
    new_lesion = found.get("new_lesion")
    values: tuple[Scalar, ...] = ()
    if new_lesion is not None:
        values = tuple(
            text for text in sheet.profiles[new_lesion].counts if text.casefold() in _YES
        )
    high = sheet.profiles[target_sum].high if target_sum is not None else None
    return AssessmentDefinition(
        date=date,
        visit=found.get("visit"),
        target_sum=target_sum,
        node_short_axis=found.get("node_short_axis") if target_sum else None,
        size_unit="cm" if target_sum and "cm" in sheet.words[target_sum]
        and high is not None and high < 10 * _LARGE_IN_CM else "mm",
        target_response=found.get("target_response"),
        non_target=found.get("non_target"),
        overall=overall,
        codes=_codes(sheet, [name for name in (found.get("target_response"),
                                               found.get("non_target"), overall) if name]),
        new_lesion=new_lesion if values else None,
        new_lesion_values=values,
        rows=rows,
        table=role,
    )  # fmt: skip


def _codes(sheet: Sheet, columns: Collection[str]) -> dict[str, str]:
    """Give the level of each usual word of a response that is not written as one itself."""
    known = vocabulary().lexicons["response"]
    return {
        text: level
        for text in _texts_of(sheet, columns)
        if "".join(words_of(text)) not in _BARE_LEVELS and (level := known.get(text)) is not None
    }


def _texts_of(sheet: Sheet, columns: Collection[str]) -> Counter[str]:
    """Count the different texts of some columns together."""
    counts = Counter[str]()
    for name in columns:
        counts.update(sheet.profiles[name].counts)
    return counts


def guess_exposures(sheet: Sheet, role: str) -> ExposureDefinition | None:
    """Propose how treatment is recorded; ``None`` where no column dates it.

    Parameters
    ----------
    sheet
        A table of drugs, periods or doses.
    role
        Its role in the study file.
    """
    found = _columns(sheet, "exposures")
    dated = [name for name in sheet.profiles if is_date_column(sheet, name)]
    start = found.get("start")
    if start not in dated:
        start = dated[0] if len(dated) == 1 else None
    if start is None:
        return None
    stop = found.get("stop")
    dose = found.get("dose")
    numeric = dose is not None and all(
        number_of(text) is not None for text in sheet.profiles[dose].counts
    )
    return ExposureDefinition(
        start=start,
        stop=stop if stop in dated and stop != start else None,
        drug=found.get("drug"),
        dose=dose if numeric else None,
        reason=found.get("reason"),
        table=role,
    )


def line_column(sheet: Sheet) -> str | None:
    """Give the column that is named as that of the line of treatment."""
    return _columns(sheet, "exposures").get("line")


def visits_or_doses(sheet: Sheet) -> str | None:
    """Say whether headers alone show that rows are assessments or treatment; ``None`` if not."""
    if guess_assessments(sheet, "assessments") is not None:
        return "assessments"
    found = _columns(sheet, "exposures")
    told = "start" in found and {"drug", "dose", "stop"} & {*found}
    return "exposures" if told and guess_exposures(sheet, "exposures") is not None else None


def columns_of_rows(sheet: Sheet, role: str) -> frozenset[str]:
    """Give the columns that say what a visit or a dose was, whatever they hold."""
    guess = guess_assessments if role == "assessments" else guess_exposures
    definition = guess(sheet, role)
    return frozenset(definition.columns if definition is not None else ())


# --- visits in columns ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitsFound:
    """Visits in the columns of a table with one row a patient.

    Attributes
    ----------
    definition
        How they are recorded; its table is still the usual one.
    reasons
        Column -> what it is of which visit.
    """

    definition: AssessmentDefinition
    reasons: Mapping[str, tuple[ColumnRole, str]]


def visits_in_columns(sheet: Sheet) -> VisitsFound | None:
    """Find assessments of which each visit has columns of its own.

    Parameters
    ----------
    sheet
        A table with one row a patient.

    Returns
    -------
    VisitsFound or None
        At least two visits, each with a date or a day that its name states, and with a result
        whose cells are of its kind. A series of numbers without dates ("response 1", "response 2")
        is none: nobody could say when they were.
    """
    named = {
        name: found
        for name in sheet.profiles
        if name != sheet.id_column and (found := visit_header(_header(sheet, name))) is not None
    }
    if len({found.visit for found in named.values()}) < _MIN_VISITS:
        return None
    taken: dict[str, dict[str, str]] = {}
    days: dict[str, int | None] = {}
    for name, concept in _fitting(sheet, named).items():
        header = named[name]
        days[header.visit] = header.day
        taken.setdefault(header.visit, {}).setdefault(concept, name)
    visits = []
    for visit, columns in taken.items():
        dated = "date" in columns
        if len(columns) > dated and (dated or days[visit] is not None):
            visits.append(VisitColumns(visit, day=None if dated else days[visit], **columns))
    if len(visits) < _MIN_VISITS or not any(
        sheet.profiles[name].n_known for visit in visits for name in visit.results
    ):
        return None
    if all(days[visit.name] is not None for visit in visits):
        visits.sort(key=lambda visit: days[visit.name] or 0)
    elif any(visit.name == "Baseline" for visit in visits):
        visits.sort(key=lambda visit: visit.name != "Baseline")
    definition = AssessmentDefinition(visits=tuple(visits))
    lesions = _texts_of(sheet, definition.new_lesion_columns)
    sums = [visit.target_sum for visit in visits if visit.target_sum is not None]
    highest = max((sheet.profiles[name].high or 0.0 for name in sums), default=0.0)
    in_cm = any("cm" in sheet.words[name] for name in sums) and highest < 10 * _LARGE_IN_CM
    scheduled = any(visit.day is not None for visit in visits)
    date_of = {item.concept: item.name for item in reversed(date_columns(sheet, {}))}
    starts = [date_of[concept] for concept in STARTS if concept in date_of]
    definition = replace(
        definition,
        codes=_codes(sheet, definition.response_columns),
        new_lesion_values=tuple(text for text in lesions if text.casefold() in _YES),
        size_unit="cm" if in_cm else "mm",
        origin=starts[0] if scheduled and starts else None,
    )
    return VisitsFound(definition, _reasons(visits))


def _header(sheet: Sheet, name: str) -> str:
    """Give a header with the event that it is of, where one column was filled in several."""
    origin = sheet.raw.origins.get(name)
    of_event = origin is not None and origin.pick is Pick.EVENT
    return f"{origin.column} ({origin.event})" if origin is not None and of_event else name


def _fitting(sheet: Sheet, named: Mapping[str, VisitHeader]) -> dict[str, str]:
    """Give the concept of each column whose cells are of its kind; blank columns fit any."""
    by_concept: dict[str | None, list[str]] = {}
    for name, header in named.items():
        by_concept.setdefault(header.concept, []).append(name)
    for name in by_concept.pop(None, []):  # the header names the visit alone: its cells tell
        if _share_of_responses(sheet, [name]) >= _MIN_READ:
            by_concept.setdefault("overall", []).append(name)
    fitting: dict[str, str] = {}
    for concept, names in by_concept.items():
        if concept is None:
            continue
        if concept in _RESPONSES and _share_of_responses(sheet, names) < _MIN_READ:
            continue
        for name in names:
            profile = sheet.profiles[name]
            fits = not profile.n_known or (
                is_date_column(sheet, name) if concept == "date"
                else profile.is_numeric if concept in _SIZES
                else not profile.is_date
            )  # fmt: skip
            if fits:
                fitting[name] = concept
    return {name: fitting[name] for name in named if name in fitting}


def _share_of_responses(sheet: Sheet, names: Collection[str]) -> float:
    known = vocabulary().lexicons["response"]
    counts = Counter(
        {
            text: n
            for text, n in _texts_of(sheet, names).items()
            if text.casefold() not in MISSING_CODES
        }
    )
    read = sum(
        n
        for text, n in counts.items()
        if known.get(text) is not None or "".join(words_of(text)) in _BARE_LEVELS
    )
    return read / counts.total() if counts else 0.0


def _reasons(visits: Collection[VisitColumns]) -> dict[str, tuple[ColumnRole, str]]:
    reasons = {}
    for visit in visits:
        when = "" if visit.day is None else f", scheduled for day {visit.day}"
        for concept, what in _WORDS.items():
            name = getattr(visit, concept)
            if name is None:
                continue
            role = ColumnRole.DATE if concept == "date" else ColumnRole.RESPONSE
            if concept in _SIZES:
                role = ColumnRole.SIZE
            reasons[name] = (role, f"{what} at the visit “{visit.name}”{when}, by its header")
    return reasons


def say_visits(role: str, found: VisitsFound, draft: Draft) -> None:
    """Note what the columns were taken for, and the visits of the first table that has some.

    The sum of target lesions at baseline stays free to be a variable as well.
    """
    base = {visit.target_sum for visit in found.definition.visits if visit.name == "Baseline"}
    for name, (what, why) in found.reasons.items():
        if name not in base:
            draft.say(role, name, what, why)
    draft.visits.setdefault(role, found.definition)


def propose_visits(draft: Draft) -> None:
    """Take visits in columns for the assessments, unless a table has them row by row."""
    for role, definition in draft.visits.items():
        if draft.assessments is None:
            draft.assessments = replace(definition, table=role)
            continue
        sheet = draft.sheets[role]
        columns = [f"“{name}”" for name in definition.columns]
        draft.findings.append(
            Finding(
                FindingCode.COLUMN_NOT_USED,
                Severity.NOTE,
                f"{listed(columns)} of “{sheet.raw.label}” hold tumour assessments too, and are "
                f"not used: the assessments come from the table “{draft.assessments.table}”.",
                "If these columns are to be used instead, remove the tumour assessments on the "
                "Data page and choose them there.",
                file=sheet.raw.file,
                sheet=sheet.raw.sheet,
                count=len(columns),
                table=role,
            )
        )
