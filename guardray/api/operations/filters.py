"""Filters: searches that are saved, and rules by which findings are archived as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.api.call import Call, Handler
from guardray.api.criteria import read_criteria
from guardray.api.errors import already_there, bad_request, limit_reached, no_such_resource
from guardray.api.operations.tagging import arn_of, checked_tags
from guardray.store import api_resources, api_tags
from guardray.store.api_resources import StoredResource
from guardray.store.api_suppression import ARCHIVE, FILTER

MOST_FILTERS = 100
"""That an account may have in a Region."""


def create_filter(call: Call) -> Mapping[str, Any]:
    """A filter; one that archives does so with findings that are written from now on."""
    call.own_detector()
    params, there = call.params, _there(call)
    token = params.get("ClientToken")
    if any(token is not None and (one.client_token, one.name) == (token, params["Name"]) for one in there):
        return {"Name": params["Name"]}
    if any(one.name == params["Name"] for one in there):
        raise already_there("a filter of this name")
    if len(there) >= MOST_FILTERS:
        raise limit_reached("filters")
    content = {
        "Description": params.get("Description"),
        "Action": params.get("Action", "NOOP"),
        "Rank": params.get("Rank", 1),
        "FindingCriteria": params["FindingCriteria"],
        "Version": 1,
    }
    _check(call, content)
    added = StoredResource(
        account_id=call.account_id,
        region=call.region,
        kind=FILTER,
        id=params["Name"],
        name=params["Name"],
        content=content,
        client_token=token,
        created_at=call.now,
        updated_at=call.now,
    )
    api_resources.add(call.connection, added)
    api_tags.set_tags(call.connection, arn_of(call, FILTER, added.id), checked_tags(params.get("Tags", {})))
    return {"Name": added.name}


def get_filter(call: Call) -> Mapping[str, Any]:
    """A filter, with its criteria in the spelling in which they came."""
    found = _found(call)
    return {
        "Name": found.name,
        **found.content,
        "Tags": api_tags.tags_of(call.connection, arn_of(call, FILTER, found.id)),
        "CreatedAt": found.created_at,
        "UpdatedAt": found.updated_at,
    }


def update_filter(call: Call) -> Mapping[str, Any]:
    """What is given changes, criteria as a whole."""
    found = _found(call)
    given = ("Description", "Action", "Rank", "FindingCriteria")
    content = {**found.content, **{name: call.params[name] for name in given if name in call.params}}
    content["Version"] += 1
    if found.content["Action"] == ARCHIVE:
        call.refuse_members("change rules that archive")
    _check(call, content)
    api_resources.change(call.connection, found, call.now, content=content)
    return {"Name": found.name}


def delete_filter(call: Call) -> Mapping[str, Any]:
    """The filter is gone; what it archived stays archived."""
    found = _found(call)
    if found.content["Action"] == ARCHIVE:
        call.refuse_members("change rules that archive")
    api_resources.remove(call.connection, found)
    api_tags.remove_tags(call.connection, arn_of(call, FILTER, found.id))
    return {}


def list_filters(call: Call) -> Mapping[str, Any]:
    """The names of filters, the oldest first."""
    call.own_detector()
    page, token = call.pages.cut(_there(call), lambda one: one.number)
    return {"FilterNames": [one.name for one in page], "NextToken": token}


def _check(call: Call, content: Mapping[str, Any]) -> None:
    criteria = read_criteria(content["FindingCriteria"], wildcards=True)
    if content["Action"] == ARCHIVE:
        call.refuse_members("make rules that archive")
        if not criteria:
            raise bad_request("a filter that archives needs criteria: without any, it would archive every finding")


def _there(call: Call) -> list[StoredResource]:
    return api_resources.resources_of(call.connection, call.account_id, call.region, FILTER)


def _found(call: Call) -> StoredResource:
    call.own_detector()
    name = call.params["FilterName"]
    found = api_resources.find(call.connection, call.account_id, call.region, FILTER, name)
    if found is None:
        raise no_such_resource()
    return found


HANDLERS: Mapping[str, Handler] = {
    "CreateFilter": create_filter,
    "GetFilter": get_filter,
    "UpdateFilter": update_filter,
    "DeleteFilter": delete_filter,
    "ListFilters": list_filters,
}
