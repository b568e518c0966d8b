"""Declarations as text, to tell in any process whether two of them are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import polars as pl

from guardray.schema import EventSchema


def text_of(value: object) -> str:
    """What a declaration says, made of expressions, dataclasses, mappings and plain values.

    Equal for equal declarations, whatever process they come from; another polars may write expressions otherwise. A
    schema is told by its name, since to add a column to it changes nothing that was declared before.
    """
    if isinstance(value, EventSchema):
        return value.name
    if isinstance(value, pl.Expr):
        return _expression(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name!r}: {text_of(value[name])}' for name in sorted(value))}}}"
    if is_dataclass(value):
        parts = (f"{field.name}={text_of(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({', '.join(parts)})"
    return repr(value)


def _expression(expression: pl.Expr) -> str:
    try:
        return expression.meta.serialize(format="json")
    except pl.exceptions.ComputeError:  # it calls a Python function, which polars shows by its place alone
        return str(expression)
