"""Columns of tumour assessments and of treatment, told by their headers and cells."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import yaml

from sts_core.reading.endpoints import is_date_column
from sts_core.reading.sheet import Sheet
from sts_core.reading.vocabulary import FOLDER, Phrases, words_of
from sts_core.study.types import AssessmentDefinition, ExposureDefinition, Scalar
from sts_core.values import number_of

_YES = frozenset({"yes", "y", "1", "true", "present", "new", "有", "是"})
# A visit's own response among the kinds of rows of an ADaM file, by code.
_OVERALL_CODES = ("OVRLRESP", "OVRINV", "OVRIRC", "OVR")
_LARGE_IN_CM = 15.0


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, Phrases]:
    document = yaml.safe_load((FOLDER / "visits.yaml").read_text("utf-8"))
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
        new_lesion=new_lesion if values else None,
        new_lesion_values=values,
        rows=rows,
        table=role,
    )  # fmt: skip


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


def visits_or_doses(sheet: Sheet) -> str | None:
    """Say whether headers alone show that rows are assessments or treatment; ``None`` if not."""
    if guess_assessments(sheet, "assessments") is not None:
        return "assessments"
    found = _columns(sheet, "exposures")
    told = "start" in found and {"drug", "dose", "stop"} & {*found}
    return "exposures" if told and guess_exposures(sheet, "exposures") is not None else None
