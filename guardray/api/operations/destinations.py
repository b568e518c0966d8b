"""Destinations that findings of an account are exported to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from guardray.api.call import Call, Handler
from guardray.api.errors import bad_request, foreign_detector, limit_reached
from guardray.api.operations.tagging import arn_of, checked_tags
from guardray.store import api_resources, api_tags
from guardray.store.api_resources import StoredResource

KIND = "publishingDestination"
PENDING = "PENDING_VERIFICATION"

MOST_DESTINATIONS = 1
"""Of S3, which is the only type there is."""

_BUCKET = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+")


def create_destination(call: Call) -> Mapping[str, Any]:
    """The destination is known; how far it is, DescribePublishingDestination says."""
    call.own_detector()
    call.refuse_members("choose where findings are published to")
    params, there = call.params, _there(call)
    token = params.get("ClientToken")
    if repeated := next((one for one in there if token is not None and one.client_token == token), None):
        return {"DestinationId": repeated.id}
    properties = _checked(params["DestinationProperties"])
    if len(there) >= MOST_DESTINATIONS:
        raise limit_reached("publishing destinations")
    id_ = uuid4().hex
    added = StoredResource(
        account_id=call.account_id,
        region=call.region,
        kind=KIND,
        id=id_,
        name=id_,
        status=PENDING,
        content={"DestinationType": params["DestinationType"], "DestinationProperties": properties},
        client_token=token,
        created_at=call.now,
        updated_at=call.now,
    )
    api_resources.add(call.connection, added)
    api_tags.set_tags(call.connection, arn_of(call, KIND, id_), checked_tags(params.get("Tags", {})))
    return {"DestinationId": id_}


def describe_destination(call: Call) -> Mapping[str, Any]:
    """A destination, and since when it fails: 0 where it does not."""
    found = _found(call)
    return {
        **_summary(found),
        "PublishingFailureStartTimestamp": found.content.get("FailingSince", 0),
        "DestinationProperties": found.content["DestinationProperties"],
        "Tags": api_tags.tags_of(call.connection, arn_of(call, KIND, found.id)),
    }


def update_destination(call: Call) -> Mapping[str, Any]:
    """The properties that are given take the place of those that were."""
    call.refuse_members("choose where findings are published to")
    found = _found(call)
    if "DestinationProperties" in call.params:
        properties = {**found.content["DestinationProperties"], **call.params["DestinationProperties"]}
        content = {**found.content, "DestinationProperties": _checked(properties)}
        api_resources.change(call.connection, found, call.now, content=content, status=PENDING)
    return {}


def delete_destination(call: Call) -> Mapping[str, Any]:
    """Nothing is published there any more."""
    call.refuse_members("choose where findings are published to")
    found = _found(call)
    api_resources.remove(call.connection, found)
    api_tags.remove_tags(call.connection, arn_of(call, KIND, found.id))
    return {}


def list_destinations(call: Call) -> Mapping[str, Any]:
    """All destinations of the caller, the oldest first."""
    call.own_detector()
    page, token = call.pages.cut(_there(call), lambda one: one.number)
    return {"Destinations": [_summary(one) for one in page], "NextToken": token}


def _summary(one: StoredResource) -> dict[str, Any]:
    return {"DestinationId": one.id, "DestinationType": one.content["DestinationType"], "Status": one.status}


def _there(call: Call) -> list[StoredResource]:
    return api_resources.resources_of(call.connection, call.account_id, call.region, KIND)


def _found(call: Call) -> StoredResource:
    call.own_detector()
    id_ = call.params["DestinationId"]
    found = api_resources.find(call.connection, call.account_id, call.region, KIND, id_)
    if found is None:
        raise foreign_detector()
    return found


def _checked(properties: Mapping[str, str]) -> Mapping[str, str]:
    if not _BUCKET.fullmatch(properties.get("DestinationArn", "")):
        raise bad_request("the parameter destinationArn is not of a bucket in S3, such as arn:aws:s3:::bucket/prefix")
    if "KmsKeyArn" in properties and not _KEY.fullmatch(properties["KmsKeyArn"]):
        raise bad_request("the parameter kmsKeyArn is not of a key in KMS")
    return properties


HANDLERS: Mapping[str, Handler] = {
    "CreatePublishingDestination": create_destination,
    "DescribePublishingDestination": describe_destination,
    "UpdatePublishingDestination": update_destination,
    "DeletePublishingDestination": delete_destination,
    "ListPublishingDestinations": list_destinations,
}
