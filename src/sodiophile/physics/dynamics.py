r"""What a cell of metal electrodes does within seconds: double layers, interphase capacitances and salt, in a given state.

The state (interphase, deposit, pits, dead metal, temperature) is that of `sodiophile.physics.symmetric` and does not change
here. An electrode of overpotential E consists of surfaces k in parallel (`sodiophile.physics.surfaces.Branch`), each with
the voltage :math:`v_k` over its double layer; per geometric area

.. math::

    \pm j &= \sum_k a_k\left[C_k(\dot E - \dot v_k) + \frac{E - v_k}{R_k}\right]\\
    C_k(\dot E - \dot v_k) + \frac{E - v_k}{R_k} &= C_{dl}\dot v_k + j_{BV}(v_k, c_s)\\
    \dot m_n &= \frac{n^2}{\tau}\left(\frac{j}{j_{lim}} - m_n\right),\qquad c_s/c_0 = 1 \mp u(m, j)\\
    U &= E_w - E_c + jR_\Omega + \eta_{conc}(u)

with the modes :math:`m_n` of `sodiophile.physics.transport.SaltProfile`, and either j(t) or U(t) given: a differential
algebraic equation of index 1, :math:`M\dot y = f(y, t)` with a constant M. A cell of one electrode is measured against a
reference, in series with a resistance. Plating of the working electrode is positive in j and U.

It is integrated by the two-stage, stiffly accurate, L-stable SDIRK method of second order (R. Alexander, SIAM J. Numer.
Anal. 14 (1977) 1006, doi 10.1137/0714068), with the step that its first-order stage asks for. Linearised at rest it is the
impedance of `sodiophile.physics.cell_impedance` (`CellDynamics.linear_impedance_ohm_cm2`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError, SolverError
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.surfaces import Branch
from sodiophile.physics.symmetric import SymmetricCell

_Array = NDArray[np.float64]
_GAMMA = 1.0 - math.sqrt(0.5)
_MOST_STEPS = 200_000
_MOST_NEWTON = 25
_MOST_STEADY = 60
_LEAST_RESISTANCE_OHM_CM2 = 1e-3
_LEAST_CONCENTRATION = 1e-12
_LARGEST_EXPONENT = 60.0


@dataclass(frozen=True)
class Response:
    """The solution of `CellDynamics.run`: one row a step, all arrays of shape (n,).

    Parameters
    ----------
    time_s
        s, from 0.
    voltage_V
        U, V; plating positive.
    current_density_mA_cm2
        j; plating positive.
    depletion
        1 - c_s/c_0 at the working electrode.
    """

    time_s: _Array
    voltage_V: _Array
    current_density_mA_cm2: _Array
    depletion: _Array


class CellDynamics:
    """A cell in the state of `pair`, ready to be driven.

    Parameters
    ----------
    pair
        The cell and its state.
    electrodes
        2 for the whole cell; 1 for its working electrode against a reference.
    modes
        Of the salt; 0 leaves its concentration out.
    series_ohm_cm2
        Resistance in series; that of the electrolyte between two electrodes, none to a reference, if not given.
    """

    def __init__(
        self, pair: SymmetricCell, *, electrodes: int = 2, modes: int = 12, series_ohm_cm2: float | None = None
    ) -> None:
        electrolyte = pair.cell.electrolyte
        self.temperature_K, self.z = pair.temperature_K, pair.z
        self._f = inverse_thermal_voltage_1_V(self.temperature_K, self.z)
        from sodiophile.physics._surfaces_kernel import hindered

        self._hindrance, self._hindered = pair.surface.hindrance, hindered
        self._alpha = pair.cell.electrode.transfer_coefficient.value
        sides = [pair.working, pair.counter][:electrodes]
        self._sides = [pair.branches(state) for state in sides]
        if not all(self._sides):
            raise InputError("found an electrode without any metal, expected some to react")
        self._modes = modes if electrodes == 2 else 0
        odd = 2.0 * np.arange(self._modes) + 1.0
        self._rates = odd**2 / pair.salt_time_s
        self._weights = 8.0 / (np.pi * odd) ** 2
        self._rest = 1.0 - float(self._weights.sum()) if self._modes else 0.0
        self._limit = pair.limiting_current_density_mA_cm2
        own = pair.electrolyte_resistance_ohm_cm2 if electrodes == 2 else 0.0
        self.series_ohm_cm2 = own if series_ohm_cm2 is None else series_ohm_cm2
        self._conc_V = (
            electrolyte.ions_per_cation.value
            * (1.0 - electrolyte.transference_number.value)
            * electrolyte.thermodynamic_factor.value
            / self._f
        )
        self._lay_out()

    def _lay_out(self) -> None:
        """Give the unknowns their places, [E, v_1, ...] of each electrode, the modes, j; fill the constant matrices."""
        size = sum(1 + len(branches) for branches in self._sides) + self._modes + 1
        self._mass = np.zeros((size, size))
        self._linear = np.zeros((size, size))
        self._at: list[int] = []
        self._kinetic: list[tuple[int, float, float]] = []
        row = 0
        for sign, branches in zip((1.0, -1.0), self._sides, strict=False):
            top = row
            self._at.append(top)
            self._linear[top, -1] = sign
            for branch in branches:
                row += 1
                c1, c2, g = self._units(branch)
                a = branch.area
                self._mass[top, top] += a * c1
                self._mass[top, row] -= a * c1
                self._linear[top, top] -= a * g
                self._linear[top, row] += a * g
                self._mass[row, top] = c1
                self._mass[row, row] = -c1 - c2
                self._linear[row, top] = -g
                self._linear[row, row] = g
                self._kinetic.append((row, sign, branch.exchange_current_density_mA_cm2))
            row += 1
        self._first_mode = row
        for n in range(self._modes):
            self._mass[row + n, row + n] = 1.0
            self._linear[row + n, row + n] = -self._rates[n]
            self._linear[row + n, -1] = self._rates[n] / self._limit
        self._size = size

    @staticmethod
    def _units(branch: Branch) -> tuple[float, float, float]:
        """Return both capacitances in mA s/(cm2 V) and the conductance of the interphase in mA/(cm2 V)."""
        resistance = max(branch.resistance_ohm_cm2, _LEAST_RESISTANCE_OHM_CM2)
        return 1e-3 * branch.capacitance_uF_cm2, 1e-3 * branch.double_layer_uF_cm2, 1e3 / resistance

    def depletion(self, y: _Array) -> float:
        """Return 1 - c_s/c_0 at the working electrode."""
        if not self._modes:
            return 0.0
        modes = y[self._first_mode : self._first_mode + self._modes]
        return float(self._weights @ modes + self._rest * y[-1] / self._limit)

    def voltage_V(self, y: _Array) -> float:
        """Return U of the unknowns, V."""
        ends = y[self._at[0]] - (y[self._at[1]] if len(self._at) == 2 else 0.0)
        return float(ends + 1e-3 * self.series_ohm_cm2 * y[-1] + self._concentration(self.depletion(y))[0])

    def _concentration(self, u: float) -> tuple[float, float]:
        """Return the voltage of the concentration cell and its derivative with respect to u."""
        if not self._modes:
            return 0.0, 0.0
        low, high = max(1.0 - u, _LEAST_CONCENTRATION), max(1.0 + u, _LEAST_CONCENTRATION)
        slope = self._conc_V * ((1.0 / high if 1.0 + u > _LEAST_CONCENTRATION else 0.0) + (
            1.0 / low if 1.0 - u > _LEAST_CONCENTRATION else 0.0))  # fmt: skip
        return self._conc_V * math.log(high / low), slope

    def _evaluate(self, y: _Array, drive: float, mode: str) -> tuple[_Array, _Array]:
        """Return f and its Jacobian."""
        f = self._linear @ y
        jacobian = self._linear.copy()
        u = self.depletion(y)
        first, last = self._first_mode, self._first_mode + self._modes
        alpha = self._alpha
        for row, sign, j0 in self._kinetic:
            ratio = max(1.0 - sign * u, _LEAST_CONCENTRATION)
            factor = j0 * ratio ** (1.0 - alpha)
            x = self._f * y[row]
            forward = math.exp(min(alpha * x, _LARGEST_EXPONENT))
            backward = math.exp(min(-(1.0 - alpha) * x, _LARGEST_EXPONENT))
            current = factor * (forward - backward)
            slope = factor * self._f * (alpha * forward + (1.0 - alpha) * backward)
            if self._hindrance.size:
                logarithm, by_x = self._hindered(abs(x), self._hindrance)
                part = math.exp(logarithm)
                current *= part
                slope = slope * part + self._f * abs(current) * by_x
            f[row] += current
            jacobian[row, row] += slope
            if self._modes and 1.0 - sign * u > _LEAST_CONCENTRATION:
                by_u = -sign * (1.0 - alpha) * current / ratio
                jacobian[row, first:last] += by_u * self._weights
                jacobian[row, -1] += by_u * self._rest / self._limit
        if mode == "current":
            f[-1] = y[-1] - drive
            jacobian[-1] = 0.0
            jacobian[-1, -1] = 1.0
            return f, jacobian
        f[-1] = self.voltage_V(y) - drive
        jacobian[-1] = 0.0
        for sign, at in zip((1.0, -1.0), self._at, strict=False):
            jacobian[-1, at] = sign
        slope = self._concentration(u)[1]
        jacobian[-1, -1] = 1e-3 * self.series_ohm_cm2
        if self._modes:
            jacobian[-1, first:last] = slope * self._weights
            jacobian[-1, -1] += slope * self._rest / self._limit
        return f, jacobian

    def linear_impedance_ohm_cm2(self, frequency_Hz: ArrayLike) -> NDArray[np.complex128]:
        r"""Return the impedance at rest from these equations alone, ohm cm2 of geometric area, shape (n,).

        The equations are linearised by their Jacobian, :math:`(i\omega M - J)\hat y = b`, with j given; :math:`Z = \hat U`.
        """
        omega = 2.0 * np.pi * np.asarray(frequency_Hz, dtype=float)
        rest = np.zeros(self._size)
        _, jacobian = self._evaluate(rest, 0.0, "current")
        _, measured = self._evaluate(rest, 0.0, "voltage")
        right = np.zeros(self._size)
        right[-1] = -1.0
        systems = 1j * omega[:, None, None] * self._mass - jacobian
        solved = np.linalg.solve(systems, np.broadcast_to(-right, (omega.size, self._size))[..., None])[..., 0]
        # the row of j reads j - drive = 0: its solution is that of a current of -1
        return np.asarray(-1e3 * (solved @ measured[-1]))

    def run(
        self,
        drive: Callable[[float], float] | float,
        duration_s: float,
        *,
        mode: Literal["current", "voltage"],
        tolerance_V: float = 1e-5,
        longest_step_s: float = math.inf,
        start: Literal["rest", "steady"] = "rest",
    ) -> Response:
        """Drive the cell by a current density (mA/cm2) or a voltage (V) in time.

        Parameters
        ----------
        drive
            The current density or the voltage, constant or a function of the time in s; plating positive.
        duration_s
            s.
        mode
            What `drive` returns.
        tolerance_V
            Local error of every voltage in one step, V, of the first-order stage that the second-order one improves on.
        longest_step_s
            No step is longer, s: what `drive` does within a step is not seen.
        start
            From rest, or from the steady state at the drive of time 0.

        Raises
        ------
        InputError
            If a duration or tolerance is not positive.
        SolverError
            If the salt at one electrode is used up, or a step cannot be solved however short; the message says when, the
            error holds the solution so far.
        """
        if not (duration_s > 0 and tolerance_V > 0 and longest_step_s > 0):
            raise InputError(f"found a duration of {duration_s:g} s within {tolerance_V:g} V, expected both above 0")
        at = drive if callable(drive) else lambda _: float(drive)
        y, time_s = np.zeros(self._size), 0.0
        step_s = min(longest_step_s, duration_s, 1e-6)
        if start == "steady":
            y = self._steady(at(0.0), mode)
            step_s = min(longest_step_s, duration_s, 1e-3)
        else:
            y[-1] = at(0.0) if mode == "current" else self._first_current(at(0.0))
        rows = [(0.0, self.voltage_V(y), float(y[-1]), self.depletion(y))]
        for _ in range(_MOST_STEPS):
            left_s = duration_s - time_s
            if left_s <= 1e-12 * duration_s:
                break
            step_s = min(step_s, left_s, longest_step_s)
            following, error = self._step(y, time_s, step_s, at, mode)
            error /= tolerance_V
            if following is None or error > 1.0:
                step_s *= 0.25 if following is None else max(0.2, 0.9 / math.sqrt(error))
                if step_s < 1e-15 * max(duration_s, 1.0):
                    raise SolverError(
                        f"the cell cannot be driven beyond {time_s:.6g} s: no solution at {at(time_s):.4g} "
                        f"{'mA/cm^2' if mode == 'current' else 'V'} (limiting current density {self._limit:.4g} mA/cm^2)",
                        _response(rows),
                    )
                continue
            if mode == "current" and abs(self.depletion(following)) >= 1.0:
                if step_s > 1e-6 * duration_s:
                    step_s *= 0.5
                    continue
                raise SolverError(
                    f"the salt at one electrode is used up after {time_s:.4g} s at {at(time_s):.4g} mA/cm^2 "
                    f"(limiting current density {self._limit:.4g} mA/cm^2)",
                    _response(rows),
                )
            y, time_s = following, time_s + step_s
            rows.append((time_s, self.voltage_V(y), float(y[-1]), self.depletion(y)))
            step_s *= min(3.0, 0.9 / math.sqrt(max(error, 1e-3)))
        else:
            raise SolverError(
                f"the cell was not solved within {_MOST_STEPS} steps; it stands at {time_s:.6g} s", _response(rows)
            )
        return _response(rows)

    def _first_current(self, voltage_V: float) -> float:
        """Return the current the moment after a voltage is put on a cell at rest: capacitances are shorts."""
        from scipy.optimize import brentq

        across = 1e-3 * self.series_ohm_cm2
        if across <= 0 and not self._modes:
            return 0.0
        most = abs(voltage_V) / across if across > 0 else math.inf
        if self._modes:
            most = min(most, (1.0 - _LEAST_CONCENTRATION) * self._limit / self._rest)

        def excess(j: float) -> float:
            u = self._rest * j / self._limit
            return across * j + self._concentration(u)[0] - abs(voltage_V)

        if excess(most) <= 0:
            return math.copysign(most, voltage_V)
        return math.copysign(float(brentq(excess, 0.0, most)), voltage_V)

    def _steady(self, drive: float, mode: str) -> _Array:
        """Return the steady state at a drive: the drive is raised from 0 in steps that Newton's method can follow."""
        y, done, part = np.zeros(self._size), 0.0, 1.0
        while done < 1.0:
            part = min(part, 1.0 - done)
            solved = self._newton(y, y, math.inf, np.zeros(self._size), (done + part) * drive, mode)
            if solved is None or abs(self.depletion(solved)) >= 1.0:
                part *= 0.5
                if part < 1e-6:
                    raise SolverError(
                        f"no steady state at {drive:.4g} {'mA/cm^2' if mode == 'current' else 'V'} "
                        f"(limiting current density {self._limit:.4g} mA/cm^2)"
                    )
                continue
            y, done, part = solved, done + part, 2.0 * part
        return y

    def _step(
        self, y: _Array, time_s: float, step_s: float, drive: Callable[[float], float], mode: str
    ) -> tuple[_Array | None, float]:
        """Take one step; return the new unknowns (None where Newton's method fails) and the largest error of a voltage."""
        stage_s = _GAMMA * step_s
        first = self._newton(y, y, stage_s, np.zeros(self._size), drive(time_s + stage_s), mode)
        if first is None:
            return None, math.inf
        known = (1.0 - _GAMMA) / _GAMMA * (self._mass @ (first - y))
        guess = y + (first - y) / _GAMMA
        second = self._newton(guess, y, stage_s, known, drive(time_s + step_s), mode)
        if second is None:
            return None, math.inf
        # the last unknown, j, follows from the voltages
        return second, float(np.abs(second - guess)[:-1].max())

    def _newton(
        self, guess: _Array, before: _Array, stage_s: float, known: _Array, drive: float, mode: str
    ) -> _Array | None:
        """Solve M (y - before) = known + stage f(y); the steady state for an infinite stage."""
        y = guess.copy()
        inverse = 1.0 / stage_s
        for _ in range(_MOST_NEWTON if math.isfinite(stage_s) else _MOST_STEADY):
            f, jacobian = self._evaluate(y, drive, mode)
            residual = inverse * (self._mass @ (y - before) - known) - f
            try:
                change = np.asarray(np.linalg.solve(inverse * self._mass - jacobian, residual), dtype=np.float64)
            except np.linalg.LinAlgError:
                return None
            largest = float(np.abs(change[:-1]).max())
            if not math.isfinite(largest):
                return None
            scale = min(self._damping(y, change), 0.1 / largest if largest > 0.1 else 1.0)
            y = y - scale * change
            if scale == 1.0 and largest < 1e-10 and abs(change[-1]) < 1e-9 * max(1.0, abs(y[-1])):
                return y
        return None

    def _damping(self, y: _Array, change: _Array) -> float:
        """Return the part of a Newton step that leaves a tenth of the salt at the emptier electrode."""
        u, du = self.depletion(y), self.depletion(change)
        left = 1.0 - abs(u)
        if left <= _LEAST_CONCENTRATION or 1.0 - abs(u - du) >= 0.1 * left:
            return 1.0
        return float(min(1.0, 0.9 * left / abs(du)))


def _response(rows: list[tuple[float, float, float, float]]) -> Response:
    time_s, voltage_V, current, depletion = np.array(rows).T
    return Response(time_s, voltage_V, current, depletion)
