"""The constants of nature that the equations need, exact in the SI of 2019, and the conversions that recur beside them."""

from __future__ import annotations

BOLTZMANN_J_K = 1.380649e-23
AVOGADRO_1_mol = 6.02214076e23
ELEMENTARY_CHARGE_C = 1.602176634e-19
FARADAY_C_mol = ELEMENTARY_CHARGE_C * AVOGADRO_1_mol
GAS_J_mol_K = BOLTZMANN_J_K * AVOGADRO_1_mol

C_PER_mAh = 3.6
A_m2_PER_mA_cm2 = 10.0


def inverse_thermal_voltage_1_V(temperature_K: float, z: int = 1) -> float:
    """Return z F / (R T), 1/V: 38.92 at 25 degC and z = 1."""
    return z * FARADAY_C_mol / (GAS_J_mol_K * temperature_K)
