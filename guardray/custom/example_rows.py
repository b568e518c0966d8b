"""Examples as files write them, to rows of a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from guardray.custom.rule_form import ExampleForm
from guardray.custom.yaml_text import Document
from guardray.detectors.declare import EXAMPLES_BEGIN, Example
from guardray.schema import EventSchema, api_activity
from guardray.sources.decoder import Origin

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
        UsageError: a row has what the schema has not, an event is none, or one of the two kinds is missing.
    """
    examples = tuple(
        Example(
            name=form.fires if form.fires is not None else str(form.quiet),
            rows=tuple(_rows(document, form, schema, f"{at}[{index}]")),
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


def _rows(document: Document, form: ExampleForm, schema: EventSchema, at: str) -> Iterator[dict[str, Any]]:
    if form.event is not None:
        yield _row_of_event(document, form.event, schema, f"{at}.event")
    if form.row is not None:
        yield _row(document, form.row, schema, f"{at}.row")
    for index, row in enumerate(form.rows):
        yield _row(document, row, schema, f"{at}.rows[{index}]")


def _row_of_event(document: Document, event: Mapping[str, Any], schema: EventSchema, at: str) -> dict[str, Any]:
    """The row that a record of CloudTrail becomes."""
    # Decoding is compiled, which rules without such an example need not wait for.
    from guardray.sources.cloudtrail.decoder import CloudTrailDecoder
    from guardray.sources.cloudtrail.framing import Framing

    if schema != api_activity.SCHEMA:
        raise document.error(f"`event` is a record of CloudTrail; {schema.name} has none: write a `row`", at)
    decoder = CloudTrailDecoder()
    text = msgspec.json.encode({"eventTime": f"{EXAMPLES_BEGIN:%Y-%m-%dT%H:%M:%SZ}", **event})
    decoder.add(text, 0, Framing.DOCUMENT, Origin(url=str(document.path)))
    decoded = decoder.take()
    if decoded.frame.height != 1:
        reason = decoded.bad[0][1].reason if decoded.bad else "its eventCategory is not looked at"
        raise document.error(f"not a record of CloudTrail: {reason}", at)
    return {name: value for name, value in decoded.frame.row(0, named=True).items() if value is not None}


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
