"""The columns that a rule can look at, with what each holds."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from guardray.context import enrich
from guardray.schema import EventSchema

VALUES_SHOWN = 4
"""Of an enumeration that has more: which they are is for whoever reads the schema, that they are few for all."""

_SECTION = re.compile(r"Added to (?:`(?P<schema>\w+)`|every class):")
_COLUMNS = re.compile(r" {4}(?P<names>\w+(?:, \w+)*): (?P<text>.+)")


@dataclass(frozen=True)
class ColumnHelp:
    """A column. The description is empty where nothing is written of it."""

    name: str
    type: str
    description: str


def columns_of(schema: EventSchema) -> list[ColumnHelp]:
    """The columns of an enriched batch, in order."""
    described = {column.name: column.description for column in schema.columns} | _added(schema.name)
    return [
        ColumnHelp(name, type_name(dtype), described.get(name, "").removeprefix(f"{dtype}, "))
        for name, dtype in enrich.enriched_columns(schema).items()
    ]


def type_name(dtype: pl.DataType | type[pl.DataType]) -> str:
    """A column's type, short enough for a table: a few of an enumeration's values, and a time's zone."""
    if isinstance(dtype, pl.Enum):
        few, number = list(dtype.categories[:VALUES_SHOWN]), len(dtype.categories)
        more = f", … ({number})" if number > len(few) else ""
        return f"Enum: {', '.join(few)}{more}"
    return f"Datetime, {dtype.time_zone}" if isinstance(dtype, pl.Datetime) else str(dtype)


def _added(schema: str) -> dict[str, str]:
    """What enrichment says of the columns that it adds."""
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in _lines_about(schema):
        if match := _COLUMNS.fullmatch(line):
            names = match["names"].split(", ")
            texts.update(dict.fromkeys(names, match["text"]))
        elif line.startswith(" " * 8):
            texts.update({name: f"{texts[name]} {line.strip()}" for name in names})
    return texts


def _lines_about(schema: str) -> Iterator[str]:
    is_meant = False
    for line in (inspect.getdoc(enrich) or "").splitlines():
        if section := _SECTION.match(line):
            is_meant = section["schema"] in (None, schema)
        elif is_meant:
            yield line
