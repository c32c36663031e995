"""Signs of soft shorts: sudden falls within a half cycle, plateaus that drop from one cycle to the next, with companions.

A soft short is partial, transient and may heal, so each sign is only evidence. Two kinds suffice for suspicion: a step
(the voltage falls within two sampling intervals and stays down for at least four samples, at constant current), or a drop
of the plateau against the cycles before, in both directions or for one half cycle, together with at least one companion
(a more rectangular trace, a lost end rise, more noise), because a real short conducts beside the electrodes while a warmer
cell only polarizes less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.experiments._halfcycles import GRID, HalfCycles
from sodiophile.experiments.symmetric_cycling.protocol import SymmetricCyclingProtocol
from sodiophile.experiments.symmetric_cycling.references import References

# the first tenth of the charge, where nucleation peaks relax, holds no evidence
_LEAST_V = 1e-12
_SKIP = int(np.argmin(np.abs(GRID - 0.1)))
_SIDE = 7
_LEAST_AFTER = 4
_LEAST_SAMPLES = 20
_END_RISE_LOST = 0.1


@dataclass(frozen=True)
class Step:
    """A sudden fall of the voltage.

    Parameters
    ----------
    half_cycle
        Index of the half cycle.
    row
        Row of the first sample after the fall.
    before_V
        Voltage before, in the direction of the current.
    fall_V
        By how much it fell.
    recovered
        True if the voltage came back.
    """

    half_cycle: int
    row: int
    before_V: float
    fall_V: float
    recovered: bool


@dataclass(frozen=True)
class SoftShort:
    """The first suspected soft short: rows of the last healthy and the first failed sample, and the evidence."""

    last_healthy: int
    first_failed: int
    half_cycle: int
    evidence: tuple[str, ...]


def steps(half: HalfCycles, protocol: SymmetricCyclingProtocol, end_row: int) -> list[Step]:
    """Find sudden falls within half cycles, before row `end_row`.

    The fall between the medians of seven samples on either side must exceed `step_fraction` of the voltage before,
    `step_noise` times the noise, and twice what the voltage changed over as many samples before; the current must not have
    fallen by more than 5 %.
    """
    voltage = half.trace.voltage_V
    change = voltage[2:] - voltage[:-2]
    begin = half.grid_rows[:, _SKIP]
    stop = np.minimum(np.maximum(half.last - 1, begin + 1), change.size)
    usable = (half.samples >= _LEAST_SAMPLES) & (begin < stop) & (half.first < end_row)
    if not usable.any():
        return []
    edges = np.stack([begin, stop], axis=1)[usable].ravel()
    if edges[-1] >= change.size:
        edges = edges[:-1]
    lowest, highest = np.minimum.reduceat(change, edges)[::2], np.maximum.reduceat(change, edges)[::2]
    fall = np.zeros(len(half))
    fall[usable] = np.where(half.sign[usable] > 0, -lowest, highest)
    noise = np.maximum(half.noise_V, np.median(half.noise_V))
    least = np.maximum(protocol.step_noise * noise, 0.8 * protocol.step_fraction * half.level_V)
    found: list[Step] = []
    for k in np.flatnonzero(usable & (fall > least)):
        found.extend(_steps_in(half, int(k), int(begin[k]), float(least[k]), float(noise[k]), protocol))
    return [step for step in found if step.row < end_row]


def _steps_in(
    half: HalfCycles, k: int, begin: int, least_V: float, noise_V: float, protocol: SymmetricCyclingProtocol
) -> list[Step]:
    first, last = int(half.first[k]), int(half.last[k])
    response = half.trace.voltage_V[first : last + 1] * half.sign[k]
    magnitude = np.abs(half.trace.current_A[first : last + 1])
    fall = response[:-2] - response[2:]
    places = np.flatnonzero(fall > least_V)
    places = places[places >= begin - first]
    found: list[Step] = []
    reached = -1
    for place in places:
        if place <= reached:
            continue
        near = places[(places >= place) & (places < place + _SIDE)]
        at = int(near[np.argmax(fall[near])])
        reached = at + 2
        # the sample in the middle of the fall may still be on the upper side
        upper, lower = response[max(at - _SIDE + 1, 0) : at + 1], response[at + 2 : at + 2 + _SIDE]
        if lower.size < _LEAST_AFTER or upper.size < _LEAST_AFTER:
            continue
        before, after = _median(upper), _median(lower)
        drop = before - after
        earlier = response[max(at - 2 * _SIDE + 1, 0) : max(at - _SIDE + 1, 1)]
        trend = abs(_median(earlier) - before)
        if drop < max(protocol.step_fraction * before, protocol.step_noise * noise_V, 2 * trend):
            continue
        if _median(magnitude[at + 2 : at + 2 + _SIDE]) < 0.95 * _median(magnitude[max(at - _SIDE + 1, 0) : at + 1]):
            continue
        end = _median(response[-_SIDE:])
        row = at + 1 if response[at + 1] < before - drop / 2 else at + 2
        found.append(Step(k, first + row, before, drop, recovered=end > before - 0.3 * drop))
    return found


def _median(values: np.ndarray) -> float:
    """Median of a few samples, ten times faster than that of numpy."""
    ordered = np.sort(values)
    return float(ordered[(values.size - 1) // 2] + ordered[values.size // 2]) / 2


def soft_short(
    half: HalfCycles,
    reference: References,
    shape: np.ndarray,
    rise: np.ndarray,
    found: list[Step],
    end_row: int,
    protocol: SymmetricCyclingProtocol,
) -> SoftShort | None:
    """Weigh the signs; return the first suspicion before row `end_row`, or None.

    Parameters
    ----------
    half, reference
        The half cycles and what they are compared with.
    shape, rise
        Rectangularity and end rise, shape (n,).
    found
        Steps within half cycles, and collapses that healed.
    end_row
        Row of the first sample of something worse, or the number of rows.
    protocol
        The thresholds.
    """
    first_step = min(found, key=lambda step: step.row) if found else None
    drop = _plateau_drop(half, reference, shape, rise, end_row, protocol)
    if first_step is None or (drop is not None and drop.first_failed < half.first[first_step.half_cycle]):
        return drop
    row = first_step.row
    trace = half.trace
    sentences = [
        (
            f"in half cycle {first_step.half_cycle + 1} the voltage fell by {first_step.fall_V * 1e3:.4g} mV "
            f"({100 * first_step.fall_V / max(first_step.before_V, _LEAST_V):.3g} %) within "
            f"{trace.time_s[row] - trace.time_s[max(row - 1, 0)]:.4g} s at constant current, "
            f"{first_step.fall_V / max(half.noise_V[first_step.half_cycle], _LEAST_V):.3g} times the noise of a sample"
        ),
        "it came back within the same or the next half cycles"
        if first_step.recovered
        else "it did not come back in that half cycle",
        f"{len(found)} such falls in the record, {sum(step.recovered for step in found)} of which recovered",
    ]
    if drop is not None:
        sentences.extend(drop.evidence)
    return SoftShort(max(row - 1, 0), row, first_step.half_cycle, tuple(sentences))


def _plateau_drop(
    half: HalfCycles,
    reference: References,
    shape: np.ndarray,
    rise: np.ndarray,
    end_row: int,
    protocol: SymmetricCyclingProtocol,
) -> SoftShort | None:
    level = half.level_V
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = level / reference.fall_V
        # against the cycle before as well: what falls little by little is no short
        low = (ratio < protocol.soft_fraction) & (level < protocol.soft_fraction * reference.previous_V)
        noisy = half.noise_V > protocol.noise_growth * np.maximum(reference.noise_V, half.resolution_V)
        rectangular = shape > reference.rectangularity + protocol.rectangularity_rise
        flat = rise < reference.end_rise - _END_RISE_LOST
        resolved = reference.fall_V > protocol.resolution_factor * half.noise_V
    companion = noisy | rectangular | flat
    # in both directions, or in one half cycle after which the same direction is as before
    back = np.zeros(len(half), dtype=bool)
    back[:-2] = level[2:] > (1 + protocol.soft_fraction) / 2 * reference.fall_V[:-2]
    first = low[:-1] & (low[1:] | back[:-1]) & (companion[:-1] | (companion[1:] & low[1:])) & resolved[:-1]
    first &= (half.cycle[:-1] > protocol.formation_cycles) & (half.last[1:] < end_row)
    places = np.flatnonzero(first)
    if places.size == 0:
        return None
    k = int(places[0])
    sentences = [
        (
            f"the plateau of half cycle {k + 1} is {100 * ratio[k]:.3g} % of that of the cycles before "
            f"({reference.fall_V[k] * 1e3:.4g} mV), that of the next one {100 * ratio[k + 1]:.3g} %"
        )
    ]
    pair = slice(k, k + 2)
    if rectangular[pair].any():
        sentences.append(f"the trace became more rectangular: {reference.rectangularity[k]:.3g} to {shape[pair].max():.3g}")
    if flat[pair].any():
        sentences.append(
            f"the rise at the end of a half cycle fell from {reference.end_rise[k]:.2g} to {rise[pair].min():.2g}"
        )
    if noisy[pair].any():
        sentences.append(f"the noise grew from {reference.noise_V[k] * 1e3:.2g} to {half.noise_V[pair].max() * 1e3:.2g} mV")
    # the plateau is that of 25 to 75 % of the charge: the fall lies between those of the two half cycles
    healthy = half.grid_rows[k - 1, np.searchsorted(GRID, 0.75)]
    failed = half.grid_rows[k, np.searchsorted(GRID, 0.25)]
    return SoftShort(int(healthy), int(failed), k, tuple(sentences))
