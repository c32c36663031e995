"""Quantities: units, formatting, refusal of nonsense, JSON round trip."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity, convert, format_number, measure

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (36.12, 0.4, "36.1(4)"),
        (36.12, 0.04, "36.12(4)"),
        (1060.0, 30.0, "1060(30)"),
        (0.123, 0.0154, "0.123(15)"),
        (3.79e-6, 1e-8, "3.790(10)e-6"),
        (5.0, 0.96, "5.0(10)"),
        (5.0, 0.194, "5.00(19)"),
        (36.123, None, "36.12"),
        (-1.83, 0.4, "-1.8(4)"),
        (0.0, 1.0, "0.0(10)"),
        (12345.0, None, "12345"),
    ],
)
def test_prints_as_papers_do(value, uncertainty, text):
    assert format_number(value, uncertainty) == text


def test_prints_unit_and_bound():
    assert str(Quantity(36.12, "mV", 0.4)) == "36.1(4) mV"
    assert str(Quantity(1060, "h", bound="lower")) == "> 1060 h"
    assert str(Quantity(0.5, "1", 0.01)) == "0.500(10)"


@given(value=st.floats(-1e9, 1e9), relative=st.floats(1e-7, 10))
def test_the_printed_number_is_the_number(value, relative):
    uncertainty = max(abs(value), 1e-6) * relative
    back = Quantity.parse(f"{format_number(value, uncertainty)} V")
    assert abs(back.value - value) <= 0.51 * uncertainty
    assert back.uncertainty == pytest.approx(uncertainty, rel=0.5)


@pytest.mark.parametrize(
    "text",
    ["0.5 mA/cm^2", "0.5 mA cm-2", "0.5 mA cm^-2", "500 µA/cm²", "5 A/m^2", "0.5e-3 A/cm2", "0.5 mA·cm⁻²", "0.5mA/cm**2"],
)
def test_reads_a_unit_in_the_ways_people_write_it(text):
    if "⁻²" in text:
        text = text.replace("⁻²", "^-2")
    assert measure(text, "mA/cm^2") == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("25 degC", "K", 298.15),
        ("25 °C", "K", 298.15),
        ("1 mAh", "C", 3.6),
        ("96 %", "1", 0.96),
        ("70 um", "m", 70e-6),
        ("1 Å", "nm", 0.1),
        ("100 Ω", "kohm", 0.1),
        ("2 min", "s", 120.0),
    ],
)
def test_converts(text, unit, value):
    assert measure(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "0.5",
        0.5,
        "0.5 mV",
        "x",
        "",
        "nan mA/cm^2",
        "1e999 mA/cm^2",
        "1 __import__('os')",
        "1 m^9999999",
        True,
        None,
        [1],
        "1 mA/cm^2; rm",
        "1 (",
        "1 )",
        "1 /",
        "1 m**m",
        "1 " + "m" * 500,
    ],
)
def test_refuses_nonsense_in_one_line_naming_the_key(text):
    with pytest.raises(InputError, match="current_density") as error:
        measure(text, "mA/cm^2", "current_density")
    assert "\n" not in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_a_measure_or_an_input_error(text):
    try:
        assert math.isfinite(measure(text, "V"))
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(value=finite, uncertainty=st.none() | st.floats(0, 1e6), low=finite)
def test_json_round_trip(value, uncertainty, low):
    quantity = Quantity(
        value, "mV", uncertainty, "tip minus plateau", "simulated", interval=(min(low, value), max(low, value))
    )
    assert Quantity.from_dict(json.loads(json.dumps(quantity.to_dict()))) == quantity


@pytest.mark.parametrize(
    "fields",
    [
        {"value": math.nan, "unit": "V"},
        {"value": math.inf, "unit": "V"},
        {"value": 1, "unit": "parsnips"},
        {"value": 1, "unit": "V", "uncertainty": -1},
        {"value": 1, "unit": "V", "status": "guessed"},
        {"value": 1, "unit": "V", "status": "calibrated"},
        {"value": 1, "unit": "V", "calibrated_to": "x"},
        {"value": 1, "unit": "V", "interval": (2, 1)},
        {"value": 1, "unit": "V", "bound": "middle"},
    ],
)
def test_a_quantity_refuses_what_it_cannot_mean(fields):
    with pytest.raises(InputError):
        Quantity(**fields)


def test_uncertainty_converts_by_scale_alone():
    assert Quantity(25, "degC", 0.5).to("K").uncertainty == pytest.approx(0.5)
    assert Quantity(1.1, "eV", 0.1).to("meV").uncertainty == pytest.approx(100)
    with pytest.raises(InputError, match="dimensions"):
        convert(1.0, "V", "A")


@pytest.mark.parametrize("text", ["36.1(4) mV", "36.1 +/- 0.4 mV", "36.1 ± 0.4 mV"])
def test_parses_what_it_prints(text):
    assert str(Quantity.parse(text)) == "36.1(4) mV"
    assert Quantity.parse("> 1060 h").bound == "lower"
    assert Quantity.parse("−1.830 eV").value == -1.830
