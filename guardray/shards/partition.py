"""Which shard keeps which entity. Entities hash to 256 key groups, and a shard owns a range of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guardray.stats.hashing import KEY_GROUPS, key_group

SUBJECT = "subject"

Ask = Callable[[Sequence[tuple[int, NDArray[np.int64]]]], Sequence[NDArray[np.bool_]]]


def shard_of(subjects: NDArray[np.uint64], shards: int) -> NDArray[np.int64]:
    """The shard, of `shards`, that owns each subject's key group: int64 [n]."""
    return key_group(subjects).astype(np.int64) * shards // KEY_GROUPS


def asked_of_owners(subjects: NDArray[np.uint64], shards: int, ask: Ask) -> NDArray[np.bool_]:
    """What the owner of each subject answers: bool [n].

    Args:
        ask: is given all owners that own any, and the rows of each, and gives what each of them answers, bool [m].
    """
    owners = shard_of(subjects, shards)
    parts = [(shard, rows) for shard in range(shards) if len(rows := np.flatnonzero(owners == shard))]
    answers = np.empty(len(subjects), dtype=np.bool_)
    for (_, rows), answer in zip(parts, ask(parts), strict=True):
        answers[rows] = answer
    return answers


def split(table: pa.Table, shards: int) -> list[pa.Table]:
    """The rows of exported state that each shard owns, by its `subject` column; rows keep their order."""
    if shards == 1:
        return [table]
    owners: NDArray[Any] = shard_of(table.column(SUBJECT).to_numpy(), shards)
    return [table.take(np.flatnonzero(owners == shard)) for shard in range(shards)]
