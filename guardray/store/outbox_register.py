"""The destinations that findings are kept for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from guardray.store.outbox_changes import announce, unknown
from guardray.store.schema import DESTINATIONS, FINDINGS, OUTBOX


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What a destination wants.

    Attributes:
        update_every: how long after a delivery the next one of the same finding may be.
        severity: the lowest severity that it wants to hear of.
        backlog: whether it gets the current findings, too, that were there before it.
    """

    name: str
    update_every: timedelta
    severity: float = 0.0
    backlog: bool = False


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


def register(connection: Connection, subscriptions: Sequence[Subscription], now: datetime) -> Registered:
    """Make these the active destinations, in the open transaction. What waits for others stays."""
    columns = DESTINATIONS.c
    known = {row.name: row.active for row in connection.execute(select(columns.name, columns.active))}
    names = [one.name for one in subscriptions]
    connection.execute(update(DESTINATIONS).where(columns.name.not_in(names)).values(active=False))
    for one in subscriptions:
        row = {"active": True, "update_every_s": int(one.update_every.total_seconds()), "severity": one.severity}
        if one.name in known:
            connection.execute(update(DESTINATIONS).where(columns.name == one.name).values(row))
        else:
            connection.execute(insert(DESTINATIONS), {"name": one.name, **row})
        if one.backlog:
            announce(connection, columns.name == one.name, now)
    dropped = [name for name, active in known.items() if active and name not in names]
    return Registered(
        new=tuple(name for name in names if name not in known),
        dropped={name: _waiting(connection, name) for name in dropped},
        not_sent={name: number for name in names if (number := _not_sent(connection, name))},
    )


def _waiting(connection: Connection, name: str) -> int:
    waiting = select(func.count()).where(OUTBOX.c.destination == name, OUTBOX.c.due_at.is_not(None))
    return connection.scalar(waiting) or 0


def _not_sent(connection: Connection, name: str) -> int:
    pairs = select(func.count()).select_from(FINDINGS.join(DESTINATIONS, DESTINATIONS.c.name == name))
    return connection.scalar(pairs.where(unknown())) or 0
