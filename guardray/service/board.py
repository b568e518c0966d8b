"""What was seen and is not final: the sightings whose time the watermark has not passed, and windows still open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pyarrow as pa

from guardray.dataflow.event_time import END_OF_TIME, microseconds
from guardray.dataflow.ownership import Ownership
from guardray.dataflow.sighting_codec import sightings_of_table, sightings_table
from guardray.findings.sighting import SETTLED, Sighting, SightingFold, SightingKey
from guardray.inventory import FACTS, Inventory

_SIGHTINGS, _ASSETS = "sightings", "assets"

ASKED_BACK = timedelta(days=3)
"""How long before the watermark, and before all that waits, something may still be asked of the inventory: a window,
of a day at most, waits for another day until it is known which end of its connection is ours."""

GROWTH = 1.25
"""Facts are compacted when there are so many times those that were left the last time: that costs as much as reading
them all, and most of them stay."""

_LEAST_FACTS = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Mark = tuple[int, datetime, datetime, int]
"""Of a sighting: count, first and last time, and the digest of its latest row: as long as it is the same, so is what
is told of it."""


@dataclass(frozen=True)
class Shown:
    """What is to be told since the last time.

    Attributes:
        final: sightings that are complete; each is given once.
        open: of entities whose open part has changed, all of that part.
        open_keys: of all entities that have an open part.
    """

    final: list[Sighting]
    open: list[Sighting]
    open_keys: frozenset[SightingKey]


class Board:
    """Keeps sightings until they are final, so that a finding is told of at once and yet ends as a scan would end it.

    A sighting is final when the watermark has passed its latest row: only then is all known of whose address it was,
    and of the resource at that time.

    Args:
        assets: facts of the inventory that are known beforehand.
    """

    def __init__(self, assets: pl.DataFrame) -> None:
        self._ownership = Ownership(assets)
        self._pending: dict[SightingKey, Sighting] = {}
        self._told: dict[SightingKey, _Mark] = {}
        self._compact_at = _LEAST_FACTS

    @property
    def inventory(self) -> Inventory:
        """All that is known so far of what is whose."""
        return self._ownership.inventory

    def __len__(self) -> int:
        """Sightings that wait."""
        return len(self._pending) + len(self._ownership.waiting())

    def learn(self, assets: pl.DataFrame) -> None:
        """Take in facts of the inventory that the trail told."""
        self._ownership.learn(assets)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take in sightings that count."""
        for sighting in sightings:
            if sighting.key.unsettled == SETTLED:
                known = self._pending.get(sighting.key)
                self._pending[sighting.key] = sighting if known is None else known.merge(sighting)
            else:
                self._ownership.wait(sighting)

    def show(self, watermark: int, crossing: Sequence[Sighting]) -> Shown:
        """What is final at the watermark (microseconds), and what has changed in what is not.

        Args:
            crossing: of windows and periods that are not decided yet, all.
        """
        self.add(self._ownership.settle(watermark))
        final = [one for one in self._pending.values() if microseconds(one.latest.time) < watermark]
        for one in final:
            del self._pending[one.key]
        parts = self._open(crossing)
        due = {one.key for one in final}
        changed = [one for one in parts if self._told.get(one.key) != _mark(one) or one.key in due]
        self._told = {one.key: _mark(one) for one in parts}
        return Shown(final, changed, frozenset(self._told))

    def _open(self, crossing: Sequence[Sighting]) -> list[Sighting]:
        fold = SightingFold()
        settled = [one for one in crossing if one.key.unsettled == SETTLED]
        unsettled = [one for one in crossing if one.key.unsettled != SETTLED]
        for sighting in (*self._pending.values(), *settled, *self._ownership.preview(unsettled)):
            fold.add(sighting)
        return fold.sightings()

    def compact(self, watermark: int) -> None:
        """Forget facts of the inventory that nothing from the watermark (microseconds) on needs.

        What is late by more than `ASKED_BACK` may then be told without what is gone since.
        """
        if len(self.inventory) < self._compact_at or watermark == END_OF_TIME:
            return
        waiting = (*self._pending.values(), *self._ownership.waiting())
        reached = _EPOCH + timedelta(microseconds=max(watermark, 0))
        earliest = min((one.first_seen for one in waiting), default=reached)
        self._ownership.compact(min(earliest, reached) - ASKED_BACK)
        self._compact_at = max(_LEAST_FACTS, round(GROWTH * len(self.inventory)))

    def forget_told(self) -> None:
        """Tell of all that is open once more, since it is not known what was told."""
        self._told = {}

    def export(self) -> dict[str, pa.Table]:
        """All that is kept, as tables."""
        sightings = [*self._pending.values(), *self._ownership.waiting()]
        return {_SIGHTINGS: sightings_table(sightings), _ASSETS: self.inventory.facts.to_arrow()}

    @classmethod
    def restore(cls, tables: Mapping[str, pa.Table], finding_types: Collection[str]) -> Board:
        """A board that goes on where the one that gave these tables was.

        Args:
            finding_types: of all detectors that there are now. Sightings of others are dropped, as shards drop state.

        Raises:
            ValueError: they are of another kind.
        """
        assets = pl.DataFrame(tables[_ASSETS])
        if assets.schema != FACTS:
            raise ValueError(f"expected {FACTS}, not {assets.schema}")
        board = cls(assets)
        kept = sightings_of_table(tables[_SIGHTINGS])
        board.add(one for one in kept if one.key.finding_type in finding_types)
        return board


def cut(name: str, table: pa.Table) -> Sequence[pa.Table]:
    """A table of a board in pieces for a checkpoint: facts by the month of their time, since old ones stay the same."""
    if name != _ASSETS or not table.num_rows:
        return (table,)
    months = pl.DataFrame(table)["time"].dt.truncate("1mo")
    starts = [0, *(months != months.shift()).fill_null(False).arg_true().to_list(), table.num_rows]
    return [table.slice(start, end - start) for start, end in pairwise(starts)]


def _mark(sighting: Sighting) -> _Mark:
    return sighting.count, sighting.first_seen, sighting.last_seen, sighting.latest.digest
