"""Mergeable partial findings: what one detector saw of one entity in some part of the input.

Sightings of one finding merge in any order and from any split of the input to the same whole, so that local and
distributed runs agree. Counting an event once is the caller's duty.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime

from guardray.types import AccountId, Region, Row

SAMPLES_KEPT = 5
"""Rows kept as evidence beside the latest one: the earliest, so that a finding shows how it began."""


SETTLED = -1
"""In place of a time: it is known whose the address was, or the finding is not about one."""


@dataclass(frozen=True, order=True)
class Occurrence:
    """One row that a detector hit, ordered by time and then by a stable digest of the row."""

    time: datetime
    digest: int
    row: Row = field(compare=False)

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError("an occurrence needs an aware time")


@dataclass(frozen=True, order=True)
class SightingKey:
    """What makes two sightings one finding. `entity` is the text of the entity's key columns.

    While it is open which instance had an address, sightings of it are kept apart by time: `unsettled` is then the
    start of their interval in microseconds since 1970, else `SETTLED`.
    """

    finding_type: str
    account_id: AccountId
    region: Region
    entity: str
    unsettled: int = SETTLED


@dataclass(frozen=True)
class Sighting:
    """How often, when, and how last an entity tripped a detector, with the earliest rows as evidence."""

    key: SightingKey
    count: int
    first_seen: datetime
    last_seen: datetime
    latest: Occurrence
    samples: tuple[Occurrence, ...]  # ascending, at most SAMPLES_KEPT

    def merge(self, other: Sighting) -> Sighting:
        """Both parts as one. Commutative and associative."""
        if self.key != other.key:
            raise ValueError(f"cannot merge sightings of {self.key} and {other.key}")
        return Sighting(
            key=self.key,
            count=self.count + other.count,
            first_seen=min(self.first_seen, other.first_seen),
            last_seen=max(self.last_seen, other.last_seen),
            latest=max(self.latest, other.latest),
            samples=tuple(heapq.nsmallest(SAMPLES_KEPT, {*self.samples, *other.samples})),
        )


class SightingFold:
    """All sightings so far, one a finding."""

    def __init__(self) -> None:
        self._sightings: dict[SightingKey, Sighting] = {}

    def add(self, sighting: Sighting) -> None:
        known = self._sightings.get(sighting.key)
        self._sightings[sighting.key] = sighting if known is None else known.merge(sighting)

    def __len__(self) -> int:
        return len(self._sightings)

    def sightings(self) -> list[Sighting]:
        """In the order of their keys, so that the same findings are written in the same order."""
        return [self._sightings[key] for key in sorted(self._sightings)]
