"""Cells as files: every parameter with unit, source and status; what is wrong is one line that names the key."""

from __future__ import annotations

import json
import re
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.cell import Cell, cells, load_cell, metals
from sodiophile.physics.constants import AVOGADRO_1_mol
from sodiophile.physics.kinetics import arrhenius_factor

# A^3 an atom, from lattice constants at room temperature (Wyckoff, Crystal Structures): bcc a^3/2, hcp sqrt(3)/4 a^2 c
ATOM_A3 = {"Li": 3.509**3 / 2, "Na": 4.2906**3 / 2, "K": 5.328**3 / 2, "Zn": np.sqrt(3) / 4 * 2.6649**2 * 4.9468}


def text(name: str = "bare-na") -> str:
    from importlib import resources

    return resources.files("sodiophile.physics").joinpath("data", "cells", f"{name}.toml").read_text(encoding="utf-8")


def changed(tmp_path, pattern: str, by: str):
    found, count = re.subn(pattern, by, text(), count=1, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "cell.toml"
    path.write_text(found, encoding="utf-8")
    return path


@pytest.mark.parametrize("symbol", ["Li", "Na", "K", "Zn"])
def test_molar_volume_is_that_of_the_crystal(symbol):
    metal = metals()[symbol]
    assert metal.molar_volume_m3_mol == pytest.approx(ATOM_A3[symbol] * 1e-30 * AVOGADRO_1_mol, rel=0.005)
    assert metal.z == (2 if symbol == "Zn" else 1)
    assert metal.source


@pytest.mark.parametrize("name", cells())
def test_shipped_cells_say_where_every_value_comes_from(name):
    cell = load_cell(name)
    places = cell.parameters()
    assert {"electrolyte", "separator", "electrode", "substrate"} <= {place.partition(".")[0] for place in places}
    for place, quantity in places.items():
        assert len(quantity.source) > 10, place
        assert quantity.status in {"assumed", "measured", "computed"}
        assert quantity.source != "stated without a source"
    assert cell.nucleation.z == metals()[cell.metal].z
    json.dumps(cell.to_dict(), allow_nan=False)


def test_a_set_by_name_is_what_is_written_out():
    """bare-na writes out the electrolyte and the separator that sodiophilic-na takes from the sets that ship."""
    one, other = load_cell("bare-na"), load_cell("sodiophilic-na")
    for place, quantity in one.parameters().items():
        if place.startswith(("electrolyte.", "separator.")):
            assert quantity.value == other.parameters()[place].value, place


def test_all_four_metals_ship():
    assert {load_cell(name).metal for name in cells()} == {"Li", "Na", "K", "Zn"}


def test_a_file_gives_the_cell_that_its_name_gives(tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(text(), encoding="utf-8")
    assert load_cell(path) == load_cell("bare-na")


def test_units_are_converted_and_status_kept(tmp_path):
    path = changed(
        tmp_path,
        r"^exchange_current_density = .*$",
        'exchange_current_density = { value = "2 A/m^2", uncertainty = "0.1 A/m^2", status = "calibrated", '
        'calibrated_to = "an impedance at 25 degC", source = "fit" }',
    )
    found = load_cell(path).electrode.exchange_current_density
    assert (found.value, found.unit, found.uncertainty) == (pytest.approx(0.2), "mA/cm^2", pytest.approx(0.01))
    assert found.status == "calibrated"


def test_a_bare_text_is_assumed(tmp_path):
    path = changed(tmp_path, r"^porosity = .*$", 'porosity = "85 %"')
    cell = load_cell(path)
    assert cell.separator.porosity.value == pytest.approx(0.85)
    assert any(line.startswith("separator.porosity = 0.85: stated without a source") for line in cell.assumptions())


def test_assumptions_name_place_value_and_reason():
    lines = load_cell("bare-na").assumptions()
    assert any(line.startswith("substrate.contact_angle = 75 deg: assumed:") for line in lines)
    assert not any(line.startswith("electrolyte.conductivity") for line in lines)  # measured, with its source


def test_temperature_acts_by_arrhenius():
    cell = load_cell("bare-na")
    warm = cell.at(313.15)
    energy = cell.substrate.exchange_activation_energy.value
    ratio = warm.nucleation.exchange_current_density_A_m2 / cell.nucleation.exchange_current_density_A_m2
    assert ratio == pytest.approx(arrhenius_factor(energy, 313.15, 298.15))
    assert warm.temperature.value == 313.15
    assert cell.temperature.value == 298.15


@pytest.mark.parametrize(
    ("pattern", "by", "said"),
    [
        (r"^porosity = .*$", 'porosity = "0"', "separator.porosity: found 0, expected more than 0"),
        (r"^thickness = .*$", 'thickness = "0 um"', "separator.thickness: found 0 um, expected more than 0 um"),
        (r"^thickness = .*$", 'thickness = "260 s"', "separator.thickness"),
        (r"^thickness = .*$", "thickness = 260", "separator.thickness: found 260 without a unit"),
        (r"^exchange_current_density = .*$", 'exchange_current_density = "0 mA/cm^2"', "expected more than 0 mA/cm^2"),
        (r"^dead_fraction = .*$", 'dead_fraction = "1.2"', "electrode.dead_fraction: found 1.2, expected at most 0.99"),
        (r"^dead_fraction = .*$", 'dead_fractoin = "0.2"', "did you mean 'dead_fraction'"),
        (r"^metal = .*$", 'metal = "Mg"', "metal"),
        (r"^contact_angle = .*$", 'contact_angle = { value = "60 deg", colour = "red" }', "substrate.contact_angle"),
        (r"^contact_angle = .*$", 'contact_angle = { value = "60 deg", status = "guessed" }', "not a status"),
        (r"^\[substrate\]$", "[substrate", "is not TOML"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, pattern, by, said):
    with pytest.raises(InputError) as caught:
        load_cell(changed(tmp_path, pattern, by))
    assert said in str(caught.value)
    assert "cell.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names_and_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="did you mean 'bare-na'"):
        load_cell("bare-nna")
    with pytest.raises(InputError, match="cells by name"):
        load_cell(tmp_path)
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-8"):
        load_cell(binary)
    large = tmp_path / "l.toml"
    large.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger"):
        load_cell(large)


def test_a_cell_does_not_change():
    cell = load_cell("bare-na")
    with pytest.raises(Exception, match="frozen"):
        cell.metal = "Li"
    assert isinstance(cell, Cell)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["title", "metal", "temperature", "porosity", "contact_angle", "diffusivity", "dead_fraction"]),
    st.sampled_from(
        ["3", "[]", "{}", "true", '""', "nan", "inf", '"nan s"', '"1e999 um"', "1979-05-27", "{ value = [1], source = 2 }",
         '{ value = "1", status = [] }', '{ value = "1", uncertainty = "-1" }', '{ value = "1", status = "calibrated" }',
         '"-5 K"', '{ source = "x" }', '{ value = { value = "1" } }']
    ),
)  # fmt: skip
def test_nonsense_is_refused_in_one_line_or_read(key, value):
    from sodiophile.schema import checked

    found = re.sub(rf"^{key} = .*$", lambda _: f"{key} = {value}", text(), count=1, flags=re.MULTILINE)
    said = ""
    try:
        json.dumps(checked(Cell, tomllib.loads(found), "fuzzed").to_dict(), allow_nan=False)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert not said or key in said
