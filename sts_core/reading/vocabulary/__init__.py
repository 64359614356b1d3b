"""Words that headers and cells are made of, in several languages; the words are data files.

Headers are compared as words: letters in one case, camelCase and every mark between words taken
as a gap, Chinese characters apart from Latin ones. A Latin phrase matches whole words only, a
Chinese phrase anywhere in the Chinese part, because Chinese has no gaps.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
#: Files whose words are added to those of the files that they name.
LANGUAGES = ("french", "spanish", "italian", "portuguese")

_CJK = "㐀-䶿一-鿿豈-﫿"
# "timeWeeks", but not "mRNA"
_CAMEL = re.compile(r"(?<=[a-z]{3})(?=[A-Z])")
_GAP = re.compile(rf"[^0-9a-z{_CJK}%]+")
_CHINESE = re.compile(rf"[{_CJK}]")
# Between two spellings of one level
_PARTS = re.compile(r"[()\[\]（）/]")
_RUN = re.compile(rf"[{_CJK}]+|[^{_CJK}\s]+")

Words = tuple[str, ...]


def is_chinese(text: str) -> bool:
    """Whether a text has a Chinese character."""
    return not text.isascii() and _CHINESE.search(text) is not None


@lru_cache(maxsize=8192)
def words_of(text: str) -> Words:
    """Give a header or a level as comparable words.

    ``"PFS(月)"`` gives ``("pfs", "月")``, ``"timeWeeks"`` gives ``("time", "weeks")``,
    ``"Größe"`` gives ``("grosse",)``: a letter is compared without its accent. What it keeps is
    forgotten after each recognition.
    """
    return _words_of_cell(text)


def _words_of_cell(text: str) -> Words:
    plain = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    if not plain.isascii():
        parts = unicodedata.normalize("NFD", plain)
        plain = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return tuple(_RUN.findall(_GAP.sub(" ", plain)))


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found in a header.

    Attributes
    ----------
    concept
        What it stands for.
    exact
        Whether it is the whole header.
    length
        Characters of the phrase.
    rank
        Its place among the names of the concept; the first is the most usual.
    """

    concept: str
    exact: bool
    length: int
    rank: int = 0


class Phrases:
    """Phrases that stand for concepts.

    Parameters
    ----------
    concepts
        Concept -> its phrases.
    exact
        Concept -> phrases that count only when they are the whole header.
    filler
        Words that don't matter in the comparison with a whole header.
    """

    def __init__(
        self,
        concepts: Mapping[str, Iterable[str]],
        exact: Mapping[str, Iterable[str]] | None = None,
        filler: Iterable[str] = (),
    ) -> None:
        self._filler = frozenset(word for text in filler for word in words_of(text))
        self._exact: dict[Words, tuple[str, int]] = {}
        self._parts: list[tuple[Words, str]] = []
        only_exact = {
            concept: {words_of(text) for text in texts} for concept, texts in (exact or {}).items()
        }
        for concept, phrases in concepts.items():
            for rank, phrase in enumerate(phrases):
                words = words_of(phrase)
                self._exact.setdefault(self._bare(words), (concept, rank))
                self._exact.setdefault(words, (concept, rank))
                if words not in only_exact.get(concept, ()):
                    self._parts.append((words, concept))
        self._parts.sort(key=lambda part: -sum(map(len, part[0])))
        # where to look: a phrase is in a header only if each of its words that isn't Chinese is
        self._by_word: dict[str, list[int]] = {}
        self._chinese: list[int] = []
        for place, (words, _) in enumerate(self._parts):
            plain = next((word for word in words if not is_chinese(word)), None)
            if plain is None:
                self._chinese.append(place)
            else:
                self._by_word.setdefault(plain, []).append(place)

    def _bare(self, words: Words) -> Words:
        cleaned = []
        for word in words:
            if word in self._filler:
                continue
            if is_chinese(word):
                for filler in self._filler:
                    if is_chinese(filler) and word != filler:
                        word = word.removeprefix(filler).removesuffix(filler)
            cleaned.append(word)
        return tuple(cleaned) or words

    def match(self, words: Words, *, drop: frozenset[str] = frozenset()) -> Match | None:
        """Find what a header stands for: a whole match first, else the longest phrase in it.

        Parameters
        ----------
        words
            Words of the header.
        drop
            Further words that don't matter for a whole match (units).
        """
        kept = tuple(word for word in words if word not in drop)
        for candidate in (words, kept, self._bare(words), self._bare(kept)):
            if candidate in self._exact:
                concept, rank = self._exact[candidate]
                return Match(concept, True, sum(map(len, candidate)), rank)
        places = [place for word in set(words) for place in self._by_word.get(word, ())]
        if any(map(is_chinese, words)):
            places += self._chinese
        for place in sorted(places):
            phrase, concept = self._parts[place]
            if _contains(words, phrase):
                return Match(concept, False, sum(map(len, phrase)))
        return None

    def whole(self, words: Words) -> str | None:
        """Give the concept that the whole header stands for."""
        found = self._exact.get(words) or self._exact.get(self._bare(words))
        return found[0] if found else None


def _contains(words: Words, phrase: Words) -> bool:
    width = len(phrase)
    if width == 1 and phrase[0].isascii():
        return phrase[0] in words
    return any(
        all(
            part in word if is_chinese(part) else part == word
            for part, word in zip(phrase, words[start : start + width], strict=True)
        )
        for start in range(len(words) - width + 1)
    )


@dataclass(frozen=True, slots=True)
class VariableConcept:
    """What is known of a usual characteristic, whatever its column is called."""

    key: str
    label: str
    kind: str | None
    unit: str | None
    levels: str | None
    measured: str
    is_umbrella: bool
    treats: bool = False


@dataclass(frozen=True, slots=True)
class EndpointConcept:
    """What is known of a usual endpoint."""

    code: str
    label: str
    event: str
    shares_time_with: str | None


class Lexicon:
    """Spellings of levels: from any spelling to the standard one."""

    def __init__(self, levels: Mapping[str, Iterable[str]]) -> None:
        self._standard: dict[Words, str] = {}
        for level, spellings in levels.items():
            for text in (level, *spellings):
                self._standard.setdefault(words_of(text), level)
        self.levels = tuple(levels)

    def get(self, text: str) -> str | None:
        """Give the standard spelling of a level, ``None`` for an unknown word or a doubtful one."""
        if text.rstrip().endswith(("?", "？")):  # "dead?" doesn't say it
            return None
        words = _words_of_cell(text)
        found = self._standard.get(words)
        if found is None and len(words) > 1 and is_chinese(words[0]):  # 腺泡状软组织肉瘤(ASPS)
            found = self._standard.get(words[:1])
        if found is None and _PARTS.search(text):  # "Leiomyosarcoma (LMS)", "UPS/MFH"
            parts = [_words_of_cell(part) for part in _PARTS.split(text)]
            levels = {self._standard.get(part) for part in parts if part}
            found = levels.pop() if len(levels) == 1 else None
        return found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, ready for comparison."""

    subject_id: tuple[Words, ...]
    not_a_variable: Phrases
    not_a_treatment: frozenset[str]
    dates: Phrases
    date_use: Mapping[str, str]
    date_label: Mapping[str, str]
    variables: Phrases
    variable_concepts: Mapping[str, VariableConcept]
    adverse_events: Phrases
    adverse_event_rank: Mapping[Words, int]
    related_values: frozenset[Words]
    assessments: Phrases
    parameters: Phrases
    entry: Phrases
    patient_sheets: Phrases
    dictionary_sheets: Phrases
    dictionary_headers: Phrases
    abbreviations: Mapping[str, str]
    endpoints: Mapping[str, EndpointConcept]
    time_of: Phrases
    status_of: Mapping[str, Phrases]
    generic: EndpointConcept
    generic_time: Phrases
    generic_status: Phrases
    time_words: frozenset[str]
    status_words: frozenset[str]
    inverse: Phrases
    censor_code: frozenset[str]
    censor_ambiguous: frozenset[str]
    units: Mapping[str, str]
    status: Lexicon
    lexicons: Mapping[str, Lexicon]
    response_beside_others: frozenset[Words]
    scales: tuple[tuple[Words, ...], ...]
    last: frozenset[Words]
    sections: re.Pattern[str]
    filler: frozenset[str]


def read_words(name: str) -> dict[str, Any]:
    """Read a word file with what other languages add; every value is text: ``no`` stays a word."""
    content = _read_file(name)
    for language in LANGUAGES:
        more = _of_language(language).get(name.removesuffix(".yaml"), {})
        for key, words in more.items():
            _add_words(content, key, words)
    return content


def _add_words(content: dict[str, Any], key: str, words: Any) -> None:
    """Add words to a list, to the headers of a concept, or to each of several.

    Raises
    ------
    KeyError
        If there is nothing of that name.
    """
    if key == "exact":
        for concept, texts in words.items():
            former = content["variables"][concept]
            former["exact"] = [*former.get("exact", ()), *texts]
            former["headers"] = [*former["headers"], *texts]
        return
    former = content[key]
    if isinstance(former, list):
        content[key] = [*former, *words]
    elif isinstance(words, list):
        former["headers"] = [*former["headers"], *words]
    else:
        for inner, more in words.items():
            _add_words(former, inner, more)


@lru_cache(maxsize=1)
def _foreign_headers() -> frozenset[Words]:
    """Give the names of characteristics in the languages that have a file of their own."""
    found: set[Words] = set()
    for language in LANGUAGES:
        columns = _of_language(language)["columns"]
        for texts in (*columns["variables"].values(), *columns["exact"].values()):
            found |= {words_of(text) for text in texts}
    return frozenset(found)


def is_translated(header: str) -> bool:
    """Whether a header is a name in a language other than English, so that its cells are too."""
    return is_chinese(header) or words_of(header) in _foreign_headers()


@cache
def _of_language(language: str) -> Mapping[str, Any]:
    """Give what a language adds; it is only read."""
    return _read_file(f"{language}.yaml")


def _read_file(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    # BaseLoader builds nothing but text, lists and mappings
    content: dict[str, Any] = yaml.load(
        (FOLDER / name).read_text(encoding="utf-8"),
        Loader=loader,
    )
    return content


def _single(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in words_of(text))


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Give all words; the files are read once."""
    columns, endpoints, values, histotypes = (
        read_words(f"{name}.yaml") for name in ("columns", "endpoints", "values", "histotypes")
    )
    filler = columns["filler"]
    concepts = columns["variables"]
    codes = endpoints["endpoints"]
    generic = endpoints["generic"]
    return Vocabulary(
        subject_id=tuple(words_of(text) for text in columns["subject_id"]),
        not_a_treatment=frozenset(columns["not_a_treatment"]),
        not_a_variable=Phrases(
            {"text": columns["not_a_variable"]}, {"text": columns["not_a_variable"]}
        ),
        dates=Phrases({key: item["headers"] for key, item in columns["dates"].items()}, {}, filler),
        date_use={key: item["use"] for key, item in columns["dates"].items()},
        date_label={key: item.get("label", "") for key, item in columns["dates"].items()},
        variables=Phrases(
            {key: item["headers"] for key, item in concepts.items()},
            {key: item.get("exact", ()) for key, item in concepts.items()},
        ),
        variable_concepts={
            key: VariableConcept(
                key, item["label"], item.get("kind"), item.get("unit"),
                item.get("levels"), item["measured"], "umbrella" in item,
                treats=bool(item.get("treats")),
            )
            for key, item in concepts.items()
        },
        adverse_events=Phrases(columns["adverse_events"]),
        adverse_event_rank={
            words_of(text): rank
            for texts in columns["adverse_events"].values()
            for rank, text in enumerate(texts)
        },
        related_values=frozenset(words_of(text) for text in columns["related_values"]),
        assessments=Phrases(columns["assessments"]),
        parameters=Phrases(columns["parameters"], columns["parameters"]),
        entry=Phrases({"entry": columns["entry"]}, {"entry": columns["entry"]}),
        patient_sheets=Phrases({"sheet": columns["patient_sheets"]}),
        dictionary_sheets=Phrases({"sheet": columns["dictionary"]["sheets"]}),
        dictionary_headers=Phrases({"header": columns["dictionary"]["headers"]}),
        abbreviations={text.casefold(): text for text in columns["abbreviations"]},
        endpoints={
            code: EndpointConcept(code, item["label"], item["event"], item.get("shares_time_with"))
            for code, item in codes.items()
        },
        time_of=Phrases(
            {code: item["times"] for code, item in codes.items()}, {}, endpoints["time_words"]
        ),
        status_of={
            code: Phrases({code: item["status"]}, {}, endpoints["status_words"])
            for code, item in codes.items()
        },
        generic=EndpointConcept(generic["code"], generic["label"], generic["event"], None),
        generic_time=Phrases({generic["code"]: generic["times"]}),
        generic_status=Phrases({generic["code"]: generic["status"]}),
        time_words=_single(endpoints["time_words"]),
        status_words=_single(endpoints["status_words"]),
        inverse=Phrases({"inverse": endpoints["inverse"]}),
        censor_code=_single(endpoints["censor_code"]),
        censor_ambiguous=_single(endpoints["censor_ambiguous"]),
        units={
            word: unit
            for unit, texts in endpoints["units"].items()
            for text in texts
            for word in words_of(text)
        },
        status=Lexicon(values["status"]),
        lexicons={
            **{
                name: Lexicon(values[name])
                for name in ("yes_no", "sex", "response", "site", "drug", "other")
            },
            "histotype": Lexicon(histotypes["histotype"]),
        },
        response_beside_others=frozenset(map(words_of, values["response_beside_others"])),
        scales=tuple(tuple(words_of(text) for text in scale) for scale in values["scales"]),
        last=frozenset(words_of(text) for text in values["last"]),
        sections=re.compile("|".join(
            re.escape("".join(words_of(text)))
            for text in sorted(columns["sections"], key=len, reverse=True)
        )),
        filler=frozenset(filler),
    )  # fmt: skip


def is_section(heading: str) -> bool:
    """Whether a heading over several names is that of a mere section of the sheet.

    It is made of nothing but words such as "demographics", "baseline characteristics" or
    "疗效与随访", so that the names below it say the same without it.
    """
    known = vocabulary()
    named = {word: known.sections.sub("", word) == "" for word in words_of(heading)}
    return any(named.values()) and all(said or word in known.filler for word, said in named.items())


def speaks_for_itself(header: str) -> bool:
    """Whether a whole header is a usual name of a characteristic, a date, or a known endpoint."""
    known = vocabulary()
    words = words_of(header)
    if words in known.subject_id:
        return True
    units = frozenset(known.units)
    phrases = (known.dates, known.variables, known.time_of, *known.status_of.values())
    matches = (found.match(words, drop=units) for found in phrases)
    return any(match is not None and match.exact for match in matches)
