"""The columns that detections can look at."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.cli.columns import columns_of, type_name
from guardray.schema import SCHEMAS


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_column_is_described(schema):
    assert [column.name for column in columns_of(schema) if not column.description] == []


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_types_are_short_enough_for_a_table(schema):
    assert max(len(column.type) for column in columns_of(schema)) < 60


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (pl.Enum(["a", "b"]), "Enum: a, b"),
        (pl.Enum([*"abcdef"]), "Enum: a, b, c, d, … (6)"),
        (pl.Datetime("us", "UTC"), "Datetime, UTC"),
        (pl.List(pl.String), "List(String)"),
        (pl.String, "String"),
    ],
)
def test_an_enumeration_shows_a_few_of_its_values_and_how_many_there_are(dtype, name):
    assert type_name(dtype) == name
