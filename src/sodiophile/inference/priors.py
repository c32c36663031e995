r"""What is believed of a parameter before it is calibrated, as a map from a standard normal variable.

Every prior is written as :math:`p = g(u)` with :math:`u \sim N(0, 1)`, so that all parameters of a calibration live on
one scale: the prior of u is the standard normal distribution, and a posterior narrower than that is what the data taught.

========== ============================================ ====================================
shape      keys                                         :math:`g(u)`
========== ============================================ ====================================
uniform    low, high                                    :math:`a + (b-a)\Phi(u)`
log-uniform low, high (both above 0)                    :math:`a(b/a)^{\Phi(u)}`
normal     value, uncertainty                           :math:`m + su`
log-normal value, factor (one standard deviation)       :math:`m f^u`
========== ============================================ ====================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sodiophile.errors import InputError
from sodiophile.quantity import format_number

Shape = Literal["uniform", "log-uniform", "normal", "log-normal"]
SHAPES: tuple[Shape, ...] = ("uniform", "log-uniform", "normal", "log-normal")
REACH = 4.0
"""A prior without ends is asked for nothing beyond this many standard deviations."""


@dataclass(frozen=True, slots=True)
class Prior:
    """The prior of one parameter.

    Parameters
    ----------
    name, unit
        Of the parameter.
    shape
        See the table of the module.
    first, second
        Low and high; value and uncertainty; value and factor: whatever the shape asks for.

    Raises
    ------
    InputError
        If the two numbers do not make a prior of that shape.
    """

    name: str
    unit: str
    shape: Shape
    first: float
    second: float

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise InputError(f"found {self.shape!r}, expected one of {', '.join(SHAPES)}", self.name)
        if not (math.isfinite(self.first) and math.isfinite(self.second)):
            raise InputError("expected finite numbers", self.name)
        if self.shape in {"uniform", "log-uniform"} and not self.first < self.second:
            raise InputError(
                f"found low {self.first:g} and high {self.second:g} {self.unit}, expected low < high", self.name
            )
        if self.shape in {"log-uniform", "log-normal"} and not self.first > 0:
            raise InputError(f"found {self.first:g} {self.unit}, expected more than 0 for a {self.shape} prior", self.name)
        if self.shape == "normal" and not self.second > 0:
            raise InputError(f"found an uncertainty of {self.second:g} {self.unit}, expected more than 0", self.name)
        if self.shape == "log-normal" and not self.second > 1:
            raise InputError(f"found a factor of {self.second:g}, expected more than 1", self.name)

    def value(self, u: ArrayLike) -> NDArray[np.float64]:
        """Return the parameter at standard normal `u`, any shape."""
        from scipy.special import ndtr

        u = np.asarray(u, dtype=float)
        a, b = self.first, self.second
        if self.shape == "uniform":
            return np.asarray(a + (b - a) * ndtr(u))
        if self.shape == "log-uniform":
            return np.asarray(a * (b / a) ** ndtr(u))
        return np.asarray(a + b * u if self.shape == "normal" else a * b**u)

    def u(self, value: ArrayLike) -> NDArray[np.float64]:
        """Return the standard normal variable at a parameter `value`: the inverse of `value`."""
        from scipy.special import ndtri

        p = np.asarray(value, dtype=float)
        a, b = self.first, self.second
        if self.shape == "uniform":
            return np.asarray(ndtri((p - a) / (b - a)))
        if self.shape == "log-uniform":
            return np.asarray(ndtri(np.log(p / a) / math.log(b / a)))
        return np.asarray((p - a) / b if self.shape == "normal" else np.log(p / a) / math.log(b))

    @property
    def support(self) -> tuple[float, float]:
        """The ends, or what is reached at `REACH` standard deviations."""
        if self.shape in {"uniform", "log-uniform"}:
            return self.first, self.second
        low, high = self.value([-REACH, REACH])
        return float(low), float(high)

    @property
    def words(self) -> str:
        """The prior in words."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        first, second = format_number(self.first), format_number(self.second)
        if self.shape in {"uniform", "log-uniform"}:
            return f"{self.shape} from {first} to {second}{unit}"
        return (
            f"normal, {first} +/- {second}{unit}"
            if self.shape == "normal"
            else f"log-normal, {first}{unit} times or over {second}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what makes the prior again, JSON-ready."""
        return {"name": self.name, "unit": self.unit, "shape": self.shape, "first": self.first, "second": self.second}


def sobol_normal(points: int, dimensions: int, seed: int = 0) -> NDArray[np.float64]:
    """Return scrambled Sobol points mapped to standard normal variables, shape (points, dimensions).

    The first ones spread over the space as evenly as all of them do, so that a design can be cut anywhere.

    References
    ----------
    A. B. Owen, J. Complexity 14 (1998) 466, doi 10.1006/jcom.1998.0487 (scrambling).
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    power = max(0, math.ceil(math.log2(max(points, 1))))
    unit = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)[:points]
    # scrambled points lie anywhere but at the ends to within round-off
    return np.asarray(ndtri(np.clip(unit, 1e-9, 1 - 1e-9)))
