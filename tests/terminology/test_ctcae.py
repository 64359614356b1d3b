from __future__ import annotations

import re

import pytest

from sts_core.terminology.ctcae import candidates, find, key_of, knows, read_csv, synonyms, terms


def test_the_whole_of_ctcae_is_there() -> None:
    assert len(terms()) == 837
    assert len({term.system_organ_class for term in terms().values()}) == 26
    assert terms()["Hypertension"].grades == {1, 2, 3, 4, 5}
    assert terms()["Alopecia"].grades == {1, 2}
    assert terms()["Death NOS"].grades == {5}
    assert all(term.grades for term in terms().values())


def test_no_two_terms_share_a_key_and_every_term_finds_itself() -> None:
    assert len({key_of(name) for name in terms()}) == len(terms())
    for name, term in terms().items():
        for spelled in (name, name.upper(), f" {name.lower()} ", name.replace("-", " ")):
            found = find(spelled)
            assert found is not None, spelled
            assert found.term is term


def test_every_synonym_has_a_term_a_language_and_a_source() -> None:
    rows = read_csv("synonyms.csv")
    assert [*rows[0]] == ["synonym", "term", "language", "source"]
    sources = {"ours", "CTCAE v5.0 definition", "Li 2024; assigned by us"}
    for item in synonyms():
        assert item.term in terms()
        assert item.source in sources
        chinese = re.search("[\u4e00-\u9fff]", item.name) is not None
        assert item.language == ("zh" if chinese else "en"), item.name
        # no Chinese name has a source in print here
        assert not chinese or item.source == "ours"
    assert len({(item.name, item.term) for item in synonyms()}) == len(synonyms())


def test_no_synonym_hides_a_term() -> None:
    names = {key_of(name) for name in terms()}
    assert not [item.name for item in synonyms() if key_of(item.name) in names]


def test_a_name_of_several_terms_is_never_mapped() -> None:
    several = [item.name for item in synonyms() if candidates(item.name)]
    assert len(several) > 100
    for name in several:
        assert find(name) is None
        assert len(candidates(name)) > 1
    assert {term.name for term in candidates("转氨酶升高")} == {
        "Alanine aminotransferase increased", "Aspartate aminotransferase increased",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("anaemia", "Anemia"), ("Diarrhoea", "Diarrhea"), ("oedema limbs", "Edema limbs"),
        ("HYPOKALAEMIA", "Hypokalemia"), ("leucopenia", "White blood cell decreased"),
        ("Neutropaenia", "Neutrophil count decreased"), ("Oesophagitis", "Esophagitis"),
        ("ALT elevated", "Alanine aminotransferase increased"),
        ("increased ALT", "Alanine aminotransferase increased"),
        ("ALT↑", "Alanine aminotransferase increased"),
        ("谷丙转氨酶增高", "Alanine aminotransferase increased"),
        ("血小板下降", "Platelet count decreased"), ("血小板 减少", "Platelet count decreased"),
        ("中性粒细胞减少", "Neutrophil count decreased"),
        ("手足综合征", "Palmar-plantar erythrodysesthesia syndrome"),
        ("Hand-foot syndrome", "Palmar-plantar erythrodysesthesia syndrome"),
        ("甲状腺功能减退", "Hypothyroidism"), ("贫血", "Anemia"), ("高血压", "Hypertension"),
        ("蛋白尿", "Proteinuria"), ("乏力", "Fatigue"), ("无力", "Fatigue"), ("腹泻", "Diarrhea"),
        ("Pain, abdominal", "Abdominal pain"), ("maculopapular rash", "Rash maculo-papular"),
        ("Platelet count decreased (thrombocytopenia)", "Platelet count decreased"),
        ("Gastrointestinal disorders >> Nausea", "Nausea"),
        ("\uff2eausea", "Nausea"), ("口腔粘膜炎", "Mucositis oral"),
        ("Grippe", None), ("", None), ("  ", None), ("()", None), ("decreased", None),
        ("hemorrhage", None), ("renal insufficiency", None), ("肝功能异常", None),
    ],
)  # fmt: skip
def test_names_and_their_terms(name: str, term: str | None) -> None:
    found = find(name)
    assert (found.term.name if found else None) == term


# Li et al., BMC Cancer 2024;24:1028: all terms of its table of adverse events.
REFERENCE_STUDY = {
    "hypertension": "Hypertension",
    "diarrhea": "Diarrhea",
    "proteinuria": "Proteinuria",
    "anemia": "Anemia",
    "fatigue": "Fatigue",
    "hand foot syndrome": "Palmar-plantar erythrodysesthesia syndrome",
    "renal insufficiency": None,
    "thrombocytopenia": "Platelet count decreased",
    "white blood cell count decreased": "White blood cell decreased",
    "hemorrhage": None,
    "liver dysfunction": None,
    "nausea / vomiting": None,
    "interstitial pneumonia": "Pneumonitis",
    "toothache": "Toothache",
    "oral mucositis": "Mucositis oral",
    "hypothyroidism": "Hypothyroidism",
    "elevated bilirubin": "Blood bilirubin increased",
    "musculoskeletal pain": None,
}


@pytest.mark.parametrize("name", REFERENCE_STUDY)
def test_every_term_of_the_reference_study_is_known(name: str) -> None:
    assert knows(name) or find(name) is not None
    found = find(name)
    assert (found.term.name if found else None) == REFERENCE_STUDY[name]
    assert found is not None or len(candidates(name)) > 1
