r"""A full cell: a porous insertion electrode against a metal electrode with interphase, deposit and interlayer.

Between the faces lie the dead metal, the interlayer if there is one, the separator and the porous electrode. The
electrolyte is a concentrated binary one (J. Newman), the porous electrode that of M. Doyle, T. F. Fuller and J. Newman:

.. math::

    \varepsilon\,c_t &= (\varepsilon^bDc_x)_x + \frac{1-t_+}{F}i_x\\
    i &= -\kappa\varepsilon^b\Big[\phi_x
         - \frac{\nu}{\nu_+}\frac{RT}{F}(1-t_+)\big(1+\tfrac{d\ln f}{d\ln c}\big)(\ln c)_x\Big]\\
    i_x &= a\,[\,j + C(\phi_s-\phi)_t\,] = (\sigma\phi_{s,x})_x\\
    \phi_s-\phi &= U(x_s) + \frac{2RT}{F}\operatorname{arsinh}\frac{j}{2j_0},\qquad
    j_0 = 2j_{0,ref}\sqrt{\tfrac{c}{c_0}x_s(1-x_s)}

with diffusion in spheres, :math:`x_t = r^{-2}(Dr^2x_r)_r`, filled at the surface by :math:`-j/F`. At the metal the
current is shared by the metal under its interphase (b) and the deposit (d) of real area :math:`a_d`, as in
`sodiophile.physics.symmetric`, each an interphase with its capacitance in series with charge transfer and double layer:

.. math::

    i = i_b + a_d(Q_d)\,i_d,\qquad \eta = u_k + e_k,\qquad
    i_k = \frac{u_k}{R_k} + C_{int}\dot u_k = j_0\Big(\frac{c_s}{c_0}\Big)^{1-\alpha}
    \big[e^{(1-\alpha)fe_k}-e^{-\alpha fe_k}\big] + C_{dl}\dot e_k

or with the rate of Marcus, Hush and Chidsey, where the metal states its reorganization energy.

The inner surface of an interlayer that conducts electrons counts as area of the deposit, as there, and the whole layer as
a path for ions. Charging plates, all of it as deposit; discharge strips the deposit and what is under the interphase side
by side and cuts off a part of the deposit as dead metal, a layer through which the ions must pass. Once the deposit is used
up, the current moves under the interphase and the voltage falls in a step. The interphase grows, and takes up metal, as in
a symmetric cell. Rates, holds, ageing and impedance come from this one state; the impedance is its linearization.

References
----------
M. Doyle, T. F. Fuller, J. Newman, J. Electrochem. Soc. 140 (1993) 1526, doi 10.1149/1.2221597.
J. Newman, K. E. Thomas-Alyea, Electrochemical Systems, 3rd ed. (Wiley, 2004), chapters 12 and 22.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell
from sodiophile.physics.constants import A_m2_PER_mA_cm2, FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.parts import Cathode
from sodiophile.physics.porous_layout import (
    Ageing,
    Grid,
    Layout,
    cathode_potential_V,
    electrolyte_tables,
    full_cell_cathode,
)
from sodiophile.physics.porous_stretch import Stretch, no_room, used_up, words_of
from sodiophile.physics.symmetric import ElectrodeState, SymmetricCell

_Array = NDArray[np.float64]

LEFT_OUT = [
    "phase boundaries within the particles: two phases are taken as one solution with a flat plateau",
    "a distribution of particle sizes, and change of volume",
    "heat: the cell keeps its temperature",
    "nucleation and pits on the metal, dendrites and shorts",
    "a current in the depth of an interlayer that is not linear in the overpotential",
    "use of salt and solvent by the interphase",
]
"""What the model does not have, one sentence each."""

_C_m2_PER_mAh_cm2 = 3.6e4
_OHM_M2 = 1e-4  # in 1 ohm cm2
_MOST_ROWS = 20_000
_SHORTEST_STEP_s = 0.01
_REST_STEP_s = 1e-3
_GONE_mAh_cm2 = 1e-6
_AREA_DEPTH = 5.0
_EMPTY = 0.01
_AREA_POINTS = 600
_LEAST_LOADING_mg_cm2 = 1e-3


class PorousCell:
    """A full cell in some state; it begins at rest, discharged, with pristine metal.

    Parameters
    ----------
    cell
        Metal electrode, interlayer, separator, electrolyte and temperature.
    cathode
        The insertion electrode; that of `cell` if not given.
    loading_mg_cm2
        Active material per area, if not that of `cathode`; the thickness follows.
    ageing
        What use does to the insertion electrode.
    filling
        Of the sites at the beginning.
    grid
        How finely the cell is resolved.

    Raises
    ------
    InputError
        If there is no insertion electrode, its reactions are not symmetric, or a value is out of bounds.
    """

    def __init__(
        self,
        cell: Cell,
        cathode: Cathode | None = None,
        *,
        loading_mg_cm2: float | None = None,
        ageing: Ageing | None = None,
        filling: float = 0.998,
        grid: Grid | None = None,
    ) -> None:
        self.cathode = full_cell_cathode(cell, cathode)
        if not 0 < filling < 1:
            raise InputError(f"found {filling:g}, expected a part between 0 and 1", "filling")
        self.cell = cell
        self.ageing = ageing or Ageing()
        self.grid = grid or Grid()
        self.loading_mg_cm2 = self.cathode.loading.value if loading_mg_cm2 is None else loading_mg_cm2
        if not _LEAST_LOADING_mg_cm2 <= self.loading_mg_cm2 <= 1000:
            raise InputError(
                f"found {self.loading_mg_cm2:g} mg/cm^2, expected {_LEAST_LOADING_mg_cm2:g} to 1000; it is the active mass "
                "over the area",
                "loading",
            )
        from sodiophile.physics._surfaces_kernel import TABLE_STEP

        e = cell.electrode
        self._metal_laws = SymmetricCell(cell)
        self.metal = ElectrodeState(e.interphase_resistance.value, e.metal_capacity.value)
        self.contact_ohm_cm2 = self.ageing.contact_ohm_cm2
        self.active = 1.0
        self._layout = Layout(cell, self.cathode, self.loading_mg_cm2, self.grid)
        self._tables = electrolyte_tables(cell)
        deposit_mAh_cm2 = np.append(0.0, e.deposit_area_capacity.value * np.geomspace(1e-6, 1e4, _AREA_POINTS))
        areas = self._metal_laws.deposit_area(deposit_mAh_cm2)
        behind = self._metal_laws.surface.hindrance
        behind = behind if behind.size else np.zeros(1)
        drive = TABLE_STEP * np.arange(behind.size)
        self._metal_tables = (deposit_mAh_cm2 * _C_m2_PER_mAh_cm2, areas, drive, behind)
        m, before = self.grid.electrode, self._layout.separator_cells
        self._y = np.zeros(5 + 2 * before + 4 * m)
        self._c = np.append(5 + 2 * np.arange(before), 5 + 2 * before + 4 * np.arange(m))
        self._x = self._c[before:] + 3
        self._y[self._c] = 1.0
        self._y[self._x] = filling
        self._y[self._x - 1] = float(cathode_potential_V(filling, self.cathode))
        self._particles = np.full((m, self.grid.particle), filling)

    @property
    def capacity_mAh_cm2(self) -> float:
        """Charge that fills all sites that still take part."""
        part = self.cathode.accessible_fraction.value * self.active
        return self.cathode.specific_capacity.value * self.loading_mg_cm2 * part / 1e3

    @property
    def filling(self) -> float:
        """Mean filling of the sites."""
        inside = self._particles @ self._layout.shell_volume / self._layout.shell_volume.sum()
        widths = self._layout.widths_m[self._layout.separator_cells :]
        return float(inside @ widths / widths.sum())

    @property
    def mean_concentration_mol_m3(self) -> float:
        """Mean concentration of the salt; it does not change."""
        pores = self._layout.porosity * self._layout.widths_m
        return float(self.cell.electrolyte.concentration.value * 1e3 * pores @ self._y[self._c] / pores.sum())

    @property
    def open_circuit_V(self) -> float:
        """Equilibrium potential at the mean filling."""
        return float(cathode_potential_V(self.filling, self.cathode))

    def charge(self, current_density_mA_cm2: float, upper_V: float | None, duration_s: float = np.inf) -> Stretch:
        """Charge at a constant current density (above 0) until a voltage or a time is reached; return what was seen."""
        return self._constant(_positive(current_density_mA_cm2), upper_V, duration_s)

    def discharge(self, current_density_mA_cm2: float, lower_V: float | None, duration_s: float = np.inf) -> Stretch:
        """Discharge at a constant current density (above 0) until a voltage or a time is reached; return what was seen."""
        return self._constant(-_positive(current_density_mA_cm2), lower_V, duration_s)

    def rest(self, duration_s: float) -> Stretch:
        """Leave the cell alone."""
        return self._drive(0, 0.0, 0, duration_s, _REST_STEP_s, None, 0, 0.0)

    def hold(self, voltage_V: float, cut_off_mA_cm2: float, duration_s: float = np.inf) -> Stretch:
        """Hold a voltage until the current density has fallen to a cut-off or a time has passed."""
        stripping = 1 if self._y[4] > 0 else -1
        cut_off = _positive(cut_off_mA_cm2)
        if duration_s == np.inf:
            duration_s = 2.0 * self.capacity_mAh_cm2 / cut_off * 3600.0
        return self._drive(1, voltage_V, stripping, duration_s, _SHORTEST_STEP_s, None, 0, cut_off)

    def _constant(self, j_mA_cm2: float, limit_V: float | None, duration_s: float) -> Stretch:
        direction = 1 if j_mA_cm2 > 0 else -1
        if duration_s == np.inf:
            # nothing lasts longer than to fill or empty all sites twice
            duration_s = 2.0 * self.capacity_mAh_cm2 / abs(j_mA_cm2) * 3600.0
        value = -A_m2_PER_mA_cm2 * j_mA_cm2
        return self._drive(0, value, -direction, duration_s, _SHORTEST_STEP_s, limit_V, direction, 0.0)

    def _drive(
        self,
        mode: int,
        value: float,
        stripping: int,
        duration_s: float,
        first_s: float,
        limit_V: float | None,
        direction: int,
        cut_off_mA_cm2: float,
    ) -> Stretch:
        from sodiophile.physics import _porous_kernel as kernel

        if not 0 < duration_s < np.inf:
            raise InputError(f"found {duration_s:g} s, expected more than 0", "duration")
        layout = self._layout
        parts: list[tuple[_Array, ...]] = []
        limits = (0.0 if limit_V is None else limit_V, 0 if limit_V is None else direction)
        begun_s, code, before = 0.0, kernel.DONE, self.filling
        share = self.ageing.efficiency if stripping < 0 else 1.0
        while True:
            deposit_mAh_cm2 = self.metal.deposit_mAh_cm2
            self._y[0] = deposit_mAh_cm2 * _C_m2_PER_mAh_cm2
            out = tuple(np.empty(_MOST_ROWS) for _ in range(4))
            parameters = self._parameters(stripping=stripping >= 0)
            code, rows = kernel.advance(
                self._y, self._particles, parameters, layout.widths_m, layout.porosity, layout.effective,
                layout.separator_cells, self._tables, self._metal_tables, layout.shell_rate, layout.shell_volume,
                layout.surface * share, layout.outer * np.array([1.0, 1.0, share]), mode, value, stripping,
                duration_s - begun_s, first_s, max(duration_s / 20.0, first_s), self.grid.tolerance, *limits,
                A_m2_PER_mA_cm2 * cut_off_mA_cm2, self.metal.metal_mAh_cm2 * _C_m2_PER_mAh_cm2, *out,
            )  # fmt: skip
            t, v, i, c = (column[:rows] for column in out)
            # the state that another part begins with is the end of the part before
            parts.append(tuple(column[min(len(parts), 1) :] for column in (begun_s + t, v, i, c)))
            begun_s += float(t[-1])
            self._move_metal(float(np.trapezoid(i, t)) / _C_m2_PER_mAh_cm2, stripping)
            if code != kernel.METAL_GONE or self.metal.deposit_mAh_cm2 < _GONE_mAh_cm2:
                break
            # nothing is left under the interphase: the deposit carries what follows
            self.metal.metal_mAh_cm2 = 0.0
        time, voltage, current, salt = (np.concatenate([part[k] for part in parts]) for k in range(4))
        ended = {kernel.DONE: "duration", kernel.LIMIT: "limit", kernel.CUT_OFF: "cut-off", kernel.SALT_GONE: "salt"}.get(
            code, "metal" if code == kernel.METAL_GONE or self._without_metal else "solver"
        )
        reason = used_up(ended, float(salt[-1]), without_metal=stripping > 0 and self._without_metal)
        if ended == "limit" and not reason:
            reason = self._no_room(-float(current[-1]) / A_m2_PER_mA_cm2, abs(self.filling - before), float(voltage[-1]))
        words = words_of(ended, float(time[-1]), float(voltage[-1]), self.filling, reason)
        self._age(
            float(time[-1]), float(np.trapezoid(np.abs(current), time)) / _C_m2_PER_mAh_cm2, abs(self.filling - before)
        )
        return Stretch(time, voltage, -current / A_m2_PER_mA_cm2, salt, ended, words, reason)

    @property
    def _dead_thickness_m(self) -> float:
        molar_volume = self.cell.properties.molar_volume_m3_mol
        dense_m = self.metal.dead_mAh_cm2 * _C_m2_PER_mAh_cm2 * molar_volume / FARADAY_C_mol
        return dense_m / (1.0 - self.cell.electrode.dead_porosity.value)

    @property
    def _without_metal(self) -> bool:
        return self.metal.metal_mAh_cm2 + self.metal.deposit_mAh_cm2 < _EMPTY * self.capacity_mAh_cm2

    def _move_metal(self, passed_mAh_cm2: float, stripping: int) -> None:
        """Keep the books of the metal; `passed_mAh_cm2` is positive where metal was stripped."""
        metal, e = self.metal, self.cell.electrode
        before, left = metal.deposit_mAh_cm2, max(float(self._y[0]) / _C_m2_PER_mAh_cm2, 0.0)
        metal.deposit_mAh_cm2 = left
        if stripping < 0:
            # new deposit has its own interphase, made of it
            fresh = float(self._metal_laws.deposit_area(left) - self._metal_laws.deposit_area(before))
            taken = min(e.interphase_metal_use.value * e.deposit_interphase_resistance.value * fresh, left)
            metal.deposit_mAh_cm2 -= taken
            metal.interphase_mAh_cm2 += taken
        if stripping > 0:
            dead = e.dead_fraction.value * (before - left)
            metal.dead_mAh_cm2 += dead
            metal.metal_mAh_cm2 -= passed_mAh_cm2 - (before - left - dead)
            # what lies deeper than counts for the area is metal under the interphase again
            buried = max(left - _AREA_DEPTH * e.deposit_area_capacity.value, 0.0)
            metal.deposit_mAh_cm2 -= buried
            metal.metal_mAh_cm2 += buried
            concentration = self._y[self._c]
            self._layout.thicken(self._dead_thickness_m, concentration)
            self._y[self._c] = concentration

    def _age(self, duration_s: float, charge_mAh_cm2: float, swing: float) -> None:
        metal = self.metal
        j = charge_mAh_cm2 / (duration_s / 3600.0) if duration_s > 0 else 0.0
        grown = self._metal_laws.grown_ohm_cm2(metal.resistance_ohm_cm2, j, duration_s)
        taken = self.cell.electrode.interphase_metal_use.value * (grown - metal.resistance_ohm_cm2)
        taken = min(taken, max(metal.metal_mAh_cm2, 0.0))
        metal.resistance_ohm_cm2 = grown
        metal.metal_mAh_cm2 -= taken
        metal.interphase_mAh_cm2 += taken
        # the swing of one half cycle is half of a charge and discharge
        self.active *= 1.0 - 0.5 * swing * self.ageing.active_loss
        self.contact_ohm_cm2 += 0.5 * swing * self.ageing.resistance_growth_ohm_cm2

    def _no_room(self, j_mA_cm2: float, moved: float, limit_V: float) -> str:
        """Return why a limit was met before a hundredth of the sites had been used, in words; nothing if later."""
        if moved >= _EMPTY:
            return ""
        size, charging, metal, layout = abs(j_mA_cm2), j_mA_cm2 > 0, self.metal, self._layout
        under = metal.resistance_ohm_cm2 / self.cell.factor(self.cell.electrode.interphase_activation_energy)
        of_metal_V, _ = self._metal_laws.surface.shared(
            size,
            self._metal_laws.deposit_area(metal.deposit_mAh_cm2),
            under if metal.metal_mAh_cm2 > 0 or charging else np.inf,
            1.0,
            plating=charging,
        )
        electrolyte = self.cell.electrolyte
        path_m = float(np.sum((layout.widths_m / layout.effective)[: layout.separator_cells]))
        conductivity_S_m = 0.1 * electrolyte.conductivity.value * self.cell.factor(electrolyte.activation_energy)
        of_salt_V = A_m2_PER_mA_cm2 * size * path_m / conductivity_S_m
        return no_room(size, float(of_metal_V), of_salt_V, abs(limit_V - self.open_circuit_V))

    def impedance_ohm_cm2(self, frequency_Hz: ArrayLike) -> NDArray[np.complex128]:
        """Return the impedance at rest in the present state, ohm cm2, shape of `frequency_Hz`: the linearized equations.

        Raises
        ------
        InputError
            If a frequency is not positive.
        """
        from scipy.linalg import solve_banded

        from sodiophile.physics import _porous_kernel as kernel

        frequency = np.atleast_1d(np.asarray(frequency_Hz, dtype=float))
        if not np.all((frequency > 0) & np.isfinite(frequency)):
            raise InputError(f"found {frequency.min():g} Hz, expected more than 0 Hz", "frequency")
        p, n, layout = self._parameters(), self._y.size, self._layout
        y = self._y.copy()
        base, residual = y[self._x].copy(), np.empty(n)

        def jacobian(lead: float, stiffness: float) -> _Array:
            ab = np.empty((2 * kernel.BAND + 1, n))
            kernel.assemble(
                y, np.zeros(n), lead, base, stiffness, 0, 0.0, 0, p, layout.widths_m, layout.porosity, layout.effective,
                layout.separator_cells, self._tables, self._metal_tables, residual, ab,
            )  # fmt: skip
            return ab

        still = jacobian(0.0, 0.0)
        moving, reacting = jacobian(1.0, 0.0) - still, jacobian(0.0, 1.0) - still
        rate = layout.shell_rate
        inside = np.diag(rate[:-1] + rate[1:]) - np.diag(rate[1:-1], 1) - np.diag(rate[1:-1], -1)
        drive = np.zeros(layout.shell_volume.size)
        drive[-1] = -layout.surface
        tail = 0.5 * layout.widths_m[-1] / p[kernel.SIGMA] + p[kernel.R_CONTACT]
        Z = np.empty(frequency.size, dtype=complex)
        for k, omega in enumerate(2j * np.pi * frequency):
            unit = np.linalg.solve(omega * np.diag(layout.shell_volume) + inside, drive)
            stiffness = -1.0 / (layout.outer[0] * unit[-1] + layout.outer[1] * unit[-2] + layout.outer[2])
            right = np.zeros(n, dtype=complex)
            right[n - 2] = -1.0
            answer = solve_banded(
                (kernel.BAND, kernel.BAND), still + omega * moving + stiffness * reacting, right, check_finite=False
            )
            Z[k] = tail - answer[n - 2]
        return np.asarray(Z.reshape(np.shape(frequency_Hz) or (1,)) / _OHM_M2)

    def _parameters(self, *, stripping: bool = True) -> _Array:
        from sodiophile.physics import _porous_kernel as kernel

        cell, cathode, e = self.cell, self.cathode, self.cell.electrode
        T, electrolyte, metal = cell.temperature.value, cell.electrolyte, self.metal
        f = FARADAY_C_mol / (GAS_J_mol_K * T)
        transference = electrolyte.transference_number.value
        slower = 1.0 / cell.factor(e.interphase_activation_energy)
        active = cathode.active_fraction * cathode.accessible_fraction.value * self.active
        p = np.zeros(kernel.PARAMETERS)
        p[kernel.F_RT] = f
        p[kernel.FARADAY] = FARADAY_C_mol
        p[kernel.C_MEAN] = electrolyte.concentration.value * 1e3
        p[kernel.SALT] = 1.0 - transference
        p[kernel.DIFFUSION_V] = (
            electrolyte.ions_per_cation.value * (1.0 - transference) * electrolyte.thermodynamic_factor.value / f
        )
        p[kernel.METAL_J0] = e.exchange_current_density.value * 10.0 * cell.factor(e.exchange_activation_energy)
        p[kernel.METAL_ALPHA] = e.transfer_coefficient.value
        p[kernel.R_METAL] = metal.resistance_ohm_cm2 * slower * _OHM_M2
        p[kernel.R_DEPOSIT] = e.deposit_interphase_resistance.value * slower * _OHM_M2
        # a film: what its resistance gains its capacitance loses
        film = e.interphase_resistance.value * e.interphase_capacitance.value
        for place, resistance in (
            (kernel.C_ON_METAL, metal.resistance_ohm_cm2),
            (kernel.C_ON_DEPOSIT, e.deposit_interphase_resistance.value),
        ):
            known = film > 0 and resistance > 0
            p[place] = 1e-2 * (film / resistance if known else e.interphase_capacitance.value)
        p[kernel.C_METAL] = e.double_layer_capacitance.value * 1e-2
        p[kernel.METAL_LEFT] = 1.0 if metal.metal_mAh_cm2 > 0 or not stripping else 0.0
        p[kernel.KEPT] = 1.0 - e.dead_fraction.value
        p[kernel.CATHODE_J0] = (
            cathode.exchange_current_density.value * 10.0 * cell.factor(cathode.exchange_activation_energy)
        )
        p[kernel.CATHODE_C] = cathode.double_layer_capacitance.value * 1e-2
        p[kernel.CATHODE_AREA] = 3.0 * active / (cathode.particle_radius.value * 1e-9)
        p[kernel.SIGMA] = cathode.electronic_conductivity.value
        p[kernel.R_CONTACT] = self.contact_ohm_cm2 * _OHM_M2
        p[kernel.PLATEAU] = cathode.plateau.value
        p[kernel.SOFTNESS] = cathode.softness.value
        return p


def _positive(current_density_mA_cm2: float) -> float:
    if not 0 < current_density_mA_cm2 < np.inf:
        raise InputError(f"found {current_density_mA_cm2:g} mA/cm^2, expected more than 0", "current_density")
    return float(current_density_mA_cm2)
