"""What a study file may say: electrodes, experiments, calculations, reported values, coverage; every fault is one line.

Tables and keys are checked by models. What an experiment or a calculation adds of its own is checked by the model of its
kind, in `sodiophile.study.load`, which also follows the names and files that the tables refer to.
"""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from sodiophile.errors import InputError
from sodiophile.quantity import Bound, Quantity
from sodiophile.schema import InUnit, Model, element_symbol


def _printable(text: str) -> str:
    if any(not (letter.isprintable() or letter == "\n") for letter in text):
        raise ValueError(f"found {text!r}, expected printable text")
    return text


def _file_list(value: object) -> object:
    several = value if isinstance(value, list | tuple) else [value]
    if not several or not all(isinstance(one, str) and one for one in several):
        raise ValueError(f"found {value!r}, expected a file name, or a list of them in the order of measurement")
    return tuple(several)


def _simulation(value: object) -> object:
    if value is True:
        return {}
    if value is False:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"found {value!r}, expected true, or a table with the settings of the virtual instrument")
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_printable)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000), AfterValidator(_printable)]
Files = Annotated[tuple[str, ...], BeforeValidator(_file_list)]


class Interlayer(Model):
    """What lies between the metal and the electrolyte."""

    material: Name = Field(description="what it is made of, such as 'VN'")
    structure: str | None = Field(default=None, description="the crystal structure file of the material")
    thickness_um: Annotated[float | None, InUnit("um")] = Field(
        default=None, alias="thickness", gt=0, description="the thickness of the interlayer"
    )
    note: Words = Field(default="", description="a remark")
    source: Words = Field(default="", description="where these facts come from")


class Electrode(Model):
    """One electrode of the study."""

    metal: Annotated[str, AfterValidator(element_symbol)] = Field(description="the symbol of the metal, such as 'Na'")
    structure: str | None = Field(default=None, description="the crystal structure file of the metal")
    interlayer: Interlayer | None = Field(default=None, description="what lies on the metal")
    area_cm2: Annotated[float | None, InUnit("cm^2")] = Field(
        default=None, alias="area", gt=0, description="the geometric area, for every experiment that names none"
    )
    cell: str | None = Field(
        default=None, description="the parameters of the cell for simulated experiments: a file, or a name that ships here"
    )
    note: Words = Field(default="", description="a remark")
    source: Words = Field(default="", description="where these facts come from")


class Experiment(Model):
    """One experiment on some electrodes; the keys that are not here are those of the protocol of its kind."""

    model_config = ConfigDict(extra="allow")

    name: Name = Field(description="a name for the experiment")
    kind: str = Field(description="a kind of experiment, see 'sodiophile kinds'")
    electrodes: list[str] | None = Field(default=None, min_length=1, description="the names of its electrodes")
    like_electrodes: int | None = Field(
        default=None,
        description="what the command line calls --electrodes: like electrodes that share the voltage, 2 for a symmetric "
        "cell, 1 against a reference",
    )
    files: dict[str, Files] | None = Field(default=None, min_length=1, description="the files of each electrode")
    simulate: Annotated[dict[str, Any] | None, BeforeValidator(_simulation)] = Field(
        default=None, description="true, or the settings of the virtual instrument"
    )
    read: dict[str, Any] = Field(default_factory=dict, description="what to tell the reader of the files")
    note: Words = Field(default="", description="a remark")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.files is None and self.simulate is None:
            for key in self.model_extra or {}:
                if near := difflib.get_close_matches(key, ["files", "simulate"], n=1, cutoff=0.7):
                    raise ValueError(f"found the unknown key {key!r}; did you mean {near[0]!r}?")
        if (self.files is None) == (self.simulate is None):
            found = "neither" if self.files is None else "both"
            raise ValueError(f"found {found} of files and simulate, expected one of them")
        if self.simulate is not None and self.read:
            raise ValueError("found read beside simulate, expected it only beside files")
        return self


class Calculation(Model):
    """One calculation on some electrodes; the keys that are not here are the inputs of its kind."""

    model_config = ConfigDict(extra="allow")

    name: Name = Field(default="", validate_default=False, description="a name for the calculation; its kind by default")
    kind: str = Field(description="a kind of calculation, see 'sodiophile kinds'")
    electrodes: list[str] | None = Field(default=None, min_length=1, description="the names of its electrodes")
    note: Words = Field(default="", description="a remark")


class Reported(Model):
    """A value that somebody printed: compared with, and used only where a calibration or `put_in` says so."""

    experiment: Name | None = Field(default=None, description="the name of the experiment that it belongs to")
    calculation: Name | None = Field(default=None, description="the name of the calculation that it belongs to")
    row: int | None = Field(default=None, ge=1, description="the row of the coverage table that it belongs to")
    electrode: str | None = Field(default=None, description="the electrode; may be left out where there is only one")
    quantity: Name = Field(description="the name of the quantity, as in the result")
    value: str = Field(description="the value with its unit, such as '25 mV' or '25.1(4) mV'")
    bound: Bound | None = Field(default=None, description="lower or upper, where the value only bounds the truth")
    where: Words = Field(default="", description="where it is printed, such as 'Fig. 2a'")
    current_density_mA_cm2: Annotated[float | None, InUnit("mA/cm^2")] = Field(
        default=None, alias="current_density", gt=0, description="the current density that it was found at, if printed"
    )
    temperature_K: Annotated[float | None, InUnit("K")] = Field(
        default=None, alias="temperature", gt=0, description="the temperature that it was found at, if printed"
    )
    put_in: bool = Field(
        default=False, description="true where a cell of the study takes it as given: beside a simulation it tests nothing"
    )
    note: Words = Field(default="", description="a remark")

    @field_validator("value")
    @classmethod
    def _is_quantity(cls, value: str) -> str:
        try:
            Quantity.parse(value)
        except InputError as error:
            raise ValueError(str(error) if "found" in str(error) else f"found {value!r}: {error}") from error
        return value

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if self.experiment is not None and self.calculation is not None:
            raise ValueError("found both experiment and calculation, expected one of them")
        if self.experiment is None and self.calculation is None and self.row is None:
            raise ValueError("found neither experiment, calculation nor row, expected one of them")
        if self.bound is not None and Quantity.parse(self.value).bound not in {None, self.bound}:
            raise ValueError(f"found value {self.value!r} with bound {self.bound!r}, which contradict each other")
        return self

    @property
    def subject(self) -> str | None:
        """The experiment or calculation that it belongs to."""
        return self.experiment if self.experiment is not None else self.calculation

    def as_quantity(self) -> Quantity:
        """Return the value as a quantity of status ``reported``."""
        parsed = Quantity.parse(self.value, status="reported", source=self.where)
        if self.bound is None:
            return parsed
        return Quantity(
            parsed.value, parsed.unit, parsed.uncertainty, status="reported", source=self.where, bound=self.bound
        )

    @property
    def digits(self) -> str:
        """The number as printed, without its bound and its unit, uncertainty in parentheses."""
        match = re.match(
            r"[<>≤≥= ]*([+\-−]?[\d.]+(?:\(\d+\))?(?:\s*(?:±|\+/-)\s*[\d.]+)?(?:[eE][+-]?\d+)?)", self.value.strip()
        )
        return match[1].replace("−", "-") if match else ""

    @property
    def half_digit(self) -> float:
        """Half a unit in the last digit as printed, in the printed unit: what rounding alone may hide."""
        match = re.search(r"\d*\.?\d+", self.value)
        digits = match[0].partition(".")[2] if match else ""
        exponent = re.search(r"[eE]([+-]?\d+)", self.value)
        return 0.5 * 10.0 ** ((int(exponent[1]) if exponent else 0) - len(digits))


class PriorTable(Model):
    """What is believed of a parameter before it is calibrated; numbers with a unit in the unit of the parameter.

    ``low`` and ``high`` make it uniform, ``value`` and ``uncertainty`` normal, ``value`` and ``factor`` log-normal; none of
    them takes the range or uncertainty that the cell's file states.
    """

    low: str | None = Field(default=None, description="the lower end, such as '20 deg'")
    high: str | None = Field(default=None, description="the upper end")
    value: str | None = Field(default=None, description="the middle; with uncertainty or factor")
    uncertainty: str | None = Field(default=None, description="one standard deviation of a normal prior")
    factor: float | None = Field(
        default=None, gt=1, le=1e6, description="one standard deviation of a log-normal prior, as a factor"
    )
    logarithmic: bool = Field(default=False, description="between low and high, uniform in the logarithm")

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        given = {key for key in ("low", "high", "value", "uncertainty", "factor") if getattr(self, key) is not None}
        if given and given not in ({"low", "high"}, {"value", "uncertainty"}, {"value", "factor"}):
            raise ValueError(
                f"found {' and '.join(sorted(given))}, expected low and high, value and uncertainty, or value and factor"
            )
        if self.logarithmic and given != {"low", "high"}:
            raise ValueError("found logarithmic without low and high, expected it beside them")
        return self


class CalibratedTo(Model):
    """A value that parameters are fitted to: the reported one of a simulated experiment, the measured one of files."""

    experiment: Name = Field(description="the name of the experiment")
    quantity: Name = Field(description="the name of the quantity, as in the result")
    uncertainty: str | None = Field(
        default=None, description="one standard deviation with its unit, where the value has none or a larger one is meant"
    )
    discrepancy: Annotated[float, InUnit("1")] = Field(
        default=0.0, ge=0, le=10, description="how far the model may be off besides, as a part of the value, such as '10 %'"
    )


class Predicted(Model):
    """A quantity that is predicted with the calibrated parameters: held out, whether or not somebody reported it."""

    experiment: Name = Field(description="the name of the experiment")
    quantity: Name = Field(description="the name of the quantity, as in the result")
    uncertainty: str | None = Field(
        default=None, description="one standard deviation of one measurement, with its unit, where the value states none"
    )
    discrepancy: Annotated[float, InUnit("1")] = Field(
        default=0.0, ge=0, le=10, description="how far the model may be off besides, as a part of the value, such as '10 %'"
    )


class Calibration(Model):
    """Parameters of a cell fitted to some values, and others predicted with them."""

    name: Name = Field(description="a name for the calibration")
    electrodes: list[str] | None = Field(default=None, min_length=1, description="the names of its electrodes")
    parameters: dict[str, PriorTable] = Field(
        min_length=1, max_length=12, description="place in the cell -> prior, such as 'substrate.contact_angle'"
    )
    to: list[CalibratedTo] = Field(min_length=1, description="tables [[calibrations.to]], the values that are fitted")
    predict: list[Predicted] = Field(default_factory=list, description="tables [[calibrations.predict]], held out")
    runs: int | None = Field(default=None, ge=16, le=4096, description="simulations spread over the prior")
    draws: int = Field(default=200, ge=20, le=20_000, description="draws of the posterior, each a simulation")
    seed: int = Field(default=0, ge=0, description="of the draws")
    note: Words = Field(default="", description="a remark")


class AtomsToVolts(Model):
    """A measurement predicted from a calculated adhesion, with the uncertainty of all that lies between."""

    name: Name = Field(description="a name for the prediction")
    electrodes: list[str] | None = Field(default=None, min_length=1, description="the names of its electrodes")
    calculation: Name | None = Field(
        default=None, description="the name of a calculation of adhesion, or of adsorption against bulk metal"
    )
    adhesion: str | None = Field(default=None, description="work of adhesion instead, such as '0.30(10) J/m^2'")
    adsorption: str | None = Field(default=None, description="adsorption energy against bulk metal instead, '-0.7(2) eV'")
    uncertainty: str | None = Field(
        default=None,
        description="one standard deviation of the calculated energy, where it states none or a larger is meant",
    )
    surface_energy: str | None = Field(
        default=None, description="of the metal against vacuum, '0.22(3) J/m^2'; that of the calculation if not given"
    )
    cell: str | None = Field(
        default=None, description="a cell that was not calibrated to what is predicted; that of the electrode if not given"
    )
    experiment: Name = Field(description="the name of the experiment whose outcome is predicted")
    quantity: Name = Field(default="nucleation_overpotential", description="the name of the quantity, as in the result")
    draws: int = Field(default=200, ge=20, le=20_000, description="draws, each a simulation")
    seed: int = Field(default=0, ge=0, description="of the draws")
    note: Words = Field(default="", description="a remark")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [key for key in ("calculation", "adhesion", "adsorption") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"found {' and '.join(given) or 'none'} of calculation, adhesion and adsorption, expected one of them"
            )
        if self.surface_energy is None and self.calculation is None:
            raise ValueError("found no surface_energy, expected one, such as '0.22(3) J/m^2'")
        return self


class OrderedNumber(Model):
    """A number by which two electrodes are put in order."""

    name: Name = Field(description="what it is in a few words, such as 'dip'")
    experiment: Name = Field(description="the name of an experiment, on at least one of the two electrodes")
    quantity: Name = Field(description="the name of the quantity, as in the result")
    better: Literal["lower", "higher"] = Field(description="lower or higher: which is the better one")
    reported: Literal["better", "worse"] | None = Field(
        default=None, description="what somebody reported of the first electrode against the second, if anything"
    )
    simulate: dict[str, Any] = Field(
        default_factory=dict, description="settings of the virtual instrument other than those of the experiment"
    )


class Ordering(Model):
    """Two electrodes in order: is one better than the other, whatever the assumed parameters of their cells are."""

    name: Name = Field(description="a name for the question")
    electrodes: list[str] = Field(
        min_length=2, max_length=2, description="two electrodes: is the first better than the second?"
    )
    numbers: list[OrderedNumber] = Field(min_length=1, max_length=12, description="tables [[orderings.numbers]]")
    draws: int = Field(
        default=60, ge=10, le=10_000, description="pairs of cells drawn from the spreads of their parameters"
    )
    seed: int = Field(default=0, ge=0, description="of the draws")
    note: Words = Field(default="", description="a remark")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.numbers]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"found two numbers of the name {twice[0]!r}, expected a name of its own for each")
        return self


class LifespanComparison(Model):
    """Lifespans of this study among published ones."""

    name: Name = Field(description="a name for the comparison")
    kind: Literal["lifespan-comparison"] = Field(description="lifespan-comparison")
    experiments: list[str] = Field(min_length=1, description="the names of the experiments whose lifespans are taken")
    axis: Literal["hours", "cycles", "plated capacity"] = Field(default="hours", description="what is compared")
    show: Literal["same conditions", "all"] = Field(
        default="same conditions", description="only at the current density and capacity of one's own, or all"
    )
    published: str | None = Field(
        default=None, description="a CSV file with further published lifespans, each with its doi"
    )
    note: Words = Field(default="", description="a remark")


class Coverage(Model):
    """One row of what the source reports; how far it is covered follows from what ran."""

    row: int = Field(ge=1, description="the number of the row")
    title: Name = Field(description="what the source shows")
    where: Words = Field(default="", description="where it is printed")
    by: list[str] = Field(default_factory=list, description="the experiments and calculations that cover it")
    note: Words = Field(default="", description="a remark")


class StudyFile(Model):
    """The whole file."""

    title: Annotated[Name, StringConstraints(max_length=300)] = Field(description="the title of the study")
    description: Words = Field(default="", description="what it is about")
    reference: Words = Field(default="", description="the source whose values are compared with")
    level: Literal["potential", "dft"] = Field(
        default="dft",
        description="potential: density functional theory is taken from the record beside the study, never computed; "
        "dft: computed where it is not there",
    )
    electrodes: dict[Name, Electrode] = Field(min_length=1, description="a table [electrodes.NAME] for each electrode")
    experiments: list[Experiment] = Field(default_factory=list, description="tables [[experiments]]")
    calculations: list[Calculation] = Field(default_factory=list, description="tables [[calculations]]")
    calibrations: list[Calibration] = Field(default_factory=list, description="tables [[calibrations]]")
    predictions: list[AtomsToVolts] = Field(default_factory=list, description="tables [[predictions]], from atoms to volts")
    orderings: list[Ordering] = Field(default_factory=list, description="tables [[orderings]], two electrodes in order")
    comparisons: list[LifespanComparison] = Field(default_factory=list, description="tables [[comparisons]]")
    reported: list[Reported] = Field(default_factory=list, description="tables [[reported]]")
    coverage: list[Coverage] = Field(default_factory=list, description="tables [[coverage]]")


What = Literal["experiment", "calculation", "calibration", "prediction"]
