"""Options of a command made from the model of its inputs: one a field, with its unit and description."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sodiophile.schema import unit_of_field


def with_options(
    function: Callable[..., None], models: Mapping[str, type[BaseModel]], leave_out: frozenset[str] = frozenset()
) -> Callable[..., None]:
    """Give `function` one option a field of each model.

    Parameters
    ----------
    function
        Takes its own parameters and, by the names in `models`, a dictionary of what the user set for each.
    models
        Parameter name of `function` -> the model whose fields become options.
    leave_out
        Keys that get no option.

    Returns
    -------
    A function with the signature that typer reads.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name not in models]
    made: list[inspect.Parameter] = []
    home: dict[str, tuple[str, str]] = {}
    for target, model in models.items():
        for name, field in model.model_fields.items():
            key = field.alias or name
            parameter = key.replace("-", "_")
            if key in leave_out or parameter in home or parameter in signature.parameters:
                continue
            home[parameter] = (target, key)
            made.append(_parameter(parameter, key, field))

    def wrapped(**given: Any) -> None:
        sets: dict[str, dict[str, Any]] = {target: {} for target in models}
        rest: dict[str, Any] = {}
        for name, value in given.items():
            if name not in home:
                rest[name] = value
            elif value is not None:
                target, key = home[name]
                sets[target][key] = value
        function(**rest, **sets)

    wrapped.__doc__ = function.__doc__
    wrapped.__name__ = function.__name__
    wrapped.__signature__ = inspect.Signature(own + made)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in own + made}
    return wrapped


def _parameter(name: str, key: str, field: FieldInfo) -> inspect.Parameter:
    unit = unit_of_field(field)
    flag = f"--{key.replace('_', '-')}"
    text = field.description or ""
    if field.is_required():
        text += " [required]"
    elif field.default is not None:
        text += f" (default: {_shown(field.default, unit)})"
    base = _simple(field.annotation)
    if base is bool and unit is None:
        option = typer.Option(f"{flag}/--no-{key.replace('_', '-')}", help=text, show_default=False)
        annotation: Any = Annotated[bool | None, option]
    else:
        metavar = f"'NUMBER {unit}'" if unit not in {None, "1"} else {int: "INTEGER", float: "NUMBER"}.get(base, "TEXT")
        if get_origin(base) is Literal:
            metavar = "|".join(str(choice) for choice in get_args(base))
        annotation = Annotated[str | None, typer.Option(flag, help=text, metavar=metavar, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _simple(annotation: Any) -> Any:
    """Return the type inside ``X | None`` and ``Annotated``."""
    if get_origin(annotation) is Annotated:
        return _simple(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _simple(inner[0]) if len(inner) == 1 else annotation
    return annotation


def _shown(value: object, unit: str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g} {unit}" if unit and unit != "1" else f"{value:g}"
    return str(value)
