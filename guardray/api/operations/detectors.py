"""Detectors: what switches an account on in a Region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from guardray.api import features, membership
from guardray.api.call import Call, Handler
from guardray.api.errors import already_there, bad_request
from guardray.api.operations.tagging import checked_tags
from guardray.store import api_detectors, api_members, api_tags
from guardray.store.api_detectors import StoredDetector

_SAME_REQUEST = timedelta(minutes=10)
"""A client that repeats a request within that time, with the same token, gets the same answer."""


def create_detector(call: Call) -> Mapping[str, Any]:
    """The account is on in this Region from now on."""
    params = call.params
    asked = features.asked_for(params)
    there = api_detectors.find(call.connection, call.account_id, call.region)
    if there is not None:
        token = params.get("ClientToken")
        if token is not None and token == there.client_token and call.now - there.created_at < _SAME_REQUEST:
            return {"DetectorId": there.id}
        raise already_there("a detector")
    if "FindingPublishingFrequency" in params:
        call.refuse_members("choose how often findings are published")
    detector = StoredDetector(
        account_id=call.account_id,
        region=call.region,
        enabled=params["Enable"],
        publishing_frequency=params.get("FindingPublishingFrequency", membership.DEFAULT_FREQUENCY),
        features=features.initial(asked, call.now),
        client_token=params.get("ClientToken"),
        created_at=call.now,
        updated_at=call.now,
    )
    api_detectors.add(call.connection, detector)
    api_tags.set_tags(call.connection, detector.arn, checked_tags(params.get("Tags", {})))
    membership.join_by_itself(call.connection, call.account_id, call.region, call.now)
    return {"DetectorId": detector.id}


def get_detector(call: Call) -> Mapping[str, Any]:
    """All that there is to know of the switch."""
    detector = call.own_detector()
    return {
        "CreatedAt": detector.created_at,
        "FindingPublishingFrequency": detector.publishing_frequency,
        "ServiceRole": features.service_role(detector),
        "Status": "ENABLED" if detector.enabled else "DISABLED",
        "UpdatedAt": detector.updated_at,
        "DataSources": features.data_sources_of(detector),
        "Tags": api_tags.tags_of(call.connection, detector.arn),
        "Features": features.features_of(detector),
    }


def update_detector(call: Call) -> Mapping[str, Any]:
    """What is given changes, and the rest stays."""
    detector, params = call.own_detector(), call.params
    if params.get("Enable") is False:
        membership.refuse_where_all_are_on(call, "suspend its detector")
    if params.get("Enable") is True:
        membership.refuse_where_suspended(call, "resume its detector")
    if "FindingPublishingFrequency" in params:
        call.refuse_members("choose how often findings are published")
    switched = features.switched(detector.features, features.asked_for(params), call.now)
    if switched != detector.features:
        call.refuse_members("switch features on or off")
    api_detectors.change(
        call.connection,
        detector,
        call.now,
        enabled=params.get("Enable", detector.enabled),
        publishing_frequency=params.get("FindingPublishingFrequency", detector.publishing_frequency),
        features=switched,
    )
    return {}


def delete_detector(call: Call) -> Mapping[str, Any]:
    """The account is off in this Region, and its findings, lists and settings are gone for good."""
    detector = call.own_detector()
    members = api_members.members_of(call.connection, call.account_id, call.region)
    if any(member.status in api_members.ASSOCIATED for member in members):
        raise bad_request("the current account cannot delete detector while it has invited or associated members")
    membership.refuse_where_all_are_on(call, "delete its detector")
    membership.refuse_where_suspended(call, "delete its detector")
    for member in members:
        api_members.remove(call.connection, member)
    for relation in api_members.relations_of(call.connection, call.account_id, call.region):
        if relation.status in api_members.GOVERNED:
            api_members.change(call.connection, relation, call.now, status=api_members.RESIGNED)
    api_detectors.remove(call.connection, detector)
    return {}


def list_detectors(call: Call) -> Mapping[str, Any]:
    """The one detector of the account in this Region, if there is one."""
    detector = api_detectors.find(call.connection, call.account_id, call.region)
    found = [] if detector is None else [detector.id]
    page, token = call.pages.cut(found, lambda one: one)
    return {"DetectorIds": page, "NextToken": token}


HANDLERS: Mapping[str, Handler] = {
    "CreateDetector": create_detector,
    "GetDetector": get_detector,
    "UpdateDetector": update_detector,
    "DeleteDetector": delete_detector,
    "ListDetectors": list_detectors,
}
