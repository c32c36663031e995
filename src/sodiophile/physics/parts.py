"""The parts of a cell: metal, layers, electrolyte, metal electrode, substrate, insertion electrode, shorts.

Every parameter is a `sodiophile.physics.parameters.Parameter`. What a file may leave out has a default that says so. The
bounds are wide; a number beyond them is one of another unit, or none.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from sodiophile.errors import InputError
from sodiophile.physics.constants import FARADAY_C_mol
from sodiophile.physics.parameters import Parameter
from sodiophile.physics.transport import PorousLayer
from sodiophile.quantity import Quantity, measure
from sodiophile.schema import Model


def _assumed(value: float, unit: str, why: str) -> Quantity:
    return Quantity(value, unit, status="assumed", source=f"assumed, not in the file: {why}")


@dataclass(frozen=True, slots=True)
class Metal:
    """What is known of a metal.

    Parameters
    ----------
    symbol
        Its chemical symbol.
    z
        Electrons per ion.
    molar_mass_g_mol
        Molar mass, g/mol.
    density_g_cm3
        At 20 degC, g/cm3.
    source
        Of both.
    """

    symbol: str
    z: int
    molar_mass_g_mol: float
    density_g_cm3: float
    source: str

    @property
    def molar_volume_m3_mol(self) -> float:
        """Molar volume, m3/mol."""
        return self.molar_mass_g_mol / self.density_g_cm3 * 1e-6


@cache
def metals() -> dict[str, Metal]:
    """Return the metals by symbol."""
    text = resources.files("sodiophile.physics").joinpath("data", "metals.toml").read_text(encoding="utf-8")
    return {symbol: Metal(symbol, **entry) for symbol, entry in tomllib.loads(text).items()}


class Layer(Model):
    """A layer between the electrodes that electrolyte fills."""

    thickness: Annotated[Quantity, Parameter("um", above=0, least=1e-3, most=2e4)] = Field(description="thickness")
    porosity: Annotated[Quantity, Parameter("1", above=0, least=1e-3, most=1)] = Field(
        description="volume fraction of electrolyte"
    )
    bruggeman: Annotated[Quantity, Parameter("1", least=1, most=10)] = Field(
        description="exponent b of an effective property X eps^b"
    )

    @property
    def porous(self) -> PorousLayer:
        """The layer as the transport equations take it."""
        return PorousLayer(self.thickness.value * 1e-6, self.porosity.value, self.bruggeman.value)


class Interlayer(Layer):
    """A porous layer on a metal electrode; what it is beyond a path for ions may be left out."""

    electronic_conductivity: Annotated[Quantity | None, Parameter("S/m", least=0)] = Field(
        default=None, description="effective, of the layer; without it no electron crosses the layer"
    )
    specific_area: Annotated[Quantity | None, Parameter("1/um", above=0, most=1e4)] = Field(
        default=None, description="inner surface per volume of the layer; without it nothing reacts inside"
    )
    adhesion: Annotated[Quantity | None, Parameter("J/m^2", above=0, most=10)] = Field(
        default=None, description="work of adhesion of the metal; it takes the place of the contact angle of the substrate"
    )
    site_density: Annotated[Quantity | None, Parameter("1/cm^2", above=0, least=1e-3, most=1e16)] = Field(
        default=None, description="places where a nucleus forms; it takes the place of that of the substrate"
    )

    def fill_capacity_mAh_cm2(self, metal: Metal) -> float:
        """Return the areal capacity of metal that the pores can hold, mAh/cm2."""
        pore_m = self.porous.pore_m
        return pore_m / metal.molar_volume_m3_mol * metal.z * FARADAY_C_mol / 3.6e4


def _column(unit: str) -> BeforeValidator:
    def read(found: object) -> tuple[float, ...]:
        if not isinstance(found, list | tuple) or len(found) < 2:
            raise ValueError(f"found {found!r}, expected a list of two numbers with a unit or more, ['1 {unit}', ...]")
        try:
            return tuple(measure(entry, unit) for entry in found)
        except InputError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(read)


class Curve(Model):
    """A property of the electrolyte against the concentration of its salt: points, linear between them."""

    concentration_mol_m3: Annotated[tuple[float, ...], _column("mol/m^3")] = Field(
        alias="concentration", description="rising concentrations"
    )
    value: tuple[float, ...] = Field(description="the property at each of them")
    source: str = Field(description="where the points come from", min_length=1)

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.value) != len(self.concentration_mol_m3):
            raise ValueError(
                f"found {len(self.concentration_mol_m3)} concentrations and {len(self.value)} values, expected as many"
            )
        if not np.all(np.diff(self.concentration_mol_m3) > 0) or not all(v > 0 and np.isfinite(v) for v in self.value):
            raise ValueError("expected rising concentrations and values above 0")
        return self


class ConductivityCurve(Curve):
    """Conductivity, S/m."""

    value: Annotated[tuple[float, ...], _column("S/m")] = Field(description="conductivity at each of them")


class DiffusivityCurve(Curve):
    """Diffusivity of the salt, m2/s."""

    value: Annotated[tuple[float, ...], _column("m^2/s")] = Field(description="diffusivity at each of them")


class Electrolyte(Model):
    """A binary electrolyte, at the reference temperature of its cell."""

    concentration: Annotated[Quantity, Parameter("mol/L", above=0, least=1e-6, most=20)] = Field(
        description="salt concentration"
    )
    conductivity: Annotated[Quantity, Parameter("mS/cm", above=0, least=1e-6, most=1e5)] = Field(
        description="ionic conductivity"
    )
    diffusivity: Annotated[Quantity, Parameter("m^2/s", above=0, least=1e-18, most=1e-6)] = Field(description="of the salt")
    transference_number: Annotated[Quantity, Parameter("1", least=0, most=0.999)] = Field(description="of the cation")
    thermodynamic_factor: Annotated[Quantity, Parameter("1", above=0, least=0.01, most=100)] = Field(
        description="1 + dln f/dln c"
    )
    ions_per_cation: Annotated[Quantity, Parameter("1", above=0, least=2, most=4)] = Field(
        description="ions of the salt per cation: 2, or 3 for a divalent cation with single-charged anions"
    )
    activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=200)] = Field(
        description="of conductivity and diffusivity alike"
    )
    conductivity_curve: ConductivityCurve | None = Field(
        default=None, description="conductivity against concentration, for models that resolve the concentration"
    )
    diffusivity_curve: DiffusivityCurve | None = Field(
        default=None, description="diffusivity against concentration, for models that resolve the concentration"
    )


class Electrode(Model):
    """A metal electrode: the metal under its interphase, and the deposit that cycling leaves on it."""

    exchange_current_density: Annotated[Quantity, Parameter("mA/cm^2", above=0, least=1e-12, most=1e6)] = Field(
        description="per real area of metal, at the reference temperature"
    )
    exchange_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of the exchange current density"
    )
    transfer_coefficient: Annotated[Quantity, Parameter("1", above=0, least=0.02, most=0.98)] = Field(
        description="of plating"
    )
    reorganization_energy: Annotated[Quantity | None, Parameter("eV", above=0, least=0.03, most=10)] = Field(
        default=None,
        description="of Marcus-Hush-Chidsey kinetics, with a transfer coefficient of 0.5; Butler-Volmer if not given",
    )
    interphase_resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0, most=1e9)] = Field(
        description="of the interphase on the pristine metal, at the reference temperature"
    )
    interphase_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of the conduction through the interphase"
    )
    interphase_growth: Annotated[Quantity, Parameter("(ohm cm^2)^2/h", least=0)] = Field(
        description="k of the growth limited by diffusion, R dR/dt = k"
    )
    interphase_growth_per_capacity: Annotated[Quantity, Parameter("ohm cm^2/(mAh/cm^2)", least=0)] = Field(
        description="resistance that cracking and repair add for each capacity passed in either direction"
    )
    deposit_area: Annotated[Quantity, Parameter("1", least=0, most=1e4)] = Field(
        description="real area that a thick deposit adds, per geometric area; 0 for a surface that stays flat"
    )
    deposit_area_capacity: Annotated[Quantity, Parameter("mAh/cm^2", above=0)] = Field(
        description="plated capacity at which the deposit has 63 % of that area"
    )
    deposit_interphase_resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0, most=1e9)] = Field(
        description="of the fresh interphase on the deposit, per real area of it"
    )
    dead_fraction: Annotated[Quantity, Parameter("1", least=0, most=0.99)] = Field(
        description="part of the deposit stripped that is cut off and stays as dead metal"
    )
    dead_porosity: Annotated[Quantity, Parameter("1", above=0, least=0.01, most=0.99)] = Field(
        description="porosity of the layer of dead metal"
    )
    metal_capacity: Annotated[Quantity, Parameter("mAh/cm^2", above=0)] = Field(description="metal present at the start")
    double_layer_capacitance: Annotated[Quantity, Parameter("uF/cm^2", above=0, least=1e-3, most=1e6)] = Field(
        default=_assumed(20.0, "uF/cm^2", "a smooth clean metal; 0.2 F/m2 in PyBaMM's set Xu2019"),
        description="of metal and deposit, per real area",
    )
    interphase_capacitance: Annotated[Quantity, Parameter("uF/cm^2", above=0, least=1e-6, most=1e6)] = Field(
        default=_assumed(1.0, "uF/cm^2", "a film of about 10 nm and permittivity 10"),
        description="of the pristine interphase; it falls as the resistance grows, their product stays",
    )
    interphase_growth_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        default=_assumed(0.0, "kJ/mol", "growth that does not depend on temperature"),
        description="of both terms of the growth of the interphase",
    )
    interphase_metal_use: Annotated[Quantity, Parameter("(mAh/cm^2)/(ohm cm^2)", least=0, most=1)] = Field(
        default=_assumed(0.0, "(mAh/cm^2)/(ohm cm^2)", "an interphase too thin to count in metal"),
        description="metal that the interphase takes up for each resistance that it gains",
    )
    pit_area: Annotated[Quantity, Parameter("1", least=0, most=1e4)] = Field(
        default=_assumed(0.0, "1", "metal under the interphase dissolves evenly"),
        description="real area that pits add, per geometric area, where much metal was stripped from under the interphase",
    )
    pit_area_capacity: Annotated[Quantity, Parameter("mAh/cm^2", above=0)] = Field(
        default=_assumed(0.1, "mAh/cm^2", "that of deposits in the sets that ship"),
        description="capacity stripped from under the interphase at which pits have 63 % of that area",
    )

    @model_validator(mode="after")
    def _symmetric_with_marcus(self) -> Self:
        if self.reorganization_energy is not None and self.transfer_coefficient.value != 0.5:
            raise ValueError(
                f"found a reorganization_energy and a transfer_coefficient of {self.transfer_coefficient.value:g}, "
                "expected 0.5: Marcus-Hush-Chidsey kinetics has no other at rest"
            )
        return self


class NucleationSubstrate(Model):
    """The surface on which the metal nucleates."""

    interfacial_energy: Annotated[Quantity, Parameter("J/m^2", above=0, least=1e-4, most=5)] = Field(
        description="of the metal against the electrolyte"
    )
    contact_angle: Annotated[Quantity, Parameter("deg", above=0, least=0.1, most=180)] = Field(
        description="effective contact angle"
    )
    site_density: Annotated[Quantity, Parameter("1/cm^2", above=0, least=1e-3, most=1e16)] = Field(
        description="places where a nucleus forms"
    )
    attempt_frequency: Annotated[Quantity, Parameter("1/s", above=0, least=1e-6, most=1e16)] = Field(
        description="nucleation rate of one site without a barrier"
    )
    exchange_current_density: Annotated[Quantity, Parameter("mA/cm^2", above=0, least=1e-12, most=1e6)] = Field(
        description="of the freshly deposited metal, per real area"
    )
    exchange_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of that exchange current density"
    )
    transfer_coefficient: Annotated[Quantity, Parameter("1", above=0, least=0.02, most=0.98)] = Field(
        description="of plating"
    )
    capacitance: Annotated[Quantity, Parameter("uF/cm^2", above=0, least=1e-3, most=1e7)] = Field(
        description="effective, of double layer and adsorption, per geometric area"
    )
    side_current_density: Annotated[Quantity, Parameter("mA/cm^2", least=0)] = Field(
        description="reduction of electrolyte on the bare substrate at the potential of the metal"
    )
    resistance: Annotated[Quantity, Parameter("ohm cm^2", least=0, most=1e9)] = Field(
        description="of an interphase in series"
    )
    open_circuit_potential: Annotated[Quantity, Parameter("V", least=-1, most=5)] = Field(
        description="of the substrate against the metal before plating"
    )
    resistance_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        default=_assumed(0.0, "kJ/mol", "a resistance that does not depend on temperature"),
        description="of that resistance",
    )


class Shorts(Model):
    """Metal that grows through the separator: spots that run ahead of the deposit, and the bridge of one."""

    spot_density: Annotated[Quantity, Parameter("1/cm^2", above=0)] = Field(description="spots that may run ahead")
    growth_spread: Annotated[Quantity, Parameter("1", above=0, most=5)] = Field(
        description="standard deviation of the logarithm of their growth; its median is that of the even deposit"
    )
    solidity: Annotated[Quantity, Parameter("1", above=0, most=1)] = Field(description="part of the deposit that is metal")
    kept_fraction: Annotated[Quantity, Parameter("1", least=0, most=1)] = Field(
        description="part of the height plated in a half cycle that stripping leaves"
    )
    growth_per_time: Annotated[Quantity, Parameter("um/h", least=0)] = Field(
        description="growth by the hours, whatever the current: corrosion, interphase, creep"
    )
    growth_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        default=_assumed(0.0, "kJ/mol", "growth that does not depend on temperature"),
        description="of the growth by the hours",
    )
    compression: Annotated[Quantity, Parameter("1", least=0, most=0.95)] = Field(
        default=_assumed(0.0, "1", "a separator as thick as it is free"),
        description="part of the thickness of the separator that the pressure of the cell takes",
    )
    bridge_resistance: Annotated[Quantity, Parameter("ohm cm^2", above=0)] = Field(
        description="of the short: small for a hard short, that of the cell and more for a soft one"
    )


class Cathode(Model):
    """An insertion electrode, as a porous electrode of spheres: what a half cell against the metal needs."""

    title: str = Field(description="what it is, in a few words", max_length=200)
    plateau: Annotated[Quantity, Parameter("V", least=0, most=6)] = Field(
        description="equilibrium potential against the metal, half full"
    )
    softness: Annotated[Quantity, Parameter("V", above=0, least=1e-6, most=1)] = Field(
        description="A of the ends of the plateau, E = plateau + A (1/x - 1/(1 - x)), x the filled part of the sites"
    )
    specific_capacity: Annotated[Quantity, Parameter("mAh/g", above=0, most=5000)] = Field(
        description="of all sites, per mass of active material"
    )
    accessible_fraction: Annotated[Quantity, Parameter("1", above=0, most=1)] = Field(
        description="part of the active material that is connected and takes part"
    )
    density: Annotated[Quantity, Parameter("g/cm^3", above=0, most=25)] = Field(description="of the crystal")
    particle_radius: Annotated[Quantity, Parameter("nm", above=0, least=0.1, most=1e5)] = Field(
        description="of primary particles"
    )
    diffusivity: Annotated[Quantity, Parameter("m^2/s", above=0, least=1e-24, most=1e-6)] = Field(
        description="of the ion in the crystal"
    )
    diffusivity_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of that diffusivity"
    )
    exchange_current_density: Annotated[Quantity, Parameter("mA/cm^2", above=0, least=1e-12, most=1e6)] = Field(
        description="per area of particles, half full, at the salt concentration of the cell"
    )
    exchange_activation_energy: Annotated[Quantity, Parameter("kJ/mol", least=0, most=300)] = Field(
        description="of that exchange current density"
    )
    transfer_coefficient: Annotated[Quantity, Parameter("1", above=0, least=0.02, most=0.98)] = Field(
        description="of insertion"
    )
    double_layer_capacitance: Annotated[Quantity, Parameter("uF/cm^2", above=0, least=1e-3, most=1e6)] = Field(
        description="per area of particles"
    )
    electronic_conductivity: Annotated[Quantity, Parameter("S/m", above=0, least=1e-6, most=1e8)] = Field(
        description="effective, of the whole electrode with its carbon"
    )
    loading: Annotated[Quantity, Parameter("mg/cm^2", above=0, least=1e-3, most=1000)] = Field(
        description="active material per area"
    )
    thickness: Annotated[Quantity, Parameter("um", above=0, most=2e4)] = Field(description="of the porous electrode")
    porosity: Annotated[Quantity, Parameter("1", above=0, least=0.01, most=0.99)] = Field(
        description="volume fraction of electrolyte"
    )
    bruggeman: Annotated[Quantity, Parameter("1", least=1, most=10)] = Field(
        description="exponent b of an effective property of the electrolyte, X eps^b"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.active_fraction > 1.0 - self.porosity.value:
            raise ValueError(
                f"found {self.loading.value:g} mg/cm^2 in {self.thickness.value:g} um at a porosity of "
                f"{self.porosity.value:g}: the active material alone would fill {self.active_fraction:.3g} of the volume; "
                "expected a thicker electrode or a smaller loading or porosity"
            )
        return self

    @property
    def active_fraction(self) -> float:
        """Volume fraction of active material: loading / (density thickness)."""
        return self.loading.value / (self.density.value * self.thickness.value) * 10.0

    @property
    def maximum_concentration_mol_m3(self) -> float:
        """Concentration of the ion with all sites filled: specific capacity times density over F (one electron an ion)."""
        return self.specific_capacity.value * self.density.value * 3.6e6 / FARADAY_C_mol
