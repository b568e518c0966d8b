"""Trusted and threat lists. What is asked for here is carried out by `guardray.api.activation`, soon after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from guardray.api import list_kinds
from guardray.api.call import Call, Handler
from guardray.api.errors import already_there, bad_request, foreign_detector, limit_reached
from guardray.api.list_kinds import LIST_KINDS, ListKind
from guardray.api.locations import location_of
from guardray.api.operations.tagging import arn_of, checked_tags
from guardray.store import api_resources, api_tags
from guardray.store.api_resources import StoredResource


def create(kind: ListKind, call: Call) -> Mapping[str, Any]:
    """A list is known from now on, and soon in use where it is to be active."""
    call.own_detector()
    call.refuse_members("manage lists")
    params, there = call.params, _there(call, kind)
    repeated = next((one for one in there if one.client_token == params.get("ClientToken")), None)
    if repeated is not None and repeated.client_token is not None:
        return {kind.id_name: repeated.id}
    _check_name(call, kind, params["Name"], there)
    if len(there) >= kind.most:
        raise limit_reached(f"lists of the kind {kind.name}")
    location_of(params["Location"], call.settings.list_folder)
    added = StoredResource(
        account_id=call.account_id,
        region=call.region,
        kind=kind.kind,
        id=uuid4().hex,
        name=params["Name"],
        status=list_kinds.ACTIVATING if params["Activate"] else list_kinds.INACTIVE,
        content={name: params[name] for name in ("Format", "Location", "ExpectedBucketOwner") if name in params},
        client_token=params.get("ClientToken"),
        created_at=call.now,
        updated_at=call.now,
    )
    api_resources.add(call.connection, added)
    tags = checked_tags(params.get("Tags", {}))
    api_tags.set_tags(call.connection, arn_of(call, kind.kind, added.id), tags)
    return {kind.id_name: added.id}


def get(kind: ListKind, call: Call) -> Mapping[str, Any]:
    """A list and how far it is. A member is shown its administrator's."""
    found = _found(call, kind)
    content = found.content
    answer = {
        "Name": content.get("Name", found.name),
        "Format": content["Format"],
        "Location": content["Location"],
        "Status": found.status,
        "Tags": api_tags.tags_of(call.connection, arn_of(call, kind.kind, found.id)),
        "ExpectedBucketOwner": content.get("ExpectedBucketOwner"),
    }
    if not kind.is_of_entities:
        return answer
    times = {"CreatedAt": found.created_at, "UpdatedAt": found.updated_at}
    return {**answer, **times, "ErrorDetails": content.get("ErrorDetails")}


def update(kind: ListKind, call: Call) -> Mapping[str, Any]:
    """A list gets another name or place, is read again, or goes out of use."""
    found, params = _own(call, kind), call.params
    if "Name" in params and params["Name"] != found.name:
        _check_name(call, kind, params["Name"], _there(call, kind))
    if "Location" in params:
        location_of(params["Location"], call.settings.list_folder)
    content = dict(found.content)
    content.update({name: params[name] for name in ("Location", "ExpectedBucketOwner") if name in params})
    api_resources.change(
        call.connection,
        found,
        call.now,
        name=params.get("Name", found.name),
        status=_status_after(found, params),
        content=content,
    )
    return {}


def delete(kind: ListKind, call: Call) -> Mapping[str, Any]:
    """A list goes out of use and is forgotten."""
    found = _own(call, kind)
    content = {**found.content, "Name": found.name}
    # Its name is free at once for the next one.
    api_resources.change(
        call.connection, found, call.now, name=found.id, status=list_kinds.DELETE_PENDING, content=content
    )
    api_tags.remove_tags(call.connection, arn_of(call, kind.kind, found.id))
    return {}


def list_all(kind: ListKind, call: Call) -> Mapping[str, Any]:
    """The ids of lists, the oldest first."""
    call.own_detector()
    page, token = call.pages.cut(_there(call, kind), lambda one: one.number)
    return {f"{kind.id_name}s": [one.id for one in page], "NextToken": token}


def _status_after(found: StoredResource, params: Mapping[str, Any]) -> str | None:
    """What `activate` asks for. A list in use that gets another place only is read from there when it is activated."""
    match params.get("Activate"):
        case True:
            return list_kinds.ACTIVATING
        case False if found.status in (list_kinds.ACTIVE, list_kinds.FAILED):
            return list_kinds.DEACTIVATING
    return found.status


def _there(call: Call, kind: ListKind) -> list[StoredResource]:
    """The lists of the kind that hold for the caller."""
    of = call.governing_account()
    gone = (list_kinds.DELETE_PENDING, list_kinds.DELETED)
    found = api_resources.resources_of(call.connection, of, call.region, kind.kind)
    return [one for one in found if one.status not in gone]


def _found(call: Call, kind: ListKind) -> StoredResource:
    call.own_detector()
    of, id_ = call.governing_account(), call.params[kind.id_name]
    found = api_resources.find(call.connection, of, call.region, kind.kind, id_)
    if found is None:
        raise foreign_detector()
    return found


def _own(call: Call, kind: ListKind) -> StoredResource:
    """The list that the request names, which may be changed now."""
    call.refuse_members("manage lists")
    found = _found(call, kind)
    if found.status == list_kinds.DELETED:
        raise foreign_detector()
    if found.status in list_kinds.UNDER_WAY:
        raise bad_request(f"the list is in the status {found.status}")
    return found


def _check_name(call: Call, kind: ListKind, name: str, there: list[StoredResource]) -> None:
    if not kind.names.fullmatch(name):
        raise bad_request("the parameter name has characters that names of such lists may not have")
    if any(one.name == name for one in there):
        raise already_there("a list of this name")


def _handlers() -> Iterator[tuple[str, Handler]]:
    for kind in LIST_KINDS:
        yield f"Create{kind.name}", partial(create, kind)
        yield f"Get{kind.name}", partial(get, kind)
        yield f"Update{kind.name}", partial(update, kind)
        yield f"Delete{kind.name}", partial(delete, kind)
        yield f"List{kind.name}s", partial(list_all, kind)


HANDLERS: Mapping[str, Handler] = dict(_handlers())
