"""Trusted and threat lists by boto3, from creation to use."""

from __future__ import annotations

import time

import pytest
from api.serving import ACCOUNT, OTHER, REGION, refused
from botocore.exceptions import ClientError
from publish.conftest import aws

from guardray.api import membership
from guardray.api.activation import ListKeeper
from guardray.api.errors import ApiError
from guardray.api.locations import location_of
from guardray.store import api_resources
from guardray.store.api_resources import StoredResource

__all__ = ["aws"]


@pytest.fixture
def list_file(settings):
    """A list in the folder that lists may lie in, by its URL."""
    settings.list_folder.mkdir()
    path = settings.list_folder / "bad.txt"
    path.write_text("93.184.216.34\nbad.example.net\n")
    return path.as_uri()


def until(get, wanted):
    """Polls as tools do, until the list has the status."""
    deadline = time.monotonic() + 20
    while (answer := get())["Status"] != wanted:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def test_a_threat_list_comes_into_use_by_itself_and_goes_again(client, detector_id, list_file, library):
    of = {"DetectorId": detector_id}
    created = client.create_threat_intel_set(
        **of, Name="ours", Format="TXT", Location=list_file, Activate=True, Tags={"a": "b"}
    )
    one = {**of, "ThreatIntelSetId": created["ThreatIntelSetId"]}
    answer = until(lambda: client.get_threat_intel_set(**one), "ACTIVE")
    assert (answer["Name"], answer["Format"], answer["Location"], answer["Tags"]) == (
        "ours",
        "TXT",
        list_file,
        {"a": "b"},
    )
    (used,) = library.registered().lists
    assert (used.name, used.entries, used.trusted) == ("ours", 1, False)
    assert used.scope == (("111122223333", "eu-west-1"),)
    assert client.list_threat_intel_sets(**of)["ThreatIntelSetIds"] == [one["ThreatIntelSetId"]]

    client.update_threat_intel_set(**one, Activate=False)
    until(lambda: client.get_threat_intel_set(**one), "INACTIVE")
    assert library.registered().lists == ()
    client.delete_threat_intel_set(**one)
    until(lambda: client.get_threat_intel_set(**one), "DELETED")
    assert client.list_threat_intel_sets(**of)["ThreatIntelSetIds"] == []


def test_an_entity_list_says_why_it_failed_and_when_it_was_made(client, detector_id, list_file, settings, clock):
    (settings.list_folder / "bad.txt").write_text("nothing usable\n")
    created = client.create_threat_entity_set(
        DetectorId=detector_id, Name="ours", Format="TXT", Location=list_file, Activate=True
    )
    one = {"DetectorId": detector_id, **{k: v for k, v in created.items() if k.endswith("Id")}}
    answer = until(lambda: client.get_threat_entity_set(**one), "ERROR")
    assert "bad.txt" in answer["ErrorDetails"]
    assert answer["CreatedAt"] == clock.now
    (settings.list_folder / "bad.txt").write_text("bad.example.net\n")
    client.update_threat_entity_set(**one, Activate=True)
    assert "ErrorDetails" not in until(lambda: client.get_threat_entity_set(**one), "ACTIVE")


def test_two_accounts_may_use_one_name_for_their_lists(served, client, detector_id, list_file, library):
    other = served.client(OTHER)
    for one, detector in ((client, detector_id), (other, other.create_detector(Enable=True)["DetectorId"])):
        of = {"DetectorId": detector}
        set_id = one.create_ip_set(**of, Name="office", Format="TXT", Location=list_file, Activate=True)["IpSetId"]
        until(lambda one=one, of=of, set_id=set_id: one.get_ip_set(**of, IpSetId=set_id), "ACTIVE")
    assert [used.name for used in library.registered().lists] == ["office", "office"]
    assert {used.scope[0][0] for used in library.registered().lists} == {"111122223333", OTHER}


def test_limits_and_names_of_lists_hold(client, detector_id, list_file):
    new = {"DetectorId": detector_id, "Format": "TXT", "Location": list_file, "Activate": False}
    client.create_ip_set(**new, Name="first")
    for _ in range(2):
        with pytest.raises(ClientError) as error:
            client.create_ip_set(**new, Name="second")
        assert error.value.response["Type"] == "LimitExceededException"
    client.create_threat_intel_set(**new, Name="a b")
    for name in ("a b", "a.b", "x" * 301):
        with pytest.raises(ClientError) as error:
            client.create_threat_intel_set(**new, Name=name)
        assert refused(error)[0] == "BadRequestException"
    with pytest.raises(ClientError):
        client.create_threat_entity_set(**new, Name="a b")


def test_a_list_that_is_not_there_is_told_in_the_words_that_tools_look_for(client, detector_id):
    for ask in (
        lambda: client.get_threat_intel_set(DetectorId=detector_id, ThreatIntelSetId="0" * 32),
        lambda: client.update_ip_set(DetectorId=detector_id, IpSetId="0" * 32, Activate=True),
    ):
        with pytest.raises(ClientError) as error:
            ask()
        assert "the input detectorId is not owned by the current account" in refused(error)[1]


@pytest.mark.parametrize(
    "text",
    [
        "s3://lists/a/b.txt",
        "https://s3.amazonaws.com/lists/a/b.txt",
        "https://s3-eu-west-1.amazonaws.com/lists/a/b.txt",
        "http://lists.s3.amazonaws.com/a/b.txt",
        "http://lists.s3-eu-west-1.amazonaws.com/a/b.txt",
        "https://lists.s3.eu-west-1.amazonaws.com/a/b.txt",
    ],
)
def test_every_form_of_an_object_in_s3_is_understood(text):
    assert location_of(text, None) == "s3://lists/a/b.txt"


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/list.txt",
        "http://169.254.169.254/latest/meta-data",
        "https://lists.s3.amazonaws.com.example.com/a",
        "https://user@lists.s3.amazonaws.com/a",
        "https://s3.amazonaws.com:8080/lists/a",
        "https://s3.amazonaws.com/lists",
        "s3://lists",
        "s3://UPPER/a",
        "gopher://lists.s3.amazonaws.com/a",
        "file:///etc/passwd",
        "file://host/etc/passwd",
        "/etc/passwd",
        "",
        "http://[::1",
    ],
)
def test_no_other_place_is_read(text, tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(ApiError):
            location_of(text, folder)


def test_a_file_outside_the_folder_is_not_read_by_way_of_links_or_dots(tmp_path):
    folder = tmp_path / "lists"
    folder.mkdir()
    (tmp_path / "secret").write_text("1.1.1.1")
    (folder / "link").symlink_to(tmp_path / "secret")
    for name in ("../secret", "%2e%2e/secret", "link"):
        with pytest.raises(ApiError):
            location_of(f"file://{folder}/{name}", folder)


def test_a_list_in_s3_comes_into_use_and_one_that_is_not_there_fails(database, library, clock, aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    bucket = aws.new_name()
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    aws("s3").put_object(Bucket=bucket, Key="a/bad.txt", Body=b"93.184.216.34\n")
    with database.writing() as connection:
        membership.ensure_detector(connection, ACCOUNT, REGION, clock.now)
        for name in ("bad", "none"):
            asked = StoredResource(
                account_id=ACCOUNT,
                region=REGION,
                kind="threatintelset",
                id=name,
                name=name,
                status="ACTIVATING",
                content={"Format": "TXT", "Location": f"https://{bucket}.s3.{REGION}.amazonaws.com/a/{name}.txt"},
                created_at=clock.now,
                updated_at=clock.now,
            )
            api_resources.add(connection, asked)
    assert ListKeeper(database, library, None, clock=clock).run_once() == 2
    with database.reading() as connection:
        found = api_resources.resources_of(connection, ACCOUNT, REGION, "threatintelset")
    assert [(one.name, one.status) for one in found] == [("bad", "ACTIVE"), ("none", "ERROR")]
    assert "NoSuchKey" in found[1].content["ErrorDetails"]
    (used,) = library.registered().lists
    assert (used.name, used.entries, used.scope) == ("bad", 1, ((ACCOUNT, REGION),))
