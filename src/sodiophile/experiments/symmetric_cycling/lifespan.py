"""How a symmetric cell ended: hard short, soft short suspected, passivated, or not at all while the record lasts.

Comes in: the half cycles and the thresholds of the protocol. Goes out: a verdict, its onset as an interval between the last
healthy and the first failed sample, and the evidence with its numbers. There is no standard for any of this; the rules
follow the signs described by Wood et al. (ACS Cent. Sci. 2016), Menkin et al. (Faraday Discuss. 2024) and Counihan et al.
(Joule 2024), and are written out in the documentation page of this experiment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._halfcycles import HalfCycles
from sodiophile.experiments._medians import median_of_rows
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.experiments.symmetric_cycling.references import References
from sodiophile.experiments.symmetric_cycling.soft_shorts import SoftShort, Step

HARD = "hard short"
SOFT = "soft short suspected"
PASSIVATED = "passivated"
CENSORED = "protocol ended (right-censored)"
UNDETERMINED = "cannot be told from this file"

_LATE = slice(-10, None)
_SUDDEN_SAMPLES = 3
_SUDDEN_CHARGE = 0.1
_LEAST_SAMPLES = 3
_FORMATION_STRICTNESS = 0.25
_SAME_VOLTAGE = 0.003
_FEWEST_ALIKE = 4


@dataclass(frozen=True)
class Onset:
    """When something began.

    Parameters
    ----------
    last_healthy, first_failed
        Rows of the trace.
    half_cycle
        Index of the half cycle of `first_failed`.
    evidence
        Sentences with numbers.
    """

    last_healthy: int
    first_failed: int
    half_cycle: int
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """How the record ended.

    Parameters
    ----------
    answer
        One of the five answers above.
    onset
        Of the failure; None where there was none, or none can be told.
    evidence
        Sentences with numbers.
    soft
        The first suspected soft short, also where something worse came later; None if there is none.
    limit_hit
        True for half cycles that ended at the voltage limit, shape (n,).
    """

    answer: str
    onset: Onset | None
    evidence: tuple[str, ...]
    soft: SoftShort | None
    limit_hit: np.ndarray


def hard_short(
    half: HalfCycles, reference: References, protocol: SymmetricCyclingProtocol
) -> tuple[Onset | None, list[Step]]:
    """Find the first collapse of the voltage that lasts, to the sample.

    A collapse: under `short_fraction` of the reference while more than half of the set current flows, within three samples
    or a tenth of the charge of a half cycle, and in all of the next `short_persistence` half cycles (as a resistance, so
    that a change of current does not matter). In formation, where polarization may fall by itself, a fall that was not
    sudden must leave four times less.

    Returns
    -------
    tuple
        The onset or None, and the collapses that healed.
    """
    shorted = _shorted_from_start(half, protocol)
    if shorted is not None:
        return shorted, []
    limit = protocol.short_fraction * reference.fall_V
    late = median_of_rows(half.grid_V[:, _LATE])
    resolved = reference.fall_V > protocol.resolution_factor * half.noise_V
    suspects = (late < limit) & resolved
    suspects[-1] |= bool(resolved[-1])
    healed: list[Step] = []
    passed_over = -1
    for k in np.flatnonzero(suspects):
        if k <= passed_over:
            continue
        found = _collapse(half, int(k), reference.fall_V[k], limit[k])
        if found is None:
            continue
        healthy, failed, sudden = found
        in_formation = half.cycle[k] <= protocol.formation_cycles
        if not sudden or (in_formation and failed == half.first[k] and late[k] > _FORMATION_STRICTNESS * limit[k]):
            continue
        after = slice(k + 1, k + 1 + protocol.short_persistence)
        collapsed = half.level_V[after] / half.set_A[after] < limit[k] / half.set_A[k]
        if collapsed.all() and (collapsed.size or half.last[k] - failed + 1 >= _LEAST_SAMPLES):
            return Onset(healthy, failed, int(k), _short_evidence(half, reference, int(k), healthy, failed)), healed
        if collapsed.size:
            before = float(reference.fall_V[k])
            healed.append(Step(int(k), failed, before, before - float(late[k]), recovered=True))
            passed_over = int(k) + int(np.argmin(collapsed))
    return None, healed


def _shorted_from_start(half: HalfCycles, protocol: SymmetricCyclingProtocol) -> Onset | None:
    first = slice(0, protocol.short_persistence + 1)
    highest_V = np.abs(half.quantile_V[1][first]) + 3 * half.noise_V[first]
    resistance = float(np.max(highest_V / half.set_A[first])) * protocol.area_cm2
    if resistance >= protocol.short_resistance_ohm_cm2 or len(half) <= protocol.short_persistence:
        return None
    row = int(half.first[0])
    return Onset(
        row,
        row,
        0,
        (
            (
                f"from the first half cycle on the voltage is no more than {resistance:.3g} ohm cm2 times the "
                "current, below the "
                f"{protocol.short_resistance_ohm_cm2:g} ohm cm2 that an electrolyte in a separator has at least"
            ),
        ),
    )


def _collapse(half: HalfCycles, k: int, reference_V: float, limit_V: float) -> tuple[int, int, bool] | None:
    """Rows of the last healthy and the first collapsed sample around half cycle `k`, and whether it was sudden."""
    start = _collapsed_from(half, k, limit_V)
    if start is None:
        return None
    if start == half.first[k] and k > 0:
        earlier = _collapsed_from(half, k - 1, limit_V)
        if earlier is None:
            return int(half.last[k - 1]), start, True
        k, start = k - 1, earlier
    rows = slice(int(half.first[k]), start)
    high = np.flatnonzero(half.trace.voltage_V[rows] * half.sign[k] >= 0.5 * reference_V)
    if high.size == 0:
        return (int(half.last[k - 1]) if k > 0 else start), start, start - int(half.first[k]) <= _SUDDEN_SAMPLES
    healthy = int(half.first[k] + high[-1])
    charge = half.passed_C[start] - half.passed_C[healthy]
    sudden = start - healthy <= _SUDDEN_SAMPLES or charge <= _SUDDEN_CHARGE * half.charge_C[k]
    return healthy, start, sudden


def _collapsed_from(half: HalfCycles, k: int, limit_V: float) -> int | None:
    """First row of the run of collapsed samples with which half cycle `k` ends; lone outliers do not interrupt it."""
    rows = slice(int(half.first[k]), int(half.last[k]) + 1)
    low = (half.trace.voltage_V[rows] * half.sign[k] < limit_V) & (np.abs(half.trace.current_A[rows]) > 0.5 * half.set_A[k])
    padded = np.concatenate([low[:1], low, low[-1:]]).astype(np.int8)
    majority = padded[:-2] + padded[1:-1] + padded[2:] >= 2
    high = np.flatnonzero(~majority)
    start = int(high[-1]) + 1 if high.size else 0
    while start > 0 and low[start - 1]:
        start -= 1
    while start < low.size and not low[start]:
        start += 1
    return rows.start + start if start < low.size else None


def _short_evidence(half: HalfCycles, reference: References, k: int, healthy: int, failed: int) -> tuple[str, ...]:
    trace = half.trace
    after = slice(k + 1, k + 11) if k + 1 < len(half) else slice(k, k + 1)
    collapsed = half.level_V[after] if k + 1 < len(half) else np.array([half.near(-1)[k, 0]])
    resistance = collapsed / half.set_A[after]
    evidence = [
        (
            f"the voltage fell from {trace.voltage_V[healthy] * 1e3:.4g} mV to "
            f"{trace.voltage_V[failed] * 1e3:.4g} mV between two "
            f"samples {trace.time_s[failed] - trace.time_s[healthy]:.4g} s apart while "
            f"{abs(trace.current_A[failed]) * 1e3:.4g} mA "
            "flowed"
        ),
        (
            f"the half cycles before had {reference.fall_V[k] * 1e3:.4g} mV; "
            f"{100 * np.median(collapsed) / reference.fall_V[k]:.2g} % "
            f"of it remained, as a resistance of {np.median(resistance):.3g} ohm"
        ),
    ]
    remaining = len(half) - k - 1
    if remaining > 0:
        low = half.level_V[k + 1 :] / half.set_A[k + 1 :] < 0.5 * reference.fall_V[k] / half.set_A[k]
        evidence.append(
            f"{int(low.sum())} of the {remaining} half cycles that follow stayed under half of the voltage before"
        )
        spread = np.ptp(half.set_A[after]) / np.median(half.set_A[after])
        if spread > 0.1 and collapsed.size > 2 and np.mean(resistance) > 0:
            evidence.append(f"voltage over current is constant to {100 * np.std(resistance) / np.mean(resistance):.2g} %")
    return tuple(evidence)


def limit_hits(half: HalfCycles, reference: References, protocol: SymmetricCyclingProtocol) -> np.ndarray:
    """Tell which half cycles ended at the voltage limit, shape (n,).

    With a limit given: those that ended at 99 % of it, or spent a tenth of their charge there. In any case: those that
    passed less than the usual charge and ended at their highest voltage, at least twice the usual one; and, as a cell that
    never takes the current has no usual charge, those that ended at their highest voltage, at that at which most end, and
    passed less than the capacity that was set, or ran away to twice their own level and agree in voltage better than in
    charge. The last half cycle of a record may simply have been stopped.
    """
    peak = np.where(
        half.sign > 0,
        half.by_half_cycle(np.maximum, half.trace.voltage_V),
        -half.by_half_cycle(np.minimum, half.trace.voltage_V),
    )
    end = half.near(-1)[:, 0]
    with np.errstate(invalid="ignore"):
        cut = (
            (half.charge_C < protocol.truncation * reference.charge_C)
            & (end >= 0.97 * peak)
            & (end > 2 * reference.rise_V)
            & (end > protocol.resolution_factor * half.noise_V)
        )
    cut |= _never_taken(half, end, peak, protocol)
    if protocol.voltage_limit_V is None:
        return cut
    return cut | (np.maximum(end, half.quantile_V[1]) >= 0.99 * protocol.voltage_limit_V)


def _never_taken(half: HalfCycles, end_V: np.ndarray, peak_V: np.ndarray, protocol: SymmetricCyclingProtocol) -> np.ndarray:
    """Tell which half cycles a limit ended from the beginning of the record on, shape (n,)."""
    common_V = float(np.median(end_V))
    alike = (end_V >= 0.97 * peak_V) & (np.abs(end_V - common_V) <= _SAME_VOLTAGE * common_V)
    if alike.sum() < 2 or alike.mean() < 0.5:
        return np.zeros(len(half), dtype=bool)
    found = np.zeros(len(half), dtype=bool)
    if protocol.capacity_mAh_cm2 is not None:
        found = alike & (half.charge_C < protocol.truncation * 3.6 * protocol.capacity_mAh_cm2 * protocol.area_cm2)
    away = alike & (end_V > 2 * half.level_V)
    if away.sum() >= _FEWEST_ALIKE:
        voltage, charge = (float(np.std(values[away]) / np.mean(values[away])) for values in (end_V, half.charge_C))
        found |= away & (voltage < 0.5 * charge)
    return found


def passivation(
    half: HalfCycles, reference: References, protocol: SymmetricCyclingProtocol, limit_hit: np.ndarray
) -> Onset | None:
    """Find where the cell no longer took the current: limit hit, or polarization far above its best, twice in three."""
    with np.errstate(invalid="ignore"):
        high = (half.level_V > protocol.passivation_ratio * reference.best_V) & (
            reference.best_V > protocol.resolution_factor * reference.noise_V
        )
    failed = limit_hit | high
    padded = np.concatenate([failed, [True, True]])
    again = failed & (padded[1:-1] | padded[2:])
    # the last but one is confirmed by the last alone, the last by itself
    if len(half) >= 2:
        again[-2] = failed[-2] and failed[-1]
    found = np.flatnonzero(again)
    if found.size == 0:
        return None
    k = int(found[0])
    trace = half.trace
    if limit_hit[k]:
        end, source = float(half.near(-1)[k, 0]), "found from half cycles that ended early"
        limit = protocol.voltage_limit_V
        rows = slice(int(half.first[k]), int(half.last[k]) + 1)
        response = trace.voltage_V[rows] * half.sign[k]
        if limit is not None and response.max() >= 0.99 * limit:
            end, source = limit, "given"
        row = rows.start + int(np.argmax(response >= 0.99 * end))
        evidence = [f"half cycle {k + 1} reached the voltage limit of {end * 1e3:.4g} mV ({source})"]
        if not np.isnan(reference.charge_C[k]):
            evidence.append(f"it passed {100 * half.charge_C[k] / reference.charge_C[k]:.3g} % of the usual charge")
        evidence.append(f"{int(limit_hit.sum())} of {len(half)} half cycles reached it")
        return Onset(max(row - 1, 0), row, k, tuple(evidence))
    healthy = int(half.last[k - 1]) if k > 0 else int(half.first[k])
    return Onset(
        healthy,
        int(half.last[k]),
        k,
        (
            (
                f"half cycle {k + 1} had {half.level_V[k] * 1e3:.4g} mV, "
                f"{half.level_V[k] / reference.best_V[k]:.3g} times the lowest "
                f"reference of {reference.best_V[k] * 1e3:.4g} mV (limit {protocol.passivation_ratio:g})"
            ),
        ),
    )


def ending(
    half: HalfCycles, reference: References, protocol: SymmetricCyclingProtocol, soft: SoftShort | None, hard: Onset | None
) -> Ending:
    """Weigh what was found into one verdict: the first of hard short and passivation, else a soft short, else censored."""
    limit_hit = limit_hits(half, reference, protocol)
    dry = passivation(half, reference, protocol, limit_hit)
    if hard is not None and (dry is None or hard.first_failed <= dry.first_failed):
        return Ending(HARD, hard, hard.evidence, _before(soft, hard), limit_hit)
    if dry is not None:
        return Ending(PASSIVATED, dry, dry.evidence, _before(soft, dry), limit_hit)
    if soft is not None:
        onset = Onset(soft.last_healthy, soft.first_failed, soft.half_cycle, soft.evidence)
        return Ending(SOFT, onset, soft.evidence, soft, limit_hit)
    signal = half.level_V > protocol.resolution_factor * half.noise_V
    if signal.mean() < 0.5:
        sentence = (
            f"the voltage is below {protocol.resolution_factor:g} times its noise in {int((~signal).sum())} "
            f"of {len(half)} half "
            f"cycles (median {np.median(half.level_V) * 1e3:.3g} mV, noise "
            f"{np.median(half.noise_V) * 1e3:.3g} mV): a short would "
            "not be seen"
        )
        return Ending(UNDETERMINED, None, (sentence,), None, limit_hit)
    hours = (half.end_s[-1] - half.start_s[0]) / 3600
    sentences = [f"no sign of a failure in {len(half)} half cycles, {hours:.4g} h; the record ends there"]
    known = reference.fall_V > 0
    if known.any():
        lowest = np.min(median_of_rows(half.grid_V[known][:, _LATE]) / reference.fall_V[known])
        sentences.append(f"the lowest late voltage of a half cycle was {lowest:.2g} of its reference")
    known = reference.best_V > 0
    if known.any():
        highest = np.max(half.level_V[known] / reference.best_V[known])
        sentences.append(f"the highest polarization was {highest:.3g} times its lowest reference")
    return Ending(CENSORED, None, tuple(sentences), None, limit_hit)


def _before(soft: SoftShort | None, onset: Onset) -> SoftShort | None:
    return soft if soft is not None and soft.first_failed < onset.first_failed else None
