"""What entries say besides their value, each distinct combination once: list, category, threat, confidence, expiry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.errors import UsageError
from guardray.intel.categories import CATEGORIES, Category, bit
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.texts import Texts

COLUMNS = ("list", "code", "threat_name", "confidence", "expires")

_NO_CONFIDENCE = 255
_NEVER = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = pl.Series([bit(category) for category in CATEGORIES], dtype=pl.UInt64)


@dataclass(frozen=True)
class Fact:
    """What an entry says: `list` is the number of its list."""

    list: int
    category: Category
    threat_name: str | None
    confidence: int | None
    expires: datetime | None


@dataclass(frozen=True, eq=False)
class Facts:
    """Distinct facts as columns.

    Attributes:
        lists: uint32 [n].
        codes: uint8 [n]: places of the categories in `CATEGORIES`.
        threats: uint32 [n]: places in `names`, from 1; 0 for none.
        confidences: uint8 [n]: 0 to 100, or 255 for none.
        expiries: int64 [n]: microseconds since 1970 in UTC; the greatest number for never.
        names: distinct names of threats.
    """

    lists: npt.NDArray[np.uint32]
    codes: npt.NDArray[np.uint8]
    threats: npt.NDArray[np.uint32]
    confidences: npt.NDArray[np.uint8]
    expiries: npt.NDArray[np.int64]
    names: Texts

    @classmethod
    def of(cls, facts: pl.DataFrame) -> Facts:
        """From a frame of `COLUMNS`."""
        names = facts["threat_name"].drop_nulls().unique().sort()
        place = pl.col("threat_name").replace_strict(names, range(1, len(names) + 1), default=0, return_dtype=pl.UInt32)
        expires = pl.col("expires").dt.epoch("us").fill_null(_NEVER)
        columns = facts.select("list", "code", place, pl.col("confidence").fill_null(_NO_CONFIDENCE), expires)
        lists, codes, threats, confidences, expiries = (column.to_numpy() for column in columns)
        return cls(lists, codes, threats, confidences, expiries, Texts.of(names))

    def __getitem__(self, number: int) -> Fact:
        """Fact number `number`, from 0."""
        threat, confidence, expiry = int(self.threats[number]), self.confidences[number], int(self.expiries[number])
        return Fact(
            int(self.lists[number]),
            CATEGORIES[self.codes[number]],
            self.names[threat - 1].decode() if threat else None,
            None if confidence == _NO_CONFIDENCE else int(confidence),
            None if expiry == _NEVER else _EPOCH + timedelta(microseconds=expiry),
        )


def stacked(kind: str, lists: Sequence[tuple[ThreatList, Entries]]) -> pl.DataFrame:
    """One frame of all lists' `v4`, `v6` or `domains`, in the order of the lists, with `COLUMNS` and `mask`.

    What entries do not say is taken from their list. Trust does not expire: an entry that stops to protect what it
    names would do so unseen.

    Raises:
        UsageError: an entry has a category that there is none of.
    """
    empty = getattr(Entries(), kind)
    parts = [
        _completed(getattr(entries, kind), number, threat_list) for number, (threat_list, entries) in enumerate(lists)
    ]
    frame = pl.concat([_completed(empty, 0, None), *parts]).rechunk()
    return frame.with_columns(
        expires=pl.when(pl.col("code") != CATEGORIES.index("trusted")).then("expires"),
        mask=pl.col("code").replace_strict(range(len(CATEGORIES)), _BITS, return_dtype=pl.UInt64),
    )


def _completed(frame: pl.DataFrame, number: int, threat_list: ThreatList | None) -> pl.DataFrame:
    own = threat_list or ThreatList("", "custom", None, 0, 0)
    unknown = frame["category"].drop_nulls().unique().filter(~frame["category"].drop_nulls().unique().is_in(CATEGORIES))
    if len(unknown):
        raise UsageError(f"list {own.name!r}: there is no category {unknown[0]!r}")
    codes = pl.col("category").fill_null(own.category).cast(pl.Enum(CATEGORIES)).to_physical().cast(pl.UInt8)
    return frame.with_columns(
        pl.lit(number, pl.UInt32).alias("list"),
        codes.alias("code"),
        pl.col("threat_name").fill_null(pl.lit(own.threat_name, pl.String)),
        pl.col("confidence").fill_null(pl.lit(own.confidence, pl.UInt8)),
    ).drop("category")


def interned(frames: Sequence[pl.DataFrame]) -> tuple[Facts, list[npt.NDArray[np.uint32]]]:
    """The distinct facts of all frames, and for each frame the number of each row's fact: uint32 [n]."""
    facts = pl.concat([frame.select(COLUMNS) for frame in frames]).unique(maintain_order=True)
    numbered = facts.with_row_index("fact")
    numbers = [
        frame.select(COLUMNS).join(numbered, on=COLUMNS, how="left", nulls_equal=True, maintain_order="left")["fact"]
        for frame in frames
    ]
    return Facts.of(facts), [one.to_numpy() for one in numbers]
