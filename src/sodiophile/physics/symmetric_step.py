"""One step of constant current of a symmetric cell: its voltage in time, why it ends, and what it leaves behind.

The equations are those of `sodiophile.physics.symmetric`, whose cells make the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.surfaces import LEAST_AREA
from sodiophile.physics.transport import concentration_overpotential_V

if TYPE_CHECKING:
    from sodiophile.physics.symmetric import SymmetricCell

_Array = NDArray[np.float64]

STRIPPING_POINTS = 64
"""Points of the quadrature of a stripping."""

AREA_DEPTH = 5.0
"""What is left of a deposit beyond this many of its capacities of area adds less than 1 % to it."""

_THINNEST_DEPOSIT = 1e-6
_LEAST_CONCENTRATION = 1e-9
_PIT_ITERATIONS = 40
_EXHAUSTION_POINTS = 400
_SHORTLY = 1.05


def _stripping_grid(points: int) -> _Array:
    """Return parts of a deposit that are left, from 1 to almost 0: evenly to a tenth, then evenly in the logarithm."""
    return np.append(np.linspace(1.0, 0.1, points, endpoint=False), np.geomspace(0.1, _THINNEST_DEPOSIT, points // 2))


class Step:
    """One step of constant current, from the state of the cell at its beginning; made by `SymmetricCell.step`."""

    def __init__(self, cell: SymmetricCell, current_density_mA_cm2: float, plating: bool, carried: float) -> None:
        self.cell = cell
        self.j = current_density_mA_cm2
        self._moving = carried * current_density_mA_cm2
        self.plating = plating
        self.sign = 1.0 if plating else -1.0
        self._plated, self._stripped = (cell.working, cell.counter) if plating else (cell.counter, cell.working)
        self._resistance_ohm_cm2 = cell.electrolyte_resistance_ohm_cm2
        self._drive = self.sign * self._moving / cell.limiting_current_density_mA_cm2
        self._salt_time_s = cell.salt_time_s
        self._charges, self._deposits = self._stripping() if self._moving > 0 else self._resting()

    def _resting(self) -> tuple[_Array, _Array]:
        return np.zeros(1), np.array([self._stripped.deposit_mAh_cm2])

    def _stripping(self) -> tuple[_Array, _Array]:
        """Return the charge passed against the deposit left on the stripped electrode: quadrature of dq = (1-x) dQ / s."""
        start, metal = self._stripped.deposit_mAh_cm2, self._stripped.metal_mAh_cm2
        kept = 1.0 - self.cell.cell.electrode.dead_fraction.value
        if start <= 0 or float(self.cell.deposit_area(start)) <= LEAST_AREA / _THINNEST_DEPOSIT:
            charges, left = np.zeros(1), np.array([start])
        else:
            left = start * _stripping_grid(STRIPPING_POINTS)
            resistance = self._stripped.resistance_ohm_cm2 * self.cell._slower if metal > 0 else np.inf
            deposit = self.cell.deposit_area(left)
            charges = kept * (start - left)
            pitted = self.cell.cell.electrode.pit_area.value > 0 and metal > 0
            for _ in range(_PIT_ITERATIONS if pitted else 1):
                last = charges
                # pits depend on what was stripped from under the interphase, and that on the charges looked for
                pits = self.cell.pit_area(self._stripped.pit_mAh_cm2 + charges - kept * (start - left)) if pitted else 0.0
                _, share = self.cell.surface.shared(self.j, deposit + pits, resistance, 1.0, plating=False)
                # in the logarithm of what is left, where the integrand Q/s is smooth down to the end
                integrand = kept * left / (share * deposit / (deposit + pits))
                charges = np.append(0.0, np.cumsum(0.5 * (integrand[1:] + integrand[:-1]) * np.diff(-np.log(left))))
                if np.abs(charges - last).max() <= 1e-9 * charges[-1]:
                    break
        used = charges - kept * (start - left)
        if used[-1] >= metal:
            # the metal is used up first: from there on the deposit carries all
            end = float(np.interp(metal, used, charges))
            then = float(np.interp(end, charges, left))
            before = charges < end
            charges = np.append(charges[before], [end, end + kept * then])
            left = np.append(left[before], [then, 0.0])
        return charges, left

    def _states(self, times_s: _Array) -> tuple[_Array, ...]:
        """Return the deposits on the plated and the stripped electrode and the metal left under the latter, mAh/cm2."""
        charge = self._moving * times_s / 3600.0
        left = np.interp(charge, self._charges, self._deposits)
        dissolved = (1.0 - self.cell.cell.electrode.dead_fraction.value) * (self._stripped.deposit_mAh_cm2 - left)
        metal = self._stripped.metal_mAh_cm2 - (charge - dissolved)
        round_off = 1e-12 * (self._stripped.total_mAh_cm2 + charge)
        return self._plated.deposit_mAh_cm2 + charge, left, np.where(np.abs(metal) <= round_off, 0.0, metal)

    def _plated_area(self, times_s: _Array, grown: _Array) -> _Array:
        area = self.cell.deposit_area(grown)
        if self._plated.pit_mAh_cm2 > 0:
            filled = self._moving * times_s / 3600.0
            area = area + self.cell.pit_area(np.maximum(self._plated.pit_mAh_cm2 - filled, 0.0))
        return area

    def _stripped_area(self, left: _Array, metal: _Array) -> _Array:
        area = self.cell.deposit_area(left)
        if self.cell.cell.electrode.pit_area.value == 0:
            return area
        pits = self._stripped.pit_mAh_cm2 + self._stripped.metal_mAh_cm2 - metal
        return np.asarray(np.where(metal > 0, area + self.cell.pit_area(pits), area))

    def voltage_V(self, times_s: ArrayLike, cell_current_density_mA_cm2: ArrayLike | None = None) -> _Array:
        """Return the cell voltage at times since the beginning of the step; V, shape (n,), negative where the cell plates.

        Parameters
        ----------
        times_s
            s, shape (n,).
        cell_current_density_mA_cm2
            The current density through the electrodes at these times where it is less than that of the step (a short beside
            them takes the rest), shape (n,); deposits and salt are those of the part that the step says is carried.

        Returns
        -------
        ndarray
            Infinite, with its sign, where the salt or the metal is used up.
        """
        t = np.atleast_1d(np.asarray(times_s, dtype=float))
        j = np.full(t.size, self.j) if cell_current_density_mA_cm2 is None else np.asarray(cell_current_density_mA_cm2)
        others_V, plated_c = self._others(t, j)
        if self.j == 0:
            return others_V
        grown, _, _ = self._states(t)
        resistance = self._plated.resistance_ohm_cm2 * self.cell._slower
        plated_V, _ = self.cell.surface.shared(j, self._plated_area(t, grown), resistance, plated_c, plating=True)
        return np.asarray(others_V - self.sign * plated_V)

    def without_plating_V(self, times_s: ArrayLike) -> _Array:
        """Return what `voltage_V` does, less the overpotential of the electrode that is plated."""
        t = np.atleast_1d(np.asarray(times_s, dtype=float))
        return self._others(t, np.full(t.size, self.j))[0]

    def _others(self, t: _Array, j: _Array) -> tuple[_Array, _Array]:
        """Return the voltage of stripped electrode, electrolyte and concentration, and c/c0 at the plated electrode."""
        cell, e = self.cell, self.cell.cell.electrolyte
        depletion = cell.salt.during(t, self._drive, self._salt_time_s)
        working, counter = 1.0 - depletion, 1.0 + depletion
        concentration_V = concentration_overpotential_V(
            working,
            np.maximum(counter, 0.0),
            cell.temperature_K,
            e.transference_number.value,
            z=cell.z,
            thermodynamic_factor=e.thermodynamic_factor.value,
            ions_per_cation=e.ions_per_cation.value,
        )
        if self.j == 0:
            return -concentration_V, working
        plated_c, stripped_c = (working, counter) if self.plating else (counter, working)
        _, left, metal = self._states(t)
        empty = (plated_c <= 0) | (stripped_c <= 0) | ((metal <= 0) & (left <= 0))
        resistance = np.where(metal > 0, self._stripped.resistance_ohm_cm2 * cell._slower, np.inf)
        stripped_c = np.maximum(stripped_c, _LEAST_CONCENTRATION)
        area = self._stripped_area(left, metal)
        stripped_V, _ = cell.surface.shared(j, area, resistance, stripped_c, plating=False)
        with np.errstate(invalid="ignore"):
            voltage_V = -self.sign * (stripped_V + 1e-3 * j * self._resistance_ohm_cm2) - concentration_V
        return np.where(empty, -self.sign * np.inf, voltage_V), np.maximum(plated_c, _LEAST_CONCENTRATION)

    def exhausted(self, duration_s: float) -> str:
        """Return why the voltage has no bound within the step, in words; nothing if it has one."""
        if self.j == 0:
            return ""
        cell = self.cell
        times_s = np.linspace(0.0, duration_s, _EXHAUSTION_POINTS)
        for _ in range(2):
            depletion = np.abs(cell.salt.during(times_s, self._drive, self._salt_time_s))
            _, left, metal = self._states(times_s)
            without_salt, without_metal = np.asarray(depletion >= 1.0), np.asarray((metal <= 0) & (left <= 0))
            first = int((without_salt | without_metal).argmax())
            if first > 0:
                times_s = np.linspace(times_s[first - 1], times_s[first], _EXHAUSTION_POINTS)
        if without_salt.any():
            return (
                f"the salt at one electrode is used up after {times_s[int(without_salt.argmax())]:.4g} s at {self.j:g} "
                f"mA/cm^2, above the limiting current density of {cell.limiting_current_density_mA_cm2:.4g} mA/cm^2"
            )
        if without_metal.any():
            return f"the metal to strip is used up after {times_s[int(without_metal.argmax())]:.4g} s at {self.j:g} mA/cm^2"
        return ""

    @property
    def polarization(self) -> str:
        """What the voltage is made of before anything has run out, in words."""
        ohmic_V = 1e-3 * self.j * self._resistance_ohm_cm2
        return (
            f"at {self.j:g} mA/cm^2 polarization alone is that high, {ohmic_V:.3g} V of it in the electrolyte, the rest at "
            "the electrodes and in what covers them"
        )

    def finish(self, duration_s: float) -> None:
        """Let the step pass: move the cell to its end."""
        cell, j = self.cell, self._moving
        use = cell.cell.electrode.interphase_metal_use.value
        both = (self._plated, self._stripped)
        thicker = [cell.grown_ohm_cm2(state.resistance_ohm_cm2, j, duration_s) for state in both]
        cell.salt.advance(duration_s, self._drive, self._salt_time_s)
        if j > 0:
            self._move_metal(duration_s, use)
        for state, resistance in zip(both, thicker, strict=True):
            taken = min(use * (resistance - state.resistance_ohm_cm2), state.metal_mAh_cm2)
            state.resistance_ohm_cm2 = resistance
            state.metal_mAh_cm2 -= taken
            state.interphase_mAh_cm2 += taken

    def _move_metal(self, duration_s: float, use: float) -> None:
        cell, e = self.cell, self.cell.cell.electrode
        grown, left, metal = (float(entry[0]) for entry in self._states(np.array([duration_s])))
        # the inner surface of a layer is lost as its pores fill, what its interphase took up is not won back
        fresh = max(float(cell.deposit_area(grown) - cell.deposit_area(self._plated.deposit_mAh_cm2)), 0.0)
        taken = min(use * e.deposit_interphase_resistance.value * fresh, grown)
        self._plated.deposit_mAh_cm2 = grown - taken
        self._plated.interphase_mAh_cm2 += taken
        self._plated.pit_mAh_cm2 = max(self._plated.pit_mAh_cm2 - self._moving * duration_s / 3600.0, 0.0)
        dead = self._stripped.deposit_mAh_cm2 - left
        self._stripped.dead_mAh_cm2 += e.dead_fraction.value * dead
        self._stripped.pit_mAh_cm2 += self._stripped.metal_mAh_cm2 - metal if e.pit_area.value > 0 else 0.0
        buried = max(left - AREA_DEPTH * e.deposit_area_capacity.value, 0.0)
        self._stripped.deposit_mAh_cm2 = left - buried
        self._stripped.metal_mAh_cm2 = metal + buried


def ended_by(step: Step, lasted_s: float, which: str, limit_V: float) -> str:
    """Return a sentence that says that a step reached a voltage limit before its time, and why.

    Parameters
    ----------
    step
        The step, before it is finished.
    lasted_s
        When the limit was reached, s.
    which
        What the step is, in words.
    limit_V
        The limit, V.
    """
    # the voltage passes a limit shortly before salt or metal is quite used up
    reason = step.exhausted(_SHORTLY * lasted_s) or step.polarization
    return f"simulated: {which} ended at {limit_V:g} V: {reason}"
