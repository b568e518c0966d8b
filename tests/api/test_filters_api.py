"""Filters and suppression by boto3, and what they do to findings as they are written."""

from __future__ import annotations

import pytest
from api.serving import OTHER, refused
from botocore.exceptions import ClientError

from guardray.store.findings import FindingStore

TYPE = "UnauthorizedAccess:EC2/SSHBruteForce"
CRITERIA = {"Criterion": {"type": {"Eq": [TYPE]}}}


def archived(database):
    """Types of findings by whether they are archived."""
    found = FindingStore(database).findings()
    return {finding.type: finding.archived for finding in found}


def test_a_filter_comes_back_as_it_was_spelled(client, detector_id, clock):
    of = {"DetectorId": detector_id, "FilterName": "mine"}
    criteria = {"Criterion": {"severity": {"Gte": 4, "LessThan": 9}, "updatedAt": {"Gte": 1_714_560_000_000}}}
    assert client.create_filter(DetectorId=detector_id, Name="mine", FindingCriteria=criteria)["Name"] == "mine"
    made = client.get_filter(**of)
    assert (made["FindingCriteria"], made["Action"], made["Rank"], made["Version"]) == (criteria, "NOOP", 1, 1)
    assert made["CreatedAt"] == clock.now
    clock.pass_(minutes=1)
    client.update_filter(**of, Description="d", Rank=100)
    changed = client.get_filter(**of)
    assert (changed["FindingCriteria"], changed["Description"], changed["Rank"]) == (criteria, "d", 100)
    assert (changed["Version"], changed["UpdatedAt"]) == (2, clock.now)
    assert client.list_filters(DetectorId=detector_id)["FilterNames"] == ["mine"]
    client.delete_filter(**of)
    with pytest.raises(ClientError) as error:
        client.get_filter(**of)
    assert refused(error) == ("BadRequestException", "The request is rejected since no such resource found.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"Name": "my first filter"},
        {"Name": "x" * 65},
        {"Rank": 101},
        {"Action": "DELETE"},
        {"FindingCriteria": {"Criterion": {"x": {"Eq": ["a"]}}}},
        {"FindingCriteria": {"Criterion": {"type": {"Eq": []}}}},
        {"FindingCriteria": {"Criterion": {"type": {"Matches": ["a", "b", "c", "d", "e", "f"]}}}},
        {"FindingCriteria": {"Criterion": {}}, "Action": "ARCHIVE"},
        {"Description": "x" * 513},
    ],
)
def test_filters_that_cannot_be_are_refused(client, detector_id, wrong):
    with pytest.raises(ClientError) as error:
        client.create_filter(**{"DetectorId": detector_id, "Name": "mine", "FindingCriteria": CRITERIA, **wrong})
    assert refused(error)[0] == "BadRequestException"


def test_a_name_is_taken_once(client, detector_id):
    client.create_filter(DetectorId=detector_id, Name="mine", FindingCriteria=CRITERIA)
    with pytest.raises(ClientError) as error:
        client.create_filter(DetectorId=detector_id, Name="mine", FindingCriteria=CRITERIA)
    assert error.value.response["Type"] == "EntityAlreadyExistsException"


def test_pages_of_filters_are_read_to_their_end_while_some_are_added(client, detector_id):
    for number in range(7):
        client.create_filter(DetectorId=detector_id, Name=f"filter-{number}", FindingCriteria=CRITERIA)
    names, pages = (
        [],
        client.get_paginator("list_filters").paginate(DetectorId=detector_id, PaginationConfig={"PageSize": 3}),
    )
    for number, page in enumerate(pages):
        names += page["FilterNames"]
        client.create_filter(DetectorId=detector_id, Name=f"later-{number}", FindingCriteria=CRITERIA)
        if number > 10:
            break
    assert names[:7] == [f"filter-{number}" for number in range(7)]
    assert len(set(names)) == len(names)


def test_a_token_of_another_request_is_refused(served, client, detector_id):
    for number in range(3):
        client.create_filter(DetectorId=detector_id, Name=f"filter-{number}", FindingCriteria=CRITERIA)
    token = client.list_filters(DetectorId=detector_id, MaxResults=2)["NextToken"]
    assert client.list_filters(DetectorId=detector_id, NextToken=token)["FilterNames"] == ["filter-2"]
    for wrong in (token[:-4], "x", token.replace(token[8], "_"), "e30="):
        with pytest.raises(ClientError):
            client.list_filters(DetectorId=detector_id, NextToken=wrong)
    with pytest.raises(ClientError):
        client.list_ip_sets(DetectorId=detector_id, NextToken=token)


def test_what_a_rule_is_for_is_written_archived_and_what_was_there_stays(served, client, detector_id, database, clock):
    client.create_sample_findings(DetectorId=detector_id, FindingTypes=[TYPE])
    assert archived(database) == {TYPE: False}
    client.create_filter(DetectorId=detector_id, Name="quiet", Action="ARCHIVE", FindingCriteria=CRITERIA)
    assert archived(database) == {TYPE: False}
    clock.pass_(seconds=1)
    other_type = "Recon:EC2/Portscan"
    client.create_sample_findings(DetectorId=detector_id, FindingTypes=[TYPE, other_type])
    assert archived(database) == {TYPE: True, other_type: False}
    client.delete_filter(DetectorId=detector_id, FilterName="quiet")
    assert archived(database)[TYPE]


def test_an_administrators_rule_is_for_its_members_who_can_have_none(served, client, detector_id, database):
    other = served.client(OTHER)
    other_id = other.create_detector(Enable=True)["DetectorId"]
    client.create_members(DetectorId=detector_id, AccountDetails=[{"AccountId": OTHER, "Email": "a@example.com"}])
    client.invite_members(DetectorId=detector_id, AccountIds=[OTHER])
    (invitation,) = other.list_invitations()["Invitations"]
    client.create_filter(DetectorId=detector_id, Name="quiet", Action="ARCHIVE", FindingCriteria=CRITERIA)
    other.create_sample_findings(DetectorId=other_id, FindingTypes=[TYPE])
    assert archived(database) == {TYPE: False}
    other.accept_administrator_invitation(
        DetectorId=other_id, AdministratorId=invitation["AccountId"], InvitationId=invitation["InvitationId"]
    )
    served.client(OTHER).create_sample_findings(DetectorId=other_id, FindingTypes=[TYPE])
    assert archived(database) == {TYPE: True}
    with pytest.raises(ClientError):
        other.create_filter(DetectorId=other_id, Name="mine", Action="ARCHIVE", FindingCriteria=CRITERIA)
    other.create_filter(DetectorId=other_id, Name="mine", FindingCriteria=CRITERIA)
