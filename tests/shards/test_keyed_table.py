"""The keyed table against a dict, which is what it promises to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from guardray.shards.keyed_table import KeyedTable

few_keys = hnp.arrays(np.uint64, st.integers(0, 200), elements=st.integers(0, 300))
any_keys = hnp.arrays(np.uint64, st.integers(0, 200), elements=st.integers(0, 2**64 - 1))
batches = st.lists(st.one_of(few_keys, any_keys), max_size=5)


def rows_by_dict(known: dict[int, int], keys: np.ndarray) -> list[int]:
    return [known.setdefault(key, len(known)) for key in keys.tolist()]


@given(batches)
def test_rows_are_those_of_a_dict_when_keys_repeat_within_and_across_batches(batches: list[np.ndarray]):
    table, known = KeyedTable(), {}
    for keys in batches:
        assert table.upsert(keys).tolist() == rows_by_dict(known, keys)
        assert len(table) == len(known)
    assert table.keys.tolist() == list(known)


@given(few_keys, st.one_of(few_keys, any_keys))
def test_lookup_gives_minus_one_when_a_key_is_not_known(known_keys: np.ndarray, asked: np.ndarray):
    table, known = KeyedTable(), {}
    table.upsert(known_keys)
    rows_by_dict(known, known_keys)
    assert table.lookup(asked).tolist() == [known.get(key, -1) for key in asked.tolist()]


@given(any_keys, st.randoms(use_true_random=False))
def test_kept_keys_move_up_in_their_order_when_others_are_forgotten(keys: np.ndarray, random):
    table = KeyedTable()
    table.upsert(keys)
    before = table.keys.copy()
    mask = np.array([random.random() < 0.5 for _ in before], dtype=bool)
    kept = table.keep(mask)
    assert kept.tolist() == np.flatnonzero(mask).tolist()
    assert table.keys.tolist() == before[mask].tolist()
    assert table.lookup(before[mask]).tolist() == list(range(len(kept)))
    assert (table.lookup(before[~mask]) == -1).all()


def test_rows_are_right_when_the_table_grows_many_times_in_one_batch():
    keys = np.random.default_rng(7).integers(0, 2**64, 100_000, dtype=np.uint64)
    table = KeyedTable()
    assert table.upsert(np.concatenate([keys, keys])).tolist() == [*range(100_000), *range(100_000)]


@pytest.mark.parametrize("stride_bits", [0, 32, 40, 48])
def test_rows_are_right_when_keys_differ_only_in_a_few_bits(stride_bits: int):
    keys = np.arange(1 << 14, dtype=np.uint64) << np.uint64(stride_bits)
    table = KeyedTable()
    assert table.upsert(keys).tolist() == list(range(1 << 14))
    assert table.lookup(keys).tolist() == list(range(1 << 14))


def test_a_key_costs_at_most_seventy_bytes_when_the_table_has_just_grown():
    table = KeyedTable()
    table.upsert(np.arange(int(0.6 * (1 << 16)) + 1, dtype=np.uint64))
    # Slots of 16 bytes, between 30 % and 60 % used, and 0.6 dense keys of 8 bytes a slot: (16 + 4.8) / 0.3 at most.
    assert table.nbytes / len(table) < 70


def test_keys_cannot_be_changed_from_outside():
    table = KeyedTable()
    table.upsert(np.array([5], dtype=np.uint64))
    with pytest.raises(ValueError, match="read-only"):
        table.keys[0] = 6
