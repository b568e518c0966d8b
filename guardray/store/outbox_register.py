"""The destinations that findings are kept for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from guardray.store.api_schema import DESTINATION_PLACES
from guardray.store.outbox_changes import announce, unknown
from guardray.store.schema import DESTINATIONS, FINDINGS, OUTBOX
from guardray.types import AccountId, Region

API_PREFIX = "api:"
"""What names of destinations begin with that the API knows; names in files have no colon."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What a destination wants.

    Attributes:
        update_every: how long after a delivery the next one of the same finding may be.
        severity: the lowest severity that it wants to hear of.
        backlog: whether it gets the current findings, too, that were there before it.
        places: the accounts and Regions whose findings it gets; null: those of all.
    """

    name: str
    update_every: timedelta
    severity: float = 0.0
    backlog: bool = False
    places: tuple[tuple[AccountId, Region], ...] | None = None


@dataclass(frozen=True)
class Registered:
    """What registering changed.

    Attributes:
        new: destinations that were not there.
        dropped: those that get nothing new from now on, each with the number of deliveries that still wait.
        not_sent: current findings that a destination will not get unless they change.
    """

    new: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    not_sent: dict[str, int] = field(default_factory=dict)


def register(
    connection: Connection, subscriptions: Sequence[Subscription], now: datetime, *, of_api: bool = False
) -> Registered:
    """Make these the active destinations, in the open transaction. What waits for others stays.

    Args:
        of_api: they are those that the API knows, whose names begin with `API_PREFIX`; else they are those of a file.
            The others stay as they are.
    """
    columns = DESTINATIONS.c
    known = {
        row.name: row.active
        for row in connection.execute(select(columns.name, columns.active))
        if row.name.startswith(API_PREFIX) == of_api
    }
    names = [one.name for one in subscriptions]
    gone = [name for name in known if name not in names]
    connection.execute(update(DESTINATIONS).where(columns.name.in_(gone)).values(active=False))
    for one in subscriptions:
        row = {"active": True, "update_every_s": int(one.update_every.total_seconds()), "severity": one.severity}
        if one.name in known:
            connection.execute(update(DESTINATIONS).where(columns.name == one.name).values(row))
        else:
            connection.execute(insert(DESTINATIONS), {"name": one.name, **row})
        _limit(connection, one)
        if one.backlog:
            announce(connection, columns.name == one.name, now)
    dropped = [name for name, active in known.items() if active and name not in names]
    return Registered(
        new=tuple(name for name in names if name not in known),
        dropped={name: _waiting(connection, name) for name in dropped},
        not_sent={name: number for name in names if (number := _not_sent(connection, name))},
    )


def _limit(connection: Connection, one: Subscription) -> None:
    """Keep whose findings a destination gets. What it was to get of others, it is not to get any more."""
    places = DESTINATION_PLACES.c
    connection.execute(delete(DESTINATION_PLACES).where(places.destination == one.name))
    if one.places is None:
        return
    rows = [{"destination": one.name, "account_id": account, "region": region} for account, region in one.places]
    if rows:
        connection.execute(insert(DESTINATION_PLACES), rows)
    findings = FINDINGS.c
    here = exists().where(
        places.destination == one.name,
        places.account_id == findings.account_id,
        places.region == findings.region,
    )
    elsewhere = select(findings.id).where(findings.id == OUTBOX.c.finding_id, ~here)
    connection.execute(delete(OUTBOX).where(OUTBOX.c.destination == one.name, exists(elsewhere)))


def _waiting(connection: Connection, name: str) -> int:
    waiting = select(func.count()).where(OUTBOX.c.destination == name, OUTBOX.c.due_at.is_not(None))
    return connection.scalar(waiting) or 0


def _not_sent(connection: Connection, name: str) -> int:
    pairs = select(func.count()).select_from(FINDINGS.join(DESTINATIONS, DESTINATIONS.c.name == name))
    return connection.scalar(pairs.where(unknown())) or 0
