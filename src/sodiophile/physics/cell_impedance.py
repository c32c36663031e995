r"""The impedance of a symmetric cell at rest: electrolyte, two interphases, two charge transfers, salt diffusion.

.. math::

    Z = R_\Omega + 2\left[\frac{R_{SEI}}{1+(i\omega\tau_1)^{\alpha}} + \frac{R_{ct}}{1+(i\omega\tau_2)^{\alpha}}\right]
        + R_d\frac{\tanh\sqrt{i\omega\tau_d}}{\sqrt{i\omega\tau_d}},\qquad R_{ct} = \frac{RT}{zFj_0}

Interphase and charge transfer are taken in series, each with its own capacitance; that of diffusion follows from the
concentration cell, linear in the current: :math:`R_d = 2(\nu/\nu_+)(RT/zF)(1-t_+)(1+d\ln f/d\ln c)/j_{lim}`.

References
----------
M. E. Orazem, B. Tribollet, Electrochemical Impedance Spectroscopy, 2nd ed. (Wiley, 2017), chapters 10 and 11.
J. Newman, N. P. Balsara, Electrochemical Systems, 4th ed. (Wiley, 2021).
"""

from __future__ import annotations

import numpy as np

from sodiophile.physics.cell import Cell
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.transport import limiting_current_density_mA_cm2, relaxation_time_s

CIRCUIT = Circuit("R0-Zarc1-Zarc2-Ws3")
_MS_CM_TO_S_M = 0.1
_OHM_M2_TO_OHM_CM2 = 1e4


def symmetric_cell_parameters(
    cell: Cell, interphase_capacitance_uF_cm2: float, double_layer_capacitance_uF_cm2: float, alpha: float
) -> dict[str, float]:
    """Return the parameters of `CIRCUIT` for one square centimetre of a symmetric cell at the cell's temperature.

    Parameters
    ----------
    cell
        The cell; its electrodes are pristine.
    interphase_capacitance_uF_cm2, double_layer_capacitance_uF_cm2
        Effective capacitances of one electrode, uF/cm2.
    alpha
        Exponent of both arcs.

    Returns
    -------
    Resistances in ohm cm2 of both electrodes together, time constants in s.
    """
    electrolyte, electrode, T = cell.electrolyte, cell.electrode, cell.temperature.value
    z = cell.properties.z
    faster = cell.factor(electrolyte.activation_energy)
    path_m = sum(layer.path_m for layer in cell.layers)
    pore_m = sum(layer.pore_m for layer in cell.layers)
    conductivity_S_m = electrolyte.conductivity.value * _MS_CM_TO_S_M * faster
    diffusivity_m2_s = electrolyte.diffusivity.value * faster
    j0_A_cm2 = 1e-3 * electrode.exchange_current_density.value * cell.factor(electrode.exchange_activation_energy)
    R_sei = electrode.interphase_resistance.value / cell.factor(electrode.interphase_activation_energy)
    R_ct = 1 / (inverse_thermal_voltage_1_V(T, z) * j0_A_cm2)
    transference = electrolyte.transference_number.value
    limit_A_cm2 = 1e-3 * float(
        limiting_current_density_mA_cm2(electrolyte.concentration.value * 1e3, diffusivity_m2_s, transference, path_m, z=z)
    )
    concentration_V = (
        electrolyte.ions_per_cation.value
        * (1 - transference)
        * electrolyte.thermodynamic_factor.value
        / inverse_thermal_voltage_1_V(T, z)
    )
    return {
        "R0": path_m / conductivity_S_m * _OHM_M2_TO_OHM_CM2,
        "Zarc1.R": 2 * R_sei,
        "Zarc1.tau": R_sei * interphase_capacitance_uF_cm2 * 1e-6,
        "Zarc1.alpha": alpha,
        "Zarc2.R": 2 * R_ct,
        "Zarc2.tau": R_ct * double_layer_capacitance_uF_cm2 * 1e-6,
        "Zarc2.alpha": alpha,
        "Ws3.R": 2 * concentration_V / limit_A_cm2,
        "Ws3.tau": np.pi**2 / 4 * relaxation_time_s(path_m, pore_m, diffusivity_m2_s),
    }
