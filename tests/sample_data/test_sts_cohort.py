"""The sample workbooks hold the published counts and contradict neither themselves nor time."""

from __future__ import annotations

import datetime as dt
import importlib.util
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
CUTOFF = dt.date(2023, 2, 1)
CRITERIA = {
    "stage_advanced": "yes",
    "not_surgical_candidate": "yes",
    "anthracycline_resistant_or_ineligible": "yes",
    "measurable_lesion": "yes",
    "second_primary": "no",
    "immune_disease": "no",
    "baseline_and_response_assessed": "yes",
    "follow_up_available": "yes",
}

# Patients with the event and with grade 3-4 of it; "Pneumonitis" is the article's second row of
# interstitial pneumonia.
PUBLISHED_EVENTS = {
    "Hypertension": (12, 0),
    "Diarrhea": (9, 1),
    "Proteinuria": (9, 1),
    "Anemia": (8, 2),
    "Fatigue": (7, 0),
    "Hand foot syndrome": (7, 2),
    "Renal insufficiency": (7, 0),
    "Thrombocytopenia": (6, 0),
    "White blood cell count decreased": (6, 0),
    "Hemorrhage": (5, 2),
    "Liver dysfunction": (4, 0),
    "Nausea / vomiting": (3, 0),
    "Interstitial pneumonia": (3, 0),
    "Toothache": (2, 0),
    "Oral mucositis": (2, 0),
    "Pneumonitis": (2, 0),
    "Hypothyroidism": (2, 0),
    "Elevated bilirubin": (2, 0),
    "Musculoskeletal pain": (1, 0),
}


def sheet_rows(path: Path, sheet: str) -> list[dict]:
    """Rows of a sheet as dictionaries, dates as dates."""
    book = openpyxl.load_workbook(path)
    header, *rows = book[sheet].iter_rows(values_only=True)
    return [
        {
            name: cell.date() if isinstance(cell, dt.datetime) else cell
            for name, cell in zip(header, row, strict=True)
        }
        for row in rows
    ]


def all_cells(path: Path) -> dict[str, list[tuple]]:
    """Every cell with its number format, sheet by sheet."""
    book = openpyxl.load_workbook(path)
    return {
        sheet.title: [
            (cell.coordinate, cell.value, cell.number_format, cell.data_type)
            for row in sheet.iter_rows()
            for cell in row
        ]
        for sheet in book.worksheets
    }


def km_median(days: list[int], events: list[int]) -> float | None:
    """First time in months at which the product-limit estimate is at or below one half."""
    survival = 1.0
    for time in sorted({d for d, e in zip(days, events, strict=True) if e}):
        at_risk = sum(d >= time for d in days)
        deaths = sum(d == time and e for d, e in zip(days, events, strict=True))
        survival *= 1 - deaths / at_risk
        if survival <= 0.5 + 1e-9:
            return time / 30.4375
    return None


@pytest.fixture(scope="module")
def patients() -> list[dict]:
    return sheet_rows(SAMPLE / "sts_cohort.xlsx", "Patients")


@pytest.fixture(scope="module")
def events() -> list[dict]:
    return sheet_rows(SAMPLE / "sts_cohort.xlsx", "Adverse events")


@pytest.fixture(scope="module")
def screened() -> list[dict]:
    return sheet_rows(SAMPLE / "sts_screening.xlsx", "Patients")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    name = "generate_sts_cohort"
    spec = importlib.util.spec_from_file_location(name, SAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def count(rows: list[dict], column: str) -> dict:
    return dict(Counter(row[column] for row in rows))


@pytest.mark.parametrize("name", ["sts_cohort.xlsx", "sts_screening.xlsx"])
def test_generator_reproduces_the_committed_workbook(
    generator: ModuleType, tmp_path: Path, name: str
) -> None:
    generator.WORKBOOKS[name](tmp_path / name)
    assert all_cells(tmp_path / name) == all_cells(SAMPLE / name)


def test_two_builds_give_the_same_bytes(generator: ModuleType, tmp_path: Path) -> None:
    for build in ("first.xlsx", "second.xlsx"):
        generator.write_cohort(tmp_path / build)
    assert (tmp_path / "first.xlsx").read_bytes() == (tmp_path / "second.xlsx").read_bytes()


@pytest.mark.parametrize(
    ("column", "published"),
    [
        ("sex", {"Male": 25, "Female": 26}),
        (
            "histotype",
            {
                "Leiomyosarcoma": 11,
                "Alveolar soft part sarcoma": 6,
                "Rhabdomyosarcoma": 6,
                "Clear cell sarcoma": 5,
                "Myxofibrosarcoma": 5,
                "Synovial sarcoma": 3,
                "Malignant peripheral nerve sheath tumor": 3,
                "Undifferentiated pleomorphic sarcoma": 3,
                "Others": 9,
            },
        ),
        ("primary_site", {"limb": 28, "trunk": 17, "others": 6}),
        ("metastasis_lung", {"yes": 33, "no": 18}),
        ("metastasis_bone", {"yes": 18, "no": 33}),
        ("metastasis_liver", {"yes": 6, "no": 45}),
        ("metastasis_pancreas", {"yes": 5, "no": 46}),
        ("metastasis_brain", {"yes": 3, "no": 48}),
        ("prior_chemotherapy", {"yes": 32, "no": 19}),
        ("prior_radiotherapy", {"yes": 9, "no": 42}),
        ("prior_antiangiogenic", {"yes": 21, "no": 30}),
        ("prior_immunotherapy", {"yes": 4, "no": 47}),
        ("best_response", {"CR": 1, "PR": 8, "SD": 30, "PD": 12}),
        ("data_cutoff", {CUTOFF: 51}),
    ],
)
def test_counts_are_the_published_ones(patients: list[dict], column: str, published: dict) -> None:
    assert count(patients, column) == published


def test_age_ecog_line_and_drugs_are_the_published_ones(patients: list[dict]) -> None:
    ages = sorted(row["age"] for row in patients)
    assert (len(ages), ages[0], ages[-1]) == (51, 15, 80)
    assert (sum(age < 54 for age in ages), sum(age >= 54 for age in ages)) == (24, 27)
    assert (ages[24], ages[25]) == (54, 54)
    ecog = count(patients, "ecog")
    assert set(ecog) == {0, 1, 2, 3}
    assert (ecog[0] + ecog[1], ecog[2] + ecog[3]) == (28, 23)
    lines = Counter(min(row["treatment_line"], 3) for row in patients)
    assert lines == {1: 12, 2: 24, 3: 15}
    assert count(patients, "antiangiogenic_drug")["Anlotinib"] == 39
    immunotherapy = count(patients, "immunotherapy_drug")
    assert immunotherapy.pop("Toripalimab") == 6
    assert immunotherapy == {
        "Tislelizumab": 17,
        "Camrelizumab": 11,
        "Sintilimab": 10,
        "Pembrolizumab": 7,
    }


def test_response_by_histotype_is_the_published_one(patients: list[dict]) -> None:
    by_histotype: dict[str, Counter] = defaultdict(Counter)
    for row in patients:
        by_histotype[row["histotype"]][row["best_response"]] += 1
    assert by_histotype["Alveolar soft part sarcoma"] == {"PR": 1, "SD": 5}
    assert by_histotype["Clear cell sarcoma"] == {"PR": 2, "SD": 2, "PD": 1}
    assert by_histotype["Rhabdomyosarcoma"] == {"PR": 1, "SD": 4, "PD": 1}
    subtypes = [
        (row["rhabdomyosarcoma_type"], row["best_response"] == "PD")
        for row in patients
        if row["histotype"] == "Rhabdomyosarcoma"
    ]
    assert sorted(subtypes) == [("embryonal", True)] + [("pleomorphic", False)] * 5
    assert all(
        row["rhabdomyosarcoma_type"] is None
        for row in patients
        if row["histotype"] != "Rhabdomyosarcoma"
    )


def test_first_evaluation_has_the_published_mean_and_sd(patients: list[dict]) -> None:
    weeks = [(row["first_evaluation_date"] - row["first_dose_date"]).days / 7 for row in patients]
    assert round(statistics.mean(weeks), 1) == 7.2
    assert round(statistics.stdev(weeks), 1) == 2.9


def test_related_events_are_the_published_ones(events: list[dict]) -> None:
    worst: dict[tuple[str, str], int] = defaultdict(int)
    for row in events:
        if row["related"] == "yes":
            key = (row["term"], row["patient_id"])
            worst[key] = max(worst[key], row["ctcae_grade"])
    counted = {
        term: (
            sum(t == term for t, _ in worst),
            sum(t == term and grade >= 3 for (t, _), grade in worst.items()),
        )
        for term in {t for t, _ in worst}
    }
    assert counted == PUBLISHED_EVENTS
    assert len({patient for _, patient in worst}) == 39
    assert len({patient for (_, patient), grade in worst.items() if grade >= 3}) == 8


def test_events_hold_what_makes_counting_hard(events: list[dict]) -> None:
    assert {row["ctcae_grade"] for row in events} == {1, 2, 3, 4}
    assert {row["related"] for row in events} == {"yes", "no"}
    assert {row["serious"] for row in events} == {"yes", "no"}
    grades: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in events:
        if row["related"] == "yes":
            grades[row["patient_id"], row["term"]].append(row["ctcae_grade"])
    assert sum(len(g) > 1 for g in grades.values()) == 14
    assert any(len(set(g)) > 1 for g in grades.values())
    # Counted without regard to relation, the numbers must differ from the published ones.
    related = {row["patient_id"] for row in events if row["related"] == "yes"}
    unrelated = {row["patient_id"] for row in events if row["related"] == "no"}
    assert len(unrelated - related) == 2
    assert any(
        row["ctcae_grade"] >= 3 and row["related"] == "no" and row["term"] in PUBLISHED_EVENTS
        for row in events
    )


def test_events_fall_into_the_observed_time_of_known_patients(
    patients: list[dict], events: list[dict]
) -> None:
    by_id = {row["patient_id"]: row for row in patients}
    for row in events:
        patient = by_id[row["patient_id"]]
        assert patient["first_dose_date"] < row["onset_date"] < patient["last_contact_date"]
        assert (row["onset_date"] - patient["last_dose_date"]).days <= 30


def test_identifiers_are_unique(patients: list[dict], screened: list[dict]) -> None:
    assert [row["patient_id"] for row in patients] == [f"SYN-{i:03d}" for i in range(1, 52)]
    assert len({row["patient_id"] for row in screened}) == len(screened) == 71


def test_dates_are_in_order(patients: list[dict], screened: list[dict]) -> None:
    for row in patients + screened:
        first = row["first_dose_date"]
        assert dt.date(2014, 1, 1) <= first <= dt.date(2022, 10, 31)
        assert first <= row["last_dose_date"]
        dates = [
            row[name]
            for name in (
                "first_evaluation_date",
                "progression_date",
                "last_assessment_date",
                "death_date",
                "last_contact_date",
                "last_dose_date",
            )
            if row[name] is not None
        ]
        assert max(dates) <= CUTOFF
        assert min(dates) >= first
        if row["last_contact_date"] is not None:
            assert max(dates) == row["last_contact_date"]
            assert row["last_assessment_date"] is not None
        if row["first_evaluation_date"] is not None and row["last_assessment_date"] is not None:
            assert row["first_evaluation_date"] <= row["last_assessment_date"]
        if row["progression_date"] is not None:
            assert row["last_assessment_date"] == row["progression_date"]
            assert row["last_dose_date"] <= row["progression_date"]
        if row["death_date"] is not None:
            assert row["death_date"] == row["last_contact_date"]
            assert row["progression_date"] < row["death_date"]


def test_times_and_flags_follow_from_the_dates(patients: list[dict], screened: list[dict]) -> None:
    for row in patients + screened:
        if row["pfs_months"] is None:
            assert row["follow_up_available"] == "no"
            continue
        assert row["pfs_event"] == (row["progression_date"] is not None)
        assert row["os_event"] == (row["death_date"] is not None)
        assert row["vital_status"] == ("Dead" if row["os_event"] else "Alive")
        for months, end in (("pfs_months", "last_assessment_date"), ("os_months", None)):
            last = row[end] if end else row["last_contact_date"]
            days = (last - row["first_dose_date"]).days
            assert abs(row[months] - days / 30.4375) <= 0.05 + 1e-9


def test_columns_of_a_patient_agree(patients: list[dict], screened: list[dict]) -> None:
    for row in patients + screened:
        organs = ("lung", "bone", "liver", "pancreas", "brain")
        assert row["n_metastatic_organs"] == sum(row[f"metastasis_{o}"] == "yes" for o in organs)
        prior = [row[f"prior_{name}"] for name in ("chemotherapy", "antiangiogenic")]
        assert ("yes" in prior) == (row["treatment_line"] > 1)
        if row["best_response"] == "PD":
            assert row["progression_date"] == row["first_evaluation_date"]
        if row["off_treatment_reason"] == "Disease progression":
            assert row["pfs_event"] == 1
        span = (row["last_dose_date"] - row["first_dose_date"]).days
        assert 0 <= (row["cycles"] - 1) * 21 <= span


def test_every_patient_of_the_cohort_is_eligible(patients: list[dict]) -> None:
    for row in patients:
        assert {name: row[name] for name in CRITERIA} == CRITERIA
        assert row["cycles"] >= 2


def test_screening_log_leaves_the_cohort(patients: list[dict], screened: list[dict]) -> None:
    def failed(row: dict) -> bool:
        known = [row[name] not in (None, value) for name, value in CRITERIA.items()]
        return any(known) or row["cycles"] < 2

    def unknown(row: dict) -> bool:
        return any(row[name] is None for name in CRITERIA)

    kept = [row for row in screened if not failed(row)]
    assert [row["patient_id"] for row in kept] == [row["patient_id"] for row in patients]
    assert sum(unknown(row) for row in kept) == 3
    assert sum(unknown(row) for row in screened if failed(row)) == 4
    for name, value in CRITERIA.items():
        assert any(row[name] not in (None, value) for row in screened), name
    by_id = {row["patient_id"]: row for row in patients}
    for row in kept:
        known = {name: cell for name, cell in row.items() if cell is not None}
        assert known.items() <= by_id[row["patient_id"]].items()


def test_survival_is_near_the_published_one(patients: list[dict]) -> None:
    def median(rows: list[dict], end: str, flags: list[int]) -> float | None:
        days = [(row[end] - row["first_dose_date"]).days for row in rows]
        return km_median(days, flags)

    def pfs(rows: list[dict]) -> float | None:
        return median(rows, "last_assessment_date", [row["pfs_event"] for row in rows])

    def of(*names: str) -> list[dict]:
        return [row for row in patients if row["histotype"] in names]

    assert sum(row["pfs_event"] for row in patients) == 39
    assert sum(row["os_event"] for row in patients) == 15
    assert pfs(patients) == pytest.approx(5.8, abs=0.1)
    died = [row["os_event"] for row in patients]
    assert median(patients, "last_contact_date", died) is None
    alive = [1 - flag for flag in died]
    assert median(patients, "last_contact_date", alive) == pytest.approx(15.8, abs=0.1)
    for rows, published in (
        ([row for row in patients if row["ecog"] <= 1], 7.0),
        ([row for row in patients if row["ecog"] >= 2], 2.9),
        ([row for row in patients if row["treatment_line"] <= 2], 6.0),
        ([row for row in patients if row["treatment_line"] >= 3], 2.8),
        (of("Clear cell sarcoma"), 16.2),
        (of("Leiomyosarcoma"), 2.8),
        (of("Myxofibrosarcoma"), 0.8),
    ):
        assert pfs(rows) == pytest.approx(published, abs=0.1)
    assert pfs(of("Alveolar soft part sarcoma")) is None


def test_sheets_are_ready_to_read() -> None:
    for name in ("sts_cohort.xlsx", "sts_screening.xlsx"):
        book = openpyxl.load_workbook(SAMPLE / name)
        assert book.properties.subject == "Synthetic data, not patients"
        dictionary = sheet_rows(SAMPLE / name, "Data dictionary")
        assert dictionary[0]["meaning"] == "Synthetic data, not patients."
        for sheet in book.worksheets:
            assert sheet.freeze_panes == "B2"
            if sheet.title == "Data dictionary":
                continue
            header = [cell.value for cell in sheet[1]]
            described = [row["column"] for row in dictionary if row["sheet"] == sheet.title]
            assert described == header
            for cell in sheet[2]:
                if str(header[cell.column - 1]).endswith(("_date", "cutoff")) and cell.value:
                    assert cell.is_date
