"""Sets of parameters by name or file, what may vary and how far, and changes of a cell by the place of a parameter."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodiophile.errors import InputError
from sodiophile.physics.cell import cells, load_cell
from sodiophile.physics.constants import FARADAY_C_mol
from sodiophile.physics.parameters import Parameter, Spread
from sodiophile.physics.parts import Cathode, Curve
from sodiophile.physics.sets import load_part, part_names
from sodiophile.quantity import Quantity

KINDS = ["electrolyte", "separator", "cathode"]
BARE = "bare-na"


def written(tmp_path, text: str, name: str = "cell.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def cell_text(head: str) -> str:
    from importlib import resources

    text = resources.files("sodiophile.physics").joinpath("data", "cells", f"{BARE}.toml").read_text(encoding="utf-8")
    first, rest = text.index("[electrolyte]"), text.index("[electrode]")
    return text[:first] + head + text[rest:]


CHOICES = {"reference_temperature", "temperature", "cathode.transfer_coefficient"}
"""What is set and not unknown: conventions, and a coefficient for which alone the equations are closed."""
SWITCHED_OFF = {"electrode.interphase_metal_use", "electrode.pit_area", "electrode.pit_area_capacity"}
DOI = re.compile(r"doi 10\.\d{4,9}/[^\s,;)]+")


def shipped() -> list[tuple[str, str]]:
    return [("cell", name) for name in cells()] + [(kind, name) for kind in KINDS for name in part_names(kind)]


@pytest.mark.parametrize(("kind", "name"), shipped())
def test_every_value_that_ships_has_unit_source_status_and_spread(kind, name):
    """What nobody measured is varied, and says so; a publication has its doi, or says that it is not at hand."""
    if kind == "cell":
        found = load_cell(name).parameters()
        sources = {place: one.source for place, one in found.items()}
    else:
        part = load_part(kind, name)
        entries = {f"{kind}.{key}": getattr(part, key) for key in type(part).model_fields}
        found = {place: one for place, one in entries.items() if isinstance(one, Quantity)}
        sources = {place: one.source for place, one in entries.items() if isinstance(one, Quantity | Curve)}
    assert found
    for place, one in found.items():
        assert one.unit, place
        assert one.source != "stated without a source", place
        assert one.status in {"assumed", "measured", "computed"}, place
        assert (one.status == "assumed") == one.source.startswith("assumed"), place
        if place not in CHOICES | SWITCHED_OFF and one.status != "computed":
            assert Spread.of(one) is not None, place
    for place, source in sources.items():
        assert len(source) > 10, place
        years = re.findall(r"\b(?:19|20)\d\d\b", source)
        assert not years or DOI.search(source) or "doi not at hand" in source, place
        for doi in re.findall(r"doi (10\S*)", source):
            assert DOI.match(f"doi {doi}"), place


def test_curves_of_the_electrolyte_pass_through_its_values():
    electrolyte = load_part("electrolyte", "napf6-ec-pc")
    c = electrolyte.concentration.value * 1e3
    conductivity, diffusivity = electrolyte.conductivity_curve, electrolyte.diffusivity_curve
    at = np.interp(c, conductivity.concentration_mol_m3, conductivity.value)
    assert at == pytest.approx(electrolyte.conductivity.value * 0.1, rel=1e-3)
    at = np.interp(c, diffusivity.concentration_mol_m3, diffusivity.value)
    assert at == pytest.approx(electrolyte.diffusivity.value, rel=0.02, abs=0)


def test_capacity_of_nvp_is_that_of_two_electrons():
    """2 F / M from the atomic weights, and as many sites as two an formula unit in the volume of the crystal."""
    nvp = load_part("cathode", "nvp")
    mass = 3 * 22.990 + 2 * 50.942 + 3 * (30.974 + 4 * 15.999)
    assert nvp.specific_capacity.value == pytest.approx(2 * FARADAY_C_mol / 3.6 / mass, rel=1e-3)
    sites = 2 * nvp.density.value * 1e6 / mass
    assert nvp.maximum_concentration_mol_m3 == pytest.approx(sites, rel=1e-3)
    cell_cm3 = np.sqrt(3) / 2 * 8.73e-8**2 * 21.80e-8
    assert nvp.density.value == pytest.approx(6 * mass / 6.02214076e23 / cell_cm3, abs=nvp.density.uncertainty)
    assert nvp.active_fraction < 1 - nvp.porosity.value


def test_a_cathode_that_does_not_fit_is_one_line():
    nvp = load_part("cathode", "nvp")
    fields = {key: getattr(nvp, key) for key in Cathode.model_fields} | {"loading": "8 mg/cm^2"}
    with pytest.raises(ValueError, match=r"the active material alone would fill 1\.27 of the volume"):
        Cathode.model_validate(fields)


def test_a_cell_takes_a_set_and_its_own_values_before_it(tmp_path):
    head = (
        'separator = "polyolefin"\ncathode = "nvp"\n\n[electrolyte]\nset = "naclo4-ec-pc"\ndiffusivity = "1e-10 m^2/s"\n\n'
    )
    cell = load_cell(written(tmp_path, cell_text(head)))
    assert cell.electrolyte.diffusivity.value == 1e-10
    assert cell.electrolyte.conductivity == load_part("electrolyte", "naclo4-ec-pc").conductivity
    assert cell.separator == load_part("separator", "polyolefin")
    assert cell.cathode == load_part("cathode", "nvp")
    assert "cathode.diffusivity" in cell.parameters()
    json.dumps(cell.to_dict(), allow_nan=False)


def test_a_set_may_be_a_file_beside_the_cell(tmp_path):
    written(tmp_path, 'thickness = "50 um"\nporosity = "0.5"\nbruggeman = "1.5"\n', "mine.toml")
    cell = load_cell(written(tmp_path, cell_text('electrolyte = "napf6-ec-pc"\nseparator = "mine.toml"\n')))
    assert cell.separator.thickness.value == 50


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('electrolyte = "napf6-ec-cp"\nseparator = "glass-fibre"\n', "electrolyte: napf6-ec-cp: no such file, and no"),
        ('electrolyte = "napf6-ec-cp"\nseparator = "glass-fibre"\n', "did you mean 'napf6-ec-pc'"),
        ('electrolyte = "napf6-ec-pc"\nseparator = 3\n', "separator: found 3"),
        ('electrolyte = "napf6-ec-pc"\n[separator]\nset = "glass-fibre"\nthickness = "0 um"\n', "separator.thickness"),
        ('electrolyte = "napf6-ec-pc"\n[separator]\nset = "glass-fibre"\nthicknes = "9 um"\n', "did you mean 'thickness'"),
    ],
)
def test_a_wrong_set_is_one_line(tmp_path, head, said):
    with pytest.raises(InputError) as caught:
        load_cell(written(tmp_path, cell_text(head)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"value": "1 um", "range": ["2 um", "3 um"]}, "found 1 outside its range of 2 to 3 um"),
        ({"value": "1 um", "range": ["0 um", "3 um"]}, "found 0 um, expected more than 0 um"),
        ({"value": "1 um", "range": ["3 um", "0.5 um"]}, "an interval must be"),
        ({"value": "1 um", "range": "1 um"}, "expected two numbers with a unit"),
        ({"value": "1 um", "range": ["1 um", "2 s"]}, "dimensions differ"),
    ],
)
def test_a_range_that_is_none_is_refused(table, said):
    with pytest.raises(InputError) as caught:
        Parameter("um", above=0).read(table)
    assert said in str(caught.value)


def test_spreads_are_drawn_as_stated():
    random = np.random.default_rng(1)
    mark = Parameter("1", above=0)
    wide = Spread.of(mark.read({"value": "1", "range": ["0.1", "10"]}))
    narrow = Spread.of(mark.read({"value": "0.45", "range": ["0.4", "0.5"]}))
    normal = Spread.of(mark.read({"value": "1", "uncertainty": "0.1"}))
    assert (wide.kind, narrow.kind, normal.kind) == ("log-uniform", "uniform", "normal")
    assert Spread.of(mark.read("1")) is None
    draws = np.array([[one.draw(random, mark) for one in (wide, narrow, normal)] for _ in range(4000)])
    assert np.median(draws[:, 0]) == pytest.approx(1.0, rel=0.1)
    assert draws[:, 0].min() >= 0.1
    assert draws[:, 1].mean() == pytest.approx(0.45, abs=0.002)
    assert draws[:, 2].std() == pytest.approx(0.1, rel=0.05)


def test_a_draw_stays_within_the_bounds():
    spread = Spread("normal", 0.5, 1.0)
    random = np.random.default_rng(0)
    mark = Parameter("1", above=0, most=1)
    assert all(0 < spread.draw(random, mark) <= 1 for _ in range(200))
    with pytest.raises(InputError, match="outside the bounds"):
        Spread("normal", 50.0, 0.1).draw(random, mark)


def test_a_varied_cell_differs_where_it_may_and_nowhere_else():
    cell = load_cell("sodiophilic-na")
    varied = cell.varied(np.random.default_rng(3))
    assert varied == cell.varied(np.random.default_rng(3))
    assert cell.spreads()
    for place, quantity in cell.parameters().items():
        other = varied.parameters()[place]
        if place in cell.spreads():
            low, high = quantity.interval
            assert low <= other.value <= high
            assert other.value != quantity.value
        else:
            assert other == quantity


@given(st.floats(1e-6, 1e3))
def test_a_changed_parameter_keeps_its_source(value):
    cell = load_cell(BARE)
    place = "electrode.exchange_current_density"
    changed = cell.changed({place: value, "temperature": "40 degC"})
    assert changed.parameters()[place].value == value
    assert changed.parameters()[place].source == cell.parameters()[place].source
    assert changed.temperature.value == pytest.approx(313.15)
    assert cell.temperature.value == 298.15


def test_drawn_values_of_a_part_fit_together():
    """More loading in less thickness leaves no room for the pores: drawn again, and refused where it is asked for."""
    cell = load_cell(BARE).model_copy(update={"cathode": load_part("cathode", "nvp")})
    random = np.random.default_rng(0)
    for _ in range(30):
        cathode = cell.varied(random).cathode
        assert cathode.active_fraction <= 1 - cathode.porosity.value
    with pytest.raises(InputError, match=r"cathode: found 4 mg/cm\^2 in 15 um .* active material alone would fill"):
        cell.changed({"cathode.loading": 4.0, "cathode.thickness": 15.0})
    with pytest.raises(InputError, match=r"electrode: found a reorganization_energy and a transfer_coefficient of 0\.4"):
        cell.changed({"electrode.reorganization_energy": 0.5, "electrode.transfer_coefficient": 0.4})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"electrode.exchange_current_densty": 1.0}, "did you mean 'electrode.exchange_current_density'"),
        ({"electrode.exchange_current_density": 0.0}, "expected more than 0 mA/cm^2"),
        ({"electrode.exchange_current_density": "1 V"}, "dimensions differ"),
        ({"electrode.exchange_current_density": True}, "electrode.exchange_current_density"),
        ({"electrode.exchange_current_density": float("nan")}, "electrode.exchange_current_density"),
        ({"metal": 1.0}, "no such parameter"),
        ({"interlayer.thickness": 1.0}, "no such parameter"),
    ],
)
def test_a_wrong_change_is_one_line(values, said):
    with pytest.raises(InputError) as caught:
        load_cell(BARE).changed(values)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_adhesion_and_sites_of_an_interlayer_rule_nucleation():
    """Young and Dupre: W = gamma (1 + cos theta)."""
    cell = load_cell("sodiophilic-na")
    gamma = cell.substrate.interfacial_energy.value
    layer = cell.interlayer.model_copy(
        update={"adhesion": Quantity(1.5 * gamma, "J/m^2", status="assumed"),
                "site_density": Quantity(3e9, "1/cm^2", status="assumed")}
    )  # fmt: skip
    wetted = cell.model_copy(update={"interlayer": layer}).nucleation
    assert wetted.contact_angle_deg == pytest.approx(60.0)
    assert wetted.site_density_1_m2 == 3e13
    assert cell.nucleation.contact_angle_deg == cell.substrate.contact_angle.value
