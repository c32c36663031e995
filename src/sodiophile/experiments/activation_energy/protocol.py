"""What the operator of a temperature series set: the temperatures, in the order of the spectra, with their unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sodiophile.errors import InputError
from sodiophile.experiments.impedance.protocol import SpectrumProtocol
from sodiophile.quantity import convert
from sodiophile.schema import InUnit

_ITEM = re.compile(r"\s*([+-]?\d+(?:\.\d*)?)\s*([^\d,;\s][^,;]*?)?\s*")
_IN_NAME = re.compile(r"(?<![\d.])(-?\d+(?:\.\d+)?)(?=\s*_?(?:deg|°|K(?![A-Za-z])|C(?![A-Za-z])|$))", re.IGNORECASE)
_COLDEST_K, _HOTTEST_K = 150.0, 1500.0


class ActivationEnergyProtocol(SpectrumProtocol):
    """Impedance spectra of one cell at several temperatures."""

    temperatures: str | None = Field(
        default=None, description="temperatures in the order of the spectra, as in '0, 10, 20, 30 degC'"
    )
    temperatures_from_names: bool = Field(
        default=False, description="take the temperatures from the names of the files, in temperature_unit"
    )
    temperature_unit: Literal["degC", "K"] | None = Field(
        default=None, description="unit of the temperatures in the names of the files"
    )
    temperature_error_K: Annotated[float, InUnit("K")] = Field(
        default=0.5, alias="temperature_error", ge=0, le=20, description="standard uncertainty of each temperature"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.temperatures is not None:
            if self.temperatures_from_names:
                raise ValueError("found temperatures and temperatures_from_names, expected one of them")
            try:
                listed_K(self.temperatures)
            except InputError as error:
                raise ValueError(str(error)) from error
        if self.temperatures_from_names and self.temperature_unit is None:
            raise ValueError("found temperatures_from_names without temperature_unit, expected degC or K")
        return self


def listed_K(text: str) -> list[float]:
    """Read a list of temperatures; a unit after the last one holds for those that have none.

    Raises
    ------
    InputError
        If an entry is no temperature, or the unit is missing.
    """
    numbers, units = [], []
    for entry in re.split(r"[,;]", text):
        match = _ITEM.fullmatch(entry)
        if match is None:
            raise InputError(f"found {entry.strip()!r} among the temperatures, expected a list such as '0, 10, 20 degC'")
        numbers.append(float(match[1]))
        units.append(match[2])
    if units[-1] is None:
        raise InputError(f"found {text!r} without a unit, expected one at its end, such as '0, 10, 20 degC'")
    return [_kelvin(number, unit or units[-1]) for number, unit in zip(numbers, units, strict=True)]


def _kelvin(number: float, unit: str) -> float:
    kelvin = convert(number, unit, "K")
    if not _COLDEST_K < kelvin < _HOTTEST_K:
        raise InputError(f"{number:g} {unit} is {kelvin:g} K, expected a temperature of a cell; check the unit")
    return kelvin


def temperatures_K(
    protocol: ActivationEnergyProtocol, names: Sequence[str], stated_K: Sequence[float | None]
) -> tuple[list[float], str]:
    """Return the temperature of every spectrum, and where it is from.

    Parameters
    ----------
    protocol
        What the user said.
    names
        Of the spectra.
    stated_K
        What the records state, None where they do not.

    Raises
    ------
    InputError
        If nobody stated them (the names are then offered as a proposal, never taken), or no cell has such a one.
    """
    if protocol.temperatures is not None:
        found = listed_K(protocol.temperatures)
        if len(found) != len(names):
            raise InputError(f"{len(found)} temperatures for {len(names)} spectra, expected one for each", "temperatures")
        return found, "given by the user"
    if protocol.temperatures_from_names and protocol.temperature_unit is not None:
        numbers = _numbers_in(names)
        if numbers is None:
            raise InputError(f"no one temperature in each name, such as {names[0]!r}", "temperatures_from_names")
        return [_kelvin(number, protocol.temperature_unit) for number in numbers], "from the names, confirmed by the user"
    known = [kelvin for kelvin in stated_K if kelvin is not None]
    if len(known) == len(names):
        for kelvin, name in zip(known, names, strict=True):
            if not _COLDEST_K < kelvin < _HOTTEST_K:
                raise InputError(
                    f"its temperature is stated as {kelvin:g} K, expected that of a cell; if the file has a wrong unit, "
                    "state the temperatures, such as temperatures = '0, 10, 20 degC'",
                    name,
                )
        return known, "stated in the records"
    numbers = _numbers_in(names)
    proposal = ""
    if numbers is not None:
        listed = ", ".join(f"{number:g}" for number in numbers)
        proposal = (
            f"; the names suggest {listed}, without saying for certain in which unit: confirm with temperatures_from_names "
            "and temperature_unit"
        )
    raise InputError(
        "nobody stated the temperatures, expected them in the order of the spectra, such as "
        f"temperatures = '0, 10, 20 degC'{proposal}",
        "temperatures",
    )


def _numbers_in(names: Sequence[str]) -> list[float] | None:
    """Return the one number of each name that looks like a temperature, None if a name has none or several."""
    found = []
    for name in names:
        stem = re.sub(r"(\.[A-Za-z]\w*)+$", "", re.sub(r" \(spectrum \d+\)$", "", name))
        numbers = _IN_NAME.findall(stem.replace("-", " ") if re.search(r"\w-\d", stem) else stem)
        if len(numbers) != 1:
            return None
        found.append(float(numbers[0]))
    return found if len(set(found)) > 1 else None
