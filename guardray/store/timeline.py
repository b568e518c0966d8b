"""What was found of one thing, in the order in which it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, RowMapping, or_, select

from guardray.errors import QueryRefusedError
from guardray.store.bulk import among
from guardray.store.criteria import Condition
from guardray.store.criteria.sql import having
from guardray.store.index_schema import FINDING_INDEX, FINDING_VALUES
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope
from guardray.store.search_plan import by_numbers
from guardray.store.sorting import Place, Sort

_API_CALL, _CONNECTION = "service.action.awsApiCallAction", "service.action.networkConnectionAction"
_PROBES = "service.action.portProbeAction.portProbeDetails"
_INTERFACES = "resource.instanceDetails.networkInterfaces"

ENTITIES: Mapping[str, tuple[str, ...]] = {
    "instance": ("resource.instanceDetails.instanceId",),
    "bucket": ("resource.s3BucketDetails.name",),
    "user": ("resource.accessKeyDetails.userName",),
    "principal": ("resource.accessKeyDetails.principalId",),
    "access-key": ("resource.accessKeyDetails.accessKeyId",),
    "domain": ("service.action.dnsRequestAction.domain", "service.action.dnsRequestAction.domainWithSuffix"),
    "address": (
        f"{_API_CALL}.remoteIpDetails.ipAddressV4",
        f"{_CONNECTION}.remoteIpDetails.ipAddressV4",
        f"{_PROBES}.remoteIpDetails.ipAddressV4",
        f"{_INTERFACES}.privateIpAddresses.privateIpAddress",
        f"{_INTERFACES}.publicIp",
        f"{_INTERFACES}.ipv6Addresses",
    ),
}
"""Kinds of things, and the attributes of a finding that may name one: all are among those that an index knows."""

MAX_EVENTS = 500


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A finding on a timeline, from its first event to its last."""

    begin: datetime
    end: datetime
    id: str
    type: str
    severity: float
    count: int
    title: str
    account_id: str
    region: str
    archived: bool


def timeline(
    connection: Connection, scope: Scope, kind: str, value: str, *, after: Place | None = None, size: int = MAX_EVENTS
) -> tuple[list[Event], Place | None]:
    """A page of the findings that name a thing, and what to ask for the next page with; null on the last one.

    Args:
        kind: of ENTITIES.
        after: the place that came with the page before.

    Raises:
        QueryRefusedError: there is no such kind, or the place is none.
    """
    if kind not in ENTITIES:
        raise QueryRefusedError("kind", f"is none of {', '.join(ENTITIES)}")
    columns = FINDING_INDEX.c
    named = or_(*(having(Condition(attribute, "equals", (value,))) for attribute in ENTITIES[kind]))
    chosen = [columns.number.in_(select(FINDING_VALUES.c.finding).where(named)), *scope.conditions()]
    order = Sort("service.eventFirstSeen", descending=False)
    if after is not None:
        chosen.append(order.after(columns.event_first_seen, after))
    page = select(columns.finding_id, columns.number, columns.event_first_seen).where(*chosen)
    page = page.order_by(columns.event_first_seen, columns.number).limit(size + 1)
    rows = connection.execute(by_numbers(page)).all()
    events = _events(connection, [row.finding_id for row in rows[:size]])
    if len(rows) <= size:
        return events, None
    return events, order.place(rows[size - 1].event_first_seen, rows[size - 1].number)


def _events(connection: Connection, finding_ids: Sequence[str]) -> list[Event]:
    rows = connection.execute(select(FINDINGS).where(among(connection, FINDINGS.c.id, finding_ids))).mappings()
    events = {row["id"]: _event(row) for row in rows}
    return [events[finding_id] for finding_id in finding_ids]


def _event(row: RowMapping) -> Event:
    return Event(
        begin=row["event_first_seen"],
        end=row["event_last_seen"],
        id=row["id"],
        type=row["type"],
        severity=row["severity"],
        count=row["count"],
        title=msgspec.json.decode(row["json"])["title"],
        account_id=row["account_id"],
        region=row["region"],
        archived=row["archived"],
    )
