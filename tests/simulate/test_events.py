"""Events have CloudTrail's shapes."""

from __future__ import annotations

import json
from collections import defaultdict

from .conftest import Logs

ALWAYS = {
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
    "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType",
    "managementEvent", "recipientAccountId", "eventCategory",
}  # fmt: skip
IDENTITIES = {
    "IAMUser": {"principalId", "arn", "accountId", "userName"},
    "AssumedRole": {"principalId", "arn", "accountId", "accessKeyId", "sessionContext"},
    "Root": {"principalId", "arn", "accountId"},
    "SAMLUser": {"principalId", "userName", "identityProvider"},
    "AWSService": {"invokedBy"},
}


def test_fields_that_every_event_has_are_there(logs: Logs) -> None:
    for event in logs.events:
        assert event.keys() >= ALWAYS, event
        assert event["userIdentity"].keys() >= IDENTITIES[event["userIdentity"]["type"]]
        assert event["managementEvent"] == (event["eventCategory"] == "Management")


def test_event_ids_are_unique(logs: Logs) -> None:
    assert len({event["eventID"] for event in logs.events}) == len(logs.events)


def test_no_place_is_left_open(logs: Logs) -> None:
    assert "@@" not in json.dumps(logs.events)
    assert "$" not in json.dumps([event["requestParameters"] for event in logs.events])


def test_data_events_name_bucket_and_object(logs: Logs) -> None:
    data = [event for event in logs.events if event["eventCategory"] == "Data"]
    for event in data:
        request, resources = event["requestParameters"], event["resources"]
        assert resources[1]["ARN"] == f"arn:aws:s3:::{request['bucketName']}"
        if event["eventName"] != "ListObjects":
            assert request["key"]
            assert resources[0]["ARN"] == f"{resources[1]['ARN']}/{request['key']}"


def test_sessions_keep_their_access_key(logs: Logs) -> None:
    sessions = defaultdict(set)
    for event in logs.events:
        identity = event["userIdentity"]
        if identity["type"] == "AssumedRole":
            created = identity["sessionContext"]["attributes"]["creationDate"]
            sessions[identity["arn"], created].add(identity["accessKeyId"])
            assert identity["accessKeyId"].startswith("ASIA")
    assert sessions
    assert all(len(keys) == 1 for keys in sessions.values())


def test_global_services_are_logged_in_us_east_1(logs: Logs) -> None:
    for event in logs.events:
        if event["eventSource"] in ("iam.amazonaws.com", "signin.amazonaws.com"):
            assert event["awsRegion"] == "us-east-1"


def test_every_kind_of_identity_occurs(logs: Logs) -> None:
    assert {event["userIdentity"]["type"] for event in logs.events} == set(IDENTITIES)
