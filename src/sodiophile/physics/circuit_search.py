"""Fit any circuit without starting values: many random starts within what the spectrum shows, searched in one batch.

The starts are drawn from the spectrum's own scales: resistances from the range of its real part, time constants from the
range of its frequencies, capacities so that they match. How many starts end at the same best minimum tells how far it can
be trusted.
"""

from __future__ import annotations

import numpy as np

from sodiophile.physics.arc_circuits import arcs_of
from sodiophile.physics.circuit_fit import CircuitFit, Spectra, bounds, finished, search
from sodiophile.physics.circuits import Array, Circuit

_SAME = 1.001


def fit_circuit(
    circuit: Circuit, spectra: Spectra, *, starts: int = 64, seed: int = 0
) -> tuple[list[CircuitFit], list[float]]:
    """Fit a circuit to every spectrum.

    Parameters
    ----------
    circuit
        The circuit.
    spectra
        The spectra, shape (b, n).
    starts
        Random starts for each.
    seed
        Of the starts; the same seed gives the same fit.

    Returns
    -------
    fits, agreement
        One each; the share of starts that ended at the best minimum.
    """
    random = np.random.default_rng(seed)
    lower, upper = bounds(circuit, spectra)
    owner = np.repeat(np.arange(len(spectra.points)), starts)
    begin = np.concatenate([_draw(circuit, spectra, b, starts, random) for b in range(len(spectra.points))])
    minimum = search(circuit, spectra, owner, begin, lower[owner], upper[owner])
    cost = minimum.cost.reshape(len(spectra.points), starts)
    best = np.arange(len(cost)) * starts + np.argmin(cost, axis=1)
    agreement = [float(np.mean(several <= _SAME * several.min())) for several in cost]
    fixed = np.zeros((len(best), len(circuit.parameters)), dtype=bool)
    return finished(circuit, spectra, owner[best], minimum.take(best), fixed), agreement


def _draw(circuit: Circuit, spectra: Spectra, b: int, starts: int, random: np.random.Generator) -> Array:
    n = int(spectra.points[b])
    Z, log_omega = spectra.impedance[b, :n], spectra.log_omega[b, :n]
    fast, slow = float(log_omega.max()), float(log_omega.min())
    large = float(np.log(np.abs(Z).max()))
    low = float(np.log(max(Z.real.min(), 1e-2 * np.abs(Z).max())))
    u = np.empty((starts, len(circuit.parameters)))
    log_tau = random.uniform(-fast, -slow, u.shape)
    log_R = large + random.uniform(np.log(0.03), 0.0, u.shape)
    for k, parameter in enumerate(circuit.parameters):
        if parameter.role == "alpha":
            u[:, k] = random.uniform(0.6, 1.0, starts)
        elif parameter.role == "R":
            u[:, k] = log_R[:, k] if random.random() < 0.8 else low
        elif parameter.role == "tau":
            u[:, k] = log_tau[:, k]
        elif parameter.role == "L":
            u[:, k] = large - fast + random.uniform(-7.0, 0.0, starts)
        elif parameter.role == "sigma":
            u[:, k] = large + 0.5 * slow + random.uniform(-2.0, 1.0, starts)
        else:
            u[:, k] = log_tau[:, k] - log_R[:, k]
    for arc in arcs_of(circuit):
        if arc.capacity is None:
            continue
        exponent = 1.0 if arc.alpha is None else u[:, arc.alpha]
        u[:, arc.capacity] = exponent * log_tau[:, arc.capacity] - u[:, arc.resistance]
    return u
