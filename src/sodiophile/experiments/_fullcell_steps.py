"""Sudden steps of the voltage within charge and discharge curves, and whose they are: the electrode's or its counter's.

Comes in: the half cycles of a `FullCell`. Goes out: at most one step a half cycle, with its size, its place, its
significance against noise and against the unevenness of the same curve, and what it is attributed to.

A curve V(q) is taken at 201 equal steps of charge. On either side of each place a line is fitted to a window of 5 % of the
charge, the two 2 % apart; what the lines differ by in the middle is the step there. This is a smoothed dV/dq peak times
its width, free of slope and of curvature (a parabola gives exactly 0), so that the sloping curve of a solid solution is no
step. Only galvanostatic stretches between 10 and 90 % of the charge are searched.

An insertion electrode has steps of its own, between two plateaus. They belong to its state of charge: the way back shows
the same step at the same state (the mirror), and a slower cycle one as high. A step that the way back lacks and that grows
with the current came from elsewhere: the counter electrode (fresh deposit used up, so that bulk metal under its old
interphase is stripped), or a contact. A step that lowers the polarization is never the insertion electrode's, whose own
potential is monotonic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sodiophile.experiments._fullcell import FullCell, FullCellProtocol, set_current_A
from sodiophile.quantity import Quantity, Status
from sodiophile.result import Verdict

POINTS = 201
_GAP, _WINDOW = 2, 10
_REACH = _GAP + _WINDOW
_HALF = 4
_FROM, _TO = 0.1, 0.9
_LEAST_SAMPLES = 100
_SAME_PLACE = 0.08
_SAME_SIZE = 0.5
_SLOWER = 0.67
_GALVANOSTATIC = 0.03
_FEW = 2
_LEAST_PART = 0.5

ELSEWHERE = "counter electrode suspected"
ELECTRODE = "the electrode's own"
UNKNOWN = "cannot be attributed"

NONE, FOUND, ONCE, OWN, COARSE = (
    "no voltage step",
    "voltage step",
    "isolated voltage step",
    "no voltage step beside the electrode's own",
    "cannot be told: sampling too coarse",
)


def step_kernel() -> np.ndarray:
    """Return the weights that make the step of a curve at equal steps of charge, shape (25,).

    The line through the right window minus that through the left one, both continued to the middle.
    """
    at = np.arange(_GAP + 1, _REACH + 1, dtype=float)
    centred = at - at.mean()
    right = 1 / at.size - at.mean() * centred / np.sum(centred**2)
    kernel = np.zeros(2 * _REACH + 1)
    kernel[_REACH + _GAP + 1 :] = right
    kernel[:_WINDOW] = -right[::-1]
    return kernel


@dataclass(frozen=True)
class Curves:
    """Curves of n half cycles at equal steps of charge.

    Parameters
    ----------
    voltage_V
        In the direction of the current, shape (n, 201).
    step_V
        The step at each place, positive where polarization rises, shape (n, 201); NaN where it is not searched.
    noise_V
        Standard uncertainty of a step from noise, shape (n,).
    searched
        Half cycles with any place that was searched, shape (n,).
    """

    voltage_V: np.ndarray
    step_V: np.ndarray
    noise_V: np.ndarray
    searched: np.ndarray


def curves(cell: FullCell) -> Curves:
    """Return the step statistic of every half cycle of a cell."""
    half = cell.half
    fraction = np.linspace(0.0, 1.0, POINTS)
    wanted = half.passed_C[half.first, None] + fraction * half.inner_C[:, None]
    after = np.searchsorted(half.passed_C, wanted.ravel()).reshape(wanted.shape)
    after = np.clip(after, np.minimum(half.first + 1, half.last)[:, None], half.last[:, None])
    before = np.maximum(after - 1, half.first[:, None])
    span = half.passed_C[after] - half.passed_C[before]
    share = np.clip(np.where(span > 0, (wanted - half.passed_C[before]) / np.where(span > 0, span, 1.0), 0.0), 0.0, 1.0)

    def at_places(values: np.ndarray) -> np.ndarray:
        return np.asarray(values[before] + share * (values[after] - values[before]))

    voltage = at_places(half.trace.voltage_V) * half.sign[:, None]
    set_A = set_current_A(half)
    current = np.abs(half.trace.current_A[after])
    time = at_places(half.trace.time_s)
    elapsed = np.diff(time, axis=1, prepend=time[:, :1])
    expected = (half.inner_C / set_A / (POINTS - 1))[:, None]
    odd = np.abs(current - set_A[:, None]) > _GALVANOSTATIC * set_A[:, None]
    # a pause passes no charge but time: the voltage relaxes in it
    odd |= elapsed > 1.5 * expected + np.median(elapsed, axis=1, keepdims=True)
    kernel = step_kernel()
    windows = np.lib.stride_tricks.sliding_window_view(voltage, kernel.size, axis=1)
    total = np.cumsum(np.pad(odd, ((0, 0), (1, 0))), axis=1)
    clean = total[:, kernel.size :] == total[:, : -kernel.size]
    step = np.full(voltage.shape, np.nan)
    step[:, _REACH:-_REACH] = np.where(clean, windows @ kernel, np.nan)
    step[:, (fraction < _FROM) | (fraction > _TO)] = np.nan
    step[half.samples < _LEAST_SAMPLES] = np.nan
    step[half.inner_C <= 0] = np.nan
    return Curves(voltage, step, half.noise_V * float(np.linalg.norm(kernel)), np.asarray(~np.isnan(step).all(axis=1)))


def find_steps(cell: FullCell, protocol: FullCellProtocol) -> tuple[pl.DataFrame, Verdict]:
    """Search charge and discharge curves for sudden steps.

    Parameters
    ----------
    cell
        The cycles.
    protocol
        The thresholds and the mass.

    Returns
    -------
    table
        One row a step: cycle, direction, current, size (mV, positive where polarization rises), place (mAh/g from the
        beginning of the half cycle, and fraction), significances, attribution and why.
    verdict
        ``no voltage step``, ``voltage step``, ... with the numbers.
    """
    half, found = cell.half, curves(cell)
    mass_g = protocol.active_mass_mg / 1e3
    set_A = set_current_A(half)
    rows = []
    complete = cell.cycles["complete"].to_numpy()
    inside = np.flatnonzero(complete)
    searched = [int(k) for row in inside for k in (cell.uptake[row], cell.release[row]) if found.searched[k]]
    for row in inside:
        for k, partner in (
            (int(cell.uptake[row]), int(cell.release[row])),
            (int(cell.release[row]), int(cell.uptake[row])),
        ):
            if not found.searched[k]:
                continue
            at, size_V, unevenness_V = _highest(found.step_V[k], found.voltage_V[k])
            if at < 0 or abs(size_V) < protocol.step_size_V:
                continue
            against_noise = abs(size_V) / max(found.noise_V[k], 1e-9)
            against_curve = abs(size_V) / max(unevenness_V, float(found.noise_V[k]), 1e-9)
            if against_noise < protocol.step_noise or against_curve < protocol.step_structure:
                continue
            whose, why = _attributed(cell, found, set_A, k, partner, at, size_V, searched)
            rows.append(
                {
                    "cycle": int(cell.cycles["cycle"][int(row)]),
                    "direction": "charge" if half.sign[k] > 0 else "discharge",
                    "current_mA": float(set_A[k]) * 1e3,
                    "size_mV": size_V * 1e3,
                    "size_uncertainty_mV": float(found.noise_V[k]) * 1e3,
                    "position_mAh_g": at / (POINTS - 1) * float(half.charge_C[k]) / 3.6 / mass_g,
                    "position_fraction": at / (POINTS - 1),
                    "significance_noise": against_noise,
                    "significance_curve": against_curve,
                    "attribution": whose,
                    "why": why,
                }
            )
    table = pl.DataFrame(
        rows,
        schema={
            "cycle": pl.Int64,
            "direction": pl.Utf8,
            "current_mA": pl.Float64,
            "size_mV": pl.Float64,
            "size_uncertainty_mV": pl.Float64,
            "position_mAh_g": pl.Float64,
            "position_fraction": pl.Float64,
            "significance_noise": pl.Float64,
            "significance_curve": pl.Float64,
            "attribution": pl.Utf8,
            "why": pl.Utf8,
        },
    )
    return table, _verdict(table, len(searched), 2 * inside.size, protocol)


def _highest(step_V: np.ndarray, voltage_V: np.ndarray) -> tuple[int, float, float]:
    """Return place and size of the highest narrow peak of a step statistic, and its robust scale away from the peak."""
    # a step answers within the reach of its windows; what goes on beyond is a bend of the curve, or its end
    beyond = _REACH + 2
    middle, sides = step_V[beyond:-beyond], np.stack([step_V[: -2 * beyond], step_V[2 * beyond :]])
    size = np.abs(middle)
    # NaN, where nothing is searched, compares as false
    narrow = np.all(sides * np.sign(middle) <= 0.5 * size, axis=0) & (size > 0)
    # at a bend the slope lies between those on either side; at a step it exceeds both (or falls below both)
    rise = np.zeros(step_V.size)
    rise[_HALF:-_HALF] = voltage_V[2 * _HALF :] - voltage_V[: -2 * _HALF]
    beside = 2 * _HALF + 1
    near, apart = rise[beyond:-beyond], beyond - beside
    before, after = rise[apart : apart + near.size], rise[beyond + beside : beyond + beside + near.size]
    beyond_both = np.where(middle > 0, near - np.maximum(before, after), np.minimum(before, after) - near)
    narrow &= beyond_both >= 0.5 * size
    if not narrow.any():
        return -1, 0.0, 0.0
    at = int(np.argmax(np.where(narrow, size, 0.0))) + beyond
    away = ~np.isnan(step_V) & (np.abs(np.arange(step_V.size) - at) > _REACH)
    if np.count_nonzero(away) < _REACH:
        return -1, 0.0, 0.0
    rest = step_V[away]
    return at, float(step_V[at]), 1.4826 * float(np.median(np.abs(rest - np.median(rest))))


def _attributed(
    cell: FullCell,
    found: Curves,
    set_A: np.ndarray,
    k: int,
    partner: int,
    at: int,
    size_V: float,
    searched: list[int],
) -> tuple[str, str]:
    """Tell whose a step of half cycle `k` at place `at` is, and why."""
    if size_V < 0:
        return ELSEWHERE, "it lowers the polarization, which no insertion electrode does"
    half, charge = cell.half, cell.half.charge_C
    passed = at / (POINTS - 1) * charge[k]
    # both count from the state between them: the end of the first is the beginning of the second
    mirror = _near(found.step_V[partner], (charge[min(k, partner)] - passed) / charge[partner])
    if mirror is not None and mirror >= _SAME_SIZE * size_V:
        return ELECTRODE, f"the way back has one of {mirror * 1e3:.3g} mV at the same state of charge"
    slower = [j for j in searched if half.sign[j] == half.sign[k] and set_A[j] <= _SLOWER * set_A[k]]
    slow = min(slower, key=lambda j: set_A[j]) if slower else None
    seen = None if slow is None else _near(found.step_V[slow], passed / charge[slow])
    if slow is None or seen is None:
        if mirror is None:
            return UNKNOWN, "neither the way back nor a slower cycle is searched at the same state of charge"
        return ELSEWHERE, f"the way back has at most {max(mirror, 0.0) * 1e3:.2g} mV at the same state of charge"
    # any overpotential grows with the current, a potential does not
    share = set_A[slow] / set_A[k]
    constant = seen >= 0.5 * (1.0 + share) * size_V
    compared = f"at {set_A[slow] * 1e3:.3g} mA there is one of {max(seen, 0.0) * 1e3:.2g} mV at the same capacity"
    if mirror is None:
        if constant:
            return ELECTRODE, f"{compared}: it does not grow with the current"
        return ELSEWHERE, f"{compared}: it grows with the current"
    if constant:
        return UNKNOWN, f"the way back has none, but {compared}: it does not grow with the current"
    return ELSEWHERE, f"the way back has at most {max(mirror, 0.0) * 1e3:.2g} mV at the same state of charge; {compared}"


def _near(step_V: np.ndarray, fraction: float) -> float | None:
    """Highest step near a place, V; None where most of it is not searched."""
    low, high = (round((fraction + side * _SAME_PLACE) * (POINTS - 1)) for side in (-1, 1))
    part = step_V[max(low, 0) : max(high + 1, 0)]
    if part.size == 0 or np.isnan(part).mean() > 0.5:
        return None
    return float(np.nanmax(part))


def _verdict(table: pl.DataFrame, searched: int, total: int, protocol: FullCellProtocol) -> Verdict:
    if not table.height and searched < _LEAST_PART * total:
        few = f"only {searched} of {total} half cycles have {_LEAST_SAMPLES} samples and a galvanostatic stretch to search"
        return Verdict(COARSE, (few,))
    thresholds = (
        f"searched {searched} of {total} half cycles for steps above {protocol.step_size_V * 1e3:g} mV, "
        f"{protocol.step_noise:g} times the noise and {protocol.step_structure:g} times the unevenness of the curve"
    )
    foreign = table.filter(pl.col("attribution") == ELSEWHERE)
    evidence = [thresholds]
    for whose in (ELSEWHERE, ELECTRODE, UNKNOWN):
        part = table.filter(pl.col("attribution") == whose)
        if part.height:
            strongest = part.sort("significance_noise", descending=True).row(0, named=True)
            evidence.append(
                f"{part.height} steps, {whose}: median {np.median(part['size_mV'].to_numpy()):.3g} mV; the clearest in the "
                f"{strongest['direction']} of cycle {strongest['cycle']} at {strongest['position_mAh_g']:.3g} mAh/g, "
                f"{strongest['significance_noise']:.3g} times its uncertainty: {strongest['why']}"
            )
    if not foreign.height:
        return Verdict(OWN if table.height else NONE, tuple(evidence))
    return Verdict(FOUND if foreign.height >= _FEW or searched <= _FEW else ONCE, tuple(evidence))


def step_quantities(table: pl.DataFrame, status: Status) -> dict[str, Quantity]:
    """State size, place and number of the steps that are not the electrode's own; nothing where there are none."""
    part = table.filter(pl.col("attribution") == ELSEWHERE)
    if not part.height:
        return {}
    size = part["size_mV"].to_numpy()
    scatter = 1.2533 * float(np.std(size, ddof=1)) / np.sqrt(size.size) if size.size > 1 else 0.0
    noise = float(np.median(part["size_uncertainty_mV"].to_numpy())) / np.sqrt(size.size)
    position = float(np.median(part["position_mAh_g"].to_numpy()))
    # anywhere between the windows the step is the same: rectangular
    blur = part["position_mAh_g"].to_numpy() / part["position_fraction"].to_numpy() * _GAP / (POINTS - 1) / np.sqrt(3.0)
    return {
        "voltage_step": Quantity(
            float(np.median(size)),
            "mV",
            float(np.hypot(scatter, noise)),
            "sudden step within a curve that the way back does not show and a slower cycle less, median over the half "
            "cycles with one; positive where it raises polarization",
            status,
        ),
        "voltage_step_position": Quantity(
            position,
            "mAh/g",
            float(np.median(blur)),
            "capacity per active mass since the beginning of the half cycle at the step, median",
            status,
        ),
        "voltage_step_half_cycles": Quantity(part.height, "1", None, "number of half cycles with such a step", status),
    }
