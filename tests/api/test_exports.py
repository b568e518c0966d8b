"""Destinations that clients made get findings: those of their account and its members, and of nobody else."""

from __future__ import annotations

import gzip
import json

import pytest
from api.serving import ACCOUNT, OTHER, REGION
from publish.conftest import aws

from guardray.access.identity import Identity, Role
from guardray.access.request import Request
from guardray.api.exports import ExportKeeper
from guardray.store import api_members
from guardray.store.api_members import StoredMember

__all__ = ["aws"]

TYPE = "Recon:EC2/Portscan"


@pytest.fixture
def exports(database, clock, aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    return ExportKeeper(database, clock=clock)


@pytest.fixture
def ask(api):
    """Sends a request of an account to the core."""

    def ask(method, path, body=None, account=ACCOUNT):
        raw = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, "", (), raw, request_id="r-1")
        answer = api.handle(request, Identity(account, REGION, Role.ADMIN, "GRAKTEST"))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    return ask


@pytest.fixture
def bucket(aws):
    name = aws.new_name()
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def detector_of(ask, account=ACCOUNT):
    return ask("POST", "/detector", {"enable": True}, account)["detectorId"]


def destination(ask, detector, bucket):
    properties = {"destinationArn": f"arn:aws:s3:::{bucket}/some/"}
    body = {"destinationType": "S3", "destinationProperties": properties}
    made = ask("POST", f"/detector/{detector}/publishingDestination", body)
    return f"/detector/{detector}/publishingDestination/{made['destinationId']}"


def sample(ask, detector, account=ACCOUNT):
    ask("POST", f"/detector/{detector}/findings/create", {"findingTypes": [TYPE]}, account)


def accounts_in(aws, bucket):
    """Whose findings the bucket has, from the keys and from what the objects hold."""
    found = set()
    for entry in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", ()):
        body = aws("s3").get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        lines = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        assert entry["Key"].startswith(f"some/AWSLogs/{lines[0]['accountId']}/GuardDuty/{REGION}/2026/11/02/")
        found |= {line["accountId"] for line in lines}
    return found


def test_a_bucket_that_is_there_gets_new_findings(ask, exports, aws, bucket):
    detector = detector_of(ask)
    path = destination(ask, detector, bucket)
    assert ask("GET", path)["status"] == "PENDING_VERIFICATION"
    exports.run_once()
    assert ask("GET", path)["status"] == "PUBLISHING"
    sample(ask, detector)
    assert exports.run_once() == 1
    assert accounts_in(aws, bucket) == {ACCOUNT}
    assert exports.run_once() == 0


def test_a_bucket_that_is_not_there_is_told_of_and_looked_for_again(ask, exports, aws, clock):
    name = aws.new_name()
    path = destination(ask, detector_of(ask), name)
    exports.run_once()
    described = ask("GET", path)
    assert described["status"] == "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"
    assert described["publishingFailureStartTimestamp"] == int(clock.now.timestamp() * 1000)
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    clock.pass_(minutes=2)
    exports.run_once()
    described = ask("GET", path)
    assert (described["status"], described["publishingFailureStartTimestamp"]) == ("PUBLISHING", 0)


def test_findings_of_other_accounts_go_nowhere_else(ask, exports, aws, bucket, database, clock):
    detector, other = detector_of(ask), detector_of(ask, OTHER)
    destination(ask, detector, bucket)
    exports.run_once()
    sample(ask, other, OTHER)
    assert exports.run_once() == 0
    member = StoredMember(
        region=REGION,
        administrator_id=ACCOUNT,
        account_id=OTHER,
        email="a@example.com",
        status="Enabled",
        updated_at=clock.now,
    )
    with database.writing() as connection:
        api_members.add(connection, member)
    exports.run_once()
    clock.pass_(minutes=1)
    sample(ask, other, OTHER)
    assert exports.run_once() == 1
    assert accounts_in(aws, bucket) == {OTHER}
    with database.writing() as connection:
        api_members.change(connection, member, clock.now, status="Resigned")
    exports.run_once()
    clock.pass_(hours=7)
    sample(ask, other, OTHER)
    assert exports.run_once() == 0


def test_a_destination_that_is_deleted_gets_nothing_more(ask, exports, bucket):
    detector = detector_of(ask)
    path = destination(ask, detector, bucket)
    exports.run_once()
    ask("DELETE", path)
    sample(ask, detector)
    assert exports.run_once() == 0
