"""Options that commands share, declared once as a dataclass, and seen by typer as if each command had them itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a parameter for each field of the parameters that are dataclasses.

    Fields need a default; what they are annotated with is what typer sees.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @wraps(command)
    def spread_out(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    parameters = [one for given in inspect.signature(command).parameters.values() for one in _parameters(given, hints)]
    del spread_out.__wrapped__  # it leads to the signature that was
    spread_out.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread_out.__annotations__ = {one.name: one.annotation for one in parameters}
    return spread_out


def _parameters(given: Parameter, hints: dict[str, Any]) -> Iterator[Parameter]:
    """The parameter itself, or one for each field of the dataclass that it is."""
    kind = hints[given.name]
    if not is_dataclass(kind):
        yield given.replace(kind=Parameter.KEYWORD_ONLY, annotation=kind)
        return
    of_fields = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        annotation = of_fields[field.name]
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)
