r"""A symmetric metal cell in time: two electrodes with interphase, deposit and dead metal, and the electrolyte between.

Each electrode carries its current on two surfaces in parallel, the metal under the old interphase (b) and the deposit of
plating (d), of real area :math:`a_d = a_{max}(1-e^{-Q_d/Q_a})` per geometric area:

.. math:: j = j_b + a_dj_d,\qquad \eta = \eta_{BV}(j_b) + j_bR_b = \eta_{BV}(j_d) + j_dR_d

All metal that is plated is deposit, :math:`\dot Q_d = j`. Stripping takes the part s = a_d j_d / j of the current from it,
and cuts off a part x of what it dissolves, which stays as a layer of dead metal:

.. math:: \dot Q_d = -\frac{s(Q_d)\,j}{1-x},\qquad
          \dot L_{dead} = \frac{x}{1-x}\,s\,j\,\frac{V_m}{zF(1-\varepsilon_{dead})}

Metal stripped from under the interphase leaves pits of real area :math:`a_p = a_{p,max}(1-e^{-Q_p/Q_{pa}})`, fresh metal
like the deposit and in parallel with it, which plating fills again. The inner surface of an interlayer that conducts
electrons counts as more area of deposit until metal fills its pores (`sodiophile.physics.interlayer`). What stripping
leaves of a deposit beyond 5 Q_a, which adds less than 1 % to the area, counts as metal under the interphase again. Once
the deposit is used up the current moves to the metal under the interphase, and the voltage rises: a pristine cell shows
its highest voltage first, a cycled one starts low and ends high. Once the metal under the interphase is used up, the
deposit carries all; once both are, the voltage has no bound. The interphase grows by diffusion, slower the thicker it is,
and by cracking: :math:`\dot R_b = k/R_b + k_q|j|`, both faster in the warm; it takes up metal in proportion. The
electrolyte adds :math:`j\sum L/\kappa\varepsilon^b` and the concentration cell of `sodiophile.physics.transport`; dead
metal is a further layer of it. The salt at a surface changes the exchange current density by
:math:`(c_s/c_0)^{1-\alpha}`. The cell voltage is the sum over both electrodes and the electrolyte.

References
----------
K. N. Wood et al., ACS Cent. Sci. 2 (2016) 790, doi 10.1021/acscentsci.6b00260.
K.-H. Chen et al., J. Mater. Chem. A 5 (2017) 11671, doi 10.1039/C7TA00371D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.cell import Cell
from sodiophile.physics.constants import C_PER_mAh, FARADAY_C_mol, inverse_thermal_voltage_1_V
from sodiophile.physics.interlayer import LayerSurface
from sodiophile.physics.kinetics import charge_transfer_resistance_ohm_cm2
from sodiophile.physics.surfaces import LEAST_AREA, Branch, Surface
from sodiophile.physics.symmetric_step import Step
from sodiophile.physics.transport import (
    PorousLayer,
    SaltProfile,
    limiting_current_density_mA_cm2,
    relaxation_time_s,
)
from sodiophile.quantity import Quantity

_Array = NDArray[np.float64]

_GROWTH_STEPS = 8

LEFT_OUT = [
    "double layer and interphase capacitance (over within a second)",
    "nucleation on the cycled electrodes: deposits and pits grow from their first charge",
    "use of salt and solvent by the interphase",
    "a current in the depth of an interlayer that is not linear in the overpotential",
    "change of conductivity, diffusivity and transference number with concentration",
    "local current and short circuits by dendrites, unless set as an event or given as shorts of the cell",
]
"""What the model does not have, one sentence each."""


@dataclass
class ElectrodeState:
    """What an electrode remembers.

    Parameters
    ----------
    resistance_ohm_cm2
        Of the interphase on the metal, at the reference temperature.
    deposit_mAh_cm2, metal_mAh_cm2, dead_mAh_cm2, interphase_mAh_cm2
        Deposit, metal under the interphase, dead metal, and metal that the interphase took up. Their sum changes by the
        charge passed alone.
    pit_mAh_cm2
        What pits in the metal under the interphase hold no more.
    """

    resistance_ohm_cm2: float
    metal_mAh_cm2: float
    deposit_mAh_cm2: float = 0.0
    dead_mAh_cm2: float = 0.0
    interphase_mAh_cm2: float = 0.0
    pit_mAh_cm2: float = 0.0

    @property
    def total_mAh_cm2(self) -> float:
        """All metal, live, dead and reacted."""
        return self.metal_mAh_cm2 + self.deposit_mAh_cm2 + self.dead_mAh_cm2 + self.interphase_mAh_cm2


class SymmetricCell:
    """Two equal electrodes, the working and the counter electrode, cycled at constant current.

    Parameters
    ----------
    cell
        The parameters.
    """

    def __init__(self, cell: Cell) -> None:
        e, electrolyte, metal = cell.electrode, cell.electrolyte, cell.properties
        self.cell = cell
        self.z = metal.z
        self.temperature_K = cell.temperature.value
        self.surface = Surface(
            e.exchange_current_density.value * cell.factor(e.exchange_activation_energy),
            e.transfer_coefficient.value,
            e.deposit_interphase_resistance.value / cell.factor(e.interphase_activation_energy),
            self.temperature_K,
            self.z,
            None
            if e.reorganization_energy is None
            else e.reorganization_energy.value * inverse_thermal_voltage_1_V(self.temperature_K),
        )
        self._slower = 1.0 / cell.factor(e.interphase_activation_energy)
        self._faster = cell.factor(electrolyte.activation_energy)
        self._conductivity_S_m = electrolyte.conductivity.value * 0.1 * self._faster
        self._diffusivity_m2_s = electrolyte.diffusivity.value * self._faster
        self._thickness_m_per_mAh_cm2 = 1e4 * C_PER_mAh * metal.molar_volume_m3_mol / (self.z * FARADAY_C_mol)
        self._layer = self._layer_surface()
        layer = cell.interlayer
        self._layer_capacity_mAh_cm2 = np.inf if layer is None else layer.fill_capacity_mAh_cm2(metal)
        self.working = self._pristine()
        self.counter = self._pristine()
        self.salt = SaltProfile()

    def _pristine(self) -> ElectrodeState:
        e = self.cell.electrode
        return ElectrodeState(e.interphase_resistance.value, e.metal_capacity.value)

    def deposit_area(self, deposit_mAh_cm2: ArrayLike) -> _Array:
        """Return the real area of a deposit per geometric area, with what it wets of the inner surface of a layer."""
        return self._on_top_area(deposit_mAh_cm2) + self._layer_area(deposit_mAh_cm2)

    def _on_top_area(self, deposit_mAh_cm2: ArrayLike) -> _Array:
        return _saturating(deposit_mAh_cm2, self.cell.electrode.deposit_area, self.cell.electrode.deposit_area_capacity)

    def _layer_surface(self) -> LayerSurface | None:
        """Return the inner surface of an interlayer that conducts electrons; none if there is no such layer."""
        layer = self.cell.interlayer
        if layer is None or layer.electronic_conductivity is None or layer.specific_area is None:
            return None
        if layer.electronic_conductivity.value == 0:
            return None
        solid = 1e4 * layer.thickness.value * 1e-6 / layer.electronic_conductivity.value
        pores = 1e4 * layer.porous.path_m / self._conductivity_S_m
        return LayerSurface(layer.specific_area.value * layer.thickness.value, pores + solid)

    def _open_part(self, deposit_mAh_cm2: ArrayLike) -> _Array:
        """Return the part of the inner surface of the layer that metal wets and does not yet fill."""
        charge = np.asarray(deposit_mAh_cm2, dtype=float)
        wetted = -np.expm1(-charge / self.cell.electrode.deposit_area_capacity.value)
        return np.asarray(wetted * np.maximum(1.0 - charge / self._layer_capacity_mAh_cm2, 0.0))

    def _layer_area(self, deposit_mAh_cm2: ArrayLike) -> _Array:
        """Return what the inner surface of the layer is worth in direct current at rest, per geometric area."""
        if self._layer is None:
            return np.zeros_like(np.asarray(deposit_mAh_cm2, dtype=float))
        fresh_ohm_cm2 = self.surface.deposit_resistance_ohm_cm2 + float(
            charge_transfer_resistance_ohm_cm2(self.surface.exchange_current_density_mA_cm2, self.temperature_K, z=self.z)
        )
        return self._layer.area(fresh_ohm_cm2, self._open_part(deposit_mAh_cm2))

    def pit_area(self, pit_mAh_cm2: ArrayLike) -> _Array:
        """Return the real area of pits per geometric area."""
        return _saturating(pit_mAh_cm2, self.cell.electrode.pit_area, self.cell.electrode.pit_area_capacity)

    def branches(self, state: ElectrodeState) -> list[Branch]:
        """Return the surfaces of an electrode in its state, with their capacitances: what its impedance is made of.

        The capacitance of an interphase is that of a film: as its resistance grows, their product stays.
        """
        e = self.cell.electrode
        fresh = float(self._on_top_area(state.deposit_mAh_cm2))
        fresh += float(self.pit_area(state.pit_mAh_cm2)) if state.metal_mAh_cm2 > 0 else 0.0
        entries = [(1.0, state.resistance_ohm_cm2)] if state.metal_mAh_cm2 > 0 else []
        entries += [(fresh, e.deposit_interphase_resistance.value)] if fresh > LEAST_AREA else []
        product = e.interphase_resistance.value * e.interphase_capacitance.value
        found = [self._branch(area, resistance, product) for area, resistance in entries]
        inside = float(self._layer_area(state.deposit_mAh_cm2))
        if inside > LEAST_AREA:
            part = float(self._open_part(state.deposit_mAh_cm2))
            surface = self._branch(inside, e.deposit_interphase_resistance.value, product)
            found.append(replace(surface, layer=self._layer, part=part))
        return found

    def _branch(self, area: float, resistance_ohm_cm2: float, product: float) -> Branch:
        e = self.cell.electrode
        return Branch(
            area,
            resistance_ohm_cm2 * self._slower,
            product / resistance_ohm_cm2 if product > 0 and resistance_ohm_cm2 > 0 else e.interphase_capacitance.value,
            e.double_layer_capacitance.value,
            self.surface.exchange_current_density_mA_cm2,
        )

    def _layers(self) -> list[PorousLayer]:
        e = self.cell.electrode
        porosity = e.dead_porosity.value
        bruggeman = self.cell.separator.bruggeman.value
        dead = [
            PorousLayer(state.dead_mAh_cm2 * self._thickness_m_per_mAh_cm2 / (1.0 - porosity), porosity, bruggeman)
            for state in (self.working, self.counter)
        ]
        return [*self.cell.layers, *dead]

    @property
    def electrolyte_resistance_ohm_cm2(self) -> float:
        """Of all that electrolyte fills between the electrodes, ohm cm2."""
        return 1e4 * sum(layer.path_m for layer in self._layers()) / self._conductivity_S_m

    @property
    def limiting_current_density_mA_cm2(self) -> float:
        """The current density that empties the plating side of salt in the end."""
        e = self.cell.electrolyte
        return float(
            limiting_current_density_mA_cm2(
                e.concentration.value * 1e3,
                self._diffusivity_m2_s,
                e.transference_number.value,
                sum(layer.path_m for layer in self._layers()),
                z=self.z,
            )
        )

    @property
    def salt_time_s(self) -> float:
        """The time constant in which the salt profile settles."""
        layers = self._layers()
        path, pore = sum(layer.path_m for layer in layers), sum(layer.pore_m for layer in layers)
        return relaxation_time_s(path, pore, self._diffusivity_m2_s)

    def at(self, temperature_K: float) -> SymmetricCell:
        """Return the same cell in the same state at another temperature, its salt relaxed."""
        other = SymmetricCell(self.cell.at(temperature_K))
        other.working, other.counter = replace(self.working), replace(self.counter)
        return other

    def step(self, current_density_mA_cm2: float, *, plating: bool, carried: float = 1.0) -> Step:
        """Return the step that begins now: its voltage in time, for a current density of at least 0 (0 is a rest).

        Of the current of a cell that is short, only the part `carried` moves salt and metal; the short takes the rest.
        """
        return Step(self, current_density_mA_cm2, plating, carried)

    def grown_ohm_cm2(self, resistance_ohm_cm2: float, current_density_mA_cm2: float, duration_s: float) -> float:
        r"""Return the resistance of an interphase after a step: :math:`d(R^2)/dt = 2k + 2k_q|j|R`, by Heun's method."""
        e = self.cell.electrode
        warm = self.cell.factor(e.interphase_growth_activation_energy)
        k = e.interphase_growth.value * warm
        rate = e.interphase_growth_per_capacity.value * warm * current_density_mA_cm2
        square, step_h = resistance_ohm_cm2**2, duration_s / 3600.0 / _GROWTH_STEPS
        for _ in range(_GROWTH_STEPS):
            first = 2.0 * k + 2.0 * rate * np.sqrt(square)
            second = 2.0 * k + 2.0 * rate * np.sqrt(square + step_h * first)
            square += 0.5 * step_h * (first + second)
        return float(np.sqrt(square))


def _saturating(charge_mAh_cm2: ArrayLike, most: Quantity, capacity: Quantity) -> _Array:
    return np.asarray(-most.value * np.expm1(-np.asarray(charge_mAh_cm2) / capacity.value))
