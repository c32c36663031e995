r"""Distribution of relaxation times: how many processes a spectrum shows before any circuit is assumed.

.. math:: Z(\omega) = R_0 + i\omega L + Z_\text{tail} + \int\frac{\gamma(\ln\tau)}{1+i\omega\tau}\,d\ln\tau,\quad\gamma\ge 0

solved on a grid by non-negative least squares with the curvature of gamma held down. It is held down as strongly as the
misfit allows: to the point where it exceeds one and a half times the smallest attainable one, or the accuracy of the
instrument if that is larger. A weaker hold breaks depressed arcs into peaks that are not there.

References
----------
F. Ciucci, Curr. Opin. Electrochem. 2019, 13, 132, doi 10.1016/j.coelec.2018.12.003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sodiophile.physics.circuits import Array, ComplexArray

_PER_DECADE = 8
_STRENGTHS = np.geomspace(1e-5, 1e1, 13)
_ALLOWED = 1.5
_SHALLOW = 0.85
_SMALLEST_SHARE = 0.05
_TAILS = (0.5, 0.75, 1.0)


@dataclass(frozen=True)
class RelaxationTimes:
    """A distribution of relaxation times.

    Parameters
    ----------
    tau_s
        Grid, shape (m,), rising.
    gamma_ohm
        gamma(ln tau), ohm, shape (m,).
    peaks
        (tau in s, resistance in ohm) of every peak, fast ones first.
    misfit
        Root mean square of the relative residual.
    """

    tau_s: Array
    gamma_ohm: Array
    peaks: tuple[tuple[float, float], ...]
    misfit: float


def relaxation_times(frequency_Hz: Array, impedance_ohm: ComplexArray, accuracy: float = 0.005) -> RelaxationTimes:
    """Compute the distribution of relaxation times of one spectrum.

    Parameters
    ----------
    frequency_Hz, impedance_ohm
        Shape (n,).
    accuracy
        Relative accuracy of the instrument.
    """
    from scipy.optimize import nnls

    omega = 2 * np.pi * np.asarray(frequency_Hz, dtype=float)
    modulus = np.abs(impedance_ohm)
    # half a decade beyond either end: processes just outside are seen by their flanks
    ends = np.log10(1 / omega.max()) - 0.5, np.log10(1 / omega.min()) + 0.5
    log_tau = np.log(10) * np.linspace(*ends, int(_PER_DECADE * (ends[1] - ends[0])) + 1)
    width = float(log_tau[1] - log_tau[0])
    x = 1j * omega * np.exp(log_tau)[:, None]
    extra = [np.ones_like(omega, dtype=complex), 1j * omega / omega.max()]
    extra += [(1j * omega / omega.min()) ** -alpha for alpha in _TAILS]
    size = float(modulus.max())
    columns = np.concatenate([width / (1 + x), np.array(extra)]) * size / modulus
    A = np.concatenate([columns.real, columns.imag], axis=1).T
    z = impedance_ohm / modulus
    b = np.concatenate([z.real, z.imag])
    m = len(log_tau)
    curvature = np.zeros((m, A.shape[1]))
    curvature[:, :m] = (np.eye(m, k=-1) - 2 * np.eye(m) + np.eye(m, k=1)) / width**1.5
    best, chosen = np.inf, np.zeros(A.shape[1])
    for strength in _STRENGTHS:
        solution, _ = nnls(
            np.concatenate([A, np.sqrt(strength) * curvature]), np.concatenate([b, np.zeros(m)]), maxiter=50 * A.shape[1]
        )
        misfit = float(np.sqrt(np.mean((A @ solution - b) ** 2) * 2))
        best = min(best, misfit)
        if misfit > max(_ALLOWED * best, accuracy):
            break
        chosen = solution
    gamma = chosen[:m] * size
    left = float(np.sqrt(np.mean((A @ chosen - b) ** 2) * 2))
    inside = (np.exp(log_tau) >= 1 / omega.max()) & (np.exp(log_tau) <= 1 / omega.min())
    return RelaxationTimes(np.exp(log_tau), gamma, _peaks(log_tau, gamma, width, inside), left)


def _peaks(log_tau: Array, gamma: Array, width: float, inside: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Divide the distribution at its clear minima; keep the parts that are large enough and have their top inside."""
    total = float(gamma[inside].sum()) * width
    if total <= 0:
        return ()
    cuts = [0]
    top, valley = float(gamma[0]), 0
    for k in range(1, len(gamma)):
        if gamma[k] < gamma[valley]:
            valley = k
        # a minimum divides if it lies clearly below the tops on both of its sides
        if gamma[valley] < _SHALLOW * min(top, float(gamma[k])):
            cuts.append(valley)
            top, valley = float(gamma[k]), k
        elif gamma[k] > top:
            top, valley = float(gamma[k]), k
    found = []
    for start, stop in zip(cuts, [*cuts[1:], len(gamma)], strict=True):
        area = float(gamma[start:stop].sum()) * width
        highest = start + int(np.argmax(gamma[start:stop]))
        if area >= _SMALLEST_SHARE * total and inside[highest]:
            found.append((float(np.exp(log_tau[highest])), area))
    return tuple(found)
