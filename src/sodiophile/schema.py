"""What the user writes, checked: errors are one line naming the key, numbers enter with their unit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError

from sodiophile.errors import InputError
from sodiophile.quantity import measure

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import CoreSchema


class Model(BaseModel):
    """A frozen table of inputs that knows no unknown keys.

    Fields whose number carries a unit in its name (``area_cm2``) have the plain name (``area``) as alias: users write
    ``area = "1.13 cm^2"``, code reads ``.area_cm2``.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False, arbitrary_types_allowed=True
    )


@dataclass(frozen=True)
class InUnit:
    """Marks a float field that users write with a unit: ``Annotated[float, InUnit("cm^2")]``."""

    unit: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read text with a unit before the field is checked as a float."""
        return BeforeValidator(self._read).__get_pydantic_core_schema__(source, handler)

    def _read(self, value: object) -> object:
        if value is None:
            return None
        try:
            return measure(value, self.unit)
        except InputError as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True)
class AreFiles:
    """Marks a text field that names files, separated by commas; in a study they are relative to it.

    What reads the field takes it apart by `file_names`.
    """


_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo "
    "Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl "
    "Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
_ELEMENTS = frozenset(_SYMBOLS.split())


def element_symbol(text: str) -> str:
    """Return the symbol of an element as it is; for fields of a model.

    Raises
    ------
    ValueError
        If it is none; the nearest is offered.
    """
    if text not in _ELEMENTS:
        likely = text.strip().capitalize()
        hint = f"; did you mean {likely!r}?" if likely in _ELEMENTS else ""
        raise ValueError(f"found {text!r}, expected the symbol of an element, such as 'Na'{hint}")
    return text


def unit_of_field(field: FieldInfo) -> str | None:
    """Return the unit of a field marked with `InUnit`, None for any other."""
    for mark in field.metadata:
        if isinstance(mark, InUnit):
            return mark.unit
    for argument in getattr(field.annotation, "__args__", ()):
        for mark in getattr(argument, "__metadata__", ()):
            if isinstance(mark, InUnit):
                return mark.unit
    return None


def file_fields(model: type[BaseModel]) -> list[str]:
    """Return the keys, as users write them, of the fields marked with `AreFiles`."""
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if any(isinstance(mark, AreFiles) for mark in field.metadata)
    ]


def one_a_line(names: Iterable[str]) -> str:
    """Join names of files so that `file_names` gives them back, commas in them and all."""
    return "".join(f"{name}\n" for name in names)


def file_names(text: str) -> list[str]:
    """Return the names of a field marked with `AreFiles`: one a line, or, in one line, separated by commas."""
    return [name.strip() for name in (text.splitlines() if "\n" in text else text.split(",")) if name.strip()]


M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], data: Mapping[str, Any], where: object = "", table: str = "", beside: Sequence[str] = ()) -> M:
    """Make `model` from what the user wrote.

    Parameters
    ----------
    model
        The pydantic model.
    data
        Keys as the user writes them.
    where
        The file that the data come from; leads the message.
    table
        The table in that file, where the data are not all of it: ``experiments[2]`` makes ``experiments[2].area``.
    beside
        Keys of that table which the caller has taken out before; offered where an unknown key resembles one.

    Raises
    ------
    InputError
        One line about the first fault: the key, what was found, what was expected.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # a key that is misspelt is missing too: say which one it is
        fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
        raise InputError(_sentence(fault, model, table, beside), where) from error


def written(model: BaseModel) -> dict[str, Any]:
    """Return what a user could have written for `model`: plain values by their plain names, numbers with their unit.

    JSON-ready, without the keys that say nothing (None). The inverse of `checked`: ``checked(type(m), written(m)) == m``.
    """
    out: dict[str, Any] = {}
    plain = model.model_dump(mode="json", by_alias=True)
    for name, field in type(model).model_fields.items():
        key, value, unit = field.alias or name, getattr(model, name), unit_of_field(field)
        if value is None:
            continue
        if isinstance(value, BaseModel):
            out[key] = written(value)
        else:
            out[key] = _with_unit(value, unit) if unit is not None else plain[key]
    return out


def _with_unit(value: Any, unit: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_unit(entry, unit) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_with_unit(entry, unit) for entry in value]
    return f"{float(value)!r} {unit}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def _sentence(fault: Mapping[str, Any], model: type[BaseModel], table: str = "", beside: Sequence[str] = ()) -> str:
    path = tuple(fault["loc"])
    key = ".".join(part for part in (table, _dotted(path)) if part)
    kind = fault["type"]
    if kind == "extra_forbidden":
        known = [*(beside if len(path) == 1 else ()), *_known_keys(model, path[:-1])]
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}" if known else ""
        return f"{key}: unknown key; {hint}".rstrip("; ")
    if kind == "missing":
        field = _field(model, path)
        what = (field.description if field else None) or "a value"
        unit = unit_of_field(field) if field else None
        example = f", such as '{'25 degC' if unit == 'K' else f'1 {unit}'}'" if unit else ""
        return f"{key}: missing; expected {what}{example}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if kind == "value_error" or "found" in message:
        return f"{key}: {message}" if key else message
    return f"{key}: {_expectation(fault, _field(model, path))}" if key else message


_LIMITS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}
_KINDS = {"int_": "a whole number", "float_": "a number", "bool_": "true or false", "string_type": "text in quotes"}


def _expectation(fault: Mapping[str, Any], field: FieldInfo | None) -> str:
    """Return what was found and what was expected, in the words of the field."""
    kind, found = str(fault["type"]), fault.get("input")
    unit = unit_of_field(field) if field is not None else None
    if kind in _LIMITS:
        after = f" {unit}" if unit not in {None, "1"} else ""
        shown = f"'{found:g}{after}'" if after and isinstance(found, float) else _clipped(found)
        limit = next(iter(fault["ctx"].values()))
        return f"found {shown}, expected {_LIMITS[kind]} {limit:g}{after}"
    expected = next((words for start, words in _KINDS.items() if kind.startswith(start)), None)
    if expected is None:
        message = str(fault["msg"])
        expected = message.removeprefix("Input should be ") if message.startswith("Input should be ") else ""
        if not expected:
            return f"found {_clipped(found)}; {message[:1].lower()}{message[1:]}"
    return f"found {_clipped(found)}, expected {expected}"


def _clipped(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _dotted(path: tuple[Any, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _submodel(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _submodel(argument)
        if found is not None:
            return found
    return None


def _by_key(model: type[BaseModel], key: object) -> FieldInfo | None:
    for name, field in model.model_fields.items():
        if key in {field.alias, name}:
            return field
    return None


def _field(model: type[BaseModel], path: tuple[Any, ...]) -> FieldInfo | None:
    here: type[BaseModel] | None = model
    field = None
    for part in path:
        if here is None:
            return None
        found = _by_key(here, part)
        if found is not None:
            field = found
            here = _submodel(found.annotation)
    return field


def _known_keys(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    field = _field(model, path) if path else None
    here = _submodel(field.annotation) if field is not None else model if not path else None
    return [entry.alias or name for name, entry in here.model_fields.items()] if here is not None else []
