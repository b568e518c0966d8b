"""The columns that detections can look at."""

from __future__ import annotations

import pytest

from guardray.cli.columns import columns_of
from guardray.schema import SCHEMAS


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_column_is_described(schema):
    assert [column.name for column in columns_of(schema) if not column.description] == []
