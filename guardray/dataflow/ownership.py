"""Whose an address was: sightings that name no instance wait until the trail up to their time is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl

from guardray.findings.sighting import SETTLED, Occurrence, Sighting, SightingKey
from guardray.inventory import Inventory
from guardray.inventory.compaction import compacted
from guardray.schema.addresses import ipv4_number
from guardray.types import Row

_FOUND = ("instance_uid", "interface_uid", "vpc_uid", "subnet_uid")


class Ownership:
    """Sightings that wait, and the inventory that settles them.

    Args:
        assets: facts that are known beforehand.
    """

    def __init__(self, assets: pl.DataFrame) -> None:
        self._inventory = Inventory(assets)
        self._learned: list[pl.DataFrame] = []
        self._waiting: dict[SightingKey, Sighting] = {}

    @property
    def inventory(self) -> Inventory:
        """All that is known so far."""
        if self._learned:
            self._inventory = self._inventory.merge(pl.concat(self._learned))
            self._learned = []
        return self._inventory

    def learn(self, assets: pl.DataFrame) -> None:
        """Take in facts, in any order."""
        if assets.height:
            self._learned.append(assets)

    def compact(self, before: datetime) -> None:
        """Forget facts that only times before this one are told by."""
        self._inventory = Inventory(compacted(self.inventory.facts, before))

    def wait(self, sighting: Sighting) -> None:
        """Keep a sighting until its time is settled."""
        known = self._waiting.get(sighting.key)
        self._waiting[sighting.key] = sighting if known is None else known.merge(sighting)

    def settle(self, watermark: int) -> list[Sighting]:
        """The sightings that lie before the watermark (microseconds), with the instance that they are about if known.

        Until the trail is read so far, an instance may turn out to have had the address.
        """
        due = [one for one in self._waiting.values() if _microseconds(one) < watermark]
        for one in due:
            del self._waiting[one.key]
        return self._resolved(due)

    def preview(self, others: Sequence[Sighting]) -> list[Sighting]:
        """The sightings that wait, and others like them, as they would be settled by what is known so far."""
        return self._resolved([*self.waiting(), *others])

    def waiting(self) -> list[Sighting]:
        """The sightings that wait."""
        return list(self._waiting.values())

    def _resolved(self, sightings: Sequence[Sighting]) -> list[Sighting]:
        if not sightings or self.inventory.is_empty:
            return [_settled(one, {}) for one in sightings]
        found = self.inventory.resolve(_subjects(sightings)).select(_FOUND)
        return [_settled(one, owner) for one, owner in zip(sightings, found.iter_rows(named=True), strict=True)]


def _microseconds(sighting: Sighting) -> int:
    return round(sighting.latest.time.timestamp() * 1_000_000)


def _subjects(sightings: Iterable[Sighting]) -> pl.DataFrame:
    """What each sighting tells of the place that it was seen at, by its latest row."""
    return pl.DataFrame(
        [_subject(one.latest.row, one.key) | {"time": one.latest.time} for one in sightings],
        schema={
            "cloud_account_uid": pl.String,
            "cloud_region": pl.String,
            "interface_uid": pl.String,
            "vpc_uid": pl.String,
            "private_ip_v4": pl.UInt32,
            "time": pl.Datetime("us", "UTC"),
        },
    )


def _subject(row: Row, key: SightingKey) -> dict[str, Any]:
    client = row.get("src_endpoint_ip")
    return {
        "cloud_account_uid": key.account_id,
        "cloud_region": key.region,
        "interface_uid": row.get("interface_uid"),
        "vpc_uid": row.get("vpc_uid"),
        "private_ip_v4": row.get("local_ip_v4", ipv4_number(client) if client else None),
    }


def _settled(sighting: Sighting, owner: Mapping[str, str | None]) -> Sighting:
    """The sighting as one of its owner's; its rows say what is known of it."""
    known = {name: uid for name, uid in owner.items() if uid is not None}
    resource = known.get("instance_uid", sighting.key.entity)
    return replace(
        sighting,
        key=replace(sighting.key, entity=resource, unsettled=SETTLED),
        latest=_told(sighting.latest, known, resource),
        samples=tuple(_told(sample, known, resource) for sample in sighting.samples),
    )


def _told(occurrence: Occurrence, known: Mapping[str, str], resource: str) -> Occurrence:
    blanks = {name: uid for name, uid in known.items() if occurrence.row.get(name) is None}
    if not blanks:
        return occurrence
    return replace(occurrence, row={**occurrence.row, **blanks, "resource_uid": resource})
