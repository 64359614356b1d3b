"""Search for the joint structure of the synthetic soft tissue sarcoma cohort.

The published study gives margins (counts), medians and hazard ratios, but no patient. This script
assigns covariates and event days to 51 invented patients by simulated annealing, so that every
margin holds and the medians and hazard ratios come near the published ones. Its output is the table
``PATIENT_TABLE`` in ``generate_sts_cohort.py``; building the workbooks doesn't need this script.

Usage: ``python sample_data/search_sts_cohort.py [--seed N] [--steps N]``.
The committed table is that of the defaults.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAYS_PER_MONTH = 30.4375
N_PROGRESSIONS = 39
N_DEATHS = 15
FIRST_SCAN_EARLIEST, FIRST_SCAN_LATEST = 24, 92
DISEASE_CONTROL_EARLIEST = 77
FOLLOW_UP_SHORTEST, FOLLOW_UP_LONGEST = 93, 1600

# Histotype -> best responses (C complete, R partial, S stable, P progressive).
# The first three are published; the rest share what remains of 1 CR, 8 PR, 30 SD and 12 PD.
RESPONSES = {
    "ASPS": "RSSSSS",
    "CCS": "RRSSP",
    "RMS": "RSSSSP",
    "LMS": "SSSSSSSPPPP",
    "MFS": "SSPPP",
    "SS": "RSP",
    "MPNST": "SSP",
    "UPS": "CRS",
    "Others": "RRSSSSSSP",
}

# Binary columns and the number of patients that have a 1. ``line3`` stands for the third line or
# later, ``first`` for the first line.
MARGINS = {
    "male": 25,
    "young": 24,
    "ecog01": 28,
    "limb": 28,
    "lung": 33,
    "bone": 18,
    "liver": 6,
    "pancreas": 5,
    "brain": 3,
    "first": 12,
    "line3": 15,
    "chemo": 32,
    "radio": 9,
    "antiangio": 21,
    "immuno": 4,
}
COLUMNS = tuple(MARGINS)
TREATMENT = ("first", "line3", "chemo", "antiangio", "immuno")

# Published univariable hazard ratios (PFS, OS) of the group with a 1 against the one with a 0.
HAZARD_RATIOS = {
    "male": (1.31, 0.74),
    "young": (0.53, 0.72),
    "ecog01": (0.32, 0.32),
    "limb": (0.59, 0.68),
    "at_most_one_organ": (0.54, 0.42),
    "lung": (0.85, 1.01),
    "liver": (2.00, 2.39),
    "bone": (1.00, 0.84),
    "line12": (0.47, 0.30),
    "chemo": (2.00, 4.42),
    "radio": (2.02, 2.24),
    "antiangio": (1.13, 0.84),
    "immuno": (1.10, 0.36),
}

# How often a histotype starts in a limb and before the age of 54, for plausible pairings.
LIMB_SHARE = {"ASPS": 0.8, "CCS": 1.0, "SS": 0.7, "MFS": 0.8, "LMS": 0.2, "RMS": 0.5}
YOUNG_SHARE = {"ASPS": 1.0, "CCS": 0.8, "SS": 0.7, "MFS": 0.2, "LMS": 0.2, "UPS": 0.0}

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(slots=True)
class State:
    """A candidate cohort: covariates (51 x columns), days from first dose, event flags."""

    covariates: Ints
    pfs_day: Ints
    progressed: Ints
    os_day: Ints
    died: Ints

    def copy(self) -> State:
        """Independent copy, to change."""
        return State(
            self.covariates.copy(),
            self.pfs_day.copy(),
            self.progressed.copy(),
            self.os_day.copy(),
            self.died.copy(),
        )


HISTOTYPE = np.array([name for name, codes in RESPONSES.items() for _ in codes])
RESPONSE = np.array([code for codes in RESPONSES.values() for code in codes])
N = len(HISTOTYPE)


def median_time(day: Ints, event: Ints) -> float:
    """Kaplan-Meier median in months, midpoint of a flat part at 0.5; infinity if not reached."""
    order = np.lexsort((-event, day))
    t, d = day[order], event[order]
    at_risk = len(t) - np.arange(len(t))
    survival = np.cumprod(1.0 - d / at_risk)
    reached = np.flatnonzero((survival < 0.5 + 1e-9) & (d == 1))
    if len(reached) == 0:
        return float("inf")
    first = reached[0]
    if abs(survival[first] - 0.5) < 1e-9:
        later = np.flatnonzero((d == 1) & (t > t[first]))
        if len(later):
            return float(t[first] + t[later[0]]) / 2 / DAYS_PER_MONTH
    return float(t[first]) / DAYS_PER_MONTH


def log_hazard_ratios(day: Ints, event: Ints, x: Floats) -> Floats:
    """Breslow estimates of many univariable Cox models on 0/1 covariates, by Newton's method."""
    order = np.argsort(-day, kind="stable")
    t, d, z = -day[order], event[order] == 1, x[order]
    last = np.searchsorted(t, t[d], side="right") - 1
    observed = z[d].sum(axis=0)
    beta = np.zeros(x.shape[1])
    for _ in range(7):
        weight = np.exp(z * beta)
        share = (np.cumsum(weight * z, axis=0) / np.cumsum(weight, axis=0))[last]
        information = (share * (1 - share)).sum(axis=0) + 1e-9
        step = (observed - share.sum(axis=0)) / information
        beta = np.clip(beta + np.clip(step, -1, 1), -4, 4)
    return beta


def adjusted_log_hazard_ratios(day: Ints, event: Ints, x: Floats) -> Floats:
    """Breslow estimates of one Cox model with all columns of ``x``, by Newton's method."""
    order = np.argsort(-day, kind="stable")
    t, d, z = -day[order], event[order] == 1, x[order]
    last = np.searchsorted(t, t[d], side="right") - 1
    outer = z[:, :, None] * z[:, None, :]
    beta = np.zeros(x.shape[1])
    for _ in range(5):
        weight = np.exp(z @ beta)
        s0 = np.cumsum(weight)[last]
        mean = np.cumsum(weight[:, None] * z, axis=0)[last] / s0[:, None]
        second = np.cumsum(weight[:, None, None] * outer, axis=0)[last] / s0[:, None, None]
        information = (second - mean[:, :, None] * mean[:, None, :]).sum(axis=0)
        score = z[d].sum(axis=0) - mean.sum(axis=0)
        step = np.linalg.solve(information + 1e-6 * np.eye(x.shape[1]), score)
        beta = np.clip(beta + np.clip(step, -1, 1), -4, 4)
    return beta


def design(covariates: Ints) -> Floats:
    """Columns of ``HAZARD_RATIOS`` from the stored columns."""
    by_name = {name: covariates[:, i] for i, name in enumerate(COLUMNS)}
    organs = sum(by_name[name] for name in ("lung", "bone", "liver", "pancreas", "brain"))
    by_name["at_most_one_organ"] = (np.asarray(organs) <= 1).astype(np.int64)
    by_name["line12"] = 1 - by_name["line3"]
    return np.column_stack([by_name[name] for name in HAZARD_RATIOS]).astype(np.float64)


LOG_TARGETS = np.log(np.array(list(HAZARD_RATIOS.values())))
# A hazard ratio of a small group or of 15 deaths may miss its target by more than one of ECOG.
HR_WEIGHTS = np.ones_like(LOG_TARGETS) * np.array([3.0, 2.0])
PROGNOSTIC = [list(HAZARD_RATIOS).index(name) for name in ("ecog01", "line12")]
HR_WEIGHTS[PROGNOSTIC] *= 3
# Published multivariable hazard ratios of ECOG 0-1 and of the first or second line (PFS, OS).
ADJUSTED_TARGETS = np.log(np.array([(0.31, 0.34), (0.44, 0.32)]))


def median_targets(state: State) -> list[tuple[float, float, float]]:
    """Triples (median, published median, weight) for PFS and for the follow-up."""
    col = {name: state.covariates[:, i] == 1 for i, name in enumerate(COLUMNS)}
    pooled = np.isin(HISTOTYPE, ["ASPS", "CCS"])

    def pfs(mask: Bools) -> float:
        return median_time(state.pfs_day[mask], state.progressed[mask])

    return [
        (pfs(np.ones(N, dtype=bool)), 5.8, 3.0),
        (pfs(col["ecog01"]), 7.0, 2.0),
        (pfs(~col["ecog01"]), 2.9, 2.0),
        (pfs(~col["line3"]), 6.0, 2.0),
        (pfs(col["line3"]), 2.8, 2.0),
        (pfs(HISTOTYPE == "RMS"), 7.2, 1.0),
        (pfs(HISTOTYPE == "CCS"), 16.2, 1.0),
        (pfs(HISTOTYPE == "LMS"), 2.8, 1.0),
        (pfs(HISTOTYPE == "MFS"), 0.8, 1.0),
        (pfs(pooled), 16.2, 1.0),
        (pfs(~pooled), 4.4, 2.0),
        (median_time(state.os_day, 1 - state.died), 15.8, 2.0),
    ]


def loss(state: State) -> float:
    """Weighted distance to the published figures, plus penalties for implausible pairings."""
    x = design(state.covariates)
    beta = np.column_stack(
        [
            log_hazard_ratios(state.pfs_day, state.progressed, x),
            log_hazard_ratios(state.os_day, state.died, x),
        ]
    )
    total = float((HR_WEIGHTS * np.abs(beta - LOG_TARGETS)).sum())
    joint = x[:, PROGNOSTIC]
    adjusted = np.column_stack(
        [
            adjusted_log_hazard_ratios(state.pfs_day, state.progressed, joint),
            adjusted_log_hazard_ratios(state.os_day, state.died, joint),
        ]
    )
    total += float((np.array([8.0, 5.0]) * np.abs(adjusted - ADJUSTED_TARGETS)).sum())
    for median, target, weight in median_targets(state):
        total += weight * min(max(abs(median - target) - 0.04, 0.0), 20.0)
    asps = HISTOTYPE == "ASPS"
    if np.isfinite(median_time(state.pfs_day[asps], state.progressed[asps])):
        total += 10.0
    if np.isfinite(median_time(state.os_day, state.died)):
        total += 10.0
    for column, shares in (("limb", LIMB_SHARE), ("young", YOUNG_SHARE)):
        values = state.covariates[:, COLUMNS.index(column)]
        for name, share in shares.items():
            mask = np.equal(HISTOTYPE, name)
            total += 0.4 * max(abs(values[mask].sum() - share * mask.sum()) - 1.0, 0.0)
    # Histotypes named as neither longest nor shortest lie between 2.8 and 16.2 months.
    for name in ("SS", "MPNST", "UPS", "Others"):
        mask = np.equal(HISTOTYPE, name)
        median = median_time(state.pfs_day[mask], state.progressed[mask])
        total += min(max(3.2 - median, 0.0) + max(min(median, 40.0) - 14.0, 0.0), 5.0)
    # Responders last longer than stable disease; long gaps from progression to death are rare.
    responders = np.isin(RESPONSE, ["C", "R"])
    total += 0.004 * float(np.maximum(180 - state.pfs_day[responders], 0).sum())
    gap = (state.os_day - state.pfs_day)[state.died == 1]
    return total + 0.002 * float(np.maximum(gap - 400, 0).sum())


def feasible(state: State) -> bool:
    """Whether no patient contradicts himself."""
    col = {name: state.covariates[:, i] for i, name in enumerate(COLUMNS)}
    earlier = np.maximum.reduce([col["chemo"], col["antiangio"]])
    progressive = RESPONSE == "P"
    gap = state.os_day - state.pfs_day
    lower = np.where(progressive, FIRST_SCAN_EARLIEST, DISEASE_CONTROL_EARLIEST)
    upper = np.where(progressive, FIRST_SCAN_LATEST, FOLLOW_UP_LONGEST)
    broken = (
        (col["first"] & (col["line3"] | col["chemo"] | col["antiangio"] | col["immuno"]))
        | ((1 - col["first"]) & (1 - earlier))
        | (col["brain"] & (1 - col["lung"]))
        | (state.pfs_day < lower)
        | (state.pfs_day > upper)
        | (progressive & (state.progressed == 0))
        | ((RESPONSE == "C") & (state.progressed == 1))
        | (state.died & (1 - state.progressed))
        | (state.died & (gap < 20))
        | (gap < 0)
        | ((1 - state.progressed) & (gap > 75))
        | ((1 - state.died) & (state.os_day < FOLLOW_UP_SHORTEST))
        | (state.os_day > FOLLOW_UP_LONGEST)
        | ((RESPONSE == "R") & (state.pfs_day < 110))
    )
    embryonal = np.flatnonzero((HISTOTYPE == "RMS") & progressive)
    return not broken.any() and bool(col["young"][embryonal].all())


def initial(rng: np.random.RandomState) -> State:
    """Draw covariates and days that satisfy ``feasible``."""
    covariates = np.zeros((N, len(COLUMNS)), dtype=np.int64)
    for i, (_, count) in enumerate(MARGINS.items()):
        covariates[rng.permutation(N)[:count], i] = 1
    at = COLUMNS.index
    embryonal = np.flatnonzero((HISTOTYPE == "RMS") & (RESPONSE == "P"))[0]
    if covariates[embryonal, at("young")] == 0:
        other = np.flatnonzero(covariates[:, at("young")] == 1)[0]
        covariates[[embryonal, other], at("young")] = [1, 0]
    lung = np.flatnonzero(covariates[:, at("lung")] == 1)
    covariates[:, at("brain")] = 0
    covariates[lung[:3], at("brain")] = 1
    order = rng.permutation(N)
    for name in TREATMENT:
        covariates[:, at(name)] = 0
    covariates[order[:12], at("first")] = 1
    covariates[order[36:], at("line3")] = 1
    covariates[order[12:44], at("chemo")] = 1
    covariates[order[30:51], at("antiangio")] = 1
    covariates[order[45:49], at("immuno")] = 1
    pfs = np.where(RESPONSE == "P", rng.randint(30, 80, N), 120 + rng.exponential(150, N))
    pfs = np.clip(pfs, 24, 700).astype(np.int64)
    pfs[(RESPONSE == "P") & (pfs > FIRST_SCAN_LATEST)] = 60
    progressed = np.ones(N, dtype=np.int64)
    censored = [i for i in np.flatnonzero(RESPONSE != "P") if HISTOTYPE[i] == "ASPS"][:4]
    censored += list(np.flatnonzero(RESPONSE == "C"))
    rest = [i for i in rng.permutation(N) if RESPONSE[i] != "P" and i not in censored]
    censored += rest[: N - N_PROGRESSIONS - len(censored)]
    progressed[censored] = 0
    died = np.zeros(N, dtype=np.int64)
    died[rng.permutation(np.flatnonzero(progressed))[:N_DEATHS]] = 1
    os_day = np.where(progressed == 1, pfs + 60 + rng.randint(0, 300, N), pfs + 20)
    os_day = np.maximum(os_day, FOLLOW_UP_SHORTEST + 2)
    return State(covariates, pfs, progressed, os_day.astype(np.int64), died)


def propose(state: State, rng: np.random.RandomState) -> State:
    """One random change that keeps every margin."""
    new = state.copy()
    i, j = rng.randint(0, N, 2)
    kind = rng.random_sample()
    if kind < 0.35:
        column = rng.randint(0, len(COLUMNS))
        new.covariates[[i, j], column] = new.covariates[[j, i], column]
    elif kind < 0.42:
        columns = [COLUMNS.index(name) for name in TREATMENT]
        new.covariates[np.ix_([i, j], columns)] = new.covariates[np.ix_([j, i], columns)]
    elif kind < 0.66:
        shift = round(rng.standard_normal() * (4 if RESPONSE[i] == "P" else 40))
        new.pfs_day[i] += shift
        if new.progressed[i] == 0:
            new.os_day[i] += shift
    elif kind < 0.84:
        new.os_day[i] += round(rng.standard_normal() * 60)
    elif kind < 0.90:
        new.progressed[[i, j]] = new.progressed[[j, i]]
        if new.progressed[i] == 0:
            new.os_day[i] = new.pfs_day[i] + rng.randint(0, 60)
        if new.progressed[j] == 0:
            new.os_day[j] = new.pfs_day[j] + rng.randint(0, 60)
    elif kind < 0.95:
        new.died[[i, j]] = new.died[[j, i]]
    else:
        new.pfs_day[[i, j]] = new.pfs_day[[j, i]]
        new.os_day[[i, j]] = new.os_day[[j, i]]
        new.progressed[[i, j]] = new.progressed[[j, i]]
        new.died[[i, j]] = new.died[[j, i]]
    return new


def search(seed: int, steps: int) -> tuple[State, float]:
    """Anneal for a number of evaluated steps; return the best state and its loss."""
    rng = np.random.RandomState(seed)
    state = initial(rng)
    if not feasible(state):
        raise RuntimeError("the initial state contradicts the constraints")
    current = best_loss = loss(state)
    best = state.copy()
    evaluated = 0
    while evaluated < steps:
        candidate = propose(state, rng)
        if not feasible(candidate):
            continue
        temperature = 1.5 * (0.01 / 1.5) ** (evaluated / steps)
        value = loss(candidate)
        evaluated += 1
        if value < current or rng.random_sample() < np.exp((current - value) / temperature):
            state, current = candidate, value
            if value < best_loss:
                best, best_loss = candidate.copy(), value
    return best, best_loss


def main() -> None:
    """Print the table that ``generate_sts_cohort.py`` embeds, then what was reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60_000)
    options = parser.parse_args()
    best, value = search(options.seed, options.steps)
    out, err = sys.stdout, sys.stderr
    err.write(f"histotype response {' '.join(COLUMNS)} pfs_day progressed os_day died\n")
    for i in range(N):
        row = [HISTOTYPE[i], RESPONSE[i], *best.covariates[i]]
        row += [best.pfs_day[i], best.progressed[i], best.os_day[i], best.died[i]]
        out.write(" ".join(str(cell) for cell in row) + "\n")
    err.write(f"loss {value:.3f}\n")
    for median, target, _ in median_targets(best):
        err.write(f"median {median:.2f} published {target}\n")
    x = design(best.covariates)
    for day, event in ((best.pfs_day, best.progressed), (best.os_day, best.died)):
        hr = np.exp(adjusted_log_hazard_ratios(day, event, x[:, PROGNOSTIC]))
        err.write(f"adjusted ECOG {hr[0]:.2f}, line {hr[1]:.2f}\n")
    pfs = np.exp(log_hazard_ratios(best.pfs_day, best.progressed, x))
    os_ = np.exp(log_hazard_ratios(best.os_day, best.died, x))
    for k, (name, target_pair) in enumerate(HAZARD_RATIOS.items()):
        err.write(f"{name}: {pfs[k]:.2f} {os_[k]:.2f} published {target_pair}\n")


if __name__ == "__main__":
    main()
