"""Circuit strings and elements: grammar, limits, derivatives, and the equality of two ways to write an arc."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.circuit_parser import parse_circuit, written
from sodiophile.physics.circuits import ELEMENTS, Circuit

FREQUENCY = np.geomspace(1e6, 1e-2, 40)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "character 1"),
        ("R0-", "character 4"),
        ("R0--R1", "character 4"),
        ("p(R1,CPE1", "character 10"),
        ("p(R1)", "two branches"),
        ("R0 R1", "expected '-' or the end"),
        ("X1-R0", "'X1' is no element"),
        ("R0-p(R0,C1)", "'R0' stands twice"),
        ("R0)", "expected '-' or the end"),
        ("__import__('os')", "expected an element"),
        ("R0-" * 200 + "R1", "characters, expected at most"),
        ("p(" * 20 + "R1", "inside one another"),
    ],
)
def test_what_is_no_circuit_is_refused_with_its_place(text, where):
    with pytest.raises(InputError) as caught:
        Circuit(text)
    assert where in str(caught.value)
    assert "\n" not in str(caught.value)


def test_blanks_are_allowed_and_the_string_is_normalized():
    assert Circuit(" R0 - p( R1 , CPE1 ) - W_1 ").text == "R0-p(R1,CPE1)-W_1"


names = st.sampled_from(sorted(ELEMENTS))


@st.composite
def circuits(draw, depth=0):
    """Draw a tree as text; elements are numbered afterwards."""
    if depth > 2 or draw(st.booleans()):
        return draw(names) + "#"
    parts = draw(st.lists(circuits(depth=depth + 1), min_size=2, max_size=3))
    return "-".join(parts) if draw(st.booleans()) else f"p({','.join(parts)})"


def numbered(text):
    pieces = text.split("#")
    return "".join(piece + (str(k) if k < len(pieces) - 1 else "") for k, piece in enumerate(pieces))


@given(circuits())
def test_writing_and_reading_agree(text):
    assume(text.count("#") <= 24)
    text = numbered(text)
    assert written(parse_circuit(text, ELEMENTS)) == text


@settings(max_examples=60, deadline=None)
@given(circuits(), st.integers(0, 2**32 - 1))
def test_derivatives_are_those_of_differences(text, seed):
    assume(text.count("#") <= 24)
    circuit = Circuit(numbered(text))
    random = np.random.default_rng(seed)
    u = np.where(circuit.logarithmic, random.normal(0, 0.5, len(circuit.parameters)), random.uniform(0.5, 0.95))
    log_omega = np.log(2 * np.pi * np.geomspace(1e2, 1e-2, 9))[None]
    Z, derivatives = circuit.evaluate(u[None], log_omega)
    step = 1e-5
    for k in range(len(u)):
        moved = [circuit.evaluate((u + sign * step * np.eye(len(u))[k])[None], log_omega)[0] for sign in (1, -1)]
        numeric = (moved[0] - moved[1]) / (2 * step)
        assert np.allclose(derivatives[:, k], numeric, rtol=1e-5, atol=1e-7 * np.abs(Z).max())


def test_limits_of_an_arc():
    values = {"R0": 5.0, "R1": 100.0, "CPE1.Q": 1e-5, "CPE1.alpha": 0.8}
    Z = Circuit("R0-p(R1,CPE1)").impedance_ohm(np.array([1e-15, 1e15]), values)
    assert Z[0] == pytest.approx(105.0, rel=1e-9)
    assert Z[1].real == pytest.approx(5.0, rel=1e-6)


def test_zarc_is_the_arc_of_resistor_and_constant_phase_element():
    R, Q, alpha = 80.0, 3e-6, 0.85
    one = Circuit("Zarc1").impedance_ohm(
        FREQUENCY, {"Zarc1.R": R, "Zarc1.tau": (R * Q) ** (1 / alpha), "Zarc1.alpha": alpha}
    )
    two = Circuit("p(R1,CPE1)").impedance_ohm(FREQUENCY, {"R1": R, "CPE1.Q": Q, "CPE1.alpha": alpha})
    assert np.allclose(one, two, rtol=1e-12)


def test_finite_diffusion_begins_as_warburg_and_ends_as_resistor_or_capacitor():
    R, tau = 10.0, 4.0
    sigma = R / np.sqrt(2 * tau)
    fast, slow = np.array([1e4]), np.array([1e-7])
    warburg = Circuit("W1").impedance_ohm(fast, {"W1": sigma})
    for kind in ("Ws", "Wo"):
        Z = Circuit(f"{kind}1").impedance_ohm(fast, {f"{kind}1.R": R, f"{kind}1.tau": tau})
        assert np.allclose(Z, warburg, rtol=1e-9)
    assert Circuit("Ws1").impedance_ohm(slow, {"Ws1.R": R, "Ws1.tau": tau})[0] == pytest.approx(R, rel=1e-4)
    blocked = Circuit("Wo1").impedance_ohm(slow, {"Wo1.R": R, "Wo1.tau": tau})[0]
    assert blocked.imag == pytest.approx(-R / (2 * np.pi * slow[0] * tau), rel=1e-4)
    assert blocked.real == pytest.approx(R / 3, rel=1e-3)


def test_many_sets_of_parameters_give_what_each_gives_alone():
    circuit = Circuit("L0-R0-p(R1-W1,CPE1)")
    random = np.random.default_rng(3)
    u = random.normal(0, 1, (5, len(circuit.parameters)))
    u[:, ~circuit.logarithmic] = 0.8
    log_omega = np.log(2 * np.pi * FREQUENCY)[None]
    together, _ = circuit.evaluate(u, log_omega)
    for k in range(5):
        assert np.array_equal(together[k], circuit.evaluate(u[k : k + 1], log_omega)[0][0])


def test_values_and_coordinates_are_inverse_and_checked():
    circuit = Circuit("R0-p(R1,CPE1)")
    values = {"R0": 2.0, "R1": 30.0, "CPE1.Q": 1e-6, "CPE1.alpha": 0.9}
    assert np.allclose(circuit.values(circuit.coordinates(values)), list(values.values()))
    with pytest.raises(InputError, match="no value for 'R1'"):
        circuit.coordinates({"R0": 1.0, "CPE1.Q": 1.0, "CPE1.alpha": 0.9})
    with pytest.raises(InputError, match="R0 is -1"):
        circuit.coordinates({**values, "R0": -1.0})
    with pytest.raises(InputError, match="no parameter 'R9'"):
        circuit.coordinates({**values, "R9": 1.0})
