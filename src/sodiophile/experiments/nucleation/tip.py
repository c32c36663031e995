"""Tip and plateau of a plating curve, the noise they stand above, and whether there is a dip at all.

Comes in: time, plated capacity and overpotential of one plating half cycle. Goes out: the tip (summit of a smooth curve
through the samples around the highest one), the plateau (median over a window of capacity), their uncertainties, and an
answer. A dip between two samples leaves no trace, so what is denied is only what would have left one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from sodiophile.experiments.nucleation.protocol import NucleationProtocol
from sodiophile.experiments.nucleation.summit import summit

RESOLVED = "dip resolved"
NO_DIP = "no resolvable dip"
UNDERSAMPLED = "tip undersampled"
TOO_COARSE = "sampling too coarse to tell"
UNDETERMINED = "cannot be told from this file"

_LEAST_PLATEAU = 5
_LEAST_NOISE_V = 1e-9
_LEAST_FIT = 9
_LEAST_SIDE = 2
_ENOUGH = 50
_ABOVE_NOISE = 8.0
# what is left of the height where the window begins: 0.4 for a straight line, 0.2 for a relaxation in 0.28 of the charge
_DRIFT = 0.25
# a dip that stays above half of its height for two intervals leaves two samples there, of which one may pass for a spike
_INTERVALS_SEEN = 2


@dataclass(frozen=True)
class Dip:
    """What was found on a plating curve; overpotentials in V, positive in the direction of plating.

    Parameters
    ----------
    answer
        One of the five answers above.
    evidence
        Sentences with numbers.
    noise_V
        Standard deviation of a sample.
    plateau_V, plateau_u_V
        Median over the window and its standard uncertainty; None with too few samples.
    slope_mV_cm2_mAh
        Slope in the window.
    tip_V, tip_u_V
        The tip and its standard uncertainty; the highest early sample where there is no dip. Where the tip is undersampled
        there is no uncertainty: the truth is higher.
    tip_interval_V
        (low, high) where the samples leave the summit open; None otherwise.
    least_V
        Difference of tip and plateau that the truth exceeds with 95 % confidence; None where no dip is seen.
    visible_V, visible_s
        The lowest dip that would have shown, if it stayed above half of its height for `visible_s`; None where one is seen.
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
    tip_interval_V: tuple[float, float] | None = None
    least_V: float | None = None
    visible_V: float | None = None
    visible_s: float = 0.0
    tip_capacity: float = 0.0
    tip_time_s: float = 0.0


def find_dip(
    time_s: np.ndarray,
    capacity: np.ndarray,
    overpotential_V: np.ndarray,
    resolution_V: float,
    protocol: NucleationProtocol,
    before_s: float = 0.0,
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
    before_s
        Time between the sample before plating and the first one of it, s.

    Notes
    -----
    Uncertainty of the plateau: noise of the median, resolution / sqrt(12), and drift over the window / sqrt(12). Of the
    tip: see `sodiophile.experiments.nucleation.summit`, and resolution / sqrt(12).
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
    noise = float(max(_noise(level), around, grain, _LEAST_NOISE_V))
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
        return _denied(none, time_s[:early], smooth, max(raw - plateau, 0.0), before_s, protocol)
    left = float(np.median(smooth[max(early - _LEAST_PLATEAU, top + 1) :])) if early > top + 1 else raw
    if left - plateau > _DRIFT * (raw - plateau):
        sentence = (
            f"{100 * (left - plateau) / (raw - plateau):.3g} % of it is left where the window begins: a drift, not a dip"
        )
        none = replace(none, evidence=(numbers, sentence))
        return _denied(none, time_s[:early], smooth, raw - plateau, before_s, protocol)

    upper = _around(smooth, top, plateau + 0.5 * (raw - plateau))
    count, before, sides = upper.stop - upper.start, top, min(top - upper.start, upper.stop - 1 - top)
    spacing = float(np.median(np.diff(time_s[: max(early, 2)])))
    described = (
        f"{count} samples describe the dip above half of its height, {spacing:.3g} s apart "
        f"(at least {protocol.tip_samples} wanted, {_LEAST_SIDE} on either side of the highest; {sides} there); "
        f"{before} samples lie before the tip"
    )
    margin = float(np.hypot(_highest_noise(count) * noise, _highest_noise(1) * plateau_u))
    least = max(raw - plateau - margin, 0.0)
    if count < protocol.tip_samples or sides < _LEAST_SIDE:
        tip_least = raw - _highest_noise(count) * noise
        return replace(
            none, answer=UNDERSAMPLED, evidence=(numbers, described), tip_V=tip_least, tip_u_V=None, least_V=least
        )
    part = _around_tip(smooth, top, plateau, noise)
    found = summit(time_s[part], smooth[part], noise, raw - plateau, protocol.tip_samples)
    interval = None
    if found.interval_V is not None:
        low, high = found.interval_V
        interval = (low - grain, high + grain)
        described += (
            f"; between the highest of them the summit may lie anywhere from {low * 1e3:.4g} mV to {high * 1e3:.4g} mV, "
            "where its flanks meet: sharper than a parabola that so few samples describe"
        )
    return replace(
        none,
        answer=RESOLVED,
        evidence=(numbers, described),
        tip_V=found.value_V,
        tip_u_V=float(np.hypot(found.uncertainty_V, grain)),
        tip_interval_V=interval,
        least_V=least,
        tip_capacity=float(np.interp(found.time_s, time_s, capacity)),
        tip_time_s=found.time_s,
    )


def _denied(
    none: Dip,
    early_s: np.ndarray,
    early_V: np.ndarray,
    excess_V: float,
    before_s: float,
    protocol: NucleationProtocol,
) -> Dip:
    """Say which dips would have shown, and that it cannot be told where they are not those that one looks for."""
    gap = float(max(np.diff(early_s).max(initial=0.0), before_s))
    lasting = _INTERVALS_SEEN * gap
    plateau = none.plateau_V or 0.0
    rise_s = float(early_s[int(np.argmax(early_V >= 0.5 * plateau))]) if early_s.size else 0.0
    seen = (
        f"samples lie up to {gap:.3g} s apart before the plateau window, "
        f"the rise to half of the plateau takes {rise_s:.3g} s"
    )
    if lasting > protocol.dip_duration_s and gap * protocol.tip_samples > rise_s:
        sentence = (
            f"{seen}: a dip that is above half of its height for less than {lasting:.3g} s may lie between them unseen, "
            f"and one of {protocol.dip_duration_s:.3g} s (dip_duration) counts"
        )
        return replace(none, answer=TOO_COARSE, evidence=(*none.evidence, sentence))
    visible = 2 * (excess_V + protocol.prominence * none.noise_V)
    sentence = (
        f"{seen}: a dip that is above half of its height for {lasting:.3g} s or longer would have shown from "
        f"{visible * 1e3:.3g} mV on; a shorter one is not excluded"
    )
    return replace(none, evidence=(*none.evidence, sentence), visible_V=visible, visible_s=lasting)


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

    Lone is one that stands out twice as far as its neighbours do from theirs: beside a sharp tip the curve is steep. The
    first three samples are left as they are: a tip that the sampling hardly caught looks the same there.
    """
    if values.size < 5:
        return values
    out = values.copy()
    before, here, after = values[2:-2], values[3:-1], values[4:]
    steep = np.maximum(np.abs(before - values[1:-3]), np.abs(np.append(values[5:], values[-1]) - after))
    lone = (here - np.maximum(before, after) > 6 * noise + 2 * steep) & (np.abs(before - after) < 3 * np.sqrt(2) * noise)
    out[3:-1][lone] = ((before + after) / 2)[lone]
    return out


def _around(values: np.ndarray, top: int, least: float) -> slice:
    """Take the samples around `top` that lie above `least` without interruption."""
    below = np.flatnonzero(values <= least)
    before, after = below[below < top], below[below > top]
    return slice(int(before[-1]) + 1 if before.size else 0, int(after[0]) if after.size else values.size)


def _around_tip(values: np.ndarray, top: int, plateau: float, noise: float) -> slice:
    """Take the samples above half of the height, or fewer where there are more than needed and the noise allows."""
    height, share = values[top] - plateau, 0.5
    part = _around(values, top, plateau + share * height)
    while part.stop - part.start > _ENOUGH:
        share = 1 - 0.8 * (1 - share)
        narrower = _around(values, top, plateau + share * height)
        if (1 - share) * height < _ABOVE_NOISE * noise or narrower.stop - narrower.start < _LEAST_FIT:
            break
        part = narrower
    return part


def _highest_noise(count: int) -> float:
    """Return how many standard deviations the largest of `count` errors stays under with 95 % confidence."""
    return NormalDist().inv_cdf(0.95 ** (1 / count))
