"""What the operator of a symmetric rate test set, and when a step counts as stable."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sodiophile.errors import InputError
from sodiophile.experiments._plating_protocol import PlatingProtocol
from sodiophile.quantity import measure
from sodiophile.schema import InUnit

_MOST_RATES = 100


def rates_of(text: str) -> tuple[float, ...]:
    """Read ``"0.5, 1, 2, 4, 0.5 mA/cm^2"`` as current densities in mA/cm2.

    Raises
    ------
    InputError
        If there is no number, no unit, or a number that is not positive.
    """
    parts = [part.strip() for part in text.split(",")]
    unit = parts[-1].lstrip("+-.0123456789eE ")
    out = tuple(measure(part if k == len(parts) - 1 else f"{part} {unit}", "mA/cm^2") for k, part in enumerate(parts))
    if min(out) <= 0:
        raise InputError(f"found {text!r}, expected positive current densities")
    if len(out) > _MOST_RATES:
        raise InputError(f"found {len(out)} current densities, expected at most {_MOST_RATES}")
    return out


def _readable(text: str | None) -> str | None:
    if text is not None:
        try:
            rates_of(text)
        except InputError as error:
            raise ValueError(f"{error}; expected current densities such as '0.5, 1, 2, 4, 0.5 mA/cm^2'") from error
    return text


class SymmetricRateProtocol(PlatingProtocol):
    """Plating and stripping of a symmetric cell at one current density after the other.

    First what the operator set; a virtual instrument needs it. Then how the file is read and when a step counts as stable.
    """

    current_densities: Annotated[str | None, AfterValidator(_readable)] = Field(
        default=None, description="the current densities that were set, in order, such as '0.5, 1, 2, 4, 0.5 mA/cm^2'"
    )

    voltage_limit_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="voltage_limit",
        gt=0,
        description="the voltage, of either sign, at which the cycler ends a half cycle; found from the file if not given",
    )
    current_density_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None,
        alias="current_density",
        gt=0,
        description="the current density whose polarization is stated on its own",
    )
    series_resistance_ohm: Annotated[float | None, InUnit("ohm")] = Field(
        default=None,
        alias="series_resistance",
        gt=0,
        description="ohmic resistance of the cell from impedance, for its share of the polarization",
    )
    temperature_K: Annotated[float | None, InUnit("K")] = Field(
        default=None,
        alias="temperature",
        ge=150,
        le=1500,
        description="temperature of the cell; decides how flat charge transfer alone can be, at 25 degC if not given",
    )
    electrons: int = Field(default=1, ge=1, le=3, description="electrons that one ion of the metal takes up, z")
    settling_cycles: int = Field(
        default=1, ge=0, le=100, description="first cycles of a step that are left out of its mean, where more remain"
    )
    same_current: float = Field(
        default=0.05, gt=0, le=0.3, description="cycles whose currents differ by less than this part are one step"
    )
    stable_drift: float = Field(
        default=0.1, gt=0, le=1, description="a step is stable while its polarization drifts by less than this part of it"
    )
    repeatability: float = Field(
        default=0.01,
        gt=0,
        le=0.5,
        description="relative standard uncertainty of a polarization beyond its scatter: the same surface is not met twice",
    )
    return_tolerance: float = Field(
        default=0.1, gt=0, le=1, description="back at the first current density, polarization may differ by this part"
    )
    significance: float = Field(
        default=0.01, gt=0, le=0.2, description="level of the tests of drift, intercept and curvature"
    )
