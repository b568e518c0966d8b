"""Detectors by boto3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from api.serving import ACCOUNT, OTHER, refused
from botocore.exceptions import ClientError

from guardray.access.identity import Role


def test_an_account_has_no_detector_at_first_and_none_after_it_was_deleted(client):
    assert client.list_detectors()["DetectorIds"] == []
    detector_id = client.create_detector(Enable=True, Tags={})["DetectorId"]
    assert client.list_detectors()["DetectorIds"] == [detector_id]
    client.delete_detector(DetectorId=detector_id)
    assert client.list_detectors()["DetectorIds"] == []


def test_a_new_detector_has_the_features_that_there_are(client, detector_id, clock):
    detector = client.get_detector(DetectorId=detector_id)
    features = {feature["Name"]: feature["Status"] for feature in detector["Features"]}
    assert detector["Status"] == "ENABLED"
    assert detector["FindingPublishingFrequency"] == "SIX_HOURS"
    assert detector["CreatedAt"] == "2026-11-02T09:30:15.250Z"
    assert detector["Tags"] == {}
    assert {name for name, status in features.items() if status == "ENABLED"} == {
        *("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS", "S3_DATA_EVENTS")
    }
    assert detector["Features"][0]["UpdatedAt"] == clock.now
    assert detector["DataSources"]["S3Logs"] == {"Status": "ENABLED"}


def test_updating_changes_only_what_is_given(client, detector_id, clock):
    clock.pass_(hours=1)
    client.update_detector(DetectorId=detector_id, FindingPublishingFrequency="ONE_HOUR")
    client.update_detector(DetectorId=detector_id, DataSources={"S3Logs": {"Enable": False}})
    detector = client.get_detector(DetectorId=detector_id)
    assert detector["FindingPublishingFrequency"] == "ONE_HOUR"
    assert detector["Status"] == "ENABLED"
    assert detector["DataSources"]["S3Logs"] == {"Status": "DISABLED"}
    changed = {feature["Name"] for feature in detector["Features"] if feature["UpdatedAt"] == clock.now}
    assert changed == {"S3_DATA_EVENTS"}
    client.update_detector(DetectorId=detector_id, Enable=False)
    assert client.get_detector(DetectorId=detector_id)["Status"] == "DISABLED"


def test_a_second_detector_is_refused_in_the_words_that_tools_look_for(client, detector_id):
    with pytest.raises(client.exceptions.BadRequestException) as error:
        client.create_detector(Enable=True)
    message = "The request is rejected because a detector already exists for the current account."
    assert refused(error) == ("BadRequestException", message)
    assert error.value.response["Type"] == "EntityAlreadyExistsException"


def test_the_same_request_again_gets_the_same_detector(served, clock):
    def create():
        # A key of its own: within a second, the same signature would be a replay.
        return served.client().create_detector(Enable=True, ClientToken="a")["DetectorId"]

    assert create() == create()
    clock.pass_(minutes=11)
    with pytest.raises(ClientError) as error:
        create()
    assert "already exists" in refused(error)[1]


def test_the_detector_of_another_account_or_region_is_not_owned(served, client, detector_id):
    strangers = (served.client(OTHER), served.client(region="us-east-1"))
    for stranger in strangers:
        with pytest.raises(ClientError) as error:
            stranger.get_detector(DetectorId=detector_id)
        message = "The request is rejected because the input detectorId is not owned by the current account."
        assert refused(error) == ("BadRequestException", message)
        assert stranger.list_detectors()["DetectorIds"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"FindingPublishingFrequency": "HOURLY"},
        {"Features": [{"Name": "CLOUD_TRAIL", "Status": "ENABLED"}]},
        {"Features": [{"Name": "RUNTIME_MONITORING", "Status": "ENABLED"}]},
        {"Features": [{"Name": "S3_DATA_EVENTS", "Status": "ON"}]},
        {"Features": [{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}] * 2},
        {"Features": [{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}], "DataSources": {"S3Logs": {"Enable": True}}},
        {"Tags": {"aws:mine": "x"}},
        {"Tags": {"k" * 129: "x"}},
        {"Tags": {f"k{n}": "x" for n in range(51)}},
        {"ClientToken": "x" * 65},
    ],
)
def test_what_clients_leave_to_the_server_is_refused(client, wrong):
    with pytest.raises(ClientError) as error:
        client.create_detector(Enable=True, **wrong)
    assert refused(error)[0] == "BadRequestException"
    assert client.list_detectors()["DetectorIds"] == []


def test_tags_are_merged_read_and_taken_off(client, detector_id):
    arn = f"arn:aws:guardduty:eu-west-1:111122223333:detector/{detector_id}"
    client.tag_resource(ResourceArn=arn, Tags={"team": "blue", "env": "a"})
    client.tag_resource(ResourceArn=arn, Tags={"env": "b c+d/e"})
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "blue", "env": "b c+d/e"}
    answer = client.untag_resource(ResourceArn=arn, TagKeys=["team", "none"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.get_detector(DetectorId=detector_id)["Tags"] == {"env": "b c+d/e"}


def test_tags_of_another_account_are_not_to_be_had(served, client, detector_id):
    with pytest.raises(ClientError) as error:
        served.client(OTHER).list_tags_for_resource(
            ResourceArn=f"arn:aws:guardduty:eu-west-1:111122223333:detector/{detector_id}"
        )
    assert refused(error)[0] == "AccessDeniedException"


def test_roles_may_do_what_their_role_has(served, client, detector_id):
    reader = served.client(role=Role.READER)
    assert reader.list_detectors()["DetectorIds"] == [detector_id]
    with pytest.raises(ClientError) as error:
        reader.delete_detector(DetectorId=detector_id)
    assert refused(error)[0] == "AccessDeniedException"


def test_of_many_that_create_a_detector_at_once_one_does(served):
    clients = [served.client(ACCOUNT) for _ in range(3)]

    def create(number):
        with suppress(clients[0].exceptions.BadRequestException):
            return clients[number % 3].create_detector(Enable=True, ClientToken=f"t-{number}")["DetectorId"]

    with ThreadPoolExecutor(9) as pool:
        made = [one for one in pool.map(create, range(9)) if one is not None]
    assert len(made) == 1
    assert clients[0].list_detectors()["DetectorIds"] == made
