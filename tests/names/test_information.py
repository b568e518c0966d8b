"""How much the labels of a name carry."""

from __future__ import annotations

from collections import Counter
from math import log2

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.names.information import carried_bits


def bits(*parts: str) -> list[int]:
    return carried_bits(pl.Series(parts, dtype=pl.String)).to_list()


def test_sixteen_letters_each_twice_carry_four_bits_a_letter():
    assert bits("0123456789abcdef0123456789abcdef") == [32 * 4]


def test_a_letter_that_repeats_carries_nothing():
    assert bits("aaaaaaaaaaaaaaaaaaaa", "") == [0, 0]


def test_dots_carry_nothing():
    assert bits("0123456789abcdef.0123456789abcdef") == bits("0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize("part", ["4.3.2.1", "b.a.9.8.7.6.5.4", "192.0.2.1"])
def test_addresses_in_reverse_carry_nothing(part):
    assert bits(part) == [0]


@given(st.lists(st.text("abcdef0123456789-.ä", max_size=120), max_size=4))
def test_bits_are_the_entropy_of_the_bytes_times_their_number(parts):
    assert bits(*parts) == [expected(part) for part in parts]


def expected(part: str) -> int:
    if max(len(label.encode()) for label in part.split(".")) <= 3:
        return 0
    counts = Counter(part.replace(".", "").encode())
    total = sum(counts.values())
    return int(sum(n * log2(total / n) for n in counts.values()) + 0.5)
