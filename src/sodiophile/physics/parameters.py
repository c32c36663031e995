"""One parameter of a cell: a `Quantity` in a stated unit, within bounds, with source, status and how far it may vary.

In a file a parameter is a table, or, short of its source, a text:

    exchange_current_density = { value = "0.1 mA/cm^2", range = ["0.03 mA/cm^2", "0.3 mA/cm^2"], source = "assumed: ..." }

``uncertainty`` (one sigma) makes its spread normal; ``range``, the ends between which it may lie, uniform: in its logarithm
where the range is wide (the ends are positive and differ by a factor of two or more), in itself otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity, measure

_KEYS = {"value", "source", "status", "uncertainty", "range", "calibrated_to"}
_WIDE = 2.0
_MOST_DRAWS = 1000


@dataclass(frozen=True)
class Parameter:
    """Marks a field that is a `Quantity` in a given unit, within bounds.

    Parameters
    ----------
    unit
        The unit that the field holds, whatever unit the user wrote.
    above, least, most
        Bounds in that unit: above (exclusive), least and most (inclusive).
    """

    unit: str
    above: float | None = None
    least: float | None = None
    most: float | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read text or a table with value and source."""
        return core_schema.no_info_plain_validator_function(self._valid)

    def read(self, found: object) -> Quantity:
        """Return the parameter that a user wrote, a `Quantity`, or a number in the unit of this parameter.

        Raises
        ------
        InputError
            If it has no unit, another dimension, or lies beyond the bounds; so do the ends of its range.
        """
        quantity = self._quantity(found)
        self._within(quantity.value)
        for end in quantity.interval or ():
            self._within(end)
        if quantity.interval is not None and not quantity.interval[0] <= quantity.value <= quantity.interval[1]:
            low, high = quantity.interval
            raise InputError(f"found {quantity.value:g} outside its range of {low:g} to {high:g}{self._unit}")
        return quantity

    def holds(self, value: float) -> bool:
        """Return whether a value in the unit of this parameter is within the bounds."""
        return (
            math.isfinite(value)
            and (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    def _valid(self, found: object) -> Quantity:
        try:
            return self.read(found)
        except InputError as error:
            raise ValueError(str(error)) from error

    @property
    def _unit(self) -> str:
        return "" if self.unit == "1" else f" {self.unit}"

    def _within(self, value: float) -> None:
        unit = self._unit
        if self.above is not None and not value > self.above:
            raise InputError(f"found {value:g}{unit}, expected more than {self.above:g}{unit}")
        if self.least is not None and value < self.least:
            raise InputError(f"found {value:g}{unit}, expected at least {self.least:g}{unit}")
        if self.most is not None and value > self.most:
            raise InputError(f"found {value:g}{unit}, expected at most {self.most:g}{unit}")

    def _quantity(self, found: object) -> Quantity:
        if isinstance(found, Quantity):
            return found.to(self.unit)
        if not isinstance(found, Mapping):
            return Quantity(measure(found, self.unit), self.unit, status="assumed", source="stated without a source")
        unknown = set(found) - _KEYS
        if unknown or "value" not in found:
            raise InputError(
                f"found the keys {', '.join(sorted(found))}, expected value and some of {', '.join(sorted(_KEYS))}"
            )
        return Quantity(
            measure(found["value"], self.unit),
            self.unit,
            None if found.get("uncertainty") is None else measure(found["uncertainty"], self.unit),
            status=found.get("status", "assumed"),
            source=str(found.get("source", "stated without a source")),
            calibrated_to=str(found.get("calibrated_to", "")),
            interval=self._range(found.get("range")),
        )

    def _range(self, found: object) -> tuple[float, float] | None:
        if found is None:
            return None
        if not isinstance(found, list | tuple) or len(found) != 2:
            raise InputError(
                f"found the range {found!r}, expected two numbers with a unit, ['1 {self.unit}', '2 {self.unit}']"
            )
        low, high = (measure(end, self.unit) for end in found)
        return low, high


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a parameter may vary.

    Parameters
    ----------
    kind
        ``normal`` (one sigma is known), ``uniform`` or ``log-uniform`` (two ends are known).
    first, second
        Mean and standard deviation, or the two ends; in the unit of the parameter.
    """

    kind: Literal["normal", "uniform", "log-uniform"]
    first: float
    second: float

    @classmethod
    def of(cls, quantity: Quantity) -> Spread | None:
        """Return the spread that a quantity states, None if it states neither range nor uncertainty.

        A range comes before an uncertainty.
        """
        if quantity.interval is not None:
            low, high = quantity.interval
            if high <= low:
                return None
            return cls("log-uniform" if low > 0 and high / low >= _WIDE else "uniform", low, high)
        if quantity.uncertainty:
            return cls("normal", quantity.value, quantity.uncertainty)
        return None

    def draw(self, random: np.random.Generator, bounds: Parameter) -> float:
        """Return a value at random, within the bounds of the parameter: a draw beyond them is made again.

        Raises
        ------
        InputError
            If the bounds hold next to nothing of the spread.
        """
        for _ in range(_MOST_DRAWS):
            value = self._one(random)
            if bounds.holds(value):
                return value
        raise InputError(
            f"found a spread of {self.first:g} and {self.second:g} {bounds.unit} outside the bounds of the parameter"
        )

    def _one(self, random: np.random.Generator) -> float:
        if self.kind == "normal":
            return float(random.normal(self.first, self.second))
        if self.kind == "uniform":
            return float(random.uniform(self.first, self.second))
        return float(np.exp(random.uniform(np.log(self.first), np.log(self.second))))
