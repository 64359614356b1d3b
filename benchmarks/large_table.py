"""A patient table of any length with what makes intake slow: dates as text, two languages, gaps."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Final

HISTOTYPES: Final = ("ASPS", "未分化多形性肉瘤", "LMS", "UPS", "DDLPS", "滑膜肉瘤", "MPNST", "CCS")
MISSING: Final = ("", "NA", "[Unknown]", "未知", ".")
NOTES: Final = (
    "seen in clinic", "no change since the last visit", "dose reduced", "复查稳定", "pain, grade 1",
    "second opinion asked for", "CT at another hospital", "lost a few kilograms",
)  # fmt: skip
_FIRST: Final = dt.date(2012, 1, 1)


def large_csv(n_rows: int, *, seed: int = 1) -> bytes:
    """Give a csv of so many patients and 40 columns.

    Parameters
    ----------
    n_rows
        Patients.
    seed
        The same number gives the same bytes.

    Returns
    -------
    bytes
        UTF-8, comma separated, with a row of names.
    """
    pick = random.Random(seed)
    lines = [",".join(_header())]
    lines += [",".join(_row(pick, number)) for number in range(1, n_rows + 1)]
    return ("\n".join(lines) + "\n").encode()


def _header() -> list[str]:
    return [
        "patient_id", "site", "sex", "age", "birth_year", "date_of_diagnosis", "treatment_start",
        "date_of_progression", "date_of_death", "last_follow_up", "OS_months", "OS_status",
        "PFS (months)", "PFS_status", "病理类型", "Histologic grade", "ECOG", "stage", "吸烟史",
        "prior surgery", "prior radiotherapy", "metastasis at baseline", "number_of_metastases",
        "tumor size (cm)", "haemoglobin", "albumin", "LDH", "NLR", "CRP", "weight_kg", "height_cm",
        "best_response", "change_percent", "drug", "dose_mg", "n_cycles", "last_dose",
        "FNCLCC", "comment", "sample_key",
    ]  # fmt: skip


def _row(pick: random.Random, number: int) -> list[str]:
    def gap(text: str, share: float = 0.06) -> str:
        return pick.choice(MISSING) if pick.random() < share else text

    def one(*levels: str) -> str:
        return gap(pick.choice(levels))

    diagnosed = _FIRST + dt.timedelta(days=pick.randrange(3000))
    started = diagnosed + dt.timedelta(days=pick.randrange(10, 120))
    survived = 1 + int(pick.expovariate(1 / 700))
    progressed = min(survived, 1 + int(pick.expovariate(1 / 250)))
    dead, progression = pick.random() < 0.55, pick.random() < 0.7
    last = started + dt.timedelta(days=survived)
    return [
        f"STS-{number:07d}",
        f"Site {pick.randrange(1, 31):02d}",
        one("男", "女", "M", "F"),
        gap(str(pick.randrange(18, 90))),
        gap(str(pick.randrange(1930, 2003))),
        gap(_dmy(diagnosed)),
        _dmy(started),
        _dmy(started + dt.timedelta(days=progressed)) if progression else "",
        _dmy(last) if dead else "",
        _dmy(last),
        f"{survived / 30.4375:.4f}",
        gap("Dead" if dead else "Alive", 0.01),
        f"{progressed / 30.4375:.2f}",
        gap("1" if progression else "0", 0.01),
        one(*HISTOTYPES),
        one("1", "2", "3"),
        one("0", "1", "2"),
        one("I", "II", "III", "IV"),
        one("是", "否"),
        one("yes", "no"),
        one("Yes", "No"),
        one("yes", "no"),
        gap(str(pick.randrange(0, 9))),
        gap(f"{pick.uniform(0.5, 30):.1f}"),
        gap(f"{pick.gauss(128, 15):.0f}"),
        gap(f"{pick.gauss(40, 5):.2f}"),
        gap(str(pick.randrange(90, 900))),
        gap(f"{pick.expovariate(1 / 3):.3f}"),
        gap(f"{pick.expovariate(1 / 20):.4f}"),
        gap(f"{pick.gauss(68, 12):.1f}"),
        gap(f"{pick.gauss(168, 9):.1f}"),
        one("CR", "PR", "SD", "PD", "NE"),
        gap(f"{pick.uniform(-100, 80):.2f}"),
        one("pazopanib", "安罗替尼", "doxorubicin", "trabectedin"),
        one("200", "400", "600", "800"),
        gap(str(pick.randrange(1, 30))),
        gap(_dmy(started + dt.timedelta(days=pick.randrange(20, 600)))),
        one("G1", "G2", "G3"),
        gap(_sentence(pick, NOTES), 0.7),
        f"{pick.getrandbits(32):08x}",
    ]  # fmt: skip


def _dmy(day: dt.date) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def _sentence(pick: random.Random, parts: Sequence[str]) -> str:
    return f'"{pick.choice(parts)}; {pick.choice(parts)} ({pick.randrange(1000)})"'
