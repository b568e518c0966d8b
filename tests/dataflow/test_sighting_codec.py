"""Sightings that are kept in checkpoints come back with all that their findings need."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given

from guardray.dataflow.sighting_codec import decode, encode, sightings_of_table, sightings_table
from tests.finding_examples import single_sightings


@given(single_sightings())
def test_sightings_come_back_from_a_table_as_they_were(sightings):
    assert sightings_of_table(sightings_table(sightings)) == sightings
    assert [one.latest.row for one in sightings_of_table(sightings_table(sightings))] == [
        dict(one.latest.row) for one in sightings
    ]


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="expected sighting"):
        sightings_of_table(pa.table({"sighting": ["text"]}))


@given(single_sightings(max_size=2))
def test_a_sighting_is_encoded_the_same_each_time(sightings):
    assert all(encode(decode(encode(one))) == encode(one) for one in sightings)
