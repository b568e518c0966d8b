"""Objects that were read before: files that come twice, whatever they are called."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from guardray.shards.keyed_table import KeyedTable
from guardray.stats.rows import Rows

_SCHEMA = pa.schema([("digest", pa.uint64()), ("read_at", pa.int64())])


class ObjectRegister:
    """Content digests of objects, with when each was read first."""

    def __init__(self) -> None:
        self._table = KeyedTable()
        self._read_at = Rows(np.zeros(1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, spare room included."""
        return self._table.nbytes + self._read_at.nbytes

    def first_seen(self, digest: int, at: int) -> bool:
        """True where the digest is new.

        Args:
            digest: unsigned, of 64 bits.
            at: when the object is read, in microseconds since 1970.
        """
        known = len(self._table)
        (row,) = self._table.upsert(np.array([digest], dtype=np.uint64))
        if row < known:
            return False
        self._read_at.resize(len(self._table))
        self._read_at.column[row] = at
        return True

    def forget(self, before: int) -> None:
        """Drop the objects that were read before this time, in microseconds since 1970."""
        stays = self._read_at.column >= before
        if not stays.all():
            self._read_at.take(self._table.keep(stays))

    def forget_oldest(self) -> int:
        """Drop the half that was read first, at least one. Returns how many."""
        known = len(self)
        if known:
            self.forget(int(np.median(self._read_at.column)) + 1)
        return known - len(self)

    def digests(self) -> frozenset[int]:
        """All that are known."""
        return frozenset(self._table.keys.tolist())

    def export(self) -> pa.Table:
        """All digests and times, to keep, in the order of the digests."""
        order = np.argsort(self._table.keys)
        columns = [pa.array(self._table.keys[order]), pa.array(self._read_at.column[order])]
        return pa.table(columns, schema=_SCHEMA)

    def restore(self, table: pa.Table) -> None:
        """Replace what is known by what `export` gave.

        Raises:
            ValueError: the table is of another kind.
        """
        if table.schema != _SCHEMA:
            raise ValueError(f"expected {_SCHEMA.to_string()}, not {table.schema.to_string()}")
        self._table, self._read_at = KeyedTable(), Rows(np.zeros(1, dtype=np.int64))
        self._table.upsert(table.column("digest").to_numpy())
        self._read_at.resize(len(self._table))
        self._read_at.column[:] = table.column("read_at").to_numpy()
