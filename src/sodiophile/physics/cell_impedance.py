r"""The impedance of a symmetric cell at rest: electrolyte, two interphases, two charge transfers, salt diffusion.

Of pristine electrodes it is a circuit (`CIRCUIT`, `symmetric_cell_parameters`):

.. math::

    Z = R_\Omega + 2\left[\frac{R_{SEI}}{1+(i\omega\tau_1)^{\alpha}} + \frac{R_{ct}}{1+(i\omega\tau_2)^{\alpha}}\right]
        + R_d\frac{\tanh\sqrt{i\omega\tau_d}}{\sqrt{i\omega\tau_d}},\qquad R_{ct} = \frac{RT}{zFj_0}

Of electrodes that have cycled each consists of surfaces in parallel, metal under its interphase and fresh metal, with areas
and resistances of their own, and dead metal lengthens the path (`impedance_ohm_cm2`):

.. math:: Z = R_\Omega + \sum_{w,c}\left[\sum_k\frac{a_k}{z_k}\right]^{-1}
          + R_d\frac{\tanh\sqrt{i\omega\tau_d}}{\sqrt{i\omega\tau_d}}

with the :math:`z_k` of `sodiophile.physics.surfaces.Branch`. Interphase and charge transfer are taken in series, each
with its own capacitance; that of diffusion follows from the concentration cell, linear in the current: :math:`R_d =
2(\nu/\nu_+)(RT/zF)(1-t_+)(1+d\ln f/d\ln c)/j_{lim}`.

References
----------
M. E. Orazem, B. Tribollet, Electrochemical Impedance Spectroscopy, 2nd ed. (Wiley, 2017), chapters 10 and 11.
J. Newman, N. P. Balsara, Electrochemical Systems, 4th ed. (Wiley, 2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.physics.cell import Cell
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import inverse_thermal_voltage_1_V
from sodiophile.physics.symmetric import SymmetricCell

CIRCUIT = Circuit("R0-Zarc1-Zarc2-Ws3")


def impedance_ohm_cm2(
    pair: SymmetricCell,
    frequency_Hz: ArrayLike,
    *,
    exponent: float = 1.0,
    kinetics: ArrayLike = 1.0,
    interphase_capacitance_uF_cm2: float | None = None,
    double_layer_capacitance_uF_cm2: float | None = None,
) -> NDArray[np.complex128]:
    """Return the impedance of a symmetric cell in its present state, at rest, per geometric area.

    Parameters
    ----------
    pair
        The cell in its state: pristine, or after any steps.
    frequency_Hz
        Shape (n,).
    exponent
        Of all arcs: 1 for ideal capacitances.
    kinetics
        Factor on every charge-transfer resistance, broadcast with `frequency_Hz`: what drifts during a sweep.
    interphase_capacitance_uF_cm2, double_layer_capacitance_uF_cm2
        In place of those of the cell: of the pristine interphase, and of the double layer.

    Returns
    -------
    ndarray
        ohm cm2, shape (n,).
    """
    frequency = np.asarray(frequency_Hz, dtype=float)
    s = 2j * np.pi * frequency
    slow = np.broadcast_to(np.asarray(kinetics, dtype=float), frequency.shape)
    e = pair.cell.electrode
    film = 1.0 if interphase_capacitance_uF_cm2 is None else interphase_capacitance_uF_cm2 / e.interphase_capacitance.value
    layer = 1.0
    if double_layer_capacitance_uF_cm2 is not None:
        layer = double_layer_capacitance_uF_cm2 / e.double_layer_capacitance.value
    Z = np.full(frequency.shape, pair.electrolyte_resistance_ohm_cm2, dtype=np.complex128)
    for state in (pair.working, pair.counter):
        admittance = np.zeros(frequency.shape, dtype=np.complex128)
        for branch in pair.branches(state):
            one = branch.with_capacitances(film, layer)
            z = one.impedance_ohm_cm2(frequency, pair.temperature_K, z=pair.z, exponent=exponent, kinetics=slow)
            admittance += one.area / z
        Z += 1.0 / admittance
    R_d, tau_d = diffusion_ohm_cm2_s(pair)
    root = np.sqrt(s * tau_d)
    return np.asarray(Z + R_d * np.tanh(root) / root)


def diffusion_ohm_cm2_s(pair: SymmetricCell) -> tuple[float, float]:
    """Return the resistance (ohm cm2) and the time constant (s) of salt diffusion between the electrodes."""
    electrolyte = pair.cell.electrolyte
    concentration_V = (
        electrolyte.ions_per_cation.value
        * (1 - electrolyte.transference_number.value)
        * electrolyte.thermodynamic_factor.value
        / inverse_thermal_voltage_1_V(pair.temperature_K, pair.z)
    )
    return 2e3 * concentration_V / pair.limiting_current_density_mA_cm2, np.pi**2 / 4 * pair.salt_time_s


def symmetric_cell_parameters(
    cell: Cell,
    interphase_capacitance_uF_cm2: float | None = None,
    double_layer_capacitance_uF_cm2: float | None = None,
    alpha: float = 1.0,
) -> dict[str, float]:
    """Return the parameters of `CIRCUIT` for one square centimetre of a pristine symmetric cell at the cell's temperature.

    Parameters
    ----------
    cell
        The cell; its electrodes are pristine.
    interphase_capacitance_uF_cm2, double_layer_capacitance_uF_cm2
        Effective capacitances of one electrode, uF/cm2; those of the cell if not given.
    alpha
        Exponent of both arcs.

    Returns
    -------
    Resistances in ohm cm2 of both electrodes together, time constants in s.
    """
    pair = SymmetricCell(cell)
    (metal,) = pair.branches(pair.working)
    R_sei = metal.resistance_ohm_cm2
    R_ct = 1e3 / (inverse_thermal_voltage_1_V(pair.temperature_K, pair.z) * metal.exchange_current_density_mA_cm2)
    C_sei = metal.capacitance_uF_cm2 if interphase_capacitance_uF_cm2 is None else interphase_capacitance_uF_cm2
    C_dl = metal.double_layer_uF_cm2 if double_layer_capacitance_uF_cm2 is None else double_layer_capacitance_uF_cm2
    R_d, tau_d = diffusion_ohm_cm2_s(pair)
    return {
        "R0": pair.electrolyte_resistance_ohm_cm2,
        "Zarc1.R": 2 * R_sei,
        "Zarc1.tau": R_sei * C_sei * 1e-6,
        "Zarc1.alpha": alpha,
        "Zarc2.R": 2 * R_ct,
        "Zarc2.tau": R_ct * C_dl * 1e-6,
        "Zarc2.alpha": alpha,
        "Ws3.R": R_d,
        "Ws3.tau": tau_d,
    }
