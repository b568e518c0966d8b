"""Which objects were read before."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.shards.objects import ObjectRegister

digests = st.integers(0, 2**64 - 1)


def test_an_object_is_new_once():
    register = ObjectRegister()
    assert register.first_seen(2**64 - 1, at=5)
    assert not register.first_seen(2**64 - 1, at=9)
    assert len(register) == 1


@given(st.dictionaries(digests, st.integers(0, 10)), st.integers(0, 11))
def test_objects_read_before_a_time_are_forgotten_and_the_others_stay(read: dict[int, int], before: int):
    register = ObjectRegister()
    for digest, at in read.items():
        register.first_seen(digest, at)
    register.forget(before)
    assert register.digests() == {digest for digest, at in read.items() if at >= before}
    assert all(register.first_seen(digest, 20) == (at < before) for digest, at in read.items())


@given(st.dictionaries(digests, st.integers(0, 10)))
def test_a_restored_register_is_the_same_in_whatever_order_it_was_filled(read: dict[int, int]):
    register, backwards = ObjectRegister(), ObjectRegister()
    for digest, at in read.items():
        register.first_seen(digest, at)
    for digest, at in reversed(read.items()):
        backwards.first_seen(digest, at)
    restored = ObjectRegister()
    restored.restore(register.export())
    assert restored.export().equals(register.export())
    assert backwards.export().equals(register.export())


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="expected digest"):
        ObjectRegister().restore(pa.table({"digest": [1]}))
