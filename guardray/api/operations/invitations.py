"""Invitations and the administrator, as a member sees them. The older operations say master where the newer ones say
administrator, and are the same otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from guardray.api import membership
from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request
from guardray.store import api_members
from guardray.store.api_members import ENABLED, INVITED, RESIGNED, StoredMember


def list_invitations(call: Call) -> Mapping[str, Any]:
    """Invitations that wait for an answer, by administrator."""
    page, token = call.pages.cut(_waiting(call), lambda one: one.administrator_id)
    return {"Invitations": [_relation(one) for one in page], "NextToken": token}


def get_invitations_count(call: Call) -> Mapping[str, Any]:
    """How many invitations wait."""
    return {"InvitationsCount": len(_waiting(call))}


def decline_invitations(call: Call) -> Mapping[str, Any]:
    """The invitations of these administrators are declined."""
    return _answered(call, (INVITED,), {"status": RESIGNED})


def delete_invitations(call: Call) -> Mapping[str, Any]:
    """The invitations of these administrators are gone, declined or not."""
    return _answered(call, (INVITED, RESIGNED), {"status": RESIGNED, "invitation_id": None, "invited_at": None})


def _answered(call: Call, statuses: tuple[str, ...], values: Mapping[str, Any]) -> Mapping[str, Any]:
    relations = api_members.relations_of(call.connection, call.account_id, call.region)
    there = {one.administrator_id: one for one in relations if one.status in statuses and one.invitation_id}
    unprocessed = []
    for account in dict.fromkeys(call.params["AccountIds"]):
        if account in there:
            api_members.change(call.connection, there[account], call.now, **values)
        else:
            unprocessed.append({"AccountId": account, "Result": "There is no invitation of this account."})
    return {"UnprocessedAccounts": unprocessed}


def accept(name: str, call: Call) -> Mapping[str, Any]:
    """The caller is a member of the account that invited it. `name` of the member that has this account's id."""
    call.own_detector()
    invitation_id, administrator = call.params["InvitationId"], call.params[name]
    waiting = next((one for one in _waiting(call) if one.administrator_id == administrator), None)
    if waiting is None or waiting.invitation_id != invitation_id:
        raise bad_request("there is no such invitation of this account")
    if api_members.governor_of(call.connection, call.account_id, call.region) is not None:
        raise bad_request("the current account is a member of an account already")
    if membership.is_administrator(call.connection, call.account_id, call.region):
        raise bad_request("the current account has members itself")
    api_members.change(call.connection, waiting, call.now, status=ENABLED)
    return {}


def get_administrator(name: str, call: Call) -> Mapping[str, Any]:
    """The caller's administrator; nothing at all where it has none."""
    call.own_detector()
    governor = api_members.governor_of(call.connection, call.account_id, call.region)
    return {} if governor is None else {name: _relation(governor)}


def disassociate(call: Call) -> Mapping[str, Any]:
    """The caller is its administrator's member no more."""
    call.own_detector()
    governor = api_members.governor_of(call.connection, call.account_id, call.region)
    if governor is None:
        raise bad_request("the current account has no administrator")
    membership.refuse_where_all_are_on(call, "leave it")
    if governor.of_organisation:
        membership.refuse_where_suspended(call, "leave it")
    api_members.change(call.connection, governor, call.now, status=RESIGNED)
    return {}


def _waiting(call: Call) -> list[StoredMember]:
    relations = api_members.relations_of(call.connection, call.account_id, call.region)
    return [one for one in relations if one.status == INVITED]


def _relation(one: StoredMember) -> Mapping[str, Any]:
    return {
        "AccountId": one.administrator_id,
        "InvitationId": one.invitation_id,
        "RelationshipStatus": one.status,
        "InvitedAt": one.invited_at,
    }


HANDLERS: Mapping[str, Handler] = {
    "ListInvitations": list_invitations,
    "GetInvitationsCount": get_invitations_count,
    "DeclineInvitations": decline_invitations,
    "DeleteInvitations": delete_invitations,
    "AcceptAdministratorInvitation": partial(accept, "AdministratorId"),
    "AcceptInvitation": partial(accept, "MasterId"),
    "GetAdministratorAccount": partial(get_administrator, "Administrator"),
    "GetMasterAccount": partial(get_administrator, "Master"),
    "DisassociateFromAdministratorAccount": disassociate,
    "DisassociateFromMasterAccount": disassociate,
}
