"""Words of other languages: what they mean, and what is left alone as it may mean two things."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from sts_core.findings import FindingCode
from sts_core.reading import read_bytes
from sts_core.reading.profile import profile_column
from sts_core.reading.proposal import Proposal
from sts_core.reading.recognise import propose_study
from sts_core.reading.sheet import is_response, profile_sheet
from sts_core.reading.vocabulary import LANGUAGES, is_section, read_words, vocabulary, words_of
from sts_core.study import TimeUnit
from sts_core.values import date_of, is_missing, says_no_date

N = 12


def propose(**columns: list[str]) -> Proposal:
    """Recognise a csv with a semicolon, as spreadsheets of these countries write it."""
    rows = [";".join(["id", *columns])]
    rows += [
        ";".join([f"P{n}", *(cells[n % len(cells)] for cells in columns.values())])
        for n in range(N)
    ]
    return propose_study([read_bytes("a.csv", ("\n".join(rows) + "\n").encode())])


def codes_of(header: str, *cells: str) -> dict[str, str]:
    proposal = propose(**{header: list(cells)})
    (variable,) = proposal.study.definitions.variables.values()
    return dict(variable.codes)


@pytest.mark.parametrize(
    ("header", "cells", "codes"),
    [
        ("Sexo", ("H", "M"), {"H": "Male", "M": "Female"}),
        ("Sexe", ("H", "F"), {"H": "Male", "F": "Female"}),
        ("Sesso", ("M", "F"), {"M": "Male", "F": "Female"}),
        ("Sexo", ("V", "M"), {}),
        ("Sex", ("V", "M"), {}),
        ("Sesso", ("D", "U"), {}),
        ("Sexo", ("H", "M", "F"), {}),
        ("Sexo", ("Varón", "Mujer"), {"Varón": "Male", "Mujer": "Female"}),
        ("Sex", ("m", "w"), {"m": "Male", "w": "Female"}),
    ],
)
def test_initials_of_a_sex_are_read_by_what_stands_beside_them(
    header: str, cells: tuple[str, ...], codes: dict[str, str]
) -> None:
    assert codes_of(header, *cells) == codes


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Meilleure réponse", ("RC", "RP", "MS", "MP")),
        ("Meilleure réponse", ("RC", "RP", "SD", "PD")),
        ("Mejor respuesta", ("RC", "RP", "EE", "EP")),
        ("Mejor respuesta", ("RC", "RP", "EE", "PE")),
        ("Migliore risposta", ("RC", "RP", "SD", "PD")),
        ("Melhor resposta", ("RC", "RP", "DE", "DP")),
    ],
)
def test_abbreviations_of_responses(header: str, cells: tuple[str, ...]) -> None:
    codes = codes_of(header, *cells)
    levels = [codes.get(cell, cell) for cell in cells]
    assert levels == ["CR", "PR", "SD", "PD"]


def test_countries_are_no_responses() -> None:
    rows = "".join(f"{n},{('DE', 'PE', 'MS')[n % 3]}\n" for n in range(N))
    book = read_bytes("a.csv", f"id,site\n{rows}".encode())
    assert not is_response(profile_sheet(book.sheets[0]).profiles["site"])
    proposal = propose_study([book])
    assert proposal.study.definitions.response is None
    assert all("PD" not in item.levels for item in proposal.study.definitions.variables.values())


@pytest.mark.parametrize(
    ("time", "status", "cells", "code", "unit"),
    [
        ("Survie globale (mois)", "Statut vital", ("Décédé", "Vivant"), "OS", "months"),
        ("SG (jours)", "Décès", ("oui", "non"), "OS", "days"),
        ("SSP (mois)", "Statut SSP", ("1", "0"), "PFS", "months"),
        ("Supervivencia global (meses)", "Estado vital", ("Éxitus", "Vivo"), "OS", "months"),
        ("SLP (días)", "Progresión", ("sí", "no"), "PFS", "days"),
        ("Sopravvivenza globale (mesi)", "Stato in vita", ("Deceduta", "Viva"), "OS", "months"),
        ("Sobrevida livre de progressão (meses)", "Progressão", ("sim", "não"), "PFS", "months"),
        ("Intervalo libre de enfermedad (años)", "Evento", ("1", "0"), "DFS", "years"),
    ],
)
def test_endpoints_with_their_unit_and_their_event(
    time: str, status: str, cells: tuple[str, str], code: str, unit: str
) -> None:
    times = [f"{n},5" for n in range(1, N + 1)]
    proposal = propose(**{time: times, status: list(cells)})
    endpoints = proposal.study.definitions.endpoints
    endpoint = endpoints[code]
    assert (endpoint.time, endpoint.event, endpoint.unit) == (time, status, TimeUnit(unit))
    (events,) = endpoint.events.values()
    assert [str(value) for value in events] == [cells[0]]
    assert [str(value) for value in endpoint.censored] == [cells[1]]
    assert not endpoint.is_confirmed, "nothing rests on it before somebody says so"
    assert proposal.study.data.tables["subjects"].columns[time].decimal == ","


def test_a_header_that_asks_whether_they_live_is_turned_round() -> None:
    proposal = propose(**{"SG (meses)": [f"{n}" for n in range(1, 13)], "Vivo": ["sí", "no"]})
    endpoint = proposal.study.definitions.endpoints["OS"]
    assert (endpoint.events, endpoint.censored) == ({"death": ("no",)}, ("sí",))


def test_codes_that_may_mean_something_else_are_asked() -> None:
    proposal = propose(**{"Sexe": ["Homme", "Femme", "Femme", "NR"]})
    (finding,) = [f for f in proposal.findings if f.code is FindingCode.CODE_SUSPECTED]
    assert "“Sexe” holds NR (3)" in finding.message
    (variable,) = proposal.study.definitions.variables.values()
    assert "NR" in variable.levels, "until somebody says what it is"
    proposal = propose(**{"Meilleure réponse": ["RC", "RP", "NR"]})
    assert [f for f in proposal.findings if f.code is FindingCode.CODE_SUSPECTED]


@pytest.mark.parametrize(
    "text",
    ["inconnu", "Inconnue", "non renseigné", "desconocido", "No consta", "non noto", "Ignorado"],
)  # fmt: skip
def test_texts_for_not_known(text: str) -> None:
    assert is_missing(text)
    assert profile_column("x", pd.Series([text, "a"])).n_missing == 1


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("15 août 2021", dt.date(2021, 8, 15)),
        ("1er juin 2020", dt.date(2020, 6, 1)),
        ("2 juil. 2020", dt.date(2020, 7, 2)),
        ("03-févr-2021", dt.date(2021, 2, 3)),
        ("7 de diciembre de 2018", dt.date(2018, 12, 7)),
        ("12-ene-2021", dt.date(2021, 1, 12)),
        ("3 maggio 2021", dt.date(2021, 5, 3)),
        ("9 giugno 2021", dt.date(2021, 6, 9)),
        ("10 out 2021", dt.date(2021, 10, 10)),
        ("3. März 2021", dt.date(2021, 3, 3)),
        ("3. Okt. 2021", dt.date(2021, 10, 3)),
        ("3 xyz 2021", None),
    ],
)
def test_months_in_words(text: str, date: dt.date | None) -> None:
    assert date_of(text) == date


def test_no_date_in_words() -> None:
    for text in ("non", "Aucune", "ninguno", "Vivo", "nessuna", "não"):
        assert says_no_date(text)


def test_dates_of_an_italian_header_may_be_day_numbers() -> None:
    starts, ends = ["43500", "43600"], ["44500", "44600", "44700"]
    proposal = propose(**{
        "Data prima dose": starts, "Data del decesso": ends, "Data ultimo contatto": ends,
    })  # fmt: skip
    assert proposal.study.definitions.endpoints["OS"].start == "Data prima dose"


def test_headings_of_sections() -> None:
    assert is_section("Datos del paciente")
    assert is_section("Données cliniques")
    assert is_section("Data")
    assert not is_section("Date")
    assert not is_section("Réponse RECIST")
    assert not is_section("eye"), "short words are no parts of others"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_names_what_is_there(language: str) -> None:
    known = vocabulary()
    words = read_words(f"{language}.yaml")
    for concept, headers in words["columns"]["variables"].items():
        for header in headers:
            match = known.variables.match(words_of(header))
            assert match is not None, header
            assert match.exact
            assert match.concept == concept, (header, match.concept)
    for concept, headers in words["columns"]["dates"].items():
        for header in headers:
            match = known.dates.match(words_of(header))
            assert match is not None, header
            assert match.concept == concept, (header, match.concept)


def test_evidence_is_shown_as_for_english() -> None:
    proposal = propose(**{"Âge": ["40", "51", "62"], "Tabagisme": ["oui", "non", "inconnu"]})
    assert proposal.evidence["Âge"].reason == "“Âge” is a usual name for age; numbers"
    assert "oui = Yes (4), non = No (4)" in proposal.evidence["Tabagisme"].reason
