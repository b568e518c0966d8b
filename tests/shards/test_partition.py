"""The owner of each key is asked about it, and nobody else is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from guardray.shards.partition import asked_of_owners, shard_of


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 9))
def test_each_owner_answers_for_its_own_keys_in_their_places(keys, shards):
    subjects = np.array(keys, dtype=np.uint64)
    owners = shard_of(subjects, shards)

    def ask(parts):
        assert all(len(rows) and (owners[rows] == owner).all() for owner, rows in parts)
        return [subjects[rows] % 2 == owner % 2 for owner, rows in parts]

    expected = [int(key) % 2 == owner % 2 for key, owner in zip(subjects, owners, strict=True)]
    assert asked_of_owners(subjects, shards, ask).tolist() == expected
