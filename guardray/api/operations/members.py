"""Members, as their administrator sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from guardray.api import features, membership
from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request
from guardray.store import api_detectors, api_members
from guardray.store.api_members import DISABLED, ENABLED, GOVERNED, INVITED, REMOVED, StoredMember
from guardray.types import AccountId

NOT_A_MEMBER = "The account is not a member of the current account."

Step = Callable[[Call, StoredMember], str | None]
"""What is done to one member; the reason where it cannot be."""


def create_members(call: Call) -> Mapping[str, Any]:
    """Accounts are known as members to be; those of the administrator's organisation are members at once."""
    call.own_detector()
    call.refuse_members("have members")
    there = {one.account_id: one for one in _all(call)}
    organisation = membership.organisation_of(call)
    unprocessed = []
    for detail in call.params["AccountDetails"]:
        account = detail["AccountId"]
        reason = _why_not_created(call, account, there.get(account), len(there))
        if reason is not None:
            unprocessed.append(_result(account, reason))
            continue
        if organisation is not None:
            membership.join(call.connection, organisation, account, detail["Email"], call.now)
        else:
            _remember(call, account, detail["Email"], there.get(account))
        there[account] = next(one for one in _all(call) if one.account_id == account)
    return {"UnprocessedAccounts": unprocessed}


def _why_not_created(call: Call, account: AccountId, known: StoredMember | None, members: int) -> str | None:
    if account == call.account_id:
        return "The account is the current account itself."
    if known is not None and known.status not in (REMOVED, api_members.RESIGNED):
        return "The account is a member of the current account already."
    if known is None and members >= membership.MOST_MEMBERS:
        return f"The current account has {membership.MOST_MEMBERS} members, the most that it may have."
    if api_members.governor_of(call.connection, account, call.region) is not None:
        return "The account is a member of another account already."
    if membership.is_administrator(call.connection, account, call.region):
        return "The account has members itself."
    return None


def _remember(call: Call, account: AccountId, email: str, known: StoredMember | None) -> None:
    if known is not None:
        api_members.remove(call.connection, known)
    created = StoredMember(
        region=call.region,
        administrator_id=call.account_id,
        account_id=account,
        email=email,
        status=api_members.CREATED,
        updated_at=call.now,
    )
    api_members.add(call.connection, created)


def get_members(call: Call) -> Mapping[str, Any]:
    """The members of these accounts, whatever their state."""
    call.own_detector()
    there = {one.account_id: one for one in _all(call)}
    asked = dict.fromkeys(call.params["AccountIds"])
    return {
        "Members": [membership.member_json(call.connection, there[one]) for one in asked if one in there],
        "UnprocessedAccounts": [_result(one, NOT_A_MEMBER) for one in asked if one not in there],
    }


def list_members(call: Call) -> Mapping[str, Any]:
    """Members by account; those that are not associated only where they are asked for."""
    call.own_detector()
    only_associated = call.params.get("OnlyAssociated", "true").lower()
    if only_associated not in ("true", "false"):
        raise bad_request("the parameter onlyAssociated is neither true nor false")
    shown = [one for one in _all(call) if one.status in api_members.ASSOCIATED or only_associated == "false"]
    page, token = call.pages.cut(shown, lambda one: one.account_id)
    return {"Members": [membership.member_json(call.connection, one) for one in page], "NextToken": token}


def _each(step: Step, call: Call) -> Mapping[str, Any]:
    """Does something to each member that the request names; the others, and those it cannot be done to, are told."""
    call.own_detector()
    call.refuse_members("have members")
    there = {one.account_id: one for one in _all(call)}
    unprocessed = []
    for account in dict.fromkeys(call.params["AccountIds"]):
        reason = step(call, there[account]) if account in there else NOT_A_MEMBER
        if reason is not None:
            unprocessed.append(_result(account, reason))
    return {"UnprocessedAccounts": unprocessed}


def _invite(call: Call, member: StoredMember) -> str | None:
    if member.status == INVITED or member.status in GOVERNED:
        return "The account is invited or associated already."
    if not member.email:
        return "There is no email on record of the account."
    values = {"status": INVITED, "invitation_id": uuid4().hex, "invited_at": call.now, "of_organisation": False}
    api_members.change(call.connection, member, call.now, **values)
    return None


def _disassociate(call: Call, member: StoredMember) -> str | None:
    _refuse_to_switch_off(call)
    if member.status not in api_members.ASSOCIATED:
        return "The account is not associated with the current account."
    api_members.change(call.connection, member, call.now, status=REMOVED)
    return None


def _delete(call: Call, member: StoredMember) -> str | None:
    _refuse_to_switch_off(call)
    if member.status in GOVERNED:
        return "The account is associated with the current account; disassociate it first."
    api_members.remove(call.connection, member)
    return None


def _monitor(on: bool, call: Call, member: StoredMember) -> str | None:
    if not on:
        _refuse_to_switch_off(call)
    if member.status not in GOVERNED:
        return "The account is not associated with the current account."
    api_members.change(call.connection, member, call.now, status=ENABLED if on else DISABLED)
    detector = membership.ensure_detector(call.connection, member.account_id, call.region, call.now)
    api_detectors.change(call.connection, detector, call.now, enabled=on)
    return None


def _refuse_to_switch_off(call: Call) -> None:
    organisation = membership.organisation_of(call)
    if organisation is not None and organisation.auto_enable == "ALL":
        raise bad_request("the organisation switches all accounts on, so that none can be taken out")


def get_member_detectors(call: Call) -> Mapping[str, Any]:
    """The switches of members."""
    call.own_detector()
    of_members = {one.account_id for one in _all(call) if one.status in GOVERNED}
    shown, unprocessed = [], []
    for account in dict.fromkeys(call.params["AccountIds"]):
        detector = api_detectors.find(call.connection, account, call.region)
        if account not in of_members or detector is None:
            unprocessed.append(_result(account, NOT_A_MEMBER))
            continue
        switches = {"DataSources": features.data_sources_of(detector), "Features": features.features_of(detector)}
        shown.append({"AccountId": account, **switches})
    return {"MemberDataSourceConfigurations": shown, "UnprocessedAccounts": unprocessed}


def update_member_detectors(call: Call) -> Mapping[str, Any]:
    """Switches of members change as the administrator says."""
    asked = features.asked_for(call.params)

    def switch(call: Call, member: StoredMember) -> str | None:
        detector = api_detectors.find(call.connection, member.account_id, call.region)
        if member.status not in GOVERNED or detector is None:
            return "The account is not associated with the current account."
        changed = features.switched(detector.features, asked, call.now)
        api_detectors.change(call.connection, detector, call.now, features=changed)
        return None

    return _each(switch, call)


def _all(call: Call) -> list[StoredMember]:
    return api_members.members_of(call.connection, call.account_id, call.region)


def _result(account: AccountId, reason: str) -> dict[str, str]:
    return {"AccountId": account, "Result": reason}


HANDLERS: Mapping[str, Handler] = {
    "CreateMembers": create_members,
    "GetMembers": get_members,
    "ListMembers": list_members,
    "InviteMembers": partial(_each, _invite),
    "DisassociateMembers": partial(_each, _disassociate),
    "DeleteMembers": partial(_each, _delete),
    "StartMonitoringMembers": partial(_each, partial(_monitor, True)),
    "StopMonitoringMembers": partial(_each, partial(_monitor, False)),
    "GetMemberDetectors": get_member_detectors,
    "UpdateMemberDetectors": update_member_detectors,
}
