"""Examples as files write them, to rows of a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from guardray.custom.rule_form import ExampleForm
from guardray.custom.yaml_text import Document
from guardray.detectors.declare import Example
from guardray.schema import EventSchema

_JSON_COLUMNS = ("api_request_data", "api_response_data", "additional_data")

_KINDS: Sequence[tuple[type[pl.DataType], tuple[type, ...], str]] = (
    (pl.String, (str,), "a text, in quotes if it looks like a number"),
    (pl.Boolean, (bool,), "true or false"),
    (pl.Datetime, (datetime,), "a time, such as 2026-01-12T10:00:00Z"),
    (pl.List, (list,), "a list of texts"),
)


def examples_of(document: Document, forms: Sequence[ExampleForm], schema: EventSchema, at: str) -> tuple[Example, ...]:
    """The examples that stand at a path of the document.

    Raises:
        UsageError: a row has what the schema has not, or one of the two kinds is missing.
    """
    examples = tuple(
        Example(
            name=form.fires if form.fires is not None else str(form.quiet),
            rows=tuple(_row(document, row, schema, f"{at}[{index}].{place}") for row, place in _placed(form)),
            fires=form.fires is not None,
            indicators={},
            severity=form.severity,
            instances={},
        )
        for index, form in enumerate(forms)
    )
    if {example.fires for example in examples} != {True, False}:
        raise document.error("`examples` must have one that fires and one that is quiet, at the least", at)
    return examples


def _placed(form: ExampleForm) -> list[tuple[Mapping[str, Any], str]]:
    if form.row is not None:
        return [(form.row, "row")]
    return [(row, f"rows[{index}]") for index, row in enumerate(form.rows)]


def _row(document: Document, row: Mapping[str, Any], schema: EventSchema, at: str) -> dict[str, Any]:
    values = {}
    for name, value in row.items():
        if name not in schema.polars:
            raise document.error(f"{schema.name} has no column {name!r}", f"{at}.{name}")
        try:
            values[name] = _value(name, value, schema.polars[name])
        except ValueError as error:
            raise document.error(str(error), f"{at}.{name}") from None
    return values


def _value(name: str, value: Any, dtype: pl.DataType) -> Any:
    if name in _JSON_COLUMNS and isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    if value is None:
        return None
    types, what = next(((types, what) for kind, types, what in _KINDS if isinstance(dtype, kind)), ((int,), "a number"))
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"{name} is {value!r}: it must be {what}")
    return value.replace(tzinfo=value.tzinfo or UTC) if isinstance(value, datetime) else value
