"""Fit series resistance, one or two depressed arcs, an inductive and a diffusive tail; choose what the data support.

References
----------
K. P. Burnham, D. R. Anderson, Model Selection and Multimodel Inference, 2nd ed. (Springer, 2002): AICc and its differences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.arc_circuits import ALL, FULL, Candidate, Place
from sodiophile.physics.arc_starts import starting_values
from sodiophile.physics.circuit_fit import CircuitFit, Spectra, bounds, finished, search
from sodiophile.physics.circuits import Array
from sodiophile.physics.least_squares import Minimum

_OFF = np.log(1e-9)
_SUPPORT = 4.0
_TRIAL_STEPS = 20
_FINALISTS = 3


def fit_arcs(
    spectra: Spectra, candidates: Sequence[Candidate] = ALL, starts: int = 6, *, series: bool = False
) -> dict[Candidate, list[CircuitFit]]:
    """Fit every candidate to every spectrum.

    Parameters
    ----------
    spectra
        The spectra, shape (b, n).
    candidates
        The circuits that compete.
    starts
        Starting values tried for a circuit of two arcs.
    series
        True if the spectra follow each other (in time, in temperature): every fit is then tried again from the results of
        its neighbours.

    Returns
    -------
    Candidate -> one fit a spectrum, arcs in the order of their time constants.
    """
    lower, upper = bounds(FULL, spectra)
    owner, lows, highs, begins, whose = [], [], [], [], []
    for b, guesses in enumerate(starting_values(spectra, candidates, starts)):
        for candidate, u in guesses:
            low, high = _restricted(candidate, lower[b], upper[b])
            owner.append(b)
            lows.append(low)
            highs.append(high)
            begins.append(u)
            whose.append(candidate)
    owners, low, high = np.array(owner), np.stack(lows), np.stack(highs)
    minimum = search(FULL, spectra, owners, np.stack(begins), low, high, _TRIAL_STEPS)
    ranked: dict[tuple[Candidate, int], list[int]] = {}
    for k in np.argsort(minimum.cost).tolist():
        ranked.setdefault((whose[k], owner[k]), []).append(k)
    # few starts are worth the whole way
    kept = np.array(
        [k for candidate in candidates for b in range(len(spectra.points)) for k in ranked[candidate, b][:_FINALISTS]]
    )
    owners, low, high = owners[kept], low[kept], high[kept]
    minimum = search(FULL, spectra, owners, minimum.coordinates[kept], low, high)
    best: dict[tuple[Candidate, int], int] = {}
    for k, place in enumerate(kept.tolist()):
        key = (whose[place], owner[place])
        if key not in best or minimum.cost[k] < minimum.cost[best[key]]:
            best[key] = k
    chosen = np.array([best[candidate, b] for candidate in candidates for b in range(len(spectra.points))])
    fixed = np.stack([candidate.fixed() for candidate in candidates for _ in spectra.points])
    minimum, owners, low, high = minimum.take(chosen), owners[chosen], low[chosen], high[chosen]
    if series and len(spectra.points) > 1:
        minimum = _chained(spectra, minimum, owners, low, high)
    swap = minimum.coordinates[:, Place.TAU1] > minimum.coordinates[:, Place.TAU2]
    two = np.array([candidate.arcs == 2 for candidate in candidates for _ in spectra.points])
    order = np.tile(np.arange(10), (len(chosen), 1))
    order[swap & two, Place.R1 : Place.ALPHA2 + 1] = [
        Place.R2,
        Place.TAU2,
        Place.ALPHA2,
        Place.R1,
        Place.TAU1,
        Place.ALPHA1,
    ]
    fits = finished(FULL, spectra, owners, _reordered(minimum, order), fixed)
    count = len(spectra.points)
    return {candidate: fits[k * count : (k + 1) * count] for k, candidate in enumerate(candidates)}


def _chained(spectra: Spectra, minimum: Minimum, owners: NDArray[np.intp], low: Array, high: Array) -> Minimum:
    """Search again from the minimum of the spectrum before and of the one after; keep what is better."""
    place = np.arange(len(owners))
    changed = np.ones(len(owners), dtype=bool)
    for step in (1, -1, 1):
        neighbour = np.clip(place - step, 0, len(owners) - 1)
        # the third time only from those that the second improved: from the others nothing new comes
        from_where = changed if step == 1 else np.ones_like(changed)
        tried = np.flatnonzero((np.abs(owners[neighbour] - owners) == 1) & from_where[neighbour])
        if tried.size == 0:
            break
        start = minimum.coordinates[neighbour[tried]]
        again = search(FULL, spectra, owners[tried], start, low[tried], high[tried])
        better = again.cost < minimum.cost[tried]
        changed = np.zeros_like(changed)
        changed[tried[better]] = True
        parts = {name: getattr(minimum, name).copy() for name in Minimum.__dataclass_fields__}
        for name, values in parts.items():
            values[tried[better]] = getattr(again, name)[better]
        minimum = Minimum(**parts)
    return minimum


def _reordered(minimum: Minimum, order: NDArray[np.intp]) -> Minimum:
    row = np.arange(len(order))[:, None]
    return Minimum(
        minimum.coordinates[row, order],
        minimum.cost,
        minimum.normal[row[:, :, None], order[:, :, None], order[:, None, :]],
        minimum.gradient[row, order],
        minimum.free[row, order],
        minimum.converged,
        minimum.steps,
    )


def candidate_bounds(candidate: Candidate, spectra: Spectra) -> tuple[Array, Array]:
    """Return the bounds of the coordinates for every spectrum with what the candidate lacks switched off, (b, 10)."""
    pairs = [_restricted(candidate, low, high) for low, high in zip(*bounds(FULL, spectra), strict=True)]
    return np.stack([low for low, _ in pairs]), np.stack([high for _, high in pairs])


def _restricted(candidate: Candidate, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return the bounds of a spectrum with what the candidate lacks switched off."""
    low, high = lower.copy(), upper.copy()
    off: dict[int, float] = {
        Place.L: lower[Place.L] + _OFF,
        Place.R1: lower[Place.R1] + _OFF,
        Place.R2: lower[Place.R2] + _OFF,
        Place.Q: upper[Place.Q] - _OFF,
    }
    middle: dict[int, float] = {
        Place.TAU1: 0.0,
        Place.TAU2: 0.0,
        Place.ALPHA1: 0.9,
        Place.ALPHA2: 0.9,
        Place.ALPHA_TAIL: 0.5,
    }
    for place in np.flatnonzero(candidate.fixed()).tolist():
        value = off[place] if place in off else middle[place] if place in middle else lower[place]
        low[place] = high[place] = value
    return low, high


def akaike(fit: CircuitFit, accuracy: float) -> float:
    """Return the corrected Akaike criterion; a misfit below `accuracy` (relative) is no evidence for another element."""
    residuals = 2 * len(fit.frequency_Hz)
    parameters = residuals - fit.dof + 1
    correction = 2 * parameters * (parameters + 1) / max(residuals - parameters - 1, 1)
    return float(residuals * np.log(fit.cost / residuals + accuracy**2) + 2 * parameters + correction)


def preferred(fits: dict[Candidate, list[CircuitFit]], accuracy: float) -> tuple[Candidate, dict[Candidate, float]]:
    """Choose one circuit for all spectra: the one with fewest parameters among those that the data support.

    Parameters
    ----------
    fits
        As `fit_arcs` returns them.
    accuracy
        Relative accuracy of the instrument.

    Returns
    -------
    candidate
        The fewest parameters among all whose AICc, summed over the spectra, is within 4 of the lowest: from a
        difference of 4 on, support is "considerably less" (Burnham and Anderson, section 2.6).
    differences
        Candidate -> AICc minus the lowest.
    """
    totals = {candidate: sum(akaike(fit, accuracy) for fit in several) for candidate, several in fits.items()}
    lowest = min(totals.values())
    differences = {candidate: total - lowest for candidate, total in totals.items()}
    supported = [candidate for candidate, difference in differences.items() if difference <= _SUPPORT]
    chosen = min(supported, key=lambda candidate: (int((~candidate.fixed()).sum()), differences[candidate]))
    return chosen, differences
