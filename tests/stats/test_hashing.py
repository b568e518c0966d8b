"""Hashes must be the same for ever: they are in snapshots and finding ids."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.stats.hashing import KEY_GROUPS, NULL_HASH, hash_combine, hash_strings, hash_text, key_group

WORD = 2**64 - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def rotate(word: int, count: int) -> int:
    return ((word << count) | (word >> (64 - count))) & WORD


def lane_round(lane: int, word: int) -> int:
    return rotate((lane + word * P2) & WORD, 31) * P1 & WORD


def stripes(data: bytes) -> int:
    lanes = [(P1 + P2) & WORD, P2, 0, -P1 & WORD]
    for start in range(0, len(data) - 31, 32):
        words = [int.from_bytes(data[start + 8 * i : start + 8 * i + 8], "little") for i in range(4)]
        lanes = [lane_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
    digest = sum(rotate(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18), strict=True)) & WORD
    for lane in lanes:
        digest = ((digest ^ lane_round(0, lane)) * P1 + P4) & WORD
    return digest


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0, written down from its specification with Python's own numbers."""
    digest = (stripes(data) if len(data) >= 32 else P5) + len(data) & WORD
    rest = data[len(data) // 32 * 32 :]
    while len(rest) >= 8:
        digest = (rotate(digest ^ lane_round(0, int.from_bytes(rest[:8], "little")), 27) * P1 + P4) & WORD
        rest = rest[8:]
    if len(rest) >= 4:
        digest = (rotate(digest ^ (int.from_bytes(rest[:4], "little") * P1 & WORD), 23) * P2 + P3) & WORD
        rest = rest[4:]
    for byte in rest:
        digest = rotate(digest ^ (byte * P5 & WORD), 11) * P1 & WORD
    digest = (digest ^ digest >> 33) * P2 & WORD
    digest = (digest ^ digest >> 29) * P3 & WORD
    return digest ^ digest >> 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0xEF46DB3751D8E999),
        ("a", 0xD24EC4F1A98C6E5B),
        ("abc", 0x44BC2CF5AD770999),
    ],
)
def test_hash_is_the_published_xxh64_for_known_vectors(text: str, expected: int):
    assert hash_text(text) == expected
    assert xxh64(text.encode()) == expected


@given(st.lists(st.one_of(st.none(), st.text(max_size=80), st.text("abcdef-", min_size=10, max_size=14))))
def test_hash_is_xxh64_of_the_bytes_when_strings_are_of_any_length(strings: list[str | None]):
    expected = [NULL_HASH if text is None else xxh64(text.encode()) for text in strings]
    assert hash_strings(pl.Series(strings, dtype=pl.String)).tolist() == expected


@pytest.mark.parametrize("length", range(70))
def test_hash_is_xxh64_at_every_length_up_to_two_stripes(length: int):
    text = "".join(chr(33 + i % 90) for i in range(length))
    assert hash_text(text) == xxh64(text.encode())


@pytest.mark.parametrize(
    "layout", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_hash_is_the_same_when_arrow_stores_the_strings_differently(layout: pa.DataType):
    strings = ["eni-0123456789abcdef0", None, "short", ""]
    plain = hash_strings(pl.Series(strings))
    array = pa.array(strings).cast(layout)
    assert hash_strings(array).tolist() == plain.tolist()
    assert hash_strings(pa.chunked_array([array[:1], array[1:]])).tolist() == plain.tolist()


def test_hash_is_the_same_when_a_series_is_sliced_chunked_or_categorical():
    strings = [f"arn:aws:iam::123456789012:role/application-{i % 7}" for i in range(100)]
    whole = pl.Series(strings)
    expected = hash_strings(whole).tolist()
    assert hash_strings(whole[40:60]).tolist() == expected[40:60]
    parts = [pl.Series([text]) for text in strings]
    assert hash_strings(pl.concat(parts, rechunk=False)).tolist() == expected
    assert hash_strings(whole.cast(pl.Categorical)).tolist() == expected


def test_hash_refuses_columns_that_are_not_strings():
    with pytest.raises(TypeError, match="Int64"):
        hash_strings(pl.Series([1]))


def test_nulls_hash_to_the_constant_when_a_whole_column_is_null():
    assert hash_strings(pl.Series([None, None], dtype=pl.String)).tolist() == [NULL_HASH] * 2


def test_combined_hashes_never_change():
    """Values worked out once with Python's own numbers; see `combine` below."""
    columns = np.array([1, 2], dtype=np.int64), np.array([-1, 7], dtype=np.int32)
    assert hash_combine(*columns).tolist() == [combine(1, -1), combine(2, 7)]


def mix(word: int) -> int:
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31


def combine(*words: int) -> int:
    state = 0x9E3779B97F4A7C15
    for word in words:
        state = mix((state * 0x9E3779B97F4A7C15 + word) & WORD)
    return state


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1))
def test_combined_hash_is_the_same_when_equal_numbers_are_of_another_width(rows: list[tuple[int, int]]):
    wide = hash_combine(*np.array(rows, dtype=np.int64).T)
    narrow = hash_combine(*np.array(rows, dtype=np.uint8).T)
    assert wide.tolist() == narrow.tolist() == [combine(*row) for row in rows]


def test_combined_hash_depends_on_the_order_of_columns():
    a, b = np.array([1, 2]), np.array([2, 1])
    assert not np.any(hash_combine(a, b) == hash_combine(b, a))


def test_combining_refuses_fractions_and_uneven_columns():
    with pytest.raises(TypeError, match="float64"):
        hash_combine(np.array([0.5]))
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        hash_combine(np.array([1]), np.array([1, 2]))
    with pytest.raises(ValueError):
        hash_combine()


def test_key_groups_are_evenly_used_when_keys_are_sequential():
    groups = np.bincount(key_group(hash_combine(np.arange(256_000))), minlength=KEY_GROUPS)
    # 1000 a group expected, standard deviation sqrt(1000) = 32: six of them are 190.
    assert abs(groups - 1000).max() < 190
