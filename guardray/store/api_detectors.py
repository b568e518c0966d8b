"""GuardDuty's detectors: the switch of an account in a Region."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, and_, delete, insert, select, update

from guardray.findings import identity
from guardray.store.api_schema import DETECTORS, REMOVED_DETECTORS, RESOURCES, TAGS
from guardray.store.indexing import delete_findings
from guardray.store.schema import FINDINGS
from guardray.types import AccountId, Region

Features = dict[str, dict[str, Any]]
"""The `status` of each optional feature and when it was `changed`, in seconds."""


@dataclass(frozen=True, kw_only=True)
class StoredDetector:
    """A detector as it is kept. `enabled` is false while nothing is to be analysed."""

    account_id: AccountId
    region: Region
    enabled: bool
    publishing_frequency: str
    features: Features = field(default_factory=dict)
    client_token: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        """The one that findings of the account and Region name, whether they came before the detector or after."""
        return identity.detector_id(self.account_id, self.region)

    def has(self, feature: str) -> bool:
        """Whether an optional feature is on."""
        return self.features.get(feature, {}).get("status") == "ENABLED"

    @property
    def arn(self) -> str:
        return identity.detector_arn(self.account_id, self.region)


def find(connection: Connection, account_id: AccountId, region: Region) -> StoredDetector | None:
    """The detector of an account in a Region."""
    row = connection.execute(_select().where(*_place(account_id, region))).mappings().first()
    return None if row is None else _stored(row)


def detectors_in(connection: Connection, region: Region | None = None) -> list[StoredDetector]:
    """All detectors, or those of a Region, by account."""
    query = _select() if region is None else _select().where(DETECTORS.c.region == region)
    return [_stored(row) for row in connection.execute(query.order_by(DETECTORS.c.account_id)).mappings()]


def add(connection: Connection, detector: StoredDetector) -> None:
    """Keep a new detector."""
    connection.execute(delete(REMOVED_DETECTORS).where(*_removed(detector)))
    connection.execute(insert(DETECTORS), _row(detector))


def change(connection: Connection, detector: StoredDetector, now: datetime, **values: Any) -> StoredDetector:
    """The detector with other values, kept."""
    changed = replace(detector, **values, updated_at=now)
    place = _place(detector.account_id, detector.region)
    connection.execute(update(DETECTORS).where(*place).values(_row(changed)))
    return changed


def remove(connection: Connection, detector: StoredDetector) -> None:
    """Forget a detector with its findings, its tags and all that belongs to it; keep that there was one."""
    place = (detector.account_id, detector.region)
    delete_findings(connection, and_(FINDINGS.c.account_id == place[0], FINDINGS.c.region == place[1]))
    for table in (RESOURCES, DETECTORS):
        connection.execute(delete(table).where(table.c.account_id == place[0], table.c.region == place[1]))
    arn = TAGS.c.arn
    connection.execute(delete(TAGS).where((arn == detector.arn) | arn.startswith(f"{detector.arn}/", autoescape=True)))
    connection.execute(insert(REMOVED_DETECTORS), {"account_id": place[0], "region": place[1]})


def removed_places(connection: Connection) -> set[tuple[AccountId, Region]]:
    """Accounts and Regions whose detector was removed and not made again."""
    columns = REMOVED_DETECTORS.c
    return {(row.account_id, row.region) for row in connection.execute(select(columns.account_id, columns.region))}


def _removed(detector: StoredDetector) -> tuple[Any, ...]:
    columns = REMOVED_DETECTORS.c
    return columns.account_id == detector.account_id, columns.region == detector.region


def _place(account_id: AccountId, region: Region) -> tuple[Any, Any]:
    return DETECTORS.c.account_id == account_id, DETECTORS.c.region == region


def _select() -> Select[Any]:
    return select(*(column for column in DETECTORS.c if column.name != "id"))


def _row(detector: StoredDetector) -> dict[str, Any]:
    return {
        "id": detector.id,
        "account_id": detector.account_id,
        "region": detector.region,
        "enabled": detector.enabled,
        "publishing_frequency": detector.publishing_frequency,
        "features": msgspec.json.encode(detector.features).decode(),
        "client_token": detector.client_token,
        "created_at": detector.created_at,
        "updated_at": detector.updated_at,
    }


def _stored(row: RowMapping) -> StoredDetector:
    values = dict(row)
    return StoredDetector(**{**values, "features": msgspec.json.decode(values["features"])})
