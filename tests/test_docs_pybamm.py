"""The code of docs/pybamm.md runs as printed, block after block."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybamm")

import sodiophile.physics.pybamm_models as ours
from sodiophile.physics.pybamm_quiet import pybamm

PAGE = Path(__file__).parent.parent / "docs" / "pybamm.md"


@pytest.fixture(scope="module")
def page():
    """Everything that the blocks of the page define."""
    if "SymmetricMetalCell" not in pybamm.dispatch.models:
        pytest.skip("installed before PyBaMM's entry points were there: pip install --no-deps -e .")
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  our own page
    return names


def test_metal_cells_swing_evenly(page):
    for trace in page["voltage_mV"].values():
        assert abs(trace.max() / -trace.min() - 1) < 1e-2
    # at 0.5 mA/cm2 more on sodium, whose interphase resists more in its file
    assert page["voltage_mV"]["Na"].max() > page["voltage_mV"]["Li"].max()


def test_impedance_meets_the_closed_forms(page):
    thermal = 8.314462618 * 298.15 / 96485.33212
    separator = 260e-6 / 0.9**1.5 / 0.883 * 1e4
    interface = 2 * (180.0 + thermal / 0.2e-3)
    Z, frequency = page["Z"], page["frequency"]
    assert abs(Z[-1].real / separator - 1) < 0.02
    # between charge transfer and the slow salt
    at = int(np.argmin(np.abs(frequency - 1.0)))
    assert abs(Z[at].real / (separator + interface) - 1) < 0.03
    assert isinstance(page["model"], pybamm.lithium_ion.DFN)
    assert ours.SymmetricMetalCell().name == "Symmetric metal cell"


def test_rates_order(page):
    assert 100 < page["capacity_mAh_g"][1] < 117.6
    assert "limit of the voltage" in page["discharge"].words
    assert page["cell"].metal.dead_mAh_cm2 > 0
