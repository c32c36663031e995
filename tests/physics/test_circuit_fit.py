"""Fits, intervals, starting values, the Kramers-Kronig test and relaxation times, each against something independent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from sodiophile.physics.arc_circuits import ALL, FULL, Candidate, Place, arcs_of
from sodiophile.physics.arcs import candidate_bounds, fit_arcs, preferred
from sodiophile.physics.circuit_fit import Spectra, bounds, profile_intervals, search
from sodiophile.physics.circuit_search import fit_circuit
from sodiophile.physics.circuits import Circuit
from sodiophile.physics.kramers_kronig import kramers_kronig_test
from sodiophile.physics.least_squares import covariance, minimize_squares
from sodiophile.physics.relaxation_times import relaxation_times

FREQUENCY = np.geomspace(1e6, 1e-2, 65)
VALUES = {
    "R0": 6.0,
    "Zarc1.R": 80.0,
    "Zarc1.tau": 1e-4,
    "Zarc1.alpha": 0.88,
    "Zarc2.R": 150.0,
    "Zarc2.tau": 6e-3,
    "Zarc2.alpha": 0.82,
}
TWO = Candidate(2, "none", inductance=False)


def noisy(text="R0-Zarc1-Zarc2", values=VALUES, noise=0.004, seed=0, frequency=FREQUENCY):
    Z = Circuit(text).impedance_ohm(frequency, values)
    random = np.random.default_rng(seed)
    return frequency, Z + noise * np.abs(Z) * (random.standard_normal(len(Z)) + 1j * random.standard_normal(len(Z)))


def test_batched_search_finds_what_scipy_finds_from_the_truth():
    circuit = Circuit("R0-Zarc1-Zarc2")
    batch = Spectra.of([noisy(seed=1), noisy(seed=2)])
    truth = circuit.coordinates(VALUES)
    lower, upper = bounds(circuit, batch)
    found = search(circuit, batch, np.arange(2), np.tile(truth, (2, 1)), lower, upper)
    for k in range(2):
        one = np.array([k])
        scipys = least_squares(
            lambda u, one=one: batch.residuals(circuit, u[None], one)[0][0], truth, xtol=1e-12, ftol=1e-12
        )
        assert found.cost[k] == pytest.approx(2 * scipys.cost, rel=1e-9)
        assert np.allclose(found.coordinates[k], scipys.x, rtol=1e-5, atol=1e-6)
    assert found.converged.all()


def test_a_linear_problem_gives_the_covariance_of_the_textbook_and_bounds_hold():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(30, 3)), random.normal(size=30)

    def residuals(v, index):
        return v @ X.T - y, np.broadcast_to(X.T, (len(v), 3, 30))

    free = minimize_squares(residuals, np.zeros((1, 3)), np.full((1, 3), -9.0), np.full((1, 3), 9.0))
    assert np.allclose(free.coordinates[0], np.linalg.lstsq(X, y, rcond=None)[0], atol=1e-8)
    inverse, known = covariance(free)
    assert known[0]
    assert np.allclose(inverse[0], np.linalg.inv(X.T @ X), rtol=1e-8)
    high = np.full((1, 3), 9.0)
    high[0, 0] = free.coordinates[0, 0] - 0.1
    bound = minimize_squares(residuals, np.zeros((1, 3)), np.full((1, 3), -9.0), high)
    rest = np.linalg.lstsq(X[:, 1:], y - X[:, 0] * high[0, 0], rcond=None)[0]
    assert not bound.free[0, 0]
    assert np.allclose(bound.coordinates[0], [high[0, 0], *rest], atol=1e-7)


def test_starting_values_lead_to_the_truth_from_any_separation():
    random = np.random.default_rng(5)
    spectra, sums = [], []
    for k in range(40):
        values = VALUES | {
            "Zarc1.R": float(np.exp(random.uniform(2, 6))),
            "Zarc2.R": float(np.exp(random.uniform(2, 6))),
            "Zarc2.tau": 1e-4 * 10 ** random.uniform(1.2, 3.5),
        }
        spectra.append(noisy(values=values, seed=k))
        sums.append(values["Zarc1.R"] + values["Zarc2.R"])
    fits = fit_arcs(Spectra.of(spectra), [TWO])[TWO]
    assert all(fit.converged for fit in fits)
    assert max(fit.misfit for fit in fits) < 0.0075  # sqrt(2) x 0.4 % of noise in each part, and its scatter
    found = [np.exp(fit.coordinates[[Place.R1, Place.R2]]).sum() for fit in fits]
    assert np.allclose(found, sums, rtol=0.02)


def test_the_data_choose_the_circuit_that_made_them():
    tail = VALUES | {"CPE3.Q": 0.05, "CPE3.alpha": 0.7, "L0": 2e-6}
    cases = [
        ("R0-Zarc1-Zarc2", VALUES, TWO),
        ("R0-Zarc1", {name: VALUES[name] for name in list(VALUES)[:4]}, Candidate(1, "none", inductance=False)),
        ("L0-R0-Zarc1-Zarc2-CPE3", tail, Candidate(2, "cpe", inductance=True)),
        ("R0-Zarc1-Zarc2-W3", VALUES | {"W3": 8.0}, Candidate(2, "warburg", inductance=False)),
    ]
    for text, values, expected in cases:
        # a chance improvement passes the margin once in seventy times an element
        right = [
            preferred(fit_arcs(Spectra.of([noisy(text, values, seed=seed)]), ALL), 0.002)[0] == expected
            for seed in range(8)
        ]
        assert sum(right) >= 7, text


def test_spectra_of_different_length_are_fitted_as_if_alone():
    long, short = noisy(seed=3), noisy(seed=4, frequency=FREQUENCY[::2])
    together = fit_arcs(Spectra.of([long, short]), [TWO])[TWO]
    for fit, one in zip(together, (long, short), strict=True):
        alone = fit_arcs(Spectra.of([one]), [TWO])[TWO][0]
        assert fit.dof == alone.dof
        assert np.allclose(fit.coordinates[fit.free], alone.coordinates[alone.free], atol=1e-5)


def test_scaling_the_impedance_scales_the_resistances_and_nothing_else():
    frequency, Z = noisy(seed=6)
    first, second = fit_arcs(Spectra.of([(frequency, Z), (frequency, 1e3 * Z)]), [TWO])[TWO]
    shift = second.coordinates - first.coordinates
    assert np.allclose(shift[[Place.R0, Place.R1, Place.R2]], np.log(1e3), atol=1e-5)
    assert np.allclose(shift[[Place.TAU1, Place.TAU2, Place.ALPHA1, Place.ALPHA2]], 0, atol=1e-5)


def test_profile_and_linear_interval_agree_for_a_well_known_resistance_and_part_for_a_poor_one():
    def log_R1(u):
        gradient = np.zeros_like(u)
        gradient[:, Place.R1] = 1
        return u[:, Place.R1], gradient

    good, poor = noisy(noise=0.002), noisy(noise=0.02, values=VALUES | {"Zarc2.tau": 6e-4, "Zarc1.R": 30.0}, seed=2)
    for spectrum, moved in ((good, False), (poor, True)):
        batch = Spectra.of([spectrum])
        fits = fit_arcs(batch, [TWO])[TWO]
        low, high = candidate_bounds(TWO, batch)
        ((below, above, changed),) = profile_intervals(batch, fits, log_R1, low, high)
        center = fits[0].coordinates[Place.R1]
        assert below < center < above
        assert changed is moved
        if not moved:
            reach = fits[0].t * np.sqrt(fits[0].covariance[Place.R1, Place.R1])
            assert (above - below) / 2 == pytest.approx(reach, rel=1e-9)


def test_any_circuit_finds_its_minimum_without_starting_values():
    text = "R0-p(R1,CPE1)-p(R2-W2,CPE2)"
    values = {
        "R0": 4.0,
        "R1": 60.0,
        "CPE1.Q": 1e-5,
        "CPE1.alpha": 0.9,
        "R2": 120.0,
        "W2": 15.0,
        "CPE2.Q": 3e-4,
        "CPE2.alpha": 0.9,
    }
    circuit, batch = Circuit(text), Spectra.of([noisy(text, values)])
    (fit,), (share,) = fit_circuit(circuit, batch)
    from_truth = search(circuit, batch, np.array([0]), circuit.coordinates(values)[None], *bounds(circuit, batch))
    assert fit.cost <= from_truth.cost[0] * (1 + 1e-8)
    assert 0 < share <= 1
    assert [arc.resistance for arc in arcs_of(fit.circuit)] == [fit.circuit.index("R1"), fit.circuit.index("R2")]


def test_effective_capacitances_are_the_capacitance_of_an_ideal_arc():
    u = FULL.coordinates(VALUES | {"L0": 1e-9, "Zarc1.alpha": 1.0, "CPE3.Q": 1.0, "CPE3.alpha": 0.5})
    arc = arcs_of(FULL)[0]
    for formula in ("hsu-mansfeld", "brug"):
        assert np.exp(arc.log_capacitance(u, Place.R0, formula)) == pytest.approx(1e-4 / 80.0, rel=1e-12, abs=0)


def test_kramers_kronig_passes_what_is_consistent_and_finds_what_is_not():
    for text, values in (
        ("R0-Zarc1-Zarc2", VALUES),
        ("R0-p(R1,C1)", {"R0": 30.0, "R1": 50.0, "C1": 1e-5}),
        ("R0-p(R1,C1)-CPE3", {"R0": 30.0, "R1": 50.0, "C1": 1e-5, "CPE3.Q": 1e-2, "CPE3.alpha": 0.9}),
    ):
        test = kramers_kronig_test(*noisy(text, values, noise=0.002))
        assert test.rms < 0.004
        assert test.systematic().max() < 0.004
    frequency, Z = noisy(noise=0.002)
    drifting = Z * (1 + 0.2 * np.cumsum(1 / frequency) / np.sum(1 / frequency))
    assert kramers_kronig_test(frequency, drifting).systematic().max() > 0.01
    crossed = Z.real * (1 + 0.1 * np.sin(np.log(frequency))) + 1j * Z.imag
    assert kramers_kronig_test(frequency, crossed).systematic().max() > 0.02


@pytest.mark.parametrize(("apart", "count"), [(3.0, 2), (2.0, 2), (0.0, 1)])
def test_relaxation_times_count_arcs_and_keep_their_area(apart, count):
    values = VALUES | {"Zarc2.tau": 1e-4 * 10**apart}
    found = relaxation_times(*noisy(values=values, noise=0.002))
    assert len(found.peaks) == count
    # the columns of a diffusion tail may take the long flank of a depressed arc
    assert sum(area for _, area in found.peaks) == pytest.approx(230.0, rel=0.1)
    assert found.peaks[0][0] == pytest.approx(1e-4, rel=0.5)
