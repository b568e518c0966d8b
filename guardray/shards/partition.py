"""Which shard keeps which entity. Entities hash to 256 key groups, and a shard owns a range of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guardray.stats.hashing import KEY_GROUPS, key_group

SUBJECT = "subject"


def shard_of(subjects: NDArray[np.uint64], shards: int) -> NDArray[np.int64]:
    """The shard, of `shards`, that owns each subject's key group: int64 [n]."""
    return key_group(subjects).astype(np.int64) * shards // KEY_GROUPS


def split(table: pa.Table, shards: int) -> list[pa.Table]:
    """The rows of exported state that each shard owns, by its `subject` column; rows keep their order."""
    if shards == 1:
        return [table]
    owners: NDArray[Any] = shard_of(table.column(SUBJECT).to_numpy(), shards)
    return [table.take(np.flatnonzero(owners == shard)) for shard in range(shards)]
