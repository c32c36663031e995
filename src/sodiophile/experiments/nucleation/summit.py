r"""The highest point of a smooth curve between noisy samples, with an uncertainty that holds for sharp tips too.

One polynomial over one window is either too stiff for a tip, which is sharper on one side (the rise is the charging of the
interface, the fall the growth of nuclei), or follows the noise. So none is chosen: polynomials of order two to five over
many windows around the highest sample are averaged, each with the weight

.. math:: w \propto \exp\!\left[-\tfrac12\left(\chi^2 + 2k + 2 N_\mathrm{cut}\right)\right]

for k coefficients and N_cut samples left out (W. I. Jay, E. T. Neil, Phys. Rev. D 2021, 103, 114502, doi
10.1103/PhysRevD.103.114502: a window is a model whose other samples cost a parameter each). A curve that is too stiff loses
weight by its misfit, one that follows few samples by those that it leaves out; how far they differ is part of the answer.

Smooth curves know nothing of what lies between samples. The secants through the two samples next to the summit on either
side do: where the curve is bent downward all along, as at any top, it stays below the point where they meet. Where that
is far above the smooth curve the sampling leaves the summit open, and what is stated is the interval between both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

_MOST_SAMPLES = 50
_ORDERS = (2, 3, 4, 5)
_SIDES = np.array([1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 40])
_GRID = np.linspace(-1.0, 1.0, 161)
_POWERS = _GRID[:, None] ** np.arange(max(_ORDERS) + 1)
_SINGULAR = 1e-9
_CLEARLY = 2.0
# the secants of a parabola of which N samples lie above half of its height meet 1 to 1.5 heights over N^2 above it
_PARABOLA = 1.25


@dataclass(frozen=True)
class Summit:
    """The highest point of a curve.

    Parameters
    ----------
    value_V, uncertainty_V
        Height, and its standard uncertainty.
    time_s
        Where it is.
    interval_V
        (low, high) where the sampling leaves it open: the smooth curve, and where its flanks meet, each with two standard
        uncertainties; the value is then their middle. None otherwise.
    """

    value_V: float
    uncertainty_V: float
    time_s: float
    interval_V: tuple[float, float] | None


def summit(time_s: _Array, values_V: _Array, noise_V: float, height_V: float, samples: int) -> Summit:
    """Return the maximum of a curve known at samples.

    Parameters
    ----------
    time_s, values_V
        The samples around the tip, shape (n,), n at least 3, the highest of them neither first nor last.
    noise_V
        Standard deviation of a sample, above 0.
    height_V
        Height of the tip above the plateau.
    samples
        How many samples above half of its height describe a parabola well enough; a summit that is sharper for its sampling
        than such a parabola is left open.
    """
    time_s, values_V, noise_V = _averaged(time_s, values_V, noise_V)
    top = int(np.argmax(values_V))
    raw = float(values_V[top])
    smooth = _smooth_curves(time_s, values_V - raw, noise_V, top)
    if smooth is None:
        return Summit(raw, noise_V, float(time_s[top]), None)
    above, uncertainty, at_s = smooth
    flanks = _flanks(time_s, values_V - raw, noise_V, top)
    if flanks is not None:
        meet, meet_u = flanks
        if meet - above - _CLEARLY * meet_u > _PARABOLA / samples**2 * height_V:
            interval = (raw + above - _CLEARLY * uncertainty, raw + meet + _CLEARLY * meet_u)
            between = float(np.hypot(uncertainty, (meet - above) / np.sqrt(12)))
            return Summit(raw + (above + meet) / 2, between, at_s, interval)
    return Summit(raw + above, uncertainty, at_s, None)


def _smooth_curves(time_s: _Array, values_V: _Array, noise_V: float, top: int) -> tuple[float, float, float] | None:
    """Return the weighted mean of the maxima of all polynomials, its uncertainty, and where it is; None if none has one."""
    count = time_s.size
    left, right = (
        side.ravel()
        for side in np.meshgrid(
            np.unique(np.minimum(_SIDES, top)), np.unique(np.minimum(_SIDES, count - 1 - top)), indexing="ij"
        )
    )
    left, right = left[(left > 0) & (right > 0)], right[(left > 0) & (right > 0)]
    if left.size == 0:
        return None
    rows = np.arange(count)
    inside = (rows >= top - left[:, None]) & (rows <= top + right[:, None])
    held = left + right + 1
    middle = (time_s[top - left] + time_s[top + right]) / 2
    half = (time_s[top + right] - time_s[top - left]) / 2
    if (half <= 0).any():
        return None
    x = np.where(inside, (time_s - middle[:, None]) / half[:, None], 0.0)
    # rows outside a window are zero: one factorization serves all windows, and its leading part each lower order
    Q, R = np.linalg.qr(x[:, :, None] ** np.arange(max(_ORDERS) + 1) * inside[:, :, None])
    values = np.where(inside, values_V, 0.0)
    projected = np.einsum("wnk,wn->wk", Q, values)
    squares = np.sum(values**2, axis=1)
    found = []
    for order in _ORDERS:
        k = order + 1
        diagonal = np.abs(np.diagonal(R[:, :k, :k], axis1=1, axis2=2))
        use = np.flatnonzero((held >= k) & (diagonal.min(axis=1) > _SINGULAR))
        if use.size == 0:
            continue
        coefficients = np.linalg.solve(R[use, :k, :k], projected[use, :k, None])[:, :, 0]
        curves = coefficients @ _POWERS[:, :k].T
        at = curves.argmax(axis=1)
        is_summit = (at > 0) & (at < _GRID.size - 1)
        use, curves, at = use[is_summit], curves[is_summit], at[is_summit]
        before, here, after = (curves[np.arange(at.size), at + shift] for shift in (-1, 0, 1))
        bent = before - 2 * here + after
        shift = np.where(bent < 0, 0.5 * (before - after) / np.where(bent < 0, bent, -1.0), 0.0)
        place = _GRID[at] + shift * (_GRID[1] - _GRID[0])
        height = here - 0.25 * (before - after) * shift
        powers = place[:, None] ** np.arange(k)
        gain = np.linalg.solve(np.swapaxes(R[use, :k, :k], 1, 2), powers[:, :, None])[:, :, 0]
        chi_square = np.maximum(squares[use] - np.sum(projected[use, :k] ** 2, axis=1), 0.0) / noise_V**2
        log_weight = -0.5 * (chi_square + 2 * k + 2 * (count - held[use]))
        variance = noise_V**2 * np.sum(gain**2, axis=1)
        found.append(np.stack([log_weight, height, variance, middle[use] + half[use] * place]))
    if not found or not sum(part.shape[1] for part in found):
        return None
    log_weight, height, variance, place = np.concatenate(found, axis=1)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    value = float(weight @ height)
    return value, float(np.sqrt(weight @ (variance + (height - value) ** 2))), float(weight @ place)


def _flanks(time_s: _Array, values_V: _Array, noise_V: float, top: int) -> tuple[float, float] | None:
    """Return how high the secants through two samples on either side meet, and its standard uncertainty; None if nowhere.

    The summit lies between the highest sample and one of its neighbours; the higher of both meetings is taken.
    """
    found = []
    for k in (top - 1, top):
        if k < 1 or k + 2 >= time_s.size:
            continue
        t, v = time_s[k - 1 : k + 3], values_V[k - 1 : k + 3]
        if (np.diff(t) <= 0).any():
            continue
        rise, fall = (v[1] - v[0]) / (t[1] - t[0]), (v[3] - v[2]) / (t[3] - t[2])
        if rise <= 0 or fall >= 0:
            continue
        meet_s = (v[2] - fall * t[2] - v[1] + rise * t[1]) / (rise - fall)
        if not t[1] <= meet_s <= t[2]:
            continue
        a, b = (meet_s - t[1]) / (t[1] - t[0]), (t[2] - meet_s) / (t[3] - t[2])
        # the height of the meeting is the mean of both lines at its time, weighted by the slope of the other
        rising, falling = -fall / (rise - fall), rise / (rise - fall)
        variance = rising**2 * ((1 + a) ** 2 + a**2) + falling**2 * ((1 + b) ** 2 + b**2)
        found.append((float(v[1] + rise * (meet_s - t[1])), noise_V * float(np.sqrt(variance))))
    return max(found) if found else None


def _averaged(time_s: _Array, values_V: _Array, noise_V: float) -> tuple[_Array, _Array, float]:
    """Average neighbours where there are more samples than are needed."""
    block = -(-time_s.size // _MOST_SAMPLES)
    if block == 1:
        return time_s, values_V, noise_V
    whole = time_s.size // block * block
    shape = (-1, block)
    return (
        time_s[:whole].reshape(shape).mean(axis=1),
        values_V[:whole].reshape(shape).mean(axis=1),
        noise_V / float(np.sqrt(block)),
    )
