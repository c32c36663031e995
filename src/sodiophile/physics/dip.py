r"""The galvanostatic nucleation dip: the balance of charge on a substrate on which caps are born and grow.

Per geometric area, with the overpotential :math:`\eta > 0` plating,

.. math::

    C\dot\eta &= j - j_{growth} - j_{side},\qquad j_{side} = j_{s}e^{\alpha f\eta}(1-S)\\
    j_{growth} &= \frac{S}{S_x}\sum_i n_i\,2\pi r_i^2(1-\cos\theta)\,j_i,\qquad
    j_i = j_0\frac{e^{\alpha f\eta_i} - e^{-(1-\alpha)f\eta_i}}{1 + \dfrac{j_0r_i}{zFDc_0}e^{\alpha f\eta_i}},\qquad
    \eta_i = \eta - \frac{2\gamma V_m}{zFr_i}\\
    \dot r_i &= \frac{V_m}{zF}\,\frac{2\,j_i}{(2+\cos\theta)(1-\cos\theta)},\qquad
    S = 1-e^{-S_x},\quad S_x = \sum_i n_i\,\pi r_i^2\sin^2\theta\\
    N &= N_0(1-e^{-X}),\qquad \dot X = (1-S)\,A_0e^{-\Delta G^*(\eta)/k_BT}

over cohorts i of nuclei of one age. The speed of the radius is the one that keeps the contact angle and turns all the
current into volume (for a hemisphere, V_m j / zF). Above 90 deg the sphere's cross section covers, not its foot. S/S_x lets
overlapping caps share their area (Avrami), so that the area settles at that of touching caps. The double layer is that of
substrate and metal alike, so that charge is conserved while S grows. A nucleus is born a thermal width beyond the critical
radius, :math:`r^*(1+\sqrt{k_BT/3\Delta G^*})`; the charge inside newborn nuclei is neglected (below 1e-4 C/m2). Nuclei
that fall behind the critical radius dissolve, ever faster; what would vanish within some steps, or is smaller than an atom,
gives its charge back evenly over one.

Integrated by the implicit-explicit Runge-Kutta scheme ARS(2,2,2): the overpotential, which is stiff, implicitly by an
L-stable pair, radii and numbers explicitly; second order, and the charge balance holds at every step to the tolerance of
its root. Sites run out exponentially in X, so that X, unlike N, is not stiff. The inner loops are compiled, once.

References
----------
U. M. Ascher, S. J. Ruuth, R. J. Spiteri, Appl. Numer. Math. 25 (1997) 151, doi 10.1016/S0168-9274(97)00056-1, section 2.6.
V. A. Isaev, O. V. Grishenkova, Y. P. Zaikov, Materials 14 (2021) 6330, doi 10.3390/ma14216330.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sodiophile.errors import InputError, SolverError
from sodiophile.physics.constants import BOLTZMANN_J_K, FARADAY_C_mol, inverse_thermal_voltage_1_V
from sodiophile.physics.nucleation import Substrate, Transient, nucleation_barrier_J, wetting_factor

_GAMMA = 1.0 - math.sqrt(0.5)
_DELTA = 1.0 - 0.5 / _GAMMA
_MOST_STEPS = 20_000
_SHORTEST_STEP_S = 1e-30
_SMALLEST_NUCLEUS_m = 3e-11
_ATOM_m = 2e-10
_VANISHING = 0.2
_LEAST_LEFT = 0.5
_NUMBER_LENIENCE = 10.0
_HIGHEST_V = 10.0
_SOME_METAL = 0.01


def plate(
    substrate: Substrate,
    current_density_A_m2: float,
    duration_s: float,
    *,
    start_V: float = 0.0,
    tolerance_V: float = 2e-5,
) -> Transient:
    """Plate at constant current on a bare substrate.

    Parameters
    ----------
    substrate
        What decides nucleation and growth.
    current_density_A_m2
        Per geometric area, A/m2, above 0.
    duration_s
        s.
    start_V
        Overpotential of the substrate at rest, V: minus its open-circuit potential against the metal.
    tolerance_V
        Local error of the overpotential in one step, V, of the first-order solution that the second-order one improves on.

    Returns
    -------
    Transient
        One row a step, the first at time 0. It ends before its time where metal has grown but the ions no longer reach
        the nuclei fast enough: the overpotential passes 10 V there.

    Raises
    ------
    InputError
        If current, duration or tolerance is not positive, or if next to no metal grows before the overpotential reaches
        10 V.
    SolverError
        If no step is short enough, or too many would be needed; with the transient up to there.
    """
    if not (current_density_A_m2 > 0 and duration_s > 0 and tolerance_V > 0):
        raise InputError(
            f"found a current density of {current_density_A_m2:g} A/m2 for {duration_s:g} s within {tolerance_V:g} V, "
            "expected all above 0"
        )
    film = _Film(substrate, current_density_A_m2)
    state = _State(0.0, start_V, np.empty(0), np.empty(0), 0.0, 0.0, 0.0, 0.0)
    rows = [film.row(state)]
    # a step in which the double layer alone would move by about 1 mV
    step_s = min(1e-3 * substrate.capacitance_F_m2 / current_density_A_m2, duration_s)
    rejected = 0
    for _ in range(_MOST_STEPS):
        remaining_s = duration_s - state.time_s
        if remaining_s <= 1e-12 * duration_s:
            break
        step_s = min(step_s, remaining_s)
        # two equal steps rather than one and a sliver
        if step_s < remaining_s < 2.0 * step_s:
            step_s = 0.5 * remaining_s
        following, error = film.step(state, step_s, tolerance_V)
        if following is None:
            rejected += 1
            step_s *= 0.25 if not math.isfinite(error) else max(0.25, 0.9 / math.sqrt(error))
            if step_s < _SHORTEST_STEP_S:
                message = f"the nucleation dip was not solved: no step is short enough; it stands at {state.time_s:g} s"
                raise SolverError(message, _transient(rows, rejected))
            continue
        state = following
        rows.append(film.row(state))
        if state.overpotential_V > _HIGHEST_V:
            if state.thickness_m > _SOME_METAL * film.volume_per_charge * current_density_A_m2 * state.time_s:
                break
            raise InputError(
                f"no metal grows: the overpotential reached {_HIGHEST_V:g} V after {state.time_s:g} s; "
                "expected a lower barrier (contact angle, interfacial energy), more sites or less current"
            )
        step_s *= min(3.0, 0.9 / math.sqrt(max(error, 1e-3)))
    else:
        message = f"the nucleation dip was not solved within {_MOST_STEPS} steps; it stands at {state.time_s:g} s"
        raise SolverError(message, _transient(rows, rejected))
    return _transient(rows, rejected)


def _transient(rows: list[tuple[float, ...]], rejected: int) -> Transient:
    time_s, eta_V, coverage, density, thickness_m, caps_m, side = np.array(rows).T
    return Transient(time_s, eta_V, coverage, density, thickness_m, caps_m, side, rejected)


@dataclass(frozen=True, slots=True)
class _State:
    time_s: float
    overpotential_V: float
    numbers_1_m2: NDArray[np.float64]
    radii_m: NDArray[np.float64]
    exponent: float
    counted: float
    thickness_m: float
    side_charge_C_m2: float


class _Caps:
    """Cohorts of caps at fixed radii: everything of them that does not depend on the overpotential."""

    __slots__ = ("anodic", "cathodic", "extended", "film", "free", "supply", "weights")

    def __init__(self, film: _Film, numbers: NDArray[np.float64], radii: NDArray[np.float64]) -> None:
        self.film = film
        shift = film.capillary / radii
        self.cathodic = np.exp(-film.alpha * shift)
        self.anodic = np.exp((1.0 - film.alpha) * shift)
        self.supply = film.supply * radii * self.cathodic
        areas = numbers * radii * radii
        self.extended = film.footprint * float(areas.sum())
        self.free = math.exp(-self.extended)
        shared = -math.expm1(-self.extended) / self.extended if self.extended > 1e-12 else 1.0
        self.weights = (film.cap_area * shared * film.j0) * areas

    def currents(self, eta: float) -> tuple[float, float, float, NDArray[np.float64]]:
        """Return growth and side current density, the derivative of their sum, and j_i / j0."""
        film = self.film
        flux = np.empty_like(self.weights)
        growth, side, slope = film.kernel.currents(
            eta, film.alpha, film.f, film.side * self.free, self.weights, self.cathodic, self.anodic, self.supply, flux
        )
        return growth, side, slope, flux

    def root(self, current: float, known_V: float, step_s: float, guess_V: float) -> float:
        """Solve eta = known + step (current - j_growth(eta) - j_side(eta)) / C; NaN where Newton's method fails."""
        film = self.film
        return float(
            film.kernel.root(
                current,
                known_V,
                step_s / film.substrate.capacitance_F_m2,
                guess_V,
                film.alpha,
                film.f,
                film.side * self.free,
                self.weights,
                self.cathodic,
                self.anodic,
                self.supply,
                np.empty_like(self.weights),
            )
        )


class _Film:
    """The equations of the module for one substrate and current."""

    def __init__(self, substrate: Substrate, current_density_A_m2: float) -> None:
        from sodiophile.physics import _dip_kernel

        s = substrate
        self.kernel = _dip_kernel
        cosine = math.cos(math.radians(s.contact_angle_deg))
        zF = s.z * FARADAY_C_mol
        self.substrate = s
        self.j = current_density_A_m2
        self.alpha = s.alpha
        self.f = inverse_thermal_voltage_1_V(s.temperature_K, s.z)
        self.j0 = s.exchange_current_density_A_m2
        self.side = s.side_current_density_A_m2
        self.capillary_V_m = 2.0 * s.interfacial_energy_J_m2 * s.molar_volume_m3_mol / zF
        self.capillary = self.f * self.capillary_V_m
        self.supply = self.j0 / (zF * s.diffusivity_m2_s * s.concentration_mol_m3)
        self.cap_area = 2.0 * math.pi * (1.0 - cosine)
        self.footprint = math.pi * (1.0 - cosine**2 if cosine > 0 else 1.0)
        self.cap_volume = 4.0 / 3.0 * math.pi * float(wetting_factor(s.contact_angle_deg))
        self.volume_per_charge = s.molar_volume_m3_mol / zF
        self.speed = self.volume_per_charge * self.j0 * 2.0 / ((2.0 + cosine) * (1.0 - cosine))
        barrier_J = float(
            nucleation_barrier_J(1.0, s.interfacial_energy_J_m2, s.molar_volume_m3_mol, s.contact_angle_deg, z=s.z)
        )
        self.barrier_V2 = barrier_J / (BOLTZMANN_J_K * s.temperature_K)

    def row(self, state: _State) -> tuple[float, ...]:
        extended = self.footprint * float(state.numbers_1_m2 @ state.radii_m**2)
        return (
            state.time_s,
            state.overpotential_V,
            -math.expm1(-extended),
            float(state.numbers_1_m2.sum()),
            state.thickness_m,
            self.cap_volume * float(state.numbers_1_m2 @ state.radii_m**3),
            state.side_charge_C_m2,
        )

    def ignition(self, eta: float, free: float) -> tuple[float, float]:
        """Return the rate of the exponent X, 1/s, and the radius of a newborn nucleus, m."""
        if eta <= 0:
            return 0.0, _SMALLEST_NUCLEUS_m
        barrier = self.barrier_V2 / eta**2
        rate = free * self.substrate.attempt_frequency_1_s * math.exp(-barrier)
        radius = self.capillary_V_m / eta * (1.0 + math.sqrt(1.0 / (3.0 * barrier)))
        return rate, max(radius, _SMALLEST_NUCLEUS_m)

    def born(self, before: float, after: float) -> float:
        """Return the nuclei born while the exponent X went from `before` to `after`, 1/m2."""
        return self.substrate.site_density_1_m2 * (math.exp(-before) - math.exp(-after))

    def step(self, state: _State, step_s: float, tolerance_V: float) -> tuple[_State | None, float]:
        """Take one step of ARS(2,2,2); return the new state (None if it is rejected) and the error over the tolerance."""
        n, r, eta = state.numbers_1_m2, state.radii_m, state.overpotential_V
        capacitance = self.substrate.capacitance_F_m2

        caps = _Caps(self, n, r)
        _, _, _, flux = caps.currents(eta)
        speeds_0 = self.speed * flux
        rate_0, radius_0 = self.ignition(eta, caps.free)
        # far below the critical radius a nucleus is gone within some such steps: it goes in this one, evenly
        lasting = (r + step_s * speeds_0 >= (1.0 - _VANISHING) * r) & ((r >= _ATOM_m) | (speeds_0 >= 0))
        vanishing_C_m2 = early_C_m2 = 0.0
        if not lasting.all():
            charges = self.cap_volume / self.volume_per_charge * n * r**3
            vanishing_C_m2 = float(charges[~lasting].sum())
            # a cap below the size of an atom has no life to be resolved
            early_C_m2 = float(charges[~lasting & (r >= _ATOM_m)].sum())
            n, r, speeds_0 = n[lasting], r[lasting], speeds_0[lasting]
        current = self.j + vanishing_C_m2 / step_s

        first = _GAMMA * step_s
        x = state.exponent
        n_young = self.born(state.counted, x + first * rate_0)
        young = n_young > 0
        r_1 = np.maximum(r + first * speeds_0, _SMALLEST_NUCLEUS_m)
        caps = _Caps(self, np.append(n, n_young), np.append(r_1, radius_0)) if young else _Caps(self, n, r_1)
        eta_1 = caps.root(current, eta, first, eta)
        if not math.isfinite(eta_1):
            return None, math.inf
        growth_1, side_1, conductance, flux = caps.currents(eta_1)
        speeds_1 = self.speed * flux
        rate_1, radius_1 = self.ignition(eta_1, caps.free)

        # where the rate falls steeply the explicit part is below 0; such a step is rejected, if it matters
        x_2 = max(x + step_s * (_DELTA * rate_0 + (1.0 - _DELTA) * rate_1), x - 1.0)
        r_2 = r + step_s * (_DELTA * speeds_0 + (1.0 - _DELTA) * speeds_1[: r.size])
        if (r_2 < _LEAST_LEFT * r).any():
            return None, math.inf
        least = 1e-9 * self.substrate.site_density_1_m2
        if self.born(x, x_2) < -least:
            return None, math.inf
        n_new, counted = self.born(state.counted, x_2), state.counted
        area = float(n @ (r_2 * r_2))
        lower = np.maximum(r + step_s * speeds_1[: r.size], _SMALLEST_NUCLEUS_m)
        wrong = 2.0 * float(n @ (r_2 * np.abs(r_2 - lower)))
        n_2 = n
        if n_new > least:
            weight_0, weight_1 = _DELTA * rate_0, (1.0 - _DELTA) * rate_1
            r_new = radius_1
            if state.counted == x and weight_0 + weight_1 > 0:
                r_new = (weight_0 * radius_0 + weight_1 * radius_1) / (weight_0 + weight_1)
            if young:
                r_new += float(speeds_1[-1]) * step_s * min(1.0, (1.0 - _DELTA) * n_young / n_new)
            r_new = max(r_new, _SMALLEST_NUCLEUS_m)
            n_2, r_2 = np.append(n, n_new), np.append(r_2, r_new)
            area += n_new * r_new**2
            counted = x_2
        caps = _Caps(self, n_2, r_2)
        slope_1 = (current - growth_1 - side_1) / capacitance
        eta_2 = caps.root(current, eta + step_s * (1.0 - _GAMMA) * slope_1, first, eta + (eta_1 - eta) / _GAMMA)
        if not math.isfinite(eta_2):
            return None, math.inf
        growth_2, side_2, _, _ = caps.currents(eta_2)
        error = abs(eta_2 - eta - (eta_1 - eta) / _GAMMA) / tolerance_V
        # the charge of what vanishes comes too early by some steps
        storing_F_m2 = capacitance + first * conductance
        error = max(error, early_C_m2 / storing_F_m2 / tolerance_V)
        # the threshold of nucleation must not be jumped over while the double layer is still charged
        charging_V = max(abs(eta_2 - eta) - vanishing_C_m2 / storing_F_m2, 0.0)
        error = max(error, (charging_V / (0.2 * max(abs(eta), 0.01))) ** 2)
        rate_2, _ = self.ignition(eta_2, caps.free)
        n_wrong = abs(self.born(x_2, x + 0.5 * step_s * (rate_0 + rate_2)))
        total = float(n_2.sum())
        if total > least:
            error = max(error, n_wrong / total / (_NUMBER_LENIENCE * self.alpha * self.f * tolerance_V))
        if area > 0:
            # an error of the area moves the overpotential by a part of 1/(alpha f), once growth carries the current
            share = min(1.0, abs(growth_2) / self.j)
            error = max(error, share * wrong / area / (self.alpha * self.f * tolerance_V))
        if error > 1.0:
            return None, error
        growth = step_s * ((1.0 - _GAMMA) * growth_1 + _GAMMA * growth_2) - vanishing_C_m2
        side = step_s * ((1.0 - _GAMMA) * side_1 + _GAMMA * side_2)
        thickness = state.thickness_m + self.volume_per_charge * growth
        return _State(state.time_s + step_s, eta_2, n_2, r_2, x_2, counted, thickness, state.side_charge_C_m2 + side), error
