"""Tip and plateau of a plating curve, the noise they stand above, and whether there is a dip at all.

Comes in: time, plated capacity and overpotential of one plating half cycle. Goes out: the tip (vertex of a parabola through
the samples around the highest one), the plateau (median over a window of capacity), their uncertainties, and an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sodiophile.experiments.nucleation.protocol import NucleationProtocol

RESOLVED = "dip resolved"
NO_DIP = "no resolvable dip"
UNDERSAMPLED = "tip undersampled"
UNDETERMINED = "cannot be told from this file"

_LEAST_PLATEAU = 5
_LEAST_FIT = 5
# what is left of the height where the window begins: 0.4 for a straight line, 0.2 for a relaxation in 0.28 of the charge
_DRIFT = 0.25
_SHARES = (0.7, 0.85, 0.95)


@dataclass(frozen=True)
class Dip:
    """What was found on a plating curve; overpotentials in V, positive in the direction of plating.

    Parameters
    ----------
    answer
        One of the four answers above.
    evidence
        Sentences with numbers.
    noise_V
        Standard deviation of a sample.
    plateau_V, plateau_u_V
        Median over the window and its standard uncertainty; None with too few samples.
    slope_mV_cm2_mAh
        Slope in the window.
    tip_V, tip_u_V
        The tip and its standard uncertainty; the highest early sample where there is no dip.
    refined
        True if the tip is the vertex of a parabola, False if it is a sample.
    tip_capacity, tip_time_s
        Where the tip is, mAh/cm2 and s.
    """

    answer: str
    evidence: tuple[str, ...]
    noise_V: float = 0.0
    plateau_V: float | None = None
    plateau_u_V: float | None = None
    slope_mV_cm2_mAh: float = 0.0
    tip_V: float | None = None
    tip_u_V: float | None = None
    refined: bool = False
    tip_capacity: float = 0.0
    tip_time_s: float = 0.0


def find_dip(
    time_s: np.ndarray,
    capacity: np.ndarray,
    overpotential_V: np.ndarray,
    resolution_V: float,
    protocol: NucleationProtocol,
) -> Dip:
    """Find tip and plateau.

    Parameters
    ----------
    time_s, capacity, overpotential_V
        One plating half cycle, shape (n,); capacity in mAh/cm2, overpotential positive.
    resolution_V
        Smallest difference of two voltages in the file.
    protocol
        Window, prominence and number of samples.

    Notes
    -----
    Uncertainty of the plateau: noise of the median, resolution / sqrt(12), and drift over the window / sqrt(12). Of the
    tip: that of the vertex from the noise, resolution / sqrt(12), and the difference between two widths of the parabola.
    """
    total = float(capacity[-1])
    window = (capacity >= protocol.plateau_from * total) & (capacity <= protocol.plateau_to * total)
    if np.count_nonzero(window) < _LEAST_PLATEAU or total <= 0:
        return Dip(
            UNDETERMINED,
            (f"the plateau window holds {np.count_nonzero(window)} samples, at least {_LEAST_PLATEAU} are needed",),
        )
    at, level = capacity[window], overpotential_V[window]
    grain = resolution_V / np.sqrt(12)
    plateau = float(np.median(level))
    slope, around = _line(at, level)
    noise = float(max(_noise(level), around, grain))
    width = (protocol.plateau_to - protocol.plateau_from) * total
    plateau_u = float(np.sqrt((1.2533 * noise / np.sqrt(level.size)) ** 2 + grain**2 + (slope * width) ** 2 / 12))

    early = int(np.searchsorted(capacity, protocol.plateau_from * total))
    smooth = _without_spikes(overpotential_V[: max(early, 1)], noise)
    top = int(np.argmax(smooth))
    raw = float(smooth[top])
    on_line = plateau + slope * (float(capacity[top]) - float(np.median(at)))
    prominence = raw - max(plateau, on_line)
    numbers = (
        f"the highest overpotential before the plateau window is {raw * 1e3:.4g} mV, {prominence * 1e3:.3g} mV above the "
        f"plateau and its slope, {prominence / noise:.3g} times the noise of {noise * 1e3:.2g} mV (limit "
        f"{protocol.prominence:g})"
    )
    none = Dip(
        NO_DIP,
        (numbers,),
        noise_V=noise,
        plateau_V=plateau,
        plateau_u_V=plateau_u,
        slope_mV_cm2_mAh=slope * 1e3,
        tip_V=raw,
        tip_u_V=float(np.hypot(noise, grain)),
        tip_capacity=float(capacity[top]),
        tip_time_s=float(time_s[top]),
    )
    if prominence < protocol.prominence * noise:
        return none
    left = float(np.median(smooth[max(early - _LEAST_PLATEAU, top + 1) :])) if early > top + 1 else raw
    if left - plateau > _DRIFT * (raw - plateau):
        sentence = (
            f"{100 * (left - plateau) / (raw - plateau):.3g} % of it is left where the window begins: a drift, not a dip"
        )
        return replace(none, evidence=(numbers, sentence))

    upper = _around(smooth, top, plateau + 0.5 * (raw - plateau))
    count, before = upper.stop - upper.start, top
    spacing = float(np.median(np.diff(time_s[: max(early, 2)])))
    described = (
        f"{count} samples describe the dip above half of its height, {spacing:.3g} s apart "
        f"(at least {protocol.tip_samples} wanted); {before} samples lie before the tip"
    )
    if count < protocol.tip_samples or before < 1:
        return replace(none, answer=UNDERSAMPLED, evidence=(numbers, described))
    tip, tip_u, time_tip, refined = _refined(time_s, smooth, top, plateau, noise)
    return replace(
        none,
        answer=RESOLVED,
        evidence=(numbers, described),
        tip_V=tip,
        tip_u_V=float(np.hypot(tip_u, grain)),
        refined=refined,
        tip_capacity=float(np.interp(time_tip, time_s, capacity)),
        tip_time_s=time_tip,
    )


def _noise(values: np.ndarray) -> float:
    steps = np.diff(values)
    return 1.4826 / np.sqrt(2) * float(np.median(np.abs(steps - np.median(steps))))


def _line(at: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Slope from the medians of the outer thirds, and the robust standard deviation about that line."""
    third = max(1, at.size // 3)
    run = float(np.median(at[-third:]) - np.median(at[:third]))
    slope = float(np.median(values[-third:]) - np.median(values[:third])) / run if run > 0 else 0.0
    about = values - slope * at
    return slope, 1.4826 * float(np.median(np.abs(about - np.median(about))))


def _without_spikes(values: np.ndarray, noise: float) -> np.ndarray:
    """Replace lone samples that stand above both neighbours, which agree with each other, by the mean of these.

    The first three samples are left as they are: a tip that the sampling hardly caught looks the same there.
    """
    if values.size < 5:
        return values
    out = values.copy()
    before, here, after = values[2:-2], values[3:-1], values[4:]
    lone = (here - np.maximum(before, after) > 6 * noise) & (np.abs(before - after) < 3 * np.sqrt(2) * noise)
    out[3:-1][lone] = ((before + after) / 2)[lone]
    return out


def _around(values: np.ndarray, top: int, least: float) -> slice:
    """Take the samples around `top` that lie above `least` without interruption."""
    below = np.flatnonzero(values <= least)
    before, after = below[below < top], below[below > top]
    return slice(int(before[-1]) + 1 if before.size else 0, int(after[0]) if after.size else values.size)


def _refined(
    time_s: np.ndarray, values: np.ndarray, top: int, plateau: float, noise: float
) -> tuple[float, float, float, bool]:
    """Fit the vertex of a parabola: value, standard uncertainty, time, and whether it was possible.

    The parabola is fitted to the samples above ever larger shares of the height of the dip, as long as there are enough of
    them and the share left out exceeds the noise, lest the noise choose the samples.
    """
    height = values[top] - plateau
    found: list[tuple[float, float, float]] = []
    for share in _SHARES:
        part = _around(values, top, plateau + share * height)
        if part.stop - part.start < _LEAST_FIT or (found and (1 - share) * height < 4 * noise):
            break
        vertex = _vertex(time_s[part], values[part], noise)
        if vertex is not None:
            found.append(vertex)
    if not found:
        return float(values[top]), noise, float(time_s[top]), False
    value, uncertainty, at = found[-1]
    bias = abs(found[-2][0] - value) if len(found) > 1 else abs(value - float(values[top]))
    return value, float(np.hypot(uncertainty, bias)), at, True


def _vertex(time_s: np.ndarray, values: np.ndarray, noise: float) -> tuple[float, float, float] | None:
    centre, scale = float(np.mean(time_s)), float(np.ptp(time_s)) / 2
    x = (time_s - centre) / scale
    design = np.stack([x**2, x, np.ones_like(x)], axis=1)
    curvature, tilt, constant = np.linalg.lstsq(design, values, rcond=None)[0]
    if curvature >= 0 or abs(tilt) > -2 * curvature:
        return None
    at = -tilt / (2 * curvature)
    # at the vertex the derivative of the value by the three coefficients is (x^2, x, 1)
    gradient = np.array([at**2, at, 1.0])
    variance = gradient @ np.linalg.inv(design.T @ design) @ gradient * noise**2
    return float(constant - tilt**2 / (4 * curvature)), float(np.sqrt(variance)), centre + scale * float(at)
