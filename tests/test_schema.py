"""Faults in what the user writes are one line that names the key."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field

from sodiophile.errors import InputError
from sodiophile.schema import InUnit, Model, checked, unit_of_field


class Inner(Model):
    thickness_um: Annotated[float, InUnit("um")] = Field(alias="thickness", description="how thick it is")


class Outer(Model):
    name: str
    current_density_mA_cm2: Annotated[float, InUnit("mA/cm^2")] | None = Field(None, alias="current_density", gt=0)
    count: int = 3
    layers: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({}, "s.toml: name: missing; expected a value"),
        (
            {"name": "a", "curent_density": "1 A/m^2"},
            "s.toml: curent_density: unknown key; did you mean 'current_density'?",
        ),
        (
            {"name": "a", "current_density": 0.5},
            "s.toml: current_density: found 0.5 without a unit, expected one such as '0.5 mA/cm^2'",
        ),
        (
            {"name": "a", "current_density": "-1 A/m^2"},
            "s.toml: current_density: found '-1 A/m^2', expected more than 0 mA/cm^2",
        ),
        (
            {"name": "a", "count": "x"},
            "s.toml: count: found 'x', expected a whole number",
        ),
        (
            {"name": "a", "layers": [{"thickness": "1 um"}, {}]},
            "s.toml: layers[2].thickness: missing; expected how thick it is, such as '1 um'",
        ),
        (
            {"name": "a", "layers": [{"thicknes": "1 um"}]},
            "s.toml: layers[1].thicknes: unknown key; did you mean 'thickness'?",
        ),
    ],
)
def test_one_line(data, line):
    with pytest.raises(InputError) as error:
        checked(Outer, data, "s.toml")
    assert str(error.value) == line


def test_numbers_arrive_in_the_unit_of_the_name():
    outer = checked(Outer, {"name": "a", "current_density": "5 A/m^2", "layers": [{"thickness": "0.07 mm"}]})
    assert outer.current_density_mA_cm2 == pytest.approx(0.5)
    assert outer.layers[0].thickness_um == pytest.approx(70)
    assert unit_of_field(Outer.model_fields["current_density_mA_cm2"]) == "mA/cm^2"
    assert unit_of_field(Outer.model_fields["count"]) is None


def test_neither_celsius_nor_kelvin_is_put_into_the_mouth_of_the_user():
    class Cell(Model):
        temperature_K: Annotated[float, InUnit("K")] = Field(alias="temperature", description="temperature of the cell")

    with pytest.raises(InputError, match=r"missing; expected temperature of the cell, such as '25 degC'"):
        checked(Cell, {}, "cell")
    with pytest.raises(InputError, match=r"found '25' without a unit, expected '25 degC' or '25 K'"):
        checked(Cell, {"temperature": "25"}, "cell")
