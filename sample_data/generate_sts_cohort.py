"""Build the synthetic soft tissue sarcoma workbooks.

Usage: ``python sample_data/generate_sts_cohort.py [--out DIRECTORY]``. Writes ``sts_cohort.xlsx``
(51 patients and their adverse events) and ``sts_screening.xlsx`` (the same 51 and 20 patients who
were screened out). Every patient is invented; the counts are those of Li et al., BMC Cancer 2024,
24:1028. The same script gives the same workbooks: the joint structure is the table below, found by
``search_sts_cohort.py``; the rest is drawn from numpy's legacy stream, which no release changes.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import xlsxwriter

SEED = 20230201
DAYS_PER_MONTH = 30.4375
DATA_CUTOFF = dt.date(2023, 2, 1)
LAST_ENROLMENT = dt.date(2022, 10, 31)
FIRST_ENROLMENT = dt.date(2018, 7, 25)
CYCLE_DAYS = 21
LONGEST_TREATMENT = 735
STAMP = "Synthetic data, not patients"

# One row a patient: histotype, best response (C, R, S, P), then 0/1 columns (ecog01: ECOG 0 or 1;
# young: below 54; first: first line; line3: third line or later), then days from the first dose.
TABLE_COLUMNS = [
    "histotype",
    "response",
    "male",
    "young",
    "ecog01",
    "limb",
    "lung",
    "bone",
    "liver",
    "pancreas",
    "brain",
    "first",
    "line3",
    "chemo",
    "radio",
    "antiangio",
    "immuno",
    "pfs_day",
    "progressed",
    "os_day",
    "died",
]
PATIENT_TABLE = """\
ASPS R 0 1 1 1 1 0 0 0 0 0 0 0 0 1 0 807 0 810 0
ASPS S 1 1 1 1 1 1 0 1 0 1 0 0 0 0 0 368 0 388 0
ASPS S 0 1 1 0 1 0 0 0 0 0 1 1 0 1 0 321 0 380 0
ASPS S 0 1 0 0 1 0 0 0 0 0 0 1 0 0 0 172 1 561 1
ASPS S 0 1 1 1 0 1 0 1 0 1 0 0 1 0 0 144 1 173 0
ASPS S 0 1 1 1 1 1 0 1 0 0 0 0 0 1 0 146 0 146 0
CCS R 1 1 1 0 1 0 0 0 0 0 0 1 1 0 1 493 1 537 0
CCS R 1 1 1 1 1 0 0 0 0 1 0 0 0 0 0 1032 0 1047 0
CCS S 0 0 0 1 0 0 0 0 0 1 0 0 0 0 0 342 0 381 0
CCS S 1 1 1 1 1 0 1 0 0 0 0 1 1 0 0 144 1 326 1
CCS P 0 1 0 1 0 1 0 0 0 0 1 1 0 0 0 77 1 486 1
RMS R 0 1 1 1 1 0 0 0 0 1 0 0 0 0 0 900 1 1269 0
RMS S 1 0 1 1 0 1 1 0 0 0 0 1 0 1 0 144 0 180 0
RMS S 0 0 1 0 0 1 0 0 0 1 0 0 0 0 0 185 0 228 0
RMS S 1 0 1 1 1 0 1 0 0 0 0 0 0 1 0 112 1 985 0
RMS S 1 1 1 1 0 0 0 0 0 0 1 1 1 0 0 214 1 476 0
RMS P 1 1 1 0 1 1 0 0 0 0 1 1 1 0 0 66 1 140 1
LMS S 0 1 0 0 1 0 0 0 0 0 0 1 0 0 0 87 1 127 0
LMS S 1 0 0 1 0 1 0 0 0 1 0 0 0 0 0 121 1 493 1
LMS S 0 0 0 0 1 1 0 0 0 0 1 1 0 0 0 201 1 454 0
LMS S 1 1 0 0 0 0 0 0 0 0 0 1 0 0 0 318 1 372 0
LMS S 0 0 1 1 0 1 0 0 0 0 0 1 0 1 1 177 1 773 0
LMS S 1 0 1 0 1 0 0 0 0 0 0 1 0 0 0 91 0 110 0
LMS S 1 0 0 0 1 1 0 0 0 0 1 0 0 1 0 77 1 354 0
LMS P 0 1 0 0 1 0 1 0 0 0 0 1 0 1 0 81 1 420 1
LMS P 0 0 0 0 1 0 0 0 0 1 0 0 0 0 0 66 1 1104 0
LMS P 1 0 0 0 1 0 0 1 0 0 0 1 0 1 0 44 1 296 0
LMS P 0 0 0 0 1 0 0 0 0 0 1 1 1 0 0 72 1 393 1
MFS S 1 0 1 1 1 1 0 0 0 0 1 1 1 1 0 135 1 261 0
MFS S 0 0 0 0 0 1 0 0 0 0 1 1 0 0 0 84 1 490 1
MFS P 1 0 0 0 1 0 0 0 1 0 0 1 0 0 1 24 1 494 1
MFS P 1 0 0 1 0 0 0 0 0 0 1 1 0 1 0 25 1 417 1
MFS P 0 0 1 1 1 0 0 0 1 0 0 1 0 1 0 26 1 261 1
SS R 0 0 0 1 0 0 1 0 0 0 0 1 0 0 0 130 1 459 1
SS S 0 1 0 1 1 0 0 0 0 0 0 1 0 1 0 375 1 409 0
SS P 1 1 0 1 1 0 0 0 0 1 0 0 1 0 0 27 1 1485 0
MPNST S 1 0 1 1 1 1 0 0 0 0 0 1 0 1 0 267 0 306 0
MPNST S 0 0 0 1 1 0 0 0 0 0 1 1 0 0 0 99 1 232 1
MPNST P 1 1 1 0 1 0 0 0 1 0 1 0 1 1 0 52 1 359 1
UPS C 1 0 0 1 0 0 0 0 0 0 0 0 0 1 0 181 0 190 0
UPS R 1 1 1 1 0 1 0 0 0 0 0 0 0 1 0 209 1 1016 0
UPS S 1 0 1 1 0 0 0 0 0 0 0 1 0 1 0 153 1 766 0
Others R 0 1 0 1 1 0 0 1 0 1 0 0 0 0 0 171 0 243 0
Others R 0 0 1 0 1 0 0 0 0 0 0 1 0 1 0 219 1 431 1
Others S 1 0 1 0 1 1 0 0 0 0 0 1 0 1 0 183 1 1017 0
Others S 0 0 1 0 1 0 0 0 0 0 1 1 0 0 1 250 1 1320 0
Others S 0 0 1 1 0 1 0 0 0 0 1 1 0 0 0 431 1 481 0
Others S 0 1 1 0 0 1 0 0 0 1 0 0 0 0 0 201 1 348 0
Others S 1 0 0 1 1 0 1 0 0 1 0 0 0 0 0 107 1 304 0
Others S 0 1 1 0 1 0 0 0 0 0 0 1 0 0 0 702 1 1306 0
Others P 1 1 0 0 0 0 0 0 0 0 1 1 0 1 0 47 1 99 0
"""

HISTOTYPE_LABELS = {
    "ASPS": "Alveolar soft part sarcoma",
    "CCS": "Clear cell sarcoma",
    "RMS": "Rhabdomyosarcoma",
    "LMS": "Leiomyosarcoma",
    "MFS": "Myxofibrosarcoma",
    "SS": "Synovial sarcoma",
    "MPNST": "Malignant peripheral nerve sheath tumor",
    "UPS": "Undifferentiated pleomorphic sarcoma",
    "Others": "Others",
}
RESPONSE_LABELS = {"C": "CR", "R": "PR", "S": "SD", "P": "PD"}
# Typical age at diagnosis, only to pair the fixed list of ages with histotypes.
TYPICAL_AGE = {"ASPS": 28, "CCS": 36, "SS": 40, "MPNST": 45, "RMS": 48, "UPS": 68, "MFS": 66}

# 24 ages below 54 and 27 from 54 up; 54 is the 25th and 26th of the 51, as published.
AGES_BELOW_54: tuple[int, ...] = (15, 19, 22, 24, 27, 28, 30, 31, 33, 34, 36, 37)
AGES_BELOW_54 += (38, 40, 41, 43, 44, 46, 47, 48, 49, 50, 51, 52)
AGES_FROM_54: tuple[int, ...] = (54, 54, 55, 55, 56, 57, 57, 58, 59, 60, 61, 61, 62, 63)
AGES_FROM_54 += (64, 65, 66, 66, 67, 68, 69, 71, 72, 73, 75, 77, 80)

ANTIANGIOGENIC_DRUGS = {
    "Anlotinib": 39,
    "Apatinib": 6,
    "Regorafenib": 3,
    "Pazopanib": 2,
    "Lenvatinib": 1,
}
IMMUNOTHERAPY_DRUGS = {
    "Tislelizumab": 17,
    "Camrelizumab": 11,
    "Sintilimab": 10,
    "Pembrolizumab": 7,
    "Toripalimab": 6,
}
# No drug is given before it could be bought where the published study was done.
MARKETED_FROM = {
    "Tislelizumab": dt.date(2020, 1, 15),
    "Camrelizumab": dt.date(2019, 6, 15),
    "Sintilimab": dt.date(2019, 1, 15),
    "Pembrolizumab": dt.date(2018, 7, 25),
    "Toripalimab": dt.date(2019, 1, 15),
}

# Patients with a treatment-related event of the term: any grade, grade 3-4.
RELATED_EVENTS = {
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
N_WITH_RELATED_EVENT = 39
N_REPEATED_EPISODES = 14

ELIGIBILITY = {
    "stage_advanced": "yes",
    "not_surgical_candidate": "yes",
    "anthracycline_resistant_or_ineligible": "yes",
    "measurable_lesion": "yes",
    "second_primary": "no",
    "immune_disease": "no",
    "baseline_and_response_assessed": "yes",
    "follow_up_available": "yes",
}
# Screened-out patients: the eligibility cells (or cycles) in which they differ, a blank is unknown.
SCREEN_FAILURES: tuple[dict[str, str | int | None], ...] = (
    {"stage_advanced": "no"},
    {"not_surgical_candidate": "no"},
    {"not_surgical_candidate": "no", "immune_disease": None},
    {"not_surgical_candidate": "no", "stage_advanced": "no"},
    {"anthracycline_resistant_or_ineligible": "no"},
    {"anthracycline_resistant_or_ineligible": "no"},
    {"anthracycline_resistant_or_ineligible": "no", "second_primary": None},
    {"measurable_lesion": "no"},
    {"measurable_lesion": "no", "anthracycline_resistant_or_ineligible": None},
    {"second_primary": "yes"},
    {"second_primary": "yes"},
    {"second_primary": "yes", "cycles": 1},
    {"immune_disease": "yes"},
    {"immune_disease": "yes"},
    {"cycles": 1},
    {"cycles": 1},
    {"cycles": 1, "measurable_lesion": None},
    {"baseline_and_response_assessed": "no"},
    {"baseline_and_response_assessed": "no"},
    {"follow_up_available": "no"},
)
# Cells of eligible patients (by position in order of entry) left blank in the screening log.
SCREENING_BLANKS = ((6, "immune_disease"), (23, "immune_disease"), (38, "measurable_lesion"))

Cell = str | int | float | dt.date | None
Row = dict[str, Cell]
Level = TypeVar("Level", int, str)

PUBLISHED = "count as published"
INVENTED = "invented"
CALIBRATED = "invented; medians and hazard ratios near the published ones"
# Columns of the sheet Patients: width, meaning, values, what is published.
PATIENT_COLUMNS: dict[str, tuple[int, str, str, str]] = {
    "patient_id": (11, "Running number in order of first dose", "SYN-001 ...", INVENTED),
    "sex": (8, "Sex", "Male, Female", PUBLISHED),
    "age": (6, "Age at first dose", "years", "median, range and split at 54 as published"),
    "ecog": (6, "ECOG performance status", "0, 1, 2, 3", "split 0-1 / 2-3 as published"),
    "histotype": (38, "Histological subtype", "9 levels", PUBLISHED),
    "rhabdomyosarcoma_type": (
        22,
        "Subtype of a rhabdomyosarcoma",
        "embryonal, pleomorphic; blank for other histotypes",
        "as published: the one with PD is embryonal",
    ),
    "primary_site": (12, "Primary site", "limb, trunk, others", PUBLISHED),
    "metastasis_lung": (16, "Lung metastasis at baseline", "yes, no", PUBLISHED),
    "metastasis_bone": (16, "Bone metastasis at baseline", "yes, no", PUBLISHED),
    "metastasis_liver": (16, "Liver metastasis at baseline", "yes, no", PUBLISHED),
    "metastasis_pancreas": (19, "Pancreatic metastasis at baseline", "yes, no", PUBLISHED),
    "metastasis_brain": (16, "Brain metastasis at baseline", "yes, no", PUBLISHED),
    "n_metastatic_organs": (
        20,
        "Number of the five organs above with a metastasis",
        "0 to 5",
        INVENTED,
    ),
    "treatment_line": (14, "Line of the studied treatment", "1 to 5", "1, 2, 3+ as published"),
    "prior_chemotherapy": (18, "Chemotherapy before the first dose", "yes, no", PUBLISHED),
    "prior_radiotherapy": (18, "Radiotherapy before the first dose", "yes, no", PUBLISHED),
    "prior_antiangiogenic": (20, "Antiangiogenic drug before", "yes, no", PUBLISHED),
    "prior_immunotherapy": (19, "Immunotherapy before the first dose", "yes, no", PUBLISHED),
    "antiangiogenic_drug": (
        19,
        "Antiangiogenic drug of the combination",
        "drug name",
        "39 anlotinib as published, others invented",
    ),
    "immunotherapy_drug": (
        18,
        "PD-1 antibody of the combination",
        "drug name",
        "four drugs as published, toripalimab invented",
    ),
    "cycles": (8, "Cycles given", "number", INVENTED),
    "first_dose_date": (15, "First dose; start of PFS and OS", "date", INVENTED),
    "last_dose_date": (15, "Last dose up to the data cut-off", "date", INVENTED),
    "first_evaluation_date": (
        20,
        "First response evaluation",
        "date",
        "7.2 weeks (SD 2.9) after first dose, as published",
    ),
    "best_response": (
        14,
        "Best overall response, RECIST 1.1",
        "CR, PR, SD, PD; blank: not evaluated",
        PUBLISHED,
    ),
    "progression_date": (16, "Disease progression", "date; blank: none seen", CALIBRATED),
    "last_assessment_date": (
        20,
        "Last tumour assessment, at the latest the one that showed progression",
        "date",
        CALIBRATED,
    ),
    "death_date": (12, "Death from any cause", "date; blank: alive", CALIBRATED),
    "vital_status": (12, "Status at last contact", "Alive, Dead", CALIBRATED),
    "last_contact_date": (17, "Last contact, or death", "date", CALIBRATED),
    "off_treatment_reason": (
        20,
        "Why the treatment ended, as known at last contact",
        "Disease progression, Toxicity, Patient's wish, Completed two years, On treatment",
        INVENTED,
    ),
    "data_cutoff": (12, "Data cut-off", "date", "as published"),
    "pfs_months": (
        11,
        "First dose to progression, else to last assessment",
        "months of 30.4375 days, 1 decimal",
        CALIBRATED,
    ),
    "pfs_event": (10, "Progression", "1 yes, 0 censored", CALIBRATED),
    "os_months": (
        10,
        "First dose to death, else to last contact",
        "months of 30.4375 days, 1 decimal",
        CALIBRATED,
    ),
    "os_event": (9, "Death", "1 yes, 0 censored", CALIBRATED),
    "stage_advanced": (
        15,
        "Metastatic at diagnosis or progressed after treatment",
        "yes, no",
        "criterion of the published study",
    ),
    "not_surgical_candidate": (
        22,
        "Not qualified for surgery",
        "yes, no",
        "criterion of the published study",
    ),
    "anthracycline_resistant_or_ineligible": (
        36,
        "Anthracycline-resistant or not eligible for chemotherapy",
        "yes, no",
        "criterion of the published study",
    ),
    "measurable_lesion": (
        17,
        "At least one measurable lesion, RECIST 1.1",
        "yes, no",
        "criterion of the published study",
    ),
    "second_primary": (
        15,
        "Second primary tumour",
        "yes, no",
        "criterion of the published study",
    ),
    "immune_disease": (
        15,
        "History of immune disease",
        "yes, no",
        "criterion of the published study",
    ),
    "baseline_and_response_assessed": (
        30,
        "Data of baseline and response assessment available",
        "yes, no",
        "criterion of the published study",
    ),
    "follow_up_available": (
        19,
        "Follow-up data available",
        "yes, no",
        "criterion of the published study",
    ),
}
EVENT_COLUMNS: dict[str, tuple[int, str, str, str]] = {
    "patient_id": (11, "Patient, as in sheet Patients", "SYN-001 ...", INVENTED),
    "term": (
        32,
        "Adverse event; one row an episode",
        "term",
        "terms as published; unrelated events invented",
    ),
    "ctcae_grade": (
        12,
        "Grade, CTCAE 5.0",
        "1 to 4",
        "patients with any and with grade 3-4 as published",
    ),
    "related": (9, "Related to the treatment", "yes, no", "39 patients with yes, as published"),
    "onset_date": (12, "Onset", "date", INVENTED),
    "serious": (9, "Serious adverse event", "yes, no", INVENTED),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One line of ``PATIENT_TABLE``: its 0/1 columns in ``flags``, days since first dose."""

    histotype: str
    response: str
    flags: dict[str, bool]
    pfs_day: int
    os_day: int
    progressed: bool
    died: bool


@dataclass(slots=True)
class Patient:
    """A profile and what is drawn for it."""

    profile: Profile
    age: int
    ecog: int
    primary_site: str
    treatment_line: int
    evaluation_day: int
    observed_days: int
    treatment_days: int = 0
    off_treatment_reason: str = ""
    antiangiogenic_drug: str = ""
    immunotherapy_drug: str = ""
    related_grades: dict[str, int] = field(default_factory=dict)

    @property
    def first_dose(self) -> dt.date:
        """First dose, counted back from the data cut-off."""
        return DATA_CUTOFF - dt.timedelta(days=self.observed_days)

    def date(self, day: int) -> dt.date:
        """Calendar date of a day since first dose."""
        return self.first_dose + dt.timedelta(days=day)

    @property
    def cycles(self) -> int:
        """Three-weekly cycles begun during treatment, at most one delayed in ten."""
        begun = (self.treatment_days - 1) // CYCLE_DAYS + 1
        return max(2, begun - begun // 10)

    @property
    def last_dose_day(self) -> int:
        """Day of the last dose: cycles start on time up to the delays."""
        begun = (self.treatment_days - 1) // CYCLE_DAYS + 1
        return max(begun - 1, 1) * CYCLE_DAYS


def profiles() -> list[Profile]:
    """Parse ``PATIENT_TABLE``."""
    result = []
    for line in PATIENT_TABLE.splitlines():
        cells = dict(zip(TABLE_COLUMNS, line.split(), strict=True))
        result.append(
            Profile(
                histotype=cells.pop("histotype"),
                response=cells.pop("response"),
                pfs_day=int(cells.pop("pfs_day")),
                os_day=int(cells.pop("os_day")),
                progressed=cells.pop("progressed") == "1",
                died=cells.pop("died") == "1",
                flags={name: value == "1" for name, value in cells.items()},
            )
        )
    return result


def shuffled_levels(
    rng: np.random.RandomState, chosen: list[bool], counts: Mapping[Level, int]
) -> dict[int, Level]:
    """Spread levels with fixed counts over the positions that are chosen."""
    positions = [i for i, flag in enumerate(chosen) if flag]
    levels = [level for level, count in counts.items() for _ in range(count)]
    if len(positions) != len(levels):
        raise ValueError(f"{len(levels)} levels for {len(positions)} patients")
    return dict(zip(positions, (levels[k] for k in rng.permutation(len(levels))), strict=True))


def draw_ages(rng: np.random.RandomState, cohort: list[Profile]) -> list[int]:
    """Pair the fixed ages with patients, the young histotypes with the lower ages."""
    ages = [0] * len(cohort)
    for young, pool in ((True, AGES_BELOW_54), (False, AGES_FROM_54)):
        members = [i for i, p in enumerate(cohort) if p.flags["young"] == young]
        rank = {
            i: TYPICAL_AGE.get(cohort[i].histotype, 55) + 12 * rng.standard_normal()
            for i in members
        }
        for i in members:
            if cohort[i].histotype == "RMS" and cohort[i].response == "P":
                rank[i] = -np.inf
        for i, age in zip(sorted(members, key=rank.__getitem__), pool, strict=True):
            ages[i] = age
    return ages


def draw_evaluation_days(rng: np.random.RandomState, cohort: list[Profile]) -> list[int]:
    """Days to first evaluation: mean 7.2 and SD 2.9 weeks; a PD is seen at the first evaluation."""
    for _ in range(200_000):
        days = [
            p.pfs_day
            if p.response == "P"
            else int(np.clip(round(rng.normal(54, 22)), 30, min(p.pfs_day - 28, 126)))
            for p in cohort
        ]
        weeks = np.array(days) / 7
        if abs(weeks.mean() - 7.2) < 0.04 and abs(weeks.std(ddof=1) - 2.9) < 0.04:
            return days
    raise RuntimeError("no draw has the published mean and SD of the first evaluation")


def draw_observed_days(rng: np.random.RandomState, cohort: list[Profile]) -> list[int]:
    """Days from first dose to the data cut-off, within the time of enrolment."""
    shortest = (DATA_CUTOFF - LAST_ENROLMENT).days
    longest = (DATA_CUTOFF - FIRST_ENROLMENT).days
    alive = [i for i, p in enumerate(cohort) if not p.died]
    lost = set(rng.permutation(alive)[:5].tolist())
    result = []
    for i, p in enumerate(cohort):
        if p.died:
            extra = 10 + int(rng.exponential(250))
        elif i in lost:
            extra = 120 + int(rng.randint(0, 200))
        else:
            extra = int(rng.randint(0, 40))
        result.append(min(max(p.os_day + extra, shortest), longest))
    return result


def draw_immunotherapy(rng: np.random.RandomState, patients: list[Patient]) -> None:
    """Give the antibodies in their published numbers, each only once it was on the market."""
    drugs = [name for name, count in IMMUNOTHERAPY_DRUGS.items() for _ in range(count)]
    drugs = [drugs[k] for k in rng.permutation(len(drugs))]

    def wrong(i: int, drug: str) -> bool:
        return patients[i].first_dose < MARKETED_FROM[drug]

    for _ in range(100_000):
        bad = [i for i, drug in enumerate(drugs) if wrong(i, drug)]
        if not bad:
            break
        i, j = bad[0], int(rng.randint(0, len(drugs)))
        if not wrong(i, drugs[j]):
            drugs[i], drugs[j] = drugs[j], drugs[i]
    else:
        raise RuntimeError("the drugs on the market don't cover the early patients")
    for patient, drug in zip(patients, drugs, strict=True):
        patient.immunotherapy_drug = drug


def draw_related_grades(rng: np.random.RandomState, patients: list[Patient]) -> None:
    """Give 39 patients their treatment-related terms, each with its worst grade."""
    severe_terms = [t for t, (_, severe) in RELATED_EVENTS.items() for _ in range(severe)]
    for _ in range(10_000):
        members = rng.permutation(len(patients))[:N_WITH_RELATED_EVENT]
        grades: dict[int, dict[str, int]] = {int(i): {} for i in members}
        for term, (n_any, _) in RELATED_EVENTS.items():
            for i in rng.permutation(members)[:n_any]:
                grades[int(i)][term] = int(rng.randint(1, 3))
        for i in (i for i, terms in grades.items() if not terms):
            donor = max(grades, key=lambda k: len(grades[k]))
            term = sorted(grades[donor])[0]
            grades[i][term] = grades[donor].pop(term)
        severe: set[int] = set()
        for k, term in enumerate(severe_terms):
            holders = [i for i in sorted(grades) if term in grades[i] and i not in severe]
            if not holders:
                break
            i = holders[rng.randint(0, len(holders))]
            severe.add(i)
            grades[i][term] = 4 if term == "Anemia" and severe_terms[k - 1] != term else 3
        # The patient who stops for toxicity must be one with a severe event and no progression.
        stops = [i for i in severe if not patients[i].profile.progressed]
        if len(severe) == len(severe_terms) and len(stops) == 1:
            for i, terms in grades.items():
                patients[i].related_grades = terms
            return
    raise RuntimeError("no allocation of the severe events to different patients")


def set_treatment(patient: Patient, *, wish: bool) -> None:
    """Length of treatment and why it ended."""
    p = patient.profile
    severe = any(grade >= 3 for grade in patient.related_grades.values())
    patient.treatment_days = p.pfs_day
    if p.pfs_day > LONGEST_TREATMENT:
        patient.treatment_days = LONGEST_TREATMENT
        patient.off_treatment_reason = "Completed two years"
    elif p.progressed:
        patient.off_treatment_reason = "Disease progression"
    elif severe or wish:
        patient.treatment_days = max(round(p.pfs_day * 0.6), CYCLE_DAYS + 1)
        patient.off_treatment_reason = "Toxicity" if severe else "Patient's wish"
    else:
        patient.off_treatment_reason = "On treatment"


def draw_patients() -> tuple[list[Patient], np.random.RandomState]:
    """Draw the 51 patients in order of their first dose; also return the stream, to draw on."""
    rng = np.random.RandomState(SEED)
    cohort = profiles()
    ages = draw_ages(rng, cohort)
    ecog01 = [p.flags["ecog01"] for p in cohort]
    ecog = shuffled_levels(rng, ecog01, {0: 9, 1: 19})
    ecog |= shuffled_levels(rng, [not flag for flag in ecog01], {2: 18, 3: 5})
    limb = [p.flags["limb"] for p in cohort]
    site = shuffled_levels(rng, limb, {"limb": 28})
    site |= shuffled_levels(rng, [not flag for flag in limb], {"trunk": 17, "others": 6})
    line = shuffled_levels(rng, [p.flags["first"] for p in cohort], {1: 12})
    # Three earlier lines and more include chemotherapy.
    unusual = [p.flags["line3"] and not p.flags["chemo"] for p in cohort]
    line |= {i: 3 for i, flag in enumerate(unusual) if flag}
    late = [p.flags["line3"] and p.flags["chemo"] for p in cohort]
    line |= shuffled_levels(rng, late, {3: 10 - sum(unusual), 4: 4, 5: 1})
    evaluation = draw_evaluation_days(rng, cohort)
    observed = draw_observed_days(rng, cohort)
    patients = [
        Patient(
            profile=p,
            age=ages[i],
            ecog=ecog[i],
            primary_site=site[i],
            treatment_line=line.get(i, 2),
            evaluation_day=evaluation[i],
            observed_days=observed[i],
        )
        for i, p in enumerate(cohort)
    ]
    patients.sort(key=lambda patient: (patient.first_dose, patient.age, patient.profile.os_day))
    drugs = shuffled_levels(rng, [True] * len(patients), ANTIANGIOGENIC_DRUGS)
    for i, patient in enumerate(patients):
        patient.antiangiogenic_drug = drugs[i]
    draw_immunotherapy(rng, patients)
    draw_related_grades(rng, patients)
    untroubled = [
        i for i, q in enumerate(patients) if not q.profile.progressed and not q.related_grades
    ]
    for i, patient in enumerate(patients):
        set_treatment(patient, wish=bool(untroubled) and i == untroubled[0])
    return patients, rng


def months(days: int) -> float:
    """Days as months of 30.4375 days, to one decimal."""
    return round(days / DAYS_PER_MONTH, 1)


def yes_no(flag: bool) -> str:
    """Spell out a flag as the workbook does."""
    return "yes" if flag else "no"


def patient_row(patient: Patient, patient_id: str) -> Row:
    """Cells of one patient in the order of ``PATIENT_COLUMNS``."""
    p = patient.profile
    flags = p.flags
    organs = ("lung", "bone", "liver", "pancreas", "brain")
    rms_type = None
    if p.histotype == "RMS":
        rms_type = "embryonal" if p.response == "P" else "pleomorphic"
    row: Row = {
        "patient_id": patient_id,
        "sex": "Male" if flags["male"] else "Female",
        "age": patient.age,
        "ecog": patient.ecog,
        "histotype": HISTOTYPE_LABELS[p.histotype],
        "rhabdomyosarcoma_type": rms_type,
        "primary_site": patient.primary_site,
    }
    row |= {f"metastasis_{organ}": yes_no(flags[organ]) for organ in organs}
    row |= {
        "n_metastatic_organs": sum(flags[organ] for organ in organs),
        "treatment_line": patient.treatment_line,
        "prior_chemotherapy": yes_no(flags["chemo"]),
        "prior_radiotherapy": yes_no(flags["radio"]),
        "prior_antiangiogenic": yes_no(flags["antiangio"]),
        "prior_immunotherapy": yes_no(flags["immuno"]),
        "antiangiogenic_drug": patient.antiangiogenic_drug,
        "immunotherapy_drug": patient.immunotherapy_drug,
        "cycles": patient.cycles,
        "first_dose_date": patient.first_dose,
        "last_dose_date": patient.date(patient.last_dose_day),
        "first_evaluation_date": patient.date(patient.evaluation_day),
        "best_response": RESPONSE_LABELS[p.response],
        "progression_date": patient.date(p.pfs_day) if p.progressed else None,
        "last_assessment_date": patient.date(p.pfs_day),
        "death_date": patient.date(p.os_day) if p.died else None,
        "vital_status": "Dead" if p.died else "Alive",
        "last_contact_date": patient.date(p.os_day),
        "off_treatment_reason": patient.off_treatment_reason,
        "data_cutoff": DATA_CUTOFF,
        "pfs_months": months(p.pfs_day),
        "pfs_event": int(p.progressed),
        "os_months": months(p.os_day),
        "os_event": int(p.died),
    }
    return {**row, **ELIGIBILITY}


def event_rows(patients: list[Patient], rng: np.random.RandomState) -> list[Row]:
    """Episodes of adverse events: worst grades as allocated, repeats, and unrelated events."""
    episodes: list[tuple[int, str, int, bool]] = [
        (i, term, grade, True)
        for i, patient in enumerate(patients)
        for term, grade in patient.related_grades.items()
    ]
    # A repeat has at most the worst grade, so that counting patients differs from counting rows.
    severe_first = sorted(range(len(episodes)), key=lambda k: -episodes[k][2])
    drawn = rng.permutation(severe_first[4:])[: N_REPEATED_EPISODES - 4]
    for k in [*severe_first[:4], *drawn.tolist()]:
        i, term, grade, _ = episodes[k]
        episodes.append((i, term, int(rng.randint(1, grade + 1)), True))
    free = [i for i, patient in enumerate(patients) if not patient.related_grades]
    anemic = [i for i, q in enumerate(patients) if q.related_grades.get("Anemia", 9) <= 2]
    others = rng.permutation([i for i, q in enumerate(patients) if q.related_grades])
    episodes += [
        (free[0], "Urinary tract infection", 2, False),
        (free[1], "Tumor pain", 3, False),
        (anemic[0], "Anemia", 3, False),
        (int(others[0]), "Tumor pain", 2, False),
        (int(others[1]), "Cough", 1, False),
        (int(others[2]), "Urinary tract infection", 1, False),
    ]
    rows: list[Row] = []
    for i, term, grade, related in episodes:
        patient = patients[i]
        last_day = min(patient.last_dose_day + 30, patient.profile.os_day - 1)
        onset = 2 + int((last_day - 2) * rng.random_sample() ** 1.5)
        serious = grade >= 3 and term not in {"Proteinuria", "Hand foot syndrome"}
        rows.append(
            {
                "patient_id": f"SYN-{i + 1:03d}",
                "term": term,
                "ctcae_grade": grade,
                "related": yes_no(related),
                "onset_date": patient.date(onset),
                "serious": yes_no(serious),
            }
        )
    return sorted(rows, key=lambda row: (str(row["patient_id"]), str(row["onset_date"])))


def cohort_tables() -> tuple[list[Row], list[Row]]:
    """Rows of the sheets Patients and Adverse events of ``sts_cohort.xlsx``."""
    patients, rng = draw_patients()
    rows = [patient_row(patient, f"SYN-{i + 1:03d}") for i, patient in enumerate(patients)]
    return rows, event_rows(patients, rng)


def screened_out_row(
    template: Patient, failure: dict[str, str | int | None], number: int, rng: np.random.RandomState
) -> Row:
    """Make a patient who failed screening, from an eligible one with other age, dates and times."""
    one_cycle = failure.get("cycles") == 1
    p = template.profile
    factor = rng.uniform(0.7, 1.2)
    pfs_day = max(round(p.pfs_day * factor), 80)
    if one_cycle:
        p = replace(p, response="P", progressed=True, histotype="LMS")
        pfs_day = int(rng.randint(16, 40))
    os_day = max(round(p.os_day * factor), pfs_day + 25, 100)
    observed = min(os_day + int(rng.randint(5, 60)), (DATA_CUTOFF - FIRST_ENROLMENT).days)
    p = replace(p, pfs_day=pfs_day, os_day=min(os_day, observed))
    patient = replace(
        template,
        profile=p,
        age=int(np.clip(template.age + rng.randint(-6, 7), 16, 79)),
        evaluation_day=pfs_day if p.response == "P" else min(template.evaluation_day, pfs_day - 28),
        observed_days=observed,
        immunotherapy_drug="Pembrolizumab",
        related_grades={},
    )
    set_treatment(patient, wish=False)
    row = patient_row(patient, f"SYN-{number:03d}")
    if one_cycle:
        row["last_dose_date"] = row["first_dose_date"]
    row |= failure
    gone: tuple[str, ...] = ()
    if failure.get("baseline_and_response_assessed") == "no":
        gone = ("first_evaluation_date", "best_response")
    if failure.get("follow_up_available") == "no":
        # Treated and assessed once, then never seen again: no endpoint can be derived.
        gone = ("progression_date", "death_date", "vital_status", "last_contact_date")
        gone += ("pfs_months", "pfs_event", "os_months", "os_event", "off_treatment_reason")
        gone += ("last_assessment_date",)
    return {name: None if name in gone else row[name] for name in PATIENT_COLUMNS}


def screening_table() -> list[Row]:
    """Rows of ``sts_screening.xlsx``: the 51 and those screened out, by first dose."""
    patients, _ = draw_patients()
    rows = [patient_row(patient, f"SYN-{i + 1:03d}") for i, patient in enumerate(patients)]
    for position, column in SCREENING_BLANKS:
        rows[position][column] = None
    rng = np.random.RandomState(SEED + 1)
    treated_on = [q for q in patients if q.profile.response == "S"]
    for k, failure in enumerate(SCREEN_FAILURES):
        template = treated_on[int(rng.randint(0, len(treated_on)))]
        rows.append(screened_out_row(template, failure, len(patients) + k + 1, rng))
    return sorted(rows, key=lambda row: (str(row["first_dose_date"]), str(row["patient_id"])))


def dictionary_rows(sheets: dict[str, dict[str, tuple[int, str, str, str]]]) -> list[Row]:
    """Rows of the sheet Data dictionary."""
    rows: list[Row] = [
        {
            "sheet": "all",
            "column": None,
            "meaning": STAMP + ".",
            "values": None,
            "source": "Counts after Li et al., BMC Cancer 2024;24:1028.",
        }
    ]
    for sheet, columns in sheets.items():
        rows += [
            {"sheet": sheet, "column": name, "meaning": meaning, "values": values, "source": source}
            for name, (_, meaning, values, source) in columns.items()
        ]
    return rows


def write_workbook(path: Path, title: str, sheets: dict[str, tuple[list[Row], list[int]]]) -> None:
    """Write sheets of rows with a frozen header, column widths and real dates."""
    book = xlsxwriter.Workbook(str(path))
    # A fixed creation time makes two runs give the same bytes.
    book.set_properties(
        {"title": title, "subject": STAMP, "created": dt.datetime(2023, 2, 1, tzinfo=dt.UTC)}
    )
    header = book.add_format({"bold": True, "bg_color": "#E6EEF2", "bottom": 1})
    date = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    for name, (rows, widths) in sheets.items():
        sheet = book.add_worksheet(name)
        columns = list(rows[0])
        for j, (column, width) in enumerate(zip(columns, widths, strict=True)):
            sheet.set_column(j, j, width)
            sheet.write_string(0, j, column, header)
        for i, row in enumerate(rows, start=1):
            for j, column in enumerate(columns):
                cell = row[column]
                if isinstance(cell, dt.date):
                    sheet.write_datetime(i, j, cell, date)
                elif isinstance(cell, str):
                    sheet.write_string(i, j, cell)
                elif cell is not None:
                    sheet.write_number(i, j, cell)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    book.close()


def write_cohort(path: Path) -> None:
    """Write ``sts_cohort.xlsx``."""
    patients, events = cohort_tables()
    dictionary = dictionary_rows({"Patients": PATIENT_COLUMNS, "Adverse events": EVENT_COLUMNS})
    write_workbook(
        path,
        "Synthetic soft tissue sarcoma cohort",
        {
            "Patients": (patients, [spec[0] for spec in PATIENT_COLUMNS.values()]),
            "Adverse events": (events, [spec[0] for spec in EVENT_COLUMNS.values()]),
            "Data dictionary": (dictionary, [15, 36, 60, 62, 60]),
        },
    )


def write_screening(path: Path) -> None:
    """Write ``sts_screening.xlsx``."""
    dictionary = dictionary_rows({"Patients": PATIENT_COLUMNS})
    write_workbook(
        path,
        "Synthetic soft tissue sarcoma screening log",
        {
            "Patients": (screening_table(), [spec[0] for spec in PATIENT_COLUMNS.values()]),
            "Data dictionary": (dictionary, [15, 36, 60, 62, 60]),
        },
    )


WORKBOOKS: dict[str, Callable[[Path], None]] = {
    "sts_cohort.xlsx": write_cohort,
    "sts_screening.xlsx": write_screening,
}


def main() -> None:
    """Write both workbooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, write in WORKBOOKS.items():
        write(out / name)


if __name__ == "__main__":
    main()
