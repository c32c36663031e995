"""Whatever finite spectrum comes, the analysis answers or refuses in one line; it never breaks."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.experiments import experiment
from sodiophile.physics.circuits import Circuit
from sodiophile.records.impedance import impedance_record
from sodiophile.result import Result
from sodiophile.schema import checked

KINDS = {
    "impedance": {"temperature": "25 degC"},
    "activation-energy": {"temperatures": "10, 20, 30, 40 degC"},
}


@st.composite
def spectra(draw):
    """Circuits over wild ranges, noise, constants, few points, spans of nothing."""
    n = draw(st.integers(1, 40))
    ends = draw(st.tuples(st.floats(-3, 7), st.floats(-3, 7)))
    frequency = np.geomspace(10 ** ends[0], 10 ** ends[1], n)
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    kind = draw(st.sampled_from(["circuit", "noise", "constant", "resistor"]))
    size = 10 ** draw(st.floats(-6, 9))
    if kind == "noise":
        Z = random.standard_normal(n) + 1j * random.standard_normal(n)
    elif kind == "constant":
        Z = np.full(n, 1 - 1j)
    elif kind == "resistor":
        Z = np.full(n, 1 + 0j)
    else:
        text = draw(
            st.sampled_from(["R0-p(R1,C1)", "R0-p(R1,CPE1)-p(R2,C2)-Wo1", "C1", "R0-CPE1", "p(R1-W1,C1)", "L1-R1-C1"])
        )
        circuit = Circuit(text)
        u = np.where(circuit.logarithmic, random.uniform(-12, 4, len(circuit.parameters)), random.uniform(0.4, 1))
        Z = circuit.evaluate(u[None], np.log(2 * np.pi * frequency)[None])[0][0]
    Z = size * Z * (1 + draw(st.sampled_from([0.0, 0.01, 0.3])) * random.standard_normal(n))
    return frequency, Z


@pytest.mark.parametrize("kind", list(KINDS))
@settings(max_examples=40, deadline=None)
@given(several=st.lists(spectra(), min_size=4, max_size=4))
def test_answers_or_refuses(kind, several):
    chosen = experiment(kind)
    protocol = checked(chosen.protocol, {"area": "1 cm^2", "electrodes": 2, **KINDS[kind]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            records = [impedance_record(frequency, Z) for frequency, Z in several]
            result = chosen.run(records, protocol)
        except InputError as refused:
            assert "\n" not in str(refused)  # noqa: PT017
            return
        result.draw().figure.canvas.draw()
    json.dumps(result.to_dict(), allow_nan=False)
    with tempfile.TemporaryDirectory() as folder:
        result.save(Path(folder))
        assert Result.load(Path(folder)).quantities == result.quantities
