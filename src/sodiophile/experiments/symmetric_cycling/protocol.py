"""What the operator of a symmetric cell set, and what the analysis may be told; every threshold with its default."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sodiophile.experiments._plating_protocol import PlatingProtocol
from sodiophile.schema import InUnit


class SymmetricCyclingProtocol(PlatingProtocol):
    """Galvanostatic plating and stripping of a cell with two electrodes of the same metal.

    The first group is what the operator set; a virtual instrument needs it, and where it is given for a measured file the
    file is checked against it. The second says how the file is read, the third how a failure is told.
    """

    capacity_mAh_cm2: Annotated[float | None, InUnit("mAh/cm^2")] = Field(
        default=None, alias="capacity", gt=0, description="the areal capacity of a half cycle that was set"
    )
    voltage_limit_V: Annotated[float | None, InUnit("V")] = Field(
        default=None,
        alias="voltage_limit",
        gt=0,
        description="the voltage, of either sign, at which the cycler ends a half cycle; found from the file if not given",
    )

    first_cycle: int = Field(default=1, ge=1, description="first cycle of the window over which polarization is stated")
    last_cycle: int | None = Field(
        default=None, ge=1, description="last cycle of that window; the last healthy one if not given"
    )

    reference_cycles: int = Field(
        default=5, ge=1, le=100, description="the cycles before, whose median a half cycle is compared with"
    )
    formation_cycles: int = Field(
        default=3, ge=0, description="first cycles, in which polarization may fall from one to the next without suspicion"
    )
    short_fraction: float = Field(
        default=0.2, gt=0, lt=0.5, description="a hard short leaves less than this fraction of the polarization"
    )
    short_persistence: int = Field(
        default=2, ge=1, description="half cycles after the collapse that must stay collapsed, where the record goes on"
    )
    short_resistance_ohm_cm2: Annotated[float, InUnit("ohm cm^2")] = Field(
        default=1.0,
        alias="short_resistance",
        gt=0,
        description="a cell that shows less than this from the start is shorted: the electrolyte alone has more",
    )
    step_fraction: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="a sudden fall within a half cycle by this fraction is evidence of a soft short",
    )
    step_noise: float = Field(
        default=8.0, ge=3, description="and it must exceed the noise of a sample this many times (standard deviations)"
    )
    soft_fraction: float = Field(
        default=0.7, gt=0, lt=1, description="a plateau below this fraction of the one before is evidence of a soft short"
    )
    rectangularity_rise: float = Field(
        default=0.05, gt=0, lt=1, description="a trace more rectangular than before by this is evidence of a soft short"
    )
    noise_growth: float = Field(
        default=3.0, gt=1, description="noise above this multiple of its reference is evidence of a soft short"
    )
    truncation: float = Field(
        default=0.9, gt=0, lt=1, description="a half cycle with less than this fraction of the usual charge is truncated"
    )
    passivation_ratio: float = Field(
        default=5.0, gt=1, description="polarization above this multiple of its lowest reference counts as passivated"
    )
    resolution_factor: float = Field(
        default=5.0, ge=1, description="polarization below this multiple of the noise is not resolved: no verdict on shorts"
    )
