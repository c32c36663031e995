"""Our parameter sets for PyBaMM: any cell file as `pybamm.ParameterValues`, and those that PyBaMM finds by name.

With sodiophile installed, plain PyBaMM knows them by its entry points ``pybamm_parameter_sets``:

    pybamm.ParameterValues("NVP_Na")                 # half cell: Na3V2(PO4)3 against Na, for pybamm.Model("MetalHalfCell")
    pybamm.ParameterValues("NVP_Na_interlayer")      # the same with a porous interlayer on the metal
    pybamm.ParameterValues("Na_symmetric")           # Na|Na, for pybamm.Model("SymmetricMetalCell")
    pybamm.ParameterValues("Li_symmetric")           # Li|Li

Names that say lithium are PyBaMM's; the metal is that of the set. Sources and how far each value may be off stand in the
files of the package (``sodiophile.physics.cell``); most values are assumed. PyBaMM itself is not imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell, load_cell
from sodiophile.physics.constants import GAS_J_mol_K
from sodiophile.physics.parts import Cathode
from sodiophile.physics.porous_layout import electrolyte_tables, full_cell_cathode
from sodiophile.physics.sets import load_part
from sodiophile.physics.transport import PorousLayer

_AREA_cm2 = 1.0
_SEI_m = 20e-9  # only its product with the resistivity matters


def NVP_Na() -> dict[str, Any]:
    """Return the parameters of a half cell of Na3V2(PO4)3 against sodium, 1 cm2, NaPF6 in EC:PC, glass fibre between.

    The electrolyte is that of Chayambuka et al., Electrochim. Acta 404 (2022) 139764; most other values are assumed.
    """
    return half_cell_values(load_cell("bare-na"), load_part("cathode", "nvp"))


def NVP_Na_interlayer() -> dict[str, Any]:
    """Return `NVP_Na` with the metal of the shipped cell 'sodiophilic-na': under a porous interlayer that sodium wets."""
    return half_cell_values(load_cell("sodiophilic-na"), load_part("cathode", "nvp"))


def Na_symmetric() -> dict[str, Any]:
    """Return the parameters of a symmetric cell of sodium, 1 cm2, of the shipped cell 'bare-na'."""
    return symmetric_values(load_cell("bare-na"))


def Li_symmetric() -> dict[str, Any]:
    """Return the parameters of a symmetric cell of lithium, 1 cm2, of the shipped cell 'bare-li'."""
    return symmetric_values(load_cell("bare-li"))


def symmetric_values(cell: Cell, area_cm2: float = _AREA_cm2) -> dict[str, Any]:
    """Return a symmetric cell as parameter values for `sodiophile.physics.pybamm_models.SymmetricMetalCell`.

    Parameters
    ----------
    cell
        The cell; its electrodes are pristine.
    area_cm2
        Of one electrode.

    Raises
    ------
    InputError
        If the ions are not single-charged or the area is not positive.
    """
    e = cell.electrode
    capacity_Ah = 1e-3 * area_cm2 * e.metal_capacity.value
    return _shared(cell, area_cm2, cell.layers) | {
        # what PyBaMM takes as 1C: 1 mA/cm2
        "Nominal cell capacity [A.h]": 1e-3 * area_cm2,
        "Current function [A]": 1e-3 * area_cm2,
        "Metal electrode capacity [A.h]": capacity_Ah,
        "Metal interphase resistance [Ohm.m2]": _interphase_ohm_m2(cell),
        "Metal interphase capacitance [F.m-2]": e.interphase_capacitance.value * 1e-2,
        "Lower voltage cut-off [V]": -5.0,
        "Upper voltage cut-off [V]": 5.0,
        "Open-circuit voltage at 0% SOC [V]": 0.0,
        "Open-circuit voltage at 100% SOC [V]": 0.0,
    }


def half_cell_values(cell: Cell, cathode: Cathode | None = None, area_cm2: float = _AREA_cm2) -> dict[str, Any]:
    """Return a full cell against metal as parameter values for PyBaMM's half-cell models.

    An interlayer is added to the separator as the thickness of separator that resists as much.

    Parameters
    ----------
    cell
        Metal electrode, interlayer, separator and electrolyte.
    cathode
        The insertion electrode; that of `cell` if not given.
    area_cm2
        Geometric area.

    Raises
    ------
    InputError
        If there is no insertion electrode, the ions are not single-charged, or the area is not positive.
    """
    cathode = full_cell_cathode(cell, cathode)
    c0 = cell.electrolyte.concentration.value * 1e3
    sites = cathode.maximum_concentration_mol_m3
    capacity_Ah = (
        1e-6 * cathode.specific_capacity.value * cathode.loading.value * cathode.accessible_fraction.value * area_cm2
    )
    plateau, softness = cathode.plateau.value, cathode.softness.value
    exchange = _arrhenius(cathode.exchange_current_density.value * 10.0, cathode.exchange_activation_energy.value, cell, 1)

    def ocp(sto: Any) -> Any:
        return plateau + softness * (1 / sto - 1 / (1 - sto))

    def exchange_current_density(c_e: Any, c_s_surf: Any, c_s_max: Any, T: Any) -> Any:
        x = c_s_surf / c_s_max
        return exchange(T) * (c_e / c0) ** 0.5 * 2 * (x * (1 - x)) ** 0.5

    diffusivity = _arrhenius(cathode.diffusivity.value, cathode.diffusivity_activation_energy.value, cell, 1)
    layers = [cell.separator.porous, *([cell.interlayer.porous] if cell.interlayer else [])]
    return _shared(cell, area_cm2, layers) | {
        "Nominal cell capacity [A.h]": capacity_Ah,
        "Current function [A]": capacity_Ah,
        "Positive electrode thickness [m]": cathode.thickness.value * 1e-6,
        "Positive electrode conductivity [S.m-1]": cathode.electronic_conductivity.value,
        "Maximum concentration in positive electrode [mol.m-3]": sites,
        "Initial concentration in positive electrode [mol.m-3]": 0.01 * sites,
        "Positive particle diffusivity [m2.s-1]": lambda sto, T: diffusivity(T) * (1 + 0 * sto),
        "Positive electrode OCP [V]": ocp,
        "Positive electrode OCP entropic change [V.K-1]": 0.0,
        "Positive electrode porosity": cathode.porosity.value,
        "Positive electrode active material volume fraction": cathode.active_fraction * cathode.accessible_fraction.value,
        "Positive particle radius [m]": cathode.particle_radius.value * 1e-9,
        "Positive electrode Bruggeman coefficient (electrolyte)": cathode.bruggeman.value,
        # the conductivity stated is that of the whole electrode
        "Positive electrode Bruggeman coefficient (electrode)": 0.0,
        "Positive electrode charge transfer coefficient": 0.5,
        "Positive electrode exchange-current density [A.m-2]": exchange_current_density,
        "Positive electrode double-layer capacity [F.m-2]": cathode.double_layer_capacitance.value * 1e-2,
        "Lower voltage cut-off [V]": plateau - 0.9,
        "Upper voltage cut-off [V]": plateau + 0.45,
        "Open-circuit voltage at 0% SOC [V]": plateau - 0.9,
        "Open-circuit voltage at 100% SOC [V]": plateau + 0.45,
    }


def _shared(cell: Cell, area_cm2: float, layers: Sequence[PorousLayer]) -> dict[str, Any]:
    """Return what both kinds of cell have: electrolyte, separator, metal electrode, temperature."""
    if cell.properties.z != 1:
        raise InputError(f"found {cell.metal}, expected a metal of single-charged ions", "metal")
    if not area_cm2 > 0:
        raise InputError(f"found {area_cm2:g} cm^2, expected more than 0", "area")
    if cell.electrode.reorganization_energy is not None:
        raise InputError(
            "found one, for the kinetics of Marcus, Hush and Chidsey; expected none: PyBaMM's metal has those of Butler "
            "and Volmer",
            "electrode.reorganization_energy",
        )
    e, electrolyte, T_ref = cell.electrode, cell.electrolyte, cell.reference_temperature.value
    c0 = electrolyte.concentration.value * 1e3
    at_reference = cell.at(T_ref)
    points, diffusivity, conductivity = electrolyte_tables(at_reference)
    separator = cell.separator.porous
    path_m = sum(layer.path_m for layer in layers)
    alpha = e.transfer_coefficient.value
    exchange = _arrhenius(e.exchange_current_density.value * 10.0, e.exchange_activation_energy.value, cell, 1)
    activation, interphase = electrolyte.activation_energy.value, _interphase_ohm_m2(cell)

    def metal_exchange(c_e: Any, c_metal: Any, T: Any) -> Any:
        return exchange(T) * (c_e / c0) ** (1 - alpha) * (1 + 0 * c_metal)

    return {
        "chemistry": "lithium_ion",
        "Electrode height [m]": 1e-2 * np.sqrt(area_cm2),
        "Electrode width [m]": 1e-2 * np.sqrt(area_cm2),
        "Contact resistance [Ohm]": 0.0,
        "Negative electrode thickness [m]": 1e-4,
        "Negative electrode conductivity [S.m-1]": 2.1e7,
        "Negative electrode OCP [V]": 0.0,
        "Negative electrode OCP entropic change [V.K-1]": 0.0,
        "Negative electrode charge transfer coefficient": alpha,
        "Negative electrode double-layer capacity [F.m-2]": e.double_layer_capacitance.value * 1e-2,
        "Exchange-current density for lithium metal electrode [A.m-2]": metal_exchange,
        "Lithium metal partial molar volume [m3.mol-1]": cell.properties.molar_volume_m3_mol,
        "Initial SEI thickness [m]": _SEI_m,
        # PyBaMM takes it as a constant: it holds at the temperature of the cell
        "SEI resistivity [Ohm.m]": interphase(cell.temperature.value) / _SEI_m,
        "SEI partial molar volume [m3.mol-1]": 9.585e-05,
        "Ratio of lithium moles to SEI moles": 2.0,
        "Separator thickness [m]": path_m * separator.porosity**separator.bruggeman,
        "Separator porosity": separator.porosity,
        "Separator Bruggeman coefficient (electrolyte)": separator.bruggeman,
        "Initial concentration in electrolyte [mol.m-3]": c0,
        "Cation transference number": electrolyte.transference_number.value,
        "Thermodynamic factor": electrolyte.thermodynamic_factor.value,
        "Electrolyte diffusivity [m2.s-1]": _curve("electrolyte diffusivity", points * c0, diffusivity, activation, T_ref),
        "Electrolyte conductivity [S.m-1]": _curve(
            "electrolyte conductivity", points * c0, conductivity, activation, T_ref
        ),
        "Reference temperature [K]": T_ref,
        "Ambient temperature [K]": cell.temperature.value,
        "Initial temperature [K]": cell.temperature.value,
        "Heat transfer coefficient [W.m-2.K-1]": 10.0,
        "Number of electrodes connected in parallel to make a cell": 1.0,
        "Number of cells connected in series to make a battery": 1.0,
    }


def _interphase_ohm_m2(cell: Cell) -> Callable[[Any], Any]:
    """Return the resistance of the pristine interphase against temperature."""
    e = cell.electrode
    return _arrhenius(e.interphase_resistance.value * 1e-4, e.interphase_activation_energy.value, cell, -1)


def _arrhenius(value: float, activation_kJ_mol: float, cell: Cell, direction: int) -> Callable[[Any], Any]:
    """Return value(T) of a rate (`direction` 1) or a resistance (-1), for numbers and symbols of PyBaMM."""
    slope_K = -direction * 1e3 * activation_kJ_mol / GAS_J_mol_K
    T_ref = cell.reference_temperature.value
    return lambda T: value * np.exp(slope_K * (1 / T - 1 / T_ref))


def _curve(name: str, points: Any, values: Any, activation_kJ_mol: float, T_ref: float) -> Callable[[Any, Any], Any]:
    """Return a property of the electrolyte as a function of concentration and temperature: linear between its points."""
    slope_K = -1e3 * activation_kJ_mol / GAS_J_mol_K
    constant = len(set(values)) == 1

    def at(c_e: Any, T: Any) -> Any:
        from sodiophile.physics.pybamm_quiet import pybamm

        factor = np.exp(slope_K * (1 / T - 1 / T_ref))
        return values[0] * factor * (1 + 0 * c_e) if constant else pybamm.Interpolant(points, values, c_e, name) * factor

    return at
