r"""Is a spectrum consistent with itself? The linear Kramers-Kronig test with a chain of Voigt elements.

A measurement of a linear, causal and stable cell can be written as

.. math:: Z(\omega) = R_0 + i\omega L + \frac{1}{i\omega C} + \sum_{k=1}^{M}\frac{R_k}{1+i\omega\tau_k}

with fixed time constants, since every term obeys the Kramers-Kronig relations; the rest is a linear least-squares problem.
What the chain cannot describe is noise, or a cell that changed while it was measured. M starts at four a decade and grows
until the chain begins to describe noise, which shows in resistances of alternating sign: then
:math:`\mu = 1-\sum_{R_k<0}|R_k|/\sum_{R_k\ge0}|R_k|` falls below 0.85. (A single ideal RC element gives alternating signs
at any length; this is why M starts where neighbouring elements overlap.)

References
----------
B. A. Boukamp, J. Electrochem. Soc. 1995, 142, 1885, doi 10.1149/1.2044210.
M. Schönleber, D. Klotz, E. Ivers-Tiffée, Electrochim. Acta 2014, 131, 20, doi 10.1016/j.electacta.2014.01.034.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.physics.circuits import Array, ComplexArray

OVERFIT = 0.85
_WINDOW = 5
_MOST_LONE = 3
_SMALLEST_LONE = 0.005
_PER_DECADE = 4


@dataclass(frozen=True)
class KramersKronig:
    r"""The outcome of the test.

    Parameters
    ----------
    residual
        (Z - chain)/\|Z\|, complex, shape (n,), in the order of the spectrum.
    elements
        Voigt elements of the chain, M.
    mu
        1 while resistances have one sign; the chain stopped growing where it fell below 0.85, or at its largest length.
    lone
        Points that stand alone: left out, since the rest holds together without them; shape (n,).
    """

    residual: ComplexArray
    elements: int
    mu: float
    lone: NDArray[np.bool_]

    @property
    def rms(self) -> float:
        """Root mean square of the modulus of the residual, relative, per degree of freedom left, without lone points."""
        kept = self.residual[~self.lone]
        left = max(2 * len(kept) - self.elements - 3, 1)
        return float(np.sqrt(np.sum(np.abs(kept) ** 2) * 2 / left))

    def systematic(self) -> Array:
        """Return the larger of the two parts of the residual after a running median over five points, shape (n,)."""
        half = _WINDOW // 2
        parts = []
        for part in (self.residual.real, self.residual.imag):
            windows = np.lib.stride_tricks.sliding_window_view(np.pad(part, half, constant_values=np.nan), _WINDOW)
            parts.append(np.abs(np.nanmedian(windows, axis=1)))
        return np.asarray(np.maximum(*parts))

    def chance(self) -> float:
        """Return what a running median reaches by noise alone: three standard errors, 1.25 sigma/sqrt(5) each."""
        return 3 * 1.25 * self._noise() / np.sqrt(_WINDOW)

    def _noise(self) -> float:
        steps = np.concatenate([np.diff(self.residual.real), np.diff(self.residual.imag)])
        return 1.4826 * float(np.median(np.abs(steps))) / float(np.sqrt(2))


def kramers_kronig_test(frequency_Hz: Array, impedance_ohm: ComplexArray) -> KramersKronig:
    """Test one spectrum.

    Parameters
    ----------
    frequency_Hz, impedance_ohm
        Shape (n,), n at least 4.
    """
    omega = 2 * np.pi * np.asarray(frequency_Hz, dtype=float)
    kept = np.ones(len(omega), dtype=bool)
    test = _chain(omega, impedance_ohm, kept)
    # one wrong point bends the chain around it; taking it out must mend the rest, which it does not where a cell drifts
    for _ in range(_MOST_LONE if len(omega) > 4 * _MOST_LONE else 0):
        at = int(np.argmax(np.where(kept, np.abs(test.residual), 0.0)))
        if abs(test.residual[at]) < _SMALLEST_LONE:
            break
        rest = kept & (np.arange(len(omega)) != at)
        again = _chain(omega, impedance_ohm, rest)
        if np.linalg.norm(again.residual[rest]) > 0.5 * np.linalg.norm(test.residual[rest]):
            break
        test, kept = again, rest
    return test


def _chain(omega: Array, impedance_ohm: ComplexArray, kept: NDArray[np.bool_]) -> KramersKronig:
    modulus = np.abs(impedance_ohm)
    both = np.concatenate([kept, kept])
    target = _stacked(impedance_ohm / modulus)[both]
    tail = [np.ones_like(omega, dtype=complex), 1j * omega / omega.max(), -1j * omega.min() / omega]
    longest = max(3, min(len(omega) - 2, 60))
    M = min(longest, max(3, round(_PER_DECADE * np.log10(omega.max() / omega.min()))))
    while True:
        taus = np.geomspace(1 / omega.max(), 1 / omega.min(), M)
        columns = np.array([*(1 / (1 + 1j * omega * tau) for tau in taus), *tail]) / modulus
        A = _stacked(columns).T[both]
        scale = np.linalg.norm(A, axis=0)
        solution = np.linalg.lstsq(A / scale, target, rcond=1e-10)[0] / scale
        R = solution[:M]
        positive = float(R[R > 0].sum())
        mu = 1 - float(-R[R < 0].sum()) / positive if positive > 0 else 0.0
        residual = impedance_ohm / modulus - solution @ columns
        if mu < OVERFIT or longest <= M:
            return KramersKronig(np.asarray(residual), M, mu, ~kept)
        M = min(longest, M + max(1, M // 8))


def _stacked(values: np.ndarray) -> Array:
    return np.concatenate([values.real, values.imag], axis=-1)
