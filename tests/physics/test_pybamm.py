"""Our full cell against PyBaMM's Doyle-Fuller-Newman half cell; our sets and models as PyBaMM's users meet them."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybamm")

from sodiophile.errors import InputError
from sodiophile.physics.cell import load_cell
from sodiophile.physics.porous_cell import PorousCell
from sodiophile.physics.porous_layout import Grid
from sodiophile.physics.pybamm_models import MetalHalfCell, SymmetricMetalCell
from sodiophile.physics.pybamm_quiet import pybamm
from sodiophile.physics.pybamm_sets import Li_symmetric, Na_symmetric, half_cell_values, symmetric_values
from sodiophile.physics.sets import load_part
from sodiophile.physics.symmetric import SymmetricCell
from sodiophile.quantity import Quantity

ROOT = Path(__file__).parents[2]
NVP = load_part("cathode", "nvp")
# PyBaMM's metal has one surface and its interphase no capacitance
FLAT = {
    "electrode.deposit_area": 0.0,
    "electrode.double_layer_capacitance": "1e-3 uF/cm^2",
    "electrode.interphase_capacitance": "1e-3 uF/cm^2",
    "electrode.interphase_growth": 0.0,
    "electrode.interphase_growth_per_capacity": 0.0,
    "electrode.dead_fraction": 0.0,
}
QUICK = NVP.model_copy(update={"double_layer_capacitance": Quantity(1e-3, "uF/cm^2", status="assumed")})
FINE = Grid(layer=40, electrode=40, particle=40, tolerance=0.05)


def flat_cell(temperature_K=298.15):
    """Sodium in the electrolyte whose properties change with concentration."""
    cell = load_cell("sodiophilic-na").changed(FLAT)
    return cell.model_copy(update={"interlayer": None}).at(temperature_K)


@pytest.mark.parametrize(
    ("rate", "charging", "temperature_K"),
    [(1.0, False, 298.15), (5.0, False, 298.15), (10.0, False, 298.15), (20.0, False, 298.15), (0.5, True, 298.15),
     (5.0, True, 298.15), (2.0, False, 313.15), (2.0, False, 278.15)],
)  # fmt: skip
def test_half_cell_agrees_within_a_millivolt(rate, charging, temperature_K):
    cell = flat_cell(temperature_K)
    ours = PorousCell(cell, QUICK, grid=FINE, filling=0.99 if charging else 0.01)
    j = rate * ours.capacity_mAh_cm2
    seen = ours.charge(j, 3.8) if charging else ours.discharge(j, 2.5)
    assert seen.ended == "limit"
    values = pybamm.ParameterValues(half_cell_values(cell, QUICK))
    sites = NVP.maximum_concentration_mol_m3
    values.update(
        {
            "Current function [A]": -1e-3 * j if charging else 1e-3 * j,
            "Initial concentration in positive electrode [mol.m-3]": (0.99 if charging else 0.01) * sites,
        }
    )
    # even volumes: many in a particle, whose surface decides the voltage of the first seconds
    points = {"x_n": 5, "x_s": 40, "x_p": 40, "r_p": 150}
    solver = pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8)
    solution = pybamm.Simulation(MetalHalfCell(), parameter_values=values, var_pts=points, solver=solver).solve(
        [0, 5000 / rate]
    )
    end = min(float(solution.t[-1]), float(seen.time_s[-1]))
    assert end > 0.9 * 3600 / rate
    time = np.linspace(2e-3, 0.995, 400) * end
    theirs = solution["Voltage [V]"](time)
    assert np.max(np.abs(np.interp(time, seen.time_s, seen.voltage_V) - theirs)) < 1e-3


def test_impedance_agrees_with_that_of_pybamm():
    """Without an interphase: PyBaMM's has no capacitance of its own, and lies with the metal in one double layer."""
    cell = flat_cell().changed({"electrode.double_layer_capacitance": 20.0, "electrode.interphase_resistance": 0.0})
    ours = PorousCell(cell, NVP, grid=Grid(layer=80, electrode=40, particle=60), filling=0.5)
    frequency = np.geomspace(1e-2, 1e4, 25)
    values = pybamm.ParameterValues(half_cell_values(cell, NVP))
    values["Initial concentration in positive electrode [mol.m-3]"] = 0.5 * NVP.maximum_concentration_mol_m3
    points = {"x_n": 5, "x_s": 200, "x_p": 60, "r_p": 150}
    model = MetalHalfCell({"surface form": "differential"})
    theirs = pybamm.EISSimulation(model, parameter_values=values, var_pts=points).solve(frequency)["Impedance [Ohm]"]
    assert np.max(np.abs(ours.impedance_ohm_cm2(frequency) / np.asarray(theirs) - 1)) < 5e-3


def solved(values, current_A, time_s, **changes):
    model = SymmetricMetalCell()
    values = pybamm.ParameterValues(values)
    values.update({"Current function [A]": current_A, **changes})
    return pybamm.Simulation(model, parameter_values=values, var_pts={"x_s": 100}).solve([0, time_s])


@pytest.mark.parametrize("name", ["bare-na", "bare-li"])
def test_symmetric_cell_agrees_with_ours(name):
    """Metal|metal in PyBaMM against the closed forms of our own cell, after the salt has settled in part."""
    cell = load_cell(name).changed({key: value for key, value in FLAT.items() if "capacitance" not in key})
    solution = solved(symmetric_values(cell), 0.5e-3, 1800.0)
    time = np.array([60.0, 300.0, 1500.0])
    step = SymmetricCell(cell).step(0.5, plating=True)
    theirs = -solution["Voltage [V]"](time)
    np.testing.assert_allclose(theirs, np.abs(step.voltage_V(time)), rtol=2e-3)


def test_symmetric_cell_conserves_salt_and_metal():
    solution = solved(Na_symmetric(), 1e-3, 3600.0)
    mean = np.trapezoid(solution["Electrolyte concentration [mol.m-3]"].entries, axis=0)
    assert np.max(np.abs(mean / mean[0] - 1)) < 1e-3
    total = solution["Negative electrode metal [A.h]"].entries + solution["Positive electrode metal [A.h]"].entries
    assert np.max(np.abs(total - total[0])) < 1e-12
    assert abs(solution["Negative electrode metal [A.h]"].entries[-1] - (22e-3 - 1e-3)) < 1e-6


def test_symmetric_cell_ends_where_metal_does():
    solution = solved(Na_symmetric(), 1e-3, 4 * 3600.0, **{"Metal electrode capacity [A.h]": 2e-3})
    assert abs(solution.t[-1] - 2 * 3600.0) < 1.0
    assert "without metal" in solution.termination


def test_symmetric_cell_ends_where_salt_does():
    """Above the limiting current at Sand's time."""
    values = Na_symmetric() | {"Electrolyte diffusivity [m2.s-1]": 1e-11, "Lower voltage cut-off [V]": -1e3}
    j = 20.0
    solution = solved(values, 1e-4 * j, 4 * 3600.0)
    D, eps = 1e-11, 0.9
    sand_s = np.pi * D * eps**2.5 * (96485.33 * 1000 / (2 * j * 0.55)) ** 2
    assert abs(solution.t[-1] / sand_s - 1) < 0.02
    assert "without salt" in solution.termination


def test_symmetric_cell_has_two_arcs():
    """Real part from electrolyte to electrolyte, interphases and charge transfer of both electrodes."""
    values = pybamm.ParameterValues(Na_symmetric() | {"Electrolyte diffusivity [m2.s-1]": 1e-6})
    simulation = pybamm.EISSimulation(SymmetricMetalCell(), parameter_values=values, skip_surface_form_check=True)
    Z = np.asarray(simulation.solve(np.array([1e-3, 1e8]))["Impedance [Ohm]"])
    separator = 260e-6 / 0.9**1.5 / 0.883 * 1e4
    thermal = 8.314462618 * 298.15 / 96485.33
    assert abs(Z[1].real / separator - 1) < 1e-2
    assert abs(Z[0].real / (separator + 2 * (180.0 + thermal / 0.2e-3)) - 1) < 1e-2


def test_cycles_of_an_experiment_in_words():
    """Plating and stripping as an experiment of PyBaMM."""
    experiment = pybamm.Experiment([("Discharge at 1 mA for 30 minutes", "Charge at 1 mA for 30 minutes")] * 2)
    solution = pybamm.Simulation(
        SymmetricMetalCell(), experiment=experiment, parameter_values=pybamm.ParameterValues(Li_symmetric())
    ).solve()
    voltage = solution["Voltage [V]"].entries
    assert voltage.min() < -0.02
    assert voltage.max() > 0.02
    assert abs(solution["Discharge capacity [A.h]"].entries[-1]) < 1e-6


@pytest.mark.parametrize("changes", [{}, {"interlayer": None}])
def test_an_interlayer_lengthens_the_path(changes):
    cell = load_cell("sodiophilic-na").model_copy(update=changes)
    one = half_cell_values(cell, NVP)["Separator thickness [m]"] / 0.9**1.5
    two = symmetric_values(cell)["Separator thickness [m]"] / 0.9**1.5
    layer = cell.interlayer.porous.path_m if cell.interlayer else 0.0
    assert abs(one - cell.separator.porous.path_m - layer) < 1e-12
    assert abs(two - cell.separator.porous.path_m - 2 * layer) < 1e-12


def test_bad_input_is_one_line():
    with pytest.raises(InputError, match=r"area: found -1 cm\^2, expected more than 0"):
        symmetric_values(load_cell("bare-na"), -1.0)
    with pytest.raises(InputError, match="found Zn, expected a metal of single-charged ions"):
        symmetric_values(load_cell("bare-zn"))
    marcus = load_cell("bare-na").changed({"electrode.reorganization_energy": "0.3 eV"})
    with pytest.raises(InputError, match=r"electrode\.reorganization_energy: found one"):
        symmetric_values(marcus)
    with pytest.raises(InputError, match="cathode: missing"):
        half_cell_values(load_cell("bare-na"))


GROUPS = {
    "pybamm_parameter_sets": {"NVP_Na", "NVP_Na_interlayer", "Na_symmetric", "Li_symmetric"},
    "pybamm_models": {"SymmetricMetalCell", "MetalHalfCell"},
}


@pytest.mark.parametrize("group", GROUPS)
def test_entry_points_are_declared_and_load(group):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][group]
    assert set(declared) == GROUPS[group]
    for name, value in declared.items():
        assert callable(importlib.metadata.EntryPoint(name, value, group).load())


@pytest.mark.parametrize("group", GROUPS)
def test_pybamm_finds_what_is_installed(group):
    """Through the metadata of the installation, as PyBaMM does."""
    points = importlib.metadata.entry_points(group=group)
    found = {point.name for point in points if point.value.startswith("sodiophile.")}
    if not found:
        pytest.skip("installed before these entry points were there: pip install --no-deps -e .")
    assert found == GROUPS[group]
    theirs = pybamm.parameter_sets if group == "pybamm_parameter_sets" else pybamm.dispatch.models
    assert GROUPS[group] <= set(theirs)
    if group == "pybamm_parameter_sets":
        assert abs(pybamm.ParameterValues("NVP_Na")["Positive electrode thickness [m]"] - 20e-6) < 1e-12
    else:
        assert pybamm.Model("SymmetricMetalCell").name == "Symmetric metal cell"


def test_telemetry_is_off_and_nothing_is_asked():
    code = (
        "import os; os.environ.pop('PYBAMM_DISABLE_TELEMETRY', None); import sodiophile.physics.pybamm_models; "
        "import pybamm; print(pybamm.telemetry._posthog.disabled)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "True"
