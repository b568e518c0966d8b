"""What is known of each network interface: where it belongs, and which end of a connection it is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from guardray.shards.alike import latest_alike
from guardray.shards.keyed_table import KeyedTable
from guardray.shards.nulls import to_series
from guardray.shards.own_address import NONE, OwnAddress
from guardray.shards.partition import SUBJECT
from guardray.stats.hashing import hash_strings
from guardray.stats.scalars import Latest
from guardray.stats.summary import Summary

ATTRIBUTES = ("interface_uid", "cloud_account_uid", "cloud_region", "instance_uid", "vpc_uid", "subnet_uid")
SRC, DST = "src_endpoint_ip_v4", "dst_endpoint_ip_v4"
_OWN = "own_address"


class EntityDirectory:
    """Interfaces by subject, the hash of `interface_uid`.

    Each attribute is the one of the latest record that has it; of those with one time, that with the greatest hash.
    The own address is that of `OwnAddress`. All of it merges exactly, in any order.
    """

    def __init__(self) -> None:
        self._table = KeyedTable()
        self._latest = {name: Latest() for name in ATTRIBUTES}
        self._own = OwnAddress()
        self._known = KeyedTable()
        """Hashes of `_texts`."""
        self._texts = pl.DataFrame(schema={"hash": pl.UInt64, "text": pl.String})

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """About how many bytes all of it takes, spare room included."""
        tables = self._table.nbytes + self._known.nbytes + int(self._texts.estimated_size())
        return tables + sum(summary.nbytes for summary in self._summaries())

    def _summaries(self) -> tuple[Summary, ...]:
        """Everything that has one row for each interface."""
        return (*self._latest.values(), self._own)

    def forget_oldest(self) -> int:
        """Drop the half that nothing was heard of for the longest, at least one. Returns how many."""
        known = len(self)
        if known == 0:
            return 0
        heard = np.maximum.reduce([latest.state[:, 0] for latest in self._latest.values()])
        kept = self._table.keep(heard > np.median(heard))
        for summary in self._summaries():
            summary.take(kept)
        self._forget_texts()
        return known - len(self)

    def _forget_texts(self) -> None:
        """Drop the texts that are the latest of no interface any more."""
        latest = [one.state[:, 1].view(np.uint64) for one in self._latest.values()]
        used = pl.DataFrame({"hash": np.unique(np.concatenate(latest))})
        self._texts = self._texts.join(used, on="hash", how="semi")
        self._known = KeyedTable()
        self._known.upsert(self._texts["hash"].to_numpy())

    def update(self, frame: pl.DataFrame, subjects: NDArray[np.uint64]) -> None:
        """Learn from a `network_activity` batch.

        Args:
            subjects: uint64 [n], `hash_strings` of `interface_uid` wherever that is known.
        """
        rows = self._rows_of(subjects)
        self._learn_attributes(frame, rows, subjects)
        egress = frame["is_egress"].cast(pl.Int64).fill_null(NONE).to_numpy()
        self._own.update(rows, _addresses(frame, SRC), _addresses(frame, DST), egress)

    def _learn_attributes(self, frame: pl.DataFrame, rows: NDArray[np.int64], subjects: NDArray[np.uint64]) -> None:
        """Look at the latest only of the rows that are alike in all attributes, which are few in most batches."""
        times = frame["time"].to_physical().to_numpy()
        texts = frame.select(ATTRIBUTES)
        if (latest := latest_alike(texts.get_columns()[1:], subjects, times)) is not None:
            texts, rows, times, subjects = texts[latest], rows[latest], times[latest], subjects[latest]
        for name in ATTRIBUTES:
            self._learn(name, rows, times, texts[name], subjects if name == "interface_uid" else None)

    def learn_own(self, addresses: pl.DataFrame) -> None:
        """Learn which addresses interfaces have from another source than flow records.

        Args:
            addresses: `interface_uid` and `private_ip_v4`, UInt32, without nulls.
        """
        if addresses.is_empty():
            return
        own = addresses["private_ip_v4"].cast(pl.Int64).to_numpy()
        rows = self._rows_of(hash_strings(addresses["interface_uid"]))
        self._own.update(rows, own, own, np.ones(len(own), np.int64))

    def _rows_of(self, subjects: NDArray[np.uint64]) -> NDArray[np.int64]:
        rows = self._table.upsert(subjects)
        for summary in self._summaries():
            summary.resize(len(self._table))
        return rows

    def _learn(
        self,
        name: str,
        rows: NDArray[np.int64],
        times: NDArray[np.int64],
        texts: pl.Series,
        hashes: NDArray[np.uint64] | None = None,
    ) -> None:
        """Keep the latest text of each row for an attribute; nulls say nothing."""
        if texts.null_count() == len(texts):
            return
        hashes = hash_strings(texts) if hashes is None else hashes
        if texts.null_count():
            known = texts.is_not_null().to_numpy()
            rows, times, texts, hashes = rows[known], times[known], texts.filter(known), hashes[known]
        self._latest[name].update(rows, times, hashes.view(np.int64))
        self._remember(name, rows, texts, hashes)

    def _remember(self, name: str, rows: NDArray[np.int64], texts: pl.Series, hashes: NDArray[np.uint64]) -> None:
        """Keep the texts of those hashes that are now the latest of some row. Mostly all are known already."""
        seen = np.zeros(len(self), dtype=np.bool_)
        seen[rows] = True
        latest = self._latest[name].state[seen, 1].view(np.uint64)
        new = pl.DataFrame({"hash": latest[self._known.lookup(latest) < 0]})
        if len(new):
            self._known.upsert(new["hash"].to_numpy())
            pairs = pl.DataFrame({"hash": hashes, "text": texts.cast(pl.String)})
            self._texts = pl.concat([self._texts, pairs.join(new, on="hash", how="semi").unique("hash")])

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the attributes of each row's `subject`, and `is_actor`; null where they are not known.

        `is_actor` is judged by whichever of `src_endpoint_ip_v4` and `dst_endpoint_ip_v4` the frame has.
        """
        rows = self._table.lookup(frame[SUBJECT].to_numpy())
        actor = self._own.is_actor(rows, _addresses(frame, SRC), _addresses(frame, DST))
        return frame.with_columns(*(self._texts_of(name, rows) for name in ATTRIBUTES), to_series("is_actor", actor))

    def _texts_of(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """The latest text of an attribute, null where the row is -1 or has none."""
        hashes = np.ma.MaskedArray(np.zeros(len(rows), dtype=np.int64), mask=True)
        known = rows >= 0
        hashes[known] = self._latest[name].read(rows[known])
        wanted = to_series("hash", hashes).reinterpret(signed=False).to_frame()
        return wanted.join(self._texts, on="hash", how="left", maintain_order="left")["text"].alias(name)

    def export(self) -> pa.Table:
        """A copy of all that is known, to merge into another directory or to keep."""
        rows = np.arange(len(self))
        columns = {SUBJECT: pa.array(self._table.keys.copy())}
        for name, latest in self._latest.items():
            columns[name] = self._texts_of(name, rows).to_arrow()
            columns[_time_of(name)] = pa.array(latest.state[:, 0].copy())
        return pa.table(columns | {_OWN: self._own.to_arrow()})

    def merge(self, table: pa.Table) -> None:
        """Add what another directory exported.

        Raises:
            ValueError: the table is of another kind.
        """
        expected = EntityDirectory().export().schema
        if table.schema != expected:
            raise ValueError(f"expected {expected.to_string()}, not {table.schema.to_string()}")
        rows = self._rows_of(table.column(SUBJECT).to_numpy())
        for name in ATTRIBUTES:
            self._learn(name, rows, table.column(_time_of(name)).to_numpy(), pl.Series(table.column(name)))
        self._own.merge(rows, self._own.from_arrow(table.column(_OWN)), np.arange(len(rows)))


def _time_of(attribute: str) -> str:
    return f"{attribute}_time"


def _addresses(frame: pl.DataFrame, name: str) -> NDArray[np.int64]:
    """An address column as numbers, `NONE` where an address is unknown or the column is not there: int64 [n]."""
    if name not in frame.columns:
        return np.full(len(frame), NONE)
    return frame[name].cast(pl.Int64).fill_null(NONE).to_numpy()
