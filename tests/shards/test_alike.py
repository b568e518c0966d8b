"""Rows that are alike: the latest of each kind is kept, and no kind is lost."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.shards.alike import latest_alike

TEXTS = ("", "a", "short", "a text of more than twelve bytes", "another text of more than twelve bytes", None)
rows = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.integers(-5, 5)), min_size=1
)


def from_dictionary(texts: list[str | None]) -> pl.Series:
    """As decoders make them: each text at one place in memory."""
    return pl.Series(TEXTS, dtype=pl.String).gather([TEXTS.index(text) for text in texts])


@given(rows)
def test_the_latest_row_of_each_kind_is_kept(drawn: list[tuple]):
    drawn = drawn * 8
    keys, one, other, times = (list(column) for column in zip(*drawn, strict=True))
    found = latest_alike(
        [from_dictionary(one), from_dictionary(other)], np.array(keys, np.uint64), np.array(times, np.int64)
    )
    newest: dict[tuple, int] = {}
    for *kind, time in drawn:
        newest[tuple(kind)] = max(time, newest.get(tuple(kind), time))
    if found is not None:
        kept = [drawn[row] for row in found]
        assert sorted(kept, key=repr) == sorted(((*kind, time) for kind, time in newest.items()), key=repr)
    assert (found is None) == (len(newest) * 4 > len(drawn))


def test_equal_texts_in_many_places_only_make_for_more_rows():
    texts = pl.Series([f"{'a' * 20}{number % 3}" for number in range(300)])
    found = latest_alike([texts], np.zeros(300, np.uint64), np.arange(300))
    assert found is None or {texts[int(row)] for row in found} == set(texts)


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["x", "y"])])
def test_categorical_texts_are_told_apart(dtype: pl.DataType):
    texts = pl.Series(["x", "y"] * 50, dtype=dtype)
    assert latest_alike([texts], np.zeros(100, np.uint64), np.arange(100)).tolist() == [98, 99]


def test_columns_of_nulls_tell_nothing():
    texts = pl.Series([None] * 10, dtype=pl.String)
    assert latest_alike([texts], np.zeros(10, np.uint64), np.arange(10)).tolist() == [9]
