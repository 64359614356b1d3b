"""Characteristics of patients: kind, levels in order, and when they became known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sts_core.derive import natural_order
from sts_core.findings import listed
from sts_core.reading.coding import legend_of
from sts_core.reading.endpoints import date_columns, find_unit, has_short_years, is_date_column
from sts_core.reading.gap_codes import NO_GAPS, Gaps, gaps_in
from sts_core.reading.privacy import KIND_WORDS, PrivateColumn, private_in
from sts_core.reading.profile import Profile, profile_column
from sts_core.reading.progress import Progress, Stage
from sts_core.reading.sheet import Sheet, id_rank, is_response
from sts_core.reading.vocabulary import (
    VariableConcept,
    Words,
    is_chinese,
    is_translated,
    vocabulary,
    words_of,
)
from sts_core.study.types import Measured, Variable, VariableKind
from sts_core.values import missing_codes, number_of

MAX_LEVELS = 12
# A usual characteristic such as histotype or site may have more.
MAX_LEVELS_NAMED = 40
_MAX_CODE = 12
_SHOWN = 4
_LONG_TEXT = 40.0
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_WITH_UNIT = re.compile(r"\s*(?:[<>≤≥~]\s*)?[-+]?\d+(?:[.,]\d+)?\s*(?:[^\W\d_]{1,8}\.?|[+%*])?\s*")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_MOST_NUMBERS = 0.9
_FEW_SIGNS = 4
_LEADING_NUMBER = re.compile(r"^\s*(?:[<>≤≥=~]+\s*)?([-+]?\d+(?:\.\d+)?)")
# "ECOG 1", "PS 0", "1分": the same as the number alone
_PERFORMANCE = re.compile(
    r"(?:ecog|ps|ecog ps|who)?[\s:=_-]*([0-5](?:\s*[-~–]\s*[0-5])?)\s*(?:分|级)?", re.IGNORECASE
)
_RANGE = re.compile(r"\s*\d\s*[-~–/至到]\s*\d\s*")
_STAGED = re.compile(
    r"^(?:stage|grade|ecog|ps|g|t|n|m|ct|pt|cn|pn|cm)?[\s_-]*([0-9]|iv|i{1,3}|v)([a-d]?)([0-9]?)\b.*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class VariableGuess:
    """A column as a variable, or the reason why it is none.

    Attributes
    ----------
    column
        Its header.
    key, variable
        Key and definition in the study file; ``None`` when it is no variable.
    reason
        Why.
    private
        Whether it identifies a person or holds free text, so that no value may be shown.
    gaps
        Numbers of it that look like codes for "not known".
    gate
        Why it is left out altogether, if it is.
    """

    column: str
    key: str | None
    variable: Variable | None
    reason: str
    private: bool = False
    gaps: Gaps = NO_GAPS
    gate: PrivateColumn | None = None


def guess_variables(
    sheet: Sheet,
    taken: Collection[str],
    outcomes: Collection[str] = (),
    progress: Progress | None = None,
) -> list[VariableGuess]:
    """Describe every column of the patient table that nothing else has claimed.

    Parameters
    ----------
    sheet
        The patient table.
    taken
        Columns that are the id or belong to an endpoint.
    outcomes
        Columns that look like a time or a status although no endpoint uses them.
    progress
        Told how many columns are done; its cancel ends the work at the next one.
    """
    progress = Progress() if progress is None else progress
    dated = {column.name: column.use for column in date_columns(sheet, {})}
    keys: dict[str, str] = {}
    found = []
    response = _response_of(sheet, taken)
    first = _most_usual(sheet, taken)
    gate = private_in(sheet, frozenset(taken))
    for n_done, (name, profile) in enumerate(sheet.profiles.items()):
        share = 0.5 + 0.5 * n_done / len(sheet.profiles)  # the first half is to look at the cells
        progress.report(Stage.RECOGNISING, n_done, share)
        if name in taken:
            continue
        if name in gate:
            reason = f"it seems to hold {KIND_WORDS[gate[name].kind]}: {gate[name].why}"
            found.append(VariableGuess(name, None, None, reason, private=True, gate=gate[name]))
            continue
        if not _of_one_value(sheet, name):
            reason = "a patient has several values, of which nobody has chosen one"
            found.append(VariableGuess(name, None, None, reason))
            continue
        guess = _guess(sheet, name, profile, dated.get(name), is_best=name == response)
        if (origin := sheet.raw.origins.get(name)) is not None:
            guess = replace(guess, reason=f"{guess.reason}; it is of {origin.event}")
        if guess.key is not None:
            if first.get(guess.key, name) != name:
                guess = _under_own_name(guess, key_of(name))
            guess = _with_free_key(guess, keys)
            assert guess.key is not None
            keys[guess.key] = name
        if name in outcomes and guess.variable is not None:
            variable = replace(guess.variable, measured=Measured.POST_BASELINE)
            reason = f"{guess.reason}; it looks like an outcome"
            guess = replace(guess, variable=variable, reason=reason)
        found.append(guess)
    return found


def _of_one_value(sheet: Sheet, name: str) -> bool:
    """Whether a column is none of those that several events made of one."""
    origin = sheet.raw.origins.get(name)
    return origin is None or name == origin.column


def _most_usual(sheet: Sheet, taken: Collection[str]) -> dict[str, str]:
    """Choose, for each concept, the column with its most usual name."""
    ranked: dict[str, tuple[int, str]] = {}
    for name, words in sheet.words.items():
        match = vocabulary().variables.match(words)
        if name in taken or match is None or not match.exact:
            continue
        if not _of_one_value(sheet, name):
            continue
        best = ranked.get(match.concept)
        if best is None or match.rank < best[0]:
            ranked[match.concept] = (match.rank, name)
    return {concept: name for concept, (_, name) in ranked.items()}


def _under_own_name(guess: VariableGuess, key: str) -> VariableGuess:
    """Name a second column of the same meaning by its own header."""
    assert guess.variable is not None
    column = guess.column if key != guess.column else None
    variable = replace(guess.variable, label=label_of(guess.column), column=column)
    return replace(guess, key=key, variable=variable)


def _inside(label: str) -> str:
    """Write a label inside a sentence: a capital only where it begins an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _with_free_key(guess: VariableGuess, keys: Mapping[str, str]) -> VariableGuess:
    assert guess.key is not None
    if guess.key not in keys:
        return guess
    stem = key_of(guess.column)
    key, number = stem, 2
    while key in keys:
        key, number = f"{stem}_{number}", number + 1
    return _under_own_name(guess, key)


def _response_of(sheet: Sheet, taken: Collection[str]) -> str | None:
    """Choose the column of best overall response: by its header, else the only such one."""
    columns = [
        name
        for name, profile in sheet.profiles.items()
        if name not in taken
        and profile.complete
        and is_response(sheet.in_words(name))
        and _of_one_value(sheet, name)
    ]
    for exact in (True, False):
        for name in columns:
            match = vocabulary().variables.match(sheet.words[name])
            if match and match.concept == "best_response" and match.exact is exact:
                return name
    return columns[0] if len(columns) == 1 else None


def _guess(
    sheet: Sheet, name: str, profile: Profile, date_use: str | None, *, is_best: bool
) -> VariableGuess:
    legend, bare = legend_of(name)
    words = bare if legend else sheet.words[name]
    match = vocabulary().variables.match(words)
    concept = vocabulary().variable_concepts[match.concept] if match else None
    if (
        concept is not None
        and concept.levels == "response"
        and not _some_responses(sheet.in_words(name))
    ):
        match, concept = None, None  # "疗效 转移部位", or a response that is written as 0 and 1
    reason = _not_a_variable(words, profile, concept)
    if reason is not None:
        return VariableGuess(name, None, None, *reason)
    if is_date_column(sheet, name):
        return _date(name, date_use)
    if is_best:
        concept = vocabulary().variable_concepts["best_response"]
        exact = True
    else:
        exact = match is not None and match.exact
    meanings = sheet.meanings(name)
    labels = {text: meanings.get(text, text) for text in profile.counts}
    labels = {
        text: legend.get(text, text) if label == text else label for text, label in labels.items()
    }
    gaps = gaps_in(profile, sheet.raw.cells(name), labels)
    if gaps.codes:
        profile = profile_column(
            name,
            sheet.raw.cells(name),
            codes=missing_codes(gaps.codes),
            decimal_comma=sheet.raw.decimal_comma,
        )
        labels = {text: label for text, label in labels.items() if text in profile.counts}
        if not profile.n_known:
            return VariableGuess(name, None, None, "no row holds a value")
    kind, why = _kind(profile, concept, labels, measures=find_unit(words) is not None)
    if kind is None:
        return VariableGuess(name, None, None, why, private=True)
    translated = is_translated(name)
    use_concept = concept is not None and exact and (not concept.is_umbrella or translated)
    label = concept.label if concept and use_concept else label_of(name)
    if legend and not use_concept:
        label = label_of(" ".join(bare))
    if sheet.raw.column_labels.get(name) and not use_concept:
        label = " ".join(sheet.raw.column_labels[name].split())
    key = concept.key if concept and use_concept else key_of(" ".join(bare) if legend else name)
    if concept is not None:
        phrase = f"“{name}” {'is' if exact else 'has'} a usual name for {_inside(concept.label)}"
    else:
        phrase = f"“{name}” is not {'known' if is_chinese(name) else 'a known name'}"
    measured = Measured(concept.measured) if concept else Measured.UNKNOWN
    if kind is VariableKind.NUMERIC:
        unit = concept.unit if concept and exact else None
        variable = Variable(
            label=label,
            kind=kind,
            column=name if key != name else None,
            unit=unit,
            measured=measured,
            missing_codes=gaps.codes,
        )
        return VariableGuess(name, key, variable, f"{phrase}; {why}{gaps.says}", gaps=gaps)
    codes = level_codes(profile, concept, labels, translated=translated)
    why += _mapping(profile, codes)
    levels, ordered = level_order({codes.get(text, text) for text in profile.counts}, concept)
    if ordered and len(levels) > 2 and not profile.is_numeric:
        kind = VariableKind.ORDERED  # numbers alone may be mere names of groups
    variable = Variable(
        label=label,
        kind=kind,
        column=name if key != name else None,
        levels=levels,
        codes=codes,
        measured=measured,
        missing_codes=gaps.codes,
        treatment=concept is not None and concept.treats and not _of_something_else(words),
    )
    return VariableGuess(name, key, variable, f"{phrase}; {why}{gaps.says}", gaps=gaps)


def _some_responses(profile: Profile) -> bool:
    """Whether at least half of the known values are words of a tumour response."""
    known = vocabulary().lexicons["response"]
    return 2 * sum(n for text, n in profile.counts.items() if known.get(text)) >= profile.n_known


def _of_something_else(words: Words) -> bool:
    """Say whether a header with the name of a treatment is about something else ("PD-1 status")."""
    other = vocabulary().not_a_treatment
    return any(
        any(part in word for part in other if is_chinese(part)) or word in other for word in words
    )


def _not_a_variable(
    words: Words, profile: Profile, concept: VariableConcept | None
) -> tuple[str, bool] | None:
    if not profile.n_known:
        return "no row holds a value", False
    if vocabulary().not_a_variable.match(words) is not None:
        return "a key of another system", True
    if id_rank(words) is not None and (concept is None or profile.n_distinct > MAX_LEVELS):
        return "an identifier", True
    if profile.n_distinct == 1:
        return "left out, because every row with a value holds the same one", False
    return None


def _date(name: str, use: str | None) -> VariableGuess:
    measured = {
        "start": Measured.BASELINE,
        "event": Measured.POST_BASELINE,
        "contact": Measured.POST_BASELINE,
        "end": Measured.POST_BASELINE,
        "post_baseline": Measured.POST_BASELINE,
    }.get(use or "", Measured.UNKNOWN)
    key = key_of(name)
    variable = Variable(
        label=label_of(name),
        kind=VariableKind.DATE,
        column=name if key != name else None,
        measured=measured,
    )
    return VariableGuess(name, key, variable, "the cells are dates")


def _kind(
    profile: Profile, concept: VariableConcept | None, labels: Mapping[str, str], *, measures: bool
) -> tuple[VariableKind | None, str]:
    """Tell numbers from levels and from free text; a header with a unit measures something."""
    n = profile.n_distinct
    wanted = concept.kind if concept else None
    ranges = all(_LEADING_NUMBER.match(text) for text in profile.counts)
    if wanted == "numeric" and profile.is_numeric:
        return VariableKind.NUMERIC, "numbers"
    if profile.is_numeric and not _has_labels(labels):
        if wanted in ("ordered", "categorical") and n <= MAX_LEVELS and profile.is_whole:
            kind = VariableKind.ORDERED if wanted == "ordered" else VariableKind.CATEGORICAL
            return kind, f"{n} values"
        if wanted == "categorical" and profile.is_whole and n > MAX_LEVELS and not measures:
            return None, f"{n} different codes are too many for levels"
        if n <= 2 or _are_codes(profile):
            return VariableKind.CATEGORICAL, f"{n} values, taken for codes of levels"
        return VariableKind.NUMERIC, f"numbers, {n} different ones"
    if has_short_years(profile):
        return None, "dates with a year of two digits, which can't be read for certain"
    if not profile.complete:
        return None, "free text or an identifier: too many different values"
    limit = MAX_LEVELS_NAMED if wanted in ("categorical", "ordered") else MAX_LEVELS
    if n > limit:
        return None, why_no_number(profile) or f"{n} different texts are too many for levels"
    if n > 2 and n > 0.5 * profile.n_known and not (concept and wanted) and not ranges:
        return None, "nearly every row has a text of its own"
    if n == profile.n_known and profile.n_known > 5:
        return None, "every row has a text of its own"
    if profile.mean_length > _LONG_TEXT and not concept:
        return None, "long free text"
    kind = VariableKind.ORDERED if wanted == "ordered" else VariableKind.CATEGORICAL
    return kind, f"{n} levels"


def why_no_number(profile: Profile) -> str | None:
    """Say why texts that begin with a number are none; ``None`` for other texts."""
    texts = list(profile.counts)
    plain = [text for text in texts if {number_of(text), number_of(text, ",")} != {None}]
    behind = [text for text in texts if text not in plain and _WITH_UNIT.fullmatch(text)]
    days = [text for text in texts if _ISO_DATE.match(text)]
    if len(behind) + len(plain) + len(days) < _MOST_NUMBERS * len(texts) or not plain + behind:
        return None
    if days:
        return (
            "some cells are dates, which a spreadsheet makes of numbers by their format: format "
            "the column as numbers"
        )
    if behind:
        # never whole cells: they may be ids of somebody
        signs = sorted({_DIGITS.sub("", text).strip() for text in behind})
        if len(signs) > _FEW_SIGNS:
            return None
        named = listed([f"“{sign}”" for sign in signs])
        return (
            f"numbers with {named} in the cell, which are not read: write plain numbers, and the "
            "unit in the name of the column"
        )
    return (
        "some numbers have a comma and others a point as decimal mark, which are not read "
        "together: write all with one"
    )


def _has_labels(labels: Mapping[str, str]) -> bool:
    return any(text != label for text, label in labels.items())


def _are_codes(profile: Profile) -> bool:
    """Whether whole numbers are few, small and without great gaps, as codes of levels are."""
    if profile.low is None or profile.high is None:
        return False
    if profile.n_distinct <= 3 and profile.low >= 0 and profile.high <= 5 and not profile.is_whole:
        return True  # 0, 0.5, 1
    return (
        profile.is_whole
        and profile.low >= 0
        and profile.high <= _MAX_CODE
        and profile.n_distinct <= 6
        and profile.n_distinct >= 0.6 * (profile.high - profile.low + 1)
    )


def level_codes(
    profile: Profile,
    concept: VariableConcept | None,
    labels: Mapping[str, str],
    *,
    translated: bool = False,
) -> dict[str, str]:
    """Give the standard spelling of each value that has another one.

    Abbreviations and synonyms of histotypes get the standard name, unless most values of the
    column are no histotypes. Under a header in another language (``translated``) its words for
    usual levels get the English ones.
    """
    spelt = {text: label for text, label in labels.items() if label != text}
    lexicons = vocabulary().lexicons
    texts = {text: spelt.get(text, text) for text in profile.counts}
    name = concept.levels if concept else None
    candidates = [name] if name else []
    if name is None:
        candidates = [
            other
            for other in ("yes_no", "sex")
            if all(lexicons[other].get(text) for text in texts.values())
        ]
    standard: dict[str, str | None] = dict.fromkeys(texts)
    for lexicon in (*candidates, "yes_no", "other"):
        for text, written in texts.items():
            foreign = translated or is_chinese(written)
            if standard[text] is None and (lexicon in candidates or foreign):
                standard[text] = lexicons[lexicon].get(written)
    if name == "sex":
        standard |= _sex_by_initials(texts)
    if name == "histotype":
        used = [level for level in standard.values() if level]
        # two letters mean other things in other fields: a synonym needs company
        if 2 * len(used) < len(texts) and not any(is_chinese(text) for text in texts.values()):
            standard = {
                text: level if level and words_of(level) == words_of(texts[text]) else None
                for text, level in standard.items()
            }
    written_in = {re.sub(r"[0-5]", "#", written) for written in texts.values()}
    if concept is not None and concept.key == "ecog" and len(written_in) > 1:
        for text, written in texts.items():
            score = _PERFORMANCE.fullmatch(unicodedata.normalize("NFKC", written).strip())
            standard[text] = "".join(score[1].split()) if score else standard[text]
    by_case: dict[str, str] = {}
    out = {}
    for text, written in texts.items():
        level = standard[text] or written
        if standard[text] is None:  # "Deep" and "deep" are one level: the more frequent spelling
            level = by_case.setdefault(" ".join(written.casefold().split()), written)
        if level != text:
            out[text] = level
    return out


def _sex_by_initials(texts: Mapping[str, str]) -> dict[str, str | None]:
    """Say what M is beside initials of other languages; it may be a man or a woman.

    H is hombre, homme or homem, so that M beside it is mujer or mulher, and F femme. Beside V
    (varón, or vrouw), D or U (donna, uomo) nothing tells, and the letters stay as they are.
    """
    by_initial = {text.strip().casefold(): key for key, text in texts.items()}
    beside = by_initial.keys() & {"h", "v", "d", "u"}
    if not beside or not by_initial.keys() & {"m", "f"}:
        return {}
    if beside == {"h"} and not {"m", "f"} <= by_initial.keys():
        meant = {"h": "Male", "m": "Female", "f": "Female"}
        return {key: meant[sign] for sign, key in by_initial.items() if sign in meant}
    return {key: None for sign, key in by_initial.items() if sign in {"h", "m", "f", "v", "d", "u"}}


def _mapping(profile: Profile, codes: Mapping[str, str]) -> str:
    """Show what values are written as, with their counts."""
    shown = [
        f"{text} = {level} ({profile.counts[text]})" for text, level in list(codes.items())[:_SHOWN]
    ]
    more = len(codes) - len(shown)
    if more > 0:
        shown.append(f"{more} more")
    return f": {', '.join(shown)}" if shown else ""


def level_order(
    levels: Collection[str], concept: VariableConcept | None
) -> tuple[tuple[str, ...], bool]:
    """Put levels in the order of a scale, of numbers, or of the alphabet; "others" last.

    Returns
    -------
    tuple
        The levels, and whether they are known to stand in an order.
    """
    last = [level for level in levels if words_of(level) in vocabulary().last]
    first = [level for level in levels if level not in last]
    name = concept.levels if concept else None
    if name == "response":
        given = list(vocabulary().lexicons["response"].levels)
        ranked = given  # an empty category is a result too
        rest = sorted((level for level in first if level not in given), key=natural_order)
        return (*ranked, *rest, *sorted(last)), True
    rank = _scale(first, staged=concept is not None and concept.kind == "ordered")
    if rank is None:
        return (*sorted(first, key=natural_order), *sorted(last)), False
    return (*sorted(first, key=lambda level: rank[level]), *sorted(last)), not last


def _scale(levels: list[str], *, staged: bool) -> dict[str, tuple[float, ...]] | None:
    """Rank levels that all belong to one scale; ``None`` when there is none."""
    if len(levels) < 2:
        return None
    words = {level: words_of(level) for level in levels}
    for scale in vocabulary().scales:
        if all(parts in scale for parts in words.values()):
            return {level: (float(scale.index(parts)),) for level, parts in words.items()}
    names = (("stage",), ("grade",))
    if staged or all(words[level][:1] in names or _is_roman(level) for level in levels):
        ranks = {level: _staged(level) for level in levels}
        if None not in ranks.values() and len(set(ranks.values())) == len(levels):
            return {level: rank for level, rank in ranks.items() if rank is not None}
    numbered = {level: _LEADING_NUMBER.match(level) for level in levels}
    if all(numbered.values()):
        out: dict[str, tuple[float, ...]] = {}
        for level, found in numbered.items():
            assert found is not None
            sign = level.strip()[:1]
            shift = -0.5 if sign in "<≤" else 0.5 if sign in ">≥" else 0.0
            if _RANGE.fullmatch(level):  # "0-1" stands between 0 and 1
                shift = 0.5
            out[level] = (float(found[1]), shift)
        return out if len(set(out.values())) == len(levels) else None
    return None


def _is_roman(level: str) -> bool:
    return unicodedata.normalize("NFKC", level).strip().casefold().rstrip("abcd期级") in _ROMAN


def _staged(level: str) -> tuple[float, ...] | None:
    text = unicodedata.normalize("NFKC", level).strip()
    text = re.sub(r"[期级]$", "", text)
    found = _STAGED.match(text)
    if not found:
        return None
    number = found[1].casefold()
    main = _ROMAN[number] if number in _ROMAN else int(number)
    return float(main), float(ord(found[2].casefold()) if found[2] else 0), float(found[3] or 0)


def key_of(header: str) -> str:
    """Give a header as a key: words joined by an underscore, Chinese characters kept."""
    key = "_".join(words_of(header)).replace("%", "percent").strip("_")
    return key or "column"


def label_of(header: str) -> str:
    """Give a header as a label: gaps for underscores, a capital, abbreviations in capitals."""
    text = " ".join(re.sub(r"[_.\s]+", " ", header).split())
    text = re.sub(r"(?<=[a-z]{3})(?=[A-Z])", " ", text)
    known = vocabulary().abbreviations
    parts = [known.get(part.casefold(), part) for part in text.split(" ")]
    if not parts or not parts[0]:
        return header
    if parts[0].islower():
        parts[0] = parts[0][:1].upper() + parts[0][1:]
    return " ".join(parts)
