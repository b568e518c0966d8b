"""Who is whose member: an account has at most one administrator in a Region that governs it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from guardray.store.api_schema import MEMBERS, ORGANISATION
from guardray.types import AccountId, Region

CREATED, INVITED, ENABLED, DISABLED = "Created", "Invited", "Enabled", "Disabled"
REMOVED, RESIGNED = "Removed", "Resigned"
"""States of a relation, spelled as the service sends them."""

ASSOCIATED = (INVITED, ENABLED, DISABLED)
"""States in which a member is listed unless all are asked for."""

GOVERNED = (ENABLED, DISABLED)
"""States in which the administrator decides for the member and sees its findings."""


@dataclass(frozen=True, kw_only=True)
class StoredMember:
    """An account that an administrator knows.

    Attributes:
        invitation_id, invited_at: null where it was never invited.
        of_organisation: whether it joined without an invitation.
    """

    region: Region
    administrator_id: AccountId
    account_id: AccountId
    email: str
    status: str
    invitation_id: str | None = None
    invited_at: datetime | None = None
    of_organisation: bool = False
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What the organisation has in a Region: its administrator, and what is switched on for accounts by themselves.

    Attributes:
        auto_enable: NEW, ALL or NONE accounts.
        features: the same for each feature.
    """

    region: Region
    administrator_id: AccountId
    auto_enable: str
    features: dict[str, str]


def members_of(connection: Connection, administrator_id: AccountId, region: Region) -> list[StoredMember]:
    """All that an administrator knows, by account, whatever their state."""
    columns = MEMBERS.c
    query = select(MEMBERS).where(columns.administrator_id == administrator_id, columns.region == region)
    return [StoredMember(**row) for row in connection.execute(query.order_by(columns.account_id)).mappings()]


def relations_of(connection: Connection, account_id: AccountId, region: Region) -> list[StoredMember]:
    """What administrators say of an account, by administrator."""
    columns = MEMBERS.c
    query = select(MEMBERS).where(columns.account_id == account_id, columns.region == region)
    return [StoredMember(**row) for row in connection.execute(query.order_by(columns.administrator_id)).mappings()]


def governor_of(connection: Connection, account_id: AccountId, region: Region) -> StoredMember | None:
    """The relation to the administrator that governs an account."""
    found = relations_of(connection, account_id, region)
    return next((relation for relation in found if relation.status in GOVERNED), None)


def governed_by(connection: Connection, account_id: AccountId, region: Region) -> list[AccountId]:
    """The accounts whose findings an account sees: its own, then those of its members."""
    members = members_of(connection, account_id, region)
    return [account_id, *(member.account_id for member in members if member.status in GOVERNED)]


def governed_everywhere(connection: Connection, account_id: AccountId) -> dict[Region, frozenset[AccountId]]:
    """The members whose findings an account sees, by Region."""
    columns = MEMBERS.c
    query = select(columns.region, columns.account_id).where(
        columns.administrator_id == account_id, columns.status.in_(GOVERNED)
    )
    found: dict[Region, set[AccountId]] = {}
    for row in connection.execute(query):
        found.setdefault(row.region, set()).add(row.account_id)
    return {region: frozenset(members) for region, members in found.items()}


def add(connection: Connection, member: StoredMember) -> None:
    """Keep a new relation."""
    connection.execute(insert(MEMBERS), _row(member))


def change(connection: Connection, member: StoredMember, now: datetime, **values: Any) -> StoredMember:
    """The relation with other values, kept."""
    changed = replace(member, **values, updated_at=now)
    connection.execute(update(MEMBERS).where(*_key(member)).values(_row(changed)))
    return changed


def remove(connection: Connection, member: StoredMember) -> None:
    """Forget a relation."""
    connection.execute(delete(MEMBERS).where(*_key(member)))


def organisation_in(connection: Connection, region: Region) -> Organisation | None:
    """What the organisation has in a Region; None where it named no administrator."""
    row = connection.execute(select(ORGANISATION).where(ORGANISATION.c.region == region)).mappings().first()
    if row is None:
        return None
    values = dict(row)
    return Organisation(**{**values, "features": msgspec.json.decode(values["features"])})


def keep_organisation(connection: Connection, organisation: Organisation) -> None:
    """Replace what the organisation has in a Region."""
    forget_organisation(connection, organisation.region)
    row = {field.name: getattr(organisation, field.name) for field in fields(organisation)}
    connection.execute(insert(ORGANISATION), row | {"features": msgspec.json.encode(organisation.features).decode()})


def forget_organisation(connection: Connection, region: Region) -> None:
    """The organisation has no administrator in a Region any more."""
    connection.execute(delete(ORGANISATION).where(ORGANISATION.c.region == region))


def _row(member: StoredMember) -> dict[str, Any]:
    return {field.name: getattr(member, field.name) for field in fields(member)}


def _key(member: StoredMember) -> tuple[Any, ...]:
    columns = MEMBERS.c
    return (
        columns.region == member.region,
        columns.administrator_id == member.administrator_id,
        columns.account_id == member.account_id,
    )
