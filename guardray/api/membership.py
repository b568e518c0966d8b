"""Rules of membership that several operations share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from guardray.api import features
from guardray.api.call import Call
from guardray.api.errors import bad_request
from guardray.store import api_detectors, api_members
from guardray.store.api_detectors import StoredDetector
from guardray.store.api_members import Organisation, StoredMember
from guardray.types import AccountId, Region

DEFAULT_FREQUENCY = "SIX_HOURS"
"""How often updates of findings are published where nobody chose."""

MOST_MEMBERS = 5000
"""That one administrator may have in a Region."""

AUTO = {"NEW", "ALL"}
"""Settings with which an account that is new is a member at once."""


def ensure_detector(connection: Connection, account_id: AccountId, region: Region, now: datetime) -> StoredDetector:
    """The detector of an account, made where there was none."""
    there = api_detectors.find(connection, account_id, region)
    if there is not None:
        return there
    detector = StoredDetector(
        account_id=account_id,
        region=region,
        enabled=True,
        publishing_frequency=DEFAULT_FREQUENCY,
        features=features.initial({}, now),
        created_at=now,
        updated_at=now,
    )
    api_detectors.add(connection, detector)
    return detector


def join(connection: Connection, organisation: Organisation, account_id: AccountId, email: str, now: datetime) -> None:
    """The account is a member of the organisation's administrator, without an invitation, and its detector is on."""
    region = organisation.region
    relations = api_members.relations_of(connection, account_id, region)
    old = next((one for one in relations if one.administrator_id == organisation.administrator_id), None)
    if old is not None:
        api_members.remove(connection, old)
    api_members.add(
        connection,
        StoredMember(
            region=region,
            administrator_id=organisation.administrator_id,
            account_id=account_id,
            email=email,
            status=api_members.ENABLED,
            of_organisation=True,
            updated_at=now,
        ),
    )
    detector = ensure_detector(connection, account_id, region, now)
    wanted = {name: True for name, accounts in organisation.features.items() if accounts in AUTO}
    switched = features.switched(detector.features, wanted, now)
    if switched != detector.features:
        api_detectors.change(connection, detector, now, features=switched)


def join_by_itself(connection: Connection, account_id: AccountId, region: Region, now: datetime) -> None:
    """A new account becomes a member, where the organisation has said that new ones do."""
    organisation = api_members.organisation_in(connection, region)
    if organisation is None or organisation.auto_enable not in AUTO:
        return
    if can_join(connection, organisation, account_id):
        join(connection, organisation, account_id, "", now)


def can_join(connection: Connection, organisation: Organisation, account_id: AccountId) -> bool:
    """Whether an account may become the organisation's member: it has no administrator, and is none."""
    if account_id == organisation.administrator_id:
        return False
    region = organisation.region
    is_free = api_members.governor_of(connection, account_id, region) is None
    return is_free and not is_administrator(connection, account_id, region)


def is_administrator(connection: Connection, account_id: AccountId, region: Region) -> bool:
    """Whether an account governs others."""
    return len(api_members.governed_by(connection, account_id, region)) > 1


def organisation_of(call: Call) -> Organisation | None:
    """The organisation that the caller administers in its Region."""
    found = api_members.organisation_in(call.connection, call.region)
    return found if found is not None and found.administrator_id == call.account_id else None


def refuse_where_all_are_on(call: Call, what: str) -> None:
    """Raises ApiError where the caller's organisation switches all accounts on, so that none may go off."""
    governor = api_members.governor_of(call.connection, call.account_id, call.region)
    organisation = api_members.organisation_in(call.connection, call.region)
    if governor is None or organisation is None or organisation.administrator_id != governor.administrator_id:
        return
    if organisation.auto_enable == "ALL":
        raise bad_request(f"a member of an organisation that switches all accounts on may not {what}")


def refuse_where_suspended(call: Call, what: str) -> None:
    """Raises ApiError where the caller's administrator has suspended it: only that one takes the suspension back."""
    governor = api_members.governor_of(call.connection, call.account_id, call.region)
    if governor is not None and governor.status == api_members.DISABLED:
        raise bad_request(f"a member account that its administrator has suspended may not {what}")


def member_json(connection: Connection, member: StoredMember) -> Mapping[str, Any]:
    """A member as answers have it."""
    detector = api_detectors.find(connection, member.account_id, member.region)
    is_governed = member.status in api_members.GOVERNED
    return {
        "AccountId": member.account_id,
        "DetectorId": detector.id if detector is not None and is_governed else None,
        "MasterId": member.administrator_id,
        "AdministratorId": member.administrator_id,
        "Email": member.email,
        "RelationshipStatus": member.status,
        "InvitedAt": member.invited_at,
        "UpdatedAt": member.updated_at,
    }
