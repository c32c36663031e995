"""Capacitances and salt in time: linearised, they are the impedance; the integrator has its order and its limits."""

from __future__ import annotations

import numpy as np
import pytest

from sodiophile.errors import InputError, SolverError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.cell_impedance import diffusion_ohm_cm2_s, impedance_ohm_cm2, symmetric_cell_parameters
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.constants import FARADAY_C_mol, GAS_J_mol_K
from sodiophile.physics.dynamics import CellDynamics
from sodiophile.physics.kinetics import butler_volmer_mA_cm2
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.physics.transport import sand_time_s

CELLS = ["bare-na", "sodiophilic-na", "bare-li", "bare-k", "bare-zn"]
FREQUENCY = np.geomspace(1e6, 1e-4, 41)
FLAT = {"electrode.deposit_area": 0.0}


def aged(name: str, half_cycles: int = 7, **changes) -> SymmetricCell:
    cell = load_cell(name).changed({f"electrode.{key}": value for key, value in changes.items()})
    pair = SymmetricCell(cell)
    for k in range(half_cycles):
        pair.step(0.5, plating=k % 2 == 0).finish(7200.0)
    return pair


def diffusion(pair: SymmetricCell, modes: int | None) -> np.ndarray:
    """Return the impedance of salt diffusion of so many modes, of all of them for None."""
    R, tau = diffusion_ohm_cm2_s(pair)
    root = np.sqrt(2j * np.pi * FREQUENCY * tau)
    if modes is None:
        return R * np.tanh(root) / root
    odd = 2.0 * np.arange(modes) + 1
    weights = 8 / (np.pi * odd) ** 2
    slow = 1 + 1j * 2 * np.pi * FREQUENCY[:, None] * pair.salt_time_s / odd**2
    return R * ((weights / slow).sum(axis=1) + 1 - weights.sum())


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("half_cycles", [0, 7])
def test_linearised_equations_are_the_analytic_impedance(name, half_cycles):
    """The Jacobian of the time-domain equations at rest gives the impedance of the same state, to round-off."""
    pair = aged(name, half_cycles, pit_area=1.5)
    expected = impedance_ohm_cm2(pair, FREQUENCY) - diffusion(pair, None) + diffusion(pair, 12)
    found = CellDynamics(pair, modes=12).linear_impedance_ohm_cm2(FREQUENCY)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_salt_of_more_modes_becomes_the_finite_warburg():
    pair = aged("bare-na")
    exact = impedance_ohm_cm2(pair, FREQUENCY)
    wrong = [np.abs(CellDynamics(pair, modes=n).linear_impedance_ohm_cm2(FREQUENCY) - exact).max() for n in (10, 40, 160)]
    # what is left out falls as 1/modes
    assert wrong[0] / wrong[1] == pytest.approx(4.0, rel=0.05)
    assert wrong[1] / wrong[2] == pytest.approx(4.0, rel=0.05)


def test_impedance_of_a_pristine_cell_is_the_circuit():
    cell = load_cell("bare-na")
    values = symmetric_cell_parameters(cell)
    circuit = Circuit("R0-Zarc1-Zarc2-Ws3")
    Z = circuit.evaluate(circuit.coordinates(values)[None], np.log(2 * np.pi * FREQUENCY)[:, None].T)[0][0]
    np.testing.assert_allclose(impedance_ohm_cm2(SymmetricCell(cell), FREQUENCY), Z, rtol=1e-12)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("temperature_K", [273.15, 298.15, 313.15])
def test_one_state_gives_one_charge_transfer_resistance(name, temperature_K):
    """R_ct j0 z F / RT = 1, R_ct from the spectrum: its low end less interphase, electrolyte and salt."""
    cell = load_cell(name).at(temperature_K)
    pair = SymmetricCell(cell)
    Z = impedance_ohm_cm2(pair, [1e-9])[0].real
    interphase = cell.electrode.interphase_resistance.value / cell.factor(cell.electrode.interphase_activation_energy)
    R_ct = (Z - pair.electrolyte_resistance_ohm_cm2 - diffusion_ohm_cm2_s(pair)[0]) / 2 - interphase
    j0 = 1e-3 * cell.electrode.exchange_current_density.value * cell.factor(cell.electrode.exchange_activation_energy)
    assert R_ct * j0 * pair.z * FARADAY_C_mol / (GAS_J_mol_K * temperature_K) == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("half_cycles", [0, 7])
def test_impedance_at_zero_frequency_is_the_slope_of_the_voltage(half_cycles):
    """The steady voltage of the cycling model at a small current is j times the impedance at no frequency."""
    pair = aged("bare-na", half_cycles)
    pair.step(0.0, plating=True).finish(1e7)
    small = 1e-6
    step = pair.step(small, plating=True)
    slope = -1e3 * step.voltage_V([20 * pair.salt_time_s])[0] / small
    assert impedance_ohm_cm2(pair, [1e-9])[0].real == pytest.approx(slope, rel=2e-4)


@pytest.mark.parametrize(("mode", "drive"), [("current", 0.4), ("voltage", 0.1)])
def test_jacobian_is_the_derivative(mode, drive):
    dynamics = CellDynamics(aged("bare-na"), modes=3)
    random = np.random.default_rng(0)
    y = 0.05 * random.standard_normal(dynamics._size)
    _, jacobian = dynamics._evaluate(y, drive, mode)
    step = 1e-6
    for k in range(y.size):
        shift = np.zeros(y.size)
        shift[k] = step
        numeric = (dynamics._evaluate(y + shift, drive, mode)[0] - dynamics._evaluate(y - shift, drive, mode)[0]) / (
            2 * step
        )
        np.testing.assert_allclose(jacobian[:, k], numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("frequency", [200.0, 5.0, 0.05])
def test_a_small_sine_in_time_is_answered_by_the_impedance(frequency):
    """Integrated over ten periods, the last of them has the amplitude and the phase of Z."""
    dynamics = CellDynamics(aged("bare-na"), modes=12)
    omega, size = 2 * np.pi * frequency, 1e-4
    answer = dynamics.run(
        lambda t: size * np.sin(omega * t),
        10 / frequency,
        mode="current",
        longest_step_s=1 / frequency / 200,
        tolerance_V=1.0,
    )
    last = answer.time_s > 9 / frequency
    t, U = answer.time_s[last], answer.voltage_V[last]
    basis = np.column_stack([np.sin(omega * t), np.cos(omega * t), np.ones_like(t)])
    (real, imaginary, _), *_ = np.linalg.lstsq(basis, 1e3 * U / size, rcond=None)
    Z = dynamics.linear_impedance_ohm_cm2([frequency])[0]
    assert abs(real + 1j * imaginary - Z) < 2e-3 * abs(Z)


def test_integrator_is_of_second_order():
    """Fixed steps; the error of the voltage falls by four where the step is halved."""
    dynamics = CellDynamics(SymmetricCell(load_cell("bare-na")), modes=4)
    period = 0.05

    def end(steps):
        answer = dynamics.run(
            lambda t: 0.5 * np.sin(2 * np.pi * t / period), period, mode="current", longest_step_s=period / steps,
            tolerance_V=1e9, start="steady",
        )  # fmt: skip
        return answer.voltage_V[-1]

    exact = end(3200)
    errors = [abs(end(steps) - exact) for steps in (100, 200, 400)]
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(order, 2.0, atol=0.15)


def test_tolerance_rules_the_error():
    dynamics = CellDynamics(SymmetricCell(load_cell("bare-na")))
    times = np.geomspace(1e-4, 50, 200)

    def solved(tolerance):
        answer = dynamics.run(0.5, 50.0, mode="current", tolerance_V=tolerance)
        return np.interp(times, answer.time_s, answer.voltage_V)

    exact = solved(1e-7)
    errors = [np.abs(solved(tolerance) - exact).max() for tolerance in (1e-3, 1e-4, 1e-5)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 2e-4


def test_after_a_second_it_is_the_cycling_model():
    """Once the capacitances are charged the voltage is that of the steady surfaces with the same salt profile."""
    cell = load_cell("bare-na").changed(FLAT)
    pair = SymmetricCell(cell)
    answer = CellDynamics(pair, modes=12).run(0.5, 900.0, mode="current", tolerance_V=1e-6)
    late = answer.time_s > 1.0
    quasi = -pair.step(0.5, plating=True).voltage_V(answer.time_s[late])
    np.testing.assert_allclose(answer.voltage_V[late], quasi, atol=2e-5)


def test_first_moment_is_ohmic_then_capacitive():
    """U(0) = j R; then all capacitances charge, dU/dt = 2 j (1/C_dl + 1/C_sei)."""
    pair = SymmetricCell(load_cell("bare-na"))
    answer = CellDynamics(pair, modes=0).run(0.5, 1e-6, mode="current")
    assert answer.voltage_V[0] == pytest.approx(5e-4 * pair.electrolyte_resistance_ohm_cm2, rel=1e-9)
    e = pair.cell.electrode
    slope = 2 * 0.5e3 * (1 / e.double_layer_capacitance.value + 1 / e.interphase_capacitance.value)
    rise = (answer.voltage_V[-1] - answer.voltage_V[0]) / answer.time_s[-1]
    assert rise == pytest.approx(slope, rel=0.01)


def test_slow_sweep_is_butler_volmer_and_a_fast_one_adds_the_double_layer():
    """One electrode without interphase: j = j_BV(U) + C dU/dt."""
    cell = load_cell("bare-na").changed({"electrode.interphase_resistance": 0.0, "electrode.interphase_capacitance": 1e6})
    dynamics = CellDynamics(SymmetricCell(cell), electrodes=1)
    for rate_V_s in (1e-4, 1.0):
        answer = dynamics.run(
            lambda t, rate=rate_V_s: -0.15 + rate * t, 0.3 / rate_V_s, mode="voltage", start="steady", tolerance_V=1e-7
        )
        late = answer.time_s > 0.05 / rate_V_s
        capacitive = 1e-3 * cell.electrode.double_layer_capacitance.value * rate_V_s
        expected = butler_volmer_mA_cm2(answer.voltage_V[late], 0.2, 298.15) + capacitive
        np.testing.assert_allclose(answer.current_density_mA_cm2[late], expected, rtol=1e-3, atol=2e-3 * capacitive)


def fast_cell():
    return load_cell("bare-na").changed(
        {"electrode.exchange_current_density": 1e4, "electrode.interphase_resistance": 0.0,
         "separator.porosity": 1.0, "separator.thickness": 1000.0, **FLAT}
    )  # fmt: skip


def test_cottrell_then_the_limiting_current():
    """Under a voltage that empties the electrode, j = zF c0 sqrt(D/(pi t))/(1-t+) at first, and j_lim at last."""
    cell = fast_cell()
    pair = SymmetricCell(cell)
    tau = pair.salt_time_s
    answer = CellDynamics(pair, modes=60, series_ohm_cm2=1e-6).run(0.35, 6 * tau, mode="voltage", tolerance_V=1e-3)
    e = cell.electrolyte
    early = (answer.time_s > 4e-3 * tau) & (answer.time_s < 0.05 * tau)
    assert early.sum() > 5
    flux = FARADAY_C_mol * e.concentration.value * 1e3 * np.sqrt(e.diffusivity.value / (np.pi * answer.time_s[early]))
    cottrell = 0.1 * flux / (1 - e.transference_number.value)
    np.testing.assert_allclose(answer.current_density_mA_cm2[early], cottrell, rtol=0.02)
    assert answer.current_density_mA_cm2[-1] == pytest.approx(pair.limiting_current_density_mA_cm2, rel=5e-3)


def test_above_the_limiting_current_it_stops_with_the_reason_and_what_it_has():
    """A current far above the limiting one runs until Sand's time; there is no steady state."""
    pair = SymmetricCell(fast_cell())
    dynamics = CellDynamics(pair, modes=60)
    much = 5 * pair.limiting_current_density_mA_cm2
    with pytest.raises(SolverError, match=r"used up after .* \(limiting current density") as caught:
        dynamics.run(much, pair.salt_time_s, mode="current", tolerance_V=1e-4)
    e = pair.cell.electrolyte
    sand = float(sand_time_s(much, e.concentration.value * 1e3, e.diffusivity.value, e.transference_number.value))
    so_far = caught.value.so_far
    assert so_far.time_s[-1] == pytest.approx(sand, rel=0.01)
    assert 0.99 < so_far.depletion[-1] < 1.0
    with pytest.raises(SolverError, match=r"no steady state at .* \(limiting current density"):
        dynamics.run(much, 1.0, mode="current", start="steady")


def test_nonsense_is_refused():
    pair = SymmetricCell(load_cell("bare-na"))
    with pytest.raises(InputError, match="expected both above 0"):
        CellDynamics(pair).run(0.0, -1.0, mode="current")
    pair.working.metal_mAh_cm2 = 0.0
    with pytest.raises(InputError, match="without any metal"):
        CellDynamics(pair)
