from __future__ import annotations

from typing import Any

import pytest

from sts_core.reading.vocabulary import FOLDER, Lexicon, Phrases, read_words, vocabulary, words_of
from sts_core.study import Measured, TimeUnit, VariableKind

FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


def test_there_are_word_files() -> None:
    assert FILES == [
        "columns.yaml",
        "criteria.yaml",
        "endpoints.yaml",
        "french.yaml",
        "histotypes.yaml",
        "italian.yaml",
        "portuguese.yaml",
        "privacy.yaml",
        "spanish.yaml",
        "tables.yaml",
        "values.yaml",
        "visits.yaml",
    ]


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_where_its_words_are_from(name: str) -> None:
    source = read_words(name)["source"]
    assert len(source) > 40
    assert "this project's own" in source, "Chinese words are ours, and that is said"


def test_concepts_use_known_kinds() -> None:
    for concept in vocabulary().variable_concepts.values():
        assert concept.kind is None or concept.kind in set(VariableKind)
        assert concept.measured in set(Measured)
        assert concept.levels is None or concept.levels in vocabulary().lexicons
    assert set(vocabulary().units.values()) == set(TimeUnit)
    uses = {"start", "event", "end", "contact", "cutoff", "birth", "post_baseline"}
    assert set(vocabulary().date_use.values()) <= uses


@pytest.mark.parametrize("name", ["yes_no", "sex", "response", "site", "drug", "histotype"])
def test_no_word_stands_for_two_levels(name: str) -> None:
    content: dict[str, Any] = {**read_words("values.yaml"), **read_words("histotypes.yaml")}
    owners: dict[tuple[str, ...], set[str]] = {}
    for level, spellings in content[name].items():
        for text in (level, *spellings):
            owners.setdefault(words_of(text), set()).add(level)
    assert {words: levels for words, levels in owners.items() if len(levels) > 1} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PFS(月)", ("pfs", "月")),
        ("OS（月）", ("os", "月")),
        ("OS_days", ("os", "days")),
        ("Größe (cm)", ("grosse", "cm")),
        ("Décès", ("deces",)),
        ("timeWeeks", ("time", "weeks")),
        ("mRNA cluster", ("mrna", "cluster")),
        ("ECOG评分", ("ecog", "评分")),
        ("Ⅳ期", ("iv", "期")),
        ("  Patient-ID: ", ("patient", "id")),
        ("", ()),
    ],
)
def test_words_of_a_header(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_the_longest_phrase_in_a_header_wins_and_whole_words_only() -> None:
    phrases = Phrases({"site": ["site"], "relapse site": ["site of relapse"], "age": ["age"]})
    found = phrases.match(words_of("First site of relapse"))
    assert found is not None
    assert (found.concept, found.exact) == ("relapse site", False)
    assert phrases.match(words_of("stage")) is None


def test_a_phrase_for_whole_headers_is_not_found_inside() -> None:
    phrases = Phrases({"arm": ["treatment"]}, {"arm": ["treatment"]})
    assert phrases.match(words_of("treatment")) is not None
    assert phrases.match(words_of("treatment delay")) is None


def test_a_chinese_phrase_is_found_inside_a_run_of_characters() -> None:
    phrases = Phrases({"death": ["死亡"]}, filler=["日期", "是否"])
    inside = phrases.match(words_of("首次死亡记录"))
    assert inside is not None
    assert not inside.exact
    whole = phrases.match(words_of("是否死亡"))
    assert whole is not None
    assert whole.exact


def test_a_lexicon_knows_every_spelling() -> None:
    lexicon = Lexicon({"Alveolar soft part sarcoma": ["ASPS", "腺泡状软组织肉瘤"]})
    for text in (
        "asps",
        "ALVEOLAR SOFT-PART SARCOMA",
        "腺泡状软组织肉瘤",
        "腺泡状软组织肉瘤(ASPS)",
    ):
        assert lexicon.get(text) == "Alveolar soft part sarcoma"
    assert lexicon.get("soft part") is None


@pytest.mark.parametrize(
    "text", ["MFH", "LMS", "ASPS", "CCS", "DDLPS", "MPNST", "synovial", "UPS", "SFT", "DSRCT"]
)
def test_usual_abbreviations_of_histotypes_are_known(text: str) -> None:
    assert vocabulary().lexicons["histotype"].get(text)


def synonyms() -> list[tuple[str, str]]:
    content = read_words("histotypes.yaml")["histotype"]
    return [(text, level) for level, texts in content.items() for text in (level, *texts)]


def test_every_synonym_of_a_histotype_is_offered_its_standard_name() -> None:
    lexicon = vocabulary().lexicons["histotype"]
    assert len(synonyms()) > 150
    for text, level in synonyms():
        for spelling in (text, text.upper(), f" {text} "):
            assert lexicon.get(spelling) == level
