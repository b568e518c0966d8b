"""Publishing destinations by boto3."""

from __future__ import annotations

import pytest
from api.serving import OTHER, refused
from botocore.exceptions import ClientError

PROPERTIES = {
    "DestinationArn": "arn:aws:s3:::findings-of-ours/some/",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1",
}


def test_a_destination_is_kept_described_changed_and_deleted(client, detector_id):
    of = {"DetectorId": detector_id}
    one = client.create_publishing_destination(
        **of, DestinationType="S3", DestinationProperties=PROPERTIES, Tags={"a": "b"}
    )["DestinationId"]
    described = client.describe_publishing_destination(**of, DestinationId=one)
    assert described["DestinationProperties"] == PROPERTIES
    assert described["PublishingFailureStartTimestamp"] == 0
    assert described["Tags"] == {"a": "b"}
    client.update_publishing_destination(
        **of, DestinationId=one, DestinationProperties={"DestinationArn": "arn:aws:s3:::elsewhere"}
    )
    (listed,) = client.list_publishing_destinations(**of)["Destinations"]
    assert (listed["DestinationId"], listed["DestinationType"]) == (one, "S3")
    arn = f"arn:aws:guardduty:eu-west-1:111122223333:detector/{detector_id}/publishingDestination/{one}"
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "b"}
    client.delete_publishing_destination(**of, DestinationId=one)
    with pytest.raises(ClientError) as error:
        client.describe_publishing_destination(**of, DestinationId=one)
    assert refused(error)[0] == "BadRequestException"


def test_a_destination_is_nothing_to_other_accounts(served, client, detector_id):
    other = served.client(OTHER)
    other_id = other.create_detector(Enable=True)["DetectorId"]
    created = client.create_publishing_destination(
        DetectorId=detector_id, DestinationType="S3", DestinationProperties=PROPERTIES
    )
    for detector in (detector_id, other_id):
        with pytest.raises(ClientError):
            other.describe_publishing_destination(DetectorId=detector, DestinationId=created["DestinationId"])


@pytest.mark.parametrize("arn", ["findings", "arn:aws:s3:::a", "arn:aws:sns:eu-west-1:111122223333:topic"])
def test_only_buckets_are_destinations(client, detector_id, arn):
    with pytest.raises(ClientError):
        client.create_publishing_destination(
            DetectorId=detector_id, DestinationType="S3", DestinationProperties={"DestinationArn": arn}
        )
